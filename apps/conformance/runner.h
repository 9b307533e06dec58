/* From a selection to an exit status. */
#ifndef CONFORMANCE_RUNNER_H
#define CONFORMANCE_RUNNER_H

#include "report.h"

struct cf_run_options {
	const struct cf_target *target;
	const struct cf_selection *selection;
	const struct cf_format *format;
	const char *report_file; /* or NULL */
	int jobs, fail_fast;
	int64_t timeout;
};

/* Runs and reports: 0 where cases ran and none failed, 1 where some failed, −1 with a reason in words where nothing could be
 * run or the report could not be written. */
int cf_run_all(const struct cf_run_options *o, char *words, size_t size);

/* --list. */
int cf_list(const struct cf_selection *s);

#endif
