/* Opening a device: asking the plugin, and checking everything that it answers (R2 to R4, R7). */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "backend/device_impl.h"
#include "base/error.h"
#include "base/log.h"

/* What major 0 needs of each table (R4). */
#define DEVICE_API_NEEDED (offsetof(struct mt_device_api, n_capabilities) + sizeof(uint64_t))
#define DEVICE_INFO_NEEDED (offsetof(struct mt_device_info, alignment) + sizeof(uint32_t))
#define KERNELS_NEEDED (offsetof(struct mt_kernel_table, matmul) + sizeof(int32_t(*)(void)))

enum { MOST_CAPABILITIES = 65536, LEAST_ALIGNMENT = 64, MOST_ALIGNMENT = 1 << 21 };

/* Where checks write their complaint. */
struct complaint {
	char *text;
	size_t size;
};

static mt_status complain(struct complaint c, mt_status status, const char *format, ...) MT_PRINTF(3, 4);

static mt_status complain(struct complaint c, mt_status status, const char *format, ...) {
	va_list args;
	va_start(args, format);
	vsnprintf(c.text, c.size, format, args);
	va_end(args);
	return status;
}

/* A call that failed, in the plugin's words. */
static mt_status complain_call(struct complaint c, const struct mt__call *call, const char *function, int32_t result) {
	char text[MT__CALL_TEXT];
	mt__call_message(call, text, sizeof text);
	mt_status status = mt__call_status(result);
	if (text[0] != '\0')
		return complain(c, status, "%s", text);
	return complain(c, status, "R6: %s failed with status %d (%s) and no message", function, result,
	                mt_status_name(result));
}

/* ---- device_info ---- */

static mt_status check_info(struct mt_device_info *info, uint32_t given, struct complaint c) {
	if (info->struct_size < DEVICE_INFO_NEEDED || info->struct_size > given)
		return complain(c, MT_E_PLUGIN, "R4: device_info filled %u bytes, %zu are needed", info->struct_size,
		                DEVICE_INFO_NEEDED);
	if (memchr(info->name, 0, sizeof info->name) == NULL || memchr(info->features, 0, sizeof info->features) == NULL)
		return complain(c, MT_E_PLUGIN, "R3: a text of device_info has no end");
	if (info->name[0] == '\0')
		return complain(c, MT_E_PLUGIN, "R2: device_info gave no name");
	uint32_t a = info->alignment;
	if (a < LEAST_ALIGNMENT || a > MOST_ALIGNMENT || (a & (a - 1)) != 0)
		return complain(c, MT_E_PLUGIN, "R9: device_info gave alignment %u; a power of two from %d on is needed", a,
		                LEAST_ALIGNMENT);
	if (info->memory_kind < 0 || info->memory_ordinal < 0)
		return complain(c, MT_E_PLUGIN, "R9: device_info gave memory kind %d, ordinal %d; none is negative",
		                info->memory_kind, info->memory_ordinal);
	if (info->memory_kind == MT_MEMORY_HOST && (info->flags & MT_DEVICE_HOST_MEMORY) == 0)
		return complain(c, MT_E_PLUGIN,
		                "R9: device_info gave the host's memory as kind, without the flag MT_DEVICE_HOST_MEMORY");
	return MT_OK;
}

mt_status mt__describe(const struct mt__backend *backend, int32_t ordinal, struct mt_device_info *out, char *why,
                       size_t size) {
	struct complaint c = {why, size};
	struct mt__call call;
	memset(out, 0, sizeof *out);
	out->struct_size = sizeof *out;
	mt__call_begin(&call);
	int32_t result = backend->plugin->api.device_info(ordinal, out);
	mt__call_end(&call);
	if (result != MT_OK)
		return complain_call(c, &call, "device_info", result);
	return check_info(out, sizeof *out, c);
}

/* ---- the tables ---- */

static mt_status check_functions(const struct mt_device_api *api, struct complaint c) {
	const struct {
		const char *name;
		int present;
	} needed[] = {
		{"alloc", api->alloc != NULL},
		{"free", api->free != NULL},
		{"memory_info", api->memory_info != NULL},
		{"queue_create", api->queue_create != NULL},
		{"queue_destroy", api->queue_destroy != NULL},
		{"upload", api->upload != NULL},
		{"download", api->download != NULL},
		{"copy_device", api->copy_device != NULL},
		{"synchronize", api->synchronize != NULL},
		{"kernels", api->kernels != NULL},
		{"capabilities", api->capabilities != NULL && api->n_capabilities != 0},
	};
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (!needed[i].present)
			return complain(c, MT_E_PLUGIN, "R2: the device table has no %s", needed[i].name);
	int events = (api->event_create != NULL) + (api->event_destroy != NULL) + (api->event_record != NULL) +
	             (api->event_wait != NULL);
	if (events != 0 && events != 4)
		return complain(c, MT_E_PLUGIN, "R2: the device table has %d of the four event functions", events);
	if (api->n_capabilities > MOST_CAPABILITIES)
		return complain(c, MT_E_PLUGIN, "R7: %llu capability rows", (unsigned long long)api->n_capabilities);
	return MT_OK;
}

/* Copies the plugin's tables, as much of them as there is and as we know, and checks the copies. */
static mt_status take_tables(mt_device *d, const struct mt_device_api *api, struct complaint c) {
	if (api == NULL)
		return complain(c, MT_E_PLUGIN, "R2: device_open gave no device table");
	if (api->struct_size < DEVICE_API_NEEDED)
		return complain(c, MT_E_PLUGIN, "R4: device table of %u bytes, at least %zu are needed", api->struct_size,
		                DEVICE_API_NEEDED);
	memcpy(&d->api, api, api->struct_size < sizeof d->api ? api->struct_size : sizeof d->api);
	mt_status status = check_functions(&d->api, c);
	if (status != MT_OK)
		return status;
	uint32_t size = d->api.kernels->struct_size;
	if (size < KERNELS_NEEDED)
		return complain(c, MT_E_PLUGIN, "R4: kernel table of %u bytes, at least %zu are needed", size, KERNELS_NEEDED);
	memcpy(&d->kernels, d->api.kernels, size < sizeof d->kernels ? size : sizeof d->kernels);
	return mt__support_compile(&d->support, d->api.capabilities, d->api.n_capabilities, &d->kernels, c.text, c.size);
}

static mt_status create_queue(mt_device *d, struct complaint c) {
	struct mt__call call;
	d->host_queue.device = d;
	mt__call_begin(&call);
	int32_t result = d->api.queue_create(d->handle, &d->host_queue, &d->queue);
	mt__call_end(&call);
	if (result != MT_OK)
		return complain_call(c, &call, "queue_create", result);
	if (d->queue == NULL)
		return complain(c, MT_E_PLUGIN, "R2: queue_create gave no queue");
	return MT_OK;
}

static mt_status open_handle(mt_device *d, const struct mt_device_api **api, struct complaint c) {
	const struct mt_plugin_api *plugin = &d->backend->plugin->api;
	struct mt__call call;
	mt__call_begin(&call);
	int32_t result = plugin->device_open(d->ordinal, d->options.items, d->options.count, &d->handle, api);
	mt__call_end(&call);
	if (result != MT_OK) {
		d->handle = NULL;
		return complain_call(c, &call, "device_open", result);
	}
	if (d->handle == NULL)
		return complain(c, MT_E_PLUGIN, "R2: device_open gave no device");
	return MT_OK;
}

/* ---- all of it ---- */

static void discard(mt_device *d) {
	if (d->handle != NULL) {
		struct mt__call call;
		mt__call_begin(&call);
		d->backend->plugin->api.device_close(d->handle);
		mt__call_end(&call);
	}
	mt__free(d->name);
	mt__free(d);
}

mt_device *mt__device_create(const struct mt__backend *backend, int32_t ordinal, struct mt__options *options) {
	char why[1024] = "";
	struct complaint c = {why, sizeof why};
	const struct mt_device_api *api = NULL;
	mt_device *d = mt__calloc(1, sizeof *d);
	char *name = d != NULL ? mt__device_text(backend->name, ordinal, options) : NULL;
	if (name == NULL) {
		mt__free(d);
		return mt__fail_null(MT_E_MEMORY, "device %s: out of memory (%zu bytes)", backend->name, sizeof *d);
	}
	mt__kernels_init();
	d->name = name;
	d->backend = backend;
	d->ordinal = ordinal;
	d->options = *options;
	d->allocator.generation = mt__fork_generation;
	mt__allocator_init(&d->allocator);

	mt_status status = mt__describe(backend, ordinal, &d->info, why, sizeof why);
	if (status == MT_OK)
		status = open_handle(d, &api, c);
	if (status == MT_OK)
		status = take_tables(d, api, c);
	if (status == MT_OK)
		status = create_queue(d, c);
	if (status != MT_OK) {
		mt__fail(status, "device %s: %s", name, why);
		mt__log(MT_LOG_INFO, MT_LOG_LOADER, "device %s: %s", name, why);
		discard(d);
		return NULL;
	}
	*options = (struct mt__options){0};
	mt__log(MT_LOG_INFO, MT_LOG_LOADER, "device %s: opened, %s", name, d->info.name);
	return d;
}
