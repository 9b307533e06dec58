/* layer_norm_grad: any of the three gradients, from any mean and rstd. */
#include "norm_cases.h"

enum { ROWS, COLUMNS, WEIGHT, GX, GWEIGHT, GBIAS, PARAMS };

static const struct cf_param params[PARAMS] = {
	{"m", 1, 0, 1 << 20}, {"n", 1, 1, 1 << 20}, {"weight", 0, 0, 1},
	{"gx", 1, 0, 1},      {"gweight", 0, 0, 1}, {"gbias", 0, 0, 1},
};

static const struct cf_op op = {0, "", MT_SET_FLOAT};

enum { MAX_NUMEL = 1 << 18 };

/* No rows at all: only where gx, which would be empty, is not wanted. */
static int valid(const struct cf_case *c) {
	const int64_t *p = c->param;
	if (p[GX] + p[GWEIGHT] + p[GBIAS] == 0 || (p[ROWS] == 0 && p[GX]))
		return 0;
	return p[ROWS] * p[COLUMNS] <= MAX_NUMEL && (c->data != CF_SPECIAL || c->in < CF_BROADCAST);
}

static void run(struct cf_run *r, const struct cf_case *c) {
	struct cf_norm n = cf_layer_norm_of(c->param[ROWS], c->param[COLUMNS]);
	struct cf_norm_grad a = cf_norm_grad_of(r, c, &n, c->param + WEIGHT);
	const struct mt_layer_norm_grad_args args = {.struct_size = sizeof args,
	                                             .gout = &a.gout->array,
	                                             .x = &a.x->array,
	                                             .weight = cf_operand(a.weight),
	                                             .mean = &a.mean->array,
	                                             .rstd = &a.rstd->array,
	                                             .gx = cf_operand(a.gx),
	                                             .gweight = cf_operand(a.gweight),
	                                             .gbias = cf_operand(a.gbias)};
	struct cf_norm_grad_values v = cf_norm_gradients(r, &n, &a, 1);
	if (cf_call(r, MT_K_LAYER_NORM_GRAD, &args))
		cf_norm_check_gradients(r, &n, &a, &v, MT_K_LAYER_NORM_GRAD);
}

/* Sets weight and what is wanted, in turn. */
struct variety {
	cf_emit_fn emit;
	void *context;
	int count;
};

static void vary(const struct cf_case *c, void *context) {
	struct variety *v = context;
	struct cf_case varied = *c;
	int wanted = v->count % 7 + 1;
	varied.param[WEIGHT] = v->count / 7 % 2;
	varied.param[GX] = c->param[ROWS] > 0 && (wanted & 1);
	varied.param[GWEIGHT] = wanted >> 1 & 1;
	varied.param[GBIAS] = wanted >> 2 & 1;
	v->count++;
	if (valid(&varied))
		v->emit(&varied, v->context);
}

static struct cf_case sized(int64_t rows, int64_t columns) {
	return (struct cf_case){.param = {[ROWS] = rows, [COLUMNS] = columns}};
}

static void each(cf_emit_fn emit, void *context) {
	static const int64_t layouts[][2] = {{5, 7}, {1, 1}, {40, 3}, {3, 130}};
	static const int64_t plain[][2] = {{0, 4}, {3, 1030}, {5, 768}};
	static const int64_t large[][2] = {{300, 330}, {1, 99000}, {50000, 2}, {9, 3072}, {2, 5001}, {2, 8192}, {700, 301}};
	struct variety v = {emit, context, 0};
	struct cf_case special = sized(6, 10);
	special.data = CF_SPECIAL;
	for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
		cf_nn_emit_layouts(vary, &v, &op, sized(layouts[i][0], layouts[i][1]));
	for (int k = 0; k < 7; k++) {
		for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
			cf_nn_emit_dtypes(vary, &v, &op, sized(plain[i][0], plain[i][1]));
		cf_nn_emit_plain(vary, &v, &op, special);
	}
	for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
		struct cf_case c = sized(large[i][0], large[i][1]);
		c.param[WEIGHT] = c.param[GX] = c.param[GWEIGHT] = c.param[GBIAS] = 1;
		cf_nn_emit_dtypes(emit, context, &op, c);
	}
}

static void draw(struct cf_random *r, struct cf_case *c) {
	int wide = cf_random_integer(r, 0, 3) == 0;
	if (c->data == CF_SPECIAL && c->in >= CF_BROADCAST)
		c->in = CF_CONTIGUOUS;
	do {
		c->param[ROWS] = cf_random_integer(r, 1, wide ? 6 : 40);
		c->param[COLUMNS] = cf_random_integer(r, 1, wide ? 600 : 40);
		for (int k = WEIGHT; k < PARAMS; k++)
			c->param[k] = cf_random_integer(r, 0, 1);
	} while (!valid(c));
}

const struct cf_family cf_layer_norm_grad_family = {
	.name = "layer_norm_grad",
	.kernel = MT_K_LAYER_NORM_GRAD,
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
