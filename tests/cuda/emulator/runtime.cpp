/* The runtime API: one device, its memory, streams and events.  All work is done when the call that asked for it returns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <map>
#include <mutex>

#include "blocks.h"
#include "device.h"

struct mt_emulated_stream {
	unsigned flags;
};

struct mt_emulated_event {
	bool timed, recorded;
	struct timespec at;
};

using namespace mt_emulated;

/* With a value that is not 0: thread-local variables without one are shared memory (shared.cpp). */
static thread_local int last_error = -1;

cudaError_t mt_emulated::keep(cudaError_t error) {
	if (error != cudaSuccess)
		last_error = -1 - (int)error;
	return error;
}

/* ---- errors ---- */

const char *cudaGetErrorName(cudaError_t error) {
	switch (error) {
#define MT_CUDA_ERROR(name, number, text)                                                                              \
	case name:                                                                                                         \
		return #name;
#include "cuda_errors.def"
#undef MT_CUDA_ERROR
	}
	return "unrecognized error code";
}

const char *cudaGetErrorString(cudaError_t error) {
	switch (error) {
#define MT_CUDA_ERROR(name, number, text)                                                                              \
	case name:                                                                                                         \
		return text;
#include "cuda_errors.def"
#undef MT_CUDA_ERROR
	}
	return "unrecognized error code";
}

cudaError_t cudaGetLastError(void) {
	cudaError_t error = cudaPeekAtLastError();
	last_error = -1;
	return error;
}

cudaError_t cudaPeekAtLastError(void) {
	return (cudaError_t)(-1 - last_error);
}

/* ---- devices ---- */

cudaError_t cudaGetDeviceCount(int *count) {
	*count = 1;
	return cudaSuccess;
}

cudaError_t cudaGetDevice(int *device) {
	*device = 0;
	return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
	return keep(device == 0 ? cudaSuccess : cudaErrorInvalidDevice);
}

cudaError_t cudaDeviceSynchronize(void) {
	return cudaSuccess;
}

cudaError_t cudaDeviceReset(void) {
	return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int *version) {
	*version = CUDART_VERSION;
	return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version) {
	*version = CUDART_VERSION;
	return cudaSuccess;
}

struct attribute_value {
	cudaDeviceAttr attribute;
	int value;
};

static const attribute_value attributes[] = {
	{cudaDevAttrMaxThreadsPerBlock, MOST_THREADS},
	{cudaDevAttrMaxBlockDimX, MOST_THREADS},
	{cudaDevAttrMaxBlockDimY, MOST_THREADS},
	{cudaDevAttrMaxBlockDimZ, MOST_BLOCK_DEPTH},
	{cudaDevAttrMaxGridDimX, INT32_MAX},
	{cudaDevAttrMaxGridDimY, MOST_GRID_HEIGHT},
	{cudaDevAttrMaxGridDimZ, MOST_GRID_HEIGHT},
	{cudaDevAttrMaxSharedMemoryPerBlock, SHARED_BYTES},
	{cudaDevAttrWarpSize, 32},
	{cudaDevAttrMaxRegistersPerBlock, 65536},
	{cudaDevAttrClockRate, 1000000},
	{cudaDevAttrMultiProcessorCount, MULTIPROCESSORS},
	{cudaDevAttrIntegrated, 0},
	{cudaDevAttrCanMapHostMemory, 1},
	{cudaDevAttrL2CacheSize, 4 << 20},
	{cudaDevAttrAsyncEngineCount, 1},
	{cudaDevAttrUnifiedAddressing, 1},
	{cudaDevAttrMaxRegistersPerMultiprocessor, 65536},
	{cudaDevAttrReservedSharedMemoryPerBlock, 1024},
	{cudaDevAttrComputeCapabilityMajor, limits().capability / 10},
	{cudaDevAttrComputeCapabilityMinor, limits().capability % 10},
	{cudaDevAttrMaxThreadsPerMultiProcessor, limits().threads_of_all},
	{cudaDevAttrMaxBlocksPerMultiprocessor, limits().blocks_of_all},
	{cudaDevAttrMaxSharedMemoryPerMultiprocessor, limits().kib_of_all << 10},
	{cudaDevAttrMaxSharedMemoryPerBlockOptin, limits().kib_on_request << 10},
};

cudaError_t cudaDeviceGetAttribute(int *out, cudaDeviceAttr attribute, int device) {
	if (device != 0)
		return keep(cudaErrorInvalidDevice);
	for (const auto &a : attributes)
		if (a.attribute == attribute) {
			*out = a.value;
			return cudaSuccess;
		}
	return keep(cudaErrorInvalidValue);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *out, int device) {
	if (device != 0)
		return keep(cudaErrorInvalidDevice);
	*out = {};
	snprintf(out->name, sizeof out->name, "CUDA emulator");
	out->totalGlobalMem = MEMORY_BYTES;
	out->sharedMemPerBlock = SHARED_BYTES;
	out->sharedMemPerBlockOptin = (size_t)limits().kib_on_request << 10;
	out->sharedMemPerMultiprocessor = (size_t)limits().kib_of_all << 10;
	out->regsPerBlock = 65536;
	out->warpSize = 32;
	out->maxThreadsPerBlock = MOST_THREADS;
	out->maxThreadsPerMultiProcessor = limits().threads_of_all;
	out->maxThreadsDim[0] = out->maxThreadsDim[1] = MOST_THREADS;
	out->maxThreadsDim[2] = MOST_BLOCK_DEPTH;
	out->maxGridSize[0] = INT32_MAX;
	out->maxGridSize[1] = out->maxGridSize[2] = MOST_GRID_HEIGHT;
	out->major = limits().capability / 10;
	out->minor = limits().capability % 10;
	out->multiProcessorCount = MULTIPROCESSORS;
	out->l2CacheSize = 4 << 20;
	return cudaSuccess;
}

/* ---- streams and events ---- */

static double milliseconds_of(const struct timespec &t) {
	return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned flags) {
	*out = new (std::nothrow) mt_emulated_stream{flags};
	return keep(*out ? cudaSuccess : cudaErrorMemoryAllocation);
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t *out, unsigned flags, int) {
	return cudaStreamCreateWithFlags(out, flags);
}

cudaError_t cudaStreamCreate(cudaStream_t *out) {
	return cudaStreamCreateWithFlags(out, cudaStreamDefault);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
	if (!stream)
		return keep(cudaErrorInvalidResourceHandle);
	delete stream;
	return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t) {
	return cudaSuccess;
}

cudaError_t cudaStreamQuery(cudaStream_t) {
	return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t event, unsigned) {
	return keep(event ? cudaSuccess : cudaErrorInvalidResourceHandle);
}

cudaError_t cudaLaunchHostFunc(cudaStream_t, void (*function)(void *), void *data) {
	function(data);
	return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *out, unsigned flags) {
	*out = new (std::nothrow) mt_emulated_event{(flags & cudaEventDisableTiming) == 0, false, {}};
	return keep(*out ? cudaSuccess : cudaErrorMemoryAllocation);
}

cudaError_t cudaEventCreate(cudaEvent_t *out) {
	return cudaEventCreateWithFlags(out, cudaEventDefault);
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
	if (!event)
		return keep(cudaErrorInvalidResourceHandle);
	delete event;
	return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
	if (!event)
		return keep(cudaErrorInvalidResourceHandle);
	event->recorded = true;
	clock_gettime(CLOCK_MONOTONIC, &event->at);
	return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
	return keep(event ? cudaSuccess : cudaErrorInvalidResourceHandle);
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
	return keep(event ? cudaSuccess : cudaErrorInvalidResourceHandle);
}

cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t from, cudaEvent_t to) {
	if (!from || !to || !from->timed || !to->timed || !from->recorded || !to->recorded)
		return keep(cudaErrorInvalidResourceHandle);
	*milliseconds = (float)(milliseconds_of(to->at) - milliseconds_of(from->at));
	return cudaSuccess;
}

/* ---- kernels ---- */

static std::mutex kernels_mutex;

static std::map<const void *, size_t> &requested_shared() {
	static std::map<const void *, size_t> requested;
	return requested;
}

size_t mt_emulated::dynamic_shared_allowed(const void *kernel) {
	std::lock_guard<std::mutex> hold(kernels_mutex);
	auto found = requested_shared().find(kernel);
	return found == requested_shared().end() ? (size_t)SHARED_BYTES : found->second;
}

cudaError_t cudaFuncSetAttribute(const void *kernel, cudaFuncAttribute attribute, int value) {
	if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize)
		return cudaSuccess;
	if (value < 0 || value > limits().kib_on_request << 10)
		return keep(cudaErrorInvalidValue);
	std::lock_guard<std::mutex> hold(kernels_mutex);
	requested_shared()[kernel] = (size_t)value;
	return cudaSuccess;
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes *out, const void *kernel) {
	*out = {};
	out->maxThreadsPerBlock = MOST_THREADS;
	out->numRegs = 32;
	out->ptxVersion = out->binaryVersion = 90;
	out->maxDynamicSharedSizeBytes = (int)dynamic_shared_allowed(kernel);
	return cudaSuccess;
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *out, const void *, int threads, size_t shared_bytes) {
	if (threads < 1 || threads > MOST_THREADS)
		return keep(cudaErrorInvalidValue);
	int by_threads = limits().threads_of_all / threads;
	int by_shared = (int)(((size_t)limits().kib_of_all << 10) / (shared_bytes + 1024));
	int blocks = by_threads < by_shared ? by_threads : by_shared;
	*out = blocks < limits().blocks_of_all ? blocks : limits().blocks_of_all;
	return cudaSuccess;
}
