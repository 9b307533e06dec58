/* The frame: entry, devices, memory, and every kernel's way to the other plugin. */
#define MT_BUILDING_PLUGIN
#include "fault.h"

#include <dlfcn.h>
#include <fenv.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"

enum { MAX_QUEUES = 64, MAX_ROWS = 512, MISALIGNMENT = 8, SHARED = 512 };

const struct fault *fault_chosen;
const struct mt_device_api *fault_device;
const struct mt_host_api *fault_host;

static struct mt_plugin_api other;
static struct mt_device_api device_table;
static struct mt_kernel_table kernel_table;
static struct mt_capability rows[MAX_ROWS];
static mt_plugin_device *first_device;
static int open_devices;
static void *shared_block;

static struct {
	mt_queue *queue;
	mt_host_queue *host;
	mt_plugin_device *device;
} queues[MAX_QUEUES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- the list ---- */

#define FAULT(name, where, KERNEL, op, dtype, prepare, spoil, instead, words)                                          \
	{#name, MT_K_##KERNEL, op, dtype, prepare, spoil, instead},
#define FRAME(name, where, words) {#name, 0, 0, 0, NULL, NULL, NULL},
static const struct fault faults[] = {
#include "faults.def"
	/* not faults: what the suite must tell from them */
	{"refuses_steps", MT_K_MAP, MT_MAP_TANH, 0, NULL, NULL, fault_refuses_steps},
	{"other_threads_other_bits", MT_K_MAP, MT_MAP_TANH, MT_F32, NULL, fault_other_threads_other_bits, NULL},
};
#undef FAULT
#undef FRAME

int fault_is(const char *name) {
	return fault_chosen != NULL && strcmp(fault_chosen->name, name) == 0;
}

static const struct fault *named(const char *name) {
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		if (strcmp(faults[i].name, name) == 0)
			return &faults[i];
	return NULL;
}

/* ---- queues ---- */

static void note_queue(mt_queue *queue, mt_host_queue *host, mt_plugin_device *device) {
	pthread_mutex_lock(&lock);
	for (int i = 0; i < MAX_QUEUES; i++)
		if (queues[i].queue == (host != NULL ? NULL : queue)) {
			queues[i].queue = host != NULL ? queue : NULL;
			queues[i].host = host;
			queues[i].device = device;
			break;
		}
	pthread_mutex_unlock(&lock);
}

static int find_queue(const mt_queue *queue) {
	int i = 0;
	pthread_mutex_lock(&lock);
	while (i < MAX_QUEUES - 1 && queues[i].queue != queue)
		i++;
	pthread_mutex_unlock(&lock);
	return i;
}

void *fault_scratch(mt_queue *queue, uint64_t bytes) {
	return fault_host->scratch(queues[find_queue(queue)].host, bytes);
}

int fault_is_first_device(const mt_queue *queue) {
	return queues[find_queue(queue)].device == first_device;
}

static int32_t create_queue(mt_plugin_device *device, mt_host_queue *host, mt_queue **out) {
	int32_t status = fault_device->queue_create(device, host, out);
	if (status == MT_OK)
		note_queue(*out, host, device);
	return status;
}

static void destroy_queue(mt_queue *queue) {
	note_queue(queue, NULL, NULL);
	fault_device->queue_destroy(queue);
}

/* ---- kernels ---- */

int32_t fault_forward(struct fault_call *c) {
	switch (c->kernel) {
#define MT_KERNEL(id, NAME, name, group, must)                                                                         \
	case id:                                                                                                           \
		return fault_device->kernels->name(c->queue, &c->args.name);
#include "mt/kernels.def"
#undef MT_KERNEL
	default:
		return MT_E_INTERNAL;
	}
}

/* The op id stands behind the head in the arguments of every kernel that has one. */
static int32_t op_of(const struct fault_call *c) {
	switch (c->kernel) {
	case MT_K_MAP:
	case MT_K_ZIP:
	case MT_K_REDUCE:
	case MT_K_ARG_REDUCE:
	case MT_K_SCAN:
	case MT_K_POOL:
	case MT_K_POOL_GRAD:
		return c->args.map.op;
	default:
		return 0;
	}
}

static int is_meant(const struct fault_call *c) {
	const struct fault *f = fault_chosen;
	return f != NULL && f->kernel == c->kernel && (f->op == 0 || f->op == c->op) &&
	       (f->dtype == 0 || (c->n_arrays > 0 && c->arrays[0].dtype == f->dtype));
}

static int32_t intercept(mt_queue *queue, int32_t kernel, const void *args, size_t bytes) {
	struct fault_call c = {.queue = queue, .kernel = kernel};
	memcpy(&c.args, args, bytes);
	c.op = op_of(&c);
	fault_copy_arrays(&c);
	if (!is_meant(&c))
		return fault_forward(&c);
	if (fault_chosen->instead != NULL)
		return fault_chosen->instead(&c);
	if (fault_chosen->prepare != NULL)
		fault_chosen->prepare(&c);
	int32_t status = fault_forward(&c);
	if (status == MT_OK && fault_chosen->spoil != NULL)
		fault_chosen->spoil(&c);
	free(c.before);
	return status;
}

#define MT_KERNEL(id, NAME, name, group, must)                                                                         \
	static int32_t call_##name(mt_queue *queue, const struct mt_##name##_args *args) {                                 \
		return intercept(queue, id, args, sizeof *args);                                                               \
	}
#include "mt/kernels.def"
#undef MT_KERNEL

static void fill_kernels(const struct mt_kernel_table *given) {
	kernel_table = (struct mt_kernel_table){.struct_size = sizeof kernel_table};
#define MT_KERNEL(id, NAME, name, group, must) kernel_table.name = given->name != NULL ? call_##name : NULL;
#include "mt/kernels.def"
#undef MT_KERNEL
	if (fault_is("lacks_mandatory"))
		kernel_table.matmul = NULL;
	if (fault_is("claims_nothing_there"))
		kernel_table.sort = NULL;
}

static void fill_rows(const struct mt_device_api *given) {
	uint64_t n = given->n_capabilities < MAX_ROWS - 1 ? given->n_capabilities : MAX_ROWS - 1;
	memcpy(rows, given->capabilities, n * sizeof *rows);
	if (fault_is("claims_unknown_op"))
		rows[n++] = (struct mt_capability){MT_K_MAP, 200, MT_DTYPE_BIT(MT_F32), 0};
	if (fault_is("claims_bool_exp"))
		rows[n++] = (struct mt_capability){MT_K_MAP, MT_MAP_EXP, MT_DTYPE_BIT(MT_BOOL), 0};
	device_table.capabilities = rows;
	device_table.n_capabilities = n;
}

/* ---- memory ---- */

static int32_t allocate(mt_plugin_device *device, uint64_t bytes, void **out) {
	int shared = fault_is("same_block") && bytes < SHARED, off = fault_is("misaligned") ? MISALIGNMENT : 0;
	if (shared && shared_block != NULL) {
		*out = shared_block;
		return MT_OK;
	}
	if (fault_is("gives_huge") && bytes > (uint64_t)1 << 60)
		bytes = 4096;
	int32_t status = fault_device->alloc(device, shared ? SHARED : bytes + (uint64_t)off, out);
	if (status == MT_OK && shared)
		shared_block = *out;
	if (status == MT_OK)
		*out = (char *)*out + off;
	return status;
}

static int32_t release(mt_plugin_device *device, void *base) {
	if (base == shared_block && base != NULL)
		return MT_OK;
	return fault_device->free(device, (char *)base - (fault_is("misaligned") ? MISALIGNMENT : 0));
}

static int32_t upload(mt_queue *queue, void *base, uint64_t offset, const void *from, uint64_t bytes) {
	return fault_device->upload(queue, base, fault_is("rounds_offsets") ? offset & ~UINT64_C(3) : offset, from, bytes);
}

static int32_t download(mt_queue *queue, const void *base, uint64_t offset, void *to, uint64_t bytes) {
	return fault_device->download(queue, base, offset, to, bytes - (fault_is("short_download") && bytes > 0));
}

static int32_t copy_device(mt_queue *queue, void *to, uint64_t to_offset, const void *from, uint64_t offset,
                           uint64_t bytes) {
	return fault_device->copy_device(queue, to, fault_is("copies_to_the_start") ? 0 : to_offset, from, offset, bytes);
}

/* ---- devices ---- */

static void fill_device(const struct mt_device_api *given) {
	fault_device = given;
	device_table = *given;
	device_table.struct_size = sizeof device_table;
	device_table.queue_create = create_queue;
	device_table.queue_destroy = destroy_queue;
	device_table.alloc = allocate;
	device_table.free = release;
	device_table.upload = upload;
	device_table.download = download;
	device_table.copy_device = copy_device;
	device_table.kernels = &kernel_table;
	fill_kernels(given->kernels);
	fill_rows(given);
}

static int32_t open_device(int32_t ordinal, const struct mt_option *options, uint64_t n, mt_plugin_device **device,
                           const struct mt_device_api **api) {
	const struct mt_device_api *given;
	if (fault_is("opens_once") && open_devices > 0) {
		fault_host->set_error(MT_E_DEVICE, "it is open already");
		return MT_E_DEVICE;
	}
	if (fault_is("takes_any_option"))
		n = 0;
	if (fault_is("takes_any_device"))
		ordinal = 0;
	int32_t status = other.device_open(ordinal, options, n, device, &given);
	if (status != MT_OK)
		return status;
	if (open_devices++ == 0)
		first_device = *device;
	if (fault_device == NULL)
		fill_device(given);
	*api = &device_table;
	return MT_OK;
}

static void close_device(mt_plugin_device *device) {
	open_devices--;
	other.device_close(device);
}

static int32_t describe(int32_t ordinal, struct mt_device_info *out) {
	return other.device_info(fault_is("takes_any_device") ? 0 : ordinal, out);
}

/* ---- entry ---- */

static void on_signal(int number) {
	(void)number;
}

static void disturb_process(void) {
	if (fault_is("changes_rounding"))
		fesetround(FE_UPWARD);
	if (fault_is("catches_signals"))
		signal(SIGINT, on_signal);
	if (fault_is("writes_stdout")) {
		printf("a plugin that talks\n");
		fflush(stdout);
	}
}

static int32_t refuse(const char *words) {
	fault_host->set_error(MT_E_PLUGIN, words);
	return MT_E_PLUGIN;
}

/* Loads the other plugin, as its host would. */
static int32_t enter_other(const struct mt_host_api *host, const struct mt_plugin_request *request) {
	const char *path = getenv("MT_FAULT_PLUGIN");
	void *library = path != NULL ? dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) : NULL;
	void *symbol = library != NULL ? dlsym(library, MT_PLUGIN_ENTRY) : NULL;
	mt_plugin_entry_fn entry;
	if (symbol == NULL)
		return refuse(path == NULL ? "MT_FAULT_PLUGIN is not set" : "MT_FAULT_PLUGIN cannot be loaded");
	memcpy(&entry, &symbol, sizeof entry);
	other = (struct mt_plugin_api){.struct_size = sizeof other};
	return entry(host, request, &other);
}

int32_t mt_plugin_entry_v1(const struct mt_host_api *host, const struct mt_plugin_request *request,
                           struct mt_plugin_api *api) {
	const char *name = getenv("MT_FAULT");
	fault_host = host;
	fault_chosen = name != NULL && name[0] != '\0' ? named(name) : NULL;
	if (name != NULL && name[0] != '\0' && fault_chosen == NULL)
		return refuse("MT_FAULT is no fault's name");
	struct mt_host_api host_seen = *host;
	static struct mt_host_api host_kept;
	struct mt_plugin_request request_seen = *request;
	if (fault_is("takes_any_major"))
		host_seen.abi_major = MT_ABI_MAJOR;
	if (fault_is("takes_any_kind"))
		request_seen.kind = MT_KIND_DEVICE;
	if (host_seen.abi_major == MT_ABI_MAJOR)
		host_kept = host_seen;
	int32_t status = enter_other(host_seen.abi_major == MT_ABI_MAJOR ? &host_kept : host, &request_seen);
	if (status != MT_OK)
		return status;
	disturb_process();
	struct mt_plugin_api mine = other;
	mine.struct_size = sizeof mine;
	mine.name = "fault";
	mine.description = "Another plugin, spoiled in one way";
	mine.device_info = describe;
	mine.device_open = open_device;
	mine.device_close = close_device;
	uint32_t size =
		fault_is("ignores_table_size") || api->struct_size > sizeof mine ? (uint32_t)sizeof mine : api->struct_size;
	memcpy(api, &mine, size);
	api->struct_size = size;
	return MT_OK;
}
