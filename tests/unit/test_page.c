/* Pages of apps/web: what is escaped, what is data, and that a file is written whole or not at all. */
#include "mt_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mt/status.h"
#include "web/page.h"

static char folder[] = "/tmp/mt-page.XXXXXX";

static const char *in_folder(const char *name) {
	static char path[256];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static int make_folder(void) {
	return mkdtemp(folder) == NULL;
}

static int remove_folder(void) {
	unlink(in_folder("page.html"));
	return rmdir(folder);
}

/* The file's text, to free; NULL where there is none. */
static char *text_of(const char *path) {
	FILE *in = fopen(path, "r");
	if (in == NULL)
		return NULL;
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	if (out != NULL) {
		for (int c; (c = fgetc(in)) != EOF;)
			fputc(c, out);
		fclose(out);
	}
	fclose(in);
	return text;
}

/* Ends the page and gives its text, to free. */
static char *written(struct page *p) {
	if (!MT_CHECK_INT(page_write(p, in_folder("page.html")), MT_OK))
		printf("# %s\n", mt_error_take(NULL));
	return text_of(in_folder("page.html"));
}

/* How often part stands in text, letters of either case the same. */
static int count(const char *text, const char *part) {
	int n = 0;
	for (const char *at = text; (at = strcasestr(at, part)) != NULL; at++)
		n++;
	return n;
}

static void test_whole(void) {
	struct page p;
	page_begin(&p, "train_points", NULL);
	char *text = written(&p);
	MT_REQUIRE(text != NULL);
	MT_CHECK(strncmp(text, "<!DOCTYPE html>\n<html lang=\"en\">\n", 33) == 0);
	MT_CHECK_CONTAINS(text, "<meta charset=\"utf-8\">");
	MT_CHECK_CONTAINS(text, "<title>train_points</title>");
	MT_CHECK_CONTAINS(text, "<h1>train_points</h1>");
	MT_CHECK(strcmp(text + strlen(text) - 16, "</body>\n</html>\n") == 0);
	/* Every script that page.h promises, and nothing from elsewhere. */
	static const char *const offered[] = {"mtData",   "mtNode",  "mtFormat",        "mtLineChart",  "mtRoofline",
	                                      "mtMatrix", "mtImage", "mtSortableTable", "mtFilterTable"};
	for (size_t i = 0; i < sizeof offered / sizeof *offered; i++) {
		char part[64];
		mt_test_row("%s", offered[i]);
		snprintf(part, sizeof part, "window.%s = function", offered[i]);
		MT_CHECK_INT(count(text, part), 1);
	}
	MT_CHECK_CONTAINS(text, "default-src 'none'");
	MT_CHECK_INT(count(text, "src="), 0);
	MT_CHECK_INT(count(text, "href="), 0);
	MT_CHECK_INT(count(text, "url(http"), 0);
	MT_CHECK_INT(count(text, "eval("), 0);
	free(text);
}

static void test_escaping(void) {
	static const char outside[] = "</p><script>\"a\" & 'b' \xc3\xbc";
	static const char escaped[] = "&lt;/p&gt;&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39; \xc3\xbc";
	char part[256];
	struct page p;
	page_begin(&p, outside, outside);
	page_text(&p, "p class=\"note\"", outside);
	page_html(&p, "<b title=\"");
	page_escaped(&p, outside);
	page_html(&p, "\">%d %%</b>", 42);
	char *text = written(&p);
	MT_REQUIRE(text != NULL);
	MT_CHECK_INT(count(text, outside), 0);
	static const struct {
		const char *before, *after;
	} places[] = {{"<title>", "</title>"},
	              {"<h1>", "</h1>"},
	              {"<p>", "</p>"},
	              {"<p class=\"note\">", "</p>"},
	              {"<b title=\"", "\">42 %</b>"}};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		snprintf(part, sizeof part, "%s%s%s", places[i].before, escaped, places[i].after);
		MT_CHECK_CONTAINS(text, part);
	}
	free(text);
}

/* Between the data element's tags stands the document again, and nothing that a parser of HTML could see. */
static void test_data(void) {
	static const char *const texts[] = {
		"</script>",        "</SCRIPT >", "<!-- <script>", "a \"quoted\" 'text' \\", "\xe2\x80\xa8\n",
		"\xf0\x9f\x98\x80", "",           "&lt;"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		mt_test_row("%s", texts[i]);
		json_t *data = json_pack("{s:s, s:[f, i, n]}", texts[i], texts[i], "n", 0.1, -3);
		MT_REQUIRE(data != NULL);
		struct page p;
		page_begin(&p, "data", NULL);
		page_data(&p, "a\"<b", data);
		char *text = written(&p);
		static const char opening[] = "<script type=\"application/json\" id=\"mt-data-a&quot;&lt;b\">";
		char *start = text == NULL ? NULL : strstr(text, opening);
		char *stop = start == NULL ? NULL : strstr(start, "</script>");
		if (MT_CHECK(stop != NULL)) {
			start += sizeof opening - 1;
			MT_CHECK(memchr(start, '<', (size_t)(stop - start)) == NULL);
			json_t *back = json_loadb(start, (size_t)(stop - start), 0, NULL);
			MT_CHECK(json_equal(back, data));
			json_decref(back);
		}
		free(text);
		json_decref(data);
	}
}

static void test_scripts(void) {
	struct page p;
	page_begin(&p, "scripts", NULL);
	page_script(&p, "first();");
	page_text(&p, "p", "after it");
	page_script(&p, "second();");
	char *text = written(&p);
	MT_REQUIRE(text != NULL);
	/* Scripts run when all of the page is there, in their order. */
	const char *after = strstr(text, "after it");
	const char *first = strstr(text, "first();");
	const char *second = strstr(text, "second();");
	MT_CHECK(after != NULL && first != NULL && second != NULL && after < first && first < second);
	free(text);
}

static void test_failures(void) {
	struct page p;
	page_begin(&p, "kept", NULL);
	free(written(&p));

	page_begin(&p, "no folder", NULL);
	const char *path = in_folder("none/page.html");
	MT_CHECK_INT(page_write(&p, path), MT_E_IO);
	MT_CHECK_CONTAINS(mt_error_take(NULL), path);
	MT_CHECK(p.out == NULL && p.text == NULL);

	/* No data is a page that could not be made; what comes after it does no harm, and the old file stays. */
	page_begin(&p, "new", NULL);
	page_data(&p, "none", NULL);
	page_html(&p, "<p>");
	page_text(&p, "p", "x");
	page_escaped(&p, "x");
	page_script(&p, "x");
	page_data(&p, "none", NULL);
	MT_CHECK_INT(page_write(&p, in_folder("page.html")), MT_E_MEMORY);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "page.html: the page could not be made");
	char *text = text_of(in_folder("page.html"));
	MT_REQUIRE(text != NULL);
	MT_CHECK_CONTAINS(text, "<title>kept</title>");
	free(text);
}

static const mt_test_case cases[] = {{"whole", test_whole},     {"escaping", test_escaping}, {"data", test_data},
                                     {"scripts", test_scripts}, {"failures", test_failures}, {0}};
static const mt_test_suite suites[] = {{"page", cases, make_folder, remove_folder}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
