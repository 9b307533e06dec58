/* train_sentiment's network and batches: what padding must not change, and what each epoch holds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train_sentiment/batches.h"
#include "train_sentiment/model.h"
#include "train_sentiment/vocabulary.h"

#include "backends.h"

static mt_module *small_model(void) {
	mt_seed(7);
	mt_module *m = model_new((struct model_size){.words = 20, .embedding = 6, .filters = 5, .dropout = 0.5});
	if (!MT_CHECK(m != NULL))
		mt_test_note("%s", mt_error_take(NULL));
	return m;
}

/* ---- the network ------------------------------------------------------------------------------------------------ */

static double item_at(mt_tensor *t, int64_t a, int64_t b, int64_t c) {
	double value = (double)NAN;
	int64_t index[] = {a, b, c};
	MT_CHECK_INT(mt_get(t, index, &value), MT_OK);
	return value;
}

/* The best of filter f over all windows of width words that hold a word of ids, by the definition. */
static double strongest(mt_module *m, const char *conv, int width, int f, const int32_t *ids, int n) {
	char name[32];
	snprintf(name, sizeof name, "%s.weight", conv);
	mt_tensor *weight = mt_module_get(m, name), *table = mt_module_get(m, "embedding.weight");
	snprintf(name, sizeof name, "%s.bias", conv);
	double best = 0; /* ReLU */
	for (int o = 1 - width; o < n; o++) {
		double sum = item_at(mt_module_get(m, name), f, 0, 0);
		for (int k = 0; k < width; k++)
			for (int e = 0; o + k >= 0 && o + k < n && e < 6; e++)
				sum += item_at(weight, f, e, k) * item_at(table, ids[o + k], e, 0);
		best = sum > best ? sum : best;
	}
	return best;
}

static double logit_by_hand(mt_module *m, int label, const int32_t *ids, int n) {
	static const char *const convs[] = {"conv3", "conv4", "conv5"};
	double sum = item_at(mt_module_get(m, "linear.bias"), label, 0, 0);
	for (int i = 0; i < 3; i++)
		for (int f = 0; f < 5; f++)
			sum += item_at(mt_module_get(m, "linear.weight"), label, 5 * i + f, 0) *
			       strongest(m, convs[i], 3 + i, f, ids, n);
	return sum;
}

/* Sentences of 1, 2, 3 and 9 words, the short ones padded; biases above 0, so that empty windows would win. */
static const int32_t rows[4][9] = {{5}, {3, 4}, {19, 2, 1}, {2, 3, 4, 5, 6, 7, 8, 9, 10}};
static const int lengths[4] = {1, 2, 3, 9};

static mt_module *evaluated_model(void) {
	mt_module *m = small_model();
	mt_module_train(m, 0);
	mt_grad_enable(0);
	mt_init_uniform(mt_module_get(m, "conv3.bias"), 0.5, 1);
	mt_init_uniform(mt_module_get(m, "conv5.bias"), 0.5, 1);
	return m;
}

static void on_formula(void) {
	mt_module *m = evaluated_model();
	mt_tensor *logits = mt_forward(m, mt_from_data(MT_SHAPE(4, 9), MT_I32, rows));
	CHECK_SHAPE(logits, 4, 2);
	for (int i = 0; i < 4; i++)
		for (int c = 0; c < 2; c++) {
			row("sentence %d", i);
			MT_CHECK_NEAR(item_at(logits, i, c, 0), logit_by_hand(m, c, rows[i], lengths[i]), 1e-5);
		}
	mt_grad_enable(1);
	mt_module_free(m);
}

static void test_formula(void) {
	each_backend(on_formula);
}

/* The same sentence alone, beside longer ones, and with any amount of padding. */
static void on_padding(void) {
	mt_module *m = evaluated_model();
	mt_tensor *together = mt_forward(m, mt_from_data(MT_SHAPE(4, 9), MT_I32, rows));
	for (int i = 0; i < 4; i++)
		for (int padding = 0; padding <= 40; padding += 20) {
			int32_t ids[64] = {0};
			memcpy(ids, rows[i], (size_t)lengths[i] * sizeof *ids);
			mt_tensor *alone = mt_forward(m, mt_from_data(MT_SHAPE(1, lengths[i] + padding), MT_I32, ids));
			row("sentence %d with %d of padding", i, padding);
			for (int c = 0; c < 2; c++)
				MT_CHECK_NEAR(item_at(alone, 0, c, 0), item_at(together, i, c, 0), 2e-6);
		}
	mt_grad_enable(1);
	mt_module_free(m);
}

static void test_padding(void) {
	each_backend(on_padding);
}

/* A short sentence's gradient comes from its own words, and padding has none. */
static void on_gradient(void) {
	mt_module *m = small_model();
	mt_tensor *logits = mt_forward(m, mt_from_data(MT_SHAPE(4, 9), MT_I32, rows));
	MT_CHECK_INT(mt_backward(mt_sum(mt_square(logits), MT_ALL_AXES, 0)), MT_OK);
	mt_tensor *words = mt_sum(mt_abs(mt_grad(mt_module_get(m, "embedding.weight"))), MT_AXES(1), 0);
	double *sums = elements(words);
	MT_REQUIRE(sums != NULL);
	MT_CHECK(sums[PADDING_ID] == 0);
	MT_CHECK(sums[5] > 0 && sums[11] == 0);
	free(sums);
	mt_tensor *padding = mt_narrow(mt_module_get(m, "embedding.weight"), 0, 0, 1);
	CHECK_VALUES(padding, 0, 0, 0, 0, 0, 0);
	mt_module_free(m);
}

static void test_gradient(void) {
	each_backend(on_gradient);
}

/* ---- batches ---------------------------------------------------------------------------------------------------- */

enum { N = 1000, SIZE = 7 };

/* Sentence i has 1 + i % 40 words, all of them word 2 + i % 5, and label i % 2. */
static struct corpus make_corpus(void) {
	struct corpus c = {.ids = malloc(N * 40 * sizeof *c.ids), .sentences = malloc(N * sizeof *c.sentences), .n = N};
	for (int i = 0; i < N; i++) {
		c.sentences[i] = (struct sentence){c.n_ids, 1 + i % 40, i % 2};
		for (int k = 0; k < c.sentences[i].length; k++)
			c.ids[c.n_ids++] = 2 + i % 5;
	}
	return c;
}

/* Each member once; cells is how many numbers the batches hold in all. */
static void check_epoch(struct batches *b, int64_t *cells) {
	unsigned char seen[N] = {0};
	int64_t total = 0, n;
	*cells = 0;
	for (int64_t i = 0; i < batches_count(b); i++) {
		const uint32_t *members = batches_sentences(b, i, &n);
		int64_t longest = 0;
		for (int64_t k = 0; k < n; k++) {
			MT_CHECK(members[k] < N && !seen[members[k]]++);
			int32_t length = b->corpus->sentences[members[k]].length;
			longest = length > longest ? length : longest;
		}
		total += n;
		*cells += n * longest;
	}
	MT_CHECK_INT(total, b->n);
}

static void test_epochs(void) {
	struct corpus c = make_corpus();
	struct batches b;
	uint32_t members[N], first[N];
	int64_t cells, words = 0;
	for (uint32_t i = 0; i < N - 1; i++) {
		members[i] = i + 1;
		words += c.sentences[i + 1].length;
	}
	MT_REQUIRE(batches_new(&b, &c, members, N - 1, SIZE) == MT_OK);
	MT_CHECK_INT(batches_count(&b), (N - 1 + SIZE - 1) / SIZE);
	MT_CHECK_INT(batches_plan(&b, 3, 1), MT_OK);
	check_epoch(&b, &cells);
	MT_CHECK_MSG(cells < words * 5 / 4, "%lld cells for %lld words", (long long)cells, (long long)words);
	memcpy(first, b.order, (N - 1) * sizeof *first);
	MT_CHECK_INT(batches_plan(&b, 3, 2), MT_OK);
	check_epoch(&b, &cells);
	MT_CHECK(memcmp(first, b.order, (N - 1) * sizeof *first) != 0);
	MT_CHECK_INT(batches_plan(&b, 3, 1), MT_OK);
	MT_CHECK(memcmp(first, b.order, (N - 1) * sizeof *first) == 0);
	MT_CHECK_INT(batches_plan(&b, 4, 1), MT_OK);
	MT_CHECK(memcmp(first, b.order, (N - 1) * sizeof *first) != 0);
	MT_CHECK_INT(batches_plan(&b, 0, 0), MT_OK);
	check_epoch(&b, &cells);
	MT_CHECK_MSG(cells < words * 51 / 50, "%lld cells for %lld words", (long long)cells, (long long)words);
	batches_free(&b);
	corpus_free(&c);
}

static void on_batch(void) {
	struct corpus c = make_corpus();
	struct batches b;
	const uint32_t members[] = {2, 0, 4};
	mt_tensor *ids, *labels;
	MT_REQUIRE(batches_new(&b, &c, members, 3, 50) == MT_OK);
	MT_REQUIRE(batches_plan(&b, 0, 0) == MT_OK && batches_get(&b, 0, &ids, &labels) == MT_OK);
	CHECK_SHAPE(ids, 3, 5);
	CHECK_VALUES(ids, 6, 6, 6, 6, 6, 4, 4, 4, 0, 0, 2, 0, 0, 0, 0);
	CHECK_VALUES(labels, 0, 0, 0);
	batches_free(&b);
	MT_CHECK(batches_new(&b, &c, members, 0, 50) == MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "there are no sentences");
	corpus_free(&c);
}

static void test_batch(void) {
	each_backend(on_batch);
}

static const mt_test_case model_cases[] = {
	{"formula", test_formula}, {"padding", test_padding}, {"gradient", test_gradient}, {0}};
static const mt_test_case batch_cases[] = {{"epochs", test_epochs}, {"batch", test_batch}, {0}};
static const mt_test_suite suites[] = {{"model", model_cases, NULL, NULL}, {"batches", batch_cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
