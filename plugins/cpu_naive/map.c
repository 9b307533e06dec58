/* map: y = f(x).  The two functions below are the ops; a switch that misses one does not compile. */
#pragma GCC diagnostic error "-Wswitch"
#include <math.h>

#include "element.h"
#include "integer.h"
#include "lines.h"

static double sigmoid(double x) {
	return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

/* x/2 (1 + tanh u) = x sigmoid(2u), which keeps its digits where tanh u is near -1. */
static double gelu_tanh(double x) {
	return x * sigmoid(2 * sqrt(2 / M_PI) * (x + 0.044715 * x * x * x));
}

/* x tanh(softplus(x)).  With e = e^-|x|, tanh(ln(1 + e^x)) is a quotient of positive terms: nothing cancels. */
static double mish(double x) {
	double e = exp(-fabs(x));
	return x * (x >= 0 ? (1 + 2 * e) / (1 + 2 * e + 2 * e * e) : e * (2 + e) / (2 + e * (2 + e)));
}

static double selu(double x) {
	return 1.0507009873554805 * (x <= 0 ? 1.6732632423543772 * expm1(x) : x);
}

static double hardsigmoid(double x) {
	return x <= -3 ? 0 : x >= 3 ? 1 : (x + 3) / 6;
}

static double hardswish(double x) {
	return x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6;
}

double mt__naive_map_float(int32_t op, double x, double p, double q) {
	switch ((enum mt_map_id)op) {
	case MT_MAP_NEG:
		return -x;
	case MT_MAP_ABS:
		return fabs(x);
	case MT_MAP_SIGN:
		return x > 0 ? 1 : x < 0 ? -1 : x;
	case MT_MAP_EXP:
		return exp(x);
	case MT_MAP_EXPM1:
		return expm1(x);
	case MT_MAP_LOG:
		return log(x);
	case MT_MAP_LOG1P:
		return log1p(x);
	case MT_MAP_SQRT:
		return sqrt(x);
	case MT_MAP_RSQRT:
		return 1 / sqrt(x);
	case MT_MAP_SQUARE:
		return x * x;
	case MT_MAP_RECIPROCAL:
		return 1 / x;
	case MT_MAP_SIN:
		return sin(x);
	case MT_MAP_COS:
		return cos(x);
	case MT_MAP_TANH:
		return tanh(x);
	case MT_MAP_SIGMOID:
		return sigmoid(x);
	case MT_MAP_RELU:
		return x <= 0 ? 0 : x;
	case MT_MAP_GELU:
		return x / 2 * erfc(-x / sqrt(2));
	case MT_MAP_GELU_TANH:
		return gelu_tanh(x);
	case MT_MAP_SILU:
		return x * sigmoid(x);
	case MT_MAP_SOFTPLUS:
		return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
	case MT_MAP_ERF:
		return erf(x);
	case MT_MAP_FLOOR:
		return floor(x);
	case MT_MAP_CEIL:
		return ceil(x);
	case MT_MAP_ROUND:
		return nearbyint(x);
	case MT_MAP_TRUNC:
		return trunc(x);
	case MT_MAP_LEAKY_RELU:
		return x <= 0 ? p * x : x;
	case MT_MAP_ELU:
		return x <= 0 ? p * expm1(x) : x;
	case MT_MAP_CLAMP:
		x = x < p ? p : x;
		return x > q ? q : x;
	case MT_MAP_LOGICAL_NOT:
		return x == 0;
	case MT_MAP_ISNAN:
		return isnan(x) != 0;
	case MT_MAP_ISINF:
		return isinf(x) != 0;
	case MT_MAP_ISFINITE:
		return isfinite(x) != 0;
	case MT_MAP_TAN:
		return tan(x);
	case MT_MAP_ASIN:
		return asin(x);
	case MT_MAP_ACOS:
		return acos(x);
	case MT_MAP_ATAN:
		return atan(x);
	case MT_MAP_SINH:
		return sinh(x);
	case MT_MAP_COSH:
		return cosh(x);
	case MT_MAP_ASINH:
		return asinh(x);
	case MT_MAP_ACOSH:
		return acosh(x);
	case MT_MAP_ATANH:
		return atanh(x);
	case MT_MAP_EXP2:
		return exp2(x);
	case MT_MAP_LOG2:
		return log2(x);
	case MT_MAP_LOG10:
		return log10(x);
	case MT_MAP_MISH:
		return mish(x);
	case MT_MAP_SELU:
		return selu(x);
	case MT_MAP_HARDSIGMOID:
		return hardsigmoid(x);
	case MT_MAP_HARDSWISH:
		return hardswish(x);
	case MT_MAP_END_:
		break;
	}
	return NAN;
}

static int64_t map_integer(int32_t op, int64_t x, int64_t p, int64_t q) {
	switch ((enum mt_map_id)op) {
	case MT_MAP_NEG:
		return wrap_neg(x);
	case MT_MAP_ABS:
		return x < 0 ? wrap_neg(x) : x;
	case MT_MAP_SIGN:
		return x > 0 ? 1 : x < 0 ? -1 : 0;
	case MT_MAP_SQUARE:
		return wrap_mul(x, x);
	case MT_MAP_RELU:
		return x <= 0 ? 0 : x;
	case MT_MAP_CLAMP:
		x = x < p ? p : x;
		return x > q ? q : x;
	case MT_MAP_LOGICAL_NOT:
		return x == 0;
#define FLOAT(NAME) case MT_MAP_##NAME:
#define NUMBER(NAME)
#define ALL(NAME)
#define MT_MAP(id, NAME, name, dtypes, result, formula) dtypes(NAME)
#include "mt/map_ops.def"
#undef MT_MAP
#undef FLOAT
#undef NUMBER
#undef ALL
	case MT_MAP_END_:
		break;
	}
	return 0;
}

double mt__naive_activate(int32_t activation, double x) {
	switch ((enum mt_activation_id)activation) {
	case MT_ACT_NONE:
		return x;
	case MT_ACT_RELU:
		return mt__naive_map_float(MT_MAP_RELU, x, 0, 0);
	case MT_ACT_SIGMOID:
		return mt__naive_map_float(MT_MAP_SIGMOID, x, 0, 0);
	case MT_ACT_TANH:
		return mt__naive_map_float(MT_MAP_TANH, x, 0, 0);
	case MT_ACT_GELU:
		return mt__naive_map_float(MT_MAP_GELU, x, 0, 0);
	case MT_ACT_END_:
		break;
	}
	return NAN;
}

/* ---- lines: for each dtype, out of the same dtype or bool ---- */

typedef void map_line(const struct lines *l, const struct mt_map_args *args, bool to_bool);

#define TEMPLATE "map_lines.inc"
#define APPLY mt__naive_map_float
#define SCALAR scalar_float
#include "each_float.inc"
#undef APPLY
#undef SCALAR
#define APPLY map_integer
#define SCALAR scalar_integer
#include "each_integer.inc"
#undef APPLY
#undef SCALAR
#undef TEMPLATE

static bool gives_bool(int32_t op) {
	switch (op) {
#define SAME false
#define BOOL true
#define MT_MAP(id, NAME, name, dtypes, result, formula)                                                                \
	case id:                                                                                                           \
		return result;
#include "mt/map_ops.def"
#undef MT_MAP
#undef SAME
#undef BOOL
	default:
		return false;
	}
}

int32_t mt__naive_map(mt_queue *queue, const struct mt_map_args *args) {
	(void)queue;
	static map_line *const lines_of[] = {
#define MT_DTYPE(id, NAME, name, bytes, class) [id] = map_##name,
#include "mt/dtypes.def"
#undef MT_DTYPE
	};
	struct lines l;
	lines_begin(&l, args->out->rank, args->out->shape);
	lines_add(&l, args->x->stride);
	lines_add(&l, args->out->stride);
	bool to_bool = gives_bool(args->op);
	do
		lines_of[args->x->dtype](&l, args, to_bool);
	while (lines_next(&l));
	return MT_OK;
}
