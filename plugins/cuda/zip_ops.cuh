/* The ops of zip_ops.def as functions zip_NAME(a, b, p, q): for C float or double, and for int32_t and int64_t where
 * the op takes integers.  In the _grad ops a is the upstream gradient and b is x or y of the forward op. */
#ifndef MT_CUDA_ZIP_OPS_CUH
#define MT_CUDA_ZIP_OPS_CUH

#include <math.h>

#include "map_ops.cuh"

template <class C> __device__ inline C sigmoid(C x) {
	return map_sigmoid(x, x, x);
}

#define MT_OP template <class C> __device__ inline C

MT_OP zip_add(C a, C b, C, C) {
	return (C)((wrapping<C>)a + (wrapping<C>)b);
}
MT_OP zip_sub(C a, C b, C, C) {
	return (C)((wrapping<C>)a - (wrapping<C>)b);
}
MT_OP zip_mul(C a, C b, C, C) {
	return (C)((wrapping<C>)a * (wrapping<C>)b);
}
MT_OP zip_div(C a, C b, C, C) {
	return a / b;
}
/* By squaring; a negative exponent gives 1/a^-b truncated toward zero. */
template <class C> __device__ inline C integer_pow(C a, C b) {
	if (b < 0)
		return a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : 0;
	wrapping<C> result = 1, factor = (wrapping<C>)a;
	for (; b > 0; b /= 2) {
		if (b % 2)
			result *= factor;
		factor *= factor;
	}
	return (C)result;
}
MT_OP zip_pow(C a, C b, C, C) {
	if constexpr (std::is_integral<C>::value)
		return integer_pow(a, b);
	else
		return pow(a, b);
}
MT_OP zip_max(C a, C b, C, C) {
	return a != a ? a : b != b ? b : a > b ? a : b;
}
MT_OP zip_min(C a, C b, C, C) {
	return a != a ? a : b != b ? b : a < b ? a : b;
}
/* a - b trunc(a / b), exact.  Integers: 0 for b = 0; b = -1 aside, because the lowest integer has no quotient. */
MT_OP zip_fmod(C a, C b, C, C) {
	if constexpr (std::is_integral<C>::value)
		return b == 0 || b == -1 ? 0 : a % b;
	else
		return fmod(a, b);
}
/* a - b floor(a / b): the remainder has b's sign. */
MT_OP zip_mod(C a, C b, C p, C q) {
	C r = zip_fmod(a, b, p, q);
	return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
template <class C> __device__ inline C integer_floor_div(C a, C b) {
	if (b == 0)
		return 0;
	if (b == -1)
		return (C)(0 - (wrapping<C>)a);
	return a / b - (a % b != 0 && (a < 0) != (b < 0));
}
/* floor(a / b) from the remainder, so that a quotient just below an integer is not rounded up to it. */
template <class C> __device__ inline C float_floor_div(C a, C b) {
	if (b == 0)
		return a / b;
	C r = fmod(a, b), quotient = (a - r) / b;
	if (r != 0 && (r < 0) != (b < 0))
		quotient -= 1;
	return quotient == 0 ? copysign(C(0), a / b) : rint(quotient);
}
MT_OP zip_floor_div(C a, C b, C, C) {
	if constexpr (std::is_integral<C>::value)
		return integer_floor_div(a, b);
	else
		return float_floor_div(a, b);
}
MT_OP zip_atan2(C a, C b, C, C) {
	return accurate_atan2(a, b);
}
MT_OP zip_lt(C a, C b, C, C) {
	return a < b;
}
MT_OP zip_le(C a, C b, C, C) {
	return a <= b;
}
MT_OP zip_gt(C a, C b, C, C) {
	return a > b;
}
MT_OP zip_ge(C a, C b, C, C) {
	return a >= b;
}
MT_OP zip_eq(C a, C b, C, C) {
	return a == b;
}
MT_OP zip_ne(C a, C b, C, C) {
	return a != b;
}
MT_OP zip_logical_and(C a, C b, C, C) {
	return a != 0 && b != 0;
}
MT_OP zip_logical_or(C a, C b, C, C) {
	return a != 0 || b != 0;
}
MT_OP zip_logical_xor(C a, C b, C, C) {
	return (a != 0) != (b != 0);
}
MT_OP zip_abs_grad(C a, C b, C, C) {
	return a * map_sign(b, b, b);
}
MT_OP zip_sqrt_grad(C a, C b, C, C) {
	return a / (2 * b);
}
MT_OP zip_rsqrt_grad(C a, C b, C, C) {
	return -a / 2 * b * b * b;
}
MT_OP zip_tanh_grad(C a, C b, C, C) {
	return a * (1 - b * b);
}
MT_OP zip_sigmoid_grad(C a, C b, C, C) {
	return a * b * (1 - b);
}
MT_OP zip_relu_grad(C a, C b, C, C) {
	return b <= 0 ? C(0) : a;
}
/* Phi(x) + x phi(x) */
MT_OP zip_gelu_grad(C a, C b, C, C) {
	C cumulative = erfc(-b * C(M_SQRT1_2)) / 2, density = accurate_exp(-b * b / 2) * C(M_2_SQRTPI * M_SQRT1_2 / 2);
	return a * (cumulative + b * density);
}
/* With s = sigmoid(2u) = (1 + tanh u)/2:  d/dx (x s) = s + x s' 2u',  s' = s (1 - s).  Where b^2 leaves the range of C, s'
 * is 0: it is multiplied in before. */
MT_OP zip_gelu_tanh_grad(C a, C b, C, C) {
	C k = C(M_2_SQRTPI * M_SQRT1_2), u = k * (b + C(0.044715) * b * b * b), s = sigmoid(2 * u);
	C slope = b * s * sigmoid(-2 * u) * 2 * k;
	return a * (s + (slope + C(3 * 0.044715) * slope * b * b));
}
MT_OP zip_silu_grad(C a, C b, C, C) {
	return a * sigmoid(b) * (1 + b * sigmoid(-b));
}
MT_OP zip_softplus_grad(C a, C b, C, C) {
	return a * sigmoid(b);
}
MT_OP zip_erf_grad(C a, C b, C, C) {
	return a * C(M_2_SQRTPI) * accurate_exp(-b * b);
}
MT_OP zip_leaky_relu_grad(C a, C b, C p, C) {
	return b <= 0 ? p * a : a;
}
MT_OP zip_elu_grad(C a, C b, C p, C) {
	return b <= 0 ? p * a * accurate_exp(b) : a;
}
MT_OP zip_clamp_grad(C a, C b, C p, C q) {
	return b < p || b > q ? C(0) : a;
}
MT_OP zip_hypot(C a, C b, C, C) {
	return accurate_hypot(a, b);
}
MT_OP zip_copysign(C a, C b, C, C) {
	return copysign(a, b);
}
/* d/dx (x t), t = tanh(softplus(x)) = n/d as in mish: t' = (1 - t^2) sigmoid(x).  b e comes first: 4 b may be infinite. */
MT_OP zip_mish_grad(C a, C b, C, C) {
	C e = accurate_exp(-fabs(b)), d = b >= 0 ? 1 + 2 * e + 2 * e * e : 2 + e * (2 + e);
	if (b >= 0)
		return a * ((1 + 2 * e) / d + 4 * (b * e) * e * (1 + e) / (d * d));
	return a * (e * ((2 + e) / d) + 4 * (b * e) * (1 + e) / (d * d));
}
MT_OP zip_selu_grad(C a, C b, C, C) {
	return a * (b <= 0 ? C(1.0507009873554805 * 1.6732632423543772) * accurate_exp(b) : C(1.0507009873554805));
}
MT_OP zip_hardsigmoid_grad(C a, C b, C, C) {
	return b <= -3 || b >= 3 ? C(0) : a / 6;
}
MT_OP zip_hardswish_grad(C a, C b, C, C) {
	return b <= -3 ? C(0) : b >= 3 ? a : a * (2 * b + 3) / 6;
}

#undef MT_OP

/* a[j] = op(a[j], b[j], p, q) for N values, for the ops that give SAME, or for those that give BOOL. */
template <bool GIVES_BOOL, int N, class C>
__device__ inline void apply_zip(int32_t op, C (&a)[N], const C (&b)[N], C p, C q) {
	enum { SAME = 0, BOOL = 1, FLOAT = 0, NUMBER = 1, ALL = 1 };
	switch (op) {
#define MT_ZIP(id, NAME, name, dtypes, result, formula)                                                                \
	case id:                                                                                                           \
		if constexpr (result == GIVES_BOOL && (dtypes || !std::is_integral<C>::value)) {                               \
			_Pragma("unroll") for (int j = 0; j < N; j++) a[j] = zip_##name(a[j], b[j], p, q);                         \
		}                                                                                                              \
		break;
#include "mt/zip_ops.def"
#undef MT_ZIP
	}
}

#endif
