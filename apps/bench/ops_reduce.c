/* Suite ops: reductions, scans, sorting, indices. */
#include <inttypes.h>
#include <stdio.h>

#include "bench/ops.h"

/* n: rows, columns; tables: rows, columns, indices */
static void make_matrix(struct ops_state *s) {
	s->in[0] = ops_randn(s, MT_SHAPE(s->c->n[0], s->c->n[1]));
}

static void make_table(struct ops_state *s) {
	make_matrix(s);
	s->in[1] = mt_randint(0, s->c->n[0], MT_SHAPE(s->c->n[2]));
}

static void make_table_gradient(struct ops_state *s) {
	make_table(s);
	s->in[2] = ops_randn(s, MT_SHAPE(s->c->n[2], s->c->n[1]));
	s->in[3] = mt_embedding(mt_requires_grad_(s->in[0], 1), s->in[1], -1);
}

static mt_tensor *run_sum(struct ops_state *s) {
	return mt_sum(s->in[0], MT_ALL_AXES, 0);
}
static mt_tensor *run_sum_rows(struct ops_state *s) {
	return mt_sum(s->in[0], MT_AXES(1), 0);
}
static mt_tensor *run_sum_columns(struct ops_state *s) {
	return mt_sum(s->in[0], MT_AXES(0), 0);
}
static mt_tensor *run_max_rows(struct ops_state *s) {
	return mt_max(s->in[0], MT_AXES(1), 0);
}
static mt_tensor *run_argmax_rows(struct ops_state *s) {
	return mt_argmax(s->in[0], 1, 0);
}
static mt_tensor *run_cumsum_rows(struct ops_state *s) {
	return mt_cumsum(s->in[0], 1);
}
static mt_tensor *run_sort_rows(struct ops_state *s) {
	return mt_sort(s->in[0], 1, 0, NULL);
}
static mt_tensor *run_embedding(struct ops_state *s) {
	return mt_embedding(s->in[0], s->in[1], -1);
}
static mt_tensor *run_embedding_gradient(struct ops_state *s) {
	return ops_gradient(s->in[3], s->in[0], s->in[2]);
}

static const struct {
	const char *op;
	double traffic, cost; /* for each element of the input */
	double tolerance;
	struct ops_kind kind;
} rows[] = {
	{"sum", 1, 2, 2e-3, {make_matrix, run_sum}},
	{"sum_rows", 1, 2, 2e-4, {make_matrix, run_sum_rows}},
	{"sum_columns", 1, 2, 2e-4, {make_matrix, run_sum_columns}},
	{"max_rows", 1, 2, 0, {make_matrix, run_max_rows}},
	{"argmax_rows", 1, 2, 0, {make_matrix, run_argmax_rows}},
	{"cumsum_rows", 2, 2, 5e-4, {make_matrix, run_cumsum_rows}},
};

static const int64_t sides[] = {64, 512, 4096};

/* Tables of words, as text models look them up: rows, columns, how many. */
static const int64_t tables[][3] = {{10000, 64, 512}, {50000, 300, 4096}, {32000, 1024, 8192}};

static int add_tables(struct bench_cases *cases) {
	static const struct ops_kind forward = {make_table, run_embedding},
								 gradient = {make_table_gradient, run_embedding_gradient};
	for (int is_gradient = 0; is_gradient <= 1; is_gradient++)
		for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
			const int64_t n[BENCH_EXTENTS] = {tables[i][0], tables[i][1], tables[i][2]};
			double taken = (double)n[1] * (double)n[2], all = (double)n[0] * (double)n[1];
			/* The gradient writes the whole table. */
			struct ops_work work = {0, is_gradient ? all + taken : 2 * taken, is_gradient ? 2 * all : taken};
			char size[64];
			snprintf(size, sizeof size, "%" PRId64 " of %" PRId64 "x%" PRId64, n[2], n[0], n[1]);
			if (ops_add(cases, is_gradient ? "embedding_gradient" : "embedding", size, MT_F32, n, work,
			            is_gradient ? 2e-6 : 0, is_gradient ? &gradient : &forward) != 0)
				return -1;
		}
	return 0;
}

int ops_add_reduce(struct bench_cases *cases) {
	static const struct ops_kind sort = {make_matrix, run_sort_rows};
	char size[64];
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (size_t k = 0; k < sizeof sides / sizeof *sides; k++) {
			const int64_t n[BENCH_EXTENTS] = {sides[k], sides[k]};
			double elements = (double)n[0] * (double)n[1];
			struct ops_work work = {0, rows[i].traffic * elements, rows[i].cost * elements};
			snprintf(size, sizeof size, "%" PRId64 "x%" PRId64, n[0], n[1]);
			if (ops_add(cases, rows[i].op, size, MT_F32, n, work, rows[i].tolerance, &rows[i].kind) != 0)
				return -1;
		}
	for (size_t k = 0; k < sizeof sides / sizeof *sides - 1; k++) {
		const int64_t n[BENCH_EXTENTS] = {sides[k], sides[k]};
		double elements = (double)n[0] * (double)n[1];
		snprintf(size, sizeof size, "%" PRId64 "x%" PRId64, n[0], n[1]);
		if (ops_add(cases, "sort_rows", size, MT_F32, n, (struct ops_work){0, 2 * elements, 60 * elements}, 0, &sort) !=
		    0)
			return -1;
	}
	return add_tables(cases);
}
