/* zip: out = f(a, b). */
#include "elementwise.cuh"
#include "zip_ops.cuh"

/* number stands in place of an operand that is not there. */
template <class T, bool GIVES_BOOL>
static __global__ void __launch_bounds__(BLOCK)
	zip_kernel(sweep<3> s, int32_t op, arithmetic_of<T> number, arithmetic_of<T> p, arithmetic_of<T> q) {
	using O = std::conditional_t<GIVES_BOOL, flag, T>;
	constexpr int N = pack_length<T>;
	arithmetic_of<T> v[2][N];
	unsigned arrays = (s.array[0] ? 1u : 0) | (s.array[1] ? 2u : 0);
	for (uint32_t step = blockIdx.x; step < s.steps; step += gridDim.x) {
#pragma unroll
		for (int j = 0; j < N; j++)
			v[0][j] = v[1][j] = number;
		pack_place<3> place = read_values<N, T>(s, step, arrays, v);
		apply_zip<GIVES_BOOL>(op, v[0], v[1], p, q);
		write_values<N, O>(s, step, place, 2, v[0]);
	}
}

template <class T, bool GIVES_BOOL> static int32_t start_zip(mt_queue *queue, const struct mt_zip_args *args) {
	using C = arithmetic_of<T>;
	const mt_array *a = args->a, *b = args->b, *out = args->out;
	C number = (C)scalar_as<T>::value(args->scalar);
	C p = (C)scalar_as<T>::value(args->p0), q = (C)scalar_as<T>::value(args->p1);
	mt_cuda_walk w;
	const int64_t *strides[] = {a ? a->stride : nullptr, b ? b->stride : nullptr, out->stride};
	mt__cuda_walk_any_order(&w, 3, out->rank, out->shape, strides);
	constexpr int size = (int)sizeof(T);
	return for_sweeps<pack_length<T>, 3>(
		queue, w, 1u << 2,
		{{origin_or_null<void>(a), origin_or_null<void>(b), origin<void>(out)}, {size, size, GIVES_BOOL ? 1 : size}},
		[&](const sweep<3> &s, dim3 grid) {
			return launch(queue, "zip", grid, BLOCK, zip_kernel<T, GIVES_BOOL>, s, args->op, number, p, q);
		});
}

/* Whether the result of an op is bool whatever it takes. */
static bool gives_bool(int32_t op) {
	enum { SAME = 0, BOOL = 1 };
	switch (op) {
#define MT_ZIP(id, NAME, name, dtypes, result, formula)                                                                \
	case id:                                                                                                           \
		return result;
#include "mt/zip_ops.def"
#undef MT_ZIP
	default:
		return false;
	}
}

int32_t mt__cuda_zip(mt_queue *queue, const struct mt_zip_args *args) {
	int32_t dtype = args->a ? args->a->dtype : args->b->dtype;
	if (gives_bool(args->op))
		return for_dtype(dtype, "zip", [&](auto t) { return start_zip<decltype(t), true>(queue, args); });
	return for_dtype(dtype, "zip", [&](auto t) { return start_zip<decltype(t), false>(queue, args); });
}
