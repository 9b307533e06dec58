/* Depthwise convolution: groups of one channel in and one out, square kernels of 3 or 5 taps, steps of 1 or 2.
 *
 * The input gradient of step 1 is the forward sweep over gout with the weights turned round and the padding that is left,
 * K − 1 − pad.  A weight's sum goes through the images in order, in vectors of columns that are added up at the end. */
#include "conv_depthwise_tile.h"

#include "activate.h"
#include "conv.h"
#include "parallel.h"

bool mt__conv_depthwise_fit(const struct mt__conv *c) {
	bool shape = c->in_channels == 1 && c->out_channels == 1 && c->in[0] == 1 && c->extent[0] == 1 &&
	             c->kernel[0] == 1 && c->pad[0] == 0 && c->kernel[1] == c->kernel[2] &&
	             (c->kernel[2] == 3 || c->kernel[2] == 5) && c->step[1] == c->step[2] && c->step[2] <= 2 &&
	             c->dilation[1] == 1 && c->dilation[2] == 1;
	return c->dtype == MT_F32 && shape && c->x.stride[4] == 1 && c->out.stride[4] == 1;
}

/* The plane of one channel of one image, for forward and the weight gradient. */
static struct depthwise_plane plane_of(const struct mt__conv *c, int64_t image, int64_t channel) {
	return (struct depthwise_plane){
		.from = (const float *)c->x.data + image * c->x.stride[0] + channel * c->x.stride[1],
		.out = (float *)c->out.data + image * c->out.stride[0] + channel * c->out.stride[1],
		.from_row = c->x.stride[3],
		.out_row = c->out.stride[3],
		.from_extent = {c->in[1], c->in[2]},
		.out_extent = {c->extent[1], c->extent[2]},
		.pad = {c->pad[1], c->pad[2]},
	};
}

/* The same for the input gradient. */
static struct depthwise_plane gradient_plane_of(const struct mt__conv *c, int64_t image, int64_t channel) {
	struct depthwise_plane p = plane_of(c, image, channel);
	int64_t over = c->step[2] == 1 ? c->kernel[2] - 1 : 0;
	return (struct depthwise_plane){
		.from = p.out,
		.out = (float *)p.from,
		.from_row = p.out_row,
		.out_row = p.from_row,
		.from_extent = {c->extent[1], c->extent[2]},
		.out_extent = {c->in[1], c->in[2]},
		.pad = {over ? over - c->pad[1] : c->pad[1], over ? over - c->pad[2] : c->pad[2]},
	};
}

static void load_weights(const struct mt__conv *c, int64_t channel, bool turned, float *weight) {
	int64_t K = c->kernel[2];
	const float *from = (const float *)c->weight.data + channel * c->weight.stride[0];
	for (int64_t i = 0; i < K * K; i++)
		weight[turned ? K * K - 1 - i : i] = from[i / K * c->weight.stride[3] + i % K * c->weight.stride[4]];
}

MT_INLINE void sweep_plane(const int K, const struct depthwise_plane *p, int64_t step, bool backward) {
	int64_t column = 0, width = p->out_extent[1];
	if (step == 1) {
		for (; column + VL < width; column += 2 * VL)
			depthwise_columns(K, 2, p, column);
		if (column < width)
			depthwise_columns(K, 1, p, column);
	} else if (backward) {
		for (; 2 * column < width; column += VL)
			depthwise_columns_between(K, p, column);
	} else {
		for (; column < width; column += VL)
			depthwise_columns_by_two(K, p, column);
	}
}

static void sweep_plane_3(const struct depthwise_plane *p, int64_t step, bool backward) {
	sweep_plane(3, p, step, backward);
}

static void sweep_plane_5(const struct depthwise_plane *p, int64_t step, bool backward) {
	sweep_plane(5, p, step, backward);
}

static void sweep_one(const struct mt__conv *c, struct depthwise_plane *p, bool backward) {
	if (c->kernel[2] == 3)
		sweep_plane_3(p, c->step[2], backward);
	else
		sweep_plane_5(p, c->step[2], backward);
}

static void forward_one(const void *context, int64_t i, int thread) {
	const struct mt__conv *c = context;
	int64_t channel = i % c->groups;
	struct depthwise_plane p = plane_of(c, i / c->groups, channel);
	(void)thread;
	load_weights(c, channel, false, p.weight);
	p.bias = c->bias ? ((const float *)c->bias)[channel * c->bias_stride] : 0;
	p.relu = c->activation == MT_ACT_RELU;
	sweep_one(c, &p, false);
	if (c->activation > MT_ACT_RELU)
		mt__omp_activate(c->activation, MT_F32, p.out, p.out_extent[0], p.out_extent[1], p.out_row);
}

static void input_one(const void *context, int64_t i, int thread) {
	const struct mt__conv *c = context;
	struct depthwise_plane p = gradient_plane_of(c, i / c->groups, i % c->groups);
	(void)thread;
	load_weights(c, i % c->groups, c->step[2] == 1, p.weight);
	sweep_one(c, &p, true);
}

MT_INLINE void sum_channel(const int K, const struct mt__conv *c, int64_t channel) {
	vec_f32 sums[MAX_K * MAX_K];
	for (int i = 0; i < K * K; i++)
		sums[i] = (vec_f32){0};
	for (int64_t image = 0; image < c->images; image++) {
		struct depthwise_plane p = plane_of(c, image, channel);
		for (int64_t column = 0; column < c->extent[2]; column += VL)
			if (c->step[2] == 1)
				depthwise_weights(K, &p, column, sums);
			else
				depthwise_weights_by_two(K, &p, column, sums);
	}
	float *to = (float *)c->weight.data + channel * c->weight.stride[0];
	for (int i = 0; i < K * K; i++) {
		float total = 0;
		for (int lane = 0; lane < VL; lane++)
			total += sums[i][lane];
		to[i / K * c->weight.stride[3] + i % K * c->weight.stride[4]] = total;
	}
}

static void weight_one(const void *context, int64_t channel, int thread) {
	const struct mt__conv *c = context;
	(void)thread;
	if (c->kernel[2] == 3)
		sum_channel(3, c, channel);
	else
		sum_channel(5, c, channel);
}

static uint64_t scratch_bytes(const struct mt__conv *c, enum mt__conv_op op, int threads) {
	(void)c, (void)op, (void)threads;
	return 0;
}

static void run(const struct mt__conv *c, enum mt__conv_op op, void *scratch, int threads) {
	(void)scratch;
	if (op == MT__CONV_FORWARD) {
		mt__omp_each(threads, c->images * c->groups, forward_one, c);
	} else if (op == MT__CONV_GRAD_INPUT) {
		mt__omp_each(threads, c->images * c->groups, input_one, c);
	} else {
		mt__omp_each(threads, c->groups, weight_one, c);
		if (c->bias)
			mt__conv_grad_bias(c, threads);
	}
}

const struct mt__conv_method mt__conv_depthwise_method = {scratch_bytes, run};
