/* Products of f32 that fit the first-level cache, on one thread: no plan, no scratch from the host.  Sums are in gemm.c's
 * order, so that it doesn't show where a product was computed.  Included by gemm.c. */
#ifndef MT_OMP_GEMM_SMALL_H
#define MT_OMP_GEMM_SMALL_H

#define SMALL_EXTENT 96

bool mt__omp_gemm_is_small(const struct mt__omp_gemm *g) {
	return g->dtype == MT_F32 && g->c_cs == 1 && !g->bias && g->activation <= MT_ACT_RELU && g->m <= SMALL_EXTENT &&
	       g->n <= SMALL_EXTENT && g->k <= SMALL_EXTENT;
}

/* VL_F32 × VL_F32 elements of c = aᵀ bᵀ, both as they lie: their transpose is summed, lanes along a's rows, and turned
 * in registers.  t as for a tile of the transposed product, with c as it is. */
MT_INLINE void turned_tile(const struct tile_args_f32 *t) {
	vec_f32 acc[VL_F32][2], x[VL_F32];
	sum_tile_f32(VL_F32, 1, acc, t);
	MT_UNROLL
	for (int i = 0; i < VL_F32; i++)
		x[i] = acc[i][0];
	transpose_vectors(x);
	MT_UNROLL
	for (int i = 0; i < VL_F32; i++)
		acc[i][0] = x[i];
	finish_tile_f32(VL_F32, 1, acc, t);
}

/* Whether c consists of such tiles.  With vectors of four they would be too small to hide a multiply-add's latency. */
static bool suits_turned_tiles(const struct mt__omp_gemm *g) {
	return VL_F32 > 4 && g->a_rs == 1 && g->b_cs != 1 && g->b_rs == 1 && g->m % VL_F32 == 0 && g->n % VL_F32 == 0;
}

static void run_turned_tiles(const struct mt__omp_gemm *g, struct tile_args_f32 *t) {
	t->a_rs = g->b_cs, t->a_cs = g->b_rs, t->b_rs = g->a_cs;
	t->columns_of_last = t->columns_of_b = VL_F32;
	for (int64_t i = 0; i < g->m; i += VL_F32)
		for (int64_t j = 0; j < g->n; j += VL_F32) {
			t->a = (const float *)g->b + j * g->b_cs;
			t->b = (const float *)g->a + i;
			t->c = (float *)g->c + i * g->c_rs + j;
			turned_tile(t);
		}
}

void mt__omp_gemm_small(const struct mt__omp_gemm *g) {
	float panels[SMALL_EXTENT * SMALL_EXTENT] __attribute__((aligned(64)));
	const struct mt__omp_gemm_plan plan = {
		.nb = g->n, .mb = g->m, .kb = g->k, .pack_b = g->b_cs != 1, .hold_b = is_held(g, false)};
	struct block_f32 b = {.g = g, .plan = &plan, .b_panels = panels, .m = g->m, .n = g->n, .k = g->k, .last_step = 1};
	if (suits_turned_tiles(g)) {
		struct tile_args_f32 t = tile_template_f32(&b);
		run_turned_tiles(g, &t);
		return;
	}
	divide_rows_f32(&b);
	run_block_f32(&b);
}

#endif
