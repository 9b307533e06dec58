/* Runs of f16 and bf16 to and from f32, any stride.  Rounding as mt/lowp.h says, which the hardware's conversion
 * agrees with (it honours the rounding mode, which the plugin never changes). */
#ifndef MT_OMP_CONVERT_H
#define MT_OMP_CONVERT_H

#include "mt/lowp.h"
#include "vector.h"

/* dst[i] = src[i · stride], i < n */
MT_INLINE void convert_f16_to_f32(float *dst, const uint16_t *src, int64_t stride, int64_t n) {
	int64_t i = 0;
#if defined(MT_ISA_AVX512)
	for (; stride == 1 && i + 16 <= n; i += 16)
		_mm512_storeu_ps(dst + i, _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(src + i))));
#endif
#if defined(__F16C__)
	for (; stride == 1 && i + 8 <= n; i += 8)
		_mm256_storeu_ps(dst + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(src + i))));
#endif
	for (; i < n; i++)
		dst[i] = mt_f16_to_f32(src[i * stride]);
}

MT_INLINE void convert_bf16_to_f32(float *dst, const uint16_t *src, int64_t stride, int64_t n) {
	/* Written twice: only the loop of neighbours becomes one of vectors. */
	if (stride == 1)
		for (int64_t i = 0; i < n; i++)
			dst[i] = mt_bf16_to_f32(src[i]);
	else
		for (int64_t i = 0; i < n; i++)
			dst[i] = mt_bf16_to_f32(src[i * stride]);
}

/* dst[i · stride] = src[i], i < n */
MT_INLINE void convert_f32_to_f16(uint16_t *dst, int64_t stride, const float *src, int64_t n) {
	int64_t i = 0;
#if defined(MT_ISA_AVX512)
	for (; stride == 1 && i + 16 <= n; i += 16)
		_mm256_storeu_si256((__m256i *)(dst + i), _mm512_cvtps_ph(_mm512_loadu_ps(src + i), _MM_FROUND_TO_NEAREST_INT));
#endif
#if defined(__F16C__)
	for (; stride == 1 && i + 8 <= n; i += 8)
		_mm_storeu_si128((__m128i *)(dst + i), _mm256_cvtps_ph(_mm256_loadu_ps(src + i), _MM_FROUND_TO_NEAREST_INT));
#endif
	for (; i < n; i++)
		dst[i * stride] = mt_f32_to_f16(src[i]);
}

MT_INLINE void convert_f32_to_bf16(uint16_t *dst, int64_t stride, const float *src, int64_t n) {
	if (stride == 1)
		for (int64_t i = 0; i < n; i++)
			dst[i] = mt_f32_to_bf16(src[i]);
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
