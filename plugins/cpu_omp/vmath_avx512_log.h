/* Logarithms of 16 floats. */
#ifndef MT_OMP_VMATH_AVX512_LOG_H
#define MT_OMP_VMATH_AVX512_LOG_H

#include "vmath_avx512.h"

/* m of x = m 2^k, m in [3/4, 3/2), subnormals too; the upper five bits of its mantissa tell in which of 32 pieces it is.
 * Zeros and infinities have m = ±1 and infinite k; m is NaN below 0. */
MT_INLINE __m512 log_mantissa(__m512 x, __m512 *k, __m512i *index) {
	__m512 m = _mm512_getmant_ps(x, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_nan);
	*k = _mm512_sub_ps(_mm512_getexp_ps(x), _mm512_getexp_ps(m));
	*index = _mm512_srli_epi32((__m512i)m, 18);
	return m;
}

/* ln x = k ln 2 - ln c + ln(1 + r), r = m c - 1: c about 1/m, chosen so that ln c is all but exactly a float; 1 next to
 * x = 1, where r is exact. */
MT_INLINE __m512 log_16(__m512 x) {
	static const float rcp[32] = {
		0x1.000000p+0f, 0x1.e8b928p-1f, 0x1.db360cp-1f, 0x1.cd9256p-1f, 0x1.c0859cp-1f, 0x1.b4930ep-1f, 0x1.a96f16p-1f,
		0x1.9f0efep-1f, 0x1.945664p-1f, 0x1.8ad852p-1f, 0x1.81c6e2p-1f, 0x1.78cfc0p-1f, 0x1.6fe4f4p-1f, 0x1.68457cp-1f,
		0x1.6090b6p-1f, 0x1.58fe20p-1f, 0x1.51b716p+0f, 0x1.4b0196p+0f, 0x1.445d44p+0f, 0x1.3e2198p+0f, 0x1.37fc00p+0f,
		0x1.32677ap+0f, 0x1.2c6a34p+0f, 0x1.270e94p+0f, 0x1.222828p+0f, 0x1.1d1a7ap+0f, 0x1.181988p+0f, 0x1.133376p+0f,
		0x1.0eb8cep+0f, 0x1.0a439ap+0f, 0x1.063fd0p+0f, 0x1.000000p+0f};
	static const float log[32] = {0x0.000000p+0f,  0x1.7d28bcp-5f,  0x1.316b8cp-4f,  0x1.a8b41ap-4f,  0x1.0f167ap-3f,
	                              0x1.46618cp-3f,  0x1.7b51fcp-3f,  0x1.ade2acp-3f,  0x1.e37b2ep-3f,  0x1.0a113ap-2f,
	                              0x1.21dbe8p-2f,  0x1.39effap-2f,  0x1.527626p-2f,  0x1.67e6f2p-2f,  0x1.7e0b00p-2f,
	                              0x1.9446d4p-2f,  -0x1.1bac8ep-2f, -0x1.07206ep-2f, -0x1.e4bdaap-3f, -0x1.bd00b6p-3f,
	                              -0x1.950b68p-3f, -0x1.701516p-3f, -0x1.47a73ap-3f, -0x1.22cc24p-3f, -0x1.00800cp-3f,
	                              -0x1.b908f6p-4f, -0x1.708294p-4f, -0x1.283d98p-4f, -0x1.ca0d78p-5f, -0x1.420960p-5f,
	                              -0x1.8b2644p-6f, 0x0.000000p+0f};
	static const float c[] = {-0x1.000000p-1f, 0x1.5555b4p-2f, -0x1.0004a4p-2f, 0x1.8d9deep-3f};
	__m512 k;
	__m512i index;
	__m512 m = log_mantissa(x, &k, &index);
	__m512 r = _mm512_fmsub_ps(m, look_up(rcp, index), set_f32(1.0f));
	__m512 low = _mm512_fmadd_ps(_mm512_mul_ps(r, r), poly_f32(r, c, 4), r);
	return _mm512_add_ps(_mm512_fmadd_ps(k, set_f32(0x1.62e430p-1f), look_up(log, index)), low);
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

#endif
