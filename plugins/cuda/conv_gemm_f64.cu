/* Convolution's product in f64. */
#include "conv_tile.cuh"

int32_t conv_gemm_f64(mt_queue *queue, const conv_call &call) {
	return run_medium<double>(queue, call);
}
