/* Suite limits: whole epochs of a perceptron 784-500-10 under AdamW on MNIST, in shuffled batches of 500: what a user's
 * training loop takes, the loader's work included. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/limits.h"
#include "bench/nets.h"

enum { IMAGES = 60000, PIXELS = 28 * 28, BATCH = 500, HIDDEN = 500, PARAMETERS = 4 };

struct epoch {
	mt_host_array images, labels;
	mt_loader *loader;
	mt_module *net;
	mt_optim *optim;
	int64_t number;
};

static void epoch_free(void *state) {
	struct epoch *e = state;
	if (e == NULL)
		return;
	mt_optim_free(e->optim);
	mt_module_free(e->net);
	mt_loader_free(e->loader);
	mt_host_array_free(&e->images);
	mt_host_array_free(&e->labels);
	free(e);
}

/* MNIST where MT_DATA_DIR has it, else synthetic digits, which take the same work. */
static mt_status load(struct epoch *e) {
	const char *data = getenv("MT_DATA_DIR");
	char dir[1000];
	snprintf(dir, sizeof dir, "%s/mnist", data != NULL ? data : "data");
	return mt_mnist_present(dir) ? mt_mnist_load(dir, "train", &e->images, &e->labels)
	                             : mt_digits_generate(IMAGES, 1, &e->images, &e->labels);
}

static mt_module *build(void) {
	mt_module *net = mt_nn_sequential(0, NULL);
	int ok = net != NULL && bench_net_add(net, "flatten", mt_nn_flatten(1, -1)) &&
	         bench_net_add(net, "fc1", mt_nn_linear(PIXELS, HIDDEN, 1)) && bench_net_add(net, "relu", mt_nn_relu()) &&
	         bench_net_add(net, "fc2", mt_nn_linear(HIDDEN, BENCH_CLASSES, 1));
	return bench_net_finish(net, ok);
}

static void *epoch_make(const struct bench_case *c) {
	mt_tensor *parameters[PARAMETERS];
	struct epoch *e = calloc(1, sizeof *e);
	if (e == NULL) {
		mt_error_set(MT_E_MEMORY, "%s: out of memory", c->op);
		return NULL;
	}
	mt_loader_options options = {
		.batch = BATCH, .count = IMAGES, .seed = 1, .shuffle = 1, .mean = 0.1307, .std = 0.3081};
	if (load(e) == MT_OK)
		e->loader = mt_loader_new(&e->images, &e->labels, options);
	e->net = build();
	if (e->net != NULL && mt_module_parameters(e->net, parameters, PARAMETERS) == PARAMETERS)
		e->optim = mt_optim_adamw(parameters, PARAMETERS, 0.001, (mt_adam_options){0});
	if (e->loader != NULL && e->optim != NULL)
		return e;
	epoch_free(e);
	return NULL;
}

static mt_status train_batch(struct epoch *e, mt_tensor *x, mt_tensor *y) {
	mt_status status = mt_optim_zero_grad(e->optim);
	if (status == MT_OK)
		status = mt_backward(bench_net_cross_entropy(mt_forward(e->net, x), y));
	return status == MT_OK ? mt_optim_step(e->optim) : status;
}

static mt_status epoch_run(void *state) {
	struct epoch *e = state;
	mt_status status = mt_loader_start(e->loader, e->number++);
	for (int more = 1; status == MT_OK && more == 1;) {
		mt_tensor *x, *y;
		mt_scope *scope = mt_scope_begin();
		more = mt_loader_next(e->loader, &x, &y);
		if (more == 1)
			status = train_batch(e, x, y);
		mt_scope_end(scope);
		if (more < 0)
			status = mt_error_peek();
	}
	return status;
}

/* Nothing is compared: after 120 steps of AdamW the smallest difference in rounding has grown. */
static mt_tensor *epoch_output(void *state) {
	(void)state;
	return MT_NONE;
}

static const struct bench_kind kind = {epoch_make, epoch_run, epoch_output, epoch_free};

int limits_add_epoch(struct bench_cases *cases) {
	struct bench_case c = {.op = "mlp_epoch", .dtype = MT_F32, .x = HIDDEN, .kind = &kind};
	double first = bench_net_linear_flops(PIXELS, HIDDEN), second = bench_net_linear_flops(HIDDEN, BENCH_CLASSES);
	snprintf(c.size, sizeof c.size, "images=%d,batch=%d,hidden=%d", IMAGES, BATCH, HIDDEN);
	c.flops = IMAGES * bench_step_flops(first + second, first);
	c.examples = IMAGES;
	c.reference_cost = c.flops;
	return bench_cases_add(cases, &c);
}
