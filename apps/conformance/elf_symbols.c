#include "elf_symbols.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__ELF__)
#include <elf.h>
#endif

static int unreadable(char *names, size_t size, const char *why) {
	snprintf(names, size, "%s", why);
	return -1;
}

#if defined(__ELF__)

struct file {
	unsigned char *bytes;
	uint64_t size;
};

static int inside(const struct file *f, uint64_t offset, uint64_t bytes) {
	return offset <= f->size && bytes <= f->size - offset;
}

static int read_file(struct file *f, const char *path) {
	FILE *in = fopen(path, "rb");
	long size = -1;
	if (in != NULL && fseek(in, 0, SEEK_END) == 0)
		size = ftell(in);
	f->bytes = size > 0 ? malloc((size_t)size) : NULL;
	f->size = size > 0 ? (uint64_t)size : 0;
	int ok = f->bytes != NULL && fseek(in, 0, SEEK_SET) == 0 && fread(f->bytes, 1, (size_t)size, in) == (size_t)size;
	if (in != NULL)
		fclose(in);
	return ok;
}

static int is_visible(const Elf64_Sym *s) {
	int binding = ELF64_ST_BIND(s->st_info), visibility = ELF64_ST_VISIBILITY(s->st_other);
	return s->st_shndx != SHN_UNDEF && s->st_shndx != SHN_ABS && binding != STB_LOCAL &&
	       (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

static int list_symbols(const struct file *f, const Elf64_Shdr *table, const Elf64_Shdr *strings, char *names,
                        size_t size) {
	int n = 0;
	size_t used = 0;
	if (!inside(f, table->sh_offset, table->sh_size) || !inside(f, strings->sh_offset, strings->sh_size))
		return unreadable(names, size, "the file's symbol table is broken");
	names[0] = '\0';
	for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= table->sh_size; at += sizeof(Elf64_Sym)) {
		Elf64_Sym s;
		memcpy(&s, f->bytes + table->sh_offset + at, sizeof s);
		if (!is_visible(&s) || s.st_name >= strings->sh_size)
			continue;
		const char *name = (const char *)f->bytes + strings->sh_offset + s.st_name;
		int length = (int)strnlen(name, strings->sh_size - s.st_name);
		if (used < size)
			used += (size_t)snprintf(names + used, size - used, "%s%.*s", n > 0 ? " " : "", length, name);
		n++;
	}
	return n;
}

static int section(const struct file *f, const Elf64_Ehdr *head, uint64_t i, Elf64_Shdr *out) {
	uint64_t offset = head->e_shoff + i * head->e_shentsize;
	if (i >= head->e_shnum || head->e_shentsize < sizeof *out || !inside(f, offset, sizeof *out))
		return 0;
	memcpy(out, f->bytes + offset, sizeof *out);
	return 1;
}

static int find_symbols(const struct file *f, char *names, size_t size) {
	Elf64_Ehdr head;
	Elf64_Shdr table, strings;
	if (f->size < sizeof head || memcmp(f->bytes, ELFMAG, SELFMAG) != 0 || f->bytes[EI_CLASS] != ELFCLASS64)
		return unreadable(names, size, "not a 64-bit ELF file");
	memcpy(&head, f->bytes, sizeof head);
	for (uint64_t i = 0; section(f, &head, i, &table); i++)
		if (table.sh_type == SHT_DYNSYM && section(f, &head, table.sh_link, &strings))
			return list_symbols(f, &table, &strings, names, size);
	return unreadable(names, size, "the file has no dynamic symbol table");
}

int cf_exported_symbols(const char *path, char *names, size_t size) {
	struct file f = {NULL, 0};
	int n = read_file(&f, path) ? find_symbols(&f, names, size) : unreadable(names, size, "the file cannot be read");
	free(f.bytes);
	return n;
}

#else

int cf_exported_symbols(const char *path, char *names, size_t size) {
	(void)path;
	return unreadable(names, size, "no ELF here");
}

#endif
