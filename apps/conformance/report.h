/* What is told of a run, in one of several formats. */
#ifndef CONFORMANCE_REPORT_H
#define CONFORMANCE_REPORT_H

#include <stdio.h>

#include "plan.h"

struct cf_report {
	const struct cf_plan *plan;
	const struct cf_target *target;
	const struct cf_probe *probe;
	const struct cf_selection *selection;
	double seconds; /* at the end */
	int stopped;    /* fail_fast has ended the run before its time */
	int colour;
	int number; /* of TAP's last line */
};

/* Any function may be NULL. */
struct cf_format {
	const char *name;
	void (*begin)(struct cf_report *r);
	void (*item)(struct cf_report *r, const struct cf_item *item);    /* did not pass */
	void (*group)(struct cf_report *r, const struct cf_group *group); /* is done */
	void (*end)(struct cf_report *r);
};

extern const struct cf_format cf_text_format, cf_tap_format, cf_junit_format, cf_json_format;

/* Writes the capability matrix as Markdown, whole or not at all: 1, or 0 with a reason in words. */
int cf_write_matrix(const struct cf_report *r, const char *path, char *words, size_t size);

struct cf_totals {
	int ops;      /* ops of which some case was executed */
	int executed; /* cases */
	int passed, refused, missing, failed, not_run;
	int checks, checks_failed, checks_skipped;
	int rows_failed; /* that failed as a whole, no case of them */
};

void cf_totals(const struct cf_plan *p, struct cf_totals *t);

/* "native", "partial", "missing", "failed"; checks: "passed", "skipped", "failed"; "not run". */
const char *cf_verdict(const struct cf_row *row);

/* "mt-conformance omp --option threads=2 --case '…'": runs that case alone.  For a check its label is given to --op. */
void cf_rerun_line(char *out, size_t size, const struct cf_report *r, const struct cf_item *item);

/* "out[1, 2]: got 1, expected 2, error 1, tolerance 0.1"; "" where no element is to blame. */
void cf_element_words(char *out, size_t size, const struct cf_result *result);

/* The reasons for which cases of a row were refused, each once: the i-th with how often; NULL after the last. */
const char *cf_refusal(const struct cf_plan *p, const struct cf_row *row, int i, int *times);

#endif
