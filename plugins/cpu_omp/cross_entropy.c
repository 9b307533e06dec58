/* cross_entropy and its gradient.  Rows of many classes one by one, rows of few side by side, one a vector lane. */
#include <string.h>

#include "reduce.h"
#include "stage.h"
#include "units.h"
#include "vmath.h"

enum { ENTROPY_CHUNK = 2048, ENTROPY_LANES = 128, FEW_CLASSES = 32 };

struct entropy {
	const mt_array *logits, *target, *loss, *lse, *out; /* loss: gloss in the gradient; out: glogits */
	const struct mt__reduce_loops *loops;
	const void *weight; /* classes of them, contiguous, in the type computed in; or NULL */
	int64_t classes, ignore;
	double smoothing, share, weights; /* share: smoothing / classes; weights: Σ w_c */
	int size;
	int64_t width; /* rows of a unit */
	bool far;      /* logits, and glogits, are too large for the caches */
	void (*unit)(const struct entropy *e, int64_t row, int64_t count);
};

static int64_t target_of(const mt_array *target, int64_t row) {
	int64_t at = row * target->stride[0];
	return target->dtype == MT_I32 ? ((const int32_t *)mt__omp_data(target))[at]
	                               : ((const int64_t *)mt__omp_data(target))[at];
}

/* Floats, contiguous along rows. */
static bool is_ready(const mt_array *a) {
	return a->dtype == MT_F32 && a->stride[1] == 1;
}

#define T float
#define NAME(f) f##_f32
#define EXP(x) mt__expf(x)
#define LOG(x) mt__logf(x)
#define DTYPE MT_F32
#define FLOATS 1
#include "cross_entropy_type.inc"
#undef T
#undef NAME
#undef EXP
#undef LOG
#undef DTYPE
#undef FLOATS

#define T double
#define NAME(f) f##_f64
#define EXP(x) exp(x)
#define LOG(x) log(x)
#define DTYPE MT_F64
#define FLOATS 0
#include "cross_entropy_type.inc"
#undef T
#undef NAME
#undef EXP
#undef LOG
#undef DTYPE
#undef FLOATS

#include "cross_entropy_rows.h"

static int32_t check_targets(const char *what, const struct entropy *e, int64_t rows) {
	for (int64_t n = 0; n < rows; n++) {
		int64_t t = target_of(e->target, n);
		if (t != e->ignore && (t < 0 || t >= e->classes))
			return mt__omp_fail(MT_E_ARG, "%s: target %lld of row %lld is out of range [0, %lld)", what, (long long)t,
			                    (long long)n, (long long)e->classes);
	}
	return MT_OK;
}

/* Brings the weights into one contiguous run. */
static int32_t stage_weight(mt_queue *queue, struct entropy *e, const mt_array *weight) {
	e->weight = NULL;
	e->weights = (double)e->classes;
	if (!weight)
		return MT_OK;
	bool wide = weight->dtype == MT_F64;
	uint64_t bytes = (uint64_t)(e->classes + 1) * (wide ? 8 : 4);
	void *scratch = mt__omp_scratch(queue, bytes);
	if (!scratch)
		return mt__omp_no_scratch(bytes);
	mt__omp_load_run(scratch, weight->dtype, false, mt__omp_data(weight), weight->stride[0], e->classes);
	e->weight = scratch;
	e->weights = 0;
	for (int64_t c = 0; c < e->classes; c++)
		e->weights += wide ? ((const double *)scratch)[c] : (double)((const float *)scratch)[c];
	return MT_OK;
}

typedef void rows_function(const struct entropy *e, int64_t row, int64_t count);

static void run_units(const void *context, int64_t begin, int64_t end) {
	const struct entropy *e = context;
	for (int64_t u = begin; u < end; u++)
		e->unit(e, u * e->width, mt__omp_min(e->width, e->logits->shape[0] - u * e->width));
	if (e->far)
		stream_end();
}

/* Units of rows depend on the shape alone. */
static void run(mt_queue *queue, struct entropy *e, int64_t lanes, rows_function *rows, rows_function *block,
                double cost) {
	bool few = e->classes < FEW_CLASSES && e->classes > 0;
	int64_t n = e->logits->shape[0];
	e->width = few ? lanes : 1;
	e->unit = few ? block : rows;
	int threads = mt__omp_threads(queue, (double)n * (double)e->classes * cost);
	mt__omp_for_units(threads, mt__omp_ceil_div(n, e->width), run_units, e);
}

static int64_t lanes_of(const struct entropy *e) {
	return mt__omp_min(ENTROPY_LANES, ENTROPY_CHUNK / mt__omp_max(1, e->classes));
}

int32_t MT_ISA_NAME(mt__omp_cross_entropy)(mt_queue *queue, const struct mt_cross_entropy_args *args) {
	struct entropy e = {.logits = args->logits, .target = args->target, .loss = args->loss, .lse = args->lse};
	int32_t dtype = mt__omp_compute_dtype(args->logits->dtype);
	e.loops = mt__omp_reduce_loops(MT_REDUCE_SUM, dtype);
	e.classes = args->logits->shape[1];
	e.ignore = args->ignore_index;
	e.smoothing = args->label_smoothing;
	e.share = e.smoothing / (double)mt__omp_max(1, e.classes);
	e.size = mt__omp_dtype_size(args->logits->dtype);
	int32_t status = check_targets("cross_entropy", &e, args->logits->shape[0]);
	if (status == MT_OK)
		status = stage_weight(queue, &e, args->weight);
	if (status != MT_OK)
		return status;
	e.far = is_ready(args->logits) && args->logits->shape[0] * e.classes * 4 >= MT__OMP_STREAM_BYTES;
	if (dtype == MT_F64)
		run(queue, &e, lanes_of(&e), rows_f64, block_f64, 40);
	else if (is_ready(args->logits))
		run(queue, &e, READY_LANES, ready_rows, ready_block, 3);
	else
		run(queue, &e, lanes_of(&e), buffered_rows, block_f32, 5);
	return MT_OK;
}

int32_t MT_ISA_NAME(mt__omp_cross_entropy_grad)(mt_queue *queue, const struct mt_cross_entropy_grad_args *args) {
	struct entropy e = {.logits = args->logits, .target = args->target, .loss = args->gloss, .lse = args->lse};
	int32_t dtype = mt__omp_compute_dtype(args->logits->dtype);
	e.out = args->glogits;
	e.classes = args->logits->shape[1];
	e.ignore = args->ignore_index;
	e.smoothing = args->label_smoothing;
	e.share = e.smoothing / (double)mt__omp_max(1, e.classes);
	e.size = mt__omp_dtype_size(args->logits->dtype);
	int32_t status = check_targets("cross_entropy_grad", &e, args->logits->shape[0]);
	if (status == MT_OK)
		status = stage_weight(queue, &e, args->weight);
	if (status != MT_OK)
		return status;
	bool ready = is_ready(args->logits) && is_ready(args->glogits);
	e.far = ready && args->logits->shape[0] * e.classes * 4 >= MT__OMP_STREAM_BYTES;
	if (dtype == MT_F64)
		run(queue, &e, lanes_of(&e), rows_grad_f64, block_grad_f64, 40);
	else if (ready)
		run(queue, &e, READY_LANES, float_rows_grad, ready_block_grad, 3);
	else
		run(queue, &e, lanes_of(&e), float_rows_grad, block_grad_f32, 5);
	return MT_OK;
}
