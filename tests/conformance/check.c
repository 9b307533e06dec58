#include "check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mt_test.h"

struct block {
	struct block *next;
	long double values[];
};

static struct block *blocks;

long double *kc_reference(int64_t count) {
	struct block *b = calloc(1, sizeof *b + (size_t)(count + 1) * sizeof b->values[0]);
	if (b == NULL)
		abort();
	b->next = blocks;
	blocks = b;
	return b->values;
}

void kc_reference_reset(void) {
	while (blocks != NULL) {
		struct block *b = blocks;
		blocks = b->next;
		free(b);
	}
}

void kc_unravel(int64_t e, int rank, const int64_t *shape, int64_t *index) {
	for (int d = rank - 1; d >= 0; d--) {
		index[d] = e % shape[d];
		e /= shape[d];
	}
}

int64_t kc_ravel(int rank, const int64_t *shape, const int64_t *index) {
	int64_t e = 0;
	for (int d = 0; d < rank; d++)
		e = e * shape[d] + index[d];
	return e;
}

/* How many times the allowance an error is; ≤ 1 passes. */
static double excess(int32_t dtype, double got, long double expected, long double scale, double units) {
	if (!kc_is_float(dtype)) /* as it is, or wrapped */
		return got == (double)expected || got == kc_round(dtype, expected) ? 0.0 : INFINITY;
	if (isnan(expected))
		return isnan(got) ? 0.0 : INFINITY;
	/* near the top of the range either the largest value or infinity is a right rounding */
	long double slack = 4 * (long double)kc_unit(dtype) * (1 + units);
	long double largest = kc_largest(dtype) * (1 - (slack < 0.5L ? slack : 0.5L));
	if (fabsl(expected) >= largest && fabs(got) >= largest)
		return !signbit(got) == !signbit(expected) ? 0.0 : INFINITY;
	long double unit = kc_unit(dtype);
	long double allowed = units * unit * (fabsl(expected) + scale) + (units + 1) * unit * kc_tiny(dtype);
	long double error = fabsl(got - expected);
	if (isnan(error))
		return INFINITY;
	return allowed > 0 ? (double)(error / allowed) : (error > 0 ? INFINITY : 0.0);
}

static void describe_index(char *out, size_t size, const struct kc_array *a, int64_t e) {
	int64_t index[MT_MAX_RANK];
	size_t used = 0;
	kc_unravel(e, a->array.rank, a->array.shape, index);
	out[0] = '\0';
	for (int d = 0; d < a->array.rank && used < size; d++)
		used += (size_t)snprintf(out + used, size - used, "%s%lld", d ? ", " : "", (long long)index[d]);
}

int kc_check(const struct kc_host *h, const struct kc_array *got, const long double *expected, const long double *scale,
             double units, const char *format, ...) {
	double worst = 0.0;
	int64_t at = 0;
	for (int64_t e = 0; e < got->numel; e++) {
		double x = excess(got->array.dtype, got->values[e], expected[e], scale != NULL ? scale[e] : 0, units);
		if (!(x <= worst)) {
			worst = x;
			at = e;
		}
	}
	if (worst <= 1.0)
		return 1;
	char index[128], what[256];
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	describe_index(index, sizeof index, got, at);
	return MT_CHECK_MSG(0, "%s: %s: at [%s] got %.17g, expected %.17Lg, %.3g times the allowance", h->label, what, index,
	                    got->values[at], expected[at], worst);
}
