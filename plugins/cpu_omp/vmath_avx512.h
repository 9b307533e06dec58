/* Elementary functions of 16 floats with what AVX-512 has beyond other levels: scaling by 2^n with overflow and
 * subnormals in one instruction, tables of 32 floats looked up in registers.  vmath.h and vmath_wide.h say the same in
 * plain C; the same special values, and at most 2 ULP (docs/performance/elementwise.md has the maxima).  Here are the
 * exponential's relatives; vmath_avx512_*.h have the others by family. */
#ifndef MT_OMP_VMATH_AVX512_H
#define MT_OMP_VMATH_AVX512_H

#include <math.h>

#include "stream.h"

/* Ways that few vectors take: out of line, so that their constants stay out of the registers of the loop. */
#define MT__FAR static __attribute__((noinline, unused))
#define MT__RARELY(mask) __builtin_expect((mask) != 0, 0)

MT_INLINE __m512 set_f32(float x) {
	return _mm512_set1_ps(x);
}

/* c[0] + c[1] r + … + c[n - 1] r^(n-1), Horner */
MT_INLINE __m512 poly_f32(__m512 r, const float *c, int n) {
	__m512 p = set_f32(c[n - 1]);
	MT_UNROLL
	for (int i = n - 2; i >= 0; i--)
		p = _mm512_fmadd_ps(p, r, set_f32(c[i]));
	return p;
}

/* The same for n = 5 by Estrin's scheme, r2 = r²: less deep, no more products. */
MT_INLINE __m512 poly5_f32(__m512 r, __m512 r2, const float *c) {
	__m512 low = _mm512_fmadd_ps(set_f32(c[1]), r, set_f32(c[0]));
	__m512 high = _mm512_fmadd_ps(set_f32(c[3]), r, set_f32(c[2]));
	return _mm512_fmadd_ps(_mm512_fmadd_ps(set_f32(c[4]), r2, high), r2, low);
}

MT_INLINE __m512 look_up(const float *table, __m512i index) {
	return _mm512_permutex2var_ps(_mm512_loadu_ps(table), index, _mm512_loadu_ps(table + 16));
}

/* Adding it rounds to an integer n, and the low bits become n + 127: shifted by 23 they are 2^n for n in [-126, 127]. */
#define MT__EXP_SHIFT 0x1.8000fep23f

/* e^(x + a low) = (1 + t) 2^n; x in [-2^15, 2^15] or NaN.  n comes as a float, and as the shift's bits. */
MT_INLINE __m512 exp_parts_low(__m512 x, __m512 a, const __m512 *low, __m512 *n, __m512i *bits) {
	static const float c[] = {4.99999931e-1f, 1.66665148e-1f, 4.16684568e-2f, 8.36941880e-3f, 1.38131414e-3f};
	__m512 k = _mm512_fmadd_ps(x, set_f32(0x1.715476p0f), set_f32(MT__EXP_SHIFT));
	*bits = (__m512i)k;
	*n = _mm512_sub_ps(k, set_f32(MT__EXP_SHIFT));
	__m512 r = _mm512_fmadd_ps(*n, set_f32(-0x1.62e4p-1f), x);
	r = _mm512_fmadd_ps(*n, set_f32(-0x1.7f7d1cp-20f), r);
	if (low != NULL)
		r = _mm512_fmadd_ps(a, *low, r);
	__m512 r2 = _mm512_mul_ps(r, r);
	return _mm512_fmadd_ps(poly5_f32(r, r2, c), r2, r);
}

/* e^x = (1 + t) 2^n */
MT_INLINE __m512 exp_parts(__m512 x, __m512 *n, __m512i *bits) {
	return exp_parts_low(x, x, NULL, n, bits);
}

/* min(x, high), max(x, low): NaN stays. */
MT_INLINE __m512 at_most(__m512 x, float high) {
	return _mm512_min_ps(set_f32(high), x);
}

MT_INLINE __m512 at_least(__m512 x, float low) {
	return _mm512_max_ps(set_f32(low), x);
}

MT_INLINE __m512 exp_16(__m512 x) {
	__m512i bits;
	__m512 n, t = exp_parts(at_least(at_most(x, 89.0f), -112.0f), &n, &bits);
	return _mm512_scalef_ps(_mm512_add_ps(t, set_f32(1.0f)), n);
}

MT_INLINE __m512 exp2_16(__m512 x) {
	static const float c[] = {0x1.62e430p-1f, 0x1.ebfbe0p-3f,  0x1.c6aed0p-5f,
	                          0x1.3b29c6p-7f, 0x1.5f4732p-10f, 0x1.447df6p-13f};
	x = at_least(at_most(x, 200.0f), -200.0f);
	__m512 n = _mm512_roundscale_ps(x, 8), r = _mm512_sub_ps(x, n);
	__m512 p = _mm512_fmadd_ps(poly_f32(r, c, 6), r, set_f32(1.0f));
	return _mm512_scalef_ps(p, n);
}

/* a / d for d in [1/2, 4]: an estimate of 14 bits and its remainder, less than the time of a division and off by 0.51 ULP. */
MT_INLINE __m512 quotient(__m512 a, __m512 d) {
	__m512 inverse = _mm512_rcp14_ps(d), q = _mm512_mul_ps(a, inverse);
	return _mm512_fmadd_ps(_mm512_fnmadd_ps(q, d, a), inverse, q);
}

/* 1 / d, likewise. */
MT_INLINE __m512 reciprocal(__m512 d) {
	__m512 inverse = _mm512_rcp14_ps(d);
	return _mm512_fmadd_ps(inverse, _mm512_fnmadd_ps(inverse, d, set_f32(1.0f)), inverse);
}

/* max(x, 0) + ln(1 + e), e = e^-|x| in (0, 1]: e Q(e), Q minimax to 2^-30. */
MT_INLINE __m512 softplus_16(__m512 x) {
	static const float c[] = {0x1.000000p+0f, -0x1.fffff4p-2f, 0x1.55534ap-2f, -0x1.ffbcfap-3f,
	                          0x1.975b26p-3f, -0x1.49d29cp-3f, 0x1.fc9172p-4f, -0x1.519034p-4f,
	                          0x1.539a62p-5f, -0x1.b7027ep-7f, 0x1.09dc7ap-9f};
	__m512i bits;
	__m512 n, t = exp_parts(at_least(_mm512_or_ps(x, set_f32(-0.0f)), -120.0f), &n, &bits);
	__m512 q = poly_f32(_mm512_scalef_ps(_mm512_add_ps(t, set_f32(1.0f)), n), c, 11);
	__m512 log = _mm512_scalef_ps(_mm512_fmadd_ps(t, q, q), n);
	return _mm512_add_ps(_mm512_max_ps(_mm512_setzero_ps(), x), log);
}

#endif
