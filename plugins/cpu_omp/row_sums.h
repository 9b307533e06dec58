/* Dot products and sums of rows of f32 and f64. */
#ifndef MT_OMP_ROW_SUMS_H
#define MT_OMP_ROW_SUMS_H

#include "vector.h"

#define T float
#define VEC vec_f32
#define VL VL_F32
#define N(f) f##_f32
#define VN(f) vec_f32_##f
#include "row_sums.inc"
#undef T
#undef VEC
#undef VL
#undef N
#undef VN

#define T double
#define VEC vec_f64
#define VL VL_F64
#define N(f) f##_f64
#define VN(f) vec_f64_##f
#include "row_sums.inc"
#undef T
#undef VEC
#undef VL
#undef N
#undef VN

#endif
