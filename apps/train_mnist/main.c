/* train_mnist: trains a network on MNIST and scores it on the test images. */
#include <inttypes.h>
#include <stdlib.h>

#include "train_mnist/train_mnist.h"

static int fail_mt(const char *what) {
	return cli_fail(&train_mnist_cli, EXIT_FAILURE, "%s%s", what, mt_error_take(NULL));
}

static void print_header(const struct run *r) {
	struct mt_device_info info;
	const mt_device *device = mt_device_current();
	const struct dataset *d = r->data;
	if (d->fell_back && r->progress.quiet)
		fprintf(stderr, "%s: no MNIST found: training on synthetic digits\n", train_mnist_cli.program);
	progress_line(&r->progress, "data: %s%s", d->source, d->fell_back ? " (no MNIST found; see --help)" : "");
	progress_line(&r->progress, "images: %" PRId64 " to train on, %" PRId64 " to validate, %" PRId64 " to test",
	              d->n_train, d->n_valid, d->test_images.shape[0]);
	if (mt_device_describe(device, &info) == MT_OK)
		progress_line(&r->progress, "device: %s (%s)", mt_device_name(device), info.name);
	progress_line(&r->progress, "model: %s, %" PRId64 " parameters", r->model->name, mt_module_parameter_count(r->net));
}

static void print_results(const struct run *r) {
	if (r->data->n_valid > 0)
		printf("valid accuracy %.2f%% loss %.4f\n", r->valid.accuracy, r->valid.loss);
	if (r->reached)
		printf("reached %g%% after epoch %" PRId64 ": %.3f seconds of training\n", r->options->to, r->epoch,
		       r->seconds);
	printf("test accuracy %.2f%% loss %.4f backend %s epochs %" PRId64 " images/s %.0f seconds %.2f\n",
	       r->test.accuracy, r->test.loss, mt_device_backend(mt_device_current()), r->epoch,
	       r->seconds > 0 ? (double)r->images / r->seconds : 0, r->seconds);
}

/* Where an interrupted run can be gone on with. */
static int print_interrupted(const struct run *r) {
	const char *save = r->options->training.save;
	fprintf(stderr, "%s: interrupted after step %" PRId64 " of %" PRId64 "; %s%s\n", train_mnist_cli.program, r->steps,
	        r->progress.total_steps, save ? "go on with --resume " : "nothing is saved without --save",
	        save ? save : "");
	return TRAINING_INTERRUPTED;
}

static int train(struct run *r, struct trainer *t) {
	const struct options *o = r->options;
	int status = metrics_open(&r->metrics, &train_mnist_cli, &o->training, r->steps);
	if (status == 0) {
		print_header(r);
		status = trainer_run(t) == MT_OK ? 0 : fail_mt("");
	}
	int closed = metrics_close(&r->metrics, &train_mnist_cli);
	return status ? status : closed;
}

/* The result is printed whether the page can be written or not. */
static int report(const struct run *r) {
	double to = r->options->to;
	int status = r->options->html == NULL || page_of_run(r) == MT_OK ? 0 : fail_mt("--html: ");
	print_results(r);
	if (to >= 0 && !r->reached)
		status = cli_fail(&train_mnist_cli, EXIT_FAILURE, "--to %g is not reached in %" PRId64 " epochs", to,
		                  r->options->epochs);
	return status;
}

static int run(struct run *r) {
	mt_seed(r->options->seed);
	r->net = r->model->build();
	struct trainer *t = r->net ? trainer_new(r) : NULL;
	if (t == NULL)
		return fail_mt("");
	int status = train(r, t);
	trainer_free(t);
	if (status == 0 && r->interrupted)
		return print_interrupted(r);
	return status ? status : report(r);
}

static int check_paths(const struct options *o) {
	int status = training_check_path(&train_mnist_cli, "save", o->training.save);
	if (status == 0)
		status = training_check_path(&train_mnist_cli, "tensorboard", o->training.tensorboard);
	return status ? status : training_check_path(&train_mnist_cli, "html", o->html);
}

static int train_and_score(const struct options *o) {
	struct dataset data;
	struct history history = {0};
	int status = dataset_load(&data, o);
	if (status == 0) {
		struct run r = {.options = o,
		                .model = &models[o->model],
		                .data = &data,
		                .tested = -1,
		                .history = o->html ? &history : NULL};
		training_catch_interrupts();
		status = run(&r);
		mt_module_free(r.net);
	}
	history_free(&history);
	dataset_free(&data);
	return status;
}

int main(int argc, char **argv) {
	struct options options;
	int status = options_parse(&options, argc, argv);
	if (status >= 0)
		return status;
	status = check_paths(&options);
	if (status == 0)
		status = training_use_device(&train_mnist_cli, &options.training);
	if (status != 0)
		return status;
	status = options.predict.n > 0 ? predict(&options) : train_and_score(&options);
	if (fflush(stdout) != 0 || ferror(stdout))
		status = cli_fail(&train_mnist_cli, EXIT_FAILURE, "cannot write to standard output");
	return status;
}
