/* How far elementary functions of f32, omp's above all, are from the correctly rounded result, in ULP, specials included:
 *
 *     tests/conformance/ulp PLUGIN.so [STRIDE [SAMPLES [NAME [FROM TO]]]]
 *
 * Functions of one argument are computed for every STRIDE-th of the 2^32 floats (4099; 1 is exhaustive), those of two for
 * SAMPLES pairs (2^18), hard ones among them; NAME: of one function alone; FROM, TO: of one argument, for every STRIDE-th float whose
 * magnitude is in that range.  Output is TAP: a line for each function with
 * the greatest error and where it is.  The reference is the C library in double, and in long double for pow.
 *
 * Gradients are those with an upstream gradient of 1.  Where a slope passes zero its relative error has no bound: there
 * ULP are those of the larger of the slope and 1/4. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

enum { BLOCK = 1 << 16 };

#define FLOOR_OF_SLOPE 0.25

/* ---- references --------------------------------------------------------------------------------------------------- */

static double sigmoid(double x) {
	double e = exp(-fabs(x));
	return (x >= 0 ? 1 : e) / (1 + e);
}

static double rsqrt(double x) {
	return 1 / sqrt(x);
}

static double silu(double x) {
	return x * sigmoid(x);
}

static double softplus(double x) {
	return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

static double normal_cdf(double x) {
	return 0.5 * erfc(x * -0.70710678118654752440);
}

static double gelu(double x) {
	return x * normal_cdf(x);
}

static double gelu_tanh_gate(double x) {
	return 1 / (1 + exp(-2 * 0.79788456080286535588 * x * (1 + 0.044715 * x * x)));
}

static double gelu_tanh(double x) {
	return x * gelu_tanh_gate(x);
}

static double mish(double x) {
	double e = exp(-fabs(x)), n = x >= 0 ? 1 + 2 * e : e * (2 + e);
	return x * (n / (n + 2 * (x >= 0 ? e * e : 1)));
}

static double elu(double x) {
	return x <= 0 ? expm1(x) : x;
}

static double selu(double x) {
	return 1.0507009873554805 * (x <= 0 ? 1.6732632423543772 * expm1(x) : x);
}

static double gelu_slope(double x) {
	return normal_cdf(x) + x * (0.39894228040143267794 * exp(-0.5 * x * x));
}

static double gelu_tanh_slope(double x) {
	double s = gelu_tanh_gate(x), minus = gelu_tanh_gate(-x);
	return s + 2 * x * s * minus * 0.79788456080286535588 * (1 + 3 * 0.044715 * x * x);
}

static double silu_slope(double x) {
	return sigmoid(x) * (1 + x * sigmoid(-x));
}

static double mish_slope(double x) {
	double e = exp(-fabs(x)), n = x >= 0 ? 1 + 2 * e : e * (2 + e), d = n + 2 * (x >= 0 ? e * e : 1);
	return (n + 4 * x * (x >= 0 ? e * e : e) * (1 + e) / d) / d;
}

static double erf_slope(double x) {
	return 1.12837916709551257390 * exp(-x * x);
}

static double elu_slope(double x) {
	return x <= 0 ? exp(x) : 1;
}

static double selu_slope(double x) {
	return x <= 0 ? 1.0507009873554805 * 1.6732632423543772 * exp(x) : 1.0507009873554805;
}

static double remainder_of_divisor(double a, double b) {
	double r = fmod(a, b);
	return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

static long double pow_l(double a, double b) {
	return powl(a, b);
}

#define WIDE(f)                                                                                                        \
	static long double f##_l(double a, double b) {                                                                     \
		return f(a, b);                                                                                                \
	}
WIDE(atan2)
WIDE(hypot)
WIDE(fmod)
WIDE(remainder_of_divisor)

/* ---- functions ---------------------------------------------------------------------------------------------------- */

struct one {
	const char *name;
	int32_t op;
	int zip; /* a gradient: an op of zip, its a is 1 */
	double (*f)(double x);
	double floor; /* errors are in ULP of at least this; 0 where they are relative everywhere */
};

static const struct one ones[] = {
	{"exp", MT_MAP_EXP, 0, exp, 0},
	{"exp2", MT_MAP_EXP2, 0, exp2, 0},
	{"expm1", MT_MAP_EXPM1, 0, expm1, 0},
	{"log", MT_MAP_LOG, 0, log, 0},
	{"log2", MT_MAP_LOG2, 0, log2, 0},
	{"log10", MT_MAP_LOG10, 0, log10, 0},
	{"log1p", MT_MAP_LOG1P, 0, log1p, 0},
	{"rsqrt", MT_MAP_RSQRT, 0, rsqrt, 0},
	{"sin", MT_MAP_SIN, 0, sin, 0},
	{"cos", MT_MAP_COS, 0, cos, 0},
	{"tan", MT_MAP_TAN, 0, tan, 0},
	{"asin", MT_MAP_ASIN, 0, asin, 0},
	{"acos", MT_MAP_ACOS, 0, acos, 0},
	{"atan", MT_MAP_ATAN, 0, atan, 0},
	{"sinh", MT_MAP_SINH, 0, sinh, 0},
	{"cosh", MT_MAP_COSH, 0, cosh, 0},
	{"tanh", MT_MAP_TANH, 0, tanh, 0},
	{"asinh", MT_MAP_ASINH, 0, asinh, 0},
	{"acosh", MT_MAP_ACOSH, 0, acosh, 0},
	{"atanh", MT_MAP_ATANH, 0, atanh, 0},
	{"sigmoid", MT_MAP_SIGMOID, 0, sigmoid, 0},
	{"silu", MT_MAP_SILU, 0, silu, 0},
	{"softplus", MT_MAP_SOFTPLUS, 0, softplus, 0},
	{"mish", MT_MAP_MISH, 0, mish, 0},
	{"elu", MT_MAP_ELU, 0, elu, 0},
	{"selu", MT_MAP_SELU, 0, selu, 0},
	{"erf", MT_MAP_ERF, 0, erf, 0},
	{"gelu", MT_MAP_GELU, 0, gelu, 0},
	{"gelu_tanh", MT_MAP_GELU_TANH, 0, gelu_tanh, 0},
	{"gelu_grad", MT_ZIP_GELU_GRAD, 1, gelu_slope, FLOOR_OF_SLOPE},
	{"gelu_tanh_grad", MT_ZIP_GELU_TANH_GRAD, 1, gelu_tanh_slope, FLOOR_OF_SLOPE},
	{"silu_grad", MT_ZIP_SILU_GRAD, 1, silu_slope, FLOOR_OF_SLOPE},
	{"mish_grad", MT_ZIP_MISH_GRAD, 1, mish_slope, FLOOR_OF_SLOPE},
	{"softplus_grad", MT_ZIP_SOFTPLUS_GRAD, 1, sigmoid, 0},
	{"erf_grad", MT_ZIP_ERF_GRAD, 1, erf_slope, 0},
	{"elu_grad", MT_ZIP_ELU_GRAD, 1, elu_slope, 0},
	{"selu_grad", MT_ZIP_SELU_GRAD, 1, selu_slope, 0},
};

static const struct two {
	const char *name;
	int32_t op;
	long double (*f)(double a, double b);
} twos[] = {
	{"pow", MT_ZIP_POW, pow_l},
	{"atan2", MT_ZIP_ATAN2, atan2_l},
	{"hypot", MT_ZIP_HYPOT, hypot_l},
	{"fmod", MT_ZIP_FMOD, fmod_l},
	{"mod", MT_ZIP_MOD, remainder_of_divisor_l},
};

enum { ONES = sizeof ones / sizeof *ones, TWOS = sizeof twos / sizeof *twos };

/* A gradient is the product of several such functions. */
static double allowed(int gradient) {
	return gradient ? 3.0 : 2.0;
}

/* ---- measuring ---------------------------------------------------------------------------------------------------- */

static uint32_t bits_of(float x) {
	uint32_t u;
	memcpy(&u, &x, sizeof u);
	return u;
}

static float from_bits(uint32_t u) {
	float x;
	memcpy(&x, &u, sizeof x);
	return x;
}

/* |y - exact| in ULP of f32 at exact, or at floor where that is larger.  NaN for NaN, an infinity for what rounds to it,
 * and the sign of zero are asked for. */
static double error_of(float y, long double exact, double floor) {
	const long double too_large = 0x1.ffffffp127L; /* half way to 2^128 */
	if (isnan(exact) || isnan(y))
		return isnan(exact) && isnan(y) ? 0 : INFINITY;
	if (exact == 0 && y == 0 && floor == 0)
		return !signbit(exact) == !signbit(y) ? 0 : INFINITY;
	long double size = fabsl(exact) > floor ? fabsl(exact) : floor;
	if (isinf(exact))
		return (long double)y == exact ? 0 : INFINITY;
	/* Beyond the range an infinity stands where 2^128 would. */
	long double given = isinf(y) ? copysignl(0x1p128L, y) : (long double)y;
	if (isinf(y) && fabsl(exact) >= too_large)
		return (y < 0) == (exact < 0) ? 0.5 : INFINITY;
	int exponent = -125;
	if (size >= 0x1p-126L)
		frexpl(size, &exponent);
	if (exponent > 128)
		exponent = 128;
	return (double)(fabsl(given - exact) / ldexpl(1, exponent - 24));
}

/* The same for an exact result of double: what most are, finite and normal, without long double. */
static double error_of_double(float y, double exact, double floor) {
	double size = fmax(fabs(exact), floor);
	if (!(size >= 0x1p-126 && size <= 0x1.fffffep127 && fabsf(y) <= 0x1.fffffep127f))
		return error_of(y, (long double)exact, floor);
	uint64_t u;
	memcpy(&u, &size, sizeof u);
	u = ((uint64_t)(2 * 1023 + 23) << 52) - (u & (uint64_t)0x7FF << 52); /* 2^(23 - exponent) */
	double scale;
	memcpy(&scale, &u, sizeof scale);
	return fabs((double)y - exact) * scale;
}

struct worst {
	double error;
	float a, b;
	int by_neighbours; /* a result was of other bits between other elements */
};

static void report(int number, const char *name, const struct worst *w, int two, int right) {
	printf("%s %d - %s: at most %.3f ULP, at %a", right ? "ok" : "not ok", number, name, w->error, (double)w->a);
	if (two)
		printf(", %a", (double)w->b);
	printf(w->by_neighbours ? "; a result depends on its neighbours\n" : "\n");
	fflush(stdout);
}

static mt_array array_of(float *base) {
	mt_array a = {.base = base, .buffer_bytes = BLOCK * sizeof(float), .dtype = MT_F32, .rank = 1};
	a.shape[0] = BLOCK;
	a.stride[0] = 1;
	return a;
}

static float *buffers; /* six of BLOCK: a, b, out, and the same of another order */

static void call(struct cf_host *h, int zip, int32_t op) {
	mt_array a = array_of(buffers), b = array_of(buffers + BLOCK), out = array_of(buffers + 2 * BLOCK);
	struct mt_zip_args z = {.struct_size = sizeof z, .op = op, .a = &a, .b = &b, .out = &out};
	struct mt_map_args m = {.struct_size = sizeof m, .op = op, .x = &b, .out = &out};
	m.p0.tag = z.p0.tag = MT_SCALAR_F64; /* elu's alpha */
	m.p0.v.f = z.p0.v.f = 1;
	if (cf_host_call(h, zip ? MT_K_ZIP : MT_K_MAP, zip ? (const void *)&z : &m) != MT_OK) {
		printf("Bail out! %s\n", cf_error());
		exit(1);
	}
}

/* Whether the results in the buffers become others in another order of the elements: vectors may go another way for one
 * of their elements, which must not tell in the rest.  (One NaN is as good as another.) */
static int depends_on_order(struct cf_host *h, int zip, int32_t op) {
	float *kept = buffers + 3 * BLOCK, *out = buffers + 2 * BLOCK;
	memcpy(kept, buffers, 3 * BLOCK * sizeof *buffers);
	for (uint32_t i = 0; i < BLOCK; i++)
		for (int k = 0; k < 2; k++)
			buffers[k * BLOCK + (int)i] = kept[k * BLOCK + (int)(i * 40503u % BLOCK)];
	call(h, zip, op);
	int differs = 0;
	for (uint32_t i = 0; i < BLOCK; i++) {
		float before = kept[2 * BLOCK + (int)(i * 40503u % BLOCK)];
		differs |= memcmp(&out[i], &before, sizeof before) != 0 && !(isnan(out[i]) && isnan(before));
	}
	memcpy(buffers, kept, 3 * BLOCK * sizeof *buffers);
	return differs;
}

/* Every stride-th of the floats with bits in [from, to]; *w keeps the worst. */
static void measure_range(struct cf_host *h, const struct one *f, uint32_t stride, uint64_t from, uint64_t to,
                          struct worst *w) {
	float *a = buffers, *x = buffers + BLOCK, *y = buffers + 2 * BLOCK;
	for (int i = 0; i < BLOCK; i++)
		a[i] = 1;
	for (uint64_t u = from; u <= to; u += (uint64_t)stride * BLOCK) {
		for (int i = 0; i < BLOCK; i++) {
			uint64_t bits = u + (uint64_t)i * stride;
			x[i] = from_bits((uint32_t)(bits < to ? bits : to));
		}
		call(h, f->zip, f->op);
		for (int i = 0; i < BLOCK; i++) {
			double e = error_of_double(y[i], f->f((double)x[i]), f->floor);
			if (!(e <= w->error))
				*w = (struct worst){e, x[i], 0, w->by_neighbours};
		}
		w->by_neighbours |= depends_on_order(h, f->zip, f->op);
	}
}

/* range: bits of the least and of the greatest magnitude; NULL: all floats. */
static struct worst measure_one(struct cf_host *h, const struct one *f, uint32_t stride, const uint64_t *range) {
	const uint64_t minus = 0x80000000u;
	struct worst w = {0, 0, 0, 0};
	if (range == NULL) {
		measure_range(h, f, stride, 0, 0xFFFFFFFFu, &w);
		return w;
	}
	measure_range(h, f, stride, range[0], range[1], &w);
	measure_range(h, f, stride, range[0] | minus, range[1] | minus, &w);
	return w;
}

static uint64_t random_state = 88172645463325252u;

static uint64_t random_bits(void) {
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Any bits; both near 1; a^b over the whole range of results, for any a and for a next to 1; whole exponents; specials. */
static void draw_pair(int kind, float *a, float *b) {
	static const float special[] = {0, -0.0f, 1, -1, INFINITY, -INFINITY, NAN, 2, -3, 0.5f, 0x1p-149f, 0x1.fffffep127f};
	uint64_t u = random_bits();
	uint32_t low = (uint32_t)u, high = (uint32_t)(u >> 32);
	*a = from_bits(low);
	*b = from_bits(high);
	switch (kind) {
	case 1:
		*a = from_bits(0x3F000000u + (low & 0x00FFFFFFu));
		*b = from_bits(0x3F000000u + (high & 0x80FFFFFFu));
		break;
	case 2:
		*a = u >> 48 & 1 ? fabsf(*a) : from_bits(0x3F700000u + (low & 0x001FFFFFu));
		*b = (float)(((double)(high % 300000) / 1000 - 150) / log2((double)*a));
		break;
	case 3:
		*a = from_bits((low & 0x87FFFFFFu) + 0x3C000000u);
		*b = (float)((int)(high % 81) - 40);
		break;
	case 4:
		*a = special[low % 12];
		*b = high & 0x80000000u ? special[high % 12] : *b;
		break;
	}
}

static struct worst measure_two(struct cf_host *h, const struct two *f, uint64_t samples) {
	struct worst w = {0, 0, 0, 0};
	float *a = buffers, *b = buffers + BLOCK, *y = buffers + 2 * BLOCK;
	for (uint64_t done = 0; done < samples; done += BLOCK) {
		for (int i = 0; i < BLOCK; i++)
			draw_pair(i % 5, &a[i], &b[i]);
		call(h, 1, f->op);
		for (int i = 0; i < BLOCK; i++) {
			double e = error_of(y[i], f->f((double)a[i], (double)b[i]), 0);
			if (!(e <= w.error))
				w = (struct worst){e, a[i], b[i], w.by_neighbours};
		}
		w.by_neighbours |= depends_on_order(h, 1, f->op);
	}
	return w;
}

int main(int argc, char **argv) {
	const struct cf_target target = {.path = argc > 1 ? argv[1] : ".libs/mt/mt_omp.so", .plain_scratch = 1};
	uint32_t stride = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : 4099;
	uint64_t samples = argc > 3 ? strtoull(argv[3], NULL, 0) : 1 << 18;
	const char *only = argc > 4 ? argv[4] : NULL;
	uint64_t range[2] = {0, 0};
	for (int i = 0; i < 2 && argc > 6; i++)
		range[i] = bits_of(fabsf(strtof(argv[5 + i], NULL)));
	struct cf_host host;
	int failed = 0;
	buffers = malloc(6 * BLOCK * sizeof *buffers);
	if (buffers == NULL || stride == 0 || !cf_host_open(&host, &target, strstr(target.path, "cuda") ? NULL : "1")) {
		printf("Bail out! %s: %s\n", target.path, cf_error());
		return 1;
	}
	printf("1..%d\n", ONES + TWOS);
	for (int i = 0; i < ONES + TWOS; i++) {
		const char *name = i < ONES ? ones[i].name : twos[i - ONES].name;
		if (only != NULL && strcmp(only, name) != 0) {
			printf("ok %d - %s # SKIP\n", i + 1, name);
			continue;
		}
		struct worst w = i < ONES ? measure_one(&host, &ones[i], stride, argc > 6 ? range : NULL)
		                          : measure_two(&host, &twos[i - ONES], samples);
		int right = w.error <= allowed(i < ONES && ones[i].zip) && !w.by_neighbours;
		report(i + 1, name, &w, i >= ONES, right);
		failed += !right;
	}
	cf_host_close(&host);
	free(buffers);
	return failed != 0;
}
