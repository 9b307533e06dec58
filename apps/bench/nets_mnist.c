/* train_mnist's networks, and a multi-layer perceptron of any width. */
#include <string.h>

#include "bench/nets.h"
#include "train_mnist/train_mnist.h"

enum { SIDE = 28 };

static const struct model *mnist_model(const char *name) {
	for (int i = 0; model_names[i] != NULL; i++)
		if (strcmp(model_names[i], name) == 0)
			return &models[i];
	mt_error_set(MT_E_INTERNAL, "train_mnist has no network %s", name);
	return NULL;
}

static mt_module *build_lenet(const int64_t *n) {
	(void)n;
	const struct model *m = mnist_model("lenet");
	return m != NULL ? m->build() : NULL;
}

static mt_module *build_mlp(const int64_t *n) {
	(void)n;
	const struct model *m = mnist_model("mlp");
	return m != NULL ? m->build() : NULL;
}

static mt_tensor *lenet_loss(mt_tensor *output, mt_tensor *target) {
	const struct model *m = mnist_model("lenet");
	return m != NULL ? m->loss(output, target) : NULL;
}

static mt_tensor *mlp_loss(mt_tensor *output, mt_tensor *target) {
	const struct model *m = mnist_model("mlp");
	return m != NULL ? m->loss(output, target) : NULL;
}

static mt_optim *adamw_of(const char *name, mt_tensor *const *parameters, int64_t n) {
	const struct model *m = mnist_model(name);
	return m != NULL ? mt_optim_adamw(parameters, n, m->lr[OPTIMIZER_ADAMW], (mt_adam_options){0}) : NULL;
}

static mt_optim *lenet_optim(mt_tensor *const *parameters, int64_t n) {
	return adamw_of("lenet", parameters, n);
}

static mt_optim *mlp_optim(mt_tensor *const *parameters, int64_t n) {
	return adamw_of("mlp", parameters, n);
}

static mt_tensor *images(const int64_t *n) {
	return mt_randn(MT_SHAPE(n[0], 1, SIDE, SIDE), MT_F32);
}

static double lenet_flops(const int64_t *n) {
	double conv1 = SIDE * SIDE * bench_net_linear_flops(25, 6), conv2 = 10 * 10 * bench_net_linear_flops(150, 16);
	double linear = bench_net_linear_flops(400, 120) + bench_net_linear_flops(120, 84) + bench_net_linear_flops(84, 10);
	return (double)n[0] * bench_step_flops(conv1 + conv2 + linear, conv1);
}

static double mlp_flops(const int64_t *n) {
	double fc1 = bench_net_linear_flops(SIDE * SIDE, 256), fc2 = bench_net_linear_flops(256, 10);
	return (double)n[0] * bench_step_flops(fc1 + fc2, fc1);
}

/* The multi-layer perceptron of ggml's mnist example, 784-hidden-10: there hidden is 500, and the batch is 500 too. */
static mt_module *build_mlp_mnist(const int64_t *n) {
	mt_module *net = mt_nn_sequential(0, NULL);
	int ok = net && bench_net_add(net, "flatten", mt_nn_flatten(1, -1)) &&
	         bench_net_add(net, "fc1", mt_nn_linear(SIDE * SIDE, n[1], 1)) &&
	         bench_net_add(net, "relu1", mt_nn_relu()) &&
	         bench_net_add(net, "fc2", mt_nn_linear(n[1], BENCH_CLASSES, 1));
	return bench_net_finish(net, ok);
}

static mt_optim *mlp_mnist_optim(mt_tensor *const *parameters, int64_t n) {
	return mt_optim_adamw(parameters, n, 0.001, (mt_adam_options){0});
}

static double mlp_mnist_flops(const int64_t *n) {
	double fc1 = bench_net_linear_flops(SIDE * SIDE, n[1]), fc2 = bench_net_linear_flops(n[1], BENCH_CLASSES);
	return (double)n[0] * bench_step_flops(fc1 + fc2, fc1);
}

const struct bench_net bench_net_mlp_mnist = {
	.op = "mlp_mnist",
	.names = {"batch", "hidden", NULL},
	.build = build_mlp_mnist,
	.input = images,
	.target = bench_net_classes,
	.loss = bench_net_cross_entropy,
	.optim = mlp_mnist_optim,
	.flops = mlp_mnist_flops,
};

const struct bench_net bench_net_lenet = {
	.op = "lenet",
	.names = {"batch", NULL},
	.build = build_lenet,
	.input = images,
	.target = bench_net_classes,
	.loss = lenet_loss,
	.optim = lenet_optim,
	.flops = lenet_flops,
};

const struct bench_net bench_net_mlp = {
	.op = "mlp",
	.names = {"batch", NULL},
	.build = build_mlp,
	.input = images,
	.target = bench_net_classes,
	.loss = mlp_loss,
	.optim = mlp_optim,
	.flops = mlp_flops,
};
