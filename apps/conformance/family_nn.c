#include "family_nn.h"

#include <math.h>

const mt_array *cf_operand(const struct cf_array *a) {
	return a != NULL ? &a->array : NULL;
}

double cf_value_or(const struct cf_array *a, int64_t e, double otherwise) {
	return a != NULL ? a->values[e] : otherwise;
}

struct cf_array *cf_input_if(struct cf_run *r, int64_t wanted, int32_t dtype, int64_t extent, int32_t layout,
                             double low, double high) {
	return wanted ? cf_input(r, dtype, 1, &extent, layout, low, high) : NULL;
}

double cf_thousandths(int64_t param) {
	return (double)param / 1e3;
}

double cf_millionths(int64_t param) {
	return (double)param / 1e6;
}

void cf_nn_sprinkle(struct cf_run *r, struct cf_array *a, int kinds, int one_in) {
	const double values[] = {NAN, INFINITY, -INFINITY};
	double chosen[3];
	int n = 0;
	for (int k = 0; k < 3; k++)
		if (kinds & 1 << k)
			chosen[n++] = values[k];
	for (int64_t e = 0; e < a->numel; e++)
		if (cf_random_integer(cf_numbers(r), 1, one_in) == 1)
			cf_set(a, e, chosen[cf_random_integer(cf_numbers(r), 0, n - 1)]);
}

int cf_check_rounded(struct cf_run *r, const struct cf_array *got, const long double *expected,
                     const long double *scale, double units, const char *name) {
	int32_t dtype = got->array.dtype, side = cf_side_dtype(dtype);
	if (side == dtype)
		return cf_check(r, got, expected, scale, units, name);
	/* One unit of the narrow dtype, of the value and of what the wide one may have lost. */
	long double ratio = units * (long double)cf_unit(side) / cf_unit(dtype);
	long double *lost = cf_reference(r, got->numel);
	for (int64_t e = 0; e < got->numel; e++)
		lost[e] = ratio * (fabsl(expected[e]) + (scale != NULL ? scale[e] : 0));
	return cf_check(r, got, expected, lost, 1, name);
}

double cf_sum_units(int32_t kernel, int64_t n) {
	return cf_units(kernel, 0) * sqrt((double)(n > 1 ? n : 1));
}

void cf_nn_emit_layouts(cf_emit_fn emit, void *context, const struct cf_op *op, struct cf_case c) {
	c.op = op->id;
	for (c.dtype = 1; c.dtype < MT_DTYPE_END_; c.dtype++)
		for (c.in = 0; c.in < CF_IN_LAYOUTS && (op->dtypes & MT_DTYPE_BIT(c.dtype)); c.in++) {
			c.out = c.in % CF_OUT_LAYOUTS;
			emit(&c, context);
			c.out = (c.in + 2) % CF_OUT_LAYOUTS;
			if (c.dtype == MT_F32)
				emit(&c, context);
		}
}

void cf_nn_emit_dtypes(cf_emit_fn emit, void *context, const struct cf_op *op, struct cf_case c) {
	c.op = op->id;
	c.in = c.out = CF_CONTIGUOUS;
	for (c.dtype = 1; c.dtype < MT_DTYPE_END_; c.dtype++)
		if (op->dtypes & MT_DTYPE_BIT(c.dtype))
			emit(&c, context);
}

void cf_nn_emit_plain(cf_emit_fn emit, void *context, const struct cf_op *op, struct cf_case c) {
	c.op = op->id;
	c.dtype = MT_F32;
	c.in = c.out = CF_CONTIGUOUS;
	emit(&c, context);
}

void cf_nn_set_shape(struct cf_case *c, int rank, const int64_t *shape) {
	c->rank = rank;
	for (int d = 0; d < rank; d++)
		c->shape[d] = shape[d];
}
