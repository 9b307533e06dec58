#include "memory_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arena.h"
#include "devices.h"

namespace mt_emulated {

/* A byte of state for each byte of memory.  What was never allocated cannot be touched: no page of it is there. */
enum : unsigned char { FRESH, OUTSIDE, WRITTEN };
constexpr unsigned char ALL_WRITTEN[16] = {WRITTEN, WRITTEN, WRITTEN, WRITTEN, WRITTEN, WRITTEN, WRITTEN, WRITTEN,
                                           WRITTEN, WRITTEN, WRITTEN, WRITTEN, WRITTEN, WRITTEN, WRITTEN, WRITTEN};
constexpr size_t MUCH = 1 << 20; /* bytes: from then on pages are given back instead of filled */

static struct {
	uintptr_t begin;
	size_t bytes;
	unsigned char *states;
} arenas[MOST_DEVICES];

void state_reserved(int device, const void *begin, size_t bytes) {
	if (!is_watching)
		return;
	void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED) {
		perror("CUDA emulator: the state of memory");
		abort();
	}
	arenas[device] = {(uintptr_t)begin, bytes, (unsigned char *)memory};
}

/* Of a byte of memory, NULL where p is something else. */
static unsigned char *state_of(const void *p) {
	for (const auto &a : arenas)
		if ((uintptr_t)p - a.begin < a.bytes)
			return a.states + ((uintptr_t)p - a.begin);
	return nullptr;
}

size_t state_bounds(int device, const void **begin) {
	*begin = (const void *)arenas[device].begin;
	return arenas[device].bytes;
}

void state_allocated(const void *p, size_t bytes) {
	unsigned char *state = state_of(p);
	if (!state)
		return;
	memset(state - ARENA_GUARD_BYTES, OUTSIDE, ARENA_GUARD_BYTES);
	memset(state + bytes, OUTSIDE, ARENA_GUARD_BYTES);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *first = (unsigned char *)(((uintptr_t)state + page - 1) & ~(page - 1));
	unsigned char *end = (unsigned char *)((uintptr_t)(state + bytes) & ~(page - 1));
	if (bytes < MUCH || madvise(first, (size_t)(end - first), MADV_DONTNEED) != 0)
		first = end = state + bytes;
	memset(state, FRESH, (size_t)(first - state));
	memset(end, FRESH, (size_t)(state + bytes - end));
}

void state_freed(const void *p, size_t bytes) {
	unsigned char *state = state_of(p);
	if (state)
		memset(state, OUTSIDE, bytes < MUCH ? bytes : MUCH);
}

void state_written(const void *p, size_t bytes) {
	unsigned char *state = state_of(p);
	if (state)
		memset(state, WRITTEN, bytes);
}

void state_copied(const void *to, const void *from, size_t bytes) {
	unsigned char *state = state_of(to), *source = state_of(from);
	if (state && source)
		memmove(state, source, bytes);
	else if (state)
		memset(state, WRITTEN, bytes);
}

void check_state(const access_at &a) {
	unsigned char *state = state_of(a.p);
	if (a.bytes <= sizeof ALL_WRITTEN && memcmp(state, ALL_WRITTEN, a.bytes) == 0)
		return;
	bool reads = a.how == access::read || a.how == access::strong_read;
	for (size_t i = 0; i < a.bytes; i++) {
		if (state[i] == OUTSIDE)
			report_outside(a);
		if (state[i] == FRESH && reads)
			report_unwritten(a);
		state[i] = WRITTEN;
	}
}

} // namespace mt_emulated
