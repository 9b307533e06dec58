/* The kernels that follow a reduction's plan (reduce_plan.h), for any op:
 *
 *     struct op {
 *             using C = …;                what an element is loaded as: compute_of<T>
 *             using A = …;                a running result
 *             A none() const;             of no terms
 *             A join(A a, A b) const;     of both; a's terms came first, or in any order
 *             template <int M> void add(A &so_far, const C (&terms)[M], int64_t position, int64_t step) const;
 *             void put(O *to, A result, int64_t count) const;
 *     };
 *
 * position, position + step, …: where the terms stand, in the order of the plan.  M is a power of two.  All orders are
 * the plan's: they do not depend on which thread is faster. */
#ifndef MT_CUDA_REDUCE_CUH
#define MT_CUDA_REDUCE_CUH

#include "block.cuh"
#include "reduce_plan.h"
#include "walk.cuh"

constexpr unsigned REDUCE_BLOCK = MT_CUDA_REDUCE_BLOCK;

/* reduce_plan.h's fields, as kernels need them. */
struct reduce_shape {
	walk<2, int64_t> kept;
	walk<1, int64_t> inner; /* runs or terms */
	int64_t count, length, stride, chunk, chunks, work, parts, per_part;
	unsigned group, team, columns;

	reduce_shape(const mt_cuda_reduce_plan &p)
		: kept(p.kept), inner(p.down ? p.terms : p.runs), count(p.count), length(p.length), stride(p.stride),
		  chunk(p.chunk), chunks(p.chunks), work(p.work), parts(p.parts), per_part(p.per_part),
		  group((unsigned)p.group), team((unsigned)p.team), columns((unsigned)p.columns) {
	}
};

template <class A> __device__ inline A from_lane(A value, unsigned distance) {
	return __shfl_xor_sync(WHOLE_WARP, value, (int)distance);
}

/* Threads of a group of 1 to 32, or all REDUCE_BLOCK, get join over the group's values.  All threads of the block call;
 * shared: REDUCE_BLOCK / 32 values. */
template <class Op, class A> __device__ inline A group_all(const Op &op, A value, unsigned group, A *shared) {
	for (unsigned distance = (group < WARP ? group : WARP) / 2; distance > 0; distance /= 2)
		value = op.join(value, from_lane(value, distance));
	if (group <= WARP)
		return value;
	constexpr unsigned WARPS = REDUCE_BLOCK / WARP;
	unsigned lane = threadIdx.x % WARP;
	if (lane == 0)
		shared[threadIdx.x / WARP] = value;
	__syncthreads();
	value = lane < WARPS ? shared[lane] : op.none();
	for (unsigned distance = WARPS / 2; distance > 0; distance /= 2)
		value = op.join(value, from_lane(value, distance));
	__syncthreads();
	return value;
}

/* ---- across ---- */

template <class T> constexpr int REDUCE_PACK = sizeof(T) == 1 ? 8 : 16 / (int)sizeof(T);

/* Elements until the next pack's address. */
template <class T> __device__ inline int64_t until_aligned(const T *p) {
	return (int64_t)((0 - (uintptr_t)p) % sizeof(pack<T, REDUCE_PACK<T>>) / sizeof(T));
}

/* p[i · stride] for i from `from`, every team-th, below to. */
template <class T, class Op>
__device__ inline void add_singly(const Op &op, typename Op::A &so_far, const T *p, int64_t stride, int64_t from,
                                  int64_t to, int64_t position, unsigned team) {
#pragma unroll 1
	for (int64_t i = from; i < to; i += team) {
		const typename Op::C terms[1] = {load(p[i * stride])};
		op.add(so_far, terms, position + i, team);
	}
}

template <class T, class Op>
__device__ inline void add_strided(const Op &op, typename Op::A &so_far, const T *p, int64_t stride, int64_t n,
                                   int64_t position, unsigned lane, unsigned team) {
	constexpr int AT_ONCE = 4;
	int64_t i = lane;
#pragma unroll 1
	for (; i + (AT_ONCE - 1) * (int64_t)team < n; i += AT_ONCE * (int64_t)team) {
		typename Op::C terms[AT_ONCE];
#pragma unroll
		for (int k = 0; k < AT_ONCE; k++)
			terms[k] = load(p[(i + k * (int64_t)team) * stride]);
		op.add(so_far, terms, position + i, team);
	}
	add_singly(op, so_far, p, stride, i, n, position, team);
}

template <class T, int N, class Op>
__device__ inline void add_pack(const Op &op, typename Op::A &so_far, const pack<T, N> &v, int64_t position) {
	typename Op::C terms[N];
#pragma unroll
	for (int k = 0; k < N; k++)
		terms[k] = load(v.v[k]);
	op.add(so_far, terms, position, 1);
}

/* n neighbours, read in packs but for those before the first whole one and after the last. */
template <class T, class Op>
__device__ inline void add_contiguous(const Op &op, typename Op::A &so_far, const T *p, int64_t n, int64_t position,
                                      unsigned lane, unsigned team) {
	constexpr int N = REDUCE_PACK<T>, AT_ONCE = 4;
	int64_t head = until_aligned(p);
	head = head < n ? head : n;
	int64_t packs = (n - head) / N, i = lane;
	const pack<T, N> *v = (const pack<T, N> *)(p + head);
	add_singly(op, so_far, p, 1, lane, head, position, team);
#pragma unroll 1
	for (; i + (AT_ONCE - 1) * (int64_t)team < packs; i += AT_ONCE * (int64_t)team) {
		pack<T, N> loaded[AT_ONCE];
#pragma unroll
		for (int k = 0; k < AT_ONCE; k++)
			loaded[k] = v[i + k * (int64_t)team];
#pragma unroll
		for (int k = 0; k < AT_ONCE; k++)
			add_pack(op, so_far, loaded[k], position + head + (i + k * (int64_t)team) * N);
	}
#pragma unroll 1
	for (; i < packs; i += team)
		add_pack(op, so_far, v[i], position + head + i * N);
	add_singly(op, so_far, p, 1, head + packs * N + lane, n, position, team);
}

/* The units [from, to) of the output whose terms begin at x. */
template <class T, class Op>
__device__ inline typename Op::A add_units(const Op &op, const reduce_shape &s, const T *x, int64_t from, int64_t to) {
	unsigned lane = threadIdx.x % s.group;
	typename Op::A so_far = op.none();
#pragma unroll 1
	for (int64_t unit = from + lane / s.team; unit < to; unit += s.group / s.team) {
		int64_t run = s.chunks == 1 ? unit : unit / s.chunks, first = (unit - run * s.chunks) * s.chunk;
		int64_t n = s.length - first < s.chunk ? s.length - first : s.chunk, position = run * s.length + first;
		const T *p = x + locate_once(s.inner, run).at[0] + first * s.stride;
		if (s.stride == 1)
			add_contiguous(op, so_far, p, n, position, lane % s.team, s.team);
		else
			add_strided(op, so_far, p, s.stride, n, position, lane % s.team, s.team);
	}
	return so_far;
}

/* A group a job; a job is one part of one output.  partial: [outputs, parts], or NULL where out is written. */
template <class T, class O, class Op>
static __global__ void reduce_across(const __grid_constant__ reduce_shape s, Op op, const T *x, O *out,
                                     typename Op::A *partial) {
	__shared__ typename Op::A shared[REDUCE_BLOCK / WARP];
	int64_t jobs = s.kept.count * s.parts, per_block = REDUCE_BLOCK / s.group;
	for (int64_t first = blockIdx.x * per_block; first < jobs; first += gridDim.x * per_block) {
		int64_t job = first + threadIdx.x / s.group, output = s.parts == 1 ? job : job / s.parts;
		typename Op::A result = op.none();
		offsets<2, int64_t> o = {};
		if (job < jobs) {
			int64_t from = (job - output * s.parts) * s.per_part, to = from + s.per_part;
			o = locate_once(s.kept, output);
			result = add_units(op, s, x + o.at[MT_CUDA_KEPT_X], from, to < s.work ? to : s.work);
		}
		result = group_all(op, result, s.group, shared);
		if (job >= jobs || threadIdx.x % s.group != 0)
			continue;
		if (partial)
			partial[job] = result;
		else
			op.put(out + o.at[MT_CUDA_KEPT_OUT], result, s.count);
	}
}

/* ---- down ---- */

/* Terms [from, to), every rows-th, of N neighbouring outputs whose terms begin at x. */
template <class T, int N, class Op>
__device__ inline void add_terms(const Op &op, const reduce_shape &s, const T *x, int64_t from, int64_t to, int rows,
                                 typename Op::A (&so_far)[N]) {
	using C = typename Op::C;
	constexpr int AT_ONCE = 4;
	int64_t j = from;
#pragma unroll 1
	for (; j + (AT_ONCE - 1) * rows < to; j += AT_ONCE * rows) {
		pack<T, N> loaded[AT_ONCE];
#pragma unroll
		for (int k = 0; k < AT_ONCE; k++)
			loaded[k] = *(const pack<T, N> *)(x + locate_once(s.inner, j + k * rows).at[0]);
#pragma unroll
		for (int n = 0; n < N; n++) {
			const C terms[AT_ONCE] = {load(loaded[0].v[n]), load(loaded[1].v[n]), load(loaded[2].v[n]),
			                          load(loaded[3].v[n])};
			op.add(so_far[n], terms, j, rows);
		}
	}
#pragma unroll 1
	for (; j < to; j += rows) {
		pack<T, N> loaded = *(const pack<T, N> *)(x + locate_once(s.inner, j).at[0]);
#pragma unroll
		for (int n = 0; n < N; n++) {
			const C terms[1] = {load(loaded.v[n])};
			op.add(so_far[n], terms, j, rows);
		}
	}
}

/* Joins the block's rows into its first one. */
template <int N, class Op, class A>
__device__ inline void join_rows(const Op &op, A (&value)[N], unsigned columns, A *shared) {
	for (unsigned half = REDUCE_BLOCK / 2; half >= columns; half /= 2) {
		if (threadIdx.x >= half && threadIdx.x < 2 * half)
			for (int n = 0; n < N; n++)
				shared[(unsigned)n * REDUCE_BLOCK + threadIdx.x] = value[n];
		__syncthreads();
		if (threadIdx.x < half)
			for (int n = 0; n < N; n++)
				value[n] = op.join(value[n], shared[(unsigned)n * REDUCE_BLOCK + threadIdx.x + half]);
	}
	__syncthreads();
}

/* A block a job; a job is one part of columns · N outputs.  partial: [outputs, parts], or NULL where out is written. */
template <class T, int N, class O, class Op>
static __global__ void reduce_down(const __grid_constant__ reduce_shape s, Op op, const T *x, O *out,
                                   typename Op::A *partial) {
	using A = typename Op::A;
	__shared__ A shared[REDUCE_BLOCK * N];
	int64_t wide = (int64_t)s.columns * N, across = (s.kept.count + wide - 1) / wide, jobs = across * s.parts;
	int row = (int)(threadIdx.x / s.columns), rows = (int)(REDUCE_BLOCK / s.columns);
	for (int64_t job = blockIdx.x; job < jobs; job += gridDim.x) {
		int64_t part = s.parts == 1 ? 0 : job / across, output = ((job - part * across) * s.columns) * N;
		output += (int64_t)(threadIdx.x % s.columns) * N;
		A result[N];
#pragma unroll
		for (int n = 0; n < N; n++)
			result[n] = op.none();
		offsets<2, int64_t> o = {};
		if (output < s.kept.count) {
			int64_t from = part * s.per_part, to = from + s.per_part;
			o = locate_once(s.kept, output);
			add_terms(op, s, x + o.at[MT_CUDA_KEPT_X], from + row, to < s.work ? to : s.work, rows, result);
		}
		join_rows(op, result, s.columns, shared);
		if (row != 0 || output >= s.kept.count)
			continue;
		int64_t step = s.kept.rank > 0 ? s.kept.stride[MT_CUDA_KEPT_OUT][s.kept.rank - 1] : 0;
#pragma unroll
		for (int n = 0; n < N; n++)
			if (partial)
				partial[(output + n) * s.parts + part] = result[n];
			else
				op.put(out + o.at[MT_CUDA_KEPT_OUT] + n * step, result[n], s.count);
	}
}

/* ---- both ---- */

/* A group an output: joins its parts. */
template <class O, class Op>
static __global__ void reduce_parts(const __grid_constant__ reduce_shape s, unsigned group, Op op,
                                    const typename Op::A *partial, O *out) {
	__shared__ typename Op::A shared[REDUCE_BLOCK / WARP];
	int64_t per_block = REDUCE_BLOCK / group;
	for (int64_t first = blockIdx.x * per_block; first < s.kept.count; first += gridDim.x * per_block) {
		int64_t output = first + threadIdx.x / group;
		typename Op::A result = op.none();
		if (output < s.kept.count)
			for (int64_t part = threadIdx.x % group; part < s.parts; part += group)
				result = op.join(result, partial[output * s.parts + part]);
		result = group_all(op, result, group, shared);
		if (output < s.kept.count && threadIdx.x % group == 0)
			op.put(out + locate_once(s.kept, output).at[MT_CUDA_KEPT_OUT], result, s.count);
	}
}

/* Vectors only where WIDE: ops that are rare do not need a kernel more. */
template <bool WIDE, class T, class O, class Op>
static int32_t launch_reduction(mt_queue *queue, const char *name, const mt_cuda_reduce_plan &p, const Op &op,
                                const T *x, O *out) {
	constexpr int N = REDUCE_PACK<T>;
	constexpr int64_t MOST = INT64_C(1) << 30;
	typename Op::A *partial = nullptr;
	if (p.parts > 1) {
		partial = (typename Op::A *)mt__cuda_scratch(queue, (uint64_t)(p.kept.count * p.parts) * sizeof *partial, name);
		if (!partial)
			return MT_E_MEMORY;
	}
	const reduce_shape s(p);
	const bool wide = WIDE && p.vector == N;
	int64_t jobs = p.kept.count * p.parts;
	int32_t status;
	if (p.down) {
		unsigned blocks = mt__cuda_blocks(p.kept.count, (int64_t)p.columns * (wide ? N : 1), MOST / p.parts);
		auto kernel = wide ? reduce_down < T, WIDE ? N : 1, O, Op > : reduce_down<T, 1, O, Op>;
		status = launch(queue, name, blocks * (unsigned)p.parts, REDUCE_BLOCK, kernel, s, op, x, out, partial);
	} else {
		unsigned blocks = mt__cuda_blocks(jobs, REDUCE_BLOCK / p.group, MOST);
		status = launch(queue, name, blocks, REDUCE_BLOCK, reduce_across<T, O, Op>, s, op, x, out, partial);
	}
	if (status != MT_OK || p.parts == 1)
		return status;
	unsigned group = p.parts > 8 * (int64_t)WARP ? REDUCE_BLOCK : WARP;
	return launch(queue, name, mt__cuda_blocks(p.kept.count, REDUCE_BLOCK / group, MOST), REDUCE_BLOCK,
	              reduce_parts<O, Op>, s, group, op, (const typename Op::A *)partial, out);
}

#endif
