/* Helpers of the op families. */
#include "ops/ops.h"

/* ---- writing ------------------------------------------------------------------------------------------------------ */

mt_status mt__fill(mt_tensor *out, mt_scalar value) {
	mt__storage_touch(out->storage);
	return mt__tensor_fill(out, value);
}

mt_status mt__copy_into(mt_tensor *out, mt_tensor *x) {
	mt__storage_touch(out->storage);
	if (out->numel == 0)
		return MT_OK;
	mt_array ax = mt__array_expanded(x, out->rank, out->shape), ao = mt__array(out);
	struct mt_copy_args args = {.struct_size = sizeof args, .x = &ax, .out = &ao};
	return mt__dispatch(mt__device_of(out), MT_K_COPY, 0, &args);
}

/* ---- new tensors -------------------------------------------------------------------------------------------------- */

mt_tensor *mt__full(const char *op, mt_device *device, int rank, const int64_t *shape, mt_dtype dtype,
                    mt_scalar value) {
	mt_tensor *t = mt__tensor_new(op, device, rank, shape, dtype);
	return t != NULL && mt__tensor_fill(t, value) == MT_OK ? t : NULL;
}

mt_tensor *mt__number_like(const mt_tensor *x, double value) {
	return mt__full("fill", mt__device_of(x), 0, NULL, x->dtype, mt_f(value));
}

mt_tensor *mt__copy_of(mt_tensor *x) {
	return mt__tensor_packed("copy", x, x->dtype);
}

/* ---- views -------------------------------------------------------------------------------------------------------- */

/* The leading dims as one: *rows and *stride of it.  0 where no one stride walks them. */
static int leading_as_one(const mt_tensor *x, int64_t *rows, int64_t *stride) {
	*rows = 1;
	*stride = 0;
	for (int d = x->rank - 2; d >= 0; d--) {
		if (x->shape[d] == 1)
			continue;
		if (*rows == 1)
			*stride = x->stride[d];
		else if (x->stride[d] != *stride * *rows)
			return 0;
		*rows *= x->shape[d];
	}
	return 1;
}

int mt__rows_array(const mt_tensor *x, mt_array *out) {
	int64_t rows, stride;
	if (x->rank < 1 || x->numel == 0 || !leading_as_one(x, &rows, &stride))
		return 0;
	*out = mt__array(x);
	out->rank = 2;
	out->shape[1] = x->shape[x->rank - 1];
	out->stride[1] = x->stride[x->rank - 1];
	out->shape[0] = rows;
	out->stride[0] = stride;
	return 1;
}

mt_tensor *mt__as_rows(mt_tensor *x) {
	int64_t shape[2], stride[2];
	if (x->rank < 1 || x->numel == 0 || !leading_as_one(x, &shape[0], &stride[0]))
		return NULL;
	shape[1] = x->shape[x->rank - 1];
	stride[1] = x->stride[x->rank - 1];
	return mt__tensor_alias(x, 2, shape, stride, x->offset);
}

/* ---- checks ------------------------------------------------------------------------------------------------------- */

mt_tensor *mt__index_of(const char *op, const char *arg, mt_tensor *index) {
	char text[MT__SHAPE_TEXT];
	if (index->dtype == MT_I64 || index->dtype == MT_I32)
		return index;
	if (index->dtype == MT_U8)
		return mt_cast(index, MT_I64);
	return mt__fail_null(MT_E_DTYPE, "%s: %s is %s; indices are i64, i32 or u8", op, arg, mt__tensor_text(text, index));
}

int mt__axis(const char *op, const mt_tensor *x, int axis) {
	return x->rank == 0 && (axis == 0 || axis == -1) ? 0 : mt__dim(op, x, axis);
}

mt_tensor *mt__with_axis(mt_tensor *x) {
	return x->rank == 0 ? mt_unsqueeze(x, 0) : x;
}

mt_tensor *mt__without_axis(mt_tensor *y, const mt_tensor *x) {
	return y != NULL && x->rank == 0 && y->rank == 1 && y->shape[0] == 1 ? mt_squeeze(y, 0) : y;
}

mt_status mt__check_scalar(const char *op, const char *arg, mt_scalar value) {
	if (value.tag == MT_SCALAR_I64 || value.tag == MT_SCALAR_F64)
		return MT_OK;
	return mt__fail(MT_E_ARG, "%s: %s is no number; use mt_i or mt_f", op, arg);
}

mt_status mt__check_broadcasts_to(const char *op, const char *arg, const mt_tensor *t, const char *to_arg,
                                  const mt_tensor *to) {
	char text[MT__SHAPE_TEXT], to_text[MT__SHAPE_TEXT];
	if (mt__expands_to(t, to))
		return MT_OK;
	return mt__fail(MT_E_SHAPE, "%s: %s is %s, which does not broadcast to %s, %s", op, arg, mt__tensor_text(text, t),
	                to_arg, mt__tensor_text(to_text, to));
}
