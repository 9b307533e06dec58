/* Elements taken from where indices say: gather and embedding. */
#ifndef MT_CUDA_TAKE_CUH
#define MT_CUDA_TAKE_CUH

#include "walk.cuh"

/* out[p] = x[p · stride of x + index[p] · step], p over the positions of out. */
struct taking {
	const char *name;
	int32_t kernel; /* enum mt_kernel_id */
	const mt_array *x, *index, *out;
	const int64_t *x_stride, *index_stride; /* along out's dims */
	int64_t step;                           /* in elements of x */
	int64_t low, extent;                    /* indices are in [low, extent); negative ones count from extent */
};

/* Bad indices are reported at the next synchronise (fault.cuh); what is stored for them is 0. */
int32_t mt__cuda_take(mt_queue *queue, const taking &t);

#endif
