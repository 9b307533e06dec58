/* train_sentiment's command line. */
#ifndef APPS_TRAIN_SENTIMENT_OPTIONS_H
#define APPS_TRAIN_SENTIMENT_OPTIONS_H

#include "training/training.h"

struct options {
	const char *data, *pos, *neg,
		*embeddings;            /* data: a file, "generated" or "auto"; the others NULL where not given */
	const char *load, *predict; /* NULL where not given */
	int64_t embedding, filters, min_count;
	int64_t epochs, patience, batch;
	int64_t train, valid, test; /* 0 where not given */
	double dropout, word_dropout, lr, weight_decay;
	int freeze;
	uint64_t seed;
	struct training_options training;
};

extern const struct cli train_sentiment_cli;

/* The options that decide what is computed: a checkpoint holds them.  Ends with NULL. */
extern const char *const train_sentiment_settings[];

/* As cli_parse; what was not given gets the checkpoint's values with --resume. */
int options_parse(struct options *o, int argc, char **argv);

#endif
