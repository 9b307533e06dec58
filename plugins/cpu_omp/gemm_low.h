/* Products of f16 and bf16 with few rows or columns, by way of f32. */
#ifndef MT_OMP_GEMM_LOW_H
#define MT_OMP_GEMM_LOW_H

#include "gemm.h"

#define mt__omp_gemm_low_is_skinny MT_ISA_NAME(mt__omp_gemm_low_is_skinny)
#define mt__omp_gemm_low_skinny MT_ISA_NAME(mt__omp_gemm_low_skinny)

/* f16 or bf16, and so few rows or columns that packing the other operand would be most of the work. */
bool mt__omp_gemm_low_is_skinny(const struct mt__omp_gemm *g);

/* One such product on up to `threads` threads; the whole kernel call: it takes the scratch. */
int32_t mt__omp_gemm_low_skinny(mt_queue *queue, struct mt__omp_gemm *g, int threads);

#endif
