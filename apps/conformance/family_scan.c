/* scan: running sums, products, largest and smallest along every axis, from either end. */
#include <math.h>

#include "dtype.h"
#include "families.h"
#include "formulas.h"
#include "run.h"
#include "values.h"

static const struct cf_op ops[] = {
	{MT_SCAN_SUM, "sum", MT_SET_NUMBER},
	{MT_SCAN_PROD, "prod", MT_SET_NUMBER},
	{MT_SCAN_MAX, "max", MT_SET_ALL},
	{MT_SCAN_MIN, "min", MT_SET_ALL},
};

enum { AXIS, REVERSE, PARAMS };
static const struct cf_param params[PARAMS] = {
	[AXIS] = {"axis", 0, 0, MT_MAX_RANK - 1},
	[REVERSE] = {"reverse", 0, 0, 1},
};

static int adds(int32_t op) {
	return op == MT_SCAN_SUM || op == MT_SCAN_PROD;
}

static int valid(const struct cf_case *c) {
	if (adds(c->op) && cf_is_float(c->dtype) && c->data == CF_WIDE)
		return 0; /* whether a sum leaves the range on its way depends on the order */
	return c->param[AXIS] < c->rank && cf_is_filled(c);
}

static void fill(struct cf_run *r, struct cf_array *x, const struct cf_case *c) {
	int floats = cf_is_float(c->dtype), products = c->op == MT_SCAN_PROD && floats;
	double away = fmin(0.4, 2 / sqrt((double)c->shape[c->param[AXIS]]));
	double low = products ? 1 - away : -3, high = products ? 1 + away : 3;
	if (c->data == CF_TIES && adds(c->op)) {
		cf_fill_whole(r, x, products ? 1 : 3);
	} else if (c->data == CF_TIES) {
		cf_fill_ties(r, x);
	} else if (c->data == CF_SPECIAL && adds(c->op) && floats) {
		cf_fill(r, x, low, high);
		cf_sprinkle(r, x, cf_random_integer(cf_numbers(r), 0, 1) != 0);
	} else {
		cf_fill_data(r, x, c->data, low, high, 1);
	}
}

static long double step_float(int32_t op, long double so_far, long double x) {
	switch (op) {
	case MT_SCAN_SUM:
		return so_far + x;
	case MT_SCAN_PROD:
		return so_far * x;
	case MT_SCAN_MAX:
		return isnan(so_far) || isnan(x) ? NAN : x > so_far ? x : so_far;
	default:
		return isnan(so_far) || isnan(x) ? NAN : x < so_far ? x : so_far;
	}
}

static int64_t step_integer(int32_t op, int64_t so_far, int64_t x) {
	switch (op) {
	case MT_SCAN_SUM:
		return cf_add_wrapped(so_far, x);
	case MT_SCAN_PROD:
		return cf_mul_wrapped(so_far, x);
	case MT_SCAN_MAX:
		return x > so_far ? x : so_far;
	default:
		return x < so_far ? x : so_far;
	}
}

/* Fills expected, and scale with Σ|x| so far for sums; integers into places of the same shape. */
static void scan(const struct cf_case *c, const struct cf_array *x, long double *expected, long double *scale,
                 int64_t *integers) {
	struct cf_lines lines = cf_lines_along(c->rank, c->shape, c->param[AXIS]);
	for (int64_t l = 0; l < lines.count; l++) {
		int64_t first = cf_line_start(&lines, l), before = 0;
		for (int64_t k = 0; k < lines.extent; k++) {
			int64_t e = first + (c->param[REVERSE] ? lines.extent - 1 - k : k) * lines.inner;
			int64_t whole = x->integers != NULL ? x->integers[e] : 0;
			long double now = x->values[e];
			expected[e] = k == 0 ? now : step_float(c->op, expected[before], now);
			integers[e] = k == 0 ? whole : cf_wrap(c->dtype, (uint64_t)step_integer(c->op, integers[before], whole));
			scale[e] = c->op == MT_SCAN_SUM ? fabsl(now) + (k == 0 ? 0 : scale[before]) : 0;
			before = e;
		}
	}
}

static struct cf_allowance allowed_of(const struct cf_case *c) {
	int64_t n = c->shape[c->param[AXIS]];
	if (c->op == MT_SCAN_SUM)
		return cf_allowed_sum(MT_K_SCAN, c->op, c->dtype, n);
	return cf_stored(cf_units(MT_K_SCAN, c->op) * (c->op == MT_SCAN_PROD ? (double)n : 1), c->dtype);
}

static void run(struct cf_run *r, const struct cf_case *c) {
	struct cf_array *x = cf_new(r, CF_IN, c->dtype, c->rank, c->shape, c->in);
	fill(r, x, c);
	struct cf_array *y = cf_new(r, CF_OUT, c->dtype, c->rank, c->shape, c->out);
	const struct mt_scan_args args = {.struct_size = sizeof args,
	                                  .op = c->op,
	                                  .axis = (int32_t)c->param[AXIS],
	                                  .reverse = (int32_t)c->param[REVERSE],
	                                  .x = &x->array,
	                                  .out = &y->array};
	long double *expected = cf_reference(r, y->numel), *scale = cf_reference(r, y->numel);
	int64_t *integers = cf_reference_integers(r, y->numel);
	struct cf_allowance allowed = allowed_of(c);
	int exact = c->data == CF_TIES;
	scan(c, x, expected, scale, integers);
	for (int64_t e = 0; e < y->numel; e++) {
		scale[e] = exact || !isfinite(scale[e]) ? 0 : scale[e] * allowed.scale;
		expected[e] = exact ? cf_round(c->dtype, expected[e]) : expected[e];
	}
	if (!cf_call(r, MT_K_SCAN, &args))
		return;
	if (y->integers != NULL)
		cf_check_integers(r, y, integers, "out");
	else
		cf_check(r, y, expected, scale, exact ? 0 : allowed.units, "out");
}

static void op_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	static const int64_t cube[] = {4, 6, 5}, lane[] = {3, 300}, large[][2] = {{3, 33001}, {33001, 3}};
	for (c.param[REVERSE] = 0; c.param[REVERSE] < 2; c.param[REVERSE]++) {
		cf_set_shape(&c, 3, cube);
		for (c.param[AXIS] = 0; c.param[AXIS] < 3; c.param[AXIS]++) {
			c.data = c.param[AXIS] == 1 ? CF_TIES : CF_RANDOM;
			cf_emit_layouts(c, emit, context);
		}
		cf_set_shape(&c, 2, lane);
		c.param[AXIS] = 1;
		for (c.data = CF_RANDOM; c.data < CF_DATA_END; c.data++)
			cf_emit_valid(&c, emit, context);
	}
	for (int i = 0; i < 2; i++)
		for (c.param[AXIS] = 0; c.param[AXIS] < 2; c.param[AXIS]++) {
			cf_set_shape(&c, 2, large[i]);
			c.param[REVERSE] = c.param[AXIS] == i;
			c.data = c.param[REVERSE] ? CF_TIES : CF_RANDOM;
			cf_emit_valid(&c, emit, context);
		}
}

static void each(cf_emit_fn emit, void *context) {
	cf_each_op(&cf_scan_family, op_cases, emit, context);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	cf_draw_shape(r, c, 1);
	c->param[AXIS] = cf_random_integer(r, 0, c->rank - 1);
	c->param[REVERSE] = cf_random_integer(r, 0, 1);
	if (adds(c->op) && cf_is_float(c->dtype) && c->data == CF_WIDE)
		c->data = CF_TIES;
}

const struct cf_family cf_scan_family = {
	.name = "scan",
	.kernel = MT_K_SCAN,
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
