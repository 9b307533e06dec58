/* map by name: one function an op. */
#include "ops/ops.h"

static mt_tensor *plain(int32_t op, mt_tensor *x) {
	return mt_map(op, x, mt_f(0), mt_f(0));
}

mt_tensor *mt_neg(mt_tensor *x) {
	return plain(MT_MAP_NEG, x);
}

mt_tensor *mt_abs(mt_tensor *x) {
	return plain(MT_MAP_ABS, x);
}

mt_tensor *mt_sign(mt_tensor *x) {
	return plain(MT_MAP_SIGN, x);
}

mt_tensor *mt_exp(mt_tensor *x) {
	return plain(MT_MAP_EXP, x);
}

mt_tensor *mt_expm1(mt_tensor *x) {
	return plain(MT_MAP_EXPM1, x);
}

mt_tensor *mt_log(mt_tensor *x) {
	return plain(MT_MAP_LOG, x);
}

mt_tensor *mt_log1p(mt_tensor *x) {
	return plain(MT_MAP_LOG1P, x);
}

mt_tensor *mt_sqrt(mt_tensor *x) {
	return plain(MT_MAP_SQRT, x);
}

mt_tensor *mt_rsqrt(mt_tensor *x) {
	return plain(MT_MAP_RSQRT, x);
}

mt_tensor *mt_square(mt_tensor *x) {
	return plain(MT_MAP_SQUARE, x);
}

mt_tensor *mt_reciprocal(mt_tensor *x) {
	return plain(MT_MAP_RECIPROCAL, x);
}

mt_tensor *mt_sin(mt_tensor *x) {
	return plain(MT_MAP_SIN, x);
}

mt_tensor *mt_cos(mt_tensor *x) {
	return plain(MT_MAP_COS, x);
}

mt_tensor *mt_tan(mt_tensor *x) {
	return plain(MT_MAP_TAN, x);
}

mt_tensor *mt_asin(mt_tensor *x) {
	return plain(MT_MAP_ASIN, x);
}

mt_tensor *mt_acos(mt_tensor *x) {
	return plain(MT_MAP_ACOS, x);
}

mt_tensor *mt_atan(mt_tensor *x) {
	return plain(MT_MAP_ATAN, x);
}

mt_tensor *mt_sinh(mt_tensor *x) {
	return plain(MT_MAP_SINH, x);
}

mt_tensor *mt_cosh(mt_tensor *x) {
	return plain(MT_MAP_COSH, x);
}

mt_tensor *mt_tanh(mt_tensor *x) {
	return plain(MT_MAP_TANH, x);
}

mt_tensor *mt_asinh(mt_tensor *x) {
	return plain(MT_MAP_ASINH, x);
}

mt_tensor *mt_acosh(mt_tensor *x) {
	return plain(MT_MAP_ACOSH, x);
}

mt_tensor *mt_atanh(mt_tensor *x) {
	return plain(MT_MAP_ATANH, x);
}

mt_tensor *mt_exp2(mt_tensor *x) {
	return plain(MT_MAP_EXP2, x);
}

mt_tensor *mt_log2(mt_tensor *x) {
	return plain(MT_MAP_LOG2, x);
}

mt_tensor *mt_log10(mt_tensor *x) {
	return plain(MT_MAP_LOG10, x);
}

mt_tensor *mt_sigmoid(mt_tensor *x) {
	return plain(MT_MAP_SIGMOID, x);
}

mt_tensor *mt_relu(mt_tensor *x) {
	return plain(MT_MAP_RELU, x);
}

mt_tensor *mt_gelu(mt_tensor *x) {
	return plain(MT_MAP_GELU, x);
}

mt_tensor *mt_gelu_tanh(mt_tensor *x) {
	return plain(MT_MAP_GELU_TANH, x);
}

mt_tensor *mt_silu(mt_tensor *x) {
	return plain(MT_MAP_SILU, x);
}

mt_tensor *mt_softplus(mt_tensor *x) {
	return plain(MT_MAP_SOFTPLUS, x);
}

mt_tensor *mt_mish(mt_tensor *x) {
	return plain(MT_MAP_MISH, x);
}

mt_tensor *mt_selu(mt_tensor *x) {
	return plain(MT_MAP_SELU, x);
}

mt_tensor *mt_hardsigmoid(mt_tensor *x) {
	return plain(MT_MAP_HARDSIGMOID, x);
}

mt_tensor *mt_hardswish(mt_tensor *x) {
	return plain(MT_MAP_HARDSWISH, x);
}

mt_tensor *mt_erf(mt_tensor *x) {
	return plain(MT_MAP_ERF, x);
}

mt_tensor *mt_floor(mt_tensor *x) {
	return plain(MT_MAP_FLOOR, x);
}

mt_tensor *mt_ceil(mt_tensor *x) {
	return plain(MT_MAP_CEIL, x);
}

mt_tensor *mt_round(mt_tensor *x) {
	return plain(MT_MAP_ROUND, x);
}

mt_tensor *mt_trunc(mt_tensor *x) {
	return plain(MT_MAP_TRUNC, x);
}

mt_tensor *mt_logical_not(mt_tensor *x) {
	return plain(MT_MAP_LOGICAL_NOT, x);
}

mt_tensor *mt_isnan(mt_tensor *x) {
	return plain(MT_MAP_ISNAN, x);
}

mt_tensor *mt_isinf(mt_tensor *x) {
	return plain(MT_MAP_ISINF, x);
}

mt_tensor *mt_isfinite(mt_tensor *x) {
	return plain(MT_MAP_ISFINITE, x);
}

mt_tensor *mt_leaky_relu(mt_tensor *x, double slope) {
	return mt_map(MT_MAP_LEAKY_RELU, x, mt_f(slope), mt_f(0));
}

mt_tensor *mt_elu(mt_tensor *x, double alpha) {
	return mt_map(MT_MAP_ELU, x, mt_f(alpha), mt_f(0));
}

mt_tensor *mt_clamp(mt_tensor *x, mt_scalar low, mt_scalar high) {
	return mt_map(MT_MAP_CLAMP, x, low, high);
}
