/* One line on a terminal: which case runs, how many are left, for about how long. */
#ifndef APPS_BENCH_PROGRESS_H
#define APPS_BENCH_PROGRESS_H

#include <stdint.h>

/* Case number i of n begins; begun: bench_now() at the first.  Nothing where stderr is no terminal. */
void bench_progress(int64_t i, int64_t n, double begun, const char *id);
/* Clears the line. */
void bench_progress_end(void);

#endif
