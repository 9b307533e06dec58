/* What the networks of the train suite share. */
#ifndef APPS_BENCH_NETS_H
#define APPS_BENCH_NETS_H

#include "bench/train_step.h"

enum { BENCH_CLASSES = 10 };

/* Parts are made one after another, so that a seed gives the same weights under every compiler.  Whether it went in. */
int bench_net_add(mt_module *net, const char *name, mt_module *layer);
/* net where all parts went in, else NULL with what there is freed. */
mt_module *bench_net_finish(mt_module *net, int ok);

/* One of BENCH_CLASSES for each of n[0] examples. */
mt_tensor *bench_net_classes(const int64_t *n);
/* Mean cross-entropy of logits. */
mt_tensor *bench_net_cross_entropy(mt_tensor *output, mt_tensor *target);

mt_optim *bench_net_momentum(mt_tensor *const *parameters, int64_t n); /* rate 0.01, momentum 0.9 */
mt_optim *bench_net_adam(mt_tensor *const *parameters, int64_t n);     /* rate 0.001 */

/* Operations of x @ wᵀ for one row of x. */
double bench_net_linear_flops(int64_t in, int64_t out);

#endif
