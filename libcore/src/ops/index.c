/* Taking and adding at indices: gather, index_select, scatter_add; one_hot. */
#include "ops/index.h"

/* ---- what they share ---------------------------------------------------------------------------------------------- */

/* x beside an index array: index's extents but along axis. */
static mt_array beside(const mt_tensor *x, const mt_array *index, int axis) {
	mt_array a = mt__array(x);
	for (int d = 0; d < x->rank; d++)
		if (d != axis)
			a.shape[d] = index->shape[d];
	return a;
}

/* The index of index_select as gather wants it: of this shape, the same along every dim but axis. */
static mt_array spread(const mt_tensor *index, int rank, const int64_t *shape, int axis) {
	mt_array a = mt__array(index);
	a.rank = rank;
	for (int d = 0; d < rank; d++) {
		a.shape[d] = d == axis ? index->shape[0] : shape[d];
		a.stride[d] = d == axis ? index->stride[0] : 0;
	}
	return a;
}

/* The tensor that is taken from, or added to.  select: index is that of index_select. */
struct attrs {
	int32_t axis, select, rank, reserved;
	int64_t shape[MT_MAX_RANK];
};

static struct attrs attrs_of(const mt_tensor *x, int axis, int select) {
	struct attrs a = {.axis = axis, .select = select, .rank = x->rank};
	for (int d = 0; d < x->rank; d++)
		a.shape[d] = x->shape[d];
	return a;
}

static mt_array index_array(const mt_tensor *index, const struct attrs *a) {
	return a->select ? spread(index, a->rank, a->shape, a->axis) : mt__array(index);
}

static mt_tensor *taken(mt_tensor *x, mt_tensor *index, const struct attrs *a) {
	return a->select ? mt_index_select(x, a->axis, index) : mt_gather(x, a->axis, index);
}

static int no_elements(const char *op, const mt_tensor *x, const struct attrs *a) {
	char text[MT__SHAPE_TEXT];
	if (a->shape[a->axis] > 0)
		return 0;
	mt__fail(MT_E_ARG, "%s: x is %s: it has nothing along axis %d", op, mt__tensor_text(text, x), a->axis);
	return 1;
}

/* ---- adding ------------------------------------------------------------------------------------------------------- */

/* out, which nobody has seen yet, with src added. */
static mt_status add_at(mt_tensor *out, mt_tensor *index, mt_tensor *src, const struct attrs *a) {
	mt_array ai = index_array(index, a), as = mt__array(src), ao = beside(out, &ai, a->axis);
	for (int d = 0; d < src->rank; d++)
		as.shape[d] = ai.shape[d];
	struct mt_scatter_add_args args = {
		.struct_size = sizeof args, .axis = a->axis, .src = &as, .index = &ai, .out = &ao};
	return mt__dispatch(mt__device_of(out), MT_K_SCATTER_ADD, 0, &args);
}

/* gbase = g,  gsrc = g[index] */
static mt_status scatter_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	mt_tensor *index = mt__saved(node, 0);
	if (index == NULL)
		return mt_error_peek();
	if (mt__needs(node, 0))
		gx[0] = gout;
	if (mt__needs(node, 1) && (gx[1] = taken(gout, index, mt__attrs(node))) == NULL)
		return mt_error_peek();
	return MT_OK;
}

static const struct mt_grad_rule scatter_rule = {"scatter_add", scatter_backward};

/* base (MT_NONE: zeros of a's shape) with src added at index.  Everything is checked; src is of index's shape. */
static mt_tensor *scatter(mt_tensor *base, mt_tensor *index, mt_tensor *src, const struct attrs *a) {
	mt_tensor *in[2] = {base, src};
	mt_tensor *y = mt__given(base)
	                   ? mt__copy_of(base)
	                   : mt__full("scatter_add", mt__device_of(src), a->rank, a->shape, src->dtype, mt_i(0));
	if (y == NULL)
		return NULL;
	if (src->numel > 0 && (no_elements("scatter_add", y, a) || add_at(y, index, src, a) != MT_OK))
		return NULL;
	if (!mt__wants_grad(in, 2))
		return y;
	struct mt_node *node = mt__record(&scatter_rule, y, in, 2);
	if (node == NULL || mt__save(node, 0, index) != MT_OK)
		return NULL;
	*(struct attrs *)mt__attrs(node) = *a;
	return y;
}

/* ---- taking ------------------------------------------------------------------------------------------------------- */

static mt_status gather_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	mt_tensor *index = mt__saved(node, 0);
	if (index == NULL)
		return mt_error_peek();
	gx[0] = scatter(MT_NONE, index, gout, mt__attrs(node));
	return gx[0] != NULL ? MT_OK : mt_error_peek();
}

static const struct mt_grad_rule gather_rule = {"gather", gather_backward};
static const struct mt_grad_rule select_rule = {"index_select", gather_backward};

static mt_tensor *record(mt_tensor *x, mt_tensor *index, mt_tensor *y, const struct attrs *a) {
	if (!mt__wants_grad(&x, 1))
		return y;
	struct mt_node *node = mt__record(a->select ? &select_rule : &gather_rule, y, &x, 1);
	if (node == NULL || mt__save(node, 0, index) != MT_OK)
		return NULL;
	*(struct attrs *)mt__attrs(node) = *a;
	return y;
}

mt_tensor *mt__record_gather(mt_tensor *x, mt_tensor *index, mt_tensor *y, int axis) {
	struct attrs a = attrs_of(x, axis, 0);
	return record(x, index, y, &a);
}

static mt_tensor *take(const char *op, mt_tensor *x, mt_tensor *index, int axis, int select) {
	if (x == NULL || index == NULL)
		return NULL;
	struct attrs a = attrs_of(x, axis, select);
	mt_array ai = index_array(index, &a);
	mt_tensor *y = mt__tensor_new(op, mt__device_of(x), ai.rank, ai.shape, x->dtype);
	if (y == NULL || (y->numel > 0 && no_elements(op, x, &a)))
		return NULL;
	if (y->numel > 0) {
		mt_array ax = beside(x, &ai, axis), ay = mt__array(y);
		struct mt_gather_args args = {.struct_size = sizeof args, .axis = axis, .x = &ax, .index = &ai, .out = &ay};
		if (mt__dispatch(mt__device_of(x), MT_K_GATHER, 0, &args) != MT_OK)
			return NULL;
	}
	return record(x, index, y, &a);
}

/* ---- the ops ------------------------------------------------------------------------------------------------------ */

static int check_arguments(const char *op, mt_tensor *x, mt_tensor **index, int *dim) {
	mt_tensor *in[2] = {x, *index};
	return mt__check_tensor(op, "x", x) && mt__check_tensor(op, "index", *index) && mt__check_same_device(op, in, 2) &&
	       (*index = mt__index_of(op, "index", *index)) != NULL && (*dim = mt__axis(op, x, *dim)) >= 0;
}

/* Whether index is no longer than t along any dim but skip. */
static int reaches(const mt_tensor *t, const mt_tensor *index, int skip) {
	int fits = index->rank == t->rank;
	for (int d = 0; d < t->rank && fits; d++)
		fits = d == skip || index->shape[d] <= t->shape[d];
	return fits;
}

mt_tensor *mt_gather(mt_tensor *x, int dim, mt_tensor *index) {
	char tx[MT__SHAPE_TEXT], ti[MT__SHAPE_TEXT];
	if (!check_arguments("gather", x, &index, &dim))
		return NULL;
	if (!reaches(x, index, dim))
		return mt__fail_null(MT_E_SHAPE,
		                     "gather: x is %s, index is %s: the ranks must be equal, and index no longer "
		                     "than x along any dim but %d",
		                     mt__tensor_text(tx, x), mt__tensor_text(ti, index), dim);
	return mt__without_axis(take("gather", mt__with_axis(x), mt__with_axis(index), dim, 0), x);
}

mt_tensor *mt_index_select(mt_tensor *x, int dim, mt_tensor *index) {
	if (!check_arguments("index_select", x, &index, &dim))
		return NULL;
	if (index->rank != 1) {
		char text[MT__SHAPE_TEXT];
		return mt__fail_null(MT_E_SHAPE, "index_select: index is %s; [n] is needed", mt__tensor_text(text, index));
	}
	return mt__without_axis(take("index_select", mt__with_axis(x), index, dim, 1), x);
}

static mt_status check_scatter(const mt_tensor *x, int dim, const mt_tensor *index, const mt_tensor *src) {
	char tx[MT__SHAPE_TEXT], ti[MT__SHAPE_TEXT], ts[MT__SHAPE_TEXT];
	if (src->dtype != x->dtype)
		return mt__fail(MT_E_DTYPE, "scatter_add: x is %s, src is %s; one dtype is needed", mt__tensor_text(tx, x),
		                mt__tensor_text(ts, src));
	if (index->numel == 0 || (reaches(x, index, dim) && reaches(src, index, -1)))
		return MT_OK;
	return mt__fail(MT_E_SHAPE,
	                "scatter_add: x is %s, index is %s, src is %s: the ranks must be equal, and index no longer than "
	                "src along any dim, nor than x along any but %d",
	                mt__tensor_text(tx, x), mt__tensor_text(ti, index), mt__tensor_text(ts, src), dim);
}

/* The part of src that index reaches. */
static mt_tensor *reached(mt_tensor *src, const mt_tensor *index) {
	for (int d = 0; src != NULL && d < index->rank; d++)
		if (src->shape[d] != index->shape[d])
			src = mt_narrow(src, d, 0, index->shape[d]);
	return src;
}

mt_tensor *mt_scatter_add(mt_tensor *x, int dim, mt_tensor *index, mt_tensor *src) {
	mt_tensor *in[2] = {x, src};
	if (!check_arguments("scatter_add", x, &index, &dim) || !mt__check_tensor("scatter_add", "src", src) ||
	    !mt__check_same_device("scatter_add", in, 2) || check_scatter(x, dim, index, src) != MT_OK)
		return NULL;
	if (index->numel == 0)
		return mt_clone(x);
	mt_tensor *base = mt__with_axis(x), *part = mt__with_axis(src);
	index = mt__with_axis(index);
	if (base == NULL || index == NULL || (part = reached(part, index)) == NULL)
		return NULL;
	struct attrs a = attrs_of(base, dim, 0);
	return mt__without_axis(scatter(base, index, part, &a), x);
}

/* ---- one_hot ------------------------------------------------------------------------------------------------------ */

/* Ones scattered into zeros.  scatter_add counts negative indices from the end, so they are sent out of range instead. */
static mt_status scatter_ones(mt_tensor *out, mt_tensor *index) {
	int axis = out->rank - 1;
	mt_tensor *negative = mt_zip_scalar(MT_ZIP_LT, index, mt_i(0));
	index = mt_unsqueeze(mt_where(negative, mt__number_like(index, (double)out->shape[axis]), index), -1);
	mt_tensor *one = index == NULL ? NULL : mt__number_like(out, 1);
	mt_tensor *ones = one == NULL ? NULL : mt_expand(one, index->rank, index->shape);
	if (ones == NULL)
		return mt_error_peek();
	struct attrs a = attrs_of(out, axis, 0);
	return add_at(out, index, ones, &a);
}

mt_tensor *mt_one_hot(mt_tensor *index, int64_t classes, mt_dtype dtype) {
	int64_t shape[MT_MAX_RANK + 1];
	char text[MT__SHAPE_TEXT];
	if (!mt__check_tensor("one_hot", "index", index) || (index = mt__index_of("one_hot", "index", index)) == NULL)
		return NULL;
	if (index->rank == MT_MAX_RANK)
		return mt__fail_null(MT_E_SHAPE, "one_hot: index is %s; at most %d dims, as the result has one more",
		                     mt__tensor_text(text, index), MT_MAX_RANK - 1);
	if (classes < 1)
		return mt__fail_null(MT_E_ARG, "one_hot: %lld classes; at least 1 is needed", (long long)classes);
	if (mt_dtype_size(dtype) == 0)
		return mt__fail_null(MT_E_DTYPE, "one_hot: %d is no dtype", (int)dtype);
	for (int d = 0; d < index->rank; d++)
		shape[d] = index->shape[d];
	shape[index->rank] = classes;
	mt_dtype made = dtype == MT_BOOL ? MT_U8 : dtype;
	mt_tensor *out = mt__full("one_hot", mt__device_of(index), index->rank + 1, shape, made, mt_i(0));
	if (out == NULL || (out->numel > 0 && scatter_ones(out, index) != MT_OK))
		return NULL;
	return mt_cast(out, dtype);
}
