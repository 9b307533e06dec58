/* adam: one step of Adam or AdamW, with or without amsgrad's maximum, from any state. */
#include <math.h>

#include "optim_cases.h"

enum { LR, BETA1, BETA2, EPS, DECAY, STEP, MAXIMIZE, DEVICE, PARAMS };

static const struct cf_param params[PARAMS] = {
	{"lr", 10, 0, 100000},                                /* thousandths */
	{"beta1", 900, 0, 999},   {"beta2", 999, 0, 999},     /* thousandths */
	{"eps", 100, 1, 1000000},                             /* millionths */
	{"decay", 0, 0, 1000},    {"step", 1, 1, 1000000000}, /* thousandths; a count */
	{"maximize", 0, 0, 1},    {"device", 0, 0, 2},        /* lr and step stand in arrays; 2: step in one of i64 */
};

/* Modes are sums of these. */
enum { DECOUPLED = 1, AMSGRAD = 2, N_OPS = 4 };

static const struct cf_op ops[N_OPS] = {{0, "adam", MT_SET_FLOAT},
                                        {DECOUPLED * CF_MODE, "adamw", MT_SET_FLOAT},
                                        {AMSGRAD * CF_MODE, "amsgrad", MT_SET_FLOAT},
                                        {(DECOUPLED + AMSGRAD) * CF_MODE, "amsgradw", MT_SET_FLOAT}};

/* The numbers of a step: those of args, or of the arrays that override them. */
struct numbers {
	double lr, step;
};

/* 1 − β^t, in double as step values are. */
struct correction {
	long double value, lost; /* lost: its relative error, in units of double */
};

static struct correction correction_of(double beta, double t) {
	long double value = 1 - powl(beta, t);
	return (struct correction){value, 1 / value};
}

/* What one step makes of an element. */
struct element {
	long double param, m, v, vmax, param_scale, m_scale;
};

static struct element step(const struct mt_adam_args *a, struct numbers n, double param, double grad, double m,
                           double v, double vmax) {
	long double w = param, g = a->maximize ? -grad : grad, size = fabs(grad), decay = a->weight_decay;
	struct element s = {0};
	if (a->decoupled) {
		w -= n.lr * decay * w;
	} else {
		g += decay * w;
		size += fabsl(decay * w);
	}
	s.m = (long double)a->beta1 * m + (1 - (long double)a->beta1) * g;
	s.m_scale = fabs(a->beta1 * m) + (1 - (long double)a->beta1) * size;
	s.v = (long double)a->beta2 * v + (1 - (long double)a->beta2) * g * g;
	s.vmax = a->vmax != NULL && vmax > s.v ? vmax : s.v;
	struct correction first = correction_of(a->beta1, n.step), second = correction_of(a->beta2, n.step);
	long double rate = n.lr / first.value, root = sqrtl(s.vmax / second.value) + a->eps;
	s.param = w - rate * s.m / root;
	/* g² is off by what g lost, twice; its root by half of that */
	long double lost = (1 - (long double)a->beta2) * size * size / (s.vmax > 0 ? s.vmax : 1);
	lost += (first.lost + second.lost) * cf_unit(MT_F64) / cf_unit(cf_side_dtype(a->param->dtype));
	s.param_scale = fabs(param) + rate * s.m_scale / root + rate * fabsl(s.m) / root * lost;
	return s;
}

/* v is made of g², which is off by as much as g is where decay and gradient cancel. */
static long double v_scale(const struct mt_adam_args *a, double param, double grad) {
	long double size = fabs(grad) + fabs(a->decoupled ? 0 : a->weight_decay * param);
	return (1 - (long double)a->beta2) * size * size;
}

static void run(struct cf_run *r, const struct cf_case *c) {
	int32_t mode = c->op / CF_MODE, device = (int32_t)c->param[DEVICE];
	const struct numbers n = {cf_thousandths(c->param[LR]), (double)c->param[STEP]};
	struct cf_array *param = cf_optim_state(r, c, -1, 1), *grad = cf_optim_gradient(r, c);
	struct cf_array *m = cf_optim_state(r, c, -1, 1), *v = cf_optim_state(r, c, 0, 1);
	struct cf_array *vmax = mode & AMSGRAD ? cf_optim_state(r, c, 0, 1.5) : NULL;
	const struct mt_adam_args args = {.struct_size = sizeof args,
	                                  .param = &param->array,
	                                  .grad = &grad->array,
	                                  .m = &m->array,
	                                  .v = &v->array,
	                                  .vmax = cf_operand(vmax),
	                                  .lr = cf_optim_value(r, n.lr, device != 0 ? MT_F64 : 0),
	                                  .step = cf_optim_value(r, n.step,
	                                                         device == 2   ? MT_I64
	                                                         : device == 1 ? MT_F64
	                                                                       : 0),
	                                  .beta1 = cf_thousandths(c->param[BETA1]),
	                                  .beta2 = cf_thousandths(c->param[BETA2]),
	                                  .eps = cf_millionths(c->param[EPS]),
	                                  .weight_decay = cf_thousandths(c->param[DECAY]),
	                                  .decoupled = (mode & DECOUPLED) != 0,
	                                  .maximize = (int32_t)c->param[MAXIMIZE]};
	struct cf_optim_values to_param = cf_optim_values(r, param), to_m = cf_optim_values(r, param);
	struct cf_optim_values to_v = cf_optim_values(r, param), to_vmax = cf_optim_values(r, param);
	for (int64_t e = 0; e < param->numel; e++) {
		struct element s =
			step(&args, n, param->values[e], grad->values[e], m->values[e], v->values[e], cf_value_or(vmax, e, 0));
		to_param.value[e] = s.param;
		to_param.scale[e] = s.param_scale;
		to_m.value[e] = s.m;
		to_m.scale[e] = s.m_scale;
		to_v.value[e] = s.v;
		to_vmax.value[e] = s.vmax;
		to_v.scale[e] = to_vmax.scale[e] = v_scale(&args, param->values[e], grad->values[e]);
	}
	double units = cf_units(MT_K_ADAM, 0);
	if (!cf_call(r, MT_K_ADAM, &args))
		return;
	cf_check_rounded(r, param, to_param.value, to_param.scale, units, "param");
	cf_check_rounded(r, m, to_m.value, to_m.scale, units, "m");
	cf_check_rounded(r, v, to_v.value, to_v.scale, units, "v");
	if (vmax != NULL)
		cf_check_rounded(r, vmax, to_vmax.value, to_vmax.scale, units, "vmax");
}

static void each(cf_emit_fn emit, void *context) {
	static const int64_t rows[][PARAMS] = {{10, 900, 999, 100, 0, 1},       {10, 900, 999, 100, 100, 2},
	                                       {10, 900, 990, 100, 100, 3, 1},  {10, 800, 990, 1, 10, 1000, 0, 1},
	                                       {1, 0, 0, 100, 0, 100000, 0, 2}, {10, 900, 900, 100000, 50, 5, 1, 2}};
	for (int k = 0; k < N_OPS; k++)
		cf_optim_each(emit, context, &ops[k], &rows[0][0], sizeof rows / sizeof *rows, PARAMS);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	int64_t *p = c->param;
	cf_optim_draw(r, c);
	p[LR] = cf_random_integer(r, 0, 3) ? cf_random_integer(r, 1, 100) : 0;
	p[BETA1] = cf_random_integer(r, 0, 1) ? 900 : cf_random_integer(r, 0, 999);
	p[BETA2] = cf_random_integer(r, 0, 1) ? 999 : cf_random_integer(r, 0, 999);
	p[EPS] = cf_random_integer(r, 1, cf_random_integer(r, 0, 1) ? 100 : 100000);
	p[DECAY] = cf_random_integer(r, 0, 1) ? cf_random_integer(r, 0, 500) : 0;
	p[STEP] = cf_random_integer(r, 0, 1) ? cf_random_integer(r, 1, 10) : cf_random_integer(r, 1, 1000000);
	p[MAXIMIZE] = cf_random_integer(r, 0, 3) == 0;
	p[DEVICE] = cf_random_integer(r, 0, 2);
}

const struct cf_family cf_adam_family = {
	.name = "adam",
	.kernel = MT_K_ADAM,
	.ops = ops,
	.n_ops = N_OPS,
	.params = params,
	.n_params = PARAMS,
	.shaped = 1,
	.data = 1 << CF_RANDOM | 1 << CF_SPECIAL,
	.in_place_param = -1,
	.valid = cf_optim_valid,
	.each = each,
	.draw = draw,
	.run = run,
};
