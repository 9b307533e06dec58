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

/* Whether positions, and each array's offsets in elements, fit in 32 bits with a sign. */
int mt__cuda_walk_is_narrow(const struct mt_cuda_walk *w);

/* Whether array k is contiguous in the walk's order: element i lies at offset i. */
int mt__cuda_walk_is_contiguous(const struct mt_cuda_walk *w, int k);

/* The most elements, a power of two up to 16 / size, that each array can be read or written at once: every array in mask
 * (bit k) is contiguous in the innermost dim, every outer stride, the inner extent and each address are multiples.
 * address[k]: of array k's element (0, …); size[k]: of its elements, in bytes.  The vector is measured for the widest
 * element.  Arrays not in mask do not count. */
int mt__cuda_walk_vector(const struct mt_cuda_walk *w, unsigned mask, const void *const *address, const int *size);

/* A walk in packs: n elements of the innermost dim at once. */
struct mt_cuda_packs {
	struct mt_cuda_walk w; /* of packs: w.count of them; strides lead from pack to pack, in elements */
	unsigned moving;       /* bit k: array k's elements of a pack are neighbours; else the pack repeats one element */
	int last;              /* elements in the last pack: n, but for a walk of one dim, whose end may not fill it */
};

/* Whether every array can be walked in packs of n: it does not move along the innermost dim, and is not written, or is
 * contiguous along it, with its address and outer strides multiples of n elements.  The inner extent is a multiple of n,
 * or the only one.  written: bit k where array k is; address and size as above (the address of what does not move is not
 * looked at). */
int mt__cuda_walk_packs(struct mt_cuda_packs *packs, const struct mt_cuda_walk *w, int n, unsigned written,
                        const void *const *address, const int *size);

/* ---- a copy that transposes ---- */

/* x is contiguous along one dim (across), out along another (down): the copy goes through tiles of both. */
struct mt_cuda_transpose {
	struct mt_cuda_walk outer;  /* over the other dims */
	int64_t across, down;       /* extents */
	int64_t x_down, out_across; /* strides of x along down, of out along across, in elements */
	int across_bits, down_bits; /* a tile's extents, as powers of two: 64 × 64, or up to 256 beside a short side */
};

/* Whether w, of x and out in any order, is such a copy, and a tile of it is worth a block of 256 threads. */
int mt__cuda_walk_transpose(struct mt_cuda_transpose *t, const struct mt_cuda_walk *w);

/* ---- pieces: a walk that is not narrow, as several that are ---- */

struct mt_cuda_pieces {
	const struct mt_cuda_walk *whole;
	int64_t extent[MT_MAX_RANK]; /* of a piece, at most: powers of two where a dim is cut */
	int64_t start[MT_MAX_RANK];  /* of the next piece */
	int done;
};

void mt__cuda_pieces(struct mt_cuda_pieces *p, const struct mt_cuda_walk *whole);

/* The next piece, in row-major order of their starts, and where in each array it begins, in elements; 0 after the last. */
int mt__cuda_next_piece(struct mt_cuda_pieces *p, struct mt_cuda_walk *piece, int64_t *offset);

/* ---- division ---- */

/* Division of 0 … 2^31 − 1 by a constant as a multiplication and a shift (Granlund and Montgomery, "Division by invariant
 * integers using multiplication", PLDI 1994, figure 4.1). */
struct mt_cuda_divider {
	int32_t divisor;
	uint32_t magic;
	uint32_t shift;
};

/* divisor: 1 … 2^31 − 1 */
struct mt_cuda_divider mt__cuda_divider(int64_t divisor);

#ifdef __CUDACC__
__host__ __device__
#endif
	static inline uint32_t
	mt__cuda_quotient(const struct mt_cuda_divider *d, uint32_t n) {
	return ((uint32_t)((uint64_t)n * d->magic >> 32) + n) >> d->shift;
}

/* ---- launch geometry ---- */

/* Blocks for count positions at per_block each, at most `most` (kernels stride over the rest); 1 or more. */
unsigned mt__cuda_blocks(int64_t count, int64_t per_block, int64_t most);

/* The smallest power of two that is at least n, between low and high (powers of two themselves). */
int mt__cuda_power_of_two(int64_t n, int low, int high);

#ifdef __cplusplus
}
#endif

#endif
