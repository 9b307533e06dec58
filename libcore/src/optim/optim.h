/* The optimiser as optim/ sees it. */
#ifndef MT_OPTIM_OPTIM_H
#define MT_OPTIM_OPTIM_H

#include "mt/optim.h"

/* One parameter with its state; the tensors are references of our own, state is made at the first step (NULL before).
 * */
struct mt__slot {
	mt_tensor *param;
	mt_tensor *m;    /* SGD: velocity; Adam: first moment; RMSprop: momentum */
	mt_tensor *v;    /* Adam: second moment; RMSprop: its mean; Adagrad: its sum */
	mt_tensor *vmax; /* Adam with amsgrad */
	mt_tensor *mean; /* RMSprop, centered: mean gradient */
	int64_t t;       /* steps this parameter took */
	int group;       /* index into groups */
};

/* The states of a slot, in the order of mt__slot_state. */
enum mt__optim_states { MT__STATE_M = 1, MT__STATE_V = 2, MT__STATE_VMAX = 4, MT__STATE_MEAN = 8, MT__N_STATES = 4 };

struct mt__group {
	double lr;
	double base_lr; /* what mt_optim_scale_lr scales */
	double weight_decay;
};

struct mt_optim {
	/* One step of one parameter; grad is its gradient.  native: by the device's fused kernel, else composed. */
	mt_status (*step)(struct mt_optim *o, struct mt__slot *slot, mt_tensor *grad, int native);
	const char *kind; /* "adamw" */
	int states;       /* enum mt__optim_states, ored: what a slot has after a step */
	int32_t kernel;   /* enum mt_kernel_id of the fused kernel; 0: there is none */
	int composed;     /* never use the fused kernel (tests compare the two) */
	int64_t steps;
	struct mt__group *groups; /* at least one */
	int n_groups;
	struct mt__slot *slots;
	int64_t n;
	int decoupled; /* AdamW */
	/* Defaults filled in; weight_decay is the groups'. */
	union {
		mt_sgd_options sgd;
		mt_adam_options adam;
		mt_rmsprop_options rmsprop;
		mt_adagrad_options adagrad;
	};
};

/* State i of a slot, 0 … MT__N_STATES − 1, and its name. */
mt_tensor **mt__slot_state(struct mt__slot *slot, int i);
const char *mt__slot_state_name(int i);

/* An optimiser with checked parameters, learning rate and decay; kind is "sgd", op "optim_sgd" is named in messages.
 * NULL on failure. */
mt_optim *mt__optim_new(const char *op, mt_tensor *const *parameters, int64_t n, double lr, double weight_decay);

/* Adds a group of checked parameters. */
mt_status mt__optim_extend(const char *op, mt_optim *o, mt_tensor *const *parameters, int64_t n, double lr,
                           double weight_decay);

mt_status mt__check_lr(const char *op, double lr);
mt_status mt__check_weight_decay(const char *op, double weight_decay);

/* The group of a parameter. */
static inline const struct mt__group *mt__group_of(const struct mt_optim *o, const struct mt__slot *slot) {
	return &o->groups[slot->group];
}

/* An option with its default: 0 stands for the default, −1 for 0. */
double mt__optim_option(double value, double standard);

/* The gradient with maximize and decay: ±grad + weight_decay · param. */
mt_tensor *mt__decayed(const struct mt__slot *slot, mt_tensor *grad, double weight_decay, int maximize);
/* a = decay · a + (1 − decay) · b, in place. */
mt_tensor *mt__average_(mt_tensor *a, double decay, mt_tensor *b);

/* *state: a tensor like param, zeroed, kept beyond scopes; made where it is NULL. */
mt_status mt__optim_state(mt_tensor **state, mt_tensor *param);

/* MT_OK where t, the last of a chain of calls, was made; else the error's status. */
mt_status mt__chain_status(const mt_tensor *t);

#endif
