#include "walk.h"

#include <stdlib.h>

/* Appends a dim, or merges it into the one before. */
static void append(struct mt_cuda_walk *w, int64_t extent, const int64_t *const *strides, int dim) {
	int merge = w->rank > 0;
	for (int k = 0; k < w->arrays && merge; k++) {
		int64_t stride = strides[k] ? strides[k][dim] : 0;
		merge = w->stride[k][w->rank - 1] == stride * extent;
	}
	int to = merge ? w->rank - 1 : w->rank++;
	w->shape[to] = merge ? w->shape[to] * extent : extent;
	for (int k = 0; k < w->arrays; k++)
		w->stride[k][to] = strides[k] ? strides[k][dim] : 0;
}

static void walk_dims(struct mt_cuda_walk *w, int arrays, int rank, const int64_t *shape, const int64_t *const *strides,
                      const int *order) {
	*w = (struct mt_cuda_walk){.arrays = arrays, .count = 1};
	for (int i = 0; i < rank; i++) {
		int d = order[i];
		w->count *= shape[d];
		if (shape[d] != 1)
			append(w, shape[d], strides, d);
	}
}

void mt__cuda_walk(struct mt_cuda_walk *w, int arrays, int rank, const int64_t *shape, const int64_t *const *strides) {
	static const int order[MT_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
	walk_dims(w, arrays, rank, shape, strides, order);
}

/* Whether dim a belongs before (outside of) dim b: by the strides of the last array, then of those before it. */
static int belongs_outside(int arrays, const int64_t *const *strides, int a, int b) {
	for (int k = arrays - 1; k >= 0; k--) {
		int64_t sa = strides[k] ? llabs(strides[k][a]) : 0, sb = strides[k] ? llabs(strides[k][b]) : 0;
		if (sa != sb)
			return sa > sb;
	}
	return 0;
}

void mt__cuda_walk_any_order(struct mt_cuda_walk *w, int arrays, int rank, const int64_t *shape,
                             const int64_t *const *strides) {
	int order[MT_MAX_RANK];
	for (int d = 0; d < rank; d++) { /* insertion keeps the order of what is equal */
		int i = d;
		for (; i > 0 && belongs_outside(arrays, strides, d, order[i - 1]); i--)
			order[i] = order[i - 1];
		order[i] = d;
	}
	walk_dims(w, arrays, rank, shape, strides, order);
}

void mt__cuda_walk_drop(struct mt_cuda_walk *w, int dim) {
	w->count /= w->shape[dim];
	w->rank--;
	for (int d = dim; d < w->rank; d++) {
		w->shape[d] = w->shape[d + 1];
		for (int k = 0; k < w->arrays; k++)
			w->stride[k][d] = w->stride[k][d + 1];
	}
}

int mt__cuda_walk_is_narrow(const struct mt_cuda_walk *w) {
	if (w->count > INT32_MAX)
		return 0;
	for (int k = 0; k < w->arrays; k++) {
		int64_t low = 0, high = 0; /* the offsets that are reached; buffers are far smaller than 2^63 */
		for (int d = 0; d < w->rank; d++) {
			int64_t reach = (w->shape[d] - 1) * w->stride[k][d];
			low += reach < 0 ? reach : 0;
			high += reach > 0 ? reach : 0;
		}
		if (low < INT32_MIN || high > INT32_MAX)
			return 0;
		for (int d = 0; d < w->rank; d++)
			if (w->stride[k][d] < INT32_MIN || w->stride[k][d] > INT32_MAX)
				return 0;
	}
	return 1;
}

int mt__cuda_walk_is_contiguous(const struct mt_cuda_walk *w, int k) {
	return w->rank == 0 || (w->rank == 1 && w->stride[k][0] == 1);
}

static int fits_vector(const struct mt_cuda_walk *w, int k, const void *address, int size, int n) {
	if ((uintptr_t)address % (uintptr_t)(n * size) != 0 || w->stride[k][w->rank - 1] != 1)
		return 0;
	for (int d = 0; d < w->rank - 1; d++)
		if (w->stride[k][d] % n != 0)
			return 0;
	return 1;
}

int mt__cuda_walk_vector(const struct mt_cuda_walk *w, unsigned mask, const void *const *address, const int *size) {
	int widest = 1;
	for (int k = 0; k < w->arrays; k++)
		if (mask >> k & 1u && size[k] > widest)
			widest = size[k];
	if (w->rank == 0)
		return 1;
	for (int n = 16 / widest; n > 1; n /= 2) {
		int fits = w->shape[w->rank - 1] % n == 0;
		for (int k = 0; k < w->arrays && fits; k++)
			fits = !(mask >> k & 1u) || fits_vector(w, k, address[k], size[k], n);
		if (fits)
			return n;
	}
	return 1;
}

unsigned mt__cuda_blocks(int64_t count, int64_t per_block, int64_t most) {
	int64_t blocks = count / per_block + (count % per_block != 0);
	return (unsigned)(blocks < 1 ? 1 : blocks < most ? blocks : most);
}

int mt__cuda_power_of_two(int64_t n, int low, int high) {
	int p = low;
	while (p < high && p < n)
		p *= 2;
	return p;
}
