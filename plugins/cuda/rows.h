/* How threads share the rows of arrays.  A row is the elements along one axis (softmax), a line of a matrix (layer_norm,
 * cross_entropy), a column of one (sums), or a channel over images and space (batch_norm).  A group of threads holds a row,
 * or one chunk of a long row, in registers.  Plain C, so that it is tested without a GPU; rows.cuh is the kernels' side.
 *
 * along:   the threads of a group are threadIdx.x, neighbours along the row; a block has blockDim.y groups
 * across:  the threads of a group are threadIdx.y, and neighbouring threads (threadIdx.x) hold neighbouring rows
 *
 * Everything here depends on shapes, strides and addresses alone, never on the device: so do the orders of sums. */
#ifndef MT_CUDA_ROWS_H
#define MT_CUDA_ROWS_H

#include "walk.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { MT_CUDA_ROW_THREADS = 512 }; /* of a block, at most */

struct mt_cuda_rows {
	int64_t rows, length;
	int64_t chunks; /* of a row, each for one group; 1: the row fits */
	int32_t tile;   /* elements of a chunk; the last one has what is left */
	int32_t along;
	int32_t pack;   /* elements that a thread reads at once: 1, or 16 bytes */
	int32_t values; /* elements that a thread holds: as many as fewer or more, as the kernel has them */
	uint32_t x, y;  /* the block */
	int64_t units;  /* pieces of work, one for a block at a time: a block's rows, one chunk of each */
};

/* Whether threads go along: by the strides of the axis and of the innermost dim of the rows, which has `extent` places. */
int mt__cuda_rows_along(int64_t rows, int64_t extent, int64_t row_stride, int64_t length, int64_t stride);

/* 16 / size where each row can be read that many elements at a time, else 1.  rows: the starts of the rows; for array k
 * of it, step[k] is the axis's stride and address[k] that of element (0, …).  run: what comes in one piece (the length). */
int mt__cuda_rows_pack(const struct mt_cuda_walk *rows, const void *const *address, const int64_t *step, int size,
                       int64_t run);

/* Fills *p.  A thread can hold `fewer` or `more` elements, both multiples of pack; pack is 1 where threads go across. */
void mt__cuda_plan_rows(struct mt_cuda_rows *p, int64_t rows, int64_t length, int along, int pack, int fewer, int more);

/* The same for a pass that holds nothing: each thread handles `fewer` elements of a chunk. */
void mt__cuda_plan_pass(struct mt_cuda_rows *p, int64_t rows, int64_t length, int along, int pack, int fewer);

/* What puts the chunks of p together: a group of threads strides over the chunks of a row. */
void mt__cuda_plan_finish(struct mt_cuda_rows *finish, const struct mt_cuda_rows *p);

#ifdef __cplusplus
}
#endif

#endif
