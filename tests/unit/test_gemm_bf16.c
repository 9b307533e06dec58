/* The engines for products of bf16 (plugins/cpu_omp/gemm_bf16.h), called themselves at sizes that matmul would leave to
 * others too: AVX512_BF16 and AMX where this CPU has them, and AMX's source on an emulation of its instructions
 * everywhere.  Values against plain sums in double over shapes, edges, strides and epilogues; the same bits for 1, 2 and
 * 3 threads; nothing written beside c. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "amx_emulated.h"
#include "mt/lowp.h"
#include "mt_test.h"
#include "x86/levels.h"

extern const struct mt__omp_gemm_engine mt__omp_gemm_amx_emulated;

/* The plugin's frame, which its kernels call. */
int32_t mt__omp_fail(int32_t status, const char *format, ...) {
	(void)format;
	return status;
}

void *mt__omp_scratch(mt_queue *queue, uint64_t bytes) {
	(void)queue, (void)bytes;
	return NULL;
}

int32_t mt__omp_no_scratch(uint64_t bytes) {
	(void)bytes;
	return MT_E_MEMORY;
}

/* ---- cases ---- */

/* Layouts of a matrix: rows one after the other, columns one after the other, rows with gaps between all elements. */
enum layout { ROWS, COLUMNS, GAPS };

struct product {
	int64_t m, n, k;
	enum layout a, b, c;
	double alpha, beta;
	int bias; /* 1: of columns, 2: of rows */
	int32_t activation;
};

static const struct product products[] = {
	{1, 1, 1, ROWS, ROWS, ROWS, 1, 0, 0, 0},
	{16, 16, 32, ROWS, ROWS, ROWS, 1, 0, 0, 0},
	{32, 32, 32, ROWS, ROWS, ROWS, 1, 0, 0, 0},
	{32, 32, 512, ROWS, COLUMNS, ROWS, 1, 0, 0, 0},
	{33, 31, 33, ROWS, ROWS, ROWS, 1, 0, 0, 0},
	{17, 65, 3, COLUMNS, ROWS, ROWS, 1, 0, 0, 0},
	{15, 17, 31, COLUMNS, COLUMNS, ROWS, 1, 0, 0, 0},
	{48, 48, 64, GAPS, GAPS, GAPS, 1, 0, 0, 0},
	{47, 49, 63, GAPS, COLUMNS, COLUMNS, 1, 0, 1, 0},
	{29, 43, 70, ROWS, ROWS, ROWS, 2, 0.5, 1, MT_ACT_RELU},
	{31, 33, 40, COLUMNS, GAPS, GAPS, -0.25, 1, 1, MT_ACT_TANH},
	{31, 33, 40, ROWS, ROWS, COLUMNS, 1, -1, 1, MT_ACT_GELU},
	{20, 70, 35, ROWS, COLUMNS, ROWS, 1, 0, 2, MT_ACT_SIGMOID},
	{20, 70, 0, ROWS, ROWS, ROWS, 1, 2, 1, 0},
	{100, 90, 513, ROWS, ROWS, ROWS, 1, 0, 1, 0},
	{40, 300, 1030, COLUMNS, COLUMNS, ROWS, 1, 1, 0, 0},
	{300, 40, 600, ROWS, ROWS, ROWS, 1, 0, 0, MT_ACT_RELU},
	{35, 34, 2049, ROWS, ROWS, ROWS, 1, 1, 1, 0},
	{30, 40, 2048, ROWS, ROWS, ROWS, 1, 0, 0, 0},
	{27, 33, 2050, ROWS, COLUMNS, ROWS, 1, 0, 0, 0},
	{70, 65, 4200, ROWS, COLUMNS, GAPS, 0.5, 0, 0, MT_ACT_RELU},
	{2, 2100, 5, ROWS, ROWS, ROWS, 1, 0, 1, 0},
	{2100, 3, 40, ROWS, ROWS, ROWS, 1, 0, 0, 0},
};
enum { PRODUCTS = sizeof products / sizeof *products };

/* A matrix of bf16 with guards around it. */
struct matrix {
	uint16_t *memory, *data;
	int64_t rows, columns, rs, cs, size;
};

enum { GUARD = 64, GUARD_VALUE = 0x5a5a };

static struct matrix new_matrix(int64_t rows, int64_t columns, enum layout layout) {
	struct matrix x = {.rows = rows, .columns = columns, .rs = 1, .cs = 1};
	if (layout == COLUMNS)
		x.cs = rows;
	else if (layout == ROWS)
		x.rs = columns;
	else
		x.cs = 3, x.rs = 3 * columns + 5;
	x.size = rows > 0 && columns > 0 ? (rows - 1) * x.rs + (columns - 1) * x.cs + 1 : 0;
	x.memory = malloc((size_t)(x.size + 2 * GUARD) * sizeof *x.memory);
	CU_ASSERT_FATAL(x.memory != NULL);
	for (int64_t i = 0; i < x.size + 2 * GUARD; i++)
		x.memory[i] = GUARD_VALUE;
	x.data = x.memory + GUARD;
	return x;
}

static uint16_t *element(const struct matrix *x, int64_t i, int64_t j) {
	return x->data + i * x->rs + j * x->cs;
}

static double value(const struct matrix *x, int64_t i, int64_t j) {
	return (double)mt_bf16_to_f32(*element(x, i, j));
}

static void fill(const struct matrix *x, uint32_t seed) {
	for (int64_t i = 0; i < x->rows; i++)
		for (int64_t j = 0; j < x->columns; j++) {
			seed = seed * 1664525u + 1013904223u;
			*element(x, i, j) = mt_f32_to_bf16((float)(int32_t)seed * 0x1p-31f);
		}
}

/* 1 where everything but the elements is as new_matrix left it. */
static int is_intact(const struct matrix *x) {
	int64_t kept = 0;
	for (int64_t i = 0; i < x->size + 2 * GUARD; i++)
		kept += x->memory[i] == GUARD_VALUE;
	for (int64_t i = 0; i < x->rows; i++)
		for (int64_t j = 0; j < x->columns; j++)
			kept -= *element(x, i, j) == GUARD_VALUE;
	return kept == x->size + 2 * GUARD - x->rows * x->columns;
}

struct operands {
	struct matrix a, b, bias, old, c;
};

static struct operands new_operands(const struct product *p) {
	struct operands o = {new_matrix(p->m, p->k, p->a), new_matrix(p->k, p->n, p->b),
	                     new_matrix(1, p->bias == 2 ? p->m : p->n, GAPS), new_matrix(p->m, p->n, p->c),
	                     new_matrix(p->m, p->n, p->c)};
	fill(&o.a, 1);
	fill(&o.b, 2);
	fill(&o.bias, 3);
	fill(&o.old, 4);
	return o;
}

static void free_operands(struct operands *o) {
	free(o->a.memory);
	free(o->b.memory);
	free(o->bias.memory);
	free(o->old.memory);
	free(o->c.memory);
}

static int run(const struct mt__omp_gemm_engine *engine, const struct product *p, const struct operands *o,
               int threads) {
	struct mt__omp_gemm g = {.m = p->m, .n = p->n, .k = p->k, .a = o->a.data, .b = o->b.data, .c = o->c.data};
	struct mt__omp_gemm_plan plan;
	memcpy(o->c.memory, o->old.memory, (size_t)(o->c.size + 2 * GUARD) * sizeof *o->c.memory);
	g.a_rs = o->a.rs, g.a_cs = o->a.cs;
	g.b_rs = o->b.rs, g.b_cs = o->b.cs;
	g.c_rs = o->c.rs, g.c_cs = o->c.cs;
	g.alpha = p->alpha, g.beta = p->beta;
	g.dtype = MT_BF16;
	g.activation = p->activation;
	if (p->bias) {
		g.bias = o->bias.data;
		g.bias_stride = o->bias.cs;
		g.bias_of_rows = p->bias == 2;
	}
	engine->prepare(&g, threads, &plan);
	void *scratch = aligned_alloc(64, plan.scratch_bytes);
	CU_ASSERT_FATAL(scratch != NULL);
	memset(scratch, 0xff, plan.scratch_bytes);
	int left = 0;
#pragma omp parallel num_threads(threads) reduction(+ : left)
	{
		engine->run(&g, &plan, scratch, omp_get_thread_num(), omp_get_num_threads());
		left = amx_is_configured();
	}
	free(scratch);
	MT_CHECK(left == 0);
	return is_intact(&o->c);
}

/* ---- values ---- */

static double activated(int32_t activation, double x) {
	switch (activation) {
	case MT_ACT_RELU:
		return x <= 0 ? 0 : x;
	case MT_ACT_SIGMOID:
		return 1 / (1 + exp(-x));
	case MT_ACT_TANH:
		return tanh(x);
	case MT_ACT_GELU:
		return x * 0.5 * erfc(-x / sqrt(2));
	default:
		return x;
	}
}

/* Half an ULP of bf16, and roundings of a sum in f32. */
static int is_close(double got, double expected, double magnitudes, int64_t k) {
	return fabs(got - expected) <= fabs(expected) * 0x1.01p-8 + magnitudes * 0x1p-24 * (4 + sqrt((double)k)) + 0x1p-133;
}

static int64_t wrong_elements(const struct product *p, const struct operands *o) {
	int64_t wrong = 0;
	for (int64_t i = 0; i < p->m; i++)
		for (int64_t j = 0; j < p->n; j++) {
			double sum = 0, magnitudes = 0, add = p->beta != 0 ? p->beta * value(&o->old, i, j) : 0;
			for (int64_t q = 0; q < p->k; q++) {
				double term = value(&o->a, i, q) * value(&o->b, q, j);
				sum += term;
				magnitudes += fabs(term);
			}
			add += p->bias ? value(&o->bias, 0, p->bias == 2 ? i : j) : 0;
			double expected = activated(p->activation, p->alpha * sum + add);
			wrong += !is_close(value(&o->c, i, j), expected, fabs(p->alpha) * magnitudes + fabs(add) + 1, p->k);
		}
	return wrong;
}

static void check_products(const struct mt__omp_gemm_engine *engine) {
	for (int i = 0; i < PRODUCTS; i++) {
		const struct product *p = products + i;
		struct operands o = new_operands(p);
		mt_test_row("%d: %lld x %lld x %lld", i, (long long)p->m, (long long)p->n, (long long)p->k);
		MT_CHECK(run(engine, p, &o, 1));
		MT_CHECK_INT(wrong_elements(p, &o), 0);
		size_t bytes = (size_t)(o.c.size + 2 * GUARD) * sizeof(uint16_t);
		uint16_t *first = malloc(bytes);
		CU_ASSERT_FATAL(first != NULL);
		memcpy(first, o.c.memory, bytes);
		for (int threads = 2; threads <= 3; threads++) {
			MT_CHECK(run(engine, p, &o, threads));
			MT_CHECK(memcmp(first, o.c.memory, bytes) == 0);
		}
		free(first);
		free_operands(&o);
	}
}

/* NaN and infinities are f32's; a subnormal operand is zero, a subnormal result is not. */
static void check_specials(const struct mt__omp_gemm_engine *engine) {
	const struct product p = {34, 35, 36, ROWS, ROWS, ROWS, 1, 1, 0, 0};
	struct operands o = new_operands(&p);
	for (int64_t j = 0; j < p.n; j++)
		*element(&o.b, 35, j) = 0x0001; /* subnormal */
	*element(&o.a, 0, 0) = 0x7fc0;
	*element(&o.a, 1, 1) = 0x7f80;
	*element(&o.a, 2, 35) = 0x7f80; /* infinity · (subnormal as zero) */
	for (int64_t q = 0; q < p.k; q++)
		*element(&o.a, 3, q) = q == 35 ? 0x7e80 : 0x8000; /* 2^126 · subnormal, and -0 */
	for (int64_t j = 0; j < p.n; j++)
		*element(&o.old, 3, j) = 0x0041;
	MT_CHECK(run(engine, &p, &o, 1));
	for (int64_t j = 0; j < p.n; j++) {
		MT_CHECK(isnan(value(&o.c, 0, j)));
		MT_CHECK(isinf(value(&o.c, 1, j)) && (value(&o.c, 1, j) > 0) == (value(&o.b, 1, j) > 0));
		MT_CHECK(isnan(value(&o.c, 2, j)));
		MT_CHECK_INT(*element(&o.c, 3, j), 0x0041);
	}
	free_operands(&o);
}

static void check(const struct mt__omp_gemm_engine *engine) {
	check_products(engine);
	check_specials(engine);
}

static void amx_emulated(void) {
	check(&mt__omp_gemm_amx_emulated);
}

#if defined(MT_HAVE_AVX512_BF16)
static void avx512_bf16(void) {
	if (mt__omp_best_isa() < MT__OMP_AVX512_BF16)
		MT_SKIP("this CPU lacks AVX512_BF16");
	check(&mt__omp_gemm_avx512_bf16);
}
#endif

#if defined(MT_HAVE_AMX)
static void amx(void) {
	if (mt__omp_best_isa() < MT__OMP_AMX || !mt__omp_amx_permitted())
		MT_SKIP("this CPU lacks AMX, or the system keeps it back");
	check(&mt__omp_gemm_amx);
}
#endif

static const mt_test_case cases[] = {{"amx_emulated", amx_emulated},
#if defined(MT_HAVE_AVX512_BF16)
                                     {"avx512_bf16", avx512_bf16},
#endif
#if defined(MT_HAVE_AMX)
                                     {"amx", amx},
#endif
                                     {0}};
static const mt_test_suite suites[] = {{"gemm_bf16", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
