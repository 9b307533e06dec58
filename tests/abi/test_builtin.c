/* The plugins that are built here: loading them leaves the process as it was (R13), the example plugin works, and the
 * thread budget is what the environment says. */
#include <fenv.h>
#include <locale.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "abi.h"
#include "backend/call.h"
#include "backend/device.h"

/* ---- R13 ---- */

struct process {
	unsigned mxcsr;
	int rounding, exceptions;
	struct sigaction handlers[32];
	char locale[256];
	cpu_set_t cpus;
};

static void look(struct process *p) {
	memset(p, 0, sizeof *p);
#if defined(__SSE2__)
	p->mxcsr = _mm_getcsr() & 0xffc0u; /* the modes, without the flags of past operations */
#endif
	p->rounding = fegetround();
	for (int i = 1; i < 32; i++)
		sigaction(i, NULL, &p->handlers[i]);
	snprintf(p->locale, sizeof p->locale, "%s", setlocale(LC_ALL, NULL));
	sched_getaffinity(0, sizeof p->cpus, &p->cpus);
}

static void compare(FILE *out, const struct process *before, const struct process *after) {
	fprintf(out, "mxcsr %s, rounding %s, locale %s, affinity %s, handlers",
	        before->mxcsr == after->mxcsr ? "same" : "changed",
	        before->rounding == after->rounding ? "same" : "changed",
	        strcmp(before->locale, after->locale) == 0 ? "same" : "changed",
	        CPU_EQUAL(&before->cpus, &after->cpus) ? "same" : "changed");
	for (int i = 1; i < 32; i++)
		if (before->handlers[i].sa_handler != after->handlers[i].sa_handler)
			fprintf(out, " %d", i);
	fprintf(out, "\n");
}

static void run_process(FILE *out, const void *unused) {
	static struct process before, after;
	(void)unused;
	look(&before);
	char *listing = mt_backends_json();
	mt_device *d = mt_device_open("auto");
	look(&after);
	compare(out, &before, &after);
	fprintf(out, "%s %s", listing != NULL ? "listed" : "not listed", d != NULL ? "opened" : mt_error_take(NULL));
	mt_free(listing);
}

static void test_process(void) {
	char path[512];
	const char *const built[] = {path, NULL};
	const char *folder = getenv("MT_MANIFEST_PATH");
	if (folder == NULL)
		MT_SKIP("MT_MANIFEST_PATH names no plugins");
	snprintf(path, sizeof path, "MT_MANIFEST_PATH=%s", folder);
	MT_CHECK_STR(abi_child(built, run_process, NULL),
	             "mxcsr same, rounding same, locale same, affinity same, handlers\nlisted opened");
}

/* The test above can fail. */
static void test_process_of_mock(void) {
#if defined(__SSE2__)
	static const char *const environment[] = {"MOCK=flush_to_zero", NULL};
	if (getenv("MT_TEST_VALGRIND") != NULL)
		MT_SKIP("valgrind does not keep MXCSR");
	abi_manifest("a.json", "mock", abi_mock(), "");
	MT_CHECK_CONTAINS(abi_child(environment, run_process, NULL), "mxcsr changed");
	abi_remove("a.json");
#else
	MT_SKIP("there is no MXCSR here");
#endif
}

/* ---- the example plugin, through its own manifest, against the reference ---- */

enum { ROWS = 5, COLUMNS = 7, ELEMENTS = ROWS * COLUMNS };

struct pair {
	mt_device *devices[2];
	mt_array a[2], b[2], out[2];
};

static mt_array upload(mt_device *d, const float *values) {
	mt_array array = {.dtype = MT_F32, .rank = 2, .shape = {ROWS, COLUMNS}, .stride = {COLUMNS, 1}};
	array.buffer_bytes = ELEMENTS * sizeof(float);
	array.base = abi_buffer(d, values, array.buffer_bytes);
	return array;
}

static void make_pair(struct pair *p) {
	float a[ELEMENTS], b[ELEMENTS];
	p->devices[0] = mt_device_open("minimal");
	p->devices[1] = mt_device_open("ref");
	if (p->devices[0] == NULL || p->devices[1] == NULL)
		exit(8);
	for (int i = 0; i < ELEMENTS; i++) {
		a[i] = (float)sin(i * 1.7 + 0.3) * 3;
		b[i] = i % 5 == 0 ? a[i] : (float)cos(i * 0.9) * 2;
	}
	a[3] = NAN;
	a[9] = INFINITY;
	a[10] = b[11] = -INFINITY;
	a[12] = 0.0f;
	for (int k = 0; k < 2; k++) {
		p->a[k] = upload(p->devices[k], a);
		p->b[k] = upload(p->devices[k], b);
		p->out[k] = upload(p->devices[k], b);
	}
}

/* Element i of what was downloaded. */
static double element(const void *bytes, int32_t dtype, size_t i) {
	return dtype == MT_BOOL ? ((const uint8_t *)bytes)[i] : (double)((const float *)bytes)[i];
}

/* The largest relative difference of the results; NaN equals NaN. */
static double difference(struct pair *p, size_t count) {
	float y[2][ELEMENTS];
	double worst = 0;
	for (int k = 0; k < 2; k++)
		if (mt__download(p->devices[k], p->out[k].base, 0, y[k], sizeof y[k]) != MT_OK)
			exit(7);
	for (size_t i = 0; i < count; i++) {
		double got = element(y[0], p->out[0].dtype, i), want = element(y[1], p->out[1].dtype, i);
		if ((isnan(got) && isnan(want)) || got == want)
			continue;
		double error = fabs(got - want) / (fabs(want) > 1 ? fabs(want) : 1);
		if (!(error <= worst))
			worst = error;
	}
	return worst;
}

static mt_status run_op(struct pair *p, int k, enum mt_kernel_id kernel, int32_t op) {
	struct mt_map_args map = {.struct_size = sizeof map, .op = op, .x = &p->a[k], .out = &p->out[k]};
	struct mt_zip_args zip = {.struct_size = sizeof zip, .op = op, .a = &p->a[k], .b = &p->b[k], .out = &p->out[k]};
	struct mt_reduce_args reduce = {
		.struct_size = sizeof reduce, .op = op, .axes = 1, .x = &p->a[k], .out = &p->out[k]};
	struct mt_matmul_args matmul = {.struct_size = sizeof matmul, .a = &p->a[k], .b = &p->b[k], .out = &p->out[k]};
	mt_array sums = p->out[k], transposed = p->b[k], product = p->out[k];
	switch (kernel) {
	case MT_K_MAP:
		return mt__dispatch(p->devices[k], kernel, op, &map);
	case MT_K_ZIP:
		p->out[k].dtype = op == MT_ZIP_LT || op == MT_ZIP_EQ ? MT_BOOL : MT_F32;
		return mt__dispatch(p->devices[k], kernel, op, &zip);
	case MT_K_REDUCE:
		p->out[k].dtype = MT_F32;
		sums.dtype = MT_F32;
		sums.shape[0] = 1;
		reduce.out = &sums;
		return mt__dispatch(p->devices[k], kernel, op, &reduce);
	default: /* a @ bᵀ, without what is not finite: 2 · a b + 0.5 · out */
		transposed.shape[0] = COLUMNS;
		transposed.shape[1] = product.shape[0] = product.shape[1] = 2;
		transposed.stride[0] = 1;
		transposed.stride[1] = COLUMNS;
		product.stride[0] = 2;
		p->a[k].byte_offset = 2 * COLUMNS * sizeof(float);
		p->a[k].shape[0] = 2;
		transposed.byte_offset = 2 * COLUMNS * sizeof(float);
		matmul.b = &transposed;
		matmul.out = &product;
		matmul.alpha = 2;
		matmul.beta = 0.5;
		return mt__dispatch(p->devices[k], kernel, op, &matmul);
	}
}

static const struct {
	enum mt_kernel_id kernel;
	int32_t op;
	size_t count; /* elements of the result to compare */
} ops[] = {
	{MT_K_MAP, MT_MAP_NEG, ELEMENTS},      {MT_K_MAP, MT_MAP_EXP, ELEMENTS},
	{MT_K_MAP, MT_MAP_LOG, ELEMENTS},      {MT_K_MAP, MT_MAP_SIGMOID, ELEMENTS},
	{MT_K_MAP, MT_MAP_RELU, ELEMENTS},     {MT_K_ZIP, MT_ZIP_ADD, ELEMENTS},
	{MT_K_ZIP, MT_ZIP_SUB, ELEMENTS},      {MT_K_ZIP, MT_ZIP_MUL, ELEMENTS},
	{MT_K_REDUCE, MT_REDUCE_SUM, COLUMNS}, {MT_K_MATMUL, 0, 4},
	{MT_K_ZIP, MT_ZIP_LT, ELEMENTS},       {MT_K_ZIP, MT_ZIP_EQ, ELEMENTS},
};

static void run_minimal(FILE *out, const void *unused) {
	struct mt_dispatch_counts counts;
	(void)unused;
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
		struct pair p;
		make_pair(&p);
		for (int k = 0; k < 2; k++)
			if (run_op(&p, k, ops[i].kernel, ops[i].op) != MT_OK)
				fprintf(out, "%s\n", mt_error_take(NULL));
		double worst = difference(&p, ops[i].count);
		if (!(worst <= 2e-6))
			fprintf(out, "%s differs by %g\n", mt__kernel_op_name(ops[i].kernel, ops[i].op), worst);
	}
	(void)mt_dispatch_counts(&counts);
	fprintf(out, "%d native", (int)counts.native);
}

static void test_minimal(void) {
	static const char *const environment[] = {"MT_FALLBACK=error", NULL};
	const char *source = getenv("MT_TEST_SRCDIR"), *build = getenv("MT_TEST_BUILDDIR");
	char path[1024];
	snprintf(path, sizeof path, "%s/examples/minimal_plugin/minimal.json", source != NULL ? source : ".");
	abi_copy("minimal.json", path, 65536);
	snprintf(path, sizeof path, "%s/examples/minimal_plugin/.libs/mt_minimal.so", build != NULL ? build : ".");
	abi_copy("mt_minimal.so", path, 1L << 30);
	abi_manifest("z.json", "ref", abi_naive(), ", \"role\": \"reference\"");
	MT_CHECK_STR(abi_child(environment, run_minimal, NULL), "24 native");
	MT_CHECK_CONTAINS(abi_child(NULL, abi_open, "minimal:threads=2"),
	                  "MT_E_ARG: device minimal:threads=2: unknown option");
}

/* ---- the thread budget ---- */

static void run_budget(FILE *out, const void *one_cpu) {
	cpu_set_t set;
	if (one_cpu != NULL && sched_getaffinity(0, sizeof set, &set) == 0) {
		int first = 0;
		while (first < CPU_SETSIZE - 1 && !CPU_ISSET(first, &set))
			first++;
		CPU_ZERO(&set);
		CPU_SET(first, &set);
		sched_setaffinity(0, sizeof set, &set);
	}
	int budget = mt__thread_budget(), cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
	fprintf(out, "%d%s", budget, budget >= 1 && budget <= cpus ? " in cpus" : "");
}

static void test_budget(void) {
	static const struct {
		const char *variables[3], *one_cpu, *says;
	} rows[] = {
		{{"OMP_NUM_THREADS=300"}, NULL, "300"},
		{{"OMP_NUM_THREADS=400,2"}, NULL, "400"},
		{{"OMP_NUM_THREADS=0"}, NULL, "in cpus"},
		{{"OMP_NUM_THREADS=-3"}, NULL, "in cpus"},
		{{"OMP_NUM_THREADS=two"}, NULL, "in cpus"},
		{{"OMP_NUM_THREADS=9999999999999"}, NULL, "in cpus"},
		{{"OMP_NUM_THREADS="}, NULL, "in cpus"},
		{{"OMP_NUM_THREADS="}, "yes", "1 in cpus"},
		{{"OMP_NUM_THREADS=300", "OMP_THREAD_LIMIT=200"}, NULL, "200"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("%s", rows[i].variables[0]);
		MT_CHECK_CONTAINS(abi_child(rows[i].variables, run_budget, rows[i].one_cpu), rows[i].says);
	}
}

static const mt_test_case cases[] = {
	{"process", test_process},
	{"process_of_mock", test_process_of_mock},
	{"minimal", test_minimal},
	{"budget", test_budget},
	{0},
};

static const mt_test_suite suites[] = {{"builtin", cases, abi_setup, abi_cleanup}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
