/* zip: y = f(a, b), broadcast; either argument may be a number by value.  The ops come from zip_ops.def; this file adds
 * promotion and how each is differentiated. */
#include "ops/ops.h"

#define MT_ZIP(id, NAME, name, dtypes, result, formula) [id] = {#name, MT_SET_##dtypes, MT__RESULT_##result},
static const struct mt__op_row rows[MT_ZIP_END_] = {
#include "mt/zip_ops.def"
};
#undef MT_ZIP

/* An argument: a tensor, or (t == NULL) a number. */
struct operand {
	mt_tensor *t;
	mt_scalar s;
};

static struct operand tensor(mt_tensor *t) {
	return (struct operand){t, {0}};
}

static struct operand number(mt_scalar s) {
	return (struct operand){NULL, s};
}

static double value_of(mt_scalar s) {
	return s.tag == MT_SCALAR_I64 ? (double)s.v.i : s.v.f;
}

static mt_tensor *zip(int32_t op, struct operand a, struct operand b);

/* ---- gradients ---------------------------------------------------------------------------------------------------- */

/* What a rule works with; tensors that it does not use are NULL. */
struct derivation {
	mt_tensor *g, *y;
	struct operand a, b;
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
	return zip(MT_ZIP_MUL, tensor(d->g), d->b);
}

static mt_tensor *derive_mul_b(const struct derivation *d) {
	return zip(MT_ZIP_MUL, tensor(d->g), d->a);
}

static mt_tensor *derive_div_a(const struct derivation *d) {
	return zip(MT_ZIP_DIV, tensor(d->g), d->b);
}

static mt_tensor *derive_div_b(const struct derivation *d) { /* −g y / b */
	return mt_neg(zip(MT_ZIP_DIV, tensor(mt_mul(d->g, d->y)), d->b));
}

/* g b a^(b−1), and 0 where b = 0, which a = 0 would make NaN. */
static mt_tensor *derive_pow_a(const struct derivation *d) {
	if (d->b.t == NULL) {
		double b = value_of(d->b.s);
		if (b == 0)
			return mt_zeros_like(d->g);
		return mt_mul(d->g, mt_mul_scalar(mt_pow_scalar(d->a.t, mt_f(b - 1)), mt_f(b)));
	}
	mt_tensor *power = zip(MT_ZIP_POW, d->a, tensor(mt_sub_scalar(d->b.t, mt_i(1))));
	mt_tensor *zero = mt_zip_scalar(MT_ZIP_EQ, d->b.t, mt_i(0));
	return zero_where(zero, mt_mul(d->g, mt_mul(d->b.t, power)));
}

/* g y ln a, and 0 where a = 0 and b ≥ 0. */
static mt_tensor *derive_pow_b(const struct derivation *d) {
	mt_tensor *flat = mt_zip_scalar(MT_ZIP_GE, d->b.t, mt_i(0));
	if (d->a.t == NULL) {
		mt_tensor *slope = mt_mul(d->g, mt_mul(d->y, mt_log(mt__number_like(d->b.t, value_of(d->a.s)))));
		return value_of(d->a.s) == 0 ? zero_where(flat, slope) : slope;
	}
	flat = mt_logical_and(flat, mt_zip_scalar(MT_ZIP_EQ, d->a.t, mt_i(0)));
	return zero_where(flat, mt_mul(d->g, mt_mul(d->y, mt_log(d->a.t))));
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

static struct operand squared(struct operand o) {
	return o.t != NULL ? tensor(mt_square(o.t)) : number(mt_f(value_of(o.s) * value_of(o.s)));
}

/* g / (a² + b²) */
static mt_tensor *over_square_norm(const struct derivation *d) {
	return mt_div(d->g, zip(MT_ZIP_ADD, squared(d->a), squared(d->b)));
}

static mt_tensor *derive_atan2_a(const struct derivation *d) {
	return zip(MT_ZIP_MUL, tensor(over_square_norm(d)), d->b);
}

static mt_tensor *derive_atan2_b(const struct derivation *d) {
	return mt_neg(zip(MT_ZIP_MUL, tensor(over_square_norm(d)), d->a));
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
static int operand_of(struct mt_node *node, const struct attrs *attrs, int side, int used, struct operand *out) {
	*out = tensor(NULL);
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
	                     rows[op].name);
}

/* Keeps what the rule will use; a and b may be NULL, for numbers. */
static mt_tensor *save(struct mt_node *node, int uses, mt_tensor *a, mt_tensor *b, mt_tensor *y) {
	if (((uses & A) && a != NULL && mt__save(node, 0, a) != MT_OK) ||
	    ((uses & B) && b != NULL && mt__save(node, 1, b) != MT_OK) || ((uses & Y) && mt__save(node, 2, y) != MT_OK))
		return NULL;
	return y;
}

static mt_tensor *record_tensors(int32_t op, mt_tensor *const *in, mt_tensor *y, int broadcast) {
	struct mt_node *node = node_of(op, y, in, 2);
	if (node == NULL)
		return NULL;
	if (broadcast)
		keep_shapes(node, in, y);
	int uses = (mt__needs(node, 0) ? gradients[op].a_uses : 0) | (mt__needs(node, 1) ? gradients[op].b_uses : 0);
	return uses == 0 ? y : save(node, uses, in[0], in[1], y);
}

static mt_tensor *record_number(int32_t op, struct operand a, struct operand b, mt_tensor *y) {
	mt_tensor *t = a.t != NULL ? a.t : b.t;
	struct mt_node *node = node_of(op, y, &t, 1);
	if (node == NULL)
		return NULL;
	struct attrs *attrs = mt__attrs(node);
	attrs->scalar = a.t == NULL ? a.s : b.s;
	attrs->scalar_is_a = a.t == NULL;
	return save(node, a.t != NULL ? gradients[op].a_uses : gradients[op].b_uses, a.t, b.t, y);
}

/* ---- promotion ---------------------------------------------------------------------------------------------------- */

mt_dtype mt__promote_tensors(const mt_tensor *a, const mt_tensor *b) {
	if ((a->rank == 0) == (b->rank == 0))
		return mt_promote(a->dtype, b->dtype);
	mt_dtype dims = a->rank != 0 ? a->dtype : b->dtype;
	mt_dtype zero = a->rank != 0 ? b->dtype : a->dtype;
	if (mt__is_float(dims) || (mt__is_integer(dims) && !mt__is_float(zero)))
		return dims;
	return mt_promote(dims, zero);
}

/* The dtype that the kernel sees; 0 with an error where the op is not defined. */
static mt_dtype compute_dtype(int32_t op, struct operand a, struct operand b) {
	const struct mt__op_row *row = &rows[op];
	char ta[MT__SHAPE_TEXT], tb[MT__SHAPE_TEXT];
	const mt_tensor *t = a.t != NULL ? a.t : b.t;
	mt_dtype dtype = a.t != NULL && b.t != NULL ? mt__promote_tensors(a.t, b.t)
	                                            : mt__promote_scalar(t->dtype, a.t == NULL ? a.s : b.s);
	if (op == MT_ZIP_SUB && ((a.t != NULL && a.t->dtype == MT_BOOL) || (b.t != NULL && b.t->dtype == MT_BOOL)))
		dtype = MT_BOOL; /* refused below: use logical_xor */
	if (row->dtypes == MT_SET_FLOAT)
		dtype = mt__to_float(dtype);
	if (mt__dtype_in(dtype, row->dtypes))
		return dtype;
	mt__fail(MT_E_DTYPE, "%s: not defined on %s and %s", row->name, a.t != NULL ? mt__tensor_text(ta, a.t) : "a number",
	         b.t != NULL ? mt__tensor_text(tb, b.t) : "a number");
	return 0;
}

static int convert(struct operand *o, mt_dtype dtype) {
	if (o->t != NULL && o->t->dtype != dtype)
		o->t = mt_cast(o->t, dtype);
	else
		return 1;
	return o->t != NULL;
}

/* ---- forward ------------------------------------------------------------------------------------------------------ */

static mt_status run(int32_t op, struct operand a, struct operand b, mt_tensor *out, mt_scalar p, mt_scalar q) {
	if (out->numel == 0)
		return MT_OK;
	mt_array aa, ab, ao = mt__array(out);
	struct mt_zip_args args = {.struct_size = sizeof args, .op = op, .out = &ao, .p0 = p, .p1 = q};
	if (a.t != NULL) {
		aa = mt__array_expanded(a.t, out->rank, out->shape);
		args.a = &aa;
	} else {
		args.scalar = a.s;
	}
	if (b.t != NULL) {
		ab = mt__array_expanded(b.t, out->rank, out->shape);
		args.b = &ab;
	} else {
		args.scalar = b.s;
	}
	return mt__dispatch(mt__device_of(out), MT_K_ZIP, op, &args);
}

/* A new tensor for the result, broadcast. */
static mt_tensor *result_of(int32_t op, struct operand a, struct operand b, mt_dtype dtype) {
	mt_tensor *t = a.t != NULL ? a.t : b.t;
	if (a.t == NULL || b.t == NULL || mt__same_shape(a.t, b.t))
		return mt__tensor_new(rows[op].name, mt__device_of(t), t->rank, t->shape, dtype);
	int rank;
	int64_t shape[MT_MAX_RANK];
	if (mt__broadcast(rows[op].name, a.t->rank, a.t->shape, b.t->rank, b.t->shape, &rank, shape) != MT_OK)
		return NULL;
	return mt__tensor_new(rows[op].name, mt__device_of(t), rank, shape, dtype);
}

static int check_number(const char *op, const char *name, mt_scalar s) {
	if (s.tag == MT_SCALAR_I64 || s.tag == MT_SCALAR_F64)
		return 1;
	mt__fail(MT_E_ARG, "%s: %s is not a number: its tag is %d", op, name, (int)s.tag);
	return 0;
}

/* Neither a tensor nor a number: a rule's earlier call failed. */
static int failed(struct operand o) {
	return o.t == NULL && o.s.tag == MT_SCALAR_NONE;
}

/* Checked operands: promotion, broadcast, kernel, graph. */
static mt_tensor *zip(int32_t op, struct operand a, struct operand b) {
	const struct mt__op_row *row = &rows[op];
	if (failed(a) || failed(b))
		return NULL;
	mt_dtype dtype = compute_dtype(op, a, b);
	if (dtype == 0 || !convert(&a, dtype) || !convert(&b, dtype))
		return NULL;
	mt_tensor *y = result_of(op, a, b, row->result == MT__RESULT_BOOL ? MT_BOOL : dtype);
	if (y == NULL || run(op, a, b, y, (mt_scalar){0}, (mt_scalar){0}) != MT_OK)
		return NULL;
	mt_tensor *in[2] = {a.t != NULL ? a.t : b.t, b.t != NULL ? b.t : a.t};
	if (row->result == MT__RESULT_BOOL || !mt__wants_grad(in, 2))
		return y;
	return a.t != NULL && b.t != NULL ? record_tensors(op, in, y, 1) : record_number(op, a, b, y);
}

/* Nothing to check, convert or broadcast: the short way that most calls take. */
static int alike(int32_t op, const mt_tensor *a, const mt_tensor *b) {
	return op > 0 && op <= MT_ZIP_ATAN2 && mt__real(a) && mt__real(b) && a->dtype == b->dtype &&
	       mt__dtype_in(a->dtype, rows[op].dtypes) && mt__device_of(a) == mt__device_of(b) && mt__same_shape(a, b);
}

static mt_tensor *zip_alike(int32_t op, mt_tensor *a, mt_tensor *b) {
	mt_tensor *y = mt__tensor_new(rows[op].name, mt__device_of(a), a->rank, a->shape, a->dtype);
	if (y == NULL)
		return NULL;
	if (y->numel != 0) {
		mt_array aa, ab, ay;
		mt__describe(&aa, a);
		mt__describe(&ab, b);
		mt__describe(&ay, y);
		struct mt_zip_args args = {.struct_size = sizeof args, .op = op, .a = &aa, .b = &ab, .out = &ay};
		if (mt__dispatch(mt__device_of(a), MT_K_ZIP, op, &args) != MT_OK)
			return NULL;
	}
	mt_tensor *in[2] = {a, b};
	return mt__wants_grad(in, 2) ? record_tensors(op, in, y, 0) : y;
}

static int check_op(int32_t op) {
	if (op < 1 || op >= MT_ZIP_END_) {
		mt__fail(MT_E_ARG, "zip: there is no op %d", (int)op);
		return 0;
	}
	if (op == MT_ZIP_LEAKY_RELU_GRAD || op == MT_ZIP_ELU_GRAD || op == MT_ZIP_CLAMP_GRAD) {
		mt__fail(MT_E_ARG, "zip: %s takes parameters, which mt_zip cannot give", rows[op].name);
		return 0;
	}
	return 1;
}

mt_tensor *mt_zip(int32_t op, mt_tensor *a, mt_tensor *b) {
	if (alike(op, a, b))
		return zip_alike(op, a, b);
	mt_tensor *both[2] = {a, b};
	if (!check_op(op) || !mt__check_tensor(rows[op].name, "a", a) || !mt__check_tensor(rows[op].name, "b", b) ||
	    !mt__check_same_device(rows[op].name, both, 2))
		return NULL;
	return zip(op, tensor(a), tensor(b));
}

mt_tensor *mt_zip_scalar(int32_t op, mt_tensor *a, mt_scalar b) {
	if (!check_op(op) || !mt__check_tensor(rows[op].name, "a", a) || !check_number(rows[op].name, "b", b))
		return NULL;
	return zip(op, tensor(a), number(b));
}

mt_tensor *mt_scalar_zip(int32_t op, mt_scalar a, mt_tensor *b) {
	if (!check_op(op) || !check_number(rows[op].name, "a", a) || !mt__check_tensor(rows[op].name, "b", b))
		return NULL;
	return zip(op, number(a), tensor(b));
}

mt_status mt__zip_into(int32_t op, mt_tensor *a, mt_tensor *b, mt_tensor *out) {
	mt__storage_touch(out->storage);
	return run(op, tensor(a), tensor(b), out, (mt_scalar){0}, (mt_scalar){0});
}

mt_status mt__zip_scalar_into(int32_t op, mt_tensor *a, mt_scalar b, mt_tensor *out) {
	mt__storage_touch(out->storage);
	return run(op, tensor(a), number(b), out, (mt_scalar){0}, (mt_scalar){0});
}

mt_tensor *mt__zip_with(int32_t op, mt_tensor *a, mt_tensor *b, mt_scalar p, mt_scalar q) {
	if (a == NULL || b == NULL)
		return NULL;
	mt_tensor *y = result_of(op, tensor(a), tensor(b), a->dtype);
	return y != NULL && run(op, tensor(a), tensor(b), y, p, q) == MT_OK ? y : NULL;
}

/* ---- by name ------------------------------------------------------------------------------------------------------ */

mt_tensor *mt_add(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_ADD, a, b);
}

mt_tensor *mt_sub(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_SUB, a, b);
}

mt_tensor *mt_mul(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_MUL, a, b);
}

mt_tensor *mt_div(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_DIV, a, b);
}

mt_tensor *mt_pow(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_POW, a, b);
}

mt_tensor *mt_maximum(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_MAX, a, b);
}

mt_tensor *mt_minimum(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_MIN, a, b);
}

mt_tensor *mt_remainder(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_MOD, a, b);
}

mt_tensor *mt_floor_divide(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_FLOOR_DIV, a, b);
}

mt_tensor *mt_atan2(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_ATAN2, a, b);
}

mt_tensor *mt_lt(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_LT, a, b);
}

mt_tensor *mt_le(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_LE, a, b);
}

mt_tensor *mt_gt(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_GT, a, b);
}

mt_tensor *mt_ge(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_GE, a, b);
}

mt_tensor *mt_eq(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_EQ, a, b);
}

mt_tensor *mt_ne(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_NE, a, b);
}

mt_tensor *mt_logical_and(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_LOGICAL_AND, a, b);
}

mt_tensor *mt_logical_or(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_LOGICAL_OR, a, b);
}

mt_tensor *mt_logical_xor(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_LOGICAL_XOR, a, b);
}

mt_tensor *mt_add_scalar(mt_tensor *a, mt_scalar b) {
	return mt_zip_scalar(MT_ZIP_ADD, a, b);
}

mt_tensor *mt_sub_scalar(mt_tensor *a, mt_scalar b) {
	return mt_zip_scalar(MT_ZIP_SUB, a, b);
}

mt_tensor *mt_mul_scalar(mt_tensor *a, mt_scalar b) {
	return mt_zip_scalar(MT_ZIP_MUL, a, b);
}

mt_tensor *mt_div_scalar(mt_tensor *a, mt_scalar b) {
	return mt_zip_scalar(MT_ZIP_DIV, a, b);
}

mt_tensor *mt_pow_scalar(mt_tensor *a, mt_scalar b) {
	return mt_zip_scalar(MT_ZIP_POW, a, b);
}

mt_tensor *mt_rsub_scalar(mt_tensor *a, mt_scalar b) {
	return mt_scalar_zip(MT_ZIP_SUB, b, a);
}

mt_tensor *mt_rdiv_scalar(mt_tensor *a, mt_scalar b) {
	return mt_scalar_zip(MT_ZIP_DIV, b, a);
}
