/* Matrix products with one row, and tiny ones: too little reuse for tiles.  f32 and f64. */
#include "gemm.h"

#include "activate.h"
#include "vector.h"
#include "vmath_wide.h"

#include <string.h>

/* Columns at a time: their sums stay in the first-level cache. */
#define BLOCK 1024

enum { dtype_f32 = MT_F32, dtype_f64 = MT_F64 };

#define T float
#define VEC vec_f32
#define VL VL_F32
#define N(f) f##_f32
#define VN(f) vec_f32_##f
#define MADD mt__madd
#include "gemv.inc"
#undef T
#undef VEC
#undef VL
#undef N
#undef VN
#undef MADD

#define T double
#define VEC vec_f64
#define VL VL_F64
#define N(f) f##_f64
#define VN(f) vec_f64_##f
#define MADD mt__wide_madd
#include "gemv.inc"

void mt__omp_gemv(const struct mt__omp_gemm *g, int64_t begin, int64_t end) {
	if (g->dtype == MT_F64)
		gemv_f64(g, begin, end);
	else
		gemv_f32(g, begin, end);
}

void mt__omp_gemm_tiny(const struct mt__omp_gemm *g) {
	if (g->dtype == MT_F64)
		tiny_f64(g);
	else
		tiny_f32(g);
}
