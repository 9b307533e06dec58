/* Reductions of contiguous f32 and f64 in vectors: the extremes of two vectors, NaN, one vector's elements, and what
 * reduce_vec.inc makes of them. */
#ifndef MT_OMP_REDUCE_VEC_H
#define MT_OMP_REDUCE_VEC_H

#include "vector.h"

/* ---- max and min: b where either is NaN, as x86 has it; NaN is told apart beside them ---- */

#if defined(MT_ISA_AVX512)

typedef __mmask16 nans_f32;
typedef __mmask8 nans_f64;

MT_INLINE vec_f32 vec_f32_max(vec_f32 a, vec_f32 b) {
	return (vec_f32)_mm512_max_ps((__m512)a, (__m512)b);
}

MT_INLINE vec_f32 vec_f32_min(vec_f32 a, vec_f32 b) {
	return (vec_f32)_mm512_min_ps((__m512)a, (__m512)b);
}

MT_INLINE vec_f64 vec_f64_max(vec_f64 a, vec_f64 b) {
	return (vec_f64)_mm512_max_pd((__m512d)a, (__m512d)b);
}

MT_INLINE vec_f64 vec_f64_min(vec_f64 a, vec_f64 b) {
	return (vec_f64)_mm512_min_pd((__m512d)a, (__m512d)b);
}

/* Where a or b is NaN. */
MT_INLINE nans_f32 vec_f32_nans(vec_f32 a, vec_f32 b) {
	return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_UNORD_Q);
}

MT_INLINE nans_f64 vec_f64_nans(vec_f64 a, vec_f64 b) {
	return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_UNORD_Q);
}

MT_INLINE bool vec_f32_any_nan(nans_f32 n) {
	return n != 0;
}

MT_INLINE bool vec_f64_any_nan(nans_f64 n) {
	return n != 0;
}

/* a, but NaN where n says so. */
MT_INLINE vec_f32 vec_f32_with_nans(vec_f32 a, nans_f32 n) {
	return (vec_f32)_mm512_mask_blend_ps(n, (__m512)a, _mm512_set1_ps(__builtin_nanf("")));
}

MT_INLINE vec_f64 vec_f64_with_nans(vec_f64 a, nans_f64 n) {
	return (vec_f64)_mm512_mask_blend_pd(n, (__m512d)a, _mm512_set1_pd(__builtin_nan("")));
}

#else

typedef vec_i32 nans_f32;
typedef vec_i64 nans_f64;

#if defined(MT_ISA_AVX2)

MT_INLINE vec_f32 vec_f32_max(vec_f32 a, vec_f32 b) {
	return (vec_f32)_mm256_max_ps((__m256)a, (__m256)b);
}

MT_INLINE vec_f32 vec_f32_min(vec_f32 a, vec_f32 b) {
	return (vec_f32)_mm256_min_ps((__m256)a, (__m256)b);
}

MT_INLINE vec_f64 vec_f64_max(vec_f64 a, vec_f64 b) {
	return (vec_f64)_mm256_max_pd((__m256d)a, (__m256d)b);
}

MT_INLINE vec_f64 vec_f64_min(vec_f64 a, vec_f64 b) {
	return (vec_f64)_mm256_min_pd((__m256d)a, (__m256d)b);
}

MT_INLINE nans_f32 vec_f32_nans(vec_f32 a, vec_f32 b) {
	return (nans_f32)_mm256_cmp_ps((__m256)a, (__m256)b, _CMP_UNORD_Q);
}

MT_INLINE nans_f64 vec_f64_nans(vec_f64 a, vec_f64 b) {
	return (nans_f64)_mm256_cmp_pd((__m256d)a, (__m256d)b, _CMP_UNORD_Q);
}

#else

MT_INLINE vec_f32 vec_f32_max(vec_f32 a, vec_f32 b) {
	return vec_f32_select(a > b, a, b);
}

MT_INLINE vec_f32 vec_f32_min(vec_f32 a, vec_f32 b) {
	return vec_f32_select(a < b, a, b);
}

MT_INLINE vec_f64 vec_f64_max(vec_f64 a, vec_f64 b) {
	vec_i64 above = a > b;
	return (vec_f64)((above & (vec_i64)a) | (~above & (vec_i64)b));
}

MT_INLINE vec_f64 vec_f64_min(vec_f64 a, vec_f64 b) {
	vec_i64 below = a < b;
	return (vec_f64)((below & (vec_i64)a) | (~below & (vec_i64)b));
}

MT_INLINE nans_f32 vec_f32_nans(vec_f32 a, vec_f32 b) {
	return (a != a) | (b != b);
}

MT_INLINE nans_f64 vec_f64_nans(vec_f64 a, vec_f64 b) {
	return (a != a) | (b != b);
}

#endif

MT_INLINE bool vec_f64_any_nan(nans_f64 n) {
	int64_t all = 0;
	for (int i = 0; i < VL_F64; i++)
		all |= n[i];
	return all != 0;
}

MT_INLINE bool vec_f32_any_nan(nans_f32 n) {
	return vec_f64_any_nan((nans_f64)n);
}

/* All ones is a NaN. */
MT_INLINE vec_f32 vec_f32_with_nans(vec_f32 a, nans_f32 n) {
	return (vec_f32)((vec_i32)a | n);
}

MT_INLINE vec_f64 vec_f64_with_nans(vec_f64 a, nans_f64 n) {
	return (vec_f64)((vec_i64)a | n);
}

#endif

/* ---- rotations: element i takes the place of i − VL/2, VL/4, … ---- */

#if VL_F32 == 16
#define VEC_F32_HALF(v) __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)
#define VEC_F32_QUARTER(v) __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11)
#define VEC_F32_PAIRS(v) __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)
#define VEC_F32_SINGLES(v) __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14)
#define VEC_F64_QUADS(v) __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3)
#define VEC_F64_PAIRS(v) __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5)
#define VEC_F64_SINGLES(v) __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6)
#elif VL_F32 == 8
#define VEC_F32_QUARTER(v) __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3)
#define VEC_F32_PAIRS(v) __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5)
#define VEC_F32_SINGLES(v) __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6)
#define VEC_F64_PAIRS(v) __builtin_shufflevector(v, v, 2, 3, 0, 1)
#define VEC_F64_SINGLES(v) __builtin_shufflevector(v, v, 1, 0, 3, 2)
#else
#define VEC_F32_PAIRS(v) __builtin_shufflevector(v, v, 2, 3, 0, 1)
#define VEC_F32_SINGLES(v) __builtin_shufflevector(v, v, 1, 0, 3, 2)
#define VEC_F64_SINGLES(v) __builtin_shufflevector(v, v, 1, 0)
#endif

MT_INLINE float vec_f32_sum(vec_f32 v) {
#if VL_F32 == 16
	v += VEC_F32_HALF(v);
#endif
#if VL_F32 >= 8
	v += VEC_F32_QUARTER(v);
#endif
	v += VEC_F32_PAIRS(v);
	v += VEC_F32_SINGLES(v);
	return v[0];
}

MT_INLINE float vec_f32_largest(vec_f32 v) {
#if VL_F32 == 16
	v = vec_f32_max(v, VEC_F32_HALF(v));
#endif
#if VL_F32 >= 8
	v = vec_f32_max(v, VEC_F32_QUARTER(v));
#endif
	v = vec_f32_max(v, VEC_F32_PAIRS(v));
	v = vec_f32_max(v, VEC_F32_SINGLES(v));
	return v[0];
}

MT_INLINE double vec_f64_sum(vec_f64 v) {
#if VL_F64 == 8
	v += VEC_F64_QUADS(v);
#endif
#if VL_F64 >= 4
	v += VEC_F64_PAIRS(v);
#endif
	v += VEC_F64_SINGLES(v);
	return v[0];
}

MT_INLINE double vec_f64_largest(vec_f64 v) {
#if VL_F64 == 8
	v = vec_f64_max(v, VEC_F64_QUADS(v));
#endif
#if VL_F64 >= 4
	v = vec_f64_max(v, VEC_F64_PAIRS(v));
#endif
	v = vec_f64_max(v, VEC_F64_SINGLES(v));
	return v[0];
}

/* ---- runs and columns ---- */

#define T float
#define VEC vec_f32
#define VL VL_F32
#define NANS nans_f32
#define N(f) f##_f32
#define VN(f) vec_f32_##f
#include "reduce_vec.inc"
#undef T
#undef VEC
#undef VL
#undef NANS
#undef N
#undef VN

#define T double
#define VEC vec_f64
#define VL VL_F64
#define NANS nans_f64
#define N(f) f##_f64
#define VN(f) vec_f64_##f
#include "reduce_vec.inc"
#undef T
#undef VEC
#undef VL
#undef NANS
#undef N
#undef VN

#endif
