/* Matrix products with lanes along the summed index, for few rows or columns and a long k: nothing is packed, and no lane
 * idles for want of columns.  f32.
 *
 * A tile's sums, a vector for each element, are added up by halves: all in the same order, whatever tile an element
 * falls into, so that results have the same bits for any number of threads. */
#include "gemm.h"

#include "activate.h"
#include "vector.h"

/* A tile: enough sums to hide a multiply-add's latency, and a multiple of VL_F32. */
#if defined(MT_ISA_AVX512)
#define ROWS 4
#else
#define ROWS 2
#endif
#define COLUMNS 4

/* A block of results that gather before they are stored. */
#define BLOCK_ROWS 32
#define BLOCK_COLUMNS 64

/* What a transposing copy costs for each vector, and adding up a sum's lanes, in multiply-adds of vectors. */
#define TURN_COST 6
#define ADD_UP_COST 5

/* Rows or columns in a piece, whichever are more. */
#define PIECE 16

bool mt__omp_gemm_suits_dots(const struct mt__omp_gemm *g) {
	if (g->dtype != MT_F32 || g->a_cs != 1 || g->b_rs != 1 || g->make_a || g->make_b)
		return false;
	double m = (double)g->m, n = (double)g->n, k = (double)g->k;
	double dots = m * n * ((double)mt__omp_ceil_div(g->k, VL_F32) + ADD_UP_COST);
	return dots < (double)mt__omp_ceil_div(g->n, VL_F32) * k * (m + TURN_COST);
}

int64_t mt__omp_gemm_dots_pieces(const struct mt__omp_gemm *g) {
	return mt__omp_ceil_div(mt__omp_max(g->m, g->n), PIECE);
}

/* The sums of the lanes of x[0], x[1], …, x[VL_F32 − 1], in that order. */
MT_INLINE vec_f32 add_up(const vec_f32 *x) {
	vec_f32 y[VL_F32];
	MT_UNROLL
	for (int i = 0; i < VL_F32; i++)
		y[i] = x[i];
	MT_UNROLL
	for (int n = VL_F32 / 2; n > 0; n /= 2) {
		MT_UNROLL
		for (int i = 0; i < n; i++) {
			vec_f32 even, odd;
			vec_f32_part(y[2 * i], y[2 * i + 1], &even, &odd);
			y[i] = even + odd;
		}
	}
	return y[0];
}

/* Adds the products of n ≤ VL_F32 elements from a and b on. */
MT_INLINE void add_products(const int rows, const int columns, const struct mt__omp_gemm *g, const float *a,
                            const float *b, const int n, vec_f32 *acc) {
	vec_f32 x[ROWS];
	MT_UNROLL
	for (int i = 0; i < rows; i++)
		x[i] = vec_f32_load(a + i * g->a_rs, n);
	MT_UNROLL
	for (int j = 0; j < columns; j++) {
		const vec_f32 y = vec_f32_load(b + j * g->b_cs, n);
		MT_UNROLL
		for (int i = 0; i < rows; i++)
			acc[i * COLUMNS + j] += x[i] * y;
	}
}

/* sums[i · BLOCK_COLUMNS + j] = a's row i · b's column j, for i < rows ≤ ROWS, j < columns ≤ COLUMNS; all of a tile's
 * columns are written. */
MT_INLINE void tile(const int rows, const int columns, const struct mt__omp_gemm *g, const float *a, const float *b,
                    float *sums) {
	vec_f32 acc[ROWS * COLUMNS];
	MT_UNROLL
	for (int i = 0; i < ROWS * COLUMNS; i++)
		acc[i] = (vec_f32){0};
	int64_t p = 0;
	for (; p + VL_F32 <= g->k; p += VL_F32)
		add_products(rows, columns, g, a + p, b + p, VL_F32, acc);
	if (p < g->k)
		add_products(rows, columns, g, a + p, b + p, (int)(g->k - p), acc);
	float total[ROWS * COLUMNS];
	MT_UNROLL
	for (int i = 0; i < ROWS * COLUMNS; i += VL_F32)
		*(vec_f32_mem *)(total + i) = add_up(acc + i);
	MT_UNROLL
	for (int i = 0; i < rows; i++) {
		MT_UNROLL
		for (int j = 0; j < COLUMNS; j++)
			sums[i * BLOCK_COLUMNS + j] = total[i * COLUMNS + j];
	}
}

/* The constants make one unrolled kernel of each case. */
static void run_tile(int rows, int columns, const struct mt__omp_gemm *g, const float *a, const float *b, float *sums) {
	/* clang-format off */
	switch (COLUMNS * rows + columns - COLUMNS) {
	case 1: tile(1, 1, g, a, b, sums); break;
	case 2: tile(1, 2, g, a, b, sums); break;
	case 3: tile(1, 3, g, a, b, sums); break;
	case 4: tile(1, 4, g, a, b, sums); break;
	case 5: tile(2, 1, g, a, b, sums); break;
	case 6: tile(2, 2, g, a, b, sums); break;
	case 7: tile(2, 3, g, a, b, sums); break;
	case 8: tile(2, 4, g, a, b, sums); break;
#if ROWS > 2
	case 9: tile(3, 1, g, a, b, sums); break;
	case 10: tile(3, 2, g, a, b, sums); break;
	case 11: tile(3, 3, g, a, b, sums); break;
	case 12: tile(3, 4, g, a, b, sums); break;
	case 13: tile(4, 1, g, a, b, sums); break;
	case 14: tile(4, 2, g, a, b, sums); break;
	case 15: tile(4, 3, g, a, b, sums); break;
	case 16: tile(4, 4, g, a, b, sums); break;
#endif
	}
	/* clang-format on */
}

/* Sums of row i from column j on to c. */
static void finish(const struct mt__omp_gemm *g, int64_t i, int64_t j, int64_t n, float *sums) {
	const float alpha = (float)g->alpha, beta = (float)g->beta, *bias = g->bias;
	const int64_t bias_stride = g->bias_of_rows ? 0 : g->bias_stride;
	float *c = (float *)g->c + i * g->c_rs + j * g->c_cs;
	if (bias)
		bias += (g->bias_of_rows ? i : j) * g->bias_stride;
	for (int64_t x = 0; x < n; x++) {
		float v = alpha * sums[x];
		if (beta != 0)
			v += beta * c[x * g->c_cs];
		if (bias)
			v += bias[x * bias_stride];
		sums[x] = g->activation == MT_ACT_RELU && v <= 0 ? 0 : v;
	}
	if (g->activation > MT_ACT_RELU)
		mt__omp_activate(g->activation, MT_F32, sums, 1, n, n);
	for (int64_t x = 0; x < n; x++)
		c[x * g->c_cs] = sums[x];
}

/* Asks for part `part` of `parts` of `rows` rows of k elements, while those before are multiplied. */
static void foresee(const float *x, int64_t stride, int64_t rows, int64_t k, int64_t part, int64_t parts) {
	const int64_t line = 64 / (int64_t)sizeof(float);
	int64_t begin, end;
	mt__omp_share(mt__omp_ceil_div(k, line), (int)part, (int)parts, &begin, &end);
	for (int64_t r = 0; r < rows; r++)
		for (int64_t l = begin; l < end; l++)
			__builtin_prefetch(x + r * stride + l * line);
}

/* A block of m × n elements from (i0, j0) on.  The larger operand passes by once, the other stays in the cache. */
static void run_block(const struct mt__omp_gemm *g, int64_t i0, int64_t m, int64_t j0, int64_t n) {
	float sums[BLOCK_ROWS * BLOCK_COLUMNS];
	const float *a = (const float *)g->a + i0 * g->a_rs, *b = (const float *)g->b + j0 * g->b_cs;
	const int64_t row_tiles = mt__omp_ceil_div(m, ROWS), column_tiles = mt__omp_ceil_div(n, COLUMNS);
	const bool by_rows = g->m >= g->n;
	for (int64_t t = 0; t < row_tiles * column_tiles; t++) {
		const int64_t i = (by_rows ? t / column_tiles : t % row_tiles) * ROWS;
		const int64_t j = (by_rows ? t % column_tiles : t / row_tiles) * COLUMNS;
		if (by_rows)
			foresee(a + (i + ROWS) * g->a_rs, g->a_rs, mt__omp_min(ROWS, g->m - i0 - i - ROWS), g->k, t % column_tiles,
			        column_tiles);
		else
			foresee(b + (j + COLUMNS) * g->b_cs, g->b_cs, mt__omp_min(COLUMNS, g->n - j0 - j - COLUMNS), g->k,
			        t % row_tiles, row_tiles);
		run_tile((int)mt__omp_min(ROWS, m - i), (int)mt__omp_min(COLUMNS, n - j), g, a + i * g->a_rs, b + j * g->b_cs,
		         sums + i * BLOCK_COLUMNS + j);
	}
	for (int64_t i = 0; i < m; i++)
		finish(g, i0 + i, j0, n, sums + i * BLOCK_COLUMNS);
}

void mt__omp_gemm_dots(const struct mt__omp_gemm *g, int64_t begin, int64_t end) {
	int64_t i_begin = 0, i_end = g->m, j_begin = 0, j_end = g->n;
	if (g->m >= g->n)
		i_begin = begin * PIECE, i_end = mt__omp_min(g->m, end * PIECE);
	else
		j_begin = begin * PIECE, j_end = mt__omp_min(g->n, end * PIECE);
	for (int64_t j = j_begin; j < j_end; j += BLOCK_COLUMNS)
		for (int64_t i = i_begin; i < i_end; i += BLOCK_ROWS)
			run_block(g, i, mt__omp_min(BLOCK_ROWS, i_end - i), j, mt__omp_min(BLOCK_COLUMNS, j_end - j));
}
