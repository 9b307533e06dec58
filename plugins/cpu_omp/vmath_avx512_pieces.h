/* tanh, erf, sigmoid and silu of 16 floats by polynomials in 32 pieces (vmath_avx512_tables.h).  Where a function has
 * tails that pieces do not reach, vectors that have an element there take another, longer way as well; the others'
 * results are the same on both. */
#ifndef MT_OMP_VMATH_AVX512_PIECES_H
#define MT_OMP_VMATH_AVX512_PIECES_H

#include "vmath_avx512.h"
#include "vmath_avx512_tables.h"

/* Bits whose low five are those of the integer nearest to x scale. */
MT_INLINE __m512i nearest_piece(__m512 x, float scale) {
	return (__m512i)_mm512_fmadd_ps(x, set_f32(scale), set_f32(0x1.8p23f));
}

/* The polynomial at x; h: the distance to the centre. */
MT_INLINE __m512 piece_parts(const struct pieces *f, __m512 x, __m512i index, __m512 *h) {
	*h = _mm512_sub_ps(x, look_up(f->center, index));
	__m512 p = look_up(f->c[5], index);
	MT_UNROLL
	for (int i = 4; i >= 0; i--)
		p = _mm512_fmadd_ps(p, *h, look_up(f->c[i], index));
	return p;
}

MT_INLINE __m512 piece_at(const struct pieces *f, __m512 x, __m512i index) {
	__m512 h;
	return piece_parts(f, x, index, &h);
}

/* y >= 0 with the sign of x. */
MT_INLINE __m512 signed_as(__m512 y, __m512 x) {
	return (__m512)_mm512_ternarylogic_epi32(_mm512_set1_epi32(INT32_MIN), (__m512i)x, (__m512i)y, 0xCA);
}

/* Elements of |x| at least limit. */
MT_INLINE __mmask16 beyond(__m512 x, float limit) {
	return _mm512_cmp_ps_mask(_mm512_abs_ps(x), set_f32(limit), _CMP_GE_OQ);
}

/* The slope at 0 is 1 and a small rest, so that rounding it costs little. */
MT_INLINE __m512 erf_16(__m512 x) {
	__m512 a = at_most(_mm512_abs_ps(x), 3.93f), h;
	__m512 p = piece_parts(&erf_pieces, a, nearest_piece(a, 8.0f), &h);
	return signed_as(_mm512_add_ps(p, h), x);
}

MT_INLINE __m512 tanh_16(__m512 x) {
	__m512 a = at_most(_mm512_abs_ps(x), 9.5f);
	__m512i index = _mm512_srli_epi32((__m512i)at_least(a, 0x1p-4f), 21);
	return signed_as(piece_at(&tanh_pieces, a, index), x);
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

MT__FAR __m512 sigmoid_far(__m512 x) {
	__mmask16 negative = _mm512_movepi32_mask((__m512i)x);
	__m512 n, scale, below, t = sigmoid_parts(x, &n, &scale, &below), inverse = reciprocal(below);
	__m512 y = _mm512_mask_fmadd_ps(inverse, negative, t, inverse);
	return _mm512_mask_scalef_ps(y, negative, y, n);
}

#define MT__NEAR_SIGMOID 7.75f

MT_INLINE __m512 sigmoid_near(__m512 x) {
	return piece_at(&sigmoid_pieces, x, nearest_piece(x, 2.0f));
}

MT_INLINE __m512 sigmoid_16(__m512 x) {
	__m512 y = sigmoid_near(x);
	__mmask16 far = beyond(x, MT__NEAR_SIGMOID);
	return MT__RARELY(far) ? _mm512_mask_mov_ps(y, far, sigmoid_far(x)) : y;
}

/* x sigmoid(x) = (x < 0 ? x e : x) / (1 + e); -inf gives NaN, as x · 0.  The remainder is that of x (1 + t), not of what
 * rounding that left. */
MT__FAR __m512 silu_far(__m512 given) {
	__m512 x = at_least(given, -150.0f);
	__mmask16 negative = _mm512_movepi32_mask((__m512i)x);
	__m512 n, scale, below, t = sigmoid_parts(x, &n, &scale, &below), inverse = _mm512_rcp14_ps(below);
	__m512 q = _mm512_mul_ps(_mm512_mask_fmadd_ps(x, negative, t, x), inverse);
	__m512 rest = _mm512_mask3_fmadd_ps(x, t, _mm512_fnmadd_ps(q, below, x), negative);
	q = _mm512_fmadd_ps(rest, inverse, q);
	q = _mm512_mask_scalef_ps(q, negative, q, n);
	return _mm512_mask_mov_ps(q, _mm512_fpclass_ps_mask(given, 0x08 | 0x10), _mm512_fmadd_ps(given, given, given));
}

MT_INLINE __m512 silu_16(__m512 x) {
	__m512 y = _mm512_mul_ps(x, sigmoid_near(x));
	__mmask16 far = beyond(x, MT__NEAR_SIGMOID);
	return MT__RARELY(far) ? _mm512_mask_mov_ps(y, far, silu_far(x)) : y;
}

/* s (1 + x (1 - s)), s = sigmoid(x); NaN for infinities, as 0 · inf. */
MT__FAR __m512 silu_slope_far(__m512 given) {
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

MT_INLINE __m512 silu_slope_16(__m512 x) {
	__m512 a = _mm512_abs_ps(x), y = piece_at(&silu_slope_pieces, a, nearest_piece(a, 4.0f));
	y = _mm512_add_ps(set_f32(0.5f), signed_as(y, x));
	__mmask16 far = beyond(x, MT__NEAR_SIGMOID);
	return MT__RARELY(far) ? _mm512_mask_mov_ps(y, far, silu_slope_far(x)) : y;
}

#endif
