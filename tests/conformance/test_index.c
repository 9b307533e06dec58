/* arg_reduce, gather, scatter_add, select, scan, sort, embedding: values, layouts, ties, NaN, indices out of range. */
#include <math.h>

#include "cases.h"
#include "check.h"

static const int64_t shape3[] = {4, 6, 5};

static void expect(struct kc_host *h, const struct kc_array *y, long double *expected, const char *what, int32_t dtype, int layout) {
	kc_check(h, y, expected, NULL, 2, "%s %s %s", what, kc_dtype_name(dtype), kc_layout_names[layout]);
}

static void done(struct kc_host *h) {
	kc_reset(h);
	kc_reference_reset();
}

/* Row-major position of element (index with index[axis] = at) in shape. */
static int64_t moved(int64_t e, int rank, const int64_t *shape, const int64_t *in_shape, int axis, int64_t at) {
	int64_t index[MT_MAX_RANK];
	kc_unravel(e, rank, shape, index);
	index[axis] = at;
	return kc_ravel(rank, in_shape, index);
}

/* ---- arg_reduce ---- */

static void arg_reduce_row(struct kc_host *h, int32_t dtype, int layout, int axis, int32_t op) {
	struct kc_array *x = kc_input(h, dtype, 3, shape3, (enum kc_layout)layout, -3, 3);
	if (kc_is_float(dtype) && layout == KC_CONTIGUOUS) {
		kc_set(x, 17, NAN);
		kc_set(x, 23, NAN);
		kc_set(x, 50, INFINITY);
	}
	int64_t kept[] = {4, 6, 5};
	kept[axis] = 1;
	struct kc_array *y = kc_new(h, KC_OUT, MT_I64, 3, kept, (enum kc_layout)(layout % KC_LAYOUTS));
	const struct mt_arg_reduce_args args = {.struct_size = sizeof args, .op = op, .axis = axis, .x = &x->array, .out = &y->array};
	long double *expected = kc_reference(y->numel);
	for (int64_t e = 0; e < y->numel; e++) {
		int64_t best = 0;
		for (int64_t j = 1; j < shape3[axis]; j++) {
			double now = x->values[moved(e, 3, kept, shape3, axis, j)], top = x->values[moved(e, 3, kept, shape3, axis, best)];
			if (!isnan(top) && (isnan(now) || (op == MT_ARG_MAX ? now > top : now < top)))
				best = j;
		}
		expected[e] = best;
	}
	if (kc_run(h, MT_K_ARG_REDUCE, &args))
		expect(h, y, expected, "arg_reduce", dtype, layout);
	done(h);
}

static void arg_reduce(struct kc_host *h) {
	for (int32_t t = MT_F32; t < MT_DTYPE_END_; t++)
		for (int layout = 0; layout <= KC_BROADCAST; layout++)
			for (int axis = 0; axis < 3; axis++)
				for (int32_t op = MT_ARG_MAX; op <= MT_ARG_MIN; op++)
					if (kc_has(h, MT_K_ARG_REDUCE, op, t, 0))
						arg_reduce_row(h, t, layout, axis, op);
}

/* ---- gather and scatter_add ---- */

static struct kc_array *indices(struct kc_host *h, int32_t dtype, const int64_t *shape, int layout, int64_t extent) {
	return kc_input(h, dtype, 3, shape, (enum kc_layout)layout, (double)-extent, (double)extent - 1);
}

static void gather_row(struct kc_host *h, int32_t dtype, int32_t index_dtype, int layout, int axis) {
	int64_t shape[] = {4, 6, 5};
	shape[axis] = 7;
	struct kc_array *x = kc_input(h, dtype, 3, shape3, (enum kc_layout)layout, -50, 50);
	struct kc_array *index = indices(h, index_dtype, shape, layout, shape3[axis]);
	struct kc_array *y = kc_new(h, KC_OUT, dtype, 3, shape, (enum kc_layout)(layout % KC_LAYOUTS));
	const struct mt_gather_args args = {.struct_size = sizeof args, .axis = axis, .x = &x->array, .index = &index->array, .out = &y->array};
	long double *expected = kc_reference(y->numel);
	for (int64_t e = 0; e < y->numel; e++) {
		int64_t j = (int64_t)index->values[e];
		expected[e] = x->values[moved(e, 3, shape, shape3, axis, j < 0 ? j + shape3[axis] : j)];
	}
	if (kc_run(h, MT_K_GATHER, &args))
		expect(h, y, expected, "gather", dtype, layout);
	kc_set(index, index->numel / 2, (double)shape3[axis]);
	kc_run_refused(h, MT_K_GATHER, &args, MT_E_ARG);
	done(h);
}

static void scatter_add_row(struct kc_host *h, int32_t dtype, int32_t index_dtype, int layout, int axis) {
	int64_t shape[] = {4, 6, 5};
	shape[axis] = 9;
	struct kc_array *src = kc_input(h, dtype, 3, shape, (enum kc_layout)layout, -9, 9);
	struct kc_array *index = indices(h, index_dtype, shape, layout, shape3[axis]);
	struct kc_array *y = kc_new(h, KC_INOUT, dtype, 3, shape3, (enum kc_layout)(layout % KC_LAYOUTS));
	kc_fill(h, y, -9, 9);
	const struct mt_scatter_add_args args = {.struct_size = sizeof args, .axis = axis, .src = &src->array, .index = &index->array, .out = &y->array};
	long double *expected = kc_reference(y->numel), *scale = kc_reference(y->numel);
	for (int64_t e = 0; e < y->numel; e++) {
		expected[e] = y->values[e];
		scale[e] = fabs(y->values[e]);
	}
	for (int64_t e = 0; e < src->numel; e++) {
		int64_t j = (int64_t)index->values[e], to = moved(e, 3, shape, shape3, axis, j < 0 ? j + shape3[axis] : j);
		expected[to] += src->values[e];
		scale[to] += fabs(src->values[e]);
	}
	if (kc_run(h, MT_K_SCATTER_ADD, &args))
		kc_check(h, y, expected, scale, 10, "scatter_add %s %s axis %d", kc_dtype_name(dtype), kc_layout_names[layout], axis);
	kc_set(index, index->numel / 2, (double)-shape3[axis] - 1);
	kc_run_refused(h, MT_K_SCATTER_ADD, &args, MT_E_ARG);
	done(h);
}

static void gathers(struct kc_host *h) {
	for (int32_t t = MT_F32; t < MT_DTYPE_END_; t++)
		for (int layout = 0; layout <= KC_BROADCAST; layout++)
			for (int axis = 0; axis < 3; axis++)
				for (int wide = 0; wide < 2; wide++) {
					if (kc_has(h, MT_K_GATHER, 0, t, 0))
						gather_row(h, t, wide ? MT_I64 : MT_I32, layout, axis);
					if (kc_has(h, MT_K_SCATTER_ADD, 0, t, 0) && t != MT_BOOL)
						scatter_add_row(h, t, wide ? MT_I64 : MT_I32, layout, axis);
				}
}

/* ---- select ---- */

static void selects(struct kc_host *h) {
	for (int32_t t = MT_F32; t < MT_DTYPE_END_; t++)
		for (int layout = 0; layout <= KC_BROADCAST; layout++) {
			if (!kc_has(h, MT_K_SELECT, 0, t, 0))
				continue;
			struct kc_array *cond = kc_input(h, MT_BOOL, 3, shape3, (enum kc_layout)layout, 0, 1);
			struct kc_array *a = kc_input(h, t, 3, shape3, KC_CONTIGUOUS, -50, 50), *b = kc_input(h, t, 3, shape3, (enum kc_layout)layout, -50, 50);
			struct kc_array *y = kc_new(h, KC_OUT, t, 3, shape3, (enum kc_layout)(layout % KC_LAYOUTS));
			const struct mt_select_args args = {.struct_size = sizeof args, .cond = &cond->array, .a = &a->array, .b = &b->array, .out = &y->array};
			long double *expected = kc_reference(y->numel);
			for (int64_t e = 0; e < y->numel; e++)
				expected[e] = cond->values[e] != 0 ? a->values[e] : b->values[e];
			if (kc_run(h, MT_K_SELECT, &args))
				expect(h, y, expected, "select", t, layout);
			done(h);
		}
}

/* ---- scan ---- */

static long double scan_step(int32_t op, int32_t dtype, long double so_far, long double x) {
	switch (op) {
	case MT_SCAN_SUM: return kc_is_float(dtype) ? so_far + x : kc_round(dtype, so_far + x);
	case MT_SCAN_PROD: return kc_is_float(dtype) ? so_far * x : kc_round(dtype, so_far * x);
	case MT_SCAN_MAX: return isnan(so_far) || isnan(x) ? NAN : x > so_far ? x : so_far;
	default: return isnan(so_far) || isnan(x) ? NAN : x < so_far ? x : so_far;
	}
}

static void scan_row(struct kc_host *h, int32_t dtype, int layout, int axis, int32_t op, int reverse) {
	struct kc_array *x = kc_input(h, dtype, 3, shape3, (enum kc_layout)layout, op == MT_SCAN_PROD ? 0.5 : -3, 3);
	struct kc_array *y = kc_new(h, KC_OUT, dtype, 3, shape3, (enum kc_layout)(layout % KC_LAYOUTS));
	const struct mt_scan_args args = {.struct_size = sizeof args, .op = op, .axis = axis, .reverse = reverse, .x = &x->array, .out = &y->array};
	if (kc_is_float(dtype) && op >= MT_SCAN_MAX && layout == KC_CONTIGUOUS)
		kc_set(x, 40, NAN);
	long double *expected = kc_reference(y->numel), *scale = kc_reference(y->numel);
	int64_t extent = shape3[axis], index[3];
	for (int64_t e = 0; e < y->numel; e++) {
		kc_unravel(e, 3, shape3, index);
		int64_t last = index[axis], first = reverse ? extent - 1 : 0, step = reverse ? -1 : 1;
		long double value = x->values[moved(e, 3, shape3, shape3, axis, first)];
		scale[e] = op == MT_SCAN_SUM ? fabsl(value) : 0;
		for (int64_t j = first; j != last;) {
			j += step;
			double now = x->values[moved(e, 3, shape3, shape3, axis, j)];
			value = scan_step(op, dtype, value, now);
			scale[e] += op == MT_SCAN_SUM ? fabs(now) : 0;
		}
		expected[e] = value;
	}
	if (kc_run(h, MT_K_SCAN, &args))
		kc_check(h, y, expected, scale, 8, "scan %s %s axis %d op %d reverse %d", kc_dtype_name(dtype), kc_layout_names[layout], axis, (int)op, reverse);
	done(h);
}

static void scans(struct kc_host *h) {
	for (int32_t t = MT_F32; t < MT_DTYPE_END_; t++)
		for (int layout = 0; layout <= KC_BROADCAST; layout++)
			for (int axis = 0; axis < 3; axis++)
				for (int32_t op = MT_SCAN_SUM; op <= MT_SCAN_MIN; op++)
					for (int reverse = 0; reverse < 2; reverse++)
						if (t != MT_BOOL && kc_has(h, MT_K_SCAN, op, t, 0))
							scan_row(h, t, layout, axis, op, reverse);
}

/* ---- sort ---- */

/* Whether a stands before b; equal ones keep their order. */
static int before(double a, double b, int descending) {
	if (isnan(a) || isnan(b))
		return descending ? isnan(a) && !isnan(b) : !isnan(a) && isnan(b);
	return descending ? a > b : a < b;
}

static void sort_row(struct kc_host *h, int32_t dtype, int layout, int axis, int descending, int rank, const int64_t *shape) {
	struct kc_array *x = kc_input(h, dtype, rank, shape, (enum kc_layout)layout, -6, 6);
	for (int64_t e = 0; kc_is_float(dtype) && layout == KC_CONTIGUOUS && e < x->numel; e += 13)
		kc_set(x, e, e % 2 ? NAN : floor(x->values[e]));
	struct kc_array *y = kc_new(h, KC_OUT, dtype, rank, shape, (enum kc_layout)(layout % KC_LAYOUTS));
	struct kc_array *from = layout == KC_STEPPED ? NULL : kc_new(h, KC_OUT, MT_I64, rank, shape, (enum kc_layout)(layout % KC_LAYOUTS));
	const struct mt_sort_args args = {.struct_size = sizeof args, .axis = axis, .descending = descending, .x = &x->array,
	                                  .values = &y->array, .indices = from != NULL ? &from->array : NULL};
	long double *expected = kc_reference(x->numel), *places = kc_reference(x->numel);
	int64_t index[MT_MAX_RANK];
	for (int64_t e = 0; e < x->numel; e++) { /* rank of element e within its lane */
		kc_unravel(e, rank, shape, index);
		int64_t place = 0, at = index[axis];
		for (int64_t j = 0; j < shape[axis]; j++) {
			double other = x->values[moved(e, rank, shape, shape, axis, j)];
			place += before(other, x->values[e], descending) || (j < at && !before(x->values[e], other, descending));
		}
		int64_t to = moved(e, rank, shape, shape, axis, place);
		expected[to] = x->values[e];
		places[to] = at;
	}
	if (kc_run(h, MT_K_SORT, &args)) {
		expect(h, y, expected, "sort values", dtype, layout);
		if (from != NULL)
			expect(h, from, places, "sort indices", dtype, layout);
	}
	done(h);
}

static void sorts(struct kc_host *h) {
	const int64_t long_lane[] = {2, 1500};
	for (int32_t t = MT_F32; t < MT_DTYPE_END_; t++) {
		if (!kc_has(h, MT_K_SORT, 0, t, 0))
			continue;
		for (int layout = 0; layout <= KC_BROADCAST; layout++)
			for (int axis = 0; axis < 3; axis++)
				for (int descending = 0; descending < 2; descending++)
					sort_row(h, t, layout, axis, descending, 3, shape3);
		sort_row(h, t, KC_CONTIGUOUS, 1, 0, 2, long_lane);
	}
}

/* ---- embedding ---- */

static void embedding_row(struct kc_host *h, int32_t dtype, int32_t index_dtype, int layout) {
	const int64_t table_shape[] = {11, 6}, index_shape[] = {3, 9}, out_shape[] = {3, 9, 6};
	struct kc_array *table = kc_input(h, dtype, 2, table_shape, (enum kc_layout)layout, -9, 9);
	struct kc_array *index = kc_input(h, index_dtype, 2, index_shape, (enum kc_layout)layout, 0, 10);
	struct kc_array *y = kc_new(h, KC_OUT, dtype, 3, out_shape, (enum kc_layout)(layout % KC_LAYOUTS));
	const struct mt_embedding_args args = {.struct_size = sizeof args, .table = &table->array, .index = &index->array, .out = &y->array};
	long double *expected = kc_reference(y->numel);
	for (int64_t e = 0; e < y->numel; e++)
		expected[e] = table->values[(int64_t)index->values[e / 6] * 6 + e % 6];
	if (kc_run(h, MT_K_EMBEDDING, &args))
		expect(h, y, expected, "embedding", dtype, layout);
	kc_set(index, 5, 11);
	kc_run_refused(h, MT_K_EMBEDDING, &args, MT_E_ARG);
	done(h);
}

static void embedding_grad_row(struct kc_host *h, int32_t dtype, int32_t index_dtype, int layout, int64_t padding) {
	const int64_t table_shape[] = {11, 6}, index_shape[] = {3, 9}, out_shape[] = {3, 9, 6};
	struct kc_array *gout = kc_input(h, dtype, 3, out_shape, (enum kc_layout)layout, -9, 9);
	struct kc_array *index = kc_input(h, index_dtype, 2, index_shape, (enum kc_layout)layout, 0, 10);
	struct kc_array *y = kc_new(h, KC_OUT, dtype, 2, table_shape, (enum kc_layout)(layout % KC_LAYOUTS));
	const struct mt_embedding_grad_args args = {.struct_size = sizeof args, .gout = &gout->array, .index = &index->array,
	                                            .gtable = &y->array, .padding_idx = padding};
	long double *expected = kc_reference(y->numel), *scale = kc_reference(y->numel);
	for (int64_t e = 0; e < gout->numel; e++) {
		int64_t row = (int64_t)index->values[e / 6];
		expected[row * 6 + e % 6] += row == padding ? 0 : gout->values[e];
		scale[row * 6 + e % 6] += fabs(gout->values[e]);
	}
	if (kc_run(h, MT_K_EMBEDDING_GRAD, &args))
		kc_check(h, y, expected, scale, 10, "embedding_grad %s %s", kc_dtype_name(dtype), kc_layout_names[layout]);
	done(h);
}

static void embeddings(struct kc_host *h) {
	for (int32_t t = MT_F32; t <= MT_BF16; t++)
		for (int layout = 0; layout <= KC_BROADCAST; layout++) {
			if (kc_has(h, MT_K_EMBEDDING, 0, t, 0))
				embedding_row(h, t, layout % 2 ? MT_I32 : MT_I64, layout);
			if (kc_has(h, MT_K_EMBEDDING_GRAD, 0, t, 0))
				embedding_grad_row(h, t, layout % 2 ? MT_I32 : MT_I64, layout, layout % 3 ? -1 : 4);
		}
}

static void test_arg_reduce(void) {
	kc_each_host(arg_reduce);
}

static void test_gather(void) {
	kc_each_host(gathers);
}

static void test_select(void) {
	kc_each_host(selects);
}

static void test_scan(void) {
	kc_each_host(scans);
}

static void test_sort(void) {
	kc_each_host(sorts);
}

static void test_embedding(void) {
	kc_each_host(embeddings);
}

const mt_test_case kc_index_cases[] = {{"arg_reduce", test_arg_reduce}, {"gather_scatter", test_gather}, {"select", test_select},
                                       {"scan", test_scan}, {"sort", test_sort}, {"embedding", test_embedding}, {0}};
