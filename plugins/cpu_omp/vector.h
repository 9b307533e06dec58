/* Vectors of the ISA level in the compiler's own extension (gcc and clang both have it): VL_F32 floats or VL_F64
 * doubles.  The _mem types are for memory: element alignment, may alias.  Included by per-level sources only. */
#ifndef MT_OMP_VECTOR_H
#define MT_OMP_VECTOR_H

#include "isa.h"

#if defined(MT_ISA_AVX512) || defined(MT_ISA_AVX2)
#include <immintrin.h>
#endif

#if defined(MT_ISA_AVX512)
#define MT_VECTOR_BYTES 64
#elif defined(MT_ISA_AVX2)
#define MT_VECTOR_BYTES 32
#else
#define MT_VECTOR_BYTES 16
#endif

#define VL_F32 (MT_VECTOR_BYTES / 4)
#define VL_F64 (MT_VECTOR_BYTES / 8)

typedef float vec_f32 __attribute__((vector_size(MT_VECTOR_BYTES)));
typedef float vec_f32_mem __attribute__((vector_size(MT_VECTOR_BYTES), aligned(4), may_alias));
typedef int32_t vec_i32 __attribute__((vector_size(MT_VECTOR_BYTES)));
typedef double vec_f64 __attribute__((vector_size(MT_VECTOR_BYTES)));
typedef double vec_f64_mem __attribute__((vector_size(MT_VECTOR_BYTES), aligned(8), may_alias));
typedef int64_t vec_i64 __attribute__((vector_size(MT_VECTOR_BYTES)));

/* Before a loop of constant extent whose body indexes an array of vectors: without full unrolling the array would lie
 * in memory.  The two compilers heed different words. */
#if defined(__clang__)
#define MT_UNROLL _Pragma("clang loop unroll(full)")
#else
#define MT_UNROLL _Pragma("GCC unroll 32")
#endif

#define MT_INLINE static inline __attribute__((always_inline))

/* x <= 0 ? 0 : x; NaN stays. */
MT_INLINE vec_f32 vec_f32_relu(vec_f32 x) {
	return (vec_f32)((vec_i32)x & ~(x <= 0));
}

MT_INLINE vec_f64 vec_f64_relu(vec_f64 x) {
	return (vec_f64)((vec_i64)x & ~(x <= 0));
}

/* The first n ≤ VL elements; the rest is zero, and not touched in memory. */
MT_INLINE vec_f32 vec_f32_load(const float *p, int n) {
	if (n == VL_F32)
		return *(const vec_f32_mem *)p;
#if defined(MT_ISA_AVX512)
	return (vec_f32)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#else
	vec_f32 x = {0};
	for (int i = 0; i < n; i++)
		x[i] = p[i];
	return x;
#endif
}

MT_INLINE void vec_f32_store(float *p, int n, vec_f32 x) {
	if (n == VL_F32) {
		*(vec_f32_mem *)p = x;
		return;
	}
#if defined(MT_ISA_AVX512)
	_mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)x);
#else
	for (int i = 0; i < n; i++)
		p[i] = x[i];
#endif
}

MT_INLINE vec_f64 vec_f64_load(const double *p, int n) {
	if (n == VL_F64)
		return *(const vec_f64_mem *)p;
#if defined(MT_ISA_AVX512)
	return (vec_f64)_mm512_maskz_loadu_pd((__mmask8)((1u << n) - 1), p);
#else
	vec_f64 x = {0};
	for (int i = 0; i < n; i++)
		x[i] = p[i];
	return x;
#endif
}

MT_INLINE void vec_f64_store(double *p, int n, vec_f64 x) {
	if (n == VL_F64) {
		*(vec_f64_mem *)p = x;
		return;
	}
#if defined(MT_ISA_AVX512)
	_mm512_mask_storeu_pd(p, (__mmask8)((1u << n) - 1), (__m512d)x);
#else
	for (int i = 0; i < n; i++)
		p[i] = x[i];
#endif
}

#endif
