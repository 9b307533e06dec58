/* train_mnist's parts. */
#ifndef APPS_TRAIN_MNIST_H
#define APPS_TRAIN_MNIST_H

#include <stdint.h>
#include <stdio.h>

#include "cli.h"
#include "mt/mt.h"

/* ---- options ---------------------------------------------------------------------------------------------------- */

enum optimizer { OPTIMIZER_SGD, OPTIMIZER_ADAM, OPTIMIZER_ADAMW, OPTIMIZER_DEFAULT };

struct options {
	int model;                               /* index of the models' table */
	int64_t epochs, batch, train, valid;     /* batch, train: 0 where not given */
	double lr;                               /* −1 where not given */
	int optimizer;                           /* enum optimizer */
	const char *data, *backend, *save, *log; /* backend, save, log: NULL where not given */
	uint64_t seed;
	int quiet;
};

extern const struct cli train_mnist_cli;

/* As cli_parse; what was not given gets the model's defaults. */
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
	double lr[3]; /* by enum optimizer */
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

/* ---- reports ---------------------------------------------------------------------------------------------------- */

struct report {
	FILE *log; /* JSON Lines; NULL without --log */
	const char *log_path;
	int bar; /* a terminal wants a progress bar */
	int quiet;
	int64_t total_steps, epochs;
	double shown; /* when the bar was last drawn */
};

/* Opens the log.  0, or the exit status after a message. */
int report_open(struct report *r, const struct options *o, int64_t total_steps);
/* One step; images/s and time left are of training so far.  0, or −1 where the log cannot be written. */
int report_step(struct report *r, int64_t step, int64_t epoch, double loss, double rate, double seconds);
/* An epoch's end: a line where there is no bar. */
void report_epoch(struct report *r, int64_t epoch, double loss, double rate);
/* A log entry for an evaluation. */
int report_evaluation(struct report *r, int64_t step, int64_t epoch, const char *split, double accuracy, double loss);
void report_line(const struct report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Flushes and closes the log.  0, or the exit status after a message. */
int report_close(struct report *r);

double now(void); /* seconds on a steady clock */

/* ---- training --------------------------------------------------------------------------------------------------- */

struct result {
	double accuracy, loss;
};

struct run {
	const struct options *options;
	const struct model *model;
	const struct dataset *data;
	mt_module *net;
	struct report report;
	int64_t steps;  /* taken */
	int64_t images; /* trained on */
	double seconds; /* spent training: no evaluation, no loading */
	struct result valid, test;
};

/* Trains for the epochs asked for, scores the validation images after each, and the test images at the end.
 * MT_OK, or a status with the error set. */
mt_status train(struct run *r);

#endif
