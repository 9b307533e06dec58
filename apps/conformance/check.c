#include "check.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dtype.h"
#include "run.h"

/* ---- tolerances ---- */

static const struct tolerance_row {
	int32_t kernel, op;
	double units;
} tolerances[] = {
#define CF_TOLERANCE(KERNEL, op, units, reason) {MT_K_##KERNEL, op, units},
#include "tolerance.def"
#undef CF_TOLERANCE
};

double cf_units(int32_t kernel, int32_t op) {
	double units = 0;
	for (size_t i = 0; i < sizeof tolerances / sizeof *tolerances; i++) {
		if (tolerances[i].kernel == kernel && tolerances[i].op == op)
			return tolerances[i].units;
		if (tolerances[i].kernel == kernel && tolerances[i].op == 0)
			units = tolerances[i].units;
	}
	return units;
}

static int terms_repeat;

void cf_begin_checks(const struct cf_case *c) {
	terms_repeat = c->in >= CF_BROADCAST;
}

double cf_units_sum(int32_t kernel, int32_t op, int32_t dtype, int64_t n) {
	double terms = (double)(n > 1 ? n : 1);
	double units = cf_units(kernel, op) * (terms_repeat ? terms : sqrt(terms));
	int32_t sums = cf_side_dtype(dtype);
	return sums == dtype ? units : 1 + units * cf_unit(sums) / cf_unit(dtype);
}

/* ---- one element ---- */

/* How far off an element is and may be: a failure unless error <= allowed. */
struct distance {
	long double error, allowed;
};

static struct distance all_or_nothing(int same) {
	return (struct distance){same ? 0 : INFINITY, 0};
}

static struct distance float_distance(int32_t dtype, double got, long double expected, long double scale,
                                      double units) {
	if (isnan(expected))
		return all_or_nothing(isnan(got));
	if (isinf(expected))
		return all_or_nothing(got == (double)expected);
	long double unit = cf_unit(dtype), largest = cf_largest(dtype);
	struct distance d = {fabsl(got - expected),
	                     units * unit * (fabsl(expected) + scale) + (units + 1) * unit * cf_tiny(dtype)};
	/* near the top of the range infinity is a right rounding too */
	if (isinf(got) && fabsl(expected) + d.allowed + 4 * unit * (1 + units) * largest >= largest)
		return all_or_nothing(!signbit(got) == !signbit(expected));
	if (isnan(d.error))
		d.error = INFINITY;
	return d;
}

static struct distance distance_of(const struct cf_array *a, int64_t e, long double expected, long double scale,
                                   double units) {
	if (cf_is_float(a->array.dtype))
		return float_distance(a->array.dtype, a->values[e], expected, scale, units);
	if (a->integers == NULL) /* bool: one byte, 0 or 1 */
		return all_or_nothing(a->values[e] == (expected != 0));
	int64_t want = cf_round_integer(a->array.dtype, expected);
	return (struct distance){fabsl((long double)a->integers[e] - want), 0};
}

/* By how much more than allowed: > 1 fails. */
static long double excess(struct distance d) {
	return d.allowed > 0 ? d.error / d.allowed : d.error > 0 ? INFINITY : 0;
}

/* ---- the worst element ---- */

static void describe_index(char *out, size_t size, const struct cf_array *a, int64_t e) {
	int64_t index[MT_MAX_RANK];
	size_t used = 1;
	cf_unravel(e, a->array.rank, a->array.shape, index);
	snprintf(out, size, "[");
	for (int d = 0; d < a->array.rank && used < size; d++)
		used += (size_t)snprintf(out + used, size - used, "%s%" PRId64, d ? ", " : "", index[d]);
	if (used < size)
		snprintf(out + used, size - used, "]");
}

static void record(struct cf_run *r, const struct cf_array *a, int64_t e, int64_t wrong, const char *name) {
	struct cf_result *t = &r->result;
	t->outcome = CF_FAILED;
	snprintf(t->output, sizeof t->output, "%s", name);
	describe_index(t->index, sizeof t->index, a, e);
	snprintf(t->words, sizeof t->words, "%" PRId64 " of %" PRId64 " elements of %s wrong", wrong, a->numel, name);
}

int cf_check(struct cf_run *r, const struct cf_array *got, const long double *expected, const long double *scale,
             double units, const char *name) {
	long double worst = 0;
	int64_t at = -1, wrong = 0;
	struct distance of_worst = {0, 0};
	if (r->result.outcome == CF_FAILED)
		return 0;
	r->checked = 1;
	for (int64_t e = 0; e < got->numel; e++) {
		struct distance d = distance_of(got, e, expected[e], scale != NULL ? scale[e] : 0, units);
		long double x = excess(d);
		wrong += !(x <= 1);
		if (!(x <= worst) && !(x <= 1)) {
			worst = x;
			of_worst = d;
			at = e;
		}
	}
	if (at < 0)
		return 1;
	struct cf_result *t = &r->result;
	record(r, got, at, wrong, name);
	if (got->integers != NULL)
		snprintf(t->got, sizeof t->got, "%" PRId64, got->integers[at]);
	else
		snprintf(t->got, sizeof t->got, "%.17g", got->values[at]);
	snprintf(t->expected, sizeof t->expected, "%.20Lg", expected[at]);
	snprintf(t->error, sizeof t->error, "%.3Lg", of_worst.error);
	snprintf(t->tolerance, sizeof t->tolerance, "%.3Lg", of_worst.allowed);
	return 0;
}

int cf_check_integers(struct cf_run *r, const struct cf_array *got, const int64_t *expected, const char *name) {
	int64_t at = -1, wrong = 0;
	if (r->result.outcome == CF_FAILED)
		return 0;
	r->checked = 1;
	for (int64_t e = 0; e < got->numel; e++) {
		int64_t value = got->integers != NULL ? got->integers[e] : (int64_t)got->values[e];
		if (value != expected[e]) {
			at = at < 0 ? e : at;
			wrong++;
		}
	}
	if (at < 0)
		return 1;
	struct cf_result *t = &r->result;
	int64_t value = got->integers != NULL ? got->integers[at] : (int64_t)got->values[at];
	record(r, got, at, wrong, name);
	snprintf(t->got, sizeof t->got, "%" PRId64, value);
	snprintf(t->expected, sizeof t->expected, "%" PRId64, expected[at]);
	snprintf(t->error, sizeof t->error, "%.6Lg", fabsl((long double)value - expected[at]));
	snprintf(t->tolerance, sizeof t->tolerance, "0");
	return 0;
}
