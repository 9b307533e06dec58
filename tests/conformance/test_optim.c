/* sgd and adam: several steps of each variant, against the formulas in long double. */
#include <math.h>

#include "cases.h"
#include "check.h"

static const int64_t shape[] = {5, 13};
enum { N = 65, STEPS = 3 };

static void done(struct kc_host *h) {
	kc_reset(h);
	kc_reference_reset();
}

/* Parameters are uploaded afresh for each call: the state of step s is set from the reference of step s − 1. */
static void load(struct kc_array *a, const long double *values) {
	for (int64_t e = 0; e < a->numel; e++)
		kc_set(a, e, (double)values[e]);
}

static void take(const struct kc_array *a, long double *values) {
	for (int64_t e = 0; e < a->numel; e++)
		values[e] = a->values[e];
}

static void fill(struct kc_host *h, long double *values, double low, double high) {
	for (int64_t e = 0; e < N; e++)
		values[e] = low + kc_uniform(h) * (high - low);
}

struct sgd_row {
	double lr, momentum, dampening, weight_decay;
	int nesterov, maximize;
};

static const struct sgd_row sgds[] = {
	{0.1, 0, 0, 0, 0, 0}, {0.1, 0.9, 0, 0, 0, 0}, {0.1, 0.9, 0.5, 0.01, 0, 0}, {0.05, 0.9, 0, 0.01, 1, 0}, {0.1, 0.5, 0, 0, 0, 1},
};

static void sgd_row(struct kc_host *h, int32_t dtype, int layout, const struct sgd_row *r) {
	enum kc_layout l = (enum kc_layout)layout;
	struct kc_array *param = kc_new(h, KC_INOUT, dtype, 2, shape, l), *grad = kc_new(h, KC_IN, dtype, 2, shape, KC_TRANSPOSED);
	struct kc_array *velocity = r->momentum != 0 ? kc_new(h, KC_INOUT, dtype, 2, shape, l) : NULL;
	long double *p = kc_reference(N), *v = kc_reference(N), *g = kc_reference(N), *scale = kc_reference(N);
	fill(h, p, -1, 1);
	for (int step = 0; step < STEPS; step++) {
		fill(h, g, -1, 1);
		load(param, p);
		load(grad, g);
		if (velocity != NULL)
			load(velocity, v);
		const struct mt_sgd_args args = {.struct_size = sizeof args, .param = &param->array, .grad = &grad->array,
		                                 .velocity = velocity != NULL ? &velocity->array : NULL, .lr = {r->lr, NULL}, .momentum = r->momentum,
		                                 .dampening = r->dampening, .weight_decay = r->weight_decay, .nesterov = r->nesterov,
		                                 .first = step == 0, .maximize = r->maximize};
		for (int64_t e = 0; e < N; e++) {
			long double d = (r->maximize ? -grad->values[e] : grad->values[e]) + r->weight_decay * param->values[e];
			if (velocity != NULL) {
				v[e] = step == 0 ? d : r->momentum * velocity->values[e] + (1 - r->dampening) * d;
				d = r->nesterov ? d + r->momentum * v[e] : v[e];
			}
			p[e] = param->values[e] - r->lr * d;
			scale[e] = 4;
		}
		if (!kc_run(h, MT_K_SGD, &args))
			break;
		kc_check(h, param, p, scale, 3, "sgd %s row %d step %d %s", kc_dtype_name(dtype), (int)(r - sgds), step, kc_layout_names[layout]);
		take(param, p);
		if (velocity != NULL) {
			kc_check(h, velocity, v, scale, 3, "sgd velocity %s row %d step %d", kc_dtype_name(dtype), (int)(r - sgds), step);
			take(velocity, v);
		}
	}
	done(h);
}

struct adam_row {
	double lr, beta1, beta2, eps, weight_decay;
	int decoupled, maximize, amsgrad;
};

static const struct adam_row adams[] = {
	{0.01, 0.9, 0.999, 1e-4, 0, 0, 0, 0},   {0.01, 0.9, 0.999, 1e-4, 0.1, 0, 0, 0}, {0.01, 0.9, 0.99, 1e-4, 0.1, 1, 0, 0},
	{0.01, 0.8, 0.99, 1e-4, 0.1, 1, 1, 0},  {0.01, 0.9, 0.9, 1e-4, 0, 0, 0, 1},
};

static void adam_row(struct kc_host *h, int32_t dtype, int layout, const struct adam_row *r) {
	enum kc_layout l = (enum kc_layout)layout;
	struct kc_array *param = kc_new(h, KC_INOUT, dtype, 2, shape, l), *grad = kc_new(h, KC_IN, dtype, 2, shape, KC_NEGATIVE);
	struct kc_array *am = kc_new(h, KC_INOUT, dtype, 2, shape, l), *av = kc_new(h, KC_INOUT, dtype, 2, shape, KC_CONTIGUOUS);
	struct kc_array *ax = r->amsgrad ? kc_new(h, KC_INOUT, dtype, 2, shape, l) : NULL;
	long double *p = kc_reference(N), *g = kc_reference(N), *m = kc_reference(N), *v = kc_reference(N), *x = kc_reference(N), *scale = kc_reference(N);
	fill(h, p, -1, 1);
	for (int step = 1; step <= STEPS; step++) {
		fill(h, g, step == STEPS ? -0.1 : -1, step == STEPS ? 0.1 : 1); /* smaller ones: amsgrad's maximum shows */
		load(param, p);
		load(grad, g);
		load(am, m);
		load(av, v);
		if (ax != NULL)
			load(ax, x);
		const struct mt_adam_args args = {.struct_size = sizeof args, .param = &param->array, .grad = &grad->array, .m = &am->array,
		                                  .v = &av->array, .vmax = ax != NULL ? &ax->array : NULL, .lr = {r->lr, NULL},
		                                  .step = {step, NULL}, .beta1 = r->beta1, .beta2 = r->beta2, .eps = r->eps,
		                                  .weight_decay = r->weight_decay, .decoupled = r->decoupled, .maximize = r->maximize};
		for (int64_t e = 0; e < N; e++) {
			long double d = r->maximize ? -grad->values[e] : grad->values[e], w = param->values[e];
			if (r->decoupled)
				w -= r->lr * r->weight_decay * w;
			else
				d += r->weight_decay * w;
			m[e] = r->beta1 * am->values[e] + (1 - r->beta1) * d;
			v[e] = r->beta2 * av->values[e] + (1 - r->beta2) * d * d;
			x[e] = ax != NULL ? fmaxl(ax->values[e], v[e]) : v[e];
			p[e] = w - r->lr / (1 - powl(r->beta1, step)) * m[e] / (sqrtl(x[e] / (1 - powl(r->beta2, step))) + r->eps);
			scale[e] = 4;
		}
		if (!kc_run(h, MT_K_ADAM, &args))
			break;
		int row = (int)(r - adams);
		kc_check(h, param, p, scale, 8, "adam %s row %d step %d %s", kc_dtype_name(dtype), row, step, kc_layout_names[layout]);
		kc_check(h, am, m, scale, 3, "adam m %s row %d step %d", kc_dtype_name(dtype), row, step);
		kc_check(h, av, v, scale, 3, "adam v %s row %d step %d", kc_dtype_name(dtype), row, step);
		take(param, p);
		take(am, m);
		take(av, v);
		if (ax != NULL) {
			kc_check(h, ax, x, scale, 3, "adam vmax %s row %d step %d", kc_dtype_name(dtype), row, step);
			take(ax, x);
		}
	}
	done(h);
}

static void sgd(struct kc_host *h) {
	for (size_t i = 0; i < sizeof sgds / sizeof *sgds; i++)
		for (int32_t t = MT_F32; t <= MT_BF16; t++)
			for (int layout = 0; layout < KC_LAYOUTS; layout++)
				if (kc_has(h, MT_K_SGD, 0, t, 0))
					sgd_row(h, t, layout, &sgds[i]);
}

static void adam(struct kc_host *h) {
	for (size_t i = 0; i < sizeof adams / sizeof *adams; i++)
		for (int32_t t = MT_F32; t <= MT_BF16; t++)
			for (int layout = 0; layout < KC_LAYOUTS; layout++)
				if (kc_has(h, MT_K_ADAM, 0, t, 0))
					adam_row(h, t, layout, &adams[i]);
}

static void test_sgd(void) {
	kc_each_host(sgd);
}

static void test_adam(void) {
	kc_each_host(adam);
}

const mt_test_case kc_optim_cases[] = {{"sgd", test_sgd}, {"adam", test_adam}, {0}};
