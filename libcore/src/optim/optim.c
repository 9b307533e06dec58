/* What all optimisers share: their parameters, the step's loop, the learning rate. */
#include <inttypes.h>
#include <math.h>

#include "backend/device.h"
#include "base/alloc.h"
#include "base/error.h"
#include "mt/autograd.h"
#include "optim/optim.h"
#include "tensor/promote.h"
#include "tensor/tensor.h"

static mt_status check_lr(const char *op, double lr) {
	if (!(lr >= 0) || isinf(lr))
		return mt__fail(MT_E_ARG, "%s: the learning rate must be finite and not negative, got %g", op, lr);
	return MT_OK;
}

static mt_status check_parameter(const char *op, mt_tensor *const *parameters, int64_t i) {
	mt_tensor *p = parameters[i];
	if (!mt__check_tensor(op, "a parameter", p))
		return mt_error_peek() ? mt_error_peek() : MT_E_NULL;
	if (!mt__is_float(mt_tensor_dtype(p)))
		return mt__fail(MT_E_DTYPE, "%s: parameter %" PRId64 " must have a float dtype, not %s", op, i,
		                mt_dtype_name(mt_tensor_dtype(p)));
	if (!mt_tensor_is_leaf(p) || !mt_tensor_requires_grad(p))
		return mt__fail(MT_E_STATE, "%s: parameter %" PRId64 " must be a leaf that requires a gradient", op, i);
	for (int64_t j = 0; j < i; j++)
		if (parameters[j] == p)
			return mt__fail(MT_E_ARG, "%s: parameters %" PRId64 " and %" PRId64 " are the same tensor", op, j, i);
	return MT_OK;
}

mt_optim *mt__optim_new(const char *op, mt_tensor *const *parameters, int64_t n, double lr) {
	if (parameters == NULL) {
		mt__fail_arg_null(op, "parameters");
		return NULL;
	}
	if (n < 1) {
		mt__fail(MT_E_ARG, "%s: there must be at least one parameter, got %" PRId64, op, n);
		return NULL;
	}
	if (check_lr(op, lr) != MT_OK)
		return NULL;
	for (int64_t i = 0; i < n; i++)
		if (check_parameter(op, parameters, i) != MT_OK)
			return NULL;
	mt_optim *o = mt__calloc(1, sizeof *o);
	struct mt__slot *slots = mt__calloc((size_t)n, sizeof *slots);
	if (o == NULL || slots == NULL) {
		mt__free(o);
		mt__free(slots);
		mt__fail_memory(op, (size_t)n * sizeof *slots);
		return NULL;
	}
	for (int64_t i = 0; i < n; i++)
		slots[i].param = mt_retain(parameters[i]);
	o->slots = slots;
	o->n = n;
	o->lr = lr;
	return o;
}

void mt_optim_free(mt_optim *optim) {
	if (optim == NULL)
		return;
	for (int64_t i = 0; i < optim->n; i++) {
		struct mt__slot *s = &optim->slots[i];
		mt_release(s->vmax);
		mt_release(s->v);
		mt_release(s->m);
		mt_release(s->param);
	}
	mt__free(optim->slots);
	mt__free(optim);
}

mt_status mt__optim_state(mt_tensor **state, mt_tensor *param) {
	if (*state == NULL)
		*state = mt_retain(mt_zeros_like(param));
	return mt__chain_status(*state);
}

mt_status mt__chain_status(const mt_tensor *t) {
	if (t != NULL)
		return MT_OK;
	return mt_error_peek() ? mt_error_peek() : MT_E_INTERNAL;
}

static mt_status step_parameter(mt_optim *o, struct mt__slot *slot) {
	mt_tensor *p = slot->param;
	mt_tensor *grad = mt_grad(p);
	if (grad == NULL)
		return mt__chain_status(NULL);
	if (mt_tensor_is_none(grad) || mt_tensor_numel(p) == 0)
		return MT_OK;
	slot->t++;
	int native = !o->composed && mt__supports(p->storage->device, (enum mt_kernel_id)o->kernel, 0, p->dtype);
	mt_status status = o->step(o, slot, grad, native);
	if (native && status == MT_OK)
		mt__storage_touch(p->storage); /* the composed form's in-place ops count their own writes */
	return status;
}

mt_status mt_optim_step(mt_optim *optim) {
	if (optim == NULL)
		return mt__fail_arg_null("optim_step", "optim");
	mt_scope *scope = mt_scope_begin();
	if (scope == NULL)
		return MT_E_MEMORY;
	int was = mt_grad_enable(0);
	mt_status status = MT_OK;
	for (int64_t i = 0; i < optim->n && status == MT_OK; i++)
		status = step_parameter(optim, &optim->slots[i]);
	if (status == MT_OK)
		optim->steps++;
	mt_grad_enable(was);
	mt_scope_end(scope);
	return status;
}

mt_status mt_optim_zero_grad(mt_optim *optim) {
	if (optim == NULL)
		return mt__fail_arg_null("optim_zero_grad", "optim");
	mt_status status = MT_OK;
	for (int64_t i = 0; i < optim->n && status == MT_OK; i++)
		status = mt_zero_grad(optim->slots[i].param);
	return status;
}

double mt_optim_lr(const mt_optim *optim) {
	return optim ? optim->lr : (double)NAN;
}

mt_status mt_optim_set_lr(mt_optim *optim, double lr) {
	if (optim == NULL)
		return mt__fail_arg_null("optim_set_lr", "optim");
	mt_status status = check_lr("optim_set_lr", lr);
	if (status == MT_OK)
		optim->lr = lr;
	return status;
}

int64_t mt_optim_steps(const mt_optim *optim) {
	return optim ? optim->steps : 0;
}
