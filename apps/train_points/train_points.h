/* train_points's parts. */
#ifndef APPS_TRAIN_POINTS_H
#define APPS_TRAIN_POINTS_H

#include <stdint.h>

#include "cli.h"
#include "mt/mt.h"
#include "training/training.h"

/* ---- options ---------------------------------------------------------------------------------------------------- */

enum optimizer { OPTIMIZER_ADAM, OPTIMIZER_SGD };
enum schedule { SCHEDULE_LINEAR, SCHEDULE_CONSTANT };

struct options {
	int dataset; /* enum mt_points_kind */
	int64_t points, hidden, epochs, batch;
	double rate;             /* −1 where not given */
	int optimizer, schedule; /* enums above */
	uint64_t seed;
	int until_correct;
	const char *svg, *html; /* NULL where not given */
	struct training_options training;
};

extern const struct cli train_points_cli;
extern const char *const train_points_settings[]; /* options that travel in a checkpoint; ends with NULL */
extern const char *const optimizer_names[], *const schedule_names[];

/* As cli_parse; with --resume the checkpoint's settings are taken. */
int options_parse(struct options *o, int argc, char **argv);

/* ---- data ------------------------------------------------------------------------------------------------------- */

struct points {
	int64_t n;
	mt_host_array xy, labels; /* f32 [n, 2], u8 [n] */
	double low, high;         /* pictures show [low, high]²: the unit square, or more where points lie outside */
	int64_t shown_every;      /* pictures show every so-manieth point, 1000 at most */
};

/* 0, or the exit status after a message. */
int points_make(struct points *p, const struct options *o);
void points_free(struct points *p);

static inline double points_at(const struct points *p, int64_t i, int axis) {
	return ((const float *)p->xy.data)[2 * i + axis];
}

static inline int points_label(const struct points *p, int64_t i) {
	return ((const uint8_t *)p->labels.data)[i];
}

/* ---- the network ------------------------------------------------------------------------------------------------ */

enum { N_PARAMETERS = 6 };

/* 2 → hidden → hidden → 1 with ReLU between: a logit, whose sigmoid is the probability of class 1.  NULL on failure. */
mt_module *net_build(int64_t hidden);
mt_optim *net_optim(mt_module *net, const struct options *o);

struct score {
	double loss; /* mean binary cross entropy over all points */
	int64_t correct;
};

/* Scores all points. */
mt_status net_score(mt_module *net, const struct points *p, struct score *out);

/* The probability of class 1 at the centres of side × side cells of [low, high]², as a byte (0: 0, 255: 1), rows from
 * the top: bytes[row · side + column].  128 and more is class 1. */
mt_status net_map(mt_module *net, const struct points *p, int side, uint8_t *bytes);

/* ---- what the pictures show ------------------------------------------------------------------------------------- */

enum { SNAPSHOT_SIDE = 64, MAX_SNAPSHOTS = 62 };

struct snapshot {
	int64_t epoch, correct;
	double loss;
	uint8_t cells[SNAPSHOT_SIDE * SNAPSHOT_SIDE]; /* net_map's */
};

struct history {
	int64_t first; /* epochs behind when this process began: entry i is of epoch first + i + 1 */
	int64_t n, capacity;
	double *loss; /* mean over the epoch's samples */
	int64_t *correct;
	int64_t every; /* epochs between snapshots; 0: none wanted */
	int n_snapshots;
	struct snapshot *snapshots;
};

/* For the epochs from first to last. */
mt_status history_begin(struct history *h, int64_t first, int64_t last, int want_snapshots);
void history_add(struct history *h, double loss, int64_t correct);
void history_free(struct history *h);

/* ---- training --------------------------------------------------------------------------------------------------- */

struct run {
	const struct options *options;
	const struct points *points;
	mt_module *net;
	mt_optim *optim;
	int64_t epoch, step; /* whole epochs behind, steps taken in all */
	double epoch_sum;    /* loss · samples, over this epoch's steps so far */
	double loss;         /* of the last whole epoch; NaN before the first */
	struct score score;  /* after the last whole epoch */
	double seconds;      /* spent training by this process: no evaluation, no pictures, no files */
	int64_t trained;     /* steps of this process */
	struct history history;
	struct metrics metrics;
	struct progress progress;
};

/* Steps in an epoch. */
int64_t run_batches(const struct run *r);
double run_seconds_per_epoch(const struct run *r);

/* Trains to the last epoch, to all points correct where that is asked for, or to an interrupt. */
mt_status run_train(struct run *r);

/* Reads a checkpoint into the run. */
mt_status run_load(struct run *r, const char *path);
mt_status run_save(const struct run *r, const char *path);

/* ---- pictures --------------------------------------------------------------------------------------------------- */

/* Decision regions, points and the loss curve, as an SVG file. */
mt_status picture_svg(const struct run *r, const char *path);
/* The same with a slider over the epochs, as a page that needs nothing else. */
mt_status picture_html(const struct run *r, const char *path);
/* "spiral: 50 points, network 2-100-100-1, adam, rate 0.01 falling, seed 1" */
void picture_title(const struct run *r, char *text, size_t size);

#endif
