/* Windows: views by strides in the graph, and their transpose, adding into one. */
#ifndef MT_OPS_STRIDED_H
#define MT_OPS_STRIDED_H

#include "autograd/node.h"

/* A view of x in the graph.  stride and offset are of x's storage; packed_stride and packed_offset say where the same
 * elements lie in a contiguous tensor of x's shape, which the gradient is.  rule's backward is mt__window_backward.
 * The caller has checked that the view stays inside. */
mt_tensor *mt__window(const struct mt_grad_rule *rule, mt_tensor *x, int rank, const int64_t *shape,
                      const int64_t *stride, int64_t offset, const int64_t *packed_stride, int64_t packed_offset);

mt_status mt__window_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx);

/* Zeros of shape, plus x at the window of x's shape with these strides and offset; elements of x that share a place are
 * summed. */
mt_tensor *mt__window_add(mt_tensor *x, int rank, const int64_t *shape, const int64_t *stride, int64_t offset);

#endif
