/* Operations.  Each checks its arguments, sends one kernel (or a composed form) to the tensors' device, and records a
 * node where a gradient is required.  Results belong to the current scope; NULL on failure with the op, shapes and
 * dtypes in the message (MT_E_SHAPE, MT_E_DTYPE, MT_E_DEVICE, MT_E_ARG).
 *
 * Shapes broadcast as in NumPy.  Dtypes promote as in PyTorch (promote.def); float-only ops take integers as f32.
 * A scalar takes part in promotion by its kind only: f32 + 2.5 stays f32, i64 + 2.5 is f32.  Formulas of map, zip and
 * reduce ops: the .def lists. */
#ifndef MT_OPS_H
#define MT_OPS_H

#include "mt/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- map: y = f(x), shape of x ------------------------------------------------------------------------------------ */

/* Any map op by id (enum mt_map_id) with its parameters (mt_f(0) where it has none). */
MT_API mt_tensor *mt_map(int32_t op, mt_tensor *x, mt_scalar p, mt_scalar q);

MT_API mt_tensor *mt_neg(mt_tensor *x);
MT_API mt_tensor *mt_abs(mt_tensor *x);
MT_API mt_tensor *mt_sign(mt_tensor *x);
MT_API mt_tensor *mt_exp(mt_tensor *x);
MT_API mt_tensor *mt_expm1(mt_tensor *x);
MT_API mt_tensor *mt_log(mt_tensor *x);
MT_API mt_tensor *mt_log1p(mt_tensor *x);
MT_API mt_tensor *mt_sqrt(mt_tensor *x);
MT_API mt_tensor *mt_rsqrt(mt_tensor *x);
MT_API mt_tensor *mt_square(mt_tensor *x);
MT_API mt_tensor *mt_reciprocal(mt_tensor *x);
MT_API mt_tensor *mt_sin(mt_tensor *x);
MT_API mt_tensor *mt_cos(mt_tensor *x);
MT_API mt_tensor *mt_tanh(mt_tensor *x);
MT_API mt_tensor *mt_sigmoid(mt_tensor *x);
MT_API mt_tensor *mt_relu(mt_tensor *x);
MT_API mt_tensor *mt_gelu(mt_tensor *x);
MT_API mt_tensor *mt_gelu_tanh(mt_tensor *x);
MT_API mt_tensor *mt_silu(mt_tensor *x);
MT_API mt_tensor *mt_softplus(mt_tensor *x);
MT_API mt_tensor *mt_erf(mt_tensor *x);
MT_API mt_tensor *mt_floor(mt_tensor *x);
MT_API mt_tensor *mt_ceil(mt_tensor *x);
MT_API mt_tensor *mt_round(mt_tensor *x);
MT_API mt_tensor *mt_trunc(mt_tensor *x);
MT_API mt_tensor *mt_leaky_relu(mt_tensor *x, double slope);
MT_API mt_tensor *mt_elu(mt_tensor *x, double alpha);
MT_API mt_tensor *mt_clamp(mt_tensor *x, mt_scalar low, mt_scalar high);
MT_API mt_tensor *mt_logical_not(mt_tensor *x);
MT_API mt_tensor *mt_isnan(mt_tensor *x);
MT_API mt_tensor *mt_isinf(mt_tensor *x);
MT_API mt_tensor *mt_isfinite(mt_tensor *x);

/* ---- zip: y = f(a, b), broadcast ---------------------------------------------------------------------------------- */

/* Any zip op by id (enum mt_zip_id); with one operand a scalar by value. */
MT_API mt_tensor *mt_zip(int32_t op, mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_zip_scalar(int32_t op, mt_tensor *a, mt_scalar b);
MT_API mt_tensor *mt_scalar_zip(int32_t op, mt_scalar a, mt_tensor *b);

MT_API mt_tensor *mt_add(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_sub(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_mul(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_div(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_pow(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_maximum(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_minimum(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_remainder(mt_tensor *a, mt_tensor *b);    /* MOD: sign of b */
MT_API mt_tensor *mt_floor_divide(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_atan2(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_lt(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_le(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_gt(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_ge(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_eq(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_ne(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_logical_and(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_logical_or(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_logical_xor(mt_tensor *a, mt_tensor *b);

MT_API mt_tensor *mt_add_scalar(mt_tensor *a, mt_scalar b);
MT_API mt_tensor *mt_sub_scalar(mt_tensor *a, mt_scalar b);
MT_API mt_tensor *mt_rsub_scalar(mt_tensor *a, mt_scalar b); /* b − a */
MT_API mt_tensor *mt_mul_scalar(mt_tensor *a, mt_scalar b);
MT_API mt_tensor *mt_div_scalar(mt_tensor *a, mt_scalar b);
MT_API mt_tensor *mt_rdiv_scalar(mt_tensor *a, mt_scalar b); /* b / a */
MT_API mt_tensor *mt_pow_scalar(mt_tensor *a, mt_scalar b);

/* where(cond, a, b): cond ≠ 0 ? a : b, broadcast. */
MT_API mt_tensor *mt_where(mt_tensor *cond, mt_tensor *a, mt_tensor *b);

/* ---- in place: the result has a's shape and dtype; returns a ------------------------------------------------------
 * Refused (MT_E_STATE) while gradients are recorded on a leaf that requires them, and on an expanded view.  On another
 * tensor of the graph, recorded: a then stands for the result. */

MT_API mt_tensor *mt_copy_(mt_tensor *a, mt_tensor *src); /* converts and broadcasts src; across devices too */
MT_API mt_tensor *mt_fill_(mt_tensor *a, mt_scalar value);
MT_API mt_tensor *mt_zero_(mt_tensor *a);
MT_API mt_tensor *mt_add_(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_sub_(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_mul_(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_div_(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_add_scalar_(mt_tensor *a, mt_scalar b);
MT_API mt_tensor *mt_mul_scalar_(mt_tensor *a, mt_scalar b);

/* ---- reduce ------------------------------------------------------------------------------------------------------- */

/* A set of axes: MT_AXES(0, -1), or MT_ALL_AXES. */
typedef struct mt_axes {
	int n; /* −1: all */
	int axis[MT_MAX_RANK];
} mt_axes;

#define MT_AXES(...) ((mt_axes){(int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)), {__VA_ARGS__}})
#define MT_ALL_AXES ((mt_axes){-1, {0}})

/* Any reduce op by id (enum mt_reduce_id).  keepdim ≠ 0 keeps reduced axes with extent 1. */
MT_API mt_tensor *mt_reduce(int32_t op, mt_tensor *x, mt_axes axes, int keepdim);

MT_API mt_tensor *mt_sum(mt_tensor *x, mt_axes axes, int keepdim);  /* integers and bool: i64 */
MT_API mt_tensor *mt_prod(mt_tensor *x, mt_axes axes, int keepdim); /* integers and bool: i64 */
MT_API mt_tensor *mt_mean(mt_tensor *x, mt_axes axes, int keepdim);
MT_API mt_tensor *mt_max(mt_tensor *x, mt_axes axes, int keepdim);  /* gradient shared evenly among ties; empty: error */
MT_API mt_tensor *mt_min(mt_tensor *x, mt_axes axes, int keepdim);
MT_API mt_tensor *mt_any(mt_tensor *x, mt_axes axes, int keepdim);
MT_API mt_tensor *mt_all(mt_tensor *x, mt_axes axes, int keepdim);
MT_API mt_tensor *mt_argmax(mt_tensor *x, int axis, int keepdim);   /* i64, the first of equals */
MT_API mt_tensor *mt_argmin(mt_tensor *x, int axis, int keepdim);

/* ---- matrix products ---------------------------------------------------------------------------------------------- */

/* a @ b as torch.matmul: 1-D arguments are promoted and the dim dropped again, batch dims broadcast. */
MT_API mt_tensor *mt_matmul(mt_tensor *a, mt_tensor *b);

/* y = x @ wᵀ + b.   x: […, in]  w: [out, in]  b: [out] or MT_NONE  ->  […, out] */
MT_API mt_tensor *mt_linear(mt_tensor *x, mt_tensor *w, mt_tensor *b);

/* ---- convolution and pooling -------------------------------------------------------------------------------------- */

/* stride, padding, dilation ≥ 1, ≥ 0, ≥ 1 per spatial dim (d, h, w order, first entries used); groups ≥ 1.
 * Zero-initialised fields mean stride 1, padding 0, dilation 1, groups 1. */
typedef struct mt_conv_options {
	int stride[MT_MAX_SPATIAL], padding[MT_MAX_SPATIAL], dilation[MT_MAX_SPATIAL];
	int groups;
} mt_conv_options;

/* Cross-correlation.  x: [N, Ci, H, W]  weight: [Co, Ci/groups, Kh, Kw]  bias: [Co] or MT_NONE  ->  [N, Co, Oh, Ow],
 * O = (S + 2·padding − dilation·(K−1) − 1) / stride + 1, which must be ≥ 1. */
MT_API mt_tensor *mt_conv2d(mt_tensor *x, mt_tensor *weight, mt_tensor *bias, mt_conv_options options);

/* Zero-initialised stride means the kernel's extent, dilation 1. */
typedef struct mt_pool_options {
	int kernel[MT_MAX_SPATIAL], stride[MT_MAX_SPATIAL], padding[MT_MAX_SPATIAL], dilation[MT_MAX_SPATIAL];
	int exclude_padding; /* average: divide by the cells inside x only */
} mt_pool_options;

/* x: [N, C, H, W] -> [N, C, Oh, Ow]; padding ≤ kernel/2.  The first largest value wins, and takes the whole gradient. */
MT_API mt_tensor *mt_max_pool2d(mt_tensor *x, mt_pool_options options);
MT_API mt_tensor *mt_avg_pool2d(mt_tensor *x, mt_pool_options options);

/* ---- softmax and losses ------------------------------------------------------------------------------------------- */

MT_API mt_tensor *mt_softmax(mt_tensor *x, int axis);
MT_API mt_tensor *mt_log_softmax(mt_tensor *x, int axis);

enum mt_reduction { MT_REDUCTION_MEAN = 0, MT_REDUCTION_SUM = 1, MT_REDUCTION_NONE = 2 };

/* As torch.nn.functional's: weight, mean over the weights of the counted rows; ignore_index rows count nothing.
 * Zero-initialised: mean, no smoothing, ignore_index 0 unused. */
typedef struct mt_loss_options {
	int32_t reduction;      /* enum mt_reduction */
	int32_t has_ignore_index;
	int64_t ignore_index;
	double label_smoothing; /* cross_entropy only, 0 to 1 */
} mt_loss_options;

/* −log_probs[n, target[n]].   log_probs: [N, C]  target: [N] integers in [0, C)  weight: [C] or MT_NONE */
MT_API mt_tensor *mt_nll_loss(mt_tensor *log_probs, mt_tensor *target, mt_tensor *weight, mt_loss_options options);
/* nll_loss(log_softmax(logits, 1), target), fused and stable. */
MT_API mt_tensor *mt_cross_entropy(mt_tensor *logits, mt_tensor *target, mt_tensor *weight, mt_loss_options options);
/* mean, sum or each of (a − b)². */
MT_API mt_tensor *mt_mse_loss(mt_tensor *a, mt_tensor *b, int32_t reduction);
/* −(y ln p + (1−y) ln(1−p)), logs clamped at −100.   p, y: same shape */
MT_API mt_tensor *mt_bce_loss(mt_tensor *p, mt_tensor *y, int32_t reduction);

/* Zeroes elements with probability p in [0, 1) and scales the rest by 1/(1−p) where training ≠ 0; x itself otherwise. */
MT_API mt_tensor *mt_dropout(mt_tensor *x, double p, int training);

/* ---- indices ------------------------------------------------------------------------------------------------------ */

/* As torch.gather: out[i…] = x[… index[i…] at dim …]; index i64 or i32. */
MT_API mt_tensor *mt_gather(mt_tensor *x, int dim, mt_tensor *index);
/* Rows: out = x[index, …] along dim; index: [n] i64 or i32. */
MT_API mt_tensor *mt_index_select(mt_tensor *x, int dim, mt_tensor *index);
/* [n] integers -> [n, classes] of dtype, 1 at the index. */
MT_API mt_tensor *mt_one_hot(mt_tensor *index, int64_t classes, mt_dtype dtype);

#ifdef __cplusplus
}
#endif

#endif
