/* sin and cos of 16 floats. */
#ifndef MT_OMP_VMATH_AVX512_TRIG_H
#define MT_OMP_VMATH_AVX512_TRIG_H

#include "vmath_avx512.h"
#include "vmath_wide.h"

/* Below this |x| three parts of π are enough; beyond it mt__sinf and mt__cosf do it, and the C library. */
#define MT__NEAR_TRIG 0x1p17f

/* Far elements go this way; y has the others. */
MT__FAR __m512 trig_far(bool is_sin, __m512 x, __m512 y, __mmask16 far) {
	float in[16], out[16];
	_mm512_storeu_ps(in, x);
	if (is_sin) {
#pragma omp simd
		for (int i = 0; i < 16; i++)
			out[i] = mt__sinf(in[i]);
	} else {
#pragma omp simd
		for (int i = 0; i < 16; i++)
			out[i] = mt__cosf(in[i]);
	}
	for (int i = 0; i < 16; i++)
		if (fabsf(in[i]) >= MT__TRIG_LIMIT)
			out[i] = is_sin ? sinf(in[i]) : cosf(in[i]);
	return _mm512_mask_loadu_ps(y, far, out);
}

/* sin r on |r| <= π/2 and a little more. */
MT_INLINE __m512 sine(__m512 r) {
	static const float c[] = {-0x1.55554cp-3f, 0x1.110ee0p-7f, -0x1.9f714ap-13f, 0x1.5dbb24p-19f};
	__m512 z = _mm512_mul_ps(r, r);
	return _mm512_fmadd_ps(_mm512_mul_ps(r, z), poly_f32(z, c, 4), r);
}

/* |x| = n π + r, or n π - r with n = 1/2, 3/2, … for cosines: (-1)^floor(n) sin r.  π in three parts, all positive; n times
 * the first, of 22 bits, taken from |x| leaves no rounding. */
MT_INLINE __m512 trig_16(bool is_sin, __m512 x) {
	const __m512 part1 = set_f32(0x1.921fb4p+1f), part2 = set_f32(0x1.4442d0p-23f), part3 = set_f32(0x1.84698ap-47f);
	const __m512 inverse = set_f32(0x1.45f306p-2f), shift = set_f32(0x1p23f);
	__m512 a = _mm512_abs_ps(x), k, r;
	if (is_sin) {
		k = _mm512_fmadd_ps(a, inverse, shift);
		__m512 n = _mm512_sub_ps(k, shift);
		r = _mm512_fnmadd_ps(n, part3, _mm512_fnmadd_ps(n, part2, _mm512_fnmadd_ps(n, part1, a)));
	} else {
		k = _mm512_fmadd_round_ps(a, inverse, shift, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
		__m512 n = _mm512_sub_ps(k, set_f32(0x1p23f - 0.5f));
		r = _mm512_fmadd_ps(n, part3, _mm512_fmadd_ps(n, part2, _mm512_fmsub_ps(n, part1, a)));
	}
	__m512i sign = _mm512_slli_epi32((__m512i)k, 31);
	if (is_sin)
		sign = _mm512_ternarylogic_epi32(sign, (__m512i)x, _mm512_set1_epi32(INT32_MIN), 0x28); /* (k ^ x) & sign */
	__m512 y = _mm512_xor_ps(sine(r), (__m512)sign);
	__mmask16 far = _mm512_cmp_ps_mask(a, set_f32(MT__NEAR_TRIG), _CMP_GE_OQ);
	return MT__RARELY(far) ? trig_far(is_sin, x, y, far) : y;
}

#endif
