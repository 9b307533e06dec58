/* What pooling shares with the layers and with adaptive pooling. */
#ifndef MT_OPS_POOL_H
#define MT_OPS_POOL_H

#include "ops/ops.h"

/* options as the kernels take them, checked.  kind: enum mt_pool_id. */
mt_status mt__pool_params(const char *op, int32_t kind, const mt_pool_options *options, int spatial,
                          struct mt_pool_params *p);

/* Whether mt_adaptive_avg_pool can have n spatial dims of these sizes. */
mt_status mt__adaptive_size(const char *op, int n, const int64_t *size);

#endif
