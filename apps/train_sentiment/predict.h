/* Labels for new sentences. */
#ifndef APPS_TRAIN_SENTIMENT_PREDICT_H
#define APPS_TRAIN_SENTIMENT_PREDICT_H

#include "train_sentiment/options.h"

/* Prints, for each line of o->predict, what the best weights in o->load say: LABEL TAB P TAB LINE, with P the probability
 * of the label.  0, or the exit status after a message. */
int predict_file(const struct options *o);

#endif
