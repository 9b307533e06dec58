/* conv, conv_grad_input, conv_grad_weight: one table of shapes for all three, against the definition. */
#include <math.h>

#include "cases.h"
#include "check.h"

struct conv_case {
	int spatial;
	int64_t n, ci, co;
	int groups;
	int64_t size[3], kernel[3];
	int stride[3], pad[3], dilation[3];
	int64_t extra[3]; /* added to the usual output extent: more padding on the high side, or less */
};

static const struct conv_case table[] = {
	{2, 2, 1, 1, 1, {5, 5}, {3, 3}, {1, 1}, {0, 0}, {1, 1}, {0}},
	{2, 2, 3, 4, 1, {7, 6}, {3, 2}, {1, 1}, {1, 0}, {1, 1}, {0}},
	{2, 3, 4, 6, 2, {9, 8}, {3, 3}, {2, 1}, {1, 2}, {1, 2}, {0}},
	{2, 1, 4, 4, 4, {8, 8}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {0}},    /* depthwise */
	{2, 2, 8, 5, 1, {6, 6}, {1, 1}, {1, 1}, {0, 0}, {1, 1}, {0}},    /* 1×1 */
	{2, 2, 2, 3, 1, {6, 6}, {1, 1}, {2, 2}, {0, 0}, {1, 1}, {0}},
	{2, 2, 2, 3, 1, {5, 5}, {5, 5}, {1, 1}, {0, 0}, {1, 1}, {0}},    /* one output */
	{2, 2, 1, 4, 1, {6, 6}, {3, 3}, {1, 1}, {0, 0}, {1, 1}, {2, 2}}, /* MiniTorch's left-anchored "same" */
	{2, 2, 2, 2, 1, {7, 7}, {2, 2}, {3, 3}, {0, 0}, {1, 1}, {0}},    /* cells that no window reads */
	{2, 2, 2, 2, 1, {4, 4}, {3, 3}, {1, 1}, {3, 3}, {2, 2}, {1, 0}}, /* windows wholly outside */
	{1, 3, 2, 4, 1, {11}, {4}, {1}, {0}, {1}, {0}},
	{1, 2, 6, 6, 3, {10}, {3}, {2}, {2}, {2}, {0}},
	{3, 2, 2, 3, 1, {4, 5, 6}, {2, 3, 2}, {1, 2, 1}, {1, 0, 1}, {1, 1, 2}, {0}},
	{2, 19, 1, 6, 1, {12, 12}, {5, 5}, {1, 1}, {2, 2}, {1, 1}, {0}}, /* LeNet's, smaller */
	{2, 35, 6, 16, 1, {10, 10}, {5, 5}, {1, 1}, {0, 0}, {1, 1}, {0}},
	{2, 2, 17, 33, 1, {9, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {0}},
	{2, 1, 64, 32, 1, {6, 6}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {0}},
	{1, 4, 50, 20, 1, {30}, {3}, {1}, {1}, {1}, {0}}, /* text */
};

enum { CASES = sizeof table / sizeof *table };

struct conv_shapes {
	int rank;
	int64_t x[5], weight[5], out[5];
	struct mt_conv_params p;
};

static struct conv_shapes shapes_of(const struct conv_case *c) {
	struct conv_shapes s = {.rank = c->spatial + 2, .x = {c->n, c->ci}, .weight = {c->co, c->ci / c->groups}, .out = {c->n, c->co}};
	s.p.groups = c->groups;
	for (int d = 0; d < c->spatial; d++) {
		s.x[d + 2] = c->size[d];
		s.weight[d + 2] = c->kernel[d];
		s.out[d + 2] = (c->size[d] + 2 * c->pad[d] - c->dilation[d] * (c->kernel[d] - 1) - 1) / c->stride[d] + 1 + c->extra[d];
		s.p.stride[d] = c->stride[d];
		s.p.pad[d] = c->pad[d];
		s.p.dilation[d] = c->dilation[d];
	}
	return s;
}

static int64_t count_of(int rank, const int64_t *shape) {
	int64_t n = 1;
	for (int d = 0; d < rank; d++)
		n *= shape[d];
	return n;
}

/* Calls visit for every (out element, weight element, x element) that the definition multiplies. */
typedef void (*visit_fn)(void *context, int64_t out, int64_t weight, int64_t x);

static void each_product(const struct conv_shapes *s, visit_fn visit, void *context) {
	int64_t outs = count_of(s->rank, s->out), per_filter = count_of(s->rank - 1, s->weight + 1);
	for (int64_t o = 0; o < outs; o++) {
		int64_t oi[5], wi[5], xi[5];
		kc_unravel(o, s->rank, s->out, oi);
		for (int64_t k = 0; k < per_filter; k++) {
			kc_unravel(k, s->rank - 1, s->weight + 1, wi + 1);
			wi[0] = oi[1];
			xi[0] = oi[0];
			xi[1] = oi[1] / (s->out[1] / s->p.groups) * s->weight[1] + wi[1];
			int inside = 1;
			for (int d = 2; d < s->rank; d++) {
				xi[d] = oi[d] * s->p.stride[d - 2] + wi[d] * s->p.dilation[d - 2] - s->p.pad[d - 2];
				inside &= xi[d] >= 0 && xi[d] < s->x[d];
			}
			if (inside)
				visit(context, o, kc_ravel(s->rank, s->weight, wi), kc_ravel(s->rank, s->x, xi));
		}
	}
}

struct sums {
	const double *left, *right;
	long double *value, *scale;
};

static void add(struct sums *s, int64_t to, int64_t left, int64_t right) {
	long double term = (long double)s->left[left] * s->right[right];
	s->value[to] += term;
	s->scale[to] += fabsl(term);
}

static void visit_forward(void *context, int64_t out, int64_t weight, int64_t x) {
	add(context, out, weight, x);
}

static void visit_grad_input(void *context, int64_t out, int64_t weight, int64_t x) {
	add(context, x, out, weight);
}

static void visit_grad_weight(void *context, int64_t out, int64_t weight, int64_t x) {
	add(context, weight, out, x);
}

static double units_of(int64_t terms) {
	return 4 + 2 * sqrt((double)terms);
}

static void done(struct kc_host *h) {
	kc_reset(h);
	kc_reference_reset();
}

static void forward(struct kc_host *h, int i, int32_t dtype, int layout, int bias, int32_t activation) {
	struct conv_shapes s = shapes_of(&table[i]);
	enum kc_layout l = (enum kc_layout)layout;
	struct kc_array *x = kc_input(h, dtype, s.rank, s.x, l, -2, 2), *w = kc_input(h, dtype, s.rank, s.weight, l, -2, 2);
	struct kc_array *b = bias ? kc_input(h, dtype, 1, s.out + 1, l, -2, 2) : NULL;
	struct kc_array *y = kc_new(h, KC_OUT, dtype, s.rank, s.out, (enum kc_layout)(layout % KC_LAYOUTS));
	const struct mt_conv_args args = {.struct_size = sizeof args, .x = &x->array, .weight = &w->array,
	                                  .bias = b != NULL ? &b->array : NULL, .out = &y->array, .p = s.p, .activation = activation};
	struct sums sums = {w->values, x->values, kc_reference(y->numel), kc_reference(y->numel)};
	int64_t spatial = count_of(s.rank - 2, s.out + 2);
	each_product(&s, visit_forward, &sums);
	for (int64_t e = 0; e < y->numel; e++) {
		double offset = b != NULL ? b->values[e / spatial % s.out[1]] : 0;
		sums.value[e] += offset;
		sums.scale[e] += fabs(offset);
		if (activation == MT_ACT_RELU && sums.value[e] <= 0)
			sums.value[e] = 0;
	}
	if (kc_run(h, MT_K_CONV, &args))
		kc_check(h, y, sums.value, sums.scale, units_of(count_of(s.rank - 1, s.weight + 1)), "conv case %d %s %s bias %d act %d", i,
		         kc_dtype_name(dtype), kc_layout_names[layout], bias, (int)activation);
	done(h);
}

static void grad_input(struct kc_host *h, int i, int32_t dtype, int layout) {
	struct conv_shapes s = shapes_of(&table[i]);
	enum kc_layout l = (enum kc_layout)layout;
	struct kc_array *g = kc_input(h, dtype, s.rank, s.out, l, -2, 2), *w = kc_input(h, dtype, s.rank, s.weight, l, -2, 2);
	struct kc_array *gx = kc_new(h, KC_OUT, dtype, s.rank, s.x, (enum kc_layout)(layout % KC_LAYOUTS));
	const struct mt_conv_grad_input_args args = {.struct_size = sizeof args, .gout = &g->array, .weight = &w->array, .gx = &gx->array, .p = s.p};
	struct sums sums = {g->values, w->values, kc_reference(gx->numel), kc_reference(gx->numel)};
	each_product(&s, visit_grad_input, &sums);
	if (kc_run(h, MT_K_CONV_GRAD_INPUT, &args))
		kc_check(h, gx, sums.value, sums.scale, units_of(count_of(s.rank, s.weight)), "conv_grad_input case %d %s %s", i,
		         kc_dtype_name(dtype), kc_layout_names[layout]);
	done(h);
}

static void grad_weight(struct kc_host *h, int i, int32_t dtype, int layout, int bias) {
	struct conv_shapes s = shapes_of(&table[i]);
	enum kc_layout l = (enum kc_layout)layout, out = (enum kc_layout)(layout % KC_LAYOUTS);
	struct kc_array *g = kc_input(h, dtype, s.rank, s.out, l, -2, 2), *x = kc_input(h, dtype, s.rank, s.x, l, -2, 2);
	struct kc_array *gw = kc_new(h, KC_OUT, dtype, s.rank, s.weight, out), *gb = bias ? kc_new(h, KC_OUT, dtype, 1, s.out + 1, out) : NULL;
	const struct mt_conv_grad_weight_args args = {.struct_size = sizeof args, .gout = &g->array, .x = &x->array,
	                                              .gweight = &gw->array, .gbias = gb != NULL ? &gb->array : NULL, .p = s.p};
	struct sums sums = {g->values, x->values, kc_reference(gw->numel), kc_reference(gw->numel)};
	int64_t spatial = count_of(s.rank - 2, s.out + 2);
	double units = units_of(g->numel / s.out[1]);
	each_product(&s, visit_grad_weight, &sums);
	if (kc_run(h, MT_K_CONV_GRAD_WEIGHT, &args)) {
		kc_check(h, gw, sums.value, sums.scale, units, "conv_grad_weight case %d %s %s", i, kc_dtype_name(dtype), kc_layout_names[layout]);
		if (gb != NULL) {
			long double *value = kc_reference(gb->numel), *scale = kc_reference(gb->numel);
			for (int64_t e = 0; e < g->numel; e++) {
				value[e / spatial % s.out[1]] += g->values[e];
				scale[e / spatial % s.out[1]] += fabs(g->values[e]);
			}
			kc_check(h, gb, value, scale, units, "conv bias gradient case %d %s", i, kc_dtype_name(dtype));
		}
	}
	done(h);
}

/* f32 in every layout, the other floats contiguous and transposed; large cases only f32 contiguous and transposed, since
 * the definition is slow. */
static int wanted(const struct kc_host *h, int32_t kernel, int32_t dtype, int layout, int i) {
	struct conv_shapes s = shapes_of(&table[i]);
	int large = count_of(s.rank, s.out) * count_of(s.rank - 1, s.weight + 1) > 200000;
	return kc_has(h, kernel, 0, dtype, 0) && (layout <= KC_TRANSPOSED ? dtype == MT_F32 || !large : dtype == MT_F32 && !large);
}

static void forwards(struct kc_host *h) {
	for (int i = 0; i < CASES; i++)
		for (int32_t t = MT_F32; t <= MT_BF16; t++)
			for (int layout = 0; layout <= KC_BROADCAST; layout++)
				if (wanted(h, MT_K_CONV, t, layout, i))
					forward(h, i, t, layout, (i + layout) % 2, layout == 1 ? MT_ACT_RELU : MT_ACT_NONE);
}

static void grad_inputs(struct kc_host *h) {
	for (int i = 0; i < CASES; i++)
		for (int32_t t = MT_F32; t <= MT_BF16; t++)
			for (int layout = 0; layout <= KC_BROADCAST; layout++)
				if (wanted(h, MT_K_CONV_GRAD_INPUT, t, layout, i))
					grad_input(h, i, t, layout);
}

static void grad_weights(struct kc_host *h) {
	for (int i = 0; i < CASES; i++)
		for (int32_t t = MT_F32; t <= MT_BF16; t++)
			for (int layout = 0; layout <= KC_BROADCAST; layout++)
				if (wanted(h, MT_K_CONV_GRAD_WEIGHT, t, layout, i))
					grad_weight(h, i, t, layout, (i + layout) % 2);
}

static void test_forward(void) {
	kc_each_host(forwards);
}

static void test_grad_input(void) {
	kc_each_host(grad_inputs);
}

static void test_grad_weight(void) {
	kc_each_host(grad_weights);
}

const mt_test_case kc_conv_cases[] = {
	{"forward", test_forward}, {"grad_input", test_grad_input}, {"grad_weight", test_grad_weight}, {0}};
