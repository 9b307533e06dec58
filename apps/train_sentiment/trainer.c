/* The training loop: steps, epochs, early stopping. */
#include "train_sentiment/trainer_state.h"

#include "train_sentiment/vocabulary.h"

static mt_status status_now(void) {
	return mt_error_peek() ? mt_error_peek() : MT_E_INTERNAL;
}

/* ---- steps ------------------------------------------------------------------------------------------------------ */

/* Reads what is pending and reports its steps. */
static mt_status flush(struct trainer *t) {
	struct pending *p = &t->pending;
	struct run *r = t->run;
	mt_status status = MT_OK;
	for (int i = 0; i < p->n; i++) {
		double loss = 0, right = 0;
		if (status == MT_OK)
			status = mt_item(p->loss[i], &loss);
		if (status == MT_OK)
			status = mt_item(p->right[i], &right);
		mt_release(p->loss[i]);
		mt_release(p->right[i]);
		if (status != MT_OK)
			continue;
		t->course.loss += loss;
		t->course.right += right;
		double seconds = r->seconds + training_now() - t->begun;
		progress_step(&r->progress, p->step + i, t->epoch, loss, (double)r->sentences / seconds, seconds,
		              p->step + i - t->begun_at);
		status = metrics_step(&r->metrics, p->step + i, t->epoch, loss);
	}
	p->step += p->n;
	p->n = 0;
	return status;
}

/* ids with some of the words unknown; padding stays. */
static mt_tensor *drop_words(mt_tensor *ids, double p) {
	if (p == 0)
		return ids;
	mt_tensor *is_word = mt_zip_scalar(MT_ZIP_NE, ids, mt_i(PADDING_ID));
	mt_tensor *drawn = mt_bernoulli(mt_tensor_rank(ids), mt_tensor_shape(ids), MT_BOOL, p);
	return mt_masked_fill(ids, mt_logical_and(drawn, is_word), mt_i(UNKNOWN_ID));
}

static mt_status take_step(struct trainer *t, mt_tensor *ids, mt_tensor *labels) {
	struct run *r = t->run;
	struct pending *p = &t->pending;
	mt_optim_set_lr(t->optim, r->options->lr * mt_schedule_factor(&t->schedule, r->steps));
	mt_tensor *logits = mt_forward(r->model, drop_words(ids, r->options->word_dropout));
	mt_tensor *loss = mt_cross_entropy(logits, labels, MT_NONE, (mt_loss_options){0});
	mt_status status = mt_optim_zero_grad(t->optim);
	if (status == MT_OK)
		status = mt_backward(loss);
	if (status == MT_OK)
		status = mt_optim_step(t->optim);
	mt_tensor *right = mt_sum(mt_eq(mt_argmax(mt_detach(logits), 1, 0), labels), MT_ALL_AXES, 0);
	if (status == MT_OK && right == NULL)
		status = status_now();
	if (status != MT_OK)
		return status;
	r->steps++;
	r->sentences += mt_tensor_size(ids, 0);
	p->loss[p->n] = mt_retain(mt_detach(loss));
	p->right[p->n++] = mt_retain(right);
	return p->n == p->limit ? flush(t) : MT_OK;
}

/* Step number i of the epoch, and a checkpoint where it is time.  After the last step the epoch's end writes one. */
static mt_status train_batch(struct trainer *t, int64_t i) {
	struct run *r = t->run;
	int64_t every = r->options->training.save_every;
	mt_scope *scope = mt_scope_begin();
	mt_tensor *ids, *labels;
	mt_status status = batches_get(&t->batches, i, &ids, &labels);
	if (status == MT_OK)
		status = take_step(t, ids, labels);
	mt_scope_end(scope);
	r->interrupted = training_interrupted();
	if (status == MT_OK && every > 0 && r->steps % every == 0 && i + 1 < batches_count(&t->batches)) {
		status = flush(t);
		if (status == MT_OK)
			status = trainer_save(t);
	}
	return status;
}

/* From where the epoch stands to its end. */
static mt_status train_epoch(struct trainer *t) {
	struct run *r = t->run;
	int64_t n = batches_count(&t->batches), behind = r->steps - (t->epoch - 1) * n;
	mt_status status = batches_plan(&t->batches, r->options->seed, t->epoch);
	t->pending.step = r->steps + 1;
	if (behind == 0)
		t->course.loss = t->course.right = 0;
	t->begun = training_now();
	for (int64_t i = behind; i < n && status == MT_OK && !r->interrupted; i++)
		status = train_batch(t, i);
	if (status == MT_OK)
		status = flush(t);
	if (status == MT_OK)
		status = mt_device_synchronize(mt_device_current());
	r->seconds += training_now() - t->begun;
	return status;
}

/* ---- epochs ----------------------------------------------------------------------------------------------------- */

static mt_status keep_best(struct trainer *t, const struct result *valid) {
	struct course *c = &t->course;
	int better = c->best_epoch == 0 || valid->accuracy > c->best_accuracy ||
	             (valid->accuracy == c->best_accuracy && valid->loss < c->best_loss);
	if (!better)
		return MT_OK;
	c->best_accuracy = valid->accuracy;
	c->best_loss = valid->loss;
	c->best_epoch = (double)t->epoch;
	return trainer_copy_weights(t->best, t->run->model);
}

static mt_status finish_epoch(struct trainer *t) {
	struct run *r = t->run;
	const struct dataset *d = r->data;
	struct result valid;
	mt_status status = evaluate(r->model, &d->corpus, d->valid, d->n_valid, &valid);
	if (status == MT_OK)
		status = keep_best(t, &valid);
	if (status != MT_OK)
		return status;
	t->course.scored = (double)t->epoch;
	progress_wipe(&r->progress);
	progress_line(&r->progress, "epoch %lld/%lld loss %.4f train accuracy %.2f%% valid accuracy %.2f%% best %.2f%%",
	              (long long)t->epoch, (long long)r->options->epochs,
	              t->course.loss / (double)batches_count(&t->batches), 100 * t->course.right / (double)d->n_train,
	              valid.accuracy, t->course.best_accuracy);
	return metrics_evaluation(&r->metrics, r->steps, t->epoch, "valid", valid.accuracy, valid.loss);
}

static int is_over(const struct trainer *t) {
	const struct options *o = t->run->options;
	return t->course.scored >= (double)o->epochs || t->course.scored - t->course.best_epoch >= (double)o->patience;
}

/* The best weights' score on the test sentences. */
static mt_status finish(struct trainer *t) {
	struct run *r = t->run;
	const struct dataset *d = r->data;
	r->valid = (struct result){t->course.best_accuracy, t->course.best_loss};
	r->best_epoch = (int64_t)t->course.best_epoch;
	r->epochs = (int64_t)t->course.scored;
	mt_status status = evaluate(t->best, &d->corpus, d->test, d->n_test, &r->test);
	if (status != MT_OK)
		return status;
	return metrics_evaluation(&r->metrics, r->steps, r->epochs, "test", r->test.accuracy, r->test.loss);
}

mt_status trainer_run(struct trainer *t) {
	struct run *r = t->run;
	int64_t n = batches_count(&t->batches);
	mt_status status = MT_OK;
	while (status == MT_OK && !is_over(t) && !r->interrupted) {
		t->epoch = (int64_t)t->course.scored + 1;
		status = train_epoch(t);
		if (status == MT_OK && r->steps == t->epoch * n)
			status = finish_epoch(t);
		if (status == MT_OK)
			status = trainer_save(t);
	}
	progress_wipe(&r->progress);
	if (status == MT_OK && r->steps == t->begun_at) /* a checkpoint of the whole run: --save still writes one */
		status = trainer_save(t);
	return status == MT_OK && !r->interrupted ? finish(t) : status;
}
