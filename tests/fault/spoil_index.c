/* Faults of the index kernels and of pooling, computed anew from their inputs. */
#include <math.h>
#include <stddef.h>

#include "fault.h"

/* ---- arg_reduce, sort ---- */

void fault_last_of_equals(struct fault_call *c) {
	const struct mt_arg_reduce_args *args = c->args;
	struct fault_operand *x = fault_find(c, "x"), *out = fault_out(c);
	int64_t extent = x->asked.shape[args->axis];
	for (int64_t e = 0; e < out->numel; e++) {
		double best = fault_get(x, fault_along(&out->asked, e, args->axis, extent, fault_get_integer(out, e)));
		for (int64_t j = 0; j < extent; j++)
			if (fault_get(x, fault_along(&out->asked, e, args->axis, extent, j)) == best)
				fault_put_integer(out, e, j);
	}
}

void fault_arg_skips_nan(struct fault_call *c) {
	const struct mt_arg_reduce_args *args = c->args;
	struct fault_operand *x = fault_find(c, "x"), *out = fault_out(c);
	int64_t extent = x->asked.shape[args->axis];
	for (int64_t e = 0; e < out->numel; e++) {
		double best = NAN;
		for (int64_t j = 0; j < extent; j++) {
			double value = fault_get(x, fault_along(&out->asked, e, args->axis, extent, j));
			if (value > best || (isnan(best) && !isnan(value))) {
				best = value;
				fault_put_integer(out, e, j);
			}
		}
	}
}

/* Equal values come in the opposite order. */
void fault_unstable(struct fault_call *c) {
	const struct mt_sort_args *args = c->args;
	struct fault_operand *values = fault_find(c, "values"), *indices = fault_find(c, "indices");
	int64_t extent = values->asked.shape[args->axis];
	for (int64_t e = 0; e < values->numel && indices != NULL; e++) {
		int64_t j = fault_index(&values->asked, e, args->axis);
		if (j == 0)
			continue;
		int64_t before = fault_along(&values->asked, e, args->axis, extent, j - 1);
		int64_t a = fault_get_integer(indices, before), b = fault_get_integer(indices, e);
		if (fault_get(values, before) == fault_get(values, e) && a < b) {
			fault_put_integer(indices, before, b);
			fault_put_integer(indices, e, a);
		}
	}
}

/* The largest first: where a NaN belongs at the end it is moved to the front. */
void fault_nan_first(struct fault_call *c) {
	const struct mt_sort_args *args = c->args;
	struct fault_operand *values = fault_find(c, "values");
	int64_t extent = values->asked.shape[args->axis];
	for (int64_t e = 0; e < values->numel && fault_is_float(values->asked.dtype); e++) {
		int64_t first = fault_along(&values->asked, e, args->axis, extent, 0);
		if (isnan(fault_get(values, e)) && !isnan(fault_get(values, first))) {
			fault_put(values, e, fault_get(values, first));
			fault_put(values, first, NAN);
		}
	}
}

/* ---- gather, scatter_add, select ---- */

void fault_negative_is_first(struct fault_call *c) {
	const struct mt_gather_args *args = c->args;
	struct fault_operand *x = fault_find(c, "x"), *index = fault_find(c, "index"), *out = fault_out(c);
	for (int64_t e = 0; e < out->numel; e++)
		if (fault_get_integer(index, e) < 0)
			fault_put(out, e, fault_get(x, fault_along(&out->asked, e, args->axis, x->asked.shape[args->axis], 0)));
}

/* Of several sources for one place the last alone is added. */
void fault_last_source(struct fault_call *c) {
	const struct mt_scatter_add_args *args = c->args;
	struct fault_operand *src = fault_find(c, "src"), *index = fault_find(c, "index"), *out = fault_out(c);
	for (int64_t e = 0; e < out->numel; e++)
		fault_restore(out, e);
	for (int64_t e = 0; e < src->numel; e++) {
		int64_t extent = out->asked.shape[args->axis], j = fault_get_integer(index, e);
		int64_t to = fault_along(&src->asked, e, args->axis, extent, j < 0 ? j + extent : j);
		fault_restore(out, to);
		fault_put(out, to, fault_get(out, to) + fault_get(src, e));
	}
}

void fault_other_choice(struct fault_call *c) {
	struct fault_operand *a = fault_find(c, "a"), *b = fault_find(c, "b"), *cond = fault_find(c, "cond");
	struct fault_operand *out = fault_out(c);
	for (int64_t e = 0; e < out->numel; e++)
		fault_put(out, e, fault_get(fault_get(cond, e) == 0 ? a : b, e));
}

/* ---- scan ---- */

/* Without the element itself. */
void fault_exclusive(struct fault_call *c) {
	struct fault_operand *x = fault_find(c, "x"), *out = fault_out(c);
	for (int64_t e = 0; e < out->numel; e++)
		fault_put(out, e, fault_get(out, e) - fault_get(x, e));
}

/* The carry from one block of 256 to the next is lost. */
void fault_lost_carry(struct fault_call *c) {
	enum { BLOCK = 256 };
	const struct mt_scan_args *args = c->args;
	struct fault_operand *x = fault_find(c, "x"), *out = fault_out(c);
	int64_t extent = x->asked.shape[args->axis];
	for (int64_t e = 0; e < out->numel && extent > BLOCK && !args->reverse; e++) {
		int64_t j = fault_index(&out->asked, e, args->axis),
				before = fault_along(&out->asked, e, args->axis, extent, j - 1);
		if (j >= BLOCK)
			fault_put(out, e, fault_get(x, e) + (j % BLOCK == 0 ? 0 : fault_get(out, before)));
	}
}

/* ---- pool ---- */

/* Of equals in a window the last wins: over the whole window in one dim. */
void fault_last_winner(struct fault_call *c) {
	const struct mt_pool_args *args = c->args;
	struct fault_operand *x = fault_find(c, "x"), *indices = fault_find(c, "indices");
	if (indices == NULL || x->asked.rank != 3)
		return;
	const struct mt_pool_params *p = &args->p;
	int64_t extent = x->asked.shape[2];
	for (int64_t e = 0; e < indices->numel; e++) {
		int64_t first = fault_index(&indices->asked, e, 2) * p->stride[0] - p->pad[0],
				row = e / indices->asked.shape[2];
		double best = fault_get(x, row * extent + fault_get_integer(indices, e));
		for (int64_t k = 0; k < p->kernel[0]; k++) {
			int64_t i = first + k * p->dilation[0];
			if (i >= 0 && i < extent && fault_get(x, row * extent + i) == best)
				fault_put_integer(indices, e, i);
		}
	}
}
