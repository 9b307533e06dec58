/* Convolution's product in bf16. */
#include "conv_tensor.cuh"

int32_t conv_gemm_bf16(mt_queue *queue, const conv_call &call) {
	switch (call.plan->tile) {
	case MT_CUDA_CONV_TENSOR:
		return run_tensor<__nv_bfloat16>(queue, call);
	case MT_CUDA_CONV_WIDE:
		return run_tiles<conv_wide, __nv_bfloat16, int32_t>(queue, call);
	case MT_CUDA_CONV_SMALL:
		return run_tiles<conv_small, __nv_bfloat16, int32_t>(queue, call);
	default:
		return run_medium<__nv_bfloat16>(queue, call);
	}
}
