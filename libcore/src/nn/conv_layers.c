/* Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d. */
#include <inttypes.h>

#include "nn/extents.h"
#include "nn/weight.h"
#include "ops/conv.h"

struct conv_layer {
	int spatial, transposed, bias;
	int64_t in, out;
	int kernel[MT_MAX_SPATIAL];
	int output_padding[MT_MAX_SPATIAL]; /* transposed */
	mt_conv_options options;
};

/* ---- forward ---------------------------------------------------------------------------------------------------- */

static mt_tensor *conv_forward(mt_module *m, mt_tensor *x, void *context) {
	static mt_tensor *(*const ops[])(mt_tensor *, mt_tensor *, mt_tensor *, mt_conv_options) = {mt_conv1d, mt_conv2d,
	                                                                                            mt_conv3d};
	const struct conv_layer *c = context;
	return ops[c->spatial - 1](x, mt__weight_of(m), mt__bias_of(m), c->options);
}

static mt_conv_transpose_options transposed(const struct conv_layer *c) {
	mt_conv_transpose_options o = {.groups = c->options.groups};
	for (int i = 0; i < c->spatial; i++) {
		o.stride[i] = c->options.stride[i];
		o.padding[i] = c->options.padding[i];
		o.output_padding[i] = c->output_padding[i];
		o.dilation[i] = c->options.dilation[i];
	}
	return o;
}

static mt_tensor *transpose_forward(mt_module *m, mt_tensor *x, void *context) {
	static mt_tensor *(*const ops[])(mt_tensor *, mt_tensor *, mt_tensor *,
	                                 mt_conv_transpose_options) = {mt_conv_transpose1d, mt_conv_transpose2d};
	const struct conv_layer *c = context;
	return ops[c->spatial - 1](x, mt__weight_of(m), mt__bias_of(m), transposed(c));
}

/* ---- printing --------------------------------------------------------------------------------------------------- */

/* Where a value differs from usual. */
static void add_unusual(struct mt__description *t, const char *before, int n, const int *values, int usual) {
	for (int i = 0; i < n; i++)
		if (values[i] != usual) {
			mt__describe_extents(t, before, n, values);
			return;
		}
}

static int conv_describe(void *context, char *out, size_t size) {
	static const char *const modes[] = {NULL, "same", "same_left", "causal"};
	const struct conv_layer *c = context;
	const mt_conv_options *o = &c->options;
	struct mt__description t = {out, size, 0};
	mt__describe_add(out, size, &t.at, "%" PRId64 ", %" PRId64, c->in, c->out);
	mt__describe_extents(&t, ", kernel_size=", c->spatial, c->kernel);
	mt__describe_extents(&t, ", stride=", c->spatial, o->stride);
	if (o->padding_mode != MT_PADDING_EXPLICIT)
		mt__describe_add(out, size, &t.at, ", padding=%s", modes[o->padding_mode]);
	else
		add_unusual(&t, ", padding=", c->spatial, o->padding, 0);
	add_unusual(&t, ", dilation=", c->spatial, o->dilation, 1);
	add_unusual(&t, ", output_padding=", c->spatial, c->output_padding, 0);
	if (o->groups > 1)
		mt__describe_add(out, size, &t.at, ", groups=%d", o->groups);
	if (!c->bias)
		mt__describe_add(out, size, &t.at, ", bias=False");
	return t.at;
}

/* ---- construction ----------------------------------------------------------------------------------------------- */

static mt_status check(const char *op, const struct conv_layer *c, int64_t groups) {
	int least = c->kernel[0];
	for (int i = 1; i < c->spatial; i++)
		least = c->kernel[i] < least ? c->kernel[i] : least;
	if (c->in < 1 || c->out < 1 || least < 1) {
		char kernel[64] = "";
		mt__describe_extents(&(struct mt__description){kernel, sizeof kernel, 0}, "", c->spatial, c->kernel);
		return mt__fail(MT_E_ARG,
		                "%s: channels and kernel extents must be at least 1, got %" PRId64 " to %" PRId64
		                " channels, kernel %s",
		                op, c->in, c->out, kernel);
	}
	if (c->in % groups != 0 || c->out % groups != 0)
		return mt__fail(MT_E_ARG, "%s: groups must divide %" PRId64 " and %" PRId64 ", got %" PRId64, op, c->in, c->out,
		                groups);
	return MT_OK;
}

/* c's options with what stands for absent written out: as they are printed. */
static void take_params(struct conv_layer *c, const struct mt_conv_params *p) {
	for (int i = 0; i < c->spatial; i++) {
		c->options.stride[i] = p->stride[i];
		c->options.padding[i] = p->pad[i];
		c->options.dilation[i] = p->dilation[i];
	}
	c->options.groups = p->groups;
}

/* PyTorch's fan_in of a weight [a, b, kernel…] is b · kernel cells, for the transposed layer too. */
static mt_module *build(const char *op, const mt_module_class *kind, struct conv_layer *c,
                        const struct mt_conv_params *p) {
	if (check(op, c, p->groups) != MT_OK)
		return NULL;
	take_params(c, p);
	int64_t shape[MT_MAX_SPATIAL + 2] = {c->transposed ? c->in : c->out, (c->transposed ? c->out : c->in) / p->groups};
	int64_t fan_in = shape[1];
	for (int i = 0; i < c->spatial; i++) {
		shape[i + 2] = c->kernel[i];
		if (__builtin_mul_overflow(fan_in, c->kernel[i], &fan_in))
			fan_in = 0; /* the tensor's own check says so */
	}
	return mt__with_weight(mt__module_with(kind, c, sizeof *c), c->spatial + 2, shape, fan_in, c->bias ? c->out : 0);
}

static mt_module *conv(int spatial, int64_t in, int64_t out, const int *kernel, int bias, mt_conv_options options) {
	static const char *const ops[] = {"nn_conv1d", "nn_conv2d", "nn_conv3d"};
	static const mt_module_class kinds[] = {{"Conv1d", conv_forward, conv_describe, mt__free},
	                                        {"Conv2d", conv_forward, conv_describe, mt__free},
	                                        {"Conv3d", conv_forward, conv_describe, mt__free}};
	const char *op = ops[spatial - 1];
	struct conv_layer c = {.spatial = spatial, .bias = bias != 0, .in = in, .out = out, .options = options};
	struct mt_conv_params p;
	for (int i = 0; i < spatial; i++)
		c.kernel[i] = kernel[i];
	return mt__conv_params(op, &options, spatial, &p) == MT_OK ? build(op, &kinds[spatial - 1], &c, &p) : NULL;
}

static mt_module *conv_transpose(int spatial, int64_t in, int64_t out, const int *kernel, int bias,
                                 mt_conv_transpose_options options) {
	static const char *const ops[] = {"nn_conv_transpose1d", "nn_conv_transpose2d"};
	static const mt_module_class kinds[] = {{"ConvTranspose1d", transpose_forward, conv_describe, mt__free},
	                                        {"ConvTranspose2d", transpose_forward, conv_describe, mt__free}};
	const char *op = ops[spatial - 1];
	struct conv_layer c = {.spatial = spatial, .transposed = 1, .bias = bias != 0, .in = in, .out = out};
	struct mt_conv_params p;
	for (int i = 0; i < spatial; i++) {
		c.kernel[i] = kernel[i];
		c.output_padding[i] = options.output_padding[i];
	}
	return mt__conv_transpose_params(op, &options, spatial, &p) == MT_OK ? build(op, &kinds[spatial - 1], &c, &p)
	                                                                     : NULL;
}

mt_module *mt_nn_conv1d(int64_t in, int64_t out, int kernel, int bias, mt_conv_options options) {
	return conv(1, in, out, &kernel, bias, options);
}

mt_module *mt_nn_conv2d(int64_t in, int64_t out, int kernel_h, int kernel_w, int bias, mt_conv_options options) {
	return conv(2, in, out, (const int[]){kernel_h, kernel_w}, bias, options);
}

mt_module *mt_nn_conv3d(int64_t in, int64_t out, int kernel_d, int kernel_h, int kernel_w, int bias,
                        mt_conv_options options) {
	return conv(3, in, out, (const int[]){kernel_d, kernel_h, kernel_w}, bias, options);
}

mt_module *mt_nn_conv_transpose1d(int64_t in, int64_t out, int kernel, int bias, mt_conv_transpose_options options) {
	return conv_transpose(1, in, out, &kernel, bias, options);
}

mt_module *mt_nn_conv_transpose2d(int64_t in, int64_t out, int kernel_h, int kernel_w, int bias,
                                  mt_conv_transpose_options options) {
	return conv_transpose(2, in, out, (const int[]){kernel_h, kernel_w}, bias, options);
}
