/* train_mnist: trains a network on MNIST and scores it on the test images. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "train_mnist/train_mnist.h"

static int fail_mt(const char *what) {
	return cli_fail(&train_mnist_cli, EXIT_FAILURE, "%s%s", what, mt_error_take(NULL));
}

/* Before an hour of training: whether the folder of path can take the file. */
static int check_save(const char *path) {
	char folder[4096];
	snprintf(folder, sizeof folder, "%s", path);
	char *slash = strrchr(folder, '/');
	if (slash == NULL)
		snprintf(folder, sizeof folder, ".");
	else
		slash[slash == folder] = '\0';
	if (access(folder, W_OK | X_OK) == 0)
		return 0;
	return cli_fail(&train_mnist_cli, EXIT_FAILURE, "--save %s: %s", path, strerror(errno));
}

static int use_backend(const char *name) {
	if (name != NULL) {
		mt_device *device = mt_device_open(name);
		if (device == NULL || mt_device_use(device) != MT_OK)
			return fail_mt("--backend: ");
	} else if (mt_device_current() == NULL) {
		return fail_mt("");
	}
	return 0;
}

static void print_header(const struct run *r) {
	struct mt_device_info info;
	const mt_device *device = mt_device_current();
	const struct dataset *d = r->data;
	if (d->fell_back && r->report.quiet)
		fprintf(stderr, "%s: no MNIST found: training on synthetic digits\n", train_mnist_cli.program);
	report_line(&r->report, "data: %s%s", d->source, d->fell_back ? " (no MNIST found; see --help)" : "");
	report_line(&r->report, "images: %" PRId64 " to train on, %" PRId64 " to validate, %" PRId64 " to test", d->n_train,
	            d->n_valid, d->test_images.shape[0]);
	if (mt_device_describe(device, &info) == MT_OK)
		report_line(&r->report, "device: %s (%s)", mt_device_name(device), info.name);
	report_line(&r->report, "model: %s, %" PRId64 " parameters", r->model->name, mt_module_parameter_count(r->net));
}

static void print_results(const struct run *r) {
	if (r->data->n_valid > 0)
		printf("valid accuracy %.2f%% loss %.4f\n", r->valid.accuracy, r->valid.loss);
	printf("test accuracy %.2f%% loss %.4f backend %s epochs %" PRId64 " images/s %.0f seconds %.2f\n",
	       r->test.accuracy, r->test.loss, mt_device_backend(mt_device_current()), r->options->epochs,
	       (double)r->images / r->seconds, r->seconds);
}

static int run(struct run *r) {
	const struct options *o = r->options;
	int64_t steps = (r->data->n_train + o->batch - 1) / o->batch * o->epochs;
	mt_seed(o->seed);
	r->net = r->model->build();
	if (r->net == NULL)
		return fail_mt("");
	int status = report_open(&r->report, o, steps);
	if (status != 0)
		return status;
	print_header(r);
	if (train(r) != MT_OK)
		status = fail_mt("");
	int closed = report_close(&r->report);
	if (status == 0)
		status = closed;
	if (status == 0 && o->save != NULL && mt_save_state(r->net, o->save) != MT_OK)
		status = fail_mt("--save: ");
	if (status == 0)
		print_results(r);
	return status;
}

int main(int argc, char **argv) {
	struct options options;
	struct dataset data;
	int status = options_parse(&options, argc, argv);
	if (status >= 0)
		return status;
	if (options.save != NULL && (status = check_save(options.save)) != 0)
		return status;
	status = use_backend(options.backend);
	if (status != 0)
		return status;
	status = dataset_load(&data, &options);
	if (status == 0) {
		struct run r = {.options = &options, .model = &models[options.model], .data = &data};
		status = run(&r);
		mt_module_free(r.net);
	}
	dataset_free(&data);
	if (fflush(stdout) != 0 || ferror(stdout))
		status = cli_fail(&train_mnist_cli, EXIT_FAILURE, "cannot write to standard output");
	return status;
}
