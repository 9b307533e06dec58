/* Derivatives of derivatives: against analytic ones, Hessian-vector products against differences of gradients, a gradient
 * penalty, writes in place, depth, memory. */
#include <math.h>
#include <stdlib.h>

#include "oracle.h"

static mt_tensor *leaf(mt_tensor *t) {
	return mt_requires_grad_(t, 1);
}

static mt_tensor *random_leaf(int rank, const int64_t *shape, uint64_t seed) {
	return leaf(random_like(rank, shape, MT_F64, -1, 1, seed));
}

static const mt_gradients_options create = {.create_graph = 1};

/* d(u·y)/dx, with a graph; NULL on failure.  u may be MT_NONE. */
static mt_tensor *gradient(mt_tensor *y, mt_tensor *x, mt_tensor *u) {
	mt_tensor *g;
	return mt_gradients(&y, 1, &u, &x, 1, create, &g) == MT_OK ? g : NULL;
}

/* ---- one variable: derivatives of order 1 to 4 -------------------------------------------------------------------- */

static double d_sin(double x, int n) {
	return n % 2 == 0 ? (n % 4 == 0 ? sin(x) : -sin(x)) : (n % 4 == 1 ? cos(x) : -cos(x));
}

static double d_exp(double x, int n) {
	return exp(x) + 0 * n;
}

static double falling(double p, int n) {
	double product = 1;
	for (int i = 0; i < n; i++)
		product *= p - i;
	return product;
}

static double d_fifth(double x, int n) {
	return falling(5, n) * pow(x, 5 - n);
}

static double d_reciprocal(double x, int n) {
	return falling(-1, n) * pow(x, -1 - n);
}

static double d_log(double x, int n) {
	return d_reciprocal(x, n - 1);
}

static double d_power(double x, int n) {
	return falling(2.5, n) * pow(x, 2.5 - n);
}

static double d_base(double x, int n) {
	return pow(1.7, x) * pow(log(1.7), n);
}

/* x eˣ: the product rule at every order. */
static double d_product(double x, int n) {
	return (x + n) * exp(x);
}

static mt_tensor *fifth(mt_tensor *x) {
	mt_tensor *square = mt_mul(x, x);
	return mt_mul(mt_mul(square, square), x);
}

static mt_tensor *power(mt_tensor *x) {
	return mt_pow_scalar(x, mt_f(2.5));
}

static mt_tensor *base(mt_tensor *x) {
	return mt_scalar_zip(MT_ZIP_POW, mt_f(1.7), x);
}

static mt_tensor *product(mt_tensor *x) {
	return mt_mul(x, mt_exp(x));
}

/* The same through a write in place: each product keeps what it overwrote. */
static mt_tensor *product_in_place(mt_tensor *x) {
	mt_tensor *y = mt_exp(x), *z = mt_clone(x);
	return mt_mul_(z, y);
}

static mt_tensor *fifth_in_place(mt_tensor *x) {
	mt_tensor *y = mt_clone(x);
	return mt_mul_(mt_mul_(mt_mul_(mt_mul_(y, x), x), x), x);
}

static mt_tensor *quotient_in_place(mt_tensor *x) { /* 1/x */
	return mt_div_(mt_ones_like(x), x);
}

static const struct {
	const char *name;
	mt_tensor *(*f)(mt_tensor *x);
	double (*derivative)(double x, int n);
} functions[] = {
	{"sin", mt_sin, d_sin},
	{"exp", mt_exp, d_exp},
	{"x^5 by mul", fifth, d_fifth},
	{"x^5 in place", fifth_in_place, d_fifth},
	{"reciprocal", mt_reciprocal, d_reciprocal},
	{"1/x in place", quotient_in_place, d_reciprocal},
	{"log", mt_log, d_log},
	{"x^2.5", power, d_power},
	{"1.7^x", base, d_base},
	{"x exp x", product, d_product},
	{"x exp x in place", product_in_place, d_product},
};

/* Each order is taken with an upstream gradient of its own: their product multiplies the derivative. */
static void check_orders(mt_tensor *(*f)(mt_tensor *), double (*derivative)(double, int), int rank,
                         const int64_t *shape) {
	mt_tensor *x = leaf(random_like(rank, shape, MT_F64, 0.6, 1.4, 3)), *y = f(x);
	int64_t n = mt_tensor_numel(x);
	double *at = elements(x), want[8], factor[8];
	for (int64_t i = 0; i < n; i++)
		factor[i] = 1;
	for (int order = 1; order <= 4; order++) {
		mt_tensor *u = random_like(rank, shape, MT_F64, 0.5, 1.5, (uint64_t)order + 7);
		double *us = elements(u);
		y = gradient(y, x, u);
		for (int64_t i = 0; i < n; i++) {
			factor[i] *= us[i];
			want[i] = factor[i] * derivative(at[i], order);
		}
		if (!CHECK_CLOSE(y, want, n, 1e-11, 1))
			mt_test_note("at order %d", order);
		free(us);
	}
	free(at);
}

static void orders_on_device(void) {
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		row("%s", functions[i].name);
		check_orders(functions[i].f, functions[i].derivative, 2, (const int64_t[]){2, 3});
		row("%s, 0-d", functions[i].name);
		check_orders(functions[i].f, functions[i].derivative, MT_SHAPE0);
	}
}

static void orders(void) {
	each_backend(orders_on_device);
}

/* ---- several variables -------------------------------------------------------------------------------------------- */

/* f = x² y³ + sin(x y): each partial of second order, the mixed ones both ways. */
static void partials_on_device(void) {
	double a = 0.8, b = 1.3, s = sin(a * b), c = cos(a * b);
	mt_tensor *x = leaf(mt_scalar_tensor(mt_f(a), MT_F64)), *y = leaf(mt_scalar_tensor(mt_f(b), MT_F64));
	mt_tensor *f = mt_add(mt_mul(mt_square(x), mt_mul(y, mt_square(y))), mt_sin(mt_mul(x, y)));
	mt_tensor *in[2] = {x, y}, *first[2], *of_x[2], *of_y[2];
	MT_CHECK_INT(mt_gradients(&f, 1, NULL, in, 2, create, first), MT_OK);
	CHECK_NEAR_VALUES(first[0], 1e-12, 2 * a * b * b * b + b * c);
	CHECK_NEAR_VALUES(first[1], 1e-12, 3 * a * a * b * b + a * c);
	MT_CHECK_INT(mt_gradients(&first[0], 1, NULL, in, 2, create, of_x), MT_OK);
	MT_CHECK_INT(mt_gradients(&first[1], 1, NULL, in, 2, create, of_y), MT_OK);
	CHECK_NEAR_VALUES(of_x[0], 1e-12, 2 * b * b * b - b * b * s);
	CHECK_NEAR_VALUES(of_x[1], 1e-12, 6 * a * b * b + c - a * b * s);
	CHECK_NEAR_VALUES(of_y[0], 1e-12, 6 * a * b * b + c - a * b * s);
	CHECK_NEAR_VALUES(of_y[1], 1e-12, 6 * a * a * b - a * a * s);
	row("mt_backward of a function of gradients");
	MT_CHECK_INT(mt_backward(mt_add(mt_square(first[0]), first[1])), MT_OK);
	double fx = 2 * a * b * b * b + b * c, fxx = 2 * b * b * b - b * b * s, fxy = 6 * a * b * b + c - a * b * s;
	CHECK_NEAR_VALUES(mt_grad(x), 1e-11, 2 * fx * fxx + fxy);
	CHECK_NEAR_VALUES(mt_grad(y), 1e-11, 2 * fx * fxy + 6 * a * a * b - a * a * s);
	MT_CHECK(!mt_tensor_requires_grad(mt_grad(x)));
}

static void partials(void) {
	each_backend(partials_on_device);
}

/* ½ xᵀ A x + …: the Hessian of a quadratic form is its matrix. */
static void quadratic_on_device(void) {
	mt_tensor *a = random_like(MT_SHAPE(4, 4), MT_F64, -1, 1, 5), *x = random_leaf(MT_SHAPE(4), 6);
	mt_tensor *v = random_like(MT_SHAPE(4), MT_F64, -1, 1, 7);
	mt_tensor *f = mt_matmul(x, mt_matmul(a, x));
	double *want = elements(mt_matmul(mt_add(a, mt_transpose(a, 0, 1)), v));
	CHECK_CLOSE(gradient(gradient(f, x, MT_NONE), x, v), want, 4, 1e-13, 1);
	free(want);
}

static void quadratic(void) {
	each_backend(quadratic_on_device);
}

/* ---- Hessian-vector products -------------------------------------------------------------------------------------- */

enum { N_WEIGHTS = 3 };

/* Products, softmax, views, joins, reductions, a shared weight, a broadcast. */
static mt_tensor *network(mt_tensor *const *w) {
	mt_tensor *x = random_like(MT_SHAPE(5, 3), MT_F64, -1, 1, 11), *t = random_like(MT_SHAPE(5, 8), MT_F64, 0, 1, 12);
	mt_tensor *h = mt_sin(mt_linear(x, w[0], w[1]));
	mt_tensor *p = mt_softmax(mt_matmul(h, w[2]), 1), *q = mt_log_softmax(mt_matmul(mt_exp(h), mt_flip(w[2], 0)), -1);
	mt_tensor *both = mt_cat((mt_tensor *[]){p, mt_transpose(mt_reshape(q, MT_SHAPE(4, 5)), 0, 1)}, 2, 1);
	mt_tensor *all = mt_mul(mt_mul(both, t), mt_cat((mt_tensor *[]){h, mt_slice(h, 1, 3, MT_END, -1)}, 2, 1));
	mt_tensor *norms = mt_log1p(mt_sum(mt_square(mt_tanh(mt_matmul(h, w[2]))), MT_AXES(1), 0));
	return mt_add(mt_sum(all, MT_ALL_AXES, 0), mt_mul(mt_mean(norms, MT_ALL_AXES, 0), mt_sum(all, MT_ALL_AXES, 0)));
}

static void make_weights(mt_tensor **w) {
	w[0] = random_leaf(MT_SHAPE(4, 3), 1);
	w[1] = random_leaf(MT_SHAPE(4), 2);
	w[2] = random_leaf(MT_SHAPE(4, 4), 3);
}

static double *gradient_at(mt_tensor *const *w, mt_tensor *const *v, double step, int which) {
	mt_tensor *moved[N_WEIGHTS], *g[N_WEIGHTS];
	for (int i = 0; i < N_WEIGHTS; i++)
		moved[i] = leaf(mt_add(mt_detach(w[i]), mt_mul_scalar(v[i], mt_f(step))));
	mt_tensor *y = network(moved);
	MT_CHECK_INT(mt_gradients(&y, 1, NULL, moved, N_WEIGHTS, (mt_gradients_options){0}, g), MT_OK);
	return elements(g[which]);
}

static void products_on_device(void) {
	mt_tensor *w[N_WEIGHTS], *v[N_WEIGHTS], *g[N_WEIGHTS], *hv[N_WEIGHTS];
	make_weights(w);
	for (int i = 0; i < N_WEIGHTS; i++)
		v[i] = random_like(mt_tensor_rank(w[i]), mt_tensor_shape(w[i]), MT_F64, -1, 1, 20 + (uint64_t)i);
	mt_tensor *y = network(w);
	MT_CHECK_INT(mt_gradients(&y, 1, NULL, w, N_WEIGHTS, create, g), MT_OK);
	MT_CHECK_INT(mt_gradients(g, N_WEIGHTS, v, w, N_WEIGHTS, (mt_gradients_options){.retain_graph = 1}, hv), MT_OK);
	const double h = 1e-5;
	for (int i = 0; i < N_WEIGHTS; i++) {
		row("weight %d", i);
		double *low = gradient_at(w, v, -h, i), *high = gradient_at(w, v, h, i), *have = elements(hv[i]);
		for (int64_t e = 0; e < mt_tensor_numel(w[i]); e++)
			MT_CHECK_NEAR(have[e], (high[e] - low[e]) / (2 * h), 2e-8);
		free(low);
		free(high);
		free(have);
	}
	row("the Hessian is symmetric");
	mt_tensor *u[N_WEIGHTS], *hu[N_WEIGHTS];
	double left = 0, right = 0, part;
	for (int i = 0; i < N_WEIGHTS; i++)
		u[i] = random_like(mt_tensor_rank(w[i]), mt_tensor_shape(w[i]), MT_F64, -1, 1, 30 + (uint64_t)i);
	MT_CHECK_INT(mt_gradients(g, N_WEIGHTS, u, w, N_WEIGHTS, (mt_gradients_options){0}, hu), MT_OK);
	for (int i = 0; i < N_WEIGHTS; i++) {
		MT_CHECK_INT(mt_item(mt_sum(mt_mul(hv[i], u[i]), MT_ALL_AXES, 0), &part), MT_OK);
		left += part;
		MT_CHECK_INT(mt_item(mt_sum(mt_mul(hu[i], v[i]), MT_ALL_AXES, 0), &part), MT_OK);
		right += part;
	}
	MT_CHECK(fabs(left) > 0.1);
	MT_CHECK_NEAR(left, right, 1e-12);
}

static void products(void) {
	each_backend(products_on_device);
}

/* ---- a gradient penalty ------------------------------------------------------------------------------------------- */

/* The mean of (|∇ₓ D(x)| − 1)² over rows, D(x) = v·sin(W x + b) (Gulrajani et al. 2017). */
static mt_tensor *penalty(mt_tensor *const *w, mt_tensor *x) {
	mt_tensor *d = mt_matmul(mt_sin(mt_linear(x, w[0], w[1])), w[2]);
	mt_tensor *g = gradient(d, x, mt_ones_like(d));
	mt_tensor *length = mt_sqrt(mt_sum(mt_square(g), MT_AXES(1), 0));
	return mt_mean(mt_square(mt_sub_scalar(length, mt_i(1))), MT_ALL_AXES, 0);
}

static double penalty_value(mt_tensor *const *w, mt_tensor *x) {
	double value = NAN;
	MT_CHECK_INT(mt_item(penalty(w, x), &value), MT_OK);
	return value;
}

static void check_penalty_gradient(mt_tensor *const *w, mt_tensor *x, mt_tensor *weight) {
	const double h = 1e-5;
	double *g = elements(mt_grad(weight)), *data = mt_data(weight);
	for (int64_t i = 0; data != NULL && i < mt_tensor_numel(weight); i++) {
		double at = data[i];
		data[i] = at + h;
		double high = penalty_value(w, x);
		data[i] = at - h;
		double low = penalty_value(w, x);
		data[i] = at;
		MT_CHECK_NEAR(g[i], (high - low) / (2 * h), 1e-8);
	}
	mt_error_take(NULL); /* no host memory: the other backends checked it */
	free(g);
}

static void penalty_on_device(void) {
	int64_t steady = 0;
	mt_tensor *w[3] = {random_leaf(MT_SHAPE(6, 3), 1), random_leaf(MT_SHAPE(6), 2), random_leaf(MT_SHAPE(6), 3)};
	mt_tensor *x = random_leaf(MT_SHAPE(4, 3), 4);
	double first = penalty_value(w, x), last = 0;
	for (int step = 0; step < 30; step++) {
		mt_scope *scope = mt_scope_begin();
		for (int i = 0; i < 3; i++)
			mt_zero_grad(w[i]);
		mt_zero_grad(x);
		mt_tensor *loss = penalty(w, x);
		MT_CHECK_INT(mt_item(loss, &last), MT_OK);
		MT_CHECK_INT(mt_backward(loss), MT_OK);
		for (int i = 0; i < 3 && step == 0; i++) {
			row("d penalty / d weight %d", i);
			check_penalty_gradient(w, x, w[i]);
		}
		row("step %d", step);
		int was = mt_grad_enable(0);
		for (int i = 0; i < 3; i++)
			MT_CHECK(mt_sub_(w[i], mt_mul_scalar(mt_grad(w[i]), mt_f(0.2))) != NULL);
		mt_grad_enable(was);
		mt_scope_end(scope);
		if (step == 0)
			steady = mt_live_tensors();
		MT_CHECK_INT(mt_live_tensors(), steady);
	}
	MT_CHECK_MSG(last < first / 10, "the penalty went from %g to %g", first, last);
}

static void gradient_penalty(void) {
	each_backend(penalty_on_device);
}

/* ---- depth and memory --------------------------------------------------------------------------------------------- */

/* sin(… sin(x)), n times, held by the caller alone; its first two derivatives. */
static mt_tensor *tower(mt_tensor *x, double at, int n, double *slope, double *bend) {
	double ratio = 0; /* (ln y′)′ = Σ −tan(zᵢ) zᵢ′ */
	mt_tensor *y = mt_retain(x);
	*slope = 1;
	for (int i = 0; i < n; i++) {
		ratio -= *slope * tan(at);
		*slope *= cos(at);
		at = sin(at);
		mt_scope *inner = mt_scope_begin();
		mt_tensor *next = mt_retain(mt_sin(y));
		mt_release(y);
		y = next;
		mt_scope_end(inner);
	}
	*bend = *slope * ratio;
	return y;
}

static void depth(void) {
	int64_t before = mt_live_tensors();
	mt_scope *scope = mt_scope_begin();
	double slope, bend;
	mt_tensor *x = leaf(mt_scalar_tensor(mt_f(0.5), MT_F64));
	row("100000 ops, as many and more in the gradient's graph");
	mt_scope *inner = mt_scope_begin();
	mt_tensor *y = tower(x, 0.5, 100000, &slope, &bend);
	CHECK_CLOSE(gradient(y, x, MT_NONE), &slope, 1, 1e-10, 0);
	mt_release(y);
	mt_scope_end(inner);
	row("the second derivative of 10000");
	y = tower(x, 0.5, 10000, &slope, &bend);
	CHECK_CLOSE(gradient(gradient(y, x, MT_NONE), x, MT_NONE), &bend, 1, 1e-8, 0);
	mt_release(y);
	mt_scope_end(scope);
	MT_CHECK_INT(mt_live_tensors(), before);
}

static void memory(void) {
	int64_t before = mt_live_tensors();
	mt_scope *scope = mt_scope_begin();
	mt_tensor *w[N_WEIGHTS], *g[N_WEIGHTS], *gg[N_WEIGHTS];
	make_weights(w);
	int64_t steady = 0;
	for (int i = 0; i < 6; i++) {
		mt_scope *step = mt_scope_begin();
		mt_tensor *y = network(w);
		MT_CHECK_INT(mt_gradients(&y, 1, NULL, w, N_WEIGHTS, create, g), MT_OK);
		if (i % 3 == 0)
			MT_CHECK_INT(mt_backward_from(g[0], mt_ones_like(g[0]), 0), MT_OK);
		else if (i % 3 == 1)
			MT_CHECK_INT(mt_gradients(g, N_WEIGHTS, g, w, N_WEIGHTS, create, gg), MT_OK);
		mt_scope_end(step);
		if (i == 0)
			steady = mt_live_tensors();
		MT_CHECK_INT(mt_live_tensors(), steady);
	}
	row("gradients outlive the graph that they came from");
	mt_scope *inner = mt_scope_begin();
	mt_tensor *y = network(w), *kept = mt_scope_end_keep(inner, gradient(y, w[1], MT_NONE));
	MT_CHECK(gradient(kept, w[0], random_like(MT_SHAPE(4), MT_F64, -1, 1, 9)) != NULL);
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

static mt_status second_order(mt_tensor *const *w) {
	mt_tensor *g[N_WEIGHTS], *y = network(w), *seen, *ones;
	if (y == NULL)
		return mt_error_peek();
	mt_status status = mt_gradients(&y, 1, NULL, w, N_WEIGHTS, create, g);
	for (int i = 0; i < N_WEIGHTS; i++)
		MT_CHECK((g[i] != NULL) == (status == MT_OK));
	if (status == MT_OK)
		status = mt_gradients(g, N_WEIGHTS, g, w + 1, 1, (mt_gradients_options){.retain_graph = 1}, &seen);
	if (status != MT_OK || (ones = mt_ones_like(g[0])) == NULL)
		return mt_error_peek();
	return mt_backward_from(g[0], ones, 0);
}

static void out_of_memory(void) {
	int64_t before = mt_live_tensors();
	for (int64_t n = 0, done = 0; !done && MT_CHECK(n < 10000); n++) {
		mt_scope *scope = mt_scope_begin();
		mt_tensor *w[N_WEIGHTS];
		make_weights(w);
		row("allocation %lld fails", (long long)n);
		allocations_left = n;
		mt_status status = second_order(w);
		done = allocations_left >= 0;
		allocations_left = INT64_MAX;
		MT_CHECK_INT(status, done ? MT_OK : MT_E_MEMORY);
		MT_CHECK_INT(mt_grad_enabled(), 1);
		mt_error_take(NULL);
		mt_scope_end(scope);
		MT_CHECK_INT(mt_live_tensors(), before);
	}
}

static const mt_test_case cases[] = {
	{"orders", orders},
	{"partials", partials},
	{"quadratic", quadratic},
	{"products", products},
	{"gradient_penalty", gradient_penalty},
	{"depth", depth},
	{"memory", memory},
	{"out_of_memory", out_of_memory},
	{0},
};
static const mt_test_suite suites[] = {{"higher_order", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	mt_set_allocator(failing_alloc, failing_realloc, free);
	return mt_test_main(argc, argv, suites);
}
