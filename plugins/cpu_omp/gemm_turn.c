/* f32 products of few rows with a b whose columns are adjacent along k (y = x wᵀ of a small batch), and by transposition of
 * few columns: lanes along the columns of b, which are turned on the way from memory to the registers.  AVX-512.
 *
 * Sixteen columns, four elements of each, are turned by eight shuffles, then multiplied with up to MOST_ROWS rows of a:
 * no lane idles, nothing is packed and no lanes are added up.  Every sum is one chain in the order of k, wherever its
 * column lies, so that results have the same bits for any number of threads. */
#include "gemm_finish.h"

#include <math.h>

/* Rows of a at a time: their sums beside what is being turned fill the registers. */
#define MOST_ROWS 12

/* Most passes over b: where a has more rows, turning b once for all of them while it is packed costs less. */
#define MOST_PASSES 2

/* What a pass costs for each element of a column beside its products, and for each block, in multiply-adds of vectors. */
#define PASS_COST 2
#define BLOCK_COST 60

/* Columns a multiple of so many elements apart share a few sets of the first-level cache. */
#define COLLIDING 512

/* Elements of a column that are turned at a time. */
#define DEPTH 4

/* n ≤ DEPTH elements. */
MT_INLINE __m128 load_some(const float *x, const int n) {
	return n == DEPTH ? _mm_loadu_ps(x) : _mm_maskz_loadu_ps((__mmask8)((1u << n) - 1), x);
}

/* From x, whose row r begins at x + r · stride: out[p] = element p of rows 0 to 15; n ≤ DEPTH elements are read. */
MT_INLINE void turn(const float *x, int64_t stride, const int n, vec_f32 out[DEPTH]) {
	const int64_t stride3 = 3 * stride;
	const float *x4 = x + 4 * stride, *x8 = x + 8 * stride, *x12 = x + 12 * stride;
	MT_OPAQUE(x4);
	MT_OPAQUE(x8);
	MT_OPAQUE(x12);
	/* in[q]: in each quarter t of the lanes row 4t + q. */
	__m512 in[4];
	MT_UNROLL
	for (int q = 0; q < 4; q++) {
		const int64_t row = vec_row(q, stride, stride3);
		in[q] = _mm512_castps128_ps512(load_some(x + row, n));
		in[q] = _mm512_mask_broadcast_f32x4(in[q], 0x00f0, load_some(x4 + row, n));
		in[q] = _mm512_mask_broadcast_f32x4(in[q], 0x0f00, load_some(x8 + row, n));
		in[q] = _mm512_mask_broadcast_f32x4(in[q], 0xf000, load_some(x12 + row, n));
	}
	const __m512d low01 = (__m512d)_mm512_unpacklo_ps(in[0], in[1]), high01 = (__m512d)_mm512_unpackhi_ps(in[0], in[1]);
	const __m512d low23 = (__m512d)_mm512_unpacklo_ps(in[2], in[3]), high23 = (__m512d)_mm512_unpackhi_ps(in[2], in[3]);
	out[0] = (vec_f32)_mm512_unpacklo_pd(low01, low23);
	out[1] = (vec_f32)_mm512_unpackhi_pd(low01, low23);
	out[2] = (vec_f32)_mm512_unpacklo_pd(high01, high23);
	out[3] = (vec_f32)_mm512_unpackhi_pd(high01, high23);
}

/* Adds the products of element q of a's rows and x on. */
MT_INLINE void add_products(const int rows, const float *const a[3], int64_t a_rs, int64_t q, vec_f32 x, vec_f32 *acc) {
	const int64_t a_rs3 = 3 * a_rs;
	MT_UNROLL
	for (int i = 0; i < rows; i++)
		acc[i] += x * a[i / 4][q + vec_row(i, a_rs, a_rs3)];
}

/* sums[i · VL_F32 + l] = a's row i · b's column l, for i < rows. */
MT_INLINE void block(const int rows, const struct mt__omp_gemm *g, const float *a, const float *b, float *sums) {
	const int64_t a_rs = g->a_rs, k = g->k;
	const float *const at[3] = {a, a + (rows > 4 ? 4 : 0) * a_rs, a + (rows > 8 ? 8 : 0) * a_rs};
	vec_f32 acc[MOST_ROWS], x[DEPTH];
	MT_UNROLL
	for (int i = 0; i < rows; i++)
		acc[i] = (vec_f32){0};
	int64_t p = 0;
	for (; p + DEPTH <= k; p += DEPTH) {
		turn(b + p, g->b_cs, DEPTH, x);
		MT_UNROLL
		for (int q = 0; q < DEPTH; q++)
			add_products(rows, at, a_rs, p + q, x[q], acc);
	}
	if (p < k) {
		turn(b + p, g->b_cs, (int)(k - p), x);
		MT_UNROLL
		for (int q = 0; q < DEPTH - 1; q++)
			if (p + q < k)
				add_products(rows, at, a_rs, p + q, x[q], acc);
	}
	MT_UNROLL
	for (int i = 0; i < rows; i++)
		vec_f32_store(sums + i * VL_F32, VL_F32, acc[i]);
}

/* The constants make one unrolled kernel of each case. */
static void run_rows(int rows, const struct mt__omp_gemm *g, const float *a, const float *b, float *sums) {
	/* clang-format off */
	switch (rows) {
	case 1: block(1, g, a, b, sums); break;
	case 2: block(2, g, a, b, sums); break;
	case 3: block(3, g, a, b, sums); break;
	case 4: block(4, g, a, b, sums); break;
	case 5: block(5, g, a, b, sums); break;
	case 6: block(6, g, a, b, sums); break;
	case 7: block(7, g, a, b, sums); break;
	case 8: block(8, g, a, b, sums); break;
	case 9: block(9, g, a, b, sums); break;
	case 10: block(10, g, a, b, sums); break;
	case 11: block(11, g, a, b, sums); break;
	case 12: block(12, g, a, b, sums); break;
	}
	/* clang-format on */
}

static bool has_few_columns(const struct mt__omp_gemm *g) {
	return g->n < g->m;
}

double mt__omp_gemm_turn_cost(const struct mt__omp_gemm *g) {
	const int64_t few = mt__omp_min(g->m, g->n), many = mt__omp_max(g->m, g->n);
	const int64_t stride = has_few_columns(g) ? g->a_rs : g->b_cs, passes = mt__omp_ceil_div(few, MOST_ROWS);
	if (many < VL_F32 || passes > MOST_PASSES || stride % COLLIDING == 0)
		return INFINITY;
	const int64_t pass = g->k * PASS_COST + BLOCK_COST;
	return (double)mt__omp_ceil_div(many, VL_F32) * (double)(g->k * few + passes * pass);
}

int64_t mt__omp_gemm_turn_pieces(const struct mt__omp_gemm *g) {
	return mt__omp_ceil_div(mt__omp_max(g->m, g->n), VL_F32);
}

/* Columns of the block that begins at column j go to c from column `from` on. */
static void finish_block(const struct mt__omp_gemm *g, bool turned, int64_t j, int64_t from, float *sums) {
	const int64_t skip = from - j, n = VL_F32 - skip;
	if (!turned) {
		for (int64_t i = 0; i < g->m; i++)
			finish_row(g, i, from, n, sums + i * VL_F32 + skip);
		return;
	}
	struct mt__omp_gemm original = *g;
	mt__omp_gemm_transpose(&original);
	float row[MOST_ROWS * MOST_PASSES];
	for (int64_t l = skip; l < VL_F32; l++) {
		for (int64_t i = 0; i < g->m; i++)
			row[i] = sums[i * VL_F32 + l];
		finish_row(&original, j + l, 0, g->m, row);
	}
}

/* The last block ends with the last column, and what of it belongs to the one before is computed twice but stored once. */
void mt__omp_gemm_turn(const struct mt__omp_gemm *given, int64_t begin, int64_t end) {
	struct mt__omp_gemm g = *given;
	float sums[VL_F32 * MOST_ROWS * MOST_PASSES];
	const bool turned = has_few_columns(given);
	if (turned)
		mt__omp_gemm_transpose(&g);
	const struct tiles passes = spread(g.m, MOST_ROWS);
	for (int64_t piece = begin; piece < end; piece++) {
		const int64_t from = piece * VL_F32, j = mt__omp_min(from, g.n - VL_F32);
		for (int64_t t = 0; t < passes.count; t++) {
			const int64_t i = begin_of(&passes, t);
			run_rows((int)passes.each + (t < passes.longer), &g, (const float *)g.a + i * g.a_rs,
			         (const float *)g.b + j * g.b_cs, sums + i * VL_F32);
		}
		finish_block(&g, turned, j, from, sums);
	}
}
