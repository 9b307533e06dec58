/* The same elements elsewhere, or several times: roll, repeat. */
#include "ops/ops.h"

mt_tensor *mt_roll(mt_tensor *x, int64_t shift, int dim) {
	if (!mt__check_tensor("roll", "x", x) || (dim = mt__dim("roll", x, dim)) < 0)
		return NULL;
	int64_t n = x->shape[dim], moved = n > 0 ? shift % n : 0;
	if (moved < 0)
		moved += n;
	if (moved == 0)
		return mt_clone(x);
	mt_tensor *end = mt_narrow(x, dim, n - moved, moved), *rest = mt_narrow(x, dim, 0, n - moved);
	return mt_cat((mt_tensor *[]){end, rest}, 2, dim);
}

/* ---- repeat ------------------------------------------------------------------------------------------------------- */

/* x, whose dim is laid out times after each other, as a shape of rank extents. */
static mt_tensor *repeated(mt_tensor *x, int dim, int64_t times, int rank, const int64_t *shape) {
	int64_t outer = 1, inner = 1;
	for (int d = 0; d < dim; d++)
		outer *= x->shape[d];
	for (int d = dim; d < x->rank; d++)
		inner *= x->shape[d];
	mt_tensor *rows = mt_reshape(x, MT_SHAPE(outer, 1, inner));
	return mt_reshape(mt_expand(rows, MT_SHAPE(outer, times, inner)), rank, shape);
}

static mt_status check_repeat(const mt_tensor *x, int rank, const int64_t *times, int64_t *shape) {
	char tx[MT__SHAPE_TEXT], tt[MT__SHAPE_TEXT];
	if (rank > MT_MAX_RANK || rank < x->rank)
		return mt__fail(MT_E_ARG, "repeat: %d times for %s; %d to %d are needed", rank, mt__tensor_text(tx, x), x->rank,
		                MT_MAX_RANK);
	if (rank > 0 && times == NULL)
		return mt__fail_arg_null("repeat", "times");
	for (int d = 0, lead = rank - x->rank; d < rank; d++) {
		int64_t extent = d < lead ? 1 : x->shape[d - lead];
		if (times[d] < 0)
			return mt__fail(MT_E_ARG, "repeat: %lld times along dim %d", (long long)times[d], d);
		if (__builtin_mul_overflow(extent, times[d], &shape[d]))
			shape[d] = -1;
	}
	if (mt__numel(rank, shape) < 0)
		return mt__fail(MT_E_SHAPE, "repeat: %s times %s has 2^63 elements or more", mt__tensor_text(tx, x),
		                mt__shape_text(tt, rank, times));
	return MT_OK;
}

/* No times before others, then the last dim first: what has become large is copied least often. */
mt_tensor *mt_repeat(mt_tensor *x, int rank, const int64_t *times) {
	int64_t shape[MT_MAX_RANK], now[MT_MAX_RANK];
	if (!mt__check_tensor("repeat", "x", x) || check_repeat(x, rank, times, shape) != MT_OK)
		return NULL;
	int lead = rank - x->rank;
	for (int d = 0; d < rank; d++)
		now[d] = d < lead ? 1 : x->shape[d - lead];
	mt_tensor *y = mt_reshape(x, rank, now);
	for (int none = 1; none >= 0; none--)
		for (int d = rank - 1; d >= 0 && y != NULL; d--)
			if (times[d] != 1 && (times[d] == 0) == none) {
				now[d] = shape[d];
				y = repeated(y, d, times[d], rank, now);
			}
	return y != NULL && mt_tensor_shares_storage(x, y) ? mt_clone(y) : y;
}
