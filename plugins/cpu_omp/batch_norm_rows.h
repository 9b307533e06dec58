/* batch_norm on short rows of f32 that lie apart (a channel's positions in [N, C, S]), in vectors and in place.  A block is
 * `rows` rows of `columns` elements, `stride` elements apart. */
#ifndef MT_OMP_BATCH_NORM_ROWS_H
#define MT_OMP_BATCH_NORM_ROWS_H

#include "vector.h"

struct norm_rows {
	int64_t rows, columns;
};

/* Rows summed side by side, each into sums of its own. */
#define NORM_SUMS 4

MT_INLINE double norm_total(const vec_f32 sum[NORM_SUMS]) {
	vec_f32 v = (sum[0] + sum[1]) + (sum[2] + sum[3]);
	double total = 0;
	for (int i = 0; i < VL_F32; i++)
		total += (double)v[i];
	return total;
}

/* x in the first n lanes, 0 in the others. */
MT_INLINE vec_f32 norm_lanes(float x, int n) {
	return (vec_f32)((vec_i32)((vec_f32){0} + x) & (vec_i32_count() < n));
}

/* The rows from r on that are summed side by side: NORM_SUMS, or the last one by one. */
MT_INLINE int norm_side_by_side(const struct norm_rows *b, int64_t r) {
	return r + NORM_SUMS <= b->rows ? NORM_SUMS : 1;
}

MT_INLINE void norm_add(vec_f32 *sum, const float *x, int64_t stride, const int rows, int n) {
	MT_UNROLL
	for (int i = 0; i < rows; i++)
		sum[i] += vec_f32_load(x + i * stride, n);
}

/* Σ x */
static double norm_rows_sum(const struct norm_rows *b, const float *x, int64_t stride) {
	vec_f32 sum[NORM_SUMS] = {{0}};
	for (int64_t r = 0; r < b->rows; r += norm_side_by_side(b, r)) {
		const int together = norm_side_by_side(b, r);
		for (int64_t j = 0; j < b->columns; j += VL_F32) {
			int n = b->columns - j < VL_F32 ? (int)(b->columns - j) : VL_F32;
			if (together == NORM_SUMS)
				norm_add(sum, x + r * stride + j, stride, NORM_SUMS, n);
			else
				norm_add(sum, x + r * stride + j, stride, 1, n);
		}
	}
	return norm_total(sum);
}

MT_INLINE void norm_add_squares(vec_f32 *sum, const float *x, int64_t stride, vec_f32 shift, const int rows, int n) {
	MT_UNROLL
	for (int i = 0; i < rows; i++) {
		vec_f32 d = vec_f32_load(x + i * stride, n) - shift;
		sum[i] += d * d;
	}
}

/* Σ (x − shift)² */
static double norm_rows_squares(const struct norm_rows *b, const float *x, int64_t stride, float shift) {
	vec_f32 sum[NORM_SUMS] = {{0}}, all = norm_lanes(shift, VL_F32);
	vec_f32 last = norm_lanes(shift, (int)(b->columns % VL_F32));
	for (int64_t r = 0; r < b->rows; r += norm_side_by_side(b, r)) {
		const int together = norm_side_by_side(b, r);
		for (int64_t j = 0; j < b->columns; j += VL_F32) {
			int n = b->columns - j < VL_F32 ? (int)(b->columns - j) : VL_F32;
			vec_f32 lanes = n < VL_F32 ? last : all;
			if (together == NORM_SUMS)
				norm_add_squares(sum, x + r * stride + j, stride, lanes, NORM_SUMS, n);
			else
				norm_add_squares(sum, x + r * stride + j, stride, lanes, 1, n);
		}
	}
	return norm_total(sum);
}

/* y = (x − mean) scale + bias */
static void norm_rows_apply(const struct norm_rows *b, const float *x, int64_t stride, float *y, int64_t y_stride,
                            float mean, float scale, float bias) {
	for (int64_t r = 0; r < b->rows; r++)
		for (int64_t j = 0; j < b->columns; j += VL_F32) {
			int n = b->columns - j < VL_F32 ? (int)(b->columns - j) : VL_F32;
			vec_f32_store(y + r * y_stride + j, n, (vec_f32_load(x + r * stride + j, n) - mean) * scale + bias);
		}
}

MT_INLINE void norm_add_products(vec_f32 *sum_g, vec_f32 *sum_gx, const float *g, int64_t g_stride, const float *x,
                                 int64_t stride, float mean, const int rows, int n) {
	MT_UNROLL
	for (int i = 0; i < rows; i++) {
		vec_f32 v = vec_f32_load(g + i * g_stride, n);
		sum_g[i] += v;
		sum_gx[i] += v * (vec_f32_load(x + i * stride, n) - mean);
	}
}

/* Σ g and Σ g (x − mean) */
static void norm_rows_products(const struct norm_rows *b, const float *g, int64_t g_stride, const float *x,
                               int64_t stride, float mean, double *sum, double *products) {
	vec_f32 sum_g[NORM_SUMS] = {{0}}, sum_gx[NORM_SUMS] = {{0}};
	for (int64_t r = 0; r < b->rows; r += norm_side_by_side(b, r)) {
		const int together = norm_side_by_side(b, r);
		for (int64_t j = 0; j < b->columns; j += VL_F32) {
			int n = b->columns - j < VL_F32 ? (int)(b->columns - j) : VL_F32;
			const float *at_g = g + r * g_stride + j, *at_x = x + r * stride + j;
			if (together == NORM_SUMS)
				norm_add_products(sum_g, sum_gx, at_g, g_stride, at_x, stride, mean, NORM_SUMS, n);
			else
				norm_add_products(sum_g, sum_gx, at_g, g_stride, at_x, stride, mean, 1, n);
		}
	}
	*sum = norm_total(sum_g);
	*products = norm_total(sum_gx);
}

/* gx = scale (g − mean_g − (x − mean) slope) */
static void norm_rows_gradient(const struct norm_rows *b, const float *g, int64_t g_stride, const float *x,
                               int64_t stride, float *gx, int64_t gx_stride, float scale, float mean_g, float mean,
                               float slope) {
	for (int64_t r = 0; r < b->rows; r++)
		for (int64_t j = 0; j < b->columns; j += VL_F32) {
			int n = b->columns - j < VL_F32 ? (int)(b->columns - j) : VL_F32;
			vec_f32 h = (vec_f32_load(x + r * stride + j, n) - mean) * slope;
			vec_f32_store(gx + r * gx_stride + j, n, scale * (vec_f32_load(g + r * g_stride + j, n) - mean_g - h));
		}
}

#endif
