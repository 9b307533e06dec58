/* Ops whose result goes into a tensor that is there.  The op writes it straight there where shape and dtype are the
 * result's, and no argument shares memory with it in a way that the kernel does not take; else by way of a new tensor. */
#include "ops/out.h"

mt_tensor *mt__result(const char *op, mt_tensor *out, mt_device *device, int rank, const int64_t *shape,
                      mt_dtype dtype) {
	int fits = out != NULL && out->dtype == dtype && out->rank == rank;
	for (int d = 0; d < rank && fits; d++)
		fits = out->shape[d] == shape[d];
	if (!fits)
		return mt__tensor_new(op, device, rank, shape, dtype);
	mt__storage_touch(out->storage);
	return out;
}

/* ---- shared memory ------------------------------------------------------------------------------------------------ */

/* out where the op may write to it while it reads its arguments; in_place: also where one is out itself. */
static mt_tensor *target(mt_tensor *const *in, int n, mt_tensor *out, int in_place) {
	for (int i = 0; i < n; i++)
		if (mt__may_overlap(in[i], out) && !(in_place && mt__same_array(in[i], out)))
			return NULL;
	return out;
}

/* ---- before and after --------------------------------------------------------------------------------------------- */

static int check(const char *op, mt_tensor *const *in, int n, mt_tensor *out) {
	static const char *const one[] = {"x"}, *const two[] = {"a", "b"};
	char text[MT__SHAPE_TEXT];
	for (int i = 0; i < n; i++)
		if (!mt__check_tensor(op, (n == 1 ? one : two)[i], in[i]))
			return 0;
	if (!mt__check_tensor(op, "out", out) || !mt__check_same_device(op, (mt_tensor *[]){in[0], out}, 2) ||
	    mt__check_writable(op, out) != MT_OK)
		return 0;
	if (!mt__wants_grad(in, n) && !mt__wants_grad(&out, 1))
		return 1;
	mt__fail(MT_E_STATE,
	         "%s: an argument requires a gradient, or out (%s) does, and out stays outside the graph; switch recording "
	         "off with mt_grad_enable(0)",
	         op, mt__tensor_text(text, out));
	return 0;
}

/* y, the op's result, into out where it is not there yet. */
static mt_tensor *deliver(const char *op, mt_tensor *y, mt_tensor *out, int broadcast) {
	char ty[MT__SHAPE_TEXT], to[MT__SHAPE_TEXT];
	if (y == NULL || y == out)
		return y;
	if (broadcast ? !mt__expands_to(y, out) : !mt__same_shape(y, out))
		return mt__fail_null(MT_E_SHAPE, "%s: the result is %s, which out, %s, cannot hold", op, mt__tensor_text(ty, y),
		                     mt__tensor_text(to, out));
	return mt__copy_into(out, y) == MT_OK ? out : NULL;
}

/* ---- the ops ------------------------------------------------------------------------------------------------------ */

mt_tensor *mt_map_out(int32_t op, mt_tensor *x, mt_scalar p, mt_scalar q, mt_tensor *out) {
	if (!check("map_out", &x, 1, out))
		return NULL;
	return deliver("map_out", mt__map_to(op, x, p, q, target(&x, 1, out, !mt__map_gives_bool(op))), out, 1);
}

mt_tensor *mt_zip_out(int32_t op, mt_tensor *a, mt_tensor *b, mt_tensor *out) {
	mt_tensor *const in[2] = {a, b};
	if (!check("zip_out", in, 2, out))
		return NULL;
	return deliver("zip_out", mt__zip_to(op, a, b, target(in, 2, out, !mt__zip_gives_bool(op))), out, 1);
}

mt_tensor *mt_zip_scalar_out(int32_t op, mt_tensor *a, mt_scalar b, mt_tensor *out) {
	if (!check("zip_scalar_out", &a, 1, out))
		return NULL;
	mt_tensor *to = target(&a, 1, out, !mt__zip_gives_bool(op));
	return deliver("zip_scalar_out", mt__zip_scalar_to(op, a, b, to), out, 1);
}

mt_tensor *mt_scalar_zip_out(int32_t op, mt_scalar a, mt_tensor *b, mt_tensor *out) {
	if (!check("scalar_zip_out", &b, 1, out))
		return NULL;
	mt_tensor *to = target(&b, 1, out, !mt__zip_gives_bool(op));
	return deliver("scalar_zip_out", mt__scalar_zip_to(op, a, b, to), out, 1);
}

mt_tensor *mt_matmul_out(mt_tensor *a, mt_tensor *b, mt_tensor *out) {
	mt_tensor *const in[2] = {a, b};
	if (!check("matmul_out", in, 2, out))
		return NULL;
	return deliver("matmul_out", mt__matmul_to(a, b, target(in, 2, out, 0)), out, 0);
}

mt_tensor *mt_reduce_out(int32_t op, mt_tensor *x, mt_axes axes, int keepdim, mt_tensor *out) {
	if (!check("reduce_out", &x, 1, out))
		return NULL;
	return deliver("reduce_out", mt__reduce_to(op, x, axes, keepdim, target(&x, 1, out, 0)), out, 0);
}
