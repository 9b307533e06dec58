/* layer_norm and its gradients: a row stays in L1 or L2 for its two or three passes. */
#include <math.h>

#include "norm.h"
#include "units.h"

enum { NORM_CHUNK = 2048, NORM_FLUSH = 32, SEGMENTS_MAX = 64 };

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
};

#define T float
#define NAME(f) f##_f32
#define DTYPE MT_F32
#include "layer_norm_type.inc"
#undef T
#undef NAME
#undef DTYPE

#define T double
#define NAME(f) f##_f64
#define DTYPE MT_F64
#include "layer_norm_type.inc"
#undef T
#undef NAME
#undef DTYPE

static bool needs_buffer(const mt_array *v) {
	return v && (v->stride[0] != 1 || mt__omp_compute_dtype(v->dtype) != v->dtype);
}

int32_t MT_ISA_NAME(mt__omp_layer_norm)(mt_queue *queue, const struct mt_layer_norm_args *args) {
	bool wide = args->x->dtype == MT_F64;
	struct layer_norm l = {.x = args->x, .out = args->out, .mean = args->mean, .rstd = args->rstd, .eps = args->eps};
	l.m = args->x->shape[0];
	l.n = args->x->shape[1];
	l.loops = mt__omp_reduce_loops(MT_REDUCE_SUM, wide ? MT_F64 : MT_F32);
	char *buffer = NULL;
	uint64_t each = mt__omp_align64((uint64_t)l.n * (wide ? 8 : 4));
	if (needs_buffer(args->weight) || needs_buffer(args->bias)) {
		buffer = mt__omp_scratch(queue, 2 * each);
		if (!buffer)
			return mt__omp_no_scratch(2 * each);
	}
	if (args->weight)
		l.weight = mt__vector_run(args->weight, buffer, l.n);
	if (args->bias)
		l.bias = mt__vector_run(args->bias, buffer ? buffer + each : NULL, l.n);
	int threads = mt__omp_threads(queue, (double)l.m * (double)l.n * 3);
	mt__omp_for_units(threads, l.m, wide ? rows_f64 : rows_f32, &l);
	return MT_OK;
}

/* gweight and gbias from the segments' sums, columns [begin, end). */
static void join_segments(const void *context, int64_t begin, int64_t end) {
	const struct layer_norm *l = context;
	for (int64_t j = begin; j < end; j++) {
		double weight = 0, bias = 0;
		for (int64_t s = 0; s < l->segments; s++) {
			weight += l->sums[s * 2 * l->n + j];
			bias += l->sums[s * 2 * l->n + l->n + j];
		}
		if (l->gweight)
			mt__vector_put(l->gweight, j, weight);
		if (l->gbias)
			mt__vector_put(l->gbias, j, bias);
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
	uint64_t size = wide ? 8 : 4, weight_bytes = mt__omp_align64((uint64_t)l.n * size);
	uint64_t sum_bytes = sums ? (uint64_t)l.segments * 2 * (uint64_t)l.n * 8 : 0;
	uint64_t bytes = weight_bytes + sum_bytes * 2;
	if (sums || needs_buffer(args->weight)) {
		char *scratch = mt__omp_scratch(queue, bytes);
		if (!scratch)
			return mt__omp_no_scratch(bytes);
		if (args->weight)
			l.weight = mt__vector_run(args->weight, scratch, l.n);
		if (sums) {
			l.sums = (double *)(scratch + weight_bytes);
			l.lanes = scratch + weight_bytes + sum_bytes;
		}
	} else if (args->weight) {
		l.weight = mt__omp_data(args->weight);
	}
	int threads = mt__omp_threads(queue, (double)l.m * (double)l.n * 6);
	mt__omp_for_units(threads, l.segments, wide ? segments_f64 : segments_f32, &l);
	if (sums)
		mt__omp_for_units(mt__omp_threads(queue, (double)l.segments * (double)l.n * 4), l.n, join_segments, &l);
	return MT_OK;
}
