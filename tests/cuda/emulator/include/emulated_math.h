/* CUDA's functions on integers and floats that the C++ library does not have.  Fast approximations (__expf) are the exact
 * functions here. */
#ifndef MT_EMULATED_MATH_H
#define MT_EMULATED_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include <limits>

namespace mt_emulated {

template <class To, class From> inline To bits(From from) {
	static_assert(sizeof(To) == sizeof(From), "bits are bits");
	To to;
	memcpy(&to, &from, sizeof to);
	return to;
}

/* Saturating; NaN gives 0 in 32 bits and the lowest number in 64. */
template <class I, class F> inline I to_integer(F x) {
	using limits = std::numeric_limits<I>;
	if (x != x)
		return sizeof(I) == 8 && limits::is_signed ? limits::lowest() : I(0);
	if (x <= (F)limits::lowest())
		return limits::lowest();
	return x >= (F)limits::max() ? limits::max() : (I)x;
}

} // namespace mt_emulated

/* ---- bits ---- */

inline unsigned __umulhi(unsigned a, unsigned b) {
	return (unsigned)((uint64_t)a * b >> 32);
}
inline int __mulhi(int a, int b) {
	return (int)((int64_t)a * b >> 32);
}
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
	return (unsigned long long)((unsigned __int128)a * b >> 64);
}
inline long long __mul64hi(long long a, long long b) {
	return (long long)((__int128)a * b >> 64);
}
inline int __clz(int x) {
	return x == 0 ? 32 : __builtin_clz((unsigned)x);
}
inline int __clzll(long long x) {
	return x == 0 ? 64 : __builtin_clzll((unsigned long long)x);
}
inline int __ffs(int x) {
	return __builtin_ffs(x);
}
inline int __ffsll(long long x) {
	return __builtin_ffsll(x);
}
inline int __popc(unsigned x) {
	return __builtin_popcount(x);
}
inline int __popcll(unsigned long long x) {
	return __builtin_popcountll(x);
}
inline unsigned long long __brevll(unsigned long long x) {
	unsigned long long reversed = 0;
	for (int i = 0; i < 64; i++)
		reversed |= (x >> i & 1) << (63 - i);
	return reversed;
}
inline unsigned __brev(unsigned x) {
	return (unsigned)(__brevll(x) >> 32);
}
inline unsigned __byte_perm(unsigned x, unsigned y, unsigned selector) {
	uint64_t from = (uint64_t)y << 32 | x;
	unsigned result = 0;
	for (int i = 0; i < 4; i++) {
		unsigned choice = selector >> (4 * i), byte = (unsigned)(from >> (8 * (choice & 7))) & 0xFF;
		if (choice & 8)
			byte = byte & 0x80 ? 0xFF : 0;
		result |= byte << (8 * i);
	}
	return result;
}
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
	return (unsigned)(((uint64_t)high << 32 | low) << (shift & 31) >> 32);
}
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
	return (unsigned)(((uint64_t)high << 32 | low) >> (shift & 31));
}
inline int __float_as_int(float x) {
	return mt_emulated::bits<int>(x);
}
inline unsigned __float_as_uint(float x) {
	return mt_emulated::bits<unsigned>(x);
}
inline float __int_as_float(int x) {
	return mt_emulated::bits<float>(x);
}
inline float __uint_as_float(unsigned x) {
	return mt_emulated::bits<float>(x);
}
inline long long __double_as_longlong(double x) {
	return mt_emulated::bits<long long>(x);
}
inline double __longlong_as_double(long long x) {
	return mt_emulated::bits<double>(x);
}
inline int __double2hiint(double x) {
	return (int)(__double_as_longlong(x) >> 32);
}
inline int __double2loint(double x) {
	return (int)__double_as_longlong(x);
}
inline double __hiloint2double(int high, int low) {
	return __longlong_as_double((long long)((uint64_t)(unsigned)high << 32 | (unsigned)low));
}

/* ---- conversions ---- */

inline float __double2float_rn(double x) {
	return (float)x;
}
inline float __double2float_rz(double x) {
	float f = (float)x;
	return fabs((double)f) > fabs(x) ? nextafterf(f, 0.0f) : f;
}
inline float __double2float_rd(double x) {
	float f = (float)x;
	return (double)f > x ? nextafterf(f, -INFINITY) : f;
}
inline float __double2float_ru(double x) {
	float f = (float)x;
	return (double)f < x ? nextafterf(f, INFINITY) : f;
}
#define MT_EMULATED_TO_INTEGER(name, I, F)                                                                             \
	inline I name##_rz(F x) {                                                                                          \
		return mt_emulated::to_integer<I>(x);                                                                          \
	}                                                                                                                  \
	inline I name##_rn(F x) {                                                                                          \
		return mt_emulated::to_integer<I>(rint(x));                                                                    \
	}                                                                                                                  \
	inline I name##_rd(F x) {                                                                                          \
		return mt_emulated::to_integer<I>(floor(x));                                                                   \
	}                                                                                                                  \
	inline I name##_ru(F x) {                                                                                          \
		return mt_emulated::to_integer<I>(ceil(x));                                                                    \
	}
MT_EMULATED_TO_INTEGER(__float2int, int, float)
MT_EMULATED_TO_INTEGER(__float2uint, unsigned, float)
MT_EMULATED_TO_INTEGER(__float2ll, long long, float)
MT_EMULATED_TO_INTEGER(__float2ull, unsigned long long, float)
MT_EMULATED_TO_INTEGER(__double2int, int, double)
MT_EMULATED_TO_INTEGER(__double2uint, unsigned, double)
MT_EMULATED_TO_INTEGER(__double2ll, long long, double)
MT_EMULATED_TO_INTEGER(__double2ull, unsigned long long, double)
#undef MT_EMULATED_TO_INTEGER

#define MT_EMULATED_FROM_INTEGER(name, F, I)                                                                           \
	inline F name(I x) {                                                                                               \
		return (F)x;                                                                                                   \
	}
MT_EMULATED_FROM_INTEGER(__int2float_rn, float, int)
MT_EMULATED_FROM_INTEGER(__uint2float_rn, float, unsigned)
MT_EMULATED_FROM_INTEGER(__ll2float_rn, float, long long)
MT_EMULATED_FROM_INTEGER(__ull2float_rn, float, unsigned long long)
MT_EMULATED_FROM_INTEGER(__int2double_rn, double, int)
MT_EMULATED_FROM_INTEGER(__uint2double_rn, double, unsigned)
MT_EMULATED_FROM_INTEGER(__ll2double_rn, double, long long)
MT_EMULATED_FROM_INTEGER(__ull2double_rn, double, unsigned long long)
#undef MT_EMULATED_FROM_INTEGER

/* ---- arithmetic, rounded to nearest ---- */

#define MT_EMULATED_TWO(name, T, value)                                                                                \
	inline T name(T a, T b) {                                                                                          \
		return value;                                                                                                  \
	}
#define MT_EMULATED_ONE(name, T, value)                                                                                \
	inline T name(T x) {                                                                                               \
		return value;                                                                                                  \
	}
MT_EMULATED_TWO(__fadd_rn, float, a + b)
MT_EMULATED_TWO(__fsub_rn, float, a - b)
MT_EMULATED_TWO(__fmul_rn, float, a *b)
MT_EMULATED_TWO(__fdiv_rn, float, a / b)
MT_EMULATED_TWO(__fdividef, float, a / b)
MT_EMULATED_TWO(fdividef, float, a / b)
MT_EMULATED_TWO(__dadd_rn, double, a + b)
MT_EMULATED_TWO(__dsub_rn, double, a - b)
MT_EMULATED_TWO(__dmul_rn, double, a *b)
MT_EMULATED_TWO(__ddiv_rn, double, a / b)
MT_EMULATED_TWO(__powf, float, powf(a, b))
MT_EMULATED_ONE(__fsqrt_rn, float, sqrtf(x))
MT_EMULATED_ONE(__dsqrt_rn, double, sqrt(x))
MT_EMULATED_ONE(__frcp_rn, float, 1 / x)
MT_EMULATED_ONE(__drcp_rn, double, 1 / x)
MT_EMULATED_ONE(__frsqrt_rn, float, (float)(1 / sqrt((double)x)))
MT_EMULATED_ONE(__saturatef, float, x > 0 ? x < 1 ? x : 1.0f : 0.0f)
inline float __fmaf_rn(float a, float b, float c) {
	return fmaf(a, b, c);
}
inline double __fma_rn(double a, double b, double c) {
	return fma(a, b, c);
}

/* ---- functions ---- */

MT_EMULATED_ONE(__expf, float, expf(x))
MT_EMULATED_ONE(__exp10f, float, (float)pow(10.0, (double)x))
MT_EMULATED_ONE(__logf, float, logf(x))
MT_EMULATED_ONE(__log2f, float, log2f(x))
MT_EMULATED_ONE(__log10f, float, log10f(x))
MT_EMULATED_ONE(__sinf, float, sinf(x))
MT_EMULATED_ONE(__cosf, float, cosf(x))
MT_EMULATED_ONE(__tanf, float, tanf(x))
MT_EMULATED_ONE(__tanhf, float, tanhf(x))
MT_EMULATED_ONE(rsqrtf, float, (float)(1 / sqrt((double)x)))
MT_EMULATED_ONE(rsqrt, float, rsqrtf(x))
MT_EMULATED_ONE(rsqrt, double, 1 / sqrt(x))
MT_EMULATED_ONE(normcdff, float, (float)(erfc(-(double)x *M_SQRT1_2) / 2))
MT_EMULATED_ONE(normcdf, float, normcdff(x))
MT_EMULATED_ONE(normcdf, double, erfc(-x *M_SQRT1_2) / 2)
#undef MT_EMULATED_ONE
#undef MT_EMULATED_TWO

inline void __sincosf(float x, float *sine, float *cosine) {
	*sine = sinf(x);
	*cosine = cosf(x);
}
inline void sincos(float x, float *sine, float *cosine) {
	__sincosf(x, sine, cosine);
}
/* sin πx and cos πx, x reduced first, which is exact. */
inline double sinpi(double x) {
	return sin(M_PI * fmod(x, 2));
}
inline double cospi(double x) {
	return cos(M_PI * fmod(x, 2));
}
inline float sinpif(float x) {
	return (float)sinpi((double)x);
}
inline float cospif(float x) {
	return (float)cospi((double)x);
}
inline void sincospi(double x, double *sine, double *cosine) {
	*sine = sinpi(x);
	*cosine = cospi(x);
}
inline void sincospif(float x, float *sine, float *cosine) {
	*sine = sinpif(x);
	*cosine = cospif(x);
}

/* min and max as CUDA overloads them; of a NaN and a number, the number. */
#define MT_EMULATED_ORDER(T, A, B)                                                                                     \
	inline T min(A a, B b) {                                                                                           \
		return (T)a < (T)b ? (T)a : (T)b;                                                                              \
	}                                                                                                                  \
	inline T max(A a, B b) {                                                                                           \
		return (T)a > (T)b ? (T)a : (T)b;                                                                              \
	}
#define MT_EMULATED_ORDERS(T, U)                                                                                       \
	MT_EMULATED_ORDER(T, T, T)                                                                                         \
	MT_EMULATED_ORDER(U, U, U)                                                                                         \
	MT_EMULATED_ORDER(U, T, U)                                                                                         \
	MT_EMULATED_ORDER(U, U, T)
MT_EMULATED_ORDERS(int, unsigned)
MT_EMULATED_ORDERS(long, unsigned long)
MT_EMULATED_ORDERS(long long, unsigned long long)
#undef MT_EMULATED_ORDERS
#undef MT_EMULATED_ORDER
#define MT_EMULATED_FLOAT_ORDER(T, A, B, suffix)                                                                       \
	inline T min(A a, B b) {                                                                                           \
		return fmin##suffix(a, b);                                                                                     \
	}                                                                                                                  \
	inline T max(A a, B b) {                                                                                           \
		return fmax##suffix(a, b);                                                                                     \
	}
MT_EMULATED_FLOAT_ORDER(float, float, float, f)
MT_EMULATED_FLOAT_ORDER(double, double, double, )
MT_EMULATED_FLOAT_ORDER(double, float, double, )
MT_EMULATED_FLOAT_ORDER(double, double, float, )
#undef MT_EMULATED_FLOAT_ORDER

inline unsigned umin(unsigned a, unsigned b) {
	return min(a, b);
}
inline unsigned umax(unsigned a, unsigned b) {
	return max(a, b);
}
inline long long llmin(long long a, long long b) {
	return min(a, b);
}
inline long long llmax(long long a, long long b) {
	return max(a, b);
}

#endif
