/* Transposed convolution over 1 to 3 spatial dims: the gradient of convolution with respect to its input, as an op. */
#include "ops/conv.h"

static mt_tensor *conv_transpose(int spatial, mt_tensor *x, mt_tensor *weight, mt_tensor *bias,
                                 const mt_conv_transpose_options *options) {
	static const struct mt_grad_rule rules[] = {{"conv_transpose1d", mt__conv_backward},
	                                            {"conv_transpose2d", mt__conv_backward},
	                                            {"conv_transpose3d", mt__conv_backward}};
	const struct mt_grad_rule *rule = &rules[spatial - 1];
	mt_tensor *in[3] = {x, weight, bias};
	struct mt__conv c = {0};
	if (!mt__check_tensor(rule->name, "x", x) || !mt__check_tensor(rule->name, "weight", weight) ||
	    !mt__check_optional(rule->name, "bias", bias) || !mt__check_same_device(rule->name, in, 3) ||
	    mt__conv_transpose_of(rule->name, x, weight, bias, options, spatial, &c) != MT_OK || !mt__conv_convert(in, 3))
		return NULL;
	mt_tensor *parts[MT__CONV_PARTS] = {[MT__CONV_OUT] = in[0], [MT__CONV_WEIGHT] = in[1]};
	return mt__conv_part(rule, MT__CONV_X, parts, in[2], &c);
}

mt_tensor *mt_conv_transpose1d(mt_tensor *x, mt_tensor *weight, mt_tensor *bias, mt_conv_transpose_options options) {
	return conv_transpose(1, x, weight, bias, &options);
}

mt_tensor *mt_conv_transpose2d(mt_tensor *x, mt_tensor *weight, mt_tensor *bias, mt_conv_transpose_options options) {
	return conv_transpose(2, x, weight, bias, &options);
}

mt_tensor *mt_conv_transpose3d(mt_tensor *x, mt_tensor *weight, mt_tensor *bias, mt_conv_transpose_options options) {
	return conv_transpose(3, x, weight, bias, &options);
}
