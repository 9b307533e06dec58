/* Word vectors from a text file, as GloVe's. */
#ifndef APPS_TRAIN_SENTIMENT_VECTORS_H
#define APPS_TRAIN_SENTIMENT_VECTORS_H

#include "train_sentiment/lexicon.h"

#include "mt/mt.h"

/* Vectors of some words.  Zero-initialised: none. */
struct vectors {
	int64_t size;       /* numbers a vector */
	float *values;      /* [words->n, size] */
	unsigned char *has; /* [words->n]: 1 where the file has the word */
	int64_t found;
};

/* Reads WORD NUMBER NUMBER …, a line each, and keeps the vectors of words.  A first line of two integers (word2vec's and
 * fastText's) is passed over; a word may hold spaces, but no field that is a number.  A row of another length than the first
 * one's, and a number that is none or not finite, are MT_E_FORMAT; the message names the line.  Of equal words the first
 * counts. */
mt_status vectors_read(struct vectors *v, const char *path, const struct lexicon *words);
/* Moves the vectors of words to their numbers in vocabulary, all of which are words of it or new. */
mt_status vectors_renumber(struct vectors *v, const struct lexicon *words, const struct lexicon *vocabulary);
void vectors_free(struct vectors *v);

#endif
