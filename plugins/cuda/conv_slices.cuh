/* The frame of the kernels that compute the product of conv_plan.h: a block goes through its tiles of M × N sums and, in
 * each, through k in slices of DEPTH.  While one slice is multiplied, the next is on its way.  What multiplies is in
 * conv_tile.cuh and conv_tensor.cuh. */
#ifndef MT_CUDA_CONV_SLICES_CUH
#define MT_CUDA_CONV_SLICES_CUH

#include "conv_gemm.cuh"

/* ALONG_K: neighbouring threads read b along k. */
template <int M_, int N_, int DEPTH_, int THREADS_, bool ALONG_K_> struct conv_slices {
	static constexpr int M = M_, N = N_, DEPTH = DEPTH_, THREADS = THREADS_;
	static constexpr bool ALONG_K = ALONG_K_;
	static constexpr int A_EACH = M * DEPTH / THREADS,
						 B_EACH = N * DEPTH / THREADS; /* elements that a thread fetches */
	static constexpr int STEP = THREADS / DEPTH;       /* rows or columns between two of them, along k */
	static constexpr int COLUMNS_EACH = N > THREADS ? N / THREADS : 1;   /* of b, along n */
	static constexpr int K_STEP = THREADS > N ? THREADS / N : 1;         /* k between two of them, along n */
	static constexpr int TABLE = THREADS < 128 || DEPTH > 16 ? 64 : 128; /* entries of k that are made at a time */
	static_assert(THREADS % DEPTH == 0 && M % STEP == 0 && N % STEP == 0, "whole slices");
	static_assert(TABLE % DEPTH == 0 && TABLE / DEPTH >= 2, "a table is filled while the other is read");
	static_assert(MT_CUDA_CONV_DEPTH % DEPTH == 0, "parts are whole slices");
};

/* In shared memory: where k and the tile's columns lie. */
template <class S, class I> struct conv_tables {
	source<I> of_k[2 * S::TABLE]; /* a ring */
	I a_of_k[2 * S::TABLE];
	source<I> of_n[S::N];
	I a_of_m[S::M];
	I y[S::N];
	bool there[S::N];
	conv_phase<I> phase;
	conv_tile<I> tile; /* what is needed at the end alone takes no registers on the way there */
	I begin, end;      /* of the part */
	I a_first;         /* where its group and phase begin in a */
};

/* What a thread fetches of one slice. */
template <class S, class T> struct conv_slice { T a[S::A_EACH], b[S::B_EACH]; };

template <class T> __device__ inline T number(compute_of<T> value) {
	T t;
	store(&t, value);
	return t;
}

/* ---- tables ---- */

/* Entries of k for the TABLE elements of the part from `first` on. */
template <class S, class I> __device__ inline void fill_k(conv_tables<S, I> &tables, const conv_params<I> &p, I first) {
	int at = (int)(first % (2 * S::TABLE)) + (int)threadIdx.x;
	I end = tables.end, k = tables.begin + first + (I)threadIdx.x;
	for (int i = (int)threadIdx.x; i < S::TABLE && k < end; i += S::THREADS, at += S::THREADS, k += S::THREADS) {
		I a_offset = tables.a_first;
		tables.of_k[at] = source_of_k(p, tables.phase, k, a_offset);
		tables.a_of_k[at] = a_offset;
	}
}

/* Rows past the last one repeat it: nobody stores their sums. */
template <class S, class I>
__device__ inline void fill_rows(conv_tables<S, I> &tables, const conv_params<I> &p, const conv_tile<I> &t) {
	for (int i = (int)threadIdx.x; i < S::M; i += S::THREADS)
		tables.a_of_m[i] = (t.m + i < p.m ? t.m + i : p.m - 1) * p.a_m;
}

template <class S, class I>
__device__ inline void fill_columns(conv_tables<S, I> &tables, const conv_params<I> &p, const conv_tile<I> &t) {
	for (int i = (int)threadIdx.x; i < S::N; i += S::THREADS) {
		column<I> c = find_column(p, t.n + i, t.phase);
		tables.of_n[i] = source_of_column(p, tables.phase, t.group, t.n + i, c);
		tables.y[i] = c.y;
		tables.there[i] = c.there;
	}
}

/* ---- fetching; at: the slice's place in the ring, left: how much of k there is from its first on ---- */

/* DEPTH neighbouring threads read a along k. */
template <class S, class T, class I>
__device__ inline void fetch_a(T *to, const T *a, const conv_tables<S, I> &tables, int at, I left) {
	int k = (int)threadIdx.x % S::DEPTH, m = (int)threadIdx.x / S::DEPTH;
	I a_of_k = tables.a_of_k[at + k];
#pragma unroll
	for (int i = 0; i < S::A_EACH; i++, m += S::STEP) {
		I a_of_m = tables.a_of_m[m];
		to[i] = k < left ? a[a_of_m + a_of_k] : number<T>(0);
	}
}

template <class S, class T, class I>
__device__ inline void fetch_b_along_k(T *to, const T *b, const conv_tables<S, I> &tables, const conv_params<I> &p,
                                       int at, I left) {
	int k = (int)threadIdx.x % S::DEPTH, n = (int)threadIdx.x / S::DEPTH;
	source<I> of_k = tables.of_k[at + k];
#pragma unroll
	for (int i = 0; i < S::B_EACH; i++, n += S::STEP) {
		source<I> of_n = tables.of_n[n];
		bool there = is_inside(p, of_n, of_k) & (k < left);
		to[i] = there ? b[of_n.v[0] + of_k.v[0]] : unread<T>(of_n);
	}
}

template <class S, class T, class I>
__device__ inline void fetch_b_along_n(T *to, const T *b, const conv_tables<S, I> &tables, const conv_params<I> &p,
                                       int at, I left) {
	int k = (int)threadIdx.x / S::N, n = (int)threadIdx.x % S::N;
	source<I> of_n[S::COLUMNS_EACH];
#pragma unroll
	for (int c = 0; c < S::COLUMNS_EACH; c++)
		of_n[c] = tables.of_n[n + c * S::THREADS];
#pragma unroll
	for (int i = 0; i < S::B_EACH / S::COLUMNS_EACH; i++, k += S::K_STEP) {
		source<I> of_k = tables.of_k[at + k];
#pragma unroll
		for (int c = 0; c < S::COLUMNS_EACH; c++) {
			bool there = is_inside(p, of_n[c], of_k) & (k < left);
			to[i * S::COLUMNS_EACH + c] = there ? b[of_n[c].v[0] + of_k.v[0]] : unread<T>(of_n[c]);
		}
	}
}

/* Row, column and k, within the slice, of what a thread fetched as element i. */
template <class S> __device__ inline int row_of_a(int i) {
	return (int)threadIdx.x / S::DEPTH + i * S::STEP;
}
template <class S> __device__ inline int k_of_a() {
	return (int)threadIdx.x % S::DEPTH;
}
template <class S> __device__ inline int column_of_b(int i) {
	return S::ALONG_K ? (int)threadIdx.x / S::DEPTH + i * S::STEP
	                  : (int)threadIdx.x % S::N + i % S::COLUMNS_EACH * S::THREADS;
}
template <class S> __device__ inline int k_of_b(int i) {
	return S::ALONG_K ? (int)threadIdx.x % S::DEPTH : (int)threadIdx.x / S::N + i / S::COLUMNS_EACH * S::K_STEP;
}

/* ---- the frame ---- */

/* A part of a tile's sums: its first row, and how many k. */
template <class I> struct conv_part { I m, length; };

/* Calls put(slice, buffer), which copies it to shared memory, and multiply(buffer) for each slice of the part, which has
 * `length` k. */
template <class S, class T, class I, class Put, class Multiply>
__device__ inline void each_slice(conv_tables<S, I> &tables, const conv_params<I> &p, const conv_arrays<T> &arrays,
                                  I length, Put put, Multiply multiply) {
	conv_slice<S, T> slice;
	auto fetch = [&](I done) {
		int at = (int)(done % (2 * S::TABLE));
		fetch_a<S>(slice.a, arrays.a, tables, at, length - done);
		if constexpr (S::ALONG_K)
			fetch_b_along_k<S>(slice.b, arrays.b, tables, p, at, length - done);
		else
			fetch_b_along_n<S>(slice.b, arrays.b, tables, p, at, length - done);
	};
	fetch(0);
	put(slice, 0);
	__syncthreads();
	for (I done = 0; done < length; done += S::DEPTH) {
		int buffer = (int)(done / S::DEPTH % 2);
		if (done % S::TABLE == 0) /* the table after this one, long before it is read */
			fill_k(tables, p, done + S::TABLE);
		/* After the last slice comes one of zeros: a condition here and at put would let the compiler fetch only there. */
		fetch(done + S::DEPTH);
		multiply(buffer);
		put(slice, buffer ^ 1);
		__syncthreads();
	}
}

/* Fills the tables, and returns how many k the part has: none where that is not positive.  By all threads; a barrier on
 * either side. */
template <class S, class I>
__device__ inline I enter_tile(conv_tables<S, I> &tables, const conv_params<I> &p, I index) {
	conv_tile<I> t = find_tile(p, index, S::M, S::N);
	enter_phase(tables.phase, p, t.phase);
	__syncthreads();
	const conv_phase<I> &phase = tables.phase;
	I begin = t.part * p.split, length = p.k_extent[0] * phase.taps[0] * phase.taps[1] * phase.taps[2] - begin;
	length = length < p.split ? length : p.split;
	if (threadIdx.x == 0) {
		tables.tile = t;
		tables.begin = begin;
		tables.end = begin + length;
		tables.a_first = t.group * p.a_group + phase.a_first[0] + phase.a_first[1] + phase.a_first[2];
	}
	__syncthreads();
	fill_rows(tables, p, t);
	fill_columns(tables, p, t);
	fill_k(tables, p, (I)0);
	__syncthreads();
	return length;
}

#endif
