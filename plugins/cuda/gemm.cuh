/* What the kernels of matmul share: what products are summed in, where operands come from, how an element of out is
 * finished. */
#ifndef MT_CUDA_GEMM_CUH
#define MT_CUDA_GEMM_CUH

#include "gemm_plan.h"
#include "launch.cuh"
#include "map_ops.cuh"
#include "walk.cuh"

/* Float products are summed in what the dtype computes in; integers wrap in unsigned words that are wide enough. */
template <class T> struct gemm_sum { using type = compute_of<T>; };
template <> struct gemm_sum<int32_t> { using type = uint32_t; };
template <> struct gemm_sum<uint8_t> { using type = uint32_t; };
template <> struct gemm_sum<int64_t> { using type = uint64_t; };
template <class T> using sum_of = typename gemm_sum<T>::type;

template <class T> __device__ inline sum_of<T> load_factor(T x) {
	return (sum_of<T>)load(x);
}

template <class C> __device__ inline C multiply_add(C a, C b, C sum) {
	return a * b + sum;
}
__device__ inline float multiply_add(float a, float b, float sum) {
	return fmaf(a, b, sum);
}
__device__ inline double multiply_add(double a, double b, double sum) {
	return fma(a, b, sum);
}

/* One operand: `outer` is its stride along m (a) or n (b), `inner` along k. */
template <class T> struct gemm_side {
	const T *at;
	int64_t outer, inner;
	int32_t along_k, vector;
};

template <class T> inline gemm_side<T> side(const mt_cuda_operand &o, const mt_cuda_feed &f) {
	return {(const T *)o.at, o.outer, o.inner, f.along_k, f.vector};
}

/* out[i, j] = act(alpha · sum + beta · out[i, j] + bias).  Integers: alpha is 1, beta 0 or 1. */
template <class T> struct gemm_finish {
	T *out;
	int64_t row, column;
	const T *bias;
	int64_t bias_row, bias_column;
	sum_of<T> alpha, beta;
	int32_t activation;
};

template <class T> inline gemm_finish<T> finish_of(const mt_cuda_product &p) {
	return {(T *)p.out.at, p.out.row,          p.out.column,      (const T *)p.bias.at, p.bias.row,
	        p.bias.column, (sum_of<T>)p.alpha, (sum_of<T>)p.beta, p.activation};
}

/* f16 and bf16 are rounded here, once; integers are narrowed before the activation sees them. */
template <class T> __device__ inline void finish_sum(T *to, sum_of<T> sum, const T *bias, const gemm_finish<T> &f) {
	using C = sum_of<T>;
	if constexpr (C(-1) < C(0)) {
		C y = f.alpha * sum;
		if (f.beta != 0)
			y += f.beta * load(*to);
		if (bias)
			y += load(*bias);
		store(to, activate(f.activation, y));
	} else {
		C y = sum;
		if (f.beta != 0)
			y += (C)*to;
		if (bias)
			y += (C)*bias;
		*to = f.activation != MT_ACT_RELU || (T)y > 0 ? (T)y : T(0);
	}
}

/* One launch: every piece of k of every tile of every matrix.  partial: where sums go with several pieces of k,
 * [piece, batch, m, n]; NULL with one. */
template <class T> struct gemm_job {
	int64_t m, n, k, k_chunk;
	uint32_t tiles_down, tiles_across;
	gemm_side<T> a, b;
	gemm_finish<T> finish;
	sum_of<T> *partial;
	walk<3, int64_t> batch; /* a, b, out */
};

template <class T> inline gemm_job<T> job_of(const mt_cuda_product &p, const mt_cuda_gemm_plan &plan, void *scratch) {
	return {p.m,
	        p.n,
	        p.k,
	        plan.k_chunk,
	        (uint32_t)plan.tiles_down,
	        (uint32_t)plan.tiles_across,
	        side<T>(p.a, plan.a),
	        side<T>(p.b, plan.b),
	        finish_of<T>(p),
	        plan.splits > 1 ? (sum_of<T> *)scratch : nullptr,
	        walk<3, int64_t>(p.batch)};
}

/* Blocks: pieces of k of tiles along x, batches along y (which kernels stride over). */
inline dim3 gemm_grid(const mt_cuda_product &p, const mt_cuda_gemm_plan &plan) {
	int64_t most = UINT16_MAX;
	return dim3((unsigned)(plan.tiles_down * plan.tiles_across * plan.splits),
	            (unsigned)(p.batch.count < most ? p.batch.count : most));
}

/* The corner of a block's tile.  Tiles are taken in bands of eight rows, column by column: blocks that run at the same
 * time then read the same parts of a and b, which stay in the cache. */
struct tile_corner {
	uint32_t down, across;
};

__device__ inline tile_corner tile_at(uint32_t tile, uint32_t tiles_down, uint32_t tiles_across) {
	constexpr uint32_t BAND = 8;
	uint32_t band = tile / (BAND * tiles_across), first = band * BAND, in_band = tile - first * tiles_across;
	uint32_t rows = min(BAND, tiles_down - first);
	return {first + in_band % rows, in_band / rows};
}

/* A row of out in one batch: its elements are finished, or left as a piece's part of the sums. */
template <class T> struct gemm_row {
	T *out;
	const T *bias;
	sum_of<T> *partial;

	__device__ void put(const gemm_job<T> &job, int64_t j, sum_of<T> sum) const {
		const gemm_finish<T> &f = job.finish;
		if (partial)
			partial[j] = sum;
		else
			finish_sum(out + j * f.column, sum, bias ? bias + j * f.bias_column : nullptr, f);
	}
};

/* What a block is at.  out_at: the batch's matrix in out. */
struct gemm_place {
	int64_t piece, batch, out_at;
};

template <class T> __device__ inline gemm_row<T> row_at(const gemm_job<T> &job, const gemm_place &at, int64_t i) {
	const gemm_finish<T> &f = job.finish;
	return {f.out + at.out_at + i * f.row, f.bias ? f.bias + i * f.bias_row : nullptr,
	        job.partial ? job.partial + ((at.piece * job.batch.count + at.batch) * job.m + i) * job.n : nullptr};
}

/* ---- one file each ---- */

/* The kernels that the plan names.  scratch: plan->scratch bytes. */
int32_t mt__cuda_gemm_tiles(mt_queue *queue, const mt_cuda_product *p, const mt_cuda_gemm_plan *plan, void *scratch);
int32_t mt__cuda_gemm_vectors(mt_queue *queue, const mt_cuda_product *p, const mt_cuda_gemm_plan *plan, void *scratch);
int32_t mt__cuda_gemm_tensor(mt_queue *queue, const mt_cuda_product *p, const mt_cuda_gemm_plan *plan, void *scratch);

#endif
