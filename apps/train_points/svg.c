/* The picture at the end of training: decision regions with the points, the loss curve beside them.  Ground and text suit
 * light and dark pages; the classes differ in shape, too. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "mt/io.h"
#include "train_points/train_points.h"

enum { MAP_SIDE = 100, LEVELS = 10, WIDTH = 860, HEIGHT = 440, MOST_CURVE_POINTS = 1500 };

/* The part of the picture that an axis pair frames, and what it shows. */
struct frame {
	double x, y, width, height; /* pixels; y downwards */
	double left, right, low, high;
};

static double to_x(const struct frame *f, double v) {
	return f->x + (v - f->left) / (f->right - f->left) * f->width;
}

static double to_y(const struct frame *f, double v) {
	return f->y + (f->high - v) / (f->high - f->low) * f->height;
}

/* ---- axes ------------------------------------------------------------------------------------------------------- */

/* 1, 2 or 5 times a power of ten, so that some five fit. */
static double tick_step(double span) {
	double power = pow(10, floor(log10(span / 5)));
	double rest = span / 5 / power;
	return power * (rest < 1.5 ? 1 : rest < 3.5 ? 2 : rest < 7.5 ? 5 : 10);
}

static int decimals_of(double step) {
	double digits = -floor(log10(step) + 1e-9);
	return digits > 0 ? (int)digits : 0;
}

static void draw_x_ticks(FILE *out, const struct frame *f, int whole) {
	double step = tick_step(f->right - f->left), bottom = f->y + f->height;
	if (whole && step < 1)
		step = 1;
	for (double i = ceil(f->left / step - 1e-9); i * step <= f->right + 1e-9 * step; i++) {
		double x = to_x(f, i * step);
		fprintf(out, "<path class=\"axis\" d=\"M%.1f %.1fv5\"/>", x, bottom);
		fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%.*f</text>\n", x, bottom + 18,
		        decimals_of(step), i * step + 0.0);
	}
}

static void draw_y_ticks(FILE *out, const struct frame *f) {
	double step = tick_step(f->high - f->low);
	for (double i = ceil(f->low / step - 1e-9); i * step <= f->high + 1e-9 * step; i++) {
		double y = to_y(f, i * step);
		fprintf(out, "<path class=\"axis\" d=\"M%.1f %.1fh-5\"/>", f->x, y);
		fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.*f</text>\n", f->x - 8, y + 4,
		        decimals_of(step), i * step + 0.0);
	}
}

static void draw_axes(FILE *out, const struct frame *f, const char *x_label, const char *y_label, int whole) {
	double middle = f->y + f->height / 2;
	fprintf(out, "<path class=\"axis\" d=\"M%.1f %.1fv%.1fh%.1f\"/>\n", f->x, f->y, f->height, f->width);
	draw_x_ticks(out, f, whole);
	draw_y_ticks(out, f);
	fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n", f->x + f->width / 2,
	        f->y + f->height + 36, x_label);
	fprintf(out, "<text transform=\"translate(%.1f %.1f) rotate(-90)\" text-anchor=\"middle\">%s</text>\n", f->x - 42,
	        middle, y_label);
}

/* ---- decision regions ------------------------------------------------------------------------------------------- */

/* Blue for class 0, orange for class 1, paler towards one half; the two palest meet there. */
static const char *const level_colors[LEVELS] = {"#3f7fb8", "#6098c6", "#85b1d4", "#adc9e1", "#d3e1ee",
                                                 "#f6e0cd", "#f0c39c", "#e8a76f", "#df8c47", "#d57322"};

/* One path a level, made of runs of cells of the same level. */
static void draw_level(FILE *out, const uint8_t *map, int level) {
	fprintf(out, "<path fill=\"%s\" d=\"", level_colors[level]);
	for (int row = 0; row < MAP_SIDE; row++)
		for (int from = 0, to; from < MAP_SIDE; from = to) {
			int here = map[row * MAP_SIDE + from] * LEVELS / 256;
			for (to = from + 1; to < MAP_SIDE && map[row * MAP_SIDE + to] * LEVELS / 256 == here; to++)
				;
			if (here == level)
				fprintf(out, "M%d %dh%dv1h%dz", from, row, to - from, from - to);
		}
	fprintf(out, "\"/>\n");
}

static void draw_regions(FILE *out, const struct frame *f, const uint8_t *map) {
	fprintf(out, "<g shape-rendering=\"crispEdges\" transform=\"translate(%g %g) scale(%g)\">\n", f->x, f->y,
	        f->width / MAP_SIDE);
	for (int level = 0; level < LEVELS; level++)
		draw_level(out, map, level);
	fprintf(out, "</g>\n");
}

static void draw_point(FILE *out, double x, double y, int label) {
	if (label)
		fprintf(out, "<path class=\"one\" d=\"M%.1f %.1fl4.8 8.4h-9.6z\"/>", x, y - 5.6);
	else
		fprintf(out, "<circle class=\"zero\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>", x, y);
}

static void draw_points(FILE *out, const struct frame *f, const struct points *p) {
	for (int64_t i = 0; i < p->n; i += p->shown_every)
		draw_point(out, to_x(f, points_at(p, i, 0)), to_y(f, points_at(p, i, 1)), points_label(p, i));
	fputc('\n', out);
}

static void draw_plane(FILE *out, const struct run *r, const uint8_t *map) {
	const struct points *p = r->points;
	const struct frame f = {56, 48, 330, 330, p->low, p->high, p->low, p->high};
	draw_regions(out, &f, map);
	draw_points(out, &f, p);
	draw_axes(out, &f, "x", "y", 0);
	draw_point(out, f.x + 6, HEIGHT - 10, 0);
	fprintf(out, "<text x=\"%.1f\" y=\"%d\">class 0</text>", f.x + 16, HEIGHT - 6);
	draw_point(out, f.x + 86, HEIGHT - 10, 1);
	fprintf(out, "<text x=\"%.1f\" y=\"%d\">class 1</text>", f.x + 96, HEIGHT - 6);
	fprintf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"end\">%" PRId64 " of %" PRId64 " correct</text>\n",
	        f.x + f.width, HEIGHT - 6, r->score.correct, p->n);
	if (p->shown_every > 1)
		fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">one point of %" PRId64 " is shown</text>\n",
		        f.x + f.width, f.y - 6, p->shown_every);
}

/* ---- the loss curve --------------------------------------------------------------------------------------------- */

static double greatest(const double *values, int64_t n) {
	double most = 0;
	for (int64_t i = 0; i < n; i++)
		if (isfinite(values[i]) && values[i] > most)
			most = values[i];
	return most;
}

/* A line through the finite losses; of more epochs than there are pixels, the greatest loss of each few. */
static void draw_curve(FILE *out, const struct frame *f, const struct history *h) {
	int64_t every = (h->n + MOST_CURVE_POINTS - 1) / MOST_CURVE_POINTS;
	int pen_down = 0;
	fprintf(out, "<path class=\"curve\" d=\"");
	for (int64_t i = 0; i < h->n; i += every) {
		int64_t n = h->n - i < every ? h->n - i : every, at = i;
		for (int64_t k = i; k < i + n; k++)
			if (!isfinite(h->loss[k]) || h->loss[k] > h->loss[at])
				at = k;
		if (!isfinite(h->loss[at])) {
			pen_down = 0;
			continue;
		}
		fprintf(out, pen_down ? "L%.1f %.1f" : "M%.1f %.1fh0", to_x(f, (double)(h->first + at + 1)),
		        to_y(f, h->loss[at]));
		pen_down = 1;
	}
	fprintf(out, "\"/>\n");
}

static void draw_losses(FILE *out, const struct history *h) {
	double most = greatest(h->loss, h->n);
	struct frame f = {486, 48, 350, 330, (double)h->first, (double)(h->first + h->n), 0, most > 0 ? most * 1.05 : 1};
	if (h->n == 0)
		f.right = f.left + 1;
	draw_axes(out, &f, "epoch", "loss (mean over the epoch)", 1);
	draw_curve(out, &f, h);
}

/* ---- the file --------------------------------------------------------------------------------------------------- */

static const char style[] =
	"text{font:12px system-ui,sans-serif;fill:#7a7a7a}"
	".title{font-size:15px;font-weight:600}"
	".axis{fill:none;stroke:#7a7a7a}"
	".curve{fill:none;stroke:#c9661a;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}"
	".zero{fill:#0d3c6e;stroke:#fff;stroke-width:1.4}"
	".one{fill:#6b2700;stroke:#fff;stroke-width:1.4;stroke-linejoin:round}";

static void draw(FILE *out, const struct run *r, const uint8_t *map) {
	char title[160];
	picture_title(r, title, sizeof title);
	fprintf(
		out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">\n",
		WIDTH, HEIGHT, WIDTH, HEIGHT);
	fprintf(out, "<title>%s</title>\n<style>%s</style>\n", title, style);
	fprintf(out, "<text class=\"title\" x=\"56\" y=\"24\">%s</text>\n", title);
	draw_plane(out, r, map);
	draw_losses(out, &r->history);
	fprintf(out, "</svg>\n");
}

void picture_title(const struct run *r, char *text, size_t size) {
	const struct options *o = r->options;
	snprintf(text, size, "%s: %" PRId64 " points, network 2-%" PRId64 "-%" PRId64 "-1, %s, rate %g%s, seed %" PRIu64,
	         mt_points_name(o->dataset), o->points, o->hidden, o->hidden, optimizer_names[o->optimizer], o->rate,
	         o->schedule == SCHEDULE_LINEAR ? " falling" : "", o->seed);
}

mt_status picture_svg(const struct run *r, const char *path) {
	uint8_t map[MAP_SIDE * MAP_SIDE];
	char *text = NULL;
	size_t bytes = 0;
	mt_status status = net_map(r->net, r->points, MAP_SIDE, map);
	if (status != MT_OK)
		return status;
	FILE *out = open_memstream(&text, &bytes);
	if (out != NULL)
		draw(out, r, map);
	int failed = out == NULL || ferror(out);
	failed |= out != NULL && fclose(out) != 0;
	status =
		failed ? mt_error_set(MT_E_MEMORY, "%s: no memory for the picture", path) : mt_write_file(path, text, bytes);
	free(text);
	return status;
}
