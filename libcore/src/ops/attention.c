/* Scaled dot-product attention (Vaswani et al. 2017), made of ops. */
#include "ops/attention.h"

#include <math.h>

/* ---- checks ------------------------------------------------------------------------------------------------------ */

/* E and S agree, batch dims broadcast; the shape of the scores. */
static mt_status scores_shape(const char *op, const mt_tensor *q, const mt_tensor *k, const mt_tensor *v, int *rank,
                              int64_t *shape) {
	char tq[MT__SHAPE_TEXT], tk[MT__SHAPE_TEXT], tv[MT__SHAPE_TEXT];
	int known = q->rank >= 2 && k->rank >= 2 && v->rank >= 2;
	if (!known || q->shape[q->rank - 1] != k->shape[k->rank - 1] || k->shape[k->rank - 2] != v->shape[v->rank - 2])
		return mt__fail(MT_E_SHAPE, "%s: q is %s, k is %s, v is %s; […, L, E], […, S, E] and […, S, V] are needed", op,
		                mt__tensor_text(tq, q), mt__tensor_text(tk, k), mt__tensor_text(tv, v));
	mt_status status = mt__broadcast(op, q->rank - 2, q->shape, k->rank - 2, k->shape, rank, shape);
	if (status != MT_OK)
		return status;
	shape[*rank] = q->shape[q->rank - 2];
	shape[*rank + 1] = k->shape[k->rank - 2];
	*rank += 2;
	return MT_OK;
}

/* mask broadcasts to the scores, and not the other way round. */
static mt_status check_mask(const char *op, const mt_tensor *mask, int rank, const int64_t *shape) {
	int fits = mask->rank <= rank;
	for (int d = 0; d < mask->rank && fits; d++) {
		int64_t extent = mask->shape[mask->rank - 1 - d];
		fits = extent == 1 || extent == shape[rank - 1 - d];
	}
	if (fits)
		return MT_OK;
	char tm[MT__SHAPE_TEXT], ts[MT__SHAPE_TEXT];
	return mt__fail(MT_E_SHAPE, "%s: the mask is %s, which does not broadcast to the scores %s", op,
	                mt__tensor_text(tm, mask), mt__shape_text(ts, rank, shape));
}

static mt_status check_masks(const char *op, mt_tensor *q, mt_tensor *k, mt_tensor *v, const struct mt__attention *a) {
	mt_tensor *all[5] = {q, k, v, a->allowed, a->added};
	int64_t shape[MT_MAX_RANK + 2];
	int rank;
	if (!mt__check_same_device(op, all, 5))
		return MT_E_DEVICE;
	mt_status status = scores_shape(op, q, k, v, &rank, shape);
	if (status == MT_OK && mt__given(a->allowed))
		status = check_mask(op, a->allowed, rank, shape);
	if (status == MT_OK && mt__given(a->added))
		status = check_mask(op, a->added, rank, shape);
	return status;
}

/* ---- the steps --------------------------------------------------------------------------------------------------- */

/* [L, S]: 1 where s ≤ l. */
static mt_tensor *causal_mask(mt_tensor *scores) {
	int64_t rows = scores->shape[scores->rank - 2], columns = scores->shape[scores->rank - 1];
	mt_tensor *l = mt_to_device(mt_arange(mt_i(0), mt_i(rows), mt_i(1), MT_I64), mt__device_of(scores));
	mt_tensor *s = mt_to_device(mt_arange(mt_i(0), mt_i(columns), mt_i(1), MT_I64), mt__device_of(scores));
	return mt_ge(mt_unsqueeze(l, 1), s);
}

static mt_tensor *forbid(mt_tensor *scores, mt_tensor *allowed) {
	return scores == NULL ? NULL : mt_where(allowed, scores, mt__number_like(scores, -INFINITY));
}

static mt_tensor *masked(mt_tensor *scores, const struct mt__attention *a) {
	if (mt__given(a->added))
		scores = mt_add(scores, mt_cast(a->added, scores == NULL ? MT_F32 : scores->dtype));
	if (mt__given(a->allowed))
		scores = forbid(scores, a->allowed);
	return a->causal && scores != NULL ? forbid(scores, causal_mask(scores)) : scores;
}

static mt_tensor *attention_weights(mt_tensor *q, mt_tensor *k, const struct mt__attention *a) {
	double scale = a->scale != 0 ? a->scale : 1 / sqrt((double)q->shape[q->rank - 1]);
	mt_tensor *scores = mt_matmul(mt_mul_scalar(q, mt_f(scale)), mt_transpose(k, -2, -1));
	mt_tensor *weights = mt_softmax(masked(scores, a), -1);
	return a->p > 0 ? mt_dropout(weights, a->p, a->training) : weights;
}

/* 16-bit floats are computed in f32, and rounded once. */
mt_tensor *mt__attend(const char *op, mt_tensor *q, mt_tensor *k, mt_tensor *v, const struct mt__attention *a,
                      mt_tensor **weights) {
	if (check_masks(op, q, k, v, a) != MT_OK)
		return NULL;
	mt_dtype dtype = mt__to_float(mt_promote(mt_promote(q->dtype, k->dtype), v->dtype));
	mt_dtype wide = dtype == MT_F64 ? MT_F64 : MT_F32;
	q = mt_cast(q, wide);
	k = mt_cast(k, wide);
	v = mt_cast(v, wide);
	mt_tensor *w = q == NULL || k == NULL ? NULL : attention_weights(q, k, a);
	mt_tensor *y = mt_matmul(w, v);
	if (y != NULL && weights != NULL && (*weights = mt_cast(w, dtype)) == NULL)
		return NULL;
	return y == NULL ? NULL : mt_cast(y, dtype);
}

/* ---- the op ------------------------------------------------------------------------------------------------------ */

mt_tensor *mt_scaled_dot_product_attention(mt_tensor *q, mt_tensor *k, mt_tensor *v, mt_tensor *mask,
                                           mt_attention_options options) {
	static const char op[] = "scaled_dot_product_attention";
	if (!mt__check_tensor(op, "q", q) || !mt__check_tensor(op, "k", k) || !mt__check_tensor(op, "v", v) ||
	    !mt__check_optional(op, "mask", mask))
		return NULL;
	if (!(options.p >= 0 && options.p <= 1))
		return mt__fail_null(MT_E_ARG, "%s: p is %g; a probability from 0 to 1 is needed", op, options.p);
	if (!isfinite(options.scale))
		return mt__fail_null(MT_E_ARG, "%s: scale is %g; it must be finite", op, options.scale);
	struct mt__attention a = {MT_NONE, MT_NONE, options.causal, options.training, options.p, options.scale};
	if (mt__given(mask)) {
		if (mask->dtype == MT_BOOL) {
			a.allowed = mask;
		} else if (mt__is_float(mask->dtype)) {
			a.added = mask;
		} else {
			char text[MT__SHAPE_TEXT];
			return mt__fail_null(MT_E_DTYPE, "%s: mask is %s; bool or a float dtype is needed", op,
			                     mt__tensor_text(text, mask));
		}
	}
	return mt__attend(op, q, k, v, &a, NULL);
}
