/* Adam and AdamW: the fused kernel's arguments, and the same step composed of in-place ops. */
#include <math.h>

#include "backend/device.h"
#include "base/error.h"
#include "mt/ops.h"
#include "optim/optim.h"
#include "tensor/tensor.h"

static mt_status step_native(struct mt_optim *o, struct mt__slot *s, mt_tensor *grad) {
	const mt_array param = mt__array(s->param), g = mt__array(grad), m = mt__array(s->m), v = mt__array(s->v);
	mt_array vmax;
	struct mt_adam_args args = {.struct_size = sizeof args};
	args.param = &param;
	args.grad = &g;
	args.m = &m;
	args.v = &v;
	if (s->vmax != NULL) {
		vmax = mt__array(s->vmax);
		args.vmax = &vmax;
	}
	args.lr.value = mt__group_of(o, s)->lr;
	args.step.value = (double)s->t;
	args.beta1 = o->adam.beta1;
	args.beta2 = o->adam.beta2;
	args.eps = o->adam.eps;
	args.weight_decay = mt__group_of(o, s)->weight_decay;
	args.decoupled = o->decoupled;
	args.maximize = o->adam.maximize;
	return mt__dispatch(s->param->storage->device, MT_K_ADAM, 0, &args);
}

static mt_status step_composed(struct mt_optim *o, struct mt__slot *s, mt_tensor *grad) {
	const mt_adam_options *q = &o->adam;
	double t = (double)s->t, lr = mt__group_of(o, s)->lr, decay = mt__group_of(o, s)->weight_decay;
	double rate = lr / (1 - pow(q->beta1, t));
	double correction = 1 - pow(q->beta2, t);
	mt_tensor *p = s->param;
	mt_tensor *g = mt__decayed(s, grad, o->decoupled ? 0 : decay, q->maximize);
	if (decay != 0 && o->decoupled)
		p = mt_mul_scalar_(p, mt_f(1 - lr * decay));
	mt_tensor *m = mt__average_(s->m, q->beta1, g);
	mt_tensor *v = mt__average_(s->v, q->beta2, mt_square(g));
	if (s->vmax != NULL)
		v = mt_copy_(s->vmax, mt_maximum(s->vmax, v));
	mt_tensor *scale = mt_add_scalar(mt_sqrt(mt_div_scalar(v, mt_f(correction))), mt_f(q->eps));
	return mt__chain_status(mt_sub_(p, mt_mul_scalar(mt_div(m, scale), mt_f(rate))));
}

static mt_status step(struct mt_optim *o, struct mt__slot *s, mt_tensor *grad, int native) {
	mt_status status = mt__optim_state(&s->m, s->param);
	if (status == MT_OK)
		status = mt__optim_state(&s->v, s->param);
	if (status == MT_OK && o->adam.amsgrad)
		status = mt__optim_state(&s->vmax, s->param);
	if (status != MT_OK)
		return status;
	return native ? step_native(o, s, grad) : step_composed(o, s, grad);
}

static mt_optim *new_adam(const char *op, mt_tensor *const *parameters, int64_t n, double lr, mt_adam_options options,
                          int decoupled) {
	mt_adam_options q = options;
	q.beta1 = mt__optim_option(options.beta1, 0.9);
	q.beta2 = mt__optim_option(options.beta2, 0.999);
	q.eps = mt__optim_option(options.eps, 1e-8);
	q.weight_decay = mt__optim_option(options.weight_decay, decoupled ? 0.01 : 0);
	if (!(q.beta1 >= 0 && q.beta1 < 1 && q.beta2 >= 0 && q.beta2 < 1)) {
		mt__fail(MT_E_ARG, "%s: beta1 and beta2 must be at least 0 and below 1, got %g and %g", op, q.beta1, q.beta2);
		return NULL;
	}
	if (!(q.eps >= 0)) {
		mt__fail(MT_E_ARG, "%s: eps must not be negative, got %g", op, q.eps);
		return NULL;
	}
	mt_optim *o = mt__optim_new(op, parameters, n, lr, q.weight_decay);
	if (o == NULL)
		return NULL;
	o->step = step;
	o->states = MT__STATE_M | MT__STATE_V | (q.amsgrad ? MT__STATE_VMAX : 0);
	o->kernel = MT_K_ADAM;
	o->adam = q;
	o->decoupled = decoupled;
	return o;
}

mt_optim *mt_optim_adam(mt_tensor *const *parameters, int64_t n, double lr, mt_adam_options options) {
	return new_adam("optim_adam", parameters, n, lr, options, 0);
}

mt_optim *mt_optim_adamw(mt_tensor *const *parameters, int64_t n, double lr, mt_adam_options options) {
	return new_adam("optim_adamw", parameters, n, lr, options, 1);
}
