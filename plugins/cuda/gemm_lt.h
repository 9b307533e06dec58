/* Products by cuBLASLt. */
#ifndef MT_CUDA_GEMM_LT_H
#define MT_CUDA_GEMM_LT_H

#include "gemm_plan.h"
#include "mt_cuda.h"

#ifdef __cplusplus
extern "C" {
#endif

/* done = 1: the product is on its way.  done = 0 with MT_OK: the library is not there, or has nothing for this product,
 * and nothing was touched; where the device was opened with gemm=cublas, that it is not there is an error. */
int32_t mt__cuda_gemm_library(mt_queue *queue, const struct mt_cuda_product *p, int *done);

#ifdef __cplusplus
}
#endif

#endif
