/* layer_norm and batch_norm are one computation over groups of elements.  layer_norm's groups are the rows of [M, N],
 * with weight and bias by column; batch_norm's are the channels of [N, C, S], with weight and bias by channel. */
#ifndef CONFORMANCE_NORM_CASES_H
#define CONFORMANCE_NORM_CASES_H

#include "family_nn.h"

struct cf_norm {
	int is_batch;
	int rank;
	int64_t shape[3];
	int64_t groups, params; /* how many statistics, how many weights */
	int64_t count;          /* elements of a group */
};

struct cf_norm cf_layer_norm_of(int64_t rows, int64_t columns);
struct cf_norm cf_batch_norm_of(int64_t images, int64_t channels, int64_t space);

int64_t cf_norm_group(const struct cf_norm *n, int64_t e);
int64_t cf_norm_param(const struct cf_norm *n, int64_t e);
/* The dtype of weight and bias: x's for layer_norm, the side dtype for batch_norm. */
int32_t cf_norm_param_dtype(const struct cf_norm *n, int32_t dtype);

/* x as both families make it: centre ± spread (thousandths), with a NaN now and then in CF_SPECIAL. */
struct cf_array *cf_norm_input(struct cf_run *r, const struct cf_case *c, const struct cf_norm *n, int64_t centre,
                               int64_t spread);

/* Mean and biased variance of each group, and what may be lost of them: mean_scale, var_scale. */
struct cf_moments {
	long double *mean, *var, *mean_scale, *var_scale;
};

struct cf_moments cf_norm_moments(struct cf_run *r, const struct cf_norm *n, const struct cf_array *x);

/* 1 / sqrt(var + eps) of each group, in place of var and var_scale. */
void cf_norm_rstd(const struct cf_norm *n, struct cf_moments *m, double eps);

/* (x − mean) rstd weight + bias, and what may be lost of it.  m: after cf_norm_rstd. */
void cf_norm_apply(const struct cf_norm *n, const struct cf_moments *m, const struct cf_array *x,
                   const struct cf_array *weight, const struct cf_array *bias, long double *out, long double *scale);

/* ---- gradients ---- */

/* gout, x, weight, mean, rstd given; gx, gweight, gbias wanted where not NULL. */
struct cf_norm_grad {
	struct cf_array *gout, *x, *weight, *mean, *rstd, *gx, *gweight, *gbias;
};

/* The arrays of a case; the flags say which of weight, gx, gweight, gbias there are. */
struct cf_norm_grad cf_norm_grad_of(struct cf_run *r, const struct cf_case *c, const struct cf_norm *n,
                                    const int64_t flags[4]);

/* The references of all three.  training = 0: mean and rstd are constants. */
struct cf_norm_grad_values {
	long double *gx, *gx_scale, *gweight, *gweight_scale, *gbias, *gbias_scale;
};

struct cf_norm_grad_values cf_norm_gradients(struct cf_run *r, const struct cf_norm *n, const struct cf_norm_grad *a,
                                             int training);
void cf_norm_check_gradients(struct cf_run *r, const struct cf_norm *n, const struct cf_norm_grad *a,
                             const struct cf_norm_grad_values *v, int32_t kernel);

#endif
