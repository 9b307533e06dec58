/* The ops of map_ops.def as functions map_NAME(x, p, q): for C float or double, and for int32_t and int64_t where the op
 * takes integers.  Also activations.
 *
 * nvcc contracts a product and a sum to an fma where they stand in one expression.  No op here that must be exact has
 * both, and in the others the fma is the smaller error. */
#ifndef MT_CUDA_MAP_OPS_CUH
#define MT_CUDA_MAP_OPS_CUH

#include <math.h>

#include <type_traits>

#include "accurate.cuh"
#include "element.cuh"

/* What elementwise ops compute in: integers of up to 32 bits in 32, which wraps to the same low bits as 64 would. */
template <class T> struct arithmetic { using type = int32_t; };
template <> struct arithmetic<int64_t> { using type = int64_t; };
template <> struct arithmetic<double> { using type = double; };
template <> struct arithmetic<float> { using type = float; };
template <> struct arithmetic<__half> { using type = float; };
template <> struct arithmetic<__nv_bfloat16> { using type = float; };
template <class T> using arithmetic_of = typename arithmetic<T>::type;

/* Integers wrap: where that can be, ops compute in wrapping<C>. */
template <class C, bool integer = std::is_integral<C>::value> struct wrapped { using type = C; };
template <class C> struct wrapped<C, true> { using type = typename std::make_unsigned<C>::type; };
template <class C> using wrapping = typename wrapped<C>::type;

#define MT_OP template <class C> __device__ inline C

MT_OP map_neg(C x, C, C) {
	if constexpr (std::is_integral<C>::value)
		return (C)(0 - (wrapping<C>)x);
	else
		return -x;
}
MT_OP map_abs(C x, C p, C q) {
	if constexpr (std::is_integral<C>::value)
		return x < 0 ? map_neg(x, p, q) : x;
	else
		return fabs(x);
}
MT_OP map_sign(C x, C, C) {
	return x > 0 ? C(1) : x < 0 ? C(-1) : x;
}
MT_OP map_exp(C x, C, C) {
	return accurate_exp(x);
}
MT_OP map_expm1(C x, C, C) {
	return expm1(x);
}
MT_OP map_log(C x, C, C) {
	return log(x);
}
MT_OP map_log1p(C x, C, C) {
	return log1p(x);
}
MT_OP map_sqrt(C x, C, C) {
	return sqrt(x);
}
MT_OP map_rsqrt(C x, C, C) {
	return 1 / sqrt(x);
}
MT_OP map_square(C x, C, C) {
	return (C)((wrapping<C>)x * (wrapping<C>)x);
}
MT_OP map_reciprocal(C x, C, C) {
	return 1 / x;
}
MT_OP map_sin(C x, C, C) {
	return sin(x);
}
MT_OP map_cos(C x, C, C) {
	return cos(x);
}
MT_OP map_tanh(C x, C, C) {
	return tanh(x);
}
MT_OP map_sigmoid(C x, C, C) {
	C e = accurate_exp(-fabs(x));
	return (x >= 0 ? 1 : e) / (1 + e);
}
/* Whether e^x is near the end of C's normal range, or beyond. */
template <class C> __device__ inline bool is_far_below(C x) {
	return x < (sizeof(C) == 4 ? C(-86) : C(-707));
}
/* a e^x, also where e^x is subnormal and has lost digits that a would bring back. */
template <class C> __device__ inline C times_small_exp(C a, C x) {
	C root = accurate_exp(x / 2);
	return a * root * root;
}
MT_OP map_relu(C x, C, C) {
	return x <= 0 ? C(0) : x;
}
/* From 9 on erfc is 2 to the last digit of a double, but for what CUDA's may be off. */
MT_OP map_gelu(C x, C, C) {
	return x > 9 ? x : x / 2 * erfc(-x * C(M_SQRT1_2));
}
/* x/2 (1 + tanh u) = x sigmoid(2u), which keeps its digits where tanh u is near -1. */
MT_OP map_gelu_tanh(C x, C p, C q) {
	C u = C(M_2_SQRTPI * M_SQRT1_2) * (x + C(0.044715) * x * x * x);
	return x * map_sigmoid(2 * u, p, q);
}
MT_OP map_silu(C x, C p, C q) {
	return is_far_below(x) ? times_small_exp(x, x) : x * map_sigmoid(x, p, q);
}
MT_OP map_softplus(C x, C, C) {
	return (x > 0 ? x : C(0)) + log1p(accurate_exp(-fabs(x)));
}
MT_OP map_erf(C x, C, C) {
	return erf(x);
}
MT_OP map_floor(C x, C, C) {
	return floor(x);
}
MT_OP map_ceil(C x, C, C) {
	return ceil(x);
}
MT_OP map_round(C x, C, C) {
	return rint(x);
}
MT_OP map_trunc(C x, C, C) {
	return trunc(x);
}
MT_OP map_leaky_relu(C x, C p, C) {
	return x <= 0 ? p * x : x;
}
MT_OP map_elu(C x, C p, C) {
	return x <= 0 ? p * expm1(x) : x;
}
MT_OP map_clamp(C x, C p, C q) {
	x = x < p ? p : x;
	return x > q ? q : x;
}
MT_OP map_logical_not(C x, C, C) {
	return x == 0;
}
MT_OP map_isnan(C x, C, C) {
	return x != x;
}
MT_OP map_isinf(C x, C, C) {
	return isinf(x) ? 1 : 0;
}
MT_OP map_isfinite(C x, C, C) {
	return isfinite(x) ? 1 : 0;
}
MT_OP map_tan(C x, C, C) {
	return accurate_tan(x);
}
MT_OP map_asin(C x, C, C) {
	return asin(x);
}
MT_OP map_acos(C x, C, C) {
	return acos(x);
}
MT_OP map_atan(C x, C, C) {
	return atan(x);
}
MT_OP map_sinh(C x, C, C) {
	return accurate_sinh(x);
}
MT_OP map_cosh(C x, C, C) {
	return accurate_cosh(x);
}
MT_OP map_asinh(C x, C, C) {
	return accurate_asinh(x);
}
MT_OP map_acosh(C x, C, C) {
	return accurate_acosh(x);
}
MT_OP map_atanh(C x, C, C) {
	return accurate_atanh(x);
}
MT_OP map_exp2(C x, C, C) {
	return accurate_exp2(x);
}
MT_OP map_log2(C x, C, C) {
	return log2(x);
}
MT_OP map_log10(C x, C, C) {
	return log10(x);
}
/* x tanh(softplus(x)).  With e = e^-|x|, tanh(ln(1 + e^x)) is a quotient of positive terms: nothing cancels. */
MT_OP map_mish(C x, C, C) {
	if (is_far_below(x))
		return times_small_exp(x, x);
	C e = accurate_exp(-fabs(x));
	return x * (x >= 0 ? (1 + 2 * e) / (1 + 2 * e + 2 * e * e) : e * (2 + e) / (2 + e * (2 + e)));
}
MT_OP map_selu(C x, C, C) {
	return x <= 0 ? C(1.0507009873554805 * 1.6732632423543772) * expm1(x) : C(1.0507009873554805) * x;
}
MT_OP map_hardsigmoid(C x, C, C) {
	return x <= -3 ? C(0) : x >= 3 ? C(1) : (x + 3) / 6;
}
MT_OP map_hardswish(C x, C, C) {
	return x <= -3 ? C(0) : x >= 3 ? x : x * (x + 3) / 6;
}

#undef MT_OP

/* x[j] = op(x[j], p, q) for N values, for the ops that give SAME, or for those that give BOOL. */
template <bool GIVES_BOOL, int N, class C> __device__ inline void apply_map(int32_t op, C (&x)[N], C p, C q) {
	enum { SAME = 0, BOOL = 1, FLOAT = 0, NUMBER = 1, ALL = 1 };
	switch (op) {
#define MT_MAP(id, NAME, name, dtypes, result, formula)                                                                \
	case id:                                                                                                           \
		if constexpr (result == GIVES_BOOL && (dtypes || !std::is_integral<C>::value)) {                               \
			_Pragma("unroll") for (int j = 0; j < N; j++) x[j] = map_##name(x[j], p, q);                               \
		}                                                                                                              \
		break;
#include "mt/map_ops.def"
#undef MT_MAP
	}
}

template <class C> __device__ inline C activate(int32_t activation, C x) {
	switch (activation) {
	case MT_ACT_RELU:
		return map_relu(x, x, x);
	case MT_ACT_SIGMOID:
		return map_sigmoid(x, x, x);
	case MT_ACT_TANH:
		return map_tanh(x, x, x);
	case MT_ACT_GELU:
		return map_gelu(x, x, x);
	default:
		return x;
	}
}

template <> __device__ inline int64_t activate(int32_t activation, int64_t x) {
	return activation == MT_ACT_RELU ? map_relu(x, x, x) : x;
}

#endif
