/* The mock's parts: functions that are wrong in one way each.  Part of mock.c, which has the example plugin before it. */
#ifndef TESTS_ABI_MOCK_PARTS_H
#define TESTS_ABI_MOCK_PARTS_H

#include <pthread.h>
#include <sys/mman.h>

/* Tables longer than this header's: what a plugin of a newer minor has. */
static struct {
	struct mt_device_api api;
	void (*extra[4])(void);
} device_table;
static struct {
	struct mt_kernel_table table;
	void (*extra[4])(void);
} kernel_table;

/* ---- options: speed and mode ---- */

static int32_t mock_open(int32_t ordinal, const struct mt_option *options, uint64_t n_options,
                         mt_plugin_device **device, const struct mt_device_api **api) {
	char text[128];
	for (uint64_t i = 0; i < n_options; i++)
		if (strcmp(options[i].key, "speed") != 0 && strcmp(options[i].key, "mode") != 0) {
			snprintf(text, sizeof text, "unknown option %s; the mock has: speed, mode", options[i].key);
			return fail(MT_E_ARG, text);
		}
	(void)ordinal; /* three devices, of which minimal has one */
	int32_t status = device_open(0, NULL, 0, device, api);
	*api = &device_table.api;
	return status;
}

static int32_t mock_info(int32_t ordinal, struct mt_device_info *out) {
	(void)ordinal;
	return device_info(0, out);
}

static int32_t mock_count(int32_t *out) {
	*out = 3;
	return MT_OK;
}

/* ---- functions that fail ---- */

static int32_t count_fails(int32_t *out) {
	(void)out;
	return fail(MT_E_DEVICE, "the bus is on fire");
}

static int32_t count_negative(int32_t *out) {
	*out = -1;
	return MT_OK;
}

static int32_t count_none(int32_t *out) {
	*out = 0;
	return fail(MT_OK, "the mock is unplugged");
}

static int32_t count_none_quietly(int32_t *out) {
	*out = 0;
	return MT_OK;
}

static int32_t open_gives_null_device(int32_t ordinal, const struct mt_option *options, uint64_t n_options,
                                      mt_plugin_device **device, const struct mt_device_api **api) {
	int32_t status = mock_open(ordinal, options, n_options, device, api);
	*device = NULL;
	return status;
}

static int32_t open_gives_null_table(int32_t ordinal, const struct mt_option *options, uint64_t n_options,
                                     mt_plugin_device **device, const struct mt_device_api **api) {
	int32_t status = mock_open(ordinal, options, n_options, device, api);
	*api = NULL;
	return status;
}

static int32_t open_fails_quietly(int32_t ordinal, const struct mt_option *options, uint64_t n_options,
                                  mt_plugin_device **device, const struct mt_device_api **api) {
	return mock_open(ordinal, options, n_options, device, api) == MT_OK ? MT_E_STATE : MT_E_ARG;
}

static int32_t info_fails(int32_t ordinal, struct mt_device_info *out) {
	(void)ordinal;
	(void)out;
	return fail(MT_E_DEVICE, "nobody is in");
}

static int32_t info_odd_alignment(int32_t ordinal, struct mt_device_info *out) {
	int32_t status = mock_info(ordinal, out);
	out->alignment = 96;
	return status;
}

static int32_t info_endless(int32_t ordinal, struct mt_device_info *out) {
	int32_t status = mock_info(ordinal, out);
	memset(out->name, 'x', sizeof out->name);
	return status;
}

static int32_t info_host_kind_alone(int32_t ordinal, struct mt_device_info *out) {
	int32_t status = mock_info(ordinal, out);
	out->flags = 0;
	return status;
}

static int32_t info_zero(int32_t ordinal, struct mt_device_info *out) {
	(void)ordinal;
	memset(out, 0, sizeof *out);
	return MT_OK;
}

static int32_t queue_fails(mt_plugin_device *device, mt_host_queue *host, mt_queue **out) {
	(void)device;
	(void)host;
	(void)out;
	return fail(MT_E_MEMORY, "no room for a queue");
}

static int32_t queue_null(mt_plugin_device *device, mt_host_queue *host, mt_queue **out) {
	(void)device;
	(void)host;
	*out = NULL;
	return MT_OK;
}

/* ---- memory ---- */

static int32_t alloc_null(mt_plugin_device *device, uint64_t bytes, void **out) {
	(void)device;
	(void)bytes;
	*out = NULL;
	return MT_OK;
}

static int32_t alloc_odd(mt_plugin_device *device, uint64_t bytes, void **out) {
	int32_t status = device_alloc(device, bytes + 64, out);
	*out = (char *)*out + 8;
	return status;
}

static int32_t free_odd(mt_plugin_device *device, void *base) {
	return device_free(device, (char *)base - 8);
}

/* A device of 1 MiB. */
static uint64_t used;
static struct {
	void *base;
	uint64_t bytes;
} blocks[256];

static int32_t small_alloc(mt_plugin_device *device, uint64_t bytes, void **out) {
	if (used + bytes > 1u << 20)
		return fail(MT_E_MEMORY, "the mock is full");
	int32_t status = device_alloc(device, bytes, out);
	for (int i = 0; i < 256 && status == MT_OK; i++)
		if (blocks[i].base == NULL) {
			blocks[i].base = *out;
			blocks[i].bytes = bytes;
			used += bytes;
			return MT_OK;
		}
	return status;
}

static int32_t small_free(mt_plugin_device *device, void *base) {
	for (int i = 0; i < 256; i++)
		if (blocks[i].base == base) {
			used -= blocks[i].bytes;
			blocks[i].base = NULL;
			break;
		}
	return device_free(device, base);
}

static int32_t small_info(mt_plugin_device *device, struct mt_memory_info *out) {
	(void)device;
	out->total_bytes = 1u << 20;
	out->free_bytes = out->total_bytes - used;
	return MT_OK;
}

/* Memory that the CPU cannot touch: alloc gives addresses of a forbidden mapping, the kernels use its other half. */
static int32_t far_alloc(mt_plugin_device *device, uint64_t bytes, void **out) {
	(void)device;
	uint64_t half = (bytes + 4095) / 4096 * 4096;
	char *both = mmap(NULL, 2 * half, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (both == MAP_FAILED || mprotect(both, half, PROT_NONE) != 0)
		return fail(MT_E_MEMORY, "no mapping");
	for (int i = 0; i < 256; i++)
		if (blocks[i].base == NULL) {
			blocks[i].base = both;
			blocks[i].bytes = half;
			*out = both;
			return MT_OK;
		}
	return fail(MT_E_MEMORY, "too many mappings");
}

static void *near(const void *base) {
	for (int i = 0; i < 256; i++)
		if (blocks[i].base == base)
			return (char *)blocks[i].base + blocks[i].bytes;
	abort();
}

static int32_t far_free(mt_plugin_device *device, void *base) {
	(void)device;
	for (int i = 0; i < 256; i++)
		if (blocks[i].base == base) {
			munmap(base, 2 * blocks[i].bytes);
			blocks[i].base = NULL;
		}
	return MT_OK;
}

static int32_t far_upload(mt_queue *queue, void *base, uint64_t byte_offset, const void *src, uint64_t bytes) {
	return upload(queue, near(base), byte_offset, src, bytes);
}

static int32_t far_download(mt_queue *queue, const void *base, uint64_t byte_offset, void *dst, uint64_t bytes) {
	return download(queue, near(base), byte_offset, dst, bytes);
}

static int32_t far_info(int32_t ordinal, struct mt_device_info *out) {
	int32_t status = mock_info(ordinal, out);
	out->flags = MT_DEVICE_ASYNC;
	out->memory_kind = MT_MEMORY_PRIVATE;
	return status;
}

static int32_t far_zip(mt_queue *queue, const struct mt_zip_args *args) {
	mt_array a = *args->a, b = *args->b, out = *args->out;
	struct mt_zip_args moved = *args;
	a.base = near(a.base);
	b.base = near(b.base);
	out.base = near(out.base);
	moved.a = &a;
	moved.b = &b;
	moved.out = &out;
	return zip(queue, &moved);
}

/* ---- a device that does its work when it is waited for ---- */

enum { MOST_LATE = 8 };

static struct {
	struct mt_map_args args;
	mt_array x, out;
} late[MOST_LATE];
static int n_late;

static int32_t late_info(int32_t ordinal, struct mt_device_info *out) {
	int32_t status = mock_info(ordinal, out);
	out->flags |= MT_DEVICE_ASYNC;
	return status;
}

static int32_t late_map(mt_queue *queue, const struct mt_map_args *args) {
	(void)queue;
	if (n_late == MOST_LATE)
		return fail(MT_E_MEMORY, "too much to do");
	late[n_late].args = *args;
	late[n_late].x = *args->x;
	late[n_late++].out = *args->out;
	return MT_OK;
}

static int32_t late_synchronize(mt_queue *queue) {
	for (int i = 0; i < n_late; i++) {
		late[i].args.x = &late[i].x;
		late[i].args.out = &late[i].out;
		map(queue, &late[i].args);
	}
	n_late = 0;
	return MT_OK;
}

/* Whatever was done is told to have gone wrong, once. */
static int32_t late_fault(mt_queue *queue) {
	int any = n_late > 0;
	late_synchronize(queue);
	return any ? fail(MT_E_DEVICE, "the mock came late") : MT_OK;
}

/* ---- kernels ---- */

static int32_t map_unsupported(mt_queue *queue, const struct mt_map_args *args) {
	(void)queue;
	(void)args;
	return fail(MT_E_UNSUPPORTED, "the mock's strides are tired");
}

static int32_t map_unsupported_quietly(mt_queue *queue, const struct mt_map_args *args) {
	(void)queue;
	(void)args;
	return MT_E_UNSUPPORTED;
}

static int32_t map_fails(mt_queue *queue, const struct mt_map_args *args) {
	(void)queue;
	(void)args;
	return fail(MT_E_DEVICE, "the mock stumbled");
}

static int32_t map_fails_oddly(mt_queue *queue, const struct mt_map_args *args) {
	(void)queue;
	(void)args;
	return fail(-77, "the mock is confused");
}

/* Says something, and succeeds: that must not be blamed on a later call. */
static int32_t map_mutters(mt_queue *queue, const struct mt_map_args *args) {
	fail(MT_E_DEVICE, "never mind");
	return map(queue, args);
}

static int32_t zip_fails_quietly(mt_queue *queue, const struct mt_zip_args *args) {
	(void)queue;
	(void)args;
	return MT_E_DEVICE;
}

static void *complain(void *unused) {
	host_api->set_error(MT_E_DEVICE, "a worker stumbled");
	return unused;
}

static int32_t map_worker_fails(mt_queue *queue, const struct mt_map_args *args) {
	pthread_t worker;
	(void)queue;
	(void)args;
	if (pthread_create(&worker, NULL, complain, NULL) == 0)
		pthread_join(worker, NULL);
	return MT_E_DEVICE;
}

/* Uses as much scratch as out has elements, in KiB, and fails as kernels do where there is none. */
static int32_t map_scratch(mt_queue *queue, const struct mt_map_args *args) {
	uint64_t bytes = (uint64_t)args->out->shape[0] * 1024;
	char *scratch = host_api->scratch((mt_host_queue *)queue, bytes);
	if (scratch == NULL)
		return fail(MT_E_MEMORY, "no scratch");
	memset(scratch, 0x5a, bytes);
	return map(queue, args);
}

#endif
