/* fill: out = value, converted once on the host; W is an unsigned integer of the element's size. */
#include "elementwise.cuh"
#include "mt/lowp.h"

template <class W> static __global__ void __launch_bounds__(BLOCK) fill_kernel(sweep<1> s, W value) {
	constexpr int N = pack_length<W>;
	auto give = [&](int, W *out) { *out = value; };
	for (uint32_t step = blockIdx.x; step < s.steps; step += gridDim.x)
		if (s.packed)
			write_pack<N, W>(s, 0, locate_pack<N>(s, step), give);
		else
			each_element<N>(s, step, [&](int j, const auto &o) { give(j, s.at<W>(0) + o.at[0]); });
}

static uint64_t bits_of_double(double x) {
	uint64_t bits;
	memcpy(&bits, &x, sizeof bits);
	return bits;
}

/* The bits of a value as copy converts it from f64 … */
static uint64_t bits_of_float_value(int32_t dtype, double v) {
	switch (dtype) {
	case MT_F32:
		return mt__lowp_bits((float)v);
	case MT_F64:
		return bits_of_double(v);
	case MT_F16:
		return mt_f64_to_f16(v);
	case MT_BF16:
		return mt_f64_to_bf16(v);
	case MT_I32:
		return (uint64_t)truncate_to<int64_t>(v, INT32_MIN, INT32_MAX);
	case MT_I64:
		return (uint64_t)truncate_to<int64_t>(v, INT64_MIN, INT64_MAX);
	case MT_U8:
		return (uint64_t)truncate_to<int64_t>(v, 0, UINT8_MAX);
	default:
		return v != 0;
	}
}

/* … and from i64. */
static uint64_t bits_of_integer_value(int32_t dtype, int64_t v) {
	switch (dtype) {
	case MT_F32:
		return mt__lowp_bits((float)v);
	case MT_F64:
		return bits_of_double((double)v);
	case MT_F16:
		return mt_f64_to_f16(sticky_double(v));
	case MT_BF16:
		return mt_f64_to_bf16(sticky_double(v));
	case MT_BOOL:
		return v != 0;
	default:
		return (uint64_t)v;
	}
}

int32_t mt__cuda_fill(mt_queue *queue, const struct mt_fill_args *args) {
	const mt_array *out = args->out;
	uint64_t bits = args->value.tag == MT_SCALAR_I64 ? bits_of_integer_value(out->dtype, args->value.v.i)
	                                                 : bits_of_float_value(out->dtype, args->value.v.f);
	mt_cuda_walk w;
	const int64_t *strides[] = {out->stride};
	mt__cuda_walk_any_order(&w, 1, out->rank, out->shape, strides);
	return for_size(out->dtype, "fill", [&](auto word) {
		using W = decltype(word);
		return for_sweeps<pack_length<W>, 1>(queue, w, 1u, {{origin<void>(out)}, {(int)sizeof(W)}},
		                                     [&](const sweep<1> &s, dim3 grid) {
												 return launch(queue, "fill", grid, BLOCK, fill_kernel<W>, s, (W)bits);
											 });
	});
}
