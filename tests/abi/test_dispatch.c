/* Dispatch: the device's kernel, the fallback and its policy, what errors say, counters, and the profile. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi.h"
#include "backend/device.h"

static int setup(void) {
	if (abi_setup() != 0)
		return 1;
	abi_manifest("a.json", "mock", abi_mock(), ", \"priority\": 9");
	abi_manifest("b.json", "ref", abi_naive(), ", \"role\": \"reference\"");
	return 0;
}

/* ---- arrays on a device ---- */

/* n floats, 1.5 2.5 3.5 … */
static mt_array array_of(mt_device *d, int64_t n) {
	mt_array a = {.dtype = MT_F32, .rank = 1, .shape = {n}, .stride = {1}};
	uint64_t bytes = (uint64_t)n * sizeof(float);
	float *host = malloc(bytes);
	for (int64_t i = 0; i < n; i++)
		host[i] = (float)i + 1.5f;
	a.base = abi_buffer(d, host, bytes);
	a.buffer_bytes = bytes;
	free(host);
	return a;
}

static void print(FILE *out, mt_device *d, const mt_array *a, int n) {
	float host[64];
	if (mt__download(d, a->base, 0, host, (uint64_t)n * sizeof *host) != MT_OK)
		exit(8);
	for (int i = 0; i < n; i++)
		fprintf(out, "%g ", (double)host[i]);
}

static mt_status map(mt_device *d, int32_t op, const mt_array *x, const mt_array *out) {
	struct mt_map_args args = {.struct_size = sizeof args, .op = op, .x = x, .out = out};
	return mt__dispatch(d, MT_K_MAP, op, &args);
}

static void tell(FILE *out, mt_status status) {
	mt_status taken;
	const char *message = mt_error_take(&taken);
	if (status != taken)
		fprintf(out, "[slot %s] ", mt_status_name(taken));
	fprintf(out, "%s %s\n", mt_status_name(status), message);
}

static void tell_counts(FILE *out) {
	struct mt_dispatch_counts c;
	(void)mt_dispatch_counts(&c);
	fprintf(out, "native %llu fallback %llu bytes %llu\n", (unsigned long long)c.native, (unsigned long long)c.fallback,
	        (unsigned long long)c.fallback_bytes);
}

/* ---- maps on the mock: neg is its own, sin is not ---- */

static void run_maps(FILE *out, const void *unused) {
	(void)unused;
	setenv("MT_LOG", "warn", 1);
	dup2(fileno(out), 2); /* warnings go where the test reads */
	mt_device *d = mt_device_open("mock");
	if (d == NULL)
		exit(7);
	mt_array x = array_of(d, 3), y = array_of(d, 3);
	static const int32_t ops[] = {MT_MAP_NEG, MT_MAP_SIN, MT_MAP_SIN};
	for (int i = 0; i < 3; i++) {
		mt_status status = map(d, ops[i], &x, &y);
		fflush(out);
		tell(out, status);
		print(out, d, &y, 3);
		fprintf(out, "\n");
		fflush(out);
	}
	tell_counts(out);
}

#define SINES "0.997495 0.598472 -0.350783 \n"
#define NEGATED "-1.5 -2.5 -3.5 \n"
#define WARNING "mt warn: sin: mock has no kernel for it in f32; it runs on ref"

static void test_fallback(void) {
	static const struct {
		const char *environment[3];
		const char *says;
	} rows[] = {
		{{NULL},
	     "MT_OK \n" NEGATED WARNING " (MT_FALLBACK=error forbids that, allow is quiet)\nMT_OK \n" SINES "MT_OK \n" SINES
	     "native 1 fallback 2 bytes 48\n"},
		{{"MT_FALLBACK=warn"}, "MT_OK \n" NEGATED WARNING},
		{{"MT_FALLBACK=allow"}, "MT_OK \n" NEGATED "MT_OK \n" SINES "MT_OK \n" SINES "native 1 fallback 2 bytes 48\n"},
		{{"MT_FALLBACK=error"},
	     "MT_OK \n" NEGATED "MT_E_UNSUPPORTED sin: mock has no kernel for it in f32; MT_FALLBACK=error forbids"},
		{{"MT_FALLBACK=error"}, "native 1 fallback 0 bytes 0\n"},
		{{"MT_BACKENDS_DISABLE=ref"}, "MT_OK \n" NEGATED WARNING},
		{{"MOCK=lies"}, "mt warn: neg: mock cannot run it: the mock's strides are tired; it runs on ref"},
		{{"MOCK=lies"}, "\nMT_OK \n" NEGATED},
		{{"MOCK=lies"}, "native 0 fallback 3 bytes 72\n"},
		{{"MOCK=lies_quietly"}, "neg: mock cannot run it: no reason given (R7); it runs on ref"},
		{{"MOCK=lies", "MT_FALLBACK=error"},
	     "MT_E_UNSUPPORTED neg: mock cannot run it: the mock's strides are tired; MT_FALLBACK=error forbids"},
		{{"MOCK=kernel_fails"}, "MT_E_DEVICE neg: the mock stumbled\n"},
		{{"MOCK=kernel_fails_oddly"}, "MT_E_PLUGIN neg: the plugin returned status -77: the mock is confused\n"},
		{{"MOCK=worker_fails"}, "MT_E_DEVICE neg: a worker stumbled\n"},
		{{"MOCK=newer_minor"}, "MT_OK \n" NEGATED},
		{{"MOCK=scratch"}, "MT_OK \n" NEGATED},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("%s", rows[i].environment[0] != NULL ? rows[i].environment[0] : "");
		MT_CHECK_CONTAINS(abi_child(rows[i].environment, run_maps, NULL), rows[i].says);
	}
}

static void test_no_reference(void) {
	abi_remove("b.json");
	MT_CHECK_CONTAINS(
		abi_child(NULL, run_maps, NULL),
		"MT_E_UNSUPPORTED sin: mock has no kernel for it in f32; there is no reference backend to run it on\n");
	abi_manifest("b.json", "ref", abi_mock(), ", \"role\": \"reference\"");
	MT_CHECK_CONTAINS(
		abi_child(NULL, run_maps, NULL),
		"MT_E_UNSUPPORTED sin: mock has no kernel for it in f32; nor does the reference, ref, have one\n");
	abi_manifest("b.json", "ref", abi_noentry(), ", \"role\": \"reference\"");
	MT_CHECK_CONTAINS(abi_child(NULL, run_maps, NULL), "; the reference backend, ref, cannot run it: R1: ");
	abi_manifest("b.json", "ref", abi_naive(), ", \"role\": \"reference\"");
}

/* What a call muttered while it succeeded is not held against the next. */
static void run_mutter(FILE *out, const void *unused) {
	(void)unused;
	mt_device *d = mt_device_open("mock");
	mt_array x = array_of(d, 3), y = array_of(d, 3);
	struct mt_zip_args args = {.struct_size = sizeof args, .op = MT_ZIP_ADD, .a = &x, .b = &x, .out = &y};
	tell(out, map(d, MT_MAP_NEG, &x, &y));
	tell(out, mt__dispatch(d, MT_K_ZIP, MT_ZIP_ADD, &args));
}

static void test_mutter(void) {
	static const char *const environment[] = {"MOCK=mutters", NULL};
	MT_CHECK_STR(abi_child(environment, run_mutter, NULL),
	             "MT_OK \nMT_E_DEVICE add: device mismatch or device error\n");
}

/* ---- copies: pairs of dtypes ---- */

static void run_copy(FILE *out, const void *unused) {
	(void)unused;
	mt_device *d = mt_device_open("mock");
	mt_array x = array_of(d, 3), y = array_of(d, 3), wide = array_of(d, 6);
	struct mt_copy_args args = {.struct_size = sizeof args, .x = &x, .out = &y};
	tell(out, mt__dispatch(d, MT_K_COPY, 0, &args));
	wide.dtype = MT_F64;
	wide.shape[0] = 3;
	args.out = &wide;
	tell(out, mt__dispatch(d, MT_K_COPY, 0, &args));
	tell_counts(out);
}

static void test_copy(void) {
	static const char *const quiet[] = {"MT_FALLBACK=allow", NULL}, *const strict[] = {"MT_FALLBACK=error", NULL};
	MT_CHECK_STR(abi_child(quiet, run_copy, NULL), "MT_OK \nMT_OK \nnative 1 fallback 1 bytes 36\n");
	MT_CHECK_CONTAINS(abi_child(strict, run_copy, NULL),
	                  "MT_E_UNSUPPORTED copy: mock has no kernel for it from f32 to f64");
}

/* ---- memory that the CPU cannot touch: the fallback goes through copies ---- */

static void far_in_place(FILE *out, mt_device *d) {
	mt_array x = array_of(d, 3);
	tell(out, map(d, MT_MAP_SQUARE, &x, &x));
	print(out, d, &x, 3);
}

/* Every second element, backwards, into the middle of a buffer whose rest must stay as it is. */
static void far_strided(FILE *out, mt_device *d) {
	mt_array x = array_of(d, 6), y = array_of(d, 8);
	x.shape[0] = y.shape[0] = 3;
	x.stride[0] = -2;
	x.byte_offset = 5 * sizeof(float);
	y.stride[0] = 2;
	y.byte_offset = 2 * sizeof(float);
	tell(out, map(d, MT_MAP_SQUARE, &x, &y));
	print(out, d, &y, 8);
}

/* Two operands of one buffer, the output between the input's elements. */
static void far_interleaved(FILE *out, mt_device *d) {
	mt_array x = array_of(d, 6), y = x;
	x.shape[0] = y.shape[0] = 3;
	x.stride[0] = y.stride[0] = 2;
	y.byte_offset = sizeof(float);
	tell(out, map(d, MT_MAP_SQUARE, &x, &y));
	print(out, d, &x, 6);
}

/* A step whose learning rate lies on the device (R12). */
static void far_scalar(FILE *out, mt_device *d) {
	static const double rate = 0.5;
	mt_array param = array_of(d, 3), grad = array_of(d, 3), lr = {.dtype = MT_F64};
	lr.base = abi_buffer(d, &rate, sizeof rate);
	lr.buffer_bytes = sizeof rate;
	struct mt_sgd_args args = {
		.struct_size = sizeof args, .param = &param, .grad = &grad, .lr = {100, &lr}, .first = 1};
	tell(out, mt__dispatch(d, MT_K_SGD, 0, &args));
	print(out, d, &param, 3);
	fprintf(out, "%d ", args.lr.device == &lr && args.param == &param); /* the caller's arguments stay */
}

static void far_native(FILE *out, mt_device *d) {
	mt_array x = array_of(d, 3), y = array_of(d, 3);
	struct mt_zip_args args = {.struct_size = sizeof args, .op = MT_ZIP_ADD, .a = &x, .b = &y, .out = &y};
	tell(out, mt__dispatch(d, MT_K_ZIP, MT_ZIP_ADD, &args));
	print(out, d, &y, 3);
}

/* A reduction over nothing: the input is empty and has no address. */
static void far_empty(FILE *out, mt_device *d) {
	mt_array x = {.dtype = MT_F32, .rank = 1, .shape = {0}, .stride = {1}}, y = array_of(d, 1);
	struct mt_reduce_args args = {.struct_size = sizeof args, .op = MT_REDUCE_PROD, .axes = 1, .x = &x, .out = &y};
	tell(out, mt__dispatch(d, MT_K_REDUCE, MT_REDUCE_PROD, &args));
	print(out, d, &y, 1);
}

static void run_far(FILE *out, const void *part) {
	uint64_t in_use;
	mt_device *d = mt_device_open("mock"), *ref = mt_device_open("ref");
	(*(void (*const *)(FILE *, mt_device *))part)(out, d);
	(void)mt_device_memory(ref, &in_use, NULL);
	fprintf(out, "left %llu", (unsigned long long)in_use);
}

static void test_far(void) {
	static const char *const environment[] = {"MOCK=far", "MT_FALLBACK=allow", NULL};
	static const struct {
		const char *what;
		void (*run)(FILE *, mt_device *);
		const char *says;
	} rows[] = {
		{"native", far_native, "MT_OK \n3 5 7 left 0"},
		{"in place", far_in_place, "MT_OK \n2.25 6.25 12.25 left 0"},
		{"strided", far_strided, "MT_OK \n1.5 2.5 42.25 4.5 20.25 6.5 6.25 8.5 left 0"},
		{"interleaved", far_interleaved, "MT_OK \n1.5 2.25 3.5 12.25 5.5 30.25 left 0"},
		{"scalar on the device", far_scalar, "MT_OK \n0.75 1.25 1.75 1 left 0"},
		{"empty", far_empty, "MT_OK \n1 left 0"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("%s", rows[i].what);
		MT_CHECK_STR(abi_child(environment, run_far, &rows[i].run), rows[i].says);
	}
}

/* ---- forks ---- */

static void run_forked(FILE *out, const void *unused) {
	(void)unused;
	mt_device *d = mt_device_open("mock");
	mt_array x = array_of(d, 3), y = array_of(d, 3);
	void *base;
	uint64_t capacity;
	fflush(out);
	pid_t child = fork();
	if (child == 0) {
		tell(out, map(d, MT_MAP_NEG, &x, &y));
		tell(out, map(d, MT_MAP_SIN, &x, &y));
		tell(out, mt__buffer_alloc(d, 100, &base, &capacity));
		mt__buffer_free(d, x.base, 256);
		fclose(out);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static void test_forked(void) {
	const char *said = abi_child(NULL, run_forked, NULL);
	int times = 0;
	for (const char *at = said; (at = strstr(at, "MT_E_FORKED device mock was opened before")) != NULL; at++)
		times++;
	MT_CHECK_INT(times, 3);
}

/* ---- profile and settings ---- */

static void run_profile(FILE *out, const void *unused) {
	(void)unused;
	dup2(fileno(out), 2); /* the exit prints it again */
	mt_device *d = mt_device_open("mock");
	mt_array x = array_of(d, 4), y = array_of(d, 4);
	x.rank = y.rank = 2;
	x.shape[0] = x.shape[1] = y.shape[0] = y.shape[1] = 2;
	x.stride[0] = y.stride[0] = 2;
	x.stride[1] = y.stride[1] = 1;
	struct mt_matmul_args args = {.struct_size = sizeof args, .a = &x, .b = &x, .out = &y, .alpha = 1};
	for (int i = 0; i < 3; i++)
		(void)mt__dispatch(d, MT_K_MATMUL, 0, &args);
	(void)map(d, MT_MAP_SIN, &x, &y);
	(void)mt_profile_print(out);
}

static void test_profile(void) {
	static const char *const on[] = {"MT_PROFILE=1", "MT_FALLBACK=allow", "MT_LOG=error", NULL};
	static const char *const off[] = {"MT_PROFILE=0", "MT_FALLBACK=allow", NULL};
	const char *said = abi_child(on, run_profile, NULL);
	MT_CHECK_CONTAINS(said, "mt profile: mock, ");
	MT_CHECK_CONTAINS(said, "matmul                                      3         0");
	MT_CHECK_CONTAINS(said, "GFLOP/s");
	MT_CHECK_CONTAINS(said, "map                sin                      1         1");
	MT_CHECK_CONTAINS(said, "  fell back to the reference: 1 calls, operands of ");
	MT_CHECK_STR(abi_child(off, run_profile, NULL), "");
}

static void tell_totals(FILE *out, mt_device *d) {
	struct mt_profile_totals t = {.calls = 99};
	mt_status status = mt_profile_totals(d, &t);
	if (status != MT_OK)
		tell(out, status);
	fprintf(out, "%llu calls %llu fallbacks %g flops %s\n", (unsigned long long)t.calls,
	        (unsigned long long)t.fallbacks, t.flops, t.nanoseconds > 0 ? "took time" : "no time");
}

static void run_totals(FILE *out, const void *unused) {
	(void)unused;
	mt_device *d = mt_device_open("mock");
	mt_array x = array_of(d, 4), y = array_of(d, 4);
	tell_totals(out, d);
	(void)map(d, MT_MAP_NEG, &x, &y); /* the profile is off */
	tell_totals(out, d);
	mt_profile_enable(1);
	x.rank = y.rank = 2;
	x.shape[0] = x.shape[1] = y.shape[0] = y.shape[1] = 2;
	x.stride[0] = y.stride[0] = 2;
	x.stride[1] = y.stride[1] = 1;
	struct mt_matmul_args args = {.struct_size = sizeof args, .a = &x, .b = &x, .out = &y, .alpha = 1};
	for (int i = 0; i < 3; i++)
		(void)mt__dispatch(d, MT_K_MATMUL, 0, &args);
	(void)map(d, MT_MAP_SIN, &x, &y);
	tell_totals(out, d);
	mt_profile_enable(0);
	(void)map(d, MT_MAP_NEG, &x, &y);
	tell_totals(out, d);
	tell_totals(out, NULL);
	tell(out, mt_profile_totals(d, NULL));
	fflush(out);
	pid_t child = fork();
	if (child == 0) {
		tell_totals(out, d);
		fclose(out);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static void test_totals(void) {
	static const char *const environment[] = {"MT_FALLBACK=allow", "MT_LOG=error", "MT_PROFILE=0", NULL};
	const char *said = abi_child(environment, run_totals, NULL);
	const char *none = "0 calls 0 fallbacks 0 flops no time\n", *some = "4 calls 1 fallbacks 48 flops took time\n";
	char expected[512];
	snprintf(expected, sizeof expected, "%s%s%s%s", none, none, some, some);
	MT_CHECK_MSG(strncmp(said, expected, strlen(expected)) == 0, "got: %s", said);
	MT_CHECK_CONTAINS(said, "MT_E_NULL mt_profile_totals: device");
	MT_CHECK_CONTAINS(said, "MT_E_NULL mt_profile_totals: out");
	MT_CHECK_CONTAINS(said, "MT_E_FORKED device mock was opened before");
}

static void run_policies(FILE *out, const void *unused) {
	(void)unused;
	tell(out, mt_set_fallback(3));
	tell(out, mt_set_fallback(-1));
	tell(out, mt_set_fallback(MT_FALLBACK_ERROR));
	mt_device *d = mt_device_open("mock");
	mt_array x = array_of(d, 1);
	tell(out, map(d, MT_MAP_SIN, &x, &x));
}

static void test_policies(void) {
	const char *said = abi_child(NULL, run_policies, NULL);
	MT_CHECK_CONTAINS(said, "MT_E_ARG mt_set_fallback: 3 is no policy; there are MT_FALLBACK_ERROR");
	MT_CHECK_CONTAINS(said, "MT_E_ARG mt_set_fallback: -1 is no policy");
	MT_CHECK_CONTAINS(said, "MT_OK \nMT_E_UNSUPPORTED sin: ");
}

static void test_names(void) {
	static const struct {
		enum mt_kernel_id kernel;
		int32_t op;
		const char *name;
	} rows[] = {
		{MT_K_CONV, 0, "conv"},
		{MT_K_MAP, MT_MAP_EXP, "exp"},
		{MT_K_ZIP, MT_ZIP_MAX, "max"},
		{MT_K_ARG_REDUCE, MT_ARG_MAX, "argmax"},
		{MT_K_MAP, 0, "map"},
		{MT_K_MAP, 9999, "map"},
		{(enum mt_kernel_id)0, 0, "?"},
		{MT_K_END_, 0, "?"},
		{MT_K_POOL, MT_POOL_AVG, "avg_pool"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		MT_CHECK_STR(mt__kernel_op_name(rows[i].kernel, rows[i].op), rows[i].name);
}

static const mt_test_case cases[] = {
	{"fallback", test_fallback},
	{"no_reference", test_no_reference},
	{"mutter", test_mutter},
	{"copy", test_copy},
	{"far", test_far},
	{"forked", test_forked},
	{"profile", test_profile},
	{"policies", test_policies},
	{"names", test_names},
	{"totals", test_totals},
	{0},
};

static const mt_test_suite suites[] = {{"dispatch", cases, setup, abi_cleanup}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
