/* train_mnist's parts. */
#ifndef APPS_TRAIN_MNIST_H
#define APPS_TRAIN_MNIST_H

#include <stdint.h>

#include "train_mnist/html.h"
#include "training/training.h"

/* ---- options ---------------------------------------------------------------------------------------------------- */

enum optimizer { OPTIMIZER_SGD, OPTIMIZER_ADAM, OPTIMIZER_ADAMW, OPTIMIZER_DEFAULT };

struct options {
	int model;                           /* index of the models' table */
	int64_t epochs, batch, train, valid; /* batch, train: 0 where not given */
	double lr, to;                       /* −1 where not given */
	int optimizer;                       /* enum optimizer */
	const char *data;
	uint64_t seed;
	struct cli_list predict;
	const char *load, *labels; /* with predict; labels: NULL where not given */
	const char *html;          /* NULL where not given */
	struct training_options training;
};

extern const struct cli train_mnist_cli;

/* The options that decide what is computed: a checkpoint holds them.  Ends with NULL. */
extern const char *const train_mnist_settings[];

/* As cli_parse; what was not given gets the checkpoint's values with --resume, else the model's defaults.  With --predict
 * the model is the file's of --load. */
int options_parse(struct options *o, int argc, char **argv);

/* ---- models ----------------------------------------------------------------------------------------------------- */

struct model {
	const char *name;
	mt_module *(*build)(void);                                 /* NULL on failure */
	mt_tensor *(*loss)(mt_tensor *output, mt_tensor *target);  /* trained on */
	mt_tensor *(*score)(mt_tensor *output, mt_tensor *target); /* reported by evaluations: mean of −ln p */
	int is_minitorch; /* pixels 0 to 255, plain descent with a falling rate, MiniTorch's split; see docs/training.md */
	int optimizer;    /* defaults, from here */
	int64_t batch;
	double lr[3];          /* by enum optimizer */
	int64_t train;         /* images, where there are as many; 0: all */
	double beta2;          /* of Adam and AdamW; 0: theirs */
	const char *frozen[3]; /* children that stay as they are from this share of the steps on; the last is NULL */
	double frozen_from;
	int shifts; /* scores are of the mean output over the image and the four that are shifted by a pixel */
};

extern const struct model models[];
extern const char *const model_names[]; /* ends with NULL */

/* ---- data ------------------------------------------------------------------------------------------------------- */

struct dataset {
	mt_host_array train_images, train_labels, test_images, test_labels;
	char source[1024];                     /* "MNIST in DIR" or "synthetic digits" */
	int fell_back;                         /* auto found no MNIST */
	int64_t n_train, valid_first, n_valid; /* training images are 0 … n_train − 1 */
};

/* Loads what o->data says and splits it.  0, or the exit status after a message. */
int dataset_load(struct dataset *d, const struct options *o);
void dataset_free(struct dataset *d);

/* ---- training --------------------------------------------------------------------------------------------------- */

struct result {
	double accuracy, loss;
};

struct run {
	const struct options *options;
	const struct model *model;
	const struct dataset *data;
	mt_module *net;
	struct progress progress;
	struct metrics metrics;
	int64_t steps;   /* taken, with those before a resume */
	int64_t epoch;   /* the last one trained, from 1 */
	int64_t images;  /* trained on by this process */
	double seconds;  /* spent training: no evaluation, no loading */
	int interrupted; /* SIGINT ended training early */
	int reached;     /* with --to: the accuracy asked for; it ended training */
	int64_t tested;  /* steps taken when test was scored; −1: it has not been */
	struct result valid, test;
	struct history *history; /* NULL without --html */
};

/* Scores n images from first on, outside the graph and without dropout. */
mt_status evaluate(const struct run *r, const mt_host_array *images, const mt_host_array *labels, int64_t first,
                   int64_t n, struct result *out);

enum { DIGITS = 10 };

/* log_probs[i][d] = ln p of digit d for image i of images, u8 [n, 28, 28] with n ≥ 1. */
mt_status classify(mt_module *net, const struct model *m, const mt_host_array *images, float (*log_probs)[DIGITS]);

/* How the model wants its pixels. */
mt_loader_options loader_options(const struct model *m);

/* Optimiser, batches and schedule for r->net; with --resume all is as the checkpoint has it.  NULL with the error set. */
struct trainer *trainer_new(struct run *r);
void trainer_free(struct trainer *t);

/* Trains for the epochs asked for, scores the validation images after each, writes the checkpoints asked for, and scores
 * the test images at the end, unless interrupted.  With --to the score after an epoch, of the test images where there are
 * none to validate, may end it.  MT_OK, or a status with the error set. */
mt_status trainer_run(struct trainer *t);

/* Writes the page of a run that is over, to o->html.  MT_OK, or a status with the error set. */
mt_status page_of_run(const struct run *r);

/* ---- predictions ------------------------------------------------------------------------------------------------ */

/* What a row of ln p says; of equal ones the lower digit comes first, as in argmax. */
struct prediction {
	int digit, second;
	double p, p_second;
};

struct prediction prediction_of(const float log_probs[DIGITS]);

/* Labels the pictures and IDX files of o->predict with the weights of o->load, a line each on stdout.
 * 0, or the exit status after a message. */
int predict(const struct options *o);

#endif
