/* mt_gradients: gradients as results, of leaves and of what lies between, themselves differentiable where asked for. */
#include "autograd/graph.h"
#include "base/alloc.h"
#include "base/error.h"
#include "ops/ops.h"
#include "tensor/shape.h"

struct request {
	mt_tensor *const *outputs, *const *upstream, *const *inputs;
	int n_outputs, n_inputs;
	mt_gradients_options options;
	struct mt__ids targets; /* an input's node, or the leaf: its index */
	mt_tensor **out;        /* sums so far, owned */
};

/* ---- arguments ---------------------------------------------------------------------------------------------------- */

static mt_tensor *upstream_of(const struct request *r, int j) {
	return r->upstream != NULL ? r->upstream[j] : MT_NONE;
}

static mt_status check_output(const struct request *r, int j) {
	char name[32], text[MT__SHAPE_TEXT];
	mt_tensor *y = r->outputs[j], *u = upstream_of(r, j);
	snprintf(name, sizeof name, "outputs[%d]", j);
	if (!mt__check_tensor("gradients", name, y))
		return mt__refusal(y);
	if (y->node == NULL && !y->requires_grad)
		return mt__fail(MT_E_STATE,
		                "gradients: outputs[%d], %s, has no graph: no input requires a gradient, or recording was off",
		                j, mt__tensor_text(text, y));
	snprintf(name, sizeof name, "upstream[%d]", j);
	if (!mt__check_optional("gradients", name, u))
		return mt__refusal(u);
	return mt__check_upstream("gradients", name, y, u);
}

static const void *key_of(const mt_tensor *input) {
	return input->node != NULL ? (const void *)input->node : input;
}

static mt_status add_target(struct request *r, int i) {
	char name[32], text[MT__SHAPE_TEXT];
	mt_tensor *x = r->inputs[i];
	snprintf(name, sizeof name, "inputs[%d]", i);
	if (!mt__check_tensor("gradients", name, x))
		return mt__refusal(x);
	if (x->node == NULL && !x->requires_grad)
		return mt__fail(MT_E_STATE, "gradients: inputs[%d], %s, does not require a gradient", i,
		                mt__tensor_text(text, x));
	int64_t first = mt__ids_add(&r->targets, key_of(x), i);
	if (first != i)
		return mt__fail(MT_E_ARG, "gradients: inputs[%d] and inputs[%d] are the same tensor", (int)first, i);
	return MT_OK;
}

static mt_status check_arguments(struct request *r) {
	mt_status status = MT_OK;
	if (r->n_outputs < 1 || r->n_inputs < 1)
		return mt__fail(MT_E_ARG, "gradients: %d outputs, %d inputs; at least one of each is needed", r->n_outputs,
		                r->n_inputs);
	if (r->outputs == NULL || r->inputs == NULL || r->out == NULL)
		return mt__fail_arg_null("gradients", r->outputs == NULL ? "outputs" : r->inputs == NULL ? "inputs" : "out");
	for (int j = 0; j < r->n_outputs && status == MT_OK; j++)
		status = check_output(r, j);
	if (status == MT_OK && !mt__ids_make(&r->targets, r->n_inputs))
		status = mt__fail_memory("gradients", (size_t)r->n_inputs * sizeof(void *));
	for (int i = 0; i < r->n_inputs && status == MT_OK; i++)
		status = add_target(r, i);
	return status;
}

/* ---- what has to run ---------------------------------------------------------------------------------------------- */

static int edge_is_useful(const struct request *r, const struct mt_edge *edge) {
	if (edge->node != NULL)
		return edge->node->target || edge->node->runs;
	return edge->leaf != NULL && mt__ids_find(&r->targets, edge->leaf) >= 0;
}

/* From the far end of the order: a node runs where an input asked for lies behind one of its edges. */
static mt_status plan(const struct request *r, const struct mt__order *order) {
	for (int i = 0; i < r->n_inputs && order->first != NULL; i++)
		if (r->inputs[i]->node != NULL && r->inputs[i]->node->pass == order->pass)
			r->inputs[i]->node->target = 1;
	for (struct mt_node *node = order->last; node != NULL; node = node->next) {
		node->runs = 0;
		for (int i = 0; i < node->n_inputs; i++) {
			if (edge_is_useful(r, &node->edges[i]))
				node->runs = 1;
			else if (node->n_inputs <= 32)
				node->useless |= 1u << i;
		}
		if (node->runs && node->consumed)
			return mt__fail(MT_E_STATE,
			                "gradients: the graph was freed by an earlier backward (at %s); "
			                "give that one retain_graph = 1",
			                node->rule->name);
	}
	return MT_OK;
}

/* ---- the pass ----------------------------------------------------------------------------------------------------- */

/* A recorded gradient may be part of another graph by now: it is never written. */
static mt_status add(const struct request *r, mt_tensor **sum, mt_tensor *g) {
	return mt__add_gradient(sum, g, !r->options.create_graph);
}

static mt_status deliver_to_leaf(struct request *r, const mt_tensor *leaf, mt_tensor *g) {
	int64_t i = mt__ids_find(&r->targets, leaf);
	return i >= 0 ? add(r, &r->out[i], g) : MT_OK;
}

static mt_status deliver_to_node(const struct request *r, struct mt_node *node, mt_tensor *g) {
	return node->target || node->runs ? add(r, &node->gradient, g) : MT_OK;
}

static mt_status deliver(struct mt_node *node, mt_tensor **gx, void *request) {
	mt_status status = MT_OK;
	for (int i = 0; i < node->n_inputs && status == MT_OK; i++) {
		const struct mt_edge *edge = &node->edges[i];
		if (gx[i] == NULL)
			continue;
		if (edge->node != NULL)
			status = deliver_to_node(request, edge->node, gx[i]);
		else if (edge->leaf != NULL)
			status = deliver_to_leaf(request, edge->leaf, gx[i]);
	}
	return status;
}

static mt_status seed(struct request *r) {
	mt_status status = MT_OK;
	for (int j = 0; j < r->n_outputs && status == MT_OK; j++) {
		mt_tensor *y = r->outputs[j], *u = upstream_of(r, j);
		if (mt_tensor_is_none(u) && (u = mt_ones_like(y)) == NULL)
			return mt_error_peek();
		status = y->node != NULL ? deliver_to_node(r, y->node, u) : deliver_to_leaf(r, y, u);
	}
	return status;
}

static mt_status run_node(struct request *r, struct mt_node *node) {
	mt_tensor *gout = node->gradient;
	mt_status status = MT_OK;
	node->gradient = NULL;
	if (gout != NULL && node->target)
		r->out[mt__ids_find(&r->targets, node)] = mt_retain(gout);
	if (gout != NULL && node->runs) {
		mt_scope *scope = mt_scope_begin();
		status = scope != NULL ? mt__apply_rule(node, gout, deliver, r) : mt_error_peek();
		mt_scope_end(scope);
	}
	mt_release(gout);
	if (node->runs && !r->options.create_graph && !r->options.retain_graph)
		mt__consume(node);
	return status;
}

/* After a failure some gradients are still on their way. */
static void clear(const struct mt__order *order) {
	for (struct mt_node *node = order->first; node != NULL; node = node->visited) {
		mt_release(node->gradient);
		node->gradient = NULL;
		node->useless = 0;
		node->target = 0;
	}
}

static mt_status run(struct request *r) {
	struct mt__order order = mt__order(r->outputs, r->n_outputs, MT__AS_BACKWARD);
	mt_status status = plan(r, &order);
	if (status == MT_OK)
		status = seed(r);
	for (struct mt_node *node = order.first; node != NULL && status == MT_OK; node = node->visited)
		status = run_node(r, node);
	clear(&order);
	return status;
}

/* ---- results ------------------------------------------------------------------------------------------------------ */

/* A result is the caller's alone: no other result, no upstream gradient, and no view of one without its graph. */
static int is_ours(const mt_tensor *g) {
	if (atomic_load(&g->references) != 1)
		return 0;
	return g->node != NULL || (atomic_load(&g->storage->references) == 1 && mt_tensor_is_contiguous(g));
}

static mt_status finish_one(struct request *r, int i) {
	mt_tensor *x = r->inputs[i], *g = r->out[i];
	char have[MT__SHAPE_TEXT], want[MT__SHAPE_TEXT];
	if (g == NULL && !r->options.allow_unused)
		return mt__fail(MT_E_STATE,
		                "gradients: no output depends on inputs[%d], %s; allow_unused = 1 gives MT_NONE for it", i,
		                mt__tensor_text(want, x));
	if (g == NULL) {
		r->out[i] = MT_NONE;
		return MT_OK;
	}
	if (g->dtype != x->dtype || !mt__same_shape(g, x))
		return mt__fail(MT_E_INTERNAL, "gradients: a gradient %s for inputs[%d], %s", mt__tensor_text(have, g), i,
		                mt__tensor_text(want, x));
	if (is_ours(g))
		return MT_OK;
	mt_tensor *copy = mt_clone(g);
	if (copy == NULL)
		return mt_error_peek();
	mt_release(g);
	r->out[i] = mt_retain(copy);
	return MT_OK;
}

/* The owned references become the current scope's; all or none. */
static mt_status hand_over(struct request *r, mt_status status) {
	for (int i = 0; i < r->n_inputs; i++) {
		if (status != MT_OK)
			mt_release(r->out[i]);
		else if (mt_autorelease(r->out[i]) == NULL)
			status = mt_error_peek();
		else
			continue;
		r->out[i] = NULL;
	}
	for (int i = 0; i < r->n_inputs && status != MT_OK; i++)
		r->out[i] = NULL;
	return status;
}

static mt_status evaluate(struct request *r) {
	int was = mt_grad_enable(r->options.create_graph);
	mt_scope *scope = mt_scope_begin();
	mt_status status = scope != NULL ? run(r) : mt_error_peek();
	for (int i = 0; i < r->n_inputs && status == MT_OK; i++)
		status = finish_one(r, i);
	mt_scope_end(scope);
	mt_grad_enable(was);
	return hand_over(r, status);
}

mt_status mt_gradients(mt_tensor *const *outputs, int n_outputs, mt_tensor *const *upstream, mt_tensor *const *inputs,
                       int n_inputs, mt_gradients_options options, mt_tensor **out) {
	struct request r = {outputs, upstream, inputs, n_outputs, n_inputs, options, {0}, out};
	for (int i = 0; out != NULL && i < n_inputs; i++)
		out[i] = NULL;
	mt_status status = check_arguments(&r);
	if (status == MT_OK)
		status = evaluate(&r);
	mt__ids_free(&r.targets);
	return status;
}
