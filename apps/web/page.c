/* Pages are made in memory: the body in one stream, what runs at its end in another. */
#include "web/page.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "mt/io.h"

/* Made from the files of these names (Local.mk). */
extern const char style_css[], base_js[], axes_js[], tooltip_js[], charts_js[], roofline_js[], matrix_js[], table_js[];

/* A page asks for nothing from anywhere, whatever is put into it. */
#define POLICY "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"

static void put(FILE *out, const char *text) {
	fputs(text, out);
}

static void put_escaped(FILE *out, const char *text) {
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '&':
			put(out, "&amp;");
			break;
		case '<':
			put(out, "&lt;");
			break;
		case '>':
			put(out, "&gt;");
			break;
		case '"':
			put(out, "&quot;");
			break;
		case '\'':
			put(out, "&#39;");
			break;
		default:
			fputc(*text, out);
		}
	}
}

static void put_head(FILE *out, const char *title) {
	static const char *const scripts[] = {base_js, axes_js, tooltip_js, charts_js, roofline_js, matrix_js, table_js};
	put(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
	put(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"" POLICY "\">\n");
	put(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
	put(out, "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
	put_escaped(out, title);
	put(out, "</title>\n<style>\n");
	put(out, style_css);
	put(out, "</style>\n");
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
		put(out, "<script>\n");
		put(out, scripts[i]);
		put(out, "</script>\n");
	}
	put(out, "</head>\n");
}

void page_begin(struct page *p, const char *title, const char *subtitle) {
	memset(p, 0, sizeof *p);
	p->out = open_memstream(&p->text, &p->length);
	p->scripts = open_memstream(&p->script_text, &p->script_length);
	if (p->out == NULL || p->scripts == NULL) {
		p->failed = 1;
		return;
	}
	put_head(p->out, title);
	put(p->out, "<body>\n<header>\n");
	page_text(p, "h1", title);
	if (subtitle != NULL)
		page_text(p, "p", subtitle);
	put(p->out, "</header>\n<main>\n<noscript><p>This page draws with JavaScript, which is off.</p></noscript>\n");
}

void page_html(struct page *p, const char *format, ...) {
	if (p->failed)
		return;
	va_list args;
	va_start(args, format);
	if (vfprintf(p->out, format, args) < 0)
		p->failed = 1;
	va_end(args);
}

void page_escaped(struct page *p, const char *text) {
	if (!p->failed)
		put_escaped(p->out, text);
}

void page_text(struct page *p, const char *element, const char *text) {
	if (p->failed)
		return;
	fprintf(p->out, "<%s>", element);
	put_escaped(p->out, text);
	fprintf(p->out, "</%.*s>\n", (int)strcspn(element, " "), element);
}

/* "<" stands in strings alone there, and \u003c says the same: no markup can begin in it. */
static int put_json(const char *buffer, size_t bytes, void *out) {
	for (size_t i = 0; i < bytes; i++)
		if (buffer[i] == '<')
			put(out, "\\u003c");
		else
			fputc(buffer[i], out);
	return 0;
}

void page_data(struct page *p, const char *id, const json_t *data) {
	if (p->failed)
		return;
	put(p->out, "<script type=\"application/json\" id=\"mt-data-");
	put_escaped(p->out, id);
	put(p->out, "\">");
	if (json_dump_callback(data, put_json, p->out, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
		p->failed = 1;
	put(p->out, "</script>\n");
}

void page_script(struct page *p, const char *script) {
	if (p->failed)
		return;
	put(p->scripts, "<script>\n");
	put(p->scripts, script);
	put(p->scripts, "\n</script>\n");
}

/* Closes a stream of the page's. */
static void end(struct page *p, FILE *stream) {
	if (stream == NULL)
		return;
	p->failed |= ferror(stream) != 0;
	p->failed |= fclose(stream) != 0;
}

mt_status page_write(struct page *p, const char *path) {
	end(p, p->scripts);
	if (!p->failed) {
		put(p->out, "</main>\n<footer>mt ");
		put_escaped(p->out, mt_version());
		put(p->out, "</footer>\n");
		put(p->out, p->script_text);
		put(p->out, "</body>\n</html>\n");
	}
	end(p, p->out);
	mt_status status = p->failed ? mt_error_set(MT_E_MEMORY, "%s: the page could not be made", path)
	                             : mt_write_file(path, p->text, p->length);
	free(p->text);
	free(p->script_text);
	memset(p, 0, sizeof *p);
	return status;
}
