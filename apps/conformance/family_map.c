/* map: every op of map_ops.def in every dtype and layout, over its domain, special values and all magnitudes. */
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
#define MT_MAP(id, NAME, name, dtypes, result, formula) {id, #name, dtypes},
#include "mt/map_ops.def"
#undef MT_MAP
};

static const char bool_result[MT_MAP_END_] = {
#define MT_MAP(id, NAME, name, dtypes, result, formula) [id] = result,
#include "mt/map_ops.def"
#undef MT_MAP
};

/* span: values lie within ±span, or in as much of the op's domain.  p, q: the op's, in thousandths. */
enum { SPAN, P, Q, IN_PLACE, PARAMS };
static const struct cf_param params[PARAMS] = {
	[SPAN] = {"span", 4000, 1, 1000000},
	[P] = {"p", 250, -INT64_C(9223372036854775807), INT64_MAX},
	[Q] = {"q", 2000, -INT64_C(9223372036854775807), INT64_MAX},
	[IN_PLACE] = {"in_place", 0, 0, 1},
};

static int takes_whole(int32_t dtype) {
	return !cf_is_float(dtype);
}

static int valid(const struct cf_case *c) {
	if (c->param[IN_PLACE] && bool_result[c->op])
		return 0;
	if (c->dtype == MT_U8 && (c->param[P] < 0 || c->param[Q] < 0))
		return 0;
	return cf_is_filled(c);
}

/* ---- inputs ---- */

static void domain(int32_t op, double span, double *low, double *high) {
	*low = -span;
	*high = span;
	switch (op) {
	case MT_MAP_LOG:
	case MT_MAP_LOG2:
	case MT_MAP_LOG10:
	case MT_MAP_SQRT:
	case MT_MAP_RSQRT:
		*low = 0;
		break;
	case MT_MAP_LOG1P:
		*low = fmax(-span, -1);
		break;
	case MT_MAP_ACOSH:
		*low = 1;
		*high = 1 + span;
		break;
	case MT_MAP_ASIN:
	case MT_MAP_ACOS:
	case MT_MAP_ATANH:
		*low = fmax(-span, -1);
		*high = fmin(span, 1);
		break;
	default:
		break;
	}
}

/* Where formulas change: kinks, halves, the ends of domains, where exponentials leave the range of a dtype. */
static void fill_edges(struct cf_run *r, struct cf_array *x, const struct cf_case *c) {
	static const double edges[] = {0.0,  -0.0,  1,         -1,    0.5,    -0.5,  1.5,  2.5,   -2.5,    3,    -3,
	                               6,    -6,    8388609.5, 5.5,   9,      11,    -11,  16,    -16,     88,   -88,
	                               89,   103.5, -103.5,    127,   -126.5, -149,  128,  709,   710,     -745, -746,
	                               1024, 1e4,   -1e4,      1e-30, -1e-30, 1e-41, 1e30, -1e30, 16777217};
	enum { EDGES = sizeof edges / sizeof *edges };
	struct cf_random *n = cf_numbers(r);
	for (int64_t e = 0; e < x->numel; e++) {
		int64_t k = e < EDGES + 2 ? e : cf_random_integer(n, 0, EDGES + 1);
		double edge = k < EDGES ? edges[k] : cf_scalar_value(c->dtype, c->param[k == EDGES ? P : Q]);
		if (cf_is_float(c->dtype) && fabs(edge) > cf_largest(c->dtype))
			edge = cf_largest(c->dtype);
		cf_set(x, e, takes_whole(c->dtype) ? fmod(trunc(edge), 2147483648.0) : edge);
	}
	cf_settle(x);
}

static void fill_input(struct cf_run *r, struct cf_array *x, const struct cf_case *c) {
	double low, high, span = (double)c->param[SPAN] / 1000;
	domain(c->op, takes_whole(c->dtype) ? ceil(span) * 25 : span, &low, &high);
	if (c->data == CF_TIES)
		fill_edges(r, x, c);
	else
		cf_fill_data(r, x, c->data, low, high, 1);
}

/* ---- expected values ---- */

/* Ops that one IEEE operation, or none, computes: their bits are determined. */
static int is_exact(int32_t op) {
	return cf_units(MT_K_MAP, op) == 0;
}

/* What may be lost where a form cancels, or underflows in the middle. */
static long double scale_of(int32_t op, int32_t dtype, long double x, long double p) {
	long double tiny = cf_tiny(cf_side_dtype(dtype));
	if (!isfinite(x))
		return 0;
	switch (op) {
	case MT_MAP_SILU: /* the exponential underflows before its product with x does */
	case MT_MAP_MISH:
		return fabsl(x) * tiny;
	case MT_MAP_ELU: /* … and p multiplies what expm1 of a subnormal is off by */
		return fabsl(p) * tiny;
	case MT_MAP_GELU: /* the tails multiply x with what is left of a difference from 1 */
	case MT_MAP_GELU_TANH:
		return fminl(fabsl(x), 16);
	case MT_MAP_HARDSIGMOID:
		return fabsl(x) < 3.1L ? 0.5L : 0;
	default:
		return 0;
	}
}

static void compare_integers(struct cf_run *r, const struct cf_case *c, const int64_t *x, const struct cf_array *y) {
	int64_t *expected = cf_reference_integers(r, y->numel);
	int64_t p = cf_wrap(c->dtype, (uint64_t)(c->param[P] / 1000)),
			q = cf_wrap(c->dtype, (uint64_t)(c->param[Q] / 1000));
	for (int64_t e = 0; e < y->numel; e++)
		expected[e] = cf_wrap(c->dtype, (uint64_t)cf_map_integer(c->op, x[e], p, q));
	cf_check_integers(r, y, expected, "out");
}

static void compare_values(struct cf_run *r, const struct cf_case *c, const double *x, const struct cf_array *y) {
	long double *expected = cf_reference(r, y->numel), *scale = cf_reference(r, y->numel);
	long double p = cf_scalar_value(c->dtype, c->param[P]), q = cf_scalar_value(c->dtype, c->param[Q]);
	struct cf_allowance allowed = cf_allowed(MT_K_MAP, c->op, c->dtype);
	for (int64_t e = 0; e < y->numel; e++) {
		/* a square is right to the bit in double, and with one more rounding in what is narrower */
		expected[e] = c->op == MT_MAP_SQUARE ? x[e] * x[e] : cf_map_value(c->op, x[e], p, q);
		scale[e] = scale_of(c->op, c->dtype, x[e], p) * allowed.scale;
		if (is_exact(c->op))
			expected[e] = cf_round(y->array.dtype, expected[e]);
	}
	if (cf_check(r, y, expected, scale, allowed.units, "out") && is_exact(c->op) && c->op != MT_MAP_RELU &&
	    c->op != MT_MAP_CLAMP)
		cf_check_zeros(r, y, expected, "out");
}

static void run(struct cf_run *r, const struct cf_case *c) {
	int in_place = c->param[IN_PLACE] != 0, numel;
	struct cf_array *x = cf_new(r, in_place ? CF_INOUT : CF_IN, c->dtype, c->rank, c->shape, in_place ? c->out : c->in);
	fill_input(r, x, c);
	struct cf_array *y = x;
	if (!in_place)
		y = cf_new(r, CF_OUT, bool_result[c->op] ? MT_BOOL : c->dtype, c->rank, c->shape, c->out);
	const struct mt_map_args args = {.struct_size = sizeof args,
	                                 .op = c->op,
	                                 .x = &x->array,
	                                 .out = &y->array,
	                                 .p0 = cf_scalar(c->dtype, c->param[P]),
	                                 .p1 = cf_scalar(c->dtype, c->param[Q])};
	numel = (int)x->numel;
	double *values = cf_memory(r, (size_t)numel * sizeof *values); /* in place they are overwritten */
	int64_t *integers = cf_reference_integers(r, numel);
	for (int e = 0; e < numel; e++) {
		values[e] = x->values[e];
		integers[e] = x->integers != NULL ? x->integers[e] : 0;
	}
	if (!cf_call(r, MT_K_MAP, &args))
		return;
	if (y->integers != NULL)
		compare_integers(r, c, integers, y);
	else
		compare_values(r, c, values, y);
}

/* ---- cases ---- */

static void span_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	static const int64_t spans[] = {1, 1000, 20000, 100000, 1000000}, line[] = {1009};
	cf_set_shape(&c, 1, line);
	for (int i = 0; i < 5; i++) {
		c.param[SPAN] = spans[i];
		emit(&c, context);
	}
	c.param[SPAN] = params[SPAN].simplest;
	c.data = CF_WIDE;
	emit(&c, context);
	c.data = CF_TIES;
	emit(&c, context);
	c.in = CF_NEGATIVE;
	c.out = CF_STEPPED;
	c.data = CF_SPECIAL;
	emit(&c, context);
}

static void clamp_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	static const int64_t bounds[][2] = {{1000, 2000},
	                                    {2000, 1000},
	                                    {-1500, 100},
	                                    {3000, 3000},
	                                    {-INT64_C(9007199254740993000), INT64_C(9007199254740993000)}};
	static const int64_t line[] = {300};
	cf_set_shape(&c, 1, line);
	for (int i = 0; i < 5; i++)
		for (c.data = CF_RANDOM; c.data < CF_DATA_END; c.data++) {
			c.param[P] = bounds[i][0];
			c.param[Q] = bounds[i][1];
			if (valid(&c))
				emit(&c, context);
		}
}

static void op_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	static const int64_t cube[] = {5, 3, 7}, large[] = {3, 33001};
	emit(&c, context);
	cf_set_shape(&c, 3, cube);
	cf_emit_layouts(c, emit, context);
	if (!bool_result[c.op])
		for (c.out = 0, c.param[IN_PLACE] = 1; c.out < CF_OUT_LAYOUTS; c.out++) {
			c.in = c.out;
			emit(&c, context);
		}
	c.in = c.out = CF_CONTIGUOUS;
	c.param[IN_PLACE] = 0;
	span_cases(c, emit, context);
	if (c.op == MT_MAP_CLAMP)
		clamp_cases(c, emit, context);
	if (c.dtype != MT_F32)
		return;
	cf_set_shape(&c, 2, large);
	c.out = CF_PADDED;
	emit(&c, context);
}

static void each(cf_emit_fn emit, void *context) {
	cf_each_op(&cf_map_family, op_cases, emit, context);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	cf_draw_shape(r, c, 0);
	c->param[SPAN] = INT64_C(1) << cf_random_integer(r, 0, 19);
	c->param[P] = cf_random_integer(r, c->dtype == MT_U8 ? 0 : -3000, 3000);
	c->param[Q] = cf_random_integer(r, c->dtype == MT_U8 ? 0 : -3000, 3000);
	c->param[IN_PLACE] = !bool_result[c->op] && cf_random_integer(r, 0, 3) == 0;
}

const struct cf_family cf_map_family = {
	.name = "map",
	.kernel = MT_K_MAP,
	.ops = ops,
	.n_ops = sizeof ops / sizeof *ops,
	.params = params,
	.n_params = PARAMS,
	.shaped = 1,
	.data = 1u << CF_RANDOM | 1u << CF_SPECIAL | 1u << CF_TIES | 1u << CF_WIDE,
	.in_place_param = IN_PLACE,
	.valid = valid,
	.each = each,
	.draw = draw,
	.run = run,
};
