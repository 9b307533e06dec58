/* batch_norm_grad: any of the three gradients, with statistics that depend on x (training) or don't (inference). */
#include "norm_cases.h"

enum { IMAGES, CHANNELS, SPACE, WEIGHT, GX, GWEIGHT, GBIAS, PARAMS };

static const struct cf_param params[PARAMS] = {
	{"n", 1, 1, 1 << 20}, {"c", 1, 1, 1 << 20}, {"s", 1, 1, 1 << 20}, {"weight", 0, 0, 1},
	{"gx", 1, 0, 1},      {"gweight", 0, 0, 1}, {"gbias", 0, 0, 1},
};

static const struct cf_op ops[] = {{0, "inference", MT_SET_FLOAT}, {CF_MODE, "training", MT_SET_FLOAT}};

enum { N_OPS = 2, MAX_NUMEL = 1 << 18 };

static int valid(const struct cf_case *c) {
	const int64_t *p = c->param;
	if (p[GX] + p[GWEIGHT] + p[GBIAS] == 0 || p[CHANNELS] * p[SPACE] > MAX_NUMEL)
		return 0;
	return p[IMAGES] * p[CHANNELS] * p[SPACE] <= MAX_NUMEL && (c->data != CF_SPECIAL || c->in < CF_BROADCAST);
}

static void run(struct cf_run *r, const struct cf_case *c) {
	struct cf_norm n = cf_batch_norm_of(c->param[IMAGES], c->param[CHANNELS], c->param[SPACE]);
	struct cf_norm_grad a = cf_norm_grad_of(r, c, &n, c->param + WEIGHT);
	int training = c->op / CF_MODE;
	const struct mt_batch_norm_grad_args args = {.struct_size = sizeof args,
	                                             .gout = &a.gout->array,
	                                             .x = &a.x->array,
	                                             .weight = cf_operand(a.weight),
	                                             .mean = &a.mean->array,
	                                             .rstd = &a.rstd->array,
	                                             .gx = cf_operand(a.gx),
	                                             .gweight = cf_operand(a.gweight),
	                                             .gbias = cf_operand(a.gbias),
	                                             .training = training};
	struct cf_norm_grad_values v = cf_norm_gradients(r, &n, &a, training);
	if (cf_call(r, MT_K_BATCH_NORM_GRAD, &args))
		cf_norm_check_gradients(r, &n, &a, &v, MT_K_BATCH_NORM_GRAD);
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
	varied.param[GX] = wanted & 1;
	varied.param[GWEIGHT] = wanted >> 1 & 1;
	varied.param[GBIAS] = wanted >> 2 & 1;
	v->count++;
	v->emit(&varied, v->context);
}

static struct cf_case sized(const int64_t shape[3]) {
	return (struct cf_case){.param = {[IMAGES] = shape[0], [CHANNELS] = shape[1], [SPACE] = shape[2]}};
}

static void each(cf_emit_fn emit, void *context) {
	static const int64_t layouts[][3] = {{3, 4, 6}, {2, 1, 1}, {20, 5, 1}, {6, 3, 50}};
	static const int64_t plain[][3] = {{1, 1, 1}, {20, 17, 9}, {4, 3, 700}};
	static const int64_t large[][3] = {{4, 20, 1000}, {99000, 1, 1}, {1, 99000, 1},
	                                   {2, 2, 25000}, {1, 2, 5001},  {1, 2, 5008}};
	static const int64_t special[] = {4, 3, 5};
	struct variety v = {emit, context, 0};
	for (int k = 0; k < N_OPS; k++) {
		struct cf_case c = sized(special);
		c.data = CF_SPECIAL;
		for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
			cf_nn_emit_layouts(vary, &v, &ops[k], sized(layouts[i]));
		for (int wanted = 0; wanted < 7; wanted++) {
			for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
				cf_nn_emit_dtypes(vary, &v, &ops[k], sized(plain[i]));
			cf_nn_emit_plain(vary, &v, &ops[k], c);
		}
		for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
			c = sized(large[i]);
			c.param[WEIGHT] = c.param[GX] = c.param[GWEIGHT] = c.param[GBIAS] = 1;
			cf_nn_emit_dtypes(emit, context, &ops[k], c);
		}
	}
}

static void draw(struct cf_random *r, struct cf_case *c) {
	if (c->data == CF_SPECIAL && c->in >= CF_BROADCAST)
		c->in = CF_CONTIGUOUS;
	do {
		c->param[IMAGES] = cf_random_integer(r, 1, 12);
		c->param[CHANNELS] = cf_random_integer(r, 1, cf_random_integer(r, 0, 3) ? 6 : 40);
		c->param[SPACE] = cf_random_integer(r, 1, cf_random_integer(r, 0, 3) ? 12 : 100);
		for (int k = WEIGHT; k < PARAMS; k++)
			c->param[k] = cf_random_integer(r, 0, 1);
	} while (!valid(c));
}

const struct cf_family cf_batch_norm_grad_family = {
	.name = "batch_norm_grad",
	.kernel = MT_K_BATCH_NORM_GRAD,
	.ops = ops,
	.n_ops = N_OPS,
	.params = params,
	.n_params = PARAMS,
	.data = 1 << CF_RANDOM | 1 << CF_SPECIAL,
	.in_place_param = -1,
	.valid = valid,
	.each = each,
	.draw = draw,
	.run = run,
};
