/* softmax, log_softmax, cross_entropy and their gradients. */
#include <math.h>

#include "cases.h"
#include "check.h"

static const int64_t shape3[] = {4, 7, 5};

static void done(struct kc_host *h) {
	kc_reset(h);
	kc_reference_reset();
}

/* Position of element e moved to j along axis. */
static int64_t along(int64_t e, int rank, const int64_t *shape, int axis, int64_t j) {
	int64_t index[MT_MAX_RANK];
	kc_unravel(e, rank, shape, index);
	index[axis] = j;
	return kc_ravel(rank, shape, index);
}

/* ln Σ e^x over the lane of element e. */
static long double log_sum_exp(const double *x, int64_t e, int rank, const int64_t *shape, int axis) {
	long double top = -INFINITY, sum = 0;
	for (int64_t j = 0; j < shape[axis]; j++)
		top = fmaxl(top, x[along(e, rank, shape, axis, j)]);
	for (int64_t j = 0; j < shape[axis]; j++)
		sum += expl(x[along(e, rank, shape, axis, j)] - top);
	return top + logl(sum);
}

/* Low precision results are rounded once; the exponent of a large |x| carries its rounding into e^x: allowed by |x|. */
static void softmax_row(struct kc_host *h, int32_t dtype, int layout, int axis, int log, double range, int rank, const int64_t *shape) {
	struct kc_array *x = kc_input(h, dtype, rank, shape, (enum kc_layout)layout, -range, range);
	struct kc_array *y = kc_new(h, KC_OUT, dtype, rank, shape, (enum kc_layout)(layout % KC_LAYOUTS));
	const struct mt_softmax_args args = {.struct_size = sizeof args, .axis = axis, .log = log, .x = &x->array, .out = &y->array};
	long double *expected = kc_reference(y->numel), *scale = kc_reference(y->numel);
	for (int64_t e = 0; e < y->numel; e++) {
		long double total = log_sum_exp(x->values, e, rank, shape, axis), t = x->values[e] - total;
		expected[e] = log ? t : expl(t);
		scale[e] = log ? fabs(x->values[e]) + fabsl(total) : expl(t) * fabsl(t);
	}
	if (kc_run(h, MT_K_SOFTMAX, &args))
		kc_check(h, y, expected, scale, 10, "softmax %s %s axis %d log %d range %g", kc_dtype_name(dtype), kc_layout_names[layout],
		         axis, log, range);
	done(h);
}

static void softmax_grad_row(struct kc_host *h, int32_t dtype, int layout, int axis, int log) {
	struct kc_array *g = kc_input(h, dtype, 3, shape3, (enum kc_layout)layout, -3, 3);
	struct kc_array *y = kc_input(h, dtype, 3, shape3, KC_CONTIGUOUS, log ? -4 : 0, log ? -0.5 : 1);
	struct kc_array *gx = kc_new(h, KC_OUT, dtype, 3, shape3, (enum kc_layout)(layout % KC_LAYOUTS));
	const struct mt_softmax_grad_args args = {.struct_size = sizeof args, .axis = axis, .log = log, .gout = &g->array,
	                                          .y = &y->array, .gx = &gx->array};
	long double *expected = kc_reference(g->numel), *scale = kc_reference(g->numel);
	for (int64_t e = 0; e < g->numel; e++) {
		long double sum = 0, size = 0;
		for (int64_t j = 0; j < shape3[axis]; j++) {
			int64_t at = along(e, 3, shape3, axis, j);
			long double term = log ? g->values[at] : (long double)g->values[at] * y->values[at];
			sum += term;
			size += fabsl(term);
		}
		long double factor = log ? expl(y->values[e]) : y->values[e];
		expected[e] = log ? g->values[e] - factor * sum : factor * (g->values[e] - sum);
		scale[e] = log ? fabs(g->values[e]) + factor * size : fabsl(factor) * (fabs(g->values[e]) + size);
	}
	if (kc_run(h, MT_K_SOFTMAX_GRAD, &args))
		kc_check(h, gx, expected, scale, 10, "softmax_grad %s %s axis %d log %d", kc_dtype_name(dtype), kc_layout_names[layout], axis, log);
	done(h);
}

static void softmaxes(struct kc_host *h) {
	const int64_t wide[] = {3, 1000}, tall[] = {1000, 3};
	for (int32_t t = MT_F32; t <= MT_BF16; t++)
		for (int log = 0; log < 2; log++) {
			if (!kc_has(h, MT_K_SOFTMAX, 0, t, 0))
				continue;
			for (int layout = 0; layout <= KC_BROADCAST; layout++)
				for (int axis = 0; axis < 3; axis++)
					softmax_row(h, t, layout, axis, log, 5, 3, shape3);
			softmax_row(h, t, KC_CONTIGUOUS, 1, log, 10, 2, wide);
			softmax_row(h, t, KC_CONTIGUOUS, 0, log, 10, 2, tall);
			softmax_row(h, t, KC_CONTIGUOUS, 1, log, 2000, 2, wide); /* overflows without the shift */
		}
}

static void softmax_grads(struct kc_host *h) {
	for (int32_t t = MT_F32; t <= MT_BF16; t++)
		for (int log = 0; log < 2; log++)
			for (int layout = 0; layout <= KC_BROADCAST; layout++)
				for (int axis = 0; axis < 3; axis++)
					if (kc_has(h, MT_K_SOFTMAX_GRAD, 0, t, 0))
						softmax_grad_row(h, t, layout, axis, log);
}

/* ---- cross entropy ---- */

struct entropy_case {
	int32_t dtype, target;
	int layout, weighted;
	int64_t n, c, ignore_index;
	double smoothing;
};

struct entropy {
	struct kc_array *logits, *target, *weight, *loss, *lse, *gloss, *glogits;
	double total_weight;
};

static int32_t side_dtype(int32_t dtype) {
	return dtype == MT_F16 || dtype == MT_BF16 ? MT_F32 : dtype;
}

static struct entropy prepare(struct kc_host *h, const struct entropy_case *c, int gradient) {
	const int64_t shape[] = {c->n, c->c};
	enum kc_layout l = (enum kc_layout)c->layout, out = (enum kc_layout)(c->layout % KC_LAYOUTS);
	int32_t side = side_dtype(c->dtype);
	struct entropy x = {.logits = kc_input(h, c->dtype, 2, shape, l, -4, 4),
	                    .target = kc_input(h, c->target, 1, shape, l, 0, (double)c->c - 1),
	                    .weight = c->weighted ? kc_input(h, c->dtype, 1, shape + 1, l, 0.5, 2) : NULL};
	for (int64_t i = 0; i < c->c; i++)
		x.total_weight += x.weight != NULL ? x.weight->values[i] : 1;
	if (!gradient) {
		x.loss = kc_new(h, KC_OUT, side, 1, shape, out);
		x.lse = kc_new(h, KC_OUT, side, 1, shape, out);
		return x;
	}
	x.gloss = kc_input(h, side, 1, shape, l, -2, 2);
	x.lse = kc_new(h, KC_IN, side, 1, shape, KC_CONTIGUOUS);
	for (int64_t n = 0; n < c->n; n++)
		kc_set(x.lse, n, (double)log_sum_exp(x.logits->values, n * c->c, 2, shape, 1));
	x.glogits = kc_new(h, KC_OUT, c->dtype, 2, shape, out);
	return x;
}

static double weight_of(const struct entropy *x, int64_t class) {
	return x->weight != NULL ? x->weight->values[class] : 1;
}

static void entropy_forward(struct kc_host *h, const struct entropy_case *c) {
	const int64_t shape[] = {c->n, c->c};
	struct entropy x = prepare(h, c, 0);
	const struct mt_cross_entropy_args args = {.struct_size = sizeof args, .logits = &x.logits->array, .target = &x.target->array,
	                                           .weight = x.weight != NULL ? &x.weight->array : NULL, .loss = &x.loss->array,
	                                           .lse = &x.lse->array, .ignore_index = c->ignore_index, .label_smoothing = c->smoothing};
	long double *loss = kc_reference(c->n), *lse = kc_reference(c->n), *scale = kc_reference(c->n);
	for (int64_t n = 0; n < c->n; n++) {
		int64_t t = (int64_t)x.target->values[n];
		long double spread = 0;
		lse[n] = log_sum_exp(x.logits->values, n * c->c, 2, shape, 1);
		for (int64_t k = 0; k < c->c; k++)
			spread += weight_of(&x, k) * (lse[n] - x.logits->values[n * c->c + k]);
		if (t == c->ignore_index)
			continue;
		loss[n] = (1 - c->smoothing) * weight_of(&x, t) * (lse[n] - x.logits->values[n * c->c + t]) + c->smoothing / (double)c->c * spread;
		scale[n] = 2 * (fabsl(lse[n]) + 8);
	}
	/* sums over classes in f32 */
	double units = 8 + sqrt((double)c->c);
	if (kc_run(h, MT_K_CROSS_ENTROPY, &args)) {
		kc_check(h, x.loss, loss, scale, units, "cross_entropy %s %s [%lld, %lld] smoothing %g", kc_dtype_name(c->dtype),
		         kc_layout_names[c->layout], (long long)c->n, (long long)c->c, c->smoothing);
		for (int64_t n = 0; n < c->n; n++)
			scale[n] = 8;
		kc_check(h, x.lse, lse, scale, units, "cross_entropy lse %s %s", kc_dtype_name(c->dtype), kc_layout_names[c->layout]);
	}
	if (c->n > 2) {
		kc_set(x.target, c->n / 2, c->layout % 2 ? -5 : (double)c->c);
		kc_run_refused(h, MT_K_CROSS_ENTROPY, &args, MT_E_ARG);
	}
	done(h);
}

static void entropy_backward(struct kc_host *h, const struct entropy_case *c) {
	struct entropy x = prepare(h, c, 1);
	const struct mt_cross_entropy_grad_args args = {
		.struct_size = sizeof args, .logits = &x.logits->array, .target = &x.target->array,
		.weight = x.weight != NULL ? &x.weight->array : NULL, .lse = &x.lse->array, .gloss = &x.gloss->array,
		.glogits = &x.glogits->array, .ignore_index = c->ignore_index, .label_smoothing = c->smoothing};
	long double *expected = kc_reference(c->n * c->c), *scale = kc_reference(c->n * c->c);
	double s = c->smoothing;
	for (int64_t e = 0; e < c->n * c->c; e++) {
		int64_t n = e / c->c, k = e % c->c, t = (int64_t)x.target->values[n];
		long double p = expl(x.logits->values[e] - (long double)x.lse->values[n]);
		long double main = (1 - s) * weight_of(&x, t) * (p - (k == t)), smooth = s / (double)c->c * (p * x.total_weight - weight_of(&x, k));
		expected[e] = t == c->ignore_index ? 0 : x.gloss->values[n] * (main + smooth);
		scale[e] = t == c->ignore_index ? 0 : fabs(x.gloss->values[n]) * 2 * (1 + p * 8);
	}
	if (kc_run(h, MT_K_CROSS_ENTROPY_GRAD, &args))
		kc_check(h, x.glogits, expected, scale, 8, "cross_entropy_grad %s %s [%lld, %lld] smoothing %g", kc_dtype_name(c->dtype),
		         kc_layout_names[c->layout], (long long)c->n, (long long)c->c, s);
	done(h);
}

static void entropies(struct kc_host *h) {
	const int64_t sizes[][2] = {{1, 1}, {9, 4}, {65, 10}, {3, 1000}};
	for (int32_t t = MT_F32; t <= MT_BF16; t++)
		for (int layout = 0; layout <= KC_BROADCAST; layout++)
			for (int i = 0; i < 4; i++) {
				struct entropy_case c = {t, layout % 2 ? MT_I32 : MT_I64, layout, (layout + i) % 2, sizes[i][0], sizes[i][1],
				                         i == 2 ? 3 : -100, i % 2 ? 0.1 : 0};
				if (kc_has(h, MT_K_CROSS_ENTROPY, 0, t, 0))
					entropy_forward(h, &c);
				if (kc_has(h, MT_K_CROSS_ENTROPY_GRAD, 0, t, 0))
					entropy_backward(h, &c);
			}
}

static void test_softmax(void) {
	kc_each_host(softmaxes);
}

static void test_softmax_grad(void) {
	kc_each_host(softmax_grads);
}

static void test_cross_entropy(void) {
	kc_each_host(entropies);
}

const mt_test_case kc_softmax_cases[] = {
	{"softmax", test_softmax}, {"softmax_grad", test_softmax_grad}, {"cross_entropy", test_cross_entropy}, {0}};
