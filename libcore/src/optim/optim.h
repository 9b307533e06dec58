/* The optimiser as optim/ sees it. */
#ifndef MT_OPTIM_OPTIM_H
#define MT_OPTIM_OPTIM_H

#include "mt/optim.h"

/* One parameter with its state; the tensors are references of our own, state is made at the first step (NULL before).
 * */
struct mt__slot {
	mt_tensor *param;
	mt_tensor *m;    /* SGD: velocity; Adam: first moment */
	mt_tensor *v;    /* Adam: second moment */
	mt_tensor *vmax; /* Adam with amsgrad */
	int64_t t;       /* steps this parameter took */
};

struct mt_optim {
	/* One step of one parameter; grad is its gradient.  native: by the device's fused kernel, else composed. */
	mt_status (*step)(struct mt_optim *o, struct mt__slot *slot, mt_tensor *grad, int native);
	int32_t kernel; /* enum mt_kernel_id of the fused kernel */
	int composed;   /* never use the fused kernel (tests compare the two) */
	double lr;
	int64_t steps;
	struct mt__slot *slots;
	int64_t n;
	mt_sgd_options sgd;
	mt_adam_options adam; /* defaults filled in */
	int decoupled;        /* AdamW */
};

/* An optimiser with checked parameters and learning rate; op is named in messages.  NULL on failure. */
mt_optim *mt__optim_new(const char *op, mt_tensor *const *parameters, int64_t n, double lr);

/* *state: a tensor like param, zeroed, kept beyond scopes; made where it is NULL. */
mt_status mt__optim_state(mt_tensor **state, mt_tensor *param);

/* MT_OK where t, the last of a chain of calls, was made; else the error's status. */
mt_status mt__chain_status(const mt_tensor *t);

#endif
