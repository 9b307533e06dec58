/* One element in host memory: read and written as the copy kernel converts (mt/plugin.h). */
#ifndef MT_TENSOR_ELEMENT_H
#define MT_TENSOR_ELEMENT_H

#include "mt/tensor.h"

double mt__element_f64(mt_dtype dtype, const void *p);
/* Floats truncate toward zero and saturate, NaN gives 0. */
int64_t mt__element_i64(mt_dtype dtype, const void *p);
void mt__element_store(mt_dtype dtype, void *p, mt_scalar value);

#endif
