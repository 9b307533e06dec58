/* cross_entropy_grad, from the lse that the forward gives. */
#include <math.h>

#include "dtype.h"
#include "entropy_cases.h"

enum { PARAMS = CF_ENTROPY_BAD };

static void each(cf_emit_fn emit, void *context) {
	cf_entropy_each(emit, context, PARAMS);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	cf_entropy_draw(r, c, PARAMS);
}

static void row_grad(const struct cf_entropy *x, int64_t n, double g, double lse, long double *gx, long double *scale) {
	const double *logits = x->logits->values + n * x->c, s = x->smoothing;
	const long double tiny = cf_tiny(cf_side_dtype(x->logits->array.dtype));
	int64_t t = x->target->integers[n];
	if (t == x->ignore)
		return;
	double hit = (1 - s) * cf_entropy_weight(x, t), share = s / (double)x->c;
	for (int64_t k = 0; k < x->c; k++) {
		long double p = expl(logits[k] - (long double)lse);
		gx[k] = g * (p * (hit + share * x->total_weight) - hit * (k == t) - share * cf_entropy_weight(x, k));
		/* the exponent is off by as much as its terms are large, and a power that is subnormal by its last digits */
		long double off = p > 0 && isfinite(p) ? p * (1 + fabs(logits[k]) + fabs(lse)) + tiny : 0;
		scale[k] = fabs(g) * (hit * (off + (k == t)) + share * (off * x->total_weight + cf_entropy_weight(x, k)));
	}
}

static void run(struct cf_run *r, const struct cf_case *c) {
	struct cf_entropy x = cf_entropy_of(r, c);
	const int64_t shape[] = {x.n, x.c};
	int32_t side = cf_side_dtype(c->dtype);
	struct cf_array *g = cf_input(r, side, 1, shape, c->in, -2, 2);
	struct cf_array *lse = cf_new(r, CF_IN, side, 1, shape, c->out);
	struct cf_array *gx = cf_new(r, CF_OUT, c->dtype, 2, shape, c->out);
	const struct mt_cross_entropy_grad_args args = {.struct_size = sizeof args,
	                                                .logits = &x.logits->array,
	                                                .target = &x.target->array,
	                                                .weight = cf_operand(x.weight),
	                                                .lse = &lse->array,
	                                                .gloss = &g->array,
	                                                .glogits = &gx->array,
	                                                .ignore_index = x.ignore,
	                                                .label_smoothing = x.smoothing};
	/* Logits that lse does not know of, infinite or too large for e^x: so are their gradients. */
	if (c->data == CF_SPECIAL) {
		cf_nn_sprinkle(r, x.logits, CF_INFINITE, 15);
		for (int64_t e = 0; e < x.logits->numel; e += 2)
			if (x.logits->values[e] == (double)INFINITY)
				cf_set(x.logits, e, 1e30 / (double)(1 + e % 7));
	}
	long double *expected = cf_reference(r, gx->numel), *scale = cf_reference(r, gx->numel);
	for (int64_t n = 0; n < x.n; n++) {
		cf_set(lse, n, (double)x.lse[n]);
		row_grad(&x, n, g->values[n], lse->values[n], expected + n * x.c, scale + n * x.c);
	}
	if (cf_call(r, MT_K_CROSS_ENTROPY_GRAD, &args))
		cf_check_rounded(r, gx, expected, scale, cf_units(MT_K_CROSS_ENTROPY_GRAD, 0), "glogits");
}

const struct cf_family cf_cross_entropy_grad_family = {
	.name = "cross_entropy_grad",
	.kernel = MT_K_CROSS_ENTROPY_GRAD,
	.ops = &cf_entropy_op,
	.n_ops = 1,
	.params = cf_entropy_params,
	.n_params = PARAMS,
	.data = 1 << CF_RANDOM | 1 << CF_SPECIAL | 1 << CF_TIES | 1 << CF_WIDE,
	.sides = MT_DTYPE_BIT(MT_I32) | MT_DTYPE_BIT(MT_I64),
	.in_place_param = -1,
	.valid = cf_entropy_valid,
	.each = each,
	.draw = draw,
	.run = run,
};
