/* The page: what points.js draws, as JSON. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "train_points/train_points.h"
#include "web/page.h"

extern const char points_js[]; /* made from points.js */

enum { MOST_CURVE_POINTS = 5000 };

/* JSON has no NaN and no infinities: null stands for them. */
static json_t *number(double value) {
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *points_json(const struct points *p) {
	json_t *all = json_array();
	for (int64_t i = 0; i < p->n; i += p->shown_every)
		json_array_append_new(all, json_pack("[f, f, i]", points_at(p, i, 0), points_at(p, i, 1), points_label(p, i)));
	return all;
}

/* [epoch, loss, correct] of every epoch, or of every so-manieth and the last. */
static json_t *curve_json(const struct history *h) {
	json_t *all = json_array();
	int64_t every = (h->n + MOST_CURVE_POINTS - 1) / MOST_CURVE_POINTS;
	for (int64_t i = 0; i < h->n; i++)
		if (i % every == 0 || i == h->n - 1)
			json_array_append_new(all, json_pack("[I, o, I]", (json_int_t)(h->first + i + 1), number(h->loss[i]),
			                                     (json_int_t)h->correct[i]));
	return all;
}

/* A letter a cell: 64 levels of probability. */
static json_t *cells_json(const uint8_t *cells) {
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char text[SNAPSHOT_SIDE * SNAPSHOT_SIDE];
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = letters[cells[i] / 4];
	return json_stringn(text, sizeof text);
}

static json_t *snapshots_json(const struct history *h) {
	json_t *all = json_array();
	for (int i = 0; i < h->n_snapshots; i++) {
		const struct snapshot *s = &h->snapshots[i];
		json_array_append_new(all,
		                      json_pack("{s:I, s:o, s:I, s:o}", "epoch", (json_int_t)s->epoch, "loss", number(s->loss),
		                                "correct", (json_int_t)s->correct, "cells", cells_json(s->cells)));
	}
	return all;
}

static json_t *run_json(const struct run *r) {
	const struct points *p = r->points;
	return json_pack("{s:f, s:f, s:i, s:I, s:I, s:o, s:o, s:o}", "low", p->low, "high", p->high, "side", SNAPSHOT_SIDE,
	                 "total", (json_int_t)p->n, "every", (json_int_t)p->shown_every, "points", points_json(p), "curve",
	                 curve_json(&r->history), "snapshots", snapshots_json(&r->history));
}

static const char style[] = "<style>\n"
							"#points { display: flex; flex-wrap: wrap; gap: 1rem 2rem; margin-top: 1rem; }\n"
							".points-plane { flex: 1 1 22rem; max-width: 34rem; }\n"
							".points-plane > svg { display: block; width: 100%%; height: auto; }\n"
							".points-plane text { font-size: 12px; }\n"
							".points-curves { flex: 1 1 22rem; min-width: 0; }\n"
							".points-controls { display: flex; gap: 0.75rem; align-items: center; }\n"
							".points-controls input { flex: 1; accent-color: var(--mt-accent); }\n"
							".points-controls button { font: inherit; width: 5rem; }\n"
							".points-key { display: flex; gap: 1.25rem; }\n"
							".points-key svg { vertical-align: -2px; }\n"
							".points-zero, .points-one { stroke: var(--mt-surface); stroke-width: 1.5; }\n"
							".points-zero { fill: color-mix(in srgb, var(--mt-series-0) 45%%, var(--mt-fg)); }\n"
							".points-one { fill: color-mix(in srgb, var(--mt-series-1) 45%%, var(--mt-fg)); }\n"
							"</style>\n<div id=\"points\"></div>\n";

mt_status picture_html(const struct run *r, const char *path) {
	struct page page;
	char title[160];
	json_t *data = run_json(r);
	if (data == NULL)
		return mt_error_set(MT_E_MEMORY, "%s: no memory for the page", path);
	picture_title(r, title, sizeof title);
	page_begin(&page, "train_points", title);
	page_html(&page, style);
	page_data(&page, "run", data);
	page_script(&page, points_js);
	json_decref(data);
	return page_write(&page, path);
}
