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
__device__ inline double sticky_double(int64_t i) {
	uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
	if (u >> 53)
		u = (u >> 11 | ((u & 0x7FF) != 0)) << 11;
	return i < 0 ? -(double)u : (double)u;
}

/* Toward zero, saturating, NaN gives 0. */
__device__ inline int64_t truncate_to(double x, int64_t lowest, int64_t highest) {
	if (x != x)
		return 0;
	return x <= (double)lowest ? lowest : x >= (double)highest ? highest : (int64_t)x;
}

__device__ inline void convert(double *to, double v) {
	*to = v;
}
__device__ inline void convert(float *to, double v) {
	*to = __double2float_rn(v);
}
__device__ inline void convert(__half *to, double v) {
	*to = __float2half_rn(round_to_odd(v));
}
__device__ inline void convert(__nv_bfloat16 *to, double v) {
	*to = __float2bfloat16_rn(round_to_odd(v));
}
__device__ inline void convert(int32_t *to, double v) {
	*to = (int32_t)truncate_to(v, INT32_MIN, INT32_MAX);
}
__device__ inline void convert(int64_t *to, double v) {
	*to = truncate_to(v, INT64_MIN, INT64_MAX);
}
__device__ inline void convert(uint8_t *to, double v) {
	*to = (uint8_t)truncate_to(v, 0, UINT8_MAX);
}
__device__ inline void convert(flag *to, double v) {
	to->v = v != 0;
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
