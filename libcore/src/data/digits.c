/* Procedural digits: pen strokes, bent and drawn.  Only IEEE add, mul, div and sqrt are used, so that every machine
 * draws the same pixels (libcore is compiled without contraction to FMA). */

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/glyphs.h"
#include "data/stream.h"
#include "mt/data.h"

enum {
	SIDE = 28,
	PIXELS = SIDE * SIDE,
	STEPS = 6, /* straight pieces of the curve between two points */
	MAX_PIECES = MT__GLYPH_POINTS * STEPS,
	CELLS = 3, /* of the distortion's grid, a side */
	NODES = CELLS + 3
};

struct vec {
	float x, y;
};

struct piece {
	struct vec a, b;
};

struct drawing {
	struct piece piece[MAX_PIECES];
	int n;
};

/* ---- the pen's path: Catmull-Rom curves through the glyph's points, y from −1 to 1 ------------------------------ */

static struct vec curve(struct vec before, struct vec a, struct vec b, struct vec after, float t) {
	float t2 = t * t, t3 = t2 * t;
	float w0 = 0.5f * (2 * t2 - t3 - t), w1 = 0.5f * (3 * t3 - 5 * t2 + 2);
	float w2 = 0.5f * (4 * t2 - 3 * t3 + t), w3 = 0.5f * (t3 - t2);
	struct vec p = {w0 * before.x + w1 * a.x + w2 * b.x + w3 * after.x,
	                w0 * before.y + w1 * a.y + w2 * b.y + w3 * after.y};
	return p;
}

/* The glyph's points, each moved a little. */
static void place_points(struct mt__stream *s, struct mt__glyph glyph, struct vec *p) {
	const float jitter = 0.05f;
	for (int i = 0; i < glyph.n; i++) {
		p[i].x = ((float)glyph.points[i].x - 50) / 70 + mt__stream_range(s, -jitter, jitter);
		p[i].y = ((float)glyph.points[i].y - 70) / 70 + mt__stream_range(s, -jitter, jitter);
	}
}

/* Both ends of a piece are computed, and none carried over from the piece before: vectorising such a loop, gcc 13.2 (and
 * 14 as of April 2024) gives a carried x and y the first value of x alone. */
static void trace(struct mt__glyph glyph, const struct vec *p, struct drawing *d) {
	d->n = 0;
	for (int i = 0; i + 1 < glyph.n; i++) {
		if (glyph.points[i + 1].pen == MT__PEN_DOWN)
			continue;
		int smooth_here = glyph.points[i].pen == MT__PEN_SMOOTH;
		int smooth_next =
			glyph.points[i + 1].pen == MT__PEN_SMOOTH && i + 2 < glyph.n && glyph.points[i + 2].pen != MT__PEN_DOWN;
		struct vec before = smooth_here ? p[i - 1] : p[i], after = smooth_next ? p[i + 2] : p[i + 1];
		for (int k = 0; k < STEPS; k++) {
			struct piece *piece = &d->piece[d->n++];
			piece->a = curve(before, p[i], p[i + 1], after, (float)k / STEPS);
			piece->b = curve(before, p[i], p[i + 1], after, (float)(k + 1) / STEPS);
		}
	}
}

/* ---- bending: an affine map, then a smooth random field --------------------------------------------------------- */

struct bend {
	float xx, xy, yx, yy;
	struct vec node[NODES][NODES];
};

static struct bend draw_bend(struct mt__stream *s) {
	struct bend b;
	float angle = mt__stream_range(s, -0.26f, 0.26f); /* ±15 degrees */
	float square = angle * angle;
	float sine = angle * (1 - square / 6 * (1 - square / 20)); /* within 2e-8 here */
	float cosine = 1 - square / 2 * (1 - square / 12 * (1 - square / 30));
	float shear = mt__stream_range(s, -0.3f, 0.3f);
	float wide = mt__stream_range(s, 0.75f, 1.15f), high = mt__stream_range(s, 0.85f, 1.1f);
	b.xx = cosine * wide;
	b.xy = (cosine * shear - sine) * high;
	b.yx = sine * wide;
	b.yy = (sine * shear + cosine) * high;
	float strength = mt__stream_range(s, 0.05f, 0.28f);
	for (int i = 0; i < NODES; i++)
		for (int j = 0; j < NODES; j++) {
			b.node[i][j].x = mt__stream_range(s, -strength, strength);
			b.node[i][j].y = mt__stream_range(s, -strength, strength);
		}
	return b;
}

/* Weights of four neighbouring nodes at t in [0, 1] of a cell: a uniform cubic B-spline, the field's smoothing. */
static void spline(float t, float w[4]) {
	float u = 1 - t;
	w[0] = u * u * u / 6;
	w[1] = (3 * t * t * t - 6 * t * t + 4) / 6;
	w[2] = (3 * u * u * u - 6 * u * u + 4) / 6;
	w[3] = t * t * t / 6;
}

/* Position x, from −1.5 to 1.5, as a cell and a place in it. */
static int cell_of(float x, float *t) {
	float at = (x + 1.5f) * ((float)CELLS / 3.0f);
	int cell = at > 0 ? (int)at : 0;
	if (cell > CELLS - 1)
		cell = CELLS - 1;
	*t = at - (float)cell;
	return cell;
}

static struct vec bend_point(const struct bend *b, struct vec p) {
	struct vec q = {b->xx * p.x + b->xy * p.y, b->yx * p.x + b->yy * p.y};
	float tx, ty, wx[4], wy[4];
	int cx = cell_of(q.x, &tx), cy = cell_of(q.y, &ty);
	spline(tx, wx);
	spline(ty, wy);
	struct vec moved = q;
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 4; j++) {
			float w = wy[i] * wx[j];
			moved.x += w * b->node[cy + i][cx + j].x;
			moved.y += w * b->node[cy + i][cx + j].y;
		}
	return moved;
}

/* ---- fitting: as MNIST, the longer side to about 20 pixels, the ink's centre in the middle ---------------------- */

static float larger(float a, float b) {
	return a > b ? a : b;
}

static float smaller(float a, float b) {
	return a < b ? a : b;
}

static float length_of(struct piece s) {
	float dx = s.b.x - s.a.x, dy = s.b.y - s.a.y;
	return sqrtf(dx * dx + dy * dy);
}

static void fit(struct mt__stream *s, struct drawing *d, float radius) {
	struct vec low = d->piece[0].a, high = low, centre = {0, 0};
	float ink = 0;
	for (int i = 0; i < d->n; i++) {
		struct piece p = d->piece[i];
		low.x = smaller(low.x, smaller(p.a.x, p.b.x));
		low.y = smaller(low.y, smaller(p.a.y, p.b.y));
		high.x = larger(high.x, larger(p.a.x, p.b.x));
		high.y = larger(high.y, larger(p.a.y, p.b.y));
		float length = length_of(p);
		centre.x += length * 0.5f * (p.a.x + p.b.x);
		centre.y += length * 0.5f * (p.a.y + p.b.y);
		ink += length;
	}
	float extent = larger(larger(high.x - low.x, high.y - low.y), 0.1f);
	float scale = (mt__stream_range(s, 17.5f, 20.5f) - 2 * radius) / extent;
	float x0 = 13.5f + mt__stream_range(s, -1, 1) - scale * centre.x / ink;
	float y0 = 13.5f + mt__stream_range(s, -1, 1) - scale * centre.y / ink;
	for (int i = 0; i < d->n; i++) {
		struct piece *p = &d->piece[i];
		p->a.x = x0 + scale * p->a.x;
		p->a.y = y0 + scale * p->a.y;
		p->b.x = x0 + scale * p->b.x;
		p->b.y = y0 + scale * p->b.y;
	}
}

/* ---- drawing ---------------------------------------------------------------------------------------------------- */

static int clamp_pixel(float x) {
	return x < 0 ? 0 : x > SIDE - 1 ? SIDE - 1 : (int)x;
}

/* Squared distance from (x, y) to a piece. */
static float distance2(struct piece p, float inverse_length2, float x, float y) {
	float dx = p.b.x - p.a.x, dy = p.b.y - p.a.y;
	float t = ((x - p.a.x) * dx + (y - p.a.y) * dy) * inverse_length2;
	t = t < 0 ? 0 : t > 1 ? 1 : t;
	float ex = p.a.x + t * dx - x, ey = p.a.y + t * dy - y;
	return ex * ex + ey * ey;
}

/* nearest[pixel] = squared distance to the nearest piece, as far as reach; larger numbers beyond. */
static void measure(const struct drawing *d, float reach, float *nearest) {
	for (int i = 0; i < PIXELS; i++)
		nearest[i] = 1e9f;
	for (int i = 0; i < d->n; i++) {
		struct piece p = d->piece[i];
		float dx = p.b.x - p.a.x, dy = p.b.y - p.a.y, length2 = dx * dx + dy * dy;
		float inverse = length2 > 0 ? 1 / length2 : 0;
		int x0 = clamp_pixel(smaller(p.a.x, p.b.x) - reach), x1 = clamp_pixel(larger(p.a.x, p.b.x) + reach + 1);
		int y0 = clamp_pixel(smaller(p.a.y, p.b.y) - reach), y1 = clamp_pixel(larger(p.a.y, p.b.y) + reach + 1);
		for (int y = y0; y <= y1; y++)
			for (int x = x0; x <= x1; x++) {
				float *at = &nearest[y * SIDE + x];
				*at = smaller(*at, distance2(p, inverse, (float)x, (float)y));
			}
	}
}

static void draw(struct mt__stream *s, const struct drawing *d, float radius, uint8_t *image) {
	float soft = mt__stream_range(s, 1.0f, 1.7f); /* width of the edge */
	float peak = mt__stream_range(s, 215.0f, 255.0f);
	float grain = mt__stream_range(s, 0.0f, 0.15f); /* how uneven the ink is */
	float reach = radius + 0.5f * soft, nearest[PIXELS];
	measure(d, reach, nearest);
	for (int i = 0; i < PIXELS; i++) {
		image[i] = 0;
		if (nearest[i] >= reach * reach)
			continue;
		float cover = smaller((reach - sqrtf(nearest[i])) / soft, 1);
		image[i] = (uint8_t)(peak * cover * (1 - grain * mt__stream_unit(s)) + 0.5f);
	}
}

static void draw_digit(struct mt__stream *s, int digit, uint8_t *image) {
	struct vec points[MT__GLYPH_POINTS];
	struct drawing d;
	struct mt__glyph glyph = mt__glyph_style(digit, (int)mt__stream_below(s, (uint32_t)mt__glyph_styles(digit)));
	place_points(s, glyph, points);
	trace(glyph, points, &d);
	struct bend bend = draw_bend(s);
	for (int i = 0; i < d.n; i++) {
		d.piece[i].a = bend_point(&bend, d.piece[i].a);
		d.piece[i].b = bend_point(&bend, d.piece[i].b);
	}
	float radius = mt__stream_range(s, 0.75f, 1.7f);
	fit(s, &d, radius);
	draw(s, &d, radius, image);
}

mt_status mt_digits_generate(int64_t n, uint64_t seed, mt_host_array *images, mt_host_array *labels) {
	static const char op[] = "digits_generate";
	if (images == NULL || labels == NULL)
		return mt__fail_arg_null(op, images == NULL ? "images" : "labels");
	memset(images, 0, sizeof *images);
	memset(labels, 0, sizeof *labels);
	if (n < 0 || n > (1 << 30))
		return mt__fail(MT_E_ARG, "%s: n must be 0 to 2^30, got %" PRId64, op, n);
	*images = (mt_host_array){.dtype = MT_U8, .rank = 3, .shape = {n, SIDE, SIDE}};
	*labels = (mt_host_array){.dtype = MT_U8, .rank = 1, .shape = {n}};
	if (n == 0)
		return MT_OK;
	images->data = mt__alloc((size_t)n * PIXELS);
	labels->data = mt__alloc((size_t)n);
	if (images->data == NULL || labels->data == NULL) {
		mt_host_array_free(images);
		mt_host_array_free(labels);
		return mt__fail_memory(op, (size_t)n * PIXELS);
	}
	uint8_t *image = images->data, *label = labels->data;
	for (int64_t i = 0; i < n; i++) {
		struct mt__stream s = mt__stream_open(seed, MT__STREAM_DIGIT, (uint64_t)i);
		label[i] = (uint8_t)mt__stream_below(&s, 10);
		draw_digit(&s, label[i], image + i * PIXELS);
	}
	return MT_OK;
}
