/* What the op families share.  Nothing here records a node. */
#ifndef MT_OPS_OPS_H
#define MT_OPS_OPS_H

#include "autograd/node.h"
#include "backend/device.h"
#include "base/error.h"
#include "mt/ops.h"
#include "tensor/promote.h"
#include "tensor/shape.h"
#include "tensor/tensor.h"

/* How an op list describes an op; the tables are made from the lists. */
enum mt__op_result { MT__RESULT_SAME, MT__RESULT_BOOL };

struct mt__op_row {
	const char *name; /* NULL where the id is not used */
	uint32_t dtypes;  /* MT_SET_… */
	int result;
};

/* The status of a tensor argument that mt__check_tensor refused. */
static inline mt_status mt__refusal(const mt_tensor *t) {
	return t == NULL ? MT_E_NULL : MT_E_ARG;
}

static inline int mt__given(const mt_tensor *t) {
	return !mt_tensor_is_none(t);
}

static inline int mt__real(const mt_tensor *t) {
	return t != NULL && t != MT_NONE;
}

static inline mt_device *mt__device_of(const mt_tensor *t) {
	return t->storage->device;
}

/* What 16-bit floats are computed in: f32; f32 and f64 in themselves. */
static inline mt_dtype mt__wide(mt_dtype dtype) {
	return dtype == MT_F64 ? MT_F64 : MT_F32;
}

static inline int mt__dtype_in(mt_dtype dtype, uint32_t set) {
	return (set >> dtype & 1u) != 0;
}

/* ---- writing into a tensor: counts as a write; shapes are known to fit ------------------------------------------- */

mt_status mt__fill(mt_tensor *out, mt_scalar value);
/* out = x, converted, x broadcast to out. */
mt_status mt__copy_into(mt_tensor *out, mt_tensor *x);
/* out = op(a, b), a and b broadcast to out, all of one dtype; out may be a or b. */
mt_status mt__zip_into(int32_t op, mt_tensor *a, mt_tensor *b, mt_tensor *out);
mt_status mt__zip_scalar_into(int32_t op, mt_tensor *a, mt_scalar b, mt_tensor *out);

/* ---- new tensors -------------------------------------------------------------------------------------------------- */

mt_tensor *mt__full(const char *op, mt_device *device, int rank, const int64_t *shape, mt_dtype dtype, mt_scalar value);
/* A 0-d tensor on x's device, of x's dtype. */
mt_tensor *mt__number_like(const mt_tensor *x, double value);
/* A contiguous copy. */
mt_tensor *mt__copy_of(mt_tensor *x);
/* A zip op with parameters: the _grad forms, in a rule.  a and b broadcast and have one dtype. */
mt_tensor *mt__zip_with(int32_t op, mt_tensor *a, mt_tensor *b, mt_scalar p, mt_scalar q);
/* The same of a rule's upstream gradient g and a saved tensor of its shape; where nobody but the pass holds g, the result
 * takes its memory. */
mt_tensor *mt__zip_grad(int32_t op, mt_tensor *g, mt_tensor *saved, mt_scalar p, mt_scalar q);

/* ---- views without a graph ---------------------------------------------------------------------------------------- */

/* x as [rows, last extent] where its leading dims can be walked with one stride; else NULL without an error. */
mt_tensor *mt__as_rows(mt_tensor *x);
/* The same as an array, for kernels. */
int mt__rows_array(const mt_tensor *x, mt_array *out);

/* ---- checks ------------------------------------------------------------------------------------------------------- */

/* An index tensor: i64 and i32 as they are, u8 as i64; others MT_E_DTYPE. */
mt_tensor *mt__index_of(const char *op, const char *arg, mt_tensor *index);

/* MT_E_ARG unless value is an mt_i or mt_f. */
mt_status mt__check_scalar(const char *op, const char *arg, mt_scalar value);

/* MT_E_SHAPE unless t's shape broadcasts to that of to. */
mt_status mt__check_broadcasts_to(const char *op, const char *arg, const mt_tensor *t, const char *to_arg,
                                  const mt_tensor *to);

/* As mt__dim, but axis 0 and −1 of a 0-d tensor too are 0, as PyTorch takes it. */
int mt__axis(const char *op, const mt_tensor *x, int axis);
/* x, and a 0-d tensor as [1], for ops along an axis; y, the result on that, of x's rank again. */
mt_tensor *mt__with_axis(mt_tensor *x);
mt_tensor *mt__without_axis(mt_tensor *y, const mt_tensor *x);

/* The dtype of an op on a and b, as PyTorch: a 0-d tensor beside one with dims counts by its kind only. */
mt_dtype mt__promote_tensors(const mt_tensor *a, const mt_tensor *b);

/* ---- axes of a reduction ------------------------------------------------------------------------------------------ */

/* The set as bits; MT_E_ARG for a dim out of range or named twice. */
mt_status mt__axes_mask(const char *op, const mt_tensor *x, mt_axes axes, uint32_t *mask);
/* y, the result of a reduction of shape [rank] over mask, expanded to shape again by 0 strides. */
mt_tensor *mt__expand_reduced(mt_tensor *y, int rank, const int64_t *shape, uint32_t mask, int keepdim);

/* ---- parts of one op that tests compare --------------------------------------------------------------------------- */

/* Made of ops that every device has; 0 ≤ axis < rank, float x. */
mt_tensor *mt__softmax_composed(mt_tensor *x, int axis, int log);
mt_tensor *mt__cross_entropy_composed(mt_tensor *logits, mt_tensor *target, mt_tensor *weight, mt_loss_options options);
mt_tensor *mt__layer_norm_composed(mt_tensor *x, int n, mt_tensor *weight, mt_tensor *bias, double eps);
mt_tensor *mt__batch_norm_composed(mt_tensor *x, mt_tensor *weight, mt_tensor *bias, mt_tensor *running_mean,
                                   mt_tensor *running_var, mt_batch_norm_options options);
/* index i64 or i32; forward alone. */
mt_tensor *mt__embedding_composed(mt_tensor *table, mt_tensor *index);
mt_tensor *mt__embedding_grad_composed(mt_tensor *g, mt_tensor *index, int64_t rows, int64_t padding_idx);

#endif
