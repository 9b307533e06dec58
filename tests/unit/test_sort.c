/* sort, argsort, topk, max_dim, min_dim: every axis and layout, order of equals and NaN, dtypes, gradients, edges. */
#include <math.h>
#include <stdlib.h>

#include "lines.h"
#include "oracle.h"

#define RANK 3
#define N 60
static const int64_t extents[RANK] = {3, 5, 4};

/* Whether b comes before a although it stands later: NaN is the largest, equals keep their order. */
static int before(double a, double b, int descending) {
	double low = descending ? a : b, high = descending ? b : a;
	return isnan(high) ? !isnan(low) : low < high;
}

/* Insertion sort of each line: values and where they were. */
static void plain_sort(struct lines l, const double *x, int descending, double *values, double *indices) {
	for (int64_t i = 0; i < l.count; i++)
		for (int64_t j = 0; j < l.n; j++) {
			double v = x[line_at(l, i, j)];
			int64_t k = j;
			for (; k > 0 && before(values[line_at(l, i, k - 1)], v, descending); k--) {
				values[line_at(l, i, k)] = values[line_at(l, i, k - 1)];
				indices[line_at(l, i, k)] = indices[line_at(l, i, k - 1)];
			}
			values[line_at(l, i, k)] = v;
			indices[line_at(l, i, k)] = (double)j;
		}
}

/* Few different values, so that many are equal, and some NaN. */
static mt_tensor *with_ties(enum layout layout, mt_dtype dtype, uint64_t seed) {
	int64_t base[RANK], n = 1;
	double values[2 * N];
	base_shape(layout, RANK, extents, base);
	for (int d = 0; d < RANK; d++)
		n *= base[d];
	for (int64_t i = 0; i < n; i++) {
		int v = (int)draw(&seed, 0, 6);
		values[i] = v == 5 && dtype < MT_I32 ? NAN : v;
	}
	return lay_out(mt_cast(mt_from_data(RANK, base, MT_F64, values), dtype), layout, RANK, extents);
}

static void check_topk(mt_tensor *x, struct lines l, int axis, int64_t k, int largest, const double *values,
                       const double *indices) {
	double v[N], at[N];
	mt_tensor *ti, *t = mt_topk(x, k, axis, largest, &ti);
	struct lines shorter = {l.count, k, l.inner};
	for (int64_t i = 0; i < l.count; i++)
		for (int64_t j = 0; j < k; j++) {
			v[line_at(shorter, i, j)] = values[line_at(l, i, j)];
			at[line_at(shorter, i, j)] = indices[line_at(l, i, j)];
		}
	CHECK_CLOSE(t, v, l.count * k, 0, 0);
	CHECK_CLOSE(ti, at, l.count * k, 0, 0);
	MT_CHECK(mt_tensor_is_contiguous(t) && mt_tensor_is_contiguous(ti));
}

static void check_sort(mt_tensor *x, int axis, int descending) {
	struct lines l = lines_of(RANK, extents, axis);
	double *from = elements(x), values[N], indices[N];
	MT_REQUIRE(from != NULL);
	plain_sort(l, from, descending, values, indices);
	mt_tensor *at, *y = mt_sort(x, axis, descending, &at);
	CHECK_CLOSE(y, values, N, 0, 0);
	CHECK_CLOSE(at, indices, N, 0, 0);
	CHECK_CLOSE(mt_argsort(x, axis, descending), indices, N, 0, 0);
	MT_CHECK_INT(mt_tensor_dtype(y), mt_tensor_dtype(x));
	MT_CHECK_INT(mt_tensor_dtype(at), MT_I64);
	for (int64_t k = 0; k <= l.n; k++)
		check_topk(x, l, axis, k, descending, values, indices);
	free(from);
}

static void sort_on_device(void) {
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16, MT_BF16, MT_I32, MT_I64, MT_U8, MT_BOOL};
	for (int l = 0; l < N_LAYOUTS; l++)
		for (int d = 0; d < 8; d++)
			for (int axis = -1; axis < RANK; axis++)
				for (int descending = 0; descending < 2; descending++) {
					mt_scope *scope = mt_scope_begin();
					row("%s %s axis %d descending %d", layout_name(l), mt_dtype_name(dtypes[d]), axis, descending);
					check_sort(with_ties(l, dtypes[d], (uint64_t)(7 * d + l)), axis, descending);
					mt_scope_end(scope);
				}
}

static void sort(void) {
	each_backend(sort_on_device);
}

/* ---- max_dim, min_dim --------------------------------------------------------------------------------------------- */

/* The first NaN, else the first of the largest or smallest. */
static void check_extreme(mt_tensor *x, int axis, int largest) {
	struct lines l = lines_of(RANK, extents, axis);
	double *from = elements(x), values[N], indices[N];
	MT_REQUIRE(from != NULL);
	for (int64_t i = 0; i < l.count; i++) {
		int64_t best = 0;
		for (int64_t j = 1; j < l.n; j++) {
			double v = from[line_at(l, i, j)], b = from[line_at(l, i, best)];
			if (!isnan(b) && (isnan(v) || (largest ? v > b : v < b)))
				best = j;
		}
		values[i] = from[line_at(l, i, best)];
		indices[i] = (double)best;
	}
	for (int keepdim = 0; keepdim < 2; keepdim++) {
		mt_tensor *at, *y = largest ? mt_max_dim(x, axis, keepdim, &at) : mt_min_dim(x, axis, keepdim, &at);
		CHECK_CLOSE(y, values, l.count, 0, 0);
		CHECK_CLOSE(at, indices, l.count, 0, 0);
		MT_CHECK_INT(mt_tensor_rank(y), RANK - !keepdim);
		MT_CHECK_INT(mt_tensor_dtype(y), mt_tensor_dtype(x));
	}
	free(from);
}

static void extremes_on_device(void) {
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_BF16, MT_I64, MT_U8, MT_BOOL};
	for (int l = 0; l < N_LAYOUTS; l++)
		for (int d = 0; d < 6; d++)
			for (int axis = -1; axis < RANK; axis++) {
				mt_scope *scope = mt_scope_begin();
				row("%s %s axis %d", layout_name(l), mt_dtype_name(dtypes[d]), axis);
				mt_tensor *x = with_ties(l, dtypes[d], (uint64_t)(5 * d + l));
				check_extreme(x, axis, 1);
				check_extreme(x, axis, 0);
				mt_scope_end(scope);
			}
}

static void extremes(void) {
	each_backend(extremes_on_device);
}

/* ---- gradients: to the elements that were chosen, once each, equals or not ------------------------------------------ */

static const float tied[] = {2, 7, 7, 1, 3, 3, 3, 3, NAN, 5, NAN, 6};

static mt_tensor *tied_leaf(void) {
	return mt_requires_grad_(mt_from_data(MT_SHAPE(3, 4), MT_F32, tied), 1);
}

static void gradients_on_device(void) {
	static const float u[] = {1, -2, 3, 4, 5, 6, -7, 8, 9, 10, 11, 12};
	mt_tensor *x = tied_leaf(), *up = mt_from_data(MT_SHAPE(3, 4), MT_F32, u);
	row("sort");
	MT_CHECK_INT(mt_backward_from(mt_sort(x, 1, 0, NULL), up, 0), MT_OK);
	CHECK_VALUES(mt_grad(x), -2, 3, 4, 1, 5, 6, -7, 8, 11, 9, 12, 10);
	row("sort of a transposed view, descending");
	x = tied_leaf();
	MT_CHECK_INT(mt_backward_from(mt_sort(mt_transpose(x, 0, 1), 0, 1, NULL), mt_transpose(up, 0, 1), 0), MT_OK);
	CHECK_VALUES(mt_grad(x), 3, 1, -2, 4, 5, 6, -7, 8, 9, 12, 10, 11);
	row("topk");
	x = tied_leaf();
	mt_tensor *two = mt_from_data(MT_SHAPE(3, 2), MT_F32, u);
	MT_CHECK_INT(mt_backward_from(mt_topk(x, 2, -1, 0, NULL), two, 0), MT_OK);
	CHECK_VALUES(mt_grad(x), -2, 0, 0, 1, 3, 4, 0, 0, 0, 5, 0, 6);
	row("max_dim, min_dim: the first winner takes all");
	x = tied_leaf();
	MT_CHECK_INT(mt_backward_from(mt_max_dim(x, 1, 0, NULL), mt_from_data(MT_SHAPE(3), MT_F32, u), 0), MT_OK);
	CHECK_VALUES(mt_grad(x), 0, 1, 0, 0, -2, 0, 0, 0, 3, 0, 0, 0);
	x = tied_leaf();
	MT_CHECK_INT(mt_backward_from(mt_min_dim(x, 1, 1, NULL), mt_from_data(MT_SHAPE(3, 1), MT_F32, u), 0), MT_OK);
	CHECK_VALUES(mt_grad(x), 0, 0, 0, 1, -2, 0, 0, 0, 3, 0, 0, 0);
}

static void gradients(void) {
	each_backend(gradients_on_device);
}

/* ---- edges -------------------------------------------------------------------------------------------------------- */

static void edges_on_device(void) {
	mt_tensor *at, *none = mt_zeros(MT_SHAPE(2, 0), MT_F32), *number = mt_scalar_tensor(mt_f(3), MT_F32);
	row("no elements");
	CHECK_SHAPE(mt_sort(none, 1, 0, &at), 2, 0);
	CHECK_SHAPE(at, 2, 0);
	CHECK_SHAPE(mt_topk(none, 0, 1, 1, NULL), 2, 0);
	CHECK_SHAPE(mt_topk(mt_zeros(MT_SHAPE(0, 4), MT_I32), 3, 1, 1, &at), 0, 3);
	CHECK_SHAPE(mt_max_dim(none, 0, 0, &at), 0);
	CHECK_SHAPE(at, 0);
	MT_CHECK(mt_max_dim(none, 1, 0, &at) == NULL && at == NULL);
	CHECK_ERROR(MT_E_SHAPE, "max_dim: f32[2, 0] has no elements along axis 1");
	row("0-d");
	CHECK_VALUES(mt_sort(number, -1, 0, &at), 3);
	CHECK_SHAPE0(at);
	CHECK_SHAPE0(mt_argsort(number, 0, 1));
	CHECK_SHAPE0(mt_topk(number, 1, 0, 1, &at));
	CHECK_VALUES(mt_min_dim(number, 0, 1, &at), 3);
	CHECK_SHAPE0(at);
	CHECK_SHAPE0(mt_argmax(number, 0, 1));
	row("extreme integers");
	mt_tensor *big = mt_from_data(MT_SHAPE(3), MT_I64, (const int64_t[]){INT64_MAX, INT64_MIN, INT64_MAX - 1});
	CHECK_VALUES(mt_argsort(big, 0, 0), 1, 2, 0);
	CHECK_VALUES(mt_argsort(big, 0, 1), 0, 2, 1);
	row("many elements");
	int64_t n = 70001;
	mt_tensor *count = mt_arange(mt_i(0), mt_i(n), mt_i(1), MT_F32);
	mt_tensor *shuffled = mt_index_select(count, 0, mt_randperm(n));
	CHECK_VALUES(mt_all(mt_eq(mt_sort(shuffled, 0, 0, &at), count), MT_ALL_AXES, 0), 1);
	CHECK_VALUES(mt_all(mt_eq(mt_gather(shuffled, 0, at), count), MT_ALL_AXES, 0), 1);
	CHECK_VALUES(mt_topk(shuffled, 3, 0, 1, NULL), (double)n - 1, (double)n - 2, (double)n - 3);
	CHECK_VALUES(mt_max_dim(shuffled, 0, 0, NULL), (double)n - 1);
}

static void edges(void) {
	each_backend(edges_on_device);
}

static void errors(void) {
	mt_tensor *x = mt_zeros(MT_SHAPE(2, 3), MT_F32), *at = x;
	MT_CHECK(mt_sort(x, 2, 0, &at) == NULL && at == NULL);
	CHECK_ERROR(MT_E_ARG, "sort: dim 2 is out of range");
	MT_CHECK(mt_argsort(x, -3, 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "argsort: dim -3");
	MT_CHECK(mt_topk(x, 4, 1, 1, NULL) == NULL);
	CHECK_ERROR(MT_E_ARG, "topk: k is 4; 0 to 3 along axis 1 of f32[2, 3]");
	MT_CHECK(mt_topk(x, -1, 1, 1, NULL) == NULL);
	CHECK_ERROR(MT_E_ARG, "topk: k is -1");
	MT_CHECK(mt_topk(mt_scalar_tensor(mt_f(1), MT_F32), 2, 0, 1, NULL) == NULL);
	CHECK_ERROR(MT_E_ARG, "topk: k is 2; 0 to 1");
	MT_CHECK(mt_sort(NULL, 0, 0, NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "sort");
	MT_CHECK(mt_max_dim(MT_NONE, 0, 0, NULL) == NULL);
	CHECK_ERROR(MT_E_ARG, "max_dim");
}

static const mt_test_case cases[] = {
	{"sort", sort}, {"extremes", extremes}, {"gradients", gradients}, {"edges", edges}, {"errors", errors}, {0},
};
static const mt_test_suite suites[] = {{"sort", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
