/* What a shared object exports, read from the file itself. */
#ifndef CONFORMANCE_ELF_SYMBOLS_H
#define CONFORMANCE_ELF_SYMBOLS_H

#include <stddef.h>

/* The number of defined dynamic symbols that others can see, names with spaces between in names.  −1 with a reason in names
 * where the file cannot be read so. */
int cf_exported_symbols(const char *path, char *names, size_t size);

#endif
