/* The report of a run as a page (--html): made from plain arrays. */
#ifndef APPS_TRAIN_MNIST_HTML_H
#define APPS_TRAIN_MNIST_HTML_H

#include <stdint.h>

#include "mt/status.h"

enum { HTML_DIGITS = 10, HTML_WORST = 40, HTML_CURVE_POINTS = 200 };

/* ---- how training went ------------------------------------------------------------------------------------------ */

struct history_step {
	double loss, accuracy; /* of the step's batch; accuracy in per cent */
};

struct history_evaluation {
	int64_t step;
	double loss, accuracy;
};

/* Starts zeroed. */
struct history {
	int64_t first_step; /* number of steps[0] */
	int64_t n_steps, n_valid;
	struct history_step *steps;
	struct history_evaluation *valid;
	int64_t step_capacity, valid_capacity;
};

/* Steps come one after another, from any number on.  MT_OK or MT_E_MEMORY. */
mt_status history_add_step(struct history *h, int64_t step, double loss, double accuracy);
mt_status history_add_valid(struct history *h, int64_t step, double loss, double accuracy);
void history_free(struct history *h);

/* Equal runs of steps (the last one may be shorter) as one point of a curve each. */
struct curve_point {
	int64_t step;                     /* the run's last */
	double loss, low, high, accuracy; /* means, and the least and greatest loss; losses that are not finite count not */
};

/* At most HTML_CURVE_POINTS points; returns how many.  A run without a finite loss has NaN. */
int history_curve(const struct history *h, struct curve_point out[HTML_CURVE_POINTS]);

/* ---- how the test set was read ---------------------------------------------------------------------------------- */

struct worst_image {
	int64_t image;
	int label, predicted;
	double p, p_label, loss; /* of predicted, of the label; loss = −ln p_label */
};

struct test_study {
	int64_t confusion[HTML_DIGITS][HTML_DIGITS]; /* by label, then by what was predicted */
	int n_worst;
	struct worst_image worst[HTML_WORST]; /* the greatest loss first; NaN above all; of equal ones the first image */
};

/* log_probs: [n, 10] ln p   labels: [n], 0 to 9. */
void study_test(const float (*log_probs)[HTML_DIGITS], const unsigned char *labels, int64_t n, struct test_study *out);

/* ---- the page --------------------------------------------------------------------------------------------------- */

struct html_fact {
	const char *name, *value;
};

/* Pictures of a layer's weights: [n, height, width]. */
struct html_filters {
	const char *name; /* "conv1.weight" */
	int64_t n, height, width;
	const float *weights;
};

struct html_report {
	const char *title, *subtitle;
	int64_t n_results, n_options;
	const struct html_fact *results, *options;
	const struct history *history;
	struct history_evaluation test;
	const struct test_study *study;
	const unsigned char *test_images; /* [n, 28, 28]; those of the worst are shown */
	struct html_filters filters;
};

/* Writes the page, whole or not at all.  MT_OK, or a status with the error set. */
mt_status html_write(const struct html_report *r, const char *path);

#endif
