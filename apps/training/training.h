/* What the training programs share: common options, device, interrupts, checkpoints, logs, progress.
 * Functions that return int give 0, or the exit status after a message on stderr, unless they say otherwise. */
#ifndef APPS_TRAINING_H
#define APPS_TRAINING_H

#include <stdint.h>
#include <stdio.h>

#include "cli.h"
#include "mt/mt.h"

/* ---- options ---------------------------------------------------------------------------------------------------- */

struct training_options {
	const char *backend, *save, *resume, *log, *tensorboard; /* NULL where not given */
	int64_t threads, save_every;                             /* 0 where not given */
	int quiet;
};

/* Rows of a program's option table; o is its struct training_options. */
#define TRAINING_OPTIONS(o)                                                                                              \
	{"backend",                                                                                                          \
	 CLI_TEXT,                                                                                                           \
	 &(o).backend,                                                                                                       \
	 "NAME",                                                                                                             \
	 "device to run on, omp:threads=2 say (default: MT_BACKEND, or the best)",                                           \
	 0,                                                                                                                  \
	 0,                                                                                                                  \
	 NULL},                                                                                                              \
		{"threads", CLI_COUNT, &(o).threads, "N", "threads of the device (default: what the backend takes)",             \
	     1,         1024,      NULL},                                                                                    \
		{"save", CLI_TEXT, &(o).save, "FILE", "write a checkpoint (safetensors) after each epoch and at the end",        \
	     0,      0,        NULL},                                                                                        \
		{"save-every", CLI_COUNT, &(o).save_every, "N", "and after every N steps", 1, 1000000000, NULL},                 \
		{"resume", CLI_TEXT, &(o).resume, "FILE", "go on from a checkpoint of this program", 0, 0, NULL},                \
		{"log", CLI_TEXT, &(o).log, "FILE", "write every step and evaluation as JSON Lines", 0, 0, NULL},                \
		{"tensorboard", CLI_TEXT, &(o).tensorboard, "DIR", "write the same as event files for TensorBoard", 0, 0, NULL}, \
	{                                                                                                                    \
		"quiet", CLI_FLAG, &(o).quiet, NULL, "print the results only", 0, 0, NULL                                        \
	}

/* Makes the device that backend and threads ask for current. */
int training_use_device(const struct cli *cli, const struct training_options *o);

/* Before an hour of training: whether the folder of path (NULL: fine) can take the file; option is named in messages. */
int training_check_path(const struct cli *cli, const char *option, const char *path);

/* ---- interrupts: the first SIGINT ends training after its step, the second one kills ------------------------------ */

enum { TRAINING_INTERRUPTED = 130 }; /* the exit status then */

void training_catch_interrupts(void);
int training_interrupted(void);

/* ---- checkpoints -------------------------------------------------------------------------------------------------- */

/* A training run as a checkpoint holds it.  settings name the options that decide what is computed (model, batch, seed …);
 * their values travel in the checkpoint. */
struct training_state {
	const struct cli *cli;
	const char *const *settings; /* names of options, ends with NULL */
	mt_module *module;
	mt_optim *optim;
	int64_t epoch, step; /* whole epochs behind, steps taken in all */
	int64_t n_extra;     /* further tensors, saved as they are and written in place by training_load */
	const char *const *extra_names;
	mt_tensor *const *extra;
};

/* With --resume, after cli_parse: gives every setting that argv does not give the checkpoint's value; one that argv gives
 * otherwise is refused.  may_grow (may be NULL) names the one count that may be given greater: "epochs". */
int training_take_settings(const struct cli *cli, const char *path, const char *const *settings, const char *may_grow,
                           int argc, char **argv);

/* Writes the checkpoint, whole or not at all.  MT_OK, or a status with the error set. */
mt_status training_save(const struct training_state *s, const char *path);

/* Reads module, optim, extra, epoch, step and the random generator's state. */
mt_status training_load(struct training_state *s, const char *path);

/* ---- logs: JSON Lines and TensorBoard ----------------------------------------------------------------------------- */

struct metrics {
	FILE *log; /* NULL without --log */
	const char *log_path, *tensorboard;
	mt_event_log *events; /* NULL without --tensorboard */
};

/* Opens what o asks for; with o->resume both are gone on with, from step on: the log's later lines, which a killed run
 * wrote after its last checkpoint, are dropped. */
int metrics_open(struct metrics *m, const struct cli *cli, const struct training_options *o, int64_t step);
/* {"step": …, "epoch": …, "loss": …}; TensorBoard: train/loss.  MT_OK, or MT_E_IO with the error set. */
mt_status metrics_step(struct metrics *m, int64_t step, int64_t epoch, double loss);
/* {"step": …, "epoch": …, "split": …, "accuracy": …, "loss": …}; TensorBoard: SPLIT/accuracy, SPLIT/loss. */
mt_status metrics_evaluation(struct metrics *m, int64_t step, int64_t epoch, const char *split, double accuracy,
                             double loss);
/* Makes what is written so far last: called before each checkpoint. */
mt_status metrics_flush(struct metrics *m);
int metrics_close(struct metrics *m, const struct cli *cli);

/* ---- progress: a bar on a terminal, lines elsewhere --------------------------------------------------------------- */

struct progress {
	int bar, quiet;
	int64_t total_steps, epochs;
	const char *unit; /* "images" */
	double shown;     /* when the bar was last drawn */
};

void progress_begin(struct progress *p, int64_t total_steps, int64_t epochs, const char *unit, int quiet);
/* rate: units a second; seconds: so far, for steps steps of this process. */
void progress_step(struct progress *p, int64_t step, int64_t epoch, double loss, double rate, double seconds,
                   int64_t steps);
/* Wipes the bar: before a line is printed. */
void progress_wipe(const struct progress *p);
/* A line on stdout, unless quiet. */
void progress_line(const struct progress *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

double training_now(void); /* seconds on a steady clock */

#endif
