/* x^y of 16 floats. */
#ifndef MT_OMP_VMATH_AVX512_POW_H
#define MT_OMP_VMATH_AVX512_POW_H

#include "vmath_avx512.h"

/* log2 x = high + low, relative error 2^-31; x > 0 and finite.  high is infinite for zeros and infinities, NaN for NaN and
 * below 0.  x = m 2^k, m in [1, 2), in one of 32 pieces: log2 x = k - log2 c + log2(1 + r), r = m c - 1: c has so few
 * bits that r is exact, and -log2 c comes in two parts, the upper one with 15 bits after the point.
 * ln(1 + r) = r - r²/2 + r³ Q(r) = ln + ln_low: ln is the first two terms, ln_low the third and what rounding ln lost;
 * and r times what log2 e has beyond a float, as a share of it. */
MT_INLINE __m512 log2_parts(__m512 x, __m512 *low) {
	static const float rcp[32] = {
		0x1.000000p+0f, 0x1.e80000p-1f, 0x1.d80000p-1f, 0x1.d00000p-1f, 0x1.c00000p-1f, 0x1.b40000p-1f, 0x1.a80000p-1f,
		0x1.a00000p-1f, 0x1.940000p-1f, 0x1.8c0000p-1f, 0x1.800000p-1f, 0x1.780000p-1f, 0x1.700000p-1f, 0x1.680000p-1f,
		0x1.600000p-1f, 0x1.580000p-1f, 0x1.500000p-1f, 0x1.4c0000p-1f, 0x1.440000p-1f, 0x1.400000p-1f, 0x1.380000p-1f,
		0x1.340000p-1f, 0x1.2c0000p-1f, 0x1.280000p-1f, 0x1.200000p-1f, 0x1.1c0000p-1f, 0x1.180000p-1f, 0x1.140000p-1f,
		0x1.100000p-1f, 0x1.0c0000p-1f, 0x1.080000p-1f, 0x1.000000p-1f};
	static const float log[32] = {
		0x0.000000p+0f, 0x1.1bc000p-4f, 0x1.e0c000p-4f, 0x1.22e000p-3f, 0x1.8a9000p-3f, 0x1.dac000p-3f, 0x1.16a000p-2f,
		0x1.32c000p-2f, 0x1.5e0000p-2f, 0x1.7b8800p-2f, 0x1.a90000p-2f, 0x1.c81800p-2f, 0x1.e7e000p-2f, 0x1.042c00p-1f,
		0x1.14c400p-1f, 0x1.25c000p-1f, 0x1.372400p-1f, 0x1.3ffc00p-1f, 0x1.520000p-1f, 0x1.5b2c00p-1f, 0x1.6de000p-1f,
		0x1.776800p-1f, 0x1.8ad800p-1f, 0x1.94c400p-1f, 0x1.a90000p-1f, 0x1.b35400p-1f, 0x1.bdd000p-1f, 0x1.c87000p-1f,
		0x1.d33800p-1f, 0x1.de2800p-1f, 0x1.e94400p-1f, 0x1.000000p+0f};
	static const float log_low[32] = {
		0x0.000000p+0f,   -0x1.9ab400p-17f, -0x1.ca2e1ap-17f, -0x1.48f554p-17f, -0x1.9fd502p-17f, 0x1.169f22p-18f,
		-0x1.fd64e0p-17f, -0x1.1c8f12p-22f, -0x1.18708ap-17f, 0x1.f02cf2p-18f,  -0x1.a39fbep-20f, 0x1.dc2d46p-18f,
		-0x1.40358ep-19f, -0x1.5a32c2p-20f, 0x1.60fe68p-17f,  0x1.408c78p-18f,  -0x1.d448f8p-17f, -0x1.2b18b0p-17f,
		-0x1.a39fbep-18f, 0x1.ed0cbap-20f,  -0x1.eac382p-20f, -0x1.f6b4c2p-20f, 0x1.1b3cdap-19f,  -0x1.78b6d4p-17f,
		-0x1.a39fbep-19f, 0x1.61d876p-19f,  -0x1.62336ap-17f, -0x1.0902b6p-18f, 0x1.20a6dep-21f,  0x1.8ec0bap-17f,
		0x1.2c8a72p-17f,  0x0.000000p+0f};
	static const float q[] = {0x1.5555b8p-1f, -0x1.000ca0p-1f, 0x1.8f9e8cp-2f}; /* 2 Q */
	const __m512 log2e = set_f32(0x1.715476p+0f), log2e_low = set_f32(0x1.cab1b8p-27f);
	__m512 m = _mm512_getmant_ps(x, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_nan), k = _mm512_getexp_ps(x);
	__m512i index = _mm512_srli_epi32((__m512i)m, 18);
	__m512 r = _mm512_fmsub_ps(m, look_up(rcp, index), set_f32(1.0f)), half = _mm512_mul_ps(r, set_f32(0.5f));
	__m512 ln = _mm512_fnmadd_ps(half, r, r), ln_low = _mm512_fnmadd_ps(half, r, _mm512_sub_ps(r, ln));
	__m512 rest = _mm512_fmadd_ps(_mm512_mul_ps(half, r), poly_f32(r, q, 3), log2e_low);
	ln_low = _mm512_fmadd_ps(rest, r, ln_low);
	__m512 whole = _mm512_add_ps(k, look_up(log, index)), high = _mm512_fmadd_ps(ln, log2e, whole);
	__m512 lost = _mm512_fmadd_ps(ln, log2e, _mm512_sub_ps(whole, high));
	*low = _mm512_add_ps(lost, _mm512_fmadd_ps(ln_low, log2e, look_up(log_low, index)));
	return high;
}

/* Floats next to it are multiples of 1/32. */
#define MT__POW_SHIFT 0x1.8p18f

/* x^y = 2^(n + f), n a multiple of 1/32, |f| about 1/64 at most (next to x = 1 low counts for n, too); k = n + MT__POW_SHIFT. */
struct pow_parts {
	__m512 k, n, f;
};

MT_INLINE struct pow_parts pow_exponent(__m512 x, __m512 y) {
	struct pow_parts p;
	__m512 low, high = log2_parts(x, &low);
	p.k = _mm512_fmadd_ps(y, _mm512_add_ps(high, low), set_f32(MT__POW_SHIFT));
	p.n = _mm512_sub_ps(p.k, set_f32(MT__POW_SHIFT));
	p.f = _mm512_fmadd_ps(y, low, _mm512_fmsub_ps(y, high, p.n));
	return p;
}

/* 2^(n + f) = 2^n 2^(j/32) 2^f, j the low bits of k. */
MT_INLINE __m512 pow_value(struct pow_parts p) {
	static const float table[32] = {
		0x1.000000p+0f, 0x1.059b0ep+0f, 0x1.0b5586p+0f, 0x1.11301ep+0f, 0x1.172b84p+0f, 0x1.1d4874p+0f, 0x1.2387a6p+0f,
		0x1.29e9e0p+0f, 0x1.306fe0p+0f, 0x1.371a74p+0f, 0x1.3dea64p+0f, 0x1.44e086p+0f, 0x1.4bfdaep+0f, 0x1.5342b6p+0f,
		0x1.5ab07ep+0f, 0x1.6247ecp+0f, 0x1.6a09e6p+0f, 0x1.71f75ep+0f, 0x1.7a1148p+0f, 0x1.82589ap+0f, 0x1.8ace54p+0f,
		0x1.93737cp+0f, 0x1.9c4918p+0f, 0x1.a5503cp+0f, 0x1.ae89fap+0f, 0x1.b7f770p+0f, 0x1.c199bep+0f, 0x1.cb720ep+0f,
		0x1.d5818ep+0f, 0x1.dfc974p+0f, 0x1.ea4afap+0f, 0x1.f50766p+0f};
	static const float c[] = {0x1.62e430p-1f, 0x1.ebfce4p-3f, 0x1.c6a10ep-5f};
	__m512 t = look_up(table, (__m512i)p.k);
	return _mm512_scalef_ps(_mm512_fmadd_ps(_mm512_mul_ps(t, p.f), poly_f32(p.f, c, 3), t), p.n);
}

/* Results whose logarithm's magnitude is at least this are 0 or infinite. */
#define MT__POW_NEAR 512.0f

/* The one of x and limit whose magnitude is smaller, with x's sign; limit for NaN. */
MT_INLINE __m512 within(__m512 x, float limit) {
	return _mm512_range_ps(x, set_f32(limit), 2);
}

/* Every case of C's pow. */
MT__FAR __m512 pow_far(__m512 x, __m512 y) {
	const __m512 zero = _mm512_setzero_ps(), one = set_f32(1.0f);
	__m512 a = _mm512_abs_ps(x);
	struct pow_parts p = pow_exponent(a, y);
	p.n = within(p.n, MT__POW_NEAR);
	p.f = within(p.f, 1.0f);
	__m512 r = pow_value(p);
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
	struct pow_parts p = pow_exponent(x, y);
	/* n is infinite or NaN where x is below 0, 0, infinite or NaN, or y is infinite or NaN. */
	__mmask16 far = _mm512_cmp_ps_mask(_mm512_abs_ps(p.n), set_f32(MT__POW_NEAR), _CMP_NLT_UQ);
	return MT__RARELY(far) ? pow_far(x, y) : pow_value(p);
}

#endif
