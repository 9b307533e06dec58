/* Functions of float that are nearer to the true value than CUDA's.  CUDA's bounds (CUDA C++ Programming Guide,
 * "Mathematical functions"): expf 2 ULP, tanf and acoshf 4, atan2f and hypotf 3.  What is made of e^x here (a sigmoid, a
 * softplus) has to be within 2 ULP itself, and so have atan2 and hypot.  For double they are CUDA's. */
#ifndef MT_CUDA_ACCURATE_CUH
#define MT_CUDA_ACCURATE_CUH

#include <math.h>
#include <stdint.h>

__device__ inline double accurate_exp(double x) {
	return exp(x);
}
__device__ inline double accurate_tan(double x) {
	return tan(x);
}
__device__ inline double accurate_acosh(double x) {
	return acosh(x);
}
__device__ inline double accurate_atan2(double y, double x) {
	return atan2(y, x);
}
__device__ inline double accurate_hypot(double a, double b) {
	return hypot(a, b);
}

/* Within 1 ULP (1.4 · 2^-24 of the value), subnormal results too, found by trying all floats.  x = n ln 2 + r,
 * |r| <= ln 2 / 2, ln 2 in two parts; e^r = 1 + r + r^2 P(r), P an interpolant at Chebyshev nodes; 2^n in two factors,
 * so that neither overflows and a subnormal result is rounded once.  No product is added but by fma. */
__device__ inline float accurate_exp(float x) {
	const float shift = 0x1.8p23f; /* adding it rounds to an integer, which stands in the low bits */
	x = x > 89.0f ? 89.0f : x < -104.0f ? -104.0f : x;
	float shifted = fmaf(x, 0x1.715476p+0f, shift);
	int32_t n = __float_as_int(shifted) - __float_as_int(shift);
	float whole = shifted - shift;
	float r = fmaf(whole, -0x1.7f7d1cp-20f, fmaf(whole, -0x1.62e4p-1f, x));
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
