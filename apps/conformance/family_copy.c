/* copy: every pair of dtypes, every layout, the rounding of ties, saturation, wrap-around. */
#include <math.h>

#include "families.h"
#include "dtype.h"
#include "values.h"

static const struct cf_op ops[] = {{0, "", MT_SET_ALL}};

/* ---- values at which a conversion may go wrong ---- */

/* Half way between two neighbours of dtype to, or one step of dtype from beside it. */
static double near_float(struct cf_random *n, int32_t from, int32_t to) {
	double low = cf_round(to, (cf_random_unit(n) * 2 - 1) * 300);
	int exponent;
	frexp(low, &exponent);
	double middle = low + ldexp(cf_unit(to), exponent - 1);
	double away = cf_random_integer(n, 0, 1) ? INFINITY : -INFINITY;
	int64_t nudge = cf_random_integer(n, 0, 2);
	if (nudge == 0)
		return middle;
	return from == MT_F64 ? nextafter(middle, away) : (double)nextafterf((float)middle, (float)away);
}

/* Around whole numbers and halves: truncation, not rounding. */
static double near_integer(struct cf_random *n, int32_t from, int32_t to) {
	double half = (double)cf_random_integer(n, -600, 600) / 2;
	if (cf_random_integer(n, 0, 3) == 0)
		half = (double)(cf_random_integer(n, 0, 1) ? cf_highest_integer(to) : cf_lowest_integer(to)) + half / 100;
	return from == MT_F64 ? nextafter(half, 0) : (double)nextafterf((float)half, 0);
}

/* One bit more than dtype to keeps, that bit set, and a little beside it. */
static int64_t between_floats(struct cf_random *n, int32_t from, int32_t to) {
	int kept = -ilogb(cf_unit(to)), bits = from == MT_I64 ? 62 : from == MT_I32 ? 30 : 8;
	if (to == MT_F16 && bits > 15)
		bits = 15;
	if (bits <= kept + 1)
		return cf_random_integer(n, 0, 255);
	int64_t odd = cf_random_integer(n, INT64_C(1) << (kept - 1), (INT64_C(1) << kept) - 1) * 2 + 1;
	int shift = (int)cf_random_integer(n, 0, bits - kept - 1);
	int64_t beside = shift > 0 ? INT64_C(1) << cf_random_integer(n, 0, shift - 1) : 1;
	int64_t value = (odd << shift) + cf_random_integer(n, -1, 1) * beside;
	return cf_random_integer(n, 0, 1) ? value : -value;
}

static void fill_near(struct cf_run *r, struct cf_array *x, int32_t to) {
	struct cf_random *n = cf_numbers(r);
	int32_t from = x->array.dtype;
	if (from == MT_BOOL || (!cf_is_float(from) && !cf_is_float(to))) {
		cf_fill_ties(r, x);
		return;
	}
	for (int64_t e = 0; e < x->numel; e++) {
		if (!cf_is_float(from))
			cf_set_integer(x, e, between_floats(n, from, to));
		else
			cf_set(x, e, cf_is_float(to) ? near_float(n, from, to) : near_integer(n, from, to));
	}
	cf_settle(x);
}

/* ---- the case ---- */

static int64_t to_integer(int32_t to, double value) {
	int64_t low = cf_lowest_integer(to), high = cf_highest_integer(to);
	if (isnan(value))
		return 0;
	return value <= (double)low ? low : value >= (double)high ? high : (int64_t)value;
}

static void compare_integers(struct cf_run *r, const struct cf_array *x, const struct cf_array *y,
                             const int64_t *from) {
	int64_t *expected = cf_reference_integers(r, y->numel);
	for (int64_t e = 0; e < y->numel; e++)
		expected[e] =
			from != NULL ? cf_wrap(y->array.dtype, (uint64_t)from[e]) : to_integer(y->array.dtype, x->values[e]);
	cf_check_integers(r, y, expected, "out");
}

static void compare_values(struct cf_run *r, const struct cf_array *x, const struct cf_array *y, const int64_t *from) {
	long double *expected = cf_reference(r, y->numel);
	int32_t to = y->array.dtype;
	for (int64_t e = 0; e < y->numel; e++) {
		long double value = from != NULL ? (long double)from[e] : (long double)x->values[e];
		expected[e] = to == MT_BOOL ? value != 0 : cf_round(to, value);
	}
	if (cf_check(r, y, expected, NULL, cf_units(MT_K_COPY, 0), "out"))
		cf_check_zeros(r, y, expected, "out");
}

static void run(struct cf_run *r, const struct cf_case *c) {
	struct cf_array *x = cf_new(r, CF_IN, c->dtype, c->rank, c->shape, c->in);
	if (c->data == CF_TIES)
		fill_near(r, x, c->side);
	else
		cf_fill_data(r, x, c->data, -300, 300, 1);
	struct cf_array *y = cf_new(r, CF_OUT, c->side, c->rank, c->shape, c->out);
	const struct mt_copy_args args = {.struct_size = sizeof args, .x = &x->array, .out = &y->array};
	if (!cf_call(r, MT_K_COPY, &args))
		return;
	if (y->integers != NULL)
		compare_integers(r, x, y, x->integers);
	else
		compare_values(r, x, y, x->integers);
}

static void pair_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	static const int64_t cube[] = {3, 4, 5}, line[] = {71}, wide[] = {40, 1, 33}, deep[] = {2, 1, 3, 2, 1, 2, 3, 2};
	static const int64_t large[] = {340, 300};
	emit(&c, context);
	cf_set_shape(&c, 3, cube);
	cf_emit_layouts(c, emit, context);
	c.out = CF_CONTIGUOUS;
	cf_set_shape(&c, 1, line);
	for (c.data = CF_SPECIAL; c.data < CF_DATA_END; c.data++)
		emit(&c, context);
	c.data = CF_RANDOM;
	if (c.dtype == c.side || (c.dtype == MT_F32 && c.side == MT_F16)) {
		cf_set_shape(&c, 3, wide);
		cf_emit_layouts(c, emit, context);
		cf_set_shape(&c, 8, deep);
		cf_emit_layouts(c, emit, context);
	}
	if (c.dtype != MT_F32 && c.side != MT_F32)
		return;
	cf_set_shape(&c, 2, large);
	emit(&c, context);
	if (c.dtype != c.side)
		return;
	c.in = CF_TRANSPOSED;
	emit(&c, context);
	c.in = CF_CONTIGUOUS;
	c.out = CF_TRANSPOSED;
	emit(&c, context);
}

static void from_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	for (c.side = MT_F32; c.side < MT_DTYPE_END_; c.side++)
		pair_cases(c, emit, context);
}

static void each(cf_emit_fn emit, void *context) {
	cf_each_op(&cf_copy_family, from_cases, emit, context);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	cf_draw_shape(r, c, 0);
}

const struct cf_family cf_copy_family = {
	.name = "copy",
	.kernel = MT_K_COPY,
	.ops = ops,
	.n_ops = 1,
	.shaped = 1,
	.data = 1u << CF_RANDOM | 1u << CF_SPECIAL | 1u << CF_TIES | 1u << CF_WIDE,
	.sides = MT_SET_ALL,
	.in_place_param = -1,
	.valid = cf_is_filled,
	.each = each,
	.draw = draw,
	.run = run,
};
