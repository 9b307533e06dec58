/* Loading and negotiation (R1 to R9, R18, R19): what is wrong with a plugin, and what the loader says of it.
 * Beside each stands a good one, which must stay usable. */
#include <string.h>

#include "abi.h"
#include "mt/backend.h"

/* MOCK=word: opening "mock" says words. */
static const struct {
	const char *word, *says;
} mocks[] = {
	{"none", "opened mock"},
	{"older_minor", "opened mock"},
	{"newer_minor", "opened mock"},
	{"size_zero", "R4: plugin table of 0 bytes"},
	{"size_short", "R4: plugin table of"},
	{"size_lies", "R3: the plugin says it filled"},
	{"overrun", "R3: the plugin wrote past the table"},
	{"other_major", "R2: built for ABI major 7, this libmt has 0"},
	{"huge_major", "R2: built for ABI major 4294967295"},
	{"huge_minor", "R2: ABI minor 4294967295"},
	{"no_name", "R2: the plugin table has no name"},
	{"empty_version", "R2: the plugin table has no version"},
	{"no_open", "R2: the plugin table lacks device_open"},
	{"entry_fails", "R2: the entry refused: the mock is out of order (MT_E_DEVICE)"},
	{"entry_fails_quietly", "R6: the entry failed with status 5 (MT_E_DEVICE) and no message"},
	{"entry_fails_oddly", "R2: the entry refused: the mock speaks in tongues (MT_E_PLUGIN)"},
	{"count_fails", "counting devices failed: the bus is on fire (MT_E_DEVICE)"},
	{"count_negative", "R2: device_count gave -1"},
	{"no_device", "no device: the mock is unplugged"},
	{"no_device_quietly", "no device: the plugin gave no reason"},
	{"null_device", "MT_E_PLUGIN: device mock: R2: device_open gave no device"},
	{"null_table", "MT_E_PLUGIN: device mock: R2: device_open gave no device table"},
	{"open_fails_quietly", "MT_E_STATE: device mock: R6: device_open failed with status 12 (MT_E_STATE)"},
	{"info_fails", "MT_E_DEVICE: device mock: nobody is in"},
	{"info_alignment", "MT_E_PLUGIN: device mock: R9: device_info gave alignment 96"},
	{"info_no_end", "MT_E_PLUGIN: device mock: R3: a text of device_info has no end"},
	{"info_kind", "MT_E_PLUGIN: device mock: R9: device_info gave the host's memory as kind"},
	{"info_zero", "MT_E_PLUGIN: device mock: R4: device_info filled 0 bytes"},
	{"table_zero", "MT_E_PLUGIN: device mock: R4: device table of 0 bytes"},
	{"table_short", "MT_E_PLUGIN: device mock: R4: device table of"},
	{"no_alloc", "MT_E_PLUGIN: device mock: R2: the device table has no alloc"},
	{"no_synchronize", "R2: the device table has no synchronize"},
	{"one_event", "R2: the device table has 1 of the four event functions"},
	{"no_kernels", "R2: the device table has no kernels"},
	{"kernels_zero", "R4: kernel table of 0 bytes"},
	{"kernels_short", "R4: kernel table of"},
	{"no_matmul", "R7: the required kernel matmul is missing"},
	{"no_capabilities", "R2: the device table has no capabilities"},
	{"capability_zero", "R7: capability row 14 has kernel 0"},
	{"capability_negative", "R7: capability row 14 has op -4"},
	{"capability_nothing", "R7: capability row 14 has dtypes 0"},
	{"copy_to_nothing", "R7: capability row 14, copy, has no dtypes to copy to"},
	{"claims_conv", "R7: capability row 14 claims conv, but the kernel table has none"},
	{"no_f32_matmul", "R7: no capability row has the required kernel matmul in f32"},
	{"queue_fails", "MT_E_MEMORY: device mock: no room for a queue"},
	{"queue_null", "MT_E_PLUGIN: device mock: R2: queue_create gave no queue"},
};

static void open_both(FILE *out, const void *unused) {
	(void)unused;
	abi_open(out, "mock");
	abi_open(out, "mock"); /* the same answer again */
	abi_open(out, "ref");
}

static void test_mocks(void) {
	abi_manifest("a.json", "mock", abi_mock(), "");
	abi_manifest("b.json", "ref", abi_naive(), ", \"role\": \"reference\"");
	for (size_t i = 0; i < sizeof mocks / sizeof *mocks; i++) {
		char variable[64];
		const char *environment[] = {variable, NULL};
		mt_test_row("MOCK=%s", mocks[i].word);
		snprintf(variable, sizeof variable, "MOCK=%s", mocks[i].word);
		const char *said = abi_child(environment, open_both, NULL);
		const char *again = strchr(said, '\n');
		MT_CHECK_CONTAINS(said, mocks[i].says);
		MT_CHECK(again != NULL && strstr(again, mocks[i].says) != NULL);
		MT_CHECK_CONTAINS(said, "\nopened ref\n");
	}
}

/* ---- what is no plugin at all ---- */

static void make_text_file(void) {
	abi_write("lib.so", "I am a text file\n");
}

static void make_empty_file(void) {
	abi_write("lib.so", "");
}

static void make_truncated(void) {
	abi_copy("lib.so", abi_mock(), 700);
}

/* A 32-bit library, as its header says. */
static void make_other_class(void) {
	abi_copy("lib.so", abi_mock(), 1L << 30);
	FILE *f = fopen(abi_path("lib.so"), "r+b");
	if (f == NULL)
		return;
	fseek(f, 4, SEEK_SET);
	putc(1, f);
	fclose(f);
}

/* A machine nobody has. */
static void make_other_machine(void) {
	abi_copy("lib.so", abi_mock(), 1L << 30);
	FILE *f = fopen(abi_path("lib.so"), "r+b");
	if (f == NULL)
		return;
	fseek(f, 18, SEEK_SET);
	putc(0x77, f);
	putc(0x77, f);
	fclose(f);
}

static void make_no_entry(void) {
	abi_copy("lib.so", abi_noentry(), 1L << 30);
}

static const struct {
	const char *what;
	void (*make)(void);
	const char *says;
} files[] = {
	{"a text file", make_text_file, "R18: the library cannot be loaded"},
	{"an empty file", make_empty_file, "R18: the library cannot be loaded"},
	{"a truncated library", make_truncated, "R18: the library cannot be loaded"},
	{"another ELF class", make_other_class, "R18: the library cannot be loaded"},
	{"another machine", make_other_machine, "R18: the library cannot be loaded"},
	{"no entry", make_no_entry, "exports no mt_plugin_entry_v1"},
};

static void test_files(void) {
	abi_manifest("a.json", "mock", "lib.so", "");
	abi_manifest("b.json", "ref", abi_naive(), ", \"role\": \"reference\"");
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		mt_test_row("%s", files[i].what);
		files[i].make();
		const char *said = abi_child(NULL, open_both, NULL);
		MT_CHECK_CONTAINS(said, "MT_E_DEVICE: backend mock cannot be used");
		MT_CHECK_CONTAINS(said, files[i].says);
		MT_CHECK_CONTAINS(said, "\nopened ref\n");
	}
	abi_remove("lib.so");
}

/* A library cut anywhere is refused, or whole enough; nothing kills the process. */
static void test_cuts(void) {
	abi_manifest("a.json", "mock", "lib.so", "");
	for (long limit = 1; limit < 40000; limit += limit < 1000 ? 61 : 509) {
		mt_test_row("%ld bytes", limit);
		abi_copy("lib.so", abi_mock(), limit);
		const char *said = abi_child(NULL, open_both, NULL);
		MT_CHECK(strstr(said, "killed") == NULL && strstr(said, "exit status") == NULL);
		MT_CHECK_CONTAINS(said, "\nopened ref\n");
	}
	abi_remove("lib.so");
}

/* ---- listing ---- */

static void test_listing(void) {
	static const struct {
		const char *mock, *says[3];
	} rows[] = {
		{"MOCK=none", {"\"state\": \"usable\"", "\"device\": \"mock:2\"", "\"abi\": \"0.2\""}},
		{"MOCK=no_device", {"\"state\": \"no-device\"", "no device: the mock is unplugged", "\"devices\": []"}},
		{"MOCK=size_zero", {"\"state\": \"unusable\"", "R4: plugin table of 0 bytes", "\"version\": null"}},
		{"MOCK=info_fails", {"\"state\": \"usable\"", "\"reason\": \"nobody is in\"", "\"device\": \"mock\""}},
	};
	abi_remove("b.json");
	abi_manifest("a.json", "mock", abi_mock(), ", \"priority\": 7");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *environment[] = {rows[i].mock, NULL};
		mt_test_row("%s", rows[i].mock);
		const char *said = abi_child(environment, abi_list, NULL);
		for (int k = 0; k < 3; k++)
			MT_CHECK_CONTAINS(said, rows[i].says[k]);
		MT_CHECK_CONTAINS(said, "\"priority\": 7");
	}
}

/* ---- auto (R19) ---- */

static void test_auto(void) {
	static const struct {
		const char *mock, *backend, *says;
	} rows[] = {
		{"MOCK=none", "MT_BACKEND=", "opened mock\n"},
		{"MOCK=no_device", "MT_BACKEND=", "opened ref\n"},
		{"MOCK=size_zero", "MT_BACKEND=", "opened ref\n"},
		{"MOCK=table_zero", "MT_BACKEND=", "opened ref\n"},
		{"MOCK=none", "MT_BACKEND=ref", "opened ref\n"},
		{"MOCK=none", "MT_BACKEND=mock:1", "opened mock:1\n"},
		{"MOCK=no_device", "MT_BACKEND=mock",
	     "MT_E_DEVICE: backend mock cannot be used: no device: the mock is unplugged; "
	     "there are: ref"},
	};
	abi_manifest("a.json", "mock", abi_mock(), ", \"priority\": 7");
	abi_manifest("b.json", "ref", abi_naive(), ", \"priority\": 1, \"role\": \"reference\"");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *environment[] = {rows[i].mock, rows[i].backend, "MT_LOG=error", NULL};
		mt_test_row("%s %s", rows[i].mock, rows[i].backend);
		MT_CHECK_CONTAINS(abi_child(environment, abi_open, "auto"), rows[i].says);
	}
}

static const mt_test_case cases[] = {
	{"mocks", test_mocks},     {"files", test_files}, {"cuts", test_cuts},
	{"listing", test_listing}, {"auto", test_auto},   {0},
};

static const mt_test_suite suites[] = {{"load", cases, abi_setup, abi_cleanup}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
