#include "values.h"

#include <math.h>

#include "dtype.h"
#include "run.h"

/* ---- fixed cases ---- */

struct cf_case cf_first_case(const struct cf_family *f, int32_t op, int32_t dtype) {
	struct cf_case c = {.family = f, .op = op, .dtype = dtype};
	for (int i = 0; i < f->n_params; i++)
		c.param[i] = f->params[i].simplest;
	return c;
}

void cf_set_shape(struct cf_case *c, int32_t rank, const int64_t *shape) {
	c->rank = rank;
	for (int d = 0; d < MT_MAX_RANK; d++)
		c->shape[d] = d < rank ? shape[d] : 0;
}

int cf_is_filled(const struct cf_case *c) {
	for (int d = 0; d < c->rank; d++)
		if (c->shape[d] < 1)
			return 0;
	return 1;
}

void cf_draw_shape(struct cf_random *r, struct cf_case *c, int low) {
	int64_t most = cf_random_integer(r, 0, 63) == 0 ? 80000 : 2000;
	cf_random_shape(r, low, MT_MAX_RANK, most, &c->rank, c->shape);
}

void cf_each_op(const struct cf_family *f, cf_op_cases_fn fn, cf_emit_fn emit, void *context) {
	for (int i = 0; i < f->n_ops; i++)
		for (int32_t t = MT_F32; t < MT_DTYPE_END_; t++)
			if (f->ops[i].dtypes & MT_DTYPE_BIT(t))
				fn(cf_first_case(f, f->ops[i].id, t), emit, context);
}

void cf_emit_layouts(struct cf_case c, cf_emit_fn emit, void *context) {
	static const int32_t beside[CF_IN_LAYOUTS] = {
		[CF_CONTIGUOUS] = CF_CONTIGUOUS, [CF_TRANSPOSED] = CF_NEGATIVE, [CF_STEPPED] = CF_TRANSPOSED,
		[CF_NEGATIVE] = CF_PADDED,       [CF_PADDED] = CF_STEPPED,      [CF_BROADCAST] = CF_CONTIGUOUS,
		[CF_REPEATED] = CF_NEGATIVE};
	for (c.in = 0; c.in < CF_IN_LAYOUTS; c.in++) {
		c.out = beside[c.in];
		emit(&c, context);
	}
	c.in = CF_CONTIGUOUS;
	for (c.out = CF_CONTIGUOUS + 1; c.out < CF_OUT_LAYOUTS; c.out++)
		emit(&c, context);
}

void cf_emit_valid(const struct cf_case *c, cf_emit_fn emit, void *context) {
	if (c->family->valid(c))
		emit(c, context);
}

struct cf_lines cf_lines_along(int32_t rank, const int64_t *shape, int64_t axis) {
	struct cf_lines l = {.extent = shape[axis], .inner = cf_numel(rank - (int)axis - 1, shape + axis + 1)};
	l.count = cf_numel((int)axis, shape) * l.inner;
	return l;
}

int64_t cf_line_start(const struct cf_lines *l, int64_t line) {
	return line / l->inner * l->extent * l->inner + line % l->inner;
}

/* ---- values ---- */

void cf_settle(struct cf_array *a) {
	cf_decode(a, a->image);
}

void cf_fill_whole(struct cf_run *r, struct cf_array *a, int64_t most) {
	struct cf_random *n = cf_numbers(r);
	int32_t dtype = a->array.dtype;
	for (int64_t e = 0; e < a->numel; e++) {
		int64_t value = cf_random_integer(n, 1, most);
		int negative = cf_random_integer(n, 0, 1) && dtype != MT_U8;
		if (dtype == MT_BOOL)
			cf_set(a, e, negative);
		else
			cf_set(a, e, (double)(negative ? -value : value));
	}
	cf_settle(a);
}

void cf_fill_ties(struct cf_run *r, struct cf_array *a) {
	struct cf_random *n = cf_numbers(r);
	int32_t dtype = a->array.dtype;
	int64_t base = dtype == MT_I64 ? INT64_C(1) << 60 : dtype == MT_I32 ? 1 << 28 : 0;
	for (int64_t e = 0; e < a->numel; e++) {
		int64_t value = cf_random_integer(n, -2, 2);
		if (cf_is_float(dtype))
			cf_set(a, e, (double)value);
		else
			cf_set_integer(a, e, dtype == MT_U8 ? value + 2 : dtype == MT_BOOL ? value > 0 : base + value);
	}
	cf_settle(a);
}

void cf_sprinkle(struct cf_run *r, struct cf_array *a, int nan) {
	const double specials[] = {INFINITY, -INFINITY, 0.0, -0.0, NAN};
	struct cf_random *n = cf_numbers(r);
	for (int64_t e = 0; e < a->numel && cf_is_float(a->array.dtype); e++)
		if (cf_random_integer(n, 0, 9) == 0)
			cf_set(a, e, specials[cf_random_integer(n, 0, nan ? 4 : 3)]);
	cf_settle(a);
}

mt_scalar cf_scalar(int32_t dtype, int64_t thousandths) {
	if (cf_is_float(dtype))
		return (mt_scalar){.tag = MT_SCALAR_F64, .v = {.f = (double)thousandths / 1000}};
	return (mt_scalar){.tag = MT_SCALAR_I64, .v = {.i = thousandths / 1000}};
}

double cf_scalar_value(int32_t dtype, int64_t thousandths) {
	if (cf_is_float(dtype))
		return cf_round(cf_side_dtype(dtype), (double)thousandths / 1000);
	return (double)cf_wrap(dtype, (uint64_t)(thousandths / 1000));
}

/* ---- allowances ---- */

/* units hold for a result in f32; half an ULP of dtype comes on top, and scale[] is still f32's. */
struct cf_allowance cf_stored(double units, int32_t dtype) {
	if (cf_side_dtype(dtype) == dtype || units == 0)
		return (struct cf_allowance){units, 1};
	double below = units * cf_unit(cf_side_dtype(dtype)) / cf_unit(dtype);
	return (struct cf_allowance){1 + below, below / (1 + below)};
}

struct cf_allowance cf_allowed(int32_t kernel, int32_t op, int32_t dtype) {
	return cf_stored(cf_units(kernel, op), dtype);
}

struct cf_allowance cf_allowed_sum(int32_t kernel, int32_t op, int32_t dtype, int64_t n) {
	return cf_stored(cf_units_sum(kernel, op, cf_side_dtype(dtype), n), dtype);
}

int cf_check_zeros(struct cf_run *r, const struct cf_array *got, const long double *expected, const char *name) {
	for (int64_t e = 0; e < got->numel && cf_is_float(got->array.dtype); e++)
		if (got->values[e] == 0 && expected[e] == 0 && !signbit(got->values[e]) != !signbit(expected[e])) {
			cf_fail(r, "%s: element %lld is %g, expected %Lg", name, (long long)e, got->values[e], expected[e]);
			return 0;
		}
	return 1;
}
