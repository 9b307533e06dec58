/* Dtypes and devices as DLPack numbers them. */
#include "io/dlpack.h"

#include "backend/device.h"

static const struct {
	mt_dtype dtype;
	DLDataType dl;
} dtypes[] = {
	{MT_F32, {kDLFloat, 32, 1}},   {MT_F64, {kDLFloat, 64, 1}}, {MT_F16, {kDLFloat, 16, 1}},
	{MT_BF16, {kDLBfloat, 16, 1}}, {MT_I32, {kDLInt, 32, 1}},   {MT_I64, {kDLInt, 64, 1}},
	{MT_U8, {kDLUInt, 8, 1}},      {MT_BOOL, {kDLBool, 8, 1}},
};

enum { N_DTYPES = sizeof dtypes / sizeof *dtypes };

DLDataType mt__dlpack_dtype(mt_dtype dtype) {
	int i = 0;
	while (i < N_DTYPES - 1 && dtypes[i].dtype != dtype)
		i++;
	return dtypes[i].dl;
}

mt_dtype mt__dlpack_dtype_back(DLDataType dl) {
	for (int i = 0; i < N_DTYPES; i++)
		if (dtypes[i].dl.code == dl.code && dtypes[i].dl.bits == dl.bits && dtypes[i].dl.lanes == dl.lanes)
			return dtypes[i].dtype;
	return 0;
}

const char *mt__dlpack_memory(int32_t device_type) {
	switch (device_type) {
	case kDLCPU:
	case kDLCUDAHost:
	case kDLROCMHost:
		return "the host's memory";
	case kDLCUDA:
		return "CUDA memory";
	case kDLOpenCL:
		return "OpenCL memory";
	case kDLVulkan:
		return "Vulkan memory";
	case kDLMetal:
		return "Metal memory";
	case kDLROCM:
		return "ROCm memory";
	case kDLCUDAManaged:
		return "CUDA managed memory";
	case kDLOneAPI:
		return "oneAPI memory";
	default:
		return "memory of another kind";
	}
}

int32_t mt__dlpack_plain(int32_t device_type) {
	return device_type == kDLCUDAHost || device_type == kDLROCMHost ? (int32_t)kDLCPU : device_type;
}
