/* matmul in tiles: a block computes ROWS × COLUMNS of out, DEPTH of k at a time.  Both operands' parts of a step go through
 * registers into shared memory, where they lie k by k: one buffer is computed from while the other is filled.  A thread
 * holds HEIGHT × WIDTH sums; they are added up in the order of k. */
#include "gemm.cuh"

constexpr int THREADS = 256;
constexpr int BROUGHT = 4; /* elements of each operand that a thread brings for a step */

/* Eight warps, 2 × 4, of lanes 8 × 4.  A thread's rows are in runs of up to four neighbours, which shared memory gives
 * at once; so are its columns. */
template <int SIZE, int STEP, int PIECE> struct tiling {
	static constexpr int side = SIZE, depth = STEP, piece = PIECE;
	static constexpr int run = PIECE < 4 ? PIECE : 4;
	static constexpr int padded = SIZE + run; /* keeps transposed stores from meeting in one bank */
	static_assert(SIZE == 16 * PIECE, "8 · 2 lanes down, 4 · 4 across");
	static_assert(SIZE * STEP == THREADS * BROUGHT, "a thread brings four");
};
using tiling_128 = tiling<128, 8, 8>;
using tiling_64 = tiling<64, 16, 4>;
using tiling_32 = tiling<32, 32, 2>;

/* The elements of an operand that one thread brings: where AT_ONCE, four neighbours; else four that are apart, so that
 * the warp reads neighbours.  Elements outside the matrix are zeros. */
template <class T, class S, bool AT_ONCE> struct bringer {
	using C = sum_of<T>;
	const T *at;           /* this step's first */
	int64_t apart, onward; /* in memory: from one of the four to the next; to the next step's */
	int32_t k, k_apart;    /* within the step */
	int32_t inside;        /* how many of the four have an outer index that is inside; 4 or 0 where read at once */
	int32_t place, place_apart;
	pack<T, BROUGHT> held;

	/* from: the batch's matrix at the piece's first k; start: the tile's first outer index of `extent`. */
	__device__ bringer(const gemm_side<T> &g, const T *from, int64_t start, int64_t extent) {
		constexpr int RUN = AT_ONCE ? BROUGHT : 1; /* neighbours */
		int t = (int)threadIdx.x, outer, outer_apart;
		if (g.along_k) {
			constexpr int WIDTH = S::depth / RUN;
			k = t % WIDTH * RUN;
			outer = t / WIDTH;
			k_apart = AT_ONCE;
			outer_apart = AT_ONCE ? 0 : THREADS / WIDTH;
		} else {
			constexpr int WIDTH = S::side / RUN;
			outer = t % WIDTH * RUN;
			k = t / WIDTH;
			outer_apart = AT_ONCE;
			k_apart = AT_ONCE ? 0 : THREADS / WIDTH;
		}
		inside = 0;
		for (int i = 0; i < BROUGHT; i++)
			inside += start + outer + i * outer_apart < extent;
		at = from + (start + outer) * g.outer + k * g.inner;
		apart = outer_apart * g.outer + k_apart * g.inner;
		onward = S::depth * g.inner;
		place = k * S::padded + outer;
		place_apart = k_apart * S::padded + outer_apart;
	}

	/* left: how much of k is left, counted from this step. */
	__device__ void read(int32_t left) {
		if constexpr (AT_ONCE) {
			held = {};
			if (inside && k < left)
				held = *(const pack<T, BROUGHT> *)at;
		} else {
#pragma unroll
			for (int i = 0; i < BROUGHT; i++)
				held.v[i] = i < inside && k + i * k_apart < left ? at[i * apart] : T(0);
		}
		at += onward;
	}

	__device__ void write(C *tile) const {
		if (AT_ONCE && place_apart == 1) {
			write_neighbours(tile + place);
			return;
		}
#pragma unroll
		for (int i = 0; i < BROUGHT; i++)
			tile[place + i * place_apart] = load_factor(held.v[i]);
	}

	/* In runs: shared rows are multiples of a run. */
	__device__ void write_neighbours(C *to) const {
		pack<C, S::run> *runs = (pack<C, S::run> *)to;
#pragma unroll
		for (int r = 0; r < BROUGHT / S::run; r++) {
			pack<C, S::run> one;
#pragma unroll
			for (int i = 0; i < S::run; i++)
				one.v[i] = load_factor(held.v[r * S::run + i]);
			runs[r] = one;
		}
	}
};

/* Where a thread's sums lie in the tile. */
template <class S> struct spot {
	int row, column; /* of its first */
	__device__ spot() {
		int lane = (int)threadIdx.x % 32, warp = (int)threadIdx.x / 32;
		row = warp / 4 * 8 * S::piece + lane / 4 * S::run;
		column = warp % 4 * 4 * S::piece + lane % 4 * S::run;
	}
	static __device__ int down(int i) {
		return i / S::run * 8 * S::run + i % S::run;
	}
	static __device__ int across(int j) {
		return j / S::run * 4 * S::run + j % S::run;
	}
};

template <class C, class S> union alignas(16) tile_memory {
	struct {
		C a[2][S::depth][S::padded], b[2][S::depth][S::padded];
	} step;
	C rows[16][S::side + 4 * S::run]; /* one of each thread's rows, on the way out */
};

/* HEIGHT (or WIDTH) elements of a thread, from one k of a tile. */
template <class C, class S> __device__ inline void take(C *to, const C *from, int run_step) {
#pragma unroll
	for (int r = 0; r < S::piece / S::run; r++)
		*(pack<C, S::run> *)(to + r * S::run) = *(const pack<C, S::run> *)(from + r * run_step);
}

template <class C, class S>
__device__ inline void multiply_step(C (&sum)[S::piece][S::piece], const C (*a)[S::padded], const C (*b)[S::padded],
                                     const spot<S> &own) {
#pragma unroll
	for (int k = 0; k < S::depth; k++) {
		alignas(16) C x[S::piece], y[S::piece];
		take<C, S>(x, &a[k][own.row], 8 * S::run);
		take<C, S>(y, &b[k][own.column], 4 * S::run);
#pragma unroll
		for (int i = 0; i < S::piece; i++)
#pragma unroll
			for (int j = 0; j < S::piece; j++)
				sum[i][j] = multiply_add(x[i], y[j], sum[i][j]);
	}
}

/* Through shared memory, so that neighbouring threads write neighbours: the slice-th row of each thread at a time. */
template <class T, class S>
__device__ inline void put_tile(const gemm_job<T> &job, const gemm_place &place,
                                const sum_of<T> (&sum)[S::piece][S::piece], tile_memory<sum_of<T>, S> &memory,
                                const spot<S> &own, int64_t first_row, int64_t first_column) {
	constexpr int TALL = 8 * S::piece; /* rows of a warp */
	int column = (int)threadIdx.x % S::side;
	int64_t j = first_column + column;
#pragma unroll 1
	for (int slice = 0; slice < S::piece; slice++) {
#pragma unroll
		for (int i = 0; i < S::piece; i++)
			if (i == slice)
#pragma unroll
				for (int c = 0; c < S::piece; c++)
					memory.rows[own.row / TALL * 8 + own.row % TALL / S::run][own.column + spot<S>::across(c)] =
						sum[i][c];
		__syncthreads();
#pragma unroll 1
		for (int r = (int)threadIdx.x / S::side; r < 16; r += THREADS / S::side) {
			int64_t i = first_row + r / 8 * TALL + r % 8 * S::run + spot<S>::down(slice);
			if (i < job.m && j < job.n)
				row_at(job, place, i).put(job, j, memory.rows[r][column]);
		}
		__syncthreads();
	}
}

template <class T, class S, bool AT_ONCE>
static __global__ void __launch_bounds__(THREADS, S::side == 128 ? 2 : 1) gemm_tiles(gemm_job<T> job) {
	using C = sum_of<T>;
	__shared__ tile_memory<C, S> memory;
	uint32_t tiles = job.tiles_down * job.tiles_across, piece = blockIdx.x / tiles;
	tile_corner corner = tile_at(blockIdx.x - piece * tiles, job.tiles_down, job.tiles_across);
	int64_t row = (int64_t)corner.down * S::side, column = (int64_t)corner.across * S::side;
	int64_t k_first = piece * job.k_chunk, k_end = min(k_first + job.k_chunk, job.k);
	spot<S> own;
	for (int64_t batch = blockIdx.y; batch < job.batch.count; batch += gridDim.y) {
		offsets<3, int64_t> at = locate(job.batch, batch);
		bringer<T, S, AT_ONCE> a(job.a, job.a.at + at.at[0] + k_first * job.a.inner, row, job.m);
		bringer<T, S, AT_ONCE> b(job.b, job.b.at + at.at[1] + k_first * job.b.inner, column, job.n);
		C sum[S::piece][S::piece] = {};
		int64_t left = k_end - k_first;
		int now = 0;
		a.read((int32_t)min(left, (int64_t)S::depth));
		b.read((int32_t)min(left, (int64_t)S::depth));
		a.write(&memory.step.a[0][0][0]);
		b.write(&memory.step.b[0][0][0]);
		__syncthreads();
		for (; left > 0; left -= S::depth) {
			bool more = left > S::depth;
			if (more) {
				int32_t next = (int32_t)min(left - S::depth, (int64_t)S::depth);
				a.read(next);
				b.read(next);
			}
			multiply_step<C, S>(sum, memory.step.a[now], memory.step.b[now], own);
			now ^= 1;
			if (more) {
				a.write(&memory.step.a[now][0][0]);
				b.write(&memory.step.b[now][0][0]);
			}
			__syncthreads();
		}
		put_tile<T, S>(job, {piece, batch, at.at[2]}, sum, memory, own, row, column);
	}
}

template <class T, class S>
static int32_t start(mt_queue *queue, const mt_cuda_product &p, const mt_cuda_gemm_plan &plan, void *scratch) {
	auto kernel = plan.a.vector && plan.b.vector ? gemm_tiles<T, S, true> : gemm_tiles<T, S, false>;
	return launch(queue, "matmul", gemm_grid(p, plan), THREADS, kernel, job_of<T>(p, plan, scratch));
}

int32_t mt__cuda_gemm_tiles(mt_queue *queue, const mt_cuda_product *p, const mt_cuda_gemm_plan *plan, void *scratch) {
	if (plan->kernel == MT_CUDA_GEMM_TILES_128)
		return start<float, tiling_128>(queue, *p, *plan, scratch);
	return for_number(p->dtype, "matmul", [&](auto element) -> int32_t {
		using T = decltype(element);
		return plan->kernel == MT_CUDA_GEMM_TILES_64 ? start<T, tiling_64>(queue, *p, *plan, scratch)
		                                             : start<T, tiling_32>(queue, *p, *plan, scratch);
	});
}
