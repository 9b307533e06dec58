/* Level amx: large products of bf16 by tiles, all else as at avx512_bf16. */
#include "x86/levels.h"

/* Below this many multiplications, and for parts of tiles alone, packing and whole tiles cost more than they save. */
#define LEAST_WORK (96.0 * 96 * 96)
#define LEAST_EXTENT 16

static const struct mt__omp_gemm_engine *choose(const struct mt__omp_gemm *g) {
	bool pays = g->m >= LEAST_EXTENT && g->n >= LEAST_EXTENT && g->k >= LEAST_EXTENT &&
	            (double)g->m * (double)g->n * (double)g->k >= LEAST_WORK;
	if (g->dtype == MT_BF16 && pays && mt__omp_amx_permitted())
		return &mt__omp_gemm_amx;
	return mt__omp_choose_avx512_bf16(g);
}

static int32_t matmul(mt_queue *queue, const struct mt_matmul_args *args) {
	return mt__omp_matmul_by(queue, args, choose);
}

void mt__omp_override_amx(struct mt_kernel_table *table) {
	table->matmul = matmul;
}
