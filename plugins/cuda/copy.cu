/* copy: moves of one dtype, and conversions. */
#include "elementwise.cuh"
#include "map_ops.cuh"

/* ---- the same dtype: bits move; W is an unsigned integer of their size ---- */

template <class W> static __global__ void __launch_bounds__(BLOCK) move_kernel(sweep<2> s) {
	constexpr int N = pack_length<W>;
	W v[N];
	auto take = [&](int j, W x) { v[j] = x; };
	auto give = [&](int j, W *out) { *out = v[j]; };
	for (uint32_t step = blockIdx.x; step < s.steps; step += gridDim.x)
		if (s.packed) {
			pack_place<2> place = locate_pack<N>(s, step);
			read_pack<N, W>(s, 0, place, take);
			write_pack<N, W>(s, 1, place, give);
		} else {
			each_element<N>(s, step, [&](int j, const auto &o) { take(j, s.at<const W>(0)[o.at[0]]); });
			each_element<N>(s, step, [&](int j, const auto &o) { give(j, s.at<W>(1) + o.at[1]); });
		}
}

/* ---- transposes, through tiles in shared memory ---- */

struct tiling {
	walk<2, int32_t> outer;
	divider<int32_t> across_tiles, down_tiles;
	int32_t across, down, x_down, out_across; /* as in mt_cuda_transpose */
	int32_t across_bits, down_bits;
};

constexpr int BATCH = 8; /* elements that a thread has under way */

/* Elements from row to row of a tile: an odd number of 4-byte words, so that a column lies in different banks. */
__host__ __device__ constexpr int tile_pitch(int width, int size) {
	return width + (size < 4 ? 4 / size : 1);
}

/* Where a thread is in a tile whose rows have 2^bits elements: its column, its first row, and on to its next. */
struct tile_place {
	int32_t column, row, step;
	__device__ explicit tile_place(int32_t bits)
		: column((int32_t)threadIdx.x & ((1 << bits) - 1)), row((int32_t)threadIdx.x >> bits), step(BLOCK >> bits) {
	}
};

/* A block copies one tile of x[down, across] to out[across, down]. */
template <class W> static __global__ void __launch_bounds__(BLOCK) transpose_kernel(tiling t, const W *x, W *out) {
	MT_DYNAMIC_SHARED(W, tile);
	int32_t rest = t.down_tiles.quotient((int32_t)blockIdx.x), outer = t.across_tiles.quotient(rest);
	int32_t down = ((int32_t)blockIdx.x - rest * t.down_tiles.divisor) << t.down_bits;
	int32_t across = (rest - outer * t.across_tiles.divisor) << t.across_bits;
	int32_t width = min(1 << t.across_bits, t.across - across), height = min(1 << t.down_bits, t.down - down);
	int32_t pitch = tile_pitch(1 << t.across_bits, sizeof(W));
	offsets<2, int32_t> o = locate(t.outer, outer);
	x += o.at[0] + (int64_t)down * t.x_down + across;
	out += o.at[1] + (int64_t)across * t.out_across + down;

	tile_place in(t.across_bits);
	for (; in.row < height && in.column < width; in.row += BATCH * in.step) {
		W v[BATCH];
#pragma unroll
		for (int i = 0; i < BATCH; i++)
			if (in.row + i * in.step < height)
				v[i] = x[(int64_t)(in.row + i * in.step) * t.x_down + in.column];
#pragma unroll
		for (int i = 0; i < BATCH; i++)
			if (in.row + i * in.step < height)
				tile[(in.row + i * in.step) * pitch + in.column] = v[i];
	}
	__syncthreads();
	tile_place to(t.down_bits);
	if (to.column < height)
		for (; to.row < width; to.row += to.step)
			out[(int64_t)to.row * t.out_across + to.column] = tile[to.column * pitch + to.row];
}

template <class W> static int32_t transpose(mt_queue *queue, const mt_cuda_transpose &plan, const places<2> &p) {
	tiling t = {};
	int64_t width = (int64_t)1 << plan.across_bits, height = (int64_t)1 << plan.down_bits;
	int64_t across_tiles = (plan.across + width - 1) / width, down_tiles = (plan.down + height - 1) / height;
	t.outer = walk<2, int32_t>(plan.outer);
	t.across_tiles = divider<int32_t>(across_tiles);
	t.down_tiles = divider<int32_t>(down_tiles);
	t.across = (int32_t)plan.across;
	t.down = (int32_t)plan.down;
	t.x_down = (int32_t)plan.x_down;
	t.out_across = (int32_t)plan.out_across;
	t.across_bits = plan.across_bits;
	t.down_bits = plan.down_bits;
	size_t shared = (size_t)height * (size_t)tile_pitch((int)width, sizeof(W)) * sizeof(W);
	return launch_shared(queue, "copy", dim3((unsigned)(plan.outer.count * across_tiles * down_tiles)), BLOCK, shared,
	                     transpose_kernel<W>, t, (const W *)p.array[0], (W *)p.array[1]);
}

template <class W> static int32_t move(mt_queue *queue, const mt_cuda_walk &w, const places<2> &whole) {
	return for_pieces<2>(w, whole, [&](const mt_cuda_walk &piece, const places<2> &p) {
		mt_cuda_transpose plan;
		if (mt__cuda_walk_transpose(&plan, &piece))
			return transpose<W>(queue, plan, p);
		sweep<2> s = make_sweep<pack_length<W>>(piece, 1u << 1, p);
		return launch(queue, "copy", grid_of(queue, s), BLOCK, move_kernel<W>, s);
	});
}

/* ---- conversions ---- */

constexpr int CAST = 4; /* elements that a thread takes at a time, whatever their sizes */

template <class S, class T> __device__ static void cast_step(const sweep<2> &s, uint32_t step) {
	S v[CAST];
	auto take = [&](int j, S x) { v[j] = x; };
	auto give = [&](int j, T *out) { convert(out, (arithmetic_of<S>)load(v[j])); };
	if (s.packed) {
		pack_place<2> place = locate_pack<CAST>(s, step);
		read_pack<CAST, S>(s, 0, place, take);
		write_pack<CAST, T>(s, 1, place, give);
	} else {
		each_element<CAST>(s, step, [&](int j, const auto &o) { take(j, s.at<const S>(0)[o.at[0]]); });
		each_element<CAST>(s, step, [&](int j, const auto &o) { give(j, s.at<T>(1) + o.at[1]); });
	}
}

template <class T> static __global__ void __launch_bounds__(BLOCK, 4) cast_kernel(sweep<2> s, int32_t from) {
	for (uint32_t step = blockIdx.x; step < s.steps; step += gridDim.x)
		switch (from) {
		case MT_F32:
			cast_step<float, T>(s, step);
			break;
		case MT_F64:
			cast_step<double, T>(s, step);
			break;
		case MT_F16:
			cast_step<__half, T>(s, step);
			break;
		case MT_BF16:
			cast_step<__nv_bfloat16, T>(s, step);
			break;
		case MT_I32:
			cast_step<int32_t, T>(s, step);
			break;
		case MT_I64:
			cast_step<int64_t, T>(s, step);
			break;
		default: /* u8, and bool, which holds 0 or 1 */
			cast_step<uint8_t, T>(s, step);
		}
}

int32_t mt__cuda_copy(mt_queue *queue, const struct mt_copy_args *args) {
	const mt_array *x = args->x, *out = args->out;
	mt_cuda_walk w;
	const int64_t *strides[] = {x->stride, out->stride};
	mt__cuda_walk_any_order(&w, 2, out->rank, out->shape, strides);
	const places<2> whole = {{origin<void>(x), origin<void>(out)}, {dtype_size(x->dtype), dtype_size(out->dtype)}};
	if (x->dtype == out->dtype)
		return for_size(x->dtype, "copy", [&](auto word) { return move<decltype(word)>(queue, w, whole); });
	return for_dtype(out->dtype, "copy", [&](auto element) {
		return for_sweeps<CAST, 2>(queue, w, 1u << 1, whole, [&](const sweep<2> &s, dim3 grid) {
			return launch(queue, "copy", grid, BLOCK, cast_kernel<decltype(element)>, s, x->dtype);
		});
	});
}
