/* matmul: one dot product per output element, batch by batch. */
#include "element.h"
#include "integer.h"
#include "lines.h"

static double finish_float(const struct mt_matmul_args *args, double product, double old, double bias) {
	double y = args->alpha * product + (args->beta != 0 ? args->beta * old : 0) + bias;
	return mt__naive_activate(args->activation, y);
}

static int64_t finish_integer(const struct mt_matmul_args *args, int64_t product, int64_t old, int64_t bias) {
	mt_scalar sum = {.tag = MT_SCALAR_I64, .v = {.i = wrap_add(wrap_add(product, args->beta != 0 ? old : 0), bias)}};
	int64_t y = scalar_integer(sum, args->out->dtype); /* wrapped before the activation sees it */
	return args->activation == MT_ACT_RELU && y < 0 ? 0 : y;
}

/* One matrix product; offsets of the batch's matrices in elements. */
typedef void matmul_matrix(const struct mt_matmul_args *args, int64_t a_at, int64_t b_at, int64_t out_at);

#define TEMPLATE "matmul_matrix.inc"
#define FINISH finish_float
#define ACCUMULATE(sum, x, y) ((sum) + (x) * (y))
#include "each_float.inc"
#undef FINISH
#undef ACCUMULATE
#define FINISH finish_integer
#define ACCUMULATE(sum, x, y) wrap_add(sum, wrap_mul(x, y))
#include "each_integer.inc"
#undef FINISH
#undef ACCUMULATE
#undef TEMPLATE

int32_t mt__naive_matmul(mt_queue *queue, const struct mt_matmul_args *args) {
	(void)queue;
	static matmul_matrix *const matrix_of[] = {
#define MT_DTYPE(id, NAME, name, bytes, class) [id] = matmul_##name,
#include "mt/dtypes.def"
#undef MT_DTYPE
	};
	struct lines l;
	lines_begin(&l, args->out->rank - 2, args->out->shape);
	lines_add(&l, args->a->stride);
	lines_add(&l, args->b->stride);
	lines_add(&l, args->out->stride);
	do
		for (int64_t i = 0; i < l.length; i++)
			matrix_of[args->out->dtype](args, l.at[0] + i * l.step[0], l.at[1] + i * l.step[1],
			                            l.at[2] + i * l.step[2]);
	while (lines_next(&l));
	return MT_OK;
}
