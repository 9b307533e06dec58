/* Comparing a kernel's output with its reference, element by element. */
#ifndef CONFORMANCE_CHECK_H
#define CONFORMANCE_CHECK_H

#include "array.h"

/* What is allowed at element e: |got − expected| ≤ units · u · (|expected| + scale[e]), u the dtype's unit roundoff
 * (2^-24 for f32: half an ULP is 1 unit at most), plus units of the smallest subnormal.  scale (may be NULL) is the sum
 * of the magnitudes that were added: cancellation may lose that much and no more.  expected is compared after rounding to
 * the dtype where it overflows.  Integers and bool: equal.  NaN must meet NaN, infinity the same infinity.
 * name: of the output, "out", "indices".  Records the worst element; 1 where all held. */
int cf_check(struct cf_run *r, const struct cf_array *got, const long double *expected, const long double *scale,
             double units, const char *name);

/* Exact integers, beyond 2^53 too. */
int cf_check_integers(struct cf_run *r, const struct cf_array *got, const int64_t *expected, const char *name);

/* A failure of another kind, in words. */
void cf_fail(struct cf_run *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Zeroed memory for references; freed when the case ends. */
long double *cf_reference(struct cf_run *r, int64_t count);
int64_t *cf_reference_integers(struct cf_run *r, int64_t count);

/* The tolerance table (tolerance.def): units of roundoff allowed for an op, with the reason beside each. */
double cf_units(int32_t kernel, int32_t op);
/* The same for a sum of n terms: the table's units, growing with √n (with n where the case repeats its inputs: roundings of
 * equal terms all go one way) in the dtype that accumulates (f32 for f16 and bf16,
 * whose result is rounded once). */
double cf_units_sum(int32_t kernel, int32_t op, int32_t dtype, int64_t n);

#endif
