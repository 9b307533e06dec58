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
	static constexpr int RUN = AT_ONCE ? BROUGHT : 1;                    /* neighbours */
	static constexpr int ALONG = S::depth / RUN, ACROSS = S::side / RUN; /* threads of a row, of one k */
	static constexpr int OUTER_APART = AT_ONCE ? 0 : THREADS / ALONG, K_APART = AT_ONCE ? 0 : THREADS / ACROSS;
	const T *at; /* this step's first */
	pack<T, BROUGHT> held;
	int32_t k;      /* within the step */
	int32_t inside; /* how many of the four have an outer index that is inside; 4 or 0 where read at once */
	int32_t place;  /* in the tile */

	/* from: the batch's matrix at the piece's first k; start: the tile's first outer index of `extent`. */
	__device__ bringer(const gemm_side<T> &g, const T *from, int64_t start, int64_t extent) {
		int t = (int)threadIdx.x, outer = g.along_k ? t / ALONG : t % ACROSS * RUN;
		k = g.along_k ? t % ALONG * RUN : t / ACROSS;
		inside = 0;
		for (int i = 0; i < BROUGHT; i++)
			inside += start + outer + (g.along_k ? i * OUTER_APART : AT_ONCE * i) < extent;
		at = from + (start + outer) * g.outer + k * g.inner;
		place = k * S::padded + outer;
	}

	/* left: how much of k is left, counted from this step. */
	__device__ void read(const gemm_side<T> &g, int32_t left) {
		if constexpr (AT_ONCE) {
			held = {};
			if (inside && k < left)
				held = *(const pack<T, BROUGHT> *)at;
		} else {
			int64_t apart = g.along_k ? OUTER_APART * g.outer : K_APART * g.inner;
			int32_t k_apart = g.along_k ? 0 : K_APART;
#pragma unroll
			for (int i = 0; i < BROUGHT; i++)
				held.v[i] = i < inside && k + i * k_apart < left ? at[i * apart] : T(0);
		}
		at += S::depth * g.inner;
	}

	__device__ void write(const gemm_side<T> &g, C *tile) const {
		C *to = tile + place;
		if (AT_ONCE && !g.along_k)
			write_run<S::run>(to);
		else if (g.along_k)
			write_apart<AT_ONCE ? S::padded : OUTER_APART>(to);
		else
			write_apart<K_APART * S::padded>(to);
	}

	template <int APART> __device__ void write_apart(C *to) const {
#pragma unroll
		for (int i = 0; i < BROUGHT; i++)
			to[i * APART] = load_factor(held.v[i]);
	}

	/* Rows of the tile are multiples of N. */
	template <int N> __device__ void write_run(C *to) const {
		pack<C, N> *packs = (pack<C, N> *)to;
#pragma unroll
		for (int r = 0; r < BROUGHT / N; r++) {
			pack<C, N> one;
#pragma unroll
			for (int i = 0; i < N; i++)
				one.v[i] = load_factor(held.v[r * N + i]);
			packs[r] = one;
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

template <class C, class S> union alignas(32) tile_memory {
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

/* Steps of k that are written out.  For sm_100 and later, ptxas takes so many registers for loads ahead that it has to
 * put others into memory; hence few. */
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1000
template <class S, bool AT_ONCE> constexpr int written_out = AT_ONCE ? 2 : 1;
#else
template <class S, bool AT_ONCE> constexpr int written_out = S::depth;
#endif

template <class C, class S, bool AT_ONCE>
__device__ inline void multiply_step(C (&sum)[S::piece][S::piece], const C (*a)[S::padded], const C (*b)[S::padded],
                                     const spot<S> &own) {
#pragma unroll(written_out <S, AT_ONCE>)
	for (int k = 0; k < S::depth; k++) {
		alignas(32) C x[S::piece], y[S::piece];
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
                                int64_t first_row, int64_t first_column) {
	constexpr int TALL = 8 * S::piece; /* rows of a warp */
	spot<S> own;
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

/* What a block is at lies in shared memory: registers are for sums. */
struct tile_place {
	int64_t row, column;
	int32_t steps, last; /* along k, and how much of k the last one has; steps ≥ 1 */
	gemm_place in;
};

/* Leaves the sums of the tile. */
template <class T, class S, bool AT_ONCE>
__device__ inline void multiply_tile(const gemm_job<T> &job, const tile_place &place, bringer<T, S, AT_ONCE> &a,
                                     bringer<T, S, AT_ONCE> &b, sum_of<T> (&sum)[S::piece][S::piece],
                                     tile_memory<sum_of<T>, S> &memory) {
	spot<S> own;
	auto read = [&](int32_t steps) {
		int32_t left = steps > 1 ? S::depth : place.last;
		a.read(job.a, left);
		b.read(job.b, left);
	};
	auto write = [&](int buffer) {
		a.write(job.a, &memory.step.a[buffer][0][0]);
		b.write(job.b, &memory.step.b[buffer][0][0]);
	};
	int32_t steps = place.steps;
	read(steps);
	write(steps % 2);
	__syncthreads();
	for (; steps > 0; steps--) {
		if (steps > 1)
			read(steps - 1);
		multiply_step<sum_of<T>, S, AT_ONCE>(sum, memory.step.a[steps % 2], memory.step.b[steps % 2], own);
		if (steps > 1)
			write((steps - 1) % 2);
		__syncthreads();
	}
}

template <class T, class S, bool AT_ONCE>
static __global__ void __launch_bounds__(THREADS, S::side == 128 ? 2 : 1) gemm_tiles(gemm_job<T> job) {
	__shared__ tile_memory<sum_of<T>, S> memory;
	__shared__ tile_place place;
	for (int64_t batch = blockIdx.y; batch < job.batch.count; batch += gridDim.y) {
		offsets<3, int64_t> at = locate(job.batch, batch);
		if (threadIdx.x == 0) {
			uint32_t tiles = job.tiles_down * job.tiles_across, piece = blockIdx.x / tiles;
			tile_corner corner = tile_at(blockIdx.x - piece * tiles, job.tiles_down, job.tiles_across);
			int64_t length = min(job.k_chunk, job.k - piece * job.k_chunk);
			int32_t steps = (int32_t)max((length + S::depth - 1) / S::depth, (int64_t)1);
			place = {(int64_t)corner.down * S::side,
			         (int64_t)corner.across * S::side,
			         steps,
			         (int32_t)(length - (int64_t)(steps - 1) * S::depth),
			         {piece, batch, at.at[2]}};
		}
		__syncthreads();
		int64_t k = place.in.piece * job.k_chunk;
		bringer<T, S, AT_ONCE> a(job.a, job.a.at + at.at[0] + k * job.a.inner, place.row, job.m);
		bringer<T, S, AT_ONCE> b(job.b, job.b.at + at.at[1] + k * job.b.inner, place.column, job.n);
		sum_of<T> sum[S::piece][S::piece] = {};
		multiply_tile<T, S, AT_ONCE>(job, place, a, b, sum, memory);
		put_tile<T, S>(job, place.in, sum, memory, place.row, place.column);
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
