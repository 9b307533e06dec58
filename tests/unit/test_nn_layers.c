/* Layers that normalise, Embedding, Residual: modes, running statistics, gradients, saving, printing, errors; and
 * training a recurrent net and a transformer on small tasks. */
#include <math.h>
#include <stdlib.h>

#include "modules.h"

static const mt_nn_norm_options plain = {0};
static const int64_t five[] = {5}, two_three[] = {2, 3};

static mt_tensor *forward(mt_tensor *const *in, int n, void *context) {
	(void)n;
	return mt_forward(context, in[0]);
}

/* ---- batch norm -------------------------------------------------------------------------------------------------- */

static int64_t batches(mt_module *m) {
	int64_t n = -1;
	MT_CHECK_INT(mt_item_i64(mt_module_get(m, "num_batches_tracked"), &n), MT_OK);
	return n;
}

static void batch_norm_on_device(void) {
	row("train");
	mt_module *m = mt_nn_batch_norm1d(2, (mt_nn_norm_options){.momentum = 0.5});
	mt_tensor *x = mt_from_data(MT_SHAPE(2, 2), MT_F32, (const float[]){1, 10, 3, 30});
	CHECK_NEAR_VALUES(mt_forward(m, x), 1e-5, -1, -1, 1, 1);
	CHECK_NEAR_VALUES(mt_module_get(m, "running_mean"), 1e-6, 1, 10);
	CHECK_NEAR_VALUES(mt_module_get(m, "running_var"), 1e-4, 1.5, 100.5);
	MT_CHECK_INT(batches(m), 1);
	CHECK_SHAPE(mt_forward(m, mt_ones(MT_SHAPE(4, 2, 3), MT_F32)), 4, 2, 3);
	MT_CHECK_INT(batches(m), 2);
	row("eval: the running ones, which stay");
	mt_module_train(m, 0);
	mt_tensor *mean = mt_clone(mt_module_get(m, "running_mean"));
	CHECK_NEAR_VALUES(mean, 1e-6, 1, 5.5);
	CHECK_NEAR_VALUES(mt_forward(m, x), 1e-5, 0, 4.5 / sqrt(50.25 + 1e-5), 2 / sqrt(0.75 + 1e-5),
	                  24.5 / sqrt(50.25 + 1e-5));
	CHECK_NEAR_VALUES(mt_module_get(m, "running_mean"), 1e-6, 1, 5.5);
	CHECK_SHAPE(mt_forward(m, mt_ones(MT_SHAPE(1, 2), MT_F32)), 1, 2); /* one value is enough */
	MT_CHECK_INT(batches(m), 2);
	check_saved(m, mt_nn_batch_norm1d(2, plain));
	row("without running statistics: the batch's in evaluation too");
	m = mt_nn_batch_norm2d(2, (mt_nn_norm_options){.no_running = 1, .no_affine = 1});
	mt_tensor *image = random_like(MT_SHAPE(2, 2, 3, 3), MT_F32, -1, 1, 1);
	double *trained = elements(mt_forward(m, image));
	mt_module_train(m, 0);
	CHECK_CLOSE(mt_forward(m, image), trained, 36, 0, 1);
	MT_CHECK_INT(mt_module_parameters(m, NULL, 0), 0);
	free(trained);
	mt_module_free(m);
	row("an empty batch counts, but moves nothing");
	m = mt_nn_batch_norm3d(3, plain);
	CHECK_SHAPE(mt_forward(m, mt_zeros(MT_SHAPE(0, 3, 2, 2, 2), MT_F32)), 0, 3, 2, 2, 2);
	CHECK_VALUES(mt_module_get(m, "running_var"), 1, 1, 1);
	MT_CHECK_INT(batches(m), 1);
	mt_module_free(m);
}

static void batch_norm(void) {
	each_backend(batch_norm_on_device);
}

/* ---- gradients of every layer ------------------------------------------------------------------------------------ */

static mt_module *residual_net(void) {
	return mt_nn_residual(mt_nn_sequential(MT_MODULES(mt_nn_linear(5, 3, 1), mt_nn_tanh(), mt_nn_linear(3, 5, 0))));
}

static void gradients_on_device(void) {
	static const int64_t shapes[][4] = {{4, 3}, {3, 2, 3}, {2, 3, 2, 2}, {4, 5}, {3, 2, 3}, {2, 4, 3}, {4, 5}, {4, 5}};
	static const int ranks[] = {2, 3, 4, 2, 3, 3, 2, 2};
	mt_module *layers[] = {mt_nn_batch_norm1d(3, plain),          mt_nn_batch_norm1d(2, plain),
	                       mt_nn_batch_norm2d(3, plain),          mt_nn_layer_norm(1, five, plain),
	                       mt_nn_layer_norm(2, two_three, plain), mt_nn_group_norm(2, 4, plain),
	                       mt_nn_rms_norm(1, five, plain),        residual_net()};
	for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
		mt_tensor *x = mt_requires_grad_(random_like(ranks[i], shapes[i], MT_F64, -1, 1, i + 1), 1);
		MT_REQUIRE(layers[i] != NULL);
		row("%s", mt_module_class_name(layers[i]));
		module_to_f64(layers[i]);
		fill_parameters(layers[i]);
		check_module_gradients(layers[i], forward, &x, 1, 1);
		mt_module_train(layers[i], 0);
		row("%s eval", mt_module_class_name(layers[i]));
		check_module_gradients(layers[i], forward, &x, 1, 1);
		mt_module_free(layers[i]);
	}
}

static void gradients(void) {
	each_backend(gradients_on_device);
}

/* ---- relu before max pooling -------------------------------------------------------------------------------------- */

enum { IMAGE = 5 * 5, POOLED = 2 * 2 };

/* Σ c · pool(relu(x)), in Sequential or layer by layer: y, and x's gradient. */
static void pooled(int sequential, const float *values, float *y, float *g) {
	const float c[POOLED] = {1.5f, -2, 0.25f, 3};
	mt_scope *scope = mt_scope_begin();
	mt_module *relu = mt_nn_relu(), *pool = mt_nn_max_pool2d((mt_pool_options){.kernel = {2, 2}});
	mt_module *net = mt_nn_sequential(MT_MODULES(relu, pool));
	mt_tensor *x = mt_requires_grad_(mt_from_data(MT_SHAPE(1, 1, 5, 5), MT_F32, values), 1);
	mt_tensor *out = sequential ? mt_forward(net, x) : mt_forward(pool, mt_forward(relu, x));
	MT_CHECK_INT(mt_to_host(out, y, POOLED * sizeof *y), MT_OK);
	mt_tensor *weights = mt_from_data(MT_SHAPE(1, 1, 2, 2), MT_F32, c);
	MT_CHECK_INT(mt_backward(mt_sum(mt_mul(out, weights), MT_ALL_AXES, 0)), MT_OK);
	MT_CHECK_INT(mt_to_host(mt_grad(x), g, IMAGE * sizeof *g), MT_OK);
	mt_module_free(net);
	mt_scope_end(scope);
}

/* Sequential pools first: the same bits, also where the largest is below zero, or twice there, or no number. */
static void relu_and_pool_on_device(void) {
	static const float images[][IMAGE] = {
		{1, 2, -3, -4, 9, 3, 4, -1, -2, 9, 5, 5, 0, -0.0f, 9, 5, 5, -0.0f, -1, 9, 9, 9, 9, 9, 9},
		{-1, NAN, 1, 1, 0, 2, NAN, 1, 1, 0, -INFINITY, -1, INFINITY, 2, 0, -2, -3, 3, INFINITY, 0, 0, 0, 0, 0, NAN}};
	for (size_t i = 0; i < sizeof images / sizeof *images; i++) {
		float y[2][POOLED], g[2][IMAGE];
		row("image %zu", i);
		for (int k = 0; k < 2; k++)
			pooled(k, images[i], y[k], g[k]);
		MT_CHECK(memcmp(y[0], y[1], sizeof *y) == 0);
		MT_CHECK(memcmp(g[0], g[1], sizeof *g) == 0);
	}
}

static void relu_and_pool(void) {
	each_backend(relu_and_pool_on_device);
}

/* ---- embedding, residual ----------------------------------------------------------------------------------------- */

static void embedding_on_device(void) {
	row("embedding");
	mt_seed(4);
	mt_module *m = mt_nn_embedding(50, 40, 3);
	mt_tensor *w = mt_module_get(m, "weight");
	double mean, square, row3;
	MT_CHECK_INT(mt_item(mt_mean(w, MT_ALL_AXES, 0), &mean), MT_OK);
	MT_CHECK_INT(mt_item(mt_mean(mt_square(w), MT_ALL_AXES, 0), &square), MT_OK);
	MT_CHECK_INT(mt_item(mt_sum(mt_abs(mt_index(w, 0, 3)), MT_ALL_AXES, 0), &row3), MT_OK);
	MT_CHECK_MSG(fabs(mean) < 0.1 && fabs(square - 0.98) < 0.12 && row3 == 0, "mean %g, square %g, row 3 %g", mean,
	             square, row3);
	mt_tensor *index = mt_from_data(MT_SHAPE(2, 2), MT_I64, (const int64_t[]){3, 1, 3, 49});
	mt_tensor *y = mt_forward(m, index);
	CHECK_SHAPE(y, 2, 2, 40);
	MT_CHECK_INT(mt_backward(mt_sum(y, MT_ALL_AXES, 0)), MT_OK);
	CHECK_VALUES(mt_sum(mt_grad(w), MT_ALL_AXES, 0), 80);
	CHECK_VALUES(mt_sum(mt_index(mt_grad(w), 0, 3), MT_ALL_AXES, 0), 0);
	CHECK_OUT_OF_RANGE(mt_forward(m, mt_full(MT_SHAPE(1), MT_I64, mt_i(50))),
	                   mt_device_has_host_memory(mt_device_current()) ? "Embedding: embedding" : "embedding");
	mt_module_free(m);
	row("residual");
	m = residual_net();
	mt_tensor *x = random_like(MT_SHAPE(2, 5), MT_F32, -1, 1, 1);
	double *inner = elements(mt_add(x, mt_forward(mt_module_child(m, "module"), x)));
	CHECK_CLOSE(mt_forward(m, x), inner, 10, 0, 1);
	free(inner);
	MT_CHECK(mt_forward(m, mt_zeros(MT_SHAPE(2, 4), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "module.0 (Linear): ");
	mt_module_free(m);
}

static void embedding(void) {
	each_backend(embedding_on_device);
}

/* ---- printing, saving, errors ------------------------------------------------------------------------------------ */

static void printed(void) {
	static const struct {
		int kind;
		const char *text;
	} rows[] = {
		{0, "BatchNorm2d(8, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)  16 parameters\n"},
		{1, "BatchNorm1d(3, eps=0.001, momentum=0, affine=False, track_running_stats=False)\n"},
		{2, "LayerNorm((5,), eps=1e-05, elementwise_affine=True)  10 parameters\n"},
		{3, "LayerNorm((2, 3), eps=1e-06, elementwise_affine=False)\n"},
		{4, "GroupNorm(3, 6, eps=1e-05, affine=True)  12 parameters\n"},
		{5, "RMSNorm((5,), eps=1e-05, elementwise_affine=True)  5 parameters\n"},
		{6, "Embedding(10, 3, padding_idx=0)  30 parameters\n"},
		{7, "Embedding(10, 3)  30 parameters\n"},
		{8, "Residual(\n  (module): Linear(3, 3, bias=True)  12 parameters\n)  12 parameters\n"},
	};
	const mt_nn_norm_options bare = {.eps = 1e-3, .momentum = -1, .no_affine = 1, .no_running = 1},
							 free_of = {.eps = 1e-6, .no_affine = 1};
	mt_module *layers[] = {mt_nn_batch_norm2d(8, plain),
	                       mt_nn_batch_norm1d(3, bare),
	                       mt_nn_layer_norm(1, five, plain),
	                       mt_nn_layer_norm(2, two_three, free_of),
	                       mt_nn_group_norm(3, 6, plain),
	                       mt_nn_rms_norm(1, five, plain),
	                       mt_nn_embedding(10, 3, 0),
	                       mt_nn_embedding(10, 3, -1),
	                       mt_nn_residual(mt_nn_linear(3, 3, 1))};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("layer %d", rows[i].kind);
		CHECK_PRINTED(layers[rows[i].kind], rows[i].text);
		mt_module_free(layers[rows[i].kind]);
	}
}

static mt_module *all_of_them(void) {
	return mt_nn_sequential(MT_MODULES(mt_nn_embedding(5, 4, -1), mt_nn_batch_norm1d(3, plain),
	                                   mt_nn_batch_norm2d(3, plain), mt_nn_batch_norm3d(2, plain),
	                                   mt_nn_layer_norm(2, two_three, plain),
	                                   mt_nn_group_norm(1, 3, (mt_nn_norm_options){.no_bias = 1}),
	                                   mt_nn_rms_norm(1, five, plain), mt_nn_residual(mt_nn_linear(4, 4, 1))));
}

static void saved(void) {
	mt_module *m = all_of_them(), *other = all_of_them();
	MT_REQUIRE(m != NULL && other != NULL);
	int was = mt_grad_enable(0);
	MT_CHECK(mt_fill_(mt_module_get(m, "1.num_batches_tracked"), mt_i(1234567890123)) != NULL);
	MT_CHECK(mt_fill_(mt_module_get(m, "2.running_mean"), mt_f(0.25)) != NULL);
	MT_CHECK(mt_fill_(mt_module_get(m, "5.weight"), mt_f(-3)) != NULL);
	mt_grad_enable(was);
	MT_CHECK(mt_module_get(m, "5.bias") == NULL);
	CHECK_ERROR(MT_E_ARG, "GroupNorm 5 has: weight");
	check_saved(m, other);
}

static void errors(void) {
	MT_CHECK(mt_nn_batch_norm2d(0, plain) == NULL);
	CHECK_ERROR(MT_E_ARG, "BatchNorm2d: features must be at least 1, got 0");
	MT_CHECK(mt_nn_batch_norm1d(3, (mt_nn_norm_options){.momentum = 1.5}) == NULL);
	CHECK_ERROR(MT_E_ARG, "BatchNorm1d: momentum is 1.5");
	MT_CHECK(mt_nn_group_norm(2, 3, plain) == NULL);
	CHECK_ERROR(MT_E_ARG, "GroupNorm: channels must be a positive multiple of groups, got 3 and 2");
	MT_CHECK(mt_nn_group_norm(1, 3, (mt_nn_norm_options){.eps = (double)NAN}) == NULL);
	CHECK_ERROR(MT_E_ARG, "GroupNorm: eps");
	MT_CHECK(mt_nn_layer_norm(0, five, plain) == NULL);
	CHECK_ERROR(MT_E_ARG, "LayerNorm: n must be 1 to 8, got 0");
	MT_CHECK(mt_nn_rms_norm(1, NULL, plain) == NULL);
	CHECK_ERROR(MT_E_NULL, "RMSNorm: shape");
	MT_CHECK(mt_nn_layer_norm(1, (const int64_t[]){0}, plain) == NULL);
	CHECK_ERROR(MT_E_ARG, "LayerNorm: the extents must be at least 1, got 0");
	MT_CHECK(mt_nn_embedding(3, 0, -1) == NULL);
	CHECK_ERROR(MT_E_ARG, "got 3 and 0");
	MT_CHECK(mt_nn_embedding(3, 2, 3) == NULL);
	CHECK_ERROR(MT_E_ARG, "padding_idx is -1 (none) or below 3, got 3");
	MT_CHECK(mt_nn_residual(NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "nn_residual: module");
	mt_module *m = mt_nn_batch_norm2d(3, plain);
	MT_CHECK(mt_forward(m, mt_zeros(MT_SHAPE(2, 3), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "BatchNorm2d: batch_norm: x is [2, 3]; [N, C, H, W] is needed");
	MT_CHECK(mt_forward(m, mt_zeros(MT_SHAPE(2, 4, 1, 2), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "weight is f32[3]");
	MT_CHECK(mt_forward(m, mt_zeros(MT_SHAPE(1, 3, 1, 1), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "more than one value a channel");
	MT_CHECK_INT(batches(m), 0); /* a batch that failed is none */
	mt_module_free(m);
	m = mt_nn_layer_norm(1, five, (mt_nn_norm_options){.no_affine = 1});
	MT_CHECK(mt_forward(m, mt_zeros(MT_SHAPE(2, 3), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "layer_norm: x is [2, 3]; its last dims must be [5]");
	mt_module_free(m);
	m = mt_nn_group_norm(1, 3, (mt_nn_norm_options){.no_affine = 1});
	MT_CHECK(mt_forward(m, mt_zeros(MT_SHAPE(2, 4), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "group_norm: x is [2, 4]; [N, 3, …] is needed");
	mt_module_free(m);
}

/* ---- learning ---------------------------------------------------------------------------------------------------- */

/* Steps of Adam on a loss made by step(m, head, i); the mean loss of the last 10. */
typedef mt_tensor *(*loss_fn)(mt_module *net, mt_module *head);

static double train(mt_module *net, mt_module *head, loss_fn loss_of, int steps, double rate) {
	mt_tensor *parameters[64];
	int64_t n = mt_module_parameters(net, parameters, 32);
	n += mt_module_parameters(head, parameters + n, 32);
	mt_optim *optim = mt_optim_adam(parameters, n, rate, (mt_adam_options){0});
	double mean = 0;
	for (int i = 0; i < steps && optim != NULL; i++) {
		mt_scope *scope = mt_scope_begin();
		double value = NAN;
		mt_tensor *loss = loss_of(net, head);
		MT_CHECK(mt_backward(loss) == MT_OK && mt_optim_step(optim) == MT_OK && mt_optim_zero_grad(optim) == MT_OK);
		MT_CHECK_INT(mt_item(mt_detach(loss), &value), MT_OK);
		mean += i >= steps - 10 ? value / 10 : 0;
		mt_scope_end(scope);
	}
	MT_CHECK_STR(mt_error_take(NULL), "");
	mt_optim_free(optim);
	return mean;
}

enum { LENGTH = 6, SAMPLES = 32 };

/* The parity of the bits so far, at each step: it has to be remembered. */
static mt_tensor *parity_loss(mt_module *net, mt_module *head) {
	mt_tensor *bits = mt_randint(0, 2, MT_SHAPE(LENGTH, SAMPLES));
	mt_tensor *t = mt_arange(mt_i(0), mt_i(LENGTH), mt_i(1), MT_I64);
	mt_tensor *sums = mt_matmul(mt_cast(mt_ge(mt_unsqueeze(t, 1), t), MT_I64), bits);
	mt_tensor *so_far = mt_remainder(sums, mt_scalar_tensor(mt_i(2), MT_I64));
	mt_tensor *x = mt_unsqueeze(mt_sub_scalar(mt_cast(bits, MT_F32), mt_f(0.5)), 2);
	mt_tensor *logits = mt_reshape(mt_forward(head, mt_forward(net, x)), MT_SHAPE(LENGTH * SAMPLES, 2));
	return mt_cross_entropy(logits, mt_reshape(so_far, MT_SHAPE(LENGTH * SAMPLES)), MT_NONE, (mt_loss_options){0});
}

/* The sequence backwards: each position must look at another one. */
static mt_tensor *reversal_loss(mt_module *net, mt_module *head) {
	mt_tensor *tokens = mt_randint(0, 4, MT_SHAPE(SAMPLES, LENGTH));
	mt_tensor *place = mt_expand(mt_eye(LENGTH, LENGTH, MT_F32), MT_SHAPE(SAMPLES, LENGTH, LENGTH));
	mt_tensor *what =
		mt_reshape(mt_one_hot(mt_reshape(tokens, MT_SHAPE(SAMPLES * LENGTH)), 4, MT_F32), MT_SHAPE(SAMPLES, LENGTH, 4));
	mt_tensor *x = mt_cat((mt_tensor *[]){what, place, mt_zeros(MT_SHAPE(SAMPLES, LENGTH, 6), MT_F32)}, 3, 2);
	mt_tensor *logits = mt_reshape(mt_forward(head, mt_forward(net, x)), MT_SHAPE(SAMPLES * LENGTH, 4));
	mt_tensor *target = mt_reshape(mt_flip(tokens, 1), MT_SHAPE(SAMPLES * LENGTH));
	return mt_cross_entropy(logits, target, MT_NONE, (mt_loss_options){0});
}

static void learning_on_device(void) {
	mt_module *net, *head;
	double loss;
	row("lstm: parity");
	mt_seed(1);
	net = mt_nn_lstm(1, 16, (mt_nn_rnn_options){0});
	head = mt_nn_linear(16, 2, 1);
	loss = train(net, head, parity_loss, 300, 0.02);
	MT_CHECK_MSG(loss < 0.1, "loss %g (0.693 knows nothing)", loss);
	mt_test_note("lstm parity: loss %g", loss);
	mt_module_free(net);
	mt_module_free(head);
	row("gru: parity");
	mt_seed(1);
	net = mt_nn_gru(1, 16, (mt_nn_rnn_options){0});
	head = mt_nn_linear(16, 2, 1);
	loss = train(net, head, parity_loss, 300, 0.02);
	MT_CHECK_MSG(loss < 0.1, "loss %g (0.693 knows nothing)", loss);
	mt_test_note("gru parity: loss %g", loss);
	mt_module_free(net);
	mt_module_free(head);
	row("transformer: reversal");
	mt_seed(1);
	net = mt_nn_transformer_encoder_layer(16, 2, 32, (mt_nn_transformer_options){.norm_first = 1});
	head = mt_nn_linear(16, 4, 1);
	loss = train(net, head, reversal_loss, 300, 0.01);
	MT_CHECK_MSG(loss < 0.1, "loss %g (1.386 knows nothing)", loss);
	mt_test_note("transformer reversal: loss %g", loss);
	mt_module_free(net);
	mt_module_free(head);
}

static void learning(void) {
	each_backend(learning_on_device);
}

static const mt_test_case cases[] = {
	{"batch_norm", batch_norm}, {"gradients", gradients}, {"relu_and_pool", relu_and_pool},
	{"embedding", embedding},   {"printed", printed},     {"saved", saved},
	{"errors", errors},         {"learning", learning},   {0}};
static const mt_test_suite suites[] = {{"nn_layers", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
