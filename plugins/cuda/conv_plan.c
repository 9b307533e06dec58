#include "conv_plan.h"

#include <math.h>
#include <stdlib.h>

/* ---- one convolution ---- */

static void five_dims(const mt_array *a, int64_t shape[5], int64_t stride[5]) {
	for (int d = 0; d < 5; d++) {
		int from = d < 2 ? d : d - (5 - a->rank);
		int there = d < 2 || from >= 2;
		shape[d] = there ? a->shape[from] : 1;
		stride[d] = there ? a->stride[from] : 0;
	}
}

void mt__cuda_conv_geometry(struct mt_cuda_conv_geometry *g, const mt_array *x, const mt_array *weight,
                            const mt_array *out, const struct mt_conv_params *p) {
	int64_t x_shape[5], weight_shape[5], out_shape[5];
	int missing = 5 - x->rank;
	*g = (struct mt_cuda_conv_geometry){.groups = p->groups};
	five_dims(x, x_shape, g->x_stride);
	five_dims(weight, weight_shape, g->weight_stride);
	five_dims(out, out_shape, g->out_stride);
	g->images = x_shape[0];
	g->in_channels = weight_shape[1];
	g->out_channels = weight_shape[0] / p->groups;
	for (int d = 0; d < 3; d++) {
		g->in[d] = x_shape[d + 2];
		g->kernel[d] = weight_shape[d + 2];
		g->out[d] = out_shape[d + 2];
		g->stride[d] = d < missing ? 1 : p->stride[d - missing];
		g->pad[d] = d < missing ? 0 : p->pad[d - missing];
		g->dilation[d] = d < missing ? 1 : p->dilation[d - missing];
	}
}

double mt__cuda_conv_products(const struct mt_cuda_conv_geometry *g) {
	double products = (double)g->images * (double)g->groups * (double)g->in_channels * (double)g->out_channels;
	for (int d = 0; d < 3; d++)
		products *= (double)g->kernel[d] * (double)g->out[d];
	return products;
}

/* ---- as a product ---- */

static int64_t volume(const int64_t extent[4]) {
	return extent[0] * extent[1] * extent[2] * extent[3];
}

static int64_t least(int64_t a, int64_t b) {
	return a < b ? a : b;
}

/* a / b, rounded up. */
static int64_t pieces(int64_t a, int64_t b) {
	return a / b + (a % b != 0);
}

static int64_t gcd(int64_t a, int64_t b) {
	while (b != 0) {
		int64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* Whether b's outer dim in k lies closer together in memory than its innermost spatial dim does. */
static int has_channels_inside(const struct mt_cuda_conv_product *p, const int64_t *b_stride) {
	return p->k_extent[0] > 1 && llabs(p->b_k) < llabs(b_stride[4]);
}

static void forward(struct mt_cuda_conv_product *p, const struct mt_cuda_conv_geometry *g) {
	p->m = g->out_channels;
	p->n_extent[0] = g->images;
	p->k_extent[0] = g->in_channels;
	for (int d = 0; d < 3; d++) {
		p->n_extent[d + 1] = g->out[d];
		p->k_extent[d + 1] = g->kernel[d];
		p->b_limit[d] = g->in[d];
		p->n_step[d] = g->stride[d];
		p->k_step[d] = g->dilation[d];
		p->start[d] = -g->pad[d];
		p->b_space[d] = g->x_stride[d + 2];
	}
	p->a_m = g->weight_stride[0];
	p->b_n = g->x_stride[0];
	p->b_k = g->x_stride[1];
	p->y_m = g->out_stride[1];
	p->a_group = g->out_channels * g->weight_stride[0];
	p->b_group = g->in_channels * g->x_stride[1];
	p->y_group = g->out_channels * g->out_stride[1];
	for (int i = 0; i < 4; i++) {
		p->a_k[i] = g->weight_stride[i + 1];
		p->y_n[i] = g->out_stride[i == 0 ? 0 : i + 1];
	}
	p->channels_inside = has_channels_inside(p, g->x_stride);
}

static void grad_input_dim(struct mt_cuda_conv_product *p, const struct mt_cuda_conv_geometry *g, int d) {
	struct mt_cuda_conv_phases *phases = &p->phase[d];
	*phases = (struct mt_cuda_conv_phases){.count = least(g->stride[d], g->in[d]),
	                                       .stride = g->stride[d],
	                                       .pad = g->pad[d],
	                                       .dilation = g->dilation[d],
	                                       .taps = g->kernel[d],
	                                       .step = g->stride[d] / gcd(g->stride[d], g->dilation[d]),
	                                       .extent = g->in[d],
	                                       .a_tap = g->weight_stride[d + 2],
	                                       .y_input = g->x_stride[d + 2]};
	struct mt_cuda_conv_taps taps = mt__cuda_conv_taps(phases, 0);
	p->phases *= phases->count;
	p->n_extent[d + 1] = pieces(g->in[d], g->stride[d]);
	p->k_extent[d + 1] = taps.count;
	p->b_limit[d] = g->out[d];
	p->n_step[d] = 1;
	p->k_step[d] = -(g->dilation[d] * phases->step / g->stride[d]);
	p->start[d] = taps.start;
	p->a_first += taps.first * phases->a_tap;
	p->a_k[d + 1] = phases->step * phases->a_tap;
	p->b_space[d] = g->out_stride[d + 2];
	p->y_n[d + 1] = g->stride[d] * phases->y_input;
}

static void grad_input(struct mt_cuda_conv_product *p, const struct mt_cuda_conv_geometry *g) {
	p->m = g->in_channels;
	p->n_extent[0] = g->images;
	p->k_extent[0] = g->out_channels;
	p->a_m = g->weight_stride[1];
	p->a_k[0] = g->weight_stride[0];
	p->b_n = g->out_stride[0];
	p->b_k = g->out_stride[1];
	p->y_m = g->x_stride[1];
	p->y_n[0] = g->x_stride[0];
	p->a_group = g->out_channels * g->weight_stride[0];
	p->b_group = g->out_channels * g->out_stride[1];
	p->y_group = g->in_channels * g->x_stride[1];
	for (int d = 0; d < 3; d++)
		grad_input_dim(p, g, d);
	p->channels_inside = has_channels_inside(p, g->out_stride);
}

static void grad_weight(struct mt_cuda_conv_product *p, const struct mt_cuda_conv_geometry *g) {
	p->m = g->out_channels;
	p->n_extent[0] = g->in_channels;
	p->k_extent[0] = g->images;
	for (int d = 0; d < 3; d++) {
		p->n_extent[d + 1] = g->kernel[d];
		p->k_extent[d + 1] = g->out[d];
		p->b_limit[d] = g->in[d];
		p->n_step[d] = g->dilation[d];
		p->k_step[d] = g->stride[d];
		p->start[d] = -g->pad[d];
		p->b_space[d] = g->x_stride[d + 2];
	}
	p->a_m = g->out_stride[1];
	p->b_n = g->x_stride[1];
	p->b_k = g->x_stride[0];
	p->y_m = g->weight_stride[0];
	p->a_group = g->out_channels * g->out_stride[1];
	p->b_group = g->in_channels * g->x_stride[1];
	p->y_group = g->out_channels * g->weight_stride[0];
	for (int i = 0; i < 4; i++) {
		p->a_k[i] = g->out_stride[i == 0 ? 0 : i + 1];
		p->y_n[i] = g->weight_stride[i + 1];
	}
}

/* The most taps that a phase meets, times the channels. */
static int64_t most_k(const struct mt_cuda_conv_product *p) {
	int64_t k = p->k_extent[0];
	for (int d = 0; d < 3; d++)
		k *= pieces(p->phase[d].taps, p->phase[d].step);
	return k;
}

void mt__cuda_conv_product(struct mt_cuda_conv_product *p, enum mt_cuda_conv_pass pass,
                           const struct mt_cuda_conv_geometry *g, int ones) {
	*p = (struct mt_cuda_conv_product){.groups = g->groups, .phases = 1};
	switch (pass) {
	case MT_CUDA_CONV_FORWARD:
		forward(p, g);
		break;
	case MT_CUDA_CONV_GRAD_INPUT:
		grad_input(p, g);
		break;
	case MT_CUDA_CONV_GRAD_WEIGHT:
		grad_weight(p, g);
		p->ones = ones;
		break;
	}
	p->n = volume(p->n_extent) + p->ones;
	p->k = p->phases > 1 ? most_k(p) : volume(p->k_extent);
}

void mt__cuda_conv_product_of_bias(struct mt_cuda_conv_product *p, const struct mt_cuda_conv_geometry *g) {
	mt__cuda_conv_product(p, MT_CUDA_CONV_GRAD_WEIGHT, g, 1);
	p->n_extent[0] = 0;
	p->n = 1;
}

/* ---- tile and split ---- */

static const struct {
	int64_t m, n, blocks;
} tiles[] = {
#define TILE(NAME, m, n, blocks) {m, n, blocks},
	MT_CUDA_CONV_TILES(TILE)
#undef TILE
};

/* Multiply-adds of whole tiles, and how much slower than LARGE a tile does them: with fewer in registers for each value
 * from shared memory. */
static double cost(const struct mt_cuda_conv_product *p, enum mt_cuda_conv_tile tile) {
	static const double slowness[] = {[MT_CUDA_CONV_LARGE] = 1, [MT_CUDA_CONV_MEDIUM] = 1.25};
	double m = (double)(pieces(p->m, tiles[tile].m) * tiles[tile].m);
	double n = (double)(pieces(p->n, tiles[tile].n) * tiles[tile].n);
	return m * n * slowness[tile];
}

/* Whether there are enough LARGE tiles, or long enough sums, to keep a GPU busy. */
static int is_large(const struct mt_cuda_conv_product *p) {
	double blocks = (double)pieces(p->m, tiles[MT_CUDA_CONV_LARGE].m) *
	                (double)pieces(p->n, tiles[MT_CUDA_CONV_LARGE].n) * (double)p->groups * (double)p->phases;
	return blocks * (double)pieces(p->k, 2 * MT_CUDA_CONV_LEAST_SPLIT) >= (double)tiles[MT_CUDA_CONV_LARGE].blocks &&
	       cost(p, MT_CUDA_CONV_LARGE) < cost(p, MT_CUDA_CONV_MEDIUM);
}

static enum mt_cuda_conv_tile choose_tile(const struct mt_cuda_conv_product *p, int32_t dtype, int tensor,
                                          int along_k) {
	int few = p->m <= 2 * tiles[MT_CUDA_CONV_SMALL].m;
	if (dtype == MT_F64)
		return MT_CUDA_CONV_MEDIUM;
	if (along_k && (p->m <= tiles[MT_CUDA_CONV_SMALL].m || p->n <= tiles[MT_CUDA_CONV_SMALL].n))
		return MT_CUDA_CONV_SMALL;
	if (!along_k && few)
		return MT_CUDA_CONV_WIDE;
	if (tensor)
		return MT_CUDA_CONV_TENSOR;
	return dtype == MT_F32 && is_large(p) ? MT_CUDA_CONV_LARGE : MT_CUDA_CONV_MEDIUM;
}

/* Tiles, and parts of k: as many as make enough blocks, as far as each is long enough, and none too long. */
static void lay_out(struct mt_cuda_conv_plan *plan, const struct mt_cuda_conv_product *p, enum mt_cuda_conv_tile tile) {
	plan->tile = tile;
	plan->m_tiles = pieces(p->m, tiles[tile].m);
	plan->n_tiles = pieces(p->n, tiles[tile].n);
	int64_t products = plan->m_tiles * plan->n_tiles * p->groups * p->phases;
	int64_t splits = least(tiles[tile].blocks / products, p->k / MT_CUDA_CONV_LEAST_SPLIT);
	int64_t fewest = pieces(p->k, MT_CUDA_CONV_MOST_SPLIT);
	if (splits < fewest)
		splits = fewest;
	plan->split = pieces(pieces(p->k, splits > 1 ? splits : 1), MT_CUDA_CONV_DEPTH) * MT_CUDA_CONV_DEPTH;
	plan->splits = p->k > plan->split ? pieces(p->k, plan->split) : 1;
	plan->tiles = products * plan->splits;
	plan->row = pieces(p->n, 4) * 4;
}

static int size_of(int32_t dtype) {
	return dtype == MT_F64 ? 8 : dtype == MT_F32 ? 4 : 2;
}

/* Columns of n are neighbours in y where the spatial dims are dense and hold a multiple of four. */
static int stores_four(const struct mt_cuda_conv_product *p, int32_t dtype, const void *y) {
	int64_t dense = 1;
	for (int d = 3; d > 0; d--) {
		if (p->n_extent[d] != 1 && p->y_n[d] != dense)
			return 0;
		dense *= p->n_extent[d];
	}
	return p->phases == 1 && !p->ones && dense % 4 == 0 && p->y_m % 4 == 0 && p->y_n[0] % 4 == 0 &&
	       p->y_group % 4 == 0 && (uintptr_t)y % (uintptr_t)(4 * size_of(dtype)) == 0;
}

/* ---- index width ---- */

/* How far offsets get from the first of extent elements to the last. */
static double reach(int64_t extent, int64_t stride) {
	return (double)(extent > 0 ? extent - 1 : 0) * fabs((double)stride);
}

/* How far coordinates in dim d are from 0, those outside b too. */
static double coordinate_reach(const struct mt_cuda_conv_product *p, int d) {
	const struct mt_cuda_conv_phases *phases = &p->phase[d];
	double far = reach(p->n_extent[d + 1], p->n_step[d]) + fabs((double)p->start[d]);
	if (p->phases > 1)
		return far + (double)(phases->stride + phases->pad) + (double)phases->taps * (double)phases->dilation;
	return far + reach(p->k_extent[d + 1], p->k_step[d]);
}

/* How far offsets get in a, b and y; those of a tile's rows past the last one too, which are calculated. */
static double farthest(const struct mt_cuda_conv_product *p, const struct mt_cuda_conv_plan *plan) {
	int64_t rows = plan->m_tiles * tiles[plan->tile].m;
	double a = fabs((double)p->a_first) + reach(rows, p->a_m) + reach(p->k_extent[0], p->a_k[0]) +
	           reach(p->groups, p->a_group);
	double b = reach(p->n_extent[0], p->b_n) + reach(p->k_extent[0], p->b_k) + reach(p->groups, p->b_group);
	double y = reach(rows, p->y_m) + reach(p->n_extent[0] + 1, p->y_n[0]);
	for (int d = 0; d < 3; d++) {
		const struct mt_cuda_conv_phases *phases = &p->phase[d];
		a += p->phases > 1 ? reach(phases->taps, phases->a_tap) : reach(p->k_extent[d + 1], p->a_k[d + 1]);
		b += coordinate_reach(p, d) * fabs((double)p->b_space[d]);
		y += reach(p->n_extent[d + 1] + 1, p->y_n[d + 1]);
	}
	return fmax(a, fmax(b, y));
}

/* The largest of the strides: one of a dim of extent 1 may be anything. */
static double largest_stride(const struct mt_cuda_conv_product *p) {
	double largest = fmax(fabs((double)p->a_m), fabs((double)p->y_m));
	largest = fmax(largest, fmax(fabs((double)p->a_group), fabs((double)p->b_group)));
	largest = fmax(largest, fmax(fabs((double)p->b_n), fabs((double)p->b_k)));
	for (int i = 0; i < 4; i++)
		largest = fmax(largest, fmax(fabs((double)p->a_k[i]), fabs((double)p->y_n[i])));
	for (int d = 0; d < 3; d++)
		largest = fmax(largest, fabs((double)p->b_space[d]));
	return largest;
}

/* Half of what 32 bits hold, so that sums of two coordinates, or of a tile and the grid's size, fit too. */
static int is_narrow(const struct mt_cuda_conv_product *p, const struct mt_cuda_conv_plan *plan) {
	const double most = 1 << 30;
	double sums = (double)p->groups * (double)p->phases * (double)p->m * (double)plan->row;
	int narrow = farthest(p, plan) < most && largest_stride(p) < most && (double)plan->tiles < most &&
	             (double)p->k < most && sums < most;
	for (int d = 0; d < 3; d++)
		narrow = narrow && coordinate_reach(p, d) < most && (double)p->b_limit[d] < most;
	return narrow;
}

/* ---- the plan ---- */

/* Along n or along k: the distance in b from one element to the next, and how many lie at that distance. */
struct run {
	int64_t step, length;
};

static struct run run_of(const int64_t extent[4], const int64_t step[3], const int64_t space[3], int64_t outer,
                         int outer_first) {
	struct run r = {INT64_MAX, 0};
	for (int d = 3; d > 0 && r.length == 0 && !(outer_first && extent[0] > 1); d--)
		if (extent[d] > 1)
			r = (struct run){llabs(step[d - 1] * space[d - 1]), extent[d]};
	return r.length > 0 || extent[0] <= 1 ? r : (struct run){llabs(outer), extent[0]};
}

static int reads_along_k(const struct mt_cuda_conv_product *p) {
	struct run n = run_of(p->n_extent, p->n_step, p->b_space, p->b_n, 0);
	struct run k = run_of(p->k_extent, p->k_step, p->b_space, p->b_k, p->channels_inside);
	return k.step != n.step ? k.step < n.step : k.length > n.length;
}

void mt__cuda_conv_plan(struct mt_cuda_conv_plan *plan, const struct mt_cuda_conv_product *p, int32_t dtype, int tensor,
                        int parted, const void *y) {
	*plan = (struct mt_cuda_conv_plan){.along_k = reads_along_k(p)};
	lay_out(plan, p, choose_tile(p, dtype, tensor, plan->along_k));
	plan->narrow = is_narrow(p, plan);
	if (!plan->narrow) /* the tile that has kernels with wide indices, which read along n */
		lay_out(plan, p, MT_CUDA_CONV_MEDIUM);
	if (plan->tile == MT_CUDA_CONV_WIDE || !plan->narrow)
		plan->along_k = 0;
	plan->four = stores_four(p, dtype, y);
	plan->parted = parted || plan->splits > 1;
	if (plan->parted)
		plan->scratch = (uint64_t)(plan->splits * p->groups * p->phases * p->m * plan->row) * (dtype == MT_F64 ? 8 : 4);
}

/* ---- cuDNN ---- */

/* Whether strides are those of a dense array whose dims, outermost first, are in this order. */
static int is_dense(const int64_t shape[5], const int64_t stride[5], const int order[5]) {
	int64_t dense = 1;
	for (int i = 4; i >= 0; i--) {
		int d = order[i];
		if (shape[d] != 1 && stride[d] != dense)
			return 0;
		dense *= shape[d];
	}
	return 1;
}

static void shapes(const struct mt_cuda_conv_geometry *g, int64_t x[5], int64_t weight[5], int64_t out[5]) {
	x[0] = out[0] = g->images;
	x[1] = g->groups * g->in_channels;
	out[1] = weight[0] = g->groups * g->out_channels;
	weight[1] = g->in_channels;
	for (int d = 0; d < 3; d++) {
		x[d + 2] = g->in[d];
		weight[d + 2] = g->kernel[d];
		out[d + 2] = g->out[d];
	}
}

enum mt_cuda_conv_layout mt__cuda_conv_layout(const struct mt_cuda_conv_geometry *g) {
	static const int first[5] = {0, 1, 2, 3, 4}, last[5] = {0, 2, 3, 4, 1};
	int64_t x[5], weight[5], out[5];
	shapes(g, x, weight, out);
	if (is_dense(x, g->x_stride, first) && is_dense(weight, g->weight_stride, first) &&
	    is_dense(out, g->out_stride, first))
		return MT_CUDA_CONV_CHANNELS_FIRST;
	if (is_dense(x, g->x_stride, last) && is_dense(weight, g->weight_stride, last) &&
	    is_dense(out, g->out_stride, last))
		return MT_CUDA_CONV_CHANNELS_LAST;
	return MT_CUDA_CONV_OTHER_LAYOUT;
}

static double elements(const int64_t shape[5]) {
	double count = 1;
	for (int d = 0; d < 5; d++)
		count *= (double)shape[d];
	return count;
}

const char *mt__cuda_conv_inexpressible(const struct mt_cuda_conv_geometry *g) {
	int64_t x[5], weight[5], out[5];
	shapes(g, x, weight, out);
	if (!(elements(x) > 0 && elements(weight) > 0 && elements(out) > 0))
		return "an array is empty";
	if (!(elements(x) <= INT32_MAX && elements(weight) <= INT32_MAX && elements(out) <= INT32_MAX))
		return "an array has more than 2^31 - 1 elements";
	if (mt__cuda_conv_layout(g) == MT_CUDA_CONV_OTHER_LAYOUT)
		return "the arrays are not all dense in one order of dims";
	for (int d = 0; d < 3; d++) {
		int64_t room = g->in[d] + 2 * g->pad[d] - g->dilation[d] * (g->kernel[d] - 1) - 1;
		if (room < 0 || room / g->stride[d] + 1 != g->out[d])
			return "the output's extents are not those of equal padding on both sides";
	}
	return NULL;
}

int mt__cuda_conv_library_pays(const struct mt_cuda_conv_geometry *g) {
	int64_t channels = least(g->in_channels, g->out_channels) * g->groups;
	return channels >= MT_CUDA_CONV_LIBRARY_CHANNELS && mt__cuda_conv_products(g) >= MT_CUDA_CONV_LIBRARY_PRODUCTS;
}
