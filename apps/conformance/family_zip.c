/* zip: every op of zip_ops.def in every dtype and layout, with a scalar on either side, in place of either operand, over
 * special values in pairs, ties and all magnitudes. */
#include <math.h>

#include "families.h"
#include "dtype.h"
#include "formulas.h"
#include "run.h"
#include "values.h"

#define FLOAT MT_SET_FLOAT
#define NUMBER MT_SET_NUMBER
#define ALL MT_SET_ALL
#define SAME 0
#define BOOL 1

static const struct cf_op ops[] = {
#define MT_ZIP(id, NAME, name, dtypes, result, formula) {id, #name, dtypes},
#include "mt/zip_ops.def"
#undef MT_ZIP
};

static const char bool_result[MT_ZIP_END_] = {
#define MT_ZIP(id, NAME, name, dtypes, result, formula) [id] = result,
#include "mt/zip_ops.def"
#undef MT_ZIP
};

/* in_b: b's layout, where in is a's.  scalar, p and q in thousandths; tag: how the scalar comes. */
enum { FORM, IN_B, SCALAR, TAG, P, Q, PARAMS };
enum form { BOTH, SCALAR_LEFT, SCALAR_RIGHT, PLACE_A, PLACE_B, FORMS };
static const struct cf_param params[PARAMS] = {
	[FORM] = {"form", BOTH, BOTH, FORMS - 1},
	[IN_B] = {"in_b", CF_CONTIGUOUS, 0, CF_IN_LAYOUTS - 1},
	[SCALAR] = {"scalar", 3000, -INT64_C(9223372036854775807), INT64_MAX},
	[TAG] = {"tag", MT_SCALAR_F64, MT_SCALAR_I64, MT_SCALAR_F64},
	[P] = {"p", 250, -3000, 3000},
	[Q] = {"q", 2000, -3000, 3000},
};

static int is_gradient(int32_t op) {
	return (op >= MT_ZIP_ABS_GRAD && op <= MT_ZIP_CLAMP_GRAD) ||
	       (op >= MT_ZIP_MISH_GRAD && op <= MT_ZIP_HARDSWISH_GRAD);
}

static int valid(const struct cf_case *c) {
	int64_t form = c->param[FORM], scalar = c->param[SCALAR];
	if (form >= PLACE_A && bool_result[c->op])
		return 0;
	if (is_gradient(c->op) && c->data == CF_WIDE)
		return 0; /* products in the middle of a formula may leave the range */
	if (c->dtype == MT_U8 && (scalar < 0 || scalar > 255000))
		return 0;
	if (c->dtype == MT_I32 && (scalar < -INT64_C(2147483648000) || scalar > INT64_C(2147483647000)))
		return 0;
	if (cf_is_float(c->dtype) && c->param[TAG] == MT_SCALAR_I64 && scalar % 1000 != 0)
		return 0;
	return cf_is_filled(c);
}

/* ---- inputs ---- */

static mt_scalar scalar_of(const struct cf_case *c) {
	int64_t thousandths = c->param[SCALAR];
	if (c->param[TAG] == MT_SCALAR_I64)
		return (mt_scalar){.tag = MT_SCALAR_I64, .v = {.i = thousandths / 1000}};
	return (mt_scalar){.tag = MT_SCALAR_F64, .v = {.f = (double)thousandths / 1000}};
}

/* What the scalar is in the integer dtype: truncated, as a C cast; in bool whether it is not 0. */
static int64_t scalar_integer(const struct cf_case *c) {
	if (c->dtype == MT_BOOL)
		return c->param[TAG] == MT_SCALAR_F64 ? c->param[SCALAR] != 0 : c->param[SCALAR] / 1000 != 0;
	return c->param[TAG] == MT_SCALAR_F64 ? (int64_t)((double)c->param[SCALAR] / 1000) : c->param[SCALAR] / 1000;
}

/* The first hundred elements: every special value with every other. */
static void fill_pairs(struct cf_run *r, struct cf_array *a, struct cf_array *b) {
	static const double floats[] = {0.0, -0.0, 1.0, -1.0, INFINITY, -INFINITY, NAN, 1e-40, 3.0, -2.5};
	struct cf_random *n = cf_numbers(r);
	int32_t t = a->array.dtype;
	const int64_t integers[] = {0, 1, -1, cf_lowest_integer(t), cf_highest_integer(t), 7, -7, 255, 2, 3};
	for (int64_t e = 0; e < a->numel; e++) {
		int64_t pair = e < 100 ? e : cf_random_integer(n, 0, 99);
		if (cf_is_float(t)) {
			cf_set(a, e, floats[pair / 10]);
			cf_set(b, e, floats[pair % 10]);
		} else {
			cf_set_integer(a, e, integers[pair / 10]);
			cf_set_integer(b, e, integers[pair % 10]);
		}
	}
	cf_settle(a);
	cf_settle(b);
}

/* x or y of a gradient at the places where its formula changes. */
static void fill_kinks(struct cf_run *r, struct cf_array *b, const struct cf_case *c) {
	const double kinks[] = {-3, -1, -0.0, 0, 1, 3, (double)c->param[P] / 1000, (double)c->param[Q] / 1000};
	for (int64_t e = 0; e < b->numel; e++)
		cf_set(b, e, kinks[cf_random_integer(cf_numbers(r), 0, 7)]);
	cf_settle(b);
}

static void fill_inputs(struct cf_run *r, const struct cf_case *c, struct cf_array *a, struct cf_array *b) {
	double span = cf_is_float(c->dtype) ? 5 : 120, low = c->op == MT_ZIP_POW && cf_is_float(c->dtype) ? 0 : -span;
	if (c->data == CF_SPECIAL) {
		fill_pairs(r, a, b);
	} else if (c->data == CF_TIES) {
		cf_fill_ties(r, a);
		if (is_gradient(c->op))
			fill_kinks(r, b, c);
		else
			cf_fill_ties(r, b);
	} else {
		cf_fill_data(r, a, c->data, low, span, 0);
		cf_fill_data(r, b, c->data, c->op == MT_ZIP_POW ? -3 : -span, c->op == MT_ZIP_POW ? 6 : span, 0);
	}
}

/* ---- expected values ---- */

/* add, sub, mul, div of IEEE in double: the sums of f32, f16 and bf16 are right after one more rounding, since double
 * has more than twice their digits and two (Figueroa, "When is double rounding innocuous?", 1995). */
static double in_double(int32_t op, double a, double b) {
	switch (op) {
	case MT_ZIP_ADD:
		return a + b;
	case MT_ZIP_SUB:
		return a - b;
	case MT_ZIP_MUL:
		return a * b;
	default:
		return a / b;
	}
}

/* Forms whose inner differences cancel: allowed against what was subtracted. */
static long double scale_of(int32_t op, long double a, long double b) {
	if (!isfinite(a) || !isfinite(b))
		return 0;
	switch (op) {
	case MT_ZIP_TANH_GRAD:
		return fabsl(a) * (1 + b * b);
	case MT_ZIP_SIGMOID_GRAD:
		return fabsl(a * b) * (1 + fabsl(b));
	case MT_ZIP_GELU_GRAD:
	case MT_ZIP_GELU_TANH_GRAD:
	case MT_ZIP_SILU_GRAD:
	case MT_ZIP_MISH_GRAD:
		return fabsl(a) * fminl(1 + fabsl(b), 32);
	case MT_ZIP_HARDSWISH_GRAD:
		return fabsl(b) < 3.1L ? fabsl(a) / 2 : 0;
	case MT_ZIP_ERF_GRAD: /* the rounding of b² goes into the exponent */
		return fabsl(a) * 2 * expl(-b * b) * b * b;
	default:
		return 0;
	}
}

/* Low precision with a scalar: a product of f32 that is rounded again, so not exact. */
static int is_exact(const struct cf_case *c) {
	int low = cf_side_dtype(c->dtype) != c->dtype,
		scalar = c->param[FORM] == SCALAR_LEFT || c->param[FORM] == SCALAR_RIGHT;
	return cf_units(MT_K_ZIP, c->op) == 0 && !(low && scalar && !bool_result[c->op]);
}

/* The operands as they were before the call, the scalar in its place. */
struct operands {
	double *a, *b;
	int64_t *ia, *ib;
};

static void keep(struct cf_run *r, const struct cf_array *x, int scalar, const struct cf_case *c, double **values,
                 int64_t **integers) {
	double held = cf_is_float(c->dtype) ? cf_scalar_value(c->dtype, c->param[SCALAR]) : (double)scalar_integer(c);
	*values = cf_memory(r, (size_t)x->numel * sizeof **values);
	*integers = cf_memory(r, (size_t)x->numel * sizeof **integers);
	for (int64_t e = 0; e < x->numel; e++) {
		(*values)[e] = scalar ? held : x->values[e];
		if (!cf_is_float(c->dtype))
			(*integers)[e] = scalar ? scalar_integer(c) : x->integers != NULL ? x->integers[e] : x->values[e] != 0;
	}
}

static void compare_integers(struct cf_run *r, const struct cf_case *c, const struct operands *o,
                             const struct cf_array *y) {
	int64_t *expected = cf_reference_integers(r, y->numel);
	int is_bool = c->dtype == MT_BOOL;
	for (int64_t e = 0; e < y->numel; e++) {
		int64_t v =
			is_bool ? cf_zip_bool(c->op, o->ia[e] != 0, o->ib[e] != 0) : cf_zip_integer(c->op, o->ia[e], o->ib[e]);
		expected[e] = bool_result[c->op] ? v : cf_wrap(c->dtype, (uint64_t)v);
	}
	cf_check_integers(r, y, expected, "out");
}

static void compare_values(struct cf_run *r, const struct cf_case *c, const struct operands *o,
                           const struct cf_array *y) {
	long double *expected = cf_reference(r, y->numel), *scale = cf_reference(r, y->numel);
	long double p = cf_scalar_value(c->dtype, c->param[P]), q = cf_scalar_value(c->dtype, c->param[Q]);
	struct cf_allowance allowed = cf_allowed(MT_K_ZIP, c->op, c->dtype);
	int exact = is_exact(c), in_ieee = c->op <= MT_ZIP_DIV;
	if (!exact && allowed.units < 1)
		allowed.units = 1 + cf_unit(MT_F32) / cf_unit(c->dtype);
	for (int64_t e = 0; e < y->numel; e++) {
		expected[e] =
			exact && in_ieee ? in_double(c->op, o->a[e], o->b[e]) : cf_zip_value(c->op, o->a[e], o->b[e], p, q);
		scale[e] = scale_of(c->op, o->a[e], o->b[e]) * allowed.scale;
		if (exact)
			expected[e] = cf_round(y->array.dtype, expected[e]);
	}
	if (cf_check(r, y, expected, scale, allowed.units, "out") && exact && (in_ieee || c->op == MT_ZIP_COPYSIGN))
		cf_check_zeros(r, y, expected, "out");
}

static void run(struct cf_run *r, const struct cf_case *c) {
	int64_t form = c->param[FORM];
	int place_a = form == PLACE_A, place_b = form == PLACE_B;
	struct cf_array *a = cf_new(r, place_a ? CF_INOUT : CF_IN, c->dtype, c->rank, c->shape, place_a ? c->out : c->in);
	struct cf_array *b =
		cf_new(r, place_b ? CF_INOUT : CF_IN, c->dtype, c->rank, c->shape, place_b ? c->out : (int32_t)c->param[IN_B]);
	fill_inputs(r, c, a, b);
	struct cf_array *y = place_a ? a : b;
	if (form < PLACE_A)
		y = cf_new(r, CF_OUT, bool_result[c->op] ? MT_BOOL : c->dtype, c->rank, c->shape, c->out);
	struct operands o;
	keep(r, a, form == SCALAR_LEFT, c, &o.a, &o.ia);
	keep(r, b, form == SCALAR_RIGHT, c, &o.b, &o.ib);
	const struct mt_zip_args args = {.struct_size = sizeof args,
	                                 .op = c->op,
	                                 .a = form == SCALAR_LEFT ? NULL : &a->array,
	                                 .b = form == SCALAR_RIGHT ? NULL : &b->array,
	                                 .out = &y->array,
	                                 .scalar = scalar_of(c),
	                                 .p0 = cf_scalar(c->dtype, c->param[P]),
	                                 .p1 = cf_scalar(c->dtype, c->param[Q])};
	if (!cf_call(r, MT_K_ZIP, &args))
		return;
	if (cf_is_float(c->dtype))
		compare_values(r, c, &o, y);
	else
		compare_integers(r, c, &o, y);
}

/* ---- cases ---- */

static void form_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	static const int64_t scalars[] = {0, -2000, 100, INT64_C(9007199254740993000)}, powers[] = {2000, -1000, 3000, 500};
	for (c.param[FORM] = SCALAR_LEFT; c.param[FORM] < FORMS; c.param[FORM]++)
		for (c.out = 0; c.out < CF_OUT_LAYOUTS; c.out++) {
			c.in = c.param[IN_B] = c.out;
			cf_emit_valid(&c, emit, context);
		}
	c.in = c.out = c.param[IN_B] = CF_CONTIGUOUS;
	for (c.param[FORM] = SCALAR_LEFT; c.param[FORM] <= SCALAR_RIGHT; c.param[FORM]++)
		for (int i = 0; i < 4; i++)
			for (c.param[TAG] = MT_SCALAR_I64; c.param[TAG] <= MT_SCALAR_F64; c.param[TAG]++) {
				c.param[SCALAR] = scalars[i];
				c.data = i == 3 ? CF_TIES : CF_RANDOM;
				if (i != 3 || (c.dtype == MT_I64 && c.param[TAG] == MT_SCALAR_I64))
					cf_emit_valid(&c, emit, context);
			}
	c.data = CF_RANDOM;
	c.param[TAG] = params[TAG].simplest;
	c.param[SCALAR] = params[SCALAR].simplest;
	for (c.in = CF_BROADCAST; c.in < CF_IN_LAYOUTS; c.in++)
		for (c.param[FORM] = SCALAR_LEFT, c.param[IN_B] = c.in; c.param[FORM] <= SCALAR_RIGHT; c.param[FORM]++)
			cf_emit_valid(&c, emit, context);
	c.in = c.param[IN_B] = CF_CONTIGUOUS;
	c.param[FORM] = SCALAR_RIGHT;
	for (int i = 0; i < 4 && c.op == MT_ZIP_POW; i++) { /* products stand in for some powers */
		c.param[SCALAR] = powers[i];
		cf_emit_valid(&c, emit, context);
	}
}

static void op_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	static const int64_t cube[] = {5, 3, 7}, line[] = {131}, large[] = {3, 33001};
	emit(&c, context);
	cf_set_shape(&c, 3, cube);
	for (c.param[IN_B] = 0; c.param[IN_B] < CF_IN_LAYOUTS; c.param[IN_B]++)
		for (c.in = 0; c.in < CF_IN_LAYOUTS; c.in++) {
			c.out = (int32_t)((c.in + c.param[IN_B]) % CF_OUT_LAYOUTS);
			if (c.in == c.param[IN_B] || c.in == CF_CONTIGUOUS || c.param[IN_B] == CF_CONTIGUOUS)
				emit(&c, context);
		}
	c.in = c.out = c.param[IN_B] = CF_CONTIGUOUS;
	form_cases(c, emit, context);
	cf_set_shape(&c, 1, line);
	for (c.data = CF_SPECIAL; c.data < CF_DATA_END; c.data++)
		cf_emit_valid(&c, emit, context);
	c.data = CF_SPECIAL;
	c.in = CF_STEPPED;
	c.param[IN_B] = c.out = CF_NEGATIVE;
	emit(&c, context);
	c.data = CF_RANDOM;
	c.in = c.out = c.param[IN_B] = CF_CONTIGUOUS;
	if (c.dtype != MT_F32)
		return;
	cf_set_shape(&c, 2, large);
	emit(&c, context);
	c.param[IN_B] = CF_BROADCAST;
	emit(&c, context);
}

static void each(cf_emit_fn emit, void *context) {
	cf_each_op(&cf_zip_family, op_cases, emit, context);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	cf_draw_shape(r, c, 0);
	if (is_gradient(c->op) && c->data == CF_WIDE)
		c->data = CF_RANDOM;
	c->param[FORM] = cf_random_integer(r, BOTH, bool_result[c->op] ? SCALAR_RIGHT : PLACE_B);
	c->param[IN_B] = cf_random_integer(r, 0, CF_IN_LAYOUTS - 1);
	c->param[TAG] = cf_random_integer(r, MT_SCALAR_I64, MT_SCALAR_F64);
	c->param[SCALAR] =
		cf_random_integer(r, c->dtype == MT_U8 ? 0 : -4, 5) * (c->param[TAG] == MT_SCALAR_I64 ? 1000 : 700);
	c->param[P] = cf_random_integer(r, -3000, 3000);
	c->param[Q] = cf_random_integer(r, -3000, 3000);
}

const struct cf_family cf_zip_family = {
	.name = "zip",
	.kernel = MT_K_ZIP,
	.ops = ops,
	.n_ops = sizeof ops / sizeof *ops,
	.params = params,
	.n_params = PARAMS,
	.shaped = 1,
	.data = 1u << CF_RANDOM | 1u << CF_SPECIAL | 1u << CF_TIES | 1u << CF_WIDE,
	.in_place_param = -1,
	.valid = valid,
	.each = each,
	.draw = draw,
	.run = run,
};
