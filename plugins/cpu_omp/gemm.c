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

/* Elements of a sum for which one vector of b's columns, or two, can be held in registers (gemm_held.inc). */
#if defined(MT_ISA_AVX512)
#define HELD_DEPTH 23
#define PAIRED_DEPTH 11
#else
#define HELD_DEPTH 0
#endif

/* Whether the last, partial vector of a row of b can be read where it lies; else such panels are packed always. */
#if defined(MT_ISA_AVX512)
#define MASKED_COLUMNS 1
#else
#define MASKED_COLUMNS 0
#endif

/* Most columns of a block, and most rows where results are gathered before they are stored. */
#define MAX_N_BLOCK 1024
#define MAX_BUFFER_ROWS 512

/* Most rows of a whose panels are kept from one block of columns to the next. */
#define MAX_KEPT_ROWS 2048

/* Panels that are packed at a time: long pieces of the source. */
#define GROUP_PANELS 3

/* What packing a vector costs, in multiply-adds of vectors. */
#define PACK_COST 4

/* The same where rows become columns. */
#define TURN_COST 6

/* What a line costs that two threads write, in the same unit. */
#define SHARED_LINE_COST 200

/* Operands up to this size are read in place: packing would cost more than it saves. */
#define IN_PLACE_BYTES (256 * 1024)

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

static bool is_held(const struct mt__omp_gemm *g, bool pack_a) {
	return !pack_a && g->k > 0 && g->k <= 2 * HELD_DEPTH;
}

#include "gemm_small.h"

void mt__omp_gemm_transpose(struct mt__omp_gemm *g) {
	struct mt__omp_gemm t = *g;
	g->m = t.n, g->n = t.m;
	g->a = t.b, g->a_rs = t.b_cs, g->a_cs = t.b_rs;
	g->b = t.a, g->b_rs = t.a_cs, g->b_cs = t.a_rs;
	g->c_rs = t.c_cs, g->c_cs = t.c_rs;
	g->bias_of_rows = !t.bias_of_rows;
}

/* The depth of a step depends on k alone: it decides how sums are rounded. */
static void choose_blocks(const struct mt__omp_gemm *g, struct mt__omp_gemm_plan *plan) {
	int64_t size = g->dtype == MT_F64 ? 8 : 4;
	plan->kb = mt__omp_block_extent(g->k, MT__OMP_GEMM_MAX_DEPTH, 8);
	/* The block of b fills half the second-level cache. */
	int64_t columns = mt__omp_l2_bytes() / 2 / (plan->kb * size);
	plan->nb = plan->pack_b ? mt__omp_block_extent(g->n, mt__omp_min(columns, MAX_N_BLOCK), 1) : g->n;
	plan->keep_a = plan->pack_a && !g->make_a && !plan->through_buffer && g->n > plan->nb;
	plan->mb = plan->through_buffer ? mt__omp_min(g->m, MAX_BUFFER_ROWS)
	           : plan->keep_a       ? mt__omp_block_extent(g->m, MAX_KEPT_ROWS, TILE_ROWS)
	                                : g->m;
}

void mt__omp_gemm_prepare(struct mt__omp_gemm *g, int threads, struct mt__omp_gemm_plan *plan) {
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
	int64_t size = g->dtype == MT_F64 ? 8 : 4;
	bool a_is_near = g->m * g->k * size <= IN_PLACE_BYTES, b_is_near = g->k * g->n * size <= IN_PLACE_BYTES;
	/* Rows of a tile this far apart would share a few sets of the first-level cache. */
	bool a_rows_collide = g->a_rs * size % 4096 == 0 && g->a_rs != 0;
	*plan = (struct mt__omp_gemm_plan){.transposed = transposed, .through_buffer = low || g->c_cs != 1};
	plan->prefetch = mt__omp_gemm_is_far(g->m * g->n * size);
	plan->foresee_a = !a_is_near && !low && !g->make_a;
	plan->pack_a = low || g->make_a || (!a_is_near && g->n > 2 * VL_F32 && (g->a_cs != 1 || a_rows_collide));
	plan->pack_b = low || g->make_b || g->b_cs != 1 || !(b_is_near || g->m <= 2 * TILE_ROWS);
	plan->hold_b = is_held(g, plan->pack_a);
	choose_blocks(g, plan);
	if (g->dtype == MT_F64)
		sizes_f64(g, plan);
	else
		sizes_f32(g, plan);
	plan->scratch_bytes = plan->thread_bytes * (uint64_t)threads;
}

void mt__omp_gemm_run(const struct mt__omp_gemm *g, const struct mt__omp_gemm_plan *plan, void *scratch, int thread,
                      int threads) {
	if (g->dtype == MT_F64)
		run_f64(g, plan, scratch, thread, threads);
	else
		run_f32(g, plan, scratch, thread, threads);
}

enum mt__omp_gemm_way mt__omp_gemm_choose(const struct mt__omp_gemm *g) {
	if (g->dtype != MT_F32 || g->a_cs != 1 || g->b_rs != 1 || g->make_a || g->make_b)
		return MT__OMP_GEMM_TILES;
	enum mt__omp_gemm_way way = MT__OMP_GEMM_TILES;
	double least = (double)mt__omp_ceil_div(g->n, VL_F32) * (double)g->k * ((double)g->m + TURN_COST);
	if (mt__omp_gemm_dots_cost(g) < least)
		way = MT__OMP_GEMM_DOTS, least = mt__omp_gemm_dots_cost(g);
#if defined(MT_ISA_AVX512)
	if (mt__omp_gemm_turn_cost(g) < least)
		way = MT__OMP_GEMM_TURN;
#endif
	return way;
}

uint64_t mt__omp_gemm_alone_bytes(const struct mt__omp_gemm *g) {
	struct mt__omp_gemm copy = *g;
	struct mt__omp_gemm_plan plan;
	mt__omp_gemm_prepare(&copy, 1, &plan);
	return plan.scratch_bytes;
}

void mt__omp_gemm_alone(const struct mt__omp_gemm *g, void *scratch) {
	struct mt__omp_gemm copy = *g;
	struct mt__omp_gemm_plan plan;
	if (mt__omp_gemm_is_tiny(g)) {
		mt__omp_gemm_tiny(g);
		return;
	}
	if (g->m == 1 || g->n == 1) {
		if (g->m != 1)
			mt__omp_gemm_transpose(&copy);
		mt__omp_gemv(&copy, 0, copy.n);
		return;
	}
	switch (mt__omp_gemm_choose(g)) {
	case MT__OMP_GEMM_DOTS:
		mt__omp_gemm_dots(g, 0, mt__omp_gemm_dots_pieces(g));
		break;
#if defined(MT_ISA_AVX512)
	case MT__OMP_GEMM_TURN:
		mt__omp_gemm_turn(g, 0, mt__omp_gemm_turn_pieces(g));
		break;
#endif
	default:
		mt__omp_gemm_prepare(&copy, 1, &plan);
		mt__omp_gemm_run(&copy, &plan, scratch, 0, 1);
	}
}
