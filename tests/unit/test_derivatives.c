/* Derivatives of elementwise ops where formulas are delicate: the gradient kernels beside the formulas that are taken
 * where gradients are recorded; powers of 0; kinks and infinities, in the first and second derivative. */
#include <math.h>
#include <stdlib.h>

#include "oracle.h"

static const mt_gradients_options create = {.create_graph = 1, .allow_unused = 1}, keep = {.retain_graph = 1};

/* d Σ y · u / dx; NULL where that fails.  MT_NONE (y does not depend on x) becomes zeros. */
static mt_tensor *gradient(mt_tensor *y, mt_tensor *x, mt_tensor *u, mt_gradients_options options) {
	mt_tensor *g = NULL;
	if (mt_gradients(&y, 1, &u, &x, 1, options, &g) != MT_OK)
		return NULL;
	return mt_tensor_is_none(g) ? mt_zeros_like(x) : g;
}

/* ---- the kernel and the formula ----------------------------------------------------------------------------------- */

static mt_tensor *leaky_relu(mt_tensor *x) {
	return mt_leaky_relu(x, 0.2);
}

static mt_tensor *elu(mt_tensor *x) {
	return mt_elu(x, 1.5);
}

static mt_tensor *clamp(mt_tensor *x) {
	return mt_clamp(x, mt_f(-1), mt_f(0.75));
}

static const struct twofold {
	const char *name;
	mt_tensor *(*op)(mt_tensor *);
	double low, high;
} twofolds[] = {
	{"abs", mt_abs, -3, 3},
	{"sqrt", mt_sqrt, 0.1, 9},
	{"rsqrt", mt_rsqrt, 0.1, 9},
	{"tanh", mt_tanh, -3, 3},
	{"sigmoid", mt_sigmoid, -9, 9},
	{"relu", mt_relu, -3, 3},
	{"gelu", mt_gelu, -5, 5},
	{"gelu_tanh", mt_gelu_tanh, -5, 5},
	{"silu", mt_silu, -9, 9},
	{"softplus", mt_softplus, -9, 9},
	{"erf", mt_erf, -3, 3},
	{"leaky_relu", leaky_relu, -3, 3},
	{"elu", elu, -5, 5},
	{"clamp", clamp, -3, 3},
	{"mish", mt_mish, -9, 9},
	{"selu", mt_selu, -5, 5},
	{"hardsigmoid", mt_hardsigmoid, -5, 5},
	{"hardswish", mt_hardswish, -5, 5},
};
#define N_TWOFOLDS (sizeof twofolds / sizeof *twofolds)

static void check_twofold(const struct twofold *t, mt_tensor *values, double rtol) {
	mt_tensor *x = mt_requires_grad_(values, 1), *y = t->op(x);
	mt_tensor *u = random_like(mt_tensor_rank(x), mt_tensor_shape(x), mt_tensor_dtype(x), 0.5, 3, 8);
	mt_tensor *formula = gradient(y, x, u, create), *kernel = gradient(y, x, u, keep);
	double *want = kernel != NULL ? elements(kernel) : NULL;
	MT_REQUIRE(want != NULL);
	CHECK_CLOSE(formula, want, mt_tensor_numel(x), rtol, 1);
	MT_CHECK_INT(mt_tensor_dtype(formula), mt_tensor_dtype(x));
	free(want);
}

static void twofold_on_device(void) {
	static const mt_dtype dtypes[] = {MT_F64, MT_F32, MT_F16, MT_BF16};
	static const double rtols[] = {1e-14, 1e-5, 1e-2, 8e-2};
	static const double corners[] = {0, -0.0, 3, -3, 0.75, -1, 1, 20, NAN};
	for (size_t i = 0; i < N_TWOFOLDS; i++)
		for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++) {
			mt_scope *scope = mt_scope_begin();
			const struct twofold *t = &twofolds[i];
			row("%s %s", t->name, mt_dtype_name(dtypes[d]));
			check_twofold(t, random_like(MT_SHAPE(7, 11), dtypes[d], t->low, t->high, i), rtols[d]);
			if (t->low < 0)
				check_twofold(t, mt_cast(mt_from_data(MT_SHAPE(9), MT_F64, corners), dtypes[d]), rtols[d]);
			mt_scope_end(scope);
		}
}

static void kernel_and_formula(void) {
	each_backend(twofold_on_device);
}

/* ---- corners ------------------------------------------------------------------------------------------------------ */

static mt_tensor *hardtanh(mt_tensor *x) {
	return mt_hardtanh(x, -1, 1);
}

static mt_tensor *prelu(mt_tensor *x) {
	return mt_prelu(x, mt_full(MT_SHAPE(1), MT_F64, mt_f(0.25)));
}

static mt_tensor *power_0(mt_tensor *x) {
	return mt_pow_scalar(x, mt_i(0));
}

static mt_tensor *power_1(mt_tensor *x) {
	return mt_pow_scalar(x, mt_i(1));
}

static mt_tensor *power_2(mt_tensor *x) {
	return mt_pow_scalar(x, mt_f(2));
}

static mt_tensor *power_3(mt_tensor *x) {
	return mt_pow_scalar(x, mt_i(3));
}

#define SELU_SA (1.0507009873554805 * 1.6732632423543772)

/* f' and f'' at x; as PyTorch has them. */
static const struct corner {
	const char *name;
	mt_tensor *(*op)(mt_tensor *);
	double x, first, second;
} corners[] = {
	{"relu", mt_relu, 0, 0, 0},
	{"relu", mt_relu, INFINITY, 1, 0},
	{"abs", mt_abs, 0, 0, 0},
	{"abs", mt_abs, -INFINITY, -1, 0},
	{"leaky_relu", leaky_relu, 0, 0.2, 0},
	{"prelu", prelu, 0, 0.25, 0},
	{"prelu", prelu, INFINITY, 1, 0},
	{"prelu", prelu, -INFINITY, 0.25, 0},
	{"clamp", clamp, -1, 1, 0},
	{"clamp", clamp, INFINITY, 0, 0},
	{"hardtanh", hardtanh, 0.5, 1, 0},
	{"elu", elu, 0, 1.5, 0},
	{"elu", elu, 800, 1, 0},
	{"elu", elu, INFINITY, 1, 0},
	{"elu", elu, -INFINITY, 0, 0},
	{"selu", mt_selu, 0, SELU_SA, 0},
	{"selu", mt_selu, 800, 1.0507009873554805, 0},
	{"hardsigmoid", mt_hardsigmoid, 3, 0, 0},
	{"hardsigmoid", mt_hardsigmoid, -INFINITY, 0, 0},
	{"hardswish", mt_hardswish, 0, 0.5, 1.0 / 3},
	{"hardswish", mt_hardswish, 3, 1, 0},
	{"hardswish", mt_hardswish, -3, 0, 0},
	{"hardswish", mt_hardswish, INFINITY, 1, 0},
	{"hardswish", mt_hardswish, -INFINITY, 0, 0},
	{"softplus", mt_softplus, 800, 1, 0},
	{"softplus", mt_softplus, -800, 0, 0},
	{"mish", mt_mish, 800, 1, 0},
	{"mish", mt_mish, -1e308, 0, 0},
	{"sigmoid", mt_sigmoid, 0, 0.25, 0},
	{"gelu", mt_gelu, 0, 0.5, 0.79788456080286536},
	{"silu", mt_silu, 0, 0.5, 0.5},
	{"mish", mt_mish, 0, 0.6, 0.64},
	{"floor", mt_floor, 0.5, 0, 0},
	{"sign", mt_sign, 0, 0, 0},
	{"x^0", power_0, 0, 0, 0},
	{"x^0", power_0, -2, 0, 0},
	{"x^1", power_1, 0, 1, 0},
	{"x^2", power_2, 0, 0, 2},
	{"x^2", power_2, -3, -6, 2},
	{"x^3", power_3, 0, 0, 0},
	{"x^3", power_3, -2, 12, -12},
	{"square", mt_square, 0, 0, 2},
	{"exp2", mt_exp2, 1, 2 * 0.69314718055994531, 2 * 0.69314718055994531 * 0.69314718055994531},
	{"tan", mt_tan, 0, 1, 0},
	{"atan", mt_atan, 1, 0.5, -0.5},
	{"asin", mt_asin, 0, 1, 0},
	{"cosh", mt_cosh, 0, 0, 1},
};

static void corners_on_device(void) {
	for (size_t i = 0; i < sizeof corners / sizeof *corners; i++) {
		const struct corner *c = &corners[i];
		mt_scope *scope = mt_scope_begin();
		row("%s at %g", c->name, c->x);
		mt_tensor *x = mt_requires_grad_(mt_full(MT_SHAPE(1), MT_F64, mt_f(c->x)), 1), *y = c->op(x);
		mt_tensor *ones = mt_ones(MT_SHAPE(1), MT_F64), *g = gradient(y, x, ones, create);
		CHECK_NEAR_VALUES(gradient(y, x, ones, keep), 1e-15, c->first);
		CHECK_NEAR_VALUES(g, 1e-15, c->first);
		mt_tensor *h = g != NULL && mt_tensor_requires_grad(g) ? gradient(g, x, ones, create) : mt_zeros_like(x);
		CHECK_NEAR_VALUES(h, 1e-14, c->second);
		mt_scope_end(scope);
	}
}

static void corner_values(void) {
	each_backend(corners_on_device);
}

/* ---- powers of tensors -------------------------------------------------------------------------------------------- */

/* a^b and its derivatives. */
static const struct power {
	double a, b, da, db, daa, dab, dbb;
} powers[] = {
	{0, 2, 0, 0, 2, 0, 0},
	{0, 1, 1, 0, 0, NAN, 0}, /* d/db of b a^(b−1) is a^(b−1) (1 + b ln a): −∞ */
	{0, 0, 0, 0, 0, 0, 0},
	{0, 3, 0, 0, 0, 0, 0},
	{-2, 3, 12, NAN, -12, NAN, NAN},
	{2, 3, 12, 5.545177444479562, 12, 12.317766166719343, 3.8436241113456111},
	{3, 0, 0, 1.0986122886681098, 0, 0, 1.2069489608125821},
	{0, -1, -INFINITY, -INFINITY, INFINITY, NAN, NAN},
	{1, 5, 5, 0, 20, 1, 0},
};

static void powers_on_device(void) {
	for (size_t i = 0; i < sizeof powers / sizeof *powers; i++) {
		const struct power *p = &powers[i];
		mt_scope *scope = mt_scope_begin();
		row("%g ^ %g", p->a, p->b);
		mt_tensor *a = mt_requires_grad_(mt_full(MT_SHAPE(1), MT_F64, mt_f(p->a)), 1);
		mt_tensor *b = mt_requires_grad_(mt_full(MT_SHAPE(1), MT_F64, mt_f(p->b)), 1);
		mt_tensor *y = mt_pow(a, b), *ones = mt_ones(MT_SHAPE(1), MT_F64);
		mt_tensor *da = gradient(y, a, ones, create), *db = gradient(y, b, ones, create);
		CHECK_NEAR_VALUES(gradient(y, a, ones, keep), 1e-14, p->da);
		CHECK_NEAR_VALUES(da, 1e-14, p->da);
		CHECK_NEAR_VALUES(db, 1e-14, p->db);
		CHECK_NEAR_VALUES(gradient(da, a, ones, create), 1e-13, p->daa);
		if (!isnan(p->dab)) /* else: it is infinite, or depends on the order */
			CHECK_NEAR_VALUES(gradient(da, b, ones, create), 1e-13, p->dab);
		if (!isnan(p->dbb))
			CHECK_NEAR_VALUES(gradient(db, b, ones, create), 1e-13, p->dbb);
		mt_tensor *number = mt_scalar_zip(MT_ZIP_POW, mt_f(p->a), b);
		CHECK_NEAR_VALUES(gradient(number, b, ones, create), 1e-14, p->db);
		mt_scope_end(scope);
	}
}

static void powers_of_tensors(void) {
	each_backend(powers_on_device);
}

static void pairs_on_device(void) {
	mt_tensor *a = mt_requires_grad_(mt_from_data(MT_SHAPE(5), MT_F64, (const double[]){3, -3, 0, 7.5, -7.5}), 1);
	mt_tensor *b = mt_requires_grad_(mt_from_data(MT_SHAPE(5), MT_F64, (const double[]){-4, 4, 2, -2, 2}), 1);
	mt_tensor *u = mt_from_data(MT_SHAPE(5), MT_F64, (const double[]){1, 2, 3, 4, 5});
	row("hypot");
	mt_tensor *y = mt_hypot(a, b);
	CHECK_NEAR_VALUES(gradient(y, a, u, keep), 1e-14, 0.6, -1.2, 0, 4 * 7.5 / hypot(7.5, 2), -5 * 7.5 / hypot(7.5, 2));
	CHECK_NEAR_VALUES(gradient(y, b, u, keep), 1e-14, -0.8, 1.6, 3, -8 / hypot(7.5, 2), 10 / hypot(7.5, 2));
	row("copysign");
	y = mt_copysign(a, b);
	CHECK_VALUES(gradient(y, a, u, keep), -1, -2, 0, -4, -5);
	CHECK_VALUES(gradient(y, b, u, keep), 0, 0, 0, 0, 0);
	row("fmod");
	y = mt_fmod(a, b);
	CHECK_VALUES(gradient(y, a, u, keep), 1, 2, 3, 4, 5);
	CHECK_VALUES(gradient(y, b, u, keep), 0, 0, 0, 12, 15);
}

static void pairs(void) {
	each_backend(pairs_on_device);
}

static const mt_test_case cases[] = {
	{"kernel_and_formula", kernel_and_formula},
	{"corner_values", corner_values},
	{"powers_of_tensors", powers_of_tensors},
	{"pairs", pairs},
	{0},
};
static const mt_test_suite suites[] = {{"derivatives", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
