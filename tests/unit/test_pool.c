/* max_pool and avg_pool in 1 to 3 dims: values against plain loops over windows, paddings, ceil mode and layouts; ties;
 * errors. */
#include <math.h>
#include <stdlib.h>

#include "oracle.h"
#include "spatial.h"

struct pool_case {
	int spatial;
	int64_t n, c, s[3];
	mt_pool_options o;
};

static const struct pool_case pools[] = {
	{1, 2, 3, {9}, {.kernel = {2}}},
	{1, 2, 2, {10}, {.kernel = {3}, .stride = {2}, .padding = {1}, .exclude_padding = 1}},
	{1, 2, 2, {11}, {.kernel = {3}, .stride = {2}, .ceil_mode = 1}},
	{2, 2, 3, {6, 8}, {.kernel = {2, 2}}},
	{2, 1, 2, {7, 5}, {.kernel = {3, 2}, .stride = {2, 1}, .padding = {1, 1}}},
	{2, 1, 1, {5, 5}, {.kernel = {5, 5}, .padding = {2, 2}}},
	{2, 2, 1, {9, 9}, {.kernel = {3, 3}, .stride = {1, 2}, .padding = {1, 0}, .exclude_padding = 1}},
	{2, 1, 2, {6, 6}, {.kernel = {2, 2}, .stride = {3, 3}, .padding = {1, 1}, .exclude_padding = 1}},
	{2, 17, 2, {4, 4}, {.kernel = {2, 2}}},
	{2, 0, 2, {4, 4}, {.kernel = {2, 2}, .ceil_mode = 1}},
	{2, 2, 2, {9, 8}, {.kernel = {3, 2}, .stride = {1, 2}, .padding = {1, 1}, .dilation = {2, 3}}}, /* max alone */
	{2, 2, 1, {7, 6}, {.kernel = {3, 2}, .stride = {2, 3}, .padding = {1, 1}, .ceil_mode = 1}},
	{2, 2, 1, {7, 6}, {.kernel = {3, 2}, .stride = {3, 5}, .padding = {1, 1}, .exclude_padding = 1, .ceil_mode = 1}},
	{2, 1, 2, {8, 9}, {.kernel = {3, 2}, .stride = {2, 4}, .padding = {1, 0}, .dilation = {2, 3}, .ceil_mode = 1}},
	{2, 2, 3, {7, 9}, {.kernel = {2, 2}, .ceil_mode = 1}}, /* the last windows are cut off on both sides */
	{3, 1, 2, {4, 5, 6}, {.kernel = {2, 2, 2}}},
	{3, 2, 1, {5, 4, 7}, {.kernel = {3, 2, 2}, .stride = {2, 1, 3}, .padding = {1, 0, 1}, .ceil_mode = 1}},
	{2, 2, 8, {64, 65}, {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}}},
};
#define N_CASES (sizeof pools / sizeof *pools)

/* ---- the reference ------------------------------------------------------------------------------------------------ */

static int64_t stride_of(const struct pool_case *c, int d) {
	return or_else(c->o.stride[d], c->o.kernel[d]);
}

static int64_t dilation_of(const struct pool_case *c, int d) {
	return or_else(c->o.dilation[d], 1);
}

/* Counted one by one.  A window fits into the padded extent; in ceil mode there is one more while that extent is not
 * covered, if it begins in x or before. */
static int64_t extent(const struct pool_case *c, int d) {
	int64_t reach = dilation_of(c, d) * (c->o.kernel[d] - 1) + 1, end = c->s[d] + c->o.padding[d], n = 0;
	for (int64_t start = -c->o.padding[d];; start += stride_of(c, d), n++) {
		int fits = start + reach <= end, covered = start - stride_of(c, d) + reach >= end;
		if (!fits && (!c->o.ceil_mode || covered || start >= c->s[d]))
			return n;
	}
}

/* Cells of the window that lie inside the padded extent. */
static int64_t padded_cells(const struct pool_case *c, const int64_t *o) {
	int64_t all = 1;
	for (int d = 0; d < c->spatial; d++) {
		int64_t inside = 0;
		for (int64_t k = 0; k < c->o.kernel[d]; k++)
			inside += o[d] * stride_of(c, d) - c->o.padding[d] + k < c->s[d] + c->o.padding[d];
		all *= inside;
	}
	return all;
}

static double plain_pool(const struct pool_case *c, int is_max, const double *plane, const int64_t *o) {
	int64_t kernel[3] = {1, 1, 1}, s[3], tap[3], inside = 0;
	double sum = 0, largest = -INFINITY;
	extents(c->spatial, c->s, s);
	for (int d = 0; d < c->spatial; d++)
		kernel[d] = c->o.kernel[d];
	for (int64_t t = 0; t < cells(kernel); t++) {
		int64_t at[3] = {0, 0, 0};
		unravel(t, kernel, tap);
		for (int d = 0; d < c->spatial; d++)
			at[d] = o[d] * stride_of(c, d) + tap[d] * dilation_of(c, d) - c->o.padding[d];
		int64_t i = ravel(at, s);
		if (i < 0)
			continue;
		sum += plane[i];
		largest = plane[i] > largest || isnan(plane[i]) ? plane[i] : largest;
		inside++;
	}
	return is_max ? largest : sum / (double)(c->o.exclude_padding ? inside : padded_cells(c, o));
}

static mt_tensor *pool(const struct pool_case *c, int is_max, mt_tensor *x) {
	static mt_tensor *(*const ops[3][2])(mt_tensor *, mt_pool_options) = {
		{mt_avg_pool1d, mt_max_pool1d}, {mt_avg_pool2d, mt_max_pool2d}, {mt_avg_pool3d, mt_max_pool3d}};
	return ops[c->spatial - 1][is_max](x, c->o);
}

static void check_pool(const struct pool_case *c, int is_max, mt_tensor *x) {
	int64_t o[3] = {1, 1, 1}, s[3], at[3], shape[5], i = 0;
	extents(c->spatial, c->s, s);
	for (int d = 0; d < c->spatial; d++)
		o[d] = extent(c, d);
	double *ex = elements(x), *want = malloc((size_t)(c->n * c->c * cells(o)) * sizeof *want + 1);
	MT_REQUIRE(ex != NULL && want != NULL);
	for (int64_t p = 0; p < c->n * c->c; p++)
		for (int64_t t = 0; t < cells(o); t++) {
			unravel(t, o, at);
			want[i++] = plain_pool(c, is_max, ex + p * cells(s), at);
		}
	mt_tensor *y = pool(c, is_max, x);
	check_shape(y, c->spatial + 2, full_shape(shape, c->n, c->c, c->spatial, o), __FILE__, __LINE__, "y");
	CHECK_CLOSE(y, want, i, 2 * rtol_of(mt_tensor_dtype(x)), 1);
	free(ex);
	free(want);
}

/* ---- values ------------------------------------------------------------------------------------------------------- */

static void values_on_device(void) {
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16};
	for (size_t i = 0; i < N_CASES; i++)
		for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++)
			for (int l = 0; l < N_LAYOUTS; l++) {
				const struct pool_case *c = &pools[i];
				int64_t shape[5];
				mt_scope *scope = mt_scope_begin();
				row("pool %zu %s %s", i, mt_dtype_name(dtypes[d]), layout_name(l));
				full_shape(shape, c->n, c->c, c->spatial, c->s);
				mt_tensor *x = random_in(l, c->spatial + 2, shape, dtypes[d], -1, 1, i);
				check_pool(c, 1, x);
				if (c->o.dilation[0] <= 1)
					check_pool(c, 0, x);
				mt_scope_end(scope);
			}
}

static void values(void) {
	each_backend(values_on_device);
}

/* x = 1, 2, …, s; what PyTorch 2.15 gives (the averages: padding counted, then not). */
static void ceil_mode_on_device(void) {
	static const struct {
		int s, kernel, stride, pad, dilation, n;
		double max[4], padded[4], inside[4];
	} rows[] = {
		{5, 2, 2, 0, 1, 3, {2, 4, 5}, {1.5, 3.5, 5}, {1.5, 3.5, 5}},
		{6, 3, 2, 0, 1, 3, {3, 5, 6}, {2, 4, 5.5}, {2, 4, 5.5}},
		{5, 2, 3, 1, 1, 2, {1, 4}, {0.5, 3.5}, {1, 3.5}},
		{6, 3, 2, 1, 1, 4, {2, 4, 6, 6}, {1, 3, 5, 3}, {1.5, 3, 5, 6}},
		{2, 3, 2, 0, 1, 1, {2}, {1.5}, {1.5}},
		{7, 3, 3, 1, 1, 3, {2, 5, 7}, {1, 4, 13.0 / 3}, {1.5, 4, 6.5}},
		{7, 4, 3, 2, 1, 3, {2, 5, 7}, {0.75, 3.5, 4.5}, {1.5, 3.5, 6}},
		{3, 2, 4, 1, 1, 1, {1}, {0.5}, {1}},
		{1, 2, 2, 1, 1, 1, {1}, {0.5}, {1}},
		{6, 4, 5, 2, 1, 2, {2, 6}, {0.75, 3.75}, {1.5, 5}},
		{8, 3, 2, 1, 2, 4, {4, 6, 8, 8}, {0}, {0}},
		{9, 2, 4, 0, 3, 3, {4, 8, 9}, {0}, {0}},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_pool_options o = {.kernel = {rows[i].kernel},
		                     .stride = {rows[i].stride},
		                     .padding = {rows[i].pad},
		                     .dilation = {rows[i].dilation},
		                     .ceil_mode = 1};
		row("ceil mode %zu", i);
		mt_tensor *x = mt_add_scalar(counting(MT_SHAPE(1, 1, rows[i].s), MT_F64), mt_i(1));
		CHECK_CLOSE(mt_max_pool1d(x, o), rows[i].max, rows[i].n, 0, 1);
		if (rows[i].dilation > 1)
			continue;
		CHECK_CLOSE(mt_avg_pool1d(x, o), rows[i].padded, rows[i].n, 1e-15, 1);
		o.exclude_padding = 1;
		CHECK_CLOSE(mt_avg_pool1d(x, o), rows[i].inside, rows[i].n, 1e-15, 1);
	}
}

static void ceil_mode(void) {
	each_backend(ceil_mode_on_device);
}

static void ties_on_device(void) {
	const mt_pool_options o = {.kernel = {2, 2}};
	row("the first of equals, or the first NaN, takes the gradient");
	const float v[] = {1, 1, NAN, 2, 1, 1, 5, NAN};
	mt_tensor *x = mt_requires_grad_(mt_from_data(MT_SHAPE(1, 1, 2, 4), MT_F32, v), 1);
	mt_tensor *y = mt_max_pool2d(x, o);
	CHECK_VALUES(y, 1, NAN);
	MT_CHECK_INT(mt_backward_from(y, mt_from_data(MT_SHAPE(1, 1, 1, 2), MT_F32, (const float[]){3, 7}), 0), MT_OK);
	CHECK_VALUES(mt_grad(x), 3, 0, 7, 0, 0, 0, 0, 0);
	row("all -inf");
	CHECK_VALUES(mt_max_pool2d(mt_full(MT_SHAPE(1, 1, 2, 2), MT_F32, mt_f(-INFINITY)), o), -INFINITY);
	row("NaN and infinity in an average");
	const float w[] = {1, INFINITY, 3, NAN, 5, 6};
	CHECK_VALUES(mt_avg_pool1d(mt_from_data(MT_SHAPE(1, 1, 6), MT_F32, w), o), INFINITY, NAN, 5.5);
	row("integers are f32");
	MT_CHECK_INT(
		mt_tensor_dtype(mt_avg_pool3d(mt_ones(MT_SHAPE(1, 1, 2, 2, 2), MT_U8), (mt_pool_options){.kernel = {1, 2, 2}})),
		MT_F32);
}

static void ties(void) {
	each_backend(ties_on_device);
}

/* ---- errors ------------------------------------------------------------------------------------------------------- */

static void errors(void) {
	mt_tensor *x = mt_zeros(MT_SHAPE(1, 1, 4, 4), MT_F32);
	static const struct {
		mt_pool_options o;
		int is_max;
		mt_status status;
		const char *part;
	} rows[] = {
		{{.kernel = {0}}, 1, MT_E_ARG, "max_pool2d: options.kernel[0] is 0"},
		{{.kernel = {2, -1}}, 1, MT_E_ARG, "options.kernel[1] is -1"},
		{{.kernel = {2, 2}, .stride = {-1}}, 0, MT_E_ARG, "avg_pool2d: options.stride[0] is -1"},
		{{.kernel = {2, 2}, .padding = {2, 0}}, 1, MT_E_ARG, "options.padding[0] is 2"},
		{{.kernel = {2, 2}, .dilation = {2, 2}}, 0, MT_E_ARG, "options.dilation[0] is 2"},
		{{.kernel = {2, 2}, .dilation = {1, -1}}, 1, MT_E_ARG, "options.dilation[1] is -1"},
		{{.kernel = {5, 5}}, 1, MT_E_SHAPE, "longer than x"},
		{{.kernel = {7, 2}, .stride = {3, 1}, .ceil_mode = 1}, 0, MT_E_SHAPE, "spatial dim 0 the window, kernel 7"},
		{{.kernel = {2, 2}, .dilation = {2147483647, 1}}, 1, MT_E_SHAPE, "longer than x"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("error %zu", i);
		MT_CHECK((rows[i].is_max ? mt_max_pool2d(x, rows[i].o) : mt_avg_pool2d(x, rows[i].o)) == NULL);
		CHECK_ERROR(rows[i].status, rows[i].part);
	}
	mt_pool_options dilated = {.kernel = {2, 1}, .stride = {1, 1}, .padding = {1, 0}, .dilation = {3, 1}};
	MT_CHECK(mt_max_pool2d(mt_zeros(MT_SHAPE(1, 1, 2, 2), MT_F32), dilated) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "window 0 lies in the padding alone");
	MT_CHECK(mt_max_pool2d(mt_zeros(MT_SHAPE(4, 4), MT_F32), dilated) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "4 dims are needed");
	MT_CHECK(mt_max_pool1d(x, dilated) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "max_pool1d: x is f32[1, 1, 4, 4]; 3 dims are needed");
	MT_CHECK(mt_avg_pool3d(NULL, dilated) == NULL);
	CHECK_ERROR(MT_E_NULL, "avg_pool3d");
	MT_CHECK(mt_avg_pool2d(mt_zeros(MT_SHAPE(1, 1, 0, 2), MT_F32), (mt_pool_options){.kernel = {1, 1}}) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "spatial dim 0");
}

static const mt_test_case cases[] = {
	{"values", values}, {"ceil_mode", ceil_mode}, {"ties", ties}, {"errors", errors}, {0}};
static const mt_test_suite suites[] = {{"pool", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
