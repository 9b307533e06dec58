/* layer_norm over rows of floats, where they lie or brought into a buffer: passes in registers over a row that stays in a
 * cache; gradients take several rows at once, so that the sums of weight and bias are loaded and stored once for all of
 * them. */
#ifndef MT_OMP_LAYER_NORM_ROWS_H
#define MT_OMP_LAYER_NORM_ROWS_H

#include "reduce_vec.h"
#include "row_pending.h"

/* Rows of a gradient at once: as many as the registers hold. */
#if defined(MT_ISA_AVX512)
#define GRAD_ROWS 4
#else
#define GRAD_ROWS 2
#endif

/* Columns after which a lane's sums go on in double: 32 additions. */
enum { GRAD_COLUMNS = 32 * VL_F32 };

/* Σ (x − mean)².  Meanwhile what lies `ahead` elements on is asked for, unless that is 0; with pending the second half
 * of it, and as much of what is pending is stored. */
MT_INLINE double row_squares(const float *x, float mean, int64_t n, int64_t ahead, struct row_pending *pending,
                             int kind) {
	enum { STEP = 4 * ROW_LINE };
	double squares = 0;
	for (int64_t i = 0; i < n; i += NORM_CHUNK) {
		int64_t part = mt__omp_min(NORM_CHUNK, n - i), j = 0;
		const float *y = x + i;
		vec_f32 sum[4] = {{0}};
		float rest = 0;
		for (; j + STEP <= part; j += STEP) {
			MT_UNROLL
			for (int k = 0; k < STEP; k += VL_F32) {
				vec_f32 d = vec_f32_load(y + j + k, VL_F32) - mean;
				sum[k / VL_F32 % 4] += d * d;
				if (pending && k % (2 * ROW_LINE) == ROW_LINE)
					row_pending_line(pending, kind, x + (n + i + j + k) / 2 + ahead);
				else if (!pending && ahead && k % ROW_LINE == 0)
					__builtin_prefetch(y + j + k + ahead);
			}
		}
		for (; j + VL_F32 <= part; j += VL_F32) {
			vec_f32 d = vec_f32_load(y + j, VL_F32) - mean;
			sum[0] += d * d;
		}
		for (; j < part; j++)
			rest += (y[j] - mean) * (y[j] - mean);
		squares += (double)(vec_f32_sum((sum[0] + sum[2]) + (sum[1] + sum[3])) + rest);
	}
	return squares;
}

/* out = (x − mean) · rstd · w + b; w and b may be NULL.  ask: lines of out are asked for before they are written. */
MT_INLINE void row_normalised(float *out, const float *x, float mean, float rstd, const float *w, const float *b,
                              int64_t n, bool ask, bool far) {
	int64_t j = 0, head = far ? row_stream_head(out, n) : 0;
	for (; j < head; j++)
		out[j] = (x[j] - mean) * rstd * (w ? w[j] : 1) + (b ? b[j] : 0);
	for (; j + VL_F32 <= n; j += VL_F32) {
		vec_f32 y = (vec_f32_load(x + j, VL_F32) - mean) * rstd;
		if (w)
			y *= vec_f32_load(w + j, VL_F32);
		if (b)
			y += vec_f32_load(b + j, VL_F32);
		if (ask)
			__builtin_prefetch(out + j + 8 * ROW_LINE, 1);
		if (far)
			vec_f32_stream(out + j, y);
		else
			vec_f32_store(out + j, VL_F32, y);
	}
	for (; j < n; j++)
		out[j] = (x[j] - mean) * rstd * (w ? w[j] : 1) + (b ? b[j] : 0);
}

/* Σ x of a row, to the bits of loops->run; meanwhile the first half of what lies `ahead` elements on is asked for, and as
 * much of what is pending is stored. */
MT_INLINE double row_sum(const struct layer_norm *l, const float *x, int64_t ahead, struct row_pending *p, int kind) {
	double sum = 0;
	for (int64_t i = 0; i < l->n; i += NORM_CHUNK) {
		int64_t part = mt__omp_min(NORM_CHUNK, l->n - i), j = 0;
		struct vec_results_f32 r;
		if (part < VL_F32) {
			sum += l->loops->run(MT_REDUCE_SUM, x + i, part).f;
			continue;
		}
		vec_run_begin_f32(MT_REDUCE_SUM, &r, x + i);
		for (; j + VEC_RUN_STEP_f32 <= part; j += VEC_RUN_STEP_f32) {
			vec_run_step_f32(MT_REDUCE_SUM, &r, x + i + j, false);
			for (int k = 0; k < VEC_RUN_STEP_f32; k += 2 * ROW_LINE)
				row_pending_line(p, kind, x + (i + j + k) / 2 + ahead);
		}
		sum += (double)vec_run_end_f32(MT_REDUCE_SUM, &r, x + i, j, part);
	}
	return sum;
}

/* Rows [begin, end) that come from memory: each is stored in the course of both passes over the next one.  weighted, a
 * constant: there are weight and bias; else neither. */
MT_INLINE void far_rows(const struct layer_norm *l, int64_t begin, int64_t end, bool weighted) {
	const int kind = ROW_SUBTRACT | ROW_SCALE | (weighted ? ROW_WEIGH : 0);
	int64_t n = l->n, step = l->x->stride[0], rows = row_pending_rows_ahead(n);
	const float *x = (const float *)mt__omp_data(l->x) + begin * step;
	float *out = (float *)mt__omp_data(l->out) + begin * l->out->stride[0];
	struct row_pending p = {.weight = l->weight, .bias = l->bias};
	for (int64_t m = begin; m < end; m++, x += step, out += l->out->stride[0]) {
		int64_t ahead = m + rows < end ? rows * step : 0;
		double sum = row_sum(l, x, ahead, &p, kind);
		const float mean = (float)(sum / (double)n);
		double exact = 1 / sqrt(row_squares(x, mean, n, ahead, &p, kind) / (double)n + l->eps);
		mt__vector_put(l->mean, m, sum / (double)n);
		mt__vector_put(l->rstd, m, exact);
		row_pending_end(&p, kind);
		row_pending_begin(&p, out, x, n);
		p.first = mean;
		p.scale = (float)exact;
	}
	row_pending_end(&p, kind);
	stream_end();
}

static void far_rows_weighted(const void *context, int64_t begin, int64_t end) {
	far_rows(context, begin, end, true);
}

static void far_rows_plain(const void *context, int64_t begin, int64_t end) {
	far_rows(context, begin, end, false);
}

/* Row m of a as floats: where it lies, or brought into buffer unless that is NULL. */
static const float *floats_of_row(const mt_array *a, int64_t m, float *buffer) {
	const char *from = (const char *)mt__omp_data(a) + m * a->stride[0] * mt__omp_dtype_size(a->dtype);
	if (!buffer)
		return (const float *)from;
	mt__omp_load_run(buffer, a->dtype, false, from, a->stride[1], a->shape[1]);
	return buffer;
}

/* The reverse, from buffer. */
static void put_row(const mt_array *a, int64_t m, const float *buffer) {
	char *to = (char *)mt__omp_data(a) + m * a->stride[0] * mt__omp_dtype_size(a->dtype);
	mt__omp_store_run(a->dtype, false, to, a->stride[1], buffer, a->shape[1]);
}

/* This thread's buffer number k of a row; NULL where rows lie ready. */
static float *row_buffer(const struct layer_norm *l, int k) {
	return l->rows ? l->rows + (mt__omp_unit_thread(l->level) * l->rows_of_thread + k) * l->rows_each : NULL;
}

/* One row at x; next: where the one after it starts, seen from x, if it comes from memory, or 0. */
MT_INLINE void float_row(const struct layer_norm *l, int64_t m, const float *x, float *out, int64_t next) {
	const float *w = l->weight, *b = l->bias;
	int64_t n = l->n;
	double sum = 0;
	for (int64_t i = 0; i < n; i += NORM_CHUNK)
		sum += l->loops->run(MT_REDUCE_SUM, x + i, mt__omp_min(NORM_CHUNK, n - i)).f;
	const float mean = (float)(sum / (double)n);
	double exact = 1 / sqrt(row_squares(x, mean, n, next, NULL, 0) / (double)n + l->eps);
	if (l->far)
		row_normalised(out, x, mean, (float)exact, w, b, n, false, true);
	else
		row_normalised(out, x, mean, (float)exact, w, b, n, l->ask, false);
	mt__vector_put(l->mean, m, sum / (double)n);
	mt__vector_put(l->rstd, m, exact);
}

static void ready_rows(const void *context, int64_t begin, int64_t end) {
	const struct layer_norm *l = context;
	int64_t next = l->far ? l->x->stride[0] : 0;
	for (int64_t m = begin; m < end; m++) {
		const float *x = (const float *)mt__omp_data(l->x) + m * l->x->stride[0];
		float *out = (float *)mt__omp_data(l->out) + m * l->out->stride[0];
		float_row(l, m, x, out, m + 1 < end ? next : 0);
	}
	if (l->far)
		stream_end();
}

static void buffered_rows(const void *context, int64_t begin, int64_t end) {
	const struct layer_norm *l = context;
	float *buffer = row_buffer(l, 0);
	for (int64_t m = begin; m < end; m++) {
		float_row(l, m, floats_of_row(l->x, m, buffer), buffer, 0);
		put_row(l->out, m, buffer);
	}
}

/* ---- gradient ---- */

/* What one row contributes. */
struct grad_row {
	const float *g, *x;
	float *gx;
	float mean, rstd;
	double d, dh; /* Σ d, Σ d h */
};

MT_INLINE vec_f32 grad_weight(const float *w, int64_t j, int n) {
	return w ? vec_f32_load(w + j, n) : (vec_f32){0} + 1;
}

/* Columns [j, j + n), n ≤ VL, of `rows` rows, a constant: Σ d and Σ d h of each, and gweight and gbias of all. */
MT_INLINE void grad_columns(const struct grad_row *row, int rows, const float *w, float *gweight, float *gbias,
                            int64_t j, int n, vec_f32 *d, vec_f32 *dh) {
	vec_f32 v = grad_weight(w, j, n), gw = {0}, gb = {0};
	MT_UNROLL
	for (int r = 0; r < rows; r++) {
		vec_f32 g = vec_f32_load(row[r].g + j, n), h = (vec_f32_load(row[r].x + j, n) - row[r].mean) * row[r].rstd;
		gw += g * h;
		gb += g;
		d[r] += g * v;
		dh[r] += (g * v) * h;
	}
	if (!gweight)
		return;
	vec_f32_store(gweight + j, n, vec_f32_load(gweight + j, n) + gw);
	vec_f32_store(gbias + j, n, vec_f32_load(gbias + j, n) + gb);
}

MT_INLINE void grad_sums(struct grad_row *row, int rows, const float *w, float *gweight, float *gbias, int64_t n) {
	for (int64_t begin = 0; begin < n; begin += GRAD_COLUMNS) {
		int64_t end = mt__omp_min(n, begin + GRAD_COLUMNS), j = begin;
		vec_f32 d[GRAD_ROWS] = {{0}}, dh[GRAD_ROWS] = {{0}};
		for (; j + VL_F32 <= end; j += VL_F32)
			grad_columns(row, rows, w, gweight, gbias, j, VL_F32, d, dh);
		if (j < end)
			grad_columns(row, rows, w, gweight, gbias, j, (int)(end - j), d, dh);
		MT_UNROLL
		for (int r = 0; r < rows; r++) {
			row[r].d += (double)vec_f32_sum(d[r]);
			row[r].dh += (double)vec_f32_sum(dh[r]);
		}
	}
}

/* gx = rstd (d − mean d − h · mean(d h)) of one row. */
MT_INLINE void grad_row_out(const struct grad_row *row, const float *w, int64_t n, bool far) {
	const float mean = row->mean, rstd = row->rstd;
	const float base = rstd * (float)(row->d / (double)n), slope = rstd * rstd * (float)(row->dh / (double)n);
	const float *g = row->g, *x = row->x;
	float *gx = row->gx;
	int64_t j = 0, head = far ? row_stream_head(gx, n) : 0;
	for (; j < head; j++)
		gx[j] = g[j] * (w ? w[j] : 1) * rstd - base - (x[j] - mean) * slope;
	for (; j + VL_F32 <= n; j += VL_F32) {
		vec_f32 d = vec_f32_load(g + j, VL_F32) * grad_weight(w, j, VL_F32);
		vec_f32 y = d * rstd - base - (vec_f32_load(x + j, VL_F32) - mean) * slope;
		if (far)
			vec_f32_stream(gx + j, y);
		else
			vec_f32_store(gx + j, VL_F32, y);
	}
	for (; j < n; j++)
		gx[j] = g[j] * (w ? w[j] : 1) * rstd - base - (x[j] - mean) * slope;
}

/* Rows [m, m + rows), rows a constant. */
MT_INLINE void float_rows_grad(const struct layer_norm *l, int64_t m, int rows, float *gweight, float *gbias) {
	struct grad_row row[GRAD_ROWS];
	for (int r = 0; r < rows; r++) {
		float *buffer = row_buffer(l, r);
		row[r].g = floats_of_row(l->gout, m + r, buffer);
		row[r].x = floats_of_row(l->x, m + r, row_buffer(l, GRAD_ROWS + r));
		row[r].gx = buffer || !l->gx ? buffer : (float *)mt__omp_data(l->gx) + (m + r) * l->gx->stride[0];
		row[r].mean = (float)mt__vector_get(l->mean, m + r);
		row[r].rstd = (float)mt__vector_get(l->rstd, m + r);
		row[r].d = row[r].dh = 0;
	}
	grad_sums(row, rows, l->weight, gweight, gbias, l->n);
	for (int r = 0; l->gx && r < rows; r++) {
		if (l->far)
			grad_row_out(&row[r], l->weight, l->n, true);
		else
			grad_row_out(&row[r], l->weight, l->n, false);
		if (l->rows)
			put_row(l->gx, m + r, row[r].gx);
	}
}

/* Rows [m, stop), NORM_FLUSH at most. */
static void some_float_rows_grad(const struct layer_norm *l, int64_t m, int64_t stop, float *gweight, float *gbias) {
	for (; m + GRAD_ROWS <= stop; m += GRAD_ROWS)
		float_rows_grad(l, m, GRAD_ROWS, gweight, gbias);
	for (; m < stop; m++)
		float_rows_grad(l, m, 1, gweight, gbias);
}

#endif
