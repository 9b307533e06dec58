/* The cases of sgd and adam: a parameter with its state in the outputs' layout, a gradient in the inputs'. */
#ifndef CONFORMANCE_OPTIM_CASES_H
#define CONFORMANCE_OPTIM_CASES_H

#include "family_nn.h"

int cf_optim_valid(const struct cf_case *c);
/* Every layout and dtype with each row of parameters (n_rows rows of n_params), and special values; large arrays with
 * the first and some others. */
void cf_optim_each(cf_emit_fn emit, void *context, const struct cf_op *op, const int64_t *rows, size_t n_rows,
                   int n_params);
/* Shape and data. */
void cf_optim_draw(struct cf_random *r, struct cf_case *c);

/* A random array that is read and written. */
struct cf_array *cf_optim_state(struct cf_run *r, const struct cf_case *c, double low, double high);
/* Random; with NaN and infinities in CF_SPECIAL. */
struct cf_array *cf_optim_gradient(struct cf_run *r, const struct cf_case *c);
/* value itself, or (device: the dtype) in an array that overrides another value. */
mt_step_value cf_optim_value(struct cf_run *r, double value, int32_t device);

/* What an array is to be, and what may be lost of it. */
struct cf_optim_values {
	long double *value, *scale;
};

struct cf_optim_values cf_optim_values(struct cf_run *r, const struct cf_array *a);

#endif
