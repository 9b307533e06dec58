#include "arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <map>
#include <mutex>

#include "blocks.h"
#include "devices.h"
#include "memory_state.h"
#include "streams.h"

namespace mt_emulated {

constexpr size_t ALIGNMENT = 256, GUARD_BYTES = ARENA_GUARD_BYTES, DIRTIED = 64 << 10, CHUNK = 2 << 20;
constexpr size_t PAGE = 64 << 10; /* a multiple of any system's */
constexpr unsigned char GUARD = 0xA5, DIRT = 0xFF, FREED = 0xFE;

/* Memory is reserved, and mapped as it is used.  What lies below `opened` is what there is to protect. */
struct arena {
	char *memory;
	size_t opened, used;
	unsigned users;
	std::map<size_t, size_t> blocks; /* where each begins, guard included, and its bytes without */
};

static std::mutex mutex;

static arena &arena_at(int device) {
	static arena *const all = new arena[MOST_DEVICES](); /* exit handlers may still come here */
	return all[device];
}

static bool asks_for(const char *text) {
	return text && strcmp(text, "1") == 0;
}

/* MT_EMULATOR_FENCE=1: each block ends where memory does that can be touched, but for its alignment: reads past it fault. */
static bool is_fenced() {
	static const bool asked = asks_for(getenv("MT_EMULATOR_FENCE"));
	return asked;
}

/* MT_EMULATOR_PROTECT=1: memory that nobody may touch cannot be touched, at the price of two system calls each time. */
static bool is_strict() {
	static const bool asked = asks_for(getenv("MT_EMULATOR_PROTECT")) && !is_fenced();
	return asked;
}

static size_t rounded_up(size_t bytes, size_t multiple) {
	return (bytes + multiple - 1) / multiple * multiple;
}

static size_t room_of(size_t bytes) {
	if (is_fenced())
		return rounded_up(rounded_up(bytes, ALIGNMENT) + GUARD_BYTES, PAGE) + PAGE;
	return rounded_up(bytes, ALIGNMENT) + 2 * GUARD_BYTES;
}

/* Where in the arena the bytes begin that lie in the room at `at`. */
static size_t begin_of(size_t at, size_t bytes) {
	return at + (is_fenced() ? room_of(bytes) - PAGE - rounded_up(bytes, ALIGNMENT) : GUARD_BYTES);
}

/* The fence of the room at `at` is put up, or taken down. */
static void fence(const arena &a, size_t at, size_t bytes, int how) {
	if (is_fenced() && mprotect(a.memory + at + room_of(bytes) - PAGE, PAGE, how) != 0) {
		perror("CUDA emulator: mprotect");
		abort();
	}
}

static void protect(const arena &a, int how) {
	if (mprotect(a.memory, a.opened, how) != 0) {
		perror("CUDA emulator: mprotect");
		abort();
	}
}

static void grow(arena &a, size_t end) {
	if (end <= a.opened)
		return;
	a.opened = (end + CHUNK - 1) / CHUNK * CHUNK;
	protect(a, a.users > 0 || !is_strict() ? PROT_READ | PROT_WRITE : PROT_NONE);
}

arena_access::arena_access() : arena_access(running_device() < 0 ? ALL_DEVICES : 1u << running_device()) {
}

arena_access::arena_access(unsigned which) : devices(which) {
	std::lock_guard<std::mutex> hold(mutex);
	for (int d = 0; d < MOST_DEVICES; d++) {
		arena &a = arena_at(d);
		if ((devices >> d & 1) != 0 && a.users++ == 0 && a.opened > 0 && is_strict())
			protect(a, PROT_READ | PROT_WRITE);
	}
}

arena_access::~arena_access() {
	std::lock_guard<std::mutex> hold(mutex);
	for (int d = 0; d < MOST_DEVICES; d++) {
		arena &a = arena_at(d);
		if ((devices >> d & 1) != 0 && --a.users == 0 && a.opened > 0 && is_strict())
			protect(a, PROT_NONE);
	}
}

/* The first gap that is large enough. */
static size_t find_gap(const arena &a, size_t room) {
	size_t at = 0;
	for (const auto &block : a.blocks) {
		if (block.first - at >= room)
			break;
		at = block.first + room_of(block.second);
	}
	return at;
}

static bool reserve(int device) {
	arena &a = arena_at(device);
	void *memory = mmap(nullptr, 2 * MEMORY_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return false;
	a.memory = (char *)memory;
	state_reserved(device, memory, 2 * MEMORY_BYTES);
	return true;
}

/* Bytes of the guard that follows a block. */
static size_t guard_after(size_t bytes) {
	return is_fenced() ? rounded_up(bytes, ALIGNMENT) - bytes : GUARD_BYTES;
}

void *arena_allocate(int device, size_t bytes) {
	arena_access access(1u << device);
	std::lock_guard<std::mutex> hold(mutex);
	arena &a = arena_at(device);
	if (a.used > memory_bytes() || bytes > memory_bytes() - a.used || (!a.memory && !reserve(device)))
		return nullptr;
	size_t at = find_gap(a, room_of(bytes));
	if (at + room_of(bytes) > 2 * MEMORY_BYTES)
		return nullptr;
	grow(a, at + room_of(bytes));
	char *begin = a.memory + begin_of(at, bytes);
	memset(begin - GUARD_BYTES, GUARD, GUARD_BYTES);
	memset(begin + bytes, GUARD, guard_after(bytes));
	fence(a, at, bytes, PROT_NONE);
	memset(begin, DIRT, bytes < DIRTIED ? bytes : DIRTIED);
	state_allocated(begin, bytes);
	a.blocks[at] = bytes;
	a.used += bytes;
	return begin;
}

static void check_guards(const char *begin, size_t bytes) {
	for (size_t i = 0; i < GUARD_BYTES; i++) {
		bool before = (unsigned char)begin[-1 - (ptrdiff_t)i] != GUARD;
		if (before || (i < guard_after(bytes) && (unsigned char)begin[bytes + i] != GUARD)) {
			fprintf(stderr, "CUDA emulator: something was written %zu bytes %s a block of %zu bytes of memory\n",
			        before ? i + 1 : i, before ? "before" : "after", bytes);
			abort();
		}
	}
}

/* Gives the pages inside of a block back. */
static void unmap(const arena &a, char *begin, size_t bytes) {
	size_t offset = (size_t)(begin - a.memory), first = (offset + CHUNK - 1) / CHUNK * CHUNK;
	size_t last = (offset + bytes) / CHUNK * CHUNK;
	if (first < last)
		madvise(a.memory + first, last - first, MADV_DONTNEED);
}

static arena *arena_around(const void *p, int *device) {
	for (int d = 0; d < MOST_DEVICES; d++) {
		arena &a = arena_at(d);
		*device = d;
		if (a.memory && (uintptr_t)p >= (uintptr_t)a.memory && (uintptr_t)p < (uintptr_t)a.memory + 2 * MEMORY_BYTES)
			return &a;
	}
	return nullptr;
}

/* The last block that begins, guard included, at `offset` or before. */
static std::map<size_t, size_t>::iterator block_of(arena &a, size_t offset) {
	auto after = a.blocks.upper_bound(offset);
	return after == a.blocks.begin() ? a.blocks.end() : --after;
}

bool arena_free(void *p) {
	arena_access access(ALL_DEVICES);
	std::lock_guard<std::mutex> hold(mutex);
	int device;
	arena *a = arena_around(p, &device);
	if (!a)
		return false;
	auto found = block_of(*a, (size_t)((char *)p - a->memory));
	if (found == a->blocks.end() || (char *)p != a->memory + begin_of(found->first, found->second))
		return false;
	size_t bytes = found->second;
	check_guards((char *)p, bytes);
	fence(*a, found->first, bytes, PROT_READ | PROT_WRITE);
	a->blocks.erase(found);
	a->used -= bytes;
	state_freed(p, bytes);
	unmap(*a, (char *)p, bytes);
	memset(p, FREED, bytes < DIRTIED ? bytes : DIRTIED);
	return true;
}

size_t arena_used(int device) {
	std::lock_guard<std::mutex> hold(mutex);
	return arena_at(device).used;
}

/* The block that p lies in, or ends at: its device, −1 where there is none. */
static int find_block(const void *p, const char **block, size_t *bytes) {
	std::lock_guard<std::mutex> hold(mutex);
	int device;
	arena *a = arena_around(p, &device);
	if (!a)
		return -1;
	size_t offset = (size_t)((const char *)p - a->memory);
	auto found = block_of(*a, offset);
	if (found == a->blocks.end())
		return -1;
	size_t begin = begin_of(found->first, found->second);
	*block = a->memory + begin;
	*bytes = found->second;
	return offset >= begin && offset <= begin + found->second ? device : -1;
}

int arena_of(const void *p, size_t bytes) {
	const char *block;
	size_t all;
	int device = find_block(p, &block, &all);
	return device >= 0 && bytes <= all - (size_t)((const char *)p - block) ? device : -1;
}

bool arena_find(const void *p, const void **block, size_t *bytes) {
	const char *begin;
	bool found = find_block(p, &begin, bytes) >= 0;
	*block = begin;
	return found;
}

} // namespace mt_emulated
