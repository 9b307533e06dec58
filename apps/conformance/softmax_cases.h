/* The cases of softmax and softmax_grad: a shape and an axis. */
#ifndef CONFORMANCE_SOFTMAX_CASES_H
#define CONFORMANCE_SOFTMAX_CASES_H

#include "family_nn.h"

enum { CF_SOFTMAX_AXIS, CF_SOFTMAX_PARAMS };
enum { CF_SOFTMAX_OPS = 2 }; /* plain, log: by mode */

extern const struct cf_param cf_softmax_params[CF_SOFTMAX_PARAMS];
extern const struct cf_op cf_softmax_ops[CF_SOFTMAX_OPS];

int cf_softmax_valid(const struct cf_case *c);
/* kinds: cf_family.data. */
void cf_softmax_each(cf_emit_fn emit, void *context, uint32_t kinds);
void cf_softmax_draw(struct cf_random *r, struct cf_case *c);

#endif
