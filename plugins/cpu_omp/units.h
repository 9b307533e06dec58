/* Sharing units of work among threads. */
#ifndef MT_OMP_UNITS_H
#define MT_OMP_UNITS_H

#include <omp.h>

#include "omp.h"

/* Does units [begin, end). */
typedef void mt__unit_range(const void *context, int64_t begin, int64_t end);

/* All of [0, units), in equal contiguous shares; on the calling thread alone, without a parallel region, where threads
 * is 1 or there is one unit. */
static inline void mt__omp_for_units(int threads, int64_t units, mt__unit_range *f, const void *context) {
	if (threads <= 1 || units <= 1) {
		f(context, 0, units);
		return;
	}
#pragma omp parallel num_threads(threads)
	{
		int64_t begin, end;
		mt__omp_share(units, omp_get_thread_num(), omp_get_num_threads(), &begin, &end);
		if (begin < end)
			f(context, begin, end);
	}
}

#endif
