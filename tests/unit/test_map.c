/* map: values against libm, in every layout and dtype; special values; dtypes; errors. */
#include <math.h>
#include <stdlib.h>

#include "oracle.h"

#define PI 3.14159265358979323846

/* ---- what each op should give ------------------------------------------------------------------------------------- */

static double f_neg(double x) {
	return -x;
}
static double f_sign(double x) {
	return x > 0 ? 1 : x < 0 ? -1 : x;
}
static double f_rsqrt(double x) {
	return 1 / sqrt(x);
}
static double f_square(double x) {
	return x * x;
}
static double f_reciprocal(double x) {
	return 1 / x;
}
static double f_sigmoid(double x) {
	return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}
static double f_relu(double x) {
	return x <= 0 ? 0 : x;
}
static double f_gelu(double x) {
	return x / 2 * erfc(-x / sqrt(2));
}
static double f_gelu_tanh(double x) {
	return x / 2 * (1 + tanh(sqrt(2 / PI) * (x + 0.044715 * x * x * x)));
}
static double f_silu(double x) {
	return x * f_sigmoid(x);
}
static double f_softplus(double x) {
	return fmax(x, 0) + log1p(exp(-fabs(x)));
}
static double f_leaky_relu(double x) {
	return x <= 0 ? 0.01 * x : x;
}
static double f_elu(double x) {
	return x <= 0 ? 1.5 * expm1(x) : x;
}
static double f_clamp(double x) {
	return fmin(fmax(x, -0.5), 0.75);
}
static double f_mish(double x) {
	return x * tanh(f_softplus(x));
}
static double f_selu(double x) {
	return 1.0507009873554805 * (x <= 0 ? 1.6732632423543772 * expm1(x) : x);
}
static double f_hardsigmoid(double x) {
	return isnan(x) ? x : fmin(fmax(x / 6 + 0.5, 0), 1);
}
static double f_hardswish(double x) {
	return x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6;
}
static mt_tensor *leaky_relu(mt_tensor *x) {
	return mt_leaky_relu(x, 0.01);
}
static mt_tensor *elu(mt_tensor *x) {
	return mt_elu(x, 1.5);
}
static mt_tensor *clamp(mt_tensor *x) {
	return mt_clamp(x, mt_f(-0.5), mt_f(0.75));
}

struct map_case {
	const char *name;
	mt_tensor *(*op)(mt_tensor *);
	double (*reference)(double);
	double low, high;
};

static const struct map_case map_cases[] = {
	{"neg", mt_neg, f_neg, -9, 9},
	{"abs", mt_abs, fabs, -9, 9},
	{"sign", mt_sign, f_sign, -1, 1},
	{"exp", mt_exp, exp, -8, 8},
	{"expm1", mt_expm1, expm1, -4, 4},
	{"log", mt_log, log, 0.01, 60},
	{"log1p", mt_log1p, log1p, -0.9, 60},
	{"sqrt", mt_sqrt, sqrt, 0, 99},
	{"rsqrt", mt_rsqrt, f_rsqrt, 0.01, 99},
	{"square", mt_square, f_square, -9, 9},
	{"reciprocal", mt_reciprocal, f_reciprocal, 0.1, 9},
	{"sin", mt_sin, sin, -20, 20},
	{"cos", mt_cos, cos, -20, 20},
	{"tanh", mt_tanh, tanh, -5, 5},
	{"sigmoid", mt_sigmoid, f_sigmoid, -9, 9},
	{"relu", mt_relu, f_relu, -2, 2},
	{"gelu", mt_gelu, f_gelu, -5, 5},
	{"gelu_tanh", mt_gelu_tanh, f_gelu_tanh, -5, 5},
	{"silu", mt_silu, f_silu, -9, 9},
	{"softplus", mt_softplus, f_softplus, -9, 9},
	{"erf", mt_erf, erf, -4, 4},
	{"floor", mt_floor, floor, -9, 9},
	{"ceil", mt_ceil, ceil, -9, 9},
	{"round", mt_round, nearbyint, -9, 9},
	{"trunc", mt_trunc, trunc, -9, 9},
	{"leaky_relu", leaky_relu, f_leaky_relu, -3, 3},
	{"elu", elu, f_elu, -3, 3},
	{"clamp", clamp, f_clamp, -2, 2},
	{"tan", mt_tan, tan, -1.4, 1.4},
	{"asin", mt_asin, asin, -1, 1},
	{"acos", mt_acos, acos, -1, 1},
	{"atan", mt_atan, atan, -9, 9},
	{"sinh", mt_sinh, sinh, -5, 5},
	{"cosh", mt_cosh, cosh, -5, 5},
	{"asinh", mt_asinh, asinh, -9, 9},
	{"acosh", mt_acosh, acosh, 1, 9},
	{"atanh", mt_atanh, atanh, -0.95, 0.95},
	{"exp2", mt_exp2, exp2, -9, 9},
	{"log2", mt_log2, log2, 0.01, 60},
	{"log10", mt_log10, log10, 0.01, 60},
	{"mish", mt_mish, f_mish, -6, 6},
	{"selu", mt_selu, f_selu, -4, 4},
	{"hardsigmoid", mt_hardsigmoid, f_hardsigmoid, -5, 5},
	{"hardswish", mt_hardswish, f_hardswish, -5, 5},
};
#define N_CASES (sizeof map_cases / sizeof *map_cases)

static const mt_dtype floats[] = {MT_F32, MT_F64, MT_F16, MT_BF16};

/* y against the reference of what x really holds. */
static void check_map(const struct map_case *c, mt_tensor *x) {
	mt_tensor *y = c->op(x);
	int64_t n = mt_tensor_numel(x);
	double *want = elements(x);
	MT_REQUIRE(want != NULL);
	for (int64_t i = 0; i < n; i++)
		want[i] = c->reference(want[i]);
	CHECK_CLOSE(y, want, n, rtol_of(mt_tensor_dtype(x)), 0.1);
	MT_CHECK_INT(mt_tensor_dtype(y), mt_tensor_dtype(x));
	free(want);
}

static void values_on_device(void) {
	for (size_t i = 0; i < N_CASES; i++)
		for (size_t d = 0; d < sizeof floats / sizeof *floats; d++)
			for (int l = 0; l < N_LAYOUTS; l++) {
				mt_scope *scope = mt_scope_begin();
				row("%s %s %s", map_cases[i].name, mt_dtype_name(floats[d]), layout_name(l));
				check_map(&map_cases[i],
				          random_in(l, MT_SHAPE(5, 3, 7), floats[d], map_cases[i].low, map_cases[i].high, i + 1));
				mt_scope_end(scope);
			}
}

static void values(void) {
	each_backend(values_on_device);
}

/* ---- special values ----------------------------------------------------------------------------------------------- */

static const double specials[] = {0.0, -0.0, INFINITY, -INFINITY, NAN, 1e-38, -1e-38, 80, -80, 0.5, 1.5, 2.5, -1};
#define N_SPECIALS (int64_t)(sizeof specials / sizeof *specials)

static int has_special_rule(const char *name) { /* where the formula of the test is not the op's at infinity */
	return name[0] == 'g' || (name[0] == 's' && name[1] == 'i' && (name[2] == 'l' || name[2] == 'n')) || name[0] == 'c';
}

static void specials_on_device(void) {
	for (size_t i = 0; i < N_CASES; i++) {
		row("%s", map_cases[i].name);
		if (has_special_rule(map_cases[i].name))
			continue;
		check_map(&map_cases[i], mt_from_data(MT_SHAPE(N_SPECIALS), MT_F64, specials));
		check_map(&map_cases[i], mt_cast(mt_from_data(MT_SHAPE(N_SPECIALS), MT_F64, specials), MT_F32));
	}
	row("NaN goes through every op");
	for (size_t i = 0; i < N_CASES; i++)
		CHECK_VALUES(map_cases[i].op(mt_full(MT_SHAPE(3), MT_F32, mt_f(NAN))), NAN, NAN, NAN);
	row("classes");
	mt_tensor *x = mt_cast(mt_from_data(MT_SHAPE(5), MT_F64, specials), MT_F32);
	CHECK_VALUES(mt_isnan(x), 0, 0, 0, 0, 1);
	CHECK_VALUES(mt_isinf(x), 0, 0, 1, 1, 0);
	CHECK_VALUES(mt_isfinite(x), 1, 1, 0, 0, 0);
	CHECK_VALUES(mt_logical_not(x), 1, 1, 0, 0, 0);
	MT_CHECK_INT(mt_tensor_dtype(mt_isnan(x)), MT_BOOL);
}

static void special_values(void) {
	each_backend(specials_on_device);
}

/* ---- dtypes ------------------------------------------------------------------------------------------------------- */

static void integers_on_device(void) {
	static const int32_t values[] = {-2147483647 - 1, -7, 0, 3, 2147483647};
	mt_tensor *x = mt_from_data(MT_SHAPE(5), MT_I32, values);
	row("integers");
	CHECK_VALUES(mt_neg(x), -2147483648.0, 7, 0, -3, -2147483647);
	CHECK_VALUES(mt_abs(x), -2147483648.0, 7, 0, 3, 2147483647);
	CHECK_VALUES(mt_sign(x), -1, -1, 0, 1, 1);
	CHECK_VALUES(mt_square(mt_slice(x, 0, 1, 4, 1)), 49, 0, 9);
	CHECK_VALUES(mt_square(x), 0, 49, 0, 9, 1); /* wraps */
	CHECK_VALUES(mt_relu(x), 0, 0, 0, 3, 2147483647);
	MT_CHECK_INT(mt_tensor_dtype(mt_relu(x)), MT_I32);
	CHECK_VALUES(mt_clamp(x, mt_i(-5), mt_i(2)), -5, -5, 0, 2, 2);
	MT_CHECK_INT(mt_tensor_dtype(mt_clamp(x, mt_i(-5), mt_i(2))), MT_I32);
	CHECK_VALUES(mt_clamp(x, mt_f(-0.5), mt_i(2)), -0.5, -0.5, 0, 2, 2);
	MT_CHECK_INT(mt_tensor_dtype(mt_clamp(x, mt_f(-0.5), mt_i(2))), MT_F32);
	row("integers of float-only ops are f32");
	mt_tensor *four = mt_full(MT_SHAPE(2), MT_I64, mt_i(4));
	CHECK_VALUES(mt_sqrt(four), 2, 2);
	MT_CHECK_INT(mt_tensor_dtype(mt_sqrt(four)), MT_F32);
	CHECK_VALUES(mt_reciprocal(mt_ones(MT_SHAPE(1), MT_BOOL)), 1);
	CHECK_VALUES(mt_isnan(four), 0, 0);
	CHECK_VALUES(mt_logical_not(mt_from_data(MT_SHAPE(3), MT_U8, (const uint8_t[]){0, 1, 200})), 1, 0, 0);
}

static void integers(void) {
	each_backend(integers_on_device);
}

static void shapes_on_device(void) {
	row("0-d and empty");
	CHECK_SHAPE0(mt_exp(mt_scalar_tensor(mt_f(0), MT_F32)));
	CHECK_VALUES(mt_exp(mt_scalar_tensor(mt_f(0), MT_F32)), 1);
	CHECK_SHAPE(mt_exp(mt_zeros(MT_SHAPE(0, 3), MT_F32)), 0, 3);
	CHECK_SHAPE(mt_isnan(mt_zeros(MT_SHAPE(2, 0), MT_F32)), 2, 0);
	row("rank 8");
	mt_tensor *x = random_in(TRANSPOSED, MT_SHAPE(2, 1, 2, 1, 2, 1, 2, 2), MT_F32, -1, 1, 5);
	CHECK_SHAPE(mt_neg(x), 2, 1, 2, 1, 2, 1, 2, 2);
	check_map(&map_cases[0], x);
}

static void shapes(void) {
	each_backend(shapes_on_device);
}

static void errors(void) {
	mt_tensor *flag = mt_ones(MT_SHAPE(2), MT_BOOL);
	MT_CHECK(mt_neg(flag) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "neg: not defined on bool[2]");
	MT_CHECK(mt_exp(NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "exp");
	MT_CHECK(mt_exp(MT_NONE) == NULL);
	CHECK_ERROR(MT_E_ARG, "exp");
	MT_CHECK(mt_map(0, flag, mt_f(0), mt_f(0)) == NULL);
	CHECK_ERROR(MT_E_ARG, "there is no op 0");
	MT_CHECK(mt_map(MT_MAP_END_, flag, mt_f(0), mt_f(0)) == NULL);
	CHECK_ERROR(MT_E_ARG, "there is no op");
	MT_CHECK(mt_map(MT_MAP_CLAMP, mt_ones(MT_SHAPE(2), MT_F32), mt_f(0), (mt_scalar){0}) == NULL);
	CHECK_ERROR(MT_E_ARG, "clamp: takes 2 parameters");
	MT_CHECK(mt_map(MT_MAP_ELU, mt_ones(MT_SHAPE(2), MT_F32), (mt_scalar){.tag = 7}, mt_f(0)) == NULL);
	CHECK_ERROR(MT_E_ARG, "elu: p is no number");
}

static const mt_test_case cases[] = {
	{"values", values},     {"special_values", special_values},
	{"integers", integers}, {"shapes", shapes},
	{"errors", errors},     {0},
};
static const mt_test_suite suites[] = {{"map", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
