/* layer_norm, batch_norm and their gradients.  Both normalise sets of elements: a set is a row of x for layer_norm, and a
 * channel over images and space for batch_norm.  Means and variances: two passes in double. */
#include <math.h>

#include "element.h"

static double vector_get(const mt_array *v, int64_t i) {
	return get(v, i * v->stride[0]);
}

static void vector_put(const mt_array *v, int64_t i, double value) {
	put(v, i * v->stride[0], value);
}

static double or_else(const mt_array *v, int64_t i, double absent) {
	return v ? vector_get(v, i) : absent;
}

/* Element (i, j) of one set, i < n_outer, j < n_inner: at + i · outer + j · inner. */
struct set {
	const mt_array *array;
	int64_t at, outer, inner;
};

static double set_get(const struct set *s, int64_t i, int64_t j) {
	return get(s->array, s->at + i * s->outer + j * s->inner);
}

static void set_put(const struct set *s, int64_t i, int64_t j, double value) {
	put(s->array, s->at + i * s->outer + j * s->inner, value);
}

/* Channel c of [N, C, S]. */
static struct set channel(const mt_array *a, int64_t c) {
	struct set s = {a, c * a->stride[1], a->stride[0], a->stride[2]};
	return s;
}

/* Row m of [M, N]. */
static struct set row(const mt_array *a, int64_t m) {
	struct set s = {a, m * a->stride[0], 0, a->stride[1]};
	return s;
}

static void moments(const struct set *s, int64_t n_outer, int64_t n_inner, double *mean, double *variance) {
	double n = (double)(n_outer * n_inner), sum = 0, squares = 0;
	for (int64_t i = 0; i < n_outer; i++)
		for (int64_t j = 0; j < n_inner; j++)
			sum += set_get(s, i, j);
	*mean = sum / n;
	for (int64_t i = 0; i < n_outer; i++)
		for (int64_t j = 0; j < n_inner; j++) {
			double d = set_get(s, i, j) - *mean;
			squares += d * d;
		}
	*variance = squares / n;
}

/* ---- layer_norm ---- */

int32_t mt__naive_layer_norm(mt_queue *queue, const struct mt_layer_norm_args *args) {
	(void)queue;
	int64_t rows = args->x->shape[0], n = args->x->shape[1];
	for (int64_t m = 0; m < rows; m++) {
		struct set x = row(args->x, m), out = row(args->out, m);
		double mean, variance;
		moments(&x, 1, n, &mean, &variance);
		double rstd = 1 / sqrt(variance + args->eps);
		for (int64_t j = 0; j < n; j++)
			set_put(&out, 0, j,
			        (set_get(&x, 0, j) - mean) * rstd * or_else(args->weight, j, 1) + or_else(args->bias, j, 0));
		vector_put(args->mean, m, mean);
		vector_put(args->rstd, m, rstd);
	}
	return MT_OK;
}

static void layer_norm_grad_row(const struct mt_layer_norm_grad_args *args, int64_t m, int64_t n) {
	struct set g = row(args->gout, m), x = row(args->x, m), gx = row(args->gx, m);
	double mean = vector_get(args->mean, m), rstd = vector_get(args->rstd, m), mean_d = 0, mean_dh = 0;
	for (int64_t j = 0; j < n; j++) {
		double h = (set_get(&x, 0, j) - mean) * rstd, d = set_get(&g, 0, j) * or_else(args->weight, j, 1);
		mean_d += d / (double)n;
		mean_dh += d * h / (double)n;
	}
	for (int64_t j = 0; j < n; j++) {
		double h = (set_get(&x, 0, j) - mean) * rstd, d = set_get(&g, 0, j) * or_else(args->weight, j, 1);
		set_put(&gx, 0, j, rstd * (d - mean_d - h * mean_dh));
	}
}

int32_t mt__naive_layer_norm_grad(mt_queue *queue, const struct mt_layer_norm_grad_args *args) {
	(void)queue;
	int64_t rows = args->x->shape[0], n = args->x->shape[1];
	for (int64_t j = 0; j < n && (args->gweight || args->gbias); j++) {
		double gweight = 0, gbias = 0;
		for (int64_t m = 0; m < rows; m++) {
			struct set g = row(args->gout, m), x = row(args->x, m);
			double h = (set_get(&x, 0, j) - vector_get(args->mean, m)) * vector_get(args->rstd, m);
			gweight += set_get(&g, 0, j) * h;
			gbias += set_get(&g, 0, j);
		}
		if (args->gweight)
			vector_put(args->gweight, j, gweight);
		if (args->gbias)
			vector_put(args->gbias, j, gbias);
	}
	for (int64_t m = 0; m < rows && args->gx; m++)
		layer_norm_grad_row(args, m, n);
	return MT_OK;
}

/* ---- batch_norm ---- */

static void update_running(const mt_array *running, int64_t c, double momentum, double value) {
	if (running)
		vector_put(running, c, (1 - momentum) * vector_get(running, c) + momentum * value);
}

static void batch_norm_channel(const struct mt_batch_norm_args *args, int64_t c) {
	struct set x = channel(args->x, c), out = channel(args->out, c);
	int64_t images = args->x->shape[0], space = args->x->shape[2];
	double mean, variance, n = (double)(images * space);
	if (args->training) {
		moments(&x, images, space, &mean, &variance);
		/* One element alone has no unbiased variance: its 0 stays. */
		update_running(args->running_mean, c, args->momentum, mean);
		update_running(args->running_var, c, args->momentum, n > 1 ? variance * n / (n - 1) : variance);
	} else {
		mean = vector_get(args->running_mean, c);
		variance = vector_get(args->running_var, c);
	}
	double rstd = 1 / sqrt(variance + args->eps);
	double weight = or_else(args->weight, c, 1), bias = or_else(args->bias, c, 0);
	for (int64_t i = 0; i < images; i++)
		for (int64_t j = 0; j < space; j++)
			set_put(&out, i, j, (set_get(&x, i, j) - mean) * rstd * weight + bias);
	vector_put(args->mean, c, mean);
	vector_put(args->rstd, c, rstd);
}

int32_t mt__naive_batch_norm(mt_queue *queue, const struct mt_batch_norm_args *args) {
	(void)queue;
	for (int64_t c = 0; c < args->x->shape[1]; c++)
		batch_norm_channel(args, c);
	return MT_OK;
}

static void batch_norm_grad_channel(const struct mt_batch_norm_grad_args *args, int64_t c) {
	struct set g = channel(args->gout, c), x = channel(args->x, c);
	int64_t images = args->x->shape[0], space = args->x->shape[2];
	double mean = vector_get(args->mean, c), rstd = vector_get(args->rstd, c), sum_g = 0, sum_gh = 0;
	for (int64_t i = 0; i < images; i++)
		for (int64_t j = 0; j < space; j++) {
			sum_g += set_get(&g, i, j);
			sum_gh += set_get(&g, i, j) * (set_get(&x, i, j) - mean) * rstd;
		}
	if (args->gweight)
		vector_put(args->gweight, c, sum_gh);
	if (args->gbias)
		vector_put(args->gbias, c, sum_g);
	if (!args->gx)
		return;
	struct set gx = channel(args->gx, c);
	double n = (double)(images * space), weight = or_else(args->weight, c, 1);
	double mean_g = sum_g / n, mean_gh = sum_gh / n;
	for (int64_t i = 0; i < images; i++)
		for (int64_t j = 0; j < space; j++) {
			double spread = args->training ? mean_g + (set_get(&x, i, j) - mean) * rstd * mean_gh : 0;
			set_put(&gx, i, j, weight * rstd * (set_get(&g, i, j) - spread));
		}
}

int32_t mt__naive_batch_norm_grad(mt_queue *queue, const struct mt_batch_norm_grad_args *args) {
	(void)queue;
	for (int64_t c = 0; c < args->x->shape[1]; c++)
		batch_norm_grad_channel(args, c);
	return MT_OK;
}
