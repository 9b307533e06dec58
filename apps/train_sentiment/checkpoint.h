/* train_sentiment's checkpoints: what training needs beside model and optimiser, and models read back from them. */
#ifndef APPS_TRAIN_SENTIMENT_CHECKPOINT_H
#define APPS_TRAIN_SENTIMENT_CHECKPOINT_H

#include "train_sentiment/lexicon.h"

#include "training/training.h"

enum { MAX_EXTRA = 32 };

/* Further tensors of a checkpoint, with their names.  Zero-initialised: none. */
struct extras {
	mt_tensor *tensor[MAX_EXTRA]; /* references of one's own */
	const char *names[MAX_EXTRA];
	char name[MAX_EXTRA][64];
	int64_t n;
};

/* Adds t (NULL: a failure, passed on) under name; in place from then on. */
mt_status extras_add(struct extras *e, const char *name, mt_tensor *t);
/* Adds every parameter of module, as PREFIX and its name. */
mt_status extras_add_module(struct extras *e, const char *prefix, mt_module *module);
void extras_free(struct extras *e);

/* Names in the checkpoint. */
#define VOCABULARY_NAME "vocabulary"   /* u8: the words, each with a newline behind it */
#define FINGERPRINT_NAME "fingerprint" /* i64: of the sentences */
#define COURSE_NAME "course"           /* f64: struct course */
#define BEST_PREFIX "best."            /* and a parameter's name: the weights with the best validation */

/* Numbers that decide how training goes on, in this order. */
struct course {
	double loss, right;                          /* sums over this epoch so far */
	double scored;                               /* epochs whose validation is behind */
	double best_accuracy, best_loss, best_epoch; /* best_epoch 0: nothing was scored yet */
};

/* MT_OK where the checkpoint at path was trained on sentences of this fingerprint; else MT_E_STATE. */
mt_status checkpoint_check_data(const char *path, int64_t fingerprint);

/* The model with the best weights of a checkpoint, on the current device, and its vocabulary (given empty).  NULL with the
 * error set, which begins with path. */
mt_module *checkpoint_model(const char *path, struct lexicon *vocabulary);

#endif
