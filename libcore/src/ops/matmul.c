/* Matrix products: matmul with torch's promotion of vectors and batch broadcast, and linear. */
#include <string.h>

#include "ops/out.h"

/* ---- the kernel --------------------------------------------------------------------------------------------------- */

/* x as a stack of matrices of this rank: a vector is a row, or a column; missing and broadcast batch dims get stride 0. */
static mt_array matrices(const mt_tensor *x, int column, int rank, const int64_t *batch) {
	mt_array a = mt__array(x);
	int vector = x->rank == 1;
	int own = vector ? 2 : x->rank; /* dims that x has, vectors promoted */
	for (int d = rank - 1; d >= 0; d--) {
		int from = d - (rank - own); /* dim of x, vectors promoted */
		if (vector && from >= 0) {
			int spans = column ? from == 0 : from == 1;
			a.shape[d] = spans ? x->shape[0] : 1;
			a.stride[d] = spans ? x->stride[0] : 0;
		} else if (d >= rank - 2) {
			a.shape[d] = x->shape[from];
			a.stride[d] = x->stride[from];
		} else {
			a.shape[d] = batch[d];
			a.stride[d] = from >= 0 && x->shape[from] == batch[d] ? x->stride[from] : 0;
		}
	}
	a.rank = rank;
	return a;
}

/* The contiguous result seen as matrices [rows, columns] behind its batch. */
static mt_array result_matrices(const mt_tensor *y, int rank, const int64_t *batch, int64_t rows, int64_t columns) {
	mt_array a = mt__array(y);
	a.rank = rank;
	for (int d = 0; d < rank - 2; d++)
		a.shape[d] = batch[d];
	a.shape[rank - 2] = rows;
	a.shape[rank - 1] = columns;
	mt__contiguous_strides(rank, a.shape, a.stride);
	return a;
}

/* The result of any strides, with the rows and columns that it dropped for vectors. */
static mt_array strided_matrices(const mt_tensor *y, int a_vector, int b_vector) {
	mt_array a = mt__array(y);
	int rank = y->rank - !a_vector - !b_vector; /* of the batch */
	a.rank = y->rank + a_vector + b_vector;
	a.shape[rank] = a_vector ? 1 : y->shape[rank];
	a.stride[rank] = a_vector ? 0 : y->stride[rank];
	a.shape[rank + 1] = b_vector ? 1 : y->shape[y->rank - 1];
	a.stride[rank + 1] = b_vector ? 0 : y->stride[y->rank - 1];
	return a;
}

static void transpose(mt_array *a) {
	int r = a->rank;
	int64_t extent = a->shape[r - 1], stride = a->stride[r - 1];
	a->shape[r - 1] = a->shape[r - 2];
	a->stride[r - 1] = a->stride[r - 2];
	a->shape[r - 2] = extent;
	a->stride[r - 2] = stride;
}

static mt_status multiply(mt_device *device, const mt_array *a, const mt_array *b, const mt_array *bias,
                          const mt_array *out) {
	struct mt_matmul_args args = {
		.struct_size = sizeof args, .a = a, .b = b, .bias = bias, .out = out, .alpha = 1, .activation = MT_ACT_NONE};
	return mt__dispatch_matmul(device, a->dtype, &args);
}

/* Two tensors with nothing to convert: the dtype that the kernel takes, and the device, are the same. */
static inline int alike(const mt_tensor *a, const mt_tensor *b) {
	return a->dtype == b->dtype && a->dtype != MT_BOOL && mt__device_of(a) == mt__device_of(b);
}

/* One dtype for all; MT_NONE stays. */
static int convert(const char *op, mt_tensor **ts, int n) {
	mt_dtype dtype = ts[0]->dtype;
	for (int i = 1; i < n; i++)
		if (mt__given(ts[i]))
			dtype = mt_promote(dtype, ts[i]->dtype);
	if (dtype == MT_BOOL) {
		mt__fail(MT_E_DTYPE, "%s: not defined on bool; cast first", op);
		return 0;
	}
	for (int i = 0; i < n; i++)
		if (mt__given(ts[i]) && (ts[i] = mt_cast(ts[i], dtype)) == NULL)
			return 0;
	return 1;
}

/* ---- matmul ------------------------------------------------------------------------------------------------------- */

/* x as matrices, for the rule: a vector as one row, or as one column. */
static mt_tensor *promoted(mt_tensor *x, int column) {
	return x == NULL || x->rank != 1 ? x : mt_unsqueeze(x, column);
}

static mt_tensor *flat_rows(mt_tensor *x) {
	int64_t columns = x->shape[x->rank - 1], rows = 1;
	for (int d = 0; d < x->rank - 1; d++)
		rows *= x->shape[d];
	return mt_reshape(x, 2, (int64_t[]){rows, columns});
}

static mt_tensor *matrix_transposed(mt_tensor *x) {
	return x == NULL ? NULL : mt_transpose(x, -2, -1);
}

struct matmul_attrs {
	int32_t rank[2];
	int64_t shape[2][MT_MAX_RANK]; /* entries beyond rank are undefined */
};

/* The gradient of an input from that of its promoted form. */
static mt_tensor *demoted(mt_tensor *g, const struct matmul_attrs *attrs, int i, int column) {
	int vector = attrs->rank[i] == 1;
	int64_t k = attrs->shape[i][0];
	const int64_t as_matrix[2] = {column ? k : 1, column ? 1 : k};
	g = mt__unbroadcast(g, vector ? 2 : attrs->rank[i], vector ? as_matrix : attrs->shape[i]);
	return g != NULL && vector ? mt_reshape(g, 1, &k) : g;
}

/* gout with the dims of 1 back that the forward dropped. */
static mt_tensor *gout_matrices(mt_tensor *g, int a_vector, int b_vector) {
	int64_t shape[MT_MAX_RANK + 2];
	int rank = 0, kept = g->rank - !a_vector - !b_vector;
	for (int d = 0; d < kept; d++)
		shape[rank++] = g->shape[d];
	shape[rank++] = a_vector ? 1 : g->shape[kept];
	shape[rank++] = b_vector ? 1 : g->shape[g->rank - 1];
	return a_vector || b_vector ? mt_reshape(g, rank, shape) : g;
}

/* ga = g bᵀ, gb = aᵀ g.  A b shared by a whole batch of a takes one product over all rows instead of a sum of products. */
static mt_status matmul_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct matmul_attrs *attrs = mt__attrs(node);
	mt_tensor *g = gout_matrices(gout, attrs->rank[0] == 1, attrs->rank[1] == 1);
	if (g == NULL)
		return mt_error_peek();
	if (mt__needs(node, 0)) {
		mt_tensor *b = promoted(mt__saved(node, 1), 1);
		if (b == NULL)
			return mt_error_peek();
		gx[0] = demoted(mt_matmul(g, matrix_transposed(b)), attrs, 0, 0);
		if (gx[0] == NULL)
			return mt_error_peek();
	}
	if (mt__needs(node, 1)) {
		mt_tensor *a = promoted(mt__saved(node, 0), 0);
		if (a == NULL)
			return mt_error_peek();
		int shared = attrs->rank[1] <= 2 && g->rank > 2;
		gx[1] = demoted(shared ? mt_matmul(matrix_transposed(flat_rows(a)), flat_rows(g))
		                       : mt_matmul(matrix_transposed(a), g),
		                attrs, 1, 1);
		if (gx[1] == NULL)
			return mt_error_peek();
	}
	return MT_OK;
}

static const struct mt_grad_rule matmul_rule = {"matmul", matmul_backward};

static mt_tensor *record_matmul(mt_tensor *const *in, mt_tensor *y) {
	struct mt_node *node = mt__record(&matmul_rule, y, in, 2);
	if (node == NULL)
		return NULL;
	struct matmul_attrs *attrs = mt__attrs(node);
	for (int i = 0; i < 2; i++) {
		attrs->rank[i] = in[i]->rank;
		memcpy(attrs->shape[i], in[i]->shape, sizeof attrs->shape[i]);
		if (mt__needs(node, 1 - i) && mt__save(node, i, in[i]) != MT_OK)
			return NULL;
	}
	return y;
}

/* Batch dims, promoted rank and shape of the result. */
struct matmul_shape {
	int rank, result_rank;
	int64_t rows, columns, inner;
	int64_t batch[MT_MAX_RANK];
	int64_t result[MT_MAX_RANK];
};

/* Two matrices that need no conversion and meet: the short way that most calls take, without checks.  (NULL and MT_NONE,
 * of rank 0, are none.) */
static inline int plain_shape(const mt_tensor *a, const mt_tensor *b, struct matmul_shape *s) {
	if (a == NULL || b == NULL || a->rank != 2 || b->rank != 2 || !alike(a, b) || a->shape[1] != b->shape[0])
		return 0;
	s->rank = s->result_rank = 2;
	s->inner = a->shape[1];
	s->rows = s->result[0] = a->shape[0];
	s->columns = s->result[1] = b->shape[1];
	return 1;
}

static mt_status matmul_shape(const mt_tensor *a, const mt_tensor *b, struct matmul_shape *s) {
	char ta[MT__SHAPE_TEXT], tb[MT__SHAPE_TEXT];
	if (a->rank == 0 || b->rank == 0)
		return mt__fail(MT_E_SHAPE, "matmul: a is %s, b is %s; neither may be 0-d", mt__tensor_text(ta, a),
		                mt__tensor_text(tb, b));
	s->inner = a->shape[a->rank - 1];
	int64_t inner = b->shape[b->rank == 1 ? 0 : b->rank - 2];
	if (inner != s->inner)
		return mt__fail(MT_E_SHAPE, "matmul: a is %s, b is %s: %lld columns meet %lld rows", mt__tensor_text(ta, a),
		                mt__tensor_text(tb, b), (long long)s->inner, (long long)inner);
	s->rows = a->rank == 1 ? 1 : a->shape[a->rank - 2];
	s->columns = b->rank == 1 ? 1 : b->shape[b->rank - 1];
	int batch_rank;
	mt_status status = mt__broadcast("matmul", a->rank > 2 ? a->rank - 2 : 0, a->shape, b->rank > 2 ? b->rank - 2 : 0,
	                                 b->shape, &batch_rank, s->batch);
	if (status != MT_OK)
		return status;
	s->rank = batch_rank + 2;
	for (s->result_rank = 0; s->result_rank < batch_rank; s->result_rank++)
		s->result[s->result_rank] = s->batch[s->result_rank];
	if (a->rank > 1)
		s->result[s->result_rank++] = s->rows;
	if (b->rank > 1)
		s->result[s->result_rank++] = s->columns;
	return MT_OK;
}

static mt_status run_matmul(const mt_tensor *a, const mt_tensor *b, mt_tensor *y, const struct matmul_shape *s) {
	if (y->numel == 0)
		return MT_OK;
	if (s->inner == 0)
		return mt__fill(y, mt_i(0));
	if (a->rank == 2 && b->rank == 2)
		return multiply(mt__device_of(a), &a->array, &b->array, NULL, &y->array);
	mt_array aa, ab, ay;
	int contiguous = mt_tensor_is_contiguous(y);
	if (contiguous && a->rank > 2 && b->rank <= 2 && mt__rows_array(a, &aa)) {
		ab = matrices(b, 1, 2, NULL);
		ay = result_matrices(y, 2, NULL, aa.shape[0], s->columns);
	} else {
		aa = matrices(a, 0, s->rank, s->batch);
		ab = matrices(b, 1, s->rank, s->batch);
		ay = contiguous ? result_matrices(y, s->rank, s->batch, s->rows, s->columns)
		                : strided_matrices(y, a->rank == 1, b->rank == 1);
	}
	return multiply(mt__device_of(a), &aa, &ab, NULL, &ay);
}

mt_tensor *mt__matmul_to(mt_tensor *a, mt_tensor *b, mt_tensor *out) {
	mt_tensor *in[2] = {a, b};
	struct matmul_shape s;
	if (!plain_shape(a, b, &s) &&
	    (!mt__check_tensor("matmul", "a", a) || !mt__check_tensor("matmul", "b", b) ||
	     !mt__check_same_device("matmul", in, 2) || matmul_shape(a, b, &s) != MT_OK || !convert("matmul", in, 2)))
		return NULL;
	mt_tensor *y = mt__result("matmul", out, mt__device_of(in[0]), s.result_rank, s.result, in[0]->dtype);
	if (y == NULL || run_matmul(in[0], in[1], y, &s) != MT_OK)
		return NULL;
	return mt__wants_grad(in, 2) ? record_matmul(in, y) : y;
}

mt_tensor *mt_matmul(mt_tensor *a, mt_tensor *b) {
	return mt__matmul_to(a, b, NULL);
}

/* ---- linear ------------------------------------------------------------------------------------------------------- */

/* gx = g w,  gw = gᵀ x,  gb = Σ g, each over all rows. */
static mt_status linear_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	if (mt__needs(node, 0)) {
		mt_tensor *w = mt__saved(node, 1);
		if (w == NULL || (gx[0] = mt_matmul(gout, w)) == NULL)
			return mt_error_peek();
	}
	mt_tensor *g = flat_rows(gout);
	if (mt__needs(node, 1)) {
		mt_tensor *x = mt__saved(node, 0);
		if (x == NULL || (gx[1] = mt_matmul(matrix_transposed(g), flat_rows(x))) == NULL)
			return mt_error_peek();
	}
	if (mt__needs(node, 2) && (gx[2] = mt_sum(g, MT_AXES(0), 0)) == NULL)
		return mt_error_peek();
	return MT_OK;
}

static const struct mt_grad_rule linear_rule = {"linear", linear_backward};

static mt_tensor *record_linear(mt_tensor *const *in, mt_tensor *y) {
	struct mt_node *node = mt__record(&linear_rule, y, in, 3);
	if (node == NULL || (mt__needs(node, 1) && mt__save(node, 0, in[0]) != MT_OK) ||
	    (mt__needs(node, 0) && mt__save(node, 1, in[1]) != MT_OK))
		return NULL;
	return y;
}

static mt_status check_linear(const mt_tensor *x, const mt_tensor *w, const mt_tensor *b) {
	char tx[MT__SHAPE_TEXT], tw[MT__SHAPE_TEXT], tb[MT__SHAPE_TEXT];
	if (x->rank < 1 || w->rank != 2 || x->shape[x->rank - 1] != w->shape[1])
		return mt__fail(MT_E_SHAPE, "linear: x is %s, w is %s; […, in] and [out, in] are needed",
		                mt__tensor_text(tx, x), mt__tensor_text(tw, w));
	if (mt__given(b) && (b->rank != 1 || b->shape[0] != w->shape[0]))
		return mt__fail(MT_E_SHAPE, "linear: w is %s, b is %s; [out, in] and [out] are needed", mt__tensor_text(tw, w),
		                mt__tensor_text(tb, b));
	return MT_OK;
}

static mt_status run_linear(const mt_tensor *x, const mt_tensor *w, mt_tensor *b, mt_tensor *y) {
	if (y->numel == 0)
		return MT_OK;
	if (w->shape[1] == 0)
		return mt__given(b) ? mt__copy_into(y, b) : mt__fill(y, mt_i(0));
	mt_array rows, aw, result;
	const mt_array *ax = &x->array, *ay = &y->array;
	if (x->rank == 2) {
		aw = mt__array(w);
	} else if (mt__rows_array(x, &rows)) {
		aw = mt__array(w);
		result = result_matrices(y, 2, NULL, rows.shape[0], w->shape[0]);
		ax = &rows;
		ay = &result;
	} else { /* more than 2 dims */
		aw = matrices(w, 0, x->rank, x->shape);
	}
	transpose(&aw);
	return multiply(mt__device_of(x), ax, &aw, mt__given(b) ? &b->array : NULL, ay);
}

/* As plain_shape says for matmul. */
static inline int plain_linear(const mt_tensor *x, const mt_tensor *w, const mt_tensor *b) {
	return x != NULL && w != NULL && b != NULL && x->rank == 2 && w->rank == 2 && alike(x, w) &&
	       x->shape[1] == w->shape[1] && (b == MT_NONE || (b->rank == 1 && alike(w, b) && b->shape[0] == w->shape[0]));
}

mt_tensor *mt_linear(mt_tensor *x, mt_tensor *w, mt_tensor *b) {
	mt_tensor *in[3] = {x, w, b};
	if (!plain_linear(x, w, b) && (!mt__check_tensor("linear", "x", x) || !mt__check_tensor("linear", "w", w) ||
	                               !mt__check_optional("linear", "b", b) || !mt__check_same_device("linear", in, 3) ||
	                               check_linear(x, w, b) != MT_OK || !convert("linear", in, 3)))
		return NULL;
	int64_t shape[MT_MAX_RANK];
	for (int d = 0; d < x->rank - 1; d++)
		shape[d] = x->shape[d];
	shape[x->rank - 1] = w->shape[0];
	mt_tensor *y = mt__tensor_new("linear", mt__device_of(x), x->rank, shape, in[0]->dtype);
	if (y == NULL || run_linear(in[0], in[1], in[2], y) != MT_OK)
		return NULL;
	return mt__wants_grad(in, 3) ? record_linear(in, y) : y;
}
