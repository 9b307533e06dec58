/* Layers that have one weight and maybe a bias. */
#ifndef MT_NN_WEIGHT_H
#define MT_NN_WEIGHT_H

#include "nn/build.h"

/* Adds "weight" of this shape and, where outputs > 0, "bias" [outputs], both uniform in ±1/√fan_in: what PyTorch's
 * kaiming_uniform_(a = √5) comes to.  m may be NULL (it failed); it is freed on failure.  Returns m. */
mt_module *mt__with_weight(mt_module *m, int rank, const int64_t *shape, int64_t fan_in, int64_t outputs);

/* What mt__with_weight added; MT_NONE where there is no bias. */
static inline mt_tensor *mt__weight_of(const mt_module *m) {
	return m->state[0].tensor;
}

static inline mt_tensor *mt__bias_of(const mt_module *m) {
	return m->n_state > 1 ? m->state[1].tensor : MT_NONE;
}

#endif
