#include "indices.h"

#include "values.h"

struct cf_array *cf_indices(struct cf_run *r, int32_t dtype, int32_t rank, const int64_t *shape, int32_t layout,
                            int64_t extent, int negative, int64_t bad) {
	struct cf_array *a = cf_new(r, CF_IN, dtype, rank, shape, layout);
	const int64_t outside[CF_BAD_END] = {0, extent, -extent - 1, cf_highest_integer(dtype), cf_lowest_integer(dtype)};
	for (int64_t e = 0; e < a->numel; e++)
		cf_set_integer(a, e, cf_random_integer(cf_numbers(r), negative ? -extent : 0, extent - 1));
	if (bad != CF_GOOD)
		cf_set_integer(a, a->numel - 1, outside[bad]);
	cf_settle(a);
	return a;
}

int64_t cf_pointed(int64_t e, int32_t rank, const int64_t *index_shape, const int64_t *shape, int64_t axis,
                   int64_t index) {
	int64_t at[MT_MAX_RANK];
	cf_unravel(e, rank, index_shape, at);
	at[axis] = index < 0 ? index + shape[axis] : index;
	return cf_ravel(rank, shape, at);
}
