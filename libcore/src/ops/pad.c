/* Padding of the last dims with a value, or with what x has inside. */
#include "ops/ops.h"

/* Elements to add before and after each dim; negative: to drop. */
struct pads {
	int64_t low[MT_MAX_RANK], high[MT_MAX_RANK];
	int32_t rank, reserved;
};

_Static_assert(sizeof(struct pads) <= MT__ATTR_BYTES, "the pads fit a node's attributes");

/* ---- a value around ----------------------------------------------------------------------------------------------- */

static mt_tensor *constant(mt_tensor *x, const struct pads *p, mt_scalar value);

/* The pads undone. */
static mt_status pad_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct pads *p = mt__attrs(node);
	struct pads undone = *p;
	for (int d = 0; d < p->rank; d++) {
		undone.low[d] = -p->low[d];
		undone.high[d] = -p->high[d];
	}
	gx[0] = constant(gout, &undone, mt_i(0));
	return gx[0] != NULL ? MT_OK : mt_error_peek();
}

static const struct mt_grad_rule pad_rule = {"pad", pad_backward};

/* The elements of t that have a partner in a tensor where they stand shift further along each dim. */
static mt_tensor *overlap(mt_tensor *t, const int64_t *shift, const int64_t *other) {
	int64_t shape[MT_MAX_RANK], offset = t->offset;
	for (int d = 0; d < t->rank; d++) {
		int64_t start = shift[d] < 0 ? -shift[d] : 0, room = other[d] - shift[d];
		int64_t stop = room < t->shape[d] ? room : t->shape[d];
		shape[d] = stop > start ? stop - start : 0;
		offset += shape[d] > 0 ? start * t->stride[d] : 0;
	}
	return mt__tensor_alias(t, t->rank, shape, t->stride, mt__numel(t->rank, shape) > 0 ? offset : t->offset);
}

static mt_status copy_inside(mt_tensor *y, mt_tensor *x, const struct pads *p) {
	int64_t back[MT_MAX_RANK];
	for (int d = 0; d < p->rank; d++)
		back[d] = -p->low[d];
	mt_tensor *from = overlap(x, p->low, y->shape), *to = overlap(y, back, x->shape);
	if (from == NULL || to == NULL)
		return mt_error_peek();
	return from->numel == 0 ? MT_OK : mt__tensor_copy(to, from);
}

static mt_tensor *constant(mt_tensor *x, const struct pads *p, mt_scalar value) {
	int64_t shape[MT_MAX_RANK];
	for (int d = 0; d < x->rank; d++)
		shape[d] = x->shape[d] + p->low[d] + p->high[d];
	mt_tensor *y = mt__full("pad", mt__device_of(x), x->rank, shape, x->dtype, value);
	if (y == NULL || copy_inside(y, x, p) != MT_OK)
		return NULL;
	if (!mt__wants_grad(&x, 1))
		return y;
	struct mt_node *node = mt__record(&pad_rule, y, &x, 1);
	if (node == NULL)
		return NULL;
	*(struct pads *)mt__attrs(node) = *p;
	return y;
}

/* ---- x itself around ---------------------------------------------------------------------------------------------- */

/* n copies of the index at along dim, as a view. */
static mt_tensor *repeated(mt_tensor *x, int dim, int64_t at, int64_t n) {
	int64_t shape[MT_MAX_RANK];
	for (int d = 0; d < x->rank; d++)
		shape[d] = d == dim ? n : x->shape[d];
	return mt_expand(mt_narrow(x, dim, at, 1), x->rank, shape);
}

static mt_tensor *before(mt_tensor *x, int dim, int64_t n, int32_t mode) {
	switch (mode) {
	case MT_PAD_REFLECT:
		return mt_flip(mt_narrow(x, dim, 1, n), dim);
	case MT_PAD_REPLICATE:
		return repeated(x, dim, 0, n);
	default:
		return mt_narrow(x, dim, x->shape[dim] - n, n);
	}
}

static mt_tensor *after(mt_tensor *x, int dim, int64_t n, int32_t mode) {
	int64_t last = x->shape[dim] - 1;
	switch (mode) {
	case MT_PAD_REFLECT:
		return mt_flip(mt_narrow(x, dim, last - n, n), dim);
	case MT_PAD_REPLICATE:
		return repeated(x, dim, last, n);
	default:
		return mt_narrow(x, dim, 0, n);
	}
}

/* Dim after dim, so that corners come from what has been added already. */
static mt_tensor *continued(mt_tensor *x, const struct pads *p, int32_t mode) {
	mt_tensor *y = x;
	for (int d = p->rank - 1; d >= 0 && y != NULL; d--) {
		mt_tensor *parts[3];
		int n = 0;
		if (p->low[d] > 0)
			parts[n++] = before(y, d, p->low[d], mode);
		parts[n++] = y;
		if (p->high[d] > 0)
			parts[n++] = after(y, d, p->high[d], mode);
		if (n > 1)
			y = mt_cat(parts, n, d);
	}
	return y == x ? mt_clone(x) : y;
}

/* ---- checks ------------------------------------------------------------------------------------------------------- */

static const char *const mode_names[] = {"constant", "reflect", "replicate", "circular"};

static mt_status refused(const mt_tensor *x, int dim, const struct pads *p, const char *why) {
	char text[MT__SHAPE_TEXT];
	return mt__fail(MT_E_SHAPE, "pad: dim %d of %s cannot be padded by %lld and %lld: %s", dim,
	                mt__tensor_text(text, x), (long long)p->low[dim], (long long)p->high[dim], why);
}

static mt_status check_constant(const mt_tensor *x, int dim, const struct pads *p) {
	const int64_t most = INT64_MAX / 4; /* so that no sum of extents and pads overflows */
	int64_t n = x->shape[dim], low = p->low[dim], high = p->high[dim];
	if (n > most || low > most || low < -most || high > most || high < -most || n + low + high < 0)
		return refused(x, dim, p, "no extent would result");
	return MT_OK;
}

static mt_status check_continued(const mt_tensor *x, int dim, const struct pads *p, int32_t mode) {
	int64_t n = x->shape[dim], low = p->low[dim], high = p->high[dim], most = low > high ? low : high;
	if (low < 0 || high < 0)
		return refused(x, dim, p, "only constant padding may be negative");
	if (mode == MT_PAD_REFLECT && most > 0 && most >= n)
		return refused(x, dim, p, "reflect needs pads below the extent");
	if (mode == MT_PAD_CIRCULAR && most > n)
		return refused(x, dim, p, "circular needs pads not above the extent");
	if (mode == MT_PAD_REPLICATE && most > 0 && n == 0)
		return refused(x, dim, p, "there is nothing to replicate");
	return MT_OK;
}

static mt_status read_pads(const mt_tensor *x, int n, const int64_t *pads, int32_t mode, struct pads *p) {
	char text[MT__SHAPE_TEXT];
	if (n < 0 || n > x->rank)
		return mt__fail(MT_E_ARG, "pad: %d pairs for %s", n, mt__tensor_text(text, x));
	if (n > 0 && pads == NULL)
		return mt__fail_arg_null("pad", "pads");
	if (mode < MT_PAD_CONSTANT || mode > MT_PAD_CIRCULAR)
		return mt__fail(MT_E_ARG, "pad: mode is %d; 0 (%s), 1 (%s), 2 (%s), 3 (%s)", (int)mode, mode_names[0],
		                mode_names[1], mode_names[2], mode_names[3]);
	*p = (struct pads){.rank = x->rank};
	for (int i = 0; i < n; i++) {
		int d = x->rank - 1 - i;
		p->low[d] = pads[2 * i];
		p->high[d] = pads[2 * i + 1];
		mt_status status = mode == MT_PAD_CONSTANT ? check_constant(x, d, p) : check_continued(x, d, p, mode);
		if (status != MT_OK)
			return status;
	}
	return MT_OK;
}

mt_tensor *mt_pad(mt_tensor *x, int n, const int64_t *pads, int32_t mode, mt_scalar value) {
	struct pads p;
	if (!mt__check_tensor("pad", "x", x) || read_pads(x, n, pads, mode, &p) != MT_OK ||
	    mt__check_scalar("pad", "value", value) != MT_OK)
		return NULL;
	return mode == MT_PAD_CONSTANT ? constant(x, &p, value) : continued(x, &p, mode);
}
