/* Index arrays (i64 or i32). */
#ifndef MT_OMP_INDEX_H
#define MT_OMP_INDEX_H

#include "collapse.h"
#include "units.h"

static inline int64_t mt__index_at(const char *data, int32_t dtype, int64_t at) {
	return dtype == MT_I32 ? ((const int32_t *)data)[at] : ((const int64_t *)data)[at];
}

/* A run of indices, and the bounds they must keep. */
struct mt__index_walk {
	struct mt__walk walk;
	int64_t low, high;
	int *bad;            /* set where some do not */
	int64_t parts, part; /* the innermost run is looked at in this many parts of so many elements */
};

static inline bool mt__bad_run_i32(const int32_t *index, int64_t step, int64_t n, int32_t low, int32_t high) {
	int bad = 0;
	if (step == 1) {
#pragma omp simd reduction(| : bad)
		for (int64_t j = 0; j < n; j++)
			bad |= (index[j] < low) | (index[j] >= high);
	} else {
		for (int64_t j = 0; j < n; j++)
			bad |= (index[j * step] < low) | (index[j * step] >= high);
	}
	return bad;
}

static inline bool mt__bad_run_i64(const int64_t *index, int64_t step, int64_t n, int64_t low, int64_t high) {
	/* Below low or from high on: one unsigned comparison. */
	uint64_t extent = (uint64_t)high - (uint64_t)low, bad = 0;
	if (step == 1) {
#pragma omp simd reduction(| : bad)
		for (int64_t j = 0; j < n; j++)
			bad |= (uint64_t)index[j] - (uint64_t)low >= extent;
	} else {
		for (int64_t j = 0; j < n; j++)
			bad |= (uint64_t)index[j * step] - (uint64_t)low >= extent;
	}
	return bad != 0;
}

/* Whether unit u holds an index out of bounds: its elements, *data on, *n of them. */
static inline bool mt__bad_unit(const struct mt__index_walk *c, int64_t u, const char **data, int64_t *n) {
	const struct mt__walk *w = &c->walk;
	int last = w->rank - 1;
	int64_t rest = u / c->parts, at = u % c->parts * c->part, step = w->stride[0][last], offset = at * step;
	for (int d = last - 1; d >= 0; d--) {
		offset += rest % w->shape[d] * w->stride[0][d];
		rest /= w->shape[d];
	}
	*data = w->data[0] + offset * w->size[0];
	*n = mt__omp_min(c->part, w->shape[last] - at);
	if (w->dtype[0] == MT_I64)
		return mt__bad_run_i64((const int64_t *)*data, step, *n, c->low, c->high);
	int64_t low = mt__omp_max(c->low, INT32_MIN), high = c->high;
	if (high <= INT32_MAX)
		return mt__bad_run_i32((const int32_t *)*data, step, *n, (int32_t)low, (int32_t)high);
	for (int64_t j = 0; j < *n; j++)
		if (((const int32_t *)*data)[j * step] < low)
			return true;
	return false;
}

static void mt__look_for_bad(const void *context, int64_t begin, int64_t end) {
	const struct mt__index_walk *c = context;
	const char *data;
	int64_t n;
	for (int64_t u = begin; u < end; u++)
		if (mt__bad_unit(c, u, &data, &n))
			__atomic_store_n(c->bad, 1, __ATOMIC_RELAXED);
}

/* MT_E_ARG where some element lies outside [low, high). */
static inline int32_t mt__check_index(mt_queue *queue, const char *what, const mt_array *index, int64_t low,
                                      int64_t high) {
	enum { PART = 16384 };
	int bad = 0;
	struct mt__index_walk c = {.low = low, .high = high, .bad = &bad};
	mt_array once = *index;
	const mt_array *looked_at = &once;
	for (int32_t d = 0; d < once.rank; d++)
		if (once.stride[d] == 0)
			once.shape[d] = once.shape[d] > 0;
	mt__omp_collapse(&c.walk, 1, &looked_at);
	const struct mt__walk *w = &c.walk;
	int last = w->rank - 1;
	int64_t length = w->shape[last];
	if (w->count == 0)
		return MT_OK;
	c.part = mt__omp_min(PART, length);
	c.parts = mt__omp_ceil_div(length, c.part);
	int64_t units = w->count / length * c.parts;
	mt__omp_for_units(mt__omp_threads(queue, (double)w->count), units, mt__look_for_bad, &c);
	for (int64_t u = 0; bad && u < units; u++) {
		const char *data;
		int64_t n, step = w->stride[0][last];
		if (!mt__bad_unit(&c, u, &data, &n))
			continue;
		for (int64_t j = 0; j < n; j++) {
			int64_t i = mt__index_at(data, w->dtype[0], j * step);
			if (i < low || i >= high)
				return mt__omp_fail(MT_E_ARG, "%s: index %lld is out of range [%lld, %lld)", what, (long long)i,
				                    (long long)low, (long long)high);
		}
	}
	return MT_OK;
}

#endif
