/* Joining and splitting: cat, stack, split. */
#include <stdint.h>
#include <stdlib.h>

#include "linear.h"

static void on_cat(void) {
	mt_tensor *a = counting(MT_SHAPE(2, 2), MT_F32), *b = mt_full(MT_SHAPE(2, 1), MT_F32, mt_i(9));
	mt_tensor *y = mt_cat((mt_tensor *[]){a, b, mt_flip(a, 1)}, 3, -1);
	CHECK_SHAPE(y, 2, 5);
	CHECK_VALUES(y, 0, 1, 9, 1, 0, 2, 3, 9, 3, 2);
	CHECK_VALUES(mt_cat((mt_tensor *[]){mt_transpose(a, 0, 1), mt_transpose(b, 0, 1)}, 2, 0), 0, 2, 1, 3, 9, 9);
	mt_tensor *one = mt_cat(&a, 1, 0);
	MT_CHECK(one != a && !mt_tensor_shares_storage(one, a));
	CHECK_VALUES(mt_cat((mt_tensor *[]){mt_zeros(MT_SHAPE(2, 0), MT_F32), b}, 2, 1), 9, 9);
	CHECK_SHAPE(mt_cat((mt_tensor *[]){mt_zeros(MT_SHAPE(0, 3), MT_F32), mt_zeros(MT_SHAPE(0, 3), MT_F32)}, 2, 0), 0,
	            3);
	y = mt_cat((mt_tensor *[]){mt_ones(MT_SHAPE(1), MT_BOOL), mt_full(MT_SHAPE(1), MT_U8, mt_i(200)),
	                           mt_full(MT_SHAPE(1), MT_F16, mt_f(0.5))},
	           3, 0);
	MT_CHECK_INT(mt_tensor_dtype(y), MT_F16);
	CHECK_VALUES(y, 1, 200, 0.5);

	MT_CHECK(mt_cat(NULL, 1, 0) == NULL);
	CHECK_ERROR(MT_E_NULL, "cat: xs");
	MT_CHECK(mt_cat(&a, 0, 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "cat: 0 tensors");
	MT_CHECK(mt_cat((mt_tensor *[]){a, NULL}, 2, 0) == NULL);
	CHECK_ERROR(MT_E_NULL, "cat: xs[1]");
	MT_CHECK(mt_cat((mt_tensor *[]){a, MT_NONE}, 2, 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "cat: xs[1] is MT_NONE");
	MT_CHECK(mt_cat((mt_tensor *[]){a, b}, 2, 0) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "cat: shapes [2, 2] (xs[0]) and [2, 1] (xs[1]) differ outside dim 0");
	MT_CHECK(mt_cat((mt_tensor *[]){a, mt_zeros(MT_SHAPE(2), MT_F32)}, 2, 0) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "cat: shapes");
	MT_CHECK(mt_cat((mt_tensor *[]){a, b}, 2, 2) == NULL);
	CHECK_ERROR(MT_E_ARG, "cat: dim 2");
	mt_tensor *s = mt_zeros(MT_SHAPE0, MT_F32);
	MT_CHECK(mt_cat(&s, 1, 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "cat: dim 0 is out of range for shape []");
	mt_tensor *huge = mt_expand(mt_zeros(MT_SHAPE(1), MT_U8), MT_SHAPE(INT64_C(1) << 62));
	MT_CHECK(mt_cat((mt_tensor *[]){huge, huge}, 2, 0) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "cat: dim 0 gets 2^63 indices or more");
}

static void test_cat(void) {
	each_backend(on_cat);
}

static void on_stack(void) {
	mt_tensor *a = counting(MT_SHAPE(2), MT_F32), *b = mt_full(MT_SHAPE(2), MT_F32, mt_i(7));
	CHECK_VALUES(mt_stack((mt_tensor *[]){a, b}, 2, 0), 0, 1, 7, 7);
	mt_tensor *y = mt_stack((mt_tensor *[]){a, b, a}, 3, -1);
	CHECK_SHAPE(y, 2, 3);
	CHECK_VALUES(y, 0, 7, 0, 1, 7, 1);
	mt_tensor *s = mt_scalar_tensor(mt_i(3), MT_I64);
	CHECK_VALUES(mt_stack((mt_tensor *[]){s, s}, 2, 0), 3, 3);
	MT_CHECK(mt_stack((mt_tensor *[]){a, s}, 2, 0) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "stack: shapes [2] (xs[0]) and [] (xs[1]) differ");
	MT_CHECK(mt_stack((mt_tensor *[]){a, b}, 2, 2) == NULL);
	CHECK_ERROR(MT_E_ARG, "stack: dim 2 is out of range for tensors of shape [2]");
	MT_CHECK(mt_stack((mt_tensor *[]){NULL}, 1, 0) == NULL);
	CHECK_ERROR(MT_E_NULL, "stack: xs[0]");
}

static void test_stack(void) {
	each_backend(on_stack);
}

static void on_split(void) {
	mt_tensor *t = counting(MT_SHAPE(2, 5), MT_F32), *parts[4] = {NULL};
	int n = 4;
	MT_CHECK_INT(mt_split(t, 2, 1, parts, &n), MT_OK);
	MT_CHECK_INT(n, 3);
	CHECK_VALUES(parts[0], 0, 1, 5, 6);
	CHECK_VALUES(parts[2], 4, 9);
	MT_CHECK(mt_tensor_shares_storage(parts[1], t));
	n = 1;
	MT_CHECK_INT(mt_split(t, INT64_MAX, -2, parts, &n), MT_OK);
	CHECK_SHAPE(parts[0], 2, 5);
	MT_CHECK_INT(mt_split(mt_zeros(MT_SHAPE(0, 2), MT_F32), 3, 0, parts, &n), MT_OK);
	MT_CHECK_INT(n, 1);
	CHECK_SHAPE(parts[0], 0, 2);
	n = 2;
	MT_CHECK_INT(mt_split(t, 2, 1, parts, &n), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "split: dim 1 of extent 5 gives 3 parts, out has room for 2");
	MT_CHECK_INT(n, 2);
	MT_CHECK_INT(mt_split(t, 0, 1, parts, &n), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "split: size is 0");
	MT_CHECK_INT(mt_split(t, 1, 2, parts, &n), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "split: dim 2");
	MT_CHECK_INT(mt_split(t, 1, 0, NULL, &n), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "split: out");
	MT_CHECK_INT(mt_split(t, 1, 0, parts, NULL), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "split: n");
	MT_CHECK_INT(mt_split(NULL, 1, 0, parts, &n), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "split: x");
}

static void test_split(void) {
	each_backend(on_split);
}

/* ---- gradients ---------------------------------------------------------------------------------------------------- */

/* x's columns joined again, in another order and one of them twice; n of them, so that trees of nodes are made too. */
static mt_tensor *f_cat(mt_tensor *x, const void *context) {
	int n = *(const int *)context;
	mt_tensor **xs = malloc((size_t)n * sizeof *xs);
	for (int i = 0; i < n; i++)
		xs[i] = mt_narrow(x, 1, (i * 7 + 1) % 5, 1 + (i % 5 == 2 && (i * 7 + 1) % 5 < 4));
	mt_tensor *y = mt_cat(xs, n, 1);
	free(xs);
	return y;
}

static mt_tensor *f_stack(mt_tensor *x, const void *context) {
	(void)context;
	return mt_stack((mt_tensor *[]){mt_index(x, 0, 1), mt_flip(mt_index(x, 0, 0), 0), mt_index(x, 0, 1)}, 3, 1);
}

static mt_tensor *f_split(mt_tensor *x, const void *context) {
	(void)context;
	mt_tensor *parts[3];
	int n = 3;
	if (mt_split(x, 2, 1, parts, &n) != MT_OK)
		return NULL;
	return mt_cat((mt_tensor *[]){parts[2], parts[0]}, 2, 1);
}

/* Constants in between get no gradient. */
static mt_tensor *f_mixed(mt_tensor *x, const void *context) {
	(void)context;
	mt_tensor *zeros = mt_zeros(MT_SHAPE(2, 3), MT_I32);
	return mt_cat((mt_tensor *[]){zeros, mt_cast(x, MT_F32), zeros, x}, 4, 1);
}

static void on_gradients(void) {
	static const int counts[] = {1, 4, 20, 21, 41, 400, 401, 803};
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		row("cat of %d", counts[i]);
		check_linear(f_cat, &counts[i], MT_SHAPE(2, 5), 0);
	}
	row("stack");
	check_linear(f_stack, NULL, MT_SHAPE(2, 5), 0);
	row("split");
	check_linear(f_split, NULL, MT_SHAPE(2, 5), 0);
	row("mixed");
	check_linear(f_mixed, NULL, MT_SHAPE(2, 5), 0);
	mt_tensor *narrow = mt_requires_grad_(counting(MT_SHAPE(2), MT_BF16), 1);
	mt_tensor *wide = mt_requires_grad_(counting(MT_SHAPE(1), MT_F64), 1);
	mt_tensor *y = mt_cat((mt_tensor *[]){wide, narrow}, 2, 0);
	MT_CHECK_INT(mt_backward_from(y, mt_from_data(MT_SHAPE(3), MT_F64, (double[]){0.1, 257, -3}), 0), MT_OK);
	MT_CHECK_INT(mt_tensor_dtype(mt_grad(narrow)), MT_BF16);
	CHECK_VALUES(mt_grad(narrow), 256, -3);
	CHECK_VALUES(mt_grad(wide), 0.1);
}

static void test_gradients(void) {
	each_backend(on_gradients);
}

static const mt_test_case cases[] = {
	{"cat", test_cat}, {"stack", test_stack}, {"split", test_split}, {"gradients", test_gradients}, {NULL, NULL},
};
static const mt_test_suite suites[] = {{"join", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
