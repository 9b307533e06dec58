/* Word vectors from a text file.  GloVe's files have gigabytes: they are read line by line. */
#include "train_sentiment/vectors.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VECTOR_MOST = 65536 };

struct reader {
	const char *path;
	FILE *in;
	char *line;
	size_t room;
	int64_t row;
	float *vector; /* the current row's */
};

static mt_status fail(const struct reader *r, const char *what) {
	return mt_error_set(MT_E_FORMAT, "%s: line %" PRId64 ": %s", r->path, r->row, what);
}

/* The next line without its end.  1; 0 at the end; −1 where it cannot be read. */
static int next_line(struct reader *r) {
	ssize_t n = getline(&r->line, &r->room, r->in);
	if (n < 0)
		return ferror(r->in) || !feof(r->in) ? -1 : 0;
	while (n > 0 && (r->line[n - 1] == '\n' || r->line[n - 1] == '\r' || r->line[n - 1] == ' '))
		r->line[--n] = '\0';
	r->row++;
	return 1;
}

static int64_t count_fields(const char *line) {
	int64_t n = 1;
	for (; *line != '\0'; line++)
		n += *line == ' ';
	return n;
}

/* Whether text is a number, up to end. */
static int read_number(const char *text, const char *end, float *out) {
	char *stop;
	if (text == end || *text == '\t')
		return 0;
	*out = strtof(text, &stop);
	return stop == end;
}

/* The last field of line before end. */
static const char *last_field(const char *line, const char *end) {
	while (end > line && end[-1] != ' ')
		end--;
	return end;
}

/* The row's numbers into r->vector and its word's end to *word_end. */
static mt_status take_numbers(struct reader *r, int64_t size, char **word_end) {
	int64_t got = count_fields(r->line) - 1;
	if (got < size)
		return mt_error_set(MT_E_FORMAT, "%s: line %" PRId64 ": expected a word and %" PRId64 " numbers, got %" PRId64,
		                    r->path, r->row, size, got);
	char *end = r->line + strlen(r->line);
	for (int64_t i = size; i-- > 0;) {
		char *field = r->line + (last_field(r->line, end) - r->line);
		if (!read_number(field, end, &r->vector[i]))
			return mt_error_set(MT_E_FORMAT, "%s: line %" PRId64 ": expected a number, got '%.*s'", r->path, r->row,
			                    end - field < 40 ? (int)(end - field) : 40, field);
		if (!isfinite(r->vector[i]))
			return fail(r, "a number that is not finite");
		end = field - 1;
	}
	*word_end = end;
	return MT_OK;
}

/* A row that is too long shows as a word with a number at its end. */
static mt_status check_word(const struct reader *r, const char *word_end, int64_t size) {
	float number;
	const char *field = last_field(r->line, word_end);
	if (field == r->line || !read_number(field, word_end, &number))
		return MT_OK;
	return mt_error_set(MT_E_FORMAT, "%s: line %" PRId64 ": more than %" PRId64 " numbers", r->path, r->row, size);
}

static mt_status add_row(struct vectors *v, struct reader *r, const struct lexicon *words) {
	char *word_end = NULL;
	mt_status status = take_numbers(r, v->size, &word_end);
	if (status == MT_OK)
		status = check_word(r, word_end, v->size);
	if (status != MT_OK)
		return status;
	int32_t id = lexicon_find(words, r->line, (size_t)(word_end - r->line));
	if (id < 0 || v->has[id])
		return MT_OK;
	memcpy(v->values + (int64_t)id * v->size, r->vector, (size_t)v->size * sizeof(float));
	v->has[id] = 1;
	v->found++;
	return MT_OK;
}

static int is_header(const char *line) {
	size_t first = strspn(line, "0123456789");
	return first > 0 && line[first] == ' ' && line[first + 1] != '\0' &&
	       line[first + 1 + strspn(line + first + 1, "0123456789")] == '\0';
}

/* The first line with a vector decides how many numbers there are. */
static mt_status begin(struct vectors *v, struct reader *r, const struct lexicon *words) {
	v->size = count_fields(r->line) - 1;
	if (v->size < 1 || v->size > VECTOR_MOST)
		return fail(r, "expected a word and numbers, with a space between them");
	size_t n = words->n > 0 ? (size_t)words->n : 1;
	v->values = calloc(n, (size_t)v->size * sizeof *v->values);
	v->has = calloc(n, 1);
	r->vector = calloc((size_t)v->size, sizeof *r->vector);
	if (v->values && v->has && r->vector)
		return MT_OK;
	return mt_error_set(MT_E_MEMORY, "%s: no memory for vectors of %" PRId64 " numbers", r->path, v->size);
}

static mt_status read_rows(struct vectors *v, struct reader *r, const struct lexicon *words) {
	mt_status status = MT_OK;
	int more;
	while (status == MT_OK && (more = next_line(r)) != 0) {
		if (more < 0)
			return mt_error_set(MT_E_IO, "%s: %s", r->path, strerror(errno));
		if (r->row == 1 && is_header(r->line))
			continue;
		if (v->size == 0)
			status = begin(v, r, words);
		if (status == MT_OK)
			status = add_row(v, r, words);
	}
	if (status == MT_OK && v->size == 0)
		return mt_error_set(MT_E_FORMAT, "%s: there are no vectors", r->path);
	return status;
}

mt_status vectors_read(struct vectors *v, const char *path, const struct lexicon *words) {
	struct reader r = {.path = path, .in = fopen(path, "rbe")};
	if (r.in == NULL)
		return mt_error_set(MT_E_IO, "%s: %s", path, strerror(errno));
	mt_status status = read_rows(v, &r, words);
	fclose(r.in);
	free(r.line);
	free(r.vector);
	return status;
}

mt_status vectors_renumber(struct vectors *v, const struct lexicon *words, const struct lexicon *vocabulary) {
	struct vectors moved = {.size = v->size, .found = v->found};
	moved.values = calloc((size_t)vocabulary->n, (size_t)v->size * sizeof *moved.values);
	moved.has = calloc((size_t)vocabulary->n, 1);
	if (moved.values == NULL || moved.has == NULL) {
		vectors_free(&moved);
		return mt_error_set(MT_E_MEMORY, "no memory for the vectors of %d words", (int)vocabulary->n);
	}
	for (int32_t i = 0; i < vocabulary->n; i++) {
		size_t length;
		const char *word = lexicon_word(vocabulary, i, &length);
		int32_t from = lexicon_find(words, word, length);
		if (from < 0 || !v->has[from])
			continue;
		moved.has[i] = 1;
		memcpy(moved.values + i * v->size, v->values + from * v->size, (size_t)v->size * sizeof *moved.values);
	}
	vectors_free(v);
	*v = moved;
	return MT_OK;
}

void vectors_free(struct vectors *v) {
	free(v->values);
	free(v->has);
	memset(v, 0, sizeof *v);
}
