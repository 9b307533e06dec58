/* softmax over floats that lie ready: rows one by one, or blocks of lanes side by side, each read from memory once and
 * written once.  Where results are stored past the caches the terms e^(x−m) wait in scratch. */
#ifndef MT_OMP_SOFTMAX_ROWS_H
#define MT_OMP_SOFTMAX_ROWS_H

static float *terms_here(const struct softmax *s, float *out) {
	return s->terms ? s->terms + mt__omp_unit_thread(s->level) * s->terms_each : out;
}

/* Σ e^(x−m); the terms go to y unless it is NULL. */
MT_INLINE double sum_of_row(float *y, const float *x, float m, int64_t n, int64_t next) {
	double sum = 0;
	for (int64_t i = 0; i < n; i += SOFTMAX_CHUNK)
		sum += (double)row_exp(y ? y + i : NULL, x + i, m, 1, mt__omp_min(SOFTMAX_CHUNK, n - i), next, false);
	return sum;
}

/* Where the row after the one at x starts, seen from x, for rows that come from memory; 0 for the last. */
static int64_t next_row(const struct softmax *s, const struct mt__lane_block *b) {
	const struct mt__walk *w = &s->lanes.walk;
	bool more = s->far && b->block + 1 < w->shape[w->rank - 1];
	return more ? w->stride[1][w->rank - 1] : 0;
}

static void ready_row(const struct softmax *s, const struct mt__lane_block *b) {
	const float *x = (const float *)b->at[1];
	float *out = (float *)b->at[0], *y = terms_here(s, out);
	int64_t n = s->lanes.extent;
	int64_t next = next_row(s, b);
	float m = row_largest(x, n);
	if (s->log) {
		float low = (float)log(next ? sum_of_row(NULL, x, m, n, next) : sum_of_row(NULL, x, m, n, 0));
		if (s->far)
			row_affine(out, x, m, 1, -low, n, true);
		else
			row_affine(out, x, m, 1, -low, n, false);
		return;
	}
	float scale = (float)(1 / (next ? sum_of_row(y, x, m, n, next) : sum_of_row(y, x, m, n, 0)));
	if (y != out)
		row_affine(out, y, 0, scale, 0, n, true);
	else
		row_affine(out, y, 0, scale, 0, n, false);
}

/* Rows [begin, end) of log_softmax (is_log, a constant) or softmax that come from memory: each is stored while the next
 * one's exponentials are calculated. */
MT_INLINE void far_rows(const struct softmax *s, int64_t begin, int64_t end, bool is_log) {
	const int kind = is_log ? ROW_SUBTRACT | ROW_ADD : ROW_SCALE;
	const struct mt__walk *w = &s->lanes.walk;
	int64_t n = s->lanes.extent, rows = row_pending_rows_ahead(n), step = w->stride[1][w->rank - 1];
	float *terms = terms_here(s, NULL);
	struct row_pending p = {0};
	struct mt__lane_block b;
	mt__lanes_locate(&s->lanes, begin, &b);
	for (int64_t u = begin; u < end; u++, mt__lanes_advance(&s->lanes, &b)) {
		const float *x = (const float *)b.at[1];
		float *y = is_log ? NULL : row_pending_terms(terms + u % 2 * (s->terms_each / 2), x);
		int64_t ahead = u + rows < end ? rows * step : 0;
		float m = row_largest(x, n);
		double sum = 0;
		for (int64_t i = 0; i < n; i += SOFTMAX_CHUNK)
			sum += (double)row_exp_and_store(is_log ? NULL : y + i, x + i, m, 1, mt__omp_min(SOFTMAX_CHUNK, n - i),
			                                 ahead, false, &p, kind);
		row_pending_end(&p, kind);
		row_pending_begin(&p, (float *)b.at[0], is_log ? x : y, n);
		p.first = m;
		p.add = is_log ? -(float)log(sum) : 0;
		p.scale = (float)(1 / sum);
	}
	row_pending_end(&p, kind);
}

static void far_log_softmax(const struct softmax *s, int64_t begin, int64_t end) {
	far_rows(s, begin, end, true);
}

static void far_softmax(const struct softmax *s, int64_t begin, int64_t end) {
	far_rows(s, begin, end, false);
}

/* sum[j] = Σ e^(x−m[j]) down the lanes, a few rows by themselves first; the terms go to y.  Every other row of the block
 * `next` elements on is asked for. */
MT_INLINE void sum_of_block(float *y, int64_t ldy, float *sum, const float *x, int64_t ld, const float *m, int64_t rows,
                            int64_t lanes, int64_t next) {
	enum { FEW = 32 };
	_Alignas(64) float part[SOFTMAX_WIDE];
	for (int64_t j = 0; j < lanes; j++)
		sum[j] = 0;
	for (int64_t r = 0; r < rows; r += FEW) {
		for (int64_t j = 0; j < lanes; j++)
			part[j] = 0;
		for (int64_t i = r; i < mt__omp_min(rows, r + FEW); i++)
			row_exp_lanes(y + i * ldy, part, x + i * ld, m, lanes, i % 2 ? 0 : next, false);
		for (int64_t j = 0; j < lanes; j++)
			sum[j] += part[j];
	}
}

/* Where the next block starts, seen from this one: beside it, or below where a block takes whole rows. */
static int64_t next_block(const struct softmax *s, const struct mt__lane_block *b) {
	const struct mt__walk *w = &s->lanes.walk;
	bool whole = w->rank > 1 && b->lanes == w->shape[w->rank - 1];
	return whole ? w->stride[1][w->rank - 2] : b->lanes;
}

static void ready_block(const struct softmax *s, const struct mt__lane_block *b) {
	const float *x = (const float *)b->at[1];
	float *out = (float *)b->at[0], *y = terms_here(s, out);
	int64_t n = s->lanes.extent, lanes = b->lanes, ld = s->lanes.step[1], ldo = s->lanes.step[0];
	int64_t ldy = y == out ? ldo : lanes;
	_Alignas(64) float m[SOFTMAX_WIDE], sum[SOFTMAX_WIDE];
	for (int64_t j = 0; j < lanes; j++)
		m[j] = -INFINITY;
	vec_columns_f32(MT_REDUCE_MAX, m, x, ld, n, lanes, s->far);
	int64_t next = next_block(s, b);
	if (s->far)
		sum_of_block(y, ldy, sum, x, ld, m, n, lanes, next);
	else
		sum_of_block(y, ldy, sum, x, ld, m, n, lanes, 0);
	if (s->log) {
		for (int64_t j = 0; j < lanes; j++)
			sum[j] = mt__logf(sum[j]);
		for (int64_t r = 0; r < n; r++)
			for (int64_t j = 0; j < lanes; j++)
				out[r * ldo + j] = x[r * ld + j] - m[j] - sum[j];
		return;
	}
	for (int64_t j = 0; j < lanes; j++)
		sum[j] = 1 / sum[j];
	for (int64_t r = 0; r < n; r++)
		if (y != out)
			row_products(out + r * ldo, y + r * ldy, sum, lanes, true, r % 2 ? x + r * ld + next : NULL);
		else
			row_products(out + r * ldo, y + r * ldy, sum, lanes, false, NULL);
}

/* ---- gradients ---- */

/* gx[j] = y[j] (g[j] − sum), or g[j] − e^y[j] sum. */
MT_INLINE void finish_row_grad(bool log, float *gx, const float *g, const float *y, float sum, int64_t n, bool far) {
	int64_t j = 0, head = far ? row_stream_head(gx, n) : 0;
	for (; j < head; j++)
		gx[j] = log ? g[j] - y[j] : y[j] * (g[j] - sum);
	for (; j + VL_F32 <= n; j += VL_F32) {
		vec_f32 u = vec_f32_load(g + j, VL_F32), v = vec_f32_load(y + j, VL_F32), z = log ? u - v : v * (u - sum);
		if (far)
			vec_f32_stream(gx + j, z);
		else
			vec_f32_store(gx + j, VL_F32, z);
	}
	for (; j < n; j++)
		gx[j] = log ? g[j] - y[j] : y[j] * (g[j] - sum);
}

static void ready_row_grad(const struct softmax *s, const struct mt__lane_block *b) {
	const float *g = (const float *)b->at[1], *y = (const float *)b->at[2];
	float *gx = (float *)b->at[0];
	int64_t n = s->lanes.extent;
	_Alignas(64) float term[SOFTMAX_CHUNK];
	double sum = 0;
	for (int64_t i = 0; i < n; i += SOFTMAX_CHUNK) {
		int64_t part = mt__omp_min(SOFTMAX_CHUNK, n - i);
		sum += s->log ? s->loops->run(MT_REDUCE_SUM, g + i, part).f : (double)row_dot(g + i, y + i, part);
	}
	for (int64_t i = 0; i < n; i += SOFTMAX_CHUNK) {
		int64_t part = mt__omp_min(SOFTMAX_CHUNK, n - i);
		if (s->log) {
			row_exp(term, y + i, 0, (float)sum, part, 0, true);
			finish_row_grad(true, gx + i, g + i, term, 0, part, false);
		} else if (s->far) {
			finish_row_grad(false, gx + i, g + i, y + i, (float)sum, part, true);
		} else {
			finish_row_grad(false, gx + i, g + i, y + i, (float)sum, part, false);
		}
	}
}

#endif
