/* matmul: cuBLASLt where it is there and can do it (gemm_lt.c), else the kernels here. */
#include "gemm.cuh"
#include "gemm_epilogue.h"
#include "gemm_lt.h"
#include "tensor_cores.cuh"

static int32_t start(mt_queue *queue, const mt_cuda_product &p, const mt_cuda_gemm_plan &plan, void *scratch) {
	switch (plan.kernel) {
	case MT_CUDA_GEMM_VECTORS:
		return mt__cuda_gemm_vectors(queue, &p, &plan, scratch);
	case MT_CUDA_GEMM_TENSOR:
		return mt__cuda_gemm_tensor(queue, &p, &plan, scratch);
	default:
		return mt__cuda_gemm_tiles(queue, &p, &plan, scratch);
	}
}

static int32_t multiply(mt_queue *queue, const mt_cuda_product &p) {
	mt_cuda_gemm_plan plan;
	mt__cuda_gemm_plan(&plan, &p, has_tensor_cores(p.dtype, queue->device->capability));
	void *scratch = plan.scratch > 0 ? mt__cuda_scratch(queue, plan.scratch, "matmul") : nullptr;
	if (plan.scratch > 0 && !scratch)
		return MT_E_MEMORY;
	int32_t status = start(queue, p, plan, scratch);
	if (status != MT_OK || plan.splits == 1)
		return status;
	const mt_cuda_gemm_sums sums = {scratch, plan.splits, p.batch.count * p.m * p.n, p.n, 1, p.m * p.n};
	return mt__cuda_gemm_combine(queue, &p, &sums);
}

int32_t mt__cuda_matmul(mt_queue *queue, const struct mt_matmul_args *args) {
	mt_cuda_product p;
	mt__cuda_product(&p, args);
	if (mt__cuda_gemm_wants_library(&p, queue->device->options.gemm)) {
		int done = 0;
		int32_t status = mt__cuda_gemm_library(queue, &p, &done);
		if (status != MT_OK || done)
			return status;
	}
	return multiply(queue, p);
}
