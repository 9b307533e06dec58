/* Zip archives through libzip: its files are libmt's, its errors become libmt's. */
#ifndef MT_IO_ZIP_FILE_H
#define MT_IO_ZIP_FILE_H

#include <stdint.h>
#include <zip.h>

#include "mt/status.h"

/* An open file as libzip's source or target.  libzip's own would open by name, and replace the target by itself. */
struct mt__zip_file {
	int fd;         /* borrowed */
	uint64_t bytes; /* of the file; grows where it is written */
	uint64_t read_at, write_at;
	zip_error_t error;
};

/* The archive in file, which must outlive it; flags: ZIP_RDONLY, or ZIP_TRUNCATE to write a new one.  NULL with the error set;
 * path begins the message. */
zip_t *mt__zip_open(struct mt__zip_file *file, int flags, const char *path);

/* Fails as libzip did: "WHAT: TEXT". */
mt_status mt__zip_fail(const char *what, zip_error_t *error);

#endif
