/* zip: values, broadcasting, promotion, numbers by value, in place, where; errors. */
#include <math.h>
#include <stdlib.h>

#include "oracle.h"

/* ---- values in every layout --------------------------------------------------------------------------------------- */

static double f_add(double a, double b) {
	return a + b;
}
static double f_sub(double a, double b) {
	return a - b;
}
static double f_mul(double a, double b) {
	return a * b;
}
static double f_div(double a, double b) {
	return a / b;
}
static double f_mod(double a, double b) {
	return a - b * floor(a / b);
}
static double f_floor_div(double a, double b) {
	return floor(a / b);
}
static double f_max(double a, double b) {
	return a > b ? a : b;
}
static double f_min(double a, double b) {
	return a < b ? a : b;
}
static double f_lt(double a, double b) {
	return a < b;
}
static double f_le(double a, double b) {
	return a <= b;
}
static double f_gt(double a, double b) {
	return a > b;
}
static double f_ge(double a, double b) {
	return a >= b;
}
static double f_eq(double a, double b) {
	return a == b;
}
static double f_ne(double a, double b) {
	return a != b;
}
static double f_and(double a, double b) {
	return a != 0 && b != 0;
}
static double f_or(double a, double b) {
	return a != 0 || b != 0;
}
static double f_xor(double a, double b) {
	return (a != 0) != (b != 0);
}

struct zip_case {
	const char *name;
	mt_tensor *(*op)(mt_tensor *, mt_tensor *);
	double (*reference)(double, double);
	double low, high, low_b, high_b;
	int is_bool;
};

static const struct zip_case zip_cases[] = {
	{"add", mt_add, f_add, -9, 9, -9, 9, 0},
	{"sub", mt_sub, f_sub, -9, 9, -9, 9, 0},
	{"mul", mt_mul, f_mul, -9, 9, -9, 9, 0},
	{"div", mt_div, f_div, -9, 9, 0.5, 9, 0},
	{"pow", mt_pow, pow, 0.2, 3, -2, 2, 0},
	{"maximum", mt_maximum, f_max, -9, 9, -9, 9, 0},
	{"minimum", mt_minimum, f_min, -9, 9, -9, 9, 0},
	{"remainder", mt_remainder, f_mod, -9, 9, 2.5, 3, 0},
	{"floor_divide", mt_floor_divide, f_floor_div, -9, 9, -3, -2.5, 0},
	{"atan2", mt_atan2, atan2, -9, 9, -9, 9, 0},
	{"fmod", mt_fmod, fmod, -9, 9, 2.5, 3, 0},
	{"hypot", mt_hypot, hypot, -9, 9, -9, 9, 0},
	{"copysign", mt_copysign, copysign, -9, 9, -9, 9, 0},
	{"lt", mt_lt, f_lt, 0, 4, 0, 4, 1},
	{"le", mt_le, f_le, 0, 4, 0, 4, 1},
	{"gt", mt_gt, f_gt, 0, 4, 0, 4, 1},
	{"ge", mt_ge, f_ge, 0, 4, 0, 4, 1},
	{"eq", mt_eq, f_eq, 0, 4, 0, 4, 1},
	{"ne", mt_ne, f_ne, 0, 4, 0, 4, 1},
	{"logical_and", mt_logical_and, f_and, 0, 2, 0, 2, 1},
	{"logical_or", mt_logical_or, f_or, 0, 2, 0, 2, 1},
	{"logical_xor", mt_logical_xor, f_xor, 0, 2, 0, 2, 1},
};
#define N_CASES (sizeof zip_cases / sizeof *zip_cases)

/* a and b of one shape. */
static void check_zip(const struct zip_case *c, mt_tensor *a, mt_tensor *b) {
	int64_t n = mt_tensor_numel(a);
	double *x = elements(a), *y = elements(b);
	MT_REQUIRE(x != NULL && y != NULL);
	for (int64_t i = 0; i < n; i++)
		x[i] = c->reference(x[i], y[i]);
	mt_tensor *z = c->op(a, b);
	CHECK_CLOSE(z, x, n, c->is_bool ? 0 : rtol_of(mt_tensor_dtype(a)), 1);
	MT_CHECK_INT(mt_tensor_dtype(z), c->is_bool ? MT_BOOL : mt_tensor_dtype(a));
	free(x);
	free(y);
}

/* Floats; comparisons on few distinct values, so that some are equal. */
static mt_tensor *argument(const struct zip_case *c, int side, enum layout l, mt_dtype dtype, uint64_t seed) {
	mt_tensor *t = random_in(l, MT_SHAPE(4, 3, 5), dtype, side ? c->low_b : c->low, side ? c->high_b : c->high, seed);
	return c->is_bool ? mt_floor(t) : t;
}

static void values_on_device(void) {
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16, MT_BF16};
	for (size_t i = 0; i < N_CASES; i++)
		for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++)
			for (int l = 0; l < N_LAYOUTS * N_LAYOUTS; l++) {
				int la = l / N_LAYOUTS, lb = l % N_LAYOUTS;
				if ((dtypes[d] == MT_F16 || dtypes[d] == MT_BF16) &&
				    (l % 7 != 0 || zip_cases[i].op == mt_remainder || zip_cases[i].op == mt_fmod ||
				     zip_cases[i].op == mt_floor_divide))
					continue; /* the 16-bit quotients may round across an integer */
				mt_scope *scope = mt_scope_begin();
				row("%s %s %s %s", zip_cases[i].name, mt_dtype_name(dtypes[d]), layout_name(la), layout_name(lb));
				check_zip(&zip_cases[i], argument(&zip_cases[i], 0, la, dtypes[d], i),
				          argument(&zip_cases[i], 1, lb, dtypes[d], i + 100));
				mt_scope_end(scope);
			}
}

static void values(void) {
	each_backend(values_on_device);
}

/* ---- broadcasting ------------------------------------------------------------------------------------------------- */

struct broadcast_case {
	int rank_a, rank_b, rank;
	int64_t a[4], b[4], result[4];
};

static const struct broadcast_case broadcasts[] = {
	{2, 1, 2, {3, 4}, {4}, {3, 4}},
	{2, 2, 2, {3, 1}, {1, 4}, {3, 4}},
	{0, 3, 3, {0}, {2, 3, 4}, {2, 3, 4}},
	{3, 2, 3, {2, 1, 4}, {3, 1}, {2, 3, 4}},
	{4, 1, 4, {2, 3, 1, 5}, {1}, {2, 3, 1, 5}},
	{2, 2, 2, {0, 4}, {1, 4}, {0, 4}},
	{1, 3, 3, {1}, {2, 0, 3}, {2, 0, 3}},
	{0, 0, 0, {0}, {0}, {0}},
};

/* Position in a broadcast argument of the result's element i. */
static int64_t source(const struct broadcast_case *c, int rank, const int64_t *shape, int64_t i) {
	int64_t position = 0, step = 1;
	for (int d = rank - 1; d >= 0; d--) {
		int64_t extent = c->result[d + c->rank - rank];
		position += shape[d] == 1 ? 0 : i % extent * step;
		i /= extent;
		step *= shape[d];
	}
	return position;
}

static void broadcast_on_device(void) {
	for (size_t i = 0; i < sizeof broadcasts / sizeof *broadcasts; i++) {
		const struct broadcast_case *c = &broadcasts[i];
		row("broadcast %zu", i);
		mt_tensor *a = random_like(c->rank_a, c->a, MT_F32, -5, 5, i),
				  *b = random_like(c->rank_b, c->b, MT_F32, -5, 5, i + 9);
		mt_tensor *y = mt_sub(a, b);
		check_shape(y, c->rank, c->result, __FILE__, __LINE__, "y");
		double *x = elements(a), *z = elements(b), want[256];
		for (int64_t e = 0; e < mt_tensor_numel(y); e++)
			want[e] = x[source(c, c->rank_a, c->a, e)] - z[source(c, c->rank_b, c->b, e)];
		CHECK_CLOSE(y, want, mt_tensor_numel(y), 1e-6, 1);
		free(x);
		free(z);
	}
}

static void broadcast(void) {
	each_backend(broadcast_on_device);
}

/* ---- promotion ---------------------------------------------------------------------------------------------------- */

struct promotion_case {
	mt_tensor *(*op)(mt_tensor *, mt_tensor *);
	mt_dtype a, b;
	int rank_a, rank_b; /* 0 or 1 */
	mt_dtype result;
};

static const struct promotion_case promotions[] = {
	{mt_add, MT_F32, MT_F64, 1, 1, MT_F64},   {mt_add, MT_F16, MT_BF16, 1, 1, MT_F32},
	{mt_add, MT_I32, MT_I64, 1, 1, MT_I64},   {mt_add, MT_U8, MT_I32, 1, 1, MT_I32},
	{mt_add, MT_I64, MT_F16, 1, 1, MT_F16},   {mt_add, MT_BOOL, MT_BOOL, 1, 1, MT_BOOL},
	{mt_add, MT_F32, MT_F64, 1, 0, MT_F32},   {mt_add, MT_F64, MT_F32, 0, 1, MT_F32},
	{mt_add, MT_I32, MT_F64, 1, 0, MT_F64},   {mt_add, MT_U8, MT_I64, 1, 0, MT_U8},
	{mt_add, MT_BOOL, MT_U8, 1, 0, MT_U8},    {mt_add, MT_F32, MT_F64, 0, 0, MT_F64},
	{mt_div, MT_I32, MT_I32, 1, 1, MT_F32},   {mt_div, MT_I64, MT_F64, 1, 1, MT_F64},
	{mt_atan2, MT_U8, MT_BOOL, 1, 1, MT_F32}, {mt_pow, MT_I32, MT_I32, 1, 1, MT_I32},
	{mt_lt, MT_I32, MT_F64, 1, 1, MT_BOOL},   {mt_maximum, MT_U8, MT_BOOL, 1, 1, MT_U8},
};

static void promotion_on_device(void) {
	const int64_t one = 1;
	for (size_t i = 0; i < sizeof promotions / sizeof *promotions; i++) {
		const struct promotion_case *c = &promotions[i];
		row("promotion %zu: %s, %s", i, mt_dtype_name(c->a), mt_dtype_name(c->b));
		mt_tensor *y = c->op(mt_ones(c->rank_a, &one, c->a), mt_ones(c->rank_b, &one, c->b));
		MT_CHECK_STR(mt_dtype_name(mt_tensor_dtype(y)), mt_dtype_name(c->result));
	}
	row("numbers");
	mt_tensor *i32 = mt_full(MT_SHAPE(2), MT_I32, mt_i(7)), *f32 = mt_full(MT_SHAPE(2), MT_F32, mt_f(7));
	mt_tensor *flag = mt_ones(MT_SHAPE(2), MT_BOOL), *f16 = mt_ones(MT_SHAPE(2), MT_F16);
	MT_CHECK_INT(mt_tensor_dtype(mt_add_scalar(i32, mt_i(2))), MT_I32);
	MT_CHECK_INT(mt_tensor_dtype(mt_add_scalar(i32, mt_f(2))), MT_F32);
	MT_CHECK_INT(mt_tensor_dtype(mt_add_scalar(flag, mt_i(2))), MT_I64);
	MT_CHECK_INT(mt_tensor_dtype(mt_mul_scalar(f16, mt_f(2.5))), MT_F16);
	CHECK_VALUES(mt_div_scalar(i32, mt_i(2)), 3.5, 3.5);
	CHECK_VALUES(mt_sub_scalar(f32, mt_f(2.5)), 4.5, 4.5);
	CHECK_VALUES(mt_rsub_scalar(f32, mt_i(2)), -5, -5);
	CHECK_VALUES(mt_rdiv_scalar(i32, mt_i(14)), 2, 2);
	CHECK_VALUES(mt_pow_scalar(i32, mt_i(3)), 343, 343);
	CHECK_VALUES(mt_scalar_zip(MT_ZIP_POW, mt_i(2), i32), 128, 128);
	CHECK_VALUES(mt_zip_scalar(MT_ZIP_LT, f32, mt_i(8)), 1, 1);
}

static void promotion(void) {
	each_backend(promotion_on_device);
}

/* ---- special values, integers ------------------------------------------------------------------------------------- */

static void specials_on_device(void) {
	mt_tensor *a = mt_from_data(MT_SHAPE(4), MT_F32, (const float[]){NAN, 1, INFINITY, 0});
	mt_tensor *b = mt_from_data(MT_SHAPE(4), MT_F32, (const float[]){1, NAN, 2, 0});
	row("NaN and infinity");
	CHECK_VALUES(mt_maximum(a, b), NAN, NAN, INFINITY, 0);
	CHECK_VALUES(mt_minimum(a, b), NAN, NAN, 2, 0);
	CHECK_VALUES(mt_lt(a, b), 0, 0, 0, 0);
	CHECK_VALUES(mt_ge(a, b), 0, 0, 1, 1);
	CHECK_VALUES(mt_ne(a, b), 1, 1, 1, 0);
	CHECK_VALUES(mt_eq(a, b), 0, 0, 0, 1);
	CHECK_VALUES(mt_div(b, mt_zeros(MT_SHAPE(4), MT_F32)), INFINITY, NAN, INFINITY, NAN);
	CHECK_VALUES(mt_logical_and(a, b), 1, 1, 1, 0);
	mt_tensor *minus = mt_from_data(MT_SHAPE(4), MT_F32, (const float[]){-0.0f, 0, -INFINITY, -NAN});
	CHECK_VALUES(mt_fmod(mt_from_data(MT_SHAPE(4), MT_F32, (const float[]){INFINITY, 3, -3, 1}),
	                     mt_from_data(MT_SHAPE(4), MT_F32, (const float[]){2, 0, INFINITY, NAN})),
	             NAN, NAN, -3, NAN);
	CHECK_VALUES(mt_hypot(a, minus), NAN, 1, INFINITY, NAN);
	CHECK_VALUES(mt_hypot(mt_full(MT_SHAPE0, MT_F32, mt_f(3e38)), mt_full(MT_SHAPE0, MT_F32, mt_f(1e-30))),
	             (double)3e38f); /* the squares are no floats */
	CHECK_VALUES(mt_hypot(mt_full(MT_SHAPE(2), MT_F64, mt_f(3e300)), mt_full(MT_SHAPE0, MT_F64, mt_f(4e300))), 5e300,
	             5e300);
	CHECK_VALUES(mt_copysign(b, minus), -1, NAN, -2, -0.0);
	CHECK_VALUES(mt_rdiv_scalar(mt_copysign(mt_zeros(MT_SHAPE(4), MT_F32), minus), mt_i(1)), -INFINITY, INFINITY,
	             -INFINITY, -INFINITY);
	row("integers");
	mt_tensor *x = mt_from_data(MT_SHAPE(5), MT_I32, (const int32_t[]){7, -7, 7, -7, 5});
	mt_tensor *y = mt_from_data(MT_SHAPE(5), MT_I32, (const int32_t[]){2, 2, -2, -2, 0});
	CHECK_VALUES(mt_floor_divide(x, y), 3, -4, -4, 3, 0);
	CHECK_VALUES(mt_remainder(x, y), 1, 1, -1, -1, 0);
	CHECK_VALUES(mt_pow(x, y), 49, 49, 0, 0, 1);
	CHECK_VALUES(mt_fmod(x, y), 1, -1, 1, -1, 0);
	CHECK_VALUES(mt_zip_scalar(MT_ZIP_FMOD, mt_full(MT_SHAPE(1), MT_I32, mt_i(INT32_MIN)), mt_i(-1)), 0);
	CHECK_VALUES(mt_zip_scalar(MT_ZIP_FMOD, mt_full(MT_SHAPE(1), MT_I64, mt_i(INT64_MIN)), mt_i(-1)), 0);
	CHECK_VALUES(mt_zip_scalar(MT_ZIP_FMOD, mt_full(MT_SHAPE(1), MT_I64, mt_i(INT64_MIN)), mt_i(0)), 0);
	CHECK_VALUES(mt_zip_scalar(MT_ZIP_FMOD, mt_full(MT_SHAPE(1), MT_U8, mt_i(250)), mt_i(255)), 250);
	CHECK_VALUES(mt_hypot(x, mt_full(MT_SHAPE0, MT_I64, mt_i(24))), 25, 25, 25, 25, (double)sqrtf(601));
	CHECK_VALUES(mt_add(mt_full(MT_SHAPE(1), MT_U8, mt_i(250)), mt_full(MT_SHAPE(1), MT_U8, mt_i(10))), 4);
	row("bool");
	mt_tensor *t = mt_from_data(MT_SHAPE(4), MT_BOOL, (const uint8_t[]){0, 0, 1, 1});
	mt_tensor *u = mt_from_data(MT_SHAPE(4), MT_BOOL, (const uint8_t[]){0, 1, 0, 1});
	CHECK_VALUES(mt_add(t, u), 0, 1, 1, 1);
	CHECK_VALUES(mt_mul(t, u), 0, 0, 0, 1);
}

static void special_values(void) {
	each_backend(specials_on_device);
}

/* ---- where -------------------------------------------------------------------------------------------------------- */

static void where_on_device(void) {
	mt_tensor *cond = mt_from_data(MT_SHAPE(3, 1), MT_BOOL, (const uint8_t[]){1, 0, 1});
	mt_tensor *a = counting(MT_SHAPE(2), MT_F32), *b = mt_full(MT_SHAPE0, MT_F32, mt_f(-1));
	row("where");
	CHECK_SHAPE(mt_where(cond, a, b), 3, 2);
	CHECK_VALUES(mt_where(cond, a, b), 0, 1, -1, -1, 0, 1);
	CHECK_VALUES(mt_where(mt_from_data(MT_SHAPE(2), MT_F32, (const float[]){NAN, 0}), a, b), 0, -1);
	MT_CHECK_INT(mt_tensor_dtype(mt_where(cond, counting(MT_SHAPE(2), MT_I32), mt_ones(MT_SHAPE(1), MT_F64))), MT_F64);
	CHECK_SHAPE(mt_where(cond, mt_zeros(MT_SHAPE(3, 0), MT_F32), b), 3, 0);
}

static void where(void) {
	each_backend(where_on_device);
}

/* ---- in place ----------------------------------------------------------------------------------------------------- */

static void inplace_on_device(void) {
	mt_tensor *a = counting(MT_SHAPE(2, 3), MT_F32), *column = mt_slice(a, 1, 0, 1, 1);
	row("in place");
	MT_CHECK(mt_add_(a, mt_ones(MT_SHAPE(3), MT_F32)) == a);
	CHECK_VALUES(a, 1, 2, 3, 4, 5, 6);
	mt_mul_(a, mt_full(MT_SHAPE(2, 1), MT_F64, mt_f(2))); /* converted */
	CHECK_VALUES(a, 2, 4, 6, 8, 10, 12);
	mt_sub_(column, mt_full(MT_SHAPE0, MT_I32, mt_i(1)));
	CHECK_VALUES(a, 1, 4, 6, 7, 10, 12);
	mt_div_(a, a);
	CHECK_VALUES(a, 1, 1, 1, 1, 1, 1);
	mt_add_scalar_(mt_slice(a, 0, 0, 1, 1), mt_f(0.5));
	mt_mul_scalar_(a, mt_i(2));
	CHECK_VALUES(a, 3, 3, 3, 2, 2, 2);
	row("from another view of itself");
	mt_tensor *square = counting(MT_SHAPE(2, 2), MT_F32), *ramp = counting(MT_SHAPE(4), MT_F32);
	mt_add_(square, mt_transpose(square, 0, 1));
	CHECK_VALUES(square, 0, 3, 3, 6);
	mt_add_(mt_slice(ramp, 0, 1, 4, 1), mt_slice(ramp, 0, 0, 3, 1));
	CHECK_VALUES(ramp, 0, 1, 3, 5);
	row("integers");
	mt_tensor *n = mt_full(MT_SHAPE(2), MT_I32, mt_i(3));
	CHECK_VALUES(mt_add_(n, mt_ones(MT_SHAPE(2), MT_BOOL)), 4, 4);
	MT_CHECK(mt_add_(n, mt_ones(MT_SHAPE(2), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "add_: the result is f32");
	MT_CHECK(mt_div_(n, n) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "div_");
	MT_CHECK(mt_mul_scalar_(n, mt_f(0.5)) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "mul_scalar_");
	CHECK_VALUES(n, 4, 4);
	row("refused");
	MT_CHECK(mt_add_(mt_expand(n, MT_SHAPE(3, 2)), n) == NULL);
	CHECK_ERROR(MT_E_STATE, "expanded");
	MT_CHECK(mt_add_(n, mt_ones(MT_SHAPE(3, 2), MT_I32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "add_: a is i32[2]");
}

static void in_place(void) {
	each_backend(inplace_on_device);
}

/* ---- errors ------------------------------------------------------------------------------------------------------- */

static void errors(void) {
	mt_tensor *a = mt_zeros(MT_SHAPE(2, 3), MT_F32), *b = mt_zeros(MT_SHAPE(4), MT_F32),
			  *t = mt_ones(MT_SHAPE(2, 3), MT_BOOL);
	MT_CHECK(mt_add(a, b) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "add: shapes [2, 3] and [4]");
	MT_CHECK(mt_sub(t, t) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "sub: not defined on bool[2, 3] and bool[2, 3]");
	MT_CHECK(mt_sub_scalar(t, mt_i(1)) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "sub");
	MT_CHECK(mt_pow(t, t) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "pow");
	MT_CHECK(mt_add(a, NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "add");
	MT_CHECK(mt_add(MT_NONE, a) == NULL);
	CHECK_ERROR(MT_E_ARG, "add");
	MT_CHECK(mt_add_scalar(a, (mt_scalar){0}) == NULL);
	CHECK_ERROR(MT_E_ARG, "not a number");
	MT_CHECK(mt_zip(99, a, a) == NULL);
	CHECK_ERROR(MT_E_ARG, "there is no op 99");
	MT_CHECK(mt_zip(MT_ZIP_ELU_GRAD, a, a) == NULL);
	CHECK_ERROR(MT_E_ARG, "elu_grad");
	mt_error_set(MT_E_IO, "the first cause");
	MT_CHECK(mt_relu(mt_add(a, b)) == NULL);
	CHECK_ERROR(MT_E_IO, "the first cause");
}

/* Numbers that the tensor's dtype does not hold: compared as they are. */
static void beyond_on_device(void) {
	mt_tensor *u = mt_from_data(MT_SHAPE(3), MT_U8, (uint8_t[]){0, 44, 255});
	mt_tensor *i = mt_from_data(MT_SHAPE(2), MT_I32, (int32_t[]){INT32_MIN, 1});
	CHECK_VALUES(mt_zip_scalar(MT_ZIP_LT, u, mt_i(300)), 1, 1, 1);
	CHECK_VALUES(mt_zip_scalar(MT_ZIP_EQ, u, mt_i(300)), 0, 0, 0);
	CHECK_VALUES(mt_scalar_zip(MT_ZIP_LT, mt_i(-1), u), 1, 1, 1);
	CHECK_VALUES(mt_zip_scalar(MT_ZIP_NE, i, mt_i((INT64_C(1) << 32) + 1)), 1, 1);
	CHECK_VALUES(mt_zip_scalar(MT_ZIP_GT, i, mt_i(INT64_MIN)), 1, 1);
	row("limits");
	CHECK_VALUES(mt_clamp(u, mt_i(-5), mt_i(300)), 0, 44, 255);
	CHECK_VALUES(mt_clamp(i, mt_i(INT64_MIN), mt_i(INT64_MAX)), INT32_MIN, 1);
}

static void beyond(void) {
	each_backend(beyond_on_device);
}

static const mt_test_case cases[] = {
	{"values", values},
	{"broadcast", broadcast},
	{"promotion", promotion},
	{"special_values", special_values},
	{"where", where},
	{"in_place", in_place},
	{"beyond", beyond},
	{"errors", errors},
	{0},
};
static const mt_test_suite suites[] = {{"zip", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
