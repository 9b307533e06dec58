/* MiniTorch's own checks, on mt: what its 102 test functions look at (docs/minitorch.md names each), on every backend. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

static mt_tensor *number(double value) {
	return mt_scalar_tensor(mt_f(value), MT_F64);
}

static double item(mt_tensor *t) {
	double value = (double)NAN;
	if (mt_item(t, &value) != MT_OK)
		mt_test_note("%s", mt_error_take(NULL));
	return value;
}

static mt_tensor *plus(mt_tensor *x, double v) {
	return mt_add_scalar(x, mt_f(v));
}

static mt_tensor *times(mt_tensor *x, double v) {
	return mt_mul_scalar(x, mt_f(v));
}

/* ---- MathTest: 14 functions of one argument, 6 of two, 3 reductions ---------------------------------------------- */

struct unary {
	const char *name;
	mt_tensor *(*mt)(mt_tensor *x);
	double (*c)(double x);
};

/* MiniTorch's log: ln(x + 1e-6). */
static mt_tensor *mini_log(mt_tensor *x) {
	return mt_log(plus(x, 1e-6));
}

static double c_log(double x) {
	return log(x + 1e-6);
}

static double c_relu(double x) {
	return x > 0 ? x : 0;
}

static double c_sigmoid(double x) {
	return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

#define UNARY(name, tensor, scalar)                                                                                    \
	static mt_tensor *t_##name(mt_tensor *x) {                                                                         \
		return tensor;                                                                                                 \
	}                                                                                                                  \
	static double c_##name(double x) {                                                                                 \
		return scalar;                                                                                                 \
	}
UNARY(minus, mt_neg(x), -x)
UNARY(add_constant, plus(x, 5), 5 + x)
UNARY(squared, mt_mul(x, x), x *x)
UNARY(cubed, mt_mul(mt_mul(x, x), x), x *x *x)
UNARY(sub_constant, plus(x, -5), x - 5)
UNARY(mul_constant, times(x, 5), 5 * x)
UNARY(div_constant, mt_div_scalar(x, mt_i(5)), x / 5)
UNARY(inverse, mt_reciprocal(plus(x, 3.5)), 1 / (x + 3.5))
UNARY(sig, mt_sigmoid(x), c_sigmoid(x))
UNARY(logarithm, mini_log(plus(x, 100000)), c_log(x + 100000))
UNARY(relu_shifted, mt_relu(plus(x, 5.5)), c_relu(x + 5.5))
UNARY(exponential, mt_exp(plus(x, -200)), exp(x - 200))
UNARY(explog, mt_add(mini_log(plus(x, 100000)), mt_exp(plus(x, -200))), c_log(x + 100000) + exp(x - 200))
UNARY(complex,
      mt_div_scalar(mini_log(mt_sigmoid(plus(times(mt_relu(plus(times(mt_relu(plus(times(x, 10), 7)), 6), 5)), 10),
                                             0))),
                    mt_i(50)),
      c_log(c_sigmoid(c_relu(c_relu(x * 10 + 7) * 6 + 5) * 10)) / 50)
#undef UNARY

static const struct unary unaries[] = {
	{"neg", t_minus, c_minus},
	{"add constant", t_add_constant, c_add_constant},
	{"square", t_squared, c_squared},
	{"cube", t_cubed, c_cubed},
	{"sub constant", t_sub_constant, c_sub_constant},
	{"mult constant", t_mul_constant, c_mul_constant},
	{"div constant", t_div_constant, c_div_constant},
	{"inv", t_inverse, c_inverse},
	{"sig", t_sig, c_sig},
	{"log", t_logarithm, c_logarithm},
	{"relu", t_relu_shifted, c_relu_shifted},
	{"exp", t_exponential, c_exponential},
	{"explog", t_explog, c_explog},
	{"complex", t_complex, c_complex},
};

static double call_c(const double *x, int n, void *context) {
	(void)n;
	return (*(double (*const *)(double))context)(x[0]);
}

/* Scalars: 0-d tensors in the same engine; their derivative against the central difference of the C function. */
static void unary_scalars(void) {
	uint64_t state = 11;
	for (size_t i = 0; i < sizeof unaries / sizeof *unaries; i++)
		for (int k = 0; k < 5; k++) {
			double at = draw(&state, -3, 3), expected, (*c)(double) = unaries[i].c;
			row("%s at %g", unaries[i].name, at);
			mt_tensor *x = mt_requires_grad_(number(at), 1), *y = unaries[i].mt(x);
			MT_CHECK_NEAR(item(y), c(at), 1e-12);
			MT_REQUIRE(mt_central_difference(call_c, &at, 1, 0, 0, &c, &expected) == MT_OK);
			MT_REQUIRE(mt_backward(y) == MT_OK);
			MT_CHECK_NEAR(item(mt_grad(x)), expected, 1e-5);
		}
}

static mt_tensor *apply_unary(mt_tensor *const *in, int n, void *context) {
	(void)n;
	return ((const struct unary *)context)->mt(in[0]);
}

static void unary_tensors(void) {
	for (size_t i = 0; i < sizeof unaries / sizeof *unaries; i++)
		for (int l = 0; l < N_LAYOUTS; l++) {
			row("%s, %s", unaries[i].name, layout_name(l));
			mt_tensor *x = random_in(l, MT_SHAPE(2, 3, 4), MT_F64, -3, 3, 7 + i);
			double *in = elements(x), expected[24];
			for (int e = 0; e < 24; e++)
				expected[e] = unaries[i].c(in[e]);
			CHECK_CLOSE(unaries[i].mt(x), expected, 24, 1e-12, 1);
			free(in);
			mt_tensor *leaf = mt_requires_grad_(mt_clone(x), 1);
			MT_CHECK_MSG(mt_gradcheck(apply_unary, &leaf, 1, (void *)&unaries[i], NULL) == MT_OK, "%s",
			             mt_error_take(NULL));
		}
}

static void binaries(void) {
	uint64_t state = 3;
	for (int k = 0; k < 20; k++) {
		double a = draw(&state, -3, 3), b = draw(&state, -3, 3);
		mt_tensor *x = mt_requires_grad_(number(a), 1), *y = mt_requires_grad_(number(b), 1);
		row("%g, %g", a, b);
		MT_CHECK_NEAR(item(mt_add(x, y)), a + b, 1e-14);
		MT_CHECK_NEAR(item(mt_mul(x, y)), a * b, 1e-14);
		MT_CHECK_NEAR(item(mt_lt(y, plus(x, 1.2))), b < a + 1.2, 0);
		MT_CHECK_NEAR(item(mt_gt(y, plus(x, 1.2))), a + 1.2 < b, 0);
		MT_CHECK_NEAR(item(mt_eq(x, plus(y, 5.5))), a == b + 5.5, 0);
		mt_tensor *q = mt_div(x, plus(y, 5.5));
		MT_CHECK_NEAR(item(q), a / (b + 5.5), 1e-14);
		MT_REQUIRE(mt_backward(q) == MT_OK);
		MT_CHECK_NEAR(item(mt_grad(x)), 1 / (b + 5.5), 1e-12);
		MT_CHECK_NEAR(item(mt_grad(y)), -a / ((b + 5.5) * (b + 5.5)), 1e-12);
	}
}

static void reductions(void) {
	mt_tensor *x = mt_requires_grad_(mt_reshape(counting(MT_SHAPE(11, 16), MT_F64), MT_SHAPE(11, 16)), 1);
	MT_CHECK_NEAR(item(mt_index(mt_sum(x, MT_AXES(0), 0), 0, 3)), 11 * 3 + 16 * 55, 0);
	MT_CHECK_NEAR(item(mt_index(mt_mean(x, MT_AXES(0), 0), 0, 3)), 3 + 16 * 5, 1e-12);
	MT_CHECK_NEAR(item(mt_mean(x, MT_ALL_AXES, 0)), 87.5, 1e-12);
	MT_REQUIRE(mt_backward(mt_mean(x, MT_ALL_AXES, 0)) == MT_OK);
	MT_CHECK_NEAR(item(mt_index(mt_flatten(mt_grad(x), 0, -1), 0, 17)), 1.0 / 176, 1e-15);
}

/* ---- autodiff ---------------------------------------------------------------------------------------------------- */

/* The four exact backprop cases: x; x + y; x + y + 10; x y + x. */
static void backprop(void) {
	mt_tensor *x = mt_requires_grad_(number(3), 1), *y = mt_requires_grad_(number(5), 1);
	MT_REQUIRE(mt_backward(plus(mt_add(x, y), 10)) == MT_OK);
	MT_CHECK_NEAR(item(mt_grad(x)), 1, 0);
	MT_CHECK_NEAR(item(mt_grad(y)), 1, 0);
	mt_zero_grad(x);
	mt_zero_grad(y);
	MT_REQUIRE(mt_backward(mt_add(mt_mul(x, y), x)) == MT_OK);
	MT_CHECK_NEAR(item(mt_grad(x)), 6, 0);
	MT_CHECK_NEAR(item(mt_grad(y)), 3, 0);
}

struct order {
	char text[256];
};

static mt_status note_op(const mt_graph_entry *entry, void *context) {
	struct order *o = context;
	size_t used = strlen(o->text);
	snprintf(o->text + used, sizeof o->text - used, "%s ", entry->op[0] != '\0' ? entry->op : entry->name);
	return MT_OK;
}

/* Output first, each node after all that use it. */
static void topological_order(void) {
	struct order o = {""};
	mt_tensor *x = mt_requires_grad_(number(3), 1);
	mt_tensor_set_name(x, "x");
	mt_tensor *a = mt_exp(x), *y = mt_mul(a, mt_sin(a));
	MT_CHECK_INT(mt_graph_walk(y, note_op, &o), MT_OK);
	MT_CHECK_STR(o.text, "mul sin exp x ");
}

/* ---- tensors ----------------------------------------------------------------------------------------------------- */

/* shape_broadcast's table: right-aligned, equal or 1. */
static void broadcast_shapes(void) {
	static const struct {
		int ra, rb, rc;
		int64_t a[4], b[4], c[4];
	} rows[] = {
		{1, 2, 2, {1}, {5, 5}, {5, 5}},
		{2, 1, 2, {5, 5}, {1}, {5, 5}},
		{2, 2, 2, {1, 5}, {5, 5}, {5, 5}},
		{3, 2, 3, {5, 1, 5}, {5, 5}, {5, 5, 5}},
		{4, 4, 4, {2, 1, 5, 1}, {1, 4, 1, 3}, {2, 4, 5, 3}},
		{2, 3, 0, {5, 7}, {5, 1, 5}, {0}},
		{2, 1, 0, {5, 2}, {5}, {0}},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		row("row %zu", i);
		mt_tensor *y = mt_add(mt_ones(rows[i].ra, rows[i].a, MT_F32), mt_ones(rows[i].rb, rows[i].b, MT_F32));
		if (rows[i].rc == 0)
			CHECK_ERROR(MT_E_SHAPE, "do not broadcast");
		else if (MT_CHECK(y != NULL))
			check_shape(y, rows[i].rc, rows[i].c, __FILE__, __LINE__, "broadcast");
	}
}

static void layout_and_index(void) {
	mt_tensor *t = counting(MT_SHAPE(3, 5), MT_F64);
	const int64_t *strides = mt_tensor_strides(t);
	double value;
	MT_CHECK(strides[0] == 5 && strides[1] == 1 && mt_tensor_is_contiguous(t));
	mt_tensor *p = mt_transpose(t, 0, 1);
	strides = mt_tensor_strides(p);
	MT_CHECK(strides[0] == 1 && strides[1] == 5 && !mt_tensor_is_contiguous(p) && mt_tensor_shares_storage(t, p));
	MT_CHECK(mt_get(p, (int64_t[]){4, 2}, &value) == MT_OK && value == 14);
	MT_CHECK_INT(mt_set(t, (int64_t[]){2, 4}, mt_f(7)), MT_OK);
	MT_CHECK(mt_get(p, (int64_t[]){4, 2}, &value) == MT_OK && value == 7);
	MT_CHECK(mt_get(t, (int64_t[]){3, 0}, &value) != MT_OK);
	CHECK_ERROR(MT_E_ARG, "3");
	char *text = mt_tensor_to_string(mt_reshape(mt_arange(mt_i(1), mt_i(5), mt_i(1), MT_F32), MT_SHAPE(2, 2)));
	MT_CHECK_STR(text, "tensor([[1., 2.],\n        [3., 4.]])");
	mt_free(text);
}

/* bmm against broadcast multiplication and a sum, as MiniTorch's test does it. */
static void matmul_as_sum(void) {
	mt_tensor *a = random_like(MT_SHAPE(2, 3, 4), MT_F64, -1, 1, 1),
			  *b = random_like(MT_SHAPE(2, 4, 5), MT_F64, -1, 1, 2);
	mt_tensor *wide = mt_mul(mt_unsqueeze(a, 3), mt_unsqueeze(b, 1));
	double *expected = elements(mt_sum(wide, MT_AXES(2), 0));
	CHECK_CLOSE(mt_matmul(a, b), expected, 30, 1e-12, 1);
	free(expected);
}

/* ---- convolution, pooling, nn ------------------------------------------------------------------------------------- */

static void left_anchored(void) {
	const mt_conv_options same = {.padding_mode = MT_PADDING_SAME_LEFT};
	mt_tensor *x = mt_reshape(counting(MT_SHAPE(4), MT_F64), MT_SHAPE(1, 1, 4));
	mt_tensor *w = mt_reshape(mt_arange(mt_i(1), mt_i(4), mt_i(1), MT_F64), MT_SHAPE(1, 1, 3));
	CHECK_VALUES(mt_conv1d(x, w, MT_NONE, same), 8, 14, 8, 3);
	mt_tensor *ones = mt_ones(MT_SHAPE(1, 1, 2, 2), MT_F64);
	CHECK_VALUES(mt_conv2d(ones, ones, MT_NONE, same), 4, 2, 2, 1);
}

static void pools(void) {
	mt_tensor *x = mt_reshape(mt_arange(mt_i(1), mt_i(17), mt_i(1), MT_F64), MT_SHAPE(1, 1, 4, 4));
	CHECK_VALUES(mt_avg_pool2d(x, (mt_pool_options){.kernel = {2, 2}}), 3.5, 5.5, 11.5, 13.5);
	CHECK_VALUES(mt_avg_pool2d(x, (mt_pool_options){.kernel = {2, 1}}), 3, 4, 5, 6, 11, 12, 13, 14);
	CHECK_VALUES(mt_avg_pool2d(x, (mt_pool_options){.kernel = {1, 2}}), 1.5, 3.5, 5.5, 7.5, 9.5, 11.5, 13.5, 15.5);
	CHECK_VALUES(mt_max_pool2d(x, (mt_pool_options){.kernel = {2, 2}}), 6, 8, 14, 16);
}

/* Where MiniTorch overflows (x = 800) or sends a maximum's gradient to every tie, mt does not. */
static void softmax_and_max(void) {
	mt_tensor *x = random_like(MT_SHAPE(2, 3, 4), MT_F64, -3, 3, 5);
	double *sums = elements(mt_sum(mt_softmax(x, 2), MT_AXES(2), 0));
	for (int i = 0; i < 6; i++)
		MT_CHECK_NEAR(sums[i], 1, 1e-12);
	free(sums);
	double *soft = elements(mt_softmax(x, 1));
	CHECK_CLOSE(mt_exp(mt_log_softmax(x, 1)), soft, 24, 1e-12, 1);
	free(soft);
	CHECK_NEAR_VALUES(mt_softmax(mt_mul_scalar(mt_ones(MT_SHAPE(2), MT_F32), mt_f(800)), 0), 1e-6, 0.5, 0.5);
	mt_tensor *tie = mt_requires_grad_(mt_ones(MT_SHAPE(1, 1, 2, 2), MT_F64), 1);
	MT_REQUIRE(mt_backward(mt_max_pool2d(tie, (mt_pool_options){.kernel = {2, 2}})) == MT_OK);
	CHECK_VALUES(mt_grad(tie), 1, 0, 0, 0);
}

static void dropout(void) {
	mt_tensor *x = random_like(MT_SHAPE(1000), MT_F64, 1, 2, 5);
	double *in = elements(x);
	CHECK_CLOSE(mt_dropout(x, 0, 1), in, 1000, 0, 0);
	CHECK_CLOSE(mt_dropout(x, 0.9, 0), in, 1000, 0, 0);
	free(in);
	double kept = item(mt_sum(mt_ne(mt_dropout(x, 0.9, 1), number(0)), MT_ALL_AXES, 0));
	MT_CHECK_MSG(kept > 50 && kept < 150, "%g of 1000 kept at p = 0.9", kept);
}

/* ---- modules ----------------------------------------------------------------------------------------------------- */

static mt_tensor *pass_on(mt_module *m, mt_tensor *x, void *context) {
	(void)m;
	(void)context;
	return x;
}

static const mt_module_class plain_class = {"Plain", pass_on, NULL, NULL};

static mt_status note_name(const char *name, mt_tensor *t, int32_t kind, void *context) {
	struct order *o = context;
	size_t used = strlen(o->text);
	(void)t;
	(void)kind;
	snprintf(o->text + used, sizeof o->text - used, "%s ", name);
	return MT_OK;
}

/* a(p1), a.b(p2), a.b.c(p3): dotted names, recursive train and eval, unknown names refused. */
static void modules(void) {
	mt_module *m[3];
	struct order names = {""};
	for (int i = 0; i < 3; i++) {
		const char *name[] = {"p1", "p2", "p3"};
		m[i] = mt_module_new(&plain_class, NULL);
		MT_REQUIRE(mt_module_add_parameter(m[i], name[i], mt_zeros(MT_SHAPE(2), MT_F32)) == MT_OK);
	}
	MT_REQUIRE(mt_module_add_child(m[1], "c", m[2]) == MT_OK && mt_module_add_child(m[0], "b", m[1]) == MT_OK);
	MT_CHECK_INT(mt_module_visit(m[0], note_name, &names), MT_OK);
	MT_CHECK_STR(names.text, "p1 b.p2 b.c.p3 ");
	MT_CHECK(mt_tensor_requires_grad(mt_module_get(m[0], "b.c.p3")));
	MT_CHECK_INT(mt_module_n_children(m[0]), 1);
	MT_CHECK_INT(mt_module_train(m[0], 0), MT_OK);
	MT_CHECK(!mt_module_training(m[2]));
	MT_CHECK_INT(mt_module_train(m[0], 1), MT_OK);
	MT_CHECK(mt_module_training(m[2]));
	MT_CHECK(mt_module_get(m[0], "b.nothing") == NULL);
	CHECK_ERROR(MT_E_ARG, "nothing");
	mt_module_free(m[0]);
}

/* ---- programs ---------------------------------------------------------------------------------------------------- */

static int correct(mt_tensor *p, mt_tensor *y) {
	return (int)item(mt_sum(mt_eq(mt_gt(p, number(0.5)), mt_gt(y, number(0.5))), MT_ALL_AXES, 0));
}

/* run_tensor's network: 2 → H → H → 1, ReLU, ReLU, sigmoid, plain descent on −Σ log p / N, full batch, 50 points. */
static void points_network(void) {
	mt_host_array points, labels;
	MT_REQUIRE(mt_points_generate(MT_POINTS_SIMPLE, 50, 1, &points, &labels) == MT_OK);
	mt_seed(1);
	mt_module *l1 = mt_nn_linear(2, 10, 1), *l2 = mt_nn_linear(10, 10, 1), *l3 = mt_nn_linear(10, 1, 1);
	mt_module *net = mt_nn_sequential(MT_MODULES(l1, mt_nn_relu(), l2, mt_nn_relu(), l3, mt_nn_sigmoid()));
	mt_tensor *x = mt_from_data(2, points.shape, MT_F32, points.data), *parameters[6];
	mt_tensor *y = mt_cast(mt_from_data(MT_SHAPE(50, 1), MT_U8, labels.data), MT_F32);
	MT_REQUIRE(net != NULL && mt_module_parameters(net, parameters, 6) == 6);
	mt_optim *optim = mt_optim_sgd(parameters, 6, 0.5, (mt_sgd_options){0});
	for (int epoch = 0; epoch < 500; epoch++) {
		mt_scope *scope = mt_scope_begin();
		MT_CHECK_INT(mt_optim_zero_grad(optim), MT_OK);
		MT_CHECK_INT(mt_backward(mt_bce_loss(mt_forward(net, x), y, MT_REDUCTION_MEAN)), MT_OK);
		MT_CHECK_INT(mt_optim_step(optim), MT_OK);
		mt_scope_end(scope);
	}
	MT_CHECK_INT(correct(mt_forward(net, x), y), 50);
	mt_optim_free(optim);
	mt_module_free(net);
	mt_host_array_free(&points);
	mt_host_array_free(&labels);
}

/* Kim's network over sentences [N, L] of word numbers: embeddings, conv1d of widths 3, 4, 5, ReLU, max over time, summed, one
 * linear unit.  Class 1: word 7 right before word 8. */
enum { WORDS = 12, LENGTH = 9, SENTENCES = 64, FILTERS = 8 };

static mt_tensor *kim(mt_module *const *conv, mt_module *linear, mt_module *table, mt_tensor *sentences) {
	mt_tensor *x = mt_transpose(mt_forward(table, sentences), 1, 2), *sum = NULL; /* [N, E, L] */
	for (int i = 0; i < 3; i++) {
		mt_tensor *over_time = mt_max(mt_relu(mt_forward(conv[i], x)), MT_AXES(2), 0);
		sum = sum == NULL ? over_time : mt_add(sum, over_time);
	}
	return mt_forward(linear, sum);
}

static void make_sentences(int64_t *words, float *classes) {
	uint64_t state = 99;
	for (int i = 0; i < SENTENCES; i++) {
		for (int j = 0; j < LENGTH; j++)
			words[i * LENGTH + j] = (int64_t)draw(&state, 0, 7);
		int at = (int)draw(&state, 0, LENGTH - 1);
		classes[i] = (float)(i % 2);
		words[i * LENGTH + at] = i % 2 ? 7 : 8;
		words[i * LENGTH + at + 1] = i % 2 ? 8 : 7;
	}
}

static void sentence_network(void) {
	int64_t words[SENTENCES * LENGTH];
	float classes[SENTENCES];
	make_sentences(words, classes);
	mt_seed(2);
	mt_module *table = mt_nn_embedding(WORDS, 6, -1), *conv[3], *linear = mt_nn_linear(FILTERS, 1, 1);
	for (int i = 0; i < 3; i++)
		conv[i] = mt_nn_conv1d(6, FILTERS, 3 + i, 1, (mt_conv_options){0});
	mt_module *all = mt_nn_sequential(MT_MODULES(table, conv[0], conv[1], conv[2], linear));
	mt_tensor *parameters[9], *x = mt_from_data(MT_SHAPE(SENTENCES, LENGTH), MT_I64, words);
	mt_tensor *y = mt_from_data(MT_SHAPE(SENTENCES, 1), MT_F32, classes);
	MT_REQUIRE(all != NULL && mt_module_parameters(all, parameters, 9) == 9);
	mt_optim *optim = mt_optim_adam(parameters, 9, 0.02, (mt_adam_options){0});
	for (int step = 0; step < 150; step++) {
		mt_scope *scope = mt_scope_begin();
		mt_tensor *logits = kim(conv, linear, table, x);
		MT_CHECK_INT(mt_optim_zero_grad(optim), MT_OK);
		MT_CHECK_INT(mt_backward(mt_bce_with_logits_loss(logits, y, MT_NONE, MT_NONE, MT_REDUCTION_MEAN)), MT_OK);
		MT_CHECK_INT(mt_optim_step(optim), MT_OK);
		mt_scope_end(scope);
	}
	MT_CHECK_INT(correct(mt_sigmoid(kim(conv, linear, table, x)), y), SENTENCES);
	mt_optim_free(optim);
	mt_module_free(all);
}

#define ON_BACKENDS(name)                                                                                              \
	static void test_##name(void) {                                                                                    \
		each_backend(name);                                                                                            \
	}
ON_BACKENDS(unary_scalars)
ON_BACKENDS(unary_tensors)
ON_BACKENDS(binaries)
ON_BACKENDS(reductions)
ON_BACKENDS(backprop)
ON_BACKENDS(topological_order)
ON_BACKENDS(broadcast_shapes)
ON_BACKENDS(layout_and_index)
ON_BACKENDS(matmul_as_sum)
ON_BACKENDS(left_anchored)
ON_BACKENDS(pools)
ON_BACKENDS(softmax_and_max)
ON_BACKENDS(dropout)
ON_BACKENDS(modules)
ON_BACKENDS(points_network)
ON_BACKENDS(sentence_network)

static const mt_test_case cases[] = {{"unary_scalars", test_unary_scalars},
                                     {"unary_tensors", test_unary_tensors},
                                     {"binaries", test_binaries},
                                     {"reductions", test_reductions},
                                     {"backprop", test_backprop},
                                     {"topological_order", test_topological_order},
                                     {"broadcast_shapes", test_broadcast_shapes},
                                     {"layout_and_index", test_layout_and_index},
                                     {"matmul_as_sum", test_matmul_as_sum},
                                     {"left_anchored", test_left_anchored},
                                     {"pools", test_pools},
                                     {"softmax_and_max", test_softmax_and_max},
                                     {"dropout", test_dropout},
                                     {"modules", test_modules},
                                     {"points_network", test_points_network},
                                     {"sentence_network", test_sentence_network},
                                     {0}};
static const mt_test_suite suites[] = {{"minitorch", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
