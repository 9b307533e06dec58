/* What constructors of layers share. */
#ifndef MT_NN_BUILD_H
#define MT_NN_BUILD_H

#include "base/alloc.h"
#include "base/error.h"
#include "nn/module.h"

/* A module whose context is a copy of size bytes at context; kind->release is mt__free. */
mt_module *mt__module_with(const mt_module_class *kind, const void *context, size_t size);

/* Adds f32 state of this shape, every element value. */
mt_status mt__add_constant(mt_module *m, int32_t kind, const char *name, int rank, const int64_t *shape, double value);
/* Adds an f32 parameter, uniform in ±bound. */
mt_status mt__add_uniform(mt_module *m, const char *name, int rank, const int64_t *shape, double bound);

/* The thread's error as a status; MT_E_INTERNAL where there is none. */
mt_status mt__module_failure(void);

/* Whether m is a layer of this kind. */
int mt__is_relu(const mt_module *m);
int mt__is_max_pool(const mt_module *m);

/* The parameter or buffer of m itself with this name; MT_NONE where there is none. */
mt_tensor *mt__module_own(const mt_module *m, const char *name);

/* Appends to what describe writes; *at counts on where size is too small. */
void mt__describe_add(char *text, size_t size, int *at, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* "(3,)" and "(4, 5)", as Python prints a tuple. */
void mt__describe_tuple(char *text, size_t size, int *at, int n, const int64_t *values);

#endif
