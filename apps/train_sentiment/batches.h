/* Mini-batches of sentences of like length. */
#ifndef APPS_TRAIN_SENTIMENT_BATCHES_H
#define APPS_TRAIN_SENTIMENT_BATCHES_H

#include "train_sentiment/corpus.h"

/* Sentences members[0 … n − 1] of corpus (both borrowed), size a batch. */
struct batches {
	const struct corpus *corpus;
	const uint32_t *members;
	int64_t n, size;
	uint32_t *order; /* sentences in the order of this epoch */
	uint32_t *turn;  /* batches in the order of this epoch: batch b is order[turn[b] · size …] */
	int32_t *ids;    /* one batch's words */
};

/* Number of batches. */
int64_t batches_count(const struct batches *b);
mt_status batches_new(struct batches *b, const struct corpus *corpus, const uint32_t *members, int64_t n, int64_t size);
void batches_free(struct batches *b);

/* Plans epoch ≥ 1: the sentences are shuffled, each run of 32 batches is sorted by length (so that little of a batch is
 * padding), and the batches are shuffled.  Epoch 0: all sorted by length, the longest first; for evaluation. */
mt_status batches_plan(struct batches *b, uint64_t seed, int64_t epoch);

/* Batch i of the plan on the current device, in the current scope: *ids i32 [N, T], filled up with PADDING_ID, and *labels
 * i64 [N].  members[k] is the batch's k-th sentence (may be NULL). */
mt_status batches_get(struct batches *b, int64_t i, mt_tensor **ids, mt_tensor **labels);
/* The sentences of batch i: n of them. */
const uint32_t *batches_sentences(const struct batches *b, int64_t i, int64_t *n);

#endif
