#include "entropy_cases.h"

#include <math.h>

const struct cf_param cf_entropy_params[CF_ENTROPY_PARAMS] = {
	{"n", 1, 1, 1 << 20},
	{"c", 1, 1, 1 << 20},
	{"weight", 0, 0, 1},
	{"smoothing", 0, 0, 1000},
	{"ignore", -100, -1000, 1 << 20},
	{"bad", 0, 0, 2},
};

const struct cf_op cf_entropy_op = {0, "", MT_SET_FLOAT};

enum { MAX_NUMEL = 1 << 18, BAD_LOW = -5 };

int cf_entropy_valid(const struct cf_case *c) {
	const int64_t *p = c->param;
	if ((p[CF_ENTROPY_BAD] == 1 && p[CF_ENTROPY_IGNORE] == p[CF_ENTROPY_C]) ||
	    (p[CF_ENTROPY_BAD] == 2 && p[CF_ENTROPY_IGNORE] == BAD_LOW))
		return 0;
	if (c->data == CF_SPECIAL && (c->in >= CF_BROADCAST || p[CF_ENTROPY_SMOOTHING] != 0))
		return 0;
	return p[CF_ENTROPY_N] * p[CF_ENTROPY_C] <= MAX_NUMEL;
}

/* ---- the quantities ---- */

static long double log_sum_exp(const double *x, int64_t n) {
	long double top = x[0], sum = 0;
	for (int64_t j = 0; j < n; j++)
		if (isnan(x[j]) || x[j] > top)
			top = x[j];
	if (isinf(top))
		return top;
	for (int64_t j = 0; j < n; j++)
		sum += expl(x[j] - top);
	return top + logl(sum);
}

double cf_entropy_weight(const struct cf_entropy *x, int64_t class) {
	return cf_value_or(x->weight, class, 1);
}

static void fill_logits(struct cf_run *r, const struct cf_case *c, struct cf_array *logits) {
	double range = c->data == CF_WIDE ? 500 : 4; /* e^500 overflows */
	cf_fill_data(r, logits, c->data == CF_TIES ? CF_TIES : CF_RANDOM, -range, range, 0);
	if (c->data == CF_SPECIAL) {
		cf_nn_sprinkle(r, logits, CF_MINUS_INFINITE, 3);
		cf_nn_sprinkle(r, logits, CF_NAN | CF_INFINITE, 60);
	}
}

static void fill_targets(struct cf_run *r, const struct cf_case *c, struct cf_array *target) {
	cf_fill(r, target, 0, (double)c->param[CF_ENTROPY_C] - 1);
	for (int64_t n = 2; n < target->numel && c->in < CF_BROADCAST; n += 4)
		cf_set_integer(target, n, c->param[CF_ENTROPY_IGNORE]);
	for (int64_t n = 0; n < target->numel && c->param[CF_ENTROPY_BAD] != 0; n++)
		if (n == target->numel / 2 || c->in >= CF_BROADCAST)
			cf_set_integer(target, n, c->param[CF_ENTROPY_BAD] == 1 ? c->param[CF_ENTROPY_C] : BAD_LOW);
}

struct cf_entropy cf_entropy_of(struct cf_run *r, const struct cf_case *c) {
	const int64_t shape[] = {c->param[CF_ENTROPY_N], c->param[CF_ENTROPY_C]};
	struct cf_entropy x = {.logits = cf_new(r, CF_IN, c->dtype, 2, shape, c->in),
	                       .target = cf_new(r, CF_IN, c->side, 1, shape, c->in),
	                       .weight = cf_input_if(r, c->param[CF_ENTROPY_WEIGHT], c->dtype, shape[1], c->in, 0.5, 2),
	                       .n = shape[0],
	                       .c = shape[1],
	                       .ignore = c->param[CF_ENTROPY_IGNORE],
	                       .smoothing = cf_thousandths(c->param[CF_ENTROPY_SMOOTHING]),
	                       .lse = cf_reference(r, shape[0])};
	fill_logits(r, c, x.logits);
	fill_targets(r, c, x.target);
	for (int64_t k = 0; k < x.c; k++)
		x.total_weight += cf_entropy_weight(&x, k);
	for (int64_t n = 0; n < x.n; n++)
		x.lse[n] = log_sum_exp(x.logits->values + n * x.c, x.c);
	return x;
}

/* ---- fixed cases ---- */

/* Sets the targets' dtype, weight, smoothing and ignore_index (a class now and then) to anything, and hands on. */
struct variety {
	cf_emit_fn emit;
	void *context;
	struct cf_random random;
};

static void vary(const struct cf_case *c, void *context) {
	struct variety *v = context;
	struct cf_case varied = *c;
	varied.side = (int32_t)cf_random_integer(&v->random, MT_I32, MT_I64);
	varied.param[CF_ENTROPY_WEIGHT] = cf_random_integer(&v->random, 0, 1);
	varied.param[CF_ENTROPY_SMOOTHING] = c->data != CF_SPECIAL ? 100 * cf_random_integer(&v->random, 0, 1) : 0;
	if (cf_random_integer(&v->random, 0, 3) == 0)
		varied.param[CF_ENTROPY_IGNORE] = c->param[CF_ENTROPY_C] / 2;
	v->emit(&varied, v->context);
}

static struct cf_case sized(int64_t n, int64_t classes) {
	return (struct cf_case){.param = {[CF_ENTROPY_N] = n, [CF_ENTROPY_C] = classes, [CF_ENTROPY_IGNORE] = -100}};
}

static void emit_data(struct variety *v, struct cf_case c) {
	for (c.data = 1; c.data < CF_DATA_END; c.data++)
		for (c.dtype = MT_F32; c.dtype <= MT_BF16; c.dtype++)
			for (c.out = 0; c.out < CF_OUT_LAYOUTS; c.out++) {
				c.in = c.out;
				vary(&c, v);
			}
}

/* Targets out of range are refused, whatever else is asked for. */
static void emit_bad(cf_emit_fn emit, void *context, struct cf_case c) {
	for (c.dtype = MT_F32; c.dtype <= MT_F64; c.dtype++)
		for (c.side = MT_I32; c.side <= MT_I64; c.side++)
			for (c.param[CF_ENTROPY_BAD] = 1; c.param[CF_ENTROPY_BAD] <= 2; c.param[CF_ENTROPY_BAD]++)
				emit(&c, context);
}

void cf_entropy_each(cf_emit_fn emit, void *context, int n_params) {
	static const int64_t layouts[][2] = {{1, 1}, {9, 4}, {65, 10}, {3, 200}, {2, 2100}};
	static const int64_t plain[][2] = {{3, 1000}, {1, 99000}, {50000, 2}, {700, 100}, {40, 31}, {40, 33}, {2, 9001}};
	struct variety v = {emit, context, {1}};
	for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
		cf_nn_emit_layouts(vary, &v, &cf_entropy_op, sized(layouts[i][0], layouts[i][1]));
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		cf_nn_emit_dtypes(vary, &v, &cf_entropy_op, sized(plain[i][0], plain[i][1]));
	emit_data(&v, sized(21, 6));
	emit_data(&v, sized(12, 70));
	if (n_params > CF_ENTROPY_BAD)
		emit_bad(emit, context, sized(9, 4));
}

void cf_entropy_draw(struct cf_random *r, struct cf_case *c, int n_params) {
	int64_t *p = c->param;
	p[CF_ENTROPY_N] = cf_random_integer(r, 1, 60);
	p[CF_ENTROPY_C] = cf_random_integer(r, 0, 3) ? cf_random_integer(r, 1, 12) : cf_random_integer(r, 1, 150);
	p[CF_ENTROPY_WEIGHT] = cf_random_integer(r, 0, 1);
	p[CF_ENTROPY_SMOOTHING] = cf_random_integer(r, 0, 1) ? 0 : cf_random_integer(r, 0, 1000);
	p[CF_ENTROPY_IGNORE] = cf_random_integer(r, 0, 2) ? -100 : cf_random_integer(r, 0, p[CF_ENTROPY_C] - 1);
	if (n_params > CF_ENTROPY_BAD)
		p[CF_ENTROPY_BAD] = cf_random_integer(r, 0, 15) ? 0 : cf_random_integer(r, 1, 2);
	if (c->data == CF_SPECIAL) {
		p[CF_ENTROPY_SMOOTHING] = 0;
		c->in = c->in >= CF_BROADCAST ? CF_CONTIGUOUS : c->in;
	}
}
