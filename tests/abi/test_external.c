/* Memory that the plugin did not allocate: which devices take it, and that its owner gets it back only when the device is
 * done with it. */
#include "abi.h"
#include "mt/dlpack.h"
#include "mt/mt.h"

static int setup(void) {
	if (abi_setup() != 0)
		return 1;
	abi_manifest("a.json", "mock", abi_mock(), "");
	abi_manifest("b.json", "ref", abi_naive(), ", \"role\": \"reference\"");
	return 0;
}

static void tell(FILE *out, const char *what) {
	mt_status status;
	const char *message = mt_error_take(&status);
	fprintf(out, "%s: %s %s\n", what, mt_status_name(status), message);
}

/* ---- an owner ----------------------------------------------------------------------------------------------------- */

static FILE *told;
static float array[2] = {1.5f, -2};
static int64_t shape[1] = {2};

static void take_back(DLManagedTensor *self) {
	(void)self;
	fprintf(told, "back: %g %g\n", (double)array[0], (double)array[1]);
}

static DLManagedTensor owned = {
	.dl_tensor = {.data = array, .device = {kDLCPU, 0}, .ndim = 1, .dtype = {kDLFloat, 32, 1}, .shape = shape},
	.deleter = take_back};

/* ---- a device whose work is done late ----------------------------------------------------------------------------- */

static void run_late(FILE *out, const void *unused) {
	(void)unused;
	told = out;
	mt_device *d = mt_device_open("mock");
	(void)mt_device_use(d);
	mt_scope *scope = mt_scope_begin();
	mt_tensor *t = mt_from_dlpack(&owned);
	if (t == NULL || mt_map_out(MT_MAP_NEG, t, (mt_scalar){0}, (mt_scalar){0}, t) == NULL)
		tell(out, "neg");
	fprintf(out, "asked: %g %g\n", (double)array[0], (double)array[1]);
	mt_scope_end(scope);
	tell(out, "released");
	(void)mt_device_synchronize(d);
	tell(out, "synchronized");
	(void)mt_device_synchronize(d);
	tell(out, "again");
}

/* The owner sees the result, not what was there before; what went wrong is told by the next call that waits, once. */
static void test_late(void) {
	static const char *const late[] = {"MOCK=late", NULL}, *const fault[] = {"MOCK=late_fault", NULL};
	MT_CHECK_STR(abi_child(late, run_late, NULL), "asked: 1.5 -2\nback: -1.5 2\nreleased: MT_OK \n"
	                                              "synchronized: MT_OK \nagain: MT_OK \n");
	MT_CHECK_STR(abi_child(fault, run_late, NULL),
	             "asked: 1.5 -2\nback: -1.5 2\nreleased: MT_OK \n"
	             "synchronized: MT_E_DEVICE synchronize: mock: the mock came late\nagain: MT_OK \n");
}

static void run_lent(FILE *out, const void *unused) {
	(void)unused;
	(void)mt_device_use(mt_device_open("mock"));
	mt_scope *scope = mt_scope_begin();
	mt_tensor *t = mt_ones(MT_SHAPE(1), MT_F32);
	mt_tensor *y = mt_neg(t);
	DLManagedTensor *m = mt_to_dlpack(y);
	if (m != NULL)
		fprintf(out, "lent: %g\n", (double)*(float *)m->dl_tensor.data);
	else
		tell(out, "lent");
	mt_scope_end(scope);
	if (m != NULL)
		m->deleter(m);
}

/* What is lent is done, or is not lent. */
static void test_lent(void) {
	static const char *const late[] = {"MOCK=late", NULL}, *const fault[] = {"MOCK=late_fault", NULL};
	MT_CHECK_STR(abi_child(late, run_lent, NULL), "lent: -1\n");
	MT_CHECK_STR(abi_child(fault, run_lent, NULL), "lent: MT_E_DEVICE synchronize: mock: the mock came late\n");
}

/* ---- a device that does not say what its memory is ---------------------------------------------------------------- */

static void run_private(FILE *out, const void *unused) {
	(void)unused;
	(void)mt_device_use(mt_device_open("mock"));
	mt_scope *scope = mt_scope_begin();
	if (mt_from_dlpack(&owned) == NULL)
		tell(out, "in");
	if (mt_to_dlpack(mt_empty(MT_SHAPE(2), MT_F32)) == NULL)
		tell(out, "out");
	mt_scope_end(scope);
}

static void test_private(void) {
	static const char *const environment[] = {"MOCK=far", NULL};
	const char *said = abi_child(environment, run_private, NULL);
	MT_CHECK_CONTAINS(said, "in: MT_E_DEVICE from_dlpack: the current device, mock, does not work in memory of others");
	MT_CHECK_CONTAINS(said, "out: MT_E_UNSUPPORTED to_dlpack: device mock does not say what its memory is");
}

static const mt_test_case cases[] = {{"late", test_late}, {"lent", test_lent}, {"private", test_private}, {0}};
static const mt_test_suite suites[] = {{"external", cases, setup, abi_cleanup}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
