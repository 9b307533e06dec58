/* batch_norm: channels of [N, C, S], with the batch's statistics (training) or the running ones (inference). */
#include <math.h>

#include "norm_cases.h"

enum { IMAGES, CHANNELS, SPACE, EPS, MOMENTUM, WEIGHT, BIAS, RUNNING_MEAN, RUNNING_VAR, CENTRE, SPREAD, PARAMS };

static const struct cf_param params[PARAMS] = {
	{"n", 1, 1, 1 << 20},
	{"c", 1, 1, 1 << 20},
	{"s", 1, 1, 1 << 20},
	{"eps", 1000, 1, 1000000},  /* millionths */
	{"momentum", 100, 0, 1000}, /* thousandths */
	{"weight", 0, 0, 1},
	{"bias", 0, 0, 1},
	{"running_mean", 0, 0, 1},
	{"running_var", 0, 0, 1},
	{"centre", 0, -1000000, 1000000},
	{"spread", 3000, 0, 100000}, /* thousandths */
};

static const struct cf_op ops[] = {{0, "inference", MT_SET_FLOAT}, {CF_MODE, "training", MT_SET_FLOAT}};

enum { N_OPS = 2, MAX_NUMEL = 1 << 18 };

static int is_training(const struct cf_case *c) {
	return c->op / CF_MODE;
}

/* One element alone has no unbiased variance. */
static int valid(const struct cf_case *c) {
	const int64_t *p = c->param;
	if (is_training(c) ? p[RUNNING_VAR] && p[IMAGES] * p[SPACE] < 2 : !p[RUNNING_MEAN] || !p[RUNNING_VAR])
		return 0;
	if (p[CHANNELS] * p[SPACE] > MAX_NUMEL || p[IMAGES] * p[CHANNELS] * p[SPACE] > MAX_NUMEL)
		return 0;
	return c->data != CF_SPECIAL || c->in < CF_BROADCAST;
}

/* Running statistics, and what they are to be. */
struct running {
	struct cf_array *array;
	long double *value, *scale;
};

static struct running running_of(struct cf_run *r, const struct cf_case *c, int param, double low, double high) {
	struct running s = {NULL, cf_reference(r, c->param[CHANNELS]), cf_reference(r, c->param[CHANNELS])};
	if (c->param[param]) {
		s.array = cf_new(r, CF_INOUT, cf_side_dtype(c->dtype), 1, c->param + CHANNELS, c->out);
		cf_fill(r, s.array, low, high);
	}
	return s;
}

/* running = (1 − momentum) running + momentum value */
static void update(const struct cf_case *c, struct running *s, const long double *value, const long double *scale,
                   long double factor) {
	double momentum = is_training(c) ? cf_thousandths(c->param[MOMENTUM]) : 0;
	for (int64_t g = 0; g < c->param[CHANNELS] && s->array != NULL; g++) {
		long double before = s->array->values[g];
		s->value[g] = is_training(c) ? (1 - momentum) * before + momentum * factor * value[g] : before;
		s->scale[g] = is_training(c) ? (1 - momentum) * fabsl(before) + momentum * factor * scale[g] : 0;
	}
}

static void take_running(struct cf_moments *m, const struct running *mean, const struct running *var, int64_t n) {
	for (int64_t g = 0; g < n; g++) {
		m->mean[g] = mean->array->values[g];
		m->var[g] = var->array->values[g];
		m->mean_scale[g] = fabsl(m->mean[g]);
		m->var_scale[g] = m->var[g];
	}
}

static void run(struct cf_run *r, const struct cf_case *c) {
	struct cf_norm n = cf_batch_norm_of(c->param[IMAGES], c->param[CHANNELS], c->param[SPACE]);
	int32_t side = cf_side_dtype(c->dtype);
	struct cf_array *x = cf_norm_input(r, c, &n, c->param[CENTRE], c->param[SPREAD]);
	struct cf_array *w = cf_input_if(r, c->param[WEIGHT], side, n.params, c->in, -2, 2);
	struct cf_array *b = cf_input_if(r, c->param[BIAS], side, n.params, c->in, -2, 2);
	struct running running_mean = running_of(r, c, RUNNING_MEAN, -1, 1);
	struct running running_var = running_of(r, c, RUNNING_VAR, 0.5, 2);
	struct cf_array *y = cf_new(r, CF_OUT, c->dtype, n.rank, n.shape, c->out);
	struct cf_array *mean = cf_new(r, CF_OUT, side, 1, &n.groups, c->out);
	struct cf_array *rstd = cf_new(r, CF_OUT, side, 1, &n.groups, c->out);
	const struct mt_batch_norm_args args = {.struct_size = sizeof args,
	                                        .x = &x->array,
	                                        .weight = cf_operand(w),
	                                        .bias = cf_operand(b),
	                                        .running_mean = cf_operand(running_mean.array),
	                                        .running_var = cf_operand(running_var.array),
	                                        .out = &y->array,
	                                        .mean = &mean->array,
	                                        .rstd = &rstd->array,
	                                        .eps = cf_millionths(c->param[EPS]),
	                                        .momentum = cf_thousandths(c->param[MOMENTUM]),
	                                        .training = is_training(c)};
	struct cf_moments m = cf_norm_moments(r, &n, x);
	long double count = (long double)n.count, *expected = cf_reference(r, y->numel), *scale = cf_reference(r, y->numel);
	double units = cf_sum_units(MT_K_BATCH_NORM, n.count);
	update(c, &running_mean, m.mean, m.mean_scale, 1);
	update(c, &running_var, m.var, m.var_scale, count / (count - 1));
	if (!is_training(c))
		take_running(&m, &running_mean, &running_var, n.groups);
	cf_norm_rstd(&n, &m, args.eps);
	cf_norm_apply(&n, &m, x, w, b, expected, scale);
	if (!cf_call(r, MT_K_BATCH_NORM, &args))
		return;
	cf_check_rounded(r, y, expected, scale, units, "out");
	cf_check(r, mean, m.mean, m.mean_scale, units, "mean");
	cf_check(r, rstd, m.var, m.var_scale, units, "rstd");
	double kept = is_training(c) ? units : 0;
	if (running_mean.array != NULL)
		cf_check(r, running_mean.array, running_mean.value, running_mean.scale, kept, "running_mean");
	if (running_var.array != NULL)
		cf_check(r, running_var.array, running_var.value, running_var.scale, kept, "running_var");
}

/* Sets what may be NULL and momentum to anything, and now and then channels far from 0. */
struct variety {
	cf_emit_fn emit;
	void *context;
	struct cf_random random;
};

static void vary(const struct cf_case *c, void *context) {
	struct variety *v = context;
	struct cf_case varied = *c;
	for (int k = WEIGHT; k <= RUNNING_VAR; k++)
		varied.param[k] = (k >= RUNNING_MEAN && !is_training(c)) || cf_random_integer(&v->random, 0, 3) > 0;
	if (is_training(c) && c->param[IMAGES] * c->param[SPACE] < 2)
		varied.param[RUNNING_VAR] = 0;
	varied.param[CENTRE] = cf_random_integer(&v->random, 0, 2) == 0 ? 100000 : 0;
	varied.param[MOMENTUM] = cf_random_integer(&v->random, 0, 4) == 0 ? 1000 : 300;
	v->emit(&varied, v->context);
}

static struct cf_case sized(const int64_t shape[3]) {
	return (struct cf_case){
		.param = {[IMAGES] = shape[0], [CHANNELS] = shape[1], [SPACE] = shape[2], [EPS] = 1000, [SPREAD] = 3000}};
}

static void emit_data(cf_emit_fn emit, void *context, const struct cf_op *op) {
	static const int64_t shape[] = {4, 3, 5};
	for (int32_t t = MT_F32; t <= MT_BF16; t++)
		for (int k = 0; k < 6; k++) { /* equals, NaN, a small eps */
			struct cf_case c = sized(shape);
			c.op = op->id;
			c.dtype = t;
			c.data = k / 2 == 1 ? CF_SPECIAL : CF_RANDOM;
			c.param[SPREAD] = k / 2 == 0 ? 0 : 3000;
			c.param[EPS] = k / 2 == 2 ? 10 : 1000;
			emit(&c, context);
		}
}

static void each(cf_emit_fn emit, void *context) {
	static const int64_t layouts[][3] = {{3, 4, 6}, {2, 1, 1}, {20, 5, 1}, {6, 3, 50}};
	static const int64_t plain[][3] = {{1, 1, 1},     {6, 3, 150},   {4, 20, 1000}, {99000, 1, 1},
	                                   {1, 99000, 1}, {2, 2, 25000}, {1, 2, 5001}};
	struct variety v = {emit, context, {1}};
	for (int k = 0; k < N_OPS; k++) {
		for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
			struct cf_case c = sized(layouts[i]);
			c.op = ops[k].id;
			cf_nn_emit_layouts(vary, &v, &ops[k], c);
		}
		for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
			cf_nn_emit_dtypes(vary, &v, &ops[k], sized(plain[i]));
		emit_data(vary, &v, &ops[k]);
	}
}

static void draw(struct cf_random *r, struct cf_case *c) {
	int64_t *p = c->param;
	if (c->data == CF_SPECIAL && c->in >= CF_BROADCAST)
		c->in = CF_CONTIGUOUS;
	do {
		p[IMAGES] = cf_random_integer(r, 1, 12);
		p[CHANNELS] = cf_random_integer(r, 1, cf_random_integer(r, 0, 3) ? 6 : 40);
		p[SPACE] = cf_random_integer(r, 1, cf_random_integer(r, 0, 3) ? 12 : 100);
		p[EPS] = cf_random_integer(r, 0, 1) ? 10 : cf_random_integer(r, 1, 100000);
		p[MOMENTUM] = cf_random_integer(r, 0, 1000);
		for (int k = WEIGHT; k <= RUNNING_VAR; k++)
			p[k] = (k >= RUNNING_MEAN && !is_training(c)) || cf_random_integer(r, 0, 1);
		p[CENTRE] = cf_random_integer(r, 0, 1) ? 0 : cf_random_integer(r, -200000, 200000);
		p[SPREAD] = cf_random_integer(r, 0, 7) ? cf_random_integer(r, 500, 5000) : 0;
	} while (!valid(c));
}

const struct cf_family cf_batch_norm_family = {
	.name = "batch_norm",
	.kernel = MT_K_BATCH_NORM,
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
