/* Triangles and diagonals of matrices: tril, triu, diagonal. */
#include "base/alloc.h"
#include "ops/ops.h"
#include "ops/strided.h"

/* ---- tril, triu --------------------------------------------------------------------------------------------------- */

struct triangle {
	int64_t diagonal;
	int32_t upper;
};

/* start, start + 1, … on x's device. */
static mt_tensor *positions(const mt_tensor *x, int64_t start, int64_t n) {
	mt_tensor *t = mt__tensor_new("arange", mt__device_of(x), 1, &n, MT_I64);
	int64_t *values = t == NULL || n == 0 ? NULL : mt__alloc((size_t)n * sizeof *values);
	if (t == NULL || n == 0)
		return t;
	if (values == NULL) {
		mt__fail_memory("arange", (size_t)n * sizeof *values);
		return NULL;
	}
	for (int64_t i = 0; i < n; i++)
		values[i] = start + i;
	mt_status status = mt__tensor_upload(t, values);
	mt__free(values);
	return status == MT_OK ? t : NULL;
}

/* Which elements of the last two dims stay: those with column − row ≤ diagonal, or ≥. */
static mt_tensor *kept(const mt_tensor *x, struct triangle t) {
	int64_t rows = x->shape[x->rank - 2], columns = x->shape[x->rank - 1];
	int64_t diagonal = t.diagonal < -rows ? -rows : t.diagonal > columns ? columns : t.diagonal;
	mt_tensor *limit = mt_unsqueeze(positions(x, diagonal, rows), 1), *column = positions(x, 0, columns);
	return t.upper ? mt_ge(column, limit) : mt_le(column, limit);
}

static mt_tensor *triangle(mt_tensor *x, struct triangle t);

static mt_status triangle_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	gx[0] = triangle(gout, *(const struct triangle *)mt__attrs(node));
	return gx[0] != NULL ? MT_OK : mt_error_peek();
}

static const struct mt_grad_rule tril_rule = {"tril", triangle_backward}, triu_rule = {"triu", triangle_backward};

static mt_tensor *triangle(mt_tensor *x, struct triangle t) {
	int was = mt_grad_enable(0);
	mt_tensor *zero = mt__number_like(x, 0), *y = zero == NULL ? NULL : mt_where(kept(x, t), x, zero);
	mt_grad_enable(was);
	if (y == NULL || !mt__wants_grad(&x, 1))
		return y;
	struct mt_node *node = mt__record(t.upper ? &triu_rule : &tril_rule, y, &x, 1);
	if (node == NULL)
		return NULL;
	*(struct triangle *)mt__attrs(node) = t;
	return y;
}

static mt_tensor *checked(const char *op, mt_tensor *x, int64_t diagonal, int upper) {
	char text[MT__SHAPE_TEXT];
	if (!mt__check_tensor(op, "x", x))
		return NULL;
	if (x->rank < 2)
		return mt__fail_null(MT_E_SHAPE, "%s: x is %s; two dims or more are needed", op, mt__tensor_text(text, x));
	return triangle(x, (struct triangle){diagonal, upper});
}

mt_tensor *mt_tril(mt_tensor *x, int64_t diagonal) {
	return checked("tril", x, diagonal, 0);
}

mt_tensor *mt_triu(mt_tensor *x, int64_t diagonal) {
	return checked("triu", x, diagonal, 1);
}

/* ---- diagonal ----------------------------------------------------------------------------------------------------- */

static const struct mt_grad_rule diagonal_rule = {"diagonal", mt__window_backward};

static int64_t smaller(int64_t a, int64_t b) {
	return a < b ? a : b;
}

mt_tensor *mt_diagonal(mt_tensor *x, int64_t offset, int dim0, int dim1) {
	char text[MT__SHAPE_TEXT];
	if (!mt__check_tensor("diagonal", "x", x) || (dim0 = mt__dim("diagonal", x, dim0)) < 0 ||
	    (dim1 = mt__dim("diagonal", x, dim1)) < 0)
		return NULL;
	if (dim0 == dim1)
		return mt__fail_null(MT_E_ARG, "diagonal: dim0 and dim1 are both %d of %s", dim0, mt__tensor_text(text, x));
	int64_t n0 = x->shape[dim0], n1 = x->shape[dim1];
	int64_t right = offset < 0 ? 0 : smaller(offset, n1),
			down = offset > 0 ? 0 : smaller(-(offset < -n0 ? -n0 : offset), n0);
	int64_t shape[MT_MAX_RANK], stride[MT_MAX_RANK], all[MT_MAX_RANK], packed[MT_MAX_RANK];
	mt__contiguous_strides(x->rank, x->shape, all);
	int rank = 0;
	for (int d = 0; d < x->rank; d++) {
		if (d == dim0 || d == dim1)
			continue;
		shape[rank] = x->shape[d];
		stride[rank] = x->stride[d];
		packed[rank++] = all[d];
	}
	shape[rank] = smaller(n0 - down, n1 - right);
	stride[rank] = x->stride[dim0] + x->stride[dim1];
	packed[rank] = all[dim0] + all[dim1];
	int none = shape[rank++] == 0 || x->numel == 0; /* its start may be past the end */
	int64_t start = none ? 0 : down * x->stride[dim0] + right * x->stride[dim1];
	return mt__window(&diagonal_rule, x, rank, shape, stride, x->offset + start, packed,
	                  none ? 0 : down * all[dim0] + right * all[dim1]);
}
