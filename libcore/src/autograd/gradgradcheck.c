/* Second derivatives against central differences: gradcheck of the function that gives the gradients. */
#include "autograd/graph.h"
#include "base/alloc.h"
#include "base/error.h"
#include "ops/ops.h"

/* The gradients of Σ u·fn(inputs) as a function of the inputs and of u, which comes last. */
struct first_order {
	mt_gradcheck_fn fn;
	void *context;
	mt_tensor **inputs; /* u included */
	mt_tensor **wanted, **gradients;
	int n; /* inputs without u */
};

/* One after another, in one row; where nothing depends on an input, zeros. */
static mt_tensor *in_a_row(mt_tensor *const *wanted, mt_tensor **gradients, int n) {
	for (int i = 0; i < n; i++) {
		mt_tensor *g = mt_tensor_is_none(gradients[i]) ? mt_zeros_like(wanted[i]) : gradients[i];
		gradients[i] = mt_reshape(g, MT_SHAPE(wanted[i]->numel));
		if (gradients[i] == NULL)
			return NULL;
	}
	return mt_cat(gradients, n, 0);
}

static mt_tensor *differentiate(const struct first_order *f, mt_tensor *const *inputs, int create_graph) {
	mt_tensor *y = f->fn(inputs, f->n, f->context), *u = inputs[f->n];
	int n = 0;
	if (y == NULL)
		return mt__fail_null(MT_E_ARG, "gradgradcheck: the function gave NULL");
	for (int i = 0; i < f->n; i++)
		if (inputs[i]->requires_grad)
			f->wanted[n++] = inputs[i];
	for (int i = 0; i < n; i++)
		f->gradients[i] = MT_NONE;
	mt_gradients_options options = {.create_graph = create_graph, .allow_unused = 1};
	if (mt_tensor_requires_grad(y) && mt_gradients(&y, 1, &u, f->wanted, n, options, f->gradients) != MT_OK)
		return NULL;
	return in_a_row(f->wanted, f->gradients, n);
}

/* Recording is off where only the value is wanted: the rules then run their kernels, which are so compared with the
 * forms that are differentiated. */
static mt_tensor *first_order(mt_tensor *const *inputs, int n, void *context) {
	(void)n;
	int was = mt_grad_enable(1);
	mt_tensor *row = differentiate(context, inputs, was);
	mt_grad_enable(was);
	return row;
}

/* The function's result once, for u's shape. */
static mt_tensor *upstream(const struct first_order *f, uint64_t seed) {
	mt_tensor *y = f->fn(f->inputs, f->n, f->context);
	if (y == NULL)
		return mt__fail_null(MT_E_ARG, "gradgradcheck: the function gave NULL");
	if (mt_tensor_is_none(y) || y->dtype != MT_F64)
		return mt__fail_null(MT_E_DTYPE, "gradgradcheck: the function's result must be f64");
	size_t bytes = (size_t)y->numel * sizeof(double);
	mt_tensor *u = mt_requires_grad_(mt_empty_like(y), 1);
	double *values = mt__alloc(bytes);
	if (values == NULL)
		mt__fail_memory("gradgradcheck", bytes);
	else
		mt__draw_upstream(values, y->numel, seed ^ 0x5DEECE66D);
	int was = mt_grad_enable(0);
	if (u != NULL && (values == NULL || mt_from_host(u, values, bytes) != MT_OK))
		u = NULL;
	mt_grad_enable(was);
	mt__free(values);
	return u;
}

mt_status mt_gradgradcheck(mt_gradcheck_fn fn, mt_tensor *const *inputs, int n, void *context,
                           const struct mt_gradcheck_options *options) {
	mt_status status = mt__gradcheck_arguments("gradgradcheck", fn, inputs, n);
	if (status != MT_OK)
		return status;
	size_t bytes = 3 * ((size_t)n + 1) * sizeof(mt_tensor *);
	mt_tensor **lists = mt__alloc(bytes);
	if (lists == NULL)
		return mt__fail_memory("gradgradcheck", bytes);
	struct first_order f = {fn, context, lists, lists + n + 1, lists + 2 * (n + 1), n};
	for (int i = 0; i < n; i++)
		f.inputs[i] = inputs[i];
	mt_scope *scope = mt_scope_begin();
	f.inputs[n] = scope != NULL ? upstream(&f, options != NULL ? options->seed : 0) : NULL;
	status = f.inputs[n] != NULL
	             ? mt__gradcheck("gradgradcheck", "the upstream gradient", first_order, f.inputs, n + 1, &f, options)
	             : mt_error_peek();
	mt_scope_end(scope);
	mt__free(lists);
	return status;
}
