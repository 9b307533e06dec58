/* scatter_add: sums into what is there, many to one place, indices as in gather; with whole numbers the sums are exact. */
#include <math.h>

#include "dtype.h"
#include "families.h"
#include "formulas.h"
#include "indices.h"
#include "run.h"
#include "values.h"

static const struct cf_op ops[] = {{0, "", MT_SET_ALL}}; /* on bool, a sum is "or" */

/* shape is out's; extent: of src and index along the axis.  in_index: index's layout, where in is src's. */
enum { AXIS, EXTENT, IN_INDEX, NEGATIVE, BAD, PARAMS };
static const struct cf_param params[PARAMS] = {
	[AXIS] = {"axis", 0, 0, MT_MAX_RANK - 1},
	[EXTENT] = {"extent", 1, 0, 1000000},
	[IN_INDEX] = {"in_index", CF_CONTIGUOUS, 0, CF_IN_LAYOUTS - 1},
	[NEGATIVE] = {"negative", 0, 0, 1},
	[BAD] = {"bad", CF_GOOD, CF_GOOD, CF_BAD_END - 1},
};

static int valid(const struct cf_case *c) {
	if (c->param[AXIS] >= c->rank || !cf_is_filled(c) || (c->param[BAD] != CF_GOOD && c->param[EXTENT] == 0))
		return 0;
	if (c->data == CF_WIDE && cf_is_float(c->dtype))
		return 0; /* whether a sum leaves the range on its way depends on the order */
	return cf_numel(c->rank, c->shape) / c->shape[c->param[AXIS]] * c->param[EXTENT] <= INT64_C(1) << 24;
}

static void fill(struct cf_run *r, struct cf_array *a, const struct cf_case *c) {
	int special = c->data == CF_SPECIAL && cf_is_float(c->dtype);
	if (c->data == CF_TIES)
		cf_fill_whole(r, a, 3);
	else
		cf_fill_data(r, a, special ? CF_RANDOM : c->data, -9, 9, 0);
	if (special)
		cf_sprinkle(r, a, 1);
}

struct sums {
	long double *expected, *scale;
	int64_t *integers, most; /* most: the longest sum */
};

static struct sums add_up(struct cf_run *r, const struct cf_case *c, const int64_t *shape, const struct cf_array *src,
                          const struct cf_array *index, const struct cf_array *y) {
	struct sums s = {cf_reference(r, y->numel), cf_reference(r, y->numel), cf_reference_integers(r, y->numel), 1};
	int64_t *terms = cf_reference_integers(r, y->numel);
	for (int64_t e = 0; e < y->numel; e++) {
		s.expected[e] = y->values[e];
		s.scale[e] = fabs(y->values[e]);
		s.integers[e] = y->integers != NULL ? y->integers[e] : 0;
	}
	for (int64_t e = 0; e < src->numel; e++) {
		int64_t to = cf_pointed(e, c->rank, shape, c->shape, c->param[AXIS], index->integers[e]);
		s.expected[to] += src->values[e];
		s.scale[to] += fabs(src->values[e]);
		if (src->integers != NULL)
			s.integers[to] = cf_wrap(c->dtype, (uint64_t)cf_add_wrapped(s.integers[to], src->integers[e]));
		s.most = ++terms[to] > s.most ? terms[to] : s.most;
	}
	return s;
}

static void compare(struct cf_run *r, const struct cf_case *c, const struct sums *s, const struct cf_array *y) {
	struct cf_allowance allowed = cf_allowed_sum(MT_K_SCATTER_ADD, 0, c->dtype, s->most + 1);
	int exact = c->data == CF_TIES;
	if (y->integers != NULL) {
		cf_check_integers(r, y, s->integers, "out");
		return;
	}
	for (int64_t e = 0; e < y->numel; e++) {
		s->scale[e] *= exact || !isfinite(s->scale[e]) ? 0 : allowed.scale;
		if (isnan(s->scale[e]))
			s->scale[e] = 0;
		if (exact)
			s->expected[e] = cf_round(c->dtype, s->expected[e]);
	}
	cf_check(r, y, s->expected, s->scale, exact ? 0 : allowed.units, "out");
}

static void run(struct cf_run *r, const struct cf_case *c) {
	int64_t shape[MT_MAX_RANK], axis = c->param[AXIS];
	for (int d = 0; d < c->rank; d++)
		shape[d] = d == axis ? c->param[EXTENT] : c->shape[d];
	struct cf_array *src = cf_new(r, CF_IN, c->dtype, c->rank, shape, c->in);
	fill(r, src, c);
	struct cf_array *index = cf_indices(r, c->side, c->rank, shape, (int32_t)c->param[IN_INDEX], c->shape[axis],
	                                    c->param[NEGATIVE] != 0, c->param[BAD]);
	struct cf_array *y = cf_new(r, CF_INOUT, c->dtype, c->rank, c->shape, c->out);
	fill(r, y, c);
	const struct mt_scatter_add_args args = {.struct_size = sizeof args,
	                                         .axis = (int32_t)axis,
	                                         .src = &src->array,
	                                         .index = &index->array,
	                                         .out = &y->array};
	if (c->param[BAD] != CF_GOOD) {
		cf_call_refused(r, MT_K_SCATTER_ADD, &args, MT_E_ARG);
		return;
	}
	struct sums s = add_up(r, c, shape, src, index, y);
	if (cf_call(r, MT_K_SCATTER_ADD, &args))
		compare(r, c, &s, y);
}

static void layout_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	for (c.param[AXIS] = 0; c.param[AXIS] < 3; c.param[AXIS]++)
		for (c.in = 0; c.in < CF_IN_LAYOUTS; c.in++) {
			c.param[EXTENT] = 9;
			c.param[IN_INDEX] = (c.in + c.param[AXIS]) % CF_IN_LAYOUTS;
			c.out = (c.in + 2) % CF_OUT_LAYOUTS;
			c.param[NEGATIVE] = (c.in + c.param[AXIS]) % 2;
			c.data = c.in % 2 ? CF_TIES : CF_RANDOM;
			emit(&c, context);
		}
}

static void large_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	static const int64_t shapes[][2] = {{300, 240}, {5, 300}, {300, 5}, {1, 300}};
	for (int i = 0; i < 4; i++) {
		cf_set_shape(&c, 2, shapes[i]);
		c.param[AXIS] = i == 2;
		c.param[EXTENT] = 300;
		for (c.data = CF_RANDOM; c.data <= CF_TIES; c.data += CF_TIES - CF_RANDOM)
			emit(&c, context);
	}
}

static void dtype_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	static const int64_t cube[] = {4, 6, 5};
	for (c.side = MT_I32; c.side <= MT_I64; c.side++) {
		cf_set_shape(&c, 3, cube);
		layout_cases(c, emit, context);
		c.param[AXIS] = 1;
		c.param[EXTENT] = 3;
		for (c.data = CF_RANDOM; c.data < CF_DATA_END; c.data++)
			cf_emit_valid(&c, emit, context);
		c.data = CF_RANDOM;
		for (c.param[BAD] = CF_BAD_HIGH; c.param[BAD] < CF_BAD_END; c.param[BAD]++)
			emit(&c, context);
		c.param[BAD] = CF_GOOD;
		c.param[EXTENT] = 0;
		emit(&c, context);
		c.param[NEGATIVE] = 1;
		large_cases(c, emit, context);
		c.param[NEGATIVE] = 0;
	}
}

static void each(cf_emit_fn emit, void *context) {
	cf_each_op(&cf_scatter_add_family, dtype_cases, emit, context);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	cf_draw_shape(r, c, 1);
	c->param[AXIS] = cf_random_integer(r, 0, c->rank - 1);
	c->param[EXTENT] = cf_random_integer(r, 1, 2 * c->shape[c->param[AXIS]] + 2);
	c->param[IN_INDEX] = cf_random_integer(r, 0, CF_IN_LAYOUTS - 1);
	c->param[NEGATIVE] = cf_random_integer(r, 0, 1);
	c->param[BAD] = cf_random_integer(r, 0, 7) == 0 ? cf_random_integer(r, 0, CF_BAD_END - 1) : CF_GOOD;
	if (c->data == CF_WIDE && cf_is_float(c->dtype))
		c->data = CF_TIES;
}

const struct cf_family cf_scatter_add_family = {
	.name = "scatter_add",
	.kernel = MT_K_SCATTER_ADD,
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
