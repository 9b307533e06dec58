#include "arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <map>
#include <mutex>

#include "blocks.h"
#include "memory_state.h"

namespace mt_emulated {

constexpr size_t ALIGNMENT = 256, GUARD_BYTES = ARENA_GUARD_BYTES, DIRTIED = 64 << 10, CHUNK = 2 << 20;
constexpr unsigned char GUARD = 0xA5, DIRT = 0xFF;

/* Memory is reserved, and mapped as it is used.  What lies below `opened` is what there is to protect. */
static std::mutex mutex;
static char *arena;
static size_t opened, used;
static unsigned users;

static std::map<size_t, size_t> &blocks() { /* where each begins, guard included, and its bytes without */
	static std::map<size_t, size_t> all;
	return all;
}

static size_t room_of(size_t bytes) {
	return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + 2 * GUARD_BYTES;
}

/* MT_EMULATOR_PROTECT=1: memory that nobody may touch cannot be touched, at the price of two system calls each time. */
static bool is_strict() {
	static const char *const text = getenv("MT_EMULATOR_PROTECT");
	return text && strcmp(text, "1") == 0;
}

static void protect(int how) {
	if (mprotect(arena, opened, how) != 0) {
		perror("CUDA emulator: mprotect");
		abort();
	}
}

static void grow(size_t end) {
	if (end <= opened)
		return;
	opened = (end + CHUNK - 1) / CHUNK * CHUNK;
	protect(users > 0 || !is_strict() ? PROT_READ | PROT_WRITE : PROT_NONE);
}

arena_access::arena_access() {
	std::lock_guard<std::mutex> hold(mutex);
	if (users++ == 0 && opened > 0 && is_strict())
		protect(PROT_READ | PROT_WRITE);
}

arena_access::~arena_access() {
	std::lock_guard<std::mutex> hold(mutex);
	if (--users == 0 && opened > 0 && is_strict())
		protect(PROT_NONE);
}

/* The first gap that is large enough. */
static size_t find_gap(size_t room) {
	size_t at = 0;
	for (const auto &block : blocks()) {
		if (block.first - at >= room)
			break;
		at = block.first + room_of(block.second);
	}
	return at;
}

static bool reserve() {
	void *memory = mmap(nullptr, 2 * MEMORY_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return false;
	arena = (char *)memory;
	return true;
}

void *arena_allocate(size_t bytes) {
	arena_access access;
	std::lock_guard<std::mutex> hold(mutex);
	if (bytes > MEMORY_BYTES - used || (!arena && !reserve()))
		return nullptr;
	size_t at = find_gap(room_of(bytes));
	if (at + room_of(bytes) > 2 * MEMORY_BYTES)
		return nullptr;
	grow(at + room_of(bytes));
	char *begin = arena + at + GUARD_BYTES;
	memset(begin - GUARD_BYTES, GUARD, GUARD_BYTES);
	memset(begin + bytes, GUARD, GUARD_BYTES);
	memset(begin, DIRT, bytes < DIRTIED ? bytes : DIRTIED);
	state_allocated(begin, bytes);
	blocks()[at] = bytes;
	used += bytes;
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
static void unmap(char *begin, size_t bytes) {
	size_t offset = (size_t)(begin - arena), first = (offset + CHUNK - 1) / CHUNK * CHUNK;
	size_t last = (offset + bytes) / CHUNK * CHUNK;
	if (first < last)
		madvise(arena + first, last - first, MADV_DONTNEED);
}

bool arena_free(void *p) {
	arena_access access;
	std::lock_guard<std::mutex> hold(mutex);
	auto found = blocks().find((size_t)((char *)p - arena) - GUARD_BYTES);
	if (!arena || found == blocks().end())
		return false;
	size_t bytes = found->second;
	check_guards((char *)p, bytes);
	blocks().erase(found);
	used -= bytes;
	state_freed(p, bytes);
	unmap((char *)p, bytes);
	return true;
}

size_t arena_used() {
	std::lock_guard<std::mutex> hold(mutex);
	return used;
}

bool arena_find(const void *p, const void **block, size_t *bytes) {
	std::lock_guard<std::mutex> hold(mutex);
	if (!arena || (uintptr_t)p < (uintptr_t)arena || (uintptr_t)p >= (uintptr_t)arena + 2 * MEMORY_BYTES)
		return false;
	size_t offset = (size_t)((const char *)p - arena);
	auto after = blocks().upper_bound(offset);
	if (after == blocks().begin())
		return false;
	--after;
	*block = arena + after->first + GUARD_BYTES;
	*bytes = after->second;
	return offset >= after->first + GUARD_BYTES && offset <= after->first + GUARD_BYTES + after->second;
}

bool arena_has(const void *p, size_t bytes) {
	const void *block;
	size_t all;
	return arena_find(p, &block, &all) && bytes <= all - (size_t)((const char *)p - (const char *)block);
}

size_t arena_bounds(const void **begin) {
	*begin = arena;
	return arena ? 2 * MEMORY_BYTES : 0;
}

} // namespace mt_emulated
