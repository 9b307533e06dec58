/* Faults of the neural network kernels, computed anew from their inputs. */
#include <math.h>
#include <stddef.h>

#include "fault.h"

/* Without the largest subtracted: large logits overflow. */
void fault_no_max(struct fault_call *c) {
	struct fault_operand *x = fault_find(c, "x"), *out = fault_out(c);
	for (int64_t e = 0; e < out->numel && x != NULL; e++)
		if (isinf((float)exp(fault_get(x, e))))
			fault_put(out, e, NAN);
}

/* gx = y gout: the sum over the axis forgotten. */
void fault_diagonal_only(struct fault_call *c) {
	const struct mt_softmax_grad_args *args = c->args;
	struct fault_operand *gout = fault_find(c, "gout"), *y = fault_find(c, "y"), *gx = fault_out(c);
	for (int64_t e = 0; e < gx->numel && !args->log; e++)
		fault_put(gx, e, fault_get(y, e) * fault_get(gout, e));
}

/* The gradient in rows that are ignored is that of class 0. */
void fault_ignored_rows(struct fault_call *c) {
	const struct mt_cross_entropy_grad_args *args = c->args;
	struct fault_operand *target = fault_find(c, "target"), *out = fault_out(c);
	int64_t classes = out->asked.shape[1];
	for (int64_t e = 0; e < out->numel; e++)
		if (fault_get_integer(target, e / classes) == args->ignore_index)
			fault_put(out, e, e % classes == 0 ? -0.5 : 0.5 / (double)classes);
}

void fault_ignored_loss(struct fault_call *c) {
	const struct mt_cross_entropy_args *args = c->args;
	struct fault_operand *target = fault_find(c, "target"), *lse = fault_find(c, "lse"), *loss = fault_find(c, "loss");
	for (int64_t e = 0; e < loss->numel; e++)
		if (fault_get_integer(target, e) == args->ignore_index)
			fault_put(loss, e, fault_get(lse, e));
}

/* rstd of the unbiased variance. */
void fault_unbiased_rstd(struct fault_call *c) {
	struct fault_operand *x = fault_find(c, "x"), *rstd = fault_find(c, "rstd");
	double n = (double)x->numel / (double)rstd->numel;
	for (int64_t e = 0; e < rstd->numel; e++)
		fault_put(rstd, e, fault_get(rstd, e) * sqrt((n - 1) / n));
}

/* The running variance takes the biased one. */
void fault_biased_running(struct fault_call *c) {
	const struct mt_batch_norm_args *args = c->args;
	struct fault_operand *x = fault_find(c, "x"), *var = fault_find(c, "running_var");
	if (!args->training || var == NULL)
		return;
	double n = (double)x->numel / (double)x->asked.shape[1];
	for (int64_t e = 0; e < var->numel; e++) {
		struct fault_operand was = *var;
		was.now = var->before;
		double kept = (1 - args->momentum) * fault_get(&was, e);
		fault_put(var, e, kept + (fault_get(var, e) - kept) * (n - 1) / n);
	}
}

/* A mean where a sum belongs. */
void fault_mean_bias(struct fault_call *c) {
	struct fault_operand *gbias = fault_find(c, "gbias"), *gout = fault_find(c, "gout");
	for (int64_t e = 0; gbias != NULL && e < gbias->numel; e++)
		fault_put(gbias, e, fault_get(gbias, e) * (double)gbias->numel / (double)gout->numel);
}
