/* softmax, log_softmax, cross_entropy, and their gradients: rows of double arithmetic, stabilised by the row's maximum. */
#include <math.h>

#include "element.h"
#include "lines.h"

/* A row of n elements, from `at` on, `stride` apart. */
struct row {
	const mt_array *array;
	int64_t at, stride, n;
};

static double row_get(const struct row *r, int64_t j) {
	return get(r->array, r->at + j * r->stride);
}

static double row_max(const struct row *r) {
	double m = -INFINITY;
	for (int64_t j = 0; j < r->n; j++)
		m = row_get(r, j) > m ? row_get(r, j) : m;
	return m;
}

static double row_sum_exp(const struct row *r, double m) {
	double sum = 0;
	for (int64_t j = 0; j < r->n; j++)
		sum += exp(row_get(r, j) - m);
	return sum;
}

/* ln Σ e^x; −inf and inf where the maximum is. */
static double row_log_sum_exp(const struct row *r) {
	double m = row_max(r);
	if (isinf(m))
		m = 0;
	return m + log(row_sum_exp(r, m));
}

/* ---- softmax ---- */

/* Walks the starts of the rows along axis; every operand has x's shape. */
static int64_t rows_begin(struct lines *l, const mt_array *x, int32_t axis) {
	int64_t shape[MT_MAX_RANK];
	for (int d = 0; d < x->rank; d++)
		shape[d] = d == axis ? 1 : x->shape[d];
	lines_begin(l, x->rank, shape);
	return x->rank > 0 ? x->shape[axis] : 1;
}

static struct row row_of(const mt_array *a, int32_t axis, int64_t n, int64_t at) {
	struct row r = {a, at, a->rank > 0 ? a->stride[axis] : 0, n};
	return r;
}

static void softmax_row(const struct row *x, const struct row *out, bool logarithm) {
	double m = row_max(x), sum = row_sum_exp(x, m);
	for (int64_t j = 0; j < x->n; j++) {
		double d = row_get(x, j) - m;
		put(out->array, out->at + j * out->stride, logarithm ? d - log(sum) : exp(d) / sum);
	}
}

int32_t mt__naive_softmax(mt_queue *queue, const struct mt_softmax_args *args) {
	(void)queue;
	struct lines l;
	int64_t n = rows_begin(&l, args->x, args->axis);
	lines_add(&l, args->x->stride);
	lines_add(&l, args->out->stride);
	do
		for (int64_t j = 0; j < l.length; j++) {
			struct row x = row_of(args->x, args->axis, n, l.at[0] + j * l.step[0]);
			struct row out = row_of(args->out, args->axis, n, l.at[1] + j * l.step[1]);
			softmax_row(&x, &out, args->log != 0);
		}
	while (lines_next(&l));
	return MT_OK;
}

static void softmax_grad_row(const struct row *g, const struct row *y, const struct row *gx, bool logarithm) {
	double sum = 0;
	for (int64_t j = 0; j < g->n; j++)
		sum += logarithm ? row_get(g, j) : row_get(g, j) * row_get(y, j);
	for (int64_t j = 0; j < g->n; j++) {
		double v = row_get(y, j);
		put(gx->array, gx->at + j * gx->stride, logarithm ? row_get(g, j) - exp(v) * sum : v * (row_get(g, j) - sum));
	}
}

int32_t mt__naive_softmax_grad(mt_queue *queue, const struct mt_softmax_grad_args *args) {
	(void)queue;
	struct lines l;
	int64_t n = rows_begin(&l, args->gx, args->axis);
	lines_add(&l, args->gout->stride);
	lines_add(&l, args->y->stride);
	lines_add(&l, args->gx->stride);
	do
		for (int64_t j = 0; j < l.length; j++) {
			struct row g = row_of(args->gout, args->axis, n, l.at[0] + j * l.step[0]);
			struct row y = row_of(args->y, args->axis, n, l.at[1] + j * l.step[1]);
			struct row gx = row_of(args->gx, args->axis, n, l.at[2] + j * l.step[2]);
			softmax_grad_row(&g, &y, &gx, args->log != 0);
		}
	while (lines_next(&l));
	return MT_OK;
}

/* ---- cross entropy ---- */

static double class_weight(const mt_array *weight, int64_t c) {
	return weight ? get(weight, c * weight->stride[0]) : 1;
}

static double vector_get(const mt_array *v, int64_t n) {
	return get(v, n * v->stride[0]);
}

static int32_t check_targets(const char *what, const mt_array *target, int64_t classes, int64_t ignore_index) {
	for (int64_t n = 0; n < target->shape[0]; n++) {
		int64_t t = get_integer(target, n * target->stride[0]);
		if (t != ignore_index && (t < 0 || t >= classes))
			return mt__naive_fail(MT_E_ARG, "%s: target %lld of row %lld is out of range [0, %lld)", what, (long long)t,
			                      (long long)n, (long long)classes);
	}
	return MT_OK;
}

int32_t mt__naive_cross_entropy(mt_queue *queue, const struct mt_cross_entropy_args *args) {
	(void)queue;
	const mt_array *logits = args->logits, *target = args->target;
	int64_t classes = logits->shape[1];
	int32_t status = check_targets("cross_entropy", target, classes, args->ignore_index);
	if (status != MT_OK)
		return status;
	double s = args->label_smoothing;
	for (int64_t n = 0; n < logits->shape[0]; n++) {
		struct row x = {logits, n * logits->stride[0], logits->stride[1], classes};
		double lse = row_log_sum_exp(&x), loss = 0;
		int64_t t = get_integer(target, n * target->stride[0]);
		put(args->lse, n * args->lse->stride[0], lse);
		if (t != args->ignore_index) {
			loss = (1 - s) * class_weight(args->weight, t) * (lse - row_get(&x, t));
			/* Without smoothing an infinite logit must not meet the factor 0. */
			for (int64_t c = 0; s != 0 && c < classes; c++)
				loss += s / (double)classes * class_weight(args->weight, c) * (lse - row_get(&x, c));
		}
		put(args->loss, n * args->loss->stride[0], loss);
	}
	return MT_OK;
}

int32_t mt__naive_cross_entropy_grad(mt_queue *queue, const struct mt_cross_entropy_grad_args *args) {
	(void)queue;
	const mt_array *logits = args->logits, *target = args->target, *out = args->glogits;
	int64_t classes = logits->shape[1];
	int32_t status = check_targets("cross_entropy_grad", target, classes, args->ignore_index);
	if (status != MT_OK)
		return status;
	double s = args->label_smoothing, share = s / (double)classes, weights = 0;
	for (int64_t c = 0; c < classes; c++)
		weights += class_weight(args->weight, c);
	for (int64_t n = 0; n < logits->shape[0]; n++) {
		int64_t t = get_integer(target, n * target->stride[0]);
		bool ignored = t == args->ignore_index;
		double w = ignored ? 0 : class_weight(args->weight, t);
		double gradient = vector_get(args->gloss, n), lse = vector_get(args->lse, n);
		for (int64_t c = 0; c < classes; c++) {
			double p = exp(get(logits, n * logits->stride[0] + c * logits->stride[1]) - lse);
			/* Not (1 − s) w (p − [c = t]) + …: an infinite p would meet a share of 0. */
			double g = gradient * (p * ((1 - s) * w + share * weights) - (1 - s) * w * (c == t) -
			                       share * class_weight(args->weight, c));
			put(out, n * out->stride[0] + c * out->stride[1], ignored ? 0 : g);
		}
	}
	return MT_OK;
}
