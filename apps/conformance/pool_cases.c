#include "pool_cases.h"

const struct cf_op cf_pool_ops[CF_POOL_OPS] = {
	{MT_POOL_MAX + 1 * CF_MODE, "max1d", MT_SET_FLOAT}, {MT_POOL_MAX + 2 * CF_MODE, "max2d", MT_SET_FLOAT},
	{MT_POOL_MAX + 3 * CF_MODE, "max3d", MT_SET_FLOAT}, {MT_POOL_AVG + 1 * CF_MODE, "avg1d", MT_SET_FLOAT},
	{MT_POOL_AVG + 2 * CF_MODE, "avg2d", MT_SET_FLOAT}, {MT_POOL_AVG + 3 * CF_MODE, "avg3d", MT_SET_FLOAT}};

const struct cf_param cf_pool_params[CF_POOL_PARAMS] = {
	{"n", 1, 1, 4096},     {"c", 1, 1, 512},     {"s0", 1, 1, 1 << 20}, {"s1", 1, 1, 1 << 20}, {"s2", 1, 1, 1 << 20},
	{"k0", 1, 1, 64},      {"k1", 1, 1, 64},     {"k2", 1, 1, 64},      {"stride0", 1, 1, 64}, {"stride1", 1, 1, 64},
	{"stride2", 1, 1, 64}, {"pad0", 0, 0, 64},   {"pad1", 0, 0, 64},    {"pad2", 0, 0, 64},    {"dil0", 1, 1, 16},
	{"dil1", 1, 1, 16},    {"dil2", 1, 1, 16},   {"extra0", 0, -8, 8},  {"extra1", 0, -8, 8},  {"extra2", 0, -8, 8},
	{"include", 0, 0, 1},  {"indices", 0, 0, 1},
};

enum { MAX_NUMEL = 400000, MAX_VOLUME = 1 << 16, MAX_CELLS = 4000000, MAX_RANDOM_CELLS = 60000 };

static int spatial_of(const struct cf_case *c) {
	return c->op / CF_MODE;
}

struct cf_pool cf_pool_of(const struct cf_case *c) {
	const int64_t *p = c->param;
	struct cf_pool w = {.op = c->op % CF_MODE,
	                    .rank = spatial_of(c) + 2,
	                    .x = {p[CF_POOL_N], p[CF_POOL_C]},
	                    .out = {p[CF_POOL_N], p[CF_POOL_C]},
	                    .p = {.count_include_pad = (int32_t)p[CF_POOL_INCLUDE]},
	                    .volume = 1};
	for (int d = 0; d < MT_MAX_SPATIAL; d++) {
		int64_t size = p[CF_POOL_SIZE + d], kernel = p[CF_POOL_KERNEL + d], pad = p[CF_POOL_PAD + d];
		int64_t room = size + 2 * pad - p[CF_POOL_DILATION + d] * (kernel - 1) - 1;
		w.x[d + 2] = size;
		w.out[d + 2] = (room < 0 ? 0 : room / p[CF_POOL_STRIDE + d] + 1) + p[CF_POOL_EXTRA + d];
		w.p.kernel[d] = (int32_t)kernel;
		w.p.stride[d] = (int32_t)p[CF_POOL_STRIDE + d];
		w.p.pad[d] = (int32_t)pad;
		w.p.dilation[d] = (int32_t)p[CF_POOL_DILATION + d];
		w.volume *= kernel;
	}
	w.plane = cf_numel(3, w.x + 2);
	w.outputs = cf_numel(3, w.out + 2);
	return w;
}

/* Where tap k of position o lies in dim d; −1 outside. */
static int64_t source(const struct cf_pool *p, int d, int64_t o, int64_t k) {
	int64_t i = o * p->p.stride[d] + k * p->p.dilation[d] - p->p.pad[d];
	return i >= 0 && i < p->x[d + 2] ? i : -1;
}

/* Whether every window meets x in dim d. */
static int all_meet(const struct cf_pool *p, int d) {
	for (int64_t o = 0; o < p->out[d + 2]; o++) {
		int met = 0;
		for (int64_t k = 0; k < p->p.kernel[d] && !met; k++)
			met = source(p, d, o, k) >= 0;
		if (!met)
			return 0;
	}
	return 1;
}

static double cells_of(const struct cf_pool *p) {
	return (double)p->volume * (double)p->outputs * (double)p->x[0] * (double)p->x[1];
}

int cf_pool_valid(const struct cf_case *c) {
	struct cf_pool p = cf_pool_of(c);
	double x = 1, out = 1;
	for (int d = spatial_of(c); d < MT_MAX_SPATIAL; d++)
		for (int i = CF_POOL_SIZE + d; i < CF_POOL_INCLUDE; i += MT_MAX_SPATIAL)
			if (c->param[i] != cf_pool_params[i].simplest)
				return 0;
	for (int d = 0; d < 5; d++) {
		x *= (double)p.x[d];
		out *= (double)p.out[d];
		if (p.out[d] < 1)
			return 0;
	}
	if (x > MAX_NUMEL || out > MAX_NUMEL || p.volume > MAX_VOLUME || cells_of(&p) > MAX_CELLS)
		return 0;
	for (int d = 0; d < MT_MAX_SPATIAL; d++)
		if (!all_meet(&p, d) || (p.op == MT_POOL_AVG && p.p.dilation[d] != 1))
			return 0;
	if (p.op == MT_POOL_AVG ? c->param[CF_POOL_INDICES] : c->param[CF_POOL_INCLUDE])
		return 0;
	return c->data != CF_SPECIAL || c->in < CF_BROADCAST;
}

int64_t cf_pool_window(const struct cf_pool *p, int64_t e, int64_t *cells, int64_t *divisor) {
	int64_t o[5], found = 0, padded = 1;
	cf_unravel(e, 5, p->out, o);
	for (int d = 0; d < 3; d++) {
		int64_t first = o[d + 2] * p->p.stride[d] - p->p.pad[d], past = first + p->p.kernel[d];
		int64_t end = p->x[d + 2] + p->p.pad[d];
		padded *= (past < end ? past : end) - first;
	}
	for (int64_t k0 = 0; k0 < p->p.kernel[0]; k0++)
		for (int64_t k1 = 0; k1 < p->p.kernel[1]; k1++)
			for (int64_t k2 = 0; k2 < p->p.kernel[2]; k2++) {
				int64_t i0 = source(p, 0, o[2], k0), i1 = source(p, 1, o[3], k1), i2 = source(p, 2, o[4], k2);
				if (i0 >= 0 && i1 >= 0 && i2 >= 0)
					cells[found++] = (i0 * p->x[3] + i1) * p->x[4] + i2;
			}
	*divisor = p->p.count_include_pad ? padded : found;
	return found;
}

/* ---- fixed cases ---- */

/* An extent of 0: the simplest. */
struct row {
	int spatial;
	int64_t n, c, size[3], kernel[3], stride[3], pad[3], dilation[3], extra[3];
	int breadth; /* 0: plain only, 1: every layout */
};

static const struct row rows[] = {
	{1, 2, 3, {13}, {3}, {2, 1, 1}, {1}, {0}, {0}, 1},
	{2, 2, 3, {6, 8}, {2, 2}, {2, 2, 1}, {0}, {0}, {0}, 1},
	{3, 2, 3, {4, 6, 5}, {2, 3, 2}, {2, 2, 1}, {0, 1, 1}, {0}, {0}, 1},
	{2, 2, 3, {28, 28}, {2, 2}, {2, 2, 1}, {0}, {0}, {0}, 1},
	{2, 2, 3, {10, 10}, {2, 2}, {2, 2, 1}, {0}, {0}, {0}, 1}, /* rows of 5 windows, then of 16 and a rest */
	{2, 2, 3, {4, 46}, {2, 2}, {2, 2, 1}, {0}, {0}, {0}, 1},
	{2, 2, 3, {7, 9}, {2, 2}, {2, 2, 1}, {0}, {0}, {0}, 1}, /* a row and a column left over */
	{2, 2, 3, {7, 9}, {3, 3}, {2, 2, 1}, {1, 1}, {0}, {0}, 1},
	{2, 2, 3, {8, 8}, {3, 2}, {0}, {1, 0}, {0}, {0}, 1},             /* overlapping */
	{2, 2, 3, {9, 9}, {2, 3}, {2, 1, 1}, {0, 1}, {2, 2, 1}, {0}, 1}, /* dilation: max only */
	{2, 2, 3, {5, 5}, {2, 2}, {2, 2, 1}, {0}, {0}, {1, 1}, 1},       /* ceil mode */
	{2, 1, 2, {6, 5}, {3, 3}, {2, 2, 1}, {1, 1}, {0}, {1, 0}, 1},    /* both, beyond the padding */
	{2, 2, 3, {4, 4}, {4, 4}, {4, 4, 1}, {0}, {0}, {0}, 1},          /* one window */
	{2, 1, 1, {3, 5}, {1, 1}, {2, 3, 1}, {0}, {0}, {0}, 1},
	{1, 1, 2, {9}, {2}, {3, 1, 1}, {0}, {0}, {0}, 1}, /* cells that no window meets */
	{1, 2, 2, {10}, {3}, {0}, {2}, {2, 1, 1}, {0}, 1},
	/* more than 2^16 elements in out */
	{1, 1, 2, {50000}, {3}, {0}, {1}, {0}, {0}, 0},
	{2, 2, 3, {222, 222}, {2, 2}, {2, 2, 1}, {0}, {0}, {0}, 0},
	{2, 1, 2, {190, 190}, {3, 3}, {0}, {1, 1}, {0}, {0}, 0},
	{3, 1, 1, {42, 42, 42}, {2, 2, 2}, {0}, {0}, {0}, {0}, 0},
};

static struct cf_case case_of(const struct row *row) {
	struct cf_case c = {.param = {row->n, row->c}};
	const int64_t *const from[] = {row->size, row->kernel, row->stride, row->pad, row->dilation, row->extra};
	for (int i = CF_POOL_SIZE; i < CF_POOL_INCLUDE; i++)
		c.param[i] = cf_pool_params[i].simplest;
	for (int k = 0; k < 6; k++)
		for (int d = 0; d < row->spatial; d++)
			if (from[k][d] != 0)
				c.param[CF_POOL_SIZE + k * MT_MAX_SPATIAL + d] = from[k][d];
	return c;
}

/* Sets include and indices, as far as the family and the op have them, and the data, to anything, and hands on. */
struct variety {
	cf_emit_fn emit;
	void *context;
	int n_params;
	struct cf_random random;
};

static void vary(const struct cf_case *c, void *context) {
	struct variety *v = context;
	struct cf_case varied = *c;
	int is_max = c->op % CF_MODE == MT_POOL_MAX, with_indices = is_max && v->n_params > CF_POOL_INDICES;
	varied.param[CF_POOL_INCLUDE] = !is_max && cf_random_integer(&v->random, 0, 1);
	varied.param[CF_POOL_INDICES] = with_indices && cf_random_integer(&v->random, 0, 3) > 0;
	if (with_indices && cf_random_integer(&v->random, 0, 2) > 0)
		varied.data = CF_TIES;
	if (cf_pool_valid(&varied))
		v->emit(&varied, v->context);
}

void cf_pool_each(cf_emit_fn emit, void *context, int n_params) {
	struct variety v = {emit, context, n_params, {1}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (int k = 0; k < 2; k++) {
			const struct cf_op *op = &cf_pool_ops[k * MT_MAX_SPATIAL + rows[i].spatial - 1];
			struct cf_case c = case_of(&rows[i]);
			if (rows[i].breadth)
				cf_nn_emit_layouts(vary, &v, op, c);
			else
				cf_nn_emit_plain(vary, &v, op, c);
			if (!rows[i].breadth || c.param[CF_POOL_DILATION] > 1)
				continue;
			c.data = CF_SPECIAL;
			c.param[CF_POOL_INDICES] = k == 0 && n_params > CF_POOL_INDICES;
			cf_nn_emit_plain(emit, context, op, c);
		}
}

/* ---- random cases ---- */

void cf_pool_draw(struct cf_random *r, struct cf_case *c, int n_params) {
	int spatial = spatial_of(c), is_max = c->op % CF_MODE == MT_POOL_MAX;
	int64_t size = spatial == 3 ? 7 : spatial == 2 ? 17 : 60;
	struct cf_pool w;
	if (c->data == CF_SPECIAL && c->in >= CF_BROADCAST)
		c->in = CF_CONTIGUOUS;
	do {
		int64_t *p = c->param;
		for (int i = 0; i < CF_POOL_PARAMS; i++)
			p[i] = cf_pool_params[i].simplest;
		p[CF_POOL_N] = cf_random_integer(r, 1, 3);
		p[CF_POOL_C] = cf_random_integer(r, 1, 4);
		for (int d = 0; d < spatial; d++) {
			int64_t kernel = p[CF_POOL_KERNEL + d] = cf_random_integer(r, 1, 4);
			p[CF_POOL_SIZE + d] = cf_random_integer(r, 1, size);
			p[CF_POOL_STRIDE + d] = cf_random_integer(r, 0, 1) ? kernel : cf_random_integer(r, 1, 4);
			p[CF_POOL_PAD + d] = cf_random_integer(r, 0, 1) ? 0 : cf_random_integer(r, 0, kernel / 2);
			p[CF_POOL_DILATION + d] = is_max && cf_random_integer(r, 0, 2) == 0 ? cf_random_integer(r, 1, 3) : 1;
			p[CF_POOL_EXTRA + d] = cf_random_integer(r, 0, 3) ? 0 : cf_random_integer(r, -1, 1);
		}
		p[CF_POOL_INCLUDE] = !is_max && cf_random_integer(r, 0, 1);
		p[CF_POOL_INDICES] = is_max && n_params > CF_POOL_INDICES && cf_random_integer(r, 0, 3) > 0;
		w = cf_pool_of(c);
	} while (!cf_pool_valid(c) || cells_of(&w) > MAX_RANDOM_CELLS);
}
