/* reduce where a kept dim lies closest in memory: a row of outputs is accumulated row by row. */
#ifndef MT_OMP_REDUCE_COLUMNS_H
#define MT_OMP_REDUCE_COLUMNS_H

/* Rows are cut into segments by the shape alone.  The width of chunks is the one thing that depends on threads: a
 * column's result does not depend on its neighbours. */
static void plan_columns(struct reduction *r, int threads) {
	const struct mt__walk *k = &r->kept, *w = &r->reduced;
	int64_t columns = k->shape[k->rank - 1], step = k->stride[0][k->rank - 1], outer = k->count / columns;
	bool whole = step == 1 && w->rank == 1 && w->stride[0][0] == columns; /* rows follow one another */
	bool rounds = r->op != MT_REDUCE_MAX && r->op != MT_REDUCE_MIN && r->op != MT_REDUCE_ANY && r->op != MT_REDUCE_ALL;
	r->flush = rounds ? r->loops->flush : w->count;
	r->fold = 1;
	if (whole)
		while (r->fold * 2 * columns <= FOLDED && r->fold * 16 <= w->count)
			r->fold *= 2;
	r->rows = w->count / r->fold;
	int64_t row = r->fold > 1 ? columns * r->fold : mt__omp_min(columns, FOLDED);
	r->rows_per_segment = mt__omp_max(128, 4 * SEGMENT / row);
	r->rows_per_segment = mt__omp_max(r->rows_per_segment, mt__omp_ceil_div(r->rows, SEGMENTS_MAX));
	r->segments = mt__omp_max(1, mt__omp_ceil_div(r->rows, r->rows_per_segment));
	r->apart = whole && r->far && !r->low && columns <= WIDTH / 2 && r->rows >= 4 * APART;
	r->width = step != 1 ? WIDTH_STAGED / 4 : r->low ? WIDTH_STAGED : WIDTH;
	if (outer < threads && !(r->apart && r->segments >= 4 * threads)) {
		int64_t share = (mt__omp_ceil_div(columns * outer, threads) + 63) / 64 * 64;
		r->width = mt__omp_min(r->width, mt__omp_max(share, WIDTH_MIN));
	}
	r->chunks_per_row = r->fold > 1 ? 1 : mt__omp_ceil_div(columns, r->width);
	r->chunks = outer * r->chunks_per_row;
	r->lanes = r->fold > 1 ? columns * r->fold : mt__omp_min(columns, r->width);
	r->narrow = !r->low && !r->apart && r->segments == 1 && r->fold == 1 && r->rows <= r->flush && r->loops->finish &&
	            r->out_dtype == r->dtype;
}

/* lane = lane ∘ rows [row, row + n) of the reduced positions, which lie within one run of the innermost reduced dim. */
static void take_rows(const struct reduction *r, void *lane, const char *x, int64_t ld, int64_t n, int64_t columns) {
	int64_t step = r->kept.stride[0][r->kept.rank - 1];
	if (step == 1 && !r->low) {
		r->loops->columns(r->op, lane, x, ld, n, columns, r->far);
		return;
	}
	_Alignas(64) char buffer[BLOCK * 8];
	int64_t at_once = BLOCK / columns;
	for (int64_t i = 0; i < n; i += at_once) {
		int64_t m = mt__omp_min(at_once, n - i);
		mt__omp_load_block(buffer, columns, r->dtype, false, x + i * ld * r->size, ld, step, m, columns);
		r->loops->columns(r->op, lane, buffer, columns, m, columns, false);
	}
}

/* lane[j] = the result of rows [begin, end) at columns j of a chunk that starts at x. */
static void column_rows(const struct reduction *r, const char *x, int64_t columns, int64_t begin, int64_t end,
                        void *lane) {
	const struct mt__walk *w = &r->reduced;
	int last = w->rank - 1;
	int64_t length = w->shape[last] / r->fold, ld = w->stride[0][last] * r->fold;
	r->loops->begin(r->op, lane, columns);
	for (int64_t row = begin; row < end;) {
		int64_t n = mt__omp_min(end - row, length - row % length);
		int64_t offset = offset_of(w, 0, last, row / length) + row % length * ld;
		take_rows(r, lane, x + offset * r->size, ld, n, columns);
		row += n;
	}
}

/* total[j] = total[j] ∘ rows [begin, begin + 4 gap), four at once that lie gap rows apart: memory gives more when it is
 * read in several places.  r->apart. */
static void rows_apart(const struct reduction *r, const char *x, int64_t columns, int64_t begin, int64_t gap,
                       partial *total) {
	int64_t ld = r->reduced.stride[0][0] * r->fold, most = mt__omp_max(r->flush / 8, 1);
	_Alignas(64) char lane[WIDTH * 8];
	for (int64_t i = 0; i < gap; i += most) {
		r->loops->begin(r->op, lane, columns);
		for (int64_t j = i; j < mt__omp_min(gap, i + most); j++)
			r->loops->columns(r->op, lane, x + (begin + j) * ld * r->size, gap * ld, 4, columns, false);
		r->loops->flush_lanes(r->op, total, lane, columns);
	}
}

/* total[j] = the result of one segment of rows. */
static void column_segment(const struct reduction *r, const char *x, int64_t columns, int64_t segment, partial *total) {
	int64_t begin = segment * r->rows_per_segment, end = mt__omp_min(begin + r->rows_per_segment, r->rows);
	_Alignas(64) char lane[WIDTH * 8];
	for (int64_t j = 0; j < columns; j++)
		total[j] = mt__partial_start(r->loops->real, r->op);
	if (r->apart) {
		rows_apart(r, x, columns, begin, (end - begin) / 4, total);
		begin = end - (end - begin) % 4;
	}
	for (int64_t row = begin; row < end; row += r->flush) {
		column_rows(r, x, columns, row, mt__omp_min(end, row + r->flush), lane);
		r->loops->flush_lanes(r->op, total, lane, columns);
	}
}

/* Rows taken as one are joined, and those left over. */
static void unfold(const struct reduction *r, const char *x, int64_t columns, partial *total) {
	_Alignas(64) char lane[WIDTH * 8];
	for (int64_t half = r->fold / 2; half > 0; half /= 2)
		r->loops->join(r->op, total, total + half * columns, half * columns);
	int64_t taken = r->rows * r->fold, rest = r->reduced.count - taken;
	if (rest == 0)
		return;
	r->loops->begin(r->op, lane, columns);
	take_rows(r, lane, x + taken * columns * r->size, columns, rest, columns);
	r->loops->flush_lanes(r->op, total, lane, columns);
}

/* Where chunk c starts in x and in out, and how many outputs it has. */
static int64_t locate_chunk(const struct reduction *r, int64_t c, const char **x, char **out) {
	const struct mt__walk *k = &r->kept;
	int last = k->rank - 1;
	int64_t column = c % r->chunks_per_row * r->width, outer = c / r->chunks_per_row;
	*x = r->x + (offset_of(k, 0, last, outer) + column * k->stride[0][last]) * r->size;
	*out = r->out + (offset_of(k, 1, last, outer) + column * k->stride[1][last]) * r->out_size;
	return r->fold > 1 ? k->shape[last] : mt__omp_min(r->width, k->shape[last] - column);
}

/* r->partials of [begin, end), segment-major. */
static void column_segments(const struct reduction *r, int64_t begin, int64_t end) {
	for (int64_t i = begin; i < end; i++) {
		int64_t chunk = i % r->chunks, segment = i / r->chunks;
		const char *x;
		char *out;
		int64_t lanes = locate_chunk(r, chunk, &x, &out) * r->fold;
		column_segment(r, x, lanes, segment, r->partials + (chunk * r->segments + segment) * r->lanes);
	}
}

/* Chunks [begin, end), their segments joined from r->partials, or done here if that is NULL. */
static void column_chunks(const struct reduction *r, int64_t begin, int64_t end) {
	const partial *partials = r->partials;
	_Alignas(64) partial total[WIDTH], next[WIDTH];
	for (int64_t c = begin; c < end; c++) {
		const char *x;
		char *out;
		int64_t columns = locate_chunk(r, c, &x, &out), lanes = columns * r->fold;
		int64_t stride = r->kept.stride[1][r->kept.rank - 1];
		if (r->narrow) {
			column_rows(r, x, columns, 0, r->rows, next);
			r->loops->finish(out, stride, next, r->op == MT_REDUCE_MEAN ? (double)r->reduced.count : 1, columns);
			continue;
		}
		if (!partials)
			column_segment(r, x, lanes, 0, total);
		else
			memcpy(total, partials + c * r->segments * r->lanes, (size_t)lanes * sizeof *total);
		for (int64_t s = 1; s < r->segments; s++) {
			if (!partials)
				column_segment(r, x, lanes, s, next);
			r->loops->join(r->op, total, partials ? partials + (c * r->segments + s) * r->lanes : next, lanes);
		}
		unfold(r, x, columns, total);
		finish(r, total, out, stride, columns);
	}
}

#endif
