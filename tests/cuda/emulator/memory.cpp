/* The runtime API's memory: of the devices (arena.h) and pinned.  Copies and fills check that what they touch lies in one
 * block: when they are asked for, and again when they are done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <map>
#include <mutex>

#include "arena.h"
#include "blocks.h"
#include "devices.h"
#include "memory_state.h"
#include "streams.h"

using namespace mt_emulated;

using guard = std::lock_guard<std::recursive_mutex>;

/* ---- of the device ---- */

constexpr size_t ADDRESSES = (size_t)1 << 47;

cudaError_t cudaMalloc(void **out, size_t bytes) {
	*out = nullptr;
	cudaError_t error = enter();
	if (error != cudaSuccess || bytes == 0)
		return keep(error);
	if (bytes > ADDRESSES) /* an argument that can never be right, rather than memory that is used up */
		return keep(cudaErrorInvalidValue);
	*out = arena_allocate(current_device(), bytes);
	return keep(*out ? cudaSuccess : cudaErrorMemoryAllocation);
}

/* Waits for the device. */
cudaError_t cudaFree(void *p) {
	guard hold(runtime_mutex());
	cudaError_t error = enter();
	if (error != cudaSuccess || !p)
		return keep(error);
	int device = arena_of(p, 0);
	if (device < 0)
		return keep(cudaErrorInvalidValue);
	finish_device(device);
	return keep(arena_free(p) ? enter(device) : cudaErrorInvalidValue);
}

cudaError_t cudaMallocAsync(void **out, size_t bytes, cudaStream_t) {
	return cudaMalloc(out, bytes);
}

cudaError_t cudaFreeAsync(void *p, cudaStream_t stream) {
	cudaError_t error = enter();
	return keep(error == cudaSuccess && p ? submit(stream, [p] { arena_free(p); }) : error);
}

cudaError_t cudaMemGetInfo(size_t *free_bytes, size_t *total_bytes) {
	cudaError_t error = enter();
	*total_bytes = memory_bytes();
	*free_bytes = memory_bytes() - arena_used(current_device());
	return keep(error);
}

/* ---- pinned ---- */

static std::mutex mutex;

static std::map<const char *, size_t> &pinned() {
	static auto &all = *new std::map<const char *, size_t>; /* exit handlers may still come here */
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
	cudaError_t error = enter();
	if (error != cudaSuccess || bytes == 0)
		return keep(error);
	if (bytes > MEMORY_BYTES)
		return keep(cudaErrorMemoryAllocation);
	void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return keep(cudaErrorMemoryAllocation);
	*out = memory;
	std::lock_guard<std::mutex> hold(mutex);
	pinned()[(const char *)memory] = bytes;
	return cudaSuccess;
}

cudaError_t cudaMallocHost(void **out, size_t bytes) {
	return cudaHostAlloc(out, bytes, cudaHostAllocDefault);
}

/* Does not wait: nothing says that it does.  The addresses are never used again, so that whoever comes late faults. */
cudaError_t cudaFreeHost(void *p) {
	cudaError_t error = enter();
	if (error != cudaSuccess || !p)
		return keep(error);
	std::lock_guard<std::mutex> hold(mutex);
	auto found = pinned().find((const char *)p);
	if (found == pinned().end())
		return keep(cudaErrorInvalidValue);
	mmap(p, found->second, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
	pinned().erase(found);
	return cudaSuccess;
}

cudaError_t cudaHostGetDevicePointer(void **out, void *host, unsigned) {
	*out = host;
	cudaError_t error = enter();
	return keep(error == cudaSuccess && !is_pinned(host, 0) ? cudaErrorInvalidValue : error);
}

/* ---- copies and fills ---- */

static bool is_on_device(const void *p, size_t bytes) {
	return arena_of(p, bytes) >= 0 || is_pinned(p, bytes);
}

/* A copy of rows, of one where it has but one dimension.  Pinned memory must still be there when its turn has come. */
struct copy_of {
	void *to;
	const void *from;
	size_t to_pitch, from_pitch, width, height;
	cudaMemcpyKind kind;
	bool was_pinned;

	const void *on_host() const {
		return kind == cudaMemcpyHostToDevice ? from : to;
	}
	void begin() {
		was_pinned = kind != cudaMemcpyDeviceToDevice && is_pinned(on_host(), 1);
	}
	bool is_within() const {
		bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
		bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
		return (!to_device || is_on_device(to, (height - 1) * to_pitch + width)) &&
		       (!from_device || is_on_device(from, (height - 1) * from_pitch + width)) &&
		       (!was_pinned || is_pinned(on_host(), 1));
	}
	bool is_nothing() const {
		return width == 0 || height == 0;
	}
	void run_row(void *row_to, const void *row_from) const {
		memmove(row_to, row_from, width);
		state_copied(row_to, row_from, width);
	}
	void run() const {
		arena_access access(ALL_DEVICES);
		for (size_t row = 0; row < height; row++)
			run_row((char *)to + row * to_pitch, (const char *)from + row * from_pitch);
	}
};

struct fill_of {
	void *to;
	size_t pitch, width, height;
	int value;

	void begin() {
	}
	bool is_within() const {
		return is_on_device(to, (height - 1) * pitch + width);
	}
	bool is_nothing() const {
		return width == 0 || height == 0;
	}
	void run() const {
		arena_access access(ALL_DEVICES);
		for (size_t row = 0; row < height; row++) {
			memset((char *)to + row * pitch, value, width);
			state_written((char *)to + row * pitch, width);
		}
	}
};

/* At once, on the default stream. */
template <class W> static cudaError_t do_now(const W &work) {
	guard hold(runtime_mutex());
	cudaError_t error = enter();
	if (error != cudaSuccess || work.is_nothing())
		return keep(error);
	if (!work.is_within())
		return keep(cudaErrorInvalidValue);
	finish_blocking(current_device());
	work.run();
	return cudaSuccess;
}

/* In the stream's order.  Host memory, pinned or not, is read and written when the turn has come: that a copy of pageable
 * memory "might be synchronous" is all that the documentation promises (CUDA Runtime API, API synchronization behavior). */
template <class W> static cudaError_t do_in(cudaStream_t stream, W work) {
	guard hold(runtime_mutex());
	int device = device_of(stream);
	if (device < 0)
		return keep(cudaErrorInvalidResourceHandle);
	cudaError_t error = enter(device);
	if (error != cudaSuccess || work.is_nothing())
		return keep(error);
	if (!work.is_within())
		return keep(cudaErrorInvalidValue);
	work.begin();
	return keep(submit(stream, [work] {
		if (!work.is_within()) {
			fprintf(stderr, "CUDA emulator: memory was freed before a copy or a fill of it had its turn\n");
			abort();
		}
		work.run();
	}));
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind) {
	return do_now(copy_of{to, from, bytes, bytes, bytes, 1, kind, false});
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
	return do_in(stream, copy_of{to, from, bytes, bytes, bytes, 1, kind, false});
}

cudaError_t cudaMemcpy2DAsync(void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t width,
                              size_t height, cudaMemcpyKind kind, cudaStream_t stream) {
	if (width > to_pitch || width > from_pitch)
		return keep(cudaErrorInvalidPitchValue);
	return do_in(stream, copy_of{to, from, to_pitch, from_pitch, width, height, kind, false});
}

cudaError_t cudaMemset(void *to, int value, size_t bytes) {
	return do_now(fill_of{to, bytes, bytes, 1, value});
}

cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t stream) {
	return do_in(stream, fill_of{to, bytes, bytes, 1, value});
}

cudaError_t cudaMemset2DAsync(void *to, size_t pitch, int value, size_t width, size_t height, cudaStream_t stream) {
	if (width > pitch)
		return keep(cudaErrorInvalidPitchValue);
	return do_in(stream, fill_of{to, pitch, width, height, value});
}
