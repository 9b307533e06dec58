/* Runs of f16 and bf16 to and from f32, any stride.  Rounding as mt/lowp.h says, which the hardware's conversion
 * agrees with (it honours the rounding mode, which the plugin never changes). */
#ifndef MT_OMP_CONVERT_H
#define MT_OMP_CONVERT_H

#include "mt/lowp.h"
#include "vector.h"

#if defined(__F16C__)
MT_INLINE float one_f16_to_f32(uint16_t x) {
	return _cvtsh_ss(x);
}

MT_INLINE uint16_t one_f32_to_f16(float x) {
	return _cvtss_sh(x, _MM_FROUND_TO_NEAREST_INT);
}
#else
MT_INLINE float one_f16_to_f32(uint16_t x) {
	return mt_f16_to_f32(x);
}

MT_INLINE uint16_t one_f32_to_f16(float x) {
	return mt_f32_to_f16(x);
}
#endif

#if defined(MT_ISA_AVX512)

/* Masked stores take longer, and what they wrote is not forwarded to loads: whole vectors go without. */

MT_INLINE void run_f16_to_f32(float *dst, const uint16_t *src, int64_t n) {
	int64_t i = 0;
	for (; i + 16 <= n; i += 16)
		_mm512_storeu_ps(dst + i, _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(src + i))));
	if (i < n) {
		vec_f32_mask rest = vec_f32_columns((int)(n - i));
		_mm512_mask_storeu_ps(dst + i, rest, _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(rest, src + i)));
	}
}

MT_INLINE void run_f32_to_f16(uint16_t *dst, const float *src, int64_t n) {
	int64_t i = 0;
	for (; i + 16 <= n; i += 16)
		_mm256_storeu_si256((__m256i *)(dst + i), _mm512_cvtps_ph(_mm512_loadu_ps(src + i), _MM_FROUND_TO_NEAREST_INT));
	if (i < n) {
		vec_f32_mask rest = vec_f32_columns((int)(n - i));
		__m512 x = _mm512_maskz_loadu_ps(rest, src + i);
		_mm256_mask_storeu_epi16(dst + i, rest, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
	}
}

MT_INLINE void run_bf16_to_f32(float *dst, const uint16_t *src, int64_t n) {
	int64_t i = 0;
	for (; i + 16 <= n; i += 16) {
		__m512i x = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(src + i)));
		_mm512_storeu_si512(dst + i, _mm512_slli_epi32(x, 16));
	}
	if (i < n) {
		vec_f32_mask rest = vec_f32_columns((int)(n - i));
		__m512i x = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(rest, src + i));
		_mm512_mask_storeu_epi32(dst + i, rest, _mm512_slli_epi32(x, 16));
	}
}

/* The upper halves are x in bf16. */
MT_INLINE __m512i round_to_bf16(__m512 x) {
	__m512i u = _mm512_castps_si512(x), last = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
	__m512i rounded = _mm512_add_epi32(_mm512_add_epi32(u, _mm512_set1_epi32(0x7fff)), last);
	__mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
	return _mm512_mask_or_epi32(rounded, nan, u, _mm512_set1_epi32(0x400000));
}

MT_INLINE __m512i upper_halves(__m512i a, __m512i b) {
	const __m512i odd = _mm512_set_epi16(63, 61, 59, 57, 55, 53, 51, 49, 47, 45, 43, 41, 39, 37, 35, 33, 31, 29, 27, 25,
	                                     23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
	return _mm512_permutex2var_epi16(a, odd, b);
}

MT_INLINE void run_f32_to_bf16(uint16_t *dst, const float *src, int64_t n) {
	int64_t i = 0;
	for (; i + 32 <= n; i += 32) {
		__m512i a = round_to_bf16(_mm512_loadu_ps(src + i)), b = round_to_bf16(_mm512_loadu_ps(src + i + 16));
		_mm512_storeu_si512(dst + i, upper_halves(a, b));
	}
	if (i + 16 <= n) {
		__m512i a = round_to_bf16(_mm512_loadu_ps(src + i));
		_mm256_storeu_si256((__m256i *)(dst + i), _mm512_castsi512_si256(upper_halves(a, a)));
		i += 16;
	}
	if (i < n) {
		vec_f32_mask rest = vec_f32_columns((int)(n - i));
		__m512i a = round_to_bf16(_mm512_maskz_loadu_ps(rest, src + i));
		_mm256_mask_storeu_epi16(dst + i, rest, _mm512_castsi512_si256(upper_halves(a, a)));
	}
}

#else

MT_INLINE void run_f16_to_f32(float *dst, const uint16_t *src, int64_t n) {
	int64_t i = 0;
#if defined(__F16C__)
	for (; i + 8 <= n; i += 8)
		_mm256_storeu_ps(dst + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(src + i))));
#endif
	for (; i < n; i++)
		dst[i] = one_f16_to_f32(src[i]);
}

MT_INLINE void run_f32_to_f16(uint16_t *dst, const float *src, int64_t n) {
	int64_t i = 0;
#if defined(__F16C__)
	for (; i + 8 <= n; i += 8)
		_mm_storeu_si128((__m128i *)(dst + i), _mm256_cvtps_ph(_mm256_loadu_ps(src + i), _MM_FROUND_TO_NEAREST_INT));
#endif
	for (; i < n; i++)
		dst[i] = one_f32_to_f16(src[i]);
}

MT_INLINE void run_bf16_to_f32(float *dst, const uint16_t *src, int64_t n) {
	for (int64_t i = 0; i < n; i++)
		dst[i] = mt_bf16_to_f32(src[i]);
}

MT_INLINE void run_f32_to_bf16(uint16_t *dst, const float *src, int64_t n) {
	for (int64_t i = 0; i < n; i++)
		dst[i] = mt_f32_to_bf16(src[i]);
}

#endif

/* dst[i] = src[i · stride], i < n */
MT_INLINE void convert_f16_to_f32(float *dst, const uint16_t *src, int64_t stride, int64_t n) {
	if (stride == 1)
		run_f16_to_f32(dst, src, n);
	else
		for (int64_t i = 0; i < n; i++)
			dst[i] = one_f16_to_f32(src[i * stride]);
}

MT_INLINE void convert_bf16_to_f32(float *dst, const uint16_t *src, int64_t stride, int64_t n) {
	if (stride == 1)
		run_bf16_to_f32(dst, src, n);
	else
		for (int64_t i = 0; i < n; i++)
			dst[i] = mt_bf16_to_f32(src[i * stride]);
}

/* dst[i · stride] = src[i], i < n */
MT_INLINE void convert_f32_to_f16(uint16_t *dst, int64_t stride, const float *src, int64_t n) {
	if (stride == 1)
		run_f32_to_f16(dst, src, n);
	else
		for (int64_t i = 0; i < n; i++)
			dst[i * stride] = one_f32_to_f16(src[i]);
}

MT_INLINE void convert_f32_to_bf16(uint16_t *dst, int64_t stride, const float *src, int64_t n) {
	if (stride == 1)
		run_f32_to_bf16(dst, src, n);
	else
		for (int64_t i = 0; i < n; i++)
			dst[i * stride] = mt_f32_to_bf16(src[i]);
}

/* The same with the dtype as an argument: f32, f16, bf16. */
static inline void load_run(float *dst, int32_t dtype, const void *src, int64_t stride, int64_t n) {
	if (dtype == MT_F16)
		convert_f16_to_f32(dst, src, stride, n);
	else if (dtype == MT_BF16)
		convert_bf16_to_f32(dst, src, stride, n);
	else
		for (int64_t i = 0; i < n; i++)
			dst[i] = ((const float *)src)[i * stride];
}

static inline void store_run(int32_t dtype, void *dst, int64_t stride, const float *src, int64_t n) {
	if (dtype == MT_F16)
		convert_f32_to_f16(dst, stride, src, n);
	else if (dtype == MT_BF16)
		convert_f32_to_bf16(dst, stride, src, n);
	else
		for (int64_t i = 0; i < n; i++)
			((float *)dst)[i * stride] = src[i];
}

#endif
