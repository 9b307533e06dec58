/* The cases of cross_entropy and its gradient, and the quantities both are made of. */
#ifndef CONFORMANCE_ENTROPY_CASES_H
#define CONFORMANCE_ENTROPY_CASES_H

#include "family_nn.h"

enum cf_entropy_param {
	CF_ENTROPY_N,
	CF_ENTROPY_C,
	CF_ENTROPY_WEIGHT,
	CF_ENTROPY_SMOOTHING, /* thousandths */
	CF_ENTROPY_IGNORE,    /* ignore_index: a class, or a number that is none */
	CF_ENTROPY_BAD,       /* a target out of range: 1 above, 2 below */
	CF_ENTROPY_PARAMS
};

extern const struct cf_param cf_entropy_params[CF_ENTROPY_PARAMS];
extern const struct cf_op cf_entropy_op;

int cf_entropy_valid(const struct cf_case *c);
/* n_params: as many of cf_entropy_params as the family has. */
void cf_entropy_each(cf_emit_fn emit, void *context, int n_params);
void cf_entropy_draw(struct cf_random *r, struct cf_case *c, int n_params);

/* The inputs of a case.  Every fourth row, and every row whose target happens to be it, has ignore_index. */
struct cf_entropy {
	struct cf_array *logits, *target, *weight;
	int64_t n, c, ignore;
	double smoothing, total_weight;
	long double *lse; /* n of them */
};

struct cf_entropy cf_entropy_of(struct cf_run *r, const struct cf_case *c);
double cf_entropy_weight(const struct cf_entropy *x, int64_t class);

#endif
