/* The plugin: MT_FAULT_PLUGIN is the library behind it, MT_FAULT the name of a row of faults.def or frames.def, or "none".
 * Each kernel is called on the inner plugin, and one of them with a fault; frame.c does the rest.  Buffers
 * are read and written through the inner plugin's upload and download, so that any device will do. */
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MT_BUILDING_PLUGIN
#include "frame.h"

static const struct fault_row {
	const char *name;
	int32_t kernel, op; /* op 0: every op */
	enum fault_phase when;
	void (*act)(struct fault_call *c);
} faults[] = {
#define FAULT(name, KERNEL, op, glob, when, function, what) {#name, MT_K_##KERNEL, op, when, fault_##function},
#include "faults.def"
#undef FAULT
};

static const struct operand_row {
	int32_t kernel;
	const char *field;
	enum fault_role role;
	size_t at;
} operands[] = {
#define MT_OPERAND(KERNEL, kernel, field, role)                                                                        \
	{MT_K_##KERNEL, #field, role, offsetof(struct mt_##kernel##_args, field)},
#include "mt/operands.def"
#undef MT_OPERAND
};

enum { N_FAULTS = sizeof faults / sizeof *faults, N_OPERANDS = sizeof operands / sizeof *operands };

static const struct fault_row *fault;
static const struct mt_host_api *host;
static struct mt_plugin_api inner;
static struct mt_device_api
	inner_device; /* a copy, as a device may take its own along; all devices have the same functions */

/* ---- one call ---- */

struct fault_operand *fault_find(struct fault_call *c, const char *field) {
	for (int i = 0; i < c->n_operands; i++)
		if (strcmp(c->operand[i].field, field) == 0)
			return &c->operand[i];
	return NULL;
}

static int is_written(const struct fault_operand *o) {
	return o->role != IN && o->role != OPT_IN;
}

struct fault_operand *fault_in(struct fault_call *c) {
	for (int i = 0; i < c->n_operands; i++)
		if (!is_written(&c->operand[i]))
			return &c->operand[i];
	return NULL;
}

struct fault_operand *fault_out(struct fault_call *c) {
	for (int i = 0; i < c->n_operands; i++)
		if (is_written(&c->operand[i]))
			return &c->operand[i];
	return NULL;
}

int32_t fault_refuse(struct fault_call *c, int32_t status, const char *words) {
	host->set_error(status, words);
	return c->status = status;
}

int32_t fault_inner(struct fault_call *c) {
	const struct mt_kernel_table *table = inner_device.kernels;
	switch (c->kernel) {
#define MT_KERNEL(id, NAME, name, group, must)                                                                         \
	case id:                                                                                                           \
		return c->status = table->name(c->queue, c->args);
#include "mt/kernels.def"
#undef MT_KERNEL
	default:
		return c->status = MT_E_INTERNAL;
	}
}

static void *check_memory(void *p) {
	if (p == NULL)
		abort(); /* a test without memory proves nothing */
	return p;
}

static void download(struct fault_call *c, struct fault_operand *o, unsigned char *to) {
	if (inner_device.download(c->queue, o->asked.base, 0, to, o->asked.buffer_bytes) != MT_OK)
		abort();
}

static void write_back(struct fault_call *c) {
	for (int i = 0; i < c->n_operands; i++) {
		struct fault_operand *o = &c->operand[i];
		if (o->dirty && inner_device.upload(c->queue, o->asked.base, 0, o->now, o->asked.buffer_bytes) != MT_OK)
			abort();
		o->dirty = 0;
	}
}

/* The operands with their buffers; args then points at them. */
static void collect(struct fault_call *c) {
	for (int i = 0; i < N_OPERANDS; i++) {
		const mt_array **field = (const mt_array **)(void *)((char *)c->args + operands[i].at);
		if (operands[i].kernel != c->kernel || *field == NULL)
			continue;
		struct fault_operand *o = &c->operand[c->n_operands++];
		*o = (struct fault_operand){
			.field = operands[i].field, .role = operands[i].role, .array = **field, .asked = **field, .numel = 1};
		for (int d = 0; d < o->asked.rank; d++)
			o->numel *= o->asked.shape[d];
		o->before = check_memory(malloc(o->asked.buffer_bytes + 1));
		o->now = check_memory(malloc(o->asked.buffer_bytes + 1));
		download(c, o, o->before);
		memcpy(o->now, o->before, o->asked.buffer_bytes);
		*field = &o->array;
	}
}

static void release(struct fault_call *c) {
	for (int i = 0; i < c->n_operands; i++) {
		free(c->operand[i].before);
		free(c->operand[i].now);
	}
}

static int32_t op_of(int32_t kernel, const void *args) {
	switch (kernel) {
	case MT_K_MAP:
		return ((const struct mt_map_args *)args)->op;
	case MT_K_ZIP:
		return ((const struct mt_zip_args *)args)->op;
	case MT_K_REDUCE:
		return ((const struct mt_reduce_args *)args)->op;
	case MT_K_ARG_REDUCE:
		return ((const struct mt_arg_reduce_args *)args)->op;
	case MT_K_SCAN:
		return ((const struct mt_scan_args *)args)->op;
	case MT_K_POOL:
		return ((const struct mt_pool_args *)args)->op;
	case MT_K_POOL_GRAD:
		return ((const struct mt_pool_grad_args *)args)->op;
	default:
		return 0;
	}
}

static int32_t call(mt_queue *queue, int32_t kernel, void *args) {
	struct fault_call c = {.queue = queue, .kernel = kernel, .args = args};
	if (fault == NULL || fault->kernel != kernel || (fault->op != 0 && fault->op != op_of(kernel, args)))
		return fault_inner(&c);
	collect(&c);
	if (fault->when != AFTER)
		fault->act(&c);
	write_back(&c);
	if (fault->when != INSTEAD)
		fault_inner(&c);
	if (fault->when == AFTER && c.status == MT_OK) {
		for (int i = 0; i < c.n_operands; i++)
			download(&c, &c.operand[i], c.operand[i].now);
		fault->act(&c);
		write_back(&c);
	}
	release(&c);
	return c.status;
}

#define MT_KERNEL(id, NAME, name, group, must)                                                                         \
	static int32_t call_##name(mt_queue *queue, const struct mt_##name##_args *args) {                                 \
		struct mt_##name##_args own = *args;                                                                           \
		return call(queue, id, &own);                                                                                  \
	}
#include "mt/kernels.def"
#undef MT_KERNEL

/* ---- the device ---- */

static struct mt_kernel_table kernels;
static struct mt_device_api device;

static int32_t device_open(int32_t ordinal, const struct mt_option *options, uint64_t n_options,
                           mt_plugin_device **opened, const struct mt_device_api **api) {
	int32_t status = inner.device_open(ordinal, options, n_options, opened, api);
	if (status != MT_OK)
		return status;
	inner_device = **api;
	kernels = *inner_device.kernels;
#define MT_KERNEL(id, NAME, name, group, must) kernels.name = kernels.name != NULL ? call_##name : NULL;
#include "mt/kernels.def"
#undef MT_KERNEL
	device = inner_device;
	device.kernels = &kernels;
	fault_frame_device(&inner_device, &device, &kernels);
	*api = &device;
	return MT_OK;
}

static int choose_fault(void) {
	const char *name = getenv("MT_FAULT");
	if (name == NULL || strcmp(name, "none") == 0)
		return 1;
	for (int i = 0; i < N_FAULTS; i++)
		if (strcmp(faults[i].name, name) == 0)
			fault = &faults[i];
	return fault != NULL || fault_frame_choose(name);
}

/* The inner plugin's entry; NULL where there is none. */
static mt_plugin_entry_fn inner_entry(void) {
	const char *path = getenv("MT_FAULT_PLUGIN");
	void *library = path != NULL ? dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) : NULL;
	void *symbol = library != NULL ? dlsym(library, MT_PLUGIN_ENTRY) : NULL;
	mt_plugin_entry_fn entry = NULL;
	if (symbol != NULL)
		memcpy(&entry, &symbol, sizeof entry);
	return entry;
}

/* The inner plugin keeps its host: of each call a copy stays, as a fault may have changed it. */
static const struct mt_host_api *keep(const struct mt_host_api *given) {
	static struct mt_host_api kept[16];
	static int n;
	struct mt_host_api *copy = &kept[n++ % 16];
	*copy = *given;
	copy->struct_size = sizeof *copy;
	return copy;
}

int32_t mt_plugin_entry_v1(const struct mt_host_api *given, const struct mt_plugin_request *request,
                           struct mt_plugin_api *api) {
	mt_plugin_entry_fn entry = inner_entry();
	struct mt_host_api changed = *given;
	struct mt_plugin_request asked = *request;
	struct mt_plugin_api whole = {.struct_size = sizeof whole};
	host = given;
	if (entry == NULL || !choose_fault()) {
		host->set_error(MT_E_PLUGIN, entry == NULL ? "MT_FAULT_PLUGIN names no plugin" : "MT_FAULT names no fault");
		return MT_E_PLUGIN;
	}
	if (fault_frame_refuses(given, request))
		return MT_E_PLUGIN;
	fault_frame_enter(&changed, &asked);
	int32_t status = entry(keep(&changed), &asked, &whole);
	if (status != MT_OK)
		return status;
	inner = whole;
	whole.device_open = device_open;
	fault_frame_plugin(&whole, given);
	uint32_t size = fault_frame_size(api->struct_size < sizeof whole ? api->struct_size : (uint32_t)sizeof whole);
	uint32_t said = whole.struct_size > sizeof whole ? whole.struct_size : size;
	memcpy(api, &whole, size);
	api->struct_size = said;
	return MT_OK;
}
