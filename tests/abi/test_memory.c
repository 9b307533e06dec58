/* The caching allocator and scratch: size classes, reuse, running out, and plugins that allocate badly. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "backend/device_impl.h"

static int setup(void) {
	if (abi_setup() != 0)
		return 1;
	abi_manifest("a.json", "mock", abi_mock(), "");
	return 0;
}

/* ---- size classes ---- */

static void check_class(uint64_t bytes, uint32_t *last) {
	uint64_t capacity, again;
	uint32_t class = mt__size_class(bytes, &capacity);
	MT_CHECK_MSG(capacity >= bytes, "%llu: capacity %llu", (unsigned long long)bytes, (unsigned long long)capacity);
	MT_CHECK_MSG(bytes <= 256 || capacity - bytes < bytes / 32 + 1, "%llu wastes %llu", (unsigned long long)bytes,
	             (unsigned long long)(capacity - bytes));
	MT_CHECK(class < MT__SIZE_CLASSES && class >= *last);
	MT_CHECK_INT(mt__class_bytes(class), capacity);
	/* a buffer is freed by its capacity: that must find the same class */
	MT_CHECK_INT(mt__size_class(capacity, &again), class);
	MT_CHECK_INT(again, capacity);
	*last = class;
}

static void test_classes(void) {
	uint32_t last = 0;
	uint64_t capacity;
	for (uint64_t bytes = 1; bytes < 5000; bytes++)
		check_class(bytes, &last);
	for (int top = 13; top < 62; top++)
		for (int step = 0; step < 32; step++)
			for (int off = -1; off <= 1; off++)
				check_class(((uint64_t)1 << top) + ((uint64_t)step << (top - 5)) + (uint64_t)off, &last);
	MT_CHECK_INT(mt__size_class(256, &capacity), 0);
	MT_CHECK_INT(mt__size_class(257, &capacity), 1);
}

/* ---- reuse ---- */

static void tell_memory(FILE *out, mt_device *d) {
	uint64_t in_use, cached;
	(void)mt_device_memory(d, &in_use, &cached);
	fprintf(out, "%llu+%llu ", (unsigned long long)in_use, (unsigned long long)cached);
}

static void run_reuse(FILE *out, const void *unused) {
	(void)unused;
	mt_device *d = mt_device_open("mock");
	void *a, *b, *c, *none;
	uint64_t a_size, b_size, c_size, none_size;
	if (mt__buffer_alloc(d, 1000, &a, &a_size) != MT_OK || mt__buffer_alloc(d, 1000, &b, &b_size) != MT_OK)
		exit(9);
	tell_memory(out, d);
	mt__buffer_free(d, a, a_size);
	tell_memory(out, d);
	if (mt__buffer_alloc(d, 1005, &c, &c_size) != MT_OK)
		exit(8);
	fprintf(out, "%s ", c == a && c != b ? "reused" : "fresh");
	tell_memory(out, d);
	mt__buffer_free(d, b, b_size);
	mt__buffer_free(d, c, c_size);
	tell_memory(out, d);
	(void)mt_device_trim(d);
	tell_memory(out, d);
	mt_status status = mt__buffer_alloc(d, 0, &none, &none_size);
	fprintf(out, "%d %s %llu", status, none == NULL ? "NULL" : "?", (unsigned long long)none_size);
	mt__buffer_free(d, none, none_size);
}

static void test_reuse(void) {
	static const char *const off[] = {"MT_BUFFER_CACHE=off", NULL};
	MT_CHECK_STR(abi_child(NULL, run_reuse, NULL), "2016+0 1008+1008 reused 2016+0 0+2016 0+0 0 NULL 0");
	MT_CHECK_CONTAINS(abi_child(off, run_reuse, NULL), "2016+0 1008+0 ");
}

/* ---- running out: a device of 1 MiB ---- */

static void run_small(FILE *out, const void *unused) {
	static const uint64_t KIB = 1024;
	(void)unused;
	mt_device *d = mt_device_open("mock");
	void *a, *b;
	uint64_t a_size, b_size;
	/* the cache is given back when the plugin has no more */
	if (mt__buffer_alloc(d, 640 * KIB, &a, &a_size) != MT_OK)
		exit(9);
	mt__buffer_free(d, a, a_size);
	tell_memory(out, d);
	mt_status status = mt__buffer_alloc(d, 512 * KIB, &a, &a_size);
	fprintf(out, "%d ", status);
	tell_memory(out, d);
	/* nothing more to give back: an error with the sizes */
	status = mt__buffer_alloc(d, 600 * KIB, &b, &b_size);
	fprintf(out, "%d %s ", status, b == NULL ? "NULL" : "?");
	tell_memory(out, d);
	fprintf(out, "%s", mt_error_take(NULL));
	mt__buffer_free(d, a, a_size);
	(void)mt_device_trim(d);
}

static void test_small(void) {
	static const char *const environment[] = {"MOCK=small", NULL};
	MT_CHECK_STR(
		abi_child(environment, run_small, NULL),
		"0+655360 0 524288+0 6 NULL 524288+0 device mock: out of memory: 622592 bytes asked for, 524288 in use by "
		"this process, 0 cached, the device has 524288 free of 1048576 (the mock is full)");
}

/* ---- absurd sizes, and plugins that allocate badly ---- */

static void run_alloc(FILE *out, const void *bytes) {
	mt_device *d = mt_device_open("mock");
	void *base;
	uint64_t capacity;
	mt_status status = mt__buffer_alloc(d, *(const uint64_t *)bytes, &base, &capacity);
	fprintf(out, "%s %s", mt_status_name(status), mt_error_take(NULL));
}

/* A share of a device of 1 MiB: as if it were that small. */
static void test_fraction(void) {
	static const char *const most[] = {"MOCK=small", "MT_MEMORY_FRACTION=0.625", NULL};
	static const char *const all[] = {"MOCK=small", "MT_MEMORY_FRACTION=1", NULL};
	static const char *const little[] = {"MOCK=small", "MT_MEMORY_FRACTION=.5", NULL};
	static const uint64_t more = 600 * 1024;
	MT_CHECK_STR(
		abi_child(most, run_small, NULL),
		"0+655360 0 524288+0 6 NULL 524288+0 device mock: out of memory: 622592 bytes asked for, 524288 in use by "
		"this process, 0 cached, the device has 524288 free of 1048576 (MT_MEMORY_FRACTION allows no more)");
	MT_CHECK_CONTAINS(abi_child(all, run_small, NULL), "(the mock is full)");
	MT_CHECK_CONTAINS(abi_child(little, run_alloc, &more),
	                  "the device has 1048576 free of 1048576 (MT_MEMORY_FRACTION allows no more)");
}

static void test_bad(void) {
	static const struct {
		const char *mock;
		uint64_t bytes;
		const char *says;
	} rows[] = {
		{"MOCK=none", UINT64_MAX, "MT_E_MEMORY device mock: out of memory: 18446744073709551615 bytes are more than"},
		{"MOCK=none", INT64_MAX, "MT_E_MEMORY device mock: out of memory: 9223372036854775807 bytes are more than"},
		{"MOCK=small", (uint64_t)1 << 61,
	     "MT_E_MEMORY device mock: out of memory: 2305843009213693952 bytes asked for"},
		{"MOCK=small", (uint64_t)1 << 40, "the device has 1048576 free of 1048576 (more than the whole device)"},
		{"MOCK=alloc_null", 100, "MT_E_PLUGIN device mock: R6: alloc succeeded without an address"},
		{"MOCK=alloc_misaligned", 100, "MT_E_PLUGIN device mock: R9: alloc gave 0x"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *const environment[] = {rows[i].mock, NULL};
		mt_test_row("%s %llu", rows[i].mock, (unsigned long long)rows[i].bytes);
		MT_CHECK_CONTAINS(abi_child(environment, run_alloc, &rows[i].bytes), rows[i].says);
	}
}

/* ---- scratch: the mock's map wants a KiB for each element ---- */

static mt_status neg(mt_device *d, int64_t n, void *base) {
	mt_array x = {
		.base = base, .buffer_bytes = (uint64_t)n * 4, .dtype = MT_F32, .rank = 1, .shape = {n}, .stride = {1}};
	struct mt_map_args args = {.struct_size = sizeof args, .op = MT_MAP_NEG, .x = &x, .out = &x};
	return mt__dispatch(d, MT_K_MAP, MT_MAP_NEG, &args);
}

static void run_scratch(FILE *out, const void *unused) {
	static const float zeros[600];
	(void)unused;
	mt_device *d = mt_device_open("mock");
	void *base;
	uint64_t capacity;
	if (mt__buffer_alloc(d, sizeof zeros, &base, &capacity) != MT_OK ||
	    mt__upload(d, base, 0, zeros, sizeof zeros) != MT_OK)
		exit(9);
	static const int64_t sizes[] = {1, 1, 8, 4, 512};
	for (int i = 0; i < 5; i++) {
		fprintf(out, "%d ", neg(d, sizes[i], base));
		tell_memory(out, d);
	}
	(void)mt_device_trim(d);
	tell_memory(out, d);
	fprintf(out, "%d ", neg(d, 600, base));
	tell_memory(out, d);
	mt_status status = neg(d, 1200, base);
	fprintf(out, "%d %s", status, mt_error_take(NULL));
	mt__buffer_free(d, base, capacity);
	(void)mt_device_trim(d);
}

static void test_scratch(void) {
	static const char *const environment[] = {"MOCK=small", NULL};
	/* 2432 in use; scratch counts as cached; what is outgrown by more than ever goes back to the plugin */
	MT_CHECK_STR(
		abi_child(environment, run_scratch, NULL),
		"0 2432+1024 0 2432+1024 0 2432+8192 0 2432+8192 0 2432+524288 2432+0 0 2432+622592 6 neg: no scratch");
}

/* Scratch and the cache share buffers: a kernel borrows the smallest that is large enough, and a tensor of the size that
 * was borrowed gets it back. */
static void run_shared(FILE *out, const void *unused) {
	static const uint64_t KIB = 1024;
	(void)unused;
	mt_device *d = mt_device_open("mock");
	void *x, *small, *large, *again, *other;
	uint64_t x_size, small_size, large_size, size;
	if (mt__buffer_alloc(d, 256, &x, &x_size) != MT_OK || mt__buffer_alloc(d, 64 * KIB, &small, &small_size) != MT_OK ||
	    mt__buffer_alloc(d, 128 * KIB, &large, &large_size) != MT_OK)
		exit(9);
	memset(x, 0, 256);
	mt__buffer_free(d, large, large_size);
	mt__buffer_free(d, small, small_size);
	fprintf(out, "%d ", neg(d, 32, x)); /* borrows the small one */
	tell_memory(out, d);
	uint64_t most = 0;
	(void)mt_device_memory_peak(d, &most, 1);
	if (mt__buffer_alloc(d, 64 * KIB, &again, &size) != MT_OK)
		exit(8);
	fprintf(out, "%s ", again == small ? "back" : "fresh");
	tell_memory(out, d);
	fprintf(out, "%d ", neg(d, 32, x)); /* and now the large one, of which 32 KiB count */
	tell_memory(out, d);
	(void)mt_device_memory_peak(d, &most, 0);
	fprintf(out, "%llu ", (unsigned long long)most);
	if (mt__buffer_alloc(d, 96 * KIB, &other, &large_size) != MT_OK)
		exit(7);
	fprintf(out, "%s ", other == large ? "too large" : "fresh");
	mt__buffer_free(d, other, large_size);
	mt__buffer_free(d, again, size);
	mt__buffer_free(d, x, x_size);
	(void)mt_device_trim(d);
	tell_memory(out, d);
}

static void test_shared(void) {
	static const char *const environment[] = {"MOCK=scratch", NULL};
	static const char *const off[] = {"MOCK=scratch", "MT_BUFFER_CACHE=off", NULL};
	MT_CHECK_STR(abi_child(environment, run_shared, NULL),
	             "0 256+196608 back 65792+131072 0 65792+131072 98560 fresh 0+0 ");
	MT_CHECK_CONTAINS(abi_child(off, run_shared, NULL), "0 256+32768 fresh 65792+32768 0 65792+32768 98560 fresh 0+0 ");
}

/* ---- threads ---- */

enum { THREADS = 4, ROUNDS = 2000 };

static void *churn(void *device) {
	mt_device *d = device;
	void *bases[8] = {0};
	uint64_t sizes[8], seed = (uint64_t)(uintptr_t)&bases;
	size_t bad = 0;
	for (int i = 0; i < ROUNDS; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		int k = (int)(seed >> 60) & 7;
		if (bases[k] != NULL) {
			bad += neg(d, 16, bases[k]) != MT_OK;
			mt__buffer_free(d, bases[k], sizes[k]);
		}
		bad += mt__buffer_alloc(d, 64 + (seed >> 40) % 4096, &bases[k], &sizes[k]) != MT_OK;
		memset(bases[k], k, 64);
		if (i % 512 == 0)
			bad += mt_device_trim(d) != MT_OK;
	}
	for (int k = 0; k < 8; k++)
		mt__buffer_free(d, bases[k], sizes[k]);
	return (void *)bad;
}

static void run_threads(FILE *out, const void *unused) {
	pthread_t threads[THREADS];
	size_t bad = 0;
	(void)unused;
	mt_device *d = mt_device_open("mock");
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, churn, d);
	for (int i = 0; i < THREADS; i++) {
		void *result;
		pthread_join(threads[i], &result);
		bad += (size_t)result;
	}
	(void)mt_device_trim(d);
	fprintf(out, "%zu failures, ", bad);
	tell_memory(out, d);
}

static void test_threads(void) {
	static const char *const environment[] = {"MOCK=scratch", NULL};
	MT_CHECK_STR(abi_child(environment, run_threads, NULL), "0 failures, 0+0 ");
}

static const mt_test_case cases[] = {
	{"classes", test_classes},   {"reuse", test_reuse},     {"small", test_small},
	{"fraction", test_fraction}, {"bad", test_bad},         {"scratch", test_scratch},
	{"shared", test_shared},     {"threads", test_threads}, {0},
};

static const mt_test_suite suites[] = {{"memory", cases, setup, abi_cleanup}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
