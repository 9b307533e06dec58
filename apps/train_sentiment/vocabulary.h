/* The words that a model knows. */
#ifndef APPS_TRAIN_SENTIMENT_VOCABULARY_H
#define APPS_TRAIN_SENTIMENT_VOCABULARY_H

#include "train_sentiment/corpus.h"

/* Numbers of a vocabulary: its first two words are no words of text (which hold no < or >). */
enum { PADDING_ID = 0, UNKNOWN_ID = 1, FIRST_WORD_ID = 2 };

/* The vocabulary of c's sentences order[0 … n − 1]: "<pad>", "<unk>", then the words that occur least times or more, the
 * most frequent first, equals in the order of their bytes.  extra (may be NULL): a byte for each of c->words, 1 where it
 * belongs to the vocabulary anyhow. */
mt_status vocabulary_build(struct lexicon *v, const struct corpus *c, const uint32_t *order, int64_t n, int64_t least,
                           const unsigned char *extra);
/* word's number in v; UNKNOWN_ID where it lacks. */
int32_t vocabulary_id(const struct lexicon *v, const char *word, size_t length);
/* Rewrites c's words as numbers of v; c->words is empty then. */
mt_status vocabulary_apply(const struct lexicon *v, struct corpus *c);
/* Whether v can be a vocabulary: begins with the two that are no words. */
int vocabulary_valid(const struct lexicon *v);

#endif
