/* gather and scatter_add along an axis.  Every position outside the axis stands alone: threads share those. */
#include "index.h"
#include "lanes.h"
#include "units.h"
#include "vector.h"

typedef void run_function(char *out, int64_t os, const char *index, int64_t is, const char *x, int64_t xs,
                          int64_t axis_stride, int64_t extent, int64_t n);

#define I int32_t
#define T uint8_t
#define NAME(f) f##_1_i32
#include "gather_run.inc"
#undef T
#undef NAME
#define T uint16_t
#define NAME(f) f##_2_i32
#include "gather_run.inc"
#undef T
#undef NAME
#define T uint32_t
#define NAME(f) f##_4_i32
#include "gather_run.inc"
#undef T
#undef NAME
#define T uint64_t
#define NAME(f) f##_8_i32
#include "gather_run.inc"
#undef T
#undef NAME
#undef I
#define I int64_t
#define T uint8_t
#define NAME(f) f##_1_i64
#include "gather_run.inc"
#undef T
#undef NAME
#define T uint16_t
#define NAME(f) f##_2_i64
#include "gather_run.inc"
#undef T
#undef NAME
#define T uint32_t
#define NAME(f) f##_4_i64
#include "gather_run.inc"
#undef T
#undef NAME
#define T uint64_t
#define NAME(f) f##_8_i64
#include "gather_run.inc"
#undef T
#undef NAME
#undef I

static run_function *gather_function(int size, int32_t index) {
	static run_function *const by_size[2][9] = {
		{[1] = gather_run_1_i32, [2] = gather_run_2_i32, [4] = gather_run_4_i32, [8] = gather_run_8_i32},
		{[1] = gather_run_1_i64, [2] = gather_run_2_i64, [4] = gather_run_4_i64, [8] = gather_run_8_i64},
	};
	return by_size[index == MT_I64][size];
}

static int64_t extent_of(const mt_array *a, int32_t axis) {
	return a->rank > 0 ? a->shape[axis] : 1;
}

static int64_t axis_stride_of(const mt_array *a, int32_t axis) {
	return a->rank > 0 ? a->stride[axis] : 0;
}

/* a as an array of like's shape that does not move along axis. */
static mt_array without_axis(const mt_array *a, const mt_array *like, int32_t axis) {
	mt_array view = *a;
	if (a->rank > 0) {
		view.shape[axis] = like->shape[axis];
		view.stride[axis] = 0;
	}
	return view;
}

enum { UNIT = 4096 };

struct gather {
	struct mt__lanes lanes;      /* arrays: out, index, x */
	int64_t extent, axis_stride; /* of x along the axis */
	run_function *run;
};

/* One index for all lanes of a unit: a row is moved. */
static void gather_rows(const struct gather *g, int64_t begin, int64_t end) {
	const struct mt__lanes *l = &g->lanes;
	const struct mt__walk *w = &l->walk;
	int64_t os = mt__lane_stride(l, 0), xs = mt__lane_stride(l, 2);
	struct mt__lane_block b;
	mt__lanes_locate(l, begin, &b);
	for (int64_t u = begin; u < end; u++, mt__lanes_advance(l, &b)) {
		int64_t i = mt__index_at(b.at[1], w->dtype[1], 0);
		const char *x = b.at[2] + (i < 0 ? i + g->extent : i) * g->axis_stride * w->size[2];
		if (os == 1)
			mt__omp_load_run(b.at[0], w->dtype[0], true, x, xs, b.lanes);
		else
			g->run(b.at[0], os, b.at[1], 0, b.at[2], xs, g->axis_stride, g->extent, b.lanes);
	}
}

static void gather_units(const void *context, int64_t begin, int64_t end) {
	const struct gather *g = context;
	const struct mt__lanes *l = &g->lanes;
	struct mt__lane_block b;
	if (mt__lane_stride(l, 1) == 0) {
		gather_rows(g, begin, end);
		return;
	}
	mt__lanes_locate(l, begin, &b);
	for (int64_t u = begin; u < end; u++, mt__lanes_advance(l, &b))
		g->run(b.at[0], mt__lane_stride(l, 0), b.at[1], mt__lane_stride(l, 1), b.at[2], mt__lane_stride(l, 2),
		       g->axis_stride, g->extent, b.lanes);
}

int32_t MT_ISA_NAME(mt__omp_gather)(mt_queue *queue, const struct mt_gather_args *args) {
	struct gather g;
	g.extent = extent_of(args->x, args->axis);
	g.axis_stride = axis_stride_of(args->x, args->axis);
	int32_t status = mt__check_index(queue, "gather", args->index, -g.extent, g.extent);
	if (status != MT_OK)
		return status;
	mt_array x = without_axis(args->x, args->out, args->axis);
	const mt_array *arrays[] = {args->out, args->index, &x};
	mt__omp_collapse(&g.lanes.walk, 3, arrays);
	mt__lanes_divide(&g.lanes, UNIT);
	g.run = gather_function(mt__omp_dtype_size(x.dtype), args->index->dtype);
	int threads = mt__omp_threads(queue, (double)g.lanes.walk.count * 4);
	mt__omp_for_units(threads, g.lanes.units, gather_units, &g);
	return MT_OK;
}

/* ---- scatter_add -------------------------------------------------------------------------------------------------- */

#define PLUS(a, b) ((a) + (b))
#define WRAP32(a, b) ((uint32_t)(a) + (uint32_t)(b))
#define WRAP64(a, b) ((uint64_t)(a) + (uint64_t)(b))
#define OR(a, b) (((a) | (b)) != 0)

#define I int32_t
#define T float
#define ADD PLUS
#define NAME(f) f##_f32_i32
#include "scatter_run.inc"
#undef T
#undef NAME
#define T double
#define NAME(f) f##_f64_i32
#include "scatter_run.inc"
#undef T
#undef NAME
#undef ADD
#define T int32_t
#define ADD WRAP32
#define NAME(f) f##_i32_i32
#include "scatter_run.inc"
#undef T
#undef NAME
#define T uint8_t
#define NAME(f) f##_u8_i32
#include "scatter_run.inc"
#undef NAME
#undef ADD
#define ADD OR
#define NAME(f) f##_bool_i32
#include "scatter_run.inc"
#undef T
#undef NAME
#undef ADD
#define T int64_t
#define ADD WRAP64
#define NAME(f) f##_i64_i32
#include "scatter_run.inc"
#undef T
#undef NAME
#undef ADD
#undef I
#define I int64_t
#define T float
#define ADD PLUS
#define NAME(f) f##_f32_i64
#include "scatter_run.inc"
#undef T
#undef NAME
#define T double
#define NAME(f) f##_f64_i64
#include "scatter_run.inc"
#undef T
#undef NAME
#undef ADD
#define T int32_t
#define ADD WRAP32
#define NAME(f) f##_i32_i64
#include "scatter_run.inc"
#undef T
#undef NAME
#define T uint8_t
#define NAME(f) f##_u8_i64
#include "scatter_run.inc"
#undef NAME
#undef ADD
#define ADD OR
#define NAME(f) f##_bool_i64
#include "scatter_run.inc"
#undef T
#undef NAME
#undef ADD
#define T int64_t
#define ADD WRAP64
#define NAME(f) f##_i64_i64
#include "scatter_run.inc"
#undef T
#undef NAME
#undef ADD
#undef I

static run_function *scatter_function(int32_t dtype, int32_t index) {
	static run_function *const by_dtype[2][MT_DTYPE_END_] = {
		{[MT_F32] = scatter_run_f32_i32,
	     [MT_F64] = scatter_run_f64_i32,
	     [MT_I32] = scatter_run_i32_i32,
	     [MT_I64] = scatter_run_i64_i32,
	     [MT_U8] = scatter_run_u8_i32,
	     [MT_BOOL] = scatter_run_bool_i32},
		{[MT_F32] = scatter_run_f32_i64,
	     [MT_F64] = scatter_run_f64_i64,
	     [MT_I32] = scatter_run_i32_i64,
	     [MT_I64] = scatter_run_i64_i64,
	     [MT_U8] = scatter_run_u8_i64,
	     [MT_BOOL] = scatter_run_bool_i64},
	};
	return by_dtype[index == MT_I64][dtype];
}

struct scatter {
	struct mt__lanes lanes; /* arrays: src, index, out */
	int64_t extent;         /* of out along the axis */
	run_function *run;
};

/* Lanes [begin, end) of units: position by position along the axis, so that each element sums in order. */
static void scatter_units(const void *context, int64_t begin, int64_t end) {
	const struct scatter *s = context;
	const struct mt__lanes *l = &s->lanes;
	const struct mt__walk *w = &l->walk;
	struct mt__lane_block b;
	mt__lanes_locate(l, begin, &b);
	for (int64_t u = begin; u < end; u++, mt__lanes_advance(l, &b)) {
		if (b.lanes == 1) {
			/* One lane: run along the axis; out does not move but by the index. */
			s->run(b.at[2], 0, b.at[1], l->step[1], b.at[0], l->step[0], l->step[2], s->extent, l->extent);
			continue;
		}
		for (int64_t i = 0; i < l->extent; i++)
			s->run(b.at[2], mt__lane_stride(l, 2), b.at[1] + i * l->step[1] * w->size[1], mt__lane_stride(l, 1),
			       b.at[0] + i * l->step[0] * w->size[0], mt__lane_stride(l, 0), l->step[2], s->extent, b.lanes);
	}
}

static void scatter_arrays(mt_queue *queue, const mt_array *src, const mt_array *index, const mt_array *out,
                           int32_t axis) {
	struct scatter s;
	const mt_array *arrays[] = {src, index, out};
	mt__lanes_init(&s.lanes, 3, arrays, axis);
	s.extent = extent_of(out, axis);
	s.run = scatter_function(out->dtype, index->dtype);
	bool along = mt__magnitude(s.lanes.step[0]) < mt__magnitude(mt__lane_stride(&s.lanes, 0));
	int threads = mt__omp_threads(queue, (double)s.lanes.walk.count * (double)s.lanes.extent * 4);
	int64_t share = mt__omp_ceil_div(s.lanes.walk.count, threads);
	mt__lanes_divide(&s.lanes, along ? 1 : mt__omp_min(512, (share + 15) / 16 * 16));
	mt__omp_for_units(threads, s.lanes.units, scatter_units, &s);
}

/* x in float or back, elementwise. */
static void convert(mt_queue *queue, const mt_array *x, const mt_array *out) {
	struct mt_copy_args copy = {.struct_size = sizeof copy, .x = x, .out = out};
	MT_ISA_NAME(mt__omp_copy)(queue, &copy);
}

static mt_array row_major(const mt_array *like, void *base, int32_t dtype) {
	mt_array a = *like;
	int64_t n = 1;
	for (int d = a.rank - 1; d >= 0; d--) {
		a.stride[d] = n;
		n *= a.shape[d];
	}
	a.base = base;
	a.byte_offset = 0;
	a.buffer_bytes = (uint64_t)(n * mt__omp_dtype_size(dtype));
	a.dtype = dtype;
	return a;
}

/* f16 and bf16 sum in float: src and out are converted, and out rounded once. */
static int32_t scatter_low(mt_queue *queue, const struct mt_scatter_add_args *args) {
	mt_array out = row_major(args->out, NULL, MT_F32), src = row_major(args->src, NULL, MT_F32);
	uint64_t first = mt__omp_align64(out.buffer_bytes), bytes = first + src.buffer_bytes + 64;
	char *scratch = mt__omp_scratch(queue, bytes);
	if (!scratch)
		return mt__omp_no_scratch(bytes);
	out.base = scratch;
	src.base = scratch + first;
	convert(queue, args->out, &out);
	convert(queue, args->src, &src);
	scatter_arrays(queue, &src, args->index, &out, args->axis);
	convert(queue, &out, args->out);
	return MT_OK;
}

int32_t MT_ISA_NAME(mt__omp_scatter_add)(mt_queue *queue, const struct mt_scatter_add_args *args) {
	int64_t extent = extent_of(args->out, args->axis);
	if (mt__omp_numel(args->index) == 0)
		return MT_OK;
	int32_t status = mt__check_index(queue, "scatter_add", args->index, -extent, extent);
	if (status != MT_OK)
		return status;
	if (mt__omp_compute_dtype(args->out->dtype) != args->out->dtype)
		return scatter_low(queue, args);
	scatter_arrays(queue, args->src, args->index, args->out, args->axis);
	return MT_OK;
}
