/* Modules: the tree, names, forward, layers, initialisation, printing. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mt/mt.h"
#include "mt_test.h"

static const char *taken(mt_status *status) {
	return mt_error_take(status);
}

#define CHECK_FAILS(call, status, part)                                                                                \
	do {                                                                                                               \
		mt_status got_;                                                                                                \
		MT_CHECK(call);                                                                                                \
		MT_CHECK_CONTAINS(taken(&got_), part);                                                                         \
		MT_CHECK_INT(got_, status);                                                                                    \
	} while (0)

/* ---- modules of one's own --------------------------------------------------------------------------------------- */

static int released;

static mt_tensor *scale_forward(mt_module *m, mt_tensor *x, void *context) {
	(void)context;
	return mt_mul(x, mt_module_get(m, "factor"));
}

static mt_tensor *silent_forward(mt_module *m, mt_tensor *x, void *context) {
	(void)m, (void)x, (void)context;
	return NULL;
}

static void note_release(void *context) {
	released += *(int *)context;
}

static const mt_module_class scale_class = {"Scale", scale_forward, NULL, note_release};
static const mt_module_class silent_class = {"Silent", silent_forward, NULL, NULL};

static int one = 1, ten = 10;

static mt_module *new_scale(int *weight, double factor) {
	mt_module *m = mt_module_new(&scale_class, weight);
	mt_module_add_parameter(m, "factor", mt_full(MT_SHAPE0, MT_F32, mt_f(factor)));
	return m;
}

static void test_own_module(void) {
	released = 0;
	mt_module *m = new_scale(&one, 3);
	mt_tensor *y = mt_forward(m, mt_full(MT_SHAPE(2), MT_F32, mt_f(4)));
	double value;
	MT_REQUIRE(y != NULL);
	MT_CHECK(mt_module_context(m) == &one);
	MT_CHECK_STR(mt_module_class_name(m), "Scale");
	MT_REQUIRE(mt_get(y, (int64_t[]){1}, &value) == MT_OK);
	MT_CHECK_NEAR(value, 12, 0);
	MT_REQUIRE(mt_backward(mt_sum(y, MT_ALL_AXES, 0)) == MT_OK);
	MT_REQUIRE(mt_item(mt_grad(mt_module_get(m, "factor")), &value) == MT_OK);
	MT_CHECK_NEAR(value, 8, 0);
	MT_CHECK_INT(mt_module_zero_grad(m), MT_OK);
	MT_CHECK(mt_tensor_is_none(mt_grad(mt_module_get(m, "factor"))));
	mt_module_free(m);
	MT_CHECK_INT(released, 1);
}

static void test_class_errors(void) {
	static const mt_module_class no_forward = {"Nothing", NULL, NULL, note_release};
	released = 0;
	CHECK_FAILS(mt_module_new(NULL, NULL) == NULL, MT_E_NULL, "class is NULL");
	CHECK_FAILS(mt_module_new(&no_forward, &ten) == NULL, MT_E_ARG, "no forward");
	MT_CHECK_INT(released, 10); /* the context is the module's, also on failure */
	mt_module_free(NULL);
}

static void test_tree(void) {
	released = 0;
	mt_module *root = new_scale(&one, 1), *inner = new_scale(&ten, 2), *leaf = new_scale(&one, 5);
	MT_CHECK_INT(mt_module_add_child(inner, "leaf", leaf), MT_OK);
	MT_CHECK_INT(mt_module_add_child(root, "inner", inner), MT_OK);
	MT_CHECK(mt_module_child(root, "inner.leaf") == leaf);
	MT_CHECK(mt_module_child(root, "") == root);
	MT_CHECK(mt_module_get(root, "inner.leaf.factor") == mt_module_get(leaf, "factor"));
	MT_CHECK_STR(mt_module_name(leaf), "leaf");
	MT_CHECK_STR(mt_module_name(root), "");
	MT_CHECK_INT(mt_module_n_children(root), 1);
	MT_CHECK(mt_module_child_at(root, 0) == inner && mt_module_child_at(root, 1) == NULL);
	CHECK_FAILS(mt_module_child(root, "inner.no") == NULL, MT_E_ARG, "no 'inner.no'; Scale inner has: factor, leaf");
	CHECK_FAILS(mt_module_get(root, "inner.leaf") == NULL, MT_E_ARG, "'inner.leaf'; Scale inner.leaf has: factor");
	CHECK_FAILS((mt_module_free(inner), 1), MT_E_STATE, "'inner' is part of another module");
	MT_CHECK_INT(released, 0);
	MT_CHECK_INT(mt_module_train(root, 0), MT_OK);
	MT_CHECK(!mt_module_training(root) && !mt_module_training(leaf));
	MT_CHECK_INT(mt_module_train(inner, 7), MT_OK);
	MT_CHECK(!mt_module_training(root) && mt_module_training(inner) == 1 && mt_module_training(leaf) == 1);
	mt_module_free(root);
	MT_CHECK_INT(released, 12);
}

static void test_add_errors(void) {
	static const char *const bad_names[] = {"", "a.b", "factor", "child",
	                                        "0123456789012345678901234567890123456789012345678901234567890123"};
	released = 0;
	mt_module *m = new_scale(&one, 1);
	MT_CHECK_INT(mt_module_add_child(m, "child", new_scale(&one, 1)), MT_OK);
	mt_tensor *t = mt_zeros(MT_SHAPE(2), MT_F32);
	for (size_t i = 0; i < sizeof bad_names / sizeof *bad_names; i++) {
		mt_test_row("name '%s'", bad_names[i]);
		CHECK_FAILS(mt_module_add_parameter(m, bad_names[i], t) == MT_E_ARG, MT_E_ARG, "module_add_parameter: ");
		CHECK_FAILS(mt_module_add_buffer(m, bad_names[i], t) == MT_E_ARG, MT_E_ARG, "module_add_buffer: ");
		CHECK_FAILS(mt_module_add_child(m, bad_names[i], new_scale(&ten, 1)) == MT_E_ARG, MT_E_ARG,
		            "module_add_child: ");
	}
	MT_CHECK_INT(released, 50); /* a child that does not go in is freed */
	mt_test_row("tensors");
	CHECK_FAILS(mt_module_add_parameter(m, "p", NULL) != MT_OK, MT_E_NULL, "module_add_parameter");
	CHECK_FAILS(mt_module_add_parameter(m, "p", MT_NONE) != MT_OK, MT_E_ARG, "module_add_parameter");
	CHECK_FAILS(mt_module_add_parameter(m, "p", mt_zeros(MT_SHAPE(1), MT_I64)) != MT_OK, MT_E_DTYPE, "");
	CHECK_FAILS(mt_module_add_parameter(NULL, "p", t) == MT_E_NULL, MT_E_NULL, "module is NULL");
	mt_test_row("children");
	CHECK_FAILS(mt_module_add_child(m, "x", NULL) == MT_E_NULL, MT_E_NULL, "x is NULL");
	CHECK_FAILS(mt_module_add_child(m, "m", m) == MT_E_STATE, MT_E_STATE, "part of itself");
	CHECK_FAILS(mt_module_add_child(mt_module_child(m, "child"), "m", m) == MT_E_STATE, MT_E_STATE, "part of itself");
	CHECK_FAILS(mt_module_add_child(m, "again", mt_module_child(m, "child")) == MT_E_STATE, MT_E_STATE, "already");
	MT_CHECK_INT(mt_module_add_buffer(m, "b", mt_zeros(MT_SHAPE(1), MT_I64)), MT_OK);
	mt_module_free(m);
}

/* 100,000 levels: nothing may recurse. */
static void test_deep_tree(void) {
	released = 0;
	mt_module *root = mt_module_new(&scale_class, &one), *at = root;
	for (int i = 0; i < 100000 && at != NULL; i++) {
		mt_module *child = mt_module_new(&scale_class, &one);
		MT_REQUIRE(mt_module_add_child(child, "x", at) == MT_OK); /* a new root above: checks nothing below */
		at = child;
	}
	MT_CHECK_INT(mt_module_train(at, 0), MT_OK);
	mt_module_free(at);
	MT_CHECK_INT(released, 100001);
}

/* ---- state ------------------------------------------------------------------------------------------------------ */

static mt_status note_name(const char *name, mt_tensor *t, int32_t kind, void *context) {
	(void)t;
	char *text = context;
	snprintf(text + strlen(text), 200 - strlen(text), "%s%c ", name, kind == MT_STATE_BUFFER ? '!' : ':');
	return strcmp(name, "stop") == 0 ? MT_E_STATE : MT_OK;
}

static void test_state(void) {
	mt_module *root = new_scale(&one, 1), *child = new_scale(&one, 1);
	mt_tensor *shared = mt_module_get(root, "factor"), *out[8];
	char names[200] = "";
	MT_CHECK_INT(mt_module_add_parameter(child, "shared", shared), MT_OK);
	MT_CHECK_INT(mt_module_add_child(root, "c", child), MT_OK);
	MT_CHECK_INT(mt_module_add_buffer(root, "b", mt_zeros(MT_SHAPE(3), MT_F32)), MT_OK);
	MT_CHECK_INT(mt_module_add_parameter(root, "w", mt_zeros(MT_SHAPE(3), MT_F32)), MT_OK);
	MT_CHECK_INT(mt_module_visit(root, note_name, names), MT_OK);
	MT_CHECK_STR(names, "factor: w: b! c.factor: c.shared: ");
	MT_CHECK_INT(mt_module_parameters(root, out, 8), 3);
	MT_CHECK(out[0] == shared && out[2] == mt_module_get(root, "c.factor"));
	MT_CHECK_INT(mt_module_parameters(root, NULL, 0), 3);
	MT_CHECK_INT(mt_module_parameters(NULL, out, 8), 0);
	MT_CHECK_INT(mt_module_parameter_count(root), 5);
	MT_CHECK(!mt_tensor_requires_grad(mt_module_get(root, "b")) && mt_tensor_requires_grad(shared));
	MT_CHECK_INT(mt_module_add_buffer(root, "stop", mt_zeros(MT_SHAPE(1), MT_F32)), MT_OK);
	names[0] = '\0';
	MT_CHECK_INT(mt_module_visit(root, note_name, names), MT_E_STATE);
	MT_CHECK_STR(names, "factor: w: b! stop! ");
	mt_module_free(root);
}

/* Scopes end, modules stay; modules end, nothing stays. */
static void test_lifetime(void) {
	int64_t before = mt_live_tensors();
	mt_scope *scope = mt_scope_begin();
	mt_module *net = mt_nn_sequential(MT_MODULES(mt_nn_linear(3, 4, 1), mt_nn_relu(), mt_nn_linear(4, 2, 0)));
	mt_scope_end(scope);
	MT_REQUIRE(net != NULL);
	MT_CHECK_INT(mt_live_tensors(), before + 3);
	scope = mt_scope_begin();
	MT_CHECK(mt_forward(net, mt_ones(MT_SHAPE(5, 3), MT_F32)) != NULL);
	mt_scope_end(scope);
	MT_CHECK_INT(mt_live_tensors(), before + 3);
	mt_module_free(net);
	MT_CHECK_INT(mt_live_tensors(), before);
}

/* ---- errors of forward ------------------------------------------------------------------------------------------ */

static void test_forward_errors(void) {
	mt_module *inner = mt_nn_sequential(MT_MODULES(mt_nn_relu(), mt_nn_linear(4, 2, 1)));
	mt_module *net = mt_nn_sequential(MT_MODULES(mt_nn_flatten(1, -1), inner));
	mt_tensor *x = mt_ones(MT_SHAPE(2, 3), MT_F32);
	for (int i = 0; i < 2; i++) { /* not only the first time */
		mt_status status;
		MT_CHECK(mt_forward(net, x) == NULL);
		const char *message = mt_error_take(&status);
		MT_CHECK_MSG(strncmp(message, "1.1 (Linear): linear: ", 22) == 0, "%s", message); /* once, at its beginning */
		MT_CHECK_INT(status, MT_E_SHAPE);
	}
	MT_CHECK(mt_forward(net, mt_ones(MT_SHAPE(2, 4), MT_F32)) != NULL);
	CHECK_FAILS(mt_forward(mt_module_child(net, "1"), x) == NULL, MT_E_SHAPE, "1.1 (Linear): ");
	CHECK_FAILS(mt_forward(net, NULL) == NULL, MT_E_NULL, "x is NULL");
	CHECK_FAILS(mt_forward(NULL, x) == NULL, MT_E_NULL, "module is NULL");
	mt_module_free(net);
	mt_module *silent = mt_module_new(&silent_class, NULL);
	CHECK_FAILS(mt_forward(silent, x) == NULL, MT_E_NULL, "Silent: forward returned NULL without an error");
	mt_module_free(silent);
}

/* ---- layers ----------------------------------------------------------------------------------------------------- */

static void test_linear(void) {
	mt_module *m = mt_nn_linear(2, 3, 1);
	MT_REQUIRE(m != NULL);
	const float w[] = {1, 2, 3, 4, 5, 6}, b[] = {10, 20, 30}, x[] = {1, -1}, expected[] = {9, 19, 29};
	float y[3];
	int was = mt_grad_enable(0);
	MT_CHECK_INT(mt_from_host(mt_module_get(m, "weight"), w, sizeof w), MT_OK);
	MT_CHECK_INT(mt_from_host(mt_module_get(m, "bias"), b, sizeof b), MT_OK);
	mt_grad_enable(was);
	MT_REQUIRE(mt_to_host(mt_forward(m, mt_from_data(MT_SHAPE(1, 2), MT_F32, x)), y, sizeof y) == MT_OK);
	for (int i = 0; i < 3; i++)
		MT_CHECK_NEAR(y[i], expected[i], 1e-6);
	mt_module_free(m);
	m = mt_nn_linear(2, 3, 0);
	MT_CHECK_INT(mt_module_parameters(m, NULL, 0), 1);
	mt_module_free(m);
}

static void test_shapes(void) {
	static const struct {
		const char *name;
		int kind, rank;
		int64_t shape[4];
		int64_t parameters;
	} rows[] = {
		{"conv 1->6 5x5 pad 2", 0, 4, {2, 6, 12, 10}, 156},
		{"conv groups 2, no bias", 1, 4, {2, 4, 10, 8}, 36},
		{"max pool 2", 2, 4, {2, 1, 6, 5}, 0},
		{"avg pool 3 stride 1", 3, 4, {2, 1, 10, 8}, 0},
		{"flatten", 4, 2, {2, 120}, 0},
		{"dropout", 5, 4, {2, 1, 12, 10}, 0},
		{"log softmax", 6, 4, {2, 1, 12, 10}, 0},
		{"empty sequential", 7, 4, {2, 1, 12, 10}, 0},
		{"gelu", 8, 4, {2, 1, 12, 10}, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_conv_options padded = {.padding = {2, 2}}, grouped = {.groups = 2};
		mt_module *layers[] = {mt_nn_conv2d(1, 6, 5, 5, 1, padded),
		                       mt_nn_conv2d(2, 4, 3, 3, 0, grouped),
		                       mt_nn_max_pool2d((mt_pool_options){.kernel = {2, 2}}),
		                       mt_nn_avg_pool2d((mt_pool_options){.kernel = {3, 3}, .stride = {1, 1}}),
		                       mt_nn_flatten(1, -1),
		                       mt_nn_dropout(0.5),
		                       mt_nn_log_softmax(1),
		                       mt_nn_sequential(0, NULL),
		                       mt_nn_gelu()};
		mt_test_row("%s", rows[i].name);
		mt_module *m = layers[rows[i].kind];
		mt_tensor *y = mt_forward(m, mt_randn(MT_SHAPE(2, rows[i].kind == 1 ? 2 : 1, 12, 10), MT_F32));
		if (!MT_CHECK(y != NULL))
			mt_test_note("%s", mt_error_take(NULL));
		MT_CHECK_INT(mt_tensor_rank(y), rows[i].rank);
		for (int d = 0; d < mt_tensor_rank(y); d++)
			MT_CHECK_INT(mt_tensor_size(y, d), rows[i].shape[d]);
		MT_CHECK_INT(mt_module_parameter_count(m), rows[i].parameters);
		for (size_t k = 0; k < sizeof layers / sizeof *layers; k++)
			mt_module_free(layers[k]);
	}
}

static void test_dropout_modes(void) {
	mt_module *m = mt_nn_dropout(0.5);
	mt_tensor *x = mt_ones(MT_SHAPE(1000), MT_F32);
	double sum;
	mt_seed(3);
	MT_REQUIRE(mt_item(mt_sum(mt_eq(mt_forward(m, x), mt_zeros_like(x)), MT_ALL_AXES, 0), &sum) == MT_OK);
	MT_CHECK_MSG(sum > 400 && sum < 600, "%g of 1000 dropped", sum);
	mt_module_train(m, 0);
	MT_REQUIRE(mt_item(mt_sum(mt_forward(m, x), MT_ALL_AXES, 0), &sum) == MT_OK);
	MT_CHECK_NEAR(sum, 1000, 0);
	mt_module_free(m);
	MT_REQUIRE((m = mt_nn_dropout(1)) != NULL);
	MT_REQUIRE(mt_item(mt_sum(mt_forward(m, x), MT_ALL_AXES, 0), &sum) == MT_OK);
	MT_CHECK_NEAR(sum, 0, 0);
	mt_module_free(m);
}

static void test_activations(void) {
	static const struct {
		const char *name;
		int32_t op;
		double p, x, y;
	} rows[] = {
		{"ReLU", MT_MAP_RELU, 0, -2, 0},
		{"Sigmoid", MT_MAP_SIGMOID, 0, 1, 0.7310586},
		{"Tanh", MT_MAP_TANH, 0, 1, 0.7615942},
		{"GELU", MT_MAP_GELU, 0, 1, 0.8413447},
		{"SiLU", MT_MAP_SILU, 0, 1, 0.7310586},
		{"Softplus", MT_MAP_SOFTPLUS, 0, 0, 0.6931472},
		{"LeakyReLU", MT_MAP_LEAKY_RELU, 0.1, -2, -0.2},
		{"ELU", MT_MAP_ELU, 2, -1, -1.2642411},
		{"GELUTanh", MT_MAP_GELU_TANH, 0, 1, 0.8411920},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		double y;
		mt_test_row("%s", rows[i].name);
		mt_module *m = mt_nn_activation(rows[i].op, rows[i].p);
		MT_REQUIRE(m != NULL);
		MT_CHECK_STR(mt_module_class_name(m), rows[i].name);
		MT_REQUIRE(mt_item(mt_forward(m, mt_full(MT_SHAPE(1), MT_F32, mt_f(rows[i].x))), &y) == MT_OK);
		MT_CHECK_NEAR(y, rows[i].y, 1e-6);
		mt_module_free(m);
	}
	CHECK_FAILS(mt_nn_activation(MT_MAP_NEG, 0) == NULL, MT_E_ARG, "none of relu");
}

static void test_layer_errors(void) {
	static const mt_conv_options plain = {0}, three = {.groups = 3};
	CHECK_FAILS(mt_nn_linear(0, 1, 1) == NULL, MT_E_ARG, "got 0 and 1");
	CHECK_FAILS(mt_nn_linear(1, -1, 1) == NULL, MT_E_ARG, "got 1 and -1");
	CHECK_FAILS(mt_nn_linear(INT64_MAX, INT64_MAX, 1) == NULL, MT_E_SHAPE, "");
	CHECK_FAILS(mt_nn_conv2d(1, 1, 0, 3, 1, plain) == NULL, MT_E_ARG, "kernel (0, 3)");
	CHECK_FAILS(mt_nn_conv2d(2, 3, 3, 3, 1, three) == NULL, MT_E_ARG, "groups must divide 2 and 3, got 3");
	CHECK_FAILS(mt_nn_max_pool2d((mt_pool_options){0}) == NULL, MT_E_ARG, "nn_max_pool2d: options.kernel[0] is 0");
	CHECK_FAILS(mt_nn_dropout(1.5) == NULL, MT_E_ARG, "p is 1.5");
	CHECK_FAILS(mt_nn_dropout((double)NAN) == NULL, MT_E_ARG, "from 0 to 1");
	CHECK_FAILS(mt_nn_sequential(-1, NULL) == NULL, MT_E_ARG, "negative");
	released = 0; /* one bad part: the others are freed */
	mt_module *parts[3];
	parts[0] = new_scale(&one, 1);
	parts[1] = mt_nn_dropout(2);
	parts[2] = new_scale(&ten, 1);
	CHECK_FAILS(mt_nn_sequential(3, parts) == NULL, MT_E_ARG, "nn_dropout");
	MT_CHECK_INT(released, 11);
}

/* ---- initialisation --------------------------------------------------------------------------------------------- */

static void moments(mt_tensor *t, double *mean, double *std, double *most) {
	int64_t n = mt_tensor_numel(t);
	float *v = malloc((size_t)n * sizeof *v);
	double sum = 0, squares = 0;
	*most = 0;
	MT_CHECK_INT(mt_to_host(t, v, (size_t)n * sizeof *v), MT_OK);
	for (int64_t i = 0; i < n; i++) {
		sum += (double)v[i];
		squares += (double)v[i] * (double)v[i];
		*most = fmax(*most, fabs((double)v[i]));
	}
	free(v);
	*mean = sum / (double)n;
	*std = sqrt(squares / (double)n - *mean * *mean);
}

static void test_init(void) {
	static const struct {
		const char *name;
		int kind;
		double std, bound; /* bound 0: none */
	} rows[] = {
		/* t: [64, 16, 3, 3]: fan_in 144, fan_out 576 */
		{"uniform", 0, 0.57735, 1},
		{"normal", 1, 2, 0},
		{"xavier_uniform", 2, 0.0527046, 0.0912871}, /* √(2/720) */
		{"xavier_normal", 3, 0.105409, 0},           /* gain 2 */
		{"kaiming_uniform", 4, 0.117851, 0.204124},  /* √2/√144 */
		{"kaiming_normal", 5, 0.0589256, 0},         /* √2/√576 */
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		double mean, std, most, relu;
		mt_scope *scope = mt_scope_begin();
		mt_test_row("%s", rows[i].name);
		mt_seed(11);
		mt_tensor *t = mt_requires_grad_(mt_empty(MT_SHAPE(64, 16, 3, 3), MT_F32), 1);
		MT_REQUIRE(mt_init_gain(MT_MAP_RELU, 0, &relu) == MT_OK);
		switch (rows[i].kind) {
		case 0:
			MT_CHECK(mt_init_uniform(t, -1, 1) == t);
			break;
		case 1:
			MT_CHECK(mt_init_normal(t, 0, 2) == t);
			break;
		case 2:
			MT_CHECK(mt_init_xavier_uniform(t, 1) == t);
			break;
		case 3:
			MT_CHECK(mt_init_xavier_normal(t, 2) == t);
			break;
		case 4:
			MT_CHECK(mt_init_kaiming_uniform(t, MT_FAN_IN, relu) == t);
			break;
		default:
			MT_CHECK(mt_init_kaiming_normal(t, MT_FAN_OUT, relu) == t);
		}
		MT_CHECK(mt_tensor_is_leaf(t) && mt_grad_enabled());
		moments(t, &mean, &std, &most);
		MT_CHECK_MSG(fabs(mean) < 0.05 * rows[i].std, "mean %g", mean);
		MT_CHECK_MSG(fabs(std / rows[i].std - 1) < 0.03, "deviation %g", std);
		if (rows[i].bound > 0)
			MT_CHECK_MSG(most <= rows[i].bound && most > 0.995 * rows[i].bound, "largest %g", most);
		mt_scope_end(scope);
	}
}

static void test_init_errors(void) {
	double gain;
	int64_t in, out;
	mt_tensor *flat = mt_zeros(MT_SHAPE(3), MT_F32);
	MT_CHECK_INT(mt_init_fans(mt_zeros(MT_SHAPE(2, 3, 5), MT_F32), &in, &out), MT_OK);
	MT_CHECK(in == 15 && out == 10);
	CHECK_FAILS(mt_init_fans(flat, &in, &out) == MT_E_SHAPE, MT_E_SHAPE, "rank 2 or more, got [3]");
	CHECK_FAILS(mt_init_xavier_uniform(flat, 1) == NULL, MT_E_SHAPE, "init_xavier_uniform");
	CHECK_FAILS(mt_init_kaiming_uniform(mt_zeros(MT_SHAPE(2, 2), MT_F32), 2, 1) == NULL, MT_E_ARG, "MT_FAN_IN");
	CHECK_FAILS(mt_init_uniform(NULL, 0, 1) == NULL, MT_E_NULL, "init_uniform");
	CHECK_FAILS(mt_init_normal(flat, 0, (double)INFINITY) == NULL, MT_E_ARG, "finite");
	CHECK_FAILS(mt_init_gain(MT_MAP_EXP, 0, &gain) == MT_E_ARG, MT_E_ARG, "init_gain");
	MT_CHECK(mt_init_constant(flat, 2.5) == flat);
	double value;
	MT_REQUIRE(mt_get(flat, (int64_t[]){2}, &value) == MT_OK);
	MT_CHECK_NEAR(value, 2.5, 0);
}

/* The layers' own start, and that a seed repeats it. */
static void test_default_init(void) {
	double mean, std, most;
	mt_seed(1);
	mt_module *a = mt_nn_linear(100, 200, 1);
	mt_seed(1);
	mt_module *b = mt_nn_linear(100, 200, 1);
	moments(mt_module_get(a, "weight"), &mean, &std, &most);
	MT_CHECK_MSG(most <= 0.1 && most > 0.099 && fabs(std / 0.057735 - 1) < 0.03, "weights up to %g", most);
	moments(mt_module_get(a, "bias"), &mean, &std, &most);
	MT_CHECK_MSG(most <= 0.1 && most > 0.09, "biases up to %g", most);
	mt_tensor *same = mt_all(mt_eq(mt_module_get(a, "weight"), mt_module_get(b, "weight")), MT_ALL_AXES, 0);
	double all;
	MT_REQUIRE(mt_item(same, &all) == MT_OK);
	MT_CHECK_NEAR(all, 1, 0);
	mt_module_free(a);
	mt_module_free(b);
}

/* ---- printing --------------------------------------------------------------------------------------------------- */

static mt_module *small_net(void) {
	mt_conv_options same = {.padding = {1, 1}, .stride = {2, 1}};
	mt_module *features = mt_nn_sequential(
		MT_MODULES(mt_nn_conv2d(1, 2, 3, 3, 0, same), mt_nn_max_pool2d((mt_pool_options){.kernel = {2, 2}})));
	return mt_nn_sequential(MT_MODULES(features, mt_nn_flatten(1, -1), mt_nn_linear(8, 1, 1)));
}

static void check_text(FILE *f, char **text, const char *expected) {
	fclose(f);
	MT_CHECK_STR(*text, expected);
	free(*text);
}

static void test_print(void) {
	char *text;
	size_t size;
	mt_module *net = small_net();
	FILE *f = open_memstream(&text, &size);
	MT_REQUIRE(net != NULL && f != NULL);
	MT_CHECK_INT(mt_module_print(net, f), MT_OK);
	check_text(f, &text,
	           "Sequential(\n"
	           "  (0): Sequential(\n"
	           "    (0): Conv2d(1, 2, kernel_size=(3, 3), stride=(2, 1), padding=(1, 1), bias=False)  18 parameters\n"
	           "    (1): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)\n"
	           "  )  18 parameters\n"
	           "  (1): Flatten(start_dim=1, end_dim=-1)\n"
	           "  (2): Linear(8, 1, bias=True)  9 parameters\n"
	           ")  27 parameters\n");
	f = open_memstream(&text, &size);
	MT_CHECK_INT(mt_module_summary(net, mt_ones(MT_SHAPE(5, 1, 8, 4), MT_F32), f), MT_OK);
	check_text(f, &text,
	           "module  class       output shape    parameters\n"
	           ".       Sequential  [5, 1]                  27\n"
	           "0       Sequential  [5, 2, 2, 2]            18\n"
	           "0.0     Conv2d      [5, 2, 4, 4]            18\n"
	           "0.1     MaxPool2d   [5, 2, 2, 2]             0\n"
	           "1       Flatten     [5, 8]                   0\n"
	           "2       Linear      [5, 1]                   9\n"
	           "total: 27 parameters in 6 modules\n");
	MT_CHECK(mt_module_training(net) && mt_grad_enabled());
	uint64_t seed, before, after;
	mt_module *dropout = mt_nn_dropout(0.5);
	mt_rng_get(&seed, &before);
	f = open_memstream(&text, &size);
	MT_CHECK_INT(mt_module_summary(dropout, mt_ones(MT_SHAPE(8), MT_F32), f), MT_OK);
	fclose(f);
	free(text);
	mt_rng_get(&seed, &after);
	MT_CHECK(before == after); /* evaluation: no random numbers are drawn */
	mt_module_free(dropout);
	f = open_memstream(&text, &size);
	MT_CHECK_INT(mt_module_summary(mt_module_child(net, "2"), MT_NONE, f), MT_OK);
	check_text(f, &text,
	           "module  class     parameters\n"
	           ".       Linear             9\n"
	           "total: 9 parameters in 1 module\n");
	CHECK_FAILS(mt_module_summary(net, mt_ones(MT_SHAPE(2, 2), MT_F32), stderr) != MT_OK, MT_E_SHAPE, "0.0 (Conv2d): ");
	mt_module_free(net);
}

static const mt_test_case tree_cases[] = {{"own_module", test_own_module},
                                          {"class_errors", test_class_errors},
                                          {"tree", test_tree},
                                          {"add_errors", test_add_errors},
                                          {"deep_tree", test_deep_tree},
                                          {"state", test_state},
                                          {"lifetime", test_lifetime},
                                          {"forward_errors", test_forward_errors},
                                          {"print", test_print},
                                          {0}};
static const mt_test_case layer_cases[] = {
	{"linear", test_linear},           {"shapes", test_shapes},       {"dropout_modes", test_dropout_modes},
	{"activations", test_activations}, {"errors", test_layer_errors}, {0}};
static const mt_test_case init_cases[] = {
	{"moments", test_init}, {"errors", test_init_errors}, {"layers", test_default_init}, {0}};
static const mt_test_suite suites[] = {
	{"module", tree_cases, NULL, NULL}, {"layer", layer_cases, NULL, NULL}, {"init", init_cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
