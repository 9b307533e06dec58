/* What all optimisers share: their parameters and the step's loop. */
#include <inttypes.h>
#include <string.h>

#include "backend/device.h"
#include "base/alloc.h"
#include "base/error.h"
#include "mt/autograd.h"
#include "mt/ops.h"
#include "optim/optim.h"
#include "tensor/promote.h"
#include "tensor/tensor.h"

static mt_status check_parameter(const char *op, mt_tensor *const *parameters, int64_t i) {
	mt_tensor *p = parameters[i];
	if (!mt__check_tensor(op, "a parameter", p))
		return mt_error_peek() ? mt_error_peek() : MT_E_NULL;
	if (!mt__is_float(mt_tensor_dtype(p)))
		return mt__fail(MT_E_DTYPE, "%s: parameter %" PRId64 " must have a float dtype, not %s", op, i,
		                mt_dtype_name(mt_tensor_dtype(p)));
	if (!mt_tensor_is_leaf(p) || !mt_tensor_requires_grad(p))
		return mt__fail(MT_E_STATE, "%s: parameter %" PRId64 " must be a leaf that requires a gradient", op, i);
	if (p->storage->read_only)
		return mt__fail(MT_E_STATE, "%s: parameter %" PRId64 " lies in memory that its owner lent for reading alone",
		                op, i);
	for (int64_t j = 0; j < i; j++)
		if (parameters[j] == p)
			return mt__fail(MT_E_ARG, "%s: parameters %" PRId64 " and %" PRId64 " are the same tensor", op, j, i);
	return MT_OK;
}

static mt_status check_group(const char *op, const mt_optim *o, mt_tensor *const *parameters, int64_t n, double lr,
                             double weight_decay) {
	if (parameters == NULL)
		return mt__fail_arg_null(op, "parameters");
	if (n < 1)
		return mt__fail(MT_E_ARG, "%s: there must be at least one parameter, got %" PRId64, op, n);
	mt_status status = mt__check_lr(op, lr);
	if (status == MT_OK)
		status = mt__check_weight_decay(op, weight_decay);
	for (int64_t i = 0; i < n && status == MT_OK; i++) {
		status = check_parameter(op, parameters, i);
		for (int64_t j = 0; j < o->n && status == MT_OK; j++)
			if (o->slots[j].param == parameters[i])
				status =
					mt__fail(MT_E_ARG, "%s: parameter %" PRId64 " is in group %d already", op, i, o->slots[j].group);
	}
	return status;
}

mt_status mt__optim_extend(const char *op, mt_optim *o, mt_tensor *const *parameters, int64_t n, double lr,
                           double weight_decay) {
	mt_status status = check_group(op, o, parameters, n, lr, weight_decay);
	if (status != MT_OK)
		return status;
	size_t total = (size_t)o->n + (size_t)n;
	struct mt__slot *slots = mt__realloc(o->slots, total * sizeof *slots);
	if (slots == NULL)
		return mt__fail_memory(op, total * sizeof *slots);
	o->slots = slots;
	struct mt__group *groups = mt__realloc(o->groups, ((size_t)o->n_groups + 1) * sizeof *groups);
	if (groups == NULL)
		return mt__fail_memory(op, ((size_t)o->n_groups + 1) * sizeof *groups);
	o->groups = groups;
	groups[o->n_groups] = (struct mt__group){lr, lr, weight_decay};
	for (int64_t i = 0; i < n; i++)
		slots[o->n + i] = (struct mt__slot){.param = mt_retain(parameters[i]), .group = o->n_groups};
	o->n_groups++;
	o->n += n;
	return MT_OK;
}

mt_optim *mt__optim_new(const char *op, mt_tensor *const *parameters, int64_t n, double lr, double weight_decay) {
	mt_optim *o = mt__calloc(1, sizeof *o);
	if (o == NULL) {
		mt__fail_memory(op, sizeof *o);
		return NULL;
	}
	o->kind = op + strlen("optim_");
	if (mt__optim_extend(op, o, parameters, n, lr, weight_decay) == MT_OK)
		return o;
	mt_optim_free(o);
	return NULL;
}

mt_tensor **mt__slot_state(struct mt__slot *slot, int i) {
	mt_tensor **const states[MT__N_STATES] = {&slot->m, &slot->v, &slot->vmax, &slot->mean};
	return states[i];
}

const char *mt__slot_state_name(int i) {
	static const char *const names[MT__N_STATES] = {"m", "v", "vmax", "mean"};
	return names[i];
}

double mt__optim_option(double value, double standard) {
	return value == 0 ? standard : value == -1 ? 0 : value;
}

void mt_optim_free(mt_optim *optim) {
	if (optim == NULL)
		return;
	for (int64_t i = 0; i < optim->n; i++) {
		for (int k = 0; k < MT__N_STATES; k++)
			mt_release(*mt__slot_state(&optim->slots[i], k));
		mt_release(optim->slots[i].param);
	}
	mt__free(optim->slots);
	mt__free(optim->groups);
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

mt_tensor *mt__decayed(const struct mt__slot *slot, mt_tensor *grad, double weight_decay, int maximize) {
	mt_tensor *g = maximize ? mt_neg(grad) : grad;
	return weight_decay == 0 ? g : mt_add(g, mt_mul_scalar(slot->param, mt_f(weight_decay)));
}

mt_tensor *mt__average_(mt_tensor *a, double decay, mt_tensor *b) {
	return mt_add_(mt_mul_scalar_(a, mt_f(decay)), mt_mul_scalar(b, mt_f(1 - decay)));
}

static mt_status step_parameter(mt_optim *o, struct mt__slot *slot) {
	mt_tensor *p = slot->param;
	mt_tensor *grad = mt_grad(p);
	if (grad == NULL)
		return mt__chain_status(NULL);
	if (mt_tensor_is_none(grad) || mt_tensor_numel(p) == 0)
		return MT_OK;
	slot->t++;
	int native =
		o->kernel != 0 && !o->composed && mt__supports(p->storage->device, (enum mt_kernel_id)o->kernel, 0, p->dtype);
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

int64_t mt_optim_steps(const mt_optim *optim) {
	return optim ? optim->steps : 0;
}
