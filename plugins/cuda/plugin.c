/* Entry, devices and why there are none, opening. */
#include <stdio.h>
#include <stdlib.h>

#define MT_BUILDING_PLUGIN
#include "memory.h"
#include "queue.h"

enum { ALIGNMENT = 256 };

/* No driver, one that is too old, no GPU: none of these is an error (R19), each is a reason. */
static int32_t device_count(int32_t *out) {
	int count = 0, driver = 0, runtime = 0;
	*out = 0;
	cudaError_t error = cudaGetDeviceCount(&count);
	if (error == cudaSuccess && count > 0) {
		*out = count;
		return MT_OK;
	}
	(void)cudaGetLastError();
	(void)cudaDriverGetVersion(&driver);
	(void)cudaRuntimeGetVersion(&runtime);
	if (error == cudaSuccess)
		error = cudaErrorNoDevice;
	if (driver == 0)
		mt__cuda_fail(MT_E_DEVICE, "no NVIDIA driver is loaded: %s (%s)", cudaGetErrorString(error),
		              cudaGetErrorName(error));
	else if (error == cudaErrorInsufficientDriver)
		mt__cuda_fail(MT_E_DEVICE, "the NVIDIA driver supports CUDA %d.%d, this plugin needs %d.%d: %s (%s)",
		              driver / 1000, driver % 1000 / 10, runtime / 1000, runtime % 1000 / 10, cudaGetErrorString(error),
		              cudaGetErrorName(error));
	else
		mt__cuda_fail(MT_E_DEVICE, "%s (%s)", cudaGetErrorString(error), cudaGetErrorName(error));
	return MT_OK;
}

static int32_t check_ordinal(int32_t ordinal) {
	int count = 0;
	int32_t status = mt__cuda_error(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
	if (status == MT_OK && (ordinal < 0 || ordinal >= count))
		status = mt__cuda_fail(MT_E_DEVICE, "cuda: no device %d: there are %d, counted from 0", (int)ordinal, count);
	return status;
}

static int32_t device_info(int32_t ordinal, struct mt_device_info *out) {
	int32_t status = check_ordinal(ordinal);
	if (status != MT_OK)
		return status;
	struct cudaDeviceProp properties;
	status = mt__cuda_error(cudaGetDeviceProperties(&properties, ordinal), "cudaGetDeviceProperties");
	if (status != MT_OK)
		return status;
	snprintf(out->name, sizeof out->name, "%.127s", properties.name);
	snprintf(out->features, sizeof out->features, "sm_%d%d", properties.major, properties.minor);
	out->memory_bytes = properties.totalGlobalMem;
	out->flags = MT_DEVICE_ASYNC;
	out->alignment = ALIGNMENT;
	if (out->struct_size >= sizeof *out) {
		out->memory_kind = MT_MEMORY_CUDA;
		out->memory_ordinal = ordinal;
	}
	return MT_OK;
}

/* Starts the device's context, asks whether it can run the code in this library, and how large it is. */
static int32_t start_device(mt_plugin_device *d) {
	const struct {
		enum cudaDeviceAttr attribute;
		int value;
	} wanted[] = {
		{cudaDevAttrMultiProcessorCount, 0},          {cudaDevAttrMaxSharedMemoryPerBlock, 0},
		{cudaDevAttrMaxSharedMemoryPerBlockOptin, 0}, {cudaDevAttrComputeCapabilityMajor, 0},
		{cudaDevAttrComputeCapabilityMinor, 0},
	};
	int got[sizeof wanted / sizeof *wanted] = {0};
	int32_t status = mt__cuda_use(d);
	if (status == MT_OK)
		status = mt__cuda_error(cudaFree(NULL), "cannot start the device");
	if (status == MT_OK)
		status = mt__cuda_error(mt__cuda_probe(), "this library has no code for the device");
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted && status == MT_OK; i++)
		status =
			mt__cuda_error(cudaDeviceGetAttribute(&got[i], wanted[i].attribute, d->ordinal), "cudaDeviceGetAttribute");
	d->multiprocessors = got[0];
	d->shared_per_block = (size_t)got[1];
	d->shared_on_request = (size_t)got[2];
	d->capability = 10 * got[3] + got[4];
	return status;
}

static const struct mt_device_api device_api = {
	.struct_size = sizeof device_api,
	.alloc = mt__cuda_alloc,
	.free = mt__cuda_free,
	.memory_info = mt__cuda_memory_info,
	.queue_create = mt__cuda_queue_create,
	.queue_destroy = mt__cuda_queue_destroy,
	.upload = mt__cuda_upload,
	.download = mt__cuda_download,
	.copy_device = mt__cuda_copy_device,
	.synchronize = mt__cuda_synchronize,
	.event_create = mt__cuda_event_create,
	.event_destroy = mt__cuda_event_destroy,
	.event_record = mt__cuda_event_record,
	.event_wait = mt__cuda_event_wait,
	.native_handle = mt__cuda_native_handle,
	.kernels = &mt__cuda_kernels,
	.capabilities = mt__cuda_capabilities,
};

static void device_close(mt_plugin_device *device) {
	if (cudaSetDevice(device->ordinal) == cudaSuccess) {
		mt__cuda_gemm_free(device->gemm);
		mt__cuda_conv_free(device->conv);
	}
	(void)cudaGetLastError();
	free(device);
}

static int32_t device_open(int32_t ordinal, const struct mt_option *options, uint64_t n_options,
                           mt_plugin_device **device, const struct mt_device_api **api) {
	char why[256];
	struct mt_cuda_options parsed;
	int32_t status = mt__cuda_parse_options(options, n_options, &parsed, why, sizeof why);
	if (status != MT_OK)
		return mt__cuda_fail(status, "%s", why);
	status = check_ordinal(ordinal);
	if (status != MT_OK)
		return status;
	mt_plugin_device *d = calloc(1, sizeof *d);
	if (!d)
		return mt__cuda_fail(MT_E_MEMORY, "cuda: no memory for a device");
	d->ordinal = ordinal;
	d->options = parsed;
	status = start_device(d);
	if (status != MT_OK) {
		free(d);
		return status;
	}
	d->api = device_api;
	d->api.n_capabilities = mt__cuda_n_capabilities;
	*device = d;
	*api = &d->api;
	return MT_OK;
}

int32_t mt_plugin_entry_v1(const struct mt_host_api *host, const struct mt_plugin_request *request,
                           struct mt_plugin_api *api) {
	if (host->struct_size < sizeof *host || host->abi_major != MT_ABI_MAJOR)
		return MT_E_PLUGIN;
	mt__cuda_host = host;
	/* Major 0 is an exact match (R2): what the host hands over is at least what this header knows. */
	if (request->struct_size < sizeof *request || api->struct_size < sizeof *api)
		return mt__cuda_fail(MT_E_PLUGIN, "cuda: the host's tables are smaller than those of ABI %u.%u", MT_ABI_MAJOR,
		                     MT_ABI_MINOR);
	if (request->kind != MT_KIND_DEVICE)
		return mt__cuda_fail(MT_E_PLUGIN, "cuda: a device plugin, asked for kind %u", (unsigned)request->kind);
	*api = (struct mt_plugin_api){
		.struct_size = sizeof *api,
		.abi_major = MT_ABI_MAJOR,
		.abi_minor = MT_ABI_MINOR,
		.name = "cuda",
		.version = "0.1.0",
		.description = "NVIDIA GPUs through the CUDA runtime",
		.device_count = device_count,
		.device_info = device_info,
		.device_open = device_open,
		.device_close = device_close,
	};
	return MT_OK;
}
