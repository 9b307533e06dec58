/* The sentences of a run, split into training, validation and test. */
#ifndef APPS_TRAIN_SENTIMENT_DATASET_H
#define APPS_TRAIN_SENTIMENT_DATASET_H

#include "train_sentiment/corpus.h"
#include "train_sentiment/options.h"
#include "train_sentiment/vectors.h"
#include "train_sentiment/vocabulary.h"

struct dataset {
	struct corpus corpus; /* words are numbers of vocabulary */
	struct lexicon vocabulary;
	struct vectors vectors; /* of the vocabulary's words; empty without --embeddings */
	uint32_t *order;
	const uint32_t *train, *valid, *test; /* parts of order */
	int64_t n_train, n_valid, n_test;
	int64_t fingerprint; /* a hash of vocabulary and sentences */
	int fell_back;       /* auto found no movie reviews */
};

/* Reads what o asks for, splits it by o->seed, and numbers the words.  0, or the exit status after a message. */
int dataset_load(struct dataset *d, const struct options *o);
void dataset_free(struct dataset *d);

#endif
