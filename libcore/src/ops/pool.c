/* Max and average pooling over 1 to 3 spatial dims. */
#include "ops/ops.h"

/* ---- options and shapes ------------------------------------------------------------------------------------------- */

static mt_status option_error(const char *op, const char *field, int i, int value, const char *needed) {
	return mt__fail(MT_E_ARG, "%s: options.%s[%d] is %d; %s", op, field, i, value, needed);
}

static mt_status params_of(const char *op, int32_t kind, mt_pool_options options, int spatial,
                           struct mt_pool_params *p) {
	*p = (struct mt_pool_params){{1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}, !options.exclude_padding, 0};
	for (int i = 0; i < spatial; i++) {
		int kernel = options.kernel[i], stride = options.stride[i], pad = options.padding[i];
		int dilation = options.dilation[i];
		if (kernel < 1)
			return option_error(op, "kernel", i, kernel, "at least 1 is needed");
		if (stride < 0)
			return option_error(op, "stride", i, stride, "at least 1, or 0 for the kernel's extent, is needed");
		if (pad < 0 || pad > kernel / 2)
			return option_error(op, "padding", i, pad, "0 to half of the kernel is allowed");
		if (dilation < 0)
			return option_error(op, "dilation", i, dilation, "at least 1 is needed");
		if (kind == MT_POOL_AVG && dilation > 1)
			return option_error(op, "dilation", i, dilation, "an average has none");
		p->kernel[i] = kernel;
		p->stride[i] = stride == 0 ? kernel : stride;
		p->pad[i] = pad;
		p->dilation[i] = dilation == 0 ? 1 : dilation;
	}
	return MT_OK;
}

/* Whether the window that starts at start (maybe left of x) has a cell inside 0 … extent−1. */
static int meets(int64_t start, int kernel, int dilation, int64_t extent) {
	int64_t skip = start < 0 ? (-start + dilation - 1) / dilation : 0;
	return skip < kernel && start + skip * dilation < extent;
}

/* A dilated window may step over all of a short x: only those that begin in the padding can. */
static mt_status check_windows(const char *op, const mt_tensor *x, int i, const struct mt_pool_params *p, int64_t n) {
	for (int64_t o = 0; o < n; o++) {
		int64_t start = o * p->stride[i] - p->pad[i];
		if (start >= 0)
			break;
		if (!meets(start, p->kernel[i], p->dilation[i], x->shape[i + 2])) {
			char text[MT__SHAPE_TEXT];
			return mt__fail(MT_E_SHAPE, "%s: x is %s: along spatial dim %d window %lld lies in the padding alone", op,
			                mt__tensor_text(text, x), i, (long long)o);
		}
	}
	return MT_OK;
}

static mt_status result_shape(const char *op, const mt_tensor *x, int spatial, const struct mt_pool_params *p,
                              int64_t *shape) {
	char text[MT__SHAPE_TEXT];
	if (x->rank != spatial + 2)
		return mt__fail(MT_E_SHAPE, "%s: x is %s; %d dims are needed: batch, channels, space", op,
		                mt__tensor_text(text, x), spatial + 2);
	shape[0] = x->shape[0];
	shape[1] = x->shape[1];
	for (int i = 0; i < spatial; i++) {
		int64_t reach = (int64_t)p->dilation[i] * (p->kernel[i] - 1);
		int64_t room = x->shape[i + 2] + 2 * (int64_t)p->pad[i] - reach - 1;
		if (x->shape[i + 2] == 0 || room < 0)
			return mt__fail(MT_E_SHAPE,
			                "%s: x is %s: along spatial dim %d the window, kernel %d, dilation %d, is longer "
			                "than x with padding %d",
			                op, mt__tensor_text(text, x), i, (int)p->kernel[i], (int)p->dilation[i], (int)p->pad[i]);
		shape[i + 2] = room / p->stride[i] + 1;
		mt_status status = check_windows(op, x, i, p, shape[i + 2]);
		if (status != MT_OK)
			return status;
	}
	return MT_OK;
}

/* Positions within one plane are kept as i32. */
static mt_status check_plane(const char *op, const mt_tensor *x) {
	char text[MT__SHAPE_TEXT];
	int64_t plane = mt__numel(x->rank - 2, x->shape + 2);
	if (plane <= INT32_MAX)
		return MT_OK;
	return mt__fail(MT_E_SHAPE, "%s: x is %s; a plane of 2^31 elements or more is not supported", op,
	                mt__tensor_text(text, x));
}

/* ---- gradients ---------------------------------------------------------------------------------------------------- */

struct attrs {
	struct mt_pool_params p;
	int32_t kind, rank;
	int64_t shape[MT_MAX_SPATIAL + 2];
};

static mt_status pool_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct attrs *a = mt__attrs(node);
	mt_tensor *indices = NULL;
	if (a->kind == MT_POOL_MAX && (indices = mt__saved(node, 0)) == NULL)
		return mt_error_peek();
	gx[0] = mt__tensor_new("pool_grad", mt__device_of(gout), a->rank, a->shape, gout->dtype);
	if (gx[0] == NULL)
		return mt_error_peek();
	if (gx[0]->numel == 0)
		return MT_OK;
	mt_array ag = mt__array(gout), ax = mt__array(gx[0]), ai = {0};
	if (indices != NULL)
		ai = mt__array(indices);
	struct mt_pool_grad_args args = {.struct_size = sizeof args,
	                                 .op = a->kind,
	                                 .gout = &ag,
	                                 .indices = indices != NULL ? &ai : NULL,
	                                 .gx = &ax,
	                                 .p = a->p};
	return mt__dispatch(mt__device_of(gout), MT_K_POOL_GRAD, a->kind, &args);
}

static const struct mt_grad_rule max_rule = {"max_pool", pool_backward};
static const struct mt_grad_rule avg_rule = {"avg_pool", pool_backward};

static mt_tensor *record(int32_t kind, mt_tensor *x, mt_tensor *y, mt_tensor *indices, const struct mt_pool_params *p) {
	struct mt_node *node = mt__record(kind == MT_POOL_MAX ? &max_rule : &avg_rule, y, &x, 1);
	if (node == NULL)
		return NULL;
	struct attrs *a = mt__attrs(node);
	a->p = *p;
	a->kind = kind;
	a->rank = x->rank;
	for (int d = 0; d < x->rank; d++)
		a->shape[d] = x->shape[d];
	return indices == NULL || mt__save(node, 0, indices) == MT_OK ? y : NULL;
}

/* ---- forward ------------------------------------------------------------------------------------------------------ */

static mt_status run(int32_t kind, mt_tensor *x, mt_tensor *y, mt_tensor *indices, const struct mt_pool_params *p) {
	if (y->numel == 0)
		return MT_OK;
	mt_array ax = mt__array(x), ay = mt__array(y), ai = {0};
	if (indices != NULL)
		ai = mt__array(indices);
	struct mt_pool_args args = {
		.struct_size = sizeof args, .op = kind, .x = &ax, .out = &ay, .indices = indices != NULL ? &ai : NULL, .p = *p};
	return mt__dispatch(mt__device_of(x), MT_K_POOL, kind, &args);
}

mt_tensor *mt__poolnd(const char *op, int32_t kind, mt_tensor *x, mt_pool_options options, int spatial) {
	struct mt_pool_params p;
	int64_t shape[MT_MAX_SPATIAL + 2];
	if (!mt__check_tensor(op, "x", x) || params_of(op, kind, options, spatial, &p) != MT_OK ||
	    result_shape(op, x, spatial, &p, shape) != MT_OK || (kind == MT_POOL_MAX && check_plane(op, x) != MT_OK) ||
	    (x = mt_cast(x, mt__to_float(x->dtype))) == NULL)
		return NULL;
	int wanted = mt__wants_grad(&x, 1);
	mt_tensor *y = mt__tensor_new(op, mt__device_of(x), spatial + 2, shape, x->dtype);
	mt_tensor *indices = NULL;
	if (y == NULL)
		return NULL;
	if (wanted && kind == MT_POOL_MAX &&
	    (indices = mt__tensor_new(op, mt__device_of(x), spatial + 2, shape, MT_I32)) == NULL)
		return NULL;
	if (run(kind, x, y, indices, &p) != MT_OK)
		return NULL;
	return wanted ? record(kind, x, y, indices, &p) : y;
}

mt_tensor *mt_max_pool2d(mt_tensor *x, mt_pool_options options) {
	return mt__poolnd("max_pool2d", MT_POOL_MAX, x, options, 2);
}

mt_tensor *mt_avg_pool2d(mt_tensor *x, mt_pool_options options) {
	return mt__poolnd("avg_pool2d", MT_POOL_AVG, x, options, 2);
}
