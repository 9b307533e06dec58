/* Where the sentences come from, and how they are split. */
#include "train_sentiment/dataset.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GENERATED = 3000 };

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* The movie reviews in $MT_DATA_DIR, where both files are there. */
static int find_mr(char pos[1024], char neg[1024]) {
	const char *data = getenv("MT_DATA_DIR");
	if (data == NULL || data[0] == '\0')
		return 0;
	snprintf(pos, 1024, "%s/mr/rt-polarity.pos", data);
	snprintf(neg, 1024, "%s/mr/rt-polarity.neg", data);
	return access(pos, R_OK) == 0 && access(neg, R_OK) == 0;
}

static mt_status read_pair(struct dataset *d, const char *pos, const char *neg) {
	snprintf(d->corpus.source, sizeof d->corpus.source, "%s and %s", pos, neg);
	mt_status status = corpus_read_lines(&d->corpus, pos, 1);
	return status == MT_OK ? corpus_read_lines(&d->corpus, neg, 0) : status;
}

static mt_status generate(struct dataset *d, const struct options *o) {
	snprintf(d->corpus.source, sizeof d->corpus.source, "generated sentences");
	return corpus_generate(&d->corpus, GENERATED, o->seed);
}

static mt_status read_corpus(struct dataset *d, const struct options *o) {
	char pos[1024], neg[1024];
	if (o->pos != NULL)
		return read_pair(d, o->pos, o->neg);
	if (strcmp(o->data, "generated") == 0)
		return generate(d, o);
	if (strcmp(o->data, "auto") != 0) {
		snprintf(d->corpus.source, sizeof d->corpus.source, "%s", o->data);
		return corpus_read_tsv(&d->corpus, o->data);
	}
	if (find_mr(pos, neg))
		return read_pair(d, pos, neg);
	d->fell_back = 1;
	return generate(d, o);
}

/* ---- splitting -------------------------------------------------------------------------------------------------- */

/* A permutation by the seed: the test sentences come first, then those to validate, then those to train on, so that
 * --train N takes some away without moving the others. */
static int split(struct dataset *d, const struct options *o) {
	int64_t n = d->corpus.n;
	d->n_test = o->test > 0 ? o->test : n / 10;
	d->n_valid = o->valid > 0 ? o->valid : n / 10;
	int64_t left = n - d->n_test - d->n_valid;
	d->n_train = o->train > 0 ? o->train : left;
	if (d->n_test < 1 || d->n_valid < 1 || d->n_train < 1 || d->n_train > left)
		return cli_fail(&train_sentiment_cli, EXIT_FAILURE,
		                "%s: %" PRId64 " sentences are too few for --train %" PRId64 " --valid %" PRId64
		                " --test %" PRId64,
		                d->corpus.source, n, d->n_train, d->n_valid, d->n_test);
	d->order = malloc((size_t)n * sizeof *d->order);
	if (d->order == NULL || mt_epoch_order(o->seed, 0, n, d->order) != MT_OK)
		return cli_fail(&train_sentiment_cli, EXIT_FAILURE, "no memory for the order of %" PRId64 " sentences", n);
	d->test = d->order;
	d->valid = d->order + d->n_test;
	d->train = d->valid + d->n_valid;
	return 0;
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

static mt_status number_words(struct dataset *d, const struct options *o) {
	struct vectors *read = &d->vectors;
	mt_status status = MT_OK;
	if (o->embeddings != NULL)
		status = vectors_read(read, o->embeddings, &d->corpus.words);
	if (status == MT_OK)
		status = vocabulary_build(&d->vocabulary, &d->corpus, d->train, d->n_train, o->min_count, read->has);
	if (status == MT_OK && o->embeddings != NULL)
		status = vectors_renumber(read, &d->corpus.words, &d->vocabulary);
	return status == MT_OK ? vocabulary_apply(&d->vocabulary, &d->corpus) : status;
}

/* FNV-1a over the vocabulary and the sentences: what a checkpoint was trained on. */
static uint64_t add_bytes(uint64_t h, const void *data, size_t bytes) {
	const unsigned char *c = data;
	for (size_t i = 0; i < bytes; i++)
		h = (h ^ c[i]) * 0x100000001b3;
	return h;
}

static void take_fingerprint(struct dataset *d) {
	uint64_t h = add_bytes(0xcbf29ce484222325, d->vocabulary.text, d->vocabulary.bytes);
	h = add_bytes(h, d->corpus.ids, (size_t)d->corpus.n_ids * sizeof *d->corpus.ids);
	for (int64_t i = 0; i < d->corpus.n; i++) {
		int32_t s[2] = {d->corpus.sentences[i].length, d->corpus.sentences[i].label};
		h = add_bytes(h, s, sizeof s);
	}
	d->fingerprint = (int64_t)h;
}

static int fail_reading(const struct options *o) {
	const char *option = o->pos ? "--pos, --neg" : "--data";
	return cli_fail(&train_sentiment_cli, EXIT_FAILURE, "%s: %s", option, mt_error_take(NULL));
}

int dataset_load(struct dataset *d, const struct options *o) {
	memset(d, 0, sizeof *d);
	if (read_corpus(d, o) != MT_OK)
		return fail_reading(o);
	int status = split(d, o);
	if (status != 0)
		return status;
	if (number_words(d, o) != MT_OK)
		return cli_fail(&train_sentiment_cli, EXIT_FAILURE, "%s%s", o->embeddings ? "--embeddings: " : "",
		                mt_error_take(NULL));
	take_fingerprint(d);
	return 0;
}

void dataset_free(struct dataset *d) {
	corpus_free(&d->corpus);
	lexicon_free(&d->vocabulary);
	vectors_free(&d->vectors);
	free(d->order);
}
