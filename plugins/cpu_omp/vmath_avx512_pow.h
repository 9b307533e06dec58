/* x^y of 16 floats. */
#ifndef MT_OMP_VMATH_AVX512_POW_H
#define MT_OMP_VMATH_AVX512_POW_H

#include "vmath_avx512_log.h"

/* log2 a = high + low, relative error 2^-31; a > 0 and finite.  log2 a = k - log2 c + log2(1 + r), r = m c - 1: c has so
 * few bits that r is exact, and -log2 c comes in two parts, the upper one with 15 bits after the point.
 * ln(1 + r) = r - r²/2 + r³ Q(r): the first two terms with what each rounding lost. */
MT_INLINE __m512 log2_parts(__m512 a, __m512 *low) {
	static const float rcp[32] = {
		0x1.000000p+0f, 0x1.e80000p-1f, 0x1.d80000p-1f, 0x1.d00000p-1f, 0x1.c00000p-1f, 0x1.b80000p-1f, 0x1.a80000p-1f,
		0x1.a00000p-1f, 0x1.980000p-1f, 0x1.880000p-1f, 0x1.800000p-1f, 0x1.780000p-1f, 0x1.700000p-1f, 0x1.680000p-1f,
		0x1.600000p-1f, 0x1.580000p-1f, 0x1.500000p+0f, 0x1.480000p+0f, 0x1.480000p+0f, 0x1.400000p+0f, 0x1.380000p+0f,
		0x1.300000p+0f, 0x1.300000p+0f, 0x1.280000p+0f, 0x1.200000p+0f, 0x1.200000p+0f, 0x1.180000p+0f, 0x1.100000p+0f,
		0x1.100000p+0f, 0x1.080000p+0f, 0x1.080000p+0f, 0x1.000000p+0f};
	static const float log[32] = {0x0.000000p+0f,  0x1.1bc000p-4f,  0x1.e0c000p-4f,  0x1.22e000p-3f,  0x1.8a9000p-3f,
	                              0x1.bfc000p-3f,  0x1.16a000p-2f,  0x1.32c000p-2f,  0x1.4f7000p-2f,  0x1.8a8800p-2f,
	                              0x1.a90000p-2f,  0x1.c81800p-2f,  0x1.e7e000p-2f,  0x1.042c00p-1f,  0x1.14c400p-1f,
	                              0x1.25c000p-1f,  -0x1.91b800p-2f, -0x1.6e2000p-2f, -0x1.6e2000p-2f, -0x1.49a800p-2f,
	                              -0x1.244000p-2f, -0x1.fbc000p-3f, -0x1.fbc000p-3f, -0x1.acf000p-3f, -0x1.5c0000p-3f,
	                              -0x1.5c0000p-3f, -0x1.08c000p-3f, -0x1.664000p-4f, -0x1.664000p-4f, -0x1.6bc000p-5f,
	                              -0x1.6bc000p-5f, 0x0.000000p+0f};
	static const float log_low[32] = {
		0x0.000000p+0f,   -0x1.9ab400p-17f, -0x1.ca2e1ap-17f, -0x1.48f554p-17f, -0x1.9fd502p-17f, 0x1.9ea000p-17f,
		-0x1.fd64e0p-17f, -0x1.1c8f12p-22f, -0x1.134c4ep-20f, 0x1.80abfcp-18f,  -0x1.a39fbep-20f, 0x1.dc2d46p-18f,
		-0x1.40358ep-19f, -0x1.5a32c2p-20f, 0x1.60fe68p-17f,  0x1.408c78p-18f,  -0x1.d448f8p-17f, -0x1.0e6ce8p-17f,
		-0x1.0e6ce8p-17f, 0x1.ed0cbap-20f,  -0x1.eac382p-20f, -0x1.6b9026p-19f, -0x1.6b9026p-19f, -0x1.78b6d4p-17f,
		-0x1.a39fbep-19f, -0x1.a39fbep-19f, -0x1.62336ap-17f, 0x1.20a6dep-21f,  0x1.20a6dep-21f,  0x1.2c8a72p-17f,
		0x1.2c8a72p-17f,  0x0.000000p+0f};
	static const float q[] = {0x1.555552p-2f, -0x1.fffff4p-3f, 0x1.99f9fep-3f, -0x1.55c5a6p-3f};
	const __m512 half = set_f32(0.5f), log2e = set_f32(0x1.715476p+0f);
	__m512 k;
	__m512i index;
	__m512 m = log_mantissa(a, &k, &index);
	__m512 r = _mm512_fmsub_ps(m, look_up(rcp, index), set_f32(1.0f));
	__m512 r2 = _mm512_mul_ps(r, r), r2_low = _mm512_fmsub_ps(r, r, r2);
	__m512 ln = _mm512_fnmadd_ps(half, r2, r);
	__m512 ln_low = _mm512_fnmadd_ps(half, r2, _mm512_sub_ps(r, ln));
	ln_low = _mm512_fnmadd_ps(half, r2_low, ln_low);
	__m512 rest = _mm512_fmadd_ps(_mm512_fmadd_ps(set_f32(q[3]), r, set_f32(q[2])), r2,
	                              _mm512_fmadd_ps(set_f32(q[1]), r, set_f32(q[0])));
	ln_low = _mm512_fmadd_ps(_mm512_mul_ps(r, r2), rest, ln_low);
	__m512 part = _mm512_mul_ps(ln, log2e), part_low = _mm512_fmsub_ps(ln, log2e, part);
	part_low = _mm512_fmadd_ps(ln, set_f32(0x1.4ae0cp-26f), part_low);
	part_low = _mm512_fmadd_ps(ln_low, log2e, part_low);
	__m512 whole = _mm512_add_ps(k, look_up(log, index)), high = _mm512_add_ps(whole, part);
	__m512 lost = _mm512_add_ps(_mm512_sub_ps(whole, high), part);
	*low = _mm512_add_ps(lost, _mm512_add_ps(part_low, look_up(log_low, index)));
	return high;
}

/* The one of x and limit whose magnitude is smaller, with x's sign; limit for NaN. */
MT_INLINE __m512 within(__m512 x, float limit) {
	return _mm512_range_ps(x, set_f32(limit), 2);
}

/* 2^(t + low) = 2^n 2^(j/32) 2^f, |f| <= 1/64; any t, low small where t is. */
MT_INLINE __m512 exp2_parts(__m512 t, __m512 low) {
	static const float table[32] = {
		0x1.000000p+0f, 0x1.059b0ep+0f, 0x1.0b5586p+0f, 0x1.11301ep+0f, 0x1.172b84p+0f, 0x1.1d4874p+0f, 0x1.2387a6p+0f,
		0x1.29e9e0p+0f, 0x1.306fe0p+0f, 0x1.371a74p+0f, 0x1.3dea64p+0f, 0x1.44e086p+0f, 0x1.4bfdaep+0f, 0x1.5342b6p+0f,
		0x1.5ab07ep+0f, 0x1.6247ecp+0f, 0x1.6a09e6p+0f, 0x1.71f75ep+0f, 0x1.7a1148p+0f, 0x1.82589ap+0f, 0x1.8ace54p+0f,
		0x1.93737cp+0f, 0x1.9c4918p+0f, 0x1.a5503cp+0f, 0x1.ae89fap+0f, 0x1.b7f770p+0f, 0x1.c199bep+0f, 0x1.cb720ep+0f,
		0x1.d5818ep+0f, 0x1.dfc974p+0f, 0x1.ea4afap+0f, 0x1.f50766p+0f};
	static const float c[] = {0x1.62e430p-1f, 0x1.ebfce4p-3f, 0x1.c6a10ep-5f};
	const __m512 shift = set_f32(0x1.8p18f); /* floats next to it are multiples of 1/32 */
	t = within(t, 512.0f);
	__m512 k = _mm512_add_ps(t, shift), n = _mm512_sub_ps(k, shift);
	__m512 f = _mm512_add_ps(_mm512_sub_ps(t, n), within(low, 1.0f)), p = look_up(table, (__m512i)k);
	return _mm512_scalef_ps(_mm512_fmadd_ps(_mm512_mul_ps(p, f), poly_f32(f, c, 3), p), n);
}

/* |x|^y where |x| is finite and not 0, y finite; anything elsewhere. */
MT_INLINE __m512 pow_of_magnitude(__m512 x, __m512 y) {
	__m512 low, high = log2_parts(_mm512_abs_ps(x), &low), t = _mm512_mul_ps(y, high);
	return exp2_parts(t, _mm512_fmadd_ps(y, low, _mm512_fmsub_ps(y, high, t)));
}

/* r = |x|^y where pow_of_magnitude has it becomes x^y with every case of C's pow. */
MT__FAR __m512 pow_special(__m512 r, __m512 x, __m512 y) {
	const __m512 zero = _mm512_setzero_ps(), one = set_f32(1.0f);
	__m512 a = _mm512_abs_ps(x);
	__mmask16 y_infinite = _mm512_fpclass_ps_mask(y, 0x08 | 0x10);
	__mmask16 extreme = _mm512_fpclass_ps_mask(a, 0x02 | 0x08) | y_infinite;
	__mmask16 shrinks = _mm512_cmp_ps_mask(a, one, _CMP_GT_OQ) ^ _mm512_cmp_ps_mask(y, zero, _CMP_GT_OQ);
	r = _mm512_mask_mov_ps(r, extreme, set_f32(INFINITY));
	r = _mm512_mask_mov_ps(r, extreme & shrinks, zero);
	r = _mm512_mask_mov_ps(r, _mm512_cmp_ps_mask(x, y, _CMP_UNORD_Q), set_f32(NAN));
	/* Half of an even integer, or of infinity, is an integer. */
	__m512 half = _mm512_mul_ps(y, set_f32(0.5f));
	__mmask16 integer = _mm512_cmp_ps_mask(_mm512_roundscale_ps(y, 8), y, _CMP_EQ_OQ);
	__mmask16 odd = _mm512_mask_cmp_ps_mask(integer, _mm512_roundscale_ps(half, 8), half, _CMP_NEQ_UQ);
	r = _mm512_mask_or_ps(r, odd, r, _mm512_and_ps(x, set_f32(-0.0f)));
	r = _mm512_mask_mov_ps(r, _mm512_fpclass_ps_mask(x, 0x40) & (__mmask16)~integer, set_f32(NAN));
	__mmask16 is_one = _mm512_cmp_ps_mask(x, one, _CMP_EQ_OQ) | _mm512_cmp_ps_mask(y, zero, _CMP_EQ_OQ) |
	                   (_mm512_cmp_ps_mask(a, one, _CMP_EQ_OQ) & y_infinite);
	return _mm512_mask_mov_ps(r, is_one, one);
}

MT_INLINE __m512 pow_16(__m512 x, __m512 y) {
	__m512 r = pow_of_magnitude(x, y);
	/* zeros, infinities, NaN, below 0; infinities and NaN */
	__mmask16 special = _mm512_fpclass_ps_mask(x, 0xDF) | _mm512_fpclass_ps_mask(y, 0x99);
	return MT__RARELY(special) ? pow_special(r, x, y) : r;
}

#endif
