/* The capability matrix, a Markdown file. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "array.h"
#include "mt/status.h"
#include "report.h"

/* Text inside a table: no bars. */
static void put(FILE *f, const char *text) {
	for (; *text != '\0'; text++)
		fputs(*text == '|' ? "\\|" : (char[]){*text, '\0'}, f);
}

static void write_checks(FILE *f, const struct cf_report *r) {
	fprintf(f, "\n## The plugin\n\n| check | result | |\n| --- | --- | --- |\n");
	for (int32_t i = 0; i < r->plan->n_rows; i++) {
		const struct cf_row *row = &r->plan->rows[i];
		const struct cf_result *t = r->plan->items[row->first].result;
		if (!row->is_check)
			continue;
		fprintf(f, "| %s | %s | ", row->label, cf_verdict(row));
		put(f, t != NULL ? t->words : "");
		fprintf(f, " |\n");
	}
}

/* "native 84" for the row of this op and dtype. */
static void write_cell(FILE *f, const struct cf_row *row) {
	if (row == NULL)
		fprintf(f, " |");
	else if (row->executed + row->refused == 0)
		fprintf(f, " %s |", cf_verdict(row));
	else if (row->refused > 0)
		fprintf(f, " %s %d/%d |", cf_verdict(row), row->executed, row->executed + row->refused);
	else
		fprintf(f, " %s %d |", cf_verdict(row), row->executed);
}

static const struct cf_row *find_row(const struct cf_plan *p, int32_t first, const char *label, const char *dtype) {
	for (int32_t i = first; i < p->n_rows && strcmp(p->rows[i].label, label) == 0; i++)
		if (strcmp(p->rows[i].dtype, dtype) == 0)
			return &p->rows[i];
	return NULL;
}

static void write_heads(FILE *f) {
	for (int32_t t = 1; t < MT_DTYPE_END_; t++)
		fprintf(f, " %s |", cf_dtype_name(t));
	fprintf(f, "\n| --- |");
	for (int32_t t = 1; t < MT_DTYPE_END_; t++)
		fprintf(f, " --- |");
	fprintf(f, "\n");
}

/* copy's rows are pairs: a matrix of their own. */
static void write_copy(FILE *f, const struct cf_plan *p, int32_t first) {
	fprintf(f, "\n## copy, from (down) and into\n\n| |");
	write_heads(f);
	for (int32_t from = 1; from < MT_DTYPE_END_; from++) {
		fprintf(f, "| %s |", cf_dtype_name(from));
		for (int32_t to = 1; to < MT_DTYPE_END_; to++) {
			char pair[16];
			snprintf(pair, sizeof pair, "%s-%s", cf_dtype_name(from), cf_dtype_name(to));
			write_cell(f, find_row(p, first, "copy", pair));
		}
		fprintf(f, "\n");
	}
}

static void write_ops(FILE *f, const struct cf_report *r) {
	const struct cf_plan *p = r->plan;
	int32_t copy = -1;
	fprintf(f, "\n## Kernels: verdict and cases executed\n\n| op |");
	write_heads(f);
	for (int32_t i = 0; i < p->n_rows; i++) {
		const struct cf_row *row = &p->rows[i];
		if (strcmp(row->label, "copy") == 0 && copy < 0)
			copy = i;
		if (row->is_check || strcmp(row->label, "copy") == 0 ||
		    (i > 0 && strcmp(p->rows[i - 1].label, row->label) == 0))
			continue;
		fprintf(f, "| %s |", row->label);
		for (int32_t t = 1; t < MT_DTYPE_END_; t++)
			write_cell(f, find_row(p, i, row->label, cf_dtype_name(t)));
		fprintf(f, "\n");
	}
	if (copy >= 0)
		write_copy(f, p, copy);
}

static void write_refusals(FILE *f, const struct cf_report *r) {
	const char *reason;
	int any = 0, times;
	for (int32_t i = 0; i < r->plan->n_rows; i++)
		for (int k = 0; (reason = cf_refusal(r->plan, &r->plan->rows[i], k, &times)) != NULL; k++) {
			if (any++ == 0)
				fprintf(f, "\n## Refused\n\n| op | dtype | cases | reason |\n| --- | --- | --- | --- |\n");
			fprintf(f, "| %s | %s | %d | ", r->plan->rows[i].label, r->plan->rows[i].dtype, times);
			put(f, reason);
			fprintf(f, " |\n");
		}
}

static void write_all(FILE *f, const struct cf_report *r) {
	struct cf_totals t;
	cf_totals(r->plan, &t);
	fprintf(f, "# Conformance of %s\n\n", r->target->name);
	fprintf(f, "Plugin %s %s, mt %s. Device: %s.\n\n", r->probe->plugin, r->probe->version, mt_version(),
	        r->probe->device);
	fprintf(f,
	        "%d ops, %d cases executed, %d failed, %d refused, %d missing; %d checks, %d failed. Seed %" PRIu64 ".\n\n",
	        t.ops, t.executed, t.failed, t.refused, t.missing, t.checks, t.checks_failed, r->selection->seed);
	fprintf(
		f,
		"*native*: every case was executed and is right; *partial*: some layouts or parameters are refused; *missing*: "
		"not in the capability table, libmt composes the op or falls back.\n");
	write_checks(f, r);
	write_ops(f, r);
	write_refusals(f, r);
}

/* As a file that fopen makes. */
static int set_mode(int fd) {
	mode_t mask = umask(0);
	umask(mask);
	return fchmod(fd, 0666 & ~mask) == 0;
}

int cf_write_matrix(const struct cf_report *r, const char *path, char *words, size_t size) {
	char *temporary = malloc(strlen(path) + 8);
	int fd = -1;
	if (temporary != NULL) {
		sprintf(temporary, "%s.XXXXXX", path);
		fd = mkstemp(temporary);
	}
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	int ok = f != NULL;
	if (ok) {
		write_all(f, r);
		ok = set_mode(fd) && ferror(f) == 0;
		ok = fclose(f) == 0 && ok && rename(temporary, path) == 0;
	}
	if (!ok) {
		snprintf(words, size, "%s cannot be written: %s", path, strerror(errno));
		if (fd >= 0)
			unlink(temporary);
	}
	free(temporary);
	return ok;
}
