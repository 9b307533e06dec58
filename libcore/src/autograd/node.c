/* Nodes: recording, saved tensors, release; and the thread's recording switch. */
#include <string.h>

#include "autograd/graph.h"
#include "base/alloc.h"
#include "base/error.h"
#include "tensor/shape.h"
#include "tensor/thread.h"

_Thread_local int mt__recording_off __attribute__((tls_model("initial-exec")));

int mt_grad_enable(int on) {
	int was = !mt__recording_off;
	mt__recording_off = !on;
	return was;
}

int mt_grad_enabled(void) {
	return !mt__recording_off;
}

int mt__wants_grad(mt_tensor *const *inputs, int n) {
	if (mt__recording_off)
		return 0;
	for (int i = 0; i < n; i++)
		if (mt__in_graph(inputs[i]))
			return 1;
	return 0;
}

/* MT_NONE has neither a node nor requires_grad, so it gets an empty edge by itself. */
static inline struct mt_edge edge_to(mt_tensor *input) {
	struct mt_edge edge = {NULL, NULL};
	if (input->node != NULL) {
		atomic_fetch_add_explicit(&input->node->references, 1, memory_order_relaxed);
		edge.node = input->node;
	} else if (input->requires_grad) {
		atomic_fetch_add_explicit(&input->references, 1, memory_order_relaxed);
		edge.leaf = input;
	}
	return edge;
}

struct mt__slab mt__node_slab = MT__SLAB_INIT(struct mt_node);

static void node_free(struct mt_node *node) {
	if (node->edges != node->fixed)
		mt__free(node->edges);
	mt__slab_give(&mt__node_slab, &mt__thread.nodes, node);
}

/* With room for n edges, which are the caller's to fill. */
static inline __attribute__((always_inline)) struct mt_node *node_new(const struct mt_grad_rule *rule, int n) {
	struct mt_node *node = mt__slab_take(&mt__node_slab, &mt__thread.nodes);
	if (node == NULL) {
		mt__fail_memory(rule->name, sizeof *node);
		return NULL;
	}
	atomic_init(&node->references, 1);
	node->n_inputs = n;
	node->rule = rule;
	node->edges = node->fixed;
	node->saved_used = 0;
	node->attrs_ready = 0;
	node->consumed = 0;
	node->view = 0;
	node->retained_set = 0;
	node->target = 0;
	node->runs = 0;
	node->retained = NULL;
	node->pass = 0; /* the rest of a pass is set when one enters the node */
	node->useless = 0;
	node->gradient = NULL;
	if (n > MT__MAX_INPUTS) {
		node->edges = mt__calloc((size_t)n, sizeof *node->edges);
		if (node->edges == NULL) {
			mt__fail_memory(rule->name, (size_t)n * sizeof *node->edges);
			node->edges = node->fixed;
			node_free(node);
			return NULL;
		}
	}
	return node;
}

int mt__needs(const struct mt_node *node, int input) {
	return mt__edge_counts(&node->edges[input]) && (node->useless >> (input & 31) & 1u) == 0;
}

struct mt_node *mt__record(const struct mt_grad_rule *rule, mt_tensor *result, mt_tensor *const *inputs, int n) {
	if (mt__recording_off || (MT_SET_FLOAT >> result->dtype & 1u) == 0)
		return NULL;
	struct mt_node *node = node_new(rule, n);
	if (node == NULL)
		return NULL;
	int edges = 0;
	for (int i = 0; i < n; i++) {
		node->edges[i] = edge_to(inputs[i]);
		edges += mt__edge_counts(&node->edges[i]);
		node->view |= inputs[i]->storage == result->storage;
	}
	if (edges == 0) {
		node_free(node);
		return NULL;
	}
	if (result->node != NULL)
		mt__leave_node(result);
	result->node = node;
	node->result = result;
	return node;
}

mt_tensor *mt__record_sum(const struct mt_grad_rule *rule, mt_tensor *result, mt_tensor *a, mt_tensor *b) {
	struct mt_node *node = node_new(rule, 2);
	if (node == NULL)
		return NULL;
	node->fixed[0] = edge_to(a);
	node->fixed[1] = edge_to(b);
	result->node = node;
	node->result = result;
	return result;
}

const struct mt_grad_rule *mt__rule(const struct mt_node *node) {
	return node->rule;
}

static void saved_reserve(struct mt_node *node, int slot) {
	for (; node->saved_used <= slot; node->saved_used++)
		node->saved[node->saved_used].tensor = NULL;
}

/* An alias without graph stands for every tensor but a marked leaf.  The tensor itself would do until somebody writes
 * it in place: then it becomes the result of a newer op, whose graph may reach this node, and the references close a
 * circle.  (A marked leaf cannot be written while gradients are recorded.) */
mt_status mt__save(struct mt_node *node, int slot, mt_tensor *t) {
	saved_reserve(node, slot);
	struct mt_saved *saved = &node->saved[slot];
	if (mt_tensor_is_none(t)) {
		saved->tensor = t;
		return MT_OK;
	}
	saved->maker = t->node;
	saved->version = atomic_load_explicit(&t->storage->version, memory_order_relaxed);
	saved->alias = !t->requires_grad;
	if (!saved->alias) {
		saved->tensor = mt_retain(t);
		return MT_OK;
	}
	saved->tensor = mt__tensor_alias(t, t->rank, t->shape, t->stride, t->offset);
	if (saved->tensor == NULL)
		return MT_E_MEMORY;
	mt__thread.count--; /* the scope's reference, pushed a moment ago, is the slot's from now on */
	atomic_fetch_add_explicit(&t->storage->saved, 1, memory_order_relaxed);
	return MT_OK;
}

/* What was saved as a tensor of the graph again, for rules that are recorded themselves. */
static mt_tensor *in_its_graph(struct mt_node *node, struct mt_saved *saved) {
	mt_tensor *t = saved->tensor;
	int known = saved->maker == node;
	for (int i = 0; i < node->n_inputs && !known; i++)
		known = node->edges[i].node == saved->maker;
	if (!known)
		return mt__fail_null(MT_E_INTERNAL, "%s: a saved tensor is neither an input nor the result", node->rule->name);
	mt_tensor *alias = mt__tensor_alias(t, t->rank, t->shape, t->stride, t->offset);
	if (alias == NULL)
		return NULL;
	atomic_fetch_add_explicit(&saved->maker->references, 1, memory_order_relaxed);
	alias->node = saved->maker;
	return alias;
}

mt_tensor *mt__saved(struct mt_node *node, int slot) {
	if (node->consumed || slot >= node->saved_used || node->saved[slot].tensor == NULL)
		return mt__fail_null(MT_E_STATE,
		                     "%s: the saved tensors were freed by an earlier backward; "
		                     "give that one retain_graph = 1",
		                     node->rule->name);
	struct mt_saved *saved = &node->saved[slot];
	if (mt_tensor_is_none(saved->tensor))
		return saved->tensor;
	unsigned now = atomic_load_explicit(&saved->tensor->storage->version, memory_order_relaxed);
	if (now != saved->version) {
		char text[MT__SHAPE_TEXT];
		return mt__fail_null(MT_E_VERSION,
		                     "%s: the saved tensor %s was modified in place after the forward call "
		                     "(version %u, saved at %u)",
		                     node->rule->name, mt__tensor_text(text, saved->tensor), now, saved->version);
	}
	return mt__recording_off || saved->maker == NULL ? saved->tensor : in_its_graph(node, saved);
}

void *mt__attrs(struct mt_node *node) {
	if (!node->attrs_ready) {
		memset(node->attrs, 0, sizeof node->attrs);
		node->attrs_ready = 1;
	}
	return node->attrs;
}

void mt__node_free_saved(struct mt_node *node) {
	for (int i = 0; i < node->saved_used; i++) {
		mt_tensor *t = node->saved[i].tensor;
		if (t == NULL || mt_tensor_is_none(t))
			continue;
		node->saved[i].tensor = NULL;
		if (node->saved[i].alias)
			atomic_fetch_sub_explicit(&t->storage->saved, 1, memory_order_relaxed);
		mt_release(t);
	}
	node->saved_used = 0;
}

/* Gives up one reference; whether it was the last.  Who holds the only one need not count it down. */
static inline int is_last(struct mt_node *node) {
	return atomic_load_explicit(&node->references, memory_order_acquire) == 1 ||
	       atomic_fetch_sub_explicit(&node->references, 1, memory_order_acq_rel) == 1;
}

/* Tensors released here are aliases and leaves: they have no node, so mt_release does not come back. */
static void free_chain(struct mt_node *dead) {
	struct mt__thread *thread = &mt__thread;
	dead->next = NULL;
	while (dead != NULL) {
		struct mt_node *gone = dead;
		dead = gone->next;
		for (int i = 0; i < gone->n_inputs; i++) {
			struct mt_edge edge = gone->edges[i];
			if (edge.leaf != NULL && mt__is_last(edge.leaf))
				mt__tensor_free(edge.leaf);
			if (edge.node == NULL || !is_last(edge.node))
				continue;
			edge.node->next = dead;
			dead = edge.node;
		}
		if (gone->saved_used > 0)
			mt__node_free_saved(gone);
		if (gone->retained != NULL)
			mt_release(gone->retained);
		if (gone->edges != gone->fixed)
			mt__free(gone->edges);
		mt__slab_give(&mt__node_slab, &thread->nodes, gone);
	}
}

void mt__node_release(struct mt_node *node) {
	if (node != NULL && is_last(node))
		free_chain(node);
}

/* A node that lives on keeps what its result was like. */
void mt__leave_node(mt_tensor *t) {
	struct mt_node *node = t->node;
	t->node = NULL;
	if (node->result == t) {
		node->result = NULL;
		if (atomic_load_explicit(&node->references, memory_order_acquire) == 1) {
			free_chain(node);
			return;
		}
		node->rank = t->rank;
		node->dtype = t->dtype;
		for (int d = 0; d < t->rank; d++)
			node->shape[d] = t->shape[d];
	}
	mt__node_release(node);
}

/* ---- results written in place ------------------------------------------------------------------------------------- */

mt_status mt__check_recordable(const char *op, const mt_tensor *a) {
	char text[MT__SHAPE_TEXT];
	if (a->outside)
		return mt__fail(MT_E_STATE,
		                "%s: %s is a gradient, or was marked as a leaf: as the result of a recorded op it could hold "
		                "the graph that holds it; use the op that is not in place, or mt_clone first",
		                op, mt__tensor_text(text, a));
	int others = atomic_load(&a->storage->references) - atomic_load(&a->storage->saved) - 1;
	if ((a->node == NULL || !a->node->view) && others == 0)
		return MT_OK;
	return mt__fail(MT_E_STATE,
	                "%s: %s shares its storage with another tensor, whose graph would not know of this write; "
	                "use the op that is not in place, or mt_clone first",
	                op, mt__tensor_text(text, a));
}

void mt__take_node(mt_tensor *a, mt_tensor *r) {
	struct mt_node *fresh = r->node, *old = a->node;
	r->node = NULL;
	if (old != NULL) {
		if (fresh != NULL && fresh->retained == NULL) {
			fresh->retained = old->retained;
			old->retained = NULL;
		}
		mt__leave_node(a);
	}
	a->node = fresh;
	if (fresh != NULL)
		fresh->result = a;
}
