/* The levels above avx512: each is the level below with its own kernels put over it.  Their sources exist once and are
 * compiled with MT_ISA=avx512, whose kernels they call, and with the flags of their level besides. */
#ifndef MT_OMP_LEVELS_H
#define MT_OMP_LEVELS_H

#include "gemm_bf16.h"

extern const struct mt__omp_gemm_engine mt__omp_gemm_avx512_bf16, mt__omp_gemm_amx;

/* The engine of level avx512_bf16 for a problem; amx asks it where its own tiles don't pay. */
mt__omp_choose_engine mt__omp_choose_avx512_bf16;

#endif
