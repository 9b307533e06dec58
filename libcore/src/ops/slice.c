/* Parts of a tensor along one dim: slice, narrow, index, flip.  All are views. */
#include "ops/ops.h"
#include "ops/strided.h"

/* count indices along dim, from start on, step apart; they are in range. */
struct part {
	int64_t start, step, count;
};

static mt_tensor *take(const struct mt_grad_rule *rule, mt_tensor *x, int dim, struct part part, int drop) {
	int64_t shape[MT_MAX_RANK], stride[MT_MAX_RANK], packed[MT_MAX_RANK], packed_stride[MT_MAX_RANK];
	int64_t offset = x->offset, packed_offset = 0;
	int rank = 0;
	mt__contiguous_strides(x->rank, x->shape, packed);
	if (part.count < 2)
		part.step = 1; /* any stride does, and a huge one could overflow */
	/* An empty result stays where x is: its start may be past the end. */
	if (part.count > 0 && x->numel > 0) {
		offset += part.start * x->stride[dim];
		packed_offset = part.start * packed[dim];
	}
	for (int d = 0; d < x->rank; d++) {
		if (d == dim && drop)
			continue;
		shape[rank] = d == dim ? part.count : x->shape[d];
		stride[rank] = d == dim ? x->stride[d] * part.step : x->stride[d];
		packed_stride[rank++] = d == dim ? packed[d] * part.step : packed[d];
	}
	return mt__window(rule, x, rank, shape, stride, offset, packed_stride, packed_offset);
}

static int check(const char *op, mt_tensor *x, int *dim) {
	if (!mt__check_tensor(op, "x", x))
		return 0;
	*dim = mt__dim(op, x, *dim);
	return *dim >= 0;
}

/* ---- slice -------------------------------------------------------------------------------------------------------- */

/* Python's slice.indices: a bound in extent terms, clamped to low … high. */
static int64_t bound(int64_t i, int64_t extent, int64_t low, int64_t high) {
	if (i < 0)
		i += extent;
	return i < low ? low : i > high ? high : i;
}

static struct part python_slice(int64_t extent, int64_t start, int64_t stop, int64_t step) {
	struct part part = {0, step, 0};
	uint64_t distance = 0, size = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
	if (step > 0) {
		part.start = start == MT_END ? 0 : bound(start, extent, 0, extent);
		stop = bound(stop, extent, 0, extent);
		distance = stop > part.start ? (uint64_t)(stop - part.start) : 0;
	} else {
		part.start = start == MT_END ? extent - 1 : bound(start, extent, -1, extent - 1);
		stop = stop == MT_END ? -1 : bound(stop, extent, -1, extent - 1);
		distance = part.start > stop ? (uint64_t)(part.start - stop) : 0;
	}
	part.count = distance > 0 ? (int64_t)((distance - 1) / size + 1) : 0;
	return part;
}

static const struct mt_grad_rule slice_rule = {"slice", mt__window_backward};

mt_tensor *mt_slice(mt_tensor *x, int dim, int64_t start, int64_t stop, int64_t step) {
	if (!check("slice", x, &dim))
		return NULL;
	if (step == 0)
		return mt__fail_null(MT_E_ARG, "slice: step is 0");
	return take(&slice_rule, x, dim, python_slice(x->shape[dim], start, stop, step), 0);
}

/* ---- narrow, index, flip ------------------------------------------------------------------------------------------ */

static const struct mt_grad_rule narrow_rule = {"narrow", mt__window_backward};

mt_tensor *mt_narrow(mt_tensor *x, int dim, int64_t start, int64_t length) {
	char text[MT__SHAPE_TEXT];
	if (!check("narrow", x, &dim))
		return NULL;
	int64_t extent = x->shape[dim];
	if (start < 0 || length < 0 || start > extent || length > extent - start)
		return mt__fail_null(MT_E_SHAPE, "narrow: start %lld, length %lld is not inside dim %d of shape %s",
		                     (long long)start, (long long)length, dim, mt__shape_text(text, x->rank, x->shape));
	return take(&narrow_rule, x, dim, (struct part){start, 1, length}, 0);
}

static const struct mt_grad_rule index_rule = {"index", mt__window_backward};

mt_tensor *mt_index(mt_tensor *x, int dim, int64_t index) {
	char text[MT__SHAPE_TEXT];
	if (!check("index", x, &dim))
		return NULL;
	int64_t extent = x->shape[dim];
	if (index < -extent || index >= extent)
		return mt__fail_null(MT_E_ARG, "index: index %lld is out of range for dim %d of shape %s", (long long)index,
		                     dim, mt__shape_text(text, x->rank, x->shape));
	return take(&index_rule, x, dim, (struct part){index < 0 ? index + extent : index, 1, 1}, 1);
}

static const struct mt_grad_rule flip_rule = {"flip", mt__window_backward};

mt_tensor *mt_flip(mt_tensor *x, int dim) {
	if (!check("flip", x, &dim))
		return NULL;
	int64_t extent = x->shape[dim];
	return take(&flip_rule, x, dim, (struct part){extent - 1, -1, extent}, 0);
}
