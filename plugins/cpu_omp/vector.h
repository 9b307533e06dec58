/* Vectors of the ISA level in the compiler's own extension (gcc and clang both have it): VL_F32 floats or VL_F64
 * doubles.  The _mem types are for memory: element alignment, may alias.  Included by per-level sources only. */
#ifndef MT_OMP_VECTOR_H
#define MT_OMP_VECTOR_H

#include "isa.h"

#if defined(MT_ISA_AVX512) || defined(MT_ISA_AVX2)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
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
typedef int32_t vec_i32_mem __attribute__((vector_size(MT_VECTOR_BYTES), aligned(4), may_alias));
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

/* Rounds vector x here: else a compiler may fuse the product that x is with the sum that follows in one kernel and not in
 * another, and results would depend on which of them an element falls to. */
#if defined(MT_ISA_AVX512)
#define MT_ROUNDED(x) __asm__("" : "+v"(x))
#elif defined(__x86_64__)
#define MT_ROUNDED(x) __asm__("" : "+x"(x))
#elif defined(__aarch64__)
#define MT_ROUNDED(x) __asm__("" : "+w"(x))
#else
#define MT_ROUNDED(x) __asm__("" : "+m"(x))
#endif

/* Hides how x (in an integer register) came about: what is computed from it later is computed from x itself. */
#define MT_OPAQUE(x) __asm__ volatile("" : "+r"(x))

#define MT_INLINE static inline __attribute__((always_inline))

#if defined(MT_ISA_AVX2)
/* The mask of elements [begin, end). */
MT_INLINE __m256i mask_f32(int begin, int end) {
	static const int32_t ones[24] = {0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1};
	__m256i below = _mm256_loadu_si256((const __m256i *)(ones + 8 - begin));
	__m256i under = _mm256_loadu_si256((const __m256i *)(ones + 16 - end));
	return _mm256_and_si256(below, under);
}
#endif

/* i mod 4 times the step, for constant i: with step and step3 = 3 · step in registers, x86 addresses four rows from one
 * base pointer (base, base + step, base + 2 · step, base + step3) without arithmetic. */
MT_INLINE int64_t vec_row(int i, int64_t step, int64_t step3) {
	switch (i % 4) {
	case 0:
		return 0;
	case 1:
		return step;
	case 2:
		return 2 * step;
	default:
		return step3;
	}
}

/* x <= 0 ? 0 : x; NaN stays. */
MT_INLINE vec_f32 vec_f32_relu(vec_f32 x) {
	return (vec_f32)((vec_i32)x & ~(x <= 0));
}

MT_INLINE vec_f64 vec_f64_relu(vec_f64 x) {
	return (vec_f64)((vec_i64)x & ~(x <= 0));
}

/* Elements 0, 2, 4, … and 1, 3, 5, … of a and b in a row. */
MT_INLINE void vec_f32_part(vec_f32 a, vec_f32 b, vec_f32 *even, vec_f32 *odd) {
#if VL_F32 == 16
	*even = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
	*odd = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
#elif VL_F32 == 8
	*even = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
	*odd = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
#else
	*even = __builtin_shufflevector(a, b, 0, 2, 4, 6);
	*odd = __builtin_shufflevector(a, b, 1, 3, 5, 7);
#endif
}

/* The reverse. */
MT_INLINE void vec_f32_join(vec_f32 even, vec_f32 odd, vec_f32 *a, vec_f32 *b) {
#if VL_F32 == 16
	*a = __builtin_shufflevector(even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
	*b = __builtin_shufflevector(even, odd, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#elif VL_F32 == 8
	*a = __builtin_shufflevector(even, odd, 0, 8, 1, 9, 2, 10, 3, 11);
	*b = __builtin_shufflevector(even, odd, 4, 12, 5, 13, 6, 14, 7, 15);
#else
	*a = __builtin_shufflevector(even, odd, 0, 4, 1, 5);
	*b = __builtin_shufflevector(even, odd, 2, 6, 3, 7);
#endif
}

/* mask (all ones or all zeros in each element) ? a : b */
MT_INLINE vec_i32 vec_i32_select(vec_i32 mask, vec_i32 a, vec_i32 b) {
	return (mask & a) | (~mask & b);
}

MT_INLINE vec_f32 vec_f32_select(vec_i32 mask, vec_f32 a, vec_f32 b) {
	return (vec_f32)vec_i32_select(mask, (vec_i32)a, (vec_i32)b);
}

/* 0, 1, 2, … */
MT_INLINE vec_i32 vec_i32_count(void) {
	vec_i32 n = {0};
	for (int i = 0; i < VL_F32; i++)
		n[i] = i;
	return n;
}

/* x · y + z, with one rounding at every level that has such an instruction.  For sums that must have the same bits in kernels
 * of different form: of `z += x * y` the compiler fuses what it likes to.  (Of single elements: vmath.h, vmath_wide.h.) */
#if defined(MT_ISA_AVX512)
MT_INLINE vec_f32 vec_f32_fma(vec_f32 x, vec_f32 y, vec_f32 z) {
	return (vec_f32)_mm512_fmadd_ps((__m512)x, (__m512)y, (__m512)z);
}

MT_INLINE vec_f64 vec_f64_fma(vec_f64 x, vec_f64 y, vec_f64 z) {
	return (vec_f64)_mm512_fmadd_pd((__m512d)x, (__m512d)y, (__m512d)z);
}
#elif defined(MT_ISA_AVX2)
MT_INLINE vec_f32 vec_f32_fma(vec_f32 x, vec_f32 y, vec_f32 z) {
	return (vec_f32)_mm256_fmadd_ps((__m256)x, (__m256)y, (__m256)z);
}

MT_INLINE vec_f64 vec_f64_fma(vec_f64 x, vec_f64 y, vec_f64 z) {
	return (vec_f64)_mm256_fmadd_pd((__m256d)x, (__m256d)y, (__m256d)z);
}
#elif defined(__aarch64__)
MT_INLINE vec_f32 vec_f32_fma(vec_f32 x, vec_f32 y, vec_f32 z) {
	return (vec_f32)vfmaq_f32((float32x4_t)z, (float32x4_t)x, (float32x4_t)y);
}

MT_INLINE vec_f64 vec_f64_fma(vec_f64 x, vec_f64 y, vec_f64 z) {
	return (vec_f64)vfmaq_f64((float64x2_t)z, (float64x2_t)x, (float64x2_t)y);
}
#else
MT_INLINE vec_f32 vec_f32_fma(vec_f32 x, vec_f32 y, vec_f32 z) {
	return x * y + z;
}

MT_INLINE vec_f64 vec_f64_fma(vec_f64 x, vec_f64 y, vec_f64 z) {
	return x * y + z;
}
#endif

/* The first n ≤ VL elements; the rest is zero, and not touched in memory. */
MT_INLINE vec_f32 vec_f32_load(const float *p, int n) {
	if (n == VL_F32)
		return *(const vec_f32_mem *)p;
#if defined(MT_ISA_AVX512)
	return (vec_f32)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#elif defined(MT_ISA_AVX2)
	return (vec_f32)_mm256_maskload_ps(p, mask_f32(0, n));
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
#elif defined(MT_ISA_AVX2)
	_mm256_maskstore_ps(p, mask_f32(0, n), (__m256)x);
#else
	for (int i = 0; i < n; i++)
		p[i] = x[i];
#endif
}

/* vec_f32_load for loops in which n stays: the mask is made once.  Below avx512 there is no such load, and n is VL. */
#if defined(MT_ISA_AVX512)
typedef __mmask16 vec_f32_mask;

MT_INLINE vec_f32_mask vec_f32_columns(int n) {
	return (__mmask16)((1u << n) - 1);
}

MT_INLINE vec_f32 vec_f32_load_columns(const float *p, vec_f32_mask mask) {
	return (vec_f32)_mm512_maskz_loadu_ps(mask, p);
}
#else
typedef int vec_f32_mask;

MT_INLINE vec_f32_mask vec_f32_columns(int n) {
	return n;
}

MT_INLINE vec_f32 vec_f32_load_columns(const float *p, vec_f32_mask mask) {
	(void)mask;
	return *(const vec_f32_mem *)p;
}
#endif

/* Elements [begin, end) of the VL at p; the rest is zero, and not touched in memory.  0 ≤ begin ≤ end ≤ VL. */
MT_INLINE vec_f32 vec_f32_window(const float *p, int begin, int end) {
	if (begin == 0 && end == VL_F32)
		return *(const vec_f32_mem *)p;
#if defined(MT_ISA_AVX512)
	return (vec_f32)_mm512_maskz_loadu_ps((__mmask16)((1u << end) - (1u << begin)), p);
#elif defined(MT_ISA_AVX2)
	return (vec_f32)_mm256_maskload_ps(p, mask_f32(begin, end));
#else
	vec_f32 x = {0};
	for (int i = begin; i < end; i++)
		x[i] = p[i];
	return x;
#endif
}

MT_INLINE vec_i32 vec_i32_load(const int32_t *p, int n) {
	if (n == VL_F32)
		return *(const vec_i32_mem *)p;
#if defined(MT_ISA_AVX512)
	return (vec_i32)_mm512_maskz_loadu_epi32((__mmask16)((1u << n) - 1), p);
#elif defined(MT_ISA_AVX2)
	return (vec_i32)_mm256_maskload_epi32((const int *)p, mask_f32(0, n));
#else
	vec_i32 x = {0};
	for (int i = 0; i < n; i++)
		x[i] = p[i];
	return x;
#endif
}

MT_INLINE void vec_i32_store(int32_t *p, int n, vec_i32 x) {
	if (n == VL_F32) {
		*(vec_i32_mem *)p = x;
		return;
	}
#if defined(MT_ISA_AVX512)
	_mm512_mask_storeu_epi32(p, (__mmask16)((1u << n) - 1), (__m512i)x);
#elif defined(MT_ISA_AVX2)
	_mm256_maskstore_epi32((int *)p, mask_f32(0, n), (__m256i)x);
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

#if defined(MT_ISA_AVX512)
typedef __mmask8 vec_f64_mask;

MT_INLINE vec_f64_mask vec_f64_columns(int n) {
	return (__mmask8)((1u << n) - 1);
}

MT_INLINE vec_f64 vec_f64_load_columns(const double *p, vec_f64_mask mask) {
	return (vec_f64)_mm512_maskz_loadu_pd(mask, p);
}
#else
typedef int vec_f64_mask;

MT_INLINE vec_f64_mask vec_f64_columns(int n) {
	return n;
}

MT_INLINE vec_f64 vec_f64_load_columns(const double *p, vec_f64_mask mask) {
	(void)mask;
	return *(const vec_f64_mem *)p;
}
#endif

MT_INLINE vec_f64 vec_f64_window(const double *p, int begin, int end) {
	if (begin == 0 && end == VL_F64)
		return *(const vec_f64_mem *)p;
#if defined(MT_ISA_AVX512)
	return (vec_f64)_mm512_maskz_loadu_pd((__mmask8)((1u << end) - (1u << begin)), p);
#else
	vec_f64 x = {0};
	for (int i = begin; i < end; i++)
		x[i] = p[i];
	return x;
#endif
}

#endif
