/* Starting kernels, and choosing their dtype. */
#ifndef MT_CUDA_LAUNCH_CUH
#define MT_CUDA_LAUNCH_CUH

#include <cuda_runtime.h>

#include "element.cuh"

/* Threads of an elementwise block, and blocks of a grid whose threads stride over the rest. */
constexpr int BLOCK = 256;
constexpr int64_t MOST_BLOCKS = 1 << 16;

inline unsigned blocks_for(int64_t count) {
	int64_t blocks = (count + BLOCK - 1) / BLOCK;
	return (unsigned)(blocks < MOST_BLOCKS ? blocks : MOST_BLOCKS);
}

/* Dynamic shared memory, as T name[]: one a kernel.  It begins where a kernel's static shared memory ends, so that no more
 * than this alignment can be counted on: wmma's, of matrices. */
#define MT_SHARED_ALIGNMENT 32
#ifndef MT_DYNAMIC_SHARED
#define MT_DYNAMIC_SHARED(T, name)                                                                                     \
	extern __shared__ __align__(MT_SHARED_ALIGNMENT)                                                                   \
	unsigned char mt__dynamic_shared[];                                                                                \
	T *name = (T *)mt__dynamic_shared
#endif

/* Starts kernel(args…) on the queue; what it reports at once is the result (mt__cuda_launched). */
template <class... P, class... A>
inline int32_t launch_shared(mt_queue *queue, const char *name, dim3 grid, dim3 block, size_t shared_bytes,
                             void (*kernel)(P...), A... args) {
	int32_t status = mt__cuda_enter(queue);
	if (status != MT_OK)
		return status;
	cudaLaunchConfig_t config = {};
	config.gridDim = grid;
	config.blockDim = block;
	config.dynamicSmemBytes = shared_bytes;
	config.stream = queue->stream;
	cudaError_t error = cudaLaunchKernelEx(&config, kernel, static_cast<P>(args)...);
	return mt__cuda_launched(queue, name, error);
}

template <class... P, class... A>
inline int32_t launch(mt_queue *queue, const char *name, dim3 grid, dim3 block, void (*kernel)(P...), A... args) {
	return launch_shared(queue, name, grid, block, 0, kernel, args...);
}

/* Elementwise kernels: first position of this thread, and the step to its next. */
__device__ inline int64_t first_position() {
	return (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
}

__device__ inline int64_t position_step() {
	return (int64_t)gridDim.x * blockDim.x;
}

/* N elements that are loaded and stored at once: at an address that is a multiple of their size. */
template <class T, int N> struct alignas(sizeof(T) * N) pack { T v[N]; };

/* A pack is one store: nvcc takes assignments of structs apart, and does not always put them together again. */
template <class T, int N> __device__ inline void store_pack(T *to, const pack<T, N> &from) {
#ifdef __CUDA_ARCH__
	if constexpr (sizeof from == sizeof(uint4)) {
		uint4 bits;
		memcpy(&bits, &from, sizeof bits);
		__stwb((uint4 *)to, bits);
		return;
	} else if constexpr (sizeof from == sizeof(uint2)) {
		uint2 bits;
		memcpy(&bits, &from, sizeof bits);
		__stwb((uint2 *)to, bits);
		return;
	}
#endif
	*(pack<T, N> *)to = from;
}

inline int32_t no_dtype(int32_t dtype, const char *name) {
	return mt__cuda_fail(MT_E_UNSUPPORTED, "cuda: %s: no dtype %d", name, (int)dtype);
}

/* Calls f(T()) with the storage type of a float dtype. */
template <class F> inline int32_t for_float(int32_t dtype, const char *name, F f) {
	switch (dtype) {
	case MT_F32:
		return f(float());
	case MT_F64:
		return f(double());
	case MT_F16:
		return f(__half());
	case MT_BF16:
		return f(__nv_bfloat16());
	default:
		return no_dtype(dtype, name);
	}
}

/* … of any number's dtype. */
template <class F> inline int32_t for_number(int32_t dtype, const char *name, F f) {
	switch (dtype) {
	case MT_I32:
		return f(int32_t());
	case MT_I64:
		return f(int64_t());
	case MT_U8:
		return f(uint8_t());
	default:
		return for_float(dtype, name, f);
	}
}

/* … of any dtype. */
template <class F> inline int32_t for_dtype(int32_t dtype, const char *name, F f) {
	return dtype == MT_BOOL ? f(flag()) : for_number(dtype, name, f);
}

/* Bytes of an element. */
inline int dtype_size(int32_t dtype) {
	switch (dtype) {
#define MT_DTYPE(id, NAME, name, bytes, class)                                                                         \
	case MT_##NAME:                                                                                                    \
		return bytes;
#include "mt/dtypes.def"
#undef MT_DTYPE
	default:
		return 0;
	}
}

/* Calls f(W()) with the unsigned integer of the dtype's size: for kernels that only move elements. */
template <class F> inline int32_t for_size(int32_t dtype, const char *name, F f) {
	switch (dtype_size(dtype)) {
	case 1:
		return f(uint8_t());
	case 2:
		return f(uint16_t());
	case 4:
		return f(uint32_t());
	case 8:
		return f(uint64_t());
	default:
		return no_dtype(dtype, name);
	}
}

#endif
