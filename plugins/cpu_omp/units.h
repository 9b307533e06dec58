/* Sharing units of work among threads. */
#ifndef MT_OMP_UNITS_H
#define MT_OMP_UNITS_H

#include "parallel.h"

/* Does units [begin, end). */
typedef void mt__unit_range(const void *context, int64_t begin, int64_t end);

struct mt__omp_units {
	int64_t units;
	mt__unit_range *f;
	const void *context;
};

/* The number of the thread that does some units, from 0 and below the number of threads asked for; level: what omp_get_level()
 * was when mt__omp_for_units was called.  A program may call an op in a parallel region of its own, where
 * omp_get_thread_num() alone has that region's number while the units stay on the calling thread. */
static inline int mt__omp_unit_thread(int level) {
	return omp_get_level() > level ? omp_get_thread_num() : 0;
}

static inline void mt__omp_unit_share(const void *context, int thread, int given) {
	const struct mt__omp_units *u = context;
	int64_t begin, end;
	mt__omp_share(u->units, thread, given, &begin, &end);
	if (begin < end)
		u->f(u->context, begin, end);
}

/* All of [0, units), in equal contiguous shares; on the calling thread alone, without a parallel region, where threads
 * is 1 or there is one unit. */
static inline void mt__omp_for_units(int threads, int64_t units, mt__unit_range *f, const void *context) {
	const struct mt__omp_units u = {units, f, context};
	if (threads <= 1 || units <= 1)
		f(context, 0, units);
	else
		mt__omp_parallel(threads, mt__omp_unit_share, &u);
}

#endif
