/* Parallel regions with a plain call where there is one thread: even a region of one thread costs a quarter of a
 * microsecond. */
#ifndef MT_OMP_PARALLEL_H
#define MT_OMP_PARALLEL_H

#include <omp.h>

#include "omp.h"

/* body(context, thread, given) on each of `given` threads, at most `threads`. */
static inline void mt__omp_parallel(int threads, void (*body)(const void *context, int thread, int given),
                                    const void *context) {
	if (threads < 2) {
		body(context, 0, 1);
		return;
	}
#pragma omp parallel num_threads(threads)
	body(context, omp_get_thread_num(), omp_get_num_threads());
}

/* one(context, i, thread) for i in [0, n): in equal shares, for items of equal cost. */
static inline void mt__omp_each(int threads, int64_t n, void (*one)(const void *context, int64_t i, int thread),
                                const void *context) {
	if (threads < 2 || n < 2) {
		for (int64_t i = 0; i < n; i++)
			one(context, i, 0);
		return;
	}
#pragma omp parallel for num_threads(threads) schedule(static)
	for (int64_t i = 0; i < n; i++)
		one(context, i, omp_get_thread_num());
}

/* The same, each thread taking the next item when it is done with one: for few, large items. */
static inline void mt__omp_each_next(int threads, int64_t n, void (*one)(const void *context, int64_t i, int thread),
                                     const void *context) {
	if (threads < 2 || n < 2) {
		for (int64_t i = 0; i < n; i++)
			one(context, i, 0);
		return;
	}
#pragma omp parallel for num_threads(threads) schedule(dynamic)
	for (int64_t i = 0; i < n; i++)
		one(context, i, omp_get_thread_num());
}

#endif
