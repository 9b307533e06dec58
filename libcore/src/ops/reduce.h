/* A reduction as its gradient sees it: how the result lies in the argument. */
#ifndef MT_OPS_REDUCE_H
#define MT_OPS_REDUCE_H

#include "ops/ops.h"

struct mt__reduction {
	uint32_t mask; /* the reduced axes */
	int32_t keepdim;
	int32_t rank; /* of the argument */
	int32_t reserved;
	int64_t shape[MT_MAX_RANK]; /* of the argument */
	int64_t count;              /* elements that go into one result */
};

struct mt__reduction mt__reduction_of(const mt_tensor *x, uint32_t mask, int keepdim);

/* y, of the result's shape, with extent 1 in place of each reduced axis; expanded to the argument's shape.  In the graph
 * where gradients are recorded. */
mt_tensor *mt__reduction_kept(mt_tensor *y, const struct mt__reduction *r);
mt_tensor *mt__reduction_expanded(mt_tensor *y, const struct mt__reduction *r);

/* kept, a result with extent 1 in place of each reduced axis, in the result's shape. */
mt_tensor *mt__reduction_dropped(mt_tensor *kept, const struct mt__reduction *r);

/* The axes as mt_sum takes them. */
mt_axes mt__reduction_axes(const struct mt__reduction *r);

/* Along axis the product of all elements but this one, without a division: made of ops that can be differentiated. */
mt_tensor *mt__product_of_others(mt_tensor *x, int axis);

#endif
