/* Parameter groups: rates and decays. */
#include <math.h>

#include "base/error.h"
#include "optim/optim.h"

mt_status mt__check_lr(const char *op, double lr) {
	if (!(lr >= 0) || isinf(lr))
		return mt__fail(MT_E_ARG, "%s: the learning rate must be finite and not negative, got %g", op, lr);
	return MT_OK;
}

mt_status mt__check_weight_decay(const char *op, double weight_decay) {
	if (!(weight_decay >= 0) || isinf(weight_decay))
		return mt__fail(MT_E_ARG, "%s: weight_decay must be finite and not negative, got %g", op, weight_decay);
	return MT_OK;
}

static mt_status check_group(const char *op, const mt_optim *optim, int group) {
	if (optim == NULL)
		return mt__fail_arg_null(op, "optim");
	if (group < 0 || group >= optim->n_groups)
		return mt__fail(MT_E_ARG, "%s: there is no group %d; there %s %d", op, group,
		                optim->n_groups == 1 ? "is" : "are", optim->n_groups);
	return MT_OK;
}

int mt_optim_add_group(mt_optim *optim, mt_tensor *const *parameters, int64_t n, double lr, double weight_decay) {
	static const char op[] = "optim_add_group";
	if (optim == NULL) {
		mt__fail_arg_null(op, "optim");
		return -1;
	}
	if (isnan(weight_decay))
		weight_decay = optim->groups[0].weight_decay;
	if (mt__optim_extend(op, optim, parameters, n, lr, weight_decay) != MT_OK)
		return -1;
	return optim->n_groups - 1;
}

int mt_optim_n_groups(const mt_optim *optim) {
	return optim != NULL ? optim->n_groups : 0;
}

double mt_optim_group_lr(const mt_optim *optim, int group) {
	return optim != NULL && group >= 0 && group < optim->n_groups ? optim->groups[group].lr : (double)NAN;
}

double mt_optim_group_weight_decay(const mt_optim *optim, int group) {
	return optim != NULL && group >= 0 && group < optim->n_groups ? optim->groups[group].weight_decay : (double)NAN;
}

static void set_lr(struct mt__group *group, double lr) {
	group->lr = lr;
	group->base_lr = lr;
}

mt_status mt_optim_set_group_lr(mt_optim *optim, int group, double lr) {
	mt_status status = check_group("optim_set_group_lr", optim, group);
	if (status == MT_OK)
		status = mt__check_lr("optim_set_group_lr", lr);
	if (status == MT_OK)
		set_lr(&optim->groups[group], lr);
	return status;
}

mt_status mt_optim_set_group_weight_decay(mt_optim *optim, int group, double weight_decay) {
	mt_status status = check_group("optim_set_group_weight_decay", optim, group);
	if (status == MT_OK)
		status = mt__check_weight_decay("optim_set_group_weight_decay", weight_decay);
	if (status == MT_OK)
		optim->groups[group].weight_decay = weight_decay;
	return status;
}

double mt_optim_lr(const mt_optim *optim) {
	return mt_optim_group_lr(optim, 0);
}

mt_status mt_optim_set_lr(mt_optim *optim, double lr) {
	if (optim == NULL)
		return mt__fail_arg_null("optim_set_lr", "optim");
	mt_status status = mt__check_lr("optim_set_lr", lr);
	for (int i = 0; i < optim->n_groups && status == MT_OK; i++)
		set_lr(&optim->groups[i], lr);
	return status;
}

mt_status mt_optim_scale_lr(mt_optim *optim, double factor) {
	if (optim == NULL)
		return mt__fail_arg_null("optim_scale_lr", "optim");
	for (int i = 0; i < optim->n_groups; i++) {
		mt_status status = mt__check_lr("optim_scale_lr", optim->groups[i].base_lr * factor);
		if (status != MT_OK)
			return status;
	}
	for (int i = 0; i < optim->n_groups; i++)
		optim->groups[i].lr = optim->groups[i].base_lr * factor;
	return MT_OK;
}
