/* Raw allocation (libmt caches), and transfers through pinned memory: an upload is staged and returns at once, a download
 * overlaps copying out of one stage with the transfer into the next. */
#include <stdio.h>
#include <string.h>

#include "memory.h"

int32_t mt__cuda_alloc(mt_plugin_device *device, uint64_t bytes, void **out) {
	*out = NULL;
	cudaError_t error = cudaSetDevice(device->ordinal);
	if (error == cudaSuccess)
		error = cudaMalloc(out, bytes);
	if (error == cudaSuccess)
		return MT_OK;
	if (error == cudaErrorInvalidValue) /* nothing but the size can be wrong: more than there are addresses */
		error = cudaErrorMemoryAllocation;
	char what[64];
	snprintf(what, sizeof what, "cannot allocate %llu bytes", (unsigned long long)bytes);
	return mt__cuda_error(error, what);
}

int32_t mt__cuda_free(mt_plugin_device *device, void *base) {
	cudaError_t error = cudaSetDevice(device->ordinal);
	if (error == cudaSuccess)
		error = cudaFree(base);
	/* at the end of the process, and with the GPU lost, its memory has gone already */
	if (error == cudaErrorCudartUnloading || mt__cuda_is_lost(error)) {
		(void)cudaGetLastError();
		return MT_OK;
	}
	return mt__cuda_error(error, "cudaFree");
}

int32_t mt__cuda_memory_info(mt_plugin_device *device, struct mt_memory_info *out) {
	size_t free_bytes = 0, total_bytes = 0;
	int32_t status = mt__cuda_use(device);
	if (status == MT_OK)
		status = mt__cuda_error(cudaMemGetInfo(&free_bytes, &total_bytes), "cudaMemGetInfo");
	out->free_bytes = free_bytes;
	out->total_bytes = total_bytes;
	return status;
}

/* ---- staging ---- */

void mt__cuda_staging_free(struct mt_cuda_staging *s) {
	if (!s->bytes)
		return;
	for (int i = 0; i < MT_CUDA_STAGES; i++)
		cudaEventDestroy(s->done[i]);
	cudaFreeHost(s->bytes);
	s->bytes = NULL;
}

/* Whether there is a staging ring; where pinned memory cannot be had, transfers do without. */
static int staging_ready(struct mt_cuda_staging *s) {
	if (s->bytes || s->unavailable)
		return !s->unavailable;
	void *bytes = NULL;
	int made = 0;
	cudaError_t error = cudaHostAlloc(&bytes, (size_t)MT_CUDA_STAGES * MT_CUDA_STAGE_BYTES, cudaHostAllocDefault);
	for (; error == cudaSuccess && made < MT_CUDA_STAGES; made += error == cudaSuccess)
		error = cudaEventCreateWithFlags(&s->done[made], cudaEventDisableTiming);
	if (error == cudaSuccess) {
		s->bytes = bytes;
		return 1;
	}
	(void)cudaGetLastError();
	while (made > 0)
		cudaEventDestroy(s->done[--made]);
	if (bytes)
		cudaFreeHost(bytes);
	s->unavailable = 1;
	return 0;
}

static char *stage_bytes(const struct mt_cuda_staging *s, unsigned stage) {
	return s->bytes + (size_t)(stage % MT_CUDA_STAGES) * MT_CUDA_STAGE_BYTES;
}

static size_t piece_at(uint64_t at, uint64_t bytes) {
	return bytes - at < MT_CUDA_STAGE_BYTES ? (size_t)(bytes - at) : MT_CUDA_STAGE_BYTES;
}

/* ---- transfers ---- */

/* Without staging: the call waits, so that src may be reused and dst is complete. */
static int32_t copy_direct(mt_queue *queue, void *to, const void *from, uint64_t bytes, enum cudaMemcpyKind kind,
                           const char *name) {
	int32_t status = mt__cuda_queue_error(queue, cudaMemcpyAsync(to, from, bytes, kind, queue->stream), name);
	return status == MT_OK ? mt__cuda_finish(queue, name) : status;
}

static cudaError_t upload_piece(mt_queue *queue, char *to, const char *from, size_t bytes) {
	struct mt_cuda_staging *s = &queue->staging;
	unsigned stage = s->next++ % MT_CUDA_STAGES;
	cudaError_t error = cudaEventSynchronize(s->done[stage]); /* what was staged here before has left */
	if (error != cudaSuccess)
		return error;
	memcpy(stage_bytes(s, stage), from, bytes);
	error = cudaMemcpyAsync(to, stage_bytes(s, stage), bytes, cudaMemcpyHostToDevice, queue->stream);
	return error == cudaSuccess ? cudaEventRecord(s->done[stage], queue->stream) : error;
}

int32_t mt__cuda_upload(mt_queue *queue, void *base, uint64_t byte_offset, const void *src, uint64_t bytes) {
	char *to = (char *)base + byte_offset;
	int32_t status = mt__cuda_enter(queue);
	if (status != MT_OK || bytes == 0)
		return status;
	if (!staging_ready(&queue->staging))
		return copy_direct(queue, to, src, bytes, cudaMemcpyHostToDevice, "upload");
	cudaError_t error = cudaSuccess;
	for (uint64_t at = 0; at < bytes && error == cudaSuccess; at += MT_CUDA_STAGE_BYTES)
		error = upload_piece(queue, to + at, (const char *)src + at, piece_at(at, bytes));
	return mt__cuda_launched(queue, "upload", error);
}

/* Starts the transfer of the piece at `at` into its stage. */
static cudaError_t download_piece(mt_queue *queue, const char *from, uint64_t at, uint64_t bytes, unsigned stage) {
	struct mt_cuda_staging *s = &queue->staging;
	cudaError_t error =
		cudaMemcpyAsync(stage_bytes(s, stage), from + at, piece_at(at, bytes), cudaMemcpyDeviceToHost, queue->stream);
	return error == cudaSuccess ? cudaEventRecord(s->done[stage % MT_CUDA_STAGES], queue->stream) : error;
}

static cudaError_t download_pieces(mt_queue *queue, const char *from, char *dst, uint64_t bytes) {
	struct mt_cuda_staging *s = &queue->staging;
	unsigned first = s->next, started = 0, done = 0;
	uint64_t pieces = (bytes + MT_CUDA_STAGE_BYTES - 1) / MT_CUDA_STAGE_BYTES;
	cudaError_t error = cudaSuccess;
	for (; done < pieces && error == cudaSuccess; done++) {
		for (; error == cudaSuccess && started < pieces && started < done + MT_CUDA_STAGES; started++)
			error = download_piece(queue, from, (uint64_t)started * MT_CUDA_STAGE_BYTES, bytes, first + started);
		if (error == cudaSuccess)
			error = cudaEventSynchronize(s->done[(first + done) % MT_CUDA_STAGES]);
		uint64_t at = (uint64_t)done * MT_CUDA_STAGE_BYTES;
		if (error == cudaSuccess)
			memcpy(dst + at, stage_bytes(s, first + done), piece_at(at, bytes));
	}
	s->next = first + started;
	return error;
}

int32_t mt__cuda_download(mt_queue *queue, const void *base, uint64_t byte_offset, void *dst, uint64_t bytes) {
	const char *from = (const char *)base + byte_offset;
	int32_t status = mt__cuda_enter(queue);
	if (status != MT_OK || bytes == 0)
		return status;
	if (!staging_ready(&queue->staging))
		return copy_direct(queue, dst, from, bytes, cudaMemcpyDeviceToHost, "download");
	cudaError_t error = download_pieces(queue, from, dst, bytes);
	int32_t finished = mt__cuda_finish(queue, "download"); /* tells more of an error of the stream */
	return finished != MT_OK ? finished : mt__cuda_error(error, "download");
}

int32_t mt__cuda_copy_device(mt_queue *queue, void *dst, uint64_t dst_offset, const void *src, uint64_t src_offset,
                             uint64_t bytes) {
	int32_t status = mt__cuda_enter(queue);
	if (status != MT_OK || bytes == 0)
		return status;
	return mt__cuda_launched(queue, "copy_device",
	                         cudaMemcpyAsync((char *)dst + dst_offset, (const char *)src + src_offset, bytes,
	                                         cudaMemcpyDeviceToDevice, queue->stream));
}
