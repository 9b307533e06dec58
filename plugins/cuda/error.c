#include <stdarg.h>
#include <stdio.h>

#include "mt_cuda.h"

const struct mt_host_api *mt__cuda_host;

int32_t mt__cuda_fail(int32_t status, const char *format, ...) {
	char text[768];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	mt__cuda_host->set_error(status, text);
	return status;
}

int mt__cuda_is_lost(cudaError_t error) {
	switch (error) {
	case cudaErrorIllegalAddress:
	case cudaErrorIllegalInstruction:
	case cudaErrorMisalignedAddress:
	case cudaErrorInvalidAddressSpace:
	case cudaErrorInvalidPc:
	case cudaErrorHardwareStackError:
	case cudaErrorLaunchFailure:
	case cudaErrorLaunchTimeout:
	case cudaErrorAssert:
	case cudaErrorECCUncorrectable:
	case cudaErrorNvlinkUncorrectable:
		return 1;
	default:
		return 0;
	}
}

const char *mt__cuda_advice(cudaError_t error) {
	switch (error) {
	case cudaErrorMemoryAllocation:
		return "; smaller batches need less, and nvidia-smi shows who else has memory of this GPU";
	case cudaErrorNoKernelImageForDevice:
	case cudaErrorInvalidDeviceFunction:
	case cudaErrorUnsupportedPtxVersion:
	case cudaErrorInvalidPtx:
		return "; build mt with --with-cuda-arch=native on this machine, or with the GPU's architecture";
	case cudaErrorInsufficientDriver:
	case cudaErrorSystemDriverMismatch:
	case cudaErrorCompatNotSupportedOnDevice:
		return "; a newer NVIDIA driver is needed";
	case cudaErrorDevicesUnavailable:
	case cudaErrorDeviceUninitialized:
		return "; another process may have the GPU for itself (nvidia-smi shows it)";
	default:
		return mt__cuda_is_lost(error) ? "; the GPU is lost to this process: start it again (other backends still work)"
		                               : "";
	}
}

int32_t mt__cuda_error(cudaError_t error, const char *what) {
	if (error == cudaSuccess)
		return MT_OK;
	(void)cudaGetLastError(); /* an error that is not sticky must not show up again in the next call */
	return mt__cuda_fail(error == cudaErrorMemoryAllocation ? MT_E_MEMORY : MT_E_DEVICE, "cuda: %s: %s (%s)%s", what,
	                     cudaGetErrorString(error), cudaGetErrorName(error), mt__cuda_advice(error));
}
