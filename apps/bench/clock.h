/* Seconds of a clock that never goes back. */
#ifndef APPS_BENCH_CLOCK_H
#define APPS_BENCH_CLOCK_H

#include <time.h>

static inline double bench_now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#endif
