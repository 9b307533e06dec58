#include "collapse.h"

/* All arrays contiguous in row-major order: the usual case, told apart at little cost. */
static bool all_contiguous(int n, const mt_array *const *arrays, int64_t *count) {
	int64_t expect = 1;
	const mt_array *first = arrays[0];
	for (int32_t d = first->rank - 1; d >= 0; d--) {
		if (first->shape[d] != 1)
			for (int k = 0; k < n; k++)
				if (arrays[k]->stride[d] != expect)
					return false;
		expect *= first->shape[d];
	}
	*count = expect;
	return true;
}

static int64_t magnitude(int64_t stride) {
	return stride < 0 ? -stride : stride;
}

/* Whether dim a belongs outside dim b: by the first array's stride, then the next ones'. */
static bool outside(const struct mt__walk *w, int a, int b) {
	for (int k = 0; k < w->n; k++) {
		int64_t sa = magnitude(w->stride[k][a]), sb = magnitude(w->stride[k][b]);
		if (sa != sb)
			return sa > sb;
	}
	return false;
}

static void swap_dims(struct mt__walk *w, int a, int b) {
	int64_t t = w->shape[a];
	w->shape[a] = w->shape[b];
	w->shape[b] = t;
	for (int k = 0; k < w->n; k++) {
		t = w->stride[k][a];
		w->stride[k][a] = w->stride[k][b];
		w->stride[k][b] = t;
	}
}

/* Walks dim d from its other end, so that the first array's stride is positive. */
static void flip_dim(struct mt__walk *w, int d) {
	for (int k = 0; k < w->n; k++) {
		w->data[k] += w->stride[k][d] * (w->shape[d] - 1) * w->size[k];
		w->stride[k][d] = -w->stride[k][d];
	}
}

/* Whether dims a, b (a just outside b) are one dim of extent shape[a] · shape[b] in every array. */
static bool mergeable(const struct mt__walk *w, int a, int b) {
	for (int k = 0; k < w->n; k++)
		if (w->stride[k][a] != w->stride[k][b] * w->shape[b])
			return false;
	return true;
}

void mt__omp_collapse_dims(struct mt__walk *w, int rank, bool keep_sign) {
	int kept = 0;
	w->count = 1;
	for (int d = 0; d < rank; d++) {
		w->count *= w->shape[d];
		if (w->shape[d] == 1)
			continue;
		w->shape[kept] = w->shape[d];
		for (int k = 0; k < w->n; k++)
			w->stride[k][kept] = w->stride[k][d];
		if (!keep_sign && w->stride[0][kept] < 0)
			flip_dim(w, kept);
		for (int i = kept; i > 0 && outside(w, i, i - 1); i--)
			swap_dims(w, i, i - 1);
		kept++;
	}
	int last = 0;
	for (int d = 1; d < kept; d++) {
		if (mergeable(w, last, d)) {
			w->shape[last] *= w->shape[d];
		} else {
			last++;
			w->shape[last] = w->shape[d];
		}
		for (int k = 0; k < w->n; k++)
			w->stride[k][last] = w->stride[k][d];
	}
	w->rank = last + 1;
	if (kept > 0)
		return;
	w->shape[0] = 1;
	for (int k = 0; k < w->n; k++)
		w->stride[k][0] = 1;
}

void mt__omp_collapse(struct mt__walk *w, int n, const mt_array *const *arrays) {
	w->n = n;
	for (int k = 0; k < n; k++) {
		w->data[k] = mt__omp_data(arrays[k]);
		w->dtype[k] = arrays[k]->dtype;
		w->size[k] = mt__omp_dtype_size(arrays[k]->dtype);
	}
	if (all_contiguous(n, arrays, &w->count)) {
		w->rank = 1;
		w->shape[0] = w->count;
		for (int k = 0; k < n; k++)
			w->stride[k][0] = 1;
		return;
	}
	int rank = arrays[0]->rank;
	for (int d = 0; d < rank; d++) {
		w->shape[d] = arrays[0]->shape[d];
		for (int k = 0; k < n; k++)
			w->stride[k][d] = arrays[k]->stride[d];
	}
	mt__omp_collapse_dims(w, rank, false);
}
