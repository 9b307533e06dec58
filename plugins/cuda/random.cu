/* uniform, normal, bernoulli: mt/philox.h along the row-major order of out, with the same bits as on a CPU.  A thread
 * draws one block of the stream at a time: 4 elements, or 2 of f64.  philox.h leaves a compiler nothing to contract. */
#define MT_PHILOX_FN __host__ __device__ inline
#include "mt/philox.h"

#include "launch.cuh"
#include "mt/lowp.h"
#include "walk.cuh"

/* Where the stream begins. */
struct stream {
	uint64_t seed, offset;
	const int64_t *device_offset; /* overrides offset, where it is given */

	explicit stream(const mt_philox_pos &pos)
		: seed(pos.seed), offset(pos.offset), device_offset(origin_or_null<const int64_t>(pos.device_offset)) {
	}
	__device__ uint64_t first_block() const {
		return device_offset ? (uint64_t)*device_offset : offset;
	}
};

/* What a block's words become: D::block elements of D::type.  whole: out is contiguous, and aligned for all of them. */
template <class D, class I>
static __global__ void __launch_bounds__(BLOCK)
	draw_kernel(walk<1, I> w, stream s, D draw, bool contiguous, bool whole, typename D::type *out) {
	using T = typename D::type;
	constexpr int N = D::block;
	uint64_t first = s.first_block(), count = (uint64_t)w.count, blocks = count / N + (count % N != 0);
	for (uint64_t b = (uint64_t)first_position(); b < blocks; b += (uint64_t)position_step()) {
		uint32_t words[4];
		pack<T, N> v;
		mt_philox_block(s.seed, first + b, words);
		draw(words, v.v);
		if (whole && b * N + N <= count) {
			store_pack(out + b * N, v);
			continue;
		}
#pragma unroll
		for (int j = 0; j < N; j++) {
			uint64_t e = b * N + j;
			if (e < count)
				out[contiguous ? (int64_t)e : (int64_t)locate(w, (I)e).at[0]] = v.v[j];
		}
	}
}

template <class D>
static int32_t fill_random(mt_queue *queue, const char *name, const mt_array *out, const D &draw,
                           const mt_philox_pos &pos) {
	using T = typename D::type;
	mt_cuda_walk w;
	const int64_t *strides[] = {out->stride};
	mt__cuda_walk(&w, 1, out->rank, out->shape, strides);
	bool contiguous = mt__cuda_walk_is_contiguous(&w, 0);
	bool whole = contiguous && (uintptr_t)origin<T>(out) % sizeof(pack<T, D::block>) == 0;
	dim3 grid(mt__cuda_blocks(w.count, BLOCK * D::block, (int64_t)queue->device->multiprocessors * 32));
	return for_index<1>(w, [&](auto walked) {
		return launch(queue, name, grid, BLOCK, draw_kernel<D, decltype(walked.count)>, walked, stream(pos), draw,
		              contiguous, whole, origin<T>(out));
	});
}

/* ---- uniform ---- */

/* each: what makes an f32, which T holds exactly, of a word. */
template <class T, float (*each)(uint32_t, mt_uniform_f32_range)> struct uniform_draw {
	using type = T;
	static constexpr int block = 4;
	mt_uniform_f32_range range;
	__device__ void operator()(const uint32_t *words, T *v) const {
#pragma unroll
		for (int j = 0; j < block; j++)
			store(&v[j], each(words[j], range));
	}
};

struct uniform_wide_draw {
	using type = double;
	static constexpr int block = 2;
	mt_uniform_f64_range range;
	__device__ void operator()(const uint32_t *words, double *v) const {
		v[0] = mt_uniform_f64(mt_philox_u64(words, 0), range);
		v[1] = mt_uniform_f64(mt_philox_u64(words, 1), range);
	}
};

static float f16_rounded(double x) {
	return mt_f16_to_f32(mt_f64_to_f16(x));
}

static float bf16_rounded(double x) {
	return mt_bf16_to_f32(mt_f64_to_bf16(x));
}

int32_t mt__cuda_uniform(mt_queue *queue, const struct mt_uniform_args *args) {
	double low = args->low, high = args->high;
	auto draw_as = [&](auto draw) { return fill_random(queue, "uniform", args->out, draw, args->pos); };
	switch (args->out->dtype) {
	case MT_F64:
		return draw_as(uniform_wide_draw{mt_uniform_range_f64(low, high)});
	case MT_F32:
		return draw_as(uniform_draw<float, mt_uniform_f32>{mt_uniform_range_f32((float)low, (float)high)});
	case MT_F16:
		return draw_as(uniform_draw<__half, mt_uniform_f16>{mt_uniform_range_f16(f16_rounded(low), f16_rounded(high))});
	case MT_BF16:
		return draw_as(
			uniform_draw<__nv_bfloat16, mt_uniform_bf16>{mt_uniform_range_bf16(bf16_rounded(low), bf16_rounded(high))});
	default:
		return no_dtype(args->out->dtype, "uniform");
	}
}

/* ---- normal ---- */

template <class T> struct normal_draw {
	using type = T;
	static constexpr int block = 4;
	float mean, std;
	__device__ void operator()(const uint32_t *words, T *v) const {
		float z[block];
		mt_normal_pair_f32(words[0], words[1], &z[0], &z[1]);
		mt_normal_pair_f32(words[2], words[3], &z[2], &z[3]);
#pragma unroll
		for (int j = 0; j < block; j++)
			store(&v[j], fmaf(std, z[j], mean));
	}
};

template <> struct normal_draw<double> {
	using type = double;
	static constexpr int block = 2;
	double mean, std;
	__device__ void operator()(const uint32_t *words, double *v) const {
		double z[block];
		mt_normal_pair_f64(mt_philox_u64(words, 0), mt_philox_u64(words, 1), &z[0], &z[1]);
#pragma unroll
		for (int j = 0; j < block; j++)
			v[j] = fma(std, z[j], mean);
	}
};

int32_t mt__cuda_normal(mt_queue *queue, const struct mt_normal_args *args) {
	return for_float(args->out->dtype, "normal", [&](auto element) {
		using T = decltype(element);
		normal_draw<T> draw = {(compute_of<T>)args->mean, (compute_of<T>)args->std};
		return fill_random(queue, "normal", args->out, draw, args->pos);
	});
}

/* ---- bernoulli ---- */

/* W: an unsigned integer of the element's size; one: the bits of 1. */
template <class W> struct bernoulli_draw {
	using type = W;
	static constexpr int block = 4;
	uint64_t threshold;
	W one;
	__device__ void operator()(const uint32_t *words, W *v) const {
#pragma unroll
		for (int j = 0; j < block; j++)
			v[j] = mt_bernoulli_bit(words[j], threshold) ? one : W(0);
	}
};

static uint64_t bits_of_one(int32_t dtype) {
	switch (dtype) {
	case MT_F32:
		return 0x3F800000u;
	case MT_F64:
		return 0x3FF0000000000000u;
	case MT_F16:
		return 0x3C00u;
	case MT_BF16:
		return 0x3F80u;
	default:
		return 1;
	}
}

int32_t mt__cuda_bernoulli(mt_queue *queue, const struct mt_bernoulli_args *args) {
	return for_size(args->out->dtype, "bernoulli", [&](auto word) {
		using W = decltype(word);
		bernoulli_draw<W> draw = {mt_bernoulli_threshold(args->p), (W)bits_of_one(args->out->dtype)};
		return fill_random(queue, "bernoulli", args->out, draw, args->pos);
	});
}
