/* Suite ops: convolutions with the shapes of LeNet, ResNet, MobileNet and text models, and both of their gradients. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/ops.h"

static const struct {
	const char *name; /* of the shape: a case's size begins with it */
	mt_dtype dtype;
	int64_t n[CONV_EXTENTS];
} rows[] = {
	{"lenet1", MT_F32, {64, 1, 28, 6, 5, 1, 2, 1, 2}},        {"lenet2", MT_F32, {64, 6, 14, 16, 5, 1, 0, 1, 2}},
	{"text", MT_F32, {50, 300, 56, 100, 3, 1, 0, 1, 1}},      {"depthwise", MT_F32, {8, 144, 28, 144, 3, 1, 1, 144, 2}},
	{"resnet1x1", MT_F32, {4, 256, 14, 1024, 1, 1, 0, 1, 2}}, {"resnet3x3/2", MT_F32, {4, 128, 28, 256, 3, 2, 1, 1, 2}},
	{"resnet3x3", MT_F32, {4, 64, 56, 64, 3, 1, 1, 1, 2}},    {"deep3x3", MT_F32, {4, 256, 14, 256, 3, 1, 1, 1, 2}},
	{"large3x3", MT_F32, {64, 128, 28, 128, 3, 1, 1, 1, 2}},  {"large3x3", MT_BF16, {64, 128, 28, 128, 3, 1, 1, 1, 2}},
};

static int64_t out_side(const int64_t *n) {
	return (n[CONV_SIDE] + 2 * n[CONV_PADDING] - n[CONV_KERNEL]) / n[CONV_STRIDE] + 1;
}

/* count for each spatial dim, multiplied. */
static int64_t over_space(const int64_t *n, int64_t count) {
	return n[CONV_SPATIAL] == 2 ? count * count : count;
}

static mt_tensor *convolve(const struct ops_state *s) {
	const int64_t *n = s->c->n;
	mt_conv_options o = {.stride = {n[CONV_STRIDE], n[CONV_STRIDE]},
	                     .padding = {n[CONV_PADDING], n[CONV_PADDING]},
	                     .groups = n[CONV_GROUPS]};
	return n[CONV_SPATIAL] == 1 ? mt_conv1d(s->in[0], s->in[1], s->in[2], o)
	                            : mt_conv2d(s->in[0], s->in[1], s->in[2], o);
}

static void make_forward(struct ops_state *s) {
	const int64_t *n = s->c->n;
	int rank = 2 + (int)n[CONV_SPATIAL];
	int64_t in = n[CONV_IN] / n[CONV_GROUPS];
	const int64_t x[] = {n[CONV_IMAGES], n[CONV_IN], n[CONV_SIDE], n[CONV_SIDE]};
	const int64_t w[] = {n[CONV_OUT], in, n[CONV_KERNEL], n[CONV_KERNEL]};
	s->in[0] = ops_randn(s, rank, x);
	/* As a layer's weights: the outputs are of the size of the inputs. */
	s->in[1] = mt_mul_scalar(ops_randn(s, rank, w), mt_f(1 / (double)(in * over_space(n, n[CONV_KERNEL]))));
	s->in[2] = ops_randn(s, MT_SHAPE(n[CONV_OUT]));
}

static void make_gradient(struct ops_state *s) {
	const int64_t *n = s->c->n;
	make_forward(s);
	int64_t side = out_side(n);
	const int64_t y[] = {n[CONV_IMAGES], n[CONV_OUT], side, side};
	/* A leaf: what was computed from others is none. */
	s->in[0] = mt_requires_grad_(s->in[0], 1);
	s->in[1] = mt_requires_grad_(mt_detach(s->in[1]), 1);
	s->in[2] = MT_NONE;
	s->in[3] = ops_randn(s, 2 + (int)n[CONV_SPATIAL], y);
	s->in[4] = convolve(s);
}

static mt_tensor *run_forward(struct ops_state *s) {
	return convolve(s);
}
static mt_tensor *run_input_gradient(struct ops_state *s) {
	return ops_gradient(s->in[4], s->in[0], s->in[3]);
}
static mt_tensor *run_weight_gradient(struct ops_state *s) {
	return ops_gradient(s->in[4], s->in[1], s->in[3]);
}

static const struct {
	const char *op;
	struct ops_kind kind;
} ops[] = {
	{"conv", {make_forward, run_forward}},
	{"conv_input_gradient", {make_gradient, run_input_gradient}},
	{"conv_weight_gradient", {make_gradient, run_weight_gradient}},
};

/* All that a peer needs to run the same: "resnet3x3/2,n=4,ci=128,co=256,s=28,k=3,st=2,p=1", l in place of s where there is
 * one spatial dim, and only what is not 1, 0 and 1 of stride, padding and groups. */
static void describe(const char *name, const int64_t *n, char *size, size_t room) {
	char stride[32] = "", padding[32] = "", groups[32] = "";
	if (n[CONV_STRIDE] != 1)
		snprintf(stride, sizeof stride, ",st=%" PRId64, n[CONV_STRIDE]);
	if (n[CONV_PADDING] != 0)
		snprintf(padding, sizeof padding, ",p=%" PRId64, n[CONV_PADDING]);
	if (n[CONV_GROUPS] != 1)
		snprintf(groups, sizeof groups, ",g=%" PRId64, n[CONV_GROUPS]);
	snprintf(size, room, "%s,n=%" PRId64 ",ci=%" PRId64 ",co=%" PRId64 ",%s=%" PRId64 ",k=%" PRId64 "%s%s%s", name,
	         n[CONV_IMAGES], n[CONV_IN], n[CONV_OUT], n[CONV_SPATIAL] == 1 ? "l" : "s", n[CONV_SIDE], n[CONV_KERNEL],
	         stride, padding, groups);
}

enum { OPS = sizeof ops / sizeof *ops };

static int add(struct bench_cases *cases, size_t op, const char *name, mt_dtype dtype, const int64_t *extents) {
	int64_t n[BENCH_EXTENTS] = {0};
	for (int i = 0; i < CONV_EXTENTS; i++)
		n[i] = extents[i];
	double inputs = (double)(n[CONV_IMAGES] * n[CONV_IN] * over_space(n, n[CONV_SIDE]));
	double outputs = (double)(n[CONV_IMAGES] * n[CONV_OUT] * over_space(n, out_side(n)));
	double window = (double)(n[CONV_IN] / n[CONV_GROUPS] * over_space(n, n[CONV_KERNEL]));
	struct ops_work work = {2 * outputs * window, n[CONV_GROUPS] > 1 ? inputs + outputs : 0, 0};
	/* Weight gradients sum over images and places: the sum grows with their number. */
	double tolerance = ops_sum_tolerance(dtype) * (strcmp(ops[op].op, "conv_weight_gradient") == 0 ? 5 : 1);
	char size[256];
	describe(name, n, size, sizeof size);
	return ops_add(cases, ops[op].op, size, dtype, n, work, tolerance, &ops[op].kind);
}

int ops_add_convolution(struct bench_cases *cases, const char *name, mt_dtype dtype, const int64_t *n) {
	for (size_t op = 0; op < OPS; op++)
		if (add(cases, op, name, dtype, n) != 0)
			return -1;
	return 0;
}

int ops_add_conv(struct bench_cases *cases) {
	for (size_t op = 0; op < OPS; op++)
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
			if (add(cases, op, rows[i].name, rows[i].dtype, rows[i].n) != 0)
				return -1;
	return 0;
}
