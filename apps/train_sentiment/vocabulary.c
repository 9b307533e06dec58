/* The words that a model knows. */
#include "train_sentiment/vocabulary.h"

#include <stdlib.h>
#include <string.h>

static const char *const special[FIRST_WORD_ID] = {"<pad>", "<unk>"};

struct counted {
	const char *word;
	size_t length;
	int64_t count;
	int in;
};

static int by_count(const void *a, const void *b) {
	const struct counted *x = a, *y = b;
	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	size_t common = x->length < y->length ? x->length : y->length;
	int order = memcmp(x->word, y->word, common);
	return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

static int add_all(struct lexicon *v, const struct counted *words, int32_t n) {
	for (int i = 0; i < FIRST_WORD_ID; i++)
		if (lexicon_add(v, special[i], strlen(special[i])) < 0)
			return 0;
	for (int32_t i = 0; i < n; i++)
		if (words[i].in && lexicon_add(v, words[i].word, words[i].length) < 0)
			return 0;
	return 1;
}

mt_status vocabulary_build(struct lexicon *v, const struct corpus *c, const uint32_t *order, int64_t n, int64_t least,
                           const unsigned char *extra) {
	int32_t n_words = c->words.n;
	struct counted *words = calloc((size_t)n_words + 1, sizeof *words);
	int ok = words != NULL;
	for (int64_t i = 0; ok && i < n; i++) {
		const struct sentence *s = &c->sentences[order[i]];
		for (int32_t j = 0; j < s->length; j++)
			words[c->ids[s->first + j]].count++;
	}
	for (int32_t i = 0; ok && i < n_words; i++) {
		words[i].word = lexicon_word(&c->words, i, &words[i].length);
		words[i].in = words[i].length > 0 && (words[i].count >= least || (extra != NULL && extra[i]));
	}
	if (ok && n_words > 0)
		qsort(words, (size_t)n_words, sizeof *words, by_count);
	ok = ok && add_all(v, words, n_words);
	free(words);
	return ok ? MT_OK : mt_error_set(MT_E_MEMORY, "no memory for a vocabulary of %d words", (int)n_words);
}

int32_t vocabulary_id(const struct lexicon *v, const char *word, size_t length) {
	int32_t id = lexicon_find(v, word, length);
	return id < 0 ? UNKNOWN_ID : id;
}

mt_status vocabulary_apply(const struct lexicon *v, struct corpus *c) {
	int32_t *map = malloc(((size_t)c->words.n + 1) * sizeof *map);
	if (map == NULL)
		return mt_error_set(MT_E_MEMORY, "no memory for a vocabulary of %d words", (int)c->words.n);
	for (int32_t i = 0; i < c->words.n; i++) {
		size_t length;
		const char *word = lexicon_word(&c->words, i, &length);
		map[i] = vocabulary_id(v, word, length);
	}
	for (int64_t i = 0; i < c->n_ids; i++)
		c->ids[i] = map[c->ids[i]];
	free(map);
	lexicon_free(&c->words);
	return MT_OK;
}

int vocabulary_valid(const struct lexicon *v) {
	for (int i = 0; i < FIRST_WORD_ID; i++)
		if (lexicon_find(v, special[i], strlen(special[i])) != i)
			return 0;
	return 1;
}
