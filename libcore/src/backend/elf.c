/* Whether a library is whole.  The dynamic linker maps what the program headers say and touches it: a file that was cut
 * short (a copy that failed, a full disk) would kill the process with SIGBUS rather than be refused. */
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/registry.h"

enum { MOST_HEADERS = 512 };

static int read_at(int fd, void *out, size_t bytes, uint64_t offset) {
	return offset <= INT64_MAX && pread(fd, out, bytes, (off_t)offset) == (ssize_t)bytes;
}

/* Whether every loaded segment lies inside a file of this size. */
static int segments_inside(int fd, const ElfW(Ehdr) * header, uint64_t size) {
	for (unsigned i = 0; i < header->e_phnum; i++) {
		ElfW(Phdr) segment;
		if (!read_at(fd, &segment, sizeof segment, header->e_phoff + (uint64_t)i * sizeof segment))
			return 0;
		if (segment.p_type != PT_LOAD && segment.p_type != PT_DYNAMIC)
			continue;
		if (segment.p_offset > size || segment.p_filesz > size - segment.p_offset)
			return 0;
	}
	return 1;
}

/* Only files of this machine's kind are looked into: the linker has better words for the others. */
static int looks_native(const ElfW(Ehdr) * header) {
	return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
	       header->e_ident[EI_CLASS] == (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) &&
	       header->e_phentsize == sizeof(ElfW(Phdr)) && header->e_phnum <= MOST_HEADERS;
}

int mt__library_is_whole(const char *path) {
	ElfW(Ehdr) header;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 1; /* the linker will say why */
	int whole = 1;
	if (fstat(fd, &st) == 0 && read_at(fd, &header, sizeof header, 0) && looks_native(&header))
		whole = segments_inside(fd, &header, (uint64_t)st.st_size);
	close(fd);
	return whole;
}
