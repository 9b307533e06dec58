/* Faults that change what the inner kernel is asked: convolution, pooling, norms, losses, random numbers, optimisers. */
#include <stddef.h>

#include "fault.h"

/* ---- convolution ---- */

static struct mt_conv_params *conv_params(struct fault_call *c) {
	switch (c->kernel) {
	case MT_K_CONV:
		return &((struct mt_conv_args *)c->args)->p;
	case MT_K_CONV_GRAD_INPUT:
		return &((struct mt_conv_grad_input_args *)c->args)->p;
	default:
		return &((struct mt_conv_grad_weight_args *)c->args)->p;
	}
}

void fault_reversed_kernel(struct fault_call *c) {
	mt_array *weight = &fault_find(c, "weight")->array;
	for (int d = 2; d < weight->rank; d++)
		fault_reverse(weight, d);
}

void fault_no_dilation(struct fault_call *c) {
	for (int s = 0; s < MT_MAX_SPATIAL; s++)
		conv_params(c)->dilation[s] = 1;
}

void fault_no_conv_pad(struct fault_call *c) {
	for (int s = 0; s < MT_MAX_SPATIAL; s++)
		conv_params(c)->pad[s] = 0;
}

void fault_no_conv_stride(struct fault_call *c) {
	for (int s = 0; s < MT_MAX_SPATIAL; s++)
		conv_params(c)->stride[s] = 1;
}

void fault_swapped_groups(struct fault_call *c) {
	if (conv_params(c)->groups > 1)
		fault_reverse(&fault_find(c, "weight")->array, 0);
}

void fault_no_conv_bias(struct fault_call *c) {
	((struct mt_conv_args *)c->args)->bias = NULL;
}

void fault_first_image(struct fault_call *c) {
	fault_find(c, "gout")->array.shape[0] = 1;
	fault_find(c, "x")->array.shape[0] = 1;
}

/* ---- pooling ---- */

void fault_counts_pad(struct fault_call *c) {
	struct mt_pool_params *p = &((struct mt_pool_args *)c->args)->p;
	p->count_include_pad = !p->count_include_pad;
}

void fault_grad_counts_pad(struct fault_call *c) {
	struct mt_pool_params *p = &((struct mt_pool_grad_args *)c->args)->p;
	p->count_include_pad = !p->count_include_pad;
}

/* ---- softmax and losses ---- */

void fault_last_axis(struct fault_call *c) {
	((struct mt_softmax_args *)c->args)->axis = fault_out(c)->array.rank - 1;
}

void fault_no_log(struct fault_call *c) {
	((struct mt_softmax_grad_args *)c->args)->log = 0;
}

void fault_no_smoothing(struct fault_call *c) {
	((struct mt_cross_entropy_args *)c->args)->label_smoothing = 0;
}

void fault_no_class_weight(struct fault_call *c) {
	((struct mt_cross_entropy_args *)c->args)->weight = NULL;
}

void fault_no_grad_smoothing(struct fault_call *c) {
	((struct mt_cross_entropy_grad_args *)c->args)->label_smoothing = 0;
}

/* ---- norms ---- */

void fault_no_eps(struct fault_call *c) {
	((struct mt_layer_norm_args *)c->args)->eps = 0;
}

void fault_no_weight(struct fault_call *c) {
	((struct mt_layer_norm_grad_args *)c->args)->weight = NULL;
}

void fault_swapped_momentum(struct fault_call *c) {
	struct mt_batch_norm_args *args = c->args;
	args->momentum = 1 - args->momentum;
}

void fault_frozen_statistics(struct fault_call *c) {
	((struct mt_batch_norm_grad_args *)c->args)->training = 0;
}

/* ---- embedding ---- */

void fault_no_padding_idx(struct fault_call *c) {
	((struct mt_embedding_grad_args *)c->args)->padding_idx = -1;
}

/* ---- random numbers ---- */

void fault_no_offset(struct fault_call *c) {
	struct mt_uniform_args *args = c->args;
	args->pos.offset = 0;
	args->pos.device_offset = NULL;
}

void fault_short_seed(struct fault_call *c) {
	struct mt_uniform_args *args = c->args;
	args->pos.seed &= 0xffffffffu;
}

void fault_variance(struct fault_call *c) {
	struct mt_normal_args *args = c->args;
	args->std *= args->std;
}

void fault_other_probability(struct fault_call *c) {
	struct mt_bernoulli_args *args = c->args;
	args->p = 1 - args->p;
}

/* ---- optimisers ---- */

void fault_no_nesterov(struct fault_call *c) {
	((struct mt_sgd_args *)c->args)->nesterov = 0;
}

void fault_never_first(struct fault_call *c) {
	((struct mt_sgd_args *)c->args)->first = 0;
}

void fault_no_dampening(struct fault_call *c) {
	((struct mt_sgd_args *)c->args)->dampening = 0;
}

void fault_no_weight_decay(struct fault_call *c) {
	((struct mt_sgd_args *)c->args)->weight_decay = 0;
}

void fault_next_step(struct fault_call *c) {
	((struct mt_adam_args *)c->args)->step.value++;
}

void fault_no_bias_correction(struct fault_call *c) {
	((struct mt_adam_args *)c->args)->step = (struct mt_step_value){.value = 1e9};
}

void fault_coupled(struct fault_call *c) {
	((struct mt_adam_args *)c->args)->decoupled = 0;
}

void fault_no_vmax(struct fault_call *c) {
	((struct mt_adam_args *)c->args)->vmax = NULL;
}

void fault_minimises(struct fault_call *c) {
	((struct mt_adam_args *)c->args)->maximize = 0;
}
