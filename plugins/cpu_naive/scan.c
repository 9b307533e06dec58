/* Kernels that walk one axis, line by line: scan, arg_reduce, sort. */
#include <math.h>

#include "element.h"
#include "integer.h"
#include "lines.h"

/* The shape of x with extent 1 at axis: its positions are the starts of the lines along axis. */
static void starts_begin(struct lines *l, const mt_array *x, int32_t axis) {
	int64_t shape[MT_MAX_RANK];
	for (int d = 0; d < x->rank; d++)
		shape[d] = d == axis ? 1 : x->shape[d];
	lines_begin(l, x->rank, shape);
}

static int64_t extent_of(const mt_array *x, int32_t axis) {
	return x->rank > 0 ? x->shape[axis] : 1;
}

static int64_t stride_of(const mt_array *x, int32_t axis) {
	return x->rank > 0 ? x->stride[axis] : 0;
}

/* ---- scan ---- */

static double scan_float(int32_t op, double so_far, double x) {
	switch (op) {
	case MT_SCAN_SUM:
		return so_far + x;
	case MT_SCAN_PROD:
		return so_far * x;
	case MT_SCAN_MAX:
		return isnan(so_far) || so_far >= x ? so_far : x;
	default:
		return isnan(so_far) || so_far <= x ? so_far : x;
	}
}

static int64_t scan_integer(int32_t op, int64_t so_far, int64_t x) {
	switch (op) {
	case MT_SCAN_SUM:
		return wrap_add(so_far, x);
	case MT_SCAN_PROD:
		return wrap_mul(so_far, x);
	case MT_SCAN_MAX:
		return so_far >= x ? so_far : x;
	default:
		return so_far <= x ? so_far : x;
	}
}

static void scan_line(const struct mt_scan_args *args, int64_t from, int64_t to) {
	const mt_array *x = args->x, *out = args->out;
	int64_t n = extent_of(x, args->axis), xs = stride_of(x, args->axis), os = stride_of(out, args->axis);
	bool real = is_float(x->dtype);
	double f = 0;
	int64_t i = 0;
	for (int64_t k = 0; k < n; k++) {
		int64_t j = args->reverse ? n - 1 - k : k;
		if (real) {
			double v = get(x, from + j * xs);
			f = k == 0 ? v : scan_float(args->op, f, v);
			put(out, to + j * os, f);
		} else {
			int64_t v = get_integer(x, from + j * xs);
			i = k == 0 ? v : scan_integer(args->op, i, v);
			put_integer(out, to + j * os, i);
		}
	}
}

int32_t mt__naive_scan(mt_queue *queue, const struct mt_scan_args *args) {
	(void)queue;
	struct lines l;
	starts_begin(&l, args->x, args->axis);
	lines_add(&l, args->x->stride);
	lines_add(&l, args->out->stride);
	do
		for (int64_t j = 0; j < l.length; j++)
			scan_line(args, l.at[0] + j * l.step[0], l.at[1] + j * l.step[1]);
	while (lines_next(&l));
	return MT_OK;
}

/* ---- order: NaN is largest ---- */

/* Whether element a of x comes before element b in ascending order. */
static bool less(const mt_array *x, int64_t a, int64_t b) {
	if (!is_float(x->dtype))
		return get_integer(x, a) < get_integer(x, b);
	double u = get(x, a), v = get(x, b);
	return isnan(v) ? !isnan(u) : u < v;
}

static bool is_nan(const mt_array *x, int64_t at) {
	return is_float(x->dtype) && isnan(get(x, at));
}

static int64_t arg_of_line(const struct mt_arg_reduce_args *args, int64_t from) {
	const mt_array *x = args->x;
	int64_t n = extent_of(x, args->axis), stride = stride_of(x, args->axis), best = 0;
	for (int64_t j = 0; j < n; j++) {
		int64_t at = from + j * stride, best_at = from + best * stride;
		if (is_nan(x, at))
			return j;
		if (args->op == MT_ARG_MAX ? less(x, best_at, at) : less(x, at, best_at))
			best = j;
	}
	return best;
}

int32_t mt__naive_arg_reduce(mt_queue *queue, const struct mt_arg_reduce_args *args) {
	(void)queue;
	struct lines l;
	lines_begin(&l, args->out->rank, args->out->shape);
	lines_add(&l, args->x->stride);
	lines_add(&l, args->out->stride);
	do
		for (int64_t j = 0; j < l.length; j++)
			put_integer(args->out, l.at[1] + j * l.step[1], arg_of_line(args, l.at[0] + j * l.step[0]));
	while (lines_next(&l));
	return MT_OK;
}

/* ---- sort: merge sort of positions ---- */

/* Whether position b of the line must come before position a, which stands earlier. */
static bool swapped(const struct mt_sort_args *args, int64_t from, int64_t a, int64_t b) {
	int64_t stride = stride_of(args->x, args->axis);
	int64_t at_a = from + a * stride, at_b = from + b * stride;
	return args->descending ? less(args->x, at_a, at_b) : less(args->x, at_b, at_a);
}

/* Sorts position[0, n) with the help of spare[0, n). */
static void sort_positions(const struct mt_sort_args *args, int64_t from, int64_t *position, int64_t *spare,
                           int64_t n) {
	if (n < 2)
		return;
	int64_t half = n / 2;
	sort_positions(args, from, position, spare, half);
	sort_positions(args, from, position + half, spare + half, n - half);
	int64_t a = 0, b = half;
	for (int64_t k = 0; k < n; k++) {
		bool take_b = a == half || (b < n && swapped(args, from, position[a], position[b]));
		spare[k] = take_b ? position[b++] : position[a++];
	}
	for (int64_t k = 0; k < n; k++)
		position[k] = spare[k];
}

int32_t mt__naive_sort(mt_queue *queue, const struct mt_sort_args *args) {
	const mt_array *x = args->x, *values = args->values, *indices = args->indices;
	int64_t n = extent_of(x, args->axis);
	int64_t *position = mt__naive_scratch(queue, (uint64_t)n * 2, sizeof *position);
	if (!position)
		return MT_E_MEMORY;
	struct lines l;
	starts_begin(&l, x, args->axis);
	lines_add(&l, x->stride);
	lines_add(&l, values->stride);
	lines_add(&l, indices ? indices->stride : values->stride);
	do
		for (int64_t j = 0; j < l.length; j++) {
			int64_t from = l.at[0] + j * l.step[0], to = l.at[1] + j * l.step[1];
			int64_t index_to = l.at[2] + j * l.step[2];
			for (int64_t k = 0; k < n; k++)
				position[k] = k;
			sort_positions(args, from, position, position + n, n);
			for (int64_t k = 0; k < n; k++) {
				move_element(values, to + k * stride_of(values, args->axis), x,
				             from + position[k] * stride_of(x, args->axis));
				if (indices)
					put_integer(indices, index_to + k * stride_of(indices, args->axis), position[k]);
			}
		}
	while (lines_next(&l));
	return MT_OK;
}
