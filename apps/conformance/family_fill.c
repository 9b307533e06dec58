/* fill: a number into every dtype and layout, converted as copy does. */
#include <math.h>

#include "families.h"
#include "dtype.h"
#include "values.h"

static const struct cf_op ops[] = {{0, "", MT_SET_ALL}};

/* value: what an i64 holds; an f64 holds a thousandth of it, or a special number. */
enum { TAG, VALUE, SPECIAL, PARAMS };
static const struct cf_param params[PARAMS] = {
	[TAG] = {"tag", MT_SCALAR_F64, MT_SCALAR_I64, MT_SCALAR_F64},
	[VALUE] = {"value", 1000, INT64_MIN, INT64_MAX},
	[SPECIAL] = {"special", 0, 0, 12},
};

/* special = 1 is the first.  The last ones round twice on the way to f16 and bf16 when they go through f32. */
static const double specials[] = {NAN,
                                  INFINITY,
                                  -INFINITY,
                                  -0.0,
                                  0x1.fffffffffffffp1023,
                                  -1e300,
                                  1e-40,
                                  255.9,
                                  -2147483648.9,
                                  0x1.0000000000001p63,
                                  0x1.0020000000001p0,
                                  0x1.0100000000001p0};

static int valid(const struct cf_case *c) {
	return cf_is_filled(c) && (c->param[TAG] == MT_SCALAR_F64 || c->param[SPECIAL] == 0);
}

static int64_t integer_of(int32_t dtype, mt_scalar s) {
	if (s.tag == MT_SCALAR_I64)
		return cf_wrap(dtype, (uint64_t)s.v.i);
	int64_t low = cf_lowest_integer(dtype), high = cf_highest_integer(dtype);
	if (isnan(s.v.f))
		return 0;
	return s.v.f <= (double)low ? low : s.v.f >= (double)high ? high : (int64_t)s.v.f;
}

static void run(struct cf_run *r, const struct cf_case *c) {
	struct cf_array *y = cf_new(r, CF_OUT, c->dtype, c->rank, c->shape, c->out);
	mt_scalar s = {.tag = (int32_t)c->param[TAG]};
	if (s.tag == MT_SCALAR_I64)
		s.v.i = c->param[VALUE];
	else
		s.v.f = c->param[SPECIAL] ? specials[c->param[SPECIAL] - 1] : (double)c->param[VALUE] / 1000;
	const struct mt_fill_args args = {.struct_size = sizeof args, .out = &y->array, .value = s};
	if (!cf_call(r, MT_K_FILL, &args))
		return;
	int64_t *integers = cf_reference_integers(r, y->numel);
	long double *values = cf_reference(r, y->numel), value = s.tag == MT_SCALAR_I64 ? (long double)s.v.i : s.v.f;
	for (int64_t e = 0; e < y->numel; e++) {
		if (y->integers != NULL)
			integers[e] = integer_of(c->dtype, s);
		else
			values[e] = c->dtype == MT_BOOL ? value != 0 : cf_round(c->dtype, value);
	}
	if (y->integers != NULL)
		cf_check_integers(r, y, integers, "out");
	else if (cf_check(r, y, values, NULL, cf_units(MT_K_FILL, 0), "out"))
		cf_check_zeros(r, y, values, "out");
}

static void dtype_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	static const int64_t numbers[] = {2500, -3, 0, 255, 256, 16777217, (INT64_C(1) << 53) + 1, INT64_MIN, INT64_MAX};
	static const int64_t cube[] = {3, 4, 5}, large[] = {340, 300};
	cf_set_shape(&c, 3, cube);
	c.param[VALUE] = 2500;
	for (c.in = CF_CONTIGUOUS, c.out = 0; c.out < CF_OUT_LAYOUTS; c.out++)
		emit(&c, context);
	c.out = CF_STEPPED;
	for (c.param[SPECIAL] = 0; c.param[SPECIAL] <= params[SPECIAL].high; c.param[SPECIAL]++)
		emit(&c, context);
	c.param[SPECIAL] = 0;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		c.param[VALUE] = numbers[i];
		for (c.param[TAG] = MT_SCALAR_I64; c.param[TAG] <= MT_SCALAR_F64; c.param[TAG]++)
			emit(&c, context);
	}
	c.param[TAG] = MT_SCALAR_F64;
	c.param[VALUE] = -1500;
	cf_set_shape(&c, 0, NULL);
	emit(&c, context);
	cf_set_shape(&c, 2, large);
	emit(&c, context);
}

static void each(cf_emit_fn emit, void *context) {
	cf_each_op(&cf_fill_family, dtype_cases, emit, context);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	cf_draw_shape(r, c, 0);
	c->in = CF_CONTIGUOUS;
	c->param[TAG] = cf_random_integer(r, MT_SCALAR_I64, MT_SCALAR_F64);
	c->param[VALUE] = (int64_t)cf_random_bits(r) >> cf_random_integer(r, 0, 63);
	c->param[SPECIAL] = c->param[TAG] == MT_SCALAR_F64 && cf_random_integer(r, 0, 3) == 0
	                        ? cf_random_integer(r, 0, params[SPECIAL].high)
	                        : 0;
}

const struct cf_family cf_fill_family = {
	.name = "fill",
	.kernel = MT_K_FILL,
	.ops = ops,
	.n_ops = 1,
	.params = params,
	.n_params = PARAMS,
	.shaped = 1,
	.data = 1u << CF_RANDOM,
	.in_place_param = -1,
	.valid = valid,
	.each = each,
	.draw = draw,
	.run = run,
};
