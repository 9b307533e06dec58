/* matmul of f16 and bf16 on tensor cores: a block computes 128 × 128 of out, 32 of k at a time; each of its four warps
 * 64 × 64 of it, in 16 × 16 × 16 products that sum in f32.  Three steps are in shared memory at once: while one is
 * multiplied, the next two are on their way.  An operand lies there as in memory, k by k or outer index by outer index. */
#include <cuda_pipeline.h>
#include <mma.h>

#include "gemm.cuh"
#include "tensor_cores.cuh"

namespace wmma = nvcuda::wmma;

constexpr int SIDE = 128, DEPTH = 32, STAGES = 3;
constexpr int THREADS = 128;
constexpr int PIECE = 64; /* a warp's side of the tile */
constexpr int CORE = 16;  /* a product's side */
constexpr int CORES = PIECE / CORE;
constexpr int CHUNK = 8;                         /* elements that are brought at once: 16 bytes */
constexpr int PAD = 8;                           /* elements: rows begin in different banks */
constexpr int PATCH = PIECE + 4;                 /* a row of sums on its way out */
constexpr size_t OPERAND = SIDE * (DEPTH + PAD); /* elements of one operand in one stage, at most */
constexpr size_t SHARED = STAGES * 2 * OPERAND * 2;
static_assert(DEPTH * (SIDE + PAD) <= OPERAND && THREADS / 32 * CORE * PATCH * sizeof(float) <= SHARED, "all fits");

template <bool ALONG_K> constexpr unsigned ROW = (ALONG_K ? DEPTH : SIDE) + PAD;

/* Brings an operand to shared memory step by step: [outer, k] where ALONG_K, else [k, outer].  Past the end of k there are
 * zeros; past the last outer index is what was there before, which only sums get that nobody asks for. */
template <class T, bool ALONG_K, bool AT_ONCE> struct bringer {
	static constexpr int WIDTH = ALONG_K ? DEPTH : SIDE, RUN = AT_ONCE ? CHUNK : 1;
	static constexpr int APART = THREADS * RUN / WIDTH, ROUNDS = DEPTH * SIDE / RUN / THREADS;
	const T *at;        /* this step's first */
	int32_t fast, slow; /* in the tile, of the first round */
	int32_t inside;     /* rounds whose outer index is inside */

	/* from: the tile's corner; extent: what there is of the outer index from there on. */
	__device__ bringer(const gemm_side<T> &g, const T *from, int64_t extent) {
		fast = (int)threadIdx.x % (WIDTH / RUN) * RUN;
		slow = (int)threadIdx.x / (WIDTH / RUN);
		int outer = ALONG_K ? slow : fast, k = ALONG_K ? fast : slow;
		at = from + outer * g.outer + k * g.inner;
		int64_t rounds = (extent - outer + APART - 1) / APART;
		inside = ALONG_K ? (int)min(max(rounds, (int64_t)0), (int64_t)ROUNDS) : outer < extent ? ROUNDS : 0;
	}

	__device__ static void copy(T *to, const T *from) {
		if constexpr (AT_ONCE)
			__pipeline_memcpy_async(to, from, CHUNK * sizeof(T));
		else
			*to = *from;
	}

	/* left: how much of k is left, counted from this step. */
	__device__ void bring(const gemm_side<T> &g, T *tile, int32_t left) {
		T *to = tile + slow * (int)ROW<ALONG_K> + fast;
		int64_t apart = APART * (ALONG_K ? g.outer : g.inner);
		if (left >= DEPTH) {
#pragma unroll(AT_ONCE ? ROUNDS : 8)
			for (int i = 0; i < ROUNDS; i++)
				if (i < inside)
					copy(to + i * APART * (int)ROW<ALONG_K>, at + i * apart);
		} else {
#pragma unroll 1
			for (int i = 0; i < ROUNDS; i++) {
				T *there = to + i * APART * (int)ROW<ALONG_K>;
				if ((ALONG_K ? fast : slow + i * APART) >= left)
					*(pack<T, RUN> *)there = {};
				else if (i < inside)
					copy(there, at + i * apart);
			}
		}
		at += DEPTH * g.inner;
	}
};

template <class T, bool ALONG_K> struct layouts {
	using a = std::conditional_t<ALONG_K, wmma::row_major, wmma::col_major>;
	using b = std::conditional_t<ALONG_K, wmma::col_major, wmma::row_major>;
};

template <bool ALONG_K> __device__ inline int core_at(int outer, int k) {
	return ALONG_K ? outer * (int)ROW<ALONG_K> + k : k * (int)ROW<ALONG_K> + outer;
}

using core_sums = wmma::fragment<wmma::accumulator, CORE, CORE, CORE, float>;

/* One step's products of a warp, whose piece of the tile begins at (row, column). */
template <class T, bool A_ALONG_K, bool B_ALONG_K>
__device__ inline void multiply_step(core_sums (&sum)[CORES][CORES], const T *a, const T *b, int row, int column) {
#pragma unroll
	for (int k = 0; k < DEPTH; k += CORE) {
		wmma::fragment<wmma::matrix_a, CORE, CORE, CORE, T, typename layouts<T, A_ALONG_K>::a> x[CORES];
#pragma unroll
		for (int i = 0; i < CORES; i++)
			wmma::load_matrix_sync(x[i], a + core_at<A_ALONG_K>(row + i * CORE, k), ROW<A_ALONG_K>);
#pragma unroll
		for (int j = 0; j < CORES; j++) {
			wmma::fragment<wmma::matrix_b, CORE, CORE, CORE, T, typename layouts<T, B_ALONG_K>::b> y;
			wmma::load_matrix_sync(y, b + core_at<B_ALONG_K>(column + j * CORE, k), ROW<B_ALONG_K>);
#pragma unroll
			for (int i = 0; i < CORES; i++)
				wmma::mma_sync(sum[i][j], x[i], y, sum[i][j]);
		}
	}
}

/* A warp's piece, which begins at (first_row, first_column) of out, sixteen rows at a time through its patch of shared
 * memory; a lane has two neighbouring columns. */
template <class T>
__device__ inline void put_piece(const gemm_job<T> &job, const gemm_place &place, const core_sums (&sum)[CORES][CORES],
                                 float *patch, int64_t first_row, int64_t first_column) {
	int lane = (int)threadIdx.x % 32;
	int64_t j = first_column + 2 * lane;
#pragma unroll 1
	for (int slice = 0; slice < CORES; slice++) {
#pragma unroll
		for (int i = 0; i < CORES; i++)
			if (i == slice)
#pragma unroll
				for (int c = 0; c < CORES; c++)
					wmma::store_matrix_sync(patch + c * CORE, sum[i][c], PATCH, wmma::mem_row_major);
		__syncwarp();
#pragma unroll 1
		for (int r = 0; r < CORE; r++) {
			int64_t i = first_row + slice * CORE + r;
			if (i >= job.m)
				break;
			gemm_row<T> out = row_at(job, place, i);
			if (j < job.n)
				out.put(job, j, patch[r * PATCH + 2 * lane]);
			if (j + 1 < job.n)
				out.put(job, j + 1, patch[r * PATCH + 2 * lane + 1]);
		}
		__syncwarp();
	}
}

/* What a block is at lies in shared memory: registers are for sums. */
struct tile_place {
	int64_t row, column, k_length;
	gemm_place in;
};

/* Leaves the sums of a warp's piece.  steps: along k. */
template <class T, bool A_ALONG_K, bool B_ALONG_K, bool AT_ONCE>
__device__ inline void multiply_tile(const gemm_job<T> &job, bringer<T, A_ALONG_K, AT_ONCE> a,
                                     bringer<T, B_ALONG_K, AT_ONCE> b, int64_t k_length, core_sums (&sum)[CORES][CORES],
                                     T *memory) {
	int warp = (int)threadIdx.x / 32, row = warp / 2 * PIECE, column = warp % 2 * PIECE;
	int32_t steps = (int32_t)((k_length + DEPTH - 1) / DEPTH);
	int32_t last = (int32_t)(k_length - (int64_t)(steps - 1) * DEPTH); /* of k, in the last step */
	auto bring_step = [&](int32_t step, int stage) {
		if (step < steps) {
			T *to = memory + stage * 2 * (int)OPERAND;
			int32_t left = step == steps - 1 ? last : DEPTH;
			a.bring(job.a, to, left);
			b.bring(job.b, to + OPERAND, left);
		}
		__pipeline_commit(); /* without copies too: waiting counts commits */
	};
#pragma unroll
	for (int step = 0; step < STAGES - 1; step++)
		bring_step(step, step);
	int stage = 0;
	for (int32_t step = 0; step < steps; step++) {
		__pipeline_wait_prior(STAGES - 2);
		__syncthreads();
		bring_step(step + STAGES - 1, stage == 0 ? STAGES - 1 : stage - 1); /* where the step before this one was */
		const T *now = memory + stage * 2 * (int)OPERAND;
		multiply_step<T, A_ALONG_K, B_ALONG_K>(sum, now, now + OPERAND, row, column);
		stage = stage == STAGES - 1 ? 0 : stage + 1;
	}
	__pipeline_wait_prior(0);
	__syncthreads();
}

template <class T, bool A_ALONG_K, bool B_ALONG_K, bool AT_ONCE>
static __global__ void __launch_bounds__(THREADS, 2) gemm_tensor(gemm_job<T> job) {
	if constexpr (has_fragments<T>) {
		MT_DYNAMIC_SHARED(T, memory);
		__shared__ tile_place place;
		for (int64_t batch = blockIdx.y; batch < job.batch.count; batch += gridDim.y) {
			offsets<3, int64_t> at = locate(job.batch, batch);
			if (threadIdx.x == 0) {
				uint32_t tiles = job.tiles_down * job.tiles_across, piece = blockIdx.x / tiles;
				tile_corner corner = tile_at(blockIdx.x - piece * tiles, job.tiles_down, job.tiles_across);
				place = {(int64_t)corner.down * SIDE,
				         (int64_t)corner.across * SIDE,
				         min(job.k_chunk, job.k - piece * job.k_chunk),
				         {piece, batch, at.at[2]}};
			}
			__syncthreads();
			int64_t k = place.in.piece * job.k_chunk;
			const T *a = job.a.at + at.at[0] + place.row * job.a.outer + k * job.a.inner;
			const T *b = job.b.at + at.at[1] + place.column * job.b.outer + k * job.b.inner;
			core_sums sum[CORES][CORES];
#pragma unroll
			for (int i = 0; i < CORES; i++)
#pragma unroll
				for (int j = 0; j < CORES; j++)
					wmma::fill_fragment(sum[i][j], 0.0f);
			multiply_tile<T, A_ALONG_K, B_ALONG_K, AT_ONCE>(
				job, bringer<T, A_ALONG_K, AT_ONCE>(job.a, a, job.m - place.row),
				bringer<T, B_ALONG_K, AT_ONCE>(job.b, b, job.n - place.column), place.k_length, sum, memory);
			int warp = (int)threadIdx.x / 32;
			put_piece(job, place.in, sum, (float *)memory + warp * CORE * PATCH, place.row + warp / 2 * PIECE,
			          place.column + warp % 2 * PIECE);
			__syncthreads();
		}
	}
}

template <class T> using kernel_of = void (*)(gemm_job<T>);

template <class T, bool AT_ONCE> static kernel_of<T> kernel_for(const mt_cuda_gemm_plan &plan) {
	if (plan.a.along_k)
		return plan.b.along_k ? gemm_tensor<T, true, true, AT_ONCE> : gemm_tensor<T, true, false, AT_ONCE>;
	return plan.b.along_k ? gemm_tensor<T, false, true, AT_ONCE> : gemm_tensor<T, false, false, AT_ONCE>;
}

template <class T>
static int32_t start(mt_queue *queue, const mt_cuda_product &p, const mt_cuda_gemm_plan &plan, void *scratch) {
	kernel_of<T> kernel = plan.a.vector && plan.b.vector ? kernel_for<T, true>(plan) : kernel_for<T, false>(plan);
	int32_t status = mt__cuda_enter(queue);
	if (status == MT_OK) /* more than 48 KiB has to be asked for, on each device */
		status = mt__cuda_error(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)SHARED),
		                        "matmul");
	if (status != MT_OK)
		return status;
	return launch_shared(queue, "matmul", gemm_grid(p, plan), THREADS, SHARED, kernel, job_of<T>(p, plan, scratch));
}

int32_t mt__cuda_gemm_tensor(mt_queue *queue, const mt_cuda_product *p, const mt_cuda_gemm_plan *plan, void *scratch) {
	return p->dtype == MT_F16 ? start<__half>(queue, *p, *plan, scratch)
	                          : start<__nv_bfloat16>(queue, *p, *plan, scratch);
}
