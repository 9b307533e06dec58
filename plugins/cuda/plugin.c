#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MT_BUILDING_PLUGIN
#include "mt_cuda.h"

enum { ALIGNMENT = 256, NATIVE_CUDA_STREAM = 1 };

struct mt_event {
	int ordinal;
	cudaEvent_t event;
};

static const struct mt_host_api *host_api;

/* ---- errors ---- */

int32_t mt__cuda_fail(int32_t status, const char *format, ...) {
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	host_api->set_error(status, text);
	return status;
}

int32_t mt__cuda_error(cudaError_t error, const char *what) {
	if (error == cudaSuccess)
		return MT_OK;
	(void)cudaGetLastError(); /* an error that is not sticky must not show up again in the next call */
	return mt__cuda_fail(error == cudaErrorMemoryAllocation ? MT_E_MEMORY : MT_E_DEVICE, "cuda: %s: %s (%s)", what,
	                     cudaGetErrorString(error), cudaGetErrorName(error));
}

static int32_t use_device(int ordinal) {
	return mt__cuda_error(cudaSetDevice(ordinal), "cudaSetDevice");
}

int32_t mt__cuda_enter(mt_queue *queue) {
	return use_device(queue->device->ordinal);
}

/* A kernel's error shows up at some later call: says which work it can come from. */
static int32_t finish(mt_queue *queue, const char *what) {
	cudaError_t error = cudaStreamSynchronize(queue->stream);
	uint64_t launches = queue->launches;
	queue->launches = 0;
	if (error == cudaSuccess)
		return MT_OK;
	(void)cudaGetLastError();
	return mt__cuda_fail(MT_E_DEVICE,
	                     "cuda: %s: %s (%s), seen after %llu launches since the last synchronise, the last one %s%s",
	                     what, cudaGetErrorString(error), cudaGetErrorName(error), (unsigned long long)launches,
	                     queue->last ? queue->last : "none",
	                     queue->device->synchronous ? "" : " (MT_CUDA_SYNC=1 names the kernel exactly)");
}

int32_t mt__cuda_launched(mt_queue *queue, const char *name) {
	queue->last = name;
	queue->launches++;
	int32_t status = mt__cuda_error(cudaGetLastError(), name);
	if (status == MT_OK && queue->device->synchronous)
		status = finish(queue, name);
	return status;
}

/* ---- memory ---- */

static int32_t device_alloc(mt_plugin_device *device, uint64_t bytes, void **out) {
	*out = NULL;
	int32_t status = use_device(device->ordinal);
	if (status != MT_OK)
		return status;
	cudaError_t error = cudaMalloc(out, bytes);
	if (error == cudaSuccess)
		return MT_OK;
	char what[64];
	snprintf(what, sizeof what, "cannot allocate %llu bytes", (unsigned long long)bytes);
	return mt__cuda_error(error, what);
}

static int32_t device_free(mt_plugin_device *device, void *base) {
	int32_t status = use_device(device->ordinal);
	return status == MT_OK ? mt__cuda_error(cudaFree(base), "cudaFree") : status;
}

static int32_t memory_info(mt_plugin_device *device, struct mt_memory_info *out) {
	size_t free_bytes = 0, total_bytes = 0;
	int32_t status = use_device(device->ordinal);
	if (status == MT_OK)
		status = mt__cuda_error(cudaMemGetInfo(&free_bytes, &total_bytes), "cudaMemGetInfo");
	out->free_bytes = free_bytes;
	out->total_bytes = total_bytes;
	return status;
}

/* ---- queue ---- */

static int32_t queue_create(mt_plugin_device *device, mt_host_queue *host, mt_queue **out) {
	mt_queue *queue = calloc(1, sizeof *queue);
	if (!queue)
		return mt__cuda_fail(MT_E_MEMORY, "cuda: no memory for a queue");
	queue->device = device;
	queue->host = host;
	int32_t status = use_device(device->ordinal);
	if (status == MT_OK)
		status = mt__cuda_error(cudaStreamCreateWithFlags(&queue->stream, cudaStreamNonBlocking), "cudaStreamCreate");
	if (status != MT_OK) {
		free(queue);
		return status;
	}
	*out = queue;
	return MT_OK;
}

static void queue_destroy(mt_queue *queue) {
	if (cudaSetDevice(queue->device->ordinal) == cudaSuccess) {
		cudaStreamSynchronize(queue->stream);
		cudaStreamDestroy(queue->stream);
	}
	free(queue);
}

static int32_t synchronize(mt_queue *queue) {
	int32_t status = mt__cuda_enter(queue);
	return status == MT_OK ? finish(queue, "synchronize") : status;
}

static int32_t copy_bytes(mt_queue *queue, void *to, const void *from, uint64_t bytes, enum cudaMemcpyKind kind,
                          const char *name) {
	int32_t status = mt__cuda_enter(queue);
	if (status != MT_OK || bytes == 0)
		return status;
	status = mt__cuda_error(cudaMemcpyAsync(to, from, bytes, kind, queue->stream), name);
	if (status == MT_OK && kind != cudaMemcpyDeviceToDevice)
		status = finish(queue, name);
	return status;
}

static int32_t upload(mt_queue *queue, void *base, uint64_t byte_offset, const void *src, uint64_t bytes) {
	return copy_bytes(queue, (char *)base + byte_offset, src, bytes, cudaMemcpyHostToDevice, "upload");
}

static int32_t download(mt_queue *queue, const void *base, uint64_t byte_offset, void *dst, uint64_t bytes) {
	return copy_bytes(queue, dst, (const char *)base + byte_offset, bytes, cudaMemcpyDeviceToHost, "download");
}

static int32_t copy_device(mt_queue *queue, void *dst, uint64_t dst_offset, const void *src, uint64_t src_offset,
                           uint64_t bytes) {
	return copy_bytes(queue, (char *)dst + dst_offset, (const char *)src + src_offset, bytes, cudaMemcpyDeviceToDevice,
	                  "copy_device");
}

static int32_t native_handle(mt_queue *queue, uint32_t *kind, void **handle) {
	*kind = NATIVE_CUDA_STREAM;
	*handle = queue->stream;
	return MT_OK;
}

/* ---- events ---- */

static int32_t event_create(mt_plugin_device *device, mt_event **out) {
	mt_event *event = calloc(1, sizeof *event);
	if (!event)
		return mt__cuda_fail(MT_E_MEMORY, "cuda: no memory for an event");
	event->ordinal = device->ordinal;
	int32_t status = use_device(device->ordinal);
	if (status == MT_OK)
		status = mt__cuda_error(cudaEventCreateWithFlags(&event->event, cudaEventDisableTiming), "cudaEventCreate");
	if (status != MT_OK) {
		free(event);
		return status;
	}
	*out = event;
	return MT_OK;
}

static void event_destroy(mt_event *event) {
	if (cudaSetDevice(event->ordinal) == cudaSuccess)
		cudaEventDestroy(event->event);
	free(event);
}

static int32_t event_record(mt_queue *queue, mt_event *event) {
	int32_t status = mt__cuda_enter(queue);
	return status == MT_OK ? mt__cuda_error(cudaEventRecord(event->event, queue->stream), "cudaEventRecord") : status;
}

static int32_t event_wait(mt_queue *queue, mt_event *event) {
	int32_t status = mt__cuda_enter(queue);
	return status == MT_OK ? mt__cuda_error(cudaStreamWaitEvent(queue->stream, event->event, 0), "cudaStreamWaitEvent")
	                       : status;
}

/* ---- devices ---- */

/* No driver, one that is too old, no GPU: none of these is an error (R19), each is a reason. */
static int32_t device_count(int32_t *out) {
	int count = 0, driver = 0, runtime = 0;
	*out = 0;
	cudaError_t error = cudaGetDeviceCount(&count);
	if (error == cudaSuccess && count > 0) {
		*out = count;
		return MT_OK;
	}
	(void)cudaGetLastError();
	(void)cudaDriverGetVersion(&driver);
	(void)cudaRuntimeGetVersion(&runtime);
	if (error == cudaSuccess)
		error = cudaErrorNoDevice;
	if (driver == 0)
		mt__cuda_fail(MT_E_DEVICE, "no NVIDIA driver is loaded: %s (%s)", cudaGetErrorString(error),
		              cudaGetErrorName(error));
	else if (error == cudaErrorInsufficientDriver)
		mt__cuda_fail(MT_E_DEVICE, "the NVIDIA driver supports CUDA %d.%d, this plugin needs %d.%d: %s (%s)",
		              driver / 1000, driver % 1000 / 10, runtime / 1000, runtime % 1000 / 10, cudaGetErrorString(error),
		              cudaGetErrorName(error));
	else
		mt__cuda_fail(MT_E_DEVICE, "%s (%s)", cudaGetErrorString(error), cudaGetErrorName(error));
	return MT_OK;
}

static int32_t check_ordinal(int32_t ordinal) {
	int count = 0;
	int32_t status = mt__cuda_error(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
	if (status == MT_OK && (ordinal < 0 || ordinal >= count))
		status = mt__cuda_fail(MT_E_DEVICE, "cuda: no device %d: there are %d, counted from 0", (int)ordinal, count);
	return status;
}

static int32_t device_info(int32_t ordinal, struct mt_device_info *out) {
	int32_t status = check_ordinal(ordinal);
	if (status != MT_OK)
		return status;
	struct cudaDeviceProp properties;
	status = mt__cuda_error(cudaGetDeviceProperties(&properties, ordinal), "cudaGetDeviceProperties");
	if (status != MT_OK)
		return status;
	snprintf(out->name, sizeof out->name, "%.127s", properties.name);
	snprintf(out->features, sizeof out->features, "sm_%d%d", properties.major, properties.minor);
	out->memory_bytes = properties.totalGlobalMem;
	out->flags = MT_DEVICE_ASYNC;
	out->alignment = ALIGNMENT;
	return MT_OK;
}

/* "0" and "1" for options and the environment. */
static int32_t parse_switch(const char *name, const char *value, int *out) {
	if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
		return mt__cuda_fail(MT_E_ARG, "cuda: %s=%s: it is 0 or 1", name, value);
	*out = value[0] == '1';
	return MT_OK;
}

static int32_t parse_options(const struct mt_option *options, uint64_t n_options, int *synchronous) {
	const char *environment = secure_getenv("MT_CUDA_SYNC");
	int32_t status = environment ? parse_switch("MT_CUDA_SYNC", environment, synchronous) : MT_OK;
	for (uint64_t i = 0; i < n_options && status == MT_OK; i++) {
		if (strcmp(options[i].key, "sync") == 0)
			status = parse_switch("sync", options[i].value, synchronous);
		else
			status = mt__cuda_fail(MT_E_ARG, "cuda: unknown option '%s': there is sync (0 or 1)", options[i].key);
	}
	return status;
}

/* Starts the device's context and asks whether it can run the code in this library. */
static int32_t start_device(int32_t ordinal) {
	int32_t status = use_device(ordinal);
	if (status == MT_OK)
		status = mt__cuda_error(cudaFree(NULL), "cannot start the device");
	if (status == MT_OK)
		status = mt__cuda_error(mt__cuda_probe(), "this library has no code for the device");
	return status;
}

static int32_t device_open(int32_t ordinal, const struct mt_option *options, uint64_t n_options,
                           mt_plugin_device **device, const struct mt_device_api **api) {
	int synchronous = 0;
	int32_t status = parse_options(options, n_options, &synchronous);
	if (status == MT_OK)
		status = check_ordinal(ordinal);
	if (status == MT_OK)
		status = start_device(ordinal);
	if (status != MT_OK)
		return status;
	mt_plugin_device *d = calloc(1, sizeof *d);
	if (!d)
		return mt__cuda_fail(MT_E_MEMORY, "cuda: no memory for a device");
	d->ordinal = ordinal;
	d->synchronous = synchronous;
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
		.event_create = event_create,
		.event_destroy = event_destroy,
		.event_record = event_record,
		.event_wait = event_wait,
		.native_handle = native_handle,
		.kernels = &mt__cuda_kernels,
		.capabilities = mt__cuda_capabilities,
		.n_capabilities = mt__cuda_n_capabilities,
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
		return mt__cuda_fail(MT_E_PLUGIN, "cuda: the host's tables are smaller than those of ABI %u.%u", MT_ABI_MAJOR,
		                     MT_ABI_MINOR);
	if (request->kind != MT_KIND_DEVICE)
		return mt__cuda_fail(MT_E_PLUGIN, "cuda: a device plugin, asked for kind %u", (unsigned)request->kind);
	*api = (struct mt_plugin_api){
		.struct_size = sizeof *api,
		.abi_major = MT_ABI_MAJOR,
		.abi_minor = MT_ABI_MINOR,
		.name = "cuda",
		.version = "0.1.0",
		.description = "NVIDIA GPUs through the CUDA runtime",
		.device_count = device_count,
		.device_info = device_info,
		.device_open = device_open,
		.device_close = device_close,
	};
	return MT_OK;
}
