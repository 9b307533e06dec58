/* Networks that show one kind of layer at the size it has in practice, each with a small head for the loss. */
#include "bench/nets.h"

/* ---- a wide multi-layer perceptron over MNIST's pixels ------------------------------------------------------------ */

enum { PIXELS = 784 };

static mt_module *build_mlp_wide(const int64_t *n) {
	mt_module *net = mt_nn_sequential(0, NULL);
	int ok = net && bench_net_add(net, "fc1", mt_nn_linear(PIXELS, n[1], 1)) &&
	         bench_net_add(net, "relu1", mt_nn_relu()) && bench_net_add(net, "fc2", mt_nn_linear(n[1], n[1], 1)) &&
	         bench_net_add(net, "relu2", mt_nn_relu()) &&
	         bench_net_add(net, "fc3", mt_nn_linear(n[1], BENCH_CLASSES, 1));
	return bench_net_finish(net, ok);
}

static mt_tensor *pixels(const int64_t *n) {
	return mt_randn(MT_SHAPE(n[0], PIXELS), MT_F32);
}

static double mlp_wide_flops(const int64_t *n) {
	double first = bench_net_linear_flops(PIXELS, n[1]);
	double rest = bench_net_linear_flops(n[1], n[1]) + bench_net_linear_flops(n[1], BENCH_CLASSES);
	return (double)n[0] * bench_step_flops(first + rest, first);
}

const struct bench_net bench_net_mlp_wide = {
	.op = "mlp_wide",
	.names = {"batch", "hidden", NULL},
	.build = build_mlp_wide,
	.input = pixels,
	.target = bench_net_classes,
	.loss = bench_net_cross_entropy,
	.optim = bench_net_momentum,
	.flops = mlp_wide_flops,
};

/* ---- the basic block of ResNet's first stage (He et al. 2016) ----------------------------------------------------- */

static mt_module *conv3x3(int64_t channels) {
	return mt_nn_conv2d(channels, channels, 3, 3, 0, (mt_conv_options){.padding = {1, 1}});
}

static mt_module *build_two_convs(int64_t channels) {
	mt_module *net = mt_nn_sequential(0, NULL);
	int ok = net && bench_net_add(net, "conv1", conv3x3(channels)) &&
	         bench_net_add(net, "bn1", mt_nn_batch_norm2d(channels, (mt_nn_norm_options){0})) &&
	         bench_net_add(net, "relu1", mt_nn_relu()) && bench_net_add(net, "conv2", conv3x3(channels)) &&
	         bench_net_add(net, "bn2", mt_nn_batch_norm2d(channels, (mt_nn_norm_options){0}));
	return bench_net_finish(net, ok);
}

static mt_module *build_resnet_block(const int64_t *n) {
	mt_module *net = mt_nn_sequential(0, NULL);
	int ok = net && bench_net_add(net, "block", mt_nn_residual(build_two_convs(n[1]))) &&
	         bench_net_add(net, "relu2", mt_nn_relu()) &&
	         bench_net_add(net, "pool", mt_nn_adaptive_avg_pool(2, (const int64_t[]){1, 1})) &&
	         bench_net_add(net, "flatten", mt_nn_flatten(1, -1)) &&
	         bench_net_add(net, "fc", mt_nn_linear(n[1], BENCH_CLASSES, 1));
	return bench_net_finish(net, ok);
}

static mt_tensor *feature_maps(const int64_t *n) {
	return mt_randn(MT_SHAPE(n[0], n[1], n[2], n[2]), MT_F32);
}

static double resnet_block_flops(const int64_t *n) {
	double conv = bench_net_linear_flops(9 * n[1], n[1]) * (double)(n[2] * n[2]);
	return (double)n[0] * bench_step_flops(2 * conv + bench_net_linear_flops(n[1], BENCH_CLASSES), conv);
}

const struct bench_net bench_net_resnet_block = {
	.op = "resnet_block",
	.names = {"batch", "channels", "side", NULL},
	.build = build_resnet_block,
	.input = feature_maps,
	.target = bench_net_classes,
	.loss = bench_net_cross_entropy,
	.optim = bench_net_momentum,
	.flops = resnet_block_flops,
	.kinks = 10, /* in f64 too, inputs changed by 1e-6 change the gradient by 2e-4 of its largest element */
};

/* ---- two LSTM layers, the last step's state classified ------------------------------------------------------------ */

enum { LSTM_LAYERS = 2 };

static mt_tensor *last_step(mt_module *m, mt_tensor *x, void *context) {
	(void)m, (void)context;
	return mt_index(x, 1, -1);
}

static const mt_module_class last_step_class = {.name = "LastStep", .forward = last_step};

static mt_module *build_lstm(const int64_t *n) {
	mt_module *net = mt_nn_sequential(0, NULL);
	mt_nn_rnn_options options = {.layers = LSTM_LAYERS, .batch_first = 1};
	int ok = net && bench_net_add(net, "lstm", mt_nn_lstm(n[2], n[2], options)) &&
	         bench_net_add(net, "last", mt_module_new(&last_step_class, NULL)) &&
	         bench_net_add(net, "fc", mt_nn_linear(n[2], BENCH_CLASSES, 1));
	return bench_net_finish(net, ok);
}

/* What an embedding would give. */
static mt_tensor *sequences(const int64_t *n) {
	return mt_randn(MT_SHAPE(n[0], n[1], n[2]), MT_F32);
}

static double lstm_flops(const int64_t *n) {
	double step = bench_net_linear_flops(n[2], 4 * n[2]); /* of one layer's input, or of its state */
	double forward = 2 * LSTM_LAYERS * (double)n[1] * step + bench_net_linear_flops(n[2], BENCH_CLASSES);
	/* Without a gradient: the data, and each layer's zero state before the first step. */
	return (double)n[0] * bench_step_flops(forward, (double)n[1] * step + LSTM_LAYERS * step);
}

const struct bench_net bench_net_lstm = {
	.op = "lstm",
	.names = {"batch", "steps", "hidden", NULL},
	.build = build_lstm,
	.input = sequences,
	.target = bench_net_classes,
	.loss = bench_net_cross_entropy,
	.optim = bench_net_adam,
	.flops = lstm_flops,
};

/* ---- a transformer encoder layer (Vaswani et al. 2017): 64 features a head, 4 · embed in between, dropout 0.1 ------ */

enum { HEAD = 64, WIDENING = 4 };

static mt_tensor *mean_position(mt_module *m, mt_tensor *x, void *context) {
	(void)m, (void)context;
	return mt_mean(x, MT_AXES(1), 0);
}

static const mt_module_class mean_position_class = {.name = "MeanPosition", .forward = mean_position};

static mt_module *build_transformer(const int64_t *n) {
	mt_module *net = mt_nn_sequential(0, NULL);
	mt_nn_transformer_options options = {.dropout = 0.1};
	int ok =
		net &&
		bench_net_add(net, "layer", mt_nn_transformer_encoder_layer(n[2], n[2] / HEAD, WIDENING * n[2], options)) &&
		bench_net_add(net, "mean", mt_module_new(&mean_position_class, NULL)) &&
		bench_net_add(net, "fc", mt_nn_linear(n[2], BENCH_CLASSES, 1));
	return bench_net_finish(net, ok);
}

static double transformer_flops(const int64_t *n) {
	double qkv = bench_net_linear_flops(n[2], 3 * n[2]), out = bench_net_linear_flops(n[2], n[2]);
	double feedforward = 2 * bench_net_linear_flops(n[2], WIDENING * n[2]);
	double attention = 2 * bench_net_linear_flops(n[2], n[1]); /* q @ kᵀ, and the weights @ v */
	double position = bench_step_flops(qkv + attention + out + feedforward, qkv);
	return (double)n[0] * ((double)n[1] * position + 3 * bench_net_linear_flops(n[2], BENCH_CLASSES));
}

const struct bench_net bench_net_transformer = {
	.op = "transformer",
	.names = {"batch", "length", "embed", NULL},
	.build = build_transformer,
	.input = sequences,
	.target = bench_net_classes,
	.loss = bench_net_cross_entropy,
	.optim = bench_net_adam,
	.flops = transformer_flops,
};
