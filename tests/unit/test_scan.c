/* cumsum and cumprod: values along every axis in every layout, dtypes, edges; gradients with zeros among the factors. */
#include <math.h>
#include <stdlib.h>

#include "lines.h"
#include "linear.h"
#include "oracle.h"

#define RANK 3
static const int64_t extents[RANK] = {3, 5, 4};

/* ---- values ------------------------------------------------------------------------------------------------------- */

static void check_scan(int product, mt_tensor *x, int axis) {
	struct lines l = lines_of(RANK, extents, axis);
	double *from = elements(x), want[60];
	MT_REQUIRE(from != NULL);
	for (int64_t i = 0; i < l.count; i++) {
		double sum = product;
		for (int64_t j = 0; j < l.n; j++) {
			int64_t at = line_at(l, i, j);
			sum = product ? sum * from[at] : sum + from[at];
			want[at] = sum;
		}
	}
	mt_tensor *y = product ? mt_cumprod(x, axis) : mt_cumsum(x, axis);
	CHECK_CLOSE(y, want, 60, 8 * rtol_of(mt_tensor_dtype(x)), 4);
	check_shape(y, RANK, extents, __FILE__, __LINE__, "y");
	MT_CHECK_INT(mt_tensor_dtype(y), mt_tensor_dtype(x));
	free(from);
}

static void values_on_device(void) {
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16, MT_BF16};
	for (int product = 0; product < 2; product++)
		for (int l = 0; l < N_LAYOUTS; l++)
			for (int axis = -RANK; axis < RANK; axis++)
				for (int d = 0; d < 4; d++) {
					mt_scope *scope = mt_scope_begin();
					row("%s %s %s axis %d", product ? "cumprod" : "cumsum", layout_name(l), mt_dtype_name(dtypes[d]),
					    axis);
					check_scan(product, random_in(l, RANK, extents, dtypes[d], -1.5, 1.5, 3 + (uint64_t)axis), axis);
					mt_scope_end(scope);
				}
}

static void values(void) {
	each_backend(values_on_device);
}

/* ---- dtypes, edges ------------------------------------------------------------------------------------------------ */

static void edges_on_device(void) {
	row("integers and bool become i64, which wraps");
	CHECK_VALUES(mt_cumsum(mt_from_data(MT_SHAPE(4), MT_U8, (const uint8_t[]){200, 100, 0, 3}), 0), 200, 300, 300, 303);
	CHECK_VALUES(mt_cumprod(mt_full(MT_SHAPE(3), MT_I32, mt_i(100000)), 0), 1e5, 1e10, 1e15);
	CHECK_VALUES(mt_cumsum(mt_from_data(MT_SHAPE(3), MT_BOOL, (const uint8_t[]){1, 0, 1}), -1), 1, 1, 2);
	MT_CHECK_INT(mt_tensor_dtype(mt_cumsum(mt_ones(MT_SHAPE(2), MT_BOOL), 0)), MT_I64);
	mt_tensor *big = mt_from_data(MT_SHAPE(2), MT_I64, (const int64_t[]){INT64_MAX, 2});
	int64_t last[2];
	MT_CHECK_INT(mt_to_host(mt_cumprod(big, 0), last, sizeof last), MT_OK);
	MT_CHECK(last[0] == INT64_MAX && last[1] == -2);
	MT_CHECK_INT(mt_to_host(mt_cumsum(big, 0), last, sizeof last), MT_OK);
	MT_CHECK(last[1] == INT64_MIN + 1);
	row("NaN and infinities go on");
	mt_tensor *x = mt_from_data(MT_SHAPE(4), MT_F32, (const float[]){1, INFINITY, -INFINITY, 2});
	CHECK_VALUES(mt_cumsum(x, 0), 1, INFINITY, NAN, NAN);
	CHECK_VALUES(mt_cumprod(x, 0), 1, INFINITY, -INFINITY, -INFINITY);
	CHECK_VALUES(mt_cumprod(mt_from_data(MT_SHAPE(3), MT_F64, (const double[]){0, NAN, 3}), 0), 0, NAN, NAN);
	row("no elements");
	CHECK_SHAPE(mt_cumsum(mt_zeros(MT_SHAPE(2, 0), MT_F32), 1), 2, 0);
	CHECK_SHAPE(mt_cumprod(mt_zeros(MT_SHAPE(0, 3), MT_I32), 1), 0, 3);
	row("0-d");
	mt_tensor *number = mt_scalar_tensor(mt_f(3), MT_F32);
	CHECK_VALUES(mt_cumsum(number, 0), 3);
	CHECK_SHAPE0(mt_cumprod(number, -1));
	row("many elements");
	int64_t n = 70001;
	mt_tensor *ones = mt_expand(mt_ones(MT_SHAPE(1, 1), MT_F32), MT_SHAPE(2, n));
	mt_tensor *count = mt_arange(mt_i(1), mt_i(n + 1), mt_i(1), MT_F32);
	CHECK_VALUES(mt_all(mt_eq(mt_cumsum(ones, 1), count), MT_ALL_AXES, 0), 1);
	CHECK_VALUES(mt_all(mt_eq(mt_cumsum(mt_transpose(ones, 0, 1), 0), mt_unsqueeze(count, 1)), MT_ALL_AXES, 0), 1);
	CHECK_VALUES(mt_all(mt_eq(mt_cumprod(ones, 1), ones), MT_ALL_AXES, 0), 1);
}

static void edges(void) {
	each_backend(edges_on_device);
}

/* ---- gradients ---------------------------------------------------------------------------------------------------- */

static mt_tensor *sum_of(mt_tensor *x, const void *axis) {
	return mt_cumsum(x, *(const int *)axis);
}

/* By its definition: Σ_{k ≥ i} u_k times the other factors up to k. */
static double slope(const double *x, const double *u, int n, int i) {
	double g = 0;
	for (int k = i; k < n; k++) {
		double others = 1;
		for (int j = 0; j <= k; j++)
			others *= j == i ? 1 : x[j];
		g += u[k] * others;
	}
	return g;
}

static void check_product_gradient(int n, unsigned zeros, mt_dtype dtype) {
	double want[16];
	int64_t extent = n;
	mt_tensor *x = random_like(1, &extent, MT_F64, 0.5, 1.5, 17 + zeros);
	mt_tensor *u = mt_cast(random_like(1, &extent, MT_F64, -2, 2, 5 + (uint64_t)n), dtype);
	for (int64_t i = 0; i < n; i++)
		if (zeros >> i & 1u)
			mt_set(x, &i, mt_f(0));
	x = mt_requires_grad_(mt_cast(x, dtype), 1);
	double *xs = elements(x), *us = elements(u);
	for (int i = 0; i < n; i++)
		want[i] = slope(xs, us, n, i);
	MT_CHECK_INT(mt_backward_from(mt_cumprod(x, 0), u, 0), MT_OK);
	CHECK_CLOSE(mt_grad(x), want, n, 16 * rtol_of(dtype), 4);
	free(xs);
	free(us);
}

static void gradients_on_device(void) {
	for (int axis = 0; axis < 3; axis++) {
		row("cumsum axis %d", axis);
		check_linear(sum_of, &axis, MT_SHAPE(2, 5, 3), 1);
	}
	for (int n = 0; n <= 9; n++)
		for (unsigned zeros = 0; zeros < 1u << n; zeros += n < 6 ? 1 : 37) {
			mt_scope *scope = mt_scope_begin();
			row("cumprod of %d, zeros %x", n, zeros);
			check_product_gradient(n, zeros, MT_F64);
			check_product_gradient(n, zeros, zeros % 2 ? MT_F32 : MT_F16);
			mt_scope_end(scope);
		}
	row("cumprod of many");
	int64_t n = 70001;
	mt_tensor *x = mt_requires_grad_(mt_ones(MT_SHAPE(n), MT_F64), 1);
	mt_tensor *u =
		mt_sub_scalar(mt_zip_scalar(MT_ZIP_MOD, mt_arange(mt_i(0), mt_i(n), mt_i(1), MT_F64), mt_i(7)), mt_i(2));
	MT_CHECK_INT(mt_backward_from(mt_cumprod(x, 0), u, 0), MT_OK);
	mt_tensor *want = mt_flip(mt_cumsum(mt_flip(u, 0), 0), 0);
	CHECK_VALUES(mt_all(mt_eq(mt_grad(x), want), MT_ALL_AXES, 0), 1);
}

static void gradients(void) {
	each_backend(gradients_on_device);
}

static void errors(void) {
	mt_tensor *x = mt_zeros(MT_SHAPE(2, 3), MT_F32);
	MT_CHECK(mt_cumsum(x, 2) == NULL);
	CHECK_ERROR(MT_E_ARG, "cumsum: dim 2 is out of range for shape [2, 3]");
	MT_CHECK(mt_cumprod(mt_scalar_tensor(mt_f(1), MT_F32), 1) == NULL);
	CHECK_ERROR(MT_E_ARG, "cumprod: dim 1 is out of range");
	MT_CHECK(mt_cumprod(NULL, 0) == NULL);
	CHECK_ERROR(MT_E_NULL, "cumprod");
	MT_CHECK(mt_cumsum(MT_NONE, 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "cumsum");
}

static const mt_test_case cases[] = {
	{"values", values}, {"edges", edges}, {"gradients", gradients}, {"errors", errors}, {0},
};
static const mt_test_suite suites[] = {{"scan", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
