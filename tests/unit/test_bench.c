/* mt-bench's statistics, the rule for noise, comparison with the reference, texts of its table, reports that are read. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/check.h"
#include "bench/report.h"
#include "bench/stats.h"
#include "bench/text.h"
#include "mt_test.h"

/* ---- statistics ---- */

static void test_quantiles(void) {
	double odd[] = {5, 1, 4, 2, 3}, even[] = {40, 10, 30, 20}, one[] = {7};
	bench_sort(odd, 5);
	for (int i = 0; i < 5; i++)
		MT_CHECK_NEAR(odd[i], i + 1, 0);
	MT_CHECK_NEAR(bench_quantile(odd, 5, 0.5), 3, 0);
	MT_CHECK_NEAR(bench_quantile(odd, 5, 0), 1, 0);
	MT_CHECK_NEAR(bench_quantile(odd, 5, 1), 5, 0);
	MT_CHECK_NEAR(bench_quantile(odd, 5, 0.1), 1.4, 1e-15);
	MT_CHECK_NEAR(bench_quantile(odd, 5, 0.9), 4.6, 1e-15);
	struct bench_spread s = bench_spread_of(even, 4);
	MT_CHECK_NEAR(s.median, 25, 1e-15);
	MT_CHECK_NEAR(s.p10, 13, 1e-15);
	MT_CHECK_NEAR(s.p90, 37, 1e-15);
	MT_CHECK_INT(s.runs, 4);
	s = bench_spread_of(one, 1);
	MT_CHECK(s.median == 7 && s.p10 == 7 && s.p90 == 7);
	s = bench_spread_of(NULL, 0);
	MT_CHECK(isnan(s.median) && isnan(s.p10) && isnan(s.p90) && s.runs == 0);
}

static void test_change(void) {
	static const struct {
		const char *row;
		struct bench_spread old, now;
		double noise;
		int change;
	} rows[] = {
		{"equal", {10, 10, 10, 7}, {10, 10, 10, 7}, 0.05, 0},
		{"4% is noise", {10, 10, 10, 7}, {10.4, 10.4, 10.4, 7}, 0.05, 0},
		{"6% is slower", {10, 10, 10, 7}, {10.6, 10.6, 10.6, 7}, 0.05, 1},
		{"6% is faster", {10.6, 10.6, 10.6, 7}, {10, 10, 10, 7}, 0.05, -1},
		{"wide spreads add", {10, 9, 11, 7}, {12, 11.5, 14.5, 7}, 0.225, 0},
		{"beyond both", {10, 9, 11, 7}, {13, 12, 14, 7}, 0.1 + 1 / 13.0, 1},
		{"they overlap", {10, 10, 12, 7}, {13, 11.9, 13.1, 7}, 0.1 + 0.6 / 13, 0},
		{"few runs", {10, 10, 10, 1}, {12, 12, 12, 7}, 0.25, 0},
		{"few runs, far apart", {10, 10, 10, 7}, {13, 13, 13, 2}, 0.25, 1},
		{"no runs", {10, 10, 10, 7}, {NAN, NAN, NAN, 0}, NAN, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("%s", rows[i].row);
		if (!isnan(rows[i].noise))
			MT_CHECK_NEAR(bench_noise(&rows[i].old, &rows[i].now), rows[i].noise, 1e-12);
		MT_CHECK_INT(bench_change(&rows[i].old, &rows[i].now), rows[i].change);
		MT_CHECK_INT(bench_change(&rows[i].now, &rows[i].old), -rows[i].change);
	}
}

/* ---- the check ---- */

static int agree(double a, double b, double tolerance) {
	char text[200];
	struct bench_values x = {&a, 1}, y = {&b, 1};
	return bench_values_agree(&x, &y, tolerance, text, sizeof text);
}

static void test_agree(void) {
	char text[200];
	double a[] = {1, 2, 3.5, 4}, b[] = {1, 2, 3, 4};
	struct bench_values x = {a, 4}, y = {b, 4}, shorter = {b, 3}, none = {NULL, 0};
	MT_CHECK(agree(1, 1, 0) && agree(1.5, 1, 0.25) && !agree(1.5, 1, 0.2499));
	MT_CHECK(agree(INFINITY, INFINITY, 0) && !agree(INFINITY, -INFINITY, 1) && !agree(1, INFINITY, 1));
	MT_CHECK(!agree(NAN, 1, 1e9) && !agree(1, NAN, 1e9) && !agree(NAN, NAN, 1e9));
	MT_CHECK(bench_values_agree(&x, &y, 0.125, text, sizeof text));
	MT_CHECK(!bench_values_agree(&x, &y, 0.1, text, sizeof text));
	MT_CHECK_STR(text, "element 2 is 3.5, the reference's 3 (tolerance 0.1)");
	MT_CHECK(!bench_values_agree(&x, &shorter, 9, text, sizeof text));
	MT_CHECK_STR(text, "4 elements, the reference has 3");
	MT_CHECK(bench_values_agree(&none, &none, 0, text, sizeof text));
}

/* What is read is what the tensor holds, in each dtype that an output has. */
static void test_values_read(void) {
	mt_device *naive = mt_device_open("naive");
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16, MT_BF16, MT_I64};
	MT_REQUIRE(naive != NULL && mt_device_use(naive) == MT_OK);
	for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
		struct bench_values v;
		mt_test_row("%s", mt_dtype_name(dtypes[i]));
		mt_tensor *t = mt_transpose(mt_reshape(mt_arange(mt_i(0), mt_i(6), mt_i(1), dtypes[i]), MT_SHAPE(2, 3)), 0, 1);
		MT_REQUIRE(bench_values_read(t, naive, &v) == MT_OK);
		MT_CHECK_INT(v.n, 6);
		for (int k = 0; k < 6; k++)
			MT_CHECK_NEAR(v.values[k], k / 2 + 3 * (k % 2), 0);
		bench_values_free(&v);
		MT_CHECK(v.values == NULL && v.n == 0);
	}
	struct bench_values v = {NULL, 5};
	MT_CHECK_INT(bench_values_read(MT_NONE, naive, &v), MT_OK);
	MT_CHECK_INT(v.n, 0);
	MT_CHECK_INT(bench_values_read(NULL, naive, &v), MT_E_NULL);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "there is no output");
}

/* ---- texts ---- */

static void test_width(void) {
	static const struct {
		const char *text;
		int width;
	} rows[] = {{"", 0},        {"abc", 3},  {"45.1 µs ±3%", 11}, {"27×", 3},
	            {"e\u0301", 1}, {"行列", 4}, {"\xff\xfe", 2},     {"a\xe2\x82", 3}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("%s", rows[i].text);
		MT_CHECK_INT(text_width(rows[i].text), rows[i].width);
	}
}

static void test_cut(void) {
	char out[64];
	text_cut("abcdef", 6, out, sizeof out);
	MT_CHECK_STR(out, "abcdef");
	text_cut("abcdefg", 6, out, sizeof out);
	MT_CHECK_STR(out, "abcde…");
	text_cut("行列行列", 6, out, sizeof out);
	MT_CHECK_STR(out, "行列…");
	text_cut("", 3, out, sizeof out);
	MT_CHECK_STR(out, "");
}

static void test_numbers(void) {
	static const struct {
		double value;
		const char *three, *time, *rate;
	} rows[] = {
		{123.45, "123", "123 s", "123 F/s"},         {12.345, "12.3", "12.3 s", "12.3 F/s"},
		{1.2345, "1.23", "1.23 s", "1.23 F/s"},      {0.9999, "1.00", "1.00 s", "1.00 F/s"},
		{0.0451, "0.045", "45.1 ms", "0.045 F/s"},   {4.51e-5, "0.000", "45.1 µs", "0.000 F/s"},
		{9.996e-9, "0.000", "10.0 ns", "0.000 F/s"}, {2.5e9, "2500000000", "2500000000 s", "2.50 GF/s"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char out[64];
		mt_test_row("%g", rows[i].value);
		text_three(rows[i].value, out, sizeof out);
		MT_CHECK_STR(out, rows[i].three);
		text_time(rows[i].value, out, sizeof out);
		MT_CHECK_STR(out, rows[i].time);
		text_rate(rows[i].value, "F", out, sizeof out);
		MT_CHECK_STR(out, rows[i].rate);
	}
	char out[64];
	text_rate(3.2e12, "B", out, sizeof out);
	MT_CHECK_STR(out, "3.20 TB/s");
	text_rate(1500, "ex", out, sizeof out);
	MT_CHECK_STR(out, "1.50 kex/s");
}

/* ---- reports ---- */

/* A report of one case; with is put in place of the first what. */
static json_t *read_changed(const char *what, const char *with) {
	static const char good[] =
		"{\"format\": \"mt-bench 1\", \"backends\": [{\"name\": \"a\"}, {\"name\": \"b\"}], \"cases\": [{\"id\": "
		"\"s/o/f32/n\", \"suite\": \"s\", \"op\": \"o\", \"dtype\": \"f32\", \"size\": \"n\", \"x\": 1, \"flops\": 2, "
		"\"bytes\": 0, \"examples\": 0, \"results\": {\"a\": {\"status\": \"ok\", \"median\": 2.0, \"p10\": 1.5, "
		"\"p90\": 2.5, \"runs\": 7}, \"b\": {\"status\": \"WRONG\", \"reason\": \"it is\"}}}]}";
	char text[1024], path[] = "/tmp/mt-test-bench.XXXXXX";
	const char *at = strstr(good, what);
	if (!MT_CHECK_MSG(at != NULL, "'%s' is not there", what))
		return NULL;
	snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, with, at + strlen(what));
	int fd = mkstemp(path);
	if (!MT_CHECK(fd >= 0) || !MT_CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text)))
		return NULL;
	close(fd);
	json_t *report = bench_json_read(path);
	unlink(path);
	return report;
}

static void test_read(void) {
	static const struct {
		const char *what, *with, *message;
	} rows[] = {
		{"mt-bench 1", "mt-bench 2", "not a report of mt-bench"},
		{"\"backends\"", "\"sideends\"", "there is no array"},
		{"\"cases\": [", "\"cases\": [3, ", "a case has no text 'id'"},
		{"\"name\": \"b\"", "\"name\": 3", "a backend has no name"},
		{"\"op\": \"o\"", "\"op\": \"\"", "a case has no text 'op'"},
		{"\"flops\": 2", "\"flops\": -2", "numbers from 0 up"},
		{"\"x\": 1", "\"x\": \"1\"", "numbers from 0 up"},
		{"\"results\": {", "\"others\": {", "there are no results"},
		{"\"status\": \"ok\"", "\"status\": \"fine\"", "none of ok, WRONG"},
		{"\"median\": 2.0", "\"median\": 0", "0 < p10 <= median <= p90"},
		{"\"median\": 2.0", "\"median\": \"2\"", "0 < p10 <= median <= p90"},
		{"\"p90\": 2.5", "\"p90\": 1.9", "0 < p10 <= median <= p90"},
		{"\"runs\": 7", "\"runs\": 0", "runs above 0"},
		{"\"runs\": 7", "\"runs\": 7, \"share\": -1", "share, ceiling, dispatch and calls"},
		{"\"runs\": 7", "\"runs\": 7, \"ceiling\": -1", "share, ceiling, dispatch and calls"},
		{"\"runs\": 7", "\"runs\": 7, \"runs\": 7", "not JSON"},
		{"{\"format\"", "[", "not JSON"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("%s", rows[i].with);
		json_t *report = read_changed(rows[i].what, rows[i].with);
		MT_CHECK(report == NULL);
		MT_CHECK_CONTAINS(mt_error_take(NULL), rows[i].message);
		json_decref(report);
	}
	MT_CHECK(bench_json_read("/nowhere/report.json") == NULL);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "/nowhere/report.json: it cannot be opened");
	json_t *report = read_changed("\"runs\": 7", "\"runs\": 7, \"share\": 0.5");
	MT_REQUIRE(report != NULL);
	const json_t *one = json_array_get(json_object_get(report, "cases"), 0);
	struct bench_spread a = bench_time_of(bench_result_of(one, "a")), b = bench_time_of(bench_result_of(one, "b"));
	MT_CHECK(a.median == 2 && a.p10 == 1.5 && a.p90 == 2.5 && a.runs == 7);
	MT_CHECK(b.runs == 0 && bench_result_of(one, "c") == NULL && bench_time_of(NULL).runs == 0);
	MT_CHECK_STR(bench_baseline(report), "a");
	json_object_set_new(report, "baseline", json_string("b"));
	MT_CHECK_STR(bench_baseline(report), "b");
	json_decref(report);
}

static void test_peer(void) {
	json_t *ours = read_changed("\"name\": \"b\"", "\"name\": \"b2\"");
	json_t *clash = read_changed("\"name\": \"a\"", "\"name\": \"c\"");
	json_t *twin = read_changed("\"name\": \"a\"}, {\"name\": \"b\"", "\"name\": \"a\"");
	json_t *peer = read_changed("\"name\": \"a\"}, {\"name\": \"b\"", "\"name\": \"b\"");
	MT_REQUIRE(ours != NULL && clash != NULL && twin != NULL && peer != NULL);
	MT_CHECK_INT(bench_merge_peer(ours, twin), MT_E_FORMAT);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "is named 'a', and so is another");
	MT_CHECK_INT(bench_merge_peer(ours, peer), MT_OK);
	json_t *backends = json_object_get(ours, "backends");
	MT_CHECK_INT(json_array_size(backends), 3);
	MT_CHECK_STR(bench_text(json_array_get(backends, 2), "name"), "b");
	MT_CHECK(json_is_true(json_object_get(json_array_get(backends, 2), "peer")));
	const json_t *one = json_array_get(json_object_get(ours, "cases"), 0);
	MT_CHECK_STR(bench_text(bench_result_of(one, "b"), "status"), "WRONG");
	/* What no backend of the peer's is named for is left where it is: a's time is ours. */
	MT_CHECK_NEAR(bench_time_of(bench_result_of(one, "a")).median, 2, 0);
	MT_CHECK_INT(bench_merge_peer(ours, clash), MT_E_FORMAT); /* b is there by now */
	MT_CHECK_INT(json_array_size(backends), 3);
	mt_error_take(NULL);
	json_decref(ours);
	json_decref(clash);
	json_decref(twin);
	json_decref(peer);
}

int main(int argc, char **argv) {
	static const mt_test_case stats[] = {{"quantiles", test_quantiles}, {"change", test_change}, {0}};
	static const mt_test_case check[] = {{"agree", test_agree}, {"values_read", test_values_read}, {0}};
	static const mt_test_case text[] = {{"width", test_width}, {"cut", test_cut}, {"numbers", test_numbers}, {0}};
	static const mt_test_case report[] = {{"read", test_read}, {"peer", test_peer}, {0}};
	static const mt_test_suite suites[] = {{"stats", stats, NULL, NULL},
	                                       {"check", check, NULL, NULL},
	                                       {"text", text, NULL, NULL},
	                                       {"report", report, NULL, NULL},
	                                       {0}};
	return mt_test_main(argc, argv, suites);
}
