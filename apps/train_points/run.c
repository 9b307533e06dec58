/* The training loop. */
#include <math.h>
#include <stdlib.h>

#include "train_points/train_points.h"

enum { LOG_EVERY = 10, MAX_PENDING = 32 };

/* An epoch under way.  Losses that the device may still be computing are read together, so that an asynchronous device's
 * queue does not run dry at every step. */
struct epoch {
	struct run *run;
	mt_tensor *x, *y; /* the points in this epoch's order, and their labels */
	int64_t batch;    /* the next one */
	mt_tensor *losses[MAX_PENDING];
	int64_t sizes[MAX_PENDING];
	int n_losses, limit;
	double begun;
};

static mt_status status_now(void) {
	return mt_error_peek() ? mt_error_peek() : MT_E_INTERNAL;
}

static int64_t batch_size(const struct run *r) {
	return r->options->batch < r->points->n ? r->options->batch : r->points->n;
}

int64_t run_batches(const struct run *r) {
	return (r->points->n + batch_size(r) - 1) / batch_size(r);
}

double run_seconds_per_epoch(const struct run *r) {
	return r->trained == 0 ? 0 : r->seconds * (double)run_batches(r) / (double)r->trained;
}

/* ---- steps ------------------------------------------------------------------------------------------------------ */

/* The epoch's points on the device: one copy an epoch, of which the batches are views. */
static mt_status upload(struct epoch *e) {
	struct run *r = e->run;
	const struct points *p = r->points;
	int64_t n = p->n;
	uint32_t *order = malloc((size_t)n * sizeof *order);
	float *xy = malloc((size_t)n * 2 * sizeof *xy), *labels = malloc((size_t)n * sizeof *labels);
	mt_status status = order && xy && labels
	                       ? mt_epoch_order(r->options->seed, r->epoch, n, order)
	                       : mt_error_set(MT_E_MEMORY, "no memory for an epoch of %lld points", (long long)n);
	for (int64_t i = 0; i < n && status == MT_OK; i++) {
		xy[2 * i] = ((const float *)p->xy.data)[2 * order[i]];
		xy[2 * i + 1] = ((const float *)p->xy.data)[2 * order[i] + 1];
		labels[i] = (float)points_label(p, order[i]);
	}
	if (status == MT_OK) {
		e->x = mt_from_data(MT_SHAPE(n, 2), MT_F32, xy);
		e->y = mt_from_data(MT_SHAPE(n, 1), MT_F32, labels);
		status = e->x && e->y ? MT_OK : status_now();
	}
	free(order);
	free(xy);
	free(labels);
	return status;
}

/* Reads the pending losses and reports their steps. */
static mt_status flush(struct epoch *e) {
	struct run *r = e->run;
	mt_status status = MT_OK;
	for (int i = 0; i < e->n_losses; i++) {
		double loss = 0;
		if (status == MT_OK)
			status = mt_item(e->losses[i], &loss);
		mt_release(e->losses[i]);
		if (status != MT_OK)
			continue;
		int64_t step = r->step - e->n_losses + i + 1;
		r->epoch_sum += loss * (double)e->sizes[i];
		status = metrics_step(&r->metrics, step, r->epoch + 1, loss);
		double seconds = r->seconds + training_now() - e->begun;
		progress_step(&r->progress, step, r->epoch + 1, loss, (double)(r->trained * batch_size(r)) / seconds, seconds,
		              r->trained);
	}
	e->n_losses = 0;
	return status;
}

static void set_rate(struct run *r) {
	const struct options *o = r->options;
	mt_schedule s = {.kind = o->schedule == SCHEDULE_LINEAR ? MT_SCHEDULE_LINEAR : MT_SCHEDULE_CONSTANT,
	                 .total = o->epochs * run_batches(r),
	                 .floor = 0.1};
	mt_optim_set_lr(r->optim, o->rate * mt_schedule_factor(&s, r->step));
}

static mt_status take_step(struct epoch *e) {
	struct run *r = e->run;
	int64_t first = e->batch * batch_size(r), n = r->points->n - first;
	n = n < batch_size(r) ? n : batch_size(r);
	set_rate(r);
	mt_tensor *loss = mt_bce_with_logits_loss(mt_forward(r->net, mt_narrow(e->x, 0, first, n)),
	                                          mt_narrow(e->y, 0, first, n), MT_NONE, MT_NONE, MT_REDUCTION_MEAN);
	mt_status status = mt_optim_zero_grad(r->optim);
	if (status == MT_OK)
		status = mt_backward(loss);
	if (status == MT_OK)
		status = mt_optim_step(r->optim);
	if (status != MT_OK)
		return status;
	e->batch++;
	r->step++;
	r->trained++;
	e->sizes[e->n_losses] = n;
	e->losses[e->n_losses++] = mt_retain(mt_detach(loss));
	return e->n_losses == e->limit ? flush(e) : MT_OK;
}

/* A checkpoint, where one is asked for; not counted as training. */
static mt_status save(struct run *r) {
	if (r->options->training.save == NULL)
		return MT_OK;
	mt_status status = metrics_flush(&r->metrics);
	return status == MT_OK ? run_save(r, r->options->training.save) : status;
}

/* --save-every; the last step of an epoch is saved with what follows it. */
static mt_status save_within(struct epoch *e) {
	struct run *r = e->run;
	int64_t every = r->options->training.save_every;
	if (every == 0 || r->step % every != 0 || e->batch == run_batches(r))
		return MT_OK;
	mt_status status = flush(e);
	r->seconds += training_now() - e->begun;
	if (status == MT_OK)
		status = save(r);
	e->begun = training_now();
	return status;
}

/* ---- epochs ----------------------------------------------------------------------------------------------------- */

/* The steps of an epoch that are still to do, until an interrupt. */
static mt_status take_steps(struct epoch *e) {
	mt_status status = upload(e);
	while (status == MT_OK && e->batch < run_batches(e->run) && !training_interrupted()) {
		mt_scope *scope = mt_scope_begin();
		status = take_step(e);
		mt_scope_end(scope);
		if (status == MT_OK)
			status = save_within(e);
	}
	mt_status flushed = flush(e);
	if (status == MT_OK)
		status = flushed;
	return status == MT_OK ? mt_device_synchronize(mt_device_current()) : status;
}

static mt_status take_snapshot(struct run *r) {
	struct history *h = &r->history;
	if (h->every == 0 || h->n_snapshots == MAX_SNAPSHOTS)
		return MT_OK;
	struct snapshot *s = &h->snapshots[h->n_snapshots++];
	s->epoch = r->epoch;
	s->correct = r->score.correct;
	s->loss = r->loss;
	return net_map(r->net, r->points, SNAPSHOT_SIDE, s->cells);
}

static int is_done(const struct run *r) {
	return r->epoch >= r->options->epochs || (r->options->until_correct && r->score.correct == r->points->n);
}

static mt_status end_epoch(struct run *r) {
	double n = (double)r->points->n;
	r->epoch++;
	r->loss = r->epoch_sum / n;
	r->epoch_sum = 0;
	mt_status status = net_score(r->net, r->points, &r->score);
	if (status != MT_OK)
		return status;
	history_add(&r->history, r->loss, r->score.correct);
	if (is_done(r) || (r->history.every > 0 && r->history.n % r->history.every == 0))
		status = take_snapshot(r);
	if (status == MT_OK)
		status = metrics_evaluation(&r->metrics, r->step, r->epoch, "all", 100.0 * (double)r->score.correct / n,
		                            r->score.loss);
	if (r->epoch % LOG_EVERY == 0 || is_done(r)) {
		progress_wipe(&r->progress);
		progress_line(&r->progress, "Epoch  %lld  loss  %.4f  correct %lld  %.6f s/epoch", (long long)r->epoch, r->loss,
		              (long long)r->score.correct, run_seconds_per_epoch(r));
	}
	return status;
}

static mt_status train_epoch(struct run *r) {
	struct epoch e = {.run = r, .batch = r->step - r->epoch * run_batches(r), .begun = training_now()};
	e.limit = mt_device_has_host_memory(mt_device_current()) ? 1 : MAX_PENDING;
	mt_scope *scope = mt_scope_begin();
	mt_status status = take_steps(&e);
	mt_scope_end(scope);
	r->seconds += training_now() - e.begun;
	if (status == MT_OK && e.batch == run_batches(r))
		status = end_epoch(r);
	return status == MT_OK ? save(r) : status;
}

mt_status run_train(struct run *r) {
	mt_status status = net_score(r->net, r->points, &r->score);
	if (status == MT_OK)
		status = take_snapshot(r);
	while (status == MT_OK && !is_done(r) && !training_interrupted())
		status = train_epoch(r);
	if (status == MT_OK && r->trained == 0) /* a checkpoint of a run that was over */
		status = save(r);
	return status;
}
