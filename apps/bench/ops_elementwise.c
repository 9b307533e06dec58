/* Suite ops: one element at a time: maps, zips, broadcasts, copies, random numbers, in caches and far beyond them. */
#include <inttypes.h>
#include <stdio.h>

#include "bench/ops.h"

/* n: rows, columns */
static mt_tensor *matrix(struct ops_state *s) {
	return ops_randn(s, MT_SHAPE(s->c->n[0], s->c->n[1]));
}

static void make_one(struct ops_state *s) {
	s->in[0] = matrix(s);
}
static void make_two(struct ops_state *s) {
	s->in[0] = matrix(s);
	s->in[1] = matrix(s);
}
static void make_row(struct ops_state *s) {
	s->in[0] = matrix(s);
	s->in[1] = ops_randn(s, MT_SHAPE(s->c->n[1]));
}
static void make_column(struct ops_state *s) {
	s->in[0] = matrix(s);
	s->in[1] = ops_randn(s, MT_SHAPE(s->c->n[0], 1));
}
static void make_transposed(struct ops_state *s) {
	s->in[0] = matrix(s);
	s->in[1] = mt_transpose(ops_randn(s, MT_SHAPE(s->c->n[1], s->c->n[0])), 0, 1);
}
static void make_turned(struct ops_state *s) {
	s->in[0] = mt_transpose(ops_randn(s, MT_SHAPE(s->c->n[1], s->c->n[0])), 0, 1);
}
static void make_relu_gradient(struct ops_state *s) {
	s->in[0] = mt_requires_grad_(matrix(s), 1);
	s->in[1] = mt_relu(s->in[0]);
	s->in[2] = matrix(s);
}
static void make_none(struct ops_state *s) {
	s->in[0] = mt_empty(MT_SHAPE(1), s->c->dtype);
}

static mt_tensor *run_copy(struct ops_state *s) {
	return mt_clone(s->in[0]);
}
static mt_tensor *run_cast(struct ops_state *s) {
	return mt_cast(s->in[0], MT_F16);
}
static mt_tensor *run_relu(struct ops_state *s) {
	return mt_relu(s->in[0]);
}
static mt_tensor *run_exp(struct ops_state *s) {
	return mt_exp(s->in[0]);
}
static mt_tensor *run_tanh(struct ops_state *s) {
	return mt_tanh(s->in[0]);
}
static mt_tensor *run_gelu(struct ops_state *s) {
	return mt_gelu(s->in[0]);
}
static mt_tensor *run_scale(struct ops_state *s) {
	return mt_mul_scalar(s->in[0], mt_f(0.5));
}
static mt_tensor *run_add(struct ops_state *s) {
	return mt_add(s->in[0], s->in[1]);
}
static mt_tensor *run_mul(struct ops_state *s) {
	return mt_mul(s->in[0], s->in[1]);
}
static mt_tensor *run_where(struct ops_state *s) {
	return mt_where(s->in[0], s->in[0], s->in[1]);
}
static mt_tensor *run_gradient(struct ops_state *s) {
	return ops_gradient(s->in[1], s->in[0], s->in[2]);
}
static mt_tensor *run_rand(struct ops_state *s) {
	return mt_rand(MT_SHAPE(s->c->n[0], s->c->n[1]), s->c->dtype);
}
static mt_tensor *run_randn(struct ops_state *s) {
	return mt_randn(MT_SHAPE(s->c->n[0], s->c->n[1]), s->c->dtype);
}

static const struct {
	const char *op;
	double traffic; /* elements read or written for each of the output */
	double cost;    /* the reference's operations for each */
	int half;       /* also in bf16 */
	struct ops_kind kind;
} rows[] = {
	{"copy", 2, 1, 1, {make_one, run_copy}},
	{"transpose", 2, 4, 1, {make_turned, run_copy}},
	{"cast_f16", 1.5, 4, 0, {make_one, run_cast}},
	{"scale", 2, 2, 0, {make_one, run_scale}},
	{"relu", 2, 2, 1, {make_one, run_relu}},
	{"exp", 2, 10, 0, {make_one, run_exp}},
	{"tanh", 2, 30, 0, {make_one, run_tanh}},
	{"gelu", 2, 30, 1, {make_one, run_gelu}},
	{"add", 3, 2, 1, {make_two, run_add}},
	{"mul", 3, 2, 0, {make_two, run_mul}},
	{"add_row", 2, 2, 0, {make_row, run_add}},
	{"add_column", 2, 2, 0, {make_column, run_add}},
	{"add_transposed", 3, 4, 0, {make_transposed, run_add}},
	{"where", 3, 4, 0, {make_two, run_where}},
	{"relu_gradient", 3, 3, 0, {make_relu_gradient, run_gradient}},
	{"rand", 1, 10, 0, {make_none, run_rand}},
	{"randn", 1, 40, 0, {make_none, run_randn}},
};

/* 16 KiB of f32: the first cache; 1 MiB: the second; 64 MiB: memory. */
static const int64_t sides[] = {64, 512, 4096};

int ops_add_elementwise(struct bench_cases *cases) {
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (int half = 0; half <= rows[i].half; half++)
			for (size_t k = 0; k < sizeof sides / sizeof *sides; k++) {
				const int64_t n[BENCH_EXTENTS] = {sides[k], sides[k]};
				double elements = (double)sides[k] * (double)sides[k];
				mt_dtype dtype = half ? MT_BF16 : MT_F32;
				struct ops_work work = {0, rows[i].traffic * elements, rows[i].cost * elements};
				char size[64];
				snprintf(size, sizeof size, "%" PRId64 "x%" PRId64, n[0], n[1]);
				/* Casting to f16 rounds the same everywhere: one of its steps would be wrong. */
				if (ops_add(cases, rows[i].op, size, dtype, n, work, ops_element_tolerance(dtype), &rows[i].kind) != 0)
					return -1;
			}
	return 0;
}
