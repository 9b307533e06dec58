/* scan: running sums, products, largest and smallest along an axis.
 *
 * across: a team (a warp, or a block) goes along a row tile by tile, the result so far in hand.  A tile is read side by
 *         side into shared memory, each thread scans `items` neighbours of it, and the tile is written back side by side.
 * down:   a thread has a row, and its neighbours' rows lie beside it (or rows are very short).
 *
 * Where rows are few and long they are cut into parts: the first kernel finds what each part comes to, the second scans
 * these, the third scans the parts with what came before.  Results run in accumulators (double, 64 bits), and are rounded
 * for each output alone; the order of operations depends on the shape alone. */
#include "block.cuh"
#include "reduce_ops.cuh"
#include "walk.cuh"

constexpr int SCAN_BLOCK = 256, SCAN_ITEMS = 8;
constexpr int64_t SHORT_ROW = 8;        /* a thread has it alone */
constexpr int64_t WARP_ROW = 512;       /* a warp has it, up to here */
constexpr int64_t ACROSS_BLOCKS = 1024; /* cutting aims at so many blocks … */
constexpr int64_t DOWN_THREADS = 1 << 16;
constexpr int64_t LEAST_TILES = 2, LEAST_STEPS = 64; /* … but no part is shorter */

/* The ops: from reduce_ops.cuh, with -0 as the sum of nothing, since -0 + x is x. */
template <class T> struct scan_sum : sum_op<T> {
	using typename sum_op<T>::A;
	scan_sum() : sum_op<T>{false, false} {
	}
	__device__ A none() const {
		return (A)-0.0;
	}
	__device__ A of(compute_of<T> x) const {
		return (A)x;
	}
	__device__ void put(T *to, A result) const {
		put_result<T>::at(to, result);
	}
};

template <class T> struct scan_product : product_op<T> {
	using typename product_op<T>::A;
	__device__ A of(compute_of<T> x) const {
		return (A)x;
	}
	__device__ void put(T *to, A result) const {
		put_result<T>::at(to, result);
	}
};

template <class T> struct scan_extreme : extreme_op<T> {
	using typename extreme_op<T>::A;
	explicit scan_extreme(bool turn) : extreme_op<T>{turn} {
	}
	__device__ A of(compute_of<T> x) const {
		return turned(x, this->turn);
	}
	__device__ void put(T *to, A result) const {
		store(to, turned(result, this->turn));
	}
};

struct scan_shape {
	walk<2, int64_t> rows; /* where rows begin in x and out, at the far end where the scan is reversed */
	int64_t n, x_step, out_step;
	int64_t parts, per_part;
	int items, team;
	bool down;
};

/* What kernels of the three passes are given: totals [rows, parts] are written where out is NULL, and read, with what came
 * before each part in them, where it is not; NULL where rows are not cut. */
template <class T, class A> struct scan_arrays {
	const T *x;
	T *out;
	A *totals;
};

/* ---- across ---- */

template <class T> struct scan_memory {
	T tile[SCAN_BLOCK * SCAN_ITEMS * 33 / 32]; /* every 32 elements one is left out: no two lanes meet in a bank */
	static __device__ int slot(int i) {
		return i + i / 32;
	}
};

/* Exclusive scan over the team; total: of all its values.  warps: SCAN_BLOCK / 32 values of shared memory. */
template <class Op, class A> __device__ inline A scan_team(const Op &op, A value, int team, A *warps, A &total) {
	unsigned lane = threadIdx.x % WARP;
	for (unsigned distance = 1; distance < WARP; distance *= 2) {
		A before = __shfl_up_sync(WHOLE_WARP, value, distance);
		if (lane >= distance)
			value = op.join(before, value);
	}
	A before = __shfl_up_sync(WHOLE_WARP, value, 1);
	before = lane == 0 ? op.none() : before;
	total = __shfl_sync(WHOLE_WARP, value, WARP - 1);
	if (team == (int)WARP)
		return before;
	if (lane == 0)
		warps[threadIdx.x / WARP] = total;
	__syncthreads();
	A earlier = op.none();
	total = op.none();
	for (int w = 0; w < SCAN_BLOCK / (int)WARP; w++) {
		if (w == (int)(threadIdx.x / WARP))
			earlier = total;
		total = op.join(total, warps[w]);
	}
	__syncthreads();
	return op.join(earlier, before);
}

/* One tile of length elements (0: nothing to do but to keep the barriers) that begin at x and out; before: the result so
 * far, with the tile's in it afterwards. */
template <class T, class Op>
__device__ inline void scan_tile(const scan_shape &s, const Op &op, const T *x, T *out, int64_t length,
                                 typename Op::A &before, T *tile, typename Op::A *warps) {
	using A = typename Op::A;
	int lane = (int)threadIdx.x % s.team, first = ((int)threadIdx.x - lane) * s.items;
	T loaded[SCAN_ITEMS];
#pragma unroll
	for (int k = 0; k < SCAN_ITEMS; k++)
		if (k < s.items && lane + k * s.team < length)
			loaded[k] = x[(lane + k * s.team) * s.x_step];
#pragma unroll
	for (int k = 0; k < SCAN_ITEMS; k++)
		if (k < s.items && lane + k * s.team < length)
			tile[scan_memory<T>::slot(first + lane + k * s.team)] = loaded[k];
	__syncthreads();
	A scanned[SCAN_ITEMS], so_far = op.none(), total;
#pragma unroll
	for (int k = 0; k < SCAN_ITEMS; k++) {
		int i = lane * s.items + k;
		if (k < s.items && i < length)
			so_far = op.join(so_far, op.of(load(tile[scan_memory<T>::slot(first + i)])));
		scanned[k] = so_far;
	}
	so_far = op.join(before, scan_team(op, so_far, s.team, warps, total));
	before = op.join(before, total);
	if (!out)
		return;
#pragma unroll
	for (int k = 0; k < SCAN_ITEMS; k++) {
		int i = lane * s.items + k;
		if (k < s.items && i < length)
			op.put(&tile[scan_memory<T>::slot(first + i)], op.join(so_far, scanned[k]));
	}
	__syncthreads();
#pragma unroll
	for (int k = 0; k < SCAN_ITEMS; k++)
		if (k < s.items && lane + k * s.team < length)
			out[(lane + k * s.team) * s.out_step] = tile[scan_memory<T>::slot(first + lane + k * s.team)];
}

/* A team a job; a job is one part of one row. */
template <class T, class Op>
static __global__ void scan_across(const __grid_constant__ scan_shape s, Op op, scan_arrays<T, typename Op::A> a) {
	using A = typename Op::A;
	__shared__ scan_memory<T> memory;
	__shared__ A warps[SCAN_BLOCK / WARP];
	int64_t jobs = s.rows.count * s.parts, per_block = SCAN_BLOCK / s.team, tile = (int64_t)s.team * s.items;
	for (int64_t first = blockIdx.x * per_block; first < jobs; first += gridDim.x * per_block) {
		int64_t job = first + threadIdx.x / (unsigned)s.team, row = s.parts == 1 ? job : job / s.parts;
		int64_t from = (job - row * s.parts) * s.per_part, length = s.n - from < s.per_part ? s.n - from : s.per_part;
		offsets<2, int64_t> o = {};
		if (job < jobs)
			o = locate_once(s.rows, row);
		else
			length = 0;
		A before = job < jobs && a.out && a.totals ? a.totals[job] : op.none();
		for (int64_t done = 0; done < s.per_part; done += tile) { /* as often in each team of the block */
			int64_t left = length - done, at = left > 0 ? from + done : 0;
			__syncthreads();
			scan_tile(s, op, a.x + o.at[0] + at * s.x_step, a.out ? a.out + o.at[1] + at * s.out_step : nullptr,
			          left < tile ? left : tile, before, memory.tile, warps);
		}
		if (!a.out && job < jobs && threadIdx.x % (unsigned)s.team == 0)
			a.totals[job] = before;
	}
}

/* ---- down ---- */

/* A thread a job; a job is one part of one row, neighbours have neighbouring rows. */
template <class T, class Op>
static __global__ void scan_down(const __grid_constant__ scan_shape s, Op op, scan_arrays<T, typename Op::A> a) {
	using A = typename Op::A;
	constexpr int AT_ONCE = 8;
	for (int64_t job = first_position(); job < s.rows.count * s.parts; job += position_step()) {
		int64_t part = job / s.rows.count, row = job - part * s.rows.count;
		int64_t from = part * s.per_part, length = s.n - from < s.per_part ? s.n - from : s.per_part;
		offsets<2, int64_t> o = locate_once(s.rows, row);
		A *total = a.totals ? &a.totals[row * s.parts + part] : nullptr, so_far = a.out && total ? *total : op.none();
		const T *x = a.x + o.at[0] + from * s.x_step;
		T *out = a.out ? a.out + o.at[1] + from * s.out_step : nullptr;
#pragma unroll 1
		for (int64_t i = 0; i < length; i += AT_ONCE) {
			T loaded[AT_ONCE];
#pragma unroll
			for (int k = 0; k < AT_ONCE; k++)
				if (i + k < length)
					loaded[k] = x[(i + k) * s.x_step];
#pragma unroll
			for (int k = 0; k < AT_ONCE; k++)
				if (i + k < length) {
					so_far = op.join(so_far, op.of(load(loaded[k])));
					if (out)
						op.put(out + (i + k) * s.out_step, so_far);
				}
		}
		if (!out)
			*total = so_far;
	}
}

/* A warp a row: totals become what came before each part. */
template <class Op, class A> static __global__ void scan_totals(Op op, A *totals, int64_t rows, int64_t parts) {
	unsigned lane = threadIdx.x % WARP;
	for (int64_t row = first_position() / WARP; row < rows; row += position_step() / WARP) {
		A so_far = op.none(), total;
		for (int64_t first = 0; first < parts; first += WARP) {
			bool there = first + lane < parts;
			A *place = totals + row * parts + first + lane;
			A before = scan_team(op, there ? *place : op.none(), (int)WARP, (A *)nullptr, total);
			if (there)
				*place = op.join(so_far, before);
			so_far = op.join(so_far, total);
		}
	}
}

/* ---- the host's side ---- */

/* How far apart a walk's neighbours lie in x; very far where they do not move. */
static int64_t pace(int64_t stride) {
	return stride == 0 ? INT64_MAX : stride < 0 ? -stride : stride;
}

static void cut(scan_shape &s, int64_t parts, int64_t multiple) {
	parts = parts < 1 ? 1 : parts;
	s.per_part = ((s.n + parts - 1) / parts + multiple - 1) / multiple * multiple;
	s.parts = (s.n + s.per_part - 1) / s.per_part;
}

static int64_t smaller(int64_t a, int64_t b) {
	return a < b ? a : b;
}

static scan_shape make_shape(const mt_scan_args *args, const mt_cuda_walk &rows) {
	const mt_array *x = args->x, *out = args->out;
	scan_shape s = {};
	s.rows = walk<2, int64_t>(rows);
	s.n = x->rank > 0 ? x->shape[args->axis] : 1;
	s.x_step = x->rank > 0 ? x->stride[args->axis] : 0;
	s.out_step = x->rank > 0 ? out->stride[args->axis] : 0;
	int64_t beside = rows.rank > 0 ? pace(rows.stride[0][rows.rank - 1]) : INT64_MAX;
	s.down = s.n <= SHORT_ROW || beside < pace(s.x_step);
	s.team = s.n <= WARP_ROW ? (int)WARP : SCAN_BLOCK;
	s.items = mt__cuda_power_of_two((s.n + s.team - 1) / s.team, 1, SCAN_ITEMS);
	int64_t tile = (int64_t)s.team * s.items, wanted = 1;
	if (s.down)
		wanted = smaller(DOWN_THREADS / rows.count, s.n / LEAST_STEPS);
	else if (s.team == SCAN_BLOCK)
		wanted = smaller(ACROSS_BLOCKS / rows.count, s.n / (tile * LEAST_TILES));
	cut(s, wanted, s.down ? 1 : tile);
	return s;
}

template <class T, class Op>
static int32_t pass(mt_queue *queue, const scan_shape &s, const Op &op, const scan_arrays<T, typename Op::A> &a) {
	constexpr int64_t MOST = INT64_C(1) << 30;
	int64_t jobs = s.rows.count * s.parts;
	if (s.down)
		return launch(queue, "scan", mt__cuda_blocks(jobs, SCAN_BLOCK, MOST), SCAN_BLOCK, scan_down<T, Op>, s, op, a);
	unsigned blocks = mt__cuda_blocks(jobs, SCAN_BLOCK / s.team, MOST);
	return launch(queue, "scan", blocks, SCAN_BLOCK, scan_across<T, Op>, s, op, a);
}

template <class T, class Op>
static int32_t run(mt_queue *queue, const mt_scan_args *args, const scan_shape &s, const Op &op) {
	using A = typename Op::A;
	int64_t skipped = args->reverse ? s.n - 1 : 0;
	scan_arrays<T, A> a = {origin<T>(args->x) + skipped * s.x_step, origin<T>(args->out) + skipped * s.out_step,
	                       nullptr};
	scan_shape directed = s;
	if (args->reverse) {
		directed.x_step = -s.x_step;
		directed.out_step = -s.out_step;
	}
	if (s.parts == 1)
		return pass(queue, directed, op, a);
	a.totals = (A *)mt__cuda_scratch(queue, (uint64_t)(s.rows.count * s.parts) * sizeof(A), "scan");
	if (!a.totals)
		return MT_E_MEMORY;
	scan_arrays<T, A> first = {a.x, nullptr, a.totals};
	int32_t status = pass(queue, directed, op, first);
	if (status == MT_OK)
		status = launch(queue, "scan", mt__cuda_blocks(s.rows.count, SCAN_BLOCK / WARP, MOST_BLOCKS), SCAN_BLOCK,
		                scan_totals<Op, A>, op, a.totals, s.rows.count, s.parts);
	return status == MT_OK ? pass(queue, directed, op, a) : status;
}

int32_t mt__cuda_scan(mt_queue *queue, const struct mt_scan_args *args) {
	const mt_array *x = args->x, *out = args->out;
	int64_t shape[MT_MAX_RANK];
	for (int d = 0; d < x->rank; d++)
		shape[d] = d == args->axis ? 1 : x->shape[d];
	mt_cuda_walk rows;
	const int64_t *const strides[] = {x->stride, out->stride};
	mt__cuda_walk_any_order(&rows, 2, x->rank, shape, strides);
	const scan_shape s = make_shape(args, rows);
	int32_t dtype = x->dtype == MT_BOOL ? MT_U8 : x->dtype;
	return for_number(dtype, "scan", [&](auto element) {
		using T = decltype(element);
		switch (args->op) {
		case MT_SCAN_SUM:
			return run<T>(queue, args, s, scan_sum<T>());
		case MT_SCAN_PROD:
			return run<T>(queue, args, s, scan_product<T>());
		default:
			return run<T>(queue, args, s, scan_extreme<T>(args->op == MT_SCAN_MIN));
		}
	});
}
