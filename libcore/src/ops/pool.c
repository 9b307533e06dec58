/* Max and average pooling over 1 to 3 spatial dims.
 *
 * The gradient of the average is linear: a recorded op whose own gradient is the average again.  That of the maximum puts
 * each element where the winner was: its gradient gathers from there. */
#include "ops/pool.h"

/* ---- options ------------------------------------------------------------------------------------------------------ */

static mt_status option_error(const char *op, const char *field, int i, int value, const char *needed) {
	return mt__fail(MT_E_ARG, "%s: options.%s[%d] is %d; %s", op, field, i, value, needed);
}

mt_status mt__pool_params(const char *op, int32_t kind, const mt_pool_options *options, int spatial,
                          struct mt_pool_params *p) {
	*p = (struct mt_pool_params){.kernel = {1, 1, 1},
	                             .stride = {1, 1, 1},
	                             .dilation = {1, 1, 1},
	                             .count_include_pad = !options->exclude_padding};
	for (int i = 0; i < spatial; i++) {
		int kernel = options->kernel[i], stride = options->stride[i], pad = options->padding[i];
		int dilation = options->dilation[i];
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

/* ---- shapes ------------------------------------------------------------------------------------------------------- */

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

/* How many windows there are along spatial dim i; 0 where none fits.  Rounded up, one that would begin in the high
 * padding is left out. */
static int64_t windows(int64_t s, int i, const struct mt_pool_params *p, int ceil_mode) {
	int64_t stride = p->stride[i], pad = p->pad[i];
	int64_t room = s + 2 * pad - (int64_t)p->dilation[i] * (p->kernel[i] - 1) - 1;
	if (ceil_mode)
		room += stride - 1;
	int64_t n = room < 0 ? 0 : room / stride + 1;
	return ceil_mode && n > 0 && (n - 1) * stride >= s + pad ? n - 1 : n;
}

static mt_status result_shape(const char *op, const mt_tensor *x, int spatial, const struct mt_pool_params *p,
                              int ceil_mode, int64_t *shape) {
	char text[MT__SHAPE_TEXT];
	if (x->rank != spatial + 2)
		return mt__fail(MT_E_SHAPE, "%s: x is %s; %d dims are needed: batch, channels, space", op,
		                mt__tensor_text(text, x), spatial + 2);
	shape[0] = x->shape[0];
	shape[1] = x->shape[1];
	for (int i = 0; i < spatial; i++) {
		if (x->shape[i + 2] > INT64_MAX / 2)
			return mt__fail(MT_E_SHAPE, "%s: x is %s: it is too large", op, mt__tensor_text(text, x));
		shape[i + 2] = x->shape[i + 2] == 0 ? 0 : windows(x->shape[i + 2], i, p, ceil_mode);
		if (shape[i + 2] == 0)
			return mt__fail(MT_E_SHAPE,
			                "%s: x is %s: along spatial dim %d the window, kernel %d, dilation %d, is longer "
			                "than x with padding %d",
			                op, mt__tensor_text(text, x), i, (int)p->kernel[i], (int)p->dilation[i], (int)p->pad[i]);
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
	if (plane >= 0 && plane <= INT32_MAX)
		return MT_OK;
	return mt__fail(MT_E_SHAPE, "%s: x is %s; a plane of 2^31 elements or more is not supported", op,
	                mt__tensor_text(text, x));
}

/* ---- the kernels -------------------------------------------------------------------------------------------------- */

/* Of a node: what its op and the gradient need to know of each other. */
struct attrs {
	struct mt_pool_params p;
	int32_t kind, rank;
	int64_t x[MT_MAX_SPATIAL + 2], out[MT_MAX_SPATIAL + 2];
};
_Static_assert(sizeof(struct attrs) <= MT__ATTR_BYTES, "attributes of pooling");

/* indices may be NULL. */
static mt_status run(mt_tensor *x, mt_tensor *y, mt_tensor *indices, const struct attrs *a) {
	if (y->numel == 0)
		return MT_OK;
	mt_array ax = mt__array(x), ay = mt__array(y), ai = {0};
	if (indices != NULL)
		ai = mt__array(indices);
	struct mt_pool_args args = {.struct_size = sizeof args,
	                            .op = a->kind,
	                            .x = &ax,
	                            .out = &ay,
	                            .indices = indices != NULL ? &ai : NULL,
	                            .p = a->p};
	return mt__dispatch(mt__device_of(x), MT_K_POOL, a->kind, &args);
}

static mt_status run_grad(mt_tensor *gout, mt_tensor *indices, mt_tensor *gx, const struct attrs *a) {
	if (gx->numel == 0)
		return MT_OK;
	mt_array ag = mt__array(gout), ax = mt__array(gx), ai = {0};
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

/* ---- recording ---------------------------------------------------------------------------------------------------- */

static mt_tensor *average(const struct mt_grad_rule *rule, mt_tensor *x, const struct attrs *a);
static mt_tensor *gradient(const struct mt_grad_rule *rule, mt_tensor *gout, mt_tensor *indices, const struct attrs *a);
static mt_tensor *at_winners(mt_tensor *v, mt_tensor *indices, const struct attrs *a);

static mt_status give(mt_tensor **gx, mt_tensor *g) {
	gx[0] = g;
	return g != NULL ? MT_OK : mt_error_peek();
}

static mt_status max_grad_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	mt_tensor *indices = mt__saved(node, 0);
	return indices == NULL ? mt_error_peek() : give(gx, at_winners(gout, indices, mt__attrs(node)));
}

static const struct mt_grad_rule max_grad_rule = {"max_pool_grad", max_grad_backward};

static mt_status max_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	mt_tensor *indices = mt__saved(node, 0);
	return indices == NULL ? mt_error_peek() : give(gx, gradient(&max_grad_rule, gout, indices, mt__attrs(node)));
}

static mt_status avg_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx);

static const struct mt_grad_rule max_rules[] = {
	{"max_pool1d", max_backward}, {"max_pool2d", max_backward}, {"max_pool3d", max_backward}};
static const struct mt_grad_rule avg_rules[] = {
	{"avg_pool1d", avg_backward}, {"avg_pool2d", avg_backward}, {"avg_pool3d", avg_backward}};

static mt_status avg_grad_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct attrs *a = mt__attrs(node);
	return give(gx, average(&avg_rules[a->rank - 3], gout, a));
}

static const struct mt_grad_rule avg_grad_rule = {"avg_pool_grad", avg_grad_backward};

static mt_status avg_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	return give(gx, gradient(&avg_grad_rule, gout, NULL, mt__attrs(node)));
}

/* indices may be NULL. */
static mt_tensor *record(const struct mt_grad_rule *rule, mt_tensor *x, mt_tensor *y, mt_tensor *indices,
                         const struct attrs *a) {
	struct mt_node *node = mt__record(rule, y, &x, 1);
	if (node == NULL)
		return NULL;
	*(struct attrs *)mt__attrs(node) = *a;
	return indices == NULL || mt__save(node, 0, indices) == MT_OK ? y : NULL;
}

/* ---- the recorded ops --------------------------------------------------------------------------------------------- */

static mt_tensor *average(const struct mt_grad_rule *rule, mt_tensor *x, const struct attrs *a) {
	mt_tensor *y = mt__tensor_new(rule->name, mt__device_of(x), a->rank, a->out, x->dtype);
	if (y == NULL || run(x, y, NULL, a) != MT_OK)
		return NULL;
	return mt__wants_grad(&x, 1) ? record(rule, x, y, NULL, a) : y;
}

static mt_tensor *largest(const struct mt_grad_rule *rule, mt_tensor *x, const struct attrs *a) {
	int wanted = mt__wants_grad(&x, 1);
	mt_tensor *y = mt__tensor_new(rule->name, mt__device_of(x), a->rank, a->out, x->dtype), *indices = NULL;
	if (wanted)
		indices = mt__tensor_new(rule->name, mt__device_of(x), a->rank, a->out, MT_I32);
	if (y == NULL || (wanted && indices == NULL) || run(x, y, indices, a) != MT_OK)
		return NULL;
	return wanted ? record(rule, x, y, indices, a) : y;
}

/* indices: of a maximum, else NULL. */
static mt_tensor *gradient(const struct mt_grad_rule *rule, mt_tensor *gout, mt_tensor *indices,
                           const struct attrs *a) {
	mt_tensor *gx = mt__tensor_new(rule->name, mt__device_of(gout), a->rank, a->x, gout->dtype);
	if (gx == NULL || run_grad(gout, indices, gx, a) != MT_OK)
		return NULL;
	return mt__wants_grad(&gout, 1) ? record(rule, gout, gx, indices, a) : gx;
}

/* The elements of v, of x's shape, that won: planes as rows, gathered. */
static mt_tensor *at_winners(mt_tensor *v, mt_tensor *indices, const struct attrs *a) {
	int64_t cells = mt__numel(a->rank - 2, a->x + 2), taken = mt__numel(a->rank - 2, a->out + 2);
	mt_tensor *rows = mt_reshape(v, MT_SHAPE(a->x[0], a->x[1], cells));
	mt_tensor *where = mt_reshape(indices, MT_SHAPE(a->x[0], a->x[1], taken));
	return mt_reshape(mt_gather(rows, 2, where), a->rank, a->out);
}

/* ---- the ops ------------------------------------------------------------------------------------------------------ */

static mt_tensor *pool(int32_t kind, int spatial, mt_tensor *x, const mt_pool_options *options) {
	const struct mt_grad_rule *rule = kind == MT_POOL_MAX ? &max_rules[spatial - 1] : &avg_rules[spatial - 1];
	struct attrs a = {.kind = kind, .rank = spatial + 2};
	if (!mt__check_tensor(rule->name, "x", x) || mt__pool_params(rule->name, kind, options, spatial, &a.p) != MT_OK ||
	    result_shape(rule->name, x, spatial, &a.p, options->ceil_mode, a.out) != MT_OK ||
	    (kind == MT_POOL_MAX && check_plane(rule->name, x) != MT_OK) ||
	    (x = mt_cast(x, mt__to_float(x->dtype))) == NULL)
		return NULL;
	for (int d = 0; d < a.rank; d++)
		a.x[d] = x->shape[d];
	return kind == MT_POOL_MAX ? largest(rule, x, &a) : average(rule, x, &a);
}

mt_tensor *mt_max_pool1d(mt_tensor *x, mt_pool_options options) {
	return pool(MT_POOL_MAX, 1, x, &options);
}

mt_tensor *mt_max_pool2d(mt_tensor *x, mt_pool_options options) {
	return pool(MT_POOL_MAX, 2, x, &options);
}

mt_tensor *mt_max_pool3d(mt_tensor *x, mt_pool_options options) {
	return pool(MT_POOL_MAX, 3, x, &options);
}

mt_tensor *mt_avg_pool1d(mt_tensor *x, mt_pool_options options) {
	return pool(MT_POOL_AVG, 1, x, &options);
}

mt_tensor *mt_avg_pool2d(mt_tensor *x, mt_pool_options options) {
	return pool(MT_POOL_AVG, 2, x, &options);
}

mt_tensor *mt_avg_pool3d(mt_tensor *x, mt_pool_options options) {
	return pool(MT_POOL_AVG, 3, x, &options);
}
