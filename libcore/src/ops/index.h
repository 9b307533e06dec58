/* Taking at indices, for ops that have made such a result themselves. */
#ifndef MT_OPS_INDEX_H
#define MT_OPS_INDEX_H

#include "ops/ops.h"

/* Records that y is mt_gather(x, axis, index), where that is to be recorded.  Returns y; NULL on failure. */
mt_tensor *mt__record_gather(mt_tensor *x, mt_tensor *index, mt_tensor *y, int axis);

#endif
