/* Views that reorder or repeat dims: permute, transpose, expand; and detach. */
#include <string.h>

#include "ops/ops.h"

/* ---- permute ------------------------------------------------------------------------------------------------------ */

struct permutation {
	int rank;
	int dims[MT_MAX_RANK];
};

static mt_tensor *permuted(mt_tensor *x, struct permutation p);

static mt_status permute_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct permutation *p = mt__attrs(node);
	struct permutation inverse = {p->rank, {0}};
	for (int d = 0; d < p->rank; d++)
		inverse.dims[p->dims[d]] = d;
	gx[0] = permuted(gout, inverse);
	return gx[0] != NULL ? MT_OK : mt_error_peek();
}

static const struct mt_grad_rule permute_rule = {"permute", permute_backward};

/* Dim d of the result is dim p.dims[d] of x. */
static mt_tensor *permuted(mt_tensor *x, struct permutation p) {
	int64_t shape[MT_MAX_RANK], stride[MT_MAX_RANK];
	for (int d = 0; d < p.rank; d++) {
		shape[d] = x->shape[p.dims[d]];
		stride[d] = x->stride[p.dims[d]];
	}
	mt_tensor *y = mt__tensor_alias(x, p.rank, shape, stride, x->offset);
	if (y == NULL || !mt__wants_grad(&x, 1))
		return y;
	struct mt_node *node = mt__record(&permute_rule, y, &x, 1);
	if (node == NULL)
		return NULL;
	*(struct permutation *)mt__attrs(node) = p;
	return y;
}

mt_tensor *mt_permute(mt_tensor *x, int rank, const int64_t *dims) {
	struct permutation p = {rank, {0}};
	unsigned seen = 0;
	char text[MT__SHAPE_TEXT], tx[MT__SHAPE_TEXT];
	if (!mt__check_tensor("permute", "x", x))
		return NULL;
	if (rank != x->rank)
		return mt__fail_null(MT_E_ARG, "permute: %d dims for %s", rank, mt__tensor_text(tx, x));
	if (rank > 0 && dims == NULL) {
		mt__fail_arg_null("permute", "dims");
		return NULL;
	}
	for (int d = 0; d < rank; d++) {
		int64_t from = dims[d] < 0 ? dims[d] + rank : dims[d];
		if (from < 0 || from >= rank || (seen >> from & 1u))
			return mt__fail_null(MT_E_ARG, "permute: dims %s are no permutation of the dims of %s",
			                     mt__shape_text(text, rank, dims), mt__tensor_text(tx, x));
		seen |= 1u << from;
		p.dims[d] = (int)from;
	}
	return permuted(x, p);
}

mt_tensor *mt_transpose(mt_tensor *x, int dim0, int dim1) {
	if (!mt__check_tensor("transpose", "x", x))
		return NULL;
	struct permutation p = {x->rank, {0}};
	if ((dim0 = mt__dim("transpose", x, dim0)) < 0 || (dim1 = mt__dim("transpose", x, dim1)) < 0)
		return NULL;
	for (int d = 0; d < x->rank; d++)
		p.dims[d] = d;
	p.dims[dim0] = dim1;
	p.dims[dim1] = dim0;
	return permuted(x, p);
}

/* ---- expand ------------------------------------------------------------------------------------------------------- */

struct expansion {
	int rank;
	int64_t shape[MT_MAX_RANK]; /* of x */
};

static mt_status expand_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct expansion *x = mt__attrs(node);
	gx[0] = mt__unbroadcast(gout, x->rank, x->shape);
	return gx[0] != NULL ? MT_OK : mt_error_peek();
}

static const struct mt_grad_rule expand_rule = {"expand", expand_backward};

static mt_tensor *no_expand(const mt_tensor *x, int rank, const int64_t *shape) {
	char ts[MT__SHAPE_TEXT], tx[MT__SHAPE_TEXT];
	return mt__fail_null(MT_E_SHAPE, "expand: %s does not expand to shape %s", mt__tensor_text(tx, x),
	                     mt__shape_text(ts, rank, shape));
}

mt_tensor *mt_expand(mt_tensor *x, int rank, const int64_t *shape) {
	int64_t out[MT_MAX_RANK], stride[MT_MAX_RANK];
	if (!mt__check_tensor("expand", "x", x))
		return NULL;
	if (rank > MT_MAX_RANK || rank < 0)
		return mt__fail_null(MT_E_SHAPE, "expand: rank %d is not in 0 … %d", rank, MT_MAX_RANK);
	if (rank > 0 && shape == NULL) {
		mt__fail_arg_null("expand", "shape");
		return NULL;
	}
	int lead = rank - x->rank;
	if (lead < 0)
		return no_expand(x, rank, shape);
	for (int d = 0; d < rank; d++) {
		int64_t have = d < lead ? 1 : x->shape[d - lead];
		out[d] = shape[d] == -1 && d >= lead ? have : shape[d];
		if (out[d] < 0 || (have != 1 && have != out[d]))
			return no_expand(x, rank, shape);
		stride[d] = d >= lead && have == out[d] ? x->stride[d - lead] : 0;
	}
	if (mt__numel(rank, out) < 0)
		return no_expand(x, rank, shape);
	mt_tensor *y = mt__tensor_alias(x, rank, out, stride, x->offset);
	if (y == NULL || !mt__wants_grad(&x, 1))
		return y;
	struct mt_node *node = mt__record(&expand_rule, y, &x, 1);
	if (node == NULL)
		return NULL;
	struct expansion *attrs = mt__attrs(node);
	attrs->rank = x->rank;
	memcpy(attrs->shape, x->shape, sizeof attrs->shape);
	return y;
}

/* ---- detach ------------------------------------------------------------------------------------------------------- */

mt_tensor *mt_detach(mt_tensor *x) {
	if (!mt__check_tensor("detach", "x", x))
		return NULL;
	return mt__tensor_alias(x, x->rank, x->shape, x->stride, x->offset);
}
