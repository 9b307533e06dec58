/* The statistics of timed runs: median, spread, and when two of them differ by more than their noise. */
#ifndef APPS_BENCH_STATS_H
#define APPS_BENCH_STATS_H

#include <stdint.h>

struct bench_spread {
	double median, p10, p90; /* seconds a run */
	int64_t runs;            /* timed runs: 0 where there is nothing */
};

/* Sorts ascending. */
void bench_sort(double *values, int64_t n);

/* The q-quantile, 0 ≤ q ≤ 1, of n values sorted ascending: linear between the two nearest; NaN where n is 0. */
double bench_quantile(const double *sorted, int64_t n, double q);

/* Of n values, which are sorted on the way; all NaN where n is 0. */
struct bench_spread bench_spread_of(double *values, int64_t n);

/* How far, relative to the first, two medians may lie apart by noise alone:
 *     max(0.05, h(a) + h(b)),  h = (p90 − p10) / (2 · median);  with fewer than 3 runs in either at least 0.25. */
double bench_noise(const struct bench_spread *a, const struct bench_spread *b);

/* 1 where now is slower than old, −1 where it is faster, 0 where that may be noise or either has no runs.
 * Slower: now.median > old.median · (1 + noise) and now.p10 > old.p90; faster is the same with the two exchanged. */
int bench_change(const struct bench_spread *old, const struct bench_spread *now);

#endif
