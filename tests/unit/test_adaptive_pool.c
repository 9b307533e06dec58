/* adaptive_avg_pool: values against plain loops over its boxes; gradients; errors. */
#include <math.h>
#include <stdlib.h>

#include "linear.h"
#include "oracle.h"
#include "spatial.h"

static const struct adaptive_case {
	int n;
	int64_t batch, channels, s[3], size[3];
} adaptives[] = {
	{1, 2, 3, {12}, {4}},        /* equal windows */
	{1, 2, 3, {11}, {4}},        /* lengths 3 and 4, overlapping */
	{1, 1, 2, {5}, {5}},         /* each alone */
	{1, 1, 2, {3}, {6}},         /* longer than x, evenly */
	{1, 2, 2, {5}, {8}},         /* longer than x, lengths 1 and 2 */
	{1, 1, 1, {1}, {7}},         /* one for all */
	{2, 2, 3, {7, 9}, {1, 1}},   /* all in one */
	{2, 2, 3, {8, 9}, {4, 3}},   /* equal along both */
	{2, 2, 2, {8, 7}, {4, 3}},   /* equal along the first */
	{2, 1, 2, {7, 10}, {5, 4}},  /* along neither */
	{2, 0, 2, {7, 10}, {5, 4}},  /* no images */
	{2, 2, 8, {33, 40}, {7, 7}}, /* larger */
	{3, 1, 2, {4, 5, 7}, {2, 5, 3}},
	{3, 2, 1, {5, 7, 3}, {2, 3, 4}},
};

static double box_average(const struct adaptive_case *c, const double *plane, const int64_t *o) {
	int64_t begin[3] = {0, 0, 0}, length[3] = {1, 1, 1}, s[3], at[3];
	double sum = 0;
	extents(c->n, c->s, s);
	for (int d = 0; d < c->n; d++) {
		begin[d] = (int64_t)floor((double)(o[d] * c->s[d]) / (double)c->size[d]);
		length[d] = (int64_t)ceil((double)((o[d] + 1) * c->s[d]) / (double)c->size[d]) - begin[d];
	}
	for (int64_t i = 0; i < cells(length); i++) {
		unravel(i, length, at);
		for (int d = 0; d < 3; d++)
			at[d] += begin[d];
		sum += plane[ravel(at, s)];
	}
	return sum / (double)cells(length);
}

static void check_adaptive(const struct adaptive_case *c, mt_tensor *x) {
	int64_t s[3], o[3], at[3], shape[5], i = 0;
	extents(c->n, c->s, s);
	extents(c->n, c->size, o);
	double *ex = elements(x), *want = malloc((size_t)(c->batch * c->channels * cells(o)) * sizeof *want + 1);
	MT_REQUIRE(ex != NULL && want != NULL);
	for (int64_t p = 0; p < c->batch * c->channels; p++)
		for (int64_t t = 0; t < cells(o); t++) {
			unravel(t, o, at);
			want[i++] = box_average(c, ex + p * cells(s), at);
		}
	mt_tensor *y = mt_adaptive_avg_pool(x, c->n, c->size);
	check_shape(y, c->n + 2, full_shape(shape, c->batch, c->channels, c->n, o), __FILE__, __LINE__, "y");
	MT_CHECK_INT(mt_tensor_dtype(y), mt_tensor_dtype(x));
	CHECK_CLOSE(y, want, i, 3 * rtol_of(mt_tensor_dtype(x)), 1);
	free(ex);
	free(want);
}

static void values_on_device(void) {
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16, MT_BF16};
	for (size_t i = 0; i < sizeof adaptives / sizeof *adaptives; i++)
		for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++)
			for (int l = 0; l < N_LAYOUTS; l++) {
				const struct adaptive_case *c = &adaptives[i];
				int64_t shape[5];
				mt_scope *scope = mt_scope_begin();
				row("adaptive %zu %s %s", i, mt_dtype_name(dtypes[d]), layout_name(l));
				full_shape(shape, c->batch, c->channels, c->n, c->s);
				check_adaptive(c, random_in(l, c->n + 2, shape, dtypes[d], -1, 1, i));
				mt_scope_end(scope);
			}
}

static void values(void) {
	each_backend(values_on_device);
}

static void known_on_device(void) {
	row("NaN and infinity reach the windows that hold them, and no other");
	const float v[] = {1, 2, NAN, 4, INFINITY};
	mt_tensor *x = mt_from_data(MT_SHAPE(1, 1, 5), MT_F32, v);
	CHECK_VALUES(mt_adaptive_avg_pool(x, 1, (const int64_t[]){3}), 1.5, NAN, INFINITY);
	row("integers are f32");
	mt_tensor *y = mt_adaptive_avg_pool(counting(MT_SHAPE(1, 1, 5), MT_I32), 1, (const int64_t[]){3});
	MT_CHECK_INT(mt_tensor_dtype(y), MT_F32);
	CHECK_VALUES(y, 0.5, 2, 3.5);
}

static void known(void) {
	each_backend(known_on_device);
}

static mt_tensor *apply(mt_tensor *x, const void *context) {
	const struct adaptive_case *c = context;
	return mt_adaptive_avg_pool(x, c->n, c->size);
}

/* Windows of 1, 2 and 4 cells: the sums are exact. */
static void gradients_on_device(void) {
	static const struct adaptive_case linear[] = {
		{1, 2, 1, {8}, {2}}, {1, 1, 2, {3}, {4}}, {2, 1, 2, {4, 3}, {2, 4}}, {3, 1, 1, {3, 2, 3}, {4, 1, 2}}};
	for (size_t i = 0; i < sizeof linear / sizeof *linear; i++) {
		int64_t shape[5];
		row("gradient %zu", i);
		full_shape(shape, linear[i].batch, linear[i].channels, linear[i].n, linear[i].s);
		check_linear(apply, &linear[i], linear[i].n + 2, shape, 0);
	}
}

static void gradients(void) {
	each_backend(gradients_on_device);
}

static void errors(void) {
	const int64_t two[] = {2, 2, 2}, zero[] = {2, 0};
	mt_tensor *x = mt_zeros(MT_SHAPE(1, 1, 4, 4), MT_F32);
	MT_CHECK(mt_adaptive_avg_pool(x, 0, two) == NULL);
	CHECK_ERROR(MT_E_ARG, "adaptive_avg_pool: n is 0; 1 to 3 spatial dims are possible");
	MT_CHECK(mt_adaptive_avg_pool(x, 4, two) == NULL);
	CHECK_ERROR(MT_E_ARG, "n is 4");
	MT_CHECK(mt_adaptive_avg_pool(x, 3, two) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "x is f32[1, 1, 4, 4]; 5 dims are needed");
	MT_CHECK(mt_adaptive_avg_pool(x, 2, zero) == NULL);
	CHECK_ERROR(MT_E_ARG, "size[1] is 0");
	MT_CHECK(mt_adaptive_avg_pool(x, 2, NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "size");
	MT_CHECK(mt_adaptive_avg_pool(NULL, 2, two) == NULL);
	CHECK_ERROR(MT_E_NULL, "x");
	MT_CHECK(mt_adaptive_avg_pool(mt_zeros(MT_SHAPE(1, 1, 4, 0), MT_F32), 2, two) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "nothing to average along spatial dim 1");
}

static const mt_test_case cases[] = {
	{"values", values}, {"known", known}, {"gradients", gradients}, {"errors", errors}, {0}};
static const mt_test_suite suites[] = {{"adaptive_pool", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
