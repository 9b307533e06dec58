/* Losses: cross entropy (fused), negative log likelihood, squared error, binary cross entropy. */
#include <math.h>

#include "ops/ops.h"

/* ---- what they share ---------------------------------------------------------------------------------------------- */

static mt_status check_reduction(const char *op, int32_t reduction) {
	if (reduction >= MT_REDUCTION_MEAN && reduction <= MT_REDUCTION_NONE)
		return MT_OK;
	return mt__fail(MT_E_ARG, "%s: reduction is %d; 0 (mean), 1 (sum), 2 (none)", op, (int)reduction);
}

static mt_tensor *reduced(mt_tensor *each, int32_t reduction) {
	if (reduction == MT_REDUCTION_NONE)
		return each;
	return reduction == MT_REDUCTION_SUM ? mt_sum(each, MT_ALL_AXES, 0) : mt_mean(each, MT_ALL_AXES, 0);
}

/* A classification loss over rows, checked. */
struct rows {
	mt_tensor *scores;  /* [N, C], float */
	mt_tensor *target;  /* [N], i32 or i64 */
	mt_tensor *weight;  /* [C] of the scores' dtype, or MT_NONE */
	mt_tensor *counted; /* [N] bool: target is not ignore_index; NULL: all */
	mt_tensor *class;   /* [N]: target, 0 where not counted, C where negative (which gather refuses) */
	int64_t n, classes;
	mt_loss_options options;
};

static mt_status check_shapes(const char *op, const char *name, const struct rows *r) {
	char ts[MT__SHAPE_TEXT], tt[MT__SHAPE_TEXT];
	const mt_tensor *s = r->scores, *t = r->target, *w = r->weight;
	if (s->rank != 2 || t->rank != 1 || s->shape[0] != t->shape[0])
		return mt__fail(MT_E_SHAPE, "%s: %s is %s, target is %s; [N, C] and [N] are needed", op, name,
		                mt__tensor_text(ts, s), mt__tensor_text(tt, t));
	if (s->shape[0] > 0 && s->shape[1] == 0)
		return mt__fail(MT_E_SHAPE, "%s: %s is %s: there are no classes", op, name, mt__tensor_text(ts, s));
	if (mt__given(w) && (w->rank != 1 || w->shape[0] != s->shape[1]))
		return mt__fail(MT_E_SHAPE, "%s: %s is %s, weight is %s; [N, C] and [C] are needed", op, name,
		                mt__tensor_text(ts, s), mt__tensor_text(tt, w));
	if (mt__given(w) && mt__wants_grad((mt_tensor *const[]){r->weight}, 1))
		return mt__fail(MT_E_UNSUPPORTED, "%s: weight requires a gradient, which is not defined; mt_detach it", op);
	return MT_OK;
}

static int prepare(const char *op, const char *name, struct rows *r) {
	mt_tensor *all[3] = {r->scores, r->target, r->weight};
	if (!mt__check_tensor(op, name, r->scores) || !mt__check_tensor(op, "target", r->target) ||
	    !mt__check_optional(op, "weight", r->weight) || !mt__check_same_device(op, all, 3) ||
	    check_reduction(op, r->options.reduction) != MT_OK || check_shapes(op, name, r) != MT_OK)
		return 0;
	r->target = mt__index_of(op, "target", r->target);
	r->scores = mt_cast(r->scores, mt__to_float(r->scores->dtype));
	if (r->target == NULL || r->scores == NULL)
		return 0;
	if (mt__given(r->weight) && (r->weight = mt_cast(r->weight, r->scores->dtype)) == NULL)
		return 0;
	r->n = r->scores->shape[0];
	r->classes = r->scores->shape[1];
	return 1;
}

/* Fills counted and class. */
static int find_classes(struct rows *r) {
	r->class = r->target;
	if (r->options.has_ignore_index) {
		r->counted = mt_zip_scalar(MT_ZIP_NE, r->target, mt_i(r->options.ignore_index));
		r->class = mt_where(r->counted, r->target, mt__number_like(r->target, 0));
	}
	mt_tensor *negative = mt_zip_scalar(MT_ZIP_LT, r->class, mt_i(0));
	r->class = mt_where(negative, mt__number_like(r->target, (double)r->classes), r->class);
	return r->class != NULL;
}

/* w[target] in counted rows, 0 in others. */
static mt_tensor *row_weights(struct rows *r) {
	mt_tensor *w = mt__given(r->weight) ? mt_index_select(r->weight, 0, r->class) : NULL;
	if (mt__given(r->weight))
		return w == NULL || r->counted == NULL ? w : mt_where(r->counted, w, mt__number_like(w, 0));
	return mt_cast(r->counted, r->scores->dtype);
}

/* Sum, or mean over the weights of the counted rows, of a loss per row. */
static mt_tensor *reduced_rows(struct rows *r, mt_tensor *each) {
	int weighted = mt__given(r->weight) || r->options.has_ignore_index;
	if (each == NULL || r->options.reduction != MT_REDUCTION_MEAN || !weighted)
		return each == NULL ? NULL : reduced(each, r->options.reduction);
	if (r->class == NULL && !find_classes(r))
		return NULL;
	return mt_div(mt_sum(each, MT_ALL_AXES, 0), mt_sum(row_weights(r), MT_ALL_AXES, 0));
}

/* ---- nll_loss ----------------------------------------------------------------------------------------------------- */

/* −w[t] log_probs[n, t] per row, 0 in ignored rows. */
static mt_tensor *nll_rows(struct rows *r) {
	if (!find_classes(r))
		return NULL;
	mt_tensor *picked = mt_gather(r->scores, 1, mt_unsqueeze(r->class, 1));
	mt_tensor *each = mt_neg(picked == NULL ? NULL : mt_squeeze(picked, 1));
	if (mt__given(r->weight))
		each = mt_mul(each, mt_index_select(r->weight, 0, r->class));
	if (r->counted != NULL && each != NULL)
		each = mt_where(r->counted, each, mt__number_like(each, 0));
	return each;
}

mt_tensor *mt_nll_loss(mt_tensor *log_probs, mt_tensor *target, mt_tensor *weight, mt_loss_options options) {
	struct rows r = {.scores = log_probs, .target = target, .weight = weight, .options = options};
	if (!prepare("nll_loss", "log_probs", &r))
		return NULL;
	return reduced_rows(&r, nll_rows(&r));
}

/* ---- cross_entropy ------------------------------------------------------------------------------------------------ */

/* (1−s) nll + (s/C) Σ_c w_c · −log_probs[n, c]; the second part too is 0 in ignored rows. */
static mt_tensor *composed_rows(struct rows *r) {
	double s = r->options.label_smoothing;
	r->scores = mt_log_softmax(r->scores, 1);
	mt_tensor *each = r->scores == NULL ? NULL : nll_rows(r);
	if (s == 0 || each == NULL)
		return each;
	mt_tensor *weighted = mt__given(r->weight) ? mt_mul(r->scores, r->weight) : r->scores;
	mt_tensor *spread = mt_neg(mt_sum(weighted, MT_AXES(1), 0));
	if (r->counted != NULL && spread != NULL)
		spread = mt_where(r->counted, spread, mt__number_like(spread, 0));
	return mt_add(mt_mul_scalar(each, mt_f(1 - s)), mt_mul_scalar(spread, mt_f(s / (double)r->classes)));
}

struct attrs {
	int64_t ignore_index;
	double label_smoothing;
};

static mt_status cross_entropy_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct attrs *a = mt__attrs(node);
	mt_tensor *in[4]; /* logits, target, weight, lse */
	for (int i = 0; i < 4; i++)
		if ((in[i] = mt__saved(node, i)) == NULL)
			return mt_error_peek();
	gx[0] = mt_empty_like(in[0]);
	if (gx[0] == NULL)
		return mt_error_peek();
	if (gx[0]->numel == 0)
		return MT_OK;
	mt_array al = mt__array(in[0]), at = mt__array(in[1]), ae = mt__array(in[3]), ag = mt__array(gout);
	mt_array ax = mt__array(gx[0]), aw;
	if (mt__given(in[2]))
		aw = mt__array(in[2]);
	struct mt_cross_entropy_grad_args args = {.struct_size = sizeof args,
	                                          .logits = &al,
	                                          .target = &at,
	                                          .weight = mt__given(in[2]) ? &aw : NULL,
	                                          .lse = &ae,
	                                          .gloss = &ag,
	                                          .glogits = &ax,
	                                          .ignore_index = a->ignore_index,
	                                          .label_smoothing = a->label_smoothing};
	return mt__dispatch(mt__device_of(in[0]), MT_K_CROSS_ENTROPY_GRAD, 0, &args);
}

static const struct mt_grad_rule cross_entropy_rule = {"cross_entropy", cross_entropy_backward};

static mt_tensor *fused_rows(struct rows *r) {
	/* The ABI always has an ignore_index; no valid target is this one. */
	const struct attrs a = {r->options.has_ignore_index ? r->options.ignore_index : INT64_MIN,
	                        r->options.label_smoothing};
	mt_device *device = mt__device_of(r->scores);
	mt_tensor *each = mt__tensor_new("cross_entropy", device, 1, &r->n, r->scores->dtype);
	mt_tensor *lse = mt__tensor_new("cross_entropy", device, 1, &r->n, r->scores->dtype);
	if (each == NULL || lse == NULL)
		return NULL;
	if (r->n > 0) {
		mt_array al = mt__array(r->scores), at = mt__array(r->target), ao = mt__array(each), ae = mt__array(lse), aw;
		if (mt__given(r->weight))
			aw = mt__array(r->weight);
		struct mt_cross_entropy_args args = {.struct_size = sizeof args,
		                                     .logits = &al,
		                                     .target = &at,
		                                     .weight = mt__given(r->weight) ? &aw : NULL,
		                                     .loss = &ao,
		                                     .lse = &ae,
		                                     .ignore_index = a.ignore_index,
		                                     .label_smoothing = a.label_smoothing};
		if (mt__dispatch(device, MT_K_CROSS_ENTROPY, 0, &args) != MT_OK)
			return NULL;
	}
	if (!mt__wants_grad(&r->scores, 1))
		return each;
	mt_tensor *saved[4] = {r->scores, r->target, r->weight, lse};
	struct mt_node *node = mt__record(&cross_entropy_rule, each, &r->scores, 1);
	if (node == NULL)
		return NULL;
	*(struct attrs *)mt__attrs(node) = a;
	for (int i = 0; i < 4; i++)
		if (mt__save(node, i, saved[i]) != MT_OK)
			return NULL;
	return each;
}

/* 16-bit logits are computed in f32, and the loss is converted back. */
static mt_tensor *cross_entropy(struct rows r, int composed) {
	if (!prepare("cross_entropy", "logits", &r))
		return NULL;
	if (!(r.options.label_smoothing >= 0 && r.options.label_smoothing <= 1))
		return mt__fail_null(MT_E_ARG, "cross_entropy: label_smoothing is %g; 0 to 1 is needed",
		                     r.options.label_smoothing);
	mt_dtype dtype = r.scores->dtype;
	if (dtype != MT_F64) {
		r.scores = mt_cast(r.scores, MT_F32);
		r.weight = mt__given(r.weight) ? mt_cast(r.weight, MT_F32) : r.weight;
		if (r.scores == NULL || r.weight == NULL)
			return NULL;
	}
	mt_tensor *loss = reduced_rows(&r, composed ? composed_rows(&r) : fused_rows(&r));
	return loss == NULL ? NULL : mt_cast(loss, dtype);
}

mt_tensor *mt_cross_entropy(mt_tensor *logits, mt_tensor *target, mt_tensor *weight, mt_loss_options options) {
	if (!mt__check_tensor("cross_entropy", "logits", logits))
		return NULL;
	mt_dtype dtype = logits->dtype == MT_F64 ? MT_F64 : MT_F32;
	int native = mt__supports(mt__device_of(logits), MT_K_CROSS_ENTROPY, 0, dtype);
	return cross_entropy((struct rows){.scores = logits, .target = target, .weight = weight, .options = options},
	                     !native);
}

mt_tensor *mt__cross_entropy_composed(mt_tensor *logits, mt_tensor *target, mt_tensor *weight,
                                      mt_loss_options options) {
	return cross_entropy((struct rows){.scores = logits, .target = target, .weight = weight, .options = options}, 1);
}

/* ---- mse_loss, bce_loss ------------------------------------------------------------------------------------------- */

mt_tensor *mt_mse_loss(mt_tensor *a, mt_tensor *b, int32_t reduction) {
	if (!mt__check_tensor("mse_loss", "a", a) || !mt__check_tensor("mse_loss", "b", b) ||
	    check_reduction("mse_loss", reduction) != MT_OK)
		return NULL;
	mt_tensor *difference = mt_sub(a, b);
	return difference == NULL ? NULL
	                          : reduced(mt_square(mt_cast(difference, mt__to_float(difference->dtype))), reduction);
}

/* max(ln p, −100) and max(ln(1 − p), −100). */
static mt_tensor *clamped_log(mt_tensor *p) {
	return mt_clamp(mt_log(p), mt_f(-100), mt_f(INFINITY));
}

static mt_tensor *clamped_log_rest(mt_tensor *p) {
	return mt_clamp(mt_log1p(mt_neg(p)), mt_f(-100), mt_f(INFINITY));
}

/* gp = g (p − y) / max(p (1 − p), 1e−12),   gy = g (ln(1 − p) − ln p), as PyTorch. */
static mt_status bce_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	mt_tensor *p = mt__saved(node, 0), *y = mt__saved(node, 1);
	if (p == NULL || y == NULL)
		return mt_error_peek();
	if (mt__needs(node, 0)) {
		mt_tensor *spread = mt_clamp(mt_mul(p, mt_rsub_scalar(p, mt_i(1))), mt_f(1e-12), mt_f(INFINITY));
		gx[0] = mt_div(mt_mul(gout, mt_sub(p, y)), spread);
		if (gx[0] == NULL)
			return mt_error_peek();
	}
	if (mt__needs(node, 1)) {
		gx[1] = mt_mul(gout, mt_sub(clamped_log_rest(p), clamped_log(p)));
		if (gx[1] == NULL)
			return mt_error_peek();
	}
	return MT_OK;
}

static const struct mt_grad_rule bce_rule = {"bce_loss", bce_backward};

static mt_tensor *bce_each(mt_tensor *p, mt_tensor *y) {
	int was = mt_grad_enable(0);
	mt_tensor *hit = mt_mul(y, clamped_log(p)), *miss = mt_mul(mt_rsub_scalar(y, mt_i(1)), clamped_log_rest(p));
	mt_tensor *each = mt_neg(mt_add(hit, miss));
	mt_grad_enable(was);
	mt_tensor *in[2] = {p, y};
	if (each == NULL || !mt__wants_grad(in, 2))
		return each;
	struct mt_node *node = mt__record(&bce_rule, each, in, 2);
	if (node == NULL || mt__save(node, 0, p) != MT_OK || mt__save(node, 1, y) != MT_OK)
		return NULL;
	return each;
}

mt_tensor *mt_bce_loss(mt_tensor *p, mt_tensor *y, int32_t reduction) {
	mt_tensor *in[2] = {p, y};
	char tp[MT__SHAPE_TEXT], ty[MT__SHAPE_TEXT];
	if (!mt__check_tensor("bce_loss", "p", p) || !mt__check_tensor("bce_loss", "y", y) ||
	    !mt__check_same_device("bce_loss", in, 2) || check_reduction("bce_loss", reduction) != MT_OK)
		return NULL;
	if (!mt__same_shape(p, y))
		return mt__fail_null(MT_E_SHAPE, "bce_loss: p is %s, y is %s; one shape is needed", mt__tensor_text(tp, p),
		                     mt__tensor_text(ty, y));
	mt_dtype dtype = mt__to_float(mt_promote(p->dtype, y->dtype));
	if ((p = mt_cast(p, dtype)) == NULL || (y = mt_cast(y, dtype)) == NULL)
		return NULL;
	mt_tensor *each = bce_each(p, y);
	return each == NULL ? NULL : reduced(each, reduction);
}
