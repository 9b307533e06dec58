/* reduce: values over every set of axes, in every layout; dtypes; empty reductions; argmax, argmin; errors. */
#include <math.h>
#include <stdlib.h>

#include "oracle.h"

/* ---- values ------------------------------------------------------------------------------------------------------- */

struct reduce_case {
	int32_t op;
	const char *name;
	double start;
	double (*step)(double sum, double x);
	int is_mean;
};

static double plus(double s, double x) {
	return s + x;
}
static double times(double s, double x) {
	return s * x;
}
static double larger(double s, double x) {
	return x > s ? x : s;
}
static double smaller(double s, double x) {
	return x < s ? x : s;
}
static double either(double s, double x) {
	return s != 0 || x != 0;
}
static double both(double s, double x) {
	return s != 0 && x != 0;
}
static double plus_square(double s, double x) {
	return s + x * x;
}

static const struct reduce_case reduce_cases[] = {
	{MT_REDUCE_SUM, "sum", 0, plus, 0},           {MT_REDUCE_PROD, "prod", 1, times, 0},
	{MT_REDUCE_MAX, "max", -INFINITY, larger, 0}, {MT_REDUCE_MIN, "min", INFINITY, smaller, 0},
	{MT_REDUCE_MEAN, "mean", 0, plus, 1},         {MT_REDUCE_ANY, "any", 0, either, 0},
	{MT_REDUCE_ALL, "all", 1, both, 0},           {MT_REDUCE_SUMSQ, "sumsq", 0, plus_square, 0},
};
#define N_CASES (sizeof reduce_cases / sizeof *reduce_cases)

#define RANK 4
static const int64_t extents[RANK] = {3, 2, 5, 4};

static mt_axes axes_of(unsigned mask) {
	mt_axes axes = {0};
	for (int d = 0; d < RANK; d++)
		if (mask >> d & 1u)
			axes.axis[axes.n++] = d % 2 ? d - RANK : d; /* some counted from the end */
	return axes;
}

/* Plain loops: each element into the result that its kept dims name. */
static int64_t expected(const struct reduce_case *c, unsigned mask, const double *x, double *want) {
	int64_t results = 1, n = 1, count = 1;
	for (int d = 0; d < RANK; d++) {
		n *= extents[d];
		if (mask >> d & 1u)
			count *= extents[d];
		else
			results *= extents[d];
	}
	for (int64_t r = 0; r < results; r++)
		want[r] = c->start;
	for (int64_t i = 0; i < n; i++) {
		int64_t rest = i, r = 0, step = 1;
		for (int d = RANK - 1; d >= 0; d--) {
			if (!(mask >> d & 1u)) {
				r += rest % extents[d] * step;
				step *= extents[d];
			}
			rest /= extents[d];
		}
		want[r] = c->step(want[r], x[i]);
	}
	for (int64_t r = 0; r < results && c->is_mean; r++)
		want[r] /= (double)count;
	return results;
}

static void check_reduce(const struct reduce_case *c, mt_tensor *x, unsigned mask) {
	double *from = elements(x), want[120];
	MT_REQUIRE(from != NULL);
	int64_t results = expected(c, mask, from, want);
	for (int keepdim = 0; keepdim < 2; keepdim++) {
		mt_tensor *y = mt_reduce(c->op, x, axes_of(mask), keepdim);
		CHECK_CLOSE(y, want, results, 10 * rtol_of(mt_tensor_dtype(x)), 10);
		int64_t shape[RANK];
		int rank = 0;
		for (int d = 0; d < RANK; d++)
			if (!(mask >> d & 1u) || keepdim)
				shape[rank++] = mask >> d & 1u ? 1 : extents[d];
		check_shape(y, rank, shape, __FILE__, __LINE__, "y");
	}
	free(from);
}

static void values_on_device(void) {
	for (size_t i = 0; i < N_CASES; i++)
		for (int l = 0; l < N_LAYOUTS; l++)
			for (unsigned mask = 0; mask < 1u << RANK; mask++) {
				mt_scope *scope = mt_scope_begin();
				row("%s %s axes %x", reduce_cases[i].name, layout_name(l), mask);
				check_reduce(&reduce_cases[i], random_in(l, RANK, extents, MT_F32, -1.5, 1.5, i + 1), mask);
				check_reduce(&reduce_cases[i], random_in(l, RANK, extents, MT_F64, -1.5, 1.5, i + 1), mask);
				if (mask % 5 == 0)
					check_reduce(&reduce_cases[i], random_in(l, RANK, extents, MT_BF16, -1, 1, i + 1), mask);
				mt_scope_end(scope);
			}
}

static void values(void) {
	each_backend(values_on_device);
}

/* ---- dtypes and special values ------------------------------------------------------------------------------------ */

static void dtypes_on_device(void) {
	mt_tensor *x = mt_from_data(MT_SHAPE(4), MT_U8, (const uint8_t[]){200, 100, 0, 3});
	mt_tensor *t = mt_from_data(MT_SHAPE(3), MT_BOOL, (const uint8_t[]){1, 0, 1});
	row("integers widen to i64");
	CHECK_VALUES(mt_sum(x, MT_ALL_AXES, 0), 303);
	MT_CHECK_INT(mt_tensor_dtype(mt_sum(x, MT_ALL_AXES, 0)), MT_I64);
	CHECK_VALUES(mt_prod(mt_full(MT_SHAPE(3), MT_I32, mt_i(100000)), MT_ALL_AXES, 0), 1e15);
	CHECK_VALUES(mt_sum(t, MT_AXES(0), 0), 2);
	MT_CHECK_INT(mt_tensor_dtype(mt_prod(t, MT_AXES(0), 0)), MT_I64);
	row("others keep their dtype, means are float");
	CHECK_VALUES(mt_max(x, MT_ALL_AXES, 0), 200);
	MT_CHECK_INT(mt_tensor_dtype(mt_max(x, MT_ALL_AXES, 0)), MT_U8);
	CHECK_VALUES(mt_min(t, MT_ALL_AXES, 0), 0);
	CHECK_NEAR_VALUES(mt_mean(x, MT_ALL_AXES, 0), 1e-5, 75.75);
	MT_CHECK_INT(mt_tensor_dtype(mt_mean(x, MT_ALL_AXES, 0)), MT_F32);
	CHECK_VALUES(mt_any(x, MT_ALL_AXES, 0), 1);
	CHECK_VALUES(mt_all(x, MT_ALL_AXES, 0), 0);
	MT_CHECK_INT(mt_tensor_dtype(mt_all(x, MT_ALL_AXES, 0)), MT_BOOL);
	row("NaN");
	mt_tensor *nan = mt_from_data(MT_SHAPE(3), MT_F32, (const float[]){1, NAN, INFINITY});
	CHECK_VALUES(mt_max(nan, MT_ALL_AXES, 0), NAN);
	CHECK_VALUES(mt_min(nan, MT_ALL_AXES, 0), NAN);
	CHECK_VALUES(mt_any(nan, MT_ALL_AXES, 0), 1);
	row("f16 accumulates wider");
	CHECK_VALUES(mt_sum(mt_ones(MT_SHAPE(4096), MT_F16), MT_ALL_AXES, 0), 4096);
	CHECK_VALUES(mt_sum(mt_ones(MT_SHAPE(1000), MT_BF16), MT_ALL_AXES, 0), 1000);
}

static void dtypes(void) {
	each_backend(dtypes_on_device);
}

/* ---- empty -------------------------------------------------------------------------------------------------------- */

static void empty_on_device(void) {
	mt_tensor *x = mt_zeros(MT_SHAPE(2, 0), MT_F32);
	row("no elements");
	CHECK_VALUES(mt_sum(x, MT_AXES(1), 0), 0, 0);
	CHECK_VALUES(mt_prod(x, MT_AXES(1), 1), 1, 1);
	CHECK_VALUES(mt_mean(x, MT_AXES(1), 0), NAN, NAN);
	CHECK_VALUES(mt_any(x, MT_AXES(1), 0), 0, 0);
	CHECK_VALUES(mt_all(x, MT_AXES(1), 0), 1, 1);
	CHECK_VALUES(mt_sum(x, MT_ALL_AXES, 0), 0);
	CHECK_SHAPE(mt_sum(x, MT_AXES(0), 0), 0);
	CHECK_SHAPE(mt_max(x, MT_AXES(0), 0), 0);
	MT_CHECK(mt_max(x, MT_AXES(1), 0) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "max: f32[2, 0] has no elements along axis 1");
	MT_CHECK(mt_min(x, MT_ALL_AXES, 0) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "min: f32[2, 0]");
	MT_CHECK(mt_argmax(x, 1, 0) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "argmax: f32[2, 0]");
	CHECK_SHAPE(mt_argmin(x, 0, 0), 0);
	row("0-d");
	CHECK_SHAPE0(mt_sum(mt_scalar_tensor(mt_f(3), MT_F32), MT_ALL_AXES, 1));
	CHECK_VALUES(mt_mean(mt_scalar_tensor(mt_f(3), MT_F32), MT_ALL_AXES, 0), 3);
	CHECK_SHAPE0(mt_prod(mt_scalar_tensor(mt_i(3), MT_I32), MT_AXES(0), 0));
	CHECK_SHAPE0(mt_max(mt_scalar_tensor(mt_f(3), MT_F32), MT_AXES(-1), 1));
}

static void empty(void) {
	each_backend(empty_on_device);
}

/* ---- gradients at zeros and ties -------------------------------------------------------------------------------------- */

static mt_tensor *backward(mt_tensor *y, mt_tensor *x, double u) {
	MT_CHECK_INT(mt_backward_from(y, mt_full_like(y, mt_f(u)), 0), MT_OK);
	return mt_grad(x);
}

static mt_tensor *leaf(int64_t n, const double *values, mt_dtype dtype) {
	return mt_requires_grad_(mt_cast(mt_from_data(1, &n, MT_F64, values), dtype), 1);
}

static void gradients_on_device(void) {
	static const double none[] = {2, -3, 4}, one[] = {2, 0, 4}, two[] = {0, -3, 0}, ties[] = {5, 1, 5, 1, 5};
	static const double wild[] = {1, NAN, 7, NAN};
	mt_tensor *x = leaf(3, none, MT_F64);
	row("prod");
	CHECK_NEAR_VALUES(backward(mt_prod(x, MT_ALL_AXES, 0), x, 2), 1e-12, -24, 16, -12);
	x = leaf(3, one, MT_F32);
	CHECK_VALUES(backward(mt_prod(x, MT_ALL_AXES, 0), x, 2), 0, 16, 0);
	x = leaf(3, two, MT_F32);
	CHECK_VALUES(backward(mt_prod(x, MT_ALL_AXES, 0), x, 2), 0, 0, 0);
	row("max, min: shared among ties");
	x = leaf(5, ties, MT_F32);
	CHECK_VALUES(backward(mt_max(x, MT_ALL_AXES, 1), x, 6), 2, 0, 2, 0, 2);
	x = leaf(5, ties, MT_BF16);
	CHECK_VALUES(backward(mt_min(x, MT_ALL_AXES, 0), x, 6), 0, 3, 0, 3, 0);
	x = leaf(4, wild, MT_F64);
	CHECK_VALUES(backward(mt_max(x, MT_ALL_AXES, 0), x, 6), 0, 3, 0, 3);
	row("more ties than f16 can count");
	x = mt_requires_grad_(mt_zeros(MT_SHAPE(2, 40000), MT_F16), 1);
	mt_tensor *share = mt_cast(mt_full(MT_SHAPE0, MT_F64, mt_f(1.0 / 80)), MT_F16);
	CHECK_VALUES(mt_all(mt_eq(backward(mt_max(x, MT_ALL_AXES, 0), x, 1000), share), MT_ALL_AXES, 0), 1);
	row("many elements");
	x = mt_requires_grad_(mt_ones(MT_SHAPE(70001), MT_F64), 1);
	mt_tensor *g = backward(mt_prod(x, MT_ALL_AXES, 0), x, 3);
	CHECK_VALUES(mt_all(mt_zip_scalar(MT_ZIP_EQ, g, mt_i(3)), MT_ALL_AXES, 0), 1);
}

static void gradients(void) {
	each_backend(gradients_on_device);
}

/* ---- argmax, argmin ----------------------------------------------------------------------------------------------- */

static void arg_on_device(void) {
	static const float values[] = {3, 1, 3, 2, 1, 9, -5, 9, NAN, 2, NAN, 4};
	mt_tensor *x = mt_from_data(MT_SHAPE(3, 4), MT_F32, values);
	row("the first of equals, NaN before all");
	CHECK_VALUES(mt_argmax(x, 1, 0), 0, 1, 0);
	CHECK_VALUES(mt_argmin(x, -1, 0), 1, 2, 0);
	CHECK_VALUES(mt_argmax(x, 0, 1), 2, 1, 2, 1);
	CHECK_SHAPE(mt_argmax(x, 0, 1), 1, 4);
	CHECK_VALUES(mt_argmax(mt_transpose(x, 0, 1), 0, 0), 0, 1, 0);
	CHECK_VALUES(mt_argmax(mt_flip(mt_slice(x, 0, 0, 2, 1), 1), 1, 0), 1, 0);
	MT_CHECK_INT(mt_tensor_dtype(mt_argmax(x, 1, 0)), MT_I64);
	CHECK_VALUES(mt_argmin(mt_from_data(MT_SHAPE(3), MT_I64, (const int64_t[]){5, INT64_MIN, 7}), 0, 0), 1);
	CHECK_VALUES(mt_argmax(mt_from_data(MT_SHAPE(3), MT_BOOL, (const uint8_t[]){0, 1, 1}), 0, 0), 1);
}

static void arg_reduce(void) {
	each_backend(arg_on_device);
}

/* ---- errors ------------------------------------------------------------------------------------------------------- */

static void errors(void) {
	mt_tensor *x = mt_zeros(MT_SHAPE(2, 3), MT_F32);
	MT_CHECK(mt_sum(x, MT_AXES(2), 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "sum: dim 2 is out of range");
	MT_CHECK(mt_sum(x, MT_AXES(1, -1), 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "sum: axis 1 is named twice");
	MT_CHECK(mt_sum(x, (mt_axes){99, {0}}, 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "99 axes");
	MT_CHECK(mt_sum(x, (mt_axes){-2, {0}}, 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "-2 axes");
	MT_CHECK(mt_reduce(0, x, MT_ALL_AXES, 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "there is no op 0");
	MT_CHECK(mt_mean(NULL, MT_ALL_AXES, 0) == NULL);
	CHECK_ERROR(MT_E_NULL, "mean");
	MT_CHECK(mt_argmax(x, 5, 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "argmax: dim 5");
}

static const mt_test_case cases[] = {
	{"values", values},
	{"dtypes", dtypes},
	{"empty", empty},
	{"gradients", gradients},
	{"arg_reduce", arg_reduce},
	{"errors", errors},
	{0},
};
static const mt_test_suite suites[] = {{"reduce", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
