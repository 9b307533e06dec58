/* Memory of a device, and transfers. */
#ifndef MT_CUDA_MEMORY_H
#define MT_CUDA_MEMORY_H

#include "mt_cuda.h"

int32_t mt__cuda_alloc(mt_plugin_device *device, uint64_t bytes, void **out);
int32_t mt__cuda_free(mt_plugin_device *device, void *base);
int32_t mt__cuda_memory_info(mt_plugin_device *device, struct mt_memory_info *out);

int32_t mt__cuda_upload(mt_queue *queue, void *base, uint64_t byte_offset, const void *src, uint64_t bytes);
int32_t mt__cuda_download(mt_queue *queue, const void *base, uint64_t byte_offset, void *dst, uint64_t bytes);
int32_t mt__cuda_copy_device(mt_queue *queue, void *dst, uint64_t dst_offset, const void *src, uint64_t src_offset,
                             uint64_t bytes);

/* Frees the pinned buffers of a queue whose work is done. */
void mt__cuda_staging_free(struct mt_cuda_staging *staging);

#endif
