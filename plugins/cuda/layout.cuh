/* What a kernel knows of the shapes: up to N operands walked together, neighbouring dims merged where that changes
 * nothing for any of them.  A contiguous call ends with one dim. */
#ifndef MT_CUDA_LAYOUT_CUH
#define MT_CUDA_LAYOUT_CUH

#include "mt_cuda.h"

template <int N> struct layout {
	int rank;
	int64_t count; /* positions */
	int64_t shape[MT_MAX_RANK];
	int64_t stride[N][MT_MAX_RANK];
};

template <int N> struct offsets { int64_t at[N]; };

/* strides[k]: operand k's, or NULL for one that does not move (a number by value). */
template <int N> inline layout<N> make_layout(int rank, const int64_t *shape, const int64_t *const (&strides)[N]) {
	layout<N> l = {};
	l.count = 1;
	for (int d = 0; d < rank; d++) {
		l.count *= shape[d];
		if (shape[d] == 1)
			continue;
		bool merge = l.rank > 0;
		for (int k = 0; k < N && merge; k++) {
			int64_t stride = strides[k] ? strides[k][d] : 0;
			merge = l.stride[k][l.rank - 1] == stride * shape[d];
		}
		int to = merge ? l.rank - 1 : l.rank++;
		l.shape[to] = merge ? l.shape[to] * shape[d] : shape[d];
		for (int k = 0; k < N; k++)
			l.stride[k][to] = strides[k] ? strides[k][d] : 0;
	}
	return l;
}

/* Offsets, in elements, of position i in row-major order. */
template <int N> __device__ inline offsets<N> locate(const layout<N> &l, int64_t i) {
	offsets<N> o = {};
	for (int d = l.rank - 1; d >= 0; d--) {
		int64_t index = i;
		if (d > 0) {
			/* 64-bit division is slow on a GPU and rarely needed. */
			int64_t next = (uint64_t)i >> 32 || (uint64_t)l.shape[d] >> 32
			                   ? i / l.shape[d]
			                   : (int64_t)((uint32_t)i / (uint32_t)l.shape[d]);
			index = i - next * l.shape[d];
			i = next;
		}
		for (int k = 0; k < N; k++)
			o.at[k] += index * l.stride[k][d];
	}
	return o;
}

/* The address of an array's element (0, 0, …), on the device. */
template <class T> inline T *origin(const mt_array *a) {
	return (T *)((char *)a->base + a->byte_offset);
}

#endif
