/* softmax, log_softmax and their gradients.  Long rows one by one; short or strided ones side by side, one a vector
 * lane.  Floats that lie ready take softmax_rows.h's way, everything else softmax_type.inc's. */
#include "lanes.h"
#include "reduce.h"
#include "row_exp.h"
#include "row_stream.h"
#include "units.h"

enum { SOFTMAX_CHUNK = 2048, SOFTMAX_LANES = 128, SOFTMAX_WIDE = 1024, SOFTMAX_BLOCK = 65536 };

struct softmax {
	struct mt__lanes lanes; /* arrays: out, x; or gx, gout, y */
	const struct mt__reduce_loops *loops;
	bool log;
	void (*unit)(const struct softmax *s, const struct mt__lane_block *b);
	bool direct; /* side by side: rows of lanes are contiguous and of the computed type */
	int level;   /* for mt__omp_unit_thread */
	/* softmax_rows.h */
	bool far;                                                              /* results are stored past the caches */
	void (*far_rows)(const struct softmax *s, int64_t begin, int64_t end); /* units in a row; or NULL: one by one */
	float *terms; /* of each thread, terms_each of them; or NULL: they stay in out */
	int64_t terms_each;
	/* rows of f16 or bf16 by way of floats */
	void (*of_floats)(const struct softmax *s, const struct mt__lane_block *b);
	float *rows; /* of each thread, one for each array, rows_each floats */
	int64_t rows_each;
};

#include "softmax_rows.h"

#define T float
#define NAME(f) f##_f32
#define EXP(x) mt__expf(x)
#define LOG(x) mt__logf(x)
#define DTYPE MT_F32
#include "softmax_type.inc"
#undef T
#undef NAME
#undef EXP
#undef LOG
#undef DTYPE

#define T double
#define NAME(f) f##_f64
#define EXP(x) exp(x)
#define LOG(x) log(x)
#define DTYPE MT_F64
#include "softmax_type.inc"
#undef T
#undef NAME
#undef EXP
#undef LOG
#undef DTYPE

typedef void unit_function(const struct softmax *s, const struct mt__lane_block *b);

static void run_units(const void *context, int64_t begin, int64_t end) {
	const struct softmax *s = context;
	struct mt__lane_block b;
	mt__lanes_locate(&s->lanes, begin, &b);
	if (s->far_rows)
		s->far_rows(s, begin, end);
	else
		for (int64_t u = begin; u < end; u++, mt__lanes_advance(&s->lanes, &b))
			s->unit(s, &b);
	if (s->far)
		stream_end();
}

static void run(mt_queue *queue, struct softmax *s, unit_function *row, unit_function *block, double cost) {
	struct mt__lanes *l = &s->lanes;
	bool blocks = mt__lanes_side_by_side(l, 1);
	mt__lanes_divide(l, blocks ? SOFTMAX_LANES : 1);
	s->unit = blocks ? block : row;
	int threads = mt__omp_threads(queue, (double)l->walk.count * (double)l->extent * cost);
	mt__omp_for_units(threads, l->units, run_units, s);
}

/* Every array is of floats, contiguous along the axis, or across the lanes. */
static bool lies_ready(const struct mt__lanes *l, bool blocks) {
	for (int k = 0; k < l->walk.n; k++)
		if (l->walk.dtype[k] != MT_F32 || (blocks ? mt__lane_stride(l, k) : l->step[k]) != 1)
			return false;
	return true;
}

/* One thread's terms: of two rows, of a block, or of a row that the second cache level holds; else 0. */
static int64_t terms_of(const struct softmax *s, bool blocks) {
	int64_t n = s->lanes.extent * (blocks ? s->lanes.width : 1);
	if (s->far_rows)
		return s->log ? 0 : 2 * ((n + 15) / 16 * 16 + ROW_PENDING_ROOM);
	return s->far && !s->log && n <= 2 * SOFTMAX_BLOCK ? (n + 15) / 16 * 16 : 0;
}

/* Floats that lie ready; false where they do not. */
static bool run_ready(mt_queue *queue, struct softmax *s, unit_function *row, unit_function *block, double cost,
                      int32_t *status) {
	struct mt__lanes *l = &s->lanes;
	bool blocks = mt__lanes_side_by_side(l, 1);
	if (!lies_ready(l, blocks) || (blocks && !block))
		return false;
	int threads = mt__omp_threads(queue, (double)l->walk.count * (double)l->extent * cost);
	/* Blocks that a cache holds, and one for every thread: no lane depends on its neighbours. */
	int64_t wide = SOFTMAX_BLOCK / mt__omp_max(l->extent, 1), share = mt__omp_ceil_div(l->walk.count, threads);
	wide = mt__omp_min(mt__omp_min(wide, share + 63), SOFTMAX_WIDE) / 64 * 64;
	mt__lanes_divide(l, blocks ? mt__omp_max(wide, SOFTMAX_LANES) : 1);
	s->unit = blocks ? block : row;
	s->far = l->walk.count * l->extent * 4 >= MT__OMP_STREAM_BYTES;
	if (s->far && !blocks && row == ready_row && row_pending_suits(l->extent))
		s->far_rows = s->log ? far_log_softmax : far_softmax;
	s->terms_each = terms_of(s, blocks);
	uint64_t bytes = (uint64_t)(s->terms_each * threads) * 4;
	if (bytes > 0) {
		s->terms = mt__omp_scratch(queue, bytes);
		*status = s->terms ? MT_OK : mt__omp_no_scratch(bytes);
		if (!s->terms)
			return true;
	}
	*status = MT_OK;
	mt__omp_for_units(threads, l->units, run_units, s);
	return true;
}

/* A row of f16 or bf16: floats of every operand, the row as floats, one rounding. */
static void low_row(const struct softmax *s, const struct mt__lane_block *b) {
	const struct mt__lanes *l = &s->lanes;
	float *rows = s->rows + mt__omp_unit_thread(s->level) * l->walk.n * s->rows_each;
	struct mt__lane_block wide = *b;
	for (int k = 0; k < l->walk.n; k++) {
		wide.at[k] = (char *)(rows + k * s->rows_each);
		if (k > 0)
			mt__omp_load_run(wide.at[k], l->walk.dtype[k], false, b->at[k], l->step[k], l->extent);
	}
	s->of_floats(s, &wide);
	mt__omp_store_run(l->walk.dtype[0], false, b->at[0], l->step[0], rows, l->extent);
}

/* Rows of f16 or bf16 that the second cache level holds as floats; false where they are not. */
static bool run_low_rows(mt_queue *queue, struct softmax *s, unit_function *row, double cost, int32_t *status) {
	struct mt__lanes *l = &s->lanes;
	int32_t dtype = l->walk.dtype[0];
	if ((dtype != MT_F16 && dtype != MT_BF16) || mt__lanes_side_by_side(l, 1) || l->extent > SOFTMAX_BLOCK / 4)
		return false;
	int threads = mt__omp_threads(queue, (double)l->walk.count * (double)l->extent * cost);
	s->of_floats = row;
	s->rows_each = mt__omp_round_up(mt__omp_max(l->extent, 1), 16);
	uint64_t bytes = (uint64_t)(s->rows_each * l->walk.n * threads) * sizeof(float);
	s->rows = mt__omp_scratch(queue, bytes);
	*status = s->rows ? MT_OK : mt__omp_no_scratch(bytes);
	if (!s->rows)
		return true;
	mt__lanes_divide(l, 1);
	s->unit = low_row;
	mt__omp_for_units(threads, l->units, run_units, s);
	return true;
}

int32_t MT_ISA_NAME(mt__omp_softmax)(mt_queue *queue, const struct mt_softmax_args *args) {
	struct softmax s;
	const mt_array *arrays[] = {args->out, args->x};
	mt__lanes_init(&s.lanes, 2, arrays, args->axis);
	int32_t dtype = mt__omp_compute_dtype(args->x->dtype), status;
	s.loops = mt__omp_reduce_loops(MT_REDUCE_SUM, dtype);
	s.log = args->log != 0;
	s.far = false;
	s.far_rows = NULL;
	s.terms = NULL;
	s.level = omp_get_level();
	if (run_ready(queue, &s, ready_row, ready_block, 4, &status) || run_low_rows(queue, &s, ready_row, 6, &status))
		return status;
	s.direct = args->x->dtype == dtype && mt__lane_stride(&s.lanes, 0) == 1 && mt__lane_stride(&s.lanes, 1) == 1;
	if (dtype == MT_F64)
		run(queue, &s, row_f64, block_f64, 40);
	else
		run(queue, &s, row_f32, block_f32, 6);
	return MT_OK;
}

int32_t MT_ISA_NAME(mt__omp_softmax_grad)(mt_queue *queue, const struct mt_softmax_grad_args *args) {
	struct softmax s;
	const mt_array *arrays[] = {args->gx, args->gout, args->y};
	mt__lanes_init(&s.lanes, 3, arrays, args->axis);
	int32_t dtype = mt__omp_compute_dtype(args->y->dtype), status;
	s.loops = mt__omp_reduce_loops(MT_REDUCE_SUM, dtype);
	s.log = args->log != 0;
	s.direct = false;
	s.far = false;
	s.far_rows = NULL;
	s.terms = NULL;
	s.level = omp_get_level();
	if (run_ready(queue, &s, ready_row_grad, NULL, 3, &status) || run_low_rows(queue, &s, ready_row_grad, 5, &status))
		return status;
	if (dtype == MT_F64)
		run(queue, &s, row_grad_f64, block_grad_f64, s.log ? 30 : 3);
	else
		run(queue, &s, row_grad_f32, block_grad_f32, 3);
	return MT_OK;
}
