/* softmax and log_softmax: values against plain loops in long double, native against composed, special values, errors. */
#include <math.h>
#include <stdlib.h>

#include "ops/ops.h"
#include "oracle.h"

#define RANK 3
static const int64_t extents[RANK] = {3, 5, 4};

/* Along axis of a [3, 5, 4] array. */
static void plain_softmax(const double *x, int axis, int log, double *out) {
	int64_t step = axis == 0 ? 20 : axis == 1 ? 4 : 1, n = extents[axis];
	for (int64_t i = 0; i < 60; i++) {
		int64_t first = i - i / step % n * step;
		long double m = -INFINITY, sum = 0;
		for (int64_t j = 0; j < n; j++)
			m = fmaxl(m, x[first + j * step]);
		for (int64_t j = 0; j < n; j++)
			sum += expl(x[first + j * step] - m);
		out[i] = (double)(log ? x[i] - m - logl(sum) : expl(x[i] - m) / sum);
	}
}

static void values_on_device(void) {
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16, MT_BF16};
	for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++)
		for (int l = 0; l < N_LAYOUTS; l++)
			for (int axis = 0; axis < RANK; axis++)
				for (int log = 0; log < 2; log++) {
					mt_scope *scope = mt_scope_begin();
					row("%s %s axis %d log %d", mt_dtype_name(dtypes[d]), layout_name(l), axis, log);
					mt_tensor *x = random_in(l, RANK, extents, dtypes[d], -6, 6, d + 1);
					double *from = elements(x), want[60];
					plain_softmax(from, axis, log, want);
					int given = axis - RANK * (l % 2); /* from the end in some rows */
					CHECK_CLOSE(log ? mt_log_softmax(x, given) : mt_softmax(x, given), want, 60, 4 * rtol_of(dtypes[d]),
					            0.1);
					CHECK_CLOSE(mt__softmax_composed(x, axis, log), want, 60, 4 * rtol_of(dtypes[d]), 0.1);
					free(from);
					mt_scope_end(scope);
				}
}

static void values(void) {
	each_backend(values_on_device);
}

static void specials_on_device(void) {
	row("large values do not overflow");
	mt_tensor *x = mt_from_data(MT_SHAPE(3), MT_F32, (const float[]){10000, 10000, -10000});
	CHECK_NEAR_VALUES(mt_softmax(x, 0), 1e-6, 0.5, 0.5, 0);
	CHECK_NEAR_VALUES(mt_log_softmax(x, 0), 1e-2, -0.693147, -0.693147, -20000.693147);
	row("-inf has no weight");
	mt_tensor *masked = mt_from_data(MT_SHAPE(3), MT_F32, (const float[]){0, -INFINITY, 0});
	CHECK_NEAR_VALUES(mt_softmax(masked, 0), 1e-6, 0.5, 0, 0.5);
	CHECK_NEAR_VALUES(mt_log_softmax(masked, 0), 1e-6, -0.69314718, -INFINITY, -0.69314718);
	row("NaN, +inf and all -inf give NaN");
	CHECK_VALUES(mt_softmax(mt_from_data(MT_SHAPE(2), MT_F32, (const float[]){0, NAN}), 0), NAN, NAN);
	CHECK_VALUES(mt_softmax(mt_full(MT_SHAPE(2), MT_F32, mt_f(-INFINITY)), 0), NAN, NAN);
	CHECK_VALUES(mt_log_softmax(mt_full(MT_SHAPE(2), MT_F32, mt_f(-INFINITY)), 0), NAN, NAN);
	row("empty, one, integers");
	CHECK_SHAPE(mt_softmax(mt_zeros(MT_SHAPE(0, 3), MT_F32), 1), 0, 3);
	CHECK_SHAPE(mt_softmax(mt_zeros(MT_SHAPE(3, 0), MT_F32), 1), 3, 0);
	CHECK_VALUES(mt_softmax(mt_full(MT_SHAPE(2, 1), MT_F32, mt_f(7)), 1), 1, 1);
	CHECK_NEAR_VALUES(mt_softmax(mt_full(MT_SHAPE(2), MT_I32, mt_i(7)), 0), 1e-6, 0.5, 0.5);
}

static void special_values(void) {
	each_backend(specials_on_device);
}

static void errors(void) {
	MT_CHECK(mt_softmax(mt_zeros(MT_SHAPE(2), MT_F32), 1) == NULL);
	CHECK_ERROR(MT_E_ARG, "softmax: dim 1");
	MT_CHECK(mt_log_softmax(NULL, 0) == NULL);
	CHECK_ERROR(MT_E_NULL, "log_softmax");
}

static const mt_test_case cases[] = {{"values", values}, {"special_values", special_values}, {"errors", errors}, {0}};
static const mt_test_suite suites[] = {{"softmax", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
