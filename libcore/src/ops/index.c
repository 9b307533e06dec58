/* Ops with indices: gather, index_select, one_hot, argmax, argmin, where. */
#include "ops/ops.h"

/* ---- gather and index_select -------------------------------------------------------------------------------------- */

/* x beside an index array: index's extents but along axis. */
static mt_array beside(const mt_tensor *x, const mt_array *index, int axis) {
	mt_array a = mt__array(x);
	for (int d = 0; d < x->rank; d++)
		if (d != axis)
			a.shape[d] = index->shape[d];
	return a;
}

/* The index of index_select as gather wants it: x's rank, the same along every other dim. */
static mt_array spread(const mt_tensor *index, const mt_tensor *x, int axis) {
	mt_array a = mt__array(index);
	a.rank = x->rank;
	for (int d = 0; d < x->rank; d++) {
		a.shape[d] = d == axis ? index->shape[0] : x->shape[d];
		a.stride[d] = d == axis ? index->stride[0] : 0;
	}
	return a;
}

static mt_array index_array(const mt_tensor *index, const mt_tensor *x, int axis, int select) {
	return select ? spread(index, x, axis) : mt__array(index);
}

struct attrs {
	int32_t axis, select, rank, reserved;
	int64_t shape[MT_MAX_RANK];
};

static mt_status gather_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct attrs *a = mt__attrs(node);
	mt_tensor *index = mt__saved(node, 0);
	if (index == NULL)
		return mt_error_peek();
	gx[0] = mt__full("scatter_add", mt__device_of(gout), a->rank, a->shape, gout->dtype, mt_i(0));
	if (gx[0] == NULL)
		return mt_error_peek();
	if (gout->numel == 0)
		return MT_OK;
	mt_array as = mt__array(gout), ai = index_array(index, gx[0], a->axis, a->select);
	mt_array ao = beside(gx[0], &ai, a->axis);
	struct mt_scatter_add_args args = {
		.struct_size = sizeof args, .axis = a->axis, .src = &as, .index = &ai, .out = &ao};
	return mt__dispatch(mt__device_of(gout), MT_K_SCATTER_ADD, 0, &args);
}

static const struct mt_grad_rule gather_rule = {"gather", gather_backward};
static const struct mt_grad_rule select_rule = {"index_select", gather_backward};

static mt_tensor *record(mt_tensor *x, mt_tensor *index, mt_tensor *y, int axis, int select) {
	struct mt_node *node = mt__record(select ? &select_rule : &gather_rule, y, &x, 1);
	if (node == NULL || mt__save(node, 0, index) != MT_OK)
		return NULL;
	struct attrs *a = mt__attrs(node);
	a->axis = axis;
	a->select = select;
	a->rank = x->rank;
	for (int d = 0; d < x->rank; d++)
		a->shape[d] = x->shape[d];
	return y;
}

static mt_tensor *gather(const char *op, mt_tensor *x, mt_tensor *index, int axis, int select) {
	mt_array ax, ai = index_array(index, x, axis, select), ay;
	mt_tensor *y = mt__tensor_new(op, mt__device_of(x), ai.rank, ai.shape, x->dtype);
	if (y == NULL)
		return NULL;
	if (y->numel != 0 && x->shape[axis] == 0) {
		char text[MT__SHAPE_TEXT];
		return mt__fail_null(MT_E_ARG, "%s: x is %s: nothing can be taken along axis %d", op, mt__tensor_text(text, x),
		                     axis);
	}
	if (y->numel != 0) {
		ax = beside(x, &ai, axis);
		ay = mt__array(y);
		struct mt_gather_args args = {.struct_size = sizeof args, .axis = axis, .x = &ax, .index = &ai, .out = &ay};
		if (mt__dispatch(mt__device_of(x), MT_K_GATHER, 0, &args) != MT_OK)
			return NULL;
	}
	return mt__wants_grad(&x, 1) ? record(x, index, y, axis, select) : y;
}

static int check_arguments(const char *op, mt_tensor *x, mt_tensor **index) {
	mt_tensor *in[2] = {x, *index};
	return mt__check_tensor(op, "x", x) && mt__check_tensor(op, "index", *index) && mt__check_same_device(op, in, 2) &&
	       (*index = mt__index_of(op, "index", *index)) != NULL;
}

mt_tensor *mt_gather(mt_tensor *x, int dim, mt_tensor *index) {
	if (!check_arguments("gather", x, &index) || (dim = mt__dim("gather", x, dim)) < 0)
		return NULL;
	int fits = index->rank == x->rank;
	for (int d = 0; d < x->rank && fits; d++)
		fits = d == dim || index->shape[d] <= x->shape[d];
	if (!fits) {
		char tx[MT__SHAPE_TEXT], ti[MT__SHAPE_TEXT];
		return mt__fail_null(MT_E_SHAPE,
		                     "gather: x is %s, index is %s: the ranks must be equal, and index no longer "
		                     "than x along any dim but %d",
		                     mt__tensor_text(tx, x), mt__tensor_text(ti, index), dim);
	}
	return gather("gather", x, index, dim, 0);
}

mt_tensor *mt_index_select(mt_tensor *x, int dim, mt_tensor *index) {
	if (!check_arguments("index_select", x, &index) || (dim = mt__dim("index_select", x, dim)) < 0)
		return NULL;
	if (index->rank != 1) {
		char text[MT__SHAPE_TEXT];
		return mt__fail_null(MT_E_SHAPE, "index_select: index is %s; [n] is needed", mt__tensor_text(text, index));
	}
	return gather("index_select", x, index, dim, 1);
}

/* ---- one_hot ------------------------------------------------------------------------------------------------------ */

/* Ones scattered into zeros.  scatter_add counts negative indices from the end, so they are sent out of range instead. */
static mt_status scatter_ones(mt_tensor *out, mt_tensor *index) {
	mt_tensor *negative = mt_zip_scalar(MT_ZIP_LT, index, mt_i(0));
	index = mt_where(negative, mt__number_like(index, (double)out->shape[1]), index);
	mt_tensor *one = index == NULL ? NULL : mt__number_like(out, 1);
	if (one == NULL)
		return mt_error_peek();
	int64_t shape[2] = {index->shape[0], 1};
	mt_array as = mt__array_expanded(one, 2, shape), ai = mt__array(index), ao = mt__array(out);
	ai.rank = 2;
	ai.shape[1] = 1;
	ai.stride[1] = 0;
	struct mt_scatter_add_args args = {.struct_size = sizeof args, .axis = 1, .src = &as, .index = &ai, .out = &ao};
	return mt__dispatch(mt__device_of(out), MT_K_SCATTER_ADD, 0, &args);
}

mt_tensor *mt_one_hot(mt_tensor *index, int64_t classes, mt_dtype dtype) {
	char text[MT__SHAPE_TEXT];
	if (!mt__check_tensor("one_hot", "index", index) || (index = mt__index_of("one_hot", "index", index)) == NULL)
		return NULL;
	if (index->rank != 1)
		return mt__fail_null(MT_E_SHAPE, "one_hot: index is %s; [n] is needed", mt__tensor_text(text, index));
	if (classes < 1)
		return mt__fail_null(MT_E_ARG, "one_hot: %lld classes; at least 1 is needed", (long long)classes);
	if (mt_dtype_size(dtype) == 0)
		return mt__fail_null(MT_E_DTYPE, "one_hot: %d is no dtype", (int)dtype);
	int64_t shape[2] = {index->shape[0], classes};
	mt_dtype made = dtype == MT_BOOL ? MT_U8 : dtype;
	mt_tensor *out = mt__full("one_hot", mt__device_of(index), 2, shape, made, mt_i(0));
	if (out == NULL || (out->numel > 0 && scatter_ones(out, index) != MT_OK))
		return NULL;
	return mt_cast(out, dtype);
}

/* ---- argmax, argmin ----------------------------------------------------------------------------------------------- */

static mt_tensor *arg_reduce(const char *op, int32_t kind, mt_tensor *x, int axis, int keepdim) {
	char text[MT__SHAPE_TEXT];
	if (!mt__check_tensor(op, "x", x) || (axis = mt__dim(op, x, axis)) < 0)
		return NULL;
	if (x->shape[axis] == 0)
		return mt__fail_null(MT_E_SHAPE, "%s: %s has no elements along axis %d", op, mt__tensor_text(text, x), axis);
	int64_t shape[MT_MAX_RANK];
	int rank = 0;
	for (int d = 0; d < x->rank; d++)
		if (d != axis || keepdim)
			shape[rank++] = d == axis ? 1 : x->shape[d];
	mt_tensor *y = mt__tensor_new(op, mt__device_of(x), rank, shape, MT_I64);
	if (y == NULL || y->numel == 0)
		return y;
	mt_array ax = mt__array(x), ay = mt__array(y);
	ay.rank = x->rank;
	for (int d = 0; d < x->rank; d++)
		ay.shape[d] = d == axis ? 1 : x->shape[d];
	mt__contiguous_strides(ay.rank, ay.shape, ay.stride);
	struct mt_arg_reduce_args args = {.struct_size = sizeof args, .op = kind, .axis = axis, .x = &ax, .out = &ay};
	return mt__dispatch(mt__device_of(x), MT_K_ARG_REDUCE, kind, &args) == MT_OK ? y : NULL;
}

mt_tensor *mt_argmax(mt_tensor *x, int axis, int keepdim) {
	return arg_reduce("argmax", MT_ARG_MAX, x, axis, keepdim);
}

mt_tensor *mt_argmin(mt_tensor *x, int axis, int keepdim) {
	return arg_reduce("argmin", MT_ARG_MIN, x, axis, keepdim);
}

/* ---- where -------------------------------------------------------------------------------------------------------- */

struct where_attrs {
	int32_t rank[2];
	int64_t shape[2][MT_MAX_RANK];
};

static mt_tensor *select(mt_tensor *cond, mt_tensor *a, mt_tensor *b, int rank, const int64_t *shape) {
	mt_tensor *y = mt__tensor_new("where", mt__device_of(cond), rank, shape, a->dtype);
	if (y == NULL || y->numel == 0)
		return y;
	mt_array ac = mt__array_expanded(cond, rank, shape), aa = mt__array_expanded(a, rank, shape);
	mt_array ab = mt__array_expanded(b, rank, shape), ay = mt__array(y);
	struct mt_select_args args = {.struct_size = sizeof args, .cond = &ac, .a = &aa, .b = &ab, .out = &ay};
	return mt__dispatch(mt__device_of(cond), MT_K_SELECT, 0, &args) == MT_OK ? y : NULL;
}

static mt_status where_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct where_attrs *attrs = mt__attrs(node);
	mt_tensor *cond = mt__saved(node, 0), *zero = mt__number_like(gout, 0);
	if (cond == NULL || zero == NULL)
		return mt_error_peek();
	for (int i = 0; i < 2; i++) {
		if (!mt__needs(node, i))
			continue;
		mt_tensor *g = select(cond, i == 0 ? gout : zero, i == 0 ? zero : gout, gout->rank, gout->shape);
		gx[i] = mt__unbroadcast(g, attrs->rank[i], attrs->shape[i]);
		if (gx[i] == NULL)
			return mt_error_peek();
	}
	return MT_OK;
}

static const struct mt_grad_rule where_rule = {"where", where_backward};

mt_tensor *mt_where(mt_tensor *cond, mt_tensor *a, mt_tensor *b) {
	mt_tensor *all[3] = {cond, a, b};
	int rank, rank_ab;
	int64_t shape[MT_MAX_RANK], shape_ab[MT_MAX_RANK];
	if (!mt__check_tensor("where", "cond", cond) || !mt__check_tensor("where", "a", a) ||
	    !mt__check_tensor("where", "b", b) || !mt__check_same_device("where", all, 3) ||
	    mt__broadcast("where", a->rank, a->shape, b->rank, b->shape, &rank_ab, shape_ab) != MT_OK ||
	    mt__broadcast("where", cond->rank, cond->shape, rank_ab, shape_ab, &rank, shape) != MT_OK)
		return NULL;
	mt_dtype dtype = mt__promote_tensors(a, b);
	mt_tensor *in[2] = {mt_cast(a, dtype), mt_cast(b, dtype)};
	if (in[0] == NULL || in[1] == NULL || (cond = mt_cast(cond, MT_BOOL)) == NULL)
		return NULL;
	mt_tensor *y = select(cond, in[0], in[1], rank, shape);
	if (y == NULL || !mt__wants_grad(in, 2))
		return y;
	struct mt_node *node = mt__record(&where_rule, y, in, 2);
	if (node == NULL || mt__save(node, 0, cond) != MT_OK)
		return NULL;
	struct where_attrs *attrs = mt__attrs(node);
	for (int i = 0; i < 2; i++) {
		attrs->rank[i] = in[i]->rank;
		for (int d = 0; d < in[i]->rank; d++)
			attrs->shape[i][d] = in[i]->shape[d];
	}
	return y;
}
