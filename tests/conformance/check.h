/* Comparing a kernel's output with its reference, element by element. */
#ifndef CONFORMANCE_CHECK_H
#define CONFORMANCE_CHECK_H

#include "array.h"

/* What is allowed at element e: |got − expected| ≤ units · u · (|expected| + scale[e]), u the dtype's unit roundoff
 * (2^-24 for f32: half an ULP is 1 unit at most), plus units of the smallest subnormal.  scale (may be NULL) is the sum
 * of the magnitudes that were added: cancellation may lose that much and no more.  Integers: equal.
 * NaN must meet NaN, infinity the same infinity. */
int kc_check(const struct kc_host *h, const struct kc_array *got, const long double *expected, const long double *scale,
             double units, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Zeroed memory of the case for references; freed by kc_reference_reset. */
long double *kc_reference(int64_t count);
void kc_reference_reset(void);

/* Row-major index <-> position. */
void kc_unravel(int64_t e, int rank, const int64_t *shape, int64_t *index);
int64_t kc_ravel(int rank, const int64_t *shape, const int64_t *index);

/* Suites: each case is run on every host that was opened. */
typedef void (*kc_case_fn)(struct kc_host *h);
void kc_each_host(kc_case_fn fn);

#endif
