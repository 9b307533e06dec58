/* matmul and linear: values against plain loops over ranks, batches and layouts; dtypes; empty; errors. */
#include <stdlib.h>

#include "oracle.h"

/* ---- matmul ------------------------------------------------------------------------------------------------------- */

struct matmul_case {
	int rank_a, rank_b, rank;
	int64_t a[5], b[5], result[5];
};

static const struct matmul_case matmuls[] = {
	{2, 2, 2, {3, 4}, {4, 5}, {3, 5}},
	{1, 1, 0, {4}, {4}, {0}},
	{1, 2, 1, {4}, {4, 5}, {5}},
	{2, 1, 1, {3, 4}, {4}, {3}},
	{3, 3, 3, {2, 3, 4}, {2, 4, 5}, {2, 3, 5}},
	{3, 2, 3, {2, 3, 4}, {4, 5}, {2, 3, 5}},
	{2, 3, 3, {3, 4}, {2, 4, 5}, {2, 3, 5}},
	{4, 3, 4, {2, 1, 3, 4}, {6, 4, 5}, {2, 6, 3, 5}},
	{4, 4, 4, {2, 1, 3, 4}, {1, 3, 4, 2}, {2, 3, 3, 2}},
	{1, 3, 2, {4}, {2, 4, 5}, {2, 5}},
	{3, 1, 2, {2, 3, 4}, {4}, {2, 3}},
	{5, 2, 5, {2, 2, 1, 3, 4}, {4, 5}, {2, 2, 1, 3, 5}},
	{2, 2, 2, {33, 70}, {70, 17}, {33, 17}},
	{2, 2, 2, {3, 0}, {0, 5}, {3, 5}},
	{3, 2, 3, {2, 3, 0}, {0, 5}, {2, 3, 5}},
	{2, 2, 2, {0, 4}, {4, 5}, {0, 5}},
	{3, 3, 3, {0, 3, 4}, {1, 4, 5}, {0, 3, 5}},
};

/* Offset of batch number i (over the result's batch dims) in an argument of this shape. */
static int64_t batch_offset(const int64_t *shape, int rank, const int64_t *batch, int batch_rank, int64_t i) {
	int64_t offset = 0, step = rank > 1 ? shape[rank - 1] * shape[rank - 2] : 0;
	for (int d = batch_rank - 1; d >= 0; d--) {
		int from = d - (batch_rank - (rank - 2));
		if (rank > 2 && from >= 0) {
			offset += shape[from] == 1 ? 0 : i % batch[d] * step;
			step *= shape[from];
		}
		i /= batch[d];
	}
	return offset;
}

static void plain_matmul(const struct matmul_case *c, const double *a, const double *b, double *out) {
	int64_t k = c->a[c->rank_a - 1], m = c->rank_a > 1 ? c->a[c->rank_a - 2] : 1;
	int64_t n = c->rank_b > 1 ? c->b[c->rank_b - 1] : 1, batches = 1;
	int batch_rank = (c->rank_a > c->rank_b ? c->rank_a : c->rank_b) - 2;
	for (int d = 0; d < batch_rank; d++)
		batches *= c->result[d];
	for (int64_t i = 0; i < batches; i++) {
		const double *x = a + batch_offset(c->a, c->rank_a, c->result, batch_rank, i);
		const double *y = b + batch_offset(c->b, c->rank_b, c->result, batch_rank, i);
		for (int64_t r = 0; r < m; r++)
			for (int64_t s = 0; s < n; s++) {
				double sum = 0;
				for (int64_t p = 0; p < k; p++)
					sum += x[r * k + p] * y[p * n + s];
				*out++ = sum;
			}
	}
}

static void check_matmul(const struct matmul_case *c, mt_tensor *a, mt_tensor *b) {
	double *x = elements(a), *y = elements(b), *want = malloc(4096 * sizeof *want);
	MT_REQUIRE(x != NULL && y != NULL && want != NULL);
	plain_matmul(c, x, y, want);
	mt_tensor *z = mt_matmul(a, b);
	if (check_shape(z, c->rank, c->result, __FILE__, __LINE__, "z"))
		CHECK_CLOSE(z, want, mt_tensor_numel(z), 4 * rtol_of(mt_tensor_dtype(a)), 3);
	free(x);
	free(y);
	free(want);
}

static void matmul_on_device(void) {
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16, MT_BF16};
	for (size_t i = 0; i < sizeof matmuls / sizeof *matmuls; i++)
		for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++)
			for (int l = 0; l < N_LAYOUTS * N_LAYOUTS; l++) {
				const struct matmul_case *c = &matmuls[i];
				int la = l / N_LAYOUTS, lb = l % N_LAYOUTS;
				mt_scope *scope = mt_scope_begin();
				row("matmul %zu %s %s %s", i, mt_dtype_name(dtypes[d]), layout_name(la), layout_name(lb));
				check_matmul(c, random_in(la, c->rank_a, c->a, dtypes[d], -1, 1, i),
				             random_in(lb, c->rank_b, c->b, dtypes[d], -1, 1, i + 50));
				mt_scope_end(scope);
			}
}

static void matmul(void) {
	each_backend(matmul_on_device);
}

static void dtypes_on_device(void) {
	row("integers");
	mt_tensor *a = mt_from_data(MT_SHAPE(2, 2), MT_I32, (const int32_t[]){1, 2, 3, 4});
	mt_tensor *b = mt_from_data(MT_SHAPE(2, 2), MT_I32, (const int32_t[]){2147483647, 0, 1, -1});
	CHECK_VALUES(mt_matmul(a, b), -2147483647, -2, -2147483647, -4);
	MT_CHECK_INT(mt_tensor_dtype(mt_matmul(a, b)), MT_I32);
	CHECK_VALUES(mt_matmul(mt_cast(a, MT_U8), mt_cast(a, MT_I64)), 7, 10, 15, 22);
	MT_CHECK_INT(mt_tensor_dtype(mt_matmul(mt_cast(a, MT_U8), mt_cast(a, MT_I64))), MT_I64);
	row("promotion");
	MT_CHECK_INT(mt_tensor_dtype(mt_matmul(a, mt_ones(MT_SHAPE(2, 2), MT_F32))), MT_F32);
	mt_tensor *w = mt_ones(MT_SHAPE(2, 2), MT_F32), *y = mt_linear(w, w, mt_ones(MT_SHAPE(2), MT_F64));
	CHECK_VALUES(y, 3, 3, 3, 3);
	MT_CHECK_INT(mt_tensor_dtype(y), MT_F64);
	MT_CHECK_INT(mt_tensor_dtype(mt_linear(w, mt_cast(w, MT_F64), MT_NONE)), MT_F64);
	MT_CHECK(mt_matmul(mt_cast(a, MT_BOOL), mt_cast(a, MT_BOOL)) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "matmul: not defined on bool");
	MT_CHECK(mt_linear(mt_cast(a, MT_BOOL), mt_cast(a, MT_BOOL), MT_NONE) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "linear: not defined on bool");
}

static void dtypes(void) {
	each_backend(dtypes_on_device);
}

/* ---- linear ------------------------------------------------------------------------------------------------------- */

static const struct {
	int rank;
	int64_t x[4];
	int64_t out;
} linears[] = {{2, {5, 3}, 4}, {1, {3}, 4},    {3, {2, 5, 3}, 4}, {4, {2, 2, 3, 7}, 1},
               {2, {0, 3}, 4}, {2, {3, 0}, 4}, {3, {2, 3, 0}, 2}};

static void check_linear(mt_tensor *x, mt_tensor *w, mt_tensor *b) {
	int64_t in = mt_tensor_size(w, 1), out = mt_tensor_size(w, 0), rows = 1;
	for (int d = 0; d < mt_tensor_rank(x) - 1; d++)
		rows *= mt_tensor_size(x, d);
	double *ex = elements(x), *ew = elements(w), *eb = mt_tensor_is_none(b) ? NULL : elements(b), want[512];
	for (int64_t r = 0; r < rows; r++)
		for (int64_t o = 0; o < out; o++) {
			double sum = eb != NULL ? eb[o] : 0;
			for (int64_t i = 0; i < in; i++)
				sum += ex[r * in + i] * ew[o * in + i];
			want[r * out + o] = sum;
		}
	mt_tensor *y = mt_linear(x, w, b);
	CHECK_CLOSE(y, want, rows * out, 4 * rtol_of(mt_tensor_dtype(x)), 3);
	MT_CHECK_INT(mt_tensor_rank(y), mt_tensor_rank(x));
	free(ex);
	free(ew);
	free(eb);
}

static void linear_on_device(void) {
	for (size_t i = 0; i < sizeof linears / sizeof *linears; i++)
		for (int l = 0; l < N_LAYOUTS; l++) {
			mt_scope *scope = mt_scope_begin();
			int64_t in = linears[i].x[linears[i].rank - 1], out = linears[i].out;
			row("linear %zu %s", i, layout_name(l));
			mt_tensor *x = random_in(l, linears[i].rank, linears[i].x, MT_F32, -1, 1, i);
			mt_tensor *w = random_in(l, MT_SHAPE(out, in), MT_F32, -1, 1, i + 7);
			check_linear(x, w, MT_NONE);
			check_linear(x, w, random_in(l, MT_SHAPE(out), MT_F32, -1, 1, i + 9));
			mt_scope_end(scope);
		}
}

static void linear(void) {
	each_backend(linear_on_device);
}

/* ---- errors ------------------------------------------------------------------------------------------------------- */

static void errors(void) {
	mt_tensor *a = mt_zeros(MT_SHAPE(2, 3), MT_F32), *b = mt_zeros(MT_SHAPE(4, 5), MT_F32);
	MT_CHECK(mt_matmul(a, b) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "matmul: a is f32[2, 3], b is f32[4, 5]: 3 columns meet 4 rows");
	MT_CHECK(mt_matmul(a, mt_zeros(MT_SHAPE0, MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "0-d");
	MT_CHECK(mt_matmul(mt_zeros(MT_SHAPE(2, 2, 3), MT_F32), mt_zeros(MT_SHAPE(3, 3, 1), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "do not broadcast");
	MT_CHECK(mt_matmul(a, NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "matmul");
	MT_CHECK(mt_linear(a, b, MT_NONE) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "linear: x is f32[2, 3], w is f32[4, 5]");
	MT_CHECK(mt_linear(a, mt_zeros(MT_SHAPE(4, 3), MT_F32), mt_zeros(MT_SHAPE(3), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "linear: w is f32[4, 3], b is f32[3]");
	MT_CHECK(mt_linear(a, mt_zeros(MT_SHAPE(4, 3), MT_F32), NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "linear");
}

static void two_devices(void) {
	mt_device *first = mt_device_open("naive"), *second = mt_device_open("omp");
	if (first == NULL || second == NULL) {
		mt_test_note("%s", mt_error_take(NULL));
		return;
	}
	mt_device_use(second);
	mt_tensor *there = mt_zeros(MT_SHAPE(3, 3), MT_F32), *bias = mt_zeros(MT_SHAPE(3), MT_F32);
	mt_device_use(first);
	mt_tensor *here = mt_zeros(MT_SHAPE(3, 3), MT_F32);
	MT_CHECK(mt_matmul(here, there) == NULL);
	CHECK_ERROR(MT_E_DEVICE, "matmul: tensors of two devices: naive and omp");
	MT_CHECK(mt_linear(here, there, MT_NONE) == NULL);
	CHECK_ERROR(MT_E_DEVICE, "linear: tensors of two devices");
	MT_CHECK(mt_linear(here, here, bias) == NULL);
	CHECK_ERROR(MT_E_DEVICE, "linear: tensors of two devices");
}

static const mt_test_case cases[] = {
	{"matmul", matmul}, {"dtypes", dtypes}, {"linear", linear}, {"errors", errors}, {"two_devices", two_devices}, {0},
};
static const mt_test_suite suites[] = {{"matmul", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
