/* Losses over classes: negative log likelihood, and cross entropy, which is fused. */
#include <stdint.h>

#include "ops/loss.h"

/* A classification loss over rows, checked.  16-bit scores are computed in f32. */
struct rows {
	mt_tensor *scores;  /* [N, C], f32 or f64 */
	mt_tensor *target;  /* [N], i32 or i64 */
	mt_tensor *weight;  /* [C] of the scores' dtype, or MT_NONE */
	mt_tensor *counted; /* [N] bool: target is not ignore_index; NULL: all */
	mt_tensor *class;   /* [N]: target, 0 where not counted, C where negative (which gather refuses) */
	int64_t n, classes;
	mt_loss_options options;
	/* what the result will be */
	mt_dtype dtype;
	int rank;
	int64_t shape[MT_MAX_RANK];
};

static int shapes_fit(const mt_tensor *scores, const mt_tensor *target) {
	if (scores->rank < 1 || target->rank != scores->rank - 1)
		return 0;
	for (int d = 0; d < target->rank; d++)
		if (target->shape[d] != scores->shape[d == 0 ? 0 : d + 1])
			return 0;
	return 1;
}

static mt_status check_shapes(const char *op, const char *name, const struct rows *r) {
	char ts[MT__SHAPE_TEXT], tt[MT__SHAPE_TEXT];
	const mt_tensor *s = r->scores, *t = r->target, *w = r->weight;
	if (!shapes_fit(s, t))
		return mt__fail(MT_E_SHAPE,
		                "%s: %s is %s, target is %s; [N, C] and [N], [C] and a 0-d one, or [N, C, D…] and [N, D…] are "
		                "needed",
		                op, name, mt__tensor_text(ts, s), mt__tensor_text(tt, t));
	int64_t classes = s->shape[s->rank > 1];
	if (t->numel > 0 && classes == 0)
		return mt__fail(MT_E_SHAPE, "%s: %s is %s: there are no classes", op, name, mt__tensor_text(ts, s));
	if (mt__given(w) && (w->rank != 1 || w->shape[0] != classes))
		return mt__fail(MT_E_SHAPE, "%s: %s is %s, weight is %s; one weight for each of the %lld classes is needed", op,
		                name, mt__tensor_text(ts, s), mt__tensor_text(tt, w), (long long)classes);
	if (mt__given(w) && mt__wants_grad((mt_tensor *const[]){r->weight}, 1))
		return mt__fail(MT_E_UNSUPPORTED, "%s: weight requires a gradient, which is not defined; mt_detach it", op);
	return MT_OK;
}

/* scores as [N, C], with C, which was dim 1, last. */
static mt_tensor *as_rows(const struct rows *r, mt_tensor *scores) {
	int64_t order[MT_MAX_RANK];
	if (scores->rank == 2)
		return scores;
	for (int d = 0; d < scores->rank; d++)
		order[d] = d == scores->rank - 1 ? 1 : d == 0 ? 0 : d + 1;
	if (scores->rank > 2)
		scores = mt_permute(scores, scores->rank, order);
	return mt_reshape(scores, MT_SHAPE(r->n, r->classes));
}

static int prepare(const char *op, const char *name, struct rows *r) {
	mt_tensor *all[3] = {r->scores, r->target, r->weight};
	if (!mt__check_tensor(op, name, r->scores) || !mt__check_tensor(op, "target", r->target) ||
	    !mt__check_optional(op, "weight", r->weight) || !mt__check_same_device(op, all, 3) ||
	    mt__check_reduction(op, r->options.reduction) != MT_OK || check_shapes(op, name, r) != MT_OK ||
	    (r->target = mt__index_of(op, "target", r->target)) == NULL)
		return 0;
	r->dtype = mt__to_float(r->scores->dtype);
	r->n = r->target->numel;
	r->classes = r->scores->shape[r->scores->rank > 1];
	r->rank = r->target->rank;
	for (int d = 0; d < r->rank; d++)
		r->shape[d] = r->target->shape[d];
	r->target = mt_reshape(r->target, MT_SHAPE(r->n));
	r->scores = mt_cast(as_rows(r, r->scores), mt__wide(r->dtype));
	if (mt__given(r->weight))
		r->weight = mt_cast(r->weight, mt__wide(r->dtype));
	return r->target != NULL && r->scores != NULL && r->weight != NULL;
}

/* Fills counted and class. */
static int find_classes(struct rows *r) {
	r->class = r->target;
	if (r->options.has_ignore_index) {
		/* In i64: ignore_index may lie outside i32. */
		r->counted = mt_zip_scalar(MT_ZIP_NE, mt_cast(r->target, MT_I64), mt_i(r->options.ignore_index));
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

/* Each, the sum, or the mean over the weights of the counted rows, of a loss per row. */
static mt_tensor *reduced_rows(struct rows *r, mt_tensor *each) {
	int weighted = mt__given(r->weight) || r->options.has_ignore_index;
	if (r->options.reduction == MT_REDUCTION_NONE)
		return mt_cast(mt_reshape(each, r->rank, r->shape), r->dtype);
	if (r->options.reduction == MT_REDUCTION_SUM || !weighted)
		return mt_cast(mt__reduced_loss(each, r->options.reduction), r->dtype);
	if (r->class == NULL && !find_classes(r))
		return NULL;
	return mt_cast(mt_div(mt_sum(each, MT_ALL_AXES, 0), mt_sum(row_weights(r), MT_ALL_AXES, 0)), r->dtype);
}

/* ---- nll_loss ----------------------------------------------------------------------------------------------------- */

/* −w[t] log_probs[n, t] per row, 0 in ignored rows. */
static mt_tensor *nll_rows(struct rows *r) {
	if (!find_classes(r))
		return NULL;
	mt_tensor *picked = mt_gather(r->scores, 1, mt_unsqueeze(r->class, 1));
	mt_tensor *each = mt_neg(mt_squeeze(picked, 1));
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

/* Made of ops.  With q, the weighted distribution that is aimed at: gloss (softmax Σ q − q). */
static mt_tensor *composed_gradient(const struct attrs *a, mt_tensor *const *in, mt_tensor *gout) {
	struct rows r = {.scores = in[0], .target = in[1], .weight = in[2], .classes = in[0]->shape[1]};
	r.options = (mt_loss_options){.has_ignore_index = 1, .ignore_index = a->ignore_index};
	if (!find_classes(&r))
		return NULL;
	double s = a->label_smoothing;
	mt_tensor *hot = mt_one_hot(r.class, r.classes, in[0]->dtype);
	mt_tensor *q = mt_add_scalar(mt_mul_scalar(hot, mt_f(1 - s)), mt_f(s / (double)r.classes));
	if (mt__given(r.weight))
		q = mt_mul(q, r.weight);
	q = mt_mul(q, mt_cast(mt_unsqueeze(r.counted, 1), in[0]->dtype));
	mt_tensor *aimed = mt_mul(mt_softmax(in[0], 1), mt_sum(q, MT_AXES(1), 1));
	return mt_mul(mt_unsqueeze(gout, 1), mt_sub(aimed, q));
}

static mt_tensor *native_gradient(const struct attrs *a, mt_tensor *const *in, mt_tensor *gout) {
	mt_tensor *gx = mt_empty_like(in[0]);
	if (gx == NULL || gx->numel == 0)
		return gx;
	mt_array al = mt__array(in[0]), at = mt__array(in[1]), ae = mt__array(in[3]), ag = mt__array(gout);
	mt_array ax = mt__array(gx), aw;
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
	return mt__dispatch(mt__device_of(in[0]), MT_K_CROSS_ENTROPY_GRAD, 0, &args) == MT_OK ? gx : NULL;
}

static mt_status cross_entropy_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	mt_tensor *in[4]; /* logits, target, weight, lse */
	for (int i = 0; i < 4; i++)
		if ((in[i] = mt__saved(node, i)) == NULL)
			return mt_error_peek();
	int native = !mt_grad_enabled() && mt__supports(mt__device_of(in[0]), MT_K_CROSS_ENTROPY_GRAD, 0, in[0]->dtype);
	gx[0] = (native ? native_gradient : composed_gradient)(mt__attrs(node), in, gout);
	return gx[0] != NULL ? MT_OK : mt_error_peek();
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

static mt_tensor *cross_entropy(struct rows r, int composed) {
	if (!prepare("cross_entropy", "logits", &r))
		return NULL;
	if (!(r.options.label_smoothing >= 0 && r.options.label_smoothing <= 1))
		return mt__fail_null(MT_E_ARG, "cross_entropy: label_smoothing is %g; 0 to 1 is needed",
		                     r.options.label_smoothing);
	return reduced_rows(&r, composed ? composed_rows(&r) : fused_rows(&r));
}

mt_tensor *mt_cross_entropy(mt_tensor *logits, mt_tensor *target, mt_tensor *weight, mt_loss_options options) {
	if (!mt__check_tensor("cross_entropy", "logits", logits))
		return NULL;
	int native = mt__supports(mt__device_of(logits), MT_K_CROSS_ENTROPY, 0, mt__wide(logits->dtype));
	return cross_entropy((struct rows){.scores = logits, .target = target, .weight = weight, .options = options},
	                     !native);
}

mt_tensor *mt__cross_entropy_composed(mt_tensor *logits, mt_tensor *target, mt_tensor *weight,
                                      mt_loss_options options) {
	return cross_entropy((struct rows){.scores = logits, .target = target, .weight = weight, .options = options}, 1);
}
