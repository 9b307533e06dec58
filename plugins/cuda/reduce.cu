/* reduce: a thread an output where there is little to reduce, else a block an output: each thread sums every BLOCK-th
 * element, then a tree over the block.  Both orders depend on the shape alone. */
#include "launch.cuh"
#include "layout.cuh"

constexpr int64_t LITTLE = 32;

template <class A> struct limits {
	static __device__ A lowest() {
		return -INFINITY;
	}
	static __device__ A highest() {
		return INFINITY;
	}
};
template <> struct limits<int64_t> {
	static __device__ int64_t lowest() {
		return INT64_MIN;
	}
	static __device__ int64_t highest() {
		return INT64_MAX;
	}
};

template <class A> __device__ static A start(int32_t op) {
	switch (op) {
	case MT_REDUCE_PROD:
	case MT_REDUCE_ALL:
		return 1;
	case MT_REDUCE_MAX:
		return limits<A>::lowest();
	case MT_REDUCE_MIN:
		return limits<A>::highest();
	default:
		return 0;
	}
}

__device__ static double add(double a, double b) {
	return a + b;
}
__device__ static int64_t add(int64_t a, int64_t b) {
	return (int64_t)((uint64_t)a + (uint64_t)b);
}
__device__ static double multiply(double a, double b) {
	return a * b;
}
__device__ static int64_t multiply(int64_t a, int64_t b) {
	return (int64_t)((uint64_t)a * (uint64_t)b);
}

/* Joins two partial results; NaN wins in max and min. */
template <class A> __device__ static A join(int32_t op, A a, A b) {
	switch (op) {
	case MT_REDUCE_PROD:
		return multiply(a, b);
	case MT_REDUCE_MAX:
		return a != a || a > b ? a : b;
	case MT_REDUCE_MIN:
		return a != a || a < b ? a : b;
	case MT_REDUCE_ANY:
		return a != 0 || b != 0;
	case MT_REDUCE_ALL:
		return a != 0 && b != 0;
	default: /* sum, mean, sumsq */
		return add(a, b);
	}
}

/* What one element contributes. */
template <class A> __device__ static A contribution(int32_t op, A x) {
	return op == MT_REDUCE_SUMSQ ? multiply(x, x) : x;
}

__device__ static void put(double *to, double v) {
	*to = v;
}
__device__ static void put(float *to, double v) {
	*to = (float)v;
}
__device__ static void put(__half *to, double v) {
	convert(to, v);
}
__device__ static void put(__nv_bfloat16 *to, double v) {
	convert(to, v);
}
template <class T, class A> __device__ static void put(T *to, A v) {
	store(to, v);
}

/* kept: positions of out (x, out); inner: the positions of x that one output stands for. */
template <class T, class O>
static __global__ void reduce_by_thread(layout<2> kept, layout<1> inner, int32_t op, const T *x, O *out) {
	using A = accumulator_of<T>;
	for (int64_t i = first_position(); i < kept.count; i += position_step()) {
		offsets<2> o = locate(kept, i);
		A result = start<A>(op);
		for (int64_t j = 0; j < inner.count; j++)
			result = join(op, result, contribution<A>(op, load(x[o.at[0] + locate(inner, j).at[0]])));
		put(out + o.at[1], op == MT_REDUCE_MEAN ? result / (A)inner.count : result);
	}
}

template <class T, class O>
static __global__ void reduce_by_block(layout<2> kept, layout<1> inner, int32_t op, const T *x, O *out) {
	using A = accumulator_of<T>;
	__shared__ A partial[BLOCK];
	for (int64_t i = blockIdx.x; i < kept.count; i += gridDim.x) {
		offsets<2> o = locate(kept, i);
		A result = start<A>(op);
		for (int64_t j = threadIdx.x; j < inner.count; j += BLOCK)
			result = join(op, result, contribution<A>(op, load(x[o.at[0] + locate(inner, j).at[0]])));
		partial[threadIdx.x] = result;
		__syncthreads();
		for (unsigned half = BLOCK / 2; half > 0; half /= 2) {
			if (threadIdx.x < half)
				partial[threadIdx.x] = join(op, partial[threadIdx.x], partial[threadIdx.x + half]);
			__syncthreads();
		}
		if (threadIdx.x == 0)
			put(out + o.at[1], op == MT_REDUCE_MEAN ? partial[0] / (A)inner.count : partial[0]);
		__syncthreads();
	}
}

template <class T, class O>
static int32_t reduce(mt_queue *queue, const mt_reduce_args *args, const layout<2> &kept, const layout<1> &inner) {
	const T *x = origin<T>(args->x);
	O *out = origin<O>(args->out);
	if (inner.count <= LITTLE)
		return launch(queue, "reduce", blocks_for(kept.count), BLOCK, reduce_by_thread<T, O>, kept, inner, args->op, x,
		              out);
	unsigned blocks = (unsigned)(kept.count < MOST_BLOCKS ? kept.count : MOST_BLOCKS);
	return launch(queue, "reduce", blocks, BLOCK, reduce_by_block<T, O>, kept, inner, args->op, x, out);
}

int32_t mt__cuda_reduce(mt_queue *queue, const struct mt_reduce_args *args) {
	const mt_array *x = args->x, *out = args->out;
	int64_t reduced[MT_MAX_RANK];
	for (int d = 0; d < x->rank; d++)
		reduced[d] = args->axes >> d & 1u ? x->shape[d] : 1;
	layout<2> kept = make_layout(out->rank, out->shape, {x->stride, out->stride});
	layout<1> inner = make_layout(x->rank, reduced, {x->stride});
	return for_dtype(x->dtype, "reduce", [&](auto element) -> int32_t {
		using T = decltype(element);
		return out->dtype == x->dtype ? reduce<T, T>(queue, args, kept, inner)
		                              : reduce<T, flag>(queue, args, kept, inner);
	});
}
