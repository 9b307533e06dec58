/* conv_grad_input: the products of conv's definition, summed for each element of x. */
#include "conv_cases.h"

enum { PARAMS = CF_CONV_LAST + 1 };

static int valid(const struct cf_case *c) {
	return cf_conv_valid(c) && c->param[CF_CONV_N] > 0 && c->param[CF_CONV_CI] > 0;
}

static void each(cf_emit_fn emit, void *context) {
	cf_conv_each(emit, context, PARAMS, CF_CONV_CO);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	cf_conv_draw(r, c, PARAMS);
}

static void run(struct cf_run *r, const struct cf_case *c) {
	struct cf_conv g = cf_conv_of(c);
	struct cf_array *gout = cf_conv_input(r, &g, c->dtype, g.out, c->in);
	struct cf_array *w = cf_conv_input(r, &g, c->dtype, g.weight, c->in);
	struct cf_array *gx = cf_conv_new(r, CF_OUT, &g, c->dtype, g.x, c->out);
	if (c->data == CF_SPECIAL)
		cf_nn_sprinkle(r, gout, CF_NAN | CF_INFINITE | CF_MINUS_INFINITE, 16);
	const struct mt_conv_grad_input_args args = {
		.struct_size = sizeof args, .gout = &gout->array, .weight = &w->array, .gx = &gx->array, .p = g.p};
	const struct cf_array *const operands[] = {[CF_CONV_OUT] = gout, [CF_CONV_WEIGHT] = w, [CF_CONV_X] = NULL};
	long double *value = cf_reference(r, gx->numel), *scale = cf_reference(r, gx->numel);
	cf_conv_sums(&g, CF_CONV_X, operands, value, scale);
	int64_t terms = c->param[CF_CONV_CO] * cf_numel(3, g.weight + 2);
	if (cf_call(r, MT_K_CONV_GRAD_INPUT, &args))
		cf_check_rounded(r, gx, value, scale, cf_sum_units(MT_K_CONV_GRAD_INPUT, terms), "gx");
}

const struct cf_family cf_conv_grad_input_family = {
	.name = "conv_grad_input",
	.kernel = MT_K_CONV_GRAD_INPUT,
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
