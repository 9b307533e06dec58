/* Losses over classes: values and gradients against plain loops, native against composed, options, shapes; dropout, gather
 * and friends. */
#include <math.h>
#include <stdlib.h>

#include "ops/ops.h"
#include "oracle.h"

#define N 6
#define C 5

static const int64_t targets[N] = {4, 0, 2, 2, 1, 3};
static const double weights[C] = {0.5, 2, 1, 0.25, 3};

/* ---- cross entropy ------------------------------------------------------------------------------------------------ */

struct loss_case {
	const char *name;
	int weighted;
	mt_loss_options o;
};

static const struct loss_case losses[] = {
	{"mean", 0, {MT_REDUCTION_MEAN, 0, 0, 0}},
	{"sum", 0, {MT_REDUCTION_SUM, 0, 0, 0}},
	{"none", 0, {MT_REDUCTION_NONE, 0, 0, 0}},
	{"weighted mean", 1, {MT_REDUCTION_MEAN, 0, 0, 0}},
	{"weighted sum", 1, {MT_REDUCTION_SUM, 0, 0, 0}},
	{"ignoring 2", 0, {MT_REDUCTION_MEAN, 1, 2, 0}},
	{"weighted, ignoring 2", 1, {MT_REDUCTION_MEAN, 1, 2, 0}},
	{"none, ignoring 2", 1, {MT_REDUCTION_NONE, 1, 2, 0}},
	{"smoothed", 0, {MT_REDUCTION_MEAN, 0, 0, 0.1}},
	{"smoothed, weighted, ignoring 0", 1, {MT_REDUCTION_MEAN, 1, 0, 0.3}},
	{"all smoothed", 1, {MT_REDUCTION_SUM, 0, 0, 1}},
};
#define N_LOSSES (sizeof losses / sizeof *losses)

/* torch.nn.functional.cross_entropy by its definition; with log_probs the argument is used as it is.  Returns how many
 * results there are; gradient with respect to x for an upstream gradient u. */
static int plain_loss(const struct loss_case *c, int log_probs, const double *x, const double *u, double *loss,
                      double *gx) {
	double rows[N], counted = 0, s = c->o.label_smoothing, total = 0;
	for (int n = 0; n < N; n++) {
		int t = (int)targets[n], skip = c->o.has_ignore_index && c->o.ignore_index == t;
		double lse = 0, sum_w = 0;
		for (int k = 0; k < C; k++) {
			lse += exp(x[n * C + k]);
			sum_w += c->weighted ? weights[k] : 1;
		}
		lse = log_probs ? 0 : log(lse);
		double wt = c->weighted ? weights[t] : 1;
		rows[n] = (1 - s) * wt * (lse - x[n * C + t]);
		for (int k = 0; k < C; k++) {
			double w = c->weighted ? weights[k] : 1, p = log_probs ? 0 : exp(x[n * C + k] - lse);
			rows[n] += s / C * w * (lse - x[n * C + k]);
			gx[n * C + k] = skip ? 0 : (1 - s) * wt * (p - (k == t)) + s / C * (p * sum_w - w);
		}
		rows[n] = skip ? 0 : rows[n];
		counted += skip ? 0 : wt;
		total += rows[n];
	}
	int none = c->o.reduction == MT_REDUCTION_NONE;
	double scale = c->o.reduction == MT_REDUCTION_MEAN ? 1 / counted : 1;
	for (int i = 0; i < N * C; i++)
		gx[i] *= none ? u[i / C] : u[0] * scale;
	loss[0] = total * scale;
	for (int n = 0; none && n < N; n++)
		loss[n] = rows[n];
	return none ? N : 1;
}

/* Scores of N rows in another shape, classes in dim 1; inner: rows that lie inside each other. */
struct form {
	int rank;
	int64_t shape[4];
	int inner;
};

static const struct form forms[] = {{2, {N, C}, 1}, {3, {2, C, 3}, 3}, {4, {1, C, 3, 2}, 6}, {4, {2, C, 1, 3}, 3}};
#define N_FORMS 4

static int place(const struct form *f, int row, int class) {
	return (row / f->inner * C + class) * f->inner + row % f->inner;
}

static mt_tensor *targets_of(const struct form *f) {
	int64_t shape[3] = {f->shape[0], f->shape[2], f->shape[3]};
	return mt_reshape(mt_from_data(MT_SHAPE(N), MT_I64, targets), f->rank - 1, shape);
}

typedef mt_tensor *(*loss_fn)(mt_tensor *, mt_tensor *, mt_tensor *, mt_loss_options);

static void check_loss(const struct loss_case *c, loss_fn fn, int log_probs, enum layout l, mt_dtype dtype,
                       mt_dtype index, const struct form *f) {
	mt_scope *scope = mt_scope_begin();
	mt_tensor *x = mt_requires_grad_(random_in(l, f->rank, f->shape, dtype, -3, 3, 7), 1);
	mt_tensor *target = mt_cast(targets_of(f), index);
	mt_tensor *weight = c->weighted ? mt_cast(mt_from_data(MT_SHAPE(C), MT_F64, weights), dtype) : MT_NONE;
	double *laid = elements(x), from[N * C], u[N] = {1.5, -0.5, 2, 0.75, -1, 3}, loss[N], gradient[N * C], gx[N * C];
	for (int i = 0; i < N * C; i++)
		from[i] = laid[place(f, i / C, i % C)];
	int results = plain_loss(c, log_probs, from, u, loss, gradient);
	for (int i = 0; i < N * C; i++)
		gx[place(f, i / C, i % C)] = gradient[i];
	mt_tensor *y = fn(x, target, weight, c->o);
	CHECK_CLOSE(y, loss, results, 8 * rtol_of(dtype), 1);
	MT_CHECK_INT(mt_tensor_dtype(y), dtype);
	MT_CHECK_INT(mt_tensor_rank(y), results > 1 ? f->rank - 1 : 0);
	mt_tensor *up = mt_cast(mt_from_data(mt_tensor_rank(y), mt_tensor_shape(y), MT_F64, u), dtype);
	MT_CHECK_INT(mt_backward_from(y, up, 0), MT_OK);
	CHECK_CLOSE(mt_grad(x), gx, N * C, 8 * rtol_of(dtype), 1);
	free(laid);
	mt_scope_end(scope);
}

static void losses_on_device(void) {
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16};
	static const mt_dtype indices[] = {MT_I64, MT_I32, MT_U8};
	for (size_t i = 0; i < N_LOSSES; i++)
		for (int d = 0; d < 3; d++)
			for (int l = 0; l < REPEATED; l++) {
				const struct form *f = &forms[(i + (size_t)(d + l)) % N_FORMS];
				mt_dtype index = indices[(d + l) % 3];
				row("%s %s %s rank %d", losses[i].name, mt_dtype_name(dtypes[d]), layout_name(l), f->rank);
				check_loss(&losses[i], mt_cross_entropy, 0, l, dtypes[d], index, f);
				check_loss(&losses[i], mt__cross_entropy_composed, 0, l, dtypes[d], index, f);
				if (losses[i].o.label_smoothing == 0)
					check_loss(&losses[i], mt_nll_loss, 1, l, dtypes[d], index, f);
			}
}

static void classification(void) {
	each_backend(losses_on_device);
}

static void edges_on_device(void) {
	mt_loss_options mean = {0}, ignoring = {MT_REDUCTION_MEAN, 1, -100, 0};
	mt_tensor *x = mt_zeros(MT_SHAPE(2, 3), MT_F32), *empty = mt_zeros(MT_SHAPE(0, 3), MT_F32);
	mt_tensor *no = mt_zeros(MT_SHAPE(0), MT_I64);
	row("no rows");
	CHECK_VALUES(mt_cross_entropy(empty, no, MT_NONE, mean), NAN);
	CHECK_VALUES(mt_cross_entropy(empty, no, MT_NONE, (mt_loss_options){MT_REDUCTION_SUM, 0, 0, 0}), 0);
	CHECK_SHAPE(mt_nll_loss(empty, no, MT_NONE, (mt_loss_options){MT_REDUCTION_NONE, 0, 0, 0}), 0);
	CHECK_SHAPE(mt_cross_entropy(mt_zeros(MT_SHAPE(2, 3, 0), MT_F32), mt_zeros(MT_SHAPE(2, 0), MT_I64), MT_NONE,
	                             (mt_loss_options){MT_REDUCTION_NONE, 0, 0, 0}),
	            2, 0);
	row("one row as [C]");
	mt_tensor *alone = mt_from_data(MT_SHAPE(3), MT_F64, (const double[]){1, 2, 3}), *one = mt_ones(MT_SHAPE0, MT_I64);
	mt_loss_options none = {MT_REDUCTION_NONE, 0, 0, 0};
	CHECK_NEAR_VALUES(mt_cross_entropy(alone, one, MT_NONE, mean), 1e-12, log(exp(1) + exp(2) + exp(3)) - 2);
	CHECK_SHAPE0(mt_cross_entropy(alone, one, MT_NONE, none));
	CHECK_VALUES(mt_nll_loss(alone, one, alone, none), -4);
	CHECK_VALUES(mt_nll_loss(alone, one, alone, mean), -2);
	row("many rows");
	mt_tensor *many = mt_zeros(MT_SHAPE(3, 2, 70000), MT_F32), *ones = mt_ones(MT_SHAPE(3, 70000), MT_I64);
	CHECK_NEAR_VALUES(mt_cross_entropy(many, ones, MT_NONE, mean), 1e-5, log(2));
	row("every row ignored");
	mt_tensor *ignored = mt_full(MT_SHAPE(2), MT_I64, mt_i(-100));
	CHECK_VALUES(mt_cross_entropy(x, ignored, MT_NONE, ignoring), NAN);
	CHECK_VALUES(mt_nll_loss(x, ignored, MT_NONE, ignoring), NAN);
	row("large logits");
	mt_tensor *large = mt_from_data(MT_SHAPE(1, 2), MT_F32, (const float[]){1e4f, -1e4f});
	CHECK_VALUES(mt_cross_entropy(large, mt_zeros(MT_SHAPE(1), MT_I64), MT_NONE, mean), 0);
	CHECK_VALUES(mt_cross_entropy(large, mt_ones(MT_SHAPE(1), MT_I64), MT_NONE, mean), 2e4);
}

static void edges(void) {
	each_backend(edges_on_device);
}

/* ---- dropout ------------------------------------------------------------------------------------------------------ */

static void dropout_on_device(void) {
	mt_tensor *x = mt_full(MT_SHAPE(100, 100), MT_F32, mt_f(2));
	row("what is kept is scaled, about 1 − p of all");
	mt_seed(42);
	mt_tensor *y = mt_dropout(x, 0.25, 1);
	double kept, sum;
	MT_CHECK_INT(mt_item(mt_sum(mt_cast(y, MT_BOOL), MT_ALL_AXES, 0), &kept), MT_OK);
	MT_CHECK_MSG(fabs(kept - 7500) <= 200, "%g of 10000 kept", kept);
	MT_CHECK_INT(mt_item(mt_sum(y, MT_ALL_AXES, 0), &sum), MT_OK);
	MT_CHECK_NEAR(sum, kept * 2 / 0.75, 1e-5);
	row("the same seed, the same mask, and the gradient has it too");
	mt_seed(42);
	mt_tensor *w = mt_requires_grad_(mt_clone(x), 1), *z = mt_dropout(w, 0.25, 1);
	CHECK_VALUES(mt_all(mt_eq(y, z), MT_ALL_AXES, 0), 1);
	mt_backward_from(z, x, 0);
	CHECK_VALUES(mt_all(mt_eq(mt_grad(w), y), MT_ALL_AXES, 0), 1);
	row("bounds");
	MT_CHECK(mt_dropout(x, 0.5, 0) == x);
	MT_CHECK(mt_dropout(x, 0, 1) == x);
	CHECK_VALUES(mt_any(mt_dropout(x, 1, 1), MT_ALL_AXES, 0), 0);
	CHECK_SHAPE(mt_dropout(mt_zeros(MT_SHAPE(0), MT_F32), 0.5, 1), 0);
	MT_CHECK(mt_dropout(x, 1.5, 1) == NULL);
	CHECK_ERROR(MT_E_ARG, "dropout: p is 1.5");
	MT_CHECK(mt_dropout(x, NAN, 1) == NULL);
	CHECK_ERROR(MT_E_ARG, "dropout: p is");
}

static void dropout(void) {
	each_backend(dropout_on_device);
}

/* ---- indices ------------------------------------------------------------------------------------------------------ */

static void index_on_device(void) {
	mt_tensor *x = counting(MT_SHAPE(3, 4), MT_F32);
	mt_tensor *i = mt_from_data(MT_SHAPE(2, 3), MT_I64, (const int64_t[]){0, 3, -1, 2, 2, 0});
	row("gather");
	CHECK_VALUES(mt_gather(x, 1, i), 0, 3, 3, 6, 6, 4);
	CHECK_VALUES(mt_gather(mt_transpose(x, 0, 1), 0, mt_transpose(i, 0, 1)), 0, 6, 3, 6, 3, 4);
	CHECK_VALUES(mt_gather(x, -2, mt_full(MT_SHAPE(1, 2), MT_U8, mt_i(2))), 8, 9);
	row("index_select");
	mt_tensor *rows = mt_from_data(MT_SHAPE(4), MT_I32, (const int32_t[]){2, 0, 0, 2});
	CHECK_VALUES(mt_index_select(x, 0, rows), 8, 9, 10, 11, 0, 1, 2, 3, 0, 1, 2, 3, 8, 9, 10, 11);
	CHECK_VALUES(mt_index_select(mt_flip(x, 1), 1, mt_slice(rows, 0, MT_END, MT_END, -2)), 1, 3, 5, 7, 9, 11);
	CHECK_SHAPE(mt_index_select(x, 0, mt_zeros(MT_SHAPE(0), MT_I64)), 0, 4);
	row("one_hot");
	mt_tensor *hot = mt_one_hot(mt_from_data(MT_SHAPE(3), MT_I64, (const int64_t[]){2, 0, 2}), 3, MT_F32);
	CHECK_VALUES(hot, 0, 0, 1, 1, 0, 0, 0, 0, 1);
	CHECK_VALUES(mt_one_hot(mt_ones(MT_SHAPE(1), MT_U8), 2, MT_BOOL), 0, 1);
	MT_CHECK_INT(mt_tensor_dtype(mt_one_hot(rows, 3, MT_BOOL)), MT_BOOL);
	CHECK_SHAPE(mt_one_hot(mt_zeros(MT_SHAPE(0), MT_I64), 3, MT_I64), 0, 3);
}

static void indices(void) {
	each_backend(index_on_device);
}

/* ---- errors ------------------------------------------------------------------------------------------------------- */

static void range_on_device(void) {
	mt_loss_options o = {0};
	mt_tensor *x = mt_zeros(MT_SHAPE(2, 3), MT_F32);
	int64_t bad[] = {3, -1, INT64_MAX, INT64_MIN};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		row("index %lld", (long long)bad[i]);
		mt_tensor *t = mt_full(MT_SHAPE(2), MT_I64, mt_i(bad[i]));
		CHECK_OUT_OF_RANGE(mt_nll_loss(x, t, MT_NONE, o), "");
		CHECK_OUT_OF_RANGE(mt_one_hot(t, 3, MT_F32), "");
		if (bad[i] != INT64_MIN) /* what stands for "no ignore_index" */
			CHECK_OUT_OF_RANGE(mt_cross_entropy(x, t, MT_NONE, o), "");
		if (bad[i] != -1)
			CHECK_OUT_OF_RANGE(mt_index_select(x, 1, t), "");
	}
}

static void out_of_range(void) {
	each_backend(range_on_device);
}

static void errors(void) {
	mt_loss_options o = {0};
	mt_tensor *x = mt_zeros(MT_SHAPE(2, 3), MT_F32), *t = mt_zeros(MT_SHAPE(2), MT_I64);
	MT_CHECK(mt_cross_entropy(x, mt_zeros(MT_SHAPE(3), MT_I64), MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "cross_entropy: logits is f32[2, 3], target is i64[3]");
	MT_CHECK(mt_nll_loss(x, mt_zeros(MT_SHAPE(2), MT_F32), MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "nll_loss: target is f32[2]");
	MT_CHECK(mt_cross_entropy(x, t, mt_zeros(MT_SHAPE(2), MT_F32), o) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "weight is f32[2]");
	MT_CHECK(mt_cross_entropy(x, t, mt_requires_grad_(mt_ones(MT_SHAPE(3), MT_F32), 1), o) == NULL);
	CHECK_ERROR(MT_E_UNSUPPORTED, "weight requires a gradient");
	MT_CHECK(mt_nll_loss(mt_zeros(MT_SHAPE(2, 3, 4), MT_F32), mt_zeros(MT_SHAPE(2, 3), MT_I64), MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "nll_loss: log_probs is f32[2, 3, 4], target is i64[2, 3]; [N, C] and [N], ");
	MT_CHECK(mt_cross_entropy(mt_zeros(MT_SHAPE0, MT_F32), t, MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "cross_entropy: logits is f32[], target is i64[2]");
	MT_CHECK(mt_cross_entropy(mt_zeros(MT_SHAPE(2, 0), MT_F32), t, MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "there are no classes");
	o.reduction = 3;
	MT_CHECK(mt_cross_entropy(x, t, MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_ARG, "reduction is 3");
	o = (mt_loss_options){0, 0, 0, NAN};
	MT_CHECK(mt_cross_entropy(x, t, MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_ARG, "label_smoothing");
	MT_CHECK(mt_cross_entropy(x, t, NULL, o) == NULL);
	CHECK_ERROR(MT_E_NULL, "weight");
	MT_CHECK(mt_gather(x, 1, mt_zeros(MT_SHAPE(3, 1), MT_I64)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "gather: x is f32[2, 3], index is i64[3, 1]");
	MT_CHECK(mt_gather(x, 1, mt_zeros(MT_SHAPE(2, 1), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "gather: index is f32[2, 1]");
	MT_CHECK(mt_index_select(x, 0, mt_zeros(MT_SHAPE(2, 1), MT_I64)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "index_select");
	MT_CHECK(mt_one_hot(t, 0, MT_F32) == NULL);
	CHECK_ERROR(MT_E_ARG, "0 classes");
	MT_CHECK(mt_one_hot(t, 3, 99) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "99 is no dtype");
}

/* Targets of i32, and an ignore_index that i32 does not hold: nothing is ignored, in the differentiable rule too. */
static void narrow_targets_on_device(void) {
	const int64_t wrapped[2] = {(INT64_C(1) << 32) + 1, INT64_MIN};
	const int32_t classes[3] = {0, 1, 2};
	for (int i = 0; i < 3; i++) {
		mt_loss_options o = {.has_ignore_index = i < 2, .ignore_index = i < 2 ? wrapped[i] : 0};
		mt_tensor *x =
			mt_requires_grad_(mt_from_data(MT_SHAPE(3, 3), MT_F64, (double[]){1, 2, 3, 3, 2, 1, 0, 1, 0}), 1);
		mt_tensor *t = mt_from_data(MT_SHAPE(3), MT_I32, classes), *g[2] = {NULL};
		row("case %d", i);
		CHECK_NEAR_VALUES(mt_nll_loss(x, t, MT_NONE, o), 1e-12, -1);
		mt_tensor *y = mt_cross_entropy(x, t, MT_NONE, o);
		CHECK_NEAR_VALUES(y, 1e-6, (2.40760596 + 1.40760596 + 1.55144471) / 3);
		for (int again = 0; again < 2; again++)
			MT_CHECK_INT(mt_gradients(&y, 1, NULL, &x, 1,
			                          (mt_gradients_options){.create_graph = again, .retain_graph = 1}, &g[again]),
			             MT_OK);
		int same = 0;
		MT_CHECK_INT(mt_allclose(g[0], g[1], 1e-12, 1e-12, 0, &same), MT_OK);
		MT_CHECK_INT(same, 1);
	}
}

static void narrow_targets(void) {
	each_backend(narrow_targets_on_device);
}

static const mt_test_case cases[] = {
	{"classification", classification},
	{"narrow_targets", narrow_targets},
	{"edges", edges},
	{"dropout", dropout},
	{"indices", indices},
	{"errors", errors},
	{"out_of_range", out_of_range},
	{0},
};
static const mt_test_suite suites[] = {{"loss", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
