/* Convolution over 1 to 3 spatial dims. */
#include "ops/ops.h"

/* ---- options ------------------------------------------------------------------------------------------------------ */

static mt_status option(const char *op, const char *field, int i, int value, int least, int absent, int32_t *out) {
	if (value == 0)
		value = absent;
	if (value < least)
		return mt__fail(MT_E_ARG, "%s: options.%s[%d] is %d, at least %d is needed", op, field, i, value, least);
	*out = value;
	return MT_OK;
}

static mt_status params_of(const char *op, mt_conv_options options, int spatial, struct mt_conv_params *p) {
	*p = (struct mt_conv_params){{1, 1, 1}, {0, 0, 0}, {1, 1, 1}, options.groups == 0 ? 1 : options.groups};
	for (int i = 0; i < spatial; i++) {
		mt_status status = option(op, "stride", i, options.stride[i], 1, 1, &p->stride[i]);
		if (status == MT_OK)
			status = option(op, "padding", i, options.padding[i], 0, 0, &p->pad[i]);
		if (status == MT_OK)
			status = option(op, "dilation", i, options.dilation[i], 1, 1, &p->dilation[i]);
		if (status != MT_OK)
			return status;
	}
	if (p->groups < 1)
		return mt__fail(MT_E_ARG, "%s: options.groups is %d, at least 1 is needed", op, (int)p->groups);
	return MT_OK;
}

/* ---- shapes ------------------------------------------------------------------------------------------------------- */

static mt_status check_channels(const char *op, const mt_tensor *x, const mt_tensor *w, const mt_tensor *b, int spatial,
                                int groups) {
	char tx[MT__SHAPE_TEXT], tw[MT__SHAPE_TEXT];
	if (x->rank != spatial + 2 || w->rank != spatial + 2)
		return mt__fail(MT_E_SHAPE, "%s: x is %s, weight is %s; both must have %d dims", op, mt__tensor_text(tx, x),
		                mt__tensor_text(tw, w), spatial + 2);
	for (int d = 0; d < w->rank; d++)
		if (w->shape[d] == 0 || (d > 0 && x->shape[d] == 0))
			return mt__fail(MT_E_SHAPE, "%s: x is %s, weight is %s; only the batch may be empty", op,
			                mt__tensor_text(tx, x), mt__tensor_text(tw, w));
	if (x->shape[1] % groups != 0 || w->shape[0] % groups != 0 || x->shape[1] / groups != w->shape[1])
		return mt__fail(MT_E_SHAPE,
		                "%s: x is %s, weight is %s, groups %d; x: [N, Ci, …] and weight: [Co, Ci/groups, …] "
		                "with Ci and Co divisible by groups are needed",
		                op, mt__tensor_text(tx, x), mt__tensor_text(tw, w), groups);
	if (mt__given(b) && (b->rank != 1 || b->shape[0] != w->shape[0]))
		return mt__fail(MT_E_SHAPE, "%s: bias is %s, weight is %s; [Co] is needed", op, mt__tensor_text(tx, b),
		                mt__tensor_text(tw, w));
	return MT_OK;
}

static mt_status result_shape(const char *op, const mt_tensor *x, const mt_tensor *w, int spatial,
                              const struct mt_conv_params *p, int64_t *shape) {
	shape[0] = x->shape[0];
	shape[1] = w->shape[0];
	for (int i = 0; i < spatial; i++) {
		int64_t padded = x->shape[i + 2] + 2 * (int64_t)p->pad[i], reach = w->shape[i + 2] - 1;
		if (reach > (padded - 1) / p->dilation[i]) {
			char tx[MT__SHAPE_TEXT], tw[MT__SHAPE_TEXT];
			return mt__fail(MT_E_SHAPE,
			                "%s: x is %s, weight is %s: along spatial dim %d the kernel, dilation %d, is "
			                "longer than x with padding %d",
			                op, mt__tensor_text(tx, x), mt__tensor_text(tw, w), i, (int)p->dilation[i], (int)p->pad[i]);
		}
		shape[i + 2] = (padded - 1 - reach * p->dilation[i]) / p->stride[i] + 1;
	}
	return MT_OK;
}

/* ---- gradients ---------------------------------------------------------------------------------------------------- */

struct attrs {
	struct mt_conv_params p;
	int32_t rank;
	int64_t x[MT_MAX_SPATIAL + 2], weight[MT_MAX_SPATIAL + 2];
};

static mt_tensor *grad_input(mt_tensor *gout, mt_tensor *w, const struct attrs *a) {
	mt_tensor *gx = mt__tensor_new("conv_grad_input", mt__device_of(gout), a->rank, a->x, gout->dtype);
	if (gx == NULL || gx->numel == 0)
		return gx;
	mt_array ag = mt__array(gout), aw = mt__array(w), ax = mt__array(gx);
	struct mt_conv_grad_input_args args = {
		.struct_size = sizeof args, .gout = &ag, .weight = &aw, .gx = &ax, .p = a->p};
	return mt__dispatch(mt__device_of(gout), MT_K_CONV_GRAD_INPUT, 0, &args) == MT_OK ? gx : NULL;
}

/* gbias may be NULL. */
static mt_tensor *grad_weight(mt_tensor *gout, mt_tensor *x, const struct attrs *a, mt_tensor *gbias) {
	mt_tensor *gw = mt__tensor_new("conv_grad_weight", mt__device_of(gout), a->rank, a->weight, gout->dtype);
	if (gw == NULL)
		return NULL;
	if (gout->numel == 0) {
		mt_status status = mt__fill(gw, mt_i(0));
		if (status == MT_OK && gbias != NULL)
			status = mt__fill(gbias, mt_i(0));
		return status == MT_OK ? gw : NULL;
	}
	mt_array ag = mt__array(gout), ax = mt__array(x), aw = mt__array(gw), ab = {0};
	if (gbias != NULL)
		ab = mt__array(gbias);
	struct mt_conv_grad_weight_args args = {.struct_size = sizeof args,
	                                        .gout = &ag,
	                                        .x = &ax,
	                                        .gweight = &aw,
	                                        .gbias = gbias != NULL ? &ab : NULL,
	                                        .p = a->p};
	return mt__dispatch(mt__device_of(gout), MT_K_CONV_GRAD_WEIGHT, 0, &args) == MT_OK ? gw : NULL;
}

static mt_tensor *grad_bias(mt_tensor *gout) {
	mt_axes axes = {gout->rank - 1, {0, 2, 3, 4}};
	return mt_sum(gout, axes, 0);
}

static mt_status conv_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct attrs *a = mt__attrs(node);
	if (mt__needs(node, 0)) {
		mt_tensor *w = mt__saved(node, 1);
		if (w == NULL || (gx[0] = grad_input(gout, w, a)) == NULL)
			return mt_error_peek();
	}
	if (mt__needs(node, 1)) {
		mt_tensor *x = mt__saved(node, 0);
		if (x == NULL)
			return mt_error_peek();
		if (mt__needs(node, 2))
			gx[2] = mt__tensor_new("conv_grad_weight", mt__device_of(gout), 1, a->weight, gout->dtype);
		if ((mt__needs(node, 2) && gx[2] == NULL) || (gx[1] = grad_weight(gout, x, a, gx[2])) == NULL)
			return mt_error_peek();
	} else if (mt__needs(node, 2) && (gx[2] = grad_bias(gout)) == NULL) {
		return mt_error_peek();
	}
	return MT_OK;
}

static const struct mt_grad_rule rule = {"conv", conv_backward};

static mt_tensor *record(mt_tensor *const *in, mt_tensor *y, const struct mt_conv_params *p) {
	struct mt_node *node = mt__record(&rule, y, in, 3);
	if (node == NULL)
		return NULL;
	struct attrs *a = mt__attrs(node);
	a->p = *p;
	a->rank = in[0]->rank;
	for (int d = 0; d < a->rank; d++) {
		a->x[d] = in[0]->shape[d];
		a->weight[d] = in[1]->shape[d];
	}
	if ((mt__needs(node, 1) && mt__save(node, 0, in[0]) != MT_OK) ||
	    (mt__needs(node, 0) && mt__save(node, 1, in[1]) != MT_OK))
		return NULL;
	return y;
}

/* ---- forward ------------------------------------------------------------------------------------------------------ */

/* Floating point, one dtype for all. */
static int convert(mt_tensor **in) {
	mt_dtype dtype = mt_promote(in[0]->dtype, in[1]->dtype);
	if (mt__given(in[2]))
		dtype = mt_promote(dtype, in[2]->dtype);
	dtype = mt__to_float(dtype);
	for (int i = 0; i < 3; i++)
		if (mt__given(in[i]) && (in[i] = mt_cast(in[i], dtype)) == NULL)
			return 0;
	return 1;
}

static mt_status run(mt_tensor *const *in, mt_tensor *y, const struct mt_conv_params *p) {
	if (y->numel == 0)
		return MT_OK;
	mt_array ax = mt__array(in[0]), aw = mt__array(in[1]), ay = mt__array(y), ab;
	if (mt__given(in[2]))
		ab = mt__array(in[2]);
	struct mt_conv_args args = {.struct_size = sizeof args,
	                            .x = &ax,
	                            .weight = &aw,
	                            .bias = mt__given(in[2]) ? &ab : NULL,
	                            .out = &ay,
	                            .p = *p};
	return mt__dispatch(mt__device_of(y), MT_K_CONV, 0, &args);
}

mt_tensor *mt__convnd(const char *op, mt_tensor *x, mt_tensor *weight, mt_tensor *bias, mt_conv_options options,
                      int spatial) {
	mt_tensor *in[3] = {x, weight, bias};
	struct mt_conv_params p;
	int64_t shape[MT_MAX_SPATIAL + 2];
	if (!mt__check_tensor(op, "x", x) || !mt__check_tensor(op, "weight", weight) ||
	    !mt__check_optional(op, "bias", bias) || !mt__check_same_device(op, in, 3) ||
	    params_of(op, options, spatial, &p) != MT_OK ||
	    check_channels(op, x, weight, bias, spatial, p.groups) != MT_OK ||
	    result_shape(op, x, weight, spatial, &p, shape) != MT_OK || !convert(in))
		return NULL;
	mt_tensor *y = mt__tensor_new(op, mt__device_of(x), spatial + 2, shape, in[0]->dtype);
	if (y == NULL || run(in, y, &p) != MT_OK)
		return NULL;
	return mt__wants_grad(in, 3) ? record(in, y, &p) : y;
}

mt_tensor *mt_conv2d(mt_tensor *x, mt_tensor *weight, mt_tensor *bias, mt_conv_options options) {
	return mt__convnd("conv2d", x, weight, bias, options, 2);
}
