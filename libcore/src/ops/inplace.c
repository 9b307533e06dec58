/* In place: a = op(a, b), of a's shape and dtype. */
#include "ops/ops.h"

mt_status mt__check_writable(const char *op, const mt_tensor *a) {
	char text[MT__SHAPE_TEXT];
	if (a->storage->read_only)
		return mt__fail(MT_E_STATE, "%s: %s lies in memory that its owner lent for reading alone; mt_clone it first",
		                op, mt__tensor_text(text, a));
	if (mt__self_overlap(a->rank, a->shape, a->stride))
		return mt__fail(MT_E_STATE, "%s: %s is an expanded view, whose elements share memory; mt_clone it first", op,
		                mt__tensor_text(text, a));
	if (a->requires_grad && mt_grad_enabled())
		return mt__fail(MT_E_STATE,
		                "%s: %s is a leaf that requires a gradient; switch recording off with "
		                "mt_grad_enable(0) to write it",
		                op, mt__tensor_text(text, a));
	return MT_OK;
}

struct write {
	const char *name;
	int32_t op;
	mt_tensor *a;
	mt_tensor *b; /* NULL: s */
	mt_scalar s;
};

static int fits(const struct write *w) {
	int rank;
	int64_t shape[MT_MAX_RANK];
	if (w->b == NULL || mt__same_shape(w->a, w->b))
		return 1;
	if (mt__broadcast(w->name, w->a->rank, w->a->shape, w->b->rank, w->b->shape, &rank, shape) != MT_OK)
		return 0;
	int same = rank == w->a->rank;
	for (int d = 0; d < rank && same; d++)
		same = shape[d] == w->a->shape[d];
	if (!same) {
		char ta[MT__SHAPE_TEXT], tb[MT__SHAPE_TEXT];
		mt__fail(MT_E_SHAPE, "%s: a is %s, which cannot hold the result with b %s", w->name, mt__tensor_text(ta, w->a),
		         mt__tensor_text(tb, w->b));
	}
	return same;
}

/* As torch.can_cast: never from float to integer, nor to bool from anything else. */
static int result_fits(const struct write *w, mt_dtype result) {
	mt_dtype to = w->a->dtype;
	if (mt__is_float(to) || result == to || (mt__is_integer(to) && !mt__is_float(result)))
		return 1;
	char text[MT__SHAPE_TEXT];
	mt__fail(MT_E_DTYPE, "%s: the result is %s, which a, %s, cannot hold", w->name, mt_dtype_name(result),
	         mt__tensor_text(text, w->a));
	return 0;
}

/* The kernel may write over a itself: no conversion, and b is not another view of a's memory. */
static int direct(const struct write *w) {
	if (w->op == MT_ZIP_DIV && !mt__is_float(w->a->dtype))
		return 0;
	if (w->b == NULL)
		return mt__promote_scalar(w->a->dtype, w->s) == w->a->dtype;
	return w->b->dtype == w->a->dtype && (!mt__may_overlap(w->b, w->a) || mt__same_array(w->a, w->b));
}

/* A product or quotient keeps its arguments for the gradient: those that lie in a's memory are copied before the write. */
static int protect(struct write *w) {
	if (w->b == NULL || (w->op != MT_ZIP_MUL && w->op != MT_ZIP_DIV))
		return 1;
	int shared = w->b->storage == w->a->storage || mt__may_overlap(w->b, w->a);
	if (shared || (w->op == MT_ZIP_MUL && mt__wants_grad(&w->b, 1)))
		w->a = mt_clone(w->a);
	if (shared)
		w->b = mt_clone(w->b);
	return w->a != NULL && w->b != NULL;
}

static mt_tensor *out_of_place(struct write w, int recorded) {
	mt_tensor *a = w.a;
	if (recorded && (mt__check_recordable(w.name, a) != MT_OK || !protect(&w)))
		return NULL;
	mt_tensor *r = w.b != NULL ? mt_zip(w.op, w.a, w.b) : mt_zip_scalar(w.op, w.a, w.s);
	if (r == NULL || !result_fits(&w, r->dtype) || (r = mt_cast(r, a->dtype)) == NULL || mt__copy_into(a, r) != MT_OK)
		return NULL;
	if (recorded)
		mt__take_node(a, r);
	return a;
}

static mt_tensor *write_zip(struct write w) {
	mt_tensor *in[2] = {w.a, w.b != NULL ? w.b : w.a};
	if (mt__check_writable(w.name, w.a) != MT_OK || !fits(&w))
		return NULL;
	int recorded = mt__wants_grad(in, 2);
	if (recorded || !direct(&w))
		return out_of_place(w, recorded);
	if (w.b != NULL)
		return mt__zip_into(w.op, w.a, w.b, w.a) == MT_OK ? w.a : NULL;
	return mt__zip_scalar_into(w.op, w.a, w.s, w.a) == MT_OK ? w.a : NULL;
}

static mt_tensor *with_tensor(const char *name, int32_t op, mt_tensor *a, mt_tensor *b) {
	mt_tensor *in[2] = {a, b};
	if (!mt__check_tensor(name, "a", a) || !mt__check_tensor(name, "b", b) || !mt__check_same_device(name, in, 2))
		return NULL;
	if (op == MT_ZIP_SUB && (a->dtype == MT_BOOL || b->dtype == MT_BOOL))
		return mt__fail_null(MT_E_DTYPE, "%s: not defined on bool", name);
	return write_zip((struct write){name, op, a, b, {0}});
}

static mt_tensor *with_number(const char *name, int32_t op, mt_tensor *a, mt_scalar b) {
	if (!mt__check_tensor(name, "a", a))
		return NULL;
	if (b.tag != MT_SCALAR_I64 && b.tag != MT_SCALAR_F64)
		return mt__fail_null(MT_E_ARG, "%s: b is not a number: its tag is %d", name, (int)b.tag);
	return write_zip((struct write){name, op, a, NULL, b});
}

mt_tensor *mt_add_(mt_tensor *a, mt_tensor *b) {
	return with_tensor("add_", MT_ZIP_ADD, a, b);
}

mt_tensor *mt_sub_(mt_tensor *a, mt_tensor *b) {
	return with_tensor("sub_", MT_ZIP_SUB, a, b);
}

mt_tensor *mt_mul_(mt_tensor *a, mt_tensor *b) {
	return with_tensor("mul_", MT_ZIP_MUL, a, b);
}

mt_tensor *mt_div_(mt_tensor *a, mt_tensor *b) {
	return with_tensor("div_", MT_ZIP_DIV, a, b);
}

mt_tensor *mt_add_scalar_(mt_tensor *a, mt_scalar b) {
	return with_number("add_scalar_", MT_ZIP_ADD, a, b);
}

mt_tensor *mt_mul_scalar_(mt_tensor *a, mt_scalar b) {
	return with_number("mul_scalar_", MT_ZIP_MUL, a, b);
}
