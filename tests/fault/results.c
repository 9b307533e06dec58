/* Faults of a kernel that computes or writes wrongly: its results are changed after it is done. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "faults.h"

typedef double (*change_fn)(double value);

/* Changes elements [from, to) of the output. */
static void change(struct fault_call *c, int64_t from, int64_t to, change_fn fn) {
	const mt_array *out = fault_output(c);
	unsigned char *bytes = fault_get(c, out);
	for (int64_t e = from; e < to && e < fault_numel(out); e++)
		fault_write(out, bytes, e, fn(fault_read(out, bytes, e)));
	fault_put(c, out, bytes);
	free(bytes);
}

static double unchanged(double v) {
	return v;
}

static double negated(double v) {
	return -v;
}

static double five_times(double v) {
	return 5 * v;
}

static double not_a_number(double v) {
	(void)v;
	return NAN;
}

static double plus_one(double v) {
	return v + 1;
}

static double next_float(double v) {
	return nextafterf((float)v, INFINITY);
}

static double without_low_bit(double v) {
	return (double)((uint16_t)v & ~1u);
}

static double without_nan(double v) {
	return isnan(v) ? 0 : v;
}

void fault_sign(struct fault_call *c) {
	change(c, 0, INT64_MAX, negated);
}

void fault_times_five(struct fault_call *c) {
	change(c, 0, INT64_MAX, five_times);
}

/* Somewhere in the middle. */
void fault_nan(struct fault_call *c) {
	int64_t middle = fault_numel(fault_output(c)) / 2;
	change(c, middle, middle + 1, not_a_number);
}

void fault_drops_nan(struct fault_call *c) {
	change(c, 0, INT64_MAX, without_nan);
}

void fault_low_bit(struct fault_call *c) {
	change(c, 0, INT64_MAX, without_low_bit);
}

/* A loop counter of 16 bits: only arrays of more than 65,536 elements show it. */
void fault_large_only(struct fault_call *c) {
	int64_t numel = fault_numel(fault_output(c));
	if (numel > 65536)
		change(c, 65536, 65537, plus_one);
}

/* A sum whose order changes from call to call: one ULP, well within every tolerance. */
void fault_not_deterministic(struct fault_call *c) {
	static unsigned calls;
	if (calls++ % 2 == 1)
		change(c, 0, 1, next_float);
}

/* One ULP, on the devices that were opened with other numbers of threads. */
void fault_other_threads_other_bits(struct fault_call *c) {
	if (!fault_is_first_device(c->queue))
		change(c, 0, 1, next_float);
}

/* The last column is a copy of the one before. */
void fault_last_column(struct fault_call *c) {
	const mt_array *out = fault_output(c);
	int64_t columns = out->rank > 0 ? out->shape[out->rank - 1] : 1;
	unsigned char *bytes = fault_get(c, out);
	for (int64_t e = columns - 1; columns > 1 && e < fault_numel(out); e += columns)
		fault_write(out, bytes, e, fault_read(out, bytes, e - 1));
	fault_put(c, out, bytes);
	free(bytes);
}

/* ---- where it writes ---- */

void fault_keep_output(struct fault_call *c) {
	c->before = fault_get(c, fault_output(c));
}

/* The last element keeps what was there. */
void fault_unwritten_tail(struct fault_call *c) {
	const mt_array *out = fault_output(c);
	unsigned char *bytes = fault_get(c, out);
	uint64_t at = fault_position(out, fault_numel(out) - 1);
	memcpy(bytes + at, c->before + at, (size_t)fault_size(out));
	fault_put(c, out, bytes);
	free(bytes);
}

/* The lowest and highest place that elements have. */
static void extent_of(const mt_array *a, int64_t *low, int64_t *high) {
	*low = *high = (int64_t)a->byte_offset;
	for (int d = 0; d < a->rank; d++) {
		int64_t span = (a->shape[d] - 1) * a->stride[d] * fault_size(a);
		*low += span < 0 ? span : 0;
		*high += span > 0 ? span : 0;
	}
	*high += fault_size(a);
}

static void flip(struct fault_call *c, const mt_array *a, int64_t at) {
	unsigned char *bytes = fault_get(c, a);
	if (at >= 0 && at < (int64_t)a->buffer_bytes)
		bytes[at] ^= 0xff;
	fault_put(c, a, bytes);
	free(bytes);
}

void fault_past_the_end(struct fault_call *c) {
	int64_t low, high;
	extent_of(fault_output(c), &low, &high);
	flip(c, fault_output(c), high);
}

void fault_before_the_start(struct fault_call *c) {
	int64_t low, high;
	extent_of(fault_output(c), &low, &high);
	flip(c, fault_output(c), low - 1);
}

/* Behind the first element, where the next one is further away. */
void fault_in_a_gap(struct fault_call *c) {
	const mt_array *out = fault_output(c);
	int size = fault_size(out), gap = out->rank > 0;
	for (int d = 0; d < out->rank; d++)
		gap &= out->shape[d] == 1 || llabs((long long)out->stride[d]) > 1;
	if (gap)
		flip(c, out, (int64_t)out->byte_offset + size);
}

void fault_touches_input(struct fault_call *c) {
	const mt_array *x = fault_input(c);
	if (x != NULL && fault_numel(x) > 0)
		flip(c, x, (int64_t)fault_position(x, fault_numel(x) - 1));
}

/* ---- values of single kernels ---- */

void fault_nan_where_empty(struct fault_call *c) {
	if (fault_numel(fault_array(c, "x")) == 0)
		change(c, 0, INT64_MAX, not_a_number);
}

/* Halves are rounded away from 0. */
void fault_halves_away(struct fault_call *c) {
	const mt_array *x = fault_array(c, "x"), *out = fault_output(c);
	unsigned char *from = fault_get(c, x), *to = fault_get(c, out);
	for (int64_t e = 0; e < fault_numel(out) && x->base != out->base; e++) {
		double v = fault_read(x, from, e);
		if (fabs(v) < 1e6 && fabs(v - trunc(v)) == 0.5)
			fault_write(out, to, e, round(v));
	}
	fault_put(c, out, to);
	free(from);
	free(to);
}

/* A conversion of f32 to bf16 that cuts the low bits off: bf16 is the upper half of an f32. */
void fault_truncates(struct fault_call *c) {
	const mt_array *x = fault_array(c, "x"), *out = fault_output(c);
	if (out->dtype != MT_BF16)
		return;
	unsigned char *from = fault_get(c, x), *to = fault_get(c, out);
	for (int64_t e = 0; e < fault_numel(out); e++) {
		uint32_t word;
		memcpy(&word, from + fault_position(x, e), sizeof word);
		fault_write(out, to, e, word >> 16);
	}
	fault_put(c, out, to);
	free(from);
	free(to);
}

/* Whole numbers go through a double: wrong beyond 2^53. */
void fault_through_double(struct fault_call *c) {
	change(c, 0, INT64_MAX, unchanged);
}

void fault_position_from_the_end(struct fault_call *c) {
	const mt_array *x = fault_array(c, "x"), *out = fault_output(c);
	unsigned char *bytes = fault_get(c, out);
	for (int64_t e = 0; e < fault_numel(out); e++)
		fault_write(out, bytes, e, (double)(x->shape[c->args.arg_reduce.axis] - 1) - fault_read(out, bytes, e));
	fault_put(c, out, bytes);
	free(bytes);
}

/* The running variance takes the biased one. */
void fault_biased_running(struct fault_call *c) {
	const struct mt_batch_norm_args *b = &c->args.batch_norm;
	const mt_array *var = b->running_var, *rstd = b->rstd;
	if (var == NULL || !b->training || b->x->shape[1] == 0)
		return;
	double n = (double)(fault_numel(b->x) / b->x->shape[1]);
	unsigned char *now = fault_get(c, var), *r = fault_get(c, rstd);
	for (int64_t e = 0; e < fault_numel(var) && n > 1; e++) {
		double biased = 1 / (fault_read(rstd, r, e) * fault_read(rstd, r, e)) - b->eps;
		fault_write(var, now, e, fault_read(var, now, e) - b->momentum * biased / (n - 1));
	}
	fault_put(c, var, now);
	free(now);
	free(r);
}

void fault_no_mean(struct fault_call *c) {
	const mt_array *mean = fault_array(c, "mean");
	unsigned char *bytes = fault_get(c, mean);
	for (int64_t e = 0; e < fault_numel(mean); e++)
		fault_write(mean, bytes, e, 0);
	fault_put(c, mean, bytes);
	free(bytes);
}

/* Philox gives four words at a time: what is left of the last four is not used. */
void fault_odd_tail(struct fault_call *c) {
	int64_t numel = fault_numel(fault_output(c));
	change(c, numel - numel % 4, numel, plus_one);
}
