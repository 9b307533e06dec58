/* Where the largest or smallest along one axis stands: argmax, argmin; and what it is: max_dim, min_dim. */
#include "ops/ops.h"

/* ---- argmax, argmin ----------------------------------------------------------------------------------------------- */

/* Checks x, and counts axis from the start; x's rank is 1 or more afterwards. */
static int prepare(const char *op, mt_tensor **x, int *axis) {
	char text[MT__SHAPE_TEXT];
	if (!mt__check_tensor(op, "x", *x) || (*axis = mt__axis(op, *x, *axis)) < 0 || (*x = mt__with_axis(*x)) == NULL)
		return 0;
	if ((*x)->shape[*axis] > 0)
		return 1;
	mt__fail(MT_E_SHAPE, "%s: %s has no elements along axis %d", op, mt__tensor_text(text, *x), *axis);
	return 0;
}

static mt_tensor *arg_reduce(const char *op, int32_t kind, mt_tensor *x, int axis, int keepdim) {
	int64_t shape[MT_MAX_RANK];
	int rank = 0;
	for (int d = 0; d < x->rank; d++)
		if (d != axis || keepdim)
			shape[rank++] = d == axis ? 1 : x->shape[d];
	mt_tensor *y = mt__tensor_new(op, mt__device_of(x), rank, shape, MT_I64);
	if (y == NULL || y->numel == 0)
		return y;
	mt_array ax = mt__array(x), ay = mt__array(y);
	ay.rank = x->rank;
	for (int d = 0; d < x->rank; d++)
		ay.shape[d] = d == axis ? 1 : x->shape[d];
	mt__contiguous_strides(ay.rank, ay.shape, ay.stride);
	struct mt_arg_reduce_args args = {.struct_size = sizeof args, .op = kind, .axis = axis, .x = &ax, .out = &ay};
	return mt__dispatch(mt__device_of(x), MT_K_ARG_REDUCE, kind, &args) == MT_OK ? y : NULL;
}

static mt_tensor *arg(const char *op, int32_t kind, mt_tensor *x, int axis, int keepdim) {
	mt_tensor *line = x;
	return prepare(op, &line, &axis) ? mt__without_axis(arg_reduce(op, kind, line, axis, keepdim), x) : NULL;
}

mt_tensor *mt_argmax(mt_tensor *x, int axis, int keepdim) {
	return arg("argmax", MT_ARG_MAX, x, axis, keepdim);
}

mt_tensor *mt_argmin(mt_tensor *x, int axis, int keepdim) {
	return arg("argmin", MT_ARG_MIN, x, axis, keepdim);
}

/* ---- max_dim, min_dim --------------------------------------------------------------------------------------------- */

/* What stands where arg_reduce says; the gradient is gather's. */
static mt_tensor *extreme(const char *op, int32_t kind, mt_tensor *x, int axis, int keepdim, mt_tensor **indices) {
	mt_tensor *line = x;
	if (indices != NULL)
		*indices = NULL;
	if (!prepare(op, &line, &axis))
		return NULL;
	mt_tensor *at = arg_reduce(op, kind, line, axis, 1), *y = mt_gather(line, axis, at);
	if (!keepdim || x->rank == 0) {
		at = mt_squeeze(at, axis);
		y = mt_squeeze(y, axis);
	}
	if (indices != NULL && y != NULL)
		*indices = at;
	return at != NULL ? y : NULL;
}

mt_tensor *mt_max_dim(mt_tensor *x, int axis, int keepdim, mt_tensor **indices) {
	return extreme("max_dim", MT_ARG_MAX, x, axis, keepdim, indices);
}

mt_tensor *mt_min_dim(mt_tensor *x, int axis, int keepdim, mt_tensor **indices) {
	return extreme("min_dim", MT_ARG_MIN, x, axis, keepdim, indices);
}
