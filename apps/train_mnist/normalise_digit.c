/* A picture's digit as MNIST was made: LeCun et al. 1998, section III.A. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train_mnist/picture.h"

enum { BOX = 20, LEVELS = 256 };

/* A sheet of paper and what is drawn on it, in grey levels. */
struct sheet {
	int paper;
	int sign;      /* 1: the ink is lighter, −1: darker */
	int threshold; /* ink differs from the paper by more */
};

struct box {
	int64_t left, top, width, height;
};

/* ---- paper and ink ---------------------------------------------------------------------------------------------- */

/* The level up to which half of the counted ones lie. */
static int median(const int64_t counts[LEVELS]) {
	int64_t total = 0, below = 0;
	for (int i = 0; i < LEVELS; i++)
		total += counts[i];
	for (int i = 0; i < LEVELS; i++) {
		below += counts[i];
		if (2 * below >= total)
			return i;
	}
	return LEVELS - 1;
}

static void count_border(const struct picture *p, int64_t counts[LEVELS]) {
	for (int64_t y = 0; y < p->height; y++) {
		const unsigned char *row = p->pixels + y * p->width;
		int64_t step = y == 0 || y == p->height - 1 || p->width == 1 ? 1 : p->width - 1;
		for (int64_t x = 0; x < p->width; x += step)
			counts[row[x]]++;
	}
}

/* Noise of the paper: the median distance of the border from its own median, which a digit at the edge does not move. */
static int noise(const int64_t border[LEVELS], int paper) {
	int64_t distances[LEVELS] = {0};
	for (int i = 0; i < LEVELS; i++)
		distances[abs(i - paper)] += border[i];
	return median(distances);
}

static const char *study(const struct picture *p, struct sheet *s) {
	enum { FAINTEST = 24, NOISES = 4, PARTS = 16 };
	int64_t border[LEVELS] = {0}, all[LEVELS] = {0}, lighter = 0, darker = 0;
	int most = 0;
	count_border(p, border);
	s->paper = median(border);
	for (int64_t i = 0; i < p->width * p->height; i++)
		all[p->pixels[i]]++;
	for (int i = 0; i < LEVELS; i++)
		if (all[i] > 0 && abs(i - s->paper) > most)
			most = abs(i - s->paper);
	s->threshold = NOISES * noise(border, s->paper);
	s->threshold = s->threshold > most / PARTS ? s->threshold : most / PARTS;
	if (most < FAINTEST)
		return "there is no ink: all pixels are nearly alike";
	if (s->threshold >= most)
		return "there is no ink: nothing stands out of the paper's own differences";
	for (int i = 0; i < LEVELS; i++) {
		if (i - s->paper > s->threshold)
			lighter += all[i] * (i - s->paper);
		if (s->paper - i > s->threshold)
			darker += all[i] * (s->paper - i);
	}
	s->sign = lighter > darker ? 1 : -1;
	return NULL;
}

/* 0 for paper. */
static int ink_at(const struct picture *p, const struct sheet *s, int64_t x, int64_t y) {
	int ink = s->sign * (p->pixels[y * p->width + x] - s->paper);
	return ink > s->threshold ? ink : 0;
}

static struct box find_ink(const struct picture *p, const struct sheet *s) {
	int64_t left = p->width, right = -1, top = p->height, bottom = -1;
	for (int64_t y = 0; y < p->height; y++)
		for (int64_t x = 0; x < p->width; x++) {
			if (ink_at(p, s, x, y) == 0)
				continue;
			left = x < left ? x : left;
			right = x > right ? x : right;
			top = y < top ? y : top;
			bottom = y;
		}
	return (struct box){left, top, right - left + 1, bottom - top + 1};
}

/* ---- scaling ---------------------------------------------------------------------------------------------------- */

/* One axis of an area average: cell i of `to` covers sources first … last; the outer two only in part. */
struct cover {
	int64_t first, last;
	double first_part, last_part;
};

static struct cover cover(int i, int to, int64_t from) {
	double begin = (double)i * (double)from / to, end = (double)(i + 1) * (double)from / to;
	struct cover c = {.first = (int64_t)begin, .last = (int64_t)ceil(end) - 1};
	if (c.last >= from)
		c.last = from - 1;
	c.first_part = (double)(c.first + 1) - begin;
	c.last_part = end - (double)c.last;
	if (c.first == c.last)
		c.first_part = c.last_part = end - begin;
	return c;
}

static double part(const struct cover *c, int64_t at) {
	return at == c->first ? c->first_part : at == c->last ? c->last_part : 1;
}

static double area_mean(const struct picture *p, const struct sheet *s, const struct box *b, struct cover cx,
                        struct cover cy) {
	double sum = 0, area = 0;
	for (int64_t y = cy.first; y <= cy.last; y++)
		for (int64_t x = cx.first; x <= cx.last; x++) {
			double weight = part(&cx, x) * part(&cy, y);
			sum += weight * ink_at(p, s, b->left + x, b->top + y);
			area += weight;
		}
	return sum / area;
}

/* A side's cells where the longer one has BOX. */
static int fitted(int64_t side, int64_t longer) {
	int cells = (int)lround((double)side * BOX / (double)longer);
	return cells > 0 ? cells : 1;
}

/* ---- the digit -------------------------------------------------------------------------------------------------- */

/* Where to put `cells` cells so that their centre of mass comes to the middle of pixel 14, and none is lost.  The middle of
 * the image is half a pixel before; this is where MNIST's own digits have it. */
static int place(double centre, int cells) {
	int at = (int)lround(DIGIT_SIDE / 2 + 0.5 - centre);
	return at < 0 ? 0 : at > DIGIT_SIDE - cells ? DIGIT_SIDE - cells : at;
}

const char *normalise_digit(const struct picture *p, unsigned char out[DIGIT_PIXELS]) {
	struct sheet s;
	double cells[BOX][BOX], mass = 0, mass_x = 0, mass_y = 0, most = 0;
	memset(out, 0, DIGIT_PIXELS);
	if (p->width < 1 || p->height < 1)
		return "there is no ink: there are no pixels";
	const char *why = study(p, &s);
	if (why != NULL)
		return why;
	struct box b = find_ink(p, &s);
	int64_t longer = b.width > b.height ? b.width : b.height;
	int width = fitted(b.width, longer), height = fitted(b.height, longer);
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++) {
			double ink = area_mean(p, &s, &b, cover(x, width, b.width), cover(y, height, b.height));
			cells[y][x] = ink;
			mass += ink;
			mass_x += ink * (x + 0.5);
			mass_y += ink * (y + 0.5);
			most = ink > most ? ink : most;
		}
	int left = place(mass_x / mass, width), top = place(mass_y / mass, height);
	for (int y = 0; y < height;
	     y++) /* thin lines fade when a large picture shrinks: the strongest becomes white again */
		for (int x = 0; x < width; x++)
			out[(top + y) * DIGIT_SIDE + left + x] = (unsigned char)lround(cells[y][x] * 255 / most);
	return NULL;
}
