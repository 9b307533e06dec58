/* Results written into a tensor that is there: what the op families give mt_…_out. */
#ifndef MT_OPS_OUT_H
#define MT_OPS_OUT_H

#include "ops/ops.h"

/* Where an op writes its result: out, counted as a write, where that has this shape and dtype; a new tensor where it
 * has not, or is NULL. */
mt_tensor *mt__result(const char *op, mt_tensor *out, mt_device *device, int rank, const int64_t *shape,
                      mt_dtype dtype);

/* The ops with all their checks, writing to out as mt__result says.  out may be NULL; it overlaps no argument, or (map
 * and zip with a SAME result) is one of them exactly. */
mt_tensor *mt__map_to(int32_t op, mt_tensor *x, mt_scalar p, mt_scalar q, mt_tensor *out);
mt_tensor *mt__zip_to(int32_t op, mt_tensor *a, mt_tensor *b, mt_tensor *out);
mt_tensor *mt__zip_scalar_to(int32_t op, mt_tensor *a, mt_scalar b, mt_tensor *out);
mt_tensor *mt__scalar_zip_to(int32_t op, mt_scalar a, mt_tensor *b, mt_tensor *out);
mt_tensor *mt__matmul_to(mt_tensor *a, mt_tensor *b, mt_tensor *out);
mt_tensor *mt__reduce_to(int32_t op, mt_tensor *x, mt_axes axes, int keepdim, mt_tensor *out);

/* Whether the op's result is bool whatever its arguments are; op may be any number. */
int mt__map_gives_bool(int32_t op);
int mt__zip_gives_bool(int32_t op);

#endif
