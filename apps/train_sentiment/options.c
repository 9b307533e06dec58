/* train_sentiment's command line. */
#include "train_sentiment/options.h"

#include <string.h>

const char *const train_sentiment_settings[] = {"data",      "pos",      "neg",     "embeddings",   "freeze",
                                                "embedding", "filters",  "dropout", "word-dropout", "min-count",
                                                "epochs",    "patience", "batch",   "lr",           "weight-decay",
                                                "train",     "valid",    "test",    "seed",         NULL};

static struct options given = {.data = "auto",
                               .embedding = 128,
                               .filters = 100,
                               .min_count = 2,
                               .epochs = 10,
                               .patience = 3,
                               .batch = 50,
                               .dropout = 0.5,
                               .word_dropout = 0.2,
                               .lr = 0.001,
                               .weight_decay = 0.01,
                               .seed = 1};

static const struct cli_option table[] = {
	{"data", CLI_TEXT, &given.data, "FILE", "labels and sentences, TSV; or generated, or auto (default)", 0, 0, NULL},
	{"pos", CLI_TEXT, &given.pos, "FILE", "positive sentences, a line each; with --neg, instead of --data", 0, 0, NULL},
	{"neg", CLI_TEXT, &given.neg, "FILE", "negative sentences", 0, 0, NULL},
	{"train", CLI_COUNT, &given.train, "N", "train on N sentences (default: all that are left)", 1, 1000000000, NULL},
	{"valid", CLI_COUNT, &given.valid, "N", "validate on N (default: a tenth)", 1, 1000000000, NULL},
	{"test", CLI_COUNT, &given.test, "N", "test on N (default: a tenth)", 1, 1000000000, NULL},
	{"min-count", CLI_COUNT, &given.min_count, "N", "know words that occur N times in training (default 2)", 1,
     1000000000, NULL},
	{"embeddings", CLI_TEXT, &given.embeddings, "FILE", "start from these word vectors (GloVe's text format)", 0, 0,
     NULL},
	{"freeze", CLI_FLAG, &given.freeze, NULL, "leave the embeddings as they start", 0, 0, NULL},
	{"embedding", CLI_COUNT, &given.embedding, "N", "numbers a word, without --embeddings (default 128)", 1, 65536,
     NULL},
	{"filters", CLI_COUNT, &given.filters, "N", "filters of each width, 3, 4 and 5 words (default 100)", 1, 65536,
     NULL},
	{"dropout", CLI_REAL, &given.dropout, "P", "of the features (default 0.5)", 0, 0.99, NULL},
	{"word-dropout", CLI_REAL, &given.word_dropout, "P", "of words, which become unknown (default 0.2)", 0, 0.99, NULL},
	{"epochs", CLI_COUNT, &given.epochs, "N", "passes over the training sentences at most (default 10)", 1, 100000,
     NULL},
	{"patience", CLI_COUNT, &given.patience, "N", "stop after N epochs without a better validation (default 3)", 1,
     100000, NULL},
	{"batch", CLI_COUNT, &given.batch, "N", "sentences a step (default 50)", 1, 65536, NULL},
	{"lr", CLI_REAL, &given.lr, "X", "learning rate of AdamW (default 0.001)", 0, 1000, NULL},
	{"weight-decay", CLI_REAL, &given.weight_decay, "X", "of AdamW (default 0.01)", 0, 1000, NULL},
	{"seed", CLI_SEED, &given.seed, "N", "of split, weights, shuffles and dropout (default 1)", 0, 0, NULL},
	{"predict", CLI_TEXT, &given.predict, "FILE", "label the lines of FILE (-: standard input) instead; with --load", 0,
     0, NULL},
	{"load", CLI_TEXT, &given.load, "FILE", "what --save wrote, for --predict", 0, 0, NULL},
	TRAINING_OPTIONS(given.training),
	{0},
};

const struct cli train_sentiment_cli = {
	"train_sentiment",
	"Trains Kim's convolutional network to tell positive from negative sentences.",
	table,
	"--data FILE has a label (0 or 1, neg or pos, negative or positive), a tab and a sentence on each\n"
	"line, or the sentence first; a header as SST-2's is passed over.  --data auto takes\n"
	"$MT_DATA_DIR/mr/rt-polarity.pos and .neg where they are, else generated sentences, and says which.\n"
	"The network is scored on the validation sentences after each epoch; the weights that did best are\n"
	"kept, and scored on the test sentences once.  --predict prints LABEL, its probability and the line.\n",
};

static int check(void) {
	const struct cli *cli = &train_sentiment_cli;
	if ((given.pos == NULL) != (given.neg == NULL))
		return cli_fail(cli, EXIT_USAGE, "--%s needs --%s", given.pos ? "pos" : "neg", given.pos ? "neg" : "pos");
	if (given.pos != NULL && strcmp(given.data, "auto") != 0)
		return cli_fail(cli, EXIT_USAGE, "--data and --pos are two ways to say where the sentences are");
	if ((given.predict == NULL) != (given.load == NULL))
		return cli_fail(cli, EXIT_USAGE, "--%s needs --%s", given.predict ? "predict" : "load",
		                given.predict ? "load" : "predict");
	if (given.freeze && given.embeddings == NULL)
		return cli_fail(cli, EXIT_USAGE, "--freeze needs --embeddings");
	return -1;
}

int options_parse(struct options *o, int argc, char **argv) {
	int status = cli_parse(&train_sentiment_cli, argc, argv);
	if (status >= 0)
		return status;
	const char *resume = given.training.resume;
	if (resume != NULL && given.predict == NULL &&
	    (status =
	         training_take_settings(&train_sentiment_cli, resume, train_sentiment_settings, "epochs", argc, argv)) != 0)
		return status;
	status = check();
	*o = given;
	return status;
}
