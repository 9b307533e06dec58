/* sort: both directions, stable, NaN as the largest, with and without indices. */
#include <math.h>

#include "families.h"
#include "run.h"
#include "values.h"

static const struct cf_op ops[] = {{0, "", MT_SET_ALL}};

enum { AXIS, DESCENDING, INDICES, PARAMS };
static const struct cf_param params[PARAMS] = {
	[AXIS] = {"axis", 0, 0, MT_MAX_RANK - 1},
	[DESCENDING] = {"descending", 0, 0, 1},
	[INDICES] = {"indices", 1, 0, 1},
};

static int valid(const struct cf_case *c) {
	return c->param[AXIS] < c->rank && cf_is_filled(c);
}

/* Whether element b must stand before a, which came first. */
static int overtakes(const struct cf_array *x, int64_t a, int64_t b, int descending) {
	if (x->integers != NULL)
		return descending ? x->integers[b] > x->integers[a] : x->integers[b] < x->integers[a];
	double u = x->values[a], v = x->values[b];
	if (isnan(u) || isnan(v))
		return descending ? isnan(v) && !isnan(u) : isnan(u) && !isnan(v);
	return descending ? v > u : v < u;
}

/* Merges sorted runs of width, from position[] to spare[]. */
static void merge(const struct cf_array *x, int64_t first, int64_t inner, int descending, int64_t width, int64_t n,
                  const int64_t *position, int64_t *spare) {
	for (int64_t start = 0; start < n; start += 2 * width) {
		int64_t middle = start + width < n ? start + width : n, end = start + 2 * width < n ? start + 2 * width : n;
		int64_t a = start, b = middle;
		for (int64_t k = start; k < end; k++) {
			int take_b = a == middle || (b < end && overtakes(x, first + position[a] * inner,
			                                                  first + position[b] * inner, descending));
			spare[k] = take_b ? position[b++] : position[a++];
		}
	}
}

/* The order of one line: a stable merge sort from the bottom up. */
static int64_t *order(const struct cf_array *x, int64_t first, const struct cf_lines *lines, int descending,
                      int64_t *position, int64_t *spare) {
	for (int64_t j = 0; j < lines->extent; j++)
		position[j] = j;
	for (int64_t width = 1; width < lines->extent; width *= 2) {
		merge(x, first, lines->inner, descending, width, lines->extent, position, spare);
		int64_t *swap = position;
		position = spare;
		spare = swap;
	}
	return position;
}

static void run(struct cf_run *r, const struct cf_case *c) {
	struct cf_array *x = cf_new(r, CF_IN, c->dtype, c->rank, c->shape, c->in), *from = NULL;
	if (c->data == CF_TIES)
		cf_fill_ties(r, x);
	else
		cf_fill_data(r, x, c->data, -100, 100, 1);
	struct cf_array *y = cf_new(r, CF_OUT, c->dtype, c->rank, c->shape, c->out);
	if (c->param[INDICES])
		from = cf_new(r, CF_OUT, MT_I64, c->rank, c->shape, c->out);
	const struct mt_sort_args args = {.struct_size = sizeof args,
	                                  .axis = (int32_t)c->param[AXIS],
	                                  .descending = (int32_t)c->param[DESCENDING],
	                                  .x = &x->array,
	                                  .values = &y->array,
	                                  .indices = from != NULL ? &from->array : NULL};
	if (!cf_call(r, MT_K_SORT, &args))
		return;
	struct cf_lines lines = cf_lines_along(c->rank, c->shape, c->param[AXIS]);
	long double *expected = cf_reference(r, y->numel);
	int64_t *integers = cf_reference_integers(r, y->numel), *places = cf_reference_integers(r, y->numel);
	int64_t *position = cf_reference_integers(r, lines.extent), *spare = cf_reference_integers(r, lines.extent);
	for (int64_t l = 0; l < lines.count; l++) {
		int64_t first = cf_line_start(&lines, l);
		const int64_t *sorted = order(x, first, &lines, c->param[DESCENDING] != 0, position, spare);
		for (int64_t j = 0; j < lines.extent; j++) {
			int64_t to = first + j * lines.inner, at = first + sorted[j] * lines.inner;
			expected[to] = x->values[at];
			integers[to] = x->integers != NULL ? x->integers[at] : 0;
			places[to] = sorted[j];
		}
	}
	if (y->integers != NULL)
		cf_check_integers(r, y, integers, "values");
	else if (cf_check(r, y, expected, NULL, cf_units(MT_K_SORT, 0), "values"))
		cf_check_zeros(r, y, expected, "values");
	if (from != NULL)
		cf_check_integers(r, from, places, "indices");
}

static void dtype_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	static const int64_t cube[] = {4, 6, 5}, lane[] = {2, 1500}, large[][2] = {{2, 50001}, {33001, 3}};
	for (c.param[DESCENDING] = 0; c.param[DESCENDING] < 2; c.param[DESCENDING]++) {
		cf_set_shape(&c, 3, cube);
		for (c.param[AXIS] = 0; c.param[AXIS] < 3; c.param[AXIS]++) {
			c.data = c.param[AXIS] == 1 ? CF_TIES : CF_RANDOM;
			c.param[INDICES] = c.param[AXIS] != 2;
			cf_emit_layouts(c, emit, context);
		}
		cf_set_shape(&c, 2, lane);
		c.param[AXIS] = c.param[INDICES] = 1;
		for (c.data = CF_RANDOM; c.data < CF_DATA_END; c.data++)
			emit(&c, context);
	}
	for (int i = 0; i < 2; i++)
		for (c.param[DESCENDING] = 0; c.param[DESCENDING] < 2; c.param[DESCENDING]++) {
			cf_set_shape(&c, 2, large[i]);
			c.data = c.param[DESCENDING] ? CF_TIES : CF_WIDE;
			c.param[AXIS] = 1;
			emit(&c, context);
		}
}

static void each(cf_emit_fn emit, void *context) {
	cf_each_op(&cf_sort_family, dtype_cases, emit, context);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	cf_draw_shape(r, c, 1);
	c->param[AXIS] = cf_random_integer(r, 0, c->rank - 1);
	c->param[DESCENDING] = cf_random_integer(r, 0, 1);
	c->param[INDICES] = cf_random_integer(r, 0, 1);
}

const struct cf_family cf_sort_family = {
	.name = "sort",
	.kernel = MT_K_SORT,
	.ops = ops,
	.n_ops = 1,
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
