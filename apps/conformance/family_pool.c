/* pool: the first largest or NaN, and averages with both ways of counting padding. */
#include <math.h>

#include "pool_cases.h"

static void each(cf_emit_fn emit, void *context) {
	cf_pool_each(emit, context, CF_POOL_PARAMS);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	cf_pool_draw(r, c, CF_POOL_PARAMS);
}

static int64_t winner(const double *values, const int64_t *cells, int64_t n) {
	int64_t best = cells[0];
	for (int64_t i = 1; i < n; i++) {
		double v = values[cells[i]];
		if (!isnan(values[best]) && (isnan(v) || v > values[best]))
			best = cells[i];
	}
	return best;
}

static void run(struct cf_run *r, const struct cf_case *c) {
	struct cf_pool p = cf_pool_of(c);
	struct cf_array *x = cf_new(r, CF_IN, c->dtype, p.rank, p.x, c->in);
	struct cf_array *y = cf_new(r, CF_OUT, c->dtype, p.rank, p.out, c->out);
	struct cf_array *from = c->param[CF_POOL_INDICES] ? cf_new(r, CF_OUT, MT_I32, p.rank, p.out, c->out) : NULL;
	cf_fill_data(r, x, c->data == CF_SPECIAL ? CF_RANDOM : c->data, -4, 4, 0);
	if (c->data == CF_SPECIAL) {
		cf_nn_sprinkle(r, x, CF_MINUS_INFINITE, 2);
		cf_nn_sprinkle(r, x, CF_NAN | CF_INFINITE, 12);
	}
	const struct mt_pool_args args = {.struct_size = sizeof args,
	                                  .op = p.op,
	                                  .x = &x->array,
	                                  .out = &y->array,
	                                  .indices = cf_operand(from),
	                                  .p = p.p};
	long double *expected = cf_reference(r, y->numel), *scale = cf_reference(r, y->numel);
	int64_t *winners = cf_reference_integers(r, y->numel), *cells = cf_reference_integers(r, p.volume), divisor;
	for (int64_t e = 0; e < y->numel; e++) {
		const double *plane = x->values + e / p.outputs * p.plane;
		int64_t n = cf_pool_window(&p, e, cells, &divisor);
		if (p.op == MT_POOL_MAX) {
			winners[e] = winner(plane, cells, n);
			expected[e] = plane[winners[e]];
			continue;
		}
		for (int64_t i = 0; i < n; i++) {
			expected[e] += plane[cells[i]] / (long double)divisor;
			scale[e] += fabs(plane[cells[i]]) / (long double)divisor;
		}
	}
	if (!cf_call(r, MT_K_POOL, &args))
		return;
	if (p.op == MT_POOL_MAX)
		cf_check(r, y, expected, NULL, cf_units(MT_K_POOL, MT_POOL_MAX), "out");
	else
		cf_check_rounded(r, y, expected, scale, cf_sum_units(MT_K_POOL, p.volume), "out");
	if (from != NULL)
		cf_check_integers(r, from, winners, "indices");
}

const struct cf_family cf_pool_family = {
	.name = "pool",
	.kernel = MT_K_POOL,
	.ops = cf_pool_ops,
	.n_ops = CF_POOL_OPS,
	.params = cf_pool_params,
	.n_params = CF_POOL_PARAMS,
	.data = 1 << CF_RANDOM | 1 << CF_SPECIAL | 1 << CF_TIES,
	.in_place_param = -1,
	.valid = cf_pool_valid,
	.each = each,
	.draw = draw,
	.run = run,
};
