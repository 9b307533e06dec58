/* zip_ops.def as it is written there. */
#include <math.h>

#include "formulas.h"
#include "mt/plugin.h"

static long double floor_mod(long double a, long double b) {
	long double r = fmodl(a, b);
	return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

/* NumPy's and PyTorch's floor division: exact through the remainder, NaN for an infinite a. */
static long double floor_quotient(long double a, long double b) {
	if (b == 0)
		return a / b;
	long double r = fmodl(a, b), q = (a - r) / b;
	return rintl(r != 0 && (r < 0) != (b < 0) ? q - 1 : q);
}

static long double gelu_slope(long double x) {
	const long double pi = acosl(-1.0L);
	return erfcl(-x / sqrtl(2)) / 2 + x * expl(-x * x / 2) / sqrtl(2 * pi);
}

static long double gelu_tanh_slope(long double x) {
	const long double c = sqrtl(2 / acosl(-1.0L)), a = 0.044715L;
	long double u = c * (x + a * x * x * x);
	return cf_sigmoid(2 * u) + 2 * x * cf_sigmoid(2 * u) * cf_sigmoid(-2 * u) * c * (1 + 3 * a * x * x);
}

static long double silu_slope(long double x) {
	long double s = cf_sigmoid(x);
	return s * (1 + x * (1 - s));
}

static long double mish_slope(long double x) {
	long double t = tanhl((x > 0 ? x : 0) + log1pl(expl(-fabsl(x))));
	return t + x * (1 - t * t) * cf_sigmoid(x);
}

static long double selu_slope(long double x) {
	const long double s = 1.0507009873554805L, a = 1.6732632423543772L;
	return s * (x <= 0 ? a * expl(x) : 1);
}

/* a is the upstream gradient g, b is x or y of the forward op. */
static long double gradient(int32_t op, long double a, long double b, long double p, long double q) {
	switch (op) {
	case MT_ZIP_ABS_GRAD:
		return a * (b > 0 ? 1 : b < 0 ? -1 : b);
	case MT_ZIP_SQRT_GRAD:
		return a / (2 * b);
	case MT_ZIP_RSQRT_GRAD:
		return -a * b * b * b / 2;
	case MT_ZIP_TANH_GRAD:
		return a * (1 - b * b);
	case MT_ZIP_SIGMOID_GRAD:
		return a * b * (1 - b);
	case MT_ZIP_RELU_GRAD:
		return b <= 0 ? 0 : a;
	case MT_ZIP_GELU_GRAD:
		return a * gelu_slope(b);
	case MT_ZIP_GELU_TANH_GRAD:
		return a * gelu_tanh_slope(b);
	case MT_ZIP_SILU_GRAD:
		return a * silu_slope(b);
	case MT_ZIP_SOFTPLUS_GRAD:
		return a * cf_sigmoid(b);
	case MT_ZIP_ERF_GRAD:
		return a * 2 / sqrtl(acosl(-1.0L)) * expl(-b * b);
	case MT_ZIP_LEAKY_RELU_GRAD:
		return b <= 0 ? p * a : a;
	case MT_ZIP_ELU_GRAD:
		return b <= 0 ? p * a * expl(b) : a;
	case MT_ZIP_CLAMP_GRAD:
		return b < p || b > q ? 0 : a;
	case MT_ZIP_MISH_GRAD:
		return a * mish_slope(b);
	case MT_ZIP_SELU_GRAD:
		return a * selu_slope(b);
	case MT_ZIP_HARDSIGMOID_GRAD:
		return b <= -3 || b >= 3 ? 0 : a / 6;
	case MT_ZIP_HARDSWISH_GRAD:
		return b <= -3 ? 0 : b >= 3 ? a : a * (2 * b + 3) / 6;
	default:
		return NAN;
	}
}

long double cf_zip_value(int32_t op, long double a, long double b, long double p, long double q) {
	switch (op) {
	case MT_ZIP_ADD:
		return a + b;
	case MT_ZIP_SUB:
		return a - b;
	case MT_ZIP_MUL:
		return a * b;
	case MT_ZIP_DIV:
		return a / b;
	case MT_ZIP_POW:
		return powl(a, b);
	case MT_ZIP_MAX:
		return isnan(a) || isnan(b) ? NAN : a > b ? a : b;
	case MT_ZIP_MIN:
		return isnan(a) || isnan(b) ? NAN : a < b ? a : b;
	case MT_ZIP_MOD:
		return floor_mod(a, b);
	case MT_ZIP_FLOOR_DIV:
		return floor_quotient(a, b);
	case MT_ZIP_ATAN2:
		return atan2l(a, b);
	case MT_ZIP_LT:
		return a < b;
	case MT_ZIP_LE:
		return a <= b;
	case MT_ZIP_GT:
		return a > b;
	case MT_ZIP_GE:
		return a >= b;
	case MT_ZIP_EQ:
		return a == b;
	case MT_ZIP_NE:
		return a != b;
	case MT_ZIP_LOGICAL_AND:
		return a != 0 && b != 0;
	case MT_ZIP_LOGICAL_OR:
		return a != 0 || b != 0;
	case MT_ZIP_LOGICAL_XOR:
		return (a != 0) != (b != 0);
	case MT_ZIP_FMOD:
		return fmodl(a, b);
	case MT_ZIP_HYPOT:
		return hypotl(a, b);
	case MT_ZIP_COPYSIGN:
		return copysignl(a, b);
	default:
		return gradient(op, a, b, p, q);
	}
}

/* a^b modulo 2^64 by squaring; 1/a^−b truncated toward zero. */
static int64_t power(int64_t a, int64_t b) {
	if (b < 0)
		return a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : 0;
	int64_t y = 1;
	for (; b > 0; b /= 2) {
		if (b % 2)
			y = cf_mul_wrapped(y, a);
		a = cf_mul_wrapped(a, a);
	}
	return y;
}

/* The remainder with a's sign.  By −1 apart: the lowest integer has no quotient. */
static int64_t remainder_of(int64_t a, int64_t b) {
	return b == 0 || b == -1 ? 0 : a % b;
}

static int64_t floor_mod_integer(int64_t a, int64_t b) {
	int64_t r = remainder_of(a, b);
	return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

static int64_t floor_quotient_integer(int64_t a, int64_t b) {
	if (b == 0 || b == -1)
		return cf_mul_wrapped(a, b);
	return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

int64_t cf_zip_integer(int32_t op, int64_t a, int64_t b) {
	switch (op) {
	case MT_ZIP_ADD:
		return cf_add_wrapped(a, b);
	case MT_ZIP_SUB:
		return cf_add_wrapped(a, cf_mul_wrapped(b, -1));
	case MT_ZIP_MUL:
		return cf_mul_wrapped(a, b);
	case MT_ZIP_POW:
		return power(a, b);
	case MT_ZIP_MAX:
		return a > b ? a : b;
	case MT_ZIP_MIN:
		return a < b ? a : b;
	case MT_ZIP_MOD:
		return floor_mod_integer(a, b);
	case MT_ZIP_FLOOR_DIV:
		return floor_quotient_integer(a, b);
	case MT_ZIP_FMOD:
		return remainder_of(a, b);
	case MT_ZIP_LT:
		return a < b;
	case MT_ZIP_LE:
		return a <= b;
	case MT_ZIP_GT:
		return a > b;
	case MT_ZIP_GE:
		return a >= b;
	case MT_ZIP_EQ:
		return a == b;
	case MT_ZIP_NE:
		return a != b;
	case MT_ZIP_LOGICAL_AND:
		return a != 0 && b != 0;
	case MT_ZIP_LOGICAL_OR:
		return a != 0 || b != 0;
	case MT_ZIP_LOGICAL_XOR:
		return (a != 0) != (b != 0);
	default:
		return 0;
	}
}

int cf_zip_bool(int32_t op, int a, int b) {
	switch (op) {
	case MT_ZIP_ADD:
	case MT_ZIP_MAX:
		return a || b;
	case MT_ZIP_MUL:
	case MT_ZIP_MIN:
		return a && b;
	default:
		return cf_zip_integer(op, a, b) != 0;
	}
}
