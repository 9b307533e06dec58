/* Every differentiable op against central differences, in its first and second derivatives: random upstream gradients,
 * each element, inputs in every layout. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ops/ops.h"
#include "oracle.h"

enum { MAX_INPUTS = 3, MAX_DIMS = 5 };

struct grad_case {
	const char *name;
	const char *once; /* why there is no second derivative to check; NULL: there is one */
	double low, high; /* of the inputs */
	struct {
		int rank; /* −1: no further input */
		int64_t shape[MAX_DIMS];
	} in[MAX_INPUTS];
};

#define NO                                                                                                             \
	{                                                                                                                  \
		-1, {                                                                                                          \
			0                                                                                                          \
		}                                                                                                              \
	}
#define X {3, {2, 3, 4}}, NO, NO
#define AB {3, {2, 3, 4}}, {3, {2, 3, 4}}, NO
#define GRAD_CASE(name, expression, low, high, ...) {name, NULL, low, high, {__VA_ARGS__}},
#define GRAD_CASE_ONCE(name, reason, expression, low, high, ...) {name, reason, low, high, {__VA_ARGS__}},
static const struct grad_case grad_cases[] = {
#include "grad_cases.inc"
#include "grad_cases_autograd.inc"
#include "grad_cases_conv.inc"
#include "grad_cases_elementwise.inc"
#include "grad_cases_index.inc"
#include "grad_cases_nn.inc"
};
#undef GRAD_CASE
#undef GRAD_CASE_ONCE

/* ---- what expressions need besides ops ---------------------------------------------------------------------------- */

static mt_tensor *targets(int64_t n, int64_t classes) {
	int64_t t[64];
	for (int64_t i = 0; i < n; i++)
		t[i] = (i * 7 + 3) % classes;
	return mt_from_data(1, &n, MT_I64, t);
}

static mt_tensor *class_weights(void) {
	return mt_add_scalar(counting(MT_SHAPE(5), MT_F64), mt_f(0.5));
}

/* 0.5, 0.75, …, and at the start of the lines along the last dim 0, 1 or 2 zeros: for inputs of 0, which are added. */
static mt_tensor *with_zeros(int rank, const int64_t *shape) {
	double values[64];
	int64_t n = 1, last = shape[rank - 1];
	for (int d = 0; d < rank; d++)
		n *= shape[d];
	for (int64_t i = 0; i < n; i++)
		values[i] = i / last % 3 > i % last ? 0 : 0.5 + 0.25 * (double)(i % last);
	return mt_from_data(rank, shape, MT_F64, values);
}

/* 0.5, 1.5, … */
static mt_tensor *weights_of(int rank, const int64_t *shape) {
	return mt_add_scalar(counting(rank, shape, MT_F64), mt_f(0.5));
}

/* The same mask at each call. */
static mt_tensor *dropped(mt_tensor *x) {
	mt_seed(5);
	return mt_dropout(x, 0.4, 1);
}

static mt_tensor *bias_alone(mt_tensor *bias) {
	mt_tensor *x = random_like(MT_SHAPE(2, 1, 3, 3), MT_F64, -1, 1, 1),
			  *w = random_like(MT_SHAPE(2, 1, 2, 2), MT_F64, -1, 1, 2);
	return mt_conv2d(x, w, bias, (mt_conv_options){0});
}

/* In place on a result: the graph goes through the write. */
static mt_tensor *in_place(mt_tensor *a, mt_tensor *b) {
	mt_tensor *y = mt_mul_scalar(a, mt_f(3));
	return mt_div_(mt_mul_(mt_sub_(mt_mul_scalar_(mt_add_(y, b), mt_f(0.5)), b), b), b);
}

static mt_tensor *in_place_square(mt_tensor *x) {
	mt_tensor *y = mt_mul_scalar(x, mt_f(3));
	return mt_mul_(y, y);
}

/* Overwritten in place by what depends on x, read before and after. */
static mt_tensor *copied_over(mt_tensor *x, mt_tensor *y) {
	mt_tensor *a = mt_mul(y, y), *before = mt_clone(a);
	return mt_mul(mt_copy_(a, mt_square(x)), before);
}

static mt_tensor *squares_of_parts(mt_tensor *x) {
	mt_tensor *parts[4];
	int n = 4;
	return mt_split(x, 3, 1, parts, &n) == MT_OK ? mt_mul(mt_square(parts[0]), parts[1]) : NULL;
}

/* The expression of row number id. */
#define GRAD_CASE(name, expression, low, high, ...)                                                                    \
	if (at++ == id)                                                                                                    \
		return expression;
#define GRAD_CASE_ONCE(name, reason, expression, low, high, ...) GRAD_CASE(name, expression, low, high, __VA_ARGS__)
static mt_tensor *apply(size_t id, mt_tensor *a, mt_tensor *b, mt_tensor *c) {
	size_t at = 0;
#include "grad_cases.inc"
#include "grad_cases_autograd.inc"
#include "grad_cases_conv.inc"
#include "grad_cases_elementwise.inc"
#include "grad_cases_index.inc"
#include "grad_cases_nn.inc"
	return NULL;
}
#undef GRAD_CASE
#undef GRAD_CASE_ONCE

/* ---- the run ------------------------------------------------------------------------------------------------------ */

struct run {
	const struct grad_case *c;
	enum layout layout;
};

static mt_tensor *laid_out(mt_tensor *const *bases, int n, void *context) {
	const struct run *run = context;
	mt_tensor *in[MAX_INPUTS] = {NULL};
	for (int i = 0; i < n; i++)
		in[i] = lay_out(bases[i], run->layout, run->c->in[i].rank, run->c->in[i].shape);
	return apply((size_t)(run->c - grad_cases), in[0], in[1], in[2]);
}

/* Repeated rows tie, so ops that choose one have no derivative there. */
static int has_kinks_at_ties(const struct grad_case *c) {
	static const char *const names[] = {"max kept", "min", "max_pool2d overlapping"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(c->name, names[i]) == 0)
			return 1;
	return 0;
}

typedef mt_status (*check_fn)(mt_gradcheck_fn fn, mt_tensor *const *inputs, int n, void *context,
                              const struct mt_gradcheck_options *options);

static void check_case(check_fn check, const struct grad_case *c, enum layout layout, uint64_t seed) {
	struct run run = {c, layout};
	mt_tensor *bases[MAX_INPUTS];
	int n = 0;
	for (; n < MAX_INPUTS && c->in[n].rank >= 0; n++) {
		int64_t base[MAX_DIMS];
		base_shape(layout, c->in[n].rank, c->in[n].shape, base);
		bases[n] =
			mt_requires_grad_(random_like(c->in[n].rank, base, MT_F64, c->low, c->high, seed + 31 * (uint64_t)n), 1);
	}
	struct mt_gradcheck_options options = {.seed = seed, .atol = 2e-8};
	mt_status status = check(laid_out, bases, n, &run, &options);
	MT_CHECK_MSG(status == MT_OK, "%s", mt_error_take(NULL));
}

static void check_layout(check_fn check, size_t i, enum layout layout) {
	const struct grad_case *c = &grad_cases[i];
	if (layout == REPEATED && has_kinks_at_ties(c))
		return;
	mt_scope *scope = mt_scope_begin();
	row("%s, %s", c->name, layout_name(layout));
	check_case(check, c, layout, i + 1);
	mt_scope_end(scope);
}

static void ops_on_device(void) {
	for (size_t i = 0; i < sizeof grad_cases / sizeof *grad_cases; i++)
		for (int l = 0; l < N_LAYOUTS; l++)
			check_layout(mt_gradcheck, i, l);
}

static void ops(void) {
	each_backend(ops_on_device);
}

static void twice_on_device(void) {
	for (size_t i = 0; i < sizeof grad_cases / sizeof *grad_cases; i++)
		for (int l = 0; l < N_LAYOUTS && grad_cases[i].once == NULL; l++)
			check_layout(mt_gradgradcheck, i, l);
}

static void twice(void) {
	for (size_t i = 0; i < sizeof grad_cases / sizeof *grad_cases; i++)
		if (grad_cases[i].once != NULL)
			mt_test_note("%s: once differentiable: %s", grad_cases[i].name, grad_cases[i].once);
	each_backend(twice_on_device);
}

/* ---- gradcheck itself: it must fail ------------------------------------------------------------------------------- */

static mt_tensor *half_seen(mt_tensor *const *in, int n, void *context) { /* x², with the gradient x */
	(void)n, (void)context;
	return mt_mul(in[0], mt_detach(in[0]));
}

static mt_tensor *flipped(mt_tensor *const *in, int n, void *context) { /* sin x, with the gradient −cos x */
	(void)n, (void)context;
	mt_tensor *y = mt_sin(in[0]);
	return mt_sub(mt_mul_scalar(mt_detach(y), mt_i(2)), y);
}

static mt_tensor *not_a_number(mt_tensor *const *in, int n, void *context) {
	(void)n, (void)context;
	return mt_sqrt(mt_sub_scalar(in[0], mt_i(100)));
}

static mt_tensor *one_element_off(mt_tensor *const *in, int n, void *context) { /* wrong in the last element alone */
	(void)n, (void)context;
	mt_tensor *last = mt_slice(in[0], 0, -1, MT_END, 1), *rest = mt_slice(in[0], 0, 0, -1, 1);
	return mt_cat((mt_tensor *[]){mt_exp(rest), mt_mul_scalar(mt_detach(last), mt_f(1.001))}, 2, 0);
}

static mt_tensor *failing(mt_tensor *const *in, int n, void *context) {
	(void)n, (void)context;
	return mt_matmul(in[0], mt_zeros(MT_SHAPE(99, 2), MT_F64));
}

static mt_tensor *single(mt_tensor *const *in, int n, void *context) {
	(void)n, (void)context;
	return mt_cast(in[0], MT_F32);
}

/* x²/2, with the gradient x, which is a constant: the second derivative is lost. */
static mt_tensor *once_right(mt_tensor *const *in, int n, void *context) {
	(void)n, (void)context;
	mt_tensor *constant = mt_detach(in[0]);
	return mt_sub(mt_mul(in[0], constant), mt_mul_scalar(mt_square(constant), mt_f(0.5)));
}

static mt_tensor *second_once_right(mt_tensor *const *in, int n, void *context) {
	return mt_add(mt_exp(in[0]), once_right(in + 1, n - 1, context));
}

static mt_tensor *good(mt_tensor *const *in, int n, void *context) {
	(void)n, (void)context;
	return mt_sin(in[0]);
}

static void finds_mistakes(void) {
	mt_tensor *x = mt_requires_grad_(random_like(MT_SHAPE(5), MT_F64, 0.5, 1.5, 3), 1);
	MT_CHECK_INT(mt_gradcheck(good, &x, 1, NULL, NULL), MT_OK);
	MT_CHECK_INT(mt_gradcheck(half_seen, &x, 1, NULL, NULL), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "gradcheck: input 0 at [");
	MT_CHECK_INT(mt_gradcheck(flipped, &x, 1, NULL, NULL), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "analytic");
	MT_CHECK_INT(mt_gradcheck(not_a_number, &x, 1, NULL, NULL), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "nan");
	MT_CHECK_INT(mt_gradcheck(once_right, &x, 1, NULL, NULL), MT_OK);
	MT_CHECK_INT(mt_gradgradcheck(good, &x, 1, NULL, NULL), MT_OK);
	MT_CHECK_INT(mt_gradgradcheck(once_right, &x, 1, NULL, NULL), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "gradgradcheck: input 0 at [");
	mt_tensor *both[2] = {x, mt_requires_grad_(random_like(MT_SHAPE(5), MT_F64, 0.5, 1.5, 4), 1)};
	MT_CHECK_INT(mt_gradgradcheck(second_once_right, both, 2, NULL, NULL), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "gradgradcheck: input 1 at [");
	MT_CHECK_INT(mt_gradgradcheck(not_a_number, &x, 1, NULL, NULL), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "nan");
	MT_CHECK_INT(mt_gradcheck(one_element_off, &x, 1, NULL, NULL), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "input 0 at [4]");
	double before[5], after[5];
	MT_CHECK_INT(mt_to_host(x, before, sizeof before), MT_OK);
	MT_CHECK_INT(mt_gradcheck(good, &x, 1, NULL, NULL), MT_OK);
	MT_CHECK_INT(mt_to_host(x, after, sizeof after), MT_OK);
	for (int i = 0; i < 5; i++)
		MT_CHECK(before[i] == after[i]); /* put back to the bit */
}

static void refuses(void) {
	mt_tensor *x = mt_requires_grad_(random_like(MT_SHAPE(5), MT_F64, 0.5, 1.5, 3), 1);
	mt_tensor *f32 = mt_requires_grad_(mt_ones(MT_SHAPE(2), MT_F32), 1), *plain = mt_ones(MT_SHAPE(2), MT_F64);
	mt_tensor *result = mt_exp(x);
	MT_CHECK_INT(mt_gradcheck(good, &f32, 1, NULL, NULL), MT_E_DTYPE);
	CHECK_ERROR(MT_E_DTYPE, "input 0 is f32[2]; f64 is needed");
	MT_CHECK_INT(mt_gradcheck(good, &plain, 1, NULL, NULL), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "none of the 1 inputs requires a gradient");
	MT_CHECK_INT(mt_gradcheck(good, &result, 1, NULL, NULL), MT_E_STATE);
	CHECK_ERROR(MT_E_STATE, "not a leaf");
	MT_CHECK_INT(mt_gradcheck(failing, &x, 1, NULL, NULL), MT_E_SHAPE);
	CHECK_ERROR(MT_E_SHAPE, "matmul");
	MT_CHECK_INT(mt_gradcheck(single, &x, 1, NULL, NULL), MT_E_DTYPE);
	CHECK_ERROR(MT_E_DTYPE, "result must be f64");
	MT_CHECK_INT(mt_gradgradcheck(good, &f32, 1, NULL, NULL), MT_E_DTYPE);
	CHECK_ERROR(MT_E_DTYPE, "gradgradcheck: input 0 is f32[2]; f64 is needed");
	MT_CHECK_INT(mt_gradgradcheck(good, &result, 1, NULL, NULL), MT_E_STATE);
	CHECK_ERROR(MT_E_STATE, "gradgradcheck: input 0");
	MT_CHECK_INT(mt_gradgradcheck(failing, &x, 1, NULL, NULL), MT_E_SHAPE);
	CHECK_ERROR(MT_E_SHAPE, "matmul");
	MT_CHECK_INT(mt_gradgradcheck(single, &x, 1, NULL, NULL), MT_E_DTYPE);
	CHECK_ERROR(MT_E_DTYPE, "gradgradcheck: the function's result must be f64");
	MT_CHECK_INT(mt_gradgradcheck(good, NULL, 1, NULL, NULL), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "gradgradcheck: inputs is NULL");
	MT_CHECK_INT(mt_gradcheck(NULL, &x, 1, NULL, NULL), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "fn");
}

static const mt_test_case cases[] = {
	{"ops", ops}, {"twice", twice}, {"finds_mistakes", finds_mistakes}, {"refuses", refuses}, {0}};
static const mt_test_suite suites[] = {{"gradcheck", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
