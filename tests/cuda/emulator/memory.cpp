/* Device and pinned memory: blocks with guards around them.  Copies and fills check that what they touch lies in one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <map>
#include <mutex>

#include "blocks.h"

using namespace mt_emulated;

constexpr size_t ALIGNMENT = 256, GUARD_BYTES = 256, POISONED = 64 << 10;
constexpr unsigned char GUARD = 0xA5, DIRT = 0xFF;

struct region {
	size_t bytes;
	bool on_device;
};

static std::mutex mutex;
static size_t used;

static std::map<const char *, region> &regions() {
	static std::map<const char *, region> all;
	return all;
}

/* Whether [p, p + bytes) lies in one region; on the device, or pinned. */
static bool is_known(const void *p, size_t bytes) {
	std::lock_guard<std::mutex> hold(mutex);
	auto after = regions().upper_bound((const char *)p);
	if (after == regions().begin())
		return false;
	--after;
	size_t at = (size_t)((const char *)p - after->first);
	return at <= after->second.bytes && bytes <= after->second.bytes - at;
}

static cudaError_t allocate(void **out, size_t bytes, bool on_device) {
	*out = nullptr;
	if (bytes == 0)
		return cudaSuccess;
	std::lock_guard<std::mutex> hold(mutex);
	void *memory = nullptr;
	if (bytes > MEMORY_BYTES - used || posix_memalign(&memory, ALIGNMENT, bytes + 2 * GUARD_BYTES) != 0)
		return keep(cudaErrorMemoryAllocation);
	char *begin = (char *)memory + GUARD_BYTES;
	memset(memory, GUARD, GUARD_BYTES);
	memset(begin + bytes, GUARD, GUARD_BYTES);
	memset(begin, DIRT, bytes < POISONED ? bytes : POISONED);
	used += bytes;
	regions()[begin] = {bytes, on_device};
	*out = begin;
	return cudaSuccess;
}

static void check_guards(const char *begin, size_t bytes) {
	for (size_t i = 0; i < GUARD_BYTES; i++) {
		bool before = (unsigned char)begin[-1 - (ptrdiff_t)i] != GUARD;
		if (before || (unsigned char)begin[bytes + i] != GUARD) {
			fprintf(stderr, "CUDA emulator: something was written %zu bytes %s a block of %zu bytes of memory\n",
			        before ? i + 1 : i, before ? "before" : "after", bytes);
			abort();
		}
	}
}

static cudaError_t release(void *p, bool on_device) {
	if (!p)
		return cudaSuccess;
	std::lock_guard<std::mutex> hold(mutex);
	auto found = regions().find((const char *)p);
	if (found == regions().end() || found->second.on_device != on_device)
		return keep(cudaErrorInvalidValue);
	check_guards(found->first, found->second.bytes);
	used -= found->second.bytes;
	regions().erase(found);
	free((char *)p - GUARD_BYTES);
	return cudaSuccess;
}

cudaError_t cudaMalloc(void **out, size_t bytes) {
	return allocate(out, bytes, true);
}

cudaError_t cudaFree(void *p) {
	return release(p, true);
}

cudaError_t cudaMallocAsync(void **out, size_t bytes, cudaStream_t) {
	return allocate(out, bytes, true);
}

cudaError_t cudaFreeAsync(void *p, cudaStream_t) {
	return release(p, true);
}

cudaError_t cudaMallocHost(void **out, size_t bytes) {
	return allocate(out, bytes, false);
}

cudaError_t cudaHostAlloc(void **out, size_t bytes, unsigned) {
	return allocate(out, bytes, false);
}

cudaError_t cudaFreeHost(void *p) {
	return release(p, false);
}

cudaError_t cudaHostGetDevicePointer(void **out, void *host, unsigned) {
	*out = host;
	return keep(is_known(host, 0) ? cudaSuccess : cudaErrorInvalidValue);
}

cudaError_t cudaMemGetInfo(size_t *free_bytes, size_t *total_bytes) {
	std::lock_guard<std::mutex> hold(mutex);
	*total_bytes = MEMORY_BYTES;
	*free_bytes = MEMORY_BYTES - used;
	return cudaSuccess;
}

/* ---- copies ---- */

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind) {
	bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
	bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
	if (bytes == 0)
		return cudaSuccess;
	if ((to_device && !is_known(to, bytes)) || (from_device && !is_known(from, bytes)))
		return keep(cudaErrorInvalidValue);
	memmove(to, from, bytes);
	return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t) {
	return cudaMemcpy(to, from, bytes, kind);
}

cudaError_t cudaMemcpy2DAsync(void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t width,
                              size_t height, cudaMemcpyKind kind, cudaStream_t) {
	if (width > to_pitch || width > from_pitch)
		return keep(cudaErrorInvalidPitchValue);
	cudaError_t error = cudaSuccess;
	for (size_t row = 0; row < height && error == cudaSuccess; row++)
		error = cudaMemcpy((char *)to + row * to_pitch, (const char *)from + row * from_pitch, width, kind);
	return error;
}

cudaError_t cudaMemset(void *to, int value, size_t bytes) {
	if (bytes == 0)
		return cudaSuccess;
	if (!is_known(to, bytes))
		return keep(cudaErrorInvalidValue);
	memset(to, value, bytes);
	return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t) {
	return cudaMemset(to, value, bytes);
}

cudaError_t cudaMemset2DAsync(void *to, size_t pitch, int value, size_t width, size_t height, cudaStream_t) {
	if (width > pitch)
		return keep(cudaErrorInvalidPitchValue);
	cudaError_t error = cudaSuccess;
	for (size_t row = 0; row < height && error == cudaSuccess; row++)
		error = cudaMemset((char *)to + row * pitch, value, width);
	return error;
}
