/* scan along an axis: one lane after another, or lanes that lie side by side at once.  Elements pass through a buffer,
 * which also converts them; sums of floats that lie ready do not (scan_sums.h).  Floats run in double. */
#include "lanes.h"
#include "scan_sums.h"
#include "units.h"
#include "vmath.h"

#define REAL 1
#define T float
#define A double
#define U double
#define NAME(f) f##_f32
#include "scan_type.inc"
#undef T
#undef NAME
#define T double
#define NAME(f) f##_f64
#include "scan_type.inc"
#undef T
#undef A
#undef U
#undef NAME
#undef REAL

#define REAL 0
#define T int32_t
#define A int32_t
#define U uint32_t
#define NAME(f) f##_i32
#include "scan_type.inc"
#undef T
#undef A
#undef U
#undef NAME
#define T int64_t
#define A int64_t
#define U uint64_t
#define NAME(f) f##_i64
#include "scan_type.inc"
#undef T
#undef A
#undef U
#undef NAME
#define T uint8_t
#define A uint8_t
#define U uint32_t
#define NAME(f) f##_u8
#include "scan_type.inc"

enum { CHUNK = 2048, LANES = 128 };

struct scan {
	struct mt__lanes lanes; /* arrays: out, x */
	int op;
	void (*run)(int op, void *x, void *acc, int64_t rows, int64_t lanes, bool first);
	bool far; /* out is stored past the caches */
};

static void scan_units(const void *context, int64_t begin, int64_t end) {
	const struct scan *s = context;
	const struct mt__lanes *l = &s->lanes;
	const struct mt__walk *w = &l->walk;
	_Alignas(64) char buffer[CHUNK * 8], acc[LANES * 8];
	struct mt__lane_block b;
	mt__lanes_locate(l, begin, &b);
	for (int64_t u = begin; u < end; u++, mt__lanes_advance(l, &b)) {
		int64_t rows = CHUNK / b.lanes;
		for (int64_t r = 0; r < l->extent; r += rows) {
			int64_t n = mt__omp_min(rows, l->extent - r);
			char *out = b.at[0] + r * l->step[0] * w->size[0], *x = b.at[1] + r * l->step[1] * w->size[1];
			if (b.lanes == 1) {
				mt__omp_load_run(buffer, w->dtype[1], false, x, l->step[1], n);
				s->run(s->op, buffer, acc, n, 1, r == 0);
				mt__omp_store_run(w->dtype[0], false, out, l->step[0], buffer, n);
				continue;
			}
			mt__omp_load_block(buffer, b.lanes, w->dtype[1], false, x, l->step[1], mt__lane_stride(l, 1), n, b.lanes);
			s->run(s->op, buffer, acc, n, b.lanes, r == 0);
			mt__omp_store_block(w->dtype[0], false, out, l->step[0], mt__lane_stride(l, 0), buffer, b.lanes, n,
			                    b.lanes);
		}
	}
}

/* Units of sum_lanes or, where lanes are long, of SUM_ROWS rows. */
static void sum_units(const void *context, int64_t begin, int64_t end) {
	const struct scan *s = context;
	const struct mt__lanes *l = &s->lanes;
	struct mt__lane_block b;
	mt__lanes_locate(l, begin, &b);
	for (int64_t u = begin; u < end; u++, mt__lanes_advance(l, &b)) {
		if (l->width > SUM_ROWS) {
			sum_lanes(l, &b, s->far);
			continue;
		}
		char *out[SUM_ROWS], *x[SUM_ROWS];
		for (int64_t r = 0; r < b.lanes; r++) {
			out[r] = b.at[0] + r * mt__lane_stride(l, 0) * 4;
			x[r] = b.at[1] + r * mt__lane_stride(l, 1) * 4;
		}
		if (b.lanes == SUM_ROWS)
			sum_four_rows(out, x, l->step[1], l->extent, s->far);
		else
			for (int64_t r = 0; r < b.lanes; r++)
				sum_one_row((float *)out[r], (const float *)x[r], l->step[1], l->extent, s->far);
	}
	if (s->far)
		stream_end();
}

/* Sums of floats, contiguous along the axis (either way) or across lanes; false for all others. */
static bool run_sums(mt_queue *queue, struct scan *s) {
	struct mt__lanes *l = &s->lanes;
	const struct mt__walk *w = &l->walk;
	if (s->op != MT_SCAN_SUM || w->dtype[0] != MT_F32)
		return false;
	bool rows = l->step[0] == l->step[1] && mt__magnitude(l->step[0]) == 1 && l->extent >= 16;
	bool lanes = mt__lane_stride(l, 0) == 1 && mt__lane_stride(l, 1) == 1 && w->shape[w->rank - 1] >= VL_F64;
	if (!rows && !lanes)
		return false;
	int64_t share = mt__omp_ceil_div(w->count, 4 * 64) * 64;
	mt__lanes_divide(l, rows ? SUM_ROWS : mt__omp_min(SUM_LANES, mt__omp_max(share, 64)));
	int threads = mt__omp_threads(queue, (double)w->count * (double)l->extent * 2);
	s->far = w->count * l->extent * 4 >= MT__OMP_STREAM_BYTES;
	mt__omp_for_units(threads, l->units, sum_units, s);
	return true;
}

int32_t MT_ISA_NAME(mt__omp_scan)(mt_queue *queue, const struct mt_scan_args *args) {
	struct scan s = {.op = args->op};
	const mt_array *arrays[] = {args->out, args->x};
	struct mt__lanes *l = &s.lanes;
	mt__lanes_init(l, 2, arrays, args->axis);
	if (args->reverse)
		for (int k = 0; k < 2; k++) {
			l->walk.data[k] += (l->extent - 1) * l->step[k] * l->walk.size[k];
			l->step[k] = -l->step[k];
		}
	if (run_sums(queue, &s))
		return MT_OK;
	switch (mt__omp_compute_dtype(args->x->dtype)) {
	case MT_F32:
		s.run = scan_f32;
		break;
	case MT_F64:
		s.run = scan_f64;
		break;
	case MT_I32:
		s.run = scan_i32;
		break;
	case MT_I64:
		s.run = scan_i64;
		break;
	default:
		s.run = scan_u8;
	}
	mt__lanes_divide(l, mt__lanes_side_by_side(l, 1) ? LANES : 1);
	int threads = mt__omp_threads(queue, (double)l->walk.count * (double)l->extent * 3);
	mt__omp_for_units(threads, l->units, scan_units, &s);
	return MT_OK;
}
