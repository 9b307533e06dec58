/* What every pass over the graph begins with: its nodes, counted edges, a topological order.  Nothing recurses. */
#include "autograd/graph.h"

static atomic_uint_fast64_t last_pass;

static void enter(struct mt_node *node, uint64_t pass) {
	node->pass = pass;
	node->waiting = 0;
	node->gradient = NULL;
	node->visited = NULL;
}

/* The list is its own queue: nodes that it reaches are appended, those with pass already set are in it. */
static void spread(struct mt_node *from, struct mt_node *last, uint64_t pass, struct mt_node **freed) {
	for (struct mt_node *node = from; node != NULL; node = node->visited) {
		if (node->consumed && *freed == NULL)
			*freed = node;
		for (int i = 0; i < node->n_inputs; i++) {
			struct mt_node *to = node->edges[i].node;
			if (to == NULL)
				continue;
			if (to->pass != pass) {
				enter(to, pass);
				last->visited = to;
				last = to;
			}
			to->waiting++;
		}
	}
}

struct mt_node *mt__pass_begin(mt_tensor *const *roots, int n, struct mt_node **freed) {
	uint64_t pass = atomic_fetch_add_explicit(&last_pass, 1, memory_order_relaxed) + 1;
	struct mt_node *first = NULL, *last = NULL;
	for (int i = 0; i < n; i++) {
		struct mt_node *root = roots[i]->node;
		if (root == NULL || root->pass == pass)
			continue;
		enter(root, pass);
		if (first == NULL)
			first = root;
		else
			last->visited = root;
		last = root;
	}
	if (first != NULL)
		spread(first, last, pass, freed);
	return first;
}

static void push(struct mt_node *node, struct mt_node **ready) {
	node->waiting = -1; /* not twice */
	node->next = *ready;
	*ready = node;
}

struct mt__order mt__order(mt_tensor *const *roots, int n, enum mt__order_kind kind) {
	struct mt_node *freed = NULL, *ready = NULL;
	struct mt__order order = {NULL, NULL, 0};
	if (mt__pass_begin(roots, n, &freed) == NULL)
		return order;
	for (int i = n - 1; i >= 0; i--)
		if (roots[i]->node != NULL && roots[i]->node->waiting == 0)
			push(roots[i]->node, &ready);
	while (ready != NULL) {
		struct mt_node *node = ready;
		ready = node->next;
		node->next = order.last;
		node->visited = NULL;
		if (order.last != NULL)
			order.last->visited = node;
		else
			order.first = node;
		order.last = node;
		for (int k = 0; k < node->n_inputs; k++) {
			int i = kind == MT__AS_BACKWARD ? k : node->n_inputs - 1 - k;
			struct mt_node *to = node->edges[i].node;
			if (to != NULL && --to->waiting == 0)
				push(to, &ready);
		}
	}
	order.pass = order.first->pass;
	return order;
}
