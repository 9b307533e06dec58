/* MiniTorch's point sets: labels by their rule, reproducible, the spiral's arms. */
#include <math.h>
#include <string.h>

#include "mt/data.h"
#include "mt_test.h"

enum { N = 2000 };

/* The rules of the datasets, in double. */
static int rule(int32_t kind, double x, double y) {
	switch (kind) {
	case MT_POINTS_SIMPLE:
		return x < 0.5;
	case MT_POINTS_DIAG:
		return x + y < 0.5;
	case MT_POINTS_SPLIT:
		return x < 0.2 || x > 0.8;
	case MT_POINTS_XOR:
		return (x < 0.5 && y > 0.5) || (x > 0.5 && y < 0.5);
	default:
		return pow(x - 0.5, 2) + pow(y - 0.5, 2) > 0.1;
	}
}

static void test_rules(void) {
	/* areas of class 1 in the unit square */
	static const double area[] = {0.5, 0.125, 0.4, 0.5, 1 - 0.1 * 3.14159265358979};
	for (int32_t kind = 0; kind < MT_POINTS_SPIRAL; kind++) {
		mt_host_array points, labels;
		mt_test_row("%s", mt_points_name(kind));
		MT_REQUIRE(mt_points_generate(kind, N, 5, &points, &labels) == MT_OK);
		const float *p = points.data;
		const uint8_t *l = labels.data;
		int ones = 0, wrong = 0, outside = 0;
		for (int i = 0; i < N; i++) {
			double x = p[2 * i], y = p[2 * i + 1];
			ones += l[i];
			wrong += l[i] != rule(kind, x, y);
			outside += !(x >= 0 && x < 1 && y >= 0 && y < 1);
		}
		MT_CHECK_INT(outside, 0);
		MT_CHECK_INT(wrong, 0);
		MT_CHECK_NEAR(ones / (double)N, area[kind], 4 * sqrt(0.25 / N));
		mt_host_array_free(&points);
		mt_host_array_free(&labels);
	}
}

static void test_prefix_and_seed(void) {
	mt_host_array a, la, b, lb, c, lc;
	MT_REQUIRE(mt_points_generate(MT_POINTS_XOR, 50, 7, &a, &la) == MT_OK);
	MT_REQUIRE(mt_points_generate(MT_POINTS_XOR, 20, 7, &b, &lb) == MT_OK);
	MT_REQUIRE(mt_points_generate(MT_POINTS_XOR, 20, 8, &c, &lc) == MT_OK);
	MT_CHECK(memcmp(a.data, b.data, 40 * sizeof(float)) == 0 && memcmp(la.data, lb.data, 20) == 0);
	MT_CHECK(memcmp(b.data, c.data, 40 * sizeof(float)) != 0);
	mt_host_array *all[] = {&a, &la, &b, &lb, &c, &lc};
	for (int i = 0; i < 6; i++)
		mt_host_array_free(all[i]);
}

/* Worked by hand from the formulas: n = 10, so t = 2 i for i = 5 … 9. */
static void test_spiral(void) {
	mt_host_array points, labels;
	MT_REQUIRE(mt_points_generate(MT_POINTS_SPIRAL, 10, 0, &points, &labels) == MT_OK);
	const float *p = points.data;
	const uint8_t *l = labels.data;
	for (int i = 0; i < 10; i++) {
		double t = 2.0 * (5 + i % 5);
		MT_CHECK_INT(l[i], i >= 5);
		MT_CHECK_NEAR(p[2 * i], (i < 5 ? t * cos(t) : t * sin(t)) / 20 + 0.5, 1e-6);
		MT_CHECK_NEAR(p[2 * i + 1], (i < 5 ? t * sin(t) : -t * cos(t)) / 20 + 0.5, 1e-6);
	}
	mt_host_array_free(&points);
	mt_host_array_free(&labels);
	MT_REQUIRE(mt_points_generate(MT_POINTS_SPIRAL, 7, 0, &points, &labels) == MT_OK);
	l = labels.data;
	MT_CHECK(l[3] == 0 && l[4] == 1); /* an odd n loses no point */
	mt_host_array_free(&points);
	mt_host_array_free(&labels);
}

static void test_errors(void) {
	mt_host_array points, labels;
	int32_t kind = -1;
	MT_CHECK_INT(mt_points_generate(MT_POINTS_SIMPLE, 0, 0, &points, &labels), MT_OK);
	MT_CHECK(points.data == NULL && points.shape[0] == 0);
	MT_CHECK_INT(mt_points_generate(9, 5, 0, &points, &labels), MT_E_ARG);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "there is no kind 9");
	MT_CHECK_INT(mt_points_generate(MT_POINTS_SPIRAL, 1, 0, &points, &labels), MT_E_ARG);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "got 1");
	MT_CHECK_INT(mt_points_generate(MT_POINTS_XOR, -1, 0, &points, &labels), MT_E_ARG);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "got -1");
	MT_CHECK_INT(mt_points_generate(MT_POINTS_XOR, 5, 0, NULL, &labels), MT_E_NULL);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "points is NULL");
	MT_CHECK_INT(mt_points_parse("circle", &kind), MT_OK);
	MT_CHECK_INT(kind, MT_POINTS_CIRCLE);
	MT_CHECK_INT(mt_points_parse("cricle", &kind), MT_E_ARG);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "no dataset \"cricle\"; there are simple, diag");
	MT_CHECK(mt_points_name(-1) == NULL);
}

static const mt_test_case cases[] = {{"rules", test_rules},
                                     {"prefix_and_seed", test_prefix_and_seed},
                                     {"spiral", test_spiral},
                                     {"errors", test_errors},
                                     {0}};
static const mt_test_suite suites[] = {{"points", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
