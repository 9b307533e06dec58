/* sort: elements become keys, unsigned numbers in their order, which are sorted with their positions (order.cuh); then the
 * elements are taken from where their positions say, so that -0 and every NaN arrive as they were.  Rows that fit in a tile
 * are done by one kernel, longer ones are merged in scratch memory. */
#include "block.cuh"
#include "order.cuh"
#include "walk.cuh"

constexpr uint64_t MOST_SCRATCH = UINT64_C(1) << 30; /* bytes of pairs at once, where several rows would need more */

/* ---- keys: unsigned, of the element's width; -0 and 0 have one key, all NaN have the largest ---- */

__device__ inline uint64_t key_of_bits(uint64_t bits, uint64_t sign, uint64_t infinity) {
	uint64_t magnitude = bits & (sign - 1);
	if (magnitude > infinity)
		return sign | (sign - 1);
	return bits & sign ? sign - magnitude : sign + magnitude;
}

__device__ inline uint64_t key_of(float x) {
	return key_of_bits(__float_as_uint(x), UINT64_C(1) << 31, 0x7F800000u);
}
__device__ inline uint64_t key_of(double x) {
	return key_of_bits((uint64_t)__double_as_longlong(x), UINT64_C(1) << 63, UINT64_C(0x7FF) << 52);
}
__device__ inline uint64_t key_of(__half x) {
	return key_of_bits(__half_as_ushort(x), 1u << 15, 0x7C00);
}
__device__ inline uint64_t key_of(__nv_bfloat16 x) {
	return key_of_bits(__bfloat16_as_ushort(x), 1u << 15, 0x7F80);
}
__device__ inline uint64_t key_of(int32_t x) {
	return (uint32_t)x ^ 1u << 31;
}
__device__ inline uint64_t key_of(int64_t x) {
	return (uint64_t)x ^ UINT64_C(1) << 63;
}
__device__ inline uint64_t key_of(uint8_t x) {
	return x;
}

/* In the other direction too what came first stays first: keys are turned, positions are not. */
template <class T> __device__ inline uint64_t key_of(T x, bool descending) {
	constexpr uint64_t ALL = sizeof(T) == 8 ? UINT64_MAX : ((uint64_t)1 << (8 * sizeof(T) % 64)) - 1;
	return descending ? ALL - key_of(x) : key_of(x);
}

struct sort_shape {
	walk<3, int64_t> rows; /* where rows begin in x, values, indices */
	int64_t n, x_step, values_step, indices_step;
	bool descending, rows_beside; /* rows_beside: neighbouring rows lie closer together than neighbours in a row */
};

template <class T> struct sort_arrays {
	const T *x;
	T *values;
	int64_t *indices; /* or NULL */
};

template <class T>
__device__ inline void put_sorted(const sort_shape &s, const sort_arrays<T> &a, const offsets<3, int64_t> &row,
                                  int64_t rank, uint64_t position) {
	a.values[row.at[1] + rank * s.values_step] = a.x[row.at[0] + (int64_t)position * s.x_step];
	if (a.indices)
		a.indices[row.at[2] + rank * s.indices_step] = (int64_t)position;
}

/* ---- rows that fit in a tile: as many as fit are sorted by a block ---- */

/* The place in the tile of the thread's k-th load or store, so that a warp's lie side by side in memory. */
template <class P> __device__ inline int tile_place(int k, int width_bits, bool rows_beside) {
	int i = (int)threadIdx.x + k * ORDER_THREADS<P>, bits = ORDER_TILE_BITS<P> - width_bits;
	return rows_beside ? (i & ((1 << bits) - 1)) << width_bits | i >> bits : i;
}

template <class T, class P>
static __global__ void __launch_bounds__(ORDER_THREADS<P>)
	sort_short_rows(const __grid_constant__ sort_shape s, sort_arrays<T> a, int width_bits) {
	__shared__ order_tile<P> tile;
	const int width = 1 << width_bits;
	int64_t together = ORDER_TILE<P> >> width_bits;
	for (int64_t first = blockIdx.x * together; first < s.rows.count; first += gridDim.x * together) {
#pragma unroll
		for (int k = 0; k < ORDER_ITEMS; k++) {
			int i = tile_place<P>(k, width_bits, s.rows_beside);
			int64_t row = first + (i >> width_bits), j = i & (width - 1);
			P pair = pair_of<P>::last();
			if (row < s.rows.count && j < s.n)
				pair = pair_of<P>::make(key_of(a.x[locate_once(s.rows, row).at[0] + j * s.x_step], s.descending),
				                        (uint64_t)j);
			tile.at(i) = pair;
		}
		sort_tile(tile, width);
#pragma unroll
		for (int k = 0; k < ORDER_ITEMS; k++) {
			int i = tile_place<P>(k, width_bits, s.rows_beside);
			int64_t row = first + (i >> width_bits), j = i & (width - 1);
			if (row < s.rows.count && j < s.n)
				put_sorted(s, a, locate_once(s.rows, row), j, pair_of<P>::position(tile.at(i)));
		}
		__syncthreads();
	}
}

/* ---- longer rows ---- */

/* pairs [count, n] of the rows from `first` on. */
template <class T, class P>
static __global__ void sort_make_pairs(const __grid_constant__ sort_shape s, sort_arrays<T> a, int64_t first,
                                       int64_t count, P *pairs) {
	for (int64_t i = first_position(); i < count * s.n; i += position_step()) {
		int64_t row = i / s.n, j = i - row * s.n;
		int64_t at = locate_once(s.rows, first + row).at[0] + j * s.x_step;
		pairs[i] = pair_of<P>::make(key_of(a.x[at], s.descending), (uint64_t)j);
	}
}

template <class W, class P>
static __global__ void sort_take(const __grid_constant__ sort_shape s, sort_arrays<W> a, int64_t first, int64_t count,
                                 const P *pairs) {
	for (int64_t i = first_position(); i < count * s.n; i += position_step()) {
		int64_t row = i / s.n, j = i - row * s.n;
		put_sorted(s, a, locate_once(s.rows, first + row), j, pair_of<P>::position(pairs[i]));
	}
}

/* ---- the host's side ---- */

static int64_t pace(int64_t stride) {
	return stride == 0 ? INT64_MAX : stride < 0 ? -stride : stride;
}

static sort_shape make_shape(const mt_sort_args *args) {
	const mt_array *x = args->x, *values = args->values, *indices = args->indices;
	int64_t shape[MT_MAX_RANK];
	for (int d = 0; d < x->rank; d++)
		shape[d] = d == args->axis ? 1 : x->shape[d];
	mt_cuda_walk rows;
	const int64_t *const strides[] = {x->stride, values->stride, indices ? indices->stride : nullptr};
	mt__cuda_walk_any_order(&rows, 3, x->rank, shape, strides);
	sort_shape s = {};
	s.rows = walk<3, int64_t>(rows);
	s.descending = args->descending != 0;
	s.n = 1;
	if (x->rank == 0)
		return s;
	s.n = x->shape[args->axis];
	s.x_step = x->stride[args->axis];
	s.values_step = values->stride[args->axis];
	s.indices_step = indices ? indices->stride[args->axis] : 0;
	s.rows_beside = rows.rank > 0 && pace(rows.stride[0][rows.rank - 1]) < pace(s.x_step);
	return s;
}

template <class T, class P> static int32_t sort_short(mt_queue *queue, const sort_shape &s, const sort_arrays<T> &a) {
	int bits = order_width_bits<P>(s.n);
	unsigned blocks = mt__cuda_blocks(s.rows.count, ORDER_TILE<P> >> bits, INT64_C(1) << 30);
	return launch(queue, "sort", blocks, ORDER_THREADS<P>, sort_short_rows<T, P>, s, a, bits);
}

template <class W, class P>
static int32_t take(mt_queue *queue, const sort_shape &s, const void *x, void *values, int64_t *indices, int64_t first,
                    int64_t count, const void *pairs) {
	sort_arrays<W> a = {(const W *)x, (W *)values, indices};
	return launch(queue, "sort", blocks_for(count * s.n), BLOCK, sort_take<W, P>, s, a, first, count, (const P *)pairs);
}

/* As many rows at once as scratch memory should hold. */
template <class T, class P>
static int32_t sort_long(mt_queue *queue, int32_t dtype, const sort_shape &s, const sort_arrays<T> &a) {
	uint64_t row_bytes = (uint64_t)s.n * sizeof(P);
	int64_t fit = (int64_t)(MOST_SCRATCH / 2 / row_bytes), together = fit < 1 ? 1 : fit;
	together = together < s.rows.count ? together : s.rows.count;
	uint64_t half = mt__cuda_aligned((uint64_t)together * row_bytes);
	char *scratch = (char *)mt__cuda_scratch(queue, 2 * half, "sort");
	int32_t status = scratch ? MT_OK : MT_E_MEMORY;
	for (int64_t first = 0; first < s.rows.count && status == MT_OK; first += together) {
		int64_t count = s.rows.count - first < together ? s.rows.count - first : together;
		const void *sorted = nullptr;
		status = launch(queue, "sort", blocks_for(count * s.n), BLOCK, sort_make_pairs<T, P>, s, a, first, count,
		                (P *)scratch);
		if (status == MT_OK)
			status = mt__cuda_order(queue, "sort", scratch, scratch + half, sizeof(P) == sizeof(wide_pair), count, s.n,
			                        &sorted);
		if (status == MT_OK)
			status = for_size(dtype, "sort", [&](auto element) {
				return take<decltype(element), P>(queue, s, a.x, a.values, a.indices, first, count, sorted);
			});
	}
	return status;
}

int32_t mt__cuda_sort(mt_queue *queue, const struct mt_sort_args *args) {
	const sort_shape s = make_shape(args);
	int32_t dtype = args->x->dtype == MT_BOOL ? MT_U8 : args->x->dtype;
	return for_number(dtype, "sort", [&](auto element) {
		using T = decltype(element);
		using P = std::conditional_t<sizeof(T) == 8, wide_pair, narrow_pair>;
		const sort_arrays<T> a = {origin<T>(args->x), origin<T>(args->values), origin_or_null<int64_t>(args->indices)};
		if (s.n <= ORDER_TILE<P>)
			return sort_short<T, P>(queue, s, a);
		if (s.n < (int64_t)NARROW_KEYS)
			return sort_long<T, P>(queue, dtype, s, a);
		return sort_long<T, wide_pair>(queue, dtype, s, a);
	});
}
