/* Kernels that go over the positions of arrays once, in any order: a sweep.
 *
 * A thread takes N elements at a time.  Where every array lets it (walk.h) they are a pack: neighbours in the innermost
 * dim, read and written at once, while an array that does not move there gives one element N times.  Else they lie BLOCK
 * positions apart, so that the threads of a warp read neighbouring positions, and each is located by itself.  Offsets are
 * in 32 bits: a walk that does not fit is launched in pieces. */
#ifndef MT_CUDA_ELEMENTWISE_CUH
#define MT_CUDA_ELEMENTWISE_CUH

#include "launch.cuh"
#include "walk.cuh"

template <int K> struct sweep {
	walk<K, int32_t> w; /* of packs, or of elements */
	uint32_t steps;     /* for the whole grid: a block takes BLOCK packs, or BLOCK · N elements, in one */
	int32_t packed;
	uint32_t moving; /* as in mt_cuda_packs */
	int32_t last;
	void *array[K]; /* NULL where a number stands in its place */

	template <class T> __device__ T *at(int k) const {
		return (T *)array[k];
	}
};

/* Elements that a thread takes at a time: 16 bytes of T. */
template <class T> constexpr int pack_length = 16 / (int)sizeof(T);

/* ---- packs ---- */

/* The pack of a thread in a step. */
template <int K> struct pack_place {
	offsets<K, int32_t> o;
	int n; /* elements; 0: there is none for this thread */
};

template <int N, int K> __device__ inline pack_place<K> locate_pack(const sweep<K> &s, uint32_t step) {
	pack_place<K> place;
	uint32_t i = step * BLOCK + threadIdx.x, last = (uint32_t)s.w.count - 1;
	place.n = i < last ? N : i == last ? s.last : 0;
	place.o = locate(s.w, (int32_t)i);
	return place;
}

template <int N, class T, int K>
__device__ inline pack<T, N> whole_pack(const sweep<K> &s, int k, const pack_place<K> &place) {
	return *(const pack<T, N> *)(s.template at<const T>(k) + place.o.at[k]);
}

/* f(j, element) for j in 0 … N − 1, from array k; elements after the last one are not read. */
template <int N, class T, int K, class F>
__device__ inline void read_pack(const sweep<K> &s, int k, const pack_place<K> &place, F f) {
	const T *from = s.template at<const T>(k) + place.o.at[k];
	if (!(s.moving >> k & 1)) {
		T repeated = place.n > 0 ? *from : T();
#pragma unroll
		for (int j = 0; j < N; j++)
			f(j, repeated);
	} else if (place.n == N) {
		pack<T, N> whole = whole_pack<N, T>(s, k, place);
#pragma unroll
		for (int j = 0; j < N; j++)
			f(j, whole.v[j]);
	} else {
#pragma unroll
		for (int j = 0; j < N; j++)
			f(j, j < place.n ? from[j] : T());
	}
}

/* f(j, &element): what becomes of the elements of array k, which moves. */
template <int N, class T, int K, class F>
__device__ inline void write_pack(const sweep<K> &s, int k, const pack_place<K> &place, F f) {
	T *to = s.template at<T>(k) + place.o.at[k];
	pack<T, N> whole;
#pragma unroll
	for (int j = 0; j < N; j++)
		f(j, &whole.v[j]);
	if (place.n == N) {
		store_pack(to, whole);
		return;
	}
#pragma unroll
	for (int j = 0; j < N; j++)
		if (j < place.n)
			to[j] = whole.v[j];
}

/* ---- elements by themselves ---- */

/* Offsets of the M positions first, first + BLOCK, …; what lies after the last position is not to be used. */
template <int M, int K>
__device__ inline void locate_each(const walk<K, int32_t> &w, uint32_t first, offsets<K, int32_t> (&o)[M]) {
	uint32_t index[M];
#pragma unroll
	for (int j = 0; j < M; j++) {
		index[j] = first + j * BLOCK;
		o[j] = {};
	}
#pragma unroll 1
	for (int d = w.rank - 1; d > 0; d--) {
		divider<int32_t> extent = w.shape[d];
#pragma unroll
		for (int j = 0; j < M; j++) {
			uint32_t next = mt__cuda_quotient(&extent, index[j]);
			uint32_t within = index[j] - next * (uint32_t)extent.divisor;
			index[j] = next;
#pragma unroll
			for (int k = 0; k < K; k++)
				o[j].at[k] = (int32_t)((uint32_t)o[j].at[k] + within * (uint32_t)w.stride[k][d]);
		}
	}
#pragma unroll
	for (int j = 0; j < M; j++)
#pragma unroll
		for (int k = 0; k < K; k++)
			o[j].at[k] = (int32_t)((uint32_t)o[j].at[k] + index[j] * (uint32_t)w.stride[k][0]);
}

/* f(j, offsets) for each of the thread's N elements that there is. */
template <int N, int K, class F> __device__ inline void each_element(const sweep<K> &s, uint32_t step, F f) {
	constexpr int M = N < 4 ? N : 4;
	uint32_t first = step * (uint32_t)(BLOCK * N) + threadIdx.x;
#pragma unroll
	for (int from = 0; from < N; from += M) {
		offsets<K, int32_t> o[M];
		locate_each(s.w, first + from * BLOCK, o);
#pragma unroll
		for (int j = 0; j < M; j++)
			if (first + (from + j) * BLOCK < (uint32_t)s.w.count)
				f(from + j, o[j]);
	}
}

/* ---- values of several arrays of one dtype ---- */

/* v[k][j] = element j of array k, for the arrays k < M that are in mask. */
template <int N, class T, int M, int K, class C>
__device__ inline void read_packs(const sweep<K> &s, const pack_place<K> &place, unsigned mask, C (&v)[M][N]) {
	constexpr unsigned all = (1u << M) - 1;
	if (place.n == N && (s.moving & mask & all) == all) {
		/* All loads are under way before the first value is converted. */
		pack<T, N> whole[M];
#pragma unroll
		for (int k = 0; k < M; k++)
			whole[k] = whole_pack<N, T>(s, k, place);
#pragma unroll
		for (int k = 0; k < M; k++)
#pragma unroll
			for (int j = 0; j < N; j++)
				v[k][j] = (C)load(whole[k].v[j]);
		return;
	}
#pragma unroll
	for (int k = 0; k < M; k++)
		if (mask >> k & 1)
			read_pack<N, T>(s, k, place, [&](int j, T x) { v[k][j] = (C)load(x); });
}

template <int N, class T, int M, int K, class C>
__device__ inline void read_elements(const sweep<K> &s, uint32_t step, unsigned mask, C (&v)[M][N]) {
	each_element<N>(s, step, [&](int j, const offsets<K, int32_t> &o) {
#pragma unroll
		for (int k = 0; k < M; k++)
			if (mask >> k & 1)
				v[k][j] = (C)load(s.template at<const T>(k)[o.at[k]]);
	});
}

/* What a thread reads in a step, whichever way.  The place is for write_values. */
template <int N, class T, int M, int K, class C>
__device__ inline pack_place<K> read_values(const sweep<K> &s, uint32_t step, unsigned mask, C (&v)[M][N]) {
	pack_place<K> place = {};
	if (s.packed) {
		place = locate_pack<N>(s, step);
		read_packs<N, T>(s, place, mask, v);
	} else {
		read_elements<N, T>(s, step, mask, v);
	}
	return place;
}

template <int N, class T, int K, class C>
__device__ inline void write_values(const sweep<K> &s, uint32_t step, const pack_place<K> &place, int k,
                                    const C (&v)[N]) {
	if (s.packed)
		write_pack<N, T>(s, k, place, [&](int j, T *to) { store(to, v[j]); });
	else
		each_element<N>(s, step, [&](int j, const auto &o) { store(s.template at<T>(k) + o.at[k], v[j]); });
}

/* ---- the host's side ---- */

/* Arrays of a walk: where element (0, …) lies (NULL where there is none), and the bytes of an element. */
template <int K> struct places {
	void *array[K];
	int size[K];
};

/* Calls f(piece, places) for each piece of w; most walks are one. */
template <int K, class F> inline int32_t for_pieces(const mt_cuda_walk &w, const places<K> &whole, F f) {
	if (mt__cuda_walk_is_narrow(&w))
		return f(w, whole);
	mt_cuda_pieces pieces;
	mt_cuda_walk piece;
	int64_t offset[MT_CUDA_WALKED];
	mt__cuda_pieces(&pieces, &w);
	while (mt__cuda_next_piece(&pieces, &piece, offset)) {
		places<K> part = whole;
		for (int k = 0; k < K; k++)
			if (part.array[k])
				part.array[k] = (char *)part.array[k] + offset[k] * part.size[k];
		int32_t status = f(piece, part);
		if (status != MT_OK)
			return status;
	}
	return MT_OK;
}

/* The sweep over a piece, N elements a thread; written: bit k where array k is. */
template <int N, int K> inline sweep<K> make_sweep(const mt_cuda_walk &piece, unsigned written, const places<K> &p) {
	sweep<K> s;
	mt_cuda_packs packs;
	s.packed = mt__cuda_walk_packs(&packs, &piece, N, written, p.array, p.size);
	s.w = walk<K, int32_t>(s.packed ? packs.w : piece);
	s.moving = s.packed ? packs.moving : 0;
	s.last = s.packed ? packs.last : 0;
	s.steps = mt__cuda_blocks(s.w.count, s.packed ? BLOCK : BLOCK * N, INT32_MAX);
	for (int k = 0; k < K; k++)
		s.array[k] = p.array[k];
	return s;
}

/* Blocks for a sweep: enough that the last ones to end do not leave the GPU idle for long. */
template <int K> inline dim3 grid_of(const mt_queue *queue, const sweep<K> &s) {
	return dim3(mt__cuda_blocks(s.steps, 1, (int64_t)queue->device->multiprocessors * 32));
}

/* Calls start(sweep, grid), which launches, for each piece of w. */
template <int N, int K, class F>
inline int32_t for_sweeps(mt_queue *queue, const mt_cuda_walk &w, unsigned written, const places<K> &whole, F start) {
	return for_pieces<K>(w, whole, [&](const mt_cuda_walk &piece, const places<K> &p) {
		sweep<K> s = make_sweep<N>(piece, written, p);
		return start(s, grid_of(queue, s));
	});
}

#endif
