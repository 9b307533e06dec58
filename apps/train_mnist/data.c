/* Where train_mnist's images come from. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "train_mnist/train_mnist.h"

enum { SYNTHETIC_TRAIN = 60000, SYNTHETIC_TEST = 2000 };

/* The first of the usual places that has MNIST, into dir; 0 where none has. */
static int find_mnist(char *dir, size_t size) {
	const char *data = getenv("MT_DATA_DIR"), *share = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	if (data != NULL && data[0] != '\0') {
		snprintf(dir, size, "%s/mnist", data);
		if (mt_mnist_present(dir))
			return 1;
	}
	snprintf(dir, size, "data/mnist");
	if (mt_mnist_present(dir))
		return 1;
	if (share != NULL && share[0] == '/')
		snprintf(dir, size, "%s/mt/mnist", share);
	else if (home != NULL && home[0] != '\0')
		snprintf(dir, size, "%s/.local/share/mt/mnist", home);
	else
		return 0;
	return mt_mnist_present(dir);
}

static mt_status load_mnist(struct dataset *d, const char *dir) {
	snprintf(d->source, sizeof d->source, "MNIST in %s", dir);
	mt_status status = mt_mnist_load(dir, "train", &d->train_images, &d->train_labels);
	return status == MT_OK ? mt_mnist_load(dir, "test", &d->test_images, &d->test_labels) : status;
}

/* As many images as MNIST has, or only those that will be used; the test set has a seed of its own. */
static mt_status draw_synthetic(struct dataset *d, const struct options *o) {
	int64_t n = SYNTHETIC_TRAIN;
	if (o->train > 0 && o->train + o->valid < n && !models[o->model].is_minitorch)
		n = o->train + o->valid;
	snprintf(d->source, sizeof d->source, "synthetic digits");
	mt_status status = mt_digits_generate(n, o->seed, &d->train_images, &d->train_labels);
	return status == MT_OK ? mt_digits_generate(SYNTHETIC_TEST, ~o->seed, &d->test_images, &d->test_labels) : status;
}

static mt_status load(struct dataset *d, const struct options *o) {
	char dir[1000];
	if (strcmp(o->data, "synthetic") == 0)
		return draw_synthetic(d, o);
	if (strcmp(o->data, "auto") != 0)
		return load_mnist(d, o->data);
	if (find_mnist(dir, sizeof dir))
		return load_mnist(d, dir);
	d->fell_back = 1;
	return draw_synthetic(d, o);
}

/* Training images first, validation images last; minitorch validates from twice the training images on, as MiniTorch's
 * own run did (0 to 5000 and 10000 to 10500), where the file reaches so far. */
static int split(struct dataset *d, const struct options *o) {
	int64_t n = d->train_images.shape[0];
	d->n_valid = o->valid;
	d->n_train = o->train > 0 ? o->train : n - o->valid;
	if (o->train == 0 && models[o->model].train > 0 && d->n_train > models[o->model].train)
		d->n_train = models[o->model].train;
	if (o->valid >= n || d->n_train > n - o->valid)
		return cli_fail(&train_mnist_cli, EXIT_FAILURE,
		                "--train %" PRId64 " --valid %" PRId64 ": there are only %" PRId64 " training images in %s",
		                o->train, o->valid, n, d->source);
	d->valid_first = n - o->valid;
	if (models[o->model].is_minitorch && 2 * d->n_train <= d->valid_first)
		d->valid_first = 2 * d->n_train;
	return 0;
}

int dataset_load(struct dataset *d, const struct options *o) {
	memset(d, 0, sizeof *d);
	if (load(d, o) != MT_OK)
		return cli_fail(&train_mnist_cli, EXIT_FAILURE, "--data %s: %s", o->data, mt_error_take(NULL));
	if (d->test_images.shape[0] == 0 || d->train_images.shape[0] == 0)
		return cli_fail(&train_mnist_cli, EXIT_FAILURE, "--data %s: there are no images", o->data);
	return split(d, o);
}

void dataset_free(struct dataset *d) {
	mt_host_array_free(&d->train_images);
	mt_host_array_free(&d->train_labels);
	mt_host_array_free(&d->test_images);
	mt_host_array_free(&d->test_labels);
}
