/* Sentences with labels. */
#include "train_sentiment/corpus.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "train_sentiment/tokenize.h"
#include "train_sentiment/vocabulary.h"

/* ---- sentences -------------------------------------------------------------------------------------------------- */

static mt_status no_memory(void) {
	return mt_error_set(MT_E_MEMORY, "no memory for the sentences");
}

/* items, n of bytes each, with room for one more; NULL where memory is short. */
static void *grow(void *items, int64_t n, int64_t *room, size_t bytes) {
	if (n < *room)
		return items;
	int64_t more = *room ? 2 * *room : 1024;
	void *grown = realloc(items, (size_t)more * bytes);
	if (grown != NULL)
		*room = more;
	return grown;
}

static mt_status add_word(struct corpus *c, const struct lexicon *vocabulary, const char *word) {
	size_t length = strlen(word);
	int32_t id = vocabulary ? vocabulary_id(vocabulary, word, length) : lexicon_add(&c->words, word, length);
	int32_t *ids = grow(c->ids, c->n_ids, &c->room_ids, sizeof *ids);
	if (ids != NULL)
		c->ids = ids;
	if (id < 0 || ids == NULL)
		return no_memory();
	c->ids[c->n_ids++] = id;
	return MT_OK;
}

mt_status corpus_add(struct corpus *c, const struct lexicon *vocabulary, const char *text, size_t length, int label) {
	struct tokens t;
	struct sentence s = {.first = c->n_ids, .label = label};
	mt_status status = MT_OK;
	tokens_begin(&t, text, length);
	while (status == MT_OK && tokens_next(&t)) {
		if (s.length == SENTENCE_WORDS) {
			c->cut++;
			break;
		}
		status = add_word(c, vocabulary, t.word);
		s.length++;
	}
	if (status == MT_OK && s.length == 0) {
		status = add_word(c, vocabulary, "");
		s.length = 1;
	}
	if (status != MT_OK)
		return status;
	struct sentence *sentences = grow(c->sentences, c->n, &c->room, sizeof s);
	if (sentences == NULL)
		return no_memory();
	c->sentences = sentences;
	c->sentences[c->n++] = s;
	return MT_OK;
}

void corpus_free(struct corpus *c) {
	lexicon_free(&c->words);
	free(c->ids);
	free(c->sentences);
	memset(c, 0, sizeof *c);
}

/* ---- a sentence a line ------------------------------------------------------------------------------------------ */

static int is_blank(const char *line, size_t length) {
	for (size_t i = 0; i < length; i++)
		if (line[i] != ' ' && line[i] != '\t')
			return 0;
	return 1;
}

mt_status corpus_read_lines(struct corpus *c, const char *path, int label) {
	struct text t;
	const char *line;
	size_t length;
	int64_t before = c->n;
	mt_status status = text_read(&t, path);
	while (status == MT_OK && text_line(&t, &line, &length))
		if (!is_blank(line, length))
			status = corpus_add(c, NULL, line, length, label);
	if (status == MT_OK && c->n == before)
		status = mt_error_set(MT_E_FORMAT, "%s: there are no sentences", t.path);
	c->latin1 |= t.latin1;
	text_free(&t);
	return status;
}

/* ---- TSV -------------------------------------------------------------------------------------------------------- */

struct row {
	const char *field[2];
	size_t length[2];
};

static int field_is(const struct row *r, int column, const char *text) {
	return r->length[column] == strlen(text) && memcmp(r->field[column], text, r->length[column]) == 0;
}

/* 0 or 1; −1: not a label. */
static int label_of(const struct row *r, int column) {
	static const char *const names[][CLASSES] = {{"0", "1"}, {"neg", "pos"}, {"negative", "positive"}};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		for (int label = 0; label < CLASSES; label++)
			if (field_is(r, column, names[i][label]))
				return label;
	return -1;
}

static mt_status split(const struct text *t, const char *line, size_t length, struct row *r) {
	const char *tab = memchr(line, '\t', length);
	if (tab == NULL)
		return mt_error_set(MT_E_FORMAT, "%s: line %" PRId64 ": no tab between label and sentence", t->path, t->row);
	size_t first = (size_t)(tab - line);
	*r = (struct row){{line, tab + 1}, {first, length - first - 1}};
	if (memchr(r->field[1], '\t', r->length[1]) != NULL)
		return mt_error_set(MT_E_FORMAT, "%s: line %" PRId64 ": more than two columns", t->path, t->row);
	return MT_OK;
}

/* The column that holds the labels; 0 where every line has one in both, −1 where no line has one in one column alone. */
static int find_column(struct text t) {
	const char *line;
	size_t length;
	int both = 0;
	while (text_line(&t, &line, &length)) {
		const char *tab = memchr(line, '\t', length);
		if (tab == NULL)
			continue;
		size_t first = (size_t)(tab - line);
		struct row r = {{line, tab + 1}, {first, length - first - 1}};
		int left = label_of(&r, 0) >= 0, right = label_of(&r, 1) >= 0;
		if (left != right)
			return left ? 0 : 1;
		both |= left;
	}
	return both ? 0 : -1;
}

static mt_status add_row(struct corpus *c, const struct text *t, const struct row *r, int column) {
	int label = column < 0 ? -1 : label_of(r, column);
	int shown = column < 0 ? 0 : column;
	if (t->row == 1 && label < 0 && (field_is(r, 0, "label") || field_is(r, 1, "label")))
		return MT_OK;
	if (label < 0)
		return mt_error_set(MT_E_FORMAT,
		                    "%s: line %" PRId64 ": expected a label (0 or 1, neg or pos, negative or positive), got "
		                    "'%.*s'",
		                    t->path, t->row, (int)(r->length[shown] < 40 ? r->length[shown] : 40), r->field[shown]);
	return corpus_add(c, NULL, r->field[1 - column], r->length[1 - column], label);
}

mt_status corpus_read_tsv(struct corpus *c, const char *path) {
	struct text t;
	const char *line;
	size_t length;
	int64_t before = c->n;
	mt_status status = text_read(&t, path);
	int column = status == MT_OK ? find_column(t) : -1;
	while (status == MT_OK && text_line(&t, &line, &length)) {
		struct row r;
		if (is_blank(line, length))
			continue;
		status = split(&t, line, length, &r);
		if (status == MT_OK)
			status = add_row(c, &t, &r, column);
	}
	if (status == MT_OK && c->n == before)
		status = mt_error_set(MT_E_FORMAT, "%s: there are no sentences", t.path);
	c->latin1 |= t.latin1;
	text_free(&t);
	return status;
}
