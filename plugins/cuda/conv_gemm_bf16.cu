/* Convolution's product in bf16. */
#include "conv_tensor.cuh"

/* The architectures that this file is compiled for; those of the emulator are its own. */
#ifdef __CUDA_ARCH_LIST__
static constexpr int architectures[] = {__CUDA_ARCH_LIST__};
#else
static constexpr int architectures[] = {900};
#endif

/* A device runs the newest code that is not newer than itself: that for sm_75 on an sm_80 where there is no other, and it
 * has no matrix instructions for bf16. */
bool conv_has_tensor(int32_t dtype, int capability) {
	bool code = false;
	for (int architecture : architectures)
		code = code || (architecture >= 800 && architecture / 10 <= capability);
	return dtype == MT_F16 || (dtype == MT_BF16 && code);
}

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
