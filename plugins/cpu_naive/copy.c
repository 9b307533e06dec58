/* copy, fill, select: elements move, one by one. */
#include "element.h"
#include "lines.h"

static void copy_line(const struct lines *l, const mt_array *x, const mt_array *out) {
	bool same = x->dtype == out->dtype, from_float = is_float(x->dtype);
	for (int64_t j = 0; j < l->length; j++) {
		int64_t from = l->at[0] + j * l->step[0], to = l->at[1] + j * l->step[1];
		if (same)
			move_element(out, to, x, from);
		else if (from_float)
			put(out, to, get(x, from));
		else
			put_integer(out, to, get_integer(x, from));
	}
}

int32_t mt__naive_copy(mt_queue *queue, const struct mt_copy_args *args) {
	(void)queue;
	struct lines l;
	lines_begin(&l, args->out->rank, args->out->shape);
	lines_add(&l, args->x->stride);
	lines_add(&l, args->out->stride);
	do
		copy_line(&l, args->x, args->out);
	while (lines_next(&l));
	return MT_OK;
}

int32_t mt__naive_fill(mt_queue *queue, const struct mt_fill_args *args) {
	(void)queue;
	struct lines l;
	lines_begin(&l, args->out->rank, args->out->shape);
	lines_add(&l, args->out->stride);
	bool integer = args->value.tag == MT_SCALAR_I64;
	do
		for (int64_t j = 0; j < l.length; j++) {
			int64_t at = l.at[0] + j * l.step[0];
			if (integer)
				put_integer(args->out, at, args->value.v.i);
			else
				put(args->out, at, args->value.v.f);
		}
	while (lines_next(&l));
	return MT_OK;
}

int32_t mt__naive_select(mt_queue *queue, const struct mt_select_args *args) {
	(void)queue;
	struct lines l;
	lines_begin(&l, args->out->rank, args->out->shape);
	lines_add(&l, args->cond->stride);
	lines_add(&l, args->a->stride);
	lines_add(&l, args->b->stride);
	lines_add(&l, args->out->stride);
	do
		for (int64_t j = 0; j < l.length; j++) {
			int64_t to = l.at[3] + j * l.step[3];
			if (get_integer(args->cond, l.at[0] + j * l.step[0]))
				move_element(args->out, to, args->a, l.at[1] + j * l.step[1]);
			else
				move_element(args->out, to, args->b, l.at[2] + j * l.step[2]);
		}
	while (lines_next(&l));
	return MT_OK;
}
