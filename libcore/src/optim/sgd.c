/* Stochastic gradient descent: the fused kernel's arguments, and the same step composed of in-place ops. */
#include "backend/device.h"
#include "base/error.h"
#include "mt/ops.h"
#include "optim/optim.h"
#include "tensor/tensor.h"

static mt_status step_native(struct mt_optim *o, struct mt__slot *s, mt_tensor *grad) {
	const mt_array param = mt__array(s->param), g = mt__array(grad);
	mt_array velocity;
	struct mt_sgd_args args = {.struct_size = sizeof args};
	args.param = &param;
	args.grad = &g;
	if (s->m != NULL) {
		velocity = mt__array(s->m);
		args.velocity = &velocity;
	}
	args.lr.value = mt__group_of(o, s)->lr;
	args.momentum = o->sgd.momentum;
	args.dampening = o->sgd.dampening;
	args.weight_decay = mt__group_of(o, s)->weight_decay;
	args.nesterov = o->sgd.nesterov;
	args.first = s->t == 1;
	args.maximize = o->sgd.maximize;
	return mt__dispatch(s->param->storage->device, MT_K_SGD, 0, &args);
}

static mt_status step_composed(struct mt_optim *o, struct mt__slot *s, mt_tensor *grad) {
	const mt_sgd_options *q = &o->sgd;
	mt_tensor *g = mt__decayed(s, grad, mt__group_of(o, s)->weight_decay, q->maximize);
	if (s->m != NULL) {
		mt_tensor *v = s->m;
		if (s->t == 1)
			v = mt_copy_(v, g);
		else
			v = mt_add_(mt_mul_scalar_(v, mt_f(q->momentum)), mt_mul_scalar(g, mt_f(1 - q->dampening)));
		g = q->nesterov ? mt_add(g, mt_mul_scalar(v, mt_f(q->momentum))) : v;
	}
	return mt__chain_status(mt_sub_(s->param, mt_mul_scalar(g, mt_f(mt__group_of(o, s)->lr))));
}

static mt_status step(struct mt_optim *o, struct mt__slot *s, mt_tensor *grad, int native) {
	if (o->sgd.momentum != 0) {
		mt_status status = mt__optim_state(&s->m, s->param);
		if (status != MT_OK)
			return status;
	}
	return native ? step_native(o, s, grad) : step_composed(o, s, grad);
}

mt_optim *mt_optim_sgd(mt_tensor *const *parameters, int64_t n, double lr, mt_sgd_options options) {
	static const char op[] = "optim_sgd";
	if (!(options.momentum >= 0) || !(options.dampening <= 1)) {
		mt__fail(MT_E_ARG, "%s: momentum must not be negative, dampening not above 1", op);
		return NULL;
	}
	if (options.nesterov && (options.momentum == 0 || options.dampening != 0)) {
		mt__fail(MT_E_ARG, "%s: nesterov needs a momentum, and no dampening", op);
		return NULL;
	}
	mt_optim *o = mt__optim_new(op, parameters, n, lr, options.weight_decay);
	if (o == NULL)
		return NULL;
	o->step = step;
	o->states = options.momentum != 0 ? MT__STATE_M : 0;
	o->kernel = MT_K_SGD;
	o->sgd = options;
	return o;
}
