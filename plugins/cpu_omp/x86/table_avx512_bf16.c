/* Level avx512_bf16: products of bf16 by VDPBF16PS, all else as at avx512. */
#include "x86/levels.h"

/* Below this many multiplications the product in f32 is quicker, and so it is for a few rows or columns. */
#define LEAST_WORK 4096.0
#define LEAST_EXTENT 2

const struct mt__omp_gemm_engine *mt__omp_choose_avx512_bf16(const struct mt__omp_gemm *g) {
	bool pays =
		g->m >= LEAST_EXTENT && g->n >= LEAST_EXTENT && (double)g->m * (double)g->n * (double)g->k >= LEAST_WORK;
	return g->dtype == MT_BF16 && pays ? &mt__omp_gemm_avx512_bf16 : NULL;
}

static int32_t matmul(mt_queue *queue, const struct mt_matmul_args *args) {
	return mt__omp_matmul_by(queue, args, mt__omp_choose_avx512_bf16);
}

void mt__omp_override_avx512_bf16(struct mt_kernel_table *table) {
	table->matmul = matmul;
}
