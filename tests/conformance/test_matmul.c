/* matmul: sizes around every tile edge, all transposes and strides, batches, alpha and beta, bias, activations. */
#include <math.h>

#include "cases.h"
#include "check.h"

struct matmul_case {
	int32_t dtype;
	int rank; /* 2 to 4: batch dims before the matrix */
	int64_t batch[2], m, k, n;
	enum kc_layout la, lb, out;
	double alpha, beta;
	int bias;
	int32_t activation;
	int special;
};

static long double activate(int32_t activation, long double x) {
	switch (activation) {
	case MT_ACT_RELU: return x <= 0 ? 0 : x;
	case MT_ACT_SIGMOID: return 1 / (1 + expl(-x));
	case MT_ACT_TANH: return tanhl(x);
	case MT_ACT_GELU: return x / 2 * erfcl(-x / sqrtl(2));
	default: return x;
	}
}

static void shape_of(const struct matmul_case *c, int64_t rows, int64_t columns, int64_t *shape) {
	for (int d = 0; d < c->rank - 2; d++)
		shape[d] = c->batch[d];
	shape[c->rank - 2] = rows;
	shape[c->rank - 1] = columns;
}

static void reference(const struct matmul_case *c, const struct kc_array *a, const struct kc_array *b, const struct kc_array *bias,
                      const struct kc_array *y, long double *expected, long double *scale) {
	int64_t matrices = y->numel / (c->m * c->n);
	for (int64_t i = 0; i < matrices; i++)
		for (int64_t row = 0; row < c->m; row++)
			for (int64_t col = 0; col < c->n; col++) {
				long double sum = 0, size = 0;
				for (int64_t k = 0; k < c->k; k++) {
					long double term = (long double)a->values[(i * c->m + row) * c->k + k] * b->values[(i * c->k + k) * c->n + col];
					sum += term;
					size += fabsl(term);
				}
				int64_t e = (i * c->m + row) * c->n + col;
				long double x = c->alpha * sum, rest = fabsl(c->alpha) * size;
				if (c->beta != 0) {
					x += c->beta * y->values[e];
					rest += fabsl(c->beta * y->values[e]);
				}
				if (bias != NULL) {
					x += bias->values[col];
					rest += fabsl(bias->values[col]);
				}
				expected[e] = activate(c->activation, x);
				scale[e] = isfinite(rest) ? rest : 0;
			}
}

static void run_matmul(struct kc_host *h, const struct matmul_case *c) {
	int64_t sa[4], sb[4], sy[4];
	shape_of(c, c->m, c->k, sa);
	shape_of(c, c->k, c->n, sb);
	shape_of(c, c->m, c->n, sy);
	struct kc_array *a = kc_input(h, c->dtype, c->rank, sa, c->la, -3, 3), *b = kc_input(h, c->dtype, c->rank, sb, c->lb, -3, 3);
	struct kc_array *bias = c->bias ? kc_input(h, c->dtype, 1, &c->n, KC_STEPPED, -3, 3) : NULL;
	struct kc_array *y = kc_new(h, KC_INOUT, c->dtype, c->rank, sy, c->out);
	if (c->beta != 0)
		kc_fill(h, y, -3, 3);
	else
		for (int64_t e = 0; e < y->numel && kc_is_float(c->dtype); e++)
			kc_set(y, e, NAN); /* must not survive */
	if (c->special && a->numel > 3) {
		kc_set(a, 0, NAN);
		kc_set(a, a->numel - 1, INFINITY);
	}
	const struct mt_matmul_args args = {.struct_size = sizeof args, .a = &a->array, .b = &b->array,
	                                    .bias = bias != NULL ? &bias->array : NULL, .out = &y->array, .alpha = c->alpha,
	                                    .beta = c->beta, .activation = c->activation};
	long double *expected = kc_reference(y->numel), *scale = kc_reference(y->numel);
	reference(c, a, b, bias, y, expected, scale);
	/* one unit a term in the worst order; real kernels stay far below: sqrt(k) and a margin */
	double units = 4 + 2 * sqrt((double)c->k);
	if (kc_run(h, MT_K_MATMUL, &args))
		kc_check(h, y, expected, scale, units, "matmul %s rank %d %lldx%lldx%lld, %s and %s to %s, alpha %g beta %g bias %d act %d",
		         kc_dtype_name(c->dtype), c->rank, (long long)c->m, (long long)c->k, (long long)c->n,
		         kc_layout_names[c->la], kc_layout_names[c->lb], kc_layout_names[c->out], c->alpha, c->beta, c->bias,
		         (int)c->activation);
	kc_reset(h);
	kc_reference_reset();
}

static const struct matmul_case plain = {.rank = 2, .batch = {1, 1}, .alpha = 1};

static void sizes(struct kc_host *h) {
	const int64_t edge[] = {1, 2, 3, 5, 8, 13, 16, 17, 31, 33, 50};
	enum { EDGES = sizeof edge / sizeof *edge };
	for (int i = 0; i < EDGES; i++)
		for (int j = 0; j < EDGES; j++)
			for (int l = 0; l < EDGES; l += 2) {
				struct matmul_case c = plain;
				c.dtype = MT_F32;
				c.m = edge[i];
				c.n = edge[j];
				c.k = edge[l];
				run_matmul(h, &c);
			}
}

static void layouts(struct kc_host *h) {
	for (int32_t t = MT_F32; t < MT_DTYPE_END_; t++)
		for (int la = 0; la <= KC_BROADCAST; la++)
			for (int lb = 0; lb <= KC_BROADCAST; lb++) {
				struct matmul_case c = plain;
				if (!kc_has(h, MT_K_MATMUL, 0, t, 0))
					continue;
				c.dtype = t;
				c.m = 19;
				c.k = 23;
				c.n = 37;
				c.la = (enum kc_layout)la;
				c.lb = (enum kc_layout)lb;
				c.out = (enum kc_layout)((la + lb) % KC_LAYOUTS);
				run_matmul(h, &c);
				c.rank = 4;
				c.batch[0] = 2;
				c.batch[1] = 3;
				c.m = 5;
				run_matmul(h, &c);
			}
}

static void epilogue(struct kc_host *h) {
	const double factors[][2] = {{1, 0}, {1, 1}, {-0.5, 2}, {0, 1}, {2, 0}};
	const int64_t dims[][3] = {{7, 9, 5}, {40, 64, 70}, {1, 20, 33}, {33, 20, 1}, {130, 3, 2}};
	for (int32_t t = MT_F32; t < MT_DTYPE_END_; t++)
		for (int f = 0; f < 5; f++)
			for (int d = 0; d < 5; d++)
				for (int32_t act = MT_ACT_NONE; act < MT_ACT_END_; act++) {
					struct matmul_case c = plain;
					if (!kc_has(h, MT_K_MATMUL, 0, t, 0) || (!kc_is_float(t) && (f > 1 || act > MT_ACT_RELU)))
						continue;
					c.dtype = t;
					c.m = dims[d][0];
					c.k = dims[d][1];
					c.n = dims[d][2];
					c.alpha = factors[f][0];
					c.beta = factors[f][1];
					c.bias = (f + d) % 2;
					c.activation = act;
					run_matmul(h, &c);
				}
}

static void empty_and_special(struct kc_host *h) {
	struct matmul_case c = plain;
	c.dtype = MT_F32;
	c.m = 4;
	c.n = 6;
	c.k = 0;
	c.bias = 1;
	run_matmul(h, &c);
	c.beta = 2;
	run_matmul(h, &c);
	c.beta = 0;
	c.k = 40;
	c.special = 1;
	run_matmul(h, &c);
	c.m = c.n = 70;
	run_matmul(h, &c);
}

static void large(struct kc_host *h) {
	const int64_t dims[][3] = {{200, 300, 210}, {129, 1030, 65}, {600, 40, 300}, {3, 2000, 500}, {500, 2000, 3}, {64, 400, 120}};
	for (int32_t t = MT_F32; t <= MT_BF16; t++)
		for (int d = 0; d < 6; d++)
			for (int transposed = 0; transposed < (t == MT_F32 ? 4 : 1); transposed++) {
				struct matmul_case c = plain;
				if (!kc_has(h, MT_K_MATMUL, 0, t, 0))
					continue;
				c.dtype = t;
				c.m = dims[d][0];
				c.k = dims[d][1];
				c.n = dims[d][2];
				c.la = (transposed & 1) ? KC_TRANSPOSED : KC_CONTIGUOUS;
				c.lb = (transposed & 2) ? KC_TRANSPOSED : KC_CONTIGUOUS;
				run_matmul(h, &c);
			}
}

static void batches(struct kc_host *h) {
	const int64_t dims[][3] = {{2, 2, 2}, {8, 64, 8}, {33, 10, 40}};
	for (int d = 0; d < 3; d++)
		for (int layout = 0; layout <= KC_BROADCAST; layout++) {
			struct matmul_case c = plain;
			c.dtype = MT_F32;
			c.rank = 3;
			c.batch[0] = 70;
			c.m = dims[d][0];
			c.k = dims[d][1];
			c.n = dims[d][2];
			c.lb = (enum kc_layout)layout;
			run_matmul(h, &c);
		}
}

static void test_sizes(void) {
	kc_each_host(sizes);
}

static void test_layouts(void) {
	kc_each_host(layouts);
}

static void test_epilogue(void) {
	kc_each_host(epilogue);
}

static void test_empty(void) {
	kc_each_host(empty_and_special);
}

static void test_large(void) {
	kc_each_host(large);
}

static void test_batches(void) {
	kc_each_host(batches);
}

const mt_test_case kc_matmul_cases[] = {{"sizes", test_sizes},     {"layouts", test_layouts}, {"epilogue", test_epilogue},
                                        {"empty_special", test_empty}, {"large", test_large}, {"batches", test_batches},
                                        {0}};
