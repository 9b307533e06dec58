/* The product of conv_plan.h by multiply-adds: each thread holds TM × TN of a tile's sums in registers.  Sums run in the
 * order of k. */
#ifndef MT_CUDA_CONV_TILE_CUH
#define MT_CUDA_CONV_TILE_CUH

#include "conv_slices.cuh"

/* BLOCKS: that should fit on a multiprocessor at once. */
template <int M, int N, int TM_, int TN_, int DEPTH, bool ALONG_K, int BLOCKS_>
struct conv_shape : conv_slices<M, N, DEPTH, M / TM_ *(N / TN_), ALONG_K> {
	static constexpr int TM = TM_, TN = TN_, BLOCKS = BLOCKS_, ROWS = M / TM, COLUMNS = N / TN;
	static_assert(TM % 4 == 0 && TN % 4 == 0, "whole vectors of four");
};

/* Rows of four more elements keep the threads that fill a column off each other's banks. */
template <class S, class C> struct conv_factors {
	alignas(4 * sizeof(C)) C a[2][S::DEPTH][S::M + 4];
	alignas(4 * sizeof(C)) C b[2][S::DEPTH][S::N + 4];
};

/* Rows and columns of a thread: groups of four, so that each group comes with one read.  The first of group i. */
template <int THREADS> __device__ inline int group_at(int thread, int i) {
	return (i * THREADS + thread) * 4;
}

template <class S, class T, class C>
__device__ inline void put_slice(conv_factors<S, C> &factors, const conv_slice<S, T> &slice, int buffer) {
#pragma unroll
	for (int i = 0; i < S::A_EACH; i++)
		factors.a[buffer][k_of_a<S>()][row_of_a<S>(i)] = load(slice.a[i]);
#pragma unroll
	for (int i = 0; i < S::B_EACH; i++)
		factors.b[buffer][k_of_b<S>(i)][column_of_b<S>(i)] = load(slice.b[i]);
}

template <class S, class C>
__device__ inline void multiply_slice(C sum[S::TM][S::TN], const conv_factors<S, C> &factors, int buffer, int row,
                                      int column) {
#pragma unroll
	for (int k = 0; k < S::DEPTH; k++) {
		pack<C, 4> a[S::TM / 4], b[S::TN / 4];
#pragma unroll
		for (int i = 0; i < S::TM / 4; i++)
			a[i] = *(const pack<C, 4> *)&factors.a[buffer][k][group_at<S::ROWS>(row, i)];
#pragma unroll
		for (int j = 0; j < S::TN / 4; j++)
			b[j] = *(const pack<C, 4> *)&factors.b[buffer][k][group_at<S::COLUMNS>(column, j)];
#pragma unroll
		for (int i = 0; i < S::TM; i++)
#pragma unroll
			for (int j = 0; j < S::TN; j++)
				sum[i][j] += a[i / 4].v[i % 4] * b[j / 4].v[j % 4];
	}
}

template <class S, class T, class I, class C>
__device__ inline void store_tile(const C sum[S::TM][S::TN], const conv_tables<S, I> &tables, const conv_params<I> &p,
                                  const conv_arrays<T> &arrays, int row, int column) {
	conv_tile<I> t = tables.tile;
#pragma unroll
	for (int j = 0; j < S::TN / 4; j++) {
		int n = group_at<S::COLUMNS>(column, j);
#pragma unroll
		for (int i = 0; i < S::TM; i++)
			store_sums<T>(p, arrays, t, t.m + group_at<S::ROWS>(row, i / 4) + i % 4, t.n + n, &sum[i][4 * j],
			              &tables.y[n], &tables.there[n]);
	}
}

template <class S, class T, class I>
static __global__ void __launch_bounds__(S::THREADS, S::BLOCKS)
	conv_tile_kernel(const conv_params<I> p, const conv_arrays<T> arrays) {
	using C = compute_of<T>;
	__shared__ conv_tables<S, I> tables;
	__shared__ conv_factors<S, C> factors;
	int row = (int)threadIdx.x / S::COLUMNS, column = (int)threadIdx.x % S::COLUMNS;
	for (I index = (I)blockIdx.x; index < p.tiles; index += (I)gridDim.x) {
		I length = enter_tile(tables, p, index);
		C sum[S::TM][S::TN] = {};
		each_slice(
			tables, p, arrays, length,
			[&](const conv_slice<S, T> &slice, int buffer) { put_slice(factors, slice, buffer); },
			[&](int buffer) { multiply_slice<S, C>(sum, factors, buffer, row, column); });
		store_tile<S>(sum, tables, p, arrays, row, column);
		__syncthreads();
	}
}

/* ---- launches ---- */

template <class S, class T, class I> inline int32_t run_tiles(mt_queue *queue, const conv_call &call) {
	conv_params<I> p(call);
	unsigned blocks = mt__cuda_blocks(call.plan->tiles, 1, CONV_MOST_BLOCKS);
	int32_t status = launch(queue, call.name, blocks, S::THREADS, conv_tile_kernel<S, T, I>, p, conv_arrays<T>(call));
	return status == MT_OK ? finish_parts<T>(queue, call, p) : status;
}

/* The shapes of conv_plan.h's tiles. */
template <bool ALONG_K> using conv_large = conv_shape<128, 128, 8, 8, 8, ALONG_K, 2>;
template <bool ALONG_K, class T>
using conv_medium =
	conv_shape<64, 64, 8, 4, ALONG_K ? 16 : 8, ALONG_K, sizeof(T) == 8 ? 2 : 4>; /* f64 needs registers */
using conv_wide = conv_shape<16, 128, 8, 4, 8, false, 7>;
using conv_small = conv_shape<16, 32, 4, 4, 16, true, 16>;

/* MEDIUM, which every dtype has, with indices of 64 bits too. */
template <class T> inline int32_t run_medium(mt_queue *queue, const conv_call &call) {
	if (!call.plan->narrow)
		return run_tiles<conv_medium<false, T>, T, int64_t>(queue, call);
	if (call.plan->along_k)
		return run_tiles<conv_medium<true, T>, T, int32_t>(queue, call);
	return run_tiles<conv_medium<false, T>, T, int32_t>(queue, call);
}

#endif
