/* Kim's network. */
#include "train_sentiment/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train_sentiment/corpus.h"
#include "train_sentiment/vocabulary.h"

enum { WIDTHS = 3, NARROWEST = 3 };

static const char *const conv_names[WIDTHS] = {"conv3", "conv4", "conv5"};

/* ---- forward ---------------------------------------------------------------------------------------------------- */

/* [N, 1, T]: 0 where there is a word, −∞ where there is padding. */
static mt_tensor *padding_mask(mt_tensor *ids) {
	mt_tensor *padding = mt_zip_scalar(MT_ZIP_EQ, ids, mt_i(PADDING_ID));
	mt_tensor *mask = mt_zeros(mt_tensor_rank(ids), mt_tensor_shape(ids), MT_F32);
	return mt_unsqueeze(mt_masked_fill(mask, padding, mt_f(-INFINITY)), 1);
}

/* x: [N, E, T]  mask: [N, 1, T]  ->  [N, F].  Window o ends at word o: it has words where its first one, o − (w − 1), is a
 * word or lies before the sentence.  ReLU commutes with the maximum, and is cheaper after it. */
static mt_tensor *strongest(mt_module *conv, int width, mt_tensor *x, mt_tensor *mask) {
	mt_tensor *y = mt_forward(conv, x);
	mt_tensor *outside = mt_pad(mask, 1, (const int64_t[]){width - 1, 0}, MT_PAD_CONSTANT, mt_f(0));
	return mt_relu(mt_max_dim(mt_add(y, outside), 2, 0, NULL));
}

static mt_tensor *forward(mt_module *m, mt_tensor *ids, void *context) {
	(void)context;
	mt_tensor *features[WIDTHS];
	mt_tensor *mask = padding_mask(ids);
	mt_tensor *x = mt_transpose(mt_forward(mt_module_child(m, "embedding"), ids), 1, 2);
	for (int i = 0; i < WIDTHS; i++)
		features[i] = strongest(mt_module_child(m, conv_names[i]), NARROWEST + i, x, mask);
	mt_tensor *joined = mt_forward(mt_module_child(m, "dropout"), mt_cat(features, WIDTHS, 1));
	return mt_forward(mt_module_child(m, "linear"), joined);
}

static const mt_module_class sentence_cnn = {"SentenceCNN", forward, NULL, NULL};

/* ---- construction ----------------------------------------------------------------------------------------------- */

/* Kim's start of words that he has no vectors for; the padding stays 0. */
static mt_module *new_embedding(struct model_size size) {
	mt_module *embedding = mt_nn_embedding(size.words, size.embedding, PADDING_ID);
	mt_scope *scope = mt_scope_begin();
	mt_tensor *weight = embedding ? mt_module_get(embedding, "weight") : NULL;
	int was = mt_grad_enable(0);
	mt_tensor *start = mt_init_uniform(weight, -0.25, 0.25);
	int ok = start != NULL && mt_zero_(mt_narrow(weight, 0, PADDING_ID, 1)) != NULL;
	mt_grad_enable(was);
	mt_scope_end(scope);
	if (ok)
		return embedding;
	mt_module_free(embedding);
	return NULL;
}

/* The parts are made one after another, so that a seed gives the same weights under every compiler. */
static int add(mt_module *m, const char *name, mt_module *part) {
	return mt_module_add_child(m, name, part) == MT_OK;
}

mt_module *model_new(struct model_size size) {
	mt_module *m = mt_module_new(&sentence_cnn, NULL);
	int ok = m != NULL && add(m, "embedding", new_embedding(size));
	for (int i = 0; ok && i < WIDTHS; i++) {
		int width = NARROWEST + i;
		mt_conv_options around = {.padding = {width - 1}};
		ok = add(m, conv_names[i], mt_nn_conv1d(size.embedding, size.filters, width, 1, around));
	}
	ok = ok && add(m, "dropout", mt_nn_dropout(size.dropout)) &&
	     add(m, "linear", mt_nn_linear(WIDTHS * size.filters, CLASSES, 1));
	if (ok)
		return m;
	mt_module_free(m);
	return NULL;
}
