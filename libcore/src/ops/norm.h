/* What layer_norm and batch_norm share: the elements of x fall into sets, each normalised by its own mean and
 * variance. */
#ifndef MT_OPS_NORM_H
#define MT_OPS_NORM_H

#include "ops/ops.h"

/* How the sets lie in x, and which elements share an entry of weight and bias. */
enum mt__norm_sets {
	MT__NORM_ROWS,    /* x [M, N]: a set is a row, weight and bias are [N] */
	MT__NORM_CHANNELS /* x [N, C, S]: a set is a channel over N and S, weight and bias are [C] */
};

/* The dtype that statistics have: f64 for f64, else f32. */
mt_dtype mt__norm_wide(mt_dtype dtype);

/* x's dtype as float; f64 where a parameter (MT_NONE: none) is f64. */
mt_dtype mt__norm_dtype(const mt_tensor *x, const mt_tensor *weight, const mt_tensor *bias);

/* MT_E_ARG where eps is not above 0. */
mt_status mt__norm_check_eps(const char *op, double eps);

/* x in this shape; x itself where it has it. */
mt_tensor *mt__norm_shaped(mt_tensor *x, int rank, const int64_t *shape);

/* ---- the composed form, of ops that every device has ------------------------------------------------------------- */

/* Mean and 1/√(biased variance + eps) of the sets of x (of a wide dtype), the reduced axes kept as extents of 1. */
mt_status mt__norm_statistics(enum mt__norm_sets sets, mt_tensor *x, double eps, mt_tensor **mean, mt_tensor **rstd);

/* (x − mean) · rstd · weight + bias in x's dtype, computed in the dtype of mean. */
mt_tensor *mt__norm_apply(enum mt__norm_sets sets, mt_tensor *x, mt_tensor *mean, mt_tensor *rstd, mt_tensor *weight,
                          mt_tensor *bias);

/* The gradients that node needs (inputs x, weight, bias), as layer_norm_grad and batch_norm_grad define them.  constant
 * ≠ 0: mean and rstd do not depend on x.  They are [K]; while gradients are recorded they are made from x again where
 * they depend on it. */
mt_status mt__norm_gradients(struct mt_node *node, enum mt__norm_sets sets, mt_tensor *gout, mt_tensor *const *saved,
                             double eps, int constant, mt_tensor **gx);

/* The same where x has no elements: empty, and zeros. */
mt_status mt__norm_no_gradients(struct mt_node *node, mt_tensor *x, int64_t n_weight, mt_dtype weight_dtype,
                                mt_tensor **gx);

#endif
