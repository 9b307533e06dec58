/* Which cases are run: suites, ops, sizes, dtypes. */
#ifndef APPS_BENCH_SELECT_H
#define APPS_BENCH_SELECT_H

#include "bench/case.h"
#include "cli.h"

extern const char *const bench_suite_names[]; /* of the choice --suite, the last "all" */

struct bench_selection {
	int suite;                  /* index into bench_suite_names */
	struct cli_list ops, sizes; /* globs; none: all */
	const char *dtypes;         /* names with commas between, or "all" */
};

/* The cases that match, in the order of the suites.  −1: go on; else the status to exit with, told on stderr: a glob or
 * dtype that matches nothing is refused. */
int bench_select(const struct cli *cli, const struct bench_selection *selection, struct bench_cases *cases);

#endif
