/* uniform: the bits that docs/random.md says. */
#include <math.h>

#include "random_cases.h"

enum { LOW = CF_STREAM_PARAMS, HIGH, PARAMS };

static const struct cf_param params[PARAMS] = {
	{"seed_low", 0, 0, UINT32_MAX},
	{"seed_high", 0, 0, UINT32_MAX},
	{"offset_low", 0, 0, UINT32_MAX},
	{"offset_high", 0, 0, UINT32_MAX},
	{"device", 0, 0, 1},
	{"low", 0, -60000000, 60000000},     /* thousandths */
	{"high", 1000, -60000000, 60000000}, /* thousandths */
};

static const struct cf_op op = {0, "", MT_SET_FLOAT};

static void each(cf_emit_fn emit, void *context) {
	static const int64_t rows[][2] = {{0, 1000},      {-3000, 5000}, {100, 101},
	                                  {-7000, -2000}, {2000, 2000},  {1000, -1000}};
	cf_stream_each(emit, context, &op, rows, sizeof rows / sizeof *rows);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	cf_stream_draw(r, c);
	c->param[LOW] = cf_random_integer(r, 0, 2) ? cf_random_integer(r, -10000, 10000) : 0;
	c->param[HIGH] = c->param[LOW] + cf_random_integer(r, 0, 9) * cf_random_integer(r, -1, 5000);
}

/* Toward zero to the dtype's digits. */
static double truncated(int32_t dtype, double v) {
	double nearest = cf_round(dtype, v);
	if (fabs(nearest) <= fabs(v))
		return nearest;
	int exponent = ilogb(nearest);
	double unit = ldexp(cf_unit(dtype), exponent + 1), least = cf_tiny(dtype) * cf_unit(dtype) * 2;
	if (ldexp(1, exponent) == fabs(nearest)) /* the step below a power of two is half as large */
		unit /= 2;
	unit = unit > least ? unit : least;
	return nearest > 0 ? nearest - unit : nearest + unit;
}

/* The largest value of the dtype below x: x less a step, a step at a time ever smaller. */
static double below(int32_t dtype, double x) {
	if (dtype == MT_F64)
		return nextafter(x, -INFINITY);
	if (dtype == MT_F32)
		return nextafterf((float)x, -INFINITY);
	double least = cf_tiny(dtype) * cf_unit(dtype) * 2, unit = x == 0 ? least : ldexp(cf_unit(dtype), ilogb(x) + 1);
	if (x > 0 && ldexp(1, ilogb(x)) == x)
		unit /= 2;
	return x - (unit > least ? unit : least);
}

static double value_of(const struct cf_stream *s, int32_t dtype, int64_t e, double low, double high) {
	double v;
	if (low >= high)
		return low;
	if (dtype == MT_F64)
		v = fma(ldexp((double)(cf_stream_wide(s, e) >> 11), -53), high - low, low);
	else {
		int bits = dtype == MT_F32 ? 24 : dtype == MT_F16 ? 11 : 8;
		float span = (float)high - (float)low;
		v = fmaf(ldexpf((float)(cf_stream_word(s, e) >> (32 - bits)), -bits), span, (float)low);
		v = dtype == MT_F32 ? v : truncated(dtype, v);
	}
	return v < high ? v : below(dtype, high);
}

static void run(struct cf_run *r, const struct cf_case *c) {
	struct cf_array *y = cf_new(r, CF_OUT, c->dtype, c->rank, c->shape, c->out);
	struct cf_stream s = cf_stream_of(r, c);
	const struct mt_uniform_args args = {.struct_size = sizeof args,
	                                     .out = &y->array,
	                                     .low = cf_thousandths(c->param[LOW]),
	                                     .high = cf_thousandths(c->param[HIGH]),
	                                     .pos = s.pos};
	long double *expected = cf_reference(r, y->numel);
	double low = cf_round(c->dtype, args.low), high = cf_round(c->dtype, args.high);
	for (int64_t e = 0; e < y->numel; e++)
		expected[e] = value_of(&s, c->dtype, e, low, high);
	if (cf_call(r, MT_K_UNIFORM, &args))
		cf_check(r, y, expected, NULL, cf_units(MT_K_UNIFORM, 0), "out");
}

const struct cf_family cf_uniform_family = {
	.name = "uniform",
	.kernel = MT_K_UNIFORM,
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
