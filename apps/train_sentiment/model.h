/* Kim's network ("Convolutional Neural Networks for Sentence Classification", 2014). */
#ifndef APPS_TRAIN_SENTIMENT_MODEL_H
#define APPS_TRAIN_SENTIMENT_MODEL_H

#include "mt/mt.h"

struct model_size {
	int64_t words, embedding, filters; /* filters: of each width */
	double dropout;
};

/* Numbers of words [N, T], i32 or i64, each row filled up with 0 -> logits [N, 2].
 *     x = embedding [words, E], row 0 is 0
 *     for w = 3, 4, 5:  y = conv{w}, E to F, over the sentence with w − 1 zero words on both sides: every window that
 *                       holds one of its words, so that a sentence of one word has w of them
 *                       s = ReLU(max over time of y)
 *     logits = linear(dropout(s₃, s₄, s₅ side by side))
 * Windows beyond a sentence's end count as −∞: its logits do not depend on the rest of the batch.
 * Children: embedding, conv3, conv4, conv5, linear. */
mt_module *model_new(struct model_size size);

#endif
