/* softmax and log_softmax along an axis. */
#include <math.h>

#include "softmax_cases.h"

enum { DATA = 1 << CF_RANDOM | 1 << CF_SPECIAL | 1 << CF_TIES | 1 << CF_WIDE };

static void each(cf_emit_fn emit, void *context) {
	cf_softmax_each(emit, context, DATA);
}

static double range_of(const struct cf_case *c) {
	return c->data == CF_WIDE ? 2000 : 5; /* e^2000 overflows: the largest has to be taken off first */
}

/* One lane: n elements from x on, step apart. */
static void softmax_lane(const double *x, int64_t n, int64_t step, int log, long double *y, long double *scale) {
	long double top = x[0], sum = 0;
	for (int64_t j = 0; j < n; j++)
		if (isnan(x[j * step]) || x[j * step] > top)
			top = x[j * step];
	for (int64_t j = 0; j < n; j++)
		sum += expl(x[j * step] - top);
	for (int64_t j = 0; j < n; j++) {
		long double d = x[j * step] - top, p = expl(d) / sum;
		y[j * step] = log ? d - logl(sum) : p;
		/* an error of d is carried into e^d; one of the sum, which is near 1 at least, into its logarithm */
		scale[j * step] = log ? fabsl(d) + logl(sum) + 1 : p > 0 ? p * fabsl(d) : 0;
	}
}

static void run(struct cf_run *r, const struct cf_case *c) {
	int axis = (int)c->param[CF_SOFTMAX_AXIS], log = c->op / CF_MODE;
	int64_t extent = c->shape[axis], step = cf_numel(c->rank - axis - 1, c->shape + axis + 1);
	struct cf_array *x = cf_new(r, CF_IN, c->dtype, c->rank, c->shape, c->in);
	struct cf_array *y = cf_new(r, CF_OUT, c->dtype, c->rank, c->shape, c->out);
	cf_fill_data(r, x, c->data == CF_TIES ? CF_TIES : CF_RANDOM, -range_of(c), range_of(c), 0);
	if (c->data == CF_SPECIAL) {
		cf_nn_sprinkle(r, x, CF_MINUS_INFINITE, 3);
		cf_nn_sprinkle(r, x, CF_NAN | CF_INFINITE, 50);
	}
	const struct mt_softmax_args args = {
		.struct_size = sizeof args, .axis = axis, .log = log, .x = &x->array, .out = &y->array};
	long double *expected = cf_reference(r, y->numel), *scale = cf_reference(r, y->numel);
	for (int64_t e = 0; e < y->numel; e++)
		if (e / step % extent == 0)
			softmax_lane(x->values + e, extent, step, log, expected + e, scale + e);
	if (cf_call(r, MT_K_SOFTMAX, &args))
		cf_check_rounded(r, y, expected, scale, cf_sum_units(MT_K_SOFTMAX, extent), "out");
}

const struct cf_family cf_softmax_family = {
	.name = "softmax",
	.kernel = MT_K_SOFTMAX,
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
