/* Faults of any kernel: what it leaves in its output, beside it, or in its input. */
#include <math.h>
#include <stddef.h>

#include "fault.h"

void fault_sign(struct fault_call *c) {
	struct fault_operand *out = fault_out(c);
	for (int64_t e = 0; e < out->numel; e++)
		fault_put(out, e, -fault_get(out, e));
}

void fault_times_5(struct fault_call *c) {
	struct fault_operand *out = fault_out(c);
	for (int64_t e = 0; e < out->numel; e++)
		fault_put(out, e, 5 * fault_get(out, e));
}

void fault_last_column(struct fault_call *c) {
	struct fault_operand *out = fault_out(c);
	int axis = out->asked.rank - 1;
	int64_t extent = axis >= 0 ? out->asked.shape[axis] : 1;
	for (int64_t e = 0; e < out->numel && extent > 1; e++)
		if (e % extent == extent - 1)
			fault_put(out, e, fault_get(out, e - 1));
}

void fault_unwritten_tail(struct fault_call *c) {
	struct fault_operand *out = fault_out(c);
	if (out->numel > 4)
		for (int64_t e = out->numel / 4 * 4; e < out->numel; e++)
			fault_restore(out, e);
}

/* The bytes behind the last element, or before the first. */
void fault_past_end(struct fault_call *c) {
	struct fault_operand *out = fault_out(c);
	int64_t last = 0, size = fault_size(out->asked.dtype);
	for (int64_t e = 0; e < out->numel; e++)
		last = fault_position(&out->asked, e) > last ? fault_position(&out->asked, e) : last;
	if ((uint64_t)(last + 2 * size) > out->asked.buffer_bytes)
		return;
	for (int64_t i = last + size; i < last + 2 * size; i++)
		out->now[i] = (unsigned char)~out->now[i];
	out->dirty = 1;
}

void fault_touches_input(struct fault_call *c) {
	struct fault_operand *x = fault_in(c);
	x->now[fault_position(&x->asked, x->numel - 1)] ^= 1;
	x->dirty = 1;
}

void fault_from_65537(struct fault_call *c) {
	struct fault_operand *out = fault_out(c), *x = fault_in(c);
	if ((x != NULL && x->numel > 65536) || out->numel > 65536)
		fault_put(out, out->numel - 1, fault_get(out, out->numel - 1) + 1);
}

void fault_nan_in_middle(struct fault_call *c) {
	struct fault_operand *out = fault_out(c);
	fault_put(out, out->numel / 2, NAN);
}

/* One step more in every second call: well within what is allowed. */
void fault_unsteady(struct fault_call *c) {
	static int calls;
	struct fault_operand *out = fault_out(c);
	double value = fault_get(out, out->numel - 1);
	if (calls++ % 2 && isfinite(value) && value != 0)
		fault_step_away(out, out->numel - 1);
}

/* Where the result was to be 0 nothing is written. */
void fault_zeros_unwritten(struct fault_call *c) {
	struct fault_operand *out = fault_out(c);
	for (int64_t e = 0; e < out->numel; e++)
		if (fault_get(out, e) == 0)
			fault_restore(out, e);
}

/* Random numbers are drawn in pairs: the odd one at the end is forgotten. */
void fault_odd_tail(struct fault_call *c) {
	struct fault_operand *out = fault_out(c);
	if (out->numel % 2 && out->numel > 1)
		fault_put(out, out->numel - 1, fault_get(out, out->numel - 2));
}

/* As a kernel that draws in the order of memory. */
void fault_memory_order(struct fault_call *c) {
	struct fault_operand *out = fault_out(c);
	int last = out->asked.rank - 1;
	if (last < 1 || out->asked.stride[0] >= out->asked.stride[last] || out->numel < 2)
		return;
	double first = fault_get(out, 1);
	fault_put(out, 1, fault_get(out, out->numel - 2));
	fault_put(out, out->numel - 2, first);
}
