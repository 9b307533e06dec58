/* map's formulas in float and double.  op is a constant at every call. */
#ifndef MT_OMP_MAP_FLOAT_H
#define MT_OMP_MAP_FLOAT_H

#include "isa.h"
#include "vmath_wide.h"

MT__INLINE float apply_f32(int op, float x, float p, float q) {
	switch (op) {
	case MT_MAP_NEG:
		return -x;
	case MT_MAP_ABS:
		return fabsf(x);
	case MT_MAP_SIGN:
		return x > 0 ? 1.0f : x < 0 ? -1.0f : x;
	case MT_MAP_EXP:
		return mt__expf(x);
	case MT_MAP_EXPM1:
		return mt__expm1f(x);
	case MT_MAP_LOG:
		return mt__logf(x);
	case MT_MAP_LOG1P:
		return mt__log1pf(x);
	case MT_MAP_SQRT:
		return sqrtf(x);
	case MT_MAP_RSQRT:
		return 1.0f / sqrtf(x);
	case MT_MAP_SQUARE:
		return x * x;
	case MT_MAP_RECIPROCAL:
		return 1.0f / x;
	case MT_MAP_SIN:
		return mt__sinf(x);
	case MT_MAP_COS:
		return mt__cosf(x);
	case MT_MAP_TANH:
		return mt__tanhf(x);
	case MT_MAP_SIGMOID:
		return mt__sigmoidf(x);
	case MT_MAP_RELU:
		return x <= 0 ? 0.0f : x;
	case MT_MAP_GELU:
		return mt__geluf(x);
	case MT_MAP_GELU_TANH:
		return mt__gelu_tanhf(x);
	case MT_MAP_SILU:
		return mt__siluf(x);
	case MT_MAP_SOFTPLUS:
		return mt__softplusf(x);
	case MT_MAP_ERF:
		return mt__erff(x);
	case MT_MAP_FLOOR:
		return floorf(x);
	case MT_MAP_CEIL:
		return ceilf(x);
	case MT_MAP_ROUND:
		return rintf(x);
	case MT_MAP_TRUNC:
		return truncf(x);
	case MT_MAP_LEAKY_RELU:
		return x <= 0 ? p * x : x;
	case MT_MAP_ELU:
		return x <= 0 ? p * mt__expm1f(x) : x;
	case MT_MAP_CLAMP:
		x = x < p ? p : x;
		return x > q ? q : x;
	case MT_MAP_TAN:
		return mt__tanf(x);
	case MT_MAP_ASIN:
		return mt__asinf(x);
	case MT_MAP_ACOS:
		return mt__acosf(x);
	case MT_MAP_ATAN:
		return mt__atanf(x);
	case MT_MAP_SINH:
		return mt__sinhf(x);
	case MT_MAP_COSH:
		return mt__coshf(x);
	case MT_MAP_ASINH:
		return mt__asinhf(x);
	case MT_MAP_ACOSH:
		return mt__acoshf(x);
	case MT_MAP_ATANH:
		return mt__atanhf(x);
	case MT_MAP_EXP2:
		return mt__exp2f(x);
	case MT_MAP_LOG2:
		return mt__log2f(x);
	case MT_MAP_LOG10:
		return mt__log10f(x);
	case MT_MAP_MISH:
		return mt__mishf(x);
	case MT_MAP_SELU:
		return mt__seluf(x);
	case MT_MAP_HARDSIGMOID: {
		float y = (x + 3.0f) / 6.0f;
		y = x <= -3.0f ? 0.0f : y;
		return x >= 3.0f ? 1.0f : y;
	}
	case MT_MAP_HARDSWISH: {
		float y = x * (x + 3.0f) / 6.0f;
		y = x <= -3.0f ? 0.0f : y;
		return x >= 3.0f ? x : y;
	}
	}
	return x;
}

/* x tanh(softplus(x)) as a quotient of positive terms: mt__mishf in double. */
MT__INLINE double mt__mish_f64(double x) {
	double e = exp(-fabs(x)), n = x >= 0 ? 1.0 + 2.0 * e : e * (2.0 + e);
	return x * (n / (n + 2.0 * (x >= 0 ? e * e : 1.0)));
}

/* x/2 (1 + tanh(u)) = x / (1 + e^-2u), u = sqrt(2/π) (x + 0.044715 x³). */
MT__INLINE double mt__gelu_tanh_gate_f64(double x) {
	return 1.0 / (1.0 + exp(-2.0 * 0.797884560802865356 * x * mt__wide_madd(0.044715 * x, x, 1.0)));
}

MT__INLINE double apply_f64(int op, double x, double p, double q) {
	switch (op) {
	case MT_MAP_NEG:
		return -x;
	case MT_MAP_ABS:
		return fabs(x);
	case MT_MAP_SIGN:
		return x > 0 ? 1.0 : x < 0 ? -1.0 : x;
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
		return 1.0 / sqrt(x);
	case MT_MAP_SQUARE:
		return x * x;
	case MT_MAP_RECIPROCAL:
		return 1.0 / x;
	case MT_MAP_SIN:
		return sin(x);
	case MT_MAP_COS:
		return cos(x);
	case MT_MAP_TANH:
		return tanh(x);
	case MT_MAP_SIGMOID: {
		double e = exp(-fabs(x));
		return (x >= 0 ? 1.0 : e) / (1.0 + e);
	}
	case MT_MAP_RELU:
		return x <= 0 ? 0.0 : x;
	case MT_MAP_GELU:
		return x * 0.5 * erfc(x * -0.707106781186547524);
	case MT_MAP_GELU_TANH:
		return x * mt__gelu_tanh_gate_f64(x);
	case MT_MAP_SILU: {
		double e = exp(-fabs(x));
		return x * ((x >= 0 ? 1.0 : e) / (1.0 + e));
	}
	case MT_MAP_SOFTPLUS:
		return (x > 0 ? x : 0.0) + log1p(exp(-fabs(x)));
	case MT_MAP_ERF:
		return erf(x);
	case MT_MAP_FLOOR:
		return floor(x);
	case MT_MAP_CEIL:
		return ceil(x);
	case MT_MAP_ROUND:
		return rint(x);
	case MT_MAP_TRUNC:
		return trunc(x);
	case MT_MAP_LEAKY_RELU:
		return x <= 0 ? p * x : x;
	case MT_MAP_ELU:
		return x <= 0 ? p * expm1(x) : x;
	case MT_MAP_CLAMP:
		x = x < p ? p : x;
		return x > q ? q : x;
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
		return mt__mish_f64(x);
	case MT_MAP_SELU:
		return x <= 0 ? MT__SELU_SA * expm1(x) : MT__SELU_S * x;
	case MT_MAP_HARDSIGMOID:
		return x <= -3 ? 0.0 : x >= 3 ? 1.0 : (x + 3) / 6;
	case MT_MAP_HARDSWISH:
		return x <= -3 ? 0.0 : x >= 3 ? x : x * (x + 3) / 6;
	}
	return x;
}

MT__INLINE uint8_t test_f32(int op, float x) {
	uint32_t magnitude = mt__bits(x) & 0x7FFFFFFFu;
	switch (op) {
	case MT_MAP_LOGICAL_NOT:
		return x == 0;
	case MT_MAP_ISNAN:
		return magnitude > 0x7F800000u;
	case MT_MAP_ISINF:
		return magnitude == 0x7F800000u;
	}
	return magnitude < 0x7F800000u; /* isfinite */
}

MT__INLINE uint8_t test_f64(int op, double x) {
	switch (op) {
	case MT_MAP_LOGICAL_NOT:
		return x == 0;
	case MT_MAP_ISNAN:
		return x != x;
	case MT_MAP_ISINF:
		return fabs(x) == (double)INFINITY;
	}
	return fabs(x) < (double)INFINITY; /* isfinite */
}

#endif
