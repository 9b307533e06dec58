/* Activations that are no map op of their own. */
#include "ops/ops.h"

mt_tensor *mt_log_sigmoid(mt_tensor *x) {
	if (!mt__check_tensor("log_sigmoid", "x", x))
		return NULL;
	return mt_neg(mt_softplus(mt_neg(mt_cast(x, mt__to_float(x->dtype)))));
}

mt_tensor *mt_hardtanh(mt_tensor *x, double low, double high) {
	if (!mt__check_tensor("hardtanh", "x", x))
		return NULL;
	if (!(low <= high))
		return mt__fail_null(MT_E_ARG, "hardtanh: low must be at most high, got %g and %g", low, high);
	return mt_clamp(x, mt_f(low), mt_f(high));
}

/* ---- prelu -------------------------------------------------------------------------------------------------------- */

/* w so that it broadcasts to x: 0-d, or [C, 1, …] beside [N, C, …]. */
static mt_tensor *laid_along(mt_tensor *w, const mt_tensor *x) {
	int64_t shape[MT_MAX_RANK];
	if (w->numel == 1)
		return mt_reshape(w, 0, NULL);
	shape[0] = w->numel;
	for (int d = 1; d < x->rank - 1; d++)
		shape[d] = 1;
	return mt_reshape(w, x->rank - 1, shape);
}

static mt_tensor *not_above_zero(mt_tensor *x) {
	return mt_zip_scalar(MT_ZIP_LE, x, mt_i(0));
}

/* What is multiplied with g to give the gradient of w: x where that took w, else 0. */
static mt_tensor *part_of_w(mt_tensor *x) {
	return mt_where(not_above_zero(x), x, mt__number_like(x, 0));
}

static mt_tensor *summed_like(mt_tensor *g, const mt_tensor *w) {
	mt_axes axes = MT_ALL_AXES;
	if (g != NULL && w->numel != 1) {
		axes = (mt_axes){0};
		for (int d = 0; d < g->rank; d++)
			if (d != 1)
				axes.axis[axes.n++] = d;
	}
	return mt_reshape(mt_sum(g, axes, 0), w->rank, w->shape);
}

/* gx = x<=0 ? g w : g,  gw = Σ g x over x<=0. */
static mt_status prelu_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	mt_tensor *x = mt__saved(node, 0), *w = mt__saved(node, 1);
	if (x == NULL || w == NULL)
		return mt_error_peek();
	if (mt__needs(node, 0) && (gx[0] = mt_where(not_above_zero(x), mt_mul(gout, laid_along(w, x)), gout)) == NULL)
		return mt_error_peek();
	if (mt__needs(node, 1) && (gx[1] = summed_like(mt_mul(gout, part_of_w(x)), w)) == NULL)
		return mt_error_peek();
	return MT_OK;
}

static const struct mt_grad_rule prelu_rule = {"prelu", prelu_backward};

static int check_prelu(const mt_tensor *x, const mt_tensor *w) {
	char tx[MT__SHAPE_TEXT], tw[MT__SHAPE_TEXT];
	if (w->numel == 1 || (w->rank == 1 && x->rank >= 2 && w->shape[0] == x->shape[1]))
		return 1;
	mt__fail(MT_E_SHAPE, "prelu: x is %s, w is %s; w needs one element, or [C] beside [N, C, …]",
	         mt__tensor_text(tx, x), mt__tensor_text(tw, w));
	return 0;
}

mt_tensor *mt_prelu(mt_tensor *x, mt_tensor *w) {
	mt_tensor *in[2] = {x, w};
	if (!mt__check_tensor("prelu", "x", x) || !mt__check_tensor("prelu", "w", w) ||
	    !mt__check_same_device("prelu", in, 2) || !check_prelu(x, w))
		return NULL;
	mt_dtype dtype = mt__to_float(mt__promote_tensors(x, w));
	if ((in[0] = mt_cast(x, dtype)) == NULL || (in[1] = mt_cast(w, dtype)) == NULL)
		return NULL;
	int was = mt_grad_enable(0);
	mt_tensor *y = mt_where(not_above_zero(in[0]), mt_mul(in[0], laid_along(in[1], in[0])), in[0]);
	mt_grad_enable(was);
	if (y == NULL || !mt__wants_grad(in, 2))
		return y;
	struct mt_node *node = mt__record(&prelu_rule, y, in, 2);
	if (node == NULL || mt__save(node, 0, in[0]) != MT_OK || mt__save(node, 1, in[1]) != MT_OK)
		return NULL;
	return y;
}
