/* The runtime API: devices, what they are, and why there may be none. */
#include "devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atomic>

#include "blocks.h"
#include "gpu.h"

using namespace mt_emulated;

/* With values that are not 0: thread-local variables without one are shared memory (shared.cpp). */
static thread_local int last_error = -1;
static thread_local int chosen = 1; /* the device, counted from 1 */

static std::atomic<bool> lost[MOST_DEVICES], unloading;
static std::atomic<size_t> kernels[MOST_DEVICES];
static std::atomic<pid_t> owner;

/* The runtime is gone before the last of a program's own exit handlers. */
static struct at_exit {
	~at_exit() {
		unloading = true;
	}
} at_exit;

/* ---- what the environment says ---- */

size_t mt_emulated::number_from(const char *variable, size_t otherwise) {
	const char *text = getenv(variable);
	if (!text || text[0] == '\0')
		return otherwise;
	char *end;
	unsigned long long value = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0') {
		fprintf(stderr, "%s=%s: a whole number is needed\n", variable, text);
		abort();
	}
	return (size_t)value;
}

int mt_emulated::device_count() {
	static const size_t n = number_from("MT_EMULATOR_DEVICES", 1);
	return n < MOST_DEVICES ? (int)n : MOST_DEVICES;
}

size_t mt_emulated::memory_bytes() {
	static const size_t bytes = number_from("MT_EMULATOR_MEMORY", MEMORY_BYTES);
	return bytes < MEMORY_BYTES ? bytes : MEMORY_BYTES;
}

static int driver_version() {
	static const size_t version = number_from("MT_EMULATOR_DRIVER", CUDART_VERSION);
	return (int)version;
}

/* ---- what goes wrong ---- */

static cudaError_t enter_process() {
	if (unloading)
		return cudaErrorCudartUnloading;
	if (driver_version() / 1000 < CUDART_VERSION / 1000)
		return cudaErrorInsufficientDriver;
	if (device_count() == 0)
		return cudaErrorNoDevice;
	pid_t nobody = 0, self = getpid();
	return owner.compare_exchange_strong(nobody, self) || nobody == self ? cudaSuccess : cudaErrorInitializationError;
}

cudaError_t mt_emulated::enter(int device) {
	cudaError_t error = enter_process();
	return error == cudaSuccess && is_lost(device) ? cudaErrorIllegalAddress : error;
}

cudaError_t mt_emulated::enter() {
	return enter(current_device());
}

bool mt_emulated::is_lost(int device) {
	return lost[device];
}

bool mt_emulated::begin_kernel(int device) {
	static const char *const fault = getenv("MT_EMULATOR_FAULT");
	size_t n = ++kernels[device];
	if (!fault)
		return true;
	int at;
	size_t which;
	if (sscanf(fault, "%d:%zu", &at, &which) != 2) {
		fprintf(stderr, "MT_EMULATOR_FAULT=%s: it is DEVICE:N\n", fault);
		abort();
	}
	if (at == device && which == n)
		lost[device] = true;
	return !lost[device];
}

/* ---- errors ---- */

cudaError_t mt_emulated::keep(cudaError_t error) {
	if (error != cudaSuccess)
		last_error = -1 - (int)error;
	return error;
}

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

/* What broke a device stays, however often it is asked for. */
cudaError_t cudaGetLastError(void) {
	cudaError_t error = cudaPeekAtLastError();
	last_error = -1;
	return error;
}

cudaError_t cudaPeekAtLastError(void) {
	return is_lost(current_device()) ? cudaErrorIllegalAddress : (cudaError_t)(-1 - last_error);
}

/* ---- devices ---- */

int mt_emulated::current_device() {
	return chosen - 1;
}

cudaError_t cudaGetDeviceCount(int *count) {
	*count = 0;
	cudaError_t error = enter_process();
	if (error == cudaSuccess)
		*count = device_count();
	return keep(error);
}

cudaError_t cudaGetDevice(int *device) {
	*device = current_device();
	return keep(enter_process());
}

cudaError_t cudaSetDevice(int device) {
	cudaError_t error = enter_process();
	if (error == cudaSuccess && (device < 0 || device >= device_count()))
		error = cudaErrorInvalidDevice;
	if (error != cudaSuccess)
		return keep(error);
	chosen = device + 1;
	return keep(enter(device));
}

cudaError_t cudaDriverGetVersion(int *version) {
	*version = driver_version();
	return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version) {
	*version = CUDART_VERSION;
	return cudaSuccess;
}

static const struct {
	cudaDeviceAttr attribute;
	int value;
} attributes[] = {
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
	{cudaDevAttrMaxThreadsPerMultiProcessor, gpu().threads_of_all},
	{cudaDevAttrAsyncEngineCount, 1},
	{cudaDevAttrUnifiedAddressing, 1},
	{cudaDevAttrComputeCapabilityMajor, gpu().capability / 10},
	{cudaDevAttrComputeCapabilityMinor, gpu().capability % 10},
	{cudaDevAttrMaxSharedMemoryPerMultiprocessor, gpu().shared_of_all},
	{cudaDevAttrMaxRegistersPerMultiprocessor, 65536},
	{cudaDevAttrMaxSharedMemoryPerBlockOptin, gpu().shared_on_request},
	{cudaDevAttrMaxBlocksPerMultiprocessor, gpu().blocks_of_all},
	{cudaDevAttrReservedSharedMemoryPerBlock, reserved_shared()},
};

static cudaError_t check_device(int device) {
	cudaError_t error = enter_process();
	return error == cudaSuccess && (device < 0 || device >= device_count()) ? cudaErrorInvalidDevice : error;
}

cudaError_t cudaDeviceGetAttribute(int *out, cudaDeviceAttr attribute, int device) {
	cudaError_t error = check_device(device);
	if (error != cudaSuccess)
		return keep(error);
	for (const auto &a : attributes)
		if (a.attribute == attribute) {
			*out = a.value;
			return cudaSuccess;
		}
	return keep(cudaErrorInvalidValue);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *out, int device) {
	cudaError_t error = check_device(device);
	if (error != cudaSuccess)
		return keep(error);
	*out = {};
	snprintf(out->name, sizeof out->name, "CUDA emulator");
	out->totalGlobalMem = memory_bytes();
	out->sharedMemPerBlock = SHARED_BYTES;
	out->sharedMemPerBlockOptin = (size_t)gpu().shared_on_request;
	out->sharedMemPerMultiprocessor = (size_t)gpu().shared_of_all;
	out->regsPerBlock = 65536;
	out->warpSize = 32;
	out->maxThreadsPerBlock = MOST_THREADS;
	out->maxThreadsPerMultiProcessor = gpu().threads_of_all;
	out->maxThreadsDim[0] = out->maxThreadsDim[1] = MOST_THREADS;
	out->maxThreadsDim[2] = MOST_BLOCK_DEPTH;
	out->maxGridSize[0] = INT32_MAX;
	out->maxGridSize[1] = out->maxGridSize[2] = MOST_GRID_HEIGHT;
	out->major = gpu().capability / 10;
	out->minor = gpu().capability % 10;
	out->multiProcessorCount = MULTIPROCESSORS;
	out->l2CacheSize = 4 << 20;
	return cudaSuccess;
}
