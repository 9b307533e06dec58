/* Convolutions by cuDNN, where it is there, can express them, and is worth its call. */
#ifndef MT_CUDA_CONV_DNN_H
#define MT_CUDA_CONV_DNN_H

#include "conv_plan.h"
#include "mt_cuda.h"

#ifdef __cplusplus
extern "C" {
#endif

/* x, weight, out: as in the geometry; those of the pass's result are written. */
struct mt_cuda_dnn_call {
	enum mt_cuda_conv_pass pass;
	const struct mt_cuda_conv_geometry *geometry;
	int rank; /* of x and out: 3 to 5 */
	int32_t dtype;
	void *x, *weight, *out;
	const mt_array *bias; /* forward alone; or NULL */
	int bias_with_it;     /* take the convolution only if the bias can be added before rounding */
	/* A kernel call asks for scratch memory once: bytes that the kernels here want, before or after cuDNN; and the memory,
	 * at least as much, where it was asked for. */
	uint64_t scratch_bytes;
	void *scratch;
};

enum mt_cuda_dnn_done {
	MT_CUDA_DNN_NOTHING, /* the kernels here have to do it */
	MT_CUDA_DNN_PRODUCT, /* all but the bias */
	MT_CUDA_DNN_WITH_BIAS
};

/* MT_OK and what was done; or an error: cuDNN asked for by name and not there or at fault, no memory. */
int32_t mt__cuda_dnn(mt_queue *queue, struct mt_cuda_dnn_call *call, enum mt_cuda_dnn_done *done);

#ifdef __cplusplus
}
#endif

#endif
