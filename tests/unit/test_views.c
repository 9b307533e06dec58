/* Views: what they show, what they share, what they refuse, their gradients. */
#include <stdint.h>

#include "linear.h"

#define E MT_END

/* ---- permute, transpose, expand ----------------------------------------------------------------------------------- */

static void on_permute(void) {
	mt_tensor *t = counting(MT_SHAPE(2, 3, 2), MT_I32);
	mt_tensor *p = mt_permute(t, MT_SHAPE(2, 0, -2));
	CHECK_SHAPE(p, 2, 2, 3);
	CHECK_VALUES(p, 0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11);
	MT_CHECK(mt_tensor_shares_storage(p, t));
	CHECK_VALUES(mt_transpose(mt_index(t, 0, 1), -1, 0), 6, 8, 10, 7, 9, 11);
	CHECK_SHAPE0(mt_permute(mt_zeros(MT_SHAPE0, MT_F32), MT_SHAPE0));
	MT_CHECK(mt_permute(t, MT_SHAPE(0, 1)) == NULL);
	CHECK_ERROR(MT_E_ARG, "permute: 2 dims for i32[2, 3, 2]");
	MT_CHECK(mt_permute(t, MT_SHAPE(0, 1, 1)) == NULL);
	CHECK_ERROR(MT_E_ARG, "permute: dims [0, 1, 1] are no permutation of the dims of i32[2, 3, 2]");
	MT_CHECK(mt_permute(t, MT_SHAPE(0, 1, 3)) == NULL);
	CHECK_ERROR(MT_E_ARG, "no permutation");
	MT_CHECK(mt_permute(t, MT_SHAPE(0, 1, INT64_MIN)) == NULL);
	CHECK_ERROR(MT_E_ARG, "no permutation");
	MT_CHECK(mt_permute(t, 3, NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "permute: dims");
	MT_CHECK(mt_transpose(t, 0, 3) == NULL);
	CHECK_ERROR(MT_E_ARG, "transpose: dim 3 is out of range for shape [2, 3, 2]");
}

static void on_expand(void) {
	mt_tensor *t = counting(MT_SHAPE(2, 1), MT_F32);
	CHECK_VALUES(mt_expand(t, MT_SHAPE(2, 3)), 0, 0, 0, 1, 1, 1);
	CHECK_VALUES(mt_expand(t, MT_SHAPE(2, -1, 2)), 0, 0, 1, 1, 0, 0, 1, 1);
	CHECK_SHAPE(mt_expand(t, MT_SHAPE(0, 2, 1)), 0, 2, 1);
	CHECK_SHAPE(mt_expand(t, MT_SHAPE(2, 0)), 2, 0);
	CHECK_SHAPE(mt_expand(mt_zeros(MT_SHAPE0, MT_F32), MT_SHAPE(4)), 4);
	mt_tensor *e = mt_expand(t, MT_SHAPE(INT64_C(1) << 60, 2, 1));
	CHECK_SHAPE(e, INT64_C(1) << 60, 2, 1);
	static const int64_t bad[][3] = {{1, 3, 1}, {1, 2, -2}, {-1, 2, 1}, {INT64_C(1) << 62, 2, 2}, {2, 1, 1}};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		row("bad %zu", i);
		MT_CHECK(mt_expand(t, 3, bad[i]) == NULL);
		CHECK_ERROR(MT_E_SHAPE, "expand: f32[2, 1] does not expand to shape [");
	}
	MT_CHECK(mt_expand(t, MT_SHAPE(2)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "expand: f32[2, 1] does not expand to shape [2]");
	MT_CHECK(mt_expand(t, 9, (int64_t[9]){0}) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "expand: rank 9");
}

/* ---- reshape and the like ----------------------------------------------------------------------------------------- */

static void on_reshape(void) {
	mt_tensor *t = counting(MT_SHAPE(2, 6), MT_F32), *turned = mt_transpose(t, 0, 1);
	mt_tensor *v = mt_reshape(t, MT_SHAPE(3, -1));
	CHECK_SHAPE(v, 3, 4);
	MT_CHECK(mt_tensor_shares_storage(v, t));
	mt_tensor *c = mt_reshape(turned, MT_SHAPE(-1));
	MT_CHECK(!mt_tensor_shares_storage(c, t));
	CHECK_VALUES(c, 0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11);
	MT_CHECK(mt_tensor_shares_storage(mt_view(turned, MT_SHAPE(2, 3, 2)), t));
	CHECK_VALUES(mt_view(mt_flip(t, 1), MT_SHAPE(2, 3, 2)), 5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7, 6);
	CHECK_SHAPE(mt_reshape(mt_zeros(MT_SHAPE(0, 4), MT_F32), MT_SHAPE(2, 0, 5)), 2, 0, 5);
	CHECK_SHAPE(mt_reshape(mt_zeros(MT_SHAPE(0, 4), MT_F32), MT_SHAPE(4, -1)), 4, 0);
	CHECK_SHAPE0(mt_reshape(mt_zeros(MT_SHAPE(1, 1), MT_F32), MT_SHAPE0));
	CHECK_SHAPE(mt_reshape(mt_zeros(MT_SHAPE0, MT_F32), MT_SHAPE(-1)), 1);

	static const struct {
		int rank;
		int64_t shape[9];
		const char *message;
	} bad[] = {
		{2, {5, 2}, "reshape: f32[2, 6] does not fit into shape [5, 2]"},
		{2, {5, -1}, "does not fit into shape [5, -1]"},
		{2, {-1, -1}, "only one extent may be -1"},
		{2, {-2, -6}, "does not fit into shape [-2, -6]"},
		{2, {0, -1}, "does not fit"},
		{3, {INT64_C(1) << 40, INT64_C(1) << 40, -1}, "does not fit"},
		{9, {2, 6, 1, 1, 1, 1, 1, 1, 1}, "reshape: rank 9"},
		{-1, {0}, "reshape: rank -1"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		row("bad %zu", i);
		MT_CHECK(mt_reshape(t, bad[i].rank, bad[i].shape) == NULL);
		CHECK_ERROR(MT_E_SHAPE, bad[i].message);
	}
	MT_CHECK(mt_reshape(mt_zeros(MT_SHAPE(0, 2), MT_F32), MT_SHAPE(0, -1)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "any extent would do for -1");
	MT_CHECK(mt_view(turned, MT_SHAPE(12)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "view: f32[6, 2] does not fit into shape [12] with its strides [1, 6]");
	MT_CHECK(mt_reshape(t, 2, NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "reshape: shape");
}

static void on_squeeze(void) {
	mt_tensor *t = counting(MT_SHAPE(1, 3, 1, 2), MT_F32);
	CHECK_SHAPE(mt_squeeze(t, -2), 1, 3, 2);
	CHECK_SHAPE(mt_squeeze_all(t), 3, 2);
	CHECK_SHAPE0(mt_squeeze_all(mt_zeros(MT_SHAPE(1, 1), MT_F32)));
	CHECK_SHAPE(mt_unsqueeze(t, 0), 1, 1, 3, 1, 2);
	CHECK_SHAPE(mt_unsqueeze(t, -1), 1, 3, 1, 2, 1);
	CHECK_SHAPE(mt_unsqueeze(t, -5), 1, 1, 3, 1, 2);
	CHECK_SHAPE(mt_unsqueeze(mt_zeros(MT_SHAPE0, MT_F32), 0), 1);
	CHECK_VALUES(mt_unsqueeze(mt_transpose(mt_squeeze_all(t), 0, 1), 1), 0, 2, 4, 1, 3, 5);
	MT_CHECK(mt_squeeze(t, 1) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "squeeze: dim 1 of f32[1, 3, 1, 2] is not of extent 1");
	MT_CHECK(mt_squeeze(t, 4) == NULL);
	CHECK_ERROR(MT_E_ARG, "squeeze: dim 4");
	MT_CHECK(mt_unsqueeze(t, 5) == NULL);
	CHECK_ERROR(MT_E_ARG, "unsqueeze: dim 5 is out of range");
	MT_CHECK(mt_unsqueeze(mt_zeros(MT_SHAPE(1, 1, 1, 1, 1, 1, 1, 1), MT_F32), 0) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "unsqueeze: f32[1, 1, 1, 1, 1, 1, 1, 1] has the largest rank");

	mt_tensor *f = counting(MT_SHAPE(2, 3, 4), MT_F32);
	CHECK_SHAPE(mt_flatten(f, 0, -1), 24);
	CHECK_SHAPE(mt_flatten(f, 1, 2), 2, 12);
	CHECK_SHAPE(mt_flatten(f, 1, 1), 2, 3, 4);
	CHECK_SHAPE(mt_flatten(mt_zeros(MT_SHAPE0, MT_F32), 0, -1), 1);
	MT_CHECK(mt_flatten(f, 2, 1) == NULL);
	CHECK_ERROR(MT_E_ARG, "flatten: dim 2 comes after dim 1");
	MT_CHECK(mt_flatten(f, 0, 3) == NULL);
	CHECK_ERROR(MT_E_ARG, "flatten: dim 3");
}

/* ---- slice, narrow, index, flip ----------------------------------------------------------------------------------- */

/* range(10)[start:stop:step] as Python has it: the first element, the last, and how many. */
static void on_slice(void) {
	static const struct {
		int64_t start, stop, step, n, first, last;
	} rows[] = {
		{E, E, 1, 10, 0, 9},
		{2, 5, 1, 3, 2, 4},
		{-3, E, 1, 3, 7, 9},
		{E, -8, 1, 2, 0, 1},
		{0, 10, 3, 4, 0, 9},
		{0, 9, 3, 3, 0, 6},
		{5, 2, 1, 0, 0, 0},
		{20, 30, 1, 0, 0, 0},
		{-99, 99, 1, 10, 0, 9},
		{E, E, -1, 10, 9, 0},
		{E, E, -4, 3, 9, 1},
		{7, 2, -2, 3, 7, 3},
		{2, 7, -1, 0, 0, 0},
		{99, E, -5, 2, 9, 4},
		{E, -99, -1, 10, 9, 0},
		{-99, E, -1, 0, 0, 0},
		{3, 4, INT64_MAX, 1, 3, 3},
		{E, E, INT64_MIN, 1, 9, 9},
		{INT64_MIN, INT64_MAX - 1, 1, 10, 0, 9},
		{-1, INT64_MIN, -1, 10, 9, 0},
		{0, E, INT64_MAX, 1, 0, 0},
	};
	mt_tensor *t = counting(MT_SHAPE(2, 10), MT_F32);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		row("%zu", i);
		mt_tensor *s = mt_slice(t, -1, rows[i].start, rows[i].stop, rows[i].step);
		CHECK_SHAPE(s, 2, rows[i].n);
		MT_CHECK(mt_tensor_shares_storage(s, t));
		double first = 0, last = 0;
		if (rows[i].n > 0) {
			MT_CHECK_INT(mt_get(s, (int64_t[]){0, 0}, &first), MT_OK);
			MT_CHECK_INT(mt_get(s, (int64_t[]){1, -1}, &last), MT_OK);
			last -= 10;
		}
		MT_CHECK_NEAR(first, (double)rows[i].first, 0);
		MT_CHECK_NEAR(last, (double)rows[i].last, 0);
	}
	CHECK_VALUES(mt_slice(mt_slice(mt_index(t, 0, 0), 0, E, E, -2), 0, 1, E, 2), 7, 3);
	MT_CHECK(mt_slice(t, 0, 0, 1, 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "slice: step is 0");
	CHECK_SHAPE(mt_slice(mt_zeros(MT_SHAPE(0, 3), MT_F32), 0, E, E, -1), 0, 3);
	CHECK_SHAPE(mt_slice(mt_zeros(MT_SHAPE(0, 3), MT_F32), 1, 1, E, 1), 0, 2);
}

static void on_parts(void) {
	mt_tensor *t = counting(MT_SHAPE(3, 4), MT_I64);
	CHECK_VALUES(mt_narrow(t, 1, 1, 2), 1, 2, 5, 6, 9, 10);
	CHECK_SHAPE(mt_narrow(t, 0, 3, 0), 0, 4);
	CHECK_VALUES(mt_index(t, 1, -1), 3, 7, 11);
	CHECK_SHAPE0(mt_index(mt_index(t, 0, 2), 0, 1));
	CHECK_VALUES(mt_flip(mt_flip(t, 0), 1), 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
	CHECK_SHAPE(mt_flip(mt_zeros(MT_SHAPE(0), MT_F32), 0), 0);
	static const struct {
		int64_t start, length;
	} bad[] = {{0, 5}, {-1, 2}, {4, 1}, {1, -1}, {5, 0}, {1, INT64_MAX}, {INT64_MIN, 1}};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		row("bad %zu", i);
		MT_CHECK(mt_narrow(t, 1, bad[i].start, bad[i].length) == NULL);
		CHECK_ERROR(MT_E_SHAPE, "is not inside dim 1 of shape [3, 4]");
	}
	MT_CHECK(mt_index(t, 0, 3) == NULL);
	CHECK_ERROR(MT_E_ARG, "index: index 3 is out of range for dim 0 of shape [3, 4]");
	MT_CHECK(mt_index(t, 0, INT64_MIN) == NULL);
	CHECK_ERROR(MT_E_ARG, "index: index -9223372036854775808");
	MT_CHECK(mt_flip(mt_zeros(MT_SHAPE0, MT_F32), 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "flip: dim 0 is out of range for shape []");
}

/* ---- as_strided --------------------------------------------------------------------------------------------------- */

static void on_as_strided(void) {
	mt_tensor *t = counting(MT_SHAPE(2, 3), MT_F32);
	CHECK_VALUES(mt_as_strided(t, 2, (int64_t[]){4, 3}, (int64_t[]){1, 1}, 0), 0, 1, 2, 1, 2, 3, 2, 3, 4, 3, 4, 5);
	CHECK_VALUES(mt_as_strided(t, 1, (int64_t[]){3}, (int64_t[]){-2}, 5), 5, 3, 1);
	CHECK_VALUES(mt_as_strided(t, 2, (int64_t[]){2, 2}, (int64_t[]){0, 0}, 4), 4, 4, 4, 4);
	CHECK_VALUES(mt_as_strided(t, 0, NULL, NULL, 5), 5);
	CHECK_VALUES(mt_as_strided(mt_index(t, 0, 1), 1, (int64_t[]){2}, (int64_t[]){1}, 0), 0, 1); /* of the storage */
	CHECK_SHAPE(mt_as_strided(t, 2, (int64_t[]){0, 9}, (int64_t[]){99, INT64_MAX}, 77), 0, 9);
	static const struct {
		int64_t shape[2], stride[2], offset;
	} bad[] = {
		{{2, 3}, {3, 1}, 1},         {{2, 3}, {3, 1}, -1},        {{2, 1}, {-1, 1}, 0},
		{{7, 1}, {1, 1}, 0},         {{1, 1}, {1, 1}, 6},         {{2, 2}, {INT64_MAX, INT64_MAX}, 0},
		{{2, 1}, {INT64_MIN, 1}, 0}, {{1, 1}, {1, 1}, INT64_MAX},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		row("bad %zu", i);
		MT_CHECK(mt_as_strided(t, 2, bad[i].shape, bad[i].stride, bad[i].offset) == NULL);
		CHECK_ERROR(MT_E_SHAPE, "leave the storage of 6 elements");
	}
	MT_CHECK(mt_as_strided(t, 1, (int64_t[]){-1}, (int64_t[]){1}, 0) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "as_strided: shape [-1] has a negative extent");
	MT_CHECK(mt_as_strided(t, 9, NULL, NULL, 0) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "as_strided: rank 9");
	MT_CHECK(mt_as_strided(t, 1, (int64_t[]){1}, NULL, 0) == NULL);
	CHECK_ERROR(MT_E_NULL, "as_strided: strides");
}

/* ---- gradients ---------------------------------------------------------------------------------------------------- */

static mt_tensor *f_permute(mt_tensor *x, const void *c) {
	(void)c;
	return mt_permute(x, MT_SHAPE(2, 0, 1));
}

static mt_tensor *f_transpose(mt_tensor *x, const void *c) {
	(void)c;
	return mt_transpose(x, 0, -1);
}

static mt_tensor *f_expand(mt_tensor *x, const void *c) {
	(void)c;
	return mt_expand(mt_narrow(x, 1, 1, 1), MT_SHAPE(2, 2, 3, 4));
}

static mt_tensor *f_reshape(mt_tensor *x, const void *c) {
	(void)c;
	return mt_reshape(x, MT_SHAPE(4, 6));
}

static mt_tensor *f_reshape_copy(mt_tensor *x, const void *c) {
	(void)c;
	return mt_reshape(mt_transpose(x, 0, 2), MT_SHAPE(6, 4));
}

static mt_tensor *f_unsqueeze(mt_tensor *x, const void *c) {
	(void)c;
	return mt_squeeze(mt_unsqueeze(mt_unsqueeze(x, 1), -1), 1);
}

static mt_tensor *f_slice(mt_tensor *x, const void *c) {
	(void)c;
	return mt_slice(x, 2, E, E, -2);
}

static mt_tensor *f_slice_turned(mt_tensor *x, const void *c) {
	(void)c;
	return mt_slice(mt_transpose(x, 0, 2), 0, 1, E, 2);
}

static mt_tensor *f_empty(mt_tensor *x, const void *c) {
	(void)c;
	return mt_slice(x, 1, 2, 1, 1);
}

static mt_tensor *f_index(mt_tensor *x, const void *c) {
	(void)c;
	return mt_index(x, 1, -1);
}

static mt_tensor *f_flip(mt_tensor *x, const void *c) {
	(void)c;
	return mt_flip(mt_flip(x, 0), 2);
}

static mt_tensor *f_window(mt_tensor *x, const void *c) {
	(void)c;
	return mt_as_strided(x, 2, (int64_t[]){3, 4}, (int64_t[]){-5, 2}, 13);
}

static mt_tensor *f_overlapping(mt_tensor *x, const void *c) {
	(void)c;
	return mt_as_strided(x, 3, (int64_t[]){5, 4, 2}, (int64_t[]){2, 1, 0}, 3);
}

static mt_tensor *f_of_part(mt_tensor *x, const void *c) {
	(void)c;
	mt_tensor *y = mt_mul_scalar(x, mt_i(1)); /* a storage of its own, laid out as x's */
	return mt_as_strided(mt_transpose(y, 0, 1), 1, (int64_t[]){11}, (int64_t[]){2}, 1);
}

static mt_tensor *f_contiguous(mt_tensor *x, const void *c) {
	(void)c;
	return mt_contiguous(mt_transpose(x, 0, 1));
}

static mt_tensor *f_of_expanded(mt_tensor *x, const void *c) {
	(void)c;
	mt_tensor *y = mt_expand(mt_mul_scalar(mt_index(mt_index(x, 0, 1), 0, 1), mt_i(1)), MT_SHAPE(3, 4));
	return mt_as_strided(y, 2, (int64_t[]){2, 3}, (int64_t[]){1, 1}, 0);
}

static void on_gradients(void) {
	static const struct {
		const char *name;
		linear_fn f;
		int again;
	} rows[] = {
		{"permute", f_permute, 1},
		{"transpose", f_transpose, 1},
		{"expand", f_expand, 0},
		{"reshape", f_reshape, 1},
		{"reshape_copy", f_reshape_copy, 0},
		{"unsqueeze", f_unsqueeze, 0},
		{"slice", f_slice, 1},
		{"slice_turned", f_slice_turned, 0},
		{"empty", f_empty, 1},
		{"index", f_index, 1},
		{"flip", f_flip, 0},
		{"window", f_window, 0},
		{"overlapping", f_overlapping, 0},
		{"of_part", f_of_part, 0},
		{"of_expanded", f_of_expanded, 0},
		{"contiguous", f_contiguous, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		row("%s", rows[i].name);
		check_linear(rows[i].f, NULL, MT_SHAPE(2, 3, 4), rows[i].again);
	}
}

static void on_detach(void) {
	mt_tensor *x = mt_requires_grad_(counting(MT_SHAPE(2), MT_F32), 1), *y = mt_exp(x), *d = mt_detach(y);
	MT_CHECK(mt_tensor_shares_storage(d, y));
	MT_CHECK(!mt_tensor_requires_grad(d) && mt_tensor_is_leaf(d));
	int was = mt_grad_enable(0);
	MT_CHECK(!mt_tensor_requires_grad(mt_transpose(mt_unsqueeze(x, 0), 0, 1)));
	mt_grad_enable(was);
	MT_CHECK(mt_tensor_requires_grad(mt_unsqueeze(x, 0)));
}

static void on_null(void) {
	mt_tensor *absent[] = {NULL, MT_NONE};
	for (int i = 0; i < 2; i++) {
		mt_tensor *t = absent[i];
		mt_status status = i == 0 ? MT_E_NULL : MT_E_ARG;
		row("%s", i == 0 ? "NULL" : "MT_NONE");
		MT_CHECK(mt_permute(t, MT_SHAPE(0)) == NULL);
		CHECK_ERROR(status, "permute: x");
		MT_CHECK(mt_transpose(t, 0, 0) == NULL);
		CHECK_ERROR(status, "transpose: x");
		MT_CHECK(mt_reshape(t, MT_SHAPE(1)) == NULL);
		CHECK_ERROR(status, "reshape: x");
		MT_CHECK(mt_view(t, MT_SHAPE(1)) == NULL);
		CHECK_ERROR(status, "view: x");
		MT_CHECK(mt_flatten(t, 0, -1) == NULL);
		CHECK_ERROR(status, "flatten: x");
		MT_CHECK(mt_squeeze(t, 0) == NULL);
		CHECK_ERROR(status, "squeeze: x");
		MT_CHECK(mt_squeeze_all(t) == NULL);
		CHECK_ERROR(status, "squeeze_all: x");
		MT_CHECK(mt_unsqueeze(t, 0) == NULL);
		CHECK_ERROR(status, "unsqueeze: x");
		MT_CHECK(mt_expand(t, MT_SHAPE(1)) == NULL);
		CHECK_ERROR(status, "expand: x");
		MT_CHECK(mt_slice(t, 0, 0, 1, 1) == NULL);
		CHECK_ERROR(status, "slice: x");
		MT_CHECK(mt_narrow(t, 0, 0, 1) == NULL);
		CHECK_ERROR(status, "narrow: x");
		MT_CHECK(mt_index(t, 0, 0) == NULL);
		CHECK_ERROR(status, "index: x");
		MT_CHECK(mt_flip(t, 0) == NULL);
		CHECK_ERROR(status, "flip: x");
		MT_CHECK(mt_as_strided(t, MT_SHAPE0, NULL, 0) == NULL);
		CHECK_ERROR(status, "as_strided: x");
		MT_CHECK(mt_detach(t) == NULL);
		CHECK_ERROR(status, "detach: x");
	}
	/* The first failure of a chain stays its cause. */
	MT_CHECK(mt_flip(mt_transpose(mt_squeeze(mt_zeros(MT_SHAPE(2), MT_F32), 0), 0, 1), 0) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "squeeze: dim 0");
}

static void test_permute(void) {
	each_backend(on_permute);
}

static void test_expand(void) {
	each_backend(on_expand);
}

static void test_reshape(void) {
	each_backend(on_reshape);
}

static void test_squeeze(void) {
	each_backend(on_squeeze);
}

static void test_slice(void) {
	each_backend(on_slice);
}

static void test_parts(void) {
	each_backend(on_parts);
}

static void test_as_strided(void) {
	each_backend(on_as_strided);
}

static void test_gradients(void) {
	each_backend(on_gradients);
}

static void test_detach(void) {
	each_backend(on_detach);
}

static void test_null(void) {
	each_backend(on_null);
}

static const mt_test_case cases[] = {
	{"permute", test_permute},
	{"expand", test_expand},
	{"reshape", test_reshape},
	{"squeeze", test_squeeze},
	{"slice", test_slice},
	{"parts", test_parts},
	{"as_strided", test_as_strided},
	{"gradients", test_gradients},
	{"detach", test_detach},
	{"null", test_null},
	{NULL, NULL},
};
static const mt_test_suite suites[] = {{"views", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
