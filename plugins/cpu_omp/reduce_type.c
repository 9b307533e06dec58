/* The loops of reduce for each type: reduce_type.inc. */
#include "reduce.h"
#include "vmath.h"

#define T float
#define A float
#define R f
#define U float
#define REAL true
#define FLUSH 32
#define LANES 64
#define LOWEST (-INFINITY)
#define HIGHEST INFINITY
#define NAME(f) f##_f32
#include "reduce_type.inc"
#undef A
#undef U
#undef FLUSH
#undef LANES
#undef NAME

/* Products of floats, which may leave float's range on the way. */
#define A double
#define U double
#define FLUSH 256
#define LANES 32
#define NAME(f) f##_f32_wide
#include "reduce_type.inc"
#undef T
#undef NAME

#define T double
#define NAME(f) f##_f64
#include "reduce_type.inc"
#undef T
#undef A
#undef R
#undef U
#undef REAL
#undef LANES
#undef LOWEST
#undef HIGHEST
#undef NAME

#define REAL false
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

/* bool too: its max is any, its min all. */
#define T uint8_t
#define A uint8_t
#define U uint32_t
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
