/* mt_gradients: what it gives, what it leaves alone, what it refuses; the central difference. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

static mt_tensor *leaf(mt_tensor *t) {
	return mt_requires_grad_(t, 1);
}

static mt_tensor *vector(double a, double b, double c) {
	return mt_from_data(MT_SHAPE(3), MT_F64, (const double[]){a, b, c});
}

static const mt_gradients_options plain, keep = {.retain_graph = 1}, create = {.create_graph = 1},
										 unused = {.retain_graph = 1, .allow_unused = 1};

/* d(u·y)/dx. */
static mt_tensor *gradient(mt_tensor *y, mt_tensor *x, mt_tensor *u, mt_gradients_options options) {
	mt_tensor *g;
	return mt_gradients(&y, 1, &u, &x, 1, options, &g) == MT_OK ? g : NULL;
}

/* ---- values ------------------------------------------------------------------------------------------------------- */

static mt_tensor *deep_function(mt_tensor *x, mt_tensor *w) {
	mt_tensor *h = mt_tanh(mt_matmul(x, w)), *p = mt_softmax(h, 1);
	mt_tensor *q = mt_mul(mt_add(p, h), mt_exp(mt_sub(h, mt_mul(p, p))));
	return mt_sum(mt_mul(mt_cat((mt_tensor *[]){p, q, h}, 3, 1), mt_cat((mt_tensor *[]){h, q, q}, 3, 1)), MT_AXES(1),
	              0);
}

/* The order of all sums is the same: to the bit. */
static void as_backward_on_device(void) {
	for (int create_graph = 0; create_graph < 2; create_graph++) {
		row("create_graph %d", create_graph);
		mt_tensor *x = leaf(random_like(MT_SHAPE(6, 5), MT_F32, -1, 1, 1)),
				  *w = leaf(random_like(MT_SHAPE(5, 7), MT_F32, -1, 1, 2)), *in[2] = {x, w}, *g[2];
		mt_tensor *y = deep_function(x, w), *u = random_like(MT_SHAPE(6), MT_F32, -1, 1, 3);
		mt_gradients_options options = {.create_graph = create_graph, .retain_graph = 1};
		MT_CHECK_INT(mt_gradients(&y, 1, &u, in, 2, options, g), MT_OK);
		MT_CHECK(mt_grad(x) == MT_NONE && mt_grad(w) == MT_NONE);
		MT_CHECK_INT(mt_backward_from(y, u, 0), MT_OK);
		for (int i = 0; i < 2; i++) {
			double *have = elements(g[i]), *want = elements(mt_grad(in[i]));
			int64_t n = mt_tensor_numel(in[i]);
			if (create_graph) /* composed forms round otherwise than kernels */
				CHECK_CLOSE(g[i], want, n, 1e-5, 1);
			else
				MT_CHECK(have != NULL && want != NULL && memcmp(have, want, (size_t)n * sizeof *have) == 0);
			free(have);
			free(want);
		}
		MT_CHECK_INT(mt_tensor_requires_grad(g[0]), create_graph);
	}
}

static void as_backward(void) {
	each_backend(as_backward_on_device);
}

static void inside_on_device(void) {
	mt_tensor *x = leaf(vector(1, 2, 3)), *u = vector(1, -1, 2);
	mt_tensor *h = mt_square(x), *y = mt_mul(h, mt_exp(mt_neg(h)));
	row("a result between, and a leaf behind it");
	mt_tensor *in[2] = {x, h}, *g[2];
	MT_CHECK_INT(mt_gradients(&y, 1, &u, in, 2, keep, g), MT_OK);
	double want_h[3], want_x[3];
	for (int i = 0; i < 3; i++) {
		double t = i + 1, s = t * t;
		want_h[i] = (i == 1 ? -1 : i == 2 ? 2 : 1) * (1 - s) * exp(-s);
		want_x[i] = want_h[i] * 2 * t;
	}
	CHECK_CLOSE(g[0], want_x, 3, 1e-14, 0);
	CHECK_CLOSE(g[1], want_h, 3, 1e-14, 0);
	row("once the one, once the other");
	int64_t before_both = mt_live_tensors();
	mt_scope *scope = mt_scope_begin();
	CHECK_CLOSE(gradient(y, h, u, keep), want_h, 3, 1e-14, 0);
	CHECK_CLOSE(gradient(y, x, u, keep), want_x, 3, 1e-14, 0);
	mt_scope_end(scope);
	MT_CHECK_INT(mt_live_tensors(), before_both);
	row("only the result between: what lies behind is not run");
	MT_CHECK(gradient(y, h, u, plain) != NULL);
	CHECK_VALUES(gradient(h, x, u, plain), 2, -4, 12);
	row("the output itself, and its input");
	h = mt_square(x);
	y = mt_mul_scalar(h, mt_i(3));
	mt_tensor *self[3] = {y, h, x}, *of_self[3];
	MT_CHECK_INT(mt_gradients(&y, 1, &u, self, 3, plain, of_self), MT_OK);
	CHECK_VALUES(of_self[0], 1, -1, 2);
	CHECK_VALUES(of_self[1], 3, -3, 6);
	CHECK_VALUES(of_self[2], 6, -12, 36);
	row("a leaf as output");
	CHECK_VALUES(gradient(x, x, u, plain), 1, -1, 2);
	row("written in place, the tensor is the later result");
	mt_tensor *z = mt_mul_scalar(x, mt_i(2)), *before = mt_neg(z);
	MT_CHECK(mt_mul_scalar_(z, mt_i(5)) == z);
	mt_tensor *sum = mt_add(before, z), *both[2] = {x, z}, *of_both[2];
	MT_CHECK_INT(mt_gradients(&sum, 1, &u, both, 2, plain, of_both), MT_OK);
	CHECK_VALUES(of_both[0], 8, -8, 16);
	CHECK_VALUES(of_both[1], 1, -1, 2);
}

static void inside(void) {
	each_backend(inside_on_device);
}

static void outputs_on_device(void) {
	mt_tensor *x = leaf(vector(1, 2, 3)), *w = leaf(vector(2, 2, 2)), *u = vector(1, -1, 2);
	mt_tensor *a = mt_mul(x, w), *s = mt_sum(a, MT_ALL_AXES, 0), *b = mt_square(x);
	mt_tensor *in[2] = {x, w}, *g[2];
	row("several, one of which another is computed from, one given twice, one a leaf");
	mt_tensor *out[5] = {s, a, b, b, w}, *us[5] = {MT_NONE, u, u, u, u};
	MT_CHECK_INT(mt_gradients(out, 5, us, in, 2, plain, g), MT_OK);
	CHECK_VALUES(g[0], 2 + 2 + 4, 2 - 2 - 8, 2 + 4 + 24);
	CHECK_VALUES(g[1], 1 + 1 + 1, 2 - 2 - 1, 3 + 6 + 2);
	CHECK_VALUES(u, 1, -1, 2);
	row("the one that another is computed from first");
	mt_tensor *c = mt_mul(x, w), *d = mt_square(c);
	MT_CHECK_INT(mt_gradients((mt_tensor *[]){c, d}, 2, (mt_tensor *[]){u, u}, in, 2, plain, g), MT_OK);
	CHECK_VALUES(g[0], 2 + 8, -2 - 16, 4 + 48);
	CHECK_VALUES(g[1], 1 + 4, -2 - 16, 6 + 72);
	row("upstream left out: ones");
	mt_tensor *p = mt_sum(mt_mul(x, w), MT_ALL_AXES, 0), *q = mt_sum(x, MT_ALL_AXES, 0);
	MT_CHECK_INT(mt_gradients((mt_tensor *[]){p, q}, 2, NULL, in, 2, plain, g), MT_OK);
	CHECK_VALUES(g[0], 3, 3, 3);
	CHECK_VALUES(g[1], 1, 2, 3);
	row("an upstream gradient with a graph");
	mt_tensor *y = mt_mul(x, x), *v = mt_mul_scalar(w, mt_i(3));
	mt_tensor *gx = gradient(y, x, v, create);
	CHECK_VALUES(gx, 12, 24, 36);
	CHECK_VALUES(gradient(gx, w, u, plain), 6, -12, 36);
	row("many inputs of one node");
	mt_tensor *parts[45], *wanted[2] = {x, w}, *of[2];
	for (int i = 0; i < 45; i++)
		parts[i] = i % 9 == 4 ? w : i % 3 == 0 ? u : x;
	mt_tensor *joined = mt_cat(parts, 45, 0);
	mt_tensor *ju = mt_arange(mt_i(0), mt_i(135), mt_i(1), MT_F64);
	MT_CHECK_INT(mt_gradients(&joined, 1, &ju, wanted, 2, keep, of), MT_OK);
	double sum[3] = {0}, count[3] = {0}; /* of x, w, u */
	for (int i = 0; i < 45; i++) {
		int which = i % 9 == 4 ? 1 : i % 3 == 0 ? 2 : 0;
		sum[which] += 3 * i;
		count[which]++;
	}
	CHECK_VALUES(of[0], sum[0], sum[0] + count[0], sum[0] + 2 * count[0]);
	CHECK_VALUES(of[1], sum[1], sum[1] + count[1], sum[1] + 2 * count[1]);
	CHECK_VALUES(gradient(joined, w, ju, plain), sum[1], sum[1] + count[1], sum[1] + 2 * count[1]);
}

static void outputs(void) {
	each_backend(outputs_on_device);
}

/* ---- what the results are ----------------------------------------------------------------------------------------- */

static void results_on_device(void) {
	mt_tensor *x = leaf(vector(1, 2, 3)), *w = leaf(vector(4, 5, 6)), *in[2] = {x, w}, *g[2];
	for (int i = 0; i < 2; i++) {
		row("nobody else's memory, create_graph %d", i);
		mt_tensor *u = vector(1, -1, 2), *y = mt_add(x, w), *s = mt_sum(mt_add(x, w), MT_ALL_AXES, 0);
		mt_gradients_options options = {.create_graph = i};
		MT_CHECK_INT(mt_gradients(&y, 1, &u, in, 2, options, g), MT_OK);
		MT_CHECK(g[0] != g[1] && !mt_tensor_shares_storage(g[0], g[1]));
		MT_CHECK(!mt_tensor_shares_storage(g[0], u) && !mt_tensor_shares_storage(g[1], u));
		MT_CHECK(mt_mul_scalar_(g[0], mt_i(7)) == g[0]);
		CHECK_VALUES(g[1], 1, -1, 2);
		CHECK_VALUES(u, 1, -1, 2);
		mt_tensor *column = mt_reshape(x, MT_SHAPE(3, 1)), *uc = mt_reshape(u, MT_SHAPE(3, 1));
		mt_tensor *viewed = gradient(column, x, uc, options);
		MT_CHECK(viewed != NULL && !mt_tensor_shares_storage(viewed, u));
		MT_CHECK_INT(mt_gradients(&s, 1, NULL, in, 2, options, g), MT_OK); /* expanded inside */
		MT_CHECK(mt_tensor_is_contiguous(g[0]) && mt_mul_scalar_(g[0], mt_i(7)) == g[0]);
		CHECK_VALUES(g[0], 7, 7, 7);
		CHECK_VALUES(g[1], 1, 1, 1);
	}
	row("the current scope's");
	int64_t before = mt_live_tensors();
	mt_scope *scope = mt_scope_begin();
	mt_tensor *y = mt_square(x);
	g[0] = mt_scope_end_keep(scope, gradient(y, x, vector(1, 1, 1), create));
	MT_CHECK_INT(mt_live_tensors() > before, 1);
	CHECK_VALUES(g[0], 2, 4, 6);
	row(".grad of nobody changes, retained ones neither");
	mt_tensor *h = mt_square(x), *z = mt_mul(h, w);
	mt_retain_grad(h);
	MT_CHECK(gradient(z, x, vector(1, 1, 1), keep) != NULL);
	MT_CHECK(mt_grad(h) == MT_NONE && mt_grad(x) == MT_NONE && mt_grad(w) == MT_NONE);
	MT_CHECK_INT(mt_backward_from(z, vector(1, 1, 1), 1), MT_OK);
	mt_tensor *grad = mt_grad(w);
	MT_CHECK(gradient(z, w, vector(3, 3, 3), create) != NULL);
	MT_CHECK(mt_grad(w) == grad);
	CHECK_VALUES(grad, 1, 4, 9);
	CHECK_VALUES(mt_grad(h), 4, 5, 6);
	row("dtypes on the way");
	mt_tensor *half = leaf(mt_cast(vector(1, 2, 3), MT_F16));
	mt_tensor *g16 = gradient(mt_mul(mt_cast(half, MT_F64), w), half, vector(1, -2, 0.5), create);
	MT_CHECK_INT(mt_tensor_dtype(g16), MT_F16);
	CHECK_VALUES(g16, 4, -10, 3);
	row("empty");
	mt_tensor *empty = leaf(mt_zeros(MT_SHAPE(0, 3), MT_F64)), *square = mt_square(mt_softmax(empty, 1));
	mt_tensor *ge = gradient(square, empty, mt_zeros(MT_SHAPE(0, 3), MT_F64), create);
	CHECK_SHAPE(ge, 0, 3);
}

static void results(void) {
	each_backend(results_on_device);
}

/* ---- what a pass uses up ------------------------------------------------------------------------------------------ */

static void consumption(void) {
	mt_tensor *x = leaf(vector(1, 2, 3)), *w = leaf(vector(4, 5, 6)), *u = vector(1, 1, 1);
	row("used up once");
	mt_tensor *y = mt_exp(mt_mul(x, w));
	MT_CHECK(gradient(y, x, u, plain) != NULL);
	MT_CHECK(gradient(y, x, u, plain) == NULL);
	CHECK_ERROR(MT_E_STATE, "gradients: the graph was freed by an earlier backward (at ");
	MT_CHECK_INT(mt_backward_from(y, u, 0), MT_E_STATE);
	CHECK_ERROR(MT_E_STATE, "backward: the graph was freed by an earlier backward (at exp)");
	MT_CHECK(mt_grad(x) == MT_NONE);
	row("kept by retain_graph and create_graph");
	y = mt_exp(mt_mul(x, w));
	mt_tensor *g = gradient(y, x, u, keep);
	MT_CHECK(g != NULL && !mt_tensor_requires_grad(g));
	g = gradient(y, x, u, create);
	MT_CHECK(mt_tensor_requires_grad(g));
	MT_CHECK_INT(mt_backward_from(y, u, 0), MT_OK);
	row("a gradient's graph goes through what it was computed from");
	MT_CHECK(gradient(g, w, u, plain) == NULL);
	CHECK_ERROR(MT_E_STATE, "freed by an earlier backward");
	row("branches that lead to no input asked for are not run");
	mt_tensor *shared = mt_mul(x, x), *a = mt_mul(shared, w), *b = mt_exp(w);
	y = mt_add(a, b);
	MT_CHECK(gradient(y, x, u, plain) != NULL);
	MT_CHECK(gradient(b, w, u, plain) != NULL);
	MT_CHECK(gradient(a, w, u, plain) == NULL);
	CHECK_ERROR(MT_E_STATE, "at mul");
	row("nor is a saved tensor looked at that only they need");
	mt_tensor *c = vector(1, 1, 1), *d = mt_clone(w), *product = mt_mul(mt_mul(x, c), d);
	MT_CHECK(mt_mul_scalar_(c, mt_i(2)) != NULL);
	MT_CHECK(gradient(product, d, u, keep) != NULL);
	MT_CHECK(gradient(product, x, u, keep) == NULL);
	CHECK_ERROR(MT_E_VERSION, "mul: the saved tensor f64[3] was modified in place");
	mt_tensor *p = mt_clone(x), *q = mt_clone(w), *pq = mt_mul(p, q);
	MT_CHECK(mt_mul_scalar_(q, mt_i(2)) == q); /* kept for p's gradient */
	CHECK_VALUES(gradient(pq, w, u, keep), 1, 2, 3);
	MT_CHECK(gradient(pq, x, u, keep) == NULL);
	CHECK_ERROR(MT_E_VERSION, "mul: the saved tensor f64[3] was modified in place");
	row("written between the passes");
	y = mt_square(w);
	mt_tensor *v = mt_exp(x), *z = mt_mul(v, v);
	g = gradient(z, x, u, create);
	MT_CHECK(mt_add_scalar_(v, mt_i(1)) == v);
	MT_CHECK(gradient(g, x, u, plain) == NULL);
	CHECK_ERROR(MT_E_VERSION, "was modified in place");
	row("recording may be off outside");
	int was = mt_grad_enable(0);
	g = gradient(y, w, u, create);
	MT_CHECK_INT(mt_grad_enabled(), 0);
	mt_grad_enable(was);
	CHECK_VALUES(gradient(g, w, u, plain), 2, 2, 2);
	row("a constant gradient is in no graph");
	g = gradient(mt_mul_scalar(x, mt_i(3)), x, u, create);
	MT_CHECK(g != NULL && !mt_tensor_requires_grad(g));
	MT_CHECK(gradient(g, x, u, plain) == NULL);
	CHECK_ERROR(MT_E_STATE, "gradients: outputs[0], f64[3], has no graph");
}

/* ---- errors ------------------------------------------------------------------------------------------------------- */

static void errors(void) {
	mt_tensor *x = leaf(vector(1, 2, 3)), *w = leaf(vector(4, 5, 6)), *c = vector(0, 0, 0), *y = mt_square(x);
	mt_tensor *s = mt_sum(y, MT_ALL_AXES, 0), *in[3] = {x, w, x}, *g[3] = {x, x, x};
	row("unused");
	MT_CHECK_INT(mt_gradients(&s, 1, NULL, in, 2, keep, g), MT_E_STATE);
	CHECK_ERROR(MT_E_STATE, "gradients: no output depends on inputs[1], f64[3]; allow_unused = 1");
	MT_CHECK(g[0] == NULL && g[1] == NULL);
	MT_CHECK_INT(mt_gradients(&s, 1, NULL, in, 2, unused, g), MT_OK);
	CHECK_VALUES(g[0], 2, 4, 6);
	MT_CHECK(g[1] == MT_NONE);
	mt_tensor *other = mt_exp(w);
	MT_CHECK_INT(mt_gradients(&s, 1, NULL, &other, 1, unused, g), MT_OK);
	MT_CHECK(g[0] == MT_NONE);
	row("twice");
	MT_CHECK_INT(mt_gradients(&s, 1, NULL, in, 3, unused, g), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "gradients: inputs[0] and inputs[2] are the same tensor");
	MT_CHECK(g[0] == NULL && g[1] == NULL && g[2] == NULL);
	MT_CHECK_INT(mt_gradients(&s, 1, NULL, (mt_tensor *[]){y, y}, 2, keep, g), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "inputs[0] and inputs[1] are the same tensor");
	row("arguments");
	MT_CHECK_INT(mt_gradients(&s, 1, NULL, &c, 1, keep, g), MT_E_STATE);
	CHECK_ERROR(MT_E_STATE, "gradients: inputs[0], f64[3], does not require a gradient");
	MT_CHECK_INT(mt_gradients(&c, 1, NULL, in, 1, keep, g), MT_E_STATE);
	CHECK_ERROR(MT_E_STATE, "gradients: outputs[0], f64[3], has no graph");
	MT_CHECK_INT(mt_gradients(&y, 1, NULL, in, 1, keep, g), MT_E_SHAPE);
	CHECK_ERROR(MT_E_SHAPE, "gradients: f64[3] has 3 elements: give a gradient");
	mt_tensor *column = mt_ones(MT_SHAPE(3, 1), MT_F64), *single = mt_ones(MT_SHAPE(3), MT_F32), *null = NULL;
	MT_CHECK_INT(mt_gradients(&y, 1, &column, in, 1, keep, g), MT_E_SHAPE);
	CHECK_ERROR(MT_E_SHAPE, "gradients: upstream[0] is f64[3, 1], the tensor f64[3]");
	MT_CHECK_INT(mt_gradients(&y, 1, &single, in, 1, keep, g), MT_E_DTYPE);
	CHECK_ERROR(MT_E_DTYPE, "gradients: upstream[0] is f32[3]");
	MT_CHECK_INT(mt_gradients(&y, 1, &null, in, 1, keep, g), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "gradients: upstream[0] is NULL");
	MT_CHECK_INT(mt_gradients(&null, 1, NULL, in, 1, keep, g), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "gradients: outputs[0] is NULL");
	MT_CHECK_INT(mt_gradients(&s, 1, NULL, &null, 1, keep, g), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "gradients: inputs[0] is NULL");
	MT_CHECK_INT(mt_gradients(&s, 1, NULL, (mt_tensor *[]){MT_NONE}, 1, keep, g), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "gradients: inputs[0] is MT_NONE");
	MT_CHECK_INT(mt_gradients(NULL, 1, NULL, in, 1, keep, g), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "gradients: outputs is NULL");
	MT_CHECK_INT(mt_gradients(&s, 1, NULL, NULL, 1, keep, g), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "gradients: inputs is NULL");
	MT_CHECK_INT(mt_gradients(&s, 1, NULL, in, 1, keep, NULL), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "gradients: out is NULL");
	MT_CHECK_INT(mt_gradients(&s, 0, NULL, in, 1, keep, g), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "gradients: 0 outputs, 1 inputs; at least one of each is needed");
	MT_CHECK_INT(mt_gradients(&s, 1, NULL, in, 0, keep, g), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "at least one of each");
	row("none of that used the graph up");
	MT_CHECK_INT(mt_backward(s), MT_OK);
	CHECK_VALUES(mt_grad(x), 2, 4, 6);
}

/* ---- the central difference --------------------------------------------------------------------------------------- */

static double polynomial(const double *x, int n, void *context) { /* x₀² x₁ + c x_{n−1} */
	return x[0] * x[0] * x[1] + *(double *)context * x[n - 1];
}

static double identity(const double *x, int n, void *context) {
	(void)n, (void)context;
	return x[0];
}

static double root(const double *x, int n, void *context) {
	(void)n, (void)context;
	return sqrt(x[0]);
}

static void central_difference(void) {
	double x[3] = {1.5, -2, 4}, c = 10, d = 0;
	MT_CHECK_INT(mt_central_difference(polynomial, x, 3, 0, 0, &c, &d), MT_OK);
	MT_CHECK_NEAR(d, -6, 1e-9);
	MT_CHECK_INT(mt_central_difference(polynomial, x, 3, 1, 1e-3, &c, &d), MT_OK);
	MT_CHECK_NEAR(d, 2.25, 1e-11);
	MT_CHECK_INT(mt_central_difference(polynomial, x, 3, 2, 0.5, &c, &d), MT_OK);
	MT_CHECK_NEAR(d, 10, 1e-14);
	MT_CHECK(x[0] == 1.5 && x[1] == -2 && x[2] == 4);
	row("the step grows with x, and is taken as it comes out rounded");
	double large = 1e17 / 3;
	MT_CHECK_INT(mt_central_difference(identity, &large, 1, 0, 0, NULL, &d), MT_OK);
	MT_CHECK(d == 1);
	row("NaN passes through");
	MT_CHECK_INT(mt_central_difference(root, (const double[]){0}, 1, 0, 0, NULL, &d), MT_OK);
	MT_CHECK(isnan(d));
	row("errors");
	MT_CHECK_INT(mt_central_difference(identity, &large, 1, 0, 1e-6, NULL, &d), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "central_difference: step 1e-06 vanishes beside x = 3.33333e+16");
	MT_CHECK_INT(mt_central_difference(identity, x, 3, 3, 0, NULL, &d), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "central_difference: argument 3 of 3");
	MT_CHECK_INT(mt_central_difference(identity, x, 3, -1, 0, NULL, &d), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "argument -1 of 3");
	MT_CHECK_INT(mt_central_difference(identity, x, 3, 0, -1, NULL, &d), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "step is -1");
	MT_CHECK_INT(mt_central_difference(identity, x, 3, 0, NAN, NULL, &d), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "step is nan");
	MT_CHECK_INT(mt_central_difference(NULL, x, 3, 0, 0, NULL, &d), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "central_difference: f is NULL");
	MT_CHECK_INT(mt_central_difference(identity, NULL, 3, 0, 0, NULL, &d), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "x is NULL");
	MT_CHECK_INT(mt_central_difference(identity, x, 3, 0, 0, NULL, NULL), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "out is NULL");
}

/* Outputs without a node are walked by no pass; an input that has one must not be taken for asked for later. */
static void leaves_as_outputs(void) {
	mt_tensor *w = mt_requires_grad_(mt_full(MT_SHAPE(2), MT_F64, mt_i(3)), 1), *y = mt_mul_scalar(w, mt_i(2));
	mt_tensor *other = mt_requires_grad_(mt_ones(MT_SHAPE0, MT_F64), 1), *g = NULL;
	MT_CHECK_INT(mt_gradients(&other, 1, NULL, &y, 1, (mt_gradients_options){.allow_unused = 1}, &g), MT_OK);
	MT_CHECK(mt_tensor_is_none(g));
	mt_tensor *z = mt_sum(mt_square(y), MT_ALL_AXES, 0);
	MT_CHECK_INT(mt_gradients(&z, 1, NULL, &w, 1, (mt_gradients_options){0}, &g), MT_OK);
	CHECK_VALUES(g, 24, 24);
}

static const mt_test_case cases[] = {
	{"as_backward", as_backward},
	{"inside", inside},
	{"outputs", outputs},
	{"leaves_as_outputs", leaves_as_outputs},
	{"results", results},
	{"consumption", consumption},
	{"errors", errors},
	{"central_difference", central_difference},
	{0},
};
static const mt_test_suite suites[] = {{"gradients", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
