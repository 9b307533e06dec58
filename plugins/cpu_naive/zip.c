/* zip: y = f(a, b).  The two functions below are the ops; a switch that misses one does not compile. */
#pragma GCC diagnostic error "-Wswitch"
#include <math.h>

#include "element.h"
#include "integer.h"
#include "lines.h"

static double sigmoid(double x) {
	return mt__naive_map_float(MT_MAP_SIGMOID, x, 0, 0);
}

static double normal_density(double x) {
	return exp(-x * x / 2) / sqrt(2 * M_PI);
}

static double normal_cumulative(double x) {
	return erfc(-x / sqrt(2)) / 2;
}

/* With s = sigmoid(2u) = (1 + tanh u)/2:  d/dx (x s) = s + x s' 2u',  s' = s (1 - s). */
static double gelu_tanh_slope(double x) {
	double k = sqrt(2 / M_PI), u = k * (x + 0.044715 * x * x * x), s = sigmoid(2 * u);
	return s + x * s * sigmoid(-2 * u) * 2 * k * (1 + 3 * 0.044715 * x * x);
}

/* d/dx (x t), t = tanh(softplus(x)) = n/d as in mish: t' = (1 - t^2) sigmoid(x).  x e comes first: 4 x may be infinite. */
static double mish_slope(double x) {
	double e = exp(-fabs(x));
	if (x >= 0) {
		double d = 1 + 2 * e + 2 * e * e;
		return (1 + 2 * e) / d + 4 * (x * e) * e * (1 + e) / (d * d);
	}
	double d = 2 + e * (2 + e);
	return e * ((2 + e) / d) + 4 * (x * e) * (1 + e) / (d * d);
}

/* a - b floor(a / b), exact: the remainder has b's sign. */
static double modulo(double a, double b) {
	double r = fmod(a, b);
	return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

/* floor(a / b) from the remainder, so that a quotient just below an integer is not rounded up to it. */
static double floor_divide(double a, double b) {
	if (b == 0)
		return a / b;
	double r = fmod(a, b), quotient = (a - r) / b;
	if (r != 0 && (r < 0) != (b < 0))
		quotient -= 1;
	return quotient == 0 ? copysign(0, a / b) : nearbyint(quotient);
}

static double zip_float(int32_t op, double a, double b, double p, double q) {
	switch ((enum mt_zip_id)op) {
	case MT_ZIP_ADD:
		return a + b;
	case MT_ZIP_SUB:
		return a - b;
	case MT_ZIP_MUL:
		return a * b;
	case MT_ZIP_DIV:
		return a / b;
	case MT_ZIP_POW:
		return pow(a, b);
	case MT_ZIP_MAX:
		return isnan(a) ? a : isnan(b) ? b : a > b ? a : b;
	case MT_ZIP_MIN:
		return isnan(a) ? a : isnan(b) ? b : a < b ? a : b;
	case MT_ZIP_MOD:
		return modulo(a, b);
	case MT_ZIP_FLOOR_DIV:
		return floor_divide(a, b);
	case MT_ZIP_ATAN2:
		return atan2(a, b);
	case MT_ZIP_FMOD:
		return fmod(a, b);
	case MT_ZIP_HYPOT:
		return hypot(a, b);
	case MT_ZIP_COPYSIGN:
		return copysign(a, b);
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
	/* From here on a is the upstream gradient, b is x or y of the forward op. */
	case MT_ZIP_ABS_GRAD:
		return a * (b > 0 ? 1 : b < 0 ? -1 : b);
	case MT_ZIP_SQRT_GRAD:
		return a / (2 * b);
	case MT_ZIP_RSQRT_GRAD:
		return -a / 2 * b * b * b;
	case MT_ZIP_TANH_GRAD:
		return a * (1 - b * b);
	case MT_ZIP_SIGMOID_GRAD:
		return a * b * (1 - b);
	case MT_ZIP_RELU_GRAD:
		return b <= 0 ? 0 : a;
	case MT_ZIP_GELU_GRAD:
		return a * (normal_cumulative(b) + b * normal_density(b));
	case MT_ZIP_GELU_TANH_GRAD:
		return a * gelu_tanh_slope(b);
	case MT_ZIP_SILU_GRAD:
		return a * sigmoid(b) * (1 + b * sigmoid(-b));
	case MT_ZIP_SOFTPLUS_GRAD:
		return a * sigmoid(b);
	case MT_ZIP_ERF_GRAD:
		return a * (2 / sqrt(M_PI)) * exp(-b * b);
	case MT_ZIP_LEAKY_RELU_GRAD:
		return b <= 0 ? p * a : a;
	case MT_ZIP_ELU_GRAD:
		return b <= 0 ? p * a * exp(b) : a;
	case MT_ZIP_CLAMP_GRAD:
		return b < p || b > q ? 0 : a;
	case MT_ZIP_MISH_GRAD:
		return a * mish_slope(b);
	case MT_ZIP_SELU_GRAD:
		return 1.0507009873554805 * a * (b <= 0 ? 1.6732632423543772 * exp(b) : 1);
	case MT_ZIP_HARDSIGMOID_GRAD:
		return b <= -3 || b >= 3 ? 0 : a / 6;
	case MT_ZIP_HARDSWISH_GRAD:
		return b <= -3 ? 0 : b >= 3 ? a : a * (2 * b + 3) / 6;
	case MT_ZIP_END_:
		break;
	}
	return NAN;
}

/* a^b by squaring; modulo 2^64 as any product here.  Negative exponents: 1/a^-b truncated toward zero. */
static int64_t power_integer(int64_t a, int64_t b) {
	if (b < 0)
		return a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : 0;
	int64_t result = 1;
	for (; b > 0; b /= 2) {
		if (b % 2)
			result = wrap_mul(result, a);
		a = wrap_mul(a, a);
	}
	return result;
}

static int64_t floor_divide_integer(int64_t a, int64_t b) {
	if (b == 0)
		return 0;
	if (b == -1)
		return wrap_neg(a);
	return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static int64_t modulo_integer(int64_t a, int64_t b) {
	return b == 0 ? 0 : wrap_sub(a, wrap_mul(b, floor_divide_integer(a, b)));
}

/* b = -1 aside, because INT64_MIN / -1 does not fit. */
static int64_t remainder_integer(int64_t a, int64_t b) {
	return b == 0 || b == -1 ? 0 : a % b;
}

static int64_t zip_integer(int32_t op, int64_t a, int64_t b, int64_t p, int64_t q) {
	(void)p;
	(void)q;
	switch ((enum mt_zip_id)op) {
	case MT_ZIP_ADD:
		return wrap_add(a, b);
	case MT_ZIP_SUB:
		return wrap_sub(a, b);
	case MT_ZIP_MUL:
		return wrap_mul(a, b);
	case MT_ZIP_POW:
		return power_integer(a, b);
	case MT_ZIP_MAX:
		return a > b ? a : b;
	case MT_ZIP_MIN:
		return a < b ? a : b;
	case MT_ZIP_MOD:
		return modulo_integer(a, b);
	case MT_ZIP_FLOOR_DIV:
		return floor_divide_integer(a, b);
	case MT_ZIP_FMOD:
		return remainder_integer(a, b);
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
#define FLOAT(NAME) case MT_ZIP_##NAME:
#define NUMBER(NAME)
#define ALL(NAME)
#define MT_ZIP(id, NAME, name, dtypes, result, formula) dtypes(NAME)
#include "mt/zip_ops.def"
#undef MT_ZIP
#undef FLOAT
#undef NUMBER
#undef ALL
	case MT_ZIP_END_:
		break;
	}
	return 0;
}

/* ---- lines: for each dtype, out of the same dtype or bool ---- */

typedef void zip_line(const struct lines *l, const struct mt_zip_args *args, bool to_bool);

#define TEMPLATE "zip_lines.inc"
#define APPLY zip_float
#define SCALAR scalar_float
#include "each_float.inc"
#undef APPLY
#undef SCALAR
#define APPLY zip_integer
#define SCALAR scalar_integer
#include "each_integer.inc"
#undef APPLY
#undef SCALAR
#undef TEMPLATE

static bool gives_bool(int32_t op) {
	switch (op) {
#define SAME false
#define BOOL true
#define MT_ZIP(id, NAME, name, dtypes, result, formula)                                                                \
	case id:                                                                                                           \
		return result;
#include "mt/zip_ops.def"
#undef MT_ZIP
#undef SAME
#undef BOOL
	default:
		return false;
	}
}

int32_t mt__naive_zip(mt_queue *queue, const struct mt_zip_args *args) {
	(void)queue;
	static zip_line *const lines_of[] = {
#define MT_DTYPE(id, NAME, name, bytes, class) [id] = zip_##name,
#include "mt/dtypes.def"
#undef MT_DTYPE
	};
	static const int64_t no_stride[MT_MAX_RANK] = {0};
	struct lines l;
	lines_begin(&l, args->out->rank, args->out->shape);
	lines_add(&l, args->a ? args->a->stride : no_stride);
	lines_add(&l, args->b ? args->b->stride : no_stride);
	lines_add(&l, args->out->stride);
	int32_t dtype = args->a ? args->a->dtype : args->b->dtype;
	bool to_bool = gives_bool(args->op);
	do
		lines_of[dtype](&l, args, to_bool);
	while (lines_next(&l));
	return MT_OK;
}
