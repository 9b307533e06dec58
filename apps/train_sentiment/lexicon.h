/* Distinct words, numbered in the order in which they were added. */
#ifndef APPS_TRAIN_SENTIMENT_LEXICON_H
#define APPS_TRAIN_SENTIMENT_LEXICON_H

#include <stddef.h>
#include <stdint.h>

/* Zero-initialised: empty. */
struct lexicon {
	char *text; /* the words, each with a newline behind it: how a checkpoint keeps them */
	size_t bytes, capacity;
	size_t *begin; /* of word i in text; begin[n] is the end */
	int32_t n, room;
	int32_t *slots; /* hash table: a word's number or −1; n_slots is a power of 2 */
	size_t n_slots;
};

/* word's number, added where it is new; −1 where memory is short.  No newline in word. */
int32_t lexicon_add(struct lexicon *l, const char *word, size_t length);
/* −1: not there. */
int32_t lexicon_find(const struct lexicon *l, const char *word, size_t length);
/* Word i: *length bytes, without a NUL. */
const char *lexicon_word(const struct lexicon *l, int32_t i, size_t *length);
/* Fills an empty lexicon with the lines of text: 1; 0 where they are not distinct, the last newline lacks or memory is
 * short. */
int lexicon_read(struct lexicon *l, const char *text, size_t bytes);
void lexicon_free(struct lexicon *l);

#endif
