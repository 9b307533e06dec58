/* Suite ops: one op a case, at sizes that real models use.  Each file of the suite has a table of its cases. */
#ifndef APPS_BENCH_OPS_H
#define APPS_BENCH_OPS_H

#include "bench/case.h"
#include "mt/mt.h"

enum { OPS_INPUTS = 6 };

/* What a case keeps between its runs. */
struct ops_state {
	const struct bench_case *c;
	mt_tensor *in[OPS_INPUTS]; /* what make put here is retained after it */
	mt_module *module;
	mt_optim *optim;
	mt_tensor *out; /* of the first run, until it was asked for */
	int given;
};

/* How an op is run: a bench_case's context. */
struct ops_kind {
	/* Fills in[], module, optim; a tensor that is NULL is a failure.  Sizes are in s->c->n. */
	void (*make)(struct ops_state *s);
	/* One run, in a scope of the caller's; what is compared. */
	mt_tensor *(*run)(struct ops_state *s);
};

/* Work of one run, as the table's columns have it. */
struct ops_work {
	double flops;    /* 0: not counted */
	double elements; /* read or written at least, of the case's dtype; 0: not counted */
	double cost;     /* operations of the reference; 0: flops, or else elements */
};

/* Adds a case "ops".  n: its extents, as many as BENCH_EXTENTS.  0 or −1. */
int ops_add(struct bench_cases *cases, const char *op, const char *size, mt_dtype dtype, const int64_t *n,
            struct ops_work work, double tolerance, const struct ops_kind *kind);

/* The tolerance of sums of products in dtype, and of ops on single elements. */
double ops_sum_tolerance(mt_dtype dtype);
double ops_element_tolerance(mt_dtype dtype);

int ops_add_matmul(struct bench_cases *cases);
int ops_add_elementwise(struct bench_cases *cases);
int ops_add_reduce(struct bench_cases *cases);
int ops_add_conv(struct bench_cases *cases);
int ops_add_pool(struct bench_cases *cases);
int ops_add_nn(struct bench_cases *cases);
int ops_add_optim(struct bench_cases *cases);

/* A case of a matrix product: matmul, matmul_nt, matmul_tn, matmul_tt (turned: a transposed view), or another name for
 * the first.  n: batch (0: none), m, k, n; name, which the size begins with, may be "".  0 or −1. */
int ops_add_product(struct bench_cases *cases, const char *op, const char *name, mt_dtype dtype, const int64_t *n);

/* A convolution's shape, as the extents of its case. */
enum ops_conv_extent {
	CONV_IMAGES,
	CONV_IN,
	CONV_SIDE,
	CONV_OUT,
	CONV_KERNEL,
	CONV_STRIDE,
	CONV_PADDING,
	CONV_GROUPS,
	CONV_SPATIAL,
	CONV_EXTENTS
};

/* Its cases: forward with bias, the gradient of the input and of the weight.  The size begins with name.  0 or −1. */
int ops_add_convolution(struct bench_cases *cases, const char *name, mt_dtype dtype, const int64_t *n);

/* Normal numbers of the case's dtype, or of f32. */
mt_tensor *ops_randn(const struct ops_state *s, int rank, const int64_t *shape);

/* The gradient of out, an op's recorded result, with respect to x, for the upstream gradient up.  The graph stays. */
mt_tensor *ops_gradient(mt_tensor *out, mt_tensor *x, mt_tensor *up);

#endif
