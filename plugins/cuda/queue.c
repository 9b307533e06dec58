/* Streams and events; synchronising, and what it reports. */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "queue.h"

enum { NATIVE_CUDA_STREAM = 1 };

struct mt_event {
	const mt_plugin_device *device;
	cudaEvent_t event;
};

int32_t mt__cuda_use(const mt_plugin_device *device) {
	return mt__cuda_error(cudaSetDevice(device->ordinal), "cudaSetDevice");
}

int32_t mt__cuda_enter(mt_queue *queue) {
	return mt__cuda_queue_error(queue, cudaSetDevice(queue->device->ordinal), "cudaSetDevice");
}

/* ---- what went wrong ---- */

static const char *kernel_name(int32_t kernel) {
	switch (kernel) {
#define MT_KERNEL(id, NAME, name, group, must)                                                                         \
	case id:                                                                                                           \
		return #name;
#include "mt/kernels.def"
#undef MT_KERNEL
	default:
		return "a kernel";
	}
}

/* The fault that a kernel left, which is then forgotten: the device goes on. */
static int32_t take_fault(mt_queue *queue) {
	mt_cuda_fault fault = *queue->fault;
	if (fault.kernel == 0)
		return MT_OK;
	memset(queue->fault, 0, sizeof *queue->fault);
	return mt__cuda_fail(MT_E_ARG, "cuda: %s: index %lld is outside [%lld, %lld)", kernel_name(fault.kernel),
	                     (long long)fault.index, (long long)fault.low, (long long)fault.high);
}

static int32_t fail_late(mt_queue *queue, cudaError_t error, const char *what) {
	(void)cudaGetLastError();
	return mt__cuda_fail(
		MT_E_DEVICE, "cuda: %s: %s (%s), seen after %llu launches since the last synchronise, the last one %s%s%s",
		what, cudaGetErrorString(error), cudaGetErrorName(error), (unsigned long long)queue->launches,
		queue->last ? queue->last : "none",
		queue->device->options.synchronous ? "" : " (MT_CUDA_SYNC=1 names the kernel exactly)", mt__cuda_advice(error));
}

int32_t mt__cuda_queue_error(mt_queue *queue, cudaError_t error, const char *what) {
	return mt__cuda_is_lost(error) ? fail_late(queue, error, what) : mt__cuda_error(error, what);
}

int32_t mt__cuda_finish(mt_queue *queue, const char *what) {
	cudaError_t error = cudaStreamSynchronize(queue->stream);
	int32_t status = error == cudaSuccess ? take_fault(queue) : fail_late(queue, error, what);
	if (!mt__cuda_is_lost(error))
		queue->launches = 0;
	return status;
}

int32_t mt__cuda_launched(mt_queue *queue, const char *name, cudaError_t error) {
	int32_t status = mt__cuda_queue_error(queue, error, name);
	if (mt__cuda_is_lost(error))
		return status;
	queue->last = name;
	queue->launches++;
	if (status == MT_OK && queue->device->options.synchronous)
		status = mt__cuda_finish(queue, name);
	return status;
}

int32_t mt__cuda_synchronize(mt_queue *queue) {
	int32_t status = mt__cuda_enter(queue);
	return status == MT_OK ? mt__cuda_finish(queue, "synchronize") : status;
}

void *mt__cuda_scratch(mt_queue *queue, uint64_t bytes, const char *name) {
	void *scratch = mt__cuda_host->scratch(queue->host, bytes > 0 ? bytes : 1);
	if (!scratch)
		mt__cuda_fail(MT_E_MEMORY, "cuda: %s: no scratch memory (%llu bytes)", name, (unsigned long long)bytes);
	return scratch;
}

/* ---- streams ---- */

/* The fault record lies in pinned memory that kernels write through. */
static cudaError_t make_fault(mt_queue *queue) {
	void *host = NULL, *device = NULL;
	cudaError_t error = cudaHostAlloc(&host, sizeof *queue->fault, cudaHostAllocMapped);
	if (error != cudaSuccess)
		return error;
	memset(host, 0, sizeof *queue->fault);
	queue->fault = host;
	error = cudaHostGetDevicePointer(&device, host, 0);
	queue->fault_device = device;
	return error;
}

static void destroy(mt_queue *queue) {
	if (queue->stream)
		cudaStreamDestroy(queue->stream);
	if (queue->fault)
		cudaFreeHost(queue->fault);
	mt__cuda_staging_free(&queue->staging);
	free(queue);
}

int32_t mt__cuda_queue_create(mt_plugin_device *device, mt_host_queue *host, mt_queue **out) {
	mt_queue *queue = calloc(1, sizeof *queue);
	if (!queue)
		return mt__cuda_fail(MT_E_MEMORY, "cuda: no memory for a queue");
	queue->device = device;
	queue->host = host;
	int32_t status = mt__cuda_use(device);
	if (status == MT_OK)
		status = mt__cuda_error(cudaStreamCreateWithFlags(&queue->stream, cudaStreamNonBlocking), "cudaStreamCreate");
	if (status == MT_OK)
		status = mt__cuda_error(make_fault(queue), "cannot make a queue's fault record");
	if (status != MT_OK) {
		destroy(queue);
		return status;
	}
	*out = queue;
	return MT_OK;
}

void mt__cuda_queue_destroy(mt_queue *queue) {
	if (cudaSetDevice(queue->device->ordinal) == cudaSuccess)
		cudaStreamSynchronize(queue->stream);
	destroy(queue);
	(void)cudaGetLastError();
}

int32_t mt__cuda_native_handle(mt_queue *queue, uint32_t *kind, void **handle) {
	*kind = NATIVE_CUDA_STREAM;
	*handle = queue->stream;
	return MT_OK;
}

/* ---- events ---- */

int32_t mt__cuda_event_create(mt_plugin_device *device, mt_event **out) {
	mt_event *event = calloc(1, sizeof *event);
	if (!event)
		return mt__cuda_fail(MT_E_MEMORY, "cuda: no memory for an event");
	event->device = device;
	int32_t status = mt__cuda_use(device);
	if (status == MT_OK)
		status = mt__cuda_error(cudaEventCreateWithFlags(&event->event, cudaEventDisableTiming), "cudaEventCreate");
	if (status != MT_OK) {
		free(event);
		return status;
	}
	*out = event;
	return MT_OK;
}

void mt__cuda_event_destroy(mt_event *event) {
	if (mt__cuda_use(event->device) == MT_OK)
		cudaEventDestroy(event->event);
	free(event);
}

int32_t mt__cuda_event_record(mt_queue *queue, mt_event *event) {
	int32_t status = mt__cuda_enter(queue);
	return status == MT_OK
	           ? mt__cuda_queue_error(queue, cudaEventRecord(event->event, queue->stream), "cudaEventRecord")
	           : status;
}

int32_t mt__cuda_event_wait(mt_queue *queue, mt_event *event) {
	int32_t status = mt__cuda_enter(queue);
	return status == MT_OK
	           ? mt__cuda_queue_error(queue, cudaStreamWaitEvent(queue->stream, event->event, 0), "cudaStreamWaitEvent")
	           : status;
}
