/* reduce: every op over every set of axes, layouts, dtypes, empty axes, NaN, long sums. */
#include <math.h>

#include "cases.h"
#include "check.h"

struct partial {
	long double value, scale;
	int64_t count;
};

static long double identity(int32_t op) {
	switch (op) {
	case MT_REDUCE_PROD: case MT_REDUCE_ALL: return 1;
	case MT_REDUCE_MAX: return -INFINITY;
	case MT_REDUCE_MIN: return INFINITY;
	default: return 0;
	}
}

/* Integers wrap as they go, so that long products stay exact. */
static void combine(int32_t op, int32_t dtype, struct partial *p, long double x) {
	p->count++;
	switch (op) {
	case MT_REDUCE_SUM: case MT_REDUCE_MEAN: p->value += x; p->scale += fabsl(x); break;
	case MT_REDUCE_SUMSQ: p->value += x * x; break;
	case MT_REDUCE_PROD:
		p->value = kc_is_float(dtype) ? p->value * x : kc_round(dtype, p->value * x);
		break;
	case MT_REDUCE_MAX: p->value = isnan(p->value) || isnan(x) ? NAN : x > p->value ? x : p->value; break;
	case MT_REDUCE_MIN: p->value = isnan(p->value) || isnan(x) ? NAN : x < p->value ? x : p->value; break;
	case MT_REDUCE_ANY: p->value = p->value != 0 || x != 0; break;
	case MT_REDUCE_ALL: p->value = p->value != 0 && x != 0; break;
	default: break;
	}
}

/* Sums: blocked or wider accumulation stays within 2 units of Σ|x| up to 2^20 terms (plain f32 summation in a few lanes
 * would need n / lanes); products one unit a factor. */
static double units_of(int32_t op, int64_t n) {
	switch (op) {
	case MT_REDUCE_SUM: case MT_REDUCE_MEAN: return 4 + 0.5 * log2((double)n + 1);
	case MT_REDUCE_SUMSQ: return 6 + 0.5 * log2((double)n + 1);
	case MT_REDUCE_PROD: return (double)n + 1;
	default: return 1;
	}
}

static const struct reduce_row {
	int32_t op;
	const char *name;
	uint32_t dtypes;
	int bool_result;
} ops[] = {
#define FLOAT MT_SET_FLOAT
#define NUMBER MT_SET_NUMBER
#define ALL MT_SET_ALL
#define SAME 0
#define BOOL 1
#define MT_REDUCE(id, NAME, name, dtypes, result, formula) {id, #name, dtypes, result},
#include "mt/reduce_ops.def"
#undef MT_REDUCE
#undef FLOAT
#undef NUMBER
#undef ALL
#undef SAME
#undef BOOL
};

struct reduce_case {
	const struct reduce_row *row;
	int32_t dtype;
	enum kc_layout in, out;
	int rank;
	const int64_t *shape;
	uint32_t axes;
	int special;
};

static void put_special(struct kc_array *x) {
	for (int64_t e = 0; e < x->numel; e += 11)
		kc_set(x, e, e % 3 == 0 ? NAN : e % 3 == 1 ? INFINITY : -INFINITY);
}

static void run_reduce(struct kc_host *h, const struct reduce_case *c) {
	int64_t kept[MT_MAX_RANK], index[MT_MAX_RANK];
	for (int d = 0; d < c->rank; d++)
		kept[d] = (c->axes >> d & 1) ? 1 : c->shape[d];
	int small = c->row->op == MT_REDUCE_PROD;
	struct kc_array *x = kc_input(h, c->dtype, c->rank, c->shape, c->in, small ? 0.8 : -9, small ? 1.2 : 9);
	if (c->special)
		put_special(x);
	struct kc_array *y = kc_new(h, KC_OUT, c->row->bool_result ? MT_BOOL : c->dtype, c->rank, kept, c->out);
	const struct mt_reduce_args args = {.struct_size = sizeof args, .op = c->row->op, .axes = c->axes, .x = &x->array,
	                                    .out = &y->array};
	struct partial *parts = (struct partial *)kc_reference(y->numel * (int64_t)(sizeof(struct partial) / sizeof(long double) + 1));
	for (int64_t e = 0; e < y->numel; e++)
		parts[e].value = identity(c->row->op);
	for (int64_t e = 0; e < x->numel; e++) {
		kc_unravel(e, c->rank, c->shape, index);
		for (int d = 0; d < c->rank; d++)
			index[d] = kept[d] == 1 ? 0 : index[d];
		combine(c->row->op, c->dtype, &parts[kc_ravel(c->rank, kept, index)], x->values[e]);
	}
	long double *expected = kc_reference(y->numel), *scale = kc_reference(y->numel);
	for (int64_t e = 0; e < y->numel; e++) {
		int mean = c->row->op == MT_REDUCE_MEAN;
		expected[e] = mean ? parts[e].value / (long double)parts[e].count : parts[e].value;
		scale[e] = mean ? parts[e].scale / (long double)parts[e].count : parts[e].scale;
		if (!isfinite(scale[e]))
			scale[e] = 0;
	}
	int64_t n = y->numel != 0 ? parts[0].count : 0;
	if (kc_run(h, MT_K_REDUCE, &args))
		kc_check(h, y, expected, scale, units_of(c->row->op, n), "reduce %s %s axes %x, %s to %s", c->row->name,
		         kc_dtype_name(c->dtype), (unsigned)c->axes, kc_layout_names[c->in], kc_layout_names[c->out]);
	kc_reset(h);
	kc_reference_reset();
}

typedef void (*row_fn)(struct kc_host *h, const struct reduce_row *row, int32_t dtype);

static void each_op(struct kc_host *h, row_fn fn) {
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		for (int32_t t = MT_F32; t < MT_DTYPE_END_; t++)
			if ((ops[i].dtypes & MT_DTYPE_BIT(t)) && kc_has(h, MT_K_REDUCE, ops[i].op, t, 0))
				fn(h, &ops[i], t);
}

static void axes_row(struct kc_host *h, const struct reduce_row *row, int32_t dtype) {
	const int64_t shape[] = {4, 3, 5, 6}, one[] = {1, 9, 1};
	struct reduce_case c = {.row = row, .dtype = dtype, .rank = 4, .shape = shape};
	for (c.axes = 0; c.axes < 16; c.axes++)
		for (int in = 0; in <= KC_BROADCAST; in++) {
			c.in = (enum kc_layout)in;
			c.out = (enum kc_layout)((in + (int)c.axes) % KC_LAYOUTS);
			run_reduce(h, &c);
		}
	c.rank = 3;
	c.shape = one;
	for (c.axes = 0; c.axes < 8; c.axes++)
		run_reduce(h, &c);
	c.rank = 0;
	c.axes = 0;
	run_reduce(h, &c);
}

static void special_row(struct kc_host *h, const struct reduce_row *row, int32_t dtype) {
	const int64_t shape[] = {6, 50};
	struct reduce_case c = {.row = row, .dtype = dtype, .rank = 2, .shape = shape, .special = 1};
	if (kc_is_float(dtype))
		for (c.axes = 1; c.axes < 4; c.axes++)
			run_reduce(h, &c);
}

static void empty_row(struct kc_host *h, const struct reduce_row *row, int32_t dtype) {
	const int64_t shape[] = {3, 0, 2};
	struct reduce_case c = {.row = row, .dtype = dtype, .rank = 3, .shape = shape, .axes = 2};
	if (row->op == MT_REDUCE_MAX || row->op == MT_REDUCE_MIN)
		return; /* never come empty */
	run_reduce(h, &c);
	c.axes = 6;
	run_reduce(h, &c);
}

static void large_row(struct kc_host *h, const struct reduce_row *row, int32_t dtype) {
	const int64_t shapes[][2] = {{3, 200003}, {200003, 3}, {700, 701}};
	struct reduce_case c = {.row = row, .dtype = dtype, .rank = 2};
	if (dtype != MT_F32 && row->op != MT_REDUCE_SUM)
		return;
	if (row->op == MT_REDUCE_PROD)
		return; /* overflows; its length is bounded by the axes case */
	for (int i = 0; i < 3; i++)
		for (c.axes = 1; c.axes < 4; c.axes++) {
			c.shape = shapes[i];
			c.in = i == 2 && c.axes == 1 ? KC_TRANSPOSED : KC_CONTIGUOUS;
			run_reduce(h, &c);
		}
}

static void axes(struct kc_host *h) {
	each_op(h, axes_row);
}

static void special(struct kc_host *h) {
	each_op(h, special_row);
}

static void empty(struct kc_host *h) {
	each_op(h, empty_row);
}

static void large(struct kc_host *h) {
	each_op(h, large_row);
}

static void test_axes(void) {
	kc_each_host(axes);
}

static void test_special(void) {
	kc_each_host(special);
}

static void test_empty(void) {
	kc_each_host(empty);
}

static void test_large(void) {
	kc_each_host(large);
}

const mt_test_case kc_reduce_cases[] = {
	{"axes", test_axes}, {"special", test_special}, {"empty", test_empty}, {"large", test_large}, {0}};
