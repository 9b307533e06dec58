#include "race_report.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include <string>

#include "arena.h"
#include "emulated_grid.h"
#include "shadow.h"
#include "shared.h"

namespace mt_emulated {

int32_t code_number(const void *code) {
	return (int32_t)((const char *)code - (const char *)&code_number);
}

/* The line of a call's return address, innermost function first; by addr2line, or how to ask it. */
static void print_code(int32_t number) {
	const char *code = (const char *)&code_number + number - 1;
	Dl_info info;
	if (!dladdr(code, &info))
		return;
	char offset[32], line[1024];
	snprintf(offset, sizeof offset, "%#zx", (size_t)(code - (const char *)info.dli_fbase));
	std::string command = std::string("addr2line -Cpsfie '") + info.dli_fname + "' " + offset;
	size_t lines = 0;
	FILE *answer = popen((command + " 2>/dev/null").c_str(), "r");
	for (; answer && fgets(line, sizeof line, answer); lines++)
		fprintf(stderr, "    %s", line);
	if (answer)
		pclose(answer);
	if (lines == 0)
		fprintf(stderr, "    %s\n", command.c_str());
}

static void print_thread(uint32_t block, unsigned thread) {
	fprintf(stderr, "  thread %u (%u, %u, %u) of block (%u, %u, %u) ", thread, thread % blockDim.x,
	        thread / blockDim.x % blockDim.y, thread / blockDim.x / blockDim.y, block % gridDim.x,
	        block / gridDim.x % gridDim.y, block / gridDim.x / gridDim.y);
}

static const char *verb(access how) {
	switch (how) {
	case access::read:
		return "reads";
	case access::write:
		return "writes";
	case access::strong_read:
		return "reads as volatile";
	case access::strong_write:
		return "changes by an atomic, or as volatile";
	case access::copy:
		return "begins an asynchronous copy";
	default:
		return "waits for an asynchronous copy";
	}
}

/* The array in static shared memory, as the symbol table has it. */
static void print_array(const void *p) {
	Dl_info info;
	const void *begin;
	size_t offset, size;
	(void)static_shared_bounds(&begin, &offset);
	offset += (size_t)((const char *)p - (const char *)begin);
	if (!dladdr((const void *)&code_number, &info))
		return;
	FILE *symbols = popen((std::string("readelf -sW '") + info.dli_fname + "' 2>/dev/null").c_str(), "r");
	char line[4096], name[4096];
	for (size_t first; symbols && fgets(line, sizeof line, symbols);)
		if (sscanf(line, " %*d: %zx %zi TLS %*s %*s %*s %4095s", &first, &size, name) == 3 && offset - first < size) {
			char *plain = abi::__cxa_demangle(name, nullptr, nullptr, nullptr);
			fprintf(stderr, ", %zu of %s", offset - first, plain ? plain : name);
			free(plain);
		}
	if (symbols)
		pclose(symbols);
}

static void print_place(const access_at &a) {
	const void *block;
	size_t bytes;
	if (a.in_memory && arena_find(a.p, &block, &bytes))
		fprintf(stderr, "%zu bytes at %zu of a block of %zu bytes of device memory", a.bytes,
		        (size_t)((const char *)a.p - (const char *)block), bytes);
	else if (region *r = region_of(a.p))
		fprintf(stderr, "%zu bytes at %zu of %s", a.bytes, (size_t)((uintptr_t)a.p - r->begin), r->name);
	if (region_of(a.p) == &regions[STATIC_SHARED])
		print_array(a.p);
	fprintf(stderr, "\n");
}

static void print(const char *what, const access_at &a) {
	describe_kernel();
	fprintf(stderr, "CUDA emulator: %s: ", what);
	print_place(a);
	print_thread(now.block, now.thread);
	fprintf(stderr, "%s:\n", verb(a.how));
	print_code(a.code);
}

void report_race(const access_at &a, access earlier, const mark &m) {
	print("a race", a);
	print_thread(m.block, thread_of(m));
	if (m.time == IN_FLIGHT)
		fprintf(stderr, "has begun an asynchronous copy and not waited for it:\n");
	else if (m.block != now.block)
		fprintf(stderr, "%s, and blocks are in no order:\n", verb(earlier));
	else
		fprintf(stderr, "%s, with no barrier between them:\n", verb(earlier));
	print_code(m.code);
	abort();
}

void report_unwritten(const access_at &a) {
	print("read before anybody has written it", a);
	abort();
}

void report_outside(const access_at &a) {
	print("outside of every block of device memory", a);
	abort();
}

} // namespace mt_emulated
