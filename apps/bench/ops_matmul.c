/* Suite ops: matrix products. */
#include <inttypes.h>
#include <stdio.h>

#include "bench/ops.h"

/* n: batch (0: none), m, k, n */
static void make_plain(struct ops_state *s) {
	const int64_t *n = s->c->n;
	int batched = n[0] > 0;
	const int64_t a[] = {n[0], n[1], n[2]}, b[] = {n[0], n[2], n[3]};
	s->in[0] = ops_randn(s, batched ? 3 : 2, a + !batched);
	s->in[1] = ops_randn(s, batched ? 3 : 2, b + !batched);
}

static void make_nt(struct ops_state *s) {
	const int64_t *n = s->c->n;
	s->in[0] = ops_randn(s, MT_SHAPE(n[1], n[2]));
	s->in[1] = mt_transpose(ops_randn(s, MT_SHAPE(n[3], n[2])), 0, 1);
}

static void make_tn(struct ops_state *s) {
	const int64_t *n = s->c->n;
	s->in[0] = mt_transpose(ops_randn(s, MT_SHAPE(n[2], n[1])), 0, 1);
	s->in[1] = ops_randn(s, MT_SHAPE(n[2], n[3]));
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
							 linear = {make_linear, run_linear};

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

int ops_add_matmul(struct bench_cases *cases) {
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const int64_t n[BENCH_EXTENTS] = {rows[i].batch, rows[i].m, rows[i].k, rows[i].n};
		double batch = n[0] > 0 ? (double)n[0] : 1, m = (double)n[1], k = (double)n[2], columns = (double)n[3];
		char size[64], front[24] = "";
		if (n[0] > 0)
			snprintf(front, sizeof front, "b=%" PRId64 ",", n[0]);
		snprintf(size, sizeof size, "%sm=%" PRId64 ",k=%" PRId64 ",n=%" PRId64, front, n[1], n[2], n[3]);
		/* Memory is the limit where one side is a vector. */
		double elements = n[1] == 1 || n[3] == 1 ? m * k + k * columns + m * columns : 0;
		struct ops_work work = {2 * batch * m * k * columns, elements, 0};
		if (ops_add(cases, rows[i].op, size, rows[i].dtype, n, work, ops_sum_tolerance(rows[i].dtype), rows[i].kind) !=
		    0)
			return -1;
	}
	return 0;
}
