/* Max pooling 2 × 2 with stride 2, f32, rows contiguous: the common case, in vectors.  Windows don't overlap, so that
 * the gradient writes each element once. */
#ifndef MT_OMP_POOL_QUARTER_H
#define MT_OMP_POOL_QUARTER_H

#include "vector.h"

/* One truth for each window. */
#if defined(MT_ISA_AVX512)
typedef __mmask16 window_mask;

MT_INLINE vec_f32 pick_value(window_mask which, vec_f32 yes, vec_f32 no) {
	return (vec_f32)_mm512_mask_blend_ps(which, (__m512)no, (__m512)yes);
}

MT_INLINE vec_i32 pick_place(window_mask which, vec_i32 yes, vec_i32 no) {
	return (vec_i32)_mm512_mask_blend_epi32(which, (__m512i)no, (__m512i)yes);
}

/* place + 1 where true. */
MT_INLINE vec_i32 next_where(window_mask which, vec_i32 place) {
	return (vec_i32)_mm512_mask_add_epi32((__m512i)place, which, (__m512i)place, _mm512_set1_epi32(1));
}

MT_INLINE vec_f32 where_equal(vec_i32 a, int32_t b, vec_f32 x) {
	return (vec_f32)_mm512_maskz_mov_ps(_mm512_cmpeq_epi32_mask((__m512i)a, _mm512_set1_epi32(b)), (__m512)x);
}

/* Where b, which comes later in the window, wins over a: it is larger, or the first NaN. */
MT_INLINE window_mask later_wins(vec_f32 a, vec_f32 b) {
	__mmask16 not_less = _mm512_cmp_ps_mask((__m512)b, (__m512)a, _CMP_NLE_UQ);
	return _mm512_mask_cmp_ps_mask(not_less, (__m512)a, (__m512)a, _CMP_ORD_Q);
}
#else
typedef vec_i32 window_mask; /* −1 where true */

MT_INLINE vec_f32 pick_value(window_mask which, vec_f32 yes, vec_f32 no) {
	return vec_f32_select(which, yes, no);
}

MT_INLINE vec_i32 pick_place(window_mask which, vec_i32 yes, vec_i32 no) {
	return vec_i32_select(which, yes, no);
}

MT_INLINE vec_i32 next_where(window_mask which, vec_i32 place) {
	return place - which;
}

MT_INLINE vec_f32 where_equal(vec_i32 a, int32_t b, vec_f32 x) {
	return (vec_f32)((a == b) & (vec_i32)x);
}

MT_INLINE window_mask later_wins(vec_f32 a, vec_f32 b) {
	return ~(b <= a) & (a == a);
}
#endif

/* The elements of VL windows: a0 a1 over b0 b1. */
struct windows {
	vec_f32 a0, a1, b0, b1;
};

/* Their maxima; index, unless NULL: their places, where a0's are `place`. */
MT_INLINE void windows_max(const struct windows *w, float *out, int32_t *index, int n, vec_i32 place, int32_t width) {
	window_mask upper = later_wins(w->a0, w->a1), lower = later_wins(w->b0, w->b1);
	vec_f32 u = pick_value(upper, w->a1, w->a0), l = pick_value(lower, w->b1, w->b0);
	window_mask last = later_wins(u, l);
	vec_f32_store(out, n, pick_value(last, l, u));
	if (index)
		vec_i32_store(index, n, pick_place(last, next_where(lower, place + width), next_where(upper, place)));
}

/* gout among the elements that `place`, counted from a0, says. */
MT_INLINE void windows_grad(struct windows *w, vec_f32 g, vec_i32 place, int32_t width) {
	w->a0 = where_equal(place, 0, g);
	w->a1 = where_equal(place, 1, g);
	w->b0 = where_equal(place, width, g);
	w->b1 = where_equal(place, width + 1, g);
}

/* How many of `count` elements fall into vector i of a run. */
MT_INLINE int part_of_run(int count, int i) {
	int n = count - i * VL_F32;
	return n < 0 ? 0 : n < VL_F32 ? n : VL_F32;
}

/* ---- rows of half a vector and more ---- */

MT_INLINE void load_pairs(const float *row, int n, vec_f32 *even, vec_f32 *odd) {
	int tail = part_of_run(2 * n, 1);
	vec_f32 rest = tail ? vec_f32_load(row + VL_F32, tail) : (vec_f32){0};
	vec_f32_part(vec_f32_load(row, part_of_run(2 * n, 0)), rest, even, odd);
}

MT_INLINE void store_pairs(float *row, int n, vec_f32 even, vec_f32 odd) {
	vec_f32 low, high;
	int tail = part_of_run(2 * n, 1);
	vec_f32_join(even, odd, &low, &high);
	vec_f32_store(row, part_of_run(2 * n, 0), low);
	if (tail)
		vec_f32_store(row + VL_F32, tail, high);
}

/* VL windows, or the n < VL last ones; first: the place of the upper left element of the first of them. */
MT_INLINE void quarter_max_step(const float *a, const float *b, float *out, int32_t *index, int n, int32_t first,
                                int32_t width) {
	struct windows w;
	load_pairs(a, n, &w.a0, &w.a1);
	load_pairs(b, n, &w.b0, &w.b1);
	windows_max(&w, out, index, n, first + 2 * vec_i32_count(), width);
}

/* A plane: `rows` rows of `columns` windows; rows of x, out and index are so many elements apart, and `width` places. */
struct quarter {
	int64_t rows, columns, width;
	int64_t x_row, out_row, index_row;
};

/* All rows' windows x … x + n − 1: n and the absence of index are constants of the loop. */
MT_INLINE void quarter_max_columns(const struct quarter q, const float *a, float *out, int32_t *index, int n,
                                   int64_t x) {
	for (int64_t y = 0; y < q.rows; y++) {
		quarter_max_step(a, a + q.x_row, out, index, n, (int32_t)(2 * (y * q.width + x)), (int32_t)q.width);
		a += 2 * q.x_row;
		out += q.out_row;
		if (index)
			index += q.index_row;
	}
}

static void quarter_max_rows(const struct quarter *plane, const float *x, float *out, int32_t *index) {
	const struct quarter q = *plane;
	int64_t at = 0;
	for (; at + VL_F32 <= q.columns; at += VL_F32) {
		if (index)
			quarter_max_columns(q, x + 2 * at, out + at, index + at, VL_F32, at);
		else
			quarter_max_columns(q, x + 2 * at, out + at, NULL, VL_F32, at);
	}
	if (at < q.columns && index)
		quarter_max_columns(q, x + 2 * at, out + at, index + at, (int)(q.columns - at), at);
	else if (at < q.columns)
		quarter_max_columns(q, x + 2 * at, out + at, NULL, (int)(q.columns - at), at);
}

MT_INLINE void quarter_grad_step(const float *gout, const int32_t *index, float *a, float *b, int n, int32_t first,
                                 int32_t width) {
	struct windows w;
	windows_grad(&w, vec_f32_load(gout, n), vec_i32_load(index, n) - 2 * vec_i32_count() - first, width);
	store_pairs(a, n, w.a0, w.a1);
	store_pairs(b, n, w.b0, w.b1);
}

MT_INLINE void quarter_grad_columns(const struct quarter q, const float *gout, const int32_t *index, float *a, int n,
                                    int64_t x) {
	for (int64_t y = 0; y < q.rows; y++) {
		quarter_grad_step(gout, index, a, a + q.x_row, n, (int32_t)(2 * (y * q.width + x)), (int32_t)q.width);
		a += 2 * q.x_row;
		gout += q.out_row;
		index += q.index_row;
	}
}

/* gx at the windows of a plane. */
static void quarter_grad_rows(const struct quarter *plane, const float *gout, const int32_t *index, float *gx) {
	const struct quarter q = *plane;
	int64_t at = 0;
	for (; at + VL_F32 <= q.columns; at += VL_F32)
		quarter_grad_columns(q, gout + at, index + at, gx + 2 * at, VL_F32, at);
	if (at < q.columns)
		quarter_grad_columns(q, gout + at, index + at, gx + 2 * at, (int)(q.columns - at), at);
}

/* ---- planes of short rows, contiguous: several rows of windows in a vector ---- */

/* How rows of `columns` windows lie in vectors, for columns ≤ VL / 2.  The elements of rows · columns windows are a run
 * of four vectors; its pairs (even and odd elements) are two vectors each. */
struct short_rows {
	int32_t columns, rows;                /* rows: of windows, in a vector */
	int32_t upper[VL_F32], lower[VL_F32]; /* the pair that is window i's upper, lower half */
	int32_t window[2 * VL_F32]; /* the reverse: pair i is the upper half of window [i], or the lower of [i] − VL */
	int32_t place[VL_F32];      /* of window i's upper left element, from the first window's */
};

/* There is such a layout where two vectors can be permuted into one by an index. */
#if defined(MT_ISA_AVX512)
#define QUARTER_SHORT (VL_F32 / 2)

static struct short_rows short_rows_of(int32_t columns) {
	struct short_rows s = {.columns = columns, .rows = VL_F32 / columns};
	for (int32_t i = 0; i < s.rows * columns; i++) {
		int32_t row = i / columns, x = i % columns;
		s.upper[i] = 2 * row * columns + x;
		s.lower[i] = s.upper[i] + columns;
		s.window[s.upper[i]] = i;
		s.window[s.lower[i]] = i + VL_F32;
		s.place[i] = 4 * row * columns + 2 * x;
	}
	return s;
}

MT_INLINE vec_f32 permute(vec_f32 a, vec_f32 b, const int32_t *index) {
	return (vec_f32)_mm512_permutex2var_ps((__m512)a, _mm512_loadu_si512(index), (__m512)b);
}

/* The n windows of some rows; first: the place of the first of them. */
MT_INLINE void short_max_step(const struct short_rows *s, const float *x, float *out, int32_t *index, int n,
                              int32_t first) {
	vec_f32 v[4], even[2], odd[2];
	MT_UNROLL
	for (int i = 0; i < 4; i++)
		v[i] = vec_f32_load(x + i * VL_F32, part_of_run(4 * n, i));
	vec_f32_part(v[0], v[1], &even[0], &odd[0]);
	vec_f32_part(v[2], v[3], &even[1], &odd[1]);
	struct windows w = {
		.a0 = permute(even[0], even[1], s->upper),
		.a1 = permute(odd[0], odd[1], s->upper),
		.b0 = permute(even[0], even[1], s->lower),
		.b1 = permute(odd[0], odd[1], s->lower),
	};
	windows_max(&w, out, index, n, first + vec_i32_load(s->place, VL_F32), 2 * s->columns);
}

MT_INLINE void short_grad_step(const struct short_rows *s, const float *gout, const int32_t *index, float *gx, int n,
                               int32_t first) {
	struct windows w;
	vec_f32 v[4];
	windows_grad(&w, vec_f32_load(gout, n), vec_i32_load(index, n) - vec_i32_load(s->place, VL_F32) - first,
	             2 * s->columns);
	MT_UNROLL
	for (int i = 0; i < 2; i++)
		vec_f32_join(permute(w.a0, w.b0, s->window + i * VL_F32), permute(w.a1, w.b1, s->window + i * VL_F32),
		             &v[2 * i], &v[2 * i + 1]);
	MT_UNROLL
	for (int i = 0; i < 4; i++)
		vec_f32_store(gx + i * VL_F32, part_of_run(4 * n, i), v[i]);
}

/* `windows` windows, whole rows of them. */
static inline void short_max_plane(const struct short_rows *s, const float *x, float *out, int32_t *index,
                                   int64_t windows) {
	const int each = s->rows * s->columns;
	for (int64_t i = 0; i < windows; i += each)
		short_max_step(s, x + 4 * i, out + i, index ? index + i : NULL, windows - i < each ? (int)(windows - i) : each,
		               4 * (int32_t)i);
}

static inline void short_grad_plane(const struct short_rows *s, const float *gout, const int32_t *index, float *gx,
                                    int64_t windows) {
	const int each = s->rows * s->columns;
	for (int64_t i = 0; i < windows; i += each)
		short_grad_step(s, gout + i, index + i, gx + 4 * i, windows - i < each ? (int)(windows - i) : each,
		                4 * (int32_t)i);
}
#else
#define QUARTER_SHORT 0

static struct short_rows short_rows_of(int32_t columns) {
	return (struct short_rows){.columns = columns};
}

static inline void short_max_plane(const struct short_rows *s, const float *x, float *out, int32_t *index,
                                   int64_t windows) {
	(void)s, (void)x, (void)out, (void)index, (void)windows;
}

static inline void short_grad_plane(const struct short_rows *s, const float *gout, const int32_t *index, float *gx,
                                    int64_t windows) {
	(void)s, (void)gout, (void)index, (void)gx, (void)windows;
}
#endif

#endif
