/* map, across its files. */
#ifndef MT_OPS_MAP_H
#define MT_OPS_MAP_H

#include "ops/ops.h"

/* The op's p and q; tag NONE where it has none. */
struct mt__map_parameters {
	mt_scalar p, q;
};

/* Records y = op(x), x as the kernel saw it, result SAME.  Returns y; NULL on failure. */
mt_tensor *mt__map_record(int32_t op, mt_tensor *x, mt_tensor *y, struct mt__map_parameters with);

#endif
