/* What the families of the nn, random and optimiser kernels share. */
#ifndef CONFORMANCE_FAMILY_NN_H
#define CONFORMANCE_FAMILY_NN_H

#include "family.h"

/* What an args struct holds: the array, or NULL for none. */
const mt_array *cf_operand(const struct cf_array *a);
/* Element e, or otherwise where there is no array. */
double cf_value_or(const struct cf_array *a, int64_t e, double otherwise);

/* An array of these extents: cf_input where wanted, else NULL. */
struct cf_array *cf_input_if(struct cf_run *r, int64_t wanted, int32_t dtype, int64_t extent, int32_t layout,
                             double low, double high);

/* A parameter in thousandths or millionths as the number it stands for. */
double cf_thousandths(int64_t param);
double cf_millionths(int64_t param);

/* Replaces one element in one_in or so by an infinity or a NaN.  Not for broadcast layouts. */
enum { CF_NAN = 1, CF_INFINITE = 2, CF_MINUS_INFINITE = 4 };
void cf_nn_sprinkle(struct cf_run *r, struct cf_array *a, int kinds, int one_in);

/* cf_check for results that are computed in the side dtype and rounded once: units and scale count there, and storing
 * may cost what one rounding costs, no more. */
int cf_check_rounded(struct cf_run *r, const struct cf_array *got, const long double *expected,
                     const long double *scale, double units, const char *name);

/* Units for sums of n terms that cf_check_rounded takes. */
double cf_sum_units(int32_t kernel, int64_t n);

/* Hands c on for each dtype of op in each of the six input layouts; outputs in the same layout, or, for f32, in
 * another one too. */
void cf_nn_emit_layouts(cf_emit_fn emit, void *context, const struct cf_op *op, struct cf_case c);
/* Hands c on in each dtype of op, contiguous: what has kernels for sizes that it alone reaches. */
void cf_nn_emit_dtypes(cf_emit_fn emit, void *context, const struct cf_op *op, struct cf_case c);
/* Hands c on in f32, contiguous. */
void cf_nn_emit_plain(cf_emit_fn emit, void *context, const struct cf_op *op, struct cf_case c);

void cf_nn_set_shape(struct cf_case *c, int rank, const int64_t *shape);

#endif
