/* map: y = f(x).  The ops come from map_ops.def; this file adds how each is differentiated. */
#include "ops/ops.h"

#define MT_MAP(id, NAME, name, dtypes, result, formula) [id] = {#name, MT_SET_##dtypes, MT__RESULT_##result},
static const struct mt__op_row rows[MT_MAP_END_] = {
#include "mt/map_ops.def"
};
#undef MT_MAP

/* ---- gradients ---------------------------------------------------------------------------------------------------- */

/* gx from the upstream gradient g and the saved tensor s (x or y). */
typedef mt_tensor *(*derive_fn)(mt_tensor *g, mt_tensor *s);

static mt_tensor *derive_neg(mt_tensor *g, mt_tensor *s) {
	(void)s;
	return mt_neg(g);
}

static mt_tensor *derive_zero(mt_tensor *g, mt_tensor *s) {
	(void)s;
	return mt_zeros_like(g);
}

static mt_tensor *derive_exp(mt_tensor *g, mt_tensor *y) {
	return mt_mul(g, y);
}

static mt_tensor *derive_expm1(mt_tensor *g, mt_tensor *y) {
	return mt_mul(g, mt_add_scalar(y, mt_i(1)));
}

static mt_tensor *derive_log(mt_tensor *g, mt_tensor *x) {
	return mt_div(g, x);
}

static mt_tensor *derive_log1p(mt_tensor *g, mt_tensor *x) {
	return mt_div(g, mt_add_scalar(x, mt_i(1)));
}

static mt_tensor *derive_square(mt_tensor *g, mt_tensor *x) {
	return mt_mul(g, mt_mul_scalar(x, mt_i(2)));
}

static mt_tensor *derive_reciprocal(mt_tensor *g, mt_tensor *y) {
	return mt_neg(mt_mul(g, mt_square(y)));
}

static mt_tensor *derive_sin(mt_tensor *g, mt_tensor *x) {
	return mt_mul(g, mt_cos(x));
}

static mt_tensor *derive_cos(mt_tensor *g, mt_tensor *x) {
	return mt_neg(mt_mul(g, mt_sin(x)));
}

enum saves { NOTHING, X, Y };

/* A gradient kernel of the zip list, or a formula. */
struct map_gradient {
	enum saves saves;
	int32_t kernel; /* enum mt_zip_id, 0: derive */
	derive_fn derive;
};

/* An op without an entry has no gradient (its result is bool). */
static const struct map_gradient gradients[MT_MAP_END_] = {
	[MT_MAP_NEG] = {NOTHING, 0, derive_neg},
	[MT_MAP_ABS] = {X, MT_ZIP_ABS_GRAD, NULL},
	[MT_MAP_SIGN] = {NOTHING, 0, derive_zero},
	[MT_MAP_EXP] = {Y, 0, derive_exp},
	[MT_MAP_EXPM1] = {Y, 0, derive_expm1},
	[MT_MAP_LOG] = {X, 0, derive_log},
	[MT_MAP_LOG1P] = {X, 0, derive_log1p},
	[MT_MAP_SQRT] = {Y, MT_ZIP_SQRT_GRAD, NULL},
	[MT_MAP_RSQRT] = {Y, MT_ZIP_RSQRT_GRAD, NULL},
	[MT_MAP_SQUARE] = {X, 0, derive_square},
	[MT_MAP_RECIPROCAL] = {Y, 0, derive_reciprocal},
	[MT_MAP_SIN] = {X, 0, derive_sin},
	[MT_MAP_COS] = {X, 0, derive_cos},
	[MT_MAP_TANH] = {Y, MT_ZIP_TANH_GRAD, NULL},
	[MT_MAP_SIGMOID] = {Y, MT_ZIP_SIGMOID_GRAD, NULL},
	[MT_MAP_RELU] = {X, MT_ZIP_RELU_GRAD, NULL},
	[MT_MAP_GELU] = {X, MT_ZIP_GELU_GRAD, NULL},
	[MT_MAP_GELU_TANH] = {X, MT_ZIP_GELU_TANH_GRAD, NULL},
	[MT_MAP_SILU] = {X, MT_ZIP_SILU_GRAD, NULL},
	[MT_MAP_SOFTPLUS] = {X, MT_ZIP_SOFTPLUS_GRAD, NULL},
	[MT_MAP_ERF] = {X, MT_ZIP_ERF_GRAD, NULL},
	[MT_MAP_FLOOR] = {NOTHING, 0, derive_zero},
	[MT_MAP_CEIL] = {NOTHING, 0, derive_zero},
	[MT_MAP_ROUND] = {NOTHING, 0, derive_zero},
	[MT_MAP_TRUNC] = {NOTHING, 0, derive_zero},
	[MT_MAP_LEAKY_RELU] = {X, MT_ZIP_LEAKY_RELU_GRAD, NULL},
	[MT_MAP_ELU] = {X, MT_ZIP_ELU_GRAD, NULL},
	[MT_MAP_CLAMP] = {X, MT_ZIP_CLAMP_GRAD, NULL},
};

static mt_status map_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx);

#define MT_MAP(id, NAME, name, dtypes, result, formula) [id] = {#name, map_backward},
static const struct mt_grad_rule rules[MT_MAP_END_] = {
#include "mt/map_ops.def"
};
#undef MT_MAP

struct parameters {
	mt_scalar p, q;
};

static mt_status map_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct map_gradient *gradient = &gradients[mt__rule(node) - rules];
	mt_tensor *saved = NULL;
	if (gradient->saves != NOTHING && (saved = mt__saved(node, 0)) == NULL)
		return mt_error_peek();
	if (gradient->kernel != 0) {
		const struct parameters *with = mt__attrs(node);
		gx[0] = mt__zip_with(gradient->kernel, gout, saved, with->p, with->q);
	} else {
		gx[0] = gradient->derive(gout, saved);
	}
	return gx[0] != NULL ? MT_OK : mt_error_peek();
}

static mt_tensor *record(int32_t op, mt_tensor *x, mt_tensor *y, struct parameters with) {
	struct mt_node *node = mt__record(&rules[op], y, &x, 1);
	if (node == NULL)
		return NULL;
	enum saves saves = gradients[op].saves;
	if (saves != NOTHING && mt__save(node, 0, saves == X ? x : y) != MT_OK)
		return NULL;
	if (with.p.tag != MT_SCALAR_NONE)
		*(struct parameters *)mt__attrs(node) = with;
	return y;
}

/* ---- forward ------------------------------------------------------------------------------------------------------ */

static int parameters_of(int32_t op) {
	return op == MT_MAP_CLAMP ? 2 : op == MT_MAP_LEAKY_RELU || op == MT_MAP_ELU;
}

/* x in a dtype that the op takes: float-only ops take integers and bool as f32; clamp promotes with its limits. */
static mt_tensor *convert(int32_t op, mt_tensor *x, struct parameters with) {
	const struct mt__op_row *row = &rows[op];
	mt_dtype dtype = x->dtype;
	if (op == MT_MAP_CLAMP)
		dtype = mt__promote_scalar(mt__promote_scalar(dtype, with.p), with.q);
	if (row->dtypes == MT_SET_FLOAT)
		dtype = mt__to_float(dtype);
	if (!mt__dtype_in(dtype, row->dtypes)) {
		char text[MT__SHAPE_TEXT];
		return mt__fail_null(MT_E_DTYPE, "%s: not defined on %s", row->name, mt__tensor_text(text, x));
	}
	return dtype == x->dtype ? x : mt_cast(x, dtype);
}

static mt_tensor *map(int32_t op, mt_tensor *x, struct parameters with) {
	const struct mt__op_row *row = &rows[op];
	if (!mt__check_tensor(row->name, "x", x) || (x = convert(op, x, with)) == NULL)
		return NULL;
	mt_dtype result = row->result == MT__RESULT_BOOL ? MT_BOOL : x->dtype;
	mt_tensor *y = mt__tensor_new(row->name, mt__device_of(x), x->rank, x->shape, result);
	if (y == NULL)
		return NULL;
	if (y->numel != 0) {
		mt_array ax, ay;
		mt__describe(&ax, x);
		mt__describe(&ay, y);
		struct mt_map_args args = {
			.struct_size = sizeof args, .op = op, .x = &ax, .out = &ay, .p0 = with.p, .p1 = with.q};
		if (mt__dispatch(mt__device_of(x), MT_K_MAP, op, &args) != MT_OK)
			return NULL;
	}
	if (row->result == MT__RESULT_BOOL || !mt__wants_grad(&x, 1))
		return y;
	return record(op, x, y, with);
}

static mt_tensor *plain(int32_t op, mt_tensor *x) {
	return map(op, x, (struct parameters){{0}, {0}});
}

mt_tensor *mt_map(int32_t op, mt_tensor *x, mt_scalar p, mt_scalar q) {
	if (op < 1 || op >= MT_MAP_END_)
		return mt__fail_null(MT_E_ARG, "map: there is no op %d", (int)op);
	int n = parameters_of(op);
	if ((n > 0 && p.tag == MT_SCALAR_NONE) || (n > 1 && q.tag == MT_SCALAR_NONE))
		return mt__fail_null(MT_E_ARG, "%s: takes %d parameter%s", rows[op].name, n, n > 1 ? "s" : "");
	const mt_scalar none = {0};
	return map(op, x, (struct parameters){n > 0 ? p : none, n > 1 ? q : none});
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

mt_tensor *mt_tanh(mt_tensor *x) {
	return plain(MT_MAP_TANH, x);
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
