/* Matrix products with lanes along the summed index, for few rows or columns and a long k: nothing is packed, and no lane
 * idles for want of columns.  f32.
 *
 * A tile's sums, a vector for each element, are added up by halves: all in the same order, whatever tile an element
 * falls into, so that results have the same bits for any number of threads. */
#include "gemm.h"

#include "gemm_finish.h"

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

/* What adding up a sum's lanes costs, in multiply-adds of vectors, and how much longer products take where loads cross
 * lines. */
#define ADD_UP_COST 4.5
#define CROSSING 1.15

/* Rows or columns in a piece, whichever are more. */
#define PIECE 4

double mt__omp_gemm_dots_cost(const struct mt__omp_gemm *g) {
	const bool crosses = g->a_rs % VL_F32 != 0 || g->b_cs % VL_F32 != 0;
	const double products = (double)mt__omp_ceil_div(g->k, VL_F32) * (crosses ? CROSSING : 1);
	return (double)g->m * (double)g->n * (products + ADD_UP_COST);
}

int64_t mt__omp_gemm_dots_pieces(const struct mt__omp_gemm *g) {
	return mt__omp_ceil_div(mt__omp_max(g->m, g->n), PIECE);
}

/* Lanes of a and b: where bit h of a lane's number is clear a's, where it is set b's; each from its own place (STAY) or
 * from the lane whose bit h differs (SWAP). */
#define STAY(l, h) ((l) & (h) ? VL_F32 + (l) : (l))
#define SWAP(l, h) ((l) & (h) ? VL_F32 + ((l) ^ (h)) : ((l) ^ (h)))
#define LANES_4(f, l, h) f(l, h), f((l) + 1, h), f((l) + 2, h), f((l) + 3, h)
#if VL_F32 == 16
#define LANES(f, h) LANES_4(f, 0, h), LANES_4(f, 4, h), LANES_4(f, 8, h), LANES_4(f, 12, h)
#elif VL_F32 == 8
#define LANES(f, h) LANES_4(f, 0, h), LANES_4(f, 4, h)
#else
#define LANES(f, h) LANES_4(f, 0, h)
#endif
#define FOLD(a, b, h) (__builtin_shufflevector(a, b, LANES(STAY, h)) + __builtin_shufflevector(a, b, LANES(SWAP, h)))

/* Each lane added to the one whose number differs in bit h: the sums of a where that bit is clear, of b where it is set. */
MT_INLINE vec_f32 fold(vec_f32 a, vec_f32 b, const int h) {
	switch (h) {
#if VL_F32 == 16
	case 8:
		return FOLD(a, b, 8);
#endif
#if VL_F32 >= 8
	case 4:
		return FOLD(a, b, 4);
#endif
	case 2:
		return FOLD(a, b, 2);
	default:
		return FOLD(a, b, 1);
	}
}

/* The sums of the lanes of x[0], x[1], …, x[VL_F32 − 1], in that order. */
MT_INLINE vec_f32 add_up(const vec_f32 *x) {
	vec_f32 y[VL_F32];
	MT_UNROLL
	for (int i = 0; i < VL_F32; i++)
		y[i] = x[i];
	MT_UNROLL
	for (int h = VL_F32 / 2; h > 0; h /= 2) {
		MT_UNROLL
		for (int i = 0; i < h; i++)
			y[i] = fold(y[i], y[i + h], h);
	}
	return y[0];
}

/* Adds the products of n ≤ VL_F32 elements from a and b on.  Each is loaded once: compilers would rather read it again for
 * each product, and loads are half as many a cycle as multiply-adds take. */
MT_INLINE void add_products(const int rows, const int columns, const struct mt__omp_gemm *g, const float *a,
                            const float *b, const int n, vec_f32 *acc) {
	vec_f32 x[ROWS];
	MT_UNROLL
	for (int i = 0; i < rows; i++) {
		x[i] = vec_f32_load(a + i * g->a_rs, n);
		MT_ROUNDED(x[i]);
	}
	MT_UNROLL
	for (int j = 0; j < columns; j++) {
		vec_f32 y = vec_f32_load(b + j * g->b_cs, n);
		MT_ROUNDED(y);
		MT_UNROLL
		for (int i = 0; i < rows; i++)
			acc[i * COLUMNS + j] = vec_f32_fma(x[i], y, acc[i * COLUMNS + j]);
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

/* Rows of k elements, adjacent along k: a's, or b's columns. */
struct rows {
	const float *first;
	int64_t stride, n, k;
};

/* Asks for lines [begin, end) of each of the rows from `row` on, at most `most`, while those before are multiplied. */
static void foresee(const struct rows *x, int64_t row, int64_t most, int64_t begin, int64_t end) {
	const int64_t line = 64 / (int64_t)sizeof(float), last = mt__omp_min(x->n, row + most);
	for (; row < last; row++)
		for (int64_t l = begin * line; l < mt__omp_min(x->k, end * line); l += line)
			__builtin_prefetch(x->first + row * x->stride + l);
}

/* A block of m × n elements from (i0, j0) on.  The larger operand passes by once, the other stays in the cache. */
static void run_block(const struct mt__omp_gemm *g, int64_t i0, int64_t m, int64_t j0, int64_t n) {
	float sums[BLOCK_ROWS * BLOCK_COLUMNS];
	const bool by_rows = g->m >= g->n;
	const struct rows a = {(const float *)g->a + i0 * g->a_rs, g->a_rs, g->m - i0, g->k};
	const struct rows b = {(const float *)g->b + j0 * g->b_cs, g->b_cs, g->n - j0, g->k};
	const struct rows *far = by_rows ? &a : &b;
	const struct tiles row_tiles = spread(m, ROWS), column_tiles = spread(n, COLUMNS);
	const struct tiles *outer = by_rows ? &row_tiles : &column_tiles, *inner = by_rows ? &column_tiles : &row_tiles;
	const int64_t lines = mt__omp_ceil_div(mt__omp_ceil_div(g->k, 64 / (int64_t)sizeof(float)), inner->count);
	for (int64_t o = 0; o < outer->count; o++) {
		const int64_t next = begin_of(outer, o + 1);
		for (int64_t t = 0; t < inner->count; t++) {
			const int64_t row_tile = by_rows ? o : t, column_tile = by_rows ? t : o;
			const int64_t i = begin_of(&row_tiles, row_tile), j = begin_of(&column_tiles, column_tile);
			foresee(far, next, outer->each + (outer->longer > o + 1), t * lines, (t + 1) * lines);
			run_tile((int)row_tiles.each + (row_tile < row_tiles.longer),
			         (int)column_tiles.each + (column_tile < column_tiles.longer), g, a.first + i * a.stride,
			         b.first + j * b.stride, sums + i * BLOCK_COLUMNS + j);
		}
	}
	for (int64_t i = 0; i < m; i++)
		finish_row(g, i0 + i, j0, n, sums + i * BLOCK_COLUMNS);
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
