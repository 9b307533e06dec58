/* var, std, norm, logsumexp: values over sets of axes in every layout, special values, gradients, edges. */
#include <math.h>
#include <stdlib.h>

#include "oracle.h"

#define RANK 3
#define N 60
static const int64_t extents[RANK] = {3, 5, 4};

enum { VAR, STD, NORM, LSE };

struct stat_case {
	const char *name;
	int op;
	double p; /* correction, or the norm's p */
};

static const struct stat_case stat_cases[] = {
	{"var", VAR, 1},
	{"var, correction 0", VAR, 0},
	{"var, correction 2.5", VAR, 2.5},
	{"var, correction 60", VAR, 60},
	{"std", STD, 1},
	{"std, correction 0", STD, 0},
	{"norm 2", NORM, 2},
	{"norm 1", NORM, 1},
	{"norm 0", NORM, 0},
	{"norm 3", NORM, 3},
	{"norm 0.5", NORM, 0.5},
	{"norm -1.5", NORM, -1.5},
	{"norm inf", NORM, INFINITY},
	{"norm -inf", NORM, -INFINITY},
	{"logsumexp", LSE, 0},
};
#define N_CASES ((int)(sizeof stat_cases / sizeof *stat_cases))

static mt_axes axes_of(unsigned mask) {
	mt_axes axes = {0};
	for (int d = 0; d < RANK; d++)
		if (mask >> d & 1u)
			axes.axis[axes.n++] = d == 1 ? d - RANK : d;
	return axes;
}

static mt_tensor *apply(const struct stat_case *c, mt_tensor *x, mt_axes axes, int keepdim) {
	switch (c->op) {
	case VAR:
		return mt_var(x, axes, c->p, keepdim);
	case STD:
		return mt_std(x, axes, c->p, keepdim);
	case NORM:
		return mt_norm(x, c->p, axes, keepdim);
	default:
		return mt_logsumexp(x, axes, keepdim);
	}
}

/* ---- plain definitions, with gradients ------------------------------------------------------------------------------ */

/* The elements of one result. */
struct group {
	int n, at[N];
};

static int groups_of(unsigned mask, struct group *groups) {
	int results = 0, id[N];
	for (int i = 0; i < N; i++) {
		int index[RANK] = {i / 20, i / 4 % 5, i % 4}, r = 0;
		for (int d = 0; d < RANK; d++)
			if (!(mask >> d & 1u))
				r = r * (int)extents[d] + index[d];
		id[i] = r;
		results = r + 1 > results ? r + 1 : results;
	}
	for (int r = 0; r < results; r++)
		groups[r].n = 0;
	for (int i = 0; i < N; i++)
		groups[id[i]].at[groups[id[i]].n++] = i;
	return results;
}

static double plain_norm(double p, const double *x, const struct group *g) {
	double sum = 0, largest = 0, smallest = INFINITY;
	for (int k = 0; k < g->n; k++) {
		double a = fabs(x[g->at[k]]);
		sum += p == 0 ? a != 0 : pow(a, p);
		largest = fmax(largest, a);
		smallest = fmin(smallest, a);
	}
	return isinf(p) ? (p > 0 ? largest : smallest) : p == 0 ? sum : pow(sum, 1 / p);
}

static double plain(const struct stat_case *c, const double *x, const struct group *g, double *mean) {
	double sum = 0, squares = 0;
	if (c->op == NORM)
		return plain_norm(c->p, x, g);
	for (int k = 0; k < g->n; k++)
		sum += c->op == LSE ? exp(x[g->at[k]]) : x[g->at[k]];
	if (c->op == LSE)
		return log(sum);
	*mean = sum / g->n;
	for (int k = 0; k < g->n; k++)
		squares += (x[g->at[k]] - *mean) * (x[g->at[k]] - *mean);
	double variance = squares / fmax(g->n - c->p, 0);
	return c->op == STD ? sqrt(variance) : variance;
}

/* d result / d x[i] */
static double slope(const struct stat_case *c, const double *x, int i, const struct group *g, double y, double mean) {
	double dof = fmax(g->n - c->p, 0);
	switch (c->op) {
	case VAR:
		return 2 * (x[i] - mean) / dof;
	case STD:
		return y == 0 ? 0 : (x[i] - mean) / (dof * y);
	case LSE:
		return exp(x[i] - y);
	default:
		if (c->p == 0 || x[i] == 0 || y == 0)
			return 0;
		if (isinf(c->p)) {
			int winners = 0;
			for (int k = 0; k < g->n; k++)
				winners += fabs(x[g->at[k]]) == y;
			return fabs(x[i]) == y ? copysign(1, x[i]) / winners : 0;
		}
		return copysign(pow(fabs(x[i]) / y, c->p - 1), x[i]);
	}
}

static void check_case(const struct stat_case *c, enum layout l, mt_dtype dtype, unsigned mask) {
	mt_tensor *x = mt_requires_grad_(random_in(l, RANK, extents, dtype, -1.5, 1.5, 7 + mask), 1);
	double *from = elements(x), want[N], gradient[N];
	struct group groups[N];
	int results = groups_of(mask, groups);
	int64_t n = results;
	mt_tensor *u = mt_cast(random_like(1, &n, MT_F64, 0.5, 2, 3), dtype);
	double *us = elements(u);
	for (int r = 0; r < results; r++) {
		double mean = 0;
		want[r] = plain(c, from, &groups[r], &mean);
		for (int k = 0; k < groups[r].n; k++)
			gradient[groups[r].at[k]] = us[r] * slope(c, from, groups[r].at[k], &groups[r], want[r], mean);
	}
	double rtol = (dtype == MT_F64 ? 1e3 : 40) * rtol_of(dtype);
	for (int keepdim = 0; keepdim < 2; keepdim++) {
		mt_tensor *y = apply(c, x, axes_of(mask), keepdim);
		CHECK_CLOSE(y, want, results, rtol, 1);
		MT_CHECK_INT(mt_tensor_rank(y), keepdim ? RANK : RANK - __builtin_popcount(mask));
		MT_CHECK_INT(mt_tensor_dtype(y), dtype);
		mt_zero_grad(x);
		if (!mt_tensor_requires_grad(y))
			continue; /* norm 0 */
		MT_CHECK_INT(mt_backward_from(y, mt_reshape(u, mt_tensor_rank(y), mt_tensor_shape(y)), 0), MT_OK);
		CHECK_CLOSE(mt_grad(x), gradient, N, rtol, 1);
	}
	free(from);
	free(us);
}

static void values_on_device(void) {
	for (int i = 0; i < N_CASES; i++)
		for (int l = 0; l < REPEATED; l++)
			for (unsigned mask = 1; mask < 1u << RANK; mask++) {
				mt_scope *scope = mt_scope_begin();
				row("%s %s axes %x", stat_cases[i].name, layout_name(l), mask);
				check_case(&stat_cases[i], l, MT_F64, mask);
				check_case(&stat_cases[i], l, MT_F32, mask);
				if (stat_cases[i].p >= 0 && stat_cases[i].p != 0.5 && stat_cases[i].p != 60)
					check_case(&stat_cases[i], l, mask % 2 ? MT_BF16 : MT_F16, mask);
				mt_scope_end(scope);
			}
}

static void values(void) {
	each_backend(values_on_device);
}

/* ---- special values ------------------------------------------------------------------------------------------------- */

#define F64S(...)                                                                                                      \
	mt_requires_grad_(mt_from_data(MT_SHAPE((int64_t)(sizeof((double[]){__VA_ARGS__}) / sizeof(double))), MT_F64,      \
	                               (const double[]){__VA_ARGS__}),                                                     \
	                  1)

static mt_tensor *backward(mt_tensor *y, mt_tensor *x) {
	MT_CHECK_INT(mt_backward_from(y, mt_full(MT_SHAPE0, MT_F64, mt_f(-2)), 0), MT_OK);
	return mt_grad(x);
}

static void special_on_device(void) {
	row("variance of one value, and of more freedom than there is");
	mt_tensor *x = F64S(2), *y = mt_var(x, MT_ALL_AXES, 1, 0);
	CHECK_VALUES(y, NAN);
	CHECK_VALUES(backward(y, x), NAN);
	x = F64S(2, 3);
	CHECK_VALUES(mt_var(x, MT_ALL_AXES, 3, 0), INFINITY);
	row("deviation of equals: PyTorch's gradient there is 0");
	x = F64S(2, 2, 2);
	y = mt_std(x, MT_ALL_AXES, 1, 0);
	CHECK_VALUES(y, 0);
	CHECK_VALUES(backward(y, x), 0, 0, 0);
	row("far from 0: the mean goes first");
	x = F64S(1e8 + 1, 1e8 + 2, 1e8 + 3);
	CHECK_VALUES(mt_var(x, MT_ALL_AXES, 1, 0), 1);
	CHECK_NEAR_VALUES(mt_var(mt_cast(F64S(10001, 10002, 10003), MT_F32), MT_ALL_AXES, 1, 0), 1e-6, 1);
	row("norm at 0");
	static const double ps[] = {0.5, 1, 1.5, 2, 3, INFINITY, -INFINITY, -1};
	for (int i = 0; i < 8; i++) {
		x = F64S(0, 0);
		y = mt_norm(x, ps[i], MT_ALL_AXES, 0);
		CHECK_VALUES(y, 0);
		CHECK_VALUES(backward(y, x), 0, 0);
	}
	row("norm of large values");
	x = F64S(3e100, -4e100);
	y = mt_norm(x, 3, MT_ALL_AXES, 0);
	CHECK_NEAR_VALUES(backward(y, x), 1e-12, -2 * pow(27.0 / 91, 2.0 / 3), 2 * pow(64.0 / 91, 2.0 / 3));
	row("NaN and infinities");
	CHECK_VALUES(mt_norm(F64S(NAN, 1), 2, MT_ALL_AXES, 0), NAN);
	CHECK_VALUES(mt_norm(F64S(-INFINITY, 1), 2, MT_ALL_AXES, 0), INFINITY);
	CHECK_VALUES(mt_norm(F64S(NAN, 0, 1), 0, MT_ALL_AXES, 0), 2);
	CHECK_VALUES(mt_std(F64S(NAN, 1), MT_ALL_AXES, 1, 0), NAN);
	CHECK_VALUES(mt_logsumexp(F64S(-INFINITY, -INFINITY), MT_ALL_AXES, 0), -INFINITY);
	CHECK_VALUES(mt_logsumexp(F64S(INFINITY, 1), MT_ALL_AXES, 0), INFINITY);
	CHECK_VALUES(mt_logsumexp(F64S(INFINITY, -INFINITY), MT_ALL_AXES, 0), INFINITY);
	CHECK_VALUES(mt_logsumexp(F64S(NAN, 1), MT_ALL_AXES, 0), NAN);
	row("no overflow");
	x = F64S(1000, 1000, -1000);
	y = mt_logsumexp(x, MT_ALL_AXES, 0);
	CHECK_NEAR_VALUES(y, 1e-12, 1000 + log(2));
	CHECK_NEAR_VALUES(backward(y, x), 1e-12, -1, -1, 0);
	x = F64S(-INFINITY, 1);
	CHECK_VALUES(backward(mt_logsumexp(x, MT_ALL_AXES, 0), x), 0, -2);
}

static void special(void) {
	each_backend(special_on_device);
}

/* ---- empty, 0-d, integers, many ------------------------------------------------------------------------------------- */

static void edges_on_device(void) {
	mt_tensor *none = mt_zeros(MT_SHAPE(2, 0), MT_F32), *number = mt_scalar_tensor(mt_f(-3), MT_F32);
	row("no elements");
	CHECK_VALUES(mt_var(none, MT_AXES(1), 1, 0), NAN, NAN);
	CHECK_VALUES(mt_std(none, MT_AXES(1), 0, 1), NAN, NAN);
	CHECK_VALUES(mt_norm(none, 2, MT_AXES(1), 0), 0, 0);
	CHECK_VALUES(mt_norm(none, 0, MT_ALL_AXES, 0), 0);
	CHECK_VALUES(mt_logsumexp(none, MT_AXES(1), 0), -INFINITY, -INFINITY);
	CHECK_SHAPE(mt_logsumexp(none, MT_AXES(0), 1), 1, 0);
	CHECK_SHAPE(mt_var(none, MT_AXES(0), 1, 0), 0);
	CHECK_SHAPE(mt_norm(none, INFINITY, MT_AXES(0), 0), 0);
	MT_CHECK(mt_norm(none, INFINITY, MT_AXES(1), 0) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "norm: f32[2, 0] has no elements along axis 1, and p is inf");
	MT_CHECK(mt_norm(none, -1, MT_ALL_AXES, 0) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "p is -1");
	row("0-d");
	CHECK_VALUES(mt_var(number, MT_ALL_AXES, 0, 0), 0);
	CHECK_VALUES(mt_norm(number, 2, MT_AXES(-1), 1), 3);
	CHECK_VALUES(mt_norm(number, INFINITY, MT_ALL_AXES, 0), 3);
	CHECK_VALUES(mt_logsumexp(number, MT_AXES(0), 0), -3);
	CHECK_SHAPE0(mt_logsumexp(number, MT_ALL_AXES, 1));
	row("no axes: each on its own");
	mt_tensor *x = mt_from_data(MT_SHAPE(2), MT_F32, (const float[]){3, -4});
	CHECK_VALUES(mt_norm(x, 2, (mt_axes){0, {0}}, 0), 3, 4);
	CHECK_VALUES(mt_var(x, (mt_axes){0, {0}}, 0, 0), 0, 0);
	row("integers are f32");
	mt_tensor *whole = mt_from_data(MT_SHAPE(4), MT_I32, (const int32_t[]){3, -4, 0, 12});
	CHECK_VALUES(mt_norm(whole, 2, MT_ALL_AXES, 0), 13);
	CHECK_NEAR_VALUES(mt_var(whole, MT_ALL_AXES, 0, 0), 1e-5, 34.6875);
	MT_CHECK_INT(mt_tensor_dtype(mt_std(whole, MT_ALL_AXES, 1, 0)), MT_F32);
	row("16-bit floats do not overflow on the way");
	mt_tensor *half = mt_full(MT_SHAPE(4), MT_F16, mt_f(300));
	CHECK_VALUES(mt_norm(half, 2, MT_ALL_AXES, 0), 600);
	CHECK_VALUES(mt_var(mt_cat(((mt_tensor *[]){half, mt_neg(half)}), 2, 0), MT_ALL_AXES, 0, 0), INFINITY);
	CHECK_VALUES(mt_std(mt_cat(((mt_tensor *[]){half, mt_neg(half)}), 2, 0), MT_ALL_AXES, 0, 0), 300);
	row("many elements");
	mt_tensor *many = mt_reshape(mt_arange(mt_i(0), mt_i(140000), mt_i(1), MT_F64), MT_SHAPE(2, 70000));
	CHECK_NEAR_VALUES(mt_var(many, MT_AXES(1), 0, 0), 1e-2, 4.9e9 / 12 - 1.0 / 12, 4.9e9 / 12 - 1.0 / 12);
	CHECK_NEAR_VALUES(mt_logsumexp(mt_zeros(MT_SHAPE(70001), MT_F64), MT_ALL_AXES, 0), 1e-12, log(70001));
	CHECK_NEAR_VALUES(mt_norm(mt_ones(MT_SHAPE(3, 70000), MT_F32), 2, MT_AXES(1), 0), 1e-3, sqrt(7e4), sqrt(7e4),
	                  sqrt(7e4));
}

static void edges(void) {
	each_backend(edges_on_device);
}

static void errors(void) {
	mt_tensor *x = mt_zeros(MT_SHAPE(2, 3), MT_F32);
	MT_CHECK(mt_var(x, MT_AXES(2), 1, 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "var: dim 2 is out of range");
	MT_CHECK(mt_std(x, MT_AXES(0, -2), 1, 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "std: axis 0 is named twice");
	MT_CHECK(mt_std(x, MT_ALL_AXES, NAN, 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "std: correction is nan");
	MT_CHECK(mt_norm(x, NAN, MT_ALL_AXES, 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "norm: p is not a number");
	MT_CHECK(mt_logsumexp(NULL, MT_ALL_AXES, 0) == NULL);
	CHECK_ERROR(MT_E_NULL, "logsumexp");
	MT_CHECK(mt_norm(MT_NONE, 2, MT_ALL_AXES, 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "norm");
	MT_CHECK(mt_sum(mt_scalar_tensor(mt_f(1), MT_F32), MT_AXES(0, -1), 0) == NULL);
	CHECK_ERROR(MT_E_ARG, "sum: axis 0 is named twice");
}

static const mt_test_case cases[] = {
	{"values", values}, {"special", special}, {"edges", edges}, {"errors", errors}, {0},
};
static const mt_test_suite suites[] = {{"statistics", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
