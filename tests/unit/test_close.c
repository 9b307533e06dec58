/* isclose and allclose. */
#include <math.h>

#include "oracle.h"

static mt_tensor *f32(int64_t n, const float *values) {
	return mt_from_data(1, &n, MT_F32, values);
}

static void floats_on_device(void) {
	const float as[] = {1, 1, INFINITY, INFINITY, -INFINITY, NAN, NAN, 0, 1e10f, 3e38f, 5};
	const float bs[] = {1.00001f, 1.0001f, INFINITY, -INFINITY, 1, NAN, 1, 1e-9f, 1.00001e10f, -3e38f, INFINITY};
	mt_tensor *a = f32(11, as), *b = f32(11, bs);
	row("floats");
	CHECK_VALUES(mt_isclose(a, b, 2e-5, 1e-8, 0), 1, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0);
	CHECK_VALUES(mt_isclose(a, b, 2e-5, 1e-8, 1), 1, 0, 1, 0, 0, 1, 0, 1, 1, 0, 0);
	CHECK_VALUES(mt_isclose(a, b, 0, 0, 0), 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
	MT_CHECK_INT(mt_tensor_dtype(mt_isclose(a, b, 0, 0, 0)), MT_BOOL);
	row("the tolerance is relative to b");
	CHECK_VALUES(mt_isclose(f32(2, (const float[]){10, 11}), f32(2, (const float[]){11, 10}), 0.0952, 0, 0), 1, 0);
	row("low precision is compared in f32");
	mt_tensor *h = mt_cast(f32(1, (const float[]){1}), MT_F16),
			  *k = mt_cast(f32(1, (const float[]){1.0009765625f}), MT_F16);
	CHECK_VALUES(mt_isclose(h, k, 0, 0.00097, 0), 0);
	CHECK_VALUES(mt_isclose(h, k, 0, 0.00098, 0), 1);
	row("shapes and dtypes");
	CHECK_SHAPE(mt_isclose(mt_zeros(MT_SHAPE(3, 1), MT_F32), mt_zeros(MT_SHAPE(4), MT_F64), 0, 0, 0), 3, 4);
	CHECK_SHAPE(mt_isclose(mt_zeros(MT_SHAPE(0, 1), MT_F32), mt_zeros(MT_SHAPE(4), MT_F32), 0, 0, 0), 0, 4);
	CHECK_SHAPE0(mt_isclose(mt_zeros(MT_SHAPE0, MT_F32), mt_zeros(MT_SHAPE0, MT_F32), 0, 0, 0));
	for (int l = 0; l < N_LAYOUTS; l++) {
		mt_tensor *x = random_in(l, MT_SHAPE(5, 4), MT_F32, -2, 2, 3);
		mt_tensor *near = mt_add_scalar(x, mt_f(1e-3)), *far = mt_add_scalar(x, mt_f(-3e-3));
		int all = -1;
		row("%s", layout_name(l));
		MT_CHECK_INT(mt_allclose(near, x, 0, 2e-3, 0, &all), MT_OK);
		MT_CHECK_INT(all, 1);
		MT_CHECK_INT(mt_allclose(x, far, 0, 2e-3, 0, &all), MT_OK);
		MT_CHECK_INT(all, 0);
	}
}

static void floats(void) {
	each_backend(floats_on_device);
}

static void integers_on_device(void) {
	const int64_t big = INT64_C(1) << 53;
	const int64_t as[] = {5, 100, big, INT64_MAX, INT64_MIN, -7}, bs[] = {6, 101, big + 1, INT64_MIN, INT64_MIN, -7};
	mt_tensor *a = mt_from_data(MT_SHAPE(6), MT_I64, as), *b = mt_from_data(MT_SHAPE(6), MT_I64, bs);
	row("integers");
	CHECK_VALUES(mt_isclose(a, b, 0, 0, 0), 0, 0, 0, 0, 1, 1);
	CHECK_VALUES(mt_isclose(a, b, 0.01, 0, 0), 0, 1, 1, 0, 1, 1);
	CHECK_VALUES(mt_isclose(a, b, 0, 1, 1), 1, 1, 1, 0, 1, 1);
	mt_tensor *low = mt_full(MT_SHAPE(1), MT_U8, mt_i(3)), *high = mt_full(MT_SHAPE(1), MT_U8, mt_i(250));
	CHECK_VALUES(mt_isclose(low, high, 0, 10, 0), 0); /* 3 - 250 wraps to 9 */
	CHECK_VALUES(mt_isclose(mt_full(MT_SHAPE(1), MT_I32, mt_i(INT32_MAX)),
	                        mt_full(MT_SHAPE(1), MT_I32, mt_i(INT32_MIN)), 0, 10, 0),
	             0);
	CHECK_VALUES(mt_isclose(mt_ones(MT_SHAPE(1), MT_BOOL), mt_zeros(MT_SHAPE(1), MT_BOOL), 0, 0.5, 1), 0);
	CHECK_VALUES(mt_isclose(mt_ones(MT_SHAPE(1), MT_BOOL), mt_ones(MT_SHAPE(1), MT_F32), 0, 0, 1), 1);
	CHECK_VALUES(mt_isclose(a, mt_full(MT_SHAPE0, MT_F32, mt_f(5.5)), 0, 0.6, 0), 1, 0, 0, 0, 0, 0);
}

static void integers(void) {
	each_backend(integers_on_device);
}

static void allclose_on_device(void) {
	mt_tensor *a = mt_requires_grad_(counting(MT_SHAPE(3, 4), MT_F32), 1);
	int all = -1;
	int64_t live = mt_live_tensors();
	row("allclose");
	MT_CHECK_INT(mt_allclose(a, a, 0, 0, 0, &all), MT_OK);
	MT_CHECK_INT(all, 1);
	MT_CHECK_INT(mt_live_tensors(), live);
	MT_CHECK_INT(mt_allclose(mt_zeros(MT_SHAPE(0), MT_F32), mt_ones(MT_SHAPE(1), MT_F32), 0, 0, 0, &all), MT_OK);
	MT_CHECK_INT(all, 1);
	MT_CHECK_INT(mt_allclose(a, mt_full(MT_SHAPE0, MT_F32, mt_f(NAN)), 1, 1, 1, &all), MT_OK);
	MT_CHECK_INT(all, 0);
	MT_CHECK(!mt_tensor_requires_grad(mt_isclose(a, a, 0, 0, 0)));
	MT_CHECK_INT(mt_grad_enabled(), 1);
}

static void allclose(void) {
	each_backend(allclose_on_device);
}

static void errors(void) {
	mt_tensor *a = mt_ones(MT_SHAPE(2), MT_F32);
	int all = 7;
	MT_CHECK(mt_isclose(a, mt_ones(MT_SHAPE(3), MT_F32), 0, 0, 0) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "isclose: shapes [2] and [3]");
	MT_CHECK(mt_isclose(a, a, -1, 0, 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "isclose: rtol and atol must be at least 0, got -1 and 0");
	MT_CHECK(mt_isclose(a, a, 0, NAN, 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "isclose");
	MT_CHECK(mt_isclose(a, NULL, 0, 0, 0) == NULL);
	CHECK_ERROR(MT_E_NULL, "isclose");
	MT_CHECK_INT(mt_allclose(a, MT_NONE, 0, 0, 0, &all), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "isclose");
	MT_CHECK_INT(mt_allclose(a, a, 0, 0, 0, NULL), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "allclose");
	MT_CHECK_INT(all, 7);
}

static const mt_test_case cases[] = {
	{"floats", floats}, {"integers", integers}, {"allclose", allclose}, {"errors", errors}, {0}};
static const mt_test_suite suites[] = {{"close", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
