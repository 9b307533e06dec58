/* Dtype promotion: the one place (the table is promote.def). */
#ifndef MT_TENSOR_PROMOTE_H
#define MT_TENSOR_PROMOTE_H

#include "mt/tensor.h"

int mt__is_float(mt_dtype dtype);
int mt__is_integer(mt_dtype dtype); /* i32 i64 u8 */
/* The dtype of tensor op scalar: a f64 scalar lifts integers and bool to f32, an i64 scalar lifts bool to i64. */
mt_dtype mt__promote_scalar(mt_dtype tensor, mt_scalar scalar);
/* Integers and bool become f32; floats stay. */
mt_dtype mt__to_float(mt_dtype dtype);

#endif
