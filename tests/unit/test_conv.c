/* conv2d: values against plain loops over strides, paddings, dilations, groups and layouts; 1-d and 3-d; errors. */
#include <stdlib.h>

#include "ops/ops.h"
#include "oracle.h"

struct conv_case {
	int64_t n, ci, h, w, co, kh, kw;
	mt_conv_options o;
};

static const struct conv_case convs[] = {
	{2, 3, 7, 6, 4, 3, 2, {{0}, {0}, {0}, 0}},          {1, 1, 5, 5, 1, 5, 5, {{0}, {0}, {0}, 0}},
	{2, 1, 8, 9, 3, 3, 3, {{2, 1}, {0}, {0}, 0}},       {2, 2, 6, 5, 3, 3, 3, {{1, 2}, {1, 2}, {0}, 0}},
	{1, 4, 9, 8, 6, 3, 2, {{2, 3}, {2, 1}, {2, 3}, 0}}, {2, 6, 5, 5, 4, 2, 2, {{0}, {1, 0}, {0}, 2}},
	{1, 4, 6, 6, 4, 3, 3, {{0}, {1, 1}, {0}, 4}},       {17, 2, 6, 7, 5, 3, 3, {{0}, {1, 1}, {0}, 0}},
	{1, 3, 4, 4, 2, 1, 1, {{3, 3}, {0}, {0}, 0}},       {1, 1, 2, 2, 1, 2, 2, {{1, 1}, {5, 4}, {0}, 0}},
	{0, 2, 4, 4, 3, 2, 2, {{0}, {0}, {0}, 0}},
};

static int64_t or_one(int value) {
	return value == 0 ? 1 : value;
}

static int64_t extent(int64_t s, int64_t k, const mt_conv_options *o, int i) {
	return (s + 2 * o->padding[i] - or_one(o->dilation[i]) * (k - 1) - 1) / or_one(o->stride[i]) + 1;
}

/* One result element. */
static double plain_conv(const struct conv_case *c, const double *x, const double *w, int64_t n, int64_t co, int64_t oy,
                         int64_t ox) {
	int64_t groups = or_one(c->o.groups), cg = c->ci / groups, g = co / (c->co / groups);
	double sum = 0;
	for (int64_t ci = 0; ci < cg; ci++)
		for (int64_t ky = 0; ky < c->kh; ky++)
			for (int64_t kx = 0; kx < c->kw; kx++) {
				int64_t y = oy * or_one(c->o.stride[0]) + ky * or_one(c->o.dilation[0]) - c->o.padding[0];
				int64_t z = ox * or_one(c->o.stride[1]) + kx * or_one(c->o.dilation[1]) - c->o.padding[1];
				if (y >= 0 && y < c->h && z >= 0 && z < c->w)
					sum += x[((n * c->ci + g * cg + ci) * c->h + y) * c->w + z] *
					       w[((co * cg + ci) * c->kh + ky) * c->kw + kx];
			}
	return sum;
}

static void check_conv(const struct conv_case *c, mt_tensor *x, mt_tensor *w, mt_tensor *b) {
	int64_t oh = extent(c->h, c->kh, &c->o, 0), ow = extent(c->w, c->kw, &c->o, 1), i = 0;
	double *ex = elements(x), *ew = elements(w), *eb = mt_tensor_is_none(b) ? NULL : elements(b);
	double *want = malloc((size_t)(c->n * c->co * oh * ow) * sizeof *want + 1);
	MT_REQUIRE(ex != NULL && ew != NULL && want != NULL);
	for (int64_t n = 0; n < c->n; n++)
		for (int64_t co = 0; co < c->co; co++)
			for (int64_t oy = 0; oy < oh; oy++)
				for (int64_t ox = 0; ox < ow; ox++)
					want[i++] = plain_conv(c, ex, ew, n, co, oy, ox) + (eb != NULL ? eb[co] : 0);
	mt_tensor *y = mt_conv2d(x, w, b, c->o);
	CHECK_SHAPE(y, c->n, c->co, oh, ow);
	CHECK_CLOSE(y, want, i, 4 * rtol_of(mt_tensor_dtype(x)), 3);
	free(ex);
	free(ew);
	free(eb);
	free(want);
}

static void values_on_device(void) {
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_BF16};
	for (size_t i = 0; i < sizeof convs / sizeof *convs; i++)
		for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++)
			for (int l = 0; l < N_LAYOUTS; l++) {
				const struct conv_case *c = &convs[i];
				int64_t groups = or_one(c->o.groups);
				mt_scope *scope = mt_scope_begin();
				row("conv %zu %s %s", i, mt_dtype_name(dtypes[d]), layout_name(l));
				mt_tensor *x = random_in(l, MT_SHAPE(c->n, c->ci, c->h, c->w), dtypes[d], -1, 1, i);
				mt_tensor *w = random_in((l + 1) % N_LAYOUTS, MT_SHAPE(c->co, c->ci / groups, c->kh, c->kw), dtypes[d],
				                         -1, 1, i + 20);
				check_conv(c, x, w, MT_NONE);
				check_conv(c, x, w, random_in(l, MT_SHAPE(c->co), dtypes[d], -1, 1, i + 40));
				mt_scope_end(scope);
			}
}

static void values(void) {
	each_backend(values_on_device);
}

/* One dim is conv2d with extents of 1; three dims against a sum over depth of two. */
static void dims_on_device(void) {
	mt_conv_options o1 = {{2}, {1}, {2}, 0}, o2 = {{1, 2}, {0, 1}, {1, 2}, 0}, o3 = {{0}, {0}, {0}, 0};
	mt_tensor *x = random_like(MT_SHAPE(2, 3, 9), MT_F64, -1, 1, 1),
			  *w = random_like(MT_SHAPE(4, 3, 2), MT_F64, -1, 1, 2);
	row("conv1d");
	mt_tensor *flat = mt_conv2d(mt_unsqueeze(x, 2), mt_unsqueeze(w, 2), MT_NONE, o2);
	double *want = elements(flat);
	CHECK_CLOSE(mt__convnd("conv1d", x, w, MT_NONE, o1, 1), want, mt_tensor_numel(flat), 1e-12, 1);
	free(want);
	row("conv3d");
	mt_tensor *x3 = random_like(MT_SHAPE(1, 2, 2, 4, 5), MT_F64, -1, 1, 3),
			  *w3 = random_like(MT_SHAPE(3, 2, 2, 2, 3), MT_F64, -1, 1, 4);
	mt_tensor *sum = mt_add(mt_conv2d(mt_index(x3, 2, 0), mt_index(w3, 2, 0), MT_NONE, o3),
	                        mt_conv2d(mt_index(x3, 2, 1), mt_index(w3, 2, 1), MT_NONE, o3));
	want = elements(sum);
	CHECK_CLOSE(mt__convnd("conv3d", x3, w3, MT_NONE, o3, 3), want, mt_tensor_numel(sum), 1e-12, 1);
	CHECK_SHAPE(mt__convnd("conv3d", x3, w3, MT_NONE, o3, 3), 1, 3, 1, 3, 3);
	free(want);
	row("integers are f32");
	MT_CHECK_INT(mt_tensor_dtype(mt_conv2d(mt_ones(MT_SHAPE(1, 1, 2, 2), MT_I32), mt_ones(MT_SHAPE(1, 1, 2, 2), MT_U8),
	                                       MT_NONE, o3)),
	             MT_F32);
}

static void dims(void) {
	each_backend(dims_on_device);
}

static void errors(void) {
	mt_conv_options o = {{0}, {0}, {0}, 0};
	mt_tensor *x = mt_zeros(MT_SHAPE(1, 4, 5, 5), MT_F32), *w = mt_zeros(MT_SHAPE(2, 4, 3, 3), MT_F32);
	MT_CHECK(mt_conv2d(x, mt_zeros(MT_SHAPE(2, 3, 3, 3), MT_F32), MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "conv2d: x is f32[1, 4, 5, 5], weight is f32[2, 3, 3, 3], groups 1");
	MT_CHECK(mt_conv2d(x, w, mt_zeros(MT_SHAPE(3), MT_F32), o) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "bias is f32[3]");
	MT_CHECK(mt_conv2d(mt_zeros(MT_SHAPE(4, 5, 5), MT_F32), w, MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "must have 4 dims");
	MT_CHECK(mt_conv2d(x, mt_zeros(MT_SHAPE(2, 4, 6, 3), MT_F32), MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "spatial dim 0");
	MT_CHECK(mt_conv2d(mt_zeros(MT_SHAPE(1, 4, 0, 5), MT_F32), w, MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "only the batch may be empty");
	o.stride[1] = -1;
	MT_CHECK(mt_conv2d(x, w, MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_ARG, "conv2d: options.stride[1] is -1");
	o = (mt_conv_options){{0}, {-1}, {0}, 0};
	MT_CHECK(mt_conv2d(x, w, MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_ARG, "options.padding[0] is -1");
	o = (mt_conv_options){{0}, {0}, {2147483647, 1}, 0};
	MT_CHECK(mt_conv2d(x, w, MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "dilation 2147483647");
	o = (mt_conv_options){{0}, {0}, {0}, -3};
	MT_CHECK(mt_conv2d(x, w, MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_ARG, "options.groups is -3");
	o.groups = 3;
	MT_CHECK(mt_conv2d(x, w, MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "groups 3");
	MT_CHECK(mt_conv2d(x, NULL, MT_NONE, o) == NULL);
	CHECK_ERROR(MT_E_NULL, "weight");
}

static const mt_test_case cases[] = {{"values", values}, {"dims", dims}, {"errors", errors}, {0}};
static const mt_test_suite suites[] = {{"conv", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
