/* Printing: exact strings. */
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends.h"

struct print_row {
	int rank;
	int64_t shape[4];
	mt_dtype dtype;
	double values[12];
	const char *text;
};

static const struct print_row rows[] = {
	/* f32, shortest common decimals */
	{2, {2, 2}, MT_F32, {1, 2, 3, 4}, "tensor([[1., 2.],\n        [3., 4.]])"},
	{0, {0}, MT_F32, {3}, "tensor(3.)"},
	{0, {0}, MT_F32, {-0.0}, "tensor(-0.)"},
	{0, {0}, MT_F32, {0.1}, "tensor(0.1)"},
	{1, {3}, MT_F32, {0.5, -0.25, 2}, "tensor([ 0.50, -0.25,  2.00])"},
	{1, {2}, MT_F32, {1.0 / 3, 100}, "tensor([  0.3333, 100.0000])"},
	{1, {2}, MT_F32, {0, 0}, "tensor([0., 0.])"},
	{1, {1}, MT_F32, {0.99999}, "tensor([1.0])"},
	{1, {3}, MT_F32, {10, -200, 3}, "tensor([  10., -200.,    3.])"},
	/* scientific: far from 1, or far apart */
	{1, {2}, MT_F32, {1e-5, 1}, "tensor([1.e-05, 1.e+00])"},
	{1, {2}, MT_F32, {1.5e9, -2e9}, "tensor([ 1.5e+09, -2.0e+09])"},
	{1, {2}, MT_F32, {1, 1001}, "tensor([1.000e+00, 1.001e+03])"},
	{1, {2}, MT_F32, {1, 1000}, "tensor([   1., 1000.])"},
	{1, {2}, MT_F32, {123456, 123457}, "tensor([123456., 123457.])"},
	{1, {1}, MT_F64, {1e300}, "tensor([1.e+300], dtype=f64)"},
	{1, {3}, MT_F32, {0, 1e-8, NAN}, "tensor([0.e+00, 1.e-08,    nan])"},
	/* not finite */
	{1, {4}, MT_F32, {NAN, INFINITY, -INFINITY, 1}, "tensor([ nan,  inf, -inf,   1.])"},
	{1, {2}, MT_F32, {NAN, 0.5}, "tensor([nan, 0.5])"},
	{0, {0}, MT_F32, {-INFINITY}, "tensor(-inf)"},
	/* other dtypes */
	{1, {3}, MT_I64, {1, -20, 300}, "tensor([  1, -20, 300])"},
	{1, {2}, MT_I32, {1, 2}, "tensor([1, 2], dtype=i32)"},
	{1, {2}, MT_U8, {0, 255}, "tensor([  0, 255], dtype=u8)"},
	{1, {2}, MT_BOOL, {1, 0}, "tensor([ True, False])"},
	{0, {0}, MT_BOOL, {1}, "tensor(True)"},
	{0, {0}, MT_I64, {-9007199254740992.0}, "tensor(-9007199254740992)"},
	{1, {2}, MT_F16, {0.5, 65504}, "tensor([5.0000e-01, 6.5504e+04], dtype=f16)"},
	{1, {2}, MT_BF16, {1, 2}, "tensor([1., 2.], dtype=bf16)"},
	/* ranks */
	{3, {2, 1, 2}, MT_F32, {1, 2, 3, 4}, "tensor([[[1., 2.]],\n\n        [[3., 4.]]])"},
	{4, {2, 1, 1, 1}, MT_I64, {1, 2}, "tensor([[[[1]]],\n\n\n        [[[2]]]])"},
	/* empty */
	{1, {0}, MT_F32, {0}, "tensor([])"},
	{2, {0, 3}, MT_F32, {0}, "tensor([], shape=[0, 3])"},
	{1, {0}, MT_I64, {0}, "tensor([], dtype=i64)"},
	{3, {2, 0, 1}, MT_BOOL, {0}, "tensor([], shape=[2, 0, 1], dtype=bool)"},
};

static int64_t numel(int rank, const int64_t *shape) {
	int64_t n = 1;
	for (int d = 0; d < rank; d++)
		n *= shape[d];
	return n;
}

static void check_text(mt_tensor *t, const char *expected) {
	char *text = mt_tensor_to_string(t);
	MT_CHECK_STR(text, expected);
	mt_free(text);
}

static void on_rows(void) {
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct print_row *r = &rows[i];
		row("%zu", i);
		mt_tensor *f64 = mt_from_data(r->rank, r->shape, MT_F64, r->values);
		MT_CHECK_INT(mt_tensor_numel(f64), numel(r->rank, r->shape));
		check_text(mt_cast(f64, r->dtype), r->text);
	}
}

static void test_rows(void) {
	each_backend(on_rows);
}

static void on_views(void) {
	mt_tensor *t = counting(MT_SHAPE(2, 3), MT_F32);
	check_text(mt_transpose(t, 0, 1), "tensor([[0., 3.],\n        [1., 4.],\n        [2., 5.]])");
	check_text(mt_flip(mt_index(t, 0, 1), 0), "tensor([5., 4., 3.])");
	check_text(mt_expand(mt_scalar_tensor(mt_i(7), MT_I64), MT_SHAPE(2, 2)), "tensor([[7, 7],\n        [7, 7]])");
	/* Printing needs no graph, and leaves none. */
	check_text(mt_exp(mt_requires_grad_(mt_zeros(MT_SHAPE(1), MT_F32), 1)), "tensor([1.])");
}

static void test_views(void) {
	each_backend(on_views);
}

/* Lines of at most 80 columns. */
static void on_wrap(void) {
	check_text(mt_arange(mt_i(0), mt_i(30), mt_i(1), MT_I64),
	           "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,\n"
	           "        18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29])");
	check_text(mt_full(MT_SHAPE(2, 8), MT_F32, mt_f(-123.4567)),
	           "tensor([[-123.4567, -123.4567, -123.4567, -123.4567, -123.4567, -123.4567,\n"
	           "         -123.4567, -123.4567],\n"
	           "        [-123.4567, -123.4567, -123.4567, -123.4567, -123.4567, -123.4567,\n"
	           "         -123.4567, -123.4567]])");
	check_text(mt_zeros(MT_SHAPE(18), MT_U8),
	           "tensor([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], dtype=u8)");
	check_text(mt_zeros(MT_SHAPE(21), MT_U8),
	           "tensor([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],\n"
	           "       dtype=u8)");
}

static void test_wrap(void) {
	each_backend(on_wrap);
}

static void on_elided(void) {
	check_text(mt_arange(mt_i(0), mt_i(1001), mt_i(1), MT_I64), "tensor([   0,    1,    2,  ...,  998,  999, 1000])");
	check_text(counting(MT_SHAPE(40, 30), MT_I32), "tensor([[   0,    1,    2,  ...,   27,   28,   29],\n"
	                                               "        [  30,   31,   32,  ...,   57,   58,   59],\n"
	                                               "        [  60,   61,   62,  ...,   87,   88,   89],\n"
	                                               "        ...,\n"
	                                               "        [1110, 1111, 1112,  ..., 1137, 1138, 1139],\n"
	                                               "        [1140, 1141, 1142,  ..., 1167, 1168, 1169],\n"
	                                               "        [1170, 1171, 1172,  ..., 1197, 1198, 1199]], dtype=i32)");
	check_text(mt_transpose(counting(MT_SHAPE(2, 501), MT_F64), 0, 1), "tensor([[0.000e+00, 5.010e+02],\n"
	                                                                   "        [1.000e+00, 5.020e+02],\n"
	                                                                   "        [2.000e+00, 5.030e+02],\n"
	                                                                   "        ...,\n"
	                                                                   "        [4.980e+02, 9.990e+02],\n"
	                                                                   "        [4.990e+02, 1.000e+03],\n"
	                                                                   "        [5.000e+02, 1.001e+03]], dtype=f64)");
	check_text(mt_zeros(MT_SHAPE(7, 1, 200), MT_BOOL), "tensor([[[False, False, False,  ..., False, False, False]],\n\n"
	                                                   "        [[False, False, False,  ..., False, False, False]],\n\n"
	                                                   "        [[False, False, False,  ..., False, False, False]],\n\n"
	                                                   "        ...,\n\n"
	                                                   "        [[False, False, False,  ..., False, False, False]],\n\n"
	                                                   "        [[False, False, False,  ..., False, False, False]],\n\n"
	                                                   "        [[False, False, False,  ..., False, False, False]]])");
	/* 1000 elements are all shown. */
	char *text = mt_tensor_to_string(mt_zeros(MT_SHAPE(1000), MT_BOOL));
	MT_CHECK(text != NULL && strstr(text, "...") == NULL && strlen(text) > 6000);
	mt_free(text);
	int64_t before = mt_live_tensors();
	text = mt_tensor_to_string(mt_zeros(MT_SHAPE(11, 11, 11), MT_F32));
	MT_CHECK_INT(mt_live_tensors(), before + 1);
	mt_free(text);
}

static void test_elided(void) {
	each_backend(on_elided);
}

static void on_file(void) {
	FILE *f = tmpfile();
	char line[64] = "";
	MT_REQUIRE(f != NULL);
	MT_CHECK_INT(mt_tensor_print(mt_ones(MT_SHAPE(2), MT_F32), f), MT_OK);
	rewind(f);
	MT_CHECK(fgets(line, sizeof line, f) != NULL);
	MT_CHECK_STR(line, "tensor([1., 1.])\n");
	MT_CHECK(fgetc(f) == EOF);
	fclose(f);
	MT_CHECK_INT(mt_tensor_print(NULL, stdout), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "t is NULL");
	MT_CHECK_INT(mt_tensor_print(mt_ones(MT_SHAPE(2), MT_F32), NULL), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "tensor_print: out");
	MT_CHECK(mt_tensor_to_string(MT_NONE) == NULL);
	CHECK_ERROR(MT_E_ARG, "MT_NONE");
	f = fopen("/dev/full", "w");
	if (f != NULL) {
		setvbuf(f, NULL, _IONBF, 0);
		MT_CHECK_INT(mt_tensor_print(mt_ones(MT_SHAPE(2), MT_F32), f), MT_E_IO);
		CHECK_ERROR(MT_E_IO, "tensor_print: cannot write");
		fclose(f);
	}
}

static void test_file(void) {
	each_backend(on_file);
}

/* A locale whose decimal point is a comma changes nothing. */
static void test_locale(void) {
	static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
	size_t i = 0;
	while (i < sizeof names / sizeof *names && setlocale(LC_NUMERIC, names[i]) == NULL)
		i++;
	if (i == sizeof names / sizeof *names)
		MT_SKIP("no locale with a decimal comma is installed");
	mt_scope *scope = mt_scope_begin();
	check_text(mt_from_data(MT_SHAPE(2), MT_F32, (float[]){0.5f, 1e-3f}), "tensor([0.500, 0.001])");
	mt_scope_end(scope);
	setlocale(LC_NUMERIC, "C");
}

static const mt_test_case cases[] = {
	{"rows", test_rows}, {"views", test_views},   {"wrap", test_wrap}, {"elided", test_elided},
	{"file", test_file}, {"locale", test_locale}, {NULL, NULL},
};
static const mt_test_suite suites[] = {{"print", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
