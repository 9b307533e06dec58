/* The product of conv_plan.h as kernels see it: parameters with index type I, where a column n and a k lie in the arrays,
 * and what becomes of a sum.  Shared by the kernels for vectors of numbers (conv_tile.cuh) and for tensor cores
 * (conv_tensor.cuh). */
#ifndef MT_CUDA_CONV_GEMM_CUH
#define MT_CUDA_CONV_GEMM_CUH

#include <type_traits>

#include "conv_plan.h"
#include "launch.cuh"
#include "map_ops.cuh"
#include "walk.cuh"

/* One call: the product, how it is computed, and its arrays. */
struct conv_call {
	const char *name;
	const mt_cuda_conv_product *product;
	const void *a, *b;
	void *y;
	const mt_array *bias = nullptr; /* [groups · m], added to each row; or NULL */
	const mt_array *ones = nullptr; /* [groups · m], where the column of ones goes; or NULL */
	int32_t activation = MT_ACT_NONE;
	const mt_cuda_conv_plan *plan = nullptr;
	void *parts = nullptr; /* plan->scratch bytes */
};

int32_t conv_gemm_f32(mt_queue *queue, const conv_call &call);
int32_t conv_gemm_f64(mt_queue *queue, const conv_call &call);
int32_t conv_gemm_f16(mt_queue *queue, const conv_call &call);
int32_t conv_gemm_bf16(mt_queue *queue, const conv_call &call);

template <class I> struct conv_params {
	I m, n, k, ones_column; /* ones_column: −1 where there is none */
	I split, phases, tiles;
	divider<I> m_tiles, n_tiles, products; /* products: groups · phases */
	divider<I> n_extent[4], rows, columns; /* rows: m, columns: n */
	I k_extent[4], b_limit[3], n_step[3], k_step[3], start[3];
	I a_first, a_m, a_k[4], a_group, b_n, b_k, b_space[3], b_group, y_m, y_n[4], row;
	int64_t y_group, bias_step, ones_step;
	mt_cuda_conv_phases phase[3];
	int32_t channels_inside, splits, activation;
	bool four, parted;

	conv_params(const conv_call &call) {
		const mt_cuda_conv_product &p = *call.product;
		const mt_cuda_conv_plan &plan = *call.plan;
		m = (I)p.m, n = (I)p.n, k = (I)p.k, ones_column = p.ones ? n - 1 : -1;
		split = (I)plan.split, phases = (I)p.phases, tiles = (I)plan.tiles;
		m_tiles = divider<I>(plan.m_tiles), n_tiles = divider<I>(plan.n_tiles);
		products = divider<I>(p.groups * p.phases), rows = divider<I>(p.m), columns = divider<I>(p.n);
		for (int i = 0; i < 4; i++) {
			n_extent[i] = divider<I>(p.n_extent[i] > 0 ? p.n_extent[i] : 1);
			k_extent[i] = (I)p.k_extent[i], a_k[i] = (I)p.a_k[i], y_n[i] = (I)p.y_n[i];
		}
		for (int d = 0; d < 3; d++) {
			b_limit[d] = (I)p.b_limit[d], b_space[d] = (I)p.b_space[d], start[d] = (I)p.start[d];
			n_step[d] = (I)p.n_step[d], k_step[d] = (I)p.k_step[d], phase[d] = p.phase[d];
		}
		a_m = (I)p.a_m, b_n = (I)p.b_n, b_k = (I)p.b_k, y_m = (I)p.y_m, row = (I)plan.row;
		a_first = (I)p.a_first, a_group = (I)p.a_group, b_group = (I)p.b_group, y_group = p.y_group;
		bias_step = call.bias ? call.bias->stride[0] : 0;
		ones_step = call.ones ? call.ones->stride[0] : 0;
		channels_inside = p.channels_inside, splits = (int32_t)plan.splits, activation = call.activation;
		four = plan.four, parted = plan.parted;
	}
};

template <class T> struct conv_arrays {
	const T *a, *b, *bias;
	T *y, *ones;
	compute_of<T> *parts;

	conv_arrays(const conv_call &call)
		: a((const T *)call.a), b((const T *)call.b), bias(call.bias ? origin<T>(call.bias) : nullptr), y((T *)call.y),
		  ones(call.ones ? origin<T>(call.ones) : nullptr), parts((compute_of<T> *)call.parts) {
	}
};

/* ---- which tile a block computes ---- */

template <class I> struct conv_tile { I m, n, group, phase, part; };

/* m runs fastest, then n: blocks that run at a time share what they read of b, and all of a. */
template <class I> __device__ inline conv_tile<I> find_tile(const conv_params<I> &p, I index, int tile_m, int tile_n) {
	conv_tile<I> t;
	I rest = p.m_tiles.quotient(index), next = p.n_tiles.quotient(rest);
	t.m = (index - rest * p.m_tiles.divisor) * tile_m;
	t.n = (rest - next * p.n_tiles.divisor) * tile_n;
	t.part = p.products.quotient(next);
	I product = next - t.part * p.products.divisor;
	t.group = p.phases > 1 ? product / p.phases : product;
	t.phase = product - t.group * p.phases;
	return t;
}

/* ---- phases of a gradient with a stride ---- */

/* What differs from phase to phase, in dim d of each array. */
template <class I> struct conv_phase { I taps[3], start[3], a_first[3]; };

/* The phase's number in dim d. */
template <class I> __device__ inline I phase_digit(const conv_params<I> &p, I phase, int d) {
	for (int inner = 2; inner > d; inner--)
		phase /= (I)p.phase[inner].count;
	return phase % (I)p.phase[d].count;
}

/* By the block's first three threads; a barrier follows. */
template <class I> __device__ inline void enter_phase(conv_phase<I> &to, const conv_params<I> &p, I phase) {
	int d = (int)threadIdx.x;
	if (d >= 3)
		return;
	if (p.phases == 1) {
		to.taps[d] = p.k_extent[d + 1];
		to.start[d] = p.start[d];
		to.a_first[d] = d == 0 ? p.a_first : 0;
		return;
	}
	mt_cuda_conv_taps taps = mt__cuda_conv_taps(&p.phase[d], phase_digit(p, phase, d));
	to.taps[d] = (I)taps.count;
	to.start[d] = (I)taps.start;
	to.a_first[d] = (I)(taps.first * p.phase[d].a_tap);
}

/* ---- columns: n ---- */

template <class I> struct column {
	I e[4];
	I y; /* offset in y */
	bool there;
};

template <class I> __device__ inline column<I> find_column(const conv_params<I> &p, I n, I phase) {
	column<I> c;
	c.there = n < p.n && n != p.ones_column;
	I rest = n;
#pragma unroll
	for (int i = 3; i > 0; i--) {
		I next = p.n_extent[i].quotient(rest);
		c.e[i] = rest - next * p.n_extent[i].divisor;
		rest = next;
	}
	c.e[0] = rest;
	c.y = c.e[0] * p.y_n[0];
#pragma unroll
	for (int d = 0; d < 3; d++)
		c.y += c.e[d + 1] * p.y_n[d + 1];
	if (p.phases > 1)
		for (int d = 0; d < 3; d++) {
			I digit = phase_digit(p, phase, d);
			c.there = c.there && c.e[d + 1] * (I)p.phase[d].stride + digit < (I)p.phase[d].extent;
			c.y += digit * (I)p.phase[d].y_input;
		}
	return c;
}

/* ---- where b is read: an entry of n and one of k, added ---- */

/* An offset and coordinates in space. */
template <class I> using source = pack<I, 4>;

/* A coordinate that no other one brings back into b, and another that marks the column of ones. */
template <class I> constexpr I outside_of_b = -((I)1 << (8 * sizeof(I) - 2));
template <class I> constexpr I column_of_ones = outside_of_b<I> - 1;

/* b's value where it is not read. */
template <class T, class I> __device__ inline T unread(const source<I> &of_n) {
	T t;
	store(&t, (compute_of<T>)(of_n.v[1] == column_of_ones<I> ? 1 : 0));
	return t;
}

template <class I>
__device__ inline source<I> source_of_column(const conv_params<I> &p, const conv_phase<I> &phase, I group, I n,
                                             const column<I> &c) {
	source<I> s = {{0, n == p.ones_column ? column_of_ones<I> : outside_of_b<I>, 0, 0}};
	if (!c.there)
		return s;
	s.v[0] = group * p.b_group + c.e[0] * p.b_n;
#pragma unroll
	for (int d = 0; d < 3; d++) {
		s.v[d + 1] = c.e[d + 1] * p.n_step[d] + phase.start[d];
		s.v[0] += s.v[d + 1] * p.b_space[d];
	}
	return s;
}

/* Of k; what lies between a's elements 0 and k of a row is added to a_offset. */
template <class I>
__device__ inline source<I> source_of_k(const conv_params<I> &p, const conv_phase<I> &phase, I k, I &a_offset) {
	I f0 = 0, f[3];
	if (p.channels_inside) {
		f0 = k % p.k_extent[0];
		k /= p.k_extent[0];
	}
#pragma unroll
	for (int d = 2; d >= 0; d--) {
		I next = phase.taps[d] == 1 ? k : k / phase.taps[d];
		f[d] = k - next * phase.taps[d];
		k = next;
	}
	if (!p.channels_inside)
		f0 = k;
	source<I> s;
	s.v[0] = f0 * p.b_k;
	a_offset += f0 * p.a_k[0];
#pragma unroll
	for (int d = 0; d < 3; d++) {
		s.v[d + 1] = f[d] * p.k_step[d];
		s.v[0] += s.v[d + 1] * p.b_space[d];
		a_offset += f[d] * p.a_k[d + 1];
	}
	return s;
}

template <class I> __device__ inline bool is_inside(const conv_params<I> &p, const source<I> &n, const source<I> &k) {
	using U = typename std::make_unsigned<I>::type;
	bool inside = (U)(n.v[1] + k.v[1]) < (U)p.b_limit[0];
	inside &= (U)(n.v[2] + k.v[2]) < (U)p.b_limit[1];
	return inside & ((U)(n.v[3] + k.v[3]) < (U)p.b_limit[2]);
}

/* ---- sums ---- */

/* The bias is added; ReLU is the only activation done here, others take the way through scratch memory. */
template <class T> __device__ inline compute_of<T> with_bias(compute_of<T> sum, const T *bias, int32_t activation) {
	if (bias)
		sum += load(*bias);
	return activation == MT_ACT_RELU ? map_relu(sum, sum, sum) : sum;
}

/* The part's sums of row m, at column n. */
template <class T, class I>
__device__ inline compute_of<T> *part_of(const conv_params<I> &p, const conv_arrays<T> &arrays, I part, I product, I m,
                                         I n) {
	int64_t block = (int64_t)part * p.products.divisor + product;
	return arrays.parts + (block * p.m + m) * p.row + n;
}

/* Stores four sums of row m: of columns n … n + 3, n a multiple of 4.  y[j]: offsets in y, where there[j]. */
template <class T, class I>
__device__ inline void store_sums(const conv_params<I> &p, const conv_arrays<T> &arrays, const conv_tile<I> &t, I m,
                                  I n, const compute_of<T> *sums, const I *y, const bool *there) {
	using C = compute_of<T>;
	if (m >= p.m || n >= p.n)
		return;
	if (p.parted) {
		pack<C, 4> four = {{sums[0], sums[1], sums[2], sums[3]}};
		store_pack(part_of(p, arrays, t.part, t.group * p.phases + t.phase, m, n), four);
		return;
	}
	int64_t filter = (int64_t)t.group * p.m + m;
	const T *bias = arrays.bias ? arrays.bias + filter * p.bias_step : nullptr;
	T *row = arrays.y + t.group * p.y_group + m * p.y_m;
	if (p.four) {
		pack<T, 4> four;
#pragma unroll
		for (int j = 0; j < 4; j++)
			store(&four.v[j], with_bias(sums[j], bias, p.activation));
		store_pack(row + y[0], four);
		return;
	}
#pragma unroll
	for (int j = 0; j < 4; j++) {
		if (there[j])
			store(row + y[j], with_bias(sums[j], bias, p.activation));
		else if (n + j == p.ones_column)
			store(arrays.ones + filter * p.ones_step, sums[j]);
	}
}

/* Adds up the parts of each sum, by LANES neighbouring threads, and finishes it. */
template <class T, class I>
static __global__ void conv_parts_kernel(conv_params<I> p, conv_arrays<T> arrays, int lanes, I count) {
	using C = compute_of<T>;
	I step = (I)gridDim.x * (I)(blockDim.x / lanes);
	int lane = (int)threadIdx.x % lanes;
	/* all lanes of a warp go round equally often */
	for (I first = (I)blockIdx.x * (I)(blockDim.x / lanes); first < count; first += step) {
		I at = first + (I)threadIdx.x / lanes;
		bool there = at < count;
		I rest = p.columns.quotient(there ? at : 0), n = (there ? at : 0) - rest * p.columns.divisor;
		I product = p.rows.quotient(rest), m = rest - product * p.rows.divisor;
		C sum = 0;
		for (int part = lane; part < p.splits; part += lanes)
			sum += *part_of(p, arrays, (I)part, product, m, n);
		for (int distance = lanes / 2; distance > 0; distance /= 2)
			sum += __shfl_xor_sync(0xFFFFFFFFu, sum, distance);
		if (!there || lane != 0)
			continue;
		I group = product / p.phases;
		column<I> c = find_column(p, n, product - group * p.phases);
		int64_t filter = (int64_t)group * p.m + m;
		if (n == p.ones_column)
			store(arrays.ones + filter * p.ones_step, sum);
		else if (c.there) {
			if (arrays.bias)
				sum += load(arrays.bias[filter * p.bias_step]);
			store(arrays.y + group * p.y_group + m * p.y_m + c.y, activate(p.activation, sum));
		}
	}
}

/* ---- launches ---- */

/* More blocks than this go round. */
constexpr int64_t CONV_MOST_BLOCKS = 1 << 30;

template <class T, class I>
inline int32_t finish_parts(mt_queue *queue, const conv_call &call, const conv_params<I> &p) {
	if (!call.plan->parted)
		return MT_OK;
	const mt_cuda_conv_product &product = *call.product;
	int64_t count = product.groups * product.phases * product.m * product.n;
	int lanes = mt__cuda_power_of_two(call.plan->splits / 4, 1, 32);
	unsigned blocks = mt__cuda_blocks(count, BLOCK / lanes, MOST_BLOCKS);
	return launch(queue, call.name, blocks, BLOCK, conv_parts_kernel<T, I>, p, conv_arrays<T>(call), lanes, (I)count);
}

#endif
