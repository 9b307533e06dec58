/* zip: how each op is differentiated. */
#include "ops/zip.h"

static double value_of(mt_scalar s) {
	return s.tag == MT_SCALAR_I64 ? (double)s.v.i : s.v.f;
}

static mt_tensor *zip(int32_t op, struct mt__zip_operand a, struct mt__zip_operand b) {
	return mt__zip(op, a, b, NULL);
}

/* ---- gradients ---------------------------------------------------------------------------------------------------- */

/* What a rule works with; tensors that it does not use are NULL. */
struct derivation {
	mt_tensor *g, *y;
	struct mt__zip_operand a, b;
};

typedef mt_tensor *(*derive_fn)(const struct derivation *d);

static mt_tensor *zero_where(mt_tensor *condition, mt_tensor *otherwise) {
	return otherwise == NULL ? NULL : mt_where(condition, mt__number_like(otherwise, 0), otherwise);
}

static mt_tensor *derive_pass(const struct derivation *d) {
	return d->g;
}

static mt_tensor *derive_neg(const struct derivation *d) {
	return mt_neg(d->g);
}

static mt_tensor *derive_zero(const struct derivation *d) {
	return mt_zeros_like(d->g);
}

static mt_tensor *derive_mul_a(const struct derivation *d) {
	return zip(MT_ZIP_MUL, mt__zip_tensor(d->g), d->b);
}

static mt_tensor *derive_mul_b(const struct derivation *d) {
	return zip(MT_ZIP_MUL, mt__zip_tensor(d->g), d->a);
}

static mt_tensor *derive_div_a(const struct derivation *d) {
	return zip(MT_ZIP_DIV, mt__zip_tensor(d->g), d->b);
}

static mt_tensor *derive_div_b(const struct derivation *d) { /* −g y / b */
	return mt_neg(zip(MT_ZIP_DIV, mt__zip_tensor(mt_mul(d->g, d->y)), d->b));
}

/* g b a^(b−1), and 0 where b = 0, which a = 0 would make NaN.  There b is 1 inside, so that a second derivative, which
 * the choice hides, stays finite. */
static mt_tensor *derive_pow_a(const struct derivation *d) {
	if (d->b.t == NULL) {
		double b = value_of(d->b.s);
		if (b == 0)
			return mt_zeros_like(d->g);
		return mt_mul(d->g, mt_mul_scalar(mt_pow_scalar(d->a.t, mt_f(b - 1)), mt_f(b)));
	}
	mt_tensor *zero = mt_zip_scalar(MT_ZIP_EQ, d->b.t, mt_i(0));
	mt_tensor *b = mt_where(zero, mt__number_like(d->b.t, 1), d->b.t);
	mt_tensor *power = zip(MT_ZIP_POW, d->a, mt__zip_tensor(mt_sub_scalar(b, mt_i(1))));
	return zero_where(zero, mt_mul(d->g, mt_mul(b, power)));
}

/* g y ln a, and 0 where a = 0 and b ≥ 0: there ln 1 is taken. */
static mt_tensor *derive_pow_b(const struct derivation *d) {
	mt_tensor *a = d->a.t != NULL ? d->a.t : mt__number_like(d->b.t, value_of(d->a.s));
	mt_tensor *flat = mt_logical_and(mt_zip_scalar(MT_ZIP_GE, d->b.t, mt_i(0)), mt_zip_scalar(MT_ZIP_EQ, a, mt_i(0)));
	a = mt_where(flat, mt__number_like(d->b.t, 1), a);
	return mt_mul(d->g, mt_mul(d->y, mt_log(a)));
}

/* max and min hand g to the chosen side, and half to each at a tie; NaN keeps g on both. */
static mt_tensor *derive_choice(const struct derivation *d, int32_t loses) {
	mt_tensor *tie = zip(MT_ZIP_EQ, d->a, d->b);
	mt_tensor *shared = mt_where(tie, mt_mul_scalar(d->g, mt_f(0.5)), d->g);
	return zero_where(zip(loses, d->a, d->b), shared);
}

static mt_tensor *derive_max_a(const struct derivation *d) {
	return derive_choice(d, MT_ZIP_LT);
}

static mt_tensor *derive_max_b(const struct derivation *d) {
	return derive_choice(d, MT_ZIP_GT);
}

static mt_tensor *derive_mod_b(const struct derivation *d) { /* −g floor(a / b) */
	return mt_neg(mt_mul(d->g, zip(MT_ZIP_FLOOR_DIV, d->a, d->b)));
}

static mt_tensor *derive_fmod_b(const struct derivation *d) { /* −g trunc(a / b) */
	return mt_neg(mt_mul(d->g, mt_trunc(zip(MT_ZIP_DIV, d->a, d->b))));
}

/* g a / y, and of the other side g b / y. */
static mt_tensor *derive_hypot_a(const struct derivation *d) {
	return mt_mul(d->g, zip(MT_ZIP_DIV, d->a, mt__zip_tensor(d->y)));
}

static mt_tensor *derive_hypot_b(const struct derivation *d) {
	return mt_mul(d->g, zip(MT_ZIP_DIV, d->b, mt__zip_tensor(d->y)));
}

/* g where the sign stayed, −g where it changed, 0 at 0. */
static mt_tensor *derive_copysign_a(const struct derivation *d) {
	return mt_mul(d->g, mt_mul(mt_sign(d->a.t), mt_sign(d->y)));
}

static struct mt__zip_operand squared(struct mt__zip_operand o) {
	return o.t != NULL ? mt__zip_tensor(mt_square(o.t)) : mt__zip_number(mt_f(value_of(o.s) * value_of(o.s)));
}

/* g / (a² + b²) */
static mt_tensor *over_square_norm(const struct derivation *d) {
	return mt_div(d->g, zip(MT_ZIP_ADD, squared(d->a), squared(d->b)));
}

static mt_tensor *derive_atan2_a(const struct derivation *d) {
	return zip(MT_ZIP_MUL, mt__zip_tensor(over_square_norm(d)), d->b);
}

static mt_tensor *derive_atan2_b(const struct derivation *d) {
	return mt_neg(zip(MT_ZIP_MUL, mt__zip_tensor(over_square_norm(d)), d->a));
}

enum uses { G = 0, A = 1, B = 2, Y = 4 };

/* The derivative towards each side, and what it needs beside g.  An op without an entry has no gradient. */
struct zip_gradient {
	derive_fn a, b;
	uint8_t a_uses, b_uses;
};

static const struct zip_gradient gradients[MT_ZIP_END_] = {
	[MT_ZIP_ADD] = {derive_pass, derive_pass, G, G},
	[MT_ZIP_SUB] = {derive_pass, derive_neg, G, G},
	[MT_ZIP_MUL] = {derive_mul_a, derive_mul_b, B, A},
	[MT_ZIP_DIV] = {derive_div_a, derive_div_b, B, B | Y},
	[MT_ZIP_POW] = {derive_pow_a, derive_pow_b, A | B, A | B | Y},
	[MT_ZIP_MAX] = {derive_max_a, derive_max_b, A | B, A | B},
	[MT_ZIP_MIN] = {derive_max_b, derive_max_a, A | B, A | B},
	[MT_ZIP_MOD] = {derive_pass, derive_mod_b, G, A | B},
	[MT_ZIP_FLOOR_DIV] = {derive_zero, derive_zero, G, G},
	[MT_ZIP_ATAN2] = {derive_atan2_a, derive_atan2_b, A | B, A | B},
	[MT_ZIP_FMOD] = {derive_pass, derive_fmod_b, G, A | B},
	[MT_ZIP_HYPOT] = {derive_hypot_a, derive_hypot_b, A | Y, B | Y},
	[MT_ZIP_COPYSIGN] = {derive_copysign_a, derive_zero, A | Y, G},
};

static mt_status zip_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx);

#define MT_ZIP(id, NAME, name, dtypes, result, formula) [id] = {#name, zip_backward},
static const struct mt_grad_rule rules[MT_ZIP_END_] = {
#include "mt/zip_ops.def"
};
#undef MT_ZIP

/* Left zeroed where both arguments are tensors of the result's shape. */
struct attrs {
	mt_scalar scalar; /* tag NONE: both are tensors */
	int32_t scalar_is_a;
	struct {
		int32_t broadcast;
		int32_t rank;
		int64_t shape[MT_MAX_RANK];
	} side[2]; /* of the two tensors */
};

/* The saved side, or the number.  0 on failure. */
static int operand_of(struct mt_node *node, const struct attrs *attrs, int side, int used,
                      struct mt__zip_operand *out) {
	*out = mt__zip_tensor(NULL);
	if (attrs->scalar.tag != MT_SCALAR_NONE && (attrs->scalar_is_a != 0) == (side == 0))
		out->s = attrs->scalar;
	else if (used && (out->t = mt__saved(node, side)) == NULL)
		return 0;
	return 1;
}

static mt_status zip_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct zip_gradient *gradient = &gradients[mt__rule(node) - rules];
	const struct attrs *attrs = mt__attrs(node);
	int one = attrs->scalar.tag != MT_SCALAR_NONE;
	for (int side = 0; side < 2; side++) {
		int input = one ? 0 : side;
		if ((one && (attrs->scalar_is_a != 0) == (side == 0)) || !mt__needs(node, input))
			continue;
		struct derivation d = {.g = gout};
		int uses = side == 0 ? gradient->a_uses : gradient->b_uses;
		if (!operand_of(node, attrs, 0, uses & A, &d.a) || !operand_of(node, attrs, 1, uses & B, &d.b) ||
		    ((uses & Y) && (d.y = mt__saved(node, 2)) == NULL))
			return mt_error_peek();
		mt_tensor *g = side == 0 ? gradient->a(&d) : gradient->b(&d);
		if (g != NULL && attrs->side[side].broadcast)
			g = mt__unbroadcast(g, attrs->side[side].rank, attrs->side[side].shape);
		if (g == NULL)
			return mt_error_peek();
		gx[input] = g;
	}
	return MT_OK;
}

static void keep_shapes(struct mt_node *node, mt_tensor *const *in, const mt_tensor *y) {
	for (int i = 0; i < 2; i++) {
		if (mt__same_shape(in[i], y))
			continue;
		struct attrs *attrs = mt__attrs(node);
		attrs->side[i].broadcast = 1;
		attrs->side[i].rank = in[i]->rank;
		for (int d = 0; d < in[i]->rank; d++)
			attrs->side[i].shape[d] = in[i]->shape[d];
	}
}

static struct mt_node *node_of(int32_t op, mt_tensor *y, mt_tensor *const *in, int n) {
	if (gradients[op].a != NULL)
		return mt__record(&rules[op], y, in, n);
	return mt__fail_null(MT_E_UNSUPPORTED, "%s: has no gradient; use mt_detach, or switch recording off",
	                     rules[op].name);
}

/* Keeps what the rule will use; a and b may be NULL, for numbers. */
static mt_tensor *save(struct mt_node *node, int uses, mt_tensor *a, mt_tensor *b, mt_tensor *y) {
	if (((uses & A) && a != NULL && mt__save(node, 0, a) != MT_OK) ||
	    ((uses & B) && b != NULL && mt__save(node, 1, b) != MT_OK) || ((uses & Y) && mt__save(node, 2, y) != MT_OK))
		return NULL;
	return y;
}

static mt_tensor *save_tensors(int32_t op, struct mt_node *node, mt_tensor *a, mt_tensor *b, mt_tensor *y) {
	int uses = (mt__needs(node, 0) ? gradients[op].a_uses : 0) | (mt__needs(node, 1) ? gradients[op].b_uses : 0);
	return save(node, uses, a, b, y);
}

static mt_tensor *record_tensors(int32_t op, mt_tensor *const *in, mt_tensor *y) {
	struct mt_node *node = node_of(op, y, in, 2);
	if (node == NULL)
		return NULL;
	keep_shapes(node, in, y);
	return save_tensors(op, node, in[0], in[1], y);
}

static __attribute__((noinline)) mt_tensor *record_with_saved(int32_t op, mt_tensor *a, mt_tensor *b, mt_tensor *y) {
	mt_tensor *const in[2] = {a, b};
	struct mt_node *node = node_of(op, y, in, 2);
	return node != NULL ? save_tensors(op, node, a, b, y) : NULL;
}

mt_tensor *mt__zip_record_alike(int32_t op, mt_tensor *a, mt_tensor *b, mt_tensor *y) {
	const struct zip_gradient *gradient = &gradients[op];
	if (mt__recording_off)
		return y;
	if (gradient->a == NULL || (gradient->a_uses | gradient->b_uses) != 0)
		return record_with_saved(op, a, b, y);
	return mt__record_sum(&rules[op], y, a, b);
}

static mt_tensor *record_number(int32_t op, struct mt__zip_operand a, struct mt__zip_operand b, mt_tensor *y) {
	mt_tensor *t = a.t != NULL ? a.t : b.t;
	struct mt_node *node = node_of(op, y, &t, 1);
	if (node == NULL)
		return NULL;
	struct attrs *attrs = mt__attrs(node);
	attrs->scalar = a.t == NULL ? a.s : b.s;
	attrs->scalar_is_a = a.t == NULL;
	return save(node, a.t != NULL ? gradients[op].a_uses : gradients[op].b_uses, a.t, b.t, y);
}

mt_tensor *mt__zip_record(int32_t op, struct mt__zip_operand a, struct mt__zip_operand b, mt_tensor *y) {
	mt_tensor *const in[2] = {a.t, b.t};
	return a.t != NULL && b.t != NULL ? record_tensors(op, in, y) : record_number(op, a, b, y);
}
