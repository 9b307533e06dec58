/* select: out = cond ? a : b.  Elements move as bits: W is an unsigned integer of their size. */
#include "elementwise.cuh"

template <class W> static __global__ void __launch_bounds__(BLOCK) select_kernel(sweep<4> s) {
	constexpr int N = pack_length<W>;
	uint8_t cond[N];
	W a[N], b[N];
	auto take_cond = [&](int j, uint8_t x) { cond[j] = x; };
	auto take_a = [&](int j, W x) { a[j] = x; };
	auto take_b = [&](int j, W x) { b[j] = x; };
	for (uint32_t step = blockIdx.x; step < s.steps; step += gridDim.x) {
		if (!s.packed) {
			each_element<N>(s, step, [&](int, const auto &o) {
				const W *from =
					s.at<const uint8_t>(0)[o.at[0]] ? s.at<const W>(1) + o.at[1] : s.at<const W>(2) + o.at[2];
				s.at<W>(3)[o.at[3]] = *from;
			});
			continue;
		}
		pack_place<4> place = locate_pack<N>(s, step);
		if (place.n == N && s.moving == 0xF) { /* all loads are under way at once */
			pack<uint8_t, N> pack_cond = whole_pack<N, uint8_t>(s, 0, place);
			pack<W, N> pack_a = whole_pack<N, W>(s, 1, place), pack_b = whole_pack<N, W>(s, 2, place);
#pragma unroll
			for (int j = 0; j < N; j++) {
				take_cond(j, pack_cond.v[j]);
				take_a(j, pack_a.v[j]);
				take_b(j, pack_b.v[j]);
			}
		} else {
			read_pack<N, uint8_t>(s, 0, place, take_cond);
			read_pack<N, W>(s, 1, place, take_a);
			read_pack<N, W>(s, 2, place, take_b);
		}
		write_pack<N, W>(s, 3, place, [&](int j, W *out) { *out = cond[j] ? a[j] : b[j]; });
	}
}

int32_t mt__cuda_select(mt_queue *queue, const struct mt_select_args *args) {
	const mt_array *cond = args->cond, *a = args->a, *b = args->b, *out = args->out;
	mt_cuda_walk w;
	const int64_t *strides[] = {cond->stride, a->stride, b->stride, out->stride};
	mt__cuda_walk_any_order(&w, 4, out->rank, out->shape, strides);
	return for_size(out->dtype, "select", [&](auto word) {
		using W = decltype(word);
		constexpr int size = (int)sizeof(W);
		return for_sweeps<pack_length<W>, 4>(
			queue, w, 1u << 3,
			{{origin<void>(cond), origin<void>(a), origin<void>(b), origin<void>(out)}, {1, size, size, size}},
			[&](const sweep<4> &s, dim3 grid) { return launch(queue, "select", grid, BLOCK, select_kernel<W>, s); });
	});
}
