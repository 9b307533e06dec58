/* Joining and splitting along a dim: cat, stack, split. */
#include <string.h>

#include "base/alloc.h"
#include "ops/ops.h"

/* ---- gradient: each input gets its slice -------------------------------------------------------------------------- */

#define JOIN_WIDTH 20 /* inputs of one node; more are joined by a tree */

struct join {
	int32_t dim, n;
	int64_t size[JOIN_WIDTH]; /* each input's extent of dim */
	uint8_t dtype[JOIN_WIDTH];
};

_Static_assert(sizeof(struct join) <= MT__ATTR_BYTES, "a join fits a node's attributes");

static mt_status cat_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct join *join = mt__attrs(node);
	int64_t start = 0;
	for (int i = 0; i < join->n; i++) {
		if (mt__needs(node, i)) {
			gx[i] = mt_cast(mt_narrow(gout, join->dim, start, join->size[i]), join->dtype[i]);
			if (gx[i] == NULL)
				return mt_error_peek();
		}
		start += join->size[i];
	}
	return MT_OK;
}

static const struct mt_grad_rule cat_rule = {"cat", cat_backward};

/* A view of y without a graph: size indices of dim from start. */
static mt_tensor *part_of(mt_tensor *y, int dim, int64_t start, int64_t size) {
	int64_t shape[MT_MAX_RANK];
	memcpy(shape, y->shape, sizeof shape);
	shape[dim] = size;
	int64_t skip = size > 0 && y->numel > 0 ? start * y->stride[dim] : 0;
	return mt__tensor_alias(y, y->rank, shape, y->stride, y->offset + skip);
}

static mt_status record_node(mt_tensor *y, mt_tensor *const *xs, int n, int dim) {
	struct mt_node *node = mt__record(&cat_rule, y, xs, n);
	if (node == NULL)
		return mt_error_peek();
	struct join *join = mt__attrs(node);
	join->dim = dim;
	join->n = n;
	for (int i = 0; i < n; i++) {
		join->size[i] = xs[i]->shape[dim];
		join->dtype[i] = (uint8_t)xs[i]->dtype;
	}
	return MT_OK;
}

/* y is the join of xs: one node, or one over parts of y, each the join of as many inputs. */
static mt_status record_join(mt_tensor *y, mt_tensor *const *xs, int n, int dim) {
	mt_tensor *parts[JOIN_WIDTH];
	int n_parts = 0, width = 1;
	int64_t start = 0;
	if (!mt__wants_grad(xs, n))
		return MT_OK;
	if (n <= JOIN_WIDTH)
		return record_node(y, xs, n, dim);
	while (width < (n - 1) / JOIN_WIDTH + 1)
		width *= JOIN_WIDTH;
	for (int i = 0; i < n; i += width) {
		int here = n - i < width ? n - i : width;
		int64_t size = 0;
		for (int j = 0; j < here; j++)
			size += xs[i + j]->shape[dim];
		mt_tensor *part = part_of(y, dim, start, size);
		mt_status status = part != NULL ? record_join(part, xs + i, here, dim) : mt_error_peek();
		if (status != MT_OK)
			return status;
		parts[n_parts++] = part;
		start += size;
	}
	return record_node(y, parts, n_parts, dim);
}

/* ---- cat ---------------------------------------------------------------------------------------------------------- */

static int check_list(const char *op, mt_tensor *const *xs, int n) {
	if (n < 1) {
		mt__fail(MT_E_ARG, "%s: %d tensors, at least 1 is needed", op, n);
		return 0;
	}
	if (xs == NULL) {
		mt__fail_arg_null(op, "xs");
		return 0;
	}
	for (int i = 0; i < n; i++) {
		if (xs[i] != NULL && mt__given(xs[i]))
			continue;
		char arg[24];
		snprintf(arg, sizeof arg, "xs[%d]", i);
		return mt__check_tensor(op, arg, xs[i]);
	}
	return mt__check_same_device(op, xs, n);
}

static int check_shapes(const char *op, mt_tensor *const *xs, int n, int dim) {
	for (int i = 1; i < n; i++) {
		int fits = xs[i]->rank == xs[0]->rank;
		for (int d = 0; fits && d < xs[0]->rank; d++)
			fits = d == dim || xs[i]->shape[d] == xs[0]->shape[d];
		if (fits)
			continue;
		char t0[MT__SHAPE_TEXT], ti[MT__SHAPE_TEXT];
		mt__shape_text(t0, xs[0]->rank, xs[0]->shape);
		mt__shape_text(ti, xs[i]->rank, xs[i]->shape);
		if (dim >= 0)
			mt__fail(MT_E_SHAPE, "%s: shapes %s (xs[0]) and %s (xs[%d]) differ outside dim %d", op, t0, ti, i, dim);
		else
			mt__fail(MT_E_SHAPE, "%s: shapes %s (xs[0]) and %s (xs[%d]) differ", op, t0, ti, i);
		return 0;
	}
	return 1;
}

/* xs are checked and fit; dim is in range. */
static mt_tensor *join(const char *op, mt_tensor *const *xs, int n, int dim) {
	int64_t shape[MT_MAX_RANK], start = 0;
	mt_dtype dtype = xs[0]->dtype;
	memcpy(shape, xs[0]->shape, sizeof shape);
	for (int i = 1; i < n; i++) {
		dtype = mt_promote(dtype, xs[i]->dtype);
		if (__builtin_add_overflow(shape[dim], xs[i]->shape[dim], &shape[dim]))
			return mt__fail_null(MT_E_SHAPE, "%s: dim %d gets 2^63 indices or more", op, dim);
	}
	mt_tensor *y = mt__tensor_new(op, mt__device_of(xs[0]), xs[0]->rank, shape, dtype);
	for (int i = 0; i < n && y != NULL; i++) {
		mt_tensor *part = part_of(y, dim, start, xs[i]->shape[dim]);
		if (part == NULL || mt__tensor_copy(part, xs[i]) != MT_OK)
			return NULL;
		start += xs[i]->shape[dim];
	}
	return y != NULL && record_join(y, xs, n, dim) == MT_OK ? y : NULL;
}

mt_tensor *mt_cat(mt_tensor *const *xs, int n, int dim) {
	if (!check_list("cat", xs, n))
		return NULL;
	dim = mt__dim("cat", xs[0], dim);
	return dim >= 0 && check_shapes("cat", xs, n, dim) ? join("cat", xs, n, dim) : NULL;
}

mt_tensor *mt_stack(mt_tensor *const *xs, int n, int dim) {
	if (!check_list("stack", xs, n) || !check_shapes("stack", xs, n, -1))
		return NULL;
	int rank = xs[0]->rank;
	char text[MT__SHAPE_TEXT];
	if (dim < -rank - 1 || dim > rank)
		return mt__fail_null(MT_E_ARG, "stack: dim %d is out of range for tensors of shape %s", dim,
		                     mt__shape_text(text, rank, xs[0]->shape));
	if (dim < 0)
		dim += rank + 1;
	mt_tensor **rows = mt__alloc((size_t)n * sizeof(mt_tensor *));
	if (rows == NULL) {
		mt__fail_memory("stack", (size_t)n * sizeof(mt_tensor *));
		return NULL;
	}
	int made = 0;
	while (made < n && (rows[made] = mt_unsqueeze(xs[made], dim)) != NULL)
		made++;
	mt_tensor *y = made == n ? join("stack", rows, n, dim) : NULL;
	mt__free(rows);
	return y;
}

/* ---- split -------------------------------------------------------------------------------------------------------- */

mt_status mt_split(mt_tensor *x, int64_t size, int dim, mt_tensor **out, int *n) {
	if (!mt__check_tensor("split", "x", x))
		return mt__refusal(x);
	if (out == NULL || n == NULL)
		return mt__fail_arg_null("split", out == NULL ? "out" : "n");
	if ((dim = mt__dim("split", x, dim)) < 0)
		return MT_E_ARG;
	if (size < 1)
		return mt__fail(MT_E_ARG, "split: size is %lld, not at least 1", (long long)size);
	int64_t extent = x->shape[dim], parts = extent > 0 ? (extent - 1) / size + 1 : 1;
	if (parts > *n)
		return mt__fail(MT_E_ARG, "split: dim %d of extent %lld gives %lld parts, out has room for %d", dim,
		                (long long)extent, (long long)parts, *n);
	for (int64_t i = 0; i < parts; i++) {
		int64_t rest = extent - i * size;
		out[i] = mt_narrow(x, dim, i * size, rest < size ? rest : size);
		if (out[i] == NULL)
			return mt_error_peek();
	}
	*n = (int)parts;
	return MT_OK;
}
