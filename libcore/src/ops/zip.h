/* zip, across its files. */
#ifndef MT_OPS_ZIP_H
#define MT_OPS_ZIP_H

#include "ops/ops.h"

/* An argument: a tensor, or (t == NULL) a number. */
struct mt__zip_operand {
	mt_tensor *t;
	mt_scalar s;
};

static inline struct mt__zip_operand mt__zip_tensor(mt_tensor *t) {
	return (struct mt__zip_operand){t, {0}};
}

static inline struct mt__zip_operand mt__zip_number(mt_scalar s) {
	return (struct mt__zip_operand){NULL, s};
}

/* Checked operands, not both numbers: promotion, broadcast, kernel, graph.  Where an operand is neither a tensor nor a
 * number, an earlier call failed: NULL.  out: as for mt__result. */
mt_tensor *mt__zip(int32_t op, struct mt__zip_operand a, struct mt__zip_operand b, mt_tensor *out);

/* Records y = op(a, b), the operands as the kernel saw them; an op without a gradient is MT_E_UNSUPPORTED.  Returns y;
 * NULL on failure. */
mt_tensor *mt__zip_record(int32_t op, struct mt__zip_operand a, struct mt__zip_operand b, mt_tensor *y);
/* The same for tensors of y's shape, one of them in the graph; y itself where recording is off. */
mt_tensor *mt__zip_record_alike(int32_t op, mt_tensor *a, mt_tensor *b, mt_tensor *y);

#endif
