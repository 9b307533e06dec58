/* Small products of f16 and bf16: the operands as f32 in scratch, the product of f32, one rounding at the end. */
#include "gemm.h"

#include "convert.h"

/* Operands that need no scratch. */
#define TINY_BYTES 8192

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
