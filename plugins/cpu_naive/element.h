/* One element of an array of any dtype.  `at` is an offset in elements from the array's first element. */
#ifndef MT_NAIVE_ELEMENT_H
#define MT_NAIVE_ELEMENT_H

#include "mt/lowp.h"
#include "naive.h"

/* The address of element (0, 0, …). */
static inline void *origin(const mt_array *a) {
	return (char *)a->base + a->byte_offset;
}

static inline bool is_float(int32_t dtype) {
	return dtype >= 0 && dtype < 32 && (MT_SET_FLOAT >> dtype & 1u);
}

static inline int64_t element_size(int32_t dtype) {
	switch (dtype) {
#define MT_DTYPE(id, NAME, name, bytes, class)                                                                         \
	case id:                                                                                                           \
		return bytes;
#include "mt/dtypes.def"
#undef MT_DTYPE
	default:
		return 0;
	}
}

/* Float to integer: toward zero, saturating, NaN gives 0. */
static inline int64_t truncate_to(double x, int64_t lowest, int64_t highest) {
	if (x != x)
		return 0;
	if (x <= (double)lowest)
		return lowest;
	if (x >= (double)highest)
		return highest;
	return (int64_t)x;
}

/* The element as a double: exact but for i64. */
static inline double get(const mt_array *a, int64_t at) {
	const void *p = origin(a);
	switch (a->dtype) {
	case MT_F32:
		return (double)((const float *)p)[at];
	case MT_F64:
		return ((const double *)p)[at];
	case MT_F16:
		return (double)mt_f16_to_f32(((const uint16_t *)p)[at]);
	case MT_BF16:
		return (double)mt_bf16_to_f32(((const uint16_t *)p)[at]);
	case MT_I32:
		return (double)((const int32_t *)p)[at];
	case MT_I64:
		return (double)((const int64_t *)p)[at];
	default:
		return (double)((const uint8_t *)p)[at];
	}
}

/* Stores a double: rounded once to a float dtype, converted as copy does to others. */
static inline void put(const mt_array *a, int64_t at, double v) {
	void *p = origin(a);
	switch (a->dtype) {
	case MT_F32:
		((float *)p)[at] = (float)v;
		return;
	case MT_F64:
		((double *)p)[at] = v;
		return;
	case MT_F16:
		((uint16_t *)p)[at] = mt_f64_to_f16(v);
		return;
	case MT_BF16:
		((uint16_t *)p)[at] = mt_f64_to_bf16(v);
		return;
	case MT_I32:
		((int32_t *)p)[at] = (int32_t)truncate_to(v, INT32_MIN, INT32_MAX);
		return;
	case MT_I64:
		((int64_t *)p)[at] = truncate_to(v, INT64_MIN, INT64_MAX);
		return;
	case MT_U8:
		((uint8_t *)p)[at] = (uint8_t)truncate_to(v, 0, 255);
		return;
	default:
		((uint8_t *)p)[at] = v != 0;
	}
}

/* An element of an integer or bool array. */
static inline int64_t get_integer(const mt_array *a, int64_t at) {
	const void *p = origin(a);
	switch (a->dtype) {
	case MT_I32:
		return ((const int32_t *)p)[at];
	case MT_I64:
		return ((const int64_t *)p)[at];
	default:
		return ((const uint8_t *)p)[at];
	}
}

/* An integer that is exactly representable in double, and that rounds to any narrower float as i does: beyond 53 bits
 * the last bit kept is set where bits were lost. */
static inline double sticky_double(int64_t i) {
	uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
	if (u >> 53)
		u = (u >> 11 | ((u & 0x7FF) != 0)) << 11;
	return i < 0 ? -(double)u : (double)u;
}

/* Stores an integer: low bits to integers, != 0 to bool, rounded once to floats. */
static inline void put_integer(const mt_array *a, int64_t at, int64_t v) {
	void *p = origin(a);
	switch (a->dtype) {
	case MT_F32:
		((float *)p)[at] = (float)v;
		return;
	case MT_F64:
		((double *)p)[at] = (double)v;
		return;
	case MT_I32:
		((int32_t *)p)[at] = (int32_t)v;
		return;
	case MT_I64:
		((int64_t *)p)[at] = v;
		return;
	case MT_U8:
		((uint8_t *)p)[at] = (uint8_t)v;
		return;
	case MT_BOOL:
		((uint8_t *)p)[at] = v != 0;
		return;
	default:
		put(a, at, sticky_double(v));
	}
}

/* out[out_at] = x[x_at], one dtype. */
static inline void move_element(const mt_array *out, int64_t out_at, const mt_array *x, int64_t x_at) {
	switch (element_size(out->dtype)) {
	case 8:
		((uint64_t *)origin(out))[out_at] = ((const uint64_t *)origin(x))[x_at];
		return;
	case 4:
		((uint32_t *)origin(out))[out_at] = ((const uint32_t *)origin(x))[x_at];
		return;
	case 2:
		((uint16_t *)origin(out))[out_at] = ((const uint16_t *)origin(x))[x_at];
		return;
	default:
		((uint8_t *)origin(out))[out_at] = ((const uint8_t *)origin(x))[x_at];
	}
}

/* A number by value in the float dtype that is computed in, and in an integer dtype. */
static inline double scalar_float(mt_scalar s, int32_t dtype) {
	double v = s.tag == MT_SCALAR_I64 ? (double)s.v.i : s.tag == MT_SCALAR_F64 ? s.v.f : 0.0;
	return dtype == MT_F64 ? v : (double)(float)v;
}

static inline int64_t scalar_integer(mt_scalar s, int32_t dtype) {
	int64_t v = s.tag == MT_SCALAR_I64 ? s.v.i : s.tag == MT_SCALAR_F64 ? truncate_to(s.v.f, INT64_MIN, INT64_MAX) : 0;
	switch (dtype) {
	case MT_I32:
		return (int32_t)v;
	case MT_U8:
		return (uint8_t)v;
	case MT_BOOL:
		return s.tag == MT_SCALAR_F64 ? s.v.f != 0 : v != 0;
	default:
		return v;
	}
}

/* A number that a device array may override. */
static inline double step_value(mt_step_value s) {
	return s.device ? get(s.device, 0) : s.value;
}

#endif
