/* softmax, log_softmax and their gradients.  A row that fits the registers of a group of threads is read once.  Of longer
 * rows each chunk is summed up, the sums are put together, and the chunks are read again and written.
 *
 * Infinities and NaN: a largest element of ±inf makes the row NaN, as x − m says; a NaN does so through the sum. */
#include "chunks.cuh"

/* A pair here is max x, and Σ e^(x − max), or Σ e^x where the largest is infinite. */

/* That of a row, from those of its chunks. */
template <class C>
static __global__ void __launch_bounds__(MT_CUDA_ROW_THREADS, 1)
	finish_softmax(row_grid g, row_grid chunked, const pair<C> *chunks, pair<C> *whole) {
	__shared__ C shared[MT_CUDA_ROW_THREADS];
	for (int64_t unit = blockIdx.x; unit < g.units; unit += gridDim.x) {
		seat s = take_seat<1>(g, unit);
		C top = -INFINITY, sum = 0;
		each_chunk(g, s, [&](int64_t c) { top = fmax(top, chunks[chunk_slot(chunked, s.row, c)].a); });
		top = group_all(g, top, shared, join_larger());
		each_chunk(g, s, [&](int64_t c) {
			pair<C> part = chunks[chunk_slot(chunked, s.row, c)];
			sum += part.b * exp(finite_or_zero(part.a) - finite_or_zero(top));
		});
		sum = group_sum(g, sum, shared);
		if (s.leads)
			whole[s.row] = {top, sum};
	}
}

/* chunks: of each chunk, written by SUM_CHUNKS; whole: of each row, read by WRITE_CHUNKS. */
template <class T, int P, int R>
static __global__ void __launch_bounds__(MT_CUDA_ROW_THREADS, BLOCKS_AT_ONCE<T, P>)
	softmax_rows(row_grid g, row_phase phase, walk<2, int64_t> rows, int64_t x_stride, int64_t out_stride,
                 bool logarithm, const T *x, T *out, pair<compute_of<T>> *chunks, const pair<compute_of<T>> *whole) {
	using C = compute_of<T>;
	__shared__ C shared[MT_CUDA_ROW_THREADS];
	for (int64_t unit = blockIdx.x; unit < g.units; unit += gridDim.x) {
		seat s = take_seat<P>(g, unit);
		offsets<2, int64_t> o = locate(rows, s.row);
		C v[R], top = -INFINITY, sum = 0;
		load_row<P>(s, line<const T>(x + o.at[0], x_stride, s.start), v);
		if (phase == WRITE_CHUNKS) {
			top = whole[s.row].a;
		} else {
			each<P, R>(s, [&](int i, int32_t) { top = fmax(top, v[i]); });
			top = group_all(g, top, shared, join_larger());
		}
		C shift = finite_or_zero(top);
		if (!logarithm || phase != WRITE_CHUNKS)
			each<P, R>(s, [&](int i, int32_t) {
				C power = exp(v[i] - shift);
				sum += power;
				v[i] = logarithm ? v[i] : power;
			});
		sum = phase == WRITE_CHUNKS ? whole[s.row].b : group_sum(g, sum, shared);
		if (phase == SUM_CHUNKS) {
			if (s.leads)
				chunks[chunk_slot(g, s.row, s.chunk)] = {top, sum};
			continue;
		}
		sum = isinf(top) ? C(NAN) : sum;
		C scale = logarithm ? log(sum) : 1 / sum;
		store_row<P, R>(s, line<T>(out + o.at[1], out_stride, s.start),
		                [&](int i, int32_t) { return logarithm ? v[i] - top - scale : v[i] * scale; });
	}
}

/* ---- gradients ---- */

template <class C>
static __global__ void __launch_bounds__(MT_CUDA_ROW_THREADS, 1)
	finish_sum(row_grid g, row_grid chunked, const C *chunks, C *whole) {
	__shared__ C shared[MT_CUDA_ROW_THREADS];
	for (int64_t unit = blockIdx.x; unit < g.units; unit += gridDim.x) {
		seat s = take_seat<1>(g, unit);
		C sum = 0;
		each_chunk(g, s, [&](int64_t c) { sum += chunks[chunk_slot(chunked, s.row, c)]; });
		sum = group_sum(g, sum, shared);
		if (s.leads)
			whole[s.row] = sum;
	}
}

struct grad_strides {
	int64_t gout, y, gx;
};

template <class T, int P, int R>
static __global__ void __launch_bounds__(MT_CUDA_ROW_THREADS, BLOCKS_AT_ONCE<T, P>)
	softmax_grad_rows(row_grid g, row_phase phase, walk<3, int64_t> rows, grad_strides stride, bool logarithm,
                      const T *gout, const T *y, T *gx, compute_of<T> *chunks, const compute_of<T> *whole) {
	using C = compute_of<T>;
	__shared__ C shared[MT_CUDA_ROW_THREADS];
	for (int64_t unit = blockIdx.x; unit < g.units; unit += gridDim.x) {
		seat s = take_seat<P>(g, unit);
		offsets<3, int64_t> o = locate(rows, s.row);
		C gradient[R], value[R], sum = 0;
		load_row<P>(s, line<const T>(gout + o.at[0], stride.gout, s.start), gradient);
		load_row<P>(s, line<const T>(y + o.at[1], stride.y, s.start), value);
		if (phase == WRITE_CHUNKS) {
			sum = whole[s.row];
		} else {
			each<P, R>(s, [&](int i, int32_t) { sum += logarithm ? gradient[i] : gradient[i] * value[i]; });
			sum = group_sum(g, sum, shared);
		}
		if (phase == SUM_CHUNKS) {
			if (s.leads)
				chunks[chunk_slot(g, s.row, s.chunk)] = sum;
			continue;
		}
		store_row<P, R>(s, line<T>(gx + o.at[2], stride.gx, s.start), [&](int i, int32_t) {
			return logarithm ? gradient[i] - exp(value[i]) * sum : value[i] * (gradient[i] - sum);
		});
	}
}

/* ---- on the host ---- */

/* The rows of arrays of one shape along axis; the last array decides how threads go. */
struct axis_rows {
	mt_cuda_walk walk;
	int64_t length, stride[3];
	int along, pack;
};

static axis_rows rows_along(int arrays, const mt_array *const *array, int axis) {
	const mt_array *out = array[arrays - 1];
	axis_rows r = {};
	int64_t shape[MT_MAX_RANK];
	const int64_t *strides[3];
	const void *address[3];
	for (int d = 0; d < out->rank; d++)
		shape[d] = d == axis ? 1 : out->shape[d];
	for (int k = 0; k < arrays; k++) {
		strides[k] = array[k]->stride;
		address[k] = origin<char>(array[k]);
		r.stride[k] = out->rank > 0 ? array[k]->stride[axis] : 1;
	}
	r.length = out->rank > 0 ? out->shape[axis] : 1;
	mt__cuda_walk_any_order(&r.walk, arrays, out->rank, shape, strides);
	int last = r.walk.rank - 1;
	r.along = mt__cuda_rows_along(r.walk.count, last < 0 ? 1 : r.walk.shape[last],
	                              last < 0 ? 0 : r.walk.stride[arrays - 1][last], r.length, r.stride[arrays - 1]);
	r.pack = r.along ? mt__cuda_rows_pack(&r.walk, address, r.stride, dtype_size(out->dtype), r.length) : 1;
	return r;
}

template <class A> using finish_kernel = void (*)(row_grid, row_grid, const A *, A *);

/* Starts write(phase, sums), and what long rows need besides. */
template <class A, class Write>
static int32_t run_rows(mt_queue *queue, const char *name, const mt_cuda_rows &p, finish_kernel<A> finish,
                        Write write) {
	void *scratch;
	int32_t status = scratch_of(queue, chunk_bytes<A>(p), name, &scratch);
	if (status != MT_OK)
		return status;
	chunk_sums<A> sums = chunk_sums_at<A>(p, scratch);
	return run_phases(
		p, [&](row_phase phase) { return write(phase, sums); },
		[&](const mt_cuda_rows &together) {
			return launch_rows(queue, name, together, finish, row_grid(p), (const A *)sums.chunks, sums.whole);
		});
}

template <class T> static int32_t softmax(mt_queue *queue, const struct mt_softmax_args *args) {
	using A = pair<compute_of<T>>;
	const char *name = "softmax";
	const mt_array *arrays[] = {args->x, args->out};
	axis_rows r = rows_along(2, arrays, args->axis);
	mt_cuda_rows p;
	mt__cuda_plan_rows(&p, r.walk.count, r.length, r.along, r.pack, FEWER<T>, MORE<T, 1>);
	return run_rows<A>(queue, name, p, finish_softmax<compute_of<T>>, [&](row_phase phase, const chunk_sums<A> &sums) {
		return for_seat<T, FEWER<T>, MORE<T, 1>>(p, [&](auto shape) {
			return launch_rows(queue, name, p, softmax_rows<T, shape.pack, shape.values>, phase,
			                   walk<2, int64_t>(r.walk), r.stride[0], r.stride[1], args->log != 0, origin<T>(args->x),
			                   origin<T>(args->out), sums.chunks, sums.whole);
		});
	});
}

int32_t mt__cuda_softmax(mt_queue *queue, const struct mt_softmax_args *args) {
	return for_float(args->x->dtype, "softmax", [&](auto element) { return softmax<decltype(element)>(queue, args); });
}

template <class T> static int32_t softmax_grad(mt_queue *queue, const struct mt_softmax_grad_args *args) {
	using A = compute_of<T>;
	const char *name = "softmax_grad";
	const mt_array *arrays[] = {args->gout, args->y, args->gx};
	axis_rows r = rows_along(3, arrays, args->axis);
	mt_cuda_rows p;
	mt__cuda_plan_rows(&p, r.walk.count, r.length, r.along, r.pack, FEWER<T>, MORE<T, 2>);
	grad_strides stride = {r.stride[0], r.stride[1], r.stride[2]};
	return run_rows<A>(queue, name, p, finish_sum<A>, [&](row_phase phase, const chunk_sums<A> &sums) {
		return for_seat<T, FEWER<T>, MORE<T, 2>>(p, [&](auto shape) {
			return launch_rows(queue, name, p, softmax_grad_rows<T, shape.pack, shape.values>, phase,
			                   walk<3, int64_t>(r.walk), stride, args->log != 0, origin<T>(args->gout),
			                   origin<T>(args->y), origin<T>(args->gx), sums.chunks, sums.whole);
		});
	});
}

int32_t mt__cuda_softmax_grad(mt_queue *queue, const struct mt_softmax_grad_args *args) {
	return for_float(args->gx->dtype, "softmax_grad",
	                 [&](auto element) { return softmax_grad<decltype(element)>(queue, args); });
}
