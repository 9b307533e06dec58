/* CUDA C++ as g++ understands it: the language's words as macros, the rest as functions. */
#ifndef MT_EMULATED_CUDA_RUNTIME_H
#define MT_EMULATED_CUDA_RUNTIME_H

/* Headers of the C++ library that write __noinline__ themselves. */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "cuda_runtime_api.h"
#include "vector_types.h"

#define __host__
#define __device__
/* g++ tells no access to where a function's struct is returned to: kernels that tell theirs call none. */
#ifdef __SANITIZE_THREAD__
#define __global__ __attribute__((flatten))
#else
#define __global__
#endif
#define __constant__
#define __managed__
#define __shared__ static thread_local /* so that shared.cpp finds it: a launch stays on one host thread */
/* An attribute that may follow __shared__. */
#define alignas(n) __attribute__((aligned(n)))
#define __grid_constant__
#define __launch_bounds__(...)
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __align__(n) __attribute__((aligned(n)))
#define __builtin_assume(condition) ((void)0)

/* Dynamic shared memory, as T name[]: launch.cuh leaves the macro to whoever defined it first. */
#define MT_DYNAMIC_SHARED(T, name) T *name = (T *)mt_emulated::dynamic_shared(MT_SHARED_ALIGNMENT)

#include "emulated_grid.h"

#include "emulated_atomics.h"
#include "emulated_math.h"

/* ---- the runtime API, as C++ calls it ---- */

template <class T> inline cudaError_t cudaMalloc(T **out, size_t bytes) {
	return cudaMalloc((void **)out, bytes);
}
template <class T> inline cudaError_t cudaMallocHost(T **out, size_t bytes, unsigned = 0) {
	return cudaMallocHost((void **)out, bytes);
}
template <class T> inline cudaError_t cudaHostAlloc(T **out, size_t bytes, unsigned flags) {
	return cudaHostAlloc((void **)out, bytes, flags);
}
template <class... P> inline cudaError_t cudaFuncGetAttributes(cudaFuncAttributes *out, void (*kernel)(P...)) {
	return cudaFuncGetAttributes(out, (const void *)kernel);
}
template <class... P>
inline cudaError_t cudaFuncSetAttribute(void (*kernel)(P...), cudaFuncAttribute attribute, int value) {
	return cudaFuncSetAttribute((const void *)kernel, attribute, value);
}
template <class... P>
inline cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *out, void (*kernel)(P...), int threads,
                                                                 size_t shared_bytes) {
	return cudaOccupancyMaxActiveBlocksPerMultiprocessor(out, (const void *)kernel, threads, shared_bytes);
}
template <class T>
inline cudaError_t cudaMemcpyToSymbolAsync(T &symbol, const void *from, size_t bytes, size_t offset = 0,
                                           cudaMemcpyKind = cudaMemcpyHostToDevice, cudaStream_t = nullptr) {
	memcpy((char *)&symbol + offset, from, bytes);
	return cudaSuccess;
}

#endif
