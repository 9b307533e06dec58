/* Suite ops: softmax, losses, normalisation, attention, a transformer's layer. */
#include <inttypes.h>
#include <stdio.h>

#include "bench/ops.h"

/* ---- over rows: n: rows, classes ---- */

static void make_rows(struct ops_state *s) {
	s->in[0] = ops_randn(s, MT_SHAPE(s->c->n[0], s->c->n[1]));
}
static void make_weighted(struct ops_state *s) {
	make_rows(s);
	s->in[1] = ops_randn(s, MT_SHAPE(s->c->n[1]));
	s->in[2] = ops_randn(s, MT_SHAPE(s->c->n[1]));
}
static void make_labelled(struct ops_state *s) {
	make_rows(s);
	s->in[1] = mt_randint(0, s->c->n[1], MT_SHAPE(s->c->n[0]));
}
static mt_tensor *run_softmax(struct ops_state *s) {
	return mt_softmax(s->in[0], 1);
}
static mt_tensor *run_log_softmax(struct ops_state *s) {
	return mt_log_softmax(s->in[0], 1);
}
static mt_tensor *run_cross_entropy(struct ops_state *s) {
	return mt_cross_entropy(s->in[0], s->in[1], MT_NONE, (mt_loss_options){0});
}
static mt_tensor *run_layer_norm(struct ops_state *s) {
	return mt_layer_norm(s->in[0], 1, s->in[1], s->in[2], 1e-5);
}
static mt_tensor *run_recorded(struct ops_state *s) {
	return ops_gradient(s->in[4], s->in[0], s->in[5]);
}

static void make_softmax_gradient(struct ops_state *s) {
	make_rows(s);
	s->in[4] = mt_softmax(mt_requires_grad_(s->in[0], 1), 1);
	s->in[5] = ops_randn(s, MT_SHAPE(s->c->n[0], s->c->n[1]));
}
static void make_cross_entropy_gradient(struct ops_state *s) {
	make_labelled(s);
	s->in[0] = mt_requires_grad_(s->in[0], 1);
	s->in[4] = run_cross_entropy(s);
	s->in[5] = mt_ones(MT_SHAPE0, s->c->dtype);
}
static void make_layer_norm_gradient(struct ops_state *s) {
	make_weighted(s);
	s->in[0] = mt_requires_grad_(s->in[0], 1);
	s->in[4] = run_layer_norm(s);
	s->in[5] = ops_randn(s, MT_SHAPE(s->c->n[0], s->c->n[1]));
}

/* ---- batch norm: n: images, channels, side ---- */

static mt_tensor *run_batch_norm(struct ops_state *s) {
	return mt_batch_norm(s->in[0], s->in[1], s->in[2], MT_NONE, MT_NONE, (mt_batch_norm_options){.training = 1});
}
static void make_images(struct ops_state *s) {
	const int64_t *n = s->c->n;
	s->in[0] = ops_randn(s, MT_SHAPE(n[0], n[1], n[2], n[2]));
	s->in[1] = ops_randn(s, MT_SHAPE(n[1]));
	s->in[2] = ops_randn(s, MT_SHAPE(n[1]));
}
static void make_batch_norm_gradient(struct ops_state *s) {
	const int64_t *n = s->c->n;
	make_images(s);
	s->in[0] = mt_requires_grad_(s->in[0], 1);
	s->in[4] = run_batch_norm(s);
	s->in[5] = ops_randn(s, MT_SHAPE(n[0], n[1], n[2], n[2]));
}

/* ---- attention and a layer: n: sequences, heads, length, width of a head ---- */

static void make_attention(struct ops_state *s) {
	const int64_t *n = s->c->n;
	for (int i = 0; i < 3; i++)
		s->in[i] = ops_randn(s, MT_SHAPE(n[0], n[1], n[2], n[3]));
}
static mt_tensor *run_attention(struct ops_state *s) {
	return mt_scaled_dot_product_attention(s->in[0], s->in[1], s->in[2], MT_NONE, (mt_attention_options){0});
}
static void make_layer(struct ops_state *s) {
	const int64_t *n = s->c->n;
	s->module = mt_nn_transformer_encoder_layer(n[1] * n[3], n[1], 4 * n[1] * n[3],
	                                            (mt_nn_transformer_options){.activation = MT_MAP_GELU});
	s->in[0] = ops_randn(s, MT_SHAPE(n[0], n[2], n[1] * n[3]));
}
static mt_tensor *run_layer(struct ops_state *s) {
	int was = mt_grad_enable(0);
	mt_tensor *y = mt_forward(s->module, s->in[0]);
	mt_grad_enable(was);
	return y;
}
static void make_layer_step(struct ops_state *s) {
	make_layer(s);
	s->in[0] = mt_requires_grad_(s->in[0], 1);
	s->in[1] = ops_randn(s, MT_SHAPE(s->c->n[0], s->c->n[2], s->c->n[1] * s->c->n[3]));
}
/* Forward and backward; what is compared is the gradient of the input. */
static mt_tensor *run_layer_step(struct ops_state *s) {
	mt_zero_grad(s->in[0]);
	mt_module_zero_grad(s->module);
	return mt_backward_from(mt_forward(s->module, s->in[0]), s->in[1], 0) == MT_OK ? mt_clone(mt_grad(s->in[0])) : NULL;
}

/* ---- the tables ---- */

static const int64_t classes[][2] = {{64, 10}, {512, 1000}, {4096, 1024}, {1024, 32000}};
static const int64_t features[][2] = {{128, 256}, {4096, 768}};
static const int64_t images[][3] = {{64, 24, 12}, {16, 64, 56}};
static const int64_t sequences[][4] = {{8, 4, 128, 64}, {4, 8, 512, 64}};

static const struct {
	const char *op;
	double traffic, cost; /* for each element of the input */
	struct ops_kind kind;
} over_classes[] =
	{
		{"softmax", 2, 15, {make_rows, run_softmax}},
		{"softmax_gradient", 3, 6, {make_softmax_gradient, run_recorded}},
		{"log_softmax", 2, 15, {make_rows, run_log_softmax}},
		{"cross_entropy", 1, 15, {make_labelled, run_cross_entropy}},
		{"cross_entropy_gradient", 2, 15, {make_cross_entropy_gradient, run_recorded}},
},
  over_features[] =
	  {
		  {"layer_norm", 2, 10, {make_weighted, run_layer_norm}},
		  {"layer_norm_gradient", 3, 15, {make_layer_norm_gradient, run_recorded}},
},
  over_images[] = {
	  {"batch_norm", 2, 10, {make_images, run_batch_norm}},
	  {"batch_norm_gradient", 3, 15, {make_batch_norm_gradient, run_recorded}},
};

static const struct ops_kind attention = {make_attention, run_attention}, layer = {make_layer, run_layer},
							 layer_step = {make_layer_step, run_layer_step};

#define COUNT(list) (sizeof(list) / sizeof *(list))

static int add_classes(struct bench_cases *cases) {
	char size[64];
	for (size_t op = 0; op < COUNT(over_classes); op++)
		for (size_t i = 0; i < COUNT(classes); i++) {
			const int64_t n[BENCH_EXTENTS] = {classes[i][0], classes[i][1]};
			double elements = (double)n[0] * (double)n[1];
			struct ops_work work = {0, over_classes[op].traffic * elements, over_classes[op].cost * elements};
			snprintf(size, sizeof size, "%" PRId64 "x%" PRId64, n[0], n[1]);
			if (ops_add(cases, over_classes[op].op, size, MT_F32, n, work, 1e-5, &over_classes[op].kind) != 0)
				return -1;
		}
	return 0;
}

static int add_norms(struct bench_cases *cases) {
	char size[64];
	for (size_t op = 0; op < COUNT(over_features); op++)
		for (size_t i = 0; i < COUNT(features); i++) {
			const int64_t n[BENCH_EXTENTS] = {features[i][0], features[i][1]};
			double elements = (double)n[0] * (double)n[1];
			struct ops_work work = {0, over_features[op].traffic * elements, over_features[op].cost * elements};
			snprintf(size, sizeof size, "%" PRId64 "x%" PRId64, n[0], n[1]);
			if (ops_add(cases, over_features[op].op, size, MT_F32, n, work, 1e-4, &over_features[op].kind) != 0)
				return -1;
		}
	for (size_t op = 0; op < COUNT(over_images); op++)
		for (size_t i = 0; i < COUNT(images); i++) {
			const int64_t n[BENCH_EXTENTS] = {images[i][0], images[i][1], images[i][2]};
			double elements = (double)(n[0] * n[1] * n[2] * n[2]);
			struct ops_work work = {0, over_images[op].traffic * elements, over_images[op].cost * elements};
			snprintf(size, sizeof size, "n=%" PRId64 ",c=%" PRId64 ",s=%" PRId64, n[0], n[1], n[2]);
			if (ops_add(cases, over_images[op].op, size, MT_F32, n, work, 1e-4, &over_images[op].kind) != 0)
				return -1;
		}
	return 0;
}

static int add_attention(struct bench_cases *cases) {
	static const struct {
		const char *op;
		const struct ops_kind *kind;
		double passes; /* a backward pass is two more */
		int projections;
	} ops[] = {
		{"attention", &attention, 1, 0}, {"transformer_layer", &layer, 1, 1}, {"transformer_step", &layer_step, 3, 1}};
	char size[64];
	for (size_t op = 0; op < COUNT(ops); op++)
		for (size_t i = 0; i < COUNT(sequences); i++) {
			const int64_t n[BENCH_EXTENTS] = {sequences[i][0], sequences[i][1], sequences[i][2], sequences[i][3]};
			double tokens = (double)(n[0] * n[2]), width = (double)(n[1] * n[3]), length = (double)n[2];
			/* Two products of length² · width; four of width², and two with the fourfold width. */
			double flops = 4 * tokens * length * width + (ops[op].projections ? 24 * tokens * width * width : 0);
			snprintf(size, sizeof size, "n=%" PRId64 ",h=%" PRId64 ",l=%" PRId64 ",e=%" PRId64, n[0], n[1], n[2], n[3]);
			if (ops_add(cases, ops[op].op, size, MT_F32, n, (struct ops_work){ops[op].passes * flops, 0, 0}, 5e-4,
			            ops[op].kind) != 0)
				return -1;
		}
	return 0;
}

int ops_add_nn(struct bench_cases *cases) {
	if (add_classes(cases) != 0 || add_norms(cases) != 0)
		return -1;
	return add_attention(cases);
}
