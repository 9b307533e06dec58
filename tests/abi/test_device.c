/* Opening devices: strings, options and where they come from, identity, the current device, forks, settings. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi.h"
#include "mt/backend.h"

static int setup(void) {
	if (abi_setup() != 0)
		return 1;
	abi_manifest("a.json", "mock", abi_mock(), ", \"priority\": 9, \"options\": {\"speed\": 1}");
	abi_manifest("b.json", "plain", abi_mock(), "");
	abi_manifest("d.json", "gone", "gone.so", "");
	abi_manifest("e.json", "mock_two", abi_mock(), "");
	abi_manifest("c.json", "ref", abi_naive(), ", \"role\": \"reference\"");
	return 0;
}

/* ---- strings ---- */

static void test_strings(void) {
	static const struct {
		const char *name, *says;
	} rows[] = {
		{"mock", "opened mock:speed=1\n"},
		{"mock:0", "opened mock:speed=1\n"},
		{"mock:2", "opened mock:2:speed=1\n"},
		{"mock:speed=5", "opened mock:speed=5\n"},
		{"mock:1:speed=5,mode=a:b=c", "opened mock:1:mode=a:b=c,speed=5\n"},
		{"mock:mode=x,speed=2", "opened mock:mode=x,speed=2\n"},
		{"plain", "opened plain\n"},
		{"mock:3", "MT_E_DEVICE: backend mock has no device 3; there are 3, counted from 0"},
		{"mock:10000", "MT_E_ARG: device \"mock:10000\": the ordinal"},
		{"mock:1x", "MT_E_ARG: device \"mock:1x\": the ordinal"},
		{"mock:99999999999999999999", "MT_E_ARG: "},
		{"mock:-1", "MT_E_ARG: device \"mock:-1\": an option reads KEY=VALUE"},
		{"mock:", "MT_E_ARG: device \"mock:\": an option reads KEY=VALUE"},
		{"mock:1:", "an option reads KEY=VALUE"},
		{"mock:speed", "an option reads KEY=VALUE"},
		{"mock:speed=", "value is empty"},
		{"mock:=5", "key is made of"},
		{"mock:Speed=5", "key is made of"},
		{"mock:speed=5,", "an option reads KEY=VALUE"},
		{"mock:speed=5,speed=6", "an option is given twice"},
		{"mock:speed=\n", "control character"},
		{"mock:colour=red",
	     "MT_E_ARG: device mock:colour=red,speed=1: unknown option colour; the mock has: speed, mode"},
		{"", "MT_E_ARG: device \"\": a backend's name"},
		{":1", "MT_E_ARG: device \":1\": a backend's name"},
		{"Mock", "MT_E_ARG: device \"Mock\": a backend's name"},
		{"auto:1", "no backend is called \"auto\""},
		{"gone", "MT_E_DEVICE: backend gone cannot be used: R15: library "},
		{"quantum", "MT_E_DEVICE: no backend is called \"quantum\"; there are: mock, plain, ref"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("\"%s\"", rows[i].name);
		MT_CHECK_CONTAINS(abi_child(NULL, abi_open, rows[i].name), rows[i].says);
	}
}

/* A wrong name tells why the others are missing. */
static void test_wrong_name_lists(void) {
	static const char *const environment[] = {"MOCK=no_device", "MT_BACKENDS_DISABLE=ref", NULL};
	const char *said = abi_child(environment, abi_open, "quantum");
	MT_CHECK_CONTAINS(said, "there is no usable backend");
	MT_CHECK_CONTAINS(said, "mock (no device: the mock is unplugged)");
	MT_CHECK_CONTAINS(said, "ref (disabled by MT_BACKENDS_DISABLE)");
}

static void test_no_manifest(void) {
	char path[512];
	const char *const environment[] = {path, NULL};
	snprintf(path, sizeof path, "MT_MANIFEST_PATH=%s", abi_path("nowhere"));
	const char *said = abi_child(environment, abi_open, "auto");
	MT_CHECK_CONTAINS(said, "MT_E_DEVICE: no backend has a device; there is no usable backend; no manifest in: ");
	MT_CHECK_CONTAINS(said, "nowhere");
}

/* ---- options: manifest < environment < string ---- */

static void test_precedence(void) {
	static const struct {
		const char *variables[3], *name, *says;
	} rows[] = {
		{{NULL}, "mock", "opened mock:speed=1\n"},
		{{"MT_MOCK_SPEED=2"}, "mock", "opened mock:speed=2\n"},
		{{"MT_MOCK_SPEED=2"}, "mock:speed=3", "opened mock:speed=3\n"},
		{{"MT_MOCK_SPEED=2", "MT_MOCK_MODE=m"}, "mock:speed=3", "opened mock:mode=m,speed=3\n"},
		{{"MT_MOCK_SPEED=2"}, "plain", "opened plain\n"},
		{{"MT_MOCK_COLOUR=red"}, "mock", "unknown option colour"},
		{{"MT_MOCK_TWO_SPEED=7", "MT_MOCK_SPEED=2"}, "mock", "opened mock:speed=2\n"},
		{{"MT_MOCK_TWO_SPEED=7", "MT_MOCK_SPEED=2"}, "mock_two", "opened mock_two:speed=7\n"},
		{{"MT_MOCK_speed=2"}, "mock", "opened mock:speed=1\n"},
		{{"MT_MOCK_=2", "MT_MOCK=2"}, "mock", "opened mock:speed=1\n"},
		{{"MT_MOCK_SPEED=1,2"}, "mock", "MT_E_ARG: MT_MOCK_SPEED: an option's value has no comma"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("%s %s", rows[i].variables[0] != NULL ? rows[i].variables[0] : "", rows[i].name);
		MT_CHECK_CONTAINS(abi_child(rows[i].variables, abi_open, rows[i].name), rows[i].says);
	}
}

/* ---- identity and the current device ---- */

static void check_identity(FILE *out, const void *unused) {
	(void)unused;
	mt_device *a = mt_device_open("mock:speed=2,mode=x"), *b = mt_device_open("mock:0:mode=x,speed=2");
	mt_device *c = mt_device_open("mock:1:mode=x,speed=2"), *d = mt_device_open("mock");
	mt_device *e = mt_device_open(mt_device_name(a));
	fprintf(out, "same %d %d, others %d %d\n", a == b, a == e, a != c, a != d);
}

static void test_identity(void) {
	MT_CHECK_STR(abi_child(NULL, check_identity, NULL), "same 1 1, others 1 1\n");
}

static void *current_of_thread(void *unused) {
	(void)unused;
	return (void *)mt_device_name(mt_device_current());
}

static void check_current(FILE *out, const void *unused) {
	pthread_t thread;
	void *other = NULL;
	(void)unused;
	mt_device *first = mt_device_current(), *mine = mt_device_open("ref");
	int same = mt_device_current() == first;
	mt_status status = mt_device_use(mine);
	pthread_create(&thread, NULL, current_of_thread, NULL);
	pthread_join(thread, &other);
	fprintf(out, "%s %d, %d %s, other thread %s\n", mt_device_name(first), same, status,
	        mt_device_name(mt_device_current()), (const char *)other);
	status = mt_device_use(NULL);
	fprintf(out, "%s, still %s\n", mt_error_take(NULL), mt_device_name(mt_device_current()));
}

static void test_current(void) {
	static const char *const environment[] = {"MT_BACKEND=plain", NULL};
	MT_CHECK_STR(abi_child(NULL, check_current, NULL),
	             "mock:speed=1 1, 0 ref, other thread mock:speed=1\nmt_device_use: device is NULL, still ref\n");
	MT_CHECK_CONTAINS(abi_child(environment, check_current, NULL), "plain 1, 0 ref, other thread plain\n");
}

static void check_describe(FILE *out, const void *unused) {
	struct mt_device_info info;
	(void)unused;
	mt_device *d = mt_device_open("mock");
	mt_status status = mt_device_describe(d, &info);
	fprintf(out, "%d %d %u %s;", status, info.struct_size == sizeof info, info.alignment, info.name);
	fprintf(out, " %s %d;", mt_device_backend(d), mt_device_has_host_memory(d));
	fprintf(out, " %d%d%d%d%d\n", mt_device_supports(d, MT_K_MAP, MT_MAP_EXP, MT_F32),
	        mt_device_supports(d, MT_K_MAP, MT_MAP_EXP, MT_F64), mt_device_supports(d, MT_K_MAP, MT_MAP_SIN, MT_F32),
	        mt_device_supports(d, 99, 0, MT_F32), mt_device_supports(d, MT_K_MATMUL, 0, MT_F32));
}

static void test_describe(void) {
	MT_CHECK_STR(abi_child(NULL, check_describe, NULL), "0 1 64 one thread of the CPU; mock 1; 10001\n");
}

/* ---- NULL ---- */

static void check_null(FILE *out, const void *unused) {
	struct mt_device_info info;
	(void)unused;
	(void)mt_device_open(NULL);
	fprintf(out, "%s\n", mt_error_take(NULL));
	(void)mt_device_name(NULL);
	fprintf(out, "%s\n", mt_error_take(NULL));
	(void)mt_device_describe(NULL, &info);
	fprintf(out, "%s\n", mt_error_take(NULL));
	(void)mt_device_synchronize(NULL);
	(void)mt_dispatch_counts(NULL);
	(void)mt_profile_print(NULL);
	fprintf(out, "%s\n", mt_error_take(NULL));
}

static void test_null(void) {
	MT_CHECK_STR(abi_child(NULL, check_null, NULL),
	             "mt_device_open: name is NULL\nmt_device_name: device is NULL\nmt_device_describe: device is NULL\n"
	             "mt_device_synchronize: device is NULL\n");
}

/* ---- forks ---- */

static void check_fork(FILE *out, const void *open_before) {
	mt_device *before = open_before != NULL ? mt_device_open("mock") : NULL;
	fflush(out);
	pid_t child = fork();
	if (child == 0) {
		mt_status used = before != NULL ? mt_device_synchronize(before) : MT_OK;
		fprintf(out, "old: %s; ", mt_status_name(used));
		(void)mt_error_take(NULL);
		abi_open(out, "mock");
		abi_open(out, "ref");
		fclose(out);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	fprintf(out, "parent: %s\n", mt_status_name(before != NULL ? mt_device_synchronize(before) : MT_OK));
}

static void test_fork(void) {
	const char *said = abi_child(NULL, check_fork, "yes");
	MT_CHECK_CONTAINS(said,
	                  "old: MT_E_FORKED; MT_E_FORKED: device mock:speed=1 was opened before this process was forked");
	MT_CHECK_CONTAINS(said, "opened ref\n");
	MT_CHECK_CONTAINS(said, "parent: MT_OK");
	said = abi_child(NULL, check_fork, NULL);
	MT_CHECK_CONTAINS(said, "old: MT_OK; opened mock:speed=1\nopened ref\n");
}

/* ---- memory that runs out: the n-th allocation of libmt fails ---- */

static int countdown;

static void *failing_alloc(size_t bytes) {
	return countdown-- == 0 ? NULL : malloc(bytes);
}

static void *failing_resize(void *p, size_t bytes) {
	return countdown-- == 0 ? NULL : realloc(p, bytes);
}

static void run_out_of_memory(FILE *out, const void *n) {
	mt_status status;
	countdown = *(const int *)n;
	mt_set_allocator(failing_alloc, failing_resize, free);
	char *listing = mt_backends_json();
	(void)mt_error_take(NULL);
	mt_free(listing);
	mt_device *d = mt_device_open("mock:speed=2,mode=x");
	const char *message = mt_error_take(&status);
	if (d == NULL && (status != MT_E_MEMORY || strstr(message, "memory") == NULL))
		fprintf(out, "%s: %s; ", mt_status_name(status), message);
	int used_up = countdown < 0;
	countdown = -1; /* enough from here on */
	abi_open(out, "mock:speed=2,mode=x");
	if (!used_up)
		fprintf(out, "all");
}

static void test_out_of_memory(void) {
	const char *said = "";
	int n = 0;
	for (; n < 400 && strstr(said, "all") == NULL; n++) {
		mt_test_row("allocation %d fails", n);
		said = abi_child(NULL, run_out_of_memory, &n);
		MT_CHECK(strncmp(said, "opened mock:mode=x,speed=2\n", 27) == 0);
		if (strncmp(said, "opened", 6) != 0)
			mt_test_note("%d: %s", n, said);
	}
	MT_CHECK(n > 40 && n < 400);
}

/* ---- settings ---- */

static void test_settings(void) {
	static const struct {
		const char *variable, *says;
	} rows[] = {
		{"MT_FALLBACK=sometimes", "MT_E_ARG: MT_FALLBACK=sometimes: there are error, warn, allow"},
		{"MT_PROFILE=yes", "MT_E_ARG: MT_PROFILE=yes: there are 0, 1"},
		{"MT_BUFFER_CACHE=no", "MT_E_ARG: MT_BUFFER_CACHE=no: there are on, off"},
		{"MT_MEMORY_FRACTION=0", "MT_E_ARG: MT_MEMORY_FRACTION=0: a number above 0 and up to 1 is needed"},
		{"MT_MEMORY_FRACTION=1.01", "MT_E_ARG: MT_MEMORY_FRACTION=1.01: a number"},
		{"MT_MEMORY_FRACTION=half", "MT_E_ARG: MT_MEMORY_FRACTION=half: a number"},
		{"MT_MEMORY_FRACTION=0,5", "MT_E_ARG: MT_MEMORY_FRACTION=0,5: a number"},
		{"MT_MEMORY_FRACTION=.25", "opened mock:speed=1\n"},
		{"MT_BACKEND=quantum", "MT_E_DEVICE: no backend is called \"quantum\""},
		{"MT_BACKEND=auto", "opened mock:speed=1\n"},
		{"MT_FALLBACK=allow", "opened mock:speed=1\n"},
		{"MT_MOCK_COLOUR=red", "unknown option colour"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *const environment[] = {rows[i].variable, NULL};
		mt_test_row("%s", rows[i].variable);
		MT_CHECK_CONTAINS(abi_child(environment, abi_open, "auto"), rows[i].says);
	}
}

static const mt_test_case cases[] = {
	{"strings", test_strings},
	{"wrong_name_lists", test_wrong_name_lists},
	{"no_manifest", test_no_manifest},
	{"precedence", test_precedence},
	{"identity", test_identity},
	{"current", test_current},
	{"describe", test_describe},
	{"null", test_null},
	{"fork", test_fork},
	{"out_of_memory", test_out_of_memory},
	{"settings", test_settings},
	{0},
};

static const mt_test_suite suites[] = {{"device", cases, setup, abi_cleanup}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
