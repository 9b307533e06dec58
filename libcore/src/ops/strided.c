/* Windows by strides: mt_as_strided, and what the gradients of slices need. */
#include "ops/strided.h"

#include <string.h>

#include "base/alloc.h"
#include "ops/ops.h"

/* Where the elements of one tensor lie in another, contiguous one. */
struct window {
	int32_t rank;
	int32_t reserved;
	int64_t shape[MT_MAX_RANK]; /* of the tensor that is not the gradient at hand */
	int64_t stride[MT_MAX_RANK];
	int64_t offset;
};

_Static_assert(sizeof(struct window) <= MT__ATTR_BYTES, "a window fits a node's attributes");

static void keep(struct mt_node *node, int rank, const int64_t *shape, int n_strides, const int64_t *stride,
                 int64_t offset) {
	struct window *w = mt__attrs(node);
	w->rank = rank;
	w->offset = offset;
	for (int d = 0; d < rank; d++)
		w->shape[d] = shape[d];
	for (int d = 0; d < n_strides; d++)
		w->stride[d] = stride[d];
}

/* ---- out of a tensor ---------------------------------------------------------------------------------------------- */

mt_tensor *mt__window(const struct mt_grad_rule *rule, mt_tensor *x, int rank, const int64_t *shape,
                      const int64_t *stride, int64_t offset, const int64_t *packed_stride, int64_t packed_offset) {
	mt_tensor *y = mt__tensor_alias(x, rank, shape, stride, offset);
	if (y == NULL || !mt__wants_grad(&x, 1))
		return y;
	struct mt_node *node = mt__record(rule, y, &x, 1);
	if (node == NULL)
		return NULL;
	keep(node, x->rank, x->shape, rank, packed_stride, packed_offset);
	return y;
}

mt_status mt__window_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct window *w = mt__attrs(node);
	gx[0] = mt__window_add(gout, w->rank, w->shape, w->stride, w->offset);
	return gx[0] != NULL ? MT_OK : mt_error_peek();
}

/* ---- into a tensor ------------------------------------------------------------------------------------------------ */

/* The position in the window's tensor of each element of shape, row-major. */
static void positions(int64_t *out, int rank, const int64_t *shape, const int64_t *stride, int64_t offset) {
	int64_t index[MT_MAX_RANK] = {0}, n = mt__numel(rank, shape), at = offset;
	for (int64_t i = 0; i < n; i++) {
		out[i] = at;
		for (int d = rank - 1; d >= 0; d--) {
			at += stride[d];
			if (++index[d] < shape[d])
				break;
			at -= shape[d] * stride[d];
			index[d] = 0;
		}
	}
}

/* Places that are shared: the sum, in the order of x's elements, by the kernel that adds at indices. */
static mt_status add_shared(mt_tensor *out, mt_tensor *x, const int64_t *stride, int64_t offset) {
	int64_t *at = mt__alloc((size_t)x->numel * sizeof *at);
	if (at == NULL)
		return mt__fail_memory("as_strided", (size_t)x->numel * sizeof *at);
	positions(at, x->rank, x->shape, stride, offset);
	mt_tensor *index = mt__tensor_new("as_strided", mt__device_of(x), MT_SHAPE(x->numel), MT_I64);
	mt_tensor *packed = mt__tensor_packed("as_strided", x, x->dtype);
	mt_status status = index != NULL && packed != NULL ? mt__tensor_upload(index, at) : mt_error_peek();
	mt__free(at);
	if (status != MT_OK)
		return status;
	mt_array src = mt__array(packed), to = mt__array(index), sum = mt__array(out);
	src.rank = sum.rank = 1;
	src.shape[0] = x->numel;
	sum.shape[0] = out->numel;
	src.stride[0] = sum.stride[0] = 1;
	struct mt_scatter_add_args args = {.struct_size = sizeof args, .src = &src, .index = &to, .out = &sum};
	return mt__dispatch(mt__device_of(x), MT_K_SCATTER_ADD, 0, &args);
}

static mt_status add_at_window(mt_tensor *out, mt_tensor *x, const int64_t *stride, int64_t offset) {
	if (x->numel == 0)
		return MT_OK;
	if (mt__self_overlap(x->rank, x->shape, stride))
		return add_shared(out, x, stride, offset);
	mt_tensor *at = mt__tensor_alias(out, x->rank, x->shape, stride, offset);
	return at != NULL ? mt__tensor_copy(at, x) : mt_error_peek();
}

static mt_status window_add_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct window *w = mt__attrs(node);
	mt_tensor *g = mt_contiguous(gout);
	gx[0] = g != NULL ? mt_as_strided(g, w->rank, w->shape, w->stride, g->offset + w->offset) : NULL;
	return gx[0] != NULL ? MT_OK : mt_error_peek();
}

static const struct mt_grad_rule window_add_rule = {"window_add", window_add_backward};

mt_tensor *mt__window_add(mt_tensor *x, int rank, const int64_t *shape, const int64_t *stride, int64_t offset) {
	mt_tensor *y = mt__full("window_add", mt__device_of(x), rank, shape, x->dtype, mt_i(0));
	if (y == NULL || add_at_window(y, x, stride, offset) != MT_OK)
		return NULL;
	if (!mt__wants_grad(&x, 1))
		return y;
	struct mt_node *node = mt__record(&window_add_rule, y, &x, 1);
	if (node == NULL)
		return NULL;
	keep(node, x->rank, x->shape, x->rank, stride, offset);
	return y;
}

/* ---- as_strided ---------------------------------------------------------------------------------------------------
 * The window is cut from the storage, not from x.  In the graph x first becomes flat, the stretch of storage that both
 * reach, as a tensor of one dim. */

/* gx from the gradient of the stretch.  Where x's own elements share memory, each gets an equal part: PyTorch's choice,
 * after which the gradient of an expand adds up to the whole. */
static mt_status flat_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct window *w = mt__attrs(node);
	mt_tensor *g = mt_contiguous(gout);
	if (g != NULL && mt__self_overlap(w->rank, w->shape, w->stride)) {
		mt_tensor *ones = mt__full("as_strided", mt__device_of(g), w->rank, w->shape, g->dtype, mt_i(1));
		mt_tensor *count = ones != NULL ? mt__window_add(ones, 1, g->shape, w->stride, w->offset) : NULL;
		g = mt_div(g, mt_maximum(count, mt_ones_like(g)));
	}
	gx[0] = g != NULL ? mt_as_strided(g, w->rank, w->shape, w->stride, g->offset + w->offset) : NULL;
	return gx[0] != NULL ? MT_OK : mt_error_peek();
}

static const struct mt_grad_rule flat_rule = {"as_strided", flat_backward};
static const struct mt_grad_rule as_strided_rule = {"as_strided", mt__window_backward};

/* Refuses a window that leaves the storage; *low and *high are its first and last element there. */
static int inside(const mt_tensor *x, int rank, const int64_t *shape, const int64_t *stride, int64_t offset,
                  int64_t *low, int64_t *high) {
	char ts[MT__SHAPE_TEXT], tt[MT__SHAPE_TEXT];
	int64_t capacity = (int64_t)(x->storage->bytes / mt_dtype_size(x->dtype));
	if (mt__reach(rank, shape, stride, low, high) && !__builtin_add_overflow(*low, offset, low) &&
	    !__builtin_add_overflow(*high, offset, high) && (*high < *low || (*low >= 0 && *high < capacity)))
		return 1;
	mt__fail(MT_E_SHAPE, "as_strided: shape %s, strides %s, offset %lld leave the storage of %lld elements",
	         mt__shape_text(ts, rank, shape), mt__shape_text(tt, rank, stride), (long long)offset, (long long)capacity);
	return 0;
}

/* x as the elements low … high of its storage. */
static mt_tensor *flatten_storage(mt_tensor *x, int64_t low, int64_t high) {
	mt_tensor *flat = mt__tensor_alias(x, MT_SHAPE(high - low + 1), (int64_t[]){1}, low);
	struct mt_node *node = flat != NULL ? mt__record(&flat_rule, flat, &x, 1) : NULL;
	if (node == NULL)
		return NULL;
	keep(node, x->rank, x->shape, x->rank, x->stride, x->offset - low);
	return flat;
}

mt_tensor *mt_as_strided(mt_tensor *x, int rank, const int64_t *shape, const int64_t *strides, int64_t offset) {
	char text[MT__SHAPE_TEXT];
	int64_t low, high, x_low, x_high;
	if (!mt__check_tensor("as_strided", "x", x))
		return NULL;
	if (rank < 0 || rank > MT_MAX_RANK)
		return mt__fail_null(MT_E_SHAPE, "as_strided: rank %d is not in 0 … %d", rank, MT_MAX_RANK);
	if (rank > 0 && (shape == NULL || strides == NULL)) {
		mt__fail_arg_null("as_strided", shape == NULL ? "shape" : "strides");
		return NULL;
	}
	if (mt__numel(rank, shape) < 0)
		return mt__fail_null(MT_E_SHAPE, "as_strided: shape %s has a negative extent or 2^63 elements or more",
		                     mt__shape_text(text, rank, shape));
	if (!inside(x, rank, shape, strides, offset, &low, &high))
		return NULL;
	if (high < low)
		offset = x->offset;
	if (!mt__wants_grad(&x, 1))
		return mt__tensor_alias(x, rank, shape, strides, offset);
	mt__reach(x->rank, x->shape, x->stride, &x_low, &x_high);
	x_low += x->offset;
	x_high += x->offset;
	int nothing = high < low;
	if (nothing || (x_low <= x_high && x_low < low))
		low = x_low;
	if (nothing || (x_low <= x_high && x_high > high))
		high = x_high;
	mt_tensor *flat = flatten_storage(x, low, high);
	if (flat == NULL)
		return NULL;
	return mt__window(&as_strided_rule, flat, rank, shape, strides, offset, strides, offset - low);
}
