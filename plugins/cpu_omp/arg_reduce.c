/* arg_reduce: along runs, the extreme value is found first and then its place; lanes side by side carry both. */
#include "lanes.h"
#include "reduce.h"
#include "units.h"
#include "vector.h"
#include "vmath.h"

/* Lanes side by side: x replaces the best where it is better (or the first NaN). */
MT_INLINE void take_vector(bool max, vec_f32 x, vec_i32 r, vec_f32 *best, vec_i32 *at) {
#if defined(MT_ISA_AVX512)
	__m512 b = (__m512)*best;
	__mmask16 known = _mm512_cmp_ps_mask(b, b, _CMP_ORD_Q);
	__mmask16 better = max ? _mm512_mask_cmp_ps_mask(known, (__m512)x, b, _CMP_NLE_UQ)
	                       : _mm512_mask_cmp_ps_mask(known, (__m512)x, b, _CMP_NGE_UQ);
	*best = (vec_f32)_mm512_mask_mov_ps(b, better, (__m512)x);
	*at = (vec_i32)_mm512_mask_mov_epi32((__m512i)*at, better, (__m512i)r);
#else
	vec_i32 better = ~(max ? x <= *best : x >= *best) & (*best == *best);
	*best = vec_f32_select(better, x, *best);
	*at = vec_i32_select(better, r, *at);
#endif
}

/* Rows from r on of n ≤ VL lanes; rows is a constant. */
MT_INLINE void take_vectors(bool max, const float *x, int64_t ld, int32_t r, int rows, int n, float *best, int32_t *at,
                            bool far) {
	vec_f32 b = vec_f32_load(best, n);
	vec_i32 a = vec_i32_load(at, n), row = (vec_i32){0} + r;
	MT_UNROLL
	for (int i = 0; i < rows; i++) {
		if (far)
			__builtin_prefetch(x + (i + rows) * ld);
		take_vector(max, vec_f32_load(x + i * ld, n), row + i, &b, &a);
	}
	vec_f32_store(best, n, b);
	vec_i32_store(at, n, a);
}

MT_INLINE void take_vector_rows(bool max, const float *x, int64_t ld, int32_t r, int rows, int64_t lanes, float *best,
                                int32_t *at, bool far) {
	int64_t j = 0;
	for (; j + VL_F32 <= lanes; j += VL_F32)
		take_vectors(max, x + j, ld, r, rows, VL_F32, best + j, at + j, far);
	if (j < lanes)
		take_vectors(max, x + j, ld, r, rows, (int)(lanes - j), best + j, at + j, false);
}

MT_INLINE void take_all_rows(bool max, const float *x, int64_t ld, int32_t r, int64_t rows, int64_t lanes, float *best,
                             int32_t *at) {
	enum { SOME = 8 };
	int64_t i = 0;
	for (; i + 2 * SOME <= rows; i += SOME)
		take_vector_rows(max, x + i * ld, ld, r + (int32_t)i, SOME, lanes, best, at, true);
	for (; i + SOME <= rows; i += SOME)
		take_vector_rows(max, x + i * ld, ld, r + (int32_t)i, SOME, lanes, best, at, false);
	for (; i < rows; i++)
		take_vector_rows(max, x + i * ld, ld, r + (int32_t)i, 1, lanes, best, at, false);
}

static void take_float_rows(bool max, const float *x, int64_t ld, int32_t r, int64_t rows, int64_t lanes, float *best,
                            int32_t *at) {
	if (max)
		take_all_rows(true, x, ld, r, rows, lanes, best, at);
	else
		take_all_rows(false, x, ld, r, rows, lanes, best, at);
}

#define REAL 1
#define PARTIAL f
#define T float
#define NAME(f) f##_f32
#define QUICK_ROWS take_float_rows
#include "arg_reduce_type.inc"
#undef T
#undef NAME
#undef QUICK_ROWS
#define T double
#define NAME(f) f##_f64
#include "arg_reduce_type.inc"
#undef T
#undef NAME
#undef REAL
#undef PARTIAL

#define REAL 0
#define PARTIAL i
#define T int32_t
#define NAME(f) f##_i32
#include "arg_reduce_type.inc"
#undef T
#undef NAME
#define T int64_t
#define NAME(f) f##_i64
#include "arg_reduce_type.inc"
#undef T
#undef NAME
#define T uint8_t
#define NAME(f) f##_u8
#include "arg_reduce_type.inc"

enum { CHUNK = 2048, LANES = 1024, LANES_STAGED = 128 };

struct arg {
	struct mt__lanes lanes; /* arrays: x, out */
	const struct mt__reduce_loops *loops;
	bool max;
	int size; /* of the compute type */
	void (*run)(const struct mt__reduce_loops *loops, bool max, const void *run, int64_t base, int64_t n, void *best,
	            int64_t *at);
	void (*rows)(bool max, const void *x, int64_t ld, int64_t r, int64_t rows, int64_t lanes, void *best, int32_t *at);
};

static void along_run(const struct arg *a, const struct mt__lane_block *b) {
	const struct mt__lanes *l = &a->lanes;
	_Alignas(64) char buffer[CHUNK * 8];
	bool direct = l->step[0] == 1 && a->size == l->walk.size[0];
	uint64_t best;
	int64_t at = 0;
	for (int64_t i = 0; i < l->extent; i += CHUNK) {
		int64_t n = mt__omp_min(CHUNK, l->extent - i);
		const char *x = b->at[0] + i * l->step[0] * l->walk.size[0];
		if (!direct) {
			mt__omp_load_run(buffer, l->walk.dtype[0], false, x, l->step[0], n);
			x = buffer;
		}
		a->run(a->loops, a->max, x, i, n, &best, &at);
	}
	*(int64_t *)b->at[1] = at;
}

static void side_by_side(const struct arg *a, const struct mt__lane_block *b) {
	const struct mt__lanes *l = &a->lanes;
	_Alignas(64) char buffer[CHUNK * 8], best[LANES * 8];
	int32_t at[LANES];
	bool direct = mt__lane_stride(l, 0) == 1 && a->size == l->walk.size[0];
	int64_t rows = direct ? l->extent : CHUNK / b->lanes;
	for (int64_t r = 0; r < l->extent; r += rows) {
		int64_t n = mt__omp_min(rows, l->extent - r), ld = b->lanes;
		const char *x = b->at[0] + r * l->step[0] * l->walk.size[0];
		if (direct) {
			ld = l->step[0];
		} else {
			mt__omp_load_block(buffer, ld, l->walk.dtype[0], false, x, l->step[0], mt__lane_stride(l, 0), n, b->lanes);
			x = buffer;
		}
		a->rows(a->max, x, ld, r, n, b->lanes, best, at);
	}
	int64_t *out = (int64_t *)b->at[1];
	for (int64_t j = 0; j < b->lanes; j++)
		out[j * mt__lane_stride(l, 1)] = at[j];
}

static void arg_units(const void *context, int64_t begin, int64_t end) {
	const struct arg *a = context;
	struct mt__lane_block b;
	mt__lanes_locate(&a->lanes, begin, &b);
	for (int64_t u = begin; u < end; u++, mt__lanes_advance(&a->lanes, &b)) {
		if (a->lanes.width > 1)
			side_by_side(a, &b);
		else
			along_run(a, &b);
	}
}

static void choose_type(struct arg *a, int32_t dtype) {
	switch (dtype) {
	case MT_F32:
		a->run = take_run_f32;
		a->rows = take_rows_f32;
		break;
	case MT_F64:
		a->run = take_run_f64;
		a->rows = take_rows_f64;
		break;
	case MT_I32:
		a->run = take_run_i32;
		a->rows = take_rows_i32;
		break;
	case MT_I64:
		a->run = take_run_i64;
		a->rows = take_rows_i64;
		break;
	default:
		a->run = take_run_u8;
		a->rows = take_rows_u8;
	}
}

int32_t MT_ISA_NAME(mt__omp_arg_reduce)(mt_queue *queue, const struct mt_arg_reduce_args *args) {
	struct arg a = {.max = args->op == MT_ARG_MAX};
	const mt_array *arrays[] = {args->x, args->out};
	struct mt__lanes *l = &a.lanes;
	mt__lanes_init(l, 2, arrays, args->axis);
	int32_t dtype = mt__omp_compute_dtype(args->x->dtype);
	a.loops = mt__omp_reduce_loops(MT_REDUCE_MAX, dtype);
	a.size = mt__omp_dtype_size(dtype);
	choose_type(&a, dtype);
	bool blocks = mt__lanes_side_by_side(l, 0) && l->extent <= INT32_MAX;
	int threads = mt__omp_threads(queue, (double)l->walk.count * (double)l->extent * 1.5);
	bool direct = mt__lane_stride(l, 0) == 1 && a.size == l->walk.size[0];
	int64_t share = (mt__omp_ceil_div(l->walk.count, threads) + 63) / 64 * 64;
	mt__lanes_divide(l, blocks ? mt__omp_min(direct ? LANES : LANES_STAGED, share) : 1);
	mt__omp_for_units(threads, l->units, arg_units, &a);
	return MT_OK;
}
