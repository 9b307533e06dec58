/* arg_reduce: the first of equals, the first NaN, over every axis, layout and dtype. */
#include <math.h>

#include "families.h"
#include "run.h"
#include "values.h"

static const struct cf_op ops[] = {{MT_ARG_MAX, "max", MT_SET_ALL}, {MT_ARG_MIN, "min", MT_SET_ALL}};

enum { AXIS, PARAMS };
static const struct cf_param params[PARAMS] = {[AXIS] = {"axis", 0, 0, MT_MAX_RANK - 1}};

static int valid(const struct cf_case *c) {
	return c->param[AXIS] < c->rank && cf_is_filled(c);
}

/* Whether element a wins over b, which stands before it. */
static int wins(const struct cf_array *x, int32_t op, int64_t a, int64_t b) {
	if (x->integers != NULL)
		return op == MT_ARG_MAX ? x->integers[a] > x->integers[b] : x->integers[a] < x->integers[b];
	double now = x->values[a], top = x->values[b];
	if (isnan(top))
		return 0;
	return isnan(now) || (op == MT_ARG_MAX ? now > top : now < top);
}

static void run(struct cf_run *r, const struct cf_case *c) {
	int64_t kept[MT_MAX_RANK];
	for (int d = 0; d < c->rank; d++)
		kept[d] = d == c->param[AXIS] ? 1 : c->shape[d];
	struct cf_array *x = cf_new(r, CF_IN, c->dtype, c->rank, c->shape, c->in);
	if (c->data == CF_TIES)
		cf_fill_ties(r, x);
	else
		cf_fill_data(r, x, c->data, -100, 100, 1);
	struct cf_array *y = cf_new(r, CF_OUT, MT_I64, c->rank, kept, c->out);
	const struct mt_arg_reduce_args args = {
		.struct_size = sizeof args, .op = c->op, .axis = (int32_t)c->param[AXIS], .x = &x->array, .out = &y->array};
	struct cf_lines lines = cf_lines_along(c->rank, c->shape, c->param[AXIS]);
	int64_t *expected = cf_reference_integers(r, lines.count);
	for (int64_t l = 0; l < lines.count; l++) {
		int64_t first = cf_line_start(&lines, l), best = 0;
		for (int64_t j = 1; j < lines.extent; j++)
			if (wins(x, c->op, first + j * lines.inner, first + best * lines.inner))
				best = j;
		expected[l] = best;
	}
	if (cf_call(r, MT_K_ARG_REDUCE, &args))
		cf_check_integers(r, y, expected, "out");
}

static void op_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	static const int64_t cube[] = {4, 6, 5}, shapes[][2] = {{3, 33001}, {33001, 3}, {640, 64}};
	cf_set_shape(&c, 3, cube);
	for (c.param[AXIS] = 0; c.param[AXIS] < 3; c.param[AXIS]++) {
		c.data = c.param[AXIS] == 1 ? CF_TIES : CF_RANDOM;
		cf_emit_layouts(c, emit, context);
		for (c.data = CF_SPECIAL; c.data < CF_DATA_END; c.data++)
			emit(&c, context);
	}
	for (int i = 0; i < 3; i++)
		for (c.param[AXIS] = 0; c.param[AXIS] < 2; c.param[AXIS]++) {
			cf_set_shape(&c, 2, shapes[i]);
			c.data = c.param[AXIS] == i ? CF_WIDE : CF_TIES;
			emit(&c, context);
		}
}

static void each(cf_emit_fn emit, void *context) {
	cf_each_op(&cf_arg_reduce_family, op_cases, emit, context);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	cf_draw_shape(r, c, 1);
	c->param[AXIS] = cf_random_integer(r, 0, c->rank - 1);
}

const struct cf_family cf_arg_reduce_family = {
	.name = "arg_reduce",
	.kernel = MT_K_ARG_REDUCE,
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
