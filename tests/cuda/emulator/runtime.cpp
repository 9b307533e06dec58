/* The runtime API: kernels, what they may use, and how they are started. */
#include <map>
#include <mutex>

#include "blocks.h"
#include "devices.h"
#include "emulated_grid.h"
#include "gpu.h"
#include "streams.h"

using namespace mt_emulated;

static std::mutex kernels_mutex;

using kernel_on_device = std::pair<const void *, int>;

static std::map<kernel_on_device, size_t> &requested_shared() {
	static auto &requested = *new std::map<kernel_on_device, size_t>; /* exit handlers may still come here */
	return requested;
}

size_t mt_emulated::dynamic_shared_allowed(const void *kernel) {
	std::lock_guard<std::mutex> hold(kernels_mutex);
	int device = running_device() >= 0 ? running_device() : current_device();
	auto found = requested_shared().find({kernel, device});
	return found == requested_shared().end() ? (size_t)SHARED_BYTES : found->second;
}

/* For the current device alone. */
cudaError_t cudaFuncSetAttribute(const void *kernel, cudaFuncAttribute attribute, int value) {
	cudaError_t error = enter();
	if (error != cudaSuccess || attribute != cudaFuncAttributeMaxDynamicSharedMemorySize)
		return keep(error);
	if (value < 0 || value > gpu().shared_on_request)
		return keep(cudaErrorInvalidValue);
	std::lock_guard<std::mutex> hold(kernels_mutex);
	requested_shared()[{kernel, current_device()}] = (size_t)value;
	return cudaSuccess;
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes *out, const void *kernel) {
	*out = {};
	cudaError_t error = enter();
	if (error == cudaSuccess && !has_code())
		error = cudaErrorNoKernelImageForDevice;
	if (error != cudaSuccess)
		return keep(error);
	out->maxThreadsPerBlock = MOST_THREADS;
	out->numRegs = 32;
	out->ptxVersion = out->binaryVersion = gpu().capability;
	out->maxDynamicSharedSizeBytes = (int)dynamic_shared_allowed(kernel);
	return cudaSuccess;
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *out, const void *, int threads, size_t shared_bytes) {
	if (threads < 1 || threads > MOST_THREADS)
		return keep(cudaErrorInvalidValue);
	size_t all = (size_t)gpu().shared_of_all, each = shared_bytes + (size_t)reserved_shared();
	int by_threads = gpu().threads_of_all / threads, by_shared = each > 0 ? (int)(all / each) : by_threads;
	int blocks = by_threads < by_shared ? by_threads : by_shared;
	*out = blocks < gpu().blocks_of_all ? blocks : gpu().blocks_of_all;
	return cudaSuccess;
}

/* What a launch reports at once is its own shape, and what broke before. */
cudaError_t mt_emulated::start(cudaStream_t stream, const launch &l, std::shared_ptr<void> (*copy)(void *closure)) {
	std::lock_guard<std::recursive_mutex> hold(runtime_mutex());
	cudaError_t error = enter();
	int device = device_of(stream);
	if (error == cudaSuccess && device != current_device())
		error = cudaErrorInvalidResourceHandle;
	if (error == cudaSuccess && !has_code())
		error = cudaErrorNoKernelImageForDevice;
	if (error == cudaSuccess)
		error = check(l);
	if (error != cudaSuccess)
		return keep(error);
	auto closure = copy(l.closure);
	return keep(submit(stream, [l, closure, device] {
		launch own = l;
		own.closure = closure.get();
		if (begin_kernel(device))
			run(own);
	}));
}
