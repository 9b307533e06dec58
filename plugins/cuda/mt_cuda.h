/* The CUDA plugin: what its sources share.
 *
 * Layout
 *     plugin.c        entry, devices and why there are none, opening
 *     options.c       the options of a device
 *     error.c         messages, and errors of the CUDA runtime
 *     memory.c        raw allocation, transfers through pinned staging buffers
 *     queue.c         streams, events, synchronising and what it reports
 *     library.c       libraries of the toolkit that are loaded when first needed
 *     capabilities.c  what a device can do, and the kernel table
 *     walk.h          shapes and strides, merged (plain C); walk.cuh: as kernels get them
 *     launch.cuh      how a kernel is started, and dispatch by dtype
 *     element.cuh     loading and storing one element of each dtype
 *     elementwise.cuh kernels that go over arrays once, in any order: packs of 16 bytes, or elements
 *     accurate.cuh    f32 functions that are nearer to the true value than CUDA's
 *     block.cuh       reductions over a warp and a block
 *     fault.cuh       bad indices, reported at the next synchronise
 *     NAME.cu         kernels, one file a family
 *
 * Arithmetic: f32, f16 and bf16 compute in f32, f64 in f64, integers in 64 bits with wrap; f16 and bf16 round once, on
 * store.  No atomics on floats: the same call gives the same bits. */
#ifndef MT_CUDA_PLUGIN_H
#define MT_CUDA_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#include <cuda_runtime_api.h>

#include "mt/plugin.h"
#include "options.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mt_cuda_gemm; /* cuBLASLt's handle and the plans made with it (gemm_lt.c) */
struct mt_cuda_conv; /* cuDNN's handle and the plans made with it (conv_dnn.c) */

struct mt_plugin_device {
	struct mt_device_api api;
	int ordinal;
	struct mt_cuda_options options;
	int multiprocessors;
	int capability;           /* 10 · major + minor: 90 for sm_90 */
	size_t shared_per_block;  /* bytes without asking, 48 KiB */
	size_t shared_on_request; /* bytes after cudaFuncSetAttribute */
	struct mt_cuda_gemm *gemm;
	struct mt_cuda_conv *conv;
};

/* Written by kernels (fault.cuh), read by the host once they are done. */
typedef struct mt_cuda_fault {
	int32_t kernel; /* enum mt_kernel_id; 0: nothing went wrong */
	int32_t reserved;
	int64_t index;     /* what was asked for … */
	int64_t low, high; /* … and what is allowed: [low, high) */
} mt_cuda_fault;

enum { MT_CUDA_STAGES = 4, MT_CUDA_STAGE_BYTES = 1 << 20 };

/* A ring of pinned buffers: what is uploaded leaves the caller's memory at once and goes on in stream order. */
struct mt_cuda_staging {
	char *bytes; /* MT_CUDA_STAGES × MT_CUDA_STAGE_BYTES; NULL until the first transfer */
	cudaEvent_t done[MT_CUDA_STAGES];
	unsigned next;
	int unavailable; /* pinned memory could not be had: transfers go straight, and wait */
};

struct mt_queue {
	mt_plugin_device *device;
	mt_host_queue *host;
	cudaStream_t stream;
	mt_cuda_fault *fault;        /* pinned; as the host sees it … */
	mt_cuda_fault *fault_device; /* … and as kernels do */
	struct mt_cuda_staging staging;
	const char *last;  /* the kernel launched last */
	uint64_t launches; /* since the last synchronise */
};

/* ---- error.c ---- */

extern const struct mt_host_api *mt__cuda_host;

/* Records the message for the host and returns status. */
int32_t mt__cuda_fail(int32_t status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Turns an error of the CUDA runtime into a status: MT_E_MEMORY where memory ran out, else MT_E_DEVICE.  The message has
 * what was tried, the error's name, and what to do where that is known. */
int32_t mt__cuda_error(cudaError_t error, const char *what);

/* Whether a kernel broke the GPU for this process: whatever call comes next sees the error, and every one after it. */
int mt__cuda_is_lost(cudaError_t error);

/* What follows the error's name in a message: "" or "; …". */
const char *mt__cuda_advice(cudaError_t error);

/* ---- queue.c ---- */

int32_t mt__cuda_use(const mt_plugin_device *device);

/* Makes the queue's device the thread's current one: before every launch. */
int32_t mt__cuda_enter(mt_queue *queue);

/* mt__cuda_error of a call on a queue; where the GPU is lost, `what` only saw it, and the launches before it are told. */
int32_t mt__cuda_queue_error(mt_queue *queue, cudaError_t error, const char *what);

/* After a launch that returned error: what the launch itself reports, and, where the device is synchronous, what the
 * kernel does. */
int32_t mt__cuda_launched(mt_queue *queue, const char *name, cudaError_t error);

/* Waits for the stream and tells what went wrong since the last time, a kernel's fault included. */
int32_t mt__cuda_finish(mt_queue *queue, const char *what);

/* Scratch memory for the kernel call that is running, aligned to 256 bytes, dirty, in stream order.  One call for each
 * kernel call.  NULL with the message set (MT_E_MEMORY); bytes = 0 gives memory too. */
void *mt__cuda_scratch(mt_queue *queue, uint64_t bytes, const char *name);

/* bytes, rounded up so that what follows is aligned to 256 bytes. */
static inline uint64_t mt__cuda_aligned(uint64_t bytes) {
	return (bytes + 255) / 256 * 256;
}

/* ---- library.c ---- */

/* A library of the toolkit by its soname, loaded at the first call and kept: from MT_CUDA_LIBRARY_PATH, the system's
 * places, the toolkit that mt was built with.  NULL with the reason in why. */
void *mt__cuda_library(const char *soname, char *why, size_t size);

/* Whether the code in this library runs on the current device at all (map.cu). */
cudaError_t mt__cuda_probe(void);

/* ---- kernels ---- */

extern const struct mt_kernel_table mt__cuda_kernels;
extern const struct mt_capability mt__cuda_capabilities[];
extern const uint64_t mt__cuda_n_capabilities;

#define MT_KERNEL(id, NAME, name, group, must)                                                                         \
	int32_t mt__cuda_##name(mt_queue *queue, const struct mt_##name##_args *args);
#include "mt/kernels.def"
#undef MT_KERNEL

/* Frees what the library paths hold for a device; NULL is fine. */
void mt__cuda_gemm_free(struct mt_cuda_gemm *gemm);
void mt__cuda_conv_free(struct mt_cuda_conv *conv);

#ifdef __cplusplus
}
#endif

#endif
