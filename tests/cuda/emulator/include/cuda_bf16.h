/* __nv_bfloat16 and __nv_bfloat162. */
#ifndef MT_EMULATED_CUDA_BF16_H
#define MT_EMULATED_CUDA_BF16_H

#include "cuda_runtime.h"
#include "emulated_narrow.h"

MT_EMULATED_NARROW(__nv_bfloat16, __nv_bfloat16_raw, bfloat_of, float_of_bfloat)
typedef __nv_bfloat16 nv_bfloat16;

struct alignas(4) __nv_bfloat162 {
	__nv_bfloat16 x, y;
	__nv_bfloat162() = default;
	__nv_bfloat162(__nv_bfloat16 x, __nv_bfloat16 y) : x(x), y(y) {
	}
};
typedef __nv_bfloat162 nv_bfloat162;

inline __nv_bfloat16 __float2bfloat16_rn(float x) {
	return __nv_bfloat16(x);
}
inline __nv_bfloat16 __float2bfloat16(float x) {
	return __nv_bfloat16(x);
}
inline __nv_bfloat16 __double2bfloat16(double x) {
	return __nv_bfloat16(x);
}
inline float __bfloat162float(__nv_bfloat16 x) {
	return (float)x;
}
inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 x) {
	return x.bits_;
}
inline short __bfloat16_as_short(__nv_bfloat16 x) {
	return (short)x.bits_;
}
inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short x) {
	return __nv_bfloat16(__nv_bfloat16_raw{x});
}
inline __nv_bfloat16 __short_as_bfloat16(short x) {
	return __ushort_as_bfloat16((unsigned short)x);
}
inline bool __hisnan(__nv_bfloat16 x) {
	return (float)x != (float)x;
}
inline __nv_bfloat162 __halves2bfloat162(__nv_bfloat16 x, __nv_bfloat16 y) {
	return {x, y};
}
inline __nv_bfloat162 __bfloat162bfloat162(__nv_bfloat16 x) {
	return {x, x};
}
inline __nv_bfloat162 __floats2bfloat162_rn(float x, float y) {
	return {__nv_bfloat16(x), __nv_bfloat16(y)};
}
inline __nv_bfloat162 __float22bfloat162_rn(float2 v) {
	return __floats2bfloat162_rn(v.x, v.y);
}
inline float2 __bfloat1622float2(__nv_bfloat162 v) {
	return {(float)v.x, (float)v.y};
}
inline __nv_bfloat16 __low2bfloat16(__nv_bfloat162 v) {
	return v.x;
}
inline __nv_bfloat16 __high2bfloat16(__nv_bfloat162 v) {
	return v.y;
}
inline float __low2float(__nv_bfloat162 v) {
	return (float)v.x;
}
inline float __high2float(__nv_bfloat162 v) {
	return (float)v.y;
}

#endif
