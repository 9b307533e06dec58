/* Elementary functions of 16 floats with what AVX-512 has beyond other levels: scaling by 2^n with overflow and
 * subnormals in one instruction, tables of 32 floats (16 doubles) looked up in registers.  vmath.h and vmath_wide.h say the same
 * in plain C; the same special values, and at most 2 ULP (docs/performance/elementwise.md has the maxima). */
#ifndef MT_OMP_VMATH_AVX512_H
#define MT_OMP_VMATH_AVX512_H

#include <math.h>

#include "stream.h"

MT_INLINE __m512 set_f32(float x) {
	return _mm512_set1_ps(x);
}

MT_INLINE __m512d set_f64(double x) {
	return _mm512_set1_pd(x);
}

/* c[0] + c[1] r + … + c[n - 1] r^(n-1), Horner */
MT_INLINE __m512 poly_f32(__m512 r, const float *c, int n) {
	__m512 p = set_f32(c[n - 1]);
	MT_UNROLL
	for (int i = n - 2; i >= 0; i--)
		p = _mm512_fmadd_ps(p, r, set_f32(c[i]));
	return p;
}

MT_INLINE __m512d poly_f64(__m512d r, const double *c, int n) {
	__m512d p = set_f64(c[n - 1]);
	MT_UNROLL
	for (int i = n - 2; i >= 0; i--)
		p = _mm512_fmadd_pd(p, r, set_f64(c[i]));
	return p;
}

/* The same for n = 5 by Estrin's scheme, r2 = r²: less deep, no more products. */
MT_INLINE __m512 poly5_f32(__m512 r, __m512 r2, const float *c) {
	__m512 low = _mm512_fmadd_ps(set_f32(c[1]), r, set_f32(c[0]));
	__m512 high = _mm512_fmadd_ps(set_f32(c[3]), r, set_f32(c[2]));
	return _mm512_fmadd_ps(_mm512_fmadd_ps(set_f32(c[4]), r2, high), r2, low);
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

/* t and n of e = e^-|x| = (1 + t) 2^n, 2^n but for what is below 2^-126, and 1 + e rounded once. */
MT_INLINE __m512 sigmoid_parts(__m512 x, __m512 *n, __m512 *scale, __m512 *below) {
	__m512i bits;
	__m512 t = exp_parts(at_least(_mm512_or_ps(x, set_f32(-0.0f)), -120.0f), n, &bits);
	bits = _mm512_max_epi32(bits, _mm512_set1_epi32(0x4b400001)); /* the shift's with n = -126 */
	*scale = (__m512)_mm512_slli_epi32(bits, 23);
	*below = _mm512_fmadd_ps(t, *scale, _mm512_add_ps(*scale, set_f32(1.0f)));
	return t;
}

MT_INLINE __m512 sigmoid_16(__m512 x) {
	__mmask16 negative = _mm512_movepi32_mask((__m512i)x);
	__m512 n, scale, below, t = sigmoid_parts(x, &n, &scale, &below), inverse = reciprocal(below);
	__m512 y = _mm512_mask_fmadd_ps(inverse, negative, t, inverse);
	return _mm512_mask_scalef_ps(y, negative, y, n);
}

/* x sigmoid(x) = (x < 0 ? x e : x) / (1 + e); -inf gives NaN, as x · 0.  The remainder is that of x (1 + t), not of what
 * rounding that left. */
MT_INLINE __m512 silu_16(__m512 given) {
	__m512 x = at_least(given, -150.0f);
	__mmask16 negative = _mm512_movepi32_mask((__m512i)x);
	__m512 n, scale, below, t = sigmoid_parts(x, &n, &scale, &below), inverse = _mm512_rcp14_ps(below);
	__m512 q = _mm512_mul_ps(_mm512_mask_fmadd_ps(x, negative, t, x), inverse);
	__m512 rest = _mm512_mask3_fmadd_ps(x, t, _mm512_fnmadd_ps(q, below, x), negative);
	q = _mm512_fmadd_ps(rest, inverse, q);
	q = _mm512_mask_scalef_ps(q, negative, q, n);
	return _mm512_mask_mov_ps(q, _mm512_fpclass_ps_mask(given, 0x08 | 0x10), _mm512_fmadd_ps(given, given, given));
}

/* s (1 + x (1 - s)), s = sigmoid(x); NaN for infinities, as 0 · inf. */
MT_INLINE __m512 silu_slope_16(__m512 given) {
	const __m512 one = set_f32(1.0f);
	__mmask16 negative = _mm512_movepi32_mask((__m512i)given);
	__m512 x = at_least(at_most(given, 150.0f), -150.0f);
	__m512 n, scale, below, t = sigmoid_parts(x, &n, &scale, &below), d = reciprocal(below);
	__m512 ed = _mm512_fmadd_ps(t, d, d), minus_s = _mm512_mask_mul_ps(d, (__mmask16)~negative, ed, scale);
	__m512 s = _mm512_mask_mov_ps(d, negative, ed);
	__m512 y = _mm512_mul_ps(s, _mm512_fmadd_ps(x, minus_s, one));
	y = _mm512_mask_scalef_ps(y, negative, y, n);
	return _mm512_mask_sub_ps(y, _mm512_fpclass_ps_mask(given, 0x08 | 0x10), given, given);
}

/* tanh a = u / (1 - u), u = (1 - e^-2a) / 2 for a = |x|: with e^-2a = (1 - t) 2h, u = (1/2 - h) + t h, which is as exact near 0 as
 * t is.  The remainder (u - q) + q u of quotient q is exact but for its last rounding. */
MT_INLINE __m512 tanh_16(__m512 x) {
	static const float c[] = {-4.99999931e-1f, 1.66665148e-1f, -4.16684568e-2f, 8.36941880e-3f, -1.38131414e-3f};
	const __m512 sign = set_f32(-0.0f), shift = set_f32(MT__EXP_SHIFT - 1.0f);
	__m512 a = at_most(_mm512_andnot_ps(sign, x), 10.0f);
	__m512 k = _mm512_fmadd_ps(a, set_f32(-0x1.715476p1f), shift), n = _mm512_sub_ps(k, shift);
	__m512 h = (__m512)_mm512_slli_epi32((__m512i)k, 23);
	__m512 r = _mm512_fmadd_ps(n, set_f32(0x1.62e430p-1f), _mm512_add_ps(a, a)), r2 = _mm512_mul_ps(r, r);
	__m512 t = _mm512_fmadd_ps(poly5_f32(r, r2, c), r2, r);
	__m512 u = _mm512_fmadd_ps(t, h, _mm512_sub_ps(set_f32(0.5f), h));
	__m512 inverse = _mm512_rcp14_ps(_mm512_sub_ps(set_f32(1.0f), u)), q = _mm512_mul_ps(u, inverse);
	q = _mm512_fmadd_ps(_mm512_fmadd_ps(q, u, _mm512_sub_ps(u, q)), inverse, q);
	return (__m512)_mm512_ternarylogic_epi32((__m512i)sign, (__m512i)x, (__m512i)q, 0xCA);
}

/* ln(1 + f) + n ln 2 + c, 1 + f in [sqrt 1/2, sqrt 2]: mt__log_core with its quotient from an estimate. */
MT_INLINE __m512 log_core_16(__m512 f, __m512 n, __m512 c) {
	__m512 s = quotient(f, _mm512_add_ps(set_f32(2.0f), f)), z = _mm512_mul_ps(s, s), w = _mm512_mul_ps(z, z);
	__m512 odd = _mm512_fmadd_ps(w, set_f32(0.24279078841f), set_f32(0.40000972152f));
	__m512 even = _mm512_fmadd_ps(w, set_f32(0.28498786688f), set_f32(0.66666662693f));
	__m512 half = _mm512_mul_ps(_mm512_mul_ps(f, set_f32(0.5f)), f);
	__m512 sum = _mm512_fmadd_ps(w, odd, _mm512_fmadd_ps(z, even, half));
	__m512 low = _mm512_fmadd_ps(s, sum, _mm512_fmadd_ps(n, set_f32(0x1.7f7d1cp-20f), c));
	return _mm512_fmadd_ps(n, set_f32(0x1.62e4p-1f), _mm512_add_ps(_mm512_sub_ps(low, half), f));
}

/* x = m 2^k, m in [sqrt 1/2, sqrt 2], for normal x > 0. */
MT_INLINE __m512 log_reduce_16(__m512 x, __m512i *k) {
	*k = _mm512_srai_epi32(_mm512_sub_epi32((__m512i)x, _mm512_set1_epi32(0x3F3504F3)), 23);
	return (__m512)_mm512_sub_epi32((__m512i)x, _mm512_slli_epi32(*k, 23));
}

/* ln x: -inf at ±0, NaN below; inf and NaN stay. */
MT_INLINE __m512 log_16(__m512 x) {
	const __m512 least = set_f32(0x1p-126f), zero = _mm512_setzero_ps();
	__mmask16 small = _mm512_cmp_ps_mask(x, least, _CMP_LT_OQ);
	__m512i k;
	__m512 m = log_reduce_16(_mm512_mask_mul_ps(x, small, x, set_f32(0x1p23f)), &k), n = _mm512_cvtepi32_ps(k);
	n = _mm512_mask_sub_ps(n, small, n, set_f32(23.0f));
	__m512 y = log_core_16(_mm512_sub_ps(m, set_f32(1.0f)), n, zero);
	y = _mm512_mask_mov_ps(y, _mm512_fpclass_ps_mask(x, 0x01 | 0x08 | 0x80), x);
	y = _mm512_mask_mov_ps(y, _mm512_cmp_ps_mask(x, zero, _CMP_EQ_OQ), set_f32(-INFINITY));
	return _mm512_mask_mov_ps(y, _mm512_cmp_ps_mask(x, zero, _CMP_LT_OQ), set_f32(NAN));
}

/* ln(1 + x).  c, what rounding 1 + x lost, is divided by 1 + x; where k = 0, f = x is exact. */
MT_INLINE __m512 log1p_16(__m512 x) {
	const __m512 one = set_f32(1.0f), minus = set_f32(-1.0f);
	__m512 sum = _mm512_add_ps(one, x);
	__m512i k;
	__m512 m = log_reduce_16(sum, &k);
	__mmask16 reduced = _mm512_test_epi32_mask(k, k);
	__mmask16 large = _mm512_cmp_epi32_mask(k, _mm512_set1_epi32(2), _MM_CMPINT_NLT);
	__mmask16 lossy = _mm512_mask_cmp_epi32_mask(reduced, k, _mm512_set1_epi32(25), _MM_CMPINT_LT);
	__m512 c = _mm512_sub_ps(x, _mm512_sub_ps(sum, one));
	c = _mm512_mask_sub_ps(c, large, one, _mm512_sub_ps(sum, x));
	c = _mm512_maskz_mul_ps(lossy, c, _mm512_rcp14_ps(sum));
	__m512 y = log_core_16(_mm512_mask_sub_ps(x, reduced, m, one), _mm512_cvtepi32_ps(k), c);
	__mmask16 tiny = _mm512_cmp_ps_mask(_mm512_abs_ps(x), set_f32(0x1p-25f), _CMP_LT_OQ);
	y = _mm512_mask_mov_ps(y, (__mmask16)(tiny | _mm512_fpclass_ps_mask(x, 0x01 | 0x08 | 0x80)), x);
	y = _mm512_mask_mov_ps(y, _mm512_cmp_ps_mask(x, minus, _CMP_EQ_OQ), set_f32(-INFINITY));
	return _mm512_mask_mov_ps(y, _mm512_cmp_ps_mask(x, minus, _CMP_LT_OQ), set_f32(NAN));
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

/* With z = |x| and G(z) = Φ(-z) e^(z²/2):  gelu(x) = max(x, 0) - e^(-z²/2) H(z),  H = z G;
 * gelu'(x) = (x > 0 ? 1 : 0) - sign(x) e^(-z²/2) K(z),  K = G - z / sqrt(2π).
 * H and K in 32 pieces, [0, 1/8) and then four an octave: polynomials in the distance to a centre that was chosen so that
 * the value there is all but exactly a float. */
struct pieces {
	float center[32], c[6][32];
};

static const struct pieces gelu_h = {
	{0x0.0p+0f,      0x1.201000p-3f, 0x1.5fec00p-3f, 0x1.a08c00p-3f, 0x1.e07c00p-3f, 0x1.201000p-2f, 0x1.5f9400p-2f,
     0x1.9fe800p-2f, 0x1.dff000p-2f, 0x1.204000p-1f, 0x1.600000p-1f, 0x1.9fcc00p-1f, 0x1.e06c00p-1f, 0x1.200400p+0f,
     0x1.5f7000p+0f, 0x1.a08400p+0f, 0x1.e07400p+0f, 0x1.1ffc00p+1f, 0x1.607400p+1f, 0x1.a08c00p+1f, 0x1.e01400p+1f,
     0x1.1fa000p+2f, 0x1.5fc000p+2f, 0x1.9fdc00p+2f, 0x1.e09c00p+2f, 0x1.1fa800p+3f, 0x1.601800p+3f, 0x1.a05c00p+3f,
     0x1.dfe000p+3f, 0x1.205400p+4f, 0x1.5fd400p+4f, 0x1.a06000p+4f},
	{{0x0.0p+0f,      0x1.02623ep-4f, 0x1.346d88p-4f, 0x1.64b6c8p-4f, 0x1.92479ep-4f, 0x1.d29956p-4f, 0x1.10bc36p-3f,
      0x1.3538dep-3f, 0x1.5670a6p-3f, 0x1.835c56p-3f, 0x1.b67fc2p-3f, 0x1.e1ecd8p-3f, 0x1.03b580p-2f, 0x1.1aa0e2p-2f,
      0x1.324160p-2f, 0x1.44a548p-2f, 0x1.5290c6p-2f, 0x1.620284p-2f, 0x1.70338cp-2f, 0x1.79a28ep-2f, 0x1.802846p-2f,
      0x1.86bba4p-2f, 0x1.8c2768p-2f, 0x1.8f7566p-2f, 0x1.91a0aep-2f, 0x1.93a36ep-2f, 0x1.95390ep-2f, 0x1.962536p-2f,
      0x1.96b95ap-2f, 0x0.0p+0f,      0x0.0p+0f,      0x0.0p+0f},
     {0x1.000000p-1f,  0x1.9adff6p-2f,  0x1.87c604p-2f,  0x1.75815cp-2f,  0x1.646afep-2f,  0x1.4c8f28p-2f,
      0x1.2fbe1ap-2f,  0x1.158a78p-2f,  0x1.fc3270p-3f,  0x1.be249ep-3f,  0x1.7992fep-3f,  0x1.41491ep-3f,
      0x1.124c9cp-3f,  0x1.b65162p-4f,  0x1.4acfa4p-4f,  0x1.f89956p-5f,  0x1.88ec38p-5f,  0x1.15b228p-5f,
      0x1.6b574ep-6f,  0x1.f16dd8p-7f,  0x1.61fbe6p-7f,  0x1.c13c3cp-8f,  0x1.086514p-8f,  0x1.4ef51ap-9f,
      0x1.bf6010p-10f, 0x1.0c58cep-10f, 0x1.2b5f4ep-11f, 0x1.6eee1ap-12f, 0x1.e35c90p-13f, 0x0.0p+0f,
      0x0.0p+0f,       0x0.0p+0f},
     {-0x1.98842cp-2f,  -0x1.3b066ap-2f,  -0x1.29bfd6p-2f,  -0x1.195abap-2f,  -0x1.0a2318p-2f,  -0x1.ea2e86p-3f,
      -0x1.b80320p-3f,  -0x1.8b1608p-3f,  -0x1.638026p-3f,  -0x1.30161ap-3f,  -0x1.f17cb0p-4f,  -0x1.994ccep-4f,
      -0x1.51d99ap-4f,  -0x1.00fc56p-4f,  -0x1.6bf3e8p-5f,  -0x1.047984p-5f,  -0x1.7dcbb0p-6f,  -0x1.eea69ap-7f,
      -0x1.219e5cp-7f,  -0x1.65ab3ap-8f,  -0x1.ceb5d2p-9f,  -0x1.016502p-9f,  -0x1.02a11ep-10f, -0x1.1cdee8p-11f,
      -0x1.4f6dc4p-12f, -0x1.562872p-13f, -0x1.3c6b2ep-14f, -0x1.4accb6p-15f, -0x1.7c2990p-16f, 0x0.0p+0f,
      0x0.0p+0f,        0x0.0p+0f},
     {0x1.ffece0p-3f,  0x1.7d55b8p-3f,  0x1.65a9f8p-3f,  0x1.4f5aeap-3f,  0x1.3acac2p-3f,  0x1.1e983ap-3f,
      0x1.fac518p-4f,  0x1.c01a76p-4f,  0x1.8d1e16p-4f,  0x1.4c02ccp-4f,  0x1.079102p-4f,  0x1.a4f9a6p-5f,
      0x1.514188p-5f,  0x1.eb217cp-6f,  0x1.488840p-6f,  0x1.bc213ep-7f,  0x1.342580p-7f,  0x1.70d0acp-8f,
      0x1.8605c0p-9f,  0x1.b5bdfap-10f, 0x1.02f542p-10f, 0x1.fce1b6p-12f, 0x1.b79514p-13f, 0x1.a71322p-14f,
      0x1.b8c2a2p-15f, 0x1.7fca38p-16f, 0x1.2715bap-17f, 0x1.07a3c8p-18f, 0x1.08ab96p-19f, 0x0.0p+0f,
      0x0.0p+0f,       0x0.0p+0f},
     {-0x1.0ea864p-3f,  -0x1.893dfep-4f,  -0x1.6e4b56p-4f,  -0x1.550ecep-4f,  -0x1.3df194p-4f,  -0x1.1e8d3ep-4f,
      -0x1.f3d06ap-5f,  -0x1.b3e3ccp-5f,  -0x1.7d080ap-5f,  -0x1.38483cp-5f,  -0x1.e28be4p-6f,  -0x1.771dc2p-6f,
      -0x1.2479f6p-6f,  -0x1.9a4318p-7f,  -0x1.047c4cp-7f,  -0x1.4e21c6p-8f,  -0x1.b8cf38p-9f,  -0x1.ed3cfcp-10f,
      -0x1.d9da0ap-11f, -0x1.e5c55cp-12f, -0x1.07ef10p-12f, -0x1.d1f35cp-14f, -0x1.5ae560p-15f, -0x1.2448d6p-16f,
      -0x1.0dd31ap-17f, -0x1.9872fap-19f, -0x1.04313cp-20f, -0x1.8c6fcap-22f, -0x1.5b1d4ep-23f, 0x0.0p+0f,
      0x0.0p+0f,        0x0.0p+0f},
     {0x1.c0e454p-5f,  0x1.676148p-5f,  0x1.4c9092p-5f,  0x1.33e58ap-5f,  0x1.1d30c2p-5f,  0x1.fd38ccp-6f,
      0x1.b60584p-6f,  0x1.7973f4p-6f,  0x1.45d48ap-6f,  0x1.068b48p-6f,  0x1.8b3032p-7f,  0x1.2b6380p-7f,
      0x1.c88620p-8f,  0x1.347aa6p-8f,  0x1.739350p-9f,  0x1.c9b724p-10f, 0x1.1fe970p-10f, 0x1.2c545cp-11f,
      0x1.09637cp-12f, 0x1.f436b8p-14f, 0x1.f30726p-15f, 0x1.877ab2p-16f, 0x1.fc2436p-18f, 0x1.79ea06p-19f,
      0x1.39aca2p-20f, 0x1.9330fap-22f, 0x1.b10402p-24f, 0x1.1bd136p-25f, 0x1.af9eccp-27f, 0x0.0p+0f,
      0x0.0p+0f,       0x0.0p+0f}}};

static const struct pieces gelu_k = {
	{0x0.0p+0f,      0x1.1fa400p-3f, 0x1.602400p-3f, 0x1.a08c00p-3f, 0x1.df6400p-3f, 0x1.1fe000p-2f, 0x1.5fb800p-2f,
     0x1.a05400p-2f, 0x1.e08000p-2f, 0x1.1fc800p-1f, 0x1.606400p-1f, 0x1.9fb800p-1f, 0x1.e07800p-1f, 0x1.203400p+0f,
     0x1.602800p+0f, 0x1.a00800p+0f, 0x1.e02000p+0f, 0x1.202c00p+1f, 0x1.608800p+1f, 0x1.9ff800p+1f, 0x1.dfc000p+1f,
     0x1.205800p+2f, 0x1.601c00p+2f, 0x1.a09800p+2f, 0x1.e08800p+2f, 0x1.1fe400p+3f, 0x1.605000p+3f, 0x1.9fd800p+3f,
     0x1.df6c00p+3f, 0x1.205c00p+4f, 0x1.5fbc00p+4f, 0x1.a08000p+4f},
	{{0x1.000000p-1f,  0x1.91f1b0p-2f,  0x1.7a71d4p-2f,  0x1.635dfcp-2f,  0x1.4d34acp-2f,  0x1.2bdf62p-2f,
      0x1.00d434p-2f,  0x1.acf15cp-3f,  0x1.5afd5ep-3f,  0x1.ca6902p-4f,  0x1.2cc6b2p-5f,  -0x1.17a574p-5f,
      -0x1.aa5ecap-4f, -0x1.a19284p-3f, -0x1.5328c0p-2f, -0x1.d03248p-2f, -0x1.24d72ap-1f, -0x1.7d38fap-1f,
      -0x1.efb60ep-1f, -0x1.2ed974p+0f, -0x1.6529c6p+0f, -0x1.b671b6p+0f, -0x1.0ff100p+1f, -0x1.44b8e2p+1f,
      -0x1.78b8dcp+1f, -0x1.c5cc74p+1f, -0x1.16cde8p+2f, -0x1.49d78cp+2f, -0x1.7cd39cp+2f, 0x0.0p+0f,
      0x0.0p+0f,       0x0.0p+0f},
     {-0x1.988452p-1f, -0x1.7842e2p-1f, -0x1.71f148p-1f, -0x1.6bed7ap-1f, -0x1.6653c0p-1f, -0x1.5e38f4p-1f,
      -0x1.544ff0p-1f, -0x1.4b277ap-1f, -0x1.42d64ep-1f, -0x1.37c766p-1f, -0x1.2ad1f6p-1f, -0x1.200c40p-1f,
      -0x1.16a7f8p-1f, -0x1.0b299ep-1f, -0x1.fe8becp-2f, -0x1.ec81f4p-2f, -0x1.de8800p-2f, -0x1.cef920p-2f,
      -0x1.c0d18ep-2f, -0x1.b7781ap-2f, -0x1.b0e7a4p-2f, -0x1.aa38e6p-2f, -0x1.a4db50p-2f, -0x1.a18b96p-2f,
      -0x1.9f6884p-2f, -0x1.9d6342p-2f, -0x1.9bce92p-2f, -0x1.9ae4ecp-2f, -0x1.9a5028p-2f, 0x0.0p+0f,
      0x0.0p+0f,       0x0.0p+0f},
     {0x1.ffff80p-3f,  0x1.9b0132p-3f,  0x1.87b5bcp-3f,  0x1.75815cp-3f,  0x1.64b3ccp-3f,  0x1.4ca622p-3f,
      0x1.2faea2p-3f,  0x1.1560d0p-3f,  0x1.fbce7ep-4f,  0x1.beb33ep-4f,  0x1.7931dep-4f,  0x1.415918p-4f,
      0x1.1244aep-4f,  0x1.b5f0d8p-5f,  0x1.49ca6ap-5f,  0x1.f995d0p-6f,  0x1.89697cp-6f,  0x1.15549ep-6f,
      0x1.6b294cp-7f,  0x1.f30b88p-8f,  0x1.629386p-8f,  0x1.be56c4p-9f,  0x1.07aa0ap-9f,  0x1.4d52f2p-10f,
      0x1.bf9394p-11f, 0x1.0bb3fap-11f, 0x1.2ad286p-12f, 0x1.704268p-13f, 0x1.e4b476p-14f, 0x0.0p+0f,
      0x0.0p+0f,       0x0.0p+0f},
     {-0x1.104752p-3f,  -0x1.a430c8p-4f,  -0x1.8cec3ap-4f,  -0x1.7723a2p-4f,  -0x1.632f96p-4f,  -0x1.46e490p-4f,
      -0x1.25459ep-4f,  -0x1.0734c8p-4f,  -0x1.d99090p-5f,  -0x1.960eeep-5f,  -0x1.4b41a0p-5f,  -0x1.10ee4ap-5f,
      -0x1.c2674ep-6f,  -0x1.564834p-6f,  -0x1.e36cdcp-7f,  -0x1.5c23b6p-7f,  -0x1.fdd97ep-8f,  -0x1.49372cp-8f,
      -0x1.81e7f0p-9f,  -0x1.dedec8p-10f, -0x1.352370p-10f, -0x1.5450fap-11f, -0x1.579880p-12f, -0x1.796420p-13f,
      -0x1.bf7e66p-14f, -0x1.c6c964p-15f, -0x1.a4dabcp-16f, -0x1.bb31dcp-17f, -0x1.fcc596p-18f, 0x0.0p+0f,
      0x0.0p+0f,        0x0.0p+0f},
     {0x1.fbea68p-5f,  0x1.7d84d0p-5f,  0x1.659b22p-5f,  0x1.4f5fb8p-5f,  0x1.3b2630p-5f,  0x1.1ec2fcp-5f,
      0x1.fabd3ep-6f,  0x1.bfd620p-6f,  0x1.8cc750p-6f,  0x1.4cd61ap-6f,  0x1.076362p-6f,  0x1.a5609ap-7f,
      0x1.516bcep-7f,  0x1.ebb860p-8f,  0x1.47cb30p-8f,  0x1.be495ep-9f,  0x1.3545b4p-9f,  0x1.726cc2p-10f,
      0x1.87c990p-11f, 0x1.b9e406p-12f, 0x1.049baap-12f, 0x1.fdc05cp-14f, 0x1.b997bap-15f, 0x1.a6a9e8p-16f,
      0x1.bb8604p-17f, 0x1.8492bap-18f, 0x1.298f7cp-19f, 0x1.0b741ep-20f, 0x1.0b94c8p-21f, 0x0.0p+0f,
      0x0.0p+0f,       0x0.0p+0f},
     {-0x1.78841cp-6f,  -0x1.3a96bap-6f,  -0x1.24fbf0p-6f,  -0x1.10fc50p-6f,  -0x1.fcee4ep-7f,  -0x1.ca5a72p-7f,
      -0x1.8f4d90p-7f,  -0x1.5c7448p-7f,  -0x1.309698p-7f,  -0x1.f23de8p-8f,  -0x1.81418ep-8f,  -0x1.2c48e2p-8f,
      -0x1.d649fap-9f,  -0x1.4a4bdcp-9f,  -0x1.a09164p-10f, -0x1.0cd3cap-10f, -0x1.623ba2p-11f, -0x1.8c4962p-12f,
      -0x1.7e1688p-13f, -0x1.87941ap-14f, -0x1.a7445cp-15f, -0x1.742fb4p-16f, -0x1.1562b2p-17f, -0x1.d3dd32p-19f,
      -0x1.b36de4p-20f, -0x1.462de0p-21f, -0x1.a24b5ep-23f, -0x1.3f79d0p-24f, -0x1.15be4ap-25f, 0x0.0p+0f,
      0x0.0p+0f,        0x0.0p+0f}}};

MT_INLINE __m512 look_up(const float *table, __m512i index) {
	return _mm512_permutex2var_ps(_mm512_loadu_ps(table), index, _mm512_loadu_ps(table + 16));
}

/* e^(-x²/2) times the function of |x| in the table; 0 from 14.9 on, where that is no longer a float. */
MT_INLINE __m512 gaussian_times(__m512 x, const struct pieces *f) {
	__m512 z = at_most(_mm512_abs_ps(x), 14.9f);
	__m512i index = _mm512_sub_epi32(_mm512_srli_epi32((__m512i)z, 21), _mm512_set1_epi32((0x3e000000 >> 21) - 1));
	index = _mm512_max_epi32(index, _mm512_setzero_si512());
	__m512 h = _mm512_sub_ps(z, look_up(f->center, index)), p = look_up(f->c[5], index);
	MT_UNROLL
	for (int i = 4; i >= 0; i--)
		p = _mm512_fmadd_ps(p, h, look_up(f->c[i], index));
	/* z² in two parts: the exponential would magnify what rounding it loses */
	__m512 square = _mm512_mul_ps(z, z), lost = _mm512_fmsub_ps(z, z, square), half = set_f32(-0.5f), n;
	__m512i bits;
	__m512 t = exp_parts_low(_mm512_mul_ps(square, half), half, &lost, &n, &bits);
	return _mm512_scalef_ps(_mm512_fmadd_ps(t, p, p), n);
}

MT_INLINE __m512 gelu_16(__m512 x) {
	__m512 part = gaussian_times(x, &gelu_h);
	__mmask16 positive = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ);
	__m512 y = _mm512_mask_sub_ps(_mm512_xor_ps(part, set_f32(-0.0f)), positive, x, part);
	/* ±0 and -inf (NaN) as x Φ(x) has them */
	__mmask16 special = _mm512_fpclass_ps_mask(x, 0x02 | 0x04 | 0x10);
	return _mm512_mask_mul_ps(y, special, x, _mm512_setzero_ps());
}

MT_INLINE __m512 gelu_slope_16(__m512 x) {
	__m512 part = gaussian_times(x, &gelu_k);
	__mmask16 positive = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ);
	__m512 y = _mm512_mask_sub_ps(part, positive, set_f32(1.0f), part);
	return _mm512_mask_sub_ps(y, _mm512_fpclass_ps_mask(x, 0x08 | 0x10), x, x);
}

/* log2 x of doubles that came from floats > 0, finite: relative error 2^-36.  x = 2^n m, m in [1 - 1/32, 2 - 1/32);
 * c about 1/m from a table, log2 x = n - log2 c + log2(1 + r), r = m c - 1. */
MT_INLINE __m512d log2_8(__m512d x) {
	static const double rcp[16] = {1.0,
	                               0.9411764144897461,
	                               0.8888893127441406,
	                               0.8421049118041992,
	                               0.8000001907348633,
	                               0.7619047164916992,
	                               0.7272729873657227,
	                               0.6956520080566406,
	                               0.6666669845581055,
	                               0.6400003433227539,
	                               0.6153850555419922,
	                               0.5925922393798828,
	                               0.5714282989501953,
	                               0.5517244338989258,
	                               0.5333337783813477,
	                               0.5161294937133789};
	static const double log[16] = {0.0,
	                               0.0874629272416674,
	                               0.16992431351187293,
	                               0.2479281153829891,
	                               0.32192775092210163,
	                               0.3923175087700883,
	                               0.45943110268943693,
	                               0.5235623000223556,
	                               0.5849618127907168,
	                               0.6438554158530034,
	                               0.700438686245556,
	                               0.7548883620769792,
	                               0.8073556099883715,
	                               0.8579802212058508,
	                               0.9068893917304648,
	                               0.9541950205175703};
	static const double c[] = {1.4426950408978079,   -0.7213475204884909, 0.48089820367370417,
	                           -0.36067350427130324, 0.2888828285823747,  -0.24084403240320493};
	__m512i bits = (__m512i)x, up = _mm512_add_epi64(bits, _mm512_set1_epi64((int64_t)1 << 47));
	__m512i index = _mm512_srli_epi64(up, 48);
	__m512i exponent = _mm512_sub_epi64(_mm512_srli_epi64(up, 52), _mm512_set1_epi64(1023));
	__m512d m = (__m512d)_mm512_sub_epi64(bits, _mm512_slli_epi64(exponent, 52));
	__m512d inverse = _mm512_permutex2var_pd(_mm512_loadu_pd(rcp), index, _mm512_loadu_pd(rcp + 8));
	__m512d offset = _mm512_permutex2var_pd(_mm512_loadu_pd(log), index, _mm512_loadu_pd(log + 8));
	__m512d r = _mm512_fmsub_pd(m, inverse, set_f64(1.0));
	offset = _mm512_add_pd(_mm512_cvtepi64_pd(exponent), offset);
	return _mm512_fmadd_pd(poly_f64(r, c, 6), r, offset);
}

/* 2^(y log2 a), a the bits of |x|; a = 0 or infinite too. */
MT_INLINE __m256 pow_8(__m256 a, __m256 y) {
	static const double c[] = {0.6931471805415971,   0.24022651073989607,    0.05550410965211584, 0.009618037129322188,
	                           0.001333342862890831, 0.00015467045152162663, 1.53153938536241e-05};
	__m512d x = _mm512_cvtps_pd(a), log = log2_8(x);
	log = _mm512_mask_mov_pd(log, _mm512_cmp_pd_mask(x, set_f64((double)INFINITY), _CMP_NLT_UQ), x);
	log = _mm512_mask_mov_pd(log, _mm512_cmp_pd_mask(x, _mm512_setzero_pd(), _CMP_EQ_OQ), set_f64(-(double)INFINITY));
	__m512d t = _mm512_mul_pd(_mm512_cvtps_pd(y), log);
	t = _mm512_min_pd(set_f64(200.0), _mm512_max_pd(set_f64(-200.0), t));
	__m512d n = _mm512_roundscale_pd(t, 8), r = _mm512_sub_pd(t, n);
	return _mm512_cvtpd_ps(_mm512_scalef_pd(_mm512_fmadd_pd(poly_f64(r, c, 7), r, set_f64(1.0)), n));
}

/* x^y with every case of C's pow. */
MT_INLINE __m512 pow_16(__m512 x, __m512 y) {
	const __m512 zero = _mm512_setzero_ps(), one = set_f32(1.0f);
	__m512 a = _mm512_abs_ps(x);
	__m256 low = pow_8(_mm512_castps512_ps256(a), _mm512_castps512_ps256(y));
	__m256 high = pow_8(_mm512_extractf32x8_ps(a, 1), _mm512_extractf32x8_ps(y, 1));
	__m512 r = _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
	/* Half of an even integer, or of infinity, is an integer. */
	__m512 half = _mm512_mul_ps(y, set_f32(0.5f));
	__mmask16 integer = _mm512_cmp_ps_mask(_mm512_roundscale_ps(y, 8), y, _CMP_EQ_OQ);
	__mmask16 odd = _mm512_mask_cmp_ps_mask(integer, _mm512_roundscale_ps(half, 8), half, _CMP_NEQ_UQ);
	r = _mm512_mask_or_ps(r, odd, r, _mm512_and_ps(x, set_f32(-0.0f)));
	__mmask16 negative =
		_mm512_cmp_ps_mask(x, zero, _CMP_LT_OQ) & _mm512_cmp_ps_mask(x, set_f32(-INFINITY), _CMP_GT_OQ);
	r = _mm512_mask_mov_ps(r, negative & (__mmask16)~integer, set_f32(NAN));
	__mmask16 is_one = _mm512_cmp_ps_mask(x, one, _CMP_EQ_OQ) | _mm512_cmp_ps_mask(y, zero, _CMP_EQ_OQ) |
	                   (_mm512_cmp_ps_mask(a, one, _CMP_EQ_OQ) & _mm512_fpclass_ps_mask(y, 0x08 | 0x10));
	return _mm512_mask_mov_ps(r, is_one, one);
}

#endif
