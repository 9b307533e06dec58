/* embedding_grad: rows of gout summed where the table was read; nothing at padding_idx. */
#include <math.h>

#include "family_nn.h"

enum { ROWS, WIDTH, PADDING, PARAMS };

static const struct cf_param params[PARAMS] = {
	{"v", 1, 1, 1 << 20}, {"d", 1, 1, 1 << 20}, {"padding", -1, -1, 1 << 20}};

static const struct cf_op op = {0, "", MT_SET_FLOAT};

enum { MAX_NUMEL = 1 << 18, MAX_INDEX_RANK = MT_MAX_RANK - 1 };

/* index may be empty: the table's gradient is 0 then. */
static int valid(const struct cf_case *c) {
	int64_t places = cf_numel(c->rank, c->shape);
	if (c->rank > MAX_INDEX_RANK || places > MAX_NUMEL || c->param[PADDING] >= c->param[ROWS])
		return 0;
	if (c->data == CF_SPECIAL && c->in >= CF_BROADCAST)
		return 0;
	return c->param[ROWS] * c->param[WIDTH] <= MAX_NUMEL && places * c->param[WIDTH] <= MAX_NUMEL;
}

static void run(struct cf_run *r, const struct cf_case *c) {
	int64_t shape[MT_MAX_RANK] = {0}, width = c->param[WIDTH], padding = c->param[PADDING], most = 0;
	for (int d = 0; d < c->rank; d++)
		shape[d] = c->shape[d];
	shape[c->rank] = width;
	struct cf_array *gout = cf_input(r, c->dtype, c->rank + 1, shape, c->in, -9, 9);
	struct cf_array *index = cf_input(r, c->side, c->rank, c->shape, c->in, 0, (double)c->param[ROWS] - 1);
	struct cf_array *gtable = cf_new(r, CF_OUT, c->dtype, 2, c->param, c->out);
	if (c->data == CF_SPECIAL)
		cf_nn_sprinkle(r, gout, CF_NAN | CF_INFINITE | CF_MINUS_INFINITE, 20);
	const struct mt_embedding_grad_args args = {.struct_size = sizeof args,
	                                            .gout = &gout->array,
	                                            .index = &index->array,
	                                            .gtable = &gtable->array,
	                                            .padding_idx = padding};
	long double *expected = cf_reference(r, gtable->numel), *scale = cf_reference(r, gtable->numel);
	int64_t *reads = cf_reference_integers(r, c->param[ROWS]);
	for (int64_t e = 0; e < gout->numel; e++) {
		int64_t row = index->integers[e / width], to = row * width + e % width;
		if (row == padding)
			continue;
		expected[to] += gout->values[e];
		scale[to] += fabs(gout->values[e]);
		reads[row] += e % width == 0;
		most = reads[row] > most ? reads[row] : most;
	}
	if (cf_call(r, MT_K_EMBEDDING_GRAD, &args))
		cf_check_rounded(r, gtable, expected, scale, cf_sum_units(MT_K_EMBEDDING_GRAD, most), "gtable");
}

static struct cf_case sized(int rank, const int64_t *shape, int64_t rows, int64_t width, int64_t padding) {
	struct cf_case c = {.side = MT_I64, .param = {[ROWS] = rows, [WIDTH] = width, [PADDING] = padding}};
	cf_nn_set_shape(&c, rank, shape);
	return c;
}

static void each(cf_emit_fn emit, void *context) {
	static const int64_t two[] = {3, 9}, seven[] = {2, 1, 3, 1, 2, 1, 2}, none[] = {0}, few[] = {30}, many[] = {99000};
	const struct cf_case plain[] = {
		sized(0, NULL, 4, 3, -1),   sized(1, none, 3, 2, -1), sized(7, seven, 5, 3, 2), sized(1, few, 40, 1700, -1),
		sized(1, few, 66000, 1, 0), sized(1, many, 3, 2, -1), sized(1, many, 3, 2, 1),  sized(1, few, 1, 1, 0),
	};
	for (int64_t padding = -1; padding <= 4; padding += 5) {
		struct cf_case c = sized(2, two, 11, 6, padding);
		for (c.side = MT_I32; c.side <= MT_I64; c.side++)
			cf_nn_emit_layouts(emit, context, &op, c);
		c.data = CF_SPECIAL;
		c.side = MT_I64;
		for (c.dtype = MT_F32; c.dtype <= MT_BF16; c.dtype++)
			emit(&c, context);
	}
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		cf_nn_emit_dtypes(emit, context, &op, plain[i]);
}

static void draw(struct cf_random *r, struct cf_case *c) {
	cf_random_shape(r, 0, MAX_INDEX_RANK, 200, &c->rank, c->shape);
	c->param[ROWS] = cf_random_integer(r, 1, 40);
	c->param[WIDTH] = cf_random_integer(r, 1, 40);
	c->param[PADDING] = cf_random_integer(r, 0, 1) ? -1 : cf_random_integer(r, 0, c->param[ROWS] - 1);
	if (c->data == CF_SPECIAL && c->in >= CF_BROADCAST)
		c->in = CF_CONTIGUOUS;
}

const struct cf_family cf_embedding_grad_family = {
	.name = "embedding_grad",
	.kernel = MT_K_EMBEDDING_GRAD,
	.ops = &op,
	.n_ops = 1,
	.params = params,
	.n_params = PARAMS,
	.shaped = 1,
	.data = 1 << CF_RANDOM | 1 << CF_SPECIAL,
	.sides = MT_DTYPE_BIT(MT_I32) | MT_DTYPE_BIT(MT_I64),
	.in_place_param = -1,
	.valid = valid,
	.each = each,
	.draw = draw,
	.run = run,
};
