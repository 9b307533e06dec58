/* cross_entropy: the loss of each row and its ln Σ e^x. */
#include <math.h>

#include "entropy_cases.h"

static void each(cf_emit_fn emit, void *context) {
	cf_entropy_each(emit, context, CF_ENTROPY_PARAMS);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	cf_entropy_draw(r, c, CF_ENTROPY_PARAMS);
}

/* Adds weight · (lse − x); to scale the magnitudes, and what the sum of exponentials, which is 1 at least, is off. */
static void add(double weight, long double lse, double x, long double *loss, long double *scale) {
	*loss += weight * (lse - x);
	*scale += weight * (fabsl(lse) + fabs(x) + 1);
}

static void row_loss(const struct cf_entropy *x, int64_t n, long double *loss, long double *scale) {
	const double *logits = x->logits->values + n * x->c, s = x->smoothing;
	int64_t t = x->target->integers[n];
	if (t == x->ignore)
		return;
	add((1 - s) * cf_entropy_weight(x, t), x->lse[n], logits[t], loss, scale);
	for (int64_t k = 0; k < x->c && s > 0; k++)
		add(s / (double)x->c * cf_entropy_weight(x, k), x->lse[n], logits[k], loss, scale);
}

static void run(struct cf_run *r, const struct cf_case *c) {
	struct cf_entropy x = cf_entropy_of(r, c);
	int32_t side = cf_side_dtype(c->dtype);
	struct cf_array *loss = cf_new(r, CF_OUT, side, 1, &x.n, c->out), *lse = cf_new(r, CF_OUT, side, 1, &x.n, c->out);
	const struct mt_cross_entropy_args args = {.struct_size = sizeof args,
	                                           .logits = &x.logits->array,
	                                           .target = &x.target->array,
	                                           .weight = cf_operand(x.weight),
	                                           .loss = &loss->array,
	                                           .lse = &lse->array,
	                                           .ignore_index = x.ignore,
	                                           .label_smoothing = x.smoothing};
	if (c->param[CF_ENTROPY_BAD] != 0) {
		cf_call_refused(r, MT_K_CROSS_ENTROPY, &args, MT_E_ARG);
		return;
	}
	long double *expected = cf_reference(r, x.n), *scale = cf_reference(r, x.n), *ones = cf_reference(r, x.n);
	for (int64_t n = 0; n < x.n; n++) {
		row_loss(&x, n, expected + n, scale + n);
		ones[n] = 1; /* the logarithm of a sum that is itself off */
	}
	double units = cf_sum_units(MT_K_CROSS_ENTROPY, x.c);
	if (!cf_call(r, MT_K_CROSS_ENTROPY, &args))
		return;
	cf_check(r, loss, expected, scale, units, "loss");
	cf_check(r, lse, x.lse, ones, units, "lse");
}

const struct cf_family cf_cross_entropy_family = {
	.name = "cross_entropy",
	.kernel = MT_K_CROSS_ENTROPY,
	.ops = &cf_entropy_op,
	.n_ops = 1,
	.params = cf_entropy_params,
	.n_params = CF_ENTROPY_PARAMS,
	.data = 1 << CF_RANDOM | 1 << CF_SPECIAL | 1 << CF_TIES | 1 << CF_WIDE,
	.sides = MT_DTYPE_BIT(MT_I32) | MT_DTYPE_BIT(MT_I64),
	.in_place_param = -1,
	.valid = cf_entropy_valid,
	.each = each,
	.draw = draw,
	.run = run,
};
