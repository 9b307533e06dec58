/* train_mnist's command line. */
#include "train_mnist/train_mnist.h"

const char *const train_mnist_settings[] = {"model", "epochs", "batch", "lr",   "optimizer",
                                            "data",  "train",  "valid", "seed", NULL};

static struct options given = {.epochs = 1, .lr = -1, .optimizer = OPTIMIZER_DEFAULT, .data = "auto", .seed = 1};

static const char *const optimizer_names[] = {"sgd", "adam", "adamw", NULL};

static const struct cli_option table[] = {
	{"model", CLI_CHOICE, &given.model, "NAME", "lenet (default), mlp, or minitorch, MiniTorch's own network", 0, 0,
     model_names},
	{"epochs", CLI_COUNT, &given.epochs, "N", "passes over the training images (default 1)", 1, 100000, NULL},
	{"batch", CLI_COUNT, &given.batch, "N", "images a step (default 64; minitorch 16)", 1, 1000000, NULL},
	{"lr", CLI_REAL, &given.lr, "X", "learning rate, the peak of its cycle (default: by model and optimizer)", 0, 1000,
     NULL},
	{"optimizer", CLI_CHOICE, &given.optimizer, "NAME", "sgd, adam or adamw (default adamw; minitorch sgd)", 0, 0,
     optimizer_names},
	{"data", CLI_TEXT, &given.data, "DIR", "folder of MNIST's files, synthetic, or auto (default)", 0, 0, NULL},
	{"train", CLI_COUNT, &given.train, "N", "train on the first N images (default: all that validation leaves)", 1,
     1000000000, NULL},
	{"valid", CLI_COUNT, &given.valid, "N", "score N further images of the training file after each epoch", 0,
     1000000000, NULL},
	{"seed", CLI_SEED, &given.seed, "N", "of weights, shuffles and dropout (default 1)", 0, 0, NULL},
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
	"the number of training images where there are as many.\n",
};

int options_parse(struct options *o, int argc, char **argv) {
	int status = cli_parse(&train_mnist_cli, argc, argv);
	if (status >= 0)
		return status;
	if (given.training.resume != NULL) {
		status =
			training_take_settings(&train_mnist_cli, given.training.resume, train_mnist_settings, "epochs", argc, argv);
		if (status != 0)
			return status;
	}
	const struct model *m = &models[given.model];
	if (given.optimizer == OPTIMIZER_DEFAULT)
		given.optimizer = m->optimizer;
	if (given.batch == 0)
		given.batch = m->batch;
	if (given.lr < 0)
		given.lr = m->lr[given.optimizer];
	*o = given;
	return -1;
}
