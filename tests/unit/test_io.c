/* safetensors: round trips, a file by hand, and every way of being bad. */
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mt/mt.h"
#include "mt_test.h"

static char folder[64];

static int make_folder(void) {
	snprintf(folder, sizeof folder, "/tmp/mt-io.XXXXXX");
	return mkdtemp(folder) == NULL;
}

static const char *path_of(const char *name) {
	static char path[128];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static int remove_folder(void) {
	unlink(path_of("a.safetensors"));
	unlink(path_of("link.safetensors"));
	return rmdir(folder); /* fails where a temporary file was left behind */
}

/* Header and data as they are, with the length before them. */
static void write_file(const char *header, const void *data, size_t bytes) {
	uint64_t length = strlen(header);
	unsigned char raw[8];
	FILE *f = fopen(path_of("a.safetensors"), "wb");
	MT_REQUIRE(f != NULL);
	for (int i = 0; i < 8; i++)
		raw[i] = (unsigned char)(length >> 8 * i);
	fwrite(raw, 1, 8, f);
	fwrite(header, 1, (size_t)length, f);
	fwrite(data, 1, bytes, f);
	MT_CHECK_INT(fclose(f), 0);
}

/* ---- good files ------------------------------------------------------------------------------------------------- */

static int equal(mt_tensor *a, mt_tensor *b) {
	double all = 0;
	if (mt_tensor_dtype(a) != mt_tensor_dtype(b) || mt_tensor_rank(a) != mt_tensor_rank(b))
		return 0;
	for (int d = 0; d < mt_tensor_rank(a); d++)
		if (mt_tensor_size(a, d) != mt_tensor_size(b, d))
			return 0;
	if (mt_tensor_numel(a) == 0)
		return 1;
	return mt_item(mt_all(mt_eq(a, b), MT_ALL_AXES, 0), &all) == MT_OK && all == 1;
}

static void test_round_trip(void) {
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16, MT_BF16, MT_I32, MT_I64, MT_U8, MT_BOOL};
	enum { N = 12 };
	static const char *const names[N] = {"f32", "f64",  "f16", "bf16",  "i32",        "i64",
	                                     "u8",  "bool", "0-d", "empty", "transposed", "\"quoted\\ \xc3\xa9.\n"};
	mt_tensor *t[N];
	for (int i = 0; i < 8; i++)
		t[i] = mt_cast(mt_randint(0, 2, MT_SHAPE(3, 1 + i)), dtypes[i]);
	t[8] = mt_full(MT_SHAPE0, MT_F32, mt_f(2.5));
	t[9] = mt_zeros(MT_SHAPE(4, 0, 2), MT_F64);
	t[10] = mt_transpose(mt_randn(MT_SHAPE(2, 5), MT_F32), 0, 1);
	t[11] = mt_randn(MT_SHAPE(1, 1, 1, 1, 1, 1, 1, 2), MT_F32);
	if (!MT_CHECK_INT(mt_save_tensors(path_of("a.safetensors"), N, names, t), MT_OK))
		mt_test_note("%s", mt_error_take(NULL));
	mt_tensor_file *f = mt_tensor_file_open(path_of("a.safetensors"));
	MT_REQUIRE(f != NULL);
	MT_CHECK_INT(mt_tensor_file_count(f), N);
	for (int i = 0; i < N; i++) {
		int64_t at = mt_tensor_file_find(f, names[i]), shape[MT_MAX_RANK];
		int rank;
		mt_test_row("%s", names[i]);
		MT_CHECK_INT(mt_tensor_file_info(f, at, NULL, &rank, shape), MT_OK);
		MT_CHECK_INT(rank, mt_tensor_rank(t[i]));
		MT_CHECK_STR(mt_tensor_file_name(f, at), names[i]);
		MT_CHECK(equal(mt_tensor_file_read(f, at), t[i]));
	}
	MT_CHECK(mt_tensor_file_name(f, N) == NULL && mt_tensor_file_find(f, "no") == -1);
	MT_CHECK(mt_tensor_file_read(f, N) == NULL);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "tensor 12 is out of range");
	mt_tensor_file_close(f);
	mt_tensor_file_close(NULL);
}

/* A file as another program writes it: spaces, metadata, tensors not in the order of the data. */
static void test_foreign_file(void) {
	const float data[] = {1, 2, 3, 4, 5};
	write_file(
		"{ \"b\" : {\"shape\":[2, 1],\"dtype\":\"F32\",\"data_offsets\":[12,20]},\n"
		"\"__metadata__\":{\"format\":\"pt\"}, \"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}   ",
		data, sizeof data);
	mt_tensor_file *f = mt_tensor_file_open(path_of("a.safetensors"));
	MT_REQUIRE(f != NULL);
	MT_CHECK_INT(mt_tensor_file_count(f), 2);
	MT_CHECK_STR(mt_tensor_file_name(f, 0), "a");
	MT_CHECK(equal(mt_tensor_file_read(f, 1), mt_from_data(MT_SHAPE(2, 1), MT_F32, data + 3)));
	mt_tensor_file_close(f);
}

/* The bytes on disk: what other programs will read. */
static void test_bytes(void) {
	static const char header[] = "{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
	static const float data[] = {1.5f, -2};
	static const char *const name = "w";
	unsigned char got[128];
	mt_tensor *t = mt_from_data(MT_SHAPE(2), MT_F32, data);
	MT_REQUIRE(mt_save_tensors(path_of("a.safetensors"), 1, &name, &t) == MT_OK);
	FILE *f = fopen(path_of("a.safetensors"), "rb");
	MT_REQUIRE(f != NULL);
	size_t bytes = fread(got, 1, sizeof got, f);
	fclose(f);
	size_t padded = (sizeof header - 1 + 7) / 8 * 8;
	MT_CHECK_INT(bytes, 8 + padded + sizeof data);
	MT_CHECK_INT(got[0], padded);
	MT_CHECK(memcmp(got + 8, header, sizeof header - 1) == 0);
	MT_CHECK(memcmp(got + 8 + padded, data, sizeof data) == 0);
}

/* ---- bad files -------------------------------------------------------------------------------------------------- */

#define ENTRY(dtype, shape, offsets) "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static const struct {
	const char *name, *header, *message;
	mt_status status;
	size_t bytes; /* of data */
} bad_files[] = {
	{"not JSON", "hello", "expected a JSON header", MT_E_FORMAT, 0},
	{"empty header", "", "expected a JSON header", MT_E_FORMAT, 0},
	{"a list", "[]", "expected a JSON object", MT_E_FORMAT, 0},
	{"text after", "{} x", "expected a JSON header", MT_E_FORMAT, 0},
	{"duplicate", "{\"a\":" ENTRY("U8", "[0]", "[0,0]") ",\"a\":" ENTRY("U8", "[0]", "[0,0]") "}", "duplicate",
     MT_E_FORMAT, 0},
	{"not an object", "{\"a\":3}", "'a': expected an object of dtype", MT_E_FORMAT, 0},
	{"no dtype", "{\"a\":{\"shape\":[1],\"data_offsets\":[0,1]}}", "'a': expected an object of dtype", MT_E_FORMAT, 1},
	{"extra key", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"x\":1}}", "'a': expected an object",
     MT_E_FORMAT, 1},
	{"unknown dtype", "{\"a\":" ENTRY("F8_E4M3", "[1]", "[0,1]") "}", "got F8_E4M3", MT_E_UNSUPPORTED, 1},
	{"rank 9", "{\"a\":" ENTRY("U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]") "}", "at most 8 dims, got 9", MT_E_UNSUPPORTED, 1},
	{"shape a number", "{\"a\":" ENTRY("U8", "1", "[0,1]") "}", "a list as shape", MT_E_FORMAT, 1},
	{"negative extent", "{\"a\":" ENTRY("U8", "[-1]", "[0,1]") "}", "extents", MT_E_FORMAT, 1},
	{"real extent", "{\"a\":" ENTRY("U8", "[1.0]", "[0,1]") "}", "extents", MT_E_FORMAT, 1},
	{"huge extents", "{\"a\":" ENTRY("U8", "[4294967296,4294967296]", "[0,1]") "}", "too large", MT_E_FORMAT, 1},
	{"huge integer", "{\"a\":" ENTRY("U8", "[99999999999999999999]", "[0,1]") "}", "JSON header", MT_E_FORMAT, 1},
	{"size and shape", "{\"a\":" ENTRY("F32", "[2]", "[0,4]") "}",
     "'a': expected 8 bytes from its shape and dtype, got 4", MT_E_FORMAT, 4},
	{"one offset", "{\"a\":" ENTRY("U8", "[1]", "[0]") "}", "two ascending", MT_E_FORMAT, 1},
	{"three offsets", "{\"a\":" ENTRY("U8", "[1]", "[0,1,2]") "}", "two ascending", MT_E_FORMAT, 1},
	{"offsets fall", "{\"a\":" ENTRY("U8", "[1]", "[1,0]") "}", "two ascending", MT_E_FORMAT, 1},
	{"negative offset", "{\"a\":" ENTRY("U8", "[2]", "[-1,1]") "}", "two ascending", MT_E_FORMAT, 1},
	{"past the end", "{\"a\":" ENTRY("U8", "[2]", "[0,2]") "}", "up to byte 2, got a file with 1 bytes", MT_E_FORMAT,
     1},
	{"gap", "{\"a\":" ENTRY("U8", "[1]", "[1,2]") "}", "at byte 0, got 1 (gap)", MT_E_FORMAT, 2},
	{"overlap", "{\"a\":" ENTRY("U8", "[2]", "[0,2]") ",\"b\":" ENTRY("U8", "[2]", "[1,3]") "}",
     "'b': expected its data at byte 2, got 1 (overlap)", MT_E_FORMAT, 3},
	{"trailing data", "{\"a\":" ENTRY("U8", "[1]", "[0,1]") "}", "expected 1 bytes of data, got 3", MT_E_FORMAT, 3},
	{"duplicate in an entry", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"shape\":[1],\"data_offsets\":[0,1]}}",
     "duplicate", MT_E_FORMAT, 1},
	{"two metadata", "{\"__metadata__\":{},\"__metadata__\":{}}", "duplicate", MT_E_FORMAT, 0},
	{"NUL in a name", "{\"a\\u0000b\":" ENTRY("U8", "[1]", "[0,1]") "}", "JSON header", MT_E_FORMAT, 1},
	{"name not UTF-8", "{\"\xff\":" ENTRY("U8", "[1]", "[0,1]") "}", "JSON header", MT_E_FORMAT, 1},
	{"no end", "{\"a\":" ENTRY("U8", "[1]", "[0,1]"), "JSON header", MT_E_FORMAT, 1},
	{"comma at the end", "{\"a\":" ENTRY("U8", "[1]", "[0,1]") ",}", "JSON header", MT_E_FORMAT, 1},
	{"dtype a number", "{\"a\":{\"dtype\":1,\"shape\":[1],\"data_offsets\":[0,1]}}", "'a': expected an object of dtype",
     MT_E_FORMAT, 1},
	{"dtype in small letters", "{\"a\":" ENTRY("u8", "[1]", "[0,1]") "}", "got u8", MT_E_UNSUPPORTED, 1},
	{"shape null", "{\"a\":" ENTRY("U8", "null", "[0,1]") "}", "a list as shape", MT_E_FORMAT, 1},
	{"list in a shape", "{\"a\":" ENTRY("U8", "[[1]]", "[0,1]") "}", "extents", MT_E_FORMAT, 1},
	{"extent 2^63 - 1", "{\"a\":" ENTRY("U8", "[9223372036854775807]", "[0,1]") "}",
     "expected 9223372036854775807 bytes from its shape and dtype, got 1", MT_E_FORMAT, 1},
	{"2^63 bytes", "{\"a\":" ENTRY("F64", "[1152921504606846976]", "[0,8]") "}", "too large", MT_E_FORMAT, 8},
	{"extent 2^63", "{\"a\":" ENTRY("U8", "[9223372036854775808]", "[0,1]") "}", "JSON header", MT_E_FORMAT, 1},
	{"offset 2^63 - 1", "{\"a\":" ENTRY("U8", "[1]", "[0,9223372036854775807]") "}", "up to byte 9223372036854775807",
     MT_E_FORMAT, 1},
	{"offset 2^64", "{\"a\":" ENTRY("U8", "[1]", "[0,18446744073709551616]") "}", "JSON header", MT_E_FORMAT, 1},
	{"real offset", "{\"a\":" ENTRY("U8", "[1]", "[0,1.0]") "}", "two ascending", MT_E_FORMAT, 1},
	{"offsets an object", "{\"a\":" ENTRY("U8", "[1]", "{}") "}", "two ascending", MT_E_FORMAT, 1},
	{"the same data twice", "{\"a\":" ENTRY("U8", "[1]", "[0,1]") ",\"b\":" ENTRY("U8", "[1]", "[0,1]") "}",
     "(overlap)", MT_E_FORMAT, 1},
	{"truncated data", "{\"a\":" ENTRY("F32", "[2]", "[0,8]") "}", "up to byte 8, got a file with 7 bytes", MT_E_FORMAT,
     7},
	{"metadata a list", "{\"__metadata__\":[]}", "as __metadata__", MT_E_FORMAT, 0},
	{"metadata a number", "{\"__metadata__\":{\"k\":1}}", "text as 'k'", MT_E_FORMAT, 0},
};

static void test_bad_files(void) {
	static const char zeros[16];
	for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; i++) {
		mt_status status;
		mt_test_row("%s", bad_files[i].name);
		write_file(bad_files[i].header, zeros, bad_files[i].bytes);
		mt_tensor_file *f = mt_tensor_file_open(path_of("a.safetensors"));
		MT_CHECK(f == NULL);
		mt_tensor_file_close(f);
		const char *message = mt_error_take(&status);
		MT_CHECK_CONTAINS(message, bad_files[i].message);
		MT_CHECK_CONTAINS(message, "/a.safetensors: ");
		MT_CHECK_INT(status, bad_files[i].status);
	}
}

static void test_bad_length(void) {
	static const struct {
		const char *name;
		unsigned char raw[9];
		size_t bytes;
		const char *message;
	} rows[] = {
		{"empty file", {0}, 0, "expected 8 bytes of header length, got a file of 0"},
		{"7 bytes", {0}, 7, "got a file of 7"},
		{"beyond the file", {2}, 9, "a header of at most 1 bytes, got 2"},
		{"2^64 - 1", {255, 255, 255, 255, 255, 255, 255, 255}, 9, "got 18446744073709551615"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("%s", rows[i].name);
		FILE *f = fopen(path_of("a.safetensors"), "wb");
		MT_REQUIRE(f != NULL);
		fwrite(rows[i].raw, 1, rows[i].bytes, f);
		fclose(f);
		MT_CHECK(mt_tensor_file_open(path_of("a.safetensors")) == NULL);
		MT_CHECK_CONTAINS(mt_error_take(NULL), rows[i].message);
	}
	MT_CHECK(mt_tensor_file_open(path_of("nowhere")) == NULL);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "No such file");
	MT_CHECK(mt_tensor_file_open(folder) == NULL);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "regular file");
}

/* Nesting that would overflow a stack: Jansson stops at a depth of its own. */
static void test_deep_json(void) {
	enum { DEPTH = 1000000 };
	static const char *const openings[] = {"[", "{\"a\":", "{\"a\":{\"shape\":["};
	for (size_t i = 0; i < sizeof openings / sizeof *openings; i++) {
		size_t length = strlen(openings[i]);
		char *header = malloc(DEPTH + 1);
		MT_REQUIRE(header != NULL);
		mt_test_row("%s", openings[i]);
		for (size_t at = 0; at < DEPTH; at++)
			header[at] = openings[i][at < length ? at : i == 1 ? at % length : length - 1];
		header[DEPTH] = '\0';
		write_file(header, "", 0);
		free(header);
		MT_CHECK(mt_tensor_file_open(path_of("a.safetensors")) == NULL);
		MT_CHECK_CONTAINS(mt_error_take(NULL), "expected a JSON header, got: maximum parsing depth reached");
	}
}

/* A pipe that nobody writes is refused, not waited for. */
static void test_pipe(void) {
	MT_REQUIRE(mkfifo(path_of("pipe"), 0600) == 0);
	MT_CHECK(mt_tensor_file_open(path_of("pipe")) == NULL);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "/pipe: expected a regular file");
	unlink(path_of("pipe"));
}

static void test_bad_bool(void) {
	static const unsigned char two[] = {1, 2};
	write_file("{\"a\":" ENTRY("BOOL", "[2]", "[0,2]") "}", two, 2);
	mt_tensor_file *f = mt_tensor_file_open(path_of("a.safetensors"));
	MT_REQUIRE(f != NULL);
	MT_CHECK(mt_tensor_file_read(f, 0) == NULL);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "'a': expected a bool of 0 or 1, got 2");
	mt_tensor_file_close(f);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void test_save_errors(void) {
	static const char *const twice[] = {"a", "a"}, *const metadata = "__metadata__", *const raw = "\xff",
							 *const a = "a";
	mt_tensor *t[] = {mt_ones(MT_SHAPE(1), MT_F32), mt_ones(MT_SHAPE(1), MT_F32)}, *none = MT_NONE;
	const char *path = path_of("a.safetensors");
	struct stat before, after;
	write_file("{}", "", 0);
	MT_REQUIRE(stat(path, &before) == 0);
	MT_CHECK_INT(mt_save_tensors(path, 2, twice, t), MT_E_ARG);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "two tensors are named 'a'");
	MT_CHECK_INT(mt_save_tensors(path, 1, &metadata, t), MT_E_ARG);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "'__metadata__' is not allowed");
	MT_CHECK_INT(mt_save_tensors(path, 1, &raw, t), MT_E_ARG);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "not valid UTF-8");
	MT_CHECK_INT(mt_save_tensors(path, 1, &a, &none), MT_E_ARG);
	mt_error_take(NULL);
	MT_REQUIRE(stat(path, &after) == 0);
	MT_CHECK(before.st_ino == after.st_ino && after.st_size == 10);
	MT_CHECK_INT(mt_save_tensors(path_of("no/where"), 1, &a, t), MT_E_IO);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "No such file");
	MT_CHECK_INT(mt_save_tensors(folder, 1, &a, t), MT_E_IO);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "not a regular file");
	MT_REQUIRE(mkfifo(path_of("pipe"), 0600) == 0); /* as a device would be: a rename would replace it */
	MT_CHECK_INT(mt_save_tensors(path_of("pipe"), 1, &a, t), MT_E_IO);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "/pipe: cannot write: not a regular file");
	unlink(path_of("pipe"));
}

/* Saving over a symbolic link replaces what it leads to. */
static void test_save_through_link(void) {
	static const char *const a = "a";
	struct stat info;
	char target[128];
	mt_tensor *t = mt_ones(MT_SHAPE(1), MT_F32);
	snprintf(target, sizeof target, "%s", path_of("a.safetensors"));
	write_file("{}", "", 0);
	MT_REQUIRE(symlink(target, path_of("link.safetensors")) == 0);
	MT_CHECK_INT(mt_save_tensors(path_of("link.safetensors"), 1, &a, &t), MT_OK);
	MT_CHECK(lstat(path_of("link.safetensors"), &info) == 0 && S_ISLNK(info.st_mode));
	MT_CHECK(stat(target, &info) == 0 && info.st_size > 10);
}

/* ---- modules ---------------------------------------------------------------------------------------------------- */

static mt_module *net(int64_t hidden) {
	mt_module *a = mt_nn_linear(3, hidden, 1), *b = mt_nn_relu(), *c = mt_nn_linear(hidden, 2, 0);
	return mt_nn_sequential(3, (mt_module *[]){a, b, c});
}

static void test_state(void) {
	const char *path = path_of("a.safetensors");
	mt_module *a = net(4), *b = net(4);
	mt_tensor *x = mt_randn(MT_SHAPE(5, 3), MT_F32);
	MT_CHECK(!equal(mt_forward(a, x), mt_forward(b, x)));
	MT_CHECK_INT(mt_save_state(a, path), MT_OK);
	if (!MT_CHECK_INT(mt_load_state(b, path), MT_OK))
		mt_test_note("%s", mt_error_take(NULL));
	MT_CHECK(equal(mt_forward(a, x), mt_forward(b, x)));
	MT_CHECK(mt_tensor_is_leaf(mt_module_get(b, "0.weight")) && mt_grad_enabled());
	mt_module_free(a);
	mt_module_free(b);
}

static void test_state_converts(void) {
	static const char *const names[] = {"0.weight", "0.bias", "2.weight"};
	double value;
	mt_module *m = net(2);
	mt_tensor *t[] = {mt_full(MT_SHAPE(2, 3), MT_F64, mt_f(0.1)), mt_full(MT_SHAPE(2), MT_F16, mt_f(1.5)),
	                  mt_ones(MT_SHAPE(2, 2), MT_F32)};
	MT_REQUIRE(mt_save_tensors(path_of("a.safetensors"), 3, names, t) == MT_OK);
	MT_CHECK_INT(mt_load_state(m, path_of("a.safetensors")), MT_OK);
	MT_REQUIRE(mt_get(mt_module_get(m, "0.weight"), (int64_t[]){1, 2}, &value) == MT_OK);
	MT_CHECK_NEAR(value, (double)0.1f, 0);
	mt_module_free(m);
}

static void test_state_mismatch(void) {
	static const char *const names[] = {"0.weight", "0.bias", "2.weight", "more"};
	static const struct {
		const char *name, *message;
		int n;
		int64_t rows;
		mt_dtype dtype; /* of 2.weight */
		mt_status status;
	} rows[] = {
		{"missing", "tensor '2.weight' is missing", 2, 2, MT_F32, MT_E_FORMAT},
		{"extra", "tensor 'more' is not part of the module", 4, 2, MT_F32, MT_E_FORMAT},
		{"shape", "'2.weight': expected shape [2, 2], got [3, 2]", 3, 3, MT_F32, MT_E_SHAPE},
		{"dtype", "'2.weight': expected dtype f32, got i64", 3, 2, MT_I64, MT_E_DTYPE},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_status status;
		double value;
		mt_test_row("%s", rows[i].name);
		mt_module *m = net(2);
		mt_init_constant(mt_module_get(m, "0.bias"), 7);
		mt_tensor *t[] = {mt_ones(MT_SHAPE(2, 3), MT_F32), mt_ones(MT_SHAPE(2), MT_F32),
		                  mt_ones(MT_SHAPE(rows[i].rows, 2), rows[i].dtype), mt_ones(MT_SHAPE(1), MT_F32)};
		MT_REQUIRE(mt_save_tensors(path_of("a.safetensors"), rows[i].n, names, t) == MT_OK);
		MT_CHECK(mt_load_state(m, path_of("a.safetensors")) != MT_OK);
		MT_CHECK_CONTAINS(mt_error_take(&status), rows[i].message);
		MT_CHECK_INT(status, rows[i].status);
		MT_REQUIRE(mt_get(mt_module_get(m, "0.bias"), (int64_t[]){0}, &value) == MT_OK);
		MT_CHECK_NEAR(value, 7, 0); /* untouched, though its own tensor would have fitted */
		mt_module_free(m);
	}
}

/* What a killed process left beside the file goes with the next write; another's file that is alive stays, and so does
 * what only looks alike. */
static void test_left_behind(void) {
	char dead[128], alive[128], alike[128];
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	MT_REQUIRE(child > 0 && waitpid(child, NULL, 0) == child);
	snprintf(dead, sizeof dead, "%s/a.safetensors.tmp-%ld-0", folder, (long)child);
	snprintf(alive, sizeof alive, "%s/a.safetensors.tmp-%ld-9", folder, (long)getppid());
	snprintf(alike, sizeof alike, "%s/a.safetensors.tmp-%ld-0x", folder, (long)child);
	MT_REQUIRE(mt_write_file(dead, "x", 1) == MT_OK && mt_write_file(alive, "x", 1) == MT_OK &&
	           mt_write_file(alike, "x", 1) == MT_OK);
	MT_CHECK_INT(mt_write_file(path_of("a.safetensors"), "new", 3), MT_OK);
	int nameless = access("/proc/self/fd", X_OK) == 0 && open(folder, O_WRONLY | O_TMPFILE, 0600) >= 0;
	if (nameless)
		MT_CHECK(access(dead, F_OK) != 0);
	MT_CHECK(access(alive, F_OK) == 0 && access(alike, F_OK) == 0);
	unlink(dead);
	unlink(alive);
	unlink(alike);
}

static const mt_test_case file_cases[] = {{"round_trip", test_round_trip},
                                          {"foreign", test_foreign_file},
                                          {"bytes", test_bytes},
                                          {"bad", test_bad_files},
                                          {"bad_length", test_bad_length},
                                          {"deep_json", test_deep_json},
                                          {"pipe", test_pipe},
                                          {"bad_bool", test_bad_bool},
                                          {"save_errors", test_save_errors},
                                          {"save_through_link", test_save_through_link},
                                          {"left_behind", test_left_behind},
                                          {0}};
static const mt_test_case state_cases[] = {
	{"round_trip", test_state}, {"converts", test_state_converts}, {"mismatch", test_state_mismatch}, {0}};
static const mt_test_suite suites[] = {
	{"file", file_cases, make_folder, NULL}, {"state", state_cases, NULL, remove_folder}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
