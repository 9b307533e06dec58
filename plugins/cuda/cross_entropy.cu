/* cross_entropy and its gradient.  The loss needs the logits once: ln Σ e^x, and with label smoothing Σ w and Σ w x, of a
 * row that a group of threads holds, or of its chunks.  The gradient is elementwise, given ln Σ e^x.
 *
 * A target that is out of range is reported (fault.cuh); its row is written as an ignored one. */
#include "chunks.cuh"
#include "fault.cuh"

/* i64 or i32, [N]. */
struct targets {
	const void *at;
	int64_t stride;
	bool wide;

	__device__ int64_t operator[](int64_t row) const {
		return wide ? ((const int64_t *)at)[row * stride] : (int64_t)((const int32_t *)at)[row * stride];
	}
};

static targets targets_of(const mt_array *a) {
	return {origin<void>(a), a->stride[0], a->dtype == MT_I64};
}

/* What both directions are given. */
template <class T> struct entropy {
	const T *logits;
	int64_t row_stride, stride, classes, ignored;
	targets target;
	side<T> weight;
	compute_of<T> keep, share; /* 1 − s, s / C */
	mt_cuda_fault *fault;

	/* The class of a row, which counts; −1 where the row does not.  report: this thread tells of a bad target. */
	__device__ int64_t class_of(int64_t row, int32_t kernel, bool report) const {
		int64_t t = target[row];
		if (t == ignored)
			return -1;
		if (t >= 0 && t < classes)
			return t;
		if (report)
			report_index(fault, kernel, t, 0, classes);
		return -1;
	}
};

/* max x, Σ e^(x − max), Σ w, Σ w x of a row or of a chunk; the last two with smoothing alone. */
template <class C> struct row_sums { C top, powers, weights, weighted; };

template <class T>
__device__ static void write_row(const entropy<T> &e, int64_t row, const row_sums<compute_of<T>> &sums,
                                 const results<compute_of<T>> &loss, const results<compute_of<T>> &lse) {
	using C = compute_of<T>;
	C logarithm = finite_or_zero(sums.top) + log(sums.powers), total = 0;
	int64_t t = e.class_of(row, MT_K_CROSS_ENTROPY, true);
	if (t >= 0) {
		C logit = load(e.logits[row * e.row_stride + t * e.stride]);
		total = e.keep * e.weight.get(t, C(1)) * (logarithm - logit);
		/* Without smoothing an infinite logit must not meet the factor 0. */
		if (e.share != 0)
			total += e.share * (logarithm * sums.weights - sums.weighted);
	}
	loss[row] = total;
	lse[row] = logarithm;
}

template <class T, int P, int R>
static __global__ void __launch_bounds__(MT_CUDA_ROW_THREADS, BLOCKS_AT_ONCE<T, P>)
	cross_entropy_rows(row_grid g, entropy<T> e, results<compute_of<T>> loss, results<compute_of<T>> lse,
                       row_sums<compute_of<T>> *chunks) {
	using C = compute_of<T>;
	__shared__ C shared[MT_CUDA_ROW_THREADS];
	__shared__ pair<C> shared_pairs[MT_CUDA_ROW_THREADS];
	for (int64_t unit = blockIdx.x; unit < g.units; unit += gridDim.x) {
		seat s = take_seat<P>(g, unit);
		C v[R];
		row_sums<C> sums = {-INFINITY, 0, 0, 0};
		load_row<P>(s, line<const T>(e.logits + s.row * e.row_stride, e.stride, s.start), v);
		each<P, R>(s, [&](int i, int32_t) { sums.top = fmax(sums.top, v[i]); });
		sums.top = group_all(g, sums.top, shared, join_larger());
		C shift = finite_or_zero(sums.top);
		each<P, R>(s, [&](int i, int32_t) { sums.powers += exp(v[i] - shift); });
		sums.powers = group_sum(g, sums.powers, shared);
		if (e.share != 0) {
			pair<C> weighted = {0, 0};
			side_reader<T, P> weight(e.weight, s);
			each_pack<P, R>(s, [&](int i, int32_t) {
				C w[P];
				weight.next(C(1), w);
#pragma unroll
				for (int j = 0; j < P; j++)
					weighted = {weighted.a + w[j], weighted.b + w[j] * v[i + j]};
			});
			weighted = group_sums(g, weighted, shared_pairs);
			sums.weights = weighted.a;
			sums.weighted = weighted.b;
		}
		if (s.leads && chunks)
			chunks[chunk_slot(g, s.row, s.chunk)] = sums;
		else if (s.leads)
			write_row(e, s.row, sums, loss, lse);
	}
}

template <class T>
static __global__ void __launch_bounds__(MT_CUDA_ROW_THREADS, 1)
	finish_cross_entropy(row_grid g, row_grid chunked, entropy<T> e, results<compute_of<T>> loss,
                         results<compute_of<T>> lse, const row_sums<compute_of<T>> *chunks) {
	using C = compute_of<T>;
	__shared__ C shared[MT_CUDA_ROW_THREADS];
	__shared__ pair<C> shared_pairs[MT_CUDA_ROW_THREADS];
	for (int64_t unit = blockIdx.x; unit < g.units; unit += gridDim.x) {
		seat s = take_seat<1>(g, unit);
		C top = -INFINITY, powers = 0;
		pair<C> weighted = {0, 0};
		each_chunk(g, s, [&](int64_t c) { top = fmax(top, chunks[chunk_slot(chunked, s.row, c)].top); });
		top = group_all(g, top, shared, join_larger());
		each_chunk(g, s, [&](int64_t c) {
			row_sums<C> part = chunks[chunk_slot(chunked, s.row, c)];
			powers += part.powers * exp(finite_or_zero(part.top) - finite_or_zero(top));
			weighted = {weighted.a + part.weights, weighted.b + part.weighted};
		});
		powers = group_sum(g, powers, shared);
		weighted = group_sums(g, weighted, shared_pairs);
		if (s.leads)
			write_row(e, s.row, row_sums<C>{top, powers, weighted.a, weighted.b}, loss, lse);
	}
}

/* ---- gradient ---- */

/* *total = Σ weight: one block, in f64, since every element of the gradient has it as a factor. */
template <class T>
static __global__ void __launch_bounds__(MT_CUDA_ROW_THREADS, 1)
	sum_weights(side<T> weight, int64_t classes, double *total) {
	__shared__ double shared[WARP];
	double sum = 0;
	for (int64_t c = threadIdx.x; c < classes; c += blockDim.x)
		sum += weight.get(c, compute_of<T>(1));
	sum = block_all(sum, 0.0, shared, join_sum());
	if (threadIdx.x == 0)
		*total = sum;
}

/* total: Σ w, or NULL where there is no weight. */
template <class T, int P, int R>
static __global__ void __launch_bounds__(MT_CUDA_ROW_THREADS, BLOCKS_AT_ONCE<T, P>)
	cross_entropy_grad_rows(row_grid g, entropy<T> e, results<const compute_of<T>> lse,
                            results<const compute_of<T>> gloss, const double *total, T *glogits, int64_t row_stride,
                            int64_t stride) {
	using C = compute_of<T>;
	C weights = total ? (C)*total : (C)e.classes;
	for (int64_t unit = blockIdx.x; unit < g.units; unit += gridDim.x) {
		seat s = take_seat<P>(g, unit);
		int64_t t = e.class_of(s.row, MT_K_CROSS_ENTROPY_GRAD, s.leads && s.chunk == 0);
		C gradient = gloss[s.row], logarithm = lse[s.row], kept = t < 0 ? C(0) : e.keep * e.weight.get(t, C(1));
		C v[R];
		load_row<P>(s, line<const T>(e.logits + s.row * e.row_stride, e.stride, s.start), v);
		side_reader<T, P> weight(e.weight, s);
		each_pack<P, R>(s, [&](int i, int32_t l) {
			C w[P];
			weight.next(C(1), w);
#pragma unroll
			for (int j = 0; j < P; j++) {
				C p = exp(v[i + j] - logarithm), hit = s.start + l + j == t ? C(1) : C(0);
				C slope = p * (kept + e.share * weights) - kept * hit - e.share * w[j];
				v[i + j] = t < 0 ? C(0) : gradient * slope;
			}
		});
		store_row<P, R>(s, line<T>(glogits + s.row * row_stride, stride, s.start),
		                [&](int i, int32_t) { return v[i]; });
	}
}

/* ---- on the host ---- */

template <class T, class Args> static entropy<T> entropy_of(mt_queue *queue, const Args *args) {
	const mt_array *x = args->logits;
	entropy<T> e = {};
	e.logits = origin<T>(x);
	e.row_stride = x->stride[0];
	e.stride = x->stride[1];
	e.classes = x->shape[1];
	e.ignored = args->ignore_index;
	e.target = targets_of(args->target);
	e.weight = side_of<T>(args->weight);
	e.keep = (compute_of<T>)(1 - args->label_smoothing);
	e.share = (compute_of<T>)(args->label_smoothing / (double)x->shape[1]);
	e.fault = queue->fault_device;
	return e;
}

template <class T> static int32_t cross_entropy(mt_queue *queue, const struct mt_cross_entropy_args *args) {
	using C = compute_of<T>;
	const char *name = "cross_entropy";
	entropy<T> e = entropy_of<T>(queue, args);
	matrix_rows r = rows_of_matrices(1, &args->logits, 1, &args->weight);
	results<C> loss = results_of<C>(args->loss), lse = results_of<C>(args->lse);
	mt_cuda_rows p, together;
	mt__cuda_plan_rows(&p, args->logits->shape[0], e.classes, r.along, r.pack, FEWER<T>, MORE<T, 1>);
	void *scratch;
	int32_t status = scratch_of(queue, chunk_bytes<row_sums<C>>(p), name, &scratch);
	if (status != MT_OK)
		return status;
	row_sums<C> *chunks = (row_sums<C> *)scratch;
	status = for_seat<T, FEWER<T>, MORE<T, 1>>(p, [&](auto shape) {
		return launch_rows(queue, name, p, cross_entropy_rows<T, shape.pack, shape.values>, e, loss, lse, chunks);
	});
	if (status != MT_OK || !chunks)
		return status;
	mt__cuda_plan_finish(&together, &p);
	return launch_rows(queue, name, together, finish_cross_entropy<T>, row_grid(p), e, loss, lse, chunks);
}

int32_t mt__cuda_cross_entropy(mt_queue *queue, const struct mt_cross_entropy_args *args) {
	return for_float(args->logits->dtype, "cross_entropy",
	                 [&](auto element) { return cross_entropy<decltype(element)>(queue, args); });
}

template <class T> static int32_t cross_entropy_grad(mt_queue *queue, const struct mt_cross_entropy_grad_args *args) {
	using C = compute_of<T>;
	const char *name = "cross_entropy_grad";
	const mt_array *out = args->glogits, *matrices[] = {args->logits, out};
	entropy<T> e = entropy_of<T>(queue, args);
	matrix_rows r = rows_of_matrices(2, matrices, 1, &args->weight);
	void *total;
	int32_t status = scratch_of(queue, args->weight && e.share != 0 ? sizeof(double) : 0, name, &total);
	if (status == MT_OK && total)
		status = launch(queue, name, 1, MT_CUDA_ROW_THREADS, sum_weights<T>, e.weight, e.classes, (double *)total);
	if (status != MT_OK)
		return status;
	mt_cuda_rows p;
	mt__cuda_plan_pass(&p, out->shape[0], e.classes, r.along, r.pack, FEWER<T>);
	return for_seat<T, FEWER<T>, FEWER<T>>(p, [&](auto shape) {
		return launch_rows(queue, name, p, cross_entropy_grad_rows<T, shape.pack, shape.values>, e,
		                   results_of<const C>(args->lse), results_of<const C>(args->gloss), (const double *)total,
		                   origin<T>(out), out->stride[0], out->stride[1]);
	});
}

int32_t mt__cuda_cross_entropy_grad(mt_queue *queue, const struct mt_cross_entropy_grad_args *args) {
	return for_float(args->glogits->dtype, "cross_entropy_grad",
	                 [&](auto element) { return cross_entropy_grad<decltype(element)>(queue, args); });
}
