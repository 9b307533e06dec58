/* Elementary functions of float that need more than float inside: computed in double and rounded once, so that they are
 * off by 0.51 ULP at most (the slopes of gelu and mish near their zeros: by 2^-33; selu 1.66 ULP, its slope 1.76).
 * Branch-free; 64-bit integer arithmetic is limited to what AVX2 has (no conversion from or to int64, no arithmetic
 * shift): exponents pass through the low bits of 1.5 * 2^52 + n. */
#ifndef MT_OMP_VMATH_WIDE_H
#define MT_OMP_VMATH_WIDE_H

#include "vmath.h"

MT__INLINE double mt__wide_madd(double a, double b, double c) {
#if defined(__FMA__) || defined(__aarch64__)
	return __builtin_fma(a, b, c);
#else
	return a * b + c;
#endif
}

MT__INLINE uint64_t mt__wide_bits(double x) {
	union {
		double f;
		uint64_t u;
	} v = {.f = x};
	return v.u;
}

MT__INLINE double mt__wide_from_bits(uint64_t u) {
	union {
		uint64_t u;
		double f;
	} v = {.u = u};
	return v.f;
}

MT__INLINE double mt__wide_abs(double x) {
	return mt__wide_from_bits(mt__wide_bits(x) & 0x7FFFFFFFFFFFFFFFu);
}

#define MT__WIDE_SHIFT 0x1.8p52

/* e^r 2^n for |r| <= 0.35; k = 1.5 * 2^52 + n with n in [-1022, 1023].  Off by 2^-39. */
MT__INLINE double mt__wide_exp_core(double r, double k) {
	double p = 0.0000247064392094133451;
	p = mt__wide_madd(p, r, 0.000199102952859101559);
	p = mt__wide_madd(p, r, 0.00138892095816765923);
	p = mt__wide_madd(p, r, 0.00833327972449610991);
	p = mt__wide_madd(p, r, 0.0416666642664374863);
	p = mt__wide_madd(p, r, 0.166666667916483083);
	p = mt__wide_madd(p, r, 0.500000000046207116);
	p = mt__wide_madd(p, r * r, r) + 1.0;
	return p * mt__wide_from_bits((mt__wide_bits(k) + 1023u) << 52);
}

/* e^x; 0 below -700, infinite above 700. */
MT__INLINE double mt__wide_exp(double x) {
	double y = x < -700.0 ? -700.0 : x;
	y = y > 700.0 ? 700.0 : y;
	double k = mt__wide_madd(y, 0x1.71547652b82fep0, MT__WIDE_SHIFT);
	double n = k - MT__WIDE_SHIFT;
	double r = mt__wide_madd(n, -0x1.abc9e3b39803fp-56, mt__wide_madd(n, -0x1.62e42fefa39efp-1, y));
	double e = mt__wide_exp_core(r, k);
	e = x < -700.0 ? 0.0 : e;
	return x > 700.0 ? (double)INFINITY : e;
}

/* 2^x for x in [-1000, 1000]. */
MT__INLINE double mt__wide_exp2(double x) {
	double k = x + MT__WIDE_SHIFT;
	return mt__wide_exp_core((x - (k - MT__WIDE_SHIFT)) * 0x1.62e42fefa39efp-1, k);
}

/* log2 x for x >= 0 that came from a float; relative error 2^-44. */
MT__INLINE double mt__wide_log2(double x) {
	uint64_t u = mt__wide_bits(x) - 0x3FE6A09E667F3BCDu + 0x3FF0000000000000u;
	double n = mt__wide_from_bits((u >> 52) | 0x4338000000000000u) - (MT__WIDE_SHIFT + 1023.0);
	double f = mt__wide_from_bits((u & 0x000FFFFFFFFFFFFFu) + 0x3FE6A09E667F3BCDu) - 1.0;
	double s = f / (2.0 + f), z = s * s;
	double p = 0.09806666338069655;
	p = mt__wide_madd(p, z, 0.110871439987495522);
	p = mt__wide_madd(p, z, 0.14286075637928053);
	p = mt__wide_madd(p, z, 0.199999976301726623);
	p = mt__wide_madd(p, z, 0.333333333383710077);
	double ln = 2.0 * mt__wide_madd(p * z, s, s);
	double log2 = mt__wide_madd(ln, 0x1.71547652b82fep0, n);
	log2 = x < (double)INFINITY ? log2 : x;
	return x == 0.0 ? -(double)INFINITY : log2;
}

/* x^y with every case of C's pow. */
MT__INLINE float mt__powf(float x, float y) {
	double a = mt__wide_abs((double)x), b = (double)y;
	double t = b * mt__wide_log2(a);
	t = t < -200.0 ? -200.0 : t;
	t = t > 200.0 ? 200.0 : t;
	float r = (float)mt__wide_exp2(t);
	/* Every float of 2^24 and above is an even integer, an infinity, or NaN. */
	double shifted = b + MT__WIDE_SHIFT;
	int huge = !(mt__wide_abs(b) < 0x1p24);
	int integer = huge | (shifted - MT__WIDE_SHIFT == b);
	uint32_t odd = huge ? 0u : (uint32_t)mt__wide_bits(shifted) & (uint32_t)integer & 1u;
	r = mt__from_bits(mt__bits(r) ^ (mt__bits(x) & (odd << 31)));
	r = ((x < 0.0f) & (x > -INFINITY) & !integer) ? NAN : r;
	int one = (x == 1.0f) | (y == 0.0f) | ((a == 1.0) & (mt__wide_abs(b) == (double)INFINITY));
	return one ? 1.0f : r;
}

/* Beyond this |x| the reduction of mt__sinf and mt__cosf is no longer exact enough: use the C library. */
#define MT__TRIG_LIMIT 0x1p27f

/* x = n π/2 + r, |r| <= π/4, for |x| below MT__TRIG_LIMIT; *quadrant has n's low bits.  π/2's upper part has 25 bits,
 * so that n times it is exact. */
MT__INLINE double mt__trig_reduce(double x, uint64_t *quadrant) {
	double k = mt__wide_madd(x, 0x1.45f306dc9c883p-1, MT__WIDE_SHIFT);
	*quadrant = mt__wide_bits(k);
	k -= MT__WIDE_SHIFT;
	return mt__wide_madd(k, -1.58932547735281966916e-8, mt__wide_madd(k, -1.57079631090164184570, x));
}

/* sin r and cos r on |r| <= π/4 (FreeBSD's k_sinf, k_cosf: off by 2^-37 and 2^-33). */
MT__INLINE double mt__trig_sin(double r) {
	double z = r * r;
	double p = mt__wide_madd(z, 0x16cd878c3b46a7.0p-71, -0x1a00f9e2cae774.0p-65);
	p = mt__wide_madd(p, z, 0x111110896efbb2.0p-59);
	p = mt__wide_madd(p, z, -0x15555554cbac77.0p-55);
	return mt__wide_madd(p * z, r, r);
}

MT__INLINE double mt__trig_cos(double r) {
	double z = r * r;
	double p = mt__wide_madd(z, 0x199342e0ee5069.0p-68, -0x16c087e80f1e27.0p-62);
	p = mt__wide_madd(p, z, 0x155553e1053a42.0p-57);
	p = mt__wide_madd(p, z, -0x1ffffffd0c5e81.0p-54);
	return mt__wide_madd(p, z, 1.0);
}

/* sin x and cos x for |x| below MT__TRIG_LIMIT; NaN for infinities and NaN. */
MT__INLINE float mt__sinf(float x) {
	uint64_t q;
	double r = mt__trig_reduce((double)x, &q);
	double s = mt__trig_sin(r), c = mt__trig_cos(r);
	double v = q & 1 ? c : s;
	v = mt__wide_from_bits(mt__wide_bits(v) ^ (q & 2) << 62);
	return mt__from_bits(mt__bits(x) & 0x7FFFFFFFu) < 0x1p-12f ? x : (float)v;
}

MT__INLINE float mt__cosf(float x) {
	uint64_t q;
	double r = mt__trig_reduce((double)x, &q);
	double s = mt__trig_sin(r), c = mt__trig_cos(r);
	double v = q & 1 ? s : c;
	return (float)mt__wide_from_bits(mt__wide_bits(v) ^ ((q + 1) & 2) << 62);
}

/* tan x for |x| below MT__TRIG_LIMIT. */
MT__INLINE float mt__tanf(float x) {
	uint64_t q;
	double r = mt__trig_reduce((double)x, &q);
	double s = mt__trig_sin(r), c = mt__trig_cos(r);
	double above = q & 1 ? -c : s, below = q & 1 ? s : c;
	return mt__from_bits(mt__bits(x) & 0x7FFFFFFFu) < 0x1p-12f ? x : (float)(above / below);
}

/* 2^x. */
MT__INLINE float mt__exp2f(float x) {
	double y = (double)x;
	y = y < -200.0 ? -200.0 : y;
	y = y > 200.0 ? 200.0 : y;
	return (float)mt__wide_exp2(y);
}

/* sinh x: Taylor's series below 1, off by 2^-32; (e^|x| - e^-|x|) / 2 above. */
MT__INLINE float mt__sinhf(float x) {
	double a = (double)x, z = a * a, e = mt__wide_exp(mt__wide_abs(a));
	double p = 1.0 / 39916800.0;
	p = mt__wide_madd(p, z, 1.0 / 362880.0);
	p = mt__wide_madd(p, z, 1.0 / 5040.0);
	p = mt__wide_madd(p, z, 1.0 / 120.0);
	p = mt__wide_madd(p, z, 1.0 / 6.0);
	double small = mt__wide_madd(p * z, a, a);
	float large = mt__copysign((float)(0.5 * (e - 1.0 / e)), x);
	return z < 1.0 ? (float)small : large;
}

MT__INLINE float mt__coshf(float x) {
	double e = mt__wide_exp(mt__wide_abs((double)x));
	return (float)(0.5 * (e + 1.0 / e));
}

/* With e = e^-|x|, tanh(ln(1 + e^x)) = n / d, n = 1 + 2 e or 2 e + e^2, d = n + 2 w, w = e^2 or 1 (x above, below 0):
 * nothing cancels. */
MT__INLINE double mt__wide_mish_parts(double x, double *e, double *d) {
	*e = mt__wide_exp(-mt__wide_abs(x));
	double n = x >= 0.0 ? mt__wide_madd(2.0, *e, 1.0) : *e * (2.0 + *e);
	*d = n + 2.0 * (x >= 0.0 ? *e * *e : 1.0);
	return n;
}

/* x tanh(softplus(x)). */
MT__INLINE float mt__mishf(float x) {
	double e, d, n = mt__wide_mish_parts((double)x, &e, &d);
	return (float)((double)x * (n / d));
}

/* Its derivative: n / d + 4 x v (1 + e) / d^2, v = e^2 or e. */
MT__INLINE float mt__mish_slopef(float x) {
	double e, d, n = mt__wide_mish_parts((double)x, &e, &d);
	double v = x >= 0.0f ? e * e : e;
	return (float)(mt__wide_madd(4.0 * (double)x * v, (1.0 + e) / d, n) / d);
}

/* s (x <= 0 ? a (e^x - 1) : x), and its derivative. */
#define MT__SELU_S 1.0507009873554805
#define MT__SELU_SA (MT__SELU_S * 1.6732632423543772)

MT__INLINE float mt__seluf(float x) {
	double below = MT__SELU_SA * (double)mt__expm1f(x), above = MT__SELU_S * (double)x;
	return (float)(x <= 0.0f ? below : above);
}

MT__INLINE float mt__selu_slopef(float x) {
	double below = MT__SELU_SA * (double)mt__expf(x);
	return (float)(x <= 0.0f ? below : MT__SELU_S);
}

/* sqrt(x^2 + y^2); infinite where either is, even beside NaN. */
MT__INLINE float mt__hypotf(float x, float y) {
	double a = (double)x, b = (double)y;
	float r = (float)sqrt(a * a + b * b);
	int a_infinite = mt__wide_abs(a) == (double)INFINITY, b_infinite = mt__wide_abs(b) == (double)INFINITY;
	return a_infinite | b_infinite ? INFINITY : r;
}

/* Of the standard normal distribution: *tail = Φ(-|x|) and *density = φ(x), both 0 from |x| = 14.8 on, where they are
 * no longer floats.  Φ(-z) = e^(-z²/2) G((z - 4) / (z + 4)), G minimax to 2^-33. */
MT__INLINE void mt__wide_normal(double x, double *tail, double *density) {
	double a = mt__wide_abs(x), z = a > 14.8 ? 14.8 : a;
	double e = mt__wide_exp(-0.5 * z * z), t = (z - 4.0) / (z + 4.0);
	double g = -1.22127537864224201e-6;
	g = mt__wide_madd(g, t, 5.42112195134189302e-6);
	g = mt__wide_madd(g, t, 0.0000258938188040039668);
	g = mt__wide_madd(g, t, -0.0000468453020715756085);
	g = mt__wide_madd(g, t, -0.000186124910122830135);
	g = mt__wide_madd(g, t, 0.0006393569834438472);
	g = mt__wide_madd(g, t, 0.000507350895963421683);
	g = mt__wide_madd(g, t, -0.00849218985907177727);
	g = mt__wide_madd(g, t, 0.0308648260905014566);
	g = mt__wide_madd(g, t, -0.0717074009267754855);
	g = mt__wide_madd(g, t, 0.12437925437916791);
	g = mt__wide_madd(g, t, -0.170397721660360144);
	g = mt__wide_madd(g, t, 0.0944106413092857098);
	e = a > 14.8 ? 0.0 : e;
	*tail = e * g;
	*density = e * 0.398942280401432678;
}

/* x Φ(x). */
MT__INLINE float mt__geluf(float x) {
	double tail, density;
	mt__wide_normal((double)x, &tail, &density);
	return (float)((double)x * (x < 0.0f ? tail : 1.0 - tail));
}

/* Φ(x) + x φ(x). */
MT__INLINE float mt__gelu_slopef(float x) {
	double tail, density;
	mt__wide_normal((double)x, &tail, &density);
	return (float)mt__wide_madd((double)x, density, x < 0.0f ? tail : 1.0 - tail);
}

/* (1 + tanh u) / 2 with u = sqrt(2/π) (x + 0.044715 x³): half the factor of x in gelu_tanh. */
MT__INLINE double mt__gelu_tanh_gate(double x) {
	double u = 0.797884560802865356 * x * mt__wide_madd(0.044715 * x, x, 1.0);
	return 1.0 / (1.0 + mt__wide_exp(-2.0 * u));
}

/* x/2 (1 + tanh(sqrt(2/π) (x + 0.044715 x³))). */
MT__INLINE float mt__gelu_tanhf(float x) {
	return (float)((double)x * mt__gelu_tanh_gate((double)x));
}

/* Its derivative: s + 2 x s (1 - s) u', s the gate. */
MT__INLINE float mt__gelu_tanh_slopef(float x) {
	double a = (double)x, s = mt__gelu_tanh_gate(a);
	double slope = 0.797884560802865356 * mt__wide_madd(3.0 * 0.044715 * a, a, 1.0);
	return (float)mt__wide_madd(2.0 * a * slope, s * (1.0 - s), s);
}

/* 2/sqrt(π) e^(-x²), the derivative of erf. */
MT__INLINE float mt__erf_slopef(float x) {
	double a = (double)x;
	return (float)(1.12837916709551257 * mt__wide_exp(-a * a));
}

/* 1/2 ln(u / v) for 0 < v <= u, normal: 2^n v is brought within sqrt 2 of u, then s = (u - v) / (u + v). */
MT__INLINE double mt__wide_half_log(double u, double v) {
	uint64_t d = mt__wide_bits(u) - mt__wide_bits(v) + 0x0008000000000000u;
	double n = mt__wide_from_bits((d >> 52) | 0x4338000000000000u) - MT__WIDE_SHIFT;
	v = mt__wide_from_bits(mt__wide_bits(v) + (d & 0xFFF0000000000000u));
	double s = (u - v) / (u + v), z = s * s;
	double p = 0.0943939286546937;
	p = mt__wide_madd(p, z, 0.110871439987495522);
	p = mt__wide_madd(p, z, 0.14286075637928053);
	p = mt__wide_madd(p, z, 0.199999976301726623);
	p = mt__wide_madd(p, z, 0.333333333383710077);
	return mt__wide_madd(n, 0.346573590279972654709, mt__wide_madd(p * z, s, s));
}

/* artanh x; 1/2 ln((1 + x) / (1 - x)). */
MT__INLINE float mt__atanhf(float x) {
	double a = mt__wide_abs((double)x);
	float y = mt__copysign((float)mt__wide_half_log(1.0 + a, 1.0 - a), x);
	y = a < 0x1p-12 ? x : y;
	y = a == 1.0 ? mt__copysign(INFINITY, x) : y;
	return a <= 1.0 ? y : NAN;
}

/* arsinh x: ln(|x| + sqrt(1 + x²)). */
MT__INLINE float mt__asinhf(float x) {
	double a = mt__wide_abs((double)x), r = sqrt(mt__wide_madd(a, a, 1.0)), sum = a + r;
	float y = mt__copysign((float)(2.0 * mt__wide_half_log(sum, 1.0)), x);
	y = a < 0x1p-12 ? x : y;
	return a < (double)INFINITY ? y : x;
}

/* arcosh x: ln(x + sqrt((x - 1) (x + 1))). */
MT__INLINE float mt__acoshf(float x) {
	double a = (double)x, sum = a + sqrt((a - 1.0) * (a + 1.0));
	float y = (float)(2.0 * mt__wide_half_log(sum, 1.0));
	y = a < (double)INFINITY ? y : x;
	return a < 1.0 ? NAN : y;
}

/* The angle of (x, y): arctan of the smaller coordinate over the larger, and from there to the octant. */
MT__INLINE float mt__atan2f(float y, float x) {
	float a = mt__from_bits(mt__bits(y) & 0x7FFFFFFFu), b = mt__from_bits(mt__bits(x) & 0x7FFFFFFFu);
	int steep = a > b;
	float low = steep ? b : a, high = steep ? a : b;
	float q = low / high;
	q = high == 0.0f ? 0.0f : q;
	q = low == INFINITY ? 1.0f : q;
	float r = mt__atan_unit(q);
	float quarter = (-0x1.777a5cp-25f - r) + 0x1.921fb6p0f;
	r = steep ? quarter : r;
	float left = (-0x1.777a5cp-24f - r) + 0x1.921fb6p1f;
	r = (int32_t)mt__bits(x) < 0 ? left : r;
	r = ((a != a) | (b != b)) ? NAN : r;
	return mt__copysign(r, y);
}

#endif
