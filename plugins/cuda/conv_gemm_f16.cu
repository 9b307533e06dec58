/* Convolution's product in f16. */
#include "conv_tile.cuh"

int32_t conv_gemm_f16(mt_queue *queue, const conv_call &call) {
	return run_low<__half>(queue, call);
}
