/* max_pool2d and avg_pool2d: values against plain loops over windows, paddings and layouts; errors. */
#include <math.h>
#include <stdlib.h>

#include "oracle.h"

struct pool_case {
	int64_t n, c, h, w;
	mt_pool_options o;
};

static const struct pool_case pools[] = {
	{2, 3, 6, 8, {{2, 2}, {0}, {0}, {0}, 0}},
	{1, 2, 7, 5, {{3, 2}, {2, 1}, {1, 1}, {0}, 0}},
	{1, 1, 5, 5, {{5, 5}, {0}, {2, 2}, {0}, 0}},
	{2, 1, 9, 9, {{3, 3}, {1, 2}, {1, 0}, {0}, 1}},
	{1, 2, 6, 6, {{2, 2}, {3, 3}, {1, 1}, {0}, 1}},
	{17, 2, 4, 4, {{2, 2}, {0}, {0}, {0}, 0}},
	{0, 2, 4, 4, {{2, 2}, {0}, {0}, {0}, 0}},
	{2, 2, 9, 8, {{3, 2}, {1, 2}, {1, 1}, {2, 3}, 0}}, /* dilated: max alone */
};
#define N_CASES (sizeof pools / sizeof *pools)

static int64_t or_else(int value, int absent) {
	return value == 0 ? absent : value;
}

static int64_t extent(int64_t s, const mt_pool_options *o, int i) {
	return (s + 2 * o->padding[i] - or_else(o->dilation[i], 1) * (o->kernel[i] - 1) - 1) /
	           or_else(o->stride[i], o->kernel[i]) +
	       1;
}

/* Cells of a window that lie inside the padded extent. */
static int64_t clipped(int64_t start, const mt_pool_options *o, int i, int64_t s) {
	int64_t end = start + o->kernel[i];
	return (end > s + o->padding[i] ? s + o->padding[i] : end) - start;
}

static double plain_pool(const struct pool_case *c, int is_max, const double *plane, int64_t oy, int64_t ox) {
	int64_t y0 = oy * or_else(c->o.stride[0], c->o.kernel[0]) - c->o.padding[0];
	int64_t x0 = ox * or_else(c->o.stride[1], c->o.kernel[1]) - c->o.padding[1], inside = 0;
	double sum = 0, largest = -INFINITY;
	for (int64_t ky = 0; ky < c->o.kernel[0]; ky++)
		for (int64_t kx = 0; kx < c->o.kernel[1]; kx++) {
			int64_t y = y0 + ky * or_else(c->o.dilation[0], 1), x = x0 + kx * or_else(c->o.dilation[1], 1);
			if (y < 0 || y >= c->h || x < 0 || x >= c->w)
				continue;
			double v = plane[y * c->w + x];
			sum += v;
			largest = v > largest || isnan(v) ? v : largest;
			inside++;
		}
	int64_t padded = clipped(y0, &c->o, 0, c->h) * clipped(x0, &c->o, 1, c->w);
	return is_max ? largest : sum / (double)(c->o.exclude_padding ? inside : padded);
}

static void check_pool(const struct pool_case *c, int is_max, mt_tensor *x) {
	int64_t oh = extent(c->h, &c->o, 0), ow = extent(c->w, &c->o, 1), i = 0;
	double *ex = elements(x), *want = malloc((size_t)(c->n * c->c * oh * ow) * sizeof *want + 1);
	MT_REQUIRE(ex != NULL && want != NULL);
	for (int64_t p = 0; p < c->n * c->c; p++)
		for (int64_t oy = 0; oy < oh; oy++)
			for (int64_t ox = 0; ox < ow; ox++)
				want[i++] = plain_pool(c, is_max, ex + p * c->h * c->w, oy, ox);
	mt_tensor *y = is_max ? mt_max_pool2d(x, c->o) : mt_avg_pool2d(x, c->o);
	CHECK_SHAPE(y, c->n, c->c, oh, ow);
	CHECK_CLOSE(y, want, i, 2 * rtol_of(mt_tensor_dtype(x)), 1);
	free(ex);
	free(want);
}

static void values_on_device(void) {
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16};
	for (size_t i = 0; i < N_CASES; i++)
		for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++)
			for (int l = 0; l < N_LAYOUTS; l++) {
				const struct pool_case *c = &pools[i];
				mt_scope *scope = mt_scope_begin();
				row("pool %zu %s %s", i, mt_dtype_name(dtypes[d]), layout_name(l));
				mt_tensor *x = random_in(l, MT_SHAPE(c->n, c->c, c->h, c->w), dtypes[d], -1, 1, i);
				check_pool(c, 1, x);
				if (c->o.dilation[0] <= 1)
					check_pool(c, 0, x);
				mt_scope_end(scope);
			}
}

static void values(void) {
	each_backend(values_on_device);
}

static void ties_on_device(void) {
	mt_pool_options o = {{2, 2}, {0}, {0}, {0}, 0};
	row("the first of equals, or the first NaN, takes the gradient");
	const float v[] = {1, 1, NAN, 2, 1, 1, 5, NAN};
	mt_tensor *x = mt_requires_grad_(mt_from_data(MT_SHAPE(1, 1, 2, 4), MT_F32, v), 1);
	mt_tensor *y = mt_max_pool2d(x, o);
	CHECK_VALUES(y, 1, NAN);
	MT_CHECK_INT(mt_backward_from(y, mt_from_data(MT_SHAPE(1, 1, 1, 2), MT_F32, (const float[]){3, 7}), 0), MT_OK);
	CHECK_VALUES(mt_grad(x), 3, 0, 7, 0, 0, 0, 0, 0);
	row("all -inf");
	CHECK_VALUES(mt_max_pool2d(mt_full(MT_SHAPE(1, 1, 2, 2), MT_F32, mt_f(-INFINITY)), o), -INFINITY);
}

static void ties(void) {
	each_backend(ties_on_device);
}

static void errors(void) {
	mt_tensor *x = mt_zeros(MT_SHAPE(1, 1, 4, 4), MT_F32);
	struct {
		mt_pool_options o;
		int is_max;
		mt_status status;
		const char *part;
	} rows[] = {
		{{{0}, {0}, {0}, {0}, 0}, 1, MT_E_ARG, "max_pool2d: options.kernel[0] is 0"},
		{{{2, -1}, {0}, {0}, {0}, 0}, 1, MT_E_ARG, "options.kernel[1] is -1"},
		{{{2, 2}, {-1}, {0}, {0}, 0}, 0, MT_E_ARG, "avg_pool2d: options.stride[0] is -1"},
		{{{2, 2}, {0}, {2, 0}, {0}, 0}, 1, MT_E_ARG, "options.padding[0] is 2"},
		{{{2, 2}, {0}, {0}, {2, 2}, 0}, 0, MT_E_ARG, "options.dilation[0] is 2"},
		{{{5, 5}, {0}, {0}, {0}, 0}, 1, MT_E_SHAPE, "longer than x"},
		{{{2, 2}, {0}, {0}, {2147483647, 1}, 0}, 1, MT_E_SHAPE, "longer than x"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("error %zu", i);
		MT_CHECK((rows[i].is_max ? mt_max_pool2d(x, rows[i].o) : mt_avg_pool2d(x, rows[i].o)) == NULL);
		CHECK_ERROR(rows[i].status, rows[i].part);
	}
	mt_pool_options dilated = {{2, 1}, {1, 1}, {1, 0}, {3, 1}, 0};
	MT_CHECK(mt_max_pool2d(mt_zeros(MT_SHAPE(1, 1, 2, 2), MT_F32), dilated) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "window 0 lies in the padding alone");
	MT_CHECK(mt_max_pool2d(mt_zeros(MT_SHAPE(4, 4), MT_F32), dilated) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "4 dims are needed");
}

static const mt_test_case cases[] = {{"values", values}, {"ties", ties}, {"errors", errors}, {0}};
static const mt_test_suite suites[] = {{"pool", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
