/* e^(x − shift) over rows, with its sum: what softmax and cross_entropy are made of.
 *
 * With AVX-512 2^(j/16) comes from one register (vpermps takes j from the low bits of the rounded exponent), a cubic
 * does the rest on |r| ≤ ln 2 / 32, and scalef applies 2^n, subnormals included: 9 operations where mt__expf, which
 * the other levels use, has 28.  Off by 1.0 ULP at most. */
#ifndef MT_OMP_ROW_EXP_H
#define MT_OMP_ROW_EXP_H

#include "reduce_vec.h"
#include "row_pending.h"
#include "vmath.h"

#if defined(MT_ISA_AVX512)

/* 2^(j/16) */
static const float row_exp_powers[16] = {
	1.0f,        1.04427373f, 1.09050775f, 1.13878858f, 1.18920708f, 1.24185777f, 1.29683959f, 1.35425556f,
	1.41421354f, 1.47682619f, 1.54221082f, 1.61049032f, 1.68179286f, 1.75625217f, 1.8340081f,  1.91520655f,
};

/* e^x; NaN stays.  positive, a constant: x may be above 0. */
MT_INLINE __m512 row_exp_vec(__m512 x, __m512 powers, bool positive) {
	const __m512 shift = _mm512_set1_ps(0x1.8p19f); /* leaves multiples of 1/16 */
	x = _mm512_max_ps(_mm512_set1_ps(-104.0f), x);
	if (positive)
		x = _mm512_min_ps(_mm512_set1_ps(89.0f), x);
	__m512 k = _mm512_fmadd_ps(x, _mm512_set1_ps(0x1.715476p0f), shift), n = _mm512_sub_ps(k, shift);
	__m512 r = _mm512_fmadd_ps(n, _mm512_set1_ps(-0x1.62e43p-1f), x);
	r = _mm512_fmadd_ps(n, _mm512_set1_ps(0x1.05c61p-29f), r);
	__m512 t = _mm512_permutexvar_ps(_mm512_castps_si512(k), powers);
	__m512 p = _mm512_fmadd_ps(_mm512_set1_ps(0.16666667f), r, _mm512_set1_ps(0.5f));
	p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
	p = _mm512_fmadd_ps(_mm512_mul_ps(t, r), p, t);
	return _mm512_scalef_ps(p, n);
}

/* y[j] = e^(x[j] − shift) · scale, j < n, unless y is NULL; the sum of e^(x[j] − shift).  n ≤ 2048 for accuracy.
 * next: what lies that many elements on is asked for meanwhile; or 0.  positive, a constant: x may be above shift.
 * pending: of the kind given, a constant, some is stored meanwhile; or NULL. */
MT_INLINE float row_exp_and_store(float *y, const float *x, float shift, float scale, int64_t n, int64_t next,
                                  bool positive, struct row_pending *pending, int kind) {
	const __m512 m = _mm512_set1_ps(shift), powers = _mm512_loadu_ps(row_exp_powers), s = _mm512_set1_ps(scale);
	__m512 sum[4];
	int64_t j = 0;
	MT_UNROLL
	for (int k = 0; k < 4; k++)
		sum[k] = _mm512_setzero_ps();
	for (; j + 64 <= n; j += 64) {
		MT_UNROLL
		for (int k = 0; k < 4; k++) {
			__m512 e = row_exp_vec(_mm512_sub_ps(_mm512_loadu_ps(x + j + 16 * k), m), powers, positive);
			sum[k] = _mm512_add_ps(sum[k], e);
			if (next)
				__builtin_prefetch(x + j + 16 * k + next, 0, 2);
			if (pending)
				row_pending_store(pending, kind);
			if (y)
				_mm512_storeu_ps(y + j + 16 * k, _mm512_mul_ps(e, s));
		}
	}
	for (; j < n; j += 16) {
		__mmask16 there = n - j >= 16 ? 0xffff : (__mmask16)((1u << (n - j)) - 1);
		__m512 e = row_exp_vec(_mm512_sub_ps(_mm512_maskz_loadu_ps(there, x + j), m), powers, positive);
		sum[0] = _mm512_mask_add_ps(sum[0], there, sum[0], e);
		if (y)
			_mm512_mask_storeu_ps(y + j, there, _mm512_mul_ps(e, s));
	}
	return vec_f32_sum((vec_f32)_mm512_add_ps(_mm512_add_ps(sum[0], sum[2]), _mm512_add_ps(sum[1], sum[3])));
}

/* y[j] = e^(x[j] − shift[j]) and sum[j] += y[j], j < n; y may be x; next and positive as above. */
MT_INLINE void row_exp_lanes(float *y, float *sum, const float *x, const float *shift, int64_t n, int64_t next,
                             bool positive) {
	const __m512 powers = _mm512_loadu_ps(row_exp_powers);
	for (int64_t j = 0; j < n; j += 16) {
		__mmask16 there = n - j >= 16 ? 0xffff : (__mmask16)((1u << (n - j)) - 1);
		__m512 v = _mm512_sub_ps(_mm512_maskz_loadu_ps(there, x + j), _mm512_maskz_loadu_ps(there, shift + j));
		__m512 e = row_exp_vec(v, powers, positive);
		if (next)
			__builtin_prefetch(x + j + next, 0, 2);
		_mm512_mask_storeu_ps(y + j, there, e);
		_mm512_mask_storeu_ps(sum + j, there, _mm512_add_ps(_mm512_maskz_loadu_ps(there, sum + j), e));
	}
}

#else

MT_INLINE float row_exp_and_store(float *y, const float *x, float shift, float scale, int64_t n, int64_t next,
                                  bool positive, struct row_pending *pending, int kind) {
	(void)positive;
	enum { CHUNK = 256 };
	_Alignas(64) float term[CHUNK];
	float sum = 0;
	for (int64_t i = 0; i < n; i += CHUNK) {
		int64_t part = mt__omp_min(CHUNK, n - i);
#pragma omp simd
		for (int64_t j = 0; j < part; j++)
			term[j] = mt__expf(x[i + j] - shift);
		if (part >= VL_F32)
			sum += vec_run_f32(MT_REDUCE_SUM, term, part, false);
		else
			for (int64_t j = 0; j < part; j++)
				sum += term[j];
		if (y) {
#pragma omp simd
			for (int64_t j = 0; j < part; j++)
				y[i + j] = term[j] * scale;
		}
		for (int64_t j = 0; pending && j < part; j += VL_F32) {
			__builtin_prefetch(x + i + j + next, 0, 2);
			row_pending_store(pending, kind);
		}
	}
	return sum;
}

MT_INLINE void row_exp_lanes(float *y, float *sum, const float *x, const float *shift, int64_t n, int64_t next,
                             bool positive) {
	(void)next;
	(void)positive;
#pragma omp simd
	for (int64_t j = 0; j < n; j++) {
		float e = mt__expf(x[j] - shift[j]);
		y[j] = e;
		sum[j] += e;
	}
}

#endif

MT_INLINE float row_exp(float *y, const float *x, float shift, float scale, int64_t n, int64_t next, bool positive) {
	return row_exp_and_store(y, x, shift, scale, n, next, positive, NULL, 0);
}

/* The largest of x, NaN passed over (e^NaN makes it known). */
static inline float row_largest(const float *x, int64_t n) {
	if (n < VL_F32) {
		float m = -INFINITY;
		for (int64_t j = 0; j < n; j++)
			m = x[j] > m ? x[j] : m;
		return m;
	}
	/* The last vector overlaps those before. */
	vec_f32 a[4], last = vec_f32_load(x + n - VL_F32, VL_F32);
	int64_t j = 0;
	MT_UNROLL
	for (int k = 0; k < 4; k++)
		a[k] = (vec_f32){0} - INFINITY;
	for (; j + 4 * VL_F32 <= n; j += 4 * VL_F32) {
		MT_UNROLL
		for (int k = 0; k < 4; k++)
			a[k] = vec_f32_max(vec_f32_load(x + j + k * VL_F32, VL_F32), a[k]);
	}
	for (; j + VL_F32 <= n; j += VL_F32)
		a[0] = vec_f32_max(vec_f32_load(x + j, VL_F32), a[0]);
	a[1] = vec_f32_max(last, a[1]);
	return vec_f32_largest(vec_f32_max(vec_f32_max(a[0], a[2]), vec_f32_max(a[1], a[3])));
}

/* Σ a[j] b[j]; n ≤ 2048 for accuracy. */
static inline float row_dot(const float *a, const float *b, int64_t n) {
	vec_f32 sum[4] = {{0}};
	float rest = 0;
	int64_t j = 0;
	for (; j + 4 * VL_F32 <= n; j += 4 * VL_F32) {
		MT_UNROLL
		for (int k = 0; k < 4; k++)
			sum[k] += vec_f32_load(a + j + k * VL_F32, VL_F32) * vec_f32_load(b + j + k * VL_F32, VL_F32);
	}
	for (; j + VL_F32 <= n; j += VL_F32)
		sum[0] += vec_f32_load(a + j, VL_F32) * vec_f32_load(b + j, VL_F32);
	for (; j < n; j++)
		rest += a[j] * b[j];
	return vec_f32_sum((sum[0] + sum[2]) + (sum[1] + sum[3])) + rest;
}

#endif
