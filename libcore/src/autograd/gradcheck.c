/* Gradients against central differences. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autograd/graph.h"
#include "base/alloc.h"
#include "base/error.h"
#include "mt/philox.h"
#include "tensor/shape.h"

struct check {
	const char *op;
	mt_gradcheck_fn fn;
	mt_tensor *const *inputs;
	int n;
	void *context;
	double step, rtol, atol;
	int64_t results;    /* elements of the result */
	double *u;          /* the upstream gradient */
	double *low, *high; /* the result at x − h and at x + h */
};

/* The element where the two gradients differ most, in units of what is allowed. */
struct worst {
	double ratio, analytic, numeric;
	int input;
	int64_t element;
};

/* ---- the function under test -------------------------------------------------------------------------------------- */

static mt_tensor *call(const struct check *c) {
	mt_tensor *y = c->fn(c->inputs, c->n, c->context);
	char text[MT__SHAPE_TEXT];
	if (y == NULL) {
		mt__fail(MT_E_ARG, "%s: the function gave NULL", c->op);
		return NULL;
	}
	if (mt_tensor_is_none(y) || y->dtype != MT_F64)
		return mt__fail_null(MT_E_DTYPE, "%s: the function's result must be f64, it is %s", c->op,
		                     mt_tensor_is_none(y) ? "MT_NONE" : mt__tensor_text(text, y));
	return y;
}

/* The result's elements, with recording off. */
static mt_status evaluate(const struct check *c, double *out) {
	mt_scope *scope = mt_scope_begin();
	if (scope == NULL)
		return MT_E_MEMORY;
	int was = mt_grad_enable(0);
	mt_tensor *y = call(c);
	mt_grad_enable(was);
	mt_status status = y == NULL ? mt_error_peek() : MT_OK;
	if (y != NULL && y->numel != c->results)
		status = mt__fail(MT_E_SHAPE, "%s: the function's result changes its size: %lld, then %lld elements", c->op,
		                  (long long)c->results, (long long)y->numel);
	if (status == MT_OK)
		status = mt_to_host(y, out, (size_t)c->results * sizeof *out);
	mt_scope_end(scope);
	return status;
}

void mt__draw_upstream(double *u, int64_t n, uint64_t seed) {
	for (int64_t i = 0; i < n; i++) {
		uint32_t w[4];
		mt_philox_block(seed, (uint64_t)i, w);
		u[i] = ((double)(w[0] >> 1) / 0x1p31 + 0.5) * (w[0] & 1u ? 1 : -1);
	}
}

/* ---- analytic ----------------------------------------------------------------------------------------------------- */

static mt_status backward_from_random(struct check *c, uint64_t seed) {
	mt_tensor *y = call(c);
	if (y == NULL)
		return mt_error_peek();
	c->results = y->numel;
	size_t bytes = (size_t)c->results * sizeof(double);
	c->u = mt__alloc(bytes);
	c->low = mt__alloc(bytes);
	c->high = mt__alloc(bytes);
	if (c->u == NULL || c->low == NULL || c->high == NULL)
		return mt__fail_memory(c->op, bytes);
	mt__draw_upstream(c->u, c->results, seed);
	if (!mt_tensor_requires_grad(y))
		return MT_OK; /* all gradients are 0, as the differences will have to be */
	mt_tensor *u = mt_empty_like(y);
	if (u == NULL)
		return mt_error_peek();
	mt_status status = mt_from_host(u, c->u, bytes);
	return status == MT_OK ? mt_backward_from(y, u, 0) : status;
}

static mt_status analytic(struct check *c, uint64_t seed) {
	for (int i = 0; i < c->n; i++)
		if (c->inputs[i]->requires_grad)
			mt_zero_grad(c->inputs[i]);
	mt_scope *scope = mt_scope_begin();
	if (scope == NULL)
		return MT_E_MEMORY;
	int was = mt_grad_enable(1);
	mt_status status = backward_from_random(c, seed);
	mt_grad_enable(was);
	mt_scope_end(scope);
	return status;
}

/* ---- numeric ------------------------------------------------------------------------------------------------------ */

static mt_status set_element(mt_tensor *x, int64_t element, double value) {
	int64_t index[MT_MAX_RANK];
	for (int d = x->rank - 1; d >= 0; d--) {
		index[d] = element % x->shape[d];
		element /= x->shape[d];
	}
	int was = mt_grad_enable(0);
	mt_status status = mt_set(x, index, mt_f(value));
	mt_grad_enable(was);
	return status;
}

/* Σ u (f(x + h) − f(x − h)) / 2h, differences first. */
static mt_status central_difference(const struct check *c, mt_tensor *x, int64_t element, double at, double *out) {
	double h = c->step * fmax(1, fabs(at));
	volatile double right = at + h, left = at - h; /* what h really is, once rounded */
	mt_status status = set_element(x, element, right);
	if (status == MT_OK)
		status = evaluate(c, c->high);
	if (status == MT_OK)
		status = set_element(x, element, left);
	if (status == MT_OK)
		status = evaluate(c, c->low);
	mt_status restored = set_element(x, element, at);
	double sum = 0;
	for (int64_t i = 0; i < c->results && status == MT_OK; i++)
		sum += c->u[i] * (c->high[i] - c->low[i]);
	*out = sum / (right - left);
	return status == MT_OK ? restored : status;
}

static void compare(const struct check *c, int input, int64_t element, double a, double n, struct worst *worst) {
	double allowed = c->atol + c->rtol * fmax(fabs(a), fabs(n));
	double ratio = fabs(a - n) / allowed;
	if (!(ratio <= worst->ratio)) /* NaN is the worst there is */
		*worst = (struct worst){isnan(ratio) ? INFINITY : ratio, a, n, input, element};
}

static mt_status check_elements(const struct check *c, int i, const double *x, double *g, struct worst *worst) {
	mt_tensor *t = c->inputs[i], *grad = mt_grad(t);
	size_t bytes = (size_t)t->numel * sizeof *x;
	mt_status status = mt_to_host(t, (void *)x, bytes);
	memset(g, 0, bytes);
	if (status == MT_OK && !mt_tensor_is_none(grad))
		status = mt_to_host(grad, g, bytes);
	for (int64_t e = 0; e < t->numel && status == MT_OK; e++) {
		double numeric;
		status = central_difference(c, t, e, x[e], &numeric);
		if (status == MT_OK)
			compare(c, i, e, g[e], numeric, worst);
	}
	return status;
}

static mt_status check_input(const struct check *c, int i, struct worst *worst) {
	size_t bytes = (size_t)c->inputs[i]->numel * sizeof(double);
	double *x = mt__alloc(bytes), *g = mt__alloc(bytes);
	mt_status status = x == NULL || g == NULL ? mt__fail_memory(c->op, bytes) : check_elements(c, i, x, g, worst);
	mt__free(x);
	mt__free(g);
	return status;
}

/* ---- the API ------------------------------------------------------------------------------------------------------ */

mt_status mt__gradcheck_arguments(const char *op, mt_gradcheck_fn fn, mt_tensor *const *inputs, int n) {
	char text[MT__SHAPE_TEXT];
	if (fn == NULL || (inputs == NULL && n > 0))
		return mt__fail_arg_null(op, fn == NULL ? "fn" : "inputs");
	int checked = 0;
	for (int i = 0; i < n; i++) {
		if (!mt__check_tensor(op, "inputs", inputs[i]))
			return inputs[i] == NULL ? MT_E_NULL : MT_E_ARG;
		if (inputs[i]->node != NULL)
			return mt__fail(MT_E_STATE, "%s: input %d, %s, is the result of a recorded op, not a leaf", op, i,
			                mt__tensor_text(text, inputs[i]));
		if (inputs[i]->requires_grad && inputs[i]->dtype != MT_F64)
			return mt__fail(MT_E_DTYPE, "%s: input %d is %s; f64 is needed", op, i, mt__tensor_text(text, inputs[i]));
		checked += inputs[i]->requires_grad;
	}
	if (checked == 0)
		return mt__fail(MT_E_ARG, "%s: none of the %d inputs requires a gradient", op, n);
	return MT_OK;
}

static mt_status report(const struct check *c, const char *last, const struct worst *w) {
	if (w->ratio <= 1)
		return MT_OK;
	const mt_tensor *x = c->inputs[w->input];
	int64_t index[MT_MAX_RANK], rest = w->element;
	for (int d = x->rank - 1; d >= 0; d--) {
		index[d] = rest % x->shape[d];
		rest /= x->shape[d];
	}
	char text[MT__SHAPE_TEXT], name[32];
	snprintf(name, sizeof name, "input %d", w->input);
	return mt__fail(MT_E_ARG,
	                "%s: %s at %s: analytic %.12g, numeric %.12g: %.3g times what is allowed "
	                "(rtol %g, atol %g)",
	                c->op, last != NULL && w->input == c->n - 1 ? last : name, mt__shape_text(text, x->rank, index),
	                w->analytic, w->numeric, w->ratio, c->rtol, c->atol);
}

static double or_default(double value, double absent) {
	return value > 0 ? value : absent;
}

mt_status mt__gradcheck(const char *op, const char *last, mt_gradcheck_fn fn, mt_tensor *const *inputs, int n,
                        void *context, const struct mt_gradcheck_options *options) {
	const struct mt_gradcheck_options none = {0};
	const struct mt_gradcheck_options *o = options != NULL ? options : &none;
	mt_status status = mt__gradcheck_arguments(op, fn, inputs, n);
	if (status != MT_OK)
		return status;
	struct check c = {.op = op,
	                  .fn = fn,
	                  .inputs = inputs,
	                  .n = n,
	                  .context = context,
	                  .step = or_default(o->step, 1e-6),
	                  .rtol = or_default(o->rtol, 1e-6),
	                  .atol = or_default(o->atol, 1e-8)};
	struct worst worst = {.ratio = 0};
	status = analytic(&c, o->seed);
	for (int i = 0; i < n && status == MT_OK; i++)
		if (inputs[i]->requires_grad)
			status = check_input(&c, i, &worst);
	mt__free(c.u);
	mt__free(c.low);
	mt__free(c.high);
	return status == MT_OK ? report(&c, last, &worst) : status;
}

mt_status mt_gradcheck(mt_gradcheck_fn fn, mt_tensor *const *inputs, int n, void *context,
                       const struct mt_gradcheck_options *options) {
	return mt__gradcheck("gradcheck", NULL, fn, inputs, n, context, options);
}
