/* Scoring a model on sentences. */
#include "train_sentiment/evaluate.h"

#include <stdlib.h>

#include "train_sentiment/vocabulary.h"

static mt_status status_now(void) {
	return mt_error_peek() ? mt_error_peek() : MT_E_INTERNAL;
}

/* What is done with each batch: the i-th of b, its sentences' logits and labels. */
typedef mt_status (*batch_fn)(const struct batches *b, int64_t i, mt_tensor *logits, mt_tensor *labels, void *context);

/* model's logits for all of b, outside the graph and without dropout. */
static mt_status each_batch(mt_module *model, struct batches *b, batch_fn take, void *context) {
	int was = mt_grad_enable(0), was_training = mt_module_training(model);
	mt_module_train(model, 0);
	mt_status status = batches_plan(b, 0, 0);
	for (int64_t i = 0; i < batches_count(b) && status == MT_OK; i++) {
		mt_scope *scope = mt_scope_begin();
		mt_tensor *ids, *labels;
		status = batches_get(b, i, &ids, &labels);
		if (status == MT_OK)
			status = take(b, i, mt_forward(model, ids), labels, context);
		mt_scope_end(scope);
	}
	mt_module_train(model, was_training);
	mt_grad_enable(was);
	return status;
}

/* ---- scores ----------------------------------------------------------------------------------------------------- */

struct score {
	double loss;
	int64_t right;
};

static mt_status add_score(const struct batches *b, int64_t i, mt_tensor *logits, mt_tensor *labels, void *context) {
	struct score *s = context;
	double loss;
	int64_t right;
	(void)b, (void)i;
	mt_loss_options sum = {.reduction = MT_REDUCTION_SUM};
	mt_tensor *same = mt_eq(mt_argmax(logits, 1, 0), labels);
	mt_status status = mt_item(mt_cross_entropy(logits, labels, MT_NONE, sum), &loss);
	if (status == MT_OK)
		status = mt_item_i64(mt_sum(same, MT_ALL_AXES, 0), &right);
	if (status != MT_OK)
		return status;
	s->loss += loss;
	s->right += right;
	return MT_OK;
}

mt_status evaluate(mt_module *model, const struct corpus *corpus, const uint32_t *members, int64_t n,
                   struct result *out) {
	struct batches b;
	struct score s = {0};
	mt_status status = batches_new(&b, corpus, members, n, EVALUATION_BATCH);
	if (status == MT_OK)
		status = each_batch(model, &b, add_score, &s);
	batches_free(&b);
	out->accuracy = 100 * (double)s.right / (double)n;
	out->loss = s.loss / (double)n;
	return status;
}

/* ---- predictions ------------------------------------------------------------------------------------------------ */

static mt_status keep_probabilities(const struct batches *b, int64_t i, mt_tensor *logits, mt_tensor *labels,
                                    void *context) {
	float *probability = context, batch[EVALUATION_BATCH];
	int64_t n;
	(void)labels;
	const uint32_t *sentences = batches_sentences(b, i, &n);
	mt_tensor *positive = mt_narrow(mt_softmax(logits, 1), 1, 1, 1);
	if (mt_to_host(positive, batch, (size_t)n * sizeof *batch) != MT_OK)
		return status_now();
	for (int64_t k = 0; k < n; k++)
		probability[sentences[k]] = batch[k];
	return MT_OK;
}

mt_status predict(mt_module *model, const struct corpus *corpus, float *probability) {
	struct batches b;
	uint32_t *members = malloc((size_t)corpus->n * sizeof *members);
	if (members == NULL)
		return mt_error_set(MT_E_MEMORY, "no memory for %lld sentences", (long long)corpus->n);
	for (int64_t i = 0; i < corpus->n; i++)
		members[i] = (uint32_t)i;
	mt_status status = batches_new(&b, corpus, members, corpus->n, EVALUATION_BATCH);
	if (status == MT_OK)
		status = each_batch(model, &b, keep_probabilities, probability);
	batches_free(&b);
	free(members);
	return status;
}
