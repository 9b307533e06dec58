#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MT_BUILDING_PLUGIN
#include "naive.h"

enum { ALIGNMENT = 64 };

static const struct mt_host_api *host_api;

int32_t mt__naive_fail(int32_t status, const char *format, ...) {
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	host_api->set_error(status, text);
	return status;
}

void *mt__naive_scratch(mt_queue *queue, uint64_t count, uint64_t size) {
	uint64_t bytes = count * size;
	void *scratch = size && count > UINT64_MAX / size ? NULL : host_api->scratch(queue->host, bytes ? bytes : 1);
	if (!scratch)
		mt__naive_fail(MT_E_MEMORY, "naive: no scratch memory for %llu x %llu bytes", (unsigned long long)count,
		               (unsigned long long)size);
	return scratch;
}

const char *mt__naive_dtype_name(int32_t dtype) {
	switch (dtype) {
#define MT_DTYPE(id, NAME, name, bytes, class)                                                                         \
	case id:                                                                                                           \
		return #name;
#include "mt/dtypes.def"
#undef MT_DTYPE
	default:
		return "an unknown dtype";
	}
}

/* ---- memory ---- */

static int32_t device_alloc(mt_plugin_device *device, uint64_t bytes, void **out) {
	(void)device;
	uint64_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	*out = rounded < bytes || rounded > PTRDIFF_MAX ? NULL : aligned_alloc(ALIGNMENT, rounded);
	if (!*out)
		return mt__naive_fail(MT_E_MEMORY, "naive: cannot allocate %llu bytes", (unsigned long long)bytes);
	return MT_OK;
}

static int32_t device_free(mt_plugin_device *device, void *base) {
	(void)device;
	free(base);
	return MT_OK;
}

static uint64_t pages(int name) {
	long n = sysconf(name), size = sysconf(_SC_PAGESIZE);
	return n > 0 && size > 0 ? (uint64_t)n * (uint64_t)size : 0;
}

static int32_t memory_info(mt_plugin_device *device, struct mt_memory_info *out) {
	(void)device;
	out->free_bytes = pages(_SC_AVPHYS_PAGES);
	out->total_bytes = pages(_SC_PHYS_PAGES);
	return MT_OK;
}

/* ---- queue: everything is done when its function returns ---- */

static int32_t queue_create(mt_plugin_device *device, mt_host_queue *host, mt_queue **out) {
	(void)device;
	*out = malloc(sizeof **out);
	if (!*out)
		return mt__naive_fail(MT_E_MEMORY, "naive: no memory for a queue");
	(*out)->host = host;
	return MT_OK;
}

static void queue_destroy(mt_queue *queue) {
	free(queue);
}

static int32_t upload(mt_queue *queue, void *base, uint64_t byte_offset, const void *src, uint64_t bytes) {
	(void)queue;
	if (bytes > 0)
		memcpy((char *)base + byte_offset, src, bytes);
	return MT_OK;
}

static int32_t download(mt_queue *queue, const void *base, uint64_t byte_offset, void *dst, uint64_t bytes) {
	(void)queue;
	if (bytes > 0)
		memcpy(dst, (const char *)base + byte_offset, bytes);
	return MT_OK;
}

static int32_t copy_device(mt_queue *queue, void *dst, uint64_t dst_offset, const void *src, uint64_t src_offset,
                           uint64_t bytes) {
	(void)queue;
	if (bytes > 0)
		memcpy((char *)dst + dst_offset, (const char *)src + src_offset, bytes);
	return MT_OK;
}

static int32_t synchronize(mt_queue *queue) {
	(void)queue;
	return MT_OK;
}

/* ---- device ---- */

static int32_t device_count(int32_t *out) {
	*out = 1;
	return MT_OK;
}

static int32_t check_ordinal(int32_t ordinal) {
	if (ordinal == 0)
		return MT_OK;
	return mt__naive_fail(MT_E_DEVICE, "naive: no device %d: there is one, device 0", (int)ordinal);
}

static int32_t device_info(int32_t ordinal, struct mt_device_info *out) {
	int32_t status = check_ordinal(ordinal);
	if (status != MT_OK)
		return status;
	snprintf(out->name, sizeof out->name, "CPU, one thread, plain loops");
	out->features[0] = 0;
	out->memory_bytes = pages(_SC_PHYS_PAGES);
	out->flags = MT_DEVICE_HOST_MEMORY;
	out->alignment = ALIGNMENT;
	if (out->struct_size >= sizeof *out) {
		out->memory_kind = MT_MEMORY_HOST;
		out->memory_ordinal = 0;
	}
	return MT_OK;
}

static int32_t device_open(int32_t ordinal, const struct mt_option *options, uint64_t n_options,
                           mt_plugin_device **device, const struct mt_device_api **api) {
	int32_t status = check_ordinal(ordinal);
	if (status != MT_OK)
		return status;
	if (n_options > 0)
		return mt__naive_fail(MT_E_ARG, "naive: unknown option '%s': this backend has no options", options[0].key);
	mt_plugin_device *d = calloc(1, sizeof *d);
	if (!d)
		return mt__naive_fail(MT_E_MEMORY, "naive: no memory for a device");
	d->api = (struct mt_device_api){
		.struct_size = sizeof d->api,
		.alloc = device_alloc,
		.free = device_free,
		.memory_info = memory_info,
		.queue_create = queue_create,
		.queue_destroy = queue_destroy,
		.upload = upload,
		.download = download,
		.copy_device = copy_device,
		.synchronize = synchronize,
		.kernels = &mt__naive_kernels,
		.capabilities = mt__naive_capabilities,
		.n_capabilities = mt__naive_n_capabilities,
	};
	*device = d;
	*api = &d->api;
	return MT_OK;
}

static void device_close(mt_plugin_device *device) {
	free(device);
}

int32_t mt_plugin_entry_v1(const struct mt_host_api *host, const struct mt_plugin_request *request,
                           struct mt_plugin_api *api) {
	if (host->struct_size < sizeof *host || host->abi_major != MT_ABI_MAJOR)
		return MT_E_PLUGIN;
	host_api = host;
	/* Major 0 is an exact match (R2): what the host hands over is at least what this header knows. */
	if (request->struct_size < sizeof *request || api->struct_size < sizeof *api)
		return mt__naive_fail(MT_E_PLUGIN, "naive: the host's tables are smaller than those of ABI %u.%u", MT_ABI_MAJOR,
		                      MT_ABI_MINOR);
	if (request->kind != MT_KIND_DEVICE)
		return mt__naive_fail(MT_E_PLUGIN, "naive: a device plugin, asked for kind %u", (unsigned)request->kind);
	*api = (struct mt_plugin_api){
		.struct_size = sizeof *api,
		.abi_major = MT_ABI_MAJOR,
		.abi_minor = MT_ABI_MINOR,
		.name = "naive",
		.version = "0.1.0",
		.description = "Plain C loops: the reference that the other backends are compared with",
		.device_count = device_count,
		.device_info = device_info,
		.device_open = device_open,
		.device_close = device_close,
	};
	return MT_OK;
}
