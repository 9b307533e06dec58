/* train_sentiment: trains Kim's convolutional network on labelled sentences, or labels sentences with it. */
#include <inttypes.h>
#include <stdlib.h>

#include "train_sentiment/predict.h"
#include "train_sentiment/trainer.h"

static int fail_mt(void) {
	return cli_fail(&train_sentiment_cli, EXIT_FAILURE, "%s", mt_error_take(NULL));
}

/* What is odd about the data goes to stderr where stdout has results alone. */
static void print_notes(const struct run *r) {
	const struct dataset *d = r->data;
	const char *program = train_sentiment_cli.program;
	if (d->fell_back && r->progress.quiet)
		fprintf(stderr, "%s: no movie reviews found: training on generated sentences\n", program);
	if (d->corpus.cut > 0)
		fprintf(stderr, "%s: %" PRId64 " sentences were cut at %d words\n", program, d->corpus.cut, SENTENCE_WORDS);
}

static void print_header(const struct run *r) {
	struct mt_device_info info;
	const mt_device *device = mt_device_current();
	const struct dataset *d = r->data;
	const struct progress *p = &r->progress;
	print_notes(r);
	progress_line(p, "data: %s%s%s", d->corpus.source, d->corpus.latin1 ? " (Latin-1)" : "",
	              d->fell_back ? " (no movie reviews found; see --help)" : "");
	progress_line(p, "sentences: %" PRId64 " to train on, %" PRId64 " to validate, %" PRId64 " to test", d->n_train,
	              d->n_valid, d->n_test);
	if (d->vectors.size > 0)
		progress_line(p, "embeddings: %" PRId64 " of %d words in %s", d->vectors.found, (int)d->vocabulary.n,
		              r->options->embeddings);
	if (mt_device_describe(device, &info) == MT_OK)
		progress_line(p, "device: %s (%s)", mt_device_name(device), info.name);
	progress_line(p, "model: Kim's CNN, %d words, %" PRId64 " parameters", (int)d->vocabulary.n,
	              mt_module_parameter_count(r->model));
}

static void print_results(const struct run *r) {
	double rate = r->seconds > 0 ? (double)r->sentences / r->seconds : 0;
	printf("test accuracy %.2f%% loss %.4f valid accuracy %.2f%% loss %.4f epochs %" PRId64 " best %" PRId64
	       " sentences/s %.0f seconds %.2f backend %s\n",
	       r->test.accuracy, r->test.loss, r->valid.accuracy, r->valid.loss, r->epochs, r->best_epoch, rate, r->seconds,
	       mt_device_backend(mt_device_current()));
}

/* Where an interrupted run can be gone on with. */
static int print_interrupted(const struct run *r) {
	const char *save = r->options->training.save;
	fprintf(stderr, "%s: interrupted after step %" PRId64 " of %" PRId64 "; %s%s\n", train_sentiment_cli.program,
	        r->steps, r->progress.total_steps, save ? "go on with --resume " : "nothing is saved without --save",
	        save ? save : "");
	return TRAINING_INTERRUPTED;
}

static int run_trainer(struct run *r, struct trainer *t) {
	int status = metrics_open(&r->metrics, &train_sentiment_cli, &r->options->training, r->steps);
	if (status == 0) {
		print_header(r);
		status = trainer_run(t) == MT_OK ? 0 : fail_mt();
	}
	int closed = metrics_close(&r->metrics, &train_sentiment_cli);
	return status ? status : closed;
}

static int train(const struct options *o) {
	struct dataset data;
	int status = dataset_load(&data, o);
	if (status == 0) {
		struct run r = {.options = o, .data = &data};
		training_catch_interrupts();
		struct trainer *t = trainer_new(&r);
		status = t ? run_trainer(&r, t) : fail_mt();
		trainer_free(t);
		mt_module_free(r.model);
		if (status == 0 && r.interrupted)
			status = print_interrupted(&r);
		else if (status == 0)
			print_results(&r);
	}
	dataset_free(&data);
	return status;
}

static int check_paths(const struct training_options *o) {
	int status = training_check_path(&train_sentiment_cli, "save", o->save);
	return status ? status : training_check_path(&train_sentiment_cli, "tensorboard", o->tensorboard);
}

int main(int argc, char **argv) {
	struct options options;
	int status = options_parse(&options, argc, argv);
	if (status >= 0)
		return status;
	status = check_paths(&options.training);
	if (status == 0)
		status = training_use_device(&train_sentiment_cli, &options.training);
	if (status == 0)
		status = options.predict ? predict_file(&options) : train(&options);
	if (fflush(stdout) != 0 || ferror(stdout))
		status = cli_fail(&train_sentiment_cli, EXIT_FAILURE, "cannot write to standard output");
	return status;
}
