/* mt-bench: how fast each backend is at the same work. */
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/clock.h"
#include "bench/progress.h"
#include "bench/report.h"
#include "bench/report_build.h"
#include "bench/select.h"

static const char default_compare[] = "naive,omp";

static struct {
	const char *compare, *threads, *baseline, *json, *csv, *html, *against, *show;
	struct bench_selection selection;
	struct bench_settings settings;
	struct cli_list peers;
	int require, list;
} given = {
	.compare = default_compare,
	.selection = {.dtypes = "f32"},
	.settings = {.min_time = 0.05, .max_time = 2, .repeat = 7},
};

static const struct cli_option options[] = {
	{"compare", CLI_TEXT, &given.compare, "LIST",
     "backends, with commas between (default naive,omp): omp,omp:threads=1", 0, 0, NULL},
	{"suite", CLI_CHOICE, &given.selection.suite, "NAME",
     "ops (default), train, seed, limits, or all of the first three", 0, 0, bench_suite_names},
	{"op", CLI_LIST, &given.selection.ops, "GLOB", "only ops like this; may be given again", 0, 0, NULL},
	{"size", CLI_LIST, &given.selection.sizes, "GLOB", "only sizes like this; may be given again", 0, 0, NULL},
	{"dtype", CLI_TEXT, &given.selection.dtypes, "LIST", "only these dtypes (default f32), or all", 0, 0, NULL},
	{"threads", CLI_TEXT, &given.threads, "LIST", "each CPU backend once with each of these counts: 1,2,4", 0, 0, NULL},
	{"min-time", CLI_REAL, &given.settings.min_time, "S", "time a case at least so long on each backend (default 0.05)",
     1e-6, 3600, NULL},
	{"max-time", CLI_REAL, &given.settings.max_time, "S", "a first run above it is the only one (default 2)", 1e-6,
     3600, NULL},
	{"repeat", CLI_COUNT, &given.settings.repeat, "N", "turns that the backends take (default 7)", 1, 10000, NULL},
	{"baseline", CLI_TEXT, &given.baseline, "NAME", "what speedups are against (default: the first of --compare)", 0, 0,
     NULL},
	{"peer", CLI_LIST, &given.peers, "FILE", "a peer's report (bench/peers) to lay beside; may be given again", 0, 0,
     NULL},
	{"json", CLI_TEXT, &given.json, "FILE", "write the report as JSON", 0, 0, NULL},
	{"csv", CLI_TEXT, &given.csv, "FILE", "write the report as CSV", 0, 0, NULL},
	{"html", CLI_TEXT, &given.html, "FILE", "write the report as a page with charts", 0, 0, NULL},
	{"show", CLI_TEXT, &given.show, "FILE", "run nothing: show a JSON report (with --peer, --csv, --html, --against)",
     0, 0, NULL},
	{"against", CLI_TEXT, &given.against, "FILE", "tell what is slower or faster than in that JSON report", 0, 0, NULL},
	{"unchecked", CLI_FLAG, &given.settings.unchecked, NULL, "compare no result with the reference's", 0, 0, NULL},
	{"require", CLI_FLAG, &given.require, NULL, "a backend that cannot be had is an error", 0, 0, NULL},
	{"list", CLI_FLAG, &given.list, NULL, "list the cases and run nothing", 0, 0, NULL},
	{0},
};

static const struct cli cli = {
	"mt-bench",
	"Times the same work on several backends, which take turns, and lays their times side by side.",
	options,
	"A cell shows the median time, half of p10 to p90, work a second, speedup over the baseline, and the\n"
	"share of what the hardware reached at most beside it (FMA or memory copies; docs/bench.md).\n"
	"Results are first compared with the reference (naive): a case that is wrong shows WRONG.\n"
	"--against: slower is a median above the old one by more than the noise, and p10 above the old p90;\n"
	"the noise is the sum of both half spreads, (p90 - p10) / 2 over the median, at least 5%, or 25% where\n"
	"either has fewer than 3 runs.\n"
	"The exit status is 1 where a case is wrong or fails, where something is slower than --against,\n"
	"where no backend can be had, or with --require one cannot; 2 for a wrong command line.\n",
};

/* ---- before anything is run ---- */

/* That a file can be written to path when all is done. */
static int check_output(const char *option, const char *path) {
	struct stat info;
	if (path == NULL)
		return -1;
	if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
		return cli_fail(&cli, 1, "--%s: %s is no regular file", option, path);
	char *copy = strdup(path);
	if (copy == NULL)
		return cli_fail(&cli, 1, "out of memory");
	int bad = access(dirname(copy), W_OK | X_OK) != 0;
	free(copy);
	return bad ? cli_fail(&cli, 1, "--%s: %s cannot be written: %s", option, path, strerror(errno)) : -1;
}

static int check_columns(const struct bench_columns *columns) {
	int n = 0, status = -1;
	for (int i = 0; i < columns->n; i++) {
		const struct bench_column *c = &columns->list[i];
		n += c->device != NULL;
		if (c->device == NULL && given.require)
			status = cli_fail(&cli, 1, "%s cannot be had: %s", c->name, c->reason);
	}
	for (int i = 0; n == 0 && status < 0 && i < columns->n; i++)
		cli_fail(&cli, 1, "%s cannot be had: %s", columns->list[i].name, columns->list[i].reason);
	return n == 0 ? 1 : status;
}

static int has_backend(const json_t *report, const char *name) {
	json_t *one;
	size_t i;
	json_array_foreach(json_object_get(report, "backends"), i, one) {
		if (strcmp(bench_text(one, "name"), name) == 0)
			return 1;
	}
	return 0;
}

/* A baseline is a column, or a backend of a report: of a peer's, or of the one that is shown. */
static int check_baseline(const struct bench_columns *columns, const json_t *shown, json_t *const *peers) {
	int found = given.baseline == NULL || bench_columns_find(columns, given.baseline) >= 0 ||
	            has_backend(shown, given.baseline);
	for (int i = 0; i < given.peers.n && !found; i++)
		found = has_backend(peers[i], given.baseline);
	return found ? -1
	             : cli_fail(&cli, EXIT_USAGE, "--baseline: '%s' is not among the columns of --compare and --peer",
	                        given.baseline);
}

/* --show runs nothing: options that say what to run are refused. */
static int check_show(void) {
	const struct {
		const char *option;
		int is_given;
	} rows[] = {{"compare", given.compare != default_compare},
	            {"threads", given.threads != NULL},
	            {"op", given.selection.ops.n > 0},
	            {"size", given.selection.sizes.n > 0},
	            {"unchecked", given.settings.unchecked},
	            {"require", given.require},
	            {"list", given.list}};
	for (size_t i = 0; given.show != NULL && i < sizeof rows / sizeof *rows; i++)
		if (rows[i].is_given)
			return cli_fail(&cli, EXIT_USAGE, "--show runs nothing: --%s goes not with it", rows[i].option);
	return -1;
}

static void list_cases(const struct bench_cases *cases) {
	char id[160];
	for (int64_t i = 0; i < cases->n; i++) {
		bench_case_id(&cases->list[i], id, sizeof id);
		printf("%s\n", id);
	}
}

/* ---- the run ---- */

static int run_cases(const struct bench_cases *cases, struct bench_columns *columns, json_t *report) {
	struct bench_result results[BENCH_COLUMNS];
	struct bench_runner runner = {.settings = given.settings, .columns = columns};
	int status = -1;
	runner.ceilings = bench_ceilings_new(columns);
	if (runner.ceilings == NULL)
		return cli_fail(&cli, 1, "out of memory");
	if (bench_runner_start(&runner) != MT_OK)
		status = cli_fail(&cli, 1, "the reference is needed to check results: %s", mt_error_take(NULL));
	double begun = bench_now();
	for (int64_t i = 0; i < cases->n && status < 0; i++) {
		char id[160];
		bench_case_id(&cases->list[i], id, sizeof id);
		bench_progress(i, cases->n, begun, id);
		if (bench_run_case(&runner, &cases->list[i], results) != MT_OK)
			status = cli_fail(&cli, 1, "%s: %s", id, mt_error_take(NULL));
		else if (bench_report_add(report, &cases->list[i], columns, results) != 0)
			status = cli_fail(&cli, 1, "out of memory");
	}
	bench_progress_end();
	if (status < 0 && bench_report_ceilings(report, columns, runner.ceilings) != 0)
		status = cli_fail(&cli, 1, "out of memory");
	bench_ceilings_free(runner.ceilings);
	return status;
}

/* Whether a case of our own is wrong or failed. */
static int has_failures(const json_t *report) {
	json_t *one, *result;
	const char *name;
	size_t i;
	json_array_foreach(json_object_get(report, "cases"), i, one) {
		json_object_foreach(json_object_get(one, "results"), name, result) {
			const char *status = bench_text(result, "status");
			if (strcmp(status, "WRONG") == 0 || strcmp(status, "failed") == 0)
				return 1;
		}
	}
	return 0;
}

static int write_files(const json_t *report) {
	if ((given.json != NULL && bench_json_write(report, given.json) != MT_OK) ||
	    (given.csv != NULL && bench_csv_write(report, given.csv) != MT_OK) ||
	    (given.html != NULL && bench_html_write(report, given.html) != MT_OK))
		return cli_fail(&cli, 1, "%s", mt_error_take(NULL));
	return 0;
}

/* Everything that is made of a report that is complete.  The status to exit with. */
static int show(json_t *report, json_t *const *peers, const json_t *old) {
	const char *plain = getenv("NO_COLOR");
	int status = has_failures(report);
	for (int i = 0; i < given.peers.n; i++)
		if (bench_merge_peer(report, peers[i]) != MT_OK)
			return cli_fail(&cli, 1, "--peer %s: %s", given.peers.values[i], mt_error_take(NULL));
	bench_table_print(report, stdout, isatty(STDOUT_FILENO) && (plain == NULL || plain[0] == '\0'));
	status |= write_files(report);
	if (old != NULL && bench_against_print(old, report, stdout) > 0)
		status = 1;
	bench_summary_print(report, stdout);
	if (fflush(stdout) != 0)
		status = cli_fail(&cli, 1, "the output cannot be written");
	return status;
}

/* Reads the reports that were named; peers has room for each. */
static int read_reports(json_t **shown, json_t **peers, json_t **old) {
	if (given.show != NULL && (*shown = bench_json_read(given.show)) == NULL)
		return cli_fail(&cli, 1, "--show: %s", mt_error_take(NULL));
	for (int i = 0; i < given.peers.n; i++)
		if ((peers[i] = bench_json_read(given.peers.values[i])) == NULL)
			return cli_fail(&cli, 1, "--peer: %s", mt_error_take(NULL));
	if (given.against != NULL && (*old = bench_json_read(given.against)) == NULL)
		return cli_fail(&cli, 1, "--against: %s", mt_error_take(NULL));
	return -1;
}

/* That every file can be written when all is done. */
static int check_outputs(void) {
	int status = check_output("json", given.json);
	if (status < 0)
		status = check_output("csv", given.csv);
	return status < 0 ? check_output("html", given.html) : status;
}

/* What is to run, and on what.  −1: go on; else the status to exit with. */
static int choose(struct bench_cases *cases, struct bench_columns *columns) {
	if (getenv("MT_FALLBACK") == NULL)
		mt_set_fallback(MT_FALLBACK_ALLOW); /* the table marks it */
	int status = bench_select(&cli, &given.selection, cases);
	if (status >= 0)
		return status;
	if (given.list) {
		list_cases(cases);
		return fflush(stdout) != 0;
	}
	return bench_columns_parse(&cli, given.compare, given.threads, columns);
}

/* The report: run, or the one that is shown. */
static int make_report(int argc, char **argv, const struct bench_cases *cases, struct bench_columns *columns,
                       json_t **report) {
	if (given.show != NULL) {
		int failed =
			given.baseline != NULL && json_object_set_new(*report, "baseline", json_string(given.baseline)) != 0;
		return failed ? cli_fail(&cli, 1, "out of memory") : -1;
	}
	int status = check_columns(columns);
	if (status < 0 && (*report = bench_report_new(argc, argv, columns, given.baseline)) == NULL)
		status = cli_fail(&cli, 1, "out of memory");
	return status < 0 ? run_cases(cases, columns, *report) : status;
}

int main(int argc, char **argv) {
	struct bench_cases cases = {0};
	struct bench_columns columns = {.n = 0};
	json_t *peers[CLI_LIST_MAX] = {NULL}, *old = NULL, *report = NULL;
	int status = cli_parse(&cli, argc, argv);
	if (status >= 0)
		return status;
	if (given.settings.min_time > given.settings.max_time)
		return cli_fail(&cli, EXIT_USAGE, "--min-time %g is above --max-time %g", given.settings.min_time,
		                given.settings.max_time);
	status = check_show();
	if (status < 0 && given.show == NULL)
		status = choose(&cases, &columns);
	if (status < 0)
		status = check_outputs();
	if (status < 0)
		status = read_reports(&report, peers, &old);
	if (status < 0)
		status = check_baseline(&columns, report, peers);
	if (status < 0)
		status = make_report(argc, argv, &cases, &columns, &report);
	if (status < 0)
		status = show(report, peers, old);
	for (int i = 0; i < given.peers.n; i++)
		json_decref(peers[i]);
	json_decref(old);
	json_decref(report);
	bench_columns_free(&columns);
	bench_cases_free(&cases);
	return status;
}
