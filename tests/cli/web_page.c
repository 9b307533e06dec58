/* web_page TITLE DATA.json SCRIPT.js OUT.html: a page of apps/web with the data as "test", for web_charts.test. */
#include <stdio.h>
#include <stdlib.h>

#include "mt/status.h"
#include "web/page.h"

static char *read_text(const char *path) {
	char *text = NULL;
	size_t length = 0;
	FILE *in = fopen(path, "r");
	FILE *out = open_memstream(&text, &length);
	if (in != NULL && out != NULL)
		for (int c; (c = fgetc(in)) != EOF;)
			fputc(c, out);
	if (out != NULL)
		fclose(out);
	if (in == NULL) {
		free(text);
		return NULL;
	}
	fclose(in);
	return text;
}

int main(int argc, char **argv) {
	if (argc != 5) {
		fprintf(stderr, "usage: web_page TITLE DATA.json SCRIPT.js OUT.html\n");
		return 2;
	}
	json_error_t error;
	json_t *data = json_load_file(argv[2], 0, &error);
	char *script = read_text(argv[3]);
	int status = 1;
	if (data == NULL) {
		fprintf(stderr, "web_page: %s: line %d: %s\n", argv[2], error.line, error.text);
	} else if (script == NULL) {
		fprintf(stderr, "web_page: %s cannot be read\n", argv[3]);
	} else {
		struct page page;
		page_begin(&page, argv[1], NULL);
		page_html(&page, "<div id=\"test\"></div>\n");
		page_data(&page, "test", data);
		page_script(&page, script);
		status = page_write(&page, argv[4]) != MT_OK;
		if (status != 0)
			fprintf(stderr, "web_page: %s\n", mt_error_take(NULL));
	}
	free(script);
	json_decref(data);
	return status;
}
