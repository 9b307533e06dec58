/* DLPack: tensors lent to other libraries, and theirs taken as tensors, without a copy (dmlc.github.io/dlpack).
 *
 * The structs are those of DLPack 1.1, under their own names, so that this header may stand before or after a dlpack.h
 * of DLPack's; whichever comes first declares them.  mt/mt.h does not include it.  In Python a managed tensor travels in
 * a capsule: docs/dlpack.md. */
#ifndef MT_DLPACK_H
#define MT_DLPACK_H

#include <stddef.h>
#include <stdint.h>

#include "mt/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef DLPACK_DLPACK_H_
#define DLPACK_DLPACK_H_

#define DLPACK_MAJOR_VERSION 1
#define DLPACK_MINOR_VERSION 1

typedef struct {
	uint32_t major, minor;
} DLPackVersion;

#ifdef __cplusplus
typedef enum : int32_t {
#else
typedef enum {
#endif
	kDLCPU = 1,
	kDLCUDA = 2,
	kDLCUDAHost = 3,
	kDLOpenCL = 4,
	kDLVulkan = 7,
	kDLMetal = 8,
	kDLVPI = 9,
	kDLROCM = 10,
	kDLROCMHost = 11,
	kDLExtDev = 12,
	kDLCUDAManaged = 13,
	kDLOneAPI = 14,
	kDLWebGPU = 15,
	kDLHexagon = 16,
	kDLMAIA = 17
} DLDeviceType;

typedef struct {
	DLDeviceType device_type;
	int32_t device_id;
} DLDevice;

typedef enum {
	kDLInt = 0,
	kDLUInt = 1,
	kDLFloat = 2,
	kDLOpaqueHandle = 3,
	kDLBfloat = 4,
	kDLComplex = 5,
	kDLBool = 6,
	kDLFloat8_e3m4 = 7,
	kDLFloat8_e4m3 = 8,
	kDLFloat8_e4m3b11fnuz = 9,
	kDLFloat8_e4m3fn = 10,
	kDLFloat8_e4m3fnuz = 11,
	kDLFloat8_e5m2 = 12,
	kDLFloat8_e5m2fnuz = 13,
	kDLFloat8_e8m0fnu = 14,
	kDLFloat6_e2m3fn = 15,
	kDLFloat6_e3m2fn = 16,
	kDLFloat4_e2m1fn = 17
} DLDataTypeCode;

typedef struct {
	uint8_t code; /* DLDataTypeCode */
	uint8_t bits; /* of one lane */
	uint16_t lanes;
} DLDataType;

/* Element (i0, i1, …) lies at data + byte_offset + (Σ i_d · strides[d]) · bytes of dtype. */
typedef struct {
	void *data;
	DLDevice device;
	int32_t ndim;
	DLDataType dtype;
	int64_t *shape;
	int64_t *strides; /* in elements; NULL: row-major without gaps */
	uint64_t byte_offset;
} DLTensor;

typedef struct DLManagedTensor {
	DLTensor dl_tensor;
	void *manager_ctx;                             /* the producer's */
	void (*deleter)(struct DLManagedTensor *self); /* may be NULL */
} DLManagedTensor;

#define DLPACK_FLAG_BITMASK_READ_ONLY (1UL << 0)
#define DLPACK_FLAG_BITMASK_IS_COPIED (1UL << 1)
#define DLPACK_FLAG_BITMASK_IS_SUBBYTE_TYPE_PADDED (1UL << 2)

/* Of another major only version, manager_ctx, deleter and flags may be looked at. */
typedef struct DLManagedTensorVersioned {
	DLPackVersion version;
	void *manager_ctx;
	void (*deleter)(struct DLManagedTensorVersioned *self);
	uint64_t flags; /* DLPACK_FLAG_BITMASK_… */
	DLTensor dl_tensor;
} DLManagedTensorVersioned;

#endif

/* ---- out ---------------------------------------------------------------------------------------------------------- */

/* Lends t's memory: the result describes it (dtype, shape, strides, the host's memory or that of a CUDA device) and keeps
 * it alive until whoever has it calls its deleter, once, from any thread.  t itself may go before.  The device is waited
 * for first, so that all that was asked of t is in its memory; later, whoever writes has to see to it that nobody reads
 * (mt_device_synchronize; the consumer's work is done before it calls the deleter).  mt counts no writes of others: a graph
 * that saved t does not notice them.
 *
 * NULL on MT_E_STATE where t requires a gradient or is the result of a recorded op (mt_detach it), MT_E_UNSUPPORTED where
 * the device does not say what its memory is (mt/plugin.h, R9), and what mt_device_synchronize finds.  In the unversioned
 * form, which cannot say so, also on MT_E_STATE where t's memory was lent to mt for reading alone. */
MT_API struct DLManagedTensorVersioned *mt_to_dlpack_versioned(mt_tensor *t);
MT_API struct DLManagedTensor *mt_to_dlpack(mt_tensor *t);

/* ---- in ----------------------------------------------------------------------------------------------------------- */

/* The tensor that managed describes, over its memory, on the current device and in the current scope: never a copy.
 * Writing one is writing the other; what is flagged read-only, in-place ops refuse.
 *
 * On success managed belongs to mt, which calls its deleter once, when the last tensor and graph that use the memory are
 * gone and the device is done with it (in a child after fork(): never).  On failure, NULL, it is still the caller's, who
 * calls the deleter.  What the producer was doing with the memory must be done before: mt waits for no stream of others.
 *
 *     MT_E_DEVICE       the memory is not the current device's: mt_device_use one of that memory first.  Host memory
 *                       (kDLCPU, kDLCUDAHost, kDLROCMHost) is for CPU devices, kDLCUDA for the CUDA device of that id
 *     MT_E_DTYPE        no dtype of mt: float 16, 32, 64, bfloat 16, int 32, 64, uint 8, bool 8, of one lane
 *     MT_E_SHAPE        a negative ndim or extent, or extents and strides that no address space holds
 *     MT_E_UNSUPPORTED  more than MT_MAX_RANK dims, another major version, elements that are not aligned to their size
 *     MT_E_ARG          no shape, no data where there are elements, or a bool that is neither 0 nor 1
 *
 * Strides may be NULL (row-major), 0 and negative. */
MT_API mt_tensor *mt_from_dlpack_versioned(struct DLManagedTensorVersioned *managed);
MT_API mt_tensor *mt_from_dlpack(struct DLManagedTensor *managed);

#ifdef __cplusplus
}
#endif

#endif
