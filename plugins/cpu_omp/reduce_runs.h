/* reduce where the reduced dims lie closest in memory: each output is the result of contiguous runs, of segments of them. */
#ifndef MT_OMP_REDUCE_RUNS_H
#define MT_OMP_REDUCE_RUNS_H

static void plan_runs(struct reduction *r) {
	const struct mt__walk *w = &r->reduced;
	int64_t length = w->shape[w->rank - 1];
	r->run = r->far && !r->low && w->stride[0][w->rank - 1] == 1 ? r->loops->far_run : r->loops->run;
	r->blocks = mt__omp_ceil_div(length, BLOCK);
	r->units = length > 0 ? w->count / length * r->blocks : 0;
	r->units_per_segment = mt__omp_max(1, SEGMENT / mt__omp_max(1, mt__omp_min(length, BLOCK)));
	r->units_per_segment = mt__omp_max(r->units_per_segment, mt__omp_ceil_div(r->units, SEGMENTS_MAX));
	r->segments = mt__omp_max(1, mt__omp_ceil_div(r->units, r->units_per_segment));
}

/* Kept dims lie between the reduced ones and the runs are long: segments of whole runs are then taken in the order of
 * memory.  Depends on the shape alone. */
static bool runs_in_order(struct reduction *r) {
	const struct mt__walk *k = &r->kept, *w = &r->reduced;
	int64_t length = w->shape[w->rank - 1];
	if (w->rank < 2 || k->count < 2 || length < BLOCK / 4 || w->count / length > SEGMENTS_MAX ||
	    mt__magnitude(w->stride[0][w->rank - 2]) < mt__magnitude(k->stride[0][k->rank - 1]))
		return false;
	r->units_per_segment = r->blocks;
	r->segments = w->count / length;
	return true;
}

static partial run_segment(const struct reduction *r, const char *x, int64_t segment) {
	const struct mt__walk *w = &r->reduced;
	int last = w->rank - 1;
	int64_t begin = segment * r->units_per_segment, end = mt__omp_min(begin + r->units_per_segment, r->units);
	int64_t length = w->shape[last], step = w->stride[0][last];
	bool direct = step == 1 && !r->low;
	_Alignas(64) char buffer[BLOCK * 8];
	partial total = mt__partial_start(r->loops->real, r->op);
	for (int64_t u = begin; u < end; u++) {
		int64_t at = u % r->blocks * BLOCK, n = mt__omp_min(BLOCK, length - at);
		const char *from = x + (offset_of(w, 0, last, u / r->blocks) + at * step) * r->size;
		if (!direct) {
			mt__omp_load_run(buffer, r->dtype, false, from, step, n);
			from = buffer;
		}
		total = join(r, total, r->run(r->op, from, n));
	}
	return total;
}

/* r->partials of [begin, end), segment-major: where memory has the outputs of one segment side by side, it is read in
 * order. */
static void run_segments(const struct reduction *r, int64_t begin, int64_t end) {
	int64_t outputs = r->kept.count;
	for (int64_t i = begin; i < end; i++) {
		int64_t output = i % outputs, segment = i / outputs;
		const char *x = r->x + offset_of(&r->kept, 0, r->kept.rank, output) * r->size;
		r->partials[output * r->segments + segment] = run_segment(r, x, segment);
	}
}

/* Outputs [begin, end) of one contiguous block each: many short rows, with nothing between them but their results. */
static void run_rows(const struct reduction *r, int64_t begin, int64_t end) {
	enum { ROWS = 64 };
	int64_t length = r->reduced.count, step = r->kept.stride[0][0] * r->size, out_step = r->kept.stride[1][0];
	partial total[ROWS];
	for (int64_t i = begin; i < end; i += ROWS) {
		int64_t n = mt__omp_min(ROWS, end - i);
		for (int64_t j = 0; j < n; j++)
			total[j] = r->run(r->op, r->x + (i + j) * step, length);
		finish(r, total, r->out + i * out_step * r->out_size, out_step, n);
	}
}

static void run_outputs(const struct reduction *r, int64_t begin, int64_t end) {
	const struct mt__walk *k = &r->kept;
	if (r->units == 1 && k->rank == 1 && r->reduced.stride[0][0] == 1 && !r->low) {
		run_rows(r, begin, end);
		return;
	}
	for (int64_t i = begin; i < end; i++) {
		const char *x = r->x + offset_of(k, 0, k->rank, i) * r->size;
		const partial *partials = r->partials ? r->partials + i * r->segments : NULL;
		partial total = partials ? partials[0] : run_segment(r, x, 0);
		for (int64_t s = 1; s < r->segments; s++)
			total = join(r, total, partials ? partials[s] : run_segment(r, x, s));
		finish(r, &total, r->out + offset_of(k, 1, k->rank, i) * r->out_size, 1, 1);
	}
}

#endif
