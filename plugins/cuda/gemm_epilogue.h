/* What is left to do for out once sums of products are there. */
#ifndef MT_CUDA_GEMM_EPILOGUE_H
#define MT_CUDA_GEMM_EPILOGUE_H

#include "gemm_plan.h"
#include "mt_cuda.h"

#ifdef __cplusplus
extern "C" {
#endif

/* out = act(alpha · Σ sums + beta · out + bias), alpha, beta, bias and activation as in the product.
 * sums: pieces × [batch, m, n] in the dtype that is summed in, or [batch, columns, rows] … as strides say. */
struct mt_cuda_gemm_sums {
	const void *at;
	int pieces;
	int64_t piece;       /* elements from one piece to the next */
	int64_t row, column; /* strides of a piece's matrices */
	int64_t batch;       /* from one matrix to the next, batches in the product's order */
};

int32_t mt__cuda_gemm_combine(mt_queue *queue, const struct mt_cuda_product *p, const struct mt_cuda_gemm_sums *sums);

/* out = act(out + bias), in place: what a library's product still lacks.  bias: whether it is to be added. */
int32_t mt__cuda_gemm_activate(mt_queue *queue, const struct mt_cuda_product *p, int bias);

#ifdef __cplusplus
}
#endif

#endif
