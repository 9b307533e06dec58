/* Gradients of convolution and pooling as ops of their own: derivatives of any order, empty batches, what a graph says. */
#include <stdlib.h>

#include "linear.h"
#include "oracle.h"

/* ---- gradients of gradients --------------------------------------------------------------------------------------- */

enum { MAX_ARGS = 3 };

/* y = op(in[0], in[1]); the arguments are these and u, of y's shape. */
struct product {
	const char *name;
	mt_tensor *(*op)(mt_tensor *a, mt_tensor *b);
	int n; /* of op's arguments */
	struct {
		int rank;
		int64_t shape[5];
	} in[2];
};

static mt_tensor *conv1(mt_tensor *x, mt_tensor *w) {
	return mt_conv1d(x, w, MT_NONE,
	                 (mt_conv_options){.stride = {2}, .dilation = {2}, .padding_mode = MT_PADDING_CAUSAL});
}

static mt_tensor *conv2(mt_tensor *x, mt_tensor *w) {
	return mt_conv2d(x, w, MT_NONE, (mt_conv_options){.stride = {2, 1}, .padding = {1, 0}, .groups = 2});
}

static mt_tensor *conv3(mt_tensor *x, mt_tensor *w) {
	return mt_conv3d(x, w, MT_NONE, (mt_conv_options){.padding_mode = MT_PADDING_SAME});
}

static mt_tensor *transpose2(mt_tensor *x, mt_tensor *w) {
	return mt_conv_transpose2d(
		x, w, MT_NONE,
		(mt_conv_transpose_options){.stride = {2, 1}, .padding = {1, 0}, .output_padding = {1, 0}, .groups = 2});
}

static mt_tensor *max2(mt_tensor *x, mt_tensor *unused) {
	(void)unused;
	return mt_max_pool2d(x, (mt_pool_options){.kernel = {3, 2}, .stride = {1, 2}, .padding = {1, 1}, .ceil_mode = 1});
}

static mt_tensor *avg2(mt_tensor *x, mt_tensor *unused) {
	(void)unused;
	return mt_avg_pool2d(x, (mt_pool_options){.kernel = {3, 2}, .stride = {2, 1}, .padding = {1, 1}, .ceil_mode = 1});
}

static mt_tensor *adaptive2(mt_tensor *x, mt_tensor *unused) {
	(void)unused;
	return mt_adaptive_avg_pool(x, MT_SHAPE(3, 2));
}

static const struct product products[] = {
	{"conv1d", conv1, 2, {{3, {2, 2, 5}}, {3, {2, 2, 2}}}},
	{"conv2d", conv2, 2, {{4, {1, 4, 4, 3}}, {4, {2, 2, 3, 2}}}},
	{"conv3d", conv3, 2, {{5, {1, 1, 2, 2, 3}}, {5, {2, 1, 2, 1, 2}}}},
	{"conv_transpose2d", transpose2, 2, {{4, {1, 4, 2, 2}}, {4, {4, 1, 3, 2}}}},
	{"max_pool2d", max2, 1, {{4, {1, 2, 3, 4}}}},
	{"avg_pool2d", avg2, 1, {{4, {1, 2, 4, 3}}}},
	{"adaptive_avg_pool", adaptive2, 1, {{4, {1, 2, 5, 3}}}},
};

struct gradient {
	const struct product *p;
	int of;
};

/* d⟨u, op(…)⟩ / d in[of], in the graph where recording is on. */
static mt_tensor *gradient(mt_tensor *const *in, int n, void *context) {
	const struct gradient *g = context;
	int was = mt_grad_enable(1);
	mt_tensor *y = g->p->op(in[0], in[1]), *u = in[n - 1], *of = in[g->of], *result = NULL;
	mt_status status = mt_gradients(&y, 1, &u, &of, 1, (mt_gradients_options){.create_graph = was}, &result);
	mt_grad_enable(was);
	return status == MT_OK ? result : NULL;
}

static void check_gradient_of(const struct product *p, int of) {
	struct gradient g = {p, of};
	mt_tensor *in[MAX_ARGS];
	for (int i = 0; i < p->n; i++)
		in[i] = mt_requires_grad_(random_like(p->in[i].rank, p->in[i].shape, MT_F64, -1, 1, 7 + (uint64_t)i), 1);
	mt_tensor *y = p->op(in[0], in[1]);
	MT_REQUIRE(y != NULL);
	in[p->n] = mt_requires_grad_(random_like(mt_tensor_rank(y), mt_tensor_shape(y), MT_F64, -1, 1, 29), 1);
	struct mt_gradcheck_options options = {.seed = 3, .atol = 2e-8};
	mt_status status = mt_gradcheck(gradient, in, p->n + 1, &g, &options);
	MT_CHECK_MSG(status == MT_OK, "second order: %s", mt_error_take(NULL));
	status = mt_gradgradcheck(gradient, in, p->n + 1, &g, &options);
	MT_CHECK_MSG(status == MT_OK, "third order: %s", mt_error_take(NULL));
}

static void orders_on_device(void) {
	for (size_t i = 0; i < sizeof products / sizeof *products; i++)
		for (int of = 0; of < products[i].n; of++) {
			mt_scope *scope = mt_scope_begin();
			row("%s, gradient of argument %d", products[i].name, of);
			check_gradient_of(&products[i], of);
			mt_scope_end(scope);
		}
}

static void orders(void) {
	each_backend(orders_on_device);
}

/* ---- exactly: each gradient is the transpose of what it is the gradient of ---------------------------------------- */

static mt_tensor *whole(int rank, const int64_t *shape) {
	return mt_cast(mt_randint(-9, 10, rank, shape), MT_F64);
}

static mt_tensor *linear_in_x(mt_tensor *x, const void *w) {
	return mt_conv2d(x, (mt_tensor *)w, MT_NONE,
	                 (mt_conv_options){.stride = {1, 2}, .padding = {2, 1}, .dilation = {2, 1}});
}

static mt_tensor *linear_in_weight(mt_tensor *w, const void *x) {
	return linear_in_x((mt_tensor *)x, w);
}

static mt_tensor *transposed_in_x(mt_tensor *x, const void *w) {
	return mt_conv_transpose1d(x, (mt_tensor *)w, MT_NONE,
	                           (mt_conv_transpose_options){.stride = {3}, .padding = {1}, .output_padding = {2}});
}

static mt_tensor *transposed_in_weight(mt_tensor *w, const void *x) {
	return transposed_in_x((mt_tensor *)x, w);
}

static mt_tensor *average(mt_tensor *x, const void *unused) { /* windows of 1, 2 and 4 cells */
	(void)unused;
	return mt_avg_pool2d(
		x,
		(mt_pool_options){.kernel = {2, 2}, .stride = {1, 3}, .padding = {1, 0}, .exclude_padding = 1, .ceil_mode = 1});
}

static void exact_on_device(void) {
	row("conv2d in x");
	check_linear(linear_in_x, whole(MT_SHAPE(3, 2, 2, 3)), MT_SHAPE(2, 2, 3, 4), 1);
	row("conv2d in weight");
	check_linear(linear_in_weight, whole(MT_SHAPE(2, 2, 3, 4)), MT_SHAPE(3, 2, 2, 3), 1);
	row("conv_transpose1d in x");
	check_linear(transposed_in_x, whole(MT_SHAPE(2, 3, 4)), MT_SHAPE(2, 2, 3), 1);
	row("conv_transpose1d in weight");
	check_linear(transposed_in_weight, whole(MT_SHAPE(2, 2, 3)), MT_SHAPE(2, 3, 4), 1);
	row("avg_pool2d");
	check_linear(average, NULL, MT_SHAPE(2, 1, 3, 4), 1);
}

static void exact(void) {
	each_backend(exact_on_device);
}

/* ---- no images ---------------------------------------------------------------------------------------------------- */

static void empty_on_device(void) {
	mt_tensor *x = mt_requires_grad_(mt_zeros(MT_SHAPE(0, 2, 5), MT_F32), 1);
	mt_tensor *w = mt_requires_grad_(mt_ones(MT_SHAPE(2, 2, 3), MT_F32), 1);
	mt_tensor *b = mt_requires_grad_(mt_ones(MT_SHAPE(2), MT_F32), 1);
	mt_tensor *y = mt_conv1d(x, w, b, (mt_conv_options){.groups = 0});
	row("conv1d");
	MT_CHECK_INT(mt_backward_from(y, mt_zeros_like(y), 0), MT_OK);
	CHECK_SHAPE(mt_grad(x), 0, 2, 5);
	CHECK_VALUES(mt_grad(w), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	CHECK_VALUES(mt_grad(b), 0, 0);
	row("conv_transpose1d");
	mt_tensor *z = mt_conv_transpose1d(x, w, b, (mt_conv_transpose_options){.stride = {2}});
	CHECK_SHAPE(z, 0, 2, 11);
	MT_CHECK_INT(mt_backward_from(z, mt_zeros_like(z), 0), MT_OK);
	CHECK_VALUES(mt_grad(w), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	row("pooling");
	mt_pool_options two = {.kernel = {2}};
	mt_tensor *all = mt_cat((mt_tensor *[]){mt_max_pool1d(x, two), mt_avg_pool1d(x, two),
	                                        mt_adaptive_avg_pool(x, MT_SHAPE(2)), mt_adaptive_avg_pool(x, MT_SHAPE(3))},
	                        4, 2);
	CHECK_SHAPE(all, 0, 2, 9);
	MT_CHECK_INT(mt_backward_from(all, mt_zeros_like(all), 0), MT_OK);
	CHECK_SHAPE(mt_grad(x), 0, 2, 5);
	CHECK_NO_ERROR();
}

static void empty(void) {
	each_backend(empty_on_device);
}

/* ---- the graph ---------------------------------------------------------------------------------------------------- */

static void names(void) {
	char *text = NULL;
	size_t size;
	mt_tensor *x = mt_requires_grad_(mt_ones(MT_SHAPE(1, 1, 8, 8), MT_F32), 1);
	mt_tensor *w = mt_requires_grad_(mt_ones(MT_SHAPE(1, 1, 3, 3), MT_F32), 1);
	mt_tensor *y = mt_conv2d(x, w, MT_NONE, (mt_conv_options){.groups = 0});
	y = mt_conv_transpose2d(mt_max_pool2d(y, (mt_pool_options){.kernel = {2, 2}}), w, MT_NONE,
	                        (mt_conv_transpose_options){.groups = 0});
	y = mt_avg_pool2d(y, (mt_pool_options){.kernel = {2, 2}});
	FILE *f = open_memstream(&text, &size);
	MT_REQUIRE(f != NULL);
	MT_CHECK_INT(mt_graph_text(y, f), MT_OK);
	fclose(f);
	MT_CHECK_CONTAINS(text, "conv2d(");
	MT_CHECK_CONTAINS(text, "max_pool2d(");
	MT_CHECK_CONTAINS(text, "conv_transpose2d(");
	MT_CHECK_CONTAINS(text, "avg_pool2d(");
	free(text);
	mt_copy_(mt_detach(x), mt_zeros_like(x));
	MT_CHECK_INT(mt_backward_from(y, mt_ones_like(y), 0), MT_E_VERSION);
	CHECK_ERROR(MT_E_VERSION, "conv2d: the saved tensor f32[1, 1, 8, 8] was modified");
}

static const mt_test_case cases[] = {{"orders", orders}, {"exact", exact}, {"empty", empty}, {"names", names}, {0}};
static const mt_test_suite suites[] = {{"conv_grad", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
