/* Reduce the learning rate when a metric stops getting better. */
#include <math.h>

#include "base/error.h"
#include "optim/optim.h"

static int is_better(const mt_plateau *p, double threshold, double metric) {
	double sign = p->maximize ? -1 : 1;
	double margin = isinf(p->best) ? 0 : p->absolute ? threshold : p->best * threshold;
	return sign * metric < sign * p->best - margin;
}

static mt_status check(const mt_plateau *p, double factor, double threshold) {
	if (!(factor > 0 && factor < 1))
		return mt__fail(MT_E_ARG, "plateau_step: factor must be above 0 and below 1, got %g", factor);
	if (!(threshold >= 0) || !(p->min_lr >= 0) || p->patience < -1 || p->cooldown < 0)
		return mt__fail(MT_E_ARG, "plateau_step: threshold, min_lr, patience and cooldown must not be negative");
	return MT_OK;
}

static mt_status lower(const mt_plateau *p, mt_optim *optim, double factor) {
	mt_status status = MT_OK;
	for (int i = 0; i < optim->n_groups && status == MT_OK; i++) {
		double lr = optim->groups[i].lr;
		status = mt_optim_set_group_lr(optim, i, fmin(lr, fmax(lr * factor, p->min_lr)));
	}
	return status;
}

mt_status mt_plateau_step(mt_plateau *plateau, mt_optim *optim, double metric, int *reduced) {
	mt_plateau *p = plateau;
	if (reduced != NULL)
		*reduced = 0;
	if (p == NULL || optim == NULL)
		return mt__fail_arg_null("plateau_step", p == NULL ? "plateau" : "optim");
	double factor = p->factor == 0 ? 0.1 : p->factor, threshold = mt__optim_option(p->threshold, 1e-4);
	int patience = p->patience == 0 ? 10 : p->patience == -1 ? 0 : p->patience;
	mt_status status = check(p, factor, threshold);
	if (status != MT_OK)
		return status;
	if (!p->started)
		p->best = p->maximize ? (double)-INFINITY : (double)INFINITY;
	int better = is_better(p, threshold, metric);
	p->started = 1;
	if (better)
		p->best = metric;
	p->bad = better ? 0 : p->bad + 1;
	if (p->cooling > 0) {
		p->cooling--;
		p->bad = 0;
	}
	if (p->bad <= patience)
		return MT_OK;
	p->bad = 0;
	p->cooling = p->cooldown;
	p->reductions++;
	if (reduced != NULL)
		*reduced = 1;
	return lower(p, optim, factor);
}
