/* Faults of the basic kernels, computed anew from their inputs. */
#include <math.h>
#include <stddef.h>

#include "fault.h"
#include "mt/lowp.h"

/* ---- copy, fill ---- */

void fault_truncates(struct fault_call *c) {
	struct fault_operand *x = fault_find(c, "x"), *out = fault_out(c);
	if (!fault_is_float(out->asked.dtype) || !fault_is_float(x->asked.dtype))
		return;
	for (int64_t e = 0; e < out->numel; e++)
		if (isfinite(fault_get(x, e)) && fabs(fault_get(out, e)) > fabs(fault_get(x, e)))
			fault_step_toward_zero(out, e);
}

void fault_rounds_twice(struct fault_call *c) {
	struct fault_operand *x = fault_find(c, "x"), *out = fault_out(c);
	if (x->asked.dtype == MT_F64 && (out->asked.dtype == MT_F16 || out->asked.dtype == MT_BF16))
		for (int64_t e = 0; e < out->numel; e++)
			fault_put(out, e, (double)(float)fault_get(x, e));
}

void fault_nan_to_lowest(struct fault_call *c) {
	struct fault_operand *x = fault_find(c, "x"), *out = fault_out(c);
	if (out->asked.dtype == MT_I32 && fault_is_float(x->asked.dtype))
		for (int64_t e = 0; e < out->numel; e++)
			if (isnan(fault_get(x, e)))
				fault_put_integer(out, e, INT32_MIN);
}

/* Integers by way of double: their last bits go. */
void fault_through_double(struct fault_call *c) {
	struct fault_operand *out = fault_out(c);
	if (out->asked.dtype != MT_I64)
		return;
	for (int64_t e = 0; e < out->numel; e++) {
		double value = (double)fault_get_integer(out, e);
		fault_put_integer(out, e, value >= 0x1p63 ? INT64_MAX : (int64_t)value);
	}
}

void fault_true_is_byte(struct fault_call *c) {
	struct fault_operand *x = fault_find(c, "x"), *out = fault_out(c);
	if (out->asked.dtype == MT_BOOL && x->asked.dtype == MT_U8)
		for (int64_t e = 0; e < out->numel; e++)
			fault_put_integer(out, e, fault_get_integer(x, e));
}

void fault_loses_zero_sign(struct fault_call *c) {
	struct fault_operand *out = fault_out(c);
	if (fault_is_float(out->asked.dtype))
		for (int64_t e = 0; e < out->numel; e++)
			if (fault_get(out, e) == 0)
				fault_put(out, e, 0.0);
}

/* ---- map ---- */

void fault_relu_of_nan(struct fault_call *c) {
	struct fault_operand *out = fault_out(c);
	if (fault_is_float(out->asked.dtype))
		for (int64_t e = 0; e < out->numel; e++)
			if (isnan(fault_get(out, e)))
				fault_put(out, e, 0);
}

void fault_half_up(struct fault_call *c) {
	struct fault_operand *x = fault_find(c, "x"), *out = fault_out(c);
	for (int64_t e = 0; e < out->numel && x != NULL; e++)
		fault_put(out, e, round(fault_get(x, e)));
}

void fault_gelu_by_tanh(struct fault_call *c) {
	struct fault_operand *x = fault_find(c, "x"), *out = fault_out(c);
	for (int64_t e = 0; e < out->numel && x != NULL; e++) {
		double v = fault_get(x, e);
		if (isfinite(v))
			fault_put(out, e, v / 2 * (1 + tanh(sqrt(2 / acos(-1.0)) * (v + 0.044715 * v * v * v))));
	}
}

/* exp(x) - 1 has no digits near 0. */
void fault_expm1_by_exp(struct fault_call *c) {
	struct fault_operand *x = fault_find(c, "x"), *out = fault_out(c);
	for (int64_t e = 0; e < out->numel && x != NULL && out->asked.dtype == MT_F32; e++)
		fault_put(out, e, (double)((float)exp(fault_get(x, e)) - 1.0f));
}

void fault_flushes_subnormals(struct fault_call *c) {
	struct fault_operand *out = fault_out(c);
	for (int64_t e = 0; e < out->numel && out->asked.dtype == MT_F32; e++)
		if (fabs(fault_get(out, e)) < 0x1p-126)
			fault_put(out, e, 0);
}

/* ---- zip ---- */

void fault_max_of_nan(struct fault_call *c) {
	struct fault_operand *a = fault_find(c, "a"), *b = fault_find(c, "b"), *out = fault_out(c);
	for (int64_t e = 0; e < out->numel && a != NULL && b != NULL && fault_is_float(out->asked.dtype); e++)
		fault_put(out, e, fmax(fault_get(a, e), fault_get(b, e)));
}

void fault_remainder_of_c(struct fault_call *c) {
	struct fault_operand *a = fault_find(c, "a"), *b = fault_find(c, "b"), *out = fault_out(c);
	for (int64_t e = 0; e < out->numel && a != NULL && b != NULL && a != out && b != out; e++)
		if (fault_get(b, e) != 0)
			fault_put(out, e, fmod(fault_get(a, e), fault_get(b, e)));
}

void fault_saturates(struct fault_call *c) {
	struct fault_operand *a = fault_find(c, "a"), *b = fault_find(c, "b"), *out = fault_out(c);
	for (int64_t e = 0; e < out->numel && a != NULL && b != NULL && out->asked.dtype == MT_I32; e++) {
		int64_t sum = fault_get_integer(a, e) + fault_get_integer(b, e);
		if (sum > INT32_MAX || sum < INT32_MIN)
			fault_put_integer(out, e, sum > 0 ? INT32_MAX : INT32_MIN);
	}
}

void fault_or_equal(struct fault_call *c) {
	struct fault_operand *a = fault_find(c, "a"), *b = fault_find(c, "b"), *out = fault_out(c);
	for (int64_t e = 0; e < out->numel && a != NULL && b != NULL; e++)
		if (fault_get(a, e) == fault_get(b, e))
			fault_put(out, e, 1);
}

/* Compared as doubles: what differs in the last bits of 64 is equal. */
void fault_equal_as_doubles(struct fault_call *c) {
	struct fault_operand *a = fault_find(c, "a"), *b = fault_find(c, "b"), *out = fault_out(c);
	for (int64_t e = 0; e < out->numel && a != NULL && b != NULL; e++)
		fault_put(out, e, fault_get(a, e) == fault_get(b, e));
}

/* ---- reduce ---- */

static int is_reduced(uint32_t axes, int d) {
	return axes >> d & 1;
}

/* The row-major element of out that element e of x goes to. */
static int64_t target(const mt_array *x, const mt_array *out, uint32_t axes, int64_t e) {
	int64_t to = 0;
	for (int d = 0; d < x->rank; d++)
		to = to * out->shape[d] + (is_reduced(axes, d) ? 0 : fault_index(x, e, d));
	return to;
}

void fault_empty_is_nan(struct fault_call *c) {
	struct fault_operand *x = fault_find(c, "x"), *out = fault_out(c);
	for (int64_t e = 0; e < out->numel && x->numel == 0; e++)
		fault_put(out, e, NAN);
}

/* Divided by n − 1. */
void fault_unbiased_mean(struct fault_call *c) {
	struct fault_operand *x = fault_find(c, "x"), *out = fault_out(c);
	double n = (double)x->numel / (double)out->numel;
	for (int64_t e = 0; e < out->numel && n > 1; e++)
		fault_put(out, e, fault_get(out, e) * n / (n - 1));
}

/* Sums of f16 and bf16 rounded after every term. */
void fault_narrow_sum(struct fault_call *c) {
	const struct mt_reduce_args *args = c->args;
	struct fault_operand *x = fault_find(c, "x"), *out = fault_out(c);
	if (out->asked.dtype != MT_F16 && out->asked.dtype != MT_BF16)
		return;
	for (int64_t e = 0; e < out->numel; e++)
		fault_put(out, e, 0);
	for (int64_t e = 0; e < x->numel; e++) {
		int64_t to = target(&x->asked, &out->asked, args->axes, e);
		fault_put(out, to, fault_get(out, to) + fault_get(x, e));
	}
}

void fault_skips_nan(struct fault_call *c) {
	const struct mt_reduce_args *args = c->args;
	struct fault_operand *x = fault_find(c, "x"), *out = fault_out(c);
	for (int64_t e = 0; e < out->numel && fault_is_float(out->asked.dtype); e++)
		fault_put(out, e, -INFINITY);
	for (int64_t e = 0; e < x->numel && fault_is_float(out->asked.dtype); e++) {
		int64_t to = target(&x->asked, &out->asked, args->axes, e);
		fault_put(out, to, fmax(fault_get(out, to), fault_get(x, e)));
	}
}
