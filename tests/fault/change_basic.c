/* Faults that change what the inner kernel is asked: basic and index kernels. */
#include <stddef.h>

#include "fault.h"

void fault_first_stride(struct fault_call *c) {
	struct fault_operand *x = fault_in(c);
	if (x->array.rank > 0)
		x->array.stride[0] = 0;
}

void fault_abs_strides(struct fault_call *c) {
	struct fault_operand *x = fault_in(c);
	for (int d = 0; d < x->array.rank; d++)
		if (x->array.stride[d] < 0)
			fault_reverse(&x->array, d);
}

void fault_scalar_side(struct fault_call *c) {
	struct mt_zip_args *args = c->args;
	const mt_array *a = args->a;
	if (args->a != NULL && args->b != NULL)
		return;
	args->a = args->b;
	args->b = a;
}

/* The out of a reduction does not tell how long the reduced axis was. */
void fault_last_term(struct fault_call *c) {
	const struct mt_reduce_args *args = c->args;
	mt_array *x = &fault_find(c, "x")->array;
	for (int d = 0; d < x->rank; d++)
		if ((args->axes >> d & 1) && x->shape[d] > 1) {
			x->shape[d]--;
			return;
		}
}

/* ---- matmul ---- */

void fault_batch_stride(struct fault_call *c) {
	mt_array *a = &fault_find(c, "a")->array;
	if (a->rank > 2)
		a->stride[a->rank - 3] = 0;
}

void fault_no_alpha(struct fault_call *c) {
	((struct mt_matmul_args *)c->args)->alpha = 1;
}

void fault_no_beta(struct fault_call *c) {
	((struct mt_matmul_args *)c->args)->beta = 0;
}

void fault_reads_out(struct fault_call *c) {
	struct mt_matmul_args *args = c->args;
	if (args->beta == 0)
		args->beta = 1e-30;
}

void fault_no_matmul_bias(struct fault_call *c) {
	((struct mt_matmul_args *)c->args)->bias = NULL;
}

void fault_no_activation(struct fault_call *c) {
	((struct mt_matmul_args *)c->args)->activation = MT_ACT_NONE;
}

void fault_short_k(struct fault_call *c) {
	mt_array *a = &fault_find(c, "a")->array, *b = &fault_find(c, "b")->array;
	if (a->shape[a->rank - 1] > 1) {
		a->shape[a->rank - 1]--;
		b->shape[b->rank - 2]--;
	}
}

/* ---- index ---- */

void fault_no_reverse(struct fault_call *c) {
	((struct mt_scan_args *)c->args)->reverse = 0;
}

void fault_no_descending(struct fault_call *c) {
	((struct mt_sort_args *)c->args)->descending = 0;
}

void fault_forgets_old(struct fault_call *c) {
	struct fault_operand *out = fault_out(c);
	for (int64_t e = 0; e < out->numel; e++)
		fault_put(out, e, 0);
}
