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
#include "streams.h"

namespace mt_emulated {

constexpr size_t ALIGNMENT = 256, GUARD_BYTES = 256, DIRTIED = 64 << 10, CHUNK = 2 << 20;
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

static size_t room_of(size_t bytes) {
	return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + 2 * GUARD_BYTES;
}

/* MT_EMULATOR_PROTECT=1: memory that nobody may touch cannot be touched, at the price of two system calls each time. */
static bool is_strict() {
	static const char *const text = getenv("MT_EMULATOR_PROTECT");
	return text && strcmp(text, "1") == 0;
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

static bool reserve(arena &a) {
	void *memory = mmap(nullptr, 2 * MEMORY_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return false;
	a.memory = (char *)memory;
	return true;
}

void *arena_allocate(int device, size_t bytes) {
	arena_access access(1u << device);
	std::lock_guard<std::mutex> hold(mutex);
	arena &a = arena_at(device);
	if (a.used > memory_bytes() || bytes > memory_bytes() - a.used || (!a.memory && !reserve(a)))
		return nullptr;
	size_t at = find_gap(a, room_of(bytes));
	if (at + room_of(bytes) > 2 * MEMORY_BYTES)
		return nullptr;
	grow(a, at + room_of(bytes));
	char *begin = a.memory + at + GUARD_BYTES;
	memset(begin - GUARD_BYTES, GUARD, GUARD_BYTES);
	memset(begin + bytes, GUARD, GUARD_BYTES);
	memset(begin, DIRT, bytes < DIRTIED ? bytes : DIRTIED);
	a.blocks[at] = bytes;
	a.used += bytes;
	return begin;
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

bool arena_free(void *p) {
	arena_access access(ALL_DEVICES);
	std::lock_guard<std::mutex> hold(mutex);
	int device;
	arena *a = arena_around(p, &device);
	if (!a)
		return false;
	auto found = a->blocks.find((size_t)((char *)p - a->memory) - GUARD_BYTES);
	if (found == a->blocks.end())
		return false;
	size_t bytes = found->second;
	check_guards((char *)p, bytes);
	a->blocks.erase(found);
	a->used -= bytes;
	unmap(*a, (char *)p, bytes);
	memset(p, FREED, bytes < DIRTIED ? bytes : DIRTIED);
	return true;
}

size_t arena_used(int device) {
	std::lock_guard<std::mutex> hold(mutex);
	return arena_at(device).used;
}

int arena_of(const void *p, size_t bytes) {
	std::lock_guard<std::mutex> hold(mutex);
	int device;
	const arena *a = arena_around(p, &device);
	if (!a)
		return -1;
	size_t offset = (size_t)((const char *)p - a->memory);
	auto after = a->blocks.upper_bound(offset);
	if (after == a->blocks.begin())
		return -1;
	--after;
	size_t begin = after->first + GUARD_BYTES, end = begin + after->second;
	return offset >= begin && offset <= end && bytes <= end - offset ? device : -1;
}

} // namespace mt_emulated
