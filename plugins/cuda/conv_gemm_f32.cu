/* Convolution's product in f32. */
#include "conv_tile.cuh"

static int32_t run_large(mt_queue *queue, const conv_call &call) {
	if (call.plan->along_k)
		return run_tiles<conv_large<true>, float, int32_t>(queue, call);
	return run_tiles<conv_large<false>, float, int32_t>(queue, call);
}

int32_t conv_gemm_f32(mt_queue *queue, const conv_call &call) {
	switch (call.plan->tile) {
	case MT_CUDA_CONV_LARGE:
		return run_large(queue, call);
	case MT_CUDA_CONV_WIDE:
		return run_tiles<conv_wide, float, int32_t>(queue, call);
	case MT_CUDA_CONV_SMALL:
		return run_tiles<conv_small, float, int32_t>(queue, call);
	default:
		return run_medium<float>(queue, call);
	}
}
