/* map: how each op is differentiated.  Some have a kernel for it in the zip list; it is no recorded op, so where the
 * gradient itself is recorded, or the device lacks that kernel, the formula is taken, which is made of ops. */
#include "ops/map.h"

/* ---- formulas ----------------------------------------------------------------------------------------------------- */

/* gx from the upstream gradient g and the saved tensor (x or y). */
typedef mt_tensor *(*derive_fn)(mt_tensor *g, mt_tensor *saved, const struct mt__map_parameters *with);

/* scale · x + shift */
static mt_tensor *affine(mt_tensor *x, double scale, double shift) {
	return mt_add_scalar(mt_mul_scalar(x, mt_f(scale)), mt_f(shift));
}

static mt_tensor *compare(int32_t op, mt_tensor *x, double limit) {
	return mt_zip_scalar(op, x, mt_f(limit));
}

static mt_tensor *zero_where(mt_tensor *condition, mt_tensor *otherwise) {
	return otherwise == NULL ? NULL : mt_where(condition, mt__number_like(otherwise, 0), otherwise);
}

static mt_tensor *derive_neg(mt_tensor *g, mt_tensor *s, const struct mt__map_parameters *with) {
	(void)s, (void)with;
	return mt_neg(g);
}

static mt_tensor *derive_zero(mt_tensor *g, mt_tensor *s, const struct mt__map_parameters *with) {
	(void)s, (void)with;
	return mt_zeros_like(g);
}

static mt_tensor *derive_abs(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	return mt_mul(g, mt_sign(x));
}

static mt_tensor *derive_exp(mt_tensor *g, mt_tensor *y, const struct mt__map_parameters *with) {
	(void)with;
	return mt_mul(g, y);
}

static mt_tensor *derive_exp2(mt_tensor *g, mt_tensor *y, const struct mt__map_parameters *with) {
	(void)with;
	return mt_mul(g, mt_mul_scalar(y, mt_f(0.693147180559945309)));
}

static mt_tensor *derive_expm1(mt_tensor *g, mt_tensor *y, const struct mt__map_parameters *with) {
	(void)with;
	return mt_mul(g, mt_add_scalar(y, mt_i(1)));
}

static mt_tensor *derive_log(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	return mt_div(g, x);
}

static mt_tensor *derive_log2(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	return mt_div(g, mt_mul_scalar(x, mt_f(0.693147180559945309)));
}

static mt_tensor *derive_log10(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	return mt_div(g, mt_mul_scalar(x, mt_f(2.30258509299404568)));
}

static mt_tensor *derive_log1p(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	return mt_div(g, mt_add_scalar(x, mt_i(1)));
}

static mt_tensor *derive_sqrt(mt_tensor *g, mt_tensor *y, const struct mt__map_parameters *with) {
	(void)with;
	return mt_div(g, mt_mul_scalar(y, mt_i(2)));
}

static mt_tensor *derive_rsqrt(mt_tensor *g, mt_tensor *y, const struct mt__map_parameters *with) {
	(void)with;
	return mt_mul(g, mt_mul_scalar(mt_mul(mt_square(y), y), mt_f(-0.5)));
}

static mt_tensor *derive_square(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	return mt_mul(g, mt_mul_scalar(x, mt_i(2)));
}

static mt_tensor *derive_reciprocal(mt_tensor *g, mt_tensor *y, const struct mt__map_parameters *with) {
	(void)with;
	return mt_neg(mt_mul(g, mt_square(y)));
}

static mt_tensor *derive_sin(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	return mt_mul(g, mt_cos(x));
}

static mt_tensor *derive_cos(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	return mt_neg(mt_mul(g, mt_sin(x)));
}

static mt_tensor *derive_tan(mt_tensor *g, mt_tensor *y, const struct mt__map_parameters *with) {
	(void)with;
	return mt_mul(g, mt_add_scalar(mt_square(y), mt_i(1)));
}

static mt_tensor *derive_asin(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	return mt_mul(g, mt_rsqrt(mt_rsub_scalar(mt_square(x), mt_i(1))));
}

static mt_tensor *derive_acos(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	return mt_neg(derive_asin(g, x, with));
}

static mt_tensor *derive_atan(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	return mt_div(g, mt_add_scalar(mt_square(x), mt_i(1)));
}

static mt_tensor *derive_sinh(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	return mt_mul(g, mt_cosh(x));
}

static mt_tensor *derive_cosh(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	return mt_mul(g, mt_sinh(x));
}

static mt_tensor *derive_tanh(mt_tensor *g, mt_tensor *y, const struct mt__map_parameters *with) {
	(void)with;
	return mt_mul(g, mt_rsub_scalar(mt_square(y), mt_i(1)));
}

static mt_tensor *derive_asinh(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	return mt_mul(g, mt_rsqrt(mt_add_scalar(mt_square(x), mt_i(1))));
}

static mt_tensor *derive_acosh(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	return mt_mul(g, mt_rsqrt(mt_sub_scalar(mt_square(x), mt_i(1))));
}

static mt_tensor *derive_atanh(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	return mt_div(g, mt_rsub_scalar(mt_square(x), mt_i(1)));
}

static mt_tensor *derive_erf(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	return mt_mul(g, mt_mul_scalar(mt_exp(mt_neg(mt_square(x))), mt_f(1.12837916709551257)));
}

static mt_tensor *derive_sigmoid(mt_tensor *g, mt_tensor *y, const struct mt__map_parameters *with) {
	(void)with;
	return mt_mul(g, mt_mul(y, mt_rsub_scalar(y, mt_i(1))));
}

/* y ≤ 0 where x is: the layer behind mostly keeps y too, and x can go. */
static mt_tensor *derive_relu(mt_tensor *g, mt_tensor *y, const struct mt__map_parameters *with) {
	(void)with;
	return zero_where(compare(MT_ZIP_LE, y, 0), g);
}

static mt_tensor *derive_leaky_relu(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	return mt_where(compare(MT_ZIP_LE, x, 0), mt_mul_scalar(g, with->p), g);
}

/* e^x where x ≤ 0; 1 above, where the branch is not taken but its own derivative must stay finite.  That is 0 at 0, as
 * PyTorch has the second derivative of elu there. */
static mt_tensor *exp_below_zero(mt_tensor *x) {
	return mt_exp(mt_neg(mt_relu(mt_neg(x))));
}

static mt_tensor *derive_elu(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	return mt_where(compare(MT_ZIP_LE, x, 0), mt_mul(mt_mul_scalar(g, with->p), exp_below_zero(x)), g);
}

static mt_tensor *derive_selu(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	g = mt_mul_scalar(g, mt_f(1.0507009873554805));
	mt_tensor *below = mt_mul(mt_mul_scalar(g, mt_f(1.6732632423543772)), exp_below_zero(x));
	return mt_where(compare(MT_ZIP_LE, x, 0), below, g);
}

/* Φ(x) + x φ(x) */
static mt_tensor *derive_gelu(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	mt_tensor *cumulative = affine(mt_erf(mt_mul_scalar(x, mt_f(0.707106781186547524))), 0.5, 0.5);
	mt_tensor *density = mt_mul_scalar(mt_exp(mt_mul_scalar(mt_square(x), mt_f(-0.5))), mt_f(0.398942280401432678));
	return mt_mul(g, mt_add(cumulative, mt_mul(x, density)));
}

/* (1 + t)/2 + x/2 (1 − t²) u',  t = tanh u,  u = √(2/π) (x + 0.044715 x³) */
static mt_tensor *derive_gelu_tanh(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	const double k = 0.797884560802865356, c = 0.044715;
	mt_tensor *squared = mt_square(x), *t = mt_tanh(mt_mul(x, affine(squared, k * c, k)));
	mt_tensor *slope = mt_mul(mt_rsub_scalar(mt_square(t), mt_i(1)), affine(squared, 1.5 * k * c, 0.5 * k));
	return mt_mul(g, mt_add(affine(t, 0.5, 0.5), mt_mul(x, slope)));
}

static mt_tensor *derive_silu(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	mt_tensor *s = mt_sigmoid(x);
	return mt_mul(g, mt_mul(s, mt_add_scalar(mt_mul(x, mt_rsub_scalar(s, mt_i(1))), mt_i(1))));
}

static mt_tensor *derive_softplus(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	return mt_mul(g, mt_sigmoid(x));
}

/* t + x (1 − t²) sigmoid(x),  t = tanh(softplus(x)) */
static mt_tensor *derive_mish(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	mt_tensor *t = mt_tanh(mt_softplus(x));
	mt_tensor *slope = mt_mul(mt_rsub_scalar(mt_square(t), mt_i(1)), mt_sigmoid(x));
	return mt_mul(g, mt_add(t, mt_mul(x, slope)));
}

static mt_tensor *derive_clamp(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	mt_tensor *below = mt_zip_scalar(MT_ZIP_LT, x, with->p), *above = mt_zip_scalar(MT_ZIP_GT, x, with->q);
	return zero_where(mt_logical_or(below, above), g);
}

static mt_tensor *derive_hardsigmoid(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	mt_tensor *flat = mt_logical_or(compare(MT_ZIP_LE, x, -3), compare(MT_ZIP_GE, x, 3));
	return zero_where(flat, mt_div_scalar(g, mt_i(6)));
}

/* The parabola's slope is taken of x inside [−3, 3] alone: elsewhere it is not used, but must stay finite. */
static mt_tensor *derive_hardswish(mt_tensor *g, mt_tensor *x, const struct mt__map_parameters *with) {
	(void)with;
	mt_tensor *slope = affine(mt_clamp(x, mt_i(-3), mt_i(3)), 1.0 / 3, 0.5);
	mt_tensor *rising = mt_where(compare(MT_ZIP_GE, x, 3), g, mt_mul(g, slope));
	return zero_where(compare(MT_ZIP_LE, x, -3), rising);
}

/* ---- the table ---------------------------------------------------------------------------------------------------- */

enum saves { NOTHING, X, Y };

struct map_gradient {
	enum saves saves;
	int32_t kernel; /* enum mt_zip_id; 0: the formula alone */
	derive_fn derive;
};

/* An op without an entry has no gradient (its result is bool). */
static const struct map_gradient gradients[MT_MAP_END_] = {
	[MT_MAP_NEG] = {NOTHING, 0, derive_neg},
	[MT_MAP_ABS] = {X, MT_ZIP_ABS_GRAD, derive_abs},
	[MT_MAP_SIGN] = {NOTHING, 0, derive_zero},
	[MT_MAP_EXP] = {Y, 0, derive_exp},
	[MT_MAP_EXPM1] = {Y, 0, derive_expm1},
	[MT_MAP_LOG] = {X, 0, derive_log},
	[MT_MAP_LOG1P] = {X, 0, derive_log1p},
	[MT_MAP_SQRT] = {Y, MT_ZIP_SQRT_GRAD, derive_sqrt},
	[MT_MAP_RSQRT] = {Y, MT_ZIP_RSQRT_GRAD, derive_rsqrt},
	[MT_MAP_SQUARE] = {X, 0, derive_square},
	[MT_MAP_RECIPROCAL] = {Y, 0, derive_reciprocal},
	[MT_MAP_SIN] = {X, 0, derive_sin},
	[MT_MAP_COS] = {X, 0, derive_cos},
	[MT_MAP_TANH] = {Y, MT_ZIP_TANH_GRAD, derive_tanh},
	[MT_MAP_SIGMOID] = {Y, MT_ZIP_SIGMOID_GRAD, derive_sigmoid},
	[MT_MAP_RELU] = {Y, MT_ZIP_RELU_GRAD, derive_relu},
	[MT_MAP_GELU] = {X, MT_ZIP_GELU_GRAD, derive_gelu},
	[MT_MAP_GELU_TANH] = {X, MT_ZIP_GELU_TANH_GRAD, derive_gelu_tanh},
	[MT_MAP_SILU] = {X, MT_ZIP_SILU_GRAD, derive_silu},
	[MT_MAP_SOFTPLUS] = {X, MT_ZIP_SOFTPLUS_GRAD, derive_softplus},
	[MT_MAP_ERF] = {X, MT_ZIP_ERF_GRAD, derive_erf},
	[MT_MAP_FLOOR] = {NOTHING, 0, derive_zero},
	[MT_MAP_CEIL] = {NOTHING, 0, derive_zero},
	[MT_MAP_ROUND] = {NOTHING, 0, derive_zero},
	[MT_MAP_TRUNC] = {NOTHING, 0, derive_zero},
	[MT_MAP_LEAKY_RELU] = {X, MT_ZIP_LEAKY_RELU_GRAD, derive_leaky_relu},
	[MT_MAP_ELU] = {X, MT_ZIP_ELU_GRAD, derive_elu},
	[MT_MAP_CLAMP] = {X, MT_ZIP_CLAMP_GRAD, derive_clamp},
	[MT_MAP_TAN] = {Y, 0, derive_tan},
	[MT_MAP_ASIN] = {X, 0, derive_asin},
	[MT_MAP_ACOS] = {X, 0, derive_acos},
	[MT_MAP_ATAN] = {X, 0, derive_atan},
	[MT_MAP_SINH] = {X, 0, derive_sinh},
	[MT_MAP_COSH] = {X, 0, derive_cosh},
	[MT_MAP_ASINH] = {X, 0, derive_asinh},
	[MT_MAP_ACOSH] = {X, 0, derive_acosh},
	[MT_MAP_ATANH] = {X, 0, derive_atanh},
	[MT_MAP_EXP2] = {Y, 0, derive_exp2},
	[MT_MAP_LOG2] = {X, 0, derive_log2},
	[MT_MAP_LOG10] = {X, 0, derive_log10},
	[MT_MAP_MISH] = {X, MT_ZIP_MISH_GRAD, derive_mish},
	[MT_MAP_SELU] = {X, MT_ZIP_SELU_GRAD, derive_selu},
	[MT_MAP_HARDSIGMOID] = {X, MT_ZIP_HARDSIGMOID_GRAD, derive_hardsigmoid},
	[MT_MAP_HARDSWISH] = {X, MT_ZIP_HARDSWISH_GRAD, derive_hardswish},
};

/* ---- the rule ----------------------------------------------------------------------------------------------------- */

static mt_status map_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx);

#define MT_MAP(id, NAME, name, dtypes, result, formula) [id] = {#name, map_backward},
static const struct mt_grad_rule rules[MT_MAP_END_] = {
#include "mt/map_ops.def"
};
#undef MT_MAP

static mt_status map_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct map_gradient *gradient = &gradients[mt__rule(node) - rules];
	const struct mt__map_parameters *with = mt__attrs(node);
	mt_tensor *saved = NULL;
	if (gradient->saves != NOTHING && (saved = mt__saved(node, 0)) == NULL)
		return mt_error_peek();
	int native = gradient->kernel != 0 && !mt_grad_enabled() &&
	             mt__supports(mt__device_of(gout), MT_K_ZIP, gradient->kernel, gout->dtype);
	gx[0] =
		native ? mt__zip_grad(gradient->kernel, gout, saved, with->p, with->q) : gradient->derive(gout, saved, with);
	return gx[0] != NULL ? MT_OK : mt_error_peek();
}

mt_tensor *mt__map_record(int32_t op, mt_tensor *x, mt_tensor *y, struct mt__map_parameters with) {
	struct mt_node *node = mt__record(&rules[op], y, &x, 1);
	if (node == NULL)
		return NULL;
	enum saves saves = gradients[op].saves;
	if (saves != NOTHING && mt__save(node, 0, saves == X ? x : y) != MT_OK)
		return NULL;
	if (with.p.tag != MT_SCALAR_NONE)
		*(struct mt__map_parameters *)mt__attrs(node) = with;
	return y;
}
