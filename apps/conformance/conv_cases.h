/* The cases of conv, conv_grad_input and conv_grad_weight: one geometry, one definition. */
#ifndef CONFORMANCE_CONV_CASES_H
#define CONFORMANCE_CONV_CASES_H

#include "family_nn.h"

enum cf_conv_param {
	CF_CONV_N,
	CF_CONV_GROUPS,
	CF_CONV_CI, /* of a group */
	CF_CONV_CO, /* of a group */
	CF_CONV_SIZE,
	CF_CONV_KERNEL = CF_CONV_SIZE + MT_MAX_SPATIAL,
	CF_CONV_STRIDE = CF_CONV_KERNEL + MT_MAX_SPATIAL,
	CF_CONV_PAD = CF_CONV_STRIDE + MT_MAX_SPATIAL,
	CF_CONV_DILATION = CF_CONV_PAD + MT_MAX_SPATIAL,
	CF_CONV_EXTRA = CF_CONV_DILATION + MT_MAX_SPATIAL, /* added to the usual extent: another padding on the high side */
	CF_CONV_LAST = CF_CONV_EXTRA + MT_MAX_SPATIAL,     /* channels are the last dim in memory: NHWC */
	CF_CONV_BIAS,
	CF_CONV_ACTIVATION,
	CF_CONV_PARAMS
};

extern const struct cf_param cf_conv_params[CF_CONV_PARAMS];
extern const struct cf_op cf_conv_ops[MT_MAX_SPATIAL];

/* Missing spatial dims come last, with extent 1. */
struct cf_conv {
	int rank, last;
	int64_t x[5], weight[5], out[5];
	struct mt_conv_params p;
};

struct cf_conv cf_conv_of(const struct cf_case *c);
/* Whether the geometry fits, and isn't too large for the definition. */
int cf_conv_valid(const struct cf_case *c);
/* n_params: how many of cf_conv_params the family has; summed: the extent that its sums may find 0. */
void cf_conv_each(cf_emit_fn emit, void *context, int n_params, enum cf_conv_param summed);
void cf_conv_draw(struct cf_random *r, struct cf_case *c, int n_params);

/* cf_new and cf_input for x, the weight and out: the layout is that of their dims as they lie in memory. */
struct cf_array *cf_conv_new(struct cf_run *r, enum cf_role role, const struct cf_conv *g, int32_t dtype,
                             const int64_t *shape, int32_t layout);
struct cf_array *cf_conv_input(struct cf_run *r, const struct cf_conv *g, int32_t dtype, const int64_t *shape,
                               int32_t layout);

/* The three arrays that a product of the definition meets; the sums are those of one of them. */
enum cf_conv_side { CF_CONV_OUT, CF_CONV_WEIGHT, CF_CONV_X };

/* value[i] = the sum of the products of the other two arrays' elements that belong to element i of side; scale[i] = of
 * their magnitudes.  operands: by enum cf_conv_side; that of side is not read. */
void cf_conv_sums(const struct cf_conv *g, enum cf_conv_side side, const struct cf_array *const operands[3],
                  long double *value, long double *scale);

#endif
