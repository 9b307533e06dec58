/* Suite ops: pooling and its gradients. */
#include <inttypes.h>
#include <stdio.h>

#include "bench/ops.h"

struct pool_row {
	const char *name;
	int64_t images, channels, side;
	int kernel, stride, padding;
};

static const struct pool_row rows[] = {
	{"lenet", 64, 6, 28, 2, 2, 0},
	{"resnet", 4, 64, 112, 3, 2, 1},
	{"large", 16, 256, 56, 2, 2, 0},
};

static int64_t out_side(const struct pool_row *r) {
	return (r->side + 2 * r->padding - r->kernel) / r->stride + 1;
}

static void make_forward(struct ops_state *s) {
	const struct pool_row *r = &rows[s->c->n[0]];
	s->in[0] = ops_randn(s, MT_SHAPE(r->images, r->channels, r->side, r->side));
}

static mt_tensor *pool(const struct ops_state *s, int average) {
	const struct pool_row *r = &rows[s->c->n[0]];
	mt_pool_options o = {
		.kernel = {r->kernel, r->kernel}, .stride = {r->stride, r->stride}, .padding = {r->padding, r->padding}};
	return average ? mt_avg_pool2d(s->in[0], o) : mt_max_pool2d(s->in[0], o);
}

static void make_recorded(struct ops_state *s, int average) {
	const struct pool_row *r = &rows[s->c->n[0]];
	make_forward(s);
	s->in[0] = mt_requires_grad_(s->in[0], 1);
	s->in[1] = pool(s, average);
	s->in[2] = ops_randn(s, MT_SHAPE(r->images, r->channels, out_side(r), out_side(r)));
}

static void make_max_gradient(struct ops_state *s) {
	make_recorded(s, 0);
}
static void make_average_gradient(struct ops_state *s) {
	make_recorded(s, 1);
}
static mt_tensor *run_max(struct ops_state *s) {
	return pool(s, 0);
}
static mt_tensor *run_average(struct ops_state *s) {
	return pool(s, 1);
}
static mt_tensor *run_gradient(struct ops_state *s) {
	return ops_gradient(s->in[1], s->in[0], s->in[2]);
}

static const struct {
	const char *op;
	struct ops_kind kind;
	int is_gradient;
} ops[] = {
	{"max_pool", {make_forward, run_max}, 0},
	{"max_pool_gradient", {make_max_gradient, run_gradient}, 1},
	{"avg_pool", {make_forward, run_average}, 0},
	{"avg_pool_gradient", {make_average_gradient, run_gradient}, 1},
};

int ops_add_pool(struct bench_cases *cases) {
	for (size_t op = 0; op < sizeof ops / sizeof *ops; op++)
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
			const struct pool_row *r = &rows[i];
			const int64_t n[BENCH_EXTENTS] = {(int64_t)i};
			double planes = (double)(r->images * r->channels), out = planes * (double)(out_side(r) * out_side(r));
			double in = planes * (double)(r->side * r->side);
			char size[64];
			/* Stride and padding where they are not the window's and 0. */
			int used = snprintf(size, sizeof size, "%s,n=%" PRId64 ",c=%" PRId64 ",s=%" PRId64 ",k=%d", r->name,
			                    r->images, r->channels, r->side, r->kernel);
			if (r->stride != r->kernel || r->padding != 0)
				snprintf(size + used, sizeof size - (size_t)used, ",st=%d,p=%d", r->stride, r->padding);
			struct ops_work work = {0, in + out, 2 * out * r->kernel * r->kernel + in};
			if (ops_add(cases, ops[op].op, size, MT_F32, n, work, ops_element_tolerance(MT_F32), &ops[op].kind) != 0)
				return -1;
		}
	return 0;
}
