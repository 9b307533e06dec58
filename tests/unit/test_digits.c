/* Procedural digits: the same numbers everywhere, spread over classes, drawn inside the frame, distinguishable. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "mt/data.h"
#include "mt_test.h"

enum { PIXELS = 784 };

static uint64_t hash(const unsigned char *data, size_t n) { /* FNV-1a */
	uint64_t h = 0xcbf29ce484222325u;
	for (size_t i = 0; i < n; i++)
		h = (h ^ data[i]) * 0x100000001b3u;
	return h;
}

/* The pixels are part of the contract: a change here changes every synthetic result. */
static void test_exact(void) {
	mt_host_array images, labels;
	char text[40];
	MT_REQUIRE(mt_digits_generate(100, 42, &images, &labels) == MT_OK);
	snprintf(text, sizeof text, "%016llx", (unsigned long long)hash(images.data, 100 * PIXELS));
	MT_CHECK_STR(text, "c78c6cfb0d52034d");
	snprintf(text, sizeof text, "%016llx", (unsigned long long)hash(labels.data, 100));
	MT_CHECK_STR(text, "cd062c21491cc1e3");
	mt_host_array_free(&images);
	mt_host_array_free(&labels);
}

static void test_prefix_and_seed(void) {
	mt_host_array a, a_labels, b, b_labels, c, c_labels;
	MT_REQUIRE(mt_digits_generate(50, 7, &a, &a_labels) == MT_OK);
	MT_REQUIRE(mt_digits_generate(20, 7, &b, &b_labels) == MT_OK);
	MT_REQUIRE(mt_digits_generate(20, 8, &c, &c_labels) == MT_OK);
	MT_CHECK(memcmp(a.data, b.data, 20 * PIXELS) == 0 && memcmp(a_labels.data, b_labels.data, 20) == 0);
	MT_CHECK(memcmp(b.data, c.data, 20 * PIXELS) != 0);
	mt_host_array *all[] = {&a, &a_labels, &b, &b_labels, &c, &c_labels};
	for (int i = 0; i < 6; i++)
		mt_host_array_free(all[i]);
}

static void test_statistics(void) {
	enum { N = 5000 };
	mt_host_array images, labels;
	int count[10] = {0}, touched = 0, faint = 0;
	double ink = 0;
	MT_REQUIRE(mt_digits_generate(N, 3, &images, &labels) == MT_OK);
	for (int i = 0; i < N; i++) {
		const unsigned char *p = (const unsigned char *)images.data + i * PIXELS;
		int digit = ((const unsigned char *)labels.data)[i], edge = 0, brightest = 0;
		MT_REQUIRE(digit <= 9);
		count[digit]++;
		for (int k = 0; k < PIXELS; k++) {
			int x = k % 28, y = k / 28;
			edge |= (x == 0 || y == 0 || x == 27 || y == 27) && p[k] > 0;
			brightest = p[k] > brightest ? p[k] : brightest;
			ink += p[k];
		}
		touched += edge;
		faint += brightest < 150;
	}
	for (int d = 0; d < 10; d++)
		MT_CHECK_MSG(count[d] > 400 && count[d] < 600, "digit %d drawn %d times of %d", d, count[d], N);
	MT_CHECK_MSG(touched < N / 20, "%d of %d touch the frame", touched, N);
	MT_CHECK_INT(faint, 0);
	double mean = ink / ((double)N * PIXELS * 255); /* MNIST: 0.131 */
	MT_CHECK_MSG(mean > 0.07 && mean < 0.2, "mean brightness %g", mean);
	mt_host_array_free(&images);
	mt_host_array_free(&labels);
}

/* The nearest of ten class means tells most digits apart, and not all: neither noise nor copies of ten pictures. */
static void test_classes_differ(void) {
	enum { TRAIN = 3000, TEST = 1000 };
	static double mean[10][PIXELS];
	mt_host_array images, labels;
	int count[10] = {0}, right = 0;
	MT_REQUIRE(mt_digits_generate(TRAIN + TEST, 11, &images, &labels) == MT_OK);
	const unsigned char *p = images.data, *label = labels.data;
	memset(mean, 0, sizeof mean);
	for (int i = 0; i < TRAIN; i++) {
		count[label[i]]++;
		for (int k = 0; k < PIXELS; k++)
			mean[label[i]][k] += p[i * PIXELS + k];
	}
	for (int i = TRAIN; i < TRAIN + TEST; i++) {
		int best = -1;
		double nearest = 0;
		for (int d = 0; d < 10; d++) {
			double distance = 0;
			for (int k = 0; k < PIXELS; k++) {
				double e = p[i * PIXELS + k] - mean[d][k] / count[d];
				distance += e * e;
			}
			if (best < 0 || distance < nearest) {
				best = d;
				nearest = distance;
			}
		}
		right += best == label[i];
	}
	MT_CHECK_MSG(right > TEST * 6 / 10 && right < TEST * 97 / 100, "nearest mean: %d of %d right", right, TEST);
	mt_host_array_free(&images);
	mt_host_array_free(&labels);
}

static void test_arguments(void) {
	mt_host_array images, labels;
	MT_REQUIRE(mt_digits_generate(0, 1, &images, &labels) == MT_OK);
	MT_CHECK(images.rank == 3 && images.shape[0] == 0 && images.data == NULL);
	mt_host_array_free(&images);
	mt_host_array_free(&labels);
	MT_CHECK_INT(mt_digits_generate(-1, 1, &images, &labels), MT_E_ARG);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "got -1");
	MT_CHECK_INT(mt_digits_generate(INT64_MAX, 1, &images, &labels), MT_E_ARG);
	mt_error_take(NULL);
	MT_CHECK_INT(mt_digits_generate(1, 1, NULL, &labels), MT_E_NULL);
	mt_error_take(NULL);
}

static const mt_test_case cases[] = {{"exact", test_exact},           {"prefix_and_seed", test_prefix_and_seed},
                                     {"statistics", test_statistics}, {"classes_differ", test_classes_differ},
                                     {"arguments", test_arguments},   {0}};
static const mt_test_suite suites[] = {{"digits", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
