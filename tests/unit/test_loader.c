/* Mini-batches: what is in them, in which order, on which device. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "mt/data.h"
#include "mt_test.h"

enum { N = 10, H = 2, W = 3 };

static unsigned char pixels[N * H * W], digits[N];
static const mt_host_array images = {pixels, MT_U8, 3, {N, H, W}};
static const mt_host_array labels = {digits, MT_U8, 1, {N}};

static int fill_arrays(void) {
	for (int i = 0; i < N * H * W; i++)
		pixels[i] = (unsigned char)(i * 4);
	for (int i = 0; i < N; i++)
		digits[i] = (unsigned char)i;
	return 0;
}

/* Runs through the epoch; order[] gets the labels in the order they came.  Returns how many, or −1. */
static int read_epoch(mt_loader *l, int64_t *order, int *batches) {
	int n = 0, more;
	mt_tensor *x, *y;
	*batches = 0;
	while ((more = mt_loader_next(l, &x, &y)) == 1) {
		int64_t size = mt_tensor_size(x, 0);
		float px[N * H * W];
		MT_CHECK_INT(mt_tensor_dtype(x), MT_F32);
		MT_CHECK_INT(mt_tensor_dtype(y), MT_I64);
		MT_CHECK_INT(mt_tensor_rank(x), 4);
		MT_CHECK(mt_tensor_size(x, 1) == 1 && mt_tensor_size(x, 2) == H && mt_tensor_size(x, 3) == W);
		MT_CHECK_INT(mt_tensor_size(y, 0), size);
		if (n + size > N || mt_to_host(x, px, (size_t)size * H * W * sizeof *px) != MT_OK ||
		    mt_to_host(y, order + n, (size_t)size * sizeof *order) != MT_OK)
			return -1;
		for (int i = 0; i < size; i++)
			for (int k = 0; k < H * W; k++)
				MT_CHECK_NEAR(px[i * H * W + k], pixels[order[n + i] * H * W + k], 0);
		n += (int)size;
		++*batches;
	}
	MT_CHECK(mt_tensor_is_none(x) && mt_tensor_is_none(y));
	return more < 0 ? -1 : n;
}

static void test_sizes(void) {
	static const struct {
		int64_t batch, first, count;
		int drop_last, batches, images;
	} rows[] = {
		{1, 0, 0, 0, 10, 10}, {3, 0, 0, 0, 4, 10}, {3, 0, 0, 1, 3, 9}, {10, 0, 0, 0, 1, 10}, {64, 0, 0, 0, 1, 10},
		{64, 0, 0, 1, 0, 0},  {4, 6, 0, 0, 1, 4},  {4, 2, 5, 0, 2, 5}, {4, 10, 0, 0, 0, 0},  {5, 0, 0, 1, 2, 10},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_loader_options o = {
			.batch = rows[i].batch, .first = rows[i].first, .count = rows[i].count, .drop_last = rows[i].drop_last};
		int64_t order[N];
		int batches;
		mt_test_row("batch %d first %d count %d", (int)o.batch, (int)o.first, (int)o.count);
		mt_loader *l = mt_loader_new(&images, &labels, o);
		MT_REQUIRE(l != NULL);
		MT_CHECK_INT(mt_loader_batches(l), rows[i].batches);
		MT_CHECK_INT(read_epoch(l, order, &batches), rows[i].images);
		MT_CHECK_INT(batches, rows[i].batches);
		for (int k = 0; k < rows[i].images; k++)
			MT_CHECK_INT(order[k], rows[i].first + k); /* not shuffled */
		mt_loader_free(l);
	}
}

static void test_shuffle(void) {
	int64_t first[N], again[N], second[N];
	int batches, seen[N] = {0};
	mt_loader *l = mt_loader_new(&images, &labels, (mt_loader_options){.batch = 4, .shuffle = 1, .seed = 5});
	mt_loader *other = mt_loader_new(&images, &labels, (mt_loader_options){.batch = 3, .shuffle = 1, .seed = 5});
	MT_REQUIRE(l != NULL && other != NULL);
	MT_CHECK_INT(read_epoch(l, first, &batches), N);
	MT_CHECK_INT(mt_loader_start(l, 1), MT_OK);
	MT_CHECK_INT(read_epoch(l, second, &batches), N);
	MT_CHECK_INT(mt_loader_start(l, 0), MT_OK);
	MT_CHECK_INT(read_epoch(l, again, &batches), N);
	MT_CHECK(memcmp(first, again, sizeof first) == 0);
	MT_CHECK(memcmp(first, second, sizeof first) != 0);
	MT_CHECK_INT(read_epoch(other, again, &batches), N); /* whatever the batch */
	MT_CHECK(memcmp(first, again, sizeof first) == 0);
	for (int i = 0; i < N; i++)
		seen[first[i]]++;
	for (int i = 0; i < N; i++)
		MT_CHECK_INT(seen[i], 1);
	mt_loader_free(l);
	mt_loader_free(other);
}

static void test_order_and_seek(void) {
	uint32_t order[N];
	int64_t all[N], rest[N];
	int batches;
	mt_loader *l = mt_loader_new(&images, &labels, (mt_loader_options){.batch = 4, .shuffle = 1, .seed = 5});
	MT_REQUIRE(l != NULL);
	MT_CHECK_INT(mt_loader_start(l, 3), MT_OK);
	MT_CHECK_INT(read_epoch(l, all, &batches), N);
	MT_CHECK_INT(mt_epoch_order(5, 3, N, order), MT_OK);
	for (int i = 0; i < N; i++)
		MT_CHECK_INT(order[i], all[i]);
	for (int batch = 0; batch <= 3; batch++) {
		int left = batch < 3 ? N - 4 * batch : 0;
		mt_test_row("batch %d", batch);
		MT_CHECK_INT(mt_loader_seek(l, 3, batch), MT_OK);
		MT_CHECK_INT(read_epoch(l, rest, &batches), left);
		MT_CHECK(memcmp(rest, all + N - left, (size_t)left * sizeof *rest) == 0);
	}
	MT_CHECK_INT(mt_loader_seek(l, 0, 4), MT_E_ARG);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "loader_seek: batch 4 is out of range, an epoch has 3");
	MT_CHECK_INT(mt_loader_seek(l, 0, -1), MT_E_ARG);
	MT_CHECK_INT(mt_loader_seek(l, -1, 0), MT_E_ARG);
	MT_CHECK_INT(mt_loader_seek(NULL, 0, 0), MT_E_NULL);
	MT_CHECK_INT(mt_epoch_order(1, -1, N, order), MT_E_ARG);
	MT_CHECK_INT(mt_epoch_order(1, 0, -1, order), MT_E_ARG);
	MT_CHECK_INT(mt_epoch_order(1, 0, INT64_C(1) << 31, order), MT_E_ARG);
	MT_CHECK_INT(mt_epoch_order(1, 0, 1, NULL), MT_E_NULL);
	MT_CHECK_INT(mt_epoch_order(1, 0, 0, NULL), MT_OK);
	mt_error_take(NULL);
	mt_loader_free(l);
}

/* Every image comes to every place equally often: chi-squared over 100 cells, 99 − 18 degrees of freedom. */
static void test_shuffle_is_uniform(void) {
	enum { EPOCHS = 2000 };
	int count[N][N] = {{0}};
	double chi = 0;
	mt_loader *l = mt_loader_new(&images, &labels, (mt_loader_options){.batch = N, .shuffle = 1, .seed = 9});
	MT_REQUIRE(l != NULL);
	for (int e = 0; e < EPOCHS; e++) {
		mt_scope *scope = mt_scope_begin();
		mt_tensor *x, *y;
		int64_t order[N];
		mt_loader_start(l, e);
		MT_REQUIRE(mt_loader_next(l, &x, &y) == 1 && mt_to_host(y, order, sizeof order) == MT_OK);
		for (int i = 0; i < N; i++)
			count[i][order[i]]++;
		mt_scope_end(scope);
	}
	for (int i = 0; i < N; i++)
		for (int k = 0; k < N; k++) {
			double e = count[i][k] - EPOCHS / (double)N;
			chi += e * e / (EPOCHS / (double)N);
		}
	MT_CHECK_MSG(chi > 40 && chi < 135, "chi-squared %g", chi); /* 81 ± 4 standard deviations */
	mt_loader_free(l);
}

static void test_normalised(void) {
	mt_tensor *x, *y;
	float px[H * W];
	mt_loader *l =
		mt_loader_new(&images, &labels, (mt_loader_options){.batch = 1, .first = 3, .mean = 0.25, .std = 0.5});
	MT_REQUIRE(l != NULL && mt_loader_next(l, &x, &y) == 1);
	MT_REQUIRE(mt_to_host(x, px, sizeof px) == MT_OK);
	for (int k = 0; k < H * W; k++)
		MT_CHECK_NEAR(px[k], (pixels[3 * H * W + k] / 255.0 - 0.25) / 0.5, 1e-6);
	mt_loader_free(l);
}

static void test_bad_arguments(void) {
	static const mt_host_array floats = {pixels, MT_F32, 3, {N, H, W}}, flat = {pixels, MT_U8, 1, {N}};
	static const mt_host_array fewer = {digits, MT_U8, 1, {N - 1}};
	static const struct {
		const char *name;
		const mt_host_array *images, *labels;
		mt_loader_options options;
		mt_status status;
	} rows[] = {
		{"batch 0", &images, &labels, {.batch = 0}, MT_E_ARG},
		{"batch -1", &images, &labels, {.batch = -1}, MT_E_ARG},
		{"first 11", &images, &labels, {.batch = 1, .first = 11}, MT_E_ARG},
		{"first -1", &images, &labels, {.batch = 1, .first = -1}, MT_E_ARG},
		{"count 11", &images, &labels, {.batch = 1, .count = 11}, MT_E_ARG},
		{"count wraps", &images, &labels, {.batch = 1, .first = 5, .count = INT64_MAX}, MT_E_ARG},
		{"std -1", &images, &labels, {.batch = 1, .std = -1}, MT_E_ARG},
		{"std NaN", &images, &labels, {.batch = 1, .std = (double)NAN}, MT_E_ARG},
		{"f32", &floats, &labels, {.batch = 1}, MT_E_DTYPE},
		{"rank 1", &flat, &labels, {.batch = 1}, MT_E_SHAPE},
		{"counts", &images, &fewer, {.batch = 1}, MT_E_SHAPE},
		{"NULL", NULL, &labels, {.batch = 1}, MT_E_NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_status status;
		mt_test_row("%s", rows[i].name);
		MT_CHECK(mt_loader_new(rows[i].images, rows[i].labels, rows[i].options) == NULL);
		MT_CHECK_CONTAINS(mt_error_take(&status), "loader_new: ");
		MT_CHECK_INT(status, rows[i].status);
	}
	mt_loader *l = mt_loader_new(&images, &labels, (mt_loader_options){.batch = 1});
	MT_REQUIRE(l != NULL);
	MT_CHECK_INT(mt_loader_start(l, -1), MT_E_ARG);
	mt_error_take(NULL);
	mt_loader_free(l);
	mt_loader_free(NULL);
}

static const mt_test_case cases[] = {{"sizes", test_sizes},
                                     {"shuffle", test_shuffle},
                                     {"order_and_seek", test_order_and_seek},
                                     {"shuffle_is_uniform", test_shuffle_is_uniform},
                                     {"normalised", test_normalised},
                                     {"bad_arguments", test_bad_arguments},
                                     {0}};
static const mt_test_suite suites[] = {{"loader", cases, fill_arrays, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
