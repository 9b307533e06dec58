/* Devices as libcore uses them: buffers, copies, dispatch.  Implemented by backend/; used by tensor/ and ops/. */
#ifndef MT_BACKEND_DEVICE_H
#define MT_BACKEND_DEVICE_H

#include "mt/backend.h"

/* A device buffer from the caching allocator; bytes may be 0 (base is then a valid unique address, or NULL).
 * *capacity is what was really allocated (the size class).  The buffer may be reused in queue order once freed. */
mt_status mt__buffer_alloc(mt_device *device, uint64_t bytes, void **base, uint64_t *capacity);
void mt__buffer_free(mt_device *device, void *base, uint64_t capacity);

/* storage.c: gives back the buffers that this thread keeps with idle storages. */
void mt__small_storages_flush(void);

/* Between host memory and a buffer; both are complete on return. */
mt_status mt__upload(mt_device *device, void *base, uint64_t offset, const void *src, uint64_t bytes);
mt_status mt__download(mt_device *device, const void *base, uint64_t offset, void *dst, uint64_t bytes);

/* What the device's memory is (enum mt_memory_kind), and in *ordinal which of that kind; ordinal may be NULL. */
int32_t mt__memory_kind(const mt_device *device, int32_t *ordinal);

/* Waits until nothing that was given to the device uses memory any more; what went wrong meanwhile is told by the next
 * call that waits.  0, at once, where the device is the parent's of this forked process; else 1. */
int mt__device_finish(mt_device *device);

/* The one way to run a kernel.  args is the kernel's args struct (struct_size set); op is 0 for kernels without ops.
 * Runs the device's own kernel; else (not in its capability table, or UNSUPPORTED for this layout) the reference
 * plugin's by policy MT_FALLBACK.  Counts, times (MT_PROFILE) and logs.  On failure the message begins with the op's
 * name.  Must not be called for outputs of zero elements. */
mt_status mt__dispatch(mt_device *device, enum mt_kernel_id kernel, int32_t op, void *args);

/* The same for map, zip and matmul with a primary operand of this dtype, without the way through tables: the short way of the
 * ops that are called most. */
mt_status mt__dispatch_zip(mt_device *device, int32_t dtype, struct mt_zip_args *args);
mt_status mt__dispatch_map(mt_device *device, int32_t dtype, struct mt_map_args *args);
mt_status mt__dispatch_matmul(mt_device *device, int32_t dtype, struct mt_matmul_args *args);

/* Whether device has its own kernel for this op and primary dtype (so that an op can choose its composed form). */
int mt__supports(const mt_device *device, enum mt_kernel_id kernel, int32_t op, int32_t dtype);

/* One dispatch entry, for ops that want the name in messages: "conv", "exp", "matmul". */
const char *mt__kernel_op_name(enum mt_kernel_id kernel, int32_t op);

/* MT_E_FORKED after fork(), else MT_OK. */
mt_status mt__device_check(const mt_device *device);

#endif
