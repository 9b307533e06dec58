/* conv against its definition, in long double. */
#include <math.h>

#include "conv_cases.h"

static int valid(const struct cf_case *c) {
	return cf_conv_valid(c) && c->param[CF_CONV_N] > 0 && c->param[CF_CONV_CO] > 0;
}

static void each(cf_emit_fn emit, void *context) {
	cf_conv_each(emit, context, CF_CONV_PARAMS, CF_CONV_CI);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	cf_conv_draw(r, c, CF_CONV_PARAMS);
}

static long double activated(int64_t activation, long double x) {
	switch (activation) {
	case MT_ACT_RELU:
		return x <= 0 ? 0 : x;
	case MT_ACT_SIGMOID:
		return 1 / (1 + expl(-x));
	case MT_ACT_TANH:
		return tanhl(x);
	case MT_ACT_GELU:
		return x / 2 * (1 + erfl(x / sqrtl(2)));
	default:
		return x;
	}
}

static void run(struct cf_run *r, const struct cf_case *c) {
	struct cf_conv g = cf_conv_of(c);
	int64_t spatial = cf_numel(3, g.out + 2), activation = c->param[CF_CONV_ACTIVATION];
	struct cf_array *x = cf_conv_input(r, &g, c->dtype, g.x, c->in);
	struct cf_array *w = cf_conv_input(r, &g, c->dtype, g.weight, c->in);
	struct cf_array *b = cf_input_if(r, c->param[CF_CONV_BIAS], c->dtype, g.out[1], c->in, -2, 2);
	struct cf_array *y = cf_conv_new(r, CF_OUT, &g, c->dtype, g.out, c->out);
	if (c->data == CF_SPECIAL)
		cf_nn_sprinkle(r, x, CF_NAN | CF_INFINITE | CF_MINUS_INFINITE, 16);
	const struct mt_conv_args args = {.struct_size = sizeof args,
	                                  .x = &x->array,
	                                  .weight = &w->array,
	                                  .bias = cf_operand(b),
	                                  .out = &y->array,
	                                  .p = g.p,
	                                  .activation = (int32_t)activation};
	const struct cf_array *const operands[] = {[CF_CONV_WEIGHT] = w, [CF_CONV_X] = x};
	long double *value = cf_reference(r, y->numel), *scale = cf_reference(r, y->numel);
	cf_conv_sums(&g, CF_CONV_OUT, operands, value, scale);
	for (int64_t e = 0; e < y->numel; e++) {
		double offset = cf_value_or(b, e / spatial % g.out[1], 0);
		scale[e] += fabs(offset);
		value[e] = activated(activation, value[e] + offset);
	}
	if (cf_call(r, MT_K_CONV, &args))
		cf_check_rounded(r, y, value, scale, cf_sum_units(MT_K_CONV, cf_numel(4, g.weight + 1)), "out");
}

const struct cf_family cf_conv_family = {
	.name = "conv",
	.kernel = MT_K_CONV,
	.ops = cf_conv_ops,
	.n_ops = MT_MAX_SPATIAL,
	.params = cf_conv_params,
	.n_params = CF_CONV_PARAMS,
	.data = 1 << CF_RANDOM | 1 << CF_SPECIAL,
	.in_place_param = -1,
	.valid = valid,
	.each = each,
	.draw = draw,
	.run = run,
};
