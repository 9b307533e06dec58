/* arg_reduce: reduce's plan over one axis, for pairs of a value and where it stands. */
#include "reduce.cuh"
#include "reduce_ops.cuh"

template <class C> struct placed {
	C value;
	int64_t at;
};

template <class C> __device__ inline placed<C> from_lane(placed<C> p, unsigned distance) {
	return {from_lane(p.value, distance), from_lane(p.at, distance)};
}

/* The first largest, the first smallest where turn; the first NaN before both. */
template <class T> struct arg_op {
	using C = compute_of<T>;
	using A = placed<C>;
	bool turn;

	__device__ A none() const {
		return {lowest<C>::value, INT64_MAX};
	}
	static __device__ bool precedes(const A &a, const A &b) {
		if (a.value != a.value)
			return b.value == b.value || a.at < b.at;
		return a.value > b.value || (a.value == b.value && a.at < b.at);
	}
	__device__ A join(const A &a, const A &b) const {
		return precedes(a, b) ? a : b;
	}
	template <int M> __device__ void add(A &so_far, const C (&terms)[M], int64_t position, int64_t step) const {
#pragma unroll
		for (int k = 0; k < M; k++)
			so_far = join(so_far, {turned(terms[k], turn), position + k * step});
	}
	__device__ void put(int64_t *to, const A &result, int64_t) const {
		*to = result.at;
	}
};

int32_t mt__cuda_arg_reduce(mt_queue *queue, const struct mt_arg_reduce_args *args) {
	const mt_array *x = args->x;
	mt_cuda_reduce_plan plan;
	mt__cuda_reduce_plan(&plan, x, args->out, x->rank > 0 ? 1u << args->axis : 0, dtype_size(x->dtype));
	int32_t dtype = x->dtype == MT_BOOL ? MT_U8 : x->dtype;
	return for_number(dtype, "arg_reduce", [&](auto element) {
		using T = decltype(element);
		arg_op<T> op = {args->op == MT_ARG_MIN};
		return launch_reduction<true>(queue, "arg_reduce", plan, op, origin<T>(x), origin<int64_t>(args->out));
	});
}
