/* Self-contained HTML pages: one file, no network, light and dark by the reader's setting.
 *
 *     struct page page;
 *     page_begin(&page, "train_points", "spiral, 50 points");
 *     page_text(&page, "h2", "Loss");
 *     page_html(&page, "<div id=\"loss\"></div>");
 *     page_data(&page, "run", document);
 *     page_script(&page, "mtLineChart(document.getElementById('loss'), mtData('run').loss);");
 *     status = page_write(&page, path);
 *
 * style.css, charts.js and table.js beside this file are put into every page.  What charts.js offers is said there. */
#ifndef APPS_WEB_PAGE_H
#define APPS_WEB_PAGE_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#include "mt/status.h"

struct page {
	FILE *out; /* into text */
	char *text;
	size_t length;
	int failed;
};

/* Begins a page in memory.  title and subtitle (may be NULL) are escaped here. */
void page_begin(struct page *p, const char *title, const char *subtitle);
/* Markup as it is; what came from outside goes through page_escaped or page_text. */
void page_html(struct page *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* text with & < > " ' escaped. */
void page_escaped(struct page *p, const char *text);
/* <element>text, escaped</element> */
void page_text(struct page *p, const char *element, const char *text);
/* JSON for scripts: mtData(id) gives it parsed.  "</" cannot end the element early. */
void page_data(struct page *p, const char *id, const json_t *data);
/* A script that runs once the page is loaded. */
void page_script(struct page *p, const char *script);
/* Ends the page and writes it to path, whole or not at all; frees the page either way. */
mt_status page_write(struct page *p, const char *path);

#endif
