/* Running sums of floats that lie ready, in double.  A row with AVX-512: prefix sums of eight in a register, log₂ 8
 * steps, then the sum so far is added; so that the chain from one vector to the next is a single addition.  At the
 * other levels four rows go side by side, each its own chain.  Lanes side by side: four rows of them at once. */
#ifndef MT_OMP_SCAN_SUMS_H
#define MT_OMP_SCAN_SUMS_H

#include "row_stream.h"

enum { SUM_ROWS = 4, SUM_LANES = 1024 };

/* out[j · step] = x[0] + … + x[j · step], step 1 or −1. */
static void sum_from(double so_far, float *out, const float *x, int64_t step, int64_t n) {
	for (int64_t j = 0; j < n; j++) {
		so_far += (double)x[j * step];
		out[j * step] = (float)so_far;
	}
}

#if defined(MT_ISA_AVX512)

/* a[0] + … + a[i]; or from the other end. */
MT_INLINE __m512d prefix_sums(__m512d a, bool reverse) {
	const __m512i zero = _mm512_setzero_si512();
#define SHIFTED(a, k)                                                                                                  \
	(__m512d)(reverse ? _mm512_alignr_epi64(zero, (__m512i)(a), k) : _mm512_alignr_epi64((__m512i)(a), zero, 8 - (k)))
	a += SHIFTED(a, 1);
	a += SHIFTED(a, 2);
	a += SHIFTED(a, 4);
#undef SHIFTED
	return a;
}

MT_INLINE __m512d last_of(__m512d a, bool reverse) {
	return reverse ? _mm512_permutexvar_pd(_mm512_setzero_si512(), a) : _mm512_permutexvar_pd(_mm512_set1_epi64(7), a);
}

/* One row of n: x and out point to the element that comes first; reverse: the others lie below. */
MT_INLINE void sum_row_vectors(float *out, const float *x, int64_t n, bool reverse, bool far) {
	__m512d so_far = _mm512_set1_pd(-0.0);
	int64_t j = 0;
	for (; j + 16 <= n; j += 16) {
		int64_t at = reverse ? -j - 15 : j;
		__m512d a = prefix_sums(_mm512_cvtps_pd(_mm256_loadu_ps(x + at + (reverse ? 8 : 0))), reverse);
		__m512d b = prefix_sums(_mm512_cvtps_pd(_mm256_loadu_ps(x + at + (reverse ? 0 : 8))), reverse);
		__m512d last = last_of(a, reverse), both = last + last_of(b, reverse);
		__m256 first = _mm512_cvtpd_ps(a + so_far), second = _mm512_cvtpd_ps(b + (so_far + last));
		so_far += both;
		__m512 y = _mm512_insertf32x8(_mm512_castps256_ps512(reverse ? second : first), reverse ? first : second, 1);
		if (far)
			_mm512_stream_ps(out + at, y);
		else
			_mm512_storeu_ps(out + at, y);
	}
	sum_from(_mm512_cvtsd_f64(so_far), out + (reverse ? -j : j), x + (reverse ? -j : j), reverse ? -1 : 1, n - j);
}

static void sum_one_row(float *out, const float *x, int64_t step, int64_t n, bool far) {
	/* Whole lines alone are streamed. */
	far = far && (uintptr_t)(step < 0 ? out - 15 : out) % 64 == 0;
	if (step < 0 && far)
		sum_row_vectors(out, x, n, true, true);
	else if (step < 0)
		sum_row_vectors(out, x, n, true, false);
	else if (far)
		sum_row_vectors(out, x, n, false, true);
	else
		sum_row_vectors(out, x, n, false, false);
}

static void sum_four_rows(char *const *out, char *const *x, int64_t step, int64_t n, bool far) {
	for (int r = 0; r < SUM_ROWS; r++)
		sum_one_row((float *)out[r], (const float *)x[r], step, n, far);
}

#else

static void sum_one_row(float *out, const float *x, int64_t step, int64_t n, bool far) {
	(void)far;
	sum_from(-0.0, out, x, step, n);
}

static void sum_four_rows(char *const *out, char *const *x, int64_t step, int64_t n, bool far) {
	float *y0 = (float *)out[0], *y1 = (float *)out[1], *y2 = (float *)out[2], *y3 = (float *)out[3];
	const float *x0 = (const float *)x[0], *x1 = (const float *)x[1], *x2 = (const float *)x[2];
	const float *x3 = (const float *)x[3];
	double s0 = -0.0, s1 = -0.0, s2 = -0.0, s3 = -0.0;
	(void)far;
	for (int64_t j = 0; j < n; j++) {
		int64_t at = j * step;
		y0[at] = (float)(s0 += (double)x0[at]);
		y1[at] = (float)(s1 += (double)x1[at]);
		y2[at] = (float)(s2 += (double)x2[at]);
		y3[at] = (float)(s3 += (double)x3[at]);
	}
}

#endif

/* ---- lanes side by side ---- */

typedef float half_f32 __attribute__((vector_size(MT_VECTOR_BYTES / 2)));
typedef float half_f32_mem __attribute__((vector_size(MT_VECTOR_BYTES / 2), aligned(4), may_alias));

/* rows, a constant, of VL_F64 lanes: acc goes on, and is put after each. */
MT_INLINE void sum_lane_rows(float *out, int64_t ldo, const float *x, int64_t ld, double *acc, int rows) {
	vec_f64 a = *(const vec_f64_mem *)acc;
	MT_UNROLL
	for (int r = 0; r < rows; r++) {
		a += __builtin_convertvector(*(const half_f32_mem *)(x + r * ld), vec_f64);
		*(half_f32_mem *)(out + r * ldo) = __builtin_convertvector(a, half_f32);
	}
	*(vec_f64_mem *)acc = a;
}

/* The same for VL_F32 lanes of rows that come from memory and go past the caches; out is aligned. */
MT_INLINE void stream_lane_rows(float *out, int64_t ldo, const float *x, int64_t ld, double *acc, int rows) {
	vec_f64 a = *(const vec_f64_mem *)acc, b = *(const vec_f64_mem *)(acc + VL_F64);
	MT_UNROLL
	for (int r = 0; r < rows; r++) {
		union {
			half_f32 half[2];
			vec_f32 whole;
		} y;
		const float *from = x + r * ld;
		__builtin_prefetch(from + rows * ld);
		a += __builtin_convertvector(*(const half_f32_mem *)from, vec_f64);
		b += __builtin_convertvector(*(const half_f32_mem *)(from + VL_F64), vec_f64);
		y.half[0] = __builtin_convertvector(a, half_f32);
		y.half[1] = __builtin_convertvector(b, half_f32);
		vec_f32_stream(out + r * ldo, y.whole);
	}
	*(vec_f64_mem *)acc = a;
	*(vec_f64_mem *)(acc + VL_F64) = b;
}

static void sum_lane_group(float *out, int64_t ldo, const float *x, int64_t ld, double *acc, int64_t rows,
                           int64_t lanes, bool far) {
	int64_t j = 0;
	if (far && rows == SUM_ROWS && (uintptr_t)out % 64 == 0 && ldo % 16 == 0)
		for (; j + VL_F32 <= lanes; j += VL_F32)
			stream_lane_rows(out + j, ldo, x + j, ld, acc + j, SUM_ROWS);
	for (; j + VL_F64 <= lanes; j += VL_F64)
		if (rows == SUM_ROWS)
			sum_lane_rows(out + j, ldo, x + j, ld, acc + j, SUM_ROWS);
		else
			for (int64_t r = 0; r < rows; r++)
				sum_lane_rows(out + r * ldo + j, ldo, x + r * ld + j, ld, acc + j, 1);
	for (; j < lanes; j++)
		for (int64_t r = 0; r < rows; r++)
			out[r * ldo + j] = (float)(acc[j] += (double)x[r * ld + j]);
}

/* A block of lanes: each line of out is written whole, in order. */
static void sum_lanes(const struct mt__lanes *l, const struct mt__lane_block *b, bool far) {
	_Alignas(64) double acc[SUM_LANES];
	for (int64_t j = 0; j < b->lanes; j++)
		acc[j] = -0.0;
	for (int64_t r = 0; r < l->extent; r += SUM_ROWS)
		sum_lane_group((float *)b->at[0] + r * l->step[0], l->step[0], (const float *)b->at[1] + r * l->step[1],
		               l->step[1], acc, mt__omp_min(SUM_ROWS, l->extent - r), b->lanes, far);
}

#endif
