/* Reductions made of others, with gradients of their own: var, std, norm, logsumexp.  16-bit floats are computed in f32. */
#include <math.h>

#include "ops/reduce.h"

struct attrs {
	struct mt__reduction r;
	double parameter; /* var, std: what the squares are divided by; norm: p */
};

_Static_assert(sizeof(struct attrs) <= MT__ATTR_BYTES, "the attributes fit a node");

/* One call.  x: the argument in the dtype of the computation. */
struct call {
	const char *name;
	mt_tensor *x;
	mt_dtype dtype; /* of the result */
	mt_axes axes;
	struct attrs a;
};

static int prepare(struct call *c, mt_tensor *x, mt_axes axes, int keepdim) {
	uint32_t mask;
	if (!mt__check_tensor(c->name, "x", x) || mt__axes_mask(c->name, x, axes, &mask) != MT_OK)
		return 0;
	c->dtype = mt__to_float(x->dtype);
	c->x = mt_cast(mt_cast(x, c->dtype), mt__wide(c->dtype));
	c->a.r = mt__reduction_of(x, mask, keepdim);
	c->axes = mt__reduction_axes(&c->a.r);
	return c->x != NULL;
}

typedef mt_tensor *(*forward_fn)(const struct call *c);

/* y = forward(c), as one node. */
static mt_tensor *recorded(const struct call *c, const struct mt_grad_rule *rule, forward_fn forward) {
	int was = mt_grad_enable(0);
	mt_tensor *x = c->x, *y = forward(c);
	mt_grad_enable(was);
	if (y == NULL || !mt__wants_grad(&x, 1))
		return mt_cast(y, c->dtype);
	struct mt_node *node = mt__record(rule, y, &x, 1);
	if (node == NULL || mt__save(node, 0, x) != MT_OK || mt__save(node, 1, y) != MT_OK)
		return NULL;
	*(struct attrs *)mt__attrs(node) = c->a;
	return mt_cast(y, c->dtype);
}

typedef mt_tensor *(*derive_fn)(mt_tensor *g, mt_tensor *x, mt_tensor *y, const struct attrs *a);

static mt_status derived(struct mt_node *node, mt_tensor *gout, mt_tensor **gx, derive_fn derive) {
	mt_tensor *x = mt__saved(node, 0), *y = mt__saved(node, 1);
	if (x == NULL || y == NULL)
		return mt_error_peek();
	gx[0] = derive(gout, x, y, mt__attrs(node));
	return gx[0] != NULL ? MT_OK : mt_error_peek();
}

/* t where condition is 0, value elsewhere. */
static mt_tensor *replaced(mt_tensor *condition, double value, mt_tensor *t) {
	return t == NULL ? NULL : mt_where(condition, mt__number_like(t, value), t);
}

static mt_tensor *is_zero(mt_tensor *t) {
	return mt_zip_scalar(MT_ZIP_EQ, t, mt_i(0));
}

/* numerator / y, 0 where y is 0, whatever is differentiated. */
static mt_tensor *over(mt_tensor *numerator, mt_tensor *y) {
	mt_tensor *zero = is_zero(y);
	return replaced(zero, 0, mt_div(numerator, replaced(zero, 1, y)));
}

/* ---- var, std ----------------------------------------------------------------------------------------------------- */

/* x less its mean; the second step takes off what was rounded away from the mean. */
static mt_tensor *centred(mt_tensor *x, mt_axes axes) {
	mt_tensor *d = mt_sub(x, mt_mean(x, axes, 1));
	return mt_sub(d, mt_mean(d, axes, 1));
}

static mt_tensor *variance(const struct call *c) {
	mt_tensor *squares = mt_reduce(MT_REDUCE_SUMSQ, centred(c->x, c->axes), c->axes, c->a.r.keepdim);
	return mt_div_scalar(squares, mt_f(c->a.parameter));
}

static mt_tensor *deviation(const struct call *c) {
	return mt_sqrt(variance(c));
}

/* 2 g (x − mean) / (n − correction) */
static mt_tensor *derive_var(mt_tensor *g, mt_tensor *x, mt_tensor *y, const struct attrs *a) {
	(void)y;
	mt_tensor *scale = mt_mul_scalar(mt__reduction_kept(g, &a->r), mt_f(2 / a->parameter));
	return mt_mul(scale, centred(x, mt__reduction_axes(&a->r)));
}

/* That of var with g / 2y, 0 where all are the same, as PyTorch. */
static mt_tensor *derive_std(mt_tensor *g, mt_tensor *x, mt_tensor *y, const struct attrs *a) {
	return derive_var(over(mt_div_scalar(g, mt_f(2)), y), x, y, a);
}

static mt_status var_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	return derived(node, gout, gx, derive_var);
}

static mt_status std_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	return derived(node, gout, gx, derive_std);
}

static const struct mt_grad_rule var_rule = {"var", var_backward}, std_rule = {"std", std_backward};

static mt_tensor *spread(const struct mt_grad_rule *rule, forward_fn forward, mt_tensor *x, mt_axes axes,
                         double correction, int keepdim) {
	struct call c = {.name = rule->name};
	if (!prepare(&c, x, axes, keepdim))
		return NULL;
	if (!isfinite(correction))
		return mt__fail_null(MT_E_ARG, "%s: correction is %g; a finite number is needed", rule->name, correction);
	c.a.parameter = fmax((double)c.a.r.count - correction, 0);
	return recorded(&c, rule, forward);
}

mt_tensor *mt_var(mt_tensor *x, mt_axes axes, double correction, int keepdim) {
	return spread(&var_rule, variance, x, axes, correction, keepdim);
}

mt_tensor *mt_std(mt_tensor *x, mt_axes axes, double correction, int keepdim) {
	return spread(&std_rule, deviation, x, axes, correction, keepdim);
}

/* ---- norm --------------------------------------------------------------------------------------------------------- */

static mt_tensor *power_norm(const struct call *c) {
	double p = c->a.parameter;
	int keepdim = c->a.r.keepdim;
	if (p == 2)
		return mt_sqrt(mt_reduce(MT_REDUCE_SUMSQ, c->x, c->axes, keepdim));
	mt_tensor *powers = mt_pow_scalar(mt_abs(c->x), mt_f(p));
	return mt_pow_scalar(mt_sum(powers, c->axes, keepdim), mt_f(1 / p));
}

/* p = 2: g x / y; else g sign(x) (|x| / y)^(p−1), where the quotient neither overflows nor vanishes; 0 where x or y is. */
static mt_tensor *derive_norm(mt_tensor *g, mt_tensor *x, mt_tensor *y, const struct attrs *a) {
	mt_tensor *gk = mt__reduction_kept(g, &a->r), *yk = mt__reduction_kept(y, &a->r);
	if (a->parameter == 2)
		return mt_mul(over(gk, yk), x);
	mt_tensor *nothing = mt_logical_or(is_zero(x), is_zero(yk));
	mt_tensor *ratio = replaced(nothing, 1, over(mt_abs(x), yk));
	mt_tensor *each = mt_mul(mt_sign(x), mt_pow_scalar(ratio, mt_f(a->parameter - 1)));
	return replaced(nothing, 0, mt_mul(gk, each));
}

static mt_status norm_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	return derived(node, gout, gx, derive_norm);
}

static const struct mt_grad_rule norm_rule = {"norm", norm_backward};

static mt_status check_norm(const mt_tensor *x, double p, const struct mt__reduction *r) {
	char text[MT__SHAPE_TEXT];
	if (isnan(p))
		return mt__fail(MT_E_ARG, "norm: p is not a number");
	for (int d = 0; d < x->rank && (p < 0 || isinf(p)); d++)
		if ((r->mask >> d & 1u) && x->shape[d] == 0)
			return mt__fail(MT_E_SHAPE, "norm: %s has no elements along axis %d, and p is %g", mt__tensor_text(text, x),
			                d, p);
	return MT_OK;
}

/* Those that other ops are already. */
static mt_tensor *simple_norm(const struct call *c) {
	double p = c->a.parameter;
	int keepdim = c->a.r.keepdim;
	if (p == 0)
		return mt_sum(mt_cast(mt_zip_scalar(MT_ZIP_NE, c->x, mt_i(0)), c->x->dtype), c->axes, keepdim);
	mt_tensor *size = mt_abs(c->x);
	return p == 1  ? mt_sum(size, c->axes, keepdim)
	       : p > 0 ? mt_max(size, c->axes, keepdim)
	               : mt_min(size, c->axes, keepdim);
}

mt_tensor *mt_norm(mt_tensor *x, double p, mt_axes axes, int keepdim) {
	struct call c = {.name = "norm", .a = {.parameter = p}};
	if (!prepare(&c, x, axes, keepdim) || check_norm(x, p, &c.a.r) != MT_OK)
		return NULL;
	if (p == 0 || p == 1 || isinf(p))
		return mt_cast(simple_norm(&c), c.dtype);
	return recorded(&c, &norm_rule, power_norm);
}

/* ---- logsumexp ---------------------------------------------------------------------------------------------------- */

/* The largest is subtracted first, where it is finite. */
static mt_tensor *log_sum_exp(const struct call *c) {
	if (c->a.r.count == 0)
		return mt_log(mt_sum(c->x, c->axes, c->a.r.keepdim));
	mt_tensor *top = mt_max(c->x, c->axes, 1);
	top = replaced(mt_isinf(top), 0, top);
	mt_tensor *sum = mt_sum(mt_exp(mt_sub(c->x, top)), c->axes, 1);
	return mt__reduction_dropped(mt_add(mt_log(sum), top), &c->a.r);
}

/* g e^(x − y) */
static mt_tensor *derive_logsumexp(mt_tensor *g, mt_tensor *x, mt_tensor *y, const struct attrs *a) {
	return mt_mul(mt__reduction_kept(g, &a->r), mt_exp(mt_sub(x, mt__reduction_kept(y, &a->r))));
}

static mt_status logsumexp_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	return derived(node, gout, gx, derive_logsumexp);
}

static const struct mt_grad_rule logsumexp_rule = {"logsumexp", logsumexp_backward};

mt_tensor *mt_logsumexp(mt_tensor *x, mt_axes axes, int keepdim) {
	struct call c = {.name = "logsumexp"};
	return prepare(&c, x, axes, keepdim) ? recorded(&c, &logsumexp_rule, log_sum_exp) : NULL;
}
