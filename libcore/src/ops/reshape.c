/* The same elements in another shape: reshape, view, flatten, squeeze, unsqueeze. */
#include <string.h>

#include "ops/ops.h"

/* ---- gradient: back to x's shape ---------------------------------------------------------------------------------- */

struct shape_of_x {
	int rank;
	int64_t shape[MT_MAX_RANK];
};

static mt_status reshape_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct shape_of_x *x = mt__attrs(node);
	gx[0] = mt_reshape(gout, x->rank, x->shape);
	return gx[0] != NULL ? MT_OK : mt_error_peek();
}

static const struct mt_grad_rule reshape_rule = {"reshape", reshape_backward};
static const struct mt_grad_rule squeeze_rule = {"squeeze", reshape_backward};
static const struct mt_grad_rule unsqueeze_rule = {"unsqueeze", reshape_backward};

/* source is x, or a copy of it outside the graph. */
static mt_tensor *reshaped(const struct mt_grad_rule *rule, mt_tensor *x, mt_tensor *source, int rank,
                           const int64_t *shape, const int64_t *stride) {
	mt_tensor *y = mt__tensor_alias(source, rank, shape, stride, source->offset);
	if (y == NULL || !mt__wants_grad(&x, 1))
		return y;
	struct mt_node *node = mt__record(rule, y, &x, 1);
	if (node == NULL)
		return NULL;
	struct shape_of_x *attrs = mt__attrs(node);
	attrs->rank = x->rank;
	memcpy(attrs->shape, x->shape, sizeof attrs->shape);
	return y;
}

/* ---- reshape ------------------------------------------------------------------------------------------------------ */

static int no_fit(const char *op, const mt_tensor *x, int rank, const int64_t *shape, const char *why) {
	char ts[MT__SHAPE_TEXT], tx[MT__SHAPE_TEXT];
	mt__fail(MT_E_SHAPE, "%s: %s does not fit into shape %s%s", op, mt__tensor_text(tx, x),
	         mt__shape_text(ts, rank, shape), why);
	return 0;
}

/* The shape with its −1 worked out, checked against x. */
static int resolve(const char *op, const mt_tensor *x, int rank, const int64_t *shape, int64_t *out) {
	int unknown = -1;
	if (rank < 0 || rank > MT_MAX_RANK) {
		mt__fail(MT_E_SHAPE, "%s: rank %d is not in 0 … %d", op, rank, MT_MAX_RANK);
		return 0;
	}
	if (rank > 0 && shape == NULL) {
		mt__fail_arg_null(op, "shape");
		return 0;
	}
	for (int d = 0; d < rank; d++) {
		out[d] = shape[d];
		if (shape[d] != -1)
			continue;
		if (unknown >= 0)
			return no_fit(op, x, rank, shape, ": only one extent may be -1");
		unknown = d;
		out[d] = 1;
	}
	int64_t known = mt__numel(rank, out);
	if (unknown >= 0 && known > 0 && x->numel % known == 0)
		out[unknown] = x->numel / known;
	else if (unknown >= 0 && known == 0 && x->numel == 0)
		return no_fit(op, x, rank, shape, ": any extent would do for -1");
	else if (known != x->numel || unknown >= 0)
		return no_fit(op, x, rank, shape, "");
	return 1;
}

mt_tensor *mt_reshape(mt_tensor *x, int rank, const int64_t *shape) {
	int64_t out[MT_MAX_RANK], stride[MT_MAX_RANK];
	if (!mt__check_tensor("reshape", "x", x) || !resolve("reshape", x, rank, shape, out))
		return NULL;
	if (mt__view_strides(x, rank, out, stride))
		return reshaped(&reshape_rule, x, x, rank, out, stride);
	mt_tensor *packed = mt__tensor_packed("reshape", x, x->dtype);
	mt__contiguous_strides(rank, out, stride);
	return packed != NULL ? reshaped(&reshape_rule, x, packed, rank, out, stride) : NULL;
}

mt_tensor *mt_view(mt_tensor *x, int rank, const int64_t *shape) {
	int64_t out[MT_MAX_RANK], stride[MT_MAX_RANK];
	if (!mt__check_tensor("view", "x", x) || !resolve("view", x, rank, shape, out))
		return NULL;
	if (mt__view_strides(x, rank, out, stride))
		return reshaped(&reshape_rule, x, x, rank, out, stride);
	char text[MT__SHAPE_TEXT], why[MT__SHAPE_TEXT + 64];
	snprintf(why, sizeof why, " with its strides %s: mt_reshape would copy", mt__shape_text(text, x->rank, x->stride));
	no_fit("view", x, rank, shape, why);
	return NULL;
}

mt_tensor *mt_flatten(mt_tensor *x, int start_dim, int end_dim) {
	int64_t shape[MT_MAX_RANK];
	int rank = 0;
	if (!mt__check_tensor("flatten", "x", x))
		return NULL;
	if (x->rank == 0 && start_dim >= -1 && start_dim <= 0 && end_dim >= -1 && end_dim <= 0)
		return mt_reshape(x, MT_SHAPE(1));
	int start = mt__dim("flatten", x, start_dim), end = start >= 0 ? mt__dim("flatten", x, end_dim) : -1;
	if (end < 0)
		return NULL;
	if (start > end)
		return mt__fail_null(MT_E_ARG, "flatten: dim %d comes after dim %d", start_dim, end_dim);
	for (int d = 0; d < x->rank; d++) {
		if (d > start && d <= end)
			shape[rank - 1] *= x->shape[d];
		else
			shape[rank++] = x->shape[d];
	}
	return mt_reshape(x, rank, shape);
}

/* ---- dims of extent 1 --------------------------------------------------------------------------------------------- */

/* x without the dims whose bit is set. */
static mt_tensor *without(mt_tensor *x, unsigned dims) {
	int64_t shape[MT_MAX_RANK], stride[MT_MAX_RANK];
	int rank = 0;
	for (int d = 0; d < x->rank; d++) {
		if (dims >> d & 1u)
			continue;
		shape[rank] = x->shape[d];
		stride[rank++] = x->stride[d];
	}
	return reshaped(&squeeze_rule, x, x, rank, shape, stride);
}

mt_tensor *mt_squeeze(mt_tensor *x, int dim) {
	char text[MT__SHAPE_TEXT];
	if (!mt__check_tensor("squeeze", "x", x) || (dim = mt__dim("squeeze", x, dim)) < 0)
		return NULL;
	if (x->shape[dim] != 1)
		return mt__fail_null(MT_E_SHAPE, "squeeze: dim %d of %s is not of extent 1", dim, mt__tensor_text(text, x));
	return without(x, 1u << dim);
}

mt_tensor *mt_squeeze_all(mt_tensor *x) {
	unsigned dims = 0;
	if (!mt__check_tensor("squeeze_all", "x", x))
		return NULL;
	for (int d = 0; d < x->rank; d++)
		dims |= (unsigned)(x->shape[d] == 1) << d;
	return without(x, dims);
}

mt_tensor *mt_unsqueeze(mt_tensor *x, int dim) {
	int64_t shape[MT_MAX_RANK], stride[MT_MAX_RANK];
	char text[MT__SHAPE_TEXT];
	if (!mt__check_tensor("unsqueeze", "x", x))
		return NULL;
	if (x->rank == MT_MAX_RANK)
		return mt__fail_null(MT_E_SHAPE, "unsqueeze: %s has the largest rank there is", mt__tensor_text(text, x));
	if (dim < -x->rank - 1 || dim > x->rank)
		return mt__fail_null(MT_E_ARG, "unsqueeze: dim %d is out of range for shape %s", dim,
		                     mt__shape_text(text, x->rank, x->shape));
	if (dim < 0)
		dim += x->rank + 1;
	for (int d = 0; d < x->rank; d++) {
		shape[d + (d >= dim)] = x->shape[d];
		stride[d + (d >= dim)] = x->stride[d];
	}
	shape[dim] = 1;
	/* As in a contiguous tensor; any stride would do, and for an empty one the product may be anything. */
	stride[dim] = dim < x->rank && x->numel > 0 ? x->shape[dim] * x->stride[dim] : 1;
	return reshaped(&unsqueeze_rule, x, x, x->rank + 1, shape, stride);
}
