/* Distinct words: their text in one piece, and a hash table of their numbers with linear probing. */
#include "train_sentiment/lexicon.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a. */
static uint64_t hash(const char *word, size_t length) {
	uint64_t h = 0xcbf29ce484222325;
	for (size_t i = 0; i < length; i++)
		h = (h ^ (unsigned char)word[i]) * 0x100000001b3;
	return h;
}

const char *lexicon_word(const struct lexicon *l, int32_t i, size_t *length) {
	*length = l->begin[i + 1] - l->begin[i] - 1;
	return l->text + l->begin[i];
}

/* The slot that word has, or where it would go. */
static int32_t *slot_of(const struct lexicon *l, const char *word, size_t length) {
	size_t at = hash(word, length) & (l->n_slots - 1);
	for (;; at = (at + 1) & (l->n_slots - 1)) {
		size_t other_length;
		if (l->slots[at] < 0)
			return &l->slots[at];
		const char *other = lexicon_word(l, l->slots[at], &other_length);
		if (other_length == length && memcmp(other, word, length) == 0)
			return &l->slots[at];
	}
}

int32_t lexicon_find(const struct lexicon *l, const char *word, size_t length) {
	return l->n_slots == 0 ? -1 : *slot_of(l, word, length);
}

/* At most half of the slots are taken. */
static int grow_slots(struct lexicon *l) {
	if ((size_t)l->n + 1 <= l->n_slots / 2)
		return 1;
	struct lexicon wider = *l;
	wider.n_slots = l->n_slots ? 2 * l->n_slots : 1024;
	wider.slots = malloc(wider.n_slots * sizeof *wider.slots);
	if (wider.slots == NULL)
		return 0;
	for (size_t i = 0; i < wider.n_slots; i++)
		wider.slots[i] = -1;
	for (int32_t i = 0; i < l->n; i++) {
		size_t length;
		const char *word = lexicon_word(l, i, &length);
		*slot_of(&wider, word, length) = i;
	}
	free(l->slots);
	*l = wider;
	return 1;
}

static int grow_text(struct lexicon *l, size_t more) {
	if (l->n + 1 >= l->room) {
		if (l->room > INT32_MAX / 2)
			return 0;
		int32_t room = l->room ? 2 * l->room : 1024;
		size_t *begin = realloc(l->begin, (size_t)room * sizeof *begin);
		if (begin == NULL)
			return 0;
		begin[l->n] = l->bytes;
		l->begin = begin;
		l->room = room;
	}
	if (l->capacity - l->bytes < more) {
		size_t capacity = 2 * l->capacity + more;
		char *text = realloc(l->text, capacity);
		if (text == NULL)
			return 0;
		l->text = text;
		l->capacity = capacity;
	}
	return 1;
}

int32_t lexicon_add(struct lexicon *l, const char *word, size_t length) {
	int32_t found = lexicon_find(l, word, length);
	if (found >= 0)
		return found;
	if (!grow_slots(l) || !grow_text(l, length + 1))
		return -1;
	*slot_of(l, word, length) = l->n;
	memcpy(l->text + l->bytes, word, length);
	l->bytes += length;
	l->text[l->bytes++] = '\n';
	l->begin[++l->n] = l->bytes;
	return l->n - 1;
}

int lexicon_read(struct lexicon *l, const char *text, size_t bytes) {
	const char *end = text + bytes, *newline;
	for (; text < end; text = newline + 1) {
		newline = memchr(text, '\n', (size_t)(end - text));
		int32_t before = l->n;
		if (newline == NULL || lexicon_add(l, text, (size_t)(newline - text)) != before)
			return 0;
	}
	return 1;
}

void lexicon_free(struct lexicon *l) {
	free(l->text);
	free(l->begin);
	free(l->slots);
	memset(l, 0, sizeof *l);
}
