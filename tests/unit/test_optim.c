/* Optimisers against the formulas in double precision, fused against composed, schedules against known values. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "mt/mt.h"
#include "mt_test.h"
#include "optim/optim.h"

enum { N = 37, STEPS = 7 };

static const char *const devices[] = {"naive", "omp", "cuda"};

/* ---- one step in double: what the formulas in mt/optim.h say ---------------------------------------------------- */

enum kind { SGD, ADAM, ADAMW, RMSPROP, ADAGRAD };

struct setting {
	const char *name;
	enum kind kind;
	double lr;
	mt_sgd_options sgd;
	mt_adam_options adam;
	mt_rmsprop_options rmsprop;
	mt_adagrad_options adagrad;
};

static const struct setting settings[] = {
	{.name = "sgd", .kind = SGD, .lr = 0.1},
	{.name = "sgd, decay", .kind = SGD, .lr = 0.1, .sgd = {.weight_decay = 0.2}},
	{.name = "sgd, momentum", .kind = SGD, .lr = 0.1, .sgd = {.momentum = 0.9}},
	{.name = "sgd, momentum, dampening, decay",
     .kind = SGD,
     .lr = 0.1,
     .sgd = {.momentum = 0.8, .dampening = 0.3, .weight_decay = 0.1}},
	{.name = "sgd, nesterov", .kind = SGD, .lr = 0.1, .sgd = {.momentum = 0.9, .nesterov = 1}},
	{.name = "sgd, maximize", .kind = SGD, .lr = 0.1, .sgd = {.momentum = 0.5, .weight_decay = 0.1, .maximize = 1}},
	{.name = "adam", .kind = ADAM, .lr = 0.05},
	{.name = "adam, decay", .kind = ADAM, .lr = 0.05, .adam = {.weight_decay = 0.3}},
	{.name = "adam, amsgrad", .kind = ADAM, .lr = 0.05, .adam = {.amsgrad = 1, .beta2 = 0.5}},
	{.name = "adam, no first moment", .kind = ADAM, .lr = 0.05, .adam = {.beta1 = -1}},
	{.name = "adam, maximize", .kind = ADAM, .lr = 0.05, .adam = {.maximize = 1, .weight_decay = 0.1}},
	{.name = "adamw", .kind = ADAMW, .lr = 0.05},
	{.name = "adamw, large decay and eps", .kind = ADAMW, .lr = 0.05, .adam = {.weight_decay = 2, .eps = 0.1}},
	{.name = "rmsprop", .kind = RMSPROP, .lr = 0.05},
	{.name = "rmsprop, all",
     .kind = RMSPROP,
     .lr = 0.05,
     .rmsprop = {.alpha = 0.6, .eps = 0.1, .weight_decay = 0.2, .momentum = 0.7, .centered = 1, .maximize = 1}},
	{.name = "rmsprop, alpha 0", .kind = RMSPROP, .lr = 0.05, .rmsprop = {.alpha = -1, .momentum = 0.5}},
	{.name = "adagrad", .kind = ADAGRAD, .lr = 0.1},
	{.name = "adagrad, all",
     .kind = ADAGRAD,
     .lr = 0.1,
     .adagrad = {.lr_decay = 0.3, .weight_decay = 0.2, .initial = 0.5, .eps = 0.01, .maximize = 1}},
	{.name = "adamw, betas", .kind = ADAMW, .lr = 0.05, .adam = {.beta1 = 0.5, .beta2 = 0.7, .amsgrad = 1}},
};

struct state {
	double p[N], m[N], v[N], vmax[N], mean[N];
};

static double standard(double value, double otherwise) {
	return value == 0 ? otherwise : value == -1 ? 0 : value;
}

static void sgd_reference(struct state *s, const double *grad, const struct setting *q, int t) {
	for (int i = 0; i < N; i++) {
		double g = (q->sgd.maximize ? -grad[i] : grad[i]) + q->sgd.weight_decay * s->p[i];
		if (q->sgd.momentum != 0) {
			s->m[i] = t == 1 ? g : q->sgd.momentum * s->m[i] + (1 - q->sgd.dampening) * g;
			g = q->sgd.nesterov ? g + q->sgd.momentum * s->m[i] : s->m[i];
		}
		s->p[i] -= q->lr * g;
	}
}

static void adam_reference(struct state *s, const double *grad, const struct setting *q, int t) {
	double b1 = standard(q->adam.beta1, 0.9), b2 = standard(q->adam.beta2, 0.999), eps = standard(q->adam.eps, 1e-8);
	double decay = standard(q->adam.weight_decay, q->kind == ADAMW ? 0.01 : 0);
	for (int i = 0; i < N; i++) {
		double g = q->adam.maximize ? -grad[i] : grad[i];
		if (q->kind == ADAMW)
			s->p[i] -= q->lr * decay * s->p[i];
		else
			g += decay * s->p[i];
		s->m[i] = b1 * s->m[i] + (1 - b1) * g;
		s->v[i] = b2 * s->v[i] + (1 - b2) * g * g;
		s->vmax[i] = fmax(s->vmax[i], s->v[i]);
		double v = q->adam.amsgrad ? s->vmax[i] : s->v[i];
		s->p[i] -= q->lr / (1 - pow(b1, t)) * s->m[i] / (sqrt(v / (1 - pow(b2, t))) + eps);
	}
}

static void rmsprop_reference(struct state *s, const double *grad, const struct setting *q, int t) {
	const mt_rmsprop_options *r = &q->rmsprop;
	double alpha = standard(r->alpha, 0.99), eps = standard(r->eps, 1e-8);
	(void)t;
	for (int i = 0; i < N; i++) {
		double g = (r->maximize ? -grad[i] : grad[i]) + r->weight_decay * s->p[i];
		s->v[i] = alpha * s->v[i] + (1 - alpha) * g * g;
		s->mean[i] = alpha * s->mean[i] + (1 - alpha) * g;
		double u = g / (sqrt(r->centered ? s->v[i] - s->mean[i] * s->mean[i] : s->v[i]) + eps);
		s->m[i] = r->momentum * s->m[i] + u;
		s->p[i] -= q->lr * s->m[i];
	}
}

static void adagrad_reference(struct state *s, const double *grad, const struct setting *q, int t) {
	const mt_adagrad_options *r = &q->adagrad;
	for (int i = 0; i < N; i++) {
		double g = (r->maximize ? -grad[i] : grad[i]) + r->weight_decay * s->p[i];
		if (t == 1)
			s->v[i] = r->initial;
		s->v[i] += g * g;
		s->p[i] -= q->lr / (1 + (t - 1) * r->lr_decay) * g / (sqrt(s->v[i]) + standard(r->eps, 1e-10));
	}
}

static void reference(struct state *s, const double *grad, const struct setting *q, int t) {
	switch (q->kind) {
	case SGD:
		sgd_reference(s, grad, q, t);
		break;
	case RMSPROP:
		rmsprop_reference(s, grad, q, t);
		break;
	case ADAGRAD:
		adagrad_reference(s, grad, q, t);
		break;
	default:
		adam_reference(s, grad, q, t);
	}
}

/* Gradient of element i in step t: varied, with sign changes and large ratios. */
static double gradient(int t, int i) {
	return sin(1.7 * t + 0.9 * i) * (i % 5 == 0 ? 10 : 0.5) / t;
}

static mt_optim *make(const struct setting *q, mt_tensor *p) {
	if (q->kind == SGD)
		return mt_optim_sgd(&p, 1, q->lr, q->sgd);
	if (q->kind == RMSPROP)
		return mt_optim_rmsprop(&p, 1, q->lr, q->rmsprop);
	if (q->kind == ADAGRAD)
		return mt_optim_adagrad(&p, 1, q->lr, q->adagrad);
	return q->kind == ADAM ? mt_optim_adam(&p, 1, q->lr, q->adam) : mt_optim_adamw(&p, 1, q->lr, q->adam);
}

/* Σ g · p: its gradient is g. */
static mt_status give_gradient(mt_tensor *p, const double *g) {
	mt_tensor *upstream = mt_cast(mt_from_data(MT_SHAPE(N), MT_F64, g), mt_tensor_dtype(p));
	return mt_backward(mt_sum(mt_mul(p, upstream), MT_ALL_AXES, 0));
}

static void run_setting(const struct setting *q, mt_dtype dtype, int composed) {
	struct state s = {0};
	double got[N], g[N], tolerance = dtype == MT_F64 ? 1e-12 : 2e-5;
	mt_scope *scope = mt_scope_begin();
	for (int i = 0; i < N; i++)
		s.p[i] = cos(i);
	mt_tensor *p = mt_requires_grad_(mt_clone(mt_cast(mt_from_data(MT_SHAPE(N), MT_F64, s.p), dtype)), 1);
	mt_optim *o = make(q, p);
	MT_REQUIRE(o != NULL);
	o->composed = composed;
	for (int t = 1; t <= STEPS; t++) {
		for (int i = 0; i < N; i++)
			g[i] = gradient(t, i);
		MT_CHECK_INT(mt_optim_zero_grad(o), MT_OK);
		MT_CHECK_INT(give_gradient(p, g), MT_OK);
		if (!MT_CHECK_INT(mt_optim_step(o), MT_OK))
			mt_test_note("%s", mt_error_take(NULL));
		reference(&s, g, q, t);
		MT_REQUIRE(mt_to_host(mt_cast(mt_detach(p), MT_F64), got, sizeof got) == MT_OK);
		for (int i = 0; i < N; i++)
			MT_CHECK_MSG(fabs(got[i] - s.p[i]) <= tolerance * fmax(1, fabs(s.p[i])),
			             "step %d, element %d: %.9g, not %.9g", t, i, got[i], s.p[i]);
	}
	MT_CHECK_INT(mt_optim_steps(o), STEPS);
	mt_optim_free(o);
	mt_scope_end(scope);
}

static void test_formulas(void) {
	int ran = 0;
	mt_set_fallback(MT_FALLBACK_ALLOW);
	for (size_t d = 0; d < sizeof devices / sizeof *devices; d++) {
		mt_device *device = mt_device_open(devices[d]);
		if (device == NULL) {
			mt_test_note("%s", mt_error_take(NULL));
			continue;
		}
		MT_REQUIRE(mt_device_use(device) == MT_OK);
		ran++;
		for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
			for (int variant = 0; variant < 4; variant++) {
				mt_test_row("%s: %s, %s, %s", devices[d], settings[i].name, variant & 1 ? "f64" : "f32",
				            variant & 2 ? "composed" : "fused");
				run_setting(&settings[i], variant & 1 ? MT_F64 : MT_F32, variant >> 1);
			}
	}
	MT_CHECK(ran > 0);
}

/* ---- rules ------------------------------------------------------------------------------------------------------ */

static mt_tensor *leaf(double value) {
	return mt_requires_grad_(mt_full(MT_SHAPE(2), MT_F32, mt_f(value)), 1);
}

static double first_of(mt_tensor *t) {
	double value = (double)NAN;
	mt_get(t, (int64_t[]){0}, &value);
	return value;
}

/* A parameter without a gradient is passed over, decay and all; its own step count starts when it gets one. */
static void test_no_gradient(void) {
	mt_tensor *p[] = {leaf(1), leaf(1)};
	mt_optim *o = mt_optim_adamw(p, 2, 0.1, (mt_adam_options){0});
	MT_REQUIRE(o != NULL);
	MT_CHECK_INT(mt_optim_step(o), MT_OK);
	MT_CHECK_NEAR(first_of(p[0]), 1, 0);
	MT_REQUIRE(mt_backward(mt_sum(mt_mul_scalar(p[1], mt_f(3)), MT_ALL_AXES, 0)) == MT_OK);
	MT_CHECK_INT(mt_optim_step(o), MT_OK);
	MT_CHECK_NEAR(first_of(p[0]), 1, 0);
	MT_CHECK_NEAR(first_of(p[1]), 1 - 0.1 * 0.01 - 0.1, 1e-6); /* Adam's first step is lr, whatever the gradient */
	MT_CHECK_INT(o->slots[0].t, 0);
	MT_CHECK_INT(o->slots[1].t, 1);
	mt_optim_free(o);
}

/* A graph that saved the parameter notices that it was written. */
static void test_version(void) {
	for (int composed = 0; composed < 2; composed++) {
		mt_status status;
		mt_tensor *p = leaf(2);
		mt_optim *o = mt_optim_sgd(&p, 1, 0.1, (mt_sgd_options){0});
		MT_REQUIRE(o != NULL);
		o->composed = composed;
		MT_CHECK_INT(mt_backward(mt_sum(mt_square(p), MT_ALL_AXES, 0)), MT_OK);
		mt_tensor *stale = mt_sum(mt_square(p), MT_ALL_AXES, 0);
		MT_CHECK_INT(mt_optim_step(o), MT_OK);
		MT_CHECK_NEAR(first_of(p), 1.6, 1e-6);
		MT_CHECK(mt_backward(stale) != MT_OK);
		mt_error_take(&status);
		MT_CHECK_INT(status, MT_E_VERSION);
		mt_optim_free(o);
	}
}

static void test_lifetime(void) {
	int64_t before = mt_live_tensors();
	mt_scope *scope = mt_scope_begin();
	mt_tensor *p = leaf(2);
	mt_optim *o = mt_optim_adam(&p, 1, 0.1, (mt_adam_options){.amsgrad = 1});
	MT_CHECK_INT(mt_backward(mt_sum(p, MT_ALL_AXES, 0)), MT_OK);
	mt_scope_end(scope);
	MT_CHECK_INT(mt_optim_step(o), MT_OK);       /* it holds the parameter */
	MT_CHECK_INT(mt_live_tensors(), before + 5); /* parameter, gradient, m, v, vmax */
	mt_optim_free(o);
	MT_CHECK_INT(mt_live_tensors(), before);
	mt_optim_free(NULL);
}

static void test_errors(void) {
	mt_tensor *p = leaf(1), *plain = mt_ones(MT_SHAPE(2), MT_F32), *integer = mt_ones(MT_SHAPE(2), MT_I64);
	mt_tensor *made = mt_mul_scalar(p, mt_f(2)), *none = MT_NONE, *twice[] = {p, p};
	const mt_sgd_options s = {0};
	const mt_adam_options a = {0};
#define CHECK_REFUSED(call, expected, part)                                                                            \
	do {                                                                                                               \
		mt_status status_;                                                                                             \
		MT_CHECK((call) == NULL);                                                                                      \
		MT_CHECK_CONTAINS(mt_error_take(&status_), part);                                                              \
		MT_CHECK_INT(status_, expected);                                                                               \
	} while (0)
	CHECK_REFUSED(mt_optim_sgd(&p, 0, 1, s), MT_E_ARG, "at least one parameter, got 0");
	CHECK_REFUSED(mt_optim_sgd(NULL, 1, 1, s), MT_E_NULL, "parameters is NULL");
	CHECK_REFUSED(mt_optim_sgd(&none, 1, 1, s), MT_E_ARG, "optim_sgd");
	CHECK_REFUSED(mt_optim_sgd(&plain, 1, 1, s), MT_E_STATE, "parameter 0 must be a leaf that requires a gradient");
	CHECK_REFUSED(mt_optim_sgd(&made, 1, 1, s), MT_E_STATE, "parameter 0 must be a leaf");
	CHECK_REFUSED(mt_optim_sgd(&integer, 1, 1, s), MT_E_DTYPE, "not i64");
	CHECK_REFUSED(mt_optim_sgd(twice, 2, 1, s), MT_E_ARG, "parameters 0 and 1 are the same tensor");
	CHECK_REFUSED(mt_optim_sgd(&p, 1, -1, s), MT_E_ARG, "not negative, got -1");
	CHECK_REFUSED(mt_optim_sgd(&p, 1, (double)NAN, s), MT_E_ARG, "learning rate");
	CHECK_REFUSED(mt_optim_sgd(&p, 1, 1, (mt_sgd_options){.momentum = -1}), MT_E_ARG, "momentum");
	CHECK_REFUSED(mt_optim_sgd(&p, 1, 1, (mt_sgd_options){.nesterov = 1}), MT_E_ARG, "nesterov");
	CHECK_REFUSED(mt_optim_adam(&p, 1, (double)INFINITY, a), MT_E_ARG, "finite");
	CHECK_REFUSED(mt_optim_adam(&p, 1, 1, (mt_adam_options){.beta1 = 1}), MT_E_ARG, "below 1, got 1");
	CHECK_REFUSED(mt_optim_adam(&p, 1, 1, (mt_adam_options){.beta2 = -0.5}), MT_E_ARG, "got 0.9 and -0.5");
	CHECK_REFUSED(mt_optim_adamw(&p, 1, 1, (mt_adam_options){.eps = -2}), MT_E_ARG, "optim_adamw: eps");
	CHECK_REFUSED(mt_optim_adam(&p, 1, 1, (mt_adam_options){.weight_decay = -2}), MT_E_ARG, "weight_decay must be");
	CHECK_REFUSED(mt_optim_rmsprop(&p, 1, 1, (mt_rmsprop_options){.alpha = 2}), MT_E_ARG, "optim_rmsprop: alpha");
	CHECK_REFUSED(mt_optim_adagrad(&p, 1, 1, (mt_adagrad_options){.lr_decay = -2}), MT_E_ARG, "lr_decay");
#undef CHECK_REFUSED
	mt_optim *o = mt_optim_sgd(&p, 1, 0.5, s);
	MT_REQUIRE(o != NULL);
	MT_CHECK_INT(mt_optim_set_lr(o, -1), MT_E_ARG);
	mt_error_take(NULL);
	MT_CHECK_NEAR(mt_optim_lr(o), 0.5, 0);
	MT_CHECK_INT(mt_optim_set_lr(o, 0.25), MT_OK);
	MT_CHECK_NEAR(mt_optim_lr(o), 0.25, 0);
	MT_CHECK(isnan(mt_optim_lr(NULL)));
	MT_CHECK_INT(mt_optim_step(NULL), MT_E_NULL);
	mt_error_take(NULL);
	mt_optim_free(o);
}

/* ---- groups ----------------------------------------------------------------------------------------------------- */

static void test_groups(void) {
	mt_tensor *p[] = {leaf(1), leaf(1), leaf(1)};
	mt_optim *o = mt_optim_sgd(p, 1, 0.5, (mt_sgd_options){.weight_decay = 0.25});
	MT_REQUIRE(o != NULL);
	MT_CHECK_INT(mt_optim_add_group(o, p + 1, 1, 0.1, 0), 1);
	MT_CHECK_INT(mt_optim_add_group(o, p + 2, 1, 0.2, (double)NAN), 2);
	MT_CHECK_INT(mt_optim_n_groups(o), 3);
	MT_CHECK_NEAR(mt_optim_group_weight_decay(o, 2), 0.25, 0);
	mt_tensor *sum = mt_add(mt_add(p[0], p[1]), p[2]);
	MT_REQUIRE(mt_backward(mt_sum(sum, MT_ALL_AXES, 0)) == MT_OK);
	MT_CHECK_INT(mt_optim_step(o), MT_OK);
	MT_CHECK_NEAR(first_of(p[0]), 1 - 0.5 * 1.25, 1e-6);
	MT_CHECK_NEAR(first_of(p[1]), 1 - 0.1, 1e-6);
	MT_CHECK_NEAR(first_of(p[2]), 1 - 0.2 * 1.25, 1e-6);
	MT_CHECK_INT(mt_optim_scale_lr(o, 0.5), MT_OK);
	MT_CHECK_INT(mt_optim_scale_lr(o, 0.1), MT_OK); /* of the rate at creation, not of the last one */
	MT_CHECK_NEAR(mt_optim_group_lr(o, 1), 0.01, 1e-12);
	MT_CHECK_INT(mt_optim_set_group_lr(o, 1, 0.4), MT_OK);
	MT_CHECK_INT(mt_optim_scale_lr(o, 0.5), MT_OK);
	MT_CHECK_NEAR(mt_optim_group_lr(o, 1), 0.2, 1e-12);
	MT_CHECK_INT(mt_optim_set_group_weight_decay(o, 1, 0.5), MT_OK);
	MT_CHECK_NEAR(mt_optim_group_weight_decay(o, 1), 0.5, 0);
	MT_CHECK_INT(mt_optim_add_group(o, p, 1, 0.1, 0), -1);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "parameter 0 is in group 0 already");
	MT_CHECK_INT(mt_optim_set_group_lr(o, 3, 0.1), MT_E_ARG);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "there is no group 3; there are 3");
	MT_CHECK_INT(mt_optim_scale_lr(o, -1), MT_E_ARG);
	mt_error_take(NULL);
	MT_CHECK_NEAR(mt_optim_group_lr(o, 1), 0.2, 1e-12);
	mt_optim_free(o);
}

/* ---- clipping --------------------------------------------------------------------------------------------------- */

static void set_gradient(mt_tensor *p, double a, double b) {
	const double values[] = {a, b};
	mt_zero_grad(p);
	mt_tensor *u = mt_cast(mt_from_data(MT_SHAPE(2), MT_F64, values), MT_F32);
	MT_CHECK_INT(mt_backward(mt_sum(mt_mul(p, u), MT_ALL_AXES, 0)), MT_OK);
}

static void test_clip(void) {
	mt_tensor *p[] = {leaf(1), leaf(1), leaf(1)}; /* the last has no gradient */
	double total = 0;
	static const struct {
		double p, max, total, factor;
	} rows[] = {{2, 1, 7, 1 / 7.0}, {2, 8, 7, 1}, {INFINITY, 3, 6, 0.5}, {1, 11, 11, 1}, {1, 5.5, 11, 0.5}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("p %g, max %g", rows[i].p, rows[i].max);
		set_gradient(p[0], -2, 3);
		set_gradient(p[1], -6, 0);
		MT_CHECK_INT(mt_clip_grad_norm(p, 3, rows[i].max, rows[i].p, 0, &total), MT_OK);
		MT_CHECK_NEAR(total, rows[i].total, 1e-6);
		MT_CHECK_NEAR(first_of(mt_grad(p[0])), -2 * rows[i].factor, 1e-5);
		MT_CHECK_NEAR(first_of(mt_grad(p[1])), -6 * rows[i].factor, 1e-5);
	}
	MT_CHECK_INT(mt_clip_grad_value(p, 3, 2.5), MT_OK);
	set_gradient(p[0], -2, 3e30); /* its square is beyond f32 */
	MT_CHECK_INT(mt_clip_grad_norm(p, 1, 1, 2, 1, &total), MT_OK);
	MT_CHECK_NEAR(total / 3e30, 1, 1e-6);
	set_gradient(p[0], -2, INFINITY);
	MT_CHECK_INT(mt_clip_grad_norm(p, 1, 1, 2, 1, NULL), MT_E_ARG);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "clip_grad_norm: the total norm of the gradients is inf");
	MT_CHECK_NEAR(first_of(mt_grad(p[0])), -2, 0);
	MT_CHECK_INT(mt_clip_grad_value(p, 1, 0.5), MT_OK);
	MT_CHECK_NEAR(first_of(mt_grad(p[0])), -0.5, 0);
	MT_CHECK_INT(mt_clip_grad_norm(p, 1, -1, 2, 0, NULL), MT_E_ARG);
	MT_CHECK_INT(mt_clip_grad_norm(NULL, 1, 1, 2, 0, NULL), MT_E_NULL);
	MT_CHECK_INT(mt_clip_grad_value(p, 1, 0), MT_E_ARG);
	mt_error_take(NULL);
}

/* ---- plateau ---------------------------------------------------------------------------------------------------- */

static void test_plateau(void) {
	mt_tensor *p = leaf(1);
	mt_optim *o = mt_optim_sgd(&p, 1, 1, (mt_sgd_options){0});
	MT_REQUIRE(o != NULL);
	/* patience 1, cooldown 1: the second bad metric in a row lowers, the next does not count */
	mt_plateau plateau = {.factor = 0.5, .patience = 1, .cooldown = 1, .min_lr = 0.2};
	const double metrics[] = {3, 2, 2, 1.99999, (double)NAN, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1};
	const double rates[] = {1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2};
	for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
		mt_test_row("step %zu", i);
		MT_CHECK_INT(mt_plateau_step(&plateau, o, metrics[i], NULL), MT_OK);
		MT_CHECK_NEAR(mt_optim_lr(o), rates[i], 1e-12);
	}
	mt_test_row("maximize");
	mt_plateau up = {.patience = -1, .maximize = 1, .absolute = 1, .threshold = 0.1};
	int reduced = 1;
	MT_CHECK_INT(mt_plateau_step(&up, o, 0.5, &reduced), MT_OK);
	MT_CHECK_INT(reduced, 0);
	MT_CHECK_INT(mt_plateau_step(&up, o, 0.7, &reduced), MT_OK);
	MT_CHECK_INT(reduced, 0);
	MT_CHECK_INT(mt_plateau_step(&up, o, 0.75, &reduced), MT_OK);
	MT_CHECK_INT(reduced, 1);
	mt_test_row("nothing is better than the best there can be");
	mt_plateau best = {.patience = -1};
	MT_CHECK_INT(mt_plateau_step(&best, o, (double)-INFINITY, &reduced), MT_OK);
	MT_CHECK_INT(reduced, 0);
	MT_CHECK_INT(mt_plateau_step(&best, o, 5, &reduced), MT_OK);
	MT_CHECK_INT(reduced, 1);
	MT_CHECK_INT(mt_plateau_step(&(mt_plateau){.factor = 2}, o, 1, NULL), MT_E_ARG);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "factor must be above 0 and below 1, got 2");
	MT_CHECK_INT(mt_plateau_step(NULL, o, 1, NULL), MT_E_NULL);
	mt_error_take(NULL);
	mt_optim_free(o);
}

/* ---- schedules -------------------------------------------------------------------------------------------------- */

static void test_schedules(void) {
	static const struct {
		const char *name;
		mt_schedule s;
		int64_t step;
		double factor;
	} rows[] = {
		{"constant", {0}, 12345, 1},
		{"constant, warm-up", {.warmup = 10, .start = 0.5}, 5, 0.75},
		{"linear, begin", {.kind = MT_SCHEDULE_LINEAR, .total = 100}, 0, 1},
		{"linear, middle", {.kind = MT_SCHEDULE_LINEAR, .total = 100, .floor = 0.5}, 50, 0.75},
		{"linear, end", {.kind = MT_SCHEDULE_LINEAR, .total = 100, .floor = 0.1}, 100, 0.1},
		{"linear, beyond", {.kind = MT_SCHEDULE_LINEAR, .total = 100, .floor = 0.1}, 1000, 0.1},
		{"linear, after warm-up", {.kind = MT_SCHEDULE_LINEAR, .total = 100, .warmup = 20}, 60, 0.5},
		{"linear, all warm-up", {.kind = MT_SCHEDULE_LINEAR, .total = 20, .warmup = 20, .floor = 0.3}, 20, 0.3},
		{"cosine, quarter", {.kind = MT_SCHEDULE_COSINE, .total = 100}, 25, 0.85355339},
		{"cosine, end", {.kind = MT_SCHEDULE_COSINE, .total = 100, .floor = 0.2}, 100, 0.2},
		{"step 0", {.kind = MT_SCHEDULE_STEP, .period = 10, .gamma = 0.5}, 9, 1},
		{"step 3", {.kind = MT_SCHEDULE_STEP, .period = 10, .gamma = 0.5}, 30, 0.125},
		{"exponential", {.kind = MT_SCHEDULE_EXPONENTIAL, .warmup = 2, .gamma = 0.5}, 5, 0.125},
		{"one cycle, begin", {.kind = MT_SCHEDULE_ONE_CYCLE, .total = 100, .warmup = 30, .start = 0.04}, 0, 0.04},
		{"one cycle, rising", {.kind = MT_SCHEDULE_ONE_CYCLE, .total = 100, .warmup = 30, .start = 0.04}, 15, 0.52},
		{"one cycle, peak", {.kind = MT_SCHEDULE_ONE_CYCLE, .total = 100, .warmup = 30, .start = 0.04}, 30, 1},
		{"one cycle, falling", {.kind = MT_SCHEDULE_ONE_CYCLE, .total = 100, .warmup = 30}, 65, 0.5},
	};
	static const mt_schedule bad[] = {
		{.kind = 9}, {.total = -1}, {.kind = MT_SCHEDULE_STEP}, {.kind = MT_SCHEDULE_COSINE, .total = 5, .warmup = 6}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("%s", rows[i].name);
		MT_CHECK_NEAR(mt_schedule_factor(&rows[i].s, rows[i].step), rows[i].factor, 1e-7);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		mt_test_row("bad %zu", i);
		MT_CHECK(isnan(mt_schedule_factor(&bad[i], 1)));
	}
	MT_CHECK(isnan(mt_schedule_factor(&rows[0].s, -1)));
	MT_CHECK(isnan(mt_schedule_factor(NULL, 0)));
}

static const mt_test_case cases[] = {{"formulas", test_formulas},   {"no_gradient", test_no_gradient},
                                     {"version", test_version},     {"lifetime", test_lifetime},
                                     {"errors", test_errors},       {"groups", test_groups},
                                     {"clip", test_clip},           {"plateau", test_plateau},
                                     {"schedules", test_schedules}, {0}};
static const mt_test_suite suites[] = {{"optim", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
