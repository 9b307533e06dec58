/* layer_norm and batch_norm with their gradients. */
#include <math.h>

#include "cases.h"
#include "check.h"

/* Both norms are one computation over groups of elements: layer_norm's groups are the rows of [M, N], with weight and
 * bias by column; batch_norm's are the channels of [N, C, S], with weight and bias by group. */
struct norm {
	int is_batch;
	int rank;
	int64_t shape[3];
	int64_t groups, params; /* how many statistics, how many weights */
	double eps;
};

static int64_t group_of(const struct norm *n, int64_t e) {
	return n->is_batch ? e / n->shape[2] % n->shape[1] : e / n->shape[1];
}

static int64_t param_of(const struct norm *n, int64_t e) {
	return n->is_batch ? group_of(n, e) : e % n->shape[1];
}

static struct norm layer(int64_t rows, int64_t columns) {
	return (struct norm){0, 2, {rows, columns}, rows, columns, 1e-5};
}

static struct norm batch(int64_t n, int64_t c, int64_t s) {
	return (struct norm){1, 3, {n, c, s}, c, c, 1e-3};
}

static int32_t side_dtype(int32_t dtype) {
	return dtype == MT_F16 || dtype == MT_BF16 ? MT_F32 : dtype;
}

/* batch_norm's parameters and running statistics have the side dtype, layer_norm's parameters x's. */
static int32_t param_dtype(const struct norm *n, int32_t dtype) {
	return n->is_batch ? side_dtype(dtype) : dtype;
}

struct statistics {
	long double *mean, *var, *rstd;
};

static struct statistics statistics_of(const struct norm *n, const struct kc_array *x) {
	struct statistics s = {kc_reference(n->groups), kc_reference(n->groups), kc_reference(n->groups)};
	int64_t count = x->numel / n->groups;
	for (int64_t e = 0; e < x->numel; e++)
		s.mean[group_of(n, e)] += x->values[e] / (long double)count;
	for (int64_t e = 0; e < x->numel; e++) {
		long double d = x->values[e] - s.mean[group_of(n, e)];
		s.var[group_of(n, e)] += d * d / (long double)count;
	}
	for (int64_t g = 0; g < n->groups; g++)
		s.rstd[g] = 1 / sqrtl(s.var[g] + n->eps);
	return s;
}

static void done(struct kc_host *h) {
	kc_reset(h);
	kc_reference_reset();
}

static const mt_array *array_of(const struct kc_array *a) {
	return a != NULL ? &a->array : NULL;
}

static double value_of(const struct kc_array *a, int64_t e, double otherwise) {
	return a != NULL ? a->values[e] : otherwise;
}

static void forward(struct kc_host *h, const struct norm *n, int32_t dtype, int layout, int affine, int training, double centre) {
	enum kc_layout l = (enum kc_layout)layout, o = (enum kc_layout)(layout % KC_LAYOUTS);
	int32_t side = side_dtype(dtype), param = param_dtype(n, dtype);
	struct kc_array *x = kc_input(h, dtype, n->rank, n->shape, l, centre - 3, centre + 3);
	struct kc_array *w = affine ? kc_input(h, param, 1, &n->params, l, -2, 2) : NULL, *b = affine ? kc_input(h, param, 1, &n->params, l, -2, 2) : NULL;
	struct kc_array *y = kc_new(h, KC_OUT, dtype, n->rank, n->shape, o);
	struct kc_array *mean = kc_new(h, KC_OUT, side, 1, &n->groups, o), *rstd = kc_new(h, KC_OUT, side, 1, &n->groups, o);
	struct kc_array *rm = n->is_batch ? kc_new(h, KC_INOUT, side, 1, &n->groups, o) : NULL;
	struct kc_array *rv = n->is_batch ? kc_new(h, KC_INOUT, side, 1, &n->groups, o) : NULL;
	struct statistics s = statistics_of(n, x);
	long double *next_mean = kc_reference(n->groups), *next_var = kc_reference(n->groups), *expected = kc_reference(y->numel),
				*scale = kc_reference(y->numel), *ones = kc_reference(n->groups);
	long double count = (long double)(x->numel / n->groups);
	const double momentum = 0.3;
	if (n->is_batch) {
		kc_fill(h, rm, -1, 1);
		kc_fill(h, rv, 0.5, 2);
	}
	for (int64_t g = 0; g < n->groups && n->is_batch; g++) {
		next_mean[g] = training ? (1 - momentum) * rm->values[g] + momentum * s.mean[g] : rm->values[g];
		next_var[g] = training ? (1 - momentum) * rv->values[g] + momentum * s.var[g] * count / (count - 1) : rv->values[g];
		if (!training) {
			s.mean[g] = rm->values[g];
			s.rstd[g] = 1 / sqrtl(rv->values[g] + n->eps);
		}
	}
	for (int64_t e = 0; e < y->numel; e++) {
		int64_t g = group_of(n, e), p = param_of(n, e);
		long double weight = value_of(w, p, 1), bias = value_of(b, p, 0);
		expected[e] = (x->values[e] - s.mean[g]) * s.rstd[g] * weight + bias;
		scale[e] = (fabs(x->values[e]) + fabsl(s.mean[g]) + 3) * s.rstd[g] * fabsl(weight) + fabsl(bias);
	}
	for (int64_t g = 0; g < n->groups; g++)
		ones[g] = fabs(centre) + 3;
	const struct mt_layer_norm_args layer_args = {.struct_size = sizeof layer_args, .x = &x->array, .weight = array_of(w), .bias = array_of(b),
	                                              .out = &y->array, .mean = &mean->array, .rstd = &rstd->array, .eps = n->eps};
	const struct mt_batch_norm_args batch_args = {.struct_size = sizeof batch_args, .x = &x->array, .weight = array_of(w), .bias = array_of(b),
	                                              .running_mean = array_of(rm), .running_var = array_of(rv), .out = &y->array,
	                                              .mean = &mean->array, .rstd = &rstd->array, .eps = n->eps, .momentum = momentum, .training = training};
	if (kc_run(h, n->is_batch ? MT_K_BATCH_NORM : MT_K_LAYER_NORM, n->is_batch ? (const void *)&batch_args : (const void *)&layer_args)) {
		const char *name = n->is_batch ? "batch_norm" : "layer_norm", *t = kc_dtype_name(dtype), *in = kc_layout_names[layout];
		kc_check(h, y, expected, scale, 10, "%s %s %s affine %d training %d centre %g", name, t, in, affine, training, centre);
		kc_check(h, mean, s.mean, ones, 8 + 0.5 * sqrt((double)count), "%s mean %s %s", name, t, in);
		kc_check(h, rstd, s.rstd, ones, 16, "%s rstd %s %s", name, t, in);
		if (n->is_batch) {
			kc_check(h, rm, next_mean, ones, 8, "%s running_mean %s %s", name, t, in);
			kc_check(h, rv, next_var, ones, 16, "%s running_var %s %s", name, t, in);
		}
	}
	done(h);
}

static void backward(struct kc_host *h, const struct norm *n, int32_t dtype, int layout, int affine, int training, int wants) {
	enum kc_layout l = (enum kc_layout)layout, o = (enum kc_layout)(layout % KC_LAYOUTS);
	int32_t side = side_dtype(dtype), param = param_dtype(n, dtype);
	struct kc_array *g = kc_input(h, dtype, n->rank, n->shape, l, -2, 2), *x = kc_input(h, dtype, n->rank, n->shape, l, -3, 3);
	struct kc_array *w = affine ? kc_input(h, param, 1, &n->params, l, -2, 2) : NULL;
	struct kc_array *mean = kc_input(h, side, 1, &n->groups, KC_CONTIGUOUS, -0.5, 0.5), *rstd = kc_input(h, side, 1, &n->groups, KC_STEPPED, 0.3, 1);
	struct kc_array *gx = wants & 1 ? kc_new(h, KC_OUT, dtype, n->rank, n->shape, o) : NULL;
	struct kc_array *gw = wants & 2 ? kc_new(h, KC_OUT, param, 1, &n->params, o) : NULL, *gb = wants & 4 ? kc_new(h, KC_OUT, param, 1, &n->params, o) : NULL;
	long double *md = kc_reference(n->groups), *mdh = kc_reference(n->groups), *sd = kc_reference(n->groups), *sdh = kc_reference(n->groups);
	long double *ew = kc_reference(n->params), *eb = kc_reference(n->params), *sw = kc_reference(n->params), *sb = kc_reference(n->params);
	long double *expected = kc_reference(x->numel), *scale = kc_reference(x->numel), count = (long double)(x->numel / n->groups);
	for (int64_t e = 0; e < x->numel; e++) {
		int64_t k = group_of(n, e), p = param_of(n, e);
		long double hat = (x->values[e] - (long double)mean->values[k]) * rstd->values[k], d = g->values[e] * value_of(w, p, 1);
		md[k] += d / count;
		mdh[k] += d * hat / count;
		sd[k] += fabsl(d) / count;
		sdh[k] += fabsl(d * hat) / count;
		ew[p] += g->values[e] * hat;
		sw[p] += fabsl(g->values[e] * hat) + fabs(g->values[e]);
		eb[p] += g->values[e];
		sb[p] += fabs(g->values[e]);
	}
	for (int64_t e = 0; e < x->numel; e++) {
		int64_t k = group_of(n, e), p = param_of(n, e);
		long double hat = (x->values[e] - (long double)mean->values[k]) * rstd->values[k], d = g->values[e] * value_of(w, p, 1);
		expected[e] = rstd->values[k] * (training ? d - md[k] - hat * mdh[k] : d);
		scale[e] = rstd->values[k] * (fabsl(d) + sd[k] + (fabsl(hat) + 1) * (sdh[k] + sd[k]));
	}
	const struct mt_layer_norm_grad_args layer_args = {.struct_size = sizeof layer_args, .gout = &g->array, .x = &x->array, .weight = array_of(w),
	                                                   .mean = &mean->array, .rstd = &rstd->array, .gx = array_of(gx), .gweight = array_of(gw), .gbias = array_of(gb)};
	const struct mt_batch_norm_grad_args batch_args = {.struct_size = sizeof batch_args, .gout = &g->array, .x = &x->array, .weight = array_of(w),
	                                                   .mean = &mean->array, .rstd = &rstd->array, .gx = array_of(gx), .gweight = array_of(gw), .gbias = array_of(gb),
	                                                   .training = training};
	if (kc_run(h, n->is_batch ? MT_K_BATCH_NORM_GRAD : MT_K_LAYER_NORM_GRAD, n->is_batch ? (const void *)&batch_args : (const void *)&layer_args)) {
		const char *name = n->is_batch ? "batch_norm_grad" : "layer_norm_grad", *t = kc_dtype_name(dtype), *in = kc_layout_names[layout];
		if (gx != NULL)
			kc_check(h, gx, expected, scale, 12, "%s gx %s %s affine %d training %d", name, t, in, affine, training);
		if (gw != NULL)
			kc_check(h, gw, ew, sw, 16, "%s gweight %s %s affine %d", name, t, in, affine);
		if (gb != NULL)
			kc_check(h, gb, eb, sb, 12, "%s gbias %s %s affine %d", name, t, in, affine);
	}
	done(h);
}

static void layer_norms(struct kc_host *h) {
	const struct norm sizes[] = {layer(5, 7), layer(1, 1), layer(40, 3), layer(3, 1030)};
	for (int i = 0; i < 4; i++)
		for (int32_t t = MT_F32; t <= MT_BF16; t++)
			for (int layout = 0; layout <= KC_BROADCAST; layout++)
				for (int affine = 0; affine < 2; affine++) {
					if (kc_has(h, MT_K_LAYER_NORM, 0, t, 0)) {
						forward(h, &sizes[i], t, layout, affine, 1, 0);
						forward(h, &sizes[i], t, layout, affine, 1, 100); /* a variance by E[x²] − E[x]² would lose its digits */
					}
					for (int wants = 1; wants < 8 && kc_has(h, MT_K_LAYER_NORM_GRAD, 0, t, 0); wants += 2)
						backward(h, &sizes[i], t, layout, affine, 1, wants);
				}
}

static void batch_norms(struct kc_host *h) {
	const struct norm sizes[] = {batch(3, 4, 6), batch(2, 1, 1), batch(20, 5, 1), batch(6, 3, 150)};
	for (int i = 0; i < 4; i++)
		for (int32_t t = MT_F32; t <= MT_BF16; t++)
			for (int layout = 0; layout <= KC_BROADCAST; layout++)
				for (int training = 0; training < 2; training++) {
					if (kc_has(h, MT_K_BATCH_NORM, 0, t, 0))
						forward(h, &sizes[i], t, layout, layout % 2, training, 0);
					for (int wants = 1; wants < 8 && kc_has(h, MT_K_BATCH_NORM_GRAD, 0, t, 0); wants++)
						backward(h, &sizes[i], t, layout, layout % 2, training, wants);
				}
}

static void test_layer_norm(void) {
	kc_each_host(layer_norms);
}

static void test_batch_norm(void) {
	kc_each_host(batch_norms);
}

const mt_test_case kc_norm_cases[] = {{"layer_norm", test_layer_norm}, {"batch_norm", test_batch_norm}, {0}};
