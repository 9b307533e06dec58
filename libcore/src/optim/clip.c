/* Gradient clipping. */
#include <inttypes.h>
#include <math.h>

#include "base/error.h"
#include "mt/autograd.h"
#include "mt/ops.h"
#include "optim/optim.h"
#include "tensor/tensor.h"

/* The gradient of parameter i: NULL where there is none, or on failure with *status set. */
static mt_tensor *gradient_of(const char *op, mt_tensor *const *parameters, int64_t i, mt_status *status) {
	mt_tensor *p = parameters[i];
	if (!mt__check_tensor(op, "a parameter", p)) {
		*status = p == NULL ? MT_E_NULL : MT_E_ARG;
		return NULL;
	}
	mt_tensor *grad = mt_grad(p);
	if (grad == NULL)
		*status = mt_error_peek();
	return grad == NULL || mt_tensor_is_none(grad) ? NULL : grad;
}

/* Calls visit for each gradient there is, outside the graph and in a scope of its own. */
typedef mt_status (*visit_fn)(mt_tensor *grad, void *context);

static mt_status each_gradient(const char *op, mt_tensor *const *parameters, int64_t n, visit_fn visit, void *context) {
	if (parameters == NULL && n > 0)
		return mt__fail_arg_null(op, "parameters");
	if (n < 0)
		return mt__fail(MT_E_ARG, "%s: n is %" PRId64, op, n);
	int was = mt_grad_enable(0);
	mt_status status = MT_OK;
	for (int64_t i = 0; i < n && status == MT_OK; i++) {
		mt_tensor *grad = gradient_of(op, parameters, i, &status);
		if (grad == NULL)
			continue;
		mt_scope *scope = mt_scope_begin();
		status = scope == NULL ? MT_E_MEMORY : visit(grad, context);
		mt_scope_end(scope);
	}
	mt_grad_enable(was);
	return status;
}

/* Σ |g|^p, or max |g| where p is infinite, over all gradients so far; f64, so that f32's range is no limit. */
struct total {
	double p, sum;
};

static mt_status add_norm(mt_tensor *grad, void *context) {
	struct total *t = context;
	double value = 0;
	mt_tensor *wide = mt_cast(grad, MT_F64);
	if (mt_tensor_numel(grad) == 0)
		return MT_OK;
	mt_tensor *norm = isinf(t->p)   ? mt_max(mt_abs(wide), MT_ALL_AXES, 0)
	                  : t->p == 2.0 ? mt_reduce(MT_REDUCE_SUMSQ, wide, MT_ALL_AXES, 0)
	                                : mt_sum(mt_pow_scalar(mt_abs(wide), mt_f(t->p)), MT_ALL_AXES, 0);
	mt_status status = norm == NULL ? mt_error_peek() : mt_item(norm, &value);
	if (isinf(t->p))
		t->sum = isnan(value) || value > t->sum ? value : t->sum;
	else
		t->sum += value;
	return status;
}

static mt_status scale(mt_tensor *grad, void *context) {
	return mt__chain_status(mt_mul_scalar_(grad, mt_f(*(const double *)context)));
}

mt_status mt_clip_grad_norm(mt_tensor *const *parameters, int64_t n, double max_norm, double p, int error_if_nonfinite,
                            double *total) {
	static const char op[] = "clip_grad_norm";
	if (!(max_norm >= 0) || !(p > 0))
		return mt__fail(MT_E_ARG, "%s: max_norm must not be negative and p above 0, got %g and %g", op, max_norm, p);
	struct total t = {p, 0};
	mt_status status = each_gradient(op, parameters, n, add_norm, &t);
	if (status != MT_OK)
		return status;
	double norm = isinf(p) ? t.sum : pow(t.sum, 1 / p);
	if (total != NULL)
		*total = norm;
	if (error_if_nonfinite && !isfinite(norm))
		return mt__fail(MT_E_ARG, "%s: the total norm of the gradients is %g", op, norm);
	double factor = max_norm / (norm + 1e-6);
	return factor >= 1 ? MT_OK : each_gradient(op, parameters, n, scale, &factor);
}

static mt_status clamp(mt_tensor *grad, void *context) {
	double value = *(const double *)context;
	return mt__chain_status(mt_copy_(grad, mt_clamp(grad, mt_f(-value), mt_f(value))));
}

mt_status mt_clip_grad_value(mt_tensor *const *parameters, int64_t n, double value) {
	if (!(value > 0))
		return mt__fail(MT_E_ARG, "clip_grad_value: value must be above 0, got %g", value);
	return each_gradient("clip_grad_value", parameters, n, clamp, &value);
}
