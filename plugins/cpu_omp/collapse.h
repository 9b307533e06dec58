/* Several arrays of one shape as one walk over few dims: unit extents are dropped, dims are ordered by stride, largest
 * first, and neighbours that every array steps through evenly are merged.  A set of contiguous arrays becomes one dim,
 * whatever its rank.  The order of elements is not kept: for kernels that treat each position alone. */
#ifndef MT_OMP_COLLAPSE_H
#define MT_OMP_COLLAPSE_H

#include "omp.h"

#define MT__WALK_ARRAYS 5

struct mt__walk {
	int rank;      /* >= 1; the last dim is the innermost */
	int n;         /* arrays */
	int64_t count; /* positions */
	int64_t shape[MT_MAX_RANK];
	int64_t stride[MT__WALK_ARRAYS][MT_MAX_RANK]; /* in elements; the first array's are never negative */
	char *data[MT__WALK_ARRAYS];                  /* position 0 */
	int32_t size[MT__WALK_ARRAYS];                /* bytes of an element */
	int32_t dtype[MT__WALK_ARRAYS];
};

/* arrays: n of them, one shape.  The first, usually the output, decides the order of dims. */
void mt__omp_collapse(struct mt__walk *walk, int n, const mt_array *const *arrays);

/* The same for dims [0, rank) given as shape and strides (stride[k] of array k), without touching data, size, dtype,
 * and with keep_sign nothing flipped: for kernels that treat groups of dims differently. */
void mt__omp_collapse_dims(struct mt__walk *walk, int rank, bool keep_sign);

#endif
