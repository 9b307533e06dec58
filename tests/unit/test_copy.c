/* Copies: contiguous, clone, cast, to_device, copy_, fill_, zero_; their gradients. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "linear.h"

/* ---- contiguous, clone, cast -------------------------------------------------------------------------------------- */

static void on_clone(void) {
	mt_tensor *t = counting(MT_SHAPE(2, 3), MT_F32), *turned = mt_transpose(t, 0, 1);
	MT_CHECK(mt_contiguous(t) == t);
	mt_tensor *c = mt_contiguous(turned);
	MT_CHECK(!mt_tensor_shares_storage(c, t) && mt_tensor_is_contiguous(c));
	CHECK_VALUES(c, 0, 3, 1, 4, 2, 5);
	c = mt_clone(t);
	MT_CHECK(c != t && !mt_tensor_shares_storage(c, t));
	CHECK_VALUES(mt_clone(mt_flip(t, 1)), 2, 1, 0, 5, 4, 3);
	CHECK_VALUES(mt_clone(mt_expand(mt_index(t, 0, 0), MT_SHAPE(2, 3))), 0, 1, 2, 0, 1, 2);
	CHECK_SHAPE(mt_clone(mt_zeros(MT_SHAPE(0, 2), MT_F32)), 0, 2);
	CHECK_SHAPE0(mt_clone(mt_zeros(MT_SHAPE0, MT_BOOL)));
	MT_CHECK(mt_clone(NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "clone: x");
	MT_CHECK(mt_contiguous(MT_NONE) == NULL);
	CHECK_ERROR(MT_E_ARG, "contiguous: x");
}

static void test_clone(void) {
	each_backend(on_clone);
}

static void on_cast(void) {
	static const struct {
		mt_dtype from, to;
		double value, expected;
	} rows[] = {
		{MT_F32, MT_I32, -2.75, -2},
		{MT_F32, MT_I32, 3e9, INT32_MAX},
		{MT_F32, MT_I32, NAN, 0},
		{MT_F64, MT_I64, -1e300, (double)INT64_MIN},
		{MT_F32, MT_U8, -5, 0},
		{MT_F32, MT_U8, 255.9, 255},
		{MT_F32, MT_U8, 1e10, 255},
		{MT_F32, MT_BOOL, 0.1, 1},
		{MT_F32, MT_BOOL, NAN, 1},
		{MT_F32, MT_BOOL, -0.0, 0},
		{MT_F64, MT_F32, 1e300, INFINITY},
		{MT_F64, MT_F16, 65519, 65504},
		{MT_F64, MT_F16, 65520, INFINITY},
		{MT_F32, MT_F16, 0x1p-25, 0},
		{MT_F32, MT_F16, 0x1.8p-24, 0x1p-23},
		{MT_F32, MT_BF16, 257, 256},
		{MT_F32, MT_BF16, 259, 260},
		{MT_F16, MT_F32, 0x1p-24, 0x1p-24},
		{MT_F64, MT_F16, 1 + 0x1p-11 + 0x1p-40, 1 + 0x1p-10},
		{MT_I32, MT_U8, 300, 44},
		{MT_I32, MT_U8, -1, 255},
		{MT_I64, MT_I32, 4294967301.0, 5},
		{MT_U8, MT_F16, 255, 255},
		{MT_BOOL, MT_F64, 1, 1},
		{MT_I64, MT_BOOL, 256, 1},
		{MT_U8, MT_I64, 200, 200},
		{MT_I32, MT_F32, 16777217, 16777216},
		{MT_BF16, MT_F16, 0x1p20, INFINITY},
		{MT_F16, MT_BF16, 1.0009765625, 1},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		row("%s to %s of %g", mt_dtype_name(rows[i].from), mt_dtype_name(rows[i].to), rows[i].value);
		mt_scalar value = rows[i].from == MT_I64 ? mt_i((int64_t)rows[i].value) : mt_f(rows[i].value);
		mt_tensor *x = mt_full(MT_SHAPE(5), rows[i].from, value);
		const double e = rows[i].expected;
		CHECK_VALUES(mt_cast(x, rows[i].to), e, e, e, e, e);
	}
	mt_tensor *t = counting(MT_SHAPE(2, 2), MT_F32);
	MT_CHECK(mt_cast(t, MT_F32) == t);
	CHECK_VALUES(mt_cast(mt_transpose(t, 0, 1), MT_I64), 0, 2, 1, 3);
	MT_CHECK(mt_cast(t, 0) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "cast: 0 is no dtype");
}

static void test_cast(void) {
	each_backend(on_cast);
}

/* ---- across devices ----------------------------------------------------------------------------------------------- */

static void on_to_device(void) {
	static const char *const others[] = {"naive", "omp", "cuda"};
	mt_device *here = mt_device_current();
	MT_CHECK(mt_to_device(counting(MT_SHAPE(2), MT_F32), NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "to_device: device");
	for (int i = 0; i < 3; i++) {
		mt_device *other = mt_device_open(others[i]);
		if (other == NULL) {
			mt_error_take(NULL);
			continue;
		}
		row("to %s", others[i]);
		mt_tensor *t = counting(MT_SHAPE(2, 3), MT_I32), *turned = mt_transpose(t, 0, 1);
		mt_tensor *there = mt_to_device(turned, other);
		MT_CHECK((there == turned) == (other == here));
		MT_CHECK(mt_tensor_device(there) == other);
		CHECK_VALUES(there, 0, 3, 1, 4, 2, 5);
		CHECK_VALUES(mt_to_device(mt_flip(there, 0), here), 2, 5, 1, 4, 0, 3);
		CHECK_SHAPE(mt_to_device(mt_zeros(MT_SHAPE(0, 2), MT_F32), other), 0, 2);
		if (other != here) {
			MT_CHECK(mt_cat((mt_tensor *[]){t, there}, 2, 0) == NULL);
			CHECK_ERROR(MT_E_DEVICE, mt_device_name(other));
		}
		mt_tensor *a = mt_zeros(MT_SHAPE(2, 2), MT_F64);
		MT_CHECK(mt_copy_(a, mt_index(there, 0, 1)) == a);
		CHECK_VALUES(a, 1, 4, 1, 4);

		mt_tensor *x = mt_requires_grad_(counting(MT_SHAPE(3), MT_F32), 1);
		mt_tensor *y = mt_to_device(mt_mul_scalar(x, mt_i(2)), other);
		mt_tensor *u = mt_to_device(mt_from_data(MT_SHAPE(3), MT_F32, (float[]){1, -2, 5}), other);
		MT_CHECK_INT(mt_backward_from(y, u, 0), MT_OK);
		CHECK_VALUES(mt_grad(x), 2, -4, 10);
		MT_CHECK(mt_tensor_device(mt_grad(x)) == here);
	}
}

static void test_to_device(void) {
	each_backend(on_to_device);
}

/* ---- copy_, fill_, zero_ ------------------------------------------------------------------------------------------ */

static void on_copy(void) {
	mt_tensor *a = mt_zeros(MT_SHAPE(2, 3), MT_F32);
	MT_CHECK(mt_copy_(a, mt_arange(mt_i(1), mt_i(4), mt_i(1), MT_I64)) == a);
	CHECK_VALUES(a, 1, 2, 3, 1, 2, 3);
	MT_CHECK(mt_copy_(mt_index(a, 1, 1), mt_from_data(MT_SHAPE(2), MT_F64, (double[]){-1, -2})) != NULL);
	CHECK_VALUES(a, 1, -1, 3, 1, -2, 3);
	MT_CHECK(mt_copy_(mt_flip(a, 0), counting(MT_SHAPE(2, 1), MT_F16)) != NULL);
	CHECK_VALUES(a, 1, 1, 1, 0, 0, 0);
	MT_CHECK(mt_copy_(a, mt_scalar_tensor(mt_f(7.5), MT_F32)) == a);
	CHECK_VALUES(a, 7.5, 7.5, 7.5, 7.5, 7.5, 7.5);
	mt_tensor *i = mt_zeros(MT_SHAPE(2), MT_I32);
	MT_CHECK(mt_copy_(i, mt_from_data(MT_SHAPE(2), MT_F32, (float[]){-1.5, 1e30f})) == i);
	CHECK_VALUES(i, -1, INT32_MAX);
	mt_tensor *empty = mt_zeros(MT_SHAPE(0, 3), MT_F32);
	MT_CHECK(mt_copy_(empty, mt_zeros(MT_SHAPE(3), MT_F32)) == empty);

	MT_CHECK(mt_copy_(a, mt_zeros(MT_SHAPE(2), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "copy_: f32[2] does not expand to f32[2, 3]");
	MT_CHECK(mt_copy_(mt_index(a, 0, 0), a) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "copy_: f32[2, 3] does not expand to f32[3]");
	MT_CHECK(mt_copy_(mt_expand(a, MT_SHAPE(2, 2, 3)), a) == NULL);
	CHECK_ERROR(MT_E_STATE, "copy_: f32[2, 2, 3] is an expanded view");
	MT_CHECK(mt_fill_(mt_expand(i, MT_SHAPE(2, 2)), mt_i(1)) == NULL);
	CHECK_ERROR(MT_E_STATE, "fill_: i32[2, 2] is an expanded view");
	MT_CHECK(mt_copy_(NULL, a) == NULL);
	CHECK_ERROR(MT_E_NULL, "copy_: a");
	MT_CHECK(mt_copy_(a, MT_NONE) == NULL);
	CHECK_ERROR(MT_E_ARG, "copy_: src");
}

static void test_copy(void) {
	each_backend(on_copy);
}

/* src and a in one storage. */
static void on_overlap(void) {
	mt_tensor *t = counting(MT_SHAPE(6), MT_F32);
	MT_CHECK(mt_copy_(mt_narrow(t, 0, 1, 5), mt_narrow(t, 0, 0, 5)) != NULL);
	CHECK_VALUES(t, 0, 0, 1, 2, 3, 4);
	MT_CHECK(mt_copy_(mt_narrow(t, 0, 0, 5), mt_narrow(t, 0, 1, 5)) != NULL);
	CHECK_VALUES(t, 0, 1, 2, 3, 4, 4);
	MT_CHECK(mt_copy_(t, mt_flip(t, 0)) == t);
	CHECK_VALUES(t, 4, 4, 3, 2, 1, 0);
	MT_CHECK(mt_copy_(mt_slice(t, 0, 0, MT_END, 2), mt_slice(t, 0, 1, MT_END, 2)) != NULL);
	CHECK_VALUES(t, 4, 4, 2, 2, 0, 0);
	MT_CHECK(mt_copy_(t, mt_detach(t)) == t);
	MT_CHECK(mt_copy_(t, t) == t);
	MT_CHECK(mt_copy_(t, mt_index(t, 0, 2)) == t);
	CHECK_VALUES(t, 2, 2, 2, 2, 2, 2);
	mt_tensor *m = counting(MT_SHAPE(3, 3), MT_I32);
	MT_CHECK(mt_copy_(m, mt_transpose(m, 0, 1)) == m);
	CHECK_VALUES(m, 0, 3, 6, 1, 4, 7, 2, 5, 8);
}

static void test_overlap(void) {
	each_backend(on_overlap);
}

static void on_fill(void) {
	mt_tensor *t = counting(MT_SHAPE(2, 3), MT_I32);
	MT_CHECK(mt_fill_(t, mt_f(-7.9)) == t);
	CHECK_VALUES(t, -7, -7, -7, -7, -7, -7);
	MT_CHECK(mt_zero_(mt_slice(t, 1, 0, MT_END, 2)) != NULL);
	CHECK_VALUES(t, 0, -7, 0, 0, -7, 0);
	MT_CHECK(mt_fill_(mt_transpose(t, 0, 1), mt_i(1)) != NULL);
	CHECK_VALUES(t, 1, 1, 1, 1, 1, 1);
	MT_CHECK(mt_fill_(t, (mt_scalar){0}) == NULL);
	CHECK_ERROR(MT_E_ARG, "fill_: value is no scalar");
	MT_CHECK(mt_zero_(NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "zero_: a");
}

static void test_fill(void) {
	each_backend(on_fill);
}

/* ---- gradients ---------------------------------------------------------------------------------------------------- */

static mt_tensor *f_clone(mt_tensor *x, const void *c) {
	(void)c;
	return mt_clone(mt_transpose(x, 0, 1));
}

/* Through f32: the small integers that the check uses stay exact. */
static mt_tensor *f_cast(mt_tensor *x, const void *c) {
	(void)c;
	return mt_cast(mt_cast(x, MT_F32), MT_F64);
}

static mt_tensor *f_copy(mt_tensor *x, const void *c) {
	(void)c;
	return mt_copy_(mt_zeros(MT_SHAPE(2, 3, 4), MT_F64), x);
}

static mt_tensor *f_copy_f32(mt_tensor *x, const void *c) {
	(void)c;
	return mt_cast(mt_copy_(mt_empty(MT_SHAPE(3, 4), MT_F32), x), MT_F64);
}

static void on_gradients(void) {
	row("clone");
	check_linear(f_clone, NULL, MT_SHAPE(3, 4), 0);
	row("cast");
	check_linear(f_cast, NULL, MT_SHAPE(3, 4), 0);
	row("copy_");
	check_linear(f_copy, NULL, MT_SHAPE(3, 1), 0);
	row("copy_ f32");
	check_linear(f_copy_f32, NULL, MT_SHAPE(4), 0);

	row("cast to integers");
	mt_tensor *x = mt_requires_grad_(counting(MT_SHAPE(3), MT_F32), 1);
	MT_CHECK(!mt_tensor_requires_grad(mt_cast(x, MT_I32)));
	MT_CHECK(!mt_tensor_requires_grad(mt_copy_(mt_zeros(MT_SHAPE(3), MT_I32), x)));
}

static void test_gradients(void) {
	each_backend(on_gradients);
}

/* What a write does to the graph. */
static void on_history(void) {
	mt_tensor *x = mt_requires_grad_(counting(MT_SHAPE(2), MT_F32), 1);
	MT_CHECK(mt_copy_(x, mt_zeros(MT_SHAPE(2), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_STATE, "copy_: f32[2] is a leaf that requires a gradient");
	MT_CHECK(mt_zero_(x) == NULL);
	CHECK_ERROR(MT_E_STATE, "zero_");
	CHECK_VALUES(x, 0, 1);

	row("overwritten"); /* y's first history is gone: only the second copy counts */
	mt_tensor *y = mt_mul_scalar(x, mt_i(5));
	MT_CHECK(mt_copy_(y, mt_mul_scalar(x, mt_i(3))) == y);
	MT_CHECK_INT(mt_backward_from(y, mt_from_data(MT_SHAPE(2), MT_F32, (float[]){1, -2}), 0), MT_OK);
	CHECK_VALUES(mt_grad(x), 3, -6);
	mt_zero_grad(x);

	row("of itself");
	y = mt_mul_scalar(x, mt_i(5));
	MT_CHECK(mt_copy_(y, mt_mul_scalar(y, mt_i(2))) == y);
	MT_CHECK(mt_copy_(y, y) == y);
	MT_CHECK_INT(mt_backward_from(y, mt_from_data(MT_SHAPE(2), MT_F32, (float[]){1, -2}), 0), MT_OK);
	CHECK_VALUES(mt_grad(x), 10, -20);

	row("a constant");
	y = mt_mul_scalar(x, mt_i(5));
	MT_CHECK(mt_fill_(y, mt_i(4)) == y && !mt_tensor_requires_grad(y));
	y = mt_mul_scalar(x, mt_i(5));
	MT_CHECK(mt_copy_(y, mt_zeros(MT_SHAPE(2), MT_F32)) == y && !mt_tensor_requires_grad(y));

	row("views");
	y = mt_mul_scalar(x, mt_i(5));
	mt_tensor *v = mt_index(y, 0, 0);
	MT_CHECK(mt_copy_(v, mt_index(x, 0, 0)) == NULL);
	CHECK_ERROR(MT_E_STATE, "copy_: f32[] shares its storage");
	MT_CHECK(mt_zero_(y) == NULL);
	CHECK_ERROR(MT_E_STATE, "zero_: f32[2] shares its storage");
	mt_tensor *plain = mt_zeros(MT_SHAPE(2), MT_F32);
	MT_CHECK(mt_copy_(mt_index(plain, 0, 0), mt_index(x, 0, 1)) == NULL);
	CHECK_ERROR(MT_E_STATE, "shares its storage");
	CHECK_VALUES(plain, 0, 0);

	row("recording off");
	y = mt_exp(x);
	int was = mt_grad_enable(0);
	MT_CHECK(mt_zero_(y) == y && mt_zero_(x) == x);
	mt_grad_enable(was);
	MT_CHECK(mt_tensor_requires_grad(y) && mt_tensor_requires_grad(x));
	MT_CHECK_INT(mt_backward_from(y, mt_ones(MT_SHAPE(2), MT_F32), 0), MT_E_VERSION);
	CHECK_ERROR(MT_E_VERSION, "exp: the saved tensor f32[2] was modified");
}

static void test_history(void) {
	each_backend(on_history);
}

static const mt_test_case cases[] = {
	{"clone", test_clone},         {"cast", test_cast},       {"to_device", test_to_device},
	{"copy", test_copy},           {"overlap", test_overlap}, {"fill", test_fill},
	{"gradients", test_gradients}, {"history", test_history}, {NULL, NULL},
};
static const mt_test_suite suites[] = {{"copy", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
