/* Scoring a network on a set of images. */
#include <stdlib.h>

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

/* ---- batches through the network -------------------------------------------------------------------------------- */

/* Images first … first + n − 1 of a set. */
struct images {
	const mt_host_array *images, *labels;
	int64_t first, n;
};

typedef mt_status (*batch_fn)(void *context, mt_tensor *output, mt_tensor *y);

/* The border that a shift brings round to the other side is blank in MNIST. */
static mt_tensor *output_of(mt_module *net, const struct model *m, mt_tensor *x) {
	mt_tensor *sum = mt_forward(net, x);
	if (!m->shifts)
		return sum;
	for (int dim = 2; dim <= 3; dim++)
		for (int shift = -1; shift <= 1; shift += 2)
			sum = mt_add(sum, mt_forward(net, mt_roll(x, shift, dim)));
	return mt_mul_scalar(sum, mt_f(0.2));
}

static mt_status each_batch(mt_module *net, const struct model *m, mt_loader *loader, batch_fn take, void *context) {
	mt_status status = MT_OK;
	for (int more = 1; more && status == MT_OK;) {
		mt_scope *scope = mt_scope_begin();
		mt_tensor *x, *y;
		more = mt_loader_next(loader, &x, &y);
		if (more < 0)
			status = status_now();
		else if (more)
			status = take(context, output_of(net, m, x), y);
		mt_scope_end(scope);
	}
	return status;
}

/* Gives take the network's output for each batch in turn. */
static mt_status forward(mt_module *net, const struct model *m, struct images set, batch_fn take, void *context) {
	mt_loader_options options = loader_options(m);
	options.batch = EVALUATION_BATCH;
	options.first = set.first;
	options.count = set.n;
	mt_loader *loader = mt_loader_new(set.images, set.labels, options);
	if (loader == NULL)
		return status_now();
	int was = mt_grad_enable(0);
	mt_module_train(net, 0);
	mt_status status = each_batch(net, m, loader, take, context);
	mt_module_train(net, 1);
	mt_grad_enable(was);
	mt_loader_free(loader);
	return status;
}

/* ---- scores ----------------------------------------------------------------------------------------------------- */

struct score {
	const struct model *model;
	double loss; /* sums over images */
	int64_t right;
};

static mt_status score_batch(void *context, mt_tensor *output, mt_tensor *y) {
	struct score *s = context;
	double mean;
	int64_t hits;
	mt_tensor *same = mt_eq(mt_argmax(output, 1, 0), y);
	mt_status status = mt_item(s->model->score(output, y), &mean);
	if (status == MT_OK)
		status = mt_item_i64(mt_sum(same, MT_ALL_AXES, 0), &hits);
	if (status != MT_OK)
		return status;
	s->loss += mean * (double)mt_tensor_size(output, 0);
	s->right += hits;
	return MT_OK;
}

mt_status evaluate(const struct run *r, const mt_host_array *images, const mt_host_array *labels, int64_t first,
                   int64_t n, struct result *out) {
	struct score s = {.model = r->model};
	mt_status status = forward(r->net, r->model, (struct images){images, labels, first, n}, score_batch, &s);
	out->accuracy = 100.0 * (double)s.right / (double)n;
	out->loss = s.loss / (double)n;
	return status;
}

/* ---- probabilities ---------------------------------------------------------------------------------------------- */

/* An output that is log p already stays as it is: log softmax does not change it. */
static mt_status keep_log_probs(void *context, mt_tensor *output, mt_tensor *y) {
	float(**at)[DIGITS] = context;
	int64_t n = mt_tensor_size(y, 0);
	mt_status status = mt_to_host(mt_log_softmax(output, 1), *at, (size_t)n * sizeof **at);
	*at += n;
	return status;
}

mt_status classify(mt_module *net, const struct model *m, const mt_host_array *images, float (*log_probs)[DIGITS]) {
	mt_host_array labels = {.dtype = MT_U8, .rank = 1, .shape = {images->shape[0]}}; /* the loader wants some */
	labels.data = calloc(1, (size_t)images->shape[0]);
	if (labels.data == NULL)
		return mt_error_set(MT_E_MEMORY, "out of memory");
	mt_status status =
		forward(net, m, (struct images){images, &labels, 0, images->shape[0]}, keep_log_probs, &log_probs);
	free(labels.data);
	return status;
}
