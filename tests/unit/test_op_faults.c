/* Every host allocation of an op, of its gradient and of the gradient's gradient fails once: NULL or a status with a
 * message, nothing crashes or stays behind. */
#include <math.h>
#include <stdlib.h>

#include "failing.h"
#include "mt/mt.h"
#include "mt_test.h"

/* ---- the ops ------------------------------------------------------------------------------------------------------ */

static mt_tensor *index_of(mt_tensor *x) {
	return mt_argsort(mt_detach(x), 1, 0);
}

static mt_tensor *classes(void) {
	return mt_from_data(MT_SHAPE(3), MT_I64, (const int64_t[]){2, 0, 3});
}

/* a: [3, 4] in (0, 1).  NULL after the last one. */
static mt_tensor *apply(int op, mt_tensor *a, int *last) {
	static const int64_t pads[] = {1, 2, 0, 1}, times[] = {2, 1, 3};
	const mt_loss_options options = {.has_ignore_index = 1, .ignore_index = 0};
	mt_tensor *b = mt_square(a);
	if (b == NULL)
		return NULL;
	switch (op) {
	case 0:
		return mt_prod(a, MT_AXES(0), 0);
	case 1:
		return mt_max(a, MT_ALL_AXES, 0);
	case 2:
		return mt_max_dim(a, 1, 0, NULL);
	case 3:
		return mt_var(a, MT_AXES(1), 1, 0);
	case 4:
		return mt_std(a, MT_AXES(1), 1, 1);
	case 5:
		return mt_norm(a, 3, MT_AXES(0), 0);
	case 6:
		return mt_norm(a, INFINITY, MT_ALL_AXES, 0);
	case 7:
		return mt_logsumexp(a, MT_AXES(0), 0);
	case 8:
		return mt_cumsum(a, 0);
	case 9:
		return mt_cumprod(a, 1);
	case 10:
		return mt_sort(a, 1, 1, NULL);
	case 11:
		return mt_topk(a, 2, 1, 1, &(mt_tensor *){NULL});
	case 12:
		return mt_einsum("ij,kj->ki", MT_TENSORS(a, b));
	case 13:
		return mt_einsum("i...,i...", MT_TENSORS(a, b));
	case 14:
		return mt_gather(a, 1, index_of(a));
	case 15:
		return mt_scatter_add(a, 1, index_of(a), b);
	case 16:
		return mt_index_select(a, 1, classes());
	case 17:
		return mt_masked_fill(a, mt_gt(a, b), mt_f(2));
	case 18:
		return mt_mul(mt_one_hot(index_of(a), 4, MT_F64), mt_unsqueeze(a, -1));
	case 19:
		return mt_tril(a, 1);
	case 20:
		return mt_diagonal(a, 1, 0, 1);
	case 21:
		return mt_pad(a, 2, pads, MT_PAD_CONSTANT, mt_f(1));
	case 22:
		return mt_pad(a, 2, pads, MT_PAD_REFLECT, mt_f(1));
	case 23:
		return mt_pad(a, 2, pads, MT_PAD_REPLICATE, mt_f(1));
	case 24:
		return mt_roll(a, 1, 1);
	case 25:
		return mt_repeat(a, 3, times);
	case 26:
		return mt_mse_loss(a, b, MT_REDUCTION_MEAN);
	case 27:
		return mt_huber_loss(a, b, 0.5, MT_REDUCTION_SUM);
	case 28:
		return mt_kl_div(a, b, MT_REDUCTION_NONE);
	case 29:
		return mt_bce_loss(a, b, MT_REDUCTION_MEAN);
	case 30:
		return mt_bce_with_logits_loss(a, b, b, b, MT_REDUCTION_MEAN);
	case 31:
		return mt_cross_entropy(mt_pad(a, 1, pads, 0, mt_f(0)), classes(), MT_NONE, options);
	case 32:
		return mt_nll_loss(mt_unsqueeze(a, -1), mt_unsqueeze(classes(), 1), mt_ones(MT_SHAPE(4), MT_F64), options);
	default:
		*last = 1;
		return NULL;
	}
}

/* The op, d/da, and d/da of that. */
static mt_status run(int op, int *last) {
	static const double values[12] = {0.1, 0.5, 0.3, 0.9, 0.7, 0.2, 0.6, 0.4, 0.8, 0.15, 0.35, 0.55};
	const mt_gradients_options options = {.create_graph = 1, .allow_unused = 1};
	mt_tensor *a = mt_requires_grad_(mt_from_data(MT_SHAPE(3, 4), MT_F64, values), 1), *g, *gg, *y;
	y = a != NULL ? mt_sum(apply(op, a, last), MT_ALL_AXES, 0) : NULL;
	if (y == NULL || mt_gradients(&y, 1, NULL, &a, 1, options, &g) != MT_OK)
		return mt_error_peek() != MT_OK || *last ? mt_error_peek() : MT_E_INTERNAL;
	g = mt_sum(mt_mul(g, a), MT_ALL_AXES, 0);
	if (g == NULL || mt_gradients(&g, 1, NULL, &a, 1, options, &gg) != MT_OK)
		return mt_error_peek() != MT_OK ? mt_error_peek() : MT_E_INTERNAL;
	return MT_OK;
}

/* With allocation n failing; 1 where it was not reached. */
static int run_failing(int op, long n) {
	mt_scope *scope = mt_scope_begin();
	mt_status status;
	int last = 0;
	int64_t tensors = mt_live_tensors();
	long before = failing_outstanding;
	mt_test_row("op %d, allocation %ld", op, n);
	failing_countdown = n;
	mt_status result = run(op, &last);
	int reached = failing_countdown < 0;
	failing_countdown = -1;
	mt_error_take(&status);
	mt_scope_end(scope);
	MT_CHECK_MSG(result == status, "result %d, error %d", (int)result, (int)status);
	MT_CHECK_MSG(reached || result == MT_OK, "result %d without a failure", (int)result);
	MT_CHECK_INT(mt_live_tensors(), tensors);
	MT_CHECK_MSG(failing_outstanding <= before + 8, "%ld blocks stayed",
	             failing_outstanding - before); /* caches and slabs may grow */
	return !reached;
}

static void sweep(void) {
	enum { MOST = 5000 };
	mt_device_use(mt_device_open("naive"));
	long failures = 0;
	int op = 0;
	for (int last = 0;; op++) {
		mt_scope *scope = mt_scope_begin();
		mt_status status = run(op, &last); /* warm: slabs are there */
		mt_scope_end(scope);
		mt_error_take(NULL);
		if (last)
			break;
		MT_CHECK_INT(status, MT_OK);
		long n = 0;
		while (n < MOST && !run_failing(op, n))
			n++;
		MT_CHECK(n < MOST);
		failures += n;
	}
	mt_test_row("all");
	MT_CHECK_INT(op, 33);
	MT_CHECK_MSG(failures > 30, "%ld allocations", failures);
	mt_test_note("%d ops, %ld allocations failed, one by one", op, failures);
}

static const mt_test_case cases[] = {{"sweep", sweep}, {0}};
static const mt_test_suite suites[] = {{"op_faults", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	failing_install();
	return mt_test_main(argc, argv, suites);
}
