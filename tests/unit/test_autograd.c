/* The graph: what is recorded, .grad over its life, errors, in-place writes, memory; gradients at points without a
 * derivative. */
#include <math.h>
#include <stdlib.h>

#include "oracle.h"

static mt_tensor *leaf(mt_tensor *t) {
	return mt_requires_grad_(t, 1);
}

static mt_tensor *vector(float a, float b, float c) {
	return mt_from_data(MT_SHAPE(3), MT_F32, (const float[]){a, b, c});
}

/* ---- .grad -------------------------------------------------------------------------------------------------------- */

static void grad_on_device(void) {
	mt_tensor *w = leaf(vector(1, 2, 3)), *u = vector(2, -1, 0.5f);
	row("none at first");
	MT_CHECK(mt_grad(w) == MT_NONE);
	MT_CHECK_INT(mt_backward_from(mt_square(w), u, 0), MT_OK);
	CHECK_VALUES(mt_grad(w), 4, -4, 3);
	row("adds up, at one address, over zero_grad");
	mt_tensor *grad = mt_grad(w);
	MT_CHECK_INT(mt_backward_from(mt_mul(w, w), u, 0), MT_OK);
	CHECK_VALUES(mt_grad(w), 8, -8, 6);
	for (int i = 0; i < 3; i++) {
		MT_CHECK_INT(mt_zero_grad(w), MT_OK);
		MT_CHECK(mt_grad(w) == MT_NONE);
		mt_scope *scope = mt_scope_begin();
		MT_CHECK_INT(mt_backward_from(i == 1 ? mt_add(w, w) : mt_neg(w), u, 0), MT_OK);
		mt_scope_end(scope);
		MT_CHECK(mt_grad(w) == grad);
		if (i == 1)
			CHECK_VALUES(mt_grad(w), 4, -2, 1);
		else
			CHECK_VALUES(mt_grad(w), -2, 1, -0.5);
	}
	CHECK_VALUES(u, 2, -1, 0.5);
	row("of a leaf itself");
	mt_zero_grad(w);
	MT_CHECK_INT(mt_backward_from(w, u, 0), MT_OK);
	CHECK_VALUES(mt_grad(w), 2, -1, 0.5);
	MT_CHECK(!mt_tensor_shares_storage(mt_grad(w), u));
	row("leaves do not share memory");
	mt_tensor *a = leaf(vector(1, 1, 1)), *b = leaf(vector(2, 2, 2));
	MT_CHECK_INT(mt_backward_from(mt_add(a, b), u, 0), MT_OK);
	MT_CHECK(!mt_tensor_shares_storage(mt_grad(a), mt_grad(b)));
	MT_CHECK_INT(mt_backward_from(mt_neg(a), u, 0), MT_OK);
	CHECK_VALUES(mt_grad(a), 0, 0, 0);
	CHECK_VALUES(mt_grad(b), 2, -1, 0.5);
	row("contiguous, also from an expanded gradient");
	mt_tensor *c = leaf(mt_transpose(counting(MT_SHAPE(2, 3), MT_F32), 0, 1));
	MT_CHECK_INT(mt_backward(mt_sum(c, MT_ALL_AXES, 0)), MT_OK);
	MT_CHECK(mt_tensor_is_contiguous(mt_grad(c)));
	CHECK_VALUES(mt_grad(c), 1, 1, 1, 1, 1, 1);
}

static void grad(void) {
	each_backend(grad_on_device);
}

static void graph_on_device(void) {
	mt_tensor *x = leaf(vector(0.5f, 1, 2)), *u = vector(1, -2, 3);
	row("a result used many times");
	mt_tensor *h = mt_square(x), *y = mt_add(mt_mul(h, h), mt_add(mt_mul_scalar(h, mt_f(3)), mt_sub(x, h)));
	MT_CHECK_INT(mt_backward_from(y, u, 0), MT_OK); /* x⁴ + 2x² + x */
	CHECK_VALUES(mt_grad(x), 2.5 + 1, -2 * 9.0, 3 * 41.0);
	row("100000 ops deep, and released without recursion");
	mt_scope *scope = mt_scope_begin();
	mt_tensor *deep = leaf(mt_zeros(MT_SHAPE0, MT_F32)), *z = mt_retain(mt_add_scalar(deep, mt_i(1)));
	for (int i = 0; i < 100000; i++) {
		mt_scope *inner = mt_scope_begin();
		mt_tensor *next = mt_retain(mt_neg(z));
		mt_release(z);
		z = next;
		mt_scope_end(inner);
	}
	MT_CHECK_INT(mt_backward(z), MT_OK);
	CHECK_VALUES(mt_grad(deep), 1);
	mt_release(z);
	mt_scope_end(scope);
	row("many inputs");
	mt_tensor *parts[20], *shared = leaf(vector(1, 2, 3));
	for (int i = 0; i < 20; i++)
		parts[i] = i % 3 ? shared : vector(0, 0, 0);
	MT_CHECK_INT(mt_backward(mt_sum(mt_square(mt_cat(parts, 20, 0)), MT_ALL_AXES, 0)), MT_OK);
	CHECK_VALUES(mt_grad(shared), 26, 52, 78);
	row("what needs no gradient gets none");
	mt_tensor *constant = vector(1, 1, 1), *w = leaf(vector(1, 1, 1));
	MT_CHECK_INT(mt_backward_from(mt_mul(mt_exp(constant), w), u, 0), MT_OK);
	MT_CHECK(mt_grad(constant) == MT_NONE);
	MT_CHECK(mt_grad(w) != MT_NONE);
	row("dtypes on the way");
	mt_tensor *half = leaf(mt_cast(vector(1, 2, 3), MT_F16)), *v = mt_mul(mt_cast(half, MT_F32), u);
	MT_CHECK_INT(mt_backward_from(mt_cast(v, MT_F64), mt_ones(MT_SHAPE(3), MT_F64), 0), MT_OK);
	MT_CHECK_INT(mt_tensor_dtype(mt_grad(half)), MT_F16);
	CHECK_VALUES(mt_grad(half), 1, -2, 3);
}

static void graph(void) {
	each_backend(graph_on_device);
}

/* ---- what is recorded --------------------------------------------------------------------------------------------- */

static void recording(void) {
	mt_tensor *x = leaf(vector(1, 2, 3)), *y = mt_exp(x);
	MT_CHECK(mt_tensor_requires_grad(x) && mt_tensor_is_leaf(x));
	MT_CHECK(mt_tensor_requires_grad(y) && !mt_tensor_is_leaf(y));
	MT_CHECK(!mt_tensor_requires_grad(mt_gt(x, y)));
	MT_CHECK(!mt_tensor_requires_grad(mt_cast(x, MT_I32)));
	MT_CHECK(!mt_tensor_requires_grad(mt_detach(y)) && mt_tensor_is_leaf(mt_detach(y)));
	MT_CHECK(!mt_tensor_requires_grad(NULL) && !mt_tensor_is_leaf(NULL) && !mt_tensor_is_leaf(MT_NONE));
	MT_CHECK_INT(mt_grad_enable(0), 1);
	MT_CHECK_INT(mt_grad_enabled(), 0);
	MT_CHECK(!mt_tensor_requires_grad(mt_exp(x)));
	MT_CHECK_INT(mt_grad_enable(1), 0);
	MT_CHECK_INT(mt_grad_enabled(), 1);
	MT_CHECK(mt_requires_grad_(x, 0) == x);
	MT_CHECK(!mt_tensor_requires_grad(mt_exp(x)));
	MT_CHECK(mt_requires_grad_(y, 1) == NULL);
	CHECK_ERROR(MT_E_STATE, "requires_grad_: f32[3] is the result of a recorded op");
	MT_CHECK(mt_requires_grad_(mt_zeros(MT_SHAPE(2), MT_I32), 1) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "not of a float dtype");
	MT_CHECK(mt_requires_grad_(NULL, 1) == NULL);
	CHECK_ERROR(MT_E_NULL, "requires_grad_");
}

static void retained(void) {
	mt_tensor *x = leaf(vector(1, 2, 3)), *h = mt_square(x), *other = mt_neg(h), *u = vector(1, -1, 2);
	MT_CHECK_INT(mt_retain_grad(h), MT_OK);
	MT_CHECK_INT(mt_retain_grad(h), MT_OK);
	MT_CHECK_INT(mt_retain_grad(x), MT_OK);
	MT_CHECK(mt_grad(h) == MT_NONE);
	mt_tensor *y = mt_mul_scalar(h, mt_f(3));
	MT_CHECK_INT(mt_backward_from(y, u, 1), MT_OK);
	CHECK_VALUES(mt_grad(h), 3, -3, 6);
	mt_tensor *address = mt_grad(h);
	MT_CHECK_INT(mt_backward_from(y, u, 0), MT_OK);
	CHECK_VALUES(mt_grad(h), 6, -6, 12);
	MT_CHECK(mt_grad(h) == address);
	MT_CHECK_INT(mt_zero_grad(h), MT_OK);
	MT_CHECK(mt_grad(h) == MT_NONE);
	MT_CHECK(mt_grad(other) == MT_NONE);
	MT_CHECK_INT(mt_retain_grad(u), MT_E_STATE);
	CHECK_ERROR(MT_E_STATE, "retain_grad: f32[3] does not require a gradient");
	row("the result may be gone");
	mt_scope *scope = mt_scope_begin();
	mt_tensor *gone = mt_exp(x);
	mt_retain_grad(gone);
	mt_tensor *kept = mt_scope_end_keep(scope, mt_neg(gone));
	MT_CHECK_INT(mt_backward_from(kept, u, 0), MT_OK);
}

/* ---- errors ------------------------------------------------------------------------------------------------------- */

static void errors(void) {
	mt_tensor *x = leaf(vector(1, 2, 3)), *y = mt_square(x), *s = mt_sum(y, MT_ALL_AXES, 0);
	MT_CHECK_INT(mt_backward(y), MT_E_SHAPE);
	CHECK_ERROR(MT_E_SHAPE, "backward: f32[3] has 3 elements: give a gradient");
	MT_CHECK_INT(mt_backward(vector(1, 2, 3)), MT_E_STATE);
	CHECK_ERROR(MT_E_STATE, "has no graph");
	MT_CHECK_INT(mt_backward_from(y, mt_ones(MT_SHAPE(3, 1), MT_F32), 0), MT_E_SHAPE);
	CHECK_ERROR(MT_E_SHAPE, "the gradient is f32[3, 1], the tensor f32[3]");
	MT_CHECK_INT(mt_backward_from(y, mt_ones(MT_SHAPE(3), MT_F64), 0), MT_E_DTYPE);
	CHECK_ERROR(MT_E_DTYPE, "the gradient is f64[3]");
	MT_CHECK_INT(mt_backward(NULL), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "backward");
	MT_CHECK_INT(mt_backward_from(s, NULL, 0), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "gradient");
	MT_CHECK(mt_grad(x) == MT_NONE);
	MT_CHECK_INT(mt_backward_from(s, MT_NONE, 1), MT_OK);
	MT_CHECK_INT(mt_backward(s), MT_OK);
	CHECK_VALUES(mt_grad(x), 4, 8, 12);
	MT_CHECK_INT(mt_backward(s), MT_E_STATE);
	CHECK_ERROR(MT_E_STATE, "freed by an earlier backward (at sum)");
	MT_CHECK_INT(mt_backward_from(mt_neg(y), x, 0), MT_E_STATE);
	CHECK_ERROR(MT_E_STATE, "freed by an earlier backward (at square)");
	CHECK_VALUES(mt_grad(x), 4, 8, 12);
	MT_CHECK(mt_grad(NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "grad");
	MT_CHECK_INT(mt_zero_grad(MT_NONE), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "zero_grad");
}

static void versions(void) {
	mt_tensor *x = leaf(vector(1, 2, 3)), *c = vector(4, 5, 6), *u = vector(1, 1, 1);
	mt_tensor *y = mt_mul(x, c);
	mt_mul_scalar_(c, mt_i(2));
	MT_CHECK_INT(mt_backward_from(y, u, 0), MT_E_VERSION);
	CHECK_ERROR(MT_E_VERSION, "mul: the saved tensor f32[3] was modified in place");
	MT_CHECK(mt_grad(x) == MT_NONE);
	y = mt_exp(x);
	mt_add_scalar_(y, mt_i(1));
	MT_CHECK_INT(mt_backward_from(y, u, 0), MT_E_VERSION);
	CHECK_ERROR(MT_E_VERSION, "exp: the saved tensor");
	y = mt_square(x);
	mt_set(x, (const int64_t[]){0}, mt_f(9));
	mt_error_take(NULL); /* refused while recording */
	int was = mt_grad_enable(0);
	MT_CHECK_INT(mt_set(x, (const int64_t[]){0}, mt_f(9)), MT_OK);
	mt_grad_enable(was);
	MT_CHECK_INT(mt_backward_from(y, u, 0), MT_E_VERSION);
	CHECK_ERROR(MT_E_VERSION, "square: the saved tensor");
	y = mt_add(x, c); /* saves nothing */
	mt_mul_scalar_(c, mt_i(2));
	MT_CHECK_INT(mt_backward_from(y, u, 0), MT_OK);
}

/* ---- in place ----------------------------------------------------------------------------------------------------- */

static void in_place(void) {
	mt_tensor *x = leaf(vector(1, 2, 3)), *u = vector(1, -2, 0.5f);
	MT_CHECK(mt_add_scalar_(x, mt_i(1)) == NULL);
	CHECK_ERROR(MT_E_STATE, "add_scalar_: f32[3] is a leaf that requires a gradient");
	MT_CHECK(mt_copy_(x, u) == NULL);
	CHECK_ERROR(MT_E_STATE, "leaf");
	int was = mt_grad_enable(0);
	MT_CHECK(mt_add_scalar_(x, mt_i(1)) == x);
	mt_grad_enable(was);
	CHECK_VALUES(x, 2, 3, 4);

	row("a constant becomes part of the graph");
	mt_tensor *total = mt_zeros(MT_SHAPE(3), MT_F32);
	for (int i = 0; i < 3; i++)
		MT_CHECK(mt_add_(total, mt_mul_scalar(x, mt_i(i))) == total);
	MT_CHECK(!mt_tensor_is_leaf(total));
	CHECK_VALUES(total, 6, 9, 12);
	MT_CHECK_INT(mt_backward_from(total, u, 0), MT_OK);
	CHECK_VALUES(mt_grad(x), 3, -6, 1.5);

	row("a result's users before the write see its old graph");
	mt_zero_grad(x);
	mt_tensor *h = mt_mul_scalar(x, mt_i(2)), *before = mt_neg(h);
	mt_mul_scalar_(h, mt_i(10));
	MT_CHECK_INT(mt_backward_from(mt_add(before, h), u, 0), MT_OK);
	CHECK_VALUES(mt_grad(x), 18, -36, 9);

	row("views");
	mt_tensor *base = mt_exp(x), *view = mt_slice(base, 0, 0, 2, 1);
	MT_CHECK(mt_mul_scalar_(view, mt_i(2)) == NULL);
	CHECK_ERROR(MT_E_STATE, "shares its storage");
	MT_CHECK(mt_mul_scalar_(base, mt_i(2)) == NULL);
	CHECK_ERROR(MT_E_STATE, "shares its storage");
	mt_tensor *constant = mt_zeros(MT_SHAPE(2, 3), MT_F32), *first = mt_index(constant, 0, 0);
	MT_CHECK(mt_add_(first, x) == NULL);
	CHECK_ERROR(MT_E_STATE, "shares its storage");
	MT_CHECK(mt_add_(first, u) == first); /* nothing to record */
	CHECK_VALUES(constant, 1, -2, 0.5, 0, 0, 0);

	row("retained gradients move with the tensor");
	mt_tensor *r = mt_mul_scalar(x, mt_i(1));
	mt_retain_grad(r);
	mt_mul_scalar_(r, mt_i(3));
	MT_CHECK_INT(mt_backward_from(mt_mul_scalar(r, mt_i(5)), u, 0), MT_OK);
	CHECK_VALUES(mt_grad(r), 5, -10, 2.5);
}

/* ---- memory ------------------------------------------------------------------------------------------------------- */

static mt_tensor *network(mt_tensor *x, mt_tensor *w, mt_tensor *v) {
	mt_tensor *h = mt_tanh(mt_matmul(x, w));
	return mt_sum(mt_mul(mt_softmax(mt_mul(h, h), 1), mt_exp(mt_matmul(h, v))), MT_ALL_AXES, 0);
}

static void memory(void) {
	int64_t before = mt_live_tensors();
	mt_scope *scope = mt_scope_begin();
	mt_tensor *x = random_like(MT_SHAPE(4, 3), MT_F32, -1, 1, 1),
			  *w = leaf(random_like(MT_SHAPE(3, 5), MT_F32, -1, 1, 2));
	mt_tensor *v = leaf(random_like(MT_SHAPE(5, 5), MT_F32, -1, 1, 3)), *constant = vector(1, 2, 3);
	int64_t inputs = mt_live_tensors(), steady = 0;
	for (int i = 0; i < 5; i++) {
		mt_scope *step = mt_scope_begin();
		mt_tensor *y = network(x, w, v);
		int64_t forward = mt_live_tensors();
		MT_CHECK_INT(mt_backward_from(y, MT_NONE, i % 2), MT_OK);
		if (i % 2 == 0)
			MT_CHECK_MSG(mt_live_tensors() < forward + 2, "saved tensors are freed");
		mt_scope_end(step);
		if (i == 0)
			steady = mt_live_tensors();
		MT_CHECK_INT(mt_live_tensors(), steady);
	}
	MT_CHECK_INT(steady, inputs + 2); /* two gradients */
	row("no circle through a constant written in place");
	mt_scope *circle = mt_scope_begin();
	mt_tensor *y = mt_mul(leaf(vector(1, 1, 1)), constant);
	MT_CHECK(mt_mul_(constant, y) == constant);
	mt_scope_end(circle);
	mt_scope_end(scope);
	MT_CHECK_INT(mt_live_tensors(), before);
	row("the graph leaves with its result");
	scope = mt_scope_begin();
	mt_scope *inner = mt_scope_begin();
	w = leaf(vector(1, 2, 3));
	y = mt_scope_end_keep(inner, mt_sum(mt_square(w), MT_ALL_AXES, 0));
	MT_CHECK_INT(mt_backward(y), MT_OK);
	mt_scope_end(scope);
	MT_CHECK_INT(mt_live_tensors(), before);
}

/* What graphs hold by itself does not become the result of a recorded op: its graph could hold it. */
static void circles(void) {
	int64_t before = mt_live_tensors();
	mt_scope *scope = mt_scope_begin();
	mt_tensor *w = leaf(vector(1, 2, 3)), *x = leaf(vector(4, 5, 6)), *y = mt_mul(w, x);
	mt_requires_grad_(w, 0);
	MT_CHECK(mt_add_(w, y) == NULL);
	CHECK_ERROR(MT_E_STATE, "add_: f32[3] is a gradient, or was marked as a leaf");
	MT_CHECK(mt_copy_(w, y) == NULL);
	CHECK_ERROR(MT_E_STATE, "copy_: f32[3] is a gradient");
	MT_CHECK(mt_add_(w, vector(1, 1, 1)) == w); /* not recorded */
	mt_tensor *z = mt_square(x);
	MT_CHECK_INT(mt_retain_grad(z), MT_OK);
	MT_CHECK_INT(mt_backward(mt_sum(z, MT_ALL_AXES, 0)), MT_OK);
	z = mt_square(x);
	MT_CHECK(mt_add_(mt_grad(x), z) == NULL);
	CHECK_ERROR(MT_E_STATE, "is a gradient");
	MT_CHECK(mt_mul_scalar_(mt_grad(x), mt_f(0.5)) != NULL);
	mt_scope_end(scope);
	MT_CHECK_INT(mt_live_tensors(), before);
}

/* Allocations fail from the n-th on, once. */
static int64_t allocations_left = INT64_MAX;

static int refuse(void) {
	return allocations_left-- == 0;
}

static void *failing_alloc(size_t bytes) {
	return refuse() ? NULL : malloc(bytes);
}

static void *failing_realloc(void *p, size_t bytes) {
	return refuse() ? NULL : realloc(p, bytes);
}

static void out_of_memory(void) {
	int64_t before = mt_live_tensors();
	for (int64_t n = 0, done = 0; !done && MT_CHECK(n < 10000); n++) {
		mt_scope *scope = mt_scope_begin();
		mt_tensor *x = random_like(MT_SHAPE(4, 3), MT_F32, -1, 1, 1),
				  *w = leaf(random_like(MT_SHAPE(3, 5), MT_F32, -1, 1, 2));
		mt_tensor *v = leaf(random_like(MT_SHAPE(5, 5), MT_F32, -1, 1, 3)), *parts[6] = {w, w, w, w, w, w};
		row("allocation %lld fails", (long long)n);
		allocations_left = n;
		mt_tensor *y = network(x, w, v);
		y = y == NULL ? NULL : mt_add(y, mt_sum(mt_cat(parts, 6, 0), MT_ALL_AXES, 0));
		mt_status status = y == NULL ? mt_error_peek() : mt_backward(y);
		done = allocations_left >= 0;
		allocations_left = INT64_MAX;
		MT_CHECK_INT(status, done ? MT_OK : MT_E_MEMORY);
		mt_error_take(NULL);
		mt_scope_end(scope);
		MT_CHECK_INT(mt_live_tensors(), before);
	}
}

/* ---- points without a derivative, as PyTorch decides them -------------------------------------------------------- */

static void check_gradient(mt_tensor *y, mt_tensor *x, const double *want, int64_t n, const char *what) {
	mt_test_row("%s", what);
	mt_zero_grad(x);
	mt_tensor *u =
		y == NULL ? NULL : mt_add_scalar(counting(mt_tensor_rank(y), mt_tensor_shape(y), mt_tensor_dtype(y)), mt_i(2));
	MT_CHECK_INT(mt_backward_from(y, u, 0), MT_OK);
	CHECK_CLOSE(mt_grad(x), want, n, 1e-6, 1);
}

static void corners_on_device(void) {
	mt_tensor *x = leaf(vector(0, -1, 2)), *zero = leaf(vector(0, 0, 3)), *nan = leaf(vector(NAN, 1, NAN));
	check_gradient(mt_relu(x), x, VALUES(0, 0, 4), "relu at 0");
	check_gradient(mt_abs(x), x, VALUES(0, -3, 4), "abs at 0");
	check_gradient(mt_clamp(x, mt_i(0), mt_i(2)), x, VALUES(2, 0, 4), "clamp at its limits");
	check_gradient(mt_leaky_relu(x, 0.5), x, VALUES(1, 1.5, 4), "leaky_relu at 0");
	check_gradient(mt_sqrt(zero), zero, VALUES(INFINITY, INFINITY, 4 / (2 * sqrt(3))), "sqrt at 0");
	check_gradient(mt_maximum(x, vector(0, 5, 2)), x, VALUES(1, 0, 2), "a tie of maximum");
	check_gradient(mt_minimum(vector(0, 5, 2), x), x, VALUES(1, 3, 2), "a tie of minimum");
	check_gradient(mt_max(zero, MT_ALL_AXES, 0), zero, VALUES(0, 0, 2), "max");
	check_gradient(mt_min(zero, MT_ALL_AXES, 0), zero, VALUES(1, 1, 0), "a tie of min");
	check_gradient(mt_max(nan, MT_ALL_AXES, 1), nan, VALUES(1, 0, 1), "max of NaN");
	check_gradient(mt_prod(x, MT_ALL_AXES, 0), x, VALUES(-4, 0, 0), "prod with one 0");
	check_gradient(mt_prod(zero, MT_AXES(0), 1), zero, VALUES(0, 0, 0), "prod with two 0");
	check_gradient(mt_pow_scalar(x, mt_i(0)), x, VALUES(0, 0, 0), "x ^ 0");
	check_gradient(mt_pow_scalar(x, mt_i(2)), x, VALUES(0, -6, 16), "x ^ 2 at 0 and below");
	check_gradient(mt_pow(zero, vector(0, 2, 1)), zero, VALUES(0, 0, 4), "0 ^ b towards the base");
	mt_tensor *b = leaf(vector(0, 2, 1));
	check_gradient(mt_pow(vector(0, 0, 3), b), b, VALUES(0, 0, 4 * 3 * log(3)), "0 ^ b towards the exponent");
	check_gradient(mt_scalar_zip(MT_ZIP_POW, mt_i(0), b), b, VALUES(0, 0, 0), "0 ^ b, 0 by value");
	mt_tensor *positive = mt_gt(zero, vector(0, 0, 0));
	check_gradient(mt_where(positive, zero, mt_rdiv_scalar(mt_detach(zero), mt_i(1))), zero, VALUES(0, 0, 4), "where");
	row("empty");
	mt_tensor *empty = leaf(mt_zeros(MT_SHAPE(0, 3), MT_F32)), *w = leaf(mt_ones(MT_SHAPE(2, 3), MT_F32));
	mt_tensor *y = mt_add(mt_sum(mt_linear(empty, w, MT_NONE), MT_ALL_AXES, 0),
	                      mt_sum(mt_max(empty, MT_AXES(1), 0), MT_ALL_AXES, 0));
	MT_CHECK_INT(mt_backward(y), MT_OK);
	CHECK_SHAPE(mt_grad(empty), 0, 3);
	CHECK_VALUES(mt_grad(w), 0, 0, 0, 0, 0, 0);
}

static void corners(void) {
	each_backend(corners_on_device);
}

static const mt_test_case cases[] = {
	{"grad", grad},           {"graph", graph},
	{"recording", recording}, {"retained", retained},
	{"errors", errors},       {"versions", versions},
	{"in_place", in_place},   {"circles", circles},
	{"memory", memory},       {"out_of_memory", out_of_memory},
	{"corners", corners},     {0},
};
static const mt_test_suite suites[] = {{"autograd", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	mt_set_allocator(failing_alloc, failing_realloc, free);
	return mt_test_main(argc, argv, suites);
}
