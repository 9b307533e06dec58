/* Matrix products of bf16 by instructions that multiply pairs of bf16 and add to f32 (AVX512_BF16, AMX): what the
 * levels share, with the microkernel as an argument.
 *
 *     c = bf16(act(alpha · a @ b + beta · c + bias))     all sums in f32, one rounding to nearest even at the end
 *
 * The instructions take a bf16 that is subnormal as a zero of its sign, and give zero for sums below 2^-126.  All else
 * is IEEE's: infinities and NaN are what they are in f32.
 *
 * How k is divided depends on the shape alone, and an element is summed in the same order whatever tile it falls into:
 * the same bits for any number of threads. */
#ifndef MT_OMP_GEMM_BF16_H
#define MT_OMP_GEMM_BF16_H

#include "gemm_engine.h"

/* Columns of a tile, and of a panel of b: depth/2 × 32 pairs (p, p + 1) of one column. */
#define MT__OMP_BF16_COLUMNS 32
#define MT__OMP_BF16_MAX_ROWS 32

/* A level's microkernel.  depth: of panels, k filled up with zeros to a multiple of depth_unit. */
struct mt__omp_bf16_kernel {
	int64_t tile_rows; /* at most MT__OMP_BF16_MAX_ROWS */
	int64_t row_unit;  /* rows of a tile are multiples of this, but for c's last */
	int64_t panel_rows;
	int64_t depth_unit;
	int64_t slice; /* most depth in one call of tile: a multiple of depth_unit */
	bool in_place; /* tile takes rows of a where they lie, if pairs along k are neighbours there */

	/* A panel of panel_rows × depth, zero beyond rows and k.  src: element (0, 0); strides in elements. */
	void (*pack_rows)(uint16_t *panel, const uint16_t *src, int64_t row_stride, int64_t k_stride, int64_t rows,
	                  int64_t k, int64_t depth);
	/* Elements before depth p of a panel of a (p a multiple of slice). */
	int64_t (*row_panel_offset)(int64_t p);
	/* c[i · ld + j] = Σ_p a[i, p] · b[p, j], or += where accumulate; j goes up to 32, or 16 where columns allow.
	 * Depth 0 gives 0.  a: a panel where a_rs is 0; else rows in place, a_rs elements apart. */
	void (*tile)(int64_t rows, int64_t columns, int64_t depth, const uint16_t *a, int64_t a_rs, const uint16_t *b,
	             float *c, int64_t ld, int accumulate);
	/* Around all of a thread's tiles; NULL: nothing. */
	void (*begin)(void);
	void (*end)(void);
};

#define mt__omp_bf16_prepare MT_ISA_NAME(mt__omp_bf16_prepare)
#define mt__omp_bf16_run MT_ISA_NAME(mt__omp_bf16_run)
#define mt__omp_bf16_pack_pairs MT_ISA_NAME(mt__omp_bf16_pack_pairs)
#define mt__omp_bf16_pack_blocks MT_ISA_NAME(mt__omp_bf16_pack_blocks)

/* An engine's two functions, with the level's kernel. */
void mt__omp_bf16_prepare(const struct mt__omp_bf16_kernel *kernel, struct mt__omp_gemm *g, int threads,
                          struct mt__omp_gemm_plan *plan);
void mt__omp_bf16_run(const struct mt__omp_bf16_kernel *kernel, const struct mt__omp_gemm *g,
                      const struct mt__omp_gemm_plan *plan, void *scratch, int thread, int threads);

/* ---- gemm_bf16_pack.c ---- */

/* dst[(p · ld + i) · 2 + r] = element (i, 2p + r), zero for i from width to ld and beyond k; ld: a multiple of 16;
 * p < pairs, k ≤ 2 · pairs. */
void mt__omp_bf16_pack_pairs(uint16_t *dst, int64_t ld, const uint16_t *src, int64_t i_stride, int64_t p_stride,
                             int64_t width, int64_t k, int64_t pairs);

/* Blocks of 32 along k: dst[(q · 32 + i) · 32 + r] = element (i, 32q + r), zero beyond width ≤ 32 and k. */
void mt__omp_bf16_pack_blocks(uint16_t *dst, const uint16_t *src, int64_t i_stride, int64_t p_stride, int64_t width,
                              int64_t k, int64_t blocks);

#endif
