/* mt-conformance: whether a plugin computes what plugin.h says, through the ABI alone. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "case_json.h"
#include "cli.h"
#include "dtype.h"
#include "families.h"
#include "runner.h"
#include "target.h"
#include "worker.h"

static struct cli_list words_given, ops, options_given, cases_given, files;
static const char *dtypes, *report_file;
static uint64_t seed = 1;
static int64_t random_cases, jobs = 1, timeout = 60, ordinal;
static int list_only, fail_fast, format;

static const char *const format_names[] = {"text", "tap", "junit", "json", NULL};
static const struct cf_format *const formats[] = {&cf_text_format, &cf_tap_format, &cf_junit_format, &cf_json_format};

static const struct cli_option options[] = {
	{"op", CLI_LIST, &ops, "GLOB", "only ops or checks whose name matches, as 'map.*'; may be repeated", 0, 0, NULL},
	{"dtype", CLI_TEXT, &dtypes, "LIST", "only these dtypes, with commas between", 0, 0, NULL},
	{"seed", CLI_SEED, &seed, "N", "seed of the values and of the random cases (1)", 0, 0, NULL},
	{"random", CLI_COUNT, &random_cases, "N", "add N random cases, spread over the ops (0)", 0, 1e8, NULL},
	{"case", CLI_LIST, &cases_given, "ID", "run this case instead; may be repeated", 0, 0, NULL},
	{"cases", CLI_LIST, &files, "FILE", "run the cases of a JSON file instead", 0, 0, NULL},
	{"list", CLI_FLAG, &list_only, NULL, "list ops and their fixed cases; with --op the ids of the cases", 0, 0, NULL},
	{"format", CLI_CHOICE, &format, "NAME", "text, tap, junit or json (text)", 0, 0, format_names},
	{"report", CLI_TEXT, &report_file, "FILE", "write a capability matrix as Markdown", 0, 0, NULL},
	{"fail-fast", CLI_FLAG, &fail_fast, NULL, "stop at the first failure", 0, 0, NULL},
	{"jobs", CLI_COUNT, &jobs, "N", "processes at work at once (1)", 1, CF_MAX_JOBS, NULL},
	{"timeout", CLI_COUNT, &timeout, "S", "seconds that one case may take (60)", 1, 86400, NULL},
	{"option", CLI_LIST, &options_given, "KEY=VALUE", "an option that the device is opened with; may be repeated", 0, 0,
     NULL},
	{"device", CLI_COUNT, &ordinal, "N", "which device of the plugin (0)", 0, 1024, NULL},
	{0},
};

static const struct cli cli = {
	"mt-conformance",
	"Run every kernel of a backend against an independent reference, through the plugin ABI alone.",
	options,
	"NAME is a backend that mt-info lists, or the path of a plugin.  The exit status is 0 where cases were run and "
	"none\n"
	"failed, 1 where something failed or nothing was run, 2 for a wrong command line.\n",
};

static const struct cli_words words = {"NAME|PLUGIN.so", 1, &words_given};

/* ---- the command line's values ---- */

static int read_dtypes(uint32_t *out) {
	*out = dtypes == NULL ? MT_SET_ALL : 0;
	for (const char *at = dtypes; at != NULL; at = strchr(at, ',') != NULL ? strchr(at, ',') + 1 : NULL) {
		char name[16];
		snprintf(name, sizeof name, "%.*s", (int)strcspn(at, ","), at);
		int32_t dtype = cf_dtype_named(name);
		if (dtype == 0)
			return cli_fail(&cli, EXIT_USAGE, "--dtype: no dtype '%s': there are f32 f64 f16 bf16 i32 i64 u8 bool",
			                name);
		*out |= MT_DTYPE_BIT(dtype);
	}
	return -1;
}

static int add_cases(struct cf_case **all, int *n_all, const struct cf_case *more, int n) {
	struct cf_case *bigger = realloc(*all, ((size_t)*n_all + (size_t)n) * sizeof **all);
	if (bigger == NULL)
		return cli_fail(&cli, 1, "out of memory");
	*all = bigger;
	memcpy(*all + *n_all, more, (size_t)n * sizeof **all);
	*n_all += n;
	return -1;
}

static int read_cases(struct cf_case **all, int *n_all) {
	char why[1024];
	int status = -1;
	for (int i = 0; i < cases_given.n && status < 0; i++) {
		struct cf_case c;
		if (!cf_case_parse(&c, cases_given.values[i], why, sizeof why))
			return cli_fail(&cli, EXIT_USAGE, "--case: %s", why);
		status = add_cases(all, n_all, &c, 1);
	}
	for (int i = 0; i < files.n && status < 0; i++) {
		struct cf_case *read;
		int n;
		if (!cf_read_cases(files.values[i], &read, &n, why, sizeof why))
			return cli_fail(&cli, EXIT_USAGE, "--cases: %s", why);
		status = add_cases(all, n_all, read, n);
		free(read);
	}
	return status;
}

/* ---- running ---- */

static int run_on(const struct cf_target *target, struct cf_selection *selection) {
	char why[1024];
	struct cf_run_options run = {.target = target,
	                             .selection = selection,
	                             .format = formats[format],
	                             .jobs = (int)jobs,
	                             .timeout = timeout,
	                             .fail_fast = fail_fast,
	                             .report_file = report_file};
	int status = cf_run_all(&run, why, sizeof why);
	return status < 0 ? cli_fail(&cli, 1, "%s", why) : status;
}

static int run(struct cf_selection *selection) {
	struct cf_found found;
	char why[1024], *given[CLI_LIST_MAX];
	int n = 0, status = -1;
	for (; n < options_given.n; n++)
		given[n] = strdup(options_given.values[n]);
	if (!cf_find_target(&found, words_given.values[0], (int32_t)ordinal, given, n, why, sizeof why)) {
		status = cli_fail(&cli, 1, "%s", why);
	} else {
		status = run_on(&found.target, selection);
		cf_found_free(&found);
	}
	while (n > 0)
		free(given[--n]);
	return status;
}

int main(int argc, char **argv) {
	int status = cli_parse_words(&cli, &words, argc, argv);
	if (status >= 0)
		return status;
	struct cf_case *given = NULL;
	struct cf_selection selection = {.ops = ops.values, .n_ops = ops.n, .seed = seed, .random = random_cases};
	status = read_dtypes(&selection.dtypes);
	if (status < 0 && words_given.n == 0 && !list_only)
		status = cli_fail(&cli, EXIT_USAGE, "which backend?");
	if (status < 0)
		status = read_cases(&given, &selection.n_given);
	selection.given = given;
	selection.only_given = cases_given.n + files.n > 0;
	if (status < 0)
		status = list_only ? cf_list(&selection) : run(&selection);
	free(given);
	if (fflush(stdout) != 0)
		return cli_fail(&cli, 1, "the output cannot be written");
	return status;
}
