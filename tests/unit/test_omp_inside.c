/* Ops that a program calls within an OpenMP parallel region of its own, from a thread that isn't its first: kernels of the
 * omp backend that keep a buffer for each of their threads must not go by that region's numbers. */
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

enum { TEAM = 48, ROWS = 2, LENGTH = 16384 };

static mt_tensor *softmax(mt_tensor *x) {
	return mt_softmax(x, 1);
}

static mt_tensor *log_softmax(mt_tensor *x) {
	return mt_log_softmax(x, 1);
}

static mt_tensor *layer_norm(mt_tensor *x) {
	return mt_layer_norm(x, 1, MT_NONE, MT_NONE, 1e-5);
}

static mt_tensor *cross_entropy(mt_tensor *x) {
	return mt_cross_entropy(x, mt_zeros(MT_SHAPE(ROWS), MT_I64), MT_NONE, (mt_loss_options){0});
}

typedef mt_tensor *(*op_fn)(mt_tensor *x);

static const struct {
	const char *name;
	op_fn op;
} ops[] = {
	{"softmax", softmax}, {"log_softmax", log_softmax}, {"layer_norm", layer_norm}, {"cross_entropy", cross_entropy}};

/* The gradient of Σ op(x)² with respect to x, which has both op's kernels in it; the caller frees it. */
static double *calculate(op_fn op, mt_dtype dtype) {
	mt_scope *scope = mt_scope_begin();
	mt_tensor *x = mt_requires_grad_(random_like(MT_SHAPE(ROWS, LENGTH), dtype, -3, 3, 1), 1);
	mt_status status = mt_backward(mt_sum(mt_square(op(x)), MT_ALL_AXES, 0));
	double *gradient = status == MT_OK ? elements(mt_grad(x)) : NULL;
	mt_scope_end(scope);
	return gradient;
}

static void compare(op_fn op, mt_dtype dtype) {
	double *outside = calculate(op, dtype), *inside = NULL;
	mt_device *device = mt_device_current();
	int number = 0;
#pragma omp parallel num_threads(TEAM)
	if (omp_get_thread_num() == omp_get_num_threads() - 1 && mt_device_use(device) == MT_OK) {
		number = omp_get_thread_num();
		inside = calculate(op, dtype);
	}
	MT_CHECK_MSG(number > 0, "there is no other thread: OMP_THREAD_LIMIT?");
	MT_CHECK(outside != NULL && inside != NULL && memcmp(outside, inside, sizeof *inside * ROWS * LENGTH) == 0);
	free(outside);
	free(inside);
}

static void last_thread(void) {
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16, MT_BF16};
	MT_REQUIRE(mt_device_use(mt_device_open("omp:threads=1")) == MT_OK);
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++) {
			row("%s %s", ops[i].name, mt_dtype_name(dtypes[d]));
			compare(ops[i].op, dtypes[d]);
		}
}

static const mt_test_case cases[] = {{"last_thread", last_thread}, {0}};
static const mt_test_suite suites[] = {{"omp_inside", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
