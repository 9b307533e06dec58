/* matmul with one short side: a matrix times FEW vectors, at the speed at which the matrix is read.  "The matrix" is the
 * operand of the long side, [length, k]; the vectors are the other one's, [count, k]. */
#include "block.cuh"
#include "gemm.cuh"

constexpr int WARPS = BLOCK / WARP;
constexpr int ROWS = 2;       /* of the matrix, for a warp that reads along k */
constexpr int NEIGHBOURS = 4; /* rows for a thread, where rows are neighbours in memory */
static_assert(WARPS * ROWS == MT_CUDA_GEMM_ROWS_ALONG_K && WARP * NEIGHBOURS == MT_CUDA_GEMM_ROWS_ACROSS_K,
              "as planned");

/* The roles of a job's sides. */
template <class T> struct vectors {
	const gemm_job<T> &job;
	bool turned; /* the matrix is a */

	__device__ const gemm_side<T> &matrix() const {
		return turned ? job.a : job.b;
	}
	__device__ const gemm_side<T> &few() const {
		return turned ? job.b : job.a;
	}
	__device__ int64_t length() const {
		return turned ? job.m : job.n;
	}
	__device__ int count() const {
		return (int)(turned ? job.n : job.m);
	}
	__device__ void put(const gemm_place &at, int64_t row, int vector, sum_of<T> sum) const {
		if (row < length() && vector < count())
			row_at(job, at, turned ? row : vector).put(job, turned ? vector : row, sum);
	}
};

/* N elements from `from` on, `apart` from each other; at_once: they are neighbours on a multiple of their size.  Those
 * from `left` on are zeros. */
template <int N, class T> __device__ inline pack<T, N> bring(const T *from, int64_t apart, bool at_once, int64_t left) {
	if (at_once)
		return *(const pack<T, N> *)from;
	pack<T, N> x;
#pragma unroll
	for (int i = 0; i < N; i++)
		x.v[i] = i < left ? from[i * apart] : T(0);
	return x;
}

/* A warp computes ROWS rows: its lanes take turns along k, then add up. */
template <class T, int FEW, bool AT_ONCE>
__device__ inline void along_k(const vectors<T> &v, const gemm_place &place, const T *matrix, const T *few,
                               int64_t k_first, int64_t k_end) {
	using C = sum_of<T>;
	constexpr int N = sizeof(T) == 2 && !AT_ONCE ? 4 : 16 / (int)sizeof(T);
	const gemm_side<T> &x = v.matrix(), &y = v.few();
	int lane = (int)threadIdx.x % (int)WARP;
	int64_t row = ((int64_t)blockIdx.x % v.job.tiles_down * WARPS + threadIdx.x / WARP) * ROWS;
	const T *from_x[ROWS], *from_y[FEW];
#pragma unroll
	for (int r = 0; r < ROWS; r++)
		from_x[r] = matrix + min(row + r, v.length() - 1) * x.outer;
#pragma unroll
	for (int j = 0; j < FEW; j++)
		from_y[j] = few + min(j, v.count() - 1) * y.outer;
	bool few_at_once = y.along_k && y.vector;
	C sum[ROWS][FEW] = {};
#pragma unroll(AT_ONCE &&FEW == 1 ? 2 : 1)
	for (int64_t k = k_first + lane * N; k < k_end; k += WARP * N) {
		pack<T, N> px[ROWS];
#pragma unroll
		for (int r = 0; r < ROWS; r++)
			px[r] = bring<N>(from_x[r] + k * x.inner, x.inner, AT_ONCE, k_end - k);
#pragma unroll
		for (int j = 0; j < FEW; j++) {
			pack<T, N> py = bring<N>(from_y[j] + k * y.inner, y.inner, few_at_once, k_end - k);
#pragma unroll
			for (int r = 0; r < ROWS; r++)
#pragma unroll
				for (int i = 0; i < N; i++)
					sum[r][j] = multiply_add(load_factor(px[r].v[i]), load_factor(py.v[i]), sum[r][j]);
		}
	}
	C mine = 0;
#pragma unroll
	for (int r = 0; r < ROWS; r++)
#pragma unroll
		for (int j = 0; j < FEW; j++) {
			C all = warp_all(sum[r][j], join_sum());
			mine = lane == r * FEW + j ? all : mine;
		}
	if (lane < ROWS * FEW)
		v.put(place, row + lane / FEW, lane % FEW, mine);
}

/* A thread computes NEIGHBOURS rows over every eighth k; the warps then add up. */
template <class T, int FEW, bool AT_ONCE>
__device__ inline void across_k(const vectors<T> &v, const gemm_place &place, const T *matrix, const T *few,
                                int64_t k_first, int64_t k_end) {
	using C = sum_of<T>;
	constexpr int TILE = WARP * NEIGHBOURS;
	__shared__ C part[WARPS][TILE];
	const gemm_side<T> &x = v.matrix(), &y = v.few();
	int lane = (int)threadIdx.x % (int)WARP, warp = (int)threadIdx.x / (int)WARP;
	int at = AT_ONCE ? lane * NEIGHBOURS : lane, step = AT_ONCE ? 1 : (int)WARP;
	int64_t first = (int64_t)blockIdx.x % v.job.tiles_down * TILE, row = first + at;
	int64_t left = row < v.length() ? (v.length() - row + step - 1) / step : 0; /* of this thread's rows */
	const T *from = matrix + row * x.outer;
	C sum[NEIGHBOURS][FEW] = {};
#pragma unroll(!AT_ONCE ? 1 : FEW > 1 ? 2 : 4)
	for (int64_t k = k_first + warp; k < k_end; k += WARPS) {
		pack<T, NEIGHBOURS> px = {};
		if (left > 0)
			px = bring<NEIGHBOURS>(from + k * x.inner, step * x.outer, AT_ONCE, left);
#pragma unroll
		for (int j = 0; j < FEW; j++) {
			C f = load_factor(few[min(j, v.count() - 1) * y.outer + k * y.inner]);
#pragma unroll
			for (int i = 0; i < NEIGHBOURS; i++)
				sum[i][j] = multiply_add(load_factor(px.v[i]), f, sum[i][j]);
		}
	}
#pragma unroll
	for (int j = 0; j < FEW; j++) {
		__syncthreads();
#pragma unroll
		for (int i = 0; i < NEIGHBOURS; i++)
			part[warp][at + i * step] = sum[i][j];
		__syncthreads();
		for (int e = (int)threadIdx.x; e < TILE && j < v.count(); e += BLOCK) {
			C all = part[0][e];
#pragma unroll
			for (int w = 1; w < WARPS; w++)
				all += part[w][e];
			v.put(place, first + e, j, all);
		}
	}
}

template <class T, int FEW, bool ALONG_K, bool AT_ONCE>
static __global__ void __launch_bounds__(BLOCK, 2) gemm_vectors(gemm_job<T> job, bool turned) {
	vectors<T> v = {job, turned};
	int64_t piece = blockIdx.x / job.tiles_down;
	int64_t k_first = piece * job.k_chunk, k_end = min(k_first + job.k_chunk, job.k);
	for (int64_t batch = blockIdx.y; batch < job.batch.count; batch += gridDim.y) {
		offsets<3, int64_t> at = locate(job.batch, batch);
		gemm_place place = {piece, batch, at.at[2]};
		const T *a = job.a.at + at.at[0], *b = job.b.at + at.at[1];
		if constexpr (ALONG_K)
			along_k<T, FEW, AT_ONCE>(v, place, turned ? a : b, turned ? b : a, k_first, k_end);
		else
			across_k<T, FEW, AT_ONCE>(v, place, turned ? a : b, turned ? b : a, k_first, k_end);
	}
}

template <class T, int FEW>
static int32_t start(mt_queue *queue, const mt_cuda_product &p, const mt_cuda_gemm_plan &plan, void *scratch) {
	const mt_cuda_feed &f = plan.turned ? plan.a : plan.b;
	auto kernel = f.along_k  ? f.vector ? gemm_vectors<T, FEW, true, true> : gemm_vectors<T, FEW, true, false>
	               : f.vector ? gemm_vectors<T, FEW, false, true>
	                         : gemm_vectors<T, FEW, false, false>;
	return launch(queue, "matmul", gemm_grid(p, plan), BLOCK, kernel, job_of<T>(p, plan, scratch), plan.turned != 0);
}

int32_t mt__cuda_gemm_vectors(mt_queue *queue, const mt_cuda_product *p, const mt_cuda_gemm_plan *plan, void *scratch) {
	int64_t count = plan->turned ? p->n : p->m;
	return for_float(p->dtype, "matmul", [&](auto element) -> int32_t {
		using T = decltype(element);
		return count == 1 ? start<T, 1>(queue, *p, *plan, scratch) : start<T, 4>(queue, *p, *plan, scratch);
	});
}
