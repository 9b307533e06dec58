/* Starting kernels, and choosing their dtype. */
#ifndef MT_CUDA_LAUNCH_CUH
#define MT_CUDA_LAUNCH_CUH

#include "element.cuh"

/* Threads of an elementwise block, and blocks of a grid whose threads stride over the rest. */
constexpr int BLOCK = 256;
constexpr int64_t MOST_BLOCKS = 1 << 16;

inline unsigned blocks_for(int64_t count) {
	int64_t blocks = (count + BLOCK - 1) / BLOCK;
	return (unsigned)(blocks < MOST_BLOCKS ? blocks : MOST_BLOCKS);
}

template <class... P, class... A>
inline int32_t launch(mt_queue *queue, const char *name, dim3 grid, dim3 block, void (*kernel)(P...), A... args) {
	int32_t status = mt__cuda_enter(queue);
	if (status != MT_OK)
		return status;
	kernel<<<grid, block, 0, queue->stream>>>(args...);
	return mt__cuda_launched(queue, name);
}

/* Elementwise kernels: first position of this thread, and the step to its next. */
__device__ inline int64_t first_position() {
	return (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
}

__device__ inline int64_t position_step() {
	return (int64_t)gridDim.x * blockDim.x;
}

/* Calls f(T()) with the storage type of a dtype. */
template <class F> inline int32_t for_dtype(int32_t dtype, const char *name, F f) {
	switch (dtype) {
	case MT_F32:
		return f(float());
	case MT_F64:
		return f(double());
	case MT_F16:
		return f(__half());
	case MT_BF16:
		return f(__nv_bfloat16());
	case MT_I32:
		return f(int32_t());
	case MT_I64:
		return f(int64_t());
	case MT_U8:
		return f(uint8_t());
	case MT_BOOL:
		return f(flag());
	default:
		return mt__cuda_fail(MT_E_UNSUPPORTED, "cuda: %s: no dtype %d", name, (int)dtype);
	}
}

#endif
