/* Mini-batches of sentences of like length. */
#include "train_sentiment/batches.h"

#include <stdlib.h>
#include <string.h>

#include "train_sentiment/vocabulary.h"

enum { RUN = 32 }; /* batches that are sorted together: enough to save padding, few enough to mix */

int64_t batches_count(const struct batches *b) {
	return (b->n + b->size - 1) / b->size;
}

mt_status batches_new(struct batches *b, const struct corpus *corpus, const uint32_t *members, int64_t n,
                      int64_t size) {
	*b = (struct batches){.corpus = corpus, .members = members, .n = n, .size = size < n ? size : n};
	if (n == 0)
		return mt_error_set(MT_E_ARG, "there are no sentences to make batches of");
	b->order = malloc((size_t)n * sizeof *b->order);
	b->turn = malloc((size_t)batches_count(b) * sizeof *b->turn);
	b->ids = malloc((size_t)b->size * SENTENCE_WORDS * sizeof *b->ids);
	if (b->order && b->turn && b->ids)
		return MT_OK;
	batches_free(b);
	return mt_error_set(MT_E_MEMORY, "no memory for batches of %lld sentences", (long long)size);
}

void batches_free(struct batches *b) {
	free(b->order);
	free(b->turn);
	free(b->ids);
	memset(b, 0, sizeof *b);
}

/* ---- the plan --------------------------------------------------------------------------------------------------- */

/* Sorts order[0 … n − 1] by length, the longest first, stable: a counting sort into sorted. */
static void sort_by_length(const struct corpus *c, uint32_t *order, int64_t n, uint32_t *sorted) {
	int64_t begin[SENTENCE_WORDS + 2] = {0};
	for (int64_t i = 0; i < n; i++)
		begin[SENTENCE_WORDS - c->sentences[order[i]].length + 1]++;
	for (int i = 0; i <= SENTENCE_WORDS; i++)
		begin[i + 1] += begin[i];
	for (int64_t i = 0; i < n; i++)
		sorted[begin[SENTENCE_WORDS - c->sentences[order[i]].length]++] = order[i];
	memcpy(order, sorted, (size_t)n * sizeof *order);
}

static mt_status shuffle(struct batches *b, uint64_t seed, int64_t epoch) {
	mt_status status = mt_epoch_order(seed, epoch, b->n, b->order);
	if (status == MT_OK)
		status = mt_epoch_order(seed, epoch, batches_count(b), b->turn);
	for (int64_t i = 0; status == MT_OK && i < b->n; i++)
		b->order[i] = b->members[b->order[i]];
	return status;
}

mt_status batches_plan(struct batches *b, uint64_t seed, int64_t epoch) {
	int64_t run = epoch > 0 ? RUN * b->size : b->n;
	uint32_t *sorted = malloc((size_t)b->n * sizeof *sorted);
	if (sorted == NULL)
		return mt_error_set(MT_E_MEMORY, "no memory for the order of %lld sentences", (long long)b->n);
	mt_status status = MT_OK;
	if (epoch > 0) {
		status = shuffle(b, seed, epoch);
	} else {
		memcpy(b->order, b->members, (size_t)b->n * sizeof *b->order);
		for (int64_t i = 0; i < batches_count(b); i++)
			b->turn[i] = (uint32_t)i;
	}
	for (int64_t i = 0; status == MT_OK && i < b->n; i += run)
		sort_by_length(b->corpus, b->order + i, run < b->n - i ? run : b->n - i, sorted);
	free(sorted);
	return status;
}

/* ---- a batch ---------------------------------------------------------------------------------------------------- */

const uint32_t *batches_sentences(const struct batches *b, int64_t i, int64_t *n) {
	int64_t first = (int64_t)b->turn[i] * b->size;
	*n = b->size < b->n - first ? b->size : b->n - first;
	return b->order + first;
}

mt_status batches_get(struct batches *b, int64_t i, mt_tensor **ids, mt_tensor **labels) {
	const struct corpus *c = b->corpus;
	int64_t n, longest = 1;
	const uint32_t *members = batches_sentences(b, i, &n);
	int64_t *label = malloc((size_t)n * sizeof *label);
	if (label == NULL)
		return mt_error_set(MT_E_MEMORY, "no memory for a batch");
	for (int64_t k = 0; k < n; k++) {
		const struct sentence *s = &c->sentences[members[k]];
		longest = s->length > longest ? s->length : longest;
		label[k] = s->label;
	}
	for (int64_t k = 0; k < n; k++) {
		const struct sentence *s = &c->sentences[members[k]];
		for (int64_t t = 0; t < longest; t++)
			b->ids[k * longest + t] = t < s->length ? c->ids[s->first + t] : PADDING_ID;
	}
	*ids = mt_from_data(MT_SHAPE(n, longest), MT_I32, b->ids);
	*labels = mt_from_data(MT_SHAPE(n), MT_I64, label);
	free(label);
	return *ids && *labels ? MT_OK : mt_error_peek();
}
