/* RMSprop, composed of in-place ops. */
#include "base/error.h"
#include "mt/ops.h"
#include "optim/optim.h"
#include "tensor/tensor.h"

/* √s + eps */
static mt_tensor *scale_of(const mt_rmsprop_options *q, struct mt__slot *s, mt_tensor *g) {
	mt_tensor *v = mt__average_(s->v, q->alpha, mt_square(g));
	if (q->centered)
		v = mt_sub(v, mt_square(mt__average_(s->mean, q->alpha, g)));
	return mt_add_scalar(mt_sqrt(v), mt_f(q->eps));
}

static mt_status step_composed(struct mt_optim *o, struct mt__slot *s, mt_tensor *grad) {
	const mt_rmsprop_options *q = &o->rmsprop;
	mt_tensor *g = mt__decayed(s, grad, mt__group_of(o, s)->weight_decay, q->maximize);
	mt_tensor *update = mt_div(g, scale_of(q, s, g));
	if (s->m != NULL)
		update = mt_add_(mt_mul_scalar_(s->m, mt_f(q->momentum)), update);
	return mt__chain_status(mt_sub_(s->param, mt_mul_scalar(update, mt_f(mt__group_of(o, s)->lr))));
}

static mt_status step(struct mt_optim *o, struct mt__slot *s, mt_tensor *grad, int native) {
	(void)native;
	mt_status status = mt__optim_state(&s->v, s->param);
	if (status == MT_OK && o->rmsprop.momentum != 0)
		status = mt__optim_state(&s->m, s->param);
	if (status == MT_OK && o->rmsprop.centered)
		status = mt__optim_state(&s->mean, s->param);
	return status == MT_OK ? step_composed(o, s, grad) : status;
}

mt_optim *mt_optim_rmsprop(mt_tensor *const *parameters, int64_t n, double lr, mt_rmsprop_options options) {
	static const char op[] = "optim_rmsprop";
	options.alpha = mt__optim_option(options.alpha, 0.99);
	options.eps = mt__optim_option(options.eps, 1e-8);
	if (!(options.alpha >= 0 && options.alpha <= 1) || !(options.eps >= 0) || !(options.momentum >= 0)) {
		mt__fail(MT_E_ARG, "%s: alpha must be 0 to 1, eps and momentum not negative, got %g, %g and %g", op,
		         options.alpha, options.eps, options.momentum);
		return NULL;
	}
	mt_optim *o = mt__optim_new(op, parameters, n, lr, options.weight_decay);
	if (o == NULL)
		return NULL;
	o->step = step;
	o->states = MT__STATE_V | (options.momentum != 0 ? MT__STATE_M : 0) | (options.centered ? MT__STATE_MEAN : 0);
	o->rmsprop = options;
	return o;
}
