/* Layers of convolution and pooling: parameters and how they are drawn, printing as PyTorch prints, forward, errors. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends.h"

/* ---- the layers under test ---------------------------------------------------------------------------------------- */

static mt_module *conv1_plain(void) {
	return mt_nn_conv1d(3, 4, 3, 1, (mt_conv_options){.groups = 0});
}

static mt_module *conv1_same(void) {
	return mt_nn_conv1d(1, 1, 3, 1, (mt_conv_options){.padding_mode = MT_PADDING_SAME});
}

static mt_module *conv1_left(void) {
	return mt_nn_conv1d(2, 2, 3, 0, (mt_conv_options){.padding_mode = MT_PADDING_SAME_LEFT});
}

static mt_module *conv1_causal(void) {
	return mt_nn_conv1d(2, 2, 3, 0, (mt_conv_options){.dilation = {2}, .padding_mode = MT_PADDING_CAUSAL});
}

static mt_module *conv2_all(void) {
	return mt_nn_conv2d(2, 4, 3, 2, 0,
	                    (mt_conv_options){.stride = {2, 1}, .padding = {1, 0}, .dilation = {2, 2}, .groups = 2});
}

static mt_module *conv3_plain(void) {
	return mt_nn_conv3d(1, 2, 1, 2, 3, 1, (mt_conv_options){.groups = 0});
}

static mt_module *transpose1(void) {
	return mt_nn_conv_transpose1d(3, 4, 3, 1,
	                              (mt_conv_transpose_options){.stride = {2}, .padding = {1}, .output_padding = {1}});
}

static mt_module *transpose2(void) {
	return mt_nn_conv_transpose2d(
		4, 6, 3, 2, 1,
		(mt_conv_transpose_options){
			.stride = {2, 3}, .padding = {1, 1}, .output_padding = {1, 2}, .dilation = {1, 3}, .groups = 2});
}

static mt_module *max1(void) {
	return mt_nn_max_pool1d((mt_pool_options){.kernel = {2}});
}

static mt_module *max2(void) {
	return mt_nn_max_pool2d((mt_pool_options){.kernel = {2, 2}});
}

static mt_module *max2_all(void) {
	return mt_nn_max_pool2d((mt_pool_options){.kernel = {2, 3}, .stride = {2, 1}, .padding = {1, 0}, .ceil_mode = 1});
}

static mt_module *max3(void) {
	return mt_nn_max_pool3d((mt_pool_options){.kernel = {2, 2, 2}, .dilation = {2, 2, 2}});
}

static mt_module *avg1(void) {
	return mt_nn_avg_pool1d((mt_pool_options){.kernel = {2}});
}

static mt_module *avg2(void) {
	return mt_nn_avg_pool2d((mt_pool_options){.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}});
}

static mt_module *avg2_uneven(void) {
	return mt_nn_avg_pool2d((mt_pool_options){.kernel = {3, 2}});
}

static mt_module *avg3(void) {
	return mt_nn_avg_pool3d((mt_pool_options){.kernel = {2, 2, 2}});
}

static mt_module *adaptive1(void) {
	return mt_nn_adaptive_avg_pool(MT_SHAPE(5));
}

static mt_module *adaptive2(void) {
	return mt_nn_adaptive_avg_pool(MT_SHAPE(5, 7));
}

static mt_module *adaptive3(void) {
	return mt_nn_adaptive_avg_pool(MT_SHAPE(1, 1, 1));
}

/* Lines as torch 2.15 prints them (SAME_LEFT and CAUSAL it does not have). */
static const struct layer_case {
	const char *line;
	mt_module *(*make)(void);
	int rank; /* of the weight; 0: none */
	int64_t weight[5], bias;
	double bound; /* 1/√fan_in */
	int x_rank;
	int64_t x[5], y[5];
} layers[] = {
	{"Conv1d(3, 4, kernel_size=(3,), stride=(1,))", conv1_plain, 3, {4, 3, 3}, 4, 1.0 / 3, 3, {2, 3, 8}, {2, 4, 6}},
	{"Conv1d(1, 1, kernel_size=(3,), stride=(1,), padding=same)",
     conv1_same,
     3,
     {1, 1, 3},
     1,
     0.57735027,
     3,
     {2, 1, 8},
     {2, 1, 8}},
	{"Conv1d(2, 2, kernel_size=(3,), stride=(1,), padding=same_left, bias=False)",
     conv1_left,
     3,
     {2, 2, 3},
     0,
     0.40824829,
     3,
     {1, 2, 4},
     {1, 2, 4}},
	{"Conv1d(2, 2, kernel_size=(3,), stride=(1,), padding=causal, dilation=(2,), bias=False)",
     conv1_causal,
     3,
     {2, 2, 3},
     0,
     0.40824829,
     3,
     {1, 2, 4},
     {1, 2, 4}},
	{"Conv2d(2, 4, kernel_size=(3, 2), stride=(2, 1), padding=(1, 0), dilation=(2, 2), groups=2, bias=False)",
     conv2_all,
     4,
     {4, 1, 3, 2},
     0,
     0.40824829,
     4,
     {1, 2, 7, 5},
     {1, 4, 3, 3}},
	{"Conv3d(1, 2, kernel_size=(1, 2, 3), stride=(1, 1, 1))",
     conv3_plain,
     5,
     {2, 1, 1, 2, 3},
     2,
     0.40824829,
     5,
     {1, 1, 2, 3, 4},
     {1, 2, 2, 2, 2}},
	{"ConvTranspose1d(3, 4, kernel_size=(3,), stride=(2,), padding=(1,), output_padding=(1,))",
     transpose1,
     3,
     {3, 4, 3},
     4,
     0.28867513,
     3,
     {2, 3, 5},
     {2, 4, 10}},
	{"ConvTranspose2d(4, 6, kernel_size=(3, 2), stride=(2, 3), padding=(1, 1), dilation=(1, 3), output_padding=(1, 2), "
     "groups=2)",
     transpose2,
     4,
     {4, 3, 3, 2},
     6,
     0.23570226,
     4,
     {1, 4, 3, 2},
     {1, 6, 6, 7}},
	{"MaxPool1d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)",
     max1,
     0,
     {0},
     0,
     0,
     3,
     {1, 2, 5},
     {1, 2, 2}},
	{"MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)",
     max2,
     0,
     {0},
     0,
     0,
     4,
     {1, 2, 5, 4},
     {1, 2, 2, 2}},
	{"MaxPool2d(kernel_size=(2, 3), stride=(2, 1), padding=(1, 0), dilation=1, ceil_mode=True)",
     max2_all,
     0,
     {0},
     0,
     0,
     4,
     {1, 2, 5, 4},
     {1, 2, 3, 2}},
	{"MaxPool3d(kernel_size=2, stride=2, padding=0, dilation=2, ceil_mode=False)",
     max3,
     0,
     {0},
     0,
     0,
     5,
     {1, 1, 4, 5, 3},
     {1, 1, 1, 2, 1}},
	{"AvgPool1d(kernel_size=(2,), stride=(2,), padding=(0,))", avg1, 0, {0}, 0, 0, 3, {1, 2, 5}, {1, 2, 2}},
	{"AvgPool2d(kernel_size=3, stride=2, padding=1)", avg2, 0, {0}, 0, 0, 4, {1, 2, 5, 4}, {1, 2, 3, 2}},
	{"AvgPool2d(kernel_size=(3, 2), stride=(3, 2), padding=0)",
     avg2_uneven,
     0,
     {0},
     0,
     0,
     4,
     {1, 2, 6, 4},
     {1, 2, 2, 2}},
	{"AvgPool3d(kernel_size=2, stride=2, padding=0)", avg3, 0, {0}, 0, 0, 5, {1, 1, 4, 5, 2}, {1, 1, 2, 2, 1}},
	{"AdaptiveAvgPool1d(output_size=5)", adaptive1, 0, {0}, 0, 0, 3, {1, 2, 7}, {1, 2, 5}},
	{"AdaptiveAvgPool2d(output_size=(5, 7))", adaptive2, 0, {0}, 0, 0, 4, {1, 2, 7, 7}, {1, 2, 5, 7}},
	{"AdaptiveAvgPool3d(output_size=(1, 1, 1))", adaptive3, 0, {0}, 0, 0, 5, {1, 2, 7, 7, 3}, {1, 2, 1, 1, 1}},
};
#define N_LAYERS (sizeof layers / sizeof *layers)

/* ---- parameters and printing -------------------------------------------------------------------------------------- */

static void check_bound(mt_tensor *t, double bound) {
	double *v = elements(t), most = 0;
	MT_REQUIRE(v != NULL);
	for (int64_t i = 0; i < mt_tensor_numel(t); i++)
		most = fmax(most, fabs(v[i]));
	MT_CHECK_MSG(most <= bound * (1 + 1e-6) && most > 0, "up to %g, bound %g", most, bound);
	free(v);
}

static void check_parameters(const struct layer_case *c, mt_module *m) {
	int64_t n = mt_module_parameters(m, NULL, 0);
	MT_CHECK_INT(n, (c->rank > 0) + (c->bias > 0));
	if (c->rank == 0)
		return;
	mt_tensor *w = mt_module_get(m, "weight");
	check_shape(w, c->rank, c->weight, __FILE__, __LINE__, "weight");
	MT_CHECK_INT(mt_tensor_dtype(w), MT_F32);
	check_bound(w, c->bound);
	if (c->bias == 0)
		return;
	CHECK_SHAPE(mt_module_get(m, "bias"), c->bias);
	check_bound(mt_module_get(m, "bias"), c->bound);
}

static void check_line(const struct layer_case *c, mt_module *m) {
	char *text = NULL;
	size_t size, length = strlen(c->line);
	FILE *f = open_memstream(&text, &size);
	MT_REQUIRE(f != NULL);
	MT_CHECK_INT(mt_module_print(m, f), MT_OK);
	fclose(f);
	if (size > length && (text[length] == '\n' || text[length] == ' ')) /* the number of parameters, or nothing */
		text[length] = '\0';
	MT_CHECK_STR(text, c->line);
	free(text);
}

static void descriptions(void) {
	for (size_t i = 0; i < N_LAYERS; i++) {
		mt_test_row("%s", layers[i].line);
		mt_seed(i + 1);
		mt_module *m = layers[i].make();
		if (!MT_CHECK_MSG(m != NULL, "%s", mt_error_take(NULL)))
			continue;
		check_parameters(&layers[i], m);
		check_line(&layers[i], m);
		mt_module_free(m);
	}
}

/* Many draws reach the bound nearly, and spread evenly below it. */
static void initial_values(void) {
	mt_seed(4);
	mt_module *m = mt_nn_conv_transpose2d(20, 10, 5, 4, 1, (mt_conv_transpose_options){.groups = 2});
	MT_REQUIRE(m != NULL);
	double *v = elements(mt_module_get(m, "weight")), bound = 0.1, most = 0, squares = 0; /* 10/2 · 5 · 4 = 100 */
	int64_t n = mt_tensor_numel(mt_module_get(m, "weight"));
	MT_REQUIRE(v != NULL);
	for (int64_t i = 0; i < n; i++) {
		most = fmax(most, fabs(v[i]));
		squares += v[i] * v[i];
	}
	double std = sqrt(squares / (double)n);
	MT_CHECK_MSG(most <= bound && most > 0.99 * bound, "up to %g", most);
	MT_CHECK_MSG(fabs(std / (bound / sqrt(3)) - 1) < 0.05, "deviation %g", std);
	free(v);
	mt_module_free(m);
}

/* ---- forward ------------------------------------------------------------------------------------------------------ */

static void forward_on_device(void) {
	for (size_t i = 0; i < N_LAYERS; i++) {
		mt_scope *scope = mt_scope_begin();
		row("%s", layers[i].line);
		mt_seed(i + 1);
		mt_module *m = layers[i].make();
		mt_tensor *y = mt_forward(m, mt_randn(layers[i].x_rank, layers[i].x, MT_F32));
		if (MT_CHECK_MSG(y != NULL, "%s", mt_error_take(NULL)))
			check_shape(y, layers[i].x_rank, layers[i].y, __FILE__, __LINE__, "y");
		mt_module_free(m);
		mt_scope_end(scope);
	}
}

static void check_same(mt_tensor *y, mt_tensor *expected) {
	double *values = elements(expected);
	MT_REQUIRE(values != NULL);
	check_values(y, values, mt_tensor_numel(expected), 0, __FILE__, __LINE__, "the op's result");
	free(values);
}

/* Each option reaches the op. */
static void options_on_device(void) {
	mt_seed(9);
	mt_tensor *x = mt_randn(MT_SHAPE(2, 4, 7, 5), MT_F32), *flat = mt_randn(MT_SHAPE(2, 4, 9), MT_F32);
	mt_conv_options o = {.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .groups = 2};
	mt_conv_options left = {.padding_mode = MT_PADDING_SAME_LEFT};
	mt_conv_transpose_options t = {
		.stride = {2, 3}, .padding = {1, 0}, .output_padding = {1, 2}, .dilation = {2, 1}, .groups = 2};
	mt_pool_options p = {.kernel = {3, 2}, .stride = {2, 2}, .padding = {1, 1}, .exclude_padding = 1, .ceil_mode = 1};
	mt_module *conv = mt_nn_conv2d(4, 6, 3, 2, 1, o), *conv1 = mt_nn_conv1d(4, 2, 3, 0, left);
	mt_module *transpose = mt_nn_conv_transpose2d(4, 6, 3, 2, 1, t), *avg = mt_nn_avg_pool2d(p);
	row("conv2d");
	check_same(mt_forward(conv, x), mt_conv2d(x, mt_module_get(conv, "weight"), mt_module_get(conv, "bias"), o));
	row("conv1d");
	check_same(mt_forward(conv1, flat), mt_conv1d(flat, mt_module_get(conv1, "weight"), MT_NONE, left));
	row("conv_transpose2d");
	check_same(mt_forward(transpose, x),
	           mt_conv_transpose2d(x, mt_module_get(transpose, "weight"), mt_module_get(transpose, "bias"), t));
	row("avg_pool2d");
	check_same(mt_forward(avg, x), mt_avg_pool2d(x, p));
	mt_module_free(conv);
	mt_module_free(conv1);
	mt_module_free(transpose);
	mt_module_free(avg);
}

/* A result that is larger than caches may be stored in another way, with the same bits: images together, and one alone. */
static void large_on_device(void) {
	enum { IMAGES = 24, SIDE = 112 };
	mt_seed(9);
	mt_tensor *x = mt_randn(MT_SHAPE(IMAGES, 4, SIDE, SIDE), MT_F32), *w = mt_randn(MT_SHAPE(16, 4, 1, 1), MT_F32);
	mt_tensor *b = mt_randn(MT_SHAPE(16), MT_F32);
	mt_tensor *y = mt_conv2d(x, w, b, (mt_conv_options){.groups = 1});
	row("large");
	for (int64_t i = 0; i < IMAGES; i += IMAGES - 1)
		check_same(mt_narrow(y, 0, i, 1), mt_conv2d(mt_narrow(x, 0, i, 1), w, b, (mt_conv_options){.groups = 1}));
}

static void forward(void) {
	each_backend(forward_on_device);
	each_backend(options_on_device);
	each_backend(large_on_device);
}

/* ---- errors ------------------------------------------------------------------------------------------------------- */

static void errors(void) {
	const mt_conv_options plain = {.groups = 0}, three = {.groups = 3};
	const mt_conv_transpose_options transposed = {.groups = 0}, extra = {.output_padding = {1}};
	MT_CHECK(mt_nn_conv2d(1, 1, 0, 3, 1, plain) == NULL);
	CHECK_ERROR(MT_E_ARG,
	            "nn_conv2d: channels and kernel extents must be at least 1, got 1 to 1 channels, kernel (0, 3)");
	MT_CHECK(mt_nn_conv1d(0, 1, 3, 1, plain) == NULL);
	CHECK_ERROR(MT_E_ARG, "nn_conv1d: channels and kernel extents must be at least 1, got 0 to 1");
	MT_CHECK(mt_nn_conv2d(2, 3, 3, 3, 1, three) == NULL);
	CHECK_ERROR(MT_E_ARG, "groups must divide 2 and 3, got 3");
	MT_CHECK(mt_nn_conv3d(1, 1, 2, 2, 2, 1, (mt_conv_options){.stride = {1, 1, -2}}) == NULL);
	CHECK_ERROR(MT_E_ARG, "nn_conv3d: options.stride[2] is -2");
	MT_CHECK(mt_nn_conv1d(1, 1, 2, 1, (mt_conv_options){.padding_mode = 9}) == NULL);
	CHECK_ERROR(MT_E_ARG, "nn_conv1d: options.padding_mode is 9");
	MT_CHECK(mt_nn_conv2d(1 << 30, 1 << 30, 1 << 30, 1 << 30, 0, plain) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "");
	MT_CHECK(mt_nn_conv_transpose1d(1, 1, 2, 1, extra) == NULL);
	CHECK_ERROR(MT_E_ARG, "nn_conv_transpose1d: options.output_padding[0] is 1");
	MT_CHECK(mt_nn_conv_transpose2d(1, 1, 2, -2, 1, transposed) == NULL);
	CHECK_ERROR(MT_E_ARG, "kernel (2, -2)");
	MT_CHECK(mt_nn_max_pool2d((mt_pool_options){.kernel = {2}}) == NULL);
	CHECK_ERROR(MT_E_ARG, "nn_max_pool2d: options.kernel[1] is 0");
	MT_CHECK(mt_nn_avg_pool1d((mt_pool_options){.kernel = {2}, .padding = {2}}) == NULL);
	CHECK_ERROR(MT_E_ARG, "nn_avg_pool1d: options.padding[0] is 2");
	MT_CHECK(mt_nn_avg_pool3d((mt_pool_options){.kernel = {2, 2, 2}, .dilation = {1, 1, 2}}) == NULL);
	CHECK_ERROR(MT_E_ARG, "nn_avg_pool3d: options.dilation[2] is 2");
	MT_CHECK(mt_nn_adaptive_avg_pool(MT_SHAPE(1, 2, 3, 4)) == NULL);
	CHECK_ERROR(MT_E_ARG, "nn_adaptive_avg_pool: n is 4");
	MT_CHECK(mt_nn_adaptive_avg_pool(MT_SHAPE(0)) == NULL);
	CHECK_ERROR(MT_E_ARG, "size[0] is 0");
	MT_CHECK(mt_nn_adaptive_avg_pool(2, NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "size");
}

static const mt_test_case cases[] = {
	{"descriptions", descriptions}, {"initial_values", initial_values}, {"forward", forward}, {"errors", errors}, {0}};
static const mt_test_suite suites[] = {{"conv_layers", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
