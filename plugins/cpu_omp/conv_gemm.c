/* Convolution as a matrix product whose operands are never written out: the panels that the microkernels read come
 * straight from the images.
 *
 *     forward          an image: out [Co × O] = weight [Co × Ci·taps] @ positions [Ci·taps × O]
 *     input gradient   an image, some channels: sums [ci·taps × o] = weightᵀ [ci·taps × Co] @ gout [Co × o] for a cache-
 *                      sized part; then each position's sums are added to where it looked
 *     weight gradient  gweight [Co × Ci·taps] = gout [Co × N·O] @ positionsᵀ [N·O × Ci·taps]
 *
 * each for every group.  Nothing depends on the number of threads. */
#include "conv_part.h"
#include "gemm.h"
#include "parallel.h"
#include "transpose.h"

#include <string.h>

/* The part of the input gradient's sums that is kept at a time. */
#define SUMS_BYTES (256 * 1024)

/* Above this many bytes the weights are moved by all threads. */
#define SERIAL_WEIGHTS (64 * 1024)

#define T float
#define VEC vec_f32
#define VL VL_F32
#define N(f) f##_f32
#define VN(f) vec_f32_##f
static void transpose_in_f32(float *dst, int64_t ld, const float *src, int64_t stride, int rows, int64_t n) {
	transpose_in(dst, ld, src, stride, rows, n);
}
#include "conv_gemm.inc"
#undef T
#undef VEC
#undef VL
#undef N
#undef VN

#define T double
#define VEC vec_f64
#define VL VL_F64
#define N(f) f##_f64
#define VN(f) vec_f64_##f
static void transpose_in_f64(double *dst, int64_t ld, const double *src, int64_t stride, int rows, int64_t n) {
	for (int64_t p = 0; p < n; p++)
		for (int i = 0; i < VL; i++)
			dst[p * ld + i] = i < rows ? src[i * stride + p] : 0;
}
#include "conv_gemm.inc"

static int64_t size_of(const struct mt__conv *c) {
	return mt__omp_dtype_size(c->dtype);
}

/* NULL stays: plans are made before there are addresses. */
static const void *element(const struct mt__conv *c, const void *base, int64_t offset) {
	return base ? (const char *)base + offset * size_of(c) : NULL;
}

static uint64_t weight_bytes(const struct mt__conv *c) {
	return mt__omp_align64((uint64_t)(c->groups * c->out_channels * c->in_channels * mt__conv_taps(c) * size_of(c)));
}

struct weight_move {
	const struct mt__conv *conv;
	void *flat;
	bool back;
};

static void move_one(const void *context, int64_t co, int thread) {
	const struct weight_move *m = context;
	(void)thread;
	if (m->conv->dtype == MT_F64)
		move_weight_f64(m->conv, m->flat, co, m->back);
	else
		move_weight_f32(m->conv, m->flat, co, m->back);
}

static void move_weight(const struct mt__conv *c, void *flat, int threads, bool back) {
	struct weight_move m = {c, flat, back};
	mt__omp_each(weight_bytes(c) > SERIAL_WEIGHTS ? threads : 1, c->groups * c->out_channels, move_one, &m);
}

/* ---- forward ---- */

/* 1 × 1 … kernels that look at every position in turn: x itself is the matrix. */
static bool reads_in_place(const struct mt__conv *c) {
	for (int d = 0; d < 3; d++)
		if (c->kernel[d] != 1 || c->step[d] != 1 || c->pad[d] != 0 || c->in[d] != c->extent[d])
			return false;
	return (c->in[2] == 1 || c->x.stride[4] == 1) && (c->in[1] == 1 || c->x.stride[3] == c->in[2]) &&
	       (c->in[0] == 1 || c->x.stride[2] == c->in[1] * c->in[2]);
}

/* The product for one image and group.  flat: the weight; image_out: where out is not evenly strided. */
static struct mt__omp_gemm forward_product(const struct part *part, const void *flat, void *image_out) {
	const struct mt__conv *c = part->conv;
	int64_t depth = c->in_channels * mt__conv_taps(c), channel = part->group * c->out_channels;
	struct mt__omp_gemm g = {
		.m = c->out_channels,
		.n = mt__conv_out_plane(c),
		.k = depth,
		.a = element(c, flat, channel * depth),
		.a_rs = depth,
		.a_cs = 1,
		.alpha = 1,
		.dtype = c->dtype,
		.activation = c->activation,
		.bias = c->bias ? element(c, c->bias, channel * c->bias_stride) : NULL,
		.bias_stride = c->bias_stride,
		.bias_of_rows = 1,
		.make_context = part,
	};
	if (part->plane_stride) {
		g.c = (void *)element(c, c->out.data, part->image * c->out.stride[0] + channel * c->out.stride[1]);
		g.c_rs = c->out.stride[1];
		g.c_cs = part->plane_stride;
	} else {
		g.c = image_out;
		g.c_rs = g.n;
		g.c_cs = 1;
	}
	if (reads_in_place(c)) {
		int64_t first = part->group * c->in_channels;
		g.b = element(c, c->x.data, part->image * c->x.stride[0] + first * c->x.stride[1]);
		g.b_rs = c->x.stride[1];
		g.b_cs = 1;
		g.make_b = NULL;
	} else {
		g.make_b = c->dtype == MT_F64 ? make_positions_f64 : make_positions_f32;
	}
	return g;
}

struct forward_sizes {
	uint64_t weight, product, image; /* bytes: the flat weight; a product's scratch; an image of results */
	bool one_each;                   /* an image and group for each thread, rather than all threads on one */
};

static struct forward_sizes forward_sizes(const struct mt__conv *c, int threads) {
	struct part part = make_part(c);
	struct mt__omp_gemm g = forward_product(&part, NULL, NULL);
	struct mt__omp_gemm_plan plan;
	bool one_each = c->images * c->groups >= threads;
	mt__omp_gemm_prepare(&g, one_each ? 1 : threads, &plan);
	struct forward_sizes s = {.weight = weight_bytes(c), .product = plan.scratch_bytes, .one_each = one_each};
	if (!part.plane_stride)
		s.image = mt__omp_align64((uint64_t)(g.m * g.n * size_of(c)));
	return s;
}

struct forward_run {
	const struct mt__conv *conv;
	struct forward_sizes sizes;
	char *flat, *space;
};

static void forward_one(const struct forward_run *r, int64_t unit, char *space, int thread, int threads) {
	const struct mt__conv *c = r->conv;
	struct part part = make_part(c);
	part.image = unit / c->groups;
	part.group = unit % c->groups;
	void *image = space + r->sizes.product;
	struct mt__omp_gemm g = forward_product(&part, r->flat, image);
	struct mt__omp_gemm_plan plan;
	mt__omp_gemm_prepare(&g, threads, &plan);
	mt__omp_gemm_run(&g, &plan, space, thread, threads);
	if (part.plane_stride)
		return;
	if (threads > 1) {
#pragma omp barrier
	}
	if (thread != 0)
		return;
	if (c->dtype == MT_F64)
		store_image_f64(&part, image);
	else
		store_image_f32(&part, image);
}

static void forward_alone(const void *context, int64_t unit, int thread) {
	const struct forward_run *r = context;
	forward_one(r, unit, r->space + (r->sizes.product + r->sizes.image) * (uint64_t)thread, 0, 1);
}

static void forward_together(const void *context, int thread, int threads) {
	const struct forward_run *r = context;
	for (int64_t i = 0; i < r->conv->images * r->conv->groups; i++) {
		forward_one(r, i, r->space, thread, threads);
		if (threads > 1) {
#pragma omp barrier
		}
	}
}

static void forward(const struct mt__conv *c, char *space, int threads) {
	struct forward_run r = {.conv = c, .sizes = forward_sizes(c, threads), .flat = space};
	r.space = space + r.sizes.weight;
	move_weight(c, r.flat, threads, false);
	if (r.sizes.one_each)
		mt__omp_each_next(threads, c->images * c->groups, forward_alone, &r);
	else
		mt__omp_parallel(threads, forward_together, &r);
}

/* ---- input gradient ---- */

/* Channels and whole rows of positions at a time. */
struct sums_shape {
	int64_t channels, positions, blocks; /* blocks of channels */
};

static struct sums_shape sums_shape(const struct mt__conv *c) {
	struct sums_shape s;
	int64_t rows = c->extent[0] * c->extent[1], row_bytes = mt__conv_taps(c) * c->extent[2] * size_of(c);
	int64_t fit = mt__omp_max(1, SUMS_BYTES / mt__omp_max(1, row_bytes)); /* rows of one channel */
	s.channels = mt__omp_min(c->in_channels, mt__omp_max(1, fit / mt__omp_max(1, rows)));
	s.blocks = mt__omp_ceil_div(c->in_channels, mt__omp_max(1, s.channels));
	s.positions = mt__omp_min(rows, fit) * c->extent[2];
	return s;
}

/* The product for channels [first_channel, + channels) and positions [part->first, + positions). */
static struct mt__omp_gemm input_product(const struct part *part, const void *flat, int64_t first_channel,
                                         int64_t channels, int64_t positions, void *sums) {
	const struct mt__conv *c = part->conv;
	int64_t taps = mt__conv_taps(c), depth = c->in_channels * taps, out_channel = part->group * c->out_channels;
	struct mt__omp_gemm g = {
		.m = channels * taps,
		.n = positions,
		.k = c->out_channels,
		.a = element(c, flat, out_channel * depth + first_channel * taps),
		.a_rs = 1,
		.a_cs = depth,
		.c = sums,
		.c_rs = positions,
		.c_cs = 1,
		.alpha = 1,
		.dtype = c->dtype,
		.make_context = part,
	};
	if (part->plane_stride) {
		int64_t at = part->image * c->out.stride[0] + out_channel * c->out.stride[1] + part->first * part->plane_stride;
		g.b = element(c, c->out.data, at);
		g.b_rs = c->out.stride[1];
		g.b_cs = part->plane_stride;
	} else {
		g.make_b = c->dtype == MT_F64 ? make_plane_f64 : make_plane_f32;
	}
	return g;
}

static uint64_t input_product_bytes(const struct mt__conv *c, const struct sums_shape *s) {
	struct part part = make_part(c);
	uint64_t most = 0;
	/* The last part of the channels and of the positions may be smaller, and planned otherwise. */
	int64_t channels[] = {s->channels, c->in_channels % mt__omp_max(1, s->channels)};
	int64_t positions[] = {s->positions, mt__conv_out_plane(c) % mt__omp_max(1, s->positions)};
	for (int i = 0; i < 4; i++) {
		struct mt__omp_gemm g = input_product(&part, NULL, 0, channels[i / 2], positions[i % 2], NULL);
		struct mt__omp_gemm_plan plan;
		mt__omp_gemm_prepare(&g, 1, &plan);
		most = plan.scratch_bytes > most ? plan.scratch_bytes : most;
	}
	return most;
}

static uint64_t sums_bytes(const struct mt__conv *c, const struct sums_shape *s) {
	return mt__omp_align64((uint64_t)(s->channels * mt__conv_taps(c) * s->positions * size_of(c)));
}

/* Adds positions [part->first, + n) of one channel, or clears it first. */
static void add_channel(const struct part *part, int64_t channel, const void *sums, int64_t n, bool clear) {
	const struct mt__conv *c = part->conv;
	int64_t at = part->image * c->x.stride[0] + (part->group * c->in_channels + channel) * c->x.stride[1];
	void *to = (void *)element(c, c->x.data, at);
	if (c->dtype == MT_F64) {
		if (clear)
			clear_channel_f64(c, to);
		add_back_f64(part, to, sums, n);
	} else {
		if (clear)
			clear_channel_f32(c, to);
		add_back_f32(part, to, sums, n);
	}
}

struct input_run {
	const struct mt__conv *conv;
	struct sums_shape shape;
	char *flat, *space;
	uint64_t each;
};

static void input_one(const void *context, int64_t unit, int thread) {
	const struct input_run *r = context;
	const struct mt__conv *c = r->conv;
	const struct sums_shape *s = &r->shape;
	struct part part = make_part(c);
	int64_t first_channel = unit % s->blocks * s->channels;
	part.group = unit / s->blocks % c->groups;
	part.image = unit / s->blocks / c->groups;
	int64_t channels = mt__omp_min(s->channels, c->in_channels - first_channel), plane = mt__conv_out_plane(c);
	char *sums = r->space + r->each * (uint64_t)thread, *scratch = sums + sums_bytes(c, s);
	do {
		int64_t n = mt__omp_min(s->positions, plane - part.first);
		if (n > 0) {
			struct mt__omp_gemm g = input_product(&part, r->flat, first_channel, channels, n, sums);
			struct mt__omp_gemm_plan plan;
			mt__omp_gemm_prepare(&g, 1, &plan);
			mt__omp_gemm_run(&g, &plan, scratch, 0, 1);
		}
		for (int64_t i = 0; i < channels; i++)
			add_channel(&part, first_channel + i, element(c, sums, i * mt__conv_taps(c) * n), n, part.first == 0);
		part.first += n;
	} while (part.first < plane);
}

static void grad_input(const struct mt__conv *c, char *space, int threads) {
	struct input_run r = {.conv = c, .shape = sums_shape(c), .flat = space};
	r.each = sums_bytes(c, &r.shape) + input_product_bytes(c, &r.shape);
	r.space = space + weight_bytes(c);
	move_weight(c, r.flat, threads, false);
	mt__omp_each_next(threads, c->images * c->groups * r.shape.blocks, input_one, &r);
}

/* ---- weight gradient ---- */

static struct mt__omp_gemm weight_product(const struct part *part, void *flat) {
	const struct mt__conv *c = part->conv;
	int64_t depth = c->in_channels * mt__conv_taps(c);
	return (struct mt__omp_gemm){
		.m = c->out_channels,
		.n = depth,
		.k = c->images * mt__conv_out_plane(c),
		.c = (void *)element(c, flat, part->group * c->out_channels * depth),
		.c_rs = depth,
		.c_cs = 1,
		.alpha = 1,
		.dtype = c->dtype,
		.make_a = c->dtype == MT_F64 ? make_channels_f64 : make_channels_f32,
		.make_b = c->dtype == MT_F64 ? make_taps_f64 : make_taps_f32,
		.make_context = part,
	};
}

struct weight_run {
	const struct mt__omp_gemm *g;
	const struct mt__omp_gemm_plan *plan;
	void *scratch;
};

static void weight_together(const void *context, int thread, int threads) {
	const struct weight_run *r = context;
	mt__omp_gemm_run(r->g, r->plan, r->scratch, thread, threads);
}

static void grad_weight(const struct mt__conv *c, char *space, int threads) {
	struct part part = make_part(c);
	char *flat = space, *scratch = space + weight_bytes(c);
	for (part.group = 0; part.group < c->groups; part.group++) {
		struct mt__omp_gemm g = weight_product(&part, flat);
		struct mt__omp_gemm_plan plan;
		mt__omp_gemm_prepare(&g, threads, &plan);
		struct weight_run r = {&g, &plan, scratch};
		mt__omp_parallel(threads, weight_together, &r);
	}
	move_weight(c, flat, threads, true);
	if (c->bias)
		mt__conv_grad_bias(c, threads);
}

/* ---- the method ---- */

static uint64_t scratch_bytes(const struct mt__conv *c, enum mt__conv_op op, int threads) {
	if (op == MT__CONV_FORWARD) {
		struct forward_sizes s = forward_sizes(c, threads);
		return s.weight + (s.product + s.image) * (uint64_t)(s.one_each ? threads : 1);
	}
	if (op == MT__CONV_GRAD_INPUT) {
		struct sums_shape s = sums_shape(c);
		return weight_bytes(c) + (sums_bytes(c, &s) + input_product_bytes(c, &s)) * (uint64_t)threads;
	}
	struct part part = make_part(c);
	struct mt__omp_gemm g = weight_product(&part, NULL);
	struct mt__omp_gemm_plan plan;
	mt__omp_gemm_prepare(&g, threads, &plan);
	return weight_bytes(c) + plan.scratch_bytes;
}

static void run(const struct mt__conv *c, enum mt__conv_op op, void *scratch, int threads) {
	if (op == MT__CONV_FORWARD)
		forward(c, scratch, threads);
	else if (op == MT__CONV_GRAD_INPUT)
		grad_input(c, scratch, threads);
	else
		grad_weight(c, scratch, threads);
}

const struct mt__conv_method mt__conv_gemm_method = {scratch_bytes, run};
