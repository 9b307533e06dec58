/* mt-bench's suites train and seed: what their cases say of themselves, and that their outputs tell one step from
 * another. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends.h"
#include "bench/case.h"
#include "mt_test.h"

enum { MOST_VALUES = 1 << 21 };

static struct bench_cases cases;

static int setup(void) {
	return bench_train_cases(&cases) == 0 && bench_seed_cases(&cases) == 0 ? 0 : 1;
}

static int cleanup(void) {
	bench_cases_free(&cases);
	return 0;
}

static const struct bench_case *find(const char *suite, const char *op, const char *size, mt_dtype dtype) {
	for (int64_t i = 0; i < cases.n; i++) {
		const struct bench_case *c = &cases.list[i];
		if (strcmp(c->suite, suite) == 0 && strcmp(c->op, op) == 0 && strcmp(c->size, size) == 0 && c->dtype == dtype)
			return c;
	}
	return NULL;
}

/* The output after a run on state made from seed, as doubles; their number, or −1. */
static int64_t output_of(const struct bench_case *c, uint64_t seed, double *out) {
	mt_seed(seed);
	void *state = c->kind->make(c);
	if (!MT_CHECK_MSG(state != NULL, "%s %s: %s", c->op, c->size, mt_error_take(NULL)))
		return -1;
	mt_scope *scope = mt_scope_begin();
	int64_t n = -1;
	if (MT_CHECK_INT(c->kind->run(state), MT_OK)) {
		mt_tensor *t = mt_cast(c->kind->output(state), MT_F64);
		n = mt_tensor_numel(t);
		if (!MT_CHECK_MSG(t != NULL && n <= MOST_VALUES, "%s %s: %s", c->op, c->size, mt_error_take(NULL)) ||
		    !MT_CHECK_INT(mt_to_host(t, out, (size_t)n * sizeof *out), MT_OK))
			n = -1;
	}
	mt_scope_end(scope);
	c->kind->free(state);
	return n;
}

/* As mt-bench compares. */
static double distance(const double *a, const double *b, int64_t n) {
	double worst = 0;
	for (int64_t i = 0; i < n; i++) {
		double d = fabs(a[i] - b[i]) / (1 + fabs(b[i]));
		worst = d <= worst ? worst : d; /* NaN stays */
	}
	return worst;
}

/* ---- what the cases say ------------------------------------------------------------------------------------------- */

static void test_names(void) {
	for (int64_t i = 0; i < cases.n; i++) {
		const struct bench_case *c = &cases.list[i];
		mt_test_row("%s/%s/%s", c->suite, c->op, c->size);
		MT_CHECK(find(c->suite, c->op, c->size, c->dtype) == c);
		MT_CHECK(strlen(c->size) + 1 < sizeof c->size && strchr(c->size, '=') != NULL);
		MT_CHECK(c->flops > 0 && c->reference_cost >= c->flops && c->x > 0);
		MT_CHECK(c->tolerance > 0 && c->tolerance < 2e-3);
		MT_CHECK((c->examples > 0) == (strcmp(c->op, "matmul") != 0));
		if (i > 0 && strcmp(c->op, c[-1].op) == 0 && c->dtype == c[-1].dtype)
			MT_CHECK(c->x >= c[-1].x);
	}
}

static void test_seeds(void) {
	const struct bench_case *c = find("seed", "matmul", "batch=2,n=1024", MT_F64);
	MT_CHECK(c != NULL && c->seeds[0].seconds == 3.61113 && c->seeds[1].seconds == 0.50216 && c->seeds[2].seconds == 0);
	c = find("seed", "points_epoch", "points=50,batch=10,hidden=1000", MT_F32);
	MT_CHECK(c != NULL && c->seeds[0].seconds == 1.17 && c->seeds[1].seconds == 1.77 && c->seeds[2].seconds == 289.43);
	MT_CHECK(c != NULL && strstr(c->seeds[0].column, "8462Y+") != NULL);
	MT_CHECK(c != NULL && strstr(c->seeds[1].column, "A100") != NULL);
}

/* LeNet's by hand: convolutions of 235200 and 480000 operations, 117840 in the linear layers; three passes, less the
 * first layer's input gradient. */
static void test_lenet_flops(void) {
	const struct bench_case *c = find("train", "lenet", "batch=64", MT_F32);
	if (MT_CHECK(c != NULL))
		MT_CHECK_NEAR(c->flops, 64 * (3 * (235200.0 + 480000 + 117840) - 235200), 0);
}

/* ---- running them ------------------------------------------------------------------------------------------------- */

/* What a case says it does is what the kernels did. */
static void check_flops(void) {
	mt_device *device = mt_device_current();
	double limit = strcmp(mt_device_backend(device), "naive") == 0 ? 4e7 : 2e9;
	int tried = 0;
	for (int64_t i = 0; i < cases.n; i++) {
		const struct bench_case *c = &cases.list[i];
		struct mt_profile_totals before, after;
		if (c->flops > limit)
			continue;
		row("%s/%s/%s", c->suite, c->op, c->size);
		mt_seed(1);
		void *state = c->kind->make(c);
		mt_scope *scope = mt_scope_begin();
		mt_profile_enable(1);
		MT_CHECK_INT(mt_profile_totals(device, &before), MT_OK);
		MT_CHECK_INT(state != NULL ? c->kind->run(state) : MT_E_NULL, MT_OK);
		MT_CHECK_INT(mt_profile_totals(device, &after), MT_OK);
		mt_profile_enable(0);
		MT_CHECK_NEAR(after.flops - before.flops, c->flops, 0);
		MT_CHECK(after.calls > before.calls && after.nanoseconds > before.nanoseconds);
		mt_scope_end(scope);
		c->kind->free(state);
		tried++;
	}
	MT_CHECK(tried >= 8);
}

static void test_flops(void) {
	each_backend(check_flops);
}

static const struct {
	const char *suite, *op, *size;
} small[] = {
	{"train", "lenet", "batch=16"},
	{"train", "points", "batch=10,hidden=10"},
	{"train", "points", "batch=10,hidden=100"},
	{"train", "mlp", "batch=64"},
	{"seed", "matmul", "batch=2,n=64"},
	{"seed", "points_epoch", "points=50,batch=10,hidden=100"},
};

static double *room; /* for three outputs */

/* The current device agrees with the reference; another seed does not. */
static void check_outputs(void) {
	double *a = room, *b = a + MOST_VALUES, *other = b + MOST_VALUES;
	mt_device *device = mt_device_current();
	int64_t live = mt_live_tensors();
	for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
		const struct bench_case *c = find(small[i].suite, small[i].op, small[i].size, MT_F32);
		row("%s/%s/%s", small[i].suite, small[i].op, small[i].size);
		if (!MT_CHECK(c != NULL))
			continue;
		mt_device_use(mt_device_open("naive"));
		int64_t n = output_of(c, 7, a);
		mt_device_use(device);
		MT_CHECK(n > 0 && n == output_of(c, 7, b));
		double d = distance(b, a, n);
		MT_CHECK_MSG(d <= c->tolerance, "off by %g", d);
		MT_CHECK(n == output_of(c, 7, other) && memcmp(b, other, (size_t)n * sizeof *b) == 0);
		MT_CHECK(n == output_of(c, 8, other) && distance(other, a, n) > 10 * c->tolerance);
	}
	MT_CHECK_INT(mt_live_tensors(), live);
}

static void test_outputs(void) {
	room = calloc(3 * (size_t)MOST_VALUES, sizeof *room);
	if (MT_CHECK(room != NULL))
		each_backend(check_outputs);
	free(room);
}

/* Two losses that the optimiser moved between, and a gradient whose largest element is 1. */
static void test_step_output(void) {
	double *out = calloc(MOST_VALUES, sizeof *out);
	const struct bench_case *c = find("train", "points", "batch=10,hidden=10", MT_F32);
	if (MT_CHECK(out != NULL && c != NULL)) {
		int64_t n = output_of(c, 7, out);
		double largest = 0;
		for (int64_t i = 2; i < n; i++)
			largest = fmax(largest, fabs(out[i]));
		MT_CHECK_INT(n, 2 + 2 * 10);
		MT_CHECK(out[1] < out[0] - c->tolerance);
		MT_CHECK_NEAR(largest, 1, 1e-6);
		void *state = c->kind->make(c);
		MT_CHECK(c->kind->output(state) == NULL);
		MT_CHECK_CONTAINS(mt_error_take(NULL), "points: no step was taken");
		c->kind->free(state);
	}
	free(out);
}

static const mt_test_case tests[] = {
	{"names", test_names},
	{"seeds", test_seeds},
	{"lenet_flops", test_lenet_flops},
	{"flops", test_flops},
	{"outputs", test_outputs},
	{"step_output", test_step_output},
	{0},
};

static const mt_test_suite suites[] = {{"bench_train", tests, setup, cleanup}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
