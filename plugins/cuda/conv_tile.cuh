/* The product of conv_plan.h, tile by tile: a block computes M × N sums, DEPTH of k at a time through shared memory, and
 * each of its threads TM × TN of them in registers.  While one slice of DEPTH is multiplied, the next is on its way. */
#ifndef MT_CUDA_CONV_TILE_CUH
#define MT_CUDA_CONV_TILE_CUH

#include "conv_gemm.cuh"

/* ALONG_K: neighbouring threads read b along k.  BLOCKS: that should fit on a multiprocessor at once. */
template <int M_, int N_, int TM_, int TN_, int DEPTH_, bool ALONG_K_, int BLOCKS_> struct conv_shape {
	static constexpr int M = M_, N = N_, TM = TM_, TN = TN_, DEPTH = DEPTH_, BLOCKS = BLOCKS_;
	static constexpr bool ALONG_K = ALONG_K_;
	static constexpr int ROWS = M / TM, COLUMNS = N / TN, THREADS = ROWS * COLUMNS;
	static constexpr int A_EACH = M * DEPTH / THREADS,
						 B_EACH = N * DEPTH / THREADS;              /* elements that a thread fetches */
	static constexpr int A_STEP = THREADS / DEPTH;                  /* rows between two that a thread fetches */
	static constexpr int B_COLUMNS = N > THREADS ? N / THREADS : 1; /* that a thread fetches, not along k */
	static constexpr int B_STEP = THREADS > N ? THREADS / N : 1;    /* k between two that it fetches there */
	static constexpr int TABLE = THREADS < 128 ? 64 : 128;          /* entries of k that are made at a time */
	static_assert(M % TM == 0 && N % TN == 0 && TM % 4 == 0 && TN % 4 == 0, "whole vectors of four");
	static_assert(THREADS % DEPTH == 0 && M % A_STEP == 0 && N % A_STEP == 0, "whole slices along k");
	static_assert(TABLE % DEPTH == 0 && TABLE / DEPTH >= 2, "a table is refilled while the other is read");
	static_assert(MT_CUDA_CONV_DEPTH % DEPTH == 0, "parts are whole slices");
};

/* Shared memory.  Rows of four more elements keep the threads that fill a column off each other's banks. */
template <class S, class C, class I> struct conv_shared {
	alignas(4 * sizeof(C)) C a[2][S::DEPTH][S::M + 4];
	alignas(4 * sizeof(C)) C b[2][S::DEPTH][S::N + 4];
	source<I> of_k[2 * S::TABLE]; /* a ring */
	I a_of_k[2 * S::TABLE];
	source<I> of_n[S::N];
	I y[S::N];
	bool there[S::N];
	conv_phase<I> phase;
};

/* What a thread fetches of one slice. */
template <class S, class T> struct conv_slice { T a[S::A_EACH], b[S::B_EACH]; };

template <class T> __device__ inline T number(compute_of<T> value) {
	T t;
	store(&t, value);
	return t;
}

/* Entries of k from `first` on, as far as the part goes; at: of the first in the ring. */
template <class S, class Shared, class I>
__device__ inline void fill_table(Shared &shared, const conv_params<I> &p, I first, I end, int at) {
	for (int i = (int)threadIdx.x; i < S::TABLE && first + i < end; i += S::THREADS)
		shared.of_k[at + i] = source_of_k(p, shared.phase, first + i, shared.a_of_k[at + i]);
}

template <class S, class Shared, class I>
__device__ inline void fill_columns(Shared &shared, const conv_params<I> &p, const conv_tile<I> &t) {
	for (int i = (int)threadIdx.x; i < S::N; i += S::THREADS) {
		column<I> c = find_column(p, t.n + i, t.phase);
		shared.of_n[i] = source_of_column(p, shared.phase, c);
		shared.y[i] = c.y;
		shared.there[i] = c.there;
	}
}

/* a's part of a slice: DEPTH neighbouring threads read along k.  at: the slice's place in the ring; left: of k. */
template <class S, class T, class Shared, class I>
__device__ inline void fetch_a(T *to, const T *a, const Shared &shared, const conv_params<I> &p, I m0, int at, I left) {
	int k = (int)threadIdx.x % S::DEPTH;
	I m = m0 + (I)threadIdx.x / S::DEPTH;
	bool there = k < left;
	const T *from = a + (there ? shared.a_of_k[at + k] : 0);
#pragma unroll
	for (int i = 0; i < S::A_EACH; i++, m += S::A_STEP)
		to[i] = there && m < p.m ? from[m * p.a_m] : number<T>(0);
}

/* b's, along k. */
template <class S, class T, class Shared, class I>
__device__ inline void fetch_b_along_k(T *to, const T *b, const Shared &shared, const conv_params<I> &p, I n0, int at,
                                       I left) {
	int k = (int)threadIdx.x % S::DEPTH, n = (int)threadIdx.x / S::DEPTH;
	source<I> of_k = shared.of_k[at + k];
#pragma unroll
	for (int i = 0; i < S::B_EACH; i++, n += S::A_STEP) {
		source<I> of_n = shared.of_n[n];
		if (k < left && is_inside(p, of_n, of_k))
			to[i] = b[of_n.v[0] + of_k.v[0]];
		else
			to[i] = number<T>(n0 + n == p.ones_column ? 1 : 0);
	}
}

/* b's, along n: a thread's columns are always the same. */
template <class S, class T, class Shared, class I>
__device__ inline void fetch_b_along_n(T *to, const T *b, const Shared &shared, const conv_params<I> &p, I n0, int at,
                                       I left, const source<I> *of_n) {
	int k = (int)threadIdx.x / S::N, n = (int)threadIdx.x % S::N;
#pragma unroll
	for (int i = 0; i < S::B_EACH / S::B_COLUMNS; i++, k += S::B_STEP) {
		source<I> of_k = shared.of_k[at + k];
#pragma unroll
		for (int c = 0; c < S::B_COLUMNS; c++) {
			T &element = to[i * S::B_COLUMNS + c];
			if (k < left && is_inside(p, of_n[c], of_k))
				element = b[of_n[c].v[0] + of_k.v[0]];
			else
				element = number<T>(n0 + n + c * S::THREADS == p.ones_column ? 1 : 0);
		}
	}
}

/* Puts a fetched slice into shared memory, as numbers to calculate with. */
template <class S, class T, class Shared>
__device__ inline void put_slice(Shared &shared, const conv_slice<S, T> &slice, int buffer) {
	int thread = (int)threadIdx.x;
#pragma unroll
	for (int i = 0; i < S::A_EACH; i++)
		shared.a[buffer][thread % S::DEPTH][thread / S::DEPTH + i * S::A_STEP] = load(slice.a[i]);
#pragma unroll
	for (int i = 0; i < S::B_EACH; i++) {
		int k = S::ALONG_K ? thread % S::DEPTH : thread / S::N + i / S::B_COLUMNS * S::B_STEP;
		int n = S::ALONG_K ? thread / S::DEPTH + i * S::A_STEP : thread % S::N + i % S::B_COLUMNS * S::THREADS;
		shared.b[buffer][k][n] = load(slice.b[i]);
	}
}

/* Rows and columns of a thread: groups of four, so that each group comes with one read.  The first of group i. */
template <int THREADS> __device__ inline int group_at(int thread, int i) {
	return (i * THREADS + thread) * 4;
}

template <class S, class C, class Shared>
__device__ inline void multiply(C sum[S::TM][S::TN], const Shared &shared, int buffer, int row, int column) {
#pragma unroll
	for (int k = 0; k < S::DEPTH; k++) {
		pack<C, 4> a[S::TM / 4], b[S::TN / 4];
#pragma unroll
		for (int i = 0; i < S::TM / 4; i++)
			a[i] = *(const pack<C, 4> *)&shared.a[buffer][k][group_at<S::ROWS>(row, i)];
#pragma unroll
		for (int j = 0; j < S::TN / 4; j++)
			b[j] = *(const pack<C, 4> *)&shared.b[buffer][k][group_at<S::COLUMNS>(column, j)];
#pragma unroll
		for (int i = 0; i < S::TM; i++)
#pragma unroll
			for (int j = 0; j < S::TN; j++)
				sum[i][j] += a[i / 4].v[i % 4] * b[j / 4].v[j % 4];
	}
}

template <class S, class T, class Shared, class I>
__device__ inline void fetch(conv_slice<S, T> &slice, const T *a, const T *b, const Shared &shared,
                             const conv_params<I> &p, const conv_tile<I> &t, const source<I> *of_n, I done, I length) {
	int at = (int)(done % (2 * S::TABLE));
	fetch_a<S>(slice.a, a, shared, p, t.m, at, length - done);
	if constexpr (S::ALONG_K)
		fetch_b_along_k<S>(slice.b, b, shared, p, t.n, at, length - done);
	else
		fetch_b_along_n<S>(slice.b, b, shared, p, t.n, at, length - done, of_n);
}

/* The sums over k in [begin, begin + length). */
template <class S, class T, class C, class Shared, class I>
__device__ inline void sum_part(C sum[S::TM][S::TN], const T *a, const T *b, Shared &shared, const conv_params<I> &p,
                                const conv_tile<I> &t, I begin, I length) {
	int row = (int)threadIdx.x / S::COLUMNS, column = (int)threadIdx.x % S::COLUMNS;
	source<I> of_n[S::B_COLUMNS];
	conv_slice<S, T> slice;
#pragma unroll
	for (int c = 0; c < S::B_COLUMNS; c++)
		of_n[c] = shared.of_n[(int)threadIdx.x % S::N + c * S::THREADS];
	fetch(slice, a, b, shared, p, t, of_n, (I)0, length);
	put_slice(shared, slice, 0);
	__syncthreads();
	int buffer = 0;
	for (I done = 0; done < length; done += S::DEPTH, buffer ^= 1) {
		I next = done + S::DEPTH;
		if (done % S::TABLE == 0) /* the table after this one: read from the slice that ends this one on */
			fill_table<S>(shared, p, begin + done + S::TABLE, begin + length,
			              (int)((done + S::TABLE) % (2 * S::TABLE)));
		if (next < length)
			fetch(slice, a, b, shared, p, t, of_n, next, length);
		multiply<S>(sum, shared, buffer, row, column);
		if (next < length)
			put_slice(shared, slice, buffer ^ 1);
		__syncthreads();
	}
}

template <class S, class T, class C, class Shared, class I>
__device__ inline void store_tile(const C sum[S::TM][S::TN], const Shared &shared, const conv_params<I> &p,
                                  const conv_arrays<T> &arrays, const conv_tile<I> &t) {
	int row = (int)threadIdx.x / S::COLUMNS, column = (int)threadIdx.x % S::COLUMNS;
#pragma unroll
	for (int j = 0; j < S::TN / 4; j++) {
		int n = group_at<S::COLUMNS>(column, j);
#pragma unroll
		for (int i = 0; i < S::TM; i++) {
			int m = group_at<S::ROWS>(row, i / 4) + i % 4;
			store_sums<T>(p, arrays, t, t.m + m, t.n + n, &sum[i][4 * j], &shared.y[n], &shared.there[n]);
		}
	}
}

template <class S, class T, class I>
static __global__ void __launch_bounds__(S::THREADS, S::BLOCKS)
	conv_tile_kernel(const conv_params<I> p, const conv_arrays<T> arrays) {
	using C = compute_of<T>;
	__shared__ conv_shared<S, C, I> shared;
	for (I index = (I)blockIdx.x; index < p.tiles; index += (I)gridDim.x) {
		conv_tile<I> t = find_tile(p, index, S::M, S::N);
		enter_phase(shared.phase, p, t.phase);
		__syncthreads();
		const conv_phase<I> &phase = shared.phase;
		I k = p.k_extent[0] * phase.taps[0] * phase.taps[1] * phase.taps[2], begin = t.part * p.split;
		I length = k - begin < p.split ? k - begin : p.split;
		fill_columns<S>(shared, p, t);
		fill_table<S>(shared, p, begin, begin + length, 0);
		__syncthreads();
		const T *a = arrays.a + t.group * p.a_group + (phase.a_first[0] + phase.a_first[1] + phase.a_first[2]);
		const T *b = arrays.b + t.group * p.b_group;
		C sum[S::TM][S::TN] = {};
		if (length > 0)
			sum_part<S>(sum, a, b, shared, p, t, begin, length);
		store_tile<S>(sum, shared, p, arrays, t);
		__syncthreads();
	}
}

template <class S, class T, class I> inline int32_t run_tiles(mt_queue *queue, const conv_call &call) {
	conv_params<I> p(call);
	unsigned blocks = mt__cuda_blocks(call.plan->tiles, 1, CONV_MOST_BLOCKS);
	int32_t status = launch(queue, call.name, blocks, S::THREADS, conv_tile_kernel<S, T, I>, p, conv_arrays<T>(call));
	return status == MT_OK ? finish_parts<T>(queue, call, p) : status;
}

/* The shapes of conv_plan.h's tiles. */
template <bool ALONG_K> using conv_large = conv_shape<128, 128, 8, 8, 8, ALONG_K, 2>;
template <bool ALONG_K> using conv_medium = conv_shape<64, 64, 8, 4, ALONG_K ? 16 : 8, ALONG_K, 4>;
using conv_wide = conv_shape<16, 128, 8, 4, 8, false, 8>;
using conv_small = conv_shape<16, 32, 4, 4, 16, true, 16>;

/* MEDIUM, which every dtype has, with indices of 64 bits too. */
template <class T> inline int32_t run_medium(mt_queue *queue, const conv_call &call) {
	if (!call.plan->narrow)
		return run_tiles<conv_medium<false>, T, int64_t>(queue, call);
	if (call.plan->along_k)
		return run_tiles<conv_medium<true>, T, int32_t>(queue, call);
	return run_tiles<conv_medium<false>, T, int32_t>(queue, call);
}

/* f16 and bf16, calculated in f32. */
template <class T> inline int32_t run_low(mt_queue *queue, const conv_call &call) {
	switch (call.plan->tile) {
	case MT_CUDA_CONV_WIDE:
		return run_tiles<conv_wide, T, int32_t>(queue, call);
	case MT_CUDA_CONV_SMALL:
		return run_tiles<conv_small, T, int32_t>(queue, call);
	default:
		return run_medium<T>(queue, call);
	}
}

#endif
