/* The loops of map and zip over the functions of vmath_avx512*.h. */
#ifndef MT_OMP_VMATH_AVX512_LOOPS_H
#define MT_OMP_VMATH_AVX512_LOOPS_H

#include "vmath_avx512_gelu.h"
#include "vmath_avx512_log.h"
#include "vmath_avx512_pow.h"
#include "vmath_avx512_trig.h"

MT_INLINE bool has_map_16(int op) {
	return op == MT_MAP_EXP || op == MT_MAP_EXP2 || op == MT_MAP_SIGMOID || op == MT_MAP_SILU ||
	       op == MT_MAP_SOFTPLUS || op == MT_MAP_GELU || op == MT_MAP_TANH || op == MT_MAP_LOG || op == MT_MAP_LOG1P ||
	       op == MT_MAP_ERF || op == MT_MAP_SIN || op == MT_MAP_COS;
}

MT_INLINE __m512 map_16(int op, __m512 x) {
	switch (op) {
	case MT_MAP_EXP:
		return exp_16(x);
	case MT_MAP_EXP2:
		return exp2_16(x);
	case MT_MAP_SIGMOID:
		return sigmoid_16(x);
	case MT_MAP_SILU:
		return silu_16(x);
	case MT_MAP_SOFTPLUS:
		return softplus_16(x);
	case MT_MAP_TANH:
		return tanh_16(x);
	case MT_MAP_LOG:
		return log_16(x);
	case MT_MAP_LOG1P:
		return log1p_16(x);
	case MT_MAP_ERF:
		return erf_16(x);
	case MT_MAP_SIN:
	case MT_MAP_COS:
		return trig_16(op == MT_MAP_SIN, x);
	default:
		return gelu_16(x);
	}
}

MT_INLINE bool has_zip_16(int op) {
	return op == MT_ZIP_POW || op == MT_ZIP_SILU_GRAD || op == MT_ZIP_SOFTPLUS_GRAD || op == MT_ZIP_GELU_GRAD;
}

MT_INLINE __m512 zip_16(int op, __m512 a, __m512 b) {
	switch (op) {
	case MT_ZIP_POW:
		return pow_16(a, b);
	case MT_ZIP_SILU_GRAD:
		return _mm512_mul_ps(a, silu_slope_16(b));
	case MT_ZIP_SOFTPLUS_GRAD:
		return _mm512_mul_ps(a, sigmoid_16(b));
	default:
		return _mm512_mul_ps(a, gelu_slope_16(b));
	}
}

MT_INLINE __mmask16 first_lanes(int64_t n) {
	return (__mmask16)(n < 16 ? (1u << n) - 1 : 0xFFFFu);
}

/* Whole lines past the caches where stream is set. */
MT_INLINE void map_lanes(int op, float *y, const float *x, int64_t n, bool stream) {
	int64_t i = 0;
	for (; i + 16 <= n; i += 16) {
		__m512 v = map_16(op, _mm512_loadu_ps(x + i));
		if (stream)
			_mm512_stream_ps(y + i, v);
		else
			_mm512_storeu_ps(y + i, v);
	}
	if (i < n) {
		__mmask16 rest = first_lanes(n - i);
		_mm512_mask_storeu_ps(y + i, rest, map_16(op, _mm512_maskz_loadu_ps(rest, x + i)));
	}
}

/* Elements i on of an operand, or its one element in each lane. */
MT_INLINE __m512 operand_16(const float *p, int64_t i, bool scalar) {
	return scalar ? _mm512_set1_ps(*p) : _mm512_loadu_ps(p + i);
}

MT_INLINE __m512 operand_rest(const float *p, int64_t i, __mmask16 lanes, bool scalar) {
	return scalar ? _mm512_set1_ps(*p) : _mm512_maskz_loadu_ps(lanes, p + i);
}

/* scalars: bit 0, a is one element; bit 1, b is. */
MT_INLINE void zip_lanes(int op, float *y, const float *a, const float *b, uint32_t scalars, int64_t n, bool stream) {
	int64_t i = 0;
	for (; i + 16 <= n; i += 16) {
		__m512 v = zip_16(op, operand_16(a, i, scalars & 1), operand_16(b, i, scalars & 2));
		if (stream)
			_mm512_stream_ps(y + i, v);
		else
			_mm512_storeu_ps(y + i, v);
	}
	if (i < n) {
		__mmask16 rest = first_lanes(n - i);
		__m512 u = operand_rest(a, i, rest, scalars & 1), v = operand_rest(b, i, rest, scalars & 2);
		_mm512_mask_storeu_ps(y + i, rest, zip_16(op, u, v));
	}
}

#endif
