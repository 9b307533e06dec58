/* Gradients of linear ops. */
#include "linear.h"

#include <stdlib.h>

#include "autograd/node.h"
#include "tensor/tensor.h"

/* Small integers, never all equal: every sum below is exact.  A view with gaps and an offset, as upstream gradients may
 * be. */
static mt_tensor *upstream(int rank, const int64_t *shape) {
	int64_t wider[MT_MAX_RANK] = {0};
	for (int d = 0; d < rank; d++)
		wider[d] = shape[d];
	wider[rank] = 2;
	return mt_index(mt_cast(mt_randint(-9, 10, rank + 1, wider), MT_F64), -1, 1);
}

/* Σ u · f(e_i) for every i. */
static double *expected_gradient(linear_fn f, const void *context, int rank, const int64_t *shape, int64_t n,
                                 const double *u) {
	double *g = calloc((size_t)n + 1, sizeof *g);
	for (int64_t i = 0; i < n && g != NULL; i++) {
		mt_scope *scope = mt_scope_begin();
		mt_tensor *unit = mt_zeros(1, &n, MT_F64);
		mt_set(unit, &i, mt_f(1));
		mt_tensor *column = f(mt_reshape(unit, rank, shape), context);
		double *y = column != NULL ? elements(column) : NULL;
		for (int64_t j = 0; y != NULL && j < mt_tensor_numel(column); j++)
			g[i] += u[j] * y[j];
		free(y);
		mt_scope_end(scope);
	}
	return g;
}

/* gx as a function of gout is linear too, and its gradient is f. */
static void check_rule(linear_fn f, const void *context, mt_tensor *x, mt_tensor *y) {
	mt_tensor *gout = mt_requires_grad_(upstream(mt_tensor_rank(y), mt_tensor_shape(y)), 1);
	mt_tensor *gx[64] = {NULL};
	MT_REQUIRE(y->node != NULL);
	MT_REQUIRE(mt__rule(y->node)->backward(y->node, gout, gx) == MT_OK);
	if (gx[0] == gout || gx[0] == NULL)
		return;
	mt_tensor *v = upstream(mt_tensor_rank(x), mt_tensor_shape(x));
	MT_CHECK_INT(mt_backward_from(gx[0], v, 0), MT_OK);
	double *expected = elements(f(v, context));
	MT_REQUIRE(expected != NULL);
	check_values(mt_grad(gout), expected, mt_tensor_numel(gout), 0, __FILE__, __LINE__, "second gradient");
	free(expected);
}

void check_linear(linear_fn f, const void *context, int rank, const int64_t *shape, int again) {
	mt_scope *scope = mt_scope_begin();
	mt_tensor *x = mt_requires_grad_(mt_clone(upstream(rank, shape)), 1), *y = f(x, context);
	if (!MT_CHECK_MSG(y != NULL, "the op failed: %s", mt_error_take(NULL)))
		return;
	MT_CHECK(mt_tensor_requires_grad(y));
	mt_tensor *u = upstream(mt_tensor_rank(y), mt_tensor_shape(y));
	double *us = elements(u);
	int64_t n = mt_tensor_numel(x);
	double *g = expected_gradient(f, context, rank, shape, n, us);
	MT_CHECK_INT(mt_backward_from(y, u, 1), MT_OK);
	MT_CHECK(mt_tensor_dtype(mt_grad(x)) == MT_F64);
	check_shape(mt_grad(x), rank, shape, __FILE__, __LINE__, "gradient");
	check_values(mt_grad(x), g, n, 0, __FILE__, __LINE__, "gradient");
	if (again)
		check_rule(f, context, x, y);
	free(us);
	free(g);
	mt_scope_end(scope);
}
