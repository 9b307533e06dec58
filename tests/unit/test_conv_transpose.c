/* conv_transpose1d, 2d, 3d: values against plain loops that spread each input over its window; errors. */
#include <math.h>
#include <stdlib.h>

#include "oracle.h"
#include "spatial.h"

struct transpose_case {
	int spatial;
	int64_t n, ci, co, s[3], k[3];
	mt_conv_transpose_options o;
};

static const struct transpose_case transposes[] = {
	{1, 2, 3, 4, {5}, {3}, {.groups = 0}},
	{1, 2, 2, 3, {5}, {3}, {.stride = {2}, .padding = {1}, .output_padding = {1}}},
	{1, 1, 2, 2, {4}, {2}, {.stride = {3}, .output_padding = {2}, .dilation = {2}}},
	{1, 1, 1, 1, {4}, {2}, {.output_padding = {2}, .dilation = {3}}}, /* beyond what any input reaches */
	{1, 2, 4, 6, {6}, {3}, {.stride = {2}, .padding = {2}, .groups = 2}},
	{1, 1, 1, 1, {2}, {1}, {.stride = {5}}}, /* gaps between what is written */
	{1, 1, 2, 2, {3}, {2}, {.padding = {1}}},
	{2, 2, 3, 4, {4, 5}, {3, 2}, {.groups = 1}},
	{2, 1, 4, 4, {4, 3}, {3, 3}, {.stride = {2, 1}, .padding = {1, 1}, .output_padding = {1, 0}, .groups = 4}},
	{2, 2, 6, 4, {3, 4}, {2, 3}, {.stride = {1, 3}, .padding = {0, 2}, .dilation = {2, 1}, .groups = 2}},
	{2, 0, 2, 3, {4, 4}, {2, 2}, {.stride = {2, 2}}},
	{2, 17, 2, 5, {6, 7}, {3, 3}, {.stride = {2, 2}, .padding = {1, 1}, .output_padding = {1, 1}}},
	{2, 2, 16, 8, {32, 25}, {3, 3}, {.padding = {1, 1}}},
	{3, 1, 2, 3, {2, 3, 4}, {2, 2, 3}, {.groups = 0}},
	{3,
     2,
     4,
     2,
     {2, 3, 2},
     {2, 1, 3},
     {.stride = {2, 1, 3}, .padding = {1, 0, 1}, .output_padding = {1, 1, 2}, .dilation = {1, 2, 1}, .groups = 2}},
};

/* ---- the reference ------------------------------------------------------------------------------------------------ */

static int64_t extent(const struct transpose_case *c, int d) {
	return (c->s[d] - 1) * or_else(c->o.stride[d], 1) - 2 * c->o.padding[d] +
	       or_else(c->o.dilation[d], 1) * (c->k[d] - 1) + c->o.output_padding[d] + 1;
}

/* Adds x · w to each cell that one input channel reaches in one output channel: y has the extents o. */
static void spread(const struct transpose_case *c, const double *x, const double *w, const int64_t *o, double *y) {
	int64_t s[3], k[3], at[3], tap[3], to[3] = {0, 0, 0};
	extents(c->spatial, c->s, s);
	extents(c->spatial, c->k, k);
	for (int64_t i = 0; i < cells(s); i++)
		for (int64_t t = 0; t < cells(k); t++) {
			unravel(i, s, at);
			unravel(t, k, tap);
			for (int d = 0; d < c->spatial; d++)
				to[d] = at[d] * or_else(c->o.stride[d], 1) + tap[d] * or_else(c->o.dilation[d], 1) - c->o.padding[d];
			int64_t position = ravel(to, o);
			if (position >= 0)
				y[position] += x[i] * w[t];
		}
}

static void plain_transpose(const struct transpose_case *c, const double *x, const double *w, const double *bias,
                            const int64_t *o, double *y) {
	int64_t groups = or_else(c->o.groups, 1), cig = c->ci / groups, cog = c->co / groups, s[3], k[3];
	extents(c->spatial, c->s, s);
	extents(c->spatial, c->k, k);
	for (int64_t n = 0; n < c->n; n++)
		for (int64_t co = 0; co < c->co; co++) {
			double *plane = y + (n * c->co + co) * cells(o);
			for (int64_t i = 0; i < cells(o); i++)
				plane[i] = bias != NULL ? bias[co] : 0;
			for (int64_t j = 0; j < cig; j++) {
				int64_t ci = co / cog * cig + j;
				spread(c, x + (n * c->ci + ci) * cells(s), w + (ci * cog + co % cog) * cells(k), o, plane);
			}
		}
}

static mt_tensor *transpose(const struct transpose_case *c, mt_tensor *x, mt_tensor *w, mt_tensor *b) {
	return c->spatial == 1   ? mt_conv_transpose1d(x, w, b, c->o)
	       : c->spatial == 2 ? mt_conv_transpose2d(x, w, b, c->o)
	                         : mt_conv_transpose3d(x, w, b, c->o);
}

static void check_transpose(const struct transpose_case *c, mt_tensor *x, mt_tensor *w, mt_tensor *b) {
	int64_t o[3] = {1, 1, 1}, shape[5];
	for (int d = 0; d < c->spatial; d++)
		o[d] = extent(c, d);
	double *ex = elements(x), *ew = elements(w), *eb = mt_tensor_is_none(b) ? NULL : elements(b);
	double *want = malloc((size_t)(c->n * c->co * cells(o)) * sizeof *want + 1);
	MT_REQUIRE(ex != NULL && ew != NULL && want != NULL);
	plain_transpose(c, ex, ew, eb, o, want);
	mt_tensor *y = transpose(c, x, w, b);
	check_shape(y, c->spatial + 2, full_shape(shape, c->n, c->co, c->spatial, o), __FILE__, __LINE__, "y");
	CHECK_CLOSE(y, want, c->n * c->co * cells(o), 4 * rtol_of(mt_tensor_dtype(x)), 3);
	free(ex);
	free(ew);
	free(eb);
	free(want);
}

/* ---- values ------------------------------------------------------------------------------------------------------- */

static void values_on_device(void) {
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16};
	for (size_t i = 0; i < sizeof transposes / sizeof *transposes; i++)
		for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++)
			for (int l = 0; l < N_LAYOUTS; l++) {
				const struct transpose_case *c = &transposes[i];
				int64_t xs[5], ws[5];
				mt_scope *scope = mt_scope_begin();
				row("transpose %zu %s %s", i, mt_dtype_name(dtypes[d]), layout_name(l));
				full_shape(xs, c->n, c->ci, c->spatial, c->s);
				full_shape(ws, c->ci, c->co / or_else(c->o.groups, 1), c->spatial, c->k);
				mt_tensor *x = random_in(l, c->spatial + 2, xs, dtypes[d], -1, 1, i);
				mt_tensor *w = random_in((l + 1) % N_LAYOUTS, c->spatial + 2, ws, dtypes[d], -1, 1, i + 50);
				check_transpose(c, x, w, MT_NONE);
				check_transpose(c, x, w, random_in(l, MT_SHAPE(c->co), dtypes[d], -1, 1, i + 100));
				mt_scope_end(scope);
			}
}

static void values(void) {
	each_backend(values_on_device);
}

static void known_on_device(void) {
	row("windows added up");
	mt_tensor *x = mt_from_data(MT_SHAPE(1, 1, 2), MT_F32, (const float[]){1, 2});
	mt_tensor *w = mt_from_data(MT_SHAPE(1, 1, 3), MT_F32, (const float[]){1, 10, 100});
	CHECK_VALUES(mt_conv_transpose1d(x, w, MT_NONE, (mt_conv_transpose_options){.stride = {2}, .output_padding = {1}}),
	             1, 10, 102, 20, 200, 0);
	row("NaN reaches its window alone");
	mt_tensor *nan = mt_from_data(MT_SHAPE(1, 1, 3), MT_F32, (const float[]){1, NAN, 2});
	CHECK_VALUES(mt_conv_transpose1d(nan, w, MT_NONE, (mt_conv_transpose_options){.stride = {3}}), 1, 10, 100, NAN, NAN,
	             NAN, 2, 20, 200);
	row("integers are f32");
	MT_CHECK_INT(mt_tensor_dtype(mt_conv_transpose2d(mt_ones(MT_SHAPE(1, 1, 2, 2), MT_I64),
	                                                 mt_ones(MT_SHAPE(1, 1, 2, 2), MT_BOOL), MT_NONE,
	                                                 (mt_conv_transpose_options){.groups = 0})),
	             MT_F32);
}

static void known(void) {
	each_backend(known_on_device);
}

/* ---- errors ------------------------------------------------------------------------------------------------------- */

static void options_refused(void) {
	static const struct {
		mt_conv_transpose_options o;
		mt_status status;
		const char *part;
	} rows[] = {
		{{.stride = {-1}}, MT_E_ARG, "conv_transpose2d: options.stride[0] is -1"},
		{{.padding = {0, -1}}, MT_E_ARG, "options.padding[1] is -1"},
		{{.dilation = {-1}}, MT_E_ARG, "options.dilation[0] is -1"},
		{{.groups = -1}, MT_E_ARG, "options.groups is -1"},
		{{.groups = 3}, MT_E_SHAPE, "groups 3"},
		{{.output_padding = {1}},
	     MT_E_ARG,
	     "output_padding[0] is 1; it must be at least 0 and below stride or dilation, 1"},
		{{.stride = {2, 2}, .output_padding = {1, -1}}, MT_E_ARG, "output_padding[1] is -1"},
		{{.stride = {2, 2}, .output_padding = {2}, .dilation = {2}}, MT_E_ARG, "output_padding[0] is 2"},
		{{.padding = {4}}, MT_E_SHAPE, "spatial dim 0 padding 4 takes all: the result would have extent -1"},
	};
	mt_tensor *x = mt_zeros(MT_SHAPE(1, 4, 5, 5), MT_F32), *w = mt_zeros(MT_SHAPE(4, 2, 3, 3), MT_F32);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("options %zu", i);
		MT_CHECK(mt_conv_transpose2d(x, w, MT_NONE, rows[i].o) == NULL);
		CHECK_ERROR(rows[i].status, rows[i].part);
	}
}

static void shapes_refused(void) {
	const mt_conv_transpose_options o = {.groups = 0}, two = {.groups = 2};
	mt_tensor *x = mt_zeros(MT_SHAPE(1, 4, 5, 5), MT_F32), *w = mt_zeros(MT_SHAPE(4, 2, 3, 3), MT_F32);
	MT_CHECK(mt_conv_transpose2d(x, mt_zeros(MT_SHAPE(2, 4, 3, 3), MT_F32), MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "weight: [Ci, Co/groups, …]");
	MT_CHECK(mt_conv_transpose2d(x, w, mt_zeros(MT_SHAPE(2), MT_F32), two) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "bias is f32[2], weight is f32[4, 2, 3, 3]; [Co], [4], is needed");
	MT_CHECK(mt_conv_transpose1d(x, w, MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "conv_transpose1d: x is f32[1, 4, 5, 5]");
	MT_CHECK(mt_conv_transpose3d(x, w, MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "both must have 5 dims");
	MT_CHECK(mt_conv_transpose2d(mt_zeros(MT_SHAPE(1, 0, 5, 5), MT_F32), w, MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "only the batch may be empty");
	MT_CHECK(mt_conv_transpose2d(NULL, w, MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_NULL, "x");
}

static const mt_test_case cases[] = {{"values", values},
                                     {"known", known},
                                     {"options_refused", options_refused},
                                     {"shapes_refused", shapes_refused},
                                     {0}};
static const mt_test_suite suites[] = {{"conv_transpose", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
