/* What the parts of the trainer share. */
#ifndef APPS_TRAIN_SENTIMENT_TRAINER_STATE_H
#define APPS_TRAIN_SENTIMENT_TRAINER_STATE_H

#include "train_sentiment/trainer.h"

enum { MAX_PENDING = 32 };

/* Losses and numbers of right answers that the device may still be computing: on an asynchronous device they are read
 * together, so that the queue does not run dry at every step. */
struct pending {
	mt_tensor *loss[MAX_PENDING], *right[MAX_PENDING];
	int n, limit;
	int64_t step; /* of loss[0] */
};

struct trainer {
	struct run *run;
	struct batches batches;
	mt_optim *optim;
	mt_schedule schedule;
	mt_module *best; /* the best weights so far */
	struct pending pending;
	struct course course;
	mt_tensor *course_tensor; /* the same, brought up to date for a checkpoint */
	struct extras extras;
	int64_t epoch;    /* from 1 */
	int64_t begun_at; /* steps taken when this process began */
	double begun;     /* when this epoch's training began */
};

/* Every parameter of from into to, which has the same ones. */
mt_status trainer_copy_weights(mt_module *to, const mt_module *from);

/* Writes the checkpoint, if one is asked for. */
mt_status trainer_save(struct trainer *t);

#endif
