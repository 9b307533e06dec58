/* .npz: round trips, archives by hand, and every way of being bad. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include "files.h"
#include "mt_test.h"

static const char *archive(void) {
	return files_path("a.npz");
}

static mt_npz *open_archive(void) {
	mt_npz *z = mt_npz_open(archive());
	if (!MT_CHECK(z != NULL))
		mt_test_note("%s", mt_error_take(NULL));
	return z;
}

/* ---- good archives ---------------------------------------------------------------------------------------------- */

enum { N = 11 };

static const char *const names[N] = {
	"f32", "f64", "f16", "i32", "i64", "u8", "bool", "0-d", "empty", "a/b c.npy", "\"quoted\\ \xc3\xa9\xe4\xb8\xad\n"};

static void make_tensors(mt_tensor **t) {
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16, MT_I32, MT_I64, MT_U8, MT_BOOL};
	for (int i = 0; i < 7; i++)
		t[i] = mt_cast(mt_randint(0, 200, MT_SHAPE(3, 1 + i)), dtypes[i]);
	t[7] = mt_full(MT_SHAPE0, MT_F32, mt_f(2.5));
	t[8] = mt_zeros(MT_SHAPE(4, 0, 2), MT_F64);
	t[9] = mt_transpose(mt_randn(MT_SHAPE(200, 50), MT_F32), 0, 1);
	t[10] = mt_flip(mt_randn(MT_SHAPE(1, 1, 1, 1, 1, 1, 1, 20), MT_F32), 7);
}

static void check_round_trip(int compress) {
	mt_tensor *t[N];
	make_tensors(t);
	if (!MT_CHECK_INT(mt_npz_write(archive(), N, names, t, compress), MT_OK))
		mt_test_note("%s", mt_error_take(NULL));
	mt_npz *z = open_archive();
	MT_REQUIRE(z != NULL);
	MT_CHECK_INT(mt_npz_count(z), N);
	for (int i = 0; i < N; i++) {
		int64_t shape[MT_MAX_RANK];
		mt_dtype dtype = 0;
		int rank = -1;
		mt_test_row("%s, compress %d", names[i], compress);
		MT_CHECK_STR(mt_npz_name(z, i), names[i]);
		MT_CHECK_INT(mt_npz_find(z, names[i]), i);
		MT_CHECK_INT(mt_npz_info(z, i, &dtype, &rank, shape), MT_OK);
		MT_CHECK_INT(dtype, mt_tensor_dtype(t[i]));
		MT_CHECK_INT(rank, mt_tensor_rank(t[i]));
		for (int d = 0; d < rank; d++)
			MT_CHECK_INT(shape[d], mt_tensor_size(t[i], d));
		MT_CHECK(files_same(mt_npz_read(z, i), t[i]));
		MT_CHECK(files_same(mt_npz_read(z, i), t[i])); /* again, and in any order */
	}
	mt_npz_close(z);
}

static void test_round_trip(void) {
	check_round_trip(0);
	check_round_trip(1);
}

static void test_lookup(void) {
	static const char *const three[] = {"x", "y.npy", "y"};
	mt_tensor *t[] = {mt_ones(MT_SHAPE(1), MT_F32), mt_ones(MT_SHAPE(2), MT_F32), mt_ones(MT_SHAPE(3), MT_F32)};
	MT_REQUIRE(mt_npz_write(archive(), 3, three, t, 0) == MT_OK);
	mt_npz *z = open_archive();
	MT_REQUIRE(z != NULL);
	MT_CHECK_INT(mt_npz_find(z, "x"), 0);
	MT_CHECK_INT(mt_npz_find(z, "x.npy"), 0);
	MT_CHECK_INT(mt_npz_find(z, "y.npy"), 1); /* the listed name before the member's */
	MT_CHECK_INT(mt_npz_find(z, "y"), 2);
	MT_CHECK_INT(mt_npz_find(z, "y.npy.npy"), 1);
	MT_CHECK_INT(mt_npz_find(z, "x.np"), -1);
	MT_CHECK_INT(mt_npz_find(z, ".npy"), -1);
	MT_CHECK_INT(mt_npz_find(z, ""), -1);
	MT_CHECK_INT(mt_npz_find(z, NULL), -1);
	MT_CHECK(mt_npz_name(z, 3) == NULL && mt_npz_name(z, -1) == NULL);
	MT_CHECK(mt_npz_read(z, 3) == NULL);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "npz_read: ");
	MT_CHECK_INT(mt_npz_info(z, -1, NULL, NULL, NULL), MT_E_ARG);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "/a.npz: array -1 is out of range, there are 3");
	MT_CHECK_INT(mt_npz_info(z, 0, NULL, NULL, NULL), MT_OK);
	mt_npz_close(z);
	mt_npz_close(NULL);
	MT_CHECK_INT(mt_npz_count(NULL), 0);
	MT_CHECK(mt_npz_name(NULL, 0) == NULL && mt_npz_read(NULL, 0) == NULL);
	mt_error_take(NULL);
}

static void test_no_arrays(void) {
	MT_CHECK_INT(mt_npz_write(archive(), 0, NULL, NULL, 1), MT_OK);
	mt_npz *z = open_archive();
	MT_REQUIRE(z != NULL);
	MT_CHECK_INT(mt_npz_count(z), 0);
	mt_npz_close(z);
}

static void test_same_bytes(void) {
	mt_tensor *t[N];
	size_t a_bytes = 0, b_bytes = 0;
	make_tensors(t);
	MT_REQUIRE(mt_npz_write(archive(), N, names, t, 1) == MT_OK);
	unsigned char *a = files_read("a.npz", &a_bytes);
	MT_REQUIRE(mt_npz_write(archive(), N, names, t, 1) == MT_OK);
	unsigned char *b = files_read("a.npz", &b_bytes);
	MT_CHECK(a && b && a_bytes == b_bytes && memcmp(a, b, a_bytes) == 0);
	free(a);
	free(b);
}

static void test_compress(void) {
	static const char *const zeros = "zeros";
	mt_tensor *t = mt_zeros(MT_SHAPE(1000, 100), MT_F32);
	struct stat stored, deflated;
	MT_REQUIRE(mt_npz_write(archive(), 1, &zeros, &t, 0) == MT_OK && stat(archive(), &stored) == 0);
	MT_REQUIRE(mt_npz_write(archive(), 1, &zeros, &t, 1) == MT_OK && stat(archive(), &deflated) == 0);
	MT_CHECK(stored.st_size > 400000 && stored.st_size < 401000);
	MT_CHECK(deflated.st_size < 4000);
	mt_npz *z = open_archive();
	MT_CHECK(files_same(mt_npz_read(z, 0), t)); /* deflate's best: near the most it can expand */
	mt_npz_close(z);
}

/* ---- archives by hand ------------------------------------------------------------------------------------------- */

#define NPY(descr, shape) "\x93NUMPY\x01\x00\x60\x00{'descr': '" descr "', 'fortran_order': False, 'shape': " shape "}"

enum { HEAD = 10 + 96, MEMBER = HEAD + 8 };

/* A .npy with 8 bytes of data, whatever its header says. */
static void make_member(unsigned char *out, const char *header) {
	memset(out, ' ', MEMBER);
	memcpy(out, header, 10);
	memcpy(out + 10, header + 10, strlen(header + 10));
	memcpy(out + HEAD, "\1\2\3\4\5\6\7\10", 8);
}

static void make_zip(int n, const char *const *members, unsigned char (*data)[MEMBER], const size_t *bytes,
                     int method) {
	unlink(archive());
	zip_t *z = zip_open(archive(), ZIP_CREATE, NULL);
	MT_REQUIRE(z != NULL);
	for (int i = 0; i < n; i++) {
		zip_int64_t at = zip_file_add(z, members[i], zip_source_buffer(z, data[i], bytes[i], 0), ZIP_FL_ENC_UTF_8);
		MT_CHECK(at >= 0 && zip_set_file_compression(z, (zip_uint64_t)at, method, 0) == 0);
	}
	MT_CHECK_INT(zip_close(z), 0);
}

/* Members without .npy, ones that are no arrays, and good ones beside them. */
static void test_foreign(void) {
	static const char *const members[] = {"bare", "text.txt", "i2.npy", "good.npy", "short.npy", "folder/"};
	unsigned char data[6][MEMBER];
	const size_t bytes[] = {MEMBER, 20, MEMBER, MEMBER, 5, 0};
	make_member(data[0], NPY("|u1", "(8,)"));
	memset(data[1], 'x', MEMBER);
	make_member(data[2], NPY("<i2", "(4,)"));
	make_member(data[3], NPY("<i4", "(2,)"));
	make_member(data[4], NPY("<i4", "(2,)"));
	make_zip(6, members, data, bytes, ZIP_CM_DEFLATE);
	mt_npz *z = open_archive();
	MT_REQUIRE(z != NULL);
	MT_CHECK_INT(mt_npz_count(z), 6);
	MT_CHECK(files_same(mt_npz_read(z, 0), mt_from_data(MT_SHAPE(8), MT_U8, data[0] + HEAD)));
	MT_CHECK(mt_npz_read(z, 1) == NULL);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "/a.npz: array 'text.txt': expected NumPy's magic number");
	MT_CHECK_INT(mt_npz_info(z, 2, NULL, NULL, NULL), MT_E_UNSUPPORTED);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "array 'i2': expected a dtype");
	MT_CHECK(files_same(mt_npz_read(z, 3), mt_from_data(MT_SHAPE(2), MT_I32, data[3] + HEAD)));
	MT_CHECK(mt_npz_read(z, 4) == NULL);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "array 'short': expected 8 bytes");
	MT_CHECK(mt_npz_read(z, 5) == NULL);
	mt_error_take(NULL);
	mt_npz_close(z);
}

/* ---- bad archives ----------------------------------------------------------------------------------------------- */

static unsigned char *find_mark(unsigned char *data, size_t bytes, const char *mark) {
	return memmem(data, bytes, mark, 4);
}

/* Where a field lies: in the member's local header, in the central directory, in its data, at the end's record. */
enum place { LOCAL, CENTRAL, DATA, END };

static const struct bad {
	const char *name;
	int method;
	const char *header;
	enum place place;
	int at, bytes;
	uint64_t value; /* written there, little-endian */
	mt_status status;
	const char *message;
	int opens; /* the directory is fine, the member is not */
} bad_archives[] = {
	{"a shape of more", ZIP_CM_STORE, NPY("|u1", "(9,)"), LOCAL, 0, 0, 0, MT_E_FORMAT, "expected 9 bytes of data", 1},
	{"a shape of less", ZIP_CM_DEFLATE, NPY("|u1", "(7,)"), LOCAL, 0, 0, 0, MT_E_FORMAT, "expected 7 bytes of data", 1},
	{"a shape of 2^62", ZIP_CM_DEFLATE, NPY("|u1", "(4611686018427387904,)"), LOCAL, 0, 0, 0, MT_E_FORMAT,
     "expected 4611686018427387904 bytes of data", 1},
	{"a size that deflate cannot make", ZIP_CM_DEFLATE, NPY("|u1", "(8,)"), CENTRAL, 24, 4, 0x7fffffff, MT_E_FORMAT,
     "expected a size that", 1},
	{"a stored size of more", ZIP_CM_STORE, NPY("|u1", "(9,)"), CENTRAL, 24, 4, MEMBER + 1, MT_E_FORMAT,
     "expected a size that", 1},
	{"a compressed size of more", ZIP_CM_STORE, NPY("|u1", "(8,)"), CENTRAL, 20, 4, 0x7fffffff, MT_E_FORMAT, "", 1},
	{"a deflated size of less", ZIP_CM_DEFLATE, NPY("|u1", "(7,)"), CENTRAL, 24, 4, MEMBER - 1, MT_E_FORMAT, "", 1},
	{"a deflated size of more", ZIP_CM_DEFLATE, NPY("|u1", "(9,)"), CENTRAL, 24, 4, MEMBER + 1, MT_E_FORMAT, "", 1},
	{"lzma", ZIP_CM_STORE, NPY("|u1", "(8,)"), CENTRAL, 10, 2, 14, MT_E_UNSUPPORTED,
     "expected a member stored (0) or deflated (8), got compression method 14", 1},
	{"deflated, says the directory", ZIP_CM_STORE, NPY("|u1", "(8,)"), CENTRAL, 10, 2, 8, MT_E_FORMAT, "", 1},
	{"encrypted", ZIP_CM_STORE, NPY("|u1", "(8,)"), CENTRAL, 8, 2, 1, MT_E_UNSUPPORTED, "is encrypted", 1},
	{"a bit of the data", ZIP_CM_STORE, NPY("|u1", "(8,)"), DATA, HEAD + 2, 1, 99, MT_E_FORMAT, "array 'a': CRC error",
     1},
	{"the checksum", ZIP_CM_DEFLATE, NPY("|u1", "(8,)"), CENTRAL, 16, 4, 99, MT_E_FORMAT, "CRC error", 1},
	{"a member past the end", ZIP_CM_STORE, NPY("|u1", "(8,)"), CENTRAL, 42, 4, 0x7fffffff, MT_E_FORMAT, "", 1},
	{"a local header of more", ZIP_CM_STORE, NPY("|u1", "(8,)"), LOCAL, 28, 2, 0xffff, MT_E_FORMAT, "array 'a': ", 1},
	{"a directory past the end", ZIP_CM_STORE, NPY("|u1", "(8,)"), END, 16, 4, 0x7fffffff, MT_E_FORMAT, "a.npz: ", 0},
	{"a directory of more", ZIP_CM_STORE, NPY("|u1", "(8,)"), END, 12, 4, 0x7fffffff, MT_E_FORMAT, "a.npz: ", 0},
	{"65000 members", ZIP_CM_STORE, NPY("|u1", "(8,)"), END, 8, 4, 65000u << 16 | 65000, MT_E_FORMAT, "a.npz: ", 0},
};

static void spoil(const struct bad *b) {
	size_t bytes = 0;
	unsigned char *raw = files_read("a.npz", &bytes);
	MT_REQUIRE(raw != NULL);
	unsigned char *at = b->place == LOCAL     ? raw
	                    : b->place == CENTRAL ? find_mark(raw, bytes, "PK\1\2")
	                    : b->place == DATA    ? find_mark(raw, bytes, "\x93NUM")
	                                          : find_mark(raw, bytes, "PK\5\6");
	for (int i = 0; at && i < b->bytes; i++)
		at[b->at + i] = (unsigned char)(b->value >> 8 * i);
	MT_CHECK(at != NULL && files_write("a.npz", raw, bytes));
	free(raw);
}

static void check_bad(const char *message, mt_status expected, int opens) {
	mt_status status;
	mt_npz *z = mt_npz_open(archive());
	MT_CHECK_INT(z != NULL, opens);
	if (z != NULL)
		MT_CHECK(mt_npz_read(z, 0) == NULL);
	mt_npz_close(z);
	const char *got = mt_error_take(&status);
	MT_CHECK_CONTAINS(got, message);
	MT_CHECK_CONTAINS(got, "/a.npz: ");
	MT_CHECK_INT(status, expected);
}

static void test_bad(void) {
	static const char *const name = "a.npy";
	const size_t bytes = MEMBER;
	for (size_t i = 0; i < sizeof bad_archives / sizeof *bad_archives; i++) {
		const struct bad *b = &bad_archives[i];
		unsigned char data[1][MEMBER];
		mt_test_row("%s", b->name);
		make_member(data[0], b->header);
		make_zip(1, &name, data, &bytes, b->method);
		spoil(b);
		check_bad(b->message, b->status, b->opens);
	}
}

static void test_not_zip(void) {
	static const char *const rows[] = {"", "P", "PK\3\4", "hello, this is text and no archive at all"};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("%s", rows[i]);
		MT_REQUIRE(files_write("a.npz", rows[i], strlen(rows[i])));
		check_bad("a.npz: Not a zip archive", MT_E_FORMAT, 0);
	}
	MT_CHECK(mt_npz_open(files_path("nowhere")) == NULL);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "No such file");
	MT_CHECK(mt_npz_open(files_path(".")) == NULL);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "regular file");
	MT_CHECK(mt_npz_open(NULL) == NULL);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "npz_open: path is NULL");
}

/* The end's record of Zip64 promises members without number. */
static void test_zip64_bomb(void) {
	unsigned char raw[56 + 20 + 22] = "PK\6\6\x2c";
	memset(raw + 24, 0x3f, 16); /* members, on this disk and in all */
	memcpy(raw + 56, "PK\6\7", 4);
	raw[56 + 16] = 1; /* disks */
	memcpy(raw + 76, "PK\5\6\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 20);
	MT_REQUIRE(files_write("a.npz", raw, sizeof raw));
	check_bad("a.npz: ", MT_E_FORMAT, 0);
}

static void test_two_of_a_name(void) {
	static const char *const rows[][2] = {{"a.npy", "b.npy"}, {"a", "a.npy"}};
	unsigned char data[2][MEMBER];
	const size_t bytes[] = {MEMBER, MEMBER};
	for (int i = 0; i < 2; i++) {
		size_t length = 0;
		mt_test_row("%s, %s", rows[i][0], rows[i][1]);
		make_member(data[0], NPY("|u1", "(8,)"));
		make_member(data[1], NPY("|u1", "(8,)"));
		make_zip(2, rows[i], data, bytes, ZIP_CM_STORE);
		unsigned char *raw = files_read("a.npz", &length), *at;
		MT_REQUIRE(raw != NULL);
		while ((at = memmem(raw, length, "b.npy", 5)) != NULL)
			*at = 'a';
		MT_CHECK(files_write("a.npz", raw, length));
		free(raw);
		check_bad("a.npz: two arrays are named 'a'", MT_E_FORMAT, 0);
	}
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void check_refused(int64_t n, const char *const *given, mt_tensor *const *t, mt_status expected,
                          const char *message) {
	mt_status status;
	MT_CHECK_INT(mt_npz_write(archive(), n, given, t, 1), expected);
	MT_CHECK_CONTAINS(mt_error_take(&status), message);
	MT_CHECK_INT(status, expected);
}

static void test_write_errors(void) {
	static const char *const twice[] = {"a", "a"}, *const invalid = "\xff", *const empty = "", *const a = "a",
							 *const null = NULL;
	static char most[65532 + 1];
	const char *too_long = most;
	mt_tensor *t[] = {mt_ones(MT_SHAPE(1), MT_F32), mt_ones(MT_SHAPE(1), MT_F32)}, *none = MT_NONE, *failed = NULL,
			  *bf16 = mt_ones(MT_SHAPE(1), MT_BF16);
	struct stat before, after;
	memset(most, 'n', sizeof most - 1);
	MT_REQUIRE(files_write("a.npz", "old", 3) && stat(archive(), &before) == 0);
	check_refused(2, twice, t, MT_E_ARG, "a.npz: two arrays are named 'a'");
	check_refused(1, &invalid, t, MT_E_ARG, "not valid UTF-8");
	check_refused(1, &empty, t, MT_E_ARG, "a.npz: the array name '' is not allowed");
	check_refused(1, &null, t, MT_E_ARG, "the array name 'NULL' is not allowed");
	check_refused(1, &too_long, t, MT_E_ARG, "at most 65531 bytes, got 65532");
	check_refused(1, &a, &none, MT_E_ARG, "npz_write: a is MT_NONE");
	check_refused(1, &a, &failed, MT_E_NULL, "npz_write: a is NULL");
	check_refused(1, &a, &bf16, MT_E_DTYPE, "a.npz: array 'a': NumPy has no dtype bf16");
	check_refused(-1, &a, t, MT_E_ARG, "must not be negative, got -1");
	check_refused(1, NULL, t, MT_E_NULL, "npz_write: names is NULL");
	check_refused(1, &a, NULL, MT_E_NULL, "npz_write: tensors is NULL");
	MT_CHECK(stat(archive(), &after) == 0 && before.st_ino == after.st_ino && after.st_size == 3);
	MT_CHECK_INT(mt_npz_write(NULL, 1, &a, t, 0), MT_E_NULL);
	mt_error_take(NULL);
	MT_CHECK_INT(mt_npz_write(files_path("no/where"), 1, &a, t, 0), MT_E_IO);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "No such file");
	most[65531] = '\0';
	MT_CHECK_INT(mt_npz_write(archive(), 1, &too_long, t, 0), MT_OK);
	mt_npz *z = open_archive();
	MT_CHECK_STR(mt_npz_name(z, 0), most);
	mt_npz_close(z);
}

/* A file that cannot grow: the old one stays, nothing else does (files_remove looks). */
static void test_full_disk(void) {
	static const char *const big = "big";
	mt_tensor *t = mt_randn(MT_SHAPE(100, 100), MT_F32);
	struct rlimit was, limit;
	void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
	MT_REQUIRE(files_write("a.npz", "old", 3) && getrlimit(RLIMIT_FSIZE, &was) == 0);
	for (int compress = 0; compress < 2; compress++) {
		size_t bytes = 0;
		limit = (struct rlimit){10000, was.rlim_max};
		MT_REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
		mt_status status = mt_npz_write(archive(), 1, &big, &t, compress);
		setrlimit(RLIMIT_FSIZE, &was);
		MT_CHECK_INT(status, MT_E_IO);
		MT_CHECK_CONTAINS(mt_error_take(NULL), "File too large");
		unsigned char *raw = files_read("a.npz", &bytes);
		MT_CHECK(raw != NULL && bytes == 3 && memcmp(raw, "old", 3) == 0);
		free(raw);
	}
	signal(SIGXFSZ, handler);
}

static const mt_test_case good_cases[] = {{"round_trip", test_round_trip},
                                          {"lookup", test_lookup},
                                          {"no_arrays", test_no_arrays},
                                          {"same_bytes", test_same_bytes},
                                          {"compress", test_compress},
                                          {"foreign", test_foreign},
                                          {0}};
static const mt_test_case bad_cases[] = {{"bad", test_bad},
                                         {"not_zip", test_not_zip},
                                         {"zip64_bomb", test_zip64_bomb},
                                         {"two_of_a_name", test_two_of_a_name},
                                         {"write_errors", test_write_errors},
                                         {"full_disk", test_full_disk},
                                         {0}};
static const mt_test_suite suites[] = {
	{"good", good_cases, files_make, NULL}, {"bad", bad_cases, NULL, files_remove}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
