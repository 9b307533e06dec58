/* Options and shapes of convolution and transposed convolution. */
#include "ops/conv.h"

/* ---- options ------------------------------------------------------------------------------------------------------ */

/* 0 stands for absent. */
static mt_status option(const char *op, const char *field, int i, int value, int least, int absent, int32_t *out) {
	if (value == 0)
		value = absent;
	if (value < least)
		return mt__fail(MT_E_ARG, "%s: options.%s[%d] is %d, at least %d is needed", op, field, i, value, least);
	*out = value;
	return MT_OK;
}

static mt_status params_of(const char *op, const int *stride, const int *padding, const int *dilation, int groups,
                           int spatial, struct mt_conv_params *p) {
	*p = (struct mt_conv_params){
		.stride = {1, 1, 1}, .pad = {0, 0, 0}, .dilation = {1, 1, 1}, .groups = groups == 0 ? 1 : groups};
	for (int i = 0; i < spatial; i++) {
		mt_status status = option(op, "stride", i, stride[i], 1, 1, &p->stride[i]);
		if (status == MT_OK)
			status = option(op, "padding", i, padding[i], 0, 0, &p->pad[i]);
		if (status == MT_OK)
			status = option(op, "dilation", i, dilation[i], 1, 1, &p->dilation[i]);
		if (status != MT_OK)
			return status;
	}
	if (p->groups < 1)
		return mt__fail(MT_E_ARG, "%s: options.groups is %d, at least 1 is needed", op, (int)p->groups);
	return MT_OK;
}

mt_status mt__conv_params(const char *op, const mt_conv_options *options, int spatial, struct mt_conv_params *p) {
	mt_status status = params_of(op, options->stride, options->padding, options->dilation, options->groups, spatial, p);
	if (status != MT_OK)
		return status;
	if (options->padding_mode < MT_PADDING_EXPLICIT || options->padding_mode > MT_PADDING_CAUSAL)
		return mt__fail(MT_E_ARG,
		                "%s: options.padding_mode is %d; there are MT_PADDING_EXPLICIT, SAME, SAME_LEFT and CAUSAL", op,
		                options->padding_mode);
	for (int i = 0; i < spatial && options->padding_mode != MT_PADDING_EXPLICIT; i++)
		if (p->pad[i] != 0)
			return mt__fail(MT_E_ARG, "%s: options.padding[%d] is %d; a padding_mode other than EXPLICIT needs 0", op,
			                i, (int)p->pad[i]);
	return MT_OK;
}

mt_status mt__conv_transpose_params(const char *op, const mt_conv_transpose_options *options, int spatial,
                                    struct mt_conv_params *p) {
	mt_status status = params_of(op, options->stride, options->padding, options->dilation, options->groups, spatial, p);
	for (int i = 0; i < spatial && status == MT_OK; i++) {
		int extra = options->output_padding[i], most = p->stride[i] > p->dilation[i] ? p->stride[i] : p->dilation[i];
		if (extra < 0 || extra >= most)
			status = mt__fail(MT_E_ARG,
			                  "%s: options.output_padding[%d] is %d; it must be at least 0 and below stride or "
			                  "dilation, %d",
			                  op, i, extra, most);
	}
	return status;
}

/* ---- channels ----------------------------------------------------------------------------------------------------- */

static mt_status check_ranks(const char *op, const mt_tensor *x, const mt_tensor *w, int spatial) {
	char tx[MT__SHAPE_TEXT], tw[MT__SHAPE_TEXT];
	if (x->rank != spatial + 2 || w->rank != spatial + 2)
		return mt__fail(MT_E_SHAPE, "%s: x is %s, weight is %s; both must have %d dims", op, mt__tensor_text(tx, x),
		                mt__tensor_text(tw, w), spatial + 2);
	for (int d = 0; d < w->rank; d++)
		if (w->shape[d] == 0 || (d > 0 && x->shape[d] == 0))
			return mt__fail(MT_E_SHAPE, "%s: x is %s, weight is %s; only the batch may be empty", op,
			                mt__tensor_text(tx, x), mt__tensor_text(tw, w));
	return MT_OK;
}

static mt_status check_bias(const char *op, const mt_tensor *w, const mt_tensor *bias, int64_t channels) {
	char tw[MT__SHAPE_TEXT], tb[MT__SHAPE_TEXT];
	if (!mt__given(bias) || (bias->rank == 1 && bias->shape[0] == channels))
		return MT_OK;
	return mt__fail(MT_E_SHAPE, "%s: bias is %s, weight is %s; [Co], [%lld], is needed", op, mt__tensor_text(tb, bias),
	                mt__tensor_text(tw, w), (long long)channels);
}

static mt_status check_channels(const char *op, const mt_tensor *x, const mt_tensor *w, int groups) {
	char tx[MT__SHAPE_TEXT], tw[MT__SHAPE_TEXT];
	if (x->shape[1] % groups == 0 && w->shape[0] % groups == 0 && x->shape[1] / groups == w->shape[1])
		return MT_OK;
	return mt__fail(MT_E_SHAPE,
	                "%s: x is %s, weight is %s, groups %d; x: [N, Ci, …] and weight: [Co, Ci/groups, …] "
	                "with Ci and Co divisible by groups are needed",
	                op, mt__tensor_text(tx, x), mt__tensor_text(tw, w), groups);
}

static mt_status check_transposed_channels(const char *op, const mt_tensor *x, const mt_tensor *w, int groups) {
	char tx[MT__SHAPE_TEXT], tw[MT__SHAPE_TEXT];
	if (x->shape[1] % groups == 0 && x->shape[1] == w->shape[0] && w->shape[1] <= INT64_MAX / groups)
		return MT_OK;
	return mt__fail(MT_E_SHAPE,
	                "%s: x is %s, weight is %s, groups %d; x: [N, Ci, …] and weight: [Ci, Co/groups, …] "
	                "with Ci divisible by groups are needed",
	                op, mt__tensor_text(tx, x), mt__tensor_text(tw, w), groups);
}

/* ---- extents ------------------------------------------------------------------------------------------------------ */

/* Sums of a few of these and of 32-bit options do not overflow. */
#define MAX_SPAN (INT64_MAX / 8)

/* What count steps cover, (count − 1) · step + 1; −1 beyond MAX_SPAN. */
static int64_t span(int64_t count, int64_t step) {
	return count - 1 < MAX_SPAN / step ? (count - 1) * step + 1 : -1;
}

static mt_status too_large(const char *op, const mt_tensor *x, const mt_tensor *w, int i) {
	char tx[MT__SHAPE_TEXT], tw[MT__SHAPE_TEXT];
	return mt__fail(MT_E_SHAPE, "%s: x is %s, weight is %s: along spatial dim %d positions overflow", op,
	                mt__tensor_text(tx, x), mt__tensor_text(tw, w), i);
}

/* Padding from the options. */
static mt_status explicit_extent(const char *op, const mt_tensor *x, const mt_tensor *w, int i, struct mt__conv *c) {
	int64_t padded = x->shape[i + 2] + 2 * (int64_t)c->p.pad[i], reach = span(w->shape[i + 2], c->p.dilation[i]);
	if (reach < 0 || reach > padded) {
		char tx[MT__SHAPE_TEXT], tw[MT__SHAPE_TEXT];
		return mt__fail(MT_E_SHAPE,
		                "%s: x is %s, weight is %s: along spatial dim %d the kernel, dilation %d, is "
		                "longer than x with padding %d",
		                op, mt__tensor_text(tx, x), mt__tensor_text(tw, w), i, (int)c->p.dilation[i], (int)c->p.pad[i]);
	}
	c->shape[MT__CONV_OUT][i + 2] = (padded - reach) / c->p.stride[i] + 1;
	return MT_OK;
}

/* Padding such that O = ⌈S / stride⌉.  The kernels need the low side alone: the high one follows from O. */
static mt_status same_extent(const char *op, const mt_tensor *x, const mt_tensor *w, int i, int mode,
                             struct mt__conv *c) {
	int64_t s = x->shape[i + 2], o = (s - 1) / c->p.stride[i] + 1, low = 0;
	int64_t reach = span(w->shape[i + 2], c->p.dilation[i]);
	if (reach < 0)
		return too_large(op, x, w, i);
	int64_t total = span(o, c->p.stride[i]) + reach - 1 - s;
	if (mode == MT_PADDING_SAME && total > 0)
		low = total / 2;
	if (mode == MT_PADDING_CAUSAL)
		low = reach - 1;
	if (low > INT32_MAX)
		return too_large(op, x, w, i);
	c->p.pad[i] = (int32_t)low;
	c->shape[MT__CONV_OUT][i + 2] = o;
	return MT_OK;
}

static mt_status transposed_extent(const char *op, const mt_tensor *x, const mt_tensor *w, int i, int extra,
                                   struct mt__conv *c) {
	int64_t walked = span(x->shape[i + 2], c->p.stride[i]), reach = span(w->shape[i + 2], c->p.dilation[i]);
	if (walked < 0 || reach < 0)
		return too_large(op, x, w, i);
	int64_t o = walked - 1 + reach + extra - 2 * (int64_t)c->p.pad[i];
	if (o < 1) {
		char tx[MT__SHAPE_TEXT], tw[MT__SHAPE_TEXT];
		return mt__fail(MT_E_SHAPE,
		                "%s: x is %s, weight is %s: along spatial dim %d padding %d takes all: the result "
		                "would have extent %lld",
		                op, mt__tensor_text(tx, x), mt__tensor_text(tw, w), i, (int)c->p.pad[i], (long long)o);
	}
	c->shape[MT__CONV_X][i + 2] = o;
	return MT_OK;
}

/* ---- all of it ---------------------------------------------------------------------------------------------------- */

static mt_status set_shape(const char *op, struct mt__conv *c, enum mt__conv_part part, const mt_tensor *t) {
	char text[MT__SHAPE_TEXT];
	c->rank = t->rank;
	for (int d = 0; d < t->rank; d++) {
		if (t->shape[d] > MAX_SPAN)
			return mt__fail(MT_E_SHAPE, "%s: %s is too large", op, mt__tensor_text(text, t));
		c->shape[part][d] = t->shape[d];
	}
	return MT_OK;
}

mt_status mt__conv_of(const char *op, const mt_tensor *x, const mt_tensor *w, const mt_tensor *bias,
                      const mt_conv_options *options, int spatial, struct mt__conv *c) {
	mt_status status = mt__conv_params(op, options, spatial, &c->p);
	if (status == MT_OK)
		status = check_ranks(op, x, w, spatial);
	if (status == MT_OK)
		status = check_channels(op, x, w, c->p.groups);
	if (status == MT_OK)
		status = check_bias(op, w, bias, w->shape[0]);
	if (status == MT_OK)
		status = set_shape(op, c, MT__CONV_X, x);
	if (status == MT_OK)
		status = set_shape(op, c, MT__CONV_WEIGHT, w);
	for (int i = 0; i < spatial && status == MT_OK; i++)
		status = options->padding_mode == MT_PADDING_EXPLICIT ? explicit_extent(op, x, w, i, c)
		                                                      : same_extent(op, x, w, i, options->padding_mode, c);
	c->shape[MT__CONV_OUT][0] = x->shape[0];
	c->shape[MT__CONV_OUT][1] = w->shape[0];
	return status;
}

mt_status mt__conv_transpose_of(const char *op, const mt_tensor *x, const mt_tensor *w, const mt_tensor *bias,
                                const mt_conv_transpose_options *options, int spatial, struct mt__conv *c) {
	mt_status status = mt__conv_transpose_params(op, options, spatial, &c->p);
	if (status == MT_OK)
		status = check_ranks(op, x, w, spatial);
	if (status == MT_OK)
		status = check_transposed_channels(op, x, w, c->p.groups);
	if (status == MT_OK)
		status = check_bias(op, w, bias, w->shape[1] * c->p.groups);
	if (status == MT_OK)
		status = set_shape(op, c, MT__CONV_OUT, x);
	if (status == MT_OK)
		status = set_shape(op, c, MT__CONV_WEIGHT, w);
	for (int i = 0; i < spatial && status == MT_OK; i++)
		status = transposed_extent(op, x, w, i, options->output_padding[i], c);
	if (status == MT_OK) {
		c->shape[MT__CONV_X][0] = x->shape[0];
		c->shape[MT__CONV_X][1] = w->shape[1] * c->p.groups;
	}
	return status;
}
