/* Convolution by the definition, a row at a time: for so few output channels in a group, or so little work, that a matrix
 * product would mostly move data.  Every result is one thread's, in one order. */
#include "conv.h"

#include "activate.h"
#include "parallel.h"
#include "row_sums.h"

#include <string.h>

/* Sums of part of a row are kept in the first-level cache. */
#define ROW 512

/* Kernel positions in x that share a walk through the images. */
#define TAPS 8

#define DIRECT_CHANNELS 3
#define DIRECT_WORK 8192

enum { dtype_f32 = MT_F32, dtype_f64 = MT_F64 };

struct range {
	int64_t begin, end;
};

/* a / step, without a division where the step is 1. */
static inline int64_t steps(int64_t a, int64_t step) {
	return step == 1 ? a : a / step;
}

/* The positions within [first, first + n) whose tap kx lies in x. */
static struct range positions_of(const struct mt__conv *c, int64_t kx, int64_t first, int64_t n) {
	int64_t step = c->step[2], at = kx * c->dilation[2] - c->pad[2];
	struct range r = {first, 0};
	if (at < 0)
		r.begin = mt__omp_max(first, steps(step - 1 - at, step));
	if (at < c->in[2])
		r.end = mt__omp_min(first + n, steps(c->in[2] - 1 - at, step) + 1);
	return r;
}

/* The positions whose tap kx lies in [first, first + n) of x. */
static struct range positions_in(const struct mt__conv *c, int64_t kx, int64_t first, int64_t n) {
	int64_t step = c->step[2], at = kx * c->dilation[2] - c->pad[2] - first;
	struct range r = {0, 0};
	if (at < 0)
		r.begin = steps(step - 1 - at, step);
	if (at < n)
		r.end = mt__omp_min(c->extent[2], steps(n - 1 - at, step) + 1);
	return r;
}

/* The position whose tap k is at place `at` in dim d, or −1. */
static int64_t position_of(const struct mt__conv *c, int d, int64_t at, int64_t k) {
	int64_t t = at + c->pad[d] - k * c->dilation[d], o = t < 0 ? -1 : steps(t, c->step[d]);
	return o >= 0 && o < c->extent[d] && o * c->step[d] == t ? o : -1;
}

#define T float
#define N(f) f##_f32
#include "conv_direct.inc"
#undef T
#undef N
#define T double
#define N(f) f##_f64
#include "conv_direct.inc"

bool mt__conv_direct_fit(const struct mt__conv *c) {
	return c->out_channels <= DIRECT_CHANNELS || mt__conv_work(c) <= DIRECT_WORK;
}

static uint64_t scratch_bytes(const struct mt__conv *c, enum mt__conv_op op, int threads) {
	(void)c, (void)op, (void)threads;
	return 0;
}

static void forward_one(const void *context, int64_t i, int thread) {
	const struct mt__conv *c = context;
	int64_t channels = c->groups * c->out_channels;
	(void)thread;
	if (c->dtype == MT_F64)
		forward_plane_f64(c, i / channels, i % channels);
	else
		forward_plane_f32(c, i / channels, i % channels);
}

static void input_one(const void *context, int64_t i, int thread) {
	const struct mt__conv *c = context;
	int64_t channels = c->groups * c->in_channels;
	(void)thread;
	if (c->dtype == MT_F64)
		input_plane_f64(c, i / channels, i % channels);
	else
		input_plane_f32(c, i / channels, i % channels);
}

static void weight_one(const void *context, int64_t i, int thread) {
	const struct mt__conv *c = context;
	(void)thread;
	if (c->dtype == MT_F64)
		weight_pair_f64(c, i / c->in_channels, i % c->in_channels);
	else
		weight_pair_f32(c, i / c->in_channels, i % c->in_channels);
}

static void run(const struct mt__conv *c, enum mt__conv_op op, void *scratch, int threads) {
	int64_t out = c->groups * c->out_channels, in = c->groups * c->in_channels;
	(void)scratch;
	if (op == MT__CONV_FORWARD) {
		mt__omp_each(threads, c->images * out, forward_one, c);
	} else if (op == MT__CONV_GRAD_INPUT) {
		mt__omp_each(threads, c->images * in, input_one, c);
	} else {
		mt__omp_each(threads, out * c->in_channels, weight_one, c);
		if (c->bias)
			mt__conv_grad_bias(c, threads);
	}
}

const struct mt__conv_method mt__conv_direct_method = {scratch_bytes, run};
