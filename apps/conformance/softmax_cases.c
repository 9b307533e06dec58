#include "softmax_cases.h"

const struct cf_param cf_softmax_params[CF_SOFTMAX_PARAMS] = {{"axis", 0, 0, MT_MAX_RANK - 1}};

const struct cf_op cf_softmax_ops[CF_SOFTMAX_OPS] = {{0, "plain", MT_SET_FLOAT}, {CF_MODE, "log", MT_SET_FLOAT}};

enum { MAX_NUMEL = 1 << 18 };

int cf_softmax_valid(const struct cf_case *c) {
	int64_t numel = cf_numel(c->rank, c->shape);
	if (c->data == CF_SPECIAL && c->in >= CF_BROADCAST)
		return 0;
	return c->rank > 0 && c->param[CF_SOFTMAX_AXIS] < c->rank && numel > 0 && numel <= MAX_NUMEL;
}

/* Each axis of a small shape in every layout; other shapes, and data, plain. */
struct row {
	int rank;
	int64_t shape[5];
	int axis; /* −1: each of them in every layout */
};

static const struct row rows[] = {
	{3, {4, 7, 5}, -1},      {1, {1}, 0},        {1, {9}, 0},        {2, {5, 1}, 1},     {2, {1, 17}, 0},
	{5, {2, 3, 1, 4, 3}, 3}, {2, {3, 1000}, 1},  {2, {1000, 3}, 0},  {2, {40, 10}, 1},   {3, {2, 130, 33}, 1},
	{1, {99000}, 0},         {2, {320, 320}, 1}, {2, {320, 320}, 0}, {2, {33000, 3}, 1},
};

static void emit_row(cf_emit_fn emit, void *context, const struct row *row, const struct cf_op *op) {
	struct cf_case c = {.op = op->id};
	cf_nn_set_shape(&c, row->rank, row->shape);
	c.param[CF_SOFTMAX_AXIS] = row->axis;
	if (row->axis >= 0)
		cf_nn_emit_dtypes(emit, context, op, c);
	for (int64_t axis = 0; axis < row->rank && row->axis < 0; axis++) {
		c.param[CF_SOFTMAX_AXIS] = axis;
		cf_nn_emit_layouts(emit, context, op, c);
	}
}

/* Each kind of data that the family has, in each dtype. */
static void emit_data(cf_emit_fn emit, void *context, const struct cf_op *op, uint32_t kinds) {
	const int64_t shape[] = {3, 40, 5};
	struct cf_case c = {.op = op->id};
	cf_nn_set_shape(&c, 3, shape);
	for (c.data = 1; c.data < CF_DATA_END; c.data++)
		for (c.dtype = MT_F32; c.dtype <= MT_BF16 && (kinds & 1u << c.data); c.dtype++)
			for (c.param[CF_SOFTMAX_AXIS] = 1; c.param[CF_SOFTMAX_AXIS] < 3; c.param[CF_SOFTMAX_AXIS]++)
				emit(&c, context);
}

void cf_softmax_each(cf_emit_fn emit, void *context, uint32_t kinds) {
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (int k = 0; k < CF_SOFTMAX_OPS; k++)
			emit_row(emit, context, &rows[i], &cf_softmax_ops[k]);
	for (int k = 0; k < CF_SOFTMAX_OPS; k++)
		emit_data(emit, context, &cf_softmax_ops[k], kinds);
}

void cf_softmax_draw(struct cf_random *r, struct cf_case *c) {
	if (c->data == CF_SPECIAL && c->in >= CF_BROADCAST)
		c->in = CF_CONTIGUOUS;
	cf_random_shape(r, 1, 5, 4000, &c->rank, c->shape);
	c->param[CF_SOFTMAX_AXIS] = cf_random_integer(r, 0, c->rank - 1);
}
