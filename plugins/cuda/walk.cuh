/* A walk (walk.h) as kernels get it: with the index type I that it fits in. */
#ifndef MT_CUDA_WALK_CUH
#define MT_CUDA_WALK_CUH

#include "mt_cuda.h"
#include "walk.h"

/* Division of 0 … 2^31 − 1 by a constant without a division in 32 bits (walk.h); in 64 bits it is one. */
template <class I> struct divider {
	I divisor;
	divider() = default;
	explicit divider(int64_t d) : divisor((I)d) {
	}
	__device__ I quotient(I n) const {
		return n / divisor;
	}
};

template <> struct divider<int32_t> : mt_cuda_divider {
	divider() = default;
	explicit divider(int64_t d) : mt_cuda_divider(mt__cuda_divider(d)) {
	}
	__device__ int32_t quotient(int32_t n) const {
		return (int32_t)mt__cuda_quotient(this, (uint32_t)n);
	}
};

template <int N, class I> struct walk {
	int32_t rank;
	I count;
	divider<I> shape[MT_MAX_RANK];
	I stride[N][MT_MAX_RANK];

	walk() = default;
	explicit walk(const mt_cuda_walk &w) : rank(w.rank), count((I)w.count), shape(), stride() {
		for (int d = 0; d < w.rank; d++) {
			shape[d] = divider<I>(w.shape[d]);
			for (int k = 0; k < N; k++)
				stride[k][d] = (I)w.stride[k][d];
		}
	}
};

template <int N, class I> struct offsets { I at[N]; };

/* Offsets, in elements, of position i in the walk's order. */
template <int N, class I> __device__ inline offsets<N, I> locate(const walk<N, I> &w, I i) {
	offsets<N, I> o = {};
#pragma unroll
	for (int d = MT_MAX_RANK - 1; d >= 0; d--) {
		if (d >= w.rank)
			continue;
		I index = i;
		if (d > 0) {
			I next = w.shape[d].quotient(i);
			index = i - next * w.shape[d].divisor;
			i = next;
		}
#pragma unroll
		for (int k = 0; k < N; k++)
			o.at[k] += index * w.stride[k][d];
	}
	return o;
}

/* Calls f(walk<N, I>(w)) with the narrowest index type: f([&](auto walked) {…}), decltype(walked.count) is I. */
template <int N, class F> inline int32_t for_index(const mt_cuda_walk &w, F f) {
	if (mt__cuda_walk_is_narrow(&w))
		return f(walk<N, int32_t>(w));
	return f(walk<N, int64_t>(w));
}

/* The address of an array's element (0, 0, …), on the device. */
template <class T> inline T *origin(const mt_array *a) {
	return (T *)((char *)a->base + a->byte_offset);
}

/* The same where the array may be left out. */
template <class T> inline T *origin_or_null(const mt_array *a) {
	return a ? origin<T>(a) : nullptr;
}

#endif
