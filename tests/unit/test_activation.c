/* Activations that are no map op: log_sigmoid, hardtanh, prelu; and those of torch.nn as layers. */
#include <math.h>
#include <stdlib.h>

#include "oracle.h"

static const mt_dtype floats[] = {MT_F32, MT_F64, MT_F16, MT_BF16};
#define N_FLOATS (sizeof floats / sizeof *floats)

/* ---- values in every layout --------------------------------------------------------------------------------------- */

static double f_log_sigmoid(double x) {
	return fmin(x, 0) - log1p(exp(-fabs(x)));
}

static double f_hardtanh(double x) {
	return x < -0.5 ? -0.5 : x > 1.25 ? 1.25 : x;
}

static mt_tensor *hardtanh(mt_tensor *x) {
	return mt_hardtanh(x, -0.5, 1.25);
}

static void values_on_device(void) {
	static const struct {
		const char *name;
		mt_tensor *(*op)(mt_tensor *);
		double (*reference)(double);
	} ops[] = {{"log_sigmoid", mt_log_sigmoid, f_log_sigmoid}, {"hardtanh", hardtanh, f_hardtanh}};
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		for (size_t d = 0; d < N_FLOATS; d++)
			for (int l = 0; l < N_LAYOUTS; l++) {
				mt_scope *scope = mt_scope_begin();
				row("%s %s %s", ops[i].name, mt_dtype_name(floats[d]), layout_name(l));
				mt_tensor *x = random_in(l, MT_SHAPE(5, 3, 7), floats[d], -6, 6, i + 3), *y = ops[i].op(x);
				double *want = elements(x);
				MT_REQUIRE(want != NULL);
				for (int64_t e = 0; e < mt_tensor_numel(x); e++)
					want[e] = ops[i].reference(want[e]);
				CHECK_CLOSE(y, want, mt_tensor_numel(x), rtol_of(floats[d]), 0.5);
				MT_CHECK_INT(mt_tensor_dtype(y), floats[d]);
				free(want);
				mt_scope_end(scope);
			}
	row("special values");
	mt_tensor *x = mt_from_data(MT_SHAPE(4), MT_F32, (const float[]){INFINITY, -INFINITY, NAN, -200});
	CHECK_VALUES(mt_log_sigmoid(x), -0.0, -INFINITY, NAN, -200);
	CHECK_VALUES(hardtanh(x), 1.25, -0.5, NAN, -0.5);
	CHECK_NEAR_VALUES(mt_log_sigmoid(mt_zeros(MT_SHAPE(1), MT_I64)), 1e-7, -0.6931471805599453);
	CHECK_SHAPE(mt_log_sigmoid(mt_zeros(MT_SHAPE(0, 2), MT_F32)), 0, 2);
}

static void values(void) {
	each_backend(values_on_device);
}

/* ---- prelu -------------------------------------------------------------------------------------------------------- */

struct prelu_case {
	int rank, w_rank;
	int64_t shape[4], w[2];
};

static const struct prelu_case prelus[] = {
	{3, 1, {4, 3, 5}, {1}}, {3, 1, {4, 3, 5}, {3}}, {2, 1, {6, 4}, {4}},       {1, 1, {7}, {1}},
	{0, 1, {0}, {1}},       {3, 0, {2, 3, 4}, {0}}, {4, 1, {2, 5, 3, 2}, {5}}, {3, 2, {2, 3, 4}, {1, 1}},
	{3, 1, {0, 3, 4}, {3}}, {2, 1, {3, 1}, {1}},
};

/* y, and the gradients for the upstream gradient u, in double. */
static void prelu_reference(const struct prelu_case *c, int64_t n, int64_t weights, double *x, const double *w,
                            const double *u, double *gx, double *gw) {
	int64_t inner = 1;
	for (int d = 2; d < c->rank; d++)
		inner *= c->shape[d];
	for (int64_t i = 0; i < n; i++) {
		int64_t channel = weights == 1 ? 0 : i / inner % weights;
		double slope = x[i] <= 0 ? w[channel] : 1;
		gx[i] = slope * u[i];
		gw[channel] += x[i] <= 0 ? u[i] * x[i] : 0;
		x[i] *= slope;
	}
}

static void check_prelu(const struct prelu_case *c, enum layout layout) {
	mt_scope *scope = mt_scope_begin();
	int64_t base[MT_MAX_RANK];
	base_shape(layout, c->rank, c->shape, base);
	mt_tensor *leaf = mt_requires_grad_(random_like(c->rank, base, MT_F64, -2, 2, 5), 1);
	mt_tensor *x = lay_out(leaf, layout, c->rank, c->shape);
	mt_retain_grad(x);
	mt_tensor *w = mt_requires_grad_(random_like(c->w_rank, c->w, MT_F64, -1, 1, 6), 1);
	mt_tensor *y = mt_prelu(x, w), *u = random_like(c->rank, c->shape, MT_F64, -3, 3, 7);
	int64_t n = mt_tensor_numel(x), weights = mt_tensor_numel(w);
	double *want = elements(x), *ws = elements(w), *us = elements(u), *gx = calloc((size_t)n + 1, sizeof *gx),
		   *gw = calloc((size_t)weights, sizeof *gw);
	MT_REQUIRE(want != NULL && ws != NULL && us != NULL && gx != NULL && gw != NULL);
	prelu_reference(c, n, weights, want, ws, us, gx, gw);
	CHECK_CLOSE(y, want, n, 1e-14, 1);
	check_shape(y, c->rank, c->shape, __FILE__, __LINE__, "y");
	MT_CHECK_INT(mt_backward_from(y, u, 0), MT_OK);
	CHECK_CLOSE(mt_grad(w), gw, weights, 1e-13, 1);
	check_shape(mt_grad(w), c->w_rank, c->w, __FILE__, __LINE__, "gradient of w");
	if (layout == CONTIGUOUS)
		CHECK_CLOSE(mt_grad(x), gx, n, 1e-14, 1);
	free(want);
	free(ws);
	free(us);
	free(gx);
	free(gw);
	mt_scope_end(scope);
}

static void prelu_on_device(void) {
	for (size_t i = 0; i < sizeof prelus / sizeof *prelus; i++)
		for (int l = 0; l < N_LAYOUTS; l++) {
			if (l != CONTIGUOUS && prelus[i].rank == 0)
				continue;
			row("prelu %zu %s", i, layout_name(l));
			check_prelu(&prelus[i], l);
		}
	row("prelu of special values");
	mt_tensor *x =
		mt_requires_grad_(mt_from_data(MT_SHAPE(6), MT_F32, (const float[]){INFINITY, -INFINITY, NAN, 0, -2, 3}), 1);
	mt_tensor *w = mt_requires_grad_(mt_full(MT_SHAPE(1), MT_F32, mt_f(0.5)), 1);
	mt_tensor *y = mt_prelu(x, w);
	CHECK_VALUES(y, INFINITY, -INFINITY, NAN, 0, -1, 3);
	mt_tensor *u = mt_from_data(MT_SHAPE(6), MT_F32, (const float[]){2, 0.5f, 3, 4, 5, 6});
	MT_CHECK_INT(mt_backward_from(y, u, 0), MT_OK);
	CHECK_VALUES(mt_grad(x), 2, 0.25, 3, 2, 2.5, 6);
	CHECK_VALUES(mt_grad(w), -INFINITY);
	CHECK_VALUES(mt_prelu(x, mt_full(MT_SHAPE(1), MT_F32, mt_f(NAN))), INFINITY, NAN, NAN, NAN, NAN, 3);
	row("prelu of dtypes");
	MT_CHECK_INT(mt_tensor_dtype(mt_prelu(mt_ones(MT_SHAPE(2, 3), MT_I32), mt_ones(MT_SHAPE(3), MT_F32))), MT_F32);
	MT_CHECK_INT(mt_tensor_dtype(mt_prelu(mt_ones(MT_SHAPE(2, 3), MT_BF16), mt_ones(MT_SHAPE(3), MT_BF16))), MT_BF16);
	CHECK_VALUES(mt_prelu(mt_full(MT_SHAPE(1), MT_I64, mt_i(-4)), mt_full(MT_SHAPE(1), MT_F32, mt_f(0.25))), -1);
}

static void prelu(void) {
	each_backend(prelu_on_device);
}

/* ---- layers ------------------------------------------------------------------------------------------------------- */

static void layers(void) {
	static const struct {
		const char *name;
		int32_t op;
		double x, y;
	} rows[] = {
		{"Mish", MT_MAP_MISH, 1, 0.86509839},
		{"SELU", MT_MAP_SELU, -1, -1.1113307},
		{"Hardsigmoid", MT_MAP_HARDSIGMOID, 1.5, 0.75},
		{"Hardswish", MT_MAP_HARDSWISH, 1.5, 1.125},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("%s", rows[i].name);
		mt_module *m = mt_nn_activation(rows[i].op, 0);
		MT_REQUIRE(m != NULL);
		MT_CHECK_STR(mt_module_class_name(m), rows[i].name);
		CHECK_NEAR_VALUES(mt_forward(m, mt_full(MT_SHAPE(1), MT_F32, mt_f(rows[i].x))), 1e-6, rows[i].y);
		mt_module_free(m);
	}
	mt_test_row("Hardtanh");
	mt_module *m = mt_nn_hardtanh(-0.5, 2);
	MT_CHECK_STR(mt_module_class_name(m), "Hardtanh");
	CHECK_VALUES(mt_forward(m, mt_from_data(MT_SHAPE(3), MT_F32, (const float[]){-1, 1, 3})), -0.5, 1, 2);
	mt_module_free(m);
	mt_test_row("PReLU");
	m = mt_nn_prelu(3, 0.25);
	MT_CHECK_STR(mt_module_class_name(m), "PReLU");
	CHECK_VALUES(mt_forward(m, mt_full(MT_SHAPE(1, 3), MT_F32, mt_f(-4))), -1, -1, -1);
	mt_tensor *w = mt_module_get(m, "weight");
	CHECK_VALUES(w, 0.25, 0.25, 0.25);
	MT_CHECK(mt_tensor_requires_grad(w));
	mt_module_free(m);
}

static void errors(void) {
	mt_tensor *x = mt_ones(MT_SHAPE(2, 3, 4), MT_F32);
	MT_CHECK(mt_log_sigmoid(NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "log_sigmoid");
	MT_CHECK(mt_hardtanh(x, 1, -1) == NULL);
	CHECK_ERROR(MT_E_ARG, "hardtanh: low must be at most high, got 1 and -1");
	MT_CHECK(mt_hardtanh(x, NAN, 1) == NULL);
	CHECK_ERROR(MT_E_ARG, "hardtanh");
	MT_CHECK(mt_prelu(x, mt_ones(MT_SHAPE(4), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "prelu: x is f32[2, 3, 4], w is f32[4]");
	MT_CHECK(mt_prelu(x, mt_ones(MT_SHAPE(3, 1), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "prelu");
	MT_CHECK(mt_prelu(x, mt_ones(MT_SHAPE(0), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "prelu");
	MT_CHECK(mt_prelu(x, MT_NONE) == NULL);
	CHECK_ERROR(MT_E_ARG, "prelu");
	MT_CHECK(mt_prelu(NULL, x) == NULL);
	CHECK_ERROR(MT_E_NULL, "prelu");
	MT_CHECK(mt_nn_hardtanh(1, 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "nn_hardtanh: low must be at most high");
	MT_CHECK(mt_nn_prelu(0, 0.25) == NULL);
	CHECK_ERROR(MT_E_ARG, "nn_prelu: n must be at least 1, got 0");
}

static const mt_test_case cases[] = {{"values", values}, {"prelu", prelu}, {"layers", layers}, {"errors", errors}, {0}};
static const mt_test_suite suites[] = {{"activation", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
