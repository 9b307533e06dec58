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
	APART = 8,          /* rows of each of four places, at least */
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
	partial (*run)(int op, const void *x, int64_t n); /* of one block */
	int64_t blocks, units_per_segment, units;
	/* columns */
	int64_t width, rows_per_segment, rows, chunks_per_row, chunks;
	int64_t fold;  /* rows that lie side by side and are taken as one: a power of two */
	int64_t lanes; /* of a chunk, at most */
	int64_t flush; /* rows after which lanes are joined */
	bool apart;    /* rows follow one another in memory, and are taken four at once from four places */
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

#include "reduce_columns.h"
#include "reduce_runs.h"

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
	if (r->by_columns)
		column_segments(r, begin, end);
	else
		run_segments(r, begin, end);
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
