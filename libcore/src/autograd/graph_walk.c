/* Walking a graph: nodes in topological order, then the leaves, each with the numbers of what it was computed from. */
#include "autograd/graph.h"
#include "base/alloc.h"
#include "base/error.h"
#include "tensor/shape.h"

/* All of it is taken before the first visit: the visitor may use the graph. */
struct walk {
	struct mt_node **nodes;
	mt_tensor **leaves;
	int64_t *inputs; /* of node i: starts[i] … starts[i + 1] */
	int64_t *starts;
	int64_t n_nodes, n_leaves, n_edges;
};

static void count(struct walk *w, const struct mt__order *order) {
	for (struct mt_node *node = order->first; node != NULL; node = node->visited) {
		w->n_nodes++;
		for (int i = 0; i < node->n_inputs; i++) {
			w->n_leaves += node->edges[i].leaf != NULL; /* at most */
			w->n_edges += node->edges[i].node != NULL || node->edges[i].leaf != NULL;
		}
	}
}

static mt_status make_room(const char *op, struct walk *w, struct mt__ids *leaf_ids) {
	w->nodes = mt__calloc((size_t)w->n_nodes, sizeof *w->nodes);
	w->leaves = mt__calloc((size_t)w->n_leaves, sizeof *w->leaves);
	w->inputs = mt__calloc((size_t)w->n_edges, sizeof *w->inputs);
	w->starts = mt__calloc((size_t)w->n_nodes + 1, sizeof *w->starts);
	if (w->nodes != NULL && w->leaves != NULL && w->inputs != NULL && w->starts != NULL &&
	    mt__ids_make(leaf_ids, w->n_leaves))
		return MT_OK;
	return mt__fail_memory(op, (size_t)w->n_nodes * sizeof *w->nodes);
}

static int64_t leaf_id(struct walk *w, struct mt__ids *ids, mt_tensor *leaf) {
	int64_t fresh = w->n_nodes + w->n_leaves, id = mt__ids_add(ids, leaf, fresh);
	if (id == fresh)
		w->leaves[w->n_leaves++] = leaf;
	return id;
}

/* A node's number is kept in its field waiting, which the order has done with. */
static void number(struct walk *w, const struct mt__order *order, struct mt__ids *leaf_ids) {
	int64_t n = 0, at = 0;
	for (struct mt_node *node = order->first; node != NULL; node = node->visited) {
		node->waiting = (int32_t)n;
		w->nodes[n++] = node;
	}
	w->n_leaves = 0;
	for (int64_t k = 0; k < n; k++) {
		const struct mt_node *node = w->nodes[k];
		w->starts[k] = at;
		for (int i = 0; i < node->n_inputs; i++) {
			if (node->edges[i].node != NULL)
				w->inputs[at++] = node->edges[i].node->waiting;
			else if (node->edges[i].leaf != NULL)
				w->inputs[at++] = leaf_id(w, leaf_ids, node->edges[i].leaf);
		}
	}
	w->starts[n] = at;
}

static mt_graph_entry describe(const mt_tensor *t) {
	return (mt_graph_entry){
		.op = "", .name = mt_tensor_name(t), .dtype = (mt_dtype)t->dtype, .rank = t->rank, .shape = t->shape};
}

static mt_status visit_node(const struct walk *w, int64_t k, mt_graph_fn visit, void *context) {
	const struct mt_node *node = w->nodes[k];
	mt_graph_entry entry = {.name = "", .dtype = (mt_dtype)node->dtype, .rank = node->rank, .shape = node->shape};
	if (node->result != NULL)
		entry = describe(node->result);
	entry.id = k;
	entry.op = node->rule->name;
	entry.n_inputs = (int)(w->starts[k + 1] - w->starts[k]);
	entry.inputs = w->inputs + w->starts[k];
	return visit(&entry, context);
}

static mt_status visit_all(const struct walk *w, mt_graph_fn visit, void *context) {
	mt_status status = MT_OK;
	for (int64_t k = 0; k < w->n_nodes && status == MT_OK; k++)
		status = visit_node(w, k, visit, context);
	for (int64_t k = 0; k < w->n_leaves && status == MT_OK; k++) {
		mt_graph_entry entry = describe(w->leaves[k]);
		entry.id = w->n_nodes + k;
		entry.inputs = w->inputs;
		status = visit(&entry, context);
	}
	return status;
}

static mt_status walk(const char *op, mt_tensor *t, mt_graph_fn visit, void *context) {
	struct mt__order order = mt__order(&t, 1, MT__AS_WRITTEN);
	struct mt__ids leaf_ids = {0};
	struct walk w = {0};
	count(&w, &order);
	w.n_leaves += t->node == NULL;
	mt_status status = make_room(op, &w, &leaf_ids);
	if (status == MT_OK) {
		number(&w, &order, &leaf_ids);
		if (t->node == NULL)
			leaf_id(&w, &leaf_ids, t);
		mt_retain(t); /* the visitor may release it */
		status = visit_all(&w, visit, context);
		mt_release(t);
	}
	mt__ids_free(&leaf_ids);
	mt__free(w.nodes);
	mt__free(w.leaves);
	mt__free(w.inputs);
	mt__free(w.starts);
	return status;
}

mt_status mt__graph_walk(const char *op, mt_tensor *t, mt_graph_fn visit, void *context) {
	char text[MT__SHAPE_TEXT];
	if (!mt__check_tensor(op, "t", t))
		return t == NULL ? MT_E_NULL : MT_E_ARG;
	if (visit == NULL)
		return mt__fail_arg_null(op, "visit");
	if (t->node == NULL && !t->requires_grad)
		return mt__fail(MT_E_STATE, "%s: %s has no graph: no input requires a gradient, or recording was off", op,
		                mt__tensor_text(text, t));
	return walk(op, t, visit, context);
}

mt_status mt_graph_walk(mt_tensor *t, mt_graph_fn visit, void *context) {
	return mt__graph_walk("graph_walk", t, visit, context);
}
