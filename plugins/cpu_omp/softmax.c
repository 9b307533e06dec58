/* softmax, log_softmax and their gradients.  Long rows one by one; short or strided ones side by side, one a vector
 * lane. */
#include "lanes.h"
#include "reduce.h"
#include "units.h"
#include "vmath.h"

enum { SOFTMAX_CHUNK = 2048, SOFTMAX_LANES = 128 };

struct softmax {
	struct mt__lanes lanes; /* arrays: out, x; or gx, gout, y */
	const struct mt__reduce_loops *loops;
	bool log;
	void (*unit)(const struct softmax *s, const struct mt__lane_block *b);
	bool direct; /* side by side: rows of lanes are contiguous and of the computed type */
};

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
	for (int64_t u = begin; u < end; u++, mt__lanes_advance(&s->lanes, &b))
		s->unit(s, &b);
}

static void run(mt_queue *queue, struct softmax *s, unit_function *row, unit_function *block, double cost) {
	struct mt__lanes *l = &s->lanes;
	bool blocks = mt__lanes_side_by_side(l, 1);
	mt__lanes_divide(l, blocks ? SOFTMAX_LANES : 1);
	s->unit = blocks ? block : row;
	int threads = mt__omp_threads(queue, (double)l->walk.count * (double)l->extent * cost);
	mt__omp_for_units(threads, l->units, run_units, s);
}

int32_t MT_ISA_NAME(mt__omp_softmax)(mt_queue *queue, const struct mt_softmax_args *args) {
	struct softmax s;
	const mt_array *arrays[] = {args->out, args->x};
	mt__lanes_init(&s.lanes, 2, arrays, args->axis);
	int32_t dtype = mt__omp_compute_dtype(args->x->dtype);
	s.loops = mt__omp_reduce_loops(MT_REDUCE_SUM, dtype);
	s.log = args->log != 0;
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
	int32_t dtype = mt__omp_compute_dtype(args->y->dtype);
	s.loops = mt__omp_reduce_loops(MT_REDUCE_SUM, dtype);
	s.log = args->log != 0;
	s.direct = false;
	if (dtype == MT_F64)
		run(queue, &s, row_grad_f64, block_grad_f64, s.log ? 30 : 3);
	else
		run(queue, &s, row_grad_f32, block_grad_f32, 3);
	return MT_OK;
}
