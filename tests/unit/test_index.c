/* gather, index_select, scatter_add, one_hot, where, masked_fill: values against plain loops in every layout and dtype,
 * gradients, edges. */
#include <math.h>
#include <stdlib.h>

#include "linear.h"
#include "oracle.h"

#define RANK 3
static const int64_t extents[RANK] = {3, 5, 4};

/* An index array's shape for a dim: shorter than x but along dim. */
static void index_shape(int dim, int64_t *shape) {
	for (int d = 0; d < RANK; d++)
		shape[d] = d == dim ? 7 : extents[d] - 1;
}

/* Whole numbers from low to high − 1, in that layout. */
static mt_tensor *drawn(enum layout layout, int rank, const int64_t *shape, mt_dtype dtype, double low, double high,
                        uint64_t seed) {
	int64_t base[MT_MAX_RANK];
	base_shape(layout, rank, shape, base);
	mt_tensor *whole = mt_cast(mt_floor(random_like(rank, base, MT_F64, low, high, seed)), dtype);
	return lay_out(whole, layout, rank, shape);
}

/* Positions in [−n, n) (u8: [0, n)) of that shape in that layout. */
static mt_tensor *positions(enum layout layout, int rank, const int64_t *shape, int64_t n, mt_dtype dtype) {
	return drawn(layout, rank, shape, dtype, dtype == MT_U8 ? 0 : -(double)n, (double)n, 23);
}

static int64_t row_major(const int64_t *shape, const int64_t *index) {
	return (index[0] * shape[1] + index[1]) * shape[2] + index[2];
}

/* For each element of the index array: where it stands, and the element of x that it means. */
static void each_index(int dim, const int64_t *shape, const double *index, int64_t *element) {
	int64_t at[RANK], there[RANK], i = 0;
	for (at[0] = 0; at[0] < shape[0]; at[0]++)
		for (at[1] = 0; at[1] < shape[1]; at[1]++)
			for (at[2] = 0; at[2] < shape[2]; at[2]++, i++) {
				for (int d = 0; d < RANK; d++)
					there[d] = at[d];
				there[dim] = (int64_t)index[i] + (index[i] < 0 ? extents[dim] : 0);
				element[i] = row_major(extents, there);
			}
}

static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16, MT_BF16, MT_I32, MT_I64, MT_U8, MT_BOOL};
static const mt_dtype index_dtypes[] = {MT_I64, MT_I32, MT_U8};

static mt_tensor *whole_numbers(enum layout layout, int rank, const int64_t *shape, mt_dtype dtype, uint64_t seed) {
	return drawn(layout, rank, shape, dtype, 0, 9, seed);
}

static void check_gather(int dim, enum layout l, mt_dtype dtype, mt_dtype index_dtype) {
	int64_t shape[RANK], element[140];
	double want[140];
	index_shape(dim, shape);
	int64_t n = shape[0] * shape[1] * shape[2];
	mt_tensor *x = whole_numbers(l, RANK, extents, dtype, 3);
	mt_tensor *index = positions((l + 1) % N_LAYOUTS, RANK, shape, extents[dim], index_dtype);
	double *xs = elements(x), *is = elements(index);
	each_index(dim, shape, is, element);
	for (int64_t i = 0; i < n; i++)
		want[i] = xs[element[i]];
	mt_tensor *y = mt_gather(x, dim - RANK, index);
	CHECK_CLOSE(y, want, n, 0, 0);
	MT_CHECK_INT(mt_tensor_dtype(y), dtype);
	free(xs);
	free(is);
}

/* Integers wrap; sums of bool are or. */
static double added(mt_dtype dtype, double a, double b) {
	return dtype == MT_BOOL ? a + b > 0 : a + b;
}

static void check_scatter_add(int dim, enum layout l, mt_dtype dtype, mt_dtype index_dtype) {
	int64_t shape[RANK], longer[RANK], element[140];
	index_shape(dim, shape);
	for (int d = 0; d < RANK; d++)
		longer[d] = shape[d] + (d != dim ? 1 : 2);
	int64_t n = shape[0] * shape[1] * shape[2];
	mt_tensor *x = whole_numbers(l, RANK, extents, dtype, 3), *src = whole_numbers(l, RANK, longer, dtype, 4);
	mt_tensor *index = positions((l + 2) % N_LAYOUTS, RANK, shape, extents[dim], index_dtype);
	double *xs = elements(x), *is = elements(index), *ss = elements(src), before[60];
	each_index(dim, shape, is, element);
	for (int i = 0; i < 60; i++)
		before[i] = xs[i];
	for (int64_t i = 0; i < n; i++) {
		int64_t at[RANK] = {i / (shape[1] * shape[2]), i / shape[2] % shape[1], i % shape[2]};
		xs[element[i]] = added(dtype, xs[element[i]], ss[row_major(longer, at)]);
	}
	mt_tensor *y = mt_scatter_add(x, dim, index, src);
	CHECK_CLOSE(y, xs, 60, 0, 0);
	CHECK_CLOSE(x, before, 60, 0, 0);
	MT_CHECK_INT(mt_tensor_dtype(y), dtype);
	free(xs);
	free(is);
	free(ss);
}

static void check_index_select(int dim, enum layout l, mt_dtype dtype, mt_dtype index_dtype) {
	int64_t n = 7, shape[RANK], element[140];
	double want[140], spread[140];
	for (int d = 0; d < RANK; d++)
		shape[d] = d == dim ? n : extents[d];
	mt_tensor *x = whole_numbers(l, RANK, extents, dtype, 3);
	mt_tensor *index = positions(l == REPEATED ? STEPPED : l, 1, &n, extents[dim], index_dtype);
	double *xs = elements(x), *is = elements(index);
	int64_t total = shape[0] * shape[1] * shape[2];
	for (int64_t i = 0; i < total; i++) {
		int64_t at[RANK] = {i / (shape[1] * shape[2]), i / shape[2] % shape[1], i % shape[2]};
		spread[i] = is[at[dim]];
	}
	each_index(dim, shape, spread, element);
	for (int64_t i = 0; i < total; i++)
		want[i] = xs[element[i]];
	CHECK_CLOSE(mt_index_select(x, dim, index), want, total, 0, 0);
	free(xs);
	free(is);
}

static void values_on_device(void) {
	for (int dim = 0; dim < RANK; dim++)
		for (int l = 0; l < N_LAYOUTS; l++)
			for (int d = 0; d < 8; d++) {
				mt_dtype index = index_dtypes[(dim + l + d) % 3];
				mt_scope *scope = mt_scope_begin();
				row("%s at %s, dim %d, %s", mt_dtype_name(dtypes[d]), mt_dtype_name(index), dim, layout_name(l));
				check_gather(dim, l, dtypes[d], index);
				check_scatter_add(dim, l, dtypes[d], index);
				check_index_select(dim, l, dtypes[d], index);
				mt_scope_end(scope);
			}
}

static void values(void) {
	each_backend(values_on_device);
}

/* ---- gradients ---------------------------------------------------------------------------------------------------- */

static mt_tensor *repeating(int rank, const int64_t *shape, int64_t n) {
	return positions(CONTIGUOUS, rank, shape, n, MT_I64);
}

static mt_tensor *gathered(mt_tensor *x, const void *dim) {
	int64_t shape[RANK];
	index_shape(*(const int *)dim, shape);
	return mt_gather(x, *(const int *)dim, repeating(RANK, shape, extents[*(const int *)dim]));
}

static mt_tensor *selected(mt_tensor *x, const void *dim) {
	return mt_index_select(x, *(const int *)dim, repeating(MT_SHAPE(9), extents[*(const int *)dim]));
}

static mt_tensor *scattered(mt_tensor *src, const void *dim) {
	int64_t shape[RANK];
	index_shape(*(const int *)dim, shape);
	mt_tensor *zeros = mt_zeros(RANK, extents, MT_F64);
	return mt_scatter_add(zeros, *(const int *)dim, repeating(RANK, shape, extents[*(const int *)dim]), src);
}

static mt_tensor *base_of_scatter(mt_tensor *x, const void *dim) {
	return mt_scatter_add(x, *(const int *)dim, mt_zeros(MT_SHAPE(1, 1, 2), MT_I64),
	                      mt_zeros(MT_SHAPE(1, 1, 2), MT_F64));
}

static mt_tensor *filled(mt_tensor *x, const void *context) {
	(void)context;
	mt_tensor *mask = mt_from_data(MT_SHAPE(1, 4), MT_BOOL, (const uint8_t[]){1, 0, 0, 1});
	return mt_masked_fill(x, mask, mt_f(0));
}

static mt_tensor *chosen(mt_tensor *x, const void *context) {
	(void)context;
	mt_tensor *mask = mt_from_data(MT_SHAPE(3, 1, 1), MT_BOOL, (const uint8_t[]){1, 0, 1});
	return mt_where(mask, x, mt_zeros(MT_SHAPE0, MT_F64));
}

static void gradients_on_device(void) {
	for (int dim = 0; dim < RANK; dim++) {
		int64_t longer[RANK];
		index_shape(dim, longer);
		for (int d = 0; d < RANK; d++)
			longer[d]++;
		row("dim %d", dim);
		check_linear(gathered, &dim, RANK, extents, 1);
		check_linear(selected, &dim, RANK, extents, 1);
		check_linear(scattered, &dim, RANK, longer, 0);
		check_linear(base_of_scatter, &dim, RANK, extents, 0);
	}
	row("masked_fill, where");
	check_linear(filled, NULL, RANK, extents, 0);
	check_linear(chosen, NULL, RANK, extents, 0);
}

static void gradients(void) {
	each_backend(gradients_on_device);
}

/* ---- one_hot, masked_fill ------------------------------------------------------------------------------------------- */

static void one_hot_on_device(void) {
	mt_tensor *index = mt_from_data(MT_SHAPE(2, 2), MT_I64, (const int64_t[]){2, 0, 1, 2});
	row("one_hot");
	mt_tensor *hot = mt_one_hot(index, 3, MT_F32);
	CHECK_SHAPE(hot, 2, 2, 3);
	CHECK_VALUES(hot, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1);
	CHECK_VALUES(mt_one_hot(mt_transpose(index, 0, 1), 3, MT_U8), 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 1);
	CHECK_VALUES(mt_one_hot(mt_scalar_tensor(mt_i(1), MT_I32), 2, MT_BOOL), 0, 1);
	CHECK_SHAPE(mt_one_hot(mt_zeros(MT_SHAPE(2, 0), MT_I64), 3, MT_I64), 2, 0, 3);
	for (int d = 0; d < 8; d++)
		MT_CHECK_INT(mt_tensor_dtype(mt_one_hot(index, 3, dtypes[d])), dtypes[d]);
}

static void fill_on_device(void) {
	mt_tensor *mask = mt_from_data(MT_SHAPE(3), MT_BOOL, (const uint8_t[]){0, 1, 0});
	mt_tensor *x = counting(MT_SHAPE(2, 3), MT_F32);
	row("masked_fill: every dtype, kept");
	for (int d = 0; d < 8; d++) {
		mt_tensor *t = mt_cast(x, dtypes[d]), *y = mt_masked_fill(t, mask, mt_i(7));
		double one = dtypes[d] == MT_BOOL ? 1 : 7, high[2] = {d == 7 ? 1 : 3, d == 7 ? 1 : 5};
		CHECK_VALUES(y, 0, one, d == 7 ? 1 : 2, high[0], one, high[1]);
		MT_CHECK_INT(mt_tensor_dtype(y), dtypes[d]);
	}
	row("masked_fill: values");
	CHECK_VALUES(mt_masked_fill(x, mask, mt_f(-INFINITY)), 0, -INFINITY, 2, 3, -INFINITY, 5);
	CHECK_VALUES(mt_masked_fill(mt_full(MT_SHAPE(3), MT_F32, mt_f(NAN)), mask, mt_f(1)), NAN, 1, NAN);
	CHECK_VALUES(mt_masked_fill(mt_transpose(x, 0, 1), mt_ones(MT_SHAPE0, MT_F32), mt_f(2.5)), 2.5, 2.5, 2.5, 2.5, 2.5,
	             2.5);
	CHECK_VALUES(mt_masked_fill(x, mt_from_data(MT_SHAPE(2, 1), MT_F32, (const float[]){0, -0.5f}), mt_i(9)), 0, 1, 2,
	             9, 9, 9);
	CHECK_SHAPE(mt_masked_fill(mt_zeros(MT_SHAPE(0, 3), MT_F32), mask, mt_i(1)), 0, 3);
	mt_tensor *leaf = mt_requires_grad_(mt_ones(MT_SHAPE(3), MT_F32), 1);
	MT_CHECK_INT(mt_backward_from(mt_masked_fill(leaf, mask, mt_i(5)), counting(MT_SHAPE(3), MT_F32), 0), MT_OK);
	CHECK_VALUES(mt_grad(leaf), 0, 0, 2);
}

static void others(void) {
	each_backend(one_hot_on_device);
	each_backend(fill_on_device);
}

/* ---- edges -------------------------------------------------------------------------------------------------------- */

static void edges_on_device(void) {
	mt_tensor *number = mt_scalar_tensor(mt_f(3), MT_F32), *zero = mt_scalar_tensor(mt_i(0), MT_I64);
	row("0-d");
	CHECK_SHAPE0(mt_gather(number, 0, zero));
	CHECK_VALUES(mt_scatter_add(number, -1, zero, number), 6);
	CHECK_VALUES(mt_index_select(number, 0, mt_zeros(MT_SHAPE(1), MT_I64)), 3);
	row("no elements");
	mt_tensor *x = mt_ones(MT_SHAPE(2, 3), MT_F32), *none = mt_zeros(MT_SHAPE(0, 3), MT_I64);
	CHECK_VALUES(mt_scatter_add(x, 0, none, mt_zeros(MT_SHAPE(5, 9), MT_F32)), 1, 1, 1, 1, 1, 1);
	MT_CHECK(!mt_tensor_shares_storage(x, mt_scatter_add(x, 0, none, x)));
	CHECK_SHAPE(mt_gather(x, 0, none), 0, 3);
	MT_CHECK(mt_gather(mt_zeros(MT_SHAPE(2, 0), MT_F32), 1, mt_zeros(MT_SHAPE(2, 1), MT_I64)) == NULL);
	CHECK_ERROR(MT_E_ARG, "gather: x is f32[2, 0]: it has nothing along axis 1");
	MT_CHECK(mt_scatter_add(mt_zeros(MT_SHAPE(0), MT_F32), 0, mt_zeros(MT_SHAPE(1), MT_I64),
	                        mt_ones(MT_SHAPE(1), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_ARG, "scatter_add: x is f32[0]");
	row("integers wrap");
	mt_tensor *u8 = mt_full(MT_SHAPE(1), MT_U8, mt_i(200));
	CHECK_VALUES(mt_scatter_add(u8, 0, mt_zeros(MT_SHAPE(2), MT_I64), mt_full(MT_SHAPE(2), MT_U8, mt_i(100))),
	             400 % 256);
	row("NaN and infinities");
	mt_tensor *wild = mt_from_data(MT_SHAPE(3), MT_F32, (const float[]){NAN, INFINITY, -INFINITY});
	CHECK_VALUES(mt_gather(wild, 0, mt_from_data(MT_SHAPE(2), MT_I32, (const int32_t[]){1, -3})), INFINITY, NAN);
	CHECK_VALUES(mt_scatter_add(mt_zeros(MT_SHAPE(2), MT_F32), 0,
	                            mt_from_data(MT_SHAPE(3), MT_I64, (const int64_t[]){0, 1, 1}), wild),
	             NAN, NAN);
	row("many elements, all to one place");
	int64_t n = 70001;
	mt_tensor *count = mt_arange(mt_i(0), mt_i(n), mt_i(1), MT_F64);
	mt_tensor *back = mt_arange(mt_i(n - 1), mt_i(-1), mt_i(-1), MT_I64);
	CHECK_VALUES(mt_all(mt_eq(mt_gather(count, 0, back), mt_flip(count, 0)), MT_ALL_AXES, 0), 1);
	CHECK_VALUES(mt_scatter_add(mt_ones(MT_SHAPE(2), MT_F64), 0, mt_ones(MT_SHAPE(n), MT_I64), count), 1,
	             35000.0 * 70001 + 1);
	CHECK_VALUES(
		mt_all(mt_eq(mt_scatter_add(count, 0, back, count), mt_full(MT_SHAPE(n), MT_F64, mt_i(n - 1))), MT_ALL_AXES, 0),
		1);
}

static void edges(void) {
	each_backend(edges_on_device);
}

static void range_on_device(void) {
	static const int64_t bad[] = {3, -4, INT64_MAX, INT64_MIN};
	for (int i = 0; i < 4; i++) {
		row("index %lld", (long long)bad[i]);
		mt_tensor *x = mt_zeros(MT_SHAPE(3), MT_F32), *index = mt_full(MT_SHAPE(2), MT_I64, mt_i(bad[i]));
		CHECK_OUT_OF_RANGE(mt_scatter_add(x, 0, index, mt_ones(MT_SHAPE(2), MT_F32)), "scatter_add");
	}
}

static void errors(void) {
	mt_tensor *x = mt_zeros(MT_SHAPE(2, 3), MT_F32), *i = mt_zeros(MT_SHAPE(2, 3), MT_I64);
	each_backend(range_on_device);
	MT_CHECK(mt_scatter_add(x, 0, i, mt_zeros(MT_SHAPE(2, 3), MT_F64)) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "scatter_add: x is f32[2, 3], src is f64[2, 3]; one dtype is needed");
	MT_CHECK(mt_scatter_add(x, 0, i, mt_zeros(MT_SHAPE(2, 2), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "scatter_add: x is f32[2, 3], index is i64[2, 3], src is f32[2, 2]");
	MT_CHECK(mt_scatter_add(mt_zeros(MT_SHAPE(2, 2), MT_F32), 0, i, x) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "nor than x along any but 0");
	MT_CHECK(mt_scatter_add(x, 2, i, x) == NULL);
	CHECK_ERROR(MT_E_ARG, "scatter_add: dim 2");
	MT_CHECK(mt_scatter_add(x, 0, x, x) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "scatter_add: index is f32[2, 3]");
	MT_CHECK(mt_scatter_add(x, 0, i, NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "src");
	MT_CHECK(mt_one_hot(mt_zeros(MT_SHAPE(1, 1, 1, 1, 1, 1, 1, 1), MT_I64), 2, MT_F32) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "one_hot: index is i64[1, 1, 1, 1, 1, 1, 1, 1]; at most 7 dims");
	MT_CHECK(mt_masked_fill(x, mt_ones(MT_SHAPE(4, 2, 3), MT_BOOL), mt_i(0)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "masked_fill: mask is bool[4, 2, 3], which does not broadcast to x, f32[2, 3]");
	MT_CHECK(mt_masked_fill(x, mt_ones(MT_SHAPE(2), MT_BOOL), mt_i(0)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "mask is bool[2]");
	MT_CHECK(mt_masked_fill(x, MT_NONE, mt_i(0)) == NULL);
	CHECK_ERROR(MT_E_ARG, "masked_fill");
	MT_CHECK(mt_masked_fill(x, x, (mt_scalar){0}) == NULL);
	CHECK_ERROR(MT_E_ARG, "masked_fill: value is no number");
}

/* Arguments of two devices, for this and the neighbouring families. */
static void two_devices(void) {
	mt_device *first = mt_device_open("naive"), *second = mt_device_open("omp");
	if (first == NULL || second == NULL) {
		mt_test_note("%s", mt_error_take(NULL));
		return;
	}
	mt_device_use(second);
	mt_tensor *y = mt_zeros(MT_SHAPE(3), MT_F32), *at = mt_zeros(MT_SHAPE(3), MT_I64);
	mt_device_use(first);
	mt_tensor *x = mt_zeros(MT_SHAPE(3), MT_F32), *i = mt_zeros(MT_SHAPE(3), MT_I64);
	MT_CHECK(mt_gather(x, 0, at) == NULL);
	CHECK_ERROR(MT_E_DEVICE, "gather");
	MT_CHECK(mt_scatter_add(x, 0, i, y) == NULL);
	CHECK_ERROR(MT_E_DEVICE, "scatter_add");
	MT_CHECK(mt_masked_fill(x, y, mt_i(0)) == NULL);
	CHECK_ERROR(MT_E_DEVICE, "masked_fill");
	MT_CHECK(mt_einsum("i,i", MT_TENSORS(x, y)) == NULL);
	CHECK_ERROR(MT_E_DEVICE, "einsum");
	MT_CHECK(mt_l1_loss(x, y, 0) == NULL);
	CHECK_ERROR(MT_E_DEVICE, "l1_loss");
	MT_CHECK(mt_bce_with_logits_loss(x, x, MT_NONE, y, 0) == NULL);
	CHECK_ERROR(MT_E_DEVICE, "bce_with_logits_loss");
	MT_CHECK(mt_nll_loss(mt_zeros(MT_SHAPE(3, 3), MT_F32), at, MT_NONE, (mt_loss_options){0}) == NULL);
	CHECK_ERROR(MT_E_DEVICE, "nll_loss");
}

static const mt_test_case cases[] = {
	{"values", values},
	{"gradients", gradients},
	{"others", others},
	{"edges", edges},
	{"errors", errors},
	{"two_devices", two_devices},
	{0},
};
static const mt_test_suite suites[] = {{"index", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
