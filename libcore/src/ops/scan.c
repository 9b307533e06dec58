/* Running sums and products along an axis. */
#include "ops/reduce.h"

struct attrs {
	int32_t axis, reverse;
};

/* ---- forward ------------------------------------------------------------------------------------------------------ */

static mt_tensor *run(const char *op, int32_t kind, mt_tensor *x, int axis, int reverse) {
	mt_tensor *y = mt__tensor_new(op, mt__device_of(x), x->rank, x->shape, x->dtype);
	if (y == NULL || y->numel == 0)
		return y;
	mt_array ax = mt__array(x), ay = mt__array(y);
	struct mt_scan_args args = {
		.struct_size = sizeof args, .op = kind, .axis = axis, .reverse = reverse, .x = &ax, .out = &ay};
	return mt__dispatch(mt__device_of(x), MT_K_SCAN, kind, &args) == MT_OK ? y : NULL;
}

/* ---- cumsum ------------------------------------------------------------------------------------------------------- */

static mt_tensor *running_sum(mt_tensor *x, int axis, int reverse);

static mt_status cumsum_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct attrs *a = mt__attrs(node);
	gx[0] = running_sum(gout, a->axis, !a->reverse);
	return gx[0] != NULL ? MT_OK : mt_error_peek();
}

static const struct mt_grad_rule cumsum_rule = {"cumsum", cumsum_backward};

static mt_tensor *running_sum(mt_tensor *x, int axis, int reverse) {
	mt_tensor *y = run("cumsum", MT_SCAN_SUM, x, axis, reverse);
	if (y == NULL || !mt__wants_grad(&x, 1))
		return y;
	struct mt_node *node = mt__record(&cumsum_rule, y, &x, 1);
	if (node == NULL)
		return NULL;
	*(struct attrs *)mt__attrs(node) = (struct attrs){axis, reverse};
	return y;
}

/* x as the op takes it, axis counted from the start.  Integers and bool become i64. */
static mt_tensor *prepared(const char *op, mt_tensor *x, int *axis) {
	if (!mt__check_tensor(op, "x", x) || (*axis = mt__axis(op, x, *axis)) < 0)
		return NULL;
	return mt_cast(mt__with_axis(x), mt__is_float(x->dtype) ? x->dtype : MT_I64);
}

mt_tensor *mt_cumsum(mt_tensor *x, int axis) {
	mt_tensor *line = prepared("cumsum", x, &axis);
	return line == NULL ? NULL : mt__without_axis(running_sum(line, axis, 0), x);
}

/* ---- cumprod ------------------------------------------------------------------------------------------------------ */

static mt_tensor *part(mt_tensor *x, int axis, int64_t start, int64_t stop) {
	return mt_narrow(x, axis, start, stop - start);
}

/* The elements before each one multiplied: 1, x0, x0 x1, …  The extent is not 0. */
static mt_tensor *product_before(mt_tensor *x, int axis) {
	int64_t n = x->shape[axis];
	mt_tensor *first = mt_ones_like(part(x, axis, 0, 1)), *rest = mt_cumprod(part(x, axis, 0, n - 1), axis);
	return mt_cat((mt_tensor *[]){first, rest}, 2, axis);
}

mt_tensor *mt__product_of_others(mt_tensor *x, int axis) {
	mt_tensor *backwards = mt_flip(x, axis);
	if (backwards == NULL || (axis = mt__dim("prod", x, axis)) < 0)
		return NULL;
	return mt_mul(product_before(x, axis), mt_flip(product_before(backwards, axis), axis));
}

/* One doubling of the stretch that sum covers: sum[i] += factor[i] sum[i + s], factor[i] *= factor[i + s].  Replaces both,
 * which are retained, in a scope of its own: log₂ n of them would be alive together. */
static mt_status double_stretch(mt_tensor **sum, mt_tensor **factor, int axis, int64_t n, int64_t s) {
	mt_scope *scope = mt_scope_begin();
	if (scope == NULL)
		return mt_error_peek();
	mt_tensor *more = mt_mul(*factor, part(*sum, axis, s, n)), *product = *factor;
	mt_tensor *head = mt_add(part(*sum, axis, 0, n - s), more), *tail = part(*sum, axis, n - s, n);
	mt_tensor *y = mt_cat((mt_tensor *[]){head, tail}, 2, axis);
	if (y != NULL && 2 * s < n)
		product = mt_mul(part(*factor, axis, 0, n - 2 * s), part(*factor, axis, s, n - s));
	mt_status status = y != NULL && product != NULL ? MT_OK : mt_error_peek();
	if (status == MT_OK) {
		mt_retain(y);
		mt_retain(product);
		mt_release(*sum);
		mt_release(*factor);
		*sum = y;
		*factor = product;
	}
	mt_scope_end(scope);
	return status;
}

/* Σ_{k ≥ i} g_k x_{i+1} … x_k for each i: the recurrence s_i = g_i + x_{i+1} s_{i+1}, solved by doubling. */
static mt_tensor *sum_of_products_after(mt_tensor *g, mt_tensor *x, int axis) {
	int64_t n = x->shape[axis];
	mt_tensor *sum = mt_retain(g), *factor = mt_retain(part(x, axis, 1, n));
	mt_status status = factor != NULL ? MT_OK : mt_error_peek();
	for (int64_t s = 1; s < n && status == MT_OK; s *= 2)
		status = double_stretch(&sum, &factor, axis, n, s);
	mt_release(factor);
	if (status == MT_OK)
		return mt_autorelease(sum);
	mt_release(sum);
	return NULL;
}

/* gx_i = x_0 … x_{i−1} Σ_{k ≥ i} g_k x_{i+1} … x_k: right with zeros too, as nothing is divided. */
static mt_status cumprod_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	int axis = ((const struct attrs *)mt__attrs(node))->axis;
	mt_tensor *x = mt__saved(node, 0);
	if (x == NULL)
		return mt_error_peek();
	mt_dtype dtype = x->dtype;
	if (x->numel == 0) {
		gx[0] = gout;
		return MT_OK;
	}
	mt_tensor *wide = mt_cast(x, mt__wide(dtype)), *g = mt_cast(gout, mt__wide(dtype));
	if (wide == NULL || g == NULL)
		return mt_error_peek();
	gx[0] = mt_cast(mt_mul(product_before(wide, axis), sum_of_products_after(g, wide, axis)), dtype);
	return gx[0] != NULL ? MT_OK : mt_error_peek();
}

static const struct mt_grad_rule cumprod_rule = {"cumprod", cumprod_backward};

static mt_tensor *running_product(mt_tensor *x, int axis) {
	mt_tensor *y = run("cumprod", MT_SCAN_PROD, x, axis, 0);
	if (y == NULL || !mt__wants_grad(&x, 1))
		return y;
	struct mt_node *node = mt__record(&cumprod_rule, y, &x, 1);
	if (node == NULL || mt__save(node, 0, x) != MT_OK)
		return NULL;
	*(struct attrs *)mt__attrs(node) = (struct attrs){axis, 0};
	return y;
}

mt_tensor *mt_cumprod(mt_tensor *x, int axis) {
	mt_tensor *line = prepared("cumprod", x, &axis);
	return line == NULL ? NULL : mt__without_axis(running_product(line, axis), x);
}
