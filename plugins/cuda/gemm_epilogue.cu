/* The epilogue apart from the product: adds up what pieces of k left in scratch, in their order, and finishes out. */
#include "gemm_epilogue.h"
#include "gemm.cuh"

enum { SUMS, BIAS, OUT, ARRAYS };

template <class S, class T> struct epilogue {
	const S *sums;
	int32_t pieces;
	int64_t piece;
	gemm_finish<T> finish;
};

template <class T> __device__ inline sum_of<T> as_sum(sum_of<T> x) {
	return x;
}
template <class T, class S> __device__ inline sum_of<T> as_sum(S x) {
	return load(x);
}

/* V elements at a time; out may be sums. */
template <class S, class T, int V, class I> static __global__ void gemm_epilogue(walk<ARRAYS, I> w, epilogue<S, T> e) {
	const gemm_finish<T> &f = e.finish;
	for (int64_t i = first_position() * V; i < w.count; i += position_step() * V) {
		offsets<ARRAYS, I> at = locate(w, (I)i);
		sum_of<T> sum[V] = {};
#pragma unroll 4
		for (int32_t piece = 0; piece < e.pieces; piece++) {
			pack<S, V> x = *(const pack<S, V> *)(e.sums + piece * e.piece + at.at[SUMS]);
#pragma unroll
			for (int v = 0; v < V; v++)
				sum[v] = piece == 0 ? as_sum<T>(x.v[v]) : sum[v] + as_sum<T>(x.v[v]);
		}
		pack<T, V> y;
		if (f.beta != 0)
			y = *(const pack<T, V> *)(f.out + at.at[OUT]);
		I step = V > 1 ? w.stride[BIAS][w.rank - 1] : 0;
#pragma unroll
		for (int v = 0; v < V; v++)
			finish_sum(&y.v[v], sum[v], f.bias ? f.bias + at.at[BIAS] + v * step : nullptr, f);
		store_pack(f.out + at.at[OUT], y);
	}
}

/* All positions of out, with the sums' strides and the bias's. */
static void walk_of(mt_cuda_walk *w, const mt_cuda_product *p, const int64_t *sums, int64_t sums_row,
                    int64_t sums_column) {
	int rank = p->batch.rank;
	int64_t shape[MT_MAX_RANK], stride[ARRAYS][MT_MAX_RANK] = {};
	for (int d = 0; d < rank; d++) {
		shape[d] = p->batch.shape[d];
		stride[SUMS][d] = sums[d];
		stride[OUT][d] = p->batch.stride[MT_CUDA_GEMM_OUT][d];
	}
	const int64_t rows[ARRAYS] = {sums_row, p->bias.row, p->out.row};
	const int64_t columns[ARRAYS] = {sums_column, p->bias.column, p->out.column};
	shape[rank] = p->m;
	shape[rank + 1] = p->n;
	const int64_t *strides[ARRAYS];
	for (int k = 0; k < ARRAYS; k++) {
		stride[k][rank] = rows[k];
		stride[k][rank + 1] = columns[k];
		strides[k] = stride[k];
	}
	mt__cuda_walk_any_order(w, ARRAYS, rank + 2, shape, strides);
}

template <class S, class T> static int32_t start(mt_queue *queue, const mt_cuda_walk &w, const epilogue<S, T> &e) {
	constexpr int V = sizeof(S) == 8 ? 2 : 4;
	const void *const address[ARRAYS] = {e.sums, nullptr, e.finish.out};
	const int size[ARRAYS] = {sizeof(S), sizeof(T), sizeof(T)};
	bool at_once =
		mt__cuda_walk_vector(&w, 1u << SUMS | 1u << OUT, address, size) >= V && e.piece % V == 0 && w.rank > 0;
	return for_index<ARRAYS>(w, [&](auto walked) -> int32_t {
		using I = decltype(walked.count);
		if (at_once)
			return launch(queue, "matmul", blocks_for(w.count / V), BLOCK, gemm_epilogue<S, T, V, I>, walked, e);
		return launch(queue, "matmul", blocks_for(w.count), BLOCK, gemm_epilogue<S, T, 1, I>, walked, e);
	});
}

int32_t mt__cuda_gemm_combine(mt_queue *queue, const struct mt_cuda_product *p, const struct mt_cuda_gemm_sums *sums) {
	mt_cuda_walk w;
	int64_t stride[MT_MAX_RANK], next = sums->batch;
	for (int d = p->batch.rank - 1; d >= 0; d--) {
		stride[d] = next;
		next *= p->batch.shape[d];
	}
	walk_of(&w, p, stride, sums->row, sums->column);
	return for_number(p->dtype, "matmul", [&](auto element) -> int32_t {
		using T = decltype(element);
		using S = sum_of<T>;
		return start(queue, w, epilogue<S, T>{(const S *)sums->at, sums->pieces, sums->piece, finish_of<T>(*p)});
	});
}

int32_t mt__cuda_gemm_activate(mt_queue *queue, const struct mt_cuda_product *p, int bias) {
	mt_cuda_walk w;
	walk_of(&w, p, p->batch.stride[MT_CUDA_GEMM_OUT], p->out.row, p->out.column);
	return for_float(p->dtype, "matmul", [&](auto element) -> int32_t {
		using T = decltype(element);
		epilogue<T, T> e = {(const T *)p->out.at, 1, 0, finish_of<T>(*p)};
		e.finish.alpha = 1;
		e.finish.beta = 0;
		if (!bias)
			e.finish.bias = nullptr;
		return start(queue, w, e);
	});
}
