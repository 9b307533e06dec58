/* The node itself, for the files of this folder. */
#ifndef MT_AUTOGRAD_GRAPH_H
#define MT_AUTOGRAD_GRAPH_H

#include <stdatomic.h>
#include <stddef.h>

#include "autograd/node.h"
#include "tensor/tensor.h"

/* Where the gradient of one input goes: to the node that made it, to a leaf, or (both NULL) nowhere. */
struct mt_edge {
	struct mt_node *node; /* owned reference */
	mt_tensor *leaf;      /* owned reference */
};

struct mt_saved {
	mt_tensor *tensor; /* owned reference; NULL where the slot is empty or freed */
	unsigned version;  /* of its storage when it was saved */
	int alias;         /* tensor is an alias made for this slot */
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
	mt_tensor *retained; /* mt_retain_grad: the result's .grad, owned; NULL where it is not asked for */

	/* One backward pass. */
	uint64_t pass;           /* the pass that met this node last */
	int32_t waiting;         /* edges into this node whose gradient is still to come */
	mt_tensor *gradient;     /* sum so far, owned */
	struct mt_node *visited; /* list of the pass's nodes */
	struct mt_node *next;    /* list of ready nodes; list of nodes to free */

	struct mt_edge fixed[MT__MAX_INPUTS];
	struct mt_saved saved[MT__MAX_SAVED];
	_Alignas(max_align_t) unsigned char attrs[MT__ATTR_BYTES];
};

/* Gives back the saved tensors. */
void mt__node_free_saved(struct mt_node *node);

/* target += g, or target = g where set is 0; target is contiguous and has g's shape and dtype. */
mt_status mt__accumulate(mt_tensor *target, mt_tensor *g, int set);

#endif
