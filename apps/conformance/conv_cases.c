#include "conv_cases.h"

#include <math.h>

const struct cf_op cf_conv_ops[MT_MAX_SPATIAL] = {
	{1 * CF_MODE, "1d", MT_SET_FLOAT}, {2 * CF_MODE, "2d", MT_SET_FLOAT}, {3 * CF_MODE, "3d", MT_SET_FLOAT}};

const struct cf_param cf_conv_params[CF_CONV_PARAMS] = {
	{"n", 1, 0, 4096},
	{"groups", 1, 1, 64},
	{"ci", 1, 0, 512},
	{"co", 1, 0, 512},
	{"s0", 1, 1, 1 << 20},
	{"s1", 1, 1, 1 << 20},
	{"s2", 1, 1, 1 << 20},
	{"k0", 1, 1, 64},
	{"k1", 1, 1, 64},
	{"k2", 1, 1, 64},
	{"stride0", 1, 1, 16},
	{"stride1", 1, 1, 16},
	{"stride2", 1, 1, 16},
	{"pad0", 0, 0, 64},
	{"pad1", 0, 0, 64},
	{"pad2", 0, 0, 64},
	{"dil0", 1, 1, 16},
	{"dil1", 1, 1, 16},
	{"dil2", 1, 1, 16},
	{"extra0", 0, -8, 8},
	{"extra1", 0, -8, 8},
	{"extra2", 0, -8, 8},
	{"last", 0, 0, 1},
	{"bias", 0, 0, 1},
	{"act", 0, 0, MT_ACT_END_ - 1},
};

enum { MAX_PRODUCTS = 8000000, MAX_RANDOM_PRODUCTS = 100000, MAX_NUMEL = 400000 };

static int spatial_of(const struct cf_case *c) {
	return c->op / CF_MODE;
}

/* The usual extent; 0 where no window fits. */
static int64_t windows(const int64_t *param, int d) {
	int64_t span = param[CF_CONV_DILATION + d] * (param[CF_CONV_KERNEL + d] - 1) + 1;
	int64_t room = param[CF_CONV_SIZE + d] + 2 * param[CF_CONV_PAD + d] - span;
	return room < 0 ? 0 : room / param[CF_CONV_STRIDE + d] + 1;
}

struct cf_conv cf_conv_of(const struct cf_case *c) {
	const int64_t *p = c->param;
	int64_t groups = p[CF_CONV_GROUPS], ci = p[CF_CONV_CI], co = p[CF_CONV_CO];
	struct cf_conv g = {.rank = spatial_of(c) + 2,
	                    .last = (int)p[CF_CONV_LAST],
	                    .x = {p[CF_CONV_N], groups * ci},
	                    .weight = {groups * co, ci},
	                    .out = {p[CF_CONV_N], groups * co}};
	g.p.groups = (int32_t)groups;
	for (int d = 0; d < MT_MAX_SPATIAL; d++) {
		g.x[d + 2] = p[CF_CONV_SIZE + d];
		g.weight[d + 2] = p[CF_CONV_KERNEL + d];
		g.out[d + 2] = windows(p, d) + p[CF_CONV_EXTRA + d];
		g.p.stride[d] = (int32_t)p[CF_CONV_STRIDE + d];
		g.p.pad[d] = (int32_t)p[CF_CONV_PAD + d];
		g.p.dilation[d] = (int32_t)p[CF_CONV_DILATION + d];
	}
	return g;
}

static double volume(const int64_t shape[5]) {
	double v = 1;
	for (int d = 0; d < 5; d++)
		v *= (double)shape[d];
	return v;
}

/* How many the definition has, those outside x too. */
static double products(const struct cf_conv *g) {
	return g->out[1] > 0 ? volume(g->out) * volume(g->weight) / (double)g->out[1] : 0;
}

int cf_conv_valid(const struct cf_case *c) {
	struct cf_conv g = cf_conv_of(c);
	for (int d = spatial_of(c); d < MT_MAX_SPATIAL; d++)
		for (int i = CF_CONV_SIZE + d; i < CF_CONV_LAST; i += MT_MAX_SPATIAL)
			if (c->param[i] != cf_conv_params[i].simplest)
				return 0;
	for (int d = 2; d < 5; d++)
		if (g.out[d] < 1)
			return 0;
	if (c->data == CF_SPECIAL && (c->in >= CF_BROADCAST || c->param[CF_CONV_ACTIVATION] > MT_ACT_RELU))
		return 0;
	return volume(g.out) <= MAX_NUMEL && volume(g.x) <= MAX_NUMEL && volume(g.weight) <= MAX_NUMEL &&
	       products(&g) <= MAX_PRODUCTS;
}

/* ---- arrays ---- */

/* [n, c, space…] as [n, space…, c]. */
static void channels_to_end(int rank, const int64_t *from, int64_t *to) {
	to[0] = from[0];
	to[rank - 1] = from[1];
	for (int d = 2; d < rank; d++)
		to[d - 1] = from[d];
}

static void channels_back(int rank, int64_t *dims) {
	int64_t channels = dims[rank - 1];
	for (int d = rank - 1; d > 1; d--)
		dims[d] = dims[d - 1];
	dims[1] = channels;
}

struct cf_array *cf_conv_new(struct cf_run *r, enum cf_role role, const struct cf_conv *g, int32_t dtype,
                             const int64_t *shape, int32_t layout) {
	int64_t in_memory[5];
	if (!g->last)
		return cf_new(r, role, dtype, g->rank, shape, layout);
	channels_to_end(g->rank, shape, in_memory);
	struct cf_array *a = cf_new(r, role, dtype, g->rank, in_memory, layout);
	channels_back(g->rank, a->array.shape);
	channels_back(g->rank, a->array.stride);
	return a;
}

struct cf_array *cf_conv_input(struct cf_run *r, const struct cf_conv *g, int32_t dtype, const int64_t *shape,
                               int32_t layout) {
	struct cf_array *a = cf_conv_new(r, CF_IN, g, dtype, shape, layout);
	cf_fill(r, a, -2, 2);
	return a;
}

/* ---- the definition ---- */

/* A sum over products: those of operands[left] and operands[right] go to place[side]. */
struct sums {
	const double *operands[3];
	int side, left, right;
	long double *value, *scale;
};

static void add(const struct sums *s, const int64_t place[3]) {
	long double term = (long double)s->operands[s->left][place[s->left]] * s->operands[s->right][place[s->right]];
	s->value[place[s->side]] += term;
	s->scale[place[s->side]] += fabsl(term);
}

static int64_t source(const struct cf_conv *g, const int64_t at[5], int d, int64_t tap) {
	return at[d + 2] * g->p.stride[d] + tap * g->p.dilation[d] - g->p.pad[d];
}

static int is_inside(const struct cf_conv *g, int d, int64_t from) {
	return from >= 0 && from < g->x[d + 2];
}

/* Output element `at`, input channel ci of its group: every tap inside x. */
static void add_taps(const struct cf_conv *g, const struct sums *s, const int64_t at[5], int64_t ci) {
	const int64_t *k = g->weight + 2, *size = g->x + 2;
	int64_t group = at[1] / (g->out[1] / g->p.groups);
	int64_t channel = at[0] * g->x[1] + group * g->weight[1] + ci, filter = at[1] * g->weight[1] + ci, place[3];
	place[CF_CONV_OUT] = cf_ravel(5, g->out, at);
	for (int64_t k0 = 0; k0 < k[0]; k0++)
		for (int64_t k1 = 0; k1 < k[1]; k1++)
			for (int64_t k2 = 0; k2 < k[2]; k2++) {
				int64_t x0 = source(g, at, 0, k0), x1 = source(g, at, 1, k1), x2 = source(g, at, 2, k2);
				if (!is_inside(g, 0, x0) || !is_inside(g, 1, x1) || !is_inside(g, 2, x2))
					continue;
				place[CF_CONV_WEIGHT] = ((filter * k[0] + k0) * k[1] + k1) * k[2] + k2;
				place[CF_CONV_X] = ((channel * size[0] + x0) * size[1] + x1) * size[2] + x2;
				add(s, place);
			}
}

void cf_conv_sums(const struct cf_conv *g, enum cf_conv_side side, const struct cf_array *const operands[3],
                  long double *value, long double *scale) {
	struct sums s = {{NULL}, (int)side, ((int)side + 1) % 3, ((int)side + 2) % 3, value, scale};
	int64_t at[5];
	for (int i = 0; i < 3; i++)
		s.operands[i] = operands[i] != NULL ? operands[i]->values : NULL;
	for (int64_t e = 0; e < cf_numel(5, g->out); e++) {
		cf_unravel(e, 5, g->out, at);
		for (int64_t ci = 0; ci < g->weight[1]; ci++)
			add_taps(g, &s, at, ci);
	}
}

/* ---- fixed cases ---- */

/* An extent of 0: the simplest. */
struct row {
	int spatial;
	int64_t n, groups, ci, co;
	int64_t size[3], kernel[3], stride[3], pad[3], dilation[3], extra[3];
	int breadth; /* 0: plain only, 1: f32 in every layout and the other floats in two, 2: everything */
};

/* With a breadth: channels are the last dim in memory. */
enum { LAST = 4 };

static const struct row rows[] = {
	{1, 3, 1, 2, 4, {11}, {4}, {0}, {0}, {0}, {0}, 2},
	{2, 2, 1, 3, 4, {7, 6}, {3, 2}, {0}, {1, 0}, {0}, {0}, 2},
	{3, 2, 1, 2, 3, {4, 5, 6}, {2, 3, 2}, {1, 2, 1}, {1, 0, 1}, {1, 1, 2}, {0}, 2},
	{1, 2, 3, 2, 2, {10}, {3}, {2, 1, 1}, {2}, {2, 1, 1}, {0}, 2},
	{2, 3, 2, 2, 3, {9, 8}, {3, 3}, {2, 1, 1}, {1, 2}, {1, 2, 1}, {0}, 2},
	{3, 1, 2, 1, 2, {5, 3, 4}, {3, 1, 2}, {2, 1, 3}, {0, 1, 2}, {1, 3, 1}, {1, 0, -1}, 2},
	{2, 2, 1, 1, 1, {5, 5}, {3, 3}, {0}, {0}, {0}, {0}, 1},
	{2, 1, 4, 1, 1, {8, 8}, {3, 3}, {0}, {1, 1}, {0}, {0}, 1}, /* depthwise */
	{2, 2, 1, 8, 5, {6, 6}, {1, 1}, {0}, {0}, {0}, {0}, 1},    /* 1×1 */
	{2, 2, 1, 2, 3, {6, 6}, {1, 1}, {2, 2, 1}, {0}, {0}, {0}, 1},
	{2, 2, 1, 2, 3, {5, 5}, {5, 5}, {0}, {0}, {0}, {0}, 1},             /* one output */
	{2, 2, 1, 1, 4, {6, 6}, {3, 3}, {0}, {0}, {0}, {2, 2}, 1},          /* MiniTorch's left-anchored "same" */
	{2, 2, 1, 2, 2, {7, 7}, {2, 2}, {3, 3, 1}, {0}, {0}, {0}, 1},       /* cells that no window reads */
	{2, 2, 1, 2, 2, {4, 4}, {3, 3}, {0}, {3, 3}, {2, 2, 1}, {1, 0}, 1}, /* windows wholly outside */
	{2, 2, 1, 2, 3, {6, 7}, {2, 3}, {0}, {1, 1}, {0}, {-2, -1}, 1},     /* less padding on the high side */
	{2, 19, 1, 1, 6, {12, 12}, {5, 5}, {0}, {2, 2}, {0}, {0}, 1},       /* LeNet's, smaller */
	{2, 35, 1, 6, 16, {10, 10}, {5, 5}, {0}, {0}, {0}, {0}, 0},
	{2, 2, 1, 17, 33, {9, 9}, {3, 3}, {0}, {1, 1}, {0}, {0}, 1},
	{2, 1, 1, 64, 32, {6, 6}, {3, 3}, {0}, {1, 1}, {0}, {0}, 1},
	{1, 4, 1, 50, 20, {30}, {3}, {0}, {1}, {0}, {0}, 1}, /* text */
	/* depthwise: several vectors a row, both steps, an even start and an odd end */
	{2, 2, 3, 1, 1, {6, 37}, {3, 3}, {0}, {1, 1}, {0}, {0}, 1},
	{2, 2, 3, 1, 1, {9, 70}, {3, 3}, {2, 2, 1}, {1, 1}, {0}, {0}, 1},
	{2, 1, 3, 1, 1, {7, 21}, {5, 5}, {0}, {2, 1}, {0}, {0, 1}, 1},
	{2, 1, 3, 1, 1, {8, 45}, {5, 5}, {2, 2, 1}, {2, 3}, {0}, {-1, -1}, 1},
	/* many channels: part vectors, short and long rows, steps, images enough to be summed in parts */
	{2, 1, 1, 20, 40, {7, 30}, {3, 3}, {2, 2, 1}, {1, 1}, {0}, {0}, 1},
	{2, 1, 2, 10, 17, {8, 9}, {2, 3}, {1, 3, 1}, {1, 4}, {2, 1, 1}, {1, -1}, 1},
	{2, 9, 1, 2, 16, {6, 7}, {3, 3}, {0}, {1, 1}, {0}, {0}, 1},
	{1, 1, 1, 9, 17, {251}, {4}, {2, 1, 1}, {1}, {0}, {0}, 1},
	{3, 1, 1, 9, 17, {4, 5, 6}, {2, 3, 2}, {1, 2, 1}, {1, 0, 1}, {1, 1, 2}, {0}, 1},
	{2, 1, 1, 16, 8, {80, 80}, {3, 3}, {0}, {1, 1}, {0}, {0}, 0}, /* an image larger than a cache */
	/* many channels, whose weight gradients are summed in parts; over channels that lie multiples of 1024 bytes apart */
	{2, 9, 1, 5, 32, {6, 7}, {3, 3}, {0}, {1, 1}, {0}, {0}, 1},
	{2, 9, 1, 5, 32, {16, 16}, {3, 3}, {0}, {1, 1}, {0}, {0}, 0},
	{2, 1, 1, 6, 32, {4, 4}, {3, 3}, {0}, {5, 5}, {5, 5, 1}, {0}, 1}, /* taps that no position finds */
	{2, 2, 1, 20, 40, {5, 6}, {1, 1}, {0}, {0}, {0}, {0}, 1},
	{2, 2, 1, 20, 40, {5, 7}, {1, 1}, {2, 2, 1}, {0}, {0}, {0}, 1},
	/* weights enough for threads to have channels of their own */
	{2, 2, 1, 256, 64, {3, 6}, {3, 3}, {0}, {1, 1}, {0}, {0}, 0},
	{2, 1, 2, 128, 64, {4, 5}, {3, 3}, {2, 1, 1}, {1, 1}, {0}, {0}, 0},
	/* more than 2^16 elements: of x and out, then of the weight */
	{1, 1, 1, 4, 4, {20000}, {3}, {0}, {1}, {0}, {0}, 0},
	{2, 1, 1, 2, 2, {190, 190}, {3, 3}, {0}, {1, 1}, {0}, {0}, 0},
	{3, 1, 1, 1, 1, {42, 42, 42}, {2, 2, 2}, {0}, {0}, {0}, {0}, 0},
	{1, 2, 1, 256, 64, {5}, {5}, {0}, {0}, {0}, {0}, 0},
	{2, 1, 1, 256, 32, {3, 3}, {3, 3}, {0}, {0}, {0}, {0}, 0},
	{3, 1, 1, 64, 40, {3, 3, 3}, {3, 3, 3}, {0}, {0}, {0}, {0}, 0},
	/* channels last */
	{1, 2, 1, 3, 5, {11}, {3}, {0}, {1}, {0}, {0}, 1 | LAST},
	{2, 2, 1, 3, 4, {7, 6}, {3, 2}, {0}, {1, 0}, {0}, {0}, 1 | LAST},
	{2, 3, 2, 2, 3, {9, 8}, {3, 3}, {2, 1, 1}, {1, 2}, {1, 2, 1}, {0}, 1 | LAST},
	{2, 1, 4, 1, 1, {8, 9}, {3, 3}, {0}, {1, 1}, {0}, {0}, 1 | LAST},
	{2, 2, 1, 17, 33, {9, 5}, {3, 3}, {2, 2, 1}, {1, 1}, {0}, {0}, 1 | LAST},
	{2, 2, 1, 16, 24, {5, 6}, {1, 1}, {0}, {0}, {0}, {0}, 1 | LAST},
	{3, 2, 1, 4, 3, {4, 5, 6}, {2, 3, 2}, {1, 2, 1}, {1, 0, 1}, {1, 1, 2}, {0}, 1 | LAST},
};

static struct cf_case case_of(const struct row *row) {
	struct cf_case c = {.param = {row->n, row->groups, row->ci, row->co}};
	const int64_t *const from[] = {row->size, row->kernel, row->stride, row->pad, row->dilation, row->extra};
	for (int i = CF_CONV_SIZE; i < CF_CONV_PARAMS; i++)
		c.param[i] = cf_conv_params[i].simplest;
	for (int k = 0; k < 6; k++)
		for (int d = 0; d < row->spatial; d++)
			if (from[k][d] != 0)
				c.param[CF_CONV_SIZE + k * MT_MAX_SPATIAL + d] = from[k][d];
	c.param[CF_CONV_LAST] = (row->breadth & LAST) != 0;
	return c;
}

/* Sets bias and activation, as far as the family has them, to anything, and hands on. */
struct variety {
	cf_emit_fn emit;
	void *context;
	int n_params;
	struct cf_random random;
};

static void vary(const struct cf_case *c, void *context) {
	struct variety *v = context;
	struct cf_case varied = *c;
	for (int i = CF_CONV_BIAS; i < v->n_params; i++)
		varied.param[i] = cf_random_integer(&v->random, 0, cf_conv_params[i].high);
	v->emit(&varied, v->context);
}

/* f32 in every layout, the other floats contiguous and transposed. */
static void emit_some(cf_emit_fn emit, void *context, const struct cf_op *op, struct cf_case c) {
	c.op = op->id;
	for (c.dtype = 1; c.dtype < MT_DTYPE_END_; c.dtype++)
		for (c.in = 0; c.in < CF_IN_LAYOUTS && (op->dtypes & MT_DTYPE_BIT(c.dtype)); c.in++) {
			c.out = c.in % CF_OUT_LAYOUTS;
			if (c.dtype == MT_F32 || c.in <= CF_TRANSPOSED)
				emit(&c, context);
		}
}

void cf_conv_each(cf_emit_fn emit, void *context, int n_params, enum cf_conv_param summed) {
	struct variety v = {emit, context, n_params, {1}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct cf_op *op = &cf_conv_ops[rows[i].spatial - 1];
		struct cf_case c = case_of(&rows[i]);
		if ((rows[i].breadth & ~LAST) == 2)
			cf_nn_emit_layouts(vary, &v, op, c);
		else if ((rows[i].breadth & ~LAST) == 1)
			emit_some(vary, &v, op, c);
		else
			cf_nn_emit_plain(vary, &v, op, c);
		c.data = CF_SPECIAL;
		/* Where padding is no zeros in memory, no zero may meet an infinity. */
		if (i < 6 || rows[i].groups > 2)
			cf_nn_emit_plain(emit, context, op, c);
	}
	struct cf_case empty = case_of(&rows[1]);
	empty.param[summed] = 0;
	cf_nn_emit_plain(vary, &v, &cf_conv_ops[rows[1].spatial - 1], empty);
}

/* ---- random cases ---- */

void cf_conv_draw(struct cf_random *r, struct cf_case *c, int n_params) {
	struct cf_conv g;
	int spatial = spatial_of(c);
	int64_t size = spatial == 3 ? 6 : spatial == 2 ? 11 : 40;
	int channels = cf_random_integer(r, 0, 7) == 0 ? 40 : 4;
	c->data = CF_RANDOM;
	do {
		int64_t *p = c->param;
		for (int i = 0; i < CF_CONV_PARAMS; i++)
			p[i] = cf_conv_params[i].simplest;
		p[CF_CONV_N] = cf_random_integer(r, 1, 3);
		p[CF_CONV_GROUPS] = cf_random_integer(r, 0, 2) == 0 ? cf_random_integer(r, 2, 3) : 1;
		p[CF_CONV_CI] = cf_random_integer(r, 1, channels);
		p[CF_CONV_CO] = cf_random_integer(r, 1, channels);
		for (int d = 0; d < spatial; d++) {
			p[CF_CONV_SIZE + d] = cf_random_integer(r, 1, size);
			p[CF_CONV_KERNEL + d] = cf_random_integer(r, 1, 4);
			p[CF_CONV_STRIDE + d] = cf_random_integer(r, 0, 1) ? 1 : cf_random_integer(r, 1, 3);
			p[CF_CONV_PAD + d] = cf_random_integer(r, 0, 1) ? 0 : cf_random_integer(r, 0, 3);
			p[CF_CONV_DILATION + d] = cf_random_integer(r, 0, 2) ? 1 : cf_random_integer(r, 1, 3);
			p[CF_CONV_EXTRA + d] = cf_random_integer(r, 0, 3) ? 0 : cf_random_integer(r, -2, 2);
		}
		if (n_params > CF_CONV_BIAS)
			p[CF_CONV_BIAS] = cf_random_integer(r, 0, 1);
		if (n_params > CF_CONV_ACTIVATION)
			p[CF_CONV_ACTIVATION] = cf_random_integer(r, 0, 1) ? 0 : cf_random_integer(r, 0, MT_ACT_END_ - 1);
		p[CF_CONV_LAST] = cf_random_integer(r, 0, 3) == 0;
		g = cf_conv_of(c);
	} while (!cf_conv_valid(c) || products(&g) > MAX_RANDOM_PRODUCTS);
	int special = c->in < CF_BROADCAST && c->param[CF_CONV_ACTIVATION] <= MT_ACT_RELU;
	if (special && cf_random_integer(r, 0, 7) == 0)
		c->data = CF_SPECIAL;
}
