#include "shadow.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <array>
#include <deque>

#include "devices.h"
#include "memory_state.h"
#include "shared.h"
#include "streams.h"

namespace mt_emulated {

region regions[REGIONS] = {
	{"device memory", 0, 0, nullptr, 0},
	{"dynamic shared memory", 0, 0, nullptr, 0},
	{"static shared memory", 0, 0, nullptr, 0},
};

static cell *of_device[MOST_DEVICES];
static uint32_t runs;
static std::deque<std::array<cell, 4>> narrow;
static std::deque<strong_marks> strong;

/* Zeros, there once they are touched. */
static cell *map_cells(size_t bytes) {
	void *cells = mmap(nullptr, (bytes / 4 + 1) * sizeof(cell), PROT_READ | PROT_WRITE,
	                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (cells == MAP_FAILED) {
		perror("CUDA emulator: the shadow of memory");
		abort();
	}
	return (cell *)cells;
}

static void place(region &r, const void *begin, size_t bytes, size_t room) {
	r.begin = (uintptr_t)begin & ~(uintptr_t)3;
	r.bytes = bytes + ((uintptr_t)begin & 3);
	if (!r.cells && room > 0)
		r.cells = map_cells(room);
}

void shadow_begin_launch() {
	const void *begin;
	int device = running_device() < 0 ? 0 : running_device();
	size_t offset, bytes = state_bounds(device, &begin);
	regions[MEMORY].cells = of_device[device];
	place(regions[MEMORY], begin, bytes, bytes);
	of_device[device] = regions[MEMORY].cells;
	bytes = dynamic_shared_bounds(&begin);
	place(regions[DYNAMIC_SHARED], begin, bytes, SHARED_BYTES_OF_ALL);
	bytes = static_shared_bounds(&begin, &offset);
	place(regions[STATIC_SHARED], begin, bytes, bytes + 3);
	narrow.resize(1);
	strong.resize(1);
	regions[MEMORY].run = ++runs;
}

void shadow_begin_block() {
	regions[DYNAMIC_SHARED].run = regions[STATIC_SHARED].run = ++runs;
}

uint32_t new_cells(const cell &each) {
	narrow.push_back({each, each, each, each});
	if (each.strong != 0)
		for (cell &one : narrow.back()) {
			one.strong = new_strong();
			strong.back() = strong[each.strong];
		}
	return (uint32_t)narrow.size() - 1;
}

cell *cells_of(uint32_t which) {
	return narrow[which].data();
}

uint32_t new_strong() {
	strong.push_back({});
	return (uint32_t)strong.size() - 1;
}

strong_marks *strong_of(uint32_t which) {
	return &strong[which];
}

} // namespace mt_emulated
