/* Text files, whole in memory as UTF-8, and their lines. */
#ifndef APPS_TRAIN_SENTIMENT_TEXT_H
#define APPS_TRAIN_SENTIMENT_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "mt/mt.h"

struct text {
	const char *path;
	char *bytes;
	size_t length;
	int latin1;  /* the file was not UTF-8, and was read as Latin-1 */
	size_t at;   /* of the next line */
	int64_t row; /* number of the line that was given last, from 1 */
};

/* Reads path ("-": standard input) and drops a byte order mark.  Zero bytes are refused (MT_E_FORMAT), and so is more than
 * 1 GiB (MT_E_UNSUPPORTED).  MT_OK, or a status with the error set, which begins with path. */
mt_status text_read(struct text *t, const char *path);
/* The next line, without its end (LF or CR LF).  1, or 0 at the end. */
int text_line(struct text *t, const char **line, size_t *length);
void text_free(struct text *t);

#endif
