/* Gradients as the user sees them: marking leaves, .grad, and the helper that undoes a broadcast. */
#include "autograd/graph.h"
#include "base/error.h"
#include "ops/ops.h"
#include "tensor/promote.h"
#include "tensor/shape.h"

mt_tensor *mt_requires_grad_(mt_tensor *t, int on) {
	char text[MT__SHAPE_TEXT];
	if (!mt__check_tensor("requires_grad_", "t", t))
		return NULL;
	if (t->node != NULL)
		return mt__fail_null(MT_E_STATE,
		                     "requires_grad_: %s is the result of a recorded op, not a leaf; "
		                     "use mt_detach, or mt_retain_grad for its gradient",
		                     mt__tensor_text(text, t));
	if (on && !mt__is_float(t->dtype))
		return mt__fail_null(MT_E_DTYPE, "requires_grad_: %s is not of a float dtype", mt__tensor_text(text, t));
	t->requires_grad = on != 0;
	t->outside |= t->requires_grad;
	return t;
}

int mt_tensor_requires_grad(const mt_tensor *t) {
	return t != NULL && (t->requires_grad || t->node != NULL);
}

int mt_tensor_is_leaf(const mt_tensor *t) {
	return t != NULL && !mt_tensor_is_none(t) && t->node == NULL;
}

mt_tensor *mt_grad(mt_tensor *t) {
	if (!mt__check_tensor("grad", "t", t))
		return NULL;
	if (t->node != NULL)
		return t->node->retained_set ? t->node->retained : MT_NONE;
	return t->grad_set ? t->grad : MT_NONE;
}

mt_status mt_zero_grad(mt_tensor *t) {
	if (!mt__check_tensor("zero_grad", "t", t))
		return mt__refusal(t);
	t->grad_set = 0;
	if (t->node != NULL)
		t->node->retained_set = 0;
	return MT_OK;
}

/* The node owns the gradient of its result: the result may be gone when a backward comes through. */
mt_status mt_retain_grad(mt_tensor *t) {
	char text[MT__SHAPE_TEXT];
	if (!mt__check_tensor("retain_grad", "t", t))
		return mt__refusal(t);
	if (t->node == NULL && t->requires_grad)
		return MT_OK;
	if (t->node == NULL)
		return mt__fail(MT_E_STATE, "retain_grad: %s does not require a gradient", mt__tensor_text(text, t));
	if (t->node->retained != NULL)
		return MT_OK;
	mt_tensor *grad = mt_empty_like(t);
	if (grad == NULL)
		return mt_error_peek();
	grad->outside = 1;
	t->node->retained = mt_retain(grad);
	return MT_OK;
}

mt_tensor *mt__unbroadcast(mt_tensor *gradient, int rank, const int64_t *shape) {
	if (gradient == NULL)
		return NULL;
	int lead = gradient->rank - rank;
	mt_axes axes = {0};
	for (int d = 0; d < gradient->rank; d++)
		if (d < lead || (shape[d - lead] == 1 && gradient->shape[d] != 1))
			axes.axis[axes.n++] = d;
	if (axes.n == 0)
		return gradient;
	mt_tensor *sum = mt_sum(gradient, axes, 1);
	return sum == NULL || lead == 0 ? sum : mt_reshape(sum, rank, shape);
}
