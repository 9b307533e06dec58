/* pool and pool_grad: max and average over windows, planes among the threads.  Planes of f16 and bf16 are computed as
 * contiguous ones of f32 in scratch. */
#include "five_dims.h"

#include "parallel.h"
#include "pool_quarter.h"
#include "stage.h"

#include <string.h>

struct pool {
	struct mt__five_dims x, out, index; /* x or its gradient; out or its gradient; index.data NULL: none */
	int64_t in[3], extent[3];
	int64_t kernel[3], step[3], pad[3], dilation[3];
	int32_t op, dtype;
	int32_t count_include_pad;
};

/* What a window covers in one dim: begin, begin + between, … below end; and what an average divides by. */
struct window {
	int64_t begin, end, between, count;
};

static struct window window_at(const struct pool *p, int d, int64_t position) {
	int64_t start = position * p->step[d] - p->pad[d], between = p->dilation[d];
	int64_t stop = start + (p->kernel[d] - 1) * between + 1;
	struct window w = {.begin = start, .end = mt__omp_min(stop, p->in[d]), .between = between};
	if (start < 0)
		w.begin = start + mt__omp_ceil_div(-start, between) * between;
	w.count = p->count_include_pad ? mt__omp_min(stop, p->in[d] + p->pad[d]) - start : w.end - w.begin;
	return w;
}

#define T float
#define N(f) f##_f32
#include "pool.inc"
#undef T
#undef N
#define T double
#define N(f) f##_f64
#include "pool.inc"
#undef T
#undef N

static struct pool describe(const mt_array *x, const mt_array *out, const mt_array *index, int32_t op,
                            const struct mt_pool_params *params) {
	struct pool p = {.x = mt__five_dims(x), .out = mt__five_dims(out), .op = op, .dtype = x->dtype};
	if (index)
		p.index = mt__five_dims(index);
	p.count_include_pad = params->count_include_pad;
	int missing = 5 - x->rank;
	for (int d = 0; d < 3; d++) {
		bool there = d >= missing;
		p.in[d] = p.x.shape[d + 2];
		p.extent[d] = p.out.shape[d + 2];
		p.kernel[d] = there ? params->kernel[d - missing] : 1;
		p.step[d] = there ? params->stride[d - missing] : 1;
		p.pad[d] = there ? params->pad[d - missing] : 0;
		p.dilation[d] = there ? params->dilation[d - missing] : 1;
	}
	if (op == MT_POOL_AVG)
		for (int d = 0; d < 3; d++)
			p.dilation[d] = 1;
	return p;
}

/* ---- 2 × 2, stride 2 ---- */

/* Windows of out that lie whole in x, so that every output row has its two input rows. */
static bool is_quarter(const struct pool *p) {
	return p->op == MT_POOL_MAX && p->dtype == MT_F32 && p->in[0] == 1 && p->extent[0] == 1 && p->kernel[0] == 1 &&
	       p->pad[0] == 0 && p->kernel[1] == 2 && p->kernel[2] == 2 && p->step[1] == 2 && p->step[2] == 2 &&
	       p->pad[1] == 0 && p->pad[2] == 0 && p->dilation[1] == 1 && p->dilation[2] == 1 &&
	       p->extent[1] == p->in[1] / 2 && p->extent[2] == p->in[2] / 2 && p->x.stride[4] == 1 &&
	       p->out.stride[4] == 1 && (!p->index.data || p->index.stride[4] == 1);
}

/* Planes without gaps, of rows so short that several fill a vector. */
static bool is_short(const struct pool *p) {
	return p->extent[2] > 0 && p->extent[2] <= QUARTER_SHORT && p->in[2] == 2 * p->extent[2] &&
	       p->in[1] == 2 * p->extent[1] && p->x.stride[3] == p->in[2] && p->out.stride[3] == p->extent[2] &&
	       (!p->index.data || p->index.stride[3] == p->extent[2]);
}

static struct quarter quarter_of(const struct pool *p) {
	return (struct quarter){.rows = p->extent[1],
	                        .columns = p->extent[2],
	                        .width = p->in[2],
	                        .x_row = p->x.stride[3],
	                        .out_row = p->out.stride[3],
	                        .index_row = p->index.stride[3]};
}

static void quarter_plane(const struct pool *p, const struct short_rows *rows, int64_t n, int64_t c) {
	const float *x = (const float *)p->x.data + n * p->x.stride[0] + c * p->x.stride[1];
	float *out = (float *)p->out.data + n * p->out.stride[0] + c * p->out.stride[1];
	int32_t *index = p->index.data ? (int32_t *)p->index.data + n * p->index.stride[0] + c * p->index.stride[1] : NULL;
	if (rows) {
		short_max_plane(rows, x, out, index, p->extent[1] * p->extent[2]);
		return;
	}
	const struct quarter plane = quarter_of(p);
	quarter_max_rows(&plane, x, out, index);
}

static void quarter_grad_plane(const struct pool *p, const struct short_rows *rows, int64_t n, int64_t c) {
	float *gx = (float *)p->x.data + n * p->x.stride[0] + c * p->x.stride[1];
	const float *gout = (const float *)p->out.data + n * p->out.stride[0] + c * p->out.stride[1];
	const int32_t *index = (const int32_t *)p->index.data + n * p->index.stride[0] + c * p->index.stride[1];
	if (rows) {
		short_grad_plane(rows, gout, index, gx, p->extent[1] * p->extent[2]);
		return;
	}
	const struct quarter plane = quarter_of(p);
	quarter_grad_rows(&plane, gout, index, gx);
	int64_t columns = 2 * p->extent[2];
	for (int64_t y = 0; y < 2 * p->extent[1] && columns < p->in[2]; y++)
		gx[y * p->x.stride[3] + columns] = 0;
	for (int64_t y = 2 * p->extent[1]; y < p->in[1]; y++)
		memset(gx + y * p->x.stride[3], 0, (size_t)p->in[2] * sizeof(float));
}

/* ---- f16 and bf16 ---- */

/* The extents of a plane as contiguous f32; all planes have one address. */
static void make_plane(struct mt__five_dims *a) {
	*a = (struct mt__five_dims){
		.shape = {a->shape[0], a->shape[1], a->shape[2], a->shape[3], a->shape[4]},
		.stride = {0, 0, a->shape[3] * a->shape[4], a->shape[4], 1},
	};
}

/* What is computed in place of p: planes of f32, without addresses yet. */
static struct pool f32_twin(const struct pool *p) {
	struct pool wide = *p;
	wide.dtype = MT_F32;
	make_plane(&wide.x);
	make_plane(&wide.out);
	return wide;
}

/* Plane (n, c) of f16 or bf16 to or from that of f32. */
static void convert_plane(int32_t dtype, const struct mt__five_dims *low, int64_t n, int64_t c, float *wide,
                          bool to_wide) {
	int64_t rows = low->shape[3], columns = low->shape[4], row = low->stride[3];
	bool one_run = low->stride[4] == 1 && row == columns;
	if (one_run)
		columns *= rows, rows = 1;
	for (int64_t z = 0; z < low->shape[2]; z++)
		for (int64_t y = 0; y < rows; y++, wide += columns) {
			uint16_t *at =
				(uint16_t *)low->data + n * low->stride[0] + c * low->stride[1] + z * low->stride[2] + y * row;
			if (to_wide)
				mt__omp_load_run(wide, dtype, false, at, low->stride[4], columns);
			else
				mt__omp_store_run(dtype, false, at, low->stride[4], wide, columns);
		}
}

/* ---- the kernels ---- */

struct planes {
	const struct pool *pool; /* as it is computed */
	const struct pool *low;  /* as it is given, where that is f16 or bf16; else NULL */
	bool quarter;
	const struct short_rows *rows; /* NULL: rows of a quarter are taken one by one */
	char *scratch;                 /* for each thread: a plane of sums, planes of f32 */
	uint64_t each, sums_bytes, x_bytes;
};

/* The pool with this thread's planes of f32. */
static struct pool with_planes(const struct planes *planes, int thread) {
	struct pool p = *planes->pool;
	if (planes->low) {
		p.x.data = planes->scratch + planes->each * (uint64_t)thread + planes->sums_bytes;
		p.out.data = (char *)p.x.data + planes->x_bytes;
	}
	return p;
}

static void pool_one(const void *context, int64_t i, int thread) {
	const struct planes *planes = context;
	struct pool computed = with_planes(planes, thread);
	const struct pool *p = &computed, *low = planes->low;
	int64_t n = i / p->x.shape[1], c = i % p->x.shape[1];
	if (low)
		convert_plane(low->dtype, &low->x, n, c, p->x.data, true);
	if (planes->quarter)
		quarter_plane(p, planes->rows, n, c);
	else if (p->dtype == MT_F32)
		pool_plane_f32(p, n, c);
	else
		pool_plane_f64(p, n, c);
	if (low)
		convert_plane(low->dtype, &low->out, n, c, p->out.data, false);
}

static void grad_one(const void *context, int64_t i, int thread) {
	const struct planes *planes = context;
	struct pool computed = with_planes(planes, thread);
	const struct pool *p = &computed, *low = planes->low;
	int64_t n = i / p->x.shape[1], c = i % p->x.shape[1];
	void *sums = planes->scratch ? planes->scratch + planes->each * (uint64_t)thread : NULL;
	if (low)
		convert_plane(low->dtype, &low->out, n, c, p->out.data, true);
	if (planes->quarter)
		quarter_grad_plane(p, planes->rows, n, c);
	else if (p->dtype == MT_F32)
		grad_plane_f32(p, n, c, sums);
	else
		grad_plane_f64(p, n, c, sums);
	if (low)
		convert_plane(low->dtype, &low->x, n, c, p->x.data, false);
}

static int threads_for(const mt_queue *queue, const struct pool *p, bool quarter) {
	double windows = 1, elements = 1;
	for (int d = 0; d < 5; d++) {
		windows *= (double)p->out.shape[d] * (d < 2 ? 1 : (double)p->kernel[d - 2]);
		elements *= (double)p->x.shape[d];
	}
	return mt__omp_threads(queue, quarter ? 3 * elements : 8 * windows + elements);
}

static uint64_t plane_bytes(const struct mt__five_dims *a, uint64_t size) {
	return mt__omp_align64((uint64_t)(a->shape[2] * a->shape[3] * a->shape[4]) * size);
}

/* Every plane through `one`; sums: whether one needs a plane of them where it is no quarter. */
static int32_t run(mt_queue *queue, const struct pool *given, bool sums,
                   void (*one)(const void *context, int64_t i, int thread)) {
	bool low = given->dtype == MT_F16 || given->dtype == MT_BF16;
	struct pool p = low ? f32_twin(given) : *given;
	struct planes planes = {.pool = &p, .low = low ? given : NULL, .quarter = is_quarter(&p)};
	struct short_rows rows;
	if (planes.quarter && is_short(&p)) {
		rows = short_rows_of((int32_t)p.extent[2]);
		planes.rows = &rows;
	}
	int threads = threads_for(queue, &p, planes.quarter);
	if (sums && !planes.quarter)
		planes.sums_bytes = plane_bytes(&p.x, p.dtype == MT_F64 ? sizeof(double) : sizeof(float));
	if (low)
		planes.x_bytes = plane_bytes(&p.x, sizeof(float));
	planes.each = planes.sums_bytes + planes.x_bytes + (low ? plane_bytes(&p.out, sizeof(float)) : 0);
	if (planes.each > 0) {
		planes.scratch = mt__omp_scratch(queue, planes.each * (uint64_t)threads);
		if (!planes.scratch)
			return mt__omp_no_scratch(planes.each * (uint64_t)threads);
	}
	mt__omp_each(threads, p.x.shape[0] * p.x.shape[1], one, &planes);
	return MT_OK;
}

int32_t MT_ISA_NAME(mt__omp_pool)(mt_queue *queue, const struct mt_pool_args *args) {
	struct pool p = describe(args->x, args->out, args->indices, args->op, &args->p);
	return run(queue, &p, false, pool_one);
}

int32_t MT_ISA_NAME(mt__omp_pool_grad)(mt_queue *queue, const struct mt_pool_grad_args *args) {
	struct pool p = describe(args->gx, args->gout, args->indices, args->op, &args->p);
	return run(queue, &p, true, grad_one);
}
