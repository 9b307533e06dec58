/* layer_norm: rows of [M, N] that a group of threads holds are read once, longer ones twice.  (The gradient:
 * layer_norm_grad.cu.) */
#include "moments.cuh"

/* x, out: row 0. */
template <class T> struct layer_norm_rows {
	const T *x;
	T *out;
	int64_t x_row, x_stride, out_row, out_stride;
	side<T> weight, bias;
	results<compute_of<T>> mean, rstd;
	compute_of<T> eps;
};

/* Writes mean and rstd of a row. */
template <class T, class C>
__device__ static pair<C> write_statistics(const layer_norm_rows<T> &r, const row_grid &g, const seat &s,
                                           const pair<C> &moments) {
	pair<C> statistics = {moments.a, 1 / sqrt(moments.b / (C)g.length + r.eps)};
	if (s.leads) {
		r.mean[s.row] = statistics.a;
		r.rstd[s.row] = statistics.b;
	}
	return statistics;
}

template <class T, int P, int R>
static __global__ void __launch_bounds__(MT_CUDA_ROW_THREADS, 1)
	layer_norm_kernel(row_grid g, row_phase phase, layer_norm_rows<T> r, pair<compute_of<T>> *chunks) {
	using C = compute_of<T>;
	__shared__ C shared[MT_CUDA_ROW_THREADS];
	for (int64_t unit = blockIdx.x; unit < g.units; unit += gridDim.x) {
		seat s = take_seat<P>(g, unit);
		C v[R];
		pair<C> statistics;
		load_row<P>(s, line<const T>(r.x + s.row * r.x_row, r.x_stride, s.start), v);
		if (phase == WRITE_CHUNKS)
			statistics = {r.mean[s.row], r.rstd[s.row]};
		else
			statistics = moments_of<P, R>(g, s, v, shared);
		if (phase == SUM_CHUNKS) {
			if (s.leads)
				chunks[chunk_slot(g, s.row, s.chunk)] = statistics;
			continue;
		}
		if (phase == WHOLE_ROWS)
			statistics = write_statistics(r, g, s, statistics);
		side_reader<T, P> weight(r.weight, s), bias(r.bias, s);
		each_pack<P, R>(s, [&](int i, int32_t) {
			C w[P], b[P];
			weight.next(C(1), w);
			bias.next(C(0), b);
#pragma unroll
			for (int j = 0; j < P; j++)
				v[i + j] = (v[i + j] - statistics.a) * statistics.b * w[j] + b[j];
		});
		store_row<P, R>(s, line<T>(r.out + s.row * r.out_row, r.out_stride, s.start),
		                [&](int i, int32_t) { return v[i]; });
	}
}

template <class T>
static __global__ void __launch_bounds__(MT_CUDA_ROW_THREADS, 1)
	finish_layer_norm(row_grid g, row_grid chunked, layer_norm_rows<T> r, const pair<compute_of<T>> *chunks) {
	using C = compute_of<T>;
	__shared__ C shared[MT_CUDA_ROW_THREADS];
	for (int64_t unit = blockIdx.x; unit < g.units; unit += gridDim.x) {
		seat s = take_seat<1>(g, unit);
		write_statistics(r, chunked, s, moments_of_chunks(g, s, chunked, chunks, shared));
	}
}

/* ---- on the host ---- */

template <class T> static layer_norm_rows<T> rows_of(const struct mt_layer_norm_args *args) {
	using C = compute_of<T>;
	const mt_array *x = args->x, *out = args->out;
	return {origin<T>(x),
	        origin<T>(out),
	        x->stride[0],
	        x->stride[1],
	        out->stride[0],
	        out->stride[1],
	        side_of<T>(args->weight),
	        side_of<T>(args->bias),
	        results_of<C>(args->mean),
	        results_of<C>(args->rstd),
	        (C)args->eps};
}

template <class T> static int32_t layer_norm(mt_queue *queue, const struct mt_layer_norm_args *args) {
	using A = pair<compute_of<T>>;
	const char *name = "layer_norm";
	const mt_array *matrices[] = {args->x, args->out}, *sides[] = {args->weight, args->bias};
	layer_norm_rows<T> r = rows_of<T>(args);
	matrix_rows m = rows_of_matrices(2, matrices, 2, sides);
	mt_cuda_rows p;
	mt__cuda_plan_rows(&p, args->x->shape[0], args->x->shape[1], m.along, m.pack, FEWER<T>,
	                   m.pack > 1 ? MORE<T, 1> : MORE<T, 2>);
	void *scratch;
	int32_t status = scratch_of(queue, chunk_bytes<A>(p), name, &scratch);
	if (status != MT_OK)
		return status;
	return run_phases(
		p,
		[&](row_phase phase) {
			return for_seat<T, FEWER<T>, MORE<T, 1>, MORE<T, 2>>(p, [&](auto shape) {
				return launch_rows(queue, name, p, layer_norm_kernel<T, shape.pack, shape.values>, phase, r,
			                       (A *)scratch);
			});
		},
		[&](const mt_cuda_rows &together) {
			return launch_rows(queue, name, together, finish_layer_norm<T>, row_grid(p), r, (const A *)scratch);
		});
}

int32_t mt__cuda_layer_norm(mt_queue *queue, const struct mt_layer_norm_args *args) {
	return for_float(args->x->dtype, "layer_norm",
	                 [&](auto element) { return layer_norm<decltype(element)>(queue, args); });
}
