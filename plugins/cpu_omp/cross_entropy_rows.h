/* cross_entropy over floats: one exponential an element.  Rows of many classes are read where they lie, or brought into
 * a buffer; rows of few, where they lie contiguously, are transposed in registers, so that each is a vector lane. */
#ifndef MT_OMP_CROSS_ENTROPY_ROWS_H
#define MT_OMP_CROSS_ENTROPY_ROWS_H

#include "row_exp.h"
#include "row_stream.h"
#include "transpose.h"

/* FEW_CLASSES · READY_LANES = ENTROPY_CHUNK */
enum { READY_LANES = 64 };

static const float *logits_row(const struct entropy *e, int64_t row) {
	return (const float *)mt__omp_data(e->logits) + row * e->logits->stride[0];
}

/* ln Σ e^x; what is infinite takes the careful way.  ready, a constant: logits are read where they lie. */
MT_INLINE double float_lse(const struct entropy *e, int64_t row, bool more, bool ready) {
	_Alignas(64) float buffer[ENTROPY_CHUNK];
	float m = ready ? row_largest(logits_row(e, row), e->classes) : -INFINITY;
	double sum = 0;
	for (int64_t c = 0; !ready && c < e->classes; c += ENTROPY_CHUNK) {
		int64_t n = mt__omp_min(ENTROPY_CHUNK, e->classes - c);
		float v = row_largest(row_part_f32(e, row, c, n, buffer), n);
		m = v > m ? v : m;
	}
	if (fabsf(m) == INFINITY)
		return row_lse_f32(e, row);
	int64_t next = e->far && more ? e->logits->stride[0] : 0;
	for (int64_t c = 0; c < e->classes; c += ENTROPY_CHUNK) {
		int64_t n = mt__omp_min(ENTROPY_CHUNK, e->classes - c);
		const float *x = ready ? logits_row(e, row) + c : buffer;
		if (!ready && e->classes > ENTROPY_CHUNK)
			x = row_part_f32(e, row, c, n, buffer);
		sum += (double)(next ? row_exp(NULL, x, m, 1, n, next, false) : row_exp(NULL, x, m, 1, n, 0, false));
	}
	return (double)m + log(sum);
}

MT_INLINE void float_rows(const struct entropy *e, int64_t row, int64_t count, bool ready) {
	for (int64_t i = row; i < row + count; i++) {
		double lse = float_lse(e, i, i + 1 < e->logits->shape[0], ready);
		put_loss_f32(e, i, lse, e->smoothing != 0 ? row_smooth_f32(e, i, lse) : 0);
	}
}

static void ready_rows(const struct entropy *e, int64_t row, int64_t count) {
	float_rows(e, row, count, true);
}

static void buffered_rows(const struct entropy *e, int64_t row, int64_t count) {
	float_rows(e, row, count, false);
}

/* y[j] = a e^(x[j] − lse) − b w[j] */
static void float_row_grad(const struct entropy *e, float *y, const float *x, const struct terms_f32 *t, int64_t c,
                           int64_t n) {
	row_exp(y, x, t->lse, t->a, n, 0, true);
	if (t->b == 0)
		return;
	const float *w = e->weight ? (const float *)e->weight + c : NULL;
	for (int64_t j = 0; j < n; j++)
		y[j] -= w ? t->b * w[j] : t->b;
}

static void float_rows_grad(const struct entropy *e, int64_t row, int64_t count) {
	_Alignas(64) float buffer[ENTROPY_CHUNK];
	const mt_array *out = e->out;
	bool ready = is_ready(out) && is_ready(e->logits), in_place = ready && !e->far;
	for (int64_t i = row; i < row + count; i++) {
		struct terms_f32 t = row_terms_f32(e, i);
		for (int64_t c = 0; c < e->classes; c += ENTROPY_CHUNK) {
			int64_t n = mt__omp_min(ENTROPY_CHUNK, e->classes - c);
			char *to = (char *)mt__omp_data(out) + (i * out->stride[0] + c * out->stride[1]) * e->size;
			float *y = in_place ? (float *)to : buffer;
			if (t.target < 0)
				memset(y, 0, (size_t)n * sizeof *y);
			else
				float_row_grad(e, y, ready ? logits_row(e, i) + c : row_part_f32(e, i, c, n, buffer), &t, c, n);
			if (t.target >= c && t.target < c + n)
				y[t.target - c] -= t.hit;
			if (e->far)
				row_stream_copy((float *)to, buffer, n);
			else if (!ready)
				mt__omp_store_run(out->dtype, false, to, out->stride[1], buffer, n);
		}
	}
}

/* ---- few classes ---- */

/* x[c · READY_LANES + j] = logits[row + j, c], j < count ≤ READY_LANES; up to the next whole vector 0. */
static void rows_to_lanes(const struct entropy *e, float *x, int64_t row, int64_t count) {
	for (int64_t j = 0; j < count; j += VL_F32)
		for (int64_t c = 0; c < e->classes; c += VL_F32) {
			vec_f32 v[VL_F32];
			int n = (int)mt__omp_min(VL_F32, e->classes - c), rows = (int)mt__omp_min(VL_F32, count - j);
			MT_UNROLL
			for (int i = 0; i < VL_F32; i++)
				v[i] = i < rows ? vec_f32_load(logits_row(e, row + j + i) + c, n) : (vec_f32){0};
			transpose_vectors(v);
			MT_UNROLL
			for (int i = 0; i < VL_F32; i++)
				if (i < n)
					vec_f32_store(x + (c + i) * READY_LANES + j, VL_F32, v[i]);
		}
}

/* The reverse, to glogits. */
static void lanes_to_rows(const struct entropy *e, const float *x, int64_t row, int64_t count) {
	float *out = (float *)mt__omp_data(e->out) + row * e->out->stride[0];
	for (int64_t j = 0; j < count; j += VL_F32)
		for (int64_t c = 0; c < e->classes; c += VL_F32) {
			vec_f32 v[VL_F32];
			int n = (int)mt__omp_min(VL_F32, e->classes - c), rows = (int)mt__omp_min(VL_F32, count - j);
			MT_UNROLL
			for (int i = 0; i < VL_F32; i++)
				v[i] = i < n ? vec_f32_load(x + (c + i) * READY_LANES + j, VL_F32) : (vec_f32){0};
			transpose_vectors(v);
			MT_UNROLL
			for (int i = 0; i < VL_F32; i++)
				if (i < rows)
					vec_f32_store(out + (j + i) * e->out->stride[0] + c, n, v[i]);
		}
}

static void ready_block(const struct entropy *e, int64_t row, int64_t count) {
	_Alignas(64) float x[ENTROPY_CHUNK], m[READY_LANES], sum[READY_LANES], term[READY_LANES];
	int64_t lanes = (count + VL_F32 - 1) / VL_F32 * VL_F32;
	bool infinite = false;
	rows_to_lanes(e, x, row, count);
	memcpy(m, x, sizeof m);
	for (int64_t c = 1; c < e->classes; c++)
		for (int64_t j = 0; j < lanes; j += VL_F32)
			vec_f32_store(m + j, VL_F32,
			              vec_f32_max(vec_f32_load(x + c * READY_LANES + j, VL_F32), vec_f32_load(m + j, VL_F32)));
	for (int64_t j = 0; j < lanes; j++) {
		sum[j] = 0;
		infinite |= fabsf(m[j]) == INFINITY;
	}
	if (infinite) {
		block_f32(e, row, count);
		return;
	}
	for (int64_t c = 0; c < e->classes; c++)
		row_exp_lanes(term, sum, x + c * READY_LANES, m, lanes, 0, false);
#pragma omp simd
	for (int64_t j = 0; j < lanes; j++)
		sum[j] = mt__logf(sum[j]);
	for (int64_t j = 0; j < lanes; j++)
		term[j] = 0;
	if (e->smoothing != 0)
		for (int64_t c = 0; c < e->classes; c++) {
			const float w = (float)weight_f32(e, c), *v = x + c * READY_LANES;
			for (int64_t j = 0; j < lanes; j++)
				term[j] += w * ((m[j] + sum[j]) - v[j]);
		}
	float *loss = (float *)mt__omp_data(e->loss), *lse = (float *)mt__omp_data(e->lse);
	for (int64_t j = 0; j < count; j++) {
		int64_t t = target_of(e->target, row + j);
		double total = (double)m[j] + (double)sum[j], part = 0;
		if (t != e->ignore)
			part = (1 - e->smoothing) * weight_f32(e, t) * (total - (double)x[t * READY_LANES + j]) +
			       e->share * (double)term[j];
		loss[(row + j) * e->loss->stride[0]] = (float)part;
		lse[(row + j) * e->lse->stride[0]] = (float)total;
	}
}

static void ready_block_grad(const struct entropy *e, int64_t row, int64_t count) {
	_Alignas(64) float x[ENTROPY_CHUNK], a[READY_LANES] = {0}, b[READY_LANES] = {0}, lse[READY_LANES] = {0};
	_Alignas(64) float hit[READY_LANES], sum[READY_LANES] = {0};
	int64_t target[READY_LANES], lanes = (count + VL_F32 - 1) / VL_F32 * VL_F32;
	const float *gloss = (const float *)mt__omp_data(e->loss), *lses = (const float *)mt__omp_data(e->lse);
	rows_to_lanes(e, x, row, count);
	for (int64_t j = 0; j < count; j++) {
		target[j] = target_of(e->target, row + j);
		if (target[j] == e->ignore)
			continue;
		double g = (double)gloss[(row + j) * e->loss->stride[0]];
		double w = (1 - e->smoothing) * weight_f32(e, target[j]);
		a[j] = (float)(g * (w + e->share * e->weights));
		b[j] = (float)(g * e->share);
		hit[j] = (float)(g * w);
		lse[j] = lses[(row + j) * e->lse->stride[0]];
	}
	for (int64_t c = 0; c < e->classes; c++) {
		float w = (float)weight_f32(e, c), *y = x + c * READY_LANES;
		row_exp_lanes(y, sum, y, lse, lanes, 0, true);
		for (int64_t j = 0; j < lanes; j += VL_F32)
			vec_f32_store(y + j, VL_F32,
			              vec_f32_load(a + j, VL_F32) * vec_f32_load(y + j, VL_F32) - vec_f32_load(b + j, VL_F32) * w);
	}
	for (int64_t j = 0; j < count; j++)
		if (target[j] != e->ignore)
			x[target[j] * READY_LANES + j] -= hit[j];
		else
			for (int64_t c = 0; c < e->classes; c++)
				x[c * READY_LANES + j] = 0;
	lanes_to_rows(e, x, row, count);
}

#endif
