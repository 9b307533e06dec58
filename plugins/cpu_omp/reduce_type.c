/* The loops of reduce for each type: reduce_type.inc. */
#include "reduce.h"
#include "reduce_vec.h"
#include "vmath.h"

/* x[0] · … · x[n−1] in double, n ≥ 8 VL_F64. */
static bool wide_product(int op, const float *x, int64_t n, union mt__partial *result) {
	enum { ACCUMULATORS = 8 };
	typedef float half_vector __attribute__((vector_size(MT_VECTOR_BYTES / 2), aligned(4), may_alias));
	if (op != MT_REDUCE_PROD || n < ACCUMULATORS * VL_F64)
		return false;
	vec_f64 a[ACCUMULATORS];
	int64_t i = 0;
	MT_UNROLL
	for (int k = 0; k < ACCUMULATORS; k++)
		a[k] = (vec_f64){0} + 1;
	for (; i + ACCUMULATORS * VL_F64 <= n; i += ACCUMULATORS * VL_F64) {
		MT_UNROLL
		for (int k = 0; k < ACCUMULATORS; k++)
			a[k] *= __builtin_convertvector(*(const half_vector *)(x + i + k * VL_F64), vec_f64);
	}
	double rest = 1;
	for (; i < n; i++)
		rest *= (double)x[i];
	vec_f64 all = ((a[0] * a[4]) * (a[2] * a[6])) * ((a[1] * a[5]) * (a[3] * a[7]));
	for (int k = 0; k < VL_F64; k++)
		rest *= all[k];
	result->f = rest;
	return true;
}

/* Whether any byte, or all, differ from 0.  A word has a zero byte where (w − 0x01…01) & ~w & 0x80…80 is not 0. */
static bool test_bytes(int op, const uint8_t *x, int64_t n, union mt__partial *result) {
	enum { WORDS = MT_VECTOR_BYTES / 8 };
	typedef uint64_t words __attribute__((vector_size(MT_VECTOR_BYTES)));
	typedef uint64_t words_mem __attribute__((vector_size(MT_VECTOR_BYTES), aligned(1), may_alias));
	if ((op != MT_REDUCE_ANY && op != MT_REDUCE_ALL) || n < MT_VECTOR_BYTES)
		return false;
	const words ones = (words){0} + 0x0101010101010101u, highs = ones << 7;
	words a[4] = {{0}};
	for (int64_t i = 0; i < n; i += 4 * MT_VECTOR_BYTES) {
		MT_UNROLL
		for (int k = 0; k < 4; k++) {
			/* The last ones overlap those before. */
			words w = *(const words_mem *)(x + mt__omp_min(i + k * MT_VECTOR_BYTES, n - MT_VECTOR_BYTES));
			a[k] |= op == MT_REDUCE_ANY ? w : (w - ones) & ~w & highs;
		}
	}
	a[0] |= a[1] | a[2] | a[3];
	uint64_t all = 0;
	for (int k = 0; k < WORDS; k++)
		all |= a[0][k];
	result->i = op == MT_REDUCE_ANY ? all != 0 : all == 0;
	return true;
}

#define ANY_IS MT_REDUCE_ANY
#define ALL_IS MT_REDUCE_ALL
#define T float
#define A float
#define R f
#define U float
#define REAL true
#define VECTORS 1
#define FLUSH 128
#define LANES 64
#define LOWEST (-INFINITY)
#define HIGHEST INFINITY
#define NAME(f) f##_f32
#include "reduce_type.inc"
#undef A
#undef U
#undef VECTORS
#undef FLUSH
#undef LANES
#undef NAME

/* Products of floats, which may leave float's range on the way. */
#define A double
#define U double
#define VECTORS 0
#define FLUSH 256
#define LANES 32
#define NAME(f) f##_f32_wide
#define QUICK_RUN wide_product
#include "reduce_type.inc"
#undef T
#undef QUICK_RUN
#undef VECTORS
#undef NAME

#define T double
#define VECTORS 1
#define NAME(f) f##_f64
#include "reduce_type.inc"
#undef T
#undef A
#undef R
#undef U
#undef REAL
#undef VECTORS
#undef LANES
#undef LOWEST
#undef HIGHEST
#undef NAME

#define REAL false
#define VECTORS 0
#define R i
#define T int32_t
#define A int32_t
#define U uint32_t
#define LANES 64
#define LOWEST INT32_MIN
#define HIGHEST INT32_MAX
#define NAME(f) f##_i32
#include "reduce_type.inc"
#undef T
#undef A
#undef U
#undef LANES
#undef LOWEST
#undef HIGHEST
#undef NAME

#define T int64_t
#define A int64_t
#define U uint64_t
#define LANES 32
#define LOWEST INT64_MIN
#define HIGHEST INT64_MAX
#define NAME(f) f##_i64
#include "reduce_type.inc"
#undef T
#undef A
#undef U
#undef LANES
#undef LOWEST
#undef HIGHEST
#undef NAME

#undef ANY_IS
#undef ALL_IS
#define ANY_IS MT_REDUCE_MAX
#define ALL_IS MT_REDUCE_MIN
#define T uint8_t
#define A uint8_t
#define U uint32_t
#define QUICK_RUN test_bytes
#define LANES 128
#define LOWEST 0
#define HIGHEST UINT8_MAX
#define NAME(f) f##_u8
#include "reduce_type.inc"

const struct mt__reduce_loops *mt__omp_reduce_loops(int32_t op, int32_t compute_dtype) {
	switch (compute_dtype) {
	case MT_F32:
		return op == MT_REDUCE_PROD ? &loops_f32_wide : &loops_f32;
	case MT_F64:
		return &loops_f64;
	case MT_I32:
		return &loops_i32;
	case MT_I64:
		return &loops_i64;
	default:
		return &loops_u8;
	}
}
