/* zip: y = f(a, b), one thread an element. */
#include "launch.cuh"
#include "layout.cuh"
#include "zip_ops.cuh"

/* a or b is NULL where the number stands in its place. */
template <class T, class O>
static __global__ void zip_kernel(layout<3> l, int32_t op, const T *a, const T *b, O *out, compute_of<T> number,
                                  compute_of<T> p, compute_of<T> q) {
	for (int64_t i = first_position(); i < l.count; i += position_step()) {
		offsets<3> o = locate(l, i);
		compute_of<T> u = a ? load(a[o.at[0]]) : number, v = b ? load(b[o.at[1]]) : number;
		store(out + o.at[2], apply_zip(op, u, v, p, q));
	}
}

int32_t mt__cuda_zip(mt_queue *queue, const struct mt_zip_args *args) {
	const mt_array *a = args->a, *b = args->b, *out = args->out;
	int32_t dtype = a ? a->dtype : b->dtype;
	layout<3> l = make_layout(out->rank, out->shape, {a ? a->stride : nullptr, b ? b->stride : nullptr, out->stride});
	return for_dtype(dtype, "zip", [&](auto element) -> int32_t {
		using T = decltype(element);
		using C = compute_of<T>;
		const T *u = a ? origin<T>(a) : nullptr, *v = b ? origin<T>(b) : nullptr;
		C number = scalar_as<T>::value(args->scalar);
		C p = scalar_as<T>::value(args->p0), q = scalar_as<T>::value(args->p1);
		if (out->dtype == dtype)
			return launch(queue, "zip", blocks_for(l.count), BLOCK, zip_kernel<T, T>, l, args->op, u, v, origin<T>(out),
			              number, p, q);
		return launch(queue, "zip", blocks_for(l.count), BLOCK, zip_kernel<T, flag>, l, args->op, u, v,
		              origin<flag>(out), number, p, q);
	});
}
