/* Elementary functions of float, branch-free, so that a loop over them vectorises at every ISA level.
 *
 * Special values are those of C's Annex F: signed zeros, subnormals, infinities and NaN as <math.h> has them.  Every
 * product that feeds a sum is an explicit mt__madd: the compiler then has nothing left to contract, and the vector body
 * and the scalar rest of a loop give the same bits.
 *
 * docs/performance/elementwise.md has the greatest error of each over all floats, tests/conformance/ulp measures it. */
#ifndef MT_OMP_VMATH_H
#define MT_OMP_VMATH_H

#include <math.h>
#include <stdint.h>

/* Kernels mark loops `omp simd` because their iterations are independent, in place or not; where a body calls the C
 * library nothing vectorises, and clang would say so each time. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpass-failed"
#endif

#define MT__INLINE static inline __attribute__((always_inline))

/* a b + c, in one rounding where the level has FMA, else in two. */
MT__INLINE float mt__madd(float a, float b, float c) {
#if defined(__FMA__) || defined(__aarch64__)
	return __builtin_fmaf(a, b, c);
#else
	return a * b + c;
#endif
}

MT__INLINE uint32_t mt__bits(float x) {
	union {
		float f;
		uint32_t u;
	} v = {.f = x};
	return v.u;
}

MT__INLINE float mt__from_bits(uint32_t u) {
	union {
		uint32_t u;
		float f;
	} v = {.u = u};
	return v.f;
}

MT__INLINE float mt__copysign(float x, float sign) {
	return mt__from_bits((mt__bits(x) & 0x7FFFFFFFu) | (mt__bits(sign) & 0x80000000u));
}

/* 2^n for n in [-126, 127]. */
MT__INLINE float mt__pow2i(int32_t n) {
	return mt__from_bits((uint32_t)(n + 127) << 23);
}

/* x = n ln 2 + r + low, |r| <= ln 2 / 2, for |x| < 2^15; low is what rounding r lost.  Adding 1.5 * 2^23 rounds to an
 * integer and leaves it in the low bits.  The upper part of ln 2 has 15 bits, so that n times it is exact without FMA
 * too. */
MT__INLINE float mt__exp_reduce_low(float x, int32_t *n, float *low) {
	const float shift = 0x1.8p23f;
	float k = mt__madd(x, 0x1.715476p0f, shift);
	*n = (int32_t)((mt__bits(k) - mt__bits(shift)) & 0xFFFFu);
	*n = (*n ^ 0x8000) - 0x8000; /* sign-extends; whatever a NaN leaves stays in range */
	k -= shift;
	float z = mt__madd(k, -0x1.62e4p-1f, x);
	float r = mt__madd(k, -0x1.7f7d1cp-20f, z);
	*low = mt__madd(k, -0x1.7f7d1cp-20f, z - r);
	return r;
}

MT__INLINE float mt__exp_reduce(float x, int32_t *n) {
	float low;
	return mt__exp_reduce_low(x, n, &low);
}

/* (e^r - 1 - r) / r^2 on |r| <= 0.35, minimax: e^r is off by less than 2^-28. */
MT__INLINE float mt__exp_poly(float r) {
	float p = 1.38131414e-3f;
	p = mt__madd(p, r, 8.36941880e-3f);
	p = mt__madd(p, r, 4.16684568e-2f);
	p = mt__madd(p, r, 1.66665148e-1f);
	return mt__madd(p, r, 4.99999931e-1f);
}

/* e^x for x in [-87, 88], NaN included. */
MT__INLINE float mt__exp_normal(float x) {
	int32_t n;
	float r = mt__exp_reduce(x, &n);
	float p = mt__madd(mt__exp_poly(r), r * r, r) + 1.0f;
	return p * mt__pow2i(n < -126 ? -126 : n > 127 ? 127 : n);
}

/* a e^x, all x.  The scale 2^n is applied in two halves, after the factor: that reaches the subnormals and overflow. */
MT__INLINE float mt__exp_times(float x, float a) {
	x = x < -112.0f ? -112.0f : x;
	x = x > 89.0f ? 89.0f : x;
	int32_t n;
	float r = mt__exp_reduce(x, &n);
	n = n < -162 ? -162 : n > 130 ? 130 : n;
	float p = mt__madd(mt__exp_poly(r), r * r, r) + 1.0f;
	int32_t half = n >> 1;
	return a * p * mt__pow2i(half) * mt__pow2i(n - half);
}

/* e^x, all x. */
MT__INLINE float mt__expf(float x) {
	return mt__exp_times(x, 1.0f);
}

/* e^x - 1. */
MT__INLINE float mt__expm1f(float x) {
	float y = x < -20.0f ? -20.0f : x;
	y = y > 89.0f ? 89.0f : y;
	int32_t n;
	float r = mt__exp_reduce(y, &n);
	n = n < -32 ? -32 : n > 128 ? 128 : n;
	float p = 1.97892601e-4f;
	p = mt__madd(p, r, 1.39457521e-3f);
	p = mt__madd(p, r, 8.33350376e-3f);
	p = mt__madd(p, r, 4.16662803e-2f);
	p = mt__madd(p, r, 1.66666658e-1f);
	p = mt__madd(p, r, 5.00000007e-1f);
	p = mt__madd(p, r * r, r);
	/* 2^(n-1), so that n = 128 stays finite. */
	float half = mt__pow2i(n - 1);
	float result = 2.0f * mt__madd(half, p, half - 0.5f);
	result = n == 0 ? p : result;
	return mt__from_bits(mt__bits(x) & 0x7FFFFFFFu) < 0x1p-25f ? x : result;
}

/* ln(1 + f) + n ln 2 + c, 1 + f in [sqrt 1/2, sqrt 2]: fdlibm's s = f / (2 + f) form. */
MT__INLINE float mt__log_core(float f, float n, float c) {
	float s = f / (2.0f + f), z = s * s, w = z * z;
	float odd = w * mt__madd(w, 0.24279078841f, 0.40000972152f);
	float even = z * mt__madd(w, 0.28498786688f, 0.66666662693f);
	float half = 0.5f * f * f;
	float low = mt__madd(s, half + (odd + even), mt__madd(n, 0x1.7f7d1cp-20f, c));
	return mt__madd(n, 0x1.62e4p-1f, (low - half) + f);
}

/* ln x. */
MT__INLINE float mt__logf(float x) {
	float scaled = x < 0x1p-126f ? x * 0x1p23f : x;
	float n = x < 0x1p-126f ? -23.0f : 0.0f;
	uint32_t u = mt__bits(scaled) - 0x3F3504F3u;
	n += (float)((int32_t)u >> 23);
	float f = mt__from_bits((u & 0x007FFFFFu) + 0x3F3504F3u) - 1.0f;
	float result = mt__log_core(f, n, 0.0f);
	result = x < INFINITY ? result : x; /* +inf and NaN */
	result = x == 0.0f ? -INFINITY : result;
	return x < 0.0f ? NAN : result;
}

/* x = 2^n (1 + f), 1 + f in [sqrt 1/2, sqrt 2], for finite x > 0. */
MT__INLINE float mt__log_reduce(float x, float *n) {
	float scaled = x < 0x1p-126f ? x * 0x1p23f : x;
	uint32_t u = mt__bits(scaled) - 0x3F3504F3u;
	*n = (x < 0x1p-126f ? -23.0f : 0.0f) + (float)((int32_t)u >> 23);
	return mt__from_bits((u & 0x007FFFFFu) + 0x3F3504F3u) - 1.0f;
}

/* n c + ln(1 + f) b: logarithms to other bases; b comes in two parts, the upper one with 12 bits. */
MT__INLINE float mt__log_scaled(float f, float n, float b_high, float b_low, float c_high, float c_low) {
	float s = f / (2.0f + f), z = s * s, w = z * z;
	float odd = w * mt__madd(w, 0.24279078841f, 0.40000972152f);
	float even = z * mt__madd(w, 0.28498786688f, 0.66666662693f);
	float half = 0.5f * f * f, high = mt__from_bits(mt__bits(f - half) & 0xFFFFF000u);
	float low = mt__madd(s, half + (odd + even), (f - high) - half);
	float rest = mt__madd(low + high, b_low, low * b_high);
	return mt__madd(n, c_high, mt__madd(high, b_high, mt__madd(n, c_low, rest)));
}

/* What logarithms give where their argument is no positive finite number. */
MT__INLINE float mt__log_special(float x, float result) {
	result = x < INFINITY ? result : x; /* +inf and NaN */
	result = x == 0.0f ? -INFINITY : result;
	return x < 0.0f ? NAN : result;
}

MT__INLINE float mt__log2f(float x) {
	float n, f = mt__log_reduce(x, &n);
	return mt__log_special(x, mt__log_scaled(f, n, 0x1.7140000000000p+0f, 0x1.47652c0000000p-12f, 1.0f, 0.0f));
}

MT__INLINE float mt__log10f(float x) {
	float n, f = mt__log_reduce(x, &n);
	return mt__log_special(x, mt__log_scaled(f, n, 0x1.bca0000000000p-2f, 0x1.7b15260000000p-14f, 0x1.3440000000000p-2f,
	                                         0x1.3509f80000000p-18f));
}

/* ln(1 + x).  c makes up for what rounding 1 + x lost; its quotient by 1 + x needs few digits. */
MT__INLINE float mt__log1pf(float x) {
	float one = 1.0f + x;
	uint32_t u = mt__bits(one) - 0x3F3504F3u;
	int32_t k = (int32_t)u >> 23;
	float c = k >= 2 ? 1.0f - (one - x) : x - (one - 1.0f);
	float f = mt__from_bits((u & 0x007FFFFFu) + 0x3F3504F3u) - 1.0f;
	/* 1 / one = 2^-k / (1 + f), 1 / (1 + f) to 4% */
	c *= mt__pow2i(k < 25 ? -k : -25) * mt__madd(mt__madd(0.83f, f, -1.0f), f, 1.0f);
	f = k == 0 ? x : f;
	c = ((k == 0) | (k >= 25)) ? 0.0f : c;
	float result = mt__log_core(f, (float)k, c);
	result = x < INFINITY ? result : x;
	result = x == -1.0f ? -INFINITY : result;
	result = x < -1.0f ? NAN : result;
	return mt__from_bits(mt__bits(x) & 0x7FFFFFFFu) < 0x1p-25f ? x : result;
}

/* tanh x: Cephes' polynomial below 0.625, 1 - 2 / (e^2x + 1) above. */
MT__INLINE float mt__tanhf(float x) {
	float a = mt__from_bits(mt__bits(x) & 0x7FFFFFFFu), z = a * a;
	float p = -5.70498872745e-3f;
	p = mt__madd(p, z, 2.06390887954e-2f);
	p = mt__madd(p, z, -5.37397155531e-2f);
	p = mt__madd(p, z, 1.33314422036e-1f);
	p = mt__madd(p, z, -3.33332819422e-1f);
	float small = mt__madd(p * z, a, a);
	float e = mt__exp_normal(2.0f * (a > 10.0f ? 10.0f : a));
	float large = 1.0f - 2.0f / (e + 1.0f);
	return mt__copysign(a < 0.625f ? small : large, x);
}

/* 1 / (1 + e^-x) = (quotient + low) · scale, scale a power of two: 1 / (1 + e) or e / (1 + e) with e = e^-|x|.  low gives
 * back what rounding e and 1 + e lost. */
MT__INLINE float mt__sigmoid_parts(float x, float *low_part, float *scale) {
	float minus = -mt__from_bits(mt__bits(x) & 0x7FFFFFFFu);
	minus = minus < -112.0f ? -112.0f : minus;
	int32_t n;
	float low, r = mt__exp_reduce_low(minus, &n, &low);
	n = n < -162 ? -162 : n > 0 ? 0 : n;
	/* p + p_low = e^r: 1 + (r + u) with what each sum lost. */
	float u = mt__exp_poly(r) * (r * r), t = r + u, p = 1.0f + t;
	float p_low = (t - (p - 1.0f)) + mt__madd(low, p, (r - t) + u);
	float first = mt__pow2i(n >> 1), second = mt__pow2i(n - (n >> 1));
	float e = p * first * second, d = 1.0f + e, d_low = (e - (d - 1.0f)) + p_low * first * second;
	float above = x >= 0.0f ? 1.0f : p * first, above_low = x >= 0.0f ? 0.0f : p_low * first;
	second = x >= 0.0f ? 1.0f : second;
	float q = above / d, inverse = x >= 0.0f ? q : 1.0f - q * second;
	*scale = second;
	*low_part = mt__madd(-q, d_low, above_low) * inverse;
	return q;
}

MT__INLINE float mt__sigmoidf(float x) {
	float low, scale, quotient = mt__sigmoid_parts(x, &low, &scale);
	return x < -104.0f ? 0.0f : (quotient + low) * scale;
}

/* x sigmoid(x). */
MT__INLINE float mt__siluf(float x) {
	float low, scale, quotient = mt__sigmoid_parts(x, &low, &scale);
	float product = mt__madd(x, quotient, x * low) * scale;
	product = x > 40.0f ? x : product;
	return x < -112.0f ? x * 0.0f : product;
}

/* ln(1 + e^x). */
MT__INLINE float mt__softplusf(float x) {
	float e = mt__expf(-mt__from_bits(mt__bits(x) & 0x7FFFFFFFu));
	return (x > 0.0f ? x : 0.0f) + mt__log1pf(e);
}

/* erf x: x + x p(x^2) below 0.927, 1 - e^q(|x|) above (both minimax; after N. Juffa). */
MT__INLINE float mt__erff(float x) {
	float t = mt__from_bits(mt__bits(x) & 0x7FFFFFFFu), s = x * x;
	float p = -5.96761703e-4f;
	p = mt__madd(p, s, 4.99119423e-3f);
	p = mt__madd(p, s, -2.67681349e-2f);
	p = mt__madd(p, s, 1.12819925e-1f);
	p = mt__madd(p, s, -3.76125336e-1f);
	p = mt__madd(p, s, 1.28379166e-1f);
	float small = mt__madd(p, x, x);
	t = t > 4.0f ? 4.0f : t;
	float tt = t * t;
	float q = mt__madd(-1.72853470e-5f, t, 3.83197126e-4f);
	float u = mt__madd(-3.88396438e-3f, t, 2.42546219e-2f);
	q = mt__madd(q, tt, u);
	q = mt__madd(q, t, -1.06777877e-1f);
	q = mt__madd(q, t, -6.34846687e-1f);
	q = mt__madd(q, t, -1.28717512e-1f);
	q = mt__madd(q, t, -t);
	float large = mt__copysign(1.0f - mt__exp_normal(q), x);
	return t < 0.927734375f ? small : large;
}

/* arcsin r - r for r in [0, 1/2], r² = z. */
MT__INLINE float mt__asin_rest(float r, float z) {
	float p = 0x1.33895ep-5f;
	p = mt__madd(p, z, 0x1.d87ecep-7f);
	p = mt__madd(p, z, 0x1.049d3ep-5f);
	p = mt__madd(p, z, 0x1.6cad52p-5f);
	p = mt__madd(p, z, 0x1.333886p-4f);
	p = mt__madd(p, z, 0x1.55554cp-3f);
	return p * z * r;
}

/* r = sqrt(z) and what rounding it lost; z in [0, 1/4]. */
MT__INLINE float mt__sqrt_parts(float z, float *low) {
	float r = sqrtf(z);
#if defined(__FMA__) || defined(__aarch64__)
	float rest = __builtin_fmaf(-r, r, z);
#else
	float rest = (float)((double)z - (double)r * (double)r);
#endif
	*low = z > 0.0f ? 0.5f * rest / r : 0.0f;
	return r;
}

/* arcsin x, above 1/2 as π/2 - 2 arcsin sqrt((1 - x) / 2). */
MT__INLINE float mt__asinf(float x) {
	float a = mt__from_bits(mt__bits(x) & 0x7FFFFFFFu), z = mt__madd(-0.5f, a, 0.5f), low;
	float root = mt__sqrt_parts(z, &low);
	z = a > 0.5f ? z : a * a;
	float r = a > 0.5f ? root : a, rest = mt__asin_rest(r, z);
	float large = (-2.0f * r + 0x1.921fb6p0f) + mt__madd(-2.0f, rest + low, -0x1.777a5cp-25f);
	return mt__copysign(a > 0.5f ? large : r + rest, x);
}

/* arccos x: 2 arcsin sqrt((1 - |x|) / 2) above 1/2, or π less that; π/2 - arcsin x between. */
MT__INLINE float mt__acosf(float x) {
	float a = mt__from_bits(mt__bits(x) & 0x7FFFFFFFu), z = mt__madd(-0.5f, a, 0.5f), low;
	float root = mt__sqrt_parts(z, &low);
	z = a > 0.5f ? z : a * a;
	float r = a > 0.5f ? root : a, rest = mt__asin_rest(r, z), both = rest + low;
	float above = 2.0f * (r + both);
	float below = (-2.0f * r + 0x1.921fb6p1f) + mt__madd(-2.0f, both, -0x1.777a5cp-24f);
	float signed_r = mt__copysign(r, x), signed_rest = mt__copysign(rest, x);
	float middle = (0x1.921fb6p0f - signed_r) - (signed_rest + 0x1.777a5cp-25f);
	float large = x < 0.0f ? below : above;
	return a > 0.5f ? large : middle;
}

/* arctan q of q in [0, 1]. */
MT__INLINE float mt__atan_unit(float q) {
	float z = q * q, p = -0x1.d69210p-10f;
	p = mt__madd(p, z, 0x1.65df1ep-7f);
	p = mt__madd(p, z, -0x1.ff084ap-6f);
	p = mt__madd(p, z, 0x1.dae6aap-5f);
	p = mt__madd(p, z, -0x1.583d66p-4f);
	p = mt__madd(p, z, 0x1.c09d32p-4f);
	p = mt__madd(p, z, -0x1.24220ap-3f);
	p = mt__madd(p, z, 0x1.999206p-3f);
	p = mt__madd(p, z, -0x1.55553ep-2f);
	return mt__madd(p * z, q, q);
}

MT__INLINE float mt__atanf(float x) {
	float a = mt__from_bits(mt__bits(x) & 0x7FFFFFFFu);
	float y = mt__atan_unit(a > 1.0f ? 1.0f / a : a);
	float large = (-0x1.777a5cp-25f - y) + 0x1.921fb6p0f;
	return mt__copysign(a > 1.0f ? large : y, x);
}

#endif
