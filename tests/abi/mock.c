/* A plugin that is wrong in one way, named by the variable MOCK: the example plugin with one thing changed.
 * Without MOCK (or with a word that is not in the list at the end) nothing is. */
#define mt_plugin_entry_v1 minimal_entry
#include "../../examples/minimal_plugin/minimal.c"
#undef mt_plugin_entry_v1

#include "mock_parts.h"

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

MT_PLUGIN_EXPORT int32_t mt_plugin_entry_v1(const struct mt_host_api *host, const struct mt_plugin_request *request,
                                            struct mt_plugin_api *api);

/* What the variants change. */
static struct mt_plugin_api plugin;
static int32_t entry_status;
static const char *entry_words;
static int is_overrun;

static struct mt_capability rows[64];
static uint64_t n_rows;

static void add_row(int32_t kernel, int32_t op, uint32_t dtypes, uint32_t to) {
	rows[n_rows++] = (struct mt_capability){kernel, op, dtypes, to};
	device_table.api.n_capabilities = n_rows;
}

static void drop_rows_of(int32_t kernel) {
	for (uint64_t i = 0; i < n_rows; i++)
		if (rows[i].kernel == kernel)
			rows[i] = rows[--n_rows];
	device_table.api.n_capabilities = n_rows;
}

/* ---- the variants ---- */

static void older_minor(void) {
	plugin.abi_minor = 0;
}

/* Everything longer than this host knows, with rows for kernels, ops and dtypes that it has never heard of. */
static void newer_minor(void) {
	plugin.abi_minor = MT_ABI_MINOR + 3;
	device_table.api.struct_size = sizeof device_table;
	kernel_table.table.struct_size = sizeof kernel_table;
	add_row(MT_K_END_ + 5, 0, MT_DTYPE_BIT(MT_F32), 0);
	add_row(MT_K_MAP, 9999, MT_DTYPE_BIT(MT_F32), 0);
	add_row(MT_K_ZIP, MT_ZIP_MAX, 0xffff0000u, 0);
}

static void size_zero(void) {
	plugin.struct_size = 0;
}

static void size_short(void) {
	plugin.struct_size = offsetof(struct mt_plugin_api, device_close);
}

static void size_lies(void) {
	plugin.struct_size += 64;
}

static void overrun(void) {
	is_overrun = 1;
}

static void other_major(void) {
	plugin.abi_major = MT_ABI_MAJOR + 7;
}

static void huge_major(void) {
	plugin.abi_major = UINT32_MAX;
}

static void huge_minor(void) {
	plugin.abi_minor = UINT32_MAX;
}

static void no_name(void) {
	plugin.name = NULL;
}

static void empty_version(void) {
	plugin.version = "";
}

static void no_open(void) {
	plugin.device_open = NULL;
}

static void entry_fails(void) {
	entry_status = MT_E_DEVICE;
	entry_words = "the mock is out of order";
}

static void entry_fails_quietly(void) {
	entry_status = MT_E_DEVICE;
}

static void entry_fails_oddly(void) {
	entry_status = 4711;
	entry_words = "the mock speaks in tongues";
}

static void fails_to_count(void) {
	plugin.device_count = count_fails;
}

static void counts_backwards(void) {
	plugin.device_count = count_negative;
}

static void no_device(void) {
	plugin.device_count = count_none;
}

static void no_device_quietly(void) {
	plugin.device_count = count_none_quietly;
}

static void null_device(void) {
	plugin.device_open = open_gives_null_device;
}

static void null_table(void) {
	plugin.device_open = open_gives_null_table;
}

static void open_quietly(void) {
	plugin.device_open = open_fails_quietly;
}

static void info_refused(void) {
	plugin.device_info = info_fails;
}

static void info_alignment(void) {
	plugin.device_info = info_odd_alignment;
}

static void info_no_end(void) {
	plugin.device_info = info_endless;
}

static void info_kind(void) {
	plugin.device_info = info_host_kind_alone;
}

static void info_size_zero(void) {
	plugin.device_info = info_zero;
}

static void table_zero(void) {
	device_table.api.struct_size = 0;
}

static void table_short(void) {
	device_table.api.struct_size = offsetof(struct mt_device_api, n_capabilities);
}

static void no_alloc(void) {
	device_table.api.alloc = NULL;
}

static void no_synchronize(void) {
	device_table.api.synchronize = NULL;
}

static int32_t event_create(mt_plugin_device *device, mt_event **out) {
	(void)device;
	(void)out;
	return MT_E_UNSUPPORTED;
}

static void one_event(void) {
	device_table.api.event_create = event_create;
}

static void no_kernels(void) {
	device_table.api.kernels = NULL;
}

static void kernels_zero(void) {
	kernel_table.table.struct_size = 0;
}

static void kernels_short(void) {
	kernel_table.table.struct_size = offsetof(struct mt_kernel_table, matmul);
}

static void no_matmul(void) {
	kernel_table.table.matmul = NULL;
	drop_rows_of(MT_K_MATMUL);
}

static void no_capabilities(void) {
	device_table.api.capabilities = NULL;
}

static void capability_zero(void) {
	add_row(0, 0, MT_DTYPE_BIT(MT_F32), 0);
}

static void capability_negative(void) {
	add_row(MT_K_MAP, -4, MT_DTYPE_BIT(MT_F32), 0);
}

static void capability_nothing(void) {
	add_row(MT_K_MAP, MT_MAP_SIN, 0, 0);
}

static void copy_to_nothing(void) {
	add_row(MT_K_COPY, 0, MT_DTYPE_BIT(MT_F64), 0);
}

static void claims_conv(void) {
	add_row(MT_K_CONV, 0, MT_DTYPE_BIT(MT_F32), 0);
}

static void no_f32_matmul(void) {
	drop_rows_of(MT_K_MATMUL);
	add_row(MT_K_MATMUL, 0, MT_DTYPE_BIT(MT_F64), 0);
}

static void queue_refused(void) {
	device_table.api.queue_create = queue_fails;
}

static void no_queue(void) {
	device_table.api.queue_create = queue_null;
}

static void lies(void) {
	kernel_table.table.map = map_unsupported;
}

static void lies_quietly(void) {
	kernel_table.table.map = map_unsupported_quietly;
}

static void kernel_fails(void) {
	kernel_table.table.map = map_fails;
}

static void kernel_fails_oddly(void) {
	kernel_table.table.map = map_fails_oddly;
}

static void mutters(void) {
	kernel_table.table.map = map_mutters;
	kernel_table.table.zip = zip_fails_quietly;
}

static void worker_fails(void) {
	kernel_table.table.map = map_worker_fails;
}

static void scratch(void) {
	kernel_table.table.map = map_scratch;
}

static void alloc_gives_null(void) {
	device_table.api.alloc = alloc_null;
}

static void alloc_misaligned(void) {
	device_table.api.alloc = alloc_odd;
	device_table.api.free = free_odd;
}

static void small(void) {
	device_table.api.alloc = small_alloc;
	device_table.api.free = small_free;
	device_table.api.memory_info = small_info;
	kernel_table.table.map = map_scratch;
}

static void far(void) {
	plugin.device_info = far_info;
	device_table.api.alloc = far_alloc;
	device_table.api.free = far_free;
	device_table.api.upload = far_upload;
	device_table.api.download = far_download;
	kernel_table.table.zip = far_zip;
}

static void does_late(void) {
	plugin.device_info = late_info;
	device_table.api.synchronize = late_synchronize;
	kernel_table.table.map = late_map;
}

static void fails_late(void) {
	does_late();
	device_table.api.synchronize = late_fault;
}

/* What R13 forbids. */
static void sets_flush_to_zero(void) {
#if defined(__SSE2__)
	_mm_setcsr(_mm_getcsr() | 0x8040);
#endif
}

static const struct {
	const char *word;
	void (*change)(void);
} variants[] = {
	{"older_minor", older_minor},
	{"newer_minor", newer_minor},
	{"size_zero", size_zero},
	{"size_short", size_short},
	{"size_lies", size_lies},
	{"overrun", overrun},
	{"other_major", other_major},
	{"huge_major", huge_major},
	{"huge_minor", huge_minor},
	{"no_name", no_name},
	{"empty_version", empty_version},
	{"no_open", no_open},
	{"entry_fails", entry_fails},
	{"entry_fails_quietly", entry_fails_quietly},
	{"entry_fails_oddly", entry_fails_oddly},
	{"count_fails", fails_to_count},
	{"count_negative", counts_backwards},
	{"no_device", no_device},
	{"no_device_quietly", no_device_quietly},
	{"null_device", null_device},
	{"null_table", null_table},
	{"open_fails_quietly", open_quietly},
	{"info_fails", info_refused},
	{"info_alignment", info_alignment},
	{"info_no_end", info_no_end},
	{"info_kind", info_kind},
	{"info_zero", info_size_zero},
	{"table_zero", table_zero},
	{"table_short", table_short},
	{"no_alloc", no_alloc},
	{"no_synchronize", no_synchronize},
	{"one_event", one_event},
	{"no_kernels", no_kernels},
	{"kernels_zero", kernels_zero},
	{"kernels_short", kernels_short},
	{"no_matmul", no_matmul},
	{"no_capabilities", no_capabilities},
	{"capability_zero", capability_zero},
	{"capability_negative", capability_negative},
	{"capability_nothing", capability_nothing},
	{"copy_to_nothing", copy_to_nothing},
	{"claims_conv", claims_conv},
	{"no_f32_matmul", no_f32_matmul},
	{"queue_fails", queue_refused},
	{"queue_null", no_queue},
	{"lies", lies},
	{"lies_quietly", lies_quietly},
	{"kernel_fails", kernel_fails},
	{"kernel_fails_oddly", kernel_fails_oddly},
	{"mutters", mutters},
	{"worker_fails", worker_fails},
	{"scratch", scratch},
	{"alloc_null", alloc_gives_null},
	{"alloc_misaligned", alloc_misaligned},
	{"small", small},
	{"far", far},
	{"late", does_late},
	{"late_fault", fails_late},
	{"flush_to_zero", sets_flush_to_zero},
};

int32_t mt_plugin_entry_v1(const struct mt_host_api *host, const struct mt_plugin_request *request,
                           struct mt_plugin_api *api) {
	uint32_t given = api->struct_size;
	const char *word = getenv("MOCK");
	int32_t status = minimal_entry(host, request, api);
	plugin = *api;
	plugin.name = "mock";
	plugin.device_count = mock_count;
	plugin.device_info = mock_info;
	plugin.device_open = mock_open;
	device_table.api = device_api;
	device_table.api.kernels = &kernel_table.table;
	device_table.api.capabilities = rows;
	kernel_table.table = kernels;
	for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++)
		add_row(capabilities[i].kernel, capabilities[i].op, capabilities[i].dtypes, capabilities[i].to);
	for (size_t i = 0; word != NULL && i < sizeof variants / sizeof *variants; i++)
		if (strcmp(word, variants[i].word) == 0)
			variants[i].change();
	memcpy(api, &plugin, given < sizeof plugin ? given : sizeof plugin);
	if (is_overrun)
		memset(api + 1, 0, 16);
	if (entry_words != NULL)
		host->set_error(entry_status, entry_words);
	return status != MT_OK ? status : entry_status;
}
