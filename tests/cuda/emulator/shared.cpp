#include "shared.h"

#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "emulated_grid.h"
#include "gpu.h"

namespace mt_emulated {

constexpr size_t ALIGNMENT = 32; /* of dynamic shared memory: as launch.cuh declares it */
constexpr unsigned char POISON = 0xFF, GUARD = 0xA5;

static unsigned char *end;   /* of all the memory there is for it */
static unsigned char *begin; /* of the launch's */
static size_t length;

static bool map_memory() {
	size_t page = (size_t)sysconf(_SC_PAGESIZE), most = (size_t)gpu().shared_of_all + 2 * ALIGNMENT;
	size_t room = (most + page - 1) / page * page;
	void *memory = mmap(nullptr, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return false;
	end = (unsigned char *)memory + room;
	return mprotect(end, page, PROT_NONE) == 0;
}

/* ---- static ---- */

static unsigned char *static_begin;
static size_t static_length, static_offset;

static int find_static(struct dl_phdr_info *info, size_t, void *) {
	bool is_this = false;
	const ElfW(Phdr) *variables = nullptr;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		if (h->p_type == PT_TLS)
			variables = h;
		else if (h->p_type == PT_LOAD)
			is_this |= (uintptr_t)&end - info->dlpi_addr - h->p_vaddr < h->p_memsz;
	}
	if (is_this && variables && info->dlpi_tls_data) {
		static_begin = (unsigned char *)info->dlpi_tls_data + variables->p_filesz;
		static_offset = variables->p_filesz;
		static_length = variables->p_memsz - variables->p_filesz;
	}
	return is_this;
}

void poison_static_shared() {
	(void)cudaPeekAtLastError(); /* touches a thread-local variable: from then on the thread has them */
	static_length = 0;
	dl_iterate_phdr(find_static, nullptr);
	if (static_length > 0)
		memset(static_begin, POISON, static_length);
}

size_t static_shared_bounds(const void **where, size_t *offset) {
	*offset = static_offset;
	*where = static_begin;
	return static_length;
}

/* ---- dynamic ---- */

bool place_dynamic_shared(size_t bytes) {
	if (!end && !map_memory())
		return false;
	length = bytes;
	begin = (unsigned char *)((uintptr_t)(end - bytes) / ALIGNMENT * ALIGNMENT);
	/* Before it lies a kernel's static shared memory: no more is promised. */
	if ((uintptr_t)begin % (2 * ALIGNMENT) == 0)
		begin -= ALIGNMENT;
	return true;
}

void poison_dynamic_shared() {
	memset(begin, POISON, length);
	memset(begin + length, GUARD, (size_t)(end - begin) - length);
}

bool dynamic_shared_is_whole() {
	for (unsigned char *guard = begin + length; guard < end; guard++)
		if (*guard != GUARD)
			return false;
	return true;
}

size_t dynamic_shared_bounds(const void **where) {
	*where = begin;
	return length;
}

void *dynamic_shared(size_t alignment) {
	if (alignment != ALIGNMENT)
		trap("dynamic shared memory is declared with another alignment than the emulator gives it (shared.cpp)");
	return begin;
}

} // namespace mt_emulated
