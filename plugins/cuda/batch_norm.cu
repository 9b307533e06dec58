/* batch_norm and its gradients over the channels of [N, C, S].  A channel that a group of threads holds is read once, a
 * larger one twice: its chunks are summed up, put together, and written. */
#include "channels.cuh"
#include "moments.cuh"

static const char *const forward = "batch_norm", *const backward = "batch_norm_grad";

template <class T> struct batch_norm {
	using C = compute_of<T>;
	channels<const T> x;
	channels<T> out;
	side<C> weight, bias;
	results<C> running_mean, running_var, mean, rstd;
	C eps, momentum, keep; /* keep = 1 − momentum */
	bool training;
};

/* Writes what the batch's moments say of a channel; gives mean and rstd. */
template <class T, class C>
__device__ static pair<C> write_statistics(const batch_norm<T> &b, const row_grid &g, const seat &s,
                                           const pair<C> &moments) {
	C n = (C)g.length, variance = moments.b / n;
	pair<C> statistics = {moments.a, 1 / sqrt(variance + b.eps)};
	if (!s.leads)
		return statistics;
	b.mean[s.row] = statistics.a;
	b.rstd[s.row] = statistics.b;
	if (b.running_mean.at)
		b.running_mean[s.row] = b.keep * b.running_mean[s.row] + b.momentum * moments.a;
	/* One element alone has no unbiased variance: its 0 stays. */
	if (b.running_var.at)
		b.running_var[s.row] =
			b.keep * b.running_var[s.row] + b.momentum * (g.length > 1 ? moments.b / (C)(g.length - 1) : variance);
	return statistics;
}

/* Mean and rstd from the running ones. */
template <class T, class C = compute_of<T>>
__device__ static pair<C> running_statistics(const batch_norm<T> &b, const seat &s) {
	pair<C> statistics = {b.running_mean[s.row], 1 / sqrt(b.running_var[s.row] + b.eps)};
	if (s.leads && s.chunk == 0) {
		b.mean[s.row] = statistics.a;
		b.rstd[s.row] = statistics.b;
	}
	return statistics;
}

template <class T, int P, int R>
static __global__ void __launch_bounds__(MT_CUDA_ROW_THREADS, 1)
	batch_norm_channels(row_grid g, row_phase phase, channel_runs runs, batch_norm<T> b, pair<compute_of<T>> *chunks) {
	using C = compute_of<T>;
	__shared__ C shared[MT_CUDA_ROW_THREADS];
	for (int64_t unit = blockIdx.x; unit < g.units; unit += gridDim.x) {
		seat s = take_seat<P>(g, unit);
		C v[R];
		pair<C> statistics;
		load_row<P>(s, channel_line<const T>(b.x, runs, s), v);
		if (!b.training)
			statistics = running_statistics(b, s);
		else if (phase == WRITE_CHUNKS)
			statistics = {b.mean[s.row], b.rstd[s.row]};
		else
			statistics = moments_of<P, R>(g, s, v, shared);
		if (phase == SUM_CHUNKS) {
			if (s.leads)
				chunks[chunk_slot(g, s.row, s.chunk)] = statistics;
			continue;
		}
		if (phase == WHOLE_ROWS)
			statistics = write_statistics(b, g, s, statistics);
		C mean = statistics.a, scale = statistics.b * b.weight.get(s.row, C(1)), bias = b.bias.get(s.row, C(0));
		store_row<P, R>(s, channel_line<T>(b.out, runs, s),
		                [&](int i, int32_t) { return (v[i] - mean) * scale + bias; });
	}
}

template <class T>
static __global__ void __launch_bounds__(MT_CUDA_ROW_THREADS, 1)
	finish_batch_norm(row_grid g, row_grid chunked, batch_norm<T> b, const pair<compute_of<T>> *chunks) {
	using C = compute_of<T>;
	__shared__ C shared[MT_CUDA_ROW_THREADS];
	for (int64_t unit = blockIdx.x; unit < g.units; unit += gridDim.x) {
		seat s = take_seat<1>(g, unit);
		write_statistics(b, chunked, s, moments_of_chunks(g, s, chunked, chunks, shared));
	}
}

/* ---- gradients ---- */

/* gx.at, gweight.at, gbias.at may be NULL. */
template <class T> struct batch_norm_grads {
	using C = compute_of<T>;
	channels<const T> gout, x;
	channels<T> gx;
	side<C> weight;
	results<const C> mean, rstd;
	results<C> gweight, gbias;
	bool training;
};

/* sums: Σ gout and Σ gout h. */
template <class T, class C>
__device__ static void write_parameters(const batch_norm_grads<T> &b, const seat &s, const pair<C> &sums) {
	if (s.leads && b.gbias.at)
		b.gbias[s.row] = sums.a;
	if (s.leads && b.gweight.at)
		b.gweight[s.row] = sums.b;
}

template <class T, int P, int R>
static __global__ void __launch_bounds__(MT_CUDA_ROW_THREADS, 1)
	batch_norm_grad_channels(row_grid g, row_phase phase, channel_runs runs, batch_norm_grads<T> b,
                             pair<compute_of<T>> *chunks, const pair<compute_of<T>> *whole) {
	using C = compute_of<T>;
	__shared__ pair<C> shared[MT_CUDA_ROW_THREADS];
	for (int64_t unit = blockIdx.x; unit < g.units; unit += gridDim.x) {
		seat s = take_seat<P>(g, unit);
		C gout[R], h[R] = {}, mean = b.mean[s.row], rstd = b.rstd[s.row];
		pair<C> sums = {0, 0};
		load_row<P>(s, channel_line<const T>(b.gout, runs, s), gout);
		if (phase != WRITE_CHUNKS || b.training) {
			load_row<P>(s, channel_line<const T>(b.x, runs, s), h);
#pragma unroll
			for (int i = 0; i < R; i++)
				h[i] = (h[i] - mean) * rstd;
		}
		if (phase != WRITE_CHUNKS) {
			each<P, R>(s, [&](int i, int32_t) {
				sums.a += gout[i];
				sums.b += gout[i] * h[i];
			});
			sums = group_sums(g, sums, shared);
		} else if (b.training) {
			sums = whole[s.row];
		}
		if (phase == SUM_CHUNKS) {
			if (s.leads)
				chunks[chunk_slot(g, s.row, s.chunk)] = sums;
			continue;
		}
		if (phase == WHOLE_ROWS)
			write_parameters(b, s, sums);
		if (!b.gx.at)
			continue;
		C scale = rstd * b.weight.get(s.row, C(1)), n = (C)g.length;
		C mean_g = b.training ? sums.a / n : C(0), mean_gh = b.training ? sums.b / n : C(0);
		store_row<P, R>(s, channel_line<T>(b.gx, runs, s), [&](int i, int32_t) {
			return scale * (b.training ? gout[i] - mean_g - h[i] * mean_gh : gout[i]);
		});
	}
}

template <class T>
static __global__ void __launch_bounds__(MT_CUDA_ROW_THREADS, 1)
	finish_batch_norm_grad(row_grid g, row_grid chunked, batch_norm_grads<T> b, const pair<compute_of<T>> *chunks,
                           pair<compute_of<T>> *whole) {
	using C = compute_of<T>;
	__shared__ pair<C> shared[MT_CUDA_ROW_THREADS];
	for (int64_t unit = blockIdx.x; unit < g.units; unit += gridDim.x) {
		seat s = take_seat<1>(g, unit);
		pair<C> sums = sums_of_chunks(g, s, chunked, chunks, shared);
		write_parameters(b, s, sums);
		if (s.leads)
			whole[s.row] = sums;
	}
}

/* ---- on the host ---- */

template <class T> static int32_t run_forward(mt_queue *queue, const struct mt_batch_norm_args *args) {
	using C = compute_of<T>;
	using A = pair<C>;
	const mt_array *arrays[] = {args->x, args->out};
	channel_plan c = plan_channels(2, arrays);
	bool training = args->training != 0;
	batch_norm<T> b = {channels_of<const T>(c, 0, args->x),
	                   channels_of<T>(c, 1, args->out),
	                   side_of<C>(args->weight),
	                   side_of<C>(args->bias),
	                   results_of<C>(args->running_mean),
	                   results_of<C>(args->running_var),
	                   results_of<C>(args->mean),
	                   results_of<C>(args->rstd),
	                   (C)args->eps,
	                   (C)args->momentum,
	                   (C)(1 - args->momentum),
	                   training};
	mt_cuda_rows p;
	if (training)
		mt__cuda_plan_rows(&p, c.rows, c.length, c.along, c.pack, FEWER<T>, MORE<T, 1>);
	else
		mt__cuda_plan_pass(&p, c.rows, c.length, c.along, c.pack, FEWER<T>);
	void *scratch;
	int32_t status = scratch_of(queue, training ? chunk_bytes<A>(p) : 0, forward, &scratch);
	if (status != MT_OK)
		return status;
	auto write = [&](row_phase phase) {
		return for_seat<T, FEWER<T>, MORE<T, 1>>(p, [&](auto shape) {
			return launch_rows(queue, forward, p, batch_norm_channels<T, shape.pack, shape.values>, phase,
			                   channel_runs(c.run, p), b, (A *)scratch);
		});
	};
	auto finish = [&](const mt_cuda_rows &together) {
		return launch_rows(queue, forward, together, finish_batch_norm<T>, row_grid(p), b, (const A *)scratch);
	};
	return training ? run_phases(p, write, finish) : write(WRITE_CHUNKS);
}

int32_t mt__cuda_batch_norm(mt_queue *queue, const struct mt_batch_norm_args *args) {
	return for_float(args->x->dtype, forward,
	                 [&](auto element) { return run_forward<decltype(element)>(queue, args); });
}

template <class T> static int32_t run_backward(mt_queue *queue, const struct mt_batch_norm_grad_args *args) {
	using C = compute_of<T>;
	using A = pair<C>;
	const mt_array *gx = args->gx, *arrays[] = {args->gout, args->x, gx ? gx : args->x};
	channel_plan c = plan_channels(3, arrays);
	bool sums = args->training || args->gweight || args->gbias;
	batch_norm_grads<T> b = {channels_of<const T>(c, 0, args->gout),
	                         channels_of<const T>(c, 1, args->x),
	                         channels_of<T>(c, 2, gx),
	                         side_of<C>(args->weight),
	                         results_of<const C>(args->mean),
	                         results_of<const C>(args->rstd),
	                         results_of<C>(args->gweight),
	                         results_of<C>(args->gbias),
	                         args->training != 0};
	mt_cuda_rows p;
	if (sums)
		mt__cuda_plan_rows(&p, c.rows, c.length, c.along, c.pack, FEWER<T>, MORE<T, 2>);
	else
		mt__cuda_plan_pass(&p, c.rows, c.length, c.along, c.pack, FEWER<T>);
	void *scratch;
	int32_t status = scratch_of(queue, sums ? chunk_bytes<A>(p) : 0, backward, &scratch);
	if (status != MT_OK)
		return status;
	chunk_sums<A> s = chunk_sums_at<A>(p, scratch);
	auto write = [&](row_phase phase) {
		if (phase == WRITE_CHUNKS && !gx)
			return (int32_t)MT_OK;
		return for_seat<T, FEWER<T>, MORE<T, 2>>(p, [&](auto shape) {
			return launch_rows(queue, backward, p, batch_norm_grad_channels<T, shape.pack, shape.values>, phase,
			                   channel_runs(c.run, p), b, s.chunks, s.whole);
		});
	};
	auto finish = [&](const mt_cuda_rows &together) {
		return launch_rows(queue, backward, together, finish_batch_norm_grad<T>, row_grid(p), b, s.chunks, s.whole);
	};
	return sums ? run_phases(p, write, finish) : write(WRITE_CHUNKS);
}

int32_t mt__cuda_batch_norm_grad(mt_queue *queue, const struct mt_batch_norm_grad_args *args) {
	return for_float(args->x->dtype, backward,
	                 [&](auto element) { return run_backward<decltype(element)>(queue, args); });
}
