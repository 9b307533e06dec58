/* Adagrad, composed of in-place ops. */
#include <math.h>

#include "base/error.h"
#include "mt/ops.h"
#include "optim/optim.h"
#include "tensor/tensor.h"

static mt_status step(struct mt_optim *o, struct mt__slot *s, mt_tensor *grad, int native) {
	(void)native;
	const mt_adagrad_options *q = &o->adagrad;
	if (s->v == NULL) {
		s->v = mt_retain(mt_full_like(s->param, mt_f(q->initial)));
		if (s->v == NULL)
			return mt__chain_status(NULL);
	}
	double rate = mt__group_of(o, s)->lr / (1 + (double)(s->t - 1) * q->lr_decay);
	mt_tensor *g = mt__decayed(s, grad, mt__group_of(o, s)->weight_decay, q->maximize);
	mt_tensor *sum = mt_add_(s->v, mt_square(g));
	mt_tensor *scale = mt_add_scalar(mt_sqrt(sum), mt_f(q->eps));
	return mt__chain_status(mt_sub_(s->param, mt_mul_scalar(mt_div(g, scale), mt_f(rate))));
}

mt_optim *mt_optim_adagrad(mt_tensor *const *parameters, int64_t n, double lr, mt_adagrad_options options) {
	static const char op[] = "optim_adagrad";
	options.eps = mt__optim_option(options.eps, 1e-10);
	if (!(options.lr_decay >= 0) || !(options.initial >= 0) || !(options.eps >= 0)) {
		mt__fail(MT_E_ARG, "%s: lr_decay, initial and eps must not be negative, got %g, %g and %g", op,
		         options.lr_decay, options.initial, options.eps);
		return NULL;
	}
	mt_optim *o = mt__optim_new(op, parameters, n, lr, options.weight_decay);
	if (o == NULL)
		return NULL;
	o->step = step;
	o->states = MT__STATE_V;
	o->adagrad = options;
	return o;
}
