/* Numbers given by value, converted to the type that is computed in. */
#ifndef MT_OMP_SCALAR_H
#define MT_OMP_SCALAR_H

#include "omp.h"

static inline double mt__scalar_f64(mt_scalar s) {
	return s.tag == MT_SCALAR_I64 ? (double)s.v.i : s.tag == MT_SCALAR_F64 ? s.v.f : 0.0;
}

static inline float mt__scalar_f32(mt_scalar s) {
	return s.tag == MT_SCALAR_I64 ? (float)s.v.i : s.tag == MT_SCALAR_F64 ? (float)s.v.f : 0.0f;
}

/* Toward zero, saturating; NaN gives 0. */
static inline int64_t mt__truncate_f64(double x, int64_t lowest, int64_t highest) {
	if (x != x)
		return 0;
	if (x <= (double)lowest)
		return lowest;
	return x >= (double)highest ? highest : (int64_t)x;
}

static inline int64_t mt__scalar_i64(mt_scalar s) {
	if (s.tag == MT_SCALAR_F64)
		return mt__truncate_f64(s.v.f, INT64_MIN, INT64_MAX);
	return s.tag == MT_SCALAR_I64 ? s.v.i : 0;
}

static inline int32_t mt__scalar_i32(mt_scalar s) {
	return (int32_t)mt__scalar_i64(s);
}

static inline uint8_t mt__scalar_u8(mt_scalar s) {
	return (uint8_t)mt__scalar_i64(s);
}

static inline uint8_t mt__scalar_bool(mt_scalar s) {
	return s.tag == MT_SCALAR_F64 ? s.v.f != 0 : mt__scalar_i64(s) != 0;
}

#endif
