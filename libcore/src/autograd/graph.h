/* The node itself, for the files of this folder. */
#ifndef MT_AUTOGRAD_GRAPH_H
#define MT_AUTOGRAD_GRAPH_H

#include <stdatomic.h>
#include <stddef.h>

#include "autograd/node.h"
#include "base/alloc.h"
#include "base/error.h"
#include "tensor/tensor.h"

/* Where the gradient of one input goes: to the node that made it, to a leaf, or (both NULL) nowhere. */
struct mt_edge {
	struct mt_node *node; /* owned reference */
	mt_tensor *leaf;      /* owned reference */
};

static inline int mt__edge_counts(const struct mt_edge *edge) {
	return edge->node != NULL || edge->leaf != NULL;
}

struct mt_saved {
	mt_tensor *tensor;     /* owned reference; NULL where the slot is empty or freed */
	struct mt_node *maker; /* borrowed: the node, this one or an input's, of the tensor that tensor is an alias of */
	unsigned version;      /* of its storage when it was saved */
	int alias;             /* tensor is an alias made for this slot */
};

struct mt_node {
	atomic_int references;
	int32_t n_inputs;
	const struct mt_grad_rule *rule;
	struct mt_edge *edges; /* n_inputs: fixed, or a block of its own */
	uint8_t saved_used;    /* slots up to this one have been written */
	uint8_t attrs_ready;   /* attrs has been zeroed */
	uint8_t consumed;      /* a backward without retain_graph went through */
	uint8_t view;          /* the result shares storage with an input */
	uint8_t retained_set;
	uint8_t target;      /* in mt_gradients: the result is one of the inputs asked for; else 0 */
	uint8_t runs;        /* in mt_gradients: an input asked for lies behind this node */
	mt_tensor *retained; /* mt_retain_grad: the result's .grad, owned; NULL where it is not asked for */
	mt_tensor *result;   /* borrowed: the tensor that stands for this node's result, NULL once it is gone */

	/* One pass over the graph. */
	uint64_t pass;           /* the pass that met this node last */
	int32_t waiting;         /* edges into this node from nodes that are still to come */
	uint32_t useless;        /* in mt_gradients, bit i: nobody asks for the gradient of input i; else 0 */
	mt_tensor *gradient;     /* sum so far, owned */
	struct mt_node *visited; /* list of the pass's nodes */
	struct mt_node *next;    /* list of ready nodes; list of nodes to free */

	struct mt_edge fixed[MT__MAX_INPUTS];
	struct mt_saved saved[MT__MAX_SAVED];
	_Alignas(max_align_t) unsigned char attrs[MT__ATTR_BYTES];

	/* Of the result: written when it goes before the node. */
	int32_t rank, dtype;
	int64_t shape[MT_MAX_RANK];
};

/* Gives back the saved tensors. */
void mt__node_free_saved(struct mt_node *node);

/* ---- one pass (pass.c) -------------------------------------------------------------------------------------------- */

/* Lists the nodes that roots reach, by visited, with the edges into each counted; roots without a node are skipped.
 * *freed, NULL before, becomes the first that a backward has consumed.  Returns the first, NULL for none. */
struct mt_node *mt__pass_begin(mt_tensor *const *roots, int n, struct mt_node **freed);

/* The nodes in topological order, each before all that it was computed from: by visited from *first on, and backwards
 * by next from *last on.  Begins a pass itself. */
struct mt__order {
	struct mt_node *first, *last;
	uint64_t pass;
};
enum mt__order_kind { MT__AS_BACKWARD, MT__AS_WRITTEN };
/* MT__AS_BACKWARD: the order of mt_backward, which takes the last input's branch first; MT__AS_WRITTEN: the first's. */
struct mt__order mt__order(mt_tensor *const *roots, int n, enum mt__order_kind kind);

/* ---- gradients on their way (engine.c) ---------------------------------------------------------------------------- */

/* *sum, an owned reference or NULL, becomes *sum + g.  in_place: where nobody else holds *sum, it is written. */
mt_status mt__add_gradient(mt_tensor **sum, mt_tensor *g, int in_place);

/* Applies node's rule to gout, in the current scope, and hands the results to deliver. */
typedef mt_status (*mt__deliver_fn)(struct mt_node *node, mt_tensor **gx, void *context);
static inline mt_status mt__apply_rule(struct mt_node *node, mt_tensor *gout, mt__deliver_fn deliver, void *context) {
	mt_tensor *fixed[MT__MAX_INPUTS] = {NULL};
	mt_tensor **gx = fixed;
	if (node->n_inputs > MT__MAX_INPUTS && (gx = mt__calloc((size_t)node->n_inputs, sizeof *gx)) == NULL)
		return mt__fail_memory("backward", (size_t)node->n_inputs * sizeof *gx);
	mt_status status = node->rule->backward(node, gout, gx);
	if (status == MT_OK)
		status = deliver(node, gx, context);
	if (gx != fixed)
		mt__free(gx);
	return status;
}

/* Gives back what a node needs for its rule: no further pass can run it. */
void mt__consume(struct mt_node *node);

/* The upstream gradient of t: as given, MT_NONE for ones of a single element.  what names the argument in messages. */
mt_status mt__check_upstream(const char *op, const char *what, const mt_tensor *t, mt_tensor *gradient);

/* target += g, or target = g where set is 0; target is contiguous and has g's shape and dtype. */
mt_status mt__accumulate(mt_tensor *target, mt_tensor *g, int set);

/* ---- numbers of objects (ids.c) ----------------------------------------------------------------------------------- */

/* Pointers with a number each; room for as many as it was made for. */
struct mt__ids {
	const void **keys;
	int64_t *values;
	size_t mask; /* slots − 1 */
};

int mt__ids_make(struct mt__ids *ids, int64_t n); /* 0 when out of memory; no error is set */
void mt__ids_free(struct mt__ids *ids);
/* The number of key; −1 where it has none. */
int64_t mt__ids_find(const struct mt__ids *ids, const void *key);
/* Gives key this number where it has none yet; returns the number that it has. */
int64_t mt__ids_add(struct mt__ids *ids, const void *key, int64_t value);

/* mt_graph_walk; op is for messages. */
mt_status mt__graph_walk(const char *op, mt_tensor *t, mt_graph_fn visit, void *context);

/* ---- checks (gradcheck.c) ----------------------------------------------------------------------------------------- */

/* mt_gradcheck; op and the last input's name (NULL: its index) are for messages. */
mt_status mt__gradcheck(const char *op, const char *last, mt_gradcheck_fn fn, mt_tensor *const *inputs, int n,
                        void *context, const struct mt_gradcheck_options *options);
mt_status mt__gradcheck_arguments(const char *op, mt_gradcheck_fn fn, mt_tensor *const *inputs, int n);
/* Uniform in ±(0.5 … 1.5): never near 0, so that no element goes unseen. */
void mt__draw_upstream(double *u, int64_t n, uint64_t seed);

#endif
