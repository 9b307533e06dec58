/* conv_grad_weight: the products of conv's definition, summed for each weight; and the bias's gradient. */
#include <math.h>

#include "conv_cases.h"

enum { PARAMS = CF_CONV_BIAS + 1 };

static int valid(const struct cf_case *c) {
	return cf_conv_valid(c) && c->param[CF_CONV_CI] > 0 && c->param[CF_CONV_CO] > 0;
}

static void each(cf_emit_fn emit, void *context) {
	cf_conv_each(emit, context, PARAMS, CF_CONV_N);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	cf_conv_draw(r, c, PARAMS);
}

static void check_bias(struct cf_run *r, const struct cf_conv *g, const struct cf_array *gout,
                       const struct cf_array *gbias, double units) {
	long double *value = cf_reference(r, gbias->numel), *scale = cf_reference(r, gbias->numel);
	int64_t spatial = cf_numel(3, g->out + 2);
	for (int64_t e = 0; e < gout->numel; e++) {
		value[e / spatial % g->out[1]] += gout->values[e];
		scale[e / spatial % g->out[1]] += fabs(gout->values[e]);
	}
	cf_check_rounded(r, gbias, value, scale, units, "gbias");
}

static void run(struct cf_run *r, const struct cf_case *c) {
	struct cf_conv g = cf_conv_of(c);
	struct cf_array *gout = cf_conv_input(r, &g, c->dtype, g.out, c->in);
	struct cf_array *x = cf_conv_input(r, &g, c->dtype, g.x, c->in);
	struct cf_array *gw = cf_conv_new(r, CF_OUT, &g, c->dtype, g.weight, c->out);
	struct cf_array *gb = c->param[CF_CONV_BIAS] ? cf_new(r, CF_OUT, c->dtype, 1, g.out + 1, c->out) : NULL;
	if (c->data == CF_SPECIAL)
		cf_nn_sprinkle(r, x, CF_NAN | CF_INFINITE | CF_MINUS_INFINITE, 16);
	const struct mt_conv_grad_weight_args args = {.struct_size = sizeof args,
	                                              .gout = &gout->array,
	                                              .x = &x->array,
	                                              .gweight = &gw->array,
	                                              .gbias = cf_operand(gb),
	                                              .p = g.p};
	const struct cf_array *const operands[] = {[CF_CONV_OUT] = gout, [CF_CONV_WEIGHT] = NULL, [CF_CONV_X] = x};
	long double *value = cf_reference(r, gw->numel), *scale = cf_reference(r, gw->numel);
	cf_conv_sums(&g, CF_CONV_WEIGHT, operands, value, scale);
	double units = cf_sum_units(MT_K_CONV_GRAD_WEIGHT, g.out[0] * cf_numel(3, g.out + 2));
	if (!cf_call(r, MT_K_CONV_GRAD_WEIGHT, &args))
		return;
	cf_check_rounded(r, gw, value, scale, units, "gweight");
	if (gb != NULL)
		check_bias(r, &g, gout, gb, units);
}

const struct cf_family cf_conv_grad_weight_family = {
	.name = "conv_grad_weight",
	.kernel = MT_K_CONV_GRAD_WEIGHT,
	.ops = cf_conv_ops,
	.n_ops = MT_MAX_SPATIAL,
	.params = cf_conv_params,
	.n_params = PARAMS,
	.data = 1 << CF_RANDOM | 1 << CF_SPECIAL,
	.in_place_param = -1,
	.valid = valid,
	.each = each,
	.draw = draw,
	.run = run,
};
