/* train_points: trains a network on points in the plane. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "train_points/train_points.h"

static int fail_mt(const char *what) {
	return cli_fail(&train_points_cli, EXIT_FAILURE, "%s%s", what, mt_error_take(NULL));
}

/* Nobody should train for files that cannot be written. */
static int check_paths(const struct options *o) {
	const struct {
		const char *option, *path;
	} paths[] = {
		{"save", o->training.save}, {"tensorboard", o->training.tensorboard}, {"svg", o->svg}, {"html", o->html}};
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		int status = training_check_path(&train_points_cli, paths[i].option, paths[i].path);
		if (status != 0)
			return status;
	}
	return 0;
}

static void print_header(const struct run *r) {
	struct mt_device_info info;
	char title[160];
	const mt_device *device = mt_device_current();
	picture_title(r, title, sizeof title);
	progress_line(&r->progress, "%s", title);
	if (mt_device_describe(device, &info) == MT_OK)
		progress_line(&r->progress, "device: %s (%s)", mt_device_name(device), info.name);
	progress_line(&r->progress, "parameters: %" PRId64, mt_module_parameter_count(r->net));
	if (r->step > 0)
		progress_line(&r->progress, "resumed after epoch %" PRId64 ", step %" PRId64, r->epoch, r->step);
}

static void print_results(const struct run *r) {
	printf("correct %" PRId64 "/%" PRId64 " loss %.4f epochs %" PRId64 " seconds/epoch %.6f backend %s\n",
	       r->score.correct, r->points->n, r->loss, r->epoch, run_seconds_per_epoch(r),
	       mt_device_backend(mt_device_current()));
}

/* Where an interrupted run can be gone on with. */
static int print_interrupted(const struct run *r) {
	const char *save = r->options->training.save;
	fprintf(stderr, "%s: interrupted after step %" PRId64 " of %" PRId64 "; %s%s\n", train_points_cli.program, r->step,
	        r->progress.total_steps, save ? "go on with --resume " : "nothing is saved without --save",
	        save ? save : "");
	return TRAINING_INTERRUPTED;
}

static int draw(struct run *r) {
	const struct options *o = r->options;
	if (o->svg != NULL && picture_svg(r, o->svg) != MT_OK)
		return fail_mt("--svg: ");
	if (o->html != NULL && picture_html(r, o->html) != MT_OK)
		return fail_mt("--html: ");
	return 0;
}

/* Trains, with everything open. */
static int train(struct run *r) {
	const struct options *o = r->options;
	progress_begin(&r->progress, run_batches(r) * o->epochs, o->epochs, "points", o->training.quiet);
	print_header(r);
	mt_status trained = run_train(r);
	progress_wipe(&r->progress);
	int status = trained == MT_OK ? 0 : fail_mt("");
	int closed = metrics_close(&r->metrics, &train_points_cli);
	if (status == 0)
		status = closed;
	if (status == 0 && training_interrupted())
		return print_interrupted(r);
	if (status == 0)
		status = draw(r);
	if (status == 0)
		print_results(r);
	return status;
}

static int prepare(struct run *r) {
	const struct options *o = r->options;
	mt_seed(o->seed);
	r->loss = NAN;
	r->net = net_build(o->hidden);
	r->optim = r->net ? net_optim(r->net, o) : NULL;
	if (r->optim == NULL)
		return fail_mt("");
	if (o->training.resume != NULL && run_load(r, o->training.resume) != MT_OK)
		return fail_mt("--resume: ");
	if (history_begin(&r->history, r->epoch, o->epochs, o->html != NULL) != MT_OK)
		return fail_mt("");
	return metrics_open(&r->metrics, &train_points_cli, &o->training, r->step);
}

int main(int argc, char **argv) {
	struct options options;
	struct points points;
	int status = options_parse(&options, argc, argv);
	if (status >= 0)
		return status;
	status = check_paths(&options);
	if (status == 0)
		status = training_use_device(&train_points_cli, &options.training);
	if (status != 0)
		return status;
	training_catch_interrupts();
	status = points_make(&points, &options);
	if (status == 0) {
		struct run r = {.options = &options, .points = &points};
		status = prepare(&r);
		if (status == 0)
			status = train(&r);
		mt_optim_free(r.optim);
		mt_module_free(r.net);
		history_free(&r.history);
	}
	points_free(&points);
	if (fflush(stdout) != 0 || ferror(stdout))
		status = cli_fail(&train_points_cli, EXIT_FAILURE, "cannot write to standard output");
	return status;
}
