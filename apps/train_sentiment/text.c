/* Text files, whole in memory as UTF-8. */
#include "train_sentiment/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train_sentiment/tokenize.h"

static const size_t TEXT_MOST = (size_t)1 << 30;

static mt_status read_all(struct text *t, FILE *in) {
	size_t capacity = 0;
	for (;;) {
		if (t->length == capacity) {
			if (capacity > TEXT_MOST)
				return mt_error_set(MT_E_UNSUPPORTED, "%s: more than 1 GiB of text", t->path);
			capacity = capacity ? 2 * capacity : (size_t)1 << 16;
			char *bytes = realloc(t->bytes, capacity);
			if (bytes == NULL)
				return mt_error_set(MT_E_MEMORY, "%s: no memory for %zu bytes", t->path, capacity);
			t->bytes = bytes;
		}
		size_t got = fread(t->bytes + t->length, 1, capacity - t->length, in);
		t->length += got;
		if (got == 0)
			break;
	}
	if (ferror(in))
		return mt_error_set(MT_E_IO, "%s: %s", t->path, strerror(errno));
	return MT_OK;
}

static mt_status from_latin1(struct text *t) {
	char *bytes = malloc(2 * t->length);
	if (bytes == NULL)
		return mt_error_set(MT_E_MEMORY, "%s: no memory for %zu bytes", t->path, 2 * t->length);
	t->length = utf8_from_latin1(t->bytes, t->length, bytes);
	free(t->bytes);
	t->bytes = bytes;
	t->latin1 = 1;
	return MT_OK;
}

static mt_status check(struct text *t) {
	const char *zero = t->length ? memchr(t->bytes, '\0', t->length) : NULL;
	if (zero != NULL)
		return mt_error_set(MT_E_FORMAT, "%s: not a text file: byte %zu is zero", t->path, (size_t)(zero - t->bytes));
	if (t->length >= 3 && memcmp(t->bytes, "\xEF\xBB\xBF", 3) == 0)
		t->at = 3;
	return utf8_valid(t->bytes, t->length) ? MT_OK : from_latin1(t);
}

mt_status text_read(struct text *t, const char *path) {
	int is_stdin = strcmp(path, "-") == 0;
	memset(t, 0, sizeof *t);
	t->path = is_stdin ? "standard input" : path;
	FILE *in = is_stdin ? stdin : fopen(path, "rb");
	if (in == NULL)
		return mt_error_set(MT_E_IO, "%s: %s", path, strerror(errno));
	mt_status status = read_all(t, in);
	if (!is_stdin)
		fclose(in);
	return status == MT_OK ? check(t) : status;
}

int text_line(struct text *t, const char **line, size_t *length) {
	if (t->at >= t->length)
		return 0;
	*line = t->bytes + t->at;
	const char *newline = memchr(*line, '\n', t->length - t->at);
	*length = newline ? (size_t)(newline - *line) : t->length - t->at;
	t->at += *length + 1;
	t->row++;
	if (*length > 0 && (*line)[*length - 1] == '\r')
		--*length;
	return 1;
}

void text_free(struct text *t) {
	free(t->bytes);
	memset(t, 0, sizeof *t);
}
