/* layer_norm (Ba, Kiros & Hinton 2016) over the last dims, as rows of a matrix; group_norm (Wu & He 2018) by the same
 * rows. */
#include "ops/norm.h"

/* ---- rows: x [M, N], weight and bias [N] or MT_NONE, one dtype --------------------------------------------------- */

struct attrs {
	double eps;
};

static mt_status run_gradients(struct mt_node *node, mt_tensor *gout, mt_tensor *const *saved, mt_tensor **gx) {
	mt_tensor *x = saved[0];
	mt_array ag = mt__array(gout), ax = mt__array(x), aw, am = mt__array(saved[2]), ar = mt__array(saved[3]), out[3];
	for (int i = 0; i < 3; i++) {
		if (!mt__needs(node, i))
			continue;
		gx[i] = mt__tensor_new("layer_norm_grad", mt__device_of(x), i == 0 ? 2 : 1, i == 0 ? x->shape : x->shape + 1,
		                       x->dtype);
		if (gx[i] == NULL)
			return mt_error_peek();
		out[i] = mt__array(gx[i]);
	}
	if (mt__given(saved[1]))
		aw = mt__array(saved[1]);
	struct mt_layer_norm_grad_args args = {.struct_size = sizeof args,
	                                       .gout = &ag,
	                                       .x = &ax,
	                                       .weight = mt__given(saved[1]) ? &aw : NULL,
	                                       .mean = &am,
	                                       .rstd = &ar,
	                                       .gx = gx[0] != NULL ? &out[0] : NULL,
	                                       .gweight = gx[1] != NULL ? &out[1] : NULL,
	                                       .gbias = gx[2] != NULL ? &out[2] : NULL};
	return mt__dispatch(mt__device_of(x), MT_K_LAYER_NORM_GRAD, 0, &args);
}

static mt_status layer_norm_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct attrs *a = mt__attrs(node);
	mt_tensor *saved[4]; /* x, weight, mean, rstd */
	for (int i = 0; i < 4; i++)
		if ((saved[i] = mt__saved(node, i)) == NULL)
			return mt_error_peek();
	mt_tensor *x = saved[0];
	if (x->numel == 0)
		return mt__norm_no_gradients(node, x, x->shape[1], x->dtype, gx);
	if (mt_grad_enabled() || !mt__supports(mt__device_of(x), MT_K_LAYER_NORM_GRAD, 0, x->dtype))
		return mt__norm_gradients(node, MT__NORM_ROWS, gout, saved, a->eps, 0, gx);
	return run_gradients(node, gout, saved, gx);
}

static const struct mt_grad_rule layer_norm_rule = {"layer_norm", layer_norm_backward};

static mt_tensor *run_composed(mt_tensor *const *in, double eps, mt_tensor **mean, mt_tensor **rstd) {
	mt_tensor *x = mt_cast(in[0], mt__norm_wide(in[0]->dtype));
	if (x == NULL || mt__norm_statistics(MT__NORM_ROWS, x, eps, mean, rstd) != MT_OK)
		return NULL;
	mt_tensor *y = mt__norm_apply(MT__NORM_ROWS, in[0], *mean, *rstd, in[1], in[2]);
	*mean = mt_squeeze(*mean, 1);
	*rstd = mt_squeeze(*rstd, 1);
	return *mean != NULL && *rstd != NULL ? y : NULL;
}

static mt_tensor *run_native(mt_tensor *const *in, double eps, mt_tensor **mean, mt_tensor **rstd) {
	mt_device *device = mt__device_of(in[0]);
	mt_dtype wide = mt__norm_wide(in[0]->dtype);
	mt_tensor *y = mt__tensor_new("layer_norm", device, 2, in[0]->shape, in[0]->dtype);
	*mean = mt__tensor_new("layer_norm", device, 1, in[0]->shape, wide);
	*rstd = mt__tensor_new("layer_norm", device, 1, in[0]->shape, wide);
	if (y == NULL || *mean == NULL || *rstd == NULL || y->numel == 0)
		return *mean != NULL && *rstd != NULL ? y : NULL;
	mt_array ax = mt__array(in[0]), aw = {0}, ab = {0}, ay = mt__array(y), am = mt__array(*mean), ar = mt__array(*rstd);
	if (mt__given(in[1]))
		aw = mt__array(in[1]);
	if (mt__given(in[2]))
		ab = mt__array(in[2]);
	struct mt_layer_norm_args args = {.struct_size = sizeof args,
	                                  .x = &ax,
	                                  .weight = mt__given(in[1]) ? &aw : NULL,
	                                  .bias = mt__given(in[2]) ? &ab : NULL,
	                                  .out = &ay,
	                                  .mean = &am,
	                                  .rstd = &ar,
	                                  .eps = eps};
	return mt__dispatch(device, MT_K_LAYER_NORM, 0, &args) == MT_OK ? y : NULL;
}

static mt_tensor *norm_rows(mt_tensor *const *in, double eps, int composed) {
	mt_tensor *mean, *rstd;
	int was = mt_grad_enable(0);
	mt_tensor *y =
		composed && in[0]->numel > 0 ? run_composed(in, eps, &mean, &rstd) : run_native(in, eps, &mean, &rstd);
	mt_grad_enable(was);
	if (y == NULL || !mt__wants_grad(in, 3))
		return y;
	struct mt_node *node = mt__record(&layer_norm_rule, y, in, 3);
	if (node == NULL || mt__save(node, 0, in[0]) != MT_OK || mt__save(node, 1, in[1]) != MT_OK ||
	    mt__save(node, 2, mean) != MT_OK || mt__save(node, 3, rstd) != MT_OK)
		return NULL;
	((struct attrs *)mt__attrs(node))->eps = eps;
	return y;
}

/* ---- layer_norm -------------------------------------------------------------------------------------------------- */

static mt_status check_parameter(const mt_tensor *x, int n, const char *name, const mt_tensor *v) {
	char tx[MT__SHAPE_TEXT], tv[MT__SHAPE_TEXT];
	int fits = !mt__given(v) || v->rank == n;
	for (int d = 0; mt__given(v) && d < n && fits; d++)
		fits = v->shape[d] == x->shape[x->rank - n + d];
	if (fits)
		return MT_OK;
	return mt__fail(MT_E_SHAPE, "layer_norm: x is %s, %s is %s; the shape of the last %d dims is needed",
	                mt__tensor_text(tx, x), name, mt__tensor_text(tv, v), n);
}

static int check(mt_tensor *x, int n, mt_tensor *weight, mt_tensor *bias, double eps) {
	char text[MT__SHAPE_TEXT];
	mt_tensor *in[3] = {x, weight, bias};
	if (!mt__check_tensor("layer_norm", "x", x) || !mt__check_optional("layer_norm", "weight", weight) ||
	    !mt__check_optional("layer_norm", "bias", bias) || !mt__check_same_device("layer_norm", in, 3))
		return 0;
	if (n < 1 || n > x->rank) {
		mt__fail(MT_E_ARG, "layer_norm: the last %d dims of %s; 1 to its rank are needed", n, mt__tensor_text(text, x));
		return 0;
	}
	return check_parameter(x, n, "weight", weight) == MT_OK && check_parameter(x, n, "bias", bias) == MT_OK &&
	       mt__norm_check_eps("layer_norm", eps) == MT_OK;
}

/* 16-bit x beside wider parameters: computed in f32, and the result rounded once. */
static mt_dtype compute_dtype(mt_dtype result, const mt_tensor *weight, const mt_tensor *bias) {
	int same = (!mt__given(weight) || weight->dtype == result) && (!mt__given(bias) || bias->dtype == result);
	return same ? result : mt__norm_wide(result);
}

static mt_tensor *layer_norm(mt_tensor *x, int n, mt_tensor *weight, mt_tensor *bias, double eps, int composed) {
	if (!check(x, n, weight, bias, eps))
		return NULL;
	mt_dtype dtype = mt__norm_dtype(x, weight, bias), compute = compute_dtype(dtype, weight, bias);
	int64_t m = mt__numel(x->rank - n, x->shape), columns = mt__numel(n, x->shape + x->rank - n);
	mt_tensor *in[3] = {mt__norm_shaped(mt_cast(x, compute), 2, (int64_t[]){m, columns}), weight, bias};
	if (in[0] == NULL)
		return NULL;
	for (int i = 1; i < 3; i++)
		if (mt__given(in[i]) && (in[i] = mt__norm_shaped(mt_cast(in[i], compute), 1, &columns)) == NULL)
			return NULL;
	mt_tensor *y = norm_rows(in, eps, composed || !mt__supports(mt__device_of(x), MT_K_LAYER_NORM, 0, compute));
	return y == NULL ? NULL : mt_cast(mt__norm_shaped(y, x->rank, x->shape), dtype);
}

mt_tensor *mt_layer_norm(mt_tensor *x, int n, mt_tensor *weight, mt_tensor *bias, double eps) {
	return layer_norm(x, n, weight, bias, eps, 0);
}

mt_tensor *mt__layer_norm_composed(mt_tensor *x, int n, mt_tensor *weight, mt_tensor *bias, double eps) {
	return layer_norm(x, n, weight, bias, eps, 1);
}

/* ---- group_norm -------------------------------------------------------------------------------------------------- */

static mt_status check_channels(const mt_tensor *x, const char *name, const mt_tensor *v) {
	char tx[MT__SHAPE_TEXT], tv[MT__SHAPE_TEXT];
	if (!mt__given(v) || (v->rank == 1 && v->shape[0] == x->shape[1]))
		return MT_OK;
	return mt__fail(MT_E_SHAPE, "group_norm: x is %s, %s is %s; [N, C, …] and [C] are needed", mt__tensor_text(tx, x),
	                name, mt__tensor_text(tv, v));
}

static int check_group_norm(mt_tensor *x, int64_t groups, mt_tensor *weight, mt_tensor *bias, double eps) {
	char text[MT__SHAPE_TEXT];
	mt_tensor *in[3] = {x, weight, bias};
	if (!mt__check_tensor("group_norm", "x", x) || !mt__check_optional("group_norm", "weight", weight) ||
	    !mt__check_optional("group_norm", "bias", bias) || !mt__check_same_device("group_norm", in, 3))
		return 0;
	if (x->rank < 2) {
		mt__fail(MT_E_SHAPE, "group_norm: x is %s; [N, C, …] is needed", mt__tensor_text(text, x));
		return 0;
	}
	if (groups < 1 || x->shape[1] % groups != 0 || (x->shape[1] == 0 && groups > 1)) {
		mt__fail(MT_E_ARG, "group_norm: the %lld channels of x %s cannot be divided into %lld groups",
		         (long long)x->shape[1], mt__tensor_text(text, x), (long long)groups);
		return 0;
	}
	return check_channels(x, "weight", weight) == MT_OK && check_channels(x, "bias", bias) == MT_OK &&
	       mt__norm_check_eps("group_norm", eps) == MT_OK;
}

mt_tensor *mt_group_norm(mt_tensor *x, int64_t groups, mt_tensor *weight, mt_tensor *bias, double eps) {
	if (!check_group_norm(x, groups, weight, bias, eps))
		return NULL;
	mt_dtype dtype = mt__norm_dtype(x, weight, bias), wide = mt__norm_wide(dtype);
	int affine = mt__given(weight) || mt__given(bias);
	int64_t channels = x->shape[1], space = mt__numel(x->rank - 2, x->shape + 2);
	mt_tensor *wider = mt_cast(x, affine ? wide : dtype); /* one rounding, at the end */
	mt_tensor *rows = mt_reshape(wider, 2, (int64_t[]){x->shape[0] * groups, channels / groups * space});
	mt_tensor *y = mt_layer_norm(rows, 1, MT_NONE, MT_NONE, eps);
	if (affine)
		y = mt_reshape(y, 3, (int64_t[]){x->shape[0], channels, space});
	if (mt__given(weight))
		y = mt_mul(y, mt_unsqueeze(mt_cast(weight, wide), 1));
	if (mt__given(bias))
		y = mt_add(y, mt_unsqueeze(mt_cast(bias, wide), 1));
	return y == NULL ? NULL : mt_cast(mt_reshape(y, x->rank, x->shape), dtype);
}
