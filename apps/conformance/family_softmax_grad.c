/* Gradients of softmax and log_softmax, from any y: what sums to 1 and what doesn't. */
#include <math.h>

#include "softmax_cases.h"

enum { DATA = 1 << CF_RANDOM | 1 << CF_SPECIAL };

static void each(cf_emit_fn emit, void *context) {
	cf_softmax_each(emit, context, DATA);
}

static void grad_lane(const double *g, const double *y, int64_t n, int64_t step, int log, long double *gx,
                      long double *scale) {
	long double sum = 0, size = 0;
	for (int64_t j = 0; j < n * step; j += step) {
		long double term = log ? g[j] : (long double)g[j] * y[j];
		sum += term;
		size += fabsl(term);
	}
	for (int64_t j = 0; j < n * step; j += step) {
		long double factor = log ? expl(y[j]) : y[j];
		gx[j] = log ? g[j] - factor * sum : factor * (g[j] - sum);
		scale[j] = log ? fabs(g[j]) + factor * (1 + fabs(y[j])) * size : fabsl(factor) * (fabs(g[j]) + size);
	}
}

static void run(struct cf_run *r, const struct cf_case *c) {
	int axis = (int)c->param[CF_SOFTMAX_AXIS], log = c->op / CF_MODE;
	int64_t extent = c->shape[axis], step = cf_numel(c->rank - axis - 1, c->shape + axis + 1);
	struct cf_array *g = cf_input(r, c->dtype, c->rank, c->shape, c->in, -3, 3);
	struct cf_array *y = cf_input(r, c->dtype, c->rank, c->shape, c->out, log ? -4 : 0, log ? -0.5 : 1);
	struct cf_array *gx = cf_new(r, CF_OUT, c->dtype, c->rank, c->shape, c->out);
	if (c->data == CF_SPECIAL)
		cf_nn_sprinkle(r, g, CF_NAN | CF_INFINITE | CF_MINUS_INFINITE, 30);
	const struct mt_softmax_grad_args args = {
		.struct_size = sizeof args, .axis = axis, .log = log, .gout = &g->array, .y = &y->array, .gx = &gx->array};
	long double *expected = cf_reference(r, g->numel), *scale = cf_reference(r, g->numel);
	for (int64_t e = 0; e < g->numel; e++)
		if (e / step % extent == 0)
			grad_lane(g->values + e, y->values + e, extent, step, log, expected + e, scale + e);
	if (cf_call(r, MT_K_SOFTMAX_GRAD, &args))
		cf_check_rounded(r, gx, expected, scale, cf_sum_units(MT_K_SOFTMAX_GRAD, extent), "gx");
}

const struct cf_family cf_softmax_grad_family = {
	.name = "softmax_grad",
	.kernel = MT_K_SOFTMAX_GRAD,
	.ops = cf_softmax_ops,
	.n_ops = CF_SOFTMAX_OPS,
	.params = cf_softmax_params,
	.n_params = CF_SOFTMAX_PARAMS,
	.shaped = 1,
	.data = DATA,
	.in_place_param = -1,
	.valid = cf_softmax_valid,
	.each = each,
	.draw = cf_softmax_draw,
	.run = run,
};
