/* What constructors of layers share. */
#ifndef MT_NN_BUILD_H
#define MT_NN_BUILD_H

#include <stddef.h>

#include "base/alloc.h"
#include "nn/module.h"

/* A module whose context is a copy of size bytes; kind->release is mt__free. */
mt_module *mt__module_with(const mt_module_class *kind, const void *options, size_t size);

/* Adds "weight" of this shape and, where outputs > 0, "bias" [outputs], both uniform in ±1/√fan_in: what PyTorch's
 * kaiming_uniform_(a = √5) comes to.  m may be NULL (it failed); it is freed on failure.  Returns m. */
mt_module *mt__with_weight(mt_module *m, int rank, const int64_t *shape, int64_t fan_in, int64_t outputs);

/* The parameters that mt__with_weight added; MT_NONE where there is no bias. */
static inline mt_tensor *mt__weight_of(const mt_module *m) {
	return m->state[0].tensor;
}

static inline mt_tensor *mt__bias_of(const mt_module *m) {
	return m->n_state > 1 ? m->state[1].tensor : MT_NONE;
}

/* Adds f32 state of this shape, every element value. */
mt_status mt__add_constant(mt_module *m, int32_t kind, const char *name, int rank, const int64_t *shape, double value);
/* Adds an f32 parameter, uniform in ±bound. */
mt_status mt__add_uniform(mt_module *m, const char *name, int rank, const int64_t *shape, double bound);

/* The thread's error as a status; MT_E_INTERNAL where there is none. */
mt_status mt__module_failure(void);

/* The parameter or buffer of m itself with this name; MT_NONE where there is none. */
mt_tensor *mt__module_own(const mt_module *m, const char *name);

/* Adds before and then values as Python prints a tuple: "(3,)", "(3, 5)". */
void mt__text_tuple(struct mt_text *text, const char *before, int n, const int *values);
/* What a describe function gives back: from's text in text, from freed. */
int mt__describe_text(struct mt_text *from, char *text, size_t size);

#endif
