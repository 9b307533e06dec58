/* Creation: constants, ranges, data; what is refused. */
#include <math.h>
#include <stdint.h>

#include "backends.h"

static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16, MT_BF16, MT_I32, MT_I64, MT_U8, MT_BOOL};
#define N_DTYPES ((int)(sizeof dtypes / sizeof *dtypes))

/* ---- constants ---------------------------------------------------------------------------------------------------- */

static void on_constants(void) {
	for (int i = 0; i < N_DTYPES; i++) {
		mt_dtype dtype = dtypes[i];
		row("%s", mt_dtype_name(dtype));
		mt_tensor *t = mt_zeros(MT_SHAPE(2, 3), dtype);
		CHECK_SHAPE(t, 2, 3);
		MT_CHECK_INT(mt_tensor_dtype(t), dtype);
		MT_CHECK(mt_tensor_device(t) == mt_device_current());
		CHECK_VALUES(t, 0, 0, 0, 0, 0, 0);
		CHECK_VALUES(mt_ones(MT_SHAPE(3), dtype), 1, 1, 1);
		CHECK_VALUES(mt_ones_like(t), 1, 1, 1, 1, 1, 1);
		MT_CHECK_INT(mt_tensor_dtype(mt_zeros_like(t)), dtype);
		CHECK_SHAPE(mt_empty_like(mt_transpose(t, 0, 1)), 3, 2);
		CHECK_VALUES(mt_eye(2, 3, dtype), 1, 0, 0, 0, 1, 0);
		CHECK_VALUES(mt_eye(3, 2, dtype), 1, 0, 0, 1, 0, 0);
		CHECK_VALUES(mt_scalar_tensor(mt_i(1), dtype), 1);
		CHECK_SHAPE0(mt_scalar_tensor(mt_i(1), dtype));
		CHECK_SHAPE(mt_zeros(MT_SHAPE(0, 4), dtype), 0, 4);
		CHECK_SHAPE(mt_eye(0, 5, dtype), 0, 5);
		CHECK_SHAPE(mt_empty(MT_SHAPE(1, 1, 1, 1, 1, 1, 1, 2), dtype), 1, 1, 1, 1, 1, 1, 1, 2);
	}
}

static void test_constants(void) {
	each_backend(on_constants);
}

/* full converts as copy does. */
static void on_full(void) {
	static const struct {
		mt_dtype dtype;
		mt_scalar value;
		double expected;
	} rows[] = {
		{MT_F32, {MT_SCALAR_F64, 0, {.f = 0.1}}, 0.1f},
		{MT_F64, {MT_SCALAR_F64, 0, {.f = -INFINITY}}, -INFINITY},
		{MT_F64, {MT_SCALAR_F64, 0, {.f = NAN}}, NAN},
		{MT_F16, {MT_SCALAR_F64, 0, {.f = 1e6}}, INFINITY},
		{MT_F16, {MT_SCALAR_F64, 0, {.f = 2049}}, 2048},
		/* Just above a tie: through f32 it would round twice, down to the even neighbour. */
		{MT_F16, {MT_SCALAR_F64, 0, {.f = 1 + 0x1p-11 + 0x1p-40}}, 1 + 0x1p-10},
		{MT_F16, {MT_SCALAR_F64, 0, {.f = -1 - 0x3p-11 + 0x1p-40}}, -1 - 0x1p-10},
		{MT_BF16, {MT_SCALAR_F64, 0, {.f = 1 + 0x1p-8 + 0x1p-40}}, 1 + 0x1p-7},
		{MT_BF16, {MT_SCALAR_F64, 0, {.f = 1 + 0x3p-8 - 0x1p-40}}, 1 + 0x1p-7},
		{MT_BF16, {MT_SCALAR_I64, 0, {.i = (1 << 30) + (1 << 22) + 1}}, (1 << 30) + (1 << 23)},
		{MT_I32, {MT_SCALAR_F64, 0, {.f = -2.9}}, -2},
		{MT_I32, {MT_SCALAR_F64, 0, {.f = 1e20}}, INT32_MAX},
		{MT_I32, {MT_SCALAR_F64, 0, {.f = NAN}}, 0},
		{MT_I32, {MT_SCALAR_I64, 0, {.i = INT64_C(0x100000005)}}, 5},
		{MT_I64, {MT_SCALAR_F64, 0, {.f = -1e30}}, (double)INT64_MIN},
		{MT_U8, {MT_SCALAR_I64, 0, {.i = -1}}, 255},
		{MT_U8, {MT_SCALAR_F64, 0, {.f = -1}}, 0},
		{MT_U8, {MT_SCALAR_F64, 0, {.f = 300}}, 255},
		{MT_BOOL, {MT_SCALAR_F64, 0, {.f = 0.25}}, 1},
		{MT_BOOL, {MT_SCALAR_F64, 0, {.f = NAN}}, 1},
		{MT_BOOL, {MT_SCALAR_I64, 0, {.i = 256}}, 1},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		row("%zu: %s", i, mt_dtype_name(rows[i].dtype));
		const double expected[2] = {rows[i].expected, rows[i].expected};
		check_values(mt_full(MT_SHAPE(2), rows[i].dtype, rows[i].value), expected, 2, 0, __FILE__, __LINE__, "full");
		/* The host's own conversion says the same. */
		mt_tensor *t = mt_zeros(MT_SHAPE(2), rows[i].dtype);
		MT_CHECK_INT(mt_set(t, (int64_t[]){0}, rows[i].value), MT_OK);
		check_values(mt_index(t, 0, 0), expected, 1, 0, __FILE__, __LINE__, "set");
		check_values(mt_full_like(t, rows[i].value), expected, 2, 0, __FILE__, __LINE__, "full_like");
	}
}

static void test_full(void) {
	each_backend(on_full);
}

/* ---- ranges ------------------------------------------------------------------------------------------------------- */

static void on_arange(void) {
	static const struct {
		int64_t start, stop, step, n, last;
	} integers[] = {
		{0, 5, 1, 5, 4},
		{0, 5, 2, 3, 4},
		{0, 6, 2, 3, 4},
		{5, 0, -2, 3, 1},
		{3, 3, 1, 0, 0},
		{3, 2, 1, 0, 0},
		{2, 3, -1, 0, 0},
		{INT64_MIN, INT64_MAX, INT64_MAX, 3, INT64_MAX - 1},
		{INT64_MAX, INT64_MIN, INT64_MIN, 2, -1},
		{INT64_MAX - 3, INT64_MAX, 2, 2, INT64_MAX - 1},
	};
	for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
		row("integers %zu", i);
		mt_tensor *t = mt_arange(mt_i(integers[i].start), mt_i(integers[i].stop), mt_i(integers[i].step), MT_I64);
		CHECK_SHAPE(t, integers[i].n);
		int64_t last = 0;
		if (integers[i].n > 0)
			MT_CHECK_INT(mt_item_i64(mt_index(t, 0, -1), &last), MT_OK);
		MT_CHECK_INT(last, integers[i].last);
	}
	static const struct {
		double start, stop, step;
		int64_t n;
		double last;
	} reals[] = {
		{0, 1, 0.1, 10, 9 * 0.1}, {1, 1.3, 0.1, 3, 1.2},
		{0, 1, 0.25, 4, 0.75},    {1, 0, -0.5, 2, 0.5},
		{0, -1, 1, 0, 0},         {0, 1e-3, 1, 1, 0},
		{-1, 1, 2, 1, -1},        {0, 6.700000000000001, 0.1, 68, 67 * 0.1},
	};
	for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
		row("reals %zu", i);
		mt_tensor *t = mt_arange(mt_f(reals[i].start), mt_f(reals[i].stop), mt_f(reals[i].step), MT_F64);
		CHECK_SHAPE(t, reals[i].n);
		double last = 0;
		if (reals[i].n > 0)
			MT_CHECK_INT(mt_item(mt_index(t, 0, -1), &last), MT_OK);
		MT_CHECK_NEAR(last, reals[i].last, 1e-15);
	}
	row("dtypes");
	for (int i = 0; i < N_DTYPES; i++)
		CHECK_VALUES(mt_arange(mt_i(0), mt_i(2), mt_i(1), dtypes[i]), 0, 1);

	MT_CHECK(mt_arange(mt_i(0), mt_i(3), mt_i(0), MT_I64) == NULL);
	CHECK_ERROR(MT_E_ARG, "arange: step is 0");
	MT_CHECK(mt_arange(mt_i(0), mt_f(3), mt_i(1), MT_F32) == NULL);
	CHECK_ERROR(MT_E_ARG, "all mt_i or all mt_f");
	MT_CHECK(mt_arange(mt_f(0), mt_f(INFINITY), mt_f(1), MT_F32) == NULL);
	CHECK_ERROR(MT_E_ARG, "finite");
	MT_CHECK(mt_arange(mt_f(0), mt_f(1), mt_f(NAN), MT_F32) == NULL);
	CHECK_ERROR(MT_E_ARG, "finite");
	MT_CHECK(mt_arange(mt_i(INT64_MIN), mt_i(INT64_MAX), mt_i(1), MT_U8) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "arange: 2^63 elements or more");
	MT_CHECK(mt_arange(mt_f(0), mt_f(1e300), mt_f(1e-300), MT_U8) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "arange");
}

static void test_arange(void) {
	each_backend(on_arange);
}

static void on_linspace(void) {
	CHECK_VALUES(mt_linspace(0, 1, 5, MT_F32), 0, 0.25, 0.5, 0.75, 1);
	CHECK_VALUES(mt_linspace(3, -3, 3, MT_F16), 3, 0, -3);
	CHECK_VALUES(mt_linspace(2, 9, 1, MT_F64), 2);
	CHECK_VALUES(mt_linspace(-1.7e308, 1.7e308, 3, MT_F64), -1.7e308, 0, 1.7e308);
	double last = 0;
	MT_CHECK_INT(mt_item(mt_index(mt_linspace(0.1, 0.7, 1000, MT_F64), 0, -1), &last), MT_OK);
	MT_CHECK(last == 0.7);
	MT_CHECK(mt_linspace(0, 1, 0, MT_F32) == NULL);
	CHECK_ERROR(MT_E_ARG, "linspace: n is 0");
	MT_CHECK(mt_linspace(0, 1, 3, MT_I32) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "linspace: i32");
}

static void test_linspace(void) {
	each_backend(on_linspace);
}

/* ---- data --------------------------------------------------------------------------------------------------------- */

static void on_data(void) {
	CHECK_VALUES(mt_from_data(MT_SHAPE(2, 2), MT_F64, (double[]){1, 2, NAN, -INFINITY}), 1, 2, NAN, -INFINITY);
	CHECK_VALUES(mt_from_data(MT_SHAPE(2), MT_U8, (uint8_t[]){0, 255}), 0, 255);
	CHECK_VALUES(mt_from_data(MT_SHAPE(3), MT_F16, (uint16_t[]){0x3C00, 0x0001, 0xFC00}), 1, 0x1p-24, -INFINITY);
	CHECK_VALUES(mt_from_data(MT_SHAPE(2), MT_BF16, (uint16_t[]){0x3F80, 0xC000}), 1, -2);
	CHECK_VALUES(mt_from_data(MT_SHAPE0, MT_I32, (int32_t[]){INT32_MIN}), INT32_MIN);
	CHECK_SHAPE(mt_from_data(MT_SHAPE(3, 0), MT_F32, NULL), 3, 0);
	MT_CHECK(mt_from_data(MT_SHAPE(2), MT_F32, NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "from_data: data");
}

static void test_data(void) {
	each_backend(on_data);
}

/* ---- what is refused ---------------------------------------------------------------------------------------------- */

static void on_refusals(void) {
	static const struct {
		int rank;
		int64_t shape[9];
		mt_dtype dtype;
		mt_status status;
		const char *message;
	} rows[] = {
		{9, {1, 1, 1, 1, 1, 1, 1, 1, 1}, MT_F32, MT_E_SHAPE, "zeros: rank 9 is not in 0"},
		{-1, {0}, MT_F32, MT_E_SHAPE, "zeros: rank -1"},
		{2, {3, -1}, MT_F32, MT_E_SHAPE, "zeros: shape [3, -1] has a negative extent"},
		{1, {INT64_MIN}, MT_F32, MT_E_SHAPE, "negative extent"},
		{2, {INT64_C(1) << 32, INT64_C(1) << 31}, MT_U8, MT_E_SHAPE, "zeros: u8[4294967296, 2147483648] needs 2^63"},
		{2, {INT64_C(1) << 31, INT64_C(1) << 30}, MT_F32, MT_E_SHAPE, "needs 2^63 bytes or more"},
		{3, {0, INT64_C(1) << 40, INT64_C(1) << 40}, MT_F32, MT_E_SHAPE, "needs 2^63"},
		{1, {2}, 0, MT_E_DTYPE, "zeros: 0 is no dtype"},
		{1, {2}, 77, MT_E_DTYPE, "zeros: 77 is no dtype"},
	};
	int64_t before = mt_live_tensors();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		row("%zu", i);
		MT_CHECK(mt_zeros(rows[i].rank, rows[i].shape, rows[i].dtype) == NULL);
		CHECK_ERROR(rows[i].status, rows[i].message);
	}
	row("NULL");
	MT_CHECK(mt_zeros(2, NULL, MT_F32) == NULL);
	CHECK_ERROR(MT_E_NULL, "zeros: shape");
	MT_CHECK(mt_zeros_like(NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "zeros_like: t");
	MT_CHECK(mt_full_like(MT_NONE, mt_i(0)) == NULL);
	CHECK_ERROR(MT_E_ARG, "full_like: t is MT_NONE");
	MT_CHECK_INT(mt_live_tensors(), before);
	row("memory");
	MT_CHECK(mt_empty(MT_SHAPE(INT64_C(1) << 60), MT_F32) == NULL);
	mt_status status = MT_OK;
	mt_error_take(&status);
	MT_CHECK_INT(status, MT_E_MEMORY);
	MT_CHECK_INT(mt_live_tensors(), before);
	MT_CHECK(mt_full(MT_SHAPE(1), MT_F32, (mt_scalar){.tag = 9}) == NULL);
	CHECK_ERROR(MT_E_ARG, "full: value is no scalar (tag 9)");
}

static void test_refusals(void) {
	each_backend(on_refusals);
}

static const mt_test_case cases[] = {
	{"constants", test_constants},
	{"full", test_full},
	{"arange", test_arange},
	{"linspace", test_linspace},
	{"data", test_data},
	{"refusals", test_refusals},
	{NULL, NULL},
};
static const mt_test_suite suites[] = {{"create", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
