/* copy (any strides, any dtype pair) and fill. */
#include <string.h>

#include "elementwise.h"
#include "mt/lowp.h"
#include "scalar.h"
#include "stage.h"
#include "stream.h"
#include "units.h"

typedef void convert_run(void *out, const void *in, int64_t n);

/* Beyond 53 bits the last bit kept is set where bits were lost: no tie is made up, and rounding once more is right. */
static inline double sticky_double(int64_t i) {
	uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
	if (u >> 53)
		u = (u >> 11 | ((u & 0x7FF) != 0)) << 11;
	return i < 0 ? -(double)u : (double)u;
}

#define S float
#define S_FLOAT 1
#define NAME(f) f32_##f
#define TO_LOW(x) (x)
#include "copy_to.inc"
#undef S
#undef S_FLOAT
#undef NAME
#undef TO_LOW

#define S double
#define S_FLOAT 1
#define NAME(f) f64_##f
#define TO_LOW(x) mt__f64_to_f32_odd(x)
#include "copy_to.inc"
#undef S
#undef S_FLOAT
#undef NAME
#undef TO_LOW

#define S int32_t
#define S_FLOAT 0
#define NAME(f) i32_##f
#define TO_LOW(x) mt__f64_to_f32_odd((double)(x))
#include "copy_to.inc"
#undef S
#undef NAME
#undef TO_LOW

#define S int64_t
#define NAME(f) i64_##f
#define TO_LOW(x) mt__f64_to_f32_odd(sticky_double(x))
#include "copy_to.inc"
#undef S
#undef NAME
#undef TO_LOW

#define S uint8_t
#define NAME(f) u8_##f
#define TO_LOW(x) (float)(x)
#include "copy_to.inc"
#undef S
#undef S_FLOAT
#undef NAME
#undef TO_LOW

static convert_run *converter(int32_t from, int32_t to) {
	switch (from) {
	case MT_F64:
		return f64_from[to];
	case MT_I32:
		return i32_from[to];
	case MT_I64:
		return i64_from[to];
	case MT_U8:
	case MT_BOOL:
		return u8_from[to];
	default:
		return f32_from[to];
	}
}

static void run_convert(const void *context, int64_t n, void *const *p, uint32_t scalars) {
	(void)scalars;
	convert_run *const *convert = context;
	(*convert)(p[0], p[1], n);
}

/* Elements as they are, or one to all; the context is their size in the buffers. */
static void run_move(const void *context, int64_t n, void *const *p, uint32_t scalars) {
	int size = *(const int *)context;
	if (scalars)
		mt__omp_fill_run(p[0], p[1], size, n);
	else
		memcpy(p[0], p[1], (size_t)(n * size));
}

/* Whether copy moves bits alone: bool and u8 differ only in what may be stored. */
static bool is_move(int32_t from, int32_t to) {
	return from == to || (from == MT_BOOL && to == MT_U8);
}

/* One run of memory, in big shares. */
struct bytes {
	char *out;
	const char *x;
	int64_t count;
};

static void copy_lines(const void *context, int64_t begin, int64_t end) {
	const struct bytes *b = context;
	int64_t from = begin * 64, to = mt__omp_min(end * 64, b->count);
	if (b->count < MT__OMP_STREAM_BYTES) {
		memcpy(b->out + from, b->x + from, (size_t)(to - from));
		return;
	}
	stream_copy(b->out + from, b->x + from, to - from);
	stream_end();
}

static void copy_bytes(mt_queue *queue, char *out, const char *x, int64_t count) {
	struct bytes b = {out, x, count};
	mt__omp_for_units(mt__omp_threads(queue, (double)count / 8), mt__omp_ceil_div(count, 64), copy_lines, &b);
}

int32_t MT_ISA_NAME(mt__omp_copy)(mt_queue *queue, const struct mt_copy_args *args) {
	struct mt__omp_job job;
	const mt_array *arrays[] = {args->out, args->x};
	int32_t from = args->x->dtype, to = args->out->dtype;
	mt__omp_collapse(&job.walk, 2, arrays);
	struct mt__walk *w = &job.walk;
	bool move = is_move(from, to);
	if (move && w->rank == 1 && w->stride[0][0] == 1 && w->stride[1][0] == 1) {
		copy_bytes(queue, w->data[0], w->data[1], w->count * w->size[0]);
		return MT_OK;
	}
	job.reads = 2;
	job.writes = 1;
	job.raw = move ? 3 : 0;
	job.move = move || mt__omp_compute_dtype(from) == to || mt__omp_compute_dtype(to) == from;
	job.cost = 1;
	job.may_be_scalar = job.move ? 2 : 0;
	int size = move ? w->size[0] : mt__omp_compute_size(to);
	convert_run *convert = converter(from, to);
	job.run = job.move ? run_move : run_convert;
	job.stream = NULL;
	job.context = job.move ? (const void *)&size : (const void *)&convert;
	mt__omp_elementwise(queue, &job);
	return MT_OK;
}

/* The element that value becomes in dtype. */
static void convert_scalar(void *element, int32_t dtype, mt_scalar value) {
	float low;
	if (value.tag == MT_SCALAR_I64)
		i64_from[dtype](dtype == MT_F16 || dtype == MT_BF16 ? (void *)&low : element, &value.v.i, 1);
	else
		f64_from[dtype](dtype == MT_F16 || dtype == MT_BF16 ? (void *)&low : element, &value.v.f, 1);
	if (dtype == MT_F16 || dtype == MT_BF16)
		mt__omp_store_run(dtype, false, element, 1, &low, 1);
}

struct fill {
	int size;
	uint64_t element;
};

static void run_fill_value(const void *context, int64_t n, void *const *p, uint32_t scalars) {
	const struct fill *f = context;
	(void)scalars;
	mt__omp_fill_run(p[0], &f->element, f->size, n);
}

int32_t MT_ISA_NAME(mt__omp_fill)(mt_queue *queue, const struct mt_fill_args *args) {
	struct mt__omp_job job;
	struct fill f = {mt__omp_dtype_size(args->out->dtype), 0};
	convert_scalar(&f.element, args->out->dtype, args->value);
	const mt_array *arrays[] = {args->out};
	mt__omp_collapse(&job.walk, 1, arrays);
	job.reads = 0;
	job.writes = 1;
	job.raw = 1;
	job.move = false;
	job.may_be_scalar = 0;
	job.cost = 0.5;
	job.run = run_fill_value;
	job.stream = NULL;
	job.context = &f;
	mt__omp_elementwise(queue, &job);
	return MT_OK;
}
