/* Max pooling 2 × 2 with stride 2, f32, rows contiguous: the common case, in vectors.  Windows don't overlap, so that
 * the gradient writes each element once. */
#ifndef MT_OMP_POOL_QUARTER_H
#define MT_OMP_POOL_QUARTER_H

#include <stdint.h>

/* One row of out: rows `a` and `b` of the plane, a's first element at place `first`, rows `width` apart in places. */
static inline void quarter_max_row(const float *a, const float *b, float *out, int32_t *index, int64_t n, int32_t first,
                                   int32_t width) {
#pragma omp simd
	for (int64_t x = 0; x < n; x++) {
		float v0 = a[2 * x], v1 = a[2 * x + 1], v2 = b[2 * x], v3 = b[2 * x + 1];
		int32_t at0 = first + 2 * (int32_t)x, at2 = at0 + width;
		/* Each comparison is true where the later of the two wins: larger, or the only NaN. */
		int32_t upper = (v1 > v0) | ((v1 != v1) & (v0 == v0)), lower = (v3 > v2) | ((v3 != v3) & (v2 == v2));
		float u = upper ? v1 : v0, l = lower ? v3 : v2;
		int32_t last = (l > u) | ((l != l) & (u == u));
		out[x] = last ? l : u;
		index[x] = last ? at2 + lower : at0 + upper;
	}
}

/* Two rows of gx; places as above. */
static inline void quarter_grad_row(const float *gout, const int32_t *index, float *a, float *b, int64_t n, int32_t first,
                                    int32_t width) {
#pragma omp simd
	for (int64_t x = 0; x < n; x++) {
		int32_t place = index[x] - first - 2 * (int32_t)x;
		float g = gout[x];
		a[2 * x] = place == 0 ? g : 0;
		a[2 * x + 1] = place == 1 ? g : 0;
		b[2 * x] = place == width ? g : 0;
		b[2 * x + 1] = place == width + 1 ? g : 0;
	}
}

#endif
