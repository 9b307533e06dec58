/* Index arrays (i64 or i32). */
#ifndef MT_OMP_INDEX_H
#define MT_OMP_INDEX_H

#include "collapse.h"

static inline int64_t mt__index_at(const char *data, int32_t dtype, int64_t at) {
	return dtype == MT_I32 ? ((const int32_t *)data)[at] : ((const int64_t *)data)[at];
}

/* MT_E_ARG where some element lies outside [low, high). */
static inline int32_t mt__check_index(const char *what, const mt_array *index, int64_t low, int64_t high) {
	struct mt__walk w;
	mt__omp_collapse(&w, 1, &index);
	int last = w.rank - 1;
	int64_t length = w.shape[last], step = w.stride[0][last];
	for (int64_t row = 0; row < w.count / length; row++) {
		int64_t rest = row, offset = 0;
		for (int d = last - 1; d >= 0; d--) {
			offset += rest % w.shape[d] * w.stride[0][d];
			rest /= w.shape[d];
		}
		const char *data = w.data[0] + offset * w.size[0];
		int bad = 0;
		if (w.dtype[0] == MT_I32)
			for (int64_t j = 0; j < length; j++) {
				int64_t i = ((const int32_t *)data)[j * step];
				bad |= (i < low) | (i >= high);
			}
		else
			for (int64_t j = 0; j < length; j++) {
				int64_t i = ((const int64_t *)data)[j * step];
				bad |= (i < low) | (i >= high);
			}
		for (int64_t j = 0; bad && j < length; j++) {
			int64_t i = mt__index_at(data, w.dtype[0], j * step);
			if (i < low || i >= high)
				return mt__omp_fail(MT_E_ARG, "%s: index %lld is out of range [%lld, %lld)", what, (long long)i,
				                    (long long)low, (long long)high);
		}
	}
	return MT_OK;
}

#endif
