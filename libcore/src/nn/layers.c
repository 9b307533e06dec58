/* Layers with parameters: Linear, Conv2d. */
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "nn/module.h"

/* Adds weight and, where asked for, bias [out], both uniform in ±1/√fan_in: what PyTorch's kaiming_uniform_(a = √5)
 * comes to.  Frees m and returns NULL on failure. */
static mt_module *with_parameters(mt_module *m, int rank, const int64_t *shape, int64_t fan_in, int bias) {
	mt_scope *scope = m ? mt_scope_begin() : NULL;
	if (scope == NULL) {
		mt_module_free(m);
		return NULL;
	}
	double bound = fan_in > 0 ? 1.0 / sqrt((double)fan_in) : 0;
	mt_status status = mt__add_uniform_parameter(m, "weight", mt_empty(rank, shape, MT_F32), bound);
	if (status == MT_OK && bias)
		status = mt__add_uniform_parameter(m, "bias", mt_empty(1, shape, MT_F32), bound);
	mt_scope_end(scope);
	if (status == MT_OK)
		return m;
	mt_module_free(m);
	return NULL;
}

static mt_tensor *weight_of(const mt_module *m) {
	return m->state[0].tensor;
}

static mt_tensor *bias_of(const mt_module *m) {
	return m->n_state > 1 ? m->state[1].tensor : MT_NONE;
}

static void *copy_options(const void *options, size_t size) {
	char *copy = mt__alloc(size);
	if (copy == NULL) {
		mt__fail_memory("module", size);
		return NULL;
	}
	for (size_t i = 0; i < size; i++)
		copy[i] = ((const char *)options)[i];
	return copy;
}

/* ---- Linear ----------------------------------------------------------------------------------------------------- */

struct linear {
	int64_t in, out;
	int bias;
};

static mt_tensor *linear_forward(mt_module *m, mt_tensor *x, void *context) {
	(void)context;
	return mt_linear(x, weight_of(m), bias_of(m));
}

static int linear_describe(void *context, char *text, size_t size) {
	const struct linear *l = context;
	return snprintf(text, size, "%" PRId64 ", %" PRId64 ", bias=%s", l->in, l->out, l->bias ? "True" : "False");
}

static const mt_module_class linear_class = {"Linear", linear_forward, linear_describe, mt__free};

mt_module *mt_nn_linear(int64_t in, int64_t out, int bias) {
	if (in < 1 || out < 1) {
		mt__fail(MT_E_ARG, "nn_linear: in and out must be at least 1, got %" PRId64 " and %" PRId64, in, out);
		return NULL;
	}
	const struct linear options = {in, out, bias != 0};
	void *context = copy_options(&options, sizeof options);
	if (context == NULL)
		return NULL;
	const int64_t shape[] = {out, in};
	return with_parameters(mt_module_new(&linear_class, context), 2, shape, in, bias);
}

/* ---- Conv2d ----------------------------------------------------------------------------------------------------- */

struct conv2d {
	int64_t in, out;
	int kernel[2], bias;
	mt_conv_options options;
};

static mt_tensor *conv2d_forward(mt_module *m, mt_tensor *x, void *context) {
	const struct conv2d *c = context;
	return mt_conv2d(x, weight_of(m), bias_of(m), c->options);
}

/* ", NAME=(H, W)" where either differs from usual (0 stands for usual). */
static int add_pair(char *text, size_t size, const char *name, const int *value, int usual) {
	int h = value[0] ? value[0] : usual, w = value[1] ? value[1] : usual;
	if (h == usual && w == usual)
		return 0;
	return snprintf(text, size, ", %s=(%d, %d)", name, h, w);
}

static int conv2d_describe(void *context, char *text, size_t size) {
	const struct conv2d *c = context;
	const mt_conv_options *o = &c->options;
	char stride[64] = "", padding[64] = "", dilation[64] = "", groups[32] = "";
	add_pair(stride, sizeof stride, "stride", o->stride, 1);
	add_pair(padding, sizeof padding, "padding", o->padding, 0);
	add_pair(dilation, sizeof dilation, "dilation", o->dilation, 1);
	if (o->groups > 1)
		snprintf(groups, sizeof groups, ", groups=%d", o->groups);
	return snprintf(text, size, "%" PRId64 ", %" PRId64 ", kernel_size=(%d, %d)%s%s%s%s%s", c->in, c->out, c->kernel[0],
	                c->kernel[1], stride, padding, dilation, groups, c->bias ? "" : ", bias=False");
}

static const mt_module_class conv2d_class = {"Conv2d", conv2d_forward, conv2d_describe, mt__free};

mt_module *mt_nn_conv2d(int64_t in, int64_t out, int kernel_h, int kernel_w, int bias, mt_conv_options options) {
	int64_t groups = options.groups ? options.groups : 1;
	if (in < 1 || out < 1 || kernel_h < 1 || kernel_w < 1) {
		mt__fail(MT_E_ARG,
		         "nn_conv2d: channels and kernel extents must be at least 1, got %" PRId64 " to %" PRId64
		         " channels, kernel %d x %d",
		         in, out, kernel_h, kernel_w);
		return NULL;
	}
	if (groups < 1 || in % groups != 0 || out % groups != 0) {
		mt__fail(MT_E_ARG, "nn_conv2d: groups must divide %" PRId64 " and %" PRId64 ", got %" PRId64, in, out, groups);
		return NULL;
	}
	const struct conv2d c = {in, out, {kernel_h, kernel_w}, bias != 0, options};
	void *context = copy_options(&c, sizeof c);
	if (context == NULL)
		return NULL;
	const int64_t shape[] = {out, in / groups, kernel_h, kernel_w};
	int64_t fan_in = 0; /* too large a kernel: the tensor's own check says so */
	if (in / groups <= INT64_MAX / kernel_h / kernel_w)
		fan_in = in / groups * kernel_h * kernel_w;
	return with_parameters(mt_module_new(&conv2d_class, context), 4, shape, fan_in, bias);
}
