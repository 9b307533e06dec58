/* Losses of two tensors, element by element: squared, absolute, Huber's, binary cross entropy, Kullback-Leibler. */
#include <math.h>

#include "ops/loss.h"

/* ---- what they share ---------------------------------------------------------------------------------------------- */

mt_status mt__check_reduction(const char *op, int32_t reduction) {
	if (reduction >= MT_REDUCTION_MEAN && reduction <= MT_REDUCTION_NONE)
		return MT_OK;
	return mt__fail(MT_E_ARG, "%s: reduction is %d; 0 (mean), 1 (sum), 2 (none)", op, (int)reduction);
}

mt_tensor *mt__reduced_loss(mt_tensor *each, int32_t reduction) {
	if (each == NULL || reduction == MT_REDUCTION_NONE)
		return each;
	return reduction == MT_REDUCTION_SUM ? mt_sum(each, MT_ALL_AXES, 0) : mt_mean(each, MT_ALL_AXES, 0);
}

/* Two tensors in the dtype of the computation (16-bit floats: f32), and that of the result. */
struct pair {
	mt_tensor *a, *b;
	mt_dtype dtype;
};

static int make_pair(const char *op, const char *a_name, mt_tensor *a, const char *b_name, mt_tensor *b,
                     int32_t reduction, struct pair *out) {
	mt_tensor *in[2] = {a, b};
	if (!mt__check_tensor(op, a_name, a) || !mt__check_tensor(op, b_name, b) || !mt__check_same_device(op, in, 2) ||
	    mt__check_reduction(op, reduction) != MT_OK)
		return 0;
	out->dtype = mt__to_float(mt__promote_tensors(a, b));
	out->a = mt_cast(a, mt__wide(out->dtype));
	out->b = mt_cast(b, mt__wide(out->dtype));
	return out->a != NULL && out->b != NULL;
}

/* For losses whose arguments broadcast. */
static int make_broadcast_pair(const char *op, const char *a_name, mt_tensor *a, const char *b_name, mt_tensor *b,
                               int32_t reduction, struct pair *out) {
	int rank;
	int64_t shape[MT_MAX_RANK];
	return make_pair(op, a_name, a, b_name, b, reduction, out) &&
	       mt__broadcast(op, a->rank, a->shape, b->rank, b->shape, &rank, shape) == MT_OK;
}

static mt_status check_same_shape(const char *op, const char *a_name, const mt_tensor *a, const char *b_name,
                                  const mt_tensor *b) {
	char ta[MT__SHAPE_TEXT], tb[MT__SHAPE_TEXT];
	if (mt__same_shape(a, b))
		return MT_OK;
	return mt__fail(MT_E_SHAPE, "%s: %s is %s, %s is %s; one shape is needed", op, a_name, mt__tensor_text(ta, a),
	                b_name, mt__tensor_text(tb, b));
}

static mt_tensor *finished(mt_tensor *each, int32_t reduction, mt_dtype dtype) {
	return mt_cast(mt__reduced_loss(each, reduction), dtype);
}

/* each, made with recording off from in (MT_NONE: left out), as one node which keeps all of in. */
static mt_tensor *recorded(const struct mt_grad_rule *rule, mt_tensor *each, mt_tensor *const *in, int n) {
	if (each == NULL || !mt__wants_grad(in, n))
		return each;
	struct mt_node *node = mt__record(rule, each, in, n);
	for (int i = 0; i < n; i++)
		if (node == NULL || mt__save(node, i, in[i]) != MT_OK)
			return NULL;
	return each;
}

/* ---- squares and absolute values ---------------------------------------------------------------------------------- */

mt_tensor *mt_mse_loss(mt_tensor *a, mt_tensor *b, int32_t reduction) {
	struct pair p;
	if (!make_broadcast_pair("mse_loss", "a", a, "b", b, reduction, &p))
		return NULL;
	return finished(mt_square(mt_sub(p.a, p.b)), reduction, p.dtype);
}

mt_tensor *mt_l1_loss(mt_tensor *a, mt_tensor *b, int32_t reduction) {
	struct pair p;
	if (!make_broadcast_pair("l1_loss", "a", a, "b", b, reduction, &p))
		return NULL;
	return finished(mt_abs(mt_sub(p.a, p.b)), reduction, p.dtype);
}

/* ---- smooth_l1, huber: a square up to the knee, a line beyond ------------------------------------------------------- */

struct bend {
	double knee, curvature, slope;
};

/* |d| < knee ? curvature d² / 2 : slope (|d| − knee / 2) */
static mt_tensor *bent(mt_tensor *d, struct bend b) {
	int was = mt_grad_enable(0);
	mt_tensor *size = mt_abs(d), *square = mt_mul_scalar(mt_square(d), mt_f(b.curvature / 2));
	mt_tensor *line = mt_mul_scalar(mt_sub_scalar(size, mt_f(b.knee / 2)), mt_f(b.slope));
	mt_tensor *y = mt_where(mt_zip_scalar(MT_ZIP_LT, size, mt_f(b.knee)), square, line);
	mt_grad_enable(was);
	return y;
}

/* curvature times d, which is held within ± knee */
static mt_status bend_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct bend *b = mt__attrs(node);
	mt_tensor *d = mt__saved(node, 0);
	if (d == NULL)
		return mt_error_peek();
	mt_tensor *held = mt_clamp(d, mt_f(-b->knee), mt_f(b->knee));
	gx[0] = mt_mul(gout, mt_mul_scalar(held, mt_f(b->curvature)));
	return gx[0] != NULL ? MT_OK : mt_error_peek();
}

static const struct mt_grad_rule smooth_l1_rule = {"smooth_l1_loss", bend_backward};
static const struct mt_grad_rule huber_rule = {"huber_loss", bend_backward};

static mt_tensor *bend_loss(const struct mt_grad_rule *rule, const struct pair *p, struct bend b, int32_t reduction) {
	mt_tensor *d = mt_sub(p->a, p->b);
	mt_tensor *each = d == NULL ? NULL : recorded(rule, bent(d, b), &d, 1);
	if (each != NULL && each->node != NULL)
		*(struct bend *)mt__attrs(each->node) = b;
	return finished(each, reduction, p->dtype);
}

mt_tensor *mt_smooth_l1_loss(mt_tensor *a, mt_tensor *b, double beta, int32_t reduction) {
	struct pair p;
	if (!make_broadcast_pair("smooth_l1_loss", "a", a, "b", b, reduction, &p))
		return NULL;
	if (!(beta >= 0))
		return mt__fail_null(MT_E_ARG, "smooth_l1_loss: beta is %g; 0 or more is needed", beta);
	if (beta == 0)
		return mt_l1_loss(a, b, reduction);
	return bend_loss(&smooth_l1_rule, &p, (struct bend){beta, 1 / beta, 1}, reduction);
}

mt_tensor *mt_huber_loss(mt_tensor *a, mt_tensor *b, double delta, int32_t reduction) {
	struct pair p;
	if (!make_broadcast_pair("huber_loss", "a", a, "b", b, reduction, &p))
		return NULL;
	if (!(delta > 0))
		return mt__fail_null(MT_E_ARG, "huber_loss: delta is %g; more than 0 is needed", delta);
	return bend_loss(&huber_rule, &p, (struct bend){delta, 1, delta}, reduction);
}

/* ---- kl_div ------------------------------------------------------------------------------------------------------- */

/* t (ln t − l); where t is 0, so is the result, and its gradients, whatever l is. */
mt_tensor *mt_kl_div(mt_tensor *log_probs, mt_tensor *target, int32_t reduction) {
	struct pair p;
	if (!make_broadcast_pair("kl_div", "log_probs", log_probs, "target", target, reduction, &p))
		return NULL;
	mt_tensor *none = mt_zip_scalar(MT_ZIP_EQ, p.b, mt_i(0)), *zero = mt__number_like(p.b, 0);
	mt_tensor *one = zero == NULL ? NULL : mt__number_like(p.b, 1);
	if (none == NULL || one == NULL)
		return NULL;
	mt_tensor *t = mt_where(none, one, p.b);
	return finished(mt_where(none, zero, mt_mul(t, mt_sub(mt_log(t), p.a))), reduction, p.dtype);
}

/* ---- bce_loss: probabilities -------------------------------------------------------------------------------------- */

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
	return recorded(&bce_rule, each, (mt_tensor *const[]){p, y}, 2);
}

mt_tensor *mt_bce_loss(mt_tensor *p, mt_tensor *y, int32_t reduction) {
	struct pair in;
	if (!make_pair("bce_loss", "p", p, "y", y, reduction, &in) || check_same_shape("bce_loss", "p", p, "y", y) != MT_OK)
		return NULL;
	return finished(bce_each(in.a, in.b), reduction, in.dtype);
}

/* ---- bce_with_logits_loss ----------------------------------------------------------------------------------------- */

/* −ln sigmoid(x) and −ln sigmoid(−x), each precise where it is small. */
static mt_tensor *cost_of_hit(mt_tensor *x) {
	return mt_softplus(mt_neg(x));
}

static mt_tensor *cost_of_miss(mt_tensor *x) {
	return mt_softplus(x);
}

static mt_tensor *times(mt_tensor *a, mt_tensor *factor) {
	return mt__real(factor) ? mt_mul(a, factor) : a;
}

/* With h = w softplus(−x), m = softplus(x), w = pos_weight:  y h + (1 − y) m */
static mt_tensor *logits_each(mt_tensor *x, mt_tensor *y, mt_tensor *pos_weight) {
	mt_tensor *hit = mt_mul(y, times(cost_of_hit(x), pos_weight));
	return mt_add(hit, mt_mul(mt_rsub_scalar(y, mt_i(1)), cost_of_miss(x)));
}

/* gx = g ((1 − y) sigmoid(x) − w y sigmoid(−x)),   gy = g (h − m),   gw = g y softplus(−x) */
static mt_status logits_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	mt_tensor *x = mt__saved(node, 0), *y = mt__saved(node, 1), *pos_weight = mt__saved(node, 2);
	if (x == NULL || y == NULL || pos_weight == NULL)
		return mt_error_peek();
	if (mt__needs(node, 0)) {
		mt_tensor *up = mt_mul(mt_rsub_scalar(y, mt_i(1)), mt_sigmoid(x));
		gx[0] = mt_mul(gout, mt_sub(up, times(mt_mul(y, mt_sigmoid(mt_neg(x))), pos_weight)));
	}
	if (mt__needs(node, 1))
		gx[1] = mt_mul(gout, mt_sub(times(cost_of_hit(x), pos_weight), cost_of_miss(x)));
	if (mt__needs(node, 2))
		gx[2] = mt__unbroadcast(mt_mul(gout, mt_mul(y, cost_of_hit(x))), pos_weight->rank, pos_weight->shape);
	for (int i = 0; i < 3; i++)
		if (mt__needs(node, i) && gx[i] == NULL)
			return mt_error_peek();
	return MT_OK;
}

static const struct mt_grad_rule logits_rule = {"bce_with_logits_loss", logits_backward};

/* An optional factor: broadcasts to x, and has its dtype afterwards. */
static int prepare_factor(const char *name, mt_tensor **factor, mt_tensor *x) {
	mt_tensor *both[2] = {x, *factor};
	if (!mt__check_optional("bce_with_logits_loss", name, *factor))
		return 0;
	if (!mt__given(*factor))
		return 1;
	return mt__check_same_device("bce_with_logits_loss", both, 2) &&
	       mt__check_broadcasts_to("bce_with_logits_loss", name, *factor, "x", x) == MT_OK &&
	       (*factor = mt_cast(*factor, x->dtype)) != NULL;
}

mt_tensor *mt_bce_with_logits_loss(mt_tensor *x, mt_tensor *y, mt_tensor *weight, mt_tensor *pos_weight,
                                   int32_t reduction) {
	struct pair p;
	if (!make_pair("bce_with_logits_loss", "x", x, "y", y, reduction, &p) ||
	    check_same_shape("bce_with_logits_loss", "x", x, "y", y) != MT_OK || !prepare_factor("weight", &weight, p.a) ||
	    !prepare_factor("pos_weight", &pos_weight, p.a))
		return NULL;
	int was = mt_grad_enable(0);
	mt_tensor *each = logits_each(p.a, p.b, pos_weight);
	mt_grad_enable(was);
	each = recorded(&logits_rule, each, (mt_tensor *const[]){p.a, p.b, pos_weight}, 3);
	return finished(times(each, weight), reduction, p.dtype);
}
