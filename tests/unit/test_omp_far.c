/* The omp backend's reductions, softmax and layer norm of arrays that no cache holds, which go ways of their own: values
 * against plain loops in double, and the same bits for any number of threads. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

enum { REDUCED = 24 << 20, STORED = 16 << 20 }; /* bytes from which they do */

static const char *const devices[] = {"omp:threads=1", "omp:threads=2", "omp:threads=3"};
enum { DEVICES = sizeof devices / sizeof *devices };

/* |got − want| ≤ rtol · max(scale, |want|) for each of n elements, as one check. */
static void check_all_close(const double *got, const double *want, int64_t n, double rtol, double scale) {
	int64_t off = 0, last = 0;
	for (int64_t j = 0; j < n; j++)
		if (!(fabs(got[j] - want[j]) <= rtol * fmax(scale, fabs(want[j])))) {
			off++;
			last = j;
		}
	MT_CHECK_MSG(off == 0, "%d are off: %d is %g, expected %g", (int)off, (int)last, got[last], want[last]);
}

/* What make calculates, on each device: close to want, and the same on all.  Takes want. */
static void check_everywhere(mt_tensor *(*make)(const void *c), const void *c, double *want, int64_t n, double rtol,
                             double scale) {
	double *first = NULL;
	for (int i = 0; i < DEVICES; i++) {
		mt_device *device = mt_device_open(devices[i]);
		if (device == NULL || mt_device_use(device) != MT_OK) {
			mt_test_note("%s: %s", devices[i], mt_error_take(NULL));
			break;
		}
		mt_scope *scope = mt_scope_begin();
		mt_tensor *out = make(c);
		double *got = elements(out);
		MT_CHECK_INT(mt_tensor_numel(out), n);
		if (i == 0 && MT_CHECK(got != NULL))
			check_all_close(got, want, n, rtol, scale);
		if (i > 0)
			MT_CHECK_MSG(got != NULL && first != NULL && memcmp(got, first, (size_t)n * sizeof *got) == 0,
			             "other bits with %s", devices[i]);
		if (i == 0)
			first = got;
		else
			free(got);
		mt_scope_end(scope);
	}
	free(first);
	free(want);
}

/* ---- rows --------------------------------------------------------------------------------------------------------- */

enum row_op { SOFTMAX, LOG_SOFTMAX, NORM, NORM_WEIGHTED, NORM_WEIGHT_ALONE, ROW_OPS };

struct rows {
	int64_t n;
	enum row_op op;
	const float *x;
};

static int64_t rows_of(int64_t n) {
	return STORED / 4 / n + 3;
}

static mt_tensor *make_rows(const void *context) {
	const struct rows *c = context;
	mt_tensor *x = mt_from_data(MT_SHAPE(rows_of(c->n), c->n), MT_F32, c->x);
	mt_tensor *weight = c->op < NORM_WEIGHTED ? MT_NONE : random_like(MT_SHAPE(c->n), MT_F32, -2, 2, 1);
	mt_tensor *bias = c->op != NORM_WEIGHTED ? MT_NONE : random_like(MT_SHAPE(c->n), MT_F32, -2, 2, 2);
	return c->op == SOFTMAX       ? mt_softmax(x, 1)
	       : c->op == LOG_SOFTMAX ? mt_log_softmax(x, 1)
	                              : mt_layer_norm(x, 1, weight, bias, 1e-5);
}

static void plain_softmax(const float *x, int64_t n, int log_too, double *out) {
	double m = -INFINITY, sum = 0;
	for (int64_t j = 0; j < n; j++)
		m = fmax(m, (double)x[j]);
	for (int64_t j = 0; j < n; j++)
		sum += exp((double)x[j] - m);
	for (int64_t j = 0; j < n; j++)
		out[j] = log_too ? (double)x[j] - m - log(sum) : exp((double)x[j] - m) / sum;
}

static void plain_norm(const float *x, int64_t n, const double *weight, const double *bias, double *out) {
	double mean = 0, squares = 0;
	for (int64_t j = 0; j < n; j++)
		mean += (double)x[j] / (double)n;
	for (int64_t j = 0; j < n; j++)
		squares += ((double)x[j] - mean) * ((double)x[j] - mean);
	for (int64_t j = 0; j < n; j++)
		out[j] = ((double)x[j] - mean) / sqrt(squares / (double)n + 1e-5) * (weight != NULL ? weight[j] : 1) +
		         (bias != NULL ? bias[j] : 0);
}

static double *rows_wanted(const struct rows *c) {
	mt_scope *scope = mt_scope_begin();
	int64_t m = rows_of(c->n), n = c->n;
	double *weight = c->op < NORM_WEIGHTED ? NULL : elements(random_like(MT_SHAPE(n), MT_F32, -2, 2, 1));
	double *bias = c->op != NORM_WEIGHTED ? NULL : elements(random_like(MT_SHAPE(n), MT_F32, -2, 2, 2));
	double *want = malloc((size_t)(m * n) * sizeof *want);
	for (int64_t i = 0; i < m; i++)
		if (c->op <= LOG_SOFTMAX)
			plain_softmax(c->x + i * n, n, c->op == LOG_SOFTMAX, want + i * n);
		else
			plain_norm(c->x + i * n, n, weight, bias, want + i * n);
	free(weight);
	free(bias);
	mt_scope_end(scope);
	return want;
}

/* Rows of whole lines and others; shorter than a step, longer than what stays in a cache. */
static void rows(void) {
	static const int64_t lengths[] = {48, 1000, 1024, 2070, 20000};
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		int64_t count = rows_of(lengths[i]) * lengths[i];
		float *x = malloc((size_t)count * sizeof *x);
		uint64_t state = 1;
		for (int64_t j = 0; j < count; j++)
			x[j] = (float)draw(&state, -3, 3);
		for (int op = 0; op < ROW_OPS; op++) {
			const struct rows c = {lengths[i], (enum row_op)op, x};
			row("rows of %d, op %d", (int)c.n, op);
			check_everywhere(make_rows, &c, rows_wanted(&c), count, 1e-5, op == SOFTMAX ? 1e-4 : 1);
		}
		free(x);
	}
}

/* ---- reductions --------------------------------------------------------------------------------------------------- */

struct reduction {
	mt_dtype dtype;
	int64_t outer, rows, columns; /* rows are reduced */
	int max;
};

static mt_tensor *cube(const struct reduction *c) {
	return random_like(MT_SHAPE(c->outer, c->rows, c->columns), c->dtype, -50, 50, 7);
}

static mt_tensor *make_reduced(const void *context) {
	const struct reduction *c = context;
	return c->max ? mt_max(cube(c), MT_AXES(1), 0) : mt_sum(cube(c), MT_AXES(1), 0);
}

static double *reduced_wanted(const struct reduction *c) {
	mt_scope *scope = mt_scope_begin();
	double *x = elements(cube(c)), *want = calloc((size_t)(c->outer * c->columns), sizeof *want);
	for (int64_t i = 0; i < c->outer; i++)
		for (int64_t r = 0; r < c->rows; r++)
			for (int64_t j = 0; j < c->columns; j++) {
				double v = x[(i * c->rows + r) * c->columns + j], *w = &want[i * c->columns + j];
				*w = !c->max ? *w + v : r == 0 ? v : fmax(*w, v);
			}
	free(x);
	mt_scope_end(scope);
	return want;
}

/* Down columns: rows that follow one another, few and many, with some left over; and rows that are read in chunks.  One
 * column: along runs. */
static void columns(void) {
	static const struct reduction table[] = {
		{MT_F32, 13, 501, 1000, 0}, {MT_F32, 13, 503, 1000, 1}, {MT_F32, 500, 31, 500, 0}, {MT_F32, 1, 13003, 500, 0},
		{MT_F32, 1, 400007, 16, 0}, {MT_F32, 3, 700005, 3, 1},  {MT_F32, 2, 513, 7000, 0}, {MT_F64, 7, 601, 760, 0},
		{MT_F32, 13001, 517, 1, 0}, {MT_F32, 3, 2200000, 1, 1},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		const struct reduction *c = &table[i];
		int64_t bytes = c->outer * c->rows * c->columns * (c->dtype == MT_F64 ? 8 : 4);
		row("%s [%d, %d, %d] %s", mt_dtype_name(c->dtype), (int)c->outer, (int)c->rows, (int)c->columns,
		    c->max ? "max" : "sum");
		MT_CHECK(bytes >= REDUCED);
		check_everywhere(make_reduced, c, reduced_wanted(c), c->outer * c->columns, c->dtype == MT_F64 ? 1e-12 : 1e-6,
		                 50 * sqrt((double)c->rows));
	}
}

static const mt_test_case cases[] = {{"rows", rows}, {"columns", columns}, {0}};
static const mt_test_suite suites[] = {{"omp_far", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
