/* train_mnist's command line. */
#include <stdlib.h>
#include <string.h>

#include "train_mnist/train_mnist.h"

const char *const train_mnist_settings[] = {"model", "epochs", "batch", "lr",   "optimizer",
                                            "data",  "train",  "valid", "seed", NULL};

static struct options given = {
	.epochs = 1, .lr = -1, .to = -1, .optimizer = OPTIMIZER_DEFAULT, .data = "auto", .seed = 1};

static const char *const optimizer_names[] = {"sgd", "adam", "adamw", NULL};

static const struct cli_option table[] = {
	{"model", CLI_CHOICE, &given.model, "NAME", "lenet (default), mlp, fast, or minitorch, MiniTorch's own network", 0,
     0, model_names},
	{"epochs", CLI_COUNT, &given.epochs, "N", "passes over the training images (default 1)", 1, 100000, NULL},
	{"to", CLI_REAL, &given.to, "PERCENT", "stop after the epoch that reaches this accuracy; status 1 where none does",
     0, 100, NULL},
	{"batch", CLI_COUNT, &given.batch, "N", "images a step (default 64; minitorch 16)", 1, 1000000, NULL},
	{"lr", CLI_REAL, &given.lr, "X", "learning rate, the peak of its cycle (default: by model and optimizer)", 0, 1000,
     NULL},
	{"optimizer", CLI_CHOICE, &given.optimizer, "NAME", "sgd, adam or adamw (default adamw; minitorch sgd)", 0, 0,
     optimizer_names},
	{"data", CLI_TEXT, &given.data, "DIR", "folder of MNIST's files, synthetic, or auto (default)", 0, 0, NULL},
	{"train", CLI_COUNT, &given.train, "N",
     "train on the first N images (default: all that validation leaves; fast: 45000)", 1, 1000000000, NULL},
	{"valid", CLI_COUNT, &given.valid, "N", "score N further images of the training file after each epoch", 0,
     1000000000, NULL},
	{"seed", CLI_SEED, &given.seed, "N", "of weights, shuffles and dropout (default 1)", 0, 0, NULL},
	{"predict", CLI_LIST, &given.predict, "FILE",
     "train nothing: label the digit of a PNG picture, or those of an IDX file; may be repeated", 0, 0, NULL},
	{"load", CLI_TEXT, &given.load, "FILE", "the weights or checkpoint to predict with", 0, 0, NULL},
	{"labels", CLI_TEXT, &given.labels, "FILE", "labels (IDX) to compare the predictions with", 0, 0, NULL},
	{"html", CLI_TEXT, &given.html, "FILE", "write a page about the run: curves, confusion matrix, mistakes, filters",
     0, 0, NULL},
	TRAINING_OPTIONS(given.training),
	{0},
};

const struct cli train_mnist_cli = {
	"train_mnist",
	"Trains a network on MNIST and scores it on the test images.",
	table,
	"--data auto takes the first of $MT_DATA_DIR/mnist, ./data/mnist, $XDG_DATA_HOME/mt/mnist\n"
	"(default ~/.local/share/mt/mnist) that has the files, else synthetic digits, and says which.\n"
	"The validation images are the last of the training file; with minitorch they begin at twice\n"
	"the number of training images where there are as many.\n"
	"--to looks at the validation images, or at the test images where there are none.\n"
	"--predict takes the model's name from a checkpoint; --model says it for other files.\n",
};

/* ---- predicting ------------------------------------------------------------------------------------------------- */

static int is_for_predicting(const char *name) {
	static const char *const names[] = {"predict", "load", "labels", "model", "backend", "threads", "quiet"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0)
			return 1;
	return 0;
}

static int refuse(const char *text) {
	return cli_fail(&train_mnist_cli, EXIT_USAGE, "%s", text);
}

/* −1, or the exit status after a message. */
static int check_predicting(int argc, char **argv) {
	if (given.predict.n == 0)
		return given.load     ? refuse("--load goes with --predict; --resume goes on with training")
		       : given.labels ? refuse("--labels goes with --predict")
		                      : -1;
	if (given.load == NULL)
		return refuse("--predict needs --load FILE, the weights to predict with");
	if (given.labels != NULL && given.predict.n > 1)
		return refuse("--labels goes with one --predict");
	for (const struct cli_option *o = table; o->name != NULL; o++)
		if (!is_for_predicting(o->name) && cli_is_given(&train_mnist_cli, o, argc, argv))
			return cli_fail(&train_mnist_cli, EXIT_USAGE, "--%s is for training, --predict trains nothing", o->name);
	return -1;
}

/* The model is the checkpoint's; a file of weights alone does not say it.  −1, or the exit status after a message. */
static int take_model(int argc, char **argv) {
	const struct cli_option *o = cli_find(&train_mnist_cli, "model");
	if (cli_is_given(&train_mnist_cli, o, argc, argv))
		return -1;
	mt_tensor_file *file = mt_tensor_file_open(given.load);
	if (file == NULL)
		return cli_fail(&train_mnist_cli, EXIT_FAILURE, "--load: %s", mt_error_take(NULL));
	const char *model = mt_tensor_file_note(file, "option.model");
	int known = model == NULL || cli_set(&train_mnist_cli, o, model) < 0;
	mt_tensor_file_close(file);
	return known ? -1 : cli_fail(&train_mnist_cli, EXIT_FAILURE, "--load %s: its model is none of these", given.load);
}

/* ---- training --------------------------------------------------------------------------------------------------- */

static void take_defaults(const struct model *m) {
	if (given.optimizer == OPTIMIZER_DEFAULT)
		given.optimizer = m->optimizer;
	if (given.batch == 0)
		given.batch = m->batch;
	if (given.lr < 0)
		given.lr = m->lr[given.optimizer];
}

int options_parse(struct options *o, int argc, char **argv) {
	int status = cli_parse(&train_mnist_cli, argc, argv);
	if (status >= 0)
		return status;
	status = check_predicting(argc, argv);
	if (status < 0 && given.load != NULL)
		status = take_model(argc, argv);
	if (status >= 0)
		return status;
	if (given.training.resume != NULL) {
		status =
			training_take_settings(&train_mnist_cli, given.training.resume, train_mnist_settings, "epochs", argc, argv);
		if (status != 0)
			return status;
	}
	take_defaults(&models[given.model]);
	*o = given;
	return -1;
}
