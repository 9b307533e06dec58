/* Memory: allocation, transfers, copies (R9). */
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "structure.h"

enum { BLOCKS = 64, ROOM = 70001 };

static int32_t allocate(struct cf_structure_run *r, uint64_t bytes, void **out) {
	*out = NULL;
	cf_error_clear();
	return r->host->api->alloc(r->host->device, bytes, out);
}

static void release(struct cf_structure_run *r, void *base) {
	int32_t status = base != NULL ? r->host->api->free(r->host->device, base) : MT_OK;
	cf_expect(r, status == MT_OK, "free returns %d: %s", (int)status, cf_error());
}

static void alignment(struct cf_structure_run *r) {
	struct mt_device_info info = {.struct_size = sizeof info};
	cf_expect(r, r->host->plugin.device_info(r->target->ordinal, &info) == MT_OK, "device_info: %s", cf_error());
	for (uint64_t bytes = 1; bytes <= (uint64_t)1 << 26 && info.alignment > 0; bytes = bytes * 5 + 3) {
		void *p;
		if (!cf_expect(r, allocate(r, bytes, &p) == MT_OK && p != NULL, "alloc of %llu bytes: %s",
		               (unsigned long long)bytes, cf_error()))
			return;
		cf_expect(r, (uintptr_t)p % info.alignment == 0, "R9: %llu bytes are not aligned to %u",
		          (unsigned long long)bytes, info.alignment);
		release(r, p);
	}
}

static uint64_t block_bytes(int i) {
	return 1 + (uint64_t)i * 37 % 500;
}

/* Blocks that live at once share no byte. */
static void distinct(struct cf_structure_run *r) {
	void *blocks[BLOCKS] = {NULL};
	for (int i = 0; i < BLOCKS; i++)
		if (!cf_expect(r, allocate(r, block_bytes(i), &blocks[i]) == MT_OK && blocks[i] != NULL, "alloc: %s",
		               cf_error()))
			break;
	for (int i = 0; i < BLOCKS && blocks[i] != NULL; i++)
		for (int j = 0; j < i; j++) {
			uintptr_t a = (uintptr_t)blocks[i], b = (uintptr_t)blocks[j];
			cf_expect(r, a + block_bytes(i) <= b || b + block_bytes(j) <= a, "two blocks that live at once overlap");
		}
	for (int i = 0; i < BLOCKS; i++)
		release(r, blocks[i]);
}

static void huge(struct cf_structure_run *r) {
	const uint64_t absurd[] = {UINT64_MAX, UINT64_MAX - 63, UINT64_MAX - 4096, (uint64_t)1 << 63, (uint64_t)1 << 62};
	for (size_t i = 0; i < sizeof absurd / sizeof *absurd; i++) {
		void *p;
		int32_t status = allocate(r, absurd[i], &p);
		cf_expect(r, status == MT_E_MEMORY, "alloc of %#llx bytes returns %d, not MT_E_MEMORY",
		          (unsigned long long)absurd[i], (int)status);
		cf_expect(r, cf_error()[0] != '\0', "alloc of %#llx bytes is refused without a reason",
		          (unsigned long long)absurd[i]);
	}
	void *p;
	cf_expect(r, allocate(r, 1000, &p) == MT_OK, "after that nothing can be allocated: %s", cf_error());
	release(r, p);
}

static void fill(unsigned char *bytes, size_t size, uint64_t seed) {
	struct cf_random random = {seed};
	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)(cf_random_bits(&random) >> 56);
}

static const struct span {
	uint64_t offset, bytes;
} spans[] = {{0, 1},    {1, 1},       {3, 5},     {7, 64},    {64, 63}, {63, 65}, {1001, 1000},
             {4095, 2}, {4096, 4096}, {1, 69999}, {69999, 1}, {0, 0},   {17, 0},  {70000, 1}};

static int upload(struct cf_structure_run *r, void *base, uint64_t offset, const void *from, uint64_t bytes) {
	int32_t status = r->host->api->upload(r->host->queue, base, offset, from, bytes);
	return cf_expect(r, status == MT_OK, "upload of %llu bytes to offset %llu returns %d: %s",
	                 (unsigned long long)bytes, (unsigned long long)offset, (int)status, cf_error());
}

static int download(struct cf_structure_run *r, const void *base, uint64_t offset, void *to, uint64_t bytes) {
	int32_t status = r->host->api->download(r->host->queue, base, offset, to, bytes);
	return cf_expect(r, status == MT_OK, "download of %llu bytes from offset %llu returns %d: %s",
	                 (unsigned long long)bytes, (unsigned long long)offset, (int)status, cf_error());
}

/* A span is overwritten in a block of known bytes; then the whole block is looked at. */
static void round_trips(struct cf_structure_run *r) {
	unsigned char *mirror = malloc(ROOM), *back = malloc(ROOM), *news = malloc(ROOM);
	void *base = NULL;
	int ok = cf_expect(r, mirror != NULL && back != NULL && news != NULL && allocate(r, ROOM, &base) == MT_OK,
	                   "alloc: %s", cf_error());
	if (ok)
		fill(mirror, ROOM, 1);
	ok = ok && upload(r, base, 0, mirror, ROOM);
	for (size_t i = 0; ok && i < sizeof spans / sizeof *spans; i++) {
		const struct span *s = &spans[i];
		fill(news, s->bytes, i + 2);
		ok = upload(r, base, s->offset, news, s->bytes);
		memcpy(mirror + s->offset, news, s->bytes);
		memset(news, 0, s->bytes); /* src may be reused on return */
		memset(back, 0x5A, ROOM);
		ok =
			ok && download(r, base, s->offset, back, s->bytes) &&
			cf_expect(r, memcmp(back, mirror + s->offset, s->bytes) == 0, "%llu bytes at offset %llu come back changed",
		              (unsigned long long)s->bytes, (unsigned long long)s->offset) &&
			cf_expect(r, s->bytes >= ROOM || back[s->bytes] == 0x5A, "download wrote more than was asked for");
		ok = ok && download(r, base, 0, back, ROOM) &&
		     cf_expect(r, memcmp(back, mirror, ROOM) == 0, "an upload of %llu bytes to offset %llu changed others",
		               (unsigned long long)s->bytes, (unsigned long long)s->offset);
	}
	release(r, base);
	free(mirror);
	free(back);
	free(news);
}

static void copies(struct cf_structure_run *r) {
	unsigned char *from = malloc(ROOM), *to = malloc(ROOM), *back = malloc(ROOM);
	void *a = NULL, *b = NULL;
	int ok = cf_expect(r,
	                   from != NULL && to != NULL && back != NULL && allocate(r, ROOM, &a) == MT_OK &&
	                       allocate(r, ROOM, &b) == MT_OK,
	                   "alloc: %s", cf_error());
	if (ok) {
		fill(from, ROOM, 100);
		fill(to, ROOM, 101);
	}
	ok = ok && upload(r, a, 0, from, ROOM) && upload(r, b, 0, to, ROOM);
	for (size_t i = 0; ok && i < sizeof spans / sizeof *spans; i++) {
		uint64_t bytes = spans[i].bytes, at = spans[i].offset, into = (at * 3 + 5) % (ROOM - bytes + 1);
		int32_t status = r->host->api->copy_device(r->host->queue, b, into, a, at, bytes);
		memcpy(to + into, from + at, bytes);
		ok = cf_expect(r, status == MT_OK, "copy_device of %llu bytes returns %d: %s", (unsigned long long)bytes,
		               (int)status, cf_error()) &&
		     download(r, b, 0, back, ROOM) &&
		     cf_expect(r, memcmp(back, to, ROOM) == 0, "copy_device of %llu bytes from offset %llu to %llu is wrong",
		               (unsigned long long)bytes, (unsigned long long)at, (unsigned long long)into);
	}
	ok = ok && download(r, a, 0, back, ROOM) &&
	     cf_expect(r, memcmp(back, from, ROOM) == 0, "copy_device changed its source");
	release(r, a);
	release(r, b);
	free(from);
	free(to);
	free(back);
}

static void within_block(struct cf_structure_run *r) {
	unsigned char from[300], back[300];
	void *a = NULL;
	fill(from, sizeof from, 7);
	int ok = cf_expect(r, allocate(r, sizeof from, &a) == MT_OK, "alloc: %s", cf_error()) &&
	         upload(r, a, 0, from, sizeof from);
	ok = ok && cf_expect(r, r->host->api->copy_device(r->host->queue, a, 200, a, 1, 99) == MT_OK,
	                     "copy_device within a block: %s", cf_error());
	memcpy(from + 200, from + 1, 99);
	if (ok && download(r, a, 0, back, sizeof back))
		cf_expect(r, memcmp(back, from, sizeof back) == 0, "copy_device within a block is wrong");
	release(r, a);
}

/* ---- memory of others ---- */

enum { ODD = 4, OTHERS = 1000 }; /* where the array begins, in bytes: aligned as f32 alone; and its elements */

static mt_array array_at(void *base) {
	return (mt_array){.base = base,
	                  .buffer_bytes = OTHERS * sizeof(float),
	                  .dtype = MT_F32,
	                  .rank = 1,
	                  .shape = {OTHERS},
	                  .stride = {1}};
}

/* Upload, kernels and download take base, which alloc did not give. */
static void work_at(struct cf_structure_run *r, void *base) {
	float values[OTHERS], back[OTHERS];
	const mt_array x = array_at(base);
	for (int i = 0; i < OTHERS; i++)
		values[i] = (float)i - OTHERS / 2;
	const struct mt_map_args neg = {.struct_size = sizeof neg, .op = MT_MAP_NEG, .x = &x, .out = &x};
	int ok = upload(r, base, 0, values, sizeof values) &&
	         cf_expect(r, cf_host_call(r->host, MT_K_MAP, &neg) == MT_OK,
	                   "R9: neg in memory that alloc did not give fails: %s", cf_error()) &&
	         download(r, base, 0, back, sizeof back);
	for (int i = 0; ok && i < OTHERS; i++)
		ok = cf_expect(r, back[i] == -values[i], "R9: neg in memory that alloc did not give: element %d is %g, not %g",
		               i, (double)back[i], (double)-values[i]);
}

static void of_others(struct cf_structure_run *r) {
	struct mt_device_info d = {.struct_size = sizeof d};
	size_t bytes = ODD + OTHERS * sizeof(float);
	void *base = NULL;
	cf_expect(r, r->host->plugin.device_info(r->target->ordinal, &d) == MT_OK, "device_info: %s", cf_error());
	if (d.memory_kind == MT_MEMORY_PRIVATE) {
		cf_skip(r, "the device names no kind of memory");
		return;
	}
	/* where the host cannot allocate such memory, the middle of a buffer stands for another library's */
	int host = d.memory_kind == MT_MEMORY_HOST;
	if (host)
		base = malloc(bytes);
	if (cf_expect(r, host ? base != NULL : allocate(r, bytes, &base) == MT_OK, "alloc: %s", cf_error()))
		work_at(r, (char *)base + ODD);
	if (host)
		free(base);
	else
		release(r, base);
}

static void info(struct cf_structure_run *r) {
	struct mt_memory_info m = {.struct_size = sizeof m};
	cf_expect(r, r->host->api->memory_info(r->host->device, &m) == MT_OK, "memory_info: %s", cf_error());
	cf_expect(r, m.free_bytes <= m.total_bytes, "%llu bytes are free of %llu", (unsigned long long)m.free_bytes,
	          (unsigned long long)m.total_bytes);
}

/* What is freed can be had again: twice the free memory in all, a quarter of it at a time. */
static void freed_comes_back(struct cf_structure_run *r) {
	struct mt_memory_info m = {.struct_size = sizeof m};
	cf_expect(r, r->host->api->memory_info(r->host->device, &m) == MT_OK, "memory_info: %s", cf_error());
	uint64_t bytes = m.free_bytes / 4 < (uint64_t)8 << 30 ? m.free_bytes / 4 : (uint64_t)8 << 30;
	for (int i = 0; i < 8; i++) {
		void *p;
		if (!cf_expect(r, allocate(r, bytes > 0 ? bytes : 1, &p) == MT_OK, "alloc of %llu bytes fails the %d. time: %s",
		               (unsigned long long)bytes, i + 1, cf_error()))
			return;
		release(r, p);
	}
}

const struct cf_structure cf_memory_checks[] = {
	{"memory", "alignment", 1, alignment},
	{"memory", "distinct", 1, distinct},
	{"memory", "huge", 1, huge},
	{"memory", "round_trips", 1, round_trips},
	{"memory", "copies", 1, copies},
	{"memory", "within_block", 1, within_block},
	{"memory", "of_others", 1, of_others},
	{"memory", "info", 1, info},
	{"memory", "freed_comes_back", 1, freed_comes_back},
	{NULL, NULL, 0, NULL},
};
