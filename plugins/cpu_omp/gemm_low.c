/* Small and skinny products of f16 and bf16: the operands as f32 in scratch, the product of f32, one rounding at the
 * end.  A skinny one goes by blocks of columns. */
#include "gemm_low.h"

#include "convert.h"
#include "parallel.h"

/* Operands that need no scratch. */
#define TINY_BYTES 8192

/* Rows of a skinny product, and what its blocks of columns take of the cache and are multiples of. */
#define SKINNY_ROWS 8
#define SKINNY_BYTES (MT__OMP_L2_BYTES / 8)
#define SKINNY_COLUMNS MT__OMP_GEMV_GRAIN

static bool by_columns(int64_t rs, int64_t cs, int64_t rows, int64_t columns) {
	return columns == 1 || (rows > 1 && rs == 1 && cs != 1);
}

/* The strides of a contiguous copy in the order the matrix has in memory. */
static void twin_strides(int64_t *rs, int64_t *cs, int64_t rows, int64_t columns) {
	bool transposed = by_columns(*rs, *cs, rows, columns);
	*rs = transposed ? 1 : columns;
	*cs = transposed ? rows : 1;
}

/* That copy, as f32. */
static void widen(float *to, int32_t dtype, const void *from, int64_t rs, int64_t cs, int64_t rows, int64_t columns) {
	bool transposed = by_columns(rs, cs, rows, columns);
	int64_t outer = transposed ? columns : rows, inner = transposed ? rows : columns;
	for (int64_t i = 0; i < outer; i++)
		load_run(to + i * inner, dtype, (const uint16_t *)from + i * (transposed ? cs : rs), transposed ? rs : cs,
		         inner);
}

/* The problem in f32; space NULL: its shape and strides alone. */
static struct mt__omp_gemm in_f32(const struct mt__omp_gemm *g, float *space) {
	struct mt__omp_gemm w = *g;
	float *a = space, *b = space ? a + g->m * g->k : NULL, *c = space ? b + g->k * g->n : NULL;
	w.dtype = MT_F32;
	w.a = a;
	w.b = b;
	w.c = c;
	twin_strides(&w.a_rs, &w.a_cs, g->m, g->k);
	twin_strides(&w.b_rs, &w.b_cs, g->k, g->n);
	w.c_rs = g->n;
	w.c_cs = 1;
	if (g->bias) {
		w.bias = space ? c + g->m * g->n : NULL;
		w.bias_stride = 1;
	}
	return w;
}

static uint64_t operand_bytes(const struct mt__omp_gemm *g) {
	return mt__omp_align64((uint64_t)(g->m * g->k + g->k * g->n + g->m * g->n + g->n) * sizeof(float));
}

bool mt__omp_gemm_low_fit(const struct mt__omp_gemm *g) {
	double elements = (double)g->m * (double)g->k + (double)g->k * (double)g->n + (double)g->m * (double)g->n;
	return (g->dtype == MT_F16 || g->dtype == MT_BF16) && elements * sizeof(float) <= MT__OMP_L2_BYTES / 4;
}

uint64_t mt__omp_gemm_low_bytes(const struct mt__omp_gemm *g) {
	struct mt__omp_gemm w = in_f32(g, NULL);
	return operand_bytes(g) + mt__omp_gemm_alone_bytes(&w);
}

static void load(const struct mt__omp_gemm *g, const struct mt__omp_gemm *w) {
	widen((float *)w->a, g->dtype, g->a, g->a_rs, g->a_cs, g->m, g->k);
	widen((float *)w->b, g->dtype, g->b, g->b_rs, g->b_cs, g->k, g->n);
	if (g->bias)
		load_run((float *)w->bias, g->dtype, g->bias, g->bias_stride, g->n);
	if (g->beta != 0)
		for (int64_t i = 0; i < g->m; i++)
			load_run((float *)w->c + i * g->n, g->dtype, (uint16_t *)g->c + i * g->c_rs, g->c_cs, g->n);
}

static void store(const struct mt__omp_gemm *g, const struct mt__omp_gemm *w) {
	for (int64_t i = 0; i < g->m; i++)
		store_run(g->dtype, (uint16_t *)g->c + i * g->c_rs, g->c_cs, (const float *)w->c + i * g->n, g->n);
}

void mt__omp_gemm_low(const struct mt__omp_gemm *g, void *scratch) {
	struct mt__omp_gemm w = in_f32(g, scratch);
	load(g, &w);
	mt__omp_gemm_alone(&w, (char *)scratch + operand_bytes(g));
	store(g, &w);
}

bool mt__omp_gemm_low_is_tiny(const struct mt__omp_gemm *g) {
	return mt__omp_gemm_low_fit(g) && mt__omp_gemm_is_tiny(g) && operand_bytes(g) <= TINY_BYTES;
}

void mt__omp_gemm_low_tiny(const struct mt__omp_gemm *g) {
	float space[TINY_BYTES / sizeof(float)];
	struct mt__omp_gemm w = in_f32(g, space);
	load(g, &w);
	mt__omp_gemm_tiny(&w);
	store(g, &w);
}

/* ---- skinny ---- */

bool mt__omp_gemm_low_is_skinny(const struct mt__omp_gemm *g) {
	return (g->dtype == MT_F16 || g->dtype == MT_BF16) && mt__omp_min(g->m, g->n) <= SKINNY_ROWS;
}

struct skinny {
	const struct mt__omp_gemm *g;
	int64_t columns, blocks;
	uint64_t bytes; /* of scratch for a block */
	char *scratch;
};

/* Columns [begin, end) of a problem. */
static struct mt__omp_gemm columns_of(const struct mt__omp_gemm *g, int64_t begin, int64_t end) {
	int64_t size = mt__omp_dtype_size(g->dtype);
	struct mt__omp_gemm part = *g;
	part.n = end - begin;
	part.b = (const char *)g->b + begin * g->b_cs * size;
	part.c = (char *)g->c + begin * g->c_cs * size;
	if (g->bias && !g->bias_of_rows)
		part.bias = (const char *)g->bias + begin * g->bias_stride * size;
	return part;
}

static void run_block(const void *context, int64_t i, int thread) {
	const struct skinny *s = context;
	int64_t begin = i * s->columns;
	struct mt__omp_gemm part = columns_of(s->g, begin, mt__omp_min(s->g->n, begin + s->columns));
	mt__omp_gemm_low(&part, s->scratch + s->bytes * (uint64_t)thread);
}

int32_t mt__omp_gemm_low_skinny(mt_queue *queue, struct mt__omp_gemm *g, int threads) {
	if (g->m > g->n)
		mt__omp_gemm_transpose(g);
	struct skinny s = {.g = g};
	int64_t fit = SKINNY_BYTES / (int64_t)sizeof(float) / mt__omp_max(g->k, 1) / SKINNY_COLUMNS;
	s.columns = mt__omp_max(1, fit) * SKINNY_COLUMNS;
	s.blocks = mt__omp_ceil_div(g->n, s.columns);
	threads = (int)mt__omp_min(threads, s.blocks);
	struct mt__omp_gemm block = columns_of(g, 0, mt__omp_min(g->n, s.columns));
	s.bytes = mt__omp_gemm_low_bytes(&block);
	s.scratch = mt__omp_scratch(queue, s.bytes * (uint64_t)threads);
	if (!s.scratch)
		return mt__omp_no_scratch(s.bytes * (uint64_t)threads);
	mt__omp_each(threads, s.blocks, run_block, &s);
	return MT_OK;
}
