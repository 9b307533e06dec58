/* f16 and bf16 are storage: maps, zips, reductions and products compute in f32 at least, and round once. */
#include <math.h>
#include <stdlib.h>

#include "oracle.h"

static const mt_dtype lows[] = {MT_F16, MT_BF16};

/* value as dtype holds it. */
static double rounded(double value, mt_dtype dtype) {
	double y = NAN;
	mt_item(mt_full(MT_SHAPE0, dtype, mt_f(value)), &y);
	return y;
}

/* Half the distance of neighbours around 1. */
static double unit_of(mt_dtype dtype) {
	return dtype == MT_F16 ? 0x1p-11 : 0x1p-8;
}

static void each_low(void (*test)(mt_dtype dtype)) {
	for (size_t i = 0; i < sizeof lows / sizeof *lows; i++) {
		mt_scope *scope = mt_scope_begin();
		test(lows[i]);
		mt_scope_end(scope);
	}
}

/* ---- reductions --------------------------------------------------------------------------------------------------- */

static const struct sum_row {
	const char *name;
	int rank;
	int64_t shape[3];
	int axis;
} sum_rows[] = {
	{"a vector", 1, {10000}, 0},          {"rows", 2, {3, 10000}, 1},          {"columns", 2, {10000, 3}, 0},
	{"many columns", 2, {10000, 130}, 0}, {"the middle", 3, {2, 10000, 3}, 1},
};

static mt_tensor *filled(const struct sum_row *r, mt_dtype dtype, double value, enum layout layout) {
	int64_t base[MT_MAX_RANK];
	base_shape(layout, r->rank, r->shape, base);
	return lay_out(mt_full(r->rank, base, dtype, mt_f(value)), layout, r->rank, r->shape);
}

/* y holds value, rounded once (and what f32 sums of 10,000 terms may lose) in each of its elements. */
static void check_all(mt_tensor *y, mt_dtype dtype, double value) {
	double *have = elements(y);
	MT_REQUIRE(have != NULL);
	for (int64_t i = 0; i < mt_tensor_numel(y); i++)
		MT_CHECK_MSG(fabs(have[i] - value) <= fabs(value) * (unit_of(dtype) + 1e-4), "element %lld is %.9g, not %.9g",
		             (long long)i, have[i], value);
	MT_CHECK_INT(mt_tensor_dtype(y), dtype);
	free(have);
}

static void sums_of(mt_dtype dtype) {
	for (size_t i = 0; i < sizeof sum_rows / sizeof *sum_rows; i++)
		for (int l = 0; l < REPEATED; l++) {
			const struct sum_row *r = &sum_rows[i];
			mt_axes axis = MT_AXES(r->axis);
			row("%s of %s %s", r->name, mt_dtype_name(dtype), layout_name(l));
			mt_tensor *sum = mt_sum(filled(r, dtype, 1, l), axis, 0),
					  *all = mt_sum(filled(r, dtype, 1, l), MT_ALL_AXES, 0);
			double *have = elements(sum), total = NAN;
			MT_REQUIRE(have != NULL && mt_item(all, &total) == MT_OK);
			for (int64_t e = 0; e < mt_tensor_numel(sum); e++) /* f32 counts exactly */
				MT_CHECK_NEAR(have[e], rounded(10000, dtype), 0);
			MT_CHECK_NEAR(total, rounded(10000.0 * (double)mt_tensor_numel(sum), dtype), 0);
			free(have);
			check_all(mt_sum(filled(r, dtype, 0.1, l), axis, 0), dtype, 10000 * rounded(0.1, dtype));
			check_all(mt_mean(filled(r, dtype, 0.3, l), axis, 0), dtype, rounded(0.3, dtype));
			check_all(mt_mean(filled(r, dtype, 60000, l), axis, 0), dtype,
			          rounded(60000, dtype)); /* the sum is no f16 */
			double third = rounded(1.0 / 3, dtype);
			check_all(mt_reduce(MT_REDUCE_SUMSQ, filled(r, dtype, 1.0 / 3, l), axis, 0), dtype, 10000 * third * third);
		}
	row("products of %s", mt_dtype_name(dtype));
	double factor = rounded(1.01, dtype);
	mt_tensor *many = mt_full(MT_SHAPE(400), dtype, mt_f(factor));
	check_all(mt_prod(many, MT_ALL_AXES, 0), dtype, pow(factor, 400));
}

static void sums_on_device(void) {
	each_low(sums_of);
}

static void sums(void) {
	each_backend(sums_on_device);
}

/* ---- products ----------------------------------------------------------------------------------------------------- */

static void random_product(mt_dtype dtype, int64_t m, int64_t k, int64_t n, enum layout layout) {
	row("matmul of %s %s, %lld x %lld x %lld", mt_dtype_name(dtype), layout_name(layout), (long long)m, (long long)k,
	    (long long)n);
	mt_tensor *a = random_in(layout, MT_SHAPE(m, k), dtype, -1, 1, 1),
			  *b = random_in(layout, MT_SHAPE(k, n), dtype, -1, 1, 2);
	mt_tensor *y = mt_matmul(a, b);
	double *as = elements(a), *bs = elements(b), *have = elements(y);
	MT_REQUIRE(as != NULL && bs != NULL && have != NULL);
	for (int64_t i = 0; i < m; i++)
		for (int64_t j = 0; j < n; j++) {
			double sum = 0, size = 0;
			for (int64_t e = 0; e < k; e++) {
				sum += as[i * k + e] * bs[e * n + j];
				size += fabs(as[i * k + e] * bs[e * n + j]);
			}
			double allowed = unit_of(dtype) * fabs(sum) + 0x1p-24 * (double)k * size + 1e-7;
			MT_CHECK_MSG(fabs(have[i * n + j] - sum) <= allowed, "[%lld, %lld] is %.9g, not %.9g", (long long)i,
			             (long long)j, have[i * n + j], sum);
		}
	free(as);
	free(bs);
	free(have);
}

static void products_of(mt_dtype dtype) {
	static const int64_t sizes[][3] = {{1, 300, 1}, {5, 700, 3}, {33, 257, 40}, {1, 500, 90}, {70, 400, 1}};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		for (int l = 0; l < N_LAYOUTS; l++)
			random_product(dtype, sizes[i][0], sizes[i][1], sizes[i][2], l);
	row("a count in %s", mt_dtype_name(dtype));
	double counted = rounded(10000, dtype);
	CHECK_VALUES(mt_matmul(mt_ones(MT_SHAPE(2, 10000), dtype), mt_ones(MT_SHAPE(10000), dtype)), counted, counted);
	row("a sum in %s that leaves the range on its way", mt_dtype_name(dtype));
	mt_tensor *there = mt_cast(mt_from_data(MT_SHAPE(1, 3), MT_F32, (const float[]){200, 200, -200}), dtype);
	mt_tensor *back = mt_cast(mt_from_data(MT_SHAPE(3, 1), MT_F32, (const float[]){300, 300, 300}), dtype);
	CHECK_VALUES(mt_matmul(there, back), rounded(60000, dtype));
	row("one rounding of product and bias in %s", mt_dtype_name(dtype));
	/* 2^p + 1 is halfway between two numbers of dtype, and goes down by itself: the bias must come before rounding */
	double power = 1 / unit_of(dtype);
	mt_tensor *x = mt_cast(mt_from_data(MT_SHAPE(1, 2), MT_F64, (const double[]){power, 1}), dtype);
	mt_tensor *w = mt_ones(MT_SHAPE(1, 2), dtype), *b = mt_full(MT_SHAPE(1), dtype, mt_f(0.5));
	CHECK_VALUES(mt_matmul(x, mt_transpose(w, 0, 1)), power);
	CHECK_VALUES(mt_linear(x, w, b), power + 2);
}

static void products_on_device(void) {
	each_low(products_of);
}

static void products(void) {
	each_backend(products_on_device);
}

/* ---- elementwise -------------------------------------------------------------------------------------------------- */

/* Formulas whose steps, taken in the dtype itself, would lose the result. */
static void elementwise_of(mt_dtype dtype) {
	row("steps within an op in %s", mt_dtype_name(dtype));
	double small = rounded(1e-4, dtype), big = rounded(300, dtype);
	check_all(mt_hypot(mt_full(MT_SHAPE(3), dtype, mt_f(big)), mt_full(MT_SHAPE(3), dtype, mt_f(big))), dtype,
	          big * sqrt(2));
	check_all(mt_expm1(mt_full(MT_SHAPE(3), dtype, mt_f(small))), dtype, expm1(small));
	check_all(mt_log1p(mt_full(MT_SHAPE(3), dtype, mt_f(small))), dtype, log1p(small));
	check_all(mt_softplus(mt_full(MT_SHAPE(3), dtype, mt_f(-7))), dtype, log1p(exp(-7)));
	check_all(mt_asinh(mt_full(MT_SHAPE(3), dtype, mt_f(big))), dtype, asinh(big));
	check_all(mt_gelu(mt_full(MT_SHAPE(3), dtype, mt_f(-3))), dtype, -1.5 * erfc(3 / sqrt(2)));
	check_all(mt_mish(mt_full(MT_SHAPE(3), dtype, mt_f(-7))), dtype, -7 * tanh(log1p(exp(-7))));
	check_all(mt_rsqrt(mt_full(MT_SHAPE(3), dtype, mt_f(big))), dtype, 1 / sqrt(big));
	row("one rounding in %s", mt_dtype_name(dtype));
	for (int l = 0; l < N_LAYOUTS; l++) {
		mt_tensor *a = random_in(l, MT_SHAPE(31, 17), dtype, -4, 4, 3),
				  *b = random_in(l, MT_SHAPE(31, 17), dtype, 1, 4, 4);
		mt_tensor *wide_a = mt_cast(a, MT_F32), *wide_b = mt_cast(b, MT_F32);
		double *sum = elements(mt_cast(mt_add(wide_a, wide_b), dtype)),
			   *ratio = elements(mt_cast(mt_div(wide_a, wide_b), dtype));
		MT_REQUIRE(sum != NULL && ratio != NULL);
		CHECK_CLOSE(mt_add(a, b), sum, mt_tensor_numel(a), 0, 1);
		CHECK_CLOSE(mt_div(a, b), ratio, mt_tensor_numel(a), 0, 1);
		free(sum);
		free(ratio);
	}
}

static void elementwise_on_device(void) {
	each_low(elementwise_of);
}

static void elementwise(void) {
	each_backend(elementwise_on_device);
}

static const mt_test_case cases[] = {{"sums", sums}, {"products", products}, {"elementwise", elementwise}, {0}};
static const mt_test_suite suites[] = {{"lowp", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
