/* .npy: round trips, the bytes NumPy writes, files by hand, and every way of being bad. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "files.h"
#include "mt_test.h"

static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16, MT_I32, MT_I64, MT_U8, MT_BOOL};

enum { DTYPES = sizeof dtypes / sizeof *dtypes };

/* A file of the version with this header and data; the length before the header is the header's. */
static void write_npy(int version, const char *header, size_t length, const void *data, size_t bytes) {
	unsigned char raw[1024] = {0x93, 'N', 'U', 'M', 'P', 'Y', (unsigned char)version, 0};
	size_t at = 8;
	for (int i = 0; i < (version == 1 ? 2 : 4); i++)
		raw[at++] = (unsigned char)(length >> 8 * i);
	MT_REQUIRE(at + length + bytes <= sizeof raw);
	memcpy(raw + at, header, length);
	if (bytes > 0)
		memcpy(raw + at + length, data, bytes);
	MT_CHECK(files_write("a.npy", raw, at + length + bytes));
}

static void check_round_trip(mt_tensor *t) {
	if (!MT_CHECK_INT(mt_npy_write(files_path("a.npy"), t), MT_OK))
		mt_test_note("%s", mt_error_take(NULL));
	mt_tensor *back = mt_npy_read(files_path("a.npy"));
	if (!MT_CHECK(back != NULL))
		mt_test_note("%s", mt_error_take(NULL));
	MT_CHECK(files_same(back, t));
	MT_CHECK(mt_tensor_is_contiguous(back));
}

/* ---- good files ------------------------------------------------------------------------------------------------- */

static void test_round_trip(void) {
	static const int64_t shape[MT_MAX_RANK] = {3, 1, 2, 4, 1, 2, 3, 2};
	for (int i = 0; i < DTYPES; i++)
		for (int rank = 0; rank <= MT_MAX_RANK; rank++) {
			mt_test_row("%s, rank %d", mt_dtype_name(dtypes[i]), rank);
			check_round_trip(mt_cast(mt_randint(0, 200, rank, shape), dtypes[i]));
		}
}

static void test_bits(void) {
	static const uint32_t f32[] = {0x80000000, 0x7f800000, 0xff800000, 0x7fc00001, 1, 0x3f800001};
	static const uint16_t f16[] = {0x8000, 0x7c00, 0xfc00, 0x7e01, 1, 0x3c01};
	static const int64_t i64[] = {INT64_MIN, INT64_MAX, -1};
	static const unsigned char u8[] = {0, 255};
	check_round_trip(mt_from_data(MT_SHAPE(6), MT_F32, f32));
	check_round_trip(mt_from_data(MT_SHAPE(6), MT_F16, f16));
	check_round_trip(mt_from_data(MT_SHAPE(3), MT_I64, i64));
	check_round_trip(mt_from_data(MT_SHAPE(2), MT_U8, u8));
}

static void test_empty(void) {
	check_round_trip(mt_zeros(MT_SHAPE(0), MT_F32));
	check_round_trip(mt_zeros(MT_SHAPE(0, 3), MT_I64));
	check_round_trip(mt_transpose(mt_zeros(MT_SHAPE(3, 0, 2), MT_F16), 0, 2));
	check_round_trip(mt_zeros(MT_SHAPE(1, 1, 1, 1, 1, 1, 1, 0), MT_BOOL));
}

static int written_in_fortran_order(mt_tensor *t) {
	size_t bytes;
	MT_CHECK_INT(mt_npy_write(files_path("a.npy"), t), MT_OK);
	unsigned char *data = files_read("a.npy", &bytes);
	int is = data && bytes > 128 && strstr(strndupa((char *)data + 10, 100), "'fortran_order': True") != NULL;
	free(data);
	return is;
}

static void test_strided(void) {
	mt_tensor *x = mt_randn(MT_SHAPE(4, 3, 2), MT_F32);
	mt_tensor *reversed = mt_permute(x, 3, (int64_t[]){2, 1, 0});
	mt_tensor *const views[] = {
		mt_transpose(x, 0, 1),    reversed,         mt_slice(x, 0, 1, MT_END, 2),
		mt_slice(x, 1, 2, 0, -1), mt_flip(x, 2),    mt_expand(mt_index(x, 0, 1), MT_SHAPE(5, 3, 2)),
		mt_index(x, 2, 1),        mt_index(x, 0, 3)};
	for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
		mt_test_row("view %zu", i);
		check_round_trip(views[i]);
	}
	mt_test_row("order");
	MT_CHECK(written_in_fortran_order(reversed));
	MT_CHECK(written_in_fortran_order(mt_transpose(mt_ones(MT_SHAPE(2, 3), MT_I32), 0, 1)));
	MT_CHECK(!written_in_fortran_order(x));
	MT_CHECK(!written_in_fortran_order(mt_transpose(x, 0, 1)));
	MT_CHECK(!written_in_fortran_order(mt_transpose(mt_ones(MT_SHAPE(1, 3), MT_I32), 0, 1))); /* both: C */
}

/* Writing a tensor of the graph leaves it and its gradient as they are. */
static void test_graph(void) {
	double value;
	mt_tensor *w = mt_requires_grad_(mt_ones(MT_SHAPE(2, 3), MT_F32), 1), *y = mt_transpose(w, 0, 1);
	MT_CHECK_INT(mt_npy_write(files_path("a.npy"), y), MT_OK);
	MT_CHECK(!mt_tensor_requires_grad(mt_npy_read(files_path("a.npy"))));
	MT_REQUIRE(mt_backward(mt_sum(y, MT_ALL_AXES, 0)) == MT_OK);
	MT_CHECK_INT(mt_item(mt_sum(mt_grad(w), MT_ALL_AXES, 0), &value), MT_OK);
	MT_CHECK_NEAR(value, 6, 0);
}

/* The bytes on disk are those of numpy.save. */
static void test_bytes(void) {
	static const char header[] = "\x93NUMPY\x01\x00v\x00{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }";
	static const int32_t data[] = {1, 2, 3, 4, 5, 6};
	size_t bytes = 0, length = sizeof header - 1;
	MT_REQUIRE(mt_npy_write(files_path("a.npy"), mt_from_data(MT_SHAPE(2, 3), MT_I32, data)) == MT_OK);
	unsigned char *got = files_read("a.npy", &bytes);
	MT_REQUIRE(got != NULL && bytes == 128 + sizeof data);
	MT_CHECK(memcmp(got, header, length) == 0);
	for (size_t i = length; i < 127; i++)
		MT_CHECK_INT(got[i], ' ');
	MT_CHECK_INT(got[127], '\n');
	MT_CHECK(memcmp(got + 128, data, sizeof data) == 0);
	free(got);
}

#define DICT(descr, order, shape) "{'descr': '" descr "', 'fortran_order': " order ", 'shape': " shape ", }"

/* Headers as other programs and other versions write them. */
static void test_foreign(void) {
	static const struct {
		const char *name, *header;
		int version;
		size_t bytes;
		unsigned char data[16];
		mt_dtype dtype;
		double first, last;
	} rows[] = {
		{"big-endian f4", DICT(">f4", "False", "(2,)"), 1, 8, {0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0}, MT_F32, 1.5, -2},
		{"big-endian f8", DICT(">f8", "False", "(1,)"), 1, 8, {0x3f, 0xf8}, MT_F64, 1.5, 1.5},
		{"big-endian f2", DICT(">f2", "False", "(2,)"), 1, 4, {0x3e, 0, 0xc0, 0}, MT_F16, 1.5, -2},
		{"big-endian i4", DICT(">i4", "False", "()"), 1, 4, {0, 0, 1, 2}, MT_I32, 258, 258},
		{"big-endian i8", DICT(">i8", "False", "()"), 1, 8, {0, 0, 0, 0, 0, 0, 1, 2}, MT_I64, 258, 258},
		{"big-endian u1", DICT(">u1", "False", "(2,)"), 1, 2, {1, 255}, MT_U8, 1, 255},
		{"b1", DICT("|b1", "False", "(2,)"), 1, 2, {0, 1}, MT_BOOL, 0, 1},
		{"little-endian b1", DICT("<b1", "False", "(2,)"), 1, 2, {1, 0}, MT_BOOL, 1, 0},
		{"native", DICT("=i4", "False", "(1,)"), 1, 4, {7}, MT_I32, 7, 7},
		{"version 2", DICT("<i4", "False", "(2,)"), 2, 8, {3, 0, 0, 0, 4}, MT_I32, 3, 4},
		{"version 3", DICT("<i4", "False", "(2,)"), 3, 8, {3, 0, 0, 0, 4}, MT_I32, 3, 4},
		{"double quotes, order, no spaces",
	     "{\"shape\":(2,),\"fortran_order\":False,\"descr\":\"|u1\"}",
	     1,
	     2,
	     {8, 9},
	     MT_U8,
	     8,
	     9},
		{"spaces",
	     " {\n'descr' :\t'|u1' , 'fortran_order' : False ,'shape':( 2 , 1 ) } \r\n ",
	     1,
	     2,
	     {8, 9},
	     MT_U8,
	     8,
	     9},
		{"Python 2", DICT("|u1", "False", "(2L, 1L)"), 1, 2, {8, 9}, MT_U8, 8, 9},
		{"trailing comma", DICT("|u1", "False", "(1, 2,)"), 1, 2, {8, 9}, MT_U8, 8, 9},
		{"fortran of rank 1", DICT("|u1", "True", "(2,)"), 1, 2, {8, 9}, MT_U8, 8, 9},
		{"fortran of rank 0", DICT("|u1", "True", "()"), 1, 1, {8}, MT_U8, 8, 8},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		double value = NAN;
		mt_test_row("%s", rows[i].name);
		write_npy(rows[i].version, rows[i].header, strlen(rows[i].header), rows[i].data, rows[i].bytes);
		mt_tensor *t = mt_npy_read(files_path("a.npy"));
		if (!MT_CHECK(t != NULL)) {
			mt_test_note("%s", mt_error_take(NULL));
			continue;
		}
		MT_CHECK_INT(mt_tensor_dtype(t), rows[i].dtype);
		t = mt_flatten(mt_reshape(t, 2, (int64_t[]){1, -1}), 0, 1);
		MT_CHECK_INT(mt_get(t, (int64_t[]){0}, &value), MT_OK);
		MT_CHECK_NEAR(value, rows[i].first, 0);
		MT_CHECK_INT(mt_get(t, (int64_t[]){-1}, &value), MT_OK);
		MT_CHECK_NEAR(value, rows[i].last, 0);
	}
}

static void test_fortran(void) {
	static const char header[] = DICT(">i4", "True", "(2, 3, 2)");
	int32_t data[12], expected[12];
	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 3; j++)
			for (int k = 0; k < 2; k++) {
				int32_t value = 100 * i + 10 * j + k;
				expected[(3 * i + j) * 2 + k] = value;
				data[i + 2 * (j + 3 * k)] = (int32_t)__builtin_bswap32((uint32_t)value);
			}
	write_npy(1, header, strlen(header), data, sizeof data);
	mt_tensor *t = mt_npy_read(files_path("a.npy"));
	MT_CHECK(files_same(t, mt_from_data(MT_SHAPE(2, 3, 2), MT_I32, expected)));
	MT_CHECK(mt_tensor_is_contiguous(t));
}

/* ---- bad files -------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name, *header, *message;
	mt_status status;
	size_t bytes; /* of data */
} bad_files[] = {
	{"empty header", "", "expected a dict at byte 0", MT_E_FORMAT, 0},
	{"spaces", "   \n", "expected a dict at byte 4", MT_E_FORMAT, 0},
	{"a list", "[1]", "expected a dict", MT_E_FORMAT, 0},
	{"empty dict", "{}", "has no 'descr'", MT_E_FORMAT, 0},
	{"no descr", "{'fortran_order': False, 'shape': (1,)}", "has no 'descr'", MT_E_FORMAT, 1},
	{"no order", "{'descr': '|u1', 'shape': (1,)}", "has no 'fortran_order'", MT_E_FORMAT, 1},
	{"no shape", "{'descr': '|u1', 'fortran_order': False}", "has no 'shape'", MT_E_FORMAT, 1},
	{"extra key", "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), 'x': 1}", "unknown key 'x'", MT_E_FORMAT, 1},
	{"prefix of a key", "{'desc': '|u1', 'fortran_order': False, 'shape': (1,)}", "unknown key 'desc'", MT_E_FORMAT, 1},
	{"key twice", "{'shape': (1,), 'descr': '|u1', 'fortran_order': False, 'shape': (1,)}", "'shape' twice",
     MT_E_FORMAT, 1},
	{"no colon", "{'descr' '|u1'}", "':' after a key", MT_E_FORMAT, 1},
	{"no comma", "{'descr': '|u1' 'shape': (1,)}", "',' or '}' after a value", MT_E_FORMAT, 1},
	{"no end", "{'descr': '|u1', ", "expected a string", MT_E_FORMAT, 1},
	{"string without end", "{'descr': '|u1", "the end of a string", MT_E_FORMAT, 1},
	{"quotes differ", "{'descr\": '|u1'}", "unknown key 'descr\": '", MT_E_FORMAT, 1},
	{"escape", "{'descr': '\\x7cu1', 'fortran_order': False, 'shape': (1,)}", "plain characters", MT_E_FORMAT, 1},
	{"text after", DICT("|u1", "False", "(1,)") " x", "nothing but spaces after the dict", MT_E_FORMAT, 1},
	{"two dicts", DICT("|u1", "False", "(1,)") "{}", "nothing but spaces after the dict", MT_E_FORMAT, 1},
	{"deep lists", "{'descr': [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "got a structured one", MT_E_UNSUPPORTED, 0},
	{"deep dicts", "{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{", "expected a string", MT_E_FORMAT, 0},
	{"deep tuples", DICT("|u1", "False", "((((((((((((((((1,),),)"), "an extent ≥ 0", MT_E_FORMAT, 1},
	{"order a number", DICT("|u1", "0", "(1,)"), "True or False", MT_E_FORMAT, 1},
	{"order in lower case", DICT("|u1", "false", "(1,)"), "True or False", MT_E_FORMAT, 1},
	{"shape a list", DICT("|u1", "False", "[1]"), "a tuple as shape", MT_E_FORMAT, 1},
	{"shape a number", DICT("|u1", "False", "1"), "a tuple as shape", MT_E_FORMAT, 1},
	{"no tuple", DICT("|u1", "False", "(1)"), "',' after an extent", MT_E_FORMAT, 1},
	{"comma alone", DICT("|u1", "False", "(,)"), "an extent ≥ 0", MT_E_FORMAT, 1},
	{"two commas", DICT("|u1", "False", "(1,,1)"), "an extent ≥ 0", MT_E_FORMAT, 1},
	{"tuple without end", "{'descr': '|u1', 'shape': (1, 1", "',' or ')'", MT_E_FORMAT, 1},
	{"negative extent", DICT("|u1", "False", "(-1,)"), "an extent ≥ 0", MT_E_FORMAT, 1},
	{"real extent", DICT("|u1", "False", "(1.0,)"), "',' after an extent", MT_E_FORMAT, 1},
	{"extent in text", DICT("|u1", "False", "('1',)"), "an extent ≥ 0", MT_E_FORMAT, 1},
	{"leading zeros", DICT("|u1", "False", "(01,)"), "without leading zeros", MT_E_FORMAT, 1},
	{"extent 2^63", DICT("|u1", "False", "(9223372036854775808,)"), "below 2^63", MT_E_FORMAT, 1},
	{"extent 10^40", DICT("|u1", "False", "(10000000000000000000000000000000000000000,)"), "below 2^63", MT_E_FORMAT,
     1},
	{"2^63 bytes", DICT("<f8", "False", "(1152921504606846976,)"), "too large", MT_E_FORMAT, 8},
	{"2^64 elements", DICT("|u1", "False", "(4294967296, 4294967296)"), "too large", MT_E_FORMAT, 1},
	{"2^63 - 1 bytes", DICT("|u1", "False", "(9223372036854775807,)"), "expected 9223372036854775807 bytes of data",
     MT_E_FORMAT, 1},
	{"9 dims", DICT("|u1", "False", "(1, 1, 1, 1, 1, 1, 1, 1, 1)"), "at most 8 dims", MT_E_UNSUPPORTED, 1},
	{"too short", DICT("<f4", "False", "(2,)"), "expected 8 bytes of data from its shape and dtype, got 7", MT_E_FORMAT,
     7},
	{"trailing data", DICT("<f4", "False", "(2,)"), "expected 8 bytes of data from its shape and dtype, got 9",
     MT_E_FORMAT, 9},
	{"data of no elements", DICT("<f4", "False", "(0,)"), "expected 0 bytes of data", MT_E_FORMAT, 1},
	{"structured", "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "got a structured one",
     MT_E_UNSUPPORTED, 4},
	{"subarray", "{'descr': ('<f4', (2,)), 'fortran_order': False, 'shape': (1,)}", "got a structured one",
     MT_E_UNSUPPORTED, 8},
	{"i1", DICT("|i1", "False", "(1,)"), "got '|i1' (another signed integer)", MT_E_UNSUPPORTED, 1},
	{"i2", DICT("<i2", "False", "(1,)"), "got '<i2' (another signed integer)", MT_E_UNSUPPORTED, 2},
	{"u2", DICT("<u2", "False", "(1,)"), "got '<u2' (another unsigned integer)", MT_E_UNSUPPORTED, 2},
	{"u4", DICT("<u4", "False", "(1,)"), "expected a dtype of f4 f8 f2 i4 i8 u1 b1, got '<u4'", MT_E_UNSUPPORTED, 4},
	{"u8", DICT("<u8", "False", "(1,)"), "got '<u8'", MT_E_UNSUPPORTED, 8},
	{"c8", DICT("<c8", "False", "(1,)"), "got '<c8' (complex numbers)", MT_E_UNSUPPORTED, 8},
	{"f16", DICT("<f16", "False", "(1,)"), "got '<f16' (another float)", MT_E_UNSUPPORTED, 16},
	{"strings", DICT("|S4", "False", "(1,)"), "got '|S4' (byte strings)", MT_E_UNSUPPORTED, 4},
	{"text", DICT("<U1", "False", "(1,)"), "got '<U1' (text)", MT_E_UNSUPPORTED, 4},
	{"objects", DICT("|O", "False", "(1,)"), "got '|O' (Python objects)", MT_E_UNSUPPORTED, 4},
	{"dates", DICT("<M8[ns]", "False", "(1,)"), "got '<M8[ns]' (dates)", MT_E_UNSUPPORTED, 8},
	{"bfloat16", DICT("<V2", "False", "(1,)"), "got '<V2' (raw bytes, as bfloat16 is stored)", MT_E_UNSUPPORTED, 2},
	{"no byte order", DICT("|f4", "False", "(1,)"), "got '|f4'", MT_E_UNSUPPORTED, 4},
	{"no order sign", DICT("f4", "False", "(1,)"), "got 'f4'", MT_E_UNSUPPORTED, 4},
	{"empty dtype", DICT("", "False", "(1,)"), "got '' (unknown)", MT_E_UNSUPPORTED, 4},
	{"long dtype", DICT("<f4444444444444444444444444444444", "False", "(1,)"), "got '<f444444444444444444'",
     MT_E_UNSUPPORTED, 4},
	{"bool 2", DICT("|b1", "False", "(1,)"), "expected a bool of 0 or 1, got 2", MT_E_FORMAT, 1},
};

static void check_bad(const char *message, mt_status expected) {
	mt_status status;
	MT_CHECK(mt_npy_read(files_path("a.npy")) == NULL);
	const char *got = mt_error_take(&status);
	MT_CHECK_CONTAINS(got, message);
	MT_CHECK_CONTAINS(got, "/a.npy: ");
	MT_CHECK_INT(status, expected);
}

static void test_bad(void) {
	static const unsigned char twos[16] = {2, 2, 2, 2, 2, 2, 2, 2};
	for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; i++) {
		mt_test_row("%s", bad_files[i].name);
		write_npy(1, bad_files[i].header, strlen(bad_files[i].header), twos, bad_files[i].bytes);
		check_bad(bad_files[i].message, bad_files[i].status);
	}
}

/* A NUL, wherever in a header it stands. */
static void test_nul(void) {
	char header[] = DICT("|u1", "False", "(1,)");
	size_t length = strlen(header);
	for (size_t i = 0; i < length; i++) {
		char was = header[i];
		mt_test_row("NUL at byte %zu", i);
		header[i] = '\0';
		write_npy(1, header, length, "\1", 1);
		MT_CHECK(mt_npy_read(files_path("a.npy")) == NULL);
		MT_CHECK(mt_error_peek() == MT_E_FORMAT || mt_error_peek() == MT_E_UNSUPPORTED);
		mt_error_take(NULL);
		header[i] = was;
	}
	mt_test_row("NUL after the dict");
	write_npy(1, header, length + 1, "\1", 1);
	check_bad("nothing but spaces after the dict", MT_E_FORMAT);
}

static void test_bad_start(void) {
	static const struct {
		const char *name, *raw;
		size_t bytes;
		const char *message;
		mt_status status;
	} rows[] = {
		{"empty", "", 0, "expected 8 bytes of magic number and version, got 0", MT_E_FORMAT},
		{"7 bytes", "\x93NUMPY\1", 7, "got 7", MT_E_FORMAT},
		{"another magic", "\x93NUMPy\1\0\0\0", 10, "NumPy's magic number", MT_E_FORMAT},
		{"version 0.0", "\x93NUMPY\0\0\0\0", 10, "1.0, 2.0 or 3.0, got 0.0", MT_E_UNSUPPORTED},
		{"version 1.1", "\x93NUMPY\1\1\0\0", 10, "got 1.1", MT_E_UNSUPPORTED},
		{"version 4.0", "\x93NUMPY\4\0\0\0\0\0", 12, "got 4.0", MT_E_UNSUPPORTED},
		{"half a length", "\x93NUMPY\1\0\0", 9, "expected 10 bytes of magic number, version and header length, got 9",
	     MT_E_FORMAT},
		{"half a long length", "\x93NUMPY\2\0\0\0\0", 11, "expected 12 bytes", MT_E_FORMAT},
		{"length beyond the file", "\x93NUMPY\1\0\2\0x", 11, "a header of at most 1 bytes, got 2", MT_E_FORMAT},
		{"length 2^32 - 1", "\x93NUMPY\2\0\xff\xff\xff\xff", 12, "a header of at most 0 bytes, got 4294967295",
	     MT_E_FORMAT},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("%s", rows[i].name);
		MT_REQUIRE(files_write("a.npy", rows[i].raw, rows[i].bytes));
		check_bad(rows[i].message, rows[i].status);
	}
}

/* A header longer than any of mt's dtypes needs is refused before it is read. */
static void test_long_header(void) {
	enum { BYTES = 70000 };
	char *raw = calloc(1, 12 + BYTES);
	MT_REQUIRE(raw != NULL);
	memset(raw, ' ', 12 + BYTES);
	memcpy(raw, "\x93NUMPY\2\0", 8);
	memcpy(raw + 8, (uint32_t[]){BYTES}, 4);
	MT_CHECK(files_write("a.npy", raw, 12 + BYTES));
	check_bad("expected a header of at most 65535 bytes, got 70000", MT_E_FORMAT);
	free(raw);
}

static void test_no_file(void) {
	MT_CHECK(mt_npy_read(NULL) == NULL);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "npy_read: path is NULL");
	MT_CHECK(mt_npy_read(files_path("nowhere")) == NULL);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "No such file");
	MT_CHECK(mt_npy_read(files_path(".")) == NULL);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "regular file");
	MT_REQUIRE(mkfifo(files_path("pipe"), 0600) == 0); /* nobody writes it: an open that waits would wait for ever */
	MT_CHECK(mt_npy_read(files_path("pipe")) == NULL);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "regular file");
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void test_write_errors(void) {
	mt_status status;
	struct stat before, after;
	const char *path = files_path("a.npy");
	mt_tensor *t = mt_ones(MT_SHAPE(2), MT_F32);
	MT_REQUIRE(files_write("a.npy", "old", 3) && stat(path, &before) == 0);
	MT_CHECK_INT(mt_npy_write(path, mt_cast(t, MT_BF16)), MT_E_DTYPE);
	MT_CHECK_CONTAINS(mt_error_take(&status), "a.npy: NumPy has no dtype bf16: cast to f32");
	MT_CHECK_INT(mt_npy_write(path, MT_NONE), MT_E_ARG);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "npy_write: t is MT_NONE");
	MT_CHECK_INT(mt_npy_write(path, NULL), MT_E_NULL);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "npy_write: t is NULL");
	MT_CHECK_INT(mt_npy_write(NULL, t), MT_E_NULL);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "npy_write: path is NULL");
	MT_CHECK(stat(path, &after) == 0 && before.st_ino == after.st_ino && after.st_size == 3);
	MT_CHECK_INT(mt_npy_write(files_path("no/where"), t), MT_E_IO);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "No such file");
	MT_CHECK_INT(mt_npy_write(files_path("."), t), MT_E_IO);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "not a regular file");
}

static const mt_test_case good_cases[] = {
	{"round_trip", test_round_trip}, {"bits", test_bits},       {"empty", test_empty},
	{"strided", test_strided},       {"graph", test_graph},     {"bytes", test_bytes},
	{"foreign", test_foreign},       {"fortran", test_fortran}, {0}};
static const mt_test_case bad_cases[] = {{"bad", test_bad},
                                         {"nul", test_nul},
                                         {"bad_start", test_bad_start},
                                         {"long_header", test_long_header},
                                         {"no_file", test_no_file},
                                         {"write_errors", test_write_errors},
                                         {0}};
static const mt_test_suite suites[] = {
	{"good", good_cases, files_make, NULL}, {"bad", bad_cases, NULL, files_remove}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
