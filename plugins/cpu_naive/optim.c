/* sgd, adam: one fused step over a parameter.  Arithmetic in double; what is stored is rounded once. */
#include <math.h>

#include "element.h"
#include "lines.h"

static void sgd_element(const struct mt_sgd_args *args, double lr, int64_t param_at, int64_t grad_at,
                        int64_t velocity_at) {
	double param = get(args->param, param_at), g = get(args->grad, grad_at);
	g = (args->maximize ? -g : g) + args->weight_decay * param;
	if (args->velocity) {
		double v = args->first ? g : args->momentum * get(args->velocity, velocity_at) + (1 - args->dampening) * g;
		put(args->velocity, velocity_at, v);
		g = args->nesterov ? g + args->momentum * v : v;
	}
	put(args->param, param_at, param - lr * g);
}

int32_t mt__naive_sgd(mt_queue *queue, const struct mt_sgd_args *args) {
	(void)queue;
	double lr = step_value(args->lr);
	struct lines l;
	lines_begin(&l, args->param->rank, args->param->shape);
	lines_add(&l, args->param->stride);
	lines_add(&l, args->grad->stride);
	lines_add(&l, args->velocity ? args->velocity->stride : args->param->stride);
	do
		for (int64_t j = 0; j < l.length; j++)
			sgd_element(args, lr, l.at[0] + j * l.step[0], l.at[1] + j * l.step[1], l.at[2] + j * l.step[2]);
	while (lines_next(&l));
	return MT_OK;
}

/* What is the same for every element of a step. */
struct adam {
	double lr, first_correction, second_correction; /* 1 − β^t */
};

/* at: offsets in param, grad, m, v, vmax */
static void adam_element(const struct mt_adam_args *args, const struct adam *step, const int64_t at[5]) {
	double param = get(args->param, at[0]), g = get(args->grad, at[1]);
	g = args->maximize ? -g : g;
	if (args->decoupled)
		param -= step->lr * args->weight_decay * param;
	else
		g += args->weight_decay * param;
	double m = args->beta1 * get(args->m, at[2]) + (1 - args->beta1) * g;
	double v = args->beta2 * get(args->v, at[3]) + (1 - args->beta2) * g * g;
	put(args->m, at[2], m);
	put(args->v, at[3], v);
	if (args->vmax) {
		double old = get(args->vmax, at[4]);
		v = old > v ? old : v;
		put(args->vmax, at[4], v);
	}
	double denominator = sqrt(v / step->second_correction) + args->eps;
	put(args->param, at[0], param - step->lr / step->first_correction * m / denominator);
}

int32_t mt__naive_adam(mt_queue *queue, const struct mt_adam_args *args) {
	(void)queue;
	double t = step_value(args->step);
	struct adam step = {step_value(args->lr), 1 - pow(args->beta1, t), 1 - pow(args->beta2, t)};
	struct lines l;
	lines_begin(&l, args->param->rank, args->param->shape);
	lines_add(&l, args->param->stride);
	lines_add(&l, args->grad->stride);
	lines_add(&l, args->m->stride);
	lines_add(&l, args->v->stride);
	lines_add(&l, args->vmax ? args->vmax->stride : args->v->stride);
	do
		for (int64_t j = 0; j < l.length; j++) {
			int64_t at[5];
			for (int k = 0; k < 5; k++)
				at[k] = l.at[k] + j * l.step[k];
			adam_element(args, &step, at);
		}
	while (lines_next(&l));
	return MT_OK;
}
