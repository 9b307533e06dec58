/* rms_norm (Zhang & Sennrich 2019). */
#include "ops/norm.h"

static int check(mt_tensor *x, int n, mt_tensor *weight, double eps) {
	char tx[MT__SHAPE_TEXT], tw[MT__SHAPE_TEXT];
	mt_tensor *in[2] = {x, weight};
	if (!mt__check_tensor("rms_norm", "x", x) || !mt__check_optional("rms_norm", "weight", weight) ||
	    !mt__check_same_device("rms_norm", in, 2) || mt__norm_check_eps("rms_norm", eps) != MT_OK)
		return 0;
	if (n < 1 || n > x->rank) {
		mt__fail(MT_E_ARG, "rms_norm: the last %d dims of %s; 1 to its rank are needed", n, mt__tensor_text(tx, x));
		return 0;
	}
	int fits = !mt__given(weight) || weight->rank == n;
	for (int d = 0; mt__given(weight) && d < n && fits; d++)
		fits = weight->shape[d] == x->shape[x->rank - n + d];
	if (!fits)
		mt__fail(MT_E_SHAPE, "rms_norm: x is %s, weight is %s; the shape of the last %d dims is needed",
		         mt__tensor_text(tx, x), mt__tensor_text(tw, weight), n);
	return fits;
}

/* 16-bit floats are computed in f32, and rounded once. */
mt_tensor *mt_rms_norm(mt_tensor *x, int n, mt_tensor *weight, double eps) {
	if (!check(x, n, weight, eps))
		return NULL;
	mt_dtype dtype = mt__norm_dtype(x, weight, MT_NONE), wide = mt__norm_wide(dtype);
	mt_axes axes = {.n = n};
	for (int i = 0; i < n; i++)
		axes.axis[i] = i - n;
	mt_tensor *wider = mt_cast(x, wide);
	mt_tensor *scale = mt_rsqrt(mt_add_scalar(mt_mean(mt_square(wider), axes, 1), mt_f(eps)));
	mt_tensor *y = mt_mul(wider, scale);
	if (mt__given(weight))
		y = mt_mul(y, mt_cast(weight, wide));
	return y == NULL ? NULL : mt_cast(y, dtype);
}
