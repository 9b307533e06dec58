/* layer_norm, batch_norm, group_norm, rms_norm: values and gradients against plain loops in double, native against
 * composed, running statistics, special values, errors. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "autograd/node.h"
#include "ops/ops.h"
#include "oracle.h"

/* ---- the reference ----------------------------------------------------------------------------------------------- */

/* Element i of x lies in set (i / over) % sets and has parameter (i / every) % parameters. */
struct sets {
	int64_t n, over, sets, every, parameters;
};

static int64_t set_of(const struct sets *s, int64_t i) {
	return i / s->over % s->sets;
}

static int64_t parameter_of(const struct sets *s, int64_t i) {
	return i / s->every % s->parameters;
}

struct moments {
	double mean[256], variance[256];
};

static void plain_moments(const struct sets *s, const double *x, struct moments *m) {
	double each = (double)(s->n / s->sets);
	for (int64_t k = 0; k < s->sets; k++)
		m->mean[k] = m->variance[k] = 0;
	for (int64_t i = 0; i < s->n; i++)
		m->mean[set_of(s, i)] += x[i] / each;
	for (int64_t i = 0; i < s->n; i++)
		m->variance[set_of(s, i)] += pow(x[i] - m->mean[set_of(s, i)], 2) / each;
}

static double normal(const struct sets *s, const double *x, const struct moments *m, double eps, int64_t i) {
	return (x[i] - m->mean[set_of(s, i)]) / sqrt(m->variance[set_of(s, i)] + eps);
}

static double or_else(const double *v, int64_t i, double other) {
	return v != NULL ? v[i] : other;
}

static void plain_norm(const struct sets *s, const double *x, const double *w, const double *b, const struct moments *m,
                       double eps, double *y) {
	for (int64_t i = 0; i < s->n; i++)
		y[i] = normal(s, x, m, eps, i) * or_else(w, parameter_of(s, i), 1) + or_else(b, parameter_of(s, i), 0);
}

/* constant: the moments do not depend on x. */
static void plain_gradients(const struct sets *s, const double *g, const double *x, const double *w,
                            const struct moments *m, double eps, int constant, double *gx, double *gw, double *gb) {
	double mean_d[256] = {0}, mean_dh[256] = {0}, each = (double)(s->n / s->sets);
	for (int64_t p = 0; p < s->parameters; p++)
		gw[p] = gb[p] = 0;
	for (int64_t i = 0; i < s->n; i++) {
		double h = normal(s, x, m, eps, i), d = g[i] * or_else(w, parameter_of(s, i), 1);
		gw[parameter_of(s, i)] += g[i] * h;
		gb[parameter_of(s, i)] += g[i];
		mean_d[set_of(s, i)] += constant ? 0 : d / each;
		mean_dh[set_of(s, i)] += constant ? 0 : d * h / each;
	}
	for (int64_t i = 0; i < s->n; i++) {
		int64_t k = set_of(s, i);
		double h = normal(s, x, m, eps, i), d = g[i] * or_else(w, parameter_of(s, i), 1);
		gx[i] = (d - mean_d[k] - h * mean_dh[k]) / sqrt(m->variance[k] + eps);
	}
}

/* ---- the ops ----------------------------------------------------------------------------------------------------- */

enum form { LAYER, LAYER_LAST_TWO, GROUP, BATCH, BATCH_EVAL, BATCH_FLAT, N_FORMS };

static const char *const form_names[N_FORMS] = {"layer_norm", "layer_norm 2",    "group_norm",
                                                "batch_norm", "batch_norm eval", "batch_norm [N, C]"};

#define EPS 1e-3

static int rank_of(enum form form) {
	return form == BATCH_FLAT ? 2 : 4;
}

/* x: [4, 6, 3, 5], or [12, 6]. */
static const int64_t shapes[N_FORMS][4] = {{4, 6, 3, 5}, {4, 6, 3, 5}, {4, 6, 3, 5},
                                           {4, 6, 3, 5}, {4, 6, 3, 5}, {12, 6}};
static const struct sets layouts[N_FORMS] = {{360, 5, 72, 1, 5},  {360, 15, 24, 1, 15}, {360, 30, 12, 15, 6},
                                             {360, 15, 6, 15, 6}, {360, 15, 6, 15, 6},  {72, 1, 6, 1, 6}};

static mt_tensor *parameter(enum form form, mt_dtype dtype, uint64_t seed) {
	return form == LAYER_LAST_TWO ? random_like(MT_SHAPE(3, 5), dtype, 0.5, 2, seed)
	                              : random_like(MT_SHAPE(layouts[form].parameters), dtype, 0.5, 2, seed);
}

static mt_tensor *apply(enum form form, int composed, mt_tensor *x, mt_tensor *w, mt_tensor *b, mt_tensor *mean,
                        mt_tensor *variance) {
	const mt_batch_norm_options options = {EPS, 0.3, form != BATCH_EVAL};
	int n = form == LAYER_LAST_TWO ? 2 : 1;
	switch (form) {
	case LAYER:
	case LAYER_LAST_TWO:
		return (composed ? mt__layer_norm_composed : mt_layer_norm)(x, n, w, b, EPS);
	case GROUP:
		return mt_group_norm(x, 3, w, b, EPS);
	default:
		return (composed ? mt__batch_norm_composed : mt_batch_norm)(x, w, b, mean, variance, options);
	}
}

struct reference {
	double *x, *w, *b;
	struct moments m;
};

static void take_reference(struct reference *r, enum form form, mt_tensor *x, mt_tensor *w, mt_tensor *b,
                           mt_tensor *mean, mt_tensor *variance) {
	r->x = elements(x);
	r->w = mt_tensor_is_none(w) ? NULL : elements(w);
	r->b = mt_tensor_is_none(b) ? NULL : elements(b);
	plain_moments(&layouts[form], r->x, &r->m);
	double *from[2] = {elements(mean), elements(variance)};
	for (int64_t c = 0; c < layouts[form].sets && form == BATCH_EVAL; c++) {
		r->m.mean[c] = from[0][c];
		r->m.variance[c] = from[1][c];
	}
	free(from[0]);
	free(from[1]);
}

static void free_reference(struct reference *r) {
	free(r->x);
	free(r->w);
	free(r->b);
}

static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16, MT_BF16};
enum { N_DTYPES = sizeof dtypes / sizeof *dtypes };

static void check_values_of(enum form form, mt_dtype dtype, enum layout layout, int affine) {
	double want[360];
	struct reference r;
	mt_tensor *x = random_in(layout, rank_of(form), shapes[form], dtype, -3, 5, 1);
	mt_tensor *w = affine & 1 ? parameter(form, dtype, 2) : MT_NONE,
			  *b = affine & 2 ? parameter(form, dtype, 3) : MT_NONE;
	mt_tensor *mean = random_like(MT_SHAPE(6), MT_F32, -1, 1, 4),
			  *variance = random_like(MT_SHAPE(6), MT_F32, 0.5, 2, 5);
	take_reference(&r, form, x, w, b, mean, variance);
	plain_norm(&layouts[form], r.x, r.w, r.b, &r.m, EPS, want);
	mt_tensor *y = apply(form, 0, x, w, b, mean, variance);
	MT_CHECK(mt_tensor_dtype(y) == dtype);
	check_shape(y, rank_of(form), shapes[form], __FILE__, __LINE__, "y");
	CHECK_CLOSE(y, want, layouts[form].n, 4 * rtol_of(dtype), 1);
	CHECK_CLOSE(apply(form, 1, x, w, b, mean, variance), want, layouts[form].n, 4 * rtol_of(dtype), 1);
	free_reference(&r);
}

static void values_on_device(void) {
	for (int form = 0; form < N_FORMS; form++)
		for (int d = 0; d < N_DTYPES; d++)
			for (int l = 0; l < N_LAYOUTS; l++) {
				if (l == REPEATED && form >= BATCH && form != BATCH_EVAL)
					continue; /* variances near 0: nothing but rounding is left in f32 */
				mt_scope *scope = mt_scope_begin();
				row("%s %s %s", form_names[form], mt_dtype_name(dtypes[d]), layout_name(l));
				check_values_of(form, dtypes[d], l, (form + d + l) % 4);
				mt_scope_end(scope);
			}
}

static void values(void) {
	each_backend(values_on_device);
}

/* ---- gradients --------------------------------------------------------------------------------------------------- */

/* The node of the norm itself, below casts and reshapes that a call may add. */
static int is_norm(const struct mt_node *node) {
	const char *name = node != NULL ? mt__rule(node)->name : "";
	return name[0] != '\0' && (strcmp(name, "layer_norm") == 0 || strcmp(name, "batch_norm") == 0);
}

static void check_gradients_of(enum form form, mt_dtype dtype, int composed, int affine) {
	double gx[360], gw[16], gb[16];
	struct reference r;
	const struct sets *s = &layouts[form];
	mt_tensor *x = mt_requires_grad_(random_like(rank_of(form), shapes[form], dtype, -3, 5, 11), 1);
	mt_tensor *w = affine & 1 ? mt_requires_grad_(parameter(form, dtype, 12), 1) : MT_NONE;
	mt_tensor *b = affine & 2 ? mt_requires_grad_(parameter(form, dtype, 13), 1) : MT_NONE;
	mt_tensor *mean = random_like(MT_SHAPE(6), MT_F32, -1, 1, 4),
			  *variance = random_like(MT_SHAPE(6), MT_F32, 0.5, 2, 5);
	mt_tensor *u = random_in(TRANSPOSED, rank_of(form), shapes[form], dtype, -2, 2, 14);
	double *g = elements(u), tolerance = 16 * rtol_of(dtype);
	take_reference(&r, form, x, w, b, mean, variance);
	plain_gradients(s, g, r.x, r.w, &r.m, EPS, form == BATCH_EVAL, gx, gw, gb);
	mt_tensor *y = apply(form, composed, x, w, b, mean, variance);
	MT_CHECK_INT(mt_backward_from(y, u, 0), MT_OK);
	CHECK_CLOSE(mt_grad(x), gx, s->n, tolerance, 4);
	MT_CHECK(mt_tensor_dtype(mt_grad(x)) == dtype);
	if (affine & 1)
		CHECK_CLOSE(mt_grad(w), gw, s->parameters, tolerance, 20);
	if (affine & 2)
		CHECK_CLOSE(mt_grad(b), gb, s->parameters, tolerance, 20);
	free(g);
	free_reference(&r);
}

static void gradients_on_device(void) {
	for (int form = 0; form < N_FORMS; form++)
		for (int d = 0; d < N_DTYPES; d++)
			for (int affine = 0; affine < 4; affine++) {
				mt_scope *scope = mt_scope_begin();
				row("%s %s affine %d", form_names[form], mt_dtype_name(dtypes[d]), affine);
				check_gradients_of(form, dtypes[d], affine % 2, affine);
				mt_scope_end(scope);
			}
}

static void gradients(void) {
	each_backend(gradients_on_device);
}

/* The rule run while gradients are recorded takes ops instead of the kernel: the same gradients, which have a graph. */
static void differentiable_rule(void) {
	for (int form = BATCH; form <= BATCH_EVAL; form++)
		for (int d = 0; d < N_DTYPES; d++) {
			double gx[36], gw[4], gb[4];
			struct moments m;
			const struct sets s = {36, 3, 4, 3, 4};
			mt_dtype dtype = dtypes[d], wide = dtype == MT_F64 ? MT_F64 : MT_F32;
			row("batch_norm %s %s", mt_dtype_name(dtype), form == BATCH ? "training" : "eval");
			mt_tensor *in[3] = {random_like(MT_SHAPE(3, 4, 3), dtype, -2, 3, 1),
			                    random_like(MT_SHAPE(4), wide, 1, 2, 2), random_like(MT_SHAPE(4), wide, 1, 2, 3)};
			for (int i = 0; i < 3; i++)
				mt_requires_grad_(in[i], 1);
			mt_tensor *mean = mt_full(MT_SHAPE(4), wide, mt_f(0.25)), *variance = mt_full(MT_SHAPE(4), wide, mt_f(1.5));
			mt_tensor *y = apply(form, 0, in[0], in[1], in[2], mean, variance);
			mt_tensor *g = random_like(MT_SHAPE(3, 4, 3), dtype, -1, 1, 4), *out[3] = {NULL};
			MT_REQUIRE(y != NULL && is_norm(y->node));
			MT_REQUIRE(mt__rule(y->node)->backward(y->node, g, out) == MT_OK);
			double *xs = elements(in[0]), *ws = elements(in[1]), *gs = elements(g);
			plain_moments(&s, xs, &m);
			for (int c = 0; c < 4 && form == BATCH_EVAL; c++) {
				m.mean[c] = 0.25;
				m.variance[c] = 1.5;
			}
			plain_gradients(&s, gs, xs, ws, &m, EPS, form == BATCH_EVAL, gx, gw, gb);
			CHECK_CLOSE(out[0], gx, 36, 16 * rtol_of(dtype), 1);
			CHECK_CLOSE(out[1], gw, 4, 16 * rtol_of(dtype), 4);
			CHECK_CLOSE(out[2], gb, 4, 16 * rtol_of(dtype), 4);
			MT_CHECK(mt_tensor_requires_grad(out[0]) && mt_tensor_requires_grad(out[1]));
			MT_CHECK(mt_tensor_dtype(out[0]) == dtype && mt_tensor_dtype(out[1]) == wide);
			free(xs);
			free(ws);
			free(gs);
		}
}

static void differentiable(void) {
	each_backend(differentiable_rule);
}

/* ---- running statistics ------------------------------------------------------------------------------------------ */

static void check_running(mt_dtype dtype, mt_dtype kept, int composed) {
	double mean[6], variance[6], want_mean[6], want_variance[6];
	struct moments m;
	const struct sets *s = &layouts[BATCH];
	mt_tensor *running_mean = mt_zeros(MT_SHAPE(6), kept), *running_variance = mt_ones(MT_SHAPE(6), kept);
	for (int c = 0; c < 6; c++) {
		mean[c] = 0;
		variance[c] = 1;
	}
	for (int step = 0; step < 3; step++) {
		mt_tensor *x = random_like(4, shapes[BATCH], dtype, -3, 5, (uint64_t)step + 1);
		double *xs = elements(x), n = 60;
		plain_moments(s, xs, &m);
		for (int c = 0; c < 6; c++) {
			mean[c] = 0.7 * mean[c] + 0.3 * m.mean[c];
			variance[c] = 0.7 * variance[c] + 0.3 * m.variance[c] * n / (n - 1);
		}
		MT_CHECK(apply(BATCH, composed, x, MT_NONE, MT_NONE, running_mean, running_variance) != NULL);
		free(xs);
	}
	for (int c = 0; c < 6; c++) {
		want_mean[c] = mean[c];
		want_variance[c] = variance[c];
	}
	double tolerance = 8 * rtol_of(kept == MT_F64 && dtype != MT_F64 ? MT_F32 : kept);
	CHECK_CLOSE(running_mean, want_mean, 6, tolerance, 1);
	CHECK_CLOSE(running_variance, want_variance, 6, tolerance, 1);
}

static void running_on_device(void) {
	static const mt_dtype pairs[][2] = {{MT_F32, MT_F32}, {MT_F64, MT_F64}, {MT_F16, MT_F32}, {MT_BF16, MT_F32},
	                                    {MT_F16, MT_F16}, {MT_F64, MT_F32}, {MT_F32, MT_F64}};
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		for (int composed = 0; composed < 2; composed++) {
			row("x %s, running %s, composed %d", mt_dtype_name(pairs[i][0]), mt_dtype_name(pairs[i][1]), composed);
			check_running(pairs[i][0], pairs[i][1], composed);
		}
}

static void running(void) {
	each_backend(running_on_device);
}

/* The update is a write outside the graph: seen by saved tensors, not by gradients. */
static void writes_on_device(void) {
	row("writes");
	const mt_batch_norm_options train = {.training = 1}, eval = {0}, still = {.training = 1, .momentum = -1};
	mt_tensor *x = mt_requires_grad_(random_like(MT_SHAPE(5, 3), MT_F32, -1, 1, 1), 1);
	mt_tensor *mean = mt_zeros(MT_SHAPE(3), MT_F32), *variance = mt_ones(MT_SHAPE(3), MT_F32);
	mt_tensor *saved = mt_mul(mt_index(x, 0, 0), mean);
	mt_tensor *y = mt_batch_norm(x, MT_NONE, MT_NONE, mean, variance, eval);
	mt_tensor *composed = mt__batch_norm_composed(x, MT_NONE, MT_NONE, mean, variance, eval);
	MT_REQUIRE(mt_batch_norm(x, MT_NONE, MT_NONE, mean, variance, train) != NULL);
	MT_CHECK(!mt_tensor_requires_grad(mean) && mt_tensor_is_leaf(variance));
	MT_CHECK_INT(mt_backward_from(saved, mt_ones_like(saved), 0), MT_E_VERSION);
	CHECK_ERROR(MT_E_VERSION, "mul");
	MT_CHECK_INT(mt_backward_from(y, mt_ones_like(y), 0), MT_OK); /* evaluation kept its own copy */
	MT_CHECK_INT(mt_backward_from(composed, mt_ones_like(y), 0), MT_OK);
	row("momentum -1");
	double *before = elements(mean);
	MT_CHECK(mt_batch_norm(x, MT_NONE, MT_NONE, mean, variance, still) != NULL);
	CHECK_CLOSE(mean, before, 3, 0, 1);
	free(before);
	row("one running tensor alone, default momentum and eps");
	mt_tensor *lone = mt_ones(MT_SHAPE(1), MT_F32), *two = mt_from_data(MT_SHAPE(2, 1), MT_F32, (const float[]){0, 4});
	CHECK_NEAR_VALUES(mt_batch_norm(two, MT_NONE, MT_NONE, MT_NONE, lone, train), 1e-6, -0.99999875, 0.99999875);
	CHECK_NEAR_VALUES(lone, 1e-6, 1.7);
	row("strided running statistics");
	mt_tensor *wide = mt_zeros(MT_SHAPE(6), MT_F32);
	MT_CHECK(mt_batch_norm(x, MT_NONE, MT_NONE, mt_slice(wide, 0, 0, MT_END, 2), MT_NONE, train) != NULL);
	double *all = elements(wide);
	MT_CHECK(all[0] != 0 && all[1] == 0 && all[2] != 0 && all[3] == 0);
	free(all);
}

static void writes(void) {
	each_backend(writes_on_device);
}

/* ---- rms_norm ---------------------------------------------------------------------------------------------------- */

static void rms_on_device(void) {
	static const int64_t shape[] = {4, 6, 5};
	for (int d = 0; d < N_DTYPES; d++)
		for (int l = 0; l < N_LAYOUTS; l++)
			for (int n = 1; n < 3; n++) {
				row("rms_norm %s %s %d dims", mt_dtype_name(dtypes[d]), layout_name(l), n);
				mt_tensor *x = random_in(l, 3, shape, dtypes[d], -3, 5, 1);
				mt_tensor *w = random_like(n, shape + 3 - n, dtypes[d], 0.5, 2, 2);
				double *xs = elements(x), *ws = elements(w), want[120];
				int64_t each = n == 1 ? 5 : 30;
				for (int64_t i = 0; i < 120; i++) {
					double sum = 0;
					for (int64_t j = 0; j < each; j++)
						sum += pow(xs[i / each * each + j], 2);
					want[i] = xs[i] / sqrt(sum / (double)each + EPS) * ws[i % each];
				}
				CHECK_CLOSE(mt_rms_norm(x, n, w, EPS), want, 120, 4 * rtol_of(dtypes[d]), 0.1);
				free(xs);
				free(ws);
			}
}

static void rms(void) {
	each_backend(rms_on_device);
}

/* ---- special values, empty arrays, mixed dtypes, large arrays ---------------------------------------------------- */

static int all_nan(mt_tensor *t) {
	double *v = elements(t);
	int nan = 1;
	for (int64_t i = 0; v != NULL && i < mt_tensor_numel(t); i++)
		nan &= isnan(v[i]) != 0;
	free(v);
	return nan;
}

static void specials_on_device(void) {
	row("NaN and infinity stay in their set");
	mt_tensor *x = random_like(MT_SHAPE(4, 3), MT_F32, -1, 1, 1);
	mt_set(x, (const int64_t[]){0, 1}, mt_f(NAN));
	mt_set(x, (const int64_t[]){3, 1}, mt_f(INFINITY));
	mt_tensor *by_row = mt_layer_norm(x, 1, MT_NONE, MT_NONE, EPS);
	MT_CHECK(all_nan(mt_index(by_row, 0, 0)) && all_nan(mt_index(by_row, 0, 3)));
	MT_CHECK(!all_nan(mt_index(by_row, 0, 1)));
	mt_tensor *by_channel =
		mt_batch_norm(x, MT_NONE, MT_NONE, MT_NONE, MT_NONE, (mt_batch_norm_options){.training = 1});
	MT_CHECK(all_nan(mt_index(by_channel, 1, 1)) && !all_nan(mt_index(by_channel, 1, 0)));
	row("a constant set is 0, whatever its size");
	CHECK_VALUES(mt_layer_norm(mt_full(MT_SHAPE(1, 3), MT_F32, mt_f(1e6)), 1, MT_NONE, MT_NONE, EPS), 0, 0, 0);
	CHECK_VALUES(mt_layer_norm(mt_full(MT_SHAPE(2, 1), MT_F32, mt_f(7)), 1, MT_NONE, MT_NONE, EPS), 0, 0);
	row("integers as f32");
	mt_tensor *y = mt_layer_norm(counting(MT_SHAPE(1, 3), MT_I64), 1, MT_NONE, MT_NONE, 1e-12);
	CHECK_NEAR_VALUES(y, 1e-6, -1.2247449, 0, 1.2247449);
	MT_CHECK(mt_tensor_dtype(y) == MT_F32);
}

static void special_values(void) {
	each_backend(specials_on_device);
}

static void empty_on_device(void) {
	const mt_batch_norm_options train = {.training = 1};
	row("no rows");
	mt_tensor *w = mt_requires_grad_(mt_ones(MT_SHAPE(3), MT_F32), 1),
			  *b = mt_requires_grad_(mt_ones(MT_SHAPE(3), MT_F32), 1);
	mt_tensor *x = mt_requires_grad_(mt_zeros(MT_SHAPE(0, 3), MT_F32), 1);
	mt_tensor *y = mt_layer_norm(x, 1, w, b, EPS);
	CHECK_SHAPE(y, 0, 3);
	MT_CHECK_INT(mt_backward_from(y, mt_zeros_like(y), 0), MT_OK);
	CHECK_VALUES(mt_grad(w), 0, 0, 0);
	CHECK_VALUES(mt_grad(b), 0, 0, 0);
	CHECK_SHAPE(mt_grad(x), 0, 3);
	row("no columns");
	CHECK_SHAPE(mt_layer_norm(mt_zeros(MT_SHAPE(2, 0), MT_F32), 1, MT_NONE, MT_NONE, EPS), 2, 0);
	CHECK_SHAPE(mt_rms_norm(mt_zeros(MT_SHAPE(2, 0), MT_F32), 1, MT_NONE, EPS), 2, 0);
	CHECK_SHAPE(mt_group_norm(mt_zeros(MT_SHAPE(0, 4, 2), MT_F32), 2, MT_NONE, MT_NONE, EPS), 0, 4, 2);
	row("an empty batch moves no statistics");
	mt_tensor *mean = mt_zeros(MT_SHAPE(3), MT_F32), *variance = mt_ones(MT_SHAPE(3), MT_F32);
	mt_zero_grad(w);
	y = mt_batch_norm(mt_zeros(MT_SHAPE(0, 3, 2, 2), MT_F32), w, b, mean, variance, train);
	CHECK_SHAPE(y, 0, 3, 2, 2);
	MT_CHECK_INT(mt_backward_from(y, mt_zeros_like(y), 0), MT_OK);
	CHECK_VALUES(mt_grad(w), 0, 0, 0);
	CHECK_VALUES(mean, 0, 0, 0);
	CHECK_VALUES(variance, 1, 1, 1);
}

static void empty(void) {
	each_backend(empty_on_device);
}

/* 16-bit x beside f32 parameters stays 16-bit, and is rounded once. */
static void mixed_on_device(void) {
	for (int form = 0; form < N_FORMS; form++) {
		double want[360];
		struct reference r;
		row("f16 beside f32: %s", form_names[form]);
		mt_tensor *x = random_like(rank_of(form), shapes[form], MT_F16, -3, 5, 1);
		mt_tensor *w = mt_requires_grad_(parameter(form, MT_F32, 2), 1), *b = parameter(form, MT_F32, 3);
		mt_tensor *mean = mt_zeros(MT_SHAPE(6), MT_F32), *variance = mt_ones(MT_SHAPE(6), MT_F32);
		take_reference(&r, form, x, w, b, mean, variance);
		plain_norm(&layouts[form], r.x, r.w, r.b, &r.m, EPS, want);
		mt_tensor *y = apply(form, 0, x, w, b, mean, variance);
		MT_CHECK(mt_tensor_dtype(y) == MT_F16);
		CHECK_CLOSE(y, want, layouts[form].n, 6e-4, 0.5); /* half a unit in the last place of f16, and f32's noise */
		MT_CHECK_INT(mt_backward_from(y, mt_ones_like(y), 0), MT_OK);
		MT_CHECK(mt_tensor_dtype(mt_grad(w)) == MT_F32);
		free_reference(&r);
	}
}

static void mixed(void) {
	each_backend(mixed_on_device);
}

static void large_on_device(void) {
	row("large");
	mt_tensor *x = random_like(MT_SHAPE(70, 1025), MT_F32, 99, 101, 1);
	double *have = elements(mt_layer_norm(x, 1, MT_NONE, MT_NONE, 1e-5)), *xs = elements(x);
	const struct sets s = {70 * 1025, 1025, 70, 1, 1025};
	struct moments m;
	plain_moments(&s, xs, &m);
	double worst = 0;
	for (int64_t i = 0; i < s.n; i++)
		worst = fmax(worst, fabs(have[i] - normal(&s, xs, &m, 1e-5, i)));
	MT_CHECK_MSG(worst <= 1e-4, "off by %g", worst); /* x holds 2^-17 of its unit */
	free(have);
	free(xs);
}

static void large(void) {
	each_backend(large_on_device);
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

static void errors(void) {
	const mt_batch_norm_options train = {.training = 1}, eval = {0};
	mt_tensor *x = mt_ones(MT_SHAPE(2, 3), MT_F32), *three = mt_ones(MT_SHAPE(3), MT_F32);
	mt_tensor *two = mt_ones(MT_SHAPE(2), MT_F32), *grad = mt_requires_grad_(mt_ones(MT_SHAPE(3), MT_F32), 1);
	MT_CHECK(mt_layer_norm(NULL, 1, MT_NONE, MT_NONE, EPS) == NULL);
	CHECK_ERROR(MT_E_NULL, "layer_norm: x");
	MT_CHECK(mt_layer_norm(x, 1, NULL, MT_NONE, EPS) == NULL);
	CHECK_ERROR(MT_E_NULL, "layer_norm: weight");
	MT_CHECK(mt_layer_norm(x, 3, MT_NONE, MT_NONE, EPS) == NULL);
	CHECK_ERROR(MT_E_ARG, "layer_norm: the last 3 dims of f32[2, 3]");
	MT_CHECK(mt_layer_norm(x, 0, MT_NONE, MT_NONE, EPS) == NULL);
	CHECK_ERROR(MT_E_ARG, "the last 0 dims");
	MT_CHECK(mt_layer_norm(x, 1, three, two, EPS) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "layer_norm: x is f32[2, 3], bias is f32[2]");
	MT_CHECK(mt_layer_norm(x, 1, three, three, 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "layer_norm: eps is 0");
	MT_CHECK(mt_layer_norm(x, 1, three, three, (double)NAN) == NULL);
	CHECK_ERROR(MT_E_ARG, "eps is");
	MT_CHECK(mt_rms_norm(x, 3, MT_NONE, EPS) == NULL);
	CHECK_ERROR(MT_E_ARG, "rms_norm: the last 3 dims");
	MT_CHECK(mt_rms_norm(x, 1, two, EPS) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "rms_norm: x is f32[2, 3], weight is f32[2]");
	MT_CHECK(mt_group_norm(x, 2, MT_NONE, MT_NONE, EPS) == NULL);
	CHECK_ERROR(MT_E_ARG, "3 channels of x f32[2, 3] cannot be divided into 2 groups");
	MT_CHECK(mt_group_norm(mt_zeros(MT_SHAPE(2, 0), MT_F32), INT64_MAX, MT_NONE, MT_NONE, EPS) == NULL);
	CHECK_ERROR(MT_E_ARG, "0 channels");
	MT_CHECK(mt_group_norm(x, 3, two, MT_NONE, EPS) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "group_norm: x is f32[2, 3], weight is f32[2]");
	MT_CHECK(mt_group_norm(three, 1, MT_NONE, MT_NONE, EPS) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "group_norm: x is f32[3]");
	MT_CHECK(mt_batch_norm(three, MT_NONE, MT_NONE, MT_NONE, MT_NONE, train) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "batch_norm: x is f32[3]");
	MT_CHECK(mt_batch_norm(x, two, MT_NONE, MT_NONE, MT_NONE, train) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "weight is f32[2]");
	MT_CHECK(mt_batch_norm(x, MT_NONE, MT_NONE, MT_NONE, two, train) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "running_var is f32[2]");
	MT_CHECK(mt_batch_norm(x, MT_NONE, MT_NONE, three, MT_NONE, eval) == NULL);
	CHECK_ERROR(MT_E_ARG, "running_var is left out");
	MT_CHECK(mt_batch_norm(mt_ones(MT_SHAPE(1, 3), MT_F32), MT_NONE, MT_NONE, MT_NONE, MT_NONE, train) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "x is f32[1, 3]: training needs more than one value a channel");
	MT_CHECK(mt_batch_norm(x, MT_NONE, MT_NONE, grad, MT_NONE, train) == NULL);
	CHECK_ERROR(MT_E_UNSUPPORTED, "running_mean requires a gradient");
	MT_CHECK(mt_batch_norm(x, MT_NONE, MT_NONE, mt_expand(mt_ones(MT_SHAPE(1), MT_F32), MT_SHAPE(3)), MT_NONE, train) ==
	         NULL);
	CHECK_ERROR(MT_E_STATE, "expanded view");
	MT_CHECK(mt_batch_norm(x, MT_NONE, MT_NONE, mt_ones(MT_SHAPE(3), MT_I64), MT_NONE, train) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "running_mean is i64[3]");
	MT_CHECK(mt_batch_norm(x, MT_NONE, MT_NONE, MT_NONE, MT_NONE,
	                       (mt_batch_norm_options){.momentum = 2, .training = 1}) == NULL);
	CHECK_ERROR(MT_E_ARG, "momentum is 2");
	MT_CHECK(mt_batch_norm(x, MT_NONE, MT_NONE, MT_NONE, MT_NONE, (mt_batch_norm_options){.eps = -1, .training = 1}) ==
	         NULL);
	CHECK_ERROR(MT_E_ARG, "eps is -1");
}

static const mt_test_case cases[] = {{"values", values},
                                     {"gradients", gradients},
                                     {"differentiable_rule", differentiable},
                                     {"running", running},
                                     {"writes", writes},
                                     {"rms", rms},
                                     {"special_values", special_values},
                                     {"empty", empty},
                                     {"mixed", mixed},
                                     {"large", large},
                                     {"errors", errors},
                                     {0}};
static const mt_test_suite suites[] = {{"norm", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
