#include "host.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local char last_error[1024];

enum { SCRATCH_GUARD = 64, GUARD_BYTE = 0xA5, DIRT = 0xFF };

/* What the ABI calls a mt_host_queue: the scratch memory of one queue. */
struct cf_scratch {
	const struct mt_device_api *api;
	mt_plugin_device *device;
	int is_watched; /* dirtied and guarded, by the CPU */
	unsigned char *memory;
	uint64_t bytes, room; /* asked for by the last kernel; what there is */
	int calls;            /* of the kernel now running */
};

static int scratch_denied;

static void host_log(int32_t level, const char *text) {
	(void)level;
	(void)text;
}

static void host_set_error(int32_t status, const char *text) {
	(void)status;
	snprintf(last_error, sizeof last_error, "%s", text != NULL ? text : "");
}

static int32_t host_thread_budget(void) {
	return 2;
}

/* Dirty, and with guard bytes behind it. */
static void *host_scratch(mt_host_queue *queue, uint64_t bytes) {
	struct cf_scratch *s = (struct cf_scratch *)(void *)queue;
	void *memory = NULL;
	s->calls++;
	if (scratch_denied || bytes > UINT64_MAX - SCRATCH_GUARD)
		return NULL;
	if (bytes + SCRATCH_GUARD > s->room) {
		if (s->memory != NULL)
			s->api->free(s->device, s->memory);
		s->memory = NULL;
		s->room = 0;
		if (s->api->alloc(s->device, bytes + SCRATCH_GUARD, &memory) != MT_OK)
			return NULL;
		s->memory = memory;
		s->room = bytes + SCRATCH_GUARD;
	}
	s->bytes = bytes;
	if (s->is_watched) {
		memset(s->memory, DIRT, bytes);
		memset(s->memory + bytes, GUARD_BYTE, SCRATCH_GUARD);
	}
	return s->memory;
}

void cf_deny_scratch(int deny) {
	scratch_denied = deny;
}

int cf_scratch_is_denied(void) {
	return scratch_denied;
}

const char *cf_scratch_misuse(const struct cf_host *h) {
	const struct cf_scratch *s = h->scratch;
	if (s->calls > 1)
		return "scratch memory was asked for more than once";
	for (uint64_t i = 0; s->calls == 1 && s->is_watched && s->memory != NULL && i < SCRATCH_GUARD; i++)
		if (s->memory[s->bytes + i] != GUARD_BYTE)
			return "scratch memory was written past its end";
	return NULL;
}

const struct mt_host_api cf_host_api = {
	.struct_size = sizeof cf_host_api,
	.abi_major = MT_ABI_MAJOR,
	.abi_minor = MT_ABI_MINOR,
	.log = host_log,
	.set_error = host_set_error,
	.scratch = host_scratch,
	.thread_budget = host_thread_budget,
};

const char *cf_error(void) {
	return last_error;
}

void cf_error_clear(void) {
	last_error[0] = '\0';
}

/* What failed, before what the plugin said about it. */
static int fail(const char *what, const char *why) {
	char text[sizeof last_error];
	snprintf(text, sizeof text, "%s: %.900s", what, why != NULL && why[0] != '\0' ? why : "no reason given");
	memcpy(last_error, text, sizeof text);
	return 0;
}

mt_plugin_entry_fn cf_entry(const char *path) {
	mt_plugin_entry_fn entry = NULL;
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	void *symbol = library != NULL ? dlsym(library, MT_PLUGIN_ENTRY) : NULL;
	if (symbol == NULL)
		fail(library == NULL ? "it cannot be loaded" : "it has no entry", dlerror());
	else
		memcpy(&entry, &symbol, sizeof entry);
	return entry;
}

int cf_load(const char *path, struct mt_plugin_api *plugin) {
	const struct mt_plugin_request request = {.struct_size = sizeof request, .kind = MT_KIND_DEVICE, .kind_version = 1};
	mt_plugin_entry_fn entry = cf_entry(path);
	if (entry == NULL)
		return 0;
	*plugin = (struct mt_plugin_api){.struct_size = sizeof *plugin};
	cf_error_clear();
	if (entry(&cf_host_api, &request, plugin) != MT_OK)
		return fail("its entry refuses", last_error);
	if (plugin->abi_major != MT_ABI_MAJOR)
		return fail("its entry", "another ABI major than the host's");
	if (plugin->struct_size < sizeof *plugin || plugin->device_count == NULL || plugin->device_info == NULL ||
	    plugin->device_open == NULL || plugin->device_close == NULL)
		return fail("its entry", "the plugin's table is not complete");
	return 1;
}

static int has_memory_functions(const struct mt_device_api *api) {
	return api != NULL && api->struct_size >= sizeof *api && api->alloc != NULL && api->free != NULL &&
	       api->memory_info != NULL && api->queue_create != NULL && api->queue_destroy != NULL && api->upload != NULL &&
	       api->download != NULL && api->copy_device != NULL && api->synchronize != NULL && api->kernels != NULL &&
	       (api->capabilities != NULL || api->n_capabilities == 0);
}

int cf_queue_create(struct cf_host *h, mt_queue **queue, struct cf_scratch **scratch) {
	struct cf_scratch *s = calloc(1, sizeof *s);
	if (s == NULL)
		return fail("queue_create", "out of memory");
	*s = (struct cf_scratch){.api = h->api, .device = h->device, .is_watched = h->host_memory && !h->plain_scratch};
	if (h->api->queue_create(h->device, (mt_host_queue *)(void *)s, queue) != MT_OK) {
		free(s);
		return fail("queue_create", last_error);
	}
	*scratch = s;
	return 1;
}

void cf_queue_destroy(struct cf_host *h, mt_queue *queue, struct cf_scratch *scratch) {
	h->api->queue_destroy(queue);
	if (scratch->memory != NULL)
		h->api->free(h->device, scratch->memory);
	free(scratch);
}

static int open_device(struct cf_host *h, const struct cf_target *target, const char *threads) {
	struct mt_option options[CF_MAX_OPTIONS + 1];
	uint64_t n = 0;
	int32_t count = 0;
	for (int i = 0; i < target->n_options; i++)
		if (threads == NULL || strcmp(target->options[i].key, "threads") != 0)
			options[n++] = target->options[i];
	if (threads != NULL)
		options[n++] = (struct mt_option){"threads", threads};
	if (h->plugin.device_count(&count) != MT_OK || count < 1)
		return fail("no device", last_error);
	if (h->plugin.device_open(target->ordinal, options, n, &h->device, &h->api) != MT_OK) {
		h->device = NULL;
		return fail("the device cannot be opened", last_error);
	}
	if (!has_memory_functions(h->api))
		return fail("the device", "its table is not complete");
	struct mt_device_info info = {.struct_size = sizeof info};
	h->host_memory =
		h->plugin.device_info(target->ordinal, &info) == MT_OK && (info.flags & MT_DEVICE_HOST_MEMORY) != 0;
	return 1;
}

int cf_host_open(struct cf_host *h, const struct cf_target *target, const char *threads) {
	*h = (struct cf_host){.plain_scratch = target->plain_scratch};
	if (threads != NULL)
		snprintf(h->label, sizeof h->label, "threads=%s", threads);
	if (!cf_load(target->path, &h->plugin))
		return 0;
	cf_error_clear();
	if (!open_device(h, target, threads) || !cf_queue_create(h, &h->queue, &h->scratch)) {
		h->queue = NULL;
		cf_host_close(h);
		return 0;
	}
	return 1;
}

void cf_host_close(struct cf_host *h) {
	if (h->queue != NULL)
		cf_queue_destroy(h, h->queue, h->scratch);
	if (h->device != NULL)
		h->plugin.device_close(h->device);
	h->queue = NULL;
	h->device = NULL;
	h->api = NULL;
}

int cf_claims(const struct mt_device_api *api, int32_t kernel, int32_t op, int32_t dtype, int32_t to) {
	for (uint64_t i = 0; i < api->n_capabilities; i++) {
		const struct mt_capability *c = &api->capabilities[i];
		if (c->kernel == kernel && (c->op == 0 || c->op == op) && (c->dtypes & MT_DTYPE_BIT(dtype)) != 0 &&
		    (to == 0 || (c->to & MT_DTYPE_BIT(to)) != 0))
			return 1;
	}
	return 0;
}

int cf_has_kernel(const struct mt_kernel_table *table, int32_t kernel) {
	switch (kernel) {
#define MT_KERNEL(id, NAME, name, group, must)                                                                         \
	case id:                                                                                                           \
		return table->struct_size >= offsetof(struct mt_kernel_table, name) + sizeof table->name && table->name != NULL;
#include "mt/kernels.def"
#undef MT_KERNEL
	default:
		return 0;
	}
}

int32_t cf_host_call(struct cf_host *h, int32_t kernel, const void *args) {
	int32_t status = MT_E_UNSUPPORTED;
	h->scratch->calls = 0;
	cf_error_clear();
	if (!cf_has_kernel(h->api->kernels, kernel)) {
		fail("the kernel", "the table has no function for it");
		return MT_E_UNSUPPORTED;
	}
	switch (kernel) {
#define MT_KERNEL(id, NAME, name, group, must)                                                                         \
	case id:                                                                                                           \
		status = h->api->kernels->name(h->queue, args);                                                                \
		break;
#include "mt/kernels.def"
#undef MT_KERNEL
	default:
		break;
	}
	int32_t later = h->api->synchronize(h->queue);
	h->told_late = status == MT_OK && later != MT_OK;
	return status != MT_OK ? status : later;
}
