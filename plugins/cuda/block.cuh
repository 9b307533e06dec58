/* Reductions over the threads of a warp and of a block, in an order that depends on the block's size alone. */
#ifndef MT_CUDA_BLOCK_CUH
#define MT_CUDA_BLOCK_CUH

#include "launch.cuh"

constexpr unsigned WARP = 32;
constexpr unsigned WHOLE_WARP = 0xFFFFFFFFu;

/* Every lane gets join over the warp's values; all 32 lanes call. */
template <class A, class Join> __device__ inline A warp_all(A value, Join join) {
#pragma unroll
	for (int distance = WARP / 2; distance > 0; distance /= 2)
		value = join(value, __shfl_xor_sync(WHOLE_WARP, value, distance));
	return value;
}

/* Every thread gets join over the block's values.  All threads call; blockDim.x is a multiple of 32, up to 1024, and the
 * block has one dim.  partial: 32 values of shared memory, free again when the call returns. */
template <class A, class Join> __device__ inline A block_all(A value, A none, A *partial, Join join) {
	unsigned lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
	value = warp_all(value, join);
	if (warps == 1)
		return value;
	if (lane == 0)
		partial[warp] = value;
	__syncthreads();
	value = warp_all(lane < warps ? partial[lane] : none, join);
	__syncthreads();
	return value;
}

struct join_sum {
	template <class A> __device__ A operator()(A a, A b) const {
		return a + b;
	}
};

#endif
