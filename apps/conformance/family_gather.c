/* gather: indices of both widths, negative ones, and those out of range, along every axis in every layout. */
#include "families.h"
#include "indices.h"
#include "run.h"
#include "values.h"

static const struct cf_op ops[] = {{0, "", MT_SET_ALL}};

/* shape is x's; extent: of index and out along the axis.  in_index: index's layout, where in is x's. */
enum { AXIS, EXTENT, IN_INDEX, NEGATIVE, BAD, PARAMS };
static const struct cf_param params[PARAMS] = {
	[AXIS] = {"axis", 0, 0, MT_MAX_RANK - 1},
	[EXTENT] = {"extent", 1, 1, 1000000},
	[IN_INDEX] = {"in_index", CF_CONTIGUOUS, 0, CF_IN_LAYOUTS - 1},
	[NEGATIVE] = {"negative", 0, 0, 1},
	[BAD] = {"bad", CF_GOOD, CF_GOOD, CF_BAD_END - 1},
};

static int valid(const struct cf_case *c) {
	return c->param[AXIS] < c->rank && cf_is_filled(c) &&
	       cf_numel(c->rank, c->shape) / c->shape[c->param[AXIS]] * c->param[EXTENT] <= INT64_C(1) << 24;
}

static void run(struct cf_run *r, const struct cf_case *c) {
	int64_t shape[MT_MAX_RANK], axis = c->param[AXIS];
	for (int d = 0; d < c->rank; d++)
		shape[d] = d == axis ? c->param[EXTENT] : c->shape[d];
	struct cf_array *x = cf_new(r, CF_IN, c->dtype, c->rank, c->shape, c->in);
	cf_fill_data(r, x, c->data, -100, 100, 1);
	struct cf_array *index = cf_indices(r, c->side, c->rank, shape, (int32_t)c->param[IN_INDEX], c->shape[axis],
	                                    c->param[NEGATIVE] != 0, c->param[BAD]);
	struct cf_array *y = cf_new(r, CF_OUT, c->dtype, c->rank, shape, c->out);
	const struct mt_gather_args args = {
		.struct_size = sizeof args, .axis = (int32_t)axis, .x = &x->array, .index = &index->array, .out = &y->array};
	if (c->param[BAD] != CF_GOOD) {
		cf_call_refused(r, MT_K_GATHER, &args, MT_E_ARG);
		return;
	}
	if (!cf_call(r, MT_K_GATHER, &args))
		return;
	long double *expected = cf_reference(r, y->numel);
	int64_t *integers = cf_reference_integers(r, y->numel);
	for (int64_t e = 0; e < y->numel; e++) {
		int64_t from = cf_pointed(e, c->rank, shape, c->shape, axis, index->integers[e]);
		expected[e] = x->values[from];
		integers[e] = x->integers != NULL ? x->integers[from] : 0;
	}
	if (x->integers != NULL)
		cf_check_integers(r, y, integers, "out");
	else if (cf_check(r, y, expected, NULL, cf_units(MT_K_GATHER, 0), "out"))
		cf_check_zeros(r, y, expected, "out");
}

static void layout_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	for (c.param[AXIS] = 0; c.param[AXIS] < 3; c.param[AXIS]++)
		for (c.in = 0; c.in < CF_IN_LAYOUTS; c.in++) {
			c.param[EXTENT] = 7;
			c.param[IN_INDEX] = (c.in + c.param[AXIS]) % CF_IN_LAYOUTS;
			c.out = (c.in + 2) % CF_OUT_LAYOUTS;
			c.param[NEGATIVE] = (c.in + c.param[AXIS]) % 2;
			emit(&c, context);
		}
}

static void dtype_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	static const int64_t cube[] = {4, 6, 5}, large[] = {340, 300}, long_line[] = {99001};
	for (c.side = MT_I32; c.side <= MT_I64; c.side++) {
		cf_set_shape(&c, 3, cube);
		layout_cases(c, emit, context);
		c.param[AXIS] = 1;
		c.param[EXTENT] = 3;
		for (c.data = CF_RANDOM; c.data < CF_DATA_END; c.data++)
			emit(&c, context);
		c.data = CF_RANDOM;
		for (c.param[BAD] = CF_BAD_HIGH; c.param[BAD] < CF_BAD_END; c.param[BAD]++)
			emit(&c, context);
		c.param[BAD] = CF_GOOD;
		c.param[NEGATIVE] = 1;
		if (c.dtype == MT_F32) {
			cf_set_shape(&c, 2, large);
			for (c.param[AXIS] = 0; c.param[AXIS] < 2; c.param[AXIS]++) {
				c.param[EXTENT] = 290;
				emit(&c, context);
			}
			cf_set_shape(&c, 1, long_line);
			c.param[AXIS] = 0;
			c.param[EXTENT] = 99000;
			emit(&c, context);
		}
		c.param[NEGATIVE] = 0;
	}
}

static void each(cf_emit_fn emit, void *context) {
	cf_each_op(&cf_gather_family, dtype_cases, emit, context);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	cf_draw_shape(r, c, 1);
	c->param[AXIS] = cf_random_integer(r, 0, c->rank - 1);
	c->param[EXTENT] = cf_random_integer(r, 1, 2 * c->shape[c->param[AXIS]] + 2);
	c->param[IN_INDEX] = cf_random_integer(r, 0, CF_IN_LAYOUTS - 1);
	c->param[NEGATIVE] = cf_random_integer(r, 0, 1);
	c->param[BAD] = cf_random_integer(r, 0, 7) == 0 ? cf_random_integer(r, 0, CF_BAD_END - 1) : CF_GOOD;
}

const struct cf_family cf_gather_family = {
	.name = "gather",
	.kernel = MT_K_GATHER,
	.ops = ops,
	.n_ops = 1,
	.params = params,
	.n_params = PARAMS,
	.shaped = 1,
	.data = 1u << CF_RANDOM | 1u << CF_SPECIAL | 1u << CF_TIES | 1u << CF_WIDE,
	.sides = MT_DTYPE_BIT(MT_I32) | MT_DTYPE_BIT(MT_I64),
	.in_place_param = -1,
	.valid = valid,
	.each = each,
	.draw = draw,
	.run = run,
};
