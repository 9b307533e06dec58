/* Convolution and pooling see every array as having three spatial dims: missing ones come first, with extent 1. */
#ifndef MT_NAIVE_SPATIAL_H
#define MT_NAIVE_SPATIAL_H

#include "naive.h"

/* An array [D0, D1, S…] with strides in elements. */
struct spatial {
	int64_t shape[5], stride[5];
};

static inline struct spatial spatial_of(const mt_array *a) {
	struct spatial s = {{1, 1, 1, 1, 1}, {0, 0, 0, 0, 0}};
	for (int d = 0; d < a->rank; d++) {
		int to = d < 2 ? d : d + 5 - a->rank;
		s.shape[to] = a->shape[d];
		s.stride[to] = a->stride[d];
	}
	return s;
}

/* One spatial dim of a window: output o, tap k reads input o·stride + k·dilation − pad. */
struct window {
	int64_t stride[3], pad[3], dilation[3];
};

static inline struct window window_of(int rank, const int32_t *stride, const int32_t *pad, const int32_t *dilation) {
	struct window w = {{1, 1, 1}, {0, 0, 0}, {1, 1, 1}};
	for (int d = 0; d < rank - 2; d++) {
		int to = d + 5 - rank;
		w.stride[to] = stride[d];
		w.pad[to] = pad[d];
		w.dilation[to] = dilation[d];
	}
	return w;
}

/* The i in [first, end) of [0, count) for which start + i · step lies in [0, extent); step ≥ 1. */
struct range {
	int64_t first, end;
};

static inline struct range range_inside(int64_t start, int64_t step, int64_t count, int64_t extent) {
	struct range r;
	r.first = start >= 0 ? 0 : (-start + step - 1) / step;
	r.end = start < extent ? (extent - 1 - start) / step + 1 : 0;
	r.end = r.end < count ? r.end : count;
	r.end = r.end < r.first ? r.first : r.end;
	return r;
}

#endif
