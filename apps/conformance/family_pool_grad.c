/* pool_grad: max gives to the cell that indices name, any one of its window; avg to all of it. */
#include <math.h>

#include "pool_cases.h"

enum { PARAMS = CF_POOL_INDICES };

static void each(cf_emit_fn emit, void *context) {
	cf_pool_each(emit, context, PARAMS);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	cf_pool_draw(r, c, PARAMS);
}

static void run(struct cf_run *r, const struct cf_case *c) {
	struct cf_pool p = cf_pool_of(c);
	int is_max = p.op == MT_POOL_MAX;
	struct cf_array *g = cf_input(r, c->dtype, p.rank, p.out, c->in, -4, 4);
	struct cf_array *from = is_max ? cf_new(r, CF_IN, MT_I32, p.rank, p.out, c->in % CF_OUT_LAYOUTS) : NULL;
	struct cf_array *gx = cf_new(r, CF_OUT, c->dtype, p.rank, p.x, c->out);
	if (c->data == CF_SPECIAL)
		cf_nn_sprinkle(r, g, CF_NAN | CF_INFINITE | CF_MINUS_INFINITE, 8);
	const struct mt_pool_grad_args args = {.struct_size = sizeof args,
	                                       .op = p.op,
	                                       .gout = &g->array,
	                                       .indices = cf_operand(from),
	                                       .gx = &gx->array,
	                                       .p = p.p};
	long double *expected = cf_reference(r, gx->numel), *scale = cf_reference(r, gx->numel);
	int64_t *cells = cf_reference_integers(r, p.volume), divisor;
	for (int64_t e = 0; e < g->numel; e++) {
		int64_t n = cf_pool_window(&p, e, cells, &divisor), plane = e / p.outputs * p.plane;
		int64_t first = is_max ? cf_random_integer(cf_numbers(r), 0, n - 1) : 0, past = is_max ? first + 1 : n;
		long double share = is_max ? g->values[e] : g->values[e] / (long double)divisor;
		if (is_max)
			cf_set_integer(from, e, cells[first]);
		for (int64_t i = first; i < past; i++) {
			expected[plane + cells[i]] += share;
			scale[plane + cells[i]] += fabsl(share);
		}
	}
	if (cf_call(r, MT_K_POOL_GRAD, &args))
		cf_check_rounded(r, gx, expected, scale, cf_sum_units(MT_K_POOL_GRAD, p.volume), "gx");
}

const struct cf_family cf_pool_grad_family = {
	.name = "pool_grad",
	.kernel = MT_K_POOL_GRAD,
	.ops = cf_pool_ops,
	.n_ops = CF_POOL_OPS,
	.params = cf_pool_params,
	.n_params = PARAMS,
	.data = 1 << CF_RANDOM | 1 << CF_SPECIAL,
	.in_place_param = -1,
	.valid = cf_pool_valid,
	.each = each,
	.draw = draw,
	.run = run,
};
