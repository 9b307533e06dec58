/* IDX files and MNIST folders: good ones, and every way of being bad. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "mt/data.h"
#include "mt_test.h"

static char folder[64];

static int make_folder(void) {
	snprintf(folder, sizeof folder, "/tmp/mt-idx.XXXXXX");
	return mkdtemp(folder) == NULL;
}

static const char *path_of(const char *name) {
	static char path[128];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static int remove_folder(void) {
	static const char *const names[] = {"a.idx", "train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz",
	                                    "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unlink(path_of(names[i]));
	return rmdir(folder);
}

static void write_plain(const char *name, const void *data, size_t bytes) {
	FILE *f = fopen(path_of(name), "wb");
	MT_REQUIRE(f != NULL);
	MT_CHECK_INT(fwrite(data, 1, bytes, f), bytes);
	MT_CHECK_INT(fclose(f), 0);
}

static void write_gzip(const char *name, const void *data, size_t bytes) {
	gzFile f = gzopen(path_of(name), "wb");
	MT_REQUIRE(f != NULL);
	MT_CHECK_INT(gzwrite(f, data, (unsigned)bytes), bytes);
	MT_CHECK_INT(gzclose(f), Z_OK);
}

/* ---- good files ------------------------------------------------------------------------------------------------- */

static const unsigned char two_by_three[] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 10, 20, 30, 40, 50, 255};

static void check_two_by_three(void) {
	mt_host_array a;
	MT_REQUIRE(mt_idx_read(path_of("a.idx"), &a) == MT_OK);
	MT_CHECK_INT(a.dtype, MT_U8);
	MT_CHECK_INT(a.rank, 2);
	MT_CHECK_INT(a.shape[0], 2);
	MT_CHECK_INT(a.shape[1], 3);
	MT_CHECK(memcmp(a.data, two_by_three + 12, 6) == 0);
	mt_host_array_free(&a);
	MT_CHECK(a.data == NULL && a.rank == 0);
}

static void test_plain(void) {
	write_plain("a.idx", two_by_three, sizeof two_by_three);
	check_two_by_three();
}

static void test_gzip(void) {
	write_gzip("a.idx", two_by_three, sizeof two_by_three);
	check_two_by_three();
}

static void test_empty(void) {
	static const unsigned char none[] = {0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 3};
	mt_host_array a;
	write_plain("a.idx", none, sizeof none);
	MT_REQUIRE(mt_idx_read(path_of("a.idx"), &a) == MT_OK);
	MT_CHECK(a.data == NULL && a.shape[0] == 0 && a.shape[1] == 3);
	mt_host_array_free(&a);
}

static void test_rank_8(void) {
	unsigned char eight[4 + 32 + 1] = {0, 0, 8, 8};
	mt_host_array a;
	for (int d = 0; d < 8; d++)
		eight[4 + 4 * d + 3] = 1;
	eight[36] = 7;
	write_plain("a.idx", eight, sizeof eight);
	MT_REQUIRE(mt_idx_read(path_of("a.idx"), &a) == MT_OK);
	MT_CHECK(a.rank == 8 && *(unsigned char *)a.data == 7);
	mt_host_array_free(&a);
}

/* ---- bad files -------------------------------------------------------------------------------------------------- */

static const struct bad {
	const char *name;
	mt_status status;
	const char *message;
	size_t bytes;
	unsigned char data[40];
} bad_files[] = {
	{"empty", MT_E_FORMAT, "expected 4 bytes of magic number, got 0", 0, {0}},
	{"short magic", MT_E_FORMAT, "expected 4 bytes of magic number, got 3", 3, {0, 0, 8}},
	{"not IDX", MT_E_FORMAT, "expected an IDX magic number", 8, "PNG data"},
	{"unknown type", MT_E_FORMAT, "got 00 00 07 01", 8, {0, 0, 7, 1}},
	{"f32", MT_E_UNSUPPORTED, "expected element type u8 (0x08), got f32 (0x0d)", 8, {0, 0, 13, 1}},
	{"i32", MT_E_UNSUPPORTED, "got i32", 8, {0, 0, 12, 1}},
	{"rank 0", MT_E_FORMAT, "expected 1 to 8 dims, got 0", 8, {0, 0, 8, 0}},
	{"rank 9", MT_E_FORMAT, "expected 1 to 8 dims, got 9", 8, {0, 0, 8, 9}},
	{"short extents", MT_E_FORMAT, "expected 8 bytes of extents, got 4", 8, {0, 0, 8, 2, 0, 0, 0, 1}},
	{"truncated", MT_E_FORMAT, "expected 3 bytes of elements, got 2", 10, {0, 0, 8, 1, 0, 0, 0, 3, 1, 2}},
	{"trailing", MT_E_FORMAT, "expected 1 bytes of elements, got", 10, {0, 0, 8, 1, 0, 0, 0, 1, 1, 2}},
	{"extent 2^31", MT_E_FORMAT, "below 2^31, got 2147483648 in dim 0", 8, {0, 0, 8, 1, 128, 0, 0, 0}},
	{"size 2^63",
     MT_E_FORMAT,
     "below 2^63 bytes",
     16,
     {0, 0, 8, 3, 127, 255, 255, 255, 127, 255, 255, 255, 127, 255, 255, 255}},
	{"huge promise", MT_E_FORMAT, "2147483647", 9, {0, 0, 8, 1, 127, 255, 255, 255, 1}},
	{"empty dim, then 2^31 · 2^31",
     MT_E_FORMAT,
     "expected 0 bytes",
     13,
     {0, 0, 8, 2, 0, 0, 0, 0, 127, 255, 255, 255, 1}},
};

static void check_bad(const struct bad *b) {
	mt_host_array a;
	memset(&a, 1, sizeof a);
	mt_status status = mt_idx_read(path_of("a.idx"), &a);
	const char *message = mt_error_take(NULL);
	MT_CHECK_INT(status, b->status);
	MT_CHECK_CONTAINS(message, b->message);
	MT_CHECK_CONTAINS(message, "/a.idx: expected");
	MT_CHECK(a.data == NULL && a.rank == 0);
	if (status == MT_OK)
		mt_host_array_free(&a);
}

static void test_bad_plain(void) {
	for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; i++) {
		mt_test_row("%s", bad_files[i].name);
		write_plain("a.idx", bad_files[i].data, bad_files[i].bytes);
		check_bad(&bad_files[i]);
	}
}

static void test_bad_gzip(void) {
	for (size_t i = 1; i < sizeof bad_files / sizeof *bad_files; i++) { /* an empty gzip file has its own message */
		mt_test_row("gzip'd %s", bad_files[i].name);
		write_gzip("a.idx", bad_files[i].data, bad_files[i].bytes);
		check_bad(&bad_files[i]);
	}
}

/* Cuts a gzip file at every length, and flips every byte: an error or the right content, never a crash. */
static void test_damaged_gzip(void) {
	unsigned char file[256];
	write_gzip("a.idx", two_by_three, sizeof two_by_three);
	FILE *f = fopen(path_of("a.idx"), "rb");
	MT_REQUIRE(f != NULL);
	size_t bytes = fread(file, 1, sizeof file, f);
	fclose(f);
	for (size_t cut = 0; cut < bytes; cut++) {
		mt_host_array a;
		mt_test_row("cut at %zu", cut);
		write_plain("a.idx", file, cut);
		MT_CHECK(mt_idx_read(path_of("a.idx"), &a) != MT_OK);
		MT_CHECK_CONTAINS(mt_error_take(NULL), "a.idx: ");
	}
	for (size_t at = 0; at < bytes; at++) {
		mt_host_array a;
		mt_test_row("flipped %zu", at);
		file[at] ^= 0x55;
		write_plain("a.idx", file, bytes);
		file[at] ^= 0x55;
		if (mt_idx_read(path_of("a.idx"), &a) == MT_OK) { /* time stamp, system: nothing that is content */
			MT_CHECK(a.rank == 2 && memcmp(a.data, two_by_three + 12, 6) == 0);
			mt_host_array_free(&a);
		}
		mt_error_take(NULL);
	}
}

static void test_arguments(void) {
	mt_host_array a;
	MT_CHECK_INT(mt_idx_read(path_of("nowhere"), &a), MT_E_IO);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "No such file");
	MT_CHECK_INT(mt_idx_read(folder, &a), MT_E_IO);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "regular file");
	MT_CHECK_INT(mt_idx_read(NULL, &a), MT_E_NULL);
	mt_error_take(NULL);
	MT_CHECK_INT(mt_idx_read("x", NULL), MT_E_NULL);
	mt_error_take(NULL);
	mt_host_array_free(NULL);
}

/* ---- MNIST ------------------------------------------------------------------------------------------------------ */

enum { IMAGES = 3 };

static void write_mnist(int images, int labels, int side, unsigned char worst_label) {
	static unsigned char image_file[16 + IMAGES * 29 * 29], label_file[8 + IMAGES];
	const unsigned char image_header[] = {
		0, 0, 8, 3, 0, 0, 0, (unsigned char)images, 0, 0, 0, (unsigned char)side, 0, 0, 0, (unsigned char)side};
	const unsigned char label_header[] = {0, 0, 8, 1, 0, 0, 0, (unsigned char)labels};
	memcpy(image_file, image_header, sizeof image_header);
	memcpy(label_file, label_header, sizeof label_header);
	memset(label_file + 8, 4, IMAGES);
	label_file[8] = worst_label;
	write_plain("train-images-idx3-ubyte", image_file, 16 + (size_t)(images * side * side));
	write_gzip("train-labels-idx1-ubyte.gz", label_file, 8 + (size_t)labels);
}

static void test_mnist(void) {
	static const struct {
		const char *name;
		int images, labels, side;
		unsigned char label;
		mt_status status;
		const char *message;
	} rows[] = {
		{"good", 3, 3, 28, 9, MT_OK, ""},
		{"counts", 3, 2, 28, 9, MT_E_FORMAT, "expected as many labels as images, got 2 and 3"},
		{"label 10", 3, 3, 28, 10, MT_E_FORMAT, "expected labels 0 to 9, got 10 at 0"},
		{"side 29", 3, 3, 29, 9, MT_E_FORMAT, "expected images of 28 x 28, got rank 3, 29 x 29"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_host_array images, labels;
		mt_test_row("%s", rows[i].name);
		write_mnist(rows[i].images, rows[i].labels, rows[i].side, rows[i].label);
		MT_CHECK_INT(mt_mnist_load(folder, "train", &images, &labels), rows[i].status);
		MT_CHECK_CONTAINS(mt_error_take(NULL), rows[i].message);
		if (rows[i].status == MT_OK) {
			MT_CHECK(images.shape[0] == 3 && labels.shape[0] == 3 && *(unsigned char *)labels.data == 9);
		} else {
			MT_CHECK(images.data == NULL && labels.data == NULL);
		}
		mt_host_array_free(&images);
		mt_host_array_free(&labels);
	}
	mt_host_array images, labels;
	mt_test_row("missing split");
	MT_CHECK_INT(mt_mnist_present(folder), 0);
	MT_CHECK_INT(mt_mnist_load(folder, "test", &images, &labels), MT_E_IO);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "expected t10k-images-idx3-ubyte or t10k-images-idx3-ubyte.gz, got neither");
	MT_CHECK_INT(mt_mnist_load(folder, "valid", &images, &labels), MT_E_ARG);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "\"train\" or \"test\"");
	write_plain("t10k-images-idx3-ubyte", "", 0);
	write_plain("t10k-labels-idx1-ubyte", "", 0);
	MT_CHECK_INT(mt_mnist_present(folder), 1);
	MT_CHECK_INT(mt_mnist_present(NULL), 0);
}

static void test_real_mnist(void) {
	const char *data = getenv("MT_DATA_DIR");
	char dir[1024];
	mt_host_array images, labels;
	int64_t counts[10] = {0};
	snprintf(dir, sizeof dir, "%s/mnist", data ? data : "");
	if (data == NULL || !mt_mnist_present(dir))
		MT_SKIP("MT_DATA_DIR has no MNIST");
	MT_REQUIRE(mt_mnist_load(dir, "test", &images, &labels) == MT_OK);
	MT_CHECK_INT(images.shape[0], 10000);
	for (int i = 0; i < 10000; i++)
		counts[((unsigned char *)labels.data)[i]]++;
	MT_CHECK_INT(counts[0], 980);
	MT_CHECK_INT(counts[1], 1135);
	MT_CHECK_INT(counts[9], 1009);
	mt_host_array_free(&images);
	mt_host_array_free(&labels);
}

static const mt_test_case idx_cases[] = {
	{"plain", test_plain},          {"gzip", test_gzip},           {"empty", test_empty},
	{"rank_8", test_rank_8},        {"bad_plain", test_bad_plain}, {"bad_gzip", test_bad_gzip},
	{"damaged", test_damaged_gzip}, {"arguments", test_arguments}, {0}};
static const mt_test_case mnist_cases[] = {{"folder", test_mnist}, {"real", test_real_mnist}, {0}};
static const mt_test_suite suites[] = {
	{"idx", idx_cases, make_folder, NULL}, {"mnist", mnist_cases, NULL, remove_folder}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
