/* embedding: rows of a table.  Its gradient, a sum over the places that read each row, is an op of its own: each is the
 * other's gradient. */
#include "ops/ops.h"

struct attrs {
	int64_t padding_idx, rows;
};

/* ---- the places as a column of rows ------------------------------------------------------------------------------ */

/* index as [n], with what would count from the end sent out of range. */
static mt_tensor *flat_index(mt_tensor *index, int64_t rows) {
	mt_tensor *flat = mt_reshape(index, 1, &index->numel);
	mt_tensor *negative = mt_zip_scalar(MT_ZIP_LT, flat, mt_i(0));
	return mt_where(negative, mt__number_like(index, (double)rows), flat);
}

/* g [index's shape, D] with 0 where index is padding_idx. */
static mt_tensor *without_padding(mt_tensor *g, mt_tensor *index, int64_t padding_idx) {
	if (padding_idx < 0 || g == NULL)
		return g;
	return mt_where(mt_unsqueeze(mt_zip_scalar(MT_ZIP_EQ, index, mt_i(padding_idx)), -1), mt__number_like(g, 0), g);
}

static mt_tensor *take_rows(mt_tensor *table, mt_tensor *index, int composed);
static mt_tensor *sum_rows(mt_tensor *g, mt_tensor *index, struct attrs a, int composed);
static mt_tensor *embedding(mt_tensor *table, mt_tensor *index, int64_t padding_idx);

/* ---- the sums ---------------------------------------------------------------------------------------------------- */

static mt_status sum_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct attrs *a = mt__attrs(node);
	mt_tensor *index = mt__saved(node, 0);
	if (index == NULL)
		return mt_error_peek();
	gx[0] = without_padding(embedding(gout, index, a->padding_idx), index, a->padding_idx);
	return gx[0] != NULL ? MT_OK : mt_error_peek();
}

static const struct mt_grad_rule sum_rule = {"embedding_grad", sum_backward};

static mt_status scatter_rows(mt_tensor *g, mt_tensor *index, struct attrs a, mt_tensor *out) {
	mt_tensor *flat = flat_index(index, a.rows), *kept = without_padding(g, index, a.padding_idx);
	int64_t shape[2] = {index->numel, out->shape[1]};
	mt_tensor *src = kept == NULL ? NULL : mt_reshape(kept, 2, shape);
	if (flat == NULL || src == NULL || mt__fill(out, mt_i(0)) != MT_OK)
		return mt_error_peek();
	mt_array as = mt__array(src), ai = mt__array(flat), ao = mt__array(out);
	ai.rank = 2;
	ai.shape[1] = shape[1];
	ai.stride[1] = 0;
	struct mt_scatter_add_args args = {.struct_size = sizeof args, .src = &as, .index = &ai, .out = &ao};
	return mt__dispatch(mt__device_of(g), MT_K_SCATTER_ADD, 0, &args);
}

/* Whether the device adds rows itself, or would have to be replaced for adding at indices just as well. */
static int sums_natively(const mt_device *device, mt_dtype dtype) {
	return mt__supports(device, MT_K_EMBEDDING_GRAD, 0, dtype) || !mt__supports(device, MT_K_SCATTER_ADD, 0, dtype);
}

static mt_status run_sum(mt_tensor *g, mt_tensor *index, struct attrs a, int composed, mt_tensor *out) {
	if (out->numel == 0)
		return MT_OK;
	if (g->numel == 0)
		return mt__fill(out, mt_i(0));
	if (composed || !sums_natively(mt__device_of(g), g->dtype))
		return scatter_rows(g, index, a, out);
	mt_array ag = mt__array(g), ai = mt__array(index), ao = mt__array(out);
	struct mt_embedding_grad_args args = {
		.struct_size = sizeof args, .gout = &ag, .index = &ai, .gtable = &ao, .padding_idx = a.padding_idx};
	return mt__dispatch(mt__device_of(g), MT_K_EMBEDDING_GRAD, 0, &args);
}

static mt_tensor *sum_rows(mt_tensor *g, mt_tensor *index, struct attrs a, int composed) {
	mt_tensor *out =
		mt__tensor_new("embedding_grad", mt__device_of(g), MT_SHAPE(a.rows, g->shape[g->rank - 1]), g->dtype);
	int was = mt_grad_enable(0);
	mt_status status = out != NULL ? run_sum(g, index, a, composed, out) : mt_error_peek();
	mt_grad_enable(was);
	if (status != MT_OK || !mt__wants_grad(&g, 1))
		return status == MT_OK ? out : NULL;
	struct mt_node *node = mt__record(&sum_rule, out, &g, 1);
	if (node == NULL || mt__save(node, 0, index) != MT_OK)
		return NULL;
	*(struct attrs *)mt__attrs(node) = a;
	return out;
}

mt_tensor *mt__embedding_grad_composed(mt_tensor *g, mt_tensor *index, int64_t rows, int64_t padding_idx) {
	return sum_rows(g, index, (struct attrs){padding_idx, rows}, 1);
}

/* ---- the rows ---------------------------------------------------------------------------------------------------- */

static mt_status embedding_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	mt_tensor *index = mt__saved(node, 0);
	if (index == NULL)
		return mt_error_peek();
	gx[0] = sum_rows(gout, index, *(const struct attrs *)mt__attrs(node), 0);
	return gx[0] != NULL ? MT_OK : mt_error_peek();
}

static const struct mt_grad_rule embedding_rule = {"embedding", embedding_backward};

static int takes_natively(const mt_device *device, mt_dtype dtype) {
	return mt__supports(device, MT_K_EMBEDDING, 0, dtype) || !mt__supports(device, MT_K_GATHER, 0, dtype);
}

static mt_tensor *take_rows(mt_tensor *table, mt_tensor *index, int composed) {
	int64_t shape[MT_MAX_RANK];
	for (int d = 0; d < index->rank; d++)
		shape[d] = index->shape[d];
	shape[index->rank] = table->shape[1];
	if (index->numel > 0 && table->shape[1] > 0 && (composed || !takes_natively(mt__device_of(table), table->dtype))) {
		mt_tensor *rows = mt_index_select(table, 0, flat_index(index, table->shape[0]));
		return rows == NULL ? NULL : mt_reshape(rows, index->rank + 1, shape);
	}
	mt_tensor *y = mt__tensor_new("embedding", mt__device_of(table), index->rank + 1, shape, table->dtype);
	if (y == NULL || y->numel == 0)
		return y;
	mt_array at = mt__array(table), ai = mt__array(index), ay = mt__array(y);
	struct mt_embedding_args args = {.struct_size = sizeof args, .table = &at, .index = &ai, .out = &ay};
	return mt__dispatch(mt__device_of(table), MT_K_EMBEDDING, 0, &args) == MT_OK ? y : NULL;
}

static mt_tensor *embedding(mt_tensor *table, mt_tensor *index, int64_t padding_idx) {
	mt_tensor *y = take_rows(table, index, 0);
	if (y == NULL || !mt__wants_grad(&table, 1))
		return y;
	struct mt_node *node = mt__record(&embedding_rule, y, &table, 1);
	if (node == NULL || mt__save(node, 0, index) != MT_OK)
		return NULL;
	*(struct attrs *)mt__attrs(node) = (struct attrs){padding_idx, table->shape[0]};
	return y;
}

mt_tensor *mt__embedding_composed(mt_tensor *table, mt_tensor *index) {
	return take_rows(table, index, 1);
}

mt_tensor *mt_embedding(mt_tensor *table, mt_tensor *index, int64_t padding_idx) {
	mt_tensor *both[2] = {table, index};
	char tt[MT__SHAPE_TEXT], ti[MT__SHAPE_TEXT];
	if (!mt__check_tensor("embedding", "table", table) || !mt__check_tensor("embedding", "index", index) ||
	    !mt__check_same_device("embedding", both, 2) || (index = mt__index_of("embedding", "index", index)) == NULL)
		return NULL;
	if (table->rank != 2 || index->rank >= MT_MAX_RANK)
		return mt__fail_null(MT_E_SHAPE, "embedding: table is %s, index is %s; [V, D] and rank 0 to %d are needed",
		                     mt__tensor_text(tt, table), mt__tensor_text(ti, index), MT_MAX_RANK - 1);
	if (padding_idx < -1 || padding_idx >= table->shape[0])
		return mt__fail_null(MT_E_ARG, "embedding: padding_idx is %lld; -1 (none) or a row of table %s is needed",
		                     (long long)padding_idx, mt__tensor_text(tt, table));
	return embedding(table, index, padding_idx);
}
