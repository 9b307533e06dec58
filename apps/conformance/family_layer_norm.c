/* layer_norm: rows of [M, N]. */
#include "norm_cases.h"

enum { ROWS, COLUMNS, EPS, WEIGHT, BIAS, CENTRE, SPREAD, PARAMS };

static const struct cf_param params[PARAMS] = {
	{"m", 1, 1, 1 << 20},        {"n", 1, 1, 1 << 20}, {"eps", 10, 1, 1000000},          /* millionths */
	{"weight", 0, 0, 1},         {"bias", 0, 0, 1},    {"centre", 0, -1000000, 1000000}, /* thousandths */
	{"spread", 3000, 0, 100000}, /* thousandths; 0: a row of equals */
};

static const struct cf_op op = {0, "", MT_SET_FLOAT};

enum { MAX_NUMEL = 1 << 18 };

static int valid(const struct cf_case *c) {
	return c->param[ROWS] * c->param[COLUMNS] <= MAX_NUMEL && (c->data != CF_SPECIAL || c->in < CF_BROADCAST);
}

static void run(struct cf_run *r, const struct cf_case *c) {
	struct cf_norm n = cf_layer_norm_of(c->param[ROWS], c->param[COLUMNS]);
	int32_t side = cf_side_dtype(c->dtype);
	struct cf_array *x = cf_norm_input(r, c, &n, c->param[CENTRE], c->param[SPREAD]);
	struct cf_array *w = cf_input_if(r, c->param[WEIGHT], c->dtype, n.params, c->in, -2, 2);
	struct cf_array *b = cf_input_if(r, c->param[BIAS], c->dtype, n.params, c->in, -2, 2);
	struct cf_array *y = cf_new(r, CF_OUT, c->dtype, n.rank, n.shape, c->out);
	struct cf_array *mean = cf_new(r, CF_OUT, side, 1, &n.groups, c->out);
	struct cf_array *rstd = cf_new(r, CF_OUT, side, 1, &n.groups, c->out);
	const struct mt_layer_norm_args args = {.struct_size = sizeof args,
	                                        .x = &x->array,
	                                        .weight = cf_operand(w),
	                                        .bias = cf_operand(b),
	                                        .out = &y->array,
	                                        .mean = &mean->array,
	                                        .rstd = &rstd->array,
	                                        .eps = cf_millionths(c->param[EPS])};
	struct cf_moments m = cf_norm_moments(r, &n, x);
	long double *expected = cf_reference(r, y->numel), *scale = cf_reference(r, y->numel);
	double units = cf_sum_units(MT_K_LAYER_NORM, n.count);
	cf_norm_rstd(&n, &m, args.eps);
	cf_norm_apply(&n, &m, x, w, b, expected, scale);
	if (!cf_call(r, MT_K_LAYER_NORM, &args))
		return;
	cf_check_rounded(r, y, expected, scale, units, "out");
	cf_check(r, mean, m.mean, m.mean_scale, units, "mean");
	cf_check(r, rstd, m.var, m.var_scale, units, "rstd");
}

/* Sets weight and bias to anything, and now and then rows far from 0: a variance by E[x²] − E[x]² loses its digits. */
struct variety {
	cf_emit_fn emit;
	void *context;
	struct cf_random random;
};

static void vary(const struct cf_case *c, void *context) {
	struct variety *v = context;
	struct cf_case varied = *c;
	varied.param[WEIGHT] = cf_random_integer(&v->random, 0, 1);
	varied.param[BIAS] = cf_random_integer(&v->random, 0, 1);
	varied.param[CENTRE] = cf_random_integer(&v->random, 0, 2) == 0 ? 100000 : 0;
	v->emit(&varied, v->context);
}

static struct cf_case sized(int64_t rows, int64_t columns) {
	return (struct cf_case){.param = {[ROWS] = rows, [COLUMNS] = columns, [EPS] = 10, [SPREAD] = 3000}};
}

static void each(cf_emit_fn emit, void *context) {
	static const int64_t layouts[][2] = {{5, 7}, {1, 1}, {40, 3}, {3, 130}};
	static const int64_t plain[][2] = {{3, 1030}, {1, 99000}, {99000, 1}, {340, 300}, {4, 2048}, {2, 2049}, {2, 5001}};
	struct variety v = {emit, context, {1}};
	for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
		cf_nn_emit_layouts(vary, &v, &op, sized(layouts[i][0], layouts[i][1]));
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		cf_nn_emit_dtypes(vary, &v, &op, sized(plain[i][0], plain[i][1]));
	for (int32_t t = MT_F32; t <= MT_BF16; t++)
		for (int k = 0; k < 6; k++) { /* equals, NaN, a large eps */
			struct cf_case c = sized(6, 10);
			c.dtype = t;
			c.data = k / 2 == 1 ? CF_SPECIAL : CF_RANDOM;
			c.param[SPREAD] = k / 2 == 0 ? 0 : 3000;
			c.param[EPS] = k / 2 == 2 ? 500000 : 10;
			vary(&c, &v);
		}
}

static void draw(struct cf_random *r, struct cf_case *c) {
	int wide = cf_random_integer(r, 0, 3) == 0;
	c->param[ROWS] = cf_random_integer(r, 1, wide ? 6 : 40);
	c->param[COLUMNS] = cf_random_integer(r, 1, wide ? 600 : 40);
	c->param[EPS] = cf_random_integer(r, 0, 1) ? 10 : cf_random_integer(r, 1, 100000);
	c->param[WEIGHT] = cf_random_integer(r, 0, 1);
	c->param[BIAS] = cf_random_integer(r, 0, 1);
	c->param[CENTRE] = cf_random_integer(r, 0, 1) ? 0 : cf_random_integer(r, -200000, 200000);
	c->param[SPREAD] = cf_random_integer(r, 0, 7) ? cf_random_integer(r, 500, 5000) : 0;
	if (c->data == CF_SPECIAL && c->in >= CF_BROADCAST)
		c->in = CF_CONTIGUOUS;
}

const struct cf_family cf_layer_norm_family = {
	.name = "layer_norm",
	.kernel = MT_K_LAYER_NORM,
	.ops = &op,
	.n_ops = 1,
	.params = params,
	.n_params = PARAMS,
	.data = 1 << CF_RANDOM | 1 << CF_SPECIAL,
	.in_place_param = -1,
	.valid = valid,
	.each = each,
	.draw = draw,
	.run = run,
};
