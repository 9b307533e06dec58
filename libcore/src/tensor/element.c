/* Elements in host memory, of every dtype. */
#include "tensor/element.h"

#include <math.h>
#include <string.h>

#include "mt/lowp.h"

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static int64_t truncated(double x, double low, double high, int64_t least, int64_t most) {
	if (x != x)
		return 0;
	return x <= low ? least : x >= high ? most : (int64_t)x;
}

static int64_t f64_to_i64(double x) {
	return truncated(x, -0x1p63, 0x1p63, INT64_MIN, INT64_MAX);
}

double mt__element_f64(mt_dtype dtype, const void *p) {
	union {
		float f32;
		double f64;
		uint16_t u16;
		int32_t i32;
		int64_t i64;
		uint8_t u8;
	} v;
	memcpy(&v, p, mt_dtype_size(dtype));
	switch (dtype) {
	case MT_F32:
		return v.f32;
	case MT_F64:
		return v.f64;
	case MT_F16:
		return mt_f16_to_f32(v.u16);
	case MT_BF16:
		return mt_bf16_to_f32(v.u16);
	case MT_I32:
		return v.i32;
	case MT_I64:
		return (double)v.i64;
	default:
		return v.u8;
	}
}

int64_t mt__element_i64(mt_dtype dtype, const void *p) {
	int64_t value;
	if (dtype != MT_I64)
		return f64_to_i64(mt__element_f64(dtype, p)); /* exact: every other integer fits a double */
	memcpy(&value, p, sizeof value);
	return value;
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

/* Rounds to odd: a second rounding, to a format at least two digits narrower, is then the correct one. */
static float f32_odd(double x) {
	float f = (float)x;
	if (x != x || (double)f == x)
		return f;
	uint32_t u = mt__lowp_bits(f);
	if (fabs((double)f) > fabs(x))
		u--;
	return mt__lowp_float(u | 1u);
}

/* The same for integers: the digits beyond a double's are gathered in its last one. */
static float i64_odd(int64_t i) {
	uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
	double x = u < (uint64_t)1 << 53 ? (double)u : (double)(u >> 11 | ((u & 0x7FF) != 0)) * 2048.0;
	return f32_odd(i < 0 ? -x : x);
}

void mt__element_store(mt_dtype dtype, void *p, mt_scalar value) {
	int is_int = value.tag == MT_SCALAR_I64;
	int64_t i = is_int ? value.v.i : 0;
	double f = is_int ? (double)i : value.v.f;
	union {
		float f32;
		double f64;
		uint16_t u16;
		uint32_t u32;
		uint64_t u64;
		uint8_t u8;
	} v;
	switch (dtype) {
	case MT_F32:
		v.f32 = is_int ? (float)i : (float)f;
		break;
	case MT_F64:
		v.f64 = f;
		break;
	case MT_F16:
		v.u16 = mt_f32_to_f16(is_int ? i64_odd(i) : f32_odd(f));
		break;
	case MT_BF16:
		v.u16 = mt_f32_to_bf16(is_int ? i64_odd(i) : f32_odd(f));
		break;
	case MT_I32:
		v.u32 = (uint32_t)(is_int ? i : truncated(f, INT32_MIN, INT32_MAX, INT32_MIN, INT32_MAX));
		break;
	case MT_I64:
		v.u64 = (uint64_t)(is_int ? i : f64_to_i64(f));
		break;
	case MT_U8:
		v.u8 = (uint8_t)(is_int ? i : truncated(f, 0, 255, 0, 255));
		break;
	default:
		v.u8 = is_int ? i != 0 : f != 0;
		break;
	}
	memcpy(p, &v, mt_dtype_size(dtype));
}
