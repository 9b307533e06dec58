/* The backward pass: nodes in topological order, by counting the edges whose gradient is still to come. */
#include "autograd/graph.h"
#include "base/alloc.h"
#include "base/error.h"
#include "ops/ops.h"
#include "tensor/shape.h"

/* ---- adding gradients up ------------------------------------------------------------------------------------------ */

mt_status mt__accumulate(mt_tensor *target, mt_tensor *g, int set) {
	if (set)
		return mt__zip_into(MT_ZIP_ADD, target, g, target);
	return mt__copy_into(target, g);
}

/* A gradient on its way is shared (x + x hands one tensor to two edges) and never written, unless one holder has it
 * alone. */
mt_status mt__add_gradient(mt_tensor **sum, mt_tensor *g, int in_place) {
	mt_tensor *old = *sum;
	if (old == NULL) {
		*sum = mt_retain(g);
		return MT_OK;
	}
	if (in_place && mt__exclusive(old) && mt_tensor_is_contiguous(old))
		return mt__zip_into(MT_ZIP_ADD, old, g, old);
	mt_tensor *fresh = mt_add(old, g);
	if (fresh == NULL)
		return mt_error_peek();
	*sum = mt_retain(fresh);
	mt_release(old);
	return MT_OK;
}

/* Contiguous, from the start of a storage of just its size, and referenced once: its memory may become a leaf's. */
static int adoptable(const mt_tensor *g) {
	return mt__exclusive(g) && mt_tensor_is_contiguous(g) && g->offset == 0 &&
	       g->storage->bytes == (uint64_t)g->numel * mt_dtype_size(g->dtype);
}

static mt_status give_leaf(mt_tensor *leaf, mt_tensor *g, int shared) {
	if (g->dtype != leaf->dtype || !mt__same_shape(g, leaf)) {
		char have[MT__SHAPE_TEXT], want[MT__SHAPE_TEXT];
		return mt__fail(MT_E_INTERNAL, "backward: a gradient %s for a leaf %s", mt__tensor_text(have, g),
		                mt__tensor_text(want, leaf));
	}
	int adopt = !shared && adoptable(g);
	if (leaf->grad == NULL) {
		if (!adopt && (g = mt__copy_of(g)) == NULL)
			return mt_error_peek();
		leaf->grad = mt_retain(g);
		leaf->grad->outside = 1;
	} else if (adopt && !leaf->grad_set && atomic_load(&leaf->grad->storage->references) == 1) {
		mt__storage_swap(leaf->grad, g); /* .grad keeps its address and takes the memory */
	} else {
		mt_status status = mt__accumulate(leaf->grad, g, leaf->grad_set);
		if (status != MT_OK)
			return status;
	}
	leaf->grad_set = 1;
	return MT_OK;
}

/* ---- one node ----------------------------------------------------------------------------------------------------- */

static int occurs_twice(mt_tensor *const *gx, int n, int i) {
	for (int j = 0; j < n; j++)
		if (j != i && gx[j] == gx[i])
			return 1;
	return 0;
}

/* Nodes before leaves: a leaf may adopt a gradient's memory only once no edge can share it any more. */
static mt_status deliver(struct mt_node *node, mt_tensor **gx, void *context) {
	(void)context;
	mt_status status = MT_OK;
	for (int i = 0; i < node->n_inputs && status == MT_OK; i++)
		if (node->edges[i].node != NULL && gx[i] != NULL)
			status = mt__add_gradient(&node->edges[i].node->gradient, gx[i], 1);
	for (int i = 0; i < node->n_inputs && status == MT_OK; i++)
		if (node->edges[i].leaf != NULL && gx[i] != NULL)
			status = give_leaf(node->edges[i].leaf, gx[i], occurs_twice(gx, node->n_inputs, i));
	return status;
}

static mt_status retain_result_gradient(struct mt_node *node, mt_tensor *gout) {
	mt_status status = mt__accumulate(node->retained, gout, node->retained_set);
	node->retained_set = status == MT_OK;
	return status;
}

void mt__consume(struct mt_node *node) {
	mt__node_free_saved(node);
	node->consumed = 1;
}

/* A node without gradient (every rule before it left its slot NULL) has nothing to hand on. */
static mt_status run_node(struct mt_node *node, int retain_graph) {
	mt_tensor *gout = node->gradient;
	node->gradient = NULL;
	mt_status status = MT_OK;
	if (gout != NULL) {
		mt_scope *scope = mt_scope_begin();
		if (scope == NULL)
			status = mt_error_peek();
		else if (node->retained != NULL)
			status = retain_result_gradient(node, gout);
		if (status == MT_OK)
			status = mt__apply_rule(node, gout, deliver, NULL);
		mt_scope_end(scope);
		mt_release(gout);
	}
	if (!retain_graph)
		mt__consume(node);
	return status;
}

/* ---- the pass ----------------------------------------------------------------------------------------------------- */

static mt_status run_pass(struct mt_node *root, int retain_graph) {
	struct mt_node *ready = root;
	root->next = NULL;
	while (ready != NULL) {
		struct mt_node *node = ready;
		ready = node->next;
		mt_status status = run_node(node, retain_graph);
		if (status != MT_OK)
			return status;
		for (int i = 0; i < node->n_inputs; i++) {
			struct mt_node *to = node->edges[i].node;
			if (to == NULL || --to->waiting > 0)
				continue;
			to->next = ready;
			ready = to;
		}
	}
	return MT_OK;
}

static mt_status backward(mt_tensor *t, mt_tensor *gradient, int retain_graph) {
	struct mt_node *freed = NULL, *root = mt__pass_begin(&t, 1, &freed);
	if (freed != NULL)
		return mt__fail(MT_E_STATE,
		                "backward: the graph was freed by an earlier backward (at %s); "
		                "call that one as mt_backward_from(…, retain_graph = 1)",
		                freed->rule->name);
	root->gradient = mt_retain(gradient);
	mt_status status = run_pass(root, retain_graph);
	if (status != MT_OK) /* what is still on its way */
		for (struct mt_node *node = root; node != NULL; node = node->visited) {
			mt_release(node->gradient);
			node->gradient = NULL;
		}
	return status;
}

/* ---- the API ------------------------------------------------------------------------------------------------------ */

mt_status mt__check_upstream(const char *op, const char *what, const mt_tensor *t, mt_tensor *gradient) {
	char have[MT__SHAPE_TEXT], want[MT__SHAPE_TEXT];
	if (mt_tensor_is_none(gradient)) {
		if (t->numel == 1)
			return MT_OK;
		return mt__fail(MT_E_SHAPE, "%s: %s has %lld elements: give a gradient, or reduce it to one element", op,
		                mt__tensor_text(want, t), (long long)t->numel);
	}
	if (!mt__same_shape(t, gradient))
		return mt__fail(MT_E_SHAPE, "%s: %s is %s, the tensor %s", op, what, mt__tensor_text(have, gradient),
		                mt__tensor_text(want, t));
	if (t->dtype != gradient->dtype)
		return mt__fail(MT_E_DTYPE, "%s: %s is %s, the tensor %s", op, what, mt__tensor_text(have, gradient),
		                mt__tensor_text(want, t));
	mt_tensor *both[2] = {(mt_tensor *)t, gradient};
	return mt__check_same_device(op, both, 2) ? MT_OK : MT_E_DEVICE;
}

mt_status mt_backward_from(mt_tensor *t, mt_tensor *gradient, int retain_graph) {
	if (!mt__check_tensor("backward", "t", t))
		return mt__refusal(t);
	if (!mt__check_optional("backward", "gradient", gradient))
		return mt__refusal(gradient);
	if (t->node == NULL && !t->requires_grad) {
		char text[MT__SHAPE_TEXT];
		return mt__fail(MT_E_STATE, "backward: %s has no graph: no input requires a gradient, or recording was off",
		                mt__tensor_text(text, t));
	}
	mt_status status = mt__check_upstream("backward", "the gradient", t, gradient);
	if (status != MT_OK)
		return status;
	int was = mt_grad_enable(0);
	mt_scope *scope = mt_scope_begin();
	if (scope == NULL)
		status = MT_E_MEMORY;
	else if (mt_tensor_is_none(gradient) && (gradient = mt_ones_like(t)) == NULL)
		status = mt_error_peek();
	else
		status = t->node != NULL ? backward(t, gradient, retain_graph) : give_leaf(t, gradient, 1);
	mt_scope_end(scope);
	mt_grad_enable(was);
	return status;
}

mt_status mt_backward(mt_tensor *t) {
	return mt_backward_from(t, MT_NONE, 0);
}
