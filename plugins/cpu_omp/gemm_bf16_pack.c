/* Panels of bf16.  A pair of neighbours along k is moved as one 32-bit element. */
#include "gemm_bf16.h"

#include "transpose.h"

#include <string.h>

/* Pairs a vector holds, and the same number of single bf16. */
#define VL VL_F32
/* How far ahead memory is asked for: elements of a row, and rows. */
#define AHEAD_ALONG 128
#define AHEAD_ACROSS 16
typedef uint16_t half_u16 __attribute__((vector_size(MT_VECTOR_BYTES / 2)));
typedef uint32_t vec_u32 __attribute__((vector_size(MT_VECTOR_BYTES)));

/* The first n ≤ 2 · VL elements; the rest is zero, and not touched in memory. */
MT_INLINE vec_f32 load_elements(const uint16_t *p, int64_t n) {
	vec_f32 x = {0};
	if (n >= 2 * VL)
		memcpy(&x, p, sizeof x);
	else if (n > 0)
#if defined(MT_ISA_AVX512)
		x = (vec_f32)_mm512_maskz_loadu_epi16((1u << n) - 1, p);
#else
		memcpy(&x, p, (size_t)n * sizeof *p);
#endif
	return x;
}

/* The same of VL single elements, each widened. */
MT_INLINE vec_u32 load_halves(const uint16_t *p, int64_t n) {
	half_u16 x = {0};
	if (n >= VL)
		memcpy(&x, p, sizeof x);
	else if (n > 0)
#if defined(MT_ISA_AVX512)
		x = (half_u16)_mm256_maskz_loadu_epi16((__mmask16)((1u << n) - 1), p);
#else
		memcpy(&x, p, (size_t)n * sizeof *p);
#endif
	return __builtin_convertvector(x, vec_u32);
}

MT_INLINE void store_vector(uint16_t *p, vec_f32 x) {
	memcpy(p, &x, sizeof x);
}

/* Neighbours along k are neighbours in memory: a transpose of pairs, VL × VL at a time. */
static void pack_pairs_along_k(uint16_t *dst, int64_t ld, const uint16_t *src, int64_t i_stride, int64_t width,
                               int64_t k, int64_t pairs) {
	for (int64_t p = 0; p < pairs; p += VL) {
		int64_t left = k - 2 * p, stored = mt__omp_min(VL, pairs - p);
		for (int64_t i = 0; i < ld; i += VL) {
			const uint16_t *from = src + i * i_stride + 2 * p;
			vec_f32 x[VL];
			if (left >= 2 * VL) {
				MT_UNROLL
				for (int r = 0; r < VL; r++)
					if (i + r < width) {
						__builtin_prefetch(from + r * i_stride + AHEAD_ALONG);
						x[r] = load_elements(from + r * i_stride, 2 * VL);
					} else {
						x[r] = (vec_f32){0};
					}
			} else {
				for (int r = 0; r < VL; r++)
					x[r] = load_elements(from + r * i_stride, i + r < width ? left : 0);
			}
			transpose_vectors(x);
			if (stored == VL) {
				MT_UNROLL
				for (int r = 0; r < VL; r++)
					store_vector(dst + ((p + r) * ld + i) * 2, x[r]);
			} else {
				for (int r = 0; r < stored; r++)
					store_vector(dst + ((p + r) * ld + i) * 2, x[r]);
			}
		}
	}
}

/* Neighbours of one p are neighbours in memory: rows 2p and 2p + 1 are interleaved. */
static void pack_pairs_across_k(uint16_t *dst, int64_t ld, const uint16_t *src, int64_t p_stride, int64_t width,
                                int64_t k, int64_t pairs) {
	for (int64_t p = 0; p < pairs; p++) {
		const uint16_t *even = src + 2 * p * p_stride;
		__builtin_prefetch(even + AHEAD_ACROSS * p_stride);
		__builtin_prefetch(even + (AHEAD_ACROSS + 1) * p_stride);
		int64_t has_even = 2 * p < k ? width : 0, has_odd = 2 * p + 1 < k ? width : 0;
		for (int64_t i = 0; i < ld; i += VL) {
			vec_u32 low = load_halves(even + i, has_even - i), high = load_halves(even + p_stride + i, has_odd - i);
			store_vector(dst + (p * ld + i) * 2, (vec_f32)(low | high << 16));
		}
	}
}

void mt__omp_bf16_pack_pairs(uint16_t *dst, int64_t ld, const uint16_t *src, int64_t i_stride, int64_t p_stride,
                             int64_t width, int64_t k, int64_t pairs) {
	if (p_stride == 1) {
		pack_pairs_along_k(dst, ld, src, i_stride, width, k, pairs);
		return;
	}
	if (i_stride == 1) {
		pack_pairs_across_k(dst, ld, src, p_stride, width, k, pairs);
		return;
	}
	for (int64_t p = 0; p < 2 * pairs; p++)
		for (int64_t i = 0; i < ld; i++)
			dst[(p / 2 * ld + i) * 2 + p % 2] = i < width && p < k ? src[i * i_stride + p * p_stride] : 0;
}

/* 16 × 32 pairs [p][i] to 32 × 16 pairs [i][p]. */
static void turn_block(uint16_t *dst, const uint16_t *pairs) {
	for (int i = 0; i < 32; i += VL)
		for (int p = 0; p < 16; p += VL) {
			vec_f32 x[VL];
			for (int r = 0; r < VL; r++)
				x[r] = load_elements(pairs + ((p + r) * 32 + i) * 2, 2 * VL);
			transpose_vectors(x);
			for (int r = 0; r < VL; r++)
				store_vector(dst + ((i + r) * 16 + p) * 2, x[r]);
		}
}

void mt__omp_bf16_pack_blocks(uint16_t *dst, const uint16_t *src, int64_t i_stride, int64_t p_stride, int64_t width,
                              int64_t k, int64_t blocks) {
	uint16_t pairs[32 * 32];
	for (int64_t q = 0; q < blocks; q++, dst += 32 * 32) {
		int64_t left = mt__omp_min(32, k - 32 * q);
		if (p_stride != 1) {
			mt__omp_bf16_pack_pairs(pairs, 32, src + 32 * q * p_stride, i_stride, p_stride, width, left, 16);
			turn_block(dst, pairs);
			continue;
		}
		for (int64_t i = 0; i < 32; i++) {
			int64_t n = i < width ? left : 0;
			const uint16_t *from = src + i * i_stride + 32 * q;
			for (int r = 0; r < 32; r += 2 * VL)
				store_vector(dst + i * 32 + r, load_elements(from + r, n - r));
		}
	}
}
