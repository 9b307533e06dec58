/* map: y = f(x), one thread an element. */
#include "launch.cuh"
#include "layout.cuh"
#include "map_ops.cuh"

template <class T, class O>
static __global__ void map_kernel(layout<2> l, int32_t op, const T *x, O *out, compute_of<T> p, compute_of<T> q) {
	for (int64_t i = first_position(); i < l.count; i += position_step()) {
		offsets<2> o = locate(l, i);
		store(out + o.at[1], apply_map(op, load(x[o.at[0]]), p, q));
	}
}

cudaError_t mt__cuda_probe(void) {
	cudaFuncAttributes attributes;
	return cudaFuncGetAttributes(&attributes, (const void *)map_kernel<float, float>);
}

int32_t mt__cuda_map(mt_queue *queue, const struct mt_map_args *args) {
	const mt_array *x = args->x, *out = args->out;
	layout<2> l = make_layout(out->rank, out->shape, {x->stride, out->stride});
	return for_dtype(x->dtype, "map", [&](auto element) -> int32_t {
		using T = decltype(element);
		compute_of<T> p = scalar_as<T>::value(args->p0), q = scalar_as<T>::value(args->p1);
		if (out->dtype == x->dtype)
			return launch(queue, "map", blocks_for(l.count), BLOCK, map_kernel<T, T>, l, args->op,
			              (const T *)origin<T>(x), origin<T>(out), p, q);
		return launch(queue, "map", blocks_for(l.count), BLOCK, map_kernel<T, flag>, l, args->op,
		              (const T *)origin<T>(x), origin<flag>(out), p, q);
	});
}
