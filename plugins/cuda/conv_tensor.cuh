/* The product of conv_plan.h on tensor cores, for f16 and bf16: products are exact, sums are f32.  A block's eight warps
 * hold 64 × 32 of its 128 × 128 sums each, in fragments of 16 × 16. */
#ifndef MT_CUDA_CONV_TENSOR_CUH
#define MT_CUDA_CONV_TENSOR_CUH

#include <mma.h>

#include "conv_tile.cuh"
#include "tensor_cores.cuh"

constexpr int FRAGMENT = 16;

template <bool ALONG_K_> struct conv_tensor_shape : conv_slices<128, 128, 16, 256, ALONG_K_> {
	static constexpr int BLOCKS = 2, WARP_ROWS = 2, WARP_COLUMNS = 4;                         /* warps along m and n */
	static constexpr int TM = 128 / WARP_ROWS / FRAGMENT, TN = 128 / WARP_COLUMNS / FRAGMENT; /* fragments of a warp */
};

/* As they are fetched: a with k inside, b with k inside (along k) or n inside.  Rows of eight more elements keep
 * fragments' rows off each other's banks, and their addresses multiples of 16 bytes. */
template <class S, class T> struct conv_matrices {
	static constexpr int A_ROW = S::DEPTH + 8, B_ROWS = S::ALONG_K ? S::N : S::DEPTH,
						 B_ROW = (S::ALONG_K ? S::DEPTH : S::N) + 8;
	alignas(32) T a[2][S::M][A_ROW];
	alignas(32) T b[2][B_ROWS][B_ROW];
};

template <class S, class T>
__device__ inline void put_slice(conv_matrices<S, T> &matrices, const conv_slice<S, T> &slice, int buffer) {
#pragma unroll
	for (int i = 0; i < S::A_EACH; i++)
		matrices.a[buffer][row_of_a<S>(i)][k_of_a<S>()] = slice.a[i];
#pragma unroll
	for (int i = 0; i < S::B_EACH; i++) {
		int k = k_of_b<S>(i), n = column_of_b<S>(i);
		matrices.b[buffer][S::ALONG_K ? n : k][S::ALONG_K ? k : n] = slice.b[i];
	}
}

template <class S, class T> struct conv_fragments {
	using B_LAYOUT = std::conditional_t<S::ALONG_K, nvcuda::wmma::col_major, nvcuda::wmma::row_major>;
	using A = nvcuda::wmma::fragment<nvcuda::wmma::matrix_a, FRAGMENT, FRAGMENT, FRAGMENT, T, nvcuda::wmma::row_major>;
	using B = nvcuda::wmma::fragment<nvcuda::wmma::matrix_b, FRAGMENT, FRAGMENT, FRAGMENT, T, B_LAYOUT>;
	using SUM = nvcuda::wmma::fragment<nvcuda::wmma::accumulator, FRAGMENT, FRAGMENT, FRAGMENT, float>;
};

/* row and column: of the warp's first sum in the tile. */
template <class S, class T, class Sum>
__device__ inline void multiply_slice(Sum sum[S::TM][S::TN], const conv_matrices<S, T> &matrices, int buffer, int row,
                                      int column) {
	using matrices_of = conv_matrices<S, T>;
#pragma unroll
	for (int k = 0; k < S::DEPTH; k += FRAGMENT) {
		typename conv_fragments<S, T>::B b[S::TN];
#pragma unroll
		for (int j = 0; j < S::TN; j++) {
			int n = column + j * FRAGMENT;
			const T *from = S::ALONG_K ? &matrices.b[buffer][n][k] : &matrices.b[buffer][k][n];
			nvcuda::wmma::load_matrix_sync(b[j], from, matrices_of::B_ROW);
		}
#pragma unroll
		for (int i = 0; i < S::TM; i++) {
			typename conv_fragments<S, T>::A a;
			nvcuda::wmma::load_matrix_sync(a, &matrices.a[buffer][row + i * FRAGMENT][k], matrices_of::A_ROW);
#pragma unroll
			for (int j = 0; j < S::TN; j++)
				nvcuda::wmma::mma_sync(sum[i][j], a, b[j], sum[i][j]);
		}
	}
}

/* Where a fragment's elements lie among the lanes is open: each warp writes it to shared memory of its own and reads it in
 * rows.  The matrices are no longer needed then. */
constexpr int STAGE_ROW = FRAGMENT + 4;

template <class S, class T, class I, class Sum>
__device__ inline void store_tile(const Sum sum[S::TM][S::TN], float (*stage)[STAGE_ROW],
                                  const conv_tables<S, I> &tables, const conv_params<I> &p,
                                  const conv_arrays<T> &arrays, int row, int column) {
	conv_tile<I> t = tables.tile;
	int lane = (int)threadIdx.x % 32, n4 = lane % 4 * 4;
#pragma unroll
	for (int i = 0; i < S::TM; i++)
#pragma unroll
		for (int j = 0; j < S::TN; j++) {
			nvcuda::wmma::store_matrix_sync(&stage[0][0], sum[i][j], STAGE_ROW, nvcuda::wmma::mem_row_major);
			__syncwarp();
			int n = column + j * FRAGMENT + n4;
			for (int m = lane / 4; m < FRAGMENT; m += 8)
				store_sums<T>(p, arrays, t, t.m + row + i * FRAGMENT + m, t.n + n, &stage[m][n4], &tables.y[n],
				              &tables.there[n]);
			__syncwarp();
		}
}

template <class S, class T>
static __global__ void __launch_bounds__(S::THREADS, S::BLOCKS)
	conv_tensor_kernel(const conv_params<int32_t> p, const conv_arrays<T> arrays) {
	if constexpr (has_fragments<T>) {
		__shared__ conv_tables<S, int32_t> tables;
		__shared__ conv_matrices<S, T> matrices;
		static_assert(sizeof matrices.a >= S::THREADS / 32 * FRAGMENT * STAGE_ROW * sizeof(float), "the stages fit");
		int warp = (int)threadIdx.x / 32;
		int row = warp / S::WARP_COLUMNS * (S::TM * FRAGMENT), column = warp % S::WARP_COLUMNS * (S::TN * FRAGMENT);
		float(*stage)[STAGE_ROW] = (float(*)[STAGE_ROW])(void *)&matrices.a + warp * FRAGMENT;
		for (int32_t index = (int32_t)blockIdx.x; index < p.tiles; index += (int32_t)gridDim.x) {
			int32_t length = enter_tile(tables, p, index);
			typename conv_fragments<S, T>::SUM sum[S::TM][S::TN];
#pragma unroll
			for (int i = 0; i < S::TM * S::TN; i++)
				nvcuda::wmma::fill_fragment(sum[i / S::TN][i % S::TN], 0.0f);
			each_slice(
				tables, p, arrays, length,
				[&](const conv_slice<S, T> &slice, int buffer) { put_slice(matrices, slice, buffer); },
				[&](int buffer) { multiply_slice<S, T>(sum, matrices, buffer, row, column); });
			store_tile<S>(sum, stage, tables, p, arrays, row, column);
			__syncthreads();
		}
	}
}

template <class S, class T> inline int32_t run_tensor_shape(mt_queue *queue, const conv_call &call) {
	conv_params<int32_t> p(call);
	unsigned blocks = mt__cuda_blocks(call.plan->tiles, 1, CONV_MOST_BLOCKS);
	int32_t status = launch(queue, call.name, blocks, S::THREADS, conv_tensor_kernel<S, T>, p, conv_arrays<T>(call));
	return status == MT_OK ? finish_parts<T>(queue, call, p) : status;
}

template <class T> inline int32_t run_tensor(mt_queue *queue, const conv_call &call) {
	if (call.plan->along_k)
		return run_tensor_shape<conv_tensor_shape<true>, T>(queue, call);
	return run_tensor_shape<conv_tensor_shape<false>, T>(queue, call);
}

#endif
