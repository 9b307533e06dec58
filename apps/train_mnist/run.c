/* The training loop and the evaluation. */
#include <stdlib.h>

#include "train_mnist/train_mnist.h"

enum { EVALUATION_BATCH = 1000, MAX_PENDING = 32, MAX_PARAMETERS = 64 };

/* Losses that the device may still be computing: on an asynchronous device they are read together, so that the queue
 * does not run dry at every step. */
struct pending {
	mt_tensor *loss[MAX_PENDING];
	int n, limit;
	int64_t step; /* of loss[0] */
	double sum;   /* of this epoch's losses so far */
};

struct training {
	struct run *run;
	mt_loader *loader;
	mt_optim *optim;
	mt_schedule schedule;
	struct pending pending;
	int64_t epoch; /* from 1 */
	double begun;  /* when this epoch's training began */
};

static mt_status status_now(void) {
	return mt_error_peek() ? mt_error_peek() : MT_E_INTERNAL;
}

/* MNIST's mean and standard deviation, in pixels / 255. */
static mt_loader_options loader_options(const struct run *r) {
	mt_loader_options o = {0};
	if (!r->model->is_minitorch) {
		o.mean = 0.1307;
		o.std = 0.3081;
	}
	return o;
}

/* ---- evaluation ------------------------------------------------------------------------------------------------- */

/* Adds one batch's loss and right answers to *loss and *right. */
static mt_status score_batch(const struct run *r, mt_tensor *x, mt_tensor *y, double *loss, int64_t *right) {
	double mean;
	int64_t hits;
	mt_tensor *output = mt_forward(r->net, x);
	mt_tensor *same = mt_eq(mt_argmax(output, 1, 0), y);
	mt_status status = mt_item(r->model->score(output, y), &mean);
	if (status == MT_OK)
		status = mt_item_i64(mt_sum(same, MT_ALL_AXES, 0), &hits);
	if (status != MT_OK)
		return status;
	*loss += mean * (double)mt_tensor_size(x, 0);
	*right += hits;
	return MT_OK;
}

static mt_status score_all(const struct run *r, mt_loader *loader, int64_t n, struct result *out) {
	double loss = 0;
	int64_t right = 0;
	mt_status status = MT_OK;
	for (int more = 1; more && status == MT_OK;) {
		mt_scope *scope = mt_scope_begin();
		mt_tensor *x, *y;
		more = mt_loader_next(loader, &x, &y);
		if (more < 0)
			status = status_now();
		else if (more)
			status = score_batch(r, x, y, &loss, &right);
		mt_scope_end(scope);
	}
	out->accuracy = 100.0 * (double)right / (double)n;
	out->loss = loss / (double)n;
	return status;
}

/* Scores n images from first on, outside the graph and without dropout. */
static mt_status evaluate(const struct run *r, const mt_host_array *images, const mt_host_array *labels, int64_t first,
                          int64_t n, struct result *out) {
	mt_loader_options options = loader_options(r);
	options.batch = EVALUATION_BATCH;
	options.first = first;
	options.count = n;
	mt_loader *loader = mt_loader_new(images, labels, options);
	if (loader == NULL)
		return status_now();
	int was = mt_grad_enable(0);
	mt_module_train(r->net, 0);
	mt_status status = score_all(r, loader, n, out);
	mt_module_train(r->net, 1);
	mt_grad_enable(was);
	mt_loader_free(loader);
	return status;
}

/* ---- training --------------------------------------------------------------------------------------------------- */

/* Reads the pending losses and reports their steps. */
static mt_status flush(struct training *t) {
	struct pending *p = &t->pending;
	struct run *r = t->run;
	mt_status status = MT_OK;
	for (int i = 0; i < p->n; i++) {
		double loss = 0;
		if (status == MT_OK)
			status = mt_item(p->loss[i], &loss);
		mt_release(p->loss[i]);
		if (status != MT_OK)
			continue;
		p->sum += loss;
		double seconds = r->seconds + now() - t->begun;
		if (report_step(&r->report, p->step + i, t->epoch, loss, (double)r->images / seconds, seconds) != 0)
			status = status_now();
	}
	p->step += p->n;
	p->n = 0;
	return status;
}

static mt_status take_step(struct training *t, mt_tensor *x, mt_tensor *y) {
	struct run *r = t->run;
	mt_optim_set_lr(t->optim, r->options->lr * mt_schedule_factor(&t->schedule, r->steps));
	mt_tensor *loss = r->model->loss(mt_forward(r->net, x), y);
	mt_status status = mt_optim_zero_grad(t->optim);
	if (status == MT_OK)
		status = mt_backward(loss);
	if (status == MT_OK)
		status = mt_optim_step(t->optim);
	if (status != MT_OK)
		return status;
	r->steps++;
	r->images += mt_tensor_size(x, 0);
	t->pending.loss[t->pending.n++] = mt_retain(mt_detach(loss));
	return t->pending.n == t->pending.limit ? flush(t) : MT_OK;
}

static mt_status train_epoch(struct training *t) {
	struct run *r = t->run;
	mt_status status = mt_loader_start(t->loader, t->epoch - 1);
	int64_t first_step = r->steps;
	t->pending.step = first_step + 1;
	t->pending.sum = 0;
	t->begun = now();
	for (int more = status == MT_OK; more && status == MT_OK;) {
		mt_scope *scope = mt_scope_begin();
		mt_tensor *x, *y;
		more = mt_loader_next(t->loader, &x, &y);
		if (more < 0)
			status = status_now();
		else if (more)
			status = take_step(t, x, y);
		mt_scope_end(scope);
	}
	mt_status flushed = flush(t);
	if (status == MT_OK)
		status = flushed;
	if (status == MT_OK)
		status = mt_device_synchronize(mt_device_current());
	r->seconds += now() - t->begun;
	if (status == MT_OK)
		report_epoch(&r->report, t->epoch, t->pending.sum / (double)(r->steps - first_step),
		             (double)r->images / r->seconds);
	return status;
}

static mt_optim *make_optim(const struct run *r) {
	mt_tensor *parameters[MAX_PARAMETERS];
	int64_t n = mt_module_parameters(r->net, parameters, MAX_PARAMETERS);
	double lr = r->options->lr;
	switch (r->options->optimizer) {
	case OPTIMIZER_ADAM:
		return mt_optim_adam(parameters, n, lr, (mt_adam_options){0});
	case OPTIMIZER_ADAMW:
		return mt_optim_adamw(parameters, n, lr, (mt_adam_options){0});
	default: /* plain descent is MiniTorch's; the other networks get Nesterov's momentum */
		return mt_optim_sgd(parameters, n, lr,
		                    r->model->is_minitorch ? (mt_sgd_options){0}
		                                           : (mt_sgd_options){.momentum = 0.9, .nesterov = 1});
	}
}

static mt_status make_training(struct training *t, struct run *r) {
	mt_loader_options options = loader_options(r);
	options.batch = r->options->batch;
	options.count = r->data->n_train;
	options.seed = r->options->seed;
	options.shuffle = 1;
	t->run = r;
	t->pending.limit = mt_device_has_host_memory(mt_device_current()) ? 1 : MAX_PENDING;
	t->loader = mt_loader_new(&r->data->train_images, &r->data->train_labels, options);
	t->optim = make_optim(r);
	if (t->loader == NULL || t->optim == NULL)
		return status_now();
	int64_t total = mt_loader_batches(t->loader) * r->options->epochs;
	if (r->model->is_minitorch)
		t->schedule = (mt_schedule){.kind = MT_SCHEDULE_LINEAR, .total = total, .floor = 0.1};
	else
		t->schedule = (mt_schedule){.kind = MT_SCHEDULE_ONE_CYCLE, .total = total, .warmup = total / 5, .start = 0.04};
	return MT_OK;
}

static mt_status score_valid(struct training *t) {
	struct run *r = t->run;
	const struct dataset *d = r->data;
	if (d->n_valid == 0)
		return MT_OK;
	mt_status status = evaluate(r, &d->train_images, &d->train_labels, d->valid_first, d->n_valid, &r->valid);
	if (status != MT_OK)
		return status;
	if (report_evaluation(&r->report, r->steps, t->epoch, "valid", r->valid.accuracy, r->valid.loss) != 0)
		return status_now();
	if (t->epoch < r->options->epochs)
		report_line(&r->report, "valid accuracy %.2f%% loss %.4f", r->valid.accuracy, r->valid.loss);
	return MT_OK;
}

mt_status train(struct run *r) {
	struct training t = {0};
	const struct dataset *d = r->data;
	mt_status status = make_training(&t, r);
	for (t.epoch = 1; t.epoch <= r->options->epochs && status == MT_OK; t.epoch++) {
		status = train_epoch(&t);
		if (status == MT_OK)
			status = score_valid(&t);
	}
	if (status == MT_OK)
		status = evaluate(r, &d->test_images, &d->test_labels, 0, d->test_images.shape[0], &r->test);
	if (status == MT_OK &&
	    report_evaluation(&r->report, r->steps, r->options->epochs, "test", r->test.accuracy, r->test.loss) != 0)
		status = status_now();
	mt_optim_free(t.optim);
	mt_loader_free(t.loader);
	return status;
}
