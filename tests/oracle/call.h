/* One case of the oracle: inputs, attributes, outputs. */
#ifndef ORACLE_CALL_H
#define ORACLE_CALL_H

#include <jansson.h>

#include "mt/mt.h"

enum { MAX_INPUTS = 24, MAX_OUTPUTS = 4 };

struct call {
	json_t *attrs;
	mt_tensor *leaf[MAX_INPUTS]; /* whose gradients are told: as it was given */
	mt_tensor *in[MAX_INPUTS];   /* the same after its views */
	int wants_grad[MAX_INPUTS];
	int n_in;
	mt_tensor *out[MAX_OUTPUTS];
	int n_out;
};

/* Runs the op into call->out.  0 where no op has this name; a failed op leaves NULL in out[0]. */
int run_op(const char *name, struct call *c);
/* Writes the names of all ops, one a line. */
void list_ops(FILE *out);

/* Attributes; absent ones give the value in the second argument. */
int64_t int_of(const struct call *c, const char *name, int64_t absent);
double real_of(const struct call *c, const char *name, double absent);
const char *text_of(const struct call *c, const char *name);
int64_t item_of(const struct call *c, const char *name, int i); /* of a list; 0 past its end */
int length_of(const struct call *c, const char *name);          /* −1 where there is no such list */
const int64_t *list_of(const struct call *c, const char *name); /* at most 8, static storage of the thread */
mt_axes axes_of(const struct call *c, const char *name);        /* all where absent */
mt_scalar number_of(const struct call *c, const char *name);    /* integer or real as it stands */
mt_dtype dtype_of(const struct call *c, const char *name);
mt_tensor *input(const struct call *c, int i); /* MT_NONE past the last */

mt_conv_options conv_options(const struct call *c);
mt_conv_transpose_options conv_transpose_options(const struct call *c);
mt_pool_options pool_options(const struct call *c);
mt_loss_options loss_options(const struct call *c);

/* Layers and optimisers: input 0 is x (or the parameter), the following ones the parameters in order. */
void run_lstm(struct call *c);
void run_gru(struct call *c);
void run_attention(struct call *c);
void run_transformer(struct call *c);
void run_batch_norm_layer(struct call *c);
mt_tensor *run_optim(struct call *c);

#endif
