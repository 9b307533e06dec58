/* reduce: for each output element, one walk over the axes it stands for, in row-major order. */
#include <math.h>

#include "element.h"
#include "integer.h"
#include "lines.h"

/* A running result.  Floats: sums and products in double; max and min keep the first NaN. */
static double float_start(int32_t op) {
	switch (op) {
	case MT_REDUCE_PROD:
	case MT_REDUCE_ALL:
		return 1;
	case MT_REDUCE_MAX:
		return -INFINITY;
	case MT_REDUCE_MIN:
		return INFINITY;
	default:
		return 0;
	}
}

static double float_step(int32_t op, double so_far, double x) {
	switch (op) {
	case MT_REDUCE_SUM:
	case MT_REDUCE_MEAN:
		return so_far + x;
	case MT_REDUCE_PROD:
		return so_far * x;
	case MT_REDUCE_MAX:
		return x > so_far || isnan(x) ? (isnan(so_far) ? so_far : x) : so_far;
	case MT_REDUCE_MIN:
		return x < so_far || isnan(x) ? (isnan(so_far) ? so_far : x) : so_far;
	case MT_REDUCE_ANY:
		return so_far != 0 || x != 0;
	case MT_REDUCE_ALL:
		return so_far != 0 && x != 0;
	default: /* MT_REDUCE_SUMSQ */
		return so_far + x * x;
	}
}

static int64_t integer_start(int32_t op) {
	switch (op) {
	case MT_REDUCE_PROD:
	case MT_REDUCE_ALL:
		return 1;
	case MT_REDUCE_MAX:
		return INT64_MIN;
	case MT_REDUCE_MIN:
		return INT64_MAX;
	default:
		return 0;
	}
}

static int64_t integer_step(int32_t op, int64_t so_far, int64_t x) {
	switch (op) {
	case MT_REDUCE_SUM:
		return wrap_add(so_far, x);
	case MT_REDUCE_PROD:
		return wrap_mul(so_far, x);
	case MT_REDUCE_MAX:
		return x > so_far ? x : so_far;
	case MT_REDUCE_MIN:
		return x < so_far ? x : so_far;
	case MT_REDUCE_ANY:
		return so_far != 0 || x != 0;
	default: /* MT_REDUCE_ALL */
		return so_far != 0 && x != 0;
	}
}

/* Reduces the positions that inner walks, from element `at` of x, into element `to` of out. */
typedef void reduce_one(const struct mt_reduce_args *args, struct lines *inner, int64_t at, int64_t to);

static bool gives_bool(int32_t op) {
	return op == MT_REDUCE_ANY || op == MT_REDUCE_ALL;
}

#define TEMPLATE "reduce_one.inc"
#define START float_start
#define STEP float_step
#include "each_float.inc"
#undef START
#undef STEP
#define START integer_start
#define STEP integer_step
#include "each_integer.inc"
#undef START
#undef STEP
#undef TEMPLATE

int32_t mt__naive_reduce(mt_queue *queue, const struct mt_reduce_args *args) {
	(void)queue;
	static reduce_one *const one_of[] = {
#define MT_DTYPE(id, NAME, name, bytes, class) [id] = reduce_##name,
#include "mt/dtypes.def"
#undef MT_DTYPE
	};
	const mt_array *x = args->x, *out = args->out;
	int64_t reduced[MT_MAX_RANK];
	for (int d = 0; d < x->rank; d++)
		reduced[d] = args->axes >> d & 1u ? x->shape[d] : 1;
	struct lines inner, outer;
	lines_begin(&inner, x->rank, reduced);
	lines_add(&inner, x->stride);
	lines_begin(&outer, out->rank, out->shape);
	lines_add(&outer, x->stride);
	lines_add(&outer, out->stride);
	do
		for (int64_t j = 0; j < outer.length; j++)
			one_of[x->dtype](args, &inner, outer.at[0] + j * outer.step[0], outer.at[1] + j * outer.step[1]);
	while (lines_next(&outer));
	return MT_OK;
}
