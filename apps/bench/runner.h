/* Runs cases: the columns take turns, run by run, on the same inputs. */
#ifndef APPS_BENCH_RUNNER_H
#define APPS_BENCH_RUNNER_H

#include "bench/case.h"
#include "bench/ceilings.h"
#include "bench/columns.h"
#include "bench/stats.h"

struct bench_settings {
	double min_time; /* seconds that a column is timed for in a case, at least */
	double max_time; /* a first run above it is the only one; the reference is not asked for more */
	int64_t repeat;  /* turns */
	int unchecked;   /* compare nothing with the reference */
};

enum bench_status { BENCH_OK, BENCH_WRONG, BENCH_FAILED, BENCH_UNAVAILABLE };

/* What one column made of a case. */
struct bench_result {
	enum bench_status status;
	char reason[320]; /* where it is not BENCH_OK */
	struct bench_spread time;
	int64_t calls;   /* of the run in one timed run, which is their mean */
	double share;    /* of the nearer ceiling; NaN: unknown */
	double ceiling;  /* which was this, in operations or bytes a second, as sampled between the turns; NaN: unknown */
	double dispatch; /* share of the time in dispatch; NaN: not measured */
	int unchecked;
	int fallback; /* kernels of one run that the reference did in this backend's place */
};

struct bench_runner {
	struct bench_settings settings;
	struct bench_columns *columns;
	struct bench_ceilings *ceilings;
	mt_device *reference;
	double reference_speed;
};

/* Opens the reference and measures how fast columns are at least.  MT_OK, or the error set. */
mt_status bench_runner_start(struct bench_runner *runner);

/* Runs c on every column; results has one entry a column.  MT_E_MEMORY, or MT_OK whatever the columns did. */
mt_status bench_run_case(struct bench_runner *runner, const struct bench_case *c, struct bench_result *results);

#endif
