/* Losses of two tensors: values and both gradients against their definitions, special values, errors. */
#include <math.h>
#include <stdlib.h>

#include "oracle.h"

/* ---- definitions: the value and its two slopes ---------------------------------------------------------------------- */

struct slopes {
	double y, a, b;
};

static struct slopes mse(double a, double b) {
	return (struct slopes){(a - b) * (a - b), 2 * (a - b), 2 * (b - a)};
}

static struct slopes l1(double a, double b) {
	double sign = a > b ? 1 : a < b ? -1 : 0;
	return (struct slopes){fabs(a - b), sign, -sign};
}

static struct slopes smooth_l1(double a, double b) { /* beta 0.5 */
	double d = a - b, slope = d > 0.5 ? 1 : d < -0.5 ? -1 : d / 0.5;
	return (struct slopes){fabs(d) < 0.5 ? d * d : fabs(d) - 0.25, slope, -slope};
}

static struct slopes huber(double a, double b) { /* delta 0.75 */
	double d = a - b, slope = fmax(-0.75, fmin(0.75, d));
	return (struct slopes){fabs(d) <= 0.75 ? d * d / 2 : 0.75 * (fabs(d) - 0.375), slope, -slope};
}

static struct slopes kl(double a, double b) {
	return (struct slopes){b * (log(b) - a), -b, log(b) + 1 - a};
}

static struct slopes bce(double a, double b) {
	return (struct slopes){-(b * log(a) + (1 - b) * log1p(-a)), (a - b) / (a * (1 - a)), log1p(-a) - log(a)};
}

static double sigmoid(double x) {
	return 1 / (1 + exp(-x));
}

static struct slopes logits(double a, double b) {
	return (struct slopes){log1p(exp(-fabs(a))) + fmax(a, 0) - a * b, sigmoid(a) - b, -a};
}

static const double weights[4] = {0.5, 2, -1, 3}, pos_weights[4] = {1.5, 0.25, 1, 4};

/* Element i of the last dim, of extent 4, with its weights. */
static struct slopes weighted_logits(double a, double b, int i) {
	double w = weights[i], p = pos_weights[i], hit = -log(sigmoid(a)), miss = -log(sigmoid(-a));
	return (struct slopes){w * (p * b * hit + (1 - b) * miss), w * ((1 - b) * sigmoid(a) - p * b * sigmoid(-a)),
	                       w * (p * hit - miss)};
}

/* ---- the ops ------------------------------------------------------------------------------------------------------ */

static mt_tensor *smooth_l1_op(mt_tensor *a, mt_tensor *b, int32_t reduction) {
	return mt_smooth_l1_loss(a, b, 0.5, reduction);
}

static mt_tensor *smooth_l1_0_op(mt_tensor *a, mt_tensor *b, int32_t reduction) {
	return mt_smooth_l1_loss(a, b, 0, reduction);
}

static mt_tensor *huber_op(mt_tensor *a, mt_tensor *b, int32_t reduction) {
	return mt_huber_loss(a, b, 0.75, reduction);
}

static mt_tensor *logits_op(mt_tensor *a, mt_tensor *b, int32_t reduction) {
	return mt_bce_with_logits_loss(a, b, MT_NONE, MT_NONE, reduction);
}

static mt_tensor *last_dim(const double *values) {
	return mt_from_data(MT_SHAPE(4), MT_F64, values);
}

static mt_tensor *weighted_logits_op(mt_tensor *a, mt_tensor *b, int32_t reduction) {
	return mt_bce_with_logits_loss(a, b, last_dim(weights), last_dim(pos_weights), reduction);
}

static const struct pair_case {
	const char *name;
	mt_tensor *(*op)(mt_tensor *a, mt_tensor *b, int32_t reduction);
	struct slopes (*plain)(double a, double b); /* NULL: weighted_logits */
	double low[2], high[2];
	int broadcasts;
} pairs[] = {
	{"mse", mt_mse_loss, mse, {-2, -2}, {2, 2}, 1},
	{"l1", mt_l1_loss, l1, {-2, -2}, {2, 2}, 1},
	{"smooth_l1", smooth_l1_op, smooth_l1, {-1, -1}, {1, 1}, 1},
	{"smooth_l1, beta 0", smooth_l1_0_op, l1, {-1, -1}, {1, 1}, 1},
	{"huber", huber_op, huber, {-1, -1}, {1, 1}, 1},
	{"kl_div", mt_kl_div, kl, {-3, 0.1}, {-0.1, 1}, 1},
	{"bce", mt_bce_loss, bce, {0.1, 0}, {0.9, 1}, 0},
	{"bce_with_logits", logits_op, logits, {-4, 0}, {4, 1}, 0},
	{"bce_with_logits, weighted", weighted_logits_op, NULL, {-4, 0}, {4, 1}, 0},
};
#define N_PAIRS ((int)(sizeof pairs / sizeof *pairs))

#define RANK 3
#define N 24
static const int64_t shape[RANK] = {2, 3, 4};

/* Expected results, and the gradients for the upstream gradient u (of one element where reduced). */
static void plain_loss(const struct pair_case *c, int32_t reduction, const double *a, const double *b, int b_step,
                       const double *u, double *y, double *ga, double *gb) {
	double scale = reduction == MT_REDUCTION_MEAN ? 1.0 / N : 1, sum = 0;
	for (int i = 0; i < N; i++)
		gb[i] = 0;
	for (int i = 0; i < N; i++) {
		int j = b_step ? i : i % 4;
		struct slopes s = c->plain != NULL ? c->plain(a[i], b[j]) : weighted_logits(a[i], b[j], i % 4);
		double up = reduction == MT_REDUCTION_NONE ? u[i] : u[0] * scale;
		y[i] = s.y;
		sum += s.y;
		ga[i] = up * s.a;
		gb[j] += up * s.b;
	}
	if (reduction != MT_REDUCTION_NONE)
		y[0] = sum * scale;
}

static void check_pair(const struct pair_case *c, int32_t reduction, enum layout l, mt_dtype dtype, int whole) {
	double y[N], ga[N], gb[N];
	int rank = whole ? RANK : 1, n = whole ? N : 4;
	const int64_t *b_shape = whole ? shape : shape + 2;
	mt_tensor *a = mt_requires_grad_(random_in(l, RANK, shape, dtype, c->low[0], c->high[0], 5), 1);
	mt_tensor *b = mt_requires_grad_(
		random_in(whole ? (l + 1) % N_LAYOUTS : CONTIGUOUS, rank, b_shape, dtype, c->low[1], c->high[1], 6), 1);
	mt_tensor *loss = c->op(a, b, reduction);
	mt_tensor *up = random_like(mt_tensor_rank(loss), mt_tensor_shape(loss), dtype, -2, 2, 7);
	double *as = elements(a), *bs = elements(b), *us = elements(up);
	MT_REQUIRE(as != NULL && bs != NULL && us != NULL);
	plain_loss(c, reduction, as, bs, whole, us, y, ga, gb);
	double rtol = 20 * rtol_of(dtype);
	CHECK_CLOSE(loss, y, reduction == MT_REDUCTION_NONE ? N : 1, rtol, 1);
	MT_CHECK_INT(mt_tensor_dtype(loss), dtype);
	MT_CHECK_INT(mt_backward_from(loss, up, 0), MT_OK);
	CHECK_CLOSE(mt_grad(a), ga, N, rtol, 1);
	CHECK_CLOSE(mt_grad(b), gb, n, rtol, 1);
	free(as);
	free(bs);
	free(us);
}

static void values_on_device(void) {
	static const mt_dtype dtypes[] = {MT_F64, MT_F32, MT_F16, MT_BF16};
	for (int i = 0; i < N_PAIRS; i++)
		for (int32_t reduction = 0; reduction < 3; reduction++)
			for (int l = 0; l < N_LAYOUTS; l++)
				for (int d = 0; d < 4; d++) {
					mt_scope *scope = mt_scope_begin();
					row("%s, reduction %d, %s %s", pairs[i].name, (int)reduction, layout_name(l),
					    mt_dtype_name(dtypes[d]));
					check_pair(&pairs[i], reduction, l, dtypes[d], 1);
					if (pairs[i].broadcasts)
						check_pair(&pairs[i], reduction, l, dtypes[d], 0);
					mt_scope_end(scope);
				}
}

static void values(void) {
	each_backend(values_on_device);
}

/* ---- special values ------------------------------------------------------------------------------------------------- */

#define LEAF(...)                                                                                                      \
	mt_requires_grad_(mt_from_data(MT_SHAPE((int64_t)(sizeof((float[]){__VA_ARGS__}) / sizeof(float))), MT_F32,        \
	                               (const float[]){__VA_ARGS__}),                                                      \
	                  1)
#define EACH MT_REDUCTION_NONE

static mt_tensor *backward(mt_tensor *loss, mt_tensor *x) {
	MT_CHECK_INT(mt_backward_from(loss, mt_full_like(loss, mt_f(-2)), 0), MT_OK);
	return mt_grad(x);
}

static void mse_on_device(void) {
	const float a[] = {1, 2, 3, -4}, b[] = {0, 2, 5, -1};
	mt_tensor *x = mt_requires_grad_(mt_from_data(MT_SHAPE(4), MT_F32, a), 1);
	mt_tensor *z = mt_from_data(MT_SHAPE(4), MT_F32, b);
	row("mse");
	CHECK_VALUES(mt_mse_loss(x, z, EACH), 1, 0, 4, 9);
	CHECK_VALUES(mt_mse_loss(x, z, MT_REDUCTION_SUM), 14);
	mt_tensor *loss = mt_mse_loss(x, z, MT_REDUCTION_MEAN);
	CHECK_VALUES(loss, 3.5);
	CHECK_VALUES(backward(loss, x), -1, 0, 2, 3);
	CHECK_VALUES(mt_mse_loss(mt_ones(MT_SHAPE(2), MT_I32), mt_zeros(MT_SHAPE(2), MT_I32), 0), 1);
	row("no elements");
	mt_tensor *none = mt_zeros(MT_SHAPE(0, 2), MT_F32);
	CHECK_VALUES(mt_l1_loss(none, none, MT_REDUCTION_MEAN), NAN);
	CHECK_VALUES(mt_huber_loss(none, none, 1, MT_REDUCTION_SUM), 0);
	CHECK_SHAPE(mt_bce_with_logits_loss(none, none, MT_NONE, MT_NONE, EACH), 0, 2);
	row("many elements");
	mt_tensor *many = mt_full(MT_SHAPE(70001), MT_F32, mt_f(2));
	CHECK_VALUES(mt_smooth_l1_loss(many, mt_zeros(MT_SHAPE(70001), MT_F32), 1, MT_REDUCTION_MEAN), 1.5);
	CHECK_VALUES(mt_kl_div(mt_neg(many), mt_ones(MT_SHAPE(70001), MT_F32), MT_REDUCTION_SUM), 140002);
	row("16-bit squares are summed in f32");
	CHECK_VALUES(mt_mse_loss(mt_full(MT_SHAPE(4), MT_F16, mt_i(300)), mt_cast(LEAF(0, 300, 300, 300), MT_F16), 0),
	             22496);
}

static void bce_on_device(void) {
	const float p[] = {0.2f, 0.9f, 0, 1}, y[] = {1, 0, 1, 1};
	row("bce, logs clamped at -100");
	mt_tensor *q = mt_requires_grad_(mt_from_data(MT_SHAPE(4), MT_F32, p), 1);
	mt_tensor *t = mt_from_data(MT_SHAPE(4), MT_F32, y), *loss = mt_bce_loss(q, t, EACH);
	CHECK_NEAR_VALUES(loss, 1e-5, -log(0.2), -log(0.1), 100, 0);
	mt_backward_from(loss, mt_from_data(MT_SHAPE(4), MT_F32, (const float[]){1, 2, 1e-12f, 1}), 0);
	CHECK_NEAR_VALUES(mt_grad(q), 1e-4, -5, 20, -1, 0);
	CHECK_NEAR_VALUES(mt_bce_loss(q, mt_cast(t, MT_BOOL), MT_REDUCTION_SUM), 1e-3, -log(0.2) - log(0.1) + 100);
	row("bce_with_logits, far out");
	mt_tensor *x = LEAF(1000, -1000, 1000, -1000, 30, -30), *hit = mt_cast(LEAF(1, 0, 0, 1, 1, 0), MT_BOOL);
	loss = mt_bce_with_logits_loss(x, hit, MT_NONE, MT_NONE, EACH);
	CHECK_NEAR_VALUES(mt_slice(loss, 0, 0, 4, 1), 0, 0, 0, 1000, 1000);
	CHECK_NEAR_VALUES(mt_slice(loss, 0, 4, 6, 1), 1e-19, exp(-30), exp(-30));
	CHECK_NEAR_VALUES(backward(loss, x), 1e-12, 0, 0, -2, 2, 2 * exp(-30), -2 * exp(-30));
	x = LEAF(INFINITY, -INFINITY, NAN);
	CHECK_VALUES(mt_bce_with_logits_loss(x, LEAF(0, 1, 1), MT_NONE, MT_NONE, EACH), INFINITY, INFINITY, NAN);
	row("gradients of weight and pos_weight");
	mt_tensor *w = LEAF(2, 3), *pos = LEAF(4);
	x = LEAF(0, 0);
	loss = mt_bce_with_logits_loss(x, LEAF(1, 0), w, pos, MT_REDUCTION_SUM);
	CHECK_NEAR_VALUES(loss, 1e-5, 11 * log(2));
	backward(loss, x);
	CHECK_NEAR_VALUES(mt_grad(w), 1e-5, -8 * log(2), -2 * log(2));
	CHECK_NEAR_VALUES(mt_grad(pos), 1e-5, -4 * log(2));
	CHECK_NEAR_VALUES(mt_grad(x), 1e-5, 8, -3);
}

static void special_on_device(void) {
	row("smooth_l1 and huber at knees, 0, infinities, NaN");
	mt_tensor *zero = mt_zeros(MT_SHAPE0, MT_F32);
	mt_tensor *x = LEAF(2, -2, 0, INFINITY, -INFINITY, NAN, 3), *loss = mt_smooth_l1_loss(x, zero, 2, EACH);
	CHECK_VALUES(loss, 1, 1, 0, INFINITY, INFINITY, NAN, 2);
	CHECK_VALUES(backward(loss, x), -2, 2, 0, -2, 2, NAN, -2);
	x = LEAF(2, -2, 0, INFINITY, -INFINITY, NAN, 3);
	loss = mt_huber_loss(x, zero, 2, EACH);
	CHECK_VALUES(loss, 2, 2, 0, INFINITY, INFINITY, NAN, 4);
	CHECK_VALUES(backward(loss, x), -4, 4, 0, -4, 4, NAN, -4);
	CHECK_VALUES(mt_huber_loss(LEAF(5), zero, INFINITY, EACH), 12.5);
	x = LEAF(3, -3, 0);
	loss = mt_smooth_l1_loss(x, zero, 0, EACH);
	CHECK_VALUES(loss, 3, 3, 0);
	CHECK_VALUES(backward(loss, x), -2, 2, 0);
	row("kl_div where the target is 0");
	mt_tensor *l = LEAF(-INFINITY, -1, -INFINITY, NAN), *t = LEAF(0, 1, 0.5f, 0);
	loss = mt_kl_div(l, t, EACH);
	CHECK_VALUES(loss, 0, 1, INFINITY, 0);
	CHECK_VALUES(backward(loss, l), 0, 2, 1, 0);
	CHECK_NEAR_VALUES(mt_grad(t), 0, 0, -4, -INFINITY, 0);
}

static void special(void) {
	each_backend(mse_on_device);
	each_backend(bce_on_device);
	each_backend(special_on_device);
}

/* ---- errors ------------------------------------------------------------------------------------------------------- */

static void errors(void) {
	mt_tensor *x = mt_zeros(MT_SHAPE(4), MT_F32), *column = mt_zeros(MT_SHAPE(4, 1), MT_F32);
	MT_CHECK(mt_mse_loss(x, x, -1) == NULL);
	CHECK_ERROR(MT_E_ARG, "mse_loss: reduction is -1");
	MT_CHECK(mt_mse_loss(x, mt_zeros(MT_SHAPE(3), MT_F32), 0) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "mse_loss: shapes [4] and [3] do not broadcast");
	MT_CHECK(mt_huber_loss(x, mt_zeros(MT_SHAPE(3), MT_F32), 1, 0) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "huber_loss: shapes [4] and [3]");
	MT_CHECK(mt_bce_loss(x, column, 0) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "bce_loss: p is f32[4], y is f32[4, 1]; one shape is needed");
	MT_CHECK(mt_bce_with_logits_loss(x, column, MT_NONE, MT_NONE, 0) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "bce_with_logits_loss: x is f32[4], y is f32[4, 1]");
	MT_CHECK(mt_bce_with_logits_loss(x, x, column, MT_NONE, 0) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "weight is f32[4, 1], which does not broadcast to x, f32[4]");
	MT_CHECK(mt_bce_with_logits_loss(x, x, MT_NONE, mt_zeros(MT_SHAPE(3), MT_F32), 0) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "pos_weight is f32[3]");
	MT_CHECK(mt_bce_with_logits_loss(x, x, MT_NONE, NULL, 0) == NULL);
	CHECK_ERROR(MT_E_NULL, "pos_weight");
	MT_CHECK(mt_l1_loss(x, x, 3) == NULL);
	CHECK_ERROR(MT_E_ARG, "l1_loss: reduction is 3");
	MT_CHECK(mt_l1_loss(x, NULL, 0) == NULL);
	CHECK_ERROR(MT_E_NULL, "l1_loss");
	MT_CHECK(mt_smooth_l1_loss(x, x, -1, 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "smooth_l1_loss: beta is -1");
	MT_CHECK(mt_smooth_l1_loss(x, x, NAN, 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "smooth_l1_loss: beta is nan");
	MT_CHECK(mt_huber_loss(x, x, 0, 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "huber_loss: delta is 0");
	MT_CHECK(mt_kl_div(MT_NONE, x, 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "kl_div");
}

static const mt_test_case cases[] = {{"values", values}, {"special", special}, {"errors", errors}, {0}};
static const mt_test_suite suites[] = {{"loss_pairs", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
