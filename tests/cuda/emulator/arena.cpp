#include "arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <map>
#include <mutex>

#include "blocks.h"

namespace mt_emulated {

constexpr size_t ALIGNMENT = 256, GUARD_BYTES = 256, DIRTIED = 64 << 10, CHUNK = 2 << 20;
constexpr size_t PAGE = 64 << 10; /* a multiple of any system's */
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
static void fence(size_t at, size_t bytes, int how) {
	if (is_fenced() && mprotect(arena + at + room_of(bytes) - PAGE, PAGE, how) != 0) {
		perror("CUDA emulator: mprotect");
		abort();
	}
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

/* Bytes of the guard that follows a block. */
static size_t guard_after(size_t bytes) {
	return is_fenced() ? rounded_up(bytes, ALIGNMENT) - bytes : GUARD_BYTES;
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
	char *begin = arena + begin_of(at, bytes);
	memset(begin - GUARD_BYTES, GUARD, GUARD_BYTES);
	memset(begin + bytes, GUARD, guard_after(bytes));
	fence(at, bytes, PROT_NONE);
	memset(begin, DIRT, bytes < DIRTIED ? bytes : DIRTIED);
	blocks()[at] = bytes;
	used += bytes;
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
static void unmap(char *begin, size_t bytes) {
	size_t offset = (size_t)(begin - arena), first = (offset + CHUNK - 1) / CHUNK * CHUNK;
	size_t last = (offset + bytes) / CHUNK * CHUNK;
	if (first < last)
		madvise(arena + first, last - first, MADV_DONTNEED);
}

/* The last block that begins, guard included, at `offset` or before. */
static std::map<size_t, size_t>::iterator block_of(size_t offset) {
	auto after = blocks().upper_bound(offset);
	return after == blocks().begin() ? blocks().end() : --after;
}

bool arena_free(void *p) {
	arena_access access;
	std::lock_guard<std::mutex> hold(mutex);
	auto found = block_of((size_t)((char *)p - arena));
	if (!arena || found == blocks().end() || (char *)p != arena + begin_of(found->first, found->second))
		return false;
	size_t bytes = found->second;
	check_guards((char *)p, bytes);
	fence(found->first, bytes, PROT_READ | PROT_WRITE);
	blocks().erase(found);
	used -= bytes;
	unmap((char *)p, bytes);
	return true;
}

size_t arena_used() {
	std::lock_guard<std::mutex> hold(mutex);
	return used;
}

bool arena_has(const void *p, size_t bytes) {
	std::lock_guard<std::mutex> hold(mutex);
	if (!arena || (uintptr_t)p < (uintptr_t)arena || (uintptr_t)p >= (uintptr_t)arena + 2 * MEMORY_BYTES)
		return false;
	size_t offset = (size_t)((const char *)p - arena);
	auto found = block_of(offset);
	if (found == blocks().end())
		return false;
	size_t begin = begin_of(found->first, found->second), end = begin + found->second;
	return offset >= begin && offset <= end && bytes <= end - offset;
}

} // namespace mt_emulated
