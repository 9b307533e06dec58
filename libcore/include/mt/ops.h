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
MT_API mt_tensor *mt_tan(mt_tensor *x);
MT_API mt_tensor *mt_asin(mt_tensor *x);
MT_API mt_tensor *mt_acos(mt_tensor *x);
MT_API mt_tensor *mt_atan(mt_tensor *x);
MT_API mt_tensor *mt_sinh(mt_tensor *x);
MT_API mt_tensor *mt_cosh(mt_tensor *x);
MT_API mt_tensor *mt_asinh(mt_tensor *x);
MT_API mt_tensor *mt_acosh(mt_tensor *x);
MT_API mt_tensor *mt_atanh(mt_tensor *x);
MT_API mt_tensor *mt_exp2(mt_tensor *x);
MT_API mt_tensor *mt_log2(mt_tensor *x);
MT_API mt_tensor *mt_log10(mt_tensor *x);
MT_API mt_tensor *mt_mish(mt_tensor *x);
MT_API mt_tensor *mt_selu(mt_tensor *x);
MT_API mt_tensor *mt_hardsigmoid(mt_tensor *x);
MT_API mt_tensor *mt_hardswish(mt_tensor *x);
MT_API mt_tensor *mt_log_sigmoid(mt_tensor *x);                       /* −softplus(−x) */
MT_API mt_tensor *mt_hardtanh(mt_tensor *x, double low, double high); /* clamp */
/* x<=0 ? w x : x.   w: one element, or [C] with x: [N, C, …], and a gradient of its own */
MT_API mt_tensor *mt_prelu(mt_tensor *x, mt_tensor *w);
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
MT_API mt_tensor *mt_remainder(mt_tensor *a, mt_tensor *b); /* MOD: sign of b */
MT_API mt_tensor *mt_floor_divide(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_atan2(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_fmod(mt_tensor *a, mt_tensor *b); /* sign of a */
MT_API mt_tensor *mt_hypot(mt_tensor *a, mt_tensor *b);
MT_API mt_tensor *mt_copysign(mt_tensor *a, mt_tensor *b);
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
/* mask ≠ 0 ? value : x; mask broadcasts to x, and the result has x's dtype. */
MT_API mt_tensor *mt_masked_fill(mt_tensor *x, mt_tensor *mask, mt_scalar value);

/* |a − b| ≤ atol + rtol · |b|, as NumPy's isclose: bool, broadcast; equal infinities are close, NaN only to NaN and only
 * where equal_nan ≠ 0. */
MT_API mt_tensor *mt_isclose(mt_tensor *a, mt_tensor *b, double rtol, double atol, int equal_nan);
/* *out = 1 where mt_isclose holds everywhere (0 elements: 1), else 0. */
MT_API mt_status mt_allclose(mt_tensor *a, mt_tensor *b, double rtol, double atol, int equal_nan, int *out);

/* ---- into a tensor that is there: outside the graph ---------------------------------------------------------------
 * The same values as the form without _out, converted to out's dtype as mt_copy_ would.  out has the result's shape, or
 * (map, zip) one that the result broadcasts to; it may be an argument itself.  Refused (MT_E_STATE) while gradients are
 * recorded and an argument or out requires one; else as in place.  Returns out. */

MT_API mt_tensor *mt_map_out(int32_t op, mt_tensor *x, mt_scalar p, mt_scalar q, mt_tensor *out);
MT_API mt_tensor *mt_zip_out(int32_t op, mt_tensor *a, mt_tensor *b, mt_tensor *out);
MT_API mt_tensor *mt_zip_scalar_out(int32_t op, mt_tensor *a, mt_scalar b, mt_tensor *out);
MT_API mt_tensor *mt_scalar_zip_out(int32_t op, mt_scalar a, mt_tensor *b, mt_tensor *out);
MT_API mt_tensor *mt_matmul_out(mt_tensor *a, mt_tensor *b, mt_tensor *out);

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
MT_API mt_tensor *mt_reduce_out(int32_t op, mt_tensor *x, mt_axes axes, int keepdim,
                                mt_tensor *out); /* see mt_map_out */

MT_API mt_tensor *mt_sum(mt_tensor *x, mt_axes axes, int keepdim);  /* integers and bool: i64 */
MT_API mt_tensor *mt_prod(mt_tensor *x, mt_axes axes, int keepdim); /* integers and bool: i64 */
MT_API mt_tensor *mt_mean(mt_tensor *x, mt_axes axes, int keepdim);
MT_API mt_tensor *mt_max(mt_tensor *x, mt_axes axes, int keepdim); /* gradient shared evenly among ties; empty: error */
MT_API mt_tensor *mt_min(mt_tensor *x, mt_axes axes, int keepdim);
MT_API mt_tensor *mt_any(mt_tensor *x, mt_axes axes, int keepdim);
MT_API mt_tensor *mt_all(mt_tensor *x, mt_axes axes, int keepdim);
MT_API mt_tensor *mt_argmax(mt_tensor *x, int axis, int keepdim); /* i64, the first of equals */
MT_API mt_tensor *mt_argmin(mt_tensor *x, int axis, int keepdim);

/* The largest or smallest along axis, and in *indices (may be NULL) where: i64, the first of equals, the first NaN before
 * all.  The whole gradient goes to that one.  MT_E_SHAPE where the extent is 0. */
MT_API mt_tensor *mt_max_dim(mt_tensor *x, int axis, int keepdim, mt_tensor **indices);
MT_API mt_tensor *mt_min_dim(mt_tensor *x, int axis, int keepdim, mt_tensor **indices);

/* Σ (x − mean)² / max(n − correction, 0), two passes (correction 1: the unbiased estimate; 0/0 is NaN), and its root. */
MT_API mt_tensor *mt_var(mt_tensor *x, mt_axes axes, double correction, int keepdim);
MT_API mt_tensor *mt_std(mt_tensor *x, mt_axes axes, double correction, int keepdim);
/* (Σ |x|^p)^(1/p); p = ∞: max |x|, −∞: min |x|, 0: how many are not 0.  The gradient at norm 0 is 0. */
MT_API mt_tensor *mt_norm(mt_tensor *x, double p, mt_axes axes, int keepdim);
/* ln Σ e^x, stable; −∞ where all are −∞ (or there are none). */
MT_API mt_tensor *mt_logsumexp(mt_tensor *x, mt_axes axes, int keepdim);

/* Running sum and product along axis; integers and bool: i64. */
MT_API mt_tensor *mt_cumsum(mt_tensor *x, int axis);
MT_API mt_tensor *mt_cumprod(mt_tensor *x, int axis);

/* x sorted along axis, stable, NaN as the largest; *indices (may be NULL): i64, where each came from. */
MT_API mt_tensor *mt_sort(mt_tensor *x, int axis, int descending, mt_tensor **indices);
MT_API mt_tensor *mt_argsort(mt_tensor *x, int axis, int descending);
/* The k largest (largest ≠ 0) or smallest along axis in that order, equal ones by position; 0 ≤ k ≤ the extent. */
MT_API mt_tensor *mt_topk(mt_tensor *x, int64_t k, int axis, int largest, mt_tensor **indices);

/* ---- matrix products ---------------------------------------------------------------------------------------------- */

/* a @ b as torch.matmul: 1-D arguments are promoted and the dim dropped again, batch dims broadcast. */
MT_API mt_tensor *mt_matmul(mt_tensor *a, mt_tensor *b);

/* Einstein summation over one or two tensors, as NumPy's einsum: letters a–z and A–Z, "...", repeated letters in one
 * operand (the diagonal), implicit or "->" output: mt_einsum("bij,bjk->bik", MT_TENSORS(a, b)).  MT_E_ARG names the
 * position of what cannot be read; MT_E_SHAPE the letter whose extents differ. */
MT_API mt_tensor *mt_einsum(const char *equation, int n, mt_tensor *const *operands);

/* Tensors as two arguments (n, array). */
#define MT_TENSORS(...)                                                                                                \
	(int)(sizeof((mt_tensor *[]){__VA_ARGS__}) / sizeof(mt_tensor *)), (mt_tensor *[]) {                               \
		__VA_ARGS__                                                                                                    \
	}

/* y = x @ wᵀ + b.   x: […, in]  w: [out, in]  b: [out] or MT_NONE  ->  […, out] */
MT_API mt_tensor *mt_linear(mt_tensor *x, mt_tensor *w, mt_tensor *b);

/* ---- convolution and pooling -------------------------------------------------------------------------------------- */

enum mt_conv_padding {
	MT_PADDING_EXPLICIT = 0, /* padding on both sides of each spatial dim */
	MT_PADDING_SAME = 1, /* O = ⌈S / stride⌉, the zeros shared between both sides, the odd one on the high side */
	MT_PADDING_SAME_LEFT = 2, /* O = ⌈S / stride⌉, window o begins at x[o · stride], zeros past the end (MiniTorch's) */
	MT_PADDING_CAUSAL = 3 /* O = ⌈S / stride⌉, window o ends at x[o · stride], zeros before the start */
};

/* stride, padding, dilation ≥ 1, ≥ 0, ≥ 1 per spatial dim (d, h, w order, first entries used); groups ≥ 1; padding is 0
 * under another padding_mode than EXPLICIT.  Zero-initialised fields mean stride 1, padding 0, dilation 1, groups 1. */
typedef struct mt_conv_options {
	int stride[MT_MAX_SPATIAL], padding[MT_MAX_SPATIAL], dilation[MT_MAX_SPATIAL];
	int groups;
	int padding_mode; /* enum mt_conv_padding */
} mt_conv_options;

/* Cross-correlation.  x: [N, Ci, S…]  weight: [Co, Ci/groups, K…]  bias: [Co] or MT_NONE  ->  [N, Co, O…] with 1, 2 or 3
 * spatial dims,  O = ⌊(S + 2·padding − dilation·(K−1) − 1) / stride⌋ + 1, which must be ≥ 1. */
MT_API mt_tensor *mt_conv1d(mt_tensor *x, mt_tensor *weight, mt_tensor *bias, mt_conv_options options);
MT_API mt_tensor *mt_conv2d(mt_tensor *x, mt_tensor *weight, mt_tensor *bias, mt_conv_options options);
MT_API mt_tensor *mt_conv3d(mt_tensor *x, mt_tensor *weight, mt_tensor *bias, mt_conv_options options);

/* As mt_conv_options; 0 ≤ output_padding < max(stride, dilation) adds cells on the high side. */
typedef struct mt_conv_transpose_options {
	int stride[MT_MAX_SPATIAL], padding[MT_MAX_SPATIAL], output_padding[MT_MAX_SPATIAL], dilation[MT_MAX_SPATIAL];
	int groups;
} mt_conv_transpose_options;

/* The gradient of convolution with respect to its input, as an op: x: [N, Ci, S…]  weight: [Ci, Co/groups, K…]
 * bias: [Co] or MT_NONE  ->  [N, Co, O…],  O = (S−1)·stride − 2·padding + dilation·(K−1) + output_padding + 1 ≥ 1. */
MT_API mt_tensor *mt_conv_transpose1d(mt_tensor *x, mt_tensor *weight, mt_tensor *bias,
                                      mt_conv_transpose_options options);
MT_API mt_tensor *mt_conv_transpose2d(mt_tensor *x, mt_tensor *weight, mt_tensor *bias,
                                      mt_conv_transpose_options options);
MT_API mt_tensor *mt_conv_transpose3d(mt_tensor *x, mt_tensor *weight, mt_tensor *bias,
                                      mt_conv_transpose_options options);

/* Zero-initialised stride means the kernel's extent, dilation 1. */
typedef struct mt_pool_options {
	int kernel[MT_MAX_SPATIAL], stride[MT_MAX_SPATIAL], padding[MT_MAX_SPATIAL], dilation[MT_MAX_SPATIAL];
	int exclude_padding; /* average: divide by the cells inside x only */
	int ceil_mode;       /* O rounded up; a window that would begin in the high padding is left out, as in PyTorch */
} mt_pool_options;

/* x: [N, C, S…] -> [N, C, O…]; padding ≤ kernel/2.  The first largest value wins, and takes the whole gradient. */
MT_API mt_tensor *mt_max_pool1d(mt_tensor *x, mt_pool_options options);
MT_API mt_tensor *mt_max_pool2d(mt_tensor *x, mt_pool_options options);
MT_API mt_tensor *mt_max_pool3d(mt_tensor *x, mt_pool_options options);
MT_API mt_tensor *mt_avg_pool1d(mt_tensor *x, mt_pool_options options);
MT_API mt_tensor *mt_avg_pool2d(mt_tensor *x, mt_pool_options options);
MT_API mt_tensor *mt_avg_pool3d(mt_tensor *x, mt_pool_options options);

/* Average over ⌊o·S/O⌋ ≤ s < ⌈(o+1)·S/O⌉ in each of the last n spatial dims, size: their O ≥ 1.
 * x: [N, C, S…] with n spatial dims (1 to 3); torch's adaptive_avg_pool1d, 2d and 3d. */
MT_API mt_tensor *mt_adaptive_avg_pool(mt_tensor *x, int n, const int64_t *size);

/* ---- normalisation ------------------------------------------------------------------------------------------------
 * Formulas: the kernels' in mt/plugin.h.  weight and bias may be MT_NONE; eps > 0 where not said otherwise. */

/* Over the last n dims of x (n ≥ 1); weight, bias: the shape of these dims. */
MT_API mt_tensor *mt_layer_norm(mt_tensor *x, int n, mt_tensor *weight, mt_tensor *bias, double eps);
/* x / √(mean(x²) + eps) · weight over the last n dims of x. */
MT_API mt_tensor *mt_rms_norm(mt_tensor *x, int n, mt_tensor *weight, double eps);
/* x: [N, C, …], C divisible by groups; each group of channels of each row on its own.  weight, bias: [C] */
MT_API mt_tensor *mt_group_norm(mt_tensor *x, int64_t groups, mt_tensor *weight, mt_tensor *bias, double eps);

typedef struct mt_batch_norm_options {
	double eps;      /* 0: 1e-5 */
	double momentum; /* 0: 0.1; −1: 0 itself */
	int training;    /* statistics of the batch, and the running ones (where given) move; else the running ones */
} mt_batch_norm_options;

/* x: [N, C, …] or [N, C]; weight, bias, running_mean, running_var: [C] or MT_NONE.  More than one value a channel is needed
 * in training (MT_E_SHAPE). */
MT_API mt_tensor *mt_batch_norm(mt_tensor *x, mt_tensor *weight, mt_tensor *bias, mt_tensor *running_mean,
                                mt_tensor *running_var, mt_batch_norm_options options);

/* ---- attention ---------------------------------------------------------------------------------------------------- */

/* softmax(q @ kᵀ / √E + mask) @ v over the last two dims.   q: […, L, E]  k: […, S, E]  v: […, S, V]  ->  […, L, V]
 * mask: MT_NONE, float (added) or bool (0 forbids), broadcast to […, L, S]; causal ≠ 0 forbids s > l.  A row where all is
 * forbidden gives NaN, as in PyTorch.  p: dropout of the weights while training ≠ 0. */
typedef struct mt_attention_options {
	int causal, training;
	double p;
	double scale; /* 0: 1/√E */
} mt_attention_options;

MT_API mt_tensor *mt_scaled_dot_product_attention(mt_tensor *q, mt_tensor *k, mt_tensor *v, mt_tensor *mask,
                                                  mt_attention_options options);

/* ---- softmax and losses ------------------------------------------------------------------------------------------- */

MT_API mt_tensor *mt_softmax(mt_tensor *x, int axis);
MT_API mt_tensor *mt_log_softmax(mt_tensor *x, int axis);

enum mt_reduction { MT_REDUCTION_MEAN = 0, MT_REDUCTION_SUM = 1, MT_REDUCTION_NONE = 2 };

/* As torch.nn.functional's: weight, mean over the weights of the counted rows; ignore_index rows count nothing.
 * Zero-initialised: mean, no smoothing, ignore_index 0 unused. */
typedef struct mt_loss_options {
	int32_t reduction; /* enum mt_reduction */
	int32_t has_ignore_index;
	int64_t ignore_index;
	double label_smoothing; /* cross_entropy only, 0 to 1 */
} mt_loss_options;

/* −log_probs[n, target[n]].   log_probs: [N, C], [C] or [N, C, D…]  target: [N], 0-d or [N, D…] integers in [0, C)
 * weight: [C] or MT_NONE */
MT_API mt_tensor *mt_nll_loss(mt_tensor *log_probs, mt_tensor *target, mt_tensor *weight, mt_loss_options options);
/* nll_loss(log_softmax(logits, 1), target), fused and stable. */
MT_API mt_tensor *mt_cross_entropy(mt_tensor *logits, mt_tensor *target, mt_tensor *weight, mt_loss_options options);
/* mean, sum or each of (a − b)². */
MT_API mt_tensor *mt_mse_loss(mt_tensor *a, mt_tensor *b, int32_t reduction);
/* −(y ln p + (1−y) ln(1−p)), logs clamped at −100.   p, y: same shape */
MT_API mt_tensor *mt_bce_loss(mt_tensor *p, mt_tensor *y, int32_t reduction);
/* bce_loss(sigmoid(x), y), stable: max(x, 0) − x y + log1p(e^−|x|), the part of y = 1 times pos_weight (broadcast, or
 * MT_NONE), all times weight (broadcast, or MT_NONE). */
MT_API mt_tensor *mt_bce_with_logits_loss(mt_tensor *x, mt_tensor *y, mt_tensor *weight, mt_tensor *pos_weight,
                                          int32_t reduction);
/* |a − b|. */
MT_API mt_tensor *mt_l1_loss(mt_tensor *a, mt_tensor *b, int32_t reduction);
/* d = |a − b|:  d < beta ? d² / (2 beta) : d − beta/2;  beta ≥ 0 (0: l1). */
MT_API mt_tensor *mt_smooth_l1_loss(mt_tensor *a, mt_tensor *b, double beta, int32_t reduction);
/* d = |a − b|:  d ≤ delta ? d²/2 : delta (d − delta/2);  delta > 0. */
MT_API mt_tensor *mt_huber_loss(mt_tensor *a, mt_tensor *b, double delta, int32_t reduction);
/* Σ target (ln target − log_probs), 0 where target is 0; MEAN divides by the number of elements. */
MT_API mt_tensor *mt_kl_div(mt_tensor *log_probs, mt_tensor *target, int32_t reduction);

/* Zeroes elements with probability p in [0, 1] and scales the rest by 1/(1−p) where training ≠ 0; x itself otherwise. */
MT_API mt_tensor *mt_dropout(mt_tensor *x, double p, int training);

/* ---- indices ------------------------------------------------------------------------------------------------------
 * i64, i32 or u8 (a number, never a mask).  Outside the extent: MT_E_ARG.  Negative ones count from the end in gather,
 * index_select and scatter_add. */

/* As torch.gather: out[i…] = x[… index[i…] at dim …]. */
MT_API mt_tensor *mt_gather(mt_tensor *x, int dim, mt_tensor *index);
/* Rows: out = x[index, …] along dim; index: [n]. */
MT_API mt_tensor *mt_index_select(mt_tensor *x, int dim, mt_tensor *index);
/* Integers of any shape -> […, classes] of dtype, 1 at the index. */
MT_API mt_tensor *mt_one_hot(mt_tensor *index, int64_t classes, mt_dtype dtype);
/* x with src added at index along dim (as torch.scatter_add); a new tensor. */
MT_API mt_tensor *mt_scatter_add(mt_tensor *x, int dim, mt_tensor *index, mt_tensor *src);
/* Rows of table [V, D]: index of any shape -> […, D].  The row padding_idx (−1: none) gets no gradient. */
MT_API mt_tensor *mt_embedding(mt_tensor *table, mt_tensor *index, int64_t padding_idx);

/* ---- rearranging -------------------------------------------------------------------------------------------------- */

/* The last two dims' lower or upper triangle, diagonal included (diagonal > 0: above the main one); 0 elsewhere. */
MT_API mt_tensor *mt_tril(mt_tensor *x, int64_t diagonal);
MT_API mt_tensor *mt_triu(mt_tensor *x, int64_t diagonal);
/* A view: dims dim0 and dim1 become one, the last, with the elements where index1 − index0 = offset. */
MT_API mt_tensor *mt_diagonal(mt_tensor *x, int64_t offset, int dim0, int dim1);

enum mt_pad_mode { MT_PAD_CONSTANT = 0, MT_PAD_REFLECT = 1, MT_PAD_REPLICATE = 2, MT_PAD_CIRCULAR = 3 };

/* As torch.nn.functional.pad: pads holds n pairs (low, high), the last dim's first.  Negative ones crop (CONSTANT);
 * REFLECT needs pads below the extent, CIRCULAR not above it.  value: what CONSTANT writes. */
MT_API mt_tensor *mt_pad(mt_tensor *x, int n, const int64_t *pads, int32_t mode, mt_scalar value);
/* Elements moved by shift along dim, those beyond the end come in at the start. */
MT_API mt_tensor *mt_roll(mt_tensor *x, int64_t shift, int dim);
/* The tensor laid out times[d] ≥ 0 times along each dim (rank ≥ x's; new dims in front), as torch.Tensor.repeat. */
MT_API mt_tensor *mt_repeat(mt_tensor *x, int rank, const int64_t *times);

#ifdef __cplusplus
}
#endif

#endif
