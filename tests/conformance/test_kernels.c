/* Every kernel of every plugin that was built, through the ABI alone, against references written here in long double.
 * The OpenMP plugin runs with 1, 2 and 3 threads, whose bits must be equal, and at each ISA level the CPU has. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "check.h"

enum { MAX_HOSTS = 8 };

static const struct host_row {
	const char *label, *library, *threads, *isa;
	int same_bits_as; /* row whose digest must be equal; −1: none */
} rows[] = {
	{"naive", "mt_naive.so", NULL, NULL, -1},
	{"omp threads=1", "mt_omp.so", "1", NULL, -1},
	{"omp threads=2", "mt_omp.so", "2", NULL, 1},
	{"omp threads=3", "mt_omp.so", "3", NULL, 1},
	{"omp avx2 threads=2", "mt_omp.so", "2", "avx2", -1},
	{"omp base threads=2", "mt_omp.so", "2", "base", -1},
};

static struct kc_host hosts[MAX_HOSTS];
static int opened[MAX_HOSTS];

static void path_of(char *out, size_t size, const char *library) {
	const char *folder = getenv("MT_MANIFEST_PATH");
	snprintf(out, size, "%s/%s", folder != NULL ? folder : ".libs/mt", library);
}

static int is_built(const char *library) {
	const char *plugins = getenv("MT_TEST_PLUGINS");
	char name[64];
	snprintf(name, sizeof name, "%.*s.la", (int)strcspn(library, "."), library);
	return plugins == NULL || strstr(plugins, name) != NULL;
}

static int open_hosts(void) {
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char path[4096];
		if (!is_built(rows[i].library))
			continue;
		path_of(path, sizeof path, rows[i].library);
		if (rows[i].isa != NULL)
			setenv("MT_MAX_ISA", rows[i].isa, 1);
		opened[i] = kc_open(&hosts[i], rows[i].label, path, rows[i].threads);
		if (rows[i].isa != NULL)
			unsetenv("MT_MAX_ISA");
		if (!opened[i]) {
			fprintf(stderr, "%s: %s\n", rows[i].label, kc_error());
			return 0;
		}
	}
	return opened[0];
}

/* Runs fn on every host from the same random state, and compares bits across thread counts. */
void kc_each_host(kc_case_fn fn) {
	int64_t calls = 0;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (!opened[i])
			continue;
		struct kc_host *h = &hosts[i];
		h->random = 12345;
		h->digest = 0xcbf29ce484222325u;
		h->calls = 0;
		fn(h);
		kc_reset(h);
		kc_reference_reset();
		calls += h->calls;
		if (rows[i].same_bits_as >= 0)
			MT_CHECK_MSG(h->digest == hosts[rows[i].same_bits_as].digest, "%s: other bits than %s", h->label,
			             hosts[rows[i].same_bits_as].label);
	}
	MT_CHECK_MSG(calls > 0, "no kernel was run");
}

static int close_hosts(void) {
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (opened[i])
			kc_close(&hosts[i]);
	return 0;
}

static const mt_test_suite suites[] = {
	{"memory", kc_memory_cases, NULL, NULL}, {"copy", kc_copy_cases, NULL, NULL},       {"map", kc_map_cases, NULL, NULL},
	{"zip", kc_zip_cases, NULL, NULL},       {"reduce", kc_reduce_cases, NULL, NULL},   {"matmul", kc_matmul_cases, NULL, NULL},
	{"index", kc_index_cases, NULL, NULL},   {"conv", kc_conv_cases, NULL, NULL},       {"pool", kc_pool_cases, NULL, NULL},
	{"softmax", kc_softmax_cases, NULL, NULL}, {"norm", kc_norm_cases, NULL, NULL},     {"random", kc_random_cases, NULL, NULL},
	{"optim", kc_optim_cases, NULL, NULL},   {0},
};

/* Under valgrind the suite would run for an hour; the sanitizer build runs the whole of it. */
static void test_too_slow(void) {
	MT_SKIP("too slow under valgrind: the address sanitizer runs every kernel");
}

static const mt_test_case slow_cases[] = {{"all", test_too_slow}, {0}};
static const mt_test_suite slow_suites[] = {{"kernels", slow_cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	if (getenv("MT_TEST_VALGRIND") != NULL)
		return mt_test_main(argc, argv, slow_suites);
	if (!open_hosts()) {
		fprintf(stderr, "test_kernels: the plugins cannot be opened\n");
		return 1;
	}
	int result = mt_test_main(argc, argv, suites);
	close_hosts();
	return result;
}
