/* arg_reduce: along runs, the extreme value is found first and then its place; lanes side by side carry both. */
#include "lanes.h"
#include "reduce.h"
#include "units.h"
#include "vmath.h"

#define REAL 1
#define PARTIAL f
#define T float
#define NAME(f) f##_f32
#include "arg_reduce_type.inc"
#undef T
#undef NAME
#define T double
#define NAME(f) f##_f64
#include "arg_reduce_type.inc"
#undef T
#undef NAME
#undef REAL
#undef PARTIAL

#define REAL 0
#define PARTIAL i
#define T int32_t
#define NAME(f) f##_i32
#include "arg_reduce_type.inc"
#undef T
#undef NAME
#define T int64_t
#define NAME(f) f##_i64
#include "arg_reduce_type.inc"
#undef T
#undef NAME
#define T uint8_t
#define NAME(f) f##_u8
#include "arg_reduce_type.inc"

enum { CHUNK = 2048, LANES = 128 };

struct arg {
	struct mt__lanes lanes; /* arrays: x, out */
	const struct mt__reduce_loops *loops;
	bool max;
	int size; /* of the compute type */
	void (*run)(const struct mt__reduce_loops *loops, bool max, const void *run, int64_t base, int64_t n, void *best,
	            int64_t *at);
	void (*row)(bool max, const void *row, int64_t r, int64_t lanes, void *best, int32_t *at);
};

static void along_run(const struct arg *a, const struct mt__lane_block *b) {
	const struct mt__lanes *l = &a->lanes;
	_Alignas(64) char buffer[CHUNK * 8];
	bool direct = l->step[0] == 1 && a->size == l->walk.size[0];
	uint64_t best;
	int64_t at = 0;
	for (int64_t i = 0; i < l->extent; i += CHUNK) {
		int64_t n = mt__omp_min(CHUNK, l->extent - i);
		const char *x = b->at[0] + i * l->step[0] * l->walk.size[0];
		if (!direct) {
			mt__omp_load_run(buffer, l->walk.dtype[0], false, x, l->step[0], n);
			x = buffer;
		}
		a->run(a->loops, a->max, x, i, n, &best, &at);
	}
	*(int64_t *)b->at[1] = at;
}

static void side_by_side(const struct arg *a, const struct mt__lane_block *b) {
	const struct mt__lanes *l = &a->lanes;
	_Alignas(64) char buffer[CHUNK * 8], best[LANES * 8];
	int32_t at[LANES];
	int64_t rows = CHUNK / b->lanes;
	bool direct = mt__lane_stride(l, 0) == 1 && a->size == l->walk.size[0];
	for (int64_t r = 0; r < l->extent; r += rows) {
		int64_t n = mt__omp_min(rows, l->extent - r), ld = b->lanes;
		const char *x = b->at[0] + r * l->step[0] * l->walk.size[0];
		if (direct) {
			ld = l->step[0];
		} else {
			mt__omp_load_block(buffer, ld, l->walk.dtype[0], false, x, l->step[0], mt__lane_stride(l, 0), n, b->lanes);
			x = buffer;
		}
		for (int64_t i = 0; i < n; i++)
			a->row(a->max, x + i * ld * a->size, r + i, b->lanes, best, at);
	}
	int64_t *out = (int64_t *)b->at[1];
	for (int64_t j = 0; j < b->lanes; j++)
		out[j * mt__lane_stride(l, 1)] = at[j];
}

static void arg_units(const void *context, int64_t begin, int64_t end) {
	const struct arg *a = context;
	struct mt__lane_block b;
	mt__lanes_locate(&a->lanes, begin, &b);
	for (int64_t u = begin; u < end; u++, mt__lanes_advance(&a->lanes, &b)) {
		if (a->lanes.width > 1)
			side_by_side(a, &b);
		else
			along_run(a, &b);
	}
}

static void choose_type(struct arg *a, int32_t dtype) {
	switch (dtype) {
	case MT_F32:
		a->run = take_run_f32;
		a->row = take_row_f32;
		break;
	case MT_F64:
		a->run = take_run_f64;
		a->row = take_row_f64;
		break;
	case MT_I32:
		a->run = take_run_i32;
		a->row = take_row_i32;
		break;
	case MT_I64:
		a->run = take_run_i64;
		a->row = take_row_i64;
		break;
	default:
		a->run = take_run_u8;
		a->row = take_row_u8;
	}
}

int32_t MT_ISA_NAME(mt__omp_arg_reduce)(mt_queue *queue, const struct mt_arg_reduce_args *args) {
	struct arg a = {.max = args->op == MT_ARG_MAX};
	const mt_array *arrays[] = {args->x, args->out};
	struct mt__lanes *l = &a.lanes;
	mt__lanes_init(l, 2, arrays, args->axis);
	int32_t dtype = mt__omp_compute_dtype(args->x->dtype);
	a.loops = mt__omp_reduce_loops(MT_REDUCE_MAX, dtype);
	a.size = mt__omp_dtype_size(dtype);
	choose_type(&a, dtype);
	bool blocks = mt__lanes_side_by_side(l, 0) && l->extent <= INT32_MAX;
	mt__lanes_divide(l, blocks ? LANES : 1);
	int threads = mt__omp_threads(queue, (double)l->walk.count * (double)l->extent * 1.5);
	mt__omp_for_units(threads, l->units, arg_units, &a);
	return MT_OK;
}
