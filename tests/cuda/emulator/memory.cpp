/* The runtime API's memory: of the device (arena.h) and pinned.  Copies and fills check that what they touch lies in one
 * block. */
#include <stdlib.h>
#include <string.h>

#include <map>
#include <mutex>

#include "arena.h"
#include "blocks.h"
#include "memory_state.h"

using namespace mt_emulated;

constexpr size_t ALIGNMENT = 256;

/* ---- of the device ---- */

cudaError_t cudaMalloc(void **out, size_t bytes) {
	*out = bytes > 0 ? arena_allocate(bytes) : nullptr;
	return keep(*out || bytes == 0 ? cudaSuccess : cudaErrorMemoryAllocation);
}

cudaError_t cudaFree(void *p) {
	return keep(!p || arena_free(p) ? cudaSuccess : cudaErrorInvalidValue);
}

cudaError_t cudaMallocAsync(void **out, size_t bytes, cudaStream_t) {
	return cudaMalloc(out, bytes);
}

cudaError_t cudaFreeAsync(void *p, cudaStream_t) {
	return cudaFree(p);
}

cudaError_t cudaMemGetInfo(size_t *free_bytes, size_t *total_bytes) {
	*total_bytes = MEMORY_BYTES;
	*free_bytes = MEMORY_BYTES - arena_used();
	return cudaSuccess;
}

/* ---- pinned ---- */

static std::mutex mutex;

static std::map<const char *, size_t> &pinned() {
	static std::map<const char *, size_t> all;
	return all;
}

static bool is_pinned(const void *p, size_t bytes) {
	std::lock_guard<std::mutex> hold(mutex);
	auto after = pinned().upper_bound((const char *)p);
	if (after == pinned().begin())
		return false;
	--after;
	size_t at = (size_t)((const char *)p - after->first);
	return at <= after->second && bytes <= after->second - at;
}

cudaError_t cudaHostAlloc(void **out, size_t bytes, unsigned) {
	*out = nullptr;
	if (bytes == 0)
		return cudaSuccess;
	if (bytes > MEMORY_BYTES || posix_memalign(out, ALIGNMENT, bytes) != 0)
		return keep(cudaErrorMemoryAllocation);
	std::lock_guard<std::mutex> hold(mutex);
	pinned()[(const char *)*out] = bytes;
	return cudaSuccess;
}

cudaError_t cudaMallocHost(void **out, size_t bytes) {
	return cudaHostAlloc(out, bytes, cudaHostAllocDefault);
}

cudaError_t cudaFreeHost(void *p) {
	std::lock_guard<std::mutex> hold(mutex);
	if (p && pinned().erase((const char *)p) == 0)
		return keep(cudaErrorInvalidValue);
	free(p);
	return cudaSuccess;
}

cudaError_t cudaHostGetDevicePointer(void **out, void *host, unsigned) {
	*out = host;
	return keep(is_pinned(host, 0) ? cudaSuccess : cudaErrorInvalidValue);
}

/* ---- copies and fills ---- */

static bool is_on_device(const void *p, size_t bytes) {
	return arena_has(p, bytes) || is_pinned(p, bytes);
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind) {
	bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
	bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
	if (bytes == 0)
		return cudaSuccess;
	if ((to_device && !is_on_device(to, bytes)) || (from_device && !is_on_device(from, bytes)))
		return keep(cudaErrorInvalidValue);
	arena_access access;
	memmove(to, from, bytes);
	state_copied(to, from, bytes);
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
	if (!is_on_device(to, bytes))
		return keep(cudaErrorInvalidValue);
	arena_access access;
	memset(to, value, bytes);
	state_written(to, bytes);
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
