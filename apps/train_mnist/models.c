/* train_mnist's networks. */

#include <math.h>

#include "train_mnist/train_mnist.h"

/* The parts are made one after another, so that a seed gives the same weights under every compiler. */
static int add(mt_module *net, const char *name, mt_module *layer) {
	return mt_module_add_child(net, name, layer) == MT_OK;
}

/* net where all parts went in, else NULL. */
static mt_module *finish(mt_module *net, int ok) {
	if (ok)
		return net;
	mt_module_free(net);
	return NULL;
}

static mt_module *max_pool(int size) {
	return mt_nn_max_pool2d((mt_pool_options){.kernel = {size, size}});
}

static mt_tensor *logits_loss(mt_tensor *output, mt_tensor *target) {
	return mt_cross_entropy(output, target, MT_NONE, (mt_loss_options){0});
}

static mt_tensor *smoothed_loss(mt_tensor *output, mt_tensor *target) {
	return mt_cross_entropy(output, target, MT_NONE, (mt_loss_options){.label_smoothing = 0.05});
}

static mt_tensor *log_probs_loss(mt_tensor *output, mt_tensor *target) {
	return mt_nll_loss(output, target, MT_NONE, (mt_loss_options){0});
}

/* ---- lenet: LeCun et al. 1998 with ReLU and max pooling --------------------------------------------------------- */

static mt_module *build_lenet(void) {
	mt_module *net = mt_nn_sequential(0, NULL);
	int ok = net && add(net, "conv1", mt_nn_conv2d(1, 6, 5, 5, 1, (mt_conv_options){.padding = {2, 2}})) &&
	         add(net, "relu1", mt_nn_relu()) && add(net, "pool1", max_pool(2)) &&
	         add(net, "conv2", mt_nn_conv2d(6, 16, 5, 5, 1, (mt_conv_options){0})) && add(net, "relu2", mt_nn_relu()) &&
	         add(net, "pool2", max_pool(2)) && add(net, "flatten", mt_nn_flatten(1, -1)) &&
	         add(net, "fc1", mt_nn_linear(400, 120, 1)) && add(net, "relu3", mt_nn_relu()) &&
	         add(net, "fc2", mt_nn_linear(120, 84, 1)) && add(net, "relu4", mt_nn_relu()) &&
	         add(net, "fc3", mt_nn_linear(84, 10, 1));
	return finish(net, ok);
}

/* ---- mlp -------------------------------------------------------------------------------------------------------- */

static mt_module *build_mlp(void) {
	mt_module *net = mt_nn_sequential(0, NULL);
	int ok = net && add(net, "flatten", mt_nn_flatten(1, -1)) && add(net, "fc1", mt_nn_linear(784, 256, 1)) &&
	         add(net, "relu1", mt_nn_relu()) && add(net, "fc2", mt_nn_linear(256, 10, 1));
	return finish(net, ok);
}

/* ---- fast: the quickest road to 99% ------------------------------------------------------------------------------- */

enum { MARGIN = 2 };

/* The image without MARGIN pixels at each side: digits lie in 20 × 20 pixels about their centre of mass. */
static mt_tensor *crop_forward(mt_module *module, mt_tensor *x, void *context) {
	(void)module, (void)context;
	return mt_slice(mt_slice(x, 2, MARGIN, -MARGIN, 1), 3, MARGIN, -MARGIN, 1);
}

static mt_module *crop(void) {
	static const mt_module_class kind = {.name = "Crop", .forward = crop_forward};
	return mt_module_new(&kind, NULL);
}

/* The first convolution starts as detectors of edges in all directions: derivatives of a Gaussian, with the norm that
 * weights of mt_nn_conv2d have on average. */
static mt_module *edge_conv2d(int64_t directions) {
	enum { SIZE = 5, CELLS = SIZE * SIZE, MOST = 16 };
	const double pi = 3.14159265358979323846, sigma = 1.2;
	mt_module *conv = mt_nn_conv2d(1, directions, SIZE, SIZE, 0, (mt_conv_options){0});
	float w[MOST * CELLS];
	for (int64_t d = 0; conv != NULL && d < directions; d++) {
		double angle = 2 * pi * (double)d / (double)directions, squares = 0, value[CELLS];
		for (int i = 0; i < CELLS; i++) {
			double x = i % SIZE - SIZE / 2, y = i / SIZE - SIZE / 2;
			value[i] = (x * cos(angle) + y * sin(angle)) * exp(-(x * x + y * y) / (2 * sigma * sigma));
			squares += value[i] * value[i];
		}
		for (int i = 0; i < CELLS; i++)
			w[d * CELLS + i] = (float)(value[i] / sqrt(3 * squares));
	}
	int was = mt_grad_enable(0);
	int ok = conv && mt_from_host(mt_module_get(conv, "weight"), w, (size_t)directions * CELLS * sizeof *w) == MT_OK;
	mt_grad_enable(was);
	return finish(conv, ok);
}

/* Two convolutions, each pooled before it is normalised and cut off at zero: few elements are left to do that to. */
static mt_module *build_fast(void) {
	enum { FIRST = 6, SECOND = 32 };
	mt_module *net = mt_nn_sequential(0, NULL);
	int ok = net && add(net, "crop", crop()) && add(net, "conv1", edge_conv2d(FIRST)) &&
	         add(net, "pool1", max_pool(2)) && add(net, "norm1", mt_nn_batch_norm2d(FIRST, (mt_nn_norm_options){0})) &&
	         add(net, "relu1", mt_nn_relu()) &&
	         add(net, "conv2", mt_nn_conv2d(FIRST, SECOND, 5, 5, 0, (mt_conv_options){0})) &&
	         add(net, "pool2", max_pool(2)) && add(net, "norm2", mt_nn_batch_norm2d(SECOND, (mt_nn_norm_options){0})) &&
	         add(net, "relu2", mt_nn_relu()) && add(net, "flatten", mt_nn_flatten(1, -1)) &&
	         add(net, "linear", mt_nn_linear(3 * 3 * SECOND, 10, 1));
	return finish(net, ok);
}

/* ---- minitorch: the network of MiniTorch's run_mnist_multiclass ------------------------------------------------- */

/* MiniTorch's convolution: out[o] = Σ_k w[k] x[o + k], x = 0 past the end. */
static mt_module *anchored_conv2d(int64_t in, int64_t out, int size) {
	return mt_nn_conv2d(in, out, size, size, 1, (mt_conv_options){.padding_mode = MT_PADDING_SAME_LEFT});
}

/* MiniTorch starts every parameter uniform in ±0.05. */
static mt_status start_small(const char *name, mt_tensor *t, int32_t kind, void *context) {
	(void)name, (void)kind, (void)context;
	return mt_init_uniform(t, -0.05, 0.05) ? MT_OK : mt_error_peek();
}

static mt_module *build_minitorch(void) {
	mt_module *net = mt_nn_sequential(0, NULL);
	int ok = net && add(net, "conv1", anchored_conv2d(1, 4, 3)) && add(net, "relu1", mt_nn_relu()) &&
	         add(net, "conv2", anchored_conv2d(4, 8, 3)) && add(net, "relu2", mt_nn_relu()) &&
	         add(net, "pool", mt_nn_avg_pool2d((mt_pool_options){.kernel = {4, 4}})) &&
	         add(net, "flatten", mt_nn_flatten(1, -1)) && add(net, "linear1", mt_nn_linear(392, 64, 1)) &&
	         add(net, "relu3", mt_nn_relu()) && add(net, "dropout", mt_nn_dropout(0.25)) &&
	         add(net, "linear2", mt_nn_linear(64, 10, 1)) && add(net, "log_softmax", mt_nn_log_softmax(1)) &&
	         mt_module_visit(net, start_small, NULL) == MT_OK;
	return finish(net, ok);
}

const char *const model_names[] = {"lenet", "mlp", "minitorch", "fast", NULL};

const struct model models[] = {
	{.name = "lenet",
     .build = build_lenet,
     .loss = smoothed_loss,
     .score = logits_loss,
     .optimizer = OPTIMIZER_ADAMW,
     .batch = 64,
     .lr = {0.05, 0.01, 0.01}},
	{.name = "mlp",
     .build = build_mlp,
     .loss = logits_loss,
     .score = logits_loss,
     .optimizer = OPTIMIZER_ADAMW,
     .batch = 64,
     .lr = {0.05, 0.005, 0.005}},
	{.name = "minitorch",
     .build = build_minitorch,
     .loss = log_probs_loss,
     .score = log_probs_loss,
     .is_minitorch = 1,
     .optimizer = OPTIMIZER_SGD,
     .batch = 16,
     .lr = {0.01, 0.001, 0.001}},
	{.name = "fast",
     .build = build_fast,
     .loss = smoothed_loss,
     .score = logits_loss,
     .optimizer = OPTIMIZER_ADAMW,
     .batch = 64,
     .lr = {0.05, 0.03, 0.03},
     .train = 45000,
     .beta2 = 0.99,
     .frozen = {"conv1", "norm1"},
     .frozen_from = 0.1,
     .shifts = 1},
};
