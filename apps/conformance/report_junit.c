/* JUnit's XML, as continuous integration reads it: a suite for each op, a test for each dtype. */
#include <string.h>

#include "report.h"

/* Text as XML holds it; what XML cannot hold is not in a result's text any more. */
static void put(const char *text) {
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", stdout);
			break;
		case '<':
			fputs("&lt;", stdout);
			break;
		case '>':
			fputs("&gt;", stdout);
			break;
		case '"':
			fputs("&quot;", stdout);
			break;
		case '\'':
			fputs("&apos;", stdout);
			break;
		default:
			putchar(*text);
			break;
		}
	}
}

static void attribute(const char *name, const char *value) {
	printf(" %s=\"", name);
	put(value);
	putchar('"');
}

static void put_failures(const struct cf_report *r, const struct cf_row *row) {
	char id[CF_ID_SIZE], element[320], line[2048];
	printf("      <failure");
	attribute("message", row->failure[0] != '\0' ? row->failure : "cases failed");
	printf(">");
	for (int32_t i = 0; i < row->count; i++) {
		const struct cf_item *item = &r->plan->items[row->first + i];
		if (item->result == NULL || item->result->outcome != CF_FAILED)
			continue;
		cf_item_id(id, sizeof id, r->plan, item);
		cf_element_words(element, sizeof element, item->result);
		cf_rerun_line(line, sizeof line, r, item);
		const char *const lines[] = {id, item->result->words, element, line};
		for (int k = 0; k < 4; k++) {
			put(lines[k]);
			putchar('\n');
		}
	}
	printf("</failure>\n");
}

static void put_row(const struct cf_report *r, const struct cf_row *row) {
	const char *verdict = cf_verdict(row);
	printf("    <testcase");
	attribute("classname", row->label);
	attribute("name", row->dtype[0] != '\0' ? row->dtype : row->label);
	printf(" assertions=\"%d\">\n", row->executed);
	if (strcmp(verdict, "failed") == 0) {
		put_failures(r, row);
	} else if (strcmp(verdict, "native") != 0 && strcmp(verdict, "passed") != 0 && strcmp(verdict, "partial") != 0) {
		printf("      <skipped");
		attribute("message", verdict);
		printf("/>\n");
	}
	printf("    </testcase>\n");
}

static void put_group(const struct cf_report *r, const struct cf_group *g) {
	int failures = 0, skipped = 0;
	for (int32_t i = 0; i < g->rows; i++) {
		const char *verdict = cf_verdict(&r->plan->rows[g->first_row + i]);
		failures += strcmp(verdict, "failed") == 0;
		skipped +=
			strcmp(verdict, "missing") == 0 || strcmp(verdict, "not run") == 0 || strcmp(verdict, "skipped") == 0;
	}
	printf("  <testsuite");
	attribute("name", g->label);
	printf(" tests=\"%d\" failures=\"%d\" skipped=\"%d\" errors=\"0\">\n", g->rows, failures, skipped);
	for (int32_t i = 0; i < g->rows; i++)
		put_row(r, &r->plan->rows[g->first_row + i]);
	printf("  </testsuite>\n");
}

static void end(struct cf_report *r) {
	printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
	attribute("name", r->target->name);
	printf(" time=\"%.3f\">\n", r->seconds);
	for (int32_t i = 0; i < r->plan->n_groups; i++)
		put_group(r, &r->plan->groups[i]);
	printf("</testsuites>\n");
}

const struct cf_format cf_junit_format = {"junit", NULL, NULL, NULL, end};
