/* Other ways to compute a matrix product than gemm.c's: what a level above avx512 puts in its place. */
#ifndef MT_OMP_GEMM_ENGINE_H
#define MT_OMP_GEMM_ENGINE_H

#include "gemm.h"

/* prepare and run as mt__omp_gemm_prepare and mt__omp_gemm_run; the plan is for at most `threads` threads. */
struct mt__omp_gemm_engine {
	void (*prepare)(struct mt__omp_gemm *g, int threads, struct mt__omp_gemm_plan *plan);
	void (*run)(const struct mt__omp_gemm *g, const struct mt__omp_gemm_plan *plan, void *scratch, int thread,
	            int threads);
};

/* The engine for a problem, judged by shape and dtype; NULL: gemm.c. */
typedef const struct mt__omp_gemm_engine *mt__omp_choose_engine(const struct mt__omp_gemm *g);

#define mt__omp_matmul_by MT_ISA_NAME(mt__omp_matmul_by)

/* The matmul kernel with other engines; choose may be NULL. */
int32_t mt__omp_matmul_by(mt_queue *queue, const struct mt_matmul_args *args, mt__omp_choose_engine *choose);

#endif
