/* Comparison within a tolerance. */
#include "ops/ops.h"

/* What the distance is computed in: integers in f64, floats in f32 at least. */
static mt_dtype compute_dtype(const mt_tensor *a, const mt_tensor *b) {
	mt_dtype dtype = mt_promote(a->dtype, b->dtype);
	if (!mt__is_float(dtype))
		return MT_F64;
	return dtype == MT_F64 ? MT_F64 : MT_F32;
}

/* |a − b|.  Numbers of i64 that lie near each other differ by an integer that their f64 forms may not show. */
static mt_tensor *distance(mt_tensor *a, mt_tensor *b, mt_dtype dtype) {
	mt_tensor *error = mt_abs(mt_sub(mt_cast(a, dtype), mt_cast(b, dtype)));
	if (mt_promote(a->dtype, b->dtype) != MT_I64)
		return error;
	mt_tensor *exact = mt_cast(mt_abs(mt_sub(mt_cast(a, MT_I64), mt_cast(b, MT_I64))), dtype);
	return mt_where(mt_zip_scalar(MT_ZIP_LT, error, mt_f(0x1p62)), exact, error);
}

static mt_tensor *close_to(mt_tensor *a, mt_tensor *b, double rtol, double atol, int equal_nan) {
	mt_dtype dtype = compute_dtype(a, b);
	mt_tensor *error = distance(a, b, dtype);
	mt_tensor *allowed = mt_add_scalar(mt_mul_scalar(mt_abs(mt_cast(b, dtype)), mt_f(rtol)), mt_f(atol));
	mt_tensor *y = mt_logical_or(mt_eq(a, b), mt_logical_and(mt_isfinite(error), mt_le(error, allowed)));
	return equal_nan ? mt_logical_or(y, mt_logical_and(mt_isnan(a), mt_isnan(b))) : y;
}

mt_tensor *mt_isclose(mt_tensor *a, mt_tensor *b, double rtol, double atol, int equal_nan) {
	mt_tensor *in[2] = {a, b};
	int rank;
	int64_t shape[MT_MAX_RANK];
	if (!mt__check_tensor("isclose", "a", a) || !mt__check_tensor("isclose", "b", b) ||
	    !mt__check_same_device("isclose", in, 2) ||
	    mt__broadcast("isclose", a->rank, a->shape, b->rank, b->shape, &rank, shape) != MT_OK)
		return NULL;
	if (!(rtol >= 0 && atol >= 0))
		return mt__fail_null(MT_E_ARG, "isclose: rtol and atol must be at least 0, got %g and %g", rtol, atol);
	int was = mt_grad_enable(0);
	mt_scope *scope = mt_scope_begin();
	mt_tensor *y = scope == NULL ? NULL : mt_scope_end_keep(scope, close_to(a, b, rtol, atol, equal_nan));
	mt_grad_enable(was);
	return y;
}

mt_status mt_allclose(mt_tensor *a, mt_tensor *b, double rtol, double atol, int equal_nan, int *out) {
	if (out == NULL)
		return mt__fail_arg_null("allclose", "out");
	double all = 0;
	mt_scope *scope = mt_scope_begin();
	if (scope == NULL)
		return mt_error_peek();
	mt_tensor *y = mt_all(mt_isclose(a, b, rtol, atol, equal_nan), MT_ALL_AXES, 0);
	mt_status status = y != NULL ? mt_item(y, &all) : mt_error_peek();
	mt_scope_end(scope);
	if (status == MT_OK)
		*out = all != 0;
	return status;
}
