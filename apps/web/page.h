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
 * style.css and the scripts beside this file are put into every page; each script says at its top what it offers:
 * base.js mtData, mtNode, mtFormat; charts.js mtLineChart; roofline.js mtRoofline; matrix.js mtMatrix, mtImage;
 * table.js mtSortableTable, mtFilterTable.
 * A program's own scripts are files too: Local.mk says how they are put into it. */
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
	FILE *scripts; /* into script_text: what page_script gave */
	char *script_text;
	size_t script_length;
	int failed;
};

/* Begins a page in memory.  title and subtitle (may be NULL) are escaped here.  Nothing fails before page_write. */
void page_begin(struct page *p, const char *title, const char *subtitle);
/* Markup as it is; what came from outside goes through page_escaped or page_text. */
void page_html(struct page *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* text with & < > " ' escaped: good inside an element and inside a quoted attribute. */
void page_escaped(struct page *p, const char *text);
/* <element>text, escaped</element>; element may have attributes: "p class=\"note\"". */
void page_text(struct page *p, const char *element, const char *text);
/* JSON for scripts: mtData(id) gives it parsed.  No text in it can end the element early. */
void page_data(struct page *p, const char *id, const json_t *data);
/* A script of the program's own (never text from outside) that runs once all of the page is there, in the order of the
 * calls; functions of one can be called in the next. */
void page_script(struct page *p, const char *script);
/* Ends the page and writes it to path, whole or not at all; frees the page either way.  MT_OK, MT_E_IO, or MT_E_MEMORY
 * where the page could not be made, with the error set. */
mt_status page_write(struct page *p, const char *path);

#endif
