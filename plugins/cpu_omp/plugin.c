/* Entry, devices, memory and queues of the OpenMP plugin.  There is one device, the CPU; its memory is the host's, its
 * one queue runs every kernel before it returns. */
#define MT_BUILDING_PLUGIN
#include "omp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ALIGNMENT 64u
#define MAX_THREADS 1024
/* From this size on buffers start on a huge page and ask for more of them. */
#define HUGE_FROM (4u << 20)
#define HUGE_PAGE (2u << 20)

/* What the plugin needs of the host's table: the fields up to thread_budget (R4). */
#define HOST_API_NEEDED (offsetof(struct mt_host_api, thread_budget) + sizeof(int32_t(*)(void)))

static const struct mt_host_api *host_api;

/* ---- errors and scratch ---- */

int32_t mt__omp_fail(int32_t status, const char *format, ...) {
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	host_api->set_error(status, text);
	return status;
}

void *mt__omp_scratch(mt_queue *queue, uint64_t bytes) {
	return host_api->scratch(queue->host, bytes);
}

int32_t mt__omp_no_scratch(uint64_t bytes) {
	return mt__omp_fail(MT_E_MEMORY, "out of memory: %llu bytes of scratch", (unsigned long long)bytes);
}

/* ---- the ISA level ---- */

/* The level to use: the best one, lowered by MT_MAX_ISA. */
static int32_t choose_isa(enum mt__omp_isa *out) {
	enum mt__omp_isa best = mt__omp_best_isa();
	*out = best;
	const char *most = secure_getenv("MT_MAX_ISA");
	if (!most || !*most)
		return MT_OK;
	for (int i = 0; i < MT__OMP_ISA_COUNT; i++)
		if (!strcmp(most, mt__omp_isa_name((enum mt__omp_isa)i))) {
			*out = (enum mt__omp_isa)i < best ? (enum mt__omp_isa)i : best;
			return MT_OK;
		}
	return mt__omp_fail(MT_E_ARG, "MT_MAX_ISA=%s: there are base, avx2, avx512, avx512_bf16 and amx", most);
}

/* The highest whole table up to isa, and what the levels from there to isa put over it. */
static void fill_table(enum mt__omp_isa isa, struct mt_kernel_table *table) {
	(void)isa;
	*table = *mt__omp_kernels_base();
#ifdef MT_HAVE_AVX2
	if (isa >= MT__OMP_AVX2)
		*table = *mt__omp_kernels_avx2();
#endif
#ifdef MT_HAVE_AVX512
	if (isa >= MT__OMP_AVX512)
		*table = *mt__omp_kernels_avx512();
#endif
#ifdef MT_HAVE_AVX512_BF16
	if (isa >= MT__OMP_AVX512_BF16)
		mt__omp_override_avx512_bf16(table);
#endif
#ifdef MT_HAVE_AMX
	if (isa >= MT__OMP_AMX)
		mt__omp_override_amx(table);
#endif
}

/* ---- memory ---- */

static int32_t omp_alloc(mt_plugin_device *device, uint64_t bytes, void **out) {
	(void)device;
	bool huge = bytes >= HUGE_FROM;
	void *base = NULL;
	if (bytes > PTRDIFF_MAX || posix_memalign(&base, huge ? HUGE_PAGE : ALIGNMENT, bytes))
		return mt__omp_fail(MT_E_MEMORY, "out of memory: %llu bytes", (unsigned long long)bytes);
#ifdef MADV_HUGEPAGE
	/* A kernel without huge pages refuses: then the small ones do. */
	if (huge)
		(void)madvise(base, bytes, MADV_HUGEPAGE);
#endif
	*out = base;
	return MT_OK;
}

static int32_t omp_free(mt_plugin_device *device, void *base) {
	(void)device;
	free(base);
	return MT_OK;
}

static uint64_t pages_bytes(int name) {
	long pages = sysconf(name), size = sysconf(_SC_PAGESIZE);
	return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;
}

static int32_t omp_memory_info(mt_plugin_device *device, struct mt_memory_info *out) {
	(void)device;
	out->free_bytes = pages_bytes(_SC_AVPHYS_PAGES);
	out->total_bytes = pages_bytes(_SC_PHYS_PAGES);
	return MT_OK;
}

/* ---- the queue ---- */

static int32_t omp_queue_create(mt_plugin_device *device, mt_host_queue *host, mt_queue **out) {
	mt_queue *queue = malloc(sizeof *queue);
	if (!queue)
		return mt__omp_fail(MT_E_MEMORY, "out of memory: a queue");
	*queue = (mt_queue){.device = device, .host = host, .threads = device->threads, .all_threads = device->all_threads};
	*out = queue;
	return MT_OK;
}

static void omp_queue_destroy(mt_queue *queue) {
	free(queue);
}

static int32_t omp_upload(mt_queue *queue, void *base, uint64_t byte_offset, const void *src, uint64_t bytes) {
	(void)queue;
	memcpy((char *)base + byte_offset, src, bytes);
	return MT_OK;
}

static int32_t omp_download(mt_queue *queue, const void *base, uint64_t byte_offset, void *dst, uint64_t bytes) {
	(void)queue;
	memcpy(dst, (const char *)base + byte_offset, bytes);
	return MT_OK;
}

static int32_t omp_copy_device(mt_queue *queue, void *dst, uint64_t dst_offset, const void *src, uint64_t src_offset,
                               uint64_t bytes) {
	(void)queue;
	memcpy((char *)dst + dst_offset, (const char *)src + src_offset, bytes);
	return MT_OK;
}

static int32_t omp_synchronize(mt_queue *queue) {
	(void)queue;
	return MT_OK;
}

/* ---- devices ---- */

static const struct mt_device_api device_api = {
	.struct_size = sizeof(struct mt_device_api),
	.alloc = omp_alloc,
	.free = omp_free,
	.memory_info = omp_memory_info,
	.queue_create = omp_queue_create,
	.queue_destroy = omp_queue_destroy,
	.upload = omp_upload,
	.download = omp_download,
	.copy_device = omp_copy_device,
	.synchronize = omp_synchronize,
	.capabilities = mt__omp_capabilities,
};

static int default_threads(void) {
	int32_t budget = host_api->thread_budget();
	return budget < 1 ? 1 : budget > MAX_THREADS ? MAX_THREADS : budget;
}

static int32_t parse_threads(const char *text, int *threads) {
	char *end;
	errno = 0;
	long n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < 1 || n > MAX_THREADS)
		return mt__omp_fail(MT_E_ARG, "option threads=%s: a whole number from 1 to %d is needed", text, MAX_THREADS);
	*threads = (int)n;
	return MT_OK;
}

static int32_t parse_options(const struct mt_option *options, uint64_t n_options, int *threads) {
	for (uint64_t i = 0; i < n_options; i++) {
		if (strcmp(options[i].key, "threads"))
			return mt__omp_fail(MT_E_ARG, "unknown option %s; the omp backend has: threads", options[i].key);
		int32_t status = parse_threads(options[i].value, threads);
		if (status)
			return status;
	}
	return MT_OK;
}

static int32_t check_ordinal(int32_t ordinal) {
	return ordinal == 0 ? MT_OK
	                    : mt__omp_fail(MT_E_DEVICE, "device %d: the omp backend has device 0 only", (int)ordinal);
}

static int32_t omp_device_count(int32_t *out) {
	*out = 1;
	return MT_OK;
}

static int32_t omp_device_info(int32_t ordinal, struct mt_device_info *out) {
	enum mt__omp_isa isa;
	int32_t status = check_ordinal(ordinal);
	if (!status)
		status = choose_isa(&isa);
	if (status)
		return status;
	int threads = default_threads();
	char cpu[64];
	mt__omp_cpu_name(cpu, sizeof cpu);
	snprintf(out->name, sizeof out->name, "%s, %d thread%s", cpu, threads, threads == 1 ? "" : "s");
	snprintf(out->features, sizeof out->features, "%s", mt__omp_isa_name(isa));
	out->memory_bytes = pages_bytes(_SC_PHYS_PAGES);
	out->flags = MT_DEVICE_HOST_MEMORY;
	out->alignment = ALIGNMENT;
	if (out->struct_size >= sizeof *out) {
		out->memory_kind = MT_MEMORY_HOST;
		out->memory_ordinal = 0;
	}
	return MT_OK;
}

static int32_t omp_device_open(int32_t ordinal, const struct mt_option *options, uint64_t n_options,
                               mt_plugin_device **out, const struct mt_device_api **api) {
	enum mt__omp_isa isa;
	int threads = default_threads();
	int32_t status = check_ordinal(ordinal);
	if (!status)
		status = parse_options(options, n_options, &threads);
	if (!status)
		status = choose_isa(&isa);
	if (status)
		return status;
	mt_plugin_device *device = malloc(sizeof *device);
	if (!device)
		return mt__omp_fail(MT_E_MEMORY, "out of memory: a device");
	*device = (mt_plugin_device){.api = device_api, .isa = isa, .threads = threads, .all_threads = n_options > 0};
	fill_table(isa, &device->kernels);
	device->api.kernels = &device->kernels;
	device->api.n_capabilities = mt__omp_n_capabilities;
	*out = device;
	*api = &device->api;
	return MT_OK;
}

static void omp_device_close(mt_plugin_device *device) {
	free(device);
}

/* ---- entry ---- */

static const struct mt_plugin_api plugin_api = {
	.struct_size = sizeof(struct mt_plugin_api),
	.abi_major = MT_ABI_MAJOR,
	.abi_minor = MT_ABI_MINOR,
	.name = "omp",
	.version = "0.1.0",
	.description = "OpenMP threads and SIMD kernels, the best ISA level chosen at run time",
	.device_count = omp_device_count,
	.device_info = omp_device_info,
	.device_open = omp_device_open,
	.device_close = omp_device_close,
};

int32_t mt_plugin_entry_v1(const struct mt_host_api *host, const struct mt_plugin_request *request,
                           struct mt_plugin_api *api) {
	if (!host || host->struct_size < HOST_API_NEEDED || !request || !api)
		return MT_E_PLUGIN;
	host_api = host;
	if (host->abi_major != MT_ABI_MAJOR)
		return mt__omp_fail(MT_E_PLUGIN, "built for ABI major %u, the host has %u", MT_ABI_MAJOR, host->abi_major);
	if (request->kind != MT_KIND_DEVICE)
		return mt__omp_fail(MT_E_UNSUPPORTED, "no plugin of kind %u here", request->kind);
	uint32_t size = api->struct_size < sizeof plugin_api ? api->struct_size : (uint32_t)sizeof plugin_api;
	memcpy(api, &plugin_api, size);
	api->struct_size = size;
	return MT_OK;
}
