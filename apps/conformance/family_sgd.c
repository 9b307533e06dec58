/* sgd: one step, from any state. */
#include <math.h>

#include "optim_cases.h"

enum { LR, MOMENTUM, DAMPENING, DECAY, FIRST, MAXIMIZE, DEVICE, PARAMS };
enum { PLAIN, WITH_MOMENTUM, NESTEROV, N_OPS };

static const struct cf_param params[PARAMS] = {
	{"lr", 100, 0, 100000}, {"momentum", 0, 0, 1000}, {"dampening", 0, 0, 1000}, /* thousandths */
	{"decay", 0, 0, 1000},  {"first", 0, 0, 1},       {"maximize", 0, 0, 1},
	{"device", 0, 0, 1}, /* lr stands in an array */
};

static const struct cf_op ops[N_OPS] = {{PLAIN * CF_MODE, "plain", MT_SET_FLOAT},
                                        {WITH_MOMENTUM * CF_MODE, "momentum", MT_SET_FLOAT},
                                        {NESTEROV * CF_MODE, "nesterov", MT_SET_FLOAT}};

static int valid(const struct cf_case *c) {
	const int64_t *p = c->param;
	if (c->op == PLAIN * CF_MODE && (p[MOMENTUM] || p[DAMPENING] || p[FIRST]))
		return 0;
	return cf_optim_valid(c);
}

/* What one step makes of an element. */
struct element {
	long double param, velocity, param_scale, velocity_scale;
};

static struct element step(const struct mt_sgd_args *a, double lr, double param, double grad, double velocity) {
	long double g = (a->maximize ? -grad : grad) + (long double)a->weight_decay * param;
	long double size = fabs(grad) + fabs(a->weight_decay * param);
	struct element s = {0};
	if (a->velocity != NULL) {
		long double kept = 1 - a->dampening;
		s.velocity = a->first ? g : (long double)a->momentum * velocity + kept * g;
		s.velocity_scale = a->first ? size : fabs(a->momentum * velocity) + kept * size;
		g = a->nesterov ? g + a->momentum * s.velocity : s.velocity;
		size = a->nesterov ? size + a->momentum * s.velocity_scale : s.velocity_scale;
	}
	s.param = param - lr * g;
	s.param_scale = fabs(param) + lr * size;
	return s;
}

static void run(struct cf_run *r, const struct cf_case *c) {
	int32_t mode = c->op / CF_MODE;
	struct cf_array *param = cf_optim_state(r, c, -1, 1), *grad = cf_optim_gradient(r, c);
	struct cf_array *velocity = mode != PLAIN ? cf_optim_state(r, c, -1, 1) : NULL;
	double lr = cf_thousandths(c->param[LR]);
	const struct mt_sgd_args args = {.struct_size = sizeof args,
	                                 .param = &param->array,
	                                 .grad = &grad->array,
	                                 .velocity = cf_operand(velocity),
	                                 .lr = cf_optim_value(r, lr, c->param[DEVICE] ? MT_F64 : 0),
	                                 .momentum = cf_thousandths(c->param[MOMENTUM]),
	                                 .dampening = cf_thousandths(c->param[DAMPENING]),
	                                 .weight_decay = cf_thousandths(c->param[DECAY]),
	                                 .nesterov = mode == NESTEROV,
	                                 .first = (int32_t)c->param[FIRST],
	                                 .maximize = (int32_t)c->param[MAXIMIZE]};
	struct cf_optim_values p = cf_optim_values(r, param), v = cf_optim_values(r, param);
	for (int64_t e = 0; e < param->numel; e++) {
		if (args.first) /* the first velocity is not read */
			cf_set(velocity, e, NAN);
		struct element s = step(&args, lr, param->values[e], grad->values[e], cf_value_or(velocity, e, 0));
		p.value[e] = s.param;
		p.scale[e] = s.param_scale;
		v.value[e] = s.velocity;
		v.scale[e] = s.velocity_scale;
	}
	if (!cf_call(r, MT_K_SGD, &args))
		return;
	cf_check_rounded(r, param, p.value, p.scale, cf_units(MT_K_SGD, 0), "param");
	if (velocity != NULL)
		cf_check_rounded(r, velocity, v.value, v.scale, cf_units(MT_K_SGD, 0), "velocity");
}

static void each(cf_emit_fn emit, void *context) {
	static const int64_t plain[][PARAMS] = {{100}, {0, 0, 0, 10}, {50, 0, 0, 100, 0, 1}, {1000, 0, 0, 0, 0, 0, 1}};
	static const int64_t momentum[][PARAMS] = {{100, 900},          {100, 900, 0, 0, 1},
	                                           {100, 900, 500, 10}, {50, 500, 300, 10, 1, 1, 1},
	                                           {100, 500, 1000},    {100, 900, 0, 10, 0, 1}};
	cf_optim_each(emit, context, &ops[PLAIN], &plain[0][0], sizeof plain / sizeof *plain, PARAMS);
	for (int k = WITH_MOMENTUM; k < N_OPS; k++)
		cf_optim_each(emit, context, &ops[k], &momentum[0][0], sizeof momentum / sizeof *momentum, PARAMS);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	int64_t *p = c->param;
	cf_optim_draw(r, c);
	p[LR] = cf_random_integer(r, 0, 3) ? cf_random_integer(r, 1, 1000) : 0;
	p[DECAY] = cf_random_integer(r, 0, 1) ? cf_random_integer(r, 0, 500) : 0;
	p[MAXIMIZE] = cf_random_integer(r, 0, 3) == 0;
	p[DEVICE] = cf_random_integer(r, 0, 1);
	if (c->op == PLAIN * CF_MODE)
		return;
	p[MOMENTUM] = cf_random_integer(r, 0, 1) ? 900 : cf_random_integer(r, 0, 1000);
	p[DAMPENING] = cf_random_integer(r, 0, 1) ? 0 : cf_random_integer(r, 0, 1000);
	p[FIRST] = cf_random_integer(r, 0, 3) == 0;
}

const struct cf_family cf_sgd_family = {
	.name = "sgd",
	.kernel = MT_K_SGD,
	.ops = ops,
	.n_ops = N_OPS,
	.params = params,
	.n_params = PARAMS,
	.shaped = 1,
	.data = 1 << CF_RANDOM | 1 << CF_SPECIAL,
	.in_place_param = -1,
	.valid = valid,
	.each = each,
	.draw = draw,
	.run = run,
};
