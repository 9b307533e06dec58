/* Convolution's product in f16: every architecture has matrix instructions for it, so that MEDIUM is for wide indices. */
#include "conv_tensor.cuh"

int32_t conv_gemm_f16(mt_queue *queue, const conv_call &call) {
	switch (call.plan->tile) {
	case MT_CUDA_CONV_TENSOR:
		return run_tensor<__half>(queue, call);
	case MT_CUDA_CONV_WIDE:
		return run_tiles<conv_wide, __half, int32_t>(queue, call);
	case MT_CUDA_CONV_SMALL:
		return run_tiles<conv_small, __half, int32_t>(queue, call);
	default:
		return run_tiles<conv_medium<false, __half>, __half, int64_t>(queue, call);
	}
}
