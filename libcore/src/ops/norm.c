/* The composed form of layer_norm and batch_norm, and their gradients as public ops. */
#include "ops/norm.h"

mt_dtype mt__norm_wide(mt_dtype dtype) {
	return dtype == MT_F64 ? MT_F64 : MT_F32;
}

mt_dtype mt__norm_dtype(const mt_tensor *x, const mt_tensor *weight, const mt_tensor *bias) {
	if ((mt__given(weight) && weight->dtype == MT_F64) || (mt__given(bias) && bias->dtype == MT_F64))
		return MT_F64;
	return mt__to_float(x->dtype);
}

mt_status mt__norm_check_eps(const char *op, double eps) {
	if (eps > 0)
		return MT_OK;
	return mt__fail(MT_E_ARG, "%s: eps is %g; it must be above 0", op, eps);
}

mt_tensor *mt__norm_shaped(mt_tensor *x, int rank, const int64_t *shape) {
	int same = x != NULL && x->rank == rank;
	for (int d = 0; d < rank && same; d++)
		same = x->shape[d] == shape[d];
	return same ? x : mt_reshape(x, rank, shape);
}

/* ---- axes -------------------------------------------------------------------------------------------------------- */

static mt_axes axes_of_sets(enum mt__norm_sets sets) {
	return sets == MT__NORM_ROWS ? MT_AXES(1) : MT_AXES(0, 2);
}

static mt_axes axes_of_sharing(enum mt__norm_sets sets) {
	return sets == MT__NORM_ROWS ? MT_AXES(0) : MT_AXES(0, 2);
}

/* weight or bias as it broadcasts to x. */
static mt_tensor *beside(enum mt__norm_sets sets, mt_tensor *v, mt_dtype dtype) {
	v = mt_cast(v, dtype);
	return v == NULL || sets == MT__NORM_ROWS ? v : mt_unsqueeze(v, 1);
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

mt_status mt__norm_statistics(enum mt__norm_sets sets, mt_tensor *x, double eps, mt_tensor **mean, mt_tensor **rstd) {
	mt_axes axes = axes_of_sets(sets);
	*mean = mt_mean(x, axes, 1);
	mt_tensor *variance = mt_mean(mt_square(mt_sub(x, *mean)), axes, 1);
	*rstd = mt_rsqrt(mt_add_scalar(variance, mt_f(eps)));
	return *rstd != NULL ? MT_OK : mt_error_peek();
}

mt_tensor *mt__norm_apply(enum mt__norm_sets sets, mt_tensor *x, mt_tensor *mean, mt_tensor *rstd, mt_tensor *weight,
                          mt_tensor *bias) {
	mt_dtype wide = mean->dtype;
	mt_tensor *y = mt_mul(mt_sub(mt_cast(x, wide), mean), rstd);
	if (mt__given(weight))
		y = mt_mul(y, beside(sets, weight, wide));
	if (mt__given(bias))
		y = mt_add(y, beside(sets, bias, wide));
	return mt_cast(y, x->dtype);
}

/* ---- gradients --------------------------------------------------------------------------------------------------- */

/* With h = (x − mean) rstd, d = g weight:  gx = rstd (d − mean(d) − h mean(d h)), or rstd d where mean and rstd are
 * constants;  gweight = Σ g h;  gbias = Σ g. */
mt_status mt__norm_gradients(struct mt_node *node, enum mt__norm_sets sets, mt_tensor *gout, mt_tensor *const *saved,
                             double eps, int constant, mt_tensor **gx) {
	mt_tensor *weight = saved[1], *mean = saved[2], *rstd = saved[3];
	mt_dtype narrow = saved[0]->dtype, wide = mean->dtype;
	mt_tensor *x = mt_cast(saved[0], wide), *g = mt_cast(gout, wide);
	if (constant || !mt_grad_enabled()) {
		mean = mt_unsqueeze(mean, 1);
		rstd = mt_unsqueeze(rstd, 1);
	} else if (x == NULL || mt__norm_statistics(sets, x, eps, &mean, &rstd) != MT_OK) {
		return mt_error_peek();
	}
	mt_tensor *h = mt_mul(mt_sub(x, mean), rstd);
	mt_axes set = axes_of_sets(sets), sharing = axes_of_sharing(sets);
	if (mt__needs(node, 0)) {
		mt_tensor *d = mt__given(weight) ? mt_mul(g, beside(sets, weight, wide)) : g;
		mt_tensor *spread =
			constant ? d : mt_sub(mt_sub(d, mt_mean(d, set, 1)), mt_mul(h, mt_mean(mt_mul(d, h), set, 1)));
		gx[0] = mt_cast(mt_mul(rstd, spread), narrow);
		if (gx[0] == NULL)
			return mt_error_peek();
	}
	if (mt__needs(node, 1) && (gx[1] = mt_sum(mt_mul(g, h), sharing, 0)) == NULL)
		return mt_error_peek();
	if (mt__needs(node, 2) && (gx[2] = mt_sum(g, sharing, 0)) == NULL)
		return mt_error_peek();
	/* layer_norm's parameters have x's dtype, batch_norm's that of the statistics. */
	for (int i = 1; i < 3 && sets == MT__NORM_ROWS; i++)
		if (mt__needs(node, i) && (gx[i] = mt_cast(gx[i], narrow)) == NULL)
			return mt_error_peek();
	return MT_OK;
}

mt_status mt__norm_no_gradients(struct mt_node *node, mt_tensor *x, int64_t n_weight, mt_dtype weight_dtype,
                                mt_tensor **gx) {
	for (int i = 0; i < 3; i++) {
		if (!mt__needs(node, i))
			continue;
		gx[i] = i == 0 ? mt_empty_like(x) : mt__full("norm", mt__device_of(x), 1, &n_weight, weight_dtype, mt_i(0));
		if (gx[i] == NULL)
			return mt_error_peek();
	}
	return MT_OK;
}
