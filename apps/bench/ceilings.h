/* Ceilings: what the hardware behind a column reaches at most, sampled again and again beside the timed runs.
 *
 * On a CPU: FMA loops, copies and sums on as many threads as the column has (peak.h).  Elsewhere: the device's own product
 * of square matrices in the case's dtype, and its own copy of a large array: the best that was seen of it. */
#ifndef APPS_BENCH_CEILINGS_H
#define APPS_BENCH_CEILINGS_H

#include "bench/columns.h"

struct bench_ceilings;

/* NULL when out of memory.  Sets each open column's engine: columns with the same hardware share one. */
struct bench_ceilings *bench_ceilings_new(struct bench_columns *columns);
void bench_ceilings_free(struct bench_ceilings *ceilings);
int bench_ceilings_count(const struct bench_ceilings *ceilings);

/* A sample of engine in operations or bytes a second; NaN where none can be had.  The current device may change.
 * seconds: how long tries may be repeated, so that another program's turn does not make a ceiling. */
double bench_ceilings_flops(struct bench_ceilings *ceilings, int engine, mt_dtype dtype, double seconds);
double bench_ceilings_bytes(struct bench_ceilings *ceilings, int engine);
/* Bytes a second that are read; on a device that is no CPU the same as bench_ceilings_bytes. */
double bench_ceilings_reads(struct bench_ceilings *ceilings, int engine);

/* Medians of all samples so far: f32 operations and bytes a second, NaN without samples. */
double bench_ceilings_median_flops(struct bench_ceilings *ceilings, int engine);
double bench_ceilings_median_bytes(struct bench_ceilings *ceilings, int engine);

#endif
