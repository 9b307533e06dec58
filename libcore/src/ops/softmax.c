/* softmax and log_softmax along one axis. */
#include "ops/ops.h"

struct attrs {
	int32_t axis, log;
};

/* ---- composed forms ----------------------------------------------------------------------------------------------- */

/* x − max x does not overflow.  16-bit floats are computed in f32, as the kernel does. */
static mt_tensor *compose(mt_tensor *x, int axis, int log) {
	mt_tensor *wide = mt_cast(x, x->dtype == MT_F64 ? MT_F64 : MT_F32);
	mt_tensor *shifted = mt_sub(wide, mt_max(wide, MT_AXES(axis), 1));
	mt_tensor *e = mt_exp(shifted);
	mt_tensor *sum = mt_sum(e, MT_AXES(axis), 1);
	mt_tensor *y = log ? mt_sub(shifted, mt_log(sum)) : mt_div(e, sum);
	return y == NULL ? NULL : mt_cast(y, x->dtype);
}

mt_tensor *mt__softmax_composed(mt_tensor *x, int axis, int log) {
	return x->numel == 0 ? mt_clone(x) : compose(x, axis, log);
}

/* softmax: y (g − Σ g y);   log_softmax: g − e^y Σ g */
static mt_tensor *compose_grad(mt_tensor *g, mt_tensor *y, const struct attrs *a) {
	if (a->log)
		return mt_sub(g, mt_mul(mt_exp(y), mt_sum(g, MT_AXES(a->axis), 1)));
	return mt_mul(y, mt_sub(g, mt_sum(mt_mul(g, y), MT_AXES(a->axis), 1)));
}

/* ---- gradient ----------------------------------------------------------------------------------------------------- */

static mt_status softmax_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct attrs *a = mt__attrs(node);
	mt_tensor *y = mt__saved(node, 0);
	if (y == NULL)
		return mt_error_peek();
	if (mt_grad_enabled() || !mt__supports(mt__device_of(y), MT_K_SOFTMAX_GRAD, 0, y->dtype)) {
		gx[0] = compose_grad(gout, y, a);
		return gx[0] != NULL ? MT_OK : mt_error_peek();
	}
	gx[0] = mt_empty_like(y);
	if (gx[0] == NULL)
		return mt_error_peek();
	if (y->numel == 0)
		return MT_OK;
	mt_array ag = mt__array(gout), ay = mt__array(y), ax = mt__array(gx[0]);
	struct mt_softmax_grad_args args = {
		.struct_size = sizeof args, .axis = a->axis, .log = a->log, .gout = &ag, .y = &ay, .gx = &ax};
	return mt__dispatch(mt__device_of(y), MT_K_SOFTMAX_GRAD, 0, &args);
}

static const struct mt_grad_rule softmax_rule = {"softmax", softmax_backward};
static const struct mt_grad_rule log_softmax_rule = {"log_softmax", softmax_backward};

/* ---- forward ------------------------------------------------------------------------------------------------------ */

static mt_tensor *run_composed(mt_tensor *x, int axis, int log) {
	int was = mt_grad_enable(0);
	mt_tensor *y = compose(x, axis, log);
	mt_grad_enable(was);
	return y;
}

static mt_tensor *run(const char *op, mt_tensor *x, int axis, int log) {
	if (x->numel != 0 && !mt__supports(mt__device_of(x), MT_K_SOFTMAX, 0, x->dtype))
		return run_composed(x, axis, log);
	mt_tensor *y = mt__tensor_new(op, mt__device_of(x), x->rank, x->shape, x->dtype);
	if (y == NULL || y->numel == 0)
		return y;
	mt_array ax = mt__array(x), ay = mt__array(y);
	struct mt_softmax_args args = {.struct_size = sizeof args, .axis = axis, .log = log, .x = &ax, .out = &ay};
	return mt__dispatch(mt__device_of(x), MT_K_SOFTMAX, 0, &args) == MT_OK ? y : NULL;
}

static mt_tensor *softmax(const char *op, mt_tensor *x, int axis, int log) {
	if (!mt__check_tensor(op, "x", x) || (axis = mt__dim(op, x, axis)) < 0 ||
	    (x = mt_cast(x, mt__to_float(x->dtype))) == NULL)
		return NULL;
	mt_tensor *y = run(op, x, axis, log);
	if (y == NULL || !mt__wants_grad(&x, 1))
		return y;
	struct mt_node *node = mt__record(log ? &log_softmax_rule : &softmax_rule, y, &x, 1);
	if (node == NULL || mt__save(node, 0, y) != MT_OK)
		return NULL;
	*(struct attrs *)mt__attrs(node) = (struct attrs){axis, log};
	return y;
}

mt_tensor *mt_softmax(mt_tensor *x, int axis) {
	return softmax("softmax", x, axis, 0);
}

mt_tensor *mt_log_softmax(mt_tensor *x, int axis) {
	return softmax("log_softmax", x, axis, 1);
}
