/* Plans matrix products and runs them in the type that is computed in: f32 for f32, f16 and bf16, else f64. */
#include "gemm.h"

#include "activate.h"
#include "gemm_pack.h"

/* Rows of a register tile: as many as leave two registers for b and one for a. */
#if defined(MT_ISA_AVX512)
#define TILE_ROWS 14
#elif defined(MT_ISA_AVX2)
#define TILE_ROWS 6
#else
#define TILE_ROWS 4
#endif

/* Largest blocks, beside MT__OMP_GEMM_MAX_DEPTH, at which a panel of b (two vectors wide) about fills the first-level
 * cache. */
#define MAX_M_BLOCK 2048
#define MAX_N_BLOCK 2048
#define MAX_BUFFER_BLOCK 512

/* Up to this much work, and for so few tiles, packing costs more than it saves. */
#define IN_PLACE_WORK (256.0 * 256 * 256)

MT_INLINE void load_run_f32(float *dst, int32_t dtype, const void *src, int64_t stride, int64_t n) {
	load_run(dst, dtype, src, stride, n);
}

MT_INLINE void store_run_f32(int32_t dtype, void *dst, int64_t stride, const float *src, int64_t n) {
	store_run(dtype, dst, stride, src, n);
}

MT_INLINE void load_run_f64(double *dst, int32_t dtype, const void *src, int64_t stride, int64_t n) {
	(void)dtype;
	for (int64_t i = 0; i < n; i++)
		dst[i] = ((const double *)src)[i * stride];
}

MT_INLINE void store_run_f64(int32_t dtype, void *dst, int64_t stride, const double *src, int64_t n) {
	(void)dtype;
	for (int64_t i = 0; i < n; i++)
		((double *)dst)[i * stride] = src[i];
}

enum { dtype_f32 = MT_F32, dtype_f64 = MT_F64 };

#define T float
#define VEC vec_f32
#define VEC_MEM vec_f32_mem
#define VL VL_F32
#define N(f) f##_f32
#define VN(f) vec_f32_##f
#include "gemm_block.inc"
#undef T
#undef VEC
#undef VEC_MEM
#undef VL
#undef N
#undef VN

#define T double
#define VEC vec_f64
#define VEC_MEM vec_f64_mem
#define VL VL_F64
#define N(f) f##_f64
#define VN(f) vec_f64_##f
#include "gemm_block.inc"

void mt__omp_gemm_transpose(struct mt__omp_gemm *g) {
	struct mt__omp_gemm t = *g;
	g->m = t.n, g->n = t.m;
	g->a = t.b, g->a_rs = t.b_cs, g->a_cs = t.b_rs;
	g->b = t.a, g->b_rs = t.a_cs, g->b_cs = t.a_rs;
	g->c_rs = t.c_cs, g->c_cs = t.c_rs;
	g->bias_of_rows = !t.bias_of_rows;
}

/* Equal blocks of at most `most`. */
static int64_t block_extent(int64_t n, int64_t most, int64_t multiple) {
	int64_t blocks = mt__omp_max(1, mt__omp_ceil_div(n, most));
	return mt__omp_max(1, mt__omp_ceil_div(mt__omp_ceil_div(n, blocks), multiple) * multiple);
}

void mt__omp_gemm_prepare(struct mt__omp_gemm *g, struct mt__omp_gemm_plan *plan) {
	/* The stride of an extent of one is free: let it be the best. */
	if (g->n == 1)
		g->c_cs = g->b_cs = 1;
	if (g->m == 1)
		g->c_rs = g->a_rs = 1;
	if (g->k == 1)
		g->a_cs = g->b_rs = 1;
	bool made = g->make_a || g->make_b;
	bool transposed = g->c_cs != 1 && g->c_rs == 1 && !made;
	if (transposed)
		mt__omp_gemm_transpose(g);

	bool low = g->dtype == MT_F16 || g->dtype == MT_BF16;
	bool small = (double)g->m * (double)g->n * (double)g->k <= IN_PLACE_WORK;
	*plan = (struct mt__omp_gemm_plan){.transposed = transposed, .through_buffer = low || g->c_cs != 1};
	plan->pack_a = low || g->make_a || !(small || g->n <= 2 * VL_F32);
	plan->pack_b = low || g->make_b || g->b_cs != 1 || !(small || g->m <= TILE_ROWS);
	plan->kb = block_extent(g->k, MT__OMP_GEMM_MAX_DEPTH, 8);
	plan->mb = block_extent(g->m, plan->through_buffer ? MAX_BUFFER_BLOCK : MAX_M_BLOCK, 1);
	plan->nb = block_extent(g->n, plan->through_buffer ? MAX_BUFFER_BLOCK : MAX_N_BLOCK, 4 * VL_F32);
	if (g->dtype == MT_F64)
		sizes_f64(g, plan);
	else
		sizes_f32(g, plan);
}

void mt__omp_gemm_run(const struct mt__omp_gemm *g, const struct mt__omp_gemm_plan *plan, void *scratch, int thread,
                      int threads) {
	if (g->dtype == MT_F64)
		run_f64(g, plan, scratch, thread, threads);
	else
		run_f32(g, plan, scratch, thread, threads);
}

uint64_t mt__omp_gemm_alone_bytes(const struct mt__omp_gemm *g) {
	struct mt__omp_gemm copy = *g;
	struct mt__omp_gemm_plan plan;
	mt__omp_gemm_prepare(&copy, &plan);
	return plan.scratch_bytes;
}

void mt__omp_gemm_alone(const struct mt__omp_gemm *g, void *scratch) {
	struct mt__omp_gemm copy = *g;
	struct mt__omp_gemm_plan plan;
	if (mt__omp_gemm_is_tiny(g)) {
		mt__omp_gemm_tiny(g);
	} else if (g->m == 1 || g->n == 1) {
		if (g->m != 1)
			mt__omp_gemm_transpose(&copy);
		mt__omp_gemv(&copy, 0, copy.n);
	} else {
		mt__omp_gemm_prepare(&copy, &plan);
		mt__omp_gemm_run(&copy, &plan, scratch, 0, 1);
	}
}
