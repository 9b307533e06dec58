/* What the parts of self_test share: how a case says what is wrong, and how kernels are started. */
#ifndef MT_EMULATOR_SELF_TEST_H
#define MT_EMULATOR_SELF_TEST_H

#include <stddef.h>

#include <cuda_runtime.h>

/* Says what is wrong, where something is. */
void expect(const char *what, double got, double expected);

template <class... P, class... A>
static cudaError_t start(dim3 grid, dim3 block, size_t shared, void (*kernel)(P...), A... args) {
	cudaLaunchConfig_t config = {};
	config.gridDim = grid;
	config.blockDim = block;
	config.dynamicSmemBytes = shared;
	return cudaLaunchKernelEx(&config, kernel, static_cast<P>(args)...);
}

template <class T> static T *allocate(size_t n) {
	T *p = nullptr;
	cudaMalloc(&p, n * sizeof(T));
	return p;
}

static __global__ void nothing() {
}

/* Cases of self_test_streams.cu. */
void test_late();
void test_no_event();
void free_pinned();
void free_in_flight();
void test_devices();
void write_to_other();
void test_fork();
void test_lost();
void tell_count();

#endif
