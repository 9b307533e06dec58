/* The training loop. */
#include <stdlib.h>

#include "train_mnist/train_mnist.h"

enum { MAX_PENDING = 32, MAX_PARAMETERS = 64 };

/* Losses that the device may still be computing: on an asynchronous device they are read together, so that the queue
 * does not run dry at every step. */
struct pending {
	mt_tensor *loss[MAX_PENDING];
	mt_tensor *hits[MAX_PENDING]; /* the batch's right answers; MT_NONE where the run keeps no history */
	int64_t images[MAX_PENDING];
	int n, limit;
	int64_t step; /* of loss[0] */
};

struct trainer {
	struct run *run;
	mt_loader *loader;
	mt_optim *optim;
	mt_schedule schedule;
	int64_t frozen_from; /* the step before which the model's frozen children go on learning */
	int frozen;
	struct pending pending;
	mt_tensor *epoch_loss; /* f64 0-d: the sum of this epoch's losses, for checkpoints within it */
	double sum;            /* the same */
	int64_t epoch;         /* from 1 */
	int64_t begun_at;      /* steps taken when this process began */
	int64_t saved_at;      /* step of the last checkpoint */
	double begun;          /* when this epoch's training began */
};

static mt_status status_now(void) {
	return mt_error_peek() ? mt_error_peek() : MT_E_INTERNAL;
}

/* ---- making ----------------------------------------------------------------------------------------------------- */

static mt_optim *make_optim(const struct run *r) {
	mt_tensor *parameters[MAX_PARAMETERS];
	int64_t n = mt_module_parameters(r->net, parameters, MAX_PARAMETERS);
	double lr = r->options->lr;
	mt_adam_options adam = {.beta2 = r->model->beta2};
	switch (r->options->optimizer) {
	case OPTIMIZER_ADAM:
		return mt_optim_adam(parameters, n, lr, adam);
	case OPTIMIZER_ADAMW:
		return mt_optim_adamw(parameters, n, lr, adam);
	default: /* plain descent is MiniTorch's; the other networks get Nesterov's momentum */
		return mt_optim_sgd(parameters, n, lr,
		                    r->model->is_minitorch ? (mt_sgd_options){0}
		                                           : (mt_sgd_options){.momentum = 0.9, .nesterov = 1});
	}
}

static mt_schedule make_schedule(const struct run *r, int64_t total) {
	if (r->model->is_minitorch)
		return (mt_schedule){.kind = MT_SCHEDULE_LINEAR, .total = total, .floor = 0.1};
	return (mt_schedule){.kind = MT_SCHEDULE_ONE_CYCLE, .total = total, .warmup = total / 5, .start = 0.04};
}

/* The run as a checkpoint holds it. */
static struct training_state state_of(struct trainer *t) {
	static const char *const names[] = {"epoch_loss"};
	struct run *r = t->run;
	return (struct training_state){.cli = &train_mnist_cli,
	                               .settings = train_mnist_settings,
	                               .module = r->net,
	                               .optim = t->optim,
	                               .epoch = r->steps / mt_loader_batches(t->loader),
	                               .step = r->steps,
	                               .n_extra = 1,
	                               .extra_names = names,
	                               .extra = &t->epoch_loss};
}

static mt_status resume(struct trainer *t) {
	struct run *r = t->run;
	struct training_state s = state_of(t);
	mt_status status = training_load(&s, r->options->training.resume);
	if (status == MT_OK)
		status = mt_item(t->epoch_loss, &t->sum);
	if (status == MT_OK && s.step > r->progress.total_steps)
		status = mt_error_set(MT_E_FORMAT, "%s: expected at most %lld steps taken, got %lld",
		                      r->options->training.resume, (long long)r->progress.total_steps, (long long)s.step);
	r->steps = t->begun_at = t->saved_at = s.step;
	return status;
}

static mt_status prepare(struct trainer *t) {
	struct run *r = t->run;
	mt_loader_options options = loader_options(r->model);
	options.batch = r->options->batch;
	options.count = r->data->n_train;
	options.seed = r->options->seed;
	options.shuffle = 1;
	t->pending.limit = mt_device_has_host_memory(mt_device_current()) ? 1 : MAX_PENDING;
	t->loader = mt_loader_new(&r->data->train_images, &r->data->train_labels, options);
	t->optim = make_optim(r);
	t->epoch_loss = mt_retain(mt_zeros(MT_SHAPE0, MT_F64));
	if (t->loader == NULL || t->optim == NULL || t->epoch_loss == NULL)
		return status_now();
	int64_t total = mt_loader_batches(t->loader) * r->options->epochs;
	t->schedule = make_schedule(r, total);
	t->frozen_from = r->model->frozen[0] ? (int64_t)(r->model->frozen_from * (double)total) : INT64_MAX;
	progress_begin(&r->progress, total, r->options->epochs, "images", r->options->training.quiet);
	return r->options->training.resume ? resume(t) : MT_OK;
}

struct trainer *trainer_new(struct run *r) {
	struct trainer *t = calloc(1, sizeof *t);
	if (t == NULL) {
		mt_error_set(MT_E_MEMORY, "out of memory");
		return NULL;
	}
	t->run = r;
	if (prepare(t) == MT_OK)
		return t;
	trainer_free(t);
	return NULL;
}

void trainer_free(struct trainer *t) {
	if (t == NULL)
		return;
	mt_release(t->epoch_loss);
	mt_optim_free(t->optim);
	mt_loader_free(t->loader);
	free(t);
}

/* ---- losses and checkpoints ------------------------------------------------------------------------------------- */

/* Keeps the loss and the right answers of a pending step for the page. */
static mt_status keep(struct trainer *t, int i, double loss) {
	const struct pending *p = &t->pending;
	int64_t hits;
	if (t->run->history == NULL)
		return MT_OK;
	mt_status status = mt_item_i64(p->hits[i], &hits);
	if (status != MT_OK)
		return status;
	return history_add_step(t->run->history, p->step + i, loss, 100.0 * (double)hits / (double)p->images[i]);
}

/* Reads the pending losses and reports their steps. */
static mt_status flush(struct trainer *t) {
	struct pending *p = &t->pending;
	struct run *r = t->run;
	mt_status status = MT_OK;
	for (int i = 0; i < p->n; i++) {
		double loss = 0;
		if (status == MT_OK)
			status = mt_item(p->loss[i], &loss);
		if (status == MT_OK)
			status = keep(t, i, loss);
		mt_release(p->loss[i]);
		mt_release(p->hits[i]);
		if (status != MT_OK)
			continue;
		t->sum += loss;
		double seconds = r->seconds + training_now() - t->begun;
		progress_step(&r->progress, p->step + i, t->epoch, loss, (double)r->images / seconds, seconds,
		              p->step + i - t->begun_at);
		status = metrics_step(&r->metrics, p->step + i, t->epoch, loss);
	}
	p->step += p->n;
	p->n = 0;
	return status;
}

/* Writes the checkpoint of this step, if it is asked for and not there already. */
static mt_status save(struct trainer *t) {
	struct run *r = t->run;
	const char *path = r->options->training.save;
	if (path == NULL || (t->saved_at == r->steps && r->steps > t->begun_at))
		return MT_OK;
	mt_status status = flush(t);
	if (status == MT_OK && mt_fill_(t->epoch_loss, mt_f(t->sum)) == NULL)
		status = status_now();
	if (status == MT_OK)
		status = metrics_flush(&r->metrics);
	struct training_state s = state_of(t);
	if (status == MT_OK)
		status = training_save(&s, path);
	t->saved_at = r->steps;
	return status;
}

/* ---- training --------------------------------------------------------------------------------------------------- */

/* How many rows of output have their greatest value at y: i64 0-d. */
static mt_tensor *count_hits(mt_tensor *output, mt_tensor *y) {
	return mt_sum(mt_eq(mt_argmax(mt_detach(output), 1, 0), y), MT_ALL_AXES, 0);
}

static mt_status stop_learning(const char *name, mt_tensor *t, int32_t kind, void *context) {
	(void)name, (void)context;
	return kind == MT_STATE_BUFFER || mt_requires_grad_(t, 0) ? MT_OK : status_now();
}

/* The first layers have learnt what they will (Brock et al. 2017, FreezeOut): no gradients flow to them from here on, and
 * their statistics are those gathered so far. */
static mt_status freeze(struct trainer *t) {
	const struct run *r = t->run;
	t->frozen = 1;
	for (const char *const *name = r->model->frozen; *name != NULL; name++) {
		mt_module *child = mt_module_child(r->net, *name);
		if (child == NULL || mt_module_train(child, 0) != MT_OK || mt_module_visit(child, stop_learning, NULL) != MT_OK)
			return status_now();
	}
	return MT_OK;
}

static mt_status take_step(struct trainer *t, mt_tensor *x, mt_tensor *y) {
	struct run *r = t->run;
	if (!t->frozen && r->steps >= t->frozen_from && freeze(t) != MT_OK)
		return status_now();
	struct pending *p = &t->pending;
	mt_optim_set_lr(t->optim, r->options->lr * mt_schedule_factor(&t->schedule, r->steps));
	mt_tensor *output = mt_forward(r->net, x), *loss = r->model->loss(output, y);
	mt_tensor *hits = r->history ? count_hits(output, y) : MT_NONE;
	mt_status status = mt_optim_zero_grad(t->optim);
	if (status == MT_OK)
		status = mt_backward(loss);
	if (status == MT_OK)
		status = mt_optim_step(t->optim);
	if (status != MT_OK)
		return status;
	r->steps++;
	r->images += mt_tensor_size(x, 0);
	p->images[p->n] = mt_tensor_size(x, 0);
	p->hits[p->n] = mt_retain(hits);
	p->loss[p->n++] = mt_retain(mt_detach(loss));
	return p->n == p->limit ? flush(t) : MT_OK;
}

/* What follows a step: a look for SIGINT, and a checkpoint where it is time.  The epoch's end, scored, has its own. */
static mt_status after_step(struct trainer *t) {
	struct run *r = t->run;
	int64_t every = r->options->training.save_every;
	r->interrupted = training_interrupted();
	int ends_epoch = r->steps % mt_loader_batches(t->loader) == 0;
	return every > 0 && r->steps % every == 0 && !ends_epoch ? save(t) : MT_OK;
}

/* From where the epoch stands to its end. */
static mt_status train_epoch(struct trainer *t) {
	struct run *r = t->run;
	int64_t batches = mt_loader_batches(t->loader), behind = r->steps % batches;
	mt_status status = mt_loader_seek(t->loader, t->epoch - 1, behind);
	t->pending.step = r->steps + 1;
	t->frozen = 0; /* scoring between epochs sets all to training again */
	if (behind == 0)
		t->sum = 0;
	t->begun = training_now();
	for (int more = status == MT_OK; more && status == MT_OK && !r->interrupted;) {
		mt_scope *scope = mt_scope_begin();
		mt_tensor *x, *y;
		more = mt_loader_next(t->loader, &x, &y);
		if (more < 0)
			status = status_now();
		else if (more)
			status = take_step(t, x, y);
		mt_scope_end(scope);
		if (more && status == MT_OK)
			status = after_step(t);
	}
	mt_status flushed = flush(t);
	if (status == MT_OK)
		status = flushed;
	if (status == MT_OK)
		status = mt_device_synchronize(mt_device_current());
	r->seconds += training_now() - t->begun;
	return status;
}

static mt_status score_valid(const struct trainer *t) {
	struct run *r = t->run;
	const struct dataset *d = r->data;
	if (d->n_valid == 0)
		return MT_OK;
	return evaluate(r, &d->train_images, &d->train_labels, d->valid_first, d->n_valid, &r->valid);
}

static mt_status report_valid(struct trainer *t) {
	struct run *r = t->run;
	if (r->data->n_valid == 0)
		return MT_OK;
	if (r->history != NULL && history_add_valid(r->history, r->steps, r->valid.loss, r->valid.accuracy) != MT_OK)
		return status_now();
	if (t->epoch < r->options->epochs && !r->reached)
		progress_line(&r->progress, "valid accuracy %.2f%% loss %.4f", r->valid.accuracy, r->valid.loss);
	return metrics_evaluation(&r->metrics, r->steps, t->epoch, "valid", r->valid.accuracy, r->valid.loss);
}

static mt_status score_test(struct trainer *t) {
	struct run *r = t->run;
	const struct dataset *d = r->data;
	if (r->tested == r->steps)
		return MT_OK;
	mt_status status = evaluate(r, &d->test_images, &d->test_labels, 0, d->test_images.shape[0], &r->test);
	if (status != MT_OK)
		return status;
	r->tested = r->steps;
	return metrics_evaluation(&r->metrics, r->steps, t->epoch, "test", r->test.accuracy, r->test.loss);
}

/* With --to: whether this epoch is the last one. */
static mt_status look_for_end(struct trainer *t) {
	struct run *r = t->run;
	if (r->options->to < 0)
		return MT_OK;
	mt_status status = r->data->n_valid > 0 ? MT_OK : score_test(t);
	if (status == MT_OK)
		r->reached = (r->data->n_valid > 0 ? r->valid : r->test).accuracy >= r->options->to;
	return status;
}

static mt_status finish_epoch(struct trainer *t) {
	struct run *r = t->run;
	progress_wipe(&r->progress);
	progress_line(&r->progress, "epoch %lld/%lld loss %.4f images/s %.0f", (long long)t->epoch,
	              (long long)r->options->epochs, t->sum / (double)mt_loader_batches(t->loader),
	              (double)r->images / r->seconds);
	mt_status status = score_valid(t);
	if (status == MT_OK)
		status = look_for_end(t);
	return status == MT_OK ? report_valid(t) : status;
}

mt_status trainer_run(struct trainer *t) {
	struct run *r = t->run;
	int64_t batches = mt_loader_batches(t->loader), epochs = r->options->epochs;
	mt_status status = MT_OK;
	t->epoch = epochs;
	if (r->steps == batches * epochs) /* a checkpoint of the whole run: nothing is left to train */
		status = score_valid(t);
	if (r->steps == batches * epochs && status == MT_OK)
		status = look_for_end(t);
	while (r->steps < batches * epochs && status == MT_OK && !r->interrupted && !r->reached) {
		t->epoch = r->steps / batches + 1;
		status = train_epoch(t);
		if (status == MT_OK && r->steps == t->epoch * batches)
			status = finish_epoch(t);
		if (status == MT_OK && !r->interrupted)
			status = save(t);
	}
	r->epoch = t->epoch;
	progress_wipe(&r->progress);
	if (status == MT_OK)
		status = save(t);
	return status == MT_OK && !r->interrupted ? score_test(t) : status;
}
