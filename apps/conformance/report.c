#include "report.h"

#include <string.h>

void cf_totals(const struct cf_plan *p, struct cf_totals *t) {
	const char *last = "";
	*t = (struct cf_totals){.ops = 0};
	for (int32_t i = 0; i < p->n_rows; i++) {
		const struct cf_row *row = &p->rows[i];
		if (row->is_check) {
			t->checks += row->passed + row->failed;
			t->checks_failed += row->failed;
			t->checks_skipped += row->skipped;
			continue;
		}
		if (row->executed > 0 && strcmp(row->label, last) != 0) {
			t->ops++;
			last = row->label;
		}
		t->executed += row->executed;
		t->passed += row->passed;
		t->refused += row->refused;
		t->missing += row->missing;
		t->failed += row->failed;
		t->rows_failed += row->failure[0] != '\0';
		t->not_run += row->count - row->executed - row->refused - row->missing;
	}
}

const char *cf_verdict(const struct cf_row *row) {
	if (row->failed > 0 || row->failure[0] != '\0')
		return "failed";
	if (row->skipped > 0)
		return "skipped";
	if (row->executed == 0 && row->refused == 0)
		return row->missing > 0 ? "missing" : "not run";
	if (row->is_check)
		return "passed";
	return row->refused > 0 || row->missing > 0 ? "partial" : "native";
}

/* Quoted for a shell where it holds more than plain characters. */
static size_t put_word(char *out, size_t size, size_t used, const char *word) {
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./=-+:,";
	if (word[strspn(word, plain)] == '\0' && word[0] != '\0')
		return used + (size_t)snprintf(out + used, used < size ? size - used : 0, " %s", word);
	used += (size_t)snprintf(out + used, used < size ? size - used : 0, " '");
	for (; *word != '\0'; word++)
		used += (size_t)snprintf(out + used, used < size ? size - used : 0, *word == '\'' ? "'\\''" : "%c", *word);
	return used + (size_t)snprintf(out + used, used < size ? size - used : 0, "'");
}

void cf_rerun_line(char *out, size_t size, const struct cf_report *r, const struct cf_item *item) {
	char id[CF_ID_SIZE], option[256];
	size_t used = (size_t)snprintf(out, size, "mt-conformance");
	used = put_word(out, size, used, r->target->name);
	if (r->target->ordinal != 0)
		used += (size_t)snprintf(out + used, used < size ? size - used : 0, " --device %d", (int)r->target->ordinal);
	for (int i = r->target->n_given; i < r->target->n_options && used < size; i++) {
		snprintf(option, sizeof option, "%s=%s", r->target->options[i].key, r->target->options[i].value);
		used += (size_t)snprintf(out + used, size - used, " --option");
		used = used < size ? put_word(out, size, used, option) : used;
	}
	cf_item_id(id, sizeof id, r->plan, item);
	if (used < size)
		snprintf(out + used, size - used, " %s '%s'", item->check != NULL ? "--op" : "--case",
		         item->smallest != NULL ? item->smallest : id);
}

void cf_element_words(char *out, size_t size, const struct cf_result *t) {
	out[0] = '\0';
	if (t->output[0] != '\0')
		snprintf(out, size, "%s%s: got %s, expected %s, error %s, tolerance %s", t->output, t->index, t->got,
		         t->expected, t->error, t->tolerance);
}

static const char *refusal_of(const struct cf_item *item) {
	return item->result != NULL && item->result->outcome == CF_REFUSED ? item->result->words : NULL;
}

const char *cf_refusal(const struct cf_plan *p, const struct cf_row *row, int i, int *times) {
	const struct cf_item *items = &p->items[row->first];
	for (int32_t j = 0; j < row->count; j++) {
		const char *reason = refusal_of(&items[j]);
		int before = 0;
		*times = 0;
		for (int32_t k = 0; k < row->count && reason != NULL; k++) {
			const char *other = refusal_of(&items[k]);
			int same = other != NULL && strcmp(other, reason) == 0;
			*times += same;
			before += same && k < j;
		}
		if (reason != NULL && before == 0 && i-- == 0)
			return reason;
	}
	return NULL;
}
