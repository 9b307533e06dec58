/* reduce over any set of axes.  Two ways to go:
 *     runs       the reduced dims lie closest in memory: each output is the result of contiguous runs
 *     columns    a kept dim lies closest: a row of outputs is accumulated row by row
 * Either way the reduced positions are cut into segments that depend on the shape alone; threads share outputs or
 * segments, and results are joined in order. */
#include "reduce.h"

#include "collapse.h"
#include "mt/lowp.h"
#include "stage.h"
#include "units.h"

enum {
	BLOCK = 2048,    /* elements of a run that is reduced in lanes before results are joined in double */
	SEGMENT = 32768, /* elements of a segment */
	SEGMENTS_MAX = 256,
	WIDTH = 512, /* columns at a time */
	SHORT_RUN = 32
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
	/* runs */
	int64_t blocks, units_per_segment, units;
	/* columns */
	int64_t width, rows_per_segment, rows, chunks_per_row, chunks;
	int64_t fold; /* rows that lie side by side and are taken as one */
	int64_t segments;
	bool by_columns;
	partial *partials; /* where threads share segments: [outputs or chunks][segments], WIDTH apart for chunks */
};

static partial join(const struct reduction *r, partial a, partial b) {
	return mt__partial_join(r->loops->real, r->op, a, b);
}

/* out[k · stride] from total[k], k < n. */
static void finish(const struct reduction *r, const partial *total, char *out, int64_t stride, int64_t n) {
	double count = (double)r->reduced.count;
	bool mean = r->op == MT_REDUCE_MEAN;
	for (int64_t k = 0; k < n; k++) {
		char *to = out + k * stride * r->out_size;
		double f = mean ? total[k].f / count : total[k].f;
		if (r->op == MT_REDUCE_ANY || r->op == MT_REDUCE_ALL) {
			*(uint8_t *)to = r->loops->real ? f != 0 : total[k].i != 0;
			continue;
		}
		switch (r->out_dtype) {
		case MT_F32:
			*(float *)to = (float)f;
			break;
		case MT_F64:
			*(double *)to = f;
			break;
		case MT_F16:
			*(uint16_t *)to = mt_f64_to_f16(f);
			break;
		case MT_BF16:
			*(uint16_t *)to = mt_f64_to_bf16(f);
			break;
		case MT_I32:
			*(int32_t *)to = (int32_t)total[k].i;
			break;
		case MT_I64:
			*(int64_t *)to = total[k].i;
			break;
		default:
			*(uint8_t *)to = (uint8_t)total[k].i;
		}
	}
}

/* The offset of position `index` of dims [0, rank) of array k. */
static int64_t offset_of(const struct mt__walk *w, int k, int rank, int64_t index) {
	int64_t offset = 0;
	for (int d = rank - 1; d >= 0; d--) {
		offset += index % w->shape[d] * w->stride[k][d];
		index /= w->shape[d];
	}
	return offset;
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

static void run_outputs(const struct reduction *r, int64_t begin, int64_t end) {
	const struct mt__walk *k = &r->kept;
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

static void plan_columns(struct reduction *r) {
	const struct mt__walk *k = &r->kept, *w = &r->reduced;
	int64_t columns = k->shape[k->rank - 1], step = k->stride[0][k->rank - 1];
	r->fold = 1;
	r->rows = w->count;
	if (step == 1 && w->rank == 1 && w->stride[0][0] == columns && columns <= WIDTH / 2)
		r->fold = mt__omp_min(WIDTH / columns, r->rows);
	r->rows /= r->fold;
	r->width = step == 1 ? WIDTH : WIDTH / 4;
	r->chunks_per_row = r->fold > 1 ? 1 : mt__omp_ceil_div(columns, r->width);
	r->chunks = k->count / columns * r->chunks_per_row;
	int64_t row = r->fold > 1 ? columns * r->fold : mt__omp_min(columns, r->width);
	r->rows_per_segment = mt__omp_max(128, 4 * SEGMENT / row);
	r->rows_per_segment = mt__omp_max(r->rows_per_segment, mt__omp_ceil_div(r->rows, SEGMENTS_MAX));
	r->segments = mt__omp_max(1, mt__omp_ceil_div(r->rows, r->rows_per_segment));
}

/* lane = lane ∘ rows [row, row + n) of the reduced positions, which lie within one run of the innermost reduced dim. */
static void take_rows(const struct reduction *r, void *lane, const char *x, int64_t ld, int64_t n, int64_t columns) {
	int64_t step = r->kept.stride[0][r->kept.rank - 1];
	if (step == 1 && !r->low) {
		r->loops->columns(r->op, lane, x, ld, n, columns);
		return;
	}
	_Alignas(64) char buffer[BLOCK * 8];
	int64_t at_once = BLOCK / columns;
	for (int64_t i = 0; i < n; i += at_once) {
		int64_t m = mt__omp_min(at_once, n - i);
		mt__omp_load_block(buffer, columns, r->dtype, false, x + i * ld * r->size, ld, step, m, columns);
		r->loops->columns(r->op, lane, buffer, columns, m, columns);
	}
}

/* total[j] = the result of one segment of rows at columns j of a chunk that starts at x. */
static void column_segment(const struct reduction *r, const char *x, int64_t columns, int64_t segment, partial *total) {
	const struct mt__walk *w = &r->reduced;
	int last = w->rank - 1;
	int64_t begin = segment * r->rows_per_segment, end = mt__omp_min(begin + r->rows_per_segment, r->rows);
	int64_t length = w->shape[last] / r->fold, ld = w->stride[0][last] * r->fold;
	_Alignas(64) char lane[WIDTH * 8];
	for (int64_t j = 0; j < columns; j++)
		total[j] = mt__partial_start(r->loops->real, r->op);
	for (int64_t row = begin; row < end;) {
		int64_t stop = mt__omp_min(end, row + r->loops->flush);
		r->loops->begin(r->op, lane, columns);
		while (row < stop) {
			int64_t n = mt__omp_min(stop - row, length - row % length);
			int64_t offset = offset_of(w, 0, last, row / length) + row % length * ld;
			take_rows(r, lane, x + offset * r->size, ld, n, columns);
			row += n;
		}
		r->loops->flush_lanes(r->op, total, lane, columns);
	}
}

/* Rows taken as one are joined, and those left over. */
static void unfold(const struct reduction *r, const char *x, int64_t columns, partial *total) {
	_Alignas(64) char lane[WIDTH * 8];
	for (int64_t i = 1; i < r->fold; i++)
		for (int64_t j = 0; j < columns; j++)
			total[j] = join(r, total[j], total[i * columns + j]);
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
	partial total[WIDTH], next[WIDTH];
	for (int64_t c = begin; c < end; c++) {
		const char *x;
		char *out;
		int64_t columns = locate_chunk(r, c, &x, &out), lanes = columns * r->fold;
		for (int64_t s = 0; s < r->segments; s++) {
			const partial *from = partials ? partials + (c * r->segments + s) * WIDTH : s == 0 ? total : next;
			if (!partials)
				column_segment(r, x, lanes, s, s == 0 ? total : next);
			for (int64_t j = 0; j < lanes; j++)
				total[j] = s == 0 ? from[j] : join(r, total[j], from[j]);
		}
		unfold(r, x, columns, total);
		finish(r, total, out, r->kept.stride[1][r->kept.rank - 1], columns);
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

static void do_segments(const void *context, int64_t begin, int64_t end) {
	const struct reduction *r = context;
	for (int64_t i = begin; i < end; i++) {
		int64_t group = i / r->segments, segment = i % r->segments;
		if (r->by_columns) {
			const char *x;
			char *out;
			int64_t width = locate_chunk(r, group, &x, &out) * r->fold;
			column_segment(r, x, width, segment, r->partials + i * WIDTH);
		} else {
			r->partials[i] = run_segment(r, r->x + offset_of(&r->kept, 0, r->kept.rank, group) * r->size, segment);
		}
	}
}

/* Few outputs: threads share segments, and one joins them. */
static int32_t share_segments(mt_queue *queue, struct reduction *r, int64_t groups, int threads) {
	uint64_t bytes = (uint64_t)(groups * r->segments * (r->by_columns ? WIDTH : 1)) * sizeof(partial);
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

static int64_t magnitude(int64_t stride) {
	return stride < 0 ? -stride : stride;
}

int32_t MT_ISA_NAME(mt__omp_reduce)(mt_queue *queue, const struct mt_reduce_args *args) {
	struct reduction r;
	r.op = args->op;
	r.dtype = args->x->dtype;
	r.out_dtype = args->out->dtype;
	r.low = mt__omp_compute_dtype(r.dtype) != r.dtype;
	r.loops = mt__omp_reduce_loops(r.op, mt__omp_compute_dtype(r.dtype));
	split_dims(&r, args);
	const struct mt__walk *k = &r.kept, *w = &r.reduced;
	bool nearer = magnitude(w->stride[0][w->rank - 1]) < magnitude(k->stride[0][k->rank - 1]);
	r.by_columns = k->count > 1 && w->count > 0 && !(nearer && w->shape[w->rank - 1] >= SHORT_RUN);
	r.partials = NULL;
	if (r.by_columns)
		plan_columns(&r);
	else
		plan_runs(&r);
	int64_t groups = r.by_columns ? r.chunks : k->count;
	int threads = mt__omp_threads(queue, (double)k->count * (double)w->count);
	if (threads > 1 && groups < 4 * threads && r.segments > 1)
		return share_segments(queue, &r, groups, threads);
	mt__omp_for_units(threads, groups, do_groups, &r);
	return MT_OK;
}
