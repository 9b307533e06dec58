/* Faults of a kernel that reads its arguments wrongly: they are changed before it sees them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "faults.h"

/* A dim read from its other end. */
static void reverse_dim(mt_array *a, int d) {
	if (a == NULL || d < 0 || d >= a->rank)
		return;
	a->byte_offset += (uint64_t)((a->shape[d] - 1) * a->stride[d] * fault_size(a));
	a->stride[d] = -a->stride[d];
}

/* ---- strides ---- */

/* Every row is the first one. */
void fault_stride_of_dim_0(struct fault_call *c) {
	mt_array *x = fault_input(c);
	if (x != NULL && x->rank > 1)
		x->stride[0] = 0;
}

/* Negative strides are walked as if they were positive. */
void fault_sign_of_strides(struct fault_call *c) {
	mt_array *x = fault_input(c);
	for (int d = 0; x != NULL && d < x->rank; d++)
		if (x->stride[d] < 0)
			reverse_dim(x, d);
}

void fault_batch_stride(struct fault_call *c) {
	mt_array *a = fault_array(c, "a");
	if (a->rank > 2)
		a->stride[0] = 0;
}

/* ---- matmul ---- */

void fault_no_alpha(struct fault_call *c) {
	c->args.matmul.alpha = 1;
}

void fault_no_beta(struct fault_call *c) {
	c->args.matmul.beta = 0;
}

/* 0 · NaN is NaN: what lay in out comes through. */
void fault_beta_reads(struct fault_call *c) {
	if (c->args.matmul.beta == 0 && (c->arrays[0].dtype == MT_F32 || c->arrays[0].dtype == MT_F64))
		c->args.matmul.beta = 1e-300;
}

void fault_no_bias(struct fault_call *c) {
	if (c->kernel == MT_K_MATMUL)
		c->args.matmul.bias = NULL;
	else
		c->args.conv.bias = NULL;
}

void fault_no_activation(struct fault_call *c) {
	if (c->kernel == MT_K_MATMUL)
		c->args.matmul.activation = MT_ACT_NONE;
	else
		c->args.conv.activation = MT_ACT_NONE;
}

/* ---- axes, orders, indices ---- */

void fault_last_axis(struct fault_call *c) {
	c->args.softmax.axis = c->arrays[0].rank - 1;
}

void fault_softmax_not_log(struct fault_call *c) {
	c->args.softmax.log = 0;
}

void fault_no_reverse(struct fault_call *c) {
	c->args.scan.reverse = 0;
}

void fault_no_descending(struct fault_call *c) {
	c->args.sort.descending = 0;
}

/* Indices from the end count as 0. */
void fault_no_negative_index(struct fault_call *c) {
	const mt_array *index = fault_array(c, "index");
	unsigned char *bytes = fault_get(c, index);
	for (int64_t e = 0; e < fault_numel(index); e++)
		if (fault_read(index, bytes, e) < 0)
			fault_write(index, bytes, e, 0);
	fault_put(c, index, bytes);
	free(bytes);
}

void fault_select_swapped(struct fault_call *c) {
	const mt_array *a = c->args.select.a;
	c->args.select.a = c->args.select.b;
	c->args.select.b = a;
}

/* What out held counts as 0. */
void fault_starts_from_zero(struct fault_call *c) {
	const mt_array *out = fault_output(c);
	unsigned char *bytes = fault_get(c, out);
	for (int64_t e = 0; e < fault_numel(out); e++)
		fault_write(out, bytes, e, 0);
	fault_put(c, out, bytes);
	free(bytes);
}

/* Of equal values the last one wins. */
void fault_from_the_end(struct fault_call *c) {
	reverse_dim(fault_array(c, "x"), c->args.arg_reduce.axis);
}

/* ---- convolution and pooling ---- */

static struct mt_conv_params *conv_params(struct fault_call *c) {
	return c->kernel == MT_K_CONV              ? &c->args.conv.p
	       : c->kernel == MT_K_CONV_GRAD_INPUT ? &c->args.conv_grad_input.p
	                                           : &c->args.conv_grad_weight.p;
}

void fault_kernel_reversed(struct fault_call *c) {
	mt_array *weight = fault_array(c, "weight");
	for (int d = 2; d < weight->rank; d++)
		reverse_dim(weight, d);
}

void fault_no_dilation(struct fault_call *c) {
	for (int d = 0; d < MT_MAX_SPATIAL; d++)
		conv_params(c)->dilation[d] = 1;
}

void fault_no_pad(struct fault_call *c) {
	for (int d = 0; d < MT_MAX_SPATIAL; d++)
		conv_params(c)->pad[d] = 0;
}

/* Each group reads another one's channels. */
void fault_wrong_group(struct fault_call *c) {
	if (conv_params(c)->groups > 1)
		reverse_dim(fault_array(c, c->kernel == MT_K_CONV_GRAD_INPUT ? "gx" : "x"), 1);
}

void fault_no_bias_gradient(struct fault_call *c) {
	c->args.conv_grad_weight.gbias = NULL;
}

void fault_pad_counted_wrong(struct fault_call *c) {
	if (c->kernel == MT_K_POOL)
		c->args.pool.p.count_include_pad = !c->args.pool.p.count_include_pad;
	else
		c->args.pool_grad.p.count_include_pad = !c->args.pool_grad.p.count_include_pad;
}

/* ---- losses, norms, embedding ---- */

void fault_no_smoothing(struct fault_call *c) {
	if (c->kernel == MT_K_CROSS_ENTROPY)
		c->args.cross_entropy.label_smoothing = 0;
	else
		c->args.cross_entropy_grad.label_smoothing = 0;
}

void fault_no_class_weight(struct fault_call *c) {
	if (c->kernel == MT_K_CROSS_ENTROPY)
		c->args.cross_entropy.weight = NULL;
	else
		c->args.cross_entropy_grad.weight = NULL;
}

/* Ignored rows count as rows of class 0. */
void fault_no_ignore_index(struct fault_call *c) {
	const mt_array *target = fault_array(c, "target");
	int64_t ignored =
		c->kernel == MT_K_CROSS_ENTROPY ? c->args.cross_entropy.ignore_index : c->args.cross_entropy_grad.ignore_index;
	unsigned char *bytes = fault_get(c, target);
	for (int64_t e = 0; e < fault_numel(target); e++)
		if (fault_read(target, bytes, e) == (double)ignored)
			fault_write(target, bytes, e, ignored == 0 ? 1 : 0);
	fault_put(c, target, bytes);
	free(bytes);
}

void fault_no_eps(struct fault_call *c) {
	if (c->kernel == MT_K_LAYER_NORM)
		c->args.layer_norm.eps = 0;
	else
		c->args.batch_norm.eps = 0;
}

void fault_always_training(struct fault_call *c) {
	c->args.batch_norm_grad.training = 1;
}

void fault_no_padding_idx(struct fault_call *c) {
	c->args.embedding_grad.padding_idx = -1;
}

/* ---- random numbers and optimisers ---- */

static mt_philox_pos *position(struct fault_call *c) {
	return c->kernel == MT_K_UNIFORM  ? &c->args.uniform.pos
	       : c->kernel == MT_K_NORMAL ? &c->args.normal.pos
	                                  : &c->args.bernoulli.pos;
}

void fault_wrong_offset(struct fault_call *c) {
	position(c)->offset++;
}

void fault_no_device_offset(struct fault_call *c) {
	position(c)->device_offset = NULL;
}

/* Only the low half of the seed is used. */
void fault_half_seed(struct fault_call *c) {
	position(c)->seed &= UINT32_MAX;
}

void fault_no_nesterov(struct fault_call *c) {
	c->args.sgd.nesterov = 0;
}

void fault_first_ignored(struct fault_call *c) {
	c->args.sgd.first = 0;
}

void fault_no_dampening(struct fault_call *c) {
	c->args.sgd.dampening = 0;
}

void fault_no_maximize(struct fault_call *c) {
	if (c->kernel == MT_K_SGD)
		c->args.sgd.maximize = 0;
	else
		c->args.adam.maximize = 0;
}

void fault_step_from_zero(struct fault_call *c) {
	c->args.adam.step.value++;
}

void fault_no_bias_correction(struct fault_call *c) {
	c->args.adam.step = (mt_step_value){1e9, NULL};
}

void fault_never_decoupled(struct fault_call *c) {
	c->args.adam.decoupled = 0;
}

void fault_no_amsgrad(struct fault_call *c) {
	c->args.adam.vmax = NULL;
}

void fault_no_device_lr(struct fault_call *c) {
	if (c->kernel == MT_K_SGD)
		c->args.sgd.lr.device = NULL;
	else
		c->args.adam.lr.device = NULL;
}
