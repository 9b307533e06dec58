/* Attention with every kind of mask, for mt_scaled_dot_product_attention and the layers. */
#ifndef MT_OPS_ATTENTION_H
#define MT_OPS_ATTENTION_H

#include "ops/ops.h"

struct mt__attention {
	mt_tensor *allowed; /* bool, broadcast to the scores […, L, S]: 0 forbids; or MT_NONE */
	mt_tensor *added;   /* float, broadcast to the scores and added; or MT_NONE */
	int causal, training;
	double p;     /* dropout of the weights */
	double scale; /* 0: 1/√E */
};

/* softmax(q @ kᵀ · scale + masks) @ v.   *weights (may be NULL): […, L, S], as they met v.  op is named in messages. */
mt_tensor *mt__attend(const char *op, mt_tensor *q, mt_tensor *k, mt_tensor *v, const struct mt__attention *a,
                      mt_tensor **weights);

#endif
