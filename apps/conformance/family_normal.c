/* normal: the bits of mt/philox.h, which are a part of the specification; the deviates that Box and Muller mean, in
 * long double; and, where there are many, their moments. */
#include <math.h>

#include "mt/philox.h"
#include "random_cases.h"

enum { MEAN = CF_STREAM_PARAMS, STD, PARAMS };

static const struct cf_param params[PARAMS] = {
	{"seed_low", 0, 0, UINT32_MAX},
	{"seed_high", 0, 0, UINT32_MAX},
	{"offset_low", 0, 0, UINT32_MAX},
	{"offset_high", 0, 0, UINT32_MAX},
	{"device", 0, 0, 1},
	{"mean", 0, -1000000, 1000000}, /* thousandths */
	{"std", 1000, 0, 1000000},      /* thousandths */
};

static const struct cf_op op = {0, "", MT_SET_FLOAT};

enum { MANY = 65536 };

static void each(cf_emit_fn emit, void *context) {
	static const int64_t rows[][2] = {{0, 1000}, {3000, 500}, {-1000, 2500}, {700, 0}};
	cf_stream_each(emit, context, &op, rows, sizeof rows / sizeof *rows);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	cf_stream_draw(r, c);
	c->param[MEAN] = cf_random_integer(r, 0, 1) ? cf_random_integer(r, -10000, 10000) : 0;
	c->param[STD] = cf_random_integer(r, 0, 1) ? cf_random_integer(r, 0, 5000) : 1000;
}

/* Box and Muller 1958: elements 2j and 2j + 1 share two draws. */
static long double box_muller(const struct cf_stream *s, int32_t dtype, int64_t e) {
	const long double two_pi = 2 * acosl(-1.0L);
	int64_t even = e - e % 2;
	long double u, turn;
	if (dtype == MT_F64) {
		u = ((long double)(cf_stream_wide(s, even) >> 11) + 1) * 0x1p-53L;
		turn = (long double)cf_stream_wide(s, even + 1) * 0x1p-64L;
	} else {
		u = ((long double)(cf_stream_word(s, even) >> 8) + 1) * 0x1p-24L;
		turn = (long double)cf_stream_word(s, even + 1) * 0x1p-32L;
	}
	long double radius = sqrtl(-2 * logl(u));
	return e % 2 ? radius * sinl(two_pi * turn) : radius * cosl(two_pi * turn);
}

/* The deviate that the specification's polynomials give. */
static double specified(const struct cf_stream *s, int32_t dtype, int64_t e) {
	int64_t even = e - e % 2;
	if (dtype == MT_F64) {
		double z[2];
		mt_normal_pair_f64(cf_stream_wide(s, even), cf_stream_wide(s, even + 1), &z[0], &z[1]);
		return z[e % 2];
	}
	float z[2];
	mt_normal_pair_f32(cf_stream_word(s, even), cf_stream_word(s, even + 1), &z[0], &z[1]);
	return z[e % 2];
}

/* Of n standard deviates: each moment within five standard errors. */
static void check_moments(struct cf_run *r, const struct cf_array *y, double mean, double std) {
	static const double expected[] = {0, 0, 1, 0, 3}, variances[] = {0, 1, 2, 15, 96};
	double n = (double)y->numel;
	for (int k = 1; k <= 4; k++) {
		double moment = 0, error = 5 * sqrt(variances[k] / n);
		for (int64_t e = 0; e < y->numel; e++)
			moment += pow((y->values[e] - mean) / std, k) / n;
		if (!(fabs(moment - expected[k]) <= error))
			cf_fail(r, "moment %d of %.0f standard deviates is %g: not %g within %g", k, n, moment, expected[k], error);
	}
}

static void run(struct cf_run *r, const struct cf_case *c) {
	struct cf_array *y = cf_new(r, CF_OUT, c->dtype, c->rank, c->shape, c->out);
	struct cf_stream s = cf_stream_of(r, c);
	const struct mt_normal_args args = {.struct_size = sizeof args,
	                                    .out = &y->array,
	                                    .mean = cf_thousandths(c->param[MEAN]),
	                                    .std = cf_thousandths(c->param[STD]),
	                                    .pos = s.pos};
	int32_t side = cf_side_dtype(c->dtype);
	double mean = cf_round(side, args.mean), std = cf_round(side, args.std);
	long double *exact = cf_reference(r, y->numel), *scale = cf_reference(r, y->numel),
				*bits = cf_reference(r, y->numel);
	for (int64_t e = 0; e < y->numel; e++) {
		double z = specified(&s, c->dtype, e);
		exact[e] = mean + std * box_muller(&s, c->dtype, e);
		scale[e] = fabs(mean) + 4 * std; /* a sine near a multiple of pi keeps its absolute, not its relative error */
		bits[e] = cf_round(c->dtype, side == MT_F32 ? fmaf((float)std, (float)z, (float)mean) : fma(std, z, mean));
	}
	if (!cf_call(r, MT_K_NORMAL, &args))
		return;
	cf_check(r, y, bits, NULL, 0, "out");
	cf_check_rounded(r, y, exact, scale, cf_units(MT_K_NORMAL, 0), "out");
	if (y->numel > MANY && std > 0)
		check_moments(r, y, mean, std);
}

const struct cf_family cf_normal_family = {
	.name = "normal",
	.kernel = MT_K_NORMAL,
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
