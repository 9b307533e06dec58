/* Gradients of ops that are linear in one tensor, checked exactly: with f's matrix found column by column. */
#ifndef MT_TEST_LINEAR_H
#define MT_TEST_LINEAR_H

#include "backends.h"

typedef mt_tensor *(*linear_fn)(mt_tensor *x, const void *context);

/* For y = f(x) and a random u of y's shape, backward must give x.grad[i] = Σ u · f(e_i), e_i the i-th unit tensor of
 * shape; and where again is not 0, the rule run with recording on must itself have the gradient f(v). */
void check_linear(linear_fn f, const void *context, int rank, const int64_t *shape, int again);

#endif
