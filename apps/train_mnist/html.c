/* The page of --html: texts and tables here, what is drawn by mnist.js. */
#include "train_mnist/html.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "train_mnist/picture.h"
#include "web/page.h"

/* Made from the files of these names (Local.mk). */
extern const char mnist_css[], mnist_js[];

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

/* JSON has no NaN and no infinities. */
static json_t *number(double value) {
	return isfinite(value) ? json_real(value) : json_null();
}

/* Base64 (RFC 4648); NULL where there is no memory. */
static json_t *base64(const unsigned char *data, size_t bytes) {
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *text = malloc((bytes + 2) / 3 * 4 + 1), *to = text;
	if (text == NULL)
		return NULL;
	for (size_t i = 0; i < bytes; i += 3) {
		size_t left = bytes - i;
		unsigned group = (unsigned)data[i] << 16;
		group |= left > 1 ? (unsigned)data[i + 1] << 8 : 0;
		group |= left > 2 ? data[i + 2] : 0;
		*to++ = digits[group >> 18];
		*to++ = digits[group >> 12 & 63];
		*to++ = left > 1 ? digits[group >> 6 & 63] : '=';
		*to++ = left > 2 ? digits[group & 63] : '=';
	}
	*to = '\0';
	json_t *json = json_string(text);
	free(text);
	return json;
}

static json_t *curve_of(const struct history *h) {
	static struct curve_point points[HTML_CURVE_POINTS];
	json_t *curve = json_array();
	int n = history_curve(h, points);
	for (int i = 0; i < n; i++) {
		const struct curve_point *p = &points[i];
		json_array_append_new(curve, json_pack("[I, o, o, o, o]", (json_int_t)p->step, number(p->loss), number(p->low),
		                                       number(p->high), number(p->accuracy)));
	}
	return curve;
}

static json_t *evaluation_of(const struct history_evaluation *e) {
	return json_pack("[I, o, o]", (json_int_t)e->step, number(e->loss), number(e->accuracy));
}

static json_t *valid_of(const struct history *h) {
	json_t *valid = json_array();
	for (int64_t i = 0; i < h->n_valid; i++)
		json_array_append_new(valid, evaluation_of(&h->valid[i]));
	return valid;
}

static json_t *confusion_of(const struct test_study *s) {
	json_t *rows = json_array();
	for (int i = 0; i < HTML_DIGITS; i++) {
		json_t *row = json_array();
		for (int j = 0; j < HTML_DIGITS; j++)
			json_array_append_new(row, json_integer((json_int_t)s->confusion[i][j]));
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *worst_of(const struct html_report *r) {
	json_t *worst = json_array();
	for (int i = 0; i < r->study->n_worst; i++) {
		const struct worst_image *w = &r->study->worst[i];
		json_t *pixels = base64(r->test_images + w->image * DIGIT_PIXELS, DIGIT_PIXELS);
		json_array_append_new(worst,
		                      json_pack("{s:I, s:i, s:i, s:o, s:o, s:o, s:o}", "image", (json_int_t)w->image, "label",
		                                w->label, "predicted", w->predicted, "p", number(w->p), "pLabel",
		                                number(w->p_label), "loss", number(w->loss), "pixels", pixels));
	}
	return worst;
}

/* Weights as grey: black −most, middle 0, white most; what is not finite is 0. */
static json_t *filter_of(const float *weights, int64_t n, double most) {
	unsigned char *pixels = malloc((size_t)n);
	if (pixels == NULL)
		return NULL;
	for (int64_t i = 0; i < n; i++)
		pixels[i] = (unsigned char)(128 + (isfinite(weights[i]) && most > 0 ? lround(weights[i] / most * 127) : 0));
	json_t *json = base64(pixels, (size_t)n);
	free(pixels);
	return json;
}

/* The greatest size of a weight. */
static double most_of(const struct html_filters *f) {
	double most = 0;
	for (int64_t i = 0; i < f->n * f->height * f->width; i++)
		if (isfinite(f->weights[i]) && fabs(f->weights[i]) > most)
			most = fabs(f->weights[i]);
	return most;
}

static json_t *filters_of(const struct html_filters *f) {
	int64_t pixels = f->height * f->width;
	double most = most_of(f);
	json_t *all = json_array();
	for (int64_t i = 0; i < f->n; i++)
		json_array_append_new(all, filter_of(f->weights + i * pixels, pixels, most));
	return json_pack("{s:I, s:I, s:o}", "height", (json_int_t)f->height, "width", (json_int_t)f->width, "pixels", all);
}

/* ---- the page --------------------------------------------------------------------------------------------------- */

static void put_facts(struct page *p, const char *head, const struct html_fact *facts, int64_t n) {
	page_text(p, "h2", head);
	page_html(p, "<div class=\"mt-scroll\"><table>\n");
	for (int64_t i = 0; i < n; i++) {
		page_html(p, "<tr>");
		page_text(p, "th scope=\"row\"", facts[i].name);
		page_text(p, "td", facts[i].value);
		page_html(p, "</tr>\n");
	}
	page_html(p, "</table></div>\n");
}

static void put_curves(struct page *p, const struct history *h) {
	static const char note[] =
		"Training: the loss that is minimised, and the accuracy, of each step's batch as the network stood then. Many "
		"steps are drawn as their means, with a band from the least to the greatest loss. Validation and test: the "
		"mean of "
		"\xe2\x88\x92ln p over all images.";
	page_text(p, "h2", "Training");
	if (h->n_steps == 0)
		page_text(p, "p", "This run took no step: it went on from a checkpoint of a whole run.");
	else if (h->first_step > 1)
		page_html(p, "<p>Shown from step %" PRId64 " on, where this run went on from a checkpoint.</p>\n",
		          h->first_step);
	page_html(p, "<div id=\"loss\"></div>\n<div id=\"accuracy\"></div>\n");
	page_text(p, "p class=\"mt-note\"", note);
}

static void put_pictures(struct page *p, const struct html_report *r) {
	double most = most_of(&r->filters);
	page_text(p, "h2", "Test images");
	page_html(p, "<div id=\"confusion\"></div>\n");
	page_html(p, "<h3>The %d with the greatest loss</h3>\n", r->study->n_worst);
	page_html(p, "<div id=\"worst\" class=\"mnist-gallery\"></div>\n");
	page_text(p, "h2", "First layer");
	page_html(p, "<p>%" PRId64 " of the filters in <code>", r->filters.n);
	page_escaped(p, r->filters.name);
	page_html(p, "</code>, %" PRId64 " \xc3\x97 %" PRId64 ": white is %.3g, grey 0, black \xe2\x88\x92%.3g.</p>\n",
	          r->filters.height, r->filters.width, most, most);
	page_html(p, "<div id=\"filters\" class=\"mnist-gallery\"></div>\n");
}

mt_status html_write(const struct html_report *r, const char *path) {
	struct page page;
	json_t *run = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "curve", curve_of(r->history), "valid",
	                        valid_of(r->history), "test", evaluation_of(&r->test), "confusion", confusion_of(r->study),
	                        "worst", worst_of(r), "filters", filters_of(&r->filters));
	page_begin(&page, r->title, r->subtitle);
	page_html(&page, "<style>\n%s</style>\n", mnist_css);
	put_facts(&page, "Result", r->results, r->n_results);
	put_curves(&page, r->history);
	put_pictures(&page, r);
	put_facts(&page, "Options", r->options, r->n_options);
	page_data(&page, "run", run);
	page_script(&page, mnist_js);
	page_script(&page, "mtMnistReport(mtData('run'));");
	json_decref(run);
	return page_write(&page, path);
}
