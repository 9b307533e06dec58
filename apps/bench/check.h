/* Whether a backend's output is the reference's. */
#ifndef APPS_BENCH_CHECK_H
#define APPS_BENCH_CHECK_H

#include "mt/mt.h"

/* A tensor's elements in row-major order as doubles. */
struct bench_values {
	double *values;
	int64_t n;
};

/* Reads t through the device reference, which converts; MT_NONE gives none.  The error is set. */
mt_status bench_values_read(mt_tensor *t, mt_device *reference, struct bench_values *out);
void bench_values_free(struct bench_values *values);

/* 1 where max |a − b| / (1 + |b|) ≤ tolerance, b the reference's; else 0, with what is wrong in text.  NaN is never
 * right, an infinity only where both are the same. */
int bench_values_agree(const struct bench_values *a, const struct bench_values *b, double tolerance, char *text,
                       size_t size);

#endif
