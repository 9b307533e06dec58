/* zip: y = f(a, b), broadcast; either argument may be a number by value.  The ops come from zip_ops.def; this file adds
 * promotion, zip_grad.c how each is differentiated. */
#include "ops/zip.h"

#include "ops/out.h"

#define MT_ZIP(id, NAME, name, dtypes, result, formula) [id] = {#name, MT_SET_##dtypes, MT__RESULT_##result},
static const struct mt__op_row rows[MT_ZIP_END_] = {
#include "mt/zip_ops.def"
};
#undef MT_ZIP

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

/* Whether a number is one of this integer dtype's. */
static int holds(mt_dtype dtype, mt_scalar s) {
	int64_t low = dtype == MT_I32 ? INT32_MIN : 0, high = dtype == MT_I32 ? INT32_MAX : UINT8_MAX;
	return dtype == MT_I64 || !mt__is_integer(dtype) || s.tag != MT_SCALAR_I64 || (s.v.i >= low && s.v.i <= high);
}

/* The dtype that the kernel sees; 0 with an error where the op is not defined. */
static mt_dtype compute_dtype(int32_t op, struct mt__zip_operand a, struct mt__zip_operand b) {
	const struct mt__op_row *row = &rows[op];
	char ta[MT__SHAPE_TEXT], tb[MT__SHAPE_TEXT];
	const mt_tensor *t = a.t != NULL ? a.t : b.t;
	mt_dtype dtype = a.t != NULL && b.t != NULL ? mt__promote_tensors(a.t, b.t)
	                                            : mt__promote_scalar(t->dtype, a.t == NULL ? a.s : b.s);
	if (op == MT_ZIP_SUB && ((a.t != NULL && a.t->dtype == MT_BOOL) || (b.t != NULL && b.t->dtype == MT_BOOL)))
		dtype = MT_BOOL; /* refused below: use logical_xor */
	if (row->result == MT__RESULT_BOOL && (a.t == NULL || b.t == NULL) && !holds(dtype, a.t == NULL ? a.s : b.s))
		dtype = MT_I64; /* compared as they are; in arithmetic the number wraps */
	if (row->dtypes == MT_SET_FLOAT)
		dtype = mt__to_float(dtype);
	if (mt__dtype_in(dtype, row->dtypes))
		return dtype;
	mt__fail(MT_E_DTYPE, "%s: not defined on %s and %s", row->name, a.t != NULL ? mt__tensor_text(ta, a.t) : "a number",
	         b.t != NULL ? mt__tensor_text(tb, b.t) : "a number");
	return 0;
}

static int convert(struct mt__zip_operand *o, mt_dtype dtype) {
	if (o->t != NULL && o->t->dtype != dtype)
		o->t = mt_cast(o->t, dtype);
	else
		return 1;
	return o->t != NULL;
}

/* ---- forward ------------------------------------------------------------------------------------------------------ */

static mt_status run(int32_t op, struct mt__zip_operand a, struct mt__zip_operand b, mt_tensor *out, mt_scalar p,
                     mt_scalar q) {
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

/* Where the result goes, broadcast. */
static mt_tensor *result_of(int32_t op, struct mt__zip_operand a, struct mt__zip_operand b, mt_dtype dtype,
                            mt_tensor *out) {
	mt_tensor *t = a.t != NULL ? a.t : b.t;
	if (a.t == NULL || b.t == NULL || mt__same_shape(a.t, b.t))
		return mt__result(rows[op].name, out, mt__device_of(t), t->rank, t->shape, dtype);
	int rank;
	int64_t shape[MT_MAX_RANK];
	if (mt__broadcast(rows[op].name, a.t->rank, a.t->shape, b.t->rank, b.t->shape, &rank, shape) != MT_OK)
		return NULL;
	return mt__result(rows[op].name, out, mt__device_of(t), rank, shape, dtype);
}

static int check_number(const char *op, const char *name, mt_scalar s) {
	if (s.tag == MT_SCALAR_I64 || s.tag == MT_SCALAR_F64)
		return 1;
	mt__fail(MT_E_ARG, "%s: %s is not a number: its tag is %d", op, name, (int)s.tag);
	return 0;
}

/* Neither a tensor nor a number: a rule's earlier call failed. */
static int failed(struct mt__zip_operand o) {
	return o.t == NULL && o.s.tag == MT_SCALAR_NONE;
}

mt_tensor *mt__zip(int32_t op, struct mt__zip_operand a, struct mt__zip_operand b, mt_tensor *out) {
	const struct mt__op_row *row = &rows[op];
	if (failed(a) || failed(b))
		return NULL;
	mt_dtype dtype = compute_dtype(op, a, b);
	if (dtype == 0 || !convert(&a, dtype) || !convert(&b, dtype))
		return NULL;
	mt_tensor *y = result_of(op, a, b, row->result == MT__RESULT_BOOL ? MT_BOOL : dtype, out);
	if (y == NULL || run(op, a, b, y, (mt_scalar){0}, (mt_scalar){0}) != MT_OK)
		return NULL;
	mt_tensor *in[2] = {a.t != NULL ? a.t : b.t, b.t != NULL ? b.t : a.t};
	if (row->result == MT__RESULT_BOOL || !mt__wants_grad(in, 2))
		return y;
	return mt__zip_record(op, a, b, y);
}

/* The dtypes of the ops that mt_zip takes straight: results of the operands' dtype, no parameters. */
#define MT_ZIP(id, NAME, name, dtypes, result, formula)                                                                \
	[id] = MT__RESULT_##result == MT__RESULT_SAME &&                                                                   \
	               ((id) <= MT_ZIP_ATAN2 || ((id) >= MT_ZIP_FMOD && (id) <= MT_ZIP_COPYSIGN))                          \
	           ? MT_SET_##dtypes                                                                                       \
	           : 0,
static const uint16_t straight[MT_ZIP_END_] = {
#include "mt/zip_ops.def"
};
#undef MT_ZIP

/* Nothing to check, convert or broadcast: the short way that most calls take.  (MT_NONE has no dtype.) */
static inline int alike(int32_t op, const mt_tensor *a, const mt_tensor *b) {
	if ((uint32_t)op >= MT_ZIP_END_ || a == NULL || b == NULL || a->dtype != b->dtype || a->rank != b->rank ||
	    !mt__dtype_in(a->dtype, straight[op]) || mt__device_of(a) != mt__device_of(b))
		return 0;
	for (int d = 0; d < a->rank; d++)
		if (a->shape[d] != b->shape[d])
			return 0;
	return 1;
}

static inline mt_tensor *zip_alike(int32_t op, mt_tensor *a, mt_tensor *b) {
	mt_tensor *y = mt__tensor_like(rows[op].name, a);
	if (y == NULL)
		return NULL;
	struct mt_zip_args args;
	args.struct_size = sizeof args;
	args.reserved = 0;
	args.op = op;
	args.reserved1 = 0;
	args.a = &a->array;
	args.b = &b->array;
	args.out = &y->array;
	args.scalar = args.p0 = args.p1 = (mt_scalar){0};
	if (y->numel != 0 && mt__dispatch_zip(mt__device_of(a), a->dtype, &args) != MT_OK)
		return NULL;
	return mt__in_graph(a) || mt__in_graph(b) ? mt__zip_record_alike(op, a, b, y) : y;
}

static __attribute__((noinline)) mt_tensor *zip_any(int32_t op, mt_tensor *a, mt_tensor *b) {
	return mt__zip_to(op, a, b, NULL);
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

static int check_operand(const char *op, const char *name, struct mt__zip_operand o, int is_number) {
	return is_number ? check_number(op, name, o.s) : mt__check_tensor(op, name, o.t);
}

/* One operand at most is a number. */
static mt_tensor *checked(int32_t op, struct mt__zip_operand a, struct mt__zip_operand b, int number_at,
                          mt_tensor *out) {
	mt_tensor *both[2] = {a.t, b.t};
	if (!check_op(op) || !check_operand(rows[op].name, "a", a, number_at == 0) ||
	    !check_operand(rows[op].name, "b", b, number_at == 1) ||
	    (number_at < 0 && !mt__check_same_device(rows[op].name, both, 2)))
		return NULL;
	return mt__zip(op, a, b, out);
}

mt_tensor *mt_zip(int32_t op, mt_tensor *a, mt_tensor *b) {
	return alike(op, a, b) ? zip_alike(op, a, b) : zip_any(op, a, b);
}

mt_tensor *mt_zip_scalar(int32_t op, mt_tensor *a, mt_scalar b) {
	return mt__zip_scalar_to(op, a, b, NULL);
}

mt_tensor *mt_scalar_zip(int32_t op, mt_scalar a, mt_tensor *b) {
	return mt__scalar_zip_to(op, a, b, NULL);
}

mt_tensor *mt__zip_to(int32_t op, mt_tensor *a, mt_tensor *b, mt_tensor *out) {
	return checked(op, mt__zip_tensor(a), mt__zip_tensor(b), -1, out);
}

mt_tensor *mt__zip_scalar_to(int32_t op, mt_tensor *a, mt_scalar b, mt_tensor *out) {
	return checked(op, mt__zip_tensor(a), mt__zip_number(b), 1, out);
}

mt_tensor *mt__scalar_zip_to(int32_t op, mt_scalar a, mt_tensor *b, mt_tensor *out) {
	return checked(op, mt__zip_number(a), mt__zip_tensor(b), 0, out);
}

int mt__zip_gives_bool(int32_t op) {
	return op > 0 && op < MT_ZIP_END_ && rows[op].result == MT__RESULT_BOOL;
}

mt_status mt__zip_into(int32_t op, mt_tensor *a, mt_tensor *b, mt_tensor *out) {
	mt__storage_touch(out->storage);
	return run(op, mt__zip_tensor(a), mt__zip_tensor(b), out, (mt_scalar){0}, (mt_scalar){0});
}

mt_status mt__zip_scalar_into(int32_t op, mt_tensor *a, mt_scalar b, mt_tensor *out) {
	mt__storage_touch(out->storage);
	return run(op, mt__zip_tensor(a), mt__zip_number(b), out, (mt_scalar){0}, (mt_scalar){0});
}

mt_tensor *mt__zip_with(int32_t op, mt_tensor *a, mt_tensor *b, mt_scalar p, mt_scalar q) {
	if (a == NULL || b == NULL)
		return NULL;
	mt_tensor *y = result_of(op, mt__zip_tensor(a), mt__zip_tensor(b), a->dtype, NULL);
	return y != NULL && run(op, mt__zip_tensor(a), mt__zip_tensor(b), y, p, q) == MT_OK ? y : NULL;
}

mt_tensor *mt__zip_grad(int32_t op, mt_tensor *g, mt_tensor *saved, mt_scalar p, mt_scalar q) {
	if (!mt__exclusive(g) || g->dtype != saved->dtype || !mt__same_shape(g, saved) ||
	    mt__self_overlap(g->rank, g->shape, g->stride))
		return mt__zip_with(op, g, saved, p, q);
	mt__storage_touch(g->storage);
	return run(op, mt__zip_tensor(g), mt__zip_tensor(saved), g, p, q) == MT_OK ? g : NULL;
}
