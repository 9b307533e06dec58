/* Suite ops: matrix products. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/ops.h"

/* n: batch (0: none), m, k, n */

/* Normal numbers, [batch,] rows, columns; turned: a view of what lies in memory as its transpose. */
static mt_tensor *matrix(struct ops_state *s, int64_t rows, int64_t columns, int turned) {
	int64_t batch = s->c->n[0];
	const int64_t shape[] = {batch, turned ? columns : rows, turned ? rows : columns};
	int plain = batch > 0 ? 0 : 1;
	mt_tensor *x = ops_randn(s, 3 - plain, shape + plain);
	return turned ? mt_transpose(x, -2, -1) : x;
}

static void make(struct ops_state *s, int turned_a, int turned_b) {
	const int64_t *n = s->c->n;
	s->in[0] = matrix(s, n[1], n[2], turned_a);
	s->in[1] = matrix(s, n[2], n[3], turned_b);
}

static void make_plain(struct ops_state *s) {
	make(s, 0, 0);
}
static void make_nt(struct ops_state *s) {
	make(s, 0, 1);
}
static void make_tn(struct ops_state *s) {
	make(s, 1, 0);
}
static void make_tt(struct ops_state *s) {
	make(s, 1, 1);
}

/* y = relu(x wᵀ + b), as a layer has it */
static void make_linear(struct ops_state *s) {
	const int64_t *n = s->c->n;
	s->in[0] = ops_randn(s, MT_SHAPE(n[1], n[2]));
	s->in[1] = ops_randn(s, MT_SHAPE(n[3], n[2]));
	s->in[2] = ops_randn(s, MT_SHAPE(n[3]));
}

static mt_tensor *run_matmul(struct ops_state *s) {
	return mt_matmul(s->in[0], s->in[1]);
}

static mt_tensor *run_linear(struct ops_state *s) {
	return mt_relu(mt_linear(s->in[0], s->in[1], s->in[2]));
}

static const struct ops_kind plain = {make_plain, run_matmul}, nt = {make_nt, run_matmul}, tn = {make_tn, run_matmul},
							 tt = {make_tt, run_matmul}, linear = {make_linear, run_linear};

static const struct {
	const char *op;
	mt_dtype dtype;
	int64_t batch, m, k, n;
	const struct ops_kind *kind;
} rows[] = {
	{"matmul", MT_F32, 0, 16, 16, 16, &plain},
	{"matmul", MT_F32, 0, 32, 32, 32, &plain},
	{"matmul", MT_F32, 0, 64, 64, 64, &plain},
	{"matmul", MT_F32, 0, 128, 128, 128, &plain},
	{"matmul", MT_F32, 0, 256, 256, 256, &plain},
	{"matmul", MT_F32, 0, 512, 512, 512, &plain},
	{"matmul", MT_F32, 0, 1024, 1024, 1024, &plain},
	{"matmul", MT_F32, 0, 2048, 2048, 2048, &plain},
	{"matmul", MT_F32, 0, 4096, 4096, 4096, &plain},
	{"matmul", MT_F64, 0, 64, 64, 64, &plain},
	{"matmul", MT_F64, 0, 256, 256, 256, &plain},
	{"matmul", MT_F64, 0, 1024, 1024, 1024, &plain},
	{"matmul", MT_F64, 0, 4096, 4096, 4096, &plain},
	{"matmul", MT_F16, 0, 256, 256, 256, &plain},
	{"matmul", MT_F16, 0, 1024, 1024, 1024, &plain},
	{"matmul", MT_BF16, 0, 256, 256, 256, &plain},
	{"matmul", MT_BF16, 0, 1024, 1024, 1024, &plain},
	{"matmul", MT_BF16, 0, 4096, 4096, 4096, &plain},
	{"matmul_nt", MT_F32, 0, 64, 64, 64, &nt},
	{"matmul_nt", MT_F32, 0, 512, 512, 512, &nt},
	{"matmul_nt", MT_F32, 0, 4096, 4096, 4096, &nt},
	{"matmul_tn", MT_F32, 0, 64, 64, 64, &tn},
	{"matmul_tn", MT_F32, 0, 512, 512, 512, &tn},
	{"matmul_skinny", MT_F32, 0, 1, 4096, 4096, &plain},
	{"matmul_skinny", MT_F32, 0, 4096, 4096, 1, &plain},
	{"matmul_skinny", MT_F32, 0, 16, 1024, 1024, &plain},
	{"matmul_skinny", MT_F32, 0, 4096, 64, 64, &plain},
	{"matmul_skinny", MT_F32, 0, 64, 4096, 64, &plain},
	{"matmul_batched", MT_F32, 2, 64, 64, 64, &plain},
	{"matmul_batched", MT_F32, 512, 16, 16, 16, &plain},
	{"matmul_batched", MT_F32, 96, 128, 64, 128, &plain},
	{"matmul_batched", MT_F32, 8, 512, 512, 512, &plain},
	{"linear_relu", MT_F32, 0, 64, 400, 120, &linear},
	{"linear_relu", MT_F32, 0, 512, 256, 1024, &linear},
};

static int add(struct bench_cases *cases, const char *op, const char *name, mt_dtype dtype, const int64_t *n,
               const struct ops_kind *kind) {
	double batch = n[0] > 0 ? (double)n[0] : 1, m = (double)n[1], k = (double)n[2], columns = (double)n[3];
	char size[64], front[24] = "";
	if (n[0] > 0)
		snprintf(front, sizeof front, "b=%" PRId64 ",", n[0]);
	snprintf(size, sizeof size, "%s%s%sm=%" PRId64 ",k=%" PRId64 ",n=%" PRId64, name, name[0] != '\0' ? "," : "", front,
	         n[1], n[2], n[3]);
	/* Memory is the limit where one side is a vector. */
	double elements = n[1] == 1 || n[3] == 1 ? m * k + k * columns + m * columns : 0;
	struct ops_work work = {2 * batch * m * k * columns, elements, 0};
	return ops_add(cases, op, size, dtype, n, work, ops_sum_tolerance(dtype), kind);
}

int ops_add_product(struct bench_cases *cases, const char *op, const char *name, mt_dtype dtype, const int64_t *n) {
	static const struct {
		const char *end;
		const struct ops_kind *kind;
	} kinds[] = {{"_nt", &nt}, {"_tn", &tn}, {"_tt", &tt}};
	const struct ops_kind *kind = &plain;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strlen(op) > 3 && strcmp(op + strlen(op) - 3, kinds[i].end) == 0)
			kind = kinds[i].kind;
	return add(cases, op, name, dtype, n, kind);
}

int ops_add_matmul(struct bench_cases *cases) {
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const int64_t n[BENCH_EXTENTS] = {rows[i].batch, rows[i].m, rows[i].k, rows[i].n};
		if (add(cases, rows[i].op, "", rows[i].dtype, n, rows[i].kind) != 0)
			return -1;
	}
	return 0;
}
