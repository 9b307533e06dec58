/* Taking what another library lends: a tensor over a DLPack managed tensor's memory. */
#include <string.h>

#include "backend/device.h"
#include "base/error.h"
#include "io/dlpack.h"
#include "mt/autograd.h"
#include "mt/ops.h"
#include "tensor/shape.h"
#include "tensor/tensor.h"

/* A managed tensor that has been looked at: all that the tensor over it needs. */
struct taken {
	const char *op;
	const DLTensor *from;
	mt_device *device;
	mt_dtype dtype;
	int rank;
	int64_t shape[MT_MAX_RANK], stride[MT_MAX_RANK];
	int64_t numel, offset; /* of element 0, from memory.base */
	struct mt__external memory;
};

/* ---- checks ------------------------------------------------------------------------------------------------------- */

static mt_status check_device(struct taken *k) {
	int32_t ordinal, type = (int32_t)k->from->device.device_type, id = k->from->device.device_id;
	k->device = mt_device_current();
	if (k->device == NULL)
		return mt_error_peek();
	mt_status status = mt__device_check(k->device);
	if (status != MT_OK)
		return status;
	int32_t kind = mt__memory_kind(k->device, &ordinal);
	if (kind == MT_MEMORY_PRIVATE)
		return mt__fail(
			MT_E_DEVICE,
			"%s: the current device, %s, does not work in memory of others: it does not say what its memory is "
			"(R9 of the plugin ABI)",
			k->op, mt_device_name(k->device));
	int32_t plain = mt__dlpack_plain(type);
	if (plain == kind && (plain == kDLCPU || id == ordinal))
		return MT_OK;
	return mt__fail(
		MT_E_DEVICE,
		"%s: the array lies in %s (device type %d, id %d), the current device, %s, works in %s (type %d, id "
		"%d); mt_device_use a device of the array's memory first",
		k->op, mt__dlpack_memory(type), (int)type, (int)id, mt_device_name(k->device), mt__dlpack_memory(kind),
		(int)kind, (int)ordinal);
}

static mt_status check_dtype(struct taken *k) {
	static const char *const codes[] = {"int", "uint", "float", "opaque handle", "bfloat", "complex", "bool"};
	DLDataType d = k->from->dtype;
	k->dtype = mt__dlpack_dtype_back(d);
	if (k->dtype != 0)
		return MT_OK;
	return mt__fail(
		MT_E_DTYPE,
		"%s: the elements are %s of %d bits in %d lanes (code %d); expected float of 16, 32 or 64 bits, bfloat "
		"of 16, int of 32 or 64, uint of 8 or bool of 8, in one lane",
		k->op, d.code < sizeof codes / sizeof *codes ? codes[d.code] : "floats", d.bits, d.lanes, d.code);
}

static mt_status too_large(const struct taken *k) {
	char text[MT__SHAPE_TEXT];
	return mt__fail(MT_E_SHAPE, "%s: %s%s with these strides is more than an address space holds", k->op,
	                mt_dtype_name(k->dtype), mt__shape_text(text, k->rank, k->shape));
}

/* Shape and strides; those of dims that are never stepped along become the row-major ones. */
static mt_status check_shape(struct taken *k) {
	const DLTensor *from = k->from;
	char text[MT__SHAPE_TEXT];
	if (from->ndim < 0)
		return mt__fail(MT_E_SHAPE, "%s: ndim is %d", k->op, (int)from->ndim);
	if (from->ndim > MT_MAX_RANK)
		return mt__fail(MT_E_UNSUPPORTED, "%s: the array has %d dims, at most %d are possible", k->op, (int)from->ndim,
		                MT_MAX_RANK);
	k->rank = from->ndim;
	if (k->rank > 0 && from->shape == NULL)
		return mt__fail(MT_E_ARG, "%s: an array of %d dims has no shape", k->op, k->rank);
	for (int d = 0; d < k->rank; d++)
		k->shape[d] = from->shape[d];
	for (int d = 0; d < k->rank; d++)
		if (k->shape[d] < 0)
			return mt__fail(MT_E_SHAPE, "%s: shape %s has a negative extent", k->op,
			                mt__shape_text(text, k->rank, k->shape));
	k->numel = mt__numel(k->rank, k->shape);
	if (k->numel < 0)
		return too_large(k);
	mt__contiguous_strides(k->rank, k->shape, k->stride);
	for (int d = 0; d < k->rank && from->strides != NULL && k->numel > 0; d++)
		if (k->shape[d] > 1)
			k->stride[d] = from->strides[d];
	return MT_OK;
}

/* From the first to the last element's address. */
static mt_status check_memory(struct taken *k) {
	int64_t low, high, begin, bytes, size = (int64_t)mt_dtype_size(k->dtype);
	uintptr_t data = (uintptr_t)k->from->data, at, base, end;
	if (k->numel == 0)
		return MT_OK;
	if (k->from->data == NULL)
		return mt__fail(MT_E_ARG, "%s: an array of %lld elements has no data", k->op, (long long)k->numel);
	if (!mt__reach(k->rank, k->shape, k->stride, &low, &high) || __builtin_mul_overflow(low, size, &begin) ||
	    __builtin_sub_overflow(high, low, &bytes) || __builtin_add_overflow(bytes, (int64_t)1, &bytes) ||
	    __builtin_mul_overflow(bytes, size, &bytes) || __builtin_add_overflow(data, k->from->byte_offset, &at) ||
	    __builtin_add_overflow(at, begin, &base) || __builtin_add_overflow(base, bytes, &end))
		return too_large(k);
	if (at % (uintptr_t)size != 0)
		return mt__fail(MT_E_UNSUPPORTED,
		                "%s: element 0 lies at %p, which is not aligned to the %lld bytes of %s; copy the array first",
		                k->op, (void *)at, (long long)size, mt_dtype_name(k->dtype));
	k->offset = -low;
	k->memory.base = (void *)base;
	k->memory.bytes = (uint64_t)bytes;
	return MT_OK;
}

static void keep(void *context) {
	(void)context; /* a tensor for looking alone: the memory stays the caller's */
}

/* A bool is 0 or 1 everywhere in libmt: the largest of the bytes tells, on any device. */
static mt_status check_bools(const struct taken *k) {
	int64_t largest = 0;
	if (k->dtype != MT_BOOL || k->numel == 0)
		return MT_OK;
	mt_scope *scope = mt_scope_begin();
	if (scope == NULL)
		return MT_E_MEMORY;
	struct mt__external memory = k->memory;
	memory.release = keep;
	mt_tensor *bytes = mt__tensor_external(k->op, k->device, &memory, MT_U8, k->rank, k->shape, k->stride, k->offset);
	mt_tensor *most = bytes != NULL ? mt_max(bytes, MT_ALL_AXES, 0) : NULL;
	mt_status status = most != NULL ? mt_item_i64(most, &largest) : mt_error_peek();
	mt_scope_end(scope);
	if (status == MT_OK && largest > 1)
		status = mt__fail(MT_E_ARG, "%s: expected bools of 0 or 1, got %lld", k->op, (long long)largest);
	return status;
}

/* ---- taking ------------------------------------------------------------------------------------------------------- */

static mt_tensor *take(struct taken *k) {
	if (check_device(k) != MT_OK || check_dtype(k) != MT_OK || check_shape(k) != MT_OK || check_memory(k) != MT_OK ||
	    check_bools(k) != MT_OK)
		return NULL;
	return mt__tensor_external(k->op, k->device, &k->memory, k->dtype, k->rank, k->shape, k->stride, k->offset);
}

static void delete_plain(void *context) {
	DLManagedTensor *managed = context;
	if (managed->deleter != NULL)
		managed->deleter(managed);
}

static void delete_versioned(void *context) {
	DLManagedTensorVersioned *managed = context;
	if (managed->deleter != NULL)
		managed->deleter(managed);
}

mt_tensor *mt_from_dlpack(DLManagedTensor *managed) {
	if (managed == NULL) {
		mt__fail_arg_null("from_dlpack", "managed");
		return NULL;
	}
	struct taken k = {
		.op = "from_dlpack", .from = &managed->dl_tensor, .memory = {.release = delete_plain, .context = managed}};
	return take(&k);
}

mt_tensor *mt_from_dlpack_versioned(DLManagedTensorVersioned *managed) {
	static const char op[] = "from_dlpack_versioned";
	if (managed == NULL) {
		mt__fail_arg_null(op, "managed");
		return NULL;
	}
	if (managed->version.major != DLPACK_MAJOR_VERSION)
		return mt__fail_null(MT_E_UNSUPPORTED, "%s: the array comes as DLPack %u.%u; expected %d.x", op,
		                     managed->version.major, managed->version.minor, DLPACK_MAJOR_VERSION);
	struct taken k = {.op = op,
	                  .from = &managed->dl_tensor,
	                  .memory = {.read_only = (managed->flags & DLPACK_FLAG_BITMASK_READ_ONLY) != 0,
	                             .release = delete_versioned,
	                             .context = managed}};
	return take(&k);
}
