/* The module as nn/ sees it. */
#ifndef MT_NN_MODULE_H
#define MT_NN_MODULE_H

#include "mt/nn.h"

#define MT__NAME_BYTES 64   /* one name, with its end */
#define MT__PATH_BYTES 1024 /* a dotted path in messages and state names */
#define MT__TEXT_BYTES 256  /* what stands between the parentheses */

struct mt__state {
	char name[MT__NAME_BYTES];
	int32_t kind;      /* enum mt_state_kind */
	mt_tensor *tensor; /* a reference of our own */
};

struct mt_module {
	const mt_module_class *kind;
	void *context;
	struct mt_module *parent;
	char name[MT__NAME_BYTES]; /* in the parent; "" at the root */
	int training;
	struct mt__state *state; /* parameters and buffers, in the order they were added */
	int n_state;
	struct mt_module **children;
	int n_children;
};

/* "features.0" of m below root into path; "" for root itself.  Cut off where it does not fit.  root NULL: the tree's
 * root. */
void mt__module_path(const mt_module *m, const mt_module *root, char *path, size_t size);

/* The module after m in depth-first order below root; NULL at the end. */
const mt_module *mt__next_module(const mt_module *m, const mt_module *root);

/* What mt_forward tells of each module's output while set on this thread (mt_module_summary). */
struct mt__forward_trace {
	void (*output)(const mt_module *m, mt_tensor *y, void *context);
	void *context;
};
void mt__forward_trace(const struct mt__forward_trace *trace); /* NULL: none */
int mt__forward_is_traced(void);

/* Adds t, made just now (NULL: it failed), as a parameter, initialised uniformly in ±bound.  The tensor stays the
 * scope's too. */
mt_status mt__add_uniform_parameter(mt_module *m, const char *name, mt_tensor *t, double bound);

#endif
