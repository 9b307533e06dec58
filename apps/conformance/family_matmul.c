/* matmul: sizes around every tile edge, transposes and strides, batches, alpha and beta, bias, activations; with whole
 * numbers the result is exact. */
#include <math.h>

#include "families.h"
#include "dtype.h"
#include "formulas.h"
#include "run.h"
#include "values.h"

static const struct cf_op ops[] = {{0, "", MT_SET_NUMBER}};

/* rank: 2, or more with batch dims before the matrix: batch0, batch1, batch2, and then 1s in front.  in_b: b's layout, where
 * in is a's.  alpha and beta in thousandths. */
enum { RANK, BATCH0, BATCH1, BATCH2, M, K, N, IN_B, ALPHA, BETA, BIAS, ACTIVATION, PARAMS };
static const struct cf_param params[PARAMS] = {
	[RANK] = {"rank", 2, 2, MT_MAX_RANK},
	[BATCH0] = {"batch0", 1, 1, 100000},
	[BATCH1] = {"batch1", 1, 1, 1000},
	[BATCH2] = {"batch2", 1, 1, 1000},
	[M] = {"m", 1, 1, 100000},
	[K] = {"k", 1, 0, 100000},
	[N] = {"n", 1, 1, 100000},
	[IN_B] = {"in_b", CF_CONTIGUOUS, 0, CF_IN_LAYOUTS - 1},
	[ALPHA] = {"alpha", 1000, -4000, 4000},
	[BETA] = {"beta", 0, -4000, 4000},
	[BIAS] = {"bias", 0, 0, 1},
	[ACTIVATION] = {"activation", MT_ACT_NONE, MT_ACT_NONE, MT_ACT_END_ - 1},
};

static int64_t matrices(const struct cf_case *c) {
	int64_t n = 1, batch_dims = c->param[RANK] - 2;
	for (int d = 0; d < 3 && d < batch_dims; d++)
		n *= c->param[BATCH0 + d];
	return n;
}

/* […, rows, columns]; returns the rank. */
static int shape_of(const struct cf_case *c, int64_t rows, int64_t columns, int64_t *shape) {
	int rank = (int)c->param[RANK], ones = rank > 5 ? rank - 5 : 0;
	for (int d = 0; d < rank - 2; d++)
		shape[d] = d < ones ? 1 : c->param[BATCH0 + d - ones];
	shape[rank - 2] = rows;
	shape[rank - 1] = columns;
	return rank;
}

static int valid(const struct cf_case *c) {
	const int64_t *p = c->param;
	double work = (double)matrices(c) * (double)p[M] * (double)p[N] * (double)(p[K] + 1);
	if (work > 0x1p26)
		return 0;
	if (!cf_is_float(c->dtype) &&
	    (p[ALPHA] != 1000 || (p[BETA] != 0 && p[BETA] != 1000) || p[ACTIVATION] > MT_ACT_RELU))
		return 0;
	if (c->data == CF_SPECIAL && (!cf_is_float(c->dtype) || p[ALPHA] == 0))
		return 0;
	return c->data != CF_WIDE || !cf_is_float(c->dtype);
}

/* ---- inputs ---- */

static void fill(struct cf_run *r, struct cf_array *a, const struct cf_case *c) {
	if (c->data == CF_TIES)
		cf_fill_whole(r, a, 3);
	else
		cf_fill_data(r, a, c->data == CF_SPECIAL ? CF_RANDOM : c->data, -3, 3, 0);
}

/* With beta 0 out is not read: NaN in it must not survive. */
static void fill_out(struct cf_run *r, struct cf_array *y, const struct cf_case *c) {
	if (c->param[BETA] != 0 || !cf_is_float(c->dtype)) {
		fill(r, y, c);
		return;
	}
	for (int64_t e = 0; e < y->numel; e++)
		cf_set(y, e, NAN);
}

static struct cf_array *operand(struct cf_run *r, const struct cf_case *c, int64_t rows, int64_t columns,
                                int32_t layout) {
	int64_t shape[MT_MAX_RANK];
	int rank = shape_of(c, rows, columns, shape);
	struct cf_array *a = cf_new(r, CF_IN, c->dtype, rank, shape, layout);
	fill(r, a, c);
	return a;
}

/* ---- expected values ---- */

struct operands {
	const struct cf_array *a, *b, *bias;
};

struct element {
	long double value, scale;
};

static struct element dot(const struct cf_case *c, const double *a, const double *b) {
	struct element s = {0, 0};
	for (int64_t k = 0; k < c->param[K]; k++) {
		long double term = (long double)a[k] * b[k * c->param[N]];
		s.value += term;
		s.scale += fabsl(term);
	}
	return s;
}

static int64_t dot_integer(const struct cf_case *c, const int64_t *a, const int64_t *b) {
	int64_t sum = 0;
	for (int64_t k = 0; k < c->param[K]; k++)
		sum = cf_add_wrapped(sum, cf_mul_wrapped(a[k], b[k * c->param[N]]));
	return sum;
}

static struct element finish(const struct cf_case *c, struct element s, double out, double bias) {
	double alpha = (double)c->param[ALPHA] / 1000, beta = (double)c->param[BETA] / 1000;
	s.value *= alpha;
	s.scale *= fabs(alpha);
	if (beta != 0) {
		s.value += (long double)beta * out;
		s.scale += fabsl((long double)beta * out);
	}
	s.value += bias;
	s.scale += fabs(bias);
	long double rest = cf_activation_slope((int32_t)c->param[ACTIVATION], s.value) * s.scale;
	if (c->param[ACTIVATION] == MT_ACT_GELU)
		rest += fminl(fabsl(s.value), 16);
	return (struct element){cf_activation_value((int32_t)c->param[ACTIVATION], s.value), isfinite(rest) ? rest : 0};
}

static void expect_floats(const struct cf_case *c, const struct operands *o, const struct cf_array *y,
                          long double *expected, long double *scale) {
	int64_t m = c->param[M], n = c->param[N], k = c->param[K];
	for (int64_t e = 0; e < y->numel; e++) {
		int64_t i = e / (m * n), row = e / n % m, col = e % n;
		struct element s = dot(c, o->a->values + (i * m + row) * k, o->b->values + i * k * n + col);
		s = finish(c, s, y->values[e], o->bias != NULL ? o->bias->values[col] : 0);
		expected[e] = s.value;
		scale[e] = s.scale;
	}
}

static void expect_integers(const struct cf_case *c, const struct operands *o, const struct cf_array *y,
                            int64_t *expected) {
	int64_t m = c->param[M], n = c->param[N], k = c->param[K];
	for (int64_t e = 0; e < y->numel; e++) {
		int64_t i = e / (m * n), row = e / n % m, col = e % n;
		int64_t sum = dot_integer(c, o->a->integers + (i * m + row) * k, o->b->integers + i * k * n + col);
		sum = cf_add_wrapped(sum, c->param[BETA] != 0 ? y->integers[e] : 0);
		sum = cf_wrap(c->dtype, (uint64_t)cf_add_wrapped(sum, o->bias != NULL ? o->bias->integers[col] : 0));
		expected[e] = c->param[ACTIVATION] == MT_ACT_RELU && sum < 0 ? 0 : sum;
	}
}

/* Whole numbers, factors that are eighths, and nothing curved: every order of summation gives the same. */
static int is_exact(const struct cf_case *c) {
	return c->data == CF_TIES && c->param[ALPHA] % 125 == 0 && c->param[BETA] % 125 == 0 &&
	       c->param[ACTIVATION] <= MT_ACT_RELU;
}

static struct cf_allowance allowed_of(const struct cf_case *c) {
	static const int32_t map_op[MT_ACT_END_] = {[MT_ACT_RELU] = MT_MAP_RELU,
	                                            [MT_ACT_SIGMOID] = MT_MAP_SIGMOID,
	                                            [MT_ACT_TANH] = MT_MAP_TANH,
	                                            [MT_ACT_GELU] = MT_MAP_GELU};
	int32_t op = map_op[c->param[ACTIVATION]];
	double units = cf_units_sum(MT_K_MATMUL, 0, cf_side_dtype(c->dtype), c->param[K]);
	return cf_stored(units + (op != 0 ? cf_units(MT_K_MAP, op) : 0), c->dtype);
}

static void run_floats(struct cf_run *r, const struct cf_case *c, const struct operands *o, struct cf_array *y,
                       const struct mt_matmul_args *args) {
	long double *expected = cf_reference(r, y->numel), *scale = cf_reference(r, y->numel);
	struct cf_allowance allowed = allowed_of(c);
	expect_floats(c, o, y, expected, scale);
	for (int64_t e = 0; e < y->numel; e++) {
		scale[e] *= is_exact(c) ? 0 : allowed.scale;
		if (is_exact(c))
			expected[e] = cf_round(c->dtype, expected[e]);
	}
	if (cf_call(r, MT_K_MATMUL, args))
		cf_check(r, y, expected, scale, is_exact(c) ? 0 : allowed.units, "out");
}

static void run(struct cf_run *r, const struct cf_case *c) {
	const int64_t *p = c->param;
	int64_t shape[MT_MAX_RANK];
	struct cf_array *a = operand(r, c, p[M], p[K], c->in), *b = operand(r, c, p[K], p[N], (int32_t)p[IN_B]),
					*bias = NULL;
	if (p[BIAS]) {
		bias = cf_new(r, CF_IN, c->dtype, 1, &p[N], c->out == CF_CONTIGUOUS ? CF_CONTIGUOUS : CF_STEPPED);
		fill(r, bias, c);
	}
	if (c->data == CF_SPECIAL && a->numel > 0) {
		cf_set(a, 0, NAN);
		cf_set(a, a->numel - 1, INFINITY);
		cf_settle(a);
	}
	struct cf_array *y = cf_new(r, CF_INOUT, c->dtype, shape_of(c, p[M], p[N], shape), shape, c->out);
	fill_out(r, y, c);
	const struct mt_matmul_args args = {.struct_size = sizeof args,
	                                    .a = &a->array,
	                                    .b = &b->array,
	                                    .bias = bias != NULL ? &bias->array : NULL,
	                                    .out = &y->array,
	                                    .alpha = (double)p[ALPHA] / 1000,
	                                    .beta = (double)p[BETA] / 1000,
	                                    .activation = (int32_t)p[ACTIVATION]};
	const struct operands o = {a, b, bias};
	if (cf_is_float(c->dtype)) {
		run_floats(r, c, &o, y, &args);
		return;
	}
	int64_t *expected = cf_reference_integers(r, y->numel);
	expect_integers(c, &o, y, expected);
	if (cf_call(r, MT_K_MATMUL, &args))
		cf_check_integers(r, y, expected, "out");
}

/* ---- cases ---- */

static void set_dims(struct cf_case *c, int64_t m, int64_t k, int64_t n) {
	c->param[M] = m;
	c->param[K] = k;
	c->param[N] = n;
}

static void layout_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	for (c.in = 0; c.in < CF_IN_LAYOUTS; c.in++)
		for (c.param[IN_B] = 0; c.param[IN_B] < CF_IN_LAYOUTS; c.param[IN_B]++) {
			c.out = (int32_t)((c.in + c.param[IN_B]) % CF_OUT_LAYOUTS);
			c.data = c.out % 2 ? CF_TIES : CF_RANDOM;
			c.param[RANK] = 2;
			set_dims(&c, 19, 23, 37);
			emit(&c, context);
			set_dims(&c, 1, 23, 37);
			emit(&c, context);
			set_dims(&c, 19, 23, 1);
			emit(&c, context);
			c.param[RANK] = 3 + (c.in + c.param[IN_B]) % 6;
			c.param[BATCH0] = 2;
			c.param[BATCH1] = 3;
			c.param[BATCH2] = 2;
			set_dims(&c, 5, 7, 6);
			emit(&c, context);
		}
}

static void epilogue_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	static const int64_t factors[][2] = {{1000, 0}, {1000, 1000}, {-500, 2000}, {0, 1000}, {2000, 0}, {300, -700}};
	static const int64_t dims[][3] = {{7, 9, 5}, {40, 64, 70}, {1, 20, 33}, {33, 20, 1}, {130, 3, 2}, {4, 0, 6}};
	for (int d = 0; d < 6; d++)
		for (int f = 0; f < 6; f++)
			for (c.param[ACTIVATION] = 0; c.param[ACTIVATION] < MT_ACT_END_; c.param[ACTIVATION]++) {
				set_dims(&c, dims[d][0], dims[d][1], dims[d][2]);
				c.param[ALPHA] = factors[f][0];
				c.param[BETA] = factors[f][1];
				c.param[BIAS] = (f + d) % 2;
				c.data = (d + c.param[ACTIVATION]) % 2 ? CF_TIES : CF_RANDOM;
				cf_emit_valid(&c, emit, context);
			}
}

static void special_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	for (c.data = CF_SPECIAL; c.data <= CF_WIDE; c.data += CF_WIDE - CF_SPECIAL)
		for (c.param[BIAS] = 0; c.param[BIAS] <= 1; c.param[BIAS]++) {
			set_dims(&c, 4, 40, 6);
			cf_emit_valid(&c, emit, context);
			set_dims(&c, 70, 40, 70);
			cf_emit_valid(&c, emit, context);
		}
}

static void size_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	static const int64_t edge[] = {1, 2, 3, 5, 8, 13, 16, 17, 31, 33, 50};
	enum { EDGES = sizeof edge / sizeof *edge };
	for (int i = 0; i < EDGES; i++)
		for (int j = 0; j < EDGES; j++)
			for (int l = 0; l < EDGES; l += 2) {
				set_dims(&c, edge[i], edge[l], edge[j]);
				c.data = (i + j + l) % 2 ? CF_TIES : CF_RANDOM;
				if (c.dtype == MT_F32 || (i * 7 + j * 5 + l) % 16 == 0)
					emit(&c, context);
			}
}

static void batch_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	static const int64_t dims[][3] = {{2, 2, 2}, {8, 64, 8}, {33, 10, 40}};
	c.param[RANK] = 3;
	c.param[BATCH0] = 70;
	for (int d = 0; d < 3; d++)
		for (c.in = 0; c.in < CF_IN_LAYOUTS; c.in++) {
			set_dims(&c, dims[d][0], dims[d][1], dims[d][2]);
			c.param[IN_B] = (c.in * 5 + d) % CF_IN_LAYOUTS;
			emit(&c, context);
		}
}

static void large_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	static const int64_t dims[][3] = {{64, 400, 120}, {200, 300, 210}, {129, 1030, 65}, {3, 2000, 500},
	                                  {500, 2000, 3}, {530, 20, 300},  {32, 24, 48},    {280, 300, 600},
	                                  {1, 5000, 40},  {70, 1024, 40},  {40, 600, 700}};
	for (int d = 0; d < 11; d++)
		for (int transposed = 0; transposed < (c.dtype == MT_F32 ? 4 : 1); transposed++) {
			set_dims(&c, dims[d][0], dims[d][1], dims[d][2]);
			c.in = (transposed & 1) ? CF_TRANSPOSED : CF_CONTIGUOUS;
			c.param[IN_B] = (transposed & 2) ? CF_TRANSPOSED : CF_CONTIGUOUS;
			c.data = (d + transposed) % 3 == 0 ? CF_TIES : CF_RANDOM;
			c.param[BIAS] = d > 8;
			c.param[ACTIVATION] = d > 9 ? MT_ACT_TANH : MT_ACT_NONE;
			if (c.dtype == MT_F32 || d != 1)
				emit(&c, context);
		}
}

/* Few rows or few columns, both operands adjacent along k: dot products, with every rest of k, rows and columns. */
static void dot_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	static const int64_t dims[][2] = {{37, 3}, {18, 10}, {3, 37}, {5, 41}};
	c.in = CF_CONTIGUOUS;
	c.param[IN_B] = CF_TRANSPOSED;
	for (int d = 0; d < 4; d++)
		for (int64_t rest = 0; rest < 16; rest++) {
			set_dims(&c, dims[d][0], (d % 2 ? 160 : 64) + rest, dims[d][1]);
			c.data = rest % 2 ? CF_TIES : CF_RANDOM;
			c.param[BIAS] = rest % 3 == 0;
			c.param[BETA] = rest % 3 == 1 ? 1000 : 0;
			emit(&c, context);
		}
}

/* The same with rows enough for turning: every number of few rows up to two passes and beyond, every rest of k, and a last
 * block that overlaps the one before, from one line to whole. */
static void turn_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	c.param[IN_B] = CF_TRANSPOSED;
	for (int64_t few = 2; few <= 26; few++)
		for (int turned = 0; turned <= 1; turned++) {
			const int64_t many = few % 3 == 0 ? 64 : 32 + 5 * few % 16, k = 96 + few % 9;
			set_dims(&c, turned ? many : few, k, turned ? few : many);
			c.in = CF_CONTIGUOUS;
			c.out = (int32_t)(few % CF_OUT_LAYOUTS);
			c.data = few % 2 ? CF_TIES : CF_RANDOM;
			c.param[BIAS] = (few + turned) % 3 == 0;
			c.param[ALPHA] = few % 5 == 0 ? -500 : 1000;
			c.param[BETA] = few % 4 == 1 ? 1000 : 0;
			c.param[ACTIVATION] = few % 7 == 0 ? MT_ACT_RELU : few % 7 == 1 ? MT_ACT_SIGMOID : MT_ACT_NONE;
			c.param[RANK] = few % 6 == 5 ? 3 : 2;
			c.param[BATCH0] = few % 6 == 5 ? 3 : 1;
			emit(&c, context);
		}
}

/* Short sums: every k up to where b's columns no longer fit registers, in one pass or two; every rest of rows, more rows
 * than are done at a time by far, whole and partial vectors of columns, each operand turned. */
static void short_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	for (int64_t k = 1; k <= 48; k++) {
		set_dims(&c, (k % 5 == 0 ? 256 : 96) + k % 17, k, k % 3 == 0 ? 32 * (k % 4 + 1) : 17 + 5 * k % 64);
		c.in = k % 4 == 1 ? CF_TRANSPOSED : CF_CONTIGUOUS;
		c.param[IN_B] = k % 6 == 2 ? CF_TRANSPOSED : CF_CONTIGUOUS;
		c.out = (int32_t)(k % 7 == 0 ? k % CF_OUT_LAYOUTS : 0);
		c.data = k % 2 ? CF_TIES : CF_RANDOM;
		c.param[BIAS] = k % 4 == 3;
		c.param[ALPHA] = k % 8 == 4 ? -500 : 1000;
		c.param[BETA] = k % 5 == 2 ? 1000 : 0;
		c.param[ACTIVATION] = k % 9 == 0 ? MT_ACT_RELU : k % 9 == 5 ? MT_ACT_TANH : MT_ACT_NONE;
		emit(&c, context);
	}
}

/* Products for which GPUs take their largest tiles, on tensor cores too: many outputs, or few of them with so long a sum that
 * it is split; with extents that 16 bytes divide, and with others.  transposed: bit 0 a, bit 1 b. */
static void tile_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	enum { INTEGERS = 1 << MT_I32 | 1 << MT_I64 | 1 << MT_U8 };
	static const struct {
		int64_t m, k, n;
		unsigned dtypes, layouts; /* bit dtype; bit t for transposed = t */
	} tiles[] = {
		{448, 8, 1216, 1 << MT_F32, 15},
		{448, 8, 1216, 1 << MT_F64 | INTEGERS, 9},
		{449, 8, 1217, 1 << MT_F32, 1},
		{450, 9, 1219, 1 << MT_F16, 15},
		{450, 9, 1219, 1 << MT_BF16, 9},
		{450, 9, 1219, INTEGERS, 1},
		{72, 2048, 72, 1 << MT_F32 | 1 << MT_F16, 1},
		{71, 2047, 72, 1 << MT_F16, 1},
		{72, 4096, 72, 1 << MT_F16, 15},
		{72, 4096, 72, 1 << MT_BF16, 9},
		{73, 4100, 74, 1 << MT_F16, 1},
	};
	for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++)
		for (unsigned transposed = 0; transposed < 4; transposed++) {
			set_dims(&c, tiles[i].m, tiles[i].k, tiles[i].n);
			c.in = transposed & 1 ? CF_TRANSPOSED : CF_CONTIGUOUS;
			c.param[IN_B] = transposed & 2 ? CF_TRANSPOSED : CF_CONTIGUOUS;
			if (tiles[i].dtypes >> c.dtype & 1 && tiles[i].layouts >> transposed & 1)
				emit(&c, context);
		}
}

static void dtype_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	emit(&c, context);
	size_cases(c, emit, context);
	layout_cases(c, emit, context);
	epilogue_cases(c, emit, context);
	special_cases(c, emit, context);
	if (c.dtype == MT_F32 || c.dtype == MT_F64)
		batch_cases(c, emit, context), short_cases(c, emit, context);
	if (c.dtype == MT_F32)
		dot_cases(c, emit, context), turn_cases(c, emit, context);
	if (cf_is_float(c.dtype))
		large_cases(c, emit, context);
	tile_cases(c, emit, context);
}

static void each(cf_emit_fn emit, void *context) {
	cf_each_op(&cf_matmul_family, dtype_cases, emit, context);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	int64_t *p = c->param, most = cf_random_integer(r, 0, 7) == 0 ? 100 : 24;
	int floats = cf_is_float(c->dtype);
	p[RANK] = cf_random_integer(r, 0, 1) ? 2 : cf_random_integer(r, 3, MT_MAX_RANK);
	for (int d = BATCH0; d <= BATCH2; d++)
		p[d] = cf_random_integer(r, 1, 3);
	set_dims(c, cf_random_integer(r, 1, most), cf_random_integer(r, 0, most), cf_random_integer(r, 1, most));
	p[IN_B] = cf_random_integer(r, 0, CF_IN_LAYOUTS - 1);
	p[ALPHA] = floats ? cf_random_integer(r, 1, 16) * 125 : 1000;
	p[BETA] = !floats                      ? cf_random_integer(r, 0, 1) * 1000
	          : cf_random_integer(r, 0, 1) ? cf_random_integer(r, -8, 8) * 250
	                                       : 0;
	p[BIAS] = cf_random_integer(r, 0, 1);
	p[ACTIVATION] = cf_random_integer(r, 0, floats ? MT_ACT_END_ - 1 : MT_ACT_RELU);
	if (floats ? c->data == CF_WIDE : c->data == CF_SPECIAL)
		c->data = CF_TIES;
}

const struct cf_family cf_matmul_family = {
	.name = "matmul",
	.kernel = MT_K_MATMUL,
	.ops = ops,
	.n_ops = 1,
	.params = params,
	.n_params = PARAMS,
	.data = 1u << CF_RANDOM | 1u << CF_SPECIAL | 1u << CF_TIES | 1u << CF_WIDE,
	.in_place_param = -1,
	.valid = valid,
	.each = each,
	.draw = draw,
	.run = run,
};
