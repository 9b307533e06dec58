/* Convolution over 1 to 3 spatial dims, and the products that are its gradients.
 *
 * ⟨out, conv(x, weight)⟩ is linear in each of three arrays.  Its derivative with respect to one of them is a kernel:
 * conv for out, conv_grad_input for x, conv_grad_weight for weight.  The derivatives of each kernel's result are the two
 * others again, so one rule serves all three, to any order. */
#include "ops/conv.h"

/* ---- one part from the two others --------------------------------------------------------------------------------- */

/* The parts that each part is made from, in the order of the recorded inputs. */
static const enum mt__conv_part sources[MT__CONV_PARTS][2] = {[MT__CONV_X] = {MT__CONV_OUT, MT__CONV_WEIGHT},
                                                              [MT__CONV_WEIGHT] = {MT__CONV_OUT, MT__CONV_X},
                                                              [MT__CONV_OUT] = {MT__CONV_X, MT__CONV_WEIGHT}};

/* extra: bias for OUT, room for its gradient for WEIGHT, or NULL. */
static mt_status launch(enum mt__conv_part part, mt_tensor *const *parts, mt_tensor *result, mt_tensor *extra,
                        const struct mt_conv_params *p) {
	const enum mt__conv_part *in = sources[part];
	mt_array a = mt__array(parts[in[0]]), b = mt__array(parts[in[1]]), r = mt__array(result), e = {0};
	const mt_array *more = NULL;
	mt_device *device = mt__device_of(result);
	if (extra != NULL) {
		e = mt__array(extra);
		more = &e;
	}
	if (part == MT__CONV_X) {
		struct mt_conv_grad_input_args args = {.struct_size = sizeof args, .gout = &a, .weight = &b, .gx = &r, .p = *p};
		return mt__dispatch(device, MT_K_CONV_GRAD_INPUT, 0, &args);
	}
	if (part == MT__CONV_WEIGHT) {
		struct mt_conv_grad_weight_args args = {
			.struct_size = sizeof args, .gout = &a, .x = &b, .gweight = &r, .gbias = more, .p = *p};
		return mt__dispatch(device, MT_K_CONV_GRAD_WEIGHT, 0, &args);
	}
	struct mt_conv_args args = {.struct_size = sizeof args, .x = &a, .weight = &b, .bias = more, .out = &r, .p = *p};
	return mt__dispatch(device, MT_K_CONV, 0, &args);
}

/* An empty batch leaves a weight's gradient of 0, and nothing else to compute. */
static mt_status run(enum mt__conv_part part, mt_tensor *const *parts, mt_tensor *result, mt_tensor *extra,
                     const struct mt__conv *c) {
	if (c->shape[MT__CONV_X][0] != 0)
		return launch(part, parts, result, extra, &c->p);
	if (part != MT__CONV_WEIGHT)
		return MT_OK;
	mt_status status = mt__fill(result, mt_i(0));
	return status == MT_OK && extra != NULL ? mt__fill(extra, mt_i(0)) : status;
}

static mt_status add_bias(mt_tensor *y, mt_tensor *bias) {
	int64_t shape[MT_MAX_SPATIAL + 1] = {bias->shape[0], 1, 1, 1}, stride[MT_MAX_SPATIAL + 1] = {bias->stride[0]};
	mt_tensor *column = mt__tensor_alias(bias, y->rank - 1, shape, stride, bias->offset);
	if (column == NULL)
		return mt_error_peek();
	return y->numel == 0 ? MT_OK : mt__zip_into(MT_ZIP_ADD, y, column, y);
}

static mt_tensor *compute(const char *op, enum mt__conv_part part, mt_tensor *const *parts, mt_tensor *bias,
                          const struct mt__conv *c) {
	mt_tensor *like = parts[sources[part][0]];
	mt_tensor *y = mt__tensor_new(op, mt__device_of(like), c->rank, c->shape[part], like->dtype);
	int fused = part == MT__CONV_OUT && mt__given(bias);
	if (y == NULL || run(part, parts, y, fused ? bias : NULL, c) != MT_OK)
		return NULL;
	return fused || !mt__given(bias) || add_bias(y, bias) == MT_OK ? y : NULL;
}

/* ---- gradients ---------------------------------------------------------------------------------------------------- */

struct attrs {
	struct mt__conv c;
	int32_t part; /* enum mt__conv_part: which the node's result is */
};
_Static_assert(sizeof(struct attrs) <= MT__ATTR_BYTES, "attributes of convolution");

static const struct mt_grad_rule part_rules[MT__CONV_PARTS] = {
	[MT__CONV_X] = {"conv_grad_input", mt__conv_backward},
	[MT__CONV_WEIGHT] = {"conv_grad_weight", mt__conv_backward},
	[MT__CONV_OUT] = {"conv", mt__conv_backward}};

/* What was added along dim 1. */
static mt_tensor *grad_bias(mt_tensor *gout) {
	mt_axes axes = {gout->rank - 1, {0, 2, 3, 4}};
	return mt_sum(gout, axes, 0);
}

/* The gradients of weight and bias in one kernel: outside any graph. */
static mt_status grad_weight_and_bias(mt_tensor *const *parts, const struct mt__conv *c, mt_tensor **gx) {
	const char *op = part_rules[MT__CONV_WEIGHT].name;
	mt_tensor *gout = parts[MT__CONV_OUT];
	gx[1] = mt__tensor_new(op, mt__device_of(gout), c->rank, c->shape[MT__CONV_WEIGHT], gout->dtype);
	gx[2] = mt__tensor_new(op, mt__device_of(gout), 1, c->shape[MT__CONV_WEIGHT], gout->dtype);
	if (gx[1] == NULL || gx[2] == NULL)
		return mt_error_peek();
	return run(MT__CONV_WEIGHT, parts, gx[1], gx[2], c);
}

/* gout stands in the place of the node's own part, and the rule of the product gives the inputs' gradients. */
mt_status mt__conv_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct attrs *a = mt__attrs(node);
	const enum mt__conv_part *in = sources[a->part];
	mt_tensor *parts[MT__CONV_PARTS] = {NULL};
	parts[a->part] = gout;
	for (int i = 0; i < 2; i++)
		if (mt__needs(node, 1 - i) && (parts[in[i]] = mt__saved(node, i)) == NULL)
			return mt_error_peek();
	int with_bias = a->part != MT__CONV_WEIGHT && mt__needs(node, 2);
	int fused = with_bias && a->part == MT__CONV_OUT && mt__needs(node, 1) && !mt_grad_enabled();
	if (fused && grad_weight_and_bias(parts, &a->c, gx) != MT_OK)
		return mt_error_peek();
	for (int i = 0; i < 2; i++)
		if (mt__needs(node, i) && gx[i] == NULL &&
		    (gx[i] = mt__conv_part(&part_rules[in[i]], in[i], parts, MT_NONE, &a->c)) == NULL)
			return mt_error_peek();
	if (with_bias && !fused && (gx[2] = grad_bias(gout)) == NULL)
		return mt_error_peek();
	return MT_OK;
}

static mt_tensor *record(const struct mt_grad_rule *rule, enum mt__conv_part part, mt_tensor *const *in, mt_tensor *y,
                         const struct mt__conv *c) {
	struct mt_node *node = mt__record(rule, y, in, 3);
	if (node == NULL)
		return NULL;
	struct attrs *a = mt__attrs(node);
	a->c = *c;
	a->part = part;
	for (int i = 0; i < 2; i++)
		if (mt__needs(node, 1 - i) && mt__save(node, i, in[i]) != MT_OK)
			return NULL;
	return y;
}

mt_tensor *mt__conv_part(const struct mt_grad_rule *rule, enum mt__conv_part part, mt_tensor *const *parts,
                         mt_tensor *bias, const struct mt__conv *c) {
	mt_tensor *in[3] = {parts[sources[part][0]], parts[sources[part][1]], bias};
	mt_tensor *y = compute(rule->name, part, parts, bias, c);
	if (y == NULL)
		return NULL;
	return mt__wants_grad(in, 3) ? record(rule, part, in, y, c) : y;
}

/* ---- the ops ------------------------------------------------------------------------------------------------------ */

int mt__conv_convert(mt_tensor **in, int n) {
	mt_dtype dtype = in[0]->dtype;
	for (int i = 1; i < n; i++)
		if (mt__given(in[i]))
			dtype = mt_promote(dtype, in[i]->dtype);
	dtype = mt__to_float(dtype);
	for (int i = 0; i < n; i++)
		if (mt__given(in[i]) && (in[i] = mt_cast(in[i], dtype)) == NULL)
			return 0;
	return 1;
}

static mt_tensor *conv(int spatial, mt_tensor *x, mt_tensor *weight, mt_tensor *bias, const mt_conv_options *options) {
	static const struct mt_grad_rule rules[] = {
		{"conv1d", mt__conv_backward}, {"conv2d", mt__conv_backward}, {"conv3d", mt__conv_backward}};
	const struct mt_grad_rule *rule = &rules[spatial - 1];
	mt_tensor *in[3] = {x, weight, bias};
	struct mt__conv c = {0};
	if (!mt__check_tensor(rule->name, "x", x) || !mt__check_tensor(rule->name, "weight", weight) ||
	    !mt__check_optional(rule->name, "bias", bias) || !mt__check_same_device(rule->name, in, 3) ||
	    mt__conv_of(rule->name, x, weight, bias, options, spatial, &c) != MT_OK || !mt__conv_convert(in, 3))
		return NULL;
	mt_tensor *parts[MT__CONV_PARTS] = {[MT__CONV_X] = in[0], [MT__CONV_WEIGHT] = in[1]};
	return mt__conv_part(rule, MT__CONV_OUT, parts, in[2], &c);
}

mt_tensor *mt_conv1d(mt_tensor *x, mt_tensor *weight, mt_tensor *bias, mt_conv_options options) {
	return conv(1, x, weight, bias, &options);
}

mt_tensor *mt_conv2d(mt_tensor *x, mt_tensor *weight, mt_tensor *bias, mt_conv_options options) {
	return conv(2, x, weight, bias, &options);
}

mt_tensor *mt_conv3d(mt_tensor *x, mt_tensor *weight, mt_tensor *bias, mt_conv_options options) {
	return conv(3, x, weight, bias, &options);
}
