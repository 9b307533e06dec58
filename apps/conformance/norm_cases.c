#include "norm_cases.h"

#include <math.h>

struct cf_norm cf_layer_norm_of(int64_t rows, int64_t columns) {
	return (struct cf_norm){0, 2, {rows, columns}, rows, columns, columns};
}

struct cf_norm cf_batch_norm_of(int64_t images, int64_t channels, int64_t space) {
	return (struct cf_norm){1, 3, {images, channels, space}, channels, channels, images * space};
}

int64_t cf_norm_group(const struct cf_norm *n, int64_t e) {
	return n->is_batch ? e / n->shape[2] % n->shape[1] : e / n->shape[1];
}

int64_t cf_norm_param(const struct cf_norm *n, int64_t e) {
	return n->is_batch ? cf_norm_group(n, e) : e % n->shape[1];
}

int32_t cf_norm_param_dtype(const struct cf_norm *n, int32_t dtype) {
	return n->is_batch ? cf_side_dtype(dtype) : dtype;
}

struct cf_array *cf_norm_input(struct cf_run *r, const struct cf_case *c, const struct cf_norm *n, int64_t centre,
                               int64_t spread) {
	double middle = cf_thousandths(centre), half = cf_thousandths(spread);
	struct cf_array *x = cf_input(r, c->dtype, n->rank, n->shape, c->in, middle - half, middle + half);
	if (c->data == CF_SPECIAL)
		cf_nn_sprinkle(r, x, CF_NAN, 20);
	return x;
}

/* ---- forward ---- */

struct cf_moments cf_norm_moments(struct cf_run *r, const struct cf_norm *n, const struct cf_array *x) {
	struct cf_moments m = {cf_reference(r, n->groups), cf_reference(r, n->groups), cf_reference(r, n->groups),
	                       cf_reference(r, n->groups)};
	int32_t sums = cf_side_dtype(x->array.dtype);
	long double count = (long double)n->count;
	long double off = cf_units_sum(MT_K_BATCH_NORM, 0, sums, n->count) * cf_unit(sums);
	for (int64_t e = 0; e < x->numel; e++) {
		int64_t g = cf_norm_group(n, e);
		m.mean[g] += x->values[e] / count;
		m.mean_scale[g] += fabs(x->values[e]) / count;
	}
	for (int64_t e = 0; e < x->numel; e++) {
		int64_t g = cf_norm_group(n, e);
		long double d = x->values[e] - m.mean[g];
		m.var[g] += d * d / count;
	}
	/* deviations from a mean that is off by what the sum may lose: units of that again */
	for (int64_t g = 0; g < n->groups; g++)
		m.var_scale[g] = m.var[g] + off * m.mean_scale[g] * m.mean_scale[g];
	return m;
}

void cf_norm_rstd(const struct cf_norm *n, struct cf_moments *m, double eps) {
	for (int64_t g = 0; g < n->groups; g++) {
		long double rstd = 1 / sqrtl(m->var[g] + eps);
		m->var_scale[g] *= rstd * rstd * rstd / 2;
		m->var[g] = rstd;
	}
}

void cf_norm_apply(const struct cf_norm *n, const struct cf_moments *m, const struct cf_array *x,
                   const struct cf_array *weight, const struct cf_array *bias, long double *out, long double *scale) {
	for (int64_t e = 0; e < x->numel; e++) {
		int64_t g = cf_norm_group(n, e), p = cf_norm_param(n, e);
		long double d = x->values[e] - m->mean[g], w = cf_value_or(weight, p, 1), b = cf_value_or(bias, p, 0);
		out[e] = d * m->var[g] * w + b;
		scale[e] =
			((fabs(x->values[e]) + m->mean_scale[g]) * m->var[g] + fabsl(d) * m->var_scale[g]) * fabsl(w) + fabsl(b);
	}
}

/* ---- gradients ---- */

struct cf_norm_grad cf_norm_grad_of(struct cf_run *r, const struct cf_case *c, const struct cf_norm *n,
                                    const int64_t flags[4]) {
	int32_t side = cf_side_dtype(c->dtype), param = cf_norm_param_dtype(n, c->dtype);
	struct cf_norm_grad a = {
		.gout = cf_input(r, c->dtype, n->rank, n->shape, c->in, -2, 2),
		.x = cf_input(r, c->dtype, n->rank, n->shape, c->in, -3, 3),
		.weight = cf_input_if(r, flags[0], param, n->params, c->in, -2, 2),
		.mean = cf_input(r, side, 1, &n->groups, c->out, -0.5, 0.5),
		.rstd = cf_input(r, side, 1, &n->groups, (c->out + 2) % CF_OUT_LAYOUTS, 0.3, 1),
		.gx = flags[1] ? cf_new(r, CF_OUT, c->dtype, n->rank, n->shape, c->out) : NULL,
		.gweight = flags[2] ? cf_new(r, CF_OUT, param, 1, &n->params, c->out) : NULL,
		.gbias = flags[3] ? cf_new(r, CF_OUT, param, 1, &n->params, c->out) : NULL,
	};
	if (c->data == CF_SPECIAL)
		cf_nn_sprinkle(r, a.gout, CF_NAN, 20);
	return a;
}

/* Σ d and Σ d h of a group, d = gout · weight, and of the magnitudes. */
struct sums {
	long double d, dh, d_scale, dh_scale;
};

static long double hat_of(const struct cf_norm_grad *a, int64_t e, int64_t g) {
	return (a->x->values[e] - (long double)a->mean->values[g]) * a->rstd->values[g];
}

/* The magnitudes that hat_of adds. */
static long double hat_scale(const struct cf_norm_grad *a, int64_t e, int64_t g) {
	return (fabs(a->x->values[e]) + fabs(a->mean->values[g])) * a->rstd->values[g];
}

static struct sums sums_of(const struct cf_norm *n, const struct cf_norm_grad *a, int64_t g) {
	struct sums s = {0, 0, 0, 0};
	int64_t run = n->is_batch ? n->shape[2] : n->shape[1], every = n->is_batch ? n->shape[1] * run : n->count;
	for (int64_t i = 0; i < n->count; i++) {
		int64_t e = i / run * every + g * run + i % run;
		long double d = a->gout->values[e] * (long double)cf_value_or(a->weight, cf_norm_param(n, e), 1);
		s.d += d;
		s.dh += d * hat_of(a, e, g);
		s.d_scale += fabsl(d);
		s.dh_scale += fabsl(d) * hat_scale(a, e, g);
	}
	return s;
}

static void group_grad(const struct cf_norm *n, const struct cf_norm_grad *a, int64_t g, int training,
                       const struct cf_norm_grad_values *v) {
	struct sums s = sums_of(n, a, g);
	int64_t run = n->is_batch ? n->shape[2] : n->shape[1], every = n->is_batch ? n->shape[1] * run : n->count;
	long double count = (long double)n->count, rstd = a->rstd->values[g];
	for (int64_t i = 0; i < n->count; i++) {
		int64_t e = i / run * every + g * run + i % run, p = cf_norm_param(n, e);
		long double hat = hat_of(a, e, g), size = hat_scale(a, e, g), gout = a->gout->values[e];
		long double d = gout * cf_value_or(a->weight, p, 1);
		v->gx[e] = rstd * (training ? d - s.d / count - hat * (s.dh / count) : d);
		v->gx_scale[e] = rstd * (fabsl(d) + (training ? s.d_scale / count + size * (s.dh_scale / count) : 0));
		v->gweight[p] += gout * hat;
		v->gweight_scale[p] += fabsl(gout) * size;
		v->gbias[p] += gout;
		v->gbias_scale[p] += fabsl(gout);
	}
}

struct cf_norm_grad_values cf_norm_gradients(struct cf_run *r, const struct cf_norm *n, const struct cf_norm_grad *a,
                                             int training) {
	int64_t numel = a->x->numel;
	struct cf_norm_grad_values v = {cf_reference(r, numel),     cf_reference(r, numel),     cf_reference(r, n->params),
	                                cf_reference(r, n->params), cf_reference(r, n->params), cf_reference(r, n->params)};
	for (int64_t g = 0; g < n->groups; g++)
		group_grad(n, a, g, training, &v);
	return v;
}

void cf_norm_check_gradients(struct cf_run *r, const struct cf_norm *n, const struct cf_norm_grad *a,
                             const struct cf_norm_grad_values *v, int32_t kernel) {
	int64_t terms = n->params > 0 ? cf_numel(n->rank, n->shape) / n->params : 0;
	if (a->gx != NULL)
		cf_check_rounded(r, a->gx, v->gx, v->gx_scale, cf_sum_units(kernel, n->count), "gx");
	if (a->gweight != NULL)
		cf_check_rounded(r, a->gweight, v->gweight, v->gweight_scale, cf_sum_units(kernel, terms), "gweight");
	if (a->gbias != NULL)
		cf_check_rounded(r, a->gbias, v->gbias, v->gbias_scale, cf_sum_units(kernel, terms), "gbias");
}
