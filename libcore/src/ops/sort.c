/* Order along an axis: sort, argsort, topk. */
#include "ops/index.h"

/* A line-wise order of x, which has an axis.  values and indices are x's shape. */
struct order {
	mt_tensor *values, *indices;
};

static int sort(const char *op, mt_tensor *x, int axis, int descending, struct order *out) {
	out->values = mt__tensor_new(op, mt__device_of(x), x->rank, x->shape, x->dtype);
	out->indices = mt__tensor_new(op, mt__device_of(x), x->rank, x->shape, MT_I64);
	if (out->values == NULL || out->indices == NULL)
		return 0;
	if (x->numel == 0)
		return 1;
	mt_array ax = mt__array(x), av = mt__array(out->values), ai = mt__array(out->indices);
	struct mt_sort_args args = {.struct_size = sizeof args,
	                            .axis = axis,
	                            .descending = descending != 0,
	                            .x = &ax,
	                            .values = &av,
	                            .indices = &ai};
	return mt__dispatch(mt__device_of(x), MT_K_SORT, 0, &args) == MT_OK;
}

/* The values, recorded as a gather at the indices; both of x's rank again. */
static mt_tensor *delivered(struct order *o, mt_tensor *line, int axis, const mt_tensor *x, mt_tensor **indices) {
	mt_tensor *y = mt__without_axis(mt__record_gather(line, o->indices, o->values, axis), x);
	if (indices != NULL && (*indices = y == NULL ? NULL : mt__without_axis(o->indices, x)) == NULL)
		return NULL;
	return y;
}

/* Checks x, which gets an axis, and counts axis from the start. */
static mt_tensor *prepared(const char *op, mt_tensor *x, int *axis) {
	return mt__check_tensor(op, "x", x) && (*axis = mt__axis(op, x, *axis)) >= 0 ? mt__with_axis(x) : NULL;
}

mt_tensor *mt_sort(mt_tensor *x, int axis, int descending, mt_tensor **indices) {
	struct order o;
	mt_tensor *line = prepared("sort", x, &axis);
	if (indices != NULL)
		*indices = NULL;
	return line != NULL && sort("sort", line, axis, descending, &o) ? delivered(&o, line, axis, x, indices) : NULL;
}

mt_tensor *mt_argsort(mt_tensor *x, int axis, int descending) {
	struct order o;
	mt_tensor *line = prepared("argsort", x, &axis);
	return line != NULL && sort("argsort", line, axis, descending, &o) ? mt__without_axis(o.indices, x) : NULL;
}

/* Its first k along axis, in memory of their own. */
static mt_tensor *first(mt_tensor *t, int axis, int64_t k) {
	mt_tensor *part = mt_narrow(t, axis, 0, k);
	return part == NULL || k == t->shape[axis] ? part : mt__copy_of(part);
}

mt_tensor *mt_topk(mt_tensor *x, int64_t k, int axis, int largest, mt_tensor **indices) {
	char text[MT__SHAPE_TEXT];
	struct order o;
	mt_tensor *line = prepared("topk", x, &axis);
	if (indices != NULL)
		*indices = NULL;
	if (line == NULL)
		return NULL;
	if (k < 0 || k > line->shape[axis])
		return mt__fail_null(MT_E_ARG, "topk: k is %lld; 0 to %lld along axis %d of %s", (long long)k,
		                     (long long)line->shape[axis], axis, mt__tensor_text(text, x));
	if (!sort("topk", line, axis, largest, &o))
		return NULL;
	o.values = first(o.values, axis, k);
	o.indices = o.values == NULL ? NULL : first(o.indices, axis, k);
	return o.indices == NULL ? NULL : delivered(&o, line, axis, x, indices);
}
