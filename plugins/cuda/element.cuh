/* One element of each dtype: T is how it is stored, compute_of<T> what kernels calculate in. */
#ifndef MT_CUDA_ELEMENT_CUH
#define MT_CUDA_ELEMENT_CUH

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "mt_cuda.h"

/* bool has its own type, apart from u8: stores give 0 or 1. */
struct flag {
	uint8_t v;
};

template <class T> struct compute { using type = int64_t; };
template <> struct compute<double> { using type = double; };
template <> struct compute<float> { using type = float; };
template <> struct compute<__half> { using type = float; };
template <> struct compute<__nv_bfloat16> { using type = float; };
template <class T> using compute_of = typename compute<T>::type;

/* What float reductions accumulate in; integers stay in 64 bits. */
template <class C> struct accumulator { using type = double; };
template <> struct accumulator<int64_t> { using type = int64_t; };
template <class T> using accumulator_of = typename accumulator<compute_of<T>>::type;

/* ---- loads ---- */

template <class T> __device__ inline int64_t load(T x) {
	return x;
}
__device__ inline double load(double x) {
	return x;
}
__device__ inline float load(float x) {
	return x;
}
__device__ inline float load(__half x) {
	return __half2float(x);
}
__device__ inline float load(__nv_bfloat16 x) {
	return __bfloat162float(x);
}
__device__ inline int64_t load(flag x) {
	return x.v;
}

/* ---- stores of computed values: integers keep the low bits ---- */

__device__ inline void store(double *to, double v) {
	*to = v;
}
__device__ inline void store(float *to, float v) {
	*to = v;
}
__device__ inline void store(__half *to, float v) {
	*to = __float2half_rn(v);
}
__device__ inline void store(__nv_bfloat16 *to, float v) {
	*to = __float2bfloat16_rn(v);
}
__device__ inline void store(int32_t *to, int64_t v) {
	*to = (int32_t)v;
}
__device__ inline void store(int64_t *to, int64_t v) {
	*to = v;
}
__device__ inline void store(uint8_t *to, int64_t v) {
	*to = (uint8_t)v;
}
template <class C> __device__ inline void store(flag *to, C v) {
	to->v = v != 0;
}

/* ---- conversions, as copy defines them ---- */

/* In f32, toward zero but with the last bit set where x was not exact: rounding that once more, to f16 or bf16, is as
 * rounding x itself. */
__device__ inline float round_to_odd(double x) {
	float f = __double2float_rz(x);
	return isfinite(f) && (double)f != x ? __uint_as_float(__float_as_uint(f) | 1u) : f;
}

/* Exact in f64 but for the last bit kept, which is set where bits were lost: rounds to any narrower float as i does. */
__host__ __device__ inline double sticky_double(int64_t i) {
	uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
	if (u >> 53)
		u = (u >> 11 | ((u & 0x7FF) != 0)) << 11;
	return i < 0 ? -(double)u : (double)u;
}

/* The same for bf16 from an integer of 32 bits, by way of f32. */
__device__ inline float sticky_float(int32_t i) {
	uint32_t u = i < 0 ? 0 - (uint32_t)i : (uint32_t)i;
	if (u >> 24)
		u = (u >> 8 | ((u & 0xFF) != 0)) << 8;
	return i < 0 ? -(float)u : (float)u;
}

/* Toward zero, saturating, NaN gives 0. */
template <class I, class F> __host__ __device__ inline I truncate_to(F x, I lowest, I highest) {
	if (x != x)
		return 0;
	return x <= (F)lowest ? lowest : x >= (F)highest ? highest : (I)x;
}

/* From f64, or from f32 and what it holds: F is double or float. */
template <class F> __device__ inline void convert_float(double *to, F v) {
	*to = v;
}
template <class F> __device__ inline void convert_float(float *to, F v) {
	*to = (float)v;
}
__device__ inline void convert_float(__half *to, double v) {
	*to = __float2half_rn(round_to_odd(v));
}
__device__ inline void convert_float(__half *to, float v) {
	*to = __float2half_rn(v);
}
__device__ inline void convert_float(__nv_bfloat16 *to, double v) {
	*to = __float2bfloat16_rn(round_to_odd(v));
}
__device__ inline void convert_float(__nv_bfloat16 *to, float v) {
	*to = __float2bfloat16_rn(v);
}
template <class F> __device__ inline void convert_float(int32_t *to, F v) {
	*to = truncate_to<int32_t>(v, INT32_MIN, INT32_MAX);
}
template <class F> __device__ inline void convert_float(int64_t *to, F v) {
	*to = truncate_to<int64_t>(v, INT64_MIN, INT64_MAX);
}
template <class F> __device__ inline void convert_float(uint8_t *to, F v) {
	*to = (uint8_t)truncate_to<int32_t>(v, 0, UINT8_MAX);
}
template <class F> __device__ inline void convert_float(flag *to, F v) {
	to->v = v != 0;
}

template <class T> __device__ inline void convert(T *to, double v) {
	convert_float(to, v);
}
template <class T> __device__ inline void convert(T *to, float v) {
	convert_float(to, v);
}

__device__ inline void convert(double *to, int64_t v) {
	*to = (double)v;
}
__device__ inline void convert(float *to, int64_t v) {
	*to = (float)v;
}
__device__ inline void convert(__half *to, int64_t v) {
	convert(to, sticky_double(v));
}
__device__ inline void convert(__nv_bfloat16 *to, int64_t v) {
	convert(to, sticky_double(v));
}
template <class T> __device__ inline void convert(T *to, int64_t v) {
	store(to, v);
}

/* From integers of up to 32 bits.  What f32 rounds is infinite in f16 anyway. */
__device__ inline void convert(double *to, int32_t v) {
	*to = (double)v;
}
__device__ inline void convert(float *to, int32_t v) {
	*to = (float)v;
}
__device__ inline void convert(__half *to, int32_t v) {
	*to = __float2half_rn((float)v);
}
__device__ inline void convert(__nv_bfloat16 *to, int32_t v) {
	*to = __float2bfloat16_rn(sticky_float(v));
}
template <class T> __device__ inline void convert(T *to, int32_t v) {
	store(to, (int64_t)v);
}

/* ---- numbers by value, on the host: converted to the dtype that is computed in ---- */

inline int64_t saturate(double x) {
	if (x != x)
		return 0;
	return x <= -0x1p63 ? INT64_MIN : x >= 0x1p63 ? INT64_MAX : (int64_t)x;
}

inline double scalar_double(mt_scalar s) {
	return s.tag == MT_SCALAR_I64 ? (double)s.v.i : s.tag == MT_SCALAR_F64 ? s.v.f : 0.0;
}

inline int64_t scalar_integer(mt_scalar s) {
	return s.tag == MT_SCALAR_I64 ? s.v.i : s.tag == MT_SCALAR_F64 ? saturate(s.v.f) : 0;
}

/* scalar_as<T>: the value in compute_of<T>, narrowed to T first where T is an integer. */
template <class T> struct scalar_as {
	static compute_of<T> value(mt_scalar s) {
		return (compute_of<T>)scalar_double(s);
	}
};
template <> struct scalar_as<int64_t> {
	static int64_t value(mt_scalar s) {
		return scalar_integer(s);
	}
};
template <> struct scalar_as<int32_t> {
	static int64_t value(mt_scalar s) {
		return (int32_t)scalar_integer(s);
	}
};
template <> struct scalar_as<uint8_t> {
	static int64_t value(mt_scalar s) {
		return (uint8_t)scalar_integer(s);
	}
};
template <> struct scalar_as<flag> {
	static int64_t value(mt_scalar s) {
		return s.tag == MT_SCALAR_F64 ? s.v.f != 0 : s.tag == MT_SCALAR_I64 && s.v.i != 0;
	}
};

#endif
