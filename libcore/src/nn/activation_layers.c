/* Activations as layers. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "nn/build.h"

/* ---- map ops ---------------------------------------------------------------------------------------------------- */

struct activation {
	int32_t op;
	double p;
};

static mt_tensor *activation_forward(mt_module *m, mt_tensor *x, void *context) {
	(void)m;
	const struct activation *a = context;
	return mt_map(a->op, x, mt_f(a->p), mt_f(0));
}

static int slope_describe(void *context, char *text, size_t size) {
	return snprintf(text, size, "negative_slope=%g", ((const struct activation *)context)->p);
}

static int alpha_describe(void *context, char *text, size_t size) {
	return snprintf(text, size, "alpha=%g", ((const struct activation *)context)->p);
}

static const struct {
	int32_t op;
	mt_module_class kind;
} activations[] = {
	{MT_MAP_RELU, {"ReLU", activation_forward, NULL, mt__free}},
	{MT_MAP_SIGMOID, {"Sigmoid", activation_forward, NULL, mt__free}},
	{MT_MAP_TANH, {"Tanh", activation_forward, NULL, mt__free}},
	{MT_MAP_GELU, {"GELU", activation_forward, NULL, mt__free}},
	{MT_MAP_GELU_TANH, {"GELUTanh", activation_forward, NULL, mt__free}},
	{MT_MAP_SILU, {"SiLU", activation_forward, NULL, mt__free}},
	{MT_MAP_SOFTPLUS, {"Softplus", activation_forward, NULL, mt__free}},
	{MT_MAP_LEAKY_RELU, {"LeakyReLU", activation_forward, slope_describe, mt__free}},
	{MT_MAP_ELU, {"ELU", activation_forward, alpha_describe, mt__free}},
	{MT_MAP_MISH, {"Mish", activation_forward, NULL, mt__free}},
	{MT_MAP_SELU, {"SELU", activation_forward, NULL, mt__free}},
	{MT_MAP_HARDSIGMOID, {"Hardsigmoid", activation_forward, NULL, mt__free}},
	{MT_MAP_HARDSWISH, {"Hardswish", activation_forward, NULL, mt__free}},
};

mt_module *mt_nn_activation(int32_t op, double p) {
	const struct activation options = {op, p};
	for (size_t i = 0; i < sizeof activations / sizeof *activations; i++)
		if (activations[i].op == op)
			return mt__module_with(&activations[i].kind, &options, sizeof options);
	mt__fail(
		MT_E_ARG,
		"nn_activation: map op %d is none of relu, sigmoid, tanh, gelu, gelu_tanh, silu, softplus, leaky_relu, elu, "
		"mish, selu, hardsigmoid, hardswish",
		(int)op);
	return NULL;
}

int mt__is_relu(const mt_module *m) {
	return m->kind->forward == activation_forward && ((const struct activation *)m->context)->op == MT_MAP_RELU;
}

mt_module *mt_nn_relu(void) {
	return mt_nn_activation(MT_MAP_RELU, 0);
}

mt_module *mt_nn_sigmoid(void) {
	return mt_nn_activation(MT_MAP_SIGMOID, 0);
}

mt_module *mt_nn_tanh(void) {
	return mt_nn_activation(MT_MAP_TANH, 0);
}

mt_module *mt_nn_gelu(void) {
	return mt_nn_activation(MT_MAP_GELU, 0);
}

/* ---- Hardtanh --------------------------------------------------------------------------------------------------- */

struct limits {
	double low, high;
};

static mt_tensor *hardtanh_forward(mt_module *m, mt_tensor *x, void *context) {
	(void)m;
	const struct limits *l = context;
	return mt_hardtanh(x, l->low, l->high);
}

static int hardtanh_describe(void *context, char *text, size_t size) {
	const struct limits *l = context;
	return snprintf(text, size, "min_val=%g, max_val=%g", l->low, l->high);
}

static const mt_module_class hardtanh_class = {"Hardtanh", hardtanh_forward, hardtanh_describe, mt__free};

mt_module *mt_nn_hardtanh(double low, double high) {
	const struct limits options = {low, high};
	if (low <= high)
		return mt__module_with(&hardtanh_class, &options, sizeof options);
	mt__fail(MT_E_ARG, "nn_hardtanh: low must be at most high, got %g and %g", low, high);
	return NULL;
}

/* ---- PReLU ------------------------------------------------------------------------------------------------------ */

static mt_tensor *prelu_forward(mt_module *m, mt_tensor *x, void *context) {
	(void)context;
	return mt_prelu(x, m->state[0].tensor);
}

static int prelu_describe(void *context, char *text, size_t size) {
	return snprintf(text, size, "num_parameters=%" PRId64, *(const int64_t *)context);
}

static const mt_module_class prelu_class = {"PReLU", prelu_forward, prelu_describe, mt__free};

mt_module *mt_nn_prelu(int64_t n, double init) {
	if (n < 1) {
		mt__fail(MT_E_ARG, "nn_prelu: n must be at least 1, got %" PRId64, n);
		return NULL;
	}
	mt_module *m = mt__module_with(&prelu_class, &n, sizeof n);
	mt_scope *scope = m != NULL ? mt_scope_begin() : NULL;
	mt_tensor *weight = scope != NULL ? mt_full(1, &n, MT_F32, mt_f(init)) : NULL;
	int made = weight != NULL && mt_module_add_parameter(m, "weight", weight) == MT_OK;
	mt_scope_end(scope);
	if (made)
		return m;
	mt_module_free(m);
	return NULL;
}
