/* Opening files to read. */
#ifndef MT_IO_REGULAR_H
#define MT_IO_REGULAR_H

#include <stdint.h>

#include "mt/status.h"

/* Opens path, which must be a regular file: a pipe would block, a device has no end.  *fd is the caller's to close, *bytes
 * the file's size.  MT_E_IO otherwise, with *fd −1. */
mt_status mt__regular_open(const char *path, int *fd, uint64_t *bytes);

/* Reads exactly bytes at offset of fd; path is for messages.  MT_E_IO otherwise. */
mt_status mt__regular_pread(int fd, const char *path, void *dst, size_t bytes, uint64_t offset);

#endif
