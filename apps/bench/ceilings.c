/* Ceilings of the columns' hardware. */
#include <math.h>
#include <stdlib.h>

#include "bench/ceilings.h"
#include "bench/clock.h"
#include "bench/peak.h"
#include "bench/stats.h"

enum { LARGEST = 4096, SMALLEST = 256, DTYPES = 16 };
enum { LARGEST_BLOCK = 64 << 20, SMALLEST_BLOCK = 1 << 20 }; /* f32 elements */

/* Samples, sorted when they are asked for. */
struct samples {
	double *values;
	int64_t n, room;
};

struct engine {
	mt_device *device; /* NULL: the CPU, with so many threads */
	int threads;
	mt_tensor *square[DTYPES]; /* per dtype, what is multiplied by itself */
	mt_tensor *block;          /* what is copied */
	int failed;                /* the device could not: no further tries */
	struct samples flops, bytes;
};

struct bench_ceilings {
	struct engine list[BENCH_COLUMNS];
	int n;
};

struct bench_ceilings *bench_ceilings_new(struct bench_columns *columns) {
	struct bench_ceilings *ceilings = calloc(1, sizeof *ceilings);
	for (int i = 0; ceilings != NULL && i < columns->n; i++) {
		struct bench_column *c = &columns->list[i];
		mt_device *device = c->host ? NULL : c->device;
		if (c->device == NULL)
			continue;
		int e = 0;
		while (e < ceilings->n && (ceilings->list[e].device != device || ceilings->list[e].threads != c->threads))
			e++;
		if (e == ceilings->n)
			ceilings->list[ceilings->n++] = (struct engine){.device = device, .threads = c->threads};
		c->engine = e;
	}
	return ceilings;
}

void bench_ceilings_free(struct bench_ceilings *ceilings) {
	if (ceilings == NULL)
		return;
	for (int e = 0; e < ceilings->n; e++) {
		struct engine *engine = &ceilings->list[e];
		for (int i = 0; i < DTYPES; i++)
			mt_release(engine->square[i]);
		mt_release(engine->block);
		free(engine->flops.values);
		free(engine->bytes.values);
	}
	free(ceilings);
}

int bench_ceilings_count(const struct bench_ceilings *ceilings) {
	return ceilings->n;
}

/* Keeps a sample; where there is no memory the median goes without it. */
static double keep(struct samples *s, double value) {
	if (s->n == s->room) {
		int64_t room = s->room > 0 ? 2 * s->room : 64;
		double *values = realloc(s->values, (size_t)room * sizeof *values);
		if (values == NULL)
			return value;
		s->values = values;
		s->room = room;
	}
	if (isfinite(value))
		s->values[s->n++] = value;
	return value;
}

/* ---- a device's own ---- */

/* Seconds of one product of x with itself, or of one copy; −1 where it fails. */
static double time_device(struct engine *engine, mt_tensor *x, int product) {
	mt_scope *scope = mt_scope_begin();
	double begin = bench_now();
	mt_tensor *out = product ? mt_matmul(x, x) : mt_clone(x);
	int ok = out != NULL && mt_device_synchronize(engine->device) == MT_OK;
	double seconds = bench_now() - begin;
	mt_scope_end(scope);
	return ok ? seconds : -1;
}

static mt_tensor *make_input(int64_t n, mt_dtype dtype, int product) {
	mt_scope *scope = mt_scope_begin();
	mt_tensor *x = mt_retain(product ? mt_rand(MT_SHAPE(n, n), dtype) : mt_zeros(MT_SHAPE(n), dtype));
	mt_scope_end(scope);
	return x;
}

/* What a product or a copy of takes a millisecond at least, or the largest; NULL where the device fails. */
static mt_tensor *sized_input(struct engine *engine, mt_dtype dtype, int product) {
	int64_t n = product ? SMALLEST : SMALLEST_BLOCK, largest = product ? LARGEST : LARGEST_BLOCK;
	for (;; n *= 2) {
		mt_tensor *x = make_input(n, dtype, product);
		double first = x != NULL ? time_device(engine, x, product) : -1;
		double seconds = first >= 0 ? time_device(engine, x, product) : -1;
		if (seconds >= 0 && (seconds > 1e-3 || n >= largest))
			return x;
		mt_release(x);
		if (seconds < 0)
			return NULL;
	}
}

/* Amount of work a second in a product (2 n³) or a copy (8 n bytes); NaN where the device fails, once and for all. */
static double device_rate(struct engine *engine, mt_dtype dtype, int product) {
	if (engine->failed || mt_device_use(engine->device) != MT_OK)
		return NAN;
	mt_tensor **x = product ? &engine->square[dtype] : &engine->block;
	if (*x == NULL)
		*x = sized_input(engine, dtype, product);
	double seconds = *x != NULL ? time_device(engine, *x, product) : -1, n = (double)mt_tensor_size(*x, 0);
	engine->failed = seconds < 0;
	if (engine->failed)
		mt_error_take(NULL);
	return seconds > 0 ? (product ? 2 * n * n * n : 8 * n) / seconds : NAN;
}

/* ---- samples ---- */

double bench_ceilings_flops(struct bench_ceilings *ceilings, int engine, mt_dtype dtype, double seconds) {
	struct engine *e = &ceilings->list[engine];
	mt_dtype of = dtype == MT_F64 || dtype == MT_F16 || dtype == MT_BF16 ? dtype : MT_F32;
	double value = e->device != NULL ? device_rate(e, of, 1) : peak_flops(e->threads, of == MT_F64, seconds);
	return of == MT_F32 ? keep(&e->flops, value) : value;
}

double bench_ceilings_bytes(struct bench_ceilings *ceilings, int engine) {
	struct engine *e = &ceilings->list[engine];
	return keep(&e->bytes, e->device != NULL ? device_rate(e, MT_F32, 0) : peak_copy(e->threads));
}

double bench_ceilings_reads(struct bench_ceilings *ceilings, int engine) {
	struct engine *e = &ceilings->list[engine];
	return e->device != NULL ? bench_ceilings_bytes(ceilings, engine) : peak_read(e->threads);
}

static double median(struct samples *s) {
	return bench_spread_of(s->values, s->n).median;
}

double bench_ceilings_median_flops(struct bench_ceilings *ceilings, int engine) {
	return median(&ceilings->list[engine].flops);
}

double bench_ceilings_median_bytes(struct bench_ceilings *ceilings, int engine) {
	return median(&ceilings->list[engine].bytes);
}
