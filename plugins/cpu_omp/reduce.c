/* reduce over any set of axes.  Two ways to go:
 *     runs       the reduced dims lie closest in memory: each output is the result of contiguous runs
 *     columns    a kept dim lies closest: a row of outputs is accumulated row by row
 * Either way the reduced positions are cut into segments that depend on the shape alone; threads share outputs or
 * segments, and results are joined in order. */
#include "reduce.h"

#include <string.h>

#include "lanes.h"
#include "mt/lowp.h"
#include "units.h"

enum {
	BLOCK = 2048,    /* elements of a run that is reduced in lanes before results are joined in double */
	SEGMENT = 32768, /* elements of a segment */
	SEGMENTS_MAX = 256,
	WIDTH = 2048,       /* columns at a time: lanes in L1, and runs of memory long enough for the prefetcher */
	WIDTH_STAGED = 512, /* where elements pass through a buffer */
	WIDTH_MIN = 256,    /* to which columns are cut to give every thread some */
	FOLDED = 512,       /* columns of rows taken as one */
	SHORT_RUN = 32,
	FAR_BYTES = 24 << 20 /* from which x comes from memory, not from a cache */
};

typedef union mt__partial partial;

struct reduction {
	int32_t op, dtype, out_dtype;
	const struct mt__reduce_loops *loops;
	struct mt__walk kept;    /* arrays: x, out */
	struct mt__walk reduced; /* x */
	const char *x;
	char *out;
	int size, out_size;
	bool low; /* elements are converted before they are reduced */
	bool far; /* x is too large for the caches */
	/* runs */
	int64_t blocks, units_per_segment, units;
	/* columns */
	int64_t width, rows_per_segment, rows, chunks_per_row, chunks;
	int64_t fold;  /* rows that lie side by side and are taken as one: a power of two */
	int64_t lanes; /* of a chunk, at most */
	bool narrow;   /* one flush's worth of rows: lanes are the result */
	int64_t segments;
	bool by_columns;
	partial *partials; /* where segments come first: [outputs or chunks][segments], lanes apart for chunks */
};

static partial join(const struct reduction *r, partial a, partial b) {
	return mt__partial_join(r->loops->real, r->op, a, b);
}

/* out[k · stride] from total[k], k < n. */
static void finish(const struct reduction *r, const partial *total, char *out, int64_t stride, int64_t n) {
	double count = r->op == MT_REDUCE_MEAN ? (double)r->reduced.count : 1;
	if (r->op == MT_REDUCE_ANY || r->op == MT_REDUCE_ALL) {
		for (int64_t k = 0; k < n; k++)
			((uint8_t *)out)[k * stride] = r->loops->real ? total[k].f != 0 : total[k].i != 0;
		return;
	}
	switch (r->out_dtype) {
	case MT_F32:
		for (int64_t k = 0; k < n; k++)
			((float *)out)[k * stride] = (float)(total[k].f / count);
		break;
	case MT_F64:
		for (int64_t k = 0; k < n; k++)
			((double *)out)[k * stride] = total[k].f / count;
		break;
	case MT_F16:
		for (int64_t k = 0; k < n; k++)
			((uint16_t *)out)[k * stride] = mt_f64_to_f16(total[k].f / count);
		break;
	case MT_BF16:
		for (int64_t k = 0; k < n; k++)
			((uint16_t *)out)[k * stride] = mt_f64_to_bf16(total[k].f / count);
		break;
	case MT_I32:
		for (int64_t k = 0; k < n; k++)
			((int32_t *)out)[k * stride] = (int32_t)total[k].i;
		break;
	case MT_I64:
		for (int64_t k = 0; k < n; k++)
			((int64_t *)out)[k * stride] = total[k].i;
		break;
	default:
		for (int64_t k = 0; k < n; k++)
			((uint8_t *)out)[k * stride] = (uint8_t)total[k].i;
	}
}

/* The offset of position `index` of dims [0, rank) of array k. */
static int64_t offset_of(const struct mt__walk *w, int k, int rank, int64_t index) {
	int64_t offset = 0;
	for (int d = rank - 1; d > 0; d--) {
		offset += index % w->shape[d] * w->stride[k][d];
		index /= w->shape[d];
	}
	return rank > 0 ? offset + index * w->stride[k][0] : 0;
}

/* ---- runs --------------------------------------------------------------------------------------------------------- */

static void plan_runs(struct reduction *r) {
	const struct mt__walk *w = &r->reduced;
	int64_t length = w->shape[w->rank - 1];
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
		total = join(r, total, r->loops->run(r->op, from, n));
	}
	return total;
}

/* Outputs [begin, end) of one contiguous block each: many short rows, with nothing between them but their results. */
static void run_rows(const struct reduction *r, int64_t begin, int64_t end) {
	enum { ROWS = 64 };
	int64_t length = r->reduced.count, step = r->kept.stride[0][0] * r->size, out_step = r->kept.stride[1][0];
	partial total[ROWS];
	for (int64_t i = begin; i < end; i += ROWS) {
		int64_t n = mt__omp_min(ROWS, end - i);
		for (int64_t j = 0; j < n; j++)
			total[j] = r->loops->run(r->op, r->x + (i + j) * step, length);
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

/* ---- columns ------------------------------------------------------------------------------------------------------ */

/* The width of chunks is the one thing that depends on threads: a column's sum does not depend on its neighbours. */
static void plan_columns(struct reduction *r, int threads) {
	const struct mt__walk *k = &r->kept, *w = &r->reduced;
	int64_t columns = k->shape[k->rank - 1], step = k->stride[0][k->rank - 1], outer = k->count / columns;
	r->fold = 1;
	if (step == 1 && w->rank == 1 && w->stride[0][0] == columns)
		while (r->fold * 2 * columns <= FOLDED && r->fold * 16 <= w->count)
			r->fold *= 2;
	r->rows = w->count / r->fold;
	r->width = step != 1 ? WIDTH_STAGED / 4 : r->low ? WIDTH_STAGED : WIDTH;
	if (outer < threads) {
		int64_t share = (mt__omp_ceil_div(columns * outer, threads) + 63) / 64 * 64;
		r->width = mt__omp_min(r->width, mt__omp_max(share, WIDTH_MIN));
	}
	r->chunks_per_row = r->fold > 1 ? 1 : mt__omp_ceil_div(columns, r->width);
	r->chunks = outer * r->chunks_per_row;
	r->lanes = r->fold > 1 ? columns * r->fold : mt__omp_min(columns, r->width);
	int64_t row = r->fold > 1 ? r->lanes : mt__omp_min(columns, FOLDED);
	r->rows_per_segment = mt__omp_max(128, 4 * SEGMENT / row);
	r->rows_per_segment = mt__omp_max(r->rows_per_segment, mt__omp_ceil_div(r->rows, SEGMENTS_MAX));
	r->segments = mt__omp_max(1, mt__omp_ceil_div(r->rows, r->rows_per_segment));
	r->narrow = !r->low && r->segments == 1 && r->fold == 1 && r->rows <= r->loops->flush && r->loops->finish &&
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

/* total[j] = the result of one segment of rows. */
static void column_segment(const struct reduction *r, const char *x, int64_t columns, int64_t segment, partial *total) {
	int64_t begin = segment * r->rows_per_segment, end = mt__omp_min(begin + r->rows_per_segment, r->rows);
	_Alignas(64) char lane[WIDTH * 8];
	for (int64_t j = 0; j < columns; j++)
		total[j] = mt__partial_start(r->loops->real, r->op);
	for (int64_t row = begin; row < end; row += r->loops->flush) {
		column_rows(r, x, columns, row, mt__omp_min(end, row + r->loops->flush), lane);
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

/* ---- the kernel --------------------------------------------------------------------------------------------------- */

static void do_groups(const void *context, int64_t begin, int64_t end) {
	const struct reduction *r = context;
	if (r->by_columns)
		column_chunks(r, begin, end);
	else
		run_outputs(r, begin, end);
}

/* Segment-major: where memory has the outputs of one segment side by side, it is read in order. */
static void do_segments(const void *context, int64_t begin, int64_t end) {
	const struct reduction *r = context;
	int64_t groups = r->by_columns ? r->chunks : r->kept.count;
	for (int64_t i = begin; i < end; i++) {
		int64_t group = i % groups, segment = i / groups;
		if (r->by_columns) {
			const char *x;
			char *out;
			int64_t width = locate_chunk(r, group, &x, &out) * r->fold;
			column_segment(r, x, width, segment, r->partials + (group * r->segments + segment) * r->lanes);
		} else {
			r->partials[group * r->segments + segment] =
				run_segment(r, r->x + offset_of(&r->kept, 0, r->kept.rank, group) * r->size, segment);
		}
	}
}

/* Threads share segments, and one joins them. */
static int32_t share_segments(mt_queue *queue, struct reduction *r, int64_t groups, int threads) {
	uint64_t bytes = (uint64_t)(groups * r->segments * (r->by_columns ? r->lanes : 1)) * sizeof(partial);
	r->partials = mt__omp_scratch(queue, bytes);
	if (!r->partials)
		return mt__omp_no_scratch(bytes);
	mt__omp_for_units(threads, groups * r->segments, do_segments, r);
	do_groups(r, 0, groups);
	return MT_OK;
}

static void split_dims(struct reduction *r, const struct mt_reduce_args *args) {
	const mt_array *x = args->x, *out = args->out;
	int kept = 0, reduced = 0;
	bool empty = false;
	for (int d = 0; d < x->rank; d++)
		if (args->axes >> d & 1u) {
			r->reduced.shape[reduced] = x->shape[d];
			r->reduced.stride[0][reduced++] = x->stride[d];
			empty = empty || x->shape[d] == 0;
		} else {
			r->kept.shape[kept] = x->shape[d];
			r->kept.stride[0][kept] = x->stride[d];
			r->kept.stride[1][kept++] = out->stride[d];
		}
	r->size = r->kept.size[0] = r->reduced.size[0] = mt__omp_dtype_size(x->dtype);
	r->out_size = r->kept.size[1] = mt__omp_dtype_size(out->dtype);
	r->kept.n = 2;
	r->kept.data[0] = mt__omp_data(x);
	r->kept.data[1] = mt__omp_data(out);
	mt__omp_collapse_dims(&r->kept, kept, false);
	r->reduced.n = 1;
	r->reduced.data[0] = r->kept.data[0];
	if (empty) {
		r->reduced.rank = 1;
		r->reduced.count = r->reduced.shape[0] = 0;
		r->reduced.stride[0][0] = 1;
	} else {
		mt__omp_collapse_dims(&r->reduced, reduced, false);
	}
	r->x = r->reduced.data[0];
	r->out = r->kept.data[1];
}

int32_t MT_ISA_NAME(mt__omp_reduce)(mt_queue *queue, const struct mt_reduce_args *args) {
	struct reduction r;
	r.op = args->op;
	r.dtype = args->x->dtype;
	r.out_dtype = args->out->dtype;
	r.low = mt__omp_compute_dtype(r.dtype) != r.dtype;
	r.loops = mt__omp_reduce_loops(r.op, mt__omp_compute_dtype(r.dtype));
	split_dims(&r, args);
	r.far = r.kept.count * r.reduced.count * r.size >= FAR_BYTES;
	const struct mt__walk *k = &r.kept, *w = &r.reduced;
	bool nearer = mt__magnitude(w->stride[0][w->rank - 1]) < mt__magnitude(k->stride[0][k->rank - 1]);
	r.by_columns = k->count > 1 && w->count > 0 && !(nearer && w->shape[w->rank - 1] >= SHORT_RUN);
	r.partials = NULL;
	int threads = mt__omp_threads(queue, (double)k->count * (double)w->count);
	if (r.by_columns) {
		plan_columns(&r, threads);
		if (threads > 1 && r.chunks < threads && r.segments > 1)
			return share_segments(queue, &r, r.chunks, threads);
		mt__omp_for_units(threads, r.chunks, do_groups, &r);
		return MT_OK;
	}
	plan_runs(&r);
	if (runs_in_order(&r) || (threads > 1 && k->count < 4 * threads && r.segments > 1))
		return share_segments(queue, &r, k->count, threads);
	mt__omp_for_units(threads, k->count, do_groups, &r);
	return MT_OK;
}
