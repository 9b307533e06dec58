/* embedding: rows of a table, bit for bit. */
#include "family_nn.h"

enum { ROWS, WIDTH, BAD, PARAMS };

static const struct cf_param params[PARAMS] = {
	{"v", 1, 1, 1 << 20}, {"d", 1, 1, 1 << 20}, {"bad", 0, 0, 2}, /* an index out of range: 1 above, 2 below */
};

static const struct cf_op op = {0, "", MT_SET_ALL};

enum { MAX_NUMEL = 1 << 18, MAX_INDEX_RANK = MT_MAX_RANK - 1 };

static int valid(const struct cf_case *c) {
	int64_t places = cf_numel(c->rank, c->shape);
	if (c->rank > MAX_INDEX_RANK || places < 1 || places > MAX_NUMEL)
		return 0;
	return c->param[ROWS] * c->param[WIDTH] <= MAX_NUMEL && places * c->param[WIDTH] <= MAX_NUMEL;
}

static struct cf_array *indices(struct cf_run *r, const struct cf_case *c) {
	int64_t rows = c->param[ROWS];
	struct cf_array *index = cf_input(r, c->side, c->rank, c->shape, c->in, 0, (double)rows - 1);
	for (int64_t e = 0; e < index->numel && c->param[BAD] != 0; e++)
		if (e == index->numel / 2 || c->in >= CF_BROADCAST)
			cf_set_integer(index, e, c->param[BAD] == 1 ? rows : -1);
	return index;
}

static void check(struct cf_run *r, const struct cf_case *c, const struct cf_array *table, const struct cf_array *index,
                  const struct cf_array *out) {
	int64_t width = c->param[WIDTH];
	long double *values = cf_reference(r, out->numel);
	int64_t *integers = cf_reference_integers(r, out->numel);
	for (int64_t e = 0; e < out->numel; e++) {
		int64_t from = index->integers[e / width] * width + e % width;
		values[e] = table->values[from];
		integers[e] = table->integers != NULL ? table->integers[from] : 0;
	}
	if (table->integers != NULL)
		cf_check_integers(r, out, integers, "out");
	else
		cf_check(r, out, values, NULL, cf_units(MT_K_EMBEDDING, 0), "out");
}

static void run(struct cf_run *r, const struct cf_case *c) {
	int64_t shape[MT_MAX_RANK] = {0};
	for (int d = 0; d < c->rank; d++)
		shape[d] = c->shape[d];
	shape[c->rank] = c->param[WIDTH];
	struct cf_array *table = cf_new(r, CF_IN, c->dtype, 2, c->param, c->in), *index = indices(r, c);
	struct cf_array *out = cf_new(r, CF_OUT, c->dtype, c->rank + 1, shape, c->out);
	cf_fill_data(r, table, c->data, -9, 9, 1);
	const struct mt_embedding_args args = {
		.struct_size = sizeof args, .table = &table->array, .index = &index->array, .out = &out->array};
	if (c->param[BAD] != 0)
		cf_call_refused(r, MT_K_EMBEDDING, &args, MT_E_ARG);
	else if (cf_call(r, MT_K_EMBEDDING, &args))
		check(r, c, table, index, out);
}

static struct cf_case sized(int rank, const int64_t *shape, int64_t rows, int64_t width) {
	struct cf_case c = {.side = MT_I64, .param = {[ROWS] = rows, [WIDTH] = width}};
	cf_nn_set_shape(&c, rank, shape);
	return c;
}

static void emit_both(cf_emit_fn emit, void *context, struct cf_case c) {
	for (c.side = MT_I32; c.side <= MT_I64; c.side++)
		cf_nn_emit_layouts(emit, context, &op, c);
}

static void each(cf_emit_fn emit, void *context) {
	static const int64_t two[] = {3, 9}, seven[] = {2, 1, 3, 1, 2, 1, 2}, one[] = {700}, many[] = {99000};
	const struct cf_case plain[] = {
		sized(0, NULL, 4, 3), sized(1, one, 1, 1), sized(7, seven, 5, 3), sized(1, one, 40, 100), sized(1, many, 9, 1),
	};
	struct cf_case c = sized(2, two, 11, 6);
	emit_both(emit, context, c);
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		cf_nn_emit_plain(emit, context, &op, plain[i]);
	for (c.data = CF_SPECIAL; c.data < CF_DATA_END; c.data++)
		for (c.dtype = 1; c.dtype < MT_DTYPE_END_; c.dtype++)
			emit(&c, context);
	c.data = CF_RANDOM;
	for (c.param[BAD] = 1; c.param[BAD] <= 2; c.param[BAD]++)
		emit_both(emit, context, c);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	cf_random_shape(r, 0, MAX_INDEX_RANK, 200, &c->rank, c->shape);
	c->param[ROWS] = cf_random_integer(r, 1, 40);
	c->param[WIDTH] = cf_random_integer(r, 1, 40);
	c->param[BAD] = cf_random_integer(r, 0, 15) ? 0 : cf_random_integer(r, 1, 2);
}

const struct cf_family cf_embedding_family = {
	.name = "embedding",
	.kernel = MT_K_EMBEDDING,
	.ops = &op,
	.n_ops = 1,
	.params = params,
	.n_params = PARAMS,
	.shaped = 1,
	.data = 1 << CF_RANDOM | 1 << CF_SPECIAL | 1 << CF_TIES | 1 << CF_WIDE,
	.sides = MT_DTYPE_BIT(MT_I32) | MT_DTYPE_BIT(MT_I64),
	.in_place_param = -1,
	.valid = valid,
	.each = each,
	.draw = draw,
	.run = run,
};
