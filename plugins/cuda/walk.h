/* A walk over positions: what several arrays of one shape look like once dims of extent 1 are gone and neighbouring dims
 * are merged where that changes nothing for any of them.  Plain C, so that it is tested without a GPU; walk.cuh is the
 * kernels' side of it. */
#ifndef MT_CUDA_WALK_H
#define MT_CUDA_WALK_H

#include "mt/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { MT_CUDA_WALKED = 8 }; /* arrays in one walk, at most */

struct mt_cuda_walk {
	int arrays;
	int rank;      /* after merging; 0 where there is one position */
	int64_t count; /* positions; 0 where an extent is 0 */
	int64_t shape[MT_MAX_RANK];
	int64_t stride[MT_CUDA_WALKED][MT_MAX_RANK]; /* in elements */
};

/* Positions in row-major order of shape.  strides[k] is array k's, or NULL for one that does not move. */
void mt__cuda_walk(struct mt_cuda_walk *w, int arrays, int rank, const int64_t *shape, const int64_t *const *strides);

/* The same positions in any order: dims are sorted so that the last array (the output) is walked with its smallest
 * strides innermost, which makes its stores neighbours, and merges what a common permutation hid. */
void mt__cuda_walk_any_order(struct mt_cuda_walk *w, int arrays, int rank, const int64_t *shape,
                             const int64_t *const *strides);

/* Takes a dim out: what is left are the positions where its index is 0. */
void mt__cuda_walk_drop(struct mt_cuda_walk *w, int dim);

/* Whether positions, and each array's offsets in elements, fit in 32 bits with a sign. */
int mt__cuda_walk_is_narrow(const struct mt_cuda_walk *w);

/* Whether array k is contiguous in the walk's order: element i lies at offset i. */
int mt__cuda_walk_is_contiguous(const struct mt_cuda_walk *w, int k);

/* The most elements, a power of two up to 16 / size, that each array can be read or written at once: every array in mask
 * (bit k) is contiguous in the innermost dim, every outer stride, the inner extent and each address are multiples.
 * address[k]: of array k's element (0, …); size[k]: of its elements, in bytes.  The vector is measured for the widest
 * element.  Arrays not in mask do not count. */
int mt__cuda_walk_vector(const struct mt_cuda_walk *w, unsigned mask, const void *const *address, const int *size);

/* ---- launch geometry ---- */

/* Blocks for count positions at per_block each, at most `most` (kernels stride over the rest); 1 or more. */
unsigned mt__cuda_blocks(int64_t count, int64_t per_block, int64_t most);

/* The smallest power of two that is at least n, between low and high (powers of two themselves). */
int mt__cuda_power_of_two(int64_t n, int low, int high);

#ifdef __cplusplus
}
#endif

#endif
