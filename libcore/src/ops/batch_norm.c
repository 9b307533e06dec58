/* batch_norm (Ioffe & Szegedy 2015): each channel over images and space.  In training the running statistics move, in
 * place and outside the graph. */
#include "ops/norm.h"

struct attrs {
	double eps;
	int32_t training;
};

/* ---- gradient ---------------------------------------------------------------------------------------------------- */

static mt_status run_gradients(struct mt_node *node, mt_tensor *gout, mt_tensor *const *saved, int training,
                               mt_tensor **gx) {
	mt_tensor *x = saved[0], *mean = saved[2];
	mt_array ag = mt__array(gout), ax = mt__array(x), aw, am = mt__array(mean), ar = mt__array(saved[3]), out[3];
	for (int i = 0; i < 3; i++) {
		if (!mt__needs(node, i))
			continue;
		gx[i] = mt__tensor_new("batch_norm_grad", mt__device_of(x), i == 0 ? 3 : 1, i == 0 ? x->shape : x->shape + 1,
		                       i == 0 ? x->dtype : mean->dtype);
		if (gx[i] == NULL)
			return mt_error_peek();
		out[i] = mt__array(gx[i]);
	}
	if (mt__given(saved[1]))
		aw = mt__array(saved[1]);
	struct mt_batch_norm_grad_args args = {.struct_size = sizeof args,
	                                       .gout = &ag,
	                                       .x = &ax,
	                                       .weight = mt__given(saved[1]) ? &aw : NULL,
	                                       .mean = &am,
	                                       .rstd = &ar,
	                                       .gx = gx[0] != NULL ? &out[0] : NULL,
	                                       .gweight = gx[1] != NULL ? &out[1] : NULL,
	                                       .gbias = gx[2] != NULL ? &out[2] : NULL,
	                                       .training = training};
	return mt__dispatch(mt__device_of(x), MT_K_BATCH_NORM_GRAD, 0, &args);
}

static mt_status batch_norm_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct attrs *a = mt__attrs(node);
	mt_tensor *saved[4]; /* x, weight, mean, rstd */
	for (int i = 0; i < 4; i++)
		if ((saved[i] = mt__saved(node, i)) == NULL)
			return mt_error_peek();
	mt_tensor *x = saved[0];
	if (x->numel == 0)
		return mt__norm_no_gradients(node, x, x->shape[1], saved[2]->dtype, gx);
	if (mt_grad_enabled() || !mt__supports(mt__device_of(x), MT_K_BATCH_NORM_GRAD, 0, x->dtype))
		return mt__norm_gradients(node, MT__NORM_CHANNELS, gout, saved, a->eps, !a->training, gx);
	return run_gradients(node, gout, saved, a->training, gx);
}

static const struct mt_grad_rule batch_norm_rule = {"batch_norm", batch_norm_backward};

/* ---- forward ----------------------------------------------------------------------------------------------------- */

/* x [N, C, S]; weight, bias and the running statistics [C] or MT_NONE, of the statistics' dtype. */
struct call {
	mt_tensor *in[3]; /* x, weight, bias */
	mt_tensor *running[2];
	double eps, momentum;
	int training;
	mt_tensor *mean, *rstd; /* results, [C] */
};

/* running = (1 − momentum) running + momentum value */
static mt_status move(mt_tensor *running, mt_tensor *value, double momentum) {
	if (!mt__given(running))
		return MT_OK;
	mt_tensor *moved = mt_add(mt_mul_scalar(running, mt_f(1 - momentum)), mt_mul_scalar(value, mt_f(momentum)));
	return moved != NULL ? mt__copy_into(running, moved) : mt_error_peek();
}

static mt_status batch_statistics(struct call *c) {
	mt_tensor *x = mt_cast(c->in[0], mt__norm_wide(c->in[0]->dtype)), *mean, *rstd;
	if (x == NULL || mt__norm_statistics(MT__NORM_CHANNELS, x, c->eps, &mean, &rstd) != MT_OK)
		return mt_error_peek();
	c->mean = mt_reshape(mean, 1, x->shape + 1);
	c->rstd = mt_reshape(rstd, 1, x->shape + 1);
	double n = (double)(x->shape[0] * x->shape[2]);
	mt_tensor *variance = mt_mul_scalar(mt_mean(mt_square(mt_sub(x, mean)), MT_AXES(0, 2), 0), mt_f(n / (n - 1)));
	mt_status status = variance != NULL ? move(c->running[0], c->mean, c->momentum) : mt_error_peek();
	return status == MT_OK ? move(c->running[1], variance, c->momentum) : status;
}

static mt_tensor *run_composed(struct call *c) {
	if (!c->training) {
		c->mean = mt_clone(c->running[0]); /* which may move before the backward */
		c->rstd = mt_rsqrt(mt_add_scalar(c->running[1], mt_f(c->eps)));
	} else if (batch_statistics(c) != MT_OK) {
		return NULL;
	}
	mt_tensor *mean = mt_unsqueeze(c->mean, 1), *rstd = mt_unsqueeze(c->rstd, 1);
	if (mean == NULL || rstd == NULL)
		return NULL;
	return mt__norm_apply(MT__NORM_CHANNELS, c->in[0], mean, rstd, c->in[1], c->in[2]);
}

static mt_tensor *run_native(struct call *c) {
	mt_tensor *x = c->in[0], *optional[4] = {c->in[1], c->in[2], c->running[0], c->running[1]};
	mt_dtype wide = mt__norm_wide(x->dtype);
	mt_tensor *y = mt__tensor_new("batch_norm", mt__device_of(x), 3, x->shape, x->dtype);
	c->mean = mt__tensor_new("batch_norm", mt__device_of(x), 1, x->shape + 1, wide);
	c->rstd = mt__tensor_new("batch_norm", mt__device_of(x), 1, x->shape + 1, wide);
	if (y == NULL || c->mean == NULL || c->rstd == NULL)
		return NULL;
	if (y->numel == 0)
		return y;
	mt_array ax = mt__array(x), ay = mt__array(y), am = mt__array(c->mean), ar = mt__array(c->rstd), given[4];
	const mt_array *at[4] = {NULL};
	for (int i = 0; i < 4; i++)
		if (mt__given(optional[i])) {
			given[i] = mt__array(optional[i]);
			at[i] = &given[i];
		}
	struct mt_batch_norm_args args = {.struct_size = sizeof args,
	                                  .x = &ax,
	                                  .weight = at[0],
	                                  .bias = at[1],
	                                  .running_mean = at[2],
	                                  .running_var = at[3],
	                                  .out = &ay,
	                                  .mean = &am,
	                                  .rstd = &ar,
	                                  .eps = c->eps,
	                                  .momentum = c->momentum,
	                                  .training = c->training};
	return mt__dispatch(mt__device_of(x), MT_K_BATCH_NORM, 0, &args) == MT_OK ? y : NULL;
}

/* Running statistics of another dtype than the kernel's: converted, and what moved written back. */
static mt_tensor *run(struct call *c, int composed) {
	mt_tensor *kept[2] = {c->running[0], c->running[1]};
	int moves = c->training && c->in[0]->numel > 0;
	for (int i = 0; i < 2; i++) {
		if (!mt__given(kept[i]))
			continue;
		if ((c->running[i] = mt_cast(kept[i], mt__norm_wide(c->in[0]->dtype))) == NULL)
			return NULL;
		if (moves)
			mt__storage_touch(kept[i]->storage);
	}
	mt_tensor *y = composed && c->in[0]->numel > 0 ? run_composed(c) : run_native(c);
	for (int i = 0; i < 2 && y != NULL && moves; i++)
		if (c->running[i] != kept[i] && mt__copy_into(kept[i], c->running[i]) != MT_OK)
			return NULL;
	return y;
}

static mt_tensor *norm_channels(struct call *c, int composed) {
	int was = mt_grad_enable(0);
	mt_tensor *y = run(c, composed);
	mt_grad_enable(was);
	if (y == NULL || !mt__wants_grad(c->in, 3))
		return y;
	struct mt_node *node = mt__record(&batch_norm_rule, y, c->in, 3);
	if (node == NULL || mt__save(node, 0, c->in[0]) != MT_OK || mt__save(node, 1, c->in[1]) != MT_OK ||
	    mt__save(node, 2, c->mean) != MT_OK || mt__save(node, 3, c->rstd) != MT_OK)
		return NULL;
	*(struct attrs *)mt__attrs(node) = (struct attrs){c->eps, c->training};
	return y;
}

/* ---- checks ------------------------------------------------------------------------------------------------------ */

static const char *const names[5] = {"x", "weight", "bias", "running_mean", "running_var"};

static mt_status check_shapes(mt_tensor *const *all, int training) {
	char tx[MT__SHAPE_TEXT], tv[MT__SHAPE_TEXT];
	const mt_tensor *x = all[0];
	if (x->rank < 2)
		return mt__fail(MT_E_SHAPE, "batch_norm: x is %s; [N, C] or [N, C, …] is needed", mt__tensor_text(tx, x));
	for (int i = 1; i < 5; i++)
		if (mt__given(all[i]) && (all[i]->rank != 1 || all[i]->shape[0] != x->shape[1]))
			return mt__fail(MT_E_SHAPE, "batch_norm: x is %s, %s is %s; [N, C, …] and [C] are needed",
			                mt__tensor_text(tx, x), names[i], mt__tensor_text(tv, all[i]));
	if (training && x->numel == x->shape[1] && x->numel > 0)
		return mt__fail(MT_E_SHAPE, "batch_norm: x is %s: training needs more than one value a channel",
		                mt__tensor_text(tx, x));
	return MT_OK;
}

static mt_status check_running(mt_tensor *const *running, int training) {
	for (int i = 0; i < 2; i++) {
		if (!mt__given(running[i])) {
			if (!training)
				return mt__fail(MT_E_ARG, "batch_norm: %s is left out; it is needed outside of training", names[3 + i]);
			continue;
		}
		if (!mt__is_float(running[i]->dtype)) {
			char text[MT__SHAPE_TEXT];
			return mt__fail(MT_E_DTYPE, "batch_norm: %s is %s; a float dtype is needed", names[3 + i],
			                mt__tensor_text(text, running[i]));
		}
		if (mt__wants_grad(&running[i], 1))
			return mt__fail(MT_E_UNSUPPORTED, "batch_norm: %s requires a gradient, which is not defined; mt_detach it",
			                names[3 + i]);
		if (training && mt__check_writable("batch_norm", running[i]) != MT_OK)
			return mt_error_peek();
	}
	return MT_OK;
}

static mt_status take_options(mt_batch_norm_options *options) {
	if (options->eps == 0)
		options->eps = 1e-5;
	if (options->momentum == 0)
		options->momentum = 0.1;
	else if (options->momentum == -1)
		options->momentum = 0;
	if (!(options->momentum >= 0 && options->momentum <= 1))
		return mt__fail(MT_E_ARG, "batch_norm: momentum is %g; 0 to 1 is needed (-1 stands for 0)", options->momentum);
	return mt__norm_check_eps("batch_norm", options->eps);
}

static mt_tensor *batch_norm(mt_tensor *const *all, mt_batch_norm_options options, int composed) {
	for (int i = 0; i < 5; i++)
		if (i == 0 ? !mt__check_tensor("batch_norm", names[i], all[i])
		           : !mt__check_optional("batch_norm", names[i], all[i]))
			return NULL;
	if (!mt__check_same_device("batch_norm", all, 5) || check_shapes(all, options.training) != MT_OK ||
	    check_running(all + 3, options.training) != MT_OK || take_options(&options) != MT_OK)
		return NULL;
	mt_dtype dtype = mt__norm_dtype(all[0], all[1], all[2]), wide = mt__norm_wide(dtype);
	mt_tensor *x = mt_cast(all[0], dtype);
	const int64_t channels[3] = {all[0]->shape[0], all[0]->shape[1], mt__numel(all[0]->rank - 2, all[0]->shape + 2)};
	struct call c = {.in = {x == NULL ? NULL : mt__norm_shaped(x, 3, channels), all[1], all[2]},
	                 .running = {all[3], all[4]},
	                 .eps = options.eps,
	                 .momentum = options.momentum,
	                 .training = options.training != 0};
	for (int i = 0; i < 3; i++)
		if (c.in[i] == NULL || (i > 0 && mt__given(c.in[i]) && (c.in[i] = mt_cast(c.in[i], wide)) == NULL))
			return NULL;
	mt_tensor *y = norm_channels(&c, composed || !mt__supports(mt__device_of(x), MT_K_BATCH_NORM, 0, dtype));
	return y == NULL ? NULL : mt__norm_shaped(y, x->rank, x->shape);
}

mt_tensor *mt_batch_norm(mt_tensor *x, mt_tensor *weight, mt_tensor *bias, mt_tensor *running_mean,
                         mt_tensor *running_var, mt_batch_norm_options options) {
	mt_tensor *all[5] = {x, weight, bias, running_mean, running_var};
	return batch_norm(all, options, 0);
}

mt_tensor *mt__batch_norm_composed(mt_tensor *x, mt_tensor *weight, mt_tensor *bias, mt_tensor *running_mean,
                                   mt_tensor *running_var, mt_batch_norm_options options) {
	mt_tensor *all[5] = {x, weight, bias, running_mean, running_var};
	return batch_norm(all, options, 1);
}
