/* The microkernel of AVX512_BF16: 14 × 32 sums in 28 registers; VDPBF16PS adds the products of a pair to each of 16. */
#include "x86/levels.h"

#include "vector.h"

#define ROWS 14
/* A panel of a is [depth/2][PANEL_ROWS] pairs. */
#define PANEL_ROWS 16

static void pack_rows(uint16_t *panel, const uint16_t *src, int64_t row_stride, int64_t k_stride, int64_t rows,
                      int64_t k, int64_t depth) {
	mt__omp_bf16_pack_pairs(panel, PANEL_ROWS, src, row_stride, k_stride, rows, k, depth / 2);
}

static int64_t row_panel_offset(int64_t p) {
	return p * PANEL_ROWS;
}

MT_INLINE void tile(const int rows, const int vectors, const bool in_place, int64_t depth, const uint16_t *a,
                    int64_t a_rs, const uint16_t *b, float *c, int64_t ld, int accumulate) {
	__m512 acc[ROWS][2];
	MT_UNROLL
	for (int i = 0; i < rows; i++)
		for (int j = 0; j < vectors; j++)
			acc[i][j] = accumulate ? _mm512_loadu_ps(c + i * ld + 16 * j) : _mm512_setzero_ps();
	for (int64_t p = 0; p < depth; p += 2) {
		__m512bh b0 = (__m512bh)_mm512_loadu_si512(b);
		__m512bh b1 = vectors > 1 ? (__m512bh)_mm512_loadu_si512(b + 32) : b0;
		MT_UNROLL
		for (int i = 0; i < rows; i++) {
			int32_t pair;
			__builtin_memcpy(&pair, in_place ? a + i * a_rs : a + 2 * i, sizeof pair);
			__m512bh s = (__m512bh)_mm512_set1_epi32(pair);
			acc[i][0] = _mm512_dpbf16_ps(acc[i][0], s, b0);
			if (vectors > 1)
				acc[i][1] = _mm512_dpbf16_ps(acc[i][1], s, b1);
		}
		a += in_place ? 2 : 2 * PANEL_ROWS;
		b += 2 * MT__OMP_BF16_COLUMNS;
	}
	MT_UNROLL
	for (int i = 0; i < rows; i++)
		for (int j = 0; j < vectors; j++)
			_mm512_storeu_ps(c + i * ld + 16 * j, acc[i][j]);
}

/* The constants make one unrolled kernel of each case. */
static void run_tile(int64_t rows, int64_t columns, int64_t depth, const uint16_t *a, int64_t a_rs, const uint16_t *b,
                     float *c, int64_t ld, int accumulate) {
#define CASE(rows)                                                                                                     \
	case 4 * (rows):                                                                                                   \
		tile(rows, 1, false, depth, a, 0, b, c, ld, accumulate);                                                       \
		break;                                                                                                         \
	case 4 * (rows) + 1:                                                                                               \
		tile(rows, 2, false, depth, a, 0, b, c, ld, accumulate);                                                       \
		break;                                                                                                         \
	case 4 * (rows) + 2:                                                                                               \
		tile(rows, 1, true, depth, a, a_rs, b, c, ld, accumulate);                                                     \
		break;                                                                                                         \
	case 4 * (rows) + 3:                                                                                               \
		tile(rows, 2, true, depth, a, a_rs, b, c, ld, accumulate);                                                     \
		break;
	switch (4 * rows + 2 * (a_rs != 0) + (columns > 16)) {
		CASE(1)
		CASE(2)
		CASE(3)
		CASE(4)
		CASE(5)
		CASE(6)
		CASE(7)
		CASE(8)
		CASE(9)
		CASE(10)
		CASE(11)
		CASE(12)
		CASE(13)
		CASE(14)
	}
#undef CASE
}

static const struct mt__omp_bf16_kernel kernel = {
	.tile_rows = ROWS,
	.row_unit = 1,
	.panel_rows = PANEL_ROWS,
	.depth_unit = 2,
	.slice = INT64_MAX / 2,
	.in_place = true,
	.pack_rows = pack_rows,
	.row_panel_offset = row_panel_offset,
	.tile = run_tile,
};

static void prepare(struct mt__omp_gemm *g, int threads, struct mt__omp_gemm_plan *plan) {
	mt__omp_bf16_prepare(&kernel, g, threads, plan);
}

static void run(const struct mt__omp_gemm *g, const struct mt__omp_gemm_plan *plan, void *scratch, int thread,
                int threads) {
	mt__omp_bf16_run(&kernel, g, plan, scratch, thread, threads);
}

const struct mt__omp_gemm_engine mt__omp_gemm_avx512_bf16 = {prepare, run};
