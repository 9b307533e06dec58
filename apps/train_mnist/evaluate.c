/* Scoring a network on a set of images. */
#include "train_mnist/train_mnist.h"

enum { EVALUATION_BATCH = 1000 };

static mt_status status_now(void) {
	return mt_error_peek() ? mt_error_peek() : MT_E_INTERNAL;
}

/* MNIST's mean and standard deviation, in pixels / 255. */
mt_loader_options loader_options(const struct model *m) {
	mt_loader_options o = {0};
	if (!m->is_minitorch) {
		o.mean = 0.1307;
		o.std = 0.3081;
	}
	return o;
}

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

mt_status evaluate(const struct run *r, const mt_host_array *images, const mt_host_array *labels, int64_t first,
                   int64_t n, struct result *out) {
	mt_loader_options options = loader_options(r->model);
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
