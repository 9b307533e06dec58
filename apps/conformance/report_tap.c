/* TAP: one line a row, its failures as diagnostics. */
#include <inttypes.h>
#include <string.h>

#include "mt/status.h"
#include "report.h"

static void begin(struct cf_report *r) {
	printf("# mt-conformance (mt) %s: %s, seed %" PRIu64 ", %" PRId64 " random cases\n", mt_version(), r->target->name,
	       r->selection->seed, r->selection->random);
}

static void print_failures(const struct cf_report *r, const struct cf_row *row) {
	char id[CF_ID_SIZE], element[320], line[2048];
	if (row->failure[0] != '\0')
		printf("# %s\n", row->failure);
	for (int32_t i = 0; i < row->count; i++) {
		const struct cf_item *item = &r->plan->items[row->first + i];
		if (item->result == NULL || item->result->outcome != CF_FAILED)
			continue;
		cf_item_id(id, sizeof id, r->plan, item);
		cf_element_words(element, sizeof element, item->result);
		cf_rerun_line(line, sizeof line, r, item);
		printf("# %s: %s\n", id, item->result->words);
		if (element[0] != '\0')
			printf("#   %s\n", element);
		printf("#   rerun: %s\n", line);
	}
}

static const char *skip_reason(const struct cf_report *r, const struct cf_row *row, const char *verdict) {
	if (strcmp(verdict, "missing") == 0)
		return "missing: it falls back";
	if (strcmp(verdict, "not run") == 0)
		return "not run";
	const struct cf_item *item = &r->plan->items[row->first];
	return item->result != NULL ? item->result->words : "";
}

static void print_row(struct cf_report *r, const struct cf_row *row) {
	const char *verdict = cf_verdict(row);
	int failed = strcmp(verdict, "failed") == 0;
	printf("%sok %d - %s%s%s", failed ? "not " : "", ++r->number, row->label, row->dtype[0] != '\0' ? " " : "",
	       row->dtype);
	if (!row->is_check && row->executed > 0)
		printf(": %d cases, %d refused, %d failed", row->executed, row->refused, row->failed);
	if (strcmp(verdict, "missing") == 0 || strcmp(verdict, "not run") == 0 || strcmp(verdict, "skipped") == 0)
		printf(" # SKIP %s", skip_reason(r, row, verdict));
	printf("\n");
	if (failed)
		print_failures(r, row);
}

static void group(struct cf_report *r, const struct cf_group *g) {
	for (int32_t i = 0; i < g->rows; i++)
		print_row(r, &r->plan->rows[g->first_row + i]);
	fflush(stdout);
}

static void end(struct cf_report *r) {
	struct cf_totals t;
	for (int32_t i = 0; i < r->plan->n_groups; i++)
		if (!r->plan->groups[i].done)
			group(r, &r->plan->groups[i]);
	cf_totals(r->plan, &t);
	printf("# %d ops, %d cases executed, %d refused, %d missing, %d failed, %.1f s\n", t.ops, t.executed, t.refused,
	       t.missing, t.failed, r->seconds);
	printf("1..%d\n", r->number);
}

const struct cf_format cf_tap_format = {"tap", begin, NULL, group, end};
