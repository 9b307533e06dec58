/* layer_norm and its gradients: a row stays in L1 or L2 for its two or three passes. */
#include <math.h>

#include "norm.h"
#include "units.h"

enum {
	NORM_CHUNK = 2048,
	NORM_FLUSH = 32,
	ASK_BYTES = 4 << 20, /* of a result from which its lines are asked for before they are written */
	SEGMENTS_MAX = 64,
	ROW_BUFFER = 16384 /* floats of a row that is brought into a buffer, at most */
};

struct layer_norm {
	const mt_array *gout, *x, *out, *gx, *mean, *rstd;
	const void *weight, *bias; /* contiguous, of the compute type; or NULL */
	const struct mt__reduce_loops *loops;
	int64_t m, n;
	double eps;
	/* gradient */
	int64_t segment_rows, segments;
	double *sums; /* [segments][gweight, gbias][n]; NULL where neither is wanted */
	void *lanes;  /* the same in the compute type */
	const mt_array *gweight, *gbias;
	/* layer_norm_rows.h */
	bool ready;  /* floats, contiguous along rows */
	bool ask;    /* results lie beyond the second cache level */
	bool far;    /* results are stored past the caches */
	float *rows; /* rows_of_thread buffers of rows_each floats for each thread; or NULL */
	int64_t rows_of_thread, rows_each;
	int level; /* for mt__omp_unit_thread */
};

#include "layer_norm_rows.h"

#define T float
#define FLOATS 1
#define NAME(f) f##_f32
#define DTYPE MT_F32
#include "layer_norm_type.inc"
#undef T
#undef NAME
#undef DTYPE

#undef FLOATS
#define T double
#define FLOATS 0
#define NAME(f) f##_f64
#define DTYPE MT_F64
#include "layer_norm_type.inc"
#undef T
#undef NAME
#undef DTYPE

/* Floats, contiguous along rows; NULL is. */
static bool is_ready(const mt_array *a) {
	return !a || (a->dtype == MT_F32 && a->stride[1] == 1);
}

static bool is_far(const mt_array *a) {
	return a->shape[0] * a->shape[1] * 4 >= MT__OMP_STREAM_BYTES;
}

static bool needs_buffer(const mt_array *v) {
	return v && (v->stride[0] != 1 || mt__omp_compute_dtype(v->dtype) != v->dtype);
}

/* Bytes of buffers for rows that are no floats yet, if such a buffer holds one; else 0. */
static uint64_t plan_buffers(struct layer_norm *l, int threads, int rows_of_thread) {
	l->rows_each = mt__omp_round_up(l->n, 16);
	l->rows_of_thread = rows_of_thread;
	l->level = omp_get_level();
	bool floats = mt__omp_compute_dtype(l->x->dtype) == MT_F32;
	return floats && !l->ready && l->n <= ROW_BUFFER ? (uint64_t)(l->rows_each * rows_of_thread * threads) * 4 : 0;
}

int32_t MT_ISA_NAME(mt__omp_layer_norm)(mt_queue *queue, const struct mt_layer_norm_args *args) {
	bool wide = args->x->dtype == MT_F64;
	struct layer_norm l = {.x = args->x, .out = args->out, .mean = args->mean, .rstd = args->rstd, .eps = args->eps};
	l.m = args->x->shape[0];
	l.n = args->x->shape[1];
	l.loops = mt__omp_reduce_loops(MT_REDUCE_SUM, wide ? MT_F64 : MT_F32);
	l.ready = is_ready(args->x) && is_ready(args->out);
	l.far = l.ready && is_far(args->out);
	l.ask = l.ready && l.m * l.n * 4 >= ASK_BYTES;
	int threads = mt__omp_threads(queue, (double)l.m * (double)l.n * 3);
	uint64_t each = mt__omp_align64((uint64_t)l.n * (wide ? 8 : 4));
	uint64_t vectors = needs_buffer(args->weight) || needs_buffer(args->bias) ? 2 * each : 0;
	uint64_t rows_bytes = plan_buffers(&l, threads, 1);
	char *buffer = NULL;
	if (vectors + rows_bytes > 0) {
		buffer = mt__omp_scratch(queue, vectors + rows_bytes);
		if (!buffer)
			return mt__omp_no_scratch(vectors + rows_bytes);
	}
	if (rows_bytes > 0)
		l.rows = (float *)(buffer + vectors);
	if (args->weight)
		l.weight = mt__vector_run(args->weight, buffer, l.n);
	if (args->bias)
		l.bias = mt__vector_run(args->bias, vectors > 0 ? buffer + each : NULL, l.n);
	mt__unit_range *rows = wide ? rows_f64 : l.ready ? ready_rows : l.rows ? buffered_rows : rows_f32;
	if (l.far && row_pending_suits(l.n) && !args->weight == !args->bias)
		rows = args->weight ? far_rows_weighted : far_rows_plain;
	mt__omp_for_units(threads, l.m, rows, &l);
	return MT_OK;
}

/* gweight and gbias from the segments' sums, blocks [begin, end) of JOINED columns. */
enum { JOINED = 256 };

static void join_segments(const void *context, int64_t begin, int64_t end) {
	const struct layer_norm *l = context;
	for (int64_t b = begin; b < end; b++) {
		int64_t at = b * JOINED, n = mt__omp_min(JOINED, l->n - at);
		for (int k = 0; k < 2; k++) {
			const mt_array *to = k == 0 ? l->gweight : l->gbias;
			double total[JOINED] = {0};
			for (int64_t s = 0; to && s < l->segments; s++) {
				const double *sums = l->sums + (2 * s + k) * l->n + at;
				for (int64_t j = 0; j < n; j++)
					total[j] += sums[j];
			}
			for (int64_t j = 0; to && j < n; j++)
				mt__vector_put(to, at + j, total[j]);
		}
	}
}

int32_t MT_ISA_NAME(mt__omp_layer_norm_grad)(mt_queue *queue, const struct mt_layer_norm_grad_args *args) {
	bool wide = args->x->dtype == MT_F64, sums = args->gweight || args->gbias;
	struct layer_norm l = {.gout = args->gout, .x = args->x, .gx = args->gx, .mean = args->mean, .rstd = args->rstd};
	l.gweight = args->gweight;
	l.gbias = args->gbias;
	l.m = args->x->shape[0];
	l.n = args->x->shape[1];
	l.loops = mt__omp_reduce_loops(MT_REDUCE_SUM, wide ? MT_F64 : MT_F32);
	l.segment_rows = mt__omp_max(NORM_FLUSH, mt__omp_ceil_div(l.m, SEGMENTS_MAX));
	l.segments = mt__omp_ceil_div(l.m, l.segment_rows);
	l.ready = is_ready(args->x) && is_ready(args->gout) && is_ready(args->gx);
	l.far = l.ready && is_far(args->x);
	int threads = mt__omp_threads(queue, (double)l.m * (double)l.n * 3);
	uint64_t size = wide ? 8 : 4, weight_bytes = mt__omp_align64((uint64_t)l.n * size);
	uint64_t sum_bytes = sums ? (uint64_t)l.segments * 2 * (uint64_t)l.n * 8 : 0;
	uint64_t rows_bytes = plan_buffers(&l, threads, 2 * GRAD_ROWS);
	uint64_t bytes = rows_bytes + weight_bytes + sum_bytes * 2;
	char *scratch = NULL;
	if (sums || rows_bytes > 0 || needs_buffer(args->weight)) {
		scratch = mt__omp_scratch(queue, bytes);
		if (!scratch)
			return mt__omp_no_scratch(bytes);
	}
	if (rows_bytes > 0)
		l.rows = (float *)scratch;
	if (args->weight)
		l.weight = mt__vector_run(args->weight, scratch ? scratch + rows_bytes : NULL, l.n);
	if (sums) {
		l.sums = (double *)(scratch + rows_bytes + weight_bytes);
		l.lanes = scratch + rows_bytes + weight_bytes + sum_bytes;
	}
	mt__omp_for_units(threads, l.segments, wide ? segments_f64 : segments_f32, &l);
	if (sums)
		mt__omp_for_units(mt__omp_threads(queue, (double)l.segments * (double)l.n), mt__omp_ceil_div(l.n, JOINED),
		                  join_segments, &l);
	return MT_OK;
}
