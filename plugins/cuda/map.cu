/* map: out = f(x). */
#include "elementwise.cuh"
#include "map_ops.cuh"

template <class T, bool GIVES_BOOL>
static __global__ void __launch_bounds__(BLOCK)
	map_kernel(sweep<2> s, int32_t op, arithmetic_of<T> p, arithmetic_of<T> q) {
	using O = std::conditional_t<GIVES_BOOL, flag, T>;
	constexpr int N = pack_length<T>;
	arithmetic_of<T> v[1][N] = {};
	for (uint32_t step = blockIdx.x; step < s.steps; step += gridDim.x) {
		pack_place<2> place = read_values<N, T>(s, step, 1u, v);
		apply_map<GIVES_BOOL>(op, v[0], p, q);
		write_values<N, O>(s, step, place, 1, v[0]);
	}
}

cudaError_t mt__cuda_probe(void) {
	cudaFuncAttributes attributes;
	return cudaFuncGetAttributes(&attributes, (const void *)map_kernel<float, false>);
}

template <class T, bool GIVES_BOOL> static int32_t start_map(mt_queue *queue, const struct mt_map_args *args) {
	const mt_array *x = args->x, *out = args->out;
	arithmetic_of<T> p = (arithmetic_of<T>)scalar_as<T>::value(args->p0);
	arithmetic_of<T> q = (arithmetic_of<T>)scalar_as<T>::value(args->p1);
	mt_cuda_walk w;
	const int64_t *strides[] = {x->stride, out->stride};
	mt__cuda_walk_any_order(&w, 2, out->rank, out->shape, strides);
	return for_sweeps<pack_length<T>, 2>(
		queue, w, 1u << 1, {{origin<void>(x), origin<void>(out)}, {(int)sizeof(T), GIVES_BOOL ? 1 : (int)sizeof(T)}},
		[&](const sweep<2> &s, dim3 grid) {
			return launch(queue, "map", grid, BLOCK, map_kernel<T, GIVES_BOOL>, s, args->op, p, q);
		});
}

int32_t mt__cuda_map(mt_queue *queue, const struct mt_map_args *args) {
	if (args->out->dtype == args->x->dtype && args->x->dtype != MT_BOOL)
		return for_number(args->x->dtype, "map", [&](auto t) { return start_map<decltype(t), false>(queue, args); });
	return for_dtype(args->x->dtype, "map", [&](auto t) { return start_map<decltype(t), true>(queue, args); });
}
