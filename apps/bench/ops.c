/* Suite ops: what its cases share. */
#include <stdio.h>
#include <stdlib.h>

#include "bench/ops.h"

static void ops_free(void *state) {
	struct ops_state *s = state;
	for (int i = 0; i < OPS_INPUTS; i++)
		mt_release(s->in[i]);
	mt_release(s->out);
	mt_optim_free(s->optim);
	mt_module_free(s->module);
	free(s);
}

static void *ops_make(const struct bench_case *c) {
	const struct ops_kind *kind = c->context;
	struct ops_state *s = calloc(1, sizeof *s);
	int ok = s != NULL;
	if (s == NULL) {
		mt_error_set(MT_E_MEMORY, "out of memory");
		return NULL;
	}
	s->c = c;
	for (int i = 0; i < OPS_INPUTS; i++)
		s->in[i] = MT_NONE;
	kind->make(s);
	for (int i = 0; i < OPS_INPUTS; i++) {
		ok = ok && s->in[i] != NULL;
		mt_retain(s->in[i]);
	}
	if (ok && mt_error_peek() == MT_OK)
		return s;
	ops_free(s);
	return NULL;
}

static mt_status ops_run(void *state) {
	struct ops_state *s = state;
	const struct ops_kind *kind = s->c->context;
	mt_tensor *out = kind->run(s);
	if (out == NULL)
		return mt_error_peek() != MT_OK ? mt_error_peek() : MT_E_NULL;
	if (!s->given && s->out == NULL)
		s->out = mt_retain(out);
	return MT_OK;
}

static mt_tensor *ops_output(void *state) {
	struct ops_state *s = state;
	mt_tensor *out = s->out;
	s->out = NULL;
	s->given = 1;
	return mt_autorelease(out);
}

static const struct bench_kind kind = {ops_make, ops_run, ops_output, ops_free};

int ops_add(struct bench_cases *cases, const char *op, const char *size, mt_dtype dtype, const int64_t *n,
            struct ops_work work, double tolerance, const struct ops_kind *how) {
	struct bench_case c = {.suite = "ops", .op = op, .dtype = dtype, .kind = &kind, .context = how};
	snprintf(c.size, sizeof c.size, "%s", size);
	for (int i = 0; i < BENCH_EXTENTS; i++)
		c.n[i] = n[i];
	c.flops = work.flops;
	c.bytes = work.elements * (double)mt_dtype_size(dtype);
	c.reference_cost = work.cost > 0 ? work.cost : work.flops > 0 ? work.flops : work.elements;
	c.x = work.flops > 0 ? work.flops : work.elements;
	c.tolerance = tolerance;
	return bench_cases_add(cases, &c);
}

double ops_sum_tolerance(mt_dtype dtype) {
	return dtype == MT_F64 ? 1e-10 : dtype == MT_F16 ? 2e-2 : dtype == MT_BF16 ? 1e-1 : 2e-4;
}

double ops_element_tolerance(mt_dtype dtype) {
	return dtype == MT_F64 ? 1e-13 : dtype == MT_F16 ? 2e-3 : dtype == MT_BF16 ? 2e-2 : 2e-6;
}

mt_tensor *ops_randn(const struct ops_state *s, int rank, const int64_t *shape) {
	return mt_randn(rank, shape, s->c->dtype);
}

mt_tensor *ops_gradient(mt_tensor *out, mt_tensor *x, mt_tensor *up) {
	mt_tensor *gradient = NULL;
	mt_gradients_options keep = {.retain_graph = 1};
	return mt_gradients(&out, 1, &up, &x, 1, keep, &gradient) == MT_OK ? gradient : NULL;
}

int bench_ops_cases(struct bench_cases *cases) {
	static int (*const parts[])(struct bench_cases *) = {
		ops_add_matmul, ops_add_elementwise, ops_add_reduce, ops_add_conv, ops_add_pool, ops_add_nn, ops_add_optim};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (parts[i](cases) != 0)
			return -1;
	return 0;
}
