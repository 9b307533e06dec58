/* Small transposes: what packing and the image lanes are made of. */
#ifndef MT_OMP_TRANSPOSE_H
#define MT_OMP_TRANSPOSE_H

#include "vector.h"

/* Transposes VL_F32 vectors of VL_F32 floats in registers. */
#if defined(MT_ISA_AVX512)

MT_INLINE void transpose_vectors(vec_f32 x[VL_F32]) {
	__m512 r[16], t[16];
	/* pairs of floats, then pairs of doubles: 4×4 blocks in the 128-bit lanes; then the lanes themselves */
	MT_UNROLL
	for (int i = 0; i < 16; i += 2) {
		r[i] = _mm512_unpacklo_ps((__m512)x[i], (__m512)x[i + 1]);
		r[i + 1] = _mm512_unpackhi_ps((__m512)x[i], (__m512)x[i + 1]);
	}
	MT_UNROLL
	for (int i = 0; i < 16; i += 4) {
		t[i] = (__m512)_mm512_unpacklo_pd((__m512d)r[i], (__m512d)r[i + 2]);
		t[i + 1] = (__m512)_mm512_unpackhi_pd((__m512d)r[i], (__m512d)r[i + 2]);
		t[i + 2] = (__m512)_mm512_unpacklo_pd((__m512d)r[i + 1], (__m512d)r[i + 3]);
		t[i + 3] = (__m512)_mm512_unpackhi_pd((__m512d)r[i + 1], (__m512d)r[i + 3]);
	}
	MT_UNROLL
	for (int i = 0; i < 4; i++) {
		__m512 low0 = _mm512_shuffle_f32x4(t[i], t[i + 4], 0x88), high0 = _mm512_shuffle_f32x4(t[i], t[i + 4], 0xdd);
		__m512 low1 = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0x88);
		__m512 high1 = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0xdd);
		x[i] = (vec_f32)_mm512_shuffle_f32x4(low0, low1, 0x88);
		x[i + 8] = (vec_f32)_mm512_shuffle_f32x4(low0, low1, 0xdd);
		x[i + 4] = (vec_f32)_mm512_shuffle_f32x4(high0, high1, 0x88);
		x[i + 12] = (vec_f32)_mm512_shuffle_f32x4(high0, high1, 0xdd);
	}
}

#elif defined(MT_ISA_AVX2)

MT_INLINE void transpose_vectors(vec_f32 x[VL_F32]) {
	__m256 r[8], t[8];
	MT_UNROLL
	for (int i = 0; i < 8; i += 2) {
		r[i] = _mm256_unpacklo_ps((__m256)x[i], (__m256)x[i + 1]);
		r[i + 1] = _mm256_unpackhi_ps((__m256)x[i], (__m256)x[i + 1]);
	}
	MT_UNROLL
	for (int i = 0; i < 8; i += 4) {
		t[i] = _mm256_shuffle_ps(r[i], r[i + 2], 0x44);
		t[i + 1] = _mm256_shuffle_ps(r[i], r[i + 2], 0xee);
		t[i + 2] = _mm256_shuffle_ps(r[i + 1], r[i + 3], 0x44);
		t[i + 3] = _mm256_shuffle_ps(r[i + 1], r[i + 3], 0xee);
	}
	MT_UNROLL
	for (int i = 0; i < 4; i++) {
		x[i] = (vec_f32)_mm256_permute2f128_ps(t[i], t[i + 4], 0x20);
		x[i + 4] = (vec_f32)_mm256_permute2f128_ps(t[i], t[i + 4], 0x31);
	}
}

#else

MT_INLINE void transpose_vectors(vec_f32 x[VL_F32]) {
	for (int i = 0; i < VL_F32; i++)
		for (int j = 0; j < i; j++) {
			float t = x[i][j];
			x[i][j] = x[j][i];
			x[j][i] = t;
		}
}

#endif

MT_INLINE void transpose_in_block(float *dst, int64_t dst_stride, const float *src, int64_t src_stride, int rows,
                                  int n) {
	vec_f32 x[VL_F32];
	MT_UNROLL
	for (int i = 0; i < VL_F32; i++)
		x[i] = i < rows ? vec_f32_load(src + i * src_stride, n) : (vec_f32){0};
	transpose_vectors(x);
	MT_UNROLL
	for (int i = 0; i < VL_F32; i++)
		if (i < n)
			vec_f32_store(dst + i * dst_stride, VL_F32, x[i]);
}

/* Fewer positions than this are not worth a transpose in registers. */
#define TRANSPOSE_MIN 4

/* dst[p · dst_stride + i] = src[i · src_stride + p] for i < rows ≤ VL_F32, p < n; dst rows are written VL_F32 wide,
 * zero from `rows` on. */
MT_INLINE void transpose_in(float *dst, int64_t dst_stride, const float *src, int64_t src_stride, int rows, int64_t n) {
	if (n < TRANSPOSE_MIN) {
		for (int64_t p = 0; p < n; p++)
			for (int i = 0; i < VL_F32; i++)
				dst[p * dst_stride + i] = i < rows ? src[i * src_stride + p] : 0;
		return;
	}
	if (n < VL_F32) {
		transpose_in_block(dst, dst_stride, src, src_stride, rows, (int)n);
		return;
	}
	int64_t p = 0;
	for (; p + VL_F32 <= n; p += VL_F32)
		transpose_in_block(dst + p * dst_stride, dst_stride, src + p, src_stride, rows, VL_F32);
	/* The last block overlaps the one before. */
	if (p < n)
		transpose_in_block(dst + (n - VL_F32) * dst_stride, dst_stride, src + n - VL_F32, src_stride, rows, VL_F32);
}

MT_INLINE void transpose_out_block(float *dst, int64_t dst_stride, const float *src, int64_t src_stride, int rows) {
	vec_f32 x[VL_F32];
	MT_UNROLL
	for (int i = 0; i < VL_F32; i++)
		x[i] = vec_f32_load(src + i * src_stride, VL_F32);
	transpose_vectors(x);
	MT_UNROLL
	for (int i = 0; i < VL_F32; i++)
		if (i < rows)
			vec_f32_store(dst + i * dst_stride, VL_F32, x[i]);
}

/* dst[i · dst_stride + p] = src[p · src_stride + i] for i < rows ≤ VL_F32, p < n; src rows are read VL_F32 wide. */
MT_INLINE void transpose_out(float *dst, int64_t dst_stride, const float *src, int64_t src_stride, int rows,
                             int64_t n) {
	if (n < VL_F32) {
		for (int i = 0; i < rows; i++)
			for (int64_t p = 0; p < n; p++)
				dst[i * dst_stride + p] = src[p * src_stride + i];
		return;
	}
	int64_t p = 0;
	for (; p + VL_F32 <= n; p += VL_F32)
		transpose_out_block(dst + p, dst_stride, src + p * src_stride, src_stride, rows);
	if (p < n)
		transpose_out_block(dst + n - VL_F32, dst_stride, src + (n - VL_F32) * src_stride, src_stride, rows);
}

#endif
