/* For people: failures as they come, a table at the end. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "mt/status.h"
#include "report.h"

enum { SHOWN_A_ROW = 3 };

static const char *paint(const struct cf_report *r, const char *code) {
	return r->colour ? code : "";
}

#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

static void begin(struct cf_report *r) {
	printf("mt-conformance (mt) %s: %s", mt_version(), r->target->name);
	if (r->probe != NULL) {
		printf(", plugin %s %s, ABI %u.%u\n", r->probe->plugin, r->probe->version, MT_ABI_MAJOR,
		       (unsigned)r->probe->abi_minor);
		printf("device: %s%s%s%s\n", r->probe->device, r->probe->features[0] != '\0' ? " (" : "", r->probe->features,
		       r->probe->features[0] != '\0' ? ")" : "");
	} else {
		printf("\n");
	}
	printf("library: %s\n", r->target->path);
	if (r->probe != NULL && r->probe->thread_hosts)
		printf("each case runs with 1, 2 and 3 threads, whose bits must be equal\n");
	printf("seed %" PRIu64 ", %" PRId64 " random cases\n\n", r->selection->seed, r->selection->random);
}

static void show_failure(struct cf_report *r, const struct cf_item *item) {
	const struct cf_row *row = &r->plan->rows[item->row];
	char id[CF_ID_SIZE], element[320], line[2048];
	cf_item_id(id, sizeof id, r->plan, item);
	cf_element_words(element, sizeof element, item->result);
	cf_rerun_line(line, sizeof line, r, item);
	printf("%sFAILED%s %s%s%s: %s\n", paint(r, RED), paint(r, PLAIN), row->label, row->dtype[0] != '\0' ? " " : "",
	       row->dtype, item->result->words);
	if (element[0] != '\0')
		printf("  %s\n", element);
	if (item->check == NULL)
		printf("  case:     %s\n", id);
	if (item->smallest != NULL)
		printf("  smallest: %s (shown above)\n", item->smallest);
	printf("  rerun:    %s\n\n", line);
}

static void item(struct cf_report *r, const struct cf_item *it) {
	const struct cf_row *row = &r->plan->rows[it->row];
	if (it->result->outcome != CF_FAILED || row->failed > SHOWN_A_ROW)
		return;
	show_failure(r, it);
	fflush(stdout);
}

static void group(struct cf_report *r, const struct cf_group *g) {
	for (int32_t i = 0; i < g->rows; i++) {
		const struct cf_row *row = &r->plan->rows[g->first_row + i];
		if (row->failed > SHOWN_A_ROW)
			printf("%s %s: %d more cases failed\n\n", row->label, row->dtype, row->failed - SHOWN_A_ROW);
		if (row->failure[0] != '\0')
			printf("%sFAILED%s %s %s: %s\n\n", paint(r, RED), paint(r, PLAIN), row->label, row->dtype, row->failure);
	}
	if (isatty(STDERR_FILENO)) {
		int done = 0;
		for (int32_t i = 0; i < r->plan->n_groups; i++)
			done += r->plan->groups[i].done;
		fprintf(stderr, "\r%d of %d groups\033[K%s", done, r->plan->n_groups,
		        done == r->plan->n_groups ? "\r\033[K" : "");
	}
	fflush(stdout);
}

/* ---- the table ---- */

static const char *verdict_colour(const struct cf_report *r, const char *verdict) {
	if (strcmp(verdict, "failed") == 0)
		return paint(r, RED);
	if (strcmp(verdict, "native") == 0 || strcmp(verdict, "passed") == 0)
		return paint(r, GREEN);
	return paint(r, YELLOW);
}

/* "12", "12-3" where 3 were refused, "12!1" where 1 failed. */
static void print_cell(const int cell[3]) {
	char text[32];
	int n = snprintf(text, sizeof text, "%d", cell[0]);
	if (cell[0] + cell[1] == 0)
		n = snprintf(text, sizeof text, ".");
	if (cell[1] > 0)
		n += snprintf(text + n, sizeof text - (size_t)n, "-%d", cell[1]);
	if (cell[2] > 0)
		snprintf(text + n, sizeof text - (size_t)n, "!%d", cell[2]);
	printf(" %6s", text);
}

static void print_row(const struct cf_report *r, const struct cf_row *row, int width) {
	const char *verdict = cf_verdict(row);
	int is_short = row->is_check || strcmp(verdict, "missing") == 0;
	printf("%-*s %-9s %s%-*s%s", width, row->label, row->dtype, verdict_colour(r, verdict), is_short ? 0 : 7, verdict,
	       paint(r, PLAIN));
	for (int l = 0; l < CF_IN_LAYOUTS && !is_short; l++)
		print_cell(row->layouts[l]);
	printf("\n");
}

static int label_width(const struct cf_plan *p) {
	size_t width = 2;
	for (int32_t i = 0; i < p->n_rows; i++)
		if (strlen(p->rows[i].label) > width)
			width = strlen(p->rows[i].label);
	return (int)width;
}

static void print_table(const struct cf_report *r) {
	int width = label_width(r->plan);
	printf("Cases executed, by layout (-n: n refused besides, !n: n of them failed)\n");
	printf("%-*s %-9s %-7s", width, "op", "dtype", "");
	for (int l = 0; l < CF_IN_LAYOUTS; l++)
		printf(" %6.6s", cf_layout_names[l]);
	printf("\n");
	for (int32_t i = 0; i < r->plan->n_rows; i++)
		print_row(r, &r->plan->rows[i], width);
	printf("\n");
}

static void print_refusals(const struct cf_report *r) {
	int any = 0, times;
	for (int32_t i = 0; i < r->plan->n_rows; i++) {
		const struct cf_row *row = &r->plan->rows[i];
		const char *reason;
		for (int k = 0; (reason = cf_refusal(r->plan, row, k, &times)) != NULL; k++) {
			if (any++ == 0)
				printf("Refused\n");
			printf("  %s %s, %d case%s: %s\n", row->label, row->dtype, times, times == 1 ? "" : "s", reason);
		}
	}
	if (any > 0)
		printf("\n");
}

static void end(struct cf_report *r) {
	struct cf_totals t;
	cf_totals(r->plan, &t);
	print_table(r);
	print_refusals(r);
	if (r->stopped)
		printf("Stopped at the first failure: %d cases were not run.\n", t.not_run);
	printf("%d ops, %d cases executed: %d passed, %d failed.  %d refused, %d missing (they fall back).\n", t.ops,
	       t.executed, t.passed, t.failed, t.refused, t.missing);
	printf("%d checks of the plugin: %d failed, %d skipped.  %.1f s, seed %" PRIu64 "\n", t.checks, t.checks_failed,
	       t.checks_skipped, r->seconds, r->selection->seed);
	int bad = t.failed + t.checks_failed + t.rows_failed;
	printf("%s%s%s\n", paint(r, bad > 0 ? RED : GREEN), bad > 0 ? "FAILED" : "passed", paint(r, PLAIN));
}

const struct cf_format cf_text_format = {"text", begin, item, group, end};
