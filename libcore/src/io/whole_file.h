/* Files that appear whole or not at all: written without a name (where the file system can't, under a temporary one)
 * beside the target, synced, renamed over it. */
#ifndef MT_IO_WHOLE_FILE_H
#define MT_IO_WHOLE_FILE_H

#include "mt/status.h"

struct mt__whole_file {
	const char *path; /* as given, for messages; borrowed */
	char *target;     /* path with symbolic links resolved: what is replaced */
	char *temporary;  /* NULL while the file has no name */
	int fd;
};

/* Begins to write path, which may exist as a regular file.  MT_E_IO otherwise. */
mt_status mt__whole_file_open(struct mt__whole_file *f, const char *path);
mt_status mt__whole_file_write(struct mt__whole_file *f, const void *data, size_t bytes);
/* Ends it: with status MT_OK the file takes path's place, else the temporary file is removed.  Returns status, or the
 * failure of this call. */
mt_status mt__whole_file_close(struct mt__whole_file *f, mt_status status);

#endif
