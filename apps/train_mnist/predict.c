/* Labels for pictures and for files of images. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "train_mnist/picture.h"
#include "train_mnist/train_mnist.h"

static int fail_mt(const char *what) {
	return cli_fail(&train_mnist_cli, EXIT_FAILURE, "%s%s", what, mt_error_take(NULL));
}

struct prediction prediction_of(const float log_probs[DIGITS]) {
	struct prediction p = {.digit = 0, .second = -1};
	for (int d = 1; d < DIGITS; d++)
		if (log_probs[d] > log_probs[p.digit])
			p.digit = d;
	for (int d = 0; d < DIGITS; d++)
		if (d != p.digit && (p.second < 0 || log_probs[d] > log_probs[p.second]))
			p.second = d;
	p.p = exp(log_probs[p.digit]);
	p.p_second = exp(log_probs[p.second]);
	return p;
}

static void print_prediction(const struct prediction *p) {
	printf(": %d (%.1f%%), then %d (%.1f%%)", p->digit, 100 * p->p, p->second, 100 * p->p_second);
}

/* ---- pictures --------------------------------------------------------------------------------------------------- */

static int read_digit(const char *path, unsigned char digit[DIGIT_PIXELS]) {
	struct picture picture;
	if (png_read(path, &picture) != MT_OK)
		return fail_mt("--predict: ");
	const char *why = normalise_digit(&picture, digit);
	picture_free(&picture);
	return why ? cli_fail(&train_mnist_cli, EXIT_FAILURE, "--predict: %s: %s", path, why) : 0;
}

static int predict_picture(const struct options *o, mt_module *net, const char *path) {
	unsigned char digit[DIGIT_PIXELS];
	float log_probs[1][DIGITS];
	mt_host_array image = {digit, MT_U8, 3, {1, DIGIT_SIDE, DIGIT_SIDE}};
	if (o->labels != NULL)
		return cli_fail(&train_mnist_cli, EXIT_FAILURE, "--labels goes with an IDX file: %s is a picture", path);
	int status = read_digit(path, digit);
	if (status != 0)
		return status;
	if (classify(net, &models[o->model], &image, log_probs) != MT_OK)
		return fail_mt("");
	struct prediction p = prediction_of(log_probs[0]);
	fputs(path, stdout);
	print_prediction(&p);
	putchar('\n');
	return 0;
}

/* ---- IDX files -------------------------------------------------------------------------------------------------- */

/* Images with the labels that they may have. */
struct idx_set {
	const char *path;
	mt_host_array images, labels; /* labels.data: NULL where there are none */
	float (*log_probs)[DIGITS];
};

static int read_images(struct idx_set *set) {
	const mt_host_array *a = &set->images;
	if (mt_idx_read(set->path, &set->images) != MT_OK)
		return fail_mt("--predict: ");
	if (a->rank != 3 || a->shape[1] != DIGIT_SIDE || a->shape[2] != DIGIT_SIDE)
		return cli_fail(&train_mnist_cli, EXIT_FAILURE,
		                "--predict: %s: expected images of 28 x 28 (3 dims), got %d dims, the last of %" PRId64,
		                set->path, (int)a->rank, a->shape[a->rank - 1]);
	if (a->shape[0] == 0)
		return cli_fail(&train_mnist_cli, EXIT_FAILURE, "--predict: %s: there are no images", set->path);
	return 0;
}

static int read_labels(struct idx_set *set, const char *path) {
	const mt_host_array *a = &set->labels;
	if (mt_idx_read(path, &set->labels) != MT_OK)
		return fail_mt("--labels: ");
	if (a->rank != 1 || a->shape[0] != set->images.shape[0])
		return cli_fail(&train_mnist_cli, EXIT_FAILURE,
		                "--labels: %s: expected %" PRId64 " labels (1 dim), got %d dims, the first of %" PRId64, path,
		                set->images.shape[0], (int)a->rank, a->shape[0]);
	const unsigned char *labels = a->data;
	for (int64_t i = 0; i < a->shape[0]; i++)
		if (labels[i] >= DIGITS)
			return cli_fail(&train_mnist_cli, EXIT_FAILURE, "--labels: %s: expected labels 0 to 9, got %d at %" PRId64,
			                path, labels[i], i);
	return 0;
}

static void print_set(const struct idx_set *set, int quiet) {
	const unsigned char *labels = set->labels.data;
	int64_t n = set->images.shape[0], right = 0;
	double loss = 0;
	for (int64_t i = 0; i < n; i++) {
		struct prediction p = prediction_of(set->log_probs[i]);
		int is_wrong = labels != NULL && labels[i] != p.digit;
		right += labels != NULL && !is_wrong;
		loss -= labels != NULL ? set->log_probs[i][labels[i]] : 0;
		if (quiet && labels != NULL)
			continue;
		printf("%s[%" PRId64 "]", set->path, i);
		print_prediction(&p);
		if (is_wrong)
			printf("; the label is %d", labels[i]);
		putchar('\n');
	}
	if (labels != NULL)
		printf("accuracy %.2f%% loss %.4f images %" PRId64 "\n", 100.0 * (double)right / (double)n, loss / (double)n,
		       n);
}

static int predict_set(const struct options *o, mt_module *net, struct idx_set *set) {
	int status = read_images(set);
	if (status == 0 && o->labels != NULL)
		status = read_labels(set, o->labels);
	if (status != 0)
		return status;
	set->log_probs = calloc((size_t)set->images.shape[0], sizeof *set->log_probs);
	if (set->log_probs == NULL)
		return cli_fail(&train_mnist_cli, EXIT_FAILURE, "--predict: %s: out of memory", set->path);
	if (classify(net, &models[o->model], &set->images, set->log_probs) != MT_OK)
		return fail_mt("");
	print_set(set, o->training.quiet);
	return 0;
}

static int predict_idx(const struct options *o, mt_module *net, const char *path) {
	struct idx_set set = {.path = path};
	int status = predict_set(o, net, &set);
	free(set.log_probs);
	mt_host_array_free(&set.images);
	mt_host_array_free(&set.labels);
	return status;
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

int predict(const struct options *o) {
	mt_module *net = models[o->model].build();
	int status = 0;
	if (net == NULL)
		return fail_mt("");
	if (mt_load_state(net, o->load) != MT_OK)
		status =
			cli_fail(&train_mnist_cli, EXIT_FAILURE, "--load as %s: %s", models[o->model].name, mt_error_take(NULL));
	for (int i = 0; i < o->predict.n && status == 0; i++) {
		const char *path = o->predict.values[i];
		status = png_expected(path) ? predict_picture(o, net, path) : predict_idx(o, net, path);
	}
	mt_module_free(net);
	return status;
}
