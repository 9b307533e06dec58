/* __half and __half2. */
#ifndef MT_EMULATED_CUDA_FP16_H
#define MT_EMULATED_CUDA_FP16_H

#include "cuda_runtime.h"
#include "emulated_narrow.h"

MT_EMULATED_NARROW(__half, __half_raw, half_of, float_of_half)
typedef __half half;

struct alignas(4) __half2 {
	__half x, y;
	__half2() = default;
	__half2(__half x, __half y) : x(x), y(y) {
	}
};
typedef __half2 half2;

inline __half __float2half_rn(float x) {
	return __half(x);
}
inline __half __float2half(float x) {
	return __half(x);
}
inline __half __double2half(double x) {
	return __half(x);
}
inline float __half2float(__half x) {
	return (float)x;
}
inline unsigned short __half_as_ushort(__half x) {
	return x.bits_;
}
inline short __half_as_short(__half x) {
	return (short)x.bits_;
}
inline __half __ushort_as_half(unsigned short x) {
	return __half(__half_raw{x});
}
inline __half __short_as_half(short x) {
	return __ushort_as_half((unsigned short)x);
}
inline bool __hisnan(__half x) {
	return (float)x != (float)x;
}
inline __half2 __halves2half2(__half x, __half y) {
	return {x, y};
}
inline __half2 __half2half2(__half x) {
	return {x, x};
}
inline __half2 __floats2half2_rn(float x, float y) {
	return {__half(x), __half(y)};
}
inline __half2 __float22half2_rn(float2 v) {
	return __floats2half2_rn(v.x, v.y);
}
inline float2 __half22float2(__half2 v) {
	return {(float)v.x, (float)v.y};
}
inline __half __low2half(__half2 v) {
	return v.x;
}
inline __half __high2half(__half2 v) {
	return v.y;
}
inline float __low2float(__half2 v) {
	return (float)v.x;
}
inline float __high2float(__half2 v) {
	return (float)v.y;
}

#endif
