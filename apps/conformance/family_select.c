/* select: every layout of each of its three inputs; bits pass through as they are. */
#include "families.h"
#include "run.h"
#include "values.h"

static const struct cf_op ops[] = {{0, "", MT_SET_ALL}};

/* in is cond's layout. */
enum { IN_A, IN_B, PARAMS };
static const struct cf_param params[PARAMS] = {
	[IN_A] = {"in_a", CF_CONTIGUOUS, 0, CF_IN_LAYOUTS - 1},
	[IN_B] = {"in_b", CF_CONTIGUOUS, 0, CF_IN_LAYOUTS - 1},
};

static struct cf_array *input(struct cf_run *r, const struct cf_case *c, int64_t layout) {
	struct cf_array *a = cf_new(r, CF_IN, c->dtype, c->rank, c->shape, (int32_t)layout);
	if (c->data == CF_TIES)
		cf_fill_ties(r, a);
	else
		cf_fill_data(r, a, c->data, -100, 100, 1);
	return a;
}

static void run(struct cf_run *r, const struct cf_case *c) {
	struct cf_array *cond = cf_input(r, MT_BOOL, c->rank, c->shape, c->in, 0, 1);
	struct cf_array *a = input(r, c, c->param[IN_A]), *b = input(r, c, c->param[IN_B]);
	struct cf_array *y = cf_new(r, CF_OUT, c->dtype, c->rank, c->shape, c->out);
	const struct mt_select_args args = {
		.struct_size = sizeof args, .cond = &cond->array, .a = &a->array, .b = &b->array, .out = &y->array};
	if (!cf_call(r, MT_K_SELECT, &args))
		return;
	long double *expected = cf_reference(r, y->numel);
	int64_t *integers = cf_reference_integers(r, y->numel);
	for (int64_t e = 0; e < y->numel; e++) {
		const struct cf_array *from = cond->values[e] != 0 ? a : b;
		expected[e] = from->values[e];
		integers[e] = from->integers != NULL ? from->integers[e] : 0;
	}
	if (y->integers != NULL)
		cf_check_integers(r, y, integers, "out");
	else if (cf_check(r, y, expected, NULL, cf_units(MT_K_SELECT, 0), "out"))
		cf_check_zeros(r, y, expected, "out");
}

static void dtype_cases(struct cf_case c, cf_emit_fn emit, void *context) {
	static const int64_t cube[] = {4, 6, 5}, line[] = {77}, large[] = {340, 300};
	emit(&c, context);
	cf_set_shape(&c, 3, cube);
	for (c.in = 0; c.in < CF_IN_LAYOUTS; c.in++)
		for (int i = 0; i < CF_IN_LAYOUTS; i++) {
			c.param[IN_A] = i;
			c.param[IN_B] = (c.in + 2 * i) % CF_IN_LAYOUTS;
			c.out = (c.in + i) % CF_OUT_LAYOUTS;
			if (i == c.in || i == CF_CONTIGUOUS || i >= CF_BROADCAST)
				emit(&c, context);
		}
	c.in = c.out = CF_CONTIGUOUS;
	c.param[IN_A] = c.param[IN_B] = CF_CONTIGUOUS;
	cf_set_shape(&c, 1, line);
	for (c.data = CF_RANDOM; c.data < CF_DATA_END; c.data++)
		emit(&c, context);
	c.data = CF_RANDOM;
	if (c.dtype != MT_F32 && c.dtype != MT_F16)
		return;
	cf_set_shape(&c, 2, large);
	emit(&c, context);
	c.param[IN_A] = CF_BROADCAST;
	c.out = CF_TRANSPOSED;
	emit(&c, context);
}

static void each(cf_emit_fn emit, void *context) {
	cf_each_op(&cf_select_family, dtype_cases, emit, context);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	cf_draw_shape(r, c, 0);
	c->param[IN_A] = cf_random_integer(r, 0, CF_IN_LAYOUTS - 1);
	c->param[IN_B] = cf_random_integer(r, 0, CF_IN_LAYOUTS - 1);
}

const struct cf_family cf_select_family = {
	.name = "select",
	.kernel = MT_K_SELECT,
	.ops = ops,
	.n_ops = 1,
	.params = params,
	.n_params = PARAMS,
	.shaped = 1,
	.data = 1u << CF_RANDOM | 1u << CF_SPECIAL | 1u << CF_TIES | 1u << CF_WIDE,
	.in_place_param = -1,
	.valid = cf_is_filled,
	.each = each,
	.draw = draw,
	.run = run,
};
