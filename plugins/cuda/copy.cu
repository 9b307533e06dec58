/* copy and fill. */
#include "launch.cuh"
#include "layout.cuh"

/* The same dtype: W is an unsigned type of the element's size. */
template <class W> static __global__ void move_kernel(layout<2> l, const W *x, W *out) {
	for (int64_t i = first_position(); i < l.count; i += position_step()) {
		offsets<2> o = locate(l, i);
		out[o.at[1]] = x[o.at[0]];
	}
}

/* Through f64 or i64, which hold every element of a narrower dtype exactly. */
template <class T> __device__ static void convert_from(int32_t dtype, const void *x, int64_t at, T *out) {
	switch (dtype) {
	case MT_F32:
		convert(out, (double)((const float *)x)[at]);
		return;
	case MT_F64:
		convert(out, ((const double *)x)[at]);
		return;
	case MT_F16:
		convert(out, (double)load(((const __half *)x)[at]));
		return;
	case MT_BF16:
		convert(out, (double)load(((const __nv_bfloat16 *)x)[at]));
		return;
	case MT_I32:
		convert(out, (int64_t)((const int32_t *)x)[at]);
		return;
	case MT_I64:
		convert(out, ((const int64_t *)x)[at]);
		return;
	default:
		convert(out, (int64_t)((const uint8_t *)x)[at]);
	}
}

template <class T> static __global__ void convert_kernel(layout<2> l, int32_t dtype, const void *x, T *out) {
	for (int64_t i = first_position(); i < l.count; i += position_step()) {
		offsets<2> o = locate(l, i);
		convert_from(dtype, x, o.at[0], out + o.at[1]);
	}
}

template <class W> static int32_t move(mt_queue *queue, const mt_copy_args *args, const layout<2> &l) {
	return launch(queue, "copy", blocks_for(l.count), BLOCK, move_kernel<W>, l, (const W *)origin<W>(args->x),
	              origin<W>(args->out));
}

int32_t mt__cuda_copy(mt_queue *queue, const struct mt_copy_args *args) {
	const mt_array *x = args->x, *out = args->out;
	layout<2> l = make_layout(out->rank, out->shape, {x->stride, out->stride});
	return for_dtype(out->dtype, "copy", [&](auto element) -> int32_t {
		using T = decltype(element);
		if (x->dtype != out->dtype)
			return launch(queue, "copy", blocks_for(l.count), BLOCK, convert_kernel<T>, l, x->dtype,
			              (const void *)origin<char>(x), origin<T>(out));
		if (sizeof(T) == 8)
			return move<uint64_t>(queue, args, l);
		if (sizeof(T) == 4)
			return move<uint32_t>(queue, args, l);
		return sizeof(T) == 2 ? move<uint16_t>(queue, args, l) : move<uint8_t>(queue, args, l);
	});
}

template <class T, class V> static __global__ void fill_kernel(layout<1> l, T *out, V value) {
	for (int64_t i = first_position(); i < l.count; i += position_step())
		convert(out + locate(l, i).at[0], value);
}

int32_t mt__cuda_fill(mt_queue *queue, const struct mt_fill_args *args) {
	const mt_array *out = args->out;
	layout<1> l = make_layout(out->rank, out->shape, {out->stride});
	return for_dtype(out->dtype, "fill", [&](auto element) -> int32_t {
		using T = decltype(element);
		if (args->value.tag == MT_SCALAR_I64)
			return launch(queue, "fill", blocks_for(l.count), BLOCK, fill_kernel<T, int64_t>, l, origin<T>(out),
			              args->value.v.i);
		return launch(queue, "fill", blocks_for(l.count), BLOCK, fill_kernel<T, double>, l, origin<T>(out),
		              args->value.v.f);
	});
}
