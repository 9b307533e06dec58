/* The gradients of layer_norm.  gx goes by rows; gweight and gbias are sums over columns.
 *
 * Where a group of threads holds a row and all is wanted, one pass does both (layer_norm_grad_bands): each block goes
 * through a band of rows, whose columns stay with the same threads, and adds up its part of the column sums.  Otherwise
 * gx is written by rows (layer_norm_grad_rows), and columns are summed as rows of the transposed matrix. */
#include "moments.cuh"

/* gout, x, gx: row 0.  gx, gweight, gbias may be NULL. */
template <class T> struct layer_norm_grads {
	const T *gout, *x;
	T *gx;
	int64_t rows, columns;
	int64_t gout_row, gout_stride, x_row, x_stride, gx_row, gx_stride;
	side<T> weight;
	results<const compute_of<T>> mean, rstd;
	results<T> gweight, gbias;
};

/* One row, or a chunk of one, in the registers of its group. */
template <class T, int P, int R> struct held_row {
	using C = compute_of<T>;
	C gout[R], h[R];

	/* h = (x − mean) · rstd */
	__device__ void load(const layer_norm_grads<T> &r, const seat &s) {
		load_row<P>(s, line<const T>(r.gout + s.row * r.gout_row, r.gout_stride, s.start), gout);
		load_row<P>(s, line<const T>(r.x + s.row * r.x_row, r.x_stride, s.start), h);
		C mean = r.mean[s.row], rstd = r.rstd[s.row];
#pragma unroll
		for (int i = 0; i < R; i++)
			h[i] = (h[i] - mean) * rstd;
	}

	/* Calls f(i, d) with d = gout · weight. */
	template <class F> __device__ void each_weighted(const layer_norm_grads<T> &r, const seat &s, F f) const {
		side_reader<T, P> weight(r.weight, s);
		each_pack<P, R>(s, [&](int i, int32_t) {
			C w[P];
			weight.next(C(1), w);
#pragma unroll
			for (int j = 0; j < P; j++)
				f(i + j, gout[i + j] * w[j]);
		});
	}

	/* Σ d and Σ d h of this thread's elements. */
	__device__ pair<C> sums(const layer_norm_grads<T> &r, const seat &s) const {
		pair<C> sums = {0, 0};
		each_weighted(r, s, [&](int i, C d) {
			sums.a += d;
			sums.b += d * h[i];
		});
		return sums;
	}

	/* gx = rstd (d − mean(d) − h · mean(d h)), from the row's sums. */
	__device__ void write(const layer_norm_grads<T> &r, const seat &s, const pair<C> &sums) const {
		C rstd = r.rstd[s.row], mean_d = sums.a / (C)r.columns, mean_dh = sums.b / (C)r.columns, gx[R];
		each_weighted(r, s, [&](int i, C d) { gx[i] = rstd * (d - mean_d - h[i] * mean_dh); });
		store_row<P, R>(s, line<T>(r.gx + s.row * r.gx_row, r.gx_stride, s.start),
		                [&](int i, int32_t) { return gx[i]; });
	}
};

/* ---- by rows ---- */

template <class T, int P, int R>
static __global__ void __launch_bounds__(MT_CUDA_ROW_THREADS, 1)
	layer_norm_grad_rows(row_grid g, row_phase phase, layer_norm_grads<T> r, pair<compute_of<T>> *chunks,
                         const pair<compute_of<T>> *whole) {
	using C = compute_of<T>;
	__shared__ pair<C> shared[MT_CUDA_ROW_THREADS];
	for (int64_t unit = blockIdx.x; unit < g.units; unit += gridDim.x) {
		seat s = take_seat<P>(g, unit);
		held_row<T, P, R> row;
		row.load(r, s);
		pair<C> sums = phase == WRITE_CHUNKS ? whole[s.row] : group_sums(g, row.sums(r, s), shared);
		if (phase != SUM_CHUNKS)
			row.write(r, s, sums);
		else if (s.leads)
			chunks[chunk_slot(g, s.row, s.chunk)] = sums;
	}
}

template <class C>
static __global__ void __launch_bounds__(MT_CUDA_ROW_THREADS, 1)
	finish_rows(row_grid g, row_grid chunked, const pair<C> *chunks, pair<C> *whole) {
	__shared__ pair<C> shared[MT_CUDA_ROW_THREADS];
	for (int64_t unit = blockIdx.x; unit < g.units; unit += gridDim.x) {
		seat s = take_seat<1>(g, unit);
		pair<C> sums = sums_of_chunks(g, s, chunked, chunks, shared);
		if (s.leads)
			whole[s.row] = sums;
	}
}

/* ---- by columns: a column is a row of the grid ---- */

template <class T, class C>
__device__ static void write_column(const layer_norm_grads<T> &r, int64_t column, const pair<C> &sums) {
	if (r.gweight.at)
		store(&r.gweight[column], sums.a);
	if (r.gbias.at)
		store(&r.gbias[column], sums.b);
}

template <class T, int R>
static __global__ void __launch_bounds__(MT_CUDA_ROW_THREADS, 1)
	layer_norm_grad_columns(row_grid g, row_phase phase, layer_norm_grads<T> r, pair<compute_of<T>> *chunks) {
	using C = compute_of<T>;
	__shared__ pair<C> shared[MT_CUDA_ROW_THREADS];
	for (int64_t unit = blockIdx.x; unit < g.units; unit += gridDim.x) {
		seat s = take_seat<1>(g, unit);
		C gout[R], x[R];
		pair<C> sums = {0, 0};
		load_row<1>(s, line<const T>(r.gout + s.row * r.gout_stride, r.gout_row, s.start), gout);
		load_row<1>(s, line<const T>(r.x + s.row * r.x_stride, r.x_row, s.start), x);
		each<1, R>(s, [&](int i, int32_t l) {
			sums.a += gout[i] * ((x[i] - r.mean[s.start + l]) * r.rstd[s.start + l]);
			sums.b += gout[i];
		});
		sums = group_sums(g, sums, shared);
		if (s.leads && phase == SUM_CHUNKS)
			chunks[chunk_slot(g, s.row, s.chunk)] = sums;
		else if (s.leads)
			write_column(r, s.row, sums);
	}
}

template <class T>
static __global__ void __launch_bounds__(MT_CUDA_ROW_THREADS, 1)
	finish_columns(row_grid g, row_grid chunked, layer_norm_grads<T> r, const pair<compute_of<T>> *chunks) {
	using C = compute_of<T>;
	__shared__ pair<C> shared[MT_CUDA_ROW_THREADS];
	for (int64_t unit = blockIdx.x; unit < g.units; unit += gridDim.x) {
		seat s = take_seat<1>(g, unit);
		pair<C> sums = sums_of_chunks(g, s, chunked, chunks, shared);
		if (s.leads)
			write_column(r, s.row, sums);
	}
}

/* ---- both at once ---- */

/* Rows of a band; its column sums: bands[band · N + column]. */
template <class T, int P, int R>
static __global__ void __launch_bounds__(MT_CUDA_ROW_THREADS, 1)
	layer_norm_grad_bands(row_grid g, layer_norm_grads<T> r, int64_t band_rows, pair<compute_of<T>> *bands) {
	using C = compute_of<T>;
	__shared__ pair<C> shared[MT_CUDA_ROW_THREADS];
	pair<C> column[R] = {};
	int64_t first = (int64_t)blockIdx.x * band_rows, left = g.rows - first;
	int64_t units = ((left < band_rows ? left : band_rows) + blockDim.y - 1) / blockDim.y;
	for (int64_t unit = 0; unit < units; unit++) {
		seat s = take_seat<P>(g, first / blockDim.y + unit);
		held_row<T, P, R> row;
		row.load(r, s);
		row.write(r, s, group_sums(g, row.sums(r, s), shared));
		each<P, R>(s, [&](int i, int32_t) {
			column[i].a += row.gout[i] * row.h[i];
			column[i].b += row.gout[i];
		});
	}
	seat s = take_seat<P>(g, 0);
	unsigned slot = threadIdx.y * blockDim.x + threadIdx.x;
#pragma unroll
	for (int i = 0; i < R; i++) {
		int64_t l = s.first + i / P * s.step + i % P;
		__syncthreads();
		shared[slot] = column[i];
		__syncthreads();
		pair<C> sums = column[i];
		for (unsigned y = 1; y < blockDim.y && threadIdx.y == 0; y++)
			sums = join_pairs()(sums, shared[slot + y * blockDim.x]);
		if (threadIdx.y == 0 && l < r.columns)
			bands[blockIdx.x * r.columns + l] = sums;
	}
}

/* ---- on the host ---- */

template <class T> static layer_norm_grads<T> grads_of(const struct mt_layer_norm_grad_args *args) {
	using C = compute_of<T>;
	const mt_array *gout = args->gout, *x = args->x, *gx = args->gx;
	layer_norm_grads<T> r = {};
	r.gout = origin<T>(gout);
	r.x = origin<T>(x);
	r.rows = x->shape[0];
	r.columns = x->shape[1];
	r.gout_row = gout->stride[0];
	r.gout_stride = gout->stride[1];
	r.x_row = x->stride[0];
	r.x_stride = x->stride[1];
	if (gx) {
		r.gx = origin<T>(gx);
		r.gx_row = gx->stride[0];
		r.gx_stride = gx->stride[1];
	}
	r.weight = side_of<T>(args->weight);
	r.mean = results_of<const C>(args->mean);
	r.rstd = results_of<const C>(args->rstd);
	r.gweight = results_of<T>(args->gweight);
	r.gbias = results_of<T>(args->gbias);
	return r;
}

static const char *const name = "layer_norm_grad";

/* Bands of rows for blocks like p's: enough of them to fill any device, few enough to make their sums a small part of
 * what is read; a band's rows are a multiple of the block's. */
static int64_t band_rows_of(const mt_cuda_rows &p) {
	int64_t most = (1 << 17) / (p.x * p.y), rows = (p.rows + most - 1) / most;
	rows = rows < 8 ? 8 : rows;
	return (rows + p.y - 1) / p.y * p.y;
}

/* A row and its column sums fit the registers where it is short, or can be read in packs. */
template <class T> constexpr int BAND = sizeof(compute_of<T>) == 4 ? MORE<T, 2> : FEWER<T>;

template <class T> static bool fits_band(const mt_cuda_rows &p) {
	return p.along && p.chunks == 1 && p.values <= (p.pack > 1 ? BAND<T> : FEWER<T>);
}

template <class T, class F> static int32_t for_band(const mt_cuda_rows &p, F f) {
	constexpr int wide = 16 / (int)sizeof(T);
	if (p.pack == 1)
		return f(shape_of_seat<1, FEWER<T>>());
	return p.values > FEWER<T> ? f(shape_of_seat<wide, BAND<T>>()) : f(shape_of_seat<wide, FEWER<T>>());
}

template <class T> static int32_t run_bands(mt_queue *queue, const layer_norm_grads<T> &r, const mt_cuda_rows &p) {
	using A = pair<compute_of<T>>;
	int64_t band_rows = band_rows_of(p), n_bands = (p.rows + band_rows - 1) / band_rows;
	A *bands = (A *)mt__cuda_scratch(queue, (uint64_t)(n_bands * r.columns) * sizeof(A), name);
	if (!bands)
		return MT_E_MEMORY;
	int32_t status = for_band<T>(p, [&](auto shape) {
		return launch(queue, name, (unsigned)n_bands, dim3(p.x, p.y),
		              layer_norm_grad_bands<T, shape.pack, shape.values>, row_grid(p), r, band_rows, bands);
	});
	mt_cuda_rows columns = {}, together;
	columns.rows = r.columns;
	columns.chunks = n_bands;
	mt__cuda_plan_finish(&together, &columns);
	return status == MT_OK ? launch_rows(queue, name, together, finish_columns<T>, row_grid(columns), r, bands)
	                       : status;
}

template <class T>
static int32_t run_rows(mt_queue *queue, const layer_norm_grads<T> &r, const mt_cuda_rows &p, void *scratch) {
	using A = pair<compute_of<T>>;
	chunk_sums<A> sums = chunk_sums_at<A>(p, scratch);
	return run_phases(
		p,
		[&](row_phase phase) {
			return for_seat<T, FEWER<T>, MORE<T, 2>>(p, [&](auto shape) {
				return launch_rows(queue, name, p, layer_norm_grad_rows<T, shape.pack, shape.values>, phase, r,
			                       sums.chunks, sums.whole);
			});
		},
		[&](const mt_cuda_rows &together) {
			return launch_rows(queue, name, together, finish_rows<compute_of<T>>, row_grid(p), sums.chunks, sums.whole);
		});
}

template <class T>
static int32_t run_columns(mt_queue *queue, const layer_norm_grads<T> &r, const mt_cuda_rows &p, void *scratch) {
	using A = pair<compute_of<T>>;
	row_phase phase = p.chunks == 1 ? WHOLE_ROWS : SUM_CHUNKS;
	int32_t status = for_seat<T, FEWER<T>, MORE<T, 2>>(p, [&](auto shape) {
		return launch_rows(queue, name, p, layer_norm_grad_columns<T, shape.values>, phase, r, (A *)scratch);
	});
	if (status != MT_OK || phase == WHOLE_ROWS)
		return status;
	mt_cuda_rows together;
	mt__cuda_plan_finish(&together, &p);
	return launch_rows(queue, name, together, finish_columns<T>, row_grid(p), r, (const A *)scratch);
}

template <class T> static int32_t layer_norm_grad(mt_queue *queue, const struct mt_layer_norm_grad_args *args) {
	using A = pair<compute_of<T>>;
	const mt_array *gx = args->gx, *last = gx ? gx : args->x, *matrices[] = {args->gout, args->x, last};
	bool sums = args->gweight || args->gbias;
	layer_norm_grads<T> r = grads_of<T>(args);
	mt_cuda_rows rows, columns;
	matrix_rows m = rows_of_matrices(3, matrices, 1, &args->weight);
	mt__cuda_plan_rows(&rows, r.rows, r.columns, m.along, m.pack, FEWER<T>, MORE<T, 2>);
	if (gx && sums && fits_band<T>(rows))
		return run_bands(queue, r, rows);
	int across = r.columns > 1 && !mt__cuda_rows_along(r.columns, r.columns, r.x_stride, r.rows, r.x_row);
	mt__cuda_plan_rows(&columns, r.columns, r.rows, !across, 1, FEWER<T>, MORE<T, 2>);
	uint64_t row_bytes = gx ? chunk_bytes<A>(rows) : 0, column_bytes = sums ? chunk_bytes<A>(columns) : 0;
	void *scratch; /* of rows first, of columns then: the queue is in order */
	int32_t status = scratch_of(queue, row_bytes > column_bytes ? row_bytes : column_bytes, name, &scratch);
	if (status == MT_OK && gx)
		status = run_rows(queue, r, rows, scratch);
	return status == MT_OK && sums ? run_columns(queue, r, columns, scratch) : status;
}

int32_t mt__cuda_layer_norm_grad(mt_queue *queue, const struct mt_layer_norm_grad_args *args) {
	return for_float(args->x->dtype, name,
	                 [&](auto element) { return layer_norm_grad<decltype(element)>(queue, args); });
}
