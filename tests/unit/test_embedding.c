/* embedding and its gradient: against plain loops, native against composed, padding, special cases, errors. */
#include <math.h>
#include <stdlib.h>

#include "autograd/node.h"
#include "ops/ops.h"
#include "oracle.h"

enum { ROWS = 7, WIDTH = 5, PLACES = 24 };

static const int64_t index_shape[] = {2, 3, 4};

/* Repeats, and rows that are not read. */
static mt_tensor *index_in(enum layout layout, mt_dtype dtype) {
	mt_tensor *t = random_in(layout, 3, index_shape, MT_F64, 0, 5.99, 3);
	return mt_cast(t, dtype);
}

static void values_on_device(void) {
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16, MT_BF16, MT_I64, MT_I32, MT_U8, MT_BOOL};
	static const mt_dtype index_dtypes[] = {MT_I64, MT_I32, MT_U8};
	for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++)
		for (int l = 0; l < N_LAYOUTS; l++) {
			mt_scope *scope = mt_scope_begin();
			mt_dtype index_dtype = index_dtypes[(d + (size_t)l) % 3];
			row("%s %s index %s", mt_dtype_name(dtypes[d]), layout_name(l), mt_dtype_name(index_dtype));
			mt_tensor *table = random_in(l, MT_SHAPE(ROWS, WIDTH), dtypes[d], 0, 9, 1);
			mt_tensor *index = lay_out(mt_cast(random_like(MT_SHAPE(4, 3, 2), MT_F64, 0, 6.99, 2), index_dtype),
			                           TRANSPOSED, 3, index_shape);
			double *ts = elements(table), *is = elements(index), want[PLACES * WIDTH];
			for (int i = 0; i < PLACES * WIDTH; i++)
				want[i] = ts[(int)is[i / WIDTH] * WIDTH + i % WIDTH];
			mt_tensor *y = mt_embedding(table, index, -1);
			CHECK_SHAPE(y, 2, 3, 4, WIDTH);
			MT_CHECK(mt_tensor_dtype(y) == dtypes[d]);
			check_values(y, want, PLACES * WIDTH, 0, __FILE__, __LINE__, "y");
			check_values(mt_embedding(table, index, 2), want, PLACES * WIDTH, 0, __FILE__, __LINE__, "y with padding");
			check_values(mt__embedding_composed(table, mt_cast(index, MT_I64)), want, PLACES * WIDTH, 0, __FILE__,
			             __LINE__, "composed");
			free(ts);
			free(is);
			mt_scope_end(scope);
		}
}

static void values(void) {
	each_backend(values_on_device);
}

/* Sums of small integers are exact in every dtype. */
static void gradients_on_device(void) {
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16, MT_BF16};
	for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++)
		for (int l = 0; l < N_LAYOUTS; l++)
			for (int64_t padding = -1; padding < 4; padding += 2) {
				mt_scope *scope = mt_scope_begin();
				row("%s %s padding %d", mt_dtype_name(dtypes[d]), layout_name(l), (int)padding);
				mt_tensor *table = mt_requires_grad_(mt_zeros(MT_SHAPE(ROWS, WIDTH), dtypes[d]), 1);
				mt_tensor *index = index_in(l, MT_I64);
				mt_tensor *g = mt_cast(mt_round(random_in(l, MT_SHAPE(2, 3, 4, WIDTH), MT_F64, -9, 9, 5)), dtypes[d]);
				double *gs = elements(g), *is = elements(index), want[ROWS * WIDTH] = {0};
				for (int i = 0; i < PLACES * WIDTH; i++)
					if ((int64_t)is[i / WIDTH] != padding)
						want[(int)is[i / WIDTH] * WIDTH + i % WIDTH] += gs[i];
				mt_tensor *y = mt_embedding(table, index, padding);
				MT_CHECK_INT(mt_backward_from(y, g, 0), MT_OK);
				check_values(mt_grad(table), want, ROWS * WIDTH, 0, __FILE__, __LINE__, "gradient");
				check_values(mt__embedding_grad_composed(g, index, ROWS, padding), want, ROWS * WIDTH, 0, __FILE__,
				             __LINE__, "composed");
				free(gs);
				free(is);
				mt_scope_end(scope);
			}
}

static void gradients(void) {
	each_backend(gradients_on_device);
}

/* The gradient is an op: linear in g, and its own gradient takes rows again, but for the padding. */
static void second_on_device(void) {
	row("second");
	mt_tensor *table = mt_requires_grad_(mt_zeros(MT_SHAPE(4, 2), MT_F64), 1);
	mt_tensor *index = mt_from_data(MT_SHAPE(3), MT_I64, (const int64_t[]){2, 1, 2}), *gx[1] = {NULL};
	mt_tensor *y = mt_embedding(table, index, 1);
	mt_tensor *g = mt_requires_grad_(random_like(MT_SHAPE(3, 2), MT_F64, -1, 1, 1), 1);
	MT_REQUIRE(y != NULL && mt__rule(y->node)->backward(y->node, g, gx) == MT_OK);
	mt_tensor *u = mt_from_data(MT_SHAPE(4, 2), MT_F64, (const double[]){1, 2, 3, 4, 5, 6, 7, 8});
	MT_CHECK_INT(mt_backward_from(gx[0], u, 0), MT_OK);
	CHECK_VALUES(mt_grad(g), 5, 6, 0, 0, 5, 6);
}

static void second(void) {
	each_backend(second_on_device);
}

static void specials_on_device(void) {
	row("shapes");
	mt_tensor *table = counting(MT_SHAPE(3, 2), MT_F32);
	CHECK_VALUES(mt_embedding(table, mt_scalar_tensor(mt_i(2), MT_I64), -1), 4, 5);
	CHECK_SHAPE(mt_embedding(table, mt_zeros(MT_SHAPE(0), MT_I64), -1), 0, 2);
	CHECK_SHAPE(mt_embedding(mt_zeros(MT_SHAPE(3, 0), MT_F32), mt_zeros(MT_SHAPE(4), MT_I64), -1), 4, 0);
	CHECK_SHAPE(mt_embedding(mt_zeros(MT_SHAPE(0, 2), MT_F32), mt_zeros(MT_SHAPE(0, 5), MT_I64), -1), 0, 5, 2);
	row("nothing read, no gradient");
	mt_requires_grad_(table, 1);
	mt_tensor *y = mt_embedding(table, mt_zeros(MT_SHAPE(0), MT_I64), -1);
	MT_CHECK_INT(mt_backward_from(y, mt_zeros_like(y), 0), MT_OK);
	CHECK_VALUES(mt_grad(table), 0, 0, 0, 0, 0, 0);
	row("NaN moves with its row alone");
	mt_tensor *odd = mt_from_data(MT_SHAPE(2, 1), MT_F32, (const float[]){NAN, 3});
	CHECK_VALUES(mt_embedding(odd, mt_from_data(MT_SHAPE(3), MT_I64, (const int64_t[]){1, 0, 1}), -1), 3, NAN, 3);
	row("large: many places, many rows");
	mt_tensor *big = random_like(MT_SHAPE(3000, 33), MT_F32, -1, 1, 1), *many = mt_randint(0, 3000, MT_SHAPE(70000));
	mt_tensor *out = mt_embedding(mt_requires_grad_(big, 1), many, -1);
	double same, sum, total;
	MT_CHECK_INT(
		mt_item(mt_all(mt_eq(mt_detach(out), mt_index_select(mt_detach(big), 0, many)), MT_ALL_AXES, 0), &same), MT_OK);
	MT_CHECK(same == 1);
	mt_tensor *g = mt_round(random_like(MT_SHAPE(70000, 33), MT_F32, -9, 9, 2)); /* sums are exact */
	MT_CHECK_INT(mt_backward_from(out, g, 0), MT_OK);
	MT_CHECK_INT(mt_item(mt_sum(mt_cast(mt_grad(big), MT_F64), MT_ALL_AXES, 0), &sum), MT_OK);
	MT_CHECK_INT(mt_item(mt_sum(mt_cast(g, MT_F64), MT_ALL_AXES, 0), &total), MT_OK);
	MT_CHECK_NEAR(sum, total, 0);
	mt_tensor *again = mt__embedding_grad_composed(g, many, 3000, -1);
	MT_CHECK_INT(mt_item(mt_all(mt_eq(again, mt_grad(big)), MT_ALL_AXES, 0), &same), MT_OK);
	MT_CHECK(same == 1);
}

static void special_values(void) {
	each_backend(specials_on_device);
}

static void errors_on_device(void) {
	row("errors");
	mt_tensor *table = mt_zeros(MT_SHAPE(3, 2), MT_F32), *one = mt_zeros(MT_SHAPE(1), MT_I64);
	static const int64_t bad[] = {3, -1, INT64_MIN, INT64_MAX};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		mt_tensor *index = mt_full(MT_SHAPE(2), MT_I64, mt_i(bad[i]));
		CHECK_OUT_OF_RANGE(mt_embedding(table, index, -1), "embedding");
		CHECK_OUT_OF_RANGE(mt__embedding_composed(table, index), "gather");
	}
	CHECK_OUT_OF_RANGE(mt_embedding(mt_zeros(MT_SHAPE(0, 2), MT_F32), one, -1), "embedding");
	MT_CHECK(mt_embedding(NULL, one, -1) == NULL);
	CHECK_ERROR(MT_E_NULL, "embedding: table");
	MT_CHECK(mt_embedding(table, MT_NONE, -1) == NULL);
	CHECK_ERROR(MT_E_ARG, "embedding: index");
	MT_CHECK(mt_embedding(mt_zeros(MT_SHAPE(3), MT_F32), one, -1) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "table is f32[3], index is i64[1]");
	MT_CHECK(mt_embedding(table, mt_zeros(MT_SHAPE(1, 1, 1, 1, 1, 1, 1, 1), MT_I64), -1) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "rank 0 to 7");
	MT_CHECK(mt_embedding(table, mt_zeros(MT_SHAPE(1), MT_F32), -1) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "index is f32[1]");
	MT_CHECK(mt_embedding(table, one, 3) == NULL);
	CHECK_ERROR(MT_E_ARG, "padding_idx is 3");
	MT_CHECK(mt_embedding(table, one, -2) == NULL);
	CHECK_ERROR(MT_E_ARG, "padding_idx is -2");
}

static void errors(void) {
	each_backend(errors_on_device);
}

static const mt_test_case cases[] = {{"values", values}, {"gradients", gradients},
                                     {"second", second}, {"special_values", special_values},
                                     {"errors", errors}, {0}};
static const mt_test_suite suites[] = {{"embedding", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
