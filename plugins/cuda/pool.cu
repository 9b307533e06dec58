/* pool: a thread an output, which goes through its window in row-major order.
 * pool_grad: a thread a cell of gx, which goes through the windows that may have read it, in row-major order: no atomics.
 * Every array has three spatial dims here; missing ones come first, with extent 1. */
#include <stdlib.h>

#include "fault.cuh"
#include "launch.cuh"
#include "walk.cuh"

constexpr int DIMS = 3;

template <class I> struct place { I n, c, s[DIMS]; };

/* Positions of an array [N, C, S…], neighbours innermost. */
template <class I> struct space {
	int64_t count;
	divider<I> channels, extent[DIMS];
	bool channels_last;

	__device__ static I take(I &i, const divider<I> &d) {
		I next = d.quotient(i), index = i - next * d.divisor;
		i = next;
		return index;
	}
	__device__ place<I> operator[](I i) const {
		place<I> p;
		if (channels_last)
			p.c = take(i, channels);
#pragma unroll
		for (int d = DIMS - 1; d >= 0; d--)
			p.s[d] = take(i, extent[d]);
		if (!channels_last)
			p.c = take(i, channels);
		p.n = i;
		return p;
	}
};

/* An array by place; strides in elements. */
template <class T, class I> struct planes {
	T *at;
	I stride[2 + DIMS];

	__device__ T *plane(const place<I> &p) const {
		return at + (p.n * stride[0] + p.c * stride[1]);
	}
	__device__ I offset(const I (&s)[DIMS]) const {
		return s[0] * stride[2] + s[1] * stride[3] + s[2] * stride[4];
	}
	__device__ T *operator[](const place<I> &p) const {
		return plane(p) + offset(p.s);
	}
};

/* One dim of windows: output o, tap k is input o · step − pad + k · dilation. */
template <class I> struct window_dim {
	I input, outputs, kernel, pad, dilation;
	divider<I> step;

	/* Inputs of output o: begin, begin + dilation, … below end. */
	__device__ I begin(I o) const {
		I start = o * step.divisor - pad;
		if (start >= 0)
			return start;
		return dilation == 1 ? 0 : start + (dilation - 1 - start) / dilation * dilation;
	}
	__device__ I end(I o) const {
		I past = o * step.divisor - pad + (kernel - 1) * dilation + 1;
		return past < input ? past : input;
	}
	/* What an average divides by in this dim: the window clipped to the padded extent, or to the input. */
	__device__ I clipped(I o, bool padded) const {
		if (!padded)
			return end(o) - begin(o);
		I start = o * step.divisor - pad, past = start + kernel;
		return (past < input + pad ? past : input + pad) - start;
	}
	/* Outputs whose windows span input s: first, first + 1, … below past. */
	__device__ I first(I s) const {
		I beyond = s + pad - (kernel - 1) * dilation;
		return beyond <= 0 ? 0 : step.quotient(beyond + step.divisor - 1);
	}
	__device__ I past(I s) const {
		I o = step.quotient(s + pad) + 1;
		return o < outputs ? o : outputs;
	}
};

template <class I> struct windows {
	window_dim<I> d[DIMS];
	bool padded;

	template <class C> __device__ C divisor(const I (&o)[DIMS]) const {
		return (C)d[0].clipped(o[0], padded) * (C)d[1].clipped(o[1], padded) * (C)d[2].clipped(o[2], padded);
	}
	/* Row-major position of a cell within a plane. */
	__device__ I position(const I (&s)[DIMS]) const {
		return (s[0] * d[1].input + s[1]) * d[2].input + s[2];
	}
	__device__ I plane() const {
		return d[0].input * d[1].input * d[2].input;
	}
	/* Calls f(s) for the cells of output o's window, in row-major order. */
	template <class F> __device__ void each_cell(const I (&o)[DIMS], F f) const {
		I s[DIMS], begin1 = d[1].begin(o[1]), end1 = d[1].end(o[1]), begin2 = d[2].begin(o[2]), end2 = d[2].end(o[2]);
		for (s[0] = d[0].begin(o[0]); s[0] < d[0].end(o[0]); s[0] += d[0].dilation)
			for (s[1] = begin1; s[1] < end1; s[1] += d[1].dilation)
				for (s[2] = begin2; s[2] < end2; s[2] += d[2].dilation)
					f(s);
	}
	/* Calls f(o) for the outputs whose windows span cell s, in row-major order: a few, for which registers that would
	 * hold more at once do not pay. */
	template <class F> __device__ void each_window(const I (&s)[DIMS], F f) const {
		I o[DIMS], first1 = d[1].first(s[1]), past1 = d[1].past(s[1]), first2 = d[2].first(s[2]),
				   past2 = d[2].past(s[2]);
		for (o[0] = d[0].first(s[0]); o[0] < d[0].past(s[0]); o[0]++)
			for (o[1] = first1; o[1] < past1; o[1]++)
#pragma unroll 1
				for (o[2] = first2; o[2] < past2; o[2]++)
					f(o);
	}
};

/* ---- kernels ---- */

/* The first NaN, or else the first largest. */
template <class T, class I>
static __global__ void __launch_bounds__(BLOCK, 1)
	pool_max(space<I> outputs, windows<I> w, planes<const T, I> x, planes<T, I> out, planes<int32_t, I> indices) {
	using C = compute_of<T>;
	for (int64_t i = first_position(); i < outputs.count; i += position_step()) {
		place<I> p = outputs[(I)i];
		const T *plane = x.plane(p);
		C best = -INFINITY;
		I winner = -1;
		w.each_cell(p.s, [&](const I(&s)[DIMS]) {
			C v = load(plane[x.offset(s)]);
			if (winner < 0 || (best == best && !(v <= best))) {
				best = v;
				winner = w.position(s);
			}
		});
		store(out[p], best);
		if (indices.at)
			*indices[p] = (int32_t)winner;
	}
}

template <class T, class I>
static __global__ void __launch_bounds__(BLOCK, 1)
	pool_average(space<I> outputs, windows<I> w, planes<const T, I> x, planes<T, I> out) {
	using C = compute_of<T>;
	for (int64_t i = first_position(); i < outputs.count; i += position_step()) {
		place<I> p = outputs[(I)i];
		const T *plane = x.plane(p);
		C sum = 0;
		w.each_cell(p.s, [&](const I(&s)[DIMS]) { sum += load(plane[x.offset(s)]); });
		store(out[p], sum / w.template divisor<C>(p.s));
	}
}

/* An index that names no cell of its plane is reported and left out. */
template <class T, class I>
static __global__ void __launch_bounds__(BLOCK, 1)
	pool_max_grad(space<I> cells, windows<I> w, planes<const T, I> gout, planes<const int32_t, I> indices,
                  planes<T, I> gx, mt_cuda_fault *fault) {
	using C = compute_of<T>;
	for (int64_t i = first_position(); i < cells.count; i += position_step()) {
		place<I> p = cells[(I)i];
		const T *gradients = gout.plane(p);
		const int32_t *winners = indices.plane(p);
		I cell = w.position(p.s), plane = w.plane();
		int32_t wrong = 0;
		C sum = 0;
		w.each_window(p.s, [&](const I(&o)[DIMS]) {
			int32_t winner = winners[indices.offset(o)];
			if (winner == cell)
				sum += load(gradients[gout.offset(o)]);
			else if (winner < 0 || winner >= plane)
				wrong = winner;
		});
		if (wrong != 0)
			report_index(fault, MT_K_POOL_GRAD, wrong, 0, plane);
		store(gx[p], sum);
	}
}

template <class T, class I>
static __global__ void __launch_bounds__(BLOCK, 1)
	pool_average_grad(space<I> cells, windows<I> w, planes<const T, I> gout, planes<T, I> gx) {
	using C = compute_of<T>;
	for (int64_t i = first_position(); i < cells.count; i += position_step()) {
		place<I> p = cells[(I)i];
		const T *gradients = gout.plane(p);
		C sum = 0;
		w.each_window(p.s,
		              [&](const I(&o)[DIMS]) { sum += load(gradients[gout.offset(o)]) / w.template divisor<C>(o); });
		store(gx[p], sum);
	}
}

/* ---- on the host ---- */

/* An array as [N, C, S0, S1, S2]. */
struct five_dims {
	int64_t shape[2 + DIMS], stride[2 + DIMS];

	explicit five_dims(const mt_array *a) : shape{1, 1, 1, 1, 1}, stride{} {
		for (int d = 0; a && d < a->rank; d++) {
			int to = d < 2 ? d : d + 2 + DIMS - a->rank;
			shape[to] = a->shape[d];
			stride[to] = a->stride[d];
		}
	}
	bool is_narrow() const {
		const int64_t *strides[] = {stride};
		mt_cuda_walk w;
		mt__cuda_walk(&w, 1, 2 + DIMS, shape, strides);
		return mt__cuda_walk_is_narrow(&w);
	}
};

template <class T, class I> static planes<T, I> planes_of(const mt_array *a) {
	five_dims f(a);
	planes<T, I> p = {origin_or_null<T>(a), {}};
	for (int d = 0; d < 2 + DIMS; d++)
		p.stride[d] = (I)f.stride[d];
	return p;
}

template <class I> static space<I> space_of(const mt_array *a) {
	five_dims f(a);
	space<I> s = {};
	s.count = 1;
	for (int d = 0; d < 2 + DIMS; d++)
		s.count *= f.shape[d];
	s.channels = divider<I>(f.shape[1]);
	for (int d = 0; d < DIMS; d++)
		s.extent[d] = divider<I>(f.shape[2 + d]);
	s.channels_last = f.shape[1] > 1 && llabs(f.stride[1]) < llabs(a->stride[a->rank - 1]);
	return s;
}

template <class I> static windows<I> windows_of(const mt_array *x, const mt_array *out, const mt_pool_params &p) {
	five_dims in(x), outputs(out);
	windows<I> w = {};
	int missing = 2 + DIMS - x->rank;
	for (int d = 0; d < DIMS; d++) {
		int from = d - missing;
		w.d[d] = {(I)in.shape[2 + d],
		          (I)outputs.shape[2 + d],
		          (I)(from < 0 ? 1 : p.kernel[from]),
		          (I)(from < 0 ? 0 : p.pad[from]),
		          (I)(from < 0 ? 1 : p.dilation[from]),
		          divider<I>(from < 0 ? 1 : p.stride[from])};
	}
	w.padded = p.count_include_pad != 0;
	return w;
}

/* Whether 32 bits do for every array, and for every sum of positions on the way. */
static bool is_narrow(const mt_array *x, const mt_array *out, const mt_array *indices, const mt_pool_params &p) {
	if (!five_dims(x).is_narrow() || !five_dims(out).is_narrow() || (indices && !five_dims(indices).is_narrow()))
		return false;
	for (int d = 0; d < x->rank - 2; d++) {
		int64_t reach = out->shape[2 + d] * p.stride[d] + (int64_t)p.kernel[d] * p.dilation[d] + p.pad[d];
		if (reach + x->shape[2 + d] > INT32_MAX)
			return false;
	}
	return true;
}

/* Calls f(T(), I()). */
template <class F> static int32_t for_pool(const mt_array *x, const char *name, bool narrow, F f) {
	return for_float(x->dtype, name,
	                 [&](auto element) { return narrow ? f(element, int32_t()) : f(element, int64_t()); });
}

int32_t mt__cuda_pool(mt_queue *queue, const struct mt_pool_args *args) {
	const mt_array *x = args->x, *out = args->out;
	bool narrow = is_narrow(x, out, args->indices, args->p);
	return for_pool(x, "pool", narrow, [&](auto element, auto index) {
		using T = decltype(element);
		using I = decltype(index);
		space<I> outputs = space_of<I>(out);
		windows<I> w = windows_of<I>(x, out, args->p);
		planes<const T, I> from = planes_of<const T, I>(x);
		planes<T, I> to = planes_of<T, I>(out);
		unsigned blocks = blocks_for(outputs.count);
		if (args->op == MT_POOL_MAX)
			return launch(queue, "pool", blocks, BLOCK, pool_max<T, I>, outputs, w, from, to,
			              planes_of<int32_t, I>(args->indices));
		return launch(queue, "pool", blocks, BLOCK, pool_average<T, I>, outputs, w, from, to);
	});
}

int32_t mt__cuda_pool_grad(mt_queue *queue, const struct mt_pool_grad_args *args) {
	const mt_array *gout = args->gout, *gx = args->gx;
	bool narrow = is_narrow(gx, gout, args->indices, args->p);
	return for_pool(gx, "pool_grad", narrow, [&](auto element, auto index) {
		using T = decltype(element);
		using I = decltype(index);
		space<I> cells = space_of<I>(gx);
		windows<I> w = windows_of<I>(gx, gout, args->p);
		planes<const T, I> from = planes_of<const T, I>(gout);
		planes<T, I> to = planes_of<T, I>(gx);
		unsigned blocks = blocks_for(cells.count);
		if (args->op == MT_POOL_MAX)
			return launch(queue, "pool_grad", blocks, BLOCK, pool_max_grad<T, I>, cells, w, from,
			              planes_of<const int32_t, I>(args->indices), to, queue->fault_device);
		return launch(queue, "pool_grad", blocks, BLOCK, pool_average_grad<T, I>, cells, w, from, to);
	});
}
