/* A run of training. */
#ifndef APPS_TRAIN_SENTIMENT_TRAINER_H
#define APPS_TRAIN_SENTIMENT_TRAINER_H

#include "train_sentiment/batches.h"
#include "train_sentiment/checkpoint.h"
#include "train_sentiment/dataset.h"
#include "train_sentiment/evaluate.h"

struct run {
	const struct options *options;
	const struct dataset *data;
	mt_module *model;
	struct progress progress;
	struct metrics metrics;
	int64_t steps;              /* taken, with those before a resume */
	int64_t sentences;          /* trained on by this process */
	double seconds;             /* spent training: no evaluation, no loading */
	int interrupted;            /* SIGINT ended training early */
	struct result valid, test;  /* of the best weights */
	int64_t best_epoch, epochs; /* whose weights are the best; epochs behind */
};

struct trainer;

/* r->model with start weights, and all else that training needs; with --resume all is as the checkpoint has it.  NULL with
 * the error set. */
struct trainer *trainer_new(struct run *r);
void trainer_free(struct trainer *t);

/* Trains until the epochs asked for are over, or patience is; scores the validation sentences after each and keeps the
 * best weights, which are scored on the test sentences at the end, unless interrupted.  Writes the checkpoints asked for.
 * MT_OK, or a status with the error set. */
mt_status trainer_run(struct trainer *t);

#endif
