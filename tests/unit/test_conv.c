/* conv1d, conv2d, conv3d: values against plain loops over strides, paddings, dilations, groups and layouts; errors. */
#include <math.h>
#include <stdlib.h>

#include "oracle.h"
#include "spatial.h"

struct conv_case {
	int spatial;
	int64_t n, ci, co, s[3], k[3];
	mt_conv_options o;
};

static const struct conv_case convs[] = {
	{1, 2, 3, 4, {9}, {2}, {.stride = {2}, .padding = {1}, .dilation = {2}}},
	{1, 1, 1, 1, {5}, {5}, {.groups = 0}},
	{1, 3, 4, 6, {17}, {3}, {.stride = {3}, .groups = 2}},
	{2, 2, 3, 4, {7, 6}, {3, 2}, {.groups = 0}},
	{2, 1, 1, 1, {5, 5}, {5, 5}, {.groups = 1}},
	{2, 2, 1, 3, {8, 9}, {3, 3}, {.stride = {2, 1}}},
	{2, 2, 2, 3, {6, 5}, {3, 3}, {.stride = {1, 2}, .padding = {1, 2}}},
	{2, 1, 4, 6, {9, 8}, {3, 2}, {.stride = {2, 3}, .padding = {2, 1}, .dilation = {2, 3}}},
	{2, 2, 6, 4, {5, 5}, {2, 2}, {.padding = {1, 0}, .groups = 2}},
	{2, 1, 4, 4, {6, 6}, {3, 3}, {.padding = {1, 1}, .groups = 4}},
	{2, 17, 2, 5, {6, 7}, {3, 3}, {.padding = {1, 1}}},
	{2, 1, 3, 2, {4, 4}, {1, 1}, {.stride = {3, 3}}},
	{2, 1, 1, 1, {2, 2}, {2, 2}, {.stride = {1, 1}, .padding = {5, 4}}},
	{2, 0, 2, 3, {4, 4}, {2, 2}, {.padding = {1, 1}}},
	{3, 1, 2, 3, {2, 4, 5}, {2, 2, 3}, {.groups = 0}},
	{3, 2, 4, 2, {3, 5, 4}, {2, 3, 2}, {.stride = {1, 2, 1}, .padding = {1, 0, 2}, .dilation = {1, 2, 3}, .groups = 2}},
	{1, 2, 2, 3, {8}, {3}, {.padding_mode = MT_PADDING_SAME}},
	{1, 2, 2, 3, {8}, {4}, {.padding_mode = MT_PADDING_SAME}}, /* an odd zero, on the high side */
	{1, 1, 2, 3, {7}, {4}, {.stride = {3}, .dilation = {2}, .padding_mode = MT_PADDING_SAME}},
	{1, 1, 2, 3, {7}, {1}, {.stride = {3}, .padding_mode = MT_PADDING_SAME}}, /* windows with gaps: no padding */
	{1, 1, 1, 1, {2}, {7}, {.padding_mode = MT_PADDING_SAME}},                /* longer than x */
	{2, 2, 2, 2, {5, 6}, {2, 3}, {.stride = {2, 1}, .padding_mode = MT_PADDING_SAME}},
	{3, 1, 2, 2, {3, 4, 5}, {2, 3, 4}, {.stride = {1, 1, 2}, .padding_mode = MT_PADDING_SAME}},
	{1, 2, 2, 3, {8}, {3}, {.padding_mode = MT_PADDING_SAME_LEFT}},
	{1, 2, 2, 2, {9}, {4}, {.stride = {2}, .dilation = {3}, .groups = 2, .padding_mode = MT_PADDING_SAME_LEFT}},
	{2, 2, 3, 2, {5, 7}, {3, 2}, {.stride = {2, 3}, .padding_mode = MT_PADDING_SAME_LEFT}},
	{1, 2, 2, 3, {8}, {3}, {.padding_mode = MT_PADDING_CAUSAL}},
	{1, 2, 2, 2, {9}, {4}, {.stride = {2}, .dilation = {3}, .padding_mode = MT_PADDING_CAUSAL}},
	{2, 1, 2, 2, {5, 6}, {3, 2}, {.stride = {3, 1}, .padding_mode = MT_PADDING_CAUSAL}},
	{1, 0, 2, 3, {4}, {2}, {.padding_mode = MT_PADDING_CAUSAL}},
	{2, 2, 4, 8, {40, 33}, {3, 3}, {.padding = {1, 1}}},
};

/* ---- the reference ------------------------------------------------------------------------------------------------ */

/* Where window 0 begins, and how many windows there are. */
static void placing(const struct conv_case *c, int d, int64_t *low, int64_t *out) {
	int64_t s = c->s[d], stride = or_else(c->o.stride[d], 1), reach = or_else(c->o.dilation[d], 1) * (c->k[d] - 1) + 1;
	int64_t same = (s + stride - 1) / stride;
	int64_t zeros = (same - 1) * stride + reach > s ? (same - 1) * stride + reach - s : 0;
	switch (c->o.padding_mode) {
	case MT_PADDING_SAME:
		*low = -(zeros / 2);
		*out = same;
		return;
	case MT_PADDING_SAME_LEFT:
		*low = 0;
		*out = same;
		return;
	case MT_PADDING_CAUSAL: /* window o ends at x[o · stride] */
		*low = 1 - reach;
		*out = same;
		return;
	default:
		*low = -c->o.padding[d];
		*out = (s + 2 * c->o.padding[d] - reach) / stride + 1;
	}
}

static double plain_conv(const struct conv_case *c, const double *x, const double *w, int64_t n, int64_t co,
                         const int64_t *o) {
	int64_t groups = or_else(c->o.groups, 1), cg = c->ci / groups, g = co / (c->co / groups), s[3], k[3];
	double sum = 0;
	extents(c->spatial, c->s, s);
	extents(c->spatial, c->k, k);
	for (int64_t ci = 0; ci < cg; ci++)
		for (int64_t t = 0; t < cells(k); t++) {
			int64_t tap[3], at[3] = {0, 0, 0}, low, unused;
			unravel(t, k, tap);
			for (int d = 0; d < c->spatial; d++) {
				placing(c, d, &low, &unused);
				at[d] = low + o[d] * or_else(c->o.stride[d], 1) + tap[d] * or_else(c->o.dilation[d], 1);
			}
			int64_t i = ravel(at, s);
			if (i >= 0)
				sum += x[(n * c->ci + g * cg + ci) * cells(s) + i] * w[(co * cg + ci) * cells(k) + t];
		}
	return sum;
}

static mt_tensor *conv(const struct conv_case *c, mt_tensor *x, mt_tensor *w, mt_tensor *b) {
	return c->spatial == 1   ? mt_conv1d(x, w, b, c->o)
	       : c->spatial == 2 ? mt_conv2d(x, w, b, c->o)
	                         : mt_conv3d(x, w, b, c->o);
}

static void check_conv(const struct conv_case *c, mt_tensor *x, mt_tensor *w, mt_tensor *b) {
	int64_t o[3] = {1, 1, 1}, low, at[3], shape[5], i = 0;
	for (int d = 0; d < c->spatial; d++)
		placing(c, d, &low, &o[d]);
	double *ex = elements(x), *ew = elements(w), *eb = mt_tensor_is_none(b) ? NULL : elements(b);
	double *want = malloc((size_t)(c->n * c->co * cells(o)) * sizeof *want + 1);
	MT_REQUIRE(ex != NULL && ew != NULL && want != NULL);
	for (int64_t n = 0; n < c->n; n++)
		for (int64_t co = 0; co < c->co; co++)
			for (int64_t t = 0; t < cells(o); t++) {
				unravel(t, o, at);
				want[i++] = plain_conv(c, ex, ew, n, co, at) + (eb != NULL ? eb[co] : 0);
			}
	mt_tensor *y = conv(c, x, w, b);
	check_shape(y, c->spatial + 2, full_shape(shape, c->n, c->co, c->spatial, o), __FILE__, __LINE__, "y");
	CHECK_CLOSE(y, want, i, 4 * rtol_of(mt_tensor_dtype(x)), 3);
	free(ex);
	free(ew);
	free(eb);
	free(want);
}

/* ---- values ------------------------------------------------------------------------------------------------------- */

static void values_on_device(void) {
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_BF16};
	for (size_t i = 0; i < sizeof convs / sizeof *convs; i++)
		for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++)
			for (int l = 0; l < N_LAYOUTS; l++) {
				const struct conv_case *c = &convs[i];
				int64_t xs[5], ws[5];
				mt_scope *scope = mt_scope_begin();
				row("conv %zu %s %s", i, mt_dtype_name(dtypes[d]), layout_name(l));
				full_shape(xs, c->n, c->ci, c->spatial, c->s);
				full_shape(ws, c->co, c->ci / or_else(c->o.groups, 1), c->spatial, c->k);
				mt_tensor *x = random_in(l, c->spatial + 2, xs, dtypes[d], -1, 1, i);
				mt_tensor *w = random_in((l + 1) % N_LAYOUTS, c->spatial + 2, ws, dtypes[d], -1, 1, i + 50);
				check_conv(c, x, w, MT_NONE);
				check_conv(c, x, w, random_in(l, MT_SHAPE(c->co), dtypes[d], -1, 1, i + 100));
				mt_scope_end(scope);
			}
}

static void values(void) {
	each_backend(values_on_device);
}

static mt_tensor *line(int64_t n, const float *values_of) {
	return mt_from_data(MT_SHAPE(1, 1, n), MT_F32, values_of);
}

static void known_on_device(void) {
	const mt_conv_options left = {.padding_mode = MT_PADDING_SAME_LEFT};
	row("MiniTorch's example");
	CHECK_VALUES(mt_conv1d(line(4, (const float[]){0, 1, 2, 3}), line(3, (const float[]){1, 2, 3}), MT_NONE, left), 8,
	             14, 8, 3);
	row("NaN and infinity reach the windows that meet them, and no other");
	mt_tensor *x = line(6, (const float[]){1, INFINITY, 2, NAN, 3, 4}), *w = line(2, (const float[]){1, 2});
	CHECK_VALUES(mt_conv1d(x, w, MT_NONE, (mt_conv_options){.groups = 1}), INFINITY, INFINITY, NAN, NAN, 11);
	CHECK_VALUES(mt_conv1d(x, w, MT_NONE, left), INFINITY, INFINITY, NAN, NAN, 11, 4);
	row("integers are f32");
	mt_tensor *y = mt_conv2d(mt_ones(MT_SHAPE(1, 1, 2, 2), MT_I32), mt_ones(MT_SHAPE(1, 1, 2, 2), MT_U8), MT_NONE,
	                         (mt_conv_options){.groups = 0});
	MT_CHECK_INT(mt_tensor_dtype(y), MT_F32);
	CHECK_VALUES(y, 4);
}

static void known(void) {
	each_backend(known_on_device);
}

/* ---- errors ------------------------------------------------------------------------------------------------------- */

static void options_refused(void) {
	static const struct {
		mt_conv_options o;
		mt_status status;
		const char *part;
	} rows[] = {
		{{.stride = {1, -1}}, MT_E_ARG, "conv2d: options.stride[1] is -1, at least 1 is needed"},
		{{.padding = {-1}}, MT_E_ARG, "options.padding[0] is -1"},
		{{.dilation = {1, -2}}, MT_E_ARG, "options.dilation[1] is -2"},
		{{.dilation = {2147483647, 1}}, MT_E_SHAPE, "dilation 2147483647"},
		{{.groups = -3}, MT_E_ARG, "options.groups is -3"},
		{{.groups = 3}, MT_E_SHAPE, "groups 3"},
		{{.padding_mode = 4}, MT_E_ARG, "conv2d: options.padding_mode is 4; there are MT_PADDING_EXPLICIT"},
		{{.padding_mode = -1}, MT_E_ARG, "options.padding_mode is -1"},
		{{.padding = {0, 2}, .padding_mode = MT_PADDING_SAME}, MT_E_ARG, "options.padding[1] is 2; a padding_mode"},
		{{.dilation = {2147483647, 1}, .padding_mode = MT_PADDING_CAUSAL},
	     MT_E_SHAPE,
	     "spatial dim 0 positions overflow"},
	};
	mt_tensor *x = mt_zeros(MT_SHAPE(1, 4, 5, 5), MT_F32), *w = mt_zeros(MT_SHAPE(2, 4, 3, 3), MT_F32);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("options %zu", i);
		MT_CHECK(mt_conv2d(x, w, MT_NONE, rows[i].o) == NULL);
		CHECK_ERROR(rows[i].status, rows[i].part);
	}
}

static void shapes_refused(void) {
	const mt_conv_options o = {.groups = 0};
	mt_tensor *x = mt_zeros(MT_SHAPE(1, 4, 5, 5), MT_F32), *w = mt_zeros(MT_SHAPE(2, 4, 3, 3), MT_F32);
	MT_CHECK(mt_conv2d(x, mt_zeros(MT_SHAPE(2, 3, 3, 3), MT_F32), MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "conv2d: x is f32[1, 4, 5, 5], weight is f32[2, 3, 3, 3], groups 1");
	MT_CHECK(mt_conv2d(x, w, mt_zeros(MT_SHAPE(3), MT_F32), o) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "bias is f32[3], weight is f32[2, 4, 3, 3]; [Co], [2], is needed");
	MT_CHECK(mt_conv2d(mt_zeros(MT_SHAPE(4, 5, 5), MT_F32), w, MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "must have 4 dims");
	MT_CHECK(mt_conv1d(x, w, MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "conv1d: x is f32[1, 4, 5, 5], weight is f32[2, 4, 3, 3]; both must have 3 dims");
	MT_CHECK(mt_conv3d(x, w, MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "both must have 5 dims");
	MT_CHECK(mt_conv2d(x, mt_zeros(MT_SHAPE(2, 4, 6, 3), MT_F32), MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "spatial dim 0");
	MT_CHECK(mt_conv2d(mt_zeros(MT_SHAPE(1, 4, 0, 5), MT_F32), w, MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "only the batch may be empty");
	MT_CHECK(mt_conv2d(x, NULL, MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_NULL, "weight");
	MT_CHECK(mt_conv2d(x, w, NULL, o) == NULL);
	CHECK_ERROR(MT_E_NULL, "bias");
	mt_tensor *long_x = mt_expand(mt_zeros(MT_SHAPE(1, 1, 1), MT_F32), MT_SHAPE(1, 1, INT64_C(1) << 61));
	if (long_x != NULL) {
		MT_CHECK(mt_conv1d(long_x, mt_zeros(MT_SHAPE(1, 1, 1), MT_F32), MT_NONE, o) == NULL);
		CHECK_ERROR(MT_E_SHAPE, "too large");
	} else
		mt_error_take(NULL);
}

static const mt_test_case cases[] = {{"values", values},
                                     {"known", known},
                                     {"options_refused", options_refused},
                                     {"shapes_refused", shapes_refused},
                                     {0}};
static const mt_test_suite suites[] = {{"conv", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
