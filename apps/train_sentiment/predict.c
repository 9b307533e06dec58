/* Labels for new sentences, from the best weights of a checkpoint. */
#include "train_sentiment/predict.h"

#include <stdlib.h>
#include <string.h>

#include "train_sentiment/checkpoint.h"
#include "train_sentiment/corpus.h"
#include "train_sentiment/evaluate.h"
#include "train_sentiment/model.h"

static mt_status read_sentences(struct corpus *c, struct text *t, const struct lexicon *vocabulary) {
	const char *line;
	size_t length;
	mt_status status = MT_OK;
	while (status == MT_OK && text_line(t, &line, &length))
		status = corpus_add(c, vocabulary, line, length, 0);
	return status;
}

/* The lines of t once more, with what was found. */
static void print_labels(struct text *t, const float *probability) {
	const char *line;
	size_t length;
	for (int64_t i = 0; text_line(t, &line, &length); i++) {
		int positive = probability[i] > 0.5F;
		printf("%s\t%.4f\t", positive ? "positive" : "negative",
		       (double)(positive ? probability[i] : 1 - probability[i]));
		fwrite(line, 1, length, stdout);
		putchar('\n');
	}
}

static mt_status label_all(mt_module *model, struct text *t, const struct lexicon *vocabulary) {
	struct corpus c = {0};
	struct text first_pass = *t;
	float *probability = NULL;
	mt_status status = read_sentences(&c, &first_pass, vocabulary);
	if (status == MT_OK && c.n > 0) {
		probability = malloc((size_t)c.n * sizeof *probability);
		status = probability ? predict(model, &c, probability) : mt_error_set(MT_E_MEMORY, "no memory for the labels");
		if (status == MT_OK)
			print_labels(t, probability);
	}
	free(probability);
	corpus_free(&c);
	return status;
}

static int fail(const char *option) {
	return cli_fail(&train_sentiment_cli, EXIT_FAILURE, "%s: %s", option, mt_error_take(NULL));
}

int predict_file(const struct options *o) {
	struct lexicon vocabulary = {0};
	struct text t = {0};
	int status = 0;
	mt_module *model = checkpoint_model(o->load, &vocabulary);
	if (model == NULL)
		status = fail("--load");
	else if (text_read(&t, o->predict) != MT_OK || label_all(model, &t, &vocabulary) != MT_OK)
		status = fail("--predict");
	text_free(&t);
	mt_module_free(model);
	lexicon_free(&vocabulary);
	return status;
}
