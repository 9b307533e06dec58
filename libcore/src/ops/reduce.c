/* reduce: over any set of axes.  The ops come from reduce_ops.def; this file adds how each is differentiated. */
#include "ops/out.h"
#include "ops/reduce.h"

#define MT_REDUCE(id, NAME, name, dtypes, result, formula) [id] = {#name, MT_SET_##dtypes, MT__RESULT_##result},
static const struct mt__op_row rows[MT_REDUCE_END_] = {
#include "mt/reduce_ops.def"
};
#undef MT_REDUCE

/* ---- axes --------------------------------------------------------------------------------------------------------- */

mt_status mt__axes_mask(const char *op, const mt_tensor *x, mt_axes axes, uint32_t *mask) {
	*mask = 0;
	if (axes.n == -1) {
		*mask = (1u << x->rank) - 1u;
		return MT_OK;
	}
	if (axes.n < 0 || axes.n > MT_MAX_RANK)
		return mt__fail(MT_E_ARG, "%s: a set of %d axes; 0 to %d, or MT_ALL_AXES", op, axes.n, MT_MAX_RANK);
	for (int i = 0; i < axes.n; i++) {
		int d = mt__axis(op, x, axes.axis[i]);
		if (d < 0)
			return MT_E_ARG;
		if (*mask >> d & 1u)
			return mt__fail(MT_E_ARG, "%s: axis %d is named twice", op, d);
		*mask |= 1u << d;
	}
	*mask &= (1u << x->rank) - 1u; /* axis 0 of a 0-d tensor */
	return MT_OK;
}

mt_tensor *mt__expand_reduced(mt_tensor *y, int rank, const int64_t *shape, uint32_t mask, int keepdim) {
	if (y == NULL)
		return NULL;
	int64_t stride[MT_MAX_RANK];
	for (int d = 0, from = 0; d < rank; d++) {
		int reduced = mask >> d & 1u;
		stride[d] = reduced ? 0 : y->stride[from];
		from += keepdim || !reduced;
	}
	return mt__tensor_alias(y, rank, shape, stride, y->offset);
}

/* ---- gradients ---------------------------------------------------------------------------------------------------- */

struct mt__reduction mt__reduction_of(const mt_tensor *x, uint32_t mask, int keepdim) {
	struct mt__reduction r = {.mask = mask, .keepdim = keepdim != 0, .rank = x->rank, .count = 1};
	for (int d = 0; d < x->rank; d++) {
		r.shape[d] = x->shape[d];
		if (mask >> d & 1u)
			r.count *= x->shape[d];
	}
	return r;
}

static int kept_shape(const struct mt__reduction *r, int64_t *shape) {
	for (int d = 0; d < r->rank; d++)
		shape[d] = r->mask >> d & 1u ? 1 : r->shape[d];
	return r->rank;
}

mt_tensor *mt__reduction_kept(mt_tensor *y, const struct mt__reduction *r) {
	int64_t shape[MT_MAX_RANK];
	int rank = kept_shape(r, shape);
	return mt_grad_enabled() ? mt_reshape(y, rank, shape) : mt__expand_reduced(y, rank, shape, r->mask, r->keepdim);
}

mt_tensor *mt__reduction_expanded(mt_tensor *y, const struct mt__reduction *r) {
	if (mt_grad_enabled())
		return mt_expand(mt__reduction_kept(y, r), r->rank, r->shape);
	return mt__expand_reduced(y, r->rank, r->shape, r->mask, r->keepdim);
}

mt_tensor *mt__reduction_dropped(mt_tensor *kept, const struct mt__reduction *r) {
	int64_t shape[MT_MAX_RANK];
	int rank = 0;
	if (r->keepdim)
		return kept;
	for (int d = 0; d < r->rank; d++)
		if (!(r->mask >> d & 1u))
			shape[rank++] = r->shape[d];
	return mt_reshape(kept, rank, shape);
}

mt_axes mt__reduction_axes(const struct mt__reduction *r) {
	mt_axes axes = {0};
	for (int d = 0; d < MT_MAX_RANK; d++)
		if (r->mask >> d & 1u)
			axes.axis[axes.n++] = d;
	return axes;
}

static mt_tensor *zero_unless(mt_tensor *condition, mt_tensor *value) {
	return value == NULL ? NULL : mt_where(condition, value, mt__number_like(value, 0));
}

typedef mt_tensor *(*derive_fn)(mt_tensor *g, mt_tensor *x, mt_tensor *y, const struct mt__reduction *r);

static mt_tensor *derive_sum(mt_tensor *g, mt_tensor *x, mt_tensor *y, const struct mt__reduction *r) {
	(void)x, (void)y;
	return mt__reduction_expanded(g, r);
}

static mt_tensor *derive_mean(mt_tensor *g, mt_tensor *x, mt_tensor *y, const struct mt__reduction *r) {
	(void)x, (void)y;
	return mt__reduction_expanded(mt_div_scalar(g, mt_f((double)r->count)), r);
}

static mt_tensor *derive_sumsq(mt_tensor *g, mt_tensor *x, mt_tensor *y, const struct mt__reduction *r) {
	(void)y;
	return mt_mul(mt__reduction_expanded(g, r), mt_mul_scalar(x, mt_f(2)));
}

/* x with the reduced axes moved to the end and made one. */
static mt_tensor *factors_last(mt_tensor *x, const struct mt__reduction *r, int64_t *order) {
	int64_t shape[MT_MAX_RANK];
	int n = 0, rank = 0;
	for (int d = 0; d < r->rank; d++)
		if (!(r->mask >> d & 1u)) {
			order[n++] = d;
			shape[rank++] = r->shape[d];
		}
	for (int d = 0; d < r->rank; d++)
		if (r->mask >> d & 1u)
			order[n++] = d;
	shape[rank++] = r->count;
	return mt_reshape(mt_permute(x, r->rank, order), rank, shape);
}

/* The same without a division, whose own gradient would be wrong where two factors are 0. */
static mt_tensor *derive_prod_again(mt_tensor *g, mt_tensor *x, const struct mt__reduction *r) {
	int64_t order[MT_MAX_RANK], back[MT_MAX_RANK], shape[MT_MAX_RANK];
	if (r->mask == 0 || x->numel == 0)
		return mt__reduction_expanded(g, r);
	mt_tensor *others = mt__product_of_others(factors_last(x, r, order), -1);
	for (int d = 0; d < r->rank; d++) {
		shape[d] = r->shape[order[d]];
		back[order[d]] = d;
	}
	others = mt_permute(mt_reshape(others, r->rank, shape), r->rank, back);
	return mt_mul(mt__reduction_expanded(g, r), others);
}

/* Each factor's gradient is the product of the others: that of the factors other than 0, divided by this one, unless
 * a 0 is among the others. */
static mt_tensor *derive_prod(mt_tensor *g, mt_tensor *x, mt_tensor *y, const struct mt__reduction *r) {
	(void)y;
	if (mt_grad_enabled())
		return derive_prod_again(g, x, r);
	mt_axes axes = mt__reduction_axes(r);
	mt_tensor *zero = mt_zip_scalar(MT_ZIP_EQ, x, mt_i(0));
	mt_tensor *zeros = mt_sum(mt_cast(zero, x->dtype), axes, 1);
	mt_tensor *factor = mt_where(zero, mt__number_like(x, 1), x);
	mt_tensor *others = mt_div(mt_prod(factor, axes, 1), factor);
	mt_tensor *counts = mt_logical_or(mt_zip_scalar(MT_ZIP_EQ, zeros, mt_i(0)),
	                                  mt_logical_and(zero, mt_zip_scalar(MT_ZIP_EQ, zeros, mt_i(1))));
	return mt_mul(mt__reduction_expanded(g, r), zero_unless(counts, others));
}

/* max and min: shared evenly among the elements equal to the result; where that is NaN, among the NaNs.  f16 could not
 * hold their number. */
static mt_tensor *derive_extreme(mt_tensor *g, mt_tensor *x, mt_tensor *y, const struct mt__reduction *r) {
	mt_dtype wide = mt__wide(x->dtype);
	mt_tensor *winner = mt_logical_or(mt_eq(x, mt__reduction_expanded(y, r)), mt_isnan(x));
	mt_tensor *winners = mt_sum(mt_cast(winner, wide), mt__reduction_axes(r), 1);
	mt_tensor *share = mt_cast(mt_div(mt_cast(mt__reduction_kept(g, r), wide), winners), x->dtype);
	return zero_unless(winner, share);
}

enum uses { NOTHING = 0, X = 1, Y = 2 };

/* An op without an entry has no gradient. */
static const struct {
	derive_fn derive;
	int uses;
} gradients[MT_REDUCE_END_] = {
	[MT_REDUCE_SUM] = {derive_sum, NOTHING},   [MT_REDUCE_PROD] = {derive_prod, X},
	[MT_REDUCE_MAX] = {derive_extreme, X | Y}, [MT_REDUCE_MIN] = {derive_extreme, X | Y},
	[MT_REDUCE_MEAN] = {derive_mean, NOTHING}, [MT_REDUCE_SUMSQ] = {derive_sumsq, X},
};

static mt_status reduce_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx);

#define MT_REDUCE(id, NAME, name, dtypes, result, formula) [id] = {#name, reduce_backward},
static const struct mt_grad_rule rules[MT_REDUCE_END_] = {
#include "mt/reduce_ops.def"
};
#undef MT_REDUCE

static mt_status reduce_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	int op = (int)(mt__rule(node) - rules);
	int uses = gradients[op].uses;
	mt_tensor *x = NULL, *y = NULL;
	if (((uses & X) && (x = mt__saved(node, 0)) == NULL) || ((uses & Y) && (y = mt__saved(node, 1)) == NULL))
		return mt_error_peek();
	gx[0] = gradients[op].derive(gout, x, y, mt__attrs(node));
	return gx[0] != NULL ? MT_OK : mt_error_peek();
}

static mt_tensor *record(int32_t op, mt_tensor *x, mt_tensor *y, uint32_t mask, int keepdim) {
	struct mt_node *node = mt__record(&rules[op], y, &x, 1);
	if (node == NULL)
		return NULL;
	*(struct mt__reduction *)mt__attrs(node) = mt__reduction_of(x, mask, keepdim);
	int uses = gradients[op].uses;
	if (((uses & X) && mt__save(node, 0, x) != MT_OK) || ((uses & Y) && mt__save(node, 1, y) != MT_OK))
		return NULL;
	return y;
}

/* ---- forward ------------------------------------------------------------------------------------------------------ */

/* Sums and products of integers and bool are i64, means are float. */
static mt_tensor *convert(int32_t op, mt_tensor *x) {
	const struct mt__op_row *row = &rows[op];
	if (row->dtypes == MT_SET_FLOAT)
		return mt_cast(x, mt__to_float(x->dtype));
	if ((op == MT_REDUCE_SUM || op == MT_REDUCE_PROD) && !mt__is_float(x->dtype))
		return mt_cast(x, MT_I64);
	return x;
}

static mt_status check_extreme(int32_t op, const mt_tensor *x, uint32_t mask) {
	char text[MT__SHAPE_TEXT];
	for (int d = 0; d < x->rank; d++)
		if ((mask >> d & 1u) && x->shape[d] == 0)
			return mt__fail(MT_E_SHAPE, "%s: %s has no elements along axis %d", rows[op].name, mt__tensor_text(text, x),
			                d);
	return MT_OK;
}

static mt_scalar identity(int32_t op) {
	switch (op) {
	case MT_REDUCE_PROD:
	case MT_REDUCE_ALL:
		return mt_i(1);
	case MT_REDUCE_MEAN:
		return mt_f((double)__builtin_nan(""));
	default:
		return mt_i(0);
	}
}

static mt_tensor *result_of(int32_t op, const mt_tensor *x, uint32_t mask, int keepdim, mt_tensor *out) {
	int64_t shape[MT_MAX_RANK];
	int rank = 0;
	for (int d = 0; d < x->rank; d++) {
		if (mask >> d & 1u) {
			if (keepdim)
				shape[rank++] = 1;
		} else {
			shape[rank++] = x->shape[d];
		}
	}
	mt_dtype dtype = rows[op].result == MT__RESULT_BOOL ? MT_BOOL : x->dtype;
	return mt__result(rows[op].name, out, mt__device_of(x), rank, shape, dtype);
}

static mt_status run(int32_t op, mt_tensor *x, uint32_t mask, int keepdim, mt_tensor *y) {
	if (y->numel == 0)
		return MT_OK;
	if (x->numel == 0)
		return mt__fill(y, identity(op));
	mt_array ax = mt__array(x), ay = mt__array(y);
	ay.rank = x->rank;
	for (int d = 0, from = 0; d < x->rank; d++) {
		int reduced = mask >> d & 1u;
		ay.shape[d] = reduced ? 1 : x->shape[d];
		ay.stride[d] = reduced ? 0 : y->stride[from];
		from += keepdim || !reduced;
	}
	struct mt_reduce_args args = {.struct_size = sizeof args, .op = op, .axes = mask, .x = &ax, .out = &ay};
	return mt__dispatch(mt__device_of(x), MT_K_REDUCE, op, &args);
}

mt_tensor *mt__reduce_to(int32_t op, mt_tensor *x, mt_axes axes, int keepdim, mt_tensor *out) {
	if (op < 1 || op >= MT_REDUCE_END_)
		return mt__fail_null(MT_E_ARG, "reduce: there is no op %d", (int)op);
	const char *name = rows[op].name;
	uint32_t mask;
	if (!mt__check_tensor(name, "x", x) || mt__axes_mask(name, x, axes, &mask) != MT_OK ||
	    ((op == MT_REDUCE_MAX || op == MT_REDUCE_MIN) && check_extreme(op, x, mask) != MT_OK) ||
	    (x = convert(op, x)) == NULL)
		return NULL;
	mt_tensor *y = result_of(op, x, mask, keepdim, out);
	if (y == NULL || run(op, x, mask, keepdim, y) != MT_OK)
		return NULL;
	if (rows[op].result == MT__RESULT_BOOL || !mt__wants_grad(&x, 1))
		return y;
	return record(op, x, y, mask, keepdim);
}

mt_tensor *mt_reduce(int32_t op, mt_tensor *x, mt_axes axes, int keepdim) {
	return mt__reduce_to(op, x, axes, keepdim, NULL);
}

mt_tensor *mt_sum(mt_tensor *x, mt_axes axes, int keepdim) {
	return mt_reduce(MT_REDUCE_SUM, x, axes, keepdim);
}

mt_tensor *mt_prod(mt_tensor *x, mt_axes axes, int keepdim) {
	return mt_reduce(MT_REDUCE_PROD, x, axes, keepdim);
}

mt_tensor *mt_mean(mt_tensor *x, mt_axes axes, int keepdim) {
	return mt_reduce(MT_REDUCE_MEAN, x, axes, keepdim);
}

mt_tensor *mt_max(mt_tensor *x, mt_axes axes, int keepdim) {
	return mt_reduce(MT_REDUCE_MAX, x, axes, keepdim);
}

mt_tensor *mt_min(mt_tensor *x, mt_axes axes, int keepdim) {
	return mt_reduce(MT_REDUCE_MIN, x, axes, keepdim);
}

mt_tensor *mt_any(mt_tensor *x, mt_axes axes, int keepdim) {
	return mt_reduce(MT_REDUCE_ANY, x, axes, keepdim);
}

mt_tensor *mt_all(mt_tensor *x, mt_axes axes, int keepdim) {
	return mt_reduce(MT_REDUCE_ALL, x, axes, keepdim);
}
