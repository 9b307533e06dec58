/* Which cases are run. */
#include <fnmatch.h>
#include <string.h>

#include "bench/select.h"

const char *const bench_suite_names[] = {"ops", "train", "seed", "limits", "all", NULL};

static int (*const suites[])(struct bench_cases *) = {bench_ops_cases, bench_train_cases, bench_seed_cases,
                                                      bench_limits_cases};

/* "all" is the suites before limits, which is bench/limits' own and takes long. */
enum { SUITES = sizeof suites / sizeof *suites, ALL = SUITES, IN_ALL = SUITES - 1, DTYPES = 16 };

/* ---- dtypes ---- */

/* Sets wanted[dtype]; −1, or the status to exit with. */
static int parse_dtypes(const struct cli *cli, const char *text, int *wanted) {
	if (strcmp(text, "all") == 0) {
		for (int i = 0; i < DTYPES; i++)
			wanted[i] = 1;
		return -1;
	}
	for (const char *at = text;; at++) {
		char name[32];
		size_t n = strcspn(at, ",");
		mt_dtype dtype;
		snprintf(name, sizeof name, "%.*s", (int)n, at);
		if (n >= sizeof name || mt_dtype_parse(name, &dtype) != MT_OK || dtype < 0 || dtype >= DTYPES) {
			mt_error_take(NULL);
			return cli_fail(cli, EXIT_USAGE, "--dtype: no dtype '%.*s' in '%s'", (int)n, at, text);
		}
		wanted[dtype] = 1;
		at += n;
		if (*at == '\0')
			return -1;
	}
}

/* ---- globs ---- */

static int matches(const struct cli_list *globs, const char *text, int *used) {
	int found = globs->n == 0;
	for (int i = 0; i < globs->n; i++)
		if (fnmatch(globs->values[i], text, 0) == 0)
			found = used[i] = 1;
	return found;
}

/* The ops of cases, each once, as far as they fit. */
static void list_ops(const struct bench_cases *cases, char *out, size_t size) {
	const char *last = "";
	size_t used = 0;
	out[0] = '\0';
	for (int64_t i = 0; i < cases->n && used < size; i++) {
		if (strcmp(cases->list[i].op, last) == 0)
			continue;
		last = cases->list[i].op;
		used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "", last);
	}
}

static int unused(const struct cli *cli, const struct bench_selection *s, const struct bench_cases *all, const int *ops,
                  const int *sizes) {
	char names[1200];
	for (int i = 0; i < s->ops.n; i++)
		if (!ops[i]) {
			list_ops(all, names, sizeof names);
			return cli_fail(cli, EXIT_USAGE, "--op: no op of --suite %s with --dtype %s is like '%s'; there are %s",
			                bench_suite_names[s->suite], s->dtypes, s->ops.values[i], names);
		}
	for (int i = 0; i < s->sizes.n; i++)
		if (!sizes[i])
			return cli_fail(cli, EXIT_USAGE, "--size: no size of these ops is like '%s'; --list shows them",
			                s->sizes.values[i]);
	return -1;
}

/* Keeps those that match, in place. */
static int filter(const struct cli *cli, const struct bench_selection *s, const int *wanted,
                  struct bench_cases *cases) {
	int ops[CLI_LIST_MAX] = {0}, sizes[CLI_LIST_MAX] = {0};
	struct bench_cases kept = {0};
	for (int64_t i = 0; i < cases->n; i++) {
		const struct bench_case *c = &cases->list[i];
		if (c->dtype >= 0 && c->dtype < DTYPES && wanted[c->dtype] && matches(&s->ops, c->op, ops) &&
		    matches(&s->sizes, c->size, sizes) && bench_cases_add(&kept, c) != 0) {
			bench_cases_free(&kept);
			return cli_fail(cli, 1, "out of memory");
		}
	}
	int status = unused(cli, s, cases, ops, sizes);
	if (status < 0 && kept.n == 0)
		status =
			cli_fail(cli, EXIT_USAGE, "no case is left: --suite %s with --dtype %s and these ops and sizes has none",
		             bench_suite_names[s->suite], s->dtypes);
	bench_cases_free(cases);
	*cases = kept;
	return status;
}

int bench_select(const struct cli *cli, const struct bench_selection *selection, struct bench_cases *cases) {
	int wanted[DTYPES] = {0};
	int status = parse_dtypes(cli, selection->dtypes, wanted);
	for (int i = 0; i < SUITES && status < 0; i++)
		if ((selection->suite == i || (selection->suite == ALL && i < IN_ALL)) && suites[i](cases) != 0)
			status = cli_fail(cli, 1, "out of memory");
	return status < 0 ? filter(cli, selection, wanted, cases) : status;
}
