/* reduce: every op over every set of axes, layouts and dtypes, empty axes, NaN, long sums, sums that are exact. */
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
#define MT_REDUCE(id, NAME, name, dtypes, result, formula) {id, #name, dtypes},
#include "mt/reduce_ops.def"
#undef MT_REDUCE
};

static const char bool_result[MT_REDUCE_END_] = {
#define MT_REDUCE(id, NAME, name, dtypes, result, formula) [id] = result,
#include "mt/reduce_ops.def"
#undef MT_REDUCE
};

enum { AXES, PARAMS };
static const struct cf_param params[PARAMS] = {[AXES] = {"axes", 0, 0, (1 << MT_MAX_RANK) - 1}};

static int is_order(int32_t op) {
	return op == MT_REDUCE_MAX || op == MT_REDUCE_MIN;
}

static int is_sum(int32_t op) {
	return op == MT_REDUCE_SUM || op == MT_REDUCE_MEAN || op == MT_REDUCE_SUMSQ || op == MT_REDUCE_PROD;
}

static int64_t terms_of(const struct cf_case *c) {
	int64_t n = 1;
	for (int d = 0; d < c->rank; d++)
		n *= (c->param[AXES] >> d & 1) ? c->shape[d] : 1;
	return n;
}

static int valid(const struct cf_case *c) {
	if (c->param[AXES] >> c->rank != 0)
		return 0;
	for (int d = 0; d < c->rank; d++)
		if (c->shape[d] < 1 && !(c->param[AXES] >> d & 1))
			return 0;
	if (is_sum(c->op) && cf_is_float(c->dtype) && c->data == CF_WIDE)
		return 0; /* whether a sum leaves the range on its way depends on the order */
	return !is_order(c->op) || terms_of(c) > 0;
}

/* ---- inputs ---- */

/* Whole numbers: their sums are exact in any order, so that not one element can be missed.  Products: signs, and a few
 * twos. */
static void fill_exact(struct cf_run *r, struct cf_array *x, int32_t op) {
	struct cf_random *n = cf_numbers(r);
	cf_fill_whole(r, x, op == MT_REDUCE_PROD && cf_is_float(x->array.dtype) ? 1 : 3);
	if (op == MT_REDUCE_PROD && cf_is_float(x->array.dtype) && x->numel > 0)
		for (int i = 0; i < 8; i++)
			cf_set(x, cf_random_integer(n, 0, x->numel - 1), i % 2 ? 2 : -0.5);
	cf_settle(x);
}

static void fill_input(struct cf_run *r, struct cf_array *x, const struct cf_case *c) {
	int floats = cf_is_float(c->dtype);
	/* factors so near 1 that a long product stays in range */
	double away = fmin(0.2, 2 / sqrt((double)terms_of(c) + 1));
	double low = c->op == MT_REDUCE_PROD && floats ? 1 - away : -9,
		   high = c->op == MT_REDUCE_PROD && floats ? 1 + away : 9;
	if (c->data == CF_TIES && is_sum(c->op)) {
		fill_exact(r, x, c->op);
	} else if (c->data == CF_TIES) {
		cf_fill_ties(r, x);
	} else if (c->data == CF_SPECIAL && is_sum(c->op) && floats) {
		cf_fill(r, x, low, high);
		cf_sprinkle(r, x, cf_random_integer(cf_numbers(r), 0, 1) != 0);
	} else {
		cf_fill_data(r, x, c->data, low, high, 1);
	}
}

/* ---- expected values ---- */

struct partial {
	long double value, scale;
	int64_t integer;
};

static void start(int32_t op, struct partial *p) {
	switch (op) {
	case MT_REDUCE_PROD:
	case MT_REDUCE_ALL:
		p->value = 1;
		p->integer = 1;
		break;
	case MT_REDUCE_MAX:
		p->value = -INFINITY;
		p->integer = INT64_MIN;
		break;
	case MT_REDUCE_MIN:
		p->value = INFINITY;
		p->integer = INT64_MAX;
		break;
	default:
		break;
	}
}

static void combine_float(int32_t op, struct partial *p, long double x) {
	switch (op) {
	case MT_REDUCE_SUM:
	case MT_REDUCE_MEAN:
		p->value += x;
		p->scale += fabsl(x);
		break;
	case MT_REDUCE_SUMSQ:
		p->value += x * x;
		break;
	case MT_REDUCE_PROD:
		p->value *= x;
		break;
	case MT_REDUCE_MAX:
		p->value = isnan(p->value) || isnan(x) ? NAN : x > p->value ? x : p->value;
		break;
	case MT_REDUCE_MIN:
		p->value = isnan(p->value) || isnan(x) ? NAN : x < p->value ? x : p->value;
		break;
	case MT_REDUCE_ANY:
		p->value = p->value != 0 || x != 0;
		break;
	default:
		p->value = p->value != 0 && x != 0;
		break;
	}
}

/* Modulo 2^64: the low bits are those of the narrower width. */
static void combine_integer(int32_t op, struct partial *p, int64_t x) {
	switch (op) {
	case MT_REDUCE_SUM:
		p->integer = cf_add_wrapped(p->integer, x);
		break;
	case MT_REDUCE_PROD:
		p->integer = cf_mul_wrapped(p->integer, x);
		break;
	case MT_REDUCE_MAX:
		p->integer = x > p->integer ? x : p->integer;
		break;
	case MT_REDUCE_MIN:
		p->integer = x < p->integer ? x : p->integer;
		break;
	case MT_REDUCE_ANY:
		p->integer = p->integer != 0 || x != 0;
		break;
	default:
		p->integer = p->integer != 0 && x != 0;
		break;
	}
}

static struct partial *reduce(struct cf_run *r, const struct cf_case *c, const struct cf_array *x,
                              const int64_t *kept) {
	int64_t numel = cf_numel(c->rank, kept), index[MT_MAX_RANK], step[MT_MAX_RANK] = {0}, span = 1;
	struct partial *parts = cf_memory(r, (size_t)numel * sizeof *parts);
	for (int d = c->rank - 1; d >= 0; d--) { /* strides of the output, 0 along what is reduced */
		step[d] = (c->param[AXES] >> d & 1) ? 0 : span;
		span *= kept[d];
	}
	for (int64_t e = 0; e < numel; e++)
		start(c->op, &parts[e]);
	for (int64_t e = 0; e < x->numel; e++) {
		int64_t to = 0;
		cf_unravel(e, c->rank, c->shape, index);
		for (int d = 0; d < c->rank; d++)
			to += index[d] * step[d];
		if (cf_is_float(c->dtype))
			combine_float(c->op, &parts[to], x->values[e]);
		else
			combine_integer(c->op, &parts[to], x->integers != NULL ? x->integers[e] : x->values[e] != 0);
	}
	return parts;
}

static void compare_integers(struct cf_run *r, const struct cf_array *y, const struct partial *parts, int wrap) {
	int64_t *expected = cf_reference_integers(r, y->numel);
	for (int64_t e = 0; e < y->numel; e++)
		expected[e] = wrap ? cf_wrap(y->array.dtype, (uint64_t)parts[e].integer) : parts[e].integer;
	cf_check_integers(r, y, expected, "out");
}

static struct cf_allowance allowed_of(const struct cf_case *c, int64_t n) {
	if (c->op == MT_REDUCE_PROD) { /* one rounding a factor */
		struct cf_allowance a = cf_allowed(MT_K_REDUCE, c->op, c->dtype);
		a.units *=
			c->dtype == cf_side_dtype(c->dtype) ? (double)n : 1 + (double)n * cf_unit(MT_F32) / cf_unit(c->dtype);
		return a;
	}
	if (c->op == MT_REDUCE_SUM || c->op == MT_REDUCE_MEAN || c->op == MT_REDUCE_SUMSQ)
		return cf_allowed_sum(MT_K_REDUCE, c->op, c->dtype, n);
	return cf_allowed(MT_K_REDUCE, c->op, c->dtype);
}

static void compare_values(struct cf_run *r, const struct cf_case *c, const struct cf_array *y,
                           const struct partial *parts) {
	long double *expected = cf_reference(r, y->numel), *scale = cf_reference(r, y->numel);
	int64_t n = terms_of(c), exact = c->data == CF_TIES;
	struct cf_allowance allowed = allowed_of(c, n);
	for (int64_t e = 0; e < y->numel; e++) {
		long double divisor = c->op == MT_REDUCE_MEAN ? (long double)n : 1;
		expected[e] = parts[e].value / divisor;
		scale[e] = isfinite(parts[e].scale) && !exact ? parts[e].scale / divisor * allowed.scale : 0;
		if (exact && c->op != MT_REDUCE_MEAN)
			expected[e] = cf_round(y->array.dtype, expected[e]);
	}
	if (exact) /* the mean: a sum without error, divided or multiplied with the reciprocal */
		allowed.units = c->op == MT_REDUCE_MEAN ? 3 : 0;
	cf_check(r, y, expected, scale, allowed.units, "out");
}

static void run(struct cf_run *r, const struct cf_case *c) {
	int64_t kept[MT_MAX_RANK] = {0};
	for (int d = 0; d < c->rank; d++)
		kept[d] = (c->param[AXES] >> d & 1) ? 1 : c->shape[d];
	struct cf_array *x = cf_new(r, CF_IN, c->dtype, c->rank, c->shape, c->in);
	fill_input(r, x, c);
	struct cf_array *y = cf_new(r, CF_OUT, bool_result[c->op] ? MT_BOOL : c->dtype, c->rank, kept, c->out);
	const struct mt_reduce_args args = {
		.struct_size = sizeof args, .op = c->op, .axes = (uint32_t)c->param[AXES], .x = &x->array, .out = &y->array};
	struct partial *parts = reduce(r, c, x, kept);
	if (!cf_call(r, MT_K_REDUCE, &args))
		return;
	if (cf_is_float(c->dtype))
		compare_values(r, c, y, parts);
	else
		compare_integers(r, y, parts, !bool_result[c->op]);
}

/* ---- cases ---- */

static void axes_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	static const int64_t deep[] = {4, 3, 5, 6}, thin[] = {1, 9, 1}, empty[] = {3, 0, 2}, pair[] = {6, 50};
	emit(&c, context);
	cf_set_shape(&c, 4, deep);
	for (c.param[AXES] = 0; c.param[AXES] < 16; c.param[AXES]++)
		for (c.in = 0; c.in < CF_IN_LAYOUTS; c.in++) {
			c.out = (int32_t)((c.in + c.param[AXES]) % CF_OUT_LAYOUTS);
			c.data = c.param[AXES] % 2 ? CF_RANDOM : CF_TIES;
			if (c.dtype == MT_F32 || (c.in + c.param[AXES]) % 2 || c.param[AXES] == 4 || c.param[AXES] == 8)
				emit(&c, context);
		}
	c.in = c.out = CF_CONTIGUOUS;
	c.data = CF_RANDOM;
	cf_set_shape(&c, 3, thin);
	for (c.param[AXES] = 0; c.param[AXES] < 8; c.param[AXES]++)
		emit(&c, context);
	cf_set_shape(&c, 3, empty);
	for (c.param[AXES] = 2; c.param[AXES] < 8; c.param[AXES]++)
		cf_emit_valid(&c, emit, context);
	cf_set_shape(&c, 2, pair);
	for (c.param[AXES] = 1; c.param[AXES] < 4; c.param[AXES]++)
		for (c.data = CF_SPECIAL; c.data < CF_DATA_END; c.data++)
			cf_emit_valid(&c, emit, context);
}

static void large_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	static const int64_t shapes[][2] = {{3, 33001}, {33001, 3}, {316, 317}, {3, 200003}, {200003, 3}};
	for (int i = 0; i < (c.op == MT_REDUCE_SUM && c.dtype == MT_F32 ? 5 : 3); i++)
		for (c.param[AXES] = 1; c.param[AXES] < 4; c.param[AXES]++) {
			cf_set_shape(&c, 2, shapes[i]);
			c.in = i == 2 && c.param[AXES] == 1 ? CF_TRANSPOSED : CF_CONTIGUOUS;
			c.data = c.param[AXES] == 3 || i == 2 ? CF_TIES : CF_RANDOM;
			cf_emit_valid(&c, emit, context);
		}
}

static void op_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	axes_cases(c, emit, context);
	large_cases(c, emit, context);
}

static void each(cf_emit_fn emit, void *context) {
	cf_each_op(&cf_reduce_family, op_cases, emit, context);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	cf_draw_shape(r, c, 0);
	c->param[AXES] = cf_random_integer(r, 0, (1 << c->rank) - 1);
	if (is_sum(c->op) && cf_is_float(c->dtype) && c->data == CF_WIDE)
		c->data = CF_TIES;
}

const struct cf_family cf_reduce_family = {
	.name = "reduce",
	.kernel = MT_K_REDUCE,
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
