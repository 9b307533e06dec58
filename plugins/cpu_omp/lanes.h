/* Kernels that work along one axis (softmax, scan, sort, arg_reduce): the other dims are lanes, independent of each
 * other.  A unit of work is a block of lanes that lie side by side in the innermost lane dim; units depend on the shape
 * alone. */
#ifndef MT_OMP_LANES_H
#define MT_OMP_LANES_H

#include "collapse.h"
#include "stage.h"

struct mt__lanes {
	struct mt__walk walk;          /* the lane dims */
	int64_t extent;                /* of the axis, in the first array */
	int64_t step[MT__WALK_ARRAYS]; /* strides along the axis */
	int64_t width;                 /* lanes of a unit */
	int64_t blocks;                /* units of one run of the innermost lane dim */
	int64_t units;
};

/* A unit: its arrays' first elements and its lanes; and where it stands. */
struct mt__lane_block {
	char *at[MT__WALK_ARRAYS];
	int64_t lanes;
	int64_t block;
	int64_t index[MT_MAX_RANK];
};

static inline int64_t mt__magnitude(int64_t stride) {
	return stride < 0 ? -stride : stride;
}

static inline void mt__lanes_init(struct mt__lanes *l, int n, const mt_array *const *arrays, int32_t axis) {
	struct mt__walk *w = &l->walk;
	int rank = arrays[0]->rank, kept = 0;
	w->n = n;
	l->extent = rank > 0 ? arrays[0]->shape[axis] : 1;
	for (int k = 0; k < n; k++) {
		w->data[k] = mt__omp_data(arrays[k]);
		w->dtype[k] = arrays[k]->dtype;
		w->size[k] = mt__omp_dtype_size(arrays[k]->dtype);
		l->step[k] = rank > 0 ? arrays[k]->stride[axis] : 1;
	}
	for (int d = 0; d < rank; d++) {
		if (d == axis)
			continue;
		w->shape[kept] = arrays[0]->shape[d];
		for (int k = 0; k < n; k++)
			w->stride[k][kept] = arrays[k]->stride[d];
		kept++;
	}
	mt__omp_collapse_dims(w, kept, false);
}

static inline void mt__lanes_divide(struct mt__lanes *l, int64_t width) {
	int64_t inner = l->walk.shape[l->walk.rank - 1];
	l->width = width;
	l->blocks = mt__omp_ceil_div(inner, width);
	l->units = l->walk.count / inner * l->blocks;
}

/* Distance of neighbouring lanes in array k. */
static inline int64_t mt__lane_stride(const struct mt__lanes *l, int k) {
	return l->walk.stride[k][l->walk.rank - 1];
}

static inline void mt__lanes_locate(const struct mt__lanes *l, int64_t unit, struct mt__lane_block *b) {
	const struct mt__walk *w = &l->walk;
	int last = w->rank - 1;
	int64_t rest = unit / l->blocks, at;
	b->block = unit % l->blocks;
	at = b->block * l->width;
	for (int k = 0; k < w->n; k++)
		b->at[k] = w->data[k] + at * w->stride[k][last] * w->size[k];
	for (int d = last - 1; d >= 0; d--) {
		b->index[d] = rest % w->shape[d];
		rest /= w->shape[d];
		for (int k = 0; k < w->n; k++)
			b->at[k] += b->index[d] * w->stride[k][d] * w->size[k];
	}
	b->lanes = mt__omp_min(l->width, w->shape[last] - at);
}

/* To the next unit; after the last, back to the first. */
static inline void mt__lanes_advance(const struct mt__lanes *l, struct mt__lane_block *b) {
	const struct mt__walk *w = &l->walk;
	int last = w->rank - 1;
	bool carry = ++b->block == l->blocks;
	int64_t move = carry ? (1 - l->blocks) * l->width : l->width;
	for (int k = 0; k < w->n; k++)
		b->at[k] += move * w->stride[k][last] * w->size[k];
	if (carry)
		b->block = 0;
	for (int d = last - 1; carry && d >= 0; d--) {
		carry = ++b->index[d] == w->shape[d];
		move = carry ? 1 - w->shape[d] : 1;
		for (int k = 0; k < w->n; k++)
			b->at[k] += move * w->stride[k][d] * w->size[k];
		if (carry)
			b->index[d] = 0;
	}
	b->lanes = mt__omp_min(l->width, w->shape[last] - b->block * l->width);
}

/* Lanes side by side fill vectors (true), or each lane is long and lies closer than its neighbours (false). */
static inline bool mt__lanes_side_by_side(const struct mt__lanes *l, int k) {
	if (l->walk.count == 1)
		return false;
	bool lane_nearer = mt__magnitude(mt__lane_stride(l, k)) < mt__magnitude(l->step[k]);
	int64_t inner = l->walk.shape[l->walk.rank - 1];
	return lane_nearer ? inner >= 8 || l->extent < 32 : l->extent < 32;
}

#endif
