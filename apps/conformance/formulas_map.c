/* map_ops.def and activations.def as they are written there. */
#include <math.h>

#include "formulas.h"
#include "mt/plugin.h"

long double cf_sigmoid(long double x) {
	return x >= 0 ? 1 / (1 + expl(-x)) : expl(x) / (1 + expl(x));
}

static long double softplus(long double x) {
	return (x > 0 ? x : x != x ? x : 0) + log1pl(expl(-fabsl(x)));
}

static long double gelu(long double x) {
	return x / 2 * erfcl(-x / sqrtl(2));
}

/* x/2 (1 + tanh u) as x sigmoid(2u): 1 + tanh u has no digits where u is far below 0. */
static long double gelu_tanh(long double x) {
	const long double c = sqrtl(2 / acosl(-1.0L));
	return x * cf_sigmoid(2 * c * (x + 0.044715L * x * x * x));
}

static long double selu(long double x) {
	const long double s = 1.0507009873554805L, a = 1.6732632423543772L;
	return s * (x <= 0 ? a * expm1l(x) : x);
}

static long double hardsigmoid(long double x) {
	long double y = x / 6 + 0.5L;
	return y < 0 ? 0 : y > 1 ? 1 : y;
}

/* min(max(x, p), q): NaN passes, and q wins where p > q. */
static long double clamp(long double x, long double p, long double q) {
	x = x < p ? p : x;
	return x > q ? q : x;
}

long double cf_map_value(int32_t op, long double x, long double p, long double q) {
	switch (op) {
	case MT_MAP_NEG:
		return -x;
	case MT_MAP_ABS:
		return fabsl(x);
	case MT_MAP_SIGN:
		return x > 0 ? 1 : x < 0 ? -1 : x;
	case MT_MAP_EXP:
		return expl(x);
	case MT_MAP_EXPM1:
		return expm1l(x);
	case MT_MAP_LOG:
		return logl(x);
	case MT_MAP_LOG1P:
		return log1pl(x);
	case MT_MAP_SQRT:
		return sqrtl(x);
	case MT_MAP_RSQRT:
		return 1 / sqrtl(x);
	case MT_MAP_SQUARE:
		return x * x;
	case MT_MAP_RECIPROCAL:
		return 1 / x;
	case MT_MAP_SIN:
		return sinl(x);
	case MT_MAP_COS:
		return cosl(x);
	case MT_MAP_TANH:
		return tanhl(x);
	case MT_MAP_SIGMOID:
		return cf_sigmoid(x);
	case MT_MAP_RELU:
		return x <= 0 ? 0 : x;
	case MT_MAP_GELU:
		return gelu(x);
	case MT_MAP_GELU_TANH:
		return gelu_tanh(x);
	case MT_MAP_SILU:
		return x * cf_sigmoid(x);
	case MT_MAP_SOFTPLUS:
		return softplus(x);
	case MT_MAP_ERF:
		return erfl(x);
	case MT_MAP_FLOOR:
		return floorl(x);
	case MT_MAP_CEIL:
		return ceill(x);
	case MT_MAP_ROUND:
		return rintl(x);
	case MT_MAP_TRUNC:
		return truncl(x);
	case MT_MAP_LEAKY_RELU:
		return x <= 0 ? p * x : x;
	case MT_MAP_ELU:
		return x <= 0 ? p * expm1l(x) : x;
	case MT_MAP_CLAMP:
		return clamp(x, p, q);
	case MT_MAP_LOGICAL_NOT:
		return x == 0;
	case MT_MAP_ISNAN:
		return isnan(x) != 0;
	case MT_MAP_ISINF:
		return isinf(x) != 0;
	case MT_MAP_ISFINITE:
		return isfinite(x) != 0;
	case MT_MAP_TAN:
		return tanl(x);
	case MT_MAP_ASIN:
		return asinl(x);
	case MT_MAP_ACOS:
		return acosl(x);
	case MT_MAP_ATAN:
		return atanl(x);
	case MT_MAP_SINH:
		return sinhl(x);
	case MT_MAP_COSH:
		return coshl(x);
	case MT_MAP_ASINH:
		return asinhl(x);
	case MT_MAP_ACOSH:
		return acoshl(x);
	case MT_MAP_ATANH:
		return atanhl(x);
	case MT_MAP_EXP2:
		return exp2l(x);
	case MT_MAP_LOG2:
		return log2l(x);
	case MT_MAP_LOG10:
		return log10l(x);
	case MT_MAP_MISH:
		return x * tanhl(softplus(x));
	case MT_MAP_SELU:
		return selu(x);
	case MT_MAP_HARDSIGMOID:
		return hardsigmoid(x);
	case MT_MAP_HARDSWISH:
		return x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6;
	default:
		return NAN;
	}
}

int64_t cf_add_wrapped(int64_t a, int64_t b) {
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

int64_t cf_mul_wrapped(int64_t a, int64_t b) {
	return (int64_t)((uint64_t)a * (uint64_t)b);
}

int64_t cf_map_integer(int32_t op, int64_t x, int64_t p, int64_t q) {
	switch (op) {
	case MT_MAP_NEG:
		return cf_mul_wrapped(x, -1);
	case MT_MAP_ABS:
		return x < 0 ? cf_mul_wrapped(x, -1) : x;
	case MT_MAP_SIGN:
		return (x > 0) - (x < 0);
	case MT_MAP_SQUARE:
		return cf_mul_wrapped(x, x);
	case MT_MAP_RELU:
		return x <= 0 ? 0 : x;
	case MT_MAP_CLAMP:
		x = x < p ? p : x;
		return x > q ? q : x;
	case MT_MAP_LOGICAL_NOT:
		return x == 0;
	default:
		return 0;
	}
}

long double cf_activation_value(int32_t activation, long double x) {
	switch (activation) {
	case MT_ACT_RELU:
		return x <= 0 ? 0 : x;
	case MT_ACT_SIGMOID:
		return cf_sigmoid(x);
	case MT_ACT_TANH:
		return tanhl(x);
	case MT_ACT_GELU:
		return gelu(x);
	default:
		return x;
	}
}

long double cf_activation_slope(int32_t activation, long double x) {
	switch (activation) {
	case MT_ACT_SIGMOID:
		return cf_sigmoid(x) * cf_sigmoid(-x);
	case MT_ACT_TANH:
		return 1 - tanhl(x) * tanhl(x);
	default:
		return 1; /* gelu's goes up to 1.13; the table's units hold for that too */
	}
}
