/* bernoulli: 1 where the draw lies below p · 2^32.  A NaN for p counts as 0. */
#include <math.h>

#include "random_cases.h"

enum { P = CF_STREAM_PARAMS, NAN_P, PARAMS };

static const struct cf_param params[PARAMS] = {
	{"seed_low", 0, 0, UINT32_MAX},
	{"seed_high", 0, 0, UINT32_MAX},
	{"offset_low", 0, 0, UINT32_MAX},
	{"offset_high", 0, 0, UINT32_MAX},
	{"device", 0, 0, 1},
	{"p", 500, -2000, 3000}, /* thousandths */
	{"nan", 0, 0, 1},
};

static const struct cf_op op = {0, "", MT_SET_ALL};

static void each(cf_emit_fn emit, void *context) {
	static const int64_t rows[][2] = {{500, 0}, {0, 0}, {250, 0}, {1000, 0}, {900, 0}, {-500, 0}, {1500, 0}, {500, 1}};
	cf_stream_each(emit, context, &op, rows, sizeof rows / sizeof *rows);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	cf_stream_draw(r, c);
	c->param[P] = cf_random_integer(r, 0, 7) ? cf_random_integer(r, 0, 1000) : cf_random_integer(r, -2000, 3000);
	c->param[NAN_P] = cf_random_integer(r, 0, 31) == 0;
}

static void run(struct cf_run *r, const struct cf_case *c) {
	struct cf_array *y = cf_new(r, CF_OUT, c->dtype, c->rank, c->shape, c->out);
	struct cf_stream s = cf_stream_of(r, c);
	const struct mt_bernoulli_args args = {.struct_size = sizeof args,
	                                       .out = &y->array,
	                                       .p = c->param[NAN_P] ? NAN : cf_thousandths(c->param[P]),
	                                       .pos = s.pos};
	double clamped = args.p > 0 ? fmin(args.p, 1) : 0;
	long double *expected = cf_reference(r, y->numel);
	for (int64_t e = 0; e < y->numel; e++)
		expected[e] = cf_stream_word(&s, e) < floor(ldexp(clamped, 32));
	if (cf_call(r, MT_K_BERNOULLI, &args))
		cf_check(r, y, expected, NULL, cf_units(MT_K_BERNOULLI, 0), "out");
}

const struct cf_family cf_bernoulli_family = {
	.name = "bernoulli",
	.kernel = MT_K_BERNOULLI,
	.ops = &op,
	.n_ops = 1,
	.params = params,
	.n_params = PARAMS,
	.shaped = 1,
	.data = 1 << CF_RANDOM,
	.in_place_param = -1,
	.valid = cf_stream_valid,
	.each = each,
	.draw = draw,
	.run = run,
};
