/* The page of train_mnist --html: curves thinned, the test set studied, and all of it in the file. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mt_test.h"
#include "train_mnist/html.h"

/* ---- history ---------------------------------------------------------------------------------------------------- */

static void test_curve(void) {
	static const struct {
		int steps, points;
	} rows[] = {{0, 0}, {1, 1}, {2, 2}, {200, 200}, {201, 101}, {400, 200}, {401, 134}, {9380, 200}, {9401, 196}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct history h = {0};
		struct curve_point points[HTML_CURVE_POINTS];
		mt_test_row("%d steps", rows[i].steps);
		for (int s = 0; s < rows[i].steps; s++)
			MT_CHECK_INT(history_add_step(&h, 11 + s, s, 0.5 * s), MT_OK);
		int n = history_curve(&h, points);
		MT_CHECK_INT(n, rows[i].points);
		int64_t begin = 11;
		for (int k = 0; k < n; k++) { /* a line stays one: the mean is that of the ends */
			double first = (double)(begin - 11), last = (double)(points[k].step - 11);
			MT_CHECK_NEAR(points[k].loss, (first + last) / 2, 1e-12);
			MT_CHECK_NEAR(points[k].accuracy, (first + last) / 4, 1e-12);
			MT_CHECK(points[k].low == first && points[k].high == last);
			begin = points[k].step + 1;
		}
		MT_CHECK_INT(begin, 11 + rows[i].steps);
		history_free(&h);
		MT_CHECK(h.steps == NULL && h.n_steps == 0);
	}
}

static void test_curve_not_finite(void) {
	struct history h = {0};
	struct curve_point points[HTML_CURVE_POINTS];
	for (int s = 1; s <= 600; s++) /* three a point: the first all lost, of the second one */
		history_add_step(&h, s, s <= 3 ? NAN : s == 5 ? INFINITY : s, 10);
	MT_CHECK_INT(history_curve(&h, points), 200);
	MT_CHECK(isnan(points[0].loss) && isnan(points[0].low) && isnan(points[0].high));
	MT_CHECK_NEAR(points[0].accuracy, 10, 0);
	MT_CHECK_NEAR(points[1].loss, 5, 0);
	MT_CHECK(points[1].low == 4 && points[1].high == 6);
	history_free(&h);
}

/* ---- study ------------------------------------------------------------------------------------------------------ */

enum { N = 200 };

/* ln p of an image of which `digit` has p, the others share the rest. */
static void say(float log_probs[HTML_DIGITS], int digit, double p) {
	for (int d = 0; d < HTML_DIGITS; d++)
		log_probs[d] = (float)log(d == digit ? p : (1 - p) / (HTML_DIGITS - 1));
}

static void test_study(void) {
	static float log_probs[N][HTML_DIGITS];
	static unsigned char labels[N];
	static struct test_study study;
	for (int i = 0; i < N; i++) {
		labels[i] = (unsigned char)(i % 10);
		say(log_probs[i], labels[i], 0.5 + 0.001 * i);
	}
	say(log_probs[17], 1, 0.99);
	say(log_probs[33], 9, 0.9);
	say(log_probs[150], 1, 0.99);
	study_test((const float(*)[HTML_DIGITS])log_probs, labels, N, &study);
	int64_t right = 0, all = 0;
	for (int i = 0; i < HTML_DIGITS; i++)
		for (int j = 0; j < HTML_DIGITS; j++) {
			all += study.confusion[i][j];
			right += i == j ? study.confusion[i][j] : 0;
		}
	MT_CHECK_INT(all, N);
	MT_CHECK_INT(right, N - 3);
	MT_CHECK(study.confusion[7][1] == 1 && study.confusion[3][9] == 1 && study.confusion[0][1] == 1);
	MT_CHECK_INT(study.n_worst, HTML_WORST);
	static const int first[] = {17, 150, 33, 0, 1, 2, 3}; /* equals in their order; then the least sure */
	for (size_t i = 0; i < sizeof first / sizeof *first; i++)
		MT_CHECK_INT(study.worst[i].image, first[i]);
	for (int i = 1; i < study.n_worst; i++)
		MT_CHECK(study.worst[i].loss <= study.worst[i - 1].loss);
	MT_CHECK(study.worst[0].label == 7 && study.worst[0].predicted == 1);
	MT_CHECK_NEAR(study.worst[0].p, 0.99, 1e-6);
	MT_CHECK_NEAR(study.worst[0].p_label, 0.01 / 9, 1e-6);
	MT_CHECK_NEAR(study.worst[0].loss, -log(0.01 / 9), 1e-6);
}

static void test_study_small(void) {
	static struct test_study study;
	float log_probs[3][HTML_DIGITS];
	static const unsigned char labels[] = {4, 5, 6};
	for (int i = 0; i < 3; i++)
		say(log_probs[i], 5, 0.3);
	for (int d = 0; d < HTML_DIGITS; d++)
		log_probs[1][d] = NAN;
	study_test((const float(*)[HTML_DIGITS])log_probs, labels, 3, &study);
	MT_CHECK_INT(study.n_worst, 3);
	MT_CHECK(study.worst[0].image == 1 && study.worst[1].image == 0 && study.worst[2].image == 2);
	study_test((const float(*)[HTML_DIGITS])log_probs, labels, 0, &study);
	MT_CHECK_INT(study.n_worst, 0);
}

/* ---- the page --------------------------------------------------------------------------------------------------- */

static char path[] = "/tmp/mt-mnist-html.XXXXXX";

static int make_file(void) {
	int fd = mkstemp(path);
	return fd < 0 || close(fd) != 0;
}

static int remove_file(void) {
	return unlink(path);
}

static char *read_page(void) {
	FILE *in = fopen(path, "rb");
	char *text = calloc(1, 1 << 20);
	if (in != NULL && text != NULL)
		MT_CHECK(fread(text, 1, (1 << 20) - 1, in) > 0);
	if (in != NULL)
		fclose(in);
	return text;
}

/* The document of the page, to json_decref. */
static json_t *data_of(const char *text) {
	static const char begin[] = "id=\"mt-data-run\">";
	const char *start = strstr(text, begin);
	if (start == NULL)
		return NULL;
	start += sizeof begin - 1;
	return json_loadb(start, strcspn(start, "<"), 0, NULL);
}

static int value_of_digit(char c) {
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	return c == '=' ? 0 : (int)(strchr(digits, c) - digits);
}

/* Byte i of base64. */
static int byte_of(const char *text, int i) {
	const char *four = text + i / 3 * 4;
	unsigned group = 0;
	for (int k = 0; k < 4; k++)
		group = group << 6 | (unsigned)value_of_digit(four[k]);
	return group >> (16 - 8 * (i % 3)) & 255;
}

static const struct html_fact results[] = {{"test accuracy", "99.99%"}, {"data", "<i>&\"files\"</i>"}};
static const struct html_fact options[] = {{"model", "lenet"}};

static void test_page(void) {
	static float log_probs[N][HTML_DIGITS];
	static unsigned char labels[N], images[N * 784];
	static struct test_study study;
	static const float weights[] = {0, 0.5f, -0.25f, -0.5f, NAN, 0.1f, 0, 0, 0, INFINITY, 0, 0};
	struct history h = {0};
	for (int i = 0; i < N; i++) {
		say(log_probs[i], 0, 0.5);
		labels[i] = (unsigned char)(i % 10);
		for (int k = 0; k < 784; k++)
			images[i * 784 + k] = (unsigned char)(i + k);
	}
	for (int s = 5; s < 9; s++)
		history_add_step(&h, s, s == 6 ? NAN : 1.0 / s, 10 * s);
	history_add_valid(&h, 8, 0.25, 95);
	study_test((const float(*)[HTML_DIGITS])log_probs, labels, N, &study);
	struct html_report r = {.title = "a <title>",
	                        .subtitle = "b",
	                        .n_results = 2,
	                        .n_options = 1,
	                        .results = results,
	                        .options = options,
	                        .history = &h,
	                        .test = {8, 0.5, 90},
	                        .study = &study,
	                        .test_images = images,
	                        .filters = {"conv1.weight", 2, 2, 3, weights}};
	MT_REQUIRE(html_write(&r, path) == MT_OK);
	char *text = read_page();
	MT_CHECK_CONTAINS(text, "<h1>a &lt;title&gt;</h1>");
	MT_CHECK_CONTAINS(text, "<th scope=\"row\">data</th>\n<td>&lt;i&gt;&amp;&quot;files&quot;&lt;/i&gt;</td>");
	MT_CHECK_CONTAINS(text, "<th scope=\"row\">model</th>\n<td>lenet</td>");
	MT_CHECK_CONTAINS(text, "Shown from step 5 on");
	MT_CHECK_CONTAINS(text, "2 of the filters in <code>conv1.weight</code>");
	MT_CHECK_CONTAINS(text, "white is 0.5, grey 0");
	MT_CHECK_CONTAINS(text, "mtMnistReport(mtData('run'));");
	json_t *run = data_of(text), *curve = json_object_get(run, "curve");
	free(text);
	MT_REQUIRE(run != NULL);
	MT_CHECK_INT(json_array_size(curve), 4);
	MT_CHECK(json_is_null(json_array_get(json_array_get(curve, 1), 1)));
	MT_CHECK_INT(json_integer_value(json_array_get(json_array_get(curve, 3), 0)), 8);
	MT_CHECK_NEAR(json_real_value(json_array_get(json_array_get(curve, 3), 1)), 0.125, 0);
	MT_CHECK_NEAR(json_real_value(json_array_get(json_array_get(json_object_get(run, "valid"), 0), 2)), 95, 0);
	MT_CHECK_INT(json_integer_value(json_array_get(json_array_get(json_object_get(run, "confusion"), 3), 0)), N / 10);
	json_t *worst = json_object_get(run, "worst"), *one = json_array_get(worst, 1);
	MT_CHECK_INT(json_array_size(worst), HTML_WORST);
	int64_t image = json_integer_value(json_object_get(one, "image"));
	MT_CHECK_INT(image, study.worst[1].image);
	const char *pixels = json_string_value(json_object_get(one, "pixels"));
	MT_REQUIRE(pixels != NULL && strlen(pixels) == (784 + 2) / 3 * 4);
	MT_CHECK_STR(pixels + strlen(pixels) - 2, "==");
	for (int k = 0; k < 784; k++)
		MT_CHECK_INT(byte_of(pixels, k), (image + k) % 256);
	static const int greys[] = {128, 255, 64, 1, 128, 153};
	pixels = json_string_value(json_array_get(json_object_get(json_object_get(run, "filters"), "pixels"), 0));
	MT_REQUIRE(pixels != NULL && strlen(pixels) == 8);
	for (int k = 0; k < 6; k++)
		MT_CHECK_INT(byte_of(pixels, k), greys[k]);
	json_decref(run);
	history_free(&h);
}

/* A run that went on from a whole run's checkpoint, of a network that knows nothing. */
static void test_page_empty(void) {
	static struct test_study study;
	static const float weights[4];
	struct history h = {0};
	struct html_report r = {
		.title = "t", .history = &h, .test = {8, NAN, 0}, .study = &study, .filters = {"fc1.weight", 1, 2, 2, weights}};
	MT_REQUIRE(html_write(&r, path) == MT_OK);
	char *text = read_page();
	MT_CHECK_CONTAINS(text, "This run took no step");
	json_t *run = data_of(text);
	free(text);
	MT_REQUIRE(run != NULL);
	MT_CHECK(json_is_null(json_array_get(json_object_get(run, "test"), 1)));
	MT_CHECK_INT(json_array_size(json_object_get(run, "worst")), 0);
	json_decref(run);
	MT_CHECK_INT(html_write(&r, "/nowhere/at/all.html"), MT_E_IO);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "/nowhere/at/all.html");
}

static const mt_test_case cases[] = {{"curve", test_curve},
                                     {"curve_not_finite", test_curve_not_finite},
                                     {"study", test_study},
                                     {"study_small", test_study_small},
                                     {"page", test_page},
                                     {"page_empty", test_page_empty},
                                     {0}};
static const mt_test_suite suites[] = {{"mnist_html", cases, make_file, remove_file}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
