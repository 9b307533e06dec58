/* What the families share: first cases to build on, values whose results are exact, allowances. */
#ifndef CONFORMANCE_VALUES_H
#define CONFORMANCE_VALUES_H

#include "family.h"

/* ---- fixed cases -------------------------------------------------------------------------------------------------- */

/* The simplest case of an op: rank 0, contiguous, random data, every parameter at its simplest. */
struct cf_case cf_first_case(const struct cf_family *f, int32_t op, int32_t dtype);

void cf_set_shape(struct cf_case *c, int32_t rank, const int64_t *shape);
/* No extent is 0. */
int cf_is_filled(const struct cf_case *c);
/* A random shape of rank ≥ low: most of them small, one in 64 of up to 80,000 elements. */
void cf_draw_shape(struct cf_random *r, struct cf_case *c, int low);

/* Calls fn with the first case of every op in every dtype. */
typedef void (*cf_op_cases_fn)(struct cf_case c, cf_emit_fn emit, void *context);
void cf_each_op(const struct cf_family *f, cf_op_cases_fn fn, cf_emit_fn emit, void *context);

/* Emits c in every layout of the inputs, with every layout of the outputs among them. */
void cf_emit_layouts(struct cf_case c, cf_emit_fn emit, void *context);

/* Emits c where its family calls it valid. */
void cf_emit_valid(const struct cf_case *c, cf_emit_fn emit, void *context);

/* The lines of a shape along an axis: element j of line l is row-major element start(l) + j · inner. */
struct cf_lines {
	int64_t count, extent, inner;
};
struct cf_lines cf_lines_along(int32_t rank, const int64_t *shape, int64_t axis);
int64_t cf_line_start(const struct cf_lines *l, int64_t line);

/* ---- values ------------------------------------------------------------------------------------------------------- */

/* Whole numbers of ±[1, most], positive in u8: sums and products of a few of them are exact in every float dtype. */
void cf_fill_whole(struct cf_run *r, struct cf_array *a, int64_t most);

/* Few values, so that equals meet: whole numbers of [−2, 2]; integers close to each other where a float of their size
 * would not tell them apart. */
void cf_fill_ties(struct cf_run *r, struct cf_array *a);

/* NaN (where nan ≠ 0), infinities and zeros of both signs among what is there. */
void cf_sprinkle(struct cf_run *r, struct cf_array *a, int nan);

/* After cf_set on an array that may have stride 0: elements that share a place hold what was stored last. */
void cf_settle(struct cf_array *a);

/* A number as a kernel on dtype takes it from an mt_scalar: an i64 for integers, else an f64. */
mt_scalar cf_scalar(int32_t dtype, int64_t thousandths);
/* What that number is in the dtype that the kernel computes in: f32 for f16 and bf16. */
double cf_scalar_value(int32_t dtype, int64_t thousandths);

/* ---- allowances --------------------------------------------------------------------------------------------------- */

/* For cf_check: units, and what scale[] is to be multiplied with. */
struct cf_allowance {
	double units;
	double scale;
};

/* units of a result in the dtype that dtype computes in, after the store to dtype. */
struct cf_allowance cf_stored(double units, int32_t dtype);
/* The op's line of the table where dtype computes in itself.  f16 and bf16 are computed in f32: the line holds for f32,
 * and the rounding of the store comes on top. */
struct cf_allowance cf_allowed(int32_t kernel, int32_t op, int32_t dtype);
/* The same for a sum of n terms. */
struct cf_allowance cf_allowed_sum(int32_t kernel, int32_t op, int32_t dtype, int64_t n);

/* Where a zero is exact its sign is too: fails at the first zero whose sign is not that of expected. */
int cf_check_zeros(struct cf_run *r, const struct cf_array *got, const long double *expected, const char *name);

#endif
