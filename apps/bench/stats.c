/* The statistics of timed runs. */
#include <math.h>
#include <stdlib.h>

#include "bench/stats.h"

static int by_value(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

void bench_sort(double *values, int64_t n) {
	if (n > 1)
		qsort(values, (size_t)n, sizeof *values, by_value);
}

double bench_quantile(const double *sorted, int64_t n, double q) {
	if (n < 1)
		return NAN;
	double at = q * (double)(n - 1);
	int64_t low = (int64_t)at;
	if (low >= n - 1)
		return sorted[n - 1];
	return sorted[low] + (at - (double)low) * (sorted[low + 1] - sorted[low]);
}

struct bench_spread bench_spread_of(double *values, int64_t n) {
	bench_sort(values, n);
	return (struct bench_spread){bench_quantile(values, n, 0.5), bench_quantile(values, n, 0.1),
	                             bench_quantile(values, n, 0.9), n};
}

double bench_noise(const struct bench_spread *a, const struct bench_spread *b) {
	double noise = (a->p90 - a->p10) / (2 * a->median) + (b->p90 - b->p10) / (2 * b->median);
	double least = a->runs < 3 || b->runs < 3 ? 0.25 : 0.05;
	return noise > least ? noise : least;
}

static int is_slower(const struct bench_spread *old, const struct bench_spread *now) {
	return now->median > old->median * (1 + bench_noise(old, now)) && now->p10 > old->p90;
}

int bench_change(const struct bench_spread *old, const struct bench_spread *now) {
	if (old->runs < 1 || now->runs < 1)
		return 0;
	return is_slower(old, now) - is_slower(now, old);
}
