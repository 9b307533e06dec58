#include "host.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static char last_error[1024];

static void host_log(int32_t level, const char *text) {
	(void)level;
	(void)text;
}

static void host_set_error(int32_t status, const char *text) {
	snprintf(last_error, sizeof last_error, "status %d: %s", (int)status, text);
}

static int32_t host_thread_budget(void) {
	return 2;
}

/* The ABI passes the mt_host_queue that queue_create was given: here it is the kc_host. */
static void *host_scratch(mt_host_queue *queue, uint64_t bytes) {
	struct kc_host *h = (struct kc_host *)(void *)queue;
	if (bytes > h->scratch_bytes) {
		if (h->scratch != NULL)
			h->api->free(h->device, h->scratch);
		h->scratch = NULL;
		h->scratch_bytes = 0;
		if (h->api->alloc(h->device, bytes, &h->scratch) != MT_OK)
			return NULL;
		h->scratch_bytes = bytes;
	}
	return h->scratch;
}

static const struct mt_host_api host_api = {
	.struct_size = sizeof host_api,
	.abi_major = MT_ABI_MAJOR,
	.abi_minor = MT_ABI_MINOR,
	.log = host_log,
	.set_error = host_set_error,
	.scratch = host_scratch,
	.thread_budget = host_thread_budget,
};

const char *kc_error(void) {
	return last_error;
}

void kc_error_clear(void) {
	last_error[0] = '\0';
}

static int fail(const char *what, const char *why) {
	char text[sizeof last_error];
	snprintf(text, sizeof text, "%s: %.900s", what, why);
	memcpy(last_error, text, sizeof text);
	return 0;
}

static int load(struct kc_host *h, const char *path) {
	const struct mt_plugin_request request = {.struct_size = sizeof request, .kind = MT_KIND_DEVICE, .kind_version = 1};
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (library == NULL)
		return fail("dlopen", dlerror());
	mt_plugin_entry_fn entry = NULL;
	void *symbol = dlsym(library, MT_PLUGIN_ENTRY);
	if (symbol == NULL)
		return fail("dlsym", dlerror());
	memcpy(&entry, &symbol, sizeof entry);
	h->plugin.struct_size = sizeof h->plugin;
	if (entry(&host_api, &request, &h->plugin) != MT_OK)
		return fail("entry", last_error);
	return 1;
}

int kc_open(struct kc_host *h, const char *label, const char *path, const char *threads) {
	const struct mt_option option = {"threads", threads};
	int32_t count = 0;
	*h = (struct kc_host){.label = label, .random = 1};
	kc_error_clear();
	if (!load(h, path))
		return 0;
	if (h->plugin.device_count(&count) != MT_OK || count < 1)
		return fail("no device", last_error);
	if (h->plugin.device_open(0, &option, threads != NULL, &h->device, &h->api) != MT_OK)
		return fail("device_open", last_error);
	if (h->api->queue_create(h->device, (mt_host_queue *)(void *)h, &h->queue) != MT_OK)
		return fail("queue_create", last_error);
	return 1;
}

void kc_close(struct kc_host *h) {
	if (h->scratch != NULL)
		h->api->free(h->device, h->scratch);
	if (h->queue != NULL)
		h->api->queue_destroy(h->queue);
	if (h->device != NULL)
		h->plugin.device_close(h->device);
	*h = (struct kc_host){0};
}

int kc_has(const struct kc_host *h, int32_t kernel, int32_t op, int32_t dtype, int32_t to) {
	for (uint64_t i = 0; i < h->api->n_capabilities; i++) {
		const struct mt_capability *c = &h->api->capabilities[i];
		if (c->kernel == kernel && (c->op == 0 || c->op == op) && (c->dtypes & MT_DTYPE_BIT(dtype)) &&
		    (to == 0 || (c->to & MT_DTYPE_BIT(to))))
			return 1;
	}
	return 0;
}

int32_t kc_call(struct kc_host *h, int32_t kernel, const void *args) {
	int32_t status = MT_E_UNSUPPORTED;
	kc_error_clear();
	switch (kernel) {
#define MT_KERNEL(id, NAME, name, group, must)                                                                         \
	case id:                                                                                                           \
		if (h->api->kernels->name != NULL)                                                                             \
			status = h->api->kernels->name(h->queue, args);                                                            \
		break;
#include "mt/kernels.def"
#undef MT_KERNEL
	default:
		break;
	}
	int32_t later = h->api->synchronize(h->queue);
	h->calls++;
	return status != MT_OK ? status : later;
}

/* splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014. */
static uint64_t next_random(struct kc_host *h) {
	uint64_t z = h->random += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

double kc_uniform(struct kc_host *h) {
	return (double)(next_random(h) >> 11) * 0x1p-53;
}

int64_t kc_integer(struct kc_host *h, int64_t low, int64_t high) {
	return low + (int64_t)(next_random(h) % (uint64_t)(high - low + 1));
}
