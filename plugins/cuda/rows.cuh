/* Rows (rows.h) as kernels get them: which elements a thread has, reading and writing them, joining what the threads of a
 * group found.  A kernel over rows is
 *
 *     for (int64_t unit = blockIdx.x; unit < g.units; unit += gridDim.x) {
 *         seat s = take_seat<P>(g, unit);
 *         …
 *     }
 *
 * All threads of a block take part in each group_all: a seat may be empty (count 0), but it is taken. */
#ifndef MT_CUDA_ROWS_CUH
#define MT_CUDA_ROWS_CUH

#include "block.cuh"
#include "rows.h"
#include "walk.cuh"

/* Elements of T that a thread holds, where it holds `arrays` arrays. */
template <class T> constexpr int FEWER = 32 / (int)sizeof(compute_of<T>);
template <class T, int arrays> constexpr int MORE = 128 / (int)sizeof(compute_of<T>) / arrays;

/* Blocks that a multiprocessor is to have at least, for kernels that can do with few registers: one reads while the other
 * writes.  Other kernels say 1: left alone, ptxas spills registers for the sake of more blocks. */
template <class T, int P> constexpr int BLOCKS_AT_ONCE = P > 1 && sizeof(T) <= 4 ? 2 : 1;

/* What a launch does: rows that fit a group are done at once; of long rows, chunks are summed up first, put together by
 * a kernel of its own, and then written. */
enum row_phase { WHOLE_ROWS, SUM_CHUNKS, WRITE_CHUNKS };

struct row_grid {
	int64_t rows, length, chunks, units;
	int32_t tile, along;

	explicit row_grid(const mt_cuda_rows &p)
		: rows(p.rows), length(p.length), chunks(p.chunks), units(p.units), tile(p.tile), along(p.along) {
	}
};

/* Where a thread sits: its row, the chunk of it, and the elements first, first + step, … below count (packs of P each,
 * counted from start, where the chunk begins). */
struct seat {
	int64_t row, chunk, start;
	int32_t first, step, count;
	int32_t size; /* of the chunk */
	bool leads;   /* the first thread of its group, and the row exists */
};

template <int P> __device__ inline seat take_seat(const row_grid &g, int64_t unit) {
	unsigned across = g.along ? threadIdx.y : threadIdx.x, along = g.along ? threadIdx.x : threadIdx.y;
	unsigned columns = g.along ? blockDim.y : blockDim.x, group = g.along ? blockDim.x : blockDim.y;
	seat s;
	int64_t band = unit;
	s.chunk = 0;
	if (g.chunks > 1 && g.along) {
		band = unit / g.chunks;
		s.chunk = unit - band * g.chunks;
	} else if (g.chunks > 1) { /* blocks beside each other have neighbouring rows */
		int64_t bands = g.units / g.chunks;
		s.chunk = unit / bands;
		band = unit - s.chunk * bands;
	}
	s.row = band * columns + across;
	s.start = s.chunk * g.tile;
	int64_t left = g.length - s.start;
	s.size = left < g.tile ? (int32_t)left : g.tile;
	bool exists = s.row < g.rows;
	s.count = exists ? s.size : 0;
	s.row = exists ? s.row : g.rows - 1;
	s.first = (int32_t)along * P;
	s.step = (int32_t)group * P;
	s.leads = exists && along == 0;
	return s;
}

/* Where a chunk's result lies among those of all rows: neighbours where neighbouring threads of a finish read them. */
__device__ inline int64_t chunk_slot(const row_grid &g, int64_t row, int64_t chunk) {
	return g.along ? row * g.chunks + chunk : chunk * g.rows + row;
}

/* Elements of a chunk: a tile, but for the last one. */
__device__ inline int32_t chunk_size(const row_grid &g, int64_t chunk) {
	int64_t left = g.length - chunk * g.tile;
	return left < g.tile ? (int32_t)left : g.tile;
}

/* ---- elements ---- */

/* A row along one axis, from the start of a chunk on. */
template <class T> struct line {
	using element = T;
	T *at;
	int64_t stride;

	__device__ line(T *row, int64_t axis_stride, int64_t start) : at(row + start * axis_stride), stride(axis_stride) {
	}
	struct steps {
		T *at;
		int64_t step;
		__device__ T *here() const {
			return at;
		}
		__device__ void next() {
			at += step;
		}
	};
	template <int P> __device__ steps walker(const seat &s) const {
		return {P > 1 ? at + s.first : at + s.first * stride, P > 1 ? s.step : s.step * stride};
	}
};

/* Calls f(i, l) for the elements of a seat: i counts those of the thread, up to R; l is its position in the chunk. */
template <int P, int R, class F> __device__ inline void each(const seat &s, F f) {
#pragma unroll
	for (int k = 0; k < R / P; k++) {
		int32_t l = s.first + k * s.step;
		if (l < s.count)
#pragma unroll
			for (int i = 0; i < P; i++)
				f(k * P + i, l + i);
	}
}

/* Calls f(i, l) for the packs of a seat. */
template <int P, int R, class F> __device__ inline void each_pack(const seat &s, F f) {
#pragma unroll
	for (int k = 0; k < R / P; k++) {
		int32_t l = s.first + k * s.step;
		if (l < s.count)
			f(k * P, l);
	}
}

template <class T> using stored = typename std::remove_const<T>::type;

/* v = the seat's elements of a row; 0 where there are none. */
template <int P, int R, class C, class Line>
__device__ inline void load_row(const seat &s, const Line &from, C (&v)[R]) {
	using T = stored<typename Line::element>;
	pack<T, P> raw[R / P] = {};
	auto at = from.template walker<P>(s);
#pragma unroll
	for (int k = 0; k < R / P; k++) {
		if (s.first + k * s.step < s.count)
			raw[k] = *(const pack<T, P> *)at.here();
		at.next();
	}
#pragma unroll
	for (int i = 0; i < R; i++)
		v[i] = load(raw[i / P].v[i % P]);
}

/* Element l of the row = f(i, l), for each of the seat's. */
template <int P, int R, class Line, class F> __device__ inline void store_row(const seat &s, const Line &to, F f) {
	using T = typename Line::element;
	auto at = to.template walker<P>(s);
#pragma unroll
	for (int k = 0; k < R / P; k++) {
		int32_t l = s.first + k * s.step;
		if (l < s.count) {
			pack<T, P> out;
#pragma unroll
			for (int i = 0; i < P; i++)
				store(&out.v[i], f(k * P + i, l + i));
			store_pack(at.here(), out);
		}
		at.next();
	}
}

/* A vector that may be absent. */
template <class T> struct side {
	const T *at;
	int64_t stride;

	template <class C> __device__ C get(int64_t i, C otherwise) const {
		return at ? load(at[i * stride]) : otherwise;
	}
};

/* A side read along with a row, P elements at a time, in the order of each_pack. */
template <class T, int P> struct side_reader {
	const T *at;
	int64_t step;

	__device__ side_reader(const side<T> &v, const seat &s)
		: at(v.at ? v.at + (s.start + s.first) * (P > 1 ? 1 : v.stride) : nullptr),
		  step(P > 1 ? s.step : s.step * v.stride) {
	}
	template <class C> __device__ void next(C otherwise, C (&to)[P]) {
		pack<T, P> raw = {};
		if (at)
			raw = *(const pack<T, P> *)at;
#pragma unroll
		for (int i = 0; i < P; i++)
			to[i] = at ? load(raw.v[i]) : otherwise;
		at = at ? at + step : at;
	}
};

template <class T> inline side<T> side_of(const mt_array *a) {
	return {origin_or_null<T>(a), a ? a->stride[0] : 1};
}

/* A vector of results, one a row. */
template <class C> struct results {
	C *at;
	int64_t stride;

	__device__ C &operator[](int64_t row) const {
		return at[row * stride];
	}
};

template <class C> inline results<C> results_of(const mt_array *a) {
	return {origin_or_null<C>(a), a ? a->stride[0] : 0};
}

/* ---- what a group finds together ---- */

template <class C> struct pair { C a, b; };

template <class C> __device__ inline C from_lane(C v, int distance) {
	return __shfl_xor_sync(WHOLE_WARP, v, distance);
}
template <class C> __device__ inline pair<C> from_lane(pair<C> v, int distance) {
	return {from_lane(v.a, distance), from_lane(v.b, distance)};
}

/* What is taken off before e^x: the largest of a row.  An infinite one would make NaN of what is 0 or infinite. */
template <class C> __device__ inline C finite_or_zero(C x) {
	return isinf(x) ? C(0) : x;
}

/* The larger; a NaN only where both are.  What NaN does to a row is left to its sum. */
struct join_larger {
	template <class C> __device__ C operator()(C a, C b) const {
		return fmax(a, b);
	}
};

struct join_pairs {
	template <class C> __device__ pair<C> operator()(pair<C> x, pair<C> y) const {
		return {x.a + y.a, x.b + y.b};
	}
};

/* join over lanes lanes beside each other, a power of two up to 32; join(a, b) and join(b, a) have the same bits. */
template <class A, class Join> __device__ inline A lanes_all(A value, unsigned lanes, Join join) {
	for (unsigned distance = lanes / 2; distance > 0; distance /= 2)
		value = join(value, from_lane(value, (int)distance));
	return value;
}

/* Every thread gets join over its group's values, in an order that depends on the block's shape.  All threads of the
 * block call.  shared: MT_CUDA_ROW_THREADS values, free again when the call returns. */
template <class A, class Join> __device__ inline A group_all(const row_grid &g, A value, A *shared, Join join) {
	if (g.along) {
		unsigned warps = blockDim.x / WARP, lane = threadIdx.x % WARP;
		value = lanes_all(value, warps > 0 ? WARP : blockDim.x, join);
		if (warps <= 1)
			return value;
		if (lane == 0)
			shared[threadIdx.x / WARP] = value;
		__syncthreads();
		value = lanes_all(shared[lane % warps], warps, join);
		__syncthreads();
		return value;
	}
	if (blockDim.y == 1)
		return value;
	unsigned slot = threadIdx.y * blockDim.x + threadIdx.x;
	shared[slot] = value;
	__syncthreads();
	for (unsigned half = blockDim.y / 2; half > 0; half /= 2) {
		if (threadIdx.y < half)
			shared[slot] = join(shared[slot], shared[slot + half * blockDim.x]);
		__syncthreads();
	}
	value = shared[threadIdx.x];
	__syncthreads();
	return value;
}

template <class A> __device__ inline A group_sum(const row_grid &g, A value, A *shared) {
	return group_all(g, value, shared, join_sum());
}

template <class C> __device__ inline pair<C> group_sums(const row_grid &g, pair<C> value, pair<C> *shared) {
	return group_all(g, value, shared, join_pairs());
}

/* ---- planning and launching ---- */

/* Plans for the rows of matrices [M, N]; the last of them decides how threads go.  sides: vectors [N], or NULL. */
struct matrix_rows {
	int along, pack;
};

inline matrix_rows rows_of_matrices(int matrices, const mt_array *const *matrix, int sides,
                                    const mt_array *const *side) {
	const mt_array *last = matrix[matrices - 1];
	const int64_t *strides[MT_CUDA_WALKED] = {};
	const void *address[MT_CUDA_WALKED];
	int64_t stride[MT_CUDA_WALKED], rows = last->shape[0], length = last->shape[1];
	for (int k = 0; k < matrices; k++) {
		strides[k] = matrix[k]->stride;
		address[k] = origin<char>(matrix[k]);
		stride[k] = matrix[k]->stride[1];
	}
	for (int k = 0; k < sides; k++) {
		address[matrices + k] = origin_or_null<char>(side[k]);
		stride[matrices + k] = side[k] ? side[k]->stride[0] : 1;
	}
	mt_cuda_walk walk;
	mt__cuda_walk(&walk, matrices + sides, 1, &rows, strides);
	matrix_rows r = {mt__cuda_rows_along(rows, rows, last->stride[0], length, last->stride[1]), 1};
	if (r.along)
		r.pack = mt__cuda_rows_pack(&walk, address, stride, dtype_size(last->dtype), length);
	return r;
}

template <int P, int R> struct shape_of_seat { static constexpr int pack = P, values = R; };

/* Calls f(shape_of_seat<P, R>()) as the plan says.  more_single: `more` where elements are read one at a time. */
template <class T, int fewer, int more, int more_single = more, class F>
inline int32_t for_seat(const mt_cuda_rows &p, F f) {
	constexpr int wide = 16 / (int)sizeof(T);
	if (p.pack > 1)
		return p.values > fewer ? f(shape_of_seat<wide, more>()) : f(shape_of_seat<wide, fewer>());
	return p.values > fewer ? f(shape_of_seat<1, more_single>()) : f(shape_of_seat<1, fewer>());
}

template <class... P, class... A>
inline int32_t launch_rows(mt_queue *queue, const char *name, const mt_cuda_rows &p, void (*kernel)(P...), A... args) {
	return launch(queue, name, mt__cuda_blocks(p.units, 1, INT32_MAX), dim3(p.x, p.y), kernel, row_grid(p), args...);
}

#endif
