/* Functions of float that are nearer to the true value than CUDA's.  CUDA's bounds (CUDA C++ Programming Guide,
 * "Mathematical functions", against the rounded result): expf, exp2f and coshf 2 ULP, sinhf, asinhf, atanhf, atan2f and
 * hypotf 3, tanf and acoshf 4.  These are at the edge of what mt-conformance allows or beyond it, and what is made of e^x
 * (a sigmoid, a softplus) has to be as near as e^x itself.  For double they are CUDA's. */
#ifndef MT_CUDA_ACCURATE_CUH
#define MT_CUDA_ACCURATE_CUH

#include <math.h>
#include <stdint.h>

#define MT_AS_CUDA(name)                                                                                               \
	__device__ inline double accurate_##name(double x) {                                                               \
		return name(x);                                                                                                \
	}
MT_AS_CUDA(exp)
MT_AS_CUDA(exp2)
MT_AS_CUDA(sinh)
MT_AS_CUDA(cosh)
MT_AS_CUDA(asinh)
MT_AS_CUDA(acosh)
MT_AS_CUDA(atanh)
MT_AS_CUDA(tan)
#undef MT_AS_CUDA
__device__ inline double accurate_atan2(double y, double x) {
	return atan2(y, x);
}
__device__ inline double accurate_hypot(double a, double b) {
	return hypot(a, b);
}

/* e^r 2^n for |r| <= ln 2 / 2: 1 + r + r^2 P(r), P an interpolant at Chebyshev nodes.  2^n comes in two factors, so that
 * neither overflows and a subnormal result is rounded once. */
__device__ inline float exp_scaled(float r, int32_t n) {
	float p = 0x1.6d1116p-10f;
	p = fmaf(p, r, 0x1.120b7cp-7f);
	p = fmaf(p, r, 0x1.55551ap-5f);
	p = fmaf(p, r, 0x1.5554dcp-3f);
	p = fmaf(p, r, 0.5f);
	p = fmaf(p, r, 1.0f);
	p = fmaf(p, r, 1.0f);
	uint32_t half = (uint32_t)(n >> 1), rest = (uint32_t)n - half;
	return p * __uint_as_float((half + 127) << 23) * __uint_as_float((rest + 127) << 23);
}

/* Added to a float of up to 2^22 it rounds that to an integer, which then stands in the low bits. */
constexpr float ROUNDING = 0x1.8p23f;

/* Within 1 ULP (1.4 · 2^-24 of the value), subnormal results too, found by trying all floats.  x = n ln 2 + r, ln 2 in two
 * parts.  No product is added but by fma: there is nothing to contract. */
__device__ inline float accurate_exp(float x) {
	x = x > 89.0f ? 89.0f : x < -104.0f ? -104.0f : x;
	float shifted = fmaf(x, 0x1.715476p+0f, ROUNDING), n = shifted - ROUNDING;
	float r = fmaf(n, -0x1.7f7d1cp-20f, fmaf(n, -0x1.62e4p-1f, x));
	return exp_scaled(r, __float_as_int(shifted) - __float_as_int(ROUNDING));
}

/* x = n + f, exactly; r = f ln 2. */
__device__ inline float accurate_exp2(float x) {
	x = x > 129.0f ? 129.0f : x < -151.0f ? -151.0f : x;
	float shifted = x + ROUNDING, n = shifted - ROUNDING;
	return exp_scaled((x - n) * 0x1.62e43p-1f, __float_as_int(shifted) - __float_as_int(ROUNDING));
}

/* e^x / 2, where e^x itself may be too large. */
__device__ inline float half_exp(float x) {
	float root = accurate_exp(0.5f * x);
	return 0.5f * root * root;
}

/* (e^|x| − e^−|x|) / 2, and its series where that cancels. */
__device__ inline float accurate_sinh(float x) {
	float t = fabsf(x), square = x * x, e = accurate_exp(t);
	if (t > 88.0f)
		return copysignf(half_exp(t), x);
	if (t > 1.0f)
		return copysignf(0.5f * e - 0.5f / e, x);
	float p = 0x1.74p-19f; /* near 1/9!, and what comes after it */
	p = fmaf(p, square, 0x1.a01a02p-13f);
	p = fmaf(p, square, 0x1.111112p-7f);
	p = fmaf(p, square, 0x1.555556p-3f);
	return fmaf(p * square, x, x);
}

__device__ inline float accurate_cosh(float x) {
	float t = fabsf(x), e = accurate_exp(t);
	return t > 88.0f ? half_exp(t) : 0.5f * e + 0.5f / e;
}

/* ln(t + sqrt(t^2 + 1)) = log1p(t + t^2 / (1 + sqrt(t^2 + 1))), t = |x|; far from 0 ln 2t. */
__device__ inline float accurate_asinh(float x) {
	float t = fabsf(x), square = t * t;
	float y = t > 0x1p13f ? logf(t) + 0x1.62e43p-1f : log1pf(t + square / (1 + sqrtf(1 + square)));
	return copysignf(y, x);
}

/* log1p(2t / (1 − t)) / 2, t = |x| */
__device__ inline float accurate_atanh(float x) {
	float t = fabsf(x);
	return copysignf(0.5f * log1pf(2 * t / (1 - t)), x);
}

__device__ inline float accurate_tan(float x) {
	return (float)tan((double)x);
}

/* ln(x + sqrt(x^2 - 1)), from t = x - 1 near 1; far from it ln 2x, which is off by less than 1 / (4 x^2). */
__device__ inline float accurate_acosh(float x) {
	float t = x - 1;
	if (x < 1)
		return NAN;
	return x > 0x1p13f ? logf(x) + 0x1.62e43p-1f : log1pf(t + sqrtf(fmaf(t, t, 2 * t)));
}

__device__ inline float accurate_atan2(float y, float x) {
	return (float)atan2((double)y, (double)x);
}

/* Squares are taken where they neither overflow nor lose what counts. */
__device__ inline float accurate_hypot(float a, float b) {
	a = fabsf(a);
	b = fabsf(b);
	if (isinf(a) || isinf(b))
		return INFINITY;
	if (a != a || b != b)
		return a + b;
	float high = fmaxf(a, b), low = fminf(a, b);
	float scale = high > 0x1p60f ? 0x1p-70f : high < 0x1p-60f ? 0x1p100f : 1.0f;
	float back = high > 0x1p60f ? 0x1p70f : high < 0x1p-60f ? 0x1p-100f : 1.0f;
	high *= scale;
	low *= scale;
	return sqrtf(fmaf(high, high, low * low)) * back;
}

#endif
