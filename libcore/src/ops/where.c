/* Choosing by a condition: where, masked_fill. */
#include "ops/ops.h"

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
		mt_tensor *g = mt_where(cond, i == 0 ? gout : zero, i == 0 ? zero : gout);
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

/* ---- masked_fill -------------------------------------------------------------------------------------------------- */

mt_tensor *mt_masked_fill(mt_tensor *x, mt_tensor *mask, mt_scalar value) {
	mt_tensor *both[2] = {x, mask};
	if (!mt__check_tensor("masked_fill", "x", x) || !mt__check_tensor("masked_fill", "mask", mask) ||
	    !mt__check_same_device("masked_fill", both, 2) || mt__check_scalar("masked_fill", "value", value) != MT_OK ||
	    mt__check_broadcasts_to("masked_fill", "mask", mask, "x", x) != MT_OK)
		return NULL;
	mt_tensor *filling = mt__full("masked_fill", mt__device_of(x), 0, NULL, x->dtype, value);
	return filling == NULL ? NULL : mt_where(mask, filling, x);
}
