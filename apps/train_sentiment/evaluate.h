/* Scoring a model on sentences. */
#ifndef APPS_TRAIN_SENTIMENT_EVALUATE_H
#define APPS_TRAIN_SENTIMENT_EVALUATE_H

#include "train_sentiment/batches.h"

enum { EVALUATION_BATCH = 256 };

struct result {
	double accuracy, loss; /* in percent; the mean of −ln p(label) */
};

/* Scores the members of corpus (as batches_new takes them), outside the graph and without dropout. */
mt_status evaluate(mt_module *model, const struct corpus *corpus, const uint32_t *members, int64_t n,
                   struct result *out);

/* probability[i] of class 1 for every sentence i of corpus. */
mt_status predict(mt_module *model, const struct corpus *corpus, float *probability);

#endif
