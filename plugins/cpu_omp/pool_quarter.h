/* Max pooling 2 × 2 with stride 2, f32, rows contiguous: the common case, in vectors.  Windows don't overlap, so that
 * the gradient writes each element once. */
#ifndef MT_OMP_POOL_QUARTER_H
#define MT_OMP_POOL_QUARTER_H

#include "vector.h"

/* Where b, which comes later in the window, wins over a: it is larger, or the first NaN. */
MT_INLINE vec_i32 later_wins(vec_f32 a, vec_f32 b) {
	return (b > a) | ((b != b) & (a == a));
}

/* How many of 2 · n elements fall into the first and the second vector. */
MT_INLINE int first_of(int n) {
	return 2 * n < VL_F32 ? 2 * n : VL_F32;
}

/* VL windows, or the n < VL last ones; first: the place of the upper left element of the first of them. */
MT_INLINE void quarter_max_step(const float *a, const float *b, float *out, int32_t *index, int n, int32_t first,
                                int32_t width) {
	int head = first_of(n), tail = 2 * n - head;
	vec_f32 a0, a1, b0, b1, rest = {0}, below = {0};
	if (tail) {
		rest = vec_f32_load(a + VL_F32, tail);
		below = vec_f32_load(b + VL_F32, tail);
	}
	vec_f32_part(vec_f32_load(a, head), rest, &a0, &a1);
	vec_f32_part(vec_f32_load(b, head), below, &b0, &b1);
	vec_i32 upper = later_wins(a0, a1), lower = later_wins(b0, b1);
	vec_f32 u = vec_f32_select(upper, a1, a0), l = vec_f32_select(lower, b1, b0);
	vec_i32 last = later_wins(u, l), place = first + 2 * vec_i32_count();
	/* A mask is −1 where true. */
	vec_f32_store(out, n, vec_f32_select(last, l, u));
	vec_i32_store(index, n, place - vec_i32_select(last, lower - width, upper));
}

/* One row of out: rows `a` and `b` of the plane, a's first element at place `first`, rows `width` apart in places. */
static inline void quarter_max_row(const float *a, const float *b, float *out, int32_t *index, int64_t n, int32_t first,
                                   int32_t width) {
	int64_t x = 0;
	for (; x + VL_F32 <= n; x += VL_F32)
		quarter_max_step(a + 2 * x, b + 2 * x, out + x, index + x, VL_F32, first + 2 * (int32_t)x, width);
	if (x < n)
		quarter_max_step(a + 2 * x, b + 2 * x, out + x, index + x, (int)(n - x), first + 2 * (int32_t)x, width);
}

MT_INLINE void quarter_grad_pair(float *row, vec_f32 g, vec_i32 even, vec_i32 odd, int n) {
	vec_f32 low, high;
	int head = first_of(n), tail = 2 * n - head;
	vec_f32_join((vec_f32)(even & (vec_i32)g), (vec_f32)(odd & (vec_i32)g), &low, &high);
	vec_f32_store(row, head, low);
	if (tail)
		vec_f32_store(row + VL_F32, tail, high);
}

MT_INLINE void quarter_grad_step(const float *gout, const int32_t *index, float *a, float *b, int n, int32_t first,
                                 int32_t width) {
	vec_i32 place = vec_i32_load(index, n) - 2 * vec_i32_count() - first;
	vec_f32 g = vec_f32_load(gout, n);
	quarter_grad_pair(a, g, place == 0, place == 1, n);
	quarter_grad_pair(b, g, place == width, place == width + 1, n);
}

/* Two rows of gx; places as above. */
static inline void quarter_grad_row(const float *gout, const int32_t *index, float *a, float *b, int64_t n,
                                    int32_t first, int32_t width) {
	int64_t x = 0;
	for (; x + VL_F32 <= n; x += VL_F32)
		quarter_grad_step(gout + x, index + x, a + 2 * x, b + 2 * x, VL_F32, first + 2 * (int32_t)x, width);
	if (x < n)
		quarter_grad_step(gout + x, index + x, a + 2 * x, b + 2 * x, (int)(n - x), first + 2 * (int32_t)x, width);
}

#endif
