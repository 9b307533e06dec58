/* Images of one to three spatial dims, all seen as three. */
#ifndef MT_OMP_FIVE_DIMS_H
#define MT_OMP_FIVE_DIMS_H

#include "isa.h"

/* [N, C, S0, S1, S2], or a weight as [Co, Ci/groups, K0, K1, K2]; missing leading spatial dims have extent 1. */
struct mt__five_dims {
	void *data;
	int64_t shape[5], stride[5]; /* in elements */
};

static inline struct mt__five_dims mt__five_dims(const mt_array *a) {
	struct mt__five_dims r = {.data = mt__omp_data(a)};
	int missing = 5 - a->rank;
	for (int d = 0; d < 5; d++) {
		int from = d < 2 ? d : d - missing;
		bool there = d < 2 || from >= 2;
		r.shape[d] = there ? a->shape[from] : 1;
		r.stride[d] = there ? a->stride[from] : 0;
	}
	return r;
}

#endif
