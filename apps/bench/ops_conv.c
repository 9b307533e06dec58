/* Suite ops: convolutions with the shapes of LeNet, ResNet, MobileNet and text models, and both of their gradients. */
#include <inttypes.h>
#include <stdio.h>

#include "bench/ops.h"

struct conv_row {
	const char *name; /* of the shape: a case's size begins with it */
	int64_t images, in, side, out;
	int kernel, stride, padding, groups, spatial;
	mt_dtype dtype;
};

static const struct conv_row rows[] = {
	{"lenet1", 64, 1, 28, 6, 5, 1, 2, 1, 2, MT_F32},        {"lenet2", 64, 6, 14, 16, 5, 1, 0, 1, 2, MT_F32},
	{"text", 50, 300, 56, 100, 3, 1, 0, 1, 1, MT_F32},      {"depthwise", 8, 144, 28, 144, 3, 1, 1, 144, 2, MT_F32},
	{"resnet1x1", 4, 256, 14, 1024, 1, 1, 0, 1, 2, MT_F32}, {"resnet3x3/2", 4, 128, 28, 256, 3, 2, 1, 1, 2, MT_F32},
	{"resnet3x3", 4, 64, 56, 64, 3, 1, 1, 1, 2, MT_F32},    {"deep3x3", 4, 256, 14, 256, 3, 1, 1, 1, 2, MT_F32},
	{"large3x3", 64, 128, 28, 128, 3, 1, 1, 1, 2, MT_F32},  {"large3x3", 64, 128, 28, 128, 3, 1, 1, 1, 2, MT_BF16},
};

static const struct conv_row *row_of(const struct ops_state *s) {
	return &rows[s->c->n[0]];
}

static int64_t out_side(const struct conv_row *r) {
	return (r->side + 2 * r->padding - r->kernel) / r->stride + 1;
}

static mt_tensor *convolve(const struct ops_state *s) {
	const struct conv_row *r = row_of(s);
	mt_conv_options o = {.stride = {r->stride, r->stride}, .padding = {r->padding, r->padding}, .groups = r->groups};
	return r->spatial == 1 ? mt_conv1d(s->in[0], s->in[1], s->in[2], o) : mt_conv2d(s->in[0], s->in[1], s->in[2], o);
}

static void make_forward(struct ops_state *s) {
	const struct conv_row *r = row_of(s);
	int rank = 2 + r->spatial;
	const int64_t x[] = {r->images, r->in, r->side, r->side}, w[] = {r->out, r->in / r->groups, r->kernel, r->kernel};
	s->in[0] = ops_randn(s, rank, x);
	/* As a layer's weights: the outputs are of the size of the inputs. */
	double fan = (double)(r->in / r->groups) * r->kernel * (r->spatial == 2 ? r->kernel : 1);
	s->in[1] = mt_mul_scalar(ops_randn(s, rank, w), mt_f(1 / fan));
	s->in[2] = ops_randn(s, MT_SHAPE(r->out));
}

static void make_gradient(struct ops_state *s) {
	const struct conv_row *r = row_of(s);
	make_forward(s);
	int64_t side = out_side(r);
	const int64_t y[] = {r->images, r->out, side, side};
	/* A leaf: what was computed from others is none. */
	s->in[0] = mt_requires_grad_(s->in[0], 1);
	s->in[1] = mt_requires_grad_(mt_detach(s->in[1]), 1);
	s->in[2] = MT_NONE;
	s->in[3] = ops_randn(s, 2 + r->spatial, y);
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

/* Weight gradients sum over images and places: the sum grows with their number. */
static double tolerance(size_t op, const struct conv_row *r) {
	return ops_sum_tolerance(r->dtype) * (op == 2 ? 5 : 1);
}

/* All that a peer needs to run the same: "resnet3x3/2,n=4,ci=128,co=256,s=28,k=3,st=2,p=1", l in place of s where there is
 * one spatial dim, and only what is not 1, 0 and 1 of stride, padding and groups. */
static void describe(const struct conv_row *r, char *size, size_t room) {
	char stride[16] = "", padding[16] = "", groups[16] = "";
	if (r->stride != 1)
		snprintf(stride, sizeof stride, ",st=%d", r->stride);
	if (r->padding != 0)
		snprintf(padding, sizeof padding, ",p=%d", r->padding);
	if (r->groups != 1)
		snprintf(groups, sizeof groups, ",g=%d", r->groups);
	snprintf(size, room, "%s,n=%" PRId64 ",ci=%" PRId64 ",co=%" PRId64 ",%s=%" PRId64 ",k=%d%s%s%s", r->name, r->images,
	         r->in, r->out, r->spatial == 1 ? "l" : "s", r->side, r->kernel, stride, padding, groups);
}

int ops_add_conv(struct bench_cases *cases) {
	for (size_t op = 0; op < sizeof ops / sizeof *ops; op++)
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
			const struct conv_row *r = &rows[i];
			const int64_t n[BENCH_EXTENTS] = {(int64_t)i};
			double places = (double)out_side(r), window = r->kernel;
			if (r->spatial == 2) {
				places *= places;
				window *= window;
			}
			double inputs = (double)(r->images * r->in) * (double)(r->spatial == 2 ? r->side * r->side : r->side);
			double outputs = (double)(r->images * r->out) * places;
			struct ops_work work = {2 * outputs * window * (double)(r->in / r->groups),
			                        r->groups > 1 ? inputs + outputs : 0, 0};
			char size[256];
			describe(r, size, sizeof size);
			if (ops_add(cases, ops[op].op, size, r->dtype, n, work, tolerance(op, r), &ops[op].kind) != 0)
				return -1;
		}
	return 0;
}
