/* Named tensors on their way to a file and back: a module's state, and what a checkpoint holds besides. */
#ifndef MT_IO_STATE_H
#define MT_IO_STATE_H

#include <jansson.h>

#include "io/tensor_file.h"

struct mt__state {
	char **names; /* owned */
	mt_tensor **tensors;
	int64_t n, room;
};

/* Appends prefix + name; the tensor is borrowed. */
mt_status mt__state_add(struct mt__state *s, const char *prefix, const char *name, mt_tensor *t);
/* Appends every parameter and buffer of module, in the order of mt_module_visit. */
mt_status mt__state_add_module(struct mt__state *s, const mt_module *module);
void mt__state_free(struct mt__state *s);

/* Checks that the file has every tensor of s in its shape, with its dtype (or another float), and reads them into
 * read[0 … n − 1], in the current scope. */
mt_status mt__state_read(mt_tensor_file *file, const struct mt__state *s, mt_tensor **read);
/* Checks that the file has no tensor beyond s, but for what a checkpoint holds beside its module. */
mt_status mt__state_check_names(const mt_tensor_file *file, const struct mt__state *s);
/* Writes what was read. */
mt_status mt__state_write(const struct mt__state *s, mt_tensor *const *read);

/* A checkpoint's file: its module's state beside tensors whose names begin with these. */
#define MT__CHECKPOINT_NOTE "mt.checkpoint"
#define MT__OPTIM_PREFIX "optim/"
#define MT__EXTRA_PREFIX "extra/"

/* mt_save_tensors with metadata, an object of texts or NULL; borrowed. */
mt_status mt__save_tensors(const char *op, const char *path, int64_t n, const char *const *names,
                           mt_tensor *const *tensors, json_t *metadata);

#endif
