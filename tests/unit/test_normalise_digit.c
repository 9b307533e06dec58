/* Pictures of digits made as MNIST's: paper and ink, box, scale, place; MNIST's own digits stay where they are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mt/data.h"
#include "mt_test.h"
#include "train_mnist/picture.h"

enum { BOX = 20, MIDDLE = 14 };

struct bounds {
	int left, top, right, bottom, most;
};

static struct bounds bounds_of(const unsigned char digit[DIGIT_PIXELS]) {
	struct bounds b = {DIGIT_SIDE, DIGIT_SIDE, -1, -1, 0};
	for (int i = 0; i < DIGIT_PIXELS; i++) {
		int x = i % DIGIT_SIDE, y = i / DIGIT_SIDE;
		if (digit[i] == 0)
			continue;
		b.left = x < b.left ? x : b.left;
		b.right = x > b.right ? x : b.right;
		b.top = y < b.top ? y : b.top;
		b.bottom = y > b.bottom ? y : b.bottom;
		b.most = digit[i] > b.most ? digit[i] : b.most;
	}
	return b;
}

static void centre_of(const unsigned char digit[DIGIT_PIXELS], double *x, double *y) {
	double mass = 0;
	*x = *y = 0;
	for (int i = 0; i < DIGIT_PIXELS; i++) {
		mass += digit[i];
		*x += digit[i] * (double)(i % DIGIT_SIDE);
		*y += digit[i] * (double)(i / DIGIT_SIDE);
	}
	*x /= mass;
	*y /= mass;
}

static struct picture sheet(int64_t width, int64_t height, int paper) {
	struct picture p = {malloc((size_t)(width * height)), width, height};
	memset(p.pixels, paper, (size_t)(width * height));
	return p;
}

static void draw(struct picture *p, int64_t left, int64_t top, int64_t width, int64_t height, int level) {
	for (int64_t y = top; y < top + height; y++)
		memset(p->pixels + y * p->width + left, level, (size_t)width);
}

/* A seven: a bar, and a stroke down its right side. */
static void draw_seven(struct picture *p, int64_t left, int64_t top, int64_t unit, int level) {
	draw(p, left, top, 6 * unit, 2 * unit, level);
	draw(p, left + 4 * unit, top, 2 * unit, 10 * unit, level);
}

/* ---- rectangles ------------------------------------------------------------------------------------------------- */

static void test_boxes(void) {
	static const struct {
		const char *name;
		int width, height, paper, ink, left, top, ink_width, ink_height; /* the picture */
		int cells_x, cells_y;                                            /* of the digit */
	} rows[] = {
		{"tall, white on black", 100, 100, 0, 255, 40, 10, 20, 80, 5, 20},
		{"tall, black on white", 100, 100, 255, 0, 40, 10, 20, 80, 5, 20},
		{"wide", 100, 60, 255, 0, 5, 20, 90, 27, 20, 6},
		{"square, grey on grey", 50, 50, 100, 160, 1, 1, 40, 40, 20, 20},
		{"square, darker grey", 50, 50, 160, 100, 9, 9, 40, 40, 20, 20},
		{"smaller than the box", 9, 9, 255, 10, 2, 1, 2, 4, 10, 20},
		{"one pixel", 5, 5, 255, 0, 2, 2, 1, 1, 20, 20},
		{"a line that would vanish", 400, 5, 255, 0, 1, 2, 398, 1, 20, 1},
		{"not divided evenly", 64, 64, 0, 200, 3, 5, 23, 47, 10, 20},
		{"large", 2000, 1500, 255, 30, 700, 100, 600, 1300, 9, 20},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned char digit[DIGIT_PIXELS];
		struct picture p = sheet(rows[i].width, rows[i].height, rows[i].paper);
		mt_test_row("%s", rows[i].name);
		draw(&p, rows[i].left, rows[i].top, rows[i].ink_width, rows[i].ink_height, rows[i].ink);
		MT_CHECK_STR(normalise_digit(&p, digit), NULL);
		struct bounds b = bounds_of(digit);
		MT_CHECK_INT(b.right - b.left + 1, rows[i].cells_x);
		MT_CHECK_INT(b.bottom - b.top + 1, rows[i].cells_y);
		MT_CHECK_INT(b.most, 255);
		for (int y = b.top; y <= b.bottom; y++) /* a full rectangle stays one: area means of equal ink are equal */
			for (int x = b.left; x <= b.right; x++)
				MT_CHECK_INT(digit[y * DIGIT_SIDE + x], 255);
		double cx, cy;
		centre_of(digit, &cx, &cy);
		MT_CHECK(cx >= MIDDLE - 0.5 && cx <= MIDDLE + 0.5);
		MT_CHECK(cy >= MIDDLE - 0.5 && cy <= MIDDLE + 0.5);
		picture_free(&p);
	}
}

/* Area means: a box of 4 x 40 whose left half is full and whose right half has a third of the ink. */
static void test_area_means(void) {
	unsigned char digit[DIGIT_PIXELS];
	struct picture p = sheet(60, 60, 0);
	draw(&p, 10, 10, 40, 40, 90); /* a cell is 2 x 2 */
	for (int64_t y = 10; y < 50; y += 2)
		draw(&p, 30, y, 20, 1, 210);
	MT_CHECK_STR(normalise_digit(&p, digit), NULL);
	struct bounds b = bounds_of(digit);
	MT_CHECK_INT(digit[b.top * DIGIT_SIDE + b.left], 153); /* 90 of (90 + 210) / 2 */
	MT_CHECK_INT(digit[b.top * DIGIT_SIDE + b.right], 255);
	picture_free(&p);
	p = sheet(34, 34, 0); /* 30 to 20: a cell covers one and a half */
	draw(&p, 2, 2, 30, 30, 100);
	draw(&p, 2, 2, 1, 30, 200);
	MT_CHECK_STR(normalise_digit(&p, digit), NULL);
	b = bounds_of(digit);
	MT_CHECK_INT(digit[b.top * DIGIT_SIDE + b.left], 255);
	MT_CHECK_INT(digit[b.top * DIGIT_SIDE + b.left + 1], 153); /* 100 of (200 · 1 + 100 · 0.5) / 1.5 */
	picture_free(&p);
}

/* A mass that lies to one side is moved to the middle as far as nothing is cut off. */
static void test_centre_of_mass(void) {
	unsigned char digit[DIGIT_PIXELS];
	double x, y;
	struct picture p = sheet(200, 200, 255);
	draw_seven(&p, 20, 90, 10, 0);
	MT_CHECK_STR(normalise_digit(&p, digit), NULL);
	centre_of(digit, &x, &y);
	MT_CHECK(x >= MIDDLE - 0.5 && x <= MIDDLE + 0.5 && y >= MIDDLE - 0.5 && y <= MIDDLE + 0.5);
	picture_free(&p);
	p = sheet(100, 100, 255);
	draw(&p, 10, 50, 80, 2, 0);
	draw(&p, 80, 10, 10, 80, 0); /* nearly all at the right of 80 x 80 */
	MT_CHECK_STR(normalise_digit(&p, digit), NULL);
	struct bounds b = bounds_of(digit);
	MT_CHECK_INT(b.right - b.left + 1, BOX);
	MT_CHECK_INT(b.bottom - b.top + 1, BOX);
	MT_CHECK_INT(b.left, 0);
	picture_free(&p);
}

/* ---- the same digit, drawn otherwise ---------------------------------------------------------------------------- */

static void test_alike(void) {
	static const struct {
		const char *name;
		int side, left, top, unit, paper, ink;
	} rows[] = {
		{"inverted", 200, 50, 60, 10, 0, 255},    {"elsewhere", 200, 0, 99, 10, 255, 0},
		{"at the edges", 100, 0, 0, 10, 255, 0},  {"grey", 200, 50, 60, 10, 180, 90},
		{"smaller", 90, 50, 60, 2, 255, 0},       {"larger", 900, 100, 100, 60, 255, 0},
		{"light grey", 200, 50, 60, 10, 90, 180},
	};
	unsigned char expected[DIGIT_PIXELS], digit[DIGIT_PIXELS];
	struct picture p = sheet(200, 200, 255);
	draw_seven(&p, 50, 60, 10, 0);
	MT_REQUIRE(normalise_digit(&p, expected) == NULL);
	picture_free(&p);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("%s", rows[i].name);
		p = sheet(rows[i].side, rows[i].side, rows[i].paper);
		draw_seven(&p, rows[i].left, rows[i].top, rows[i].unit, rows[i].ink);
		MT_CHECK_STR(normalise_digit(&p, digit), NULL);
		MT_CHECK(memcmp(digit, expected, sizeof digit) == 0);
		picture_free(&p);
	}
}

/* Paper with grain, as a photograph has it: the grain is no ink. */
static void test_grain(void) {
	unsigned char expected[DIGIT_PIXELS], digit[DIGIT_PIXELS];
	struct picture p = sheet(200, 200, 200);
	draw_seven(&p, 50, 60, 10, 30);
	MT_REQUIRE(normalise_digit(&p, expected) == NULL);
	uint32_t state = 1;
	for (int i = 0; i < 200 * 200; i++) {
		state = state * 1664525u + 1013904223u;
		p.pixels[i] = (unsigned char)(p.pixels[i] + (int)(state >> 24) % 33 - 16);
	}
	MT_CHECK_STR(normalise_digit(&p, digit), NULL);
	double difference = 0;
	for (int i = 0; i < DIGIT_PIXELS; i++)
		difference += abs(digit[i] - expected[i]);
	MT_CHECK_MSG(difference / DIGIT_PIXELS <= 2, "mean difference %g", difference / DIGIT_PIXELS);
	picture_free(&p);
}

/* ---- nothing to see --------------------------------------------------------------------------------------------- */

static void test_no_ink(void) {
	static const int levels[] = {0, 127, 255};
	unsigned char digit[DIGIT_PIXELS];
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
		struct picture p = sheet(30, 20, levels[i]);
		mt_test_row("all %d", levels[i]);
		MT_CHECK_CONTAINS(normalise_digit(&p, digit), "there is no ink");
		p.pixels[300] = (unsigned char)(levels[i] ^ 8); /* nearly nothing */
		MT_CHECK_CONTAINS(normalise_digit(&p, digit), "there is no ink");
		for (int k = 0; k < DIGIT_PIXELS; k++)
			MT_CHECK_INT(digit[k], 0);
		picture_free(&p);
	}
	struct picture noise = sheet(64, 64, 0), none = {0};
	uint32_t state = 7;
	for (int i = 0; i < 64 * 64; i++) {
		state = state * 1664525u + 1013904223u;
		noise.pixels[i] = (unsigned char)(state >> 24);
	}
	mt_test_row("noise");
	MT_CHECK_CONTAINS(normalise_digit(&noise, digit), "there is no ink");
	picture_free(&noise);
	mt_test_row("no pixels");
	MT_CHECK_CONTAINS(normalise_digit(&none, digit), "there is no ink");
	picture_free(&none);
}

/* Every small picture of three levels: never outside the arrays, never a division by nothing. */
static void test_small(void) {
	static const unsigned char levels[] = {0, 100, 255};
	unsigned char digit[DIGIT_PIXELS], pixels[6];
	int read = 0;
	for (int code = 0; code < 729; code++)
		for (int width = 1; width <= 6; width++) {
			struct picture p = {pixels, width, 6 / width};
			for (int i = 0, rest = code; i < 6; i++, rest /= 3)
				pixels[i] = levels[rest % 3];
			if (normalise_digit(&p, digit) != NULL)
				continue;
			read++;
			MT_CHECK_INT(bounds_of(digit).most, 255);
		}
	MT_CHECK_MSG(read > 2000, "%d have ink", read);
}

/* ---- MNIST ------------------------------------------------------------------------------------------------------ */

/* MNIST's digits are made so already: they come out as they are, in the same place but for ties of rounding. */
static void test_mnist(void) {
	const char *data = getenv("MT_DATA_DIR");
	char dir[1024];
	mt_host_array images, labels;
	int moved = 0;
	double difference = 0;
	snprintf(dir, sizeof dir, "%s/mnist", data ? data : "");
	if (data == NULL || !mt_mnist_present(dir))
		MT_SKIP("MT_DATA_DIR has no MNIST");
	MT_REQUIRE(mt_mnist_load(dir, "test", &images, &labels) == MT_OK);
	for (int64_t i = 0; i < images.shape[0]; i++) {
		unsigned char *image = (unsigned char *)images.data + i * DIGIT_PIXELS, digit[DIGIT_PIXELS];
		struct picture p = {image, DIGIT_SIDE, DIGIT_SIDE};
		double own = 0;
		MT_CHECK_STR(normalise_digit(&p, digit), NULL);
		for (int k = 0; k < DIGIT_PIXELS; k++)
			own += abs(digit[k] - image[k]);
		difference += own / DIGIT_PIXELS;
		moved += own / DIGIT_PIXELS > 5;
	}
	mt_test_note("%d of %d moved, mean difference %.3f levels", moved, (int)images.shape[0],
	             difference / (double)images.shape[0]);
	MT_CHECK(moved * 50 < images.shape[0]);
	MT_CHECK(difference / (double)images.shape[0] < 0.5);
	mt_host_array_free(&images);
	mt_host_array_free(&labels);
}

static const mt_test_case cases[] = {
	{"boxes", test_boxes}, {"area_means", test_area_means}, {"centre_of_mass", test_centre_of_mass},
	{"alike", test_alike}, {"grain", test_grain},           {"no_ink", test_no_ink},
	{"small", test_small}, {"mnist", test_mnist},           {0}};
static const mt_test_suite suites[] = {{"normalise_digit", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
