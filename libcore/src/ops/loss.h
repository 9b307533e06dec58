/* What the losses share. */
#ifndef MT_OPS_LOSS_H
#define MT_OPS_LOSS_H

#include "ops/ops.h"

/* MT_E_ARG for a number that is no enum mt_reduction. */
mt_status mt__check_reduction(const char *op, int32_t reduction);

/* The mean or sum of each, or each; NULL for NULL. */
mt_tensor *mt__reduced_loss(mt_tensor *each, int32_t reduction);

#endif
