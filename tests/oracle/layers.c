/* Layers and optimisers of a case: built from its attributes, with the case's inputs as parameters. */
#include <string.h>

#include "call.h"

enum { MAX_PARAMETERS = MAX_INPUTS };

/* Copies inputs first, first + 1, … into m's parameters, in the module's order; their gradients are told in their place. */
static int adopt(struct call *c, mt_module *m, int first) {
	mt_tensor *parameters[MAX_PARAMETERS];
	int64_t n = m != NULL ? mt_module_parameters(m, parameters, MAX_PARAMETERS) : -1;
	if (n != c->n_in - first)
		return 0;
	int was = mt_grad_enable(0), ok = 1;
	for (int i = 0; i < n; i++) {
		ok = ok && mt_copy_(parameters[i], c->in[first + i]) != NULL;
		c->leaf[first + i] = mt_autorelease(mt_retain(parameters[i]));
	}
	mt_grad_enable(was);
	return ok;
}

/* A graph holds what its backward needs, parameters included: the module itself may go. */
static void finish(mt_module *m) {
	mt_module_free(m);
}

static void run_rnn(struct call *c, mt_module *m, int lstm) {
	c->n_out = lstm ? 3 : 2;
	if (adopt(c, m, lstm ? 3 : 2))
		c->out[0] =
			mt_rnn_forward(m, c->in[0], c->in[1], lstm ? c->in[2] : MT_NONE, &c->out[1], lstm ? &c->out[2] : NULL);
	finish(m);
}

static mt_nn_rnn_options rnn_options(const struct call *c) {
	return (mt_nn_rnn_options){.layers = (int)int_of(c, "layers", 1),
	                           .no_bias = (int)int_of(c, "no_bias", 0),
	                           .bidirectional = (int)int_of(c, "bidirectional", 0),
	                           .batch_first = (int)int_of(c, "batch_first", 0)};
}

void run_lstm(struct call *c) {
	run_rnn(c, mt_nn_lstm(int_of(c, "in", 1), int_of(c, "hidden", 1), rnn_options(c)), 1);
}

void run_gru(struct call *c) {
	run_rnn(c, mt_nn_gru(int_of(c, "in", 1), int_of(c, "hidden", 1), rnn_options(c)), 0);
}

/* Inputs q, k, v, key padding, mask, then the parameters; 0-d masks stand for none. */
void run_attention(struct call *c) {
	mt_nn_attention_options options = {.no_bias = (int)int_of(c, "no_bias", 0)};
	mt_module *m = mt_nn_multihead_attention(int_of(c, "embed", 1), int_of(c, "heads", 1), options);
	mt_attention_masks masks = {.causal = (int)int_of(c, "causal", 0)};
	if (mt_tensor_rank(c->in[3]) > 0)
		masks.key_padding = c->in[3];
	if (mt_tensor_rank(c->in[4]) > 0)
		masks.mask = c->in[4];
	c->n_out = 2;
	if (adopt(c, m, 5))
		c->out[0] = mt_attention_forward(m, c->in[0], c->in[1], c->in[2], masks, &c->out[1]);
	finish(m);
}

void run_transformer(struct call *c) {
	mt_nn_transformer_options options = {.activation = int_of(c, "gelu", 0) ? MT_MAP_GELU : MT_MAP_RELU,
	                                     .norm_first = (int)int_of(c, "norm_first", 0),
	                                     .causal = (int)int_of(c, "causal", 0)};
	mt_module *m = mt_nn_transformer_encoder_layer(int_of(c, "embed", 1), int_of(c, "heads", 1),
	                                               int_of(c, "feedforward", 1), options);
	c->n_out = 1;
	if (adopt(c, m, 1))
		c->out[0] = mt_forward(m, c->in[0]);
	finish(m);
}

/* Two training steps, one evaluation: outputs of the second step and of the evaluation, and both running statistics. */
void run_batch_norm_layer(struct call *c) {
	mt_module *m =
		mt_nn_batch_norm1d(int_of(c, "features", 1), (mt_nn_norm_options){.momentum = real_of(c, "momentum", 0)});
	c->n_out = 4;
	if (adopt(c, m, 1) && mt_forward(m, mt_detach(c->in[0])) != NULL) {
		c->out[0] = mt_forward(m, c->in[0]);
		mt_module_train(m, 0);
		c->out[1] = mt_forward(m, c->in[0]);
		c->out[2] = mt_autorelease(mt_retain(mt_module_get(m, "running_mean")));
		c->out[3] = mt_autorelease(mt_retain(mt_module_get(m, "running_var")));
	}
	finish(m);
}

/* ---- optimisers --------------------------------------------------------------------------------------------------- */

static mt_optim *make_optim(const struct call *c, mt_tensor *p) {
	const char *kind = text_of(c, "kind");
	double lr = real_of(c, "lr", 0.1), decay = real_of(c, "weight_decay", 0), momentum = real_of(c, "momentum", 0);
	int maximize = (int)int_of(c, "maximize", 0);
	if (strcmp(kind, "sgd") == 0)
		return mt_optim_sgd(&p, 1, lr,
		                    (mt_sgd_options){.momentum = momentum,
		                                     .dampening = real_of(c, "dampening", 0),
		                                     .weight_decay = decay,
		                                     .nesterov = (int)int_of(c, "nesterov", 0),
		                                     .maximize = maximize});
	if (strcmp(kind, "rmsprop") == 0)
		return mt_optim_rmsprop(&p, 1, lr,
		                        (mt_rmsprop_options){.alpha = real_of(c, "alpha", 0),
		                                             .weight_decay = decay,
		                                             .momentum = momentum,
		                                             .centered = (int)int_of(c, "centered", 0),
		                                             .maximize = maximize});
	if (strcmp(kind, "adagrad") == 0)
		return mt_optim_adagrad(&p, 1, lr,
		                        (mt_adagrad_options){.lr_decay = real_of(c, "lr_decay", 0),
		                                             .weight_decay = decay,
		                                             .initial = real_of(c, "initial", 0),
		                                             .maximize = maximize});
	mt_adam_options adam = {.beta1 = real_of(c, "beta1", 0),
	                        .beta2 = real_of(c, "beta2", 0),
	                        .weight_decay = decay == 0 ? -1 : decay,
	                        .amsgrad = (int)int_of(c, "amsgrad", 0),
	                        .maximize = maximize};
	return strcmp(kind, "adamw") == 0 ? mt_optim_adamw(&p, 1, lr, adam) : mt_optim_adam(&p, 1, lr, adam);
}

/* Input 0: the parameter; one input for each step: its gradient.  The parameter after the last step. */
mt_tensor *run_optim(struct call *c) {
	mt_tensor *p = mt_requires_grad_(mt_clone(mt_detach(c->in[0])), 1);
	mt_optim *o = make_optim(c, p);
	int ok = o != NULL;
	for (int i = 1; i < c->n_in && ok; i++)
		ok = mt_optim_zero_grad(o) == MT_OK &&
		     mt_backward(mt_sum(mt_mul(p, mt_detach(c->in[i])), MT_ALL_AXES, 0)) == MT_OK && mt_optim_step(o) == MT_OK;
	mt_optim_free(o);
	return ok ? mt_detach(p) : NULL;
}
