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

/* A function under test: makes its result from n inputs.  Deterministic; NULL on failure. */
typedef mt_tensor *(*mt_gradcheck_fn)(mt_tensor *const *inputs, int n, void *context);

struct mt_gradcheck_options {
	double step;      /* central difference, 0: 1e-6 · max(1, |x|) */
	double rtol;      /* relative, signed; 0: 1e-6 */
	double atol;      /* 0: 1e-8 */
	uint64_t seed;    /* of the random upstream gradient */
};

/* Compares analytic and central-difference gradients of Σ u·f(inputs), u random, in f64, over every element of every
 * input that requires a gradient.  options may be NULL.  MT_OK, or MT_E_ARG with the worst element in the message. */
MT_API mt_status mt_gradcheck(mt_gradcheck_fn fn, mt_tensor *const *inputs, int n, void *context,
                              const struct mt_gradcheck_options *options);

#ifdef __cplusplus
}
#endif

#endif
