/* The CUDA plugin: what its sources share.
 *
 * Layout
 *     plugin.c        entry, devices and why there are none, memory, queues, events
 *     capabilities.c  what a device can do, and the kernel table
 *     launch.cuh      how a kernel is started, and dispatch by dtype
 *     element.cuh     loading and storing one element of each dtype
 *     layout.cuh      shapes and strides, merged, as kernels get them
 *     NAME.cu         kernels, one file a family
 *
 * Arithmetic: f32, f16 and bf16 compute in f32, f64 in f64, integers in 64 bits with wrap; f16 and bf16 round once, on
 * store.  Reductions of floats accumulate in f64.  No atomics: the same call gives the same bits. */
#ifndef MT_CUDA_PLUGIN_H
#define MT_CUDA_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#include <cuda_runtime_api.h>

#include "mt/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mt_plugin_device {
	struct mt_device_api api;
	int ordinal;
	int synchronous; /* wait after each kernel, so that an error names its op */
};

struct mt_queue {
	mt_plugin_device *device;
	mt_host_queue *host;
	cudaStream_t stream;
	const char *last;  /* the kernel launched last */
	uint64_t launches; /* since the last synchronise */
};

/* Records the message for the host and returns status. */
int32_t mt__cuda_fail(int32_t status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Turns an error of the CUDA runtime into a status: MT_E_MEMORY where memory ran out, else MT_E_DEVICE. */
int32_t mt__cuda_error(cudaError_t error, const char *what);

/* Makes the queue's device the thread's current one: before every launch. */
int32_t mt__cuda_enter(mt_queue *queue);

/* After a launch: what the launch itself reports, and, where the device is synchronous, what the kernel does. */
int32_t mt__cuda_launched(mt_queue *queue, const char *name);

/* Whether the code in this library runs on the current device at all (map.cu). */
cudaError_t mt__cuda_probe(void);

extern const struct mt_kernel_table mt__cuda_kernels;
extern const struct mt_capability mt__cuda_capabilities[];
extern const uint64_t mt__cuda_n_capabilities;

int32_t mt__cuda_copy(mt_queue *queue, const struct mt_copy_args *args);
int32_t mt__cuda_fill(mt_queue *queue, const struct mt_fill_args *args);
int32_t mt__cuda_map(mt_queue *queue, const struct mt_map_args *args);
int32_t mt__cuda_zip(mt_queue *queue, const struct mt_zip_args *args);
int32_t mt__cuda_reduce(mt_queue *queue, const struct mt_reduce_args *args);
int32_t mt__cuda_matmul(mt_queue *queue, const struct mt_matmul_args *args);

#ifdef __cplusplus
}
#endif

#endif
