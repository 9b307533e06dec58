/* Parallel regions with a plain call where there is one thread: even a region of one thread costs a quarter of a
 * microsecond.  All regions of the plugin begin here, and are watched for waits (contention.h). */
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
	struct mt__omp_region region;
	mt__omp_region_begin(&region);
#pragma omp parallel num_threads(threads)
	{
		int thread = omp_get_thread_num();
		mt__omp_part_begin(&region, thread);
		body(context, thread, omp_get_num_threads());
		mt__omp_part_end(&region, thread);
	}
	mt__omp_region_end(&region);
}

/* one(context, i, thread) for i in [0, n): in equal shares, for items of equal cost. */
static inline void mt__omp_each(int threads, int64_t n, void (*one)(const void *context, int64_t i, int thread),
                                const void *context) {
	if (threads < 2 || n < 2) {
		for (int64_t i = 0; i < n; i++)
			one(context, i, 0);
		return;
	}
	struct mt__omp_region region;
	mt__omp_region_begin(&region);
#pragma omp parallel num_threads(threads)
	{
		int thread = omp_get_thread_num();
		mt__omp_part_begin(&region, thread);
#pragma omp for schedule(static) nowait
		for (int64_t i = 0; i < n; i++)
			one(context, i, thread);
		mt__omp_part_end(&region, thread);
	}
	mt__omp_region_end(&region);
}

#define MT__OMP_MOST_SHARES 64

/* What is left of a thread's share of some items. */
struct mt__omp_left {
	_Alignas(64) _Atomic(int64_t) next;
	int64_t end;
};

/* The same for few, large items: each thread begins with its share, the same one as in mt__omp_each, so that it finds in
 * its cache what it wrote there; then it takes items from the others' shares, one at a time. */
static inline void mt__omp_each_next(int threads, int64_t n, void (*one)(const void *context, int64_t i, int thread),
                                     const void *context) {
	if (threads < 2 || n < 2) {
		for (int64_t i = 0; i < n; i++)
			one(context, i, 0);
		return;
	}
	struct mt__omp_left left[MT__OMP_MOST_SHARES];
	int shares = (int)mt__omp_min(mt__omp_min(threads, n), MT__OMP_MOST_SHARES);
	for (int s = 0; s < shares; s++) {
		int64_t begin;
		mt__omp_share(n, s, shares, &begin, &left[s].end);
		atomic_init(&left[s].next, begin);
	}
	struct mt__omp_region region;
	mt__omp_region_begin(&region);
#pragma omp parallel num_threads(threads)
	{
		int thread = omp_get_thread_num();
		mt__omp_part_begin(&region, thread);
		for (int s = 0; s < shares; s++) {
			struct mt__omp_left *l = &left[(thread + s) % shares];
			while (atomic_load_explicit(&l->next, memory_order_relaxed) < l->end) {
				int64_t i = atomic_fetch_add_explicit(&l->next, 1, memory_order_relaxed);
				if (i < l->end)
					one(context, i, thread);
			}
		}
		mt__omp_part_end(&region, thread);
	}
	mt__omp_region_end(&region);
}

#endif
