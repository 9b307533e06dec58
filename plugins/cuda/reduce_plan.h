/* How a reduction is laid over threads.  Plain C, so that it is tested without a GPU.  A plan depends on shapes, strides,
 * element size and alignment, never on the GPU: a call gives the same bits on each of them.
 *
 * across: the threads of a group share the terms of one output.  What is reduced consists of runs, `length` elements at
 *         `stride`; long ones are cut into chunks.  A unit is one chunk of one run; `team` threads read it side by side,
 *         group / team units are read at once.
 * down:   neighbouring threads have neighbouring outputs, and the rows of a block share the terms; a thread takes
 *         `vector` outputs at once.
 * Where outputs are few, the units (the terms) are split into `parts`, whose results a second kernel joins. */
#ifndef MT_CUDA_REDUCE_PLAN_H
#define MT_CUDA_REDUCE_PLAN_H

#include "walk.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { MT_CUDA_REDUCE_BLOCK = 256 }; /* threads */
enum { MT_CUDA_KEPT_OUT, MT_CUDA_KEPT_X };

struct mt_cuda_reduce_plan {
	struct mt_cuda_walk kept; /* a position an output; arrays: out, x */
	int64_t count;            /* terms of an output */
	int down;
	/* across */
	struct mt_cuda_walk runs; /* a position the first element of a run; array: x */
	int64_t length, stride;
	int64_t chunk, chunks; /* elements of a chunk, chunks of a run */
	int group, team;       /* threads: powers of two; group is at most 32, or the whole block */
	/* down */
	struct mt_cuda_walk terms; /* a position a term; array: x */
	int vector, columns;       /* columns: threads side by side in a block */
	/* both */
	int64_t work;            /* units or terms */
	int64_t parts, per_part; /* part p: [p · per_part, min((p + 1) · per_part, work)) */
};

/* Elements that are read at once: 16 bytes, but no more than 8, since each is accumulated apart. */
static inline int mt__cuda_reduce_pack(int size) {
	return size == 1 ? 8 : 16 / size;
}

/* Reduces x over axes to out; size: bytes of an element of x. */
void mt__cuda_reduce_plan(struct mt_cuda_reduce_plan *plan, const mt_array *x, const mt_array *out, uint32_t axes,
                          int size);

#ifdef __cplusplus
}
#endif

#endif
