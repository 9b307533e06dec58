/* Initialisation of parameters, in place and outside the graph. */
#include <math.h>

#include "base/error.h"
#include "mt/autograd.h"
#include "nn/module.h"
#include "tensor/shape.h"
#include "tensor/tensor.h"

enum distribution { UNIFORM, NORMAL };

/* Overwrites t with draws: uniform in [p, q), or normal with mean p and deviation q. */
static mt_tensor *draw(const char *op, mt_tensor *t, enum distribution d, double p, double q) {
	if (!mt__check_tensor(op, "t", t))
		return NULL;
	if (!isfinite(p) || !isfinite(q))
		return mt__fail_null(MT_E_ARG, "%s: the range must be finite", op);
	mt_scope *scope = mt_scope_begin();
	if (scope == NULL)
		return NULL;
	int was = mt_grad_enable(0);
	int rank = mt_tensor_rank(t);
	const int64_t *shape = mt_tensor_shape(t);
	mt_dtype dtype = mt_tensor_dtype(t);
	mt_tensor *values = d == UNIFORM ? mt_uniform(rank, shape, dtype, p, q) : mt_normal(rank, shape, dtype, p, q);
	mt_tensor *done = mt_copy_(t, values);
	mt_grad_enable(was);
	mt_scope_end(scope);
	return done ? t : NULL;
}

mt_tensor *mt_init_uniform(mt_tensor *t, double low, double high) {
	return draw("init_uniform", t, UNIFORM, low, high);
}

mt_tensor *mt_init_normal(mt_tensor *t, double mean, double std) {
	return draw("init_normal", t, NORMAL, mean, std);
}

mt_tensor *mt_init_constant(mt_tensor *t, double value) {
	if (!mt__check_tensor("init_constant", "t", t))
		return NULL;
	int was = mt_grad_enable(0);
	mt_tensor *done = mt_fill_(t, mt_f(value));
	mt_grad_enable(was);
	return done ? t : NULL;
}

static mt_status fans(const char *op, mt_tensor *t, int64_t *in, int64_t *out) {
	if (!mt__check_tensor(op, "t", t))
		return mt_error_peek() ? mt_error_peek() : MT_E_NULL;
	char text[MT__SHAPE_TEXT];
	if (mt_tensor_rank(t) < 2)
		return mt__fail(MT_E_SHAPE, "%s: the fans need rank 2 or more, got %s", op,
		                mt__shape_text(text, mt_tensor_rank(t), mt_tensor_shape(t)));
	int64_t field = 1;
	for (int d = 2; d < mt_tensor_rank(t); d++)
		field *= mt_tensor_shape(t)[d];
	*in = mt_tensor_shape(t)[1] * field;
	*out = mt_tensor_shape(t)[0] * field;
	return MT_OK;
}

mt_status mt_init_fans(mt_tensor *t, int64_t *fan_in, int64_t *fan_out) {
	if (fan_in == NULL || fan_out == NULL)
		return mt__fail_arg_null("init_fans", fan_in == NULL ? "fan_in" : "fan_out");
	return fans("init_fans", t, fan_in, fan_out);
}

/* Draws with mean 0 and standard deviation gain · √(variance); n elements of fan 0 leave nothing to draw. */
static mt_tensor *draw_scaled(const char *op, mt_tensor *t, enum distribution d, double gain, double variance) {
	double std = gain * sqrt(variance);
	if (mt_tensor_numel(t) == 0)
		return t;
	if (d == NORMAL)
		return draw(op, t, NORMAL, 0, std);
	double bound = sqrt(3.0) * std; /* a uniform in ±b has the deviation b/√3 */
	return draw(op, t, UNIFORM, -bound, bound);
}

static mt_tensor *xavier(const char *op, mt_tensor *t, enum distribution d, double gain) {
	int64_t in, out;
	if (fans(op, t, &in, &out) != MT_OK)
		return NULL;
	return draw_scaled(op, t, d, gain, 2.0 / ((double)in + (double)out));
}

mt_tensor *mt_init_xavier_uniform(mt_tensor *t, double gain) {
	return xavier("init_xavier_uniform", t, UNIFORM, gain);
}

mt_tensor *mt_init_xavier_normal(mt_tensor *t, double gain) {
	return xavier("init_xavier_normal", t, NORMAL, gain);
}

static mt_tensor *kaiming(const char *op, mt_tensor *t, enum distribution d, int32_t fan, double gain) {
	int64_t in, out;
	if (fan != MT_FAN_IN && fan != MT_FAN_OUT)
		return mt__fail_null(MT_E_ARG, "%s: fan is MT_FAN_IN or MT_FAN_OUT, got %d", op, (int)fan);
	if (fans(op, t, &in, &out) != MT_OK)
		return NULL;
	return draw_scaled(op, t, d, gain, 1.0 / (double)(fan == MT_FAN_IN ? in : out));
}

mt_tensor *mt_init_kaiming_uniform(mt_tensor *t, int32_t fan, double gain) {
	return kaiming("init_kaiming_uniform", t, UNIFORM, fan, gain);
}

mt_tensor *mt_init_kaiming_normal(mt_tensor *t, int32_t fan, double gain) {
	return kaiming("init_kaiming_normal", t, NORMAL, fan, gain);
}

mt_status mt_init_gain(int32_t op, double p, double *out) {
	if (out == NULL)
		return mt__fail_arg_null("init_gain", "out");
	switch (op) {
	case 0:
	case MT_MAP_SIGMOID:
		*out = 1;
		return MT_OK;
	case MT_MAP_TANH:
		*out = 5.0 / 3.0;
		return MT_OK;
	case MT_MAP_RELU:
		*out = sqrt(2.0);
		return MT_OK;
	case MT_MAP_LEAKY_RELU:
		*out = sqrt(2.0 / (1.0 + p * p));
		return MT_OK;
	default:
		return mt__fail(MT_E_ARG, "init_gain: known for 0, RELU, LEAKY_RELU, SIGMOID, TANH; got map op %d", (int)op);
	}
}

mt_status mt__add_uniform_parameter(mt_module *m, const char *name, mt_tensor *t, double bound) {
	if (mt_init_uniform(t, -bound, bound) == NULL)
		return mt_error_peek() ? mt_error_peek() : MT_E_MEMORY;
	return mt_module_add_parameter(m, name, t);
}
