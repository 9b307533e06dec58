/* Reverse-mode automatic differentiation.
 *
 * While gradients are recorded, an op with an argument that requires them adds a node to the graph; its result owns that
 * node.  mt_backward walks the graph once and adds to .grad of every leaf that requires it.  A leaf is a tensor that no
 * recorded op made.  Saved tensors are checked: one that was written since is MT_E_VERSION. */
#ifndef MT_AUTOGRAD_H
#define MT_AUTOGRAD_H

#include "mt/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Marks a leaf of float dtype (MT_E_STATE, MT_E_DTYPE otherwise).  Returns t. */
MT_API mt_tensor *mt_requires_grad_(mt_tensor *t, int on);
MT_API int mt_tensor_requires_grad(const mt_tensor *t);
MT_API int mt_tensor_is_leaf(const mt_tensor *t);

/* The gradient, borrowed, at a stable address while t lives; MT_NONE where there is none yet. */
MT_API mt_tensor *mt_grad(mt_tensor *t);
/* Marks the gradient unset, keeping its memory. */
MT_API mt_status mt_zero_grad(mt_tensor *t);
/* Keeps .grad of a tensor that is not a leaf, too. */
MT_API mt_status mt_retain_grad(mt_tensor *t);

/* Recording on or off for this thread (start: on); returns what it was before:
 *     int was = mt_grad_enable(0);  …  mt_grad_enable(was); */
MT_API int mt_grad_enable(int on);
MT_API int mt_grad_enabled(void);

/* d t / d leaves, added to their .grad; t has one element.  The graph's saved tensors are freed on the way. */
MT_API mt_status mt_backward(mt_tensor *t);
/* The same with an upstream gradient of t's shape (MT_NONE: ones; t then has one element), and the graph kept where
 * retain_graph is not 0. */
MT_API mt_status mt_backward_from(mt_tensor *t, mt_tensor *gradient, int retain_graph);

typedef struct mt_gradients_options {
	int create_graph; /* the results are made of recorded ops and can be differentiated again; implies retain_graph */
	int retain_graph;
	int allow_unused; /* an input that no output depends on: MT_NONE instead of MT_E_STATE */
} mt_gradients_options;

/* out[i] = Σ_j d(u_j · outputs[j]) / d inputs[i], as torch.autograd.grad; .grad of no tensor changes.  outputs[j] needs a
 * graph; upstream (NULL: ones, outputs of one element each) holds the u_j, MT_NONE entries likewise.  inputs: leaves
 * or results of recorded ops that require a gradient, each once.  out: room for n_inputs; the results belong to the
 * current scope.  (.grad itself never carries a graph: that would be a reference cycle.)
 * A second derivative that is undefined (at a kink, between two winners of a maximum) counts as 0. */
MT_API mt_status mt_gradients(mt_tensor *const *outputs, int n_outputs, mt_tensor *const *upstream,
                              mt_tensor *const *inputs, int n_inputs, mt_gradients_options options, mt_tensor **out);

/* ---- looking at the graph ----------------------------------------------------------------------------------------- */

/* One entry of a walk: a recorded op's result, or a leaf that requires a gradient.  Constants are left out. */
typedef struct mt_graph_entry {
	int64_t id;       /* 0, 1, … in the order of the walk */
	const char *op;   /* the op's name; "" for a leaf */
	const char *name; /* mt_tensor_set_name's, "" where there is none (or the tensor is gone) */
	mt_dtype dtype;
	int rank;
	const int64_t *shape;
	int n_inputs;
	const int64_t *inputs; /* ids of the entries this one was computed from (those that require a gradient) */
} mt_graph_entry;

/* Visits t's graph in topological order, t first: each entry after all that use it (its inputs' ids are larger).
 * Everything in entry is borrowed for the call.  Stops at the first status other than MT_OK and returns it. */
typedef mt_status (*mt_graph_fn)(const mt_graph_entry *entry, void *context);
MT_API mt_status mt_graph_walk(mt_tensor *t, mt_graph_fn visit, void *context);

/* The same graph as Graphviz DOT (leaves boxes, ops ellipses; name, op, shape and dtype in each), or as text, one
 * entry a line:  "%3 = mul(%4, %5)  f32 [2, 3]". */
MT_API mt_status mt_graph_dot(mt_tensor *t, FILE *out);
MT_API mt_status mt_graph_text(mt_tensor *t, FILE *out);

/* ---- numerical derivatives ---------------------------------------------------------------------------------------- */

/* *out = (f(…, x_arg + step, …) − f(…, x_arg − step, …)) / (2 · step);  step 0: 1e-6 · max(1, |x_arg|). */
typedef double (*mt_real_fn)(const double *x, int n, void *context);
MT_API mt_status mt_central_difference(mt_real_fn f, const double *x, int n, int arg, double step, void *context,
                                       double *out);

/* A function under test: makes its result from n inputs.  Deterministic; NULL on failure. */
typedef mt_tensor *(*mt_gradcheck_fn)(mt_tensor *const *inputs, int n, void *context);

struct mt_gradcheck_options {
	double step;   /* central difference, 0: 1e-6 · max(1, |x|) */
	double rtol;   /* relative, signed; 0: 1e-6 */
	double atol;   /* 0: 1e-8 */
	uint64_t seed; /* of the random upstream gradient */
};

/* Compares analytic and central-difference gradients of Σ u·f(inputs), u random, in f64, over every element of every
 * input that requires a gradient.  options may be NULL.  MT_OK, or MT_E_ARG with the worst element in the message. */
MT_API mt_status mt_gradcheck(mt_gradcheck_fn fn, mt_tensor *const *inputs, int n, void *context,
                              const struct mt_gradcheck_options *options);
/* The same for the gradients themselves (made with create_graph): second derivatives against central differences. */
MT_API mt_status mt_gradgradcheck(mt_gradcheck_fn fn, mt_tensor *const *inputs, int n, void *context,
                                  const struct mt_gradcheck_options *options);

#ifdef __cplusplus
}
#endif

#endif
