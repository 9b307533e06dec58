#include "frame.h"

#include <fenv.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { MAX_ROWS = 512, MISALIGNMENT = 8, LEAST_ALIGNMENT = 64, SHARED = 512, QUEUES = 64 };

static const char *const names[] = {
#define FRAME(name, check, what) #name,
#include "frames.def"
#undef FRAME
};

static const char *chosen = "";
static const struct mt_host_api *host_api;
static struct mt_plugin_api inner_plugin;
static struct mt_device_api inner;
static struct mt_kernel_table inner_kernels;
static struct mt_capability rows[MAX_ROWS];
static int open_devices;
static void *shared_block;

/* The host's name for each queue; a slot is reused when another queue has its address. */
static struct {
	mt_queue *queue;
	mt_host_queue *host;
} queues[QUEUES];

static int is(const char *name) {
	return strcmp(chosen, name) == 0;
}

int fault_frame_choose(const char *name) {
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], name) == 0) {
			chosen = names[i];
			return 1;
		}
	return 0;
}

/* ---- entry ---- */

static void on_signal(int number) {
	(void)number;
}

static void disturb_process(void) {
	if (is("changes_rounding"))
		fesetround(FE_UPWARD);
	if (is("catches_signals"))
		signal(SIGINT, on_signal);
	if (is("writes_stdout")) {
		printf("a plugin that talks\n");
		fflush(stdout);
	}
}

void fault_frame_enter(struct mt_host_api *host, struct mt_plugin_request *request) {
	if (is("takes_any_major"))
		host->abi_major = MT_ABI_MAJOR;
	if (is("takes_any_kind"))
		request->kind = MT_KIND_DEVICE;
	disturb_process();
}

int fault_frame_refuses(const struct mt_host_api *host, const struct mt_plugin_request *request) {
	return (is("same_minor_only") && host->abi_minor != MT_ABI_MINOR) ||
	       (is("refuses_kind_silently") && request->kind != MT_KIND_DEVICE);
}

uint32_t fault_frame_size(uint32_t room) {
	return is("ignores_table_size") ? (uint32_t)sizeof(struct mt_plugin_api) : room;
}

/* ---- devices ---- */

static int32_t describe(int32_t ordinal, struct mt_device_info *out) {
	int32_t status = inner_plugin.device_info(is("takes_any_device") ? 0 : ordinal, out);
	if (status == MT_OK && is("unaligned_by_name"))
		out->alignment = 96;
	if (status == MT_OK && is("info_beyond_room"))
		out->memory_kind = MT_MEMORY_HOST;
	if (status == MT_OK && is("host_kind_alone"))
		out->flags &= ~(uint32_t)MT_DEVICE_HOST_MEMORY;
	return status;
}

static int32_t (*next_open)(int32_t, const struct mt_option *, uint64_t, mt_plugin_device **,
                            const struct mt_device_api **);

static int32_t open_device(int32_t ordinal, const struct mt_option *options, uint64_t n, mt_plugin_device **device,
                           const struct mt_device_api **api) {
	if (is("opens_once") && open_devices > 0) {
		host_api->set_error(MT_E_DEVICE, "fault: it is open already");
		return MT_E_DEVICE;
	}
	int32_t status =
		next_open(is("takes_any_device") ? 0 : ordinal, options, is("takes_any_option") ? 0 : n, device, api);
	open_devices += status == MT_OK;
	return status;
}

static void close_device(mt_plugin_device *device) {
	open_devices--;
	inner_plugin.device_close(device);
}

void fault_frame_plugin(struct mt_plugin_api *api, const struct mt_host_api *host) {
	host_api = host;
	inner_plugin = *api;
	next_open = api->device_open;
	api->device_info = describe;
	api->device_open = open_device;
	api->device_close = close_device;
	if (is("no_description"))
		api->description = NULL;
	if (is("size_beyond_table"))
		api->struct_size = sizeof *api + 64;
}

/* ---- memory ---- */

static int32_t allocate(mt_plugin_device *device, uint64_t bytes, void **out) {
	int shared = is("same_block") && bytes < SHARED, off = is("misaligned") ? MISALIGNMENT : 0;
	if (shared && shared_block != NULL) {
		*out = shared_block;
		return MT_OK;
	}
	if (is("gives_huge") && bytes > (uint64_t)1 << 60)
		bytes = 4096;
	int32_t status = inner.alloc(device, shared ? SHARED : bytes + (uint64_t)off, out);
	if (status == MT_OK && shared)
		shared_block = *out;
	if (status == MT_OK)
		*out = (char *)*out + off;
	return status;
}

static int32_t release(mt_plugin_device *device, void *base) {
	if (base == NULL)
		return inner.free(device, NULL);
	if (base == shared_block)
		return MT_OK;
	return inner.free(device, (char *)base - (is("misaligned") ? MISALIGNMENT : 0));
}

static int32_t memory_info(mt_plugin_device *device, struct mt_memory_info *out) {
	int32_t status = inner.memory_info(device, out);
	if (is("free_above_total"))
		out->free_bytes = out->total_bytes + 1;
	return status;
}

static int32_t upload(mt_queue *queue, void *base, uint64_t offset, const void *from, uint64_t bytes) {
	return inner.upload(queue, base, is("rounds_offsets") ? offset & ~UINT64_C(3) : offset, from, bytes);
}

static int32_t download(mt_queue *queue, const void *base, uint64_t offset, void *to, uint64_t bytes) {
	return inner.download(queue, base, offset, to, bytes - (is("short_download") && bytes > 0));
}

/* late_copies: a kernel that was called before is taken to be done when it is not: the copy is what lay there. */
static int32_t copy_device(mt_queue *queue, void *to, uint64_t to_offset, const void *from, uint64_t offset,
                           uint64_t bytes) {
	static const unsigned char old[64];
	if (is("late_copies"))
		return inner.upload(queue, to, to_offset, old, bytes < sizeof old ? bytes : sizeof old);
	return inner.copy_device(queue, to, is("copies_to_the_start") ? 0 : to_offset, from, offset, bytes);
}

static int32_t synchronize(mt_queue *queue) {
	int32_t status = inner.synchronize(queue);
	if (!is("synchronize_fails"))
		return status;
	host_api->set_error(MT_E_DEVICE, "fault: the device has fallen off");
	return MT_E_DEVICE;
}

static int32_t no_event(mt_plugin_device *device, mt_event **out) {
	(void)device;
	(void)out;
	return MT_E_UNSUPPORTED;
}

static void no_event_end(mt_event *event) {
	(void)event;
}

/* ---- scratch ---- */

static int32_t create_queue(mt_plugin_device *device, mt_host_queue *host, mt_queue **out) {
	int32_t status = inner.queue_create(device, host, out);
	for (int i = 0; i < QUEUES && status == MT_OK; i++)
		if (queues[i].queue == NULL || queues[i].queue == *out) {
			queues[i].queue = *out;
			queues[i].host = host;
			break;
		}
	return status;
}

static void *scratch(mt_queue *queue, uint64_t bytes) {
	int i = 0;
	while (i < QUEUES - 1 && queues[i].queue != queue)
		i++;
	return host_api->scratch(queues[i].host, bytes);
}

static int32_t map(mt_queue *queue, const struct mt_map_args *args) {
	if (is("own_memory_alone") && (uintptr_t)args->out->base % LEAST_ALIGNMENT != 0) {
		host_api->set_error(MT_E_ARG, "fault: this buffer is not mine");
		return MT_E_ARG;
	}
	if (args->op != MT_MAP_TANH || args->x->dtype != MT_F32)
		return inner_kernels.map(queue, args);
	const mt_array *out = args->out;
	if (is("refuses_steps") && out->rank > 0 && out->stride[out->rank - 1] == 2) {
		host_api->set_error(MT_E_UNSUPPORTED, "fault: no steps of 2");
		return MT_E_UNSUPPORTED;
	}
	unsigned char *p = NULL;
	if (is("overruns_scratch") || is("asks_twice"))
		p = scratch(queue, 1000);
	if (is("asks_twice"))
		scratch(queue, 100000);
	if (is("no_scratch_no_reason") && scratch(queue, 1000) == NULL)
		return MT_E_MEMORY;
	int32_t status = inner_kernels.map(queue, args);
	if (is("overruns_scratch") && p != NULL)
		p[1000] = 1;
	return status;
}

/* ---- tables ---- */

static void add_row(struct mt_device_api *device, int32_t op, int32_t dtype) {
	uint64_t n = device->n_capabilities < MAX_ROWS - 1 ? device->n_capabilities : MAX_ROWS - 1;
	memcpy(rows, device->capabilities, n * sizeof *rows);
	rows[n++] = (struct mt_capability){MT_K_MAP, op, MT_DTYPE_BIT(dtype), 0};
	device->capabilities = rows;
	device->n_capabilities = n;
}

void fault_frame_device(const struct mt_device_api *given, struct mt_device_api *device,
                        struct mt_kernel_table *kernels) {
	inner = *given;
	inner_kernels = *kernels;
	device->alloc = allocate;
	device->free = release;
	device->memory_info = memory_info;
	device->upload = upload;
	device->download = download;
	device->copy_device = copy_device;
	device->synchronize = synchronize;
	device->queue_create = create_queue;
	kernels->map = map;
	if (is("lacks_mandatory"))
		kernels->matmul = NULL;
	if (is("claims_nothing_there"))
		kernels->sort = NULL;
	if (is("half_of_events")) {
		device->event_create = no_event;
		device->event_destroy = no_event_end;
	}
	if (is("claims_unknown_op"))
		add_row(device, 200, MT_F32);
	if (is("claims_bool_exp"))
		add_row(device, MT_MAP_EXP, MT_BOOL);
}
