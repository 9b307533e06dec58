/* Files of tests, in a folder of their own; and tensors that must be equal bit by bit. */
#ifndef FILES_H
#define FILES_H

#include "mt/mt.h"

/* A suite's init and cleanup.  Cleanup fails where a temporary file was left behind. */
int files_make(void);
int files_remove(void);

/* A path in the folder; valid until the fourth call after this one. */
const char *files_path(const char *name);

/* Whether all went well. */
int files_write(const char *name, const void *data, size_t bytes);
/* The file's bytes, to be freed with free; NULL where it cannot be read. */
unsigned char *files_read(const char *name, size_t *bytes);

/* Whether dtype, shape and every bit are equal; 0 for NULL. */
int files_same(mt_tensor *a, mt_tensor *b);

#endif
