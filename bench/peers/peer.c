/* What the peers in C share. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/clock.h"
#include "bench/report.h"
#include "bench/stats.h"
#include "cli.h"
#include "peer.h"

enum { MOST_CALLS = 1000000, MOST_TURNS = 10000 };

static struct {
	const char *cases, *json;
	int64_t threads, repeat;
	double min_time, max_time;
	int values;
} given = {.threads = 1, .repeat = 7, .min_time = 0.05, .max_time = 2};

static const struct cli_option options[] = {
	{"cases", CLI_TEXT, &given.cases, "FILE", "the cases, as mt-bench --list prints them", 0, 0, NULL},
	{"json", CLI_TEXT, &given.json, "FILE", "the report to write", 0, 0, NULL},
	{"threads", CLI_COUNT, &given.threads, "N", "threads to work on (default 1)", 1, 1024, NULL},
	{"min-time", CLI_REAL, &given.min_time, "S", "time a case at least so long (default 0.05)", 1e-6, 3600, NULL},
	{"max-time", CLI_REAL, &given.max_time, "S", "a first run above it is the only one (default 2)", 1e-3, 3600, NULL},
	{"repeat", CLI_COUNT, &given.repeat, "N", "turns (default 7)", 1, MOST_TURNS, NULL},
	{"values", CLI_FLAG, &given.values, NULL, "a number for each result, to compare peers by", 0, 0, NULL},
	{0},
};

/* ---- cases -------------------------------------------------------------------------------------------------------- */

/* The text before the next '/', or all the rest where last; −1 where there is none or no room. */
static int part(const char **at, char *out, size_t size, int last) {
	size_t n = last ? strlen(*at) : strcspn(*at, "/");
	if (n == 0 || n >= size || (!last && (*at)[n] == '\0'))
		return -1;
	memcpy(out, *at, n);
	out[n] = '\0';
	*at += n + !last;
	return 0;
}

static int parse_case(const char *line, struct peer_case *c) {
	const char *at = line;
	if (strlen(line) >= sizeof c->id)
		return -1;
	strcpy(c->id, line);
	return part(&at, c->suite, sizeof c->suite, 0) != 0 || part(&at, c->op, sizeof c->op, 0) != 0 ||
	               part(&at, c->dtype, sizeof c->dtype, 0) != 0 || part(&at, c->size, sizeof c->size, 1) != 0
	           ? -1
	           : 0;
}

int64_t peer_number(const struct peer_case *c, const char *name, int64_t missing) {
	size_t n = strlen(name);
	for (const char *at = c->size; *at != '\0'; at += strcspn(at, ","), at += *at == ',')
		if (strncmp(at, name, n) == 0 && at[n] == '=')
			return strtoll(at + n + 1, NULL, 10);
	return missing;
}

int peer_product_of(const struct peer_case *c, struct peer_product *out) {
	int is_seed = strcmp(c->suite, "seed") == 0;
	out->b = peer_number(c, is_seed ? "batch" : "b", 0);
	out->n = peer_number(c, "n", 0);
	out->m = peer_number(c, "m", is_seed ? out->n : 0);
	out->k = peer_number(c, "k", is_seed ? out->n : 0);
	return out->b >= 0 && out->m > 0 && out->k > 0 && out->n > 0;
}

/* ---- inputs: the finaliser of MurmurHash3 over positions ---------------------------------------------------------- */

static double mixed(int64_t i, int tensor) {
	uint32_t h = (uint32_t)i + (uint32_t)tensor * 0x9E3779B9u;
	h ^= h >> 16;
	h *= 0x85EBCA6Bu;
	h ^= h >> 13;
	h *= 0xC2B2AE35u;
	h ^= h >> 16;
	return h * 0x1p-31 - 1;
}

void peer_uniform(float *x, int64_t n, int tensor) {
	for (int64_t i = 0; i < n; i++)
		x[i] = (float)mixed(i, tensor);
}

void peer_uniform_f64(double *x, int64_t n, int tensor) {
	for (int64_t i = 0; i < n; i++)
		x[i] = mixed(i, tensor);
}

/* The result's mean under weights of their own, which no permutation of it has, too. */
static double value_of(const void *result, int64_t n, int is_double) {
	double sum = 0;
	for (int64_t i = 0; i < n; i++)
		sum += mixed(i, 1000) * (is_double ? ((const double *)result)[i] : (double)((const float *)result)[i]);
	return sum / (double)n;
}

/* ---- the clock: as mt-bench's ------------------------------------------------------------------------------------- */

/* Seconds a call; negative where one fails, with the library's status in *status. */
static double time_calls(const struct peer_work *w, int64_t calls, int *status) {
	double begin = bench_now();
	for (int64_t i = 0; i < calls; i++)
		if ((*status = w->run(w->state)) != 0)
			return -1;
	return (bench_now() - begin) / (double)calls;
}

/* Fills times with at most given.repeat turns; their number, or −1. */
static int64_t take_turns(const struct peer_work *w, double *times, int64_t *calls, int *status) {
	double first = time_calls(w, 1, status), once = first;
	*calls = 1;
	times[0] = first;
	if (first < 0 || first > given.max_time)
		return first < 0 ? -1 : 1;
	if (first < 0.1) {
		double again = time_calls(w, 2, status);
		if (again < 0)
			return -1;
		once = fmax(fmin(once, again), 1e-9);
	}
	*calls = (int64_t)fmin(fmax(1, ceil(given.min_time / (double)given.repeat / once)), MOST_CALLS);
	int64_t turns = (int64_t)fmax(1, fmin((double)given.repeat, floor(given.max_time / (once * (double)*calls))));
	for (int64_t i = 0; i < turns; i++)
		if ((*calls > 1 && time_calls(w, 1, status) < 0) || (times[i] = time_calls(w, *calls, status)) < 0)
			return -1;
	return turns;
}

/* ---- results ------------------------------------------------------------------------------------------------------ */

static json_t *not_ok(const char *status, const char *reason) {
	return json_pack("{s:s, s:s}", "status", status, "reason", reason);
}

static json_t *timed(const struct peer_work *w) {
	static double times[MOST_TURNS];
	char why[64];
	int status = 0, is_double = 0;
	int64_t calls, n = take_turns(w, times, &calls, &status);
	if (n < 0) {
		snprintf(why, sizeof why, "the library returned status %d", status);
		return not_ok("failed", why);
	}
	struct bench_spread s = bench_spread_of(times, n);
	json_t *result = json_pack("{s:s, s:f, s:f, s:f, s:I, s:I}", "status", "ok", "median", s.median, "p10", s.p10,
	                           "p90", s.p90, "runs", (json_int_t)n, "calls", (json_int_t)calls);
	const void *out = given.values ? w->result(w->state, &n, &is_double) : NULL;
	if (out != NULL)
		json_object_set_new(result, "value", json_real(value_of(out, n, is_double)));
	return result;
}

/* {NAME: result}; {} where the peer is not asked. */
static json_t *results_of(const struct peer *peer, const struct peer_case *c) {
	char why[256] = "no reason given";
	struct peer_work work = {0};
	enum peer_answer answer = peer->prepare(c, &work, why, sizeof why);
	json_t *result = answer == PEER_READY         ? timed(&work)
	                 : answer == PEER_UNAVAILABLE ? not_ok("unavailable", why)
	                 : answer == PEER_FAILED      ? not_ok("failed", why)
	                                              : NULL;
	if (work.free != NULL)
		work.free(work.state);
	return answer == PEER_NOT_ASKED ? json_object() : json_pack("{s:o}", peer->name, result);
}

static json_t *run_case(const struct peer *peer, const struct peer_case *c) {
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "id", c->id, "suite", c->suite, "op", c->op, "dtype", c->dtype,
	                 "size", c->size, "results", results_of(peer, c));
}

static json_t *new_report(const struct peer *peer) {
	char created[40];
	time_t now = time(NULL);
	struct tm utc;
	strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	return json_pack("{s:s, s:s, s:s, s:[], s:[{s:s, s:s, s:n, s:b}], s:[]}", "format", "mt-bench 1", "created",
	                 created, "command", peer->program, "ceilings", "backends", "name", peer->name, "device",
	                 peer->device, "reason", "peer", 1, "cases");
}

/* ---- the program -------------------------------------------------------------------------------------------------- */

static int run_all(const struct cli *cli, const struct peer *peer, FILE *list, json_t *report) {
	char line[512];
	struct peer_case c;
	for (int number = 1; fgets(line, sizeof line, list) != NULL; number++) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '\0')
			continue;
		if (parse_case(line, &c) != 0)
			return cli_fail(cli, 1, "--cases %s: line %d: '%s' is no case: SUITE/OP/DTYPE/SIZE", given.cases, number,
			                line);
		json_t *one = run_case(peer, &c);
		if (one == NULL || json_array_append_new(json_object_get(report, "cases"), one) != 0)
			return cli_fail(cli, 1, "%s: out of memory, or text that is no UTF-8", line);
	}
	return ferror(list) ? cli_fail(cli, 1, "--cases %s: it cannot be read", given.cases) : 0;
}

int peer_main(struct peer *peer, int argc, char **argv) {
	const struct cli cli = {peer->program, "Times a library at mt-bench's cases (docs/peers.md).", options, NULL};
	int status = cli_parse(&cli, argc, argv);
	if (status >= 0)
		return status;
	if (given.cases == NULL || given.json == NULL)
		return cli_fail(&cli, EXIT_USAGE, "--cases and --json are needed");
	FILE *list = fopen(given.cases, "r");
	if (list == NULL)
		return cli_fail(&cli, 1, "--cases %s: it cannot be opened", given.cases);
	peer->set_threads((int)given.threads);
	json_t *report = new_report(peer);
	status = report != NULL ? run_all(&cli, peer, list, report) : cli_fail(&cli, 1, "out of memory");
	if (status == 0 && bench_json_write(report, given.json) != MT_OK)
		status = cli_fail(&cli, 1, "--json: %s", mt_error_take(NULL));
	json_decref(report);
	fclose(list);
	return status;
}
