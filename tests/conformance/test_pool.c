/* pool and pool_grad: windows, padding, dilation, ties and NaN, both ways of counting padding. */
#include <math.h>

#include "cases.h"
#include "check.h"

struct pool_case {
	int spatial;
	int64_t size[3];
	int kernel[3], stride[3], pad[3], dilation[3];
	int64_t extra[3]; /* ceil mode: one more window */
};

static const struct pool_case table[] = {
	{2, {6, 8}, {2, 2}, {2, 2}, {0, 0}, {1, 1}, {0}},
	{2, {28, 28}, {2, 2}, {2, 2}, {0, 0}, {1, 1}, {0}},
	{2, {7, 9}, {2, 2}, {2, 2}, {0, 0}, {1, 1}, {0}}, /* a row and a column left over */
	{2, {7, 9}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {0}},
	{2, {8, 8}, {3, 2}, {1, 1}, {1, 0}, {1, 1}, {0}}, /* overlapping */
	{2, {9, 9}, {2, 3}, {2, 1}, {0, 1}, {2, 2}, {0}}, /* max only: dilation */
	{2, {5, 5}, {2, 2}, {2, 2}, {0, 0}, {1, 1}, {1, 1}},
	{2, {4, 4}, {4, 4}, {4, 4}, {0, 0}, {1, 1}, {0}},
	{1, {13}, {3}, {2}, {1}, {1}, {0}},
	{3, {4, 6, 5}, {2, 3, 2}, {2, 2, 1}, {0, 1, 1}, {1, 1, 1}, {0}},
};

enum { CASES = sizeof table / sizeof *table };

struct window {
	int rank;
	int64_t x[5], out[5];
	struct mt_pool_params p;
};

static struct window window_of(const struct pool_case *c) {
	struct window w = {.rank = c->spatial + 2, .x = {2, 3}, .out = {2, 3}};
	for (int d = 0; d < c->spatial; d++) {
		w.x[d + 2] = c->size[d];
		w.out[d + 2] = (c->size[d] + 2 * c->pad[d] - c->dilation[d] * (c->kernel[d] - 1) - 1) / c->stride[d] + 1 + c->extra[d];
		w.p.kernel[d] = c->kernel[d];
		w.p.stride[d] = c->stride[d];
		w.p.pad[d] = c->pad[d];
		w.p.dilation[d] = c->dilation[d];
	}
	return w;
}

/* The cells of out element o inside x, as positions in the plane; returns how many, and the divisor for averages. */
static int cells(const struct window *w, int64_t o, int64_t *plane, int64_t *divisor) {
	int64_t oi[5], ki[3], volume = 1, kernel[3] = {1, 1, 1};
	int found = 0, spatial = w->rank - 2;
	kc_unravel(o, w->rank, w->out, oi);
	for (int d = 0; d < spatial; d++) {
		kernel[d] = w->p.kernel[d];
		volume *= kernel[d];
	}
	*divisor = 1;
	for (int d = 0; d < spatial && w->p.count_include_pad; d++) {
		int64_t first = oi[d + 2] * w->p.stride[d] - w->p.pad[d], past = first + w->p.kernel[d], end = w->x[d + 2] + w->p.pad[d];
		*divisor *= (past < end ? past : end) - first;
	}
	for (int64_t k = 0; k < volume; k++) {
		int64_t at = 0;
		int inside = 1;
		kc_unravel(k, spatial, kernel, ki);
		for (int d = 0; d < spatial; d++) {
			int64_t i = oi[d + 2] * w->p.stride[d] + ki[d] * w->p.dilation[d] - w->p.pad[d];
			inside &= i >= 0 && i < w->x[d + 2];
			at = at * w->x[d + 2] + i;
		}
		if (inside)
			plane[found++] = at;
	}
	if (!w->p.count_include_pad)
		*divisor = found;
	return found;
}

static int64_t count_of(int rank, const int64_t *shape) {
	int64_t n = 1;
	for (int d = 0; d < rank; d++)
		n *= shape[d];
	return n;
}

static void done(struct kc_host *h) {
	kc_reset(h);
	kc_reference_reset();
}

static void max_pool(struct kc_host *h, int i, int32_t dtype, int layout, int with_indices) {
	struct window w = window_of(&table[i]);
	enum kc_layout out = (enum kc_layout)(layout % KC_LAYOUTS);
	struct kc_array *x = kc_input(h, dtype, w.rank, w.x, (enum kc_layout)layout, -4, 4);
	for (int64_t e = 0; layout == 0 && e < x->numel; e++) /* ties, and a NaN */
		kc_set(x, e, e == 21 && kc_is_float(dtype) ? NAN : floor(x->values[e]));
	struct kc_array *y = kc_new(h, KC_OUT, dtype, w.rank, w.out, out);
	struct kc_array *from = with_indices ? kc_new(h, KC_OUT, MT_I32, w.rank, w.out, out) : NULL;
	const struct mt_pool_args args = {.struct_size = sizeof args, .op = MT_POOL_MAX, .x = &x->array, .out = &y->array,
	                                  .indices = from != NULL ? &from->array : NULL, .p = w.p};
	int64_t planes = count_of(w.rank - 2, w.x + 2), outs = count_of(w.rank - 2, w.out + 2), plane[64], divisor;
	long double *expected = kc_reference(y->numel), *winners = kc_reference(y->numel);
	for (int64_t o = 0; o < y->numel; o++) {
		const double *values = x->values + o / outs * planes;
		int n = cells(&w, o, plane, &divisor), best = 0;
		for (int c = 1; c < n; c++)
			if (!isnan(values[plane[best]]) && (isnan(values[plane[c]]) || values[plane[c]] > values[plane[best]]))
				best = c;
		expected[o] = values[plane[best]];
		winners[o] = plane[best];
	}
	if (kc_run(h, MT_K_POOL, &args)) {
		kc_check(h, y, expected, NULL, 0, "max pool case %d %s %s", i, kc_dtype_name(dtype), kc_layout_names[layout]);
		if (from != NULL)
			kc_check(h, from, winners, NULL, 0, "max pool indices case %d %s", i, kc_layout_names[layout]);
	}
	done(h);
}

static void avg_pool(struct kc_host *h, int i, int32_t dtype, int layout, int include) {
	struct window w = window_of(&table[i]);
	w.p.count_include_pad = include;
	struct kc_array *x = kc_input(h, dtype, w.rank, w.x, (enum kc_layout)layout, -4, 4);
	struct kc_array *y = kc_new(h, KC_OUT, dtype, w.rank, w.out, (enum kc_layout)(layout % KC_LAYOUTS));
	const struct mt_pool_args args = {.struct_size = sizeof args, .op = MT_POOL_AVG, .x = &x->array, .out = &y->array, .p = w.p};
	int64_t planes = count_of(w.rank - 2, w.x + 2), outs = count_of(w.rank - 2, w.out + 2), plane[64], divisor;
	long double *expected = kc_reference(y->numel), *scale = kc_reference(y->numel);
	for (int64_t o = 0; o < y->numel; o++) {
		int n = cells(&w, o, plane, &divisor);
		for (int c = 0; c < n; c++) {
			double value = x->values[o / outs * planes + plane[c]];
			expected[o] += value / (long double)divisor;
			scale[o] += fabs(value) / (long double)divisor;
		}
	}
	if (kc_run(h, MT_K_POOL, &args))
		kc_check(h, y, expected, scale, 8, "avg pool case %d %s %s include %d", i, kc_dtype_name(dtype), kc_layout_names[layout], include);
	done(h);
}

static void pool_grad(struct kc_host *h, int i, int32_t dtype, int layout, int32_t op, int include) {
	struct window w = window_of(&table[i]);
	w.p.count_include_pad = include;
	struct kc_array *g = kc_input(h, dtype, w.rank, w.out, (enum kc_layout)layout, -4, 4);
	struct kc_array *from = op == MT_POOL_MAX ? kc_new(h, KC_IN, MT_I32, w.rank, w.out, KC_CONTIGUOUS) : NULL;
	struct kc_array *gx = kc_new(h, KC_OUT, dtype, w.rank, w.x, (enum kc_layout)(layout % KC_LAYOUTS));
	const struct mt_pool_grad_args args = {.struct_size = sizeof args, .op = op, .gout = &g->array,
	                                       .indices = from != NULL ? &from->array : NULL, .gx = &gx->array, .p = w.p};
	int64_t planes = count_of(w.rank - 2, w.x + 2), outs = count_of(w.rank - 2, w.out + 2), plane[64], divisor;
	long double *expected = kc_reference(gx->numel), *scale = kc_reference(gx->numel);
	for (int64_t o = 0; o < g->numel; o++) {
		int n = cells(&w, o, plane, &divisor), winner = (int)kc_integer(h, 0, n - 1);
		if (from != NULL)
			kc_set(from, o, (double)plane[winner]);
		for (int c = 0; c < n; c++) {
			long double share = from != NULL ? (c == winner ? g->values[o] : 0) : g->values[o] / (long double)divisor;
			expected[o / outs * planes + plane[c]] += share;
			scale[o / outs * planes + plane[c]] += fabsl(share);
		}
	}
	if (kc_run(h, MT_K_POOL_GRAD, &args))
		kc_check(h, gx, expected, scale, 10, "pool_grad op %d case %d %s %s include %d", (int)op, i, kc_dtype_name(dtype),
		         kc_layout_names[layout], include);
	done(h);
}

static int dilated(int i) {
	return table[i].dilation[0] > 1;
}

static void forwards(struct kc_host *h) {
	for (int i = 0; i < CASES; i++)
		for (int32_t t = MT_F32; t <= MT_BF16; t++)
			for (int layout = 0; layout <= KC_BROADCAST; layout++) {
				if (kc_has(h, MT_K_POOL, MT_POOL_MAX, t, 0))
					max_pool(h, i, t, layout, layout != KC_STEPPED);
				for (int include = 0; include < 2 && !dilated(i); include++)
					if (kc_has(h, MT_K_POOL, MT_POOL_AVG, t, 0))
						avg_pool(h, i, t, layout, include);
			}
}

static void gradients(struct kc_host *h) {
	for (int i = 0; i < CASES; i++)
		for (int32_t t = MT_F32; t <= MT_BF16; t++)
			for (int layout = 0; layout <= KC_BROADCAST; layout++) {
				if (kc_has(h, MT_K_POOL_GRAD, MT_POOL_MAX, t, 0))
					pool_grad(h, i, t, layout, MT_POOL_MAX, 0);
				for (int include = 0; include < 2 && !dilated(i); include++)
					if (kc_has(h, MT_K_POOL_GRAD, MT_POOL_AVG, t, 0))
						pool_grad(h, i, t, layout, MT_POOL_AVG, include);
			}
}

static void test_forward(void) {
	kc_each_host(forwards);
}

static void test_gradient(void) {
	kc_each_host(gradients);
}

const mt_test_case kc_pool_cases[] = {{"forward", test_forward}, {"gradient", test_gradient}, {0}};
